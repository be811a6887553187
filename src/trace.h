/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kvm_irqx

#if !defined(_IRQX_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _IRQX_TRACE_H

#include <linux/kvm_host.h>
#include <linux/tracepoint.h>

#include "arch/arch.h"
#include "error.h"
#include "uapi/linux/kvm_irqx.h"

/*
 * An entry in two numbers: address and data of an MSI; irqchip and pin; VP
 * index and SINT; vCPU id and port of a Xen event channel; vCPU index and INTID
 * of a PPI; table and vector.
 */
#ifndef _IRQX_TRACE_ENTRY
#define _IRQX_TRACE_ENTRY
static inline u64
irqx_trace_where(const struct kvm_kernel_irq_routing_entry *e)
{
	switch (e->type) {
	case KVM_IRQ_ROUTING_IRQCHIP:
	case KVM_IRQX_ROUTING_PPI:
	case KVM_IRQX_ROUTING_VECTOR:
		return e->irqchip.irqchip;
	case KVM_IRQ_ROUTING_MSI:
		return (u64)e->msi.address_hi << 32 | e->msi.address_lo;
	case KVM_IRQ_ROUTING_HV_SINT:
		return e->hv_sint.vcpu;
	case KVM_IRQ_ROUTING_XEN_EVTCHN:
		return e->xen_evtchn.vcpu_id;
	default:
		return 0;
	}
}

static inline u32
irqx_trace_what(const struct kvm_kernel_irq_routing_entry *e)
{
	switch (e->type) {
	case KVM_IRQ_ROUTING_IRQCHIP:
	case KVM_IRQX_ROUTING_PPI:
	case KVM_IRQX_ROUTING_VECTOR:
		return e->irqchip.pin;
	case KVM_IRQ_ROUTING_MSI:
		return e->msi.data;
	case KVM_IRQ_ROUTING_HV_SINT:
		return e->hv_sint.sint;
	case KVM_IRQ_ROUTING_XEN_EVTCHN:
		return e->xen_evtchn.port;
	default:
		return 0;
	}
}
#endif

#define irqx_show_type(type)						\
	__print_symbolic(type,						\
			 { 0, "none" },					\
			 { KVM_IRQ_ROUTING_IRQCHIP, "irqchip" },	\
			 { KVM_IRQ_ROUTING_MSI, "msi" },		\
			 { KVM_IRQ_ROUTING_HV_SINT, "hv_sint" },	\
			 { KVM_IRQ_ROUTING_XEN_EVTCHN, "xen_evtchn" },	\
			 { KVM_IRQX_ROUTING_PPI, "ppi" },		\
			 { KVM_IRQX_ROUTING_VECTOR, "vector" })

/* The values of these, so that readers of the format know them too. */
#define IRQX_DEFINE_CALL(cmd)		TRACE_DEFINE_ENUM(IRQX_CALL_##cmd);
IRQX_CALLS(IRQX_DEFINE_CALL)
#define IRQX_DEFINE_ARG(name, words)	TRACE_DEFINE_ENUM(IRQX_ARG_##name);
IRQX_ARGS(IRQX_DEFINE_ARG)
#define IRQX_DEFINE_REASON(name, words)	TRACE_DEFINE_ENUM(IRQX_REASON_##name);
IRQX_REASONS(IRQX_DEFINE_REASON)
#undef IRQX_DEFINE_CALL
#undef IRQX_DEFINE_ARG
#undef IRQX_DEFINE_REASON

#define IRQX_SHOW_CALL(cmd)		{ IRQX_CALL_##cmd, #cmd },
#define IRQX_SHOW_ARG(name, words)	{ IRQX_ARG_##name, words },
#define IRQX_SHOW_REASON(name, words)	{ IRQX_REASON_##name, words },

#define irqx_show_call(cmd)						\
	__print_symbolic(cmd, IRQX_CALLS(IRQX_SHOW_CALL) { -1, "?" })
#define irqx_show_arg(arg)						\
	__print_symbolic(arg, IRQX_ARGS(IRQX_SHOW_ARG) { -1, "?" })
#define irqx_show_reason(reason)					\
	__print_symbolic(reason, IRQX_REASONS(IRQX_SHOW_REASON) { -1, "?" })

/*
 * eventfd is NULL where the change is to a GSI, whoever is bound to it, or to a vector: what it
 * is sent by from then on.
 */
DECLARE_EVENT_CLASS(irqx_binding,
	TP_PROTO(const void *eventfd,
		 const struct kvm_kernel_irq_routing_entry *e, bool direct),
	TP_ARGS(eventfd, e, direct),

	TP_STRUCT__entry(
		__field(const void *,	eventfd)
		__field(u64,		where)
		__field(u32,		what)
		__field(u32,		type)
		__field(u32,		gsi)
		__field(bool,		direct)
		__field(bool,		undeliverable)
	),

	TP_fast_assign(
		__entry->eventfd	= eventfd;
		__entry->where		= irqx_trace_where(e);
		__entry->what		= irqx_trace_what(e);
		__entry->type		= e->type;
		__entry->gsi		= e->gsi;
		__entry->direct		= direct;
		__entry->undeliverable	= irqx_arch_is_undeliverable(e);
	),

	TP_printk("eventfd %p %s gsi %u %s 0x%llx 0x%x%s", __entry->eventfd,
		  __entry->direct ? "direct" : "routed", __entry->gsi,
		  irqx_show_type(__entry->type), __entry->where, __entry->what,
		  __entry->undeliverable ? " undeliverable" : "")
);

DEFINE_EVENT(irqx_binding, irqx_assign,
	TP_PROTO(const void *eventfd,
		 const struct kvm_kernel_irq_routing_entry *e, bool direct),
	TP_ARGS(eventfd, e, direct)
);

DEFINE_EVENT(irqx_binding, irqx_modify,
	TP_PROTO(const void *eventfd,
		 const struct kvm_kernel_irq_routing_entry *e, bool direct),
	TP_ARGS(eventfd, e, direct)
);

TRACE_EVENT(irqx_deassign,
	TP_PROTO(const void *eventfd, u32 gsi, bool direct),
	TP_ARGS(eventfd, gsi, direct),

	TP_STRUCT__entry(
		__field(const void *,	eventfd)
		__field(u32,		gsi)
		__field(bool,		direct)
	),

	TP_fast_assign(
		__entry->eventfd	= eventfd;
		__entry->gsi		= gsi;
		__entry->direct		= direct;
	),

	TP_printk("eventfd %p %s gsi %u", __entry->eventfd,
		  __entry->direct ? "direct" : "routed", __entry->gsi)
);

/* A target of that entry, before the change. */
TRACE_EVENT(irqx_mask,
	TP_PROTO(const struct kvm_kernel_irq_routing_entry *e, bool masked),
	TP_ARGS(e, masked),

	TP_STRUCT__entry(
		__field(u64,	where)
		__field(u32,	what)
		__field(u32,	type)
		__field(u32,	gsi)
		__field(bool,	masked)
	),

	TP_fast_assign(
		__entry->where	= irqx_trace_where(e);
		__entry->what	= irqx_trace_what(e);
		__entry->type	= e->type;
		__entry->gsi	= e->gsi;
		__entry->masked	= masked;
	),

	TP_printk("%s gsi %u %s 0x%llx 0x%x",
		  __entry->masked ? "masked" : "unmasked", __entry->gsi,
		  irqx_show_type(__entry->type), __entry->where, __entry->what)
);

TRACE_EVENT(irqx_wakeup,
	TP_PROTO(const void *eventfd, u64 count),
	TP_ARGS(eventfd, count),

	TP_STRUCT__entry(
		__field(const void *,	eventfd)
		__field(u64,		count)
	),

	TP_fast_assign(
		__entry->eventfd	= eventfd;
		__entry->count		= count;
	),

	TP_printk("eventfd %p count %llu", __entry->eventfd, __entry->count)
);

/* ret as kvm_set_irq(): < 0 ignored, 0 coalesced, else the number of vCPUs */
TRACE_EVENT(irqx_inject,
	TP_PROTO(const struct kvm_kernel_irq_routing_entry *e, bool atomic,
		 int level, int ret),
	TP_ARGS(e, atomic, level, ret),

	TP_STRUCT__entry(
		__field(u64,	where)
		__field(u32,	what)
		__field(u32,	type)
		__field(bool,	atomic)
		__field(int,	level)
		__field(int,	ret)
	),

	TP_fast_assign(
		__entry->where	= irqx_trace_where(e);
		__entry->what	= irqx_trace_what(e);
		__entry->type	= e->type;
		__entry->atomic	= atomic;
		__entry->level	= level;
		__entry->ret	= ret;
	),

	TP_printk("%s 0x%llx 0x%x level %d %s ret %d",
		  irqx_show_type(__entry->type), __entry->where, __entry->what,
		  __entry->level, __entry->atomic ? "atomic" : "deferred",
		  __entry->ret)
);

/* The guest's EOI has reached a resamplefd. */
TRACE_EVENT(irqx_resample,
	TP_PROTO(const struct kvm_kernel_irq_routing_entry *e,
		 const void *resamplefd),
	TP_ARGS(e, resamplefd),

	TP_STRUCT__entry(
		__field(const void *,	resamplefd)
		__field(u64,		where)
		__field(u32,		what)
		__field(u32,		type)
	),

	TP_fast_assign(
		__entry->resamplefd	= resamplefd;
		__entry->where		= irqx_trace_where(e);
		__entry->what		= irqx_trace_what(e);
		__entry->type		= e->type;
	),

	TP_printk("%s 0x%llx 0x%x resamplefd %p",
		  irqx_show_type(__entry->type), __entry->where, __entry->what,
		  __entry->resamplefd)
);

/* A call fails, and its argument is to blame; index is -1 if that is of no array. */
TRACE_EVENT(irqx_reject,
	TP_PROTO(const struct irqx_error *error),
	TP_ARGS(error),

	TP_STRUCT__entry(
		__field(u32,	cmd)
		__field(s32,	index)
		__field(u32,	arg)
		__field(u32,	reason)
		__field(int,	ret)
	),

	TP_fast_assign(
		__entry->cmd	= error->cmd;
		__entry->index	= error->index;
		__entry->arg	= error->arg;
		__entry->reason	= error->reason;
		__entry->ret	= error->ret;
	),

	TP_printk("%s %s: %s, index %d ret %d", irqx_show_call(__entry->cmd),
		  irqx_show_arg(__entry->arg),
		  irqx_show_reason(__entry->reason), __entry->index,
		  __entry->ret)
);

#endif /* _IRQX_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace

#include <trace/define_trace.h>

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_KVM_KVM_H
#define _IRQX_KVM_KVM_H

/*
 * The only door to KVM.  Nothing outside src/kvm/ looks up one of its symbols,
 * calls one that is not exported, or knows a kernel version.
 */

#include <linux/kvm_host.h>
#include <kvm/iodev.h>

#include "compat.h"
#include "error.h"

struct eventfd_ctx;
struct tracepoint;

/* Has KVM intercept the EOIs of a pin. */
struct irqx_pin_watch {
	struct kvm_irq_ack_notifier ack;
	u32 irqchip, pin;		/* immutable */
};

int irqx_kvm_resolve(void);

typedef void (*irqx_tracepoint_fn)(struct tracepoint *tp, void *data);
void irqx_kvm_walk_tracepoints(irqx_tracepoint_fn fn, void *data);

struct kvm *irqx_kvm_from_file(struct file *file);
int irqx_kvm_get_source_id(struct kvm *kvm);
void irqx_kvm_put_source_id(struct kvm *kvm, int source_id);

int irqx_kvm_parse(struct kvm *kvm, const struct kvm_irq_routing_entry *ue,
		   struct kvm_kernel_irq_routing_entry *e,
		   struct irqx_error *error);
void irqx_kvm_unparse(const struct kvm_kernel_irq_routing_entry *e,
		      struct kvm_irq_routing_entry *ue);
int irqx_kvm_inject(struct kvm *kvm, int source_id,
		    struct kvm_kernel_irq_routing_entry *e);
int irqx_kvm_set_pin(struct kvm *kvm, int source_id,
		     struct kvm_kernel_irq_routing_entry *e, int level,
		     bool line_status);

#ifdef IRQX_KVM_HAS_PPI
int irqx_kvm_parse_ppi(struct kvm *kvm, const struct kvm_irq_routing_entry *ue,
		       struct kvm_kernel_irq_routing_entry *e,
		       struct irqx_error *error);
int irqx_kvm_raise_ppi(struct kvm *kvm,
		       const struct kvm_kernel_irq_routing_entry *e);
bool irqx_kvm_ppi_is_queued(struct kvm *kvm,
			    const struct kvm_kernel_irq_routing_entry *e);
#else
static inline int irqx_kvm_parse_ppi(struct kvm *kvm,
				     const struct kvm_irq_routing_entry *ue,
				     struct kvm_kernel_irq_routing_entry *e,
				     struct irqx_error *error)
{
	return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_TYPE,
			   IRQX_REASON_UNKNOWN_VALUE);
}

static inline int
irqx_kvm_raise_ppi(struct kvm *kvm,
		   const struct kvm_kernel_irq_routing_entry *e)
{
	return -EINVAL;
}

static inline bool
irqx_kvm_ppi_is_queued(struct kvm *kvm,
		       const struct kvm_kernel_irq_routing_entry *e)
{
	return false;
}
#endif

/*
 * EOIs that KVM keeps to itself: those of pins on some kernels, those of PPIs.  Who asks for
 * those of pins must not listen to tracepoint kvm_ack_irq as well once
 * irqx_kvm_eois_are_seen().  @key: irqx_arch_line_key()
 */
enum irqx_eois {
	IRQX_EOIS_OF_PINS,
	IRQX_EOIS_OF_PPIS,
};

typedef void (*irqx_eoi_fn)(struct kvm_vcpu *vcpu, unsigned long key);
#ifdef IRQX_KVM_HAS_FOLD
int irqx_kvm_see_eois(enum irqx_eois of, irqx_eoi_fn fn);
void irqx_kvm_unsee_eois(enum irqx_eois of);
bool irqx_kvm_eois_are_seen(void);
bool irqx_kvm_tells_eois(void);
bool irqx_kvm_tells_ppi_eois(void);
#else
static inline int irqx_kvm_see_eois(enum irqx_eois of, irqx_eoi_fn fn)
{
	return 0;
}

static inline void irqx_kvm_unsee_eois(enum irqx_eois of)
{
}

static inline bool irqx_kvm_eois_are_seen(void)
{
	return false;
}

static inline bool irqx_kvm_tells_eois(void)
{
	return true;
}
#endif

/*
 * A pin that is unmasked while something is pending there.  @key: irqx_arch_pin_key().
 * @asked: KVM has asked its own resamplefds.  Return: whether it shall forget what is
 * pending, as if it had.  Context: the vCPU's thread, with the lock of KVM's IOAPIC.
 */
typedef bool (*irqx_unmask_fn)(struct kvm *kvm, unsigned long key, bool asked);
#ifdef IRQX_KVM_HAS_SCAN_IOAPIC
int irqx_kvm_see_unmasking(irqx_unmask_fn fn);
void irqx_kvm_unsee_unmasking(void);
#else
/* A level that is lowered is not pending any more, masked or not. */
static inline int irqx_kvm_see_unmasking(irqx_unmask_fn fn)
{
	return 0;
}

static inline void irqx_kvm_unsee_unmasking(void)
{
}
#endif

struct kvm_vcpu *irqx_kvm_running_vcpu(void);
u32 irqx_kvm_vp_index(struct kvm_vcpu *vcpu);
#ifdef IRQX_KVM_HAS_SCAN_IOAPIC
void irqx_kvm_watch_pin(struct kvm *kvm, struct irqx_pin_watch *watch,
			const struct kvm_kernel_irq_routing_entry *e);
void irqx_kvm_rewatch_pin(struct kvm *kvm, struct irqx_pin_watch *watch);
void irqx_kvm_unwatch_pin(struct kvm *kvm, struct irqx_pin_watch *watch);
#else
/* The tracepoint tells all there is to tell. */
static inline void
irqx_kvm_watch_pin(struct kvm *kvm, struct irqx_pin_watch *watch,
		   const struct kvm_kernel_irq_routing_entry *e)
{
}

static inline void irqx_kvm_rewatch_pin(struct kvm *kvm,
					struct irqx_pin_watch *watch)
{
}

static inline void irqx_kvm_unwatch_pin(struct kvm *kvm,
					struct irqx_pin_watch *watch)
{
}
#endif

struct kvm_memory_slot *irqx_kvm_memslot(struct kvm *kvm, gfn_t gfn);

/* Context: kvm->srcu is held for reading. */
static inline bool irqx_kvm_gfn_is_private(struct kvm *kvm, gfn_t gfn)
{
#ifdef IRQX_KVM_HAS_PRIVATE_MEMORY
	return kvm_mem_is_private(kvm, gfn);
#else
	return false;
#endif
}

int irqx_kvm_register_device(struct kvm *kvm, gpa_t start, u32 len,
			     struct kvm_io_device *device);
void irqx_kvm_unregister_device(struct kvm *kvm, struct kvm_io_device *device);

void irqx_eventfd_signal(struct eventfd_ctx *eventfd);
int irqx_eventfd_id(const struct eventfd_ctx *eventfd);

#endif /* _IRQX_KVM_KVM_H */

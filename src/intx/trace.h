/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kvm_irqx_intx

#if !defined(_IRQX_INTX_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _IRQX_INTX_TRACE_H

#include <linux/tracepoint.h>

#include "intx/line.h"

TRACE_DEFINE_ENUM(INTX_MODE_NONE);
TRACE_DEFINE_ENUM(INTX_MODE_LINE);
TRACE_DEFINE_ENUM(INTX_MODE_DEVICE);
TRACE_DEFINE_ENUM(INTX_WHO_INTERRUPT);
TRACE_DEFINE_ENUM(INTX_WHO_HOOK);
TRACE_DEFINE_ENUM(INTX_WHO_TIMER);

#define intx_show_mode(mode)				\
	__print_symbolic(mode,				\
			 { INTX_MODE_NONE, "none" },	\
			 { INTX_MODE_LINE, "line" },	\
			 { INTX_MODE_DEVICE, "device" })
#define intx_show_who(who)					\
	__print_symbolic(who,					\
			 { INTX_WHO_INTERRUPT, "interrupt" },	\
			 { INTX_WHO_HOOK, "hook" },		\
			 { INTX_WHO_TIMER, "timer" })

/* The interrupt is masked in another way from now on. */
TRACE_EVENT(irqx_intx_switch,
	TP_PROTO(unsigned int irq, enum intx_mode from, enum intx_mode to, enum intx_who who),
	TP_ARGS(irq, from, to, who),

	TP_STRUCT__entry(
		__field(unsigned int,	irq)
		__field(u32,		from)
		__field(u32,		to)
		__field(u32,		who)
	),

	TP_fast_assign(
		__entry->irq	= irq;
		__entry->from	= from;
		__entry->to	= to;
		__entry->who	= who;
	),

	TP_printk("irq %u from %s to %s by %s", __entry->irq, intx_show_mode(__entry->from),
		  intx_show_mode(__entry->to), intx_show_who(__entry->who))
);

/* It is not carried any more: KVM_IRQX_INTX_STATE_*. */
TRACE_EVENT(irqx_intx_end,
	TP_PROTO(unsigned int irq, u32 state),
	TP_ARGS(irq, state),

	TP_STRUCT__entry(
		__field(unsigned int,	irq)
		__field(u32,		state)
	),

	TP_fast_assign(
		__entry->irq	= irq;
		__entry->state	= state;
	),

	TP_printk("irq %u state %u", __entry->irq, __entry->state)
);

#endif /* _IRQX_INTX_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH intx
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace

#include <trace/define_trace.h>

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_ENTRY_H
#define _IRQX_ENTRY_H

#include <linux/kvm_host.h>

#include "uapi/linux/kvm_irqx.h"

struct irqx_target;
struct irqx_vp;

/* Where events go.  More than one entry only for a GSI that several irqchips share. */
struct irqx_entries {
	u16 nr;
	u16 event_flag;			/* with @has_flag */
	bool inline_ok;			/* one, and all it takes is KVM's injection */
	/* Of a target that is not masked, made by irqx_target_open(): */
	bool inline_now;		/* @inline_ok */
	bool atomic_now;		/* @atomic_ok */
	/* Made by irqx_deliver_classify(): */
	bool atomic_ok:1;		/* one: a wake-up may deliver it */
	bool paged:1;			/* it may take a page of the guest: IRQX_PAGED */
	bool has_flag:1;		/* a SINT with an event flag: @vp */
	bool unraised:1;		/* the flag is set, but KVM refused the SINT */
	bool undeliverable:1;		/* @one can never arrive */
	struct kvm_kernel_irq_routing_entry one;
	union {
		struct kvm_kernel_irq_routing_entry *more;	/* @nr - 1 of them */
		struct irqx_vp *vp;
		struct irqx_target *onward;	/* of a vector; irqx_entries_onward() */
	};
};

static inline struct kvm_kernel_irq_routing_entry *
irqx_entries_at(struct irqx_entries *entries, u32 i)
{
	return i ? &entries->more[i - 1] : &entries->one;
}

/*
 * Events go to a vector of a table, by whose entries they are delivered: its target.  Or NULL.
 */
static inline struct irqx_target *
irqx_entries_onward(const struct irqx_entries *entries)
{
	return entries->one.type == KVM_IRQX_ROUTING_VECTOR ? entries->onward : NULL;
}

/* The pins of a GSI are all of them pins. */
static inline bool irqx_entries_are_pins(const struct irqx_entries *entries)
{
	return entries->nr && entries->one.type == KVM_IRQ_ROUTING_IRQCHIP;
}

#endif /* _IRQX_ENTRY_H */

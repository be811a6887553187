/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_KVM_INJECT_H
#define _IRQX_KVM_INJECT_H

/* The injection of an event, inlined where events come: it is most of what an event costs. */

#include "arch/arch.h"
#include "uapi/linux/kvm_irqx.h"
#include "kvm.h"
#include "symbols.h"

/* No entry is one where KVM has no PPIs: irqx_kvm_parse() sees to that. */
static inline bool irqx_kvm_entry_is_ppi(const struct kvm_kernel_irq_routing_entry *e)
{
	return IRQX_KVM_PPIS && e->type == KVM_IRQX_ROUTING_PPI;
}

/**
 * irqx_kvm_inject_atomic - raise an interrupt without sleeping
 * @e: the entry; KVM may cache a vCPU index in it (Xen event channels)
 * @kvm: the VM
 * @source_id: from irqx_kvm_get_source_id()
 *
 * Its arguments have the order of KVM's, whose function is jumped to on x86.
 *
 * Context: any; may be called with interrupts off.
 * Return: -EWOULDBLOCK if it takes irqx_kvm_inject() to do it, else as
 * kvm_set_irq(): negative if ignored, 0 if coalesced, else the number of vCPUs.
 */
static __always_inline int
irqx_kvm_inject_atomic(struct kvm_kernel_irq_routing_entry *e, struct kvm *kvm,
		       int source_id)
{
	int ret;

	if (irqx_kvm_entry_is_ppi(e))
		return irqx_kvm_raise_ppi(kvm, e);
	ret = static_call(irqx_kvm_arch_set_irq_inatomic)(e, kvm, source_id, 1,
							  false);
	return irqx_arch_result(ret);
}

#endif /* _IRQX_KVM_INJECT_H */

// SPDX-License-Identifier: GPL-2.0
#include <linux/kvm_host.h>

#include "arch.h"
#include "kvm/compat.h"
#include "uapi/linux/kvm_irqx.h"

/* Context: any.  Return: the types of entry kvm_set_routing_entry() knows. */
u64 irqx_arch_features(void)
{
	u64 features = KVM_IRQX_FEATURE_IRQCHIP | KVM_IRQX_FEATURE_MSI;

	if (IRQX_KVM_HAS_HYPERV)
		features |= KVM_IRQX_FEATURE_HV_SINT;
	if (IS_ENABLED(CONFIG_KVM_XEN))
		features |= KVM_IRQX_FEATURE_XEN_EVTCHN;
	return features;
}

/*
 * Context: any.  Return: whether there are local APICs to deliver to.  Once
 * true it stays so: an interrupt controller is never taken out again.
 */
bool irqx_arch_vm_ready(struct kvm *kvm)
{
	enum kvm_irqchip_mode mode = READ_ONCE(kvm->arch.irqchip_mode);

	/* Pairs with the smp_wmb() before KVM sets the mode (x86.c). */
	smp_rmb();
	return mode != KVM_IRQCHIP_NONE;
}

/*
 * Context: any.  Return: whether delivery outside atomic context reaches into
 * guest memory: kvm_xen_set_evtchn().
 */
bool irqx_arch_entry_needs_mm(const struct kvm_kernel_irq_routing_entry *e)
{
	return e->type == KVM_IRQ_ROUTING_XEN_EVTCHN;
}

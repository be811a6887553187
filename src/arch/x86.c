// SPDX-License-Identifier: GPL-2.0
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <asm/pkru.h>

#include "arch.h"
#include "error.h"
#include "kvm/compat.h"
#include "uapi/linux/kvm_irqx.h"

/* Context: any.  Return: the types of entry, and what they can do. */
u64 irqx_arch_features(void)
{
	u64 features = KVM_IRQX_FEATURE_MSI | KVM_IRQX_FEATURE_ASSIGN;

	if (IRQX_KVM_HAS_IOAPIC)
		features |= KVM_IRQX_FEATURE_IRQCHIP;
	/* There are EOIs of pins and of SINTs only. */
	if (IRQX_KVM_HAS_IOAPIC || IRQX_KVM_HAS_HYPERV)
		features |= KVM_IRQX_FEATURE_RESAMPLE;
	if (IRQX_KVM_HAS_HYPERV)
		features |= KVM_IRQX_FEATURE_HV_SINT |
			    KVM_IRQX_FEATURE_EVENT_FLAG;
	if (IS_ENABLED(CONFIG_KVM_XEN))
		features |= KVM_IRQX_FEATURE_XEN_EVTCHN;
	return features;
}

/*
 * Context: any.  Return: 0 if there are local APICs to deliver to, else -EAGAIN.
 * Once 0 it stays so: an interrupt controller is never taken out again.
 */
int irqx_arch_vm_ready(struct kvm *kvm, struct irqx_error *error)
{
	enum kvm_irqchip_mode mode = READ_ONCE(kvm->arch.irqchip_mode);

	/* Pairs with the smp_wmb() before KVM sets the mode (x86.c). */
	smp_rmb();
	if (mode != KVM_IRQCHIP_NONE)
		return 0;
	return irqx_reject(error, -EAGAIN, IRQX_ARG_CONTEXT,
			   IRQX_REASON_NO_IRQCHIP);
}

/*
 * Context: any.  Return: whether delivery outside atomic context reaches into
 * guest memory: kvm_xen_set_evtchn().
 */
bool irqx_arch_entry_needs_mm(const struct kvm_kernel_irq_routing_entry *e)
{
	return e->type == KVM_IRQ_ROUTING_XEN_EVTCHN;
}

bool irqx_arch_waits_for_pages(const struct kvm_kernel_irq_routing_entry *e)
{
	return irqx_arch_entry_needs_mm(e);
}

/*
 * KVM does not ask for protection keys when it writes to guest memory.  Those of a kernel
 * thread forbid all but key 0.
 */
void irqx_arch_init_pager(void)
{
	write_pkru(0);
}

bool irqx_arch_writes_guest_memory(void)
{
	return true;
}

/*
 * Context: any.  Return: whether that guest memory was ever named.  KVM warns if
 * it is asked to find a shared-info page that was not.
 */
bool irqx_arch_memory_named(struct kvm *kvm)
{
#ifdef CONFIG_KVM_XEN
	return READ_ONCE(kvm->arch.xen.shinfo_cache.active);
#else
	return false;
#endif
}

/*
 * Context: any.  What KVM would take and then refuse at each event is refused
 * at once.
 */
int irqx_arch_check_entry(const struct kvm_irq_routing_entry *ue,
			  struct irqx_error *error)
{
	if (ue->type != KVM_IRQ_ROUTING_HV_SINT)
		return 0;
	if (!IRQX_KVM_HAS_HYPERV)
		return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_TYPE,
				   IRQX_REASON_UNKNOWN_VALUE);
	if (ue->u.hv_sint.sint >= HV_SYNIC_SINT_COUNT)
		return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_SINT,
				   IRQX_REASON_OUT_OF_RANGE);
	if (ue->u.hv_sint.vcpu >= KVM_MAX_VCPUS)
		return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_VP,
				   IRQX_REASON_OUT_OF_RANGE);
	return 0;
}

long irqx_arch_pin_key(u32 irqchip, u32 pin)
{
	return irqchip * KVM_IRQCHIP_NUM_PINS + pin;
}

long irqx_arch_sint_key(u32 vp, u32 sint)
{
	return KVM_NR_IRQCHIPS * KVM_IRQCHIP_NUM_PINS +
	       (long)vp * HV_SYNIC_SINT_COUNT + sint;
}

long irqx_arch_line_key(const struct kvm_kernel_irq_routing_entry *e)
{
	switch (e->type) {
	case KVM_IRQ_ROUTING_IRQCHIP:
		return irqx_arch_pin_key(e->irqchip.irqchip, e->irqchip.pin);
	case KVM_IRQ_ROUTING_HV_SINT:
		return irqx_arch_sint_key(e->hv_sint.vcpu, e->hv_sint.sint);
	default:
		return -1;
	}
}

bool irqx_arch_has_eoi(const struct kvm_kernel_irq_routing_entry *e)
{
	return irqx_arch_line_key(e) >= 0;
}

bool irqx_arch_pins_are_atomic(struct kvm *kvm)
{
	return false;
}

/* Context: the vCPU's thread. */
u32 irqx_arch_vp_index(struct kvm_vcpu *vcpu)
{
#if IRQX_KVM_HAS_HYPERV
	struct kvm_vcpu_hv *hv = vcpu->arch.hyperv;

	if (hv)
		return irqx_kvm_hv_vp_index(hv);
#endif
	return vcpu->vcpu_idx;
}

/*
 * The module links to nothing of KVM's vendor module, so depmod does not see that it is
 * of no use without one.  Where one of the two does not load, modprobe goes on.
 */
MODULE_SOFTDEP("pre: kvm_amd kvm_intel");

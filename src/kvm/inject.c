// SPDX-License-Identifier: GPL-2.0
/*
 * Calls into KVM: what a VM file is, what a routing entry means, and the
 * injection itself.
 */
#include <linux/sched/mm.h>

#include "arch/arch.h"
#include "error.h"
#include "uapi/linux/kvm_irqx.h"
#include "inject.h"

/**
 * irqx_kvm_from_file - the VM behind a VM file
 * @file: any open file
 *
 * Context: any.
 * Return: the VM, valid as long as @file is held, or ERR_PTR(-EINVAL).
 */
struct kvm *irqx_kvm_from_file(struct file *file)
{
	if (!static_call(irqx_file_is_kvm)(file))
		return ERR_PTR(-EINVAL);
	return file->private_data;
}

/**
 * irqx_kvm_get_source_id - an interrupt source of our own
 * @kvm: the VM
 *
 * x86 ORs the levels of a pin by source; with an id of its own the module and
 * KVM's irqfds never clear each other's level.  arm64 knows no sources.
 *
 * Context: may sleep, takes kvm->irq_lock.
 * Return: the id, or a negative errno (KVM gives -EFAULT if all 64 are taken).
 */
int irqx_kvm_get_source_id(struct kvm *kvm)
{
#ifdef IRQX_KVM_SOURCE_ID
	return IRQX_KVM_SOURCE_ID;
#else
	int id = static_call(irqx_kvm_request_irq_source_id)(kvm);

	return id < 0 ? -ENOSPC : id;
#endif
}

/* May sleep.  Every level raised with the id must have been lowered before. */
void irqx_kvm_put_source_id(struct kvm *kvm, int source_id)
{
#ifndef IRQX_KVM_SOURCE_ID
	static_call(irqx_kvm_free_irq_source_id)(kvm, source_id);
#endif
}

/* Does kvm_set_routing_entry() know it? */
static bool type_is_known(u32 type)
{
	u64 features = irqx_arch_features();

	switch (type) {
	case KVM_IRQ_ROUTING_IRQCHIP:
		return features & KVM_IRQX_FEATURE_IRQCHIP;
	case KVM_IRQ_ROUTING_MSI:
		return features & KVM_IRQX_FEATURE_MSI;
	case KVM_IRQ_ROUTING_HV_SINT:
		return features & KVM_IRQX_FEATURE_HV_SINT;
	case KVM_IRQ_ROUTING_XEN_EVTCHN:
		return features & KVM_IRQX_FEATURE_XEN_EVTCHN;
	default:
		return false;
	}
}

/**
 * irqx_kvm_parse - a user's routing entry into KVM's own form
 * @kvm: the VM
 * @ue: the user's entry; the caller has checked its GSI and padding
 * @e: filled in on success
 * @error: filled in if it fails
 *
 * kvm_set_routing_entry() leaves the checks that kvm_set_irq_routing() and its
 * ioctl make before it to the caller, and does not set type and gsi.
 *
 * Context: may sleep.
 * Return: 0, -EAGAIN without an interrupt controller to route to, -EINVAL for
 * flags that KVM does not take, as irqx_kvm_parse_ppi(), or what
 * kvm_set_routing_entry() answers.
 */
int irqx_kvm_parse(struct kvm *kvm, const struct kvm_irq_routing_entry *ue,
		   struct kvm_kernel_irq_routing_entry *e,
		   struct irqx_error *error)
{
	u32 flags = ue->type == KVM_IRQ_ROUTING_MSI ? KVM_MSI_VALID_DEVID : 0;
	int ret;

	might_sleep();

	ret = irqx_arch_vm_ready(kvm, error);
	if (ret)
		return ret;
	if (ue->flags & ~flags)
		return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_FLAGS,
				   IRQX_REASON_UNKNOWN_FLAG);
	ret = irqx_arch_check_entry(ue, error);
	if (ret)
		return ret;

	memset(e, 0, sizeof(*e));
	e->gsi = ue->gsi;
	e->type = ue->type;
	if (ue->type == KVM_IRQX_ROUTING_PPI)
		return irqx_kvm_parse_ppi(kvm, ue, e, error);
	ret = static_call(irqx_kvm_set_routing_entry)(kvm, e, ue);
	if (!ret)
		return 0;
	if (!type_is_known(ue->type))
		return irqx_reject(error, ret, IRQX_ARG_ENTRY_TYPE,
				   IRQX_REASON_UNKNOWN_VALUE);
	return irqx_reject(error, ret, IRQX_ARG_ENTRY_U,
			   IRQX_REASON_KVM_REFUSES);
}

/**
 * irqx_kvm_unparse - KVM's form of an entry back into the user's
 * @e: from irqx_kvm_parse(), or of ours
 * @ue: filled in; zero before
 *
 * But for the device ID of an MSI on x86, which KVM does not keep.
 *
 * Context: any.
 */
void irqx_kvm_unparse(const struct kvm_kernel_irq_routing_entry *e,
		      struct kvm_irq_routing_entry *ue)
{
	ue->gsi = e->gsi;
	ue->type = e->type;
	switch (e->type) {
	case KVM_IRQ_ROUTING_MSI:
		ue->flags = e->msi.flags;
		ue->u.msi.address_lo = e->msi.address_lo;
		ue->u.msi.address_hi = e->msi.address_hi;
		ue->u.msi.data = e->msi.data;
		ue->u.msi.devid = e->msi.devid;
		break;
	case KVM_IRQ_ROUTING_HV_SINT:
		ue->u.hv_sint.vcpu = e->hv_sint.vcpu;
		ue->u.hv_sint.sint = e->hv_sint.sint;
		break;
	case KVM_IRQ_ROUTING_XEN_EVTCHN:
		ue->u.xen_evtchn.port = e->xen_evtchn.port;
		ue->u.xen_evtchn.vcpu = e->xen_evtchn.vcpu_id;
		ue->u.xen_evtchn.priority = e->xen_evtchn.priority;
		break;
	case KVM_IRQ_ROUTING_IRQCHIP:
		ue->u.irqchip.irqchip = e->irqchip.irqchip;
		ue->u.irqchip.pin = irqx_arch_user_pin(e->irqchip.irqchip, e->irqchip.pin);
		break;
	default:
		/* Ours have in both forms the same. */
		ue->u.irqchip.irqchip = e->irqchip.irqchip;
		ue->u.irqchip.pin = e->irqchip.pin;
	}
}

/**
 * irqx_kvm_inject - raise an interrupt, sleeping if it must
 * @kvm: the VM
 * @source_id: from irqx_kvm_get_source_id()
 * @e: the entry; neither a pin nor a PPI
 *
 * Context: may sleep.
 * Return: as kvm_set_irq().
 */
int irqx_kvm_inject(struct kvm *kvm, int source_id,
		    struct kvm_kernel_irq_routing_entry *e)
{
	int ret;

	might_sleep();

	if (!irqx_arch_entry_needs_mm(e))
		return e->set(e, kvm, source_id, 1, false);

	/*
	 * KVM looks up guest memory for this one, in the VM's mm or, on a
	 * kernel thread, after borrowing it.  It must not be dead by then, and
	 * another process has no business here (KVM warns).
	 */
	if (current->mm && current->mm != kvm->mm)
		return irqx_kvm_inject_atomic(e, kvm, source_id);
	if (!irqx_arch_memory_named(kvm))
		return -EINVAL;
	if (!mmget_not_zero(kvm->mm))
		return -ESRCH;
	ret = e->set(e, kvm, source_id, 1, false);
	mmput(kvm->mm);
	return ret;
}

/**
 * irqx_kvm_set_pin - set the level of a pin
 * @kvm: the VM
 * @source_id: from irqx_kvm_get_source_id()
 * @e: the pin
 * @level: 1 or 0
 * @line_status: as KVM_IRQ_LINE_STATUS: whether the RTC's interrupt has coalesced
 *
 * Context: any if irqx_arch_pins_are_atomic(), and to lower it if
 * irqx_arch_pins_are_raw().  Else it does not sleep, but takes the spinlocks of KVM's
 * IOAPIC and PIC, which are not safe against interrupts, or waits for other CPUs:
 * neither from an interrupt handler nor with a lock held that one may want.
 * Return: as kvm_set_irq().
 */
int irqx_kvm_set_pin(struct kvm *kvm, int source_id,
		     struct kvm_kernel_irq_routing_entry *e, int level,
		     bool line_status)
{
	return irqx_arch_result(e->set(e, kvm, source_id, level, line_status));
}

/* Context: any.  Return: the vCPU that this thread has loaded, or NULL. */
struct kvm_vcpu *irqx_kvm_running_vcpu(void)
{
	return static_call(irqx_kvm_get_running_vcpu)();
}

/* Context: the vCPU's thread. */
u32 irqx_kvm_vp_index(struct kvm_vcpu *vcpu)
{
	return irqx_arch_vp_index(vcpu);
}

/* Context: kvm->srcu is held for reading. */
struct kvm_memory_slot *irqx_kvm_memslot(struct kvm *kvm, gfn_t gfn)
{
	return static_call(irqx_gfn_to_memslot)(kvm, gfn);
}

/* Context: any, but not from within the wake-up of another eventfd. */
void irqx_eventfd_signal(struct eventfd_ctx *eventfd)
{
	irqx_eventfd_signal_once(eventfd);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Calls into KVM: what a VM file is, what a routing entry means, and the
 * injection itself.
 */
#include <linux/sched/mm.h>

#include "arch/arch.h"
#include "kvm.h"
#include "symbols.h"

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

/**
 * irqx_kvm_parse - a user's routing entry into KVM's own form
 * @kvm: the VM
 * @ue: the user's entry; the caller has checked its GSI and padding
 * @e: filled in on success
 *
 * kvm_set_routing_entry() leaves the checks that kvm_set_irq_routing() and its
 * ioctl make before it to the caller, and does not set type and gsi.
 *
 * Context: may sleep.
 * Return: 0, -EAGAIN without an interrupt controller to route to, -EINVAL for
 * flags that KVM does not take, or what kvm_set_routing_entry() answers.
 */
int irqx_kvm_parse(struct kvm *kvm, const struct kvm_irq_routing_entry *ue,
		   struct kvm_kernel_irq_routing_entry *e)
{
	u32 flags = ue->type == KVM_IRQ_ROUTING_MSI ? KVM_MSI_VALID_DEVID : 0;

	might_sleep();

	if (!irqx_arch_vm_ready(kvm))
		return -EAGAIN;
	if (ue->flags & ~flags)
		return -EINVAL;

	memset(e, 0, sizeof(*e));
	e->gsi = ue->gsi;
	e->type = ue->type;
	return static_call(irqx_kvm_set_routing_entry)(kvm, e, ue);
}

/**
 * irqx_kvm_inject_atomic - raise an interrupt without sleeping
 * @kvm: the VM
 * @source_id: from irqx_kvm_get_source_id()
 * @e: the entry; KVM may cache a vCPU index in it (Xen event channels)
 *
 * Context: any; may be called with interrupts off.
 * Return: -EWOULDBLOCK if it takes irqx_kvm_inject() to do it, else as
 * kvm_set_irq(): negative if ignored, 0 if coalesced, else the number of vCPUs.
 */
int irqx_kvm_inject_atomic(struct kvm *kvm, int source_id,
			   struct kvm_kernel_irq_routing_entry *e)
{
	return static_call(irqx_kvm_arch_set_irq_inatomic)(e, kvm,
							   source_id, 1, false);
}

/**
 * irqx_kvm_inject - set the level of an entry
 * @kvm: the VM
 * @source_id: from irqx_kvm_get_source_id()
 * @e: the entry
 * @level: 1, or 0 which has a meaning for pins only
 *
 * Context: may sleep, takes the locks of KVM's interrupt controllers, some of
 * which are not safe against interrupts: no spinlock held that an interrupt
 * handler could want.
 * Return: as kvm_set_irq().
 */
int irqx_kvm_inject(struct kvm *kvm, int source_id,
		    struct kvm_kernel_irq_routing_entry *e, int level)
{
	int ret;

	might_sleep();

	if (!irqx_arch_entry_needs_mm(e))
		return e->set(e, kvm, source_id, level, false);

	/*
	 * KVM looks up guest memory for this one, in the VM's mm or, on a
	 * kernel thread, after borrowing it.  It must not be dead by then, and
	 * another process has no business here (KVM warns).
	 */
	if (current->mm && current->mm != kvm->mm)
		return irqx_kvm_inject_atomic(kvm, source_id, e);
	if (!mmget_not_zero(kvm->mm))
		return -ESRCH;
	ret = e->set(e, kvm, source_id, level, false);
	mmput(kvm->mm);
	return ret;
}

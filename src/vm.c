// SPDX-License-Identifier: GPL-2.0
/*
 * A KVM VM as all its contexts share it: the references that keep it, and the
 * interrupt source that the module is to it.
 */
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "irqx.h"
#include "arch/arch.h"
#include "kvm/kvm.h"

static DEFINE_MUTEX(vms_lock);
static DEFINE_HASHTABLE(vms, 8);	/* vms_lock; readers: RCU */

/**
 * irqx_vm_find_rcu - the shared object of a VM, if it has one
 * @kvm: the VM
 *
 * Context: any, under RCU (or vms_lock); valid as long as that.
 * Return: the VM, or NULL if no context is attached to it.
 */
struct irqx_vm *irqx_vm_find_rcu(struct kvm *kvm)
{
	struct irqx_vm *vm;

	hash_for_each_possible_rcu(vms, vm, node, (unsigned long)kvm,
				   lockdep_is_held(&vms_lock))
		if (vm->kvm == kvm)
			return vm;
	return NULL;
}

static struct irqx_vm *vm_create(struct kvm *kvm, struct module *owner)
{
	struct irqx_vm *vm;
	int ret;

	lockdep_assert_held(&vms_lock);

	vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);

	/*
	 * A reference to the VM keeps its data, not the code that destroys it:
	 * that is pinned by the VM file alone (from 6.8 on), which userspace
	 * may close.
	 */
	ret = -ENODEV;
	if (!try_module_get(owner))
		goto err_free;
	ret = -EIO;
	if (!kvm_get_kvm_safe(kvm))
		goto err_module;

	ret = irqx_kvm_get_source_id(kvm);
	if (ret < 0)
		goto err_kvm;

	vm->kvm = kvm;
	vm->owner = owner;
	vm->source_id = ret;
	vm->pins_are_atomic = irqx_arch_pins_are_atomic(kvm);
	refcount_set(&vm->refs, 1);
	mutex_init(&vm->lines_lock);
	xa_init_flags(&vm->lines, XA_FLAGS_ACCOUNT);
	spin_lock_init(&vm->plugs_lock);
	spin_lock_init(&vm->line_lock);
	hash_add_rcu(vms, &vm->node, (unsigned long)kvm);
	return vm;

err_kvm:
	kvm_put_kvm(kvm);
err_module:
	module_put(owner);
err_free:
	kfree(vm);
	return ERR_PTR(ret);
}

/**
 * irqx_vm_get - the shared object of a VM, made if this is its first context
 * @file: any open file
 *
 * Context: may sleep, takes vms_lock and kvm->irq_lock.
 * Return: the VM with a reference, ERR_PTR(-EINVAL) if @file is not a VM file,
 * -EPERM for another process's VM without CAP_SYS_ADMIN, -EIO for a dead one,
 * -ENOSPC if KVM has no interrupt source left.
 */
struct irqx_vm *irqx_vm_get(struct file *file)
{
	struct kvm *kvm = irqx_kvm_from_file(file);
	struct irqx_vm *vm;

	if (IS_ERR(kvm))
		return ERR_CAST(kvm);
	if (kvm->mm != current->mm && !capable(CAP_SYS_ADMIN))
		return ERR_PTR(-EPERM);
	if (READ_ONCE(kvm->vm_dead))
		return ERR_PTR(-EIO);

	mutex_lock(&vms_lock);
	vm = irqx_vm_find_rcu(kvm);
	if (vm)
		refcount_inc(&vm->refs);
	else
		vm = vm_create(kvm, file->f_op->owner);
	mutex_unlock(&vms_lock);
	return vm;
}

/**
 * irqx_vm_put - drop a reference
 * @vm: all levels raised through it are low again
 *
 * Context: may sleep; the last reference may destroy the VM, so never from a
 * wake-up, a probe, or with any lock held.
 */
void irqx_vm_put(struct irqx_vm *vm)
{
	struct module *owner = vm->owner;

	might_sleep();

	if (!refcount_dec_and_mutex_lock(&vm->refs, &vms_lock))
		return;
	hash_del_rcu(&vm->node);
	mutex_unlock(&vms_lock);

	/* A probe may have found it a moment ago; it asks only for its lines. */
	if (!xa_empty(&vm->lines)) {
		synchronize_rcu();
		irqx_line_teardown(vm);
	}
	irqx_kvm_put_source_id(vm->kvm, vm->source_id);
	kvm_put_kvm(vm->kvm);
	kfree_rcu(vm, rcu);
	module_put(owner);
}

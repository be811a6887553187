// SPDX-License-Identifier: GPL-2.0
/*
 * A KVM VM as all its contexts share it: the references that keep it, and the
 * interrupt source that the module is to it.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "ack.h"
#include "kvm/kvm.h"
#include "vm.h"

/* Nothing that takes time is done under it: all VMs share it. */
static DEFINE_SPINLOCK(vms_lock);
static DEFINE_HASHTABLE(vms, 8);	/* vms_lock; readers: RCU */

/* Context: any, under RCU or vms_lock; valid as long as that.  Or NULL. */
static struct irqx_vm *vm_find(struct kvm *kvm)
{
	struct irqx_vm *vm;

	hash_for_each_possible_rcu(vms, vm, node, (unsigned long)kvm,
				   lockdep_is_held(&vms_lock))
		if (vm->kvm == kvm)
			return vm;
	return NULL;
}

static void vm_ack(struct kvm *kvm, unsigned long key, enum irqx_ack_how how)
{
	struct irqx_vm *vm = vm_find(kvm);

	if (vm)
		irqx_lines_ack(&vm->lines, key, how);
}

static bool vm_unmasked(struct kvm *kvm, unsigned long key, bool asked)
{
	struct irqx_vm *vm = vm_find(kvm);

	return vm && irqx_lines_unmasked(&vm->lines, key, asked);
}

/* Context: may sleep.  Return: 0, or a negative errno; but for -ENOMEM the log says why. */
int irqx_vm_init(void)
{
	int ret;

	ret = irqx_ack_init(vm_ack);
	return ret ?: irqx_kvm_see_unmasking(vm_unmasked);
}

/* No VM is left. */
void irqx_vm_exit(void)
{
	irqx_kvm_unsee_unmasking();
	irqx_ack_exit();
}

static struct irqx_vm *vm_create(struct kvm *kvm, struct module *owner)
{
	struct irqx_vm *vm;
	int ret;

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
	refcount_set(&vm->refs, 1);
	irqx_lines_init(&vm->lines, kvm, vm->source_id);
	irqx_later_init(&vm->later);
	irqx_bus_init(&vm->bus, kvm);
	return vm;

err_kvm:
	kvm_put_kvm(kvm);
err_module:
	module_put(owner);
err_free:
	kfree(vm);
	return ERR_PTR(ret);
}

/*
 * The rest of a VM that nobody can find, if this is the last who has it.  It may be the last
 * reference to KVM's, so this destroys it.
 */
static void vm_finish(struct irqx_vm *vm)
{
	struct module *owner = vm->owner;

	if (!refcount_dec_and_test(&vm->ends))
		return;
	kvm_put_kvm(vm->kvm);
	irqx_later_destroy(&vm->later);
	kfree_rcu(vm, rcu);
	module_put(owner);
}

static void pager_finish(struct irqx_later *later)
{
	vm_finish(container_of(later, struct irqx_vm, later));
}

static void bus_finish(struct irqx_bus *bus)
{
	vm_finish(container_of(bus, struct irqx_vm, bus));
}

/*
 * No context any more.  A pager that waits for a page of the guest is left behind with
 * what it needs, and so is who takes the VM's tables off KVM's bus: they end by themselves.
 */
static void vm_end(struct irqx_vm *vm)
{
	irqx_later_flush(&vm->later);
	irqx_lines_teardown(&vm->lines);
	irqx_kvm_put_source_id(vm->kvm, vm->source_id);
	/* This, and those two. */
	refcount_set(&vm->ends, 3);
	if (!irqx_later_stop(&vm->later, pager_finish))
		vm_finish(vm);
	if (!irqx_bus_stop(&vm->bus, bus_finish))
		vm_finish(vm);
	vm_finish(vm);
}

/**
 * irqx_vm_get - the shared object of a VM, made if this is its first context
 * @file: any open file
 *
 * Context: may sleep, takes kvm->irq_lock.
 * Return: the VM with a reference, ERR_PTR(-EINVAL) if @file is not a VM file,
 * -EPERM for another process's VM without CAP_SYS_ADMIN, -EIO for a dead one,
 * -ENODEV if the module that runs it is going away, -ENOSPC if KVM has no interrupt
 * source left.
 */
struct irqx_vm *irqx_vm_get(struct file *file)
{
	struct kvm *kvm = irqx_kvm_from_file(file);
	struct irqx_vm *vm, *created;

	if (IS_ERR(kvm))
		return ERR_CAST(kvm);
	if (kvm->mm != current->mm && !capable(CAP_SYS_ADMIN))
		return ERR_PTR(-EPERM);
	if (READ_ONCE(kvm->vm_dead))
		return ERR_PTR(-EIO);

	spin_lock(&vms_lock);
	vm = vm_find(kvm);
	if (vm)
		refcount_inc(&vm->refs);
	spin_unlock(&vms_lock);
	if (vm)
		return vm;

	created = vm_create(kvm, file->f_op->owner);
	if (IS_ERR(created))
		return created;
	spin_lock(&vms_lock);
	vm = vm_find(kvm);
	if (vm)
		refcount_inc(&vm->refs);
	else
		hash_add_rcu(vms, &created->node, (unsigned long)kvm);
	spin_unlock(&vms_lock);
	if (!vm)
		return created;
	vm_end(created);
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
	bool last;

	might_sleep();

	/* refcount_dec_and_lock() would do, but sparse does not see through it. */
	if (refcount_dec_not_one(&vm->refs))
		return;
	spin_lock(&vms_lock);
	last = refcount_dec_and_test(&vm->refs);
	if (last)
		hash_del_rcu(&vm->node);
	spin_unlock(&vms_lock);
	if (last)
		vm_end(vm);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * One open file: attach to a VM, limits, and the order of the teardown.
 */
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "irqx.h"

unsigned int irqx_max_gsis = 1U << 20;
module_param_named(max_gsis, irqx_max_gsis, uint, 0444);
MODULE_PARM_DESC(max_gsis, "GSIs per context (default 1048576, at most 16777216)");

unsigned int irqx_max_irqfds = 1U << 20;
module_param_named(max_irqfds, irqx_max_irqfds, uint, 0444);
MODULE_PARM_DESC(max_irqfds, "irqfds per context (default 1048576)");

int irqx_context_open(struct inode *inode, struct file *file)
{
	struct irqx_context *ctx;

	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);
	if (!ctx)
		return -ENOMEM;

	ctx->counters = alloc_percpu_gfp(struct irqx_counters,
					 GFP_KERNEL_ACCOUNT);
	if (!ctx->counters) {
		kfree(ctx);
		return -ENOMEM;
	}

	INIT_LIST_HEAD(&ctx->irqfds);
	mutex_init(&ctx->lock);
	init_rwsem(&ctx->settle);
	xa_init_flags(&ctx->gsis, XA_FLAGS_ACCOUNT);
	xa_init_flags(&ctx->vps, XA_FLAGS_ACCOUNT);
	spin_lock_init(&ctx->dead_lock);
	INIT_LIST_HEAD(&ctx->dead);
	INIT_WORK(&ctx->reap, irqx_irqfd_reap);

	file->private_data = ctx;
	return 0;
}

/*
 * The order: no more events (unhook every eventfd), none under way (their
 * deferred work is flushed), no more closed eventfds to reap, lines lowered,
 * then the VM, which may be the last reference to it.
 */
int irqx_context_release(struct inode *inode, struct file *file)
{
	struct irqx_context *ctx = file->private_data;

	mutex_lock(&ctx->lock);
	irqx_irqfd_teardown(ctx);
	mutex_unlock(&ctx->lock);

	/* It takes the lock, but finds nothing: its sources are unhooked. */
	cancel_work_sync(&ctx->reap);

	irqx_route_teardown(ctx);
	irqx_vp_teardown(ctx);
	if (ctx->vm)
		irqx_vm_put(ctx->vm);
	free_percpu(ctx->counters);
	kfree(ctx);
	return 0;
}

/**
 * irqx_context_lock - take the context's lock, or give up if killed
 * @ctx: the context
 *
 * Context: may sleep.
 * Return: 0 or -EINTR.
 */
int irqx_context_lock(struct irqx_context *ctx)
{
	return mutex_lock_killable(&ctx->lock);
}

/**
 * irqx_context_attach - choose the VM of a context
 * @ctx: the context
 * @vm_fd: the VM
 *
 * Context: may sleep, takes the context's lock.
 * Return: 0, -EBUSY if attached already, -EBADF, or as irqx_vm_get().
 */
int irqx_context_attach(struct irqx_context *ctx, int vm_fd)
{
	struct irqx_vm *vm;
	struct file *file;
	int ret;

	file = fget(vm_fd);
	if (!file)
		return -EBADF;

	ret = irqx_context_lock(ctx);
	if (ret)
		goto out_file;

	ret = -EBUSY;
	if (ctx->vm)
		goto out_unlock;

	vm = irqx_vm_get(file);
	ret = PTR_ERR_OR_ZERO(vm);
	if (!ret)
		/* Pairs with the acquire in irqx_context_check(). */
		smp_store_release(&ctx->vm, vm);

out_unlock:
	mutex_unlock(&ctx->lock);
out_file:
	fput(file);
	return ret;
}

/**
 * irqx_context_check - may the caller work on this context?
 * @ctx: the context
 *
 * KVM's own rule: a VM belongs to the mm that made it, so that a passed or
 * inherited descriptor is no way into it.
 *
 * Context: any process context.
 * Return: 0, -ENOTCONN, -EPERM or -EIO.
 */
int irqx_context_check(struct irqx_context *ctx)
{
	/* Pairs with the release in irqx_context_attach(). */
	struct irqx_vm *vm = smp_load_acquire(&ctx->vm);

	if (!vm)
		return -ENOTCONN;
	if (vm->kvm->mm != current->mm && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (READ_ONCE(vm->kvm->vm_dead))
		return -EIO;
	return 0;
}

/* Context: the context's lock is held.  Events under way may be half counted. */
void irqx_context_stats(struct irqx_context *ctx, struct kvm_irqx_stats *stats)
{
	int cpu;

	lockdep_assert_held(&ctx->lock);

	for_each_possible_cpu(cpu) {
		struct irqx_counters *c = per_cpu_ptr(ctx->counters, cpu);

		u64 atomic = READ_ONCE(c->atomic);

		stats->events += READ_ONCE(c->passed_on) + atomic;
		stats->atomic += atomic;
		stats->deferred += READ_ONCE(c->deferred);
		stats->unrouted += READ_ONCE(c->unrouted);
		stats->coalesced += READ_ONCE(c->coalesced);
		stats->refused += READ_ONCE(c->refused);
	}
	stats->irqfds = ctx->nr_irqfds;
	stats->gsis = ctx->nr_gsis;
}

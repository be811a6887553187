// SPDX-License-Identifier: GPL-2.0
/*
 * One open file: attach to a VM, limits, and the order of the teardown.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "context.h"
#include "error.h"
#include "export.h"
#include "irqfd.h"
#include "route.h"
#include "synic.h"
#include "table.h"
#include "vm.h"
#include "work.h"

unsigned int irqx_max_gsis = 1U << 20;
module_param_named(max_gsis, irqx_max_gsis, uint, 0444);
MODULE_PARM_DESC(max_gsis, "GSIs per context (default 1048576, at most 16777216)");

unsigned int irqx_max_irqfds = 1U << 20;
module_param_named(max_irqfds, irqx_max_irqfds, uint, 0444);
MODULE_PARM_DESC(max_irqfds, "irqfds per context (default 1048576, at most 16777216)");

static int __init check_limit(const char *name, unsigned int *value,
			      unsigned int limit)
{
	if (!*value) {
		pr_err("%s=0 is refused: 1 to %u\n", name, limit);
		return -EINVAL;
	}
	if (*value > limit) {
		pr_warn("%s=%u is more than %u, which is taken\n", name, *value,
			limit);
		*value = limit;
	}
	return 0;
}

/* Checks the parameters.  Return: 0, or -EINVAL with a line in the log. */
int __init irqx_context_init(void)
{
	int ret;

	ret = check_limit("max_gsis", &irqx_max_gsis, IRQX_GSIS_LIMIT);
	if (ret)
		return ret;
	return check_limit("max_irqfds", &irqx_max_irqfds, IRQX_IRQFDS_LIMIT);
}

/* Nobody waits: who is told of an EOI meanwhile has the last reference. */
static void leave_behind(struct irqx_leave *leave)
{
	struct irqx_source *source;
	struct hlist_node *next;

	hlist_for_each_entry_safe(source, next, &leave->sources, node) {
		hlist_del(&source->node);
		irqx_source_put(source);
	}
}

static struct irqx_irqfd *context_next_dead(struct irqx_context *ctx)
{
	unsigned long id = 0;

	return xa_find(&ctx->delivery.irqfds, &id, ULONG_MAX, IRQX_IRQFD_DEAD);
}

/*
 * Removes the irqfds whose eventfd was closed.  All VMs share the workers, so it does
 * not wait for the lock: irqx_context_unlock() queues it again.
 */
static void context_reap(struct work_struct *work)
{
	struct irqx_context *ctx =
		container_of(work, struct irqx_context, delivery.reap);
	struct irqx_leave leave = {};
	struct irqx_irqfd *irqfd;

	if (!mutex_trylock(&ctx->lock))
		return;
	while ((irqfd = context_next_dead(ctx))) {
		irqx_route_remove_irqfd(ctx, irqfd, &leave);
		cond_resched();
	}
	mutex_unlock(&ctx->lock);
	leave_behind(&leave);
}

static struct lock_class_key irqfds_lock_key;

int irqx_context_open(struct inode *inode, struct file *file)
{
	struct irqx_context *ctx;

	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);
	if (!ctx)
		return -ENOMEM;

	ctx->delivery.counters = alloc_percpu_gfp(struct irqx_counters,
						  GFP_KERNEL_ACCOUNT);
	if (!ctx->delivery.counters) {
		kfree(ctx);
		return -ENOMEM;
	}

	refcount_set(&ctx->refs, 1);
	INIT_LIST_HEAD(&ctx->sources);
	mutex_init(&ctx->lock);
	xa_init_flags(&ctx->gsis, XA_FLAGS_ACCOUNT);
	xa_init_flags(&ctx->vps, XA_FLAGS_ACCOUNT);
	xa_init_flags(&ctx->tables, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	xa_init_flags(&ctx->staged_resamplers, XA_FLAGS_ACCOUNT);
	xa_init_flags(&ctx->delivery.irqfds, XA_FLAGS_LOCK_IRQ | XA_FLAGS_ACCOUNT);
	/* The locks of the others are taken with interrupts on. */
	lockdep_set_class(&ctx->delivery.irqfds.xa_lock, &irqfds_lock_key);
	INIT_WORK(&ctx->delivery.reap, context_reap);

	file->private_data = ctx;
	return 0;
}

/* Nothing leads to them any more. */
static void context_end_tables(struct irqx_context *ctx)
{
	struct irqx_leave leave = {};

	mutex_lock(&ctx->lock);
	irqx_table_teardown(ctx, &leave);
	mutex_unlock(&ctx->lock);
	if (leave.begun)
		irqx_leave_finish_prompt(ctx->vm, &leave);
}

/* The last reference frees it.  Context: may sleep. */
void irqx_context_put(struct irqx_context *ctx)
{
	if (!refcount_dec_and_test(&ctx->refs))
		return;
	free_percpu(ctx->delivery.counters);
	kfree(ctx);
}

/* Context: the file stays.  Return: its context, or ERR_PTR(-EINVAL). */
struct irqx_context *irqx_context_from_file(struct file *file)
{
	if (file->f_op->release != irqx_context_release)
		return ERR_PTR(-EINVAL);
	return file->private_data;
}

/*
 * The order: no more events (of modules of the host, then unhook every eventfd), no more closed
 * eventfds to reap, lines lowered, tables answered no more, then the VM, which may be the last
 * reference to it.  An injection that waits for a page is left behind with the VM; it knows
 * nothing of the context.
 */
int irqx_context_release(struct inode *inode, struct file *file)
{
	struct irqx_context *ctx = file->private_data;
	struct irqx_leave leave = {};
	struct irqx_irqfd *irqfd;
	unsigned long id;

	/* The reaper may have it, or a module of the host: they wait for nobody. */
	mutex_lock(&ctx->lock);
	ctx->closed = true;
	irqx_export_teardown(ctx, &leave);
	xa_for_each(&ctx->delivery.irqfds, id, irqfd) {
		irqx_route_remove_irqfd(ctx, irqfd, &leave);
		cond_resched();
	}
	mutex_unlock(&ctx->lock);
	leave_behind(&leave);
	if (leave.begun)
		irqx_leave_finish_prompt(ctx->vm, &leave);

	/* It takes the lock, but finds nothing: its sources are unhooked. */
	cancel_work_sync(&ctx->delivery.reap);

	irqx_route_teardown(ctx);
	context_end_tables(ctx);
	irqx_vp_teardown(ctx);
	if (ctx->vm)
		irqx_vm_put(ctx->vm);
	irqx_context_put(ctx);
	return 0;
}

/* Context: any. */
void irqx_context_queue_reaper(struct irqx_context *ctx)
{
	queue_work(irqx_long_wq, &ctx->delivery.reap);
}

/**
 * irqx_context_unlock_and_wait - the end of a call that has changed or removed targets
 * @ctx: the context, locked
 * @leave: what was under way then
 *
 * Context: may sleep.
 * Return: as irqx_leave_wait().
 */
int irqx_context_unlock_and_wait(struct irqx_context *ctx,
				 struct irqx_leave *leave)
{
	irqx_context_unlock(ctx);
	return irqx_leave_wait(ctx->vm, leave);
}

/**
 * irqx_context_deassign - undo a binding
 * @ctx: the context, locked
 * @fd: the eventfd
 * @gsi: to be bound to this one, as KVM demands, or NULL: in whichever way
 * @leave: as irqx_irqfd_remove()
 * @error: filled in if it fails, or if there is nothing to undo
 *
 * Context: may sleep.
 * Return: 0, also if the eventfd is not bound; -EBADF or -EINVAL if @fd is not
 * an eventfd.
 */
int irqx_context_deassign(struct irqx_context *ctx, int fd, const u32 *gsi,
			  struct irqx_leave *leave, struct irqx_error *error)
{
	struct irqx_irqfd *irqfd = irqx_irqfd_find(ctx, fd);

	if (irqfd == ERR_PTR(-ENOENT))
		return irqx_reject(error, 0, IRQX_ARG_FD, IRQX_REASON_NOT_BOUND);
	if (IS_ERR(irqfd))
		return irqx_reject_fd(error, PTR_ERR(irqfd), IRQX_ARG_FD);

	if (gsi && (irqx_irqfd_is_direct(irqfd) ||
		    irqfd->target->to.one.gsi != *gsi))
		return irqx_reject(error, 0, IRQX_ARG_FD, IRQX_REASON_NOT_BOUND);
	irqx_route_remove_irqfd(ctx, irqfd, leave);
	return 0;
}

/**
 * irqx_context_attach - choose the VM of a context
 * @ctx: the context
 * @vm_fd: the VM
 * @error: filled in if it fails
 *
 * Context: may sleep, takes the context's lock.
 * Return: 0, -EBUSY if attached already, -EBADF, or as irqx_vm_get().
 */
int irqx_context_attach(struct irqx_context *ctx, int vm_fd,
			struct irqx_error *error)
{
	struct irqx_vm *vm;
	struct file *file;
	int ret;

	file = fget(vm_fd);
	if (!file)
		return irqx_reject(error, -EBADF, IRQX_ARG_VM_FD,
				   IRQX_REASON_NOT_OPEN);

	ret = irqx_context_lock(ctx);
	if (ret)
		goto out_file;

	if (ctx->vm) {
		ret = irqx_reject(error, -EBUSY, IRQX_ARG_CONTEXT,
				  IRQX_REASON_ATTACHED);
		goto out_unlock;
	}

	vm = irqx_vm_get(file);
	ret = irqx_reject_vm(error, PTR_ERR_OR_ZERO(vm));
	if (!ret) {
		ctx->delivery.vm = vm;
		/* Pairs with the acquire in irqx_context_check(). */
		smp_store_release(&ctx->vm, vm);
	}

out_unlock:
	irqx_context_unlock(ctx);
out_file:
	fput(file);
	return ret;
}

static noinline int context_refuse(const struct irqx_vm *vm, struct irqx_error *error)
{
	if (!vm)
		return irqx_reject(error, -ENOTCONN, IRQX_ARG_CONTEXT,
				   IRQX_REASON_NOT_ATTACHED);
	if (vm->kvm->mm != current->mm && !capable(CAP_SYS_ADMIN))
		return irqx_reject(error, -EPERM, IRQX_ARG_CONTEXT,
				   IRQX_REASON_OTHER_PROCESS);
	if (READ_ONCE(vm->kvm->vm_dead))
		return irqx_reject(error, -EIO, IRQX_ARG_CONTEXT,
				   IRQX_REASON_VM_DEAD);
	return 0;
}

/**
 * irqx_context_check - may the caller work on this context?
 * @ctx: the context
 * @error: filled in if not
 *
 * KVM's own rule: a VM belongs to the mm that made it, so that a passed or
 * inherited descriptor is no way into it.
 *
 * Context: any process context.
 * Return: 0, -ENOTCONN, -EPERM or -EIO.
 */
int irqx_context_check(struct irqx_context *ctx, struct irqx_error *error)
{
	/* Pairs with the release in irqx_context_attach(). */
	const struct irqx_vm *vm = smp_load_acquire(&ctx->vm);

	if (likely(vm && vm->kvm->mm == current->mm && !READ_ONCE(vm->kvm->vm_dead)))
		return 0;
	return context_refuse(vm, error);
}

/* Context: the context's lock is held.  Events under way may be half counted. */
void irqx_context_stats(struct irqx_context *ctx, struct kvm_irqx_stats *stats)
{
	int cpu;

	lockdep_assert_held(&ctx->lock);

	for_each_possible_cpu(cpu) {
		struct irqx_counters *c = per_cpu_ptr(ctx->delivery.counters, cpu);

		u64 atomic = READ_ONCE(c->atomic);

		stats->events += READ_ONCE(c->not_inline) + atomic;
		stats->atomic += atomic;
		stats->deferred += READ_ONCE(c->deferred);
		stats->unrouted += READ_ONCE(c->unrouted);
	}
	/* Pairs with count_deferred(): what has been delivered has its result. */
	smp_rmb();
	for_each_possible_cpu(cpu) {
		struct irqx_counters *c = per_cpu_ptr(ctx->delivery.counters, cpu);

		stats->coalesced += READ_ONCE(c->coalesced);
		stats->refused += READ_ONCE(c->refused);
	}
	stats->irqfds = ctx->nr_irqfds;
	stats->gsis = ctx->nr_gsis;
	stats->undeliverable = ctx->undeliverable;
	irqx_table_stats(ctx, stats);
}

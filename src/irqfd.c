// SPDX-License-Identifier: GPL-2.0
/*
 * The eventfd side that direct bindings and GSIs share: hook into the eventfd,
 * wake up, deliver, unhook.  With kvm/inject.c, the whole way of an event.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "irqx.h"
#include "kvm/compat.h"
#include "kvm/kvm.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

#define irqx_count(ctx, counter)	this_cpu_inc((ctx)->counters->counter)

static struct kmem_cache *irqfd_cache;

static const struct rhashtable_params irqfd_params = {
	.key_len		= sizeof_field(struct irqx_irqfd, eventfd),
	.key_offset		= offsetof(struct irqx_irqfd, eventfd),
	.head_offset		= offsetof(struct irqx_irqfd, node),
	.automatic_shrinking	= true,
};

static void count_result(struct irqx_context *ctx, int ret)
{
	if (ret < 0)
		irqx_count(ctx, refused);
	else if (!ret)
		irqx_count(ctx, coalesced);
}

void irqx_target_init(struct irqx_target *target)
{
	spin_lock_init(&target->lock);
	memset(&target->to, 0, sizeof(target->to));
}

/**
 * irqx_target_swap - send events elsewhere from now on
 * @ctx: the context, locked
 * @target: what to change
 * @entries: the new entries; on return the old ones
 *
 * When it returns, nothing will be delivered by the old entries any more.  In
 * atomic context delivery happens under target->lock; elsewhere, under settle.
 * There is no reader to wait for but one that is in the middle of an injection.
 *
 * Context: may sleep.
 */
void irqx_target_swap(struct irqx_context *ctx, struct irqx_target *target,
		      struct irqx_entries *entries)
{
	lockdep_assert_held(&ctx->lock);

	down_write(&ctx->settle);
	spin_lock_irq(&target->lock);
	swap(target->to, *entries);
	spin_unlock_irq(&target->lock);
	up_write(&ctx->settle);
}

static u32 target_copy(struct irqx_target *target,
		       struct kvm_kernel_irq_routing_entry *e)
{
	u32 nr;

	spin_lock_irq(&target->lock);
	nr = target->to.nr;
	e[0] = target->to.one;
	if (nr > 1)
		memcpy(e + 1, target->to.more, (nr - 1) * sizeof(*e));
	spin_unlock_irq(&target->lock);
	return nr;
}

/**
 * irqx_target_set_level - drive all entries of a target
 * @ctx: the context, locked, so that the entries stay as they are
 * @target: what to drive
 * @level: 1 or 0; 0 means something to pins only
 *
 * Context: may sleep.
 */
void irqx_target_set_level(struct irqx_context *ctx,
			   struct irqx_target *target, int level)
{
	struct kvm_kernel_irq_routing_entry e[KVM_NR_IRQCHIPS];
	u32 i, nr;
	int ret;

	lockdep_assert_held(&ctx->lock);

	nr = target_copy(target, e);
	for (i = 0; i < nr; i++) {
		if (!level && e[i].type != KVM_IRQ_ROUTING_IRQCHIP)
			continue;
		ret = irqx_kvm_inject(ctx->vm->kvm, ctx->vm->source_id, &e[i],
				      level);
		trace_irqx_inject(&e[i], false, level, ret);
	}
}

/* One event, outside atomic context.  settle is held, see there. */
static void target_deliver(struct irqx_context *ctx, struct irqx_target *target)
{
	struct kvm_kernel_irq_routing_entry e[KVM_NR_IRQCHIPS];
	struct irqx_vm *vm = ctx->vm;
	int ret, result = -1;
	u32 i, nr;

	lockdep_assert_held(&ctx->settle);

	nr = target_copy(target, e);
	if (!nr) {
		irqx_count(ctx, unrouted);
		return;
	}

	for (i = 0; i < nr; i++) {
		ret = irqx_kvm_inject(vm->kvm, vm->source_id, &e[i], 1);
		trace_irqx_inject(&e[i], false, 1, ret);
		if (e[i].type == KVM_IRQ_ROUTING_IRQCHIP)
			irqx_kvm_inject(vm->kvm, vm->source_id, &e[i], 0);
		result = max(result, ret);
	}
	irqx_count(ctx, deferred);
	count_result(ctx, result);
}

static void irqfd_inject(struct work_struct *work)
{
	struct irqx_irqfd *irqfd = container_of(work, struct irqx_irqfd, inject);
	struct irqx_context *ctx = irqfd->ctx;
	int n = atomic_xchg(&irqfd->pending, 0);

	while (n--) {
		down_read(&ctx->settle);
		target_deliver(ctx, irqfd->target);
		up_read(&ctx->settle);
		cond_resched();
	}
}

/*
 * One event.  The eventfd's wqh.lock is held and, but on PREEMPT_RT, interrupts
 * are off: the writer may be an interrupt handler.
 */
static void irqfd_event(struct irqx_irqfd *irqfd)
{
	struct irqx_target *target = irqfd->target;
	struct irqx_context *ctx = irqfd->ctx;
	struct irqx_vm *vm = ctx->vm;
	int ret = -EWOULDBLOCK;
	u32 nr;

	lockdep_assert_held(&irqfd->wqh->lock);

	irqx_count(ctx, events);

	spin_lock(&target->lock);
	nr = target->to.nr;
	if (nr == 1) {
		ret = irqx_kvm_inject_atomic(vm->kvm, vm->source_id,
					     &target->to.one);
		if (ret != -EWOULDBLOCK)
			trace_irqx_inject(&target->to.one, true, 1, ret);
	}
	spin_unlock(&target->lock);

	if (!nr) {
		irqx_count(ctx, unrouted);
	} else if (ret == -EWOULDBLOCK) {
		atomic_inc(&irqfd->pending);
		queue_work(irqx_wq, &irqfd->inject);
	} else {
		irqx_count(ctx, atomic);
		count_result(ctx, ret);
	}
}

static int irqfd_wakeup(struct wait_queue_entry *wait, unsigned int mode,
			int sync, void *key)
{
	struct irqx_irqfd *irqfd = container_of(wait, struct irqx_irqfd, wait);
	struct irqx_context *ctx = irqfd->ctx;
	__poll_t events = key_to_poll(key);
	unsigned long flags;
	u64 count;

	if (events & EPOLLIN) {
		eventfd_ctx_do_read(irqfd->eventfd, &count);
		trace_irqx_wakeup(irqfd->eventfd, count);
		irqfd_event(irqfd);
	}

	/* The last close.  Unhooking takes this very lock, so not from here. */
	if (events & EPOLLHUP) {
		spin_lock_irqsave(&ctx->dead_lock, flags);
		if (list_empty(&irqfd->dead))
			list_add_tail(&irqfd->dead, &ctx->dead);
		spin_unlock_irqrestore(&ctx->dead_lock, flags);
		queue_work(system_unbound_wq, &ctx->reap);
	}

	/* An event is consumed: nobody else who waits needs to see it. */
	return !!(events & EPOLLIN);
}

struct irqfd_hook {
	struct poll_table_struct pt;
	struct irqx_irqfd *irqfd;
	int ret;
};

static void irqfd_hook(struct file *file, struct wait_queue_head *wqh,
		       struct poll_table_struct *pt)
{
	struct irqfd_hook *hook = container_of(pt, struct irqfd_hook, pt);

	hook->irqfd->wqh = wqh;
	hook->ret = irqx_add_wait_queue_priority_exclusive(wqh,
							   &hook->irqfd->wait);
}

/* Events from before the binding are one event. */
static void irqfd_catch_up(struct irqx_irqfd *irqfd)
{
	u64 count;

	spin_lock_irq(&irqfd->wqh->lock);
	eventfd_ctx_do_read(irqfd->eventfd, &count);
	if (count) {
		trace_irqx_wakeup(irqfd->eventfd, count);
		irqfd_event(irqfd);
	}
	spin_unlock_irq(&irqfd->wqh->lock);

	/* A writer may have waited for room in the counter. */
	if (count)
		wake_up_poll(irqfd->wqh, EPOLLOUT);
}

/* No events after this, and those before it are delivered. */
static void irqfd_unhook(struct irqx_irqfd *irqfd)
{
	struct irqx_context *ctx = irqfd->ctx;

	remove_wait_queue(irqfd->wqh, &irqfd->wait);
	flush_work(&irqfd->inject);

	spin_lock_irq(&ctx->dead_lock);
	list_del_init(&irqfd->dead);
	spin_unlock_irq(&ctx->dead_lock);
}

/* Everything but the hash, which the callers empty in different ways. */
static void irqfd_destroy(struct irqx_irqfd *irqfd)
{
	struct irqx_context *ctx = irqfd->ctx;

	lockdep_assert_held(&ctx->lock);

	irqfd_unhook(irqfd);
	trace_irqx_deassign(irqfd->eventfd, irqfd->target->to.one.gsi,
			    irqx_irqfd_is_direct(irqfd));
	eventfd_ctx_put(irqfd->eventfd);
	if (!irqx_irqfd_is_direct(irqfd))
		irqx_route_unassign(ctx, irqfd->target);
	ctx->nr_irqfds--;
	irqx_irqfd_free(irqfd);
}

static void irqfd_remove(struct irqx_irqfd *irqfd)
{
	rhashtable_remove_fast(&irqfd->ctx->irqfds, &irqfd->node, irqfd_params);
	irqfd_destroy(irqfd);
}

static struct irqx_irqfd *irqfd_next_dead(struct irqx_context *ctx)
{
	struct irqx_irqfd *irqfd;

	spin_lock_irq(&ctx->dead_lock);
	irqfd = list_first_entry_or_null(&ctx->dead, struct irqx_irqfd, dead);
	spin_unlock_irq(&ctx->dead_lock);
	return irqfd;
}

/* Removes the irqfds whose eventfd was closed. */
void irqx_irqfd_reap(struct work_struct *work)
{
	struct irqx_context *ctx = container_of(work, struct irqx_context, reap);
	struct irqx_irqfd *irqfd;

	mutex_lock(&ctx->lock);
	while ((irqfd = irqfd_next_dead(ctx))) {
		irqfd_remove(irqfd);
		cond_resched();
	}
	mutex_unlock(&ctx->lock);
}

/* Return: an irqfd without eventfd or target, or NULL. */
struct irqx_irqfd *irqx_irqfd_alloc(struct irqx_context *ctx)
{
	struct irqx_irqfd *irqfd;

	irqfd = kmem_cache_zalloc(irqfd_cache, GFP_KERNEL_ACCOUNT);
	if (!irqfd)
		return NULL;

	irqfd->ctx = ctx;
	init_waitqueue_func_entry(&irqfd->wait, irqfd_wakeup);
	INIT_LIST_HEAD(&irqfd->dead);
	INIT_WORK(&irqfd->inject, irqfd_inject);
	irqx_target_init(&irqfd->own);
	return irqfd;
}

void irqx_irqfd_free(struct irqx_irqfd *irqfd)
{
	kmem_cache_free(irqfd_cache, irqfd);
}

/**
 * irqx_irqfd_bind - make an eventfd's events go to a target
 * @irqfd: fresh from irqx_irqfd_alloc(); the caller frees it if this fails
 * @target: its own, filled in, or that of a GSI
 * @fd: the eventfd
 *
 * Context: may sleep, the context's lock is held.
 * Return: 0, -EBADF, -EINVAL if @fd is not an eventfd, -EBUSY if it is bound
 * already, -ENOSPC at the limit, -ENOMEM.
 */
int irqx_irqfd_bind(struct irqx_irqfd *irqfd, struct irqx_target *target,
		    int fd)
{
	struct irqx_context *ctx = irqfd->ctx;
	struct irqfd_hook hook = { .irqfd = irqfd };
	struct file *file;
	int ret;

	lockdep_assert_held(&ctx->lock);

	/* Held to the end, else the eventfd's last close could come midway. */
	file = fget(fd);
	if (!file)
		return -EBADF;

	irqfd->eventfd = eventfd_ctx_fileget(file);
	if (IS_ERR(irqfd->eventfd)) {
		ret = PTR_ERR(irqfd->eventfd);
		goto out_file;
	}

	ret = -ENOSPC;
	if (ctx->nr_irqfds >= irqx_max_irqfds)
		goto err_eventfd;

	irqfd->target = target;
	ret = rhashtable_insert_fast(&ctx->irqfds, &irqfd->node, irqfd_params);
	if (ret)
		goto err_eventfd;

	init_poll_funcptr(&hook.pt, irqfd_hook);
	vfs_poll(file, &hook.pt);
	ret = hook.ret;
	if (ret)
		goto err_hash;

	ctx->nr_irqfds++;
	trace_irqx_assign(irqfd->eventfd, &target->to.one,
			  irqx_irqfd_is_direct(irqfd));
	irqfd_catch_up(irqfd);
	goto out_file;

err_hash:
	rhashtable_remove_fast(&ctx->irqfds, &irqfd->node, irqfd_params);
err_eventfd:
	eventfd_ctx_put(irqfd->eventfd);
out_file:
	fput(file);
	return ret;
}

/**
 * irqx_irqfd_find - the binding of an eventfd in this context
 * @ctx: the context, locked
 * @fd: the eventfd
 *
 * Context: process context.
 * Return: the irqfd, ERR_PTR(-ENOENT) if there is none, -EBADF or -EINVAL if
 * @fd is not an eventfd.
 */
struct irqx_irqfd *irqx_irqfd_find(struct irqx_context *ctx, int fd)
{
	struct eventfd_ctx *eventfd;
	struct irqx_irqfd *irqfd;

	lockdep_assert_held(&ctx->lock);

	eventfd = eventfd_ctx_fdget(fd);
	if (IS_ERR(eventfd))
		return ERR_CAST(eventfd);

	irqfd = rhashtable_lookup_fast(&ctx->irqfds, &eventfd, irqfd_params);
	/* A binding has a reference of its own. */
	eventfd_ctx_put(eventfd);
	return irqfd ?: ERR_PTR(-ENOENT);
}

/**
 * irqx_irqfd_deassign - undo a binding
 * @ctx: the context, locked
 * @fd: the eventfd, bound in whichever way
 *
 * Context: may sleep.
 * Return: 0, also if the eventfd is not bound; -EBADF or -EINVAL if @fd is not
 * an eventfd.
 */
int irqx_irqfd_deassign(struct irqx_context *ctx, int fd)
{
	struct irqx_irqfd *irqfd = irqx_irqfd_find(ctx, fd);

	if (irqfd == ERR_PTR(-ENOENT))
		return 0;
	if (IS_ERR(irqfd))
		return PTR_ERR(irqfd);

	irqfd_remove(irqfd);
	return 0;
}

int irqx_irqfd_setup(struct irqx_context *ctx)
{
	return rhashtable_init(&ctx->irqfds, &irqfd_params);
}

static void irqfd_teardown_one(void *irqfd, void *arg)
{
	irqfd_destroy(irqfd);
}

/* Context: may sleep, the context's lock is held and its last user is gone. */
void irqx_irqfd_teardown(struct irqx_context *ctx)
{
	lockdep_assert_held(&ctx->lock);

	rhashtable_free_and_destroy(&ctx->irqfds, irqfd_teardown_one, NULL);
}

int irqx_irqfd_init(void)
{
	irqfd_cache = KMEM_CACHE(irqx_irqfd, SLAB_ACCOUNT);
	return irqfd_cache ? 0 : -ENOMEM;
}

void irqx_irqfd_exit(void)
{
	kmem_cache_destroy(irqfd_cache);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Binding an eventfd to a target, which direct bindings and GSIs share, and unbinding it.
 * What a bound eventfd does when it is signalled is in deliver.c.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "context.h"
#include "irqfd.h"
#include "kvm/compat.h"
#include "kvm/kvm.h"
#include "trace.h"
#include "vm.h"

static struct kmem_cache *irqfd_cache;

static struct irqx_context *irqfd_context(const struct irqx_irqfd *irqfd)
{
	return container_of(irqfd->own.delivery, struct irqx_context, delivery);
}

/* Of its eventfd; set when it is hooked there. */
static struct wait_queue_head *irqfd_wqh(const struct irqx_irqfd *irqfd)
{
	return container_of(irqfd->own.sleeping_lock, struct wait_queue_head, lock);
}

/* Bound, but for events to be taken: they stay in the eventfd. */
static int irqfd_wakeup_reserved(struct wait_queue_entry *wait,
				 unsigned int mode, int sync, void *key)
{
	if (key_to_poll(key) & EPOLLHUP)
		irqx_deliver_closed(container_of(wait, struct irqx_irqfd, wait));
	return 0;
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

	hook->irqfd->own.sleeping_lock = &wqh->lock;
	hook->ret = irqx_add_wait_queue_priority_exclusive(wqh,
							   &hook->irqfd->wait);
}

/* No events after this. */
static void irqfd_unhook(struct irqx_irqfd *irqfd)
{
	remove_wait_queue(irqfd_wqh(irqfd), &irqfd->wait);
}

/* What irqfd_enter() has done. */
static void irqfd_leave(struct irqx_irqfd *irqfd)
{
	struct irqx_context *ctx = irqfd_context(irqfd);

	lockdep_assert_held(&ctx->lock);

	ctx->nr_irqfds--;
	xa_erase_irq(&ctx->delivery.irqfds, irqfd->id);
	eventfd_ctx_put(irqfd->eventfd);
}

/**
 * irqx_irqfd_remove - undo a binding
 * @irqfd: bound; it is freed
 * @last: its target has no other
 * @leave: what irqx_leave_wait() has to wait for
 *
 * No event comes any more.  One that waits goes back into the eventfd; at a masked target,
 * into the last one.  What has begun is noted in @leave.
 *
 * Context: may sleep, for a moment as irqx_target_retire(); the context's lock is held.
 */
void irqx_irqfd_remove(struct irqx_irqfd *irqfd, bool last,
		       struct irqx_leave *leave)
{
	struct irqx_source *source = irqfd->source;
	struct eventfd_ctx *eventfd = irqfd->eventfd;
	bool waited;

	lockdep_assert_held(&irqfd_context(irqfd)->lock);

	irqfd_unhook(irqfd);
	waited = irqx_deliver_take_back(irqfd, last);
	if (source)
		waited |= irqx_target_unplug(source);
	if (waited)
		irqx_eventfd_signal(eventfd);
	if (irqx_irqfd_is_direct(irqfd))
		irqx_target_retire(&irqfd->own, leave);
	else
		irqx_target_note(irqfd->target, leave);
	trace_irqx_deassign(eventfd, irqfd->target->to.one.gsi,
			    irqx_irqfd_is_direct(irqfd));
	irqfd_leave(irqfd);
	if (source)
		hlist_add_head(&source->node, &leave->sources);
	kmem_cache_free(irqfd_cache, irqfd);
}

static void irqfd_init(struct irqx_irqfd *irqfd, struct irqx_context *ctx)
{
	/* Its lock is known when it is hooked. */
	irqx_target_init(&irqfd->own, &ctx->delivery, NULL);
}

/* Return: an irqfd without eventfd or target, or NULL. */
struct irqx_irqfd *irqx_irqfd_alloc(struct irqx_context *ctx)
{
	struct irqx_irqfd *irqfd;

	irqfd = kmem_cache_zalloc(irqfd_cache, GFP_KERNEL_ACCOUNT);
	if (irqfd)
		irqfd_init(irqfd, ctx);
	return irqfd;
}

/* @nr of them.  Return: 0 or -ENOMEM, with none. */
int irqx_irqfd_alloc_many(struct irqx_context *ctx, struct irqx_irqfd **irqfds,
			  u32 nr)
{
	u32 i;

	if (!kmem_cache_alloc_bulk(irqfd_cache, GFP_KERNEL_ACCOUNT | __GFP_ZERO,
				   nr, (void **)irqfds))
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		irqfd_init(irqfds[i], ctx);
	return 0;
}

/* Context: may sleep; not bound. */
void irqx_irqfd_free(struct irqx_irqfd *irqfd)
{
	irqx_source_put(irqfd->source);
	kmem_cache_free(irqfd_cache, irqfd);
}

/**
 * irqx_irqfd_set_resamplefd - have a new irqfd hold its line until the EOI
 * @irqfd: fresh from irqx_irqfd_alloc()
 * @fd: the eventfd to signal then
 *
 * Context: may sleep.
 * Return: 0, -EBADF, -EINVAL if @fd is not an eventfd, -ENOSPC, -ENOMEM.
 */
int irqx_irqfd_set_resamplefd(struct irqx_irqfd *irqfd, int fd)
{
	struct eventfd_ctx *resamplefd;
	struct irqx_source *source;

	resamplefd = eventfd_ctx_fdget(fd);
	if (IS_ERR(resamplefd))
		return PTR_ERR(resamplefd);

	source = irqx_source_alloc(&irqfd->own.delivery->vm->lines, resamplefd);
	if (IS_ERR(source)) {
		eventfd_ctx_put(resamplefd);
		return PTR_ERR(source);
	}
	source->tally = &irqfd->tally;
	irqfd->source = source;
	return 0;
}

/* The eventfd and a place among the context's irqfds. */
static int irqfd_enter(struct irqx_irqfd *irqfd, struct irqx_target *target,
		       struct file *file)
{
	struct irqx_context *ctx = irqfd_context(irqfd);
	struct eventfd_ctx *eventfd;
	int ret;

	lockdep_assert_held(&ctx->lock);

	if (ctx->nr_irqfds >= irqx_max_irqfds)
		return -ENOSPC;
	eventfd = eventfd_ctx_fileget(file);
	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);

	irqfd->id = ctx->last_irqfd_id + 1;
	ret = xa_insert_irq(&ctx->delivery.irqfds, irqfd->id, irqfd, GFP_KERNEL);
	if (ret) {
		eventfd_ctx_put(eventfd);
		return ret;
	}
	ctx->last_irqfd_id = irqfd->id;
	irqfd->eventfd = eventfd;
	irqfd->target = target;
	ctx->nr_irqfds++;
	return 0;
}

/**
 * irqx_irqfd_reserve - all of a binding that can fail
 * @irqfd: new from irqx_irqfd_alloc(); the caller frees it if this fails
 * @target: its own, filled in, or that of a GSI
 * @fd: the eventfd
 *
 * Nobody else can bind the eventfd, but nothing is taken out of it, until
 * irqx_irqfd_commit() or irqx_irqfd_unreserve() under the same lock.
 *
 * Context: may sleep, the context's lock is held.
 * Return: 0, -EBADF, -EINVAL if @fd is not an eventfd, -EBUSY if it is bound
 * already, -ENOSPC at the limit, -ENOMEM.
 */
int irqx_irqfd_reserve(struct irqx_irqfd *irqfd, struct irqx_target *target,
		       int fd)
{
	struct irqfd_hook hook = { .irqfd = irqfd };
	struct file *file;
	int ret;

	/* Held to the end, else the eventfd's last close could come midway. */
	file = fget(fd);
	if (!file)
		return -EBADF;
	ret = irqfd_enter(irqfd, target, file);
	if (ret)
		goto out_file;

	init_waitqueue_func_entry(&irqfd->wait, irqfd_wakeup_reserved);
	init_poll_funcptr(&hook.pt, irqfd_hook);
	vfs_poll(file, &hook.pt);
	ret = hook.ret;
	if (ret)
		irqfd_leave(irqfd);
out_file:
	fput(file);
	return ret;
}

/* Context: as irqx_irqfd_reserve(). */
void irqx_irqfd_unreserve(struct irqx_irqfd *irqfd)
{
	irqfd_unhook(irqfd);
	irqfd_leave(irqfd);
}

/* Context: as irqx_irqfd_reserve().  Events that are in the eventfd are one event. */
void irqx_irqfd_commit(struct irqx_irqfd *irqfd)
{
	struct wait_queue_head *wqh = irqfd_wqh(irqfd);
	u64 count;

	/* Before events are taken: none may find the irqfd without its line. */
	if (irqfd->source)
		irqx_target_plug(irqfd->target, irqfd->source);
	if (irqx_irqfd_is_direct(irqfd))
		irqx_target_open(&irqfd->own);
	trace_irqx_assign(irqfd->eventfd, &irqfd->target->to.one,
			  irqx_irqfd_is_direct(irqfd));
	spin_lock_irq(&wqh->lock);
	irqfd->wait.func = irqx_deliver_wakeup;
	count = irqx_deliver_pending(irqfd);
	spin_unlock_irq(&wqh->lock);

	/* A writer may have waited for room in the counter. */
	if (count)
		wake_up_poll(wqh, EPOLLOUT);
}

struct irqfd_search {
	struct poll_table_struct pt;
	struct irqx_context *ctx;
	struct irqx_irqfd *found;
};

/*
 * An irqfd is a priority waiter, so it is at the head of the eventfd's wait queue (KVM's
 * own may be beside it), and no index of irqfds is needed (benchmarks.rst, bring-up-batch).
 */
static void irqfd_search(struct file *file, struct wait_queue_head *wqh,
			 struct poll_table_struct *pt)
{
	struct irqfd_search *search =
		container_of(pt, struct irqfd_search, pt);
	struct wait_queue_entry *wait;
	struct irqx_irqfd *irqfd;

	spin_lock_irq(&wqh->lock);
	list_for_each_entry(wait, &wqh->head, entry) {
		if (!(wait->flags & WQ_FLAG_PRIORITY))
			break;
		if (wait->func != irqx_deliver_wakeup &&
		    wait->func != irqfd_wakeup_reserved)
			continue;
		irqfd = container_of(wait, struct irqx_irqfd, wait);
		/* Another context's may be gone as soon as the lock is dropped. */
		if (irqfd_context(irqfd) == search->ctx)
			search->found = irqfd;
		break;
	}
	spin_unlock_irq(&wqh->lock);
}

/**
 * irqx_irqfd_find - the binding of an eventfd in this context
 * @ctx: the context, locked
 * @fd: the eventfd
 *
 * Within a batch also one that is reserved: its in_batch tells.
 *
 * Context: process context.
 * Return: the irqfd, ERR_PTR(-ENOENT) if there is none, -EBADF or -EINVAL if
 * @fd is not an eventfd.
 */
struct irqx_irqfd *irqx_irqfd_find(struct irqx_context *ctx, int fd)
{
	struct irqfd_search search = { .ctx = ctx };
	struct eventfd_ctx *eventfd;
	struct file *file;

	lockdep_assert_held(&ctx->lock);

	file = fget(fd);
	if (!file)
		return ERR_PTR(-EBADF);
	eventfd = eventfd_ctx_fileget(file);
	if (!IS_ERR(eventfd)) {
		init_poll_funcptr(&search.pt, irqfd_search);
		vfs_poll(file, &search.pt);
		eventfd_ctx_put(eventfd);
	}
	fput(file);
	if (IS_ERR(eventfd))
		return ERR_CAST(eventfd);
	return search.found ?: ERR_PTR(-ENOENT);
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

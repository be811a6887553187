// SPDX-License-Identifier: GPL-2.0
/*
 * The eventfd side that direct bindings and GSIs share: hook into the eventfd,
 * wake up, deliver, unhook.  With kvm/inject.c, the whole way of an event.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/poll.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "irqx.h"
#include "kvm/compat.h"
#include "kvm/kvm.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* Deferred events of one irqfd. */
#define IRQX_MAX_PENDING	4096

static struct kmem_cache *irqfd_cache;

/* Of its eventfd; set when it is hooked there. */
static struct wait_queue_head *irqfd_wqh(const struct irqx_irqfd *irqfd)
{
	return container_of(irqfd->own.lock, struct wait_queue_head, lock);
}

static void count_result(struct irqx_context *ctx, int ret)
{
	if (ret < 0)
		this_cpu_inc(ctx->counters->refused);
	else if (!ret)
		this_cpu_inc(ctx->counters->coalesced);
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
	struct irqx_source *source;

	lockdep_assert_held(&ctx->lock);

	down_write(&ctx->settle);
	/* First, or the EOI of the first interrupt over there could be missed. */
	hlist_for_each_entry(source, &target->sources, node)
		irqx_source_move(source, entries);
	spin_lock_irq(target->lock);
	swap(target->to, *entries);
	spin_unlock_irq(target->lock);
	up_write(&ctx->settle);
}

/* A snapshot: where entries->more points is the caller's array. */
static void target_copy(struct irqx_target *target, struct irqx_entries *to,
			struct kvm_kernel_irq_routing_entry *more)
{
	spin_lock_irq(target->lock);
	*to = target->to;
	if (to->nr > 1)
		memcpy(more, to->more, (to->nr - 1) * sizeof(*more));
	spin_unlock_irq(target->lock);
	to->more = more;
}

/*
 * Sets the event flag that comes before a SINT.  Return: > 0 if the SINT is to be
 * raised, 0 if the guest has not seen the flag yet, negative as
 * irqx_vp_set_flag().
 */
static int set_event_flag(struct irqx_irqfd *irqfd, struct irqx_entries *to,
			  u32 __user **word)
{
	int ret;

	if (!to->vp)
		return 1;
	ret = irqx_vp_set_flag(to->vp, to->one.hv_sint.sint, to->event_flag,
			       word);
	/* KVM refused the SINT last time: the guest may not know of the flag. */
	if (!ret && READ_ONCE(irqfd->unraised))
		ret = 1;
	return ret;
}

/**
 * irqx_target_raise - one interrupt at the entry of a target, if it is no pin
 * @ctx: the context, locked, so that the entry stays as it is
 * @target: a GSI's
 *
 * Context: may sleep.
 */
void irqx_target_raise(struct irqx_context *ctx, struct irqx_target *target)
{
	struct kvm_kernel_irq_routing_entry *e = &target->to.one;
	int ret;

	lockdep_assert_held(&ctx->lock);

	if (!target->to.nr || irqx_entry_has_level(e))
		return;
	ret = irqx_kvm_inject(ctx->vm->kvm, ctx->vm->source_id, e);
	trace_irqx_inject(e, false, 1, ret);
}

/*
 * One event, outside atomic context.  Pins are held up by an irqfd that wants
 * EOIs, and raised for a moment by others.  Return: as kvm_set_irq(), which has
 * no other use for -EDESTADDRREQ: without a route; or -EWOULDBLOCK with where
 * memory has to be faulted in.
 */
static int deliver(struct irqx_irqfd *irqfd, u32 __user **word)
{
	struct kvm_kernel_irq_routing_entry more[KVM_NR_IRQCHIPS];
	struct kvm_kernel_irq_routing_entry *e;
	struct irqx_context *ctx = irqfd->ctx;
	struct irqx_vm *vm = ctx->vm;
	struct irqx_entries to;
	int ret = -1;
	u32 i;

	lockdep_assert_held(&ctx->settle);

	target_copy(irqfd->target, &to, more);
	if (to.nr && to.one.type != KVM_IRQ_ROUTING_IRQCHIP) {
		ret = set_event_flag(irqfd, &to, word);
		if (ret <= 0)
			return ret;
		ret = irqx_kvm_inject(vm->kvm, vm->source_id, &to.one);
		trace_irqx_inject(&to.one, false, 1, ret);
		WRITE_ONCE(irqfd->unraised, ret < 0);
		return ret;
	}

	/* Without a route the level is kept for the route to come. */
	if (irqfd->source) {
		ret = irqx_source_set(irqfd->source, true);
		return to.nr ? ret : -EDESTADDRREQ;
	}
	if (!to.nr)
		return -EDESTADDRREQ;

	for (i = 0; i < to.nr; i++) {
		e = irqx_entries_at(&to, i);
		ret = max(ret, irqx_line_pulse(vm, e));
	}
	return ret;
}

static int deliver_settled(struct irqx_irqfd *irqfd, u32 __user **word)
{
	struct rw_semaphore *settle = &irqfd->ctx->settle;
	int ret;

	down_read(settle);
	ret = deliver(irqfd, word);
	up_read(settle);
	return ret;
}

/* The same with the VM's mm, and what it takes to get at guest memory. */
static int deliver_in_mm(struct irqx_irqfd *irqfd, u32 __user *word)
{
	struct kvm *kvm = irqfd->ctx->vm->kvm;
	struct mm_struct *mm = kvm->mm;
	int ret, tries;

	if (!mmget_not_zero(mm))
		return -ESRCH;
	kthread_use_mm(mm);
	for (tries = 0; tries < 3; tries++) {
		ret = irqx_vp_fault_in(kvm, word);
		if (ret)
			break;
		ret = deliver_settled(irqfd, &word);
		if (ret != -EWOULDBLOCK)
			break;
	}
	kthread_unuse_mm(mm);
	mmput(mm);
	return ret;
}

static void irqfd_inject(struct work_struct *work)
{
	struct irqx_irqfd *irqfd = container_of(work, struct irqx_irqfd, inject);
	struct irqx_context *ctx = irqfd->ctx;
	int n = atomic_xchg(&irqfd->pending, 0);
	u32 __user *word;
	int ret;

	while (n--) {
		ret = deliver_settled(irqfd, &word);
		if (ret == -EWOULDBLOCK)
			ret = deliver_in_mm(irqfd, word);
		if (ret == -EDESTADDRREQ) {
			this_cpu_inc(ctx->counters->unrouted);
		} else {
			this_cpu_inc(ctx->counters->deferred);
			count_result(ctx, ret);
		}
		cond_resched();
	}
}

/*
 * Leaves the event to the work.  One that holds a pin up needs to be seen but
 * once; of others there is a limit, lest who signals faster than KVM takes it
 * make everybody wait who wants to deassign.
 */
static void irqfd_defer(struct irqx_irqfd *irqfd)
{
	struct irqx_context *ctx = irqfd->ctx;
	int limit = irqfd->source ? 1 : IRQX_MAX_PENDING;

	if (atomic_read(&irqfd->pending) < limit) {
		atomic_inc(&irqfd->pending);
	} else {
		this_cpu_inc(ctx->counters->deferred);
		this_cpu_inc(ctx->counters->coalesced);
	}
	irqfd->deferred = true;
	queue_work(irqx_wq, &irqfd->inject);
}

/* KVM does not answer -EWOULDBLOCK for a SINT, so a flag is never set twice. */
static int raise_atomic(struct irqx_irqfd *irqfd, struct irqx_entries *to)
{
	struct irqx_vm *vm = irqfd->ctx->vm;
	u32 __user *word;
	int ret;

	lockdep_assert_held(irqfd->target->lock);

	if (to->one.type == KVM_IRQ_ROUTING_IRQCHIP) {
		if (!vm->pins_are_atomic)
			return -EWOULDBLOCK;
		if (irqfd->source)
			return irqx_source_assert_atomic(irqfd->source);
	}

	ret = set_event_flag(irqfd, to, &word);
	if (ret <= 0)
		return ret;
	ret = irqx_kvm_inject_atomic(&to->one, vm->kvm, vm->source_id);
	if (ret == -EWOULDBLOCK)
		return ret;
	trace_irqx_inject(&to->one, true, 1, ret);
	if (to->vp)
		WRITE_ONCE(irqfd->unraised, ret < 0);
	return ret;
}

/* @drop: there is no route, and nothing to remember.  Return: as raise_atomic(). */
static int raise_target(struct irqx_irqfd *irqfd, bool *drop)
{
	struct irqx_target *target = irqfd->target;

	*drop = !target->to.nr && !irqfd->source;
	return target->to.nr == 1 ? raise_atomic(irqfd, &target->to) :
				    -EWOULDBLOCK;
}

/* An event, outside the fast way of irqfd_event(). */
static noinline void irqfd_event_slow(struct irqx_irqfd *irqfd)
{
	struct irqx_target *target = irqfd->target;
	struct irqx_context *ctx = irqfd->ctx;
	bool drop;
	int ret;

	if (irqx_irqfd_is_direct(irqfd)) {
		ret = raise_target(irqfd, &drop);
	} else {
		spin_lock(target->lock);
		ret = raise_target(irqfd, &drop);
		spin_unlock(target->lock);
	}

	if (drop) {
		this_cpu_inc(ctx->counters->passed_on);
		this_cpu_inc(ctx->counters->unrouted);
	} else if (ret == -EWOULDBLOCK) {
		this_cpu_inc(ctx->counters->passed_on);
		irqfd_defer(irqfd);
	} else {
		this_cpu_inc(ctx->counters->atomic);
		count_result(ctx, ret);
	}
}

/*
 * One event.  The eventfd's wqh.lock is held and, but on PREEMPT_RT, interrupts
 * are off: the writer may be an interrupt handler.
 *
 * The fast way is that of an MSI (or whatever KVM can inject at once) with an entry
 * of its own: no lock but the one held, no copy of the entry, one counter.  From the
 * wake-up to KVM's injection and back it takes 56 instructions, where KVM's irqfd
 * takes 119 (scripts/bench, wakeup-msi, less 397 of the injection).
 */
static __always_inline void irqfd_event(struct irqx_irqfd *irqfd)
{
	struct irqx_entries *to = &irqfd->own.to;
	struct irqx_context *ctx = irqfd->ctx;
	int ret;

	lockdep_assert_held(irqfd->own.lock);
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		lockdep_assert_irqs_disabled();

	if (!to->simple) {
		irqfd_event_slow(irqfd);
		return;
	}
	ret = irqx_kvm_inject_atomic(&to->one, ctx->vm->kvm,
				     ctx->vm->source_id);
	if (unlikely(ret <= 0)) {
		if (ret == -EWOULDBLOCK) {
			this_cpu_inc(ctx->counters->passed_on);
			irqfd_defer(irqfd);
			return;
		}
		count_result(ctx, ret);
	}
	trace_irqx_inject(&to->one, true, 1, ret);
	this_cpu_inc(ctx->counters->atomic);
}

/* The last close.  Unhooking takes wqh.lock, which is held, so not from here. */
static noinline void irqfd_closed(struct irqx_irqfd *irqfd)
{
	struct irqx_context *ctx = irqfd->ctx;
	unsigned long flags;

	spin_lock_irqsave(&ctx->dead_lock, flags);
	if (list_empty(&irqfd->dead))
		list_add_tail(&irqfd->dead, &ctx->dead);
	spin_unlock_irqrestore(&ctx->dead_lock, flags);
	queue_work(system_dfl_wq, &ctx->reap);
}

static int irqfd_wakeup(struct wait_queue_entry *wait, unsigned int mode,
			int sync, void *key)
{
	struct irqx_irqfd *irqfd = container_of(wait, struct irqx_irqfd, wait);
	__poll_t events = key_to_poll(key);

	if (likely(events & EPOLLIN)) {
		/* Not on the stack: the stack's protector would cost 8 instructions. */
		eventfd_ctx_do_read(irqfd->eventfd, &irqfd->count);
		trace_irqx_wakeup(irqfd->eventfd, irqfd->count);
		irqfd_event(irqfd);
	}

	if (unlikely(events & EPOLLHUP))
		irqfd_closed(irqfd);

	/* An event is consumed: nobody else who waits needs to see it. */
	return !!(events & EPOLLIN);
}

/* Bound, but for events to be taken: they stay in the eventfd. */
static int irqfd_wakeup_reserved(struct wait_queue_entry *wait,
				 unsigned int mode, int sync, void *key)
{
	if (key_to_poll(key) & EPOLLHUP)
		irqfd_closed(container_of(wait, struct irqx_irqfd, wait));
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

	hook->irqfd->own.lock = &wqh->lock;
	hook->ret = irqx_add_wait_queue_priority_exclusive(wqh,
							   &hook->irqfd->wait);
}

/* Events from before the binding are one event. */
static void irqfd_catch_up(struct irqx_irqfd *irqfd)
{
	u64 count;

	spin_lock_irq(irqfd->own.lock);
	eventfd_ctx_do_read(irqfd->eventfd, &irqfd->count);
	count = irqfd->count;
	if (count) {
		trace_irqx_wakeup(irqfd->eventfd, count);
		irqfd_event(irqfd);
	}
	spin_unlock_irq(irqfd->own.lock);

	/* A writer may have waited for room in the counter. */
	if (count)
		wake_up_poll(irqfd_wqh(irqfd), EPOLLOUT);
}

/* No events after this, and those before it are delivered. */
static void irqfd_unhook(struct irqx_irqfd *irqfd)
{
	struct irqx_context *ctx = irqfd->ctx;

	/* What is flushed takes it. */
	lockdep_assert_not_held(&ctx->settle);

	remove_wait_queue(irqfd_wqh(irqfd), &irqfd->wait);
	/* MSIs never get there, and this is most of what it takes to unbind one. */
	if (irqfd->deferred)
		flush_work(&irqfd->inject);

	/* A wake-up has put it there, or none will. */
	if (list_empty(&irqfd->dead))
		return;
	spin_lock_irq(&ctx->dead_lock);
	list_del_init(&irqfd->dead);
	spin_unlock_irq(&ctx->dead_lock);
}

/* What irqfd_enter() has done. */
static void irqfd_leave(struct irqx_irqfd *irqfd)
{
	lockdep_assert_held(&irqfd->ctx->lock);

	irqfd->ctx->nr_irqfds--;
	list_del(&irqfd->node);
	eventfd_ctx_put(irqfd->eventfd);
}

/* Before the eventfd is hooked: no event may find the irqfd without its line. */
static void irqfd_plug(struct irqx_irqfd *irqfd)
{
	struct irqx_target *target = irqfd->target;

	lockdep_assert_held(&irqfd->ctx->lock);

	if (!irqfd->source)
		return;
	hlist_add_head(&irqfd->source->node, &target->sources);
	irqx_source_move(irqfd->source, &target->to);
}

/* After it is unhooked and its work is flushed. */
static void irqfd_unplug(struct irqx_irqfd *irqfd)
{
	lockdep_assert_held(&irqfd->ctx->lock);

	if (!irqfd->source)
		return;
	hlist_del(&irqfd->source->node);
	irqx_source_move(irqfd->source, NULL);
}

static void irqfd_remove(struct irqx_irqfd *irqfd)
{
	struct irqx_context *ctx = irqfd->ctx;

	lockdep_assert_held(&ctx->lock);

	irqfd_unhook(irqfd);
	irqfd_unplug(irqfd);
	trace_irqx_deassign(irqfd->eventfd, irqfd->target->to.one.gsi,
			    irqx_irqfd_is_direct(irqfd));
	irqfd_leave(irqfd);
	if (!irqx_irqfd_is_direct(irqfd))
		irqx_route_unassign(ctx, irqfd->target);
	irqx_irqfd_free(irqfd);
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

static void irqfd_init(struct irqx_irqfd *irqfd, struct irqx_context *ctx)
{
	irqfd->ctx = ctx;
	INIT_LIST_HEAD(&irqfd->dead);
	INIT_WORK(&irqfd->inject, irqfd_inject);
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
	irqx_source_free(irqfd->source);
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

	source = irqx_source_alloc(irqfd->ctx->vm);
	if (IS_ERR(source)) {
		eventfd_ctx_put(resamplefd);
		return PTR_ERR(source);
	}
	source->resamplefd = resamplefd;
	irqfd->source = source;
	return 0;
}

static int irqfd_hook_up(struct irqx_irqfd *irqfd, struct file *file,
			 wait_queue_func_t wakeup, __poll_t *events)
{
	struct irqfd_hook hook = { .irqfd = irqfd };

	init_waitqueue_func_entry(&irqfd->wait, wakeup);
	init_poll_funcptr(&hook.pt, irqfd_hook);
	*events = vfs_poll(file, &hook.pt);
	return hook.ret;
}

/* The eventfd and a place among the context's irqfds. */
static int irqfd_enter(struct irqx_irqfd *irqfd, struct irqx_target *target,
		       struct file *file)
{
	struct irqx_context *ctx = irqfd->ctx;
	struct eventfd_ctx *eventfd;

	lockdep_assert_held(&ctx->lock);

	if (ctx->nr_irqfds >= irqx_max_irqfds)
		return -ENOSPC;
	eventfd = eventfd_ctx_fileget(file);
	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);

	irqfd->eventfd = eventfd;
	irqfd->target = target;
	list_add(&irqfd->node, &ctx->irqfds);
	ctx->nr_irqfds++;
	return 0;
}

static void irqfd_bound(struct irqx_irqfd *irqfd)
{
	trace_irqx_assign(irqfd->eventfd, &irqfd->target->to.one,
			  irqx_irqfd_is_direct(irqfd));
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
	struct file *file;
	__poll_t events;
	int ret;

	/* Held to the end, else the eventfd's last close could come midway. */
	file = fget(fd);
	if (!file)
		return -EBADF;

	ret = irqfd_enter(irqfd, target, file);
	if (ret)
		goto out_file;
	irqfd_plug(irqfd);
	ret = irqfd_hook_up(irqfd, file, irqfd_wakeup, &events);
	if (ret) {
		irqfd_unplug(irqfd);
		irqfd_leave(irqfd);
		goto out_file;
	}
	irqfd_bound(irqfd);
	/* An eventfd looks at its count after it has let the irqfd be hooked. */
	if (events & EPOLLIN)
		irqfd_catch_up(irqfd);

out_file:
	fput(file);
	return ret;
}

/**
 * irqx_irqfd_reserve - all of a binding that can fail
 * @irqfd: as irqx_irqfd_bind()
 * @target: its own
 * @fd: the eventfd
 *
 * Nobody else can bind the eventfd, but nothing is taken out of it, until
 * irqx_irqfd_commit() or irqx_irqfd_unreserve() under the same lock.
 *
 * Context: as irqx_irqfd_bind().
 * Return: as irqx_irqfd_bind().
 */
int irqx_irqfd_reserve(struct irqx_irqfd *irqfd, struct irqx_target *target,
		       int fd)
{
	struct file *file;
	__poll_t events;
	int ret;

	file = fget(fd);
	if (!file)
		return -EBADF;
	ret = irqfd_enter(irqfd, target, file);
	if (ret)
		goto out_file;
	ret = irqfd_hook_up(irqfd, file, irqfd_wakeup_reserved, &events);
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

/* Context: as irqx_irqfd_reserve().  Events that came since then are one event. */
void irqx_irqfd_commit(struct irqx_irqfd *irqfd)
{
	irqfd_plug(irqfd);
	irqfd_bound(irqfd);
	spin_lock_irq(irqfd->own.lock);
	irqfd->wait.func = irqfd_wakeup;
	spin_unlock_irq(irqfd->own.lock);
	irqfd_catch_up(irqfd);
}

struct irqfd_search {
	struct poll_table_struct pt;
	struct irqx_context *ctx;
	struct irqx_irqfd *found;
};

/*
 * Who is bound to an eventfd waits for it: first of all, or beside KVM.  So no
 * index of irqfds is needed.  A hash of them, that grew in a worker, took a third of
 * what it takes to bind many (scripts/bench, bring-up-batch: 1,730 instructions with
 * it, 1,240 without).
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
		if (wait->func != irqfd_wakeup)
			continue;
		irqfd = container_of(wait, struct irqx_irqfd, wait);
		/* Another context's may be gone as soon as the lock is dropped. */
		if (irqfd->ctx == search->ctx)
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

/* Context: may sleep, the context's lock is held and its last user is gone. */
void irqx_irqfd_teardown(struct irqx_context *ctx)
{
	struct irqx_irqfd *irqfd, *next;

	lockdep_assert_held(&ctx->lock);

	list_for_each_entry_safe(irqfd, next, &ctx->irqfds, node) {
		irqfd_remove(irqfd);
		cond_resched();
	}
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

// SPDX-License-Identifier: GPL-2.0
/*
 * The way of an event, from the eventfd's wake-up to KVM's injection in kvm/inject.c: in
 * the wake-up itself, which is atomic context; or later, by one of the VM's two workers.
 *
 * What cannot be done at once is a state of the target, not a count: however many
 * events come meanwhile, there is an interrupt after the last of them.  A masked target
 * keeps that state until it is unmasked.
 *
 * The worker of prompt deliveries is a work item among those of all VMs, and takes nothing
 * but spinlocks.  What may wait for a page of the guest, and so for whoever serves it, is
 * for a thread of the VM's own, the pager.
 */
#include <linux/eventfd.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "arch/arch.h"
#include "deliver.h"
#include "irqfd.h"
#include "kvm/inject.h"
#include "kvm/kvm.h"
#include "raise.h"
#include "synic.h"
#include "vm.h"
#include "work.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* How many the worker delivers before it lets other VMs' workers on. */
#define IRQX_PROMPT_BATCH	64

/* How often the pager tries what is still not there, before it waits; then in ms. */
#define IRQX_PAGER_TRIES	16
#define IRQX_PAGER_NAP_MIN	1
#define IRQX_PAGER_NAP_MAX	128

/* Where spinlocks are raw, the one is the beginning of the other. */
#ifndef CONFIG_PREEMPT_RT
static_assert(offsetof(spinlock_t, rlock) == 0);
#endif

static __always_inline bool target_lock_is_raw(const struct irqx_target *target)
{
	/* The bits beside it change. */
	return !IS_ENABLED(CONFIG_PREEMPT_RT) || data_race(!!target->raw);
}

static __always_inline void target_assert_held(const struct irqx_target *target)
{
	if (target_lock_is_raw(target))
		lockdep_assert_held(target->lock);
	else
		lockdep_assert_held(target->sleeping_lock);
}

static __always_inline void target_lock_irq(struct irqx_target *target)
	__acquires(target->lock)
{
	if (target_lock_is_raw(target))
		raw_spin_lock_irq(target->lock);
	else
		spin_lock_irq(target->sleeping_lock);
}

static __always_inline void target_unlock_irq(struct irqx_target *target)
	__releases(target->lock)
{
	if (target_lock_is_raw(target))
		raw_spin_unlock_irq(target->lock);
	else
		spin_unlock_irq(target->sleeping_lock);
}

/* With another target's lock held, so but for PREEMPT_RT interrupts are off. */
static __always_inline unsigned long target_lock_nested(struct irqx_target *target)
	__acquires(target->lock)
{
	unsigned long flags = 0;

	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		raw_spin_lock(target->lock);
	else if (target->raw)
		raw_spin_lock_irqsave(target->lock, flags);
	else
		spin_lock(target->sleeping_lock);
	return flags;
}

static __always_inline void target_unlock_nested(struct irqx_target *target,
						 unsigned long flags)
	__releases(target->lock)
{
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		raw_spin_unlock(target->lock);
	else if (target->raw)
		raw_spin_unlock_irqrestore(target->lock, flags);
	else
		spin_unlock(target->sleeping_lock);
}

/*
 * Before the event is counted as delivered: then all is known of it.  @tally: of the binding that
 * it is an event of, or NULL.
 */
static void count_result(struct irqx_delivery *delivery, struct irqx_tally *tally, int ret)
{
	if (ret < 0) {
		this_cpu_inc(delivery->counters->refused);
		if (tally)
			atomic64_inc(&tally->refused);
	} else if (!ret) {
		this_cpu_inc(delivery->counters->coalesced);
		if (tally)
			atomic64_inc(&tally->coalesced);
	}
}

/* @events were one interrupt.  @tally: of the first; those of the others know it. */
static void count_deferred(struct irqx_delivery *delivery, struct irqx_tally *tally,
			   u32 events, int ret)
{
	this_cpu_add(delivery->counters->coalesced, events - 1);
	count_result(delivery, tally, ret);
	/* Pairs with irqx_context_stats(). */
	smp_wmb();
	this_cpu_add(delivery->counters->deferred, events);
}

static bool entries_are_paged(const struct irqx_entries *to)
{
	return to->has_flag ||
	       (to->nr && irqx_arch_waits_for_pages(&to->one));
}

/*
 * Sets the event flag that comes before a SINT.  Return: > 0 if the SINT is to be
 * raised, 0 if the guest has not seen the flag yet, negative as
 * irqx_vp_set_flag().
 */
static int set_event_flag(struct irqx_entries *to, u32 __user **word)
{
	int ret;

	if (!to->has_flag)
		return 1;
	ret = irqx_vp_set_flag(to->vp, to->one.hv_sint.sint, to->event_flag,
			       word);
	/* KVM refused the SINT last time: the guest may not know of the flag. */
	if (!ret && to->unraised)
		ret = 1;
	return ret;
}

/*
 * KVM does not answer -EWOULDBLOCK for a SINT, so a flag is never set twice.
 * @source: holds a pin up, or NULL.  @word: NULL, or where memory has to be faulted in if
 * -EWOULDBLOCK is because of that.
 */
static int raise_now(struct irqx_target *target, struct irqx_source *source,
		     u32 __user **word)
{
	struct irqx_vm *vm = target->delivery->vm;
	struct irqx_entries *to = &target->to;
	int ret;

	target_assert_held(target);

	if (to->one.type == KVM_IRQX_ROUTING_PPI && !source)
		return irqx_lines_event(&vm->lines, &to->one, true);
	if (irqx_entry_has_level(&to->one)) {
		if (!vm->lines.pins_are_atomic)
			return -EWOULDBLOCK;
		if (source)
			return irqx_source_assert_atomic(source);
	}

	ret = set_event_flag(to, word);
	if (ret <= 0)
		return ret;
	ret = irqx_kvm_inject_atomic(&to->one, vm->kvm, vm->source_id);
	if (ret == -EWOULDBLOCK)
		return ret;
	trace_irqx_inject(&to->one, true, 1, ret);
	to->unraised = ret < 0;
	return ret;
}

static int raise_atomic(struct irqx_target *target, struct irqx_source *source,
			u32 __user **word)
{
	return target->to.atomic_now ? raise_now(target, source, word) : -EWOULDBLOCK;
}

static void later_kick(struct irqx_later *later, enum irqx_queue_id id)
{
	if (id == IRQX_PROMPT) {
		irqx_queue_work(&later->prompt);
		return;
	}
	/* Pairs with pager_wait(): it looks at it before it sleeps. */
	WRITE_ONCE(later->more, true);
	wake_up_process(later->pager);
}

/* While it is masked, a source's level is noted down, and nothing else is done. */
static bool target_has_work(const struct irqx_target *target)
{
	target_assert_held(target);

	return !target->masked ||
	       (target->asked && irqx_entry_has_level(&target->to.one));
}

/* What the target has to deliver is for a worker; not yet if it is masked. */
static void target_queue(struct irqx_target *target)
{
	struct irqx_later *later = &target->delivery->vm->later;
	enum irqx_queue_id id = target->to.paged ? IRQX_PAGED : IRQX_PROMPT;
	unsigned long flags;

	if (!target_has_work(target))
		return;
	raw_spin_lock_irqsave(&later->lock, flags);
	if (list_empty(&target->waiting))
		list_add_tail(&target->waiting, &later->queues[id].targets);
	raw_spin_unlock_irqrestore(&later->lock, flags);
	later_kick(later, id);
}

/* It has a route, to what has no level: whoever was asked is owed an interrupt. */
static bool target_latches(const struct irqx_target *target)
{
	return target->to.nr && !irqx_entry_has_level(&target->to.one);
}

/* Whether an event of this irqfd's own, not a source's, waits at its target. */
static bool irqfd_is_owed(const struct irqx_irqfd *irqfd)
{
	const struct irqx_target *target = irqfd->target;

	return target->owed && irqfd->epoch == target->epoch;
}

/* Events that are counted as not inline, and are one interrupt with an earlier one. */
static void count_merged(struct irqx_delivery *delivery, struct irqx_tally *tally, u32 events)
{
	this_cpu_add(delivery->counters->deferred, events);
	this_cpu_add(delivery->counters->coalesced, events);
	if (tally)
		atomic64_add(events, &tally->coalesced);
}

/* A worker is to raise the source's level. */
static void source_ask(struct irqx_target *target, struct irqx_source *source)
{
	target_assert_held(target);

	WRITE_ONCE(source->asked_low, false);
	if (xchg(&source->asked, true))
		count_merged(target->delivery, source->tally, 1);
	target->asked = true;
	target_queue(target);
}

static void event_defer(struct irqx_irqfd *irqfd)
{
	struct irqx_target *target = irqfd->target;

	target_assert_held(target);

	if (irqfd->source) {
		source_ask(target, irqfd->source);
		return;
	}
	if (irqfd_is_owed(irqfd))
		count_merged(target->delivery, &irqfd->tally, 1);
	else if (target->owed++)
		/* The context's counter has it when they are delivered. */
		atomic64_inc(&irqfd->tally.coalesced);
	else
		target->tally = &irqfd->tally;
	irqfd->epoch = target->epoch;
	target_queue(target);
}

/*
 * An event at a target whose lock is held, counted.  @inject: it may be delivered here and now.
 * @tally: as count_result().  Return: whether it has been.
 */
static bool deliver_atomic(struct irqx_target *target, struct irqx_source *source,
			   struct irqx_tally *tally, bool inject)
{
	int ret = inject ? raise_atomic(target, source, NULL) : -EWOULDBLOCK;

	if (ret == -EWOULDBLOCK) {
		this_cpu_inc(target->delivery->counters->not_inline);
		return false;
	}
	count_result(target->delivery, tally, ret);
	this_cpu_inc(target->delivery->counters->atomic);
	return true;
}

static void deliver_locked(struct irqx_irqfd *irqfd)
{
	struct irqx_target *target = irqfd->target;

	if (deliver_atomic(target, irqfd->source, &irqfd->tally, true))
		return;
	/* There is no route, and nothing to remember. */
	if (!target->to.nr && !irqfd->source)
		this_cpu_inc(target->delivery->counters->unrouted);
	else
		event_defer(irqfd);
}

/*
 * @events, which are counted as not inline, are one interrupt, or none beside another.  Who
 * they are from, but for @tally, does not matter here: nobody takes them back.
 */
static void target_owe(struct irqx_target *target, struct irqx_tally *tally, u32 events)
{
	target_assert_held(target);

	if (!target->to.nr && !target->masked) {
		this_cpu_add(target->delivery->counters->unrouted, events);
		return;
	}
	if (target->owed) {
		count_merged(target->delivery, tally, events);
	} else {
		target->owed = events;
		target->tally = tally;
	}
	target_queue(target);
}

/* Apart, so that the wake-up has a register less to save. */
static noinline void trace_vector(struct irqx_target *vector, int ret)
{
	trace_irqx_inject(&vector->to.one, true, 1, ret);
}

/* One interrupt by a vector's entries.  Return: as raise_atomic(). */
static __always_inline int vector_raise(struct irqx_target *vector)
{
	struct irqx_vm *vm;
	int ret;

	target_assert_held(vector);

	if (!vector->to.inline_now)
		return -EWOULDBLOCK;
	vm = vector->delivery->vm;
	ret = irqx_kvm_inject_atomic(&vector->to.one, vm->kvm, vm->source_id);
	if (trace_irqx_inject_enabled() && ret != -EWOULDBLOCK)
		trace_vector(vector, ret);
	return ret;
}

/*
 * The end of deliver_event()'s fast way, if KVM has not taken the event as an interrupt of its own.
 * Apart, for the registers.
 */
static noinline void event_not_taken(struct irqx_irqfd *irqfd, int ret)
{
	struct irqx_delivery *delivery = irqfd->own.delivery;

	if (ret == -EWOULDBLOCK) {
		this_cpu_inc(delivery->counters->not_inline);
		event_defer(irqfd);
		return;
	}
	count_result(delivery, &irqfd->tally, ret);
	trace_irqx_inject(&irqfd->own.to.one, true, 1, ret);
	this_cpu_inc(delivery->counters->atomic);
}

/* As event_not_taken(), of deliver_onward(). */
static noinline void vector_event_not_taken(struct irqx_target *vector,
					    struct irqx_irqfd *irqfd, int ret)
{
	struct irqx_tally *tally = irqfd ? &irqfd->tally : NULL;

	if (ret == -EWOULDBLOCK) {
		this_cpu_inc(vector->delivery->counters->not_inline);
		target_owe(vector, tally, 1);
		return;
	}
	count_result(vector->delivery, tally, ret);
	this_cpu_inc(vector->delivery->counters->atomic);
}

/*
 * An event at a target that leads to a vector; the target's lock is held.  What is pending is
 * the vector's.  @irqfd: whose it is, or NULL.  @inject: it may be delivered here and now.
 */
static __always_inline void deliver_onward(struct irqx_target *vector,
					   struct irqx_irqfd *irqfd, bool inject)
{
	unsigned long flags;
	int ret;

	flags = target_lock_nested(vector);
	ret = inject ? vector_raise(vector) : -EWOULDBLOCK;
	if (unlikely(ret <= 0))
		vector_event_not_taken(vector, irqfd, ret);
	else
		this_cpu_inc(vector->delivery->counters->atomic);
	target_unlock_nested(vector, flags);
}

/* An event, outside the fast ways of deliver_event(). */
static noinline void deliver_event_slow(struct irqx_irqfd *irqfd)
{
	struct irqx_target *vector, *target = irqfd->target;
	unsigned long flags;

	if (irqx_irqfd_is_direct(irqfd)) {
		deliver_locked(irqfd);
		return;
	}
	flags = target_lock_nested(target);
	vector = irqx_entries_onward(&target->to);
	if (vector)
		deliver_onward(vector, irqfd, true);
	else
		deliver_locked(irqfd);
	target_unlock_nested(target, flags);
}

/*
 * One event.  The eventfd's wqh.lock is held and, but on PREEMPT_RT, interrupts
 * are off: the writer may be an interrupt handler.
 *
 * The fast way is that of an MSI (or whatever KVM can inject at once) with an entry
 * of its own: no lock but the one held, no copy of the entry, one counter
 * (benchmarks.rst, wakeup-msi).  One that leads to a vector takes that one's lock more.
 */
static __always_inline void deliver_event(struct irqx_irqfd *irqfd)
{
	struct irqx_delivery *delivery = irqfd->own.delivery;
	struct irqx_entries *to = &irqfd->own.to;
	int ret;

	target_assert_held(&irqfd->own);
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		lockdep_assert_irqs_disabled();

	if (!to->inline_now) {
		if (to->one.type == KVM_IRQX_ROUTING_VECTOR)
			deliver_onward(to->onward, irqfd, true);
		else
			deliver_event_slow(irqfd);
		return;
	}
	ret = irqx_kvm_inject_atomic(&to->one, delivery->vm->kvm,
				     delivery->vm->source_id);
	if (unlikely(ret <= 0)) {
		event_not_taken(irqfd, ret);
		return;
	}
	trace_irqx_inject(&to->one, true, 1, ret);
	this_cpu_inc(delivery->counters->atomic);
}

/**
 * irqx_deliver_closed - the last close of an eventfd
 * @irqfd: bound to it
 *
 * Unhooking takes wqh.lock, which is held, so it is left to the reaper.
 *
 * Context: as irqx_deliver_wakeup().
 */
void irqx_deliver_closed(struct irqx_irqfd *irqfd)
{
	struct irqx_delivery *delivery = irqfd->own.delivery;
	unsigned long flags;

	xa_lock_irqsave(&delivery->irqfds, flags);
	__xa_set_mark(&delivery->irqfds, irqfd->id, IRQX_IRQFD_DEAD);
	xa_unlock_irqrestore(&delivery->irqfds, flags);
	queue_work(irqx_long_wq, &delivery->reap);
}

/**
 * irqx_deliver_wakeup - somebody has signalled a bound eventfd
 * @wait: of an irqfd
 * @mode: not looked at
 * @sync: not looked at
 * @key: EPOLLIN: an event; EPOLLHUP: the last close
 *
 * Context: the signaller's: any, even hard interrupt; wqh.lock is held and interrupts are
 * off (on PREEMPT_RT: on, and the locks below it may sleep).
 * Return: 1 if an event was consumed: nobody else who waits needs to see it.
 */
int irqx_deliver_wakeup(struct wait_queue_entry *wait, unsigned int mode,
			int sync, void *key)
{
	struct irqx_irqfd *irqfd = container_of(wait, struct irqx_irqfd, wait);
	__poll_t events = key_to_poll(key);

	if (likely(events & EPOLLIN)) {
		/* Not on the stack: that would cost a canary. */
		irqfd->tally.events++;
		eventfd_ctx_do_read(irqfd->eventfd, &irqfd->count);
		trace_irqx_wakeup(irqfd->eventfd, irqfd->count);
		deliver_event(irqfd);
	}

	if (unlikely(events & EPOLLHUP))
		irqx_deliver_closed(irqfd);

	return !!(events & EPOLLIN);
}

/**
 * irqx_deliver_pending - take what is in the eventfd
 * @irqfd: hooked
 *
 * Events from before the binding are one event.
 *
 * Context: the eventfd's wqh.lock is held.
 * Return: how many there were.
 */
u64 irqx_deliver_pending(struct irqx_irqfd *irqfd)
{
	eventfd_ctx_do_read(irqfd->eventfd, &irqfd->count);
	if (irqfd->count) {
		trace_irqx_wakeup(irqfd->eventfd, irqfd->count);
		irqfd->tally.events++;
		deliver_event(irqfd);
	}
	return irqfd->count;
}

/*
 * A binding leaves a target: its tally is not to be found there any more, nor with an injection
 * that has begun.  The target's lock is held, as where a queue is given a tally.
 */
static void target_forget(struct irqx_target *target, const struct irqx_tally *tally)
{
	struct irqx_later *later = &target->delivery->vm->later;
	unsigned long flags;
	u32 id;

	target_assert_held(target);

	if (target->tally == tally)
		target->tally = NULL;
	for (id = 0; id < IRQX_NR_QUEUES; id++) {
		if (READ_ONCE(later->queues[id].tally) != tally)
			continue;
		/* It is being counted, or will not be. */
		raw_spin_lock_irqsave(&later->lock, flags);
		if (later->queues[id].tally == tally)
			WRITE_ONCE(later->queues[id].tally, NULL);
		raw_spin_unlock_irqrestore(&later->lock, flags);
	}
}

static void vector_forget(struct irqx_target *vector, const struct irqx_tally *tally)
{
	unsigned long flags;

	flags = target_lock_nested(vector);
	target_forget(vector, tally);
	target_unlock_nested(vector, flags);
}

/* Likewise all bindings that have led there by a target whose lock is held. */
static void vector_disown(struct irqx_target *vector)
{
	struct irqx_later *later = &vector->delivery->vm->later;
	unsigned long flags, flags_later;
	u32 id;

	flags = target_lock_nested(vector);
	vector->tally = NULL;
	raw_spin_lock_irqsave(&later->lock, flags_later);
	for (id = 0; id < IRQX_NR_QUEUES; id++)
		if (later->queues[id].now == vector)
			WRITE_ONCE(later->queues[id].tally, NULL);
	raw_spin_unlock_irqrestore(&later->lock, flags_later);
	target_unlock_nested(vector, flags);
}

/**
 * irqx_deliver_take_back - an event that waits, of an irqfd that is leaving
 * @irqfd: unhooked: no event comes any more
 * @last: its target has no other: then what is pending at a masked target, whoever it
 * is from, is this one's
 *
 * Context: may sleep; the context's lock is held.
 * Return: whether there was one; it will not be delivered.
 */
bool irqx_deliver_take_back(struct irqx_irqfd *irqfd, bool last)
{
	struct irqx_target *vector, *target = irqfd->target;
	u32 events = 0;

	target_lock_irq(target);
	target_forget(target, &irqfd->tally);
	vector = irqx_entries_onward(&target->to);
	if (vector)
		vector_forget(vector, &irqfd->tally);
	if (irqfd->source)
		events = xchg(&irqfd->source->asked, false);
	else if (!target->masked)
		events = irqfd_is_owed(irqfd);
	if (!target->masked) {
		target->owed -= irqfd->source ? 0 : events;
	} else if (last) {
		events += target->owed;
		target->owed = 0;
	} else if (target_latches(target)) {
		target->owed += events;
		events = 0;
	}
	target_unlock_irq(target);
	/* They are no events any more. */
	this_cpu_sub(target->delivery->counters->not_inline, events);
	return events;
}

/* ---- later ---- */

static void queue_set_state(struct irqx_later *later, enum irqx_queue_id id,
			    enum irqx_queue_state state)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&later->lock, flags);
	later->queues[id].state = state;
	if (state == IRQX_IDLE)
		later->queues[id].now = NULL;
	raw_spin_unlock_irqrestore(&later->lock, flags);

	if (wq_has_sleeper(&later->progress))
		wake_up_all(&later->progress);
}

/* @events of the target are one interrupt, which is begun.  The target's lock is held. */
static void queue_inject(struct irqx_later *later, enum irqx_queue_id id,
			 u32 events, struct irqx_tally *tally)
{
	struct irqx_queue *queue = &later->queues[id];
	unsigned long flags;

	raw_spin_lock_irqsave(&later->lock, flags);
	queue->events = events;
	WRITE_ONCE(queue->tally, tally);
	queue->state = IRQX_INJECTING;
	raw_spin_unlock_irqrestore(&later->lock, flags);
}

/* Return: the next one, which stays while the queue's state is IRQX_HOLDING; or NULL. */
static struct irqx_target *queue_take(struct irqx_later *later,
				      enum irqx_queue_id id)
{
	struct irqx_queue *queue = &later->queues[id];
	struct irqx_target *target;

	raw_spin_lock_irq(&later->lock);
	target = list_first_entry_or_null(&queue->targets, struct irqx_target,
					  waiting);
	if (target) {
		list_del_init(&target->waiting);
		queue->now = target;
		queue->state = IRQX_HOLDING;
		queue->taken++;
	}
	raw_spin_unlock_irq(&later->lock);
	return target;
}

/* Return: whether the target is still there; then it stays. */
static bool queue_hold_again(struct irqx_later *later, enum irqx_queue_id id)
{
	struct irqx_queue *queue = &later->queues[id];
	bool there;

	raw_spin_lock_irq(&later->lock);
	there = queue->now;
	if (there)
		queue->state = IRQX_HOLDING;
	raw_spin_unlock_irq(&later->lock);
	return there;
}

/*
 * What queue_inject() has begun is over.  @events: 0, or it is not to be tried again.  Return: as
 * queue_hold_again(); if not, queue_forget() has counted them.
 */
static bool queue_injected(struct irqx_later *later, enum irqx_queue_id id, u32 events, int ret)
{
	struct irqx_queue *queue = &later->queues[id];
	struct irqx_target *target;

	raw_spin_lock_irq(&later->lock);
	target = queue->now;
	if (target) {
		queue->state = IRQX_HOLDING;
		if (events) {
			/* With the lock: whose the tally is may be leaving. */
			count_deferred(target->delivery, queue->tally, events, ret);
			WRITE_ONCE(queue->tally, NULL);
		}
	}
	raw_spin_unlock_irq(&later->lock);
	return target;
}

/* It is none: the events are owed again.  The target's lock is held. */
static void queue_take_back(struct irqx_later *later, enum irqx_queue_id id,
			    struct irqx_target *target, u32 events)
{
	struct irqx_queue *queue = &later->queues[id];
	unsigned long flags;

	target_assert_held(target);

	raw_spin_lock_irqsave(&later->lock, flags);
	if (!target->owed)
		target->tally = queue->tally;
	WRITE_ONCE(queue->tally, NULL);
	raw_spin_unlock_irqrestore(&later->lock, flags);
	target->owed += events;
}

/*
 * Return: how many events there were; all of them are to be one interrupt.  @tally: out: of the
 * first, or NULL; it stays as long as the target's lock is held.
 */
static u32 target_take_owed(struct irqx_target *target, struct irqx_tally **tally)
{
	u32 owed = target->owed;

	target_assert_held(target);

	target->owed = 0;
	*tally = target->tally;
	target->tally = NULL;
	/* 0 is that of an irqfd which was never owed anything. */
	if (!++target->epoch)
		target->epoch = 1;
	return owed;
}

static void target_owe_asked(struct irqx_target *target)
{
	struct irqx_source *source;

	lockdep_assert_held(&target->delivery->vm->lines.plugs_lock);
	target_assert_held(target);

	hlist_for_each_entry(source, &target->sources, node) {
		if (!xchg(&source->asked, false))
			continue;
		if (!target->owed++)
			target->tally = source->tally;
		else if (source->tally)
			/* As in event_defer(). */
			atomic64_inc(&source->tally->coalesced);
	}
	/* A level that falls is nothing here. */
	hlist_for_each_entry(source, &target->sources, node)
		WRITE_ONCE(source->asked_low, false);
	target->asked = false;
}

/* The levels that the sources were asked for.  plugs_lock is held. */
static void sources_assert_asked(struct irqx_target *target)
{
	struct irqx_delivery *delivery = target->delivery;
	struct irqx_source *source;
	int ret;

	hlist_for_each_entry(source, &target->sources, node) {
		if (!irqx_source_set_asked(source, &ret))
			continue;
		if (target->to.nr)
			count_deferred(delivery, source->tally, 1, ret);
		else
			this_cpu_inc(delivery->counters->unrouted);
	}
}

/*
 * Has the sources that were asked hold their pins up.  Without a route the level is kept
 * for the route to come.  A SINT has none: it is raised.  Return: whether that, or
 * something else, is to be raised.
 */
static bool target_assert_asked(struct irqx_target *target)
{
	struct irqx_lines *lines = &target->delivery->vm->lines;
	bool asked, owed;

	target_lock_irq(target);
	asked = target->asked;
	target->asked = false;
	owed = target->owed;
	target_unlock_irq(target);
	if (!asked)
		return owed;

	/* The entries and the mask do not change while plugs_lock is held. */
	spin_lock(&lines->plugs_lock);
	if (!target_latches(target)) {
		sources_assert_asked(target);
	} else if (!irqx_target_is_masked(target)) {
		target_lock_irq(target);
		target_owe_asked(target);
		owed = target->owed;
		target_unlock_irq(target);
	}
	spin_unlock(&lines->plugs_lock);
	return owed;
}

/* With a copy of the entries. */
static int inject_later(struct irqx_vm *vm, struct irqx_entries *to)
{
	int ret = -1;
	u32 i;

	if (to->one.type == KVM_IRQX_ROUTING_PPI)
		return irqx_lines_event(&vm->lines, &to->one, false);
	if (!irqx_entries_are_pins(to)) {
		ret = irqx_kvm_inject(vm->kvm, vm->source_id, &to->one);
		trace_irqx_inject(&to->one, false, 1, ret);
		return ret;
	}
	for (i = 0; i < to->nr; i++)
		ret = max(ret, irqx_lines_pulse(&vm->lines,
						irqx_entries_at(to, i)));
	return ret;
}

/* @events that are counted as not inline, at once or later.  The vector's lock is held. */
static void vector_deliver(struct irqx_target *vector, struct irqx_tally *tally, u32 events)
{
	int ret = vector_raise(vector);

	if (ret == -EWOULDBLOCK)
		target_owe(vector, tally, events);
	else
		count_deferred(vector->delivery, tally, events, ret);
}

/* It leads to a vector now: what is pending is that one's. */
static void target_pass_on(struct irqx_target *target, struct irqx_target *vector)
{
	struct irqx_tally *tally;
	u32 owed = target_take_owed(target, &tally);
	unsigned long flags;

	if (!owed)
		return;
	flags = target_lock_nested(vector);
	vector_deliver(vector, tally, owed);
	target_unlock_nested(vector, flags);
}

/*
 * Delivers what waits at a target that has been taken from queue @id; not if it has been
 * given entries for the other queue since.
 */
static void target_deliver(struct irqx_later *later, struct irqx_target *target,
			   enum irqx_queue_id id)
{
	struct kvm_kernel_irq_routing_entry more[KVM_NR_IRQCHIPS];
	struct irqx_delivery *delivery = target->delivery;
	struct irqx_vm *vm = delivery->vm;
	const bool paged = id == IRQX_PAGED;
	struct irqx_tally *tally = NULL;
	struct irqx_target *vector;
	struct irqx_entries to;
	bool interrupted, again;
	u32 owed;
	int ret;

	target_lock_irq(target);
	if (target->to.paged != paged) {
		if (target->owed)
			target_queue(target);
		target_unlock_irq(target);
		return;
	}
	owed = target->masked ? 0 : target_take_owed(target, &tally);
	to = target->to;
	if (to.nr > 1)
		memcpy(more, to.more, (to.nr - 1) * sizeof(*more));
	to.more = more;
	/* Under the lock: whoever changes the target now knows that it is under way. */
	if (owed && to.nr)
		queue_inject(later, id, owed, tally);
	target_unlock_irq(target);
	/* Who removes the target need not wait any more. */
	if (wq_has_sleeper(&later->progress))
		wake_up_all(&later->progress);

	if (!owed)
		return;
	if (!to.nr) {
		this_cpu_add(delivery->counters->unrouted, owed);
		return;
	}
	ret = inject_later(vm, &to);
	interrupted = paged && signal_pending(current);
	if (interrupted)
		flush_signals(current);
	again = interrupted && ret < 0;
	if (!queue_injected(later, id, again ? 0 : owed, ret) || !again)
		return;
	/* It was interrupted for another one's sake. */
	target_lock_irq(target);
	queue_take_back(later, id, target, owed);
	vector = irqx_entries_onward(&target->to);
	if (vector)
		target_pass_on(target, vector);
	else
		target_queue(target);
	target_unlock_irq(target);
}

/* Pins and MSIs: spinlocks, so nobody can make this wait. */
static void later_prompt_work(struct work_struct *work)
{
	struct irqx_later *later = container_of(work, struct irqx_later, prompt);
	struct irqx_target *target;
	u32 i;

	for (i = 0; i < IRQX_PROMPT_BATCH; i++) {
		target = queue_take(later, IRQX_PROMPT);
		if (!target)
			return;
		if (target_assert_asked(target))
			target_deliver(later, target, IRQX_PROMPT);
		queue_set_state(later, IRQX_PROMPT, IRQX_IDLE);
		cond_resched();
	}
	irqx_queue_work(&later->prompt);
}

/* ---- the pager ---- */

/* A fault that nothing will mend but another mapping, of which nobody tells. */
static bool fault_is_final(int ret)
{
	return ret == -EFAULT || ret == -ESRCH;
}

/*
 * An event flag is set under the target's lock, as in a wake-up.  While its page is
 * faulted in, nothing is held and nothing has begun: who changes or removes the target does
 * not wait for that.  Return: false if it is to be tried again.
 */
static bool pager_raise_flag(struct irqx_later *later,
			     struct irqx_target *target)
{
	struct kvm *kvm = target->delivery->vm->kvm;
	u32 __user *missed = NULL, *word = NULL;
	struct irqx_tally *tally;
	bool retry = false;
	int ret, fault = 0;
	u32 owed;

	for (;;) {
		target_lock_irq(target);
		if (!target->owed || target->masked || !target->to.has_flag)
			break;
		ret = raise_atomic(target, NULL, &word);
		if (ret == -EWOULDBLOCK && fault_is_final(fault) &&
		    word == missed)
			ret = fault;
		if (ret != -EWOULDBLOCK) {
			owed = target_take_owed(target, &tally);
			count_deferred(target->delivery, tally, owed, ret);
			break;
		}
		/* A memslot is being moved, or the page is gone again. */
		if (!word || missed) {
			retry = true;
			break;
		}
		missed = word;
		queue_set_state(later, IRQX_PAGED, IRQX_FAULTING);
		target_unlock_irq(target);

		fault = irqx_vp_fault_in(kvm, word);
		if (signal_pending(current))
			flush_signals(current);
		if (!queue_hold_again(later, IRQX_PAGED))
			return true;
	}
	if (target->owed)
		target_queue(target);
	target_unlock_irq(target);
	return !retry;
}

static bool target_has_flag(struct irqx_target *target)
{
	bool has;

	target_lock_irq(target);
	has = target->to.has_flag;
	target_unlock_irq(target);
	return has;
}

/* Return: false if one is to be tried again, and what came first is done. */
static bool pager_serve(struct irqx_later *later, struct irqx_target *target)
{
	bool done = true;

	if (!target_assert_asked(target))
		;
	else if (target_has_flag(target))
		done = pager_raise_flag(later, target);
	else
		target_deliver(later, target, IRQX_PAGED);
	queue_set_state(later, IRQX_PAGED, IRQX_IDLE);
	return done;
}

/*
 * All that waits, with the VM's mm where guest memory is written through it.  Return:
 * whether something is to be tried again.
 */
static bool pager_serve_all(struct irqx_later *later)
{
	struct irqx_vm *vm = container_of(later, struct irqx_vm, later);
	struct mm_struct *mm = vm->kvm->mm;
	struct irqx_target *target;
	u32 tries = 0;
	bool borrowed;

	borrowed = irqx_arch_writes_guest_memory() && mmget_not_zero(mm);
	if (borrowed)
		kthread_use_mm(mm);
	while (tries < IRQX_PAGER_TRIES && !READ_ONCE(later->finish)) {
		target = queue_take(later, IRQX_PAGED);
		if (!target)
			break;
		tries += !pager_serve(later, target);
		cond_resched();
	}
	if (borrowed) {
		kthread_unuse_mm(mm);
		/* The end of an address space takes long: this thread has the time. */
		mmput(mm);
	}
	return tries;
}

static void pager_wait(struct irqx_later *later, long timeout)
{
	set_current_state(TASK_IDLE);
	if (!xchg(&later->more, false) && !kthread_should_stop())
		schedule_timeout(timeout);
	__set_current_state(TASK_RUNNING);
}

static int pager_main(void *data)
{
	struct irqx_later *later = data;
	u32 nap = IRQX_PAGER_NAP_MIN;

	/* Ends a wait for a page of a target that has gone. */
	allow_signal(SIGKILL);
	irqx_arch_init_pager();

	while (!kthread_should_stop()) {
		bool retry = pager_serve_all(later);

		if (READ_ONCE(later->finish)) {
			later->finish(later);
			module_put_and_kthread_exit(0);
		}
		pager_wait(later, retry ? msecs_to_jiffies(nap) :
					  MAX_SCHEDULE_TIMEOUT);
		nap = retry ? min(nap * 2, IRQX_PAGER_NAP_MAX) :
			      IRQX_PAGER_NAP_MIN;
	}
	return 0;
}

/*
 * Who may deliver to entries.  Context: any, once irqx_deliver_prepare() has succeeded for some of
 * the VM.
 */
void irqx_deliver_classify(struct irqx_vm *vm, struct irqx_entries *entries)
{
	entries->atomic_ok = entries->nr == 1 &&
			     (entries->one.type != KVM_IRQ_ROUTING_IRQCHIP ||
			      vm->lines.pins_are_atomic);
	entries->paged = entries_are_paged(entries);
}

/**
 * irqx_deliver_prepare - see that events can go to some entries
 * @vm: the VM
 * @entries: new ones; if they are for the pager the VM has one from now on
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM, or -EINTR if killed.
 */
int irqx_deliver_prepare(struct irqx_vm *vm, struct irqx_entries *entries)
{
	struct irqx_later *later = &vm->later;
	struct task_struct *pager;
	int ret;

	irqx_lines_set_up(&vm->lines);
	irqx_deliver_classify(vm, entries);
	if (!entries->paged)
		return 0;
	/* Pairs with the release below. */
	if (smp_load_acquire(&later->pager))
		return 0;
	ret = mutex_lock_killable(&later->pager_mutex);
	if (ret)
		return ret;
	if (!later->pager) {
		pager = kthread_run(pager_main, later, "kvm-irqx/%d",
				    task_tgid_nr(current));
		ret = PTR_ERR_OR_ZERO(pager);
		if (!ret) {
			get_task_struct(pager);
			/* Pairs with the acquire above. */
			smp_store_release(&later->pager, pager);
		}
	}
	mutex_unlock(&later->pager_mutex);
	return ret;
}

/* Whatever it waits for, it waits no more; what has to be done is tried again. */
static void pager_interrupt(struct irqx_later *later)
{
	send_sig(SIGKILL, later->pager, 1);
}

void irqx_later_init(struct irqx_later *later)
{
	u32 id;

	raw_spin_lock_init(&later->lock);
	for (id = 0; id < IRQX_NR_QUEUES; id++)
		INIT_LIST_HEAD(&later->queues[id].targets);
	init_waitqueue_head(&later->progress);
	INIT_WORK(&later->prompt, later_prompt_work);
	mutex_init(&later->pager_mutex);
}

/* No target is left.  Context: may sleep, for one prompt injection. */
void irqx_later_flush(struct irqx_later *later)
{
	cancel_work_sync(&later->prompt);
}

/**
 * irqx_later_stop - end the pager
 * @later: no target is left, and irqx_later_flush() has been called
 * @finish: called by the pager in the end, if it is left behind
 *
 * Context: may sleep, but not for a page.
 * Return: whether the pager is in the middle of waiting for a page or in KVM, and is left
 * behind: then @later is not the caller's any more.
 */
bool irqx_later_stop(struct irqx_later *later,
		     void (*finish)(struct irqx_later *later))
{
	struct task_struct *pager = later->pager;
	enum irqx_queue_state state;
	bool busy;

	if (!pager)
		return false;

	/* Its code must stay; the file that is being closed holds it now. */
	__module_get(THIS_MODULE);
	raw_spin_lock_irq(&later->lock);
	state = later->queues[IRQX_PAGED].state;
	busy = state == IRQX_FAULTING || state == IRQX_INJECTING;
	if (busy)
		WRITE_ONCE(later->finish, finish);
	raw_spin_unlock_irq(&later->lock);

	if (busy) {
		send_sig(SIGKILL, pager, 1);
	} else {
		kthread_stop(pager);
		module_put(THIS_MODULE);
	}
	return busy;
}

/* Nobody uses it any more.  Context: any. */
void irqx_later_destroy(struct irqx_later *later)
{
	if (later->pager)
		put_task_struct(later->pager);
}

/* ---- changes ---- */

void irqx_target_init(struct irqx_target *target,
		      struct irqx_delivery *delivery, spinlock_t *lock)
{
	target->delivery = delivery;
	target->sleeping_lock = lock;
	target->epoch = 1;
	INIT_LIST_HEAD(&target->waiting);
}

/* One whose events come in any context: irqx_target_event(). */
void irqx_target_init_raw(struct irqx_target *target,
			  struct irqx_delivery *delivery, raw_spinlock_t *lock)
{
	irqx_target_init(target, delivery, NULL);
	target->lock = lock;
	target->raw = true;
}

/* An injection that has begun by the entries that the target has had till now. */
static void leave_note(struct irqx_later *later, struct irqx_target *target,
		       struct irqx_leave *leave)
{
	struct irqx_queue *queue;
	u32 id;

	lockdep_assert_held(&later->lock);

	for (id = 0; id < IRQX_NR_QUEUES; id++) {
		queue = &later->queues[id];
		if (queue->now != target || queue->state != IRQX_INJECTING)
			continue;
		leave->taken[id] = queue->taken;
		leave->begun |= BIT(id);
	}
}

/*
 * The entries are new: what waits may be for the other queue, and not for the page that the
 * pager waits for.  Return: whether it does.
 */
static bool target_requeue(struct irqx_later *later, struct irqx_target *target,
			   struct irqx_leave *leave)
{
	struct irqx_queue *paged = &later->queues[IRQX_PAGED];
	unsigned long flags;
	bool faulting;

	target_assert_held(target);

	raw_spin_lock_irqsave(&later->lock, flags);
	leave_note(later, target, leave);
	faulting = paged->now == target && paged->state == IRQX_FAULTING;
	if (faulting)
		paged->now = NULL;
	list_del_init(&target->waiting);
	raw_spin_unlock_irqrestore(&later->lock, flags);

	if (target->owed || target->asked)
		target_queue(target);
	return faulting;
}

/**
 * irqx_target_open - see what a wake-up may do
 * @target: new, and nobody has seen it; or its entries or mask have just been changed
 *
 * Context: any.
 */
void irqx_target_open(struct irqx_target *target)
{
	struct irqx_entries *to = &target->to;
	bool now = !target->masked && !target->closed;

	/* Those that lead to a vector are neither. */
	to->inline_now = to->inline_ok && now;
	to->atomic_now = to->atomic_ok && now;
	/* Under a raw lock nothing that takes others; levels have one that is not. */
	if (target->raw) {
		to->inline_now &= irqx_arch_injects_raw(&to->one);
		to->atomic_now = to->inline_now;
	}
}

/**
 * irqx_target_close - events are nothing any more
 * @target: the owner keeps its memory; irqx_target_retire() follows
 *
 * Context: any with interrupts on.
 */
void irqx_target_close(struct irqx_target *target)
{
	target_lock_irq(target);
	target->closed = true;
	target->masked = true;
	irqx_target_open(target);
	target_unlock_irq(target);
}

/**
 * irqx_target_plug - have a source at a target, and its level at the target's lines
 * @target: irqx_lines_prepare() has succeeded for its entries; no event of the source comes yet
 * @source: at no target
 *
 * Context: any with interrupts on.
 */
void irqx_target_plug(struct irqx_target *target, struct irqx_source *source)
{
	spin_lock(&source->lines->plugs_lock);
	irqx_source_set_masked(source, irqx_target_is_masked(target));
	hlist_add_head(&source->node, &target->sources);
	irqx_source_move(source, &target->to);
	spin_unlock(&source->lines->plugs_lock);
}

/**
 * irqx_target_unplug - undo it
 * @source: no event comes any more
 *
 * A pin falls unless others hold it.
 *
 * Context: any with interrupts on.
 * Return: whether it is masked, with a level that the guest has not seen.
 */
bool irqx_target_unplug(struct irqx_source *source)
{
	bool pending;

	spin_lock(&source->lines->plugs_lock);
	pending = irqx_source_is_pending(source);
	hlist_del(&source->node);
	irqx_source_move(source, NULL);
	spin_unlock(&source->lines->plugs_lock);
	return pending;
}

/*
 * Held levels that go to an entry without one become events.  Return: whether there is one
 * of KVM_IRQ_LINE, which is sent once.
 */
static bool sources_unhold(struct irqx_target *target,
			   const struct irqx_entries *entries)
{
	struct irqx_counters __percpu *counters = target->delivery->counters;
	struct irqx_source *source;
	bool sent = false;

	if (!entries->nr || irqx_entry_has_level(&entries->one))
		return false;
	/* There they had none. */
	if (target->to.nr && !irqx_entry_has_level(&target->to.one))
		return false;
	hlist_for_each_entry(source, &target->sources, node) {
		if (!irqx_source_unhold(source))
			continue;
		if (!irqx_source_hears(source))
			sent = true;
		else if (!xchg(&source->asked, true))
			this_cpu_inc(counters->not_inline);
	}
	return sent;
}

static void sources_set_masked(struct irqx_target *target, bool masked)
{
	struct irqx_source *source;

	hlist_for_each_entry(source, &target->sources, node)
		irqx_source_set_masked(source, masked);
}

static bool sources_are_asked(struct irqx_target *target)
{
	struct irqx_source *source;

	hlist_for_each_entry(source, &target->sources, node)
		if (READ_ONCE(source->asked) || READ_ONCE(source->asked_low))
			return true;
	return false;
}

/* What a wake-up could do is done at once; all that is pending is one interrupt. */
static void deliver_unmasked(struct irqx_target *target)
{
	struct irqx_tally *tally;
	u32 owed;
	int ret;

	if (target_latches(target))
		target_owe_asked(target);
	if (!target->owed)
		return;
	ret = raise_atomic(target, NULL, NULL);
	if (ret == -EWOULDBLOCK)
		return;
	owed = target_take_owed(target, &tally);
	count_deferred(target->delivery, tally, owed, ret);
}

/* The part of irqx_target_change() that events and workers see at once. */
static bool target_change_locked(struct irqx_target *target,
				 struct irqx_entries *entries, bool masked,
				 struct irqx_leave *leave)
{
	bool unmasked = target->masked && !masked;
	struct irqx_target *vector;

	target_assert_held(target);

	if (entries) {
		swap(target->to, *entries);
		/* What is pending there stays, and is nobody's. */
		vector = irqx_entries_onward(entries);
		if (vector)
			vector_disown(vector);
	}
	target->masked = masked;
	irqx_target_open(target);
	target->asked = sources_are_asked(target);
	vector = irqx_entries_onward(&target->to);
	if (vector)
		target_pass_on(target, vector);
	else if (unmasked)
		deliver_unmasked(target);
	return target_requeue(&target->delivery->vm->later, target, leave);
}

/**
 * irqx_target_change - send events elsewhere, keep them back, let them go
 * @target: what to change
 * @entries: the new entries; on return the old ones; NULL: they stay
 * @mask: what becomes of the mask
 * @leave: what irqx_leave_wait() has to wait for
 *
 * The only function that changes a target.  When it returns no injection by the old
 * entries, or of a masked target, will begin any more; one that has begun is noted in
 * @leave.  An event that waits goes to the new entries, and so does one that holds a pin,
 * or a line that is not there yet.
 *
 * For a pin to be masked is as to have no sources: they keep their levels, and drive it
 * when it is unmasked.  Else what is pending is one event then.  What leads to a vector has no
 * mask, and keeps nothing: the vector has both.
 *
 * Context: any with interrupts on; takes no mutex and allocates nothing, so that a vCPU's
 * thread can call it inside kvm->srcu.  Whoever calls it for the same target at the same
 * time is kept out by the caller.
 */
void irqx_target_change(struct irqx_target *target,
			struct irqx_entries *entries, enum irqx_mask mask,
			struct irqx_leave *leave)
{
	struct irqx_vm *vm = target->delivery->vm;
	bool was_masked = irqx_target_is_masked(target);
	struct irqx_source *source;
	bool masked, sent, faulting, onward;

	onward = entries && irqx_entries_onward(entries);
	masked = mask == IRQX_MASK_KEEP ? was_masked : mask == IRQX_MASK_SET;
	if (onward)
		masked = false;
	if (!entries && masked == was_masked) {
		/* Whoever has masked it may be waiting yet. */
		irqx_target_note(target, leave);
		return;
	}

	/* An EOI of the new line waits for this lock, and so for the sources to be there. */
	spin_lock(&vm->lines.plugs_lock);
	if (masked != was_masked)
		trace_irqx_mask(&target->to.one, masked);
	/* Levels leave the old pin, or come to the new one, but never to the other. */
	if (masked)
		sources_set_masked(target, true);
	if (entries)
		hlist_for_each_entry(source, &target->sources, node)
			irqx_source_move(source, entries);
	sent = entries && sources_unhold(target, entries);

	target_lock_irq(target);
	if (sent) {
		/* As in irqx_target_raise(). */
		this_cpu_inc(target->delivery->counters->not_inline);
		target->owed++;
	}
	faulting = target_change_locked(target, entries, masked, leave);
	target_unlock_irq(target);

	if (!masked)
		sources_set_masked(target, false);
	spin_unlock(&vm->lines.plugs_lock);

	/* The page is of no use to it any more, and others wait. */
	if (faulting)
		pager_interrupt(&vm->later);
	/* For irqx_target_wait(): what is owed is not delivered, or has been. */
	if ((mask != IRQX_MASK_KEEP || onward) && wq_has_sleeper(&vm->later.progress))
		wake_up_all(&vm->later.progress);
	/* A vector has no sources, and a guest does not tell those of others. */
	if (!hlist_empty(&target->sources))
		irqx_lines_tell(&vm->lines);
}

/**
 * irqx_target_set_pending - make it pending, or not
 * @target: a vector's; whoever changes it is kept out by the caller
 * @pending: which
 *
 * If it is not masked there is an interrupt.
 *
 * Context: any with interrupts on.
 */
void irqx_target_set_pending(struct irqx_target *target, bool pending)
{
	struct irqx_counters __percpu *counters = target->delivery->counters;
	struct irqx_tally *tally;

	target_lock_irq(target);
	if (!pending) {
		/* They are no events any more. */
		this_cpu_sub(counters->not_inline, target_take_owed(target, &tally));
	} else if (!target->owed) {
		this_cpu_inc(counters->not_inline);
		vector_deliver(target, NULL, 1);
	}
	target_unlock_irq(target);
}

/* But for levels of its sources. */
static u32 target_state_locked(const struct irqx_target *target)
{
	target_assert_held(target);

	return (target->masked ? KVM_IRQX_STATE_MASKED : 0) |
	       (target->owed ? KVM_IRQX_STATE_PENDING : 0);
}

static u32 target_state_nested(struct irqx_target *target)
{
	unsigned long flags;
	u32 state;

	flags = target_lock_nested(target);
	state = target_state_locked(target);
	target_unlock_nested(target, flags);
	return state;
}

/* Those that are for the target's line, or for one that it is to have. */
static u32 sources_state(struct irqx_target *target)
{
	struct irqx_source *source;

	lockdep_assert_held(&target->delivery->vm->lines.plugs_lock);

	hlist_for_each_entry(source, &target->sources, node)
		if (irqx_source_is_pending(source))
			return KVM_IRQX_STATE_PENDING;
	return 0;
}

/**
 * irqx_target_state - masked, pending
 * @target: the caller sees to it that it stays, and is not changed meanwhile
 *
 * Context: any with interrupts on.
 * Return: KVM_IRQX_STATE_*; pending is what has come and has not been handed to KVM.  Of one
 * that leads to a vector it is the vector's.
 */
u32 irqx_target_state(struct irqx_target *target)
{
	struct irqx_lines *lines = &target->delivery->vm->lines;
	struct irqx_target *vector = irqx_entries_onward(&target->to);
	u32 state;

	if (vector)
		target = vector;
	spin_lock(&lines->plugs_lock);
	target_lock_irq(target);
	state = target_state_locked(target);
	target_unlock_irq(target);
	state |= sources_state(target);
	spin_unlock(&lines->plugs_lock);
	return state;
}

static void observe_events(struct irqx_irqfd *irqfd, struct irqx_observed *seen)
{
	struct irqx_target *target = irqx_entries_onward(&irqfd->target->to) ?: irqfd->target;

	target_lock_irq(&irqfd->own);
	seen->events = irqfd->tally.events;
	seen->coalesced = atomic64_read(&irqfd->tally.coalesced);
	seen->refused = atomic64_read(&irqfd->tally.refused);
	if (target == &irqfd->own)
		seen->state = target_state_locked(target);
	else
		seen->state = target_state_nested(target);
	target_unlock_irq(&irqfd->own);
}

/**
 * irqx_deliver_observe - what has become of a binding's events so far
 * @irqfd: bound
 * @seen: out
 *
 * Its own events wait for this, and no others: where they have a line, those of the VM's lines too.
 *
 * Context: any with interrupts on; the context's lock is held.
 */
void irqx_deliver_observe(struct irqx_irqfd *irqfd, struct irqx_observed *seen)
{
	struct irqx_target *target = irqfd->target;
	struct irqx_lines *lines = &target->delivery->vm->lines;

	/* The context's own come and go under its lock. */
	if (hlist_empty(&target->sources)) {
		observe_events(irqfd, seen);
		return;
	}
	spin_lock(&lines->plugs_lock);
	observe_events(irqfd, seen);
	seen->state |= sources_state(target);
	spin_unlock(&lines->plugs_lock);
}

/**
 * irqx_target_note - what is under way at a target that stays
 * @target: it
 * @leave: as irqx_target_change()
 *
 * Context: any.
 */
void irqx_target_note(struct irqx_target *target, struct irqx_leave *leave)
{
	struct irqx_later *later = &target->delivery->vm->later;
	unsigned long flags;

	raw_spin_lock_irqsave(&later->lock, flags);
	leave_note(later, target, leave);
	raw_spin_unlock_irqrestore(&later->lock, flags);
}

/* Nobody will count what is under way when it is done, since the target will be gone. */
static void queue_forget(struct irqx_later *later, enum irqx_queue_id id)
{
	struct irqx_queue *queue = &later->queues[id];
	struct irqx_target *target = queue->now;

	lockdep_assert_held(&later->lock);

	if (queue->state == IRQX_INJECTING)
		count_deferred(target->delivery, NULL, queue->events, 1);
	WRITE_ONCE(queue->tally, NULL);
	queue->now = NULL;
}

static bool target_is_held(struct irqx_later *later, struct irqx_target *target)
{
	u32 id;

	lockdep_assert_held(&later->lock);

	for (id = 0; id < IRQX_NR_QUEUES; id++)
		if (later->queues[id].now == target &&
		    later->queues[id].state == IRQX_HOLDING)
			return true;
	return false;
}

static bool target_let_go(struct irqx_later *later, struct irqx_target *target,
			  struct irqx_leave *leave, bool *faulting)
{
	bool held;
	u32 id;

	raw_spin_lock_irq(&later->lock);
	held = target_is_held(later, target);
	if (!held) {
		list_del_init(&target->waiting);
		leave_note(later, target, leave);
		*faulting = later->queues[IRQX_PAGED].now == target &&
			    later->queues[IRQX_PAGED].state == IRQX_FAULTING;
		for (id = 0; id < IRQX_NR_QUEUES; id++)
			if (later->queues[id].now == target)
				queue_forget(later, id);
	}
	raw_spin_unlock_irq(&later->lock);
	return !held;
}

/**
 * irqx_target_retire - nothing will be delivered by this target any more
 * @target: no event comes any more; afterwards its memory is the caller's alone
 * @leave: as irqx_target_change()
 *
 * Context: may sleep, while a worker uses the target: no longer than it takes to assert its
 * pins.
 */
void irqx_target_retire(struct irqx_target *target, struct irqx_leave *leave)
{
	struct irqx_later *later = &target->delivery->vm->later;
	bool faulting;

	wait_event(later->progress,
		   target_let_go(later, target, leave, &faulting));
	/* Of a GSI that has lost its route. */
	this_cpu_add(target->delivery->counters->unrouted, target->owed);
	/* The page is of no use to it any more, and others wait. */
	if (faulting)
		pager_interrupt(later);
}

static bool injection_is_over(struct irqx_later *later, enum irqx_queue_id id,
			      u32 taken)
{
	struct irqx_queue *queue = &later->queues[id];
	bool over;

	raw_spin_lock_irq(&later->lock);
	over = queue->taken != taken || queue->state != IRQX_INJECTING;
	raw_spin_unlock_irq(&later->lock);
	return over;
}

static int leave_wait(struct irqx_vm *vm, struct irqx_leave *leave, unsigned int state)
{
	struct irqx_later *later = &vm->later;
	struct irqx_source *source;
	struct hlist_node *next;
	int ret = 0;
	u32 id;

	for (id = 0; leave->begun >> id; id++) {
		if (!(leave->begun & BIT(id)))
			continue;
		if (wait_event_state(later->progress,
				     injection_is_over(later, id,
						       leave->taken[id]),
				     state)) {
			ret = -EINTR;
			if (id == IRQX_PAGED)
				pager_interrupt(later);
		}
	}
	hlist_for_each_entry_safe(source, next, &leave->sources, node) {
		hlist_del(&source->node);
		if (irqx_source_wait_told(source))
			ret = -EINTR;
	}
	return ret;
}

/**
 * irqx_leave_wait - wait for what was under way when targets were changed or removed
 * @vm: theirs
 * @leave: filled in by that
 *
 * Context: may sleep, with no lock held.  A page of the guest decides how long, and so does
 * whoever serves it: killable.
 * Return: 0, or -EINTR if killed: an injection is then left behind.
 */
int irqx_leave_wait(struct irqx_vm *vm, struct irqx_leave *leave)
{
	return leave_wait(vm, leave, TASK_KILLABLE | TASK_FREEZABLE);
}

/*
 * The same on a vCPU's thread, within KVM: whoever wants the machine frozen must not find it
 * with KVM's locks.
 */
int irqx_leave_wait_in_guest(struct irqx_vm *vm, struct irqx_leave *leave)
{
	return leave_wait(vm, leave, TASK_KILLABLE);
}

/**
 * irqx_leave_finish_prompt - wait for what nobody can prolong
 * @vm: as irqx_leave_wait()
 * @leave: likewise
 *
 * After a close nothing comes any more but what waits for a page of the guest.
 *
 * Context: may sleep, for one prompt injection; no lock is held.
 */
void irqx_leave_finish_prompt(struct irqx_vm *vm, struct irqx_leave *leave)
{
	if (leave->begun & BIT(IRQX_PROMPT))
		wait_event(vm->later.progress,
			   injection_is_over(&vm->later, IRQX_PROMPT,
					     leave->taken[IRQX_PROMPT]));
}

/* An event, but for the fast way of irqx_target_event().  @inject: as irqx_may_inject(). */
static int event_locked(struct irqx_target *target, struct irqx_source *source, bool inject)
{
	struct irqx_target *vector;

	target_assert_held(target);

	if (target->closed)
		return -ENODEV;
	vector = irqx_entries_onward(&target->to);
	if (vector)
		deliver_onward(vector, NULL, inject);
	else if (deliver_atomic(target, source, NULL, inject))
		;
	else if (source)
		source_ask(target, source);
	else
		target_owe(target, NULL, 1);
	return 0;
}

/* The rest of irqx_target_event(), with the target's lock held, and released here. */
int irqx_event_slow_unlock(struct irqx_target *target, bool inject, unsigned long flags)
	__releases(target->lock)
{
	int ret = event_locked(target, NULL, inject);

	raw_spin_unlock_irqrestore(target->lock, flags);
	return ret;
}

/* Likewise: what has come of the injection. */
void irqx_event_count(struct irqx_target *target, int ret)
{
	struct irqx_delivery *delivery = target->delivery;

	if (ret == -EWOULDBLOCK) {
		this_cpu_inc(delivery->counters->not_inline);
		/* It is counted as one, so as none within the call. */
		this_cpu_dec(delivery->counters->atomic);
		target_owe(target, NULL, 1);
		return;
	}
	if (ret <= 0)
		count_result(delivery, NULL, ret);
	if (trace_irqx_inject_enabled())
		trace_vector(target, ret);
}

/**
 * irqx_target_assert - a source's level rises
 * @target: with a raw lock; the caller sees to it that its memory stays
 * @source: plugged in there
 *
 * Context: any but NMI.
 * Return: 0, or -ENODEV after irqx_target_close().
 */
int irqx_target_assert(struct irqx_target *target, struct irqx_source *source)
{
	bool inject = irqx_may_inject();
	unsigned long flags;
	int ret;

	raw_spin_lock_irqsave(target->lock, flags);
	ret = event_locked(target, source, inject);
	raw_spin_unlock_irqrestore(target->lock, flags);
	return ret;
}

/**
 * irqx_target_lower - a source's level falls
 * @target: as irqx_target_assert()
 * @source: plugged in there
 *
 * By a worker.  Where there is no level, what has been raised is an event, and stays one.
 *
 * Context: any but NMI.
 * Return: as irqx_target_assert().
 */
int irqx_target_lower(struct irqx_target *target, struct irqx_source *source)
{
	unsigned long flags;
	int ret = 0;

	raw_spin_lock_irqsave(target->lock, flags);
	if (target->closed) {
		ret = -ENODEV;
	} else if (!target_latches(target)) {
		if (xchg(&source->asked, false))
			count_merged(target->delivery, source->tally, 1);
		WRITE_ONCE(source->asked_low, true);
		target->asked = true;
		target_queue(target);
	}
	raw_spin_unlock_irqrestore(target->lock, flags);
	return ret;
}

/* As irqx_target_raise(). */
static int raise_onward(struct irqx_target *vector)
{
	int ret;

	target_lock_irq(vector);
	ret = vector_raise(vector);
	if (ret == -EWOULDBLOCK) {
		this_cpu_inc(vector->delivery->counters->not_inline);
		ret = vector->masked || !vector->to.nr ? -1 : 1;
		target_owe(vector, NULL, 1);
	}
	target_unlock_irq(vector);
	return ret;
}

/**
 * irqx_target_raise - one interrupt at the entry of a target
 * @target: a GSI's, routed to what has no level
 *
 * Context: may sleep; the context's lock is held.
 * Return: as kvm_set_irq(), so negative if it is masked, where it stays pending; or
 * -EWOULDBLOCK if irqx_target_wait() has to wait for it.  Nobody waits for a vector.
 */
int irqx_target_raise(struct irqx_target *target)
{
	struct irqx_target *vector = irqx_entries_onward(&target->to);
	int ret;

	if (vector)
		return raise_onward(vector);
	target_lock_irq(target);
	ret = raise_atomic(target, NULL, NULL);
	if (ret == -EWOULDBLOCK) {
		/* It is counted as an event, since it will be as a deferred one. */
		this_cpu_inc(target->delivery->counters->not_inline);
		if (target->masked)
			ret = -1;
		/* Nobody waits there, so this has to end somewhere. */
		if (target->masked && target->owed)
			count_deferred(target->delivery, NULL, 1, 0);
		else
			target->owed++;
		target_queue(target);
	}
	target_unlock_irq(target);
	return ret;
}

/* Whether nothing that is to be delivered waits there; then what is under way is noted. */
static bool target_has_begun(struct irqx_target *target,
			     struct irqx_leave *leave)
{
	bool begun;

	target_lock_irq(target);
	begun = !target->owed || target->masked;
	irqx_target_note(target, leave);
	target_unlock_irq(target);
	return begun;
}

/**
 * irqx_target_wait - wait until what was raised has been delivered
 * @target: the caller sees to it that it stays
 *
 * Context: may sleep, with no lock held, as irqx_leave_wait().
 * Return: 0, or -EINTR if killed.
 */
int irqx_target_wait(struct irqx_target *target)
{
	struct irqx_vm *vm = target->delivery->vm;
	struct irqx_leave leave = {};

	if (wait_event_state(vm->later.progress,
			     target_has_begun(target, &leave),
			     (TASK_KILLABLE | TASK_FREEZABLE)))
		return -EINTR;
	return irqx_leave_wait(vm, &leave);
}

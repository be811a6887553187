// SPDX-License-Identifier: GPL-2.0
/*
 * One line of the guest's interrupt hardware, shared by several sources: a pin
 * of the IOAPIC or PIC with a level, or a SINT or the vector of level-triggered MSIs,
 * which have none but are acknowledged all the same.
 *
 * The level of a pin is the OR of the levels of its sources that are not masked.  When the guest
 * acknowledges the interrupt, the sources that have a resamplefd let go, the pin
 * falls if nobody else holds it, and every resamplefd is signalled: a device
 * that still wants service asserts again.  The fall comes first, or a quick
 * device would assert into it and be lost.
 *
 * A pin may be up though no source holds it: a VMM that restores a VM puts the state of
 * the interrupt controller back.  Whoever lowers it for KVM lowers it here, as well: an
 * EOI if there is a resamplefd, the last resamplefd that leaves, and KVM_IRQ_LINE.
 */
#include <linux/eventfd.h>
#include <linux/slab.h>

#include "ack.h"
#include "arch/arch.h"
#include "kvm/inject.h"
#include "kvm/kvm.h"
#include "line.h"
#include "trace.h"
#include "work.h"

/* Of a VM: an EOI walks those of its line with preemption off. */
#define IRQX_MAX_SOURCES	4096

/*
 * Resamplefds that a probe signals itself, with preemption off or even interrupts.  How
 * long one signal takes is up to those who wait for that eventfd.
 */
#define IRQX_TELL_AT_ONCE	16

struct irqx_line {
	struct irqx_lines *lines;	/* immutable */
	struct kvm_kernel_irq_routing_entry entry;	/* immutable */
	bool armed;			/* its EOIs are listened to; lines.lock */
	bool told;			/* a SINT's EOI; by the vCPU's thread alone */
	u32 high;			/* who holds it; levels_lock */
	bool event;			/* a PPI's event is among them; levels_lock */
	bool again;			/* and will be for one EOI more; levels_lock */
	u64 let_go;			/* the last of lines.nr_let_go; levels_lock */
	u32 resamplers;			/* plugs with a resamplefd; lines.plugs_lock */
	struct list_head plugs;		/* lines.plugs_lock */
	struct irqx_pin_watch watch;	/* a pin's; irqx_kvm_watch_pin() */
	struct work_struct ack;		/* where the vCPU's thread may not do it */
};

static bool line_is_pin(const struct irqx_line *line)
{
	return irqx_entry_has_level(&line->entry);
}

static enum irqx_ack_kind line_ack_kind(const struct irqx_line *line)
{
	switch (line->entry.type) {
	case KVM_IRQ_ROUTING_IRQCHIP:
		return IRQX_ACK_PIN;
	case KVM_IRQX_ROUTING_PPI:
		return IRQX_ACK_PPI;
	case KVM_IRQ_ROUTING_MSI:
		return IRQX_ACK_VECTOR;
	default:
		return IRQX_ACK_SINT;
	}
}

static bool pins_are_atomic(const struct irqx_lines *lines)
{
	return irqx_arch_pins_are_raw() && lines->pins_are_atomic;
}

/*
 * Where pins are atomic a wake-up takes levels_lock, and that may be in an interrupt
 * handler.  Elsewhere interrupts stay on, since what KVM does to a pin needs them.
 */
static unsigned long levels_lock(struct irqx_lines *lines)
	__acquires(&lines->levels_lock)
{
	unsigned long flags = 0;

	if (pins_are_atomic(lines))
		spin_lock_irqsave(&lines->levels_lock, flags);
	else
		spin_lock(&lines->levels_lock);
	return flags;
}

static void levels_unlock(struct irqx_lines *lines, unsigned long flags)
	__releases(&lines->levels_lock)
{
	if (pins_are_atomic(lines))
		spin_unlock_irqrestore(&lines->levels_lock, flags);
	else
		spin_unlock(&lines->levels_lock);
}

/* By a wake-up; for KVM_IRQ_LINE_STATUS, for which KVM looks closer; or neither. */
enum line_how {
	LINE_LATER,
	LINE_ATOMIC,
	LINE_STATUS,
};

static noinline int pin_drive_traced(struct irqx_lines *lines,
				     struct kvm_kernel_irq_routing_entry *e,
				     int level, enum line_how how)
{
	int ret;

	ret = irqx_kvm_set_pin(lines->kvm, lines->source_id, e, level,
			       how == LINE_STATUS);
	trace_irqx_inject(e, how == LINE_ATOMIC, level, ret);
	return ret;
}

static int pin_drive(struct irqx_lines *lines, struct kvm_kernel_irq_routing_entry *e,
		     int level, enum line_how how)
{
	lockdep_assert_held(&lines->levels_lock);

	/* To keep all this for a tracepoint that is off would cost as much again. */
	if (trace_irqx_inject_enabled())
		return pin_drive_traced(lines, e, level, how);
	return irqx_kvm_set_pin(lines->kvm, lines->source_id, e, level,
				how == LINE_STATUS);
}

/*
 * Whoever has raised it; it stays up if it is held.  For an SPI that is an edge each call
 * with 1 is an event, and KVM's own with 0 are nothing, whoever holds it.
 */
static int pin_lower(struct irqx_lines *lines, struct kvm_kernel_irq_routing_entry *e,
		     bool held, enum line_how how)
{
	if (held && irqx_arch_pins_are_raw())
		return 0;
	return pin_drive(lines, e, held, how);
}

static int line_drive(struct irqx_line *line, int level, enum line_how how)
{
	return pin_drive(line->lines, &line->entry, level, how);
}

/* Context: under RCU, or where the lines stay.  Return: NULL if no source has been there. */
static struct irqx_line *line_find(struct irqx_lines *lines,
				   const struct kvm_kernel_irq_routing_entry *e)
{
	return xa_empty(&lines->all) ? NULL :
	       xa_load(&lines->all, irqx_arch_line_key(e));
}

static void line_ack_work(struct work_struct *work);

static struct irqx_line *line_create(struct irqx_lines *lines,
				     unsigned long key,
				     const struct kvm_kernel_irq_routing_entry *e)
{
	struct irqx_line *line;
	int ret;

	lockdep_assert_held(&lines->lock);

	line = kzalloc(sizeof(*line), GFP_KERNEL_ACCOUNT);
	if (!line)
		return ERR_PTR(-ENOMEM);
	line->lines = lines;
	line->entry = *e;
	INIT_LIST_HEAD(&line->plugs);
	INIT_WORK(&line->ack, line_ack_work);

	ret = xa_insert(&lines->all, key, line, GFP_KERNEL_ACCOUNT);
	if (ret) {
		kfree(line);
		return ERR_PTR(ret);
	}
	return line;
}

/* KVM_IRQ_LINE alone does not make every VM of the host pay for EOIs. */
static int line_arm(struct irqx_line *line)
{
	struct irqx_lines *lines = line->lines;
	int ret;

	lockdep_assert_held(&lines->lock);

	if (line->armed || !irqx_arch_has_eoi(lines->kvm, &line->entry))
		return 0;
	ret = irqx_ack_arm(lines->kvm, &lines->acks, line_ack_kind(line));
	if (ret)
		return ret;
	/* As KVM, which has an ack notifier for a GSI that has a resamplefd. */
	if (line_is_pin(line))
		irqx_kvm_watch_pin(lines->kvm, &line->watch, &line->entry);
	/* Pairs with line_raise(). */
	smp_store_release(&line->armed, true);
	return 0;
}

/**
 * irqx_lines_prepare - see that a line exists
 * @lines: the VM's
 * @e: an entry
 * @eoi: a source with a resamplefd is to be plugged in
 *
 * A line stays until the last context of its VM is closed, so that sources can
 * be plugged in, later, where nothing may fail.
 *
 * Context: may sleep.
 * Return: 0, also for an entry that has no line (an MSI), or a negative errno.
 */
int irqx_lines_prepare(struct irqx_lines *lines,
		       const struct kvm_kernel_irq_routing_entry *e, bool eoi)
{
	long key = irqx_arch_line_key(e);
	struct irqx_line *line;
	int ret;

	if (key < 0)
		return 0;

	ret = mutex_lock_killable(&lines->lock);
	if (ret)
		return ret;
	line = xa_load(&lines->all, key) ?: line_create(lines, key, e);
	ret = PTR_ERR_OR_ZERO(line);
	if (!ret && eoi)
		ret = line_arm(line);
	mutex_unlock(&lines->lock);
	return ret;
}

/* SINTs and vectors have no level. */
static void line_hold(struct irqx_line *line, int by)
{
	lockdep_assert_held(&line->lines->levels_lock);

	if (line_is_pin(line))
		line->high += by;
}

static int line_lower(struct irqx_line *line, enum line_how how)
{
	if (!line_is_pin(line))
		return 0;
	return pin_lower(line->lines, &line->entry, line->high, how);
}

/*
 * Nobody hears EOIs any more.  Whether the guest has taken the event is not known: an
 * interrupt too many is better than one too few.
 */
static void line_release_event(struct irqx_line *line)
{
	struct irqx_lines *lines = line->lines;
	int ret;

	if (!line->event)
		return;
	line->event = false;
	line->again = false;
	line_hold(line, -1);
	line_lower(line, LINE_LATER);
	ret = irqx_kvm_inject_atomic(&line->entry, lines->kvm, lines->source_id);
	trace_irqx_inject(&line->entry, false, 1, ret);
}

/* At most once for @nr, of lines.nr_let_go. */
static void line_lower_at(struct irqx_line *line, u64 nr)
{
	if (line->let_go != nr && line_is_pin(line))
		line_drive(line, !!line->high, LINE_LATER);
	line->let_go = nr;
}

/**
 * irqx_source_alloc - a level source that is connected to nothing
 * @lines: the VM's
 * @resamplefd: what to signal at an EOI, taken over on success; or NULL
 *
 * Context: may sleep.
 * Return: the source, ERR_PTR(-ENOSPC) if the VM has its fill, -ENOMEM.
 */
struct irqx_source *irqx_source_alloc(struct irqx_lines *lines,
				      struct eventfd_ctx *resamplefd)
{
	struct irqx_source *source;

	if (!atomic_add_unless(&lines->nr_sources, 1, IRQX_MAX_SOURCES))
		return ERR_PTR(-ENOSPC);
	source = kzalloc(sizeof(*source), GFP_KERNEL_ACCOUNT);
	if (!source) {
		atomic_dec(&lines->nr_sources);
		return ERR_PTR(-ENOMEM);
	}
	source->lines = lines;
	source->resamplefd = resamplefd;
	refcount_set(&source->refs, 1);
	INIT_LIST_HEAD(&source->untold);
	return source;
}

/**
 * irqx_source_put - drop a reference
 * @source: connected to nothing if it is the owner's; NULL is no source
 *
 * Context: any in which memory can be freed.
 */
void irqx_source_put(struct irqx_source *source)
{
	struct irqx_lines *lines;

	if (!source)
		return;
	lines = source->lines;
	if (!refcount_dec_and_test(&source->refs)) {
		/* Pairs with source_wait(): it counts itself, then looks. */
		smp_mb();
		if (atomic_read(&lines->leaving))
			wake_up_all(&lines->told);
		return;
	}
	if (source->resamplefd)
		eventfd_ctx_put(source->resamplefd);
	atomic_dec(&lines->nr_sources);
	kfree(source);
}

/* Until nobody tells it any more.  Return: 0, or as wait_event_state(). */
static int source_wait(struct irqx_source *source, unsigned int state)
{
	struct irqx_lines *lines = source->lines;
	int ret;

	atomic_inc(&lines->leaving);
	/* Pairs with irqx_source_put(): it drops its reference, then looks. */
	smp_mb__after_atomic();
	ret = wait_event_state(lines->told, refcount_read(&source->refs) == 1, state);
	atomic_dec(&lines->leaving);
	return ret;
}

/**
 * irqx_source_wait_told - drop the owner's reference, when nobody tells it any more
 * @source: connected to nothing, so that nobody begins to
 *
 * Context: may sleep, with no lock held.
 * Return: 0, or -EINTR if killed: then it may be signalled once more.
 */
int irqx_source_wait_told(struct irqx_source *source)
{
	int ret = source_wait(source, TASK_KILLABLE | TASK_FREEZABLE);

	irqx_source_put(source);
	return ret ? -EINTR : 0;
}

/**
 * irqx_source_wait_heard - the same, of one that is told by a call-back
 * @source: as irqx_source_wait_told()
 *
 * Context: may sleep.  Bounded: who tells a line's sources does not sleep in between.
 */
void irqx_source_wait_heard(struct irqx_source *source)
{
	source_wait(source, TASK_UNINTERRUPTIBLE);
	irqx_source_put(source);
}

static void line_count_resampler(struct irqx_line *line,
				 const struct irqx_source *source, int by)
{
	lockdep_assert_held(&line->lines->plugs_lock);

	if (irqx_source_hears(source))
		WRITE_ONCE(line->resamplers, line->resamplers + by);
}

static bool source_is_on(struct irqx_source *source, struct irqx_line *line)
{
	u32 i;

	for (i = 0; i < source->nr; i++)
		if (source->plugs[i].line == line)
			return true;
	return false;
}

/* How often it counts among those that hold its lines. */
static int source_holds(const struct irqx_source *source)
{
	lockdep_assert_held(&source->lines->levels_lock);

	return source->high && !source->masked;
}

/* Whose leaving would have lowered it, and has not been masked either. */
static bool line_has_unmasked_resampler(const struct irqx_line *line)
{
	struct irqx_plug *plug;

	lockdep_assert_held(&line->lines->plugs_lock);

	list_for_each_entry(plug, &line->plugs, node)
		if (irqx_source_hears(plug->source) && !plug->source->masked)
			return true;
	return false;
}

/* @source has left it, or is masked now; @held: it held the line up until then. */
static void line_lower_after(struct irqx_line *line,
			     const struct irqx_source *source, bool held)
{
	if ((held && !line->high) ||
	    (irqx_source_hears(source) && !line_has_unmasked_resampler(line)))
		line_lower(line, LINE_LATER);
}

/* Its EOIs are to be heard whatever has become of KVM's own GSI table. */
static int line_raise(struct irqx_line *line, enum line_how how)
{
	/* Pairs with line_arm(). */
	if (smp_load_acquire(&line->armed))
		irqx_kvm_rewatch_pin(line->lines->kvm, &line->watch);
	return line_drive(line, 1, how);
}

/* To be told by irqx_lines_tell(), of whatever it is to be told of by then. */
static void source_put_down(struct irqx_source *source, struct irqx_line *line)
{
	struct irqx_lines *lines = source->lines;

	lockdep_assert_held(&lines->plugs_lock);

	if (!irqx_source_hears(source) || !list_empty(&source->untold))
		return;
	refcount_inc(&source->refs);
	source->acked = line;
	list_add_tail(&source->untold, &lines->untold);
}

/* Another one's turn to be told.  Return: with a reference; or NULL. */
static struct irqx_source *lines_next_untold(struct irqx_lines *lines,
					     struct irqx_line **line)
{
	struct irqx_source *source;

	lockdep_assert_held(&lines->plugs_lock);

	source = list_first_entry_or_null(&lines->untold, struct irqx_source,
					  untold);
	if (source) {
		list_del_init(&source->untold);
		*line = source->acked;
	}
	return source;
}

/* No lock is held: who is told may raise the same source at once. */
static void source_tell(struct irqx_source *source, struct irqx_line *line)
{
	lockdep_assert_not_held(&source->lines->plugs_lock);
	lockdep_assert_not_held(&source->lines->levels_lock);

	trace_irqx_resample(&line->entry, source->resamplefd);
	if (source->eoi)
		source->eoi(source->data);
	else
		irqx_eventfd_signal(source->resamplefd);
	irqx_source_put(source);
}

/**
 * irqx_lines_tell - tell the sources that have not been told yet
 * @lines: the VM's
 *
 * Context: may sleep.  How long one signal takes is up to those who wait for the
 * eventfd, as it is with KVM's resamplers.
 */
void irqx_lines_tell(struct irqx_lines *lines)
{
	struct irqx_source *source;
	struct irqx_line *line;

	while (!list_empty_careful(&lines->untold)) {
		spin_lock(&lines->plugs_lock);
		source = lines_next_untold(lines, &line);
		spin_unlock(&lines->plugs_lock);
		if (!source)
			break;
		source_tell(source, line);
		cond_resched();
	}
}

static void lines_tell_work(struct work_struct *work)
{
	irqx_lines_tell(container_of(work, struct irqx_lines, tell));
}

/**
 * irqx_source_move - connect a source to the lines of some entries
 * @source: it leaves the lines it is connected to, and takes its level along
 * @entries: irqx_lines_prepare() has succeeded for each; NULL: to none
 *
 * A pin that is among the old lines and the new keeps its level throughout: VMMs
 * replace whole tables when one route changes.  One that loses its last resamplefd
 * falls unless it is held: there is no EOI any more that would lower it.  A SINT left
 * behind may be in
 * service, and its EOI will not be heard: an acknowledgment means "maybe done"
 * anyway, so the source is to be told, by the caller's irqx_lines_tell().  One that
 * goes to none is not told of anything any more.
 *
 * Context: any with interrupts on; plugs_lock is held.
 */
void irqx_source_move(struct irqx_source *source, struct irqx_entries *entries)
{
	struct irqx_line *old[KVM_NR_IRQCHIPS];
	struct irqx_lines *lines = source->lines;
	u32 i, nr_old = source->nr;
	struct irqx_plug *plug;
	struct irqx_line *line;
	unsigned long flags;
	long key;

	lockdep_assert_held(&lines->plugs_lock);

	flags = levels_lock(lines);
	for (i = 0; i < nr_old; i++) {
		old[i] = source->plugs[i].line;
		list_del(&source->plugs[i].node);
		line_count_resampler(old[i], source, -1);
	}
	source->nr = 0;
	for (i = 0; entries && i < entries->nr; i++) {
		key = irqx_arch_line_key(irqx_entries_at(entries, i));
		line = key < 0 ? NULL : xa_load(&lines->all, key);
		if (!line)
			continue;
		plug = &source->plugs[source->nr++];
		plug->source = source;
		plug->line = line;
		list_add_tail(&plug->node, &line->plugs);
		line_count_resampler(line, source, 1);
		line_hold(line, source_holds(source));
		if (source_holds(source) && line->high == 1)
			line_raise(line, LINE_LATER);
	}
	for (i = 0; i < nr_old; i++) {
		line_hold(old[i], -source_holds(source));
		/* A masked one has left it already. */
		if (!source->masked)
			line_lower_after(old[i], source, source->high);
		if (!old[i]->resamplers)
			line_release_event(old[i]);
	}
	levels_unlock(lines, flags);

	for (i = 0; i < nr_old; i++)
		if (entries && !line_is_pin(old[i]) &&
		    !source_is_on(source, old[i]))
			source_put_down(source, old[i]);
	if (!entries && !list_empty(&source->untold)) {
		list_del_init(&source->untold);
		/* The owner has another. */
		refcount_dec(&source->refs);
	}
}

/*
 * Held already or not, drives all pins.  For one that is masked or in service KVM answers
 * that it is ignored; an event at a pin that was up before has coalesced.
 */
static __always_inline int source_assert(struct irqx_source *source, enum line_how how)
{
	struct irqx_line *line;
	int ret = -1, pin;
	bool held;
	u32 i;

	lockdep_assert_held(&source->lines->levels_lock);

	if (source->masked) {
		ret = !source->high;
		source->high = true;
		return ret;
	}
	for (i = 0; i < source->nr; i++) {
		line = source->plugs[i].line;
		if (!line_is_pin(line))
			continue;
		held = line->high;
		line->high += !source->high;
		pin = line_raise(line, how);
		ret = irqx_status_add(ret, held && how != LINE_STATUS ?
					   max(pin, 0) : pin);
	}
	source->high = true;
	return ret;
}

static void source_let_go(struct irqx_source *source)
{
	u32 i;

	lockdep_assert_held(&source->lines->levels_lock);

	if (!source->high)
		return;
	for (i = 0; i < source->nr && !source->masked; i++)
		line_hold(source->plugs[i].line, -1);
	source->high = false;
}

/*
 * Drives all pins, as KVM does: one that others hold stays up, and one that somebody else
 * has set falls.
 */
static int source_lower(struct irqx_source *source, enum line_how how)
{
	struct irqx_line *line;
	int ret = -1;
	u32 i;

	for (i = 0; i < source->nr && !source->masked; i++) {
		line = source->plugs[i].line;
		if (!line_is_pin(line))
			continue;
		line->high -= source->high;
		ret = irqx_status_add(ret, line_lower(line, how));
	}
	source->high = false;
	return ret;
}

/**
 * irqx_source_set - a source's level
 * @source: connected, or not yet: then it is remembered
 * @high: assert or let go
 * @want_status: as irqx_route_set_level()
 *
 * Asserting drives the pins also if they are up already, and letting go if they are
 * down: the interrupt controller may have been reset, or its state been restored.  A
 * masked source drives nothing.
 *
 * Context: process context; no spinlock that an interrupt handler may want.
 * Return: as kvm_set_irq(); if it is masked 1 for a level that is new, else at most 0.
 */
int irqx_source_set(struct irqx_source *source, bool high, bool want_status)
{
	struct irqx_lines *lines = source->lines;
	enum line_how how = want_status ? LINE_STATUS : LINE_LATER;
	unsigned long flags;
	int ret;

	flags = levels_lock(lines);
	ret = high ? source_assert(source, how) : source_lower(source, how);
	levels_unlock(lines, flags);
	return ret;
}

/**
 * irqx_source_set_masked - whether a source's level drives its lines
 * @source: connected, or not yet
 * @masked: it does not: a pin falls unless another source holds it, as if this one left
 *
 * It is told of EOIs, which clear its level, all the same.
 *
 * Context: as irqx_source_move().
 */
void irqx_source_set_masked(struct irqx_source *source, bool masked)
{
	struct irqx_line *line;
	unsigned long flags;
	u32 i;

	lockdep_assert_held(&source->lines->plugs_lock);

	flags = levels_lock(source->lines);
	if (source->masked == masked)
		goto out;
	source->masked = masked;
	for (i = 0; i < source->nr; i++) {
		line = source->plugs[i].line;
		if (source->high)
			line_hold(line, masked ? -1 : 1);
		if (masked)
			line_lower_after(line, source, source->high);
		else if (source->high && line_is_pin(line) && line->high == 1)
			line_raise(line, LINE_LATER);
	}
out:
	levels_unlock(source->lines, flags);
}

/**
 * irqx_source_is_pending - whether something has come that the guest has not seen
 * @source: it
 *
 * A level that drives a pin is not pending, whatever becomes of it there.
 *
 * Context: as irqx_source_move().
 * Return: whether an event waits, or a level that is masked.
 */
bool irqx_source_is_pending(struct irqx_source *source)
{
	unsigned long flags;
	bool pending;

	lockdep_assert_held(&source->lines->plugs_lock);

	flags = levels_lock(source->lines);
	pending = READ_ONCE(source->asked) || (source->masked && source->high);
	levels_unlock(source->lines, flags);
	return pending;
}

/**
 * irqx_source_unhold - what a source holds becomes an event
 * @source: it has been moved from pins, or from no route, to an entry without a level
 *
 * KVM_IRQ_LINE's level stays: it may come back to a pin.
 *
 * Context: as irqx_source_move().
 * Return: whether it held its line up.
 */
bool irqx_source_unhold(struct irqx_source *source)
{
	unsigned long flags;
	bool held;

	lockdep_assert_held(&source->lines->plugs_lock);

	flags = levels_lock(source->lines);
	held = source->high;
	if (irqx_source_hears(source))
		source->high = false;
	levels_unlock(source->lines, flags);
	return held;
}

/**
 * irqx_source_assert_atomic - what irqx_source_set() does, where it cannot sleep
 * @source: connected
 *
 * KVM's irqfd does the same, and to leave it to a worker costs two switches of the CPU
 * (benchmarks.rst, level).
 *
 * Context: any, with lines.pins_are_atomic; that of a wake-up on PREEMPT_RT.
 * Return: as irqx_source_set(); -EWOULDBLOCK with nothing done if the source is
 * losing its route, so that the event is counted as one without.
 */
int irqx_source_assert_atomic(struct irqx_source *source)
{
	struct irqx_lines *lines = source->lines;
	unsigned long flags;
	int ret = -EWOULDBLOCK;

	flags = levels_lock(lines);
	if (source->nr)
		ret = source_assert(source, LINE_ATOMIC);
	levels_unlock(lines, flags);
	return ret;
}

/**
 * irqx_source_set_asked - the level that a source has been asked for
 * @source: as irqx_source_set()
 * @ret: out: as irqx_source_set(), if it is an event
 *
 * Context: as irqx_source_set().
 * Return: whether there was an event.
 */
bool irqx_source_set_asked(struct irqx_source *source, int *ret)
{
	unsigned long flags;
	bool asked;

	flags = levels_lock(source->lines);
	asked = xchg(&source->asked, false);
	if (asked)
		*ret = source_assert(source, LINE_LATER);
	else if (xchg(&source->asked_low, false))
		source_lower(source, LINE_LATER);
	levels_unlock(source->lines, flags);
	return asked;
}

/**
 * irqx_lines_pulse - up and down again, for a source without a level
 * @lines: the VM's
 * @e: a pin
 *
 * A pin that others hold up stays up.  So does one of arm64: most hosts raise it in the
 * wake-up, where nothing can lower it later, and all are to do the same.
 *
 * Context: as irqx_source_set().
 * Return: as kvm_set_irq().
 */
int irqx_lines_pulse(struct irqx_lines *lines,
		     struct kvm_kernel_irq_routing_entry *e)
{
	struct irqx_line *line;
	unsigned long flags;
	int ret;

	flags = levels_lock(lines);
	line = line_find(lines, e);
	ret = pin_drive(lines, e, 1, LINE_LATER);
	if (!irqx_arch_pins_are_raw())
		irqx_kvm_set_pin(lines->kvm, lines->source_id, e,
				 line && line->high, false);
	levels_unlock(lines, flags);
	return ret;
}

/**
 * irqx_lines_event - an event at a PPI, for a source without a level
 * @lines: the VM's
 * @e: a PPI
 * @atomic: it is a wake-up
 *
 * While there is a resamplefd the PPI stays level-triggered, or its EOI would not be heard.
 * KVM's latch of a level-triggered interrupt is cleared at the EOI, with what came
 * meanwhile.  So the event holds the PPI, until the EOI, or the second one if the guest may
 * have taken the interrupt before the event.
 *
 * Context: as irqx_source_set(), or with @atomic as irqx_source_assert_atomic().
 * Return: as kvm_set_irq(); -EWOULDBLOCK if @atomic and it is to be done later.
 */
int irqx_lines_event(struct irqx_lines *lines,
		     struct kvm_kernel_irq_routing_entry *e, bool atomic)
{
	enum line_how how = atomic ? LINE_ATOMIC : LINE_LATER;
	struct irqx_line *line;
	bool queued, merged;
	unsigned long flags;
	int ret;

	line = line_find(lines, e);
	if (!line || !READ_ONCE(line->resamplers))
		goto no_eoi;
	if (atomic && !pins_are_atomic(lines))
		return -EWOULDBLOCK;

	flags = levels_lock(lines);
	if (!line->resamplers) {
		levels_unlock(lines, flags);
		goto no_eoi;
	}
	queued = irqx_kvm_ppi_is_queued(lines->kvm, e);
	ret = line_drive(line, 1, how);
	if (ret >= 0) {
		merged = line->event && (line->again || !queued);
		line_hold(line, !line->event);
		line->event = true;
		line->again |= queued;
		ret = !merged;
	}
	levels_unlock(lines, flags);
	return ret;

no_eoi:
	ret = irqx_kvm_inject_atomic(e, lines->kvm, lines->source_id);
	trace_irqx_inject(e, atomic, 1, ret);
	return ret;
}

/**
 * irqx_lines_lower - lower a pin that no source is plugged into
 * @lines: the VM's
 * @e: a pin; it stays up if somebody holds it
 * @want_status: as irqx_route_set_level()
 *
 * Context: as irqx_source_set().
 * Return: as kvm_set_irq().
 */
int irqx_lines_lower(struct irqx_lines *lines,
		     struct kvm_kernel_irq_routing_entry *e, bool want_status)
{
	struct irqx_line *line;
	unsigned long flags;
	int ret;

	flags = levels_lock(lines);
	line = line_find(lines, e);
	ret = pin_lower(lines, e, line && line->high,
			want_status ? LINE_STATUS : LINE_LATER);
	levels_unlock(lines, flags);
	return ret;
}

/*
 * The sources with a resamplefd let go, and the pin falls unless it is held, whoever has
 * raised it.  So do other pins of the same GSI, as KVM's resampler lowers the GSI.  Each
 * is driven once, held or not: KVM may have lowered it without asking.
 */
static void line_let_go(struct irqx_line *line)
{
	const u64 nr = ++line->lines->nr_let_go;
	bool has_others = false;
	struct irqx_plug *plug;
	u32 i;

	lockdep_assert_held(&line->lines->plugs_lock);
	lockdep_assert_held(&line->lines->levels_lock);

	list_for_each_entry(plug, &line->plugs, node) {
		if (!irqx_source_hears(plug->source))
			continue;
		source_let_go(plug->source);
		has_others |= plug->source->nr > 1;
	}
	if (line->event && !line->again) {
		line->event = false;
		line_hold(line, -1);
	}
	line->again = false;
	line_lower_at(line, nr);
	if (!has_others)
		return;
	list_for_each_entry(plug, &line->plugs, node)
		for (i = 0; irqx_source_hears(plug->source) && i < plug->source->nr; i++)
			line_lower_at(plug->source->plugs[i].line, nr);
}

/* Who is told at once, with a reference each, and whether others are put down. */
struct line_told {
	struct irqx_source *source[IRQX_TELL_AT_ONCE];
	u32 nr;
	bool more;
};

/*
 * The sources of the line.  They are not put down first if they need not wait: for others,
 * who have not been told of another line yet, or for the worker.
 */
static void line_put_down(struct irqx_line *line, struct line_told *told)
{
	struct irqx_lines *lines = line->lines;
	struct irqx_source *source;
	struct irqx_plug *plug;

	lockdep_assert_held(&lines->plugs_lock);

	told->nr = 0;
	list_for_each_entry(plug, &line->plugs, node) {
		source = plug->source;
		if (told->nr == IRQX_TELL_AT_ONCE || !list_empty(&lines->untold)) {
			source_put_down(source, line);
		} else if (irqx_source_hears(source)) {
			refcount_inc(&source->refs);
			told->source[told->nr++] = source;
		}
	}
	told->more = !list_empty(&lines->untold);
}

/* One that wakes up may be an irqfd of ours, which takes levels_lock. */
static void line_tell(struct irqx_line *line, struct line_told *told)
{
	u32 i;

	for (i = 0; i < told->nr; i++)
		source_tell(told->source[i], line);
	if (told->more)
		queue_work(irqx_long_wq, &line->lines->tell);
}

static void line_ack(struct irqx_line *line)
{
	struct irqx_lines *lines = line->lines;
	struct line_told told;
	unsigned long flags;

	spin_lock(&lines->plugs_lock);
	flags = levels_lock(lines);
	line_let_go(line);
	levels_unlock(lines, flags);
	line_put_down(line, &told);
	spin_unlock(&lines->plugs_lock);
	line_tell(line, &told);
}

/*
 * Interrupts are off, and who holds a lock may be waiting for this CPU to take one.
 * Return: whether it is done.
 */
static bool line_try_ack(struct irqx_line *line)
{
	struct irqx_lines *lines = line->lines;
	struct line_told told;

	if (!spin_trylock(&lines->plugs_lock))
		return false;
	if (!spin_trylock(&lines->levels_lock)) {
		spin_unlock(&lines->plugs_lock);
		return false;
	}
	line_let_go(line);
	spin_unlock(&lines->levels_lock);
	line_put_down(line, &told);
	spin_unlock(&lines->plugs_lock);
	line_tell(line, &told);
	return true;
}

/* The rest of irqx_lines_ack() and irqx_lines_unmasked(). */
static void line_ack_work(struct work_struct *work)
{
	line_ack(container_of(work, struct irqx_line, ack));
}

/**
 * irqx_lines_ack - the guest has acknowledged an interrupt
 * @lines: the VM's
 * @key: irqx_arch_line_key() of the pin, SINT or vector
 * @how: it is heard
 *
 * Context: a tracepoint probe on the vCPU's thread, under RCU, with no lock of
 * KVM's interrupt controllers held; atomic on arm64, and on any kernel whose
 * tracepoints disable preemption.  On PREEMPT_RT spinlocks sleep, so there it is
 * for the work queue, as it is if interrupts are off and who has a lock may need
 * them on here.  KVM would look at the pin before, and give the guest one interrupt
 * more; where pins can be lowered here, it is lowered at once.  What asserts it
 * before the work comes is told to assert again, as if it had come before this.
 */
void irqx_lines_ack(struct irqx_lines *lines, unsigned long key, enum irqx_ack_how how)
{
	struct irqx_line *line = xa_load(&lines->all, key);

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "a line is found under RCU");

	if (!line)
		return;
	if (how == IRQX_ACK_AGAIN) {
		line->told = true;
		return;
	}
	if (how == IRQX_ACK_LAST && line->told) {
		line->told = false;
		return;
	}
	/* What no resamplefd waits for is none of ours: an emulated device may hold it. */
	if (!READ_ONCE(line->resamplers))
		return;
	if (IS_ENABLED(CONFIG_PREEMPT_RT) ? preemptible() :
					    pins_are_atomic(lines) || !irqs_disabled()) {
		line_ack(line);
		return;
	}
	if (!IS_ENABLED(CONFIG_PREEMPT_RT) && line_try_ack(line))
		return;
	if (line_is_pin(line) && irqx_arch_pins_are_raw())
		irqx_kvm_set_pin(lines->kvm, lines->source_id, &line->entry, 0,
				 false);
	irqx_queue_work(&line->ack);
}

/**
 * irqx_lines_unmasked - the guest unmasks a pin, with an interrupt pending there
 * @lines: the VM's
 * @key: irqx_arch_line_key() of the pin
 * @asked: KVM has asked resamplefds of its own, and forgets what is pending
 *
 * A level may be out of date then: a guest that masks, ends the interrupt, and serves the
 * device before it unmasks.  The resamplefds are asked, and KVM forgets it (from 6.4 on;
 * its commit fef8f2b90edb).  What others hold is driven again.
 *
 * Context: any, with the lock of KVM's interrupt controller held; under RCU.
 * Return: whether there are resamplefds to ask, and KVM shall forget it.
 */
bool irqx_lines_unmasked(struct irqx_lines *lines, unsigned long key, bool asked)
{
	struct irqx_line *line = xa_load(&lines->all, key);
	bool resampled = line && READ_ONCE(line->resamplers);

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "a line is found under RCU");

	if (resampled || (line && asked))
		irqx_queue_work(&line->ack);
	return resampled;
}

/**
 * irqx_lines_set_up - there is an interrupt controller now
 * @lines: the VM's
 *
 * A VM may be attached before it has one, and only then it is known what its pins take.
 *
 * Context: any, before the first line or pin is used; the same for every call.
 */
void irqx_lines_set_up(struct irqx_lines *lines)
{
	bool atomic = irqx_arch_pins_are_atomic(lines->kvm);

	if (READ_ONCE(lines->pins_are_atomic) != atomic)
		WRITE_ONCE(lines->pins_are_atomic, atomic);
}

void irqx_lines_init(struct irqx_lines *lines, struct kvm *kvm, int source_id)
{
	lines->kvm = kvm;
	lines->source_id = source_id;
	mutex_init(&lines->lock);
	xa_init_flags(&lines->all, XA_FLAGS_ACCOUNT);
	spin_lock_init(&lines->plugs_lock);
	spin_lock_init(&lines->levels_lock);
	INIT_LIST_HEAD(&lines->untold);
	INIT_WORK(&lines->tell, lines_tell_work);
	init_waitqueue_head(&lines->told);
}

/**
 * irqx_lines_teardown - the end of all lines of a VM that has no context any more
 * @lines: nothing is plugged in
 *
 * A probe may have found the VM a moment ago; it asks only for its lines.
 *
 * Context: may sleep, for an RCU grace period and those of kvm->irq_srcu, whose
 * readers do not wait for pages.
 */
void irqx_lines_teardown(struct irqx_lines *lines)
{
	struct irqx_line *line;
	unsigned long key;

	if (xa_empty(&lines->all))
		return;
	synchronize_rcu();
	xa_for_each(&lines->all, key, line) {
		if (line->armed && line_is_pin(line))
			irqx_kvm_unwatch_pin(lines->kvm, &line->watch);
		if (line->armed)
			irqx_ack_disarm(lines->kvm, &lines->acks,
					line_ack_kind(line));
		cancel_work_sync(&line->ack);
		kfree(line);
	}
	cancel_work_sync(&lines->tell);
	xa_destroy(&lines->all);
}

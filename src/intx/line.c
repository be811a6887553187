// SPDX-License-Identifier: GPL-2.0
/*
 * See line.h.
 *
 * Order of locks: line->lock, then the line's desc->lock or the owner's, both leaves to us.
 *
 * The one rule: whoever closes the line looks again who is there, with the line's lock held; and
 * whoever finds it closed and shared opens it, with the device masked first.  Those are the
 * handler, the hook (hook.c) and the timer.
 */
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>

#include "intx/compat.h"
#include "intx/hook.h"
#include "intx/line.h"

#define CREATE_TRACE_POINTS
#include "intx/trace.h"

/* ---- who is there ---- */

/*
 * @told: the kernel keeps line->others up to date, and tells before a joiner is there.  Else:
 *
 * In our handler: an action that is removed is freed only when all handlers of the line have
 * returned, ours among them.
 */
static bool shared_in_handler(struct intx_line *line)
{
	struct irqaction *first;

	if (line->told)
		return line->others;
	first = READ_ONCE(line->desc->action);
	return (first && READ_ONCE(first->next)) || intx_hook_joining(line->irq);
}

static bool shared(struct intx_line *line)
{
	struct irqaction *first;
	unsigned long flags;
	bool more;

	if (line->told)
		return line->others;
	raw_spin_lock_irqsave(&line->desc->lock, flags);
	first = line->desc->action;
	more = first && first->next;
	raw_spin_unlock_irqrestore(&line->desc->lock, flags);
	return more || intx_hook_joining(line->irq);
}

/* ---- masking ---- */

static void note_mode(struct intx_line *line, enum intx_mode mode, enum intx_who who)
{
	if (line->mode == mode)
		return;
	if (line->mode != INTX_MODE_NONE) {
		trace_irqx_intx_switch(line->irq, line->mode, mode, who);
		if (mode == INTX_MODE_DEVICE)
			line->counters.to_device++;
		else
			line->counters.to_line++;
	}
	line->mode = mode;
}

/* Others on a closed line, and what could not be done yet, do not wait long; the rest may. */
static u32 period_ms(const struct intx_line *line)
{
	return line->retry || (line->closed && !line->told) ? INTX_LOOK_MS : INTX_WAITING_MS;
}

/*
 * For what somebody has to come back to.  Its own call-back may be under way: that never lets the
 * timer run on by its return value, so it may be started here at any time.
 */
static void arm(struct intx_line *line)
{
	u32 ms = period_ms(line);

	if (line->armed_ms && line->armed_ms <= ms)
		return;
	if (!line->armed_ms)
		line->waited_ms = 0;
	line->armed_ms = ms;
	hrtimer_start(&line->timer, ms_to_ktime(ms), HRTIMER_MODE_REL);
}

/* For any context: disable_irq() would wait for the handler that we may be. */
static void close_line(struct intx_line *line)
{
	disable_irq_nosync(line->irq);
	line->closed = true;
}

static void open_line(struct intx_line *line)
{
	line->closed = false;
	line->held_back = false;
	enable_irq(line->irq);
}

/* If it asserts. */
static enum intx_mask mask_device(struct intx_line *line)
{
	enum intx_mask mask = line->ops->mask(line->data);

	if (mask == INTX_MASKED) {
		line->masked = true;
		arm(line);
	}
	return mask;
}

/*
 * The line is closed and others are there, or about to come.  The device goes on waiting for its
 * EOI if it asserts, by its own mask.
 */
static enum intx_mask open_for_others(struct intx_line *line, enum intx_who who)
{
	enum intx_mask mask = mask_device(line);

	note_mode(line, INTX_MODE_DEVICE, who);
	if (who == INTX_WHO_HOOK)
		line->counters.opened_by_hook++;
	else if (who == INTX_WHO_TIMER)
		line->counters.opened_by_timer++;
	open_line(line);
	return mask;
}

/* Return: whether it still asserts, and so is to be told of again. */
static bool unmask_device(struct intx_line *line)
{
	switch (line->ops->unmask(line->data)) {
	case INTX_UNMASKED:
		line->masked = false;
		return false;
	case INTX_STILL_ASSERTED:
		line->counters.asserted++;
		return true;
	case INTX_TRY_LATER:
		line->counters.retried++;
		line->retry = true;
		arm(line);
		return false;
	case INTX_NOT_WANTED:
		/* It may be unmasked without our knowing: is_masked(). */
		return false;
	}
	return false;
}

/* Neither closed by us nor masked from now on, but for the device's own sake. */
static void end(struct intx_line *line)
{
	line->ended = true;
	line->retry = false;
	if (line->exclusive) {
		/* Nothing else silences it until free_irq(), which leaves nothing behind then. */
		if (!line->closed)
			close_line(line);
		return;
	}
	line->ops->quiet(line->data);
	line->masked = false;
	if (line->closed)
		open_line(line);
}

/*
 * Somebody else has taken the interrupt, and may not handle it yet: nothing is told any more, and
 * the device is kept silent until intx_line_hand_over().  Return: whether.
 */
static bool give_up_if_taken(struct intx_line *line)
{
	if (line->yielding)
		return true;
	if (!line->ops->taken(line->data))
		return false;
	line->yielding = true;
	line->retry = false;
	if (line->exclusive) {
		if (!line->closed)
			close_line(line);
	} else if (line->closed) {
		if (line->ops->silence(line->data))
			line->masked = true;
		open_line(line);
	}
	line->ops->ended(line->data);
	return true;
}

/* In the handler, of one that has been given up. */
static irqreturn_t keep_silent(struct intx_line *line)
{
	/*
	 * Handed over, and it asserts when all handlers have run: its new owner takes it for
	 * masked, as he does if he saw it assert with our mask on.  So it has to be.
	 */
	if (line->exclusive || (line->handed_over && !line->passes++))
		return IRQ_NONE;
	if (!line->ops->silence(line->data))
		return IRQ_NONE;
	if (!line->handed_over)
		line->masked = true;
	return IRQ_HANDLED;
}

/* ---- an interrupt ---- */

static bool take_exclusive(struct intx_line *line)
{
	close_line(line);
	arm(line);
	/* Its owner cannot silence it, so this does. */
	if (line->ops->unwanted(line->data)) {
		line->held_back = true;
		return false;
	}
	return true;
}

static enum intx_mask take_shared(struct intx_line *line)
{
	enum intx_mask mask = mask_device(line);

	note_mode(line, INTX_MODE_DEVICE, INTX_WHO_INTERRUPT);
	return mask;
}

static enum intx_mask take_alone(struct intx_line *line)
{
	close_line(line);
	/* Who has come since before that is seen now; who comes later sees that it is closed. */
	if (shared_in_handler(line))
		return open_for_others(line, INTX_WHO_INTERRUPT);
	note_mode(line, INTX_MODE_LINE, INTX_WHO_INTERRUPT);
	arm(line);
	return INTX_MASKED;
}

/* Return: IRQ_NONE or IRQ_HANDLED; *@tell: whether it is to be told. */
static irqreturn_t take(struct intx_line *line, bool *tell)
{
	enum intx_mask mask;

	*tell = false;
	if (line->ended)
		return IRQ_NONE;
	if (give_up_if_taken(line))
		return keep_silent(line);
	if (line->closed)
		return IRQ_NONE;
	if (line->exclusive) {
		*tell = take_exclusive(line);
		line->counters.interrupts++;
		line->counters.by_line++;
		note_mode(line, INTX_MODE_LINE, INTX_WHO_INTERRUPT);
		return IRQ_HANDLED;
	}
	/* The device's bit says whether it asserts, masked or not, so that is no answer. */
	if (line->masked && line->ops->is_masked(line->data))
		return IRQ_NONE;
	line->masked = false;
	line->retry = false;

	mask = shared_in_handler(line) ? take_shared(line) : take_alone(line);
	if (mask == INTX_NOT_ASSERTED)
		return IRQ_NONE;
	line->counters.interrupts++;
	if (line->mode == INTX_MODE_LINE)
		line->counters.by_line++;
	else
		line->counters.by_device++;
	*tell = mask == INTX_MASKED;
	return IRQ_HANDLED;
}

static irqreturn_t intx_line_handler(int irq, void *data)
{
	struct intx_line *line = data;
	unsigned long flags;
	irqreturn_t ret;
	bool tell;

	spin_lock_irqsave(&line->lock, flags);
	ret = take(line, &tell);
	if (ret == IRQ_NONE)
		line->counters.foreign++;
	spin_unlock_irqrestore(&line->lock, flags);
	if (tell)
		line->ops->tell(line->data);
	return ret;
}

/**
 * intx_line_eoi - it has been served, maybe
 * @line: it
 *
 * More often than it was told does no harm.
 *
 * Context: any in which @line->lock can be taken.
 */
void intx_line_eoi(struct intx_line *line)
{
	unsigned long flags;
	bool again = false;

	spin_lock_irqsave(&line->lock, flags);
	if (line->ended || give_up_if_taken(line))
		goto unlock;
	line->counters.eois++;
	if (line->closed && !line->held_back) {
		if (line->exclusive && line->ops->unwanted(line->data))
			line->held_back = true;
		else
			open_line(line);
	}
	if (line->masked)
		again = unmask_device(line);
unlock:
	spin_unlock_irqrestore(&line->lock, flags);
	if (again)
		line->ops->tell(line->data);
}

/* Is the line closed while others are there? */
static void look(struct intx_line *line, enum intx_who who)
{
	if (!line->ended && !give_up_if_taken(line) && line->closed && !line->exclusive &&
	    shared(line))
		open_for_others(line, who);
}

/**
 * intx_line_look - open the line if it is closed while others are there
 * @line: it
 * @who: asks
 *
 * Context: any in which @line->lock can be taken.
 */
void intx_line_look(struct intx_line *line, enum intx_who who)
{
	unsigned long flags;

	spin_lock_irqsave(&line->lock, flags);
	look(line, who);
	spin_unlock_irqrestore(&line->lock, flags);
}

/**
 * intx_line_tell - others are about to join the line; or all have left it
 * @line: it
 * @others: which
 *
 * Context: where the kernel tells of it, with the line's request_mutex held; nothing is requested
 * or freed here.
 */
void intx_line_tell(struct intx_line *line, bool others)
{
	unsigned long flags;

	spin_lock_irqsave(&line->lock, flags);
	line->others = others;
	if (others)
		look(line, INTX_WHO_HOOK);
	spin_unlock_irqrestore(&line->lock, flags);
}

/* The timer: as long as there is something to come back to. */
static bool tick(struct intx_line *line, bool *tell)
{
	if (line->ended || give_up_if_taken(line))
		return false;
	if (line->closed && !line->exclusive && shared(line))
		open_for_others(line, INTX_WHO_TIMER);
	/* A level: if it still asserts the hardware says so again. */
	if (line->held_back && !line->ops->unwanted(line->data))
		open_line(line);
	if (line->retry) {
		line->retry = false;
		*tell = unmask_device(line);
	}
	if (!line->closed && !line->masked && !line->retry)
		return false;
	line->waited_ms += line->armed_ms;
	if (line->waited_ms >= INTX_WAITING_MS) {
		line->waited_ms = 0;
		line->ops->waiting(line->data);
	}
	return true;
}

static enum hrtimer_restart intx_line_timer(struct hrtimer *timer)
{
	struct intx_line *line = container_of(timer, struct intx_line, timer);
	unsigned long flags;
	bool tell = false;
	bool again;

	spin_lock_irqsave(&line->lock, flags);
	again = tick(line, &tell);
	line->armed_ms = again ? period_ms(line) : 0;
	if (again)
		hrtimer_start(timer, ms_to_ktime(line->armed_ms), HRTIMER_MODE_REL);
	spin_unlock_irqrestore(&line->lock, flags);
	if (tell)
		line->ops->tell(line->data);
	return HRTIMER_NORESTART;
}

/* ---- begin and end ---- */

/**
 * intx_line_init - before anything else
 * @line: zeroed
 * @ops: what its owner does
 * @data: for @ops
 */
void intx_line_init(struct intx_line *line, const struct intx_line_ops *ops, void *data)
{
	line->ops = ops;
	line->data = data;
	line->ended = true;
	spin_lock_init(&line->lock);
	INIT_LIST_HEAD(&line->node);
	intx_hrtimer_setup(&line->timer, intx_line_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
}

/* Masked, or the line closed, until intx_line_start(). */
static void reset(struct intx_line *line)
{
	unsigned long flags;

	spin_lock_irqsave(&line->lock, flags);
	line->mode = INTX_MODE_NONE;
	line->closed = line->exclusive;
	line->masked = !line->exclusive;
	line->held_back = false;
	line->retry = false;
	line->others = false;
	line->armed_ms = 0;
	line->waited_ms = 0;
	line->yielding = false;
	line->handed_over = false;
	line->passes = 0;
	memset(&line->counters, 0, sizeof(line->counters));
	spin_unlock_irqrestore(&line->lock, flags);
}

/**
 * intx_line_open - request the line
 * @line: from intx_line_init()
 * @irq: its number, which stays the device's until intx_line_close()
 * @exclusive: the device cannot be masked: nobody else may be on the line
 * @name: for /proc/interrupts; it stays
 *
 * The device, or of an exclusive one the line, is masked, and nothing is done at all, before
 * intx_line_start().
 *
 * Context: may sleep.
 * Return: 0, -ENXIO if the line's interrupt controller may sleep, or as request_irq().
 */
int intx_line_open(struct intx_line *line, unsigned int irq, bool exclusive, const char *name)
{
	struct irq_data *data = irq_get_irq_data(irq);
	int ret;

	if (!data || irq_data_get_irq_chip(data)->irq_bus_lock)
		return -ENXIO;
	line->irq = irq;
	line->desc = irq_data_to_desc(data);
	line->exclusive = exclusive;
	line->told = false;
	reset(line);
	if (!exclusive)
		line->ops->quiet(line->data);
	/* A level that is closed lazily comes a second time before it is. */
	line->unlazy = !irq_check_status_bit(irq, IRQ_DISABLE_UNLAZY);
	if (line->unlazy)
		irq_set_status_flags(irq, IRQ_DISABLE_UNLAZY);
	intx_hook_add(line);
	ret = request_irq(irq, intx_line_handler, exclusive ? IRQF_NO_AUTOEN : IRQF_SHARED, name,
			  line);
	if (ret) {
		intx_hook_del(line);
		if (line->unlazy)
			irq_clear_status_flags(irq, IRQ_DISABLE_UNLAZY);
		return ret;
	}
	/* The handler does nothing yet. */
	line->told = !exclusive && intx_hook_notify(line);
	return 0;
}

/**
 * intx_line_start - the device may interrupt from now on
 * @line: from intx_line_open()
 */
void intx_line_start(struct intx_line *line)
{
	unsigned long flags;
	bool tell = false;

	spin_lock_irqsave(&line->lock, flags);
	line->ended = false;
	if (!line->exclusive) {
		tell = unmask_device(line);
		if (line->masked)
			arm(line);
	} else if (line->ops->unwanted(line->data)) {
		line->held_back = true;
		arm(line);
	} else {
		open_line(line);
	}
	spin_unlock_irqrestore(&line->lock, flags);
	if (tell)
		line->ops->tell(line->data);
}

/**
 * intx_line_end - no interrupt is taken any more
 * @line: it; intx_line_close() has to come
 *
 * Context: any in which @line->lock can be taken.
 */
void intx_line_end(struct intx_line *line)
{
	unsigned long flags;

	spin_lock_irqsave(&line->lock, flags);
	if (!line->ended)
		end(line);
	spin_unlock_irqrestore(&line->lock, flags);
}

/**
 * intx_line_hand_over - unmask the device for who has taken it
 * @line: it; intx_line_close() has to come, a while later if this says so
 *
 * He handles its interrupt by now, or never will.
 *
 * Return: whether our handler may still be needed for a while.
 */
bool intx_line_hand_over(struct intx_line *line)
{
	unsigned long flags;
	bool masked;

	spin_lock_irqsave(&line->lock, flags);
	masked = line->yielding && !line->ended && !line->exclusive && line->masked;
	if (masked) {
		line->masked = false;
		line->handed_over = true;
		line->ops->let_go(line->data);
	}
	spin_unlock_irqrestore(&line->lock, flags);
	return masked;
}

/**
 * intx_line_close - give the line back
 * @line: from intx_line_open()
 *
 * First it is open for others and the device quiet; then nobody looks at it any more: the timer,
 * the hook, the handler.  What is left is that its owner must not call intx_line_eoi() any more.
 *
 * Context: may sleep.
 */
void intx_line_close(struct intx_line *line)
{
	intx_line_end(line);
	hrtimer_cancel(&line->timer);
	intx_hook_del(line);
	free_irq(line->irq, line);
	/* With the last action it has gone already. */
	if (line->unlazy)
		irq_clear_status_flags(line->irq, IRQ_DISABLE_UNLAZY);
}

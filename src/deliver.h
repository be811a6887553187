/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_DELIVER_H
#define _IRQX_DELIVER_H

#include <linux/bits.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "entry.h"

struct irqx_irqfd;
struct irqx_lines;
struct irqx_source;
struct irqx_vm;
struct task_struct;

/*
 * What has become of a binding's events.  @events is written under the eventfd's wqh.lock, and
 * before the other two.
 */
struct irqx_tally {
	u64 events;
	atomic64_t coalesced;
	atomic64_t refused;
};

struct irqx_counters {
	u64 not_inline;			/* events that were not delivered at once */
	u64 atomic;
	u64 deferred;
	u64 unrouted;
	u64 coalesced;
	u64 refused;
};

/* What a context's deliveries share. */
struct irqx_delivery {
	struct irqx_vm *vm;		/* immutable once attached */
	struct irqx_counters __percpu *counters;
	/* By their ids; interrupts off.  context.lock, but for IRQX_IRQFD_DEAD */
	struct xarray irqfds;
	struct work_struct reap;	/* of those that are dead */
};

/* Its eventfd was closed. */
#define IRQX_IRQFD_DEAD	XA_MARK_0

/*
 * Where events go: entries under a lock.  An event that cannot be delivered where it
 * comes is a state of the target: @owed or @asked, and the target waits in a queue of
 * its VM.
 */
struct irqx_target {
	/*
	 * Interrupts off.  That of the eventfd's wqh if it is the target's only one:
	 * a wake-up holds it anyway.  On PREEMPT_RT those are not raw.  Immutable after
	 * publish.
	 */
	union {
		raw_spinlock_t *lock;
		spinlock_t *sleeping_lock;	/* on PREEMPT_RT, without @raw */
	};
	struct irqx_delivery *delivery;	/* immutable */
	struct irqx_entries to;		/* @lock */
	/*
	 * How many irqfds have an event waiting here, and one for KVM_IRQ_LINE.  An
	 * irqfd has if its @epoch is this one, which ends when they are delivered.
	 */
	u32 owed;			/* @lock */
	u32 epoch:28;			/* @lock */
	u32 raw:1;			/* events come in any context; immutable */
	u32 closed:1;			/* nothing is delivered any more; @lock */
	u32 asked:1;			/* some source is asked; @lock */
	/*
	 * Nothing is delivered: what comes stays owed, asked, or a source's level.
	 * @lock and lines.plugs_lock
	 */
	u32 masked:1;
	/* Of the binding whose event was owed first, as long as that leads here; or NULL. */
	struct irqx_tally *tally;	/* @lock */
	struct list_head waiting;	/* in a queue; irqx_later.lock */
	struct hlist_head sources;	/* lines.plugs_lock */
};

/* With @lock or lines.plugs_lock held, or whatever keeps out changes of the target. */
static inline bool irqx_target_is_masked(const struct irqx_target *target)
{
	/* The bits beside it change under @lock alone. */
	return data_race(!!target->masked);
}

/* What a change makes of a target's mask. */
enum irqx_mask {
	IRQX_MASK_KEEP,
	IRQX_MASK_SET,
	IRQX_MASK_CLEAR,
};

/* @flags: KVM_IRQX_OP_FLAG_* */
static inline enum irqx_mask irqx_mask_of(u32 flags)
{
	if (flags & KVM_IRQX_OP_FLAG_MASK)
		return IRQX_MASK_SET;
	return flags & KVM_IRQX_OP_FLAG_UNMASK ? IRQX_MASK_CLEAR : IRQX_MASK_KEEP;
}

enum irqx_queue_id {
	IRQX_PROMPT,	/* takes spinlocks, and those of KVM's interrupt controllers */
	IRQX_PAGED,	/* may wait for a page of the guest, so for userspace */
	IRQX_NR_QUEUES,
};

enum irqx_queue_state {
	IRQX_IDLE,
	IRQX_HOLDING,	/* uses its target, for a short while */
	IRQX_FAULTING,	/* waits for a page; has nothing in hand */
	IRQX_INJECTING,	/* KVM has a copy of the target's entries */
};

struct irqx_queue {
	struct list_head targets;	/* that wait */
	struct irqx_target *now;	/* the one in work; NULL if it has gone since */
	enum irqx_queue_state state;
	u32 events;			/* that are being injected */
	struct irqx_tally *tally;	/* theirs, as target.tally */
	u32 taken;			/* how many have been in work */
};

/* A VM's deliveries outside atomic context.  Each queue has a worker of its own. */
struct irqx_later {
	raw_spinlock_t lock;		/* interrupts off; under target.lock */
	struct irqx_queue queues[IRQX_NR_QUEUES];	/* @lock */
	void (*finish)(struct irqx_later *later);	/* for a pager left behind; @lock */
	wait_queue_head_t progress;	/* a queue's state has changed */
	struct work_struct prompt;
	struct mutex pager_mutex;	/* making @pager */
	struct task_struct *pager;	/* of IRQX_PAGED; set once, with a reference */
	wait_queue_head_t work;		/* where the pager waits */
	bool more;			/* there is some; WRITE_ONCE */
};

/* How a binding was at one moment. */
struct irqx_observed {
	u64 events;
	u64 coalesced;
	u64 refused;
	u32 state;			/* KVM_IRQX_STATE_* */
};

/* What was under way when a target was changed or removed. */
struct irqx_leave {
	u32 taken[IRQX_NR_QUEUES];	/* of the injection to wait for */
	u8 begun;			/* which of @taken count */
	struct hlist_head sources;	/* that may be being told of an EOI */
};

void irqx_later_init(struct irqx_later *later);
void irqx_later_flush(struct irqx_later *later);
bool irqx_later_stop(struct irqx_later *later,
		     void (*finish)(struct irqx_later *later));
void irqx_later_destroy(struct irqx_later *later);
int irqx_leave_wait(struct irqx_vm *vm, struct irqx_leave *leave);
int irqx_leave_wait_in_guest(struct irqx_vm *vm, struct irqx_leave *leave);
void irqx_leave_finish_prompt(struct irqx_vm *vm, struct irqx_leave *leave);

void irqx_target_init(struct irqx_target *target,
		      struct irqx_delivery *delivery, spinlock_t *lock);
void irqx_target_init_raw(struct irqx_target *target,
			  struct irqx_delivery *delivery, raw_spinlock_t *lock);
void irqx_target_open(struct irqx_target *target);
void irqx_target_close(struct irqx_target *target);
void irqx_target_plug(struct irqx_target *target, struct irqx_source *source);
bool irqx_target_unplug(struct irqx_source *source);
void irqx_target_change(struct irqx_target *target,
			struct irqx_entries *entries, enum irqx_mask mask,
			struct irqx_leave *leave);
void irqx_target_set_pending(struct irqx_target *target, bool pending);
u32 irqx_target_state(struct irqx_target *target);
void irqx_target_note(struct irqx_target *target, struct irqx_leave *leave);
void irqx_target_retire(struct irqx_target *target, struct irqx_leave *leave);
int irqx_target_assert(struct irqx_target *target, struct irqx_source *source);
int irqx_target_lower(struct irqx_target *target, struct irqx_source *source);
/* For irqx_target_event() alone. */
int irqx_event_slow_unlock(struct irqx_target *target, bool inject, unsigned long flags)
	__releases(target->lock);
void irqx_event_count(struct irqx_target *target, int ret);
int irqx_target_raise(struct irqx_target *target);
int irqx_target_wait(struct irqx_target *target);

void irqx_deliver_classify(struct irqx_vm *vm, struct irqx_entries *entries);
int irqx_deliver_prepare(struct irqx_vm *vm, struct irqx_entries *entries);
int irqx_deliver_wakeup(struct wait_queue_entry *wait, unsigned int mode,
			int sync, void *key);
u64 irqx_deliver_pending(struct irqx_irqfd *irqfd);
void irqx_deliver_observe(struct irqx_irqfd *irqfd, struct irqx_observed *seen);
bool irqx_deliver_take_back(struct irqx_irqfd *irqfd, bool last);
void irqx_deliver_closed(struct irqx_irqfd *irqfd);

#endif /* _IRQX_DELIVER_H */

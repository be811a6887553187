/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_LINE_H
#define _IRQX_LINE_H

#include <linux/kvm_host.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "ack.h"
#include "entry.h"

struct eventfd_ctx;
struct irqx_line;
struct irqx_source;
struct irqx_tally;

/* The pins, SINTs and vectors of a VM that sources are plugged into. */
struct irqx_lines {
	struct kvm *kvm;		/* immutable, as is */
	int source_id;			/* KVM's, of all that is driven here */
	bool pins_are_atomic;		/* irqx_lines_set_up() */
	struct mutex lock;		/* adding to @all */
	struct xarray all;		/* by irqx_arch_line_key(); readers: RCU */
	/*
	 * Who is plugged into which line, and every target's list of sources.
	 * Interrupts on.  Nothing that somebody else can prolong is done under it.
	 */
	spinlock_t plugs_lock;
	spinlock_t levels_lock;		/* levels of all of them */
	u64 nr_let_go;			/* EOIs so far; @levels_lock */
	struct list_head untold;	/* sources to be told of an EOI; @plugs_lock */
	struct work_struct tell;	/* those that the probe has left */
	wait_queue_head_t told;
	atomic_t leaving;		/* who waits at @told */
	atomic_t nr_sources;
	u32 acks;			/* lines that want EOIs; ack.c's lock */
};

/* One end in the source, one in a line. */
struct irqx_plug {
	struct irqx_source *source;
	struct irqx_line *line;
	struct list_head node;		/* lines.plugs_lock */
};

/* What holds a line up or wants its EOIs. */
struct irqx_source {
	struct irqx_lines *lines;	/* immutable */
	/* Who hears of EOIs; immutable once plugged in.  Neither: it holds until it lets go. */
	struct eventfd_ctx *resamplefd;
	void (*eoi)(void *data);
	void *data;
	struct irqx_tally *tally;	/* of the binding that it is for, or NULL; immutable */
	refcount_t refs;		/* the owner, and each that tells it */
	struct hlist_node node;		/* target.sources; lines.plugs_lock */
	struct list_head untold;	/* lines.untold; lines.plugs_lock */
	struct irqx_line *acked;	/* why it is there; lines.plugs_lock */
	bool asked;			/* an event that has not raised it yet; xchg() */
	bool asked_low;			/* to be lowered; xchg() */
	bool high;			/* lines.levels_lock, as is */
	bool masked;			/* @high is remembered, and drives nothing */
	u32 nr;				/* plugs_lock and levels_lock */
	struct irqx_plug plugs[KVM_NR_IRQCHIPS];	/* as @nr */
};

void irqx_lines_init(struct irqx_lines *lines, struct kvm *kvm, int source_id);
void irqx_lines_teardown(struct irqx_lines *lines);
int irqx_lines_prepare(struct irqx_lines *lines,
		       const struct kvm_kernel_irq_routing_entry *e, bool eoi);
int irqx_lines_pulse(struct irqx_lines *lines,
		     struct kvm_kernel_irq_routing_entry *e);
int irqx_lines_event(struct irqx_lines *lines,
		     struct kvm_kernel_irq_routing_entry *e, bool atomic);
int irqx_lines_lower(struct irqx_lines *lines,
		     struct kvm_kernel_irq_routing_entry *e, bool want_status);
void irqx_lines_set_up(struct irqx_lines *lines);
void irqx_lines_ack(struct irqx_lines *lines, unsigned long key, enum irqx_ack_how how);
bool irqx_lines_unmasked(struct irqx_lines *lines, unsigned long key, bool asked);
void irqx_lines_tell(struct irqx_lines *lines);

struct irqx_source *irqx_source_alloc(struct irqx_lines *lines,
				      struct eventfd_ctx *resamplefd);
void irqx_source_put(struct irqx_source *source);
int irqx_source_wait_told(struct irqx_source *source);
void irqx_source_move(struct irqx_source *source, struct irqx_entries *entries);
int irqx_source_set(struct irqx_source *source, bool high, bool want_status);
void irqx_source_set_masked(struct irqx_source *source, bool masked);
bool irqx_source_is_pending(struct irqx_source *source);
bool irqx_source_unhold(struct irqx_source *source);
bool irqx_source_set_asked(struct irqx_source *source, int *ret);
int irqx_source_assert_atomic(struct irqx_source *source);
void irqx_source_wait_heard(struct irqx_source *source);

/* Whether EOIs are for it: they make it let go, and it is told. */
static inline bool irqx_source_hears(const struct irqx_source *source)
{
	return source->resamplefd || source->eoi;
}

/* As kvm_set_irq() adds up what the entries of a GSI answer; @sum begins at -1. */
static inline int irqx_status_add(int sum, int status)
{
	return status < 0 ? sum : status + max(sum, 0);
}

/* KVM_IRQ_LINE holds it up; anything else can only be raised. */
static inline bool
irqx_entry_has_level(const struct kvm_kernel_irq_routing_entry *e)
{
	return e->type == KVM_IRQ_ROUTING_IRQCHIP ||
	       e->type == KVM_IRQX_ROUTING_PPI;
}

#endif /* _IRQX_LINE_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_BUS_H
#define _IRQX_BUS_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "kvm/kvm.h"

struct task_struct;

/* A range of guest-physical addresses. */
struct irqx_window {
	struct kvm_io_device device;	/* immutable once the place is added, as are */
	gpa_t start;			/* this */
	u32 len;			/* and this; 0: none, with @start 0 */
	bool on_bus;			/* the bus thread's */
};

enum irqx_place_state {
	IRQX_PLACE_IDLE,		/* what was wanted of it has been done */
	IRQX_PLACE_QUEUED,
	IRQX_PLACE_IN_WORK,
};

/* Where something is: up to two windows, which come on the bus and go together. */
#define IRQX_PLACE_WINDOWS	2

struct irqx_place {
	struct irqx_window windows[IRQX_PLACE_WINDOWS];
	struct list_head node;		/* in a bus's queue; bus.lock, as are */
	struct list_head entry;		/* among all of the bus's */
	enum irqx_place_state state;
	bool wanted;			/* on the bus */
	bool claimed;			/* it answers, and no other there */
	bool leaves;			/* to be taken off and released */
	int ret;			/* of putting it there, the last time */
	u32 served;			/* how often the thread has had it in work */
	void (*release)(struct irqx_place *place);	/* immutable */
};

/*
 * The places of a VM, and the thread that puts them on KVM's bus.  It may be held up by
 * whoever serves the VM's pages, so nobody waits for it but who adds a place, killably.
 */
struct irqx_bus {
	struct kvm *kvm;		/* immutable */
	spinlock_t lock;
	struct list_head queue;		/* places; @lock */
	struct list_head places;	/* all of them; @lock */
	bool in_work;			/* @lock */
	void (*finish)(struct irqx_bus *bus);	/* for a thread left behind; @lock */
	struct mutex thread_mutex;	/* making @thread */
	struct task_struct *thread;	/* set once */
	wait_queue_head_t progress;	/* a place has been in work */
};

static inline struct irqx_window *irqx_window_of(struct kvm_io_device *device)
{
	return container_of(device, struct irqx_window, device);
}

/* Neither goes beyond the end of the address space. */
static inline bool irqx_windows_overlap(const struct irqx_window *a,
					const struct irqx_window *b)
{
	return a->start < b->start + b->len && b->start < a->start + a->len;
}

void irqx_bus_init(struct irqx_bus *bus, struct kvm *kvm);
int irqx_bus_prepare(struct irqx_bus *bus);
bool irqx_bus_stop(struct irqx_bus *bus, void (*finish)(struct irqx_bus *bus));
void irqx_bus_add(struct irqx_bus *bus, struct irqx_place *place,
		  void (*release)(struct irqx_place *place));
int irqx_bus_put_on(struct irqx_bus *bus, struct irqx_place *place);
void irqx_bus_remove(struct irqx_bus *bus, struct irqx_place *place);
int irqx_bus_claim(struct irqx_bus *bus, struct irqx_place *place,
		   struct irqx_place *instead);
void irqx_bus_disclaim(struct irqx_bus *bus, struct irqx_place *place);

#endif /* _IRQX_BUS_H */

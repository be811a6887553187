/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_NEIGHBOUR_H
#define SELFTEST_IRQX_NEIGHBOUR_H

/*
 * neighbour.c: a driver of the host for one of QEMU's "edu" devices, which joins and leaves its
 * interrupt line when the program says so.  One open file has one device.  A write() is one struct
 * neighbour_request; it returns its size, or fails with what the kernel has answered; @out and what
 * follows are written back.
 */
#include <linux/types.h>

enum neighbour_op {
	NEIGHBOUR_TAKE,			/* the device at @slot of bus 0 */
	NEIGHBOUR_JOIN,			/* @flags */
	NEIGHBOUR_LEAVE,
	/* @count times: it interrupts, and waits until that is served, or for @ms */
	NEIGHBOUR_FIRE,
	/* @count times: joins, interrupts once, leaves */
	NEIGHBOUR_VISIT,
	/* @out: the depth of disable_irq() of its line; @nr: how many are on it */
	NEIGHBOUR_LINE,
	/* @count times disable_irq_nosync() and enable_irq(), @out: nanoseconds */
	NEIGHBOUR_COST_LINE,
	/* the same by its own disable bit */
	NEIGHBOUR_COST_DEVICE,
};

/* Threaded, the line masked until its thread is done. */
#define NEIGHBOUR_ONESHOT	(1U << 0)
/* Does not share. */
#define NEIGHBOUR_ALONE		(1U << 1)

struct neighbour_request {
	__u32 op;
	__u32 slot;
	__u32 flags;
	__u32 ms;
	__u64 count;
	__u64 out;
	__u64 nr;
	__u64 served;			/* of FIRE and VISIT, this time */
	__u64 lost;
	__u64 worst_ns;			/* from the write that made it interrupt, to the handler */
	__u64 total_ns;
};

#endif /* SELFTEST_IRQX_NEIGHBOUR_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_DOOR_H
#define SELFTEST_IRQX_DOOR_H

/*
 * door.c: a host module that does what the program says, by all of include/linux/kvm_irqx.h.  One
 * open file has one source and one dynirq.  A write() is one struct door_request; it returns its
 * size, or fails with what the call has answered; @out is written back.
 */
#include <linux/kvm.h>
#include <linux/types.h>

enum door_op {
	DOOR_CONTEXT,			/* takes that of @fd, in place of an earlier one */
	DOOR_CREATE,			/* a source: @entry, @flags */
	DOOR_DESTROY,
	DOOR_RAISE,			/* @count times, in @where */
	DOOR_LOWER,			/* once, in @where */
	DOOR_TOGGLE,			/* @count times: raise, lower; with @value lower, raise */
	DOOR_MOVE,			/* @entry */
	DOOR_MASK,			/* @value */
	DOOR_STATE,			/* @out */
	DOOR_EOIS,			/* @out: how often the call-back has been called */
	DOOR_AGAIN,			/* the call-back raises it again, the next @count times */
	DOOR_DYNIRQ,			/* takes @table */
	DOOR_FIND,			/* @out: the handle that @label is of */
	DOOR_INJECT,			/* @count handles from @value on, in @where */
	/*
	 * As DOOR_INJECT, always @value; @out: nanoseconds.  With interrupts off, or in
	 * DOOR_HARDIRQ, which is a timer's handler here.
	 */
	DOOR_COST,
	DOOR_COST_KVM,			/* the same by KVM's own injection of @entry */
	DOOR_COST_RAISE,		/* the same by the source */
	DOOR_COST_SIGNAL,		/* the same by eventfd_signal() of @fd */
	DOOR_STORM,			/* a timer's handler raises @nr handles from @value on */
	DOOR_STORMED,			/* @out: how many so far */
	DOOR_CALM,			/* ends that */
	DOOR_PUT,			/* gives the dynirq back, then the context */
};

#define DOOR_LEVEL	(1U << 0)
#define DOOR_MASKED	(1U << 1)
#define DOOR_EOI	(1U << 2)

enum door_where {
	DOOR_TASK,
	DOOR_HARDIRQ,
	DOOR_RAW,			/* a raw spinlock is held, interrupts are off */
};

struct door_request {
	__u32 op;
	__u32 where;
	__s32 fd;
	__u32 flags;
	__u32 table;
	__u32 value;
	__u32 nr;
	__u32 pad;
	__u64 count;
	__u64 period_ns;
	__u64 out;
	struct kvm_irq_routing_entry entry;
	char label[40];
};

#endif /* SELFTEST_IRQX_DOOR_H */

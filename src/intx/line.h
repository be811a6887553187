/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_INTX_LINE_H
#define _IRQX_INTX_LINE_H

/*
 * A device's interrupt that is masked when it comes and unmasked when somebody has served it:
 * at its line while the device is alone there, at the device while others are.
 *
 * Nothing here knows of VFIO, of KVM or of PCI.  Documentation/intx.rst has the states.
 */

#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct irq_desc;

/* Nobody on a closed line waits for longer, whoever does not serve the interrupt. */
#define INTX_LOOK_MS	10
/*
 * So often while an interrupt is not served @waiting is called.  By a device that is masked, and
 * where the kernel tells of who joins a line, that is all the looking there is.
 */
#define INTX_WAITING_MS	1000

enum intx_mode {
	INTX_MODE_NONE,
	INTX_MODE_LINE,
	INTX_MODE_DEVICE,
};

/* Who finds that the way has to change. */
enum intx_who {
	INTX_WHO_INTERRUPT,
	INTX_WHO_HOOK,
	INTX_WHO_TIMER,
};

enum intx_mask {
	INTX_NOT_ASSERTED,		/* nothing to mask: it was not the device */
	INTX_MASKED,
	INTX_HUSHED,			/* masked, and not for us: its owner does not want it */
};

enum intx_unmask {
	INTX_UNMASKED,
	INTX_STILL_ASSERTED,		/* so it stays masked */
	INTX_TRY_LATER,			/* the device cannot be reached now */
	INTX_NOT_WANTED,		/* its owner has it masked, and will unmask it */
};

/*
 * All but @tell are called with the line's lock held, maybe in a hard interrupt.  @mask,
 * @is_masked, @unmask, @quiet, @silence and @let_go are not called of an exclusive line,
 * @unwanted only of one.
 */
struct intx_line_ops {
	/* Has somebody else taken the interrupt?  Then it is given up. */
	bool (*taken)(void *data);
	/* Masks the device if it asserts. */
	enum intx_mask (*mask)(void *data);
	/* Is the mask still there?  Others may have cleared it. */
	bool (*is_masked)(void *data);
	/* Unmasks it if it does not assert. */
	enum intx_unmask (*unmask)(void *data);
	/* Masks it whatever it does. */
	void (*quiet)(void *data);
	/* Masks it if it asserts and is not masked, whoever has taken it.  Return: whether. */
	bool (*silence)(void *data);
	/* Unmasks it, for who has taken it. */
	void (*let_go)(void *data);
	/* Does its owner want no interrupt now? */
	bool (*unwanted)(void *data);
	/* An interrupt is there to be served.  No lock held. */
	void (*tell)(void *data);
	/* It has been given up; intx_line_close() has to come, from elsewhere. */
	void (*ended)(void *data);
	/* It has not been served for long. */
	void (*waiting)(void *data);
};

struct intx_line_counters {
	u64 interrupts;
	u64 by_line;
	u64 by_device;
	u64 foreign;
	u64 eois;
	u64 asserted;
	u64 to_device;
	u64 to_line;
	u64 opened_by_hook;
	u64 opened_by_timer;
	u64 retried;
};

struct intx_line {
	const struct intx_line_ops *ops;	/* immutable, as are */
	void *data;				/* for @ops */
	unsigned int irq;
	struct irq_desc *desc;			/* ours as long as our action is there */
	bool exclusive;				/* the device cannot be masked */
	bool unlazy;				/* IRQ_DISABLE_UNLAZY is our doing */
	bool told;				/* the kernel tells of who joins; and this */

	/*
	 * Taken in a hard interrupt, and around the owner's locks of that kind: a spinlock, which
	 * PREEMPT_RT lets sleep, since all that takes it is a thread there.
	 */
	spinlock_t lock;
	/* The rest: @lock. */
	enum intx_mode mode;
	bool closed;			/* the line, by one disable_irq_nosync() of ours */
	bool masked;			/* the device, by us */
	bool held_back;			/* exclusive: closed until its owner wants it again */
	bool retry;			/* unmasking it is left to the timer */
	bool others;			/* @told: are on the line, or about to join it */
	u32 armed_ms;			/* the timer, for so long; 0: it is not */
	bool yielding;			/* somebody else has taken it */
	bool handed_over;		/* and handles it */
	bool ended;
	u32 passes;			/* of the handler since @handed_over */
	u32 waited_ms;
	struct hrtimer timer;
	struct intx_line_counters counters;

	struct list_head node;		/* hook.c */
};

void intx_line_init(struct intx_line *line, const struct intx_line_ops *ops, void *data);
int intx_line_open(struct intx_line *line, unsigned int irq, bool exclusive, const char *name);
void intx_line_start(struct intx_line *line);
void intx_line_end(struct intx_line *line);
bool intx_line_hand_over(struct intx_line *line);
void intx_line_close(struct intx_line *line);
void intx_line_eoi(struct intx_line *line);
void intx_line_look(struct intx_line *line, enum intx_who who);
void intx_line_tell(struct intx_line *line, bool others);

#endif /* _IRQX_INTX_LINE_H */

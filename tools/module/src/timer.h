/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IRQX_TIMER_H
#define IRQX_TIMER_H

/* What /dev/irqx-timer takes by write(). */
#include <linux/types.h>

struct irqx_timer_request {
	__s32 fd;			/* the VMM's, of its context on /dev/kvm-irqx */
	__u32 table;			/* the dynirq's number there */
	__u32 first, nr;		/* handles */
	__u64 period_ns, count;
	char label[32];			/* of the first, instead of its number; "": that counts */
};

#endif /* IRQX_TIMER_H */

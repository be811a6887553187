/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_IRQFD_H
#define _IRQX_IRQFD_H

#include <linux/wait.h>

#include "deliver.h"

struct eventfd_ctx;
struct irqx_context;
struct irqx_source;

/* An eventfd bound to a target, its own (direct) or a GSI's. */
struct irqx_irqfd {
	struct wait_queue_entry wait;	/* the eventfd's wqh.lock */
	struct eventfd_ctx *eventfd;	/* immutable after publish, as is */
	struct irqx_target *target;	/* @own, or that of a GSI */
	unsigned long id;		/* in delivery.irqfds: never another's, and rising */
	u64 cookie;
	struct irqx_source *source;	/* with a resamplefd; immutable */
	u64 count;			/* of the last wake-up; wqh.lock */
	struct irqx_tally tally;
	u32 epoch;			/* of the last event that waited; target.lock */
	bool in_batch;			/* false between calls; context.lock */
	struct irqx_target own;		/* its @lock and @delivery in any case */
};

int irqx_irqfd_init(void);
void irqx_irqfd_exit(void);
struct irqx_irqfd *irqx_irqfd_alloc(struct irqx_context *ctx);
int irqx_irqfd_alloc_many(struct irqx_context *ctx, struct irqx_irqfd **irqfds,
			  u32 nr);
int irqx_irqfd_set_resamplefd(struct irqx_irqfd *irqfd, int fd);
void irqx_irqfd_free(struct irqx_irqfd *irqfd);
int irqx_irqfd_reserve(struct irqx_irqfd *irqfd, struct irqx_target *target,
		       int fd);
void irqx_irqfd_unreserve(struct irqx_irqfd *irqfd);
void irqx_irqfd_commit(struct irqx_irqfd *irqfd);
struct irqx_irqfd *irqx_irqfd_find(struct irqx_context *ctx, int fd);
void irqx_irqfd_remove(struct irqx_irqfd *irqfd, bool last,
		       struct irqx_leave *leave);

static inline bool irqx_irqfd_is_direct(const struct irqx_irqfd *irqfd)
{
	return irqfd->target == &irqfd->own;
}

#endif /* _IRQX_IRQFD_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_CONTEXT_H
#define _IRQX_CONTEXT_H

#include <linux/bits.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/sched/signal.h>
#include <linux/xarray.h>

#include "deliver.h"

struct file;
struct inode;
struct irqx_error;
struct irqx_gsi;
struct irqx_vm;
struct kvm_irqx_stats;

/* An open file: a GSI table and irqfds. */
struct irqx_context {
	refcount_t refs;		/* of the memory: the file, and modules of the host */
	bool closed;			/* by its file; @lock */
	struct mutex lock;		/* changes to the context */
	struct irqx_vm *vm;		/* @lock; immutable after publish */
	u32 nr_irqfds;			/* @lock */
	unsigned long last_irqfd_id;	/* @lock */
	struct xarray gsis;		/* @lock */
	struct irqx_gsi *recent_gsi;	/* the last that was found, or NULL; @lock */
	struct xarray vps;		/* @lock */
	struct xarray tables;		/* @lock */
	struct list_head sources;	/* of modules of the host; @lock */
	struct xarray staged_resamplers; /* by GSI; empty between calls; @lock */
	u32 nr_gsis;			/* routed ones; @lock */
	u64 undeliverable;		/* entries taken; @lock */
	u64 undefined;			/* accesses to tables that are no more; @lock */
	struct irqx_delivery delivery;
};

/* What KVM_SET_GSI_ROUTING copies in must stay below kvmalloc()'s 2 GiB. */
#define IRQX_GSIS_LIMIT		BIT(24)
/* As many, each with its GSI; 4 GiB of kernel memory. */
#define IRQX_IRQFDS_LIMIT	BIT(24)
extern unsigned int irqx_max_gsis;
extern unsigned int irqx_max_irqfds;

int irqx_context_init(void);
int irqx_context_open(struct inode *inode, struct file *file);
int irqx_context_release(struct inode *inode, struct file *file);
struct irqx_context *irqx_context_from_file(struct file *file);
void irqx_context_put(struct irqx_context *ctx);
int irqx_context_attach(struct irqx_context *ctx, int vm_fd,
			struct irqx_error *error);
int irqx_context_check(struct irqx_context *ctx, struct irqx_error *error);
void irqx_context_queue_reaper(struct irqx_context *ctx);
int irqx_context_unlock_and_wait(struct irqx_context *ctx,
				 struct irqx_leave *leave);
int irqx_context_deassign(struct irqx_context *ctx, int fd, const u32 *gsi,
			  struct irqx_leave *leave, struct irqx_error *error);
void irqx_context_stats(struct irqx_context *ctx, struct kvm_irqx_stats *stats);

/*
 * Nobody who has the lock waits for userspace.
 *
 * Context: may sleep.
 * Return: 0, or -EINTR if killed.
 */
static inline int irqx_context_lock(struct irqx_context *ctx)
{
	return mutex_lock_killable(&ctx->lock);
}

static inline void irqx_context_unlock(struct irqx_context *ctx)
{
	mutex_unlock(&ctx->lock);
	/* The reaper may have found the lock taken: it looks the other way round. */
	smp_mb__after_atomic();
	if (unlikely(xa_marked(&ctx->delivery.irqfds, IRQX_IRQFD_DEAD)))
		irqx_context_queue_reaper(ctx);
}

/* In what may take a while: chances for others, and to end it.  Return: 0 or -EINTR. */
static inline int irqx_cond_resched_killable(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

#endif /* _IRQX_CONTEXT_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_IRQX_BATCH: operations on bindings and routes, all of them or none.
 *
 * Each is staged first, in order: all that can fail happens there, and each finds what those
 * before it will have made.  Then all are committed, or all dropped.  Only the context's lock
 * keeps what is staged together: the present bindings and routes stay in force meanwhile.
 */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "batch.h"
#include "context.h"
#include "direct.h"
#include "error.h"
#include "irqfd.h"
#include "route.h"

/* What an operation takes. */
enum op_entry {
	ENTRY_NONE,		/* all of it is zero */
	ENTRY_GSI,		/* all but the gsi is zero */
	ENTRY_OWN,		/* of an eventfd; the gsi is zero */
	ENTRY_ROUTE,		/* of the gsi */
	ENTRY_PLACE,		/* the gsi, if there is no fd; all else is zero */
};

#define MASK_FLAGS	(KVM_IRQX_OP_FLAG_MASK | KVM_IRQX_OP_FLAG_UNMASK)

/*
 * Who leaves is first, who comes is last, so that a GSI never has an entry and a resamplefd
 * that do not go together.  Nobody can see the order of operations on different eventfds and
 * GSIs.
 */
enum phase { LEAVE, CHANGE, COME, NR_PHASES };

struct op_kind {
	bool known;
	bool has_fd;
	enum op_entry entry;
	u32 flags;		/* KVM_IRQX_OP_FLAG_* */
};

static const struct op_kind op_kinds[] = {
	[KVM_IRQX_OP_ASSIGN] = {
		true, true, ENTRY_OWN,
		KVM_IRQX_OP_FLAG_RESAMPLE | KVM_IRQX_OP_FLAG_EVENT_FLAG | MASK_FLAGS,
	},
	[KVM_IRQX_OP_MODIFY] = {
		true, true, ENTRY_OWN, KVM_IRQX_OP_FLAG_EVENT_FLAG | MASK_FLAGS,
	},
	[KVM_IRQX_OP_DEASSIGN] = { true, true, ENTRY_NONE, 0 },
	[KVM_IRQX_OP_ROUTE_SET] = { true, false, ENTRY_ROUTE, MASK_FLAGS },
	[KVM_IRQX_OP_ROUTE_ADD] = { true, false, ENTRY_ROUTE, 0 },
	[KVM_IRQX_OP_ROUTE_DEL] = { true, false, ENTRY_GSI, 0 },
	[KVM_IRQX_OP_IRQFD] = { true, true, ENTRY_GSI, KVM_IRQX_OP_FLAG_RESAMPLE },
	[KVM_IRQX_OP_MASK] = { true, true, ENTRY_PLACE, 0 },
	[KVM_IRQX_OP_UNMASK] = { true, true, ENTRY_PLACE, 0 },
};

/* So few operations that their state has room on the stack: a call for one is common. */
#define BATCH_FEW	8

struct batch {
	struct irqx_context *ctx;
	const struct kvm_irqx_op *ops;
	u32 nr;
	u32 nr_staged;
	u32 nr_modify;
	u32 nr_of[NR_PHASES];		/* operations; those of COME bind */
	/* Of each operation: new, or found when it is staged; NULL: none. */
	struct irqx_irqfd **irqfds;
	struct irqx_irqfd *few[BATCH_FEW];
	struct irqx_entries *entries;	/* of the MODIFYs, one after the other */
	u32 nr_entries;			/* that are staged */
	/* Eventfds to unbind that are not bound, by eventfd_key(): nothing else marks them. */
	struct xarray unbound;
	s32 first_unbound;		/* IRQX_NO_INDEX: there is none */
};

/* Return: a bit for each operation, 1 << KVM_IRQX_OP_*. */
u32 irqx_batch_known_ops(void)
{
	u32 i, ops = 0;

	for (i = 0; i < ARRAY_SIZE(op_kinds); i++)
		if (op_kinds[i].known)
			ops |= BIT(i);
	return ops;
}

/* Return: the flags of all operations together. */
u32 irqx_batch_known_flags(void)
{
	u32 i, flags = 0;

	for (i = 0; i < ARRAY_SIZE(op_kinds); i++)
		flags |= op_kinds[i].flags;
	return flags;
}

static const struct op_kind *op_kind(const struct kvm_irqx_op *op)
{
	u32 i = op->op;

	/* The first one is no operation. */
	if (i >= ARRAY_SIZE(op_kinds))
		i = 0;
	return &op_kinds[array_index_nospec(i, ARRAY_SIZE(op_kinds))];
}

/* It is about a GSI, and so staged there. */
static bool op_is_of_gsi(const struct kvm_irqx_op *op)
{
	switch (op->op) {
	case KVM_IRQX_OP_ROUTE_SET:
	case KVM_IRQX_OP_ROUTE_ADD:
	case KVM_IRQX_OP_ROUTE_DEL:
		return true;
	case KVM_IRQX_OP_MASK:
	case KVM_IRQX_OP_UNMASK:
		return op->fd == KVM_IRQX_NO_FD;
	default:
		return false;
	}
}

/* It makes a binding. */
static bool op_binds(const struct kvm_irqx_op *op)
{
	return op->op == KVM_IRQX_OP_ASSIGN || op->op == KVM_IRQX_OP_IRQFD;
}

static enum phase op_phase(const struct kvm_irqx_op *op)
{
	if (op_binds(op))
		return COME;
	return op->op == KVM_IRQX_OP_DEASSIGN ? LEAVE : CHANGE;
}

static int not_zero(struct irqx_error *error, enum irqx_arg arg)
{
	return irqx_reject(error, -EINVAL, arg, IRQX_REASON_NOT_ZERO);
}

static int entry_check(const struct kvm_irqx_op *op, enum op_entry takes,
		       struct irqx_error *error)
{
	const struct kvm_irq_routing_entry *entry = &op->entry;
	const size_t gsi_end = offsetofend(struct kvm_irq_routing_entry, gsi);
	const char *rest = (const char *)entry + gsi_end;

	if (takes == ENTRY_PLACE)
		takes = op->fd == KVM_IRQX_NO_FD ? ENTRY_GSI : ENTRY_NONE;
	if (takes == ENTRY_OWN)
		return irqx_direct_check_entry(entry, error);
	if (takes == ENTRY_ROUTE)
		return entry->pad ? not_zero(error, IRQX_ARG_ENTRY_PAD) : 0;
	if ((takes == ENTRY_NONE && entry->gsi) ||
	    memchr_inv(rest, 0, sizeof(*entry) - gsi_end))
		return not_zero(error, IRQX_ARG_ENTRY);
	return 0;
}

static int op_check(const struct kvm_irqx_op *op, struct irqx_error *error)
{
	const struct op_kind *kind = op_kind(op);

	if (!kind->known)
		return irqx_reject(error, -EINVAL, IRQX_ARG_OP,
				   IRQX_REASON_UNKNOWN_VALUE);
	if (op->flags & ~kind->flags)
		return irqx_reject(error, -EINVAL, IRQX_ARG_FLAGS,
				   IRQX_REASON_UNKNOWN_FLAG);
	if ((op->flags & MASK_FLAGS) == MASK_FLAGS)
		return irqx_reject(error, -EINVAL, IRQX_ARG_FLAGS,
				   IRQX_REASON_FLAGS_CONFLICT);
	if (op->pad)
		return not_zero(error, IRQX_ARG_PAD);
	if (op->fd && !kind->has_fd)
		return not_zero(error, IRQX_ARG_FD);
	if (op->resamplefd && !(op->flags & KVM_IRQX_OP_FLAG_RESAMPLE))
		return not_zero(error, IRQX_ARG_RESAMPLEFD);
	if (op->cookie && !op_binds(op))
		return not_zero(error, IRQX_ARG_COOKIE);
	return irqx_direct_check_event_flag(op, error) ?:
	       entry_check(op, kind->entry, error);
}

/* ---- an eventfd stands in a batch once ---- */

/* Of struct batch's @unbound: as dense as addresses from kmalloc() can be. */
static unsigned long eventfd_key(const struct eventfd_ctx *eventfd)
{
	return (unsigned long)eventfd / sizeof(u64);
}

static int reject_twice(struct irqx_error *error)
{
	return irqx_reject(error, -EINVAL, IRQX_ARG_FD, IRQX_REASON_TWICE);
}

/* @irqfd: reserved for this batch, or found.  Return: 0 or -EINVAL. */
static int batch_enter(struct batch *batch, struct irqx_irqfd *irqfd,
		       struct irqx_error *error)
{
	if (irqfd->in_batch ||
	    (!xa_empty(&batch->unbound) &&
	     xa_load(&batch->unbound, eventfd_key(irqfd->eventfd))))
		return reject_twice(error);
	irqfd->in_batch = true;
	return 0;
}

/* What operation @i finds bound is its own in this batch.  Return: as irqx_irqfd_find(). */
static struct irqx_irqfd *batch_find(struct batch *batch, u32 i,
				     struct irqx_error *error)
{
	struct irqx_irqfd *irqfd = irqx_irqfd_find(batch->ctx, batch->ops[i].fd);
	int ret;

	if (IS_ERR(irqfd)) {
		irqx_reject_fd(error, PTR_ERR(irqfd), IRQX_ARG_FD);
		return irqfd;
	}
	ret = batch_enter(batch, irqfd, error);
	if (ret)
		return ERR_PTR(ret);
	batch->irqfds[i] = irqfd;
	return irqfd;
}

/* Whether somebody else has it, or an operation of this batch. */
static int reject_bound(struct batch *batch, const struct kvm_irqx_op *op,
			struct irqx_error *error)
{
	struct irqx_irqfd *irqfd = irqx_irqfd_find(batch->ctx, op->fd);

	if (!IS_ERR(irqfd) && irqfd->in_batch)
		return reject_twice(error);
	return -EBUSY;
}

/* An eventfd that has nothing to be undone.  Its address is its own while it is here. */
static int batch_enter_unbound(struct batch *batch, int fd,
			       struct irqx_error *error)
{
	struct eventfd_ctx *eventfd = eventfd_ctx_fdget(fd);
	int ret;

	if (IS_ERR(eventfd))
		return irqx_reject_fd(error, PTR_ERR(eventfd), IRQX_ARG_FD);
	ret = xa_insert(&batch->unbound, eventfd_key(eventfd), eventfd,
			GFP_KERNEL_ACCOUNT);
	if (!ret)
		return 0;
	eventfd_ctx_put(eventfd);
	return ret == -EBUSY ? reject_twice(error) : ret;
}

static void batch_forget_unbound(struct batch *batch)
{
	struct eventfd_ctx *eventfd;
	unsigned long index;

	if (xa_empty(&batch->unbound))
		return;
	xa_for_each(&batch->unbound, index, eventfd) {
		eventfd_ctx_put(eventfd);
		cond_resched();
	}
	xa_destroy(&batch->unbound);
}

/* ---- stage, commit or drop one ---- */

static int stage_assign(struct batch *batch, u32 i, struct irqx_error *error)
{
	struct irqx_irqfd *irqfd = batch->irqfds[i];
	int ret;

	ret = irqx_direct_reserve(batch->ctx, irqfd, &batch->ops[i], error);
	if (ret == -EBUSY && error->reason == IRQX_REASON_BOUND)
		return reject_bound(batch, &batch->ops[i], error);
	if (ret)
		return ret;
	ret = batch_enter(batch, irqfd, error);
	if (ret)
		irqx_irqfd_unreserve(irqfd);
	return ret;
}

static int stage_irqfd(struct batch *batch, u32 i, struct irqx_error *error)
{
	const struct kvm_irqx_op *op = &batch->ops[i];
	const struct kvm_irqfd args = {
		.fd = op->fd,
		.gsi = op->entry.gsi,
		.flags = op->flags & KVM_IRQX_OP_FLAG_RESAMPLE ? KVM_IRQFD_FLAG_RESAMPLE : 0,
		.resamplefd = op->resamplefd,
	};
	struct irqx_irqfd *irqfd = batch->irqfds[i];
	struct irqx_leave none = {};
	int ret;

	irqfd->cookie = op->cookie;
	ret = irqx_route_reserve(batch->ctx, irqfd, &args, IRQX_ARG_ENTRY_GSI, error);
	if (ret == -EBUSY && error->reason == IRQX_REASON_BOUND)
		return reject_bound(batch, op, error);
	if (ret)
		return ret;
	ret = batch_enter(batch, irqfd, error);
	if (!ret && irqfd->source)
		ret = irqx_route_stage_resampler(batch->ctx, args.gsi, 1);
	if (ret)
		irqx_route_unreserve(batch->ctx, irqfd, &none);
	return ret;
}

static int stage_modify(struct batch *batch, u32 i, struct irqx_error *error)
{
	struct irqx_entries *entries = &batch->entries[batch->nr_entries];
	struct irqx_irqfd *irqfd = batch_find(batch, i, error);

	if (IS_ERR(irqfd))
		return PTR_ERR(irqfd);
	batch->nr_entries++;
	return irqx_direct_prepare(batch->ctx, irqfd, &batch->ops[i], entries, error);
}

static int stage_deassign(struct batch *batch, u32 i, struct irqx_error *error)
{
	struct irqx_irqfd *irqfd = batch_find(batch, i, error);

	if (irqfd == ERR_PTR(-ENOENT)) {
		if (batch->first_unbound == IRQX_NO_INDEX)
			batch->first_unbound = i;
		return batch_enter_unbound(batch, batch->ops[i].fd, error);
	}
	if (IS_ERR(irqfd))
		return PTR_ERR(irqfd);
	if (!irqfd->source || irqx_irqfd_is_direct(irqfd))
		return 0;
	return irqx_route_stage_resampler(batch->ctx, irqfd->target->to.one.gsi, -1);
}

static enum irqx_mask op_mask(const struct kvm_irqx_op *op)
{
	return op->op == KVM_IRQX_OP_MASK ? IRQX_MASK_SET : IRQX_MASK_CLEAR;
}

static int stage_mask(struct batch *batch, u32 i, struct irqx_error *error)
{
	const struct kvm_irqx_op *op = &batch->ops[i];
	struct irqx_irqfd *irqfd;

	if (op_is_of_gsi(op))
		return irqx_route_stage_mask(batch->ctx, op->entry.gsi, op_mask(op),
					     error);
	irqfd = batch_find(batch, i, error);
	return IS_ERR(irqfd) ? PTR_ERR(irqfd) : irqx_direct_check_mask(irqfd, error);
}

static int stage_op(struct batch *batch, u32 i, struct irqx_error *error)
{
	const struct kvm_irqx_op *op = &batch->ops[i];
	int ret;

	ret = op_check(op, error);
	if (ret)
		return ret;
	switch (op->op) {
	case KVM_IRQX_OP_ASSIGN:
		return stage_assign(batch, i, error);
	case KVM_IRQX_OP_MODIFY:
		return stage_modify(batch, i, error);
	case KVM_IRQX_OP_DEASSIGN:
		return stage_deassign(batch, i, error);
	case KVM_IRQX_OP_IRQFD:
		return stage_irqfd(batch, i, error);
	case KVM_IRQX_OP_MASK:
	case KVM_IRQX_OP_UNMASK:
		return stage_mask(batch, i, error);
	default:
		return irqx_route_stage(batch->ctx, op, error);
	}
}

static void commit_op(struct batch *batch, u32 i, struct irqx_leave *leave)
{
	const struct kvm_irqx_op *op = &batch->ops[i];
	struct irqx_irqfd *irqfd = batch->irqfds[i];

	if (irqfd)
		irqfd->in_batch = false;
	if (op_is_of_gsi(op)) {
		irqx_route_commit(batch->ctx, op->entry.gsi, leave);
		return;
	}
	switch (op->op) {
	case KVM_IRQX_OP_ASSIGN:
		irqx_direct_commit(batch->ctx, irqfd);
		break;
	case KVM_IRQX_OP_IRQFD:
		irqx_irqfd_commit(irqfd);
		break;
	case KVM_IRQX_OP_MODIFY:
		irqx_direct_change(batch->ctx, irqfd->target, irqfd->eventfd,
				   &batch->entries[batch->nr_entries++],
				   irqx_mask_of(op->flags), leave);
		break;
	case KVM_IRQX_OP_DEASSIGN:
		if (irqfd)
			irqx_route_remove_irqfd(batch->ctx, irqfd, leave);
		break;
	case KVM_IRQX_OP_MASK:
	case KVM_IRQX_OP_UNMASK:
		irqx_target_change(irqfd->target, NULL, op_mask(op), leave);
		break;
	}
}

static void batch_commit(struct batch *batch, struct irqx_leave *leave)
{
	enum phase phase;
	u32 i;

	batch->nr_entries = 0;
	for (phase = LEAVE; phase <= COME; phase++) {
		/* Most batches are of one kind. */
		if (!batch->nr_of[phase])
			continue;
		for (i = 0; i < batch->nr; i++) {
			if (op_phase(&batch->ops[i]) == phase)
				commit_op(batch, i, leave);
			if (i % 64 == 63)
				cond_resched();
		}
	}
}

/* @staged: else it is the one that failed, which may have made its GSI. */
static void drop_op(struct batch *batch, u32 i, bool staged, struct irqx_leave *leave)
{
	const struct kvm_irqx_op *op = &batch->ops[i];
	struct irqx_irqfd *irqfd = batch->irqfds[i];

	if (op_is_of_gsi(op))
		irqx_route_drop(batch->ctx, op->entry.gsi, leave);
	if (!irqfd)
		return;
	if (op_binds(op)) {
		if (staged && op->op == KVM_IRQX_OP_IRQFD)
			irqx_route_unreserve(batch->ctx, irqfd, leave);
		else if (staged)
			irqx_irqfd_unreserve(irqfd);
	} else {
		irqfd->in_batch = false;
	}
}

static void batch_drop(struct batch *batch, struct irqx_leave *leave)
{
	u32 i;

	for (i = 0; i < batch->nr; i++) {
		if (i <= batch->nr_staged)
			drop_op(batch, i, i < batch->nr_staged, leave);
		if (op_binds(&batch->ops[i]))
			irqx_irqfd_free(batch->irqfds[i]);
		if (i % 64 == 63)
			cond_resched();
	}
}

/* ---- all of them ---- */

static void batch_free_irqfds(struct batch *batch)
{
	if (batch->irqfds != batch->few)
		kvfree(batch->irqfds);
}

/*
 * The memory of all at once: it is what a binding costs most (benchmarks.rst,
 * bring-up-batch).  Return: 0 or -ENOMEM, with none.
 */
static int batch_alloc(struct batch *batch)
{
	u32 i, nr_new;

	/* One that is not known counts as anything: it is going to be refused. */
	for (i = 0; i < batch->nr; i++) {
		batch->nr_of[op_phase(&batch->ops[i])]++;
		batch->nr_modify += batch->ops[i].op == KVM_IRQX_OP_MODIFY;
	}
	nr_new = batch->nr_of[COME];
	batch->irqfds = batch->few;
	if (batch->nr > BATCH_FEW)
		batch->irqfds = kvmalloc_array(batch->nr, sizeof(*batch->irqfds),
					       GFP_KERNEL_ACCOUNT);
	if (!batch->irqfds)
		return -ENOMEM;
	if (batch->nr_modify) {
		batch->entries = kvcalloc(batch->nr_modify, sizeof(*batch->entries),
					  GFP_KERNEL_ACCOUNT);
		if (!batch->entries)
			goto err_irqfds;
	}
	if (nr_new && irqx_irqfd_alloc_many(batch->ctx, batch->irqfds, nr_new))
		goto err_entries;

	/* From the front to where they belong, the last one first. */
	for (i = batch->nr; i-- > nr_new; )
		batch->irqfds[i] = op_binds(&batch->ops[i]) ?
				   batch->irqfds[--nr_new] : NULL;
	return 0;

err_entries:
	kvfree(batch->entries);
err_irqfds:
	batch_free_irqfds(batch);
	return -ENOMEM;
}

static int batch_stage(struct batch *batch, struct irqx_error *error)
{
	u32 *i = &batch->nr_staged;
	int ret;

	for (; *i < batch->nr; ++*i) {
		error->index = *i;
		ret = *i % 64 ? 0 : irqx_cond_resched_killable();
		if (!ret)
			ret = stage_op(batch, *i, error);
		if (ret)
			return ret;
	}
	error->index = IRQX_NO_INDEX;
	return 0;
}

/**
 * irqx_batch_run - carry out some operations, or none
 * @ctx: the context, locked
 * @ops: the operations
 * @nr: how many, at least one
 * @index: out: the one that failed; @nr on success or if none is at fault
 * @leave: as irqx_target_change() and irqx_irqfd_remove()
 * @error: filled in if it fails, or if there was nothing to unbind
 *
 * Context: may sleep.
 * Return: 0, -EINVAL, -ENOMEM, -EINTR, or what each of them can answer.
 */
int irqx_batch_run(struct irqx_context *ctx, const struct kvm_irqx_op *ops,
		   u32 nr, u32 *index, struct irqx_leave *leave,
		   struct irqx_error *error)
{
	struct batch batch = {
		.ctx = ctx,
		.ops = ops,
		.nr = nr,
		.first_unbound = IRQX_NO_INDEX,
	};
	int ret;

	lockdep_assert_held(&ctx->lock);

	*index = nr;
	ret = batch_alloc(&batch);
	if (ret)
		return ret;
	xa_init_flags(&batch.unbound, XA_FLAGS_ACCOUNT);

	ret = batch_stage(&batch, error);
	if (ret)
		batch_drop(&batch, leave);
	else
		batch_commit(&batch, leave);
	irqx_route_end_batch(ctx);
	batch_forget_unbound(&batch);
	kvfree(batch.entries);
	batch_free_irqfds(&batch);

	if (ret == -EINTR) {
		/* No operation is to blame: report nr. */
		error->index = IRQX_NO_INDEX;
	} else if (ret) {
		*index = batch.nr_staged;
	} else if (batch.first_unbound != IRQX_NO_INDEX) {
		error->index = batch.first_unbound;
		irqx_reject(error, 0, IRQX_ARG_FD, IRQX_REASON_NOT_BOUND);
	}
	return ret;
}

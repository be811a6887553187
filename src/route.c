// SPDX-License-Identifier: GPL-2.0
/*
 * The context's GSI table.
 *
 * A change is staged first: every GSI that it names gets its new entries beside
 * the old ones, and all that can fail (memory, KVM's opinion of an entry)
 * happens there.  Then all of it is committed, or all of it dropped.
 */
#include <linux/slab.h>

#include "arch/arch.h"
#include "context.h"
#include "direct.h"
#include "error.h"
#include "irqfd.h"
#include "kvm/kvm.h"
#include "route.h"
#include "trace.h"
#include "vector.h"
#include "vm.h"

struct irqx_gsi {
	struct irqx_target target;
	struct irqx_entries *staged;	/* context.lock; NULL between calls */
	/* irqfds, and calls that wait for it; context.lock */
	u32 users:29;
	u32 staged_mask:2;		/* enum irqx_mask; context.lock; KEEP between calls */
	u32 uncommitted:1;		/* context.lock; false between calls */
	spinlock_t lock;		/* @target's */
};

static struct kmem_cache *gsi_cache;

static u32 gsi_nr(const struct irqx_gsi *gsi)
{
	return gsi->target.to.one.gsi;
}

/* Those that share a GSI have memory of their own. */
static void entries_free(struct irqx_entries *entries)
{
	if (!irqx_entries_onward(entries))
		kfree(entries->more);
}

static void entries_clear(struct irqx_entries *entries, u32 gsi)
{
	entries_free(entries);
	memset(entries, 0, sizeof(*entries));
	entries->one.gsi = gsi;
}

/* KVM's rule: only irqchip entries share a GSI, each for an irqchip of its own. */
static bool entries_can_share(struct irqx_entries *entries,
			      const struct kvm_kernel_irq_routing_entry *e)
{
	const struct kvm_kernel_irq_routing_entry *old;
	u32 i;

	for (i = 0; i < entries->nr; i++) {
		old = irqx_entries_at(entries, i);
		if (old->type != KVM_IRQ_ROUTING_IRQCHIP ||
		    e->type != KVM_IRQ_ROUTING_IRQCHIP ||
		    old->irqchip.irqchip == e->irqchip.irqchip)
			return false;
	}
	return true;
}

/* It is alone. */
static int entries_add_vector(struct irqx_context *ctx, struct irqx_entries *entries,
			      const struct kvm_irq_routing_entry *ue,
			      struct irqx_error *error)
{
	if (entries->nr)
		return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_GSI,
				   IRQX_REASON_NOT_SHARED);
	return irqx_vector_parse(ctx, ue, entries, error);
}

static int entries_add(struct irqx_context *ctx, struct irqx_entries *entries,
		       const struct kvm_irq_routing_entry *ue,
		       struct irqx_error *error)
{
	struct kvm_kernel_irq_routing_entry e;
	int ret;

	if (ue->type == KVM_IRQX_ROUTING_VECTOR)
		return entries_add_vector(ctx, entries, ue, error);
	ret = irqx_kvm_parse(ctx->vm->kvm, ue, &e, error);
	if (ret)
		return ret;
	if (!entries_can_share(entries, &e))
		return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_GSI,
				   IRQX_REASON_NOT_SHARED);

	if (entries->nr && !entries->more) {
		entries->more = kcalloc(KVM_NR_IRQCHIPS - 1, sizeof(e),
					GFP_KERNEL_ACCOUNT);
		if (!entries->more)
			return -ENOMEM;
	}
	*irqx_entries_at(entries, entries->nr++) = e;
	/* Such a one is alone. */
	entries->undeliverable = irqx_arch_is_undeliverable(&e);
	return irqx_deliver_prepare(ctx->vm, entries);
}

static int entries_copy(struct irqx_entries *to,
			const struct irqx_entries *from)
{
	*to = *from;
	if (irqx_entries_onward(from) || !from->more)
		return 0;
	to->more = kmemdup(from->more,
			   (KVM_NR_IRQCHIPS - 1) * sizeof(*from->more),
			   GFP_KERNEL_ACCOUNT);
	return to->more ? 0 : -ENOMEM;
}

static int gsi_check(u32 nr, enum irqx_arg arg, struct irqx_error *error)
{
	if (nr < irqx_max_gsis)
		return 0;
	return irqx_reject(error, -EINVAL, arg, IRQX_REASON_OUT_OF_RANGE);
}

/* A line goes up and down, and what is staged is committed: it is often the same again. */
static struct irqx_gsi *gsi_find(struct irqx_context *ctx, u32 nr)
{
	struct irqx_gsi *gsi = ctx->recent_gsi;

	lockdep_assert_held(&ctx->lock);

	if (gsi && gsi_nr(gsi) == nr)
		return gsi;
	gsi = xa_load(&ctx->gsis, nr);
	if (gsi)
		ctx->recent_gsi = gsi;
	return gsi;
}

/* Nobody can see a new GSI before the caller's commit. */
static struct irqx_gsi *gsi_create(struct irqx_context *ctx, u32 nr)
{
	struct irqx_gsi *gsi;
	int ret;

	gsi = kmem_cache_zalloc(gsi_cache, GFP_KERNEL_ACCOUNT);
	if (!gsi)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&gsi->lock);
	irqx_target_init(&gsi->target, &ctx->delivery, &gsi->lock);
	gsi->target.to.one.gsi = nr;

	ret = xa_insert(&ctx->gsis, nr, gsi, GFP_KERNEL_ACCOUNT);
	if (ret) {
		kmem_cache_free(gsi_cache, gsi);
		return ERR_PTR(ret);
	}
	return gsi;
}

/*
 * The level of KVM_IRQ_LINE, if it has been used: the first source, and the only one
 * without a resamplefd.
 */
static struct irqx_source *gsi_level(struct irqx_gsi *gsi)
{
	struct irqx_source *source;

	hlist_for_each_entry(source, &gsi->target.sources, node)
		if (!source->resamplefd)
			return source;
	return NULL;
}

static void gsi_drop_level(struct irqx_gsi *gsi)
{
	struct irqx_source *level = gsi_level(gsi);

	if (!level)
		return;
	spin_lock(&level->lines->plugs_lock);
	hlist_del(&level->node);
	irqx_source_move(level, NULL);
	spin_unlock(&level->lines->plugs_lock);
	irqx_source_put(level);
}

static void gsi_free(struct irqx_gsi *gsi, struct irqx_leave *leave)
{
	gsi_drop_level(gsi);
	irqx_target_retire(&gsi->target, leave);
	irqx_vector_unbind(irqx_entries_onward(&gsi->target.to), leave);
	entries_free(&gsi->target.to);
	kmem_cache_free(gsi_cache, gsi);
}

/* A GSI exists while it has a route or a user, or is staged. */
static void gsi_free_unused(struct irqx_context *ctx, struct irqx_gsi *gsi,
			    struct irqx_leave *leave)
{
	lockdep_assert_held(&ctx->lock);

	if (gsi->target.to.nr || gsi->users || gsi->staged || gsi->uncommitted)
		return;
	xa_erase(&ctx->gsis, gsi_nr(gsi));
	if (ctx->recent_gsi == gsi)
		ctx->recent_gsi = NULL;
	gsi_free(gsi, leave);
}

/* What the GSI has now, or will have after the commit. */
static struct irqx_entries *gsi_future(struct irqx_gsi *gsi)
{
	return gsi->staged ?: &gsi->target.to;
}

/* That has a route, or will have.  Return: ERR_PTR(-ENOENT) or -EINVAL if there is none. */
static struct irqx_gsi *gsi_find_routed(struct irqx_context *ctx, u32 nr,
					enum irqx_arg arg, struct irqx_error *error)
{
	struct irqx_gsi *gsi;
	int ret;

	ret = gsi_check(nr, arg, error);
	if (ret)
		return ERR_PTR(ret);
	gsi = gsi_find(ctx, nr);
	if (gsi && gsi_future(gsi)->nr)
		return gsi;
	return ERR_PTR(irqx_reject(error, -ENOENT, arg, IRQX_REASON_NO_ROUTE));
}

/*
 * gsi_future() of it can be edited then: it begins as what it has now if @keep, else empty.
 * Return: the GSI, which is new if there was none.
 */
static struct irqx_gsi *gsi_stage(struct irqx_context *ctx, u32 nr, bool keep,
				  struct irqx_error *error)
{
	struct irqx_entries *staged;
	struct irqx_gsi *gsi;
	int ret;

	ret = gsi_check(nr, IRQX_ARG_ENTRY_GSI, error);
	if (ret)
		return ERR_PTR(ret);
	gsi = gsi_find(ctx, nr);
	if (!gsi) {
		gsi = gsi_create(ctx, nr);
		if (IS_ERR(gsi))
			return gsi;
		gsi->uncommitted = true;
	}
	if (gsi->uncommitted || gsi->staged)
		return gsi;

	staged = kzalloc(sizeof(*staged), GFP_KERNEL_ACCOUNT);
	if (!staged)
		return ERR_PTR(-ENOMEM);
	staged->one.gsi = nr;
	if (keep) {
		ret = entries_copy(staged, &gsi->target.to);
		if (ret) {
			kfree(staged);
			return ERR_PTR(ret);
		}
	}
	gsi->staged = staged;
	return gsi;
}

static void gsi_change(struct irqx_context *ctx, struct irqx_gsi *gsi,
		       struct irqx_entries *entries, struct irqx_leave *leave)
{
	/* The mask is the route's. */
	const enum irqx_mask mask = entries->nr ? gsi->staged_mask : IRQX_MASK_CLEAR;

	ctx->nr_gsis += !!entries->nr - !!gsi->target.to.nr;
	ctx->undeliverable += entries->undeliverable;
	trace_irqx_modify(NULL, &entries->one, false);

	irqx_vector_bind(entries);
	irqx_target_change(&gsi->target, entries, mask, leave);
	irqx_vector_unbind(irqx_entries_onward(entries), leave);
	entries_clear(entries, gsi_nr(gsi));
	/* The level of KVM_IRQ_LINE moves with the route, and ends with it. */
	if (!gsi->target.to.nr)
		gsi_drop_level(gsi);
}

static void gsi_commit(struct irqx_context *ctx, struct irqx_gsi *gsi,
		       struct irqx_leave *leave)
{
	if (gsi->uncommitted) {
		gsi->uncommitted = false;
		gsi->target.masked = gsi->staged_mask == IRQX_MASK_SET &&
				     !irqx_entries_onward(&gsi->target.to);
		irqx_target_open(&gsi->target);
		irqx_vector_bind(&gsi->target.to);
		ctx->nr_gsis += !!gsi->target.to.nr;
		ctx->undeliverable += gsi->target.to.undeliverable;
		trace_irqx_modify(NULL, &gsi->target.to.one, false);
	} else if (gsi->staged) {
		gsi_change(ctx, gsi, gsi->staged, leave);
		kfree(gsi->staged);
		gsi->staged = NULL;
	} else if (gsi->staged_mask != IRQX_MASK_KEEP) {
		irqx_target_change(&gsi->target, NULL, gsi->staged_mask, leave);
	}
	gsi->staged_mask = IRQX_MASK_KEEP;
	gsi_free_unused(ctx, gsi, leave);
}

static void gsi_drop(struct irqx_context *ctx, struct irqx_gsi *gsi,
		     struct irqx_leave *leave)
{
	if (gsi->uncommitted) {
		entries_clear(&gsi->target.to, gsi_nr(gsi));
		gsi->uncommitted = false;
	}
	if (gsi->staged) {
		entries_clear(gsi->staged, gsi_nr(gsi));
		kfree(gsi->staged);
		gsi->staged = NULL;
	}
	gsi->staged_mask = IRQX_MASK_KEEP;
	gsi_free_unused(ctx, gsi, leave);
}

static int prepare_lines(struct irqx_context *ctx, struct irqx_entries *entries,
			 bool eoi, struct irqx_error *error)
{
	int ret;
	u32 i;

	for (i = 0; i < entries->nr; i++) {
		ret = irqx_lines_prepare(&ctx->vm->lines,
					 irqx_entries_at(entries, i), eoi);
		if (ret)
			return irqx_reject_line(error, ret);
	}
	return 0;
}

static bool entries_have_eoi(struct kvm *kvm, struct irqx_entries *entries)
{
	u32 i;

	for (i = 0; i < entries->nr; i++)
		if (!irqx_arch_has_eoi(kvm, irqx_entries_at(entries, i)))
			return false;
	return true;
}

/* How many resamplefds a batch brings to the GSI, less those that it takes away. */
static long staged_resamplers(struct irqx_context *ctx, u32 nr)
{
	void *n;

	if (xa_empty(&ctx->staged_resamplers))
		return 0;
	n = xa_load(&ctx->staged_resamplers, nr);
	return n ? (long)xa_to_value(n) - IRQX_IRQFDS_LIMIT : 0;
}

/**
 * irqx_route_stage_resampler - an irqfd with a resamplefd will come, or leave
 * @ctx: the context, locked
 * @nr: the GSI
 * @change: 1 or -1
 *
 * For what the same batch stages of the GSI from now on, to irqx_route_end_batch().
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int irqx_route_stage_resampler(struct irqx_context *ctx, u32 nr, int change)
{
	long n = staged_resamplers(ctx, nr) + change;

	lockdep_assert_held(&ctx->lock);

	return xa_err(xa_store(&ctx->staged_resamplers, nr,
			       xa_mk_value(n + IRQX_IRQFDS_LIMIT), GFP_KERNEL_ACCOUNT));
}

/* Whoever holds the GSI up or waits for its EOIs needs a line to be on. */
static int gsi_prepare_lines(struct irqx_context *ctx, struct irqx_gsi *gsi,
			     struct irqx_entries *entries,
			     struct irqx_error *error)
{
	long resamplers = staged_resamplers(ctx, gsi_nr(gsi));
	struct irqx_source *source;
	bool eoi;

	if (hlist_empty(&gsi->target.sources) && !resamplers)
		return 0;
	hlist_for_each_entry(source, &gsi->target.sources, node)
		resamplers += !!source->resamplefd;
	eoi = resamplers > 0;
	if (eoi && !entries_have_eoi(ctx->vm->kvm, entries))
		return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_TYPE,
				   IRQX_REASON_NO_EOI);
	return prepare_lines(ctx, entries, eoi, error);
}

static int stage_entry(struct irqx_context *ctx, struct irqx_gsi *gsi,
		       const struct kvm_irq_routing_entry *ue,
		       struct irqx_error *error)
{
	int ret;

	ret = entries_add(ctx, gsi_future(gsi), ue, error);
	return ret ?: gsi_prepare_lines(ctx, gsi, gsi_future(gsi), error);
}

/**
 * irqx_route_stage - one change to the table, for irqx_route_commit() or _drop()
 * @ctx: the context, locked
 * @op: a KVM_IRQX_OP_ROUTE_*; flags and padding are checked
 * @error: filled in if it fails
 *
 * irqx_route_drop() is to follow, under the same lock, also if it fails.
 *
 * Context: may sleep.
 * Return: 0, -EINVAL, -ENOMEM, or as irqx_kvm_parse().
 */
int irqx_route_stage(struct irqx_context *ctx, const struct kvm_irqx_op *op,
		     struct irqx_error *error)
{
	bool add = op->op == KVM_IRQX_OP_ROUTE_ADD;
	bool del = op->op == KVM_IRQX_OP_ROUTE_DEL;
	enum irqx_mask mask = del ? IRQX_MASK_CLEAR : irqx_mask_of(op->flags);
	struct irqx_gsi *gsi;

	lockdep_assert_held(&ctx->lock);

	gsi = gsi_stage(ctx, op->entry.gsi, add, error);
	if (IS_ERR(gsi))
		return PTR_ERR(gsi);
	if (!add)
		entries_clear(gsi_future(gsi), op->entry.gsi);
	if (!del && mask != IRQX_MASK_KEEP && op->entry.type == KVM_IRQX_ROUTING_VECTOR)
		return irqx_reject(error, -EINVAL, IRQX_ARG_FLAGS, IRQX_REASON_OF_VECTOR);
	if (mask != IRQX_MASK_KEEP)
		gsi->staged_mask = mask;
	return del ? 0 : stage_entry(ctx, gsi, &op->entry, error);
}

/**
 * irqx_route_stage_mask - mask or unmask a GSI, by irqx_route_commit()
 * @ctx: the context, locked
 * @nr: the GSI
 * @mask: IRQX_MASK_SET or IRQX_MASK_CLEAR
 * @error: filled in if it fails
 *
 * Context: process context.  irqx_route_drop() undoes it.
 * Return: 0, -ENOENT if it will not have a route, -EINVAL if it is out of range, or will lead
 * to a vector.
 */
int irqx_route_stage_mask(struct irqx_context *ctx, u32 nr, enum irqx_mask mask,
			  struct irqx_error *error)
{
	struct irqx_gsi *gsi = gsi_find_routed(ctx, nr, IRQX_ARG_ENTRY_GSI, error);
	int ret;

	if (IS_ERR(gsi))
		return PTR_ERR(gsi);
	ret = irqx_vector_check_mask(gsi_future(gsi), IRQX_ARG_ENTRY_GSI, error);
	if (!ret)
		gsi->staged_mask = mask;
	return ret;
}

/*
 * All that is staged of a GSI; nothing if another operation of the batch on it has come first.
 * Context: may sleep, the context is locked; as irqx_target_change().
 */
void irqx_route_commit(struct irqx_context *ctx, u32 nr, struct irqx_leave *leave)
{
	struct irqx_gsi *gsi = gsi_find(ctx, nr);

	if (gsi)
		gsi_commit(ctx, gsi, leave);
}

/* The same, but nothing comes of it. */
void irqx_route_drop(struct irqx_context *ctx, u32 nr, struct irqx_leave *leave)
{
	struct irqx_gsi *gsi = gsi_find(ctx, nr);

	if (gsi)
		gsi_drop(ctx, gsi, leave);
}

/* Context: the context is locked, and all of the batch committed or dropped. */
void irqx_route_end_batch(struct irqx_context *ctx)
{
	lockdep_assert_held(&ctx->lock);

	if (!xa_empty(&ctx->staged_resamplers))
		xa_destroy(&ctx->staged_resamplers);
}

/**
 * irqx_route_replace - put another table in the place of this one
 * @ctx: the context, locked
 * @ues: the new table's entries
 * @nr: how many
 * @leave: as irqx_target_change()
 * @error: filled in if it fails
 *
 * Context: may sleep.
 * Return: 0, -EINTR, or as irqx_route_stage().
 */
int irqx_route_replace(struct irqx_context *ctx,
		       const struct kvm_irq_routing_entry *ues, u32 nr,
		       struct irqx_leave *leave, struct irqx_error *error)
{
	struct irqx_gsi *gsi;
	unsigned long index;
	int ret = 0;
	u32 i;

	lockdep_assert_held(&ctx->lock);

	for (i = 0; i < nr && !ret; i++) {
		error->index = i;
		gsi = gsi_stage(ctx, ues[i].gsi, false, error);
		ret = PTR_ERR_OR_ZERO(gsi);
		if (!ret)
			ret = stage_entry(ctx, gsi, &ues[i], error);
		if (!ret)
			ret = irqx_cond_resched_killable();
	}

	/* GSIs that the new table does not name lose their route. */
	xa_for_each(&ctx->gsis, index, gsi) {
		struct irqx_entries none = { .one.gsi = gsi_nr(gsi) };

		if (ret) {
			gsi_drop(ctx, gsi, leave);
		} else {
			if (!gsi->uncommitted && !gsi->staged &&
			    gsi->target.to.nr)
				gsi_change(ctx, gsi, &none, leave);
			gsi_commit(ctx, gsi, leave);
		}
		cond_resched();
	}
	return ret;
}

/* A resamplefd is for pins and SINTs; a GSI without a route may get one yet. */
static int gsi_prepare_resample(struct irqx_context *ctx, struct irqx_gsi *gsi,
				struct irqx_irqfd *irqfd, int fd,
				enum irqx_arg gsi_arg, struct irqx_error *error)
{
	struct irqx_entries *entries = gsi_future(gsi);
	int ret;

	if (!entries_have_eoi(ctx->vm->kvm, entries))
		return irqx_reject(error, -EINVAL, gsi_arg, IRQX_REASON_NO_EOI);
	ret = prepare_lines(ctx, entries, true, error);
	if (ret)
		return ret;
	ret = irqx_irqfd_set_resamplefd(irqfd, fd);
	return irqx_reject_fd(error, ret, IRQX_ARG_RESAMPLEFD);
}

static int gsi_reserve(struct irqx_context *ctx, struct irqx_gsi *gsi,
		       struct irqx_irqfd *irqfd, const struct kvm_irqfd *args,
		       enum irqx_arg gsi_arg, struct irqx_error *error)
{
	int ret;

	if (args->flags & KVM_IRQFD_FLAG_RESAMPLE) {
		ret = gsi_prepare_resample(ctx, gsi, irqfd, args->resamplefd,
					   gsi_arg, error);
		if (ret)
			return ret;
	}
	ret = irqx_irqfd_reserve(irqfd, &gsi->target, args->fd);
	return irqx_reject_fd(error, ret, IRQX_ARG_FD);
}

/* A user of the GSI is gone.  The context is locked. */
static void route_unassign(struct irqx_context *ctx, struct irqx_target *target,
			   struct irqx_leave *leave)
{
	struct irqx_gsi *gsi = container_of(target, struct irqx_gsi, target);

	lockdep_assert_held(&ctx->lock);

	gsi->users--;
	gsi_free_unused(ctx, gsi, leave);
}

/**
 * irqx_route_reserve - all of a binding to a GSI that can fail
 * @ctx: the context, locked
 * @irqfd: new from irqx_irqfd_alloc(); the caller frees it if this fails
 * @args: the caller's; the flags are checked
 * @gsi_arg: what the GSI is among the caller's arguments
 * @error: filled in if it fails
 *
 * irqx_irqfd_commit() or irqx_route_unreserve() follows, under the same lock.  The GSI is as
 * what is staged of it makes it.
 *
 * Context: may sleep.
 * Return: 0, also for a GSI that no table can have a route for, -EINVAL for one that
 * cannot be resampled, -ENOMEM, or as irqx_irqfd_set_resamplefd() and irqx_irqfd_reserve().
 */
int irqx_route_reserve(struct irqx_context *ctx, struct irqx_irqfd *irqfd,
		       const struct kvm_irqfd *args, enum irqx_arg gsi_arg,
		       struct irqx_error *error)
{
	struct irqx_gsi *gsi = gsi_find(ctx, args->gsi);
	struct irqx_leave leave = {};
	int ret;

	if (!gsi) {
		gsi = gsi_create(ctx, args->gsi);
		if (IS_ERR(gsi))
			return PTR_ERR(gsi);
	}
	ret = gsi_reserve(ctx, gsi, irqfd, args, gsi_arg, error);
	if (ret)
		/* It is new, if it goes: nothing is under way there. */
		gsi_free_unused(ctx, gsi, &leave);
	else
		gsi->users++;
	return ret;
}

/* Context: as irqx_route_reserve(), and irqx_target_retire(). */
void irqx_route_unreserve(struct irqx_context *ctx, struct irqx_irqfd *irqfd,
			  struct irqx_leave *leave)
{
	struct irqx_target *target = irqfd->target;

	irqx_irqfd_unreserve(irqfd);
	route_unassign(ctx, target, leave);
}

/**
 * irqx_route_assign - bind an eventfd to a GSI
 * @ctx: the context, locked
 * @args: the caller's; the flags are checked
 * @error: filled in if it fails
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM, or as irqx_route_reserve().
 */
int irqx_route_assign(struct irqx_context *ctx, const struct kvm_irqfd *args,
		      struct irqx_error *error)
{
	struct irqx_irqfd *irqfd;
	int ret;

	lockdep_assert_held(&ctx->lock);

	irqfd = irqx_irqfd_alloc(ctx);
	if (!irqfd)
		return -ENOMEM;

	ret = irqx_route_reserve(ctx, irqfd, args, IRQX_ARG_GSI, error);
	if (ret)
		irqx_irqfd_free(irqfd);
	else
		irqx_irqfd_commit(irqfd);
	return ret;
}

/**
 * irqx_route_target - where the events of a GSI go
 * @ctx: the context, locked
 * @nr: the GSI
 * @error: filled in if it fails
 *
 * Context: any process context.
 * Return: the target, which stays as long as the lock is held; ERR_PTR(-ENOENT) without a
 * route, -EINVAL if it is out of range.
 */
struct irqx_target *irqx_route_target(struct irqx_context *ctx, u32 nr,
				      struct irqx_error *error)
{
	struct irqx_gsi *gsi = gsi_find_routed(ctx, nr, IRQX_ARG_GSI, error);

	return IS_ERR(gsi) ? ERR_CAST(gsi) : &gsi->target;
}

/**
 * irqx_route_remove_irqfd - undo a binding, and free its GSI if it was there for it alone
 * @ctx: the context, locked
 * @irqfd: bound, to a GSI or to an entry of its own; it is freed
 * @leave: as irqx_irqfd_remove()
 *
 * Context: as irqx_irqfd_remove().
 */
void irqx_route_remove_irqfd(struct irqx_context *ctx, struct irqx_irqfd *irqfd,
			     struct irqx_leave *leave)
{
	struct irqx_target *target = irqfd->target;
	struct irqx_gsi *gsi;

	if (irqx_irqfd_is_direct(irqfd)) {
		irqx_direct_remove(irqfd, leave);
		return;
	}
	gsi = container_of(target, struct irqx_gsi, target);
	irqx_irqfd_remove(irqfd, gsi->users == 1, leave);
	route_unassign(ctx, target, leave);
}

static noinline struct irqx_source *gsi_create_level(struct irqx_context *ctx,
						     struct irqx_gsi *gsi,
						     struct irqx_error *error)
{
	struct irqx_lines *lines = &ctx->vm->lines;
	struct irqx_source *level;
	int ret;

	ret = prepare_lines(ctx, &gsi->target.to, false, error);
	if (ret)
		return ERR_PTR(ret);
	level = irqx_source_alloc(lines, NULL);
	if (IS_ERR(level)) {
		irqx_reject_line(error, PTR_ERR(level));
		return level;
	}

	spin_lock(&lines->plugs_lock);
	irqx_source_set_masked(level, irqx_target_is_masked(&gsi->target));
	hlist_add_head(&level->node, &gsi->target.sources);
	irqx_source_move(level, &gsi->target.to);
	spin_unlock(&lines->plugs_lock);
	return level;
}

/* Pins that KVM_IRQ_LINE has not raised, but somebody may have. */
static int gsi_lower(struct irqx_context *ctx, struct irqx_gsi *gsi,
		     bool want_status)
{
	struct irqx_entries *entries = &gsi->target.to;
	int ret = -1;
	u32 i;

	if (!irqx_entry_has_level(&entries->one) ||
	    irqx_target_is_masked(&gsi->target))
		return ret;
	for (i = 0; i < entries->nr; i++)
		ret = irqx_status_add(ret,
				      irqx_lines_lower(&ctx->vm->lines,
						       irqx_entries_at(entries, i),
						       want_status));
	return ret;
}

/* @status: out: as kvm_set_irq(), or -EWOULDBLOCK if it is to be waited for */
static int gsi_set_level(struct irqx_context *ctx, struct irqx_gsi *gsi,
			 const struct kvm_irq_level *args, bool want_status,
			 int *status, struct irqx_error *error)
{
	struct irqx_source *level = gsi_level(gsi);
	const bool high = args->level;

	if (!level && high && irqx_entry_has_level(&gsi->target.to.one)) {
		level = gsi_create_level(ctx, gsi, error);
		if (IS_ERR(level))
			return PTR_ERR(level);
	}
	if (level)
		*status = irqx_source_set(level, high, want_status);
	else if (!high)
		*status = gsi_lower(ctx, gsi, want_status);
	/* Kept, but KVM says that what is masked is ignored. */
	if (irqx_target_is_masked(&gsi->target))
		*status = -1;
	if (high && !irqx_entry_has_level(&gsi->target.to.one))
		*status = irqx_target_raise(&gsi->target);
	return 0;
}

/* What was raised is delivered when this returns.  The context is not locked. */
static noinline int gsi_wait(struct irqx_context *ctx, struct irqx_gsi *gsi)
{
	struct irqx_leave leave = {};
	int ret;

	ret = irqx_target_wait(&gsi->target);

	/* It may be the last user, of a GSI that has lost its route meanwhile. */
	mutex_lock(&ctx->lock);
	route_unassign(ctx, &gsi->target, &leave);
	irqx_context_unlock(ctx);
	return ret;
}

/**
 * irqx_route_set_level - drive a GSI
 * @ctx: the context, not locked
 * @args: the GSI, and up or down; out: as kvm_set_irq(), 1 for what had to wait
 * @want_status: have KVM find out about the RTC, which takes it a lock
 * @error: filled in if it fails
 *
 * Context: may sleep, for a page of the guest if the GSI's entry needs one.
 * Return: 0, also for a GSI without a route, -EINVAL for one out of range,
 * -ENOSPC, -ENOMEM, -EINTR.
 */
int irqx_route_set_level(struct irqx_context *ctx, struct kvm_irq_level *args,
			 bool want_status, struct irqx_error *error)
{
	struct irqx_gsi *gsi;
	int status = -1;
	int ret;

	ret = gsi_check(args->irq, IRQX_ARG_IRQ, error);
	if (ret)
		return ret;
	ret = irqx_context_lock(ctx);
	if (ret)
		return ret;
	gsi = gsi_find(ctx, args->irq);
	if (gsi && gsi->target.to.nr)
		ret = gsi_set_level(ctx, gsi, args, want_status, &status, error);
	if (status == -EWOULDBLOCK)
		gsi->users++;
	irqx_context_unlock(ctx);
	if (status == -EWOULDBLOCK) {
		ret = gsi_wait(ctx, gsi);
		status = 1;
	}
	/* Whatever the reason, kvm_set_irq() says -1 for what is ignored. */
	args->status = max(status, -1);
	return ret;
}

/* Lowers what is asserted.  Nobody but the caller knows the context any more. */
void irqx_route_teardown(struct irqx_context *ctx)
{
	struct irqx_leave leave = {};
	struct irqx_gsi *gsi;
	unsigned long index;

	mutex_lock(&ctx->lock);
	xa_for_each(&ctx->gsis, index, gsi) {
		gsi_free(gsi, &leave);
		cond_resched();
	}
	xa_destroy(&ctx->gsis);
	mutex_unlock(&ctx->lock);
}

int irqx_route_init(void)
{
	gsi_cache = KMEM_CACHE(irqx_gsi, SLAB_ACCOUNT);
	return gsi_cache ? 0 : -ENOMEM;
}

void irqx_route_exit(void)
{
	kmem_cache_destroy(gsi_cache);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_IRQX_IRQFD_DIRECT: an eventfd with its own routing entry inside.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "arch/arch.h"
#include "context.h"
#include "direct.h"
#include "error.h"
#include "irqfd.h"
#include "kvm/kvm.h"
#include "synic.h"
#include "trace.h"
#include "vm.h"

/* What the call says of the event's way, for an irqfd that may want EOIs. */
static int direct_parse(struct irqx_context *ctx,
			const struct kvm_irqx_irqfd_direct *args, bool resample,
			struct irqx_entries *entries, struct irqx_error *error)
{
	struct irqx_vm *vm = ctx->vm;
	struct irqx_vp *vp;
	int ret;

	entries->nr = 1;
	ret = irqx_kvm_parse(vm->kvm, &args->entry, &entries->one, error);
	if (ret)
		return ret;

	if (args->flags & KVM_IRQX_IRQFD_DIRECT_EVENT_FLAG) {
		if (entries->one.type != KVM_IRQ_ROUTING_HV_SINT)
			return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_TYPE,
					   IRQX_REASON_NOT_A_SINT);
		if (vm->kvm->dirty_ring_size)
			return irqx_reject(error, -EOPNOTSUPP, IRQX_ARG_FLAGS,
					   IRQX_REASON_DIRTY_RING);
		vp = irqx_vp_get(ctx, args->entry.u.hv_sint.vcpu);
		if (IS_ERR(vp))
			return PTR_ERR(vp);
		entries->vp = vp;
		entries->has_flag = true;
		entries->event_flag = args->event_flag;
	}

	/* A PPI's event looks for a resamplefd beside it. */
	entries->inline_ok = !entries->has_flag &&
		entries->one.type != KVM_IRQX_ROUTING_PPI &&
		(entries->one.type != KVM_IRQ_ROUTING_IRQCHIP ||
		 (vm->lines.pins_are_atomic && !resample));
	if (resample && !irqx_arch_has_eoi(vm->kvm, &entries->one))
		return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_TYPE,
				   IRQX_REASON_NO_EOI);
	ret = irqx_deliver_prepare(vm, entries);
	if (ret || !resample)
		return ret;
	ret = irqx_lines_prepare(&vm->lines, &entries->one, true);
	return irqx_reject_line(error, ret);
}

static int direct_prepare(struct irqx_context *ctx, struct irqx_irqfd *irqfd,
			  const struct kvm_irqx_irqfd_direct *args,
			  struct irqx_error *error)
{
	bool resample = args->flags & KVM_IRQX_IRQFD_DIRECT_RESAMPLE;
	int ret;

	irqfd->own.masked = !!(args->flags & KVM_IRQX_IRQFD_DIRECT_MASK);
	ret = direct_parse(ctx, args, resample, &irqfd->own.to, error);
	if (ret || !resample)
		return ret;
	ret = irqx_irqfd_set_resamplefd(irqfd, args->resamplefd);
	return irqx_reject_fd(error, ret, IRQX_ARG_RESAMPLEFD);
}

static int direct_reserve(struct irqx_context *ctx, struct irqx_irqfd *irqfd,
			  const struct kvm_irqx_irqfd_direct *args,
			  struct irqx_error *error)
{
	int ret;

	ret = direct_prepare(ctx, irqfd, args, error);
	if (ret)
		return ret;
	ret = irqx_irqfd_reserve(irqfd, &irqfd->own, args->fd);
	return irqx_reject_fd(error, ret, IRQX_ARG_FD);
}

/**
 * irqx_direct_assign - bind an eventfd to a routing entry
 * @ctx: the context, locked
 * @args: the caller's; flags and padding are checked
 * @error: filled in if it fails
 *
 * Context: may sleep.
 * Return: 0, or as irqx_kvm_parse(), irqx_irqfd_set_resamplefd() and
 * irqx_irqfd_reserve().
 */
int irqx_direct_assign(struct irqx_context *ctx,
		       const struct kvm_irqx_irqfd_direct *args,
		       struct irqx_error *error)
{
	struct irqx_irqfd *irqfd;
	int ret;

	lockdep_assert_held(&ctx->lock);

	irqfd = irqx_irqfd_alloc(ctx);
	if (!irqfd)
		return -ENOMEM;

	ret = direct_reserve(ctx, irqfd, args, error);
	if (ret)
		irqx_irqfd_free(irqfd);
	else
		irqx_irqfd_commit(irqfd);
	return ret;
}

static int reserve_many(struct irqx_context *ctx, struct irqx_irqfd **irqfds,
			const struct kvm_irqx_irqfd_direct *args, u32 nr, u32 *index,
			struct irqx_error *error)
{
	int ret;

	for (*index = 0; *index < nr; ++*index) {
		error->index = *index;
		ret = *index % 64 ? 0 : irqx_cond_resched_killable();
		if (!ret)
			ret = direct_reserve(ctx, irqfds[*index], &args[*index],
					     error);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * irqx_direct_assign_many - bind some eventfds, or none
 * @ctx: the context, locked
 * @args: as irqx_direct_assign()
 * @nr: how many
 * @index: out: the one that failed, @nr on success or if none is to blame
 * @error: filled in if it fails
 *
 * All that can fail is done for all of them first, while events stay in their
 * eventfds.  With the memory of all taken at once, and one call instead of many, a
 * binding takes a fraction of the instructions (benchmarks.rst, bring-up-batch).
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM, -EINTR, or as irqx_direct_assign().
 */
int irqx_direct_assign_many(struct irqx_context *ctx,
			    const struct kvm_irqx_irqfd_direct *args, u32 nr,
			    u32 *index, struct irqx_error *error)
{
	struct irqx_irqfd **irqfds;
	u32 i;
	int ret;

	lockdep_assert_held(&ctx->lock);

	*index = nr;
	irqfds = kvmalloc_array(nr, sizeof(*irqfds), GFP_KERNEL_ACCOUNT);
	if (!irqfds)
		return -ENOMEM;
	ret = irqx_irqfd_alloc_many(ctx, irqfds, nr);
	if (ret)
		goto out;

	ret = reserve_many(ctx, irqfds, args, nr, index, error);
	for (i = 0; i < nr; i++) {
		if (!(i % 64))
			cond_resched();
		if (!ret) {
			irqx_irqfd_commit(irqfds[i]);
			continue;
		}
		if (i < *index)
			irqx_irqfd_unreserve(irqfds[i]);
		irqx_irqfd_free(irqfds[i]);
	}
	/* No element is to blame: report nr. */
	if (ret == -EINTR)
		*index = nr;
out:
	kvfree(irqfds);
	return ret;
}

static enum irqx_mask direct_mask(u32 flags)
{
	if (flags & KVM_IRQX_IRQFD_DIRECT_MASK)
		return IRQX_MASK_SET;
	if (flags & KVM_IRQX_IRQFD_DIRECT_UNMASK)
		return IRQX_MASK_CLEAR;
	return IRQX_MASK_KEEP;
}

static struct irqx_irqfd *direct_find(struct irqx_context *ctx, int fd,
				      struct irqx_error *error)
{
	struct irqx_irqfd *irqfd = irqx_irqfd_find(ctx, fd);
	int ret = PTR_ERR_OR_ZERO(irqfd);

	if (!ret && !irqx_irqfd_is_direct(irqfd))
		ret = -ENOENT;
	irqx_reject_fd(error, ret, IRQX_ARG_FD);
	return ret ? ERR_PTR(ret) : irqfd;
}

/**
 * irqx_direct_target - where the events of an eventfd with its own entry go
 * @ctx: the context, locked
 * @fd: the eventfd
 * @error: filled in if it fails
 *
 * Context: process context.
 * Return: the target, which stays as long as the lock is held; ERR_PTR(-ENOENT) if the
 * eventfd has no entry of its own, -EBADF or -EINVAL if @fd is not an eventfd.
 */
struct irqx_target *irqx_direct_target(struct irqx_context *ctx, int fd,
				       struct irqx_error *error)
{
	struct irqx_irqfd *irqfd = direct_find(ctx, fd, error);

	return IS_ERR(irqfd) ? ERR_CAST(irqfd) : irqfd->target;
}

/**
 * irqx_direct_modify - give a bound eventfd another entry
 * @ctx: the context, locked
 * @args: as irqx_direct_assign()
 * @leave: as irqx_target_change()
 * @error: filled in if it fails
 *
 * Context: may sleep.
 * Return: 0, -ENOENT if the eventfd has no entry of its own, or as
 * irqx_irqfd_find() and irqx_kvm_parse().
 */
int irqx_direct_modify(struct irqx_context *ctx,
		       const struct kvm_irqx_irqfd_direct *args,
		       struct irqx_leave *leave, struct irqx_error *error)
{
	struct irqx_entries entries = {};
	struct irqx_irqfd *irqfd;
	int ret;

	lockdep_assert_held(&ctx->lock);

	irqfd = direct_find(ctx, args->fd, error);
	if (IS_ERR(irqfd))
		return PTR_ERR(irqfd);

	ret = direct_parse(ctx, args, irqfd->source, &entries, error);
	if (ret)
		return ret;

	trace_irqx_modify(irqfd->eventfd, &entries.one, true);
	irqx_target_change(irqfd->target, &entries, direct_mask(args->flags),
			   leave);
	return 0;
}

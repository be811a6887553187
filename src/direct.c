// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_IRQX_IRQFD_DIRECT, and the same in a batch: an eventfd with its own routing entry inside.
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
#include "vector.h"
#include "vm.h"

/* Of any operation.  Context: any.  Return: 0 or -EINVAL. */
int irqx_direct_check_event_flag(const struct kvm_irqx_op *op,
				 struct irqx_error *error)
{
	if (op->event_flag && !(op->flags & KVM_IRQX_OP_FLAG_EVENT_FLAG))
		return irqx_reject(error, -EINVAL, IRQX_ARG_EVENT_FLAG,
				   IRQX_REASON_NOT_ZERO);
	if (op->event_flag >= KVM_IRQX_EVENT_FLAGS)
		return irqx_reject(error, -EINVAL, IRQX_ARG_EVENT_FLAG,
				   IRQX_REASON_OUT_OF_RANGE);
	return 0;
}

/* Of an eventfd's own: no GSI.  Context: any.  Return: 0 or -EINVAL. */
int irqx_direct_check_entry(const struct kvm_irq_routing_entry *entry,
			    struct irqx_error *error)
{
	if (entry->gsi)
		return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_GSI,
				   IRQX_REASON_NOT_ZERO);
	if (entry->pad)
		return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_PAD,
				   IRQX_REASON_NOT_ZERO);
	return 0;
}

static int direct_parse_vector(struct irqx_context *ctx, const struct kvm_irqx_op *op,
			       bool resample, struct irqx_entries *entries,
			       struct irqx_error *error)
{
	if (op->flags & (KVM_IRQX_OP_FLAG_MASK | KVM_IRQX_OP_FLAG_UNMASK))
		return irqx_reject(error, -EINVAL, IRQX_ARG_FLAGS, IRQX_REASON_OF_VECTOR);
	if (op->flags & KVM_IRQX_OP_FLAG_EVENT_FLAG)
		return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_TYPE,
				   IRQX_REASON_NOT_A_SINT);
	if (resample)
		return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_TYPE,
				   IRQX_REASON_NO_EOI);
	return irqx_vector_parse(ctx, &op->entry, entries, error);
}

/**
 * irqx_direct_parse - what an operation says of its events' way
 * @ctx: the context, locked
 * @op: its flags and padding are checked
 * @resample: it wants EOIs
 * @entries: filled in on success; zero before
 * @error: filled in if it fails
 *
 * Context: may sleep.
 * Return: 0, or as irqx_direct_reserve().
 */
int irqx_direct_parse(struct irqx_context *ctx, const struct kvm_irqx_op *op,
		      bool resample, struct irqx_entries *entries,
		      struct irqx_error *error)
{
	struct irqx_vm *vm = ctx->vm;
	struct irqx_vp *vp;
	int ret;

	if (op->entry.type == KVM_IRQX_ROUTING_VECTOR)
		return direct_parse_vector(ctx, op, resample, entries, error);
	entries->nr = 1;
	ret = irqx_kvm_parse(vm->kvm, &op->entry, &entries->one, error);
	if (ret)
		return ret;
	entries->undeliverable = irqx_arch_is_undeliverable(&entries->one);

	if (op->flags & KVM_IRQX_OP_FLAG_EVENT_FLAG) {
		if (entries->one.type != KVM_IRQ_ROUTING_HV_SINT)
			return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_TYPE,
					   IRQX_REASON_NOT_A_SINT);
		if (vm->kvm->dirty_ring_size)
			return irqx_reject(error, -EOPNOTSUPP, IRQX_ARG_FLAGS,
					   IRQX_REASON_DIRTY_RING);
		vp = irqx_vp_get(ctx, op->entry.u.hv_sint.vcpu);
		if (IS_ERR(vp))
			return PTR_ERR(vp);
		entries->vp = vp;
		entries->has_flag = true;
		entries->event_flag = op->event_flag;
	}

	if (resample && !irqx_arch_has_eoi(vm->kvm, &entries->one))
		return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_TYPE,
				   IRQX_REASON_NO_EOI);
	ret = irqx_deliver_prepare(vm, entries);
	if (ret)
		return ret;
	/* What a pin takes is known by now.  A PPI's event looks for a resamplefd beside it. */
	entries->inline_ok = !entries->has_flag &&
		entries->one.type != KVM_IRQX_ROUTING_PPI &&
		(entries->one.type != KVM_IRQ_ROUTING_IRQCHIP ||
		 (vm->lines.pins_are_atomic && !resample));
	if (!resample)
		return 0;
	ret = irqx_lines_prepare(&vm->lines, &entries->one, true);
	return irqx_reject_line(error, ret);
}

/**
 * irqx_direct_reserve - all of a binding to a routing entry that can fail
 * @ctx: the context, locked
 * @irqfd: new from irqx_irqfd_alloc(); the caller frees it if this fails
 * @op: a KVM_IRQX_OP_ASSIGN; flags and padding are checked
 * @error: filled in if it fails
 *
 * irqx_direct_commit() or irqx_irqfd_unreserve() follows, under the same lock.
 *
 * Context: may sleep.
 * Return: 0, or as irqx_kvm_parse(), irqx_irqfd_set_resamplefd() and
 * irqx_irqfd_reserve().
 */
int irqx_direct_reserve(struct irqx_context *ctx, struct irqx_irqfd *irqfd,
			const struct kvm_irqx_op *op, struct irqx_error *error)
{
	bool resample = op->flags & KVM_IRQX_OP_FLAG_RESAMPLE;
	int ret;

	lockdep_assert_held(&ctx->lock);

	irqfd->cookie = op->cookie;
	irqfd->own.masked = !!(op->flags & KVM_IRQX_OP_FLAG_MASK);
	ret = irqx_direct_parse(ctx, op, resample, &irqfd->own.to, error);
	if (ret)
		return ret;
	if (resample) {
		ret = irqx_irqfd_set_resamplefd(irqfd, op->resamplefd);
		if (ret)
			return irqx_reject_fd(error, ret, IRQX_ARG_RESAMPLEFD);
	}
	ret = irqx_irqfd_reserve(irqfd, &irqfd->own, op->fd);
	return irqx_reject_fd(error, ret, IRQX_ARG_FD);
}

/* Context: as irqx_direct_reserve() and irqx_irqfd_commit(). */
void irqx_direct_commit(struct irqx_context *ctx, struct irqx_irqfd *irqfd)
{
	ctx->undeliverable += irqfd->own.to.undeliverable;
	irqx_vector_bind(&irqfd->own.to);
	irqx_irqfd_commit(irqfd);
}

/**
 * irqx_direct_assign - bind an eventfd to a routing entry
 * @ctx: the context, locked
 * @op: as irqx_direct_reserve()
 * @error: filled in if it fails
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM, or as irqx_direct_reserve().
 */
int irqx_direct_assign(struct irqx_context *ctx, const struct kvm_irqx_op *op,
		       struct irqx_error *error)
{
	struct irqx_irqfd *irqfd;
	int ret;

	lockdep_assert_held(&ctx->lock);

	irqfd = irqx_irqfd_alloc(ctx);
	if (!irqfd)
		return -ENOMEM;

	ret = irqx_direct_reserve(ctx, irqfd, op, error);
	if (ret)
		irqx_irqfd_free(irqfd);
	else
		irqx_direct_commit(ctx, irqfd);
	return ret;
}

/* Context: any.  Return: 0, or -ENOENT if @irqfd has no entry of its own. */
int irqx_direct_check(const struct irqx_irqfd *irqfd, struct irqx_error *error)
{
	if (irqx_irqfd_is_direct(irqfd))
		return 0;
	return irqx_reject(error, -ENOENT, IRQX_ARG_FD, IRQX_REASON_NOT_DIRECT);
}

/* Whether it has a mask.  Return: as irqx_direct_check(), or -EINVAL. */
int irqx_direct_check_mask(const struct irqx_irqfd *irqfd, struct irqx_error *error)
{
	return irqx_direct_check(irqfd, error) ?:
	       irqx_vector_check_mask(&irqfd->own.to, IRQX_ARG_FD, error);
}

/**
 * irqx_direct_prepare - all of a change of a binding's entry that can fail
 * @ctx: the context, locked
 * @irqfd: from irqx_irqfd_find()
 * @op: a KVM_IRQX_OP_MODIFY; flags and padding are checked
 * @entries: out: for irqx_direct_change(); zero before
 * @error: filled in if it fails
 *
 * Context: may sleep.
 * Return: 0, -ENOENT if @irqfd has no entry of its own, or as irqx_kvm_parse().
 */
int irqx_direct_prepare(struct irqx_context *ctx, struct irqx_irqfd *irqfd,
			const struct kvm_irqx_op *op, struct irqx_entries *entries,
			struct irqx_error *error)
{
	int ret;

	lockdep_assert_held(&ctx->lock);

	ret = irqx_direct_check(irqfd, error);
	return ret ?: irqx_direct_parse(ctx, op, irqfd->source, entries, error);
}

/*
 * @eventfd: its events are, or NULL.  Context: as irqx_target_change(), under the same lock as
 * irqx_direct_prepare().
 */
void irqx_direct_change(struct irqx_context *ctx, struct irqx_target *target,
			struct eventfd_ctx *eventfd, struct irqx_entries *entries,
			enum irqx_mask mask, struct irqx_leave *leave)
{
	ctx->undeliverable += entries->undeliverable;
	trace_irqx_modify(eventfd, &entries->one, true);
	irqx_vector_bind(entries);
	irqx_target_change(target, entries, mask, leave);
	irqx_vector_unbind(irqx_entries_onward(entries), leave);
}

/**
 * irqx_direct_remove - undo a binding
 * @irqfd: bound, to an entry of its own; it is freed
 * @leave: as irqx_irqfd_remove()
 *
 * Context: as irqx_irqfd_remove().
 */
void irqx_direct_remove(struct irqx_irqfd *irqfd, struct irqx_leave *leave)
{
	struct irqx_target *vector = irqx_entries_onward(&irqfd->own.to);

	irqx_irqfd_remove(irqfd, true, leave);
	irqx_vector_unbind(vector, leave);
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
	struct irqx_irqfd *irqfd = irqx_irqfd_find(ctx, fd);
	int ret = PTR_ERR_OR_ZERO(irqfd);

	if (ret)
		return ERR_PTR(irqx_reject_fd(error, ret, IRQX_ARG_FD));
	ret = irqx_direct_check(irqfd, error);
	return ret ? ERR_PTR(ret) : irqfd->target;
}

/**
 * irqx_direct_modify - give a bound eventfd another entry
 * @ctx: the context, locked
 * @op: as irqx_direct_prepare()
 * @leave: as irqx_target_change()
 * @error: filled in if it fails
 *
 * Context: may sleep.
 * Return: 0, or as irqx_irqfd_find() and irqx_direct_prepare().
 */
int irqx_direct_modify(struct irqx_context *ctx, const struct kvm_irqx_op *op,
		       struct irqx_leave *leave, struct irqx_error *error)
{
	struct irqx_entries entries = {};
	struct irqx_irqfd *irqfd;
	int ret;

	irqfd = irqx_irqfd_find(ctx, op->fd);
	if (IS_ERR(irqfd))
		return irqx_reject_fd(error, PTR_ERR(irqfd), IRQX_ARG_FD);
	ret = irqx_direct_prepare(ctx, irqfd, op, &entries, error);
	if (!ret)
		irqx_direct_change(ctx, irqfd->target, irqfd->eventfd, &entries,
				   irqx_mask_of(op->flags), leave);
	return ret;
}

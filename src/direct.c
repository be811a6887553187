// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_IRQFD_DIRECT: an eventfd with its own routing entry inside.
 */
#include "irqx.h"
#include "arch/arch.h"
#include "kvm/kvm.h"
#include "trace.h"

/* What the call says of the event's way, for an irqfd that may want EOIs. */
static int direct_parse(struct irqx_context *ctx,
			const struct kvm_irqfd_direct *args, bool resample,
			struct irqx_entries *entries)
{
	struct irqx_vm *vm = ctx->vm;
	struct irqx_vp *vp;
	int ret;

	entries->nr = 1;
	ret = irqx_kvm_parse(vm->kvm, &args->entry, &entries->one);
	if (ret)
		return ret;

	if (args->flags & KVM_IRQFD_DIRECT_EVENT_FLAG) {
		if (entries->one.type != KVM_IRQ_ROUTING_HV_SINT)
			return -EINVAL;
		if (vm->kvm->dirty_ring_size)
			return -EOPNOTSUPP;
		vp = irqx_vp_get(ctx, args->entry.u.hv_sint.vcpu);
		if (IS_ERR(vp))
			return PTR_ERR(vp);
		entries->vp = vp;
		entries->event_flag = args->event_flag;
	}

	entries->simple = !entries->vp &&
		(!resample || entries->one.type != KVM_IRQ_ROUTING_IRQCHIP);
	if (!resample)
		return 0;
	if (!irqx_arch_has_eoi(&entries->one))
		return -EINVAL;
	return irqx_line_prepare(vm, &entries->one, true);
}

/**
 * irqx_direct_assign - bind an eventfd to a routing entry
 * @ctx: the context, locked
 * @args: the caller's; flags and padding are checked
 *
 * Context: may sleep.
 * Return: 0, or as irqx_kvm_parse(), irqx_irqfd_set_resamplefd() and
 * irqx_irqfd_bind().
 */
int irqx_direct_assign(struct irqx_context *ctx,
		       const struct kvm_irqfd_direct *args)
{
	bool resample = args->flags & KVM_IRQFD_DIRECT_RESAMPLE;
	struct irqx_irqfd *irqfd;
	int ret;

	lockdep_assert_held(&ctx->lock);

	irqfd = irqx_irqfd_alloc(ctx);
	if (!irqfd)
		return -ENOMEM;

	ret = direct_parse(ctx, args, resample, &irqfd->own.to);
	if (!ret && resample)
		ret = irqx_irqfd_set_resamplefd(irqfd, args->resamplefd);
	if (!ret)
		ret = irqx_irqfd_bind(irqfd, &irqfd->own, args->fd);
	if (ret)
		irqx_irqfd_free(irqfd);
	return ret;
}

/**
 * irqx_direct_modify - give a bound eventfd another entry
 * @ctx: the context, locked
 * @args: as irqx_direct_assign()
 *
 * Context: may sleep.
 * Return: 0, -ENOENT if the eventfd has no entry of its own, or as
 * irqx_irqfd_find() and irqx_kvm_parse().
 */
int irqx_direct_modify(struct irqx_context *ctx,
		       const struct kvm_irqfd_direct *args)
{
	struct irqx_entries entries = {};
	struct irqx_irqfd *irqfd;
	int ret;

	lockdep_assert_held(&ctx->lock);

	irqfd = irqx_irqfd_find(ctx, args->fd);
	if (IS_ERR(irqfd))
		return PTR_ERR(irqfd);
	if (!irqx_irqfd_is_direct(irqfd))
		return -ENOENT;

	ret = direct_parse(ctx, args, irqfd->source, &entries);
	if (ret)
		return ret;

	trace_irqx_modify(irqfd->eventfd, &entries.one, true);
	irqx_target_swap(ctx, irqfd->target, &entries);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_IRQFD_DIRECT: an eventfd with its own routing entry inside.
 */
#include "irqx.h"
#include "kvm/kvm.h"
#include "trace.h"

/**
 * irqx_direct_assign - bind an eventfd to a routing entry
 * @ctx: the context, locked
 * @fd: the eventfd
 * @ue: the entry
 *
 * Context: may sleep.
 * Return: 0, or as irqx_kvm_parse() and irqx_irqfd_bind().
 */
int irqx_direct_assign(struct irqx_context *ctx, int fd,
		       const struct kvm_irq_routing_entry *ue)
{
	struct irqx_irqfd *irqfd;
	int ret;

	lockdep_assert_held(&ctx->lock);

	irqfd = irqx_irqfd_alloc(ctx);
	if (!irqfd)
		return -ENOMEM;

	ret = irqx_kvm_parse(ctx->vm->kvm, ue, &irqfd->own.to.one);
	if (ret)
		goto err;
	irqfd->own.to.nr = 1;

	ret = irqx_irqfd_bind(irqfd, &irqfd->own, fd);
	if (ret)
		goto err;
	return 0;

err:
	irqx_irqfd_free(irqfd);
	return ret;
}

/**
 * irqx_direct_modify - give a bound eventfd another entry
 * @ctx: the context, locked
 * @fd: the eventfd
 * @ue: the new entry
 *
 * Context: may sleep.
 * Return: 0, -ENOENT if the eventfd has no entry of its own, or as
 * irqx_irqfd_find() and irqx_kvm_parse().
 */
int irqx_direct_modify(struct irqx_context *ctx, int fd,
		       const struct kvm_irq_routing_entry *ue)
{
	struct irqx_entries entries = { .nr = 1 };
	struct irqx_irqfd *irqfd;
	int ret;

	lockdep_assert_held(&ctx->lock);

	irqfd = irqx_irqfd_find(ctx, fd);
	if (IS_ERR(irqfd))
		return PTR_ERR(irqfd);
	if (!irqx_irqfd_is_direct(irqfd))
		return -ENOENT;

	ret = irqx_kvm_parse(ctx->vm->kvm, ue, &entries.one);
	if (ret)
		return ret;

	trace_irqx_modify(irqfd->eventfd, &entries.one, true);
	irqx_target_swap(ctx, irqfd->target, &entries);
	return 0;
}

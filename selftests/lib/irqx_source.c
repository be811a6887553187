// SPDX-License-Identifier: GPL-2.0
/*
 * See irqx_source.h.
 */
#include "irqx_source.h"

struct irqx_level irqx_level_direct(int ctx, struct kvm_irq_routing_entry entry)
{
	struct irqx_level level = {
		.fd = irqx_eventfd(0, 0),
		.ack = irqx_eventfd(0, 0),
	};

	irqx_assert(__irqx_bind_level(ctx, level.fd, level.ack, entry));
	return level;
}

struct irqx_level irqx_level_gsi(int ctx, uint32_t gsi)
{
	struct irqx_level level = {
		.fd = irqx_eventfd(0, 0),
		.ack = irqx_eventfd(0, 0),
	};

	irqx_assert(__irqx_irqfd_level(ctx, level.fd, level.ack, gsi));
	return level;
}

void irqx_level_close(struct irqx_level *level)
{
	close(level->fd);
	close(level->ack);
}

uint64_t irqx_acks(struct irqx_level *level, uint64_t n)
{
	irqx_wait_until((level->acks += irqx_eventfd_take(level->ack)) >= n,
			IRQX_TIMEOUT_MS);
	return level->acks;
}

struct irqx_keeper irqx_keep_probes(struct kvm_vm *vm)
{
	struct kvm_irq_routing_entry sint = { .type = KVM_IRQ_ROUTING_HV_SINT };
	struct irqx_keeper keeper = {
		.ctx = irqx_context(vm),
		.sint.fd = -1,
	};

	keeper.pin = irqx_level_direct(keeper.ctx,
				       irqx_pin_entry(IRQX_IRQCHIP, 23));
	if (irqx_info(keeper.ctx).features & KVM_IRQX_FEATURE_HV_SINT)
		keeper.sint = irqx_level_direct(keeper.ctx, sint);
	return keeper;
}

void irqx_keeper_close(struct irqx_keeper *keeper)
{
	irqx_level_close(&keeper->pin);
	if (keeper->sint.fd >= 0)
		irqx_level_close(&keeper->sint);
	close(keeper->ctx);
}

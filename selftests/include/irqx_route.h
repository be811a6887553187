/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_ROUTE_H
#define SELFTEST_IRQX_ROUTE_H

/*
 * For tests of a context's GSI table: a guest of two vCPUs that runs, whose
 * interrupts are all accounted for at the end.
 */
#include "irqx_util.h"
#include "irqx_harness.h"

FIXTURE(route)
{
	struct irqx_guest *g;
	int ctx;
};

FIXTURE_SETUP(route)
{
	self->g = irqx_guest_create(2);
	self->ctx = self->g->ctx;
	irqx_guest_start(self->g);
}

FIXTURE_TEARDOWN(route)
{
	irqx_check(self->g);
	irqx_guest_free(self->g);
}

static inline struct kvm_irqx_op
op_of(uint32_t op, uint32_t gsi, struct kvm_irq_routing_entry entry)
{
	entry.gsi = gsi;
	return (struct kvm_irqx_op){ .op = op, .entry = entry };
}

static inline struct kvm_irqx_op op_del(uint32_t gsi)
{
	return op_of(KVM_IRQX_OP_ROUTE_DEL, gsi, (struct kvm_irq_routing_entry){});
}

/* A bound eventfd for @gsi. */
static inline int irqfd_on(int ctx, uint32_t gsi)
{
	int fd = irqx_eventfd(0, 0);

	irqx_irqfd(ctx, fd, gsi, 0);
	return fd;
}

static inline void fire_unrouted(struct __test_metadata *_metadata, int ctx, int fd)
{
	uint64_t unrouted = irqx_stats(ctx).unrouted;

	irqx_fire(fd);
	irqx_settle(ctx);
	EXPECT_EQ(unrouted + 1, irqx_stats(ctx).unrouted);
}

#endif /* SELFTEST_IRQX_ROUTE_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * LPIs through the ITS: what goes in atomic context, and what the guest changes
 * under a binding.
 */
#include "irqx_source.h"
#include "irqx_harness.h"

#define GSI	70000

FIXTURE(lpi)
{
	struct irqx_guest *g;
	int ctx;
	int fd;
};

FIXTURE_VARIANT(lpi)
{
	uint32_t nr_vcpus;
	uint32_t flags;
};

FIXTURE_VARIANT_ADD(lpi, one_vcpu) {
	.nr_vcpus = 1,
};

FIXTURE_VARIANT_ADD(lpi, two_vcpus) {
	.nr_vcpus = 2,
};

FIXTURE_VARIANT_ADD(lpi, two_spinning) {
	.nr_vcpus = 2,
	.flags = IRQX_GUEST_ARCH_SPIN,
};

FIXTURE_SETUP(lpi)
{
	if (irqx_gic_version() != 3)
		SKIP(return, "VGICv2 has no ITS");
	self->g = __irqx_guest_create(variant->nr_vcpus, NULL, variant->flags);
	self->ctx = self->g->ctx;
	self->fd = irqx_eventfd(0, 0);
	irqx_guest_start(self->g);
}

FIXTURE_TEARDOWN(lpi)
{
	irqx_check(self->g);
	irqx_guest_free(self->g);
}

/* One event that the last vCPU takes as @irq, in atomic context or not. */
static void fire_one(struct __test_metadata *_metadata, struct irqx_guest *g,
		     int fd, uint32_t irq, bool atomic)
{
	struct kvm_irqx_stats before = irqx_stats(g->ctx), after;

	irqx_fire(fd);
	irqx_expect(g, g->nr_vcpus - 1, irq, 1);
	irqx_check(g);
	after = irqx_stats(g->ctx);
	EXPECT_EQ(atomic, after.atomic - before.atomic);
	EXPECT_EQ(!atomic, after.deferred - before.deferred);
	EXPECT_EQ(0, after.refused);
	EXPECT_EQ(0, after.coalesced);
}

TEST_F(lpi, atomic_once_cached)
{
	struct irqx_guest *g = self->g;
	uint32_t last = g->nr_vcpus - 1;
	int i, round;

	irqx_bind(self->ctx, self->fd, irqx_entry(g, last, 0x40));
	for (round = 0; round < 5; round++) {
		fire_one(_metadata, g, self->fd, 0x40, false);
		for (i = 0; i < 10; i++)
			fire_one(_metadata, g, self->fd, 0x40, true);
		irqx_its_forget(g);
	}

	/* Another LPI has a translation of its own. */
	fire_one(_metadata, g, self->fd, 0x40, false);
	irqx_modify(self->ctx, self->fd, irqx_entry(g, last, 0x41));
	fire_one(_metadata, g, self->fd, 0x41, false);
	fire_one(_metadata, g, self->fd, 0x41, true);
	irqx_modify(self->ctx, self->fd, irqx_entry(g, last, 0x40));
	fire_one(_metadata, g, self->fd, 0x40, true);
}

TEST_F(lpi, table)
{
	struct irqx_guest *g = self->g;
	uint32_t last = g->nr_vcpus - 1;

	irqx_irqfd(self->ctx, self->fd, GSI, 0);
	irqx_route_set(self->ctx, GSI, irqx_entry(g, last, 0x40));
	fire_one(_metadata, g, self->fd, 0x40, false);
	fire_one(_metadata, g, self->fd, 0x40, true);
	irqx_route_set(self->ctx, GSI, irqx_entry(g, last, 0x41));
	fire_one(_metadata, g, self->fd, 0x41, false);
	fire_one(_metadata, g, self->fd, 0x41, true);
}

/* What KVM has learned from others is as good. */
TEST_F(lpi, kvm_fills_the_cache)
{
	struct irqx_guest *g = self->g;
	uint32_t last = g->nr_vcpus - 1;
	struct kvm_irq_routing_entry entry = irqx_entry(g, last, 0x40);

	EXPECT_EQ(1, irqx_signal_msi(g->vm, entry));
	irqx_expect(g, last, 0x40, 1);
	irqx_check(g);
	irqx_bind(self->ctx, self->fd, entry);
	fire_one(_metadata, g, self->fd, 0x40, true);
}

/* The guest moves an LPI by the ITS: the binding knows nothing of it. */
TEST_F(lpi, moved_by_the_guest)
{
	struct irqx_guest *g = self->g;
	uint32_t from, to;
	int i;

	if (g->nr_vcpus < 2)
		SKIP(return, "there is no other vCPU");
	irqx_bind(self->ctx, self->fd, irqx_entry(g, 0, 0x50));
	for (i = 0; i < 20; i++) {
		from = i % 2;
		to = !from;
		irqx_fire(self->fd);
		irqx_expect(g, from, 0x50, 1);
		/*
		 * It may be in the list of the vCPU that had it last, until that
		 * one exits (vgic_prune_ap_list()): a fence does not wait for it.
		 */
		irqx_wait_count(g, from, 0x50, g->vcpus[from].expect[0x50]);
		irqx_check(g);
		irqx_its_move(g, 0, 0x50, to);
	}
}

TEST_F(lpi, discarded_by_the_guest)
{
	struct irqx_guest *g = self->g;

	irqx_bind(self->ctx, self->fd, irqx_entry(g, 0, 0x50));
	irqx_fire(self->fd);
	irqx_expect(g, 0, 0x50, 1);
	irqx_check(g);
	irqx_its_discard(g, 0, 0x50);
	irqx_fire(self->fd);
	irqx_check(g);
	EXPECT_EQ(2, irqx_stats(self->ctx).deferred);
	EXPECT_EQ(0, irqx_stats(self->ctx).refused);

	irqx_modify(self->ctx, self->fd, irqx_entry(g, 0, 0x51));
	irqx_fire(self->fd);
	irqx_expect(g, 0, 0x51, 1);
	irqx_check(g);
}

/* KVM takes any MSI as an entry, and says what is wrong with it later. */
TEST_F(lpi, nowhere_to_go_is_refused)
{
	struct kvm_irq_routing_entry good = irqx_entry(self->g, 0, 0x40);
	struct kvm_irq_routing_entry bad[3] = { good, good, good };
	unsigned int i;

	bad[0].flags = 0;
	bad[1].u.msi.address_lo += 0x1000000;
	bad[2].u.msi.address_hi = 1;
	irqx_bind(self->ctx, self->fd, good);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		irqx_modify(self->ctx, self->fd, bad[i]);
		irqx_fire(self->fd);
		irqx_settle(self->ctx);
		EXPECT_EQ(i + 1, irqx_stats(self->ctx).refused);
	}
	irqx_modify(self->ctx, self->fd, good);
	irqx_fire(self->fd);
	irqx_expect(self->g, 0, 0x40, 1);
}

/* A device that the guest has not told the ITS of: dropped, as on hardware. */
TEST_F(lpi, unknown_device)
{
	struct kvm_irq_routing_entry entry = irqx_entry(self->g, 0, 0x40);

	entry.u.msi.devid = 0xfff0;
	irqx_bind(self->ctx, self->fd, entry);
	irqx_fire(self->fd);
	irqx_check(self->g);
	EXPECT_EQ(1, irqx_stats(self->ctx).events);
	EXPECT_EQ(1, irqx_stats(self->ctx).deferred);
}

TEST_F(lpi, resample_einval)
{
	struct kvm_irq_routing_entry entry = irqx_entry(self->g, 0, 0x40);
	int ack = irqx_eventfd(0, 0);

	EXPECT_EQ(EINVAL, __irqx_bind_level(self->ctx, self->fd, ack, entry));
	irqx_route_set(self->ctx, GSI, entry);
	EXPECT_EQ(EINVAL, __irqx_irqfd_level(self->ctx, self->fd, ack, GSI));
	EXPECT_EQ(0, irqx_stats(self->ctx).irqfds);
}

TEST_HARNESS_MAIN

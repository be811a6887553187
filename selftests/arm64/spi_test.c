// SPDX-License-Identifier: GPL-2.0
/*
 * SPIs, edge and level, with resamplefds, by both kinds of VGIC: a host with
 * VGICv2 only (scripts/vm --gic 2) gives its guests that.
 */
#include "irqx_source.h"
#include "irqx_harness.h"

#define LEVEL(n)	(IRQX_LEVEL_PIN + (n))
#define EDGE(n)		(IRQX_EDGE_PIN + (n))
#define GSI		70000

FIXTURE(spi)
{
	struct irqx_guest *g;
	int ctx;
};

FIXTURE_VARIANT(spi)
{
	uint32_t nr_vcpus;
	uint32_t flags;
};

FIXTURE_VARIANT_ADD(spi, one_vcpu) {
	.nr_vcpus = 1,
};

FIXTURE_VARIANT_ADD(spi, two_vcpus) {
	.nr_vcpus = 2,
};

FIXTURE_VARIANT_ADD(spi, one_spinning) {
	.nr_vcpus = 1,
	.flags = IRQX_GUEST_ARCH_SPIN,
};

FIXTURE_VARIANT_ADD(spi, two_spinning) {
	.nr_vcpus = 2,
	.flags = IRQX_GUEST_ARCH_SPIN,
};

FIXTURE_SETUP(spi)
{
	self->g = __irqx_guest_create(variant->nr_vcpus, NULL, variant->flags);
	self->ctx = self->g->ctx;
	irqx_guest_start(self->g);
}

FIXTURE_TEARDOWN(spi)
{
	irqx_check(self->g);
	irqx_guest_free(self->g);
}

static void expect_pin(struct irqx_guest *g, uint32_t pin, uint64_t n)
{
	irqx_expect(g, irqx_pin_vcpu(g, pin), IRQX_SPI(pin), n);
}

static uint64_t pin_count(struct irqx_guest *g, uint32_t pin)
{
	return irqx_count(g, irqx_pin_vcpu(g, pin), IRQX_SPI(pin));
}

static void wait_pin(struct irqx_guest *g, uint32_t pin, uint64_t n)
{
	irqx_wait_count(g, irqx_pin_vcpu(g, pin), IRQX_SPI(pin), n);
}

/*
 * Return: how many interrupts KVM has got, or 0 if any of them in the wrong place: in the
 * wake-up, but from 6.19 on by the work queue if the VGIC is version 3
 * (Documentation/kernels.rst).
 */
static uint64_t handed_over(int ctx)
{
	struct kvm_irqx_stats stats = irqx_stats(ctx);

	if (irqx_kernel_since(6, 19) && irqx_gic_version() == 3)
		return stats.atomic ? 0 : stats.deferred;
	return stats.deferred ? 0 : stats.atomic;
}

/*
 * Edges
 */

TEST_F(spi, every_edge_pin)
{
	int fds[IRQX_NR_EDGE_PINS], round, i;

	irqx_eventfds(fds, IRQX_NR_EDGE_PINS);
	for (i = 0; i < IRQX_NR_EDGE_PINS; i++)
		irqx_bind(self->ctx, fds[i], irqx_spi_entry(EDGE(i)));
	for (round = 0; round < 3; round++) {
		for (i = 0; i < IRQX_NR_EDGE_PINS; i++) {
			irqx_fire(fds[i]);
			expect_pin(self->g, EDGE(i), 1);
		}
		irqx_check(self->g);
	}
	EXPECT_EQ(3 * IRQX_NR_EDGE_PINS, handed_over(self->ctx));
	EXPECT_EQ(0, irqx_stats(self->ctx).refused);
}

TEST_F(spi, edge_modify)
{
	int fd = irqx_eventfd(0, 0);
	int i;

	irqx_bind(self->ctx, fd, irqx_spi_entry(EDGE(0)));
	for (i = 0; i < 200; i++) {
		irqx_fire(fd);
		expect_pin(self->g, EDGE(i % 7), 1);
		irqx_check(self->g);
		irqx_modify(self->ctx, fd, irqx_spi_entry(EDGE((i + 1) % 7)));
	}
}

TEST_F(spi, edge_table)
{
	struct irqx_guest *g = self->g;
	int fd = irqx_eventfd(0, 0);

	irqx_irqfd(self->ctx, fd, GSI, 0);
	irqx_fire(fd);
	EXPECT_EQ(1, irqx_stats(self->ctx).unrouted);
	irqx_route_set(self->ctx, GSI, irqx_spi_entry(EDGE(3)));
	irqx_fire(fd);
	expect_pin(g, EDGE(3), 1);
	irqx_check(g);
	irqx_route_set(self->ctx, GSI, irqx_spi_entry(EDGE(4)));
	irqx_fire(fd);
	expect_pin(g, EDGE(4), 1);
	irqx_check(g);

	/* Each assertion is an edge, letting go is none. */
	irqx_irq_line(self->ctx, GSI, 1);
	expect_pin(g, EDGE(4), 1);
	irqx_check(g);
	irqx_irq_line(self->ctx, GSI, 0);
	irqx_check(g);
	irqx_irq_line(self->ctx, GSI, 1);
	expect_pin(g, EDGE(4), 1);
	irqx_check(g);
	irqx_irq_line(self->ctx, GSI, 0);
}

/* VGICs report the EOI of level-triggered SPIs only. */
TEST_F(spi, edge_has_no_ack)
{
	struct irqx_level source;

	source = irqx_level_direct(self->ctx, irqx_spi_entry(EDGE(5)));
	irqx_fire(source.fd);
	expect_pin(self->g, EDGE(5), 1);
	irqx_check(self->g);
	irqx_fire(source.fd);
	expect_pin(self->g, EDGE(5), 1);
	irqx_check(self->g);
	EXPECT_EQ(0, irqx_eventfd_take(source.ack));
	EXPECT_EQ(2, handed_over(self->ctx));
	irqx_level_close(&source);
}

/*
 * Levels
 */

TEST_F(spi, level_cycles)
{
	struct irqx_level sources[8];
	int round, i;

	for (i = 0; i < 8; i++)
		sources[i] = irqx_level_direct(self->ctx, irqx_spi_entry(LEVEL(i)));
	for (round = 1; round <= 30; round++) {
		for (i = 0; i < 8; i++) {
			irqx_fire(sources[i].fd);
			expect_pin(self->g, LEVEL(i), 1);
		}
		for (i = 0; i < 8; i++)
			ASSERT_EQ(round, irqx_acks(&sources[i], round));
		irqx_check(self->g);
	}
	for (i = 0; i < 8; i++) {
		EXPECT_FALSE(irqx_pin_is_up(self->g, LEVEL(i)));
		irqx_level_close(&sources[i]);
	}
	EXPECT_EQ(240, irqx_stats(self->ctx).events);
	EXPECT_EQ(240, handed_over(self->ctx));
	EXPECT_EQ(0, irqx_stats(self->ctx).refused);
}

TEST_F(spi, level_table)
{
	struct irqx_level source;
	int i;

	source = irqx_level_gsi(self->ctx, GSI);
	irqx_route_set(self->ctx, GSI, irqx_spi_entry(LEVEL(9)));
	for (i = 1; i <= 20; i++) {
		irqx_fire(source.fd);
		expect_pin(self->g, LEVEL(9), 1);
		ASSERT_EQ(i, irqx_acks(&source, i));
		irqx_check(self->g);
	}
	/* An LPI cannot come in its place; the route stays. */
	if (self->g->arch.gic_version == 3) {
		EXPECT_EQ(EINVAL, __irqx_route_set(self->ctx, GSI,
						   irqx_entry(self->g, 0, 0x40)));
	}
	irqx_route_set(self->ctx, GSI, irqx_spi_entry(LEVEL(10)));
	irqx_fire(source.fd);
	expect_pin(self->g, LEVEL(10), 1);
	ASSERT_EQ(21, irqx_acks(&source, 21));
	irqx_level_close(&source);
}

/* Up until the EOI, not until the handler; what comes before it is one. */
TEST_F(spi, level_until_eoi)
{
	struct irqx_guest *g = self->g;
	struct irqx_level source;
	int i;

	irqx_pin_hold(g, LEVEL(1), true);
	source = irqx_level_direct(self->ctx, irqx_spi_entry(LEVEL(1)));
	for (i = 1; i <= 10; i++) {
		irqx_fire(source.fd);
		wait_pin(g, LEVEL(1), i);
		irqx_fire(source.fd);
		irqx_settle(self->ctx);
		EXPECT_TRUE(irqx_pin_is_up(g, LEVEL(1)));
		EXPECT_EQ(0, irqx_eventfd_take(source.ack));

		irqx_pin_eoi(g, LEVEL(1));
		EXPECT_EQ(i, irqx_acks(&source, i));
		EXPECT_FALSE(irqx_pin_is_up(g, LEVEL(1)));
		expect_pin(g, LEVEL(1), 1);
		irqx_check(g);
	}
	irqx_level_close(&source);
}

/*
 * Levels that somebody else has set
 */

/* As a VMM that restores a VM: the line is up, and no source here holds it. */
static void restore_up(struct irqx_guest *g, uint32_t pin)
{
	irqx_guest_stop(g);
	irqx_pin_set_up(g, pin);
	irqx_guest_start(g);
}

/* One interrupt, one EOI, line down; and so again after a cycle. */
TEST_F(spi, level_restored)
{
	struct irqx_level source;
	uint32_t way, i;

	if (self->g->arch.gic_version == 2)
		SKIP(return, "a VGICv2 has no such attribute");
	for (way = 0; way < 2; way++) {
		irqx_route_set(self->ctx, GSI, irqx_spi_entry(LEVEL(way)));
		source = way ? irqx_level_direct(self->ctx, irqx_spi_entry(LEVEL(way))) :
			       irqx_level_gsi(self->ctx, GSI);
		for (i = 0; i < 3; i++) {
			restore_up(self->g, LEVEL(way));
			expect_pin(self->g, LEVEL(way), 1);
			irqx_check(self->g);
			ASSERT_EQ(2 * i + 1, irqx_acks(&source, 2 * i + 1));
			ASSERT_FALSE(irqx_pin_is_up(self->g, LEVEL(way)));
			irqx_fire(source.fd);
			expect_pin(self->g, LEVEL(way), 1);
			irqx_check(self->g);
			ASSERT_EQ(2 * i + 2, irqx_acks(&source, 2 * i + 2));
		}
		irqx_level_close(&source);
	}
}

/* KVM_IRQ_LINE lowers it, and so does the last resamplefd that leaves; not one of two. */
TEST_F(spi, level_restored_and_lowered)
{
	struct irqx_level first, second;

	if (self->g->arch.gic_version == 2)
		SKIP(return, "a VGICv2 has no such attribute");
	irqx_pin_hold(self->g, LEVEL(3), true);
	irqx_route_set(self->ctx, GSI, irqx_spi_entry(LEVEL(3)));
	restore_up(self->g, LEVEL(3));
	wait_pin(self->g, LEVEL(3), 1);
	irqx_irq_line(self->ctx, GSI, 0);
	ASSERT_FALSE(irqx_pin_is_up(self->g, LEVEL(3)));
	irqx_pin_eoi(self->g, LEVEL(3));
	expect_pin(self->g, LEVEL(3), 1);
	irqx_check(self->g);

	first = irqx_level_direct(self->ctx, irqx_spi_entry(LEVEL(3)));
	second = irqx_level_gsi(self->ctx, GSI);
	restore_up(self->g, LEVEL(3));
	wait_pin(self->g, LEVEL(3), 2);
	irqx_unbind(self->ctx, first.fd);
	ASSERT_TRUE(irqx_pin_is_up(self->g, LEVEL(3)));
	irqx_irqfd(self->ctx, second.fd, GSI, KVM_IRQFD_FLAG_DEASSIGN);
	ASSERT_FALSE(irqx_pin_is_up(self->g, LEVEL(3)));
	irqx_pin_hold(self->g, LEVEL(3), false);
	irqx_pin_eoi(self->g, LEVEL(3));
	expect_pin(self->g, LEVEL(3), 1);
}

/*
 * KVM's own resamplefd: from 6.19 on the VGICv3 keeps an EOI to itself if no exit has
 * seen the interrupt active (Documentation/kernels.rst), and it comes again and again
 * until one does.  That level_cycles passes there is this module's doing.
 */
TEST_F(spi, kvms_own_resamplefd)
{
	struct irqx_level kvms = irqx_level_gsi(self->g->vm->fd, LEVEL(5));
	const bool known = irqx_kernel_since(6, 19) && irqx_gic_version() == 3;
	uint64_t cycles = 0, taken;

	/* Once is enough to know it: how long an EOI is missed is up to the host's ticks. */
	do {
		irqx_fire(kvms.fd);
		cycles++;
		EXPECT_EQ(cycles, irqx_acks(&kvms, cycles));
	} while (cycles < 50 &&
		 !(known && pin_count(self->g, LEVEL(5)) > cycles));
	irqx_fence(self->g);
	taken = pin_count(self->g, LEVEL(5));
	irqx_level_close(&kvms);
	irqx_forget(self->g);
	if (taken > cycles && known)
		IRQX_XFAIL("KVM missed EOIs: %lu interrupts for %lu events",
			   taken, cycles);
	EXPECT_EQ(cycles, taken);
}

/* A device that was not served asserts again when it hears of the EOI. */
TEST_F(spi, assert_again)
{
	struct irqx_level source;
	int i;

	source = irqx_level_direct(self->ctx, irqx_spi_entry(LEVEL(2)));
	irqx_fire(source.fd);
	for (i = 1; i < 100; i++) {
		ASSERT_EQ(i, irqx_acks(&source, i));
		irqx_fire(source.fd);
	}
	ASSERT_EQ(100, irqx_acks(&source, 100));
	expect_pin(self->g, LEVEL(2), 100);
	irqx_check(self->g);
	irqx_level_close(&source);
}

/* The resamplefd is itself bound: an EOI is the next interrupt. */
TEST_F(spi, resamplefd_is_bound)
{
	struct irqx_guest *g = self->g;
	struct irqx_level level, next;

	level = irqx_level_direct(self->ctx, irqx_spi_entry(LEVEL(7)));
	irqx_bind(self->ctx, level.ack, irqx_spi_entry(EDGE(6)));
	irqx_fire(level.fd);
	expect_pin(g, LEVEL(7), 1);
	expect_pin(g, EDGE(6), 1);
	irqx_check(g);
	irqx_unbind(self->ctx, level.ack);

	/* And to another source of the same SPI. */
	next = (struct irqx_level){ .fd = level.ack, .ack = irqx_eventfd(0, 0) };
	irqx_assert(__irqx_bind_level(self->ctx, next.fd, next.ack,
				      irqx_spi_entry(LEVEL(7))));
	irqx_pin_hold(g, LEVEL(7), true);
	irqx_fire(level.fd);
	wait_pin(g, LEVEL(7), 2);
	irqx_pin_eoi(g, LEVEL(7));
	wait_pin(g, LEVEL(7), 3);
	EXPECT_TRUE(irqx_pin_is_up(g, LEVEL(7)));
	EXPECT_EQ(1, irqx_acks(&next, 1));
	irqx_unbind(self->ctx, next.fd);
	EXPECT_FALSE(irqx_pin_is_up(g, LEVEL(7)));
	irqx_pin_eoi(g, LEVEL(7));
	expect_pin(g, LEVEL(7), 2);
	irqx_check(g);
	irqx_level_close(&level);
	close(next.ack);
}

/* A source that asks for itself is up again after each EOI. */
TEST_F(spi, resamplefd_is_fd)
{
	struct irqx_guest *g = self->g;
	int fd = irqx_eventfd(0, 0);
	int i;

	irqx_assert(__irqx_bind_level(self->ctx, fd, fd,
				      irqx_spi_entry(LEVEL(8))));
	irqx_pin_hold(g, LEVEL(8), true);
	irqx_fire(fd);
	for (i = 1; i <= 20; i++) {
		wait_pin(g, LEVEL(8), i);
		EXPECT_TRUE(irqx_pin_is_up(g, LEVEL(8)));
		if (i == 20) {
			irqx_unbind(self->ctx, fd);
			EXPECT_FALSE(irqx_pin_is_up(g, LEVEL(8)));
		}
		irqx_pin_eoi(g, LEVEL(8));
	}
	expect_pin(g, LEVEL(8), 20);
	irqx_check(g);
	EXPECT_EQ(20, handed_over(self->ctx));
	close(fd);
}

TEST_F(spi, disabled_pin_keeps_level)
{
	struct irqx_guest *g = self->g;
	struct irqx_level source;

	irqx_pin_enable(g, LEVEL(3), false);
	source = irqx_level_direct(self->ctx, irqx_spi_entry(LEVEL(3)));
	irqx_fire(source.fd);
	irqx_check(g);
	EXPECT_TRUE(irqx_pin_is_up(g, LEVEL(3)));
	EXPECT_EQ(0, irqx_eventfd_take(source.ack));
	irqx_pin_enable(g, LEVEL(3), true);
	expect_pin(g, LEVEL(3), 1);
	EXPECT_EQ(1, irqx_acks(&source, 1));
	irqx_check(g);
	EXPECT_FALSE(irqx_pin_is_up(g, LEVEL(3)));
	irqx_level_close(&source);
}

/* The guest changes its mind: the driver of another device has come. */
TEST_F(spi, edge_pin_made_level)
{
	struct irqx_guest *g = self->g;
	struct irqx_level source;

	irqx_pin_enable(g, EDGE(8), false);
	irqx_pin_config(g, EDGE(8), true);
	irqx_pin_enable(g, EDGE(8), true);
	source = irqx_level_direct(self->ctx, irqx_spi_entry(EDGE(8)));
	irqx_fire(source.fd);
	expect_pin(g, EDGE(8), 1);
	EXPECT_EQ(1, irqx_acks(&source, 1));
	irqx_check(g);
	irqx_level_close(&source);
}

/*
 * As KVM's irqfd does: in atomic context there is no later, so nothing lowers
 * it.  Level-triggered SPIs want a resamplefd.
 */
TEST_F(spi, event_without_resamplefd_only_raises)
{
	struct irqx_guest *g = self->g;
	int fd = irqx_eventfd(0, 0);

	irqx_bind(self->ctx, fd, irqx_wire_entry(g, 0));
	irqx_fire(fd);
	irqx_settle(self->ctx);
	EXPECT_TRUE(irqx_wire_is_up(g, 0));
	EXPECT_EQ(1, handed_over(self->ctx));
	irqx_unbind(self->ctx, fd);
	EXPECT_TRUE(irqx_wire_is_up(g, 0));

	irqx_route_set(self->ctx, GSI, irqx_wire_entry(g, 0));
	irqx_irq_line(self->ctx, GSI, 1);
	irqx_irq_line(self->ctx, GSI, 0);
	EXPECT_FALSE(irqx_wire_is_up(g, 0));
}

/*
 * Sharing
 */

TEST_F(spi, two_share)
{
	struct irqx_guest *g = self->g;
	int other = irqx_context(g->vm);
	struct irqx_level a, b;

	irqx_pin_hold(g, LEVEL(4), true);
	a = irqx_level_direct(self->ctx, irqx_spi_entry(LEVEL(4)));
	b = irqx_level_direct(other, irqx_spi_entry(LEVEL(4)));

	/* Both, one, the other: the EOI is told to both each time. */
	irqx_fire(a.fd);
	irqx_fire(b.fd);
	irqx_settle(self->ctx);
	irqx_settle(other);
	wait_pin(g, LEVEL(4), 1);
	irqx_pin_eoi(g, LEVEL(4));
	EXPECT_EQ(1, irqx_acks(&a, 1));
	EXPECT_EQ(1, irqx_acks(&b, 1));
	EXPECT_FALSE(irqx_pin_is_up(g, LEVEL(4)));

	irqx_fire(a.fd);
	wait_pin(g, LEVEL(4), 2);
	irqx_pin_eoi(g, LEVEL(4));
	EXPECT_EQ(2, irqx_acks(&a, 2));
	EXPECT_EQ(2, irqx_acks(&b, 2));

	irqx_fire(b.fd);
	wait_pin(g, LEVEL(4), 3);
	irqx_pin_eoi(g, LEVEL(4));
	EXPECT_EQ(3, irqx_acks(&a, 3));
	EXPECT_EQ(3, irqx_acks(&b, 3));
	expect_pin(g, LEVEL(4), 3);
	irqx_check(g);

	irqx_level_close(&a);
	irqx_level_close(&b);
	close(other);
}

/* The line is up while one of them holds it. */
TEST_F(spi, or_of_levels)
{
	struct irqx_guest *g = self->g;
	int other = irqx_context(g->vm);
	struct irqx_level a, b;

	a = irqx_level_direct(self->ctx, irqx_wire_entry(g, 1));
	b = irqx_level_direct(other, irqx_wire_entry(g, 1));
	irqx_route_set(self->ctx, GSI, irqx_wire_entry(g, 1));

	irqx_fire(a.fd);
	irqx_settle(self->ctx);
	irqx_fire(b.fd);
	irqx_settle(other);
	irqx_irq_line(self->ctx, GSI, 1);
	EXPECT_TRUE(irqx_wire_is_up(g, 1));
	irqx_unbind(self->ctx, a.fd);
	EXPECT_TRUE(irqx_wire_is_up(g, 1));
	close(other);
	EXPECT_TRUE(irqx_wire_is_up(g, 1));
	irqx_irq_line(self->ctx, GSI, 0);
	EXPECT_FALSE(irqx_wire_is_up(g, 1));

	irqx_irq_line(self->ctx, GSI, 1);
	irqx_route_del(self->ctx, GSI);
	EXPECT_FALSE(irqx_wire_is_up(g, 1));
	irqx_level_close(&a);
	irqx_level_close(&b);
}

/* An EOI makes those let go that have a resamplefd, not the line. */
TEST_F(spi, line_outlives_eoi)
{
	struct irqx_guest *g = self->g;
	struct irqx_level a;
	int i;

	irqx_pin_hold(g, LEVEL(5), true);
	a = irqx_level_direct(self->ctx, irqx_spi_entry(LEVEL(5)));
	irqx_route_set(self->ctx, GSI, irqx_spi_entry(LEVEL(5)));
	irqx_fire(a.fd);
	irqx_settle(self->ctx);
	irqx_irq_line(self->ctx, GSI, 1);
	for (i = 1; i <= 5; i++) {
		wait_pin(g, LEVEL(5), i);
		irqx_pin_eoi(g, LEVEL(5));
		EXPECT_EQ(i, irqx_acks(&a, i));
	}
	wait_pin(g, LEVEL(5), 6);
	irqx_irq_line(self->ctx, GSI, 0);
	irqx_pin_eoi(g, LEVEL(5));
	EXPECT_EQ(6, irqx_acks(&a, 6));
	EXPECT_FALSE(irqx_pin_is_up(g, LEVEL(5)));
	expect_pin(g, LEVEL(5), 6);
	irqx_check(g);
	irqx_level_close(&a);
}

/* An EOI is one for a masked source too: it lets go, and is signalled. */
TEST_F(spi, shared_masked)
{
	struct irqx_guest *g = self->g;
	struct irqx_level masked, level;
	int i;

	masked = irqx_level_direct(self->ctx, irqx_spi_entry(LEVEL(5)));
	level = irqx_level_direct(self->ctx, irqx_spi_entry(LEVEL(5)));
	irqx_mask(self->ctx, masked.fd);
	for (i = 1; i <= 10; i++) {
		irqx_fire(masked.fd);
		irqx_settle(self->ctx);
		EXPECT_FALSE(irqx_pin_is_up(g, LEVEL(5)));
		irqx_fire(level.fd);
		expect_pin(g, LEVEL(5), 1);
		irqx_check(g);
		ASSERT_EQ(i, irqx_acks(&level, i));
		ASSERT_EQ(i, irqx_acks(&masked, i));
		EXPECT_FALSE(irqx_pin_is_up(g, LEVEL(5)));
	}
	irqx_unmask(self->ctx, masked.fd);
	irqx_check(g);
	irqx_fire(masked.fd);
	expect_pin(g, LEVEL(5), 1);
	EXPECT_EQ(11, irqx_acks(&masked, 11));
	irqx_check(g);
	irqx_level_close(&level);
	irqx_level_close(&masked);
}

/* Each event of an edge that comes while it is masked is the same one. */
TEST_F(spi, edge_masked)
{
	struct irqx_guest *g = self->g;
	int fd = irqx_eventfd(0, 0);

	irqx_bind(self->ctx, fd, irqx_spi_entry(EDGE(3)));
	irqx_mask(self->ctx, fd);
	irqx_fire(fd);
	irqx_fire(fd);
	EXPECT_FALSE(irqx_pin_is_up(g, EDGE(3)));
	irqx_unmask(self->ctx, fd);
	expect_pin(g, EDGE(3), 1);
	irqx_check(g);
}

/*
 * Leaving
 */

TEST_F(spi, leaving_lowers)
{
	struct irqx_guest *g = self->g;
	struct irqx_level a;
	int ctx, how;

	for (how = 0; how < 3; how++) {
		ctx = irqx_context(g->vm);
		a = irqx_level_direct(ctx, irqx_wire_entry(g, 2));
		irqx_fire(a.fd);
		irqx_settle(ctx);
		EXPECT_TRUE(irqx_wire_is_up(g, 2));
		if (how == 0)
			irqx_unbind(ctx, a.fd);
		else if (how == 1)
			close(a.fd);
		else
			close(ctx);
		if (how == 1) {
			EXPECT_TRUE(irqx_wait_irqfds(ctx, 0));
		}
		EXPECT_FALSE(irqx_wire_is_up(g, 2))
			TH_LOG("how %d", how);
		EXPECT_EQ(0, irqx_eventfd_take(a.ack));
		if (how != 1)
			close(a.fd);
		if (how != 2)
			close(ctx);
		close(a.ack);
	}
}

TEST_F(spi, modify_takes_level_along)
{
	struct irqx_guest *g = self->g;
	struct irqx_level a;

	a = irqx_level_direct(self->ctx, irqx_wire_entry(g, 3));
	irqx_fire(a.fd);
	irqx_settle(self->ctx);
	irqx_modify(self->ctx, a.fd, irqx_wire_entry(g, 4));
	EXPECT_FALSE(irqx_wire_is_up(g, 3));
	EXPECT_TRUE(irqx_wire_is_up(g, 4));

	/* To where the guest takes it. */
	irqx_modify(self->ctx, a.fd, irqx_spi_entry(LEVEL(6)));
	EXPECT_FALSE(irqx_wire_is_up(g, 4));
	expect_pin(g, LEVEL(6), 1);
	EXPECT_EQ(1, irqx_acks(&a, 1));
	irqx_check(g);
	irqx_level_close(&a);
}

/* Whoever asserts meanwhile: never both lines, never none. */
TEST_F_TIMEOUT(spi, modify_storm, 600)
{
	uint32_t i, n = irqx_iterations(200, 20000);
	struct irqx_guest *g = self->g;
	struct irqx_storm storm;
	struct irqx_level a;

	a = irqx_level_direct(self->ctx, irqx_wire_entry(g, 0));
	irqx_storm_start(&storm, &a.fd, 1);
	ASSERT_TRUE(irqx_wait_until(irqx_wire_is_up(g, 0), IRQX_TIMEOUT_MS));
	for (i = 0; i < n; i++) {
		irqx_modify(self->ctx, a.fd, irqx_wire_entry(g, (i + 1) % 2));
		ASSERT_FALSE(irqx_wire_is_up(g, i % 2));
		ASSERT_TRUE(irqx_wire_is_up(g, (i + 1) % 2));
	}
	ASSERT_LT(n, irqx_storm_stop(&storm));
	irqx_settle(self->ctx);
	EXPECT_LT(n, handed_over(self->ctx));
	irqx_unbind(self->ctx, a.fd);
	EXPECT_FALSE(irqx_wire_is_up(g, 0));
	EXPECT_FALSE(irqx_wire_is_up(g, 1));
	irqx_level_close(&a);
}

/*
 * Errors
 */

TEST_F(spi, bad_pins_einval)
{
	int fd = irqx_eventfd(0, 0), ack = irqx_eventfd(0, 0);
	struct kvm_irq_routing_entry entry;
	unsigned int i;

	for (i = 0; i < irqx_nr_bad_pins; i++) {
		entry = irqx_pin_entry(irqx_bad_pins[i].irqchip,
				       irqx_bad_pins[i].pin);
		EXPECT_EQ(EINVAL, __irqx_bind(self->ctx, fd, entry));
		EXPECT_EQ(EINVAL, __irqx_bind_level(self->ctx, fd, ack, entry));
		EXPECT_EQ(EINVAL, __irqx_route_set(self->ctx, GSI, entry));
	}
	EXPECT_EQ(0, irqx_stats(self->ctx).irqfds);
	EXPECT_EQ(0, irqx_stats(self->ctx).gsis);
}

/* A number that an SPI could have, but not in this VM: KVM says so late. */
TEST_F(spi, missing_spi_is_refused)
{
	int fd = irqx_eventfd(0, 0);

	irqx_bind(self->ctx, fd, irqx_spi_entry(IRQX_NR_SPIS));
	irqx_fire(fd);
	irqx_settle(self->ctx);
	EXPECT_EQ(1, irqx_stats(self->ctx).refused);
	irqx_modify(self->ctx, fd, irqx_spi_entry(EDGE(0)));
	irqx_fire(fd);
	expect_pin(self->g, EDGE(0), 1);
	irqx_check(self->g);
	EXPECT_EQ(1, irqx_stats(self->ctx).refused);
	EXPECT_EQ(1, pin_count(self->g, EDGE(0)));
}

TEST_F(spi, resample_msi_einval)
{
	struct kvm_irq_routing_entry msi = { .type = KVM_IRQ_ROUTING_MSI };
	int fd = irqx_eventfd(0, 0), ack = irqx_eventfd(0, 0);
	struct irqx_level a;

	EXPECT_EQ(EINVAL, __irqx_bind_level(self->ctx, fd, ack, msi));
	a = irqx_level_direct(self->ctx, irqx_spi_entry(LEVEL(7)));
	EXPECT_EQ(EINVAL, __irqx_modify(self->ctx, a.fd, msi));
	irqx_fire(a.fd);
	expect_pin(self->g, LEVEL(7), 1);
	EXPECT_EQ(1, irqx_acks(&a, 1));
	irqx_level_close(&a);
}

/* What KVM's table of entries has no type for: EINVAL, too. */
TEST_F(spi, x86_types_einval)
{
	static const uint32_t types[] = {
		KVM_IRQ_ROUTING_HV_SINT, KVM_IRQ_ROUTING_XEN_EVTCHN,
	};
	struct kvm_irq_routing_entry entry = {};
	int fd = irqx_eventfd(0, 0);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		entry.type = types[i];
		EXPECT_EQ(EINVAL, __irqx_bind(self->ctx, fd, entry));
	}
	EXPECT_EQ(0, irqx_info(self->ctx).features &
		  (KVM_IRQX_FEATURE_HV_SINT | KVM_IRQX_FEATURE_XEN_EVTCHN |
		   KVM_IRQX_FEATURE_EVENT_FLAG));
}

/* No vCPU, no guest: a VGIC on its way into being. */
TEST(vgic_not_initialised_eagain)
{
	struct kvm_vm *vm = vm_create_barebones();
	bool v3 = irqx_gic_version() == 3;
	uint32_t nr_irqs = 64;
	int fd = irqx_eventfd(0, 0), ack = irqx_eventfd(0, 0);
	int ctx = irqx_context(vm);
	uint64_t addr = GICD_BASE_GPA;
	int gic;

	EXPECT_EQ(EAGAIN, __irqx_bind(ctx, fd, irqx_spi_entry(3)));

	gic = kvm_create_device(vm, v3 ? KVM_DEV_TYPE_ARM_VGIC_V3 :
					 KVM_DEV_TYPE_ARM_VGIC_V2);
	kvm_device_attr_set(gic, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &nr_irqs);
	EXPECT_EQ(EAGAIN, __irqx_bind(ctx, fd, irqx_spi_entry(3)));
	EXPECT_EQ(EAGAIN, __irqx_bind_level(ctx, fd, ack, irqx_spi_entry(3)));
	EXPECT_EQ(EAGAIN, __irqx_route_set(ctx, 5, irqx_spi_entry(3)));

	if (!v3) {
		kvm_device_attr_set(gic, KVM_DEV_ARM_VGIC_GRP_ADDR,
				    KVM_VGIC_V2_ADDR_TYPE_DIST, &addr);
		addr = GICR_BASE_GPA;
		kvm_device_attr_set(gic, KVM_DEV_ARM_VGIC_GRP_ADDR,
				    KVM_VGIC_V2_ADDR_TYPE_CPU, &addr);
	}
	kvm_device_attr_set(gic, KVM_DEV_ARM_VGIC_GRP_CTRL,
			    KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
	EXPECT_EQ(0, __irqx_bind_level(ctx, fd, ack, irqx_spi_entry(3)));
	EXPECT_EQ(0, __irqx_route_set(ctx, 5, irqx_spi_entry(3)));
	close(ctx);
	close(gic);
	kvm_vm_free(vm);
}

TEST_HARNESS_MAIN

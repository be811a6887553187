// SPDX-License-Identifier: GPL-2.0
/*
 * PPIs, which KVM's own routing entries cannot name: KVM_IRQX_ROUTING_PPI.
 */
#include "irqx_source.h"
#include "irqx_harness.h"
#include "gic_v3.h"

/* Nobody's: the timers have 26 to 30, a PMU has what it is given. */
#define PPI		16
#define NR_PPIS		7
#define LEVEL_PPI	(PPI + NR_PPIS)
#define PMU_PPI		23
#define VTIMER_PPI	27
#define PTIMER_PPI	30
#define GSI		123456

FIXTURE(ppi)
{
	struct irqx_guest *g;
	int ctx;
};

static struct kvm_irq_routing_entry ppi_entry(uint32_t vcpu, uint32_t intid)
{
	return (struct kvm_irq_routing_entry){
		.type = KVM_IRQX_ROUTING_PPI,
		.u.irqchip = { .irqchip = vcpu, .pin = intid },
	};
}

/* Registers of the first 32 INTIDs: each vCPU has its own at the same address, or a frame. */
static uint64_t private_reg(struct irqx_guest *g, uint32_t vcpu, uint32_t reg)
{
	if (g->arch.gic_version == 2)
		return GICD_BASE_GPA + reg;
	return GICR_BASE_GPA + vcpu * 2 * SZ_64K + SZ_64K + reg;
}

static void write_private(struct irqx_guest *g, uint32_t vcpu, uint32_t reg,
			  uint32_t value)
{
	irqx_do(g, vcpu, IRQX_OP_WRITEL, private_reg(g, vcpu, reg), value);
}

static bool is_pending(struct irqx_guest *g, uint32_t vcpu, uint32_t intid)
{
	return irqx_do(g, vcpu, IRQX_OP_READL,
		       private_reg(g, vcpu, GICD_ISPENDR), 0) >> intid & 1;
}

/* LEVEL_PPI of vCPU 1. */
static void comes_when_enabled(struct __test_metadata *_metadata, struct irqx_guest *g)
{
	EXPECT_TRUE(is_pending(g, 1, LEVEL_PPI));
	irqx_expect(g, 1, LEVEL_PPI, 1);
	write_private(g, 1, GICD_ISENABLER, 1U << LEVEL_PPI);
	irqx_check(g);
	EXPECT_FALSE(is_pending(g, 1, LEVEL_PPI));
}

/* All but LEVEL_PPI are enabled. */
FIXTURE_SETUP(ppi)
{
	uint32_t vcpu, i;

	self->g = irqx_guest_create(2);
	self->ctx = self->g->ctx;
	irqx_guest_start(self->g);
	for (vcpu = 0; vcpu < self->g->nr_vcpus; vcpu++) {
		/* Below that of operations, which VGICv2 does not do by itself. */
		for (i = PPI; i < PPI + NR_PPIS; i += 4)
			write_private(self->g, vcpu, GICD_IPRIORITYR + i,
				      0xa0a0a0a0);
		write_private(self->g, vcpu, GICD_ISENABLER,
			      ((1U << NR_PPIS) - 1) << PPI);
	}
}

FIXTURE_TEARDOWN(ppi)
{
	irqx_check(self->g);
	irqx_guest_free(self->g);
}

TEST_F(ppi, events)
{
	uint32_t vcpu, i, round;
	int fds[2 * NR_PPIS];

	irqx_eventfds(fds, ARRAY_SIZE(fds));
	for (i = 0; i < ARRAY_SIZE(fds); i++)
		irqx_bind(self->ctx, fds[i], ppi_entry(i % 2, PPI + i / 2));
	for (round = 0; round < 20; round++) {
		for (i = 0; i < ARRAY_SIZE(fds); i++) {
			vcpu = i % 2;
			irqx_fire(fds[i]);
			irqx_expect(self->g, vcpu, PPI + i / 2, 1);
		}
		irqx_check(self->g);
	}
	EXPECT_EQ(20 * ARRAY_SIZE(fds), irqx_stats(self->ctx).atomic);
	EXPECT_EQ(0, irqx_stats(self->ctx).refused);
}

TEST_F(ppi, modify)
{
	int fd = irqx_eventfd(0, 0);
	uint32_t i;

	irqx_bind(self->ctx, fd, ppi_entry(0, PPI));
	for (i = 0; i < 100; i++) {
		irqx_fire(fd);
		irqx_expect(self->g, i % 2, PPI + i % NR_PPIS, 1);
		irqx_check(self->g);
		irqx_modify(self->ctx, fd,
			    ppi_entry((i + 1) % 2, PPI + (i + 1) % NR_PPIS));
	}
}

TEST_F(ppi, table)
{
	struct kvm_irq_routing_entry entry = ppi_entry(1, PPI + 1);
	int fd = irqx_eventfd(0, 0);

	irqx_irqfd(self->ctx, fd, GSI, 0);
	irqx_route_set(self->ctx, GSI, ppi_entry(0, PPI));
	irqx_fire(fd);
	irqx_expect(self->g, 0, PPI, 1);
	irqx_check(self->g);

	entry.gsi = GSI;
	irqx_set_gsi_routing(self->ctx, &entry, 1);
	irqx_fire(fd);
	irqx_expect(self->g, 1, PPI + 1, 1);
	irqx_check(self->g);
}

/* The level is the OR of what holds it up, in whichever context. */
TEST_F(ppi, level)
{
	int other = irqx_context(self->g->vm);
	struct irqx_guest *g = self->g;

	irqx_route_set(self->ctx, GSI, ppi_entry(1, LEVEL_PPI));
	irqx_route_set(other, GSI, ppi_entry(1, LEVEL_PPI));
	EXPECT_FALSE(is_pending(g, 1, LEVEL_PPI));
	irqx_irq_line(self->ctx, GSI, 1);
	EXPECT_TRUE(is_pending(g, 1, LEVEL_PPI));
	EXPECT_FALSE(is_pending(g, 0, LEVEL_PPI));
	irqx_irq_line(other, GSI, 1);
	irqx_irq_line(self->ctx, GSI, 0);
	EXPECT_TRUE(is_pending(g, 1, LEVEL_PPI));

	/* It follows its route, and closing lets go. */
	irqx_route_set(other, GSI, ppi_entry(0, LEVEL_PPI));
	EXPECT_FALSE(is_pending(g, 1, LEVEL_PPI));
	EXPECT_TRUE(is_pending(g, 0, LEVEL_PPI));
	close(other);
	EXPECT_FALSE(is_pending(g, 0, LEVEL_PPI));
}

/* The guest takes a level again and again, until it falls. */
TEST_F(ppi, level_is_taken)
{
	struct irqx_guest *g = self->g;
	uint64_t before;

	irqx_route_set(self->ctx, GSI, ppi_entry(0, LEVEL_PPI));
	write_private(g, 0, GICD_ISENABLER, 1U << LEVEL_PPI);
	before = irqx_count(g, 0, LEVEL_PPI);
	irqx_irq_line(self->ctx, GSI, 1);
	irqx_wait_count(g, 0, LEVEL_PPI, before + 10);
	irqx_irq_line(self->ctx, GSI, 0);
	irqx_fence(g);
	before = irqx_count(g, 0, LEVEL_PPI);
	irqx_fence(g);
	EXPECT_EQ(before, irqx_count(g, 0, LEVEL_PPI));
	irqx_forget(g);
}

/* An event stays until it is taken, and leaves the level alone. */
TEST_F(ppi, event_on_a_level)
{
	struct irqx_guest *g = self->g;
	int fd = irqx_eventfd(0, 0);

	irqx_bind(self->ctx, fd, ppi_entry(1, LEVEL_PPI));
	irqx_fire(fd);
	irqx_fire(fd);
	EXPECT_EQ(2, irqx_stats(self->ctx).atomic);
	EXPECT_EQ(1, irqx_stats(self->ctx).coalesced);
	EXPECT_TRUE(is_pending(g, 1, LEVEL_PPI));
	EXPECT_FALSE(is_pending(g, 0, LEVEL_PPI));

	irqx_route_set(self->ctx, GSI, ppi_entry(1, LEVEL_PPI));
	irqx_irq_line(self->ctx, GSI, 1);
	irqx_irq_line(self->ctx, GSI, 0);
	comes_when_enabled(_metadata, g);
}

/* One that comes while the guest serves the last is an interrupt of its own. */
TEST_F(ppi, event_while_served)
{
	struct irqx_guest *g = self->g;
	int fd = irqx_eventfd(0, 0);
	uint32_t i;

	irqx_bind(self->ctx, fd, ppi_entry(1, PPI));
	for (i = 1; i <= 20; i++) {
		irqx_ppi_hold(g, PPI, true);
		irqx_fire(fd);
		irqx_expect(g, 1, PPI, 1);
		irqx_wait_count(g, 1, PPI, 2 * i - 1);
		irqx_fire(fd);
		irqx_expect(g, 1, PPI, 1);
		irqx_ppi_hold(g, PPI, false);
		irqx_do(g, 1, IRQX_OP_EOI, PPI, 0);
		irqx_check(g);
	}
}

TEST_F(ppi, feature)
{
	EXPECT_TRUE(irqx_info(self->ctx).features & KVM_IRQX_FEATURE_PPI);
}

TEST_F(ppi, bad_entries_einval)
{
	struct kvm_irq_routing_entry entry = ppi_entry(0, PPI);
	int fd = irqx_eventfd(0, 0);
	uint32_t intid, i;

	for (intid = 0; intid < 16; intid++)
		EXPECT_EQ(EINVAL, __irqx_bind(self->ctx, fd, ppi_entry(0, intid)));
	EXPECT_EQ(EINVAL, __irqx_bind(self->ctx, fd, ppi_entry(0, 32)));
	EXPECT_EQ(EINVAL, __irqx_bind(self->ctx, fd, ppi_entry(0, ~0U)));
	EXPECT_EQ(EINVAL, __irqx_bind(self->ctx, fd, ppi_entry(2, PPI)));
	EXPECT_EQ(EINVAL, __irqx_bind(self->ctx, fd, ppi_entry(~0U, PPI)));
	entry.flags = KVM_MSI_VALID_DEVID;
	EXPECT_EQ(EINVAL, __irqx_bind(self->ctx, fd, entry));
	for (i = 2; i < ARRAY_SIZE(entry.u.pad); i++) {
		entry = ppi_entry(0, PPI);
		entry.u.pad[i] = 1;
		EXPECT_EQ(EINVAL, __irqx_bind(self->ctx, fd, entry));
	}
	EXPECT_EQ(0, irqx_stats(self->ctx).irqfds);
}

/* KVM does not know the type. */
TEST_F(ppi, not_in_kvms_table_einval)
{
	struct kvm_irq_routing_entry entry = ppi_entry(0, PPI);

	EXPECT_EQ(EINVAL, __irqx_set_gsi_routing(self->g->vm->fd, &entry, 1));
}

/* Like KVM's entries other than pins, it has its GSI to itself. */
TEST_F(ppi, shares_no_gsi_einval)
{
	irqx_route_set(self->ctx, GSI, ppi_entry(0, PPI));
	EXPECT_EQ(EINVAL, __irqx_route_add(self->ctx, GSI, ppi_entry(1, PPI)));
	EXPECT_EQ(EINVAL, __irqx_route_add(self->ctx, GSI, irqx_spi_entry(0)));
}

/*
 * Resamplefds
 */

/* One interrupt and one EOI for each event, on two vCPUs. */
static void resample_cycles(struct __test_metadata *_metadata, struct irqx_guest *g,
			    struct irqx_level *sources, uint32_t n)
{
	uint32_t i, round;

	for (round = 1; round <= n; round++) {
		for (i = 0; i < NR_PPIS; i++) {
			irqx_fire(sources[i].fd);
			irqx_expect(g, i % 2, PPI + i, 1);
		}
		for (i = 0; i < NR_PPIS; i++)
			ASSERT_EQ(round, irqx_acks(&sources[i], round));
		if (!(round % 100))
			irqx_check(g);
	}
	irqx_check(g);
	for (i = 0; i < NR_PPIS; i++) {
		EXPECT_FALSE(is_pending(g, i % 2, PPI + i));
		EXPECT_EQ(n, irqx_acks(&sources[i], n));
		irqx_level_close(&sources[i]);
	}
}

TEST_F_TIMEOUT(ppi, resample_direct, 300)
{
	uint32_t i, n = irqx_iterations(300, 20000);
	struct irqx_level sources[NR_PPIS];

	for (i = 0; i < NR_PPIS; i++)
		sources[i] = irqx_level_direct(self->ctx, ppi_entry(i % 2, PPI + i));
	resample_cycles(_metadata, self->g, sources, n);
	EXPECT_EQ(NR_PPIS * n, irqx_stats(self->ctx).events);
	EXPECT_EQ(0, irqx_stats(self->ctx).refused);
}

TEST_F_TIMEOUT(ppi, resample_gsi, 300)
{
	uint32_t i, n = irqx_iterations(200, 20000);
	struct irqx_level sources[NR_PPIS];

	for (i = 0; i < NR_PPIS; i++) {
		sources[i] = irqx_level_gsi(self->ctx, GSI + i);
		irqx_route_set(self->ctx, GSI + i, ppi_entry(i % 2, PPI + i));
	}
	resample_cycles(_metadata, self->g, sources, n);
	for (i = 0; i < NR_PPIS; i++)
		irqx_route_del(self->ctx, GSI + i);
}

/* A device that was not served asserts again when it hears of the EOI. */
TEST_F(ppi, resample_assert_again)
{
	struct irqx_level a = irqx_level_direct(self->ctx, ppi_entry(1, PPI));
	uint32_t i, n = irqx_iterations(1000, 20000);

	irqx_fire(a.fd);
	for (i = 1; i < n; i++) {
		ASSERT_EQ(i, irqx_acks(&a, i));
		irqx_fire(a.fd);
	}
	ASSERT_EQ(n, irqx_acks(&a, n));
	irqx_expect(self->g, 1, PPI, n);
	irqx_check(self->g);
	irqx_level_close(&a);
}

/* In the hook itself: the resamplefd is the eventfd. */
TEST_F(ppi, resamplefd_is_fd)
{
	struct irqx_guest *g = self->g;
	int fd = irqx_eventfd(0, 0);
	uint32_t i;

	irqx_assert(__irqx_bind_level(self->ctx, fd, fd, ppi_entry(0, PPI)));
	irqx_ppi_hold(g, PPI, true);
	irqx_fire(fd);
	for (i = 1; i <= 20; i++) {
		irqx_wait_count(g, 0, PPI, i);
		EXPECT_TRUE(is_pending(g, 0, PPI));
		if (i == 20) {
			irqx_unbind(self->ctx, fd);
			EXPECT_FALSE(is_pending(g, 0, PPI));
		}
		irqx_do(g, 0, IRQX_OP_EOI, PPI, 0);
	}
	irqx_ppi_hold(g, PPI, false);
	irqx_expect(g, 0, PPI, 20);
	irqx_check(g);
	close(fd);
}

/* Up until the EOI, not until the handler; what comes before it is one. */
TEST_F(ppi, resample_until_eoi)
{
	struct irqx_level a = irqx_level_direct(self->ctx, ppi_entry(1, PPI));
	struct irqx_guest *g = self->g;
	uint32_t i;

	irqx_ppi_hold(g, PPI, true);
	for (i = 1; i <= 20; i++) {
		irqx_fire(a.fd);
		irqx_wait_count(g, 1, PPI, i);
		irqx_fire(a.fd);
		irqx_settle(self->ctx);
		EXPECT_TRUE(is_pending(g, 1, PPI));
		EXPECT_EQ(0, irqx_eventfd_take(a.ack));

		irqx_do(g, 1, IRQX_OP_EOI, PPI, 0);
		EXPECT_EQ(i, irqx_acks(&a, i));
		EXPECT_FALSE(is_pending(g, 1, PPI));
		irqx_expect(g, 1, PPI, 1);
		irqx_check(g);
	}
	irqx_ppi_hold(g, PPI, false);
	irqx_level_close(&a);
}

/* KVM_IRQ_LINE cannot be asked: it comes again until lowered, and the EOIs are told. */
TEST_F(ppi, resample_beside_irq_line)
{
	struct irqx_level a = irqx_level_direct(self->ctx, ppi_entry(1, PPI));
	struct irqx_guest *g = self->g;
	uint32_t i;

	irqx_ppi_hold(g, PPI, true);
	irqx_route_set(self->ctx, GSI, ppi_entry(1, PPI));
	irqx_fire(a.fd);
	irqx_settle(self->ctx);
	irqx_irq_line(self->ctx, GSI, 1);
	for (i = 1; i <= 5; i++) {
		irqx_wait_count(g, 1, PPI, i);
		irqx_do(g, 1, IRQX_OP_EOI, PPI, 0);
		EXPECT_EQ(i, irqx_acks(&a, i));
	}
	irqx_wait_count(g, 1, PPI, 6);
	irqx_irq_line(self->ctx, GSI, 0);
	irqx_do(g, 1, IRQX_OP_EOI, PPI, 0);
	EXPECT_EQ(6, irqx_acks(&a, 6));
	EXPECT_FALSE(is_pending(g, 1, PPI));
	irqx_ppi_hold(g, PPI, false);
	irqx_expect(g, 1, PPI, 6);
	irqx_check(g);
	irqx_level_close(&a);
}

/* The EOI is told to both, whoever of them has asserted. */
TEST_F(ppi, resample_two_share)
{
	int other = irqx_context(self->g->vm);
	struct irqx_guest *g = self->g;
	struct irqx_level a, b;
	uint32_t i;

	irqx_ppi_hold(g, PPI, true);
	a = irqx_level_direct(self->ctx, ppi_entry(1, PPI));
	b = irqx_level_gsi(other, GSI);
	irqx_route_set(other, GSI, ppi_entry(1, PPI));
	for (i = 1; i <= 30; i++) {
		if (i % 3 != 1)
			irqx_fire(a.fd);
		if (i % 3 != 2)
			irqx_fire(b.fd);
		irqx_settle(self->ctx);
		irqx_settle(other);
		irqx_wait_count(g, 1, PPI, i);
		irqx_do(g, 1, IRQX_OP_EOI, PPI, 0);
		ASSERT_EQ(i, irqx_acks(&a, i));
		ASSERT_EQ(i, irqx_acks(&b, i));
		ASSERT_FALSE(is_pending(g, 1, PPI));
	}
	irqx_ppi_hold(g, PPI, false);
	irqx_expect(g, 1, PPI, 30);
	irqx_check(g);
	irqx_level_close(&a);
	irqx_level_close(&b);
	close(other);
}

/* Each vCPU has a PPI of that number, in service at the same time. */
TEST_F(ppi, resample_of_its_vcpu)
{
	struct irqx_guest *g = self->g;
	struct irqx_level sources[2];
	uint32_t i, vcpu;

	irqx_ppi_hold(g, PPI, true);
	for (vcpu = 0; vcpu < 2; vcpu++)
		sources[vcpu] = irqx_level_direct(self->ctx, ppi_entry(vcpu, PPI));
	for (i = 1; i <= 20; i++) {
		for (vcpu = 0; vcpu < 2; vcpu++) {
			irqx_fire(sources[vcpu].fd);
			irqx_wait_count(g, vcpu, PPI, i);
			irqx_expect(g, vcpu, PPI, 1);
		}
		vcpu = i % 2;
		irqx_do(g, vcpu, IRQX_OP_EOI, PPI, 0);
		ASSERT_EQ(i, irqx_acks(&sources[vcpu], i));
		/* Which takes it an exit. */
		ASSERT_TRUE(is_pending(g, !vcpu, PPI));
		ASSERT_EQ(0, irqx_eventfd_take(sources[!vcpu].ack));
		irqx_do(g, !vcpu, IRQX_OP_EOI, PPI, 0);
		ASSERT_EQ(i, irqx_acks(&sources[!vcpu], i));
		irqx_check(g);
	}
	irqx_ppi_hold(g, PPI, false);
	for (vcpu = 0; vcpu < 2; vcpu++)
		irqx_level_close(&sources[vcpu]);
}

/* Nor is that of another PPI, or of an SPI, anything to it. */
TEST_F(ppi, resample_of_its_intid)
{
	struct irqx_level a = irqx_level_direct(self->ctx, ppi_entry(0, LEVEL_PPI));
	struct irqx_level b = irqx_level_direct(self->ctx, ppi_entry(0, PPI));
	struct irqx_level c = irqx_level_direct(self->ctx,
						irqx_spi_entry(IRQX_LEVEL_PIN));
	struct irqx_guest *g = self->g;
	uint32_t i;

	irqx_fire(a.fd);
	irqx_settle(self->ctx);
	for (i = 1; i <= 20; i++) {
		irqx_fire(b.fd);
		irqx_expect(g, 0, PPI, 1);
		ASSERT_EQ(i, irqx_acks(&b, i));
		irqx_fire(c.fd);
		irqx_expect(g, irqx_pin_vcpu(g, IRQX_LEVEL_PIN),
			    IRQX_SPI(IRQX_LEVEL_PIN), 1);
		ASSERT_EQ(i, irqx_acks(&c, i));
		irqx_check(g);
	}
	EXPECT_EQ(20, irqx_acks(&b, 20));
	EXPECT_EQ(20, irqx_acks(&c, 20));
	EXPECT_TRUE(is_pending(g, 0, LEVEL_PPI));
	EXPECT_EQ(0, irqx_eventfd_take(a.ack));
	irqx_level_close(&a);
	irqx_level_close(&b);
	irqx_level_close(&c);
	EXPECT_TRUE(irqx_wait_irqfds(self->ctx, 0));
	EXPECT_FALSE(is_pending(g, 0, LEVEL_PPI));
}

/* In service or not yet taken, in each way to leave. */
TEST_F(ppi, resample_leaving_lowers)
{
	struct irqx_guest *g = self->g;
	uint32_t how, taken = 0;
	struct irqx_level a;
	int ctx;

	irqx_ppi_hold(g, PPI, true);
	for (how = 0; how < 6; how++) {
		uint32_t intid = how < 3 ? LEVEL_PPI : PPI;

		ctx = irqx_context(g->vm);
		a = irqx_level_direct(ctx, ppi_entry(1, intid));
		irqx_fire(a.fd);
		irqx_settle(ctx);
		EXPECT_TRUE(is_pending(g, 1, intid));
		if (intid == PPI)
			irqx_wait_count(g, 1, PPI, ++taken);
		if (how % 3 == 0)
			irqx_unbind(ctx, a.fd);
		else if (how % 3 == 1)
			close(a.fd);
		else
			close(ctx);
		if (how % 3 == 1) {
			EXPECT_TRUE(irqx_wait_irqfds(ctx, 0));
		}
		EXPECT_FALSE(is_pending(g, 1, intid))
			TH_LOG("how %u", how);
		if (intid == PPI)
			irqx_do(g, 1, IRQX_OP_EOI, PPI, 0);
		irqx_fence(g);
		EXPECT_EQ(0, irqx_eventfd_take(a.ack));
		if (how % 3 != 1)
			close(a.fd);
		if (how % 3 != 2)
			close(ctx);
		close(a.ack);
	}
	irqx_ppi_hold(g, PPI, false);
	irqx_expect(g, 1, PPI, taken);
	irqx_check(g);
}

/* A binding with a resamplefd goes from PPI to SPI and back, up or down. */
TEST_F(ppi, resample_modify)
{
	struct kvm_irq_routing_entry spi = irqx_spi_entry(IRQX_LEVEL_PIN);
	struct irqx_level a = irqx_level_direct(self->ctx, spi);
	struct irqx_guest *g = self->g;
	uint32_t i, acks = 0;

	for (i = 0; i < 20; i++) {
		irqx_modify(self->ctx, a.fd, ppi_entry(1, LEVEL_PPI));
		irqx_fire(a.fd);
		irqx_settle(self->ctx);
		ASSERT_TRUE(is_pending(g, 1, LEVEL_PPI));
		irqx_modify(self->ctx, a.fd, i % 2 ? ppi_entry(0, PPI) : spi);
		ASSERT_FALSE(is_pending(g, 1, LEVEL_PPI));
		if (i % 2)
			irqx_expect(g, 0, PPI, 1);
		else
			irqx_expect(g, irqx_pin_vcpu(g, IRQX_LEVEL_PIN),
				    IRQX_SPI(IRQX_LEVEL_PIN), 1);
		acks++;
		ASSERT_EQ(acks, irqx_acks(&a, acks));
		irqx_check(g);
	}
	irqx_level_close(&a);
}

/*
 * A plain event beside a resamplefd
 */

/* It holds the PPI until the EOI, of which the resamplefd is told. */
TEST_F(ppi, event_beside_resample)
{
	struct irqx_level a = irqx_level_direct(self->ctx, ppi_entry(1, PPI));
	uint32_t i, n = irqx_iterations(300, 20000);
	int fd = irqx_eventfd(0, 0);
	struct irqx_guest *g = self->g;

	irqx_bind(self->ctx, fd, ppi_entry(1, PPI));
	for (i = 1; i <= n; i++) {
		irqx_fire(i % 3 ? fd : a.fd);
		irqx_expect(g, 1, PPI, 1);
		ASSERT_EQ(i, irqx_acks(&a, i));
		irqx_check(g);
	}
	EXPECT_FALSE(is_pending(g, 1, PPI));
	irqx_level_close(&a);
	EXPECT_TRUE(irqx_wait_irqfds(self->ctx, 1));

	/* Nobody waits for EOIs any more. */
	for (i = 0; i < 20; i++) {
		irqx_fire(fd);
		irqx_expect(g, 1, PPI, 1);
		irqx_check(g);
	}
}

/* One that comes while the last is served is an interrupt of its own, as without. */
TEST_F(ppi, event_beside_resample_while_served)
{
	struct irqx_level a = irqx_level_direct(self->ctx, ppi_entry(1, PPI));
	struct irqx_guest *g = self->g;
	int fd = irqx_eventfd(0, 0);
	uint32_t i;

	irqx_bind(self->ctx, fd, ppi_entry(1, PPI));
	for (i = 1; i <= 20; i++) {
		irqx_ppi_hold(g, PPI, true);
		irqx_fire(i % 2 ? fd : a.fd);
		irqx_wait_count(g, 1, PPI, 2 * i - 1);
		irqx_fire(fd);
		irqx_fire(fd);
		irqx_settle(self->ctx);
		irqx_do(g, 1, IRQX_OP_EOI, PPI, 0);
		ASSERT_EQ(2 * i - 1, irqx_acks(&a, 2 * i - 1));
		irqx_wait_count(g, 1, PPI, 2 * i);
		irqx_ppi_hold(g, PPI, false);
		irqx_do(g, 1, IRQX_OP_EOI, PPI, 0);
		ASSERT_EQ(2 * i, irqx_acks(&a, 2 * i));
		irqx_expect(g, 1, PPI, 2);
		irqx_check(g);
		ASSERT_FALSE(is_pending(g, 1, PPI));
	}
	irqx_level_close(&a);
}

/* The last resamplefd goes while it waits: it becomes what it is without. */
TEST_F(ppi, event_outlives_resample)
{
	struct irqx_level a = irqx_level_direct(self->ctx, ppi_entry(1, LEVEL_PPI));
	struct irqx_guest *g = self->g;
	int fd = irqx_eventfd(0, 0);

	irqx_bind(self->ctx, fd, ppi_entry(1, LEVEL_PPI));
	irqx_fire(fd);
	irqx_settle(self->ctx);
	EXPECT_TRUE(is_pending(g, 1, LEVEL_PPI));
	irqx_level_close(&a);
	EXPECT_TRUE(irqx_wait_irqfds(self->ctx, 1));
	comes_when_enabled(_metadata, g);
}

/* A resamplefd that comes and goes, and a level that is down, leave a latched one alone. */
TEST_F(ppi, event_outlives_idle_resample)
{
	struct irqx_guest *g = self->g;
	int fd = irqx_eventfd(0, 0);
	struct irqx_level a;
	uint32_t i;

	irqx_bind(self->ctx, fd, ppi_entry(1, PPI));
	irqx_route_set(self->ctx, GSI, ppi_entry(1, PPI));
	for (i = 1; i <= 20; i++) {
		irqx_ppi_hold(g, PPI, true);
		irqx_fire(fd);
		irqx_wait_count(g, 1, PPI, 2 * i - 1);
		irqx_fire(fd);
		if (i % 2) {
			a = irqx_level_direct(self->ctx, ppi_entry(1, PPI));
			irqx_unbind(self->ctx, a.fd);
			irqx_level_close(&a);
		} else {
			irqx_irq_line(self->ctx, GSI, 0);
		}
		irqx_expect(g, 1, PPI, 2);
		irqx_ppi_hold(g, PPI, false);
		irqx_do(g, 1, IRQX_OP_EOI, PPI, 0);
		irqx_check(g);
	}
}

/* The first resamplefd comes while an event is served: its EOI is the level's, if that is up. */
TEST_F(ppi, event_before_resample)
{
	struct irqx_guest *g = self->g;
	int fd = irqx_eventfd(0, 0);
	struct irqx_level a;
	uint32_t i, up;

	irqx_bind(self->ctx, fd, ppi_entry(1, PPI));
	irqx_ppi_hold(g, PPI, true);
	for (i = 1; i <= 20; i++) {
		up = i % 2;
		irqx_fire(fd);
		irqx_wait_count(g, 1, PPI, i);
		a = irqx_level_direct(self->ctx, ppi_entry(1, PPI));
		if (up)
			irqx_fire(a.fd);
		irqx_settle(self->ctx);
		irqx_do(g, 1, IRQX_OP_EOI, PPI, 0);
		EXPECT_EQ(up, irqx_acks(&a, up));
		EXPECT_FALSE(is_pending(g, 1, PPI));
		irqx_fence(g);
		EXPECT_EQ(up, irqx_acks(&a, up));
		irqx_unbind(self->ctx, a.fd);
		irqx_level_close(&a);
	}
	irqx_ppi_hold(g, PPI, false);
	irqx_expect(g, 1, PPI, 20);
	irqx_check(g);
}

/* Return: an errno. */
static int set_ftrace_enabled(char value)
{
	int fd = open("/proc/sys/kernel/ftrace_enabled", O_WRONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return errno;
	err = write(fd, &value, 1) == 1 ? 0 : errno;
	close(fd);
	return err;
}

/* EOIs of PPIs are heard by ftrace: it must be on, and stays on while one is to be heard. */
TEST_F(ppi, resample_needs_ftrace_ebusy)
{
	struct irqx_level a = { .fd = irqx_eventfd(0, 0), .ack = irqx_eventfd(0, 0) };
	struct kvm_irq_routing_entry entry = ppi_entry(0, PPI);
	int by_gsi = irqx_eventfd(0, 0);
	int err = set_ftrace_enabled('0');

	if (err == EOPNOTSUPP)
		SKIP(return, "this kernel cannot turn ftrace off");
	ASSERT_EQ(0, err);

	/* Nothing but EXPECT_*() as long as it is off for all that run after this. */
	EXPECT_EQ(EBUSY, __irqx_bind_level(self->ctx, a.fd, a.ack, entry));
	EXPECT_EQ(0, __irqx_route_set(self->ctx, GSI, entry));
	EXPECT_EQ(EBUSY, __irqx_irqfd_level(self->ctx, a.fd, a.ack, GSI));
	EXPECT_EQ(0, __irqx_route_del(self->ctx, GSI));
	EXPECT_EQ(0, __irqx_irqfd_level(self->ctx, by_gsi, a.ack, GSI));
	EXPECT_EQ(EBUSY, __irqx_route_set(self->ctx, GSI, entry));
	EXPECT_EQ(1, irqx_stats(self->ctx).irqfds);
	EXPECT_EQ(0, irqx_stats(self->ctx).gsis);
	/* A plain event needs none. */
	EXPECT_EQ(0, __irqx_bind(self->ctx, a.fd, entry));
	EXPECT_EQ(0, __irqx_unbind(self->ctx, a.fd));
	ASSERT_EQ(0, set_ftrace_enabled('1'));

	irqx_assert(__irqx_bind_level(self->ctx, a.fd, a.ack, entry));
	irqx_route_set(self->ctx, GSI, entry);
	EXPECT_EQ(EBUSY, set_ftrace_enabled('0'));
	irqx_fire(a.fd);
	irqx_expect(self->g, 0, PPI, 1);
	irqx_check(self->g);
	/* One for each of the two. */
	EXPECT_EQ(2, irqx_acks(&a, 2));
}

TEST_F(ppi, resample_bad_entries_einval)
{
	int fd = irqx_eventfd(0, 0), ack = irqx_eventfd(0, 0);

	EXPECT_EQ(EINVAL, __irqx_bind_level(self->ctx, fd, ack, ppi_entry(0, 15)));
	EXPECT_EQ(EINVAL, __irqx_bind_level(self->ctx, fd, ack, ppi_entry(2, PPI)));
	EXPECT_EQ(EBUSY, __irqx_bind_level(self->ctx, fd, ack,
					   ppi_entry(0, VTIMER_PPI)));
	EXPECT_EQ(0, irqx_stats(self->ctx).irqfds);
}

TEST_F(ppi, timers_ebusy)
{
	int fd = irqx_eventfd(0, 0);
	uint32_t vcpu;

	for (vcpu = 0; vcpu < 2; vcpu++) {
		EXPECT_EQ(EBUSY, __irqx_bind(self->ctx, fd,
					     ppi_entry(vcpu, VTIMER_PPI)));
		EXPECT_EQ(EBUSY, __irqx_bind(self->ctx, fd,
					     ppi_entry(vcpu, PTIMER_PPI)));
	}
	EXPECT_EQ(EBUSY, __irqx_route_set(self->ctx, GSI,
					  ppi_entry(0, VTIMER_PPI)));
}

/* Their owner shows at the first run only. */
TEST(timers_of_a_new_vcpu_ebusy)
{
	struct irqx_guest *g = irqx_guest_create(1);
	int fd = irqx_eventfd(0, 0);

	EXPECT_EQ(EBUSY, __irqx_bind(g->ctx, fd, ppi_entry(0, VTIMER_PPI)));
	EXPECT_EQ(EBUSY, __irqx_bind(g->ctx, fd, ppi_entry(0, PTIMER_PPI)));
	irqx_guest_free(g);
}

TEST(no_vgic_eagain)
{
	struct kvm_vm *vm = vm_create_barebones();
	int ctx = irqx_context(vm);

	EXPECT_EQ(EAGAIN, __irqx_bind(ctx, irqx_eventfd(0, 0),
				      ppi_entry(0, PPI)));
	close(ctx);
	kvm_vm_free(vm);
}

static void pmu_attr(struct kvm_vcpu *vcpu, uint64_t attr, void *addr)
{
	struct kvm_device_attr device_attr = {
		.group = KVM_ARM_VCPU_PMU_V3_CTRL,
		.attr = attr,
		.addr = (uint64_t)addr,
	};

	vcpu_ioctl(vcpu, KVM_SET_DEVICE_ATTR, &device_attr);
}

static void never_run(void)
{
}

/* A PPI that KVM takes from us gets nothing any more, and one it has, never. */
TEST(pmu_ebusy)
{
	struct kvm_vcpu_init init;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	int ctx, fd = irqx_eventfd(0, 0), irq = PMU_PPI;

	if (!kvm_has_cap(KVM_CAP_ARM_PMU_V3))
		SKIP(return, "no PMU for guests");
	if (irqx_gic_version() != 3)
		SKIP(return, "VGICv3 is brought up here");

	vm = vm_create(1);
	vm_ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init);
	init.features[0] |= 1 << KVM_ARM_VCPU_PSCI_0_2 |
			    1 << KVM_ARM_VCPU_PMU_V3;
	vcpu = aarch64_vcpu_add(vm, 0, &init, never_run);
	close(vgic_v3_setup(vm, 1, 64));
	ctx = irqx_context(vm);

	irqx_bind(ctx, fd, ppi_entry(0, PMU_PPI));
	irqx_fire(fd);
	EXPECT_EQ(0, irqx_stats(ctx).refused);
	pmu_attr(vcpu, KVM_ARM_VCPU_PMU_V3_IRQ, &irq);
	pmu_attr(vcpu, KVM_ARM_VCPU_PMU_V3_INIT, NULL);
	irqx_fire(fd);
	irqx_settle(ctx);
	EXPECT_EQ(1, irqx_stats(ctx).refused);
	EXPECT_EQ(EBUSY, __irqx_modify(ctx, fd, ppi_entry(0, PMU_PPI)));
	EXPECT_EQ(EBUSY, __irqx_bind(ctx, irqx_eventfd(0, 0),
				     ppi_entry(0, PMU_PPI)));
	close(ctx);
	kvm_vm_free(vm);
}

TEST_HARNESS_MAIN

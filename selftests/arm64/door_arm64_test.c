// SPDX-License-Identifier: GPL-2.0
/*
 * Sources of modules of the host that have a level, and their call-back at EOI: SPIs and PPIs.
 * What they do is what an irqfd with a resamplefd does (spi_test, ppi_test).  And LPIs that the
 * guest discards.
 */
#include <pthread.h>

#include "irqx_door.h"
#include "irqx_harness.h"
#include "gic_v3.h"

#define PIN		IRQX_LEVEL_PIN
#define OTHER_PIN	(IRQX_LEVEL_PIN + 1)
#define EDGE_PIN	IRQX_EDGE_PIN

FIXTURE(level)
{
	struct irqx_guest *g;
	int door;
};

FIXTURE_SETUP(level)
{
	self->door = irqx_door_open();
	if (self->door < 0)
		SKIP(return, "selftests/make-variants has not been run");
	self->g = irqx_guest_create(2);
	irqx_guest_start(self->g);
	irqx_door_context(self->door, self->g->ctx);
}

FIXTURE_TEARDOWN(level)
{
	if (self->door < 0)
		return;
	irqx_check(self->g);
	irqx_guest_free(self->g);
	irqx_door_close(self->door);
}

static uint64_t pin_count(struct irqx_guest *g, uint32_t pin)
{
	return irqx_count(g, irqx_pin_vcpu(g, pin), IRQX_SPI(pin));
}

TEST_F(level, eoi_lets_go_and_tells)
{
	uint32_t i;

	irqx_door_create(self->door, irqx_spi_entry(PIN), DOOR_EOI);
	for (i = 0; i < 50; i++) {
		irqx_door_raise(self->door, i % 3, 1);
		irqx_expect(self->g, irqx_pin_vcpu(self->g, PIN), IRQX_SPI(PIN), 1);
		irqx_check(self->g);
		EXPECT_TRUE(irqx_door_wait_eois(self->door, i + 1));
	}
	irqx_door_do(self->door, DOOR_DESTROY);
}

TEST_F(level, raised_again_in_the_call_back)
{
	uint64_t n = irqx_iterations(200, 10000);

	irqx_door_create(self->door, irqx_spi_entry(PIN), DOOR_EOI);
	irqx_door_again(self->door, n);
	irqx_door_raise(self->door, DOOR_HARDIRQ, 1);
	TEST_ASSERT(irqx_wait_until(pin_count(self->g, PIN) >= n + 1, IRQX_TIMEOUT_MS),
		    "%lu interrupts", pin_count(self->g, PIN));
	EXPECT_TRUE(irqx_door_wait_eois(self->door, n + 1));
	irqx_expect(self->g, irqx_pin_vcpu(self->g, PIN), IRQX_SPI(PIN), n + 1);
	irqx_check(self->g);
}

TEST_F(level, held_until_lowered)
{
	enum door_where where;
	uint64_t count = 0;

	irqx_door_create(self->door, irqx_spi_entry(PIN), DOOR_LEVEL);
	for (where = DOOR_TASK; where <= DOOR_RAW; where++) {
		irqx_door_raise(self->door, where, 1);
		TEST_ASSERT(irqx_wait_until(pin_count(self->g, PIN) >= count + 3,
					    IRQX_TIMEOUT_MS), "it is not held");
		irqx_door_lower(self->door, where);
		irqx_settle(self->g->ctx);
		irqx_fence(self->g);
		count = pin_count(self->g, PIN);
		irqx_fence(self->g);
		EXPECT_EQ(count, pin_count(self->g, PIN));
	}
	irqx_forget(self->g);
	EXPECT_EQ(0, irqx_door_ask(self->door, DOOR_EOIS));
}

TEST_F(level, last_word_counts)
{
	uint64_t count;
	uint32_t i;

	irqx_door_create(self->door, irqx_spi_entry(PIN), DOOR_LEVEL);
	for (i = 0; i < 20; i++) {
		irqx_door_toggle(self->door, i % 3, false, 100);
		irqx_settle(self->g->ctx);
		irqx_fence(self->g);
		count = pin_count(self->g, PIN);
		irqx_fence(self->g);
		EXPECT_EQ(count, pin_count(self->g, PIN));
		irqx_door_raise(self->door, i % 3, 1);
		TEST_ASSERT(irqx_wait_until(pin_count(self->g, PIN) >= count + 3,
					    IRQX_TIMEOUT_MS), "it is not held");
		irqx_door_lower(self->door, (i + 1) % 3);
	}
	irqx_settle(self->g->ctx);
	irqx_fence(self->g);
	irqx_forget(self->g);
}

/* Raised and lowered while it is masked, and let go in between. */
TEST_F(level, masked)
{
	uint64_t count;

	irqx_door_create(self->door, irqx_spi_entry(PIN), DOOR_LEVEL | DOOR_MASKED);
	irqx_door_raise(self->door, DOOR_HARDIRQ, 1);
	TEST_ASSERT(irqx_wait_until(irqx_door_ask(self->door, DOOR_STATE) ==
				    (KVM_IRQX_STATE_MASKED | KVM_IRQX_STATE_PENDING),
				    IRQX_TIMEOUT_MS), "not pending");
	EXPECT_EQ(0, pin_count(self->g, PIN));
	irqx_door_mask(self->door, false);
	TEST_ASSERT(irqx_wait_until(pin_count(self->g, PIN) >= 3, IRQX_TIMEOUT_MS),
		    "it is not held");
	irqx_door_mask(self->door, true);
	irqx_door_lower(self->door, DOOR_HARDIRQ);
	irqx_door_mask(self->door, false);
	irqx_settle(self->g->ctx);
	irqx_fence(self->g);
	count = pin_count(self->g, PIN);
	irqx_fence(self->g);
	EXPECT_EQ(count, pin_count(self->g, PIN));
	irqx_forget(self->g);
}

TEST_F(level, moved_with_its_level)
{
	uint64_t count;

	irqx_door_create(self->door, irqx_spi_entry(PIN), DOOR_LEVEL);
	irqx_door_raise(self->door, DOOR_RAW, 1);
	TEST_ASSERT(irqx_wait_until(pin_count(self->g, PIN) >= 3, IRQX_TIMEOUT_MS),
		    "it is not held");
	irqx_door_move(self->door, irqx_spi_entry(OTHER_PIN));
	TEST_ASSERT(irqx_wait_until(pin_count(self->g, OTHER_PIN) >= 3, IRQX_TIMEOUT_MS),
		    "it is not held");
	count = pin_count(self->g, PIN);
	irqx_door_lower(self->door, DOOR_HARDIRQ);
	irqx_settle(self->g->ctx);
	irqx_fence(self->g);
	EXPECT_GE(count + 1, pin_count(self->g, PIN));
	irqx_forget(self->g);
}

TEST_F(level, edge)
{
	uint32_t i;

	irqx_door_create(self->door, irqx_spi_entry(EDGE_PIN), 0);
	for (i = 0; i < 50; i++) {
		irqx_door_raise(self->door, i % 3, 1);
		irqx_expect(self->g, irqx_pin_vcpu(self->g, EDGE_PIN), IRQX_SPI(EDGE_PIN), 1);
		irqx_check(self->g);
	}
}

TEST_F_TIMEOUT(level, ends_under_fire, 120)
{
	uint32_t i, n = irqx_iterations(20, 500);

	for (i = 0; i < n; i++)
		irqx_door_ends_in_storm(self->door, self->g, irqx_spi_entry(PIN), i);
	irqx_fence(self->g);
	irqx_forget(self->g);
}

/* ---- PPIs ---- */

#define PPI		17
#define OTHER_PPI	18

static struct kvm_irq_routing_entry ppi_entry(uint32_t vcpu, uint32_t intid)
{
	return (struct kvm_irq_routing_entry){
		.type = KVM_IRQX_ROUTING_PPI,
		.u.irqchip = { .irqchip = vcpu, .pin = intid },
	};
}

static void ppi_enable(struct irqx_guest *g, uint32_t vcpu, uint32_t intid)
{
	uint64_t gpa = g->arch.gic_version == 2 ? GICD_BASE_GPA :
		       GICR_BASE_GPA + (2 * vcpu + 1) * SZ_64K;

	/* Below that of operations, which VGICv2 does not do by itself. */
	irqx_do(g, vcpu, IRQX_OP_WRITEL, gpa + GICD_IPRIORITYR + (intid & ~3), 0xa0a0a0a0);
	irqx_do(g, vcpu, IRQX_OP_WRITEL, gpa + GICD_ISENABLER, 1U << intid);
}

FIXTURE(ppi)
{
	struct irqx_guest *g;
	int door;
};

FIXTURE_SETUP(ppi)
{
	uint32_t vcpu;

	self->door = irqx_door_open();
	if (self->door < 0)
		SKIP(return, "selftests/make-variants has not been run");
	self->g = irqx_guest_create(2);
	irqx_guest_start(self->g);
	for (vcpu = 0; vcpu < 2; vcpu++) {
		ppi_enable(self->g, vcpu, PPI);
		ppi_enable(self->g, vcpu, OTHER_PPI);
	}
	irqx_door_context(self->door, self->g->ctx);
}

FIXTURE_TEARDOWN(ppi)
{
	if (self->door < 0)
		return;
	irqx_check(self->g);
	irqx_guest_free(self->g);
	irqx_door_close(self->door);
}

/* Without a level each is an event. */
TEST_F(ppi, events)
{
	uint32_t i;

	irqx_door_create(self->door, ppi_entry(1, PPI), 0);
	for (i = 0; i < 50; i++) {
		irqx_door_raise(self->door, i % 3, 1);
		irqx_expect(self->g, i % 2 ? 0 : 1, i % 2 ? OTHER_PPI : PPI, 1);
		irqx_settle(self->g->ctx);
		irqx_check(self->g);
		irqx_door_move(self->door, i % 2 ? ppi_entry(1, PPI) : ppi_entry(0, OTHER_PPI));
	}
	EXPECT_EQ(0, irqx_stats(self->g->ctx).refused);
}

TEST_F(ppi, eoi_lets_go_and_tells)
{
	uint32_t i;

	irqx_door_create(self->door, ppi_entry(1, PPI), DOOR_EOI);
	for (i = 0; i < 50; i++) {
		irqx_door_raise(self->door, i % 3, 1);
		irqx_expect(self->g, 1, PPI, 1);
		irqx_settle(self->g->ctx);
		irqx_check(self->g);
		EXPECT_TRUE(irqx_door_wait_eois(self->door, i + 1));
	}
	irqx_door_do(self->door, DOOR_DESTROY);
}

TEST_F(ppi, raised_again_in_the_call_back)
{
	uint64_t n = irqx_iterations(200, 10000);

	irqx_door_create(self->door, ppi_entry(0, PPI), DOOR_EOI);
	irqx_door_again(self->door, n);
	irqx_door_raise(self->door, DOOR_HARDIRQ, 1);
	irqx_wait_count(self->g, 0, PPI, n + 1);
	EXPECT_TRUE(irqx_door_wait_eois(self->door, n + 1));
	irqx_expect(self->g, 0, PPI, n + 1);
	irqx_check(self->g);
}

TEST_F(ppi, held_until_lowered)
{
	enum door_where where;
	uint64_t count = 0;

	irqx_door_create(self->door, ppi_entry(1, PPI), DOOR_LEVEL);
	for (where = DOOR_TASK; where <= DOOR_RAW; where++) {
		irqx_door_raise(self->door, where, 1);
		irqx_wait_count(self->g, 1, PPI, count + 3);
		irqx_door_lower(self->door, where);
		irqx_settle(self->g->ctx);
		irqx_fence(self->g);
		count = irqx_count(self->g, 1, PPI);
		irqx_fence(self->g);
		EXPECT_EQ(count, irqx_count(self->g, 1, PPI));
	}
	irqx_forget(self->g);
	EXPECT_EQ(0, irqx_door_ask(self->door, DOOR_EOIS));
}

/* It holds one PPI of one vCPU, and then another one of another. */
TEST_F(ppi, moved_with_its_level)
{
	uint64_t count;

	irqx_door_create(self->door, ppi_entry(0, PPI), DOOR_LEVEL);
	irqx_door_raise(self->door, DOOR_RAW, 1);
	irqx_wait_count(self->g, 0, PPI, 3);
	irqx_door_move(self->door, ppi_entry(1, OTHER_PPI));
	count = irqx_count(self->g, 0, PPI);
	irqx_wait_count(self->g, 1, OTHER_PPI, 3);
	irqx_door_lower(self->door, DOOR_HARDIRQ);
	irqx_settle(self->g->ctx);
	irqx_fence(self->g);
	EXPECT_GE(count + 1, irqx_count(self->g, 0, PPI));
	count = irqx_count(self->g, 1, OTHER_PPI);
	irqx_fence(self->g);
	EXPECT_EQ(count, irqx_count(self->g, 1, OTHER_PPI));
	irqx_forget(self->g);
}

TEST_F_TIMEOUT(ppi, ends_under_fire, 120)
{
	uint32_t i, n = irqx_iterations(20, 500);

	for (i = 0; i < n; i++)
		irqx_door_ends_in_storm(self->door, self->g, ppi_entry(i % 2, PPI), i);
	irqx_fence(self->g);
	irqx_forget(self->g);
}

/* ---- LPIs ---- */

#define LPI	0x50

struct fire {
	int door;
	bool stop;
	uint64_t fired;
	pthread_t thread;
};

static void *fire(void *arg)
{
	struct fire *f = arg;

	while (!READ_ONCE(f->stop)) {
		irqx_door_raise(f->door, f->fired % 3, 1);
		WRITE_ONCE(f->fired, f->fired + 1);
	}
	return NULL;
}

static void wait_fired(struct fire *f, uint64_t n)
{
	uint64_t fired = READ_ONCE(f->fired);

	TEST_ASSERT(irqx_wait_until(READ_ONCE(f->fired) > fired + n, IRQX_TIMEOUT_MS),
		    "nothing is raised");
}

/*
 * The guest discards the LPI, and maps it again, while it is raised in each context: nothing comes
 * of what is raised meanwhile, nothing is refused, and it comes again afterwards.
 */
TEST_F_TIMEOUT(level, lpi_discarded_under_fire, 120)
{
	uint64_t i, n = irqx_iterations(60, 2000), count;
	struct fire f = { .door = self->door };
	struct irqx_guest *g = self->g;

	if (irqx_gic_version() != 3)
		SKIP(return, "VGICv2 has no ITS");
	irqx_door_create(self->door, irqx_entry(g, 0, LPI), 0);
	pthread_create(&f.thread, NULL, fire, &f);
	for (i = 0; i < n; i++) {
		count = irqx_count(g, 0, LPI);
		TEST_ASSERT(__irqx_wait_count(g, 0, LPI, count + 1),
			    "it has not come back, round %lu", i);
		irqx_its_discard(g, 0, LPI);
		/* What was being raised before that, and then what vCPU 0 had been given. */
		wait_fired(&f, 1);
		irqx_settle(g->ctx);
		irqx_fence(g);
		count = irqx_count(g, 0, LPI);
		wait_fired(&f, 10);
		irqx_fence(g);
		EXPECT_EQ(count, irqx_count(g, 0, LPI));
		irqx_its_map(g, 0, LPI);
	}
	WRITE_ONCE(f.stop, true);
	pthread_join(f.thread, NULL);
	irqx_settle(g->ctx);
	irqx_fence(g);
	EXPECT_GE(f.fired, irqx_total(g));
	EXPECT_EQ(f.fired, irqx_stats(g->ctx).events);
	EXPECT_EQ(0, irqx_stats(g->ctx).refused);
	irqx_forget(g);
	irqx_door_raise(self->door, DOOR_HARDIRQ, 1);
	irqx_expect(g, 0, LPI, 1);
	irqx_settle(g->ctx);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * Sources of modules of the host that have a level, and their call-back at EOI: SPIs.  What they
 * do is what an irqfd with a resamplefd does (spi_test).
 */
#include "irqx_door.h"
#include "irqx_harness.h"

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

TEST_HARNESS_MAIN

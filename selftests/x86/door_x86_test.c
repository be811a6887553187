// SPDX-License-Identifier: GPL-2.0
/*
 * Sources of modules of the host that have a level, and their call-back at EOI: pins of the IOAPIC,
 * SINTs, level-triggered MSIs of a split irqchip.  What they do is what an irqfd with a resamplefd
 * does (level_test, synic_test, split_test).  And Xen event channels.
 */
#include "irqx_door.h"
#include "irqx_harness.h"
#include "irqx_level.h"
#include "irqx_split.h"
#include "irqx_synic.h"
#include "irqx_xen.h"

#define PIN		20
#define OTHER_PIN	21
#define VECTOR		0x60
#define OTHER_VECTOR	0x71
#define GSI		1000

static struct kvm_irq_routing_entry ioapic(uint32_t pin)
{
	return irqx_pin_entry(KVM_IRQCHIP_IOAPIC, pin);
}

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
	self->g = irqx_level_guest(2);
	irqx_guest_start(self->g);
	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_pin_level(self->g, OTHER_PIN, OTHER_VECTOR);
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

static bool wait_pin(struct irqx_guest *g, uint32_t pin, bool up)
{
	return irqx_wait_until(irqx_pin_is_up(g->vm, pin) == up, IRQX_TIMEOUT_MS);
}

TEST_F(level, eoi_lets_go_and_tells)
{
	uint32_t i;

	irqx_door_create(self->door, ioapic(PIN), DOOR_EOI);
	for (i = 0; i < 50; i++) {
		irqx_door_raise(self->door, i % 3, 1);
		irqx_expect(self->g, 0, VECTOR, 1);
		irqx_check(self->g);
		EXPECT_TRUE(irqx_door_wait_eois(self->door, i + 1));
		EXPECT_TRUE(wait_pin(self->g, PIN, false));
	}
	irqx_door_do(self->door, DOOR_DESTROY);
}

/* As a device that still wants service. */
TEST_F(level, raised_again_in_the_call_back)
{
	uint64_t n = irqx_iterations(200, 10000);

	irqx_door_create(self->door, ioapic(PIN), DOOR_EOI);
	irqx_door_again(self->door, n);
	irqx_door_raise(self->door, DOOR_HARDIRQ, 1);
	irqx_wait_count(self->g, 0, VECTOR, n + 1);
	irqx_expect(self->g, 0, VECTOR, n + 1);
	irqx_check(self->g);
	EXPECT_TRUE(irqx_door_wait_eois(self->door, n + 1));
	EXPECT_TRUE(wait_pin(self->g, PIN, false));
}

/* Without a call-back it holds until it is lowered: EOIs of others do not make it let go. */
TEST_F(level, held_until_lowered)
{
	enum door_where where;
	uint64_t count = 0;

	irqx_door_create(self->door, ioapic(PIN), DOOR_LEVEL);
	for (where = DOOR_TASK; where <= DOOR_RAW; where++) {
		irqx_door_raise(self->door, where, 1);
		/* It comes again after each EOI. */
		irqx_wait_count(self->g, 0, VECTOR, count + 3);
		irqx_door_lower(self->door, where);
		EXPECT_TRUE(wait_pin(self->g, PIN, false));
		irqx_fence(self->g);
		count = irqx_count(self->g, 0, VECTOR);
	}
	irqx_forget(self->g);
	irqx_fence(self->g);
	irqx_check(self->g);
	/* Nobody has heard of an EOI. */
	EXPECT_EQ(0, irqx_door_ask(self->door, DOOR_EOIS));
}

/* Lowered before the guest has seen it, or raised again at once: the last word counts. */
TEST_F(level, last_word_counts)
{
	uint32_t i;

	irqx_pin_mask(self->g, PIN, true);
	irqx_door_create(self->door, ioapic(PIN), DOOR_LEVEL);
	for (i = 0; i < 20; i++) {
		irqx_door_toggle(self->door, i % 3, false, 100);
		EXPECT_TRUE(wait_pin(self->g, PIN, false));
		irqx_settle(self->g->ctx);
		EXPECT_FALSE(irqx_pin_is_up(self->g->vm, PIN));
		irqx_door_lower(self->door, (i + 1) % 3);
		irqx_door_raise(self->door, i % 3, 1);
		EXPECT_TRUE(wait_pin(self->g, PIN, true));
		irqx_settle(self->g->ctx);
		EXPECT_TRUE(irqx_pin_is_up(self->g->vm, PIN));
	}
	irqx_door_do(self->door, DOOR_DESTROY);
	EXPECT_FALSE(irqx_pin_is_up(self->g->vm, PIN));
}

/* It shares the pin with an irqfd and KVM_IRQ_LINE. */
TEST_F(level, shared)
{
	struct irqx_level other = irqx_level_direct(self->g->ctx, ioapic(PIN));

	irqx_pin_mask(self->g, PIN, true);
	irqx_route_set(self->g->ctx, GSI, ioapic(PIN));
	irqx_door_create(self->door, ioapic(PIN), DOOR_LEVEL);
	irqx_door_raise(self->door, DOOR_TASK, 1);
	irqx_irq_line(self->g->ctx, GSI, 1);
	irqx_fire(other.fd);
	EXPECT_TRUE(wait_pin(self->g, PIN, true));
	irqx_irq_line(self->g->ctx, GSI, 0);
	irqx_unbind(self->g->ctx, other.fd);
	irqx_settle(self->g->ctx);
	EXPECT_TRUE(irqx_pin_is_up(self->g->vm, PIN));
	irqx_door_lower(self->door, DOOR_HARDIRQ);
	EXPECT_TRUE(wait_pin(self->g, PIN, false));
	irqx_level_close(&other);
}

TEST_F(level, moved_with_its_level)
{
	irqx_pin_mask(self->g, PIN, true);
	irqx_pin_mask(self->g, OTHER_PIN, true);
	irqx_door_create(self->door, ioapic(PIN), DOOR_LEVEL);
	irqx_door_raise(self->door, DOOR_RAW, 1);
	EXPECT_TRUE(wait_pin(self->g, PIN, true));
	irqx_door_move(self->door, ioapic(OTHER_PIN));
	EXPECT_FALSE(irqx_pin_is_up(self->g->vm, PIN));
	EXPECT_TRUE(irqx_pin_is_up(self->g->vm, OTHER_PIN));
	/* There is nothing that would hold it up there. */
	EXPECT_EQ(EINVAL, __irqx_door_move(self->door, irqx_entry(self->g, 0, VECTOR)));
	EXPECT_TRUE(irqx_pin_is_up(self->g->vm, OTHER_PIN));
	irqx_door_lower(self->door, DOOR_TASK);
	EXPECT_TRUE(wait_pin(self->g, OTHER_PIN, false));
}

/* A masked one keeps its level, and drives nothing. */
TEST_F(level, masked)
{
	irqx_pin_mask(self->g, PIN, true);
	irqx_door_create(self->door, ioapic(PIN), DOOR_LEVEL | DOOR_MASKED);
	irqx_door_raise(self->door, DOOR_HARDIRQ, 1);
	TEST_ASSERT(irqx_wait_until(irqx_door_ask(self->door, DOOR_STATE) ==
				    (KVM_IRQX_STATE_MASKED | KVM_IRQX_STATE_PENDING),
				    IRQX_TIMEOUT_MS), "not pending");
	EXPECT_FALSE(irqx_pin_is_up(self->g->vm, PIN));
	irqx_door_mask(self->door, false);
	EXPECT_TRUE(wait_pin(self->g, PIN, true));
	irqx_door_mask(self->door, true);
	EXPECT_FALSE(irqx_pin_is_up(self->g->vm, PIN));
	irqx_door_lower(self->door, DOOR_HARDIRQ);
	TEST_ASSERT(irqx_wait_until(irqx_door_ask(self->door, DOOR_STATE) ==
				    KVM_IRQX_STATE_MASKED, IRQX_TIMEOUT_MS), "pending");
	irqx_door_mask(self->door, false);
	irqx_settle(self->g->ctx);
	EXPECT_FALSE(irqx_pin_is_up(self->g->vm, PIN));
}

/* So too where a worker notes it down, which comes when both have been said. */
TEST_F(level, last_word_counts_while_masked)
{
	uint32_t i;

	irqx_pin_mask(self->g, PIN, true);
	irqx_door_create(self->door, ioapic(PIN), DOOR_LEVEL | DOOR_MASKED);
	for (i = 0; i < 30; i++) {
		irqx_door_toggle(self->door, i % 3, i % 2, 1 + i / 10);
		irqx_settle(self->g->ctx);
		EXPECT_TRUE(irqx_wait_until(irqx_door_ask(self->door, DOOR_STATE) ==
					    (KVM_IRQX_STATE_MASKED |
					     (i % 2 ? KVM_IRQX_STATE_PENDING : 0)), 1000));
		irqx_door_mask(self->door, false);
		EXPECT_TRUE(wait_pin(self->g, PIN, i % 2));
		irqx_settle(self->g->ctx);
		EXPECT_EQ(irqx_pin_is_up(self->g->vm, PIN), i % 2);
		irqx_door_mask(self->door, true);
		EXPECT_FALSE(irqx_pin_is_up(self->g->vm, PIN));
	}
}

/* Its end lowers it, and that of the context; then nothing is raised or told any more. */
TEST_F(level, ends_high)
{
	int ctx = irqx_context(self->g->vm);

	irqx_pin_mask(self->g, PIN, true);
	irqx_door_create(self->door, ioapic(PIN), DOOR_EOI);
	irqx_door_raise(self->door, DOOR_TASK, 1);
	EXPECT_TRUE(wait_pin(self->g, PIN, true));
	irqx_door_do(self->door, DOOR_DESTROY);
	EXPECT_FALSE(irqx_pin_is_up(self->g->vm, PIN));

	irqx_door_context(self->door, ctx);
	irqx_door_create(self->door, ioapic(PIN), DOOR_EOI);
	irqx_door_raise(self->door, DOOR_TASK, 1);
	EXPECT_TRUE(wait_pin(self->g, PIN, true));
	close(ctx);
	EXPECT_FALSE(irqx_pin_is_up(self->g->vm, PIN));
	EXPECT_EQ(ENODEV, __irqx_door_raise(self->door, DOOR_HARDIRQ, 1));
	EXPECT_EQ(ENODEV, __irqx_door_lower(self->door, DOOR_HARDIRQ));
	irqx_settle(self->g->ctx);
	EXPECT_FALSE(irqx_pin_is_up(self->g->vm, PIN));
	irqx_door_do(self->door, DOOR_DESTROY);
}

/* While its call-back raises it again and again. */
TEST_F_TIMEOUT(level, ends_under_fire, 120)
{
	uint32_t i, n = irqx_iterations(20, 500);

	for (i = 0; i < n; i++) {
		irqx_door_ends_in_storm(self->door, self->g, ioapic(PIN), i);
		EXPECT_FALSE(irqx_pin_is_up(self->g->vm, PIN));
	}
	irqx_forget(self->g);
}

/* ---- SINTs: they have an EOI, and no level to be seen ---- */

#define SINT		5
#define SINT_VECTOR	(IRQX_SINT_VECTOR + SINT)
#define OTHER_SINT	9

FIXTURE(sint)
{
	struct irqx_synic *s;
	struct irqx_guest *g;
	int door;
};

FIXTURE_SETUP(sint)
{
	self->door = irqx_door_open();
	if (self->door < 0)
		SKIP(return, "selftests/make-variants has not been run");
	self->s = irqx_synic_create(2, 0);
	self->g = self->s->g;
	irqx_synic_start(self->s);
	irqx_sint_set_all(self->s, 0);
	irqx_door_context(self->door, self->g->ctx);
}

FIXTURE_TEARDOWN(sint)
{
	if (self->door < 0)
		return;
	irqx_check(self->g);
	irqx_synic_free(self->s);
	irqx_door_close(self->door);
}

TEST_F(sint, eoi_tells)
{
	uint32_t i;

	irqx_door_create(self->door, irqx_sint_entry(1, SINT), DOOR_EOI);
	for (i = 0; i < 50; i++) {
		irqx_door_raise(self->door, i % 3, 1);
		irqx_expect(self->g, 1, SINT_VECTOR, 1);
		irqx_settle(self->g->ctx);
		irqx_check(self->g);
		EXPECT_TRUE(irqx_door_wait_eois(self->door, i + 1));
	}
	EXPECT_EQ(0, irqx_stats(self->g->ctx).refused);
	irqx_door_do(self->door, DOOR_DESTROY);
}

TEST_F(sint, raised_again_in_the_call_back)
{
	uint64_t n = irqx_iterations(200, 10000);

	irqx_door_create(self->door, irqx_sint_entry(0, SINT), DOOR_EOI);
	irqx_door_again(self->door, n);
	irqx_door_raise(self->door, DOOR_HARDIRQ, 1);
	irqx_wait_count(self->g, 0, SINT_VECTOR, n + 1);
	irqx_expect(self->g, 0, SINT_VECTOR, n + 1);
	irqx_settle(self->g->ctx);
	irqx_check(self->g);
	EXPECT_TRUE(irqx_door_wait_eois(self->door, n + 1));
}

/* It is told at once when it leaves, since the EOI of what it has left is not for it. */
TEST_F(sint, moved)
{
	uint32_t i;

	irqx_door_create(self->door, irqx_sint_entry(0, SINT), DOOR_EOI);
	for (i = 0; i < 20; i++) {
		irqx_door_raise(self->door, i % 3, 1);
		irqx_expect(self->g, i % 2, i % 2 ? IRQX_SINT_VECTOR + OTHER_SINT : SINT_VECTOR, 1);
		irqx_settle(self->g->ctx);
		irqx_check(self->g);
		EXPECT_TRUE(irqx_door_wait_eois(self->door, 2 * i + 1));
		irqx_door_move(self->door, i % 2 ? irqx_sint_entry(0, SINT) :
						   irqx_sint_entry(1, OTHER_SINT));
		EXPECT_EQ(2 * i + 2, irqx_door_ask(self->door, DOOR_EOIS));
		irqx_eom(self->s, i % 2);
		EXPECT_EQ(2 * i + 2, irqx_door_ask(self->door, DOOR_EOIS));
	}
}

TEST_F(sint, masked)
{
	irqx_door_create(self->door, irqx_sint_entry(0, SINT), DOOR_EOI | DOOR_MASKED);
	irqx_door_raise(self->door, DOOR_HARDIRQ, 3);
	EXPECT_TRUE(irqx_wait_until(irqx_door_ask(self->door, DOOR_STATE) ==
				    (KVM_IRQX_STATE_MASKED | KVM_IRQX_STATE_PENDING),
				    IRQX_TIMEOUT_MS));
	irqx_fence(self->g);
	EXPECT_EQ(0, irqx_total(self->g));
	irqx_door_mask(self->door, false);
	irqx_expect(self->g, 0, SINT_VECTOR, 1);
	irqx_settle(self->g->ctx);
	irqx_check(self->g);
	EXPECT_TRUE(irqx_door_wait_eois(self->door, 1));
	/* There is nothing to hold up. */
	irqx_door_do(self->door, DOOR_DESTROY);
	EXPECT_EQ(EINVAL, __irqx_door_create(self->door, irqx_sint_entry(0, SINT), DOOR_LEVEL));
}

TEST_F_TIMEOUT(sint, ends_under_fire, 120)
{
	uint32_t i, n = irqx_iterations(20, 500);

	for (i = 0; i < n; i++)
		irqx_door_ends_in_storm(self->door, self->g, irqx_sint_entry(i % 2, SINT), i);
	irqx_forget(self->g);
}

/* ---- level-triggered MSIs ---- */

FIXTURE(split)
{
	struct irqx_split s;
	int ctx;
	int door;
};

FIXTURE_SETUP(split)
{
	self->door = irqx_door_open();
	if (self->door < 0)
		SKIP(return, "selftests/make-variants has not been run");
	irqx_split_create(&self->s, IRQX_SPLIT_VCPUS, IRQX_SPLIT_ROWS);
	self->ctx = irqx_context(self->s.vm);
	irqx_door_context(self->door, self->ctx);
	irqx_split_start(&self->s);
}

FIXTURE_TEARDOWN(split)
{
	if (self->door < 0)
		return;
	irqx_split_stop(&self->s);
	close(self->ctx);
	irqx_split_free(&self->s);
	irqx_door_close(self->door);
}

TEST_F(split, eoi_tells)
{
	uint32_t i;

	irqx_door_create(self->door, irqx_split_entry(1, VECTOR), DOOR_EOI);
	for (i = 1; i <= 50; i++) {
		irqx_door_raise(self->door, i % 3, 1);
		ASSERT_TRUE(irqx_door_wait_eois(self->door, i));
		EXPECT_EQ(i, irqx_split_count(&self->s, 1, VECTOR));
	}
	EXPECT_EQ(0, irqx_stats(self->ctx).refused);
	irqx_door_do(self->door, DOOR_DESTROY);
	/* As an irqfd: an edge has no EOI, and neither has a level to hold it up. */
	EXPECT_EQ(EINVAL, __irqx_door_create(self->door,
					     irqx_msi_entry((struct irqx_msi){ .vector = VECTOR }),
					     DOOR_EOI));
	EXPECT_EQ(EINVAL, __irqx_door_create(self->door, irqx_split_entry(1, VECTOR), DOOR_LEVEL));
}

TEST_F(split, raised_again_in_the_call_back)
{
	uint64_t n = irqx_iterations(200, 10000);

	irqx_door_create(self->door, irqx_split_entry(0, VECTOR), DOOR_EOI);
	irqx_door_again(self->door, n);
	irqx_door_raise(self->door, DOOR_HARDIRQ, 1);
	EXPECT_TRUE(irqx_door_wait_eois(self->door, n + 1));
	EXPECT_EQ(n + 1, irqx_split_count(&self->s, 0, VECTOR));
}

/* It is told at once, by the call that moves it. */
TEST_F(split, moved_while_in_service)
{
	irqx_door_create(self->door, irqx_split_entry(0, VECTOR), DOOR_EOI);
	irqx_split_how(&self->s, 0, IRQX_SPLIT_HOLDS);
	irqx_door_raise(self->door, DOOR_TASK, 1);
	ASSERT_TRUE(irqx_wait_until(irqx_split_count(&self->s, 0, VECTOR) == 1,
				    IRQX_TIMEOUT_MS));
	irqx_door_move(self->door, irqx_split_entry(1, OTHER_VECTOR));
	EXPECT_EQ(1, irqx_door_ask(self->door, DOOR_EOIS));
	irqx_split_how(&self->s, 0, 0);
	irqx_door_raise(self->door, DOOR_RAW, 1);
	EXPECT_TRUE(irqx_door_wait_eois(self->door, 2));
	EXPECT_EQ(1, irqx_split_count(&self->s, 1, OTHER_VECTOR));
	EXPECT_EQ(1, irqx_split_count(&self->s, 0, VECTOR));
}

TEST_F_TIMEOUT(split, ends_under_fire, 120)
{
	uint32_t i, n = irqx_iterations(20, 500);
	uint64_t eois;

	for (i = 0; i < n; i++) {
		eois = irqx_door_ask(self->door, DOOR_EOIS);
		irqx_door_create(self->door, irqx_split_entry(i % 2, VECTOR), DOOR_EOI);
		irqx_door_again(self->door, UINT32_MAX);
		irqx_door_raise(self->door, i % 3, 1);
		TEST_ASSERT(irqx_wait_until(irqx_door_ask(self->door, DOOR_EOIS) > eois + 20,
					    IRQX_TIMEOUT_MS), "no storm");
		irqx_door_do(self->door, DOOR_DESTROY);
		eois = irqx_door_ask(self->door, DOOR_EOIS);
		usleep(2000);
		EXPECT_EQ(eois, irqx_door_ask(self->door, DOOR_EOIS));
	}
}

/* ---- Xen event channels: an event, in memory that may have to be looked up ---- */

TEST(xen_event_channel)
{
	struct kvm_irq_routing_entry entry = irqx_xen_entry(1, IRQX_XEN_PORT);
	struct kvm_irq_routing_entry other = irqx_xen_entry(1, IRQX_XEN_PORT + 1);
	struct irqx_guest *g;
	uint64_t i;
	int door;

	door = irqx_door_open();
	if (door < 0)
		SKIP(return, "selftests/make-variants has not been run");
	g = irqx_guest_create(2);
	irqx_door_context(door, g->ctx);
	if (!(irqx_info(g->ctx).features & KVM_IRQX_FEATURE_XEN_EVTCHN)) {
		EXPECT_EQ(EINVAL, __irqx_door_create(door, entry, 0));
		irqx_guest_free(g);
		irqx_door_close(door);
		SKIP(return, "this kernel's KVM has no Xen emulation");
	}
	irqx_xen_init(g);
	irqx_guest_start(g);
	EXPECT_EQ(EINVAL, __irqx_door_create(door, entry, DOOR_EOI));
	EXPECT_EQ(EINVAL, __irqx_door_create(door, entry, DOOR_LEVEL));
	irqx_door_create(door, entry, 0);
	for (i = 1; i <= 50; i++) {
		irqx_door_raise(door, i % 3, 1);
		ASSERT_TRUE(irqx_wait_until(irqx_xen_events(g, IRQX_XEN_PORT) == i,
					    IRQX_TIMEOUT_MS));
	}
	irqx_door_mask(door, true);
	irqx_door_raise(door, DOOR_HARDIRQ, 3);
	EXPECT_TRUE(irqx_wait_until(irqx_door_ask(door, DOOR_STATE) ==
				    (KVM_IRQX_STATE_MASKED | KVM_IRQX_STATE_PENDING),
				    IRQX_TIMEOUT_MS));
	irqx_fence(g);
	EXPECT_EQ(50, irqx_xen_events(g, IRQX_XEN_PORT));
	irqx_door_move(door, other);
	irqx_door_mask(door, false);
	EXPECT_TRUE(irqx_wait_until(irqx_xen_events(g, IRQX_XEN_PORT + 1) == 1, IRQX_TIMEOUT_MS));
	irqx_settle(g->ctx);
	EXPECT_EQ(50, irqx_xen_events(g, IRQX_XEN_PORT));
	EXPECT_EQ(0, irqx_stats(g->ctx).refused);
	/* What ends with the context. */
	irqx_guest_free(g);
	EXPECT_EQ(ENODEV, __irqx_door_raise(door, DOOR_RAW, 1));
	irqx_door_close(door);
}

TEST_HARNESS_MAIN

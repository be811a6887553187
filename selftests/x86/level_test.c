// SPDX-License-Identifier: GPL-2.0
/*
 * Level-triggered interrupts: pins of the IOAPIC and the PIC, what holds them
 * up, and the EOIs that reach their resamplefds.
 */
#include <fcntl.h>

#include "irqx_level.h"
#include "irqx_trace.h"
#include "irqx_harness.h"

#define PIN		20
#define OTHER_PIN	21
#define VECTOR		0x60
#define OTHER_VECTOR	0x71
/* Of a context's own; no pin has this number. */
#define GSI		1000
/* Pins of the PIC that its ELCR lets be level-triggered. */
#define PIC_LEVEL	0xdef8

static struct kvm_irq_routing_entry ioapic(uint32_t pin)
{
	return irqx_pin_entry(KVM_IRQCHIP_IOAPIC, pin);
}

static void wait_up(struct irqx_guest *g, uint32_t pin)
{
	irqx_settle(g->ctx);
	TEST_ASSERT(irqx_pin_is_up(g->vm, pin), "pin %u is down", pin);
}

/*
 * The guest has unmasked a pin that is up.  As KVM's resampler from 6.4 on (its commit
 * fef8f2b90edb), the device is asked instead, and here still wants service.
 */
static void asked_and_asserts(struct irqx_level *level)
{
	uint64_t acks = level->acks + 1, got;

	if (!irqx_kernel_since(6, 4))
		return;
	got = irqx_acks(level, acks);
	TEST_ASSERT(got == acks, "asked %ld times", got - acks + 1);
	/* It was no EOI. */
	level->acks--;
	irqx_fire(level->fd);
}

/* The handler of @vector holds it, for the @n-th time since the beginning. */
static void wait_in_service(struct irqx_guest *g, uint32_t vector, uint64_t n)
{
	irqx_settle(g->ctx);
	irqx_wait_count(g, 0, vector, n);
}

/* One event is one interrupt and one EOI, and leaves the pin low. */
static void cycle(struct irqx_guest *g, struct irqx_level *level, uint32_t pin,
		  uint32_t vector)
{
	uint64_t acks = level->acks + 1, got;

	irqx_fire(level->fd);
	irqx_expect(g, 0, vector, 1);
	irqx_check(g);
	got = irqx_acks(level, acks);
	TEST_ASSERT(got == acks, "%lu EOIs, not %lu", got, acks);
	TEST_ASSERT(!irqx_pin_is_up(g->vm, pin), "pin %u is up", pin);
}

/* KVM's own table: GSI @gsi + n for pin n, all or, without @nr, none. */
static void set_kvm_table(struct kvm_vm *vm, uint32_t gsi, uint32_t nr)
{
	struct kvm_irq_routing_entry table[KVM_IOAPIC_NUM_PINS];
	uint32_t i;

	for (i = 0; i < nr; i++) {
		table[i] = ioapic(i);
		table[i].gsi = gsi + i;
	}
	irqx_set_gsi_routing(vm->fd, table, nr);
}

/*
 * Whatever the way to the pin
 */

FIXTURE(source) {
	struct irqx_guest *g;
	struct kvm_vm *vm;
	int ctx;
};

FIXTURE_VARIANT(source) {
	bool direct;
};

FIXTURE_VARIANT_ADD(source, direct) {
	.direct = true,
};

FIXTURE_VARIANT_ADD(source, gsi) {
	.direct = false,
};

FIXTURE_SETUP(source)
{
	self->g = irqx_level_guest(2);
	self->vm = self->g->vm;
	self->ctx = self->g->ctx;
}

FIXTURE_TEARDOWN(source)
{
	irqx_check(self->g);
	EXPECT_EQ(0, irqx_ioapic_irr(self->vm));
	irqx_guest_free(self->g);
}

static struct irqx_level connect_to(int ctx, bool direct, uint32_t pin)
{
	if (direct)
		return irqx_level_direct(ctx, ioapic(pin));
	irqx_route_set(ctx, GSI + pin, ioapic(pin));
	return irqx_level_gsi(ctx, GSI + pin);
}

#define bound(pin)	connect_to(self->ctx, variant->direct, pin)

/* All pins, the RTC's among them; three times each. */
TEST_F(source, cycle)
{
	struct irqx_level level;
	uint32_t i, pin;

	for (pin = 0; pin < KVM_IOAPIC_NUM_PINS; pin++) {
		level = bound(pin);
		irqx_pin_level(self->g, pin, VECTOR + pin);
		for (i = 0; i < 3; i++)
			cycle(self->g, &level, pin, VECTOR + pin);
	}
	ASSERT_EQ(3 * KVM_IOAPIC_NUM_PINS, irqx_stats(self->ctx).deferred);
	ASSERT_EQ(0, irqx_stats(self->ctx).refused);
}

/* A device that is never content asserts at each EOI. */
TEST_F(source, reassert)
{
	struct irqx_level level = bound(PIN);
	uint32_t i;

	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_fire(level.fd);
	for (i = 1; i < 200; i++) {
		ASSERT_EQ(i, irqx_acks(&level, i));
		irqx_fire(level.fd);
	}
	ASSERT_EQ(200, irqx_acks(&level, 200));
	irqx_expect(self->g, 0, VECTOR, 200);
}

/* Up until the EOI, however often it is asserted; then down. */
TEST_F(source, in_service)
{
	struct irqx_level level = bound(PIN);

	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_hold(self->g, VECTOR, true);
	irqx_fire(level.fd);
	wait_in_service(self->g, VECTOR, 1);
	wait_up(self->g, PIN);
	ASSERT_TRUE(irqx_pin_remote_irr(self->vm, PIN));
	irqx_fire(level.fd);
	irqx_settle(self->ctx);
	irqx_fire(level.fd);
	wait_up(self->g, PIN);
	ASSERT_EQ(0, irqx_acks(&level, 0));

	irqx_hold(self->g, VECTOR, false);
	irqx_eoi(self->g, 0);
	ASSERT_EQ(1, irqx_acks(&level, 1));
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
	ASSERT_FALSE(irqx_pin_remote_irr(self->vm, PIN));
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	cycle(self->g, &level, PIN, VECTOR);
}

TEST_F(source, while_masked)
{
	struct irqx_level level = bound(PIN);

	irqx_pin_set(self->g, PIN,
		     IRQX_IOAPIC_MASKED | IRQX_IOAPIC_LEVEL | VECTOR);
	irqx_fire(level.fd);
	wait_up(self->g, PIN);
	irqx_check(self->g);
	ASSERT_EQ(0, irqx_acks(&level, 0));
	ASSERT_EQ(1, irqx_stats(self->ctx).refused);
	ASSERT_EQ(1, irqx_binding(self->ctx, level.fd).refused);

	irqx_pin_mask(self->g, PIN, false);
	asked_and_asserts(&level);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_acks(&level, 1));
}

/* As a VMM does that starts its devices before the guest has set pins up. */
TEST_F(source, before_setup)
{
	struct irqx_level level = bound(PIN);

	irqx_fire(level.fd);
	wait_up(self->g, PIN);
	irqx_pin_level(self->g, PIN, VECTOR);
	asked_and_asserts(&level);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_acks(&level, 1));
	cycle(self->g, &level, PIN, VECTOR);
}

/* The same while no vCPU runs. */
TEST_F(source, while_stopped)
{
	struct irqx_level level = bound(PIN);

	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_guest_stop(self->g);
	irqx_fire(level.fd);
	wait_up(self->g, PIN);
	ASSERT_TRUE(irqx_pending(self->g, 0, VECTOR));
	irqx_guest_start(self->g);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_acks(&level, 1));
}

TEST_F(source, eoi_while_masked)
{
	struct irqx_level level = bound(PIN);

	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_hold(self->g, VECTOR, true);
	irqx_fire(level.fd);
	wait_in_service(self->g, VECTOR, 1);
	irqx_pin_mask(self->g, PIN, true);
	irqx_hold(self->g, VECTOR, false);
	irqx_eoi(self->g, 0);
	ASSERT_EQ(1, irqx_acks(&level, 1));
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));

	irqx_pin_mask(self->g, PIN, false);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	cycle(self->g, &level, PIN, VECTOR);
}

/* The device asserts again between the EOI and the unmasking. */
TEST_F(source, again_while_masked)
{
	struct irqx_level level = bound(PIN);

	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_hold(self->g, VECTOR, true);
	irqx_fire(level.fd);
	wait_in_service(self->g, VECTOR, 1);
	irqx_pin_mask(self->g, PIN, true);
	irqx_hold(self->g, VECTOR, false);
	irqx_eoi(self->g, 0);
	ASSERT_EQ(1, irqx_acks(&level, 1));
	irqx_fire(level.fd);
	wait_up(self->g, PIN);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);

	irqx_pin_mask(self->g, PIN, false);
	asked_and_asserts(&level);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(2, irqx_acks(&level, 2));
}

/* Vector and destination of a pin that is up, before anybody has taken it. */
TEST_F(source, other_cpu)
{
	struct irqx_level level = bound(PIN);

	irqx_pin_level(self->g, PIN, VECTOR);
	cycle(self->g, &level, PIN, VECTOR);
	irqx_pin_set(self->g, PIN, IRQX_IOAPIC_DEST(1) | IRQX_IOAPIC_LEVEL |
				   OTHER_VECTOR);
	irqx_fire(level.fd);
	irqx_expect(self->g, 1, OTHER_VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(2, irqx_acks(&level, 2));
}

/*
 * The EOI's vector is no longer the pin's: as in hardware, it is not for this
 * pin.  Remote IRR is stuck until the guest makes the pin edge-triggered.
 */
TEST_F(source, vector_changed_in_service)
{
	struct irqx_level level = bound(PIN);

	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_hold(self->g, VECTOR, true);
	irqx_fire(level.fd);
	wait_in_service(self->g, VECTOR, 1);
	irqx_pin_level(self->g, PIN, OTHER_VECTOR);
	irqx_hold(self->g, VECTOR, false);
	irqx_eoi(self->g, 0);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(0, irqx_acks(&level, 0));
	ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));
	ASSERT_TRUE(irqx_pin_remote_irr(self->vm, PIN));

	irqx_pin_set(self->g, PIN, IRQX_IOAPIC_MASKED | OTHER_VECTOR);
	irqx_pin_level(self->g, PIN, OTHER_VECTOR);
	asked_and_asserts(&level);
	irqx_expect(self->g, 0, OTHER_VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_acks(&level, 1));
	cycle(self->g, &level, PIN, OTHER_VECTOR);
}

static void reset_ioapic(struct kvm_vm *vm)
{
	struct kvm_irqchip chip = irqx_irqchip_get(vm, KVM_IRQCHIP_IOAPIC);
	uint32_t i;

	chip.chip.ioapic.irr = 0;
	for (i = 0; i < KVM_IOAPIC_NUM_PINS; i++)
		chip.chip.ioapic.redirtbl[i].bits = IRQX_IOAPIC_MASKED;
	vm_ioctl(vm, KVM_SET_IRQCHIP, &chip);
}

/*
 * The device's next assertion counts, though it never let go.  Where KVM tells of
 * the unmasking, that alone may raise the pin, which is as right.
 */
static void assert_after_reset(struct irqx_guest *g, struct irqx_level *level)
{
	uint64_t before = irqx_total(g), acks = level->acks;

	irqx_pin_level(g, PIN, OTHER_VECTOR);
	irqx_fire(level->fd);
	irqx_settle(g->ctx);
	TEST_ASSERT(irqx_acks(level, acks + 1) > acks, "lost");
	/* Unmasked and fired may have been two. */
	irqx_fence(g);
	acks = irqx_acks(level, acks) - acks;
	TEST_ASSERT(acks <= 2 && irqx_total(g) - before == acks,
		    "%lu interrupts, %lu EOIs", irqx_total(g) - before, acks);
	irqx_expect(g, 0, OTHER_VECTOR, acks);
	irqx_check(g);
	TEST_ASSERT(!irqx_pin_is_up(g->vm, PIN), "pin is up");
	cycle(g, level, PIN, OTHER_VECTOR);
	cycle(g, level, PIN, OTHER_VECTOR);
}

TEST_F(source, reset)
{
	struct irqx_level level = bound(PIN);

	irqx_pin_set(self->g, PIN,
		     IRQX_IOAPIC_MASKED | IRQX_IOAPIC_LEVEL | VECTOR);
	irqx_fire(level.fd);
	wait_up(self->g, PIN);
	reset_ioapic(self->vm);
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
	assert_after_reset(self->g, &level);
}

TEST_F(source, reset_in_service)
{
	struct irqx_level level = bound(PIN);

	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_hold(self->g, VECTOR, true);
	irqx_fire(level.fd);
	wait_in_service(self->g, VECTOR, 1);
	reset_ioapic(self->vm);
	irqx_hold(self->g, VECTOR, false);
	irqx_eoi(self->g, 0);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(0, irqx_acks(&level, 0));
	assert_after_reset(self->g, &level);
}

/* What a VMM reads and writes back, as in a migration, loses nothing. */
TEST_F(source, set_irqchip_back)
{
	struct kvm_irqchip chip;
	struct irqx_level level = bound(PIN);

	irqx_pin_set(self->g, PIN,
		     IRQX_IOAPIC_MASKED | IRQX_IOAPIC_LEVEL | VECTOR);
	irqx_fire(level.fd);
	wait_up(self->g, PIN);
	chip = irqx_irqchip_get(self->vm, KVM_IRQCHIP_IOAPIC);
	vm_ioctl(self->vm, KVM_SET_IRQCHIP, &chip);
	irqx_pin_mask(self->g, PIN, false);
	asked_and_asserts(&level);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_acks(&level, 1));
}

/* KVM's own table knows nothing of the pin. */
TEST_F(source, kvm_table_empty)
{
	struct irqx_level before = bound(PIN);
	struct irqx_level after;
	uint32_t i;

	set_kvm_table(self->vm, 0, 0);
	irqx_pin_level(self->g, PIN, VECTOR);
	after = bound(OTHER_PIN);
	irqx_pin_level(self->g, OTHER_PIN, OTHER_VECTOR);
	for (i = 0; i < 3; i++) {
		cycle(self->g, &before, PIN, VECTOR);
		cycle(self->g, &after, OTHER_PIN, OTHER_VECTOR);
	}
	irqx_pin_mask(self->g, PIN, true);
	irqx_fire(before.fd);
	wait_up(self->g, PIN);
	irqx_pin_mask(self->g, PIN, false);
	asked_and_asserts(&before);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(4, irqx_acks(&before, 4));
}

struct churn {
	struct kvm_vm *vm;
	pthread_t thread;
	bool stop;
	uint64_t changes;
};

static void *churn_thread(void *arg)
{
	struct churn *churn = arg;

	while (!READ_ONCE(churn->stop)) {
		set_kvm_table(churn->vm, 0, KVM_IOAPIC_NUM_PINS);
		set_kvm_table(churn->vm, 0, 0);
		set_kvm_table(churn->vm, 30, KVM_IOAPIC_NUM_PINS);
		WRITE_ONCE(churn->changes, churn->changes + 3);
	}
	return NULL;
}

/* KVM's own table changes all the time. */
TEST_F(source, kvm_table_churn)
{
	struct irqx_level level = bound(PIN);
	struct churn churn = { .vm = self->vm };
	uint32_t i, n = irqx_iterations(300, 20000);

	irqx_pin_level(self->g, PIN, VECTOR);
	ASSERT_EQ(0, pthread_create(&churn.thread, NULL, churn_thread, &churn));
	for (i = 1; i <= n || READ_ONCE(churn.changes) < 100; i++) {
		irqx_fire(level.fd);
		ASSERT_EQ(i, irqx_acks(&level, i));
	}
	WRITE_ONCE(churn.stop, true);
	pthread_join(churn.thread, NULL);
	irqx_expect(self->g, 0, VECTOR, i - 1);
	TH_LOG("%u cycles, %lu changes", i - 1, churn.changes);
}

/*
 * Edge-triggered pins
 */

TEST_F(source, edge)
{
	struct irqx_level level = bound(PIN);
	uint32_t i;

	irqx_pin_set(self->g, PIN, VECTOR);
	for (i = 0; i < 3; i++)
		cycle(self->g, &level, PIN, VECTOR);
}

/* The source is up until the EOI: what it asserts meanwhile is no new edge. */
TEST_F(source, edge_in_service)
{
	struct irqx_level level = bound(PIN);

	irqx_pin_set(self->g, PIN, VECTOR);
	irqx_hold(self->g, VECTOR, true);
	irqx_fire(level.fd);
	wait_in_service(self->g, VECTOR, 1);
	irqx_fire(level.fd);
	irqx_settle(self->ctx);
	irqx_hold(self->g, VECTOR, false);
	irqx_eoi(self->g, 0);
	ASSERT_EQ(1, irqx_acks(&level, 1));
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	cycle(self->g, &level, PIN, VECTOR);
}

/* The guest's write makes KVM ask anew whose EOIs it needs. */
TEST_F(source, edge_other_kvm_gsi)
{
	const uint32_t gsis[] = { 30, 60, 0 };
	struct irqx_level level = bound(PIN);
	uint32_t i;

	irqx_pin_set(self->g, PIN, VECTOR);
	for (i = 0; i < ARRAY_SIZE(gsis); i++) {
		set_kvm_table(self->vm, gsis[i], KVM_IOAPIC_NUM_PINS);
		irqx_pin_set(self->g, PIN, VECTOR);
		cycle(self->g, &level, PIN, VECTOR);
		cycle(self->g, &level, PIN, VECTOR);
	}
}

/* Unmapped when it was bound, mapped later. */
TEST_F(source, edge_mapped_later)
{
	struct irqx_level level;

	set_kvm_table(self->vm, 0, 0);
	level = bound(PIN);
	irqx_pin_set(self->g, PIN, VECTOR);
	set_kvm_table(self->vm, 0, KVM_IOAPIC_NUM_PINS);
	cycle(self->g, &level, PIN, VECTOR);
	cycle(self->g, &level, PIN, VECTOR);
}

/*
 * The end of a source
 */

TEST_F(source, deassign_while_up)
{
	struct irqx_level level = bound(PIN);

	irqx_fire(level.fd);
	wait_up(self->g, PIN);
	irqx_unbind(self->ctx, level.fd);
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_check(self->g);

	/* A new binding begins low. */
	if (variant->direct)
		irqx_assert(__irqx_bind_level(self->ctx, level.fd, level.ack,
					      ioapic(PIN)));
	else
		irqx_assert(__irqx_irqfd_level(self->ctx, level.fd, level.ack,
					       GSI + PIN));
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
	cycle(self->g, &level, PIN, VECTOR);
}

TEST_F(source, deassign_in_service)
{
	struct irqx_level level = bound(PIN);

	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_hold(self->g, VECTOR, true);
	irqx_fire(level.fd);
	wait_in_service(self->g, VECTOR, 1);
	irqx_unbind(self->ctx, level.fd);
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
	irqx_hold(self->g, VECTOR, false);
	irqx_eoi(self->g, 0);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(0, irqx_acks(&level, 0));
}

TEST_F(source, eventfd_closed_while_up)
{
	struct irqx_level level = bound(PIN);

	irqx_fire(level.fd);
	wait_up(self->g, PIN);
	irqx_level_close(&level);
	/* By itself: no call of this context comes by. */
	ASSERT_TRUE(irqx_wait_until(!irqx_pin_is_up(self->vm, PIN), IRQX_TIMEOUT_MS));
	ASSERT_TRUE(irqx_wait_irqfds(self->ctx, 0));
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
}

/* The caller may close its resamplefd; nobody hears of EOIs then. */
TEST_F(source, resamplefd_closed)
{
	struct irqx_level level = bound(PIN);

	close(level.ack);
	level.ack = irqx_eventfd(0, 0);
	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_fire(level.fd);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
	irqx_fire(level.fd);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(0, irqx_acks(&level, 0));
}

/* Here the source goes with the context; the VM and its other contexts live. */
TEST_F(source, context_closed_while_up)
{
	int ctx = irqx_context(self->vm);
	struct irqx_level other = connect_to(ctx, variant->direct, PIN);
	struct irqx_level level;

	irqx_fire(other.fd);
	irqx_settle(ctx);
	ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));
	close(ctx);
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));

	ctx = irqx_context(self->vm);
	other = connect_to(ctx, variant->direct, PIN);
	level = bound(PIN);
	irqx_fire(other.fd);
	irqx_fire(level.fd);
	irqx_settle(ctx);
	wait_up(self->g, PIN);
	close(ctx);
	ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));
	irqx_pin_level(self->g, PIN, VECTOR);
	asked_and_asserts(&level);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_acks(&level, 1));
	ASSERT_EQ(0, irqx_acks(&other, 0));
}

/* The last context of the VM, so that all the module has on the VM goes. */
TEST_F(source, last_context_closed_while_up)
{
	struct irqx_level level;
	uint32_t i;

	for (i = 0; i < 3; i++) {
		level = bound(PIN);
		irqx_fire(level.fd);
		wait_up(self->g, PIN);
		close(self->ctx);
		ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
		self->g->ctx = self->ctx = irqx_context(self->vm);
	}
	level = bound(PIN);
	irqx_pin_level(self->g, PIN, VECTOR);
	cycle(self->g, &level, PIN, VECTOR);
}

/* The resamplefd is itself bound: an EOI is the next interrupt. */
TEST_F(source, resamplefd_is_bound)
{
	struct irqx_level level = bound(PIN);
	struct irqx_level next = level;

	irqx_bind(self->ctx, level.ack, irqx_entry(self->g, 1, OTHER_VECTOR));
	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_fire(level.fd);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_expect(self->g, 1, OTHER_VECTOR, 1);
	irqx_wait_total(self->g, 2);
	irqx_check(self->g);

	/* And to another level source of the same pin. */
	irqx_unbind(self->ctx, level.ack);
	next.fd = level.ack;
	next.ack = irqx_eventfd(0, 0);
	irqx_assert(__irqx_bind_level(self->ctx, next.fd, next.ack, ioapic(PIN)));
	irqx_hold(self->g, VECTOR, true);
	irqx_fire(level.fd);
	wait_in_service(self->g, VECTOR, 2);
	irqx_eoi(self->g, 0);
	wait_in_service(self->g, VECTOR, 3);
	wait_up(self->g, PIN);
	irqx_unbind(self->ctx, next.fd);
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
	irqx_hold(self->g, VECTOR, false);
	irqx_eoi(self->g, 0);
	irqx_expect(self->g, 0, VECTOR, 2);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_acks(&next, 1));
}

/* A source that asks for itself is up again after each EOI. */
TEST_F(source, resamplefd_is_fd)
{
	struct irqx_level level = { .fd = irqx_eventfd(0, 0) };
	uint32_t i;

	if (!variant->direct)
		irqx_route_set(self->ctx, GSI, ioapic(PIN));
	irqx_assert(variant->direct ?
		    __irqx_bind_level(self->ctx, level.fd, level.fd, ioapic(PIN)) :
		    __irqx_irqfd_level(self->ctx, level.fd, level.fd, GSI));
	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_hold(self->g, VECTOR, true);
	irqx_fire(level.fd);
	for (i = 1; i <= 20; i++) {
		wait_in_service(self->g, VECTOR, i);
		wait_up(self->g, PIN);
		if (i == 20) {
			irqx_hold(self->g, VECTOR, false);
			irqx_unbind(self->ctx, level.fd);
			ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
		}
		irqx_eoi(self->g, 0);
	}
	irqx_expect(self->g, 0, VECTOR, 20);
}

/*
 * Several sources
 */

FIXTURE(level) {
	struct irqx_guest *g;
	struct kvm_vm *vm;
	int ctx;
};

FIXTURE_SETUP(level)
{
	self->g = irqx_level_guest(2);
	self->vm = self->g->vm;
	self->ctx = self->g->ctx;
}

FIXTURE_TEARDOWN(level)
{
	irqx_check(self->g);
	EXPECT_EQ(0, irqx_ioapic_irr(self->vm));
	irqx_guest_free(self->g);
}

#define NR_SHARED	6

/* One GSI, the same one again, another one; direct; and all from elsewhere. */
static void connect_shared(int ctx, int ctx2, struct irqx_level *levels)
{
	irqx_route_set(ctx, GSI, ioapic(PIN));
	irqx_route_set(ctx, GSI + 1, ioapic(PIN));
	irqx_route_set(ctx2, GSI, ioapic(PIN));
	levels[0] = irqx_level_gsi(ctx, GSI);
	levels[1] = irqx_level_gsi(ctx, GSI);
	levels[2] = irqx_level_gsi(ctx, GSI + 1);
	levels[3] = irqx_level_direct(ctx, ioapic(PIN));
	levels[4] = irqx_level_gsi(ctx2, GSI);
	levels[5] = irqx_level_direct(ctx2, ioapic(PIN));
}

/*
 * Whoever of the sources asserts: one interrupt, one EOI lowers the pin once,
 * and all hear of it.
 */
TEST_F(level, shared)
{
	int ctx2 = irqx_context(self->vm);
	struct irqx_level levels[NR_SHARED];
	uint32_t round, i;

	connect_shared(self->ctx, ctx2, levels);
	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_hold(self->g, VECTOR, true);
	irqx_trace_start("irqx_inject");

	for (round = 1; round < 1 << NR_SHARED; round++) {
		for (i = 0; i < NR_SHARED; i++)
			if (round & 1 << i)
				irqx_fire(levels[i].fd);
		irqx_settle(ctx2);
		wait_in_service(self->g, VECTOR, round);
		wait_up(self->g, PIN);
		irqx_eoi(self->g, 0);
		for (i = 0; i < NR_SHARED; i++)
			ASSERT_EQ(round, irqx_acks(&levels[i], round));
		ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
		ASSERT_EQ(round, irqx_trace_count("level 0"));
	}
	irqx_trace_stop();
	irqx_hold(self->g, VECTOR, false);
	irqx_expect(self->g, 0, VECTOR, round - 1);
	irqx_check(self->g);
	close(ctx2);
}

/* The pin falls with the last of those that hold it. */
TEST_F(level, shared_release)
{
	int ctx2 = irqx_context(self->vm);
	struct irqx_level levels[NR_SHARED];
	uint32_t i;

	connect_shared(self->ctx, ctx2, levels);
	for (i = 0; i < NR_SHARED; i++)
		irqx_fire(levels[i].fd);
	irqx_settle(ctx2);
	wait_up(self->g, PIN);

	irqx_unbind(self->ctx, levels[1].fd);
	irqx_unbind(self->ctx, levels[3].fd);
	ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));
	irqx_route_del(self->ctx, GSI);
	ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));
	close(ctx2);
	ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));
	irqx_unbind(self->ctx, levels[2].fd);
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
	irqx_route_set(self->ctx, GSI, ioapic(PIN));
	ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));

	irqx_pin_level(self->g, PIN, VECTOR);
	asked_and_asserts(&levels[0]);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_acks(&levels[0], 1));
	for (i = 1; i < NR_SHARED; i++)
		ASSERT_EQ(0, irqx_acks(&levels[i], 0));
}

/*
 * An EOI is one for a masked source too: it lets go, and is signalled.  The level of
 * KVM_IRQ_LINE stays.
 */
TEST_F(level, shared_masked)
{
	struct irqx_level masked = irqx_level_direct(self->ctx, ioapic(PIN));
	struct irqx_level level = irqx_level_direct(self->ctx, ioapic(PIN));
	uint32_t i;

	irqx_route_set(self->ctx, GSI, ioapic(PIN));
	irqx_mask_gsi(self->ctx, GSI);
	irqx_irq_line(self->ctx, GSI, 1);
	irqx_mask(self->ctx, masked.fd);
	irqx_pin_level(self->g, PIN, VECTOR);
	for (i = 1; i <= 10; i++) {
		irqx_fire(masked.fd);
		irqx_settle(self->ctx);
		ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
		irqx_fire(level.fd);
		irqx_expect(self->g, 0, VECTOR, 1);
		irqx_check(self->g);
		ASSERT_EQ(i, irqx_acks(&level, i));
		ASSERT_EQ(i, irqx_acks(&masked, i));
		ASSERT_EQ(KVM_IRQX_STATE_MASKED,
			  irqx_state(self->ctx, masked.fd, 0));
		ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
	}
	irqx_unmask(self->ctx, masked.fd);
	irqx_check(self->g);

	irqx_pin_mask(self->g, PIN, true);
	irqx_unmask_gsi(self->ctx, GSI);
	ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));
	irqx_irq_line(self->ctx, GSI, 0);
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
}

/* In service, and its EOI: no interrupt of it afterwards, and the pin is down. */
TEST_F(level, masked_in_service)
{
	struct irqx_level level = irqx_level_direct(self->ctx, ioapic(PIN));

	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_hold(self->g, VECTOR, true);
	irqx_fire(level.fd);
	wait_in_service(self->g, VECTOR, 1);
	irqx_mask(self->ctx, level.fd);
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
	irqx_hold(self->g, VECTOR, false);
	irqx_eoi(self->g, 0);
	ASSERT_EQ(1, irqx_acks(&level, 1));
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);

	/* The device, which was asked, wants more. */
	irqx_fire(level.fd);
	irqx_settle(self->ctx);
	irqx_check(self->g);
	irqx_unmask(self->ctx, level.fd);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(2, irqx_acks(&level, 2));
}

/* KVM_IRQ_LINE has nobody who would let go for it. */
TEST_F(level, irq_line)
{
	uint32_t i;

	irqx_route_set(self->ctx, GSI, ioapic(PIN));
	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_hold(self->g, VECTOR, true);
	irqx_irq_line(self->ctx, GSI, 1);
	irqx_irq_line(self->ctx, GSI, 1);
	for (i = 1; i <= 5; i++) {
		irqx_wait_count(self->g, 0, VECTOR, i);
		ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));
		if (i == 5) {
			irqx_hold(self->g, VECTOR, false);
			irqx_irq_line(self->ctx, GSI, 0);
			ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
		}
		irqx_eoi(self->g, 0);
	}
	irqx_expect(self->g, 0, VECTOR, 5);
	irqx_check(self->g);
	irqx_irq_line(self->ctx, GSI, 0);
	irqx_check(self->g);
}

TEST_F(level, irq_line_edge)
{
	irqx_route_set(self->ctx, GSI, ioapic(PIN));
	irqx_pin_set(self->g, PIN, VECTOR);
	irqx_irq_line(self->ctx, GSI, 1);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	irqx_irq_line(self->ctx, GSI, 1);
	irqx_check(self->g);
	irqx_irq_line(self->ctx, GSI, 0);
	irqx_check(self->g);
	irqx_irq_line(self->ctx, GSI, 1);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	irqx_irq_line(self->ctx, GSI, 0);
}

TEST_F(level, irq_line_shared)
{
	int ctx2 = irqx_context(self->vm);
	struct irqx_level levels[NR_SHARED];
	uint32_t i;

	connect_shared(self->ctx, ctx2, levels);
	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_hold(self->g, VECTOR, true);

	/* Beside a source on the very same GSI, and in the other context too. */
	irqx_irq_line(self->ctx, GSI, 1);
	irqx_irq_line(ctx2, GSI, 1);
	irqx_fire(levels[0].fd);
	wait_in_service(self->g, VECTOR, 1);
	irqx_eoi(self->g, 0);
	for (i = 0; i < NR_SHARED; i++)
		ASSERT_EQ(1, irqx_acks(&levels[i], 1));
	wait_in_service(self->g, VECTOR, 2);
	ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));

	irqx_irq_line(self->ctx, GSI, 0);
	ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));
	irqx_fire(levels[5].fd);
	irqx_settle(ctx2);
	irqx_irq_line(ctx2, GSI, 0);
	ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));
	irqx_hold(self->g, VECTOR, false);
	irqx_eoi(self->g, 0);
	for (i = 0; i < NR_SHARED; i++)
		ASSERT_EQ(2, irqx_acks(&levels[i], 2));
	irqx_expect(self->g, 0, VECTOR, 2);
	irqx_check(self->g);

	/* A line that is up when its context goes. */
	irqx_pin_mask(self->g, PIN, true);
	irqx_irq_line(ctx2, GSI, 1);
	ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));
	close(ctx2);
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
}

/* The level goes where the route goes, and ends with it. */
TEST_F(level, irq_line_rerouted)
{
	irqx_route_set(self->ctx, GSI, ioapic(PIN));
	irqx_irq_line(self->ctx, GSI, 1);
	ASSERT_EQ(1 << PIN, irqx_ioapic_irr(self->vm));
	irqx_route_set(self->ctx, GSI, ioapic(OTHER_PIN));
	ASSERT_EQ(1 << OTHER_PIN, irqx_ioapic_irr(self->vm));
	irqx_route_del(self->ctx, GSI);
	ASSERT_EQ(0, irqx_ioapic_irr(self->vm));
	irqx_route_set(self->ctx, GSI, ioapic(PIN));
	ASSERT_EQ(0, irqx_ioapic_irr(self->vm));

	/* On to an MSI, which has no level: it is sent once, and not for the next one. */
	irqx_irq_line(self->ctx, GSI, 1);
	irqx_route_set(self->ctx, GSI, irqx_entry(self->g, 0, VECTOR));
	ASSERT_EQ(0, irqx_ioapic_irr(self->vm));
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	irqx_route_set(self->ctx, GSI, irqx_entry(self->g, 1, VECTOR));
	irqx_route_set(self->ctx, GSI, irqx_entry(self->g, 0, VECTOR));
	irqx_check(self->g);
	irqx_irq_line(self->ctx, GSI, 1);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	irqx_irq_line(self->ctx, GSI, 0);
	ASSERT_EQ(0, __irqx_irq_line(self->ctx, GSI + 1, 1));
	ASSERT_EQ(EINVAL, __irqx_irq_line(self->ctx,
					  irqx_info(self->ctx).max_gsi, 1));
}

/* A pulse into a pin that somebody holds up. */
TEST_F(level, pulse)
{
	struct irqx_level level = irqx_level_direct(self->ctx, ioapic(PIN));
	int direct = irqx_eventfd(0, 0);
	int gsi = irqx_eventfd(0, 0);
	int kvm = irqx_eventfd(0, 0);

	irqx_bind(self->ctx, direct, ioapic(PIN));
	irqx_route_set(self->ctx, GSI, ioapic(PIN));
	irqx_irqfd(self->ctx, gsi, GSI, 0);
	irqx_irqfd(self->vm->fd, kvm, PIN, 0);

	irqx_fire(level.fd);
	wait_up(self->g, PIN);
	irqx_fire(direct);
	irqx_fire(gsi);
	irqx_fire(kvm);
	irqx_settle(self->ctx);
	/* No counter says when KVM's work queue is done. */
	usleep(20000);
	ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));
	irqx_pin_level(self->g, PIN, VECTOR);
	asked_and_asserts(&level);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_acks(&level, 1));
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));

	/* Nobody holds it: down again at once, and taken. */
	irqx_fire(direct);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
	ASSERT_EQ(2, irqx_acks(&level, 2));

	/* KVM_IRQ_LINE holds too. */
	irqx_pin_mask(self->g, PIN, true);
	irqx_irq_line(self->ctx, GSI, 1);
	irqx_fire(direct);
	irqx_fire(gsi);
	irqx_settle(self->ctx);
	ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));
	irqx_irq_line(self->ctx, GSI, 0);
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
}

/* Pins with one vector: an EOI is for all of them. */
TEST_F(level, one_vector)
{
	struct irqx_level a = irqx_level_direct(self->ctx, ioapic(PIN));
	struct irqx_level b = irqx_level_direct(self->ctx, ioapic(OTHER_PIN));

	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_pin_level(self->g, OTHER_PIN, VECTOR);
	irqx_hold(self->g, VECTOR, true);
	irqx_fire(a.fd);
	wait_in_service(self->g, VECTOR, 1);
	irqx_fire(b.fd);
	wait_up(self->g, OTHER_PIN);
	irqx_hold(self->g, VECTOR, false);
	irqx_eoi(self->g, 0);
	irqx_expect(self->g, 0, VECTOR, 2);
	irqx_wait_count(self->g, 0, VECTOR, 2);
	irqx_check(self->g);
	ASSERT_EQ(2, irqx_acks(&a, 2));
	ASSERT_EQ(2, irqx_acks(&b, 2));
}

/* The same pin of another VM is another pin. */
TEST_F(level, two_vms)
{
	struct irqx_level level = irqx_level_direct(self->ctx, ioapic(PIN));
	struct irqx_guest *other = irqx_level_guest(1);
	struct irqx_level theirs = irqx_level_direct(other->ctx, ioapic(PIN));
	uint32_t i;

	irqx_fire(theirs.fd);
	wait_up(other, PIN);
	irqx_pin_level(self->g, PIN, VECTOR);
	for (i = 0; i < 10; i++)
		cycle(self->g, &level, PIN, VECTOR);
	ASSERT_EQ(0, irqx_acks(&theirs, 0));
	ASSERT_TRUE(irqx_pin_is_up(other->vm, PIN));

	irqx_pin_level(other, PIN, VECTOR);
	asked_and_asserts(&theirs);
	irqx_expect(other, 0, VECTOR, 1);
	irqx_check(other);
	ASSERT_EQ(1, irqx_acks(&theirs, 1));
	ASSERT_EQ(10, irqx_acks(&level, 10));

	/* Nor does one VM's end touch the other's. */
	irqx_guest_free(other);
	cycle(self->g, &level, PIN, VECTOR);
}

TEST_F(level, trace_resample)
{
	struct irqx_level a = irqx_level_direct(self->ctx, ioapic(PIN));
	struct irqx_level b = irqx_level_direct(self->ctx, ioapic(PIN));
	uint32_t i;

	irqx_trace_start("irqx_resample");
	irqx_pin_level(self->g, PIN, VECTOR);
	for (i = 0; i < 5; i++)
		cycle(self->g, &a, PIN, VECTOR);
	ASSERT_EQ(5, irqx_acks(&b, 5));
	ASSERT_EQ(10, irqx_trace_count("irqchip 0x2 0x14 resamplefd"));
	ASSERT_EQ(10, irqx_trace_count(NULL));
	irqx_trace_stop();
}

/*
 * Beside KVM's own sources
 */

/* Both resample: each lets go for itself, both are asked. */
TEST_F(level, kvm_resampler)
{
	struct irqx_level ours = irqx_level_direct(self->ctx, ioapic(PIN));
	struct irqx_level kvms = irqx_level_gsi(self->vm->fd, PIN);
	uint32_t n = 0;

	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_hold(self->g, VECTOR, true);

	irqx_fire(ours.fd);
	wait_in_service(self->g, VECTOR, ++n);
	irqx_eoi(self->g, 0);
	ASSERT_EQ(n, irqx_acks(&ours, n));
	ASSERT_EQ(n, irqx_acks(&kvms, n));
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));

	irqx_fire(kvms.fd);
	wait_in_service(self->g, VECTOR, ++n);
	irqx_eoi(self->g, 0);
	ASSERT_EQ(n, irqx_acks(&ours, n));
	ASSERT_EQ(n, irqx_acks(&kvms, n));
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));

	irqx_fire(kvms.fd);
	wait_in_service(self->g, VECTOR, ++n);
	irqx_fire(ours.fd);
	wait_up(self->g, PIN);
	irqx_eoi(self->g, 0);
	ASSERT_EQ(n, irqx_acks(&ours, n));
	ASSERT_EQ(n, irqx_acks(&kvms, n));
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));

	/* Our deassign leaves KVM's level alone, and the other way round. */
	irqx_pin_mask(self->g, PIN, true);
	irqx_hold(self->g, VECTOR, false);
	irqx_fire(kvms.fd);
	ASSERT_TRUE(irqx_wait_until(irqx_pin_is_up(self->vm, PIN),
				    IRQX_TIMEOUT_MS));
	irqx_fire(ours.fd);
	irqx_settle(self->ctx);
	irqx_unbind(self->ctx, ours.fd);
	ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));
	irqx_assert(__irqx_bind_level(self->ctx, ours.fd, ours.ack, ioapic(PIN)));
	irqx_fire(ours.fd);
	irqx_settle(self->ctx);
	irqx_irqfd(self->vm->fd, kvms.fd, PIN, KVM_IRQFD_FLAG_DEASSIGN);
	wait_up(self->g, PIN);
	irqx_pin_mask(self->g, PIN, false);
	asked_and_asserts(&ours);
	irqx_expect(self->g, 0, VECTOR, ++n);
	irqx_check(self->g);
	ASSERT_EQ(n, irqx_acks(&ours, n));
}

/* The VM's KVM_IRQ_LINE holds the pin whatever happens here, and vice versa. */
TEST_F(level, kvm_irq_line)
{
	struct irqx_level ours = irqx_level_direct(self->ctx, ioapic(PIN));
	struct irqx_level kvms = irqx_level_gsi(self->vm->fd, PIN);

	irqx_route_set(self->ctx, GSI, ioapic(PIN));
	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_hold(self->g, VECTOR, true);

	irqx_irq_line(self->vm->fd, PIN, 1);
	irqx_fire(ours.fd);
	wait_in_service(self->g, VECTOR, 1);
	irqx_eoi(self->g, 0);
	wait_in_service(self->g, VECTOR, 2);
	ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));
	irqx_irq_line(self->vm->fd, PIN, 0);
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));

	irqx_irq_line(self->ctx, GSI, 1);
	irqx_irq_line(self->vm->fd, PIN, 1);
	irqx_irq_line(self->vm->fd, PIN, 0);
	irqx_fire(kvms.fd);
	usleep(20000);
	ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));
	irqx_eoi(self->g, 0);
	wait_in_service(self->g, VECTOR, 3);
	ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));
	irqx_irq_line(self->ctx, GSI, 0);
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));

	irqx_hold(self->g, VECTOR, false);
	irqx_eoi(self->g, 0);
	irqx_expect(self->g, 0, VECTOR, 3);
	irqx_check(self->g);
	ASSERT_EQ(3, irqx_acks(&ours, 3));
	ASSERT_EQ(3, irqx_acks(&kvms, 3));
}

/*
 * From 6.4 on KVM forgets what is pending on a pin that the guest unmasks, if it has a
 * resampler there.  Both are asked, and who still wants service asserts again.
 */
TEST_F(level, kvm_resampler_unmask)
{
	struct irqx_level ours = irqx_level_direct(self->ctx, ioapic(PIN));
	struct irqx_level kvms = irqx_level_gsi(self->vm->fd, PIN);
	uint32_t i;

	irqx_pin_set(self->g, PIN,
		     IRQX_IOAPIC_MASKED | IRQX_IOAPIC_LEVEL | VECTOR);
	for (i = 1; i <= 10; i++) {
		irqx_fire(ours.fd);
		wait_up(self->g, PIN);
		irqx_pin_mask(self->g, PIN, false);
		asked_and_asserts(&ours);
		irqx_wait_count(self->g, 0, VECTOR, i);
		ASSERT_EQ(i, irqx_acks(&ours, i));
		ASSERT_LE(i, irqx_acks(&kvms, i));
		ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
		irqx_pin_mask(self->g, PIN, true);
	}
	irqx_expect(self->g, 0, VECTOR, 10);
	irqx_check(self->g);
}

/* KVM_IRQ_LINE cannot be asked: what it holds is pending again. */
TEST_F(level, kvm_resampler_unmask_line)
{
	struct irqx_level kvms = irqx_level_gsi(self->vm->fd, PIN);

	irqx_route_set(self->ctx, GSI, ioapic(PIN));
	irqx_pin_set(self->g, PIN,
		     IRQX_IOAPIC_MASKED | IRQX_IOAPIC_LEVEL | VECTOR);
	irqx_irq_line(self->ctx, GSI, 1);
	irqx_hold(self->g, VECTOR, true);
	irqx_pin_mask(self->g, PIN, false);
	irqx_wait_count(self->g, 0, VECTOR, 1);
	irqx_hold(self->g, VECTOR, false);
	irqx_irq_line(self->ctx, GSI, 0);
	irqx_eoi(self->g, 0);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_LE(1, irqx_acks(&kvms, 1));
}

/* Nor can KVM's own users, where there is a resamplefd of ours. */
TEST_F(level, unmask_line)
{
	struct irqx_level ours = irqx_level_direct(self->ctx, ioapic(PIN));
	uint32_t n = 0;
	bool kvms;

	irqx_route_set(self->ctx, GSI, ioapic(PIN));
	irqx_pin_set(self->g, PIN,
		     IRQX_IOAPIC_MASKED | IRQX_IOAPIC_LEVEL | VECTOR);
	irqx_hold(self->g, VECTOR, true);
	for (kvms = false; n < 2; kvms = true) {
		irqx_irq_line(kvms ? self->vm->fd : self->ctx, kvms ? PIN : GSI, 1);
		irqx_pin_mask(self->g, PIN, false);
		irqx_wait_count(self->g, 0, VECTOR, ++n);
		irqx_irq_line(kvms ? self->vm->fd : self->ctx, kvms ? PIN : GSI, 0);
		irqx_pin_mask(self->g, PIN, true);
		irqx_eoi(self->g, 0);
		ASSERT_LE(n, irqx_acks(&ours, n));
	}
	irqx_expect(self->g, 0, VECTOR, n);
	irqx_check(self->g);
	irqx_hold(self->g, VECTOR, false);
}

/* The same after KVM's table has given the pin, meanwhile, to another GSI. */
TEST_F(level, kvm_resampler_unmask_other_gsi)
{
	struct irqx_level ours = irqx_level_direct(self->ctx, ioapic(PIN));
	struct irqx_level kvms;
	uint32_t i;

	irqx_pin_set(self->g, PIN,
		     IRQX_IOAPIC_MASKED | IRQX_IOAPIC_LEVEL | VECTOR);
	irqx_fire(ours.fd);
	wait_up(self->g, PIN);
	set_kvm_table(self->vm, 30, KVM_IOAPIC_NUM_PINS);
	kvms = irqx_level_gsi(self->vm->fd, 30 + PIN);
	for (i = 1; i <= 2; i++) {
		irqx_pin_mask(self->g, PIN, false);
		asked_and_asserts(&ours);
		irqx_wait_count(self->g, 0, VECTOR, i);
		irqx_expect(self->g, 0, VECTOR, 1);
		irqx_check(self->g);
		ASSERT_EQ(i, irqx_acks(&ours, i));
		ASSERT_LE(i, irqx_acks(&kvms, i));
		irqx_pin_mask(self->g, PIN, true);
		irqx_fire(ours.fd);
		wait_up(self->g, PIN);
	}
	irqx_unbind(self->ctx, ours.fd);
}

/*
 * A guest that masks, ends the interrupt and serves the device before it unmasks, as Linux
 * with IRQF_ONESHOT: what the device asserted in between is out of date.
 */
TEST_F(source, oneshot)
{
	struct irqx_level level = bound(PIN);
	uint32_t i;

	irqx_pin_level(self->g, PIN, VECTOR);
	for (i = 1; i <= 10; i++) {
		irqx_fire(level.fd);
		irqx_wait_count(self->g, 0, VECTOR, i);
		irqx_pin_mask(self->g, PIN, true);
		irqx_acks(&level, 2 * i - 1);
		irqx_fire(level.fd);
		wait_up(self->g, PIN);
		irqx_pin_mask(self->g, PIN, false);
		irqx_acks(&level, 2 * i);
		if (!irqx_kernel_since(6, 4))
			irqx_expect(self->g, 0, VECTOR, 1);
		irqx_expect(self->g, 0, VECTOR, 1);
		irqx_check(self->g);
		ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
		ASSERT_EQ(2 * i, irqx_acks(&level, 2 * i));
		if (!irqx_kernel_since(6, 4))
			break;
	}
}

/*
 * Levels that somebody else has set
 */

/* As a VMM that restores a VM: the pin is up, and no source here holds it. */
static void restore_up(struct kvm_vm *vm, uint32_t pin)
{
	struct kvm_irqchip chip = irqx_irqchip_get(vm, KVM_IRQCHIP_IOAPIC);

	chip.chip.ioapic.irr |= 1 << pin;
	vm_ioctl(vm, KVM_SET_IRQCHIP, &chip);
}

/* One interrupt, one EOI, pin down; and so again after a cycle. */
TEST_F(source, restored)
{
	struct irqx_level level = bound(PIN);
	uint32_t i;

	irqx_pin_level(self->g, PIN, VECTOR);
	for (i = 0; i < 3; i++) {
		restore_up(self->vm, PIN);
		irqx_expect(self->g, 0, VECTOR, 1);
		irqx_check(self->g);
		ASSERT_EQ(2 * i + 1, irqx_acks(&level, 2 * i + 1));
		ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
		cycle(self->g, &level, PIN, VECTOR);
	}
}

/* The device asserts while a restored level is in service: one more. */
TEST_F(source, restored_and_asserted)
{
	struct irqx_level level = bound(PIN);

	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_hold(self->g, VECTOR, true);
	restore_up(self->vm, PIN);
	irqx_wait_count(self->g, 0, VECTOR, 1);
	irqx_fire(level.fd);
	wait_up(self->g, PIN);
	irqx_hold(self->g, VECTOR, false);
	irqx_eoi(self->g, 0);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_acks(&level, 1));
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
}

/* The last resamplefd that leaves lowers it; not the first of two, nor one that holds. */
TEST_F(source, restored_and_deassigned)
{
	struct irqx_level level = bound(PIN), second = bound(PIN);

	irqx_pin_set(self->g, PIN,
		     IRQX_IOAPIC_MASKED | IRQX_IOAPIC_LEVEL | VECTOR);
	restore_up(self->vm, PIN);
	irqx_unbind(self->ctx, second.fd);
	ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));
	irqx_route_set(self->ctx, GSI + 100, ioapic(PIN));
	irqx_irq_line(self->ctx, GSI + 100, 1);
	irqx_unbind(self->ctx, level.fd);
	ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));
	irqx_irq_line(self->ctx, GSI + 100, 0);
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));

	level = bound(PIN);
	restore_up(self->vm, PIN);
	irqx_unbind(self->ctx, level.fd);
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
}

/* KVM_IRQ_LINE lowers it, whether it has raised it before or not, unless it is held. */
TEST_F(source, restored_irq_line)
{
	struct irqx_level level = bound(PIN);
	uint32_t i;

	irqx_route_set(self->ctx, GSI + 100, ioapic(PIN));
	irqx_pin_set(self->g, PIN,
		     IRQX_IOAPIC_MASKED | IRQX_IOAPIC_LEVEL | VECTOR);
	for (i = 0; i < 2; i++) {
		restore_up(self->vm, PIN);
		irqx_irq_line(self->ctx, GSI + 100, 0);
		ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
		irqx_fire(level.fd);
		wait_up(self->g, PIN);
		irqx_irq_line(self->ctx, GSI + 100, 0);
		ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));
		irqx_unbind(self->ctx, level.fd);
		ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
		level = bound(PIN);
		irqx_irq_line(self->ctx, GSI + 100, 1);
		irqx_irq_line(self->ctx, GSI + 100, 0);
		ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
	}
}

/* As if one of two left: the level that a VMM has restored stays, and is the other's. */
TEST_F(level, restored_and_one_masked)
{
	struct irqx_level level = irqx_level_direct(self->ctx, ioapic(PIN));
	struct irqx_level masked = irqx_level_direct(self->ctx, ioapic(PIN));

	restore_up(self->vm, PIN);
	irqx_mask(self->ctx, masked.fd);
	ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));
	irqx_mask(self->ctx, level.fd);
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
}

/* An emulated device without a resamplefd still holds what was restored. */
TEST_F(level, restored_without_resamplefd)
{
	int fd = irqx_eventfd(0, 0);

	irqx_bind(self->ctx, fd, ioapic(PIN));
	irqx_route_set(self->ctx, GSI, ioapic(PIN));
	irqx_irq_line(self->ctx, GSI, 1);
	irqx_irq_line(self->ctx, GSI, 0);
	/* EOIs are listened to, of another pin. */
	irqx_level_direct(self->ctx, ioapic(OTHER_PIN));
	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_hold(self->g, VECTOR, true);
	restore_up(self->vm, PIN);
	irqx_wait_count(self->g, 0, VECTOR, 1);
	irqx_eoi(self->g, 0);
	irqx_wait_count(self->g, 0, VECTOR, 2);
	ASSERT_TRUE(irqx_pin_is_up(self->vm, PIN));
	irqx_irq_line(self->ctx, GSI, 0);
	ASSERT_FALSE(irqx_pin_is_up(self->vm, PIN));
	irqx_hold(self->g, VECTOR, false);
	irqx_eoi(self->g, 0);
	irqx_expect(self->g, 0, VECTOR, 2);
	irqx_check(self->g);
}

/* What KVM_IRQ_LINE_STATUS answers is what KVM's answers. */
TEST_F(level, irq_line_status)
{
	static const struct {
		bool masked;
		int level;
	} steps[] = {
		{ false, 0 }, { true, 1 }, { true, 1 }, { true, 0 }, { true, 0 },
	};
	struct kvm_irq_level ours, kvms;
	uint32_t i;

	irqx_route_set(self->ctx, GSI, ioapic(PIN));
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		irqx_pin_set(self->g, PIN, IRQX_IOAPIC_LEVEL | VECTOR |
			     (steps[i].masked ? IRQX_IOAPIC_MASKED : 0));
		irqx_pin_set(self->g, OTHER_PIN, IRQX_IOAPIC_LEVEL | OTHER_VECTOR |
			     (steps[i].masked ? IRQX_IOAPIC_MASKED : 0));
		ours = (struct kvm_irq_level){ .irq = GSI, .level = steps[i].level };
		kvms = (struct kvm_irq_level){ .irq = OTHER_PIN, .level = steps[i].level };
		ASSERT_EQ(0, ioctl(self->ctx, KVM_IRQ_LINE_STATUS, &ours));
		ASSERT_EQ(0, ioctl(self->vm->fd, KVM_IRQ_LINE_STATUS, &kvms));
		EXPECT_EQ(kvms.status, ours.status);
	}
	/* No route; and an MSI. */
	for (i = 0; i < 4; i++) {
		if (i == 2) {
			irqx_route_set(self->ctx, GSI + 1, irqx_entry(self->g, 0, VECTOR));
			irqx_expect(self->g, 0, VECTOR, 1);
		}
		ours = (struct kvm_irq_level){ .irq = GSI + 1, .level = i & 1 };
		ASSERT_EQ(0, ioctl(self->ctx, KVM_IRQ_LINE_STATUS, &ours));
		EXPECT_EQ(i == 3 ? 1 : -1, ours.status);
	}
	irqx_check(self->g);
}

/* A level that is up already is nothing new, masked or in service. */
TEST_F(level, held_is_coalesced)
{
	struct irqx_level level = irqx_level_direct(self->ctx, ioapic(PIN));
	struct irqx_level second = irqx_level_direct(self->ctx, ioapic(PIN));
	struct kvm_irqx_stats stats;

	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_hold(self->g, VECTOR, true);
	irqx_fire(level.fd);
	wait_in_service(self->g, VECTOR, 1);
	irqx_fire(level.fd);
	irqx_settle(self->ctx);
	irqx_fire(second.fd);
	irqx_settle(self->ctx);
	stats = irqx_stats(self->ctx);
	EXPECT_EQ(0, stats.refused);
	EXPECT_EQ(2, stats.coalesced);
	irqx_hold(self->g, VECTOR, false);
	irqx_eoi(self->g, 0);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
}

/* A GSI that no table can have, and DEASSIGN by eventfd and GSI, are as KVM's. */
TEST_F(level, irqfd_by_gsi)
{
	uint32_t far = irqx_info(self->ctx).max_gsi;
	int fd = irqx_eventfd(0, 0), ack = irqx_eventfd(0, 0);

	irqx_assert(__irqx_irqfd_level(self->ctx, fd, ack, far));
	ASSERT_EQ(EINVAL, __irqx_route_set(self->ctx, far, ioapic(PIN)));
	irqx_fire(fd);
	irqx_settle(self->ctx);
	ASSERT_EQ(1, irqx_stats(self->ctx).unrouted);
	irqx_irqfd(self->ctx, fd, 0, KVM_IRQFD_FLAG_DEASSIGN);
	irqx_irqfd(self->ctx, fd, far - 1, KVM_IRQFD_FLAG_DEASSIGN);
	ASSERT_EQ(1, irqx_stats(self->ctx).irqfds);
	irqx_irqfd(self->ctx, fd, far, KVM_IRQFD_FLAG_DEASSIGN);
	ASSERT_EQ(0, irqx_stats(self->ctx).irqfds);
	irqx_assert(__irqx_irqfd_level(self->ctx, fd, ack, UINT32_MAX));
	irqx_irqfd(self->ctx, fd, UINT32_MAX, KVM_IRQFD_FLAG_DEASSIGN);
	ASSERT_EQ(0, irqx_stats(self->ctx).irqfds);

	/* A direct binding has no GSI; it is undone by its eventfd, and so is any. */
	irqx_assert(__irqx_bind_level(self->ctx, fd, ack, ioapic(PIN)));
	irqx_irqfd(self->ctx, fd, 0, KVM_IRQFD_FLAG_DEASSIGN);
	ASSERT_EQ(1, irqx_stats(self->ctx).irqfds);
	irqx_unbind(self->ctx, fd);
	irqx_irqfd(self->ctx, fd, GSI, 0);
	irqx_unbind(self->ctx, fd);
	ASSERT_EQ(0, irqx_stats(self->ctx).irqfds);
}

/*
 * Routes of a GSI that is up
 */

TEST_F(level, rerouted_while_up)
{
	struct irqx_level level;

	irqx_route_set(self->ctx, GSI, ioapic(PIN));
	level = irqx_level_gsi(self->ctx, GSI);
	irqx_fire(level.fd);
	wait_up(self->g, PIN);

	irqx_route_set(self->ctx, GSI, ioapic(OTHER_PIN));
	ASSERT_EQ(1 << OTHER_PIN, irqx_ioapic_irr(self->vm));
	irqx_route_del(self->ctx, GSI);
	ASSERT_EQ(0, irqx_ioapic_irr(self->vm));
	irqx_route_set(self->ctx, GSI, ioapic(PIN));
	ASSERT_EQ(1 << PIN, irqx_ioapic_irr(self->vm));
	irqx_set_gsi_routing(self->ctx, NULL, 0);
	ASSERT_EQ(0, irqx_ioapic_irr(self->vm));
	irqx_route_set(self->ctx, GSI, ioapic(OTHER_PIN));
	ASSERT_EQ(1 << OTHER_PIN, irqx_ioapic_irr(self->vm));

	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_check(self->g);
	irqx_pin_level(self->g, OTHER_PIN, OTHER_VECTOR);
	asked_and_asserts(&level);
	irqx_expect(self->g, 0, OTHER_VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_acks(&level, 1));
	cycle(self->g, &level, OTHER_PIN, OTHER_VECTOR);
}

/* The guest's EOI is of the old pin then; the new one has its own interrupt. */
TEST_F(level, rerouted_in_service)
{
	struct irqx_level level;

	irqx_route_set(self->ctx, GSI, ioapic(PIN));
	level = irqx_level_gsi(self->ctx, GSI);
	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_pin_level(self->g, OTHER_PIN, OTHER_VECTOR);
	irqx_hold(self->g, VECTOR, true);
	irqx_hold(self->g, OTHER_VECTOR, true);
	irqx_fire(level.fd);
	wait_in_service(self->g, VECTOR, 1);

	irqx_route_set(self->ctx, GSI, ioapic(OTHER_PIN));
	wait_in_service(self->g, OTHER_VECTOR, 1);
	ASSERT_EQ(0, irqx_acks(&level, 0));
	irqx_hold(self->g, VECTOR, false);
	irqx_hold(self->g, OTHER_VECTOR, false);
	irqx_eoi(self->g, 0);
	ASSERT_EQ(1, irqx_acks(&level, 1));
	irqx_eoi(self->g, 0);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_expect(self->g, 0, OTHER_VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_acks(&level, 1));
}

TEST_F(level, routed_later)
{
	struct irqx_level level = irqx_level_gsi(self->ctx, GSI);

	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_fire(level.fd);
	irqx_settle(self->ctx);
	ASSERT_EQ(1, irqx_stats(self->ctx).unrouted);
	irqx_check(self->g);

	irqx_route_set(self->ctx, GSI, ioapic(PIN));
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_acks(&level, 1));
	cycle(self->g, &level, PIN, VECTOR);
}

/* A replaced table that leaves the route as it is leaves the pin as it is. */
TEST_F(level, same_route_again)
{
	struct kvm_irq_routing_entry entry = ioapic(PIN);
	struct irqx_level level;
	uint32_t i;

	entry.gsi = GSI;
	irqx_set_gsi_routing(self->ctx, &entry, 1);
	level = irqx_level_gsi(self->ctx, GSI);
	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_hold(self->g, VECTOR, true);
	irqx_fire(level.fd);
	wait_in_service(self->g, VECTOR, 1);
	for (i = 0; i < 20; i++)
		irqx_set_gsi_routing(self->ctx, &entry, 1);
	irqx_route_set(self->ctx, GSI, entry);
	wait_up(self->g, PIN);
	irqx_hold(self->g, VECTOR, false);
	irqx_eoi(self->g, 0);
	ASSERT_EQ(1, irqx_acks(&level, 1));
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
}

/* Likewise on an edge-triggered pin, where down and up would be a new edge. */
TEST_F(level, same_route_again_edge)
{
	struct kvm_irq_routing_entry entry = ioapic(PIN);
	struct irqx_level level;

	entry.gsi = GSI;
	irqx_set_gsi_routing(self->ctx, &entry, 1);
	level = irqx_level_gsi(self->ctx, GSI);
	irqx_pin_set(self->g, PIN, VECTOR);
	irqx_hold(self->g, VECTOR, true);
	irqx_fire(level.fd);
	wait_in_service(self->g, VECTOR, 1);
	irqx_set_gsi_routing(self->ctx, &entry, 1);
	irqx_route_set(self->ctx, GSI, entry);
	irqx_hold(self->g, VECTOR, false);
	irqx_eoi(self->g, 0);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_acks(&level, 1));
}

/* Likewise when the GSI gets a second pin. */
TEST_F(level, pin_added_edge)
{
	struct irqx_level level;

	irqx_pic_init(self->g, PIC_LEVEL, 0xffff, 0);
	irqx_route_set(self->ctx, GSI, ioapic(5));
	level = irqx_level_gsi(self->ctx, GSI);
	irqx_pin_set(self->g, 5, VECTOR);
	irqx_hold(self->g, VECTOR, true);
	irqx_fire(level.fd);
	wait_in_service(self->g, VECTOR, 1);
	irqx_route_add(self->ctx, GSI, irqx_pic_entry(5));
	irqx_hold(self->g, VECTOR, false);
	irqx_eoi(self->g, 0);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_acks(&level, 1));
}

/*
 * An edge-triggered pin raised by a change of the route, after KVM's table has
 * given it to another GSI: its EOI is seen as any other.
 */
TEST_F(level, rerouted_edge_other_kvm_gsi)
{
	struct irqx_level pin = irqx_level_direct(self->ctx, ioapic(PIN));
	struct irqx_level level = irqx_level_gsi(self->ctx, GSI);

	irqx_pin_set(self->g, PIN, VECTOR);
	cycle(self->g, &pin, PIN, VECTOR);
	irqx_fire(level.fd);
	irqx_settle(self->ctx);
	set_kvm_table(self->vm, 30, KVM_IOAPIC_NUM_PINS);
	irqx_route_set(self->ctx, GSI, ioapic(PIN));
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	EXPECT_EQ(1, irqx_acks(&level, 1));
	irqx_unbind(self->ctx, level.fd);
}

TEST_F(level, modify_while_up)
{
	struct irqx_level level = irqx_level_direct(self->ctx, ioapic(PIN));

	irqx_fire(level.fd);
	wait_up(self->g, PIN);
	irqx_modify(self->ctx, level.fd, ioapic(OTHER_PIN));
	ASSERT_EQ(1 << OTHER_PIN, irqx_ioapic_irr(self->vm));
	ASSERT_EQ(EINVAL, __irqx_modify(self->ctx, level.fd,
					irqx_entry(self->g, 0, VECTOR)));
	ASSERT_EQ(1 << OTHER_PIN, irqx_ioapic_irr(self->vm));
	irqx_modify(self->ctx, level.fd, ioapic(PIN));
	ASSERT_EQ(1 << PIN, irqx_ioapic_irr(self->vm));

	irqx_pin_level(self->g, PIN, VECTOR);
	asked_and_asserts(&level);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_acks(&level, 1));
	irqx_pin_level(self->g, OTHER_PIN, OTHER_VECTOR);
	irqx_modify(self->ctx, level.fd, ioapic(OTHER_PIN));
	cycle(self->g, &level, OTHER_PIN, OTHER_VECTOR);
}

/* While the device asserts and the guest acknowledges; none is lost. */
TEST_F(level, modify_storm)
{
	struct irqx_level level = irqx_level_direct(self->ctx, ioapic(PIN));
	uint32_t i, n = irqx_iterations(500, 50000);
	uint64_t acks = 0;

	irqx_pin_level(self->g, PIN, VECTOR);
	irqx_pin_level(self->g, OTHER_PIN, OTHER_VECTOR);
	for (i = 0; i < n; i++) {
		irqx_fire(level.fd);
		irqx_modify(self->ctx, level.fd,
			    ioapic(i & 1 ? PIN : OTHER_PIN));
		/* A pin that was moved in service interrupts once more. */
		acks = irqx_acks(&level, acks + 1);
		ASSERT_LT(i, acks);
	}
	irqx_settle(self->ctx);
	irqx_fence(self->g);
	ASSERT_LE(n, irqx_total(self->g));
	ASSERT_GE(2 * n, irqx_total(self->g));
	irqx_forget(self->g);
}

struct neighbour {
	struct kvm_vm *vm;
	pthread_t thread;
	bool stop;
	uint64_t rounds;
};

/* Comes, asserts and goes, by DEASSIGN or with its context. */
static void *neighbour_thread(void *arg)
{
	struct neighbour *n = arg;
	struct irqx_level level;
	int ctx;

	while (!READ_ONCE(n->stop)) {
		ctx = irqx_context(n->vm);
		level = irqx_level_direct(ctx, ioapic(PIN));
		irqx_fire(level.fd);
		if (n->rounds & 1)
			irqx_unbind(ctx, level.fd);
		if (n->rounds & 2) {
			close(ctx);
			irqx_level_close(&level);
		} else {
			irqx_level_close(&level);
			close(ctx);
		}
		WRITE_ONCE(n->rounds, n->rounds + 1);
	}
	return NULL;
}

TEST_F(level, neighbour_storm)
{
	struct irqx_level level = irqx_level_direct(self->ctx, ioapic(PIN));
	struct neighbour neighbour = { .vm = self->vm };
	uint32_t i, n = irqx_iterations(500, 50000);
	uint64_t acks = 0;

	irqx_pin_level(self->g, PIN, VECTOR);
	ASSERT_EQ(0, pthread_create(&neighbour.thread, NULL, neighbour_thread,
				    &neighbour));
	for (i = 0; i < n || READ_ONCE(neighbour.rounds) < 100; i++) {
		irqx_fire(level.fd);
		acks = irqx_acks(&level, acks + 1);
		ASSERT_LT(i, acks);
	}
	WRITE_ONCE(neighbour.stop, true);
	pthread_join(neighbour.thread, NULL);
	TH_LOG("%u cycles, %lu neighbours", i, neighbour.rounds);
	irqx_settle(self->ctx);
	irqx_fence(self->g);
	irqx_forget(self->g);
}

/*
 * The PIC
 */

/* Pin 5 is the master's, pin 11 the slave's. */
static const uint32_t pic_pins[] = { 5, 11 };

static void pic_cycle(struct irqx_guest *g, struct irqx_level *level,
		      uint32_t pin)
{
	uint64_t acks = level->acks + 1, got;

	irqx_fire(level->fd);
	irqx_expect(g, 0, IRQX_PIC_BASE + pin, 1);
	irqx_settle(g->ctx);
	irqx_wait_count(g, 0, IRQX_PIC_BASE + pin,
			g->vcpus[0].expect[IRQX_PIC_BASE + pin]);
	irqx_check(g);
	got = irqx_acks(level, acks);
	TEST_ASSERT(got == acks, "%lu EOIs, not %lu", got, acks);
	TEST_ASSERT(!irqx_pic_is_up(g->vm, pin), "PIC pin %u is up", pin);
}

TEST_F(level, pic)
{
	struct irqx_level level;
	uint32_t i, j;

	irqx_pic_init(self->g, PIC_LEVEL, 0, 0);
	for (i = 0; i < ARRAY_SIZE(pic_pins); i++) {
		irqx_route_set(self->ctx, GSI + i, irqx_pic_entry(pic_pins[i]));
		level = irqx_level_gsi(self->ctx, GSI + i);
		for (j = 0; j < 3; j++)
			pic_cycle(self->g, &level, pic_pins[i]);
		irqx_unbind(self->ctx, level.fd);
		level = irqx_level_direct(self->ctx, irqx_pic_entry(pic_pins[i]));
		for (j = 0; j < 3; j++)
			pic_cycle(self->g, &level, pic_pins[i]);
	}
}

TEST_F(level, pic_edge)
{
	struct irqx_level level;
	uint32_t i;

	irqx_pic_init(self->g, 0, 0, 0);
	for (i = 0; i < ARRAY_SIZE(pic_pins); i++) {
		level = irqx_level_direct(self->ctx, irqx_pic_entry(pic_pins[i]));
		pic_cycle(self->g, &level, pic_pins[i]);
		pic_cycle(self->g, &level, pic_pins[i]);
	}
}

TEST_F(level, pic_in_service)
{
	struct irqx_level level;
	uint32_t i, pin, vector;

	irqx_pic_init(self->g, PIC_LEVEL, 0, 0);
	for (i = 0; i < ARRAY_SIZE(pic_pins); i++) {
		pin = pic_pins[i];
		vector = IRQX_PIC_BASE + pin;
		irqx_route_set(self->ctx, GSI, irqx_pic_entry(pin));
		level = irqx_level_direct(self->ctx, irqx_pic_entry(pin));
		irqx_hold(self->g, vector, true);
		irqx_fire(level.fd);
		wait_in_service(self->g, vector, 1);
		ASSERT_TRUE(irqx_pic_is_up(self->vm, pin));
		irqx_fire(level.fd);
		irqx_settle(self->ctx);
		ASSERT_EQ(0, irqx_acks(&level, 0));

		/* With somebody else who holds it. */
		irqx_irq_line(self->ctx, GSI, 1);
		irqx_pic_eoi(self->g, pin);
		ASSERT_EQ(1, irqx_acks(&level, 1));
		wait_in_service(self->g, vector, 2);
		ASSERT_TRUE(irqx_pic_is_up(self->vm, pin));
		irqx_irq_line(self->ctx, GSI, 0);
		ASSERT_FALSE(irqx_pic_is_up(self->vm, pin));
		irqx_hold(self->g, vector, false);
		irqx_pic_eoi(self->g, pin);
		ASSERT_EQ(2, irqx_acks(&level, 2));
		irqx_expect(self->g, 0, vector, 2);
		irqx_check(self->g);
	}
}

TEST_F(level, pic_masked)
{
	struct irqx_level level;

	irqx_pic_init(self->g, PIC_LEVEL, 1 << 5, 0);
	level = irqx_level_direct(self->ctx, irqx_pic_entry(5));
	irqx_fire(level.fd);
	irqx_settle(self->ctx);
	ASSERT_TRUE(irqx_pic_is_up(self->vm, 5));
	irqx_check(self->g);
	irqx_do(self->g, 0, IRQX_OP_OUTB, 0x21, 0);
	irqx_expect(self->g, 0, IRQX_PIC_BASE + 5, 1);
	irqx_wait_count(self->g, 0, IRQX_PIC_BASE + 5, 1);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_acks(&level, 1));
	ASSERT_FALSE(irqx_pic_is_up(self->vm, 5));

	/* Deassigned while up. */
	irqx_do(self->g, 0, IRQX_OP_OUTB, 0x21, 1 << 5);
	irqx_fire(level.fd);
	irqx_settle(self->ctx);
	ASSERT_TRUE(irqx_pic_is_up(self->vm, 5));
	irqx_unbind(self->ctx, level.fd);
	ASSERT_FALSE(irqx_pic_is_up(self->vm, 5));
}

/* Acknowledged when the vCPU takes it: the handler finds the pin low. */
TEST_F(level, pic_auto_eoi)
{
	struct irqx_level level;
	uint32_t i;

	irqx_pic_init(self->g, PIC_LEVEL, 0, IRQX_PIC_AUTO_EOI);
	for (i = 0; i < ARRAY_SIZE(pic_pins); i++) {
		level = irqx_level_direct(self->ctx, irqx_pic_entry(pic_pins[i]));
		pic_cycle(self->g, &level, pic_pins[i]);
		pic_cycle(self->g, &level, pic_pins[i]);
	}
}

/* A GSI with both, as KVM's table has them: the guest uses one of the two. */
TEST_F(level, pic_and_ioapic)
{
	const uint32_t pin = 5;
	struct irqx_level level;

	irqx_route_set(self->ctx, GSI, ioapic(pin));
	level = irqx_level_gsi(self->ctx, GSI);
	irqx_route_add(self->ctx, GSI, irqx_pic_entry(pin));
	irqx_pic_init(self->g, PIC_LEVEL, 0xffff, 0);
	irqx_pin_level(self->g, pin, VECTOR);

	irqx_hold(self->g, VECTOR, true);
	irqx_fire(level.fd);
	wait_in_service(self->g, VECTOR, 1);
	ASSERT_TRUE(irqx_pin_is_up(self->vm, pin));
	ASSERT_TRUE(irqx_pic_is_up(self->vm, pin));
	irqx_hold(self->g, VECTOR, false);
	irqx_eoi(self->g, 0);
	ASSERT_EQ(1, irqx_acks(&level, 1));
	ASSERT_FALSE(irqx_pin_is_up(self->vm, pin));
	ASSERT_FALSE(irqx_pic_is_up(self->vm, pin));
	irqx_expect(self->g, 0, VECTOR, 1);
	cycle(self->g, &level, pin, VECTOR);
	ASSERT_FALSE(irqx_pic_is_up(self->vm, pin));

	irqx_pin_mask(self->g, pin, true);
	irqx_do(self->g, 0, IRQX_OP_OUTB, 0x21, 0xff & ~(1 << pin));
	pic_cycle(self->g, &level, pin);
	ASSERT_FALSE(irqx_pin_is_up(self->vm, pin));
	pic_cycle(self->g, &level, pin);

	/* Taken from one of them, and from both. */
	irqx_do(self->g, 0, IRQX_OP_OUTB, 0x21, 0xff);
	irqx_fire(level.fd);
	wait_up(self->g, pin);
	irqx_route_set(self->ctx, GSI, irqx_pic_entry(pin));
	ASSERT_FALSE(irqx_pin_is_up(self->vm, pin));
	ASSERT_TRUE(irqx_pic_is_up(self->vm, pin));
	irqx_route_add(self->ctx, GSI, ioapic(pin));
	ASSERT_TRUE(irqx_pin_is_up(self->vm, pin));
	irqx_unbind(self->ctx, level.fd);
	ASSERT_FALSE(irqx_pin_is_up(self->vm, pin));
	ASSERT_FALSE(irqx_pic_is_up(self->vm, pin));
}

/*
 * What is refused
 */

TEST_F(level, msi)
{
	struct kvm_irq_routing_entry msi = irqx_entry(self->g, 0, VECTOR);
	struct kvm_irqx_op ops[2] = {
		{ .op = KVM_IRQX_OP_ROUTE_SET, .entry = ioapic(OTHER_PIN) },
		{ .op = KVM_IRQX_OP_ROUTE_SET, .entry = msi },
	};
	struct kvm_irq_routing_entry table[2] = { ioapic(OTHER_PIN), msi };
	int fd = irqx_eventfd(0, 0), ack = irqx_eventfd(0, 0);
	struct irqx_level level, other;
	uint32_t index;

	ASSERT_EQ(EINVAL, __irqx_bind_level(self->ctx, fd, ack, msi));
	irqx_route_set(self->ctx, GSI, msi);
	ASSERT_EQ(EINVAL, __irqx_irqfd_level(self->ctx, fd, ack, GSI));
	ASSERT_EQ(0, irqx_stats(self->ctx).irqfds);

	/* A GSI that is resampled stays what it is. */
	irqx_route_set(self->ctx, GSI, ioapic(PIN));
	level = irqx_level_gsi(self->ctx, GSI);
	other = irqx_level_gsi(self->ctx, GSI + 1);
	irqx_fire(level.fd);
	wait_up(self->g, PIN);
	ASSERT_EQ(EINVAL, __irqx_route_set(self->ctx, GSI, msi));
	ops[0].entry.gsi = table[0].gsi = GSI;
	ops[1].entry.gsi = table[1].gsi = GSI + 1;
	ASSERT_EQ(EINVAL, __irqx_batch(self->ctx, ops, 2, &index));
	ASSERT_EQ(1, index);
	ASSERT_EQ(EINVAL, __irqx_set_gsi_routing(self->ctx, table, 2));
	ASSERT_EQ(1 << PIN, irqx_ioapic_irr(self->vm));
	ASSERT_EQ(1, irqx_stats(self->ctx).gsis);
	irqx_pin_level(self->g, PIN, VECTOR);
	asked_and_asserts(&level);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_acks(&level, 1));

	/* Nor does one stand in the way when it is gone. */
	irqx_unbind(self->ctx, other.fd);
	irqx_set_gsi_routing(self->ctx, table, 2);
	irqx_pin_level(self->g, OTHER_PIN, OTHER_VECTOR);
	cycle(self->g, &level, OTHER_PIN, OTHER_VECTOR);
}

TEST_F(level, flags)
{
	const uint32_t bad[] = {
		KVM_IRQX_IRQFD_DIRECT_DEASSIGN | KVM_IRQX_IRQFD_DIRECT_RESAMPLE,
		KVM_IRQX_IRQFD_DIRECT_MODIFY | KVM_IRQX_IRQFD_DIRECT_RESAMPLE,
		KVM_IRQX_IRQFD_DIRECT_MODIFY | KVM_IRQX_IRQFD_DIRECT_DEASSIGN,
		KVM_IRQX_IRQFD_DIRECT_RESAMPLE | 1 << 6,
		KVM_IRQX_IRQFD_DIRECT_RESAMPLE | 1U << 31,
	};
	struct irqx_level level = irqx_level_direct(self->ctx, ioapic(PIN));
	struct irqx_level gsi = irqx_level_gsi(self->ctx, GSI);
	struct kvm_irqx_irqfd_direct direct = {
		.fd = level.fd,
		.resamplefd = level.ack,
		.entry = ioapic(OTHER_PIN),
	};
	struct kvm_irqfd irqfd = {
		.fd = gsi.fd,
		.gsi = GSI,
		.resamplefd = gsi.ack,
	};
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		direct.flags = bad[i];
		ASSERT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT,
					       &direct));
	}
	direct.flags = KVM_IRQX_IRQFD_DIRECT_RESAMPLE;
	ASSERT_EQ(EBUSY, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));
	irqfd.flags = KVM_IRQFD_FLAG_RESAMPLE | 1 << 2;
	ASSERT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQFD, &irqfd));
	irqfd.flags = KVM_IRQFD_FLAG_RESAMPLE;
	ASSERT_EQ(EBUSY, __irqx_ioctl(self->ctx, KVM_IRQFD, &irqfd));
	ASSERT_EQ(ENOENT, __irqx_modify(self->ctx, gsi.fd, ioapic(PIN)));
	ASSERT_EQ(2, irqx_stats(self->ctx).irqfds);

	irqx_pin_level(self->g, PIN, VECTOR);
	cycle(self->g, &level, PIN, VECTOR);

	/* KVM takes this combination too. */
	irqfd.flags = KVM_IRQFD_FLAG_DEASSIGN | KVM_IRQFD_FLAG_RESAMPLE;
	ASSERT_EQ(0, __irqx_ioctl(self->ctx, KVM_IRQFD, &irqfd));
	ASSERT_EQ(0, __irqx_ioctl(self->ctx, KVM_IRQFD, &irqfd));
	ASSERT_EQ(1, irqx_stats(self->ctx).irqfds);
}

/* A binding that fails leaves a pin that others hold as it was. */
TEST_F(level, busy_while_up)
{
	struct irqx_level level = irqx_level_direct(self->ctx, ioapic(PIN));

	irqx_fire(level.fd);
	wait_up(self->g, PIN);
	ASSERT_EQ(EBUSY, __irqx_bind_level(self->ctx, level.fd, level.ack,
					   ioapic(PIN)));
	ASSERT_EQ(EBUSY, __irqx_bind_level(self->ctx, level.fd, level.ack,
					   ioapic(OTHER_PIN)));
	ASSERT_EQ(1 << PIN, irqx_ioapic_irr(self->vm));
	irqx_pin_level(self->g, PIN, VECTOR);
	asked_and_asserts(&level);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_acks(&level, 1));
}

TEST_F(level, bad_resamplefd)
{
	int null = open("/dev/null", O_RDWR);
	int fd = irqx_eventfd(0, 0);
	int ack = irqx_eventfd(0, 0);
	int closed = dup(ack);

	close(closed);
	ASSERT_LE(0, null);
	irqx_route_set(self->ctx, GSI, ioapic(PIN));
	ASSERT_EQ(EBADF, __irqx_bind_level(self->ctx, fd, -1, ioapic(PIN)));
	ASSERT_EQ(EBADF, __irqx_bind_level(self->ctx, fd, closed, ioapic(PIN)));
	ASSERT_EQ(EINVAL, __irqx_bind_level(self->ctx, fd, null, ioapic(PIN)));
	ASSERT_EQ(EBADF, __irqx_bind_level(self->ctx, closed, ack, ioapic(PIN)));
	ASSERT_EQ(EINVAL, __irqx_bind_level(self->ctx, null, ack, ioapic(PIN)));
	ASSERT_EQ(EBADF, __irqx_irqfd_level(self->ctx, fd, -1, GSI));
	ASSERT_EQ(EBADF, __irqx_irqfd_level(self->ctx, fd, closed, GSI));
	ASSERT_EQ(EINVAL, __irqx_irqfd_level(self->ctx, fd, null, GSI));
	ASSERT_EQ(EBADF, __irqx_irqfd_level(self->ctx, closed, ack, GSI));
	ASSERT_EQ(EINVAL, __irqx_irqfd_level(self->ctx, null, ack, GSI));
	ASSERT_EQ(EINVAL, __irqx_bind_level(self->ctx, fd, ack,
					    ioapic(KVM_IOAPIC_NUM_PINS)));
	ASSERT_EQ(0, irqx_stats(self->ctx).irqfds);

	/* Not looked at without RESAMPLE; the eventfd is free for a binding. */
	irqx_assert(__irqx_irqfd_level(self->ctx, fd, ack, GSI));
	close(null);
}

#define MAX_SOURCES	4096

/* What one EOI may have to walk through has a limit, per VM. */
TEST_F_TIMEOUT(level, many, 60)
{
	int *fds = calloc(MAX_SOURCES, sizeof(*fds));
	int ctx2 = irqx_context(self->vm);
	int ack = irqx_eventfd(0, 0), fd;
	struct irqx_level all = { .ack = ack };
	uint32_t i;

	ASSERT_NE(NULL, fds);
	irqx_eventfds(fds, MAX_SOURCES);
	fd = irqx_eventfd(0, 0);
	irqx_pin_level(self->g, PIN, VECTOR);
	for (i = 0; i < MAX_SOURCES; i++)
		ASSERT_EQ(0, __irqx_bind_level(i & 1 ? ctx2 : self->ctx, fds[i],
					       ack, ioapic(PIN)));
	irqx_route_set(self->ctx, GSI, ioapic(PIN));
	ASSERT_EQ(ENOSPC, __irqx_bind_level(self->ctx, fd, ack, ioapic(PIN)));
	ASSERT_EQ(ENOSPC, __irqx_irqfd_level(self->ctx, fd, ack, GSI));
	ASSERT_EQ(ENOSPC, __irqx_bind_level(ctx2, fd, ack, ioapic(OTHER_PIN)));
	ASSERT_EQ(ENOSPC, __irqx_irq_line(self->ctx, GSI, 1));
	ASSERT_EQ(MAX_SOURCES / 2, irqx_stats(self->ctx).irqfds);

	irqx_fire(fds[0]);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	/* The probe tells a few; the rest come from a worker. */
	ASSERT_EQ(MAX_SOURCES, irqx_acks(&all, MAX_SOURCES));
	usleep(10000);
	ASSERT_EQ(0, irqx_eventfd_take(ack));

	/* One goes, another may come. */
	irqx_unbind(ctx2, fds[1]);
	irqx_irq_line(self->ctx, GSI, 1);
	ASSERT_EQ(ENOSPC, __irqx_bind_level(self->ctx, fd, ack, ioapic(PIN)));
	irqx_pin_mask(self->g, PIN, true);
	irqx_irq_line(self->ctx, GSI, 0);
	irqx_route_del(self->ctx, GSI);
	ASSERT_EQ(0, __irqx_bind_level(self->ctx, fd, ack, ioapic(PIN)));
	close(ctx2);
	irqx_settle(self->ctx);
	irqx_fence(self->g);
	irqx_forget(self->g);
	irqx_close_all(fds, MAX_SOURCES);
	free(fds);
}

/* The IOAPIC is the VMM's then; KVM has no pins. */
TEST(split_irqchip)
{
	struct kvm_vm *vm = vm_create_barebones();
	int fd = irqx_eventfd(0, 0), ack = irqx_eventfd(0, 0);
	int ctx = irqx_context(vm);
	uint32_t chip;

	ASSERT_EQ(EAGAIN, __irqx_bind_level(ctx, fd, ack, ioapic(PIN)));
	vm_enable_cap(vm, KVM_CAP_SPLIT_IRQCHIP, KVM_IOAPIC_NUM_PINS);
	for (chip = 0; chip < KVM_NR_IRQCHIPS; chip++) {
		struct kvm_irq_routing_entry pin = irqx_pin_entry(chip, 5);

		ASSERT_EQ(EINVAL, __irqx_bind(ctx, fd, pin));
		ASSERT_EQ(EINVAL, __irqx_bind_level(ctx, fd, ack, pin));
		ASSERT_EQ(EINVAL, __irqx_route_set(ctx, GSI, pin));
	}
	/* There may be a SINT yet. */
	ASSERT_EQ(0, __irqx_irqfd_level(ctx, fd, ack, GSI));
	ASSERT_EQ(EINVAL, __irqx_route_set(ctx, GSI, ioapic(PIN)));
	close(ctx);
	kvm_vm_free(vm);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * 20,000 level cycles by 8 sources on 4 SPIs.
 *
 * A source is a device that wants service: it asserts, and when it hears of an
 * EOI it looks whether the guest's handler has run since.  If so that was one
 * cycle; if not, the EOI was for the other device of the SPI, and it asserts
 * again.  An interrupt or an acknowledgment that is lost leaves a source waiting
 * for ever; a line that is not lowered is an interrupt without end.
 */
#include "irqx_source.h"
#include "irqx_harness.h"

#define NR_SOURCES	8
#define NR_PINS		4

struct device {
	struct irqx_level level;
	uint32_t pin;
	uint64_t seen;			/* interrupts of @pin at the last event */
	uint64_t cycles;
	uint64_t asserted;
};

FIXTURE(storm)
{
	struct irqx_guest *g;
	struct device devices[NR_SOURCES];
};

FIXTURE_VARIANT(storm)
{
	uint32_t nr_vcpus;
	uint32_t flags;
	bool table;
};

FIXTURE_VARIANT_ADD(storm, one_vcpu) {
	.nr_vcpus = 1,
};

FIXTURE_VARIANT_ADD(storm, two_vcpus) {
	.nr_vcpus = 2,
	.table = true,
};

FIXTURE_VARIANT_ADD(storm, two_spinning) {
	.nr_vcpus = 2,
	.flags = IRQX_GUEST_ARCH_SPIN,
};

FIXTURE_SETUP(storm)
{
	struct device *d;
	uint32_t i;

	self->g = __irqx_guest_create(variant->nr_vcpus, NULL, variant->flags);
	for (i = 0; i < NR_SOURCES; i++) {
		d = &self->devices[i];
		d->pin = IRQX_LEVEL_PIN + i % NR_PINS;
		if (variant->table) {
			irqx_route_set(self->g->ctx, i % NR_PINS,
				       irqx_spi_entry(d->pin));
			d->level = irqx_level_gsi(self->g->ctx, i % NR_PINS);
		} else {
			d->level = irqx_level_direct(self->g->ctx,
						     irqx_spi_entry(d->pin));
		}
	}
	irqx_guest_start(self->g);
}

FIXTURE_TEARDOWN(storm)
{
	irqx_guest_free(self->g);
}

static uint64_t interrupts(struct irqx_guest *g, uint32_t pin)
{
	return irqx_count(g, irqx_pin_vcpu(g, pin), IRQX_SPI(pin));
}

static void assert_line(struct irqx_guest *g, struct device *d)
{
	d->seen = interrupts(g, d->pin);
	d->asserted++;
	irqx_fire(d->level.fd);
}

/* Return: whether anything has happened. */
static bool poll_device(struct irqx_guest *g, struct device *d, uint64_t cycles)
{
	if (d->cycles == cycles || !irqx_eventfd_take(d->level.ack))
		return false;
	if (interrupts(g, d->pin) != d->seen)
		d->cycles++;
	if (d->cycles < cycles)
		assert_line(g, d);
	return true;
}

TEST_F_TIMEOUT(storm, level_cycles, 600)
{
	uint64_t each = irqx_iterations(20000, 1000000) / NR_SOURCES;
	uint64_t last = irqx_now_ns(), asserted = 0, total = 0;
	uint32_t i, done, tries = 0;
	struct device *d;
	bool any;

	for (i = 0; i < NR_SOURCES; i++)
		assert_line(self->g, &self->devices[i]);
	do {
		for (i = 0, done = 0, any = false; i < NR_SOURCES; i++) {
			d = &self->devices[i];
			any |= poll_device(self->g, d, each);
			done += d->cycles == each;
		}
		if (any) {
			last = irqx_now_ns();
			tries = 0;
		} else {
			irqx_pause(tries++);
		}
		ASSERT_GT(last + IRQX_TIMEOUT_MS * 1000000ULL, irqx_now_ns()) {
			for (i = 0; i < NR_SOURCES; i++)
				TH_LOG("source %u: %lu cycles, line %s", i,
				       self->devices[i].cycles,
				       irqx_pin_is_up(self->g, self->devices[i].pin) ?
				       "up" : "down");
		}
	} while (done < NR_SOURCES);

	irqx_settle(self->g->ctx);
	irqx_fence(self->g);
	for (i = 0; i < NR_SOURCES; i++) {
		EXPECT_FALSE(irqx_pin_is_up(self->g, self->devices[i].pin));
		asserted += self->devices[i].asserted;
	}
	for (i = 0; i < NR_PINS; i++)
		total += interrupts(self->g, IRQX_LEVEL_PIN + i);
	TH_LOG("%lu cycles: %lu assertions, %lu interrupts", each * NR_SOURCES,
	       asserted, total);
	/* An interrupt serves two devices at best, and comes of an assertion. */
	EXPECT_LE(each * NR_SOURCES, 2 * total);
	EXPECT_LE(total, asserted);
	EXPECT_EQ(total, irqx_total(self->g));
	EXPECT_EQ(asserted, irqx_stats(self->g->ctx).events);
	EXPECT_EQ(0, irqx_stats(self->g->ctx).refused);
}

TEST_HARNESS_MAIN

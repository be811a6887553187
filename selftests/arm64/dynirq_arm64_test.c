// SPDX-License-Identifier: GPL-2.0
/*
 * What of a dynirq is arm64's: EventIDs, and the doorbell that the compact form of a handle sends
 * them to (Documentation/dynirq.rst sections 2 and 3).
 */
#include "irqx_dynirq.h"
#include "irqx_harness.h"

#define IRQ_A	(IRQX_IRQ_MIN + 5)
#define IRQ_B	(IRQX_IRQ_MIN + 9)

#define NR	8
#define HANDLE	3
#define OTHER	4

void irqx_guest_wait(void)
{
	irqx_table_guest();
}

void irqx_vcpu_exit(struct irqx_vcpu *v)
{
	irqx_table_exit(v);
}

FIXTURE(dynirq_arm64)
{
	struct irqx_guest *g;
	struct irqx_table dynirq;
	struct irqx_vector_message a, b;
	uint64_t its, elsewhere;
	int fd;
};

FIXTURE_SETUP(dynirq_arm64)
{
	if (!irqx_takes_tables())
		SKIP(return, "no ITS");
	self->g = irqx_table_guest_create(2);
	self->a = irqx_vector_message(self->g, 0, IRQ_A);
	self->b = irqx_vector_message(self->g, 1, IRQ_B);
	self->its = irqx_dynirq_doorbell(self->g);
	self->elsewhere = self->its + (5ULL << 40);
	self->dynirq = irqx_dynirq_create(self->g->ctx, NR);
	self->fd = irqx_eventfd(0, 0);
	irqx_bind(self->g->ctx, self->fd, irqx_vector_entry(&self->dynirq, HANDLE));
	irqx_guest_start(self->g);
	irqx_dynirq_attach(self->g, 0, &self->dynirq);
	irqx_handle_map(self->g, 0, &self->dynirq, HANDLE, self->a);
}

FIXTURE_TEARDOWN(dynirq_arm64)
{
	if (!self->g)
		return;
	irqx_dynirq_reset(self->g, 0, &self->dynirq);
	irqx_check(self->g);
	irqx_guest_free(self->g);
}

static void set_doorbell(FIXTURE_DATA(dynirq_arm64) *self, uint64_t address)
{
	irqx_mmio_write(self->g, 0, self->dynirq.entries + DYNIRQ_DOORBELL, 8, address);
}

static uint64_t address_of(FIXTURE_DATA(dynirq_arm64) *self, uint32_t handle)
{
	return irqx_mmio_read(self->g, 0, irqx_handle_entry_gpa(self->g, &self->dynirq, handle),
			      8);
}

/* The address of a message is DOORBELL as it is when the compact form is written. */
TEST_F(dynirq_arm64, doorbell)
{
	struct irqx_table *dynirq = &self->dynirq;
	struct irqx_guest *g = self->g;

	EXPECT_EQ(self->a.address, self->its);
	EXPECT_EQ(address_of(self, HANDLE), self->its);
	EXPECT_EQ(irqx_handle_read(g, 0, dynirq, HANDLE), dynirq_compact(self->a));
	set_doorbell(self, self->elsewhere);
	EXPECT_EQ(address_of(self, HANDLE), self->its);
	/* PARTIAL: another address than DOORBELL. */
	EXPECT_EQ(irqx_handle_read(g, 0, dynirq, HANDLE),
		  dynirq_compact(self->a) | DYNIRQ_PARTIAL);
	irqx_fire_at(g, self->fd, 0, IRQ_A);
	/* A mask is a write too. */
	irqx_handle_mask(g, 0, dynirq, HANDLE, true);
	EXPECT_EQ(address_of(self, HANDLE), self->elsewhere);
	EXPECT_EQ(irqx_handle_read(g, 0, dynirq, HANDLE),
		  dynirq_compact(self->a) | DYNIRQ_MASKED);
	set_doorbell(self, self->its);
	irqx_handle_mask(g, 0, dynirq, HANDLE, false);
	EXPECT_EQ(address_of(self, HANDLE), self->its);
	irqx_fire_at(g, self->fd, 0, IRQ_A);
}

/* Not an ITS: nothing is sent, and the event is lost (5). */
TEST_F(dynirq_arm64, doorbell_of_no_its)
{
	struct irqx_table *dynirq = &self->dynirq;
	struct irqx_guest *g = self->g;

	set_doorbell(self, self->elsewhere);
	irqx_handle_map(g, 0, dynirq, HANDLE, self->b);
	irqx_fire(self->fd);
	irqx_settle(g->ctx);
	EXPECT_EQ(irqx_stats(g->ctx).refused, 1);
	EXPECT_EQ(irqx_handle_read(g, 0, dynirq, HANDLE), dynirq_compact(self->b));
	set_doorbell(self, self->its);
	irqx_handle_map(g, 0, dynirq, HANDLE, self->b);
	irqx_fence(g);
	EXPECT_EQ(irqx_total(g), 0);
	irqx_fire_at(g, self->fd, 1, IRQ_B);
}

/* Likewise an event that the ITS does not know. */
TEST_F(dynirq_arm64, unknown_event)
{
	struct irqx_vector_message unknown = { .address = self->its, .data = 0xfffff };
	struct irqx_table *dynirq = &self->dynirq;
	struct irqx_guest *g = self->g;

	irqx_handle_map(g, 0, dynirq, HANDLE, unknown);
	irqx_fire(self->fd);
	irqx_settle(g->ctx);
	/* For KVM that is no error. */
	EXPECT_EQ(irqx_stats(g->ctx).coalesced, 1);
	EXPECT_EQ(irqx_handle_read(g, 0, dynirq, HANDLE), unknown.data);
	irqx_handle_map(g, 0, dynirq, HANDLE, self->b);
	irqx_fence(g);
	EXPECT_EQ(irqx_total(g), 0);
	irqx_fire_at(g, self->fd, 1, IRQ_B);
}

/* The EventID is the data, all 32 bits of it; DATA is zero. */
TEST_F(dynirq_arm64, event_id)
{
	uint64_t entry = irqx_handle_entry_gpa(self->g, &self->dynirq, OTHER);
	struct irqx_guest *g = self->g;

	irqx_handle_write(g, 0, &self->dynirq, OTHER, 0xfedcba99 | DYNIRQ_MASKED);
	EXPECT_EQ(irqx_mmio_read(g, 0, entry + IRQX_ENTRY_DATA, 4), 0xfedcba99);
	irqx_mmio_write(g, 0, entry + IRQX_ENTRY_DATA, 4, 0x98765433);
	EXPECT_EQ(irqx_handle_read(g, 0, &self->dynirq, OTHER), 0x98765433 | DYNIRQ_MASKED);
	EXPECT_EQ(irqx_mmio_read(g, 0, irqx_handle_gpa(g, &self->dynirq, OTHER), 4), 0x98765433);
}

TEST_HARNESS_MAIN

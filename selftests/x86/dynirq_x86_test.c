// SPDX-License-Identifier: GPL-2.0
/*
 * What of a dynirq is x86's: what the compact form of a handle has of an MSI, and what becomes of
 * it (Documentation/dynirq.rst section 3).
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

FIXTURE(dynirq_x86)
{
	struct irqx_guest *g;
	struct irqx_table dynirq;
	int fd;
};

FIXTURE_SETUP(dynirq_x86)
{
	self->g = irqx_table_guest_create(2);
	self->dynirq = irqx_dynirq_create(self->g->ctx, NR);
	self->fd = irqx_eventfd(0, 0);
	irqx_bind(self->g->ctx, self->fd, irqx_vector_entry(&self->dynirq, HANDLE));
	irqx_guest_start(self->g);
	irqx_dynirq_attach(self->g, 0, &self->dynirq);
}

FIXTURE_TEARDOWN(dynirq_x86)
{
	irqx_dynirq_reset(self->g, 0, &self->dynirq);
	irqx_check(self->g);
	irqx_guest_free(self->g);
}

static struct irqx_vector_message message_of(struct irqx_msi msi)
{
	struct kvm_irq_routing_entry entry = irqx_msi_entry(msi);

	return (struct irqx_vector_message){
		.address = (uint64_t)entry.u.msi.address_hi << 32 | entry.u.msi.address_lo,
		.data = entry.u.msi.data,
	};
}

/* As a guest writes it; it reads back. */
static void map(struct __test_metadata *_metadata, struct irqx_guest *g,
		struct irqx_table *dynirq, uint64_t compact)
{
	irqx_handle_write(g, 0, dynirq, HANDLE, compact);
	EXPECT_EQ(irqx_handle_read(g, 0, dynirq, HANDLE), compact);
	EXPECT_EQ(irqx_mmio_read(g, 0, irqx_handle_entry_gpa(g, dynirq, HANDLE), 8),
		  (uint32_t)compact);
}

static void expect_raise(struct irqx_guest *g, struct irqx_table *dynirq, uint32_t vcpu,
			 uint32_t irq)
{
	irqx_expect(g, vcpu, irq, 1);
	irqx_raise(dynirq, HANDLE);
	irqx_wait_count(g, vcpu, irq, g->vcpus[vcpu].expect[irq]);
	irqx_check(g);
}

/* Destination mode and redirection hint as they are. */
TEST_F(dynirq_x86, logical)
{
	struct irqx_msi msi = { .dest = 1 << 1, .vector = IRQ_B, .logical = true };
	struct irqx_guest *g = self->g;

	map(_metadata, g, &self->dynirq, dynirq_compact(message_of(msi)));
	irqx_fire_at(g, self->fd, 1, IRQ_B);
	irqx_check(g);
	/* Both. */
	msi.dest = 1 << 0 | 1 << 1;
	map(_metadata, g, &self->dynirq, dynirq_compact(message_of(msi)));
	irqx_expect(g, 0, IRQ_B, 1);
	irqx_fire_at(g, self->fd, 1, IRQ_B);
	irqx_wait_total(g, 3);
	irqx_check(g);
	/* One of them, whichever. */
	msi.hint = true;
	map(_metadata, g, &self->dynirq, dynirq_compact(message_of(msi)));
	irqx_fire(self->fd);
	irqx_wait_total(g, 4);
	irqx_fence(g);
	EXPECT_EQ(irqx_total(g), 4);
	EXPECT_EQ(irqx_count(g, 0, IRQ_B) + irqx_count(g, 1, IRQ_B), 4);
	irqx_forget(g);
}

/* All of the lower 16 bits of the data: the delivery mode is among them. */
TEST_F(dynirq_x86, nmi)
{
	struct irqx_msi msi = { .dest = 1, .vector = IRQ_B, .mode = APIC_DM_NMI };

	map(_metadata, self->g, &self->dynirq, dynirq_compact(message_of(msi)));
	irqx_fire_at(self->g, self->fd, 1, NMI_VECTOR);
}

/* Either of the two that the compact form does not show. */
TEST_F(dynirq_x86, partial)
{
	struct irqx_guest *g = self->g;
	uint64_t entry = irqx_handle_entry_gpa(g, &self->dynirq, OTHER);

	irqx_mmio_write(g, 0, entry + IRQX_ENTRY_UPPER, 4, 1);
	EXPECT_EQ(irqx_handle_read(g, 0, &self->dynirq, OTHER), DYNIRQ_MASKED | DYNIRQ_PARTIAL);
	irqx_mmio_write(g, 0, entry + IRQX_ENTRY_UPPER, 4, 0);
	EXPECT_EQ(irqx_handle_read(g, 0, &self->dynirq, OTHER), DYNIRQ_MASKED);
	irqx_mmio_write(g, 0, entry + IRQX_ENTRY_DATA, 4, 1U << 31);
	EXPECT_EQ(irqx_handle_read(g, 0, &self->dynirq, OTHER), DYNIRQ_MASKED | DYNIRQ_PARTIAL);
	irqx_mmio_write(g, 0, entry + IRQX_ENTRY_DATA, 4, 1U << 16);
	EXPECT_EQ(irqx_handle_read(g, 0, &self->dynirq, OTHER), DYNIRQ_MASKED | DYNIRQ_PARTIAL);
	irqx_mmio_write(g, 0, entry + IRQX_ENTRY_DATA, 4, 0xffff);
	EXPECT_EQ(irqx_handle_read(g, 0, &self->dynirq, OTHER),
		  0xffffULL << 32 | DYNIRQ_MASKED);
}

/* DOORBELL is kept, and not used (2). */
TEST_F(dynirq_x86, doorbell)
{
	struct irqx_msi msi = { .dest = 1, .vector = IRQ_B };
	uint64_t at = self->dynirq.entries + DYNIRQ_DOORBELL;

	irqx_mmio_write(self->g, 0, at, 8, ~0ULL << 2);
	EXPECT_EQ(irqx_mmio_read(self->g, 0, at, 8), ~0ULL << 2);
	map(_metadata, self->g, &self->dynirq, dynirq_compact(message_of(msi)));
	irqx_fire_at(self->g, self->fd, 1, IRQ_B);
}

/* A vector below 16 sends nothing, and the event is lost (5). */
TEST_F(dynirq_x86, vector_below_16)
{
	struct irqx_msi msi = { .dest = 1, .vector = 15 };
	struct irqx_guest *g = self->g;
	uint64_t before = irqx_stats(g->ctx).undeliverable;

	map(_metadata, g, &self->dynirq, dynirq_compact(message_of(msi)));
	EXPECT_EQ(irqx_stats(g->ctx).undeliverable, before + 1);
	irqx_fire(self->fd);
	irqx_settle(g->ctx);
	msi.vector = IRQ_B;
	map(_metadata, g, &self->dynirq, dynirq_compact(message_of(msi)));
	irqx_fence(g);
	EXPECT_EQ(irqx_total(g), 0);
	irqx_fire_at(g, self->fd, 1, IRQ_B);
}

/*
 * ---- APIC ids above 255 ----
 */

FIXTURE(wide)
{
	struct irqx_guest *g;
	struct irqx_table dynirq;
	uint64_t low;			/* the compact form of IRQ_A at APIC id 44 */
};

FIXTURE_SETUP(wide)
{
	static const uint32_t ids[] = { 0, 44, 300 };
	uint32_t i;

	self->g = __irqx_guest_create(ARRAY_SIZE(ids), ids,
				      IRQX_GUEST_ARCH_X2APIC_IDS | IRQX_GUEST_UNBOOTED);
	/* The hypervisor offers bits 14:8 of the destination in the lower address. */
	for (i = 0; i < ARRAY_SIZE(ids); i++)
		vcpu_set_cpuid_feature(self->g->vcpus[i].vcpu, X86_FEATURE_KVM_MSI_EXT_DEST_ID);
	virt_map(self->g->vm, IRQX_TABLE_GPA, IRQX_TABLE_GPA, IRQX_TABLE_PAGES);
	self->dynirq = irqx_dynirq_create(self->g->ctx, NR);
	irqx_guest_start(self->g);
	irqx_dynirq_attach(self->g, 0, &self->dynirq);
	self->low = dynirq_compact(message_of((struct irqx_msi){ .dest = 44, .vector = IRQ_A }));
	map(_metadata, self->g, &self->dynirq, self->low);
}

FIXTURE_TEARDOWN(wide)
{
	irqx_dynirq_reset(self->g, 0, &self->dynirq);
	irqx_check(self->g);
	irqx_guest_free(self->g);
}

/* The form of PCI has the upper address. */
TEST_F(wide, upper_address)
{
	struct irqx_table table = irqx_dynirq_as_table(self->g, &self->dynirq);

	expect_raise(self->g, &self->dynirq, 1, IRQ_A);
	irqx_vector_program(self->g, 0, &table, HANDLE,
			    message_of((struct irqx_msi){ .dest = 300, .vector = IRQ_A }));
	EXPECT_EQ(irqx_handle_read(self->g, 0, &self->dynirq, HANDLE),
		  self->low | DYNIRQ_PARTIAL);
	expect_raise(self->g, &self->dynirq, 2, IRQ_A);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * Tables of vectors: what a guest reads and writes, what comes of it, and what is the VMM's.
 */
#include <pthread.h>

#include "irqx_table.h"
#include "irqx_harness.h"

#define IRQ_A	(IRQX_IRQ_MIN + 5)
#define IRQ_B	(IRQX_IRQ_MIN + 9)
#define GSI	70000
#define NR	70

#define MASKED	KVM_IRQX_STATE_MASKED
#define PENDING	KVM_IRQX_STATE_PENDING

void irqx_guest_wait(void)
{
	irqx_table_guest();
}

void irqx_vcpu_exit(struct irqx_vcpu *v)
{
	irqx_table_exit(v);
}

/* Vector 3 of a table, with an eventfd; the guest has set it up to go to vCPU 0, IRQ_A. */
#define VECTOR	3
#define OTHER	4

FIXTURE(table) {
	struct irqx_guest *g;
	struct irqx_table table;
	struct irqx_vector_message a, b;
	int ctx;
	int fd;
};

FIXTURE_SETUP(table)
{
	if (!irqx_takes_tables())
		SKIP(return, "no ITS");
	self->g = irqx_table_guest_create(2);
	self->ctx = self->g->ctx;
	self->a = irqx_vector_message(self->g, 0, IRQ_A);
	self->b = irqx_vector_message(self->g, 1, IRQ_B);
	self->table = irqx_table_create(self->ctx, NR);
	self->fd = irqx_eventfd(0, 0);
	irqx_bind(self->ctx, self->fd, irqx_vector_entry(&self->table, VECTOR));
	irqx_guest_start(self->g);
	irqx_vector_program(self->g, 0, &self->table, VECTOR, self->a);
	TEST_ASSERT(!irqx_exits.nr, "%u exits", irqx_exits.nr);
}

FIXTURE_TEARDOWN(table)
{
	if (!self->g)
		return;
	/* So that nothing is under way; it may be gone. */
	__irqx_table_drop_pending(&self->table);
	irqx_check(self->g);
	irqx_guest_free(self->g);
}

static uint64_t entry_of(struct irqx_table *table, uint32_t vector)
{
	return table->entries + vector * IRQX_ENTRY_SIZE;
}

TEST_F(table, event_goes_where_the_guest_says)
{
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);
	irqx_vector_program(self->g, 1, &self->table, VECTOR, self->b);
	irqx_fire_at(self->g, self->fd, 1, IRQ_B);
	EXPECT_EQ(irqx_exits.nr, 0);
}

/* PCI leaves it undefined, and here it is in force when the write returns. */
TEST_F(table, unmasked_message_is_changed)
{
	uint64_t entry = entry_of(&self->table, VECTOR);

	irqx_mmio_write(self->g, 0, entry, 8, self->b.address);
	irqx_mmio_write(self->g, 0, entry + IRQX_ENTRY_DATA, 8, self->b.data);
	irqx_fire_at(self->g, self->fd, 1, IRQ_B);
}

TEST_F(table, entries_read_back)
{
	uint64_t entry = entry_of(&self->table, VECTOR);
	struct irqx_guest *g = self->g;

	irqx_vector_mask(g, 0, &self->table, VECTOR, true);
	irqx_mmio_write(g, 0, entry, 4, 0xfedcba98);
	irqx_mmio_write(g, 0, entry + 4, 4, 0x76543210);
	irqx_mmio_write(g, 0, entry + 8, 4, 0x89abcdef);
	EXPECT_EQ(irqx_mmio_read(g, 1, entry, 4), 0xfedcba98);
	EXPECT_EQ(irqx_mmio_read(g, 1, entry + 4, 4), 0x76543210);
	EXPECT_EQ(irqx_mmio_read(g, 1, entry + 8, 4), 0x89abcdef);
	EXPECT_EQ(irqx_mmio_read(g, 1, entry + 12, 4), 1);
	EXPECT_EQ(irqx_mmio_read(g, 1, entry, 8), 0x76543210fedcba98);
	EXPECT_EQ(irqx_mmio_read(g, 1, entry + 8, 8), 0x189abcdef);

	irqx_mmio_write(g, 0, entry, 8, 0x1122334455667788);
	irqx_mmio_write(g, 0, entry + 8, 8, 0x199aabbcc);
	EXPECT_EQ(irqx_mmio_read(g, 0, entry + 4, 4), 0x11223344);
	EXPECT_EQ(irqx_mmio_read(g, 0, entry, 4), 0x55667788);
	EXPECT_EQ(irqx_mmio_read(g, 0, entry + 8, 4), 0x99aabbcc);
	/* Address bits 1:0 and Control bits 31:1 are zero. */
	irqx_mmio_write(g, 0, entry, 4, 0xffffffff);
	EXPECT_EQ(irqx_mmio_read(g, 0, entry, 4), 0xfffffffc);
	irqx_mmio_write(g, 0, entry + 12, 4, 0xffffffff);
	EXPECT_EQ(irqx_mmio_read(g, 0, entry + 12, 4), 1);
	EXPECT_EQ(irqx_exits.nr, 0);
}

TEST_F(table, masked_event_is_pending_and_one)
{
	struct irqx_guest *g = self->g;
	struct kvm_irqx_vector state;

	EXPECT_FALSE(irqx_vector_pending(g, 0, &self->table, VECTOR));
	irqx_vector_mask(g, 0, &self->table, VECTOR, true);
	EXPECT_FALSE(irqx_vector_pending(g, 0, &self->table, VECTOR));
	irqx_fire(self->fd);
	irqx_fire(self->fd);
	EXPECT_EQ(irqx_eventfd_take(self->fd), 0);
	EXPECT_TRUE(irqx_vector_pending(g, 1, &self->table, VECTOR));
	EXPECT_FALSE(irqx_vector_pending(g, 1, &self->table, VECTOR + 1));
	state = irqx_vector_get(&self->table, VECTOR);
	EXPECT_EQ(state.state, KVM_IRQX_VECTOR_PENDING | KVM_IRQX_VECTOR_BOUND);
	EXPECT_EQ(state.control, 1);
	EXPECT_EQ(irqx_state(self->ctx, self->fd, 0), MASKED | PENDING);
	irqx_expect_no_more(g, 0);

	irqx_expect(g, 0, IRQ_A, 1);
	irqx_vector_mask(g, 1, &self->table, VECTOR, false);
	irqx_wait_count(g, 0, IRQ_A, 1);
	irqx_settle(self->ctx);
	EXPECT_FALSE(irqx_vector_pending(g, 1, &self->table, VECTOR));
	irqx_expect_no_more(g, 1);
	EXPECT_EQ(irqx_state(self->ctx, self->fd, 0), 0);
}

/* Masked, moved, unmasked: what is pending goes to the new place. */
TEST_F(table, pending_event_moves)
{
	irqx_vector_mask(self->g, 0, &self->table, VECTOR, true);
	irqx_fire(self->fd);
	irqx_expect(self->g, 1, IRQ_B, 1);
	irqx_vector_program(self->g, 0, &self->table, VECTOR, self->b);
	irqx_wait_count(self->g, 1, IRQ_B, 1);
	irqx_expect_no_more(self->g, 1);
}

TEST_F(table, function_mask_and_enable)
{
	static const uint32_t held[] = {
		KVM_IRQX_TABLE_DECODES,
		IRQX_TABLE_ON | KVM_IRQX_TABLE_MASKED,
		KVM_IRQX_TABLE_DECODES | KVM_IRQX_TABLE_MASKED,
	};
	uint64_t n = 0;
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(held); i++) {
		irqx_table_set_flags(&self->table, held[i]);
		irqx_fire(self->fd);
		EXPECT_TRUE(irqx_vector_pending(self->g, 0, &self->table, VECTOR));
		/* Its own mask is as the guest has it. */
		EXPECT_EQ(irqx_vector_get(&self->table, VECTOR).control, 0);
		irqx_expect_no_more(self->g, n);
		irqx_expect(self->g, 0, IRQ_A, 1);
		irqx_table_set_flags(&self->table, IRQX_TABLE_ON);
		irqx_wait_count(self->g, 0, IRQ_A, ++n);
	}
	/* One that is masked stays so. */
	irqx_vector_mask(self->g, 0, &self->table, VECTOR, true);
	irqx_table_set_flags(&self->table, held[1]);
	irqx_fire(self->fd);
	irqx_table_set_flags(&self->table, IRQX_TABLE_ON);
	irqx_expect_no_more(self->g, n);
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_vector_mask(self->g, 0, &self->table, VECTOR, false);
	irqx_wait_count(self->g, 0, IRQ_A, n + 1);
}

/* ---- a vector that nothing is bound to ---- */

TEST_F(table, unbound_vector_is_the_vmms)
{
	uint64_t entry = entry_of(&self->table, OTHER);
	struct irqx_guest *g = self->g;

	EXPECT_EQ(irqx_mmio_read(g, 0, entry + 8, 4), (uint32_t)IRQX_VMMS_VALUE);
	EXPECT_EQ(irqx_exits.nr, 1);
	EXPECT_EQ(irqx_exits.gpa, entry + 8);
	irqx_mmio_write(g, 0, entry, 8, 0x1234567890);
	EXPECT_EQ(irqx_exits.nr, 2);
	EXPECT_EQ(irqx_exits.value, 0x1234567890);
	EXPECT_EQ(irqx_exits.len, 8);
	/* The Pending Bit Array is answered, and so is what touches the other. */
	EXPECT_EQ(irqx_mmio_read(g, 0, self->table.pba, 8), 0);
	EXPECT_EQ(irqx_mmio_read(g, 0, self->table.pba + 8, 4), 0);
	irqx_mmio_read(g, 0, entry - 4, 4);
	EXPECT_EQ(irqx_exits.nr, 2);
	EXPECT_EQ(irqx_vector_get(&self->table, OTHER).state, 0);
	EXPECT_EQ(irqx_vector_get(&self->table, OTHER).control, 1);
	EXPECT_EQ(irqx_vector_get(&self->table, OTHER).address_lo, 0);
}

/* The guest unmasks it, and the VMM binds it then. */
TEST_F(table, vector_is_set_up_on_first_use)
{
	struct kvm_irqx_vector state = {
		.address_lo = self->b.address,
		.address_hi = self->b.address >> 32,
		.data = self->b.data,
	};
	int fd = irqx_eventfd(0, 0);

	irqx_fire(fd);
	irqx_vector_put(&self->table, OTHER, state);
	irqx_expect(self->g, 1, IRQ_B, 1);
	irqx_bind(self->ctx, fd, irqx_vector_entry(&self->table, OTHER));
	irqx_wait_count(self->g, 1, IRQ_B, 1);
	EXPECT_EQ(irqx_mmio_read(self->g, 0, entry_of(&self->table, OTHER) + 8, 4),
		  self->b.data);
	EXPECT_EQ(irqx_exits.nr, 0);
	irqx_fire_at(self->g, fd, 1, IRQ_B);
	close(fd);
}

/* Its bit of the Pending Bit Array, too. */
TEST_F(table, vmm_sets_a_pending_bit)
{
	struct kvm_irqx_vector state = { .control = 1, .state = KVM_IRQX_VECTOR_PENDING };

	irqx_vector_put(&self->table, OTHER, state);
	irqx_vector_put(&self->table, NR - 1, state);
	EXPECT_EQ(irqx_mmio_read(self->g, 0, self->table.pba, 8), 1ULL << OTHER);
	EXPECT_EQ(irqx_mmio_read(self->g, 0, self->table.pba + 8, 8), 1ULL << (NR - 1 - 64));
	EXPECT_EQ(irqx_mmio_read(self->g, 0, self->table.pba, 4), 1ULL << OTHER);
	EXPECT_EQ(irqx_mmio_read(self->g, 0, self->table.pba + 4, 4), 0);
	state.state = 0;
	irqx_vector_put(&self->table, OTHER, state);
	EXPECT_EQ(irqx_mmio_read(self->g, 0, self->table.pba, 8), 0);
	EXPECT_EQ(irqx_stats(self->ctx).undefined, 0);
}

/* What is pending at an unmasked one is sent when it is bound, and not before. */
TEST_F(table, pending_is_sent_when_bound)
{
	struct kvm_irqx_vector state = {
		.address_lo = self->b.address,
		.address_hi = self->b.address >> 32,
		.data = self->b.data,
		.state = KVM_IRQX_VECTOR_PENDING,
	};
	int fd = irqx_eventfd(0, 0);

	irqx_vector_put(&self->table, OTHER, state);
	irqx_expect_no_more(self->g, 0);
	irqx_expect(self->g, 1, IRQ_B, 1);
	irqx_bind(self->ctx, fd, irqx_vector_entry(&self->table, OTHER));
	irqx_wait_count(self->g, 1, IRQ_B, 1);
	irqx_expect_no_more(self->g, 1);
	close(fd);
}

TEST_F(table, last_one_gives_it_back)
{
	int second = irqx_eventfd(0, 0);
	struct kvm_irqx_vector state;

	irqx_bind(self->ctx, second, irqx_vector_entry(&self->table, VECTOR));
	irqx_fire_at(self->g, second, 0, IRQ_A);
	irqx_vector_mask(self->g, 0, &self->table, VECTOR, true);
	irqx_fire(second);
	irqx_unbind(self->ctx, second);
	/* It stays with the vector. */
	EXPECT_EQ(irqx_eventfd_take(second), 0);
	EXPECT_EQ(irqx_exits.nr, 0);
	EXPECT_EQ(irqx_mmio_read(self->g, 0, entry_of(&self->table, VECTOR) + 12, 4), 1);
	irqx_unbind(self->ctx, self->fd);
	EXPECT_EQ(irqx_eventfd_take(self->fd), 0);
	EXPECT_EQ(irqx_exits.nr, 0);
	irqx_mmio_write(self->g, 0, entry_of(&self->table, VECTOR) + 12, 4, 0);
	EXPECT_EQ(irqx_exits.nr, 1);
	EXPECT_TRUE(irqx_vector_pending(self->g, 0, &self->table, VECTOR));
	state = irqx_vector_get(&self->table, VECTOR);
	EXPECT_EQ(state.state, KVM_IRQX_VECTOR_PENDING);
	EXPECT_EQ(state.data, self->a.data);
	irqx_expect_no_more(self->g, 1);
	irqx_close_all(&second, 1);
}

/* Unmasked as it is, it is the VMM's again, and what is pending there waits. */
TEST_F(table, unbound_again_is_held_back)
{
	struct kvm_irqx_vector state;

	irqx_unbind(self->ctx, self->fd);
	state = irqx_vector_get(&self->table, VECTOR);
	EXPECT_EQ(state.control, 0);
	EXPECT_EQ(state.state, 0);
	state.state = KVM_IRQX_VECTOR_PENDING;
	irqx_vector_put(&self->table, VECTOR, state);
	EXPECT_EQ(irqx_vector_get(&self->table, VECTOR).state, KVM_IRQX_VECTOR_PENDING);
	irqx_expect_no_more(self->g, 0);
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_bind(self->ctx, self->fd, irqx_vector_entry(&self->table, VECTOR));
	irqx_wait_count(self->g, 0, IRQ_A, 1);
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);
}

/* ---- several ways to a vector ---- */

TEST_F(table, gsi_leads_there)
{
	struct kvm_irqx_op del = { .op = KVM_IRQX_OP_ROUTE_DEL, .entry.gsi = GSI };
	int fd = irqx_eventfd(0, 0);

	irqx_irqfd(self->ctx, fd, GSI, 0);
	irqx_route_set(self->ctx, GSI, irqx_vector_entry(&self->table, OTHER));
	EXPECT_EQ(irqx_vector_get(&self->table, OTHER).state, KVM_IRQX_VECTOR_BOUND);
	irqx_vector_program(self->g, 0, &self->table, OTHER, self->b);
	irqx_fire_at(self->g, fd, 1, IRQ_B);
	irqx_expect(self->g, 1, IRQ_B, 1);
	irqx_irq_line(self->ctx, GSI, 1);
	irqx_wait_count(self->g, 1, IRQ_B, 2);
	irqx_irq_line(self->ctx, GSI, 0);
	irqx_vector_mask(self->g, 0, &self->table, OTHER, true);
	irqx_irq_line(self->ctx, GSI, 1);
	EXPECT_TRUE(irqx_vector_pending(self->g, 0, &self->table, OTHER));
	EXPECT_EQ(irqx_state(self->ctx, KVM_IRQX_NO_FD, GSI), MASKED | PENDING);
	EXPECT_EQ(__irqx_mask(self->ctx, KVM_IRQX_NO_FD, GSI, true), EINVAL);
	irqx_batch(self->ctx, &del, 1);
	EXPECT_EQ(irqx_vector_get(&self->table, OTHER).state, KVM_IRQX_VECTOR_PENDING);
	EXPECT_EQ(irqx_exits.nr, 0);
	irqx_fire(fd);
	EXPECT_EQ(irqx_stats(self->ctx).unrouted, 1);
	close(fd);
}

/* Its mask stays behind, its pending event comes along; back again it has neither. */
TEST_F(table, binding_moves_there_and_back)
{
	int fd = irqx_eventfd(0, 0);

	irqx_bind(self->ctx, fd, irqx_entry(self->g, 1, IRQ_B));
	irqx_mask(self->ctx, fd);
	irqx_fire(fd);
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_modify(self->ctx, fd, irqx_vector_entry(&self->table, VECTOR));
	irqx_wait_count(self->g, 0, IRQ_A, 1);
	irqx_fire_at(self->g, fd, 0, IRQ_A);
	EXPECT_EQ(__irqx_mask(self->ctx, fd, 0, true), EINVAL);
	EXPECT_EQ(__irqx_mask(self->ctx, fd, 0, false), EINVAL);

	irqx_vector_mask(self->g, 0, &self->table, VECTOR, true);
	irqx_fire(fd);
	irqx_modify(self->ctx, fd, irqx_entry(self->g, 1, IRQ_B));
	EXPECT_EQ(irqx_state(self->ctx, fd, 0), 0);
	EXPECT_TRUE(irqx_vector_pending(self->g, 0, &self->table, VECTOR));
	irqx_fire_at(self->g, fd, 1, IRQ_B);
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_vector_mask(self->g, 0, &self->table, VECTOR, false);
	irqx_wait_count(self->g, 0, IRQ_A, 3);
	close(fd);
}

TEST_F(table, masked_gsi_moves_there)
{
	int fd = irqx_eventfd(0, 0);

	irqx_route_set(self->ctx, GSI, irqx_entry(self->g, 1, IRQ_B));
	irqx_irqfd(self->ctx, fd, GSI, 0);
	irqx_mask_gsi(self->ctx, GSI);
	irqx_fire(fd);
	/* Masked there as well. */
	irqx_vector_mask(self->g, 0, &self->table, VECTOR, true);
	irqx_route_set(self->ctx, GSI, irqx_vector_entry(&self->table, VECTOR));
	EXPECT_TRUE(irqx_vector_pending(self->g, 0, &self->table, VECTOR));
	irqx_fire(fd);
	irqx_expect_no_more(self->g, 0);
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_vector_mask(self->g, 0, &self->table, VECTOR, false);
	irqx_wait_count(self->g, 0, IRQ_A, 1);
	irqx_route_set(self->ctx, GSI, irqx_entry(self->g, 1, IRQ_B));
	irqx_fire_at(self->g, fd, 1, IRQ_B);
	close(fd);
}

TEST_F(table, batch_binds_a_function)
{
	struct kvm_irqx_op ops[NR] = {};
	int fds[NR];
	uint32_t i;

	irqx_eventfds(fds, NR);
	for (i = 0; i < NR; i++) {
		ops[i].op = KVM_IRQX_OP_ASSIGN;
		ops[i].fd = fds[i];
		ops[i].entry = irqx_vector_entry(&self->table, i);
	}
	/* The last one fails, and no vector is bound. */
	ops[NR - 1].entry.u.irqchip.pin = NR;
	EXPECT_EQ(__irqx_batch(self->ctx, ops, NR, &i), EINVAL);
	EXPECT_EQ(i, NR - 1);
	EXPECT_EQ(irqx_vector_get(&self->table, OTHER).state, 0);
	ops[NR - 1].entry.u.irqchip.pin = NR - 1;
	irqx_batch(self->ctx, ops, NR);
	for (i = 0; i < NR; i++)
		EXPECT_EQ(irqx_vector_get(&self->table, i).state, KVM_IRQX_VECTOR_BOUND);
	irqx_vector_program(self->g, 0, &self->table, NR - 1, self->b);
	irqx_fire_at(self->g, fds[NR - 1], 1, IRQ_B);

	for (i = 0; i < NR; i++)
		ops[i] = (struct kvm_irqx_op){ .op = KVM_IRQX_OP_DEASSIGN, .fd = fds[i] };
	irqx_batch(self->ctx, ops, NR);
	EXPECT_EQ(irqx_vector_get(&self->table, OTHER).state, 0);
	EXPECT_EQ(irqx_vector_get(&self->table, VECTOR).state, KVM_IRQX_VECTOR_BOUND);
	irqx_close_all(fds, NR);
}

/* ---- where it is ---- */

TEST_F(table, moves_and_decodes)
{
	uint64_t old = entry_of(&self->table, VECTOR);
	struct irqx_table *table = &self->table;
	uint64_t pba = table->pba;

	irqx_table_move(table, IRQX_TABLE_GPA + 0x10018, IRQX_TABLE_GPA + 0x10000);
	/* From 7.3 on KVM lets an access pass for a moment. */
	irqx_wait_until(irqx_mmio_read(self->g, 0, entry_of(table, VECTOR) + 8, 4) ==
			self->a.data, 1000);
	EXPECT_EQ(irqx_mmio_read(self->g, 0, entry_of(table, VECTOR) + 8, 4), self->a.data);
	irqx_exits.nr = 0;
	EXPECT_EQ(irqx_mmio_read(self->g, 0, table->pba, 8), 0);
	EXPECT_EQ(irqx_exits.nr, 0);
	irqx_mmio_read(self->g, 0, old, 4);
	irqx_mmio_read(self->g, 0, pba, 4);
	EXPECT_EQ(irqx_exits.nr, 2);
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);

	/* Not decoded: nothing is answered, events arrive all the same. */
	irqx_table_set_flags(table, KVM_IRQX_TABLE_ENABLED);
	irqx_mmio_read(self->g, 0, entry_of(table, VECTOR), 4);
	irqx_mmio_read(self->g, 0, table->pba, 4);
	EXPECT_EQ(irqx_exits.nr, 4);
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);
	irqx_table_move(table, IRQX_TABLE_GPA, IRQX_TABLE_GPA + 0x8000);
	irqx_table_set_flags(table, IRQX_TABLE_ON);
	irqx_wait_until(irqx_mmio_read(self->g, 0, entry_of(table, VECTOR) + 8, 4) ==
			self->a.data, 1000);
	irqx_vector_program(self->g, 0, table, VECTOR, self->b);
	irqx_fire_at(self->g, self->fd, 1, IRQ_B);
}

TEST_F(table, undefined_accesses_change_nothing)
{
	uint64_t entry = entry_of(&self->table, VECTOR);
	struct irqx_guest *g = self->g;
	uint64_t n = 0, before;
	uint32_t i;

	before = irqx_mmio_read(g, 0, entry, 8);
	for (i = 0; i < 16; i++) {
		irqx_mmio_write(g, 0, entry + i, 1, 0xff);
		EXPECT_EQ(irqx_mmio_read(g, 0, entry + i, 1), 0);
		n += 2;
	}
	for (i = 0; i < 15; i++) {
		irqx_mmio_write(g, 0, entry + i, 2, 0xffff);
		EXPECT_EQ(irqx_mmio_read(g, 0, entry + i, 2), 0);
		n += 2;
	}
	for (i = 1; i < 4; i++) {
		irqx_mmio_write(g, 0, entry + i, 4, 0xffffffff);
		EXPECT_EQ(irqx_mmio_read(g, 0, entry + i, 4), 0);
		irqx_mmio_write(g, 0, entry + i, 8, ~0ULL);
		EXPECT_EQ(irqx_mmio_read(g, 0, entry + i + 4, 8), 0);
		n += 4;
	}
	/* A write to Pending bits is one too. */
	irqx_mmio_write(g, 0, self->table.pba, 8, ~0ULL);
	EXPECT_EQ(irqx_mmio_read(g, 0, self->table.pba, 8), 0);
	EXPECT_EQ(irqx_mmio_read(g, 0, self->table.pba + 2, 4), 0);
	n += 2;
	EXPECT_EQ(irqx_mmio_read(g, 0, entry, 8), before);
	EXPECT_EQ(irqx_mmio_read(g, 0, entry + 8, 8), self->a.data);
	EXPECT_EQ(irqx_stats(self->ctx).undefined, n);
	EXPECT_EQ(irqx_exits.nr, 0);
	irqx_fire_at(g, self->fd, 0, IRQ_A);
	/* They stay counted when the table is no more. */
	irqx_unbind(self->ctx, self->fd);
	irqx_table_destroy(&self->table);
	EXPECT_EQ(irqx_stats(self->ctx).undefined, n);
}

/* ---- the VMM's calls ---- */

TEST_F(table, state_is_that_of_the_guest)
{
	struct kvm_irqx_vector *vectors = calloc(NR, sizeof(*vectors));
	uint64_t changed[2] = { ~0ULL, ~0ULL };

	EXPECT_EQ(irqx_table_get(&self->table, vectors, changed), IRQX_TABLE_ON);
	EXPECT_EQ(vectors[VECTOR].address_lo, (uint32_t)self->a.address);
	EXPECT_EQ(vectors[VECTOR].address_hi, self->a.address >> 32);
	EXPECT_EQ(vectors[VECTOR].data, self->a.data);
	EXPECT_EQ(vectors[VECTOR].control, 0);
	EXPECT_EQ(vectors[OTHER].control, 1);
	EXPECT_EQ(changed[0], 1ULL << VECTOR);

	/* A bound one is moved by the VMM as the guest would. */
	vectors[VECTOR].data = self->b.data;
	vectors[VECTOR].address_lo = self->b.address;
	vectors[VECTOR].address_hi = self->b.address >> 32;
	irqx_vector_put(&self->table, VECTOR, vectors[VECTOR]);
	irqx_fire_at(self->g, self->fd, 1, IRQ_B);

	/* A reset. */
	memset(vectors, 0, NR * sizeof(*vectors));
	vectors[VECTOR].control = 1;
	irqx_vector_mask(self->g, 0, &self->table, VECTOR, true);
	irqx_fire(self->fd);
	irqx_assert(__irqx_table_put(&self->table, 0, NR, vectors, KVM_IRQX_TABLE_DECODES));
	EXPECT_FALSE(irqx_vector_pending(self->g, 0, &self->table, VECTOR));
	EXPECT_EQ(irqx_mmio_read(self->g, 0, entry_of(&self->table, VECTOR), 8), 0);
	EXPECT_EQ(irqx_table_get(&self->table, vectors, NULL), KVM_IRQX_TABLE_DECODES);
	EXPECT_EQ(vectors[OTHER].control, 0);
	irqx_expect_no_more(self->g, 1);
	free(vectors);
}

/* One interrupt, whatever it was before: pending or not, masked or not. */
TEST_F(table, put_pending_is_one_interrupt)
{
	struct kvm_irqx_vector state = irqx_vector_get(&self->table, VECTOR);
	uint64_t n = 0;
	uint32_t i;

	for (i = 0; i < 8; i++) {
		if (i & 1) {
			irqx_vector_mask(self->g, 0, &self->table, VECTOR, true);
			if (i & 2)
				irqx_fire(self->fd);
		}
		state.state = i & 4 ? KVM_IRQX_VECTOR_PENDING : 0;
		if (i & 4)
			irqx_expect(self->g, 0, IRQ_A, 1);
		n += !!(i & 4);
		state.control = 0;
		irqx_vector_put(&self->table, VECTOR, state);
		irqx_wait_count(self->g, 0, IRQ_A, n);
		irqx_expect_no_more(self->g, n);
		EXPECT_EQ(irqx_state(self->ctx, self->fd, 0), 0);
	}
}

/* An entry that is handed on, a Pending bit that is taken back: each alone. */
TEST_F(table, entry_or_pending_bit_alone)
{
	struct kvm_irqx_vector state = {
		.address_lo = self->b.address,
		.address_hi = self->b.address >> 32,
		.data = self->b.data,
		.control = 1,
	};
	const uint32_t both = KVM_IRQX_TABLE_STATE_KEEP_ENTRIES |
			      KVM_IRQX_TABLE_STATE_KEEP_PENDING;

	EXPECT_EQ(__irqx_vector_keep(&self->table, VECTOR, state, both), EINVAL);
	irqx_vector_mask(self->g, 0, &self->table, VECTOR, true);
	irqx_fire(self->fd);
	irqx_assert(__irqx_vector_keep(&self->table, VECTOR, state,
				       KVM_IRQX_TABLE_STATE_KEEP_PENDING));
	EXPECT_TRUE(irqx_vector_pending(self->g, 0, &self->table, VECTOR));
	EXPECT_EQ(irqx_vector_get(&self->table, VECTOR).data, self->b.data);
	state.data = 0;
	state.control = 0;
	irqx_assert(__irqx_vector_keep(&self->table, VECTOR, state,
				       KVM_IRQX_TABLE_STATE_KEEP_ENTRIES));
	EXPECT_FALSE(irqx_vector_pending(self->g, 0, &self->table, VECTOR));
	EXPECT_EQ(irqx_vector_get(&self->table, VECTOR).data, self->b.data);
	EXPECT_EQ(irqx_vector_get(&self->table, VECTOR).control, 1);
	irqx_vector_mask(self->g, 0, &self->table, VECTOR, false);
	irqx_expect_no_more(self->g, 0);
	/* Unmasked, a Pending bit is an interrupt. */
	state.state = KVM_IRQX_VECTOR_PENDING;
	irqx_expect(self->g, 1, IRQ_B, 1);
	irqx_assert(__irqx_vector_keep(&self->table, VECTOR, state,
				       KVM_IRQX_TABLE_STATE_KEEP_ENTRIES));
	irqx_wait_count(self->g, 1, IRQ_B, 1);
}

TEST_F(table, change_is_told)
{
	struct irqx_table table = {
		.nr = 100,
		.entries = IRQX_TABLE_GPA + 0x20000,
		.pba = IRQX_TABLE_GPA + 0x30000,
	};
	struct kvm_irqx_vector *vectors = calloc(100, sizeof(*vectors));
	int changefd = irqx_eventfd(0, 0), fd = irqx_eventfd(0, 0);
	uint64_t changed[2];

	irqx_assert(__irqx_table_create(self->ctx, &table, IRQX_TABLE_ON, changefd));
	irqx_bind(self->ctx, fd, irqx_vector_entry(&table, 99));
	EXPECT_EQ(irqx_eventfd_take(changefd), 0);
	irqx_vector_program(self->g, 0, &table, 99, self->b);
	EXPECT_EQ(irqx_eventfd_take(changefd), 1);
	irqx_table_get(&table, vectors, changed);
	EXPECT_EQ(changed[0], 0);
	EXPECT_EQ(changed[1], 1ULL << (99 - 64));
	irqx_table_get(&table, vectors, changed);
	EXPECT_EQ(changed[1], 0);
	/* What changes nothing is not told, nor what the VMM does. */
	irqx_vector_mask(self->g, 0, &table, 99, false);
	irqx_vector_put(&table, 99, (struct kvm_irqx_vector){ .control = 1 });
	EXPECT_EQ(irqx_eventfd_take(changefd), 0);
	irqx_vector_mask(self->g, 0, &table, 99, false);
	EXPECT_EQ(irqx_eventfd_take(changefd), 1);
	free(vectors);
	close(fd);
	close(changefd);
}

static int create(int ctx, uint64_t entries, uint64_t pba, uint32_t nr, uint32_t flags)
{
	struct irqx_table table = { .nr = nr, .entries = entries, .pba = pba };
	int err = __irqx_table_create(ctx, &table, flags, KVM_IRQX_NO_FD);

	if (!err)
		irqx_table_destroy(&table);
	return err;
}

TEST_F(table, overlaps)
{
	uint64_t entries = self->table.entries, pba = self->table.pba;
	uint64_t free = IRQX_TABLE_GPA + 0x40000;
	int ctx = irqx_context(self->g->vm);
	struct irqx_table other = { .nr = 1, .entries = entries, .pba = free };

	EXPECT_EQ(create(self->ctx, entries, free, 1, IRQX_TABLE_ON), EEXIST);
	EXPECT_EQ(create(ctx, entries + NR * 16 - 8, free, 1, IRQX_TABLE_ON), EEXIST);
	EXPECT_EQ(create(ctx, free, pba + 8, 1, IRQX_TABLE_ON), EEXIST);
	EXPECT_EQ(create(ctx, pba, free, 1, IRQX_TABLE_ON), EEXIST);
	EXPECT_EQ(create(ctx, entries + NR * 16, free, 1, IRQX_TABLE_ON), 0);
	EXPECT_EQ(create(ctx, free, pba + 16, 1, IRQX_TABLE_ON), 0);
	/* Each other. */
	EXPECT_EQ(create(ctx, free, free + 8, 1, IRQX_TABLE_ON), EINVAL);
	EXPECT_EQ(create(ctx, free, free + 16, 1, IRQX_TABLE_ON), 0);
	EXPECT_EQ(create(ctx, free, free - 8, 1, IRQX_TABLE_ON), 0);
	/* One that does not decode may be anywhere, and may not begin to. */
	irqx_assert(__irqx_table_create(ctx, &other, KVM_IRQX_TABLE_ENABLED,
					KVM_IRQX_NO_FD));
	EXPECT_EQ(__irqx_table_set_flags(&other, IRQX_TABLE_ON), EEXIST);
	EXPECT_EQ(__irqx_table_put(&other, 0, 0, NULL, IRQX_TABLE_ON), EEXIST);
	EXPECT_EQ(irqx_mmio_read(self->g, 0, entry_of(&self->table, VECTOR) + 8, 4),
		  self->a.data);
	irqx_table_set_flags(&self->table, KVM_IRQX_TABLE_ENABLED);
	irqx_table_set_flags(&other, IRQX_TABLE_ON);
	EXPECT_EQ(__irqx_table_set_flags(&self->table, IRQX_TABLE_ON), EEXIST);
	/* The other is answered: unbound, and its Pending Bit Array. */
	irqx_mmio_read(self->g, 0, entries, 4);
	EXPECT_EQ(irqx_exits.nr, 1);
	EXPECT_EQ(irqx_mmio_read(self->g, 0, free, 8), 0);
	EXPECT_EQ(irqx_exits.nr, 1);
	/* A move to the place that it has is none. */
	irqx_table_move(&other, entries + 8, free);
	EXPECT_EQ(__irqx_table_move(&self->table, entries, pba), 0);
	EXPECT_EQ(__irqx_table_set_flags(&self->table, IRQX_TABLE_ON), EEXIST);
	close(ctx);
	irqx_table_set_flags(&self->table, IRQX_TABLE_ON);
}

/* KVM's search of its bus loses its way in ranges within ranges. */
TEST_F(table, nested_ranges_hide_nothing)
{
	struct irqx_table inner = {
		.nr = 4,
		.entries = self->table.entries + 256,
		.pba = IRQX_TABLE_GPA + 0x40000,
	};
	int last = irqx_eventfd(0, 0), fd = irqx_eventfd(0, 0);
	uint32_t round;

	irqx_bind(self->ctx, last, irqx_vector_entry(&self->table, NR - 1));
	irqx_vector_program(self->g, 0, &self->table, NR - 1, self->b);
	irqx_assert(__irqx_table_create(self->ctx, &inner, KVM_IRQX_TABLE_ENABLED,
					KVM_IRQX_NO_FD));
	irqx_bind(self->ctx, fd, irqx_vector_entry(&inner, 1));
	for (round = 0; round < 3; round++) {
		irqx_exits.nr = 0;
		EXPECT_EQ(irqx_mmio_read(self->g, 0, entry_of(&self->table, NR - 1) + 8, 4),
			  self->b.data);
		EXPECT_EQ(irqx_mmio_read(self->g, 0, entry_of(&self->table, VECTOR) + 8, 4),
			  self->a.data);
		EXPECT_EQ(irqx_exits.nr, 0);
		irqx_table_set_flags(&self->table, KVM_IRQX_TABLE_ENABLED);
		irqx_table_set_flags(&inner, IRQX_TABLE_ON);
		EXPECT_EQ(__irqx_table_set_flags(&self->table, IRQX_TABLE_ON), EEXIST);
		irqx_vector_program(self->g, 0, &inner, 1, self->a);
		/* Of vector 0, which is nobody's, and the outer one's last. */
		irqx_mmio_read(self->g, 0, entry_of(&inner, 0), 4);
		irqx_mmio_read(self->g, 0, entry_of(&self->table, NR - 1), 4);
		EXPECT_EQ(irqx_exits.nr, 2);
		irqx_fire_at(self->g, fd, 0, IRQ_A);
		irqx_table_set_flags(&inner, KVM_IRQX_TABLE_ENABLED);
		irqx_table_set_flags(&self->table, IRQX_TABLE_ON);
	}
	/* Under a table that answers, and moved away from there. */
	irqx_table_move(&inner, IRQX_TABLE_GPA + 0x50000, IRQX_TABLE_GPA + 0x58000);
	irqx_table_set_flags(&inner, IRQX_TABLE_ON);
	EXPECT_EQ(irqx_mmio_read(self->g, 0, entry_of(&inner, 1) + 8, 4), self->a.data);
	irqx_fire_at(self->g, last, 1, IRQ_B);
	irqx_close_all(&fd, 1);
	irqx_close_all(&last, 1);
}

/* Nobody asked to be told: the changes are noted all the same. */
TEST_F(table, changes_are_noted)
{
	struct kvm_irqx_vector *vectors = calloc(NR, sizeof(*vectors));
	uint64_t changed[2];

	irqx_table_get(&self->table, vectors, changed);
	EXPECT_EQ(changed[0], 1ULL << VECTOR);
	EXPECT_EQ(changed[1], 0);
	irqx_table_get(&self->table, vectors, changed);
	EXPECT_EQ(changed[0], 0);
	free(vectors);
}

TEST_F_TIMEOUT(table, as_many_as_fit, 200)
{
	static struct irqx_table tables[520];
	uint32_t i, n, round;
	int err = 0;

	for (round = 0; round < 2; round++) {
		for (n = 0; n < ARRAY_SIZE(tables) && !err; n++) {
			tables[n] = (struct irqx_table){
				.nr = 1,
				.entries = IRQX_TABLE_GPA + 0x100000 + n * 32,
				.pba = IRQX_TABLE_GPA + 0x100000 + n * 32 + 16,
			};
			err = __irqx_table_create(self->ctx, &tables[n], IRQX_TABLE_ON,
						  KVM_IRQX_NO_FD);
		}
		EXPECT_EQ(err, ENOSPC);
		err = 0;
		EXPECT_GE(n, 480);
		EXPECT_LE(n, 500);
		/* The first one and the last are answered. */
		EXPECT_EQ(irqx_mmio_read(self->g, 0, tables[0].pba, 8), 0);
		EXPECT_EQ(irqx_mmio_read(self->g, 0, tables[n - 2].pba, 8), 0);
		for (i = 0; i + 1 < n; i++)
			irqx_table_destroy(&tables[i]);
	}
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);
}

/* ---- under fire ---- */

#define PACED	irqx_iterations(10000, 100000)

/* One event after the other, to the end of what vCPU 1 does.  Return: how many. */
static uint64_t fire_paced(struct irqx_guest *g, int fd)
{
	uint64_t i;

	for (i = 1; i <= PACED || irqx_guest_done(g, 1) < PACED; i++) {
		irqx_fire(fd);
		irqx_wait_total(g, i);
	}
	irqx_guest_end(g, 1);
	irqx_fence(g);
	return i - 1;
}

/* One event outstanding: each is one interrupt, old place or new. */
TEST_F_TIMEOUT(table, paced_moves, 300)
{
	struct irqx_guest *g = self->g;
	uint64_t fired;

	irqx_vector_moves_start(g, 1, &self->table, VECTOR, self->a,
				irqx_vector_message(g, 0, IRQ_B), ~0ULL);
	fired = fire_paced(g, self->fd);
	EXPECT_EQ(irqx_total(g), fired);
	EXPECT_EQ(irqx_exits.nr, 0);
	irqx_forget(g);
}

/* Many: one at least after the last, no more than there were. */
TEST_F_TIMEOUT(table, unpaced_moves, 300)
{
	struct irqx_guest *g = self->g;
	struct irqx_storm storm;
	uint64_t fired, before;

	irqx_storm_start(&storm, &self->fd, 1);
	irqx_vector_moves_start(g, 1, &self->table, VECTOR, self->a,
				irqx_vector_message(g, 0, IRQ_B), PACED);
	irqx_guest_join(g, 1);
	fired = irqx_storm_stop(&storm);
	irqx_settle(self->ctx);
	irqx_fence(g);
	before = irqx_total(g);
	EXPECT_LE(before, fired);
	EXPECT_GT(before, 0);
	irqx_fire(self->fd);
	irqx_wait_total(g, before + 1);
	irqx_fence(g);
	EXPECT_EQ(irqx_total(g), before + 1);
	irqx_forget(g);
}

/* While it is masked nothing comes, and the Pending bit says what is there. */
TEST_F_TIMEOUT(table, masked_means_masked, 300)
{
	uint64_t i, n = irqx_iterations(300, 3000), total = 0;
	struct irqx_guest *g = self->g;
	struct irqx_storm storm;

	irqx_storm_start(&storm, &self->fd, 1);
	for (i = 0; i < n; i++) {
		irqx_vector_mask(g, 1, &self->table, VECTOR, true);
		irqx_fence(g);
		total = irqx_total(g);
		irqx_wait_until(irqx_vector_pending(g, 1, &self->table, VECTOR),
				IRQX_TIMEOUT_MS);
		EXPECT_TRUE(irqx_vector_pending(g, 1, &self->table, VECTOR));
		EXPECT_EQ(irqx_vector_get(&self->table, VECTOR).state,
			  KVM_IRQX_VECTOR_PENDING | KVM_IRQX_VECTOR_BOUND);
		irqx_fence(g);
		EXPECT_EQ(irqx_total(g), total);
		irqx_vector_mask(g, 1, &self->table, VECTOR, false);
		irqx_wait_total(g, total + 1);
	}
	irqx_storm_stop(&storm);
	irqx_settle(self->ctx);
	irqx_fence(g);
	EXPECT_FALSE(irqx_vector_pending(g, 1, &self->table, VECTOR));
	irqx_forget(g);
}

TEST_F_TIMEOUT(table, masks_under_fire, 300)
{
	struct irqx_guest *g = self->g;
	uint64_t fired;

	irqx_vector_masks_start(g, 1, &self->table, VECTOR, ~0ULL);
	fired = fire_paced(g, self->fd);
	EXPECT_EQ(irqx_total(g), fired);
	irqx_forget(g);
}

struct fiddle {
	struct irqx_table *table;
	int fd;
	bool stop;
	uint64_t n;
};

/* What a VMM may do to a table while its guest uses it. */
static void *fiddle(void *arg)
{
	struct fiddle *f = arg;
	struct irqx_table table = *f->table;
	uint64_t far = IRQX_TABLE_GPA + 0x200000;
	struct kvm_irqx_vector *vectors = calloc(table.nr, sizeof(*vectors));

	for (f->n = 0; !READ_ONCE(f->stop); f->n++) {
		irqx_table_set_flags(&table, KVM_IRQX_TABLE_ENABLED);
		irqx_table_set_flags(&table, IRQX_TABLE_ON | KVM_IRQX_TABLE_MASKED);
		irqx_table_set_flags(&table, IRQX_TABLE_ON);
		if (f->n % 8 == 0) {
			irqx_table_move(&table, far, far + 0x10000);
			irqx_table_move(&table, f->table->entries, f->table->pba);
		}
		irqx_table_get(&table, vectors, NULL);
		irqx_modify(table.ctx, f->fd, irqx_vector_entry(&table, OTHER));
		irqx_modify(table.ctx, f->fd, irqx_vector_entry(&table, VECTOR));
	}
	free(vectors);
	return NULL;
}

/* Nothing to count but that all of them go on, and the last event arrives. */
TEST_F_TIMEOUT(table, vmm_and_guest_at_once, 300)
{
	struct fiddle f = { .table = &self->table, .fd = irqx_eventfd(0, 0) };
	struct irqx_guest *g = self->g;
	struct irqx_storm storm;
	int fds[2] = { self->fd, f.fd };
	uint64_t i, total;
	pthread_t thread;

	irqx_bind(self->ctx, f.fd, irqx_vector_entry(&self->table, VECTOR));
	irqx_storm_start(&storm, fds, 2);
	pthread_create(&thread, NULL, fiddle, &f);
	for (i = 0; i < irqx_iterations(4, 40); i++) {
		irqx_mmio_noise_start(g, 0, self->table.entries, 128, 500);
		irqx_mmio_noise_start(g, 1, self->table.pba - 64, 128, 500);
		irqx_guest_join(g, 0);
		irqx_guest_join(g, 1);
	}
	irqx_wait_until(READ_ONCE(f.n) > 16, IRQX_TIMEOUT_MS);
	WRITE_ONCE(f.stop, true);
	pthread_join(thread, NULL);
	irqx_storm_stop(&storm);
	irqx_unbind(self->ctx, f.fd);
	EXPECT_GT(f.n, 16);

	/* The guest has written at random: also interrupts that go anywhere. */
	irqx_vector_put(&self->table, VECTOR, (struct kvm_irqx_vector){ .control = 1 });
	irqx_vector_program(g, 0, &self->table, VECTOR, self->a);
	irqx_fence(g);
	total = irqx_total(g);
	irqx_fire(self->fd);
	irqx_wait_total(g, total + 1);
	irqx_forget(g);
	close(f.fd);
}

TEST_F_TIMEOUT(table, closed_under_fire, 300)
{
	uint64_t n = irqx_iterations(20, 200);
	struct irqx_guest *g = self->g;
	struct irqx_storm storm;
	struct irqx_table table;
	uint64_t i;
	int ctx;

	irqx_unbind(self->ctx, self->fd);
	irqx_table_destroy(&self->table);
	for (i = 0; i < n; i++) {
		ctx = irqx_context(g->vm);
		table = irqx_table_create(ctx, NR);
		irqx_bind(ctx, self->fd, irqx_vector_entry(&table, VECTOR));
		irqx_vector_program(g, 0, &table, VECTOR, self->a);
		irqx_exit_hook = NULL;
		irqx_storm_start(&storm, &self->fd, 1);
		irqx_mmio_noise_start(g, 1, table.entries + OTHER * 16, 1024, 100);
		if (i % 2) {
			irqx_unbind(ctx, self->fd);
			irqx_table_destroy(&table);
		}
		close(ctx);
		irqx_guest_join(g, 1);
		irqx_storm_stop(&storm);
	}
	irqx_fence(g);
	irqx_forget(g);
}

/* ---- a whole function ---- */

TEST_F_TIMEOUT(table, all_vectors, 300)
{
	const uint32_t nr = KVM_IRQX_MAX_VECTORS;
	struct kvm_irqx_vector *vectors = calloc(nr, sizeof(*vectors));
	struct kvm_irqx_op *ops = calloc(nr, sizeof(*ops));
	struct irqx_table table = {
		.nr = nr,
		.entries = IRQX_TABLE_GPA + 0x80000,
		.pba = IRQX_TABLE_GPA + 0x90000,
	};
	struct irqx_guest *g = self->g;
	int *fds = calloc(nr, sizeof(*fds));
	struct irqx_vector_message message;
	struct irqx_slot slot;
	uint32_t i;

	irqx_assert(__irqx_table_create(self->ctx, &table, IRQX_TABLE_ON | KVM_IRQX_TABLE_MASKED,
					KVM_IRQX_NO_FD));
	irqx_eventfds(fds, nr);
	for (i = 0; i < nr; i++) {
		ops[i].op = KVM_IRQX_OP_ASSIGN;
		ops[i].fd = fds[i];
		ops[i].entry = irqx_vector_entry(&table, i);
		slot = irqx_slot(g, i);
		message = irqx_vector_message(g, slot.vcpu, slot.irq);
		vectors[i] = (struct kvm_irqx_vector){
			.address_lo = message.address,
			.address_hi = message.address >> 32,
			.data = message.data,
		};
	}
	irqx_batch(self->ctx, ops, nr);
	irqx_assert(__irqx_table_put(&table, 0, nr, vectors, -1));
	for (i = 0; i < nr; i++)
		irqx_fire(fds[i]);
	for (i = 0; i < nr; i += 64)
		EXPECT_EQ(irqx_mmio_read(g, 0, table.pba + i / 8, 8), ~0ULL);
	irqx_expect_no_more(g, 0);
	/* Some share an interrupt. */
	irqx_table_set_flags(&table, IRQX_TABLE_ON);
	irqx_settle(self->ctx);
	irqx_fence(g);
	EXPECT_GE(irqx_total(g), irqx_nr_slots(g));
	for (i = 0; i < nr; i += 64)
		EXPECT_EQ(irqx_mmio_read(g, 0, table.pba + i / 8, 8), 0);
	irqx_forget(g);
	for (i = 0; i < nr; i++) {
		slot = irqx_slot(g, i);
		irqx_fire_at(g, fds[i], slot.vcpu, slot.irq);
	}
	EXPECT_EQ(irqx_exits.nr, 0);
	irqx_close_all(fds, nr);
	free(fds);
	free(ops);
	free(vectors);
}

struct saved {
	uint32_t function;
	uint64_t taken;
	struct kvm_irqx_vector vectors[NR];
};

/* Another process, another VM: what was pending there is sent here. */
static int restore(void *arg)
{
	struct saved *saved = arg;
	struct irqx_guest *g = irqx_table_guest_create(2);
	struct irqx_table table = {
		.nr = NR,
		.entries = IRQX_TABLE_GPA,
		.pba = IRQX_TABLE_GPA + 0x1000,
	};
	uint64_t pending = 0;
	int fds[NR];
	uint32_t i;

	irqx_assert(__irqx_table_create(g->ctx, &table, 0, KVM_IRQX_NO_FD));
	irqx_assert(__irqx_table_put(&table, 0, NR, saved->vectors, saved->function));
	for (i = 0; i < NR; i++)
		pending += saved->vectors[i].state & KVM_IRQX_VECTOR_PENDING;
	irqx_guest_start(g);
	irqx_fence(g);
	TEST_ASSERT(!irqx_total(g), "%lu before anything is bound", irqx_total(g));
	irqx_eventfds(fds, NR);
	for (i = 0; i < NR; i++)
		irqx_bind(g->ctx, fds[i], irqx_vector_entry(&table, i));
	for (i = 0; i < NR; i++)
		irqx_vector_mask(g, 0, &table, i, false);
	irqx_wait_total(g, pending);
	irqx_settle(g->ctx);
	irqx_fence(g);
	TEST_ASSERT(irqx_total(g) == pending, "%lu of %lu", irqx_total(g), pending);
	irqx_guest_free(g);
	/* So many that none is lost in between. */
	return pending;
}

/* In the middle of moves and masks, with one event outstanding for each vector. */
TEST_F_TIMEOUT(table, saved_and_restored, 120)
{
	struct saved saved = {};
	struct irqx_guest *g = self->g;
	uint32_t i, round, fired;
	uint64_t before;
	int fds[NR];

	irqx_unbind(self->ctx, self->fd);
	for (round = 0; round < irqx_iterations(3, 30); round++) {
		before = irqx_total(g);
		irqx_eventfds(fds, NR);
		for (i = 0; i < NR; i++) {
			struct irqx_vector_message m =
				irqx_vector_message(g, i % 2, IRQX_IRQ_MIN + i);

			irqx_bind(self->ctx, fds[i], irqx_vector_entry(&self->table, i));
			irqx_vector_put(&self->table, i, (struct kvm_irqx_vector){
				.address_lo = m.address,
				.address_hi = m.address >> 32,
				.data = m.data,
				.control = i % 3 == 0,
			});
		}
		irqx_vector_masks_start(g, 1, &self->table, 1, ~0ULL);
		for (fired = 0; fired < NR; fired++) {
			if (fired == NR / 2)
				irqx_table_set_flags(&self->table,
						     IRQX_TABLE_ON | KVM_IRQX_TABLE_MASKED);
			irqx_fire(fds[fired]);
		}
		irqx_guest_end(g, 1);
		for (i = 0; i < NR; i++)
			irqx_unbind(self->ctx, fds[i]);
		saved.function = irqx_table_get(&self->table, saved.vectors, NULL);
		saved.function &= ~KVM_IRQX_TABLE_MASKED;
		irqx_fence(g);
		saved.taken = irqx_total(g) - before;
		irqx_forget(g);
		for (i = 0; i < NR; i++)
			EXPECT_EQ(irqx_eventfd_take(fds[i]), 0);
		irqx_close_all(fds, NR);
		EXPECT_EQ(saved.taken + irqx_in_child(restore, &saved), NR);
		/* What the others had taken is not asked for again. */
		/* So that nothing is under way; it may be gone. */
	__irqx_table_drop_pending(&self->table);
		irqx_table_set_flags(&self->table, IRQX_TABLE_ON);
	}
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * As route_test: GSIs that several irqchips share, and the levels of the IOAPIC.
 */
#include "irqx_route.h"

#define PIC_BASE	0x60

static void pic_irq(struct ex_regs *regs)
{
	irqx_guest_pic_eoi(PIC_BASE, regs->vector);
	irqx_guest_count(regs->vector);
}

static void pic_start(struct irqx_guest *g)
{
	int i;

	for (i = 0; i < 16; i++)
		irqx_guest_handle(g->vm, PIC_BASE + i, pic_irq);
	irqx_pic_set(g->vm, PIC_BASE);
}

static uint32_t ioapic_irr(struct kvm_vm *vm)
{
	return irqx_irqchip_get(vm, KVM_IRQCHIP_IOAPIC).chip.ioapic.irr;
}

static uint8_t pic_irr(struct kvm_vm *vm, uint32_t chip_id)
{
	return irqx_irqchip_get(vm, chip_id).chip.pic.irr;
}

TEST_F(route, batch_all_or_nothing)
{
	enum { NR = 1000, BAD = 617 };
	struct kvm_irqx_op ops[NR];
	struct irqx_guest *g = self->g;
	int fds[4], i, what;
	uint32_t index;

	/* GSI 0: to be set again; 1: deleted; 2: without a route; 3: added to */
	for (i = 0; i < 4; i++)
		fds[i] = irqfd_on(self->ctx, i);
	irqx_route_set(self->ctx, 0, irqx_entry(g, 0, 0x40));
	irqx_route_set(self->ctx, 1, irqx_entry(g, 1, 0x41));
	irqx_ioapic_set(g->vm, 4, 0x43);
	irqx_route_set(self->ctx, 3, irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 4));

	for (what = 0; what < 4; what++) {
		for (i = 0; i < NR; i++)
			ops[i] = op_of(KVM_IRQX_OP_ROUTE_SET, i, irqx_entry(g, 0, 0xa0));
		ops[1] = op_del(1);
		ops[3] = op_of(KVM_IRQX_OP_ROUTE_ADD, 3,
			       irqx_pin_entry(KVM_IRQCHIP_PIC_MASTER, 4));
		switch (what) {
		case 0:
			ops[BAD].entry.type = 77;
			break;
		case 1:
			ops[BAD].entry.gsi = ~0U;
			break;
		case 2:	/* a GSI that is in the batch already */
			ops[BAD] = op_of(KVM_IRQX_OP_ROUTE_ADD, 0, irqx_entry(g, 0, 0xa0));
			break;
		case 3:
			ops[BAD].op = 0;
			break;
		}
		index = ~0U;
		EXPECT_EQ(EINVAL, __irqx_batch(self->ctx, ops, NR, &index));
		EXPECT_EQ(BAD, index);
		EXPECT_EQ(3, irqx_stats(self->ctx).gsis);
		EXPECT_EQ(4, irqx_stats(self->ctx).irqfds);
		irqx_fire_at(g, fds[0], 0, 0x40);
		irqx_fire_at(g, fds[1], 1, 0x41);
		fire_unrouted(_metadata, self->ctx, fds[2]);
		irqx_fire_at(g, fds[3], 0, 0x43);
	}

	/* GSI 3 did not get its second entry. */
	irqx_route_add(self->ctx, 3, irqx_pin_entry(KVM_IRQCHIP_PIC_MASTER, 4));
	irqx_route_set(self->ctx, 3, irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 4));

	/* The same without the bad one. */
	for (i = 0; i < NR; i++)
		ops[i] = op_of(KVM_IRQX_OP_ROUTE_SET, i, irqx_entry(g, 0, 0xa0));
	ops[1] = op_del(1);
	EXPECT_EQ(0, __irqx_batch(self->ctx, ops, NR, &index));
	EXPECT_EQ(NR, index);
	EXPECT_EQ(NR - 1, irqx_stats(self->ctx).gsis);
	irqx_fire_at(g, fds[0], 0, 0xa0);
	fire_unrouted(_metadata, self->ctx, fds[1]);
	irqx_fire_at(g, fds[2], 0, 0xa0);
}

/*
 * Sequences: operations take effect in their order.
 */

TEST_F(route, sequences)
{
	struct kvm_irq_routing_entry pic = irqx_pin_entry(KVM_IRQCHIP_PIC_MASTER, 3);
	struct kvm_irq_routing_entry slave = irqx_pin_entry(KVM_IRQCHIP_PIC_SLAVE, 3);
	struct kvm_irq_routing_entry pin = irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 3);
	struct irqx_guest *g = self->g;
	struct kvm_irq_routing_entry a = irqx_entry(g, 0, 0x40);
	struct kvm_irq_routing_entry b = irqx_entry(g, 1, 0x41);
	struct kvm_irqx_op ops[] = {
		/* 10: the last one counts */
		op_of(KVM_IRQX_OP_ROUTE_SET, 10, a),
		op_of(KVM_IRQX_OP_ROUTE_SET, 10, b),
		/* 11: none in the end */
		op_of(KVM_IRQX_OP_ROUTE_SET, 11, a),
		op_del(11),
		/* 12: there again */
		op_of(KVM_IRQX_OP_ROUTE_SET, 12, b),
		op_del(12),
		op_of(KVM_IRQX_OP_ROUTE_ADD, 12, a),
		/* 13: three, then one */
		op_of(KVM_IRQX_OP_ROUTE_SET, 13, pic),
		op_of(KVM_IRQX_OP_ROUTE_ADD, 13, slave),
		op_of(KVM_IRQX_OP_ROUTE_ADD, 13, pin),
		op_of(KVM_IRQX_OP_ROUTE_SET, 13, a),
		/* 14: had none, has none */
		op_del(14),
		op_del(14),
		/* 15: an MSI gives way */
		op_of(KVM_IRQX_OP_ROUTE_SET, 15, a),
		op_of(KVM_IRQX_OP_ROUTE_SET, 15, pic),
		op_of(KVM_IRQX_OP_ROUTE_ADD, 15, pin),
		/* 10 again, from afar */
		op_of(KVM_IRQX_OP_ROUTE_SET, 10, a),
	};
	int fds[16] = {};
	int gsi, round;

	irqx_ioapic_set(g->vm, 3, 0x43);
	pic_start(g);
	for (gsi = 10; gsi < 15; gsi++)
		fds[gsi] = irqfd_on(self->ctx, gsi);

	/* On an empty table, on its own result, and on something else. */
	for (round = 0; round < 3; round++) {
		irqx_batch(self->ctx, ops, ARRAY_SIZE(ops));
		EXPECT_EQ(4, irqx_stats(self->ctx).gsis);
		irqx_fire_at(g, fds[10], 0, 0x40);
		fire_unrouted(_metadata, self->ctx, fds[11]);
		irqx_fire_at(g, fds[12], 0, 0x40);
		irqx_fire_at(g, fds[13], 0, 0x40);
		fire_unrouted(_metadata, self->ctx, fds[14]);
		irqx_irq_line(self->ctx, 15, 1);
		irqx_irq_line(self->ctx, 15, 0);
		irqx_expect(g, 0, 0x43, 1);
		irqx_expect(g, 0, PIC_BASE + 3, 1);
		irqx_check(g);
		if (round == 1)
			for (gsi = 10; gsi < 16; gsi++)
				irqx_route_set(self->ctx, gsi, b);
	}
}

/*
 * Who may share a GSI
 */

TEST_F(route, sharing_rules)
{
	struct kvm_irq_routing_entry msi = irqx_entry(self->g, 0, 0x40);
	struct kvm_irq_routing_entry pin = irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 3);
	struct kvm_irq_routing_entry pin2 = irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 4);
	struct kvm_irq_routing_entry pic = irqx_pin_entry(KVM_IRQCHIP_PIC_MASTER, 3);
	struct kvm_irq_routing_entry slave = irqx_pin_entry(KVM_IRQCHIP_PIC_SLAVE, 3);
	const struct {
		struct kvm_irq_routing_entry entries[4];
		uint32_t nr;
		int err;	/* of the last */
	} cases[] = {
		{ { msi, msi }, 2, EINVAL },
		{ { msi, pin }, 2, EINVAL },
		{ { pin, msi }, 2, EINVAL },
		{ { pin, pin }, 2, EINVAL },
		{ { pin, pin2 }, 2, EINVAL },
		{ { pin, pic }, 2, 0 },
		{ { pic, pin, pic }, 3, EINVAL },
		{ { pic, slave, pin }, 3, 0 },
		{ { pic, slave, pin, pin2 }, 4, EINVAL },
		{ { pic, slave, pin, msi }, 4, EINVAL },
	};
	struct kvm_irq_routing_entry entries[5];
	struct kvm_irqx_op ops[5];
	uint32_t i, k, index;
	int ctx;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		/* one after the other */
		ctx = irqx_context(self->g->vm);
		for (k = 0; k < cases[i].nr; k++) {
			EXPECT_EQ(k == cases[i].nr - 1 ? cases[i].err : 0,
				  __irqx_route_add(ctx, 9, cases[i].entries[k]))
				TH_LOG("case %u entry %u", i, k);
		}
		EXPECT_EQ(1, irqx_stats(ctx).gsis);
		close(ctx);

		/* in a batch, and behind one that does not matter */
		ctx = irqx_context(self->g->vm);
		ops[0] = op_of(KVM_IRQX_OP_ROUTE_ADD, 8, pin);
		for (k = 0; k < cases[i].nr; k++)
			ops[k + 1] = op_of(KVM_IRQX_OP_ROUTE_ADD, 9, cases[i].entries[k]);
		EXPECT_EQ(cases[i].err, __irqx_batch(ctx, ops, k + 1, &index))
			TH_LOG("case %u", i);
		EXPECT_EQ(cases[i].err ? k : k + 1, index);
		EXPECT_EQ(cases[i].err ? 0 : 2, irqx_stats(ctx).gsis);
		close(ctx);

		/* as a table */
		ctx = irqx_context(self->g->vm);
		for (k = 0; k < cases[i].nr; k++) {
			entries[k] = cases[i].entries[k];
			entries[k].gsi = 9;
		}
		EXPECT_EQ(cases[i].err, __irqx_set_gsi_routing(ctx, entries, k))
			TH_LOG("case %u", i);
		EXPECT_EQ(cases[i].err ? 0 : 1, irqx_stats(ctx).gsis);
		close(ctx);
	}
}

/*
 * Pins
 */

TEST_F(route, shared_pins_all_raised)
{
	struct irqx_guest *g = self->g;
	const uint32_t gsi = 900;
	int fd;

	irqx_ioapic_set(g->vm, 9, 0x59);
	pic_start(g);
	irqx_route_set(self->ctx, gsi, irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 9));
	irqx_route_add(self->ctx, gsi, irqx_pin_entry(KVM_IRQCHIP_PIC_MASTER, 5));
	fd = irqfd_on(self->ctx, gsi);

	irqx_guest_stop(g);
	irqx_irq_line(self->ctx, gsi, 1);
	EXPECT_EQ(1 << 5, pic_irr(g->vm, KVM_IRQCHIP_PIC_MASTER) & (1 << 5));
	EXPECT_TRUE(irqx_pending(g, 0, 0x59));
	irqx_guest_start(g);
	irqx_expect(g, 0, 0x59, 1);
	irqx_expect(g, 0, PIC_BASE + 5, 1);
	irqx_check(g);
	irqx_irq_line(self->ctx, gsi, 0);
	irqx_check(g);

	/* and by an event */
	irqx_fire(fd);
	irqx_expect(g, 0, 0x59, 1);
	irqx_expect(g, 0, PIC_BASE + 5, 1);
	irqx_check(g);
	EXPECT_EQ(1, irqx_stats(self->ctx).deferred);
	EXPECT_EQ(0, irqx_stats(self->ctx).refused);

	/* The PIC's entry alone. */
	irqx_route_set(self->ctx, gsi, irqx_pin_entry(KVM_IRQCHIP_PIC_SLAVE, 2));
	irqx_fire(fd);
	irqx_settle(self->ctx);
	irqx_wait_count(g, 0, PIC_BASE + 10, 1);
	irqx_expect(g, 0, PIC_BASE + 10, 1);
}

/* Masked pins show their level in irr. */
TEST_F(route, irq_line_is_a_level)
{
	struct kvm_irq_routing_entry entry = irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 5);
	struct irqx_guest *g = self->g;
	int i;

	for (i = 3; i < 8; i++)
		irqx_ioapic_set(g->vm, i, IRQX_IOAPIC_MASKED | IRQX_IOAPIC_LEVEL);
	pic_start(g);
	irqx_route_set(self->ctx, 50, irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 3));

	EXPECT_EQ(0, ioapic_irr(g->vm) & 0xf8);
	irqx_irq_line(self->ctx, 50, 1);
	EXPECT_EQ(1 << 3, ioapic_irr(g->vm) & 0xf8);
	irqx_irq_line(self->ctx, 50, 7);
	EXPECT_EQ(1 << 3, ioapic_irr(g->vm) & 0xf8);
	irqx_irq_line(self->ctx, 50, 0);
	EXPECT_EQ(0, ioapic_irr(g->vm) & 0xf8);
	irqx_irq_line(self->ctx, 50, 0);
	EXPECT_EQ(0, ioapic_irr(g->vm) & 0xf8);

	/* It moves with the route, whoever changes that. */
	irqx_irq_line(self->ctx, 50, 1);
	irqx_route_set(self->ctx, 50, irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 4));
	EXPECT_EQ(1 << 4, ioapic_irr(g->vm) & 0xf8);
	irqx_route_add(self->ctx, 50, irqx_pin_entry(KVM_IRQCHIP_PIC_SLAVE, 7));
	EXPECT_EQ(1 << 4, ioapic_irr(g->vm) & 0xf8);
	irqx_expect(g, 0, PIC_BASE + 15, 1);
	irqx_check(g);
	entry.gsi = 50;
	irqx_set_gsi_routing(self->ctx, &entry, 1);
	EXPECT_EQ(1 << 5, ioapic_irr(g->vm) & 0xf8);

	/* A failed change moves nothing. */
	EXPECT_EQ(EINVAL, __irqx_route_set(self->ctx, 50,
					   irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 24)));
	EXPECT_EQ(1 << 5, ioapic_irr(g->vm) & 0xf8);

	irqx_route_del(self->ctx, 50);
	EXPECT_EQ(0, ioapic_irr(g->vm) & 0xf8);

	/* KVM's own sources are others. */
	irqx_route_set(self->ctx, 51, irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 6));
	irqx_irq_line(self->ctx, 51, 1);
	irqx_irq_line(g->vm->fd, 6, 1);
	irqx_expect(g, 0, PIC_BASE + 6, 1);	/* its table has the PIC too */
	irqx_irq_line(self->ctx, 51, 0);
	EXPECT_EQ(1 << 6, ioapic_irr(g->vm) & 0xf8);
	irqx_irq_line(self->ctx, 51, 1);
	irqx_irq_line(g->vm->fd, 6, 0);
	EXPECT_EQ(1 << 6, ioapic_irr(g->vm) & 0xf8);
	irqx_irq_line(self->ctx, 51, 0);
	EXPECT_EQ(0, ioapic_irr(g->vm) & 0xf8);
}

/* A change that leaves the pin as it was is no edge on it. */
TEST_F(route, same_pin_again_is_no_edge)
{
	struct kvm_irq_routing_entry entry = irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 3);
	struct irqx_guest *g = self->g;

	irqx_ioapic_set(g->vm, 3, 0x43);
	pic_start(g);
	irqx_route_set(self->ctx, 50, irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 3));
	irqx_irq_line(self->ctx, 50, 1);
	irqx_expect(g, 0, 0x43, 1);
	irqx_check(g);
	irqx_route_set(self->ctx, 50, irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 3));
	irqx_check(g);
	irqx_route_add(self->ctx, 50, irqx_pin_entry(KVM_IRQCHIP_PIC_SLAVE, 7));
	irqx_expect(g, 0, PIC_BASE + 15, 1);
	irqx_check(g);
	entry.gsi = 50;
	irqx_set_gsi_routing(self->ctx, &entry, 1);
	irqx_check(g);
	irqx_irq_line(self->ctx, 50, 0);
}

TEST_HARNESS_MAIN

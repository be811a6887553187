// SPDX-License-Identifier: GPL-2.0
/*
 * As negative_test: errors of what only x86 can say in an entry, or lacks.
 */
#include "irqx_util.h"
#include "irqx_harness.h"

#define DIRECT_IRQ	0x40
#define OTHER_IRQ	0x50

static bool context_is_empty(int ctx)
{
	struct kvm_irqx_stats stats = irqx_stats(ctx);

	return !stats.events && !stats.irqfds && !stats.gsis;
}

FIXTURE(negative)
{
	struct irqx_guest *g;
	int ctx;
	int direct;		/* an eventfd with its own entry */
	int spare;		/* one that is not bound */
};

FIXTURE_SETUP(negative)
{
	self->g = irqx_guest_create(1);
	self->ctx = self->g->ctx;
	self->direct = irqx_eventfd(0, 0);
	self->spare = irqx_eventfd(0, 0);
	irqx_bind(self->ctx, self->direct, irqx_entry(self->g, 0, DIRECT_IRQ));
	irqx_guest_start(self->g);
}

FIXTURE_TEARDOWN(negative)
{
	irqx_fire(self->spare);
	irqx_fire(self->direct);
	irqx_expect(self->g, 0, DIRECT_IRQ, 1);
	irqx_check(self->g);
	EXPECT_EQ(1, irqx_eventfd_take(self->spare));
	irqx_guest_free(self->g);
}

TEST_F(negative, pin_with_split_irqchip_einval)
{
	struct kvm_vm *vm = vm_create_barebones();
	int fd = irqx_eventfd(0, 0);
	int ctx = irqx_context(vm);

	vm_enable_cap(vm, KVM_CAP_SPLIT_IRQCHIP, 24);
	EXPECT_EQ(EINVAL, __irqx_bind(ctx, fd, irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 4)));
	EXPECT_EQ(EINVAL, __irqx_bind(ctx, fd, irqx_pin_entry(KVM_IRQCHIP_PIC_MASTER, 4)));
	EXPECT_EQ(EINVAL, __irqx_route_set(ctx, 0, irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 4)));
	EXPECT_TRUE(context_is_empty(ctx));

	EXPECT_EQ(0, __irqx_bind(ctx, fd, irqx_entry(self->g, 0, 0x50)));
	EXPECT_EQ(EINVAL, __irqx_modify(ctx, fd, irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 4)));
	close(ctx);
	close(fd);
	kvm_vm_free(vm);
}

TEST_F(negative, entry_address_hi_einval)
{
	struct irqx_guest *g = __irqx_guest_create(1, NULL,
						   IRQX_GUEST_ARCH_X2APIC_IDS);
	struct kvm_irq_routing_entry entry = irqx_entry(g, 0, OTHER_IRQ);
	int fd = irqx_eventfd(0, 0);

	irqx_bind(g->ctx, fd, irqx_entry(g, 0, DIRECT_IRQ));
	entry.u.msi.address_hi |= 1;
	EXPECT_EQ(EINVAL, __irqx_bind(g->ctx, self->spare, entry));
	EXPECT_EQ(EINVAL, __irqx_modify(g->ctx, fd, entry));
	EXPECT_EQ(EINVAL, __irqx_route_set(g->ctx, 0, entry));
	EXPECT_EQ(EINVAL, __irqx_set_gsi_routing(g->ctx, &entry, 1));
	entry.u.msi.address_hi = 0xff;
	EXPECT_EQ(EINVAL, __irqx_modify(g->ctx, fd, entry));

	irqx_guest_start(g);
	irqx_fire(fd);
	irqx_expect(g, 0, DIRECT_IRQ, 1);
	irqx_check(g);
	irqx_guest_free(g);

	/* Without 32-bit ids nobody looks at it. */
	entry = irqx_entry(self->g, 0, DIRECT_IRQ);
	entry.u.msi.address_hi = 1;
	EXPECT_EQ(0, __irqx_modify(self->ctx, self->direct, entry));
}

TEST_HARNESS_MAIN

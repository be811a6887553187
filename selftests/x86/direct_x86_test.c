// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_IRQX_IRQFD_DIRECT with every kind of entry that only x86 has: what an MSI can
 * say, pins of the IOAPIC and the PIC, Xen event channels.
 */
#include "irqx_util.h"
#include "irqx_xen.h"
#include "irqx_harness.h"

#define VECTOR	0x51

/* How the event must have been handed over. */
enum way { ATOMIC, DEFERRED, REFUSED };

FIXTURE(msi) {
	struct irqx_guest *g;
	int fd;
};

FIXTURE_VARIANT(msi) {
	uint32_t flags;
};

FIXTURE_VARIANT_ADD(msi, x2apic) {
	.flags = 0,
};

FIXTURE_VARIANT_ADD(msi, xapic) {
	.flags = IRQX_GUEST_ARCH_XAPIC,
};

FIXTURE_SETUP(msi)
{
	self->g = __irqx_guest_create(2, NULL, variant->flags);
	self->fd = irqx_eventfd(0, 0);
	irqx_guest_start(self->g);
}

FIXTURE_TEARDOWN(msi)
{
	irqx_guest_free(self->g);
}

/* One event at @msi must be one interrupt at each vCPU of the mask. */
static void fire_msi(struct irqx_guest *g, int fd, struct irqx_msi msi,
		     uint32_t vcpus)
{
	uint32_t irq = msi.mode == APIC_DM_NMI ? NMI_VECTOR : msi.vector;
	uint32_t vcpu;

	if (__irqx_modify(g->ctx, fd, irqx_msi_entry(msi)))
		irqx_bind(g->ctx, fd, irqx_msi_entry(msi));
	irqx_fire(fd);
	for (vcpu = 0; vcpu < g->nr_vcpus; vcpu++)
		if (vcpus & 1 << vcpu)
			irqx_expect(g, vcpu, irq, 1);
	irqx_check(g);
}

TEST_F(msi, physical)
{
	fire_msi(self->g, self->fd, (struct irqx_msi){ .dest = 0, .vector = VECTOR }, 1);
	fire_msi(self->g, self->fd, (struct irqx_msi){ .dest = 1, .vector = VECTOR }, 2);
	ASSERT_EQ(2, irqx_stats(self->g->ctx).atomic);
}

TEST_F(msi, logical)
{
	uint32_t mask;

	for (mask = 1; mask < 4; mask++)
		fire_msi(self->g, self->fd, (struct irqx_msi){
			.dest = mask, .vector = VECTOR, .logical = true }, mask);
	ASSERT_EQ(3, irqx_stats(self->g->ctx).atomic);
}

TEST_F(msi, broadcast)
{
	fire_msi(self->g, self->fd, (struct irqx_msi){
		.dest = 0xff, .vector = VECTOR }, 3);
	fire_msi(self->g, self->fd, (struct irqx_msi){
		.dest = 0xff, .vector = VECTOR, .logical = true }, 3);
	ASSERT_EQ(0, irqx_stats(self->g->ctx).refused);
}

/* Any of them, but one: KVM chooses by load or by a hash of the vector. */
TEST_F(msi, lowest_priority)
{
	struct irqx_msi ways[] = {
		{ .dest = 3, .logical = true, .mode = APIC_DM_LOWEST },
		{ .dest = 3, .logical = true, .hint = true },
		{ .dest = 3, .logical = true, .hint = true, .mode = APIC_DM_LOWEST },
	};
	uint64_t before;
	uint32_t i, vector;

	irqx_bind(self->g->ctx, self->fd, irqx_msi_entry(ways[0]));
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		for (vector = 0x40; vector < 0x60; vector++) {
			ways[i].vector = vector;
			irqx_modify(self->g->ctx, self->fd, irqx_msi_entry(ways[i]));
			before = irqx_count(self->g, 0, vector) +
				 irqx_count(self->g, 1, vector);
			irqx_fire(self->fd);
			irqx_settle(self->g->ctx);
			irqx_fence(self->g);
			ASSERT_EQ(before + 1, irqx_count(self->g, 0, vector) +
					      irqx_count(self->g, 1, vector));
		}
	}
	ASSERT_EQ(3 * 0x20, irqx_total(self->g));
}

TEST_F(msi, nmi)
{
	uint32_t i;

	for (i = 0; i < 10; i++) {
		fire_msi(self->g, self->fd, (struct irqx_msi){
			.dest = 1, .mode = APIC_DM_NMI }, 2);
		fire_msi(self->g, self->fd, (struct irqx_msi){
			.dest = 0, .mode = APIC_DM_NMI, .vector = 0x99 }, 1);
	}
	ASSERT_EQ(20, irqx_stats(self->g->ctx).atomic);
}

/* Nobody is there: the event is gone, and counted as such. */
TEST_F(msi, no_such_destination)
{
	struct kvm_irqx_binding binding;
	struct kvm_irqx_stats stats;

	fire_msi(self->g, self->fd, (struct irqx_msi){ .dest = 77, .vector = VECTOR }, 0);
	stats = irqx_stats(self->g->ctx);
	ASSERT_EQ(1, stats.events);
	/* KVM's fast path answers 0, its slow one -1. */
	ASSERT_EQ(1, stats.coalesced + stats.refused);
	binding = irqx_binding(self->g->ctx, self->fd);
	ASSERT_EQ(stats.coalesced, binding.coalesced);
	ASSERT_EQ(stats.refused, binding.refused);
	fire_msi(self->g, self->fd, (struct irqx_msi){ .dest = 1, .vector = VECTOR }, 2);
}

/* KVM takes them, and no local APIC does: counted when it is said, not when it is fired. */
TEST_F(msi, undeliverable)
{
	const struct {
		struct irqx_msi msi;
		bool undeliverable;
	} msis[] = {
		{ { .vector = 0 }, true },
		{ { .vector = 15 }, true },
		{ { .vector = 15, .mode = APIC_DM_LOWEST, .dest = 1, .logical = true }, true },
		{ { .vector = 16 }, false },
		{ { .vector = 0, .mode = APIC_DM_NMI }, false },
		{ { .vector = VECTOR }, false },
	};
	int ctx = self->g->ctx, fd = irqx_eventfd(0, 0);
	struct kvm_irq_routing_entry entry;
	struct kvm_irqx_op ops[2];
	uint64_t n = 0;
	uint32_t i;

	irqx_bind(ctx, self->fd, irqx_msi_entry((struct irqx_msi){ .vector = VECTOR }));
	for (i = 0; i < ARRAY_SIZE(msis); i++) {
		entry = irqx_msi_entry(msis[i].msi);
		irqx_modify(ctx, self->fd, entry);
		irqx_bind(ctx, fd, entry);
		irqx_unbind(ctx, fd);
		irqx_route_set(ctx, 5, entry);
		irqx_route_set(ctx, 5, entry);
		entry.gsi = 6;
		irqx_set_gsi_routing(ctx, &entry, 1);
		entry.gsi = 0;
		ops[0] = (struct kvm_irqx_op){
			.op = KVM_IRQX_OP_ASSIGN,
			.fd = fd,
			.entry = entry,
		};
		irqx_batch(ctx, ops, 1);
		irqx_unbind(ctx, fd);
		n += 6 * msis[i].undeliverable;
		ASSERT_EQ(n, irqx_stats(ctx).undeliverable)
			TH_LOG("msi %u", i);

		/* What fails has not been taken. */
		ops[1] = (struct kvm_irqx_op){ .op = KVM_IRQX_OP_DEASSIGN, .fd = -1 };
		ASSERT_EQ(EBADF, __irqx_batch(ctx, ops, 2, NULL));
		ASSERT_EQ(n, irqx_stats(ctx).undeliverable);
	}

	/* Its events are counted as any. */
	irqx_modify(ctx, self->fd, irqx_msi_entry(msis[1].msi));
	irqx_fire(self->fd);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_stats(ctx).atomic);
	close(fd);
}

/* Ids of 32 bits, without which 300 would be 44. */
TEST(x2apic_ids)
{
	const uint32_t ids[] = { 0, 44, 300 };
	struct irqx_guest *g = __irqx_guest_create(3, ids, IRQX_GUEST_ARCH_X2APIC_IDS);
	struct irqx_msi msi = { .dest = 300, .vector = VECTOR };
	struct kvm_irq_routing_entry bad;
	int fd = irqx_eventfd(0, 0);

	irqx_guest_start(g);
	bad = irqx_msi_entry(msi);
	bad.u.msi.address_hi |= 1;
	ASSERT_EQ(EINVAL, __irqx_bind(g->ctx, fd, bad));

	fire_msi(g, fd, msi, 1 << 2);
	ASSERT_EQ(EINVAL, __irqx_modify(g->ctx, fd, bad));
	irqx_fire(fd);
	irqx_expect(g, 2, VECTOR, 1);
	irqx_check(g);

	msi.dest = 44;
	fire_msi(g, fd, msi, 1 << 1);
	msi.dest = 0xff;
	fire_msi(g, fd, msi, 0);
	msi.dest = 0xffffffff;
	fire_msi(g, fd, msi, 7);
	/* Cluster 2, logical id 1 << 12. */
	msi.dest = 2 << 16 | 1 << 12;
	msi.logical = true;
	fire_msi(g, fd, msi, 1 << 1);
	irqx_guest_free(g);
}

TEST(without_x2apic_ids)
{
	const uint32_t ids[] = { 0, 44 };
	struct irqx_guest *g = __irqx_guest_create(2, ids, 0);
	int fd = irqx_eventfd(0, 0);

	irqx_guest_start(g);
	fire_msi(g, fd, (struct irqx_msi){ .dest = 300, .vector = VECTOR }, 1 << 1);
	irqx_guest_free(g);
}

FIXTURE(pin) {
	struct irqx_guest *g;
	int fd;
};

FIXTURE_SETUP(pin)
{
	self->g = irqx_guest_create(2);
	self->fd = irqx_eventfd(0, 0);
	irqx_guest_start(self->g);
}

FIXTURE_TEARDOWN(pin)
{
	irqx_guest_free(self->g);
}

TEST_F(pin, ioapic_edge)
{
	struct kvm_irqx_stats stats;
	uint32_t pin, round;
	int fds[24];

	irqx_eventfds(fds, 24);
	for (pin = 0; pin < 24; pin++) {
		irqx_ioapic_set(self->g->vm, pin,
				IRQX_IOAPIC_DEST(pin % 2) | (0x40 + pin));
		irqx_bind(self->g->ctx, fds[pin],
			  irqx_pin_entry(KVM_IRQCHIP_IOAPIC, pin));
	}
	for (round = 0; round < 3; round++) {
		for (pin = 0; pin < 24; pin++) {
			irqx_fire(fds[pin]);
			irqx_expect(self->g, pin % 2, 0x40 + pin, 1);
		}
		irqx_check(self->g);
	}
	stats = irqx_stats(self->g->ctx);
	ASSERT_EQ(3 * 24, stats.events);
	ASSERT_EQ(3 * 24, stats.deferred);
	ASSERT_EQ(0, stats.refused);

	/* From a pin to an MSI and back. */
	irqx_modify(self->g->ctx, fds[3], irqx_entry(self->g, 1, 0x99));
	irqx_fire(fds[3]);
	irqx_expect(self->g, 1, 0x99, 1);
	irqx_check(self->g);
	irqx_modify(self->g->ctx, fds[3], irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 4));
	irqx_fire(fds[3]);
	irqx_expect(self->g, 0, 0x44, 1);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_stats(self->g->ctx).atomic);
}

TEST_F(pin, ioapic_masked)
{
	struct kvm_irqx_stats stats;

	irqx_ioapic_set(self->g->vm, 5,
			IRQX_IOAPIC_DEST(1) | IRQX_IOAPIC_MASKED | VECTOR);
	irqx_bind(self->g->ctx, self->fd, irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 5));
	irqx_fire(self->fd);
	irqx_check(self->g);
	stats = irqx_stats(self->g->ctx);
	ASSERT_EQ(1, stats.deferred);
	ASSERT_EQ(1, stats.refused);
	ASSERT_EQ(1, irqx_binding(self->g->ctx, self->fd).refused);

	irqx_ioapic_set(self->g->vm, 5, IRQX_IOAPIC_DEST(1) | VECTOR);
	irqx_check(self->g);
	irqx_fire(self->fd);
	irqx_expect(self->g, 1, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_stats(self->g->ctx).refused);
}

#define PIC_BASE	0x70

static void pic_irq(struct ex_regs *regs)
{
	irqx_guest_pic_eoi(PIC_BASE, regs->vector);
	irqx_guest_count(regs->vector);
}

TEST_F(pin, pic_edge)
{
	static const uint32_t irqs[] = { 0, 3, 7, 8, 10, 15 };
	struct kvm_irqx_binding binding;
	uint32_t i, round, irq;
	int fds[ARRAY_SIZE(irqs)];

	for (i = 0; i < 16; i++)
		irqx_guest_handle(self->g->vm, PIC_BASE + i, pic_irq);
	irqx_pic_set(self->g->vm, PIC_BASE);
	irqx_eventfds(fds, ARRAY_SIZE(irqs));
	for (i = 0; i < ARRAY_SIZE(irqs); i++) {
		irq = irqs[i];
		irqx_bind(self->g->ctx, fds[i],
			  irqx_pin_entry(irq < 8 ? KVM_IRQCHIP_PIC_MASTER :
						   KVM_IRQCHIP_PIC_SLAVE, irq % 8));
		/* KVM has numbered it among those of both. */
		binding = irqx_binding(self->g->ctx, fds[i]);
		ASSERT_EQ(irq < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE,
			  binding.entry.u.irqchip.irqchip);
		ASSERT_EQ(irq % 8, binding.entry.u.irqchip.pin);
	}
	for (round = 0; round < 3; round++) {
		for (i = 0; i < ARRAY_SIZE(irqs); i++) {
			irqx_fire(fds[i]);
			/* The PIC's output is wired to the boot CPU alone. */
			irqx_expect(self->g, 0, PIC_BASE + irqs[i], 1);
			irqx_check(self->g);
		}
	}
	ASSERT_EQ(3 * ARRAY_SIZE(irqs), irqx_stats(self->g->ctx).deferred);
	ASSERT_EQ(0, irqx_stats(self->g->ctx).refused);
}

TEST_F(pin, out_of_range)
{
	ASSERT_EQ(EINVAL, __irqx_bind(self->g->ctx, self->fd,
				      irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 24)));
	ASSERT_EQ(EINVAL, __irqx_bind(self->g->ctx, self->fd,
				      irqx_pin_entry(KVM_IRQCHIP_PIC_MASTER, 8)));
	ASSERT_EQ(EINVAL, __irqx_bind(self->g->ctx, self->fd,
				      irqx_pin_entry(3, 0)));
	ASSERT_EQ(0, irqx_stats(self->g->ctx).irqfds);
}

TEST(xen_event_channel)
{
	struct irqx_guest *g = irqx_guest_create(2);
	int fd = irqx_eventfd(0, 0);
	struct kvm_irq_routing_entry bad = irqx_xen_entry(1, IRQX_XEN_PORT);
	struct kvm_irqx_binding binding;
	uint64_t i;

	if (!(irqx_info(g->ctx).features & KVM_IRQX_FEATURE_XEN_EVTCHN)) {
		ASSERT_EQ(EINVAL, __irqx_bind(g->ctx, fd, bad));
		SKIP(return, "this kernel's KVM has no Xen emulation");
	}
	irqx_xen_init(g);
	irqx_guest_start(g);

	bad.u.xen_evtchn.priority = 0;
	ASSERT_EQ(EINVAL, __irqx_bind(g->ctx, fd, bad));
	irqx_bind(g->ctx, fd, irqx_xen_entry(1, IRQX_XEN_PORT));
	bad = irqx_xen_entry(1, IRQX_XEN_PORT);
	binding = irqx_binding(g->ctx, fd);
	ASSERT_EQ(0, memcmp(&bad, &binding.entry, sizeof(bad)));
	for (i = 1; i <= 10; i++) {
		irqx_fire(fd);
		irqx_settle(g->ctx);
		ASSERT_TRUE(irqx_wait_until(irqx_xen_events(g, IRQX_XEN_PORT) == i,
					    IRQX_TIMEOUT_MS));
	}

	irqx_modify(g->ctx, fd, irqx_xen_entry(1, IRQX_XEN_PORT + 1));
	irqx_fire(fd);
	ASSERT_TRUE(irqx_wait_until(irqx_xen_events(g, IRQX_XEN_PORT + 1) == 1,
				    IRQX_TIMEOUT_MS));
	ASSERT_EQ(10, irqx_xen_events(g, IRQX_XEN_PORT));

	irqx_mask(g->ctx, fd);
	irqx_fire(fd);
	irqx_fire(fd);
	irqx_fence(g);
	ASSERT_EQ(1, irqx_xen_events(g, IRQX_XEN_PORT + 1));
	ASSERT_EQ(KVM_IRQX_STATE_MASKED | KVM_IRQX_STATE_PENDING,
		  irqx_state(g->ctx, fd, 0));
	irqx_unmask(g->ctx, fd);
	ASSERT_TRUE(irqx_wait_until(irqx_xen_events(g, IRQX_XEN_PORT + 1) == 2,
				    IRQX_TIMEOUT_MS));
	irqx_settle(g->ctx);
	ASSERT_EQ(13, irqx_stats(g->ctx).atomic + irqx_stats(g->ctx).deferred);
	ASSERT_EQ(0, irqx_stats(g->ctx).refused);
	irqx_check(g);
	irqx_guest_free(g);
}

TEST_HARNESS_MAIN

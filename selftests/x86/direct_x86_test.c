// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_IRQFD_DIRECT with every kind of entry that only x86 has: what an MSI can
 * say, pins of the IOAPIC and the PIC, Xen event channels.
 */
#include "irqx_util.h"
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
	struct kvm_irqx_stats stats;

	fire_msi(self->g, self->fd, (struct irqx_msi){ .dest = 77, .vector = VECTOR }, 0);
	stats = irqx_stats(self->g->ctx);
	ASSERT_EQ(1, stats.events);
	/* KVM's fast path answers 0, its slow one -1. */
	ASSERT_EQ(1, stats.coalesced + stats.refused);
	fire_msi(self->g, self->fd, (struct irqx_msi){ .dest = 1, .vector = VECTOR }, 2);
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
	uint32_t i, round, irq;
	int fds[ARRAY_SIZE(irqs)];

	for (i = 0; i < 16; i++)
		vm_install_exception_handler(self->g->vm, PIC_BASE + i, pic_irq);
	irqx_pic_set(self->g->vm, PIC_BASE);
	irqx_eventfds(fds, ARRAY_SIZE(irqs));
	for (i = 0; i < ARRAY_SIZE(irqs); i++) {
		irq = irqs[i];
		irqx_bind(self->g->ctx, fds[i],
			  irqx_pin_entry(irq < 8 ? KVM_IRQCHIP_PIC_MASTER :
						   KVM_IRQCHIP_PIC_SLAVE, irq % 8));
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

/*
 * Xen event channels, two-level ABI of a 64-bit guest.  Interface facts from
 * xen/include/public: struct vcpu_info is 64 bytes; shared_info holds 32 of
 * them, then 4096 pending bits, then 4096 mask bits.
 */
#define XEN_MSR			0x40000200
#define XEN_UPCALL_VECTOR	0xf3
#define XEN_PORT		1234

struct xen_vcpu_info {
	uint8_t upcall_pending;
	uint8_t upcall_mask;
	uint64_t pending_sel;
	uint8_t rest[48];
};

struct xen_shared_info {
	struct xen_vcpu_info vcpu_info[32];
	uint64_t pending[64];
	uint64_t mask[64];
};

static struct xen_shared_info *xen_shared;
static struct xen_vcpu_info *xen_vcpus;
static uint64_t xen_upcalls, xen_events[4096];

static void xen_upcall(struct ex_regs *regs)
{
	struct xen_vcpu_info *vcpu = &xen_vcpus[1];
	uint64_t words, bits;
	uint32_t word, bit;

	(void)regs;
	WRITE_ONCE(vcpu->upcall_pending, 0);
	words = __atomic_exchange_n(&vcpu->pending_sel, 0, __ATOMIC_SEQ_CST);
	for (word = 0; word < 64; word++) {
		if (!(words & 1ULL << word))
			continue;
		bits = __atomic_exchange_n(&xen_shared->pending[word], 0,
					   __ATOMIC_SEQ_CST);
		for (bit = 0; bit < 64; bit++)
			if (bits & 1ULL << bit)
				xen_events[64 * word + bit]++;
	}
	WRITE_ONCE(xen_upcalls, xen_upcalls + 1);
}

static void xen_init(struct irqx_guest *g)
{
	struct kvm_xen_hvm_config config = {
		.flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL,
		.msr = XEN_MSR,
	};
	struct kvm_xen_hvm_attr long_mode = {
		.type = KVM_XEN_ATTR_TYPE_LONG_MODE,
		.u.long_mode = 1,
	};
	struct kvm_xen_hvm_attr shared = { .type = KVM_XEN_ATTR_TYPE_SHARED_INFO };
	struct kvm_xen_hvm_attr vector = {
		.type = KVM_XEN_ATTR_TYPE_UPCALL_VECTOR,
		.u.vector = XEN_UPCALL_VECTOR,
	};
	struct kvm_xen_vcpu_attr info = { .type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO };
	vm_vaddr_t shared_gva = vm_vaddr_alloc_page(g->vm);
	vm_vaddr_t vcpus_gva = vm_vaddr_alloc_page(g->vm);
	uint32_t i;

	xen_shared = (void *)shared_gva;
	xen_vcpus = (void *)vcpus_gva;
	sync_global_to_guest(g->vm, xen_shared);
	sync_global_to_guest(g->vm, xen_vcpus);
	vm_install_exception_handler(g->vm, XEN_UPCALL_VECTOR, xen_upcall);

	vm_ioctl(g->vm, KVM_XEN_HVM_CONFIG, &config);
	vm_ioctl(g->vm, KVM_XEN_HVM_SET_ATTR, &long_mode);
	shared.u.shared_info.gfn = addr_gva2gpa(g->vm, shared_gva) >> 12;
	vm_ioctl(g->vm, KVM_XEN_HVM_SET_ATTR, &shared);
	vm_ioctl(g->vm, KVM_XEN_HVM_SET_ATTR, &vector);
	for (i = 0; i < g->nr_vcpus; i++) {
		info.u.gpa = addr_gva2gpa(g->vm, vcpus_gva) + i * 64;
		vcpu_ioctl(g->vcpus[i].vcpu, KVM_XEN_VCPU_SET_ATTR, &info);
	}
}

static uint64_t xen_events_of(struct irqx_guest *g, uint32_t port)
{
	uint64_t *events = addr_gva2hva(g->vm, (vm_vaddr_t)&xen_events[port]);

	return READ_ONCE(*events);
}

static struct kvm_irq_routing_entry xen_entry(uint32_t vcpu, uint32_t port)
{
	struct kvm_irq_routing_entry entry = { .type = KVM_IRQ_ROUTING_XEN_EVTCHN };

	entry.u.xen_evtchn.port = port;
	entry.u.xen_evtchn.vcpu = vcpu;
	entry.u.xen_evtchn.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL;
	return entry;
}

TEST(xen_event_channel)
{
	struct irqx_guest *g = irqx_guest_create(2);
	int fd = irqx_eventfd(0, 0);
	struct kvm_irq_routing_entry bad = xen_entry(1, XEN_PORT);
	uint64_t i;

	if (!(irqx_info(g->ctx).features & KVM_IRQX_FEATURE_XEN_EVTCHN)) {
		ASSERT_EQ(EINVAL, __irqx_bind(g->ctx, fd, bad));
		SKIP(return, "this kernel's KVM has no Xen emulation");
	}
	xen_init(g);
	irqx_guest_start(g);

	bad.u.xen_evtchn.priority = 0;
	ASSERT_EQ(EINVAL, __irqx_bind(g->ctx, fd, bad));
	irqx_bind(g->ctx, fd, xen_entry(1, XEN_PORT));
	for (i = 1; i <= 10; i++) {
		irqx_fire(fd);
		irqx_settle(g->ctx);
		ASSERT_TRUE(irqx_wait_until(xen_events_of(g, XEN_PORT) == i,
					    IRQX_TIMEOUT_MS));
	}

	irqx_modify(g->ctx, fd, xen_entry(1, XEN_PORT + 1));
	irqx_fire(fd);
	ASSERT_TRUE(irqx_wait_until(xen_events_of(g, XEN_PORT + 1) == 1,
				    IRQX_TIMEOUT_MS));
	ASSERT_EQ(10, xen_events_of(g, XEN_PORT));
	ASSERT_EQ(11, irqx_stats(g->ctx).atomic + irqx_stats(g->ctx).deferred);
	ASSERT_EQ(0, irqx_stats(g->ctx).refused);
	irqx_check(g);
	irqx_guest_free(g);
}

TEST_HARNESS_MAIN

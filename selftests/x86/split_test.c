// SPDX-License-Identifier: GPL-2.0
/*
 * Resamplefds of level-triggered MSIs, in a VM with a split irqchip: the IOAPIC is the
 * VMM's.  KVM's irqfd has none there.
 */
#include <poll.h>

#include "irqx_module.h"
#include "irqx_split.h"
#include "irqx_synic.h"
#include "irqx_harness.h"

#define VECTOR		0x51
#define OTHER_VECTOR	0x62
#define GSI		1000
#define SINT		5
#define SINT_VECTOR	0x73

FIXTURE(split) {
	struct irqx_split s;
	int ctx;
};

FIXTURE_SETUP(split)
{
	irqx_split_create(&self->s, IRQX_SPLIT_VCPUS, IRQX_SPLIT_ROWS);
	self->ctx = irqx_context(self->s.vm);
}

FIXTURE_TEARDOWN(split)
{
	irqx_split_stop(&self->s);
	close(self->ctx);
	irqx_split_free(&self->s);
}

/* One event is one interrupt, and one more signal of each resamplefd. */
static void cycle(struct irqx_split *s, struct irqx_level *fired, uint32_t vcpu,
		  uint32_t vector, struct irqx_level **told, uint32_t nr)
{
	uint32_t count = irqx_split_count(s, vcpu, vector) + 1, i;
	uint64_t got;

	irqx_fire(fired->fd);
	for (i = 0; i < nr; i++) {
		got = told[i]->acks + 1;
		TEST_ASSERT(irqx_acks(told[i], got) == got, "resamplefd %u", i);
	}
	TEST_ASSERT(irqx_split_count(s, vcpu, vector) == count, "%u interrupts, not %u",
		    irqx_split_count(s, vcpu, vector), count);
}

TEST_F(split, direct)
{
	struct irqx_level level = irqx_level_direct(self->ctx, irqx_split_entry(0, VECTOR));
	struct irqx_level *told[] = { &level };
	uint32_t i;

	ASSERT_TRUE(irqx_info(self->ctx).features & KVM_IRQX_FEATURE_LEVEL_MSI);
	irqx_split_start(&self->s);
	for (i = 0; i < 50; i++)
		cycle(&self->s, &level, 0, VECTOR, told, 1);
	EXPECT_EQ(0, irqx_stats(self->ctx).refused);
	/* What waits is a latch, as that of any MSI. */
	irqx_split_stop(&self->s);
	irqx_fire(level.fd);
	irqx_fire(level.fd);
	irqx_split_start(&self->s);
	EXPECT_EQ(51, irqx_acks(&level, 51));
	EXPECT_EQ(51, irqx_split_count(&self->s, 0, VECTOR));
}

TEST_F(split, gsi)
{
	struct kvm_irq_routing_entry entry = irqx_split_entry(1, VECTOR);
	struct irqx_level level, *told[] = { &level };
	uint32_t i;

	irqx_route_set(self->ctx, GSI, entry);
	level = irqx_level_gsi(self->ctx, GSI);
	irqx_split_start(&self->s);
	for (i = 0; i < 20; i++)
		cycle(&self->s, &level, 1, VECTOR, told, 1);
	/* An edge has no EOI, and the route stays as it was. */
	entry.u.msi.data &= ~(1 << 15);
	EXPECT_EQ(EINVAL, __irqx_route_set(self->ctx, GSI, entry));
	cycle(&self->s, &level, 1, VECTOR, told, 1);
}

/* A vector is what they share, whatever vCPU it was sent to and by which way. */
TEST_F(split, shared_vector)
{
	struct irqx_level a = irqx_level_direct(self->ctx, irqx_split_entry(0, VECTOR));
	struct irqx_level b = irqx_level_direct(self->ctx, irqx_split_entry(1, VECTOR));
	int other = irqx_context(self->s.vm);
	struct irqx_level c, d, *told[] = { &a, &b, &c, &d };

	irqx_route_set(other, GSI, irqx_split_entry(0, VECTOR));
	c = irqx_level_gsi(other, GSI);
	d = irqx_level_gsi(other, GSI);
	irqx_split_start(&self->s);
	cycle(&self->s, &a, 0, VECTOR, told, 4);
	cycle(&self->s, &b, 1, VECTOR, told, 4);
	cycle(&self->s, &c, 0, VECTOR, told, 4);
	cycle(&self->s, &d, 0, VECTOR, told, 4);
	close(other);
}

/* Nobody is told of the EOI of another vector, or of another VM's. */
TEST_F(split, strangers)
{
	struct irqx_level level = irqx_level_direct(self->ctx, irqx_split_entry(0, VECTOR));
	struct irqx_level other = irqx_level_direct(self->ctx,
						    irqx_split_entry(0, OTHER_VECTOR));
	struct irqx_level theirs, *told[] = { &other };
	struct irqx_split s;
	int ctx;

	irqx_split_start(&self->s);
	cycle(&self->s, &other, 0, OTHER_VECTOR, told, 1);
	EXPECT_EQ(0, irqx_acks(&level, 0));

	irqx_split_create(&s, 1, IRQX_SPLIT_ROWS);
	ctx = irqx_context(s.vm);
	theirs = irqx_level_direct(ctx, irqx_split_entry(0, VECTOR));
	told[0] = &theirs;
	irqx_split_start(&s);
	cycle(&s, &theirs, 0, VECTOR, told, 1);
	/* If they had been told, then before that one. */
	EXPECT_EQ(0, irqx_eventfd_take(level.ack));
	EXPECT_EQ(0, irqx_eventfd_take(other.ack));
	irqx_split_stop(&s);
	close(ctx);
	irqx_split_free(&s);
}

static void wait_in_service(struct irqx_split *s, struct irqx_level *level)
{
	uint32_t count = irqx_split_count(s, 0, VECTOR) + 1;

	irqx_split_how(s, 0, IRQX_SPLIT_HOLDS);
	irqx_fire(level->fd);
	TEST_ASSERT(irqx_wait_until(irqx_split_count(s, 0, VECTOR) == count,
				    IRQX_TIMEOUT_MS), "no interrupt");
}

/* It is told at once, since the EOI of what it has left is not for it any more. */
TEST_F(split, moved_while_in_service)
{
	struct irqx_level level = irqx_level_direct(self->ctx, irqx_split_entry(0, VECTOR));
	struct irqx_level stays = irqx_level_direct(self->ctx, irqx_split_entry(0, VECTOR));
	struct irqx_level *told[] = { &level };

	irqx_split_start(&self->s);
	wait_in_service(&self->s, &level);
	ASSERT_EQ(0, __irqx_modify(self->ctx, level.fd, irqx_split_entry(0, OTHER_VECTOR)));
	EXPECT_EQ(1, irqx_eventfd_take(level.ack));
	EXPECT_EQ(0, irqx_eventfd_take(stays.ack));
	irqx_split_how(&self->s, 0, 0);
	EXPECT_EQ(1, irqx_acks(&stays, 1));
	EXPECT_EQ(0, irqx_eventfd_take(level.ack));
	level.acks = 0;
	cycle(&self->s, &level, 0, OTHER_VECTOR, told, 1);
}

TEST_F(split, deassigned_while_in_service)
{
	struct irqx_level level = irqx_level_direct(self->ctx, irqx_split_entry(0, VECTOR));
	struct irqx_level stays = irqx_level_direct(self->ctx, irqx_split_entry(0, VECTOR));

	irqx_split_start(&self->s);
	wait_in_service(&self->s, &level);
	irqx_unbind(self->ctx, level.fd);
	irqx_split_how(&self->s, 0, 0);
	EXPECT_EQ(1, irqx_acks(&stays, 1));
	EXPECT_EQ(0, irqx_eventfd_take(level.ack));
}

/*
 * KVM asks the VMM's IOAPIC for vectors that it finds in its own table only, and then the
 * signal has come first: on the vCPU's thread, which goes before any worker here.
 */
struct exits {
	struct irqx_level *level;
	uint32_t nr;			/* KVM_EXIT_IOAPIC_EOI */
	uint32_t early;			/* before the signal */
};

static void count_exit(struct irqx_split *s, uint8_t vector)
{
	struct exits *exits = s->arg;
	struct pollfd poll_ack = { .fd = exits->level->ack, .events = POLLIN };

	TEST_ASSERT(vector == VECTOR, "EOI of 0x%x", vector);
	if (poll(&poll_ack, 1, 0) != 1)
		exits->early++;
	WRITE_ONCE(exits->nr, exits->nr + 1);
}

TEST_F(split, before_the_exit)
{
	struct irqx_level level = irqx_level_direct(self->ctx, irqx_split_entry(0, VECTOR));
	struct kvm_irq_routing_entry row = irqx_split_entry(0, VECTOR);
	struct exits exits = { .level = &level };
	uint32_t i;

	self->s.arg = &exits;
	self->s.ioapic_eoi = count_exit;
	row.gsi = IRQX_SPLIT_ROWS - 1;
	ASSERT_EQ(0, __irqx_set_gsi_routing(self->s.vm->fd, &row, 1));
	irqx_split_start(&self->s);
	irqx_vcpu_first(&self->s.vcpus[0].v);
	for (i = 1; i <= 20; i++) {
		irqx_fire(level.fd);
		ASSERT_TRUE(irqx_wait_until(READ_ONCE(exits.nr) == i, IRQX_TIMEOUT_MS));
		ASSERT_EQ(1, irqx_eventfd_take(level.ack));
	}
	EXPECT_EQ(0, exits.early);
	/* A row too far: no exit, but the signal. */
	row.gsi = IRQX_SPLIT_ROWS;
	ASSERT_EQ(0, __irqx_set_gsi_routing(self->s.vm->fd, &row, 1));
	level.acks = 0;
	irqx_fire(level.fd);
	EXPECT_EQ(1, irqx_acks(&level, 1));
	irqx_fire(level.fd);
	EXPECT_EQ(2, irqx_acks(&level, 2));
	EXPECT_EQ(20, exits.nr);
}

/* The guest ends it in its memory, where KVM looks when the vCPU exits. */
TEST_F(split, pv_eoi)
{
	struct irqx_level level = irqx_level_direct(self->ctx, irqx_split_entry(0, VECTOR));
	struct irqx_level *told[] = { &level };
	uint32_t i;

	irqx_split_how(&self->s, 0, IRQX_SPLIT_PV_EOI);
	irqx_split_start(&self->s);
	for (i = 0; i < 20; i++)
		cycle(&self->s, &level, 0, VECTOR, told, 1);
}

TEST_F(split, errnos)
{
	struct kvm_irq_routing_entry entry = irqx_split_entry(0, VECTOR);
	const uint32_t level = entry.u.msi.data;
	int fd = irqx_eventfd(0, 0), ack = irqx_eventfd(0, 0);

	entry.u.msi.data = VECTOR;
	EXPECT_EQ(EINVAL, __irqx_bind_level(self->ctx, fd, ack, entry));
	/* NMI, SMI: no EOI. */
	entry.u.msi.data = level | APIC_DM_NMI;
	EXPECT_EQ(EINVAL, __irqx_bind_level(self->ctx, fd, ack, entry));
	entry.u.msi.data = level | APIC_DM_SMI;
	EXPECT_EQ(EINVAL, __irqx_bind_level(self->ctx, fd, ack, entry));
	EXPECT_EQ(EINVAL, __irqx_bind_level(self->ctx, fd, ack,
					    irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 4)));
	entry.u.msi.data = level;
	EXPECT_EQ(0, __irqx_bind_level(self->ctx, fd, ack, entry));
	entry.u.msi.data = VECTOR;
	EXPECT_EQ(EINVAL, __irqx_modify(self->ctx, fd, entry));
	/* KVM's own has none at all. */
	EXPECT_EQ(EINVAL, __irqx_irqfd_level(self->s.vm->fd, irqx_eventfd(0, 0), ack, 5));
}

/*
 * A SINT needs no IOAPIC, and its EOI is not asked for by KVM's table.
 */
static struct irqx_level sint_level(struct irqx_split *s, int ctx, uint32_t vp)
{
	struct kvm_vcpu *vcpu = s->vcpus[vp].v.vcpu;

	vcpu_set_hv_cpuid(vcpu);
	vcpu_enable_cap(vcpu, KVM_CAP_HYPERV_SYNIC2, 0);
	vcpu_set_msr(vcpu, HV_X64_MSR_SINT0 + SINT, SINT_VECTOR);
	return irqx_level_direct(ctx, irqx_sint_entry(vp, SINT));
}

TEST_F(split, sint)
{
	struct irqx_level level = sint_level(&self->s, self->ctx, 0), *told[] = { &level };
	struct irqx_level other = sint_level(&self->s, self->ctx, 1), *last[] = { &other };
	uint32_t i;

	irqx_split_start(&self->s);
	for (i = 0; i < 20; i++)
		cycle(&self->s, &level, 0, SINT_VECTOR, told, 1);
	EXPECT_EQ(0, irqx_acks(&other, 0));
	cycle(&self->s, &other, 1, SINT_VECTOR, last, 1);
	irqx_split_stop(&self->s);
	EXPECT_EQ(20, irqx_acks(&level, 20));
	EXPECT_EQ(1, irqx_acks(&other, 1));
	/* An EOM that the VMM writes for the guest is one too. */
	vcpu_set_msr(self->s.vcpus[0].v.vcpu, HV_X64_MSR_EOM, 0);
	EXPECT_EQ(21, irqx_acks(&level, 21));
}

static uint32_t nr_cleared;

/*
 * Where APICv completes the EOI, KVM's handler tells the IOAPIC only.  This runs that
 * handler without APICv.  An interrupt that comes meanwhile is lost.
 */
static void clear_isr(struct irqx_split *s, uint16_t port, uint8_t vector)
{
	struct kvm_vcpu *vcpu = s->vcpus[0].v.vcpu;
	struct kvm_lapic_state lapic;
	uint32_t reg = APIC_ISR + vector / 32 * 16, bits;

	TEST_ASSERT(port == IRQX_SPLIT_ACCELERATED, "port 0x%x", port);
	vcpu_ioctl(vcpu, KVM_GET_LAPIC, &lapic);
	memcpy(&bits, &lapic.regs[reg], sizeof(bits));
	TEST_ASSERT(bits & 1U << vector % 32, "0x%x is not in service", vector);
	bits &= ~(1U << vector % 32);
	memcpy(&lapic.regs[reg], &bits, sizeof(bits));
	vcpu_ioctl(vcpu, KVM_SET_LAPIC, &lapic);
	__atomic_add_fetch(&nr_cleared, 1, __ATOMIC_RELEASE);
}

/* The EOI is told before the VMM has cleared the vector's bit. */
static void wait_cleared(uint32_t nr)
{
	TEST_ASSERT(irqx_wait_until(__atomic_load_n(&nr_cleared, __ATOMIC_ACQUIRE) == nr,
				    IRQX_TIMEOUT_MS),
		    "%u cleared, not %u", nr_cleared, nr);
}

TEST_F(split, accelerated_eoi)
{
	struct irqx_level sint = sint_level(&self->s, self->ctx, 0);
	struct irqx_level msi = irqx_level_direct(self->ctx, irqx_split_entry(0, VECTOR));
	struct irqx_level *of_sint[] = { &sint }, *of_msi[] = { &msi };
	const char *file = irqx_variant_file("apicv");
	uint32_t i, cleared = 0;

	if (!file)
		SKIP(return, "selftests/make-variants has not been run");
	ASSERT_EQ(0, irqx_module_load(file, ""));
	self->s.port = clear_isr;
	irqx_split_start(&self->s);
	for (i = 0; i < 20; i++) {
		irqx_split_how(&self->s, 0, i & 1 ? IRQX_SPLIT_APICV : 0);
		cycle(&self->s, &sint, 0, SINT_VECTOR, of_sint, 1);
		cleared += i & 1;
		wait_cleared(cleared);
		cycle(&self->s, &msi, 0, VECTOR, of_msi, 1);
		cleared += i & 1;
		wait_cleared(cleared);
	}
	irqx_split_stop(&self->s);
	EXPECT_EQ(0, irqx_module_unload("irqx_apicv"));
	EXPECT_EQ(0, irqx_eventfd_take(sint.ack));
	/* Nothing is left of the last one that would keep this back. */
	vcpu_set_msr(self->s.vcpus[0].v.vcpu, HV_X64_MSR_EOM, 0);
	EXPECT_EQ(21, irqx_acks(&sint, 21));
}

/*
 * A VMM's IOAPIC, for devices whose interrupts come from the kernel, as with VFIO's INTx:
 * the host masks it and fires the eventfd, and unmasks when the resamplefd is signalled.
 *
 * What it does for that: a pin is a level-triggered MSI that is bound with a resamplefd
 * while the guest has not masked it.  It keeps no Remote IRR for such a pin, as the host's
 * mask is all that is needed.  What is fired meanwhile stays in the eventfd, and binding it
 * again delivers it.  The EOI of a masked pin is not heard, so unmasking asks the device
 * again, as the EOI would have.
 */
#define NR_PINS		3

struct device {
	bool wants;			/* service */
	bool host_masked;
	uint32_t served;
	uint32_t stale;			/* served for nothing */
};

struct pin {
	struct irqx_level level;
	struct device device;
	uint32_t vcpu;
	bool masked;
};

struct vmm {
	pthread_mutex_t lock;
	struct irqx_split *s;
	int ctx;
	struct pin pins[NR_PINS];
	bool stop;
};

static uint8_t vector_of(uint32_t pin)
{
	return 0x40 + 0x10 * pin;
}

/* The host's interrupt handler. */
static void device_check(struct pin *pin)
{
	if (!pin->device.wants || pin->device.host_masked)
		return;
	pin->device.host_masked = true;
	irqx_fire(pin->level.fd);
}

static void device_unmask(struct pin *pin)
{
	pin->device.host_masked = false;
	device_check(pin);
}

static void pin_bind(struct vmm *vmm, uint32_t i)
{
	struct pin *pin = &vmm->pins[i];

	TEST_ASSERT(!__irqx_bind_level(vmm->ctx, pin->level.fd, pin->level.ack,
				       irqx_split_entry(pin->vcpu, vector_of(i))),
		    "pin %u", i);
}

static void ioapic_mask(struct vmm *vmm, uint32_t i, bool masked)
{
	struct pin *pin = &vmm->pins[i];

	if (pin->masked == masked)
		return;
	pin->masked = masked;
	if (masked) {
		irqx_unbind(vmm->ctx, pin->level.fd);
		return;
	}
	pin_bind(vmm, i);
	device_unmask(pin);
}

static void vmm_port(struct irqx_split *s, uint16_t port, uint8_t vector)
{
	struct vmm *vmm = s->arg;
	uint32_t i = (vector - vector_of(0)) / 0x10;
	struct device *device = &vmm->pins[i].device;

	pthread_mutex_lock(&vmm->lock);
	if (port == IRQX_SPLIT_SERVE) {
		device->stale += !device->wants;
		device->served += device->wants;
		device->wants = false;
	} else {
		ioapic_mask(vmm, i, port == IRQX_SPLIT_MASK);
	}
	pthread_mutex_unlock(&vmm->lock);
}

static void *vmm_resample(void *arg)
{
	struct pollfd polls[NR_PINS];
	struct vmm *vmm = arg;
	uint32_t i;

	for (i = 0; i < NR_PINS; i++)
		polls[i] = (struct pollfd){ .fd = vmm->pins[i].level.ack, .events = POLLIN };
	while (!READ_ONCE(vmm->stop)) {
		poll(polls, NR_PINS, 10);
		pthread_mutex_lock(&vmm->lock);
		for (i = 0; i < NR_PINS; i++)
			if (irqx_eventfd_take(vmm->pins[i].level.ack))
				device_unmask(&vmm->pins[i]);
		pthread_mutex_unlock(&vmm->lock);
	}
	return NULL;
}

static bool device_assert(struct vmm *vmm, uint32_t i)
{
	struct device *device = &vmm->pins[i].device;
	bool idle;

	pthread_mutex_lock(&vmm->lock);
	idle = !device->wants;
	if (idle) {
		device->wants = true;
		device_check(&vmm->pins[i]);
	}
	pthread_mutex_unlock(&vmm->lock);
	return idle;
}

static uint32_t interrupts(struct vmm *vmm, uint32_t i)
{
	return irqx_split_count(vmm->s, vmm->pins[i].vcpu, vector_of(i));
}

static void run_ioapic(struct __test_metadata *_metadata, struct irqx_split *s, int ctx,
		       uint32_t how)
{
	struct vmm vmm = { .lock = PTHREAD_MUTEX_INITIALIZER, .s = s, .ctx = ctx };
	const uint32_t n = irqx_iterations(700, 100000);
	uint32_t asserted[NR_PINS] = {}, i, left = NR_PINS;
	pthread_t thread;

	s->arg = &vmm;
	s->port = vmm_port;
	for (i = 0; i < NR_PINS; i++) {
		vmm.pins[i].vcpu = i % s->nr;
		vmm.pins[i].level.fd = irqx_eventfd(0, 0);
		vmm.pins[i].level.ack = irqx_eventfd(0, 0);
		pin_bind(&vmm, i);
	}
	for (i = 0; i < s->nr; i++)
		irqx_split_how(s, i, how);
	irqx_split_start(s);
	pthread_create(&thread, NULL, vmm_resample, &vmm);
	while (left) {
		left = 0;
		for (i = 0; i < NR_PINS; i++) {
			if (asserted[i] < n)
				asserted[i] += device_assert(&vmm, i);
			left += asserted[i] < n;
		}
		sched_yield();
	}
	for (i = 0; i < NR_PINS; i++)
		/* The last one unmasks after it has been served. */
		EXPECT_TRUE(irqx_wait_until(READ_ONCE(vmm.pins[i].device.served) == n &&
					    !READ_ONCE(vmm.pins[i].masked), IRQX_TIMEOUT_MS));
	irqx_split_stop(s);
	vmm.stop = true;
	pthread_join(thread, NULL);
	for (i = 0; i < NR_PINS; i++) {
		EXPECT_EQ(n, vmm.pins[i].device.served);
		EXPECT_EQ(0, vmm.pins[i].device.stale);
		EXPECT_EQ(n, interrupts(&vmm, i));
		EXPECT_FALSE(vmm.pins[i].masked);
	}
}

TEST_F_TIMEOUT(split, ioapic, 3600)
{
	run_ioapic(_metadata, &self->s, self->ctx, IRQX_SPLIT_SERVES);
}

TEST_F_TIMEOUT(split, ioapic_oneshot, 3600)
{
	run_ioapic(_metadata, &self->s, self->ctx, IRQX_SPLIT_ONESHOT);
}

TEST_F_TIMEOUT(split, ioapic_pv_eoi, 3600)
{
	run_ioapic(_metadata, &self->s, self->ctx,
		   IRQX_SPLIT_SERVES | IRQX_SPLIT_PV_EOI);
}

TEST_HARNESS_MAIN

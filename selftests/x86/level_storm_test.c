// SPDX-License-Identifier: GPL-2.0
/*
 * Level-triggered devices at full speed: eight of them on four pins of the
 * IOAPIC, two and two on each of two vCPUs.
 *
 * A device has a status in memory that it shares with the guest: how often it
 * has asserted and how often it was served.  It signals its eventfd, the guest's
 * handler serves whoever of the pin's devices has asserted, and ends with the
 * EOI; on the resamplefd the device looks at the status: served, then it asserts
 * the next time; else it still holds its line up and signals again.
 */
#include <poll.h>

#include "irqx_level.h"
#include "irqx_harness.h"

#define NR_DEVICES	8
#define NR_PINS		4
#define NR_PER_PIN	(NR_DEVICES / NR_PINS)
#define NR_THREADS	2
#define PIN(i)		(16 + (i))
#define VECTOR(i)	(0x60 + 0x11 * (i))

/* In guest memory. */
struct device {
	uint64_t asserted;		/* the host writes it, */
	uint64_t served;		/* the guest this */
} __aligned(64);

struct pin {
	struct device devices[NR_PER_PIN];
	uint64_t irqs;			/* handlers run */
	uint64_t idle;			/* of which with nothing to serve */
	uint32_t redir;			/* of its redirection entry */
	uint32_t oneshot;		/* mask it until served */
} __aligned(64);

static struct pin *guest_pins;

static void ioapic_write(uint32_t reg, uint32_t value)
{
	/* Each vCPU has pins, and the IOAPIC one index register. */
	static uint32_t lock;

	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		asm volatile("pause");
	*(volatile uint32_t *)0xfec00000UL = reg;
	*(volatile uint32_t *)0xfec00010UL = value;
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

static void guest_device_irq(struct ex_regs *regs)
{
	uint32_t i, nr = (regs->vector - VECTOR(0)) / 0x11;
	struct pin *pin = &guest_pins[nr];
	uint32_t reg = 0x10 + 2 * PIN(nr);
	uint64_t asserted;
	bool idle = true;

	/* As a driver with a threaded handler: EOI first, unmask when done. */
	if (pin->oneshot) {
		ioapic_write(reg, pin->redir | IRQX_IOAPIC_MASKED);
		wrmsr(APIC_BASE_MSR + (APIC_EOI >> 4), 0);
	}
	for (i = 0; i < NR_PER_PIN; i++) {
		asserted = READ_ONCE(pin->devices[i].asserted);
		if (asserted == pin->devices[i].served)
			continue;
		WRITE_ONCE(pin->devices[i].served, asserted);
		idle = false;
	}
	WRITE_ONCE(pin->idle, pin->idle + idle);
	WRITE_ONCE(pin->irqs, pin->irqs + 1);
	if (pin->oneshot)
		ioapic_write(reg, pin->redir);
	else
		wrmsr(APIC_BASE_MSR + (APIC_EOI >> 4), 0);
}

/*
 * The host
 */

struct source {
	struct irqx_level level;
	struct device *device;
	uint64_t target;
	uint64_t again;			/* still up after an EOI */
};

struct devices {
	pthread_t thread;
	struct source *sources;
	uint32_t nr;
	bool stuck;
};

FIXTURE(storm) {
	struct irqx_guest *g;
	int ctx2;
	struct pin *pins;
	struct source sources[NR_DEVICES];
	bool stop;
};

FIXTURE_SETUP(storm)
{
	struct kvm_irq_routing_entry entry;
	vm_vaddr_t gva;
	uint32_t i;

	self->g = irqx_level_guest(2);
	self->ctx2 = irqx_context(self->g->vm);
	gva = vm_vaddr_alloc_page(self->g->vm);
	*(vm_vaddr_t *)addr_gva2hva(self->g->vm, (vm_vaddr_t)&guest_pins) = gva;
	self->pins = addr_gva2hva(self->g->vm, gva);

	for (i = 0; i < NR_PINS; i++) {
		irqx_guest_handle(self->g->vm, VECTOR(i), guest_device_irq);
		self->pins[i].redir = IRQX_IOAPIC_LEVEL | VECTOR(i);
		irqx_pin_set(self->g, PIN(i),
			     IRQX_IOAPIC_DEST(i / 2) | self->pins[i].redir);
	}

	/* By all ways: direct or by a GSI, of this context or another one. */
	for (i = 0; i < NR_DEVICES; i++) {
		int ctx = i & 1 ? self->ctx2 : self->g->ctx;

		entry = irqx_pin_entry(KVM_IRQCHIP_IOAPIC, PIN(i / NR_PER_PIN));
		irqx_route_set(ctx, 1000 + i, entry);
		self->sources[i].level = i & 2 ? irqx_level_gsi(ctx, 1000 + i) :
						 irqx_level_direct(ctx, entry);
		self->sources[i].device =
			&self->pins[i / NR_PER_PIN].devices[i % NR_PER_PIN];
	}
}

FIXTURE_TEARDOWN(storm)
{
	irqx_check(self->g);
	close(self->ctx2);
	irqx_guest_free(self->g);
}

static void device_assert(struct source *s)
{
	WRITE_ONCE(s->device->asserted, s->device->asserted + 1);
	irqx_fire(s->level.fd);
}

/* Return: whether the device has more to do. */
static bool device_resampled(struct source *s)
{
	if (READ_ONCE(s->device->served) != s->device->asserted) {
		s->again++;
		irqx_fire(s->level.fd);
		return true;
	}
	if (s->device->asserted == s->target)
		return false;
	device_assert(s);
	return true;
}

static void *devices_thread(void *arg)
{
	struct devices *d = arg;
	struct pollfd polls[NR_DEVICES];
	uint32_t i, busy = d->nr;

	for (i = 0; i < d->nr; i++) {
		polls[i] = (struct pollfd){
			.fd = d->sources[i].level.ack,
			.events = POLLIN,
		};
		device_assert(&d->sources[i]);
	}
	while (busy) {
		if (poll(polls, d->nr, IRQX_TIMEOUT_MS) <= 0) {
			d->stuck = true;
			return NULL;
		}
		for (i = 0; i < d->nr; i++) {
			if (!(polls[i].revents & POLLIN))
				continue;
			d->sources[i].level.acks +=
				irqx_eventfd_take(d->sources[i].level.ack);
			if (!device_resampled(&d->sources[i])) {
				polls[i].fd = -1;
				busy--;
			}
		}
	}
	return NULL;
}

static void run_storm(struct __test_metadata *_metadata, struct irqx_guest *g,
		      int ctx2, struct source *sources, struct pin *pins,
		      uint64_t cycles, bool unmasks)
{
	uint32_t each = NR_DEVICES / NR_THREADS, i;
	struct devices devices[NR_THREADS] = {};
	uint64_t again = 0, irqs = 0, idle = 0, acks;
	uint64_t start = irqx_now_ns(), ns;
	struct source *s;
	struct pin *pin;

	for (i = 0; i < NR_DEVICES; i++)
		sources[i].target = cycles / NR_DEVICES;
	for (i = 0; i < NR_THREADS; i++) {
		devices[i].sources = sources + i * each;
		devices[i].nr = each;
		ASSERT_EQ(0, pthread_create(&devices[i].thread, NULL,
					    devices_thread, &devices[i]));
	}
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(devices[i].thread, NULL);
	ns = irqx_now_ns() - start;

	for (i = 0; i < NR_DEVICES; i++) {
		s = &sources[i];
		EXPECT_EQ(s->target, s->device->asserted) {
			TH_LOG("device %u waits for an EOI; pins up: %x", i,
			       irqx_ioapic_irr(g->vm));
		}
		EXPECT_EQ(s->target, s->device->served);
		again += s->again;
	}
	for (i = 0; i < NR_THREADS; i++)
		ASSERT_FALSE(devices[i].stuck);

	/* What the last signals did: at most one interrupt more for each. */
	irqx_settle(g->ctx);
	irqx_settle(ctx2);
	irqx_fence(g);
	ASSERT_EQ(0, irqx_ioapic_irr(g->vm));
	for (i = 0; i < NR_DEVICES; i++) {
		pin = &pins[i / NR_PER_PIN];
		acks = irqx_acks(&sources[i].level, pin->irqs);
		/* A device is asked at each unmasking too, from 6.4 on. */
		if (unmasks && irqx_kernel_since(6, 4)) {
			EXPECT_LE(pin->irqs, acks);
		} else {
			EXPECT_EQ(pin->irqs, acks);
		}
	}
	for (i = 0; i < NR_PINS; i++) {
		irqs += pins[i].irqs;
		idle += pins[i].idle;
	}
	TH_LOG("%lu cycles in %lu ms: %lu ns each; %lu interrupts, %lu idle, %lu kept up",
	       cycles, ns / 1000000, ns / cycles, irqs, idle, again);
}

TEST_F_TIMEOUT(storm, plain, 3000)
{
	run_storm(_metadata, self->g, self->ctx2, self->sources, self->pins,
		  irqx_iterations(100000, 2000000), false);
}

/* The guest masks the pin, ends the interrupt, serves, and unmasks. */
TEST_F_TIMEOUT(storm, oneshot, 600)
{
	uint32_t i;

	for (i = 0; i < NR_PINS; i++)
		self->pins[i].oneshot = true;
	run_storm(_metadata, self->g, self->ctx2, self->sources, self->pins,
		  irqx_iterations(8000, 200000), true);
}

/* KVM's own table changes meanwhile, and has resamplers of its own. */
struct churn {
	struct kvm_vm *vm;
	bool stop;
	uint64_t changes;
};

static void *churn_thread(void *arg)
{
	struct kvm_irq_routing_entry table[NR_PINS];
	struct churn *churn = arg;
	uint32_t i, gsi = 0;

	while (!READ_ONCE(churn->stop)) {
		for (i = 0; i < NR_PINS; i++) {
			table[i] = irqx_pin_entry(KVM_IRQCHIP_IOAPIC, PIN(i));
			table[i].gsi = gsi + PIN(i);
		}
		irqx_set_gsi_routing(churn->vm->fd, table, gsi & 1 ? 0 : NR_PINS);
		gsi = (gsi + 1) % 7;
		churn->changes++;
	}
	return NULL;
}

TEST_F_TIMEOUT(storm, churn, 600)
{
	struct churn churn = { .vm = self->g->vm };
	pthread_t thread;

	irqx_level_gsi(self->g->vm->fd, PIN(0));
	irqx_level_gsi(self->g->vm->fd, PIN(3));
	ASSERT_EQ(0, pthread_create(&thread, NULL, churn_thread, &churn));
	run_storm(_metadata, self->g, self->ctx2, self->sources, self->pins,
		  irqx_iterations(8000, 200000), false);
	WRITE_ONCE(churn.stop, true);
	pthread_join(thread, NULL);
	TH_LOG("%lu changes of KVM's table", churn.changes);
	/* One takes 16 ms on PREEMPT_RT. */
	ASSERT_LT(20, churn.changes);
}

TEST_HARNESS_MAIN

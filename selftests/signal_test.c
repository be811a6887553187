// SPDX-License-Identifier: GPL-2.0
/*
 * Bound eventfds that are signalled where real ones are: by an interrupt handler, as VFIO's
 * does it (selftests/modules/hardirq.c), and by a vCPU's thread inside kvm->srcu, when the
 * guest writes to a doorbell (KVM_IOEVENTFD).  By entries that go at once and by those
 * that do not, while bindings change, go, and their context is closed.
 *
 * What is wrong in such a context the kernel log tells (lockdep on the debug kernel).
 */
#include <fcntl.h>

#include "irqx_doorbell.h"
#include "irqx_dynirq.h"
#include "irqx_module.h"
#include "irqx_source.h"
#include "irqx_harness.h"

#define MODULE	"irqx_hardirq"
#define GSI	70000

struct request {
	int32_t fd;
	uint32_t count;
	uint64_t period_ns;
};

FIXTURE(interrupt)
{
	struct irqx_guest *g;
	int timer;
	int fd;
};

FIXTURE_SETUP(interrupt)
{
	const char *file = irqx_variant_file("hardirq");

	self->timer = -1;
	if (!file)
		SKIP(return, "selftests/make-variants has not been run");
	ASSERT_EQ(0, irqx_module_load(file, ""));
	self->g = __irqx_guest_create(2, NULL, IRQX_GUEST_ARCH_TABLE);
	self->fd = irqx_eventfd(0, 0);
	self->timer = open("/dev/irqx-hardirq", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->timer);
	irqx_guest_start(self->g);
}

FIXTURE_TEARDOWN(interrupt)
{
	if (self->timer < 0)
		return;
	close(self->timer);
	irqx_guest_free(self->g);
	TEST_ASSERT(!irqx_module_unload(MODULE), "%s is in use", MODULE);
}

static void timer_start(int timer, int fd, uint32_t count)
{
	struct request request = {
		.fd = fd,
		.count = count,
		/* The guest takes each before the next one, on a machine that is not busy. */
		.period_ns = 1000000,
	};

	TEST_ASSERT(write(timer, &request, sizeof(request)) == sizeof(request),
		    "write: %s", strerror(errno));
}

static uint64_t timer_count(int timer)
{
	uint64_t count;

	TEST_ASSERT(read(timer, &count, sizeof(count)) == sizeof(count),
		    "read: %s", strerror(errno));
	return count;
}

/* One interrupt at least after the last event, and none too many. */
static void run_timer(struct __test_metadata *_metadata, struct irqx_guest *g,
		      int timer, int fd, uint32_t vcpu, uint32_t irq)
{
	uint32_t n = irqx_iterations(100, 2000);
	uint64_t before = irqx_count(g, vcpu, irq);

	timer_start(timer, fd, n);
	EXPECT_TRUE(irqx_wait_until(timer_count(timer) == n, IRQX_TIMEOUT_MS));
	irqx_settle(g->ctx);
	irqx_fence(g);
	EXPECT_TRUE(irqx_wait_until(irqx_count(g, vcpu, irq) > before,
				    IRQX_TIMEOUT_MS));
	EXPECT_GE(before + n, irqx_count(g, vcpu, irq));
	/* The last one has not been swallowed. */
	before = irqx_count(g, vcpu, irq);
	timer_start(timer, fd, 1);
	irqx_wait_count(g, vcpu, irq, before + 1);
	irqx_forget(g);
}

TEST_F_TIMEOUT(interrupt, direct, 60)
{
	irqx_bind(self->g->ctx, self->fd, irqx_entry(self->g, 1, 0x40));
	run_timer(_metadata, self->g, self->timer, self->fd, 1, 0x40);
}

TEST_F_TIMEOUT(interrupt, routed, 60)
{
	irqx_irqfd(self->g->ctx, self->fd, GSI, 0);
	irqx_route_set(self->g->ctx, GSI, irqx_entry(self->g, 1, 0x40));
	run_timer(_metadata, self->g, self->timer, self->fd, 1, 0x40);
}

/* Moved by the VMM, which the guest does by a write. */
TEST_F_TIMEOUT(interrupt, handle, 90)
{
	struct irqx_table dynirq = irqx_dynirq_create(self->g->ctx, 4);
	uint32_t n = irqx_iterations(300, 5000), i;
	struct irqx_guest *g = self->g;
	struct irqx_vector_message m;

	irqx_bind(g->ctx, self->fd, irqx_vector_entry(&dynirq, 3));
	timer_start(self->timer, self->fd, n);
	for (i = 0; timer_count(self->timer) < n; i++) {
		m = irqx_vector_message(g, i % 2, 0x40 + i % 7);
		irqx_vector_put(&dynirq, 3, (struct kvm_irqx_vector){
			.address_lo = m.address,
			.address_hi = m.address >> 32,
			.data = m.data,
			.control = i % 5 == 0,
		});
	}
	m = irqx_vector_message(g, 1, 0x40);
	irqx_vector_put(&dynirq, 3, (struct kvm_irqx_vector){
		.address_lo = m.address,
		.address_hi = m.address >> 32,
		.data = m.data,
	});
	irqx_settle(g->ctx);
	irqx_fence(g);
	EXPECT_LT(0, irqx_total(g));
	irqx_forget(g);
	run_timer(_metadata, g, self->timer, self->fd, 1, 0x40);
}

/* By a worker. */
TEST_F_TIMEOUT(interrupt, slow, 60)
{
	irqx_bind(self->g->ctx, self->fd, irqx_slow_entry(self->g, 0, 1, 0x45));
	run_timer(_metadata, self->g, self->timer, self->fd, 1, 0x45);
}

/* A level that the guest, which has the pin masked, never takes. */
TEST_F_TIMEOUT(interrupt, level, 60)
{
	struct irqx_guest *g = self->g;
	uint32_t n = irqx_iterations(50, 500);
	int ack = irqx_eventfd(0, 0);

	irqx_assert(__irqx_bind_level(g->ctx, self->fd, ack,
				      irqx_wire_entry(g, 1)));
	timer_start(self->timer, self->fd, n);
	EXPECT_TRUE(irqx_wait_until(timer_count(self->timer) == n,
				    IRQX_TIMEOUT_MS));
	EXPECT_TRUE(irqx_wait_until(irqx_wire_is_up(g, 1), IRQX_TIMEOUT_MS));
	irqx_unbind(g->ctx, self->fd);
	EXPECT_FALSE(irqx_wire_is_up(g, 1));
	close(ack);
}

/* Entries of both kinds in turn. */
TEST_F_TIMEOUT(interrupt, modified, 90)
{
	struct irqx_guest *g = self->g;
	uint32_t n = irqx_iterations(300, 5000), i = 0;

	irqx_bind(g->ctx, self->fd, irqx_entry(g, 0, 0x40));
	timer_start(self->timer, self->fd, n);
	while (timer_count(self->timer) < n) {
		i++;
		irqx_modify(g->ctx, self->fd, i % 3 ?
			    irqx_entry(g, i % 2, 0x40 + i % 7) :
			    irqx_slow_entry(g, 0, 1, 0x60));
	}
	irqx_settle(g->ctx);
	irqx_fence(g);
	EXPECT_LT(0, irqx_total(g));
	EXPECT_EQ(0, irqx_stats(g->ctx).refused);
	irqx_modify(g->ctx, self->fd, irqx_entry(g, 1, 0x70));
	timer_start(self->timer, self->fd, 1);
	irqx_wait_count(g, 1, 0x70, 1);
}

TEST_F_TIMEOUT(interrupt, unbound_and_closed, 90)
{
	struct irqx_guest *g = self->g;
	uint32_t n = irqx_iterations(300, 5000), i = 0;
	uint64_t total;
	int ctx;

	timer_start(self->timer, self->fd, n);
	while (timer_count(self->timer) < n) {
		ctx = irqx_context(g->vm);
		irqx_bind(ctx, self->fd, i++ % 2 ? irqx_entry(g, 0, 0x40) :
			  irqx_slow_entry(g, 0, 1, 0x60));
		usleep(500);
		if (i % 4 < 2)
			irqx_unbind(ctx, self->fd);
		close(ctx);
	}
	irqx_fence(g);
	total = irqx_total(g);
	EXPECT_LT(0, total);
	timer_start(self->timer, self->fd, 1);
	usleep(20000);
	irqx_fence(g);
	EXPECT_EQ(total, irqx_total(g));
	EXPECT_LT(0, irqx_eventfd_take(self->fd));
}

/*
 * ---- A doorbell ----
 */

FIXTURE(doorbell)
{
	struct irqx_guest *g;
	int fd;
};

FIXTURE_SETUP(doorbell)
{
	struct kvm_ioeventfd ioeventfd = {
		.addr = IRQX_DOORBELL,
		.len = IRQX_DOORBELL_LEN,
		.flags = IRQX_DOORBELL_FLAGS,
	};

	self->g = irqx_doorbell_guest(2);
	self->fd = irqx_eventfd(0, 0);
	ioeventfd.fd = self->fd;
	vm_ioctl(self->g->vm, KVM_IOEVENTFD, &ioeventfd);
	irqx_guest_start(self->g);
}

FIXTURE_TEARDOWN(doorbell)
{
	irqx_guest_free(self->g);
}

static void ring_and_count(struct irqx_guest *g, uint32_t vcpu, uint32_t irq)
{
	uint32_t i, n = irqx_iterations(50, 1000);

	for (i = 1; i <= n; i++) {
		irqx_doorbell_ring(g, i % 2);
		irqx_wait_count(g, vcpu, irq, i);
	}
	irqx_expect(g, vcpu, irq, n);
	irqx_check(g);
}

TEST_F_TIMEOUT(doorbell, direct, 60)
{
	irqx_bind(self->g->ctx, self->fd, irqx_entry(self->g, 1, 0x40));
	ring_and_count(self->g, 1, 0x40);
}

TEST_F_TIMEOUT(doorbell, routed, 60)
{
	irqx_irqfd(self->g->ctx, self->fd, GSI, 0);
	irqx_route_set(self->g->ctx, GSI, irqx_entry(self->g, 0, 0x40));
	ring_and_count(self->g, 0, 0x40);
}

TEST_F_TIMEOUT(doorbell, slow, 60)
{
	irqx_bind(self->g->ctx, self->fd, irqx_slow_entry(self->g, 0, 1, 0x45));
	ring_and_count(self->g, 1, 0x45);
}

struct changer {
	struct irqx_guest *g;
	pthread_t thread;
	int fd;
	bool stop;
};

/* A binding that moves, goes, and is of one context after the other. */
static void *change_binding(void *arg)
{
	struct changer *c = arg;
	struct irqx_guest *g = c->g;
	uint32_t i;
	int ctx;

	for (i = 0; !READ_ONCE(c->stop); i++) {
		ctx = irqx_context(g->vm);
		irqx_bind(ctx, c->fd, irqx_entry(g, 0, 0x40));
		irqx_modify(ctx, c->fd, irqx_slow_entry(g, 0, 1, 0x60));
		irqx_modify(ctx, c->fd, irqx_entry(g, 1, 0x41));
		if (i % 2)
			irqx_unbind(ctx, c->fd);
		close(ctx);
	}
	return NULL;
}

TEST_F_TIMEOUT(doorbell, changed, 90)
{
	uint32_t i, n = irqx_iterations(200, 5000);
	struct changer changer = { .g = self->g, .fd = self->fd };

	pthread_create(&changer.thread, NULL, change_binding, &changer);
	for (i = 0; i < n; i++)
		irqx_doorbell_ring(self->g, i % 2);
	WRITE_ONCE(changer.stop, true);
	pthread_join(changer.thread, NULL);
	irqx_eventfd_take(self->fd);
	irqx_fence(self->g);
	irqx_bind(self->g->ctx, self->fd, irqx_entry(self->g, 1, 0x70));
	irqx_doorbell_ring(self->g, 0);
	irqx_wait_count(self->g, 1, 0x70, 1);
}

TEST_HARNESS_MAIN

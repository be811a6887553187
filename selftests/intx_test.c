// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/kvm-irqx-intx: the INTx of an assigned device, in the kernel, alone on its line and shared.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <kvmirqx.h>

#include "irqx_assign.h"
#include "irqx_harness.h"
#include "irqx_module.h"
#include "irqx_trace.h"

/* That a driver of the host waits so long is a fault; what is measured is said. */
#define PATIENCE_MS	5000

FIXTURE(intx)
{
	struct irqx_assigned a;
	struct irqx_guest *g;
	volatile struct irqx_edu_driver *driver;
	int intx;
	int neighbour;
	uint64_t fired;
};

static void setup(FIXTURE_DATA(intx) *self, int slot, int neighbour)
{
	int err = irqx_intx_load("");

	TEST_ASSERT(!err || err == EEXIST, "load: %s", strerror(err));
	irqx_assigned_find(&self->a, slot);
	irqx_assigned_open(&self->a);
	self->g = irqx_edu_guest(&self->a);
	self->driver = irqx_edu_driver(self->g);
	self->intx = irqx_intx_open();
	self->neighbour = irqx_neighbour_open(neighbour);
	self->fired = 0;
}

FIXTURE_SETUP(intx)
{
	const char *missing = irqx_assign_missing();

	if (missing)
		SKIP(return, "%s", missing);
	setup(self, IRQX_EDU_SLOT, IRQX_EDU_NEIGHBOUR);
}

static void teardown(struct __test_metadata *_metadata, FIXTURE_DATA(intx) *self)
{
	uint64_t nr = 0;

	if (!self->g)
		return;
	/* VFIO clears the disable bit when it closes a device, and this one is not reset then. */
	if (self->a.bar)
		irqx_edu_write(&self->a, IRQX_EDU_ACK, ~0U);
	if (self->intx >= 0)
		close(self->intx);
	/* The line is open for whoever comes. */
	if (self->neighbour >= 0) {
		struct neighbour_request request = { .op = NEIGHBOUR_JOIN };

		__irqx_neighbour(self->neighbour, &request);
		EXPECT_EQ(0, irqx_neighbour_depth(self->neighbour, &nr));
		EXPECT_EQ(1, nr);
		EXPECT_EQ(1, irqx_neighbour_fire(self->neighbour, 1, PATIENCE_MS).served);
		irqx_neighbour_close(self->neighbour);
	}
	irqx_guest_free(self->g);
	irqx_assigned_close(&self->a);
	EXPECT_EQ(0, irqx_module_unload(IRQX_INTX_NAME));
}

FIXTURE_TEARDOWN(intx)
{
	teardown(_metadata, self);
}

static void cycles(FIXTURE_DATA(intx) *self, uint64_t n)
{
	irqx_edu_cycles(&self->a, self->g, &self->fired, n);
}

/* All EOIs have been told of. */
static struct kvm_irqx_intx_state settled(FIXTURE_DATA(intx) *self)
{
	uint32_t masked = KVM_IRQX_INTX_FLAG_LINE_CLOSED | KVM_IRQX_INTX_FLAG_DEVICE_MASKED;

	TEST_ASSERT(irqx_wait_until(!(irqx_intx_state(self->intx).flags & masked), IRQX_TIMEOUT_MS),
		    "flags 0x%x", irqx_intx_state(self->intx).flags);
	return irqx_intx_state(self->intx);
}

static void hold(FIXTURE_DATA(intx) *self)
{
	irqx_edu_hold(&self->a, self->g);
}

static void let_go(FIXTURE_DATA(intx) *self)
{
	irqx_edu_let_go(&self->a, self->g);
}

TEST_F_TIMEOUT(intx, alone, 600)
{
	uint64_t n = irqx_iterations(1000, 100000);
	struct kvm_irqx_intx_state state;

	irqx_intx_attach(self->intx, self->g->ctx, &self->a);
	cycles(self, n);
	state = settled(self);
	EXPECT_EQ(KVM_IRQX_INTX_STATE_ATTACHED, state.state);
	EXPECT_EQ(KVM_IRQX_INTX_MODE_LINE, state.mode);
	EXPECT_EQ(0, state.flags);
	EXPECT_EQ(state.interrupts, state.by_line);
	EXPECT_LE(n, state.by_line);
	EXPECT_EQ(0, state.by_device);
	EXPECT_EQ(0, state.to_device);
	EXPECT_LE(n, state.eois);
}

TEST_F_TIMEOUT(intx, shared, 600)
{
	uint64_t n = irqx_iterations(1000, 100000), i;
	struct kvm_irqx_intx_state state;
	struct neighbour_request request;

	irqx_neighbour_join(self->neighbour, 0);
	irqx_intx_attach(self->intx, self->g->ctx, &self->a);
	for (i = 0; i < n; i++) {
		cycles(self, 1);
		if (i % 4)
			continue;
		request = irqx_neighbour_fire(self->neighbour, 1, PATIENCE_MS);
		ASSERT_EQ(0, request.lost);
	}
	state = settled(self);
	EXPECT_EQ(KVM_IRQX_INTX_MODE_DEVICE, state.mode);
	/* On arm64 one may come before KVM has seen the EOI of the last, which then finds it. */
	EXPECT_EQ(n, state.by_device + state.asserted);
	EXPECT_EQ(0, state.by_line);
	EXPECT_EQ(0, state.to_device);
	/* Some may come together with one of ours. */
	EXPECT_LT(0, state.foreign);
	EXPECT_EQ(0, self->driver->empty);
}

/* An EOI of a device that is not content yet: it is raised again at once. */
TEST_F(intx, still_asserts)
{
	uint32_t i, shared;
	uint64_t asserted;

	for (shared = 0; shared < 2; shared++) {
		if (shared)
			irqx_neighbour_join(self->neighbour, 0);
		irqx_intx_attach(self->intx, self->g->ctx, &self->a);
		for (i = 0; i < 10; i++) {
			hold(self);
			self->driver->hold = 0;
			self->fired++;
			irqx_edu_guest_eoi(self->g);
			EXPECT_TRUE(irqx_edu_wait(self->g, self->fired));
		}
		asserted = settled(self).asserted;
		EXPECT_LE(shared ? 10 : 0, asserted);
		EXPECT_TRUE(shared || !asserted);
		irqx_assert(__irqx_ioctl(self->intx, KVM_IRQX_INTX_DETACH, NULL));
	}
	irqx_neighbour_leave(self->neighbour);
}

/* A driver of the host that comes, interrupts once and goes, again and again. */
struct visitor {
	int neighbour;
	uint32_t pause_us;
	pthread_t thread;
	bool stop;
	struct neighbour_request sum;
};

static void *visit(void *arg)
{
	struct visitor *visitor = arg;
	struct neighbour_request *sum = &visitor->sum;

	while (!READ_ONCE(visitor->stop)) {
		struct neighbour_request request = {
			.op = NEIGHBOUR_VISIT,
			.count = 1,
			.ms = PATIENCE_MS,
		};

		irqx_assert(__irqx_neighbour(visitor->neighbour, &request));
		sum->served += request.served;
		sum->lost += request.lost;
		sum->total_ns += request.total_ns;
		if (sum->worst_ns < request.worst_ns)
			sum->worst_ns = request.worst_ns;
		usleep(visitor->pause_us);
	}
	return NULL;
}

static void visitor_start(struct visitor *visitor, int neighbour, uint32_t pause_us)
{
	*visitor = (struct visitor){ .neighbour = neighbour, .pause_us = pause_us };
	TEST_ASSERT(!pthread_create(&visitor->thread, NULL, visit, visitor), "pthread_create");
}

static struct neighbour_request visitor_stop(struct visitor *visitor)
{
	WRITE_ONCE(visitor->stop, true);
	pthread_join(visitor->thread, NULL);
	return visitor->sum;
}

/* Both ways, while both devices interrupt. */
TEST_F_TIMEOUT(intx, switches_live, 300)
{
	uint64_t n = irqx_iterations(2000, 100000), i;
	struct kvm_irqx_intx_state state;
	struct neighbour_request sum;
	struct visitor visitor;

	irqx_trace_start("kvm_irqx_intx/irqx_intx_switch");
	irqx_intx_attach(self->intx, self->g->ctx, &self->a);
	visitor_start(&visitor, self->neighbour, 1000);
	for (i = 0; i < n; i += 100)
		cycles(self, 100);
	sum = visitor_stop(&visitor);
	state = settled(self);
	TH_LOG("%lu interrupts, %lu visits, worst %lu us, mean %lu us; to device %llu, line %llu",
	       n, sum.served, sum.worst_ns / 1000, sum.total_ns / sum.served / 1000,
	       state.to_device, state.to_line);
	EXPECT_EQ(0, sum.lost);
	EXPECT_LT(0, state.to_device);
	EXPECT_LT(0, state.to_line);
	EXPECT_LT(0, state.by_line);
	EXPECT_LT(0, state.by_device);
	EXPECT_EQ(state.interrupts, state.by_line + state.by_device);
	/* The two directions take turns, whichever is the first. */
	EXPECT_GE(2, state.to_device + 1 - state.to_line);
	if (n <= 2000)
		EXPECT_EQ(state.to_device + state.to_line, irqx_trace_count(NULL));
	irqx_trace_stop();
}

/*
 * Three on a line: two devices of two guests, each carried by us, and the host's.  Each of ours is
 * to the other what any driver is: while the first holds its line closed the second one joins.
 */
TEST_F_TIMEOUT(intx, three_on_the_line, 200)
{
	FIXTURE_DATA(intx) other = {};
	uint64_t n = irqx_iterations(100, 10000), i;

	irqx_assigned_find(&other.a, IRQX_EDU_PORT);
	irqx_assigned_open(&other.a);
	other.g = irqx_edu_guest(&other.a);
	other.intx = irqx_intx_open();

	irqx_intx_attach(self->intx, self->g->ctx, &self->a);
	hold(self);
	EXPECT_EQ(KVM_IRQX_INTX_MODE_LINE, irqx_intx_state(self->intx).mode);
	irqx_intx_attach(other.intx, other.g->ctx, &other.a);
	cycles(&other, 3);
	let_go(self);
	irqx_neighbour_join(self->neighbour, 0);
	for (i = 0; i < n; i++) {
		cycles(self, 1);
		cycles(&other, 1);
		EXPECT_EQ(1, irqx_neighbour_fire(self->neighbour, 1, PATIENCE_MS).served);
		/* One holds on: that is nothing to the others. */
		hold(self);
		cycles(&other, 1);
		EXPECT_EQ(1, irqx_neighbour_fire(self->neighbour, 1, PATIENCE_MS).served);
		let_go(self);
	}
	EXPECT_EQ(KVM_IRQX_INTX_MODE_DEVICE, settled(self).mode);
	EXPECT_EQ(KVM_IRQX_INTX_MODE_DEVICE, settled(&other).mode);
	EXPECT_EQ(0, irqx_intx_state(other.intx).by_line);
	EXPECT_EQ(0, irqx_edu_driver(other.g)->empty);
	EXPECT_EQ(0, self->driver->empty);

	/* One after the other leaves, and the first is alone again. */
	irqx_neighbour_leave(self->neighbour);
	irqx_assert(__irqx_ioctl(other.intx, KVM_IRQX_INTX_DETACH, NULL));
	cycles(self, 3);
	EXPECT_EQ(KVM_IRQX_INTX_MODE_LINE, settled(self).mode);
	close(other.intx);
	irqx_guest_free(other.g);
	irqx_assigned_close(&other.a);
}

/* ---- a guest that never acknowledges ---- */

static void hook_set(bool on)
{
	int fd = open("/sys/kernel/debug/kprobes/enabled", O_WRONLY | O_CLOEXEC);

	TEST_ASSERT(fd >= 0, "kprobes/enabled: %s", strerror(errno));
	TEST_ASSERT(write(fd, on ? "1" : "0", 1) == 1, "write: %s", strerror(errno));
	close(fd);
}

static uint64_t features(FIXTURE_DATA(intx) *self)
{
	struct kvm_irqx_intx_info info = { .argsz = sizeof(info) };

	irqx_assert(__irqx_ioctl(self->intx, KVM_IRQX_INTX_GET_INFO, &info));
	return info.features;
}

static void never_acknowledges(struct __test_metadata *_metadata, FIXTURE_DATA(intx) *self,
			       bool hook)
{
	uint32_t i, n = irqx_iterations(20, 1000);
	struct kvm_irqx_intx_state state;
	struct neighbour_request request;
	uint64_t worst = 0, opened = 0;

	/* A kernel that tells of it needs no probe. */
	hook |= features(self) & KVM_IRQX_INTX_FEATURE_NOTIFIER;
	irqx_intx_attach(self->intx, self->g->ctx, &self->a);
	for (i = 0; i < n; i++) {
		hold(self);
		EXPECT_EQ(KVM_IRQX_INTX_FLAG_LINE_CLOSED, irqx_intx_state(self->intx).flags);
		EXPECT_EQ(1, irqx_neighbour_depth(self->neighbour, NULL));
		irqx_neighbour_join(self->neighbour, 0);
		if (hook)
			EXPECT_EQ(0, irqx_neighbour_depth(self->neighbour, NULL));
		request = irqx_neighbour_fire(self->neighbour, 1, PATIENCE_MS);
		ASSERT_EQ(1, request.served);
		if (worst < request.worst_ns)
			worst = request.worst_ns;
		ASSERT_EQ(10, irqx_neighbour_fire(self->neighbour, 10, PATIENCE_MS).served);
		EXPECT_EQ(0, irqx_neighbour_depth(self->neighbour, NULL));
		state = irqx_intx_state(self->intx);
		EXPECT_EQ(KVM_IRQX_INTX_FLAG_DEVICE_MASKED, state.flags);
		EXPECT_EQ(KVM_IRQX_INTX_MODE_DEVICE, state.mode);
		EXPECT_EQ(++opened, hook ? state.opened_by_hook : state.opened_by_timer);
		let_go(self);
		settled(self);
		irqx_neighbour_leave(self->neighbour);
		cycles(self, 2);
		EXPECT_EQ(KVM_IRQX_INTX_MODE_LINE, settled(self).mode);
	}
	TH_LOG("%u joins while the line was closed, worst %lu us", n, worst / 1000);
	EXPECT_EQ(n, self->driver->held);
}

TEST_F_TIMEOUT(intx, never_acknowledges, 300)
{
	if (!(features(self) & KVM_IRQX_INTX_FEATURE_HOOK))
		SKIP(return, "no probe on this kernel");
	never_acknowledges(_metadata, self, true);
}

TEST_F_TIMEOUT(intx, never_acknowledges_no_hook, 300)
{
	hook_set(false);
	never_acknowledges(_metadata, self, false);
	hook_set(true);
}

/* The line opens when we go, whatever the guest still has. */
TEST_F(intx, detached_while_held)
{
	uint32_t shared;

	for (shared = 0; shared < 2; shared++) {
		if (shared)
			irqx_neighbour_join(self->neighbour, 0);
		irqx_intx_attach(self->intx, self->g->ctx, &self->a);
		hold(self);
		irqx_assert(__irqx_ioctl(self->intx, KVM_IRQX_INTX_DETACH, NULL));
		EXPECT_EQ(KVM_IRQX_INTX_STATE_NONE, irqx_intx_state(self->intx).state);
		if (!shared)
			irqx_neighbour_join(self->neighbour, 0);
		EXPECT_EQ(0, irqx_neighbour_depth(self->neighbour, NULL));
		EXPECT_EQ(5, irqx_neighbour_fire(self->neighbour, 5, PATIENCE_MS).served);
		let_go(self);
		/* And can be taken again. */
		irqx_intx_attach(self->intx, self->g->ctx, &self->a);
		cycles(self, 5);
		irqx_assert(__irqx_ioctl(self->intx, KVM_IRQX_INTX_DETACH, NULL));
		irqx_neighbour_leave(self->neighbour);
	}
	EXPECT_EQ(ENOTCONN, __irqx_ioctl(self->intx, KVM_IRQX_INTX_DETACH, NULL));
}

/* Before the timer has seen that somebody has come, whom nobody told of. */
TEST_F(intx, detached_before_the_timer)
{
	uint32_t i, n = irqx_iterations(10, 200);

	hook_set(false);
	for (i = 0; i < n; i++) {
		irqx_intx_attach(self->intx, self->g->ctx, &self->a);
		hold(self);
		irqx_neighbour_join(self->neighbour, 0);
		irqx_assert(__irqx_ioctl(self->intx, KVM_IRQX_INTX_DETACH, NULL));
		EXPECT_EQ(0, irqx_neighbour_depth(self->neighbour, NULL));
		EXPECT_EQ(5, irqx_neighbour_fire(self->neighbour, 5, PATIENCE_MS).served);
		irqx_neighbour_leave(self->neighbour);
		let_go(self);
	}
	hook_set(true);
}

/* ---- the guest's own disable bit ---- */

static void disable_bit(struct __test_metadata *_metadata, FIXTURE_DATA(intx) *self, bool shared)
{
	if (shared)
		irqx_neighbour_join(self->neighbour, 0);
	irqx_intx_attach(self->intx, self->g->ctx, &self->a);
	cycles(self, 3);

	/* Set before it interrupts. */
	irqx_assigned_set_command(&self->a, PCI_COMMAND_INTX_DISABLE, 0);
	irqx_edu_fire(&self->a);
	irqx_edu_silent(self->g, self->fired);
	if (shared)
		EXPECT_EQ(5, irqx_neighbour_fire(self->neighbour, 5, PATIENCE_MS).served);
	irqx_edu_wanted(&self->a, self->g, &self->fired);

	/* Set before the EOI, with the device not yet content. */
	hold(self);
	irqx_assigned_set_command(&self->a, PCI_COMMAND_INTX_DISABLE, 0);
	irqx_edu_eoi(self->g);
	irqx_edu_silent(self->g, self->fired);
	EXPECT_TRUE(irqx_assigned_real_command(&self->a) & PCI_COMMAND_INTX_DISABLE);
	EXPECT_FALSE(irqx_intx_state(self->intx).flags & KVM_IRQX_INTX_FLAG_LINE_CLOSED);
	if (!shared)
		irqx_neighbour_join(self->neighbour, 0);
	EXPECT_EQ(0, irqx_neighbour_depth(self->neighbour, NULL));
	EXPECT_EQ(5, irqx_neighbour_fire(self->neighbour, 5, PATIENCE_MS).served);
	if (!shared)
		irqx_neighbour_leave(self->neighbour);
	irqx_edu_wanted(&self->a, self->g, &self->fired);
	EXPECT_FALSE(irqx_assigned_real_command(&self->a) & PCI_COMMAND_INTX_DISABLE);

	/* Set and cleared before the EOI: our mask goes with it. */
	hold(self);
	irqx_assigned_set_command(&self->a, PCI_COMMAND_INTX_DISABLE, 0);
	irqx_assigned_set_command(&self->a, 0, PCI_COMMAND_INTX_DISABLE);
	if (shared)
		EXPECT_EQ(5, irqx_neighbour_fire(self->neighbour, 5, PATIENCE_MS).served);
	let_go(self);
	cycles(self, 3);
	settled(self);
}

TEST_F(intx, disable_bit_alone)
{
	disable_bit(_metadata, self, false);
}

TEST_F(intx, disable_bit_shared)
{
	disable_bit(_metadata, self, true);
}

/* ---- VFIO's own interrupt ---- */

static bool wait_state(FIXTURE_DATA(intx) *self, uint32_t state)
{
	return irqx_wait_until(irqx_intx_state(self->intx).state == state, IRQX_TIMEOUT_MS);
}

TEST_F(intx, vfio_takes_it)
{
	uint32_t reason, shared, held;
	int fd;

	for (shared = 0; shared < 2; shared++) {
		for (held = 0; held < 2; held++) {
			if (shared)
				irqx_neighbour_join(self->neighbour, 0);
			irqx_intx_attach(self->intx, self->g->ctx, &self->a);
			cycles(self, 3);
			if (held)
				hold(self);
			fd = irqx_eventfd(0, 0);
			ASSERT_EQ(0, __irqx_assigned_vfio_intx(&self->a, fd));
			if (!held)
				irqx_edu_fire(&self->a);
			EXPECT_TRUE(irqx_wait_until(irqx_eventfd_take(fd) == 1, IRQX_TIMEOUT_MS));
			EXPECT_TRUE(wait_state(self, KVM_IRQX_INTX_STATE_VFIO));
			EXPECT_EQ(0, irqx_neighbour_depth(self->neighbour, NULL));
			if (shared)
				EXPECT_EQ(5, irqx_neighbour_fire(self->neighbour, 5,
								 PATIENCE_MS).served);
			/* It is VFIO's now. */
			EXPECT_EQ(EBUSY, __irqx_intx_attach(self->intx, self->g->ctx, &self->a,
							    &reason));
			EXPECT_EQ(KVM_IRQX_INTX_REASON_VFIO_IRQ, reason);
			irqx_edu_write(&self->a, IRQX_EDU_ACK, 1);
			EXPECT_EQ(0, __irqx_assigned_vfio_intx(&self->a, -1));
			close(fd);
			if (held)
				let_go(self);
			/* And can be ours again. */
			irqx_intx_attach(self->intx, self->g->ctx, &self->a);
			cycles(self, 3);
			irqx_assert(__irqx_ioctl(self->intx, KVM_IRQX_INTX_DETACH, NULL));
			if (shared)
				irqx_neighbour_leave(self->neighbour);
		}
	}
}

/* It delivers by the module's irqfd, and unmasks by its resamplefd: the way before this. */
TEST_F(intx, vfios_own_by_resamplefd)
{
	uint32_t shared;

	for (shared = 0; shared < 2; shared++) {
		struct irqx_level level = irqx_level_direct(self->g->ctx, irqx_edu_entry());

		if (shared)
			irqx_neighbour_join(self->neighbour, 0);
		ASSERT_EQ(0, __irqx_assigned_vfio_intx(&self->a, level.fd));
		ASSERT_EQ(0, __irqx_assigned_vfio_unmask(&self->a, level.ack));
		cycles(self, 100);
		if (shared)
			EXPECT_EQ(5, irqx_neighbour_fire(self->neighbour, 5, PATIENCE_MS).served);
		EXPECT_EQ(0, __irqx_assigned_vfio_intx(&self->a, -1));
		irqx_level_close(&level);
	}
	irqx_neighbour_leave(self->neighbour);
}

/* ---- the end ---- */

TEST_F(intx, context_closed)
{
	irqx_trace_start("kvm_irqx_intx/irqx_intx_end");
	/* Noticed with the next interrupt, */
	irqx_intx_attach(self->intx, self->g->ctx, &self->a);
	cycles(self, 3);
	close(self->g->ctx);
	irqx_edu_fire(&self->a);
	EXPECT_TRUE(wait_state(self, KVM_IRQX_INTX_STATE_CONTEXT));
	EXPECT_EQ(1, irqx_trace_count("state 4"));
	irqx_neighbour_join(self->neighbour, 0);
	EXPECT_EQ(0, irqx_neighbour_depth(self->neighbour, NULL));
	EXPECT_EQ(5, irqx_neighbour_fire(self->neighbour, 5, PATIENCE_MS).served);
	irqx_neighbour_leave(self->neighbour);
	irqx_edu_write(&self->a, IRQX_EDU_ACK, 1);

	/* or while the guest has one, by the timer. */
	self->g->ctx = irqx_context(self->g->vm);
	irqx_intx_attach(self->intx, self->g->ctx, &self->a);
	cycles(self, 3);
	hold(self);
	close(self->g->ctx);
	self->g->ctx = -1;
	EXPECT_TRUE(wait_state(self, KVM_IRQX_INTX_STATE_CONTEXT));
	EXPECT_EQ(2, irqx_trace_count("state 4"));

	/* The same of one that is masked at the device. */
	irqx_edu_let_go(&self->a, self->g);
	irqx_neighbour_join(self->neighbour, 0);
	self->g->ctx = irqx_context(self->g->vm);
	irqx_intx_attach(self->intx, self->g->ctx, &self->a);
	cycles(self, 3);
	hold(self);
	EXPECT_EQ(KVM_IRQX_INTX_FLAG_DEVICE_MASKED, irqx_intx_state(self->intx).flags);
	close(self->g->ctx);
	self->g->ctx = -1;
	EXPECT_TRUE(wait_state(self, KVM_IRQX_INTX_STATE_CONTEXT));
	EXPECT_EQ(3, irqx_trace_count("state 4"));
	irqx_trace_stop();
	EXPECT_EQ(ENOTCONN, __irqx_ioctl(self->intx, KVM_IRQX_INTX_DETACH, NULL));
}

static void close_while_held(FIXTURE_DATA(intx) *self)
{
	irqx_intx_attach(self->intx, self->g->ctx, &self->a);
	cycles(self, 3);
	hold(self);
	/* The guest does not touch it meanwhile. */
	irqx_guest_stop(self->g);
	irqx_edu_write(&self->a, IRQX_EDU_ACK, 1);
	irqx_assigned_close(&self->a);
}

/* VFIO's files are closed; the device stays open as long as its interrupt is carried. */
TEST_F(intx, vfio_closed)
{
	struct irqx_assigned again = self->a;

	close_while_held(self);
	EXPECT_EQ(KVM_IRQX_INTX_STATE_ATTACHED, irqx_intx_state(self->intx).state);
	irqx_neighbour_join(self->neighbour, 0);
	EXPECT_EQ(5, irqx_neighbour_fire(self->neighbour, 5, PATIENCE_MS).served);
	irqx_neighbour_leave(self->neighbour);
	irqx_assert(__irqx_ioctl(self->intx, KVM_IRQX_INTX_DETACH, NULL));
	/* Now it can be opened again. */
	irqx_assigned_open(&again);
	irqx_assigned_close(&again);
}

static int unbind(struct irqx_assigned *a)
{
	return irqx_assigned_sysfs(a, "driver/unbind", a->name);
}

static int take_away(struct irqx_assigned *a)
{
	return irqx_assigned_sysfs(a, "remove", "1");
}

/* By a thread of its own: it waits for whoever has the device open. */
struct going {
	struct irqx_assigned *a;
	int (*go)(struct irqx_assigned *a);	/* 0 or an errno */
	pthread_t thread;
	bool done;
	int err;
};

static void *going_thread(void *arg)
{
	struct going *going = arg;

	going->err = going->go(going->a);
	WRITE_ONCE(going->done, true);
	return NULL;
}

static void going_start(struct going *going)
{
	TEST_ASSERT(!pthread_create(&going->thread, NULL, going_thread, going), "pthread_create");
}

static void going_end(struct going *going)
{
	TEST_ASSERT(irqx_wait_until(READ_ONCE(going->done), IRQX_TIMEOUT_MS),
		    "the driver does not go");
	pthread_join(going->thread, NULL);
	irqx_assert(going->err);
}

/* The driver goes, by unbinding or with the device: it waits for the VMM's file, not for ours. */
static void driver_goes(struct __test_metadata *_metadata, FIXTURE_DATA(intx) *self,
			int (*go)(struct irqx_assigned *a), bool held)
{
	struct going going = { .a = &self->a, .go = go };
	uint32_t reason;

	irqx_intx_attach(self->intx, self->g->ctx, &self->a);
	cycles(self, 3);
	if (held)
		hold(self);
	going_start(&going);
	EXPECT_TRUE(wait_state(self, KVM_IRQX_INTX_STATE_UNBOUND));
	EXPECT_FALSE(READ_ONCE(going.done));
	irqx_neighbour_join(self->neighbour, 0);
	EXPECT_EQ(0, irqx_neighbour_depth(self->neighbour, NULL));
	EXPECT_EQ(5, irqx_neighbour_fire(self->neighbour, 5, PATIENCE_MS).served);
	irqx_neighbour_leave(self->neighbour);
	/* Who unbinds has the device locked, and waits. */
	EXPECT_EQ(EAGAIN, __irqx_intx_attach(self->intx, self->g->ctx, &self->a, &reason));
	EXPECT_EQ(KVM_IRQX_INTX_REASON_DEVICE_BUSY, reason);
	irqx_edu_write(&self->a, IRQX_EDU_ACK, 1);
	irqx_guest_stop(self->g);
	irqx_assigned_close(&self->a);
	going_end(&going);
	EXPECT_EQ(ENOTCONN, __irqx_ioctl(self->intx, KVM_IRQX_INTX_DETACH, NULL));
}

TEST_F(intx, unbound)
{
	driver_goes(_metadata, self, unbind, false);
}

TEST_F(intx, unbound_while_held)
{
	driver_goes(_metadata, self, unbind, true);
}

/* With VFIO's files closed nobody has the device open but we, and nobody has to do a thing. */
TEST_F(intx, unbound_after_close)
{
	struct going going = { .a = &self->a, .go = unbind };

	close_while_held(self);
	going_start(&going);
	going_end(&going);
	EXPECT_EQ(KVM_IRQX_INTX_STATE_UNBOUND, irqx_intx_state(self->intx).state);
}

/* A module that is not told of who joins, on any kernel: the timer finds them. */
TEST_F_TIMEOUT(intx, never_acknowledges_not_told, 300)
{
	close(self->intx);
	EXPECT_EQ(0, irqx_module_unload(IRQX_INTX_NAME));
	ASSERT_EQ(0, irqx_intx_load("hook=0"));
	self->intx = irqx_intx_open();
	EXPECT_EQ(0, features(self));
	never_acknowledges(_metadata, self, false);
}

TEST_F(intx, rmmod)
{
	struct kvm_irqx_intx_info info = { .argsz = sizeof(info) };

	irqx_intx_attach(self->intx, self->g->ctx, &self->a);
	hold(self);
	EXPECT_EQ(EWOULDBLOCK, irqx_module_unload(IRQX_INTX_NAME));
	EXPECT_EQ(EWOULDBLOCK, irqx_module_unload(IRQX_MODULE_NAME));
	let_go(self);
	cycles(self, 3);
	close(self->intx);
	EXPECT_EQ(0, irqx_module_unload(IRQX_INTX_NAME));
	EXPECT_EQ(0, irqx_intx_load("hook=0"));
	self->intx = irqx_intx_open();
	irqx_assert(__irqx_ioctl(self->intx, KVM_IRQX_INTX_GET_INFO, &info));
	EXPECT_EQ(0, info.features);
	EXPECT_EQ(sizeof(info), info.argsz);
	EXPECT_EQ(KVM_IRQX_INTX_ABI_VERSION, info.abi);
	EXPECT_EQ(10, info.look_ms);
}

/* ---- a device that others have drivers for: frames come by DMA ---- */

#define NIC_ICR		0xc0
#define NIC_IMS		0xd0
#define NIC_RCTL	0x100
#define NIC_TCTL	0x400
#define NIC_RX		0x2800		/* base, as 64 bits; and, as of the other: */
#define NIC_TX		0x3800
#define NIC_LEN		0x08
#define NIC_HEAD	0x10
#define NIC_TAIL	0x18
#define NIC_RAL		0x5400

#define NIC_RECEIVED	0x80		/* a timer of none has run out */
#define NIC_DESCS	8
#define NIC_BUF		2048
#define NIC_IOVA	0x100000

/* Intel 8254x manual, 3.2.3 and 3.3.3: legacy descriptors. */
struct nic_desc {
	uint64_t addr;
	uint16_t length;
	uint16_t what;			/* TX: commands in the upper half */
	uint8_t status;			/* 1: done */
	uint8_t errors;
	uint16_t special;
};

struct nic_memory {
	struct nic_desc rx[NIC_DESCS];
	struct nic_desc tx[NIC_DESCS];
	uint8_t frames[NIC_DESCS][NIC_BUF];
	uint8_t request[64];
} __attribute__((aligned(4096)));

FIXTURE(nic)
{
	FIXTURE_DATA(intx) intx;
	struct nic_memory *memory;
	uint32_t next;
};

static void nic_ring(struct irqx_assigned *a, uint32_t ring, size_t offset)
{
	irqx_edu_write(a, ring, NIC_IOVA + offset);
	irqx_edu_write(a, ring + 4, 0);
	irqx_edu_write(a, ring + NIC_LEN, NIC_DESCS * sizeof(struct nic_desc));
	irqx_edu_write(a, ring + NIC_HEAD, 0);
	irqx_edu_write(a, ring + NIC_TAIL, 0);
}

/* Who has 10.0.2.2, QEMU's own host on such a network?  Tell 10.0.2.15, us. */
static void nic_request(FIXTURE_DATA(nic) *self)
{
	static const uint8_t arp[] = { 8, 6, 0, 1, 8, 0, 6, 4, 0, 1 };
	uint8_t *to = self->memory->request, mac[8];

	*(uint32_t *)mac = irqx_edu_read(&self->intx.a, NIC_RAL);
	*(uint32_t *)(mac + 4) = irqx_edu_read(&self->intx.a, NIC_RAL + 4);
	memset(to, 0xff, 6);
	memcpy(to + 6, mac, 6);
	memcpy(to + 12, arp, sizeof(arp));
	memcpy(to + 22, mac, 6);
	memcpy(to + 28, (uint8_t[]){ 10, 0, 2, 15, 0, 0, 0, 0, 0, 0, 10, 0, 2, 2 }, 14);
}

FIXTURE_SETUP(nic)
{
	const char *missing = irqx_assign_missing();
	struct irqx_assigned *a = &self->intx.a;
	int i;

	if (missing)
		SKIP(return, "%s", missing);
	setup(&self->intx, IRQX_NIC_SLOT, IRQX_EDU_ALONE);
	self->intx.driver->status = NIC_ICR;
	self->intx.driver->ack = 0;
	self->memory = mmap(NULL, sizeof(*self->memory), PROT_READ | PROT_WRITE,
			    MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->memory);
	irqx_assigned_map(a, self->memory, NIC_IOVA, sizeof(*self->memory));
	nic_request(self);
	for (i = 0; i < NIC_DESCS; i++)
		self->memory->rx[i].addr = NIC_IOVA + offsetof(struct nic_memory, frames[i]);
	irqx_assigned_set_command(a, PCI_COMMAND_MASTER, 0);
	nic_ring(a, NIC_RX, offsetof(struct nic_memory, rx));
	nic_ring(a, NIC_TX, offsetof(struct nic_memory, tx));
	irqx_edu_write(a, NIC_RCTL, 1 << 1 | 1 << 15);	/* on, broadcasts too */
	irqx_edu_write(a, NIC_TCTL, 1 << 1 | 1 << 3);	/* on, short ones padded */
	irqx_edu_write(a, NIC_RX + NIC_TAIL, NIC_DESCS - 1);
	irqx_edu_read(a, NIC_ICR);
	irqx_edu_write(a, NIC_IMS, NIC_RECEIVED);
}

FIXTURE_TEARDOWN(nic)
{
	if (self->memory) {
		irqx_edu_write(&self->intx.a, NIC_RCTL, 0);
		irqx_assigned_set_command(&self->intx.a, 0, PCI_COMMAND_MASTER);
	}
	teardown(_metadata, &self->intx);
}

/* A frame out, and the answer in: one interrupt, and the guest has seen it. */
static void nic_exchange(struct __test_metadata *_metadata, FIXTURE_DATA(nic) *self)
{
	uint32_t nr = self->next++ % NIC_DESCS;
	struct nic_desc *rx = &self->memory->rx[nr], *tx = &self->memory->tx[nr];
	uint8_t *frame = self->memory->frames[nr];

	memset(frame, 0, NIC_BUF);
	*tx = (struct nic_desc){
		.addr = NIC_IOVA + offsetof(struct nic_memory, request),
		.length = 42,
		.what = 0x0b00,			/* whole frame, with a checksum, tell when done */
	};
	__sync_synchronize();
	self->intx.fired++;
	irqx_edu_write(&self->intx.a, NIC_TX + NIC_TAIL, (nr + 1) % NIC_DESCS);
	ASSERT_TRUE(irqx_edu_wait(self->intx.g, self->intx.fired));
	ASSERT_EQ(1, READ_ONCE(rx->status) & 1);
	EXPECT_LE(42, rx->length);
	/* An answer by ARP, of the one that was asked. */
	EXPECT_EQ(0, memcmp(frame + 12, (uint8_t[]){ 8, 6, 0, 1, 8, 0, 6, 4, 0, 2 }, 10));
	EXPECT_EQ(0, memcmp(frame + 28, (uint8_t[]){ 10, 0, 2, 2 }, 4));
	EXPECT_EQ(0, memcmp(frame, self->memory->request + 6, 6));
	rx->status = 0;
	irqx_edu_write(&self->intx.a, NIC_RX + NIC_TAIL, nr);
}

TEST_F_TIMEOUT(nic, frames, 200)
{
	uint32_t i, shared, n = irqx_iterations(100, 10000);
	struct kvm_irqx_intx_state state;

	for (shared = 0; shared < 2; shared++) {
		if (shared)
			irqx_neighbour_join(self->intx.neighbour, 0);
		irqx_intx_attach(self->intx.intx, self->intx.g->ctx, &self->intx.a);
		for (i = 0; i < n; i++) {
			nic_exchange(_metadata, self);
			if (shared && !(i % 4))
				ASSERT_EQ(1, irqx_neighbour_fire(self->intx.neighbour, 1,
								 PATIENCE_MS).served);
		}
		state = settled(&self->intx);
		EXPECT_LE(n, shared ? state.by_device + state.asserted : state.by_line);
		EXPECT_EQ(0, shared ? state.by_line : state.by_device);
		irqx_assert(__irqx_ioctl(self->intx.intx, KVM_IRQX_INTX_DETACH, NULL));
	}
	irqx_neighbour_leave(self->intx.neighbour);
	EXPECT_EQ(0, self->intx.driver->empty);
}

/* ---- behind a port: where it can be reset, and taken away ---- */

FIXTURE(port)
{
	FIXTURE_DATA(intx) intx;
};

FIXTURE_SETUP(port)
{
	const char *missing = irqx_assign_missing();

	if (missing)
		SKIP(return, "%s", missing);
	setup(&self->intx, IRQX_EDU_PORT, IRQX_EDU_NEIGHBOUR);
}

FIXTURE_TEARDOWN(port)
{
	teardown(_metadata, &self->intx);
}

static void reset(FIXTURE_DATA(intx) *self)
{
	int err;

	/* While we unmask the device it has to wait, and does not. */
	TEST_ASSERT(irqx_wait_until(!(err = ioctl(self->a.device, VFIO_DEVICE_RESET) ? errno : 0) ||
				    err != EAGAIN, IRQX_TIMEOUT_MS), "busy");
	TEST_ASSERT(!err, "VFIO_DEVICE_RESET: %s", strerror(err));
	irqx_assigned_set_command(&self->a, PCI_COMMAND_MEMORY, 0);
}

TEST_F_TIMEOUT(port, reset, 200)
{
	FIXTURE_DATA(intx) *intx = &self->intx;
	uint32_t i, n = irqx_iterations(3, 100), shared;

	for (shared = 0; shared < 2; shared++) {
		if (shared)
			irqx_neighbour_join(intx->neighbour, 0);
		irqx_intx_attach(intx->intx, intx->g->ctx, &intx->a);
		for (i = 0; i < n; i++) {
			cycles(intx, 3);
			reset(intx);
			cycles(intx, 3);
			/* With the guest's EOI after it: masked before and after. */
			hold(intx);
			reset(intx);
			let_go(intx);
			settled(intx);
			cycles(intx, 3);
			if (shared)
				EXPECT_EQ(5, irqx_neighbour_fire(intx->neighbour, 5,
								 PATIENCE_MS).served);
		}
		irqx_assert(__irqx_ioctl(intx->intx, KVM_IRQX_INTX_DETACH, NULL));
	}
	irqx_neighbour_leave(intx->neighbour);
}

struct eoi_later {
	FIXTURE_DATA(intx) *intx;
	uint32_t delay_us;
};

static void *eoi_thread(void *arg)
{
	struct eoi_later *later = arg;

	usleep(later->delay_us);
	irqx_edu_eoi(later->intx->g);
	return NULL;
}

/* The EOI comes while it is being reset: it cannot be unmasked before the end. */
TEST_F_TIMEOUT(port, reset_at_eoi, 200)
{
	FIXTURE_DATA(intx) *intx = &self->intx;
	uint32_t i, n = irqx_iterations(10, 300);
	struct eoi_later later = { .intx = intx };
	pthread_t thread;

	irqx_neighbour_join(intx->neighbour, 0);
	irqx_intx_attach(intx->intx, intx->g->ctx, &intx->a);
	for (i = 0; i < n; i++) {
		hold(intx);
		irqx_edu_write(&intx->a, IRQX_EDU_ACK, 1);
		later.delay_us = i % 10 * 1000;
		TEST_ASSERT(!pthread_create(&thread, NULL, eoi_thread, &later), "pthread_create");
		reset(intx);
		pthread_join(thread, NULL);
		settled(intx);
		cycles(intx, 3);
	}
	TH_LOG("%llu unmasked later", irqx_intx_state(intx->intx).retried);
	irqx_neighbour_leave(intx->neighbour);
}

TEST_F(port, taken_away)
{
	int fd;

	driver_goes(_metadata, &self->intx, take_away, true);
	fd = open("/sys/bus/pci/rescan", O_WRONLY | O_CLOEXEC);
	TEST_ASSERT(fd >= 0 && write(fd, "1", 1) == 1, "rescan: %s", strerror(errno));
	close(fd);
	irqx_assigned_find(&self->intx.a, IRQX_EDU_PORT);
}

/* ---- a VMM that is killed ---- */

static void killed_child(int ready)
{
	FIXTURE_DATA(intx) self = {};

	irqx_assigned_find(&self.a, IRQX_EDU_SLOT);
	irqx_assigned_open(&self.a);
	self.g = irqx_edu_guest(&self.a);
	self.driver = irqx_edu_driver(self.g);
	self.intx = irqx_intx_open();
	irqx_intx_attach(self.intx, self.g->ctx, &self.a);
	cycles(&self, 3);
	hold(&self);
	/* As a device that is reset when VFIO closes it. */
	irqx_edu_write(&self.a, IRQX_EDU_ACK, 1);
	TEST_ASSERT(write(ready, "", 1) == 1, "write: %s", strerror(errno));
	for (;;)
		pause();
}

TEST(killed)
{
	const char *missing = irqx_assign_missing();
	struct irqx_assigned again;
	int neighbour, pipes[2];
	uint64_t nr;
	char byte;
	pid_t pid;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, irqx_intx_load(""));
	neighbour = irqx_neighbour_open(IRQX_EDU_NEIGHBOUR);
	ASSERT_EQ(0, pipe(pipes));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		killed_child(pipes[1]);
	close(pipes[1]);
	ASSERT_EQ(1, read(pipes[0], &byte, 1));
	close(pipes[0]);
	EXPECT_EQ(1, irqx_neighbour_depth(neighbour, &nr));
	EXPECT_EQ(1, nr);
	kill(pid, SIGKILL);
	irqx_neighbour_join(neighbour, 0);
	EXPECT_EQ(5, irqx_neighbour_fire(neighbour, 5, PATIENCE_MS).served);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_TRUE(irqx_wait_until(!irqx_module_unload(IRQX_INTX_NAME), IRQX_TIMEOUT_MS));
	EXPECT_EQ(0, irqx_neighbour_depth(neighbour, &nr));
	EXPECT_EQ(1, nr);
	EXPECT_EQ(5, irqx_neighbour_fire(neighbour, 5, PATIENCE_MS).served);
	irqx_neighbour_close(neighbour);
	irqx_assigned_find(&again, IRQX_EDU_SLOT);
	irqx_assigned_open(&again);
	irqx_assigned_close(&again);
}

/* ---- who may join whom ---- */

/* Every handler that can be one is a thread, and so is ours: they are all of one kind. */
static bool all_are_threads(void)
{
	char line[4096] = "";
	FILE *f = fopen("/proc/cmdline", "r");

	TEST_ASSERT(f && fgets(line, sizeof(line), f), "/proc/cmdline: %s", strerror(errno));
	fclose(f);
	return strstr(line, " threadirqs") || irqx_kernel_is_rt();
}

TEST_F(intx, who_joins_whom)
{
	struct neighbour_request oneshot = { .op = NEIGHBOUR_JOIN, .flags = NEIGHBOUR_ONESHOT };
	struct neighbour_request alone = { .op = NEIGHBOUR_JOIN, .flags = NEIGHBOUR_ALONE };
	uint32_t reason;
	int err;

	irqx_intx_attach(self->intx, self->g->ctx, &self->a);
	cycles(self, 3);
	EXPECT_EQ(all_are_threads() ? 0 : EBUSY, __irqx_neighbour(self->neighbour, &oneshot));
	cycles(self, 3);
	irqx_neighbour_leave(self->neighbour);
	EXPECT_EQ(EBUSY, __irqx_neighbour(self->neighbour, &alone));
	cycles(self, 3);
	irqx_neighbour_join(self->neighbour, 0);
	cycles(self, 3);
	irqx_neighbour_leave(self->neighbour);
	irqx_assert(__irqx_ioctl(self->intx, KVM_IRQX_INTX_DETACH, NULL));

	irqx_neighbour_join(self->neighbour, NEIGHBOUR_ALONE);
	EXPECT_EQ(EBUSY, __irqx_intx_attach(self->intx, self->g->ctx, &self->a, &reason));
	EXPECT_EQ(KVM_IRQX_INTX_REASON_LINE, reason);
	irqx_neighbour_leave(self->neighbour);

	/* lockdep takes a handler that follows it for a hard one: contrib/genirq, 0003. */
	if (!access("/proc/lockdep_stats", F_OK) &&
	    !(features(self) & KVM_IRQX_INTX_FEATURE_NOTIFIER))
		return;
	/* A driver with a thread, first: from 6.10 on others may follow. */
	irqx_neighbour_join(self->neighbour, NEIGHBOUR_ONESHOT);
	err = __irqx_intx_attach(self->intx, self->g->ctx, &self->a, &reason);
	EXPECT_EQ(irqx_kernel_since(6, 10) || all_are_threads() ? 0 : EBUSY, err);
	if (err) {
		EXPECT_EQ(KVM_IRQX_INTX_REASON_LINE, reason);
	} else {
		cycles(self, 20);
		EXPECT_EQ(KVM_IRQX_INTX_MODE_DEVICE, settled(self).mode);
		EXPECT_EQ(5, irqx_neighbour_fire(self->neighbour, 5, PATIENCE_MS).served);
		irqx_neighbour_leave(self->neighbour);
		cycles(self, 20);
		EXPECT_EQ(KVM_IRQX_INTX_MODE_LINE, settled(self).mode);
		irqx_assert(__irqx_ioctl(self->intx, KVM_IRQX_INTX_DETACH, NULL));
	}
	irqx_neighbour_leave(self->neighbour);
}

/* The same calls by libkvmirqx. */
TEST_F(intx, by_the_library)
{
	struct kvm_irqx_intx_state state = { .argsz = sizeof(state) };
	struct kvm_irqx_intx_info info = { .argsz = sizeof(info) };
	struct kvm_irq_routing_entry entry = irqx_edu_entry();
	struct kvmirqx *ctx;
	uint32_t reason;
	char words[120];
	int intx;

	ASSERT_EQ(0, kvmirqx_adopt(&ctx, self->g->ctx));
	intx = kvmirqx_intx_open();
	ASSERT_LE(0, intx);
	EXPECT_EQ(FD_CLOEXEC, fcntl(intx, F_GETFD));
	EXPECT_EQ(0, kvmirqx_intx_info(intx, &info));
	EXPECT_EQ(KVM_IRQX_INTX_ABI_VERSION, info.abi);
	EXPECT_EQ(10, info.look_ms);

	EXPECT_EQ(-EBADFD, kvmirqx_intx_attach(ctx, intx, self->a.group, self->a.name, &entry,
					       &reason));
	EXPECT_EQ(KVM_IRQX_INTX_REASON_GROUP, reason);
	EXPECT_LT(0, kvmirqx_last_error_words(words, sizeof(words)));
	EXPECT_STREQ("KVM_IRQX_INTX_ATTACH: a VFIO group, not a device (EBADFD)", words);
	EXPECT_EQ(-ENOTTY, kvmirqx_intx_attach(ctx, self->g->ctx, self->a.device, self->a.name,
					       &entry, NULL));
	EXPECT_EQ(-ENOTCONN, kvmirqx_intx_detach(intx));

	EXPECT_EQ(0, kvmirqx_intx_attach(ctx, intx, self->a.device, self->a.name, &entry, NULL));
	cycles(self, 20);
	EXPECT_EQ(0, kvmirqx_intx_state(intx, &state));
	EXPECT_EQ(KVM_IRQX_INTX_STATE_ATTACHED, state.state);
	EXPECT_LE(20, state.interrupts);
	EXPECT_EQ(0, kvmirqx_intx_detach(intx));
	EXPECT_EQ(0, kvmirqx_intx_state(intx, &state));
	EXPECT_EQ(KVM_IRQX_INTX_STATE_NONE, state.state);
	close(intx);
	EXPECT_EQ(self->g->ctx, kvmirqx_release(ctx));
}

/* ---- what is refused ---- */

static struct kvm_irqx_intx_attach request_of(FIXTURE_DATA(intx) *self)
{
	return (struct kvm_irqx_intx_attach){
		.context_fd = self->g->ctx,
		.device_fd = self->a.device,
		.domain = self->a.domain,
		.bus = self->a.bus,
		.devfn = self->a.devfn,
		.reason = IRQX_STALE,
		.entry = irqx_edu_entry(),
	};
}

#define REFUSED(err, why, intx, ...)					\
do {									\
	struct kvm_irqx_intx_attach r = request_of(self);		\
									\
	__VA_ARGS__;							\
	EXPECT_EQ(err, __irqx_ioctl(intx, KVM_IRQX_INTX_ATTACH, &r));	\
	EXPECT_EQ(KVM_IRQX_INTX_REASON_##why, r.reason);		\
} while (0)

TEST_F(intx, negative)
{
	struct kvm_irqx_intx_state state = { .argsz = 15 };
	struct kvm_irqx_intx_info info = { .argsz = 15 };
	int event = irqx_eventfd(0, 0), unattached = irqx_open(), other;
	struct irqx_assigned second;
	int intx = self->intx;

	EXPECT_EQ(ENOTTY, __irqx_ioctl(intx, KVM_IRQX_GET_INFO, &info));
	EXPECT_EQ(EINVAL, __irqx_ioctl(intx, KVM_IRQX_INTX_GET_INFO, &info));
	EXPECT_EQ(EINVAL, __irqx_ioctl(intx, KVM_IRQX_INTX_GET_STATE, &state));
	EXPECT_EQ(EFAULT, __irqx_ioctl(intx, KVM_IRQX_INTX_GET_INFO, NULL));
	EXPECT_EQ(EFAULT, __irqx_ioctl(intx, KVM_IRQX_INTX_GET_STATE, NULL));
	EXPECT_EQ(EFAULT, __irqx_ioctl(intx, KVM_IRQX_INTX_ATTACH, NULL));
	EXPECT_EQ(ENOTCONN, __irqx_ioctl(intx, KVM_IRQX_INTX_DETACH, NULL));
	EXPECT_EQ(KVM_IRQX_INTX_STATE_NONE, irqx_intx_state(intx).state);

	REFUSED(EINVAL, NOT_ZERO, intx, r.flags = 1);
	REFUSED(EINVAL, NOT_ZERO, intx, r.pad = 1);
	REFUSED(EBADF, NO_CONTEXT, intx, r.context_fd = -1);
	REFUSED(EINVAL, NO_CONTEXT, intx, r.context_fd = event);
	REFUSED(ENOTCONN, NO_CONTEXT, intx, r.context_fd = unattached);
	REFUSED(EBADF, NOT_OPEN, intx, r.device_fd = -1);
	REFUSED(EBADFD, GROUP, intx, r.device_fd = self->a.group);
	REFUSED(EPERM, NOT_ITS_FILE, intx, r.device_fd = self->a.container);
	REFUSED(EPERM, NOT_ITS_FILE, intx, r.device_fd = event);
	REFUSED(ENODEV, NO_DEVICE, intx, r.domain = 0x1234);
	REFUSED(ENODEV, NO_DEVICE, intx, r.domain = UINT32_MAX);
	REFUSED(ENODEV, NO_DEVICE, intx, r.devfn = 0xff);
	/* The neighbour has no driver, another device one that is not VFIO's. */
	REFUSED(ENODEV, NOT_VFIO, intx, r.devfn = IRQX_EDU_NEIGHBOUR << 3);
	REFUSED(ENODEV, NOT_VFIO, intx, r.devfn = 1 << 3);
	REFUSED(EINVAL, ENTRY, intx, r.entry.u.irqchip.pin = 5000);
	REFUSED(EINVAL, ENTRY, intx, r.entry = irqx_entry(self->g, 0, IRQX_EDU_VECTOR));
	REFUSED(EINVAL, ENTRY, intx, r.entry.gsi = 1);

	/* The open file of another device. */
	irqx_assigned_find(&second, IRQX_EDU_ALONE);
	irqx_assigned_open(&second);
	REFUSED(EPERM, NOT_ITS_FILE, intx, r.device_fd = second.device);
	irqx_assigned_close(&second);

	irqx_assigned_find(&second, IRQX_SILENT_SLOT);
	irqx_assigned_open(&second);
	REFUSED(ENXIO, NO_INTX, intx, r.device_fd = second.device, r.devfn = second.devfn);
	irqx_assigned_close(&second);

	irqx_intx_attach(intx, self->g->ctx, &self->a);
	REFUSED(EBUSY, ATTACHED, intx, (void)r);
	other = irqx_intx_open();
	REFUSED(EBUSY, ATTACHED, other, (void)r);
	close(other);
	cycles(self, 3);
	close(event);
	close(unattached);
}

/*
 * The device by its character device, where the kernel has those: an open file proves nothing
 * before it is bound to an IOMMU, nor can we see whether it is; whoever else has the device.
 */
TEST_F(intx, character_device)
{
	/* As struct vfio_device_bind_iommufd, which older headers do not have. */
	struct {
		uint32_t argsz, flags;
		int32_t iommufd;
		uint32_t devid;
	} bind = { .argsz = sizeof(bind) };
	int device, iommu;
	char path[PATH_MAX];

	if (!irqx_assigned_cdev(&self->a, path, sizeof(path)) || access("/dev/iommu", F_OK))
		SKIP(return, "the kernel has none");
	device = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, device);
	REFUSED(EBADFD, CDEV, self->intx, r.device_fd = device);
	irqx_assigned_close(&self->a);
	REFUSED(EBADFD, CDEV, self->intx, r.device_fd = device);

	iommu = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, iommu);
	bind.iommufd = iommu;
	ASSERT_EQ(0, ioctl(device, _IO(VFIO_TYPE, VFIO_BASE + 18), &bind));
	REFUSED(EBADFD, CDEV, self->intx, r.device_fd = device);
	close(device);
	close(iommu);
}

/* A kernel with the patches of contrib/genirq has tested them when it booted, and they are used. */
TEST_F(intx, kernel_that_tells)
{
	const char *path = "/sys/kernel/debug/kunit/irq_test_cases/results";
	char text[4096] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		SKIP(return, "not a kernel with the patches of contrib/genirq");
	EXPECT_LT(0, read(fd, text, sizeof(text) - 1));
	close(fd);
	EXPECT_TRUE(strstr(text, " irq_sharing_notifier_test"));
	EXPECT_FALSE(strstr(text, "not ok"));
	EXPECT_TRUE(features(self) & KVM_IRQX_INTX_FEATURE_NOTIFIER);
	EXPECT_TRUE(features(self) & KVM_IRQX_INTX_FEATURE_HOOK);
}

/* The port's slot is switched off, and the device has gone for good: so this is the last. */
TEST_F(port, unplugged)
{
	struct irqx_assigned *a = &self->intx.a;

	if (!irqx_assigned_has_slot(a))
		SKIP(return, "no driver of the host's has its slot");
	driver_goes(_metadata, &self->intx, irqx_assigned_unplug, true);
	ASSERT_FALSE(irqx_assigned_is_there(a));
}

TEST_HARNESS_MAIN

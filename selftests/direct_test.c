// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_IRQX_IRQFD_DIRECT: bind, fire, retarget, unbind, and every way in which one of
 * the parties can go away first.  What only one architecture can say in an
 * entry is in its own directory.
 */
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "irqx_util.h"
#include "irqx_harness.h"

#define NR_VCPUS	2
#define NR_MANY		8192

/* Any two that differ in both. */
#define IRQ_A		(IRQX_IRQ_MIN + 5)
#define IRQ_B		(IRQX_IRQ_MIN + 9)

FIXTURE(direct) {
	struct irqx_guest *g;
	int ctx;
};

FIXTURE_SETUP(direct)
{
	self->g = irqx_guest_create(NR_VCPUS);
	self->ctx = self->g->ctx;
	irqx_guest_start(self->g);
}

FIXTURE_TEARDOWN(direct)
{
	irqx_guest_free(self->g);
}

static struct kvm_irq_routing_entry entry_of(struct irqx_guest *g,
					     struct irqx_slot slot)
{
	return irqx_entry(g, slot.vcpu, slot.irq);
}

/*
 * In waves, so that no (vCPU, irq) has two events under way: those would be
 * one interrupt, as on real hardware.  arm64's KVM sorts all that are pending
 * whenever it enters the guest: where hundreds of them take it, with lockdep,
 * longer than a tick of the clock, the guest gets no further.
 */
static void fire_all(struct irqx_guest *g, const int *fds, uint32_t nr,
		     uint32_t shift)
{
	uint32_t i, wave = irqx_nr_slots(g) / irqx_slowness();
	struct irqx_slot slot;

	for (i = 0; i < nr; i++) {
		slot = irqx_slot(g, i + shift);
		irqx_fire(fds[i]);
		irqx_expect(g, slot.vcpu, slot.irq, 1);
		if (i % wave == wave - 1)
			irqx_check(g);
	}
	irqx_check(g);
}

TEST_F(direct, every_irq_of_every_vcpu)
{
	uint32_t i, round, nr = irqx_nr_slots(self->g);
	int fds[nr];

	irqx_eventfds(fds, nr);
	for (i = 0; i < nr; i++)
		irqx_bind(self->ctx, fds[i], entry_of(self->g, irqx_slot(self->g, i)));
	ASSERT_EQ(nr, irqx_stats(self->ctx).irqfds);

	for (round = 0; round < 3; round++)
		fire_all(self->g, fds, nr, 0);
	ASSERT_EQ(3 * nr, irqx_delivered(self->ctx));
}

TEST_F_TIMEOUT(direct, twice_kvms_limit, 120)
{
	/* To the other vCPU, and further on to another irq. */
	const uint32_t shift = 33;
	struct kvm_irqx_stats stats;
	int *fds = calloc(NR_MANY, sizeof(*fds));
	uint32_t i;

	irqx_eventfds(fds, NR_MANY);
	for (i = 0; i < NR_MANY; i++)
		irqx_bind(self->ctx, fds[i], entry_of(self->g, irqx_slot(self->g, i)));
	fire_all(self->g, fds, NR_MANY, 0);

	for (i = 0; i < NR_MANY; i++)
		irqx_modify(self->ctx, fds[i],
			    entry_of(self->g, irqx_slot(self->g, i + shift)));
	fire_all(self->g, fds, NR_MANY, shift);

	stats = irqx_stats(self->ctx);
	EXPECT_EQ(NR_MANY, stats.irqfds);
	EXPECT_EQ(2 * NR_MANY, stats.events);
	EXPECT_EQ(2 * NR_MANY, irqx_delivered(self->ctx));
	EXPECT_EQ(0, stats.unrouted);
	EXPECT_EQ(0, stats.coalesced);
	EXPECT_EQ(0, stats.refused);

	for (i = 0; i < NR_MANY; i++)
		irqx_unbind(self->ctx, fds[i]);
	EXPECT_EQ(0, irqx_stats(self->ctx).irqfds);
	for (i = 0; i < NR_MANY; i++)
		irqx_fire(fds[i]);
	irqx_check(self->g);
	EXPECT_EQ(2 * NR_MANY, irqx_stats(self->ctx).events);
}

TEST_F(direct, writes_before_bind_are_one_event)
{
	int fd = irqx_eventfd(0, 0);
	int i;

	for (i = 0; i < 5; i++)
		irqx_fire(fd);
	irqx_bind(self->ctx, fd, irqx_entry(self->g, 1, IRQ_A));
	irqx_expect(self->g, 1, IRQ_A, 1);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_stats(self->ctx).events);
	ASSERT_EQ(0, irqx_eventfd_take(fd));

	irqx_fire(fd);
	irqx_expect(self->g, 1, IRQ_A, 1);
	irqx_check(self->g);
}

TEST_F(direct, bind_takes_one_of_a_semaphore)
{
	int fd = irqx_eventfd(3, EFD_SEMAPHORE);

	irqx_bind(self->ctx, fd, irqx_entry(self->g, 0, IRQ_A));
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_check(self->g);

	irqx_unbind(self->ctx, fd);
	ASSERT_EQ(1, irqx_eventfd_take(fd));
	ASSERT_EQ(1, irqx_eventfd_take(fd));
	ASSERT_EQ(0, irqx_eventfd_take(fd));
}

static void *blocking_write(void *arg)
{
	uint64_t one = 1;

	TEST_ASSERT(write(*(int *)arg, &one, sizeof(one)) == sizeof(one),
		    "write: %s", strerror(errno));
	return NULL;
}

TEST_F(direct, bind_lets_a_blocked_writer_go)
{
	uint64_t full = 0xfffffffffffffffe;
	pthread_t thread;
	int fd;

	fd = eventfd(0, 0);
	ASSERT_EQ(sizeof(full), write(fd, &full, sizeof(full)));
	ASSERT_EQ(0, pthread_create(&thread, NULL, blocking_write, &fd));
	usleep(20000);

	irqx_bind(self->ctx, fd, irqx_entry(self->g, 0, IRQ_A));
	pthread_join(thread, NULL);
	ASSERT_EQ(2, irqx_stats(self->ctx).events);
	/* The second may have met the first in the interrupt controller. */
	irqx_settle(self->ctx);
	irqx_fence(self->g);
	ASSERT_LE(1, irqx_count(self->g, 0, IRQ_A));
	ASSERT_EQ(irqx_count(self->g, 0, IRQ_A), irqx_total(self->g));
}

TEST_F(direct, two_eventfds_one_irq)
{
	int fds[2];

	irqx_eventfds(fds, 2);
	irqx_bind(self->ctx, fds[0], irqx_entry(self->g, 1, IRQ_A));
	irqx_bind(self->ctx, fds[1], irqx_entry(self->g, 1, IRQ_A));

	irqx_fire(fds[0]);
	irqx_expect(self->g, 1, IRQ_A, 1);
	irqx_check(self->g);
	irqx_fire(fds[1]);
	irqx_expect(self->g, 1, IRQ_A, 1);
	irqx_check(self->g);

	/* Both at once are one interrupt. */
	irqx_vcpu_stop(self->g, 1);
	irqx_fire(fds[0]);
	irqx_fire(fds[1]);
	irqx_vcpu_start(self->g, 1);
	irqx_expect(self->g, 1, IRQ_A, 1);
	irqx_check(self->g);
	ASSERT_EQ(4, irqx_stats(self->ctx).events);

	/* One without the other. */
	irqx_unbind(self->ctx, fds[0]);
	irqx_fire(fds[0]);
	irqx_check(self->g);
	irqx_fire(fds[1]);
	irqx_expect(self->g, 1, IRQ_A, 1);
	irqx_check(self->g);
}

TEST_F(direct, unbind)
{
	int fd = irqx_eventfd(0, 0);

	/* As with KVM, no error. */
	irqx_unbind(self->ctx, fd);

	irqx_bind(self->ctx, fd, irqx_entry(self->g, 0, IRQ_A));
	irqx_unbind(self->ctx, fd);
	irqx_unbind(self->ctx, fd);
	ASSERT_EQ(ENOENT, __irqx_modify(self->ctx, fd, irqx_entry(self->g, 0, IRQ_B)));

	irqx_fire(fd);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_eventfd_take(fd));

	irqx_bind(self->ctx, fd, irqx_entry(self->g, 1, IRQ_B));
	irqx_fire(fd);
	irqx_expect(self->g, 1, IRQ_B, 1);
	irqx_check(self->g);
}

/* Whoever tries, the binding that is there stays and works. */
TEST_F(direct, one_binding_per_eventfd)
{
	struct irqx_guest *other_vm = irqx_guest_create(1);
	int fd = irqx_eventfd(0, 0), copy = dup(fd);
	int other = irqx_context(self->g->vm);

	irqx_bind(self->ctx, fd, irqx_entry(self->g, 0, IRQ_A));
	EXPECT_EQ(EBUSY, __irqx_bind(self->ctx, fd, irqx_entry(self->g, 1, IRQ_B)));
	EXPECT_EQ(EBUSY, __irqx_bind(self->ctx, copy, irqx_entry(self->g, 1, IRQ_B)));
	EXPECT_EQ(EBUSY, __irqx_irqfd(self->ctx, fd, 7, 0));
	EXPECT_EQ(EBUSY, __irqx_bind(other, fd, irqx_entry(self->g, 1, IRQ_B)));
	EXPECT_EQ(EBUSY, __irqx_bind(other_vm->ctx, fd, irqx_entry(other_vm, 0, IRQ_B)));
	/* Unbinding what is bound elsewhere is unbinding what is not bound. */
	irqx_unbind(other, fd);
	irqx_unbind(other_vm->ctx, fd);
	EXPECT_EQ(ENOENT, __irqx_modify(other, fd, irqx_entry(self->g, 1, IRQ_B)));

	irqx_fire(copy);
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_check(self->g);
	EXPECT_EQ(1, irqx_stats(self->ctx).irqfds);
	EXPECT_EQ(0, irqx_stats(other).irqfds);

	/* Free again: anybody may. */
	irqx_unbind(self->ctx, copy);
	irqx_bind(other_vm->ctx, fd, irqx_entry(other_vm, 0, IRQ_B));
	irqx_guest_start(other_vm);
	irqx_fire(fd);
	irqx_expect(other_vm, 0, IRQ_B, 1);
	irqx_check(other_vm);
	irqx_check(self->g);

	irqx_guest_free(other_vm);
	close(other);
}

static void kvm_route(struct irqx_guest *g, uint32_t gsi, uint32_t vcpu,
		      uint32_t irq)
{
	struct kvm_irq_routing_entry entry = irqx_entry(g, vcpu, irq);

	entry.gsi = gsi;
	irqx_set_gsi_routing(g->vm->fd, &entry, 1);
}

TEST_F(direct, kvms_irqfd_was_first)
{
	int fd = irqx_eventfd(0, 0);

	kvm_route(self->g, 30, 0, IRQ_A);
	irqx_irqfd(self->g->vm->fd, fd, 30, 0);
	ASSERT_EQ(EBUSY, __irqx_bind(self->ctx, fd, irqx_entry(self->g, 1, IRQ_B)));

	irqx_fire(fd);
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_check(self->g);

	irqx_irqfd(self->g->vm->fd, fd, 30, KVM_IRQFD_FLAG_DEASSIGN);
	irqx_bind(self->ctx, fd, irqx_entry(self->g, 1, IRQ_B));
	irqx_fire(fd);
	irqx_expect(self->g, 1, IRQ_B, 1);
	irqx_check(self->g);
}

/*
 * Up to 6.16 KVM does not notice that the eventfd is taken.  It queues behind
 * and sees no event as long as the first, which takes them all, is there.
 */
TEST_F(direct, kvms_irqfd_comes_second)
{
	int fd = irqx_eventfd(0, 0);
	int i, err;

	irqx_bind(self->ctx, fd, irqx_entry(self->g, 1, IRQ_B));
	kvm_route(self->g, 30, 0, IRQ_A);
	err = __irqx_irqfd(self->g->vm->fd, fd, 30, 0);
	ASSERT_TRUE(err == 0 || err == EBUSY);

	for (i = 0; i < 10; i++) {
		irqx_fire(fd);
		irqx_expect(self->g, 1, IRQ_B, 1);
		irqx_check(self->g);
	}
	irqx_modify(self->ctx, fd, irqx_entry(self->g, 0, IRQ_B));
	irqx_fire(fd);
	irqx_expect(self->g, 0, IRQ_B, 1);
	irqx_check(self->g);

	irqx_unbind(self->ctx, fd);
	if (!err) {
		irqx_fire(fd);
		irqx_expect(self->g, 0, IRQ_A, 1);
		irqx_check(self->g);
	}
}

TEST_F(direct, contexts_are_independent)
{
	int other = irqx_context(self->g->vm);
	int fds[2];

	irqx_eventfds(fds, 2);
	irqx_bind(self->ctx, fds[0], irqx_entry(self->g, 0, IRQ_A));
	irqx_bind(other, fds[1], irqx_entry(self->g, 0, IRQ_B));
	irqx_fire(fds[0]);
	irqx_fire(fds[1]);
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_expect(self->g, 0, IRQ_B, 1);
	irqx_check(self->g);
	EXPECT_EQ(1, irqx_stats(self->ctx).events);
	EXPECT_EQ(1, irqx_stats(other).events);

	close(other);
	irqx_fire(fds[0]);
	irqx_fire(fds[1]);
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_check(self->g);
}

TEST_F(direct, eventfd_closed_while_bound)
{
	int fds[64], fd, copy;

	irqx_eventfds(fds, ARRAY_SIZE(fds));
	for (fd = 0; fd < (int)ARRAY_SIZE(fds); fd++)
		irqx_bind(self->ctx, fds[fd], irqx_entry(self->g, 0, IRQ_A));
	copy = dup(fds[0]);
	irqx_close_all(fds, ARRAY_SIZE(fds));

	/* All but the one that is still open. */
	ASSERT_TRUE(irqx_wait_irqfds(self->ctx, 1));
	irqx_fire(copy);
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_check(self->g);
	close(copy);
	ASSERT_TRUE(irqx_wait_irqfds(self->ctx, 0));

	/* The number says nothing about the eventfd. */
	fd = irqx_eventfd(0, 0);
	ASSERT_EQ(fds[0], fd);
	ASSERT_EQ(ENOENT, __irqx_modify(self->ctx, fd, irqx_entry(self->g, 1, IRQ_A)));
	irqx_bind(self->ctx, fd, irqx_entry(self->g, 1, IRQ_B));
	irqx_fire(fd);
	irqx_expect(self->g, 1, IRQ_B, 1);
	irqx_check(self->g);
}

TEST_F_TIMEOUT(direct, context_closed_with_many_live, 60)
{
	int *fds = calloc(NR_MANY, sizeof(*fds));
	uint32_t i;

	irqx_eventfds(fds, NR_MANY);
	for (i = 0; i < NR_MANY; i++)
		irqx_bind(self->ctx, fds[i], entry_of(self->g, irqx_slot(self->g, i)));
	close(self->g->ctx);
	self->g->ctx = -1;

	for (i = 0; i < NR_MANY; i++)
		irqx_fire(fds[i]);
	irqx_check(self->g);
	for (i = 0; i < NR_MANY; i++)
		ASSERT_EQ(1, irqx_eventfd_take(fds[i]));
}

/* No fixture: the VM goes away in the middle. */
TEST(vm_closed_first)
{
	struct irqx_guest *g = irqx_guest_create(NR_VCPUS);
	struct kvm_irq_routing_entry a = irqx_entry(g, 0, IRQ_A);
	struct kvm_irq_routing_entry b = irqx_entry(g, 1, IRQ_B);
	int refs = irqx_module_refs();
	int ctx = g->ctx;
	int fds[64], i;

	irqx_eventfds(fds, 64);
	for (i = 0; i < 32; i++)
		irqx_bind(ctx, fds[i], a);

	kvm_vm_free(g->vm);

	/* The context keeps the VM, whatever the others do. */
	for (i = 0; i < 32; i++) {
		irqx_fire(fds[i]);
		irqx_modify(ctx, fds[i], b);
		irqx_fire(fds[i]);
	}
	for (i = 32; i < 64; i++) {
		irqx_bind(ctx, fds[i], b);
		irqx_fire(fds[i]);
	}
	irqx_settle(ctx);
	irqx_unbind(ctx, fds[63]);
	ASSERT_EQ(63, irqx_stats(ctx).irqfds);
	ASSERT_EQ(96, irqx_delivered(ctx));
	ASSERT_EQ(0, irqx_stats(ctx).refused);
	ASSERT_EQ(refs, irqx_module_refs());

	close(ctx);
	for (i = 0; i < 64; i++)
		irqx_fire(fds[i]);
	ASSERT_TRUE(irqx_wait_module_refs(refs - 1));
}

static void close_eventfds(void *arg, uint32_t i)
{
	int *fds = arg;

	(void)i;
	irqx_close_all(fds + 1, 16);
}

static void close_context(void *arg, uint32_t i)
{
	(void)i;
	close(*(int *)arg);
}

/* The last close of an eventfd and that of the context race to unbind. */
TEST_F_TIMEOUT(direct, eventfds_and_context_closed_at_once, 60)
{
	int all[17], round, i;

	for (round = 0; round < 200; round++) {
		all[0] = irqx_context(self->g->vm);
		irqx_eventfds(all + 1, 16);
		for (i = 1; i < 17; i++)
			irqx_bind(all[0], all[i], irqx_entry(self->g, 0, IRQ_A));
		irqx_race(close_eventfds, close_context, NULL, all, 1);
	}
	irqx_check(self->g);
}

struct family {
	struct irqx_guest *g;
	int bound, fresh, ctx;
};

#define CHILD_EXPECT(want, expr)					\
do {									\
	int got_ = (expr);						\
									\
	if (got_ != (want)) {						\
		fprintf(stderr, "# %s: %s, not %s\n", #expr,		\
			strerror(got_), strerror(want));		\
		return 1;						\
	}								\
} while (0)

static int child_without_privilege(void *arg)
{
	struct family *f = arg;
	struct kvm_irq_routing_entry b = irqx_entry(f->g, 1, IRQ_B);
	struct kvm_irqx_stats stats;

	irqx_drop_sys_admin();
	CHILD_EXPECT(EPERM, __irqx_bind(f->ctx, f->fresh, b));
	CHILD_EXPECT(EPERM, __irqx_modify(f->ctx, f->bound, b));
	CHILD_EXPECT(EPERM, __irqx_unbind(f->ctx, f->bound));
	CHILD_EXPECT(EPERM, __irqx_stats(f->ctx, &stats));
	CHILD_EXPECT(EPERM, __irqx_attach(irqx_open(), f->g->vm->fd));
	irqx_info(f->ctx);
	/* What it may: the eventfd is its own as much as the parent's. */
	irqx_fire(f->bound);
	return 0;
}

static int child_with_privilege(void *arg)
{
	struct family *f = arg;

	if (__irqx_modify(f->ctx, f->bound, irqx_entry(f->g, 1, IRQ_B)) == EPERM)
		return KSFT_SKIP;
	irqx_fire(f->bound);
	irqx_bind(f->ctx, f->fresh, irqx_entry(f->g, 0, IRQ_B));
	/* What has not begun would stay in the eventfd. */
	irqx_settle(f->ctx);
	irqx_unbind(f->ctx, f->bound);
	return 0;
}

TEST_F(direct, fork)
{
	struct family f = {
		.g = self->g,
		.bound = irqx_eventfd(0, 0),
		.fresh = irqx_eventfd(0, 0),
		.ctx = self->ctx,
	};
	int ret;

	irqx_bind(self->ctx, f.bound, irqx_entry(self->g, 0, IRQ_A));
	ASSERT_EQ(0, irqx_in_child(child_without_privilege, &f));
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_stats(self->ctx).irqfds);

	ret = irqx_in_child(child_with_privilege, &f);
	if (ret == KSFT_SKIP)
		SKIP(return, "the second half needs CAP_SYS_ADMIN");
	ASSERT_EQ(0, ret);
	irqx_expect(self->g, 1, IRQ_B, 1);
	irqx_check(self->g);

	/* What the child bound outlives it. */
	irqx_fire(f.fresh);
	irqx_expect(self->g, 0, IRQ_B, 1);
	irqx_fire(f.bound);
	irqx_check(self->g);
}

/*
 * Not exact, as writes meet in the eventfd and interrupts in the controller; but
 * nothing more than was written, and nothing forgotten in the end.
 */
TEST_F(direct, storm)
{
	struct kvm_irqx_stats stats;
	struct irqx_storm storm;
	uint64_t fired;
	int fds[16], i;

	irqx_eventfds(fds, 16);
	for (i = 0; i < 16; i++)
		irqx_bind(self->ctx, fds[i], entry_of(self->g, irqx_slot(self->g, i)));
	irqx_storm_start(&storm, fds, 16);
	usleep(300000);
	fired = irqx_storm_stop(&storm);

	ASSERT_LE(100, fired);
	ASSERT_EQ(fired, irqx_delivered(self->ctx));
	irqx_fence(self->g);
	stats = irqx_stats(self->ctx);
	ASSERT_EQ(fired, stats.events);
	ASSERT_EQ(0, stats.refused);
	ASSERT_LE(irqx_total(self->g), fired);
	for (i = 0; i < 16; i++)
		ASSERT_EQ(0, irqx_eventfd_take(fds[i]));

	irqx_forget(self->g);
	fire_all(self->g, fds, 16, 0);
}

static void storm_forever(int ready)
{
	struct irqx_guest *g = irqx_guest_create(NR_VCPUS);
	struct irqx_storm storm;
	int fds[256], i;

	irqx_eventfds(fds, 256);
	for (i = 0; i < 256; i++)
		irqx_bind(g->ctx, fds[i], entry_of(g, irqx_slot(g, i)));
	irqx_guest_start(g);
	irqx_storm_start(&storm, fds, 256);
	TEST_ASSERT(write(ready, "", 1) == 1, "write: %s", strerror(errno));
	for (i = 0;; i++)
		irqx_modify(g->ctx, fds[i % 256], entry_of(g, irqx_slot(g, i)));
}

TEST_F_TIMEOUT(direct, process_killed_during_a_storm, 60)
{
	int before = irqx_module_refs();
	int ready[2], round, status;
	pid_t pid;
	char c;

	for (round = 0; round < 6; round++) {
		ASSERT_EQ(0, pipe(ready));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			close(ready[0]);
			storm_forever(ready[1]);
		}
		close(ready[1]);
		ASSERT_EQ(1, read(ready[0], &c, 1));
		close(ready[0]);
		usleep(10000 * round);

		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status));
		ASSERT_TRUE(irqx_wait_module_refs(before));
	}
	/* The neighbour's VM has noticed nothing. */
	irqx_check(self->g);
}

TEST_HARNESS_MAIN

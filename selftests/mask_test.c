// SPDX-License-Identifier: GPL-2.0
/*
 * Masks, and what is pending behind them: of a binding's own entry, and of a GSI's route.
 * What an EOI does to a masked source is in level_test and spi_test, a masked event flag in
 * synic_test.
 */
#include <pthread.h>

#include "irqx_source.h"
#include "irqx_harness.h"

#define IRQ_A	(IRQX_IRQ_MIN + 5)
#define IRQ_B	(IRQX_IRQ_MIN + 9)
#define GSI	70000
#define OTHER_GSI	70001

#define MASKED	KVM_IRQX_STATE_MASKED
#define PENDING	KVM_IRQX_STATE_PENDING

/* What is masked: @fd of a direct binding, or a GSI. */
struct place {
	int fd;
	uint32_t gsi;
};

FIXTURE(mask) {
	struct irqx_guest *g;
	int ctx;
	int fd;
	struct place place;
};

FIXTURE_VARIANT(mask) {
	bool direct;
	bool slow;
};

FIXTURE_VARIANT_ADD(mask, direct) {
	.direct = true,
};

FIXTURE_VARIANT_ADD(mask, gsi) {
	.direct = false,
};

/* By the work queue. */
FIXTURE_VARIANT_ADD(mask, slow) {
	.direct = true,
	.slow = true,
};

FIXTURE_VARIANT_ADD(mask, slow_gsi) {
	.slow = true,
};

static struct kvm_irq_routing_entry entry_of(struct irqx_guest *g, bool slow, uint32_t n)
{
	uint32_t irq = n ? IRQ_B : IRQ_A;

	return slow ? irqx_slow_entry(g, n, n, irq) : irqx_entry(g, n, irq);
}

static struct place bind_at(int ctx, bool direct, int fd,
			    struct kvm_irq_routing_entry entry)
{
	if (direct) {
		irqx_bind(ctx, fd, entry);
		return (struct place){ .fd = fd };
	}
	irqx_route_set(ctx, GSI, entry);
	irqx_irqfd(ctx, fd, GSI, 0);
	return (struct place){ .fd = KVM_IRQX_NO_FD, .gsi = GSI };
}

static void set_mask(int ctx, struct place place, bool masked)
{
	irqx_assert(__irqx_mask(ctx, place.fd, place.gsi, masked));
}

static uint32_t state_of(int ctx, struct place place)
{
	return irqx_state(ctx, place.fd, place.gsi);
}

static void move_to(int ctx, struct place place, struct kvm_irq_routing_entry entry)
{
	if (place.fd >= 0)
		irqx_modify(ctx, place.fd, entry);
	else
		irqx_route_set(ctx, place.gsi, entry);
}

FIXTURE_SETUP(mask)
{
	self->g = irqx_guest_create(2);
	self->ctx = self->g->ctx;
	self->fd = irqx_eventfd(0, 0);
	self->place = bind_at(self->ctx, variant->direct, self->fd,
			      entry_of(self->g, variant->slow, 0));
	irqx_guest_start(self->g);
}

FIXTURE_TEARDOWN(mask)
{
	irqx_check(self->g);
	irqx_guest_free(self->g);
}

TEST_F(mask, pending_is_one_interrupt)
{
	struct kvm_irqx_stats stats;
	int round, i;

	for (round = 0; round < 5; round++) {
		set_mask(self->ctx, self->place, true);
		EXPECT_EQ(MASKED, state_of(self->ctx, self->place));
		for (i = 0; i < 3; i++) {
			irqx_fire(self->fd);
			EXPECT_EQ(MASKED | PENDING,
				  state_of(self->ctx, self->place));
			EXPECT_EQ(0, irqx_eventfd_take(self->fd));
		}
		irqx_expect_no_more(self->g, round);
		set_mask(self->ctx, self->place, false);
		irqx_expect(self->g, 0, IRQ_A, 1);
		irqx_check(self->g);
		EXPECT_EQ(0, state_of(self->ctx, self->place));
	}
	stats = irqx_stats(self->ctx);
	EXPECT_EQ(15, stats.events);
	EXPECT_EQ(15, stats.deferred);
	EXPECT_EQ(10, stats.coalesced);
}

TEST_F(mask, nothing_pending)
{
	set_mask(self->ctx, self->place, true);
	set_mask(self->ctx, self->place, false);
	irqx_check(self->g);
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);
}

/* A mask is set and cleared, however often. */
TEST_F(mask, twice)
{
	set_mask(self->ctx, self->place, true);
	irqx_fire(self->fd);
	set_mask(self->ctx, self->place, true);
	EXPECT_EQ(MASKED | PENDING, state_of(self->ctx, self->place));
	set_mask(self->ctx, self->place, false);
	set_mask(self->ctx, self->place, false);
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_check(self->g);
}

/* What a guest does to a vector of MSI-X: mask, write address and data, unmask. */
TEST_F(mask, moved)
{
	int i, to;

	for (i = 0; i < 50; i++) {
		to = !(i % 2);
		set_mask(self->ctx, self->place, true);
		if (i % 3)
			irqx_fire(self->fd);
		move_to(self->ctx, self->place,
			entry_of(self->g, variant->slow, to));
		EXPECT_EQ(MASKED | (i % 3 ? PENDING : 0),
			  state_of(self->ctx, self->place));
		set_mask(self->ctx, self->place, false);
		irqx_expect(self->g, to, to ? IRQ_B : IRQ_A, !!(i % 3));
		irqx_check(self->g);
	}
}

/* When the call returns nothing comes any more, whoever fires. */
struct firer {
	pthread_t thread;
	int fd;
	bool stop;
	uint64_t fired;
};

static void *fire_on(void *arg)
{
	struct firer *firer = arg;

	while (!READ_ONCE(firer->stop)) {
		irqx_fire(firer->fd);
		firer->fired++;
	}
	return NULL;
}

TEST_F(mask, under_fire)
{
	struct firer firer = { .fd = self->fd };
	uint64_t before;
	int i;

	pthread_create(&firer.thread, NULL, fire_on, &firer);
	for (i = 0; i < 100; i++) {
		set_mask(self->ctx, self->place, true);
		irqx_fence(self->g);
		before = irqx_total(self->g);
		if (i % 10 == 0)
			usleep(1000);
		irqx_expect_no_more(self->g, before);
		set_mask(self->ctx, self->place, false);
	}
	set_mask(self->ctx, self->place, true);
	WRITE_ONCE(firer.stop, true);
	pthread_join(firer.thread, NULL);
	irqx_fence(self->g);
	before = irqx_total(self->g);

	/* The last one is not lost. */
	irqx_fire(self->fd);
	irqx_expect_no_more(self->g, before);
	set_mask(self->ctx, self->place, false);
	irqx_wait_total(self->g, before + 1);
	irqx_settle(self->ctx);
	EXPECT_EQ(firer.fired + 1, irqx_stats(self->ctx).events);
	irqx_expect_no_more(self->g, before + 1);
	irqx_forget(self->g);
}

/* The VMM that polls the eventfd afterwards sees it. */
TEST_F(mask, goes_back_at_deassign)
{
	set_mask(self->ctx, self->place, true);
	irqx_fire(self->fd);
	irqx_fire(self->fd);
	irqx_unbind(self->ctx, self->fd);
	EXPECT_EQ(1, irqx_eventfd_take(self->fd));
	EXPECT_EQ(1, irqx_stats(self->ctx).events);
	irqx_check(self->g);

	/* Nor is anything left of it. */
	bind_at(self->ctx, true, self->fd, entry_of(self->g, variant->slow, 1));
	irqx_fire_at(self->g, self->fd, 1, IRQ_B);
}

/* After a close, as well. */
TEST_F(mask, goes_back_at_close)
{
	int ctx = irqx_context(self->g->vm);
	int fd = irqx_eventfd(0, 0);
	struct place place;

	place = bind_at(ctx, variant->direct, fd,
			entry_of(self->g, variant->slow, 1));
	set_mask(ctx, place, true);
	irqx_fire(fd);
	close(ctx);
	EXPECT_EQ(1, irqx_eventfd_take(fd));
}

TEST_F(mask, killed_eventfd)
{
	struct kvm_irqx_stats stats;
	int fd = irqx_eventfd(0, 0);
	struct place place;

	place = bind_at(self->ctx, true, fd, entry_of(self->g, variant->slow, 1));
	set_mask(self->ctx, place, true);
	irqx_fire(fd);
	close(fd);
	ASSERT_TRUE(irqx_wait_irqfds(self->ctx, 1));
	stats = irqx_stats(self->ctx);
	EXPECT_EQ(0, stats.atomic + stats.deferred);
}

FIXTURE(one) {
	struct irqx_guest *g;
	int ctx;
	int fd;
};

FIXTURE_SETUP(one)
{
	self->g = irqx_guest_create(2);
	self->ctx = self->g->ctx;
	self->fd = irqx_eventfd(0, 0);
	irqx_guest_start(self->g);
}

FIXTURE_TEARDOWN(one)
{
	irqx_check(self->g);
	irqx_guest_free(self->g);
}

/* Events from before are pending, too. */
TEST_F(one, bound_masked)
{
	struct place place = { .fd = self->fd };

	irqx_fire(self->fd);
	irqx_assert(__irqx_direct(self->ctx, self->fd, KVM_IRQX_IRQFD_DIRECT_MASK,
				  irqx_entry(self->g, 0, IRQ_A)));
	EXPECT_EQ(MASKED | PENDING, state_of(self->ctx, place));
	EXPECT_EQ(0, irqx_eventfd_take(self->fd));
	irqx_expect_no_more(self->g, 0);

	/* In one call. */
	irqx_assert(__irqx_direct(self->ctx, self->fd,
				  KVM_IRQX_IRQFD_DIRECT_MODIFY | KVM_IRQX_IRQFD_DIRECT_UNMASK,
				  irqx_entry(self->g, 1, IRQ_B)));
	irqx_expect(self->g, 1, IRQ_B, 1);
	irqx_check(self->g);

	irqx_assert(__irqx_direct(self->ctx, self->fd,
				  KVM_IRQX_IRQFD_DIRECT_MODIFY | KVM_IRQX_IRQFD_DIRECT_MASK,
				  irqx_entry(self->g, 0, IRQ_A)));
	EXPECT_EQ(MASKED, state_of(self->ctx, place));
	irqx_fire(self->fd);
	irqx_expect_no_more(self->g, 1);
	irqx_unmask(self->ctx, self->fd);
	irqx_expect(self->g, 0, IRQ_A, 1);
}

TEST_F(one, flags_conflict)
{
	struct kvm_irq_routing_entry entry = irqx_entry(self->g, 0, IRQ_A);

	EXPECT_EQ(EINVAL, __irqx_direct(self->ctx, self->fd,
					KVM_IRQX_IRQFD_DIRECT_MASK |
					KVM_IRQX_IRQFD_DIRECT_UNMASK, entry));
	EXPECT_EQ(EINVAL, __irqx_direct(self->ctx, self->fd,
					KVM_IRQX_IRQFD_DIRECT_DEASSIGN |
					KVM_IRQX_IRQFD_DIRECT_MASK,
					(struct kvm_irq_routing_entry){}));
	EXPECT_EQ(0, irqx_stats(self->ctx).irqfds);
}

/* What is pending is the GSI's: one who leaves takes nothing along but the last. */
TEST_F(one, shared_gsi)
{
	int other = irqx_eventfd(0, 0);

	irqx_route_set(self->ctx, GSI, irqx_entry(self->g, 0, IRQ_A));
	irqx_irqfd(self->ctx, self->fd, GSI, 0);
	irqx_irqfd(self->ctx, other, GSI, 0);
	irqx_mask_gsi(self->ctx, GSI);
	irqx_fire(self->fd);
	irqx_unbind(self->ctx, self->fd);
	EXPECT_EQ(0, irqx_eventfd_take(self->fd));
	EXPECT_EQ(MASKED | PENDING, irqx_state(self->ctx, KVM_IRQX_NO_FD, GSI));
	irqx_unbind(self->ctx, other);
	EXPECT_EQ(1, irqx_eventfd_take(other));
	EXPECT_EQ(MASKED, irqx_state(self->ctx, KVM_IRQX_NO_FD, GSI));

	/* The mask is the route's, not theirs. */
	irqx_irqfd(self->ctx, self->fd, GSI, 0);
	irqx_fire(self->fd);
	irqx_expect_no_more(self->g, 0);
	irqx_unmask_gsi(self->ctx, GSI);
	irqx_expect(self->g, 0, IRQ_A, 1);
}

TEST_F(one, table_keeps_masks)
{
	struct kvm_irq_routing_entry table[2] = {
		irqx_entry(self->g, 0, IRQ_A), irqx_entry(self->g, 1, IRQ_B),
	};

	table[0].gsi = GSI;
	table[1].gsi = OTHER_GSI;
	irqx_set_gsi_routing(self->ctx, table, 2);
	irqx_irqfd(self->ctx, self->fd, GSI, 0);
	irqx_mask_gsi(self->ctx, GSI);
	irqx_fire(self->fd);

	table[0] = irqx_entry(self->g, 1, IRQ_A);
	table[0].gsi = GSI;
	irqx_set_gsi_routing(self->ctx, table, 2);
	EXPECT_EQ(MASKED | PENDING, irqx_state(self->ctx, KVM_IRQX_NO_FD, GSI));
	EXPECT_EQ(0, irqx_state(self->ctx, KVM_IRQX_NO_FD, OTHER_GSI));
	irqx_expect_no_more(self->g, 0);
	irqx_unmask_gsi(self->ctx, GSI);
	irqx_expect(self->g, 1, IRQ_A, 1);
}

TEST_F(one, ends_with_the_route)
{
	irqx_route_set(self->ctx, GSI, irqx_entry(self->g, 0, IRQ_A));
	irqx_irqfd(self->ctx, self->fd, GSI, 0);
	irqx_mask_gsi(self->ctx, GSI);
	irqx_fire(self->fd);
	irqx_route_del(self->ctx, GSI);
	irqx_settle(self->ctx);
	EXPECT_EQ(1, irqx_stats(self->ctx).unrouted);
	EXPECT_EQ(ENOENT, __irqx_mask(self->ctx, KVM_IRQX_NO_FD, GSI, true));

	irqx_route_set(self->ctx, GSI, irqx_entry(self->g, 1, IRQ_B));
	irqx_fire_at(self->g, self->fd, 1, IRQ_B);
}

/* KVM_IRQ_LINE does not wait for somebody to unmask the GSI. */
TEST_F(one, irq_line)
{
	struct kvm_irq_level line;
	int i;

	irqx_route_set(self->ctx, GSI, irqx_entry(self->g, 0, IRQ_A));
	irqx_mask_gsi(self->ctx, GSI);
	for (i = 0; i < 3; i++) {
		/* The status comes in the place of the GSI. */
		line = (struct kvm_irq_level){ .irq = GSI, .level = 1 };
		ASSERT_EQ(0, __irqx_ioctl(self->ctx, KVM_IRQ_LINE_STATUS, &line));
		EXPECT_EQ(-1, (int)line.status);
	}
	EXPECT_EQ(MASKED | PENDING, irqx_state(self->ctx, KVM_IRQX_NO_FD, GSI));
	irqx_expect_no_more(self->g, 0);
	irqx_unmask_gsi(self->ctx, GSI);
	irqx_expect(self->g, 0, IRQ_A, 1);
}

/* What is pending when the route goes has been an event all the same. */
TEST_F(one, irq_line_and_no_route)
{
	irqx_route_set(self->ctx, GSI, irqx_entry(self->g, 0, IRQ_A));
	irqx_mask_gsi(self->ctx, GSI);
	irqx_irq_line(self->ctx, GSI, 1);
	irqx_route_del(self->ctx, GSI);
	irqx_settle(self->ctx);
	EXPECT_EQ(1, irqx_stats(self->ctx).unrouted);
}

struct line_loop {
	pthread_t thread;
	int ctx;
	bool stop;
	uint64_t calls;
};

static void *line_on(void *arg)
{
	struct line_loop *loop = arg;

	while (!READ_ONCE(loop->stop)) {
		irqx_irq_line(loop->ctx, GSI, 1);
		WRITE_ONCE(loop->calls, loop->calls + 1);
	}
	return NULL;
}

/* KVM_IRQ_LINE waits for a worker: it goes on when the GSI is masked meanwhile. */
TEST_F(one, irq_line_is_masked_meanwhile)
{
	struct line_loop loop = { .ctx = self->ctx };
	uint64_t calls;
	int i;

	irqx_route_set(self->ctx, GSI, irqx_slow_entry(self->g, 1, 1, IRQ_B));
	pthread_create(&loop.thread, NULL, line_on, &loop);
	for (i = 0; i < 200; i++) {
		irqx_mask_gsi(self->ctx, GSI);
		calls = READ_ONCE(loop.calls);
		ASSERT_TRUE(irqx_wait_until(READ_ONCE(loop.calls) != calls,
					    IRQX_TIMEOUT_MS));
		irqx_unmask_gsi(self->ctx, GSI);
	}
	WRITE_ONCE(loop.stop, true);
	pthread_join(loop.thread, NULL);
	irqx_settle(self->ctx);
	irqx_fence(self->g);
	irqx_forget(self->g);
}

#define NR_MANY	512

TEST_F(one, many_states)
{
	struct kvm_irqx_target_state states[NR_MANY] = {};
	int fds[NR_MANY], i;
	uint32_t index;

	irqx_eventfds(fds, NR_MANY);
	for (i = 0; i < NR_MANY; i++) {
		irqx_bind(self->ctx, fds[i], irqx_entry(self->g, 0, IRQ_A));
		states[i].fd = fds[i];
		if (i % 2)
			irqx_mask(self->ctx, fds[i]);
		if (i % 2 && i % 3)
			irqx_fire(fds[i]);
	}
	ASSERT_EQ(0, __irqx_states(self->ctx, states, NR_MANY, &index));
	EXPECT_EQ(NR_MANY, index);
	for (i = 0; i < NR_MANY; i++)
		ASSERT_EQ((i % 2 ? MASKED : 0) | (i % 2 && i % 3 ? PENDING : 0),
			  states[i].state);

	/* One at fault: it is named, and the others are not filled in. */
	irqx_unbind(self->ctx, fds[77]);
	states[0].state = 77;
	EXPECT_EQ(ENOENT, __irqx_states(self->ctx, states, NR_MANY, &index));
	EXPECT_EQ(77, index);
	EXPECT_EQ(77, states[0].state);
	for (i = 0; i < NR_MANY; i++)
		close(fds[i]);
	ASSERT_TRUE(irqx_wait_irqfds(self->ctx, 0));
}

static struct kvm_irqx_op mask_op(uint32_t op, struct place place)
{
	return (struct kvm_irqx_op){
		.op = op,
		.fd = place.fd,
		.entry.gsi = place.gsi,
	};
}

/* A function's mask: all of its vectors, and a GSI, by one call. */
TEST_F(one, batch)
{
	const struct place gsi = { .fd = KVM_IRQX_NO_FD, .gsi = GSI };
	struct kvm_irqx_op ops[65];
	int fds[64], i;

	irqx_eventfds(fds, 64);
	for (i = 0; i < 64; i++) {
		irqx_bind(self->ctx, fds[i], irqx_entry(self->g, i % 2, 64 + i));
		ops[i] = mask_op(KVM_IRQX_OP_MASK, (struct place){ .fd = fds[i] });
	}
	irqx_route_set(self->ctx, GSI, irqx_entry(self->g, 0, IRQ_A));
	irqx_irqfd(self->ctx, self->fd, GSI, 0);
	ops[64] = mask_op(KVM_IRQX_OP_MASK, gsi);
	irqx_batch(self->ctx, ops, 65);
	for (i = 0; i < 64; i += 2)
		irqx_fire(fds[i]);
	irqx_fire(self->fd);
	irqx_expect_no_more(self->g, 0);
	EXPECT_EQ(MASKED | PENDING, state_of(self->ctx, gsi));
	for (i = 0; i < 64; i++)
		EXPECT_EQ(MASKED | (i % 2 ? 0 : PENDING),
			  irqx_state(self->ctx, fds[i], 0));

	for (i = 0; i < 65; i++)
		ops[i].op = KVM_IRQX_OP_UNMASK;
	irqx_batch(self->ctx, ops, 65);
	for (i = 0; i < 64; i += 2)
		irqx_expect(self->g, i % 2, 64 + i, 1);
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_check(self->g);
	for (i = 0; i < 64; i++)
		close(fds[i]);
	ASSERT_TRUE(irqx_wait_irqfds(self->ctx, 1));
}

/* Bound masked; moved and unmasked; a route with its mask: each by one operation. */
TEST_F(one, batch_flags)
{
	const struct place gsi = { .fd = KVM_IRQX_NO_FD, .gsi = GSI };
	int other = irqx_eventfd(0, 0);
	struct kvm_irqx_op ops[] = {
		{
			.op = KVM_IRQX_OP_ASSIGN,
			.flags = KVM_IRQX_OP_FLAG_MASK,
			.fd = self->fd,
			.entry = irqx_entry(self->g, 0, IRQ_A),
		}, {
			.op = KVM_IRQX_OP_ROUTE_SET,
			.flags = KVM_IRQX_OP_FLAG_MASK,
			.entry = irqx_entry(self->g, 0, IRQ_A),
		}, {
			.op = KVM_IRQX_OP_IRQFD,
			.fd = other,
			.entry.gsi = GSI,
		},
	};

	ops[1].entry.gsi = GSI;
	irqx_fire(self->fd);
	irqx_fire(other);
	irqx_batch(self->ctx, ops, 3);
	EXPECT_EQ(MASKED | PENDING, irqx_state(self->ctx, self->fd, 0));
	EXPECT_EQ(MASKED | PENDING, state_of(self->ctx, gsi));
	irqx_expect_no_more(self->g, 0);

	ops[0].op = KVM_IRQX_OP_MODIFY;
	ops[0].flags = KVM_IRQX_OP_FLAG_UNMASK;
	ops[0].entry = irqx_entry(self->g, 1, IRQ_B);
	ops[1].flags = KVM_IRQX_OP_FLAG_UNMASK;
	irqx_batch(self->ctx, ops, 2);
	irqx_expect(self->g, 1, IRQ_B, 1);
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_check(self->g);

	/* A route that goes, and comes again, has no mask. */
	ops[0] = mask_op(KVM_IRQX_OP_MASK, gsi);
	ops[2] = ops[1];
	ops[1] = mask_op(KVM_IRQX_OP_ROUTE_DEL, gsi);
	ops[1].fd = 0;
	ops[2].flags = 0;
	irqx_batch(self->ctx, ops, 3);
	EXPECT_EQ(0, state_of(self->ctx, gsi));

	/* Of a route that is made by the same batch. */
	ops[0] = ops[2];
	ops[0].entry.gsi = OTHER_GSI;
	ops[1] = mask_op(KVM_IRQX_OP_MASK, (struct place){ KVM_IRQX_NO_FD, OTHER_GSI });
	irqx_batch(self->ctx, ops, 2);
	EXPECT_EQ(MASKED, irqx_state(self->ctx, KVM_IRQX_NO_FD, OTHER_GSI));
}

/* None can be asked to mask and to unmask. */
TEST_F(one, batch_flags_conflict)
{
	struct kvm_irqx_error error = { .argsz = sizeof(error) };
	const uint32_t flags = KVM_IRQX_OP_FLAG_MASK | KVM_IRQX_OP_FLAG_UNMASK;
	const uint32_t takes_both[] = {
		KVM_IRQX_OP_ASSIGN,
		KVM_IRQX_OP_MODIFY,
		KVM_IRQX_OP_ROUTE_SET,
	};
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(takes_both); i++) {
		struct kvm_irqx_op op = {
			.op = takes_both[i],
			.flags = flags,
			.fd = takes_both[i] == KVM_IRQX_OP_ROUTE_SET ? 0 : self->fd,
			.entry = irqx_entry(self->g, 0, IRQ_A),
		};
		struct kvm_irqx_batch batch = irqx_batch_of(&op, 1);

		batch.error = (uintptr_t)&error;
		error.reason = 0;
		EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, &batch));
		EXPECT_EQ(KVM_IRQX_ARG_FLAGS, error.arg);
		EXPECT_EQ(KVM_IRQX_REASON_FLAGS_CONFLICT, error.reason);
	}
	EXPECT_EQ(0, irqx_stats(self->ctx).irqfds);
}

/* One of them fails: no mask has changed. */
TEST_F(one, batch_fails)
{
	const struct place gsi = { .fd = KVM_IRQX_NO_FD, .gsi = GSI };
	const struct place none = { .fd = KVM_IRQX_NO_FD, .gsi = OTHER_GSI };
	struct kvm_irqx_op ops[3];
	uint32_t index;

	irqx_bind(self->ctx, self->fd, irqx_entry(self->g, 0, IRQ_A));
	irqx_route_set(self->ctx, GSI, irqx_entry(self->g, 0, IRQ_A));
	ops[0] = mask_op(KVM_IRQX_OP_MASK, (struct place){ .fd = self->fd });
	ops[1] = mask_op(KVM_IRQX_OP_MASK, gsi);
	ops[2] = mask_op(KVM_IRQX_OP_MASK, none);
	EXPECT_EQ(ENOENT, __irqx_batch(self->ctx, ops, 3, &index));
	EXPECT_EQ(2, index);
	ops[2] = ops[0];
	EXPECT_EQ(EINVAL, __irqx_batch(self->ctx, ops, 3, &index));
	EXPECT_EQ(2, index);
	ops[2] = mask_op(KVM_IRQX_OP_UNMASK, (struct place){ .fd = self->fd, .gsi = 1 });
	EXPECT_EQ(EINVAL, __irqx_batch(self->ctx, ops + 2, 1, &index));
	ops[2] = mask_op(KVM_IRQX_OP_MASK, gsi);
	ops[2].flags = KVM_IRQX_OP_FLAG_MASK;
	EXPECT_EQ(EINVAL, __irqx_batch(self->ctx, ops + 2, 1, &index));
	EXPECT_EQ(0, irqx_state(self->ctx, self->fd, 0));
	EXPECT_EQ(0, state_of(self->ctx, gsi));
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);

	/* Nor by what comes after one that has failed. */
	irqx_route_set(self->ctx, GSI, irqx_entry(self->g, 1, IRQ_B));
	EXPECT_EQ(0, state_of(self->ctx, gsi));
}

TEST_F(one, errors)
{
	struct kvm_irqx_target_state state = { .fd = self->fd };
	struct kvm_irqx_mask mask = { .fd = self->fd };
	struct kvm_irqx_get_state get = {
		.nr = 1,
		.state_size = sizeof(state),
		.states = (uintptr_t)&state,
	};
	int routed = irqx_eventfd(0, 0);
	uint32_t max_gsi = irqx_info(self->ctx).max_gsi;
	int pipefd[2];

	irqx_bind(self->ctx, self->fd, irqx_entry(self->g, 0, IRQ_A));
	irqx_irqfd(self->ctx, routed, GSI, 0);
	ASSERT_EQ(0, pipe(pipefd));

	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_MASK, &mask));
	mask.flags = KVM_IRQX_MASK_SET | KVM_IRQX_MASK_CLEAR;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_MASK, &mask));
	mask.flags = 4;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_MASK, &mask));
	mask.flags = KVM_IRQX_MASK_SET;
	mask.pad[2] = 1;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_MASK, &mask));
	EXPECT_EQ(EINVAL, __irqx_mask(self->ctx, self->fd, GSI, true));
	EXPECT_EQ(EINVAL, __irqx_mask(self->ctx, pipefd[0], 0, true));
	EXPECT_EQ(EBADF, __irqx_mask(self->ctx, -2, 0, true));
	EXPECT_EQ(EBADF, __irqx_mask(self->ctx, 100000, 0, true));
	EXPECT_EQ(ENOENT, __irqx_mask(self->ctx, routed, 0, true));
	EXPECT_EQ(ENOENT, __irqx_mask(self->ctx, KVM_IRQX_NO_FD, GSI, true));
	EXPECT_EQ(ENOENT, __irqx_mask(self->ctx, KVM_IRQX_NO_FD, GSI + 1, true));
	EXPECT_EQ(EINVAL, __irqx_mask(self->ctx, KVM_IRQX_NO_FD, max_gsi, true));
	EXPECT_EQ(EFAULT, __irqx_ioctl(self->ctx, KVM_IRQX_MASK, NULL));
	EXPECT_EQ(0, irqx_state(self->ctx, self->fd, 0));

	get.flags = 1;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_GET_STATE, &get));
	get.flags = 0;
	get.nr = 0;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_GET_STATE, &get));
	get.nr = irqx_info(self->ctx).max_batch + 1;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_GET_STATE, &get));
	get.nr = 1;
	get.state_size--;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_GET_STATE, &get));
	get.state_size++;
	get.pad[1] = 1;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_GET_STATE, &get));
	get.pad[1] = 0;
	get.states = 0;
	EXPECT_EQ(EFAULT, __irqx_ioctl(self->ctx, KVM_IRQX_GET_STATE, &get));
	EXPECT_EQ(EFAULT, __irqx_ioctl(self->ctx, KVM_IRQX_GET_STATE, NULL));
	state.pad = 1;
	EXPECT_EQ(EINVAL, __irqx_states(self->ctx, &state, 1, NULL));
	state.pad = 0;
	EXPECT_EQ(0, __irqx_states(self->ctx, &state, 1, NULL));
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);
	close(pipefd[0]);
	close(pipefd[1]);
}

/* Without a record to write to, nothing is masked and no state is told. */
TEST_F(one, error_record)
{
	struct kvm_irqx_error small = { .argsz = sizeof(small) - 1 };
	struct kvm_irqx_target_state state = { .fd = self->fd, .state = 77 };
	struct kvm_irqx_mask mask = {
		.fd = self->fd,
		.flags = KVM_IRQX_MASK_SET,
	};
	struct kvm_irqx_get_state get = {
		.nr = 1,
		.state_size = sizeof(state),
		.states = (uintptr_t)&state,
	};

	irqx_bind(self->ctx, self->fd, irqx_entry(self->g, 0, IRQ_A));
	mask.error = 8;
	get.error = 8;
	EXPECT_EQ(EFAULT, __irqx_ioctl(self->ctx, KVM_IRQX_MASK, &mask));
	EXPECT_EQ(EFAULT, __irqx_ioctl(self->ctx, KVM_IRQX_GET_STATE, &get));
	mask.error = (uintptr_t)&small;
	get.error = (uintptr_t)&small;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_MASK, &mask));
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_GET_STATE, &get));
	EXPECT_EQ(77, state.state);
	EXPECT_EQ(0, irqx_state(self->ctx, self->fd, 0));
}

/*
 * Levels, of pins that the guest has masked: it is seen whether they are up.
 */

FIXTURE(wire) {
	struct irqx_guest *g;
	int ctx;
	struct irqx_level level;
	struct place place;
};

FIXTURE_VARIANT(wire) {
	bool direct;
};

FIXTURE_VARIANT_ADD(wire, direct) {
	.direct = true,
};

FIXTURE_VARIANT_ADD(wire, gsi) {
	.direct = false,
};

FIXTURE_SETUP(wire)
{
	self->g = irqx_guest_create(1);
	self->ctx = self->g->ctx;
	if (variant->direct) {
		self->level = irqx_level_direct(self->ctx,
						irqx_wire_entry(self->g, 0));
		self->place = (struct place){ .fd = self->level.fd };
	} else {
		irqx_route_set(self->ctx, GSI, irqx_wire_entry(self->g, 0));
		self->level = irqx_level_gsi(self->ctx, GSI);
		self->place = (struct place){ .fd = KVM_IRQX_NO_FD, .gsi = GSI };
	}
	irqx_guest_start(self->g);
}

FIXTURE_TEARDOWN(wire)
{
	irqx_level_close(&self->level);
	irqx_guest_free(self->g);
}

static void assert_level(int ctx, struct irqx_level *level)
{
	irqx_fire(level->fd);
	irqx_settle(ctx);
}

TEST_F(wire, falls_and_rises)
{
	assert_level(self->ctx, &self->level);
	EXPECT_EQ(0, state_of(self->ctx, self->place));
	ASSERT_TRUE(irqx_wire_is_up(self->g, 0));

	set_mask(self->ctx, self->place, true);
	ASSERT_FALSE(irqx_wire_is_up(self->g, 0));
	EXPECT_EQ(MASKED | PENDING, state_of(self->ctx, self->place));
	set_mask(self->ctx, self->place, false);
	ASSERT_TRUE(irqx_wire_is_up(self->g, 0));
	EXPECT_EQ(0, state_of(self->ctx, self->place));
}

TEST_F(wire, asserted_while_masked)
{
	set_mask(self->ctx, self->place, true);
	EXPECT_EQ(MASKED, state_of(self->ctx, self->place));
	assert_level(self->ctx, &self->level);
	assert_level(self->ctx, &self->level);
	ASSERT_FALSE(irqx_wire_is_up(self->g, 0));
	EXPECT_EQ(MASKED | PENDING, state_of(self->ctx, self->place));
	set_mask(self->ctx, self->place, false);
	ASSERT_TRUE(irqx_wire_is_up(self->g, 0));
}

TEST_F(wire, moved)
{
	assert_level(self->ctx, &self->level);
	set_mask(self->ctx, self->place, true);
	move_to(self->ctx, self->place, irqx_wire_entry(self->g, 1));
	ASSERT_FALSE(irqx_wire_is_up(self->g, 0));
	ASSERT_FALSE(irqx_wire_is_up(self->g, 1));
	set_mask(self->ctx, self->place, false);
	ASSERT_FALSE(irqx_wire_is_up(self->g, 0));
	ASSERT_TRUE(irqx_wire_is_up(self->g, 1));
}

/* The pin is up while a source that is not masked holds it. */
TEST_F(wire, shared)
{
	struct irqx_level other =
		irqx_level_direct(self->ctx, irqx_wire_entry(self->g, 0));

	assert_level(self->ctx, &self->level);
	assert_level(self->ctx, &other);
	set_mask(self->ctx, self->place, true);
	ASSERT_TRUE(irqx_wire_is_up(self->g, 0));
	irqx_mask(self->ctx, other.fd);
	ASSERT_FALSE(irqx_wire_is_up(self->g, 0));
	set_mask(self->ctx, self->place, false);
	ASSERT_TRUE(irqx_wire_is_up(self->g, 0));

	/* A masked one that leaves takes nothing away from it. */
	irqx_unbind(self->ctx, other.fd);
	EXPECT_EQ(1, irqx_eventfd_take(other.fd));
	ASSERT_TRUE(irqx_wire_is_up(self->g, 0));
	irqx_level_close(&other);
}

TEST_F(wire, goes_back)
{
	set_mask(self->ctx, self->place, true);
	assert_level(self->ctx, &self->level);
	irqx_unbind(self->ctx, self->level.fd);
	EXPECT_EQ(1, irqx_eventfd_take(self->level.fd));
	ASSERT_FALSE(irqx_wire_is_up(self->g, 0));
}

/* A level that the guest has seen is no event any more. */
TEST_F(wire, seen_does_not_go_back)
{
	assert_level(self->ctx, &self->level);
	irqx_unbind(self->ctx, self->level.fd);
	EXPECT_EQ(0, irqx_eventfd_take(self->level.fd));
	ASSERT_FALSE(irqx_wire_is_up(self->g, 0));
}

TEST_F(wire, irq_line)
{
	struct kvm_irq_level line = { .irq = OTHER_GSI, .level = 1 };

	irqx_route_set(self->ctx, OTHER_GSI, irqx_wire_entry(self->g, 2));
	irqx_irq_line(self->ctx, OTHER_GSI, 1);
	ASSERT_TRUE(irqx_wire_is_up(self->g, 2));
	irqx_mask_gsi(self->ctx, OTHER_GSI);
	ASSERT_FALSE(irqx_wire_is_up(self->g, 2));
	irqx_unmask_gsi(self->ctx, OTHER_GSI);
	ASSERT_TRUE(irqx_wire_is_up(self->g, 2));

	irqx_mask_gsi(self->ctx, OTHER_GSI);
	irqx_irq_line(self->ctx, OTHER_GSI, 0);
	EXPECT_EQ(MASKED, irqx_state(self->ctx, KVM_IRQX_NO_FD, OTHER_GSI));
	irqx_unmask_gsi(self->ctx, OTHER_GSI);
	ASSERT_FALSE(irqx_wire_is_up(self->g, 2));

	irqx_mask_gsi(self->ctx, OTHER_GSI);
	ASSERT_EQ(0, __irqx_ioctl(self->ctx, KVM_IRQ_LINE_STATUS, &line));
	EXPECT_EQ(-1, (int)line.status);
	EXPECT_EQ(MASKED | PENDING,
		  irqx_state(self->ctx, KVM_IRQX_NO_FD, OTHER_GSI));
	ASSERT_FALSE(irqx_wire_is_up(self->g, 2));
	irqx_unmask_gsi(self->ctx, OTHER_GSI);
	ASSERT_TRUE(irqx_wire_is_up(self->g, 2));
	irqx_irq_line(self->ctx, OTHER_GSI, 0);
	ASSERT_FALSE(irqx_wire_is_up(self->g, 2));
}

/* It clears its own level only, and of a pin that it has never raised nothing. */
TEST_F(wire, irq_line_0_touches_nothing)
{
	struct irqx_level other =
		irqx_level_direct(self->ctx, irqx_wire_entry(self->g, 2));

	irqx_route_set(self->ctx, OTHER_GSI, irqx_wire_entry(self->g, 2));
	irqx_mask_gsi(self->ctx, OTHER_GSI);
	assert_level(self->ctx, &other);
	irqx_irq_line(self->ctx, OTHER_GSI, 0);
	ASSERT_TRUE(irqx_wire_is_up(self->g, 2));
	irqx_irq_line(self->ctx, OTHER_GSI, 1);
	irqx_irq_line(self->ctx, OTHER_GSI, 0);
	ASSERT_TRUE(irqx_wire_is_up(self->g, 2));
	irqx_level_close(&other);
}

/* A level that is masked and goes to an MSI is one event there. */
TEST_F(wire, irq_line_moved_to_an_msi)
{
	irqx_route_set(self->ctx, OTHER_GSI, irqx_wire_entry(self->g, 2));
	irqx_irq_line(self->ctx, OTHER_GSI, 1);
	irqx_mask_gsi(self->ctx, OTHER_GSI);
	irqx_route_set(self->ctx, OTHER_GSI, irqx_entry(self->g, 0, IRQ_A));
	irqx_expect_no_more(self->g, 0);
	EXPECT_EQ(MASKED | PENDING,
		  irqx_state(self->ctx, KVM_IRQX_NO_FD, OTHER_GSI));
	irqx_unmask_gsi(self->ctx, OTHER_GSI);
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_check(self->g);
}

TEST_HARNESS_MAIN

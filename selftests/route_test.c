// SPDX-License-Identifier: GPL-2.0
/*
 * The GSI tables of a context: routes by KVM_IRQX_BATCH, KVM_SET_GSI_ROUTING, and what is
 * bound to or driven through their GSIs.
 */
#include "irqx_route.h"

/*
 * Size
 */

#define MILLION	(1U << 20)

TEST_F_TIMEOUT(route, million, 120)
{
	uint32_t batch = irqx_info(self->ctx).max_batch;
	uint32_t nr = irqx_iterations(MILLION, MILLION) / batch * batch;
	struct irqx_guest *g = self->g;
	struct kvm_irqx_op *ops;
	uint64_t start = irqx_now_ns();
	uint32_t gsi, i;
	int fd, low;

	ASSERT_EQ(65536, batch);
	ASSERT_LE(MILLION, irqx_info(self->ctx).max_gsi);
	ops = calloc(batch, sizeof(*ops));
	ASSERT_NE(NULL, ops);

	for (gsi = 0; gsi < nr; gsi += batch) {
		for (i = 0; i < batch; i++) {
			struct irqx_slot slot = irqx_slot(g, gsi + i);

			ops[i] = op_of(KVM_IRQX_OP_ROUTE_SET, gsi + i,
				       irqx_entry(g, slot.vcpu, slot.irq));
		}
		irqx_batch(self->ctx, ops, batch);
		ASSERT_EQ(gsi + batch, irqx_stats(self->ctx).gsis);
	}
	TH_LOG("%u routes set in %lu ms", nr,
	       (irqx_now_ns() - start) / 1000000);

	/* Some of them work: the ends, and some between. */
	for (i = 0; i < 100; i++) {
		struct irqx_slot slot;

		gsi = i < 99 ? i * (nr / 99) : nr - 1;
		slot = irqx_slot(g, gsi);
		fd = irqfd_on(self->ctx, gsi);
		irqx_fire_at(g, fd, slot.vcpu, slot.irq);
		close(fd);
	}
	irqx_wait_irqfds(self->ctx, 0);
	ASSERT_EQ(nr, irqx_stats(self->ctx).gsis);

	/* Again, which changes none in number. */
	for (i = 0; i < batch; i++)
		ops[i] = op_of(KVM_IRQX_OP_ROUTE_SET, i, irqx_entry(g, 1, 0x77));
	irqx_batch(self->ctx, ops, batch);
	ASSERT_EQ(nr, irqx_stats(self->ctx).gsis);
	low = irqfd_on(self->ctx, 65535);
	irqx_fire_at(g, low, 1, 0x77);

	start = irqx_now_ns();
	for (gsi = 0; gsi < nr; gsi += batch) {
		for (i = 0; i < batch; i++)
			ops[i] = op_del(gsi + i);
		irqx_batch(self->ctx, ops, batch);
		ASSERT_EQ(nr - gsi - batch, irqx_stats(self->ctx).gsis);
	}
	TH_LOG("%u routes deleted in %lu ms", nr,
	       (irqx_now_ns() - start) / 1000000);
	fire_unrouted(_metadata, self->ctx, low);
	free(ops);
}

TEST_F_TIMEOUT(route, closed_with_many, 60)
{
	uint32_t nr = irqx_info(self->ctx).max_batch, i;
	struct kvm_irqx_op *ops = calloc(nr, sizeof(*ops));
	int ctx = irqx_context(self->g->vm);

	ASSERT_NE(NULL, ops);
	for (i = 0; i < nr; i++)
		ops[i] = op_of(KVM_IRQX_OP_ROUTE_SET, i * 16,
			       irqx_entry(self->g, 0, 0x40));
	irqx_batch(ctx, ops, nr);
	EXPECT_EQ(nr, irqx_stats(ctx).gsis);
	EXPECT_EQ(0, irqx_stats(self->ctx).gsis);
	close(ctx);
	free(ops);
}

TEST_F(route, highest_gsi)
{
	uint32_t max = irqx_info(self->ctx).max_gsi;
	int fd;

	if (max < MILLION)
		SKIP(return, "max_gsis is %u", max);
	fd = irqfd_on(self->ctx, MILLION - 1);
	irqx_route_set(self->ctx, MILLION - 1, irqx_entry(self->g, 1, 0xff));
	irqx_fire_at(self->g, fd, 1, 0xff);
	fd = irqfd_on(self->ctx, max - 1);
	irqx_route_set(self->ctx, max - 1, irqx_entry(self->g, 0, 0xfe));
	irqx_fire_at(self->g, fd, 0, 0xfe);
	irqx_route_del(self->ctx, MILLION - 1);
	irqx_route_del(self->ctx, max - 1);
	EXPECT_EQ(0, irqx_stats(self->ctx).gsis);
}

/*
 * Replace-all
 */

TEST_F_TIMEOUT(route, replace_all, 60)
{
	const uint32_t large = 65536, small = 16;
	struct irqx_guest *g = self->g;
	struct kvm_irq_routing_entry *entries;
	int fds[4];
	uint32_t i;

	entries = calloc(large, sizeof(*entries));
	ASSERT_NE(NULL, entries);
	fds[0] = irqfd_on(self->ctx, 0);
	fds[1] = irqfd_on(self->ctx, small - 1);
	fds[2] = irqfd_on(self->ctx, small);
	fds[3] = irqfd_on(self->ctx, large - 1);

	for (i = 0; i < large; i++) {
		entries[i] = irqx_entry(g, 0, 0x40 + i % 4);
		entries[i].gsi = large - 1 - i;	/* any order */
	}
	irqx_set_gsi_routing(self->ctx, entries, large);
	EXPECT_EQ(large, irqx_stats(self->ctx).gsis);
	irqx_fire_at(g, fds[0], 0, 0x43);
	irqx_fire_at(g, fds[1], 0, 0x40);
	irqx_fire_at(g, fds[2], 0, 0x43);
	irqx_fire_at(g, fds[3], 0, 0x40);

	for (i = 0; i < small; i++) {
		entries[i] = irqx_entry(g, 1, 0x50 + i);
		entries[i].gsi = i;
	}
	irqx_set_gsi_routing(self->ctx, entries, small);
	EXPECT_EQ(small, irqx_stats(self->ctx).gsis);
	irqx_fire_at(g, fds[0], 1, 0x50);
	irqx_fire_at(g, fds[1], 1, 0x5f);
	fire_unrouted(_metadata, self->ctx, fds[2]);
	fire_unrouted(_metadata, self->ctx, fds[3]);

	irqx_set_gsi_routing(self->ctx, NULL, 0);
	EXPECT_EQ(0, irqx_stats(self->ctx).gsis);
	EXPECT_EQ(4, irqx_stats(self->ctx).irqfds);
	for (i = 0; i < 4; i++)
		fire_unrouted(_metadata, self->ctx, fds[i]);

	/* The same table twice is no change. */
	entries[0] = irqx_entry(g, 0, 0x60);
	entries[0].gsi = large - 1;
	irqx_set_gsi_routing(self->ctx, entries, 1);
	irqx_set_gsi_routing(self->ctx, entries, 1);
	EXPECT_EQ(1, irqx_stats(self->ctx).gsis);
	irqx_fire_at(g, fds[3], 0, 0x60);
	free(entries);
}

/*
 * Live irqfds
 */

TEST_F(route, irqfds_follow)
{
	struct irqx_guest *g = self->g;
	int fds[4];
	int i, n;

	irqx_route_set(self->ctx, 100, irqx_entry(g, 0, 0x40));
	for (i = 0; i < 4; i++)
		fds[i] = irqfd_on(self->ctx, 100);

	for (n = 0; n < 50; n++) {
		for (i = 0; i < 4; i++)
			irqx_fire_at(g, fds[i], n % 2, 0x40 + n);
		irqx_route_set(self->ctx, 100,
			       irqx_entry(g, (n + 1) % 2, 0x40 + n + 1));
	}

	/* One less, the others go on. */
	irqx_irqfd(self->ctx, fds[0], 100, KVM_IRQFD_FLAG_DEASSIGN);
	irqx_fire(fds[0]);
	EXPECT_EQ(1, irqx_eventfd_take(fds[0]));
	for (i = 1; i < 4; i++)
		irqx_fire_at(g, fds[i], 0, 0x72);
	EXPECT_EQ(1, irqx_stats(self->ctx).gsis);
	EXPECT_EQ(3, irqx_stats(self->ctx).irqfds);
}

/* No event sent after a route change has returned goes the old way. */
TEST_F(route, change_is_synchronous)
{
	struct irqx_guest *g = self->g;
	struct irqx_storm storm;
	uint64_t sent, old;
	int fds[2];
	int i;

	irqx_route_set(self->ctx, 3, irqx_entry(g, 0, 0x40));
	fds[0] = irqfd_on(self->ctx, 3);
	fds[1] = irqfd_on(self->ctx, 3);
	irqx_storm_start(&storm, fds, 2);
	for (i = 0; i < 200; i++) {
		irqx_route_set(self->ctx, 3, irqx_entry(g, 0, 0x41));
		irqx_fence(g);
		old = irqx_count(g, 0, 0x40);
		usleep(500);
		EXPECT_EQ(old, irqx_count(g, 0, 0x40));
		irqx_route_set(self->ctx, 3, irqx_entry(g, 0, 0x40));
		irqx_fence(g);
		old = irqx_count(g, 0, 0x41);
		usleep(500);
		EXPECT_EQ(old, irqx_count(g, 0, 0x41));
	}
	sent = irqx_storm_stop(&storm);
	irqx_settle(self->ctx);
	irqx_fence(g);

	/* A storm coalesces; what does not is at one of the two, at no third. */
	EXPECT_EQ(sent, irqx_stats(self->ctx).events);
	EXPECT_LE(irqx_total(g), sent);
	EXPECT_EQ(irqx_total(g), irqx_count(g, 0, 0x40) + irqx_count(g, 0, 0x41));
	EXPECT_LT(0, irqx_count(g, 0, 0x40));
	EXPECT_LT(0, irqx_count(g, 0, 0x41));
	irqx_forget(g);
}

TEST_F(route, irqfd_without_route)
{
	struct irqx_guest *g = self->g;
	int fd = irqfd_on(self->ctx, 42);
	int i;

	EXPECT_EQ(0, irqx_stats(self->ctx).gsis);
	EXPECT_EQ(1, irqx_stats(self->ctx).irqfds);
	for (i = 0; i < 10; i++)
		fire_unrouted(_metadata, self->ctx, fd);
	EXPECT_EQ(10, irqx_stats(self->ctx).unrouted);
	irqx_check(g);

	/* What was dropped stays so. */
	irqx_route_set(self->ctx, 42, irqx_entry(g, 1, 0x90));
	EXPECT_EQ(1, irqx_stats(self->ctx).gsis);
	irqx_check(g);
	irqx_fire_at(g, fd, 1, 0x90);
	EXPECT_EQ(10, irqx_stats(self->ctx).unrouted);
}

TEST_F(route, del_under_irqfd)
{
	struct irqx_guest *g = self->g;
	int fd = irqfd_on(self->ctx, 42);

	irqx_route_set(self->ctx, 42, irqx_entry(g, 1, 0x90));
	irqx_fire_at(g, fd, 1, 0x90);
	irqx_route_del(self->ctx, 42);
	EXPECT_EQ(0, irqx_stats(self->ctx).gsis);
	EXPECT_EQ(1, irqx_stats(self->ctx).irqfds);
	fire_unrouted(_metadata, self->ctx, fd);
	irqx_route_set(self->ctx, 42, irqx_entry(g, 0, 0x91));
	irqx_fire_at(g, fd, 0, 0x91);

	/* The GSI outlives its irqfds. */
	irqx_unbind(self->ctx, fd);
	EXPECT_EQ(1, irqx_stats(self->ctx).gsis);
	irqx_irqfd(self->ctx, fd, 42, 0);
	irqx_fire_at(g, fd, 0, 0x91);
}

TEST_F(route, pending_before_irqfd)
{
	int fd = irqx_eventfd(3, 0);

	irqx_route_set(self->ctx, 7, irqx_entry(self->g, 1, 0x90));
	irqx_irqfd(self->ctx, fd, 7, 0);
	irqx_expect(self->g, 1, 0x90, 1);
	irqx_check(self->g);
	EXPECT_EQ(0, irqx_eventfd_take(fd));

	/* on a GSI that has no route they are gone */
	irqx_unbind(self->ctx, fd);
	irqx_fire(fd);
	irqx_irqfd(self->ctx, fd, 8, 0);
	EXPECT_EQ(1, irqx_stats(self->ctx).unrouted);
	EXPECT_EQ(0, irqx_eventfd_take(fd));
}

/*
 * All or nothing
 */

TEST_F(route, batch_all_or_nothing)
{
	enum { NR = 1000, BAD = 617 };
	struct kvm_irqx_op ops[NR];
	struct irqx_guest *g = self->g;
	int fds[4], i, what;
	uint32_t index;

	/* GSI 0: to be set again; 1: deleted; 2: without a route; 3: as 0 */
	for (i = 0; i < 4; i++)
		fds[i] = irqfd_on(self->ctx, i);
	irqx_route_set(self->ctx, 0, irqx_entry(g, 0, 0x40));
	irqx_route_set(self->ctx, 1, irqx_entry(g, 1, 0x41));
	irqx_route_set(self->ctx, 3, irqx_slow_entry(g, 0, 0, 0x43));

	for (what = 0; what < 4; what++) {
		for (i = 0; i < NR; i++)
			ops[i] = op_of(KVM_IRQX_OP_ROUTE_SET, i, irqx_entry(g, 0, 0xa0));
		ops[1] = op_del(1);
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

TEST_F(route, replace_all_or_nothing)
{
	enum { NR = 1000, BAD = 617 };
	struct kvm_irq_routing_entry entries[NR];
	struct irqx_guest *g = self->g;
	int fds[3], i, what;

	for (i = 0; i < 3; i++)
		fds[i] = irqfd_on(self->ctx, i);
	irqx_route_set(self->ctx, 0, irqx_entry(g, 0, 0x40));
	irqx_route_set(self->ctx, 1, irqx_entry(g, 1, 0x41));
	irqx_route_set(self->ctx, 5000, irqx_entry(g, 1, 0x42));

	for (what = 0; what < 3; what++) {
		for (i = 0; i < NR; i++) {
			entries[i] = irqx_entry(g, 0, 0xa0);
			entries[i].gsi = i;
		}
		switch (what) {
		case 0:
			entries[BAD].type = 77;
			break;
		case 1:
			entries[BAD].gsi = ~0U;
			break;
		case 2:
			entries[BAD].gsi = 0;
			break;
		}
		EXPECT_EQ(EINVAL, __irqx_set_gsi_routing(self->ctx, entries, NR));
		EXPECT_EQ(3, irqx_stats(self->ctx).gsis);
		EXPECT_EQ(3, irqx_stats(self->ctx).irqfds);
		irqx_fire_at(g, fds[0], 0, 0x40);
		irqx_fire_at(g, fds[1], 1, 0x41);
		fire_unrouted(_metadata, self->ctx, fds[2]);
	}

	entries[0] = irqx_entry(g, 0, 0xa0);
	EXPECT_EQ(0, __irqx_set_gsi_routing(self->ctx, entries, 1));
	EXPECT_EQ(1, irqx_stats(self->ctx).gsis);
	irqx_fire_at(g, fds[0], 0, 0xa0);
	fire_unrouted(_metadata, self->ctx, fds[1]);
}

TEST_F(route, lines_fall_on_close)
{
	struct irqx_guest *g = self->g;
	int ctx = irqx_context(g->vm);
	int fd = irqfd_on(ctx, 50);

	irqx_route_set(ctx, 50, irqx_wire_entry(g, 0));
	irqx_route_set(ctx, 51, irqx_wire_entry(g, 1));
	irqx_irq_line(ctx, 50, 1);
	irqx_irq_line(ctx, 51, 1);
	EXPECT_TRUE(irqx_wire_is_up(g, 0));
	EXPECT_TRUE(irqx_wire_is_up(g, 1));
	close(ctx);
	EXPECT_FALSE(irqx_wire_is_up(g, 0));
	EXPECT_FALSE(irqx_wire_is_up(g, 1));
	close(fd);
}

/* The level ends with the route: the next one begins low. */
TEST_F(route, line_without_route)
{
	struct irqx_guest *g = self->g;
	int fd;

	irqx_irq_line(self->ctx, 50, 1);
	irqx_irq_line(self->ctx, 50, 0);
	irqx_route_set(self->ctx, 50, irqx_wire_entry(g, 0));
	EXPECT_FALSE(irqx_wire_is_up(g, 0));

	fd = irqfd_on(self->ctx, 50);
	irqx_irq_line(self->ctx, 50, 1);
	EXPECT_TRUE(irqx_wire_is_up(g, 0));
	irqx_route_del(self->ctx, 50);
	EXPECT_FALSE(irqx_wire_is_up(g, 0));
	irqx_route_set(self->ctx, 50, irqx_wire_entry(g, 0));
	EXPECT_FALSE(irqx_wire_is_up(g, 0));
	irqx_irq_line(self->ctx, 50, 1);
	EXPECT_TRUE(irqx_wire_is_up(g, 0));
	irqx_unbind(self->ctx, fd);
}

/* The level that one context holds is not another's to lower. */
TEST_F(route, contexts_hold_levels_apart)
{
	struct irqx_guest *g = self->g;
	int ctx = irqx_context(g->vm);

	irqx_route_set(self->ctx, 50, irqx_wire_entry(g, 0));
	irqx_route_set(ctx, 60, irqx_wire_entry(g, 0));
	irqx_irq_line(self->ctx, 50, 1);
	irqx_irq_line(ctx, 60, 1);
	irqx_irq_line(ctx, 60, 0);
	EXPECT_TRUE(irqx_wire_is_up(g, 0));
	irqx_irq_line(self->ctx, 50, 1);
	irqx_irq_line(ctx, 60, 1);
	close(ctx);
	EXPECT_TRUE(irqx_wire_is_up(g, 0));
	irqx_irq_line(self->ctx, 50, 0);
	EXPECT_FALSE(irqx_wire_is_up(g, 0));
}

TEST_F(route, irq_line_msi)
{
	struct irqx_guest *g = self->g;

	irqx_route_set(self->ctx, 50, irqx_entry(g, 0, 0x40));
	irqx_irq_line(self->ctx, 50, 1);
	irqx_expect(g, 0, 0x40, 1);
	irqx_check(g);
	irqx_irq_line(self->ctx, 50, 0);
	irqx_check(g);
	irqx_irq_line(self->ctx, 50, 1);
	irqx_expect(g, 0, 0x40, 1);
	irqx_check(g);
	irqx_irq_line(self->ctx, 50, 1);
	irqx_expect(g, 0, 0x40, 1);
	irqx_check(g);
}

/* An MSI has no level that could move with the route. */
TEST_F(route, irq_line_msi_then_retarget)
{
	struct irqx_guest *g = self->g;

	irqx_route_set(self->ctx, 50, irqx_entry(g, 0, 0x40));
	irqx_irq_line(self->ctx, 50, 1);
	irqx_expect(g, 0, 0x40, 1);
	irqx_check(g);
	irqx_route_set(self->ctx, 50, irqx_entry(g, 1, 0x41));
	irqx_check(g);
}

/*
 * Contexts of one VM
 */

TEST_F(route, contexts_are_apart)
{
	struct irqx_guest *g = self->g;
	int ctx = irqx_context(g->vm);
	int a = irqfd_on(self->ctx, 5);
	int b = irqfd_on(ctx, 5);

	irqx_route_set(self->ctx, 5, irqx_entry(g, 0, 0x40));
	EXPECT_EQ(0, irqx_stats(ctx).gsis);
	fire_unrouted(_metadata, ctx, b);
	EXPECT_EQ(0, irqx_stats(self->ctx).unrouted);
	irqx_route_set(ctx, 5, irqx_entry(g, 1, 0x41));
	irqx_fire_at(g, a, 0, 0x40);
	irqx_fire_at(g, b, 1, 0x41);
	irqx_set_gsi_routing(ctx, NULL, 0);
	fire_unrouted(_metadata, ctx, b);
	irqx_fire_at(g, a, 0, 0x40);
	/* bound in the other one: not here */
	EXPECT_EQ(0, __irqx_unbind(ctx, a));
	irqx_fire_at(g, a, 0, 0x40);
	close(ctx);
	irqx_fire(b);
	EXPECT_EQ(1, irqx_eventfd_take(b));
	irqx_fire_at(g, a, 0, 0x40);
	EXPECT_EQ(1, irqx_stats(self->ctx).gsis);
}

/* KVM's own table is a third one. */
TEST_F(route, kvm_table_is_apart)
{
	struct kvm_irq_routing_entry entry = irqx_entry(self->g, 1, 0x41);
	struct irqx_guest *g = self->g;
	int a = irqfd_on(self->ctx, 5);
	int b = irqx_eventfd(0, 0);

	irqx_route_set(self->ctx, 5, irqx_entry(g, 0, 0x40));
	entry.gsi = 5;
	irqx_set_gsi_routing(g->vm->fd, &entry, 1);
	irqx_irqfd(g->vm->fd, b, 5, 0);
	irqx_fire_at(g, a, 0, 0x40);
	irqx_fire_at(g, b, 1, 0x41);
	irqx_set_gsi_routing(self->ctx, NULL, 0);
	irqx_fire_at(g, b, 1, 0x41);
	irqx_route_set(self->ctx, 5, irqx_entry(g, 0, 0x40));
	irqx_set_gsi_routing(g->vm->fd, NULL, 0);
	irqx_fire_at(g, a, 0, 0x40);
}

/*
 * Cost
 */

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

enum { SAMPLES = 4000 };

/* Of one retarget in ns: the median, since others run here too. */
static uint64_t retarget_cost(struct irqx_guest *g, uint32_t nr)
{
	static uint64_t ns[SAMPLES];
	struct kvm_irqx_op op;
	uint64_t start;
	uint32_t i;

	for (i = 0; i < SAMPLES; i++) {
		op = op_of(KVM_IRQX_OP_ROUTE_SET, i * 31 % nr,
			   irqx_entry(g, i % 2, 0x40 + i % 8));
		start = irqx_now_ns();
		irqx_batch(g->ctx, &op, 1);
		ns[i] = irqx_now_ns() - start;
	}
	qsort(ns, SAMPLES, sizeof(*ns), compare);
	return ns[SAMPLES / 2];
}

TEST_F_TIMEOUT(route, retarget_cost_is_flat, 60)
{
	const uint32_t few = 64, many = 65536;
	struct irqx_guest *g = self->g;
	struct kvm_irqx_op *ops;
	uint64_t cost[2];
	uint32_t i;

	ops = calloc(many, sizeof(*ops));
	ASSERT_NE(NULL, ops);
	for (i = 0; i < many; i++)
		ops[i] = op_of(KVM_IRQX_OP_ROUTE_SET, i, irqx_entry(g, 0, 0x40));
	irqx_batch(self->ctx, ops, few);
	/* as many irqfds in both cases */
	for (i = 0; i < few; i++)
		irqfd_on(self->ctx, i);

	retarget_cost(g, few);
	cost[0] = retarget_cost(g, few);
	irqx_batch(self->ctx, ops, many);
	cost[1] = retarget_cost(g, many);
	TH_LOG("one retarget: %lu ns among %u routes, %lu ns among %u",
	       cost[0], few, cost[1], many);
	EXPECT_LE(cost[1], 3 * cost[0]);
	EXPECT_EQ(many, irqx_stats(self->ctx).gsis);
	free(ops);
}

TEST_HARNESS_MAIN

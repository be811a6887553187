// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_IRQX_LIST: each binding once, as it is, with what has become of its events, whatever comes
 * and goes meanwhile.  Bindings to SINTs, with event flags, of the PIC and of Xen are in
 * direct_x86_test.
 */
#include <pthread.h>
#include <sys/mman.h>

#include "irqx_source.h"
#include "irqx_table.h"
#include "irqx_harness.h"

#define IRQ_A	(IRQX_IRQ_MIN + 5)
#define IRQ_B	(IRQX_IRQ_MIN + 9)
#define GSI	70000
#define COOKIE	0xfedcba9876543210ULL

#define MASKED	KVM_IRQX_STATE_MASKED
#define PENDING	KVM_IRQX_STATE_PENDING

FIXTURE(list) {
	struct irqx_guest *g;
	int ctx;
	int fd;
};

FIXTURE_SETUP(list)
{
	self->g = irqx_guest_create(2);
	self->ctx = self->g->ctx;
	self->fd = irqx_eventfd(0, 0);
	irqx_guest_start(self->g);
}

FIXTURE_TEARDOWN(list)
{
	irqx_check(self->g);
	irqx_guest_free(self->g);
}

/* What a VMM gave; KVM on x86 does not keep what an MSI's device is. */
static bool same_entry(struct kvm_irq_routing_entry is, struct kvm_irq_routing_entry given)
{
	if (IRQX_DROPS_DEVID && given.type == KVM_IRQ_ROUTING_MSI) {
		given.flags = 0;
		given.u.msi.devid = 0;
	}
	return !memcmp(&is, &given, sizeof(is));
}

static int bind_cookie(int ctx, int fd, struct kvm_irq_routing_entry entry, uint64_t cookie)
{
	struct kvm_irqx_irqfd_direct direct = {
		.fd = fd,
		.entry = entry,
		.cookie = cookie,
	};

	return __irqx_ioctl(ctx, KVM_IRQX_IRQFD_DIRECT, &direct);
}

static int irqfd_cookie(int ctx, int fd, uint32_t gsi, uint64_t cookie)
{
	struct kvm_irqx_op op = {
		.op = KVM_IRQX_OP_IRQFD,
		.fd = fd,
		.entry.gsi = gsi,
		.cookie = cookie,
	};

	return __irqx_batch(ctx, &op, 1, NULL);
}

static struct kvm_irqx_binding by_cookie(int ctx, uint64_t cookie)
{
	struct kvm_irqx_binding binding;
	uint64_t cursor = 0;
	uint32_t nr;

	do {
		nr = 1;
		irqx_assert(__irqx_list(ctx, &cursor, &binding, &nr));
		if (nr && binding.cookie == cookie)
			return binding;
	} while (cursor);
	TEST_FAIL("cookie 0x%lx is not in the list", cookie);
}

/* What the list has for an eventfd: a kernel without BTF does not tell the module. */
static int listed_id(int fd)
{
	return access("/sys/kernel/btf/vmlinux", R_OK) ? -1 : irqx_eventfd_id(fd);
}

TEST_F(list, none)
{
	struct kvm_irqx_binding binding;
	uint64_t cursor = 0;
	uint32_t nr = 1;

	EXPECT_EQ(0, __irqx_list(self->ctx, &cursor, &binding, &nr));
	EXPECT_EQ(0, nr);
	EXPECT_EQ(0, cursor);
	/* Whatever it is, it is a cursor. */
	cursor = ~0ULL;
	nr = 1;
	EXPECT_EQ(0, __irqx_list(self->ctx, &cursor, &binding, &nr));
	EXPECT_EQ(0, nr);
	EXPECT_EQ(0, cursor);
}

TEST_F(list, direct)
{
	struct kvm_irq_routing_entry a = irqx_entry(self->g, 0, IRQ_A);
	struct kvm_irq_routing_entry b = irqx_entry(self->g, 1, IRQ_B);
	struct kvm_irqx_binding binding;

	ASSERT_EQ(0, bind_cookie(self->ctx, self->fd, a, COOKIE));
	binding = irqx_binding(self->ctx, self->fd);
	EXPECT_EQ(listed_id(self->fd), binding.eventfd_id);
	EXPECT_EQ(COOKIE, binding.cookie);
	EXPECT_EQ(0, binding.events);
	EXPECT_EQ(-1, binding.resamplefd_id);
	EXPECT_EQ(0, binding.flags);
	EXPECT_EQ(0, binding.state);
	EXPECT_EQ(0, binding.gsi);
	EXPECT_EQ(1, binding.nr_entries);
	EXPECT_EQ(0, binding.event_flag);
	EXPECT_EQ(0, binding.pad);
	EXPECT_TRUE(same_entry(binding.entry, a));

	irqx_fire_at(self->g, self->fd, 0, IRQ_A);
	irqx_modify(self->ctx, self->fd, b);
	irqx_fire_at(self->g, self->fd, 1, IRQ_B);
	binding = irqx_binding(self->ctx, self->fd);
	EXPECT_EQ(COOKIE, binding.cookie);
	EXPECT_EQ(2, binding.events);
	EXPECT_EQ(0, binding.refused);
	EXPECT_TRUE(same_entry(binding.entry, b));

	/* The next one that is bound to it is another. */
	irqx_unbind(self->ctx, self->fd);
	ASSERT_EQ(0, bind_cookie(self->ctx, self->fd, a, 1));
	binding = irqx_binding(self->ctx, self->fd);
	EXPECT_EQ(1, binding.cookie);
	EXPECT_EQ(0, binding.events);
}

/* Events from before the binding are one event. */
TEST_F(list, events_before)
{
	irqx_fire(self->fd);
	irqx_fire(self->fd);
	irqx_bind(self->ctx, self->fd, irqx_entry(self->g, 0, IRQ_A));
	irqx_expect(self->g, 0, IRQ_A, 1);
	EXPECT_EQ(1, irqx_binding(self->ctx, self->fd).events);
}

TEST_F(list, gsi)
{
	struct kvm_irq_routing_entry entry = irqx_entry(self->g, 0, IRQ_A);
	struct kvm_irqx_binding binding;
	int other = irqx_eventfd(0, 0);

	ASSERT_EQ(0, irqfd_cookie(self->ctx, self->fd, GSI, COOKIE));
	irqx_irqfd(self->ctx, other, GSI, 0);
	binding = by_cookie(self->ctx, COOKIE);
	EXPECT_EQ(listed_id(self->fd), binding.eventfd_id);
	EXPECT_EQ(COOKIE, binding.cookie);
	EXPECT_EQ(KVM_IRQX_BINDING_GSI, binding.flags);
	EXPECT_EQ(GSI, binding.gsi);
	EXPECT_EQ(0, binding.nr_entries);
	EXPECT_EQ(0, binding.entry.type);
	binding = by_cookie(self->ctx, 0);
	EXPECT_EQ(listed_id(other), binding.eventfd_id);

	irqx_fire(self->fd);
	irqx_route_set(self->ctx, GSI, entry);
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);
	binding = by_cookie(self->ctx, COOKIE);
	EXPECT_EQ(2, binding.events);
	EXPECT_EQ(1, binding.nr_entries);
	entry.gsi = GSI;
	EXPECT_TRUE(same_entry(binding.entry, entry));
	binding = by_cookie(self->ctx, 0);
	EXPECT_EQ(0, binding.events);
	EXPECT_EQ(GSI, binding.gsi);

	irqx_mask_gsi(self->ctx, GSI);
	EXPECT_EQ(MASKED, by_cookie(self->ctx, 0).state);
	irqx_fire(self->fd);
	EXPECT_EQ(MASKED | PENDING, by_cookie(self->ctx, 0).state);
	irqx_route_del(self->ctx, GSI);
}

TEST_F(list, pin_with_resamplefd)
{
	struct kvm_irq_routing_entry entry = irqx_wire_entry(self->g, 0);
	struct irqx_level level = irqx_level_direct(self->ctx, entry);
	struct kvm_irqx_binding binding = irqx_binding(self->ctx, level.fd);

	EXPECT_EQ(KVM_IRQX_BINDING_RESAMPLE, binding.flags);
	EXPECT_EQ(listed_id(level.ack), binding.resamplefd_id);
	EXPECT_TRUE(same_entry(binding.entry, entry));
	irqx_mask(self->ctx, level.fd);
	irqx_fire(level.fd);
	irqx_settle(self->ctx);
	binding = irqx_binding(self->ctx, level.fd);
	EXPECT_EQ(MASKED | PENDING, binding.state);
	EXPECT_EQ(1, binding.events);
	irqx_level_close(&level);
}

/* The operation's flags and cookie, and the same by a batch. */
TEST_F(list, batch)
{
	struct kvm_irqx_op ops[2] = {
		{
			.op = KVM_IRQX_OP_ASSIGN,
			.fd = self->fd,
			.flags = KVM_IRQX_OP_FLAG_MASK,
			.entry = irqx_entry(self->g, 0, IRQ_A),
			.cookie = 7,
		}, {
			.op = KVM_IRQX_OP_ASSIGN,
			.fd = irqx_eventfd(0, 0),
			.entry = irqx_entry(self->g, 1, IRQ_B),
			.cookie = ~0ULL,
		},
	};
	struct kvm_irqx_binding bindings[2];

	irqx_batch(self->ctx, ops, 2);
	ASSERT_EQ(2, irqx_list(self->ctx, bindings, 2));
	EXPECT_EQ(7, bindings[0].cookie);
	EXPECT_EQ(MASKED, bindings[0].state);
	EXPECT_EQ(listed_id(ops[0].fd), bindings[0].eventfd_id);
	EXPECT_EQ(~0ULL, bindings[1].cookie);
	EXPECT_EQ(0, bindings[1].state);
	EXPECT_EQ(listed_id(ops[1].fd), bindings[1].eventfd_id);
}

/* Whom a cookie is for: nobody else takes one. */
TEST_F(list, cookie_einval)
{
	struct kvm_irqx_error error = irqx_stale_error();
	struct kvm_irqx_irqfd_direct direct = {
		.fd = self->fd,
		.flags = KVM_IRQX_IRQFD_DIRECT_MODIFY,
		.entry = irqx_entry(self->g, 0, IRQ_A),
		.cookie = 1,
		.error = (uintptr_t)&error,
	};
	struct kvm_irqx_op op = { .cookie = 1ULL << 63 };
	struct kvm_irqx_batch batch = irqx_batch_of(&op, 1);

	irqx_bind(self->ctx, self->fd, irqx_entry(self->g, 1, IRQ_B));
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));
	EXPECT_EQ(KVM_IRQX_ARG_COOKIE, error.arg);
	EXPECT_EQ(KVM_IRQX_REASON_NOT_ZERO, error.reason);
	direct.flags = KVM_IRQX_IRQFD_DIRECT_DEASSIGN;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));

	batch.error = (uintptr_t)&error;
	for (op.op = KVM_IRQX_OP_MODIFY; op.op <= KVM_IRQX_OP_UNMASK; op.op++) {
		if (op.op == KVM_IRQX_OP_IRQFD)
			continue;
		op.fd = op.op == KVM_IRQX_OP_ROUTE_SET || op.op == KVM_IRQX_OP_ROUTE_ADD ||
			op.op == KVM_IRQX_OP_ROUTE_DEL ? 0 : self->fd;
		error = irqx_stale_error();
		EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, &batch))
			TH_LOG("op %u", op.op);
		EXPECT_EQ(KVM_IRQX_ARG_COOKIE, error.arg);
		EXPECT_EQ(KVM_IRQX_REASON_NOT_ZERO, error.reason);
	}
	irqx_fire_at(self->g, self->fd, 1, IRQ_B);
}

/*
 * What has become of them
 */

TEST_F(list, coalesced)
{
	struct kvm_irqx_binding binding;
	int i;

	irqx_bind(self->ctx, self->fd, irqx_entry(self->g, 0, IRQ_A));
	irqx_mask(self->ctx, self->fd);
	for (i = 0; i < 5; i++)
		irqx_fire(self->fd);
	binding = irqx_binding(self->ctx, self->fd);
	EXPECT_EQ(MASKED | PENDING, binding.state);
	EXPECT_EQ(5, binding.events);
	EXPECT_EQ(4, binding.coalesced);
	irqx_unmask(self->ctx, self->fd);
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_settle(self->ctx);
	binding = irqx_binding(self->ctx, self->fd);
	EXPECT_EQ(0, binding.state);
	EXPECT_EQ(4, binding.coalesced);
	EXPECT_EQ(0, binding.refused);
	EXPECT_EQ(irqx_stats(self->ctx).coalesced, binding.coalesced);
}

/* Those of a GSI that share an interrupt: the first has it. */
TEST_F(list, coalesced_gsi)
{
	struct kvm_irqx_binding first, other;
	int fd = irqx_eventfd(0, 0);

	irqx_route_set(self->ctx, GSI, irqx_entry(self->g, 0, IRQ_A));
	ASSERT_EQ(0, irqfd_cookie(self->ctx, self->fd, GSI, 1));
	ASSERT_EQ(0, irqfd_cookie(self->ctx, fd, GSI, 2));
	irqx_mask_gsi(self->ctx, GSI);
	irqx_fire(self->fd);
	irqx_fire(fd);
	irqx_fire(fd);
	irqx_fire(self->fd);
	irqx_unmask_gsi(self->ctx, GSI);
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_settle(self->ctx);
	first = by_cookie(self->ctx, 1);
	other = by_cookie(self->ctx, 2);
	EXPECT_EQ(2, first.events);
	EXPECT_EQ(1, first.coalesced);
	EXPECT_EQ(2, other.events);
	EXPECT_EQ(2, other.coalesced);
	EXPECT_EQ(irqx_stats(self->ctx).coalesced, first.coalesced + other.coalesced);
}

/* KVM answers each event at a pin that the guest has masked with an error, or takes it. */
TEST_F(list, as_stats_have_it)
{
	struct kvm_irq_routing_entry entries[] = {
		irqx_wire_entry(self->g, 0),
		irqx_slow_entry(self->g, 0, 0, IRQ_A),
		irqx_entry(self->g, 1, IRQ_B),
	};
	struct kvm_irqx_binding all[2 * ARRAY_SIZE(entries)], sum = {};
	struct irqx_random random = irqx_random(1, 0);
	struct kvm_irqx_stats stats;
	int fds[2 * ARRAY_SIZE(entries)];
	uint32_t i, n = irqx_iterations(300, 100000);

	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		fds[2 * i] = irqx_eventfd(0, 0);
		irqx_bind(self->ctx, fds[2 * i], entries[i]);
		fds[2 * i + 1] = irqx_eventfd(0, 0);
		irqx_route_set(self->ctx, GSI + i, entries[i]);
		irqx_irqfd(self->ctx, fds[2 * i + 1], GSI + i, 0);
	}
	while (n--)
		irqx_fire(fds[irqx_random_below(&random, ARRAY_SIZE(fds))]);
	irqx_settle(self->ctx);
	irqx_fence(self->g);
	irqx_forget(self->g);
	ASSERT_EQ(ARRAY_SIZE(all), irqx_list(self->ctx, all, ARRAY_SIZE(all)));
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		EXPECT_LE(all[i].coalesced + all[i].refused, all[i].events);
		sum.events += all[i].events;
		sum.coalesced += all[i].coalesced;
		sum.refused += all[i].refused;
	}
	stats = irqx_stats(self->ctx);
	EXPECT_EQ(stats.events, sum.events);
	EXPECT_EQ(stats.coalesced, sum.coalesced);
	EXPECT_EQ(stats.refused, sum.refused);
}

/*
 * Whose event it was that a worker delivers, or that a vector keeps, is remembered until it is
 * unbound, or leads elsewhere, and not longer.
 */
TEST_F(list, leaves_while_owed)
{
	struct kvm_irqx_binding binding;
	int other = irqx_eventfd(0, 0);
	int i;

	for (i = 0; i < 100; i++) {
		irqx_route_set(self->ctx, GSI, irqx_slow_entry(self->g, 0, 0, IRQ_A));
		irqx_irqfd(self->ctx, self->fd, GSI, 0);
		irqx_irqfd(self->ctx, other, GSI, 0);
		if (i % 2)
			irqx_mask_gsi(self->ctx, GSI);
		irqx_fire(self->fd);
		irqx_fire(other);
		irqx_unbind(self->ctx, self->fd);
		irqx_eventfd_take(self->fd);
		if (i % 2)
			irqx_unmask_gsi(self->ctx, GSI);
		irqx_settle(self->ctx);
		binding = irqx_binding(self->ctx, other);
		EXPECT_EQ(1, binding.events);
		EXPECT_GE(1, binding.coalesced);
		irqx_unbind(self->ctx, other);
	}
	irqx_fence(self->g);
	irqx_forget(self->g);
}

/*
 * Pieces
 */

#define MANY	300

static void bind_many(int ctx, struct irqx_guest *g, int *fds, uint32_t nr)
{
	uint32_t i;

	irqx_eventfds(fds, nr);
	for (i = 0; i < nr; i++)
		irqx_assert(bind_cookie(ctx, fds[i], irqx_entry(g, i % 2, IRQ_A), i + 1));
}

TEST_F(list, pieces)
{
	static const uint32_t sizes[] = { 1, 2, 7, MANY - 1, MANY, MANY + 1 };
	struct kvm_irqx_binding bindings[MANY + 1];
	uint32_t i, j, nr, seen;
	uint64_t cursor;
	int fds[MANY];

	bind_many(self->ctx, self->g, fds, MANY);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		cursor = 0;
		seen = 0;
		do {
			nr = sizes[i];
			ASSERT_EQ(0, __irqx_list(self->ctx, &cursor, bindings, &nr));
			ASSERT_GE(sizes[i], nr);
			for (j = 0; j < nr; j++)
				ASSERT_EQ(++seen, bindings[j].cookie);
		} while (cursor);
		EXPECT_EQ(MANY, seen) TH_LOG("by %u", sizes[i]);
	}
}

/* Between the pieces of a listing bindings come and go, also that where it has stopped. */
TEST_F(list, comes_and_goes)
{
	uint32_t rounds = irqx_iterations(20, 1000);
	struct irqx_random random = irqx_random(2, 0);
	struct kvm_irqx_binding bindings[8];
	uint32_t i, j, nr, pick;
	uint8_t times[MANY], all_along[MANY];
	bool bound[MANY];
	uint64_t cursor;
	int fds[MANY];

	bind_many(self->ctx, self->g, fds, MANY);
	memset(bound, true, sizeof(bound));
	for (i = 0; i < rounds; i++) {
		memset(times, 0, sizeof(times));
		for (j = 0; j < MANY; j++)
			all_along[j] = bound[j];
		cursor = 0;
		do {
			nr = 1 + irqx_random_below(&random, ARRAY_SIZE(bindings));
			ASSERT_EQ(0, __irqx_list(self->ctx, &cursor, bindings, &nr));
			for (j = 0; j < nr; j++)
				times[bindings[j].cookie - 1]++;
			for (j = 0; j < 10; j++) {
				pick = j || !nr ? irqx_random_below(&random, MANY) :
						  bindings[nr - 1].cookie - 1;
				if (bound[pick])
					irqx_unbind(self->ctx, fds[pick]);
				else
					irqx_assert(bind_cookie(self->ctx, fds[pick],
								irqx_entry(self->g, 0, IRQ_A),
								pick + 1));
				bound[pick] = !bound[pick];
				all_along[pick] = false;
			}
		} while (cursor);
		for (j = 0; j < MANY; j++)
			if (all_along[j])
				ASSERT_EQ(1, times[j]) TH_LOG("round %u: %u", i, j);
	}
}

/* One that is bound anew is another binding, but one that is listed twice is not. */
struct churn {
	int ctx;
	struct irqx_guest *g;
	int *fds;
	bool stop;
};

static void *churn(void *arg)
{
	struct churn *c = arg;
	struct irqx_random random = irqx_random(3, 0);
	uint64_t cookie = MANY;
	uint32_t pick;

	while (!READ_ONCE(c->stop)) {
		/* The first half stays. */
		pick = MANY / 2 + irqx_random_below(&random, MANY / 2);
		irqx_unbind(c->ctx, c->fds[pick]);
		irqx_assert(bind_cookie(c->ctx, c->fds[pick], irqx_entry(c->g, 0, IRQ_A),
					++cookie));
	}
	return NULL;
}

TEST_F_TIMEOUT(list, races_with_all, 120)
{
	uint32_t rounds = irqx_iterations(50, 5000);
	static uint64_t events[MANY / 2];
	struct kvm_irqx_binding bindings[16];
	struct irqx_storm storm;
	uint64_t cursor, last;
	uint32_t i, j, nr, stay;
	pthread_t thread;
	int fds[MANY];
	struct churn c = { .ctx = self->ctx, .g = self->g, .fds = fds };

	bind_many(self->ctx, self->g, fds, MANY);
	irqx_storm_start(&storm, fds, MANY);
	TEST_ASSERT(!pthread_create(&thread, NULL, churn, &c), "pthread_create()");
	for (i = 0; i < rounds; i++) {
		cursor = 0;
		stay = 0;
		last = 0;
		do {
			nr = ARRAY_SIZE(bindings);
			ASSERT_EQ(0, __irqx_list(self->ctx, &cursor, bindings, &nr));
			for (j = 0; j < nr; j++) {
				struct kvm_irqx_binding *b = &bindings[j];

				/* Cookies of this test rise as bindings come. */
				ASSERT_LT(last, b->cookie);
				last = b->cookie;
				ASSERT_LE(b->coalesced + b->refused, b->events);
				if (b->cookie > MANY / 2)
					continue;
				stay++;
				ASSERT_LE(events[b->cookie - 1], b->events);
				events[b->cookie - 1] = b->events;
			}
		} while (cursor);
		ASSERT_EQ(MANY / 2, stay);
	}
	WRITE_ONCE(c.stop, true);
	pthread_join(thread, NULL);
	irqx_storm_stop(&storm);
	irqx_fence(self->g);
	irqx_forget(self->g);
}

/* Its eventfd is closed: it is bound no more, whenever the module gets to it. */
TEST_F(list, closed)
{
	struct kvm_irqx_binding bindings[MANY];
	int fds[MANY];
	uint32_t i;

	bind_many(self->ctx, self->g, fds, MANY);
	for (i = 0; i < MANY; i += 2)
		close(fds[i]);
	ASSERT_EQ(MANY / 2, irqx_list(self->ctx, bindings, MANY));
	for (i = 0; i < MANY / 2; i++)
		EXPECT_EQ(2 * i + 2, bindings[i].cookie);
	EXPECT_TRUE(irqx_wait_irqfds(self->ctx, MANY / 2));
	ASSERT_EQ(MANY / 2, irqx_list(self->ctx, bindings, MANY));
}

/* Each context has its own. */
TEST_F(list, other_context)
{
	int other = irqx_context(self->g->vm);
	struct kvm_irqx_binding binding;

	irqx_bind(self->ctx, self->fd, irqx_entry(self->g, 0, IRQ_A));
	EXPECT_EQ(0, irqx_list(other, &binding, 1));
	EXPECT_EQ(1, irqx_list(self->ctx, &binding, 1));
	close(other);
}

/*
 * The argument
 */

TEST_F(list, binding_size)
{
	struct kvm_irqx_error error = irqx_stale_error();
	char many[4 * KVM_IRQX_BINDING_SIZE_MAX];
	struct kvm_irqx_binding binding;
	uint32_t size, i;
	int fds[3];

	bind_many(self->ctx, self->g, fds, 3);
	for (size = KVM_IRQX_BINDING_SIZE_MIN; size <= KVM_IRQX_BINDING_SIZE_MAX; size += 4) {
		struct kvm_irqx_list list = {
			.nr = 4,
			.binding_size = size,
			.bindings = (uintptr_t)many,
		};

		memset(many, 0x5a, sizeof(many));
		ASSERT_EQ(0, __irqx_ioctl(self->ctx, KVM_IRQX_LIST, &list));
		ASSERT_EQ(3, list.nr);
		for (i = 0; i < 3; i++) {
			memcpy(&binding, many + i * size, sizeof(binding));
			EXPECT_EQ(i + 1, binding.cookie);
			/* What the module does not know. */
			if (size > sizeof(binding))
				EXPECT_EQ(0, many[(i + 1) * size - 1]);
		}
		EXPECT_EQ(0x5a, many[3 * size]);
	}
	for (i = 0; i < 2; i++) {
		struct kvm_irqx_list list = {
			.nr = 1,
			.binding_size = i ? KVM_IRQX_BINDING_SIZE_MIN - 1 :
					    KVM_IRQX_BINDING_SIZE_MAX + 1,
			.bindings = (uintptr_t)many,
			.error = (uintptr_t)&error,
		};

		error = irqx_stale_error();
		EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_LIST, &list));
		EXPECT_EQ(KVM_IRQX_ARG_BINDING_SIZE, error.arg);
		EXPECT_EQ(KVM_IRQX_REASON_OUT_OF_RANGE, error.reason);
	}
}

TEST_F(list, einval)
{
	struct kvm_irqx_error error;
	struct kvm_irqx_binding binding;
	const struct kvm_irqx_list good = {
		.nr = 1,
		.binding_size = sizeof(binding),
		.bindings = (uintptr_t)&binding,
		.error = (uintptr_t)&error,
	};
	struct kvm_irqx_list lists[] = { good, good, good, good, good, good };
	static const uint32_t args[] = {
		KVM_IRQX_ARG_NR, KVM_IRQX_ARG_NR, KVM_IRQX_ARG_FLAGS, KVM_IRQX_ARG_PAD,
		KVM_IRQX_ARG_PAD, KVM_IRQX_ARG_PAD,
	};
	uint32_t i;

	lists[0].nr = 0;
	lists[1].nr = irqx_info(self->ctx).max_batch + 1;
	lists[2].flags = 1;
	lists[3].pad = 1;
	lists[4].pad2[0] = 1;
	lists[5].pad2[1] = 1ULL << 63;
	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		struct kvm_irqx_list list = lists[i];

		error = irqx_stale_error();
		EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_LIST, &list))
			TH_LOG("%u", i);
		EXPECT_EQ(args[i], error.arg);
		EXPECT_EQ(0, memcmp(&list, &lists[i], sizeof(list)));
	}
}

/* One can be asked again. */
TEST_F(list, efault)
{
	char *edge = mmap(NULL, 2 * getpagesize(), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_irqx_binding bindings[3];
	struct kvm_irqx_list list = { .nr = 3, .binding_size = sizeof(bindings[0]) };
	int fds[3];

	TEST_ASSERT(edge != MAP_FAILED, "mmap: %s", strerror(errno));
	edge += getpagesize();
	munmap(edge, getpagesize());
	bind_many(self->ctx, self->g, fds, 3);
	list.bindings = (uintptr_t)(edge - 2 * sizeof(bindings[0]));
	EXPECT_EQ(EFAULT, __irqx_ioctl(self->ctx, KVM_IRQX_LIST, &list));
	EXPECT_EQ(0, list.cursor);
	EXPECT_EQ(3, list.nr);
	list.binding_size += 8;
	EXPECT_EQ(EFAULT, __irqx_ioctl(self->ctx, KVM_IRQX_LIST, &list));
	EXPECT_EQ(3, irqx_list(self->ctx, bindings, 3));
	EXPECT_EQ(3, bindings[2].cookie);
}

/*
 * What leads to a vector
 */

FIXTURE(list_vector) {
	struct irqx_guest *g;
	int ctx;
	int fd;
	struct irqx_table table;
};

FIXTURE_SETUP(list_vector)
{
	if (!irqx_takes_tables())
		SKIP(return, "no ITS");
	self->g = irqx_table_guest_create(2);
	self->ctx = self->g->ctx;
	self->fd = irqx_eventfd(0, 0);
	self->table = irqx_table_create(self->ctx, 4);
	irqx_guest_start(self->g);
}

FIXTURE_TEARDOWN(list_vector)
{
	if (!self->g)
		return;
	irqx_check(self->g);
	irqx_guest_free(self->g);
}

static void vector_put(FIXTURE_DATA(list_vector) *self, uint32_t vector, bool masked)
{
	struct irqx_vector_message message = irqx_vector_message(self->g, 0, IRQ_A);
	struct kvm_irqx_vector state = {
		.address_lo = message.address,
		.address_hi = message.address >> 32,
		.data = message.data,
		.control = masked,
	};

	irqx_assert(__irqx_vector_keep(&self->table, vector, state,
				       KVM_IRQX_TABLE_STATE_KEEP_PENDING));
}

TEST_F(list_vector, state_and_events)
{
	struct kvm_irq_routing_entry entry = irqx_vector_entry(&self->table, 2);
	struct kvm_irqx_binding binding, other;
	int fd = irqx_eventfd(0, 0);

	irqx_table_set_flags(&self->table, IRQX_TABLE_ON);
	ASSERT_EQ(0, bind_cookie(self->ctx, self->fd, entry, COOKIE));
	irqx_route_set(self->ctx, GSI, entry);
	irqx_irqfd(self->ctx, fd, GSI, 0);
	binding = by_cookie(self->ctx, COOKIE);
	EXPECT_TRUE(same_entry(binding.entry, entry));
	EXPECT_EQ(1, binding.nr_entries);
	EXPECT_EQ(MASKED, binding.state);

	irqx_fire(self->fd);
	irqx_fire(fd);
	irqx_fire(self->fd);
	binding = by_cookie(self->ctx, COOKIE);
	other = by_cookie(self->ctx, 0);
	EXPECT_EQ(MASKED | PENDING, binding.state);
	EXPECT_EQ(MASKED | PENDING, other.state);
	EXPECT_EQ(2, binding.events);
	EXPECT_EQ(1, binding.coalesced);
	EXPECT_EQ(1, other.events);
	EXPECT_EQ(1, other.coalesced);
	entry.gsi = GSI;
	EXPECT_TRUE(same_entry(other.entry, entry));

	vector_put(self, 2, false);
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_check(self->g);
	EXPECT_EQ(0, by_cookie(self->ctx, COOKIE).state);
}

/* It keeps its event, but not for one that has gone, or leads elsewhere. */
TEST_F(list_vector, leaves_its_event)
{
	int i;

	irqx_table_set_flags(&self->table, IRQX_TABLE_ON);
	for (i = 0; i < 3; i++) {
		int keeper = irqx_eventfd(0, 0);

		irqx_bind(self->ctx, keeper, irqx_vector_entry(&self->table, 1));
		irqx_bind(self->ctx, self->fd, irqx_vector_entry(&self->table, 1));
		vector_put(self, 1, true);
		irqx_fire(self->fd);
		if (i == 1)
			irqx_modify(self->ctx, self->fd, irqx_vector_entry(&self->table, 3));
		if (i == 2)
			irqx_modify(self->ctx, self->fd, irqx_entry(self->g, 1, IRQ_B));
		irqx_unbind(self->ctx, self->fd);
		EXPECT_EQ(MASKED | PENDING, irqx_binding(self->ctx, keeper).state);
		EXPECT_EQ(0, irqx_binding(self->ctx, keeper).events);
		vector_put(self, 1, false);
		irqx_expect(self->g, 0, IRQ_A, 1);
		irqx_check(self->g);
		irqx_unbind(self->ctx, keeper);
		close(keeper);
	}
}

/* Those of a guest with tables; that of the others does the same. */
void irqx_guest_wait(void)
{
	irqx_table_guest();
}

void irqx_vcpu_exit(struct irqx_vcpu *v)
{
	irqx_table_exit(v);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_IRQX_BATCH: many operations by one call, all of them or none; each error of it that
 * can be provoked, and the record of why.
 */
#include <sys/mman.h>

#include "irqx_source.h"
#include "irqx_harness.h"

#define NR	512
#define PAGE	getpagesize()

FIXTURE(batch)
{
	struct irqx_guest *g;
	int ctx;
	int fds[NR];
	struct kvm_irqx_irqfd_direct irqfds[NR];
};

FIXTURE_SETUP(batch)
{
	struct irqx_slot slot;
	uint32_t i;

	self->g = irqx_guest_create(2);
	self->ctx = self->g->ctx;
	irqx_guest_start(self->g);
	irqx_eventfds(self->fds, NR);
	for (i = 0; i < NR; i++) {
		slot = irqx_slot(self->g, i);
		self->irqfds[i] = (struct kvm_irqx_irqfd_direct){
			.fd = self->fds[i],
			.resamplefd = -1,
			.entry = irqx_entry(self->g, slot.vcpu, slot.irq),
		};
	}
}

FIXTURE_TEARDOWN(batch)
{
	irqx_check(self->g);
	irqx_guest_free(self->g);
	irqx_close_all(self->fds, NR);
}

static void expect_slot(struct irqx_guest *g, uint32_t i)
{
	struct irqx_slot slot = irqx_slot(g, i);

	irqx_expect(g, slot.vcpu, slot.irq, 1);
}

/* No eventfd is bound, and what was in them is. */
static void expect_none(struct __test_metadata *_metadata, FIXTURE_DATA(batch) *self,
			uint32_t written)
{
	uint32_t i;

	EXPECT_EQ(0, irqx_stats(self->ctx).irqfds);
	EXPECT_EQ(0, irqx_stats(self->ctx).events);
	for (i = 0; i < NR; i++)
		EXPECT_EQ(i < written, irqx_eventfd_take(self->fds[i]));
}

TEST_F(batch, all)
{
	uint32_t i, index = 0;

	EXPECT_EQ(0, __irqx_assign(self->ctx, self->irqfds, NR, &index));
	EXPECT_EQ(NR, index);
	EXPECT_EQ(NR, irqx_stats(self->ctx).irqfds);
	for (i = 0; i < NR; i++) {
		irqx_fire(self->fds[i]);
		expect_slot(self->g, i);
		/* Two of the same irq would be one. */
		if (!(i % 64))
			irqx_check(self->g);
	}
	irqx_check(self->g);
	for (i = 0; i < NR; i += 2)
		irqx_modify(self->ctx, self->fds[i], self->irqfds[i + 1].entry);
	for (i = 0; i < NR; i++)
		irqx_unbind(self->ctx, self->fds[i]);
	EXPECT_EQ(0, irqx_stats(self->ctx).irqfds);
}

TEST_F(batch, writes_before_are_one_event)
{
	uint32_t i;

	for (i = 0; i < 8; i++) {
		irqx_fire(self->fds[i]);
		irqx_fire(self->fds[i]);
		expect_slot(self->g, i);
	}
	irqx_assign(self->ctx, self->irqfds, NR);
	irqx_check(self->g);
	EXPECT_EQ(8, irqx_stats(self->ctx).events);
}

TEST_F(batch, last_close_unbinds)
{
	uint32_t i;

	irqx_assign(self->ctx, self->irqfds, NR);
	for (i = 0; i < NR; i += 2)
		close(self->fds[i]);
	EXPECT_TRUE(irqx_wait_irqfds(self->ctx, NR / 2));
	for (i = 0; i < NR; i += 2)
		self->fds[i] = irqx_eventfd(0, 0);
}

#define NR_CLOSED	64

struct closing {
	int ctx;
	int fds[NR_CLOSED];
	struct kvm_irqx_irqfd_direct *irqfds;
	uint64_t lag;			/* ns; greater than a call takes */
	uint32_t bound, refused;	/* calls */
};

static void bind_all(void *arg, uint32_t i)
{
	struct closing *c = arg;
	uint32_t index;
	int err = __irqx_assign(c->ctx, c->irqfds, NR_CLOSED, &index);

	(void)i;
	if (err) {
		TEST_ASSERT(err == EBADF && index < NR_CLOSED, "%u: %s", index,
			    strerror(err));
		c->refused++;
	} else {
		TEST_ASSERT_EQ(index, NR_CLOSED);
		c->bound++;
	}
}

/* A little later each time; from the front, or from the back, to be there first. */
static void close_all(void *arg, uint32_t i)
{
	struct closing *c = arg;
	uint64_t begin = irqx_now_ns() + c->lag * (i / 2 % 32) / 32;
	uint32_t n;

	while (irqx_now_ns() < begin)
		;
	for (n = 0; n < NR_CLOSED; n++)
		close(c->fds[i % 2 ? n : NR_CLOSED - 1 - n]);
}

static void open_again(void *arg, uint32_t i)
{
	struct closing *c = arg;
	uint32_t n;

	(void)i;
	TEST_ASSERT(irqx_wait_irqfds(c->ctx, 0), "bound to closed eventfds");
	irqx_eventfds(c->fds, NR_CLOSED);
	for (n = 0; n < NR_CLOSED; n++) {
		c->irqfds[n].fd = c->fds[n];
		/* Some have an event, which is taken out when they are bound. */
		if (n % 3)
			irqx_fire(c->fds[n]);
	}
}

/* Whatever comes first: bound and unbound by its last close, or none of them bound. */
TEST_F_TIMEOUT(batch, closed_while_binding, 900)
{
	uint32_t rounds = irqx_iterations(1000, 20000), i;
	struct closing c = { .ctx = self->ctx, .irqfds = self->irqfds, .lag = ~0ULL };
	uint64_t begin;

	/* A few times alone, for the time that it takes. */
	for (i = 0; i < 8; i++) {
		open_again(&c, 0);
		begin = irqx_now_ns();
		bind_all(&c, 0);
		c.lag = min(c.lag, 2 * (irqx_now_ns() - begin));
		irqx_close_all(c.fds, NR_CLOSED);
	}
	open_again(&c, 0);
	c.bound = 0;

	irqx_race(bind_all, close_all, open_again, &c, rounds);
	TH_LOG("all bound in %u of %u rounds", c.bound, rounds);
	EXPECT_LT(0, c.bound);
	EXPECT_LT(0, c.refused);
	irqx_close_all(c.fds, NR_CLOSED);
	/* How many events were in time is anybody's guess. */
	irqx_settle(self->ctx);
	irqx_fence(self->g);
	irqx_forget(self->g);

	/* The places that they had are free. */
	for (i = 0; i < NR; i++)
		self->irqfds[i].fd = self->fds[i];
	irqx_assign(self->ctx, self->irqfds, NR);
}

TEST_F(batch, none_if_one_is_bound_ebusy)
{
	int other = irqx_context(self->g->vm);
	uint32_t index;

	irqx_fire(self->fds[0]);
	irqx_fire(self->fds[1]);
	irqx_bind(other, self->fds[NR - 1], self->irqfds[0].entry);
	EXPECT_EQ(EBUSY, __irqx_assign(self->ctx, self->irqfds, NR, &index));
	EXPECT_EQ(NR - 1, index);
	expect_none(_metadata, self, 2);
	close(other);

	/* Nothing is left behind that would keep the others from it. */
	irqx_assign(self->ctx, self->irqfds, NR - 1);
}

TEST_F(batch, closed_fd_ebadf)
{
	uint32_t index;

	self->irqfds[7].fd = -1;
	EXPECT_EQ(EBADF, __irqx_assign(self->ctx, self->irqfds, NR, &index));
	EXPECT_EQ(7, index);
	expect_none(_metadata, self, 0);

	self->irqfds[7].fd = self->fds[7];
	self->irqfds[6].entry = irqx_pin_entry(IRQX_IRQCHIP, 5);
	self->irqfds[6].flags = KVM_IRQX_IRQFD_DIRECT_RESAMPLE;
	EXPECT_EQ(EBADF, __irqx_assign(self->ctx, self->irqfds, NR, &index));
	EXPECT_EQ(6, index);
	expect_none(_metadata, self, 0);
}

TEST_F(batch, bad_binding_einval)
{
	struct kvm_irqx_irqfd_direct good = self->irqfds[9], bad[8];
	uint32_t i, index;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = good;
	bad[0].flags = KVM_IRQX_IRQFD_DIRECT_DEASSIGN;
	bad[1].flags = KVM_IRQX_IRQFD_DIRECT_MODIFY;
	bad[2].flags = 1U << 31;
	bad[3].entry.gsi = 1;
	bad[4].entry.pad = 1;
	bad[5].event_flag = 1;
	bad[6].entry.type = 77;
	bad[7].fd = self->ctx;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		self->irqfds[9] = bad[i];
		EXPECT_EQ(EINVAL, __irqx_assign(self->ctx, self->irqfds, NR, &index));
		EXPECT_EQ(9, index);
	}
	/* Nothing carries the EOI of an MSI. */
	self->irqfds[9] = good;
	self->irqfds[9].flags = KVM_IRQX_IRQFD_DIRECT_RESAMPLE;
	self->irqfds[9].resamplefd = self->fds[8];
	EXPECT_EQ(EINVAL, __irqx_assign(self->ctx, self->irqfds, NR, &index));
	EXPECT_EQ(9, index);
	expect_none(_metadata, self, 0);
}

TEST_F(batch, as_many_as_there_may_be)
{
	uint32_t max = irqx_info(self->ctx).max_batch, index, i;
	struct kvm_irqx_irqfd_direct *many = calloc(max, sizeof(*many));

	ASSERT_NE(NULL, many);
	for (i = 0; i < max; i++)
		many[i] = self->irqfds[0];
	EXPECT_EQ(EINVAL, __irqx_assign(self->ctx, many, max, &index));
	EXPECT_EQ(1, index);
	free(many);
	expect_none(_metadata, self, 0);
}

TEST_F(batch, bad_pointers_efault)
{
	char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_irqx_op op = irqx_assign_op(&self->irqfds[0]);
	struct kvm_irqx_batch *batch;

	ASSERT_NE(MAP_FAILED, pages);
	ASSERT_EQ(0, munmap(pages + PAGE, PAGE));
	EXPECT_EQ(EFAULT, __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, NULL));

	batch = (void *)(pages + PAGE - sizeof(*batch));
	*batch = irqx_batch_of(&op, 1);
	batch->ops = 8;
	EXPECT_EQ(EFAULT, __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, batch));
	EXPECT_EQ(1, batch->index);

	batch->ops = (uintptr_t)&op;
	ASSERT_EQ(0, mprotect(pages, PAGE, PROT_READ));
	EXPECT_EQ(EFAULT, __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, batch));
	expect_none(_metadata, self, 0);
	munmap(pages, PAGE);
}

TEST_F(batch, not_attached_enotconn)
{
	int ctx = irqx_open();

	EXPECT_EQ(ENOTCONN, __irqx_assign(ctx, self->irqfds, NR, NULL));
	close(ctx);
}

TEST_F(batch, no_irqchip_eagain)
{
	struct kvm_vm *vm = vm_create_barebones();
	int ctx = irqx_context(vm);
	uint32_t index;

	EXPECT_EQ(EAGAIN, __irqx_assign(ctx, self->irqfds, NR, &index));
	EXPECT_EQ(0, index);
	close(ctx);
	kvm_vm_free(vm);
}

/*
 * ---- Operations of all kinds ----
 */

static const struct kvm_irq_routing_entry no_entry;

static struct kvm_irqx_op fd_op(uint32_t op, int fd, struct kvm_irq_routing_entry entry)
{
	return (struct kvm_irqx_op){ .op = op, .fd = fd, .entry = entry };
}

static struct kvm_irqx_op gsi_op(uint32_t op, uint32_t gsi,
				 struct kvm_irq_routing_entry entry)
{
	entry.gsi = gsi;
	return (struct kvm_irqx_op){ .op = op, .entry = entry };
}

static struct kvm_irqx_op irqfd_op(int fd, uint32_t gsi)
{
	return (struct kvm_irqx_op){
		.op = KVM_IRQX_OP_IRQFD,
		.fd = fd,
		.entry.gsi = gsi,
	};
}

static struct kvm_irqx_op level_op(struct kvm_irqx_op op, int resamplefd)
{
	op.flags = KVM_IRQX_OP_FLAG_RESAMPLE;
	op.resamplefd = resamplefd;
	return op;
}

/* What is there before a mixed batch; each of it has an irq of its own. */
enum { STAYS, CHANGES, LEAVES, ON_GSI, LEAVES_GSI, COMES, COMES_GSI, NR_ROLES };
#define IRQ_OF(role)	(0x40 + (role))
#define NEW_IRQ_OF(role) (0x60 + (role))
#define GSI		10
#define OTHER_GSI	11
#define NEW_GSI		12

static void mixed_begin(FIXTURE_DATA(batch) *self)
{
	struct irqx_guest *g = self->g;

	irqx_bind(self->ctx, self->fds[STAYS], irqx_entry(g, 0, IRQ_OF(STAYS)));
	irqx_bind(self->ctx, self->fds[CHANGES], irqx_entry(g, 0, IRQ_OF(CHANGES)));
	irqx_bind(self->ctx, self->fds[LEAVES], irqx_entry(g, 0, IRQ_OF(LEAVES)));
	irqx_route_set(self->ctx, GSI, irqx_entry(g, 1, IRQ_OF(ON_GSI)));
	irqx_irqfd(self->ctx, self->fds[ON_GSI], GSI, 0);
	irqx_route_set(self->ctx, OTHER_GSI, irqx_entry(g, 1, IRQ_OF(LEAVES_GSI)));
	irqx_irqfd(self->ctx, self->fds[LEAVES_GSI], OTHER_GSI, 0);
}

#define NR_MIXED	9

static void mixed_fill(FIXTURE_DATA(batch) *self, struct kvm_irqx_op *ops)
{
	struct irqx_guest *g = self->g;

	ops[0] = fd_op(KVM_IRQX_OP_ASSIGN, self->fds[COMES],
		       irqx_entry(g, 0, IRQ_OF(COMES)));
	ops[1] = fd_op(KVM_IRQX_OP_MODIFY, self->fds[CHANGES],
		       irqx_entry(g, 1, NEW_IRQ_OF(CHANGES)));
	ops[2] = fd_op(KVM_IRQX_OP_DEASSIGN, self->fds[LEAVES], no_entry);
	ops[3] = gsi_op(KVM_IRQX_OP_ROUTE_SET, GSI, irqx_entry(g, 1, NEW_IRQ_OF(ON_GSI)));
	ops[4] = fd_op(KVM_IRQX_OP_DEASSIGN, self->fds[LEAVES_GSI], no_entry);
	ops[5] = gsi_op(KVM_IRQX_OP_ROUTE_DEL, OTHER_GSI, no_entry);
	ops[6] = irqfd_op(self->fds[COMES_GSI], NEW_GSI);
	ops[7] = gsi_op(KVM_IRQX_OP_ROUTE_ADD, NEW_GSI, irqx_entry(g, 0, IRQ_OF(COMES_GSI)));
	ops[8] = fd_op(KVM_IRQX_OP_DEASSIGN, self->fds[NR_ROLES], no_entry);
}

/* Nothing is bound that was not, and all goes where it went. */
static void expect_before(struct __test_metadata *_metadata, FIXTURE_DATA(batch) *self)
{
	struct irqx_guest *g = self->g;

	EXPECT_EQ(5, irqx_stats(self->ctx).irqfds);
	EXPECT_EQ(2, irqx_stats(self->ctx).gsis);
	irqx_fire_at(g, self->fds[STAYS], 0, IRQ_OF(STAYS));
	irqx_fire_at(g, self->fds[CHANGES], 0, IRQ_OF(CHANGES));
	irqx_fire_at(g, self->fds[LEAVES], 0, IRQ_OF(LEAVES));
	irqx_fire_at(g, self->fds[ON_GSI], 1, IRQ_OF(ON_GSI));
	irqx_fire_at(g, self->fds[LEAVES_GSI], 1, IRQ_OF(LEAVES_GSI));
	EXPECT_EQ(1, irqx_eventfd_take(self->fds[COMES]));
	EXPECT_EQ(1, irqx_eventfd_take(self->fds[COMES_GSI]));
}

TEST_F(batch, all_kinds_together)
{
	struct kvm_irqx_op ops[NR_MIXED];
	struct irqx_guest *g = self->g;
	uint32_t index;

	mixed_begin(self);
	mixed_fill(self, ops);
	irqx_fire(self->fds[COMES]);
	irqx_fire(self->fds[COMES_GSI]);
	EXPECT_EQ(0, __irqx_batch(self->ctx, ops, NR_MIXED, &index));
	EXPECT_EQ(NR_MIXED, index);

	irqx_expect(g, 0, IRQ_OF(COMES), 1);
	irqx_expect(g, 0, IRQ_OF(COMES_GSI), 1);
	irqx_check(g);
	EXPECT_EQ(5, irqx_stats(self->ctx).irqfds);
	EXPECT_EQ(2, irqx_stats(self->ctx).gsis);
	irqx_fire_at(g, self->fds[STAYS], 0, IRQ_OF(STAYS));
	irqx_fire_at(g, self->fds[CHANGES], 1, NEW_IRQ_OF(CHANGES));
	irqx_fire_at(g, self->fds[ON_GSI], 1, NEW_IRQ_OF(ON_GSI));
	irqx_fire_at(g, self->fds[COMES], 0, IRQ_OF(COMES));
	irqx_fire_at(g, self->fds[COMES_GSI], 0, IRQ_OF(COMES_GSI));
	irqx_fire(self->fds[LEAVES]);
	irqx_fire(self->fds[LEAVES_GSI]);
	EXPECT_EQ(1, irqx_eventfd_take(self->fds[LEAVES]));
	EXPECT_EQ(1, irqx_eventfd_take(self->fds[LEAVES_GSI]));
}

/* A bad one of each kind, at each place. */
TEST_F(batch, nothing_if_one_is_bad)
{
	struct kvm_irq_routing_entry bad = { .type = 77 };
	const struct {
		struct kvm_irqx_op op;
		int err;
	} faults[] = {
		{ fd_op(KVM_IRQX_OP_ASSIGN, self->fds[100], bad), EINVAL },
		{ fd_op(KVM_IRQX_OP_ASSIGN, self->fds[STAYS],
			irqx_entry(self->g, 0, 0x40)), EBUSY },
		{ fd_op(KVM_IRQX_OP_MODIFY, self->fds[STAYS], bad), EINVAL },
		{ fd_op(KVM_IRQX_OP_MODIFY, self->fds[100],
			irqx_entry(self->g, 0, 0x40)), ENOENT },
		{ fd_op(KVM_IRQX_OP_DEASSIGN, -1, no_entry), EBADF },
		{ gsi_op(KVM_IRQX_OP_ROUTE_SET, 99, bad), EINVAL },
		{ gsi_op(KVM_IRQX_OP_ROUTE_ADD, 99, bad), EINVAL },
		{ gsi_op(KVM_IRQX_OP_ROUTE_ADD, GSI, irqx_entry(self->g, 0, 0x40)), EINVAL },
		{ gsi_op(KVM_IRQX_OP_ROUTE_DEL, ~0U, no_entry), EINVAL },
		{ irqfd_op(self->ctx, 99), EINVAL },
		{ irqfd_op(self->fds[STAYS], NEW_GSI), EBUSY },
		{ level_op(irqfd_op(self->fds[100], GSI), self->fds[101]), EINVAL },
		{ level_op(irqfd_op(self->fds[100], 99), -1), EBADF },
		{ { .op = 0 }, EINVAL },
	};
	struct kvm_irqx_op ops[NR_MIXED + 1];
	uint32_t i, at, index;

	mixed_begin(self);
	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		for (at = 0; at <= NR_MIXED; at++) {
			/* A RESAMPLE that it could have before its GSI is deleted. */
			mixed_fill(self, ops);
			memmove(&ops[at + 1], &ops[at], (NR_MIXED - at) * sizeof(ops[0]));
			ops[at] = faults[i].op;
			index = 99;
			EXPECT_EQ(faults[i].err, __irqx_batch(self->ctx, ops,
							      NR_MIXED + 1, &index))
				TH_LOG("fault %u at %u", i, at);
			EXPECT_EQ(at, index);
			EXPECT_EQ(5, irqx_stats(self->ctx).irqfds);
			EXPECT_EQ(2, irqx_stats(self->ctx).gsis);
		}
		irqx_fire(self->fds[COMES]);
		irqx_fire(self->fds[COMES_GSI]);
		at = i % (NR_MIXED + 1);
		mixed_fill(self, ops);
		memmove(&ops[at + 1], &ops[at], (NR_MIXED - at) * sizeof(ops[0]));
		ops[at] = faults[i].op;
		EXPECT_EQ(faults[i].err, __irqx_batch(self->ctx, ops, NR_MIXED + 1, NULL));
		expect_before(_metadata, self);
	}

	/* Nothing of them is in the way. */
	mixed_fill(self, ops);
	irqx_batch(self->ctx, ops, NR_MIXED);
}

TEST_F(batch, eventfd_twice_einval)
{
	const uint32_t of_bound[] = { KVM_IRQX_OP_MODIFY, KVM_IRQX_OP_DEASSIGN };
	const uint32_t of_unbound[] = { KVM_IRQX_OP_ASSIGN, KVM_IRQX_OP_IRQFD,
					KVM_IRQX_OP_DEASSIGN };
	/* As the second. */
	const uint32_t any[] = { KVM_IRQX_OP_ASSIGN, KVM_IRQX_OP_IRQFD,
				 KVM_IRQX_OP_MODIFY, KVM_IRQX_OP_DEASSIGN };
	struct kvm_irq_routing_entry entry = irqx_entry(self->g, 0, 0x70);
	uint32_t nr_first, i, j, bound, index;
	struct kvm_irqx_error error;
	struct kvm_irqx_batch batch;
	struct kvm_irqx_op ops[3];
	const uint32_t *first;
	int fd;

	mixed_begin(self);
	for (bound = 0; bound < 2; bound++) {
		fd = self->fds[bound ? CHANGES : COMES];
		first = bound ? of_bound : of_unbound;
		nr_first = bound ? ARRAY_SIZE(of_bound) : ARRAY_SIZE(of_unbound);
		for (i = 0; i < nr_first; i++) {
			for (j = 0; j < ARRAY_SIZE(any); j++) {
				ops[0] = fd_op(first[i], fd,
					       first[i] == KVM_IRQX_OP_DEASSIGN ||
					       first[i] == KVM_IRQX_OP_IRQFD ?
					       no_entry : entry);
				ops[1] = gsi_op(KVM_IRQX_OP_ROUTE_SET, NEW_GSI, entry);
				/* The same eventfd, by another number. */
				ops[2] = fd_op(any[j], dup(fd),
					       any[j] == KVM_IRQX_OP_DEASSIGN ||
					       any[j] == KVM_IRQX_OP_IRQFD ?
					       no_entry : entry);
				batch = irqx_batch_of(ops, 3);
				error = (struct kvm_irqx_error){ .argsz = sizeof(error) };
				batch.error = (uintptr_t)&error;
				index = __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, &batch);
				close(ops[2].fd);
				/* One that is not bound has no entry to be changed. */
				if (!bound && first[i] == KVM_IRQX_OP_DEASSIGN &&
				    any[j] == KVM_IRQX_OP_MODIFY) {
					EXPECT_EQ(ENOENT, index);
					continue;
				}
				EXPECT_EQ(EINVAL, index)
					TH_LOG("%u after %u", any[j], first[i]);
				EXPECT_EQ(2, batch.index);
				EXPECT_EQ(2, error.index);
				EXPECT_EQ(KVM_IRQX_ARG_FD, error.arg);
				EXPECT_EQ(KVM_IRQX_REASON_TWICE, error.reason);
			}
		}
	}
	irqx_fire(self->fds[COMES]);
	irqx_fire(self->fds[COMES_GSI]);
	expect_before(_metadata, self);

	/* In two batches it is fine. */
	ops[0] = fd_op(KVM_IRQX_OP_DEASSIGN, self->fds[CHANGES], no_entry);
	irqx_batch(self->ctx, ops, 1);
	ops[0] = fd_op(KVM_IRQX_OP_ASSIGN, self->fds[CHANGES], entry);
	irqx_batch(self->ctx, ops, 1);
	irqx_fire_at(self->g, self->fds[CHANGES], 0, 0x70);
}

/* Each operation finds what those before it have made of the GSI. */
TEST_F(batch, resamplefds_and_routes_in_order)
{
	struct kvm_irq_routing_entry pin = irqx_wire_entry(self->g, 0);
	struct kvm_irq_routing_entry msi = irqx_entry(self->g, 0, 0x70);
	const struct kvm_irqx_op set_pin = gsi_op(KVM_IRQX_OP_ROUTE_SET, GSI, pin);
	const struct kvm_irqx_op set_msi = gsi_op(KVM_IRQX_OP_ROUTE_SET, GSI, msi);
	const struct kvm_irqx_op come = level_op(irqfd_op(self->fds[0], GSI), self->fds[1]);
	const struct kvm_irqx_op leave = fd_op(KVM_IRQX_OP_DEASSIGN, self->fds[0], no_entry);
	const struct kvm_irqx_op del = gsi_op(KVM_IRQX_OP_ROUTE_DEL, GSI, no_entry);
	const struct kvm_irqx_op plain = irqfd_op(self->fds[2], GSI);
	const struct kvm_irqx_op mask = {
		.op = KVM_IRQX_OP_MASK,
		.fd = KVM_IRQX_NO_FD,
		.entry.gsi = GSI,
	};
	const struct {
		struct kvm_irqx_op ops[4];
		int err;
		uint32_t index;
		bool up;
	} steps[] = {
		{ { set_msi, come }, EINVAL, 1, false },
		{ { come, set_msi }, EINVAL, 1, false },
		{ { set_msi, plain, set_pin, come }, 0, 4, true },
		/* with what is there now */
		{ { set_msi, leave }, EINVAL, 0, true },
		{ { set_pin, leave, set_msi }, 0, 3, false },
		{ { del, come, set_msi }, EINVAL, 2, false },
		{ { del, come, set_pin }, 0, 3, true },
		{ { leave, set_msi, del, set_pin }, 0, 4, false },
	};
	uint32_t i, nr, index;

	if (!(irqx_info(self->ctx).features & KVM_IRQX_FEATURE_RESAMPLE))
		SKIP(return, "no resamplefds here");
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		for (nr = 0; nr < 4 && steps[i].ops[nr].op; nr++)
			;
		index = 99;
		EXPECT_EQ(steps[i].err, __irqx_batch(self->ctx, steps[i].ops, nr, &index))
			TH_LOG("step %u", i);
		EXPECT_EQ(steps[i].index, index);
		/* The GSI that a batch has made goes with it, and what was to be its route. */
		if (i < 2) {
			EXPECT_EQ(ENOENT, __irqx_batch(self->ctx, &mask, 1, NULL));
		}
		irqx_fire(self->fds[0]);
		irqx_settle(self->ctx);
		EXPECT_EQ(steps[i].up, irqx_wire_is_up(self->g, 0))
			TH_LOG("step %u", i);
		irqx_eventfd_take(self->fds[0]);
	}
	irqx_unbind(self->ctx, self->fds[2]);
	irqx_route_del(self->ctx, GSI);
	EXPECT_EQ(0, irqx_stats(self->ctx).irqfds);
	EXPECT_EQ(0, irqx_stats(self->ctx).gsis);
}

/* A GSI that has neither route nor irqfd for a while within the batch. */
TEST_F(batch, gsi_between_its_users)
{
	struct kvm_irqx_op ops[] = {
		fd_op(KVM_IRQX_OP_DEASSIGN, self->fds[0], no_entry),
		gsi_op(KVM_IRQX_OP_ROUTE_SET, GSI, irqx_entry(self->g, 1, 0x71)),
		gsi_op(KVM_IRQX_OP_ROUTE_DEL, GSI, no_entry),
		irqfd_op(self->fds[1], GSI),
		gsi_op(KVM_IRQX_OP_ROUTE_ADD, GSI, irqx_entry(self->g, 1, 0x72)),
	};

	irqx_irqfd(self->ctx, self->fds[0], GSI, 0);
	ops[4].entry.type = 77;
	EXPECT_EQ(EINVAL, __irqx_batch(self->ctx, ops, ARRAY_SIZE(ops), NULL));
	EXPECT_EQ(1, irqx_stats(self->ctx).irqfds);
	ops[4].entry.type = KVM_IRQ_ROUTING_MSI;
	irqx_batch(self->ctx, ops, ARRAY_SIZE(ops));
	EXPECT_EQ(1, irqx_stats(self->ctx).irqfds);
	EXPECT_EQ(1, irqx_stats(self->ctx).gsis);
	irqx_fire_at(self->g, self->fds[1], 1, 0x72);
	ops[0].fd = self->fds[1];
	ops[1] = ops[2];
	irqx_batch(self->ctx, ops, 2);
	EXPECT_EQ(0, irqx_stats(self->ctx).gsis);
	EXPECT_EQ(0, __irqx_irqfd(self->ctx, self->fds[2], GSI, 0));
	irqx_unbind(self->ctx, self->fds[2]);
}

TEST_F(batch, deassign_2048)
{
	enum { MANY = 2048 };
	struct kvm_irqx_op *ops = calloc(MANY, sizeof(*ops));
	struct irqx_slot slot;
	int fds[MANY];
	uint32_t i;

	ASSERT_NE(NULL, ops);
	irqx_eventfds(fds, MANY);
	for (i = 0; i < MANY; i++) {
		slot = irqx_slot(self->g, i);
		ops[i] = fd_op(KVM_IRQX_OP_ASSIGN, fds[i],
			       irqx_entry(self->g, slot.vcpu, slot.irq));
	}
	irqx_batch(self->ctx, ops, MANY);
	EXPECT_EQ(MANY, irqx_stats(self->ctx).irqfds);
	for (i = 0; i < MANY; i++)
		ops[i] = fd_op(KVM_IRQX_OP_DEASSIGN, fds[i], no_entry);
	irqx_batch(self->ctx, ops, MANY);
	EXPECT_EQ(0, irqx_stats(self->ctx).irqfds);
	for (i = 0; i < MANY; i++)
		irqx_fire(fds[i]);
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(1, irqx_eventfd_take(fds[i]));
	irqx_close_all(fds, MANY);
	free(ops);
}

struct moving {
	FIXTURE_DATA(batch) *self;
	struct kvm_irqx_op ops[2][4];
	uint64_t total;
};

static void move_all(void *arg, uint32_t i)
{
	struct moving *m = arg;

	irqx_batch(m->self->ctx, m->ops[i % 2], 4);
}

static void fire_all(void *arg, uint32_t i)
{
	struct moving *m = arg;
	uint32_t n;

	/* From either end. */
	for (n = 0; n < 4; n++)
		irqx_fire(m->self->fds[i / 2 % 2 ? n : 3 - n]);
}

/* Each event is one interrupt, or in its eventfd. */
static void count_all(void *arg, uint32_t i)
{
	struct moving *m = arg;
	uint64_t in_eventfds = 0, taken;
	uint32_t n;

	irqx_settle(m->self->ctx);
	irqx_fence(m->self->g);
	taken = irqx_total(m->self->g) - m->total;
	m->total += taken;
	for (n = 0; n < 4; n++)
		in_eventfds += irqx_eventfd_take(m->self->fds[n]);
	TEST_ASSERT(taken + in_eventfds == 4, "round %u: %lu of 4, %lu in their eventfds",
		    i, taken, in_eventfds);
}

TEST_F_TIMEOUT(batch, events_meanwhile, 600)
{
	struct irqx_guest *g = self->g;
	struct moving m = {
		.self = self,
		.ops = { {
			fd_op(KVM_IRQX_OP_MODIFY, self->fds[0], irqx_entry(g, 1, 0x50)),
			fd_op(KVM_IRQX_OP_DEASSIGN, self->fds[1], no_entry),
			gsi_op(KVM_IRQX_OP_ROUTE_SET, GSI, irqx_entry(g, 1, 0x52)),
			irqfd_op(self->fds[3], NEW_GSI),
		}, {
			fd_op(KVM_IRQX_OP_MODIFY, self->fds[0], irqx_entry(g, 0, 0x40)),
			fd_op(KVM_IRQX_OP_ASSIGN, self->fds[1], irqx_entry(g, 0, 0x41)),
			gsi_op(KVM_IRQX_OP_ROUTE_SET, GSI, irqx_entry(g, 0, 0x42)),
			fd_op(KVM_IRQX_OP_DEASSIGN, self->fds[3], no_entry),
		} },
	};

	irqx_bind(self->ctx, self->fds[0], irqx_entry(g, 0, 0x40));
	irqx_bind(self->ctx, self->fds[1], irqx_entry(g, 0, 0x41));
	irqx_route_set(self->ctx, GSI, irqx_entry(g, 0, 0x42));
	irqx_irqfd(self->ctx, self->fds[2], GSI, 0);
	irqx_route_set(self->ctx, NEW_GSI, irqx_entry(g, 0, 0x43));
	m.total = irqx_total(g);
	irqx_race(move_all, fire_all, count_all, &m, irqx_iterations(1000, 50000));
	irqx_forget(g);
}

/*
 * ---- Elements of another size ----
 */

TEST_F(batch, op_size)
{
	enum { LARGE = KVM_IRQX_OP_SIZE_MAX };
	char many[4 * LARGE];
	struct kvm_irqx_op op;
	struct kvm_irqx_error error = { .argsz = sizeof(error) };
	struct kvm_irqx_batch batch;
	uint32_t size, i;

	/* Without more than there was at first, and with zeros. */
	for (size = KVM_IRQX_OP_SIZE_MIN; size <= LARGE; size += 4) {
		memset(many, 0, sizeof(many));
		for (i = 0; i < 4; i++) {
			op = fd_op(KVM_IRQX_OP_ASSIGN, self->fds[i],
				   irqx_entry(self->g, 0, 0x40 + i));
			memcpy(many + i * size, &op, sizeof(op));
		}
		batch = irqx_batch_of((void *)many, 4);
		batch.op_size = size;
		batch.error = (uintptr_t)&error;
		ASSERT_EQ(0, __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, &batch));
		EXPECT_EQ(4, batch.index);
		irqx_fire_at(self->g, self->fds[3], 0, 0x43);
		for (i = 0; i < 4; i++)
			irqx_unbind(self->ctx, self->fds[i]);

		/* What it does not know. */
		if (size < sizeof(op) + 4)
			continue;
		many[3 * size - 1] = 1;
		EXPECT_EQ(E2BIG, __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, &batch));
		EXPECT_EQ(2, batch.index);
		EXPECT_EQ(2, error.index);
		EXPECT_EQ(KVM_IRQX_ARG_OP, error.arg);
		EXPECT_EQ(KVM_IRQX_REASON_UNKNOWN_FIELD, error.reason);
		EXPECT_EQ(0, irqx_stats(self->ctx).irqfds);
	}
	batch.op_size = KVM_IRQX_OP_SIZE_MIN - 1;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, &batch));
	EXPECT_EQ(KVM_IRQX_ARG_OP_SIZE, error.arg);
	EXPECT_EQ(KVM_IRQX_REASON_TOO_SMALL, error.reason);
	batch.op_size = KVM_IRQX_OP_SIZE_MAX + 1;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, &batch));
	EXPECT_EQ(KVM_IRQX_REASON_OUT_OF_RANGE, error.reason);
	batch.op_size = 0;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, &batch));
}

/*
 * ---- The error record; trace_test has every reason, and these are the same ----
 */

static int batch_with_error(int ctx, const struct kvm_irqx_op *ops, uint32_t nr,
			    struct kvm_irqx_error *error)
{
	struct kvm_irqx_batch batch = irqx_batch_of(ops, nr);

	*error = irqx_stale_error();
	batch.error = (uintptr_t)error;
	return __irqx_ioctl(ctx, KVM_IRQX_BATCH, &batch);
}

#define EXPECT_ERROR(error, at, what, why)				\
do {									\
	EXPECT_EQ(sizeof(struct kvm_irqx_error), (error).argsz);	\
	EXPECT_EQ((uint32_t)(at), (error).index);			\
	EXPECT_EQ(KVM_IRQX_ARG_##what, (error).arg);			\
	EXPECT_EQ(KVM_IRQX_REASON_##why, (error).reason);		\
} while (0)

#define EXPECT_STALE(error)						\
do {									\
	EXPECT_EQ(IRQX_STALE, (error).index);				\
	EXPECT_EQ(IRQX_STALE, (error).arg);					\
	EXPECT_EQ(IRQX_STALE, (error).reason);				\
} while (0)

TEST_F(batch, error_record)
{
	struct kvm_irqx_op ops[3] = {
		irqx_assign_op(&self->irqfds[0]),
		irqx_assign_op(&self->irqfds[1]),
		fd_op(KVM_IRQX_OP_DEASSIGN, self->fds[2], no_entry),
	};
	struct kvm_irqx_irqfd_direct direct = self->irqfds[0];
	struct kvm_irqx_error error;
	struct kvm_irqx_batch batch;

	/* Plain success, and one that had nothing to do. */
	EXPECT_EQ(0, batch_with_error(self->ctx, ops, 2, &error));
	EXPECT_STALE(error);
	ops[0] = fd_op(KVM_IRQX_OP_DEASSIGN, self->fds[0], no_entry);
	ops[1] = fd_op(KVM_IRQX_OP_DEASSIGN, self->fds[1], no_entry);
	EXPECT_EQ(0, batch_with_error(self->ctx, ops, 3, &error));
	EXPECT_ERROR(error, 2, FD, NOT_BOUND);

	/* The first one that had nothing to do. */
	EXPECT_EQ(0, batch_with_error(self->ctx, ops, 3, &error));
	EXPECT_ERROR(error, 0, FD, NOT_BOUND);

	/* That is not what a batch has failed of. */
	ops[2] = fd_op(KVM_IRQX_OP_DEASSIGN, -1, no_entry);
	EXPECT_EQ(EBADF, batch_with_error(self->ctx, ops, 3, &error));
	EXPECT_ERROR(error, 2, FD, NOT_OPEN);
	batch = irqx_batch_of(ops, 0);
	batch.error = (uintptr_t)&error;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, &batch));
	EXPECT_ERROR(error, ~0U, NR, OUT_OF_RANGE);

	/* The errno says it all. */
	batch = irqx_batch_of((void *)8, 1);
	error = irqx_stale_error();
	batch.error = (uintptr_t)&error;
	EXPECT_EQ(EFAULT, __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, &batch));
	EXPECT_ERROR(error, ~0U, NONE, NONE);

	/* The same of one binding. */
	direct.error = (uintptr_t)&error;
	error = irqx_stale_error();
	EXPECT_EQ(0, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));
	EXPECT_STALE(error);
	EXPECT_EQ(EBUSY, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));
	EXPECT_ERROR(error, ~0U, FD, BOUND);
	direct.flags = KVM_IRQX_IRQFD_DIRECT_DEASSIGN;
	error = irqx_stale_error();
	EXPECT_EQ(0, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));
	EXPECT_STALE(error);
	EXPECT_EQ(0, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));
	EXPECT_ERROR(error, ~0U, FD, NOT_BOUND);
	direct.flags = KVM_IRQX_IRQFD_DIRECT_MODIFY;
	EXPECT_EQ(ENOENT, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));
	EXPECT_ERROR(error, ~0U, FD, NOT_BOUND);
	irqx_irqfd(self->ctx, direct.fd, GSI, 0);
	EXPECT_EQ(ENOENT, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));
	EXPECT_ERROR(error, ~0U, FD, NOT_DIRECT);
	irqx_unbind(self->ctx, direct.fd);
	direct.flags = 0;
	direct.entry.flags = 0;
	direct.entry.type = 77;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));
	EXPECT_ERROR(error, ~0U, ENTRY_TYPE, UNKNOWN_VALUE);
}

/* The record of a larger struct keeps the rest. */
TEST_F(batch, error_record_size)
{
	struct {
		struct kvm_irqx_error error;
		uint32_t more;
	} large = { .error = irqx_stale_error(), .more = IRQX_STALE };
	struct kvm_irqx_irqfd_direct direct = self->irqfds[0];
	uint32_t argsz;

	direct.flags = 1U << 31;
	direct.error = (uintptr_t)&large;
	large.error.argsz = sizeof(large);
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));
	EXPECT_ERROR(large.error, ~0U, FLAGS, UNKNOWN_FLAG);
	EXPECT_EQ(IRQX_STALE, large.more);

	direct.flags = 0;
	for (argsz = 0; argsz < sizeof(large.error); argsz++) {
		large.error = irqx_stale_error();
		large.error.argsz = argsz;
		EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));
		EXPECT_EQ(argsz, large.error.argsz);
		EXPECT_STALE(large.error);
	}
	expect_none(_metadata, self, 0);
}

TEST_F(batch, error_record_efault)
{
	char *pages = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_irqx_error *good = (void *)pages, *read_only, *half;
	struct kvm_irqx_irqfd_direct direct = self->irqfds[0];
	struct kvm_irqx_op op = irqx_assign_op(&direct);
	struct kvm_irqx_batch batch = irqx_batch_of(&op, 1);
	uint64_t bad[6];
	uint32_t i;

	ASSERT_NE(MAP_FAILED, pages);
	read_only = (void *)(pages + PAGE);
	half = (void *)(pages + PAGE - 8);
	*read_only = irqx_stale_error();
	*half = irqx_stale_error();
	ASSERT_EQ(0, mprotect(pages + PAGE, PAGE, PROT_READ));
	ASSERT_EQ(0, munmap(pages + 2 * PAGE, PAGE));
	bad[0] = 8;
	bad[1] = (uintptr_t)read_only;
	bad[2] = (uintptr_t)half;
	bad[3] = (uintptr_t)pages + 2 * PAGE;
	bad[4] = 0xffff888000000000UL;
	bad[5] = ~0ULL;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		direct.error = bad[i];
		EXPECT_EQ(EFAULT, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &direct))
			TH_LOG("%u", i);
		batch.error = bad[i];
		EXPECT_EQ(EFAULT, __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, &batch))
			TH_LOG("%u", i);
		EXPECT_EQ(1, batch.index);
	}
	expect_none(_metadata, self, 0);
	*good = irqx_stale_error();
	batch.error = (uintptr_t)good;
	EXPECT_EQ(0, __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, &batch));
	munmap(pages, 2 * PAGE);
}

TEST_HARNESS_MAIN

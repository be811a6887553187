// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_IRQX_ASSIGN: many bindings by one call, all of them or none; and each error of
 * it that can be provoked.
 */
#include <sys/mman.h>

#include "irqx_source.h"
#include "irqx_harness.h"

#define NR	512
#define PAGE	getpagesize()

FIXTURE(assign)
{
	struct irqx_guest *g;
	int ctx;
	int fds[NR];
	struct kvm_irqx_irqfd_direct irqfds[NR];
};

FIXTURE_SETUP(assign)
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

FIXTURE_TEARDOWN(assign)
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
static void expect_none(struct __test_metadata *_metadata, FIXTURE_DATA(assign) *self,
			uint32_t written)
{
	uint32_t i;

	EXPECT_EQ(0, irqx_stats(self->ctx).irqfds);
	EXPECT_EQ(0, irqx_stats(self->ctx).events);
	for (i = 0; i < NR; i++)
		EXPECT_EQ(i < written, irqx_eventfd_take(self->fds[i]));
}

TEST_F(assign, all)
{
	uint32_t i, index = 0;

	EXPECT_EQ(0, __irqx_assign(self->ctx, self->irqfds, NR, &index));
	EXPECT_EQ(NR, index);
	EXPECT_EQ(NR, irqx_stats(self->ctx).irqfds);
	EXPECT_TRUE(irqx_info(self->ctx).features & KVM_IRQX_FEATURE_ASSIGN);
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

TEST_F(assign, writes_before_are_one_event)
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

TEST_F(assign, last_close_unbinds)
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
TEST_F_TIMEOUT(assign, closed_while_binding, 900)
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

TEST_F(assign, none_if_one_is_bound_ebusy)
{
	uint32_t index;

	irqx_fire(self->fds[0]);
	irqx_fire(self->fds[1]);
	self->irqfds[NR - 1].fd = self->fds[3];
	EXPECT_EQ(EBUSY, __irqx_assign(self->ctx, self->irqfds, NR, &index));
	EXPECT_EQ(NR - 1, index);
	expect_none(_metadata, self, 2);

	/* Nothing is left behind that would keep the others from it. */
	irqx_assign(self->ctx, self->irqfds, NR - 1);
}

TEST_F(assign, closed_fd_ebadf)
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

TEST_F(assign, bad_binding_einval)
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

TEST_F(assign, arguments_einval)
{
	uint32_t max = irqx_info(self->ctx).max_batch, index, i;
	struct kvm_irqx_irqfd_direct *many = calloc(max + 1, sizeof(*many));
	struct {
		struct kvm_irqx_assign assign;
		struct kvm_irqx_irqfd_direct irqfd;
	} one = {
		.assign.nr = 1,
		.irqfd = self->irqfds[0],
	};

	ASSERT_NE(NULL, many);
	EXPECT_EQ(EINVAL, __irqx_assign(self->ctx, self->irqfds, 0, &index));
	EXPECT_EQ(0, index);
	EXPECT_EQ(EINVAL, __irqx_assign(self->ctx, many, max + 1, &index));
	EXPECT_EQ(max + 1, index);
	/* That many are looked at. */
	for (i = 0; i < max; i++)
		many[i] = self->irqfds[0];
	EXPECT_EQ(EBUSY, __irqx_assign(self->ctx, many, max, &index));
	EXPECT_EQ(1, index);
	free(many);

	for (i = 0; i < 32; i++) {
		one.assign.flags = 1U << i;
		one.assign.index = 99;
		EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_ASSIGN, &one));
		EXPECT_EQ(1, one.assign.index);
	}
	one.assign.flags = 0;
	one.assign.pad = 1;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_ASSIGN, &one));
	expect_none(_metadata, self, 0);
}

TEST_F(assign, bad_pointers_efault)
{
	size_t size = sizeof(struct kvm_irqx_assign) + sizeof(struct kvm_irqx_irqfd_direct);
	char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_irqx_assign *assign;

	ASSERT_NE(MAP_FAILED, pages);
	ASSERT_EQ(0, munmap(pages + PAGE, PAGE));
	EXPECT_EQ(EFAULT, __irqx_ioctl(self->ctx, KVM_IRQX_ASSIGN, NULL));

	assign = (void *)(pages + PAGE - size);
	assign->nr = 2;
	assign->irqfds[0] = self->irqfds[0];
	EXPECT_EQ(EFAULT, __irqx_ioctl(self->ctx, KVM_IRQX_ASSIGN, assign));
	EXPECT_EQ(2, assign->index);

	assign->nr = 1;
	ASSERT_EQ(0, mprotect(pages, PAGE, PROT_READ));
	EXPECT_EQ(EFAULT, __irqx_ioctl(self->ctx, KVM_IRQX_ASSIGN, assign));
	expect_none(_metadata, self, 0);
	munmap(pages, PAGE);
}

TEST_F(assign, not_attached_enotconn)
{
	int ctx = irqx_open();

	EXPECT_EQ(ENOTCONN, __irqx_assign(ctx, self->irqfds, NR, NULL));
	close(ctx);
}

TEST_F(assign, no_irqchip_eagain)
{
	struct kvm_vm *vm = vm_create_barebones();
	int ctx = irqx_context(vm);
	uint32_t index;

	EXPECT_EQ(EAGAIN, __irqx_assign(ctx, self->irqfds, NR, &index));
	EXPECT_EQ(0, index);
	close(ctx);
	kvm_vm_free(vm);
}

TEST_HARNESS_MAIN

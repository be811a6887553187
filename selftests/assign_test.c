// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_IRQX_ASSIGN: many bindings by one call, all of them or none; and each error of
 * it that can be provoked.
 */
#include <pthread.h>
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
	struct kvm_irqfd_direct irqfds[NR];
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
		self->irqfds[i] = (struct kvm_irqfd_direct){
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

/* As many as are bound in about the time in which they are closed. */
#define NR_CLOSED	64

struct closer {
	pthread_barrier_t start;
	int fds[NR_CLOSED];
	uint32_t round;
	bool stop;
};

/* From the front, to meet the binding of each; from the back, to be there first. */
static void *close_while_binding(void *arg)
{
	struct closer *c = arg;
	uint64_t begin;
	uint32_t i;

	for (;;) {
		pthread_barrier_wait(&c->start);
		if (c->stop)
			return NULL;
		/* A little later each time. */
		begin = irqx_now_ns() + c->round % 64 * 1000;
		while (irqx_now_ns() < begin)
			;
		for (i = 0; i < NR_CLOSED; i++)
			close(c->fds[c->round % 2 ? i : NR_CLOSED - 1 - i]);
		pthread_barrier_wait(&c->start);
	}
}

/* Whatever comes first: bound and unbound by its last close, or none of them bound. */
TEST_F(assign, closed_while_binding)
{
	uint32_t rounds = irqx_iterations(1000, 100000), bound = 0, index, i;
	struct closer c = {};
	pthread_t thread;
	int err;

	ASSERT_EQ(0, pthread_barrier_init(&c.start, NULL, 2));
	ASSERT_EQ(0, pthread_create(&thread, NULL, close_while_binding, &c));
	for (c.round = 0; c.round < rounds; c.round++) {
		irqx_eventfds(c.fds, NR_CLOSED);
		for (i = 0; i < NR_CLOSED; i++)
			self->irqfds[i].fd = c.fds[i];
		pthread_barrier_wait(&c.start);
		err = __irqx_assign(self->ctx, self->irqfds, NR_CLOSED, &index);
		pthread_barrier_wait(&c.start);
		if (err) {
			ASSERT_EQ(EBADF, err);
			ASSERT_GT(NR_CLOSED, index);
		} else {
			ASSERT_EQ(NR_CLOSED, index);
			bound++;
		}
		ASSERT_TRUE(irqx_wait_irqfds(self->ctx, 0));
	}
	TH_LOG("all bound in %u of %u rounds", bound, rounds);
	c.stop = true;
	pthread_barrier_wait(&c.start);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&c.start);
	EXPECT_EQ(0, irqx_stats(self->ctx).events);

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
	self->irqfds[6].flags = KVM_IRQFD_DIRECT_RESAMPLE;
	EXPECT_EQ(EBADF, __irqx_assign(self->ctx, self->irqfds, NR, &index));
	EXPECT_EQ(6, index);
	expect_none(_metadata, self, 0);
}

TEST_F(assign, bad_binding_einval)
{
	struct kvm_irqfd_direct good = self->irqfds[9], bad[8];
	uint32_t i, index;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = good;
	bad[0].flags = KVM_IRQFD_DIRECT_DEASSIGN;
	bad[1].flags = KVM_IRQFD_DIRECT_MODIFY;
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
	self->irqfds[9].flags = KVM_IRQFD_DIRECT_RESAMPLE;
	self->irqfds[9].resamplefd = self->fds[8];
	EXPECT_EQ(EINVAL, __irqx_assign(self->ctx, self->irqfds, NR, &index));
	EXPECT_EQ(9, index);
	expect_none(_metadata, self, 0);
}

TEST_F(assign, arguments_einval)
{
	uint32_t max = irqx_info(self->ctx).max_batch, index, i;
	struct kvm_irqfd_direct *many = calloc(max + 1, sizeof(*many));
	struct {
		struct kvm_irqx_assign assign;
		struct kvm_irqfd_direct irqfd;
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
	size_t size = sizeof(struct kvm_irqx_assign) + sizeof(struct kvm_irqfd_direct);
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

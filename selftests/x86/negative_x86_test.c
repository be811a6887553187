// SPDX-License-Identifier: GPL-2.0
/*
 * As negative_test: errors of what only x86 can say in an entry, or lacks.
 */
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "irqx_util.h"
#include "irqx_harness.h"

#define DIRECT_IRQ	0x40
#define OTHER_IRQ	0x50

static bool context_is_empty(int ctx)
{
	struct kvm_irqx_stats stats = irqx_stats(ctx);

	return !stats.events && !stats.irqfds && !stats.gsis;
}

FIXTURE(negative)
{
	struct irqx_guest *g;
	int ctx;
	int direct;		/* an eventfd with its own entry */
	int spare;		/* one that is not bound */
};

FIXTURE_SETUP(negative)
{
	self->g = irqx_guest_create(1);
	self->ctx = self->g->ctx;
	self->direct = irqx_eventfd(0, 0);
	self->spare = irqx_eventfd(0, 0);
	irqx_bind(self->ctx, self->direct, irqx_entry(self->g, 0, DIRECT_IRQ));
	irqx_guest_start(self->g);
}

FIXTURE_TEARDOWN(negative)
{
	irqx_fire(self->spare);
	irqx_fire(self->direct);
	irqx_expect(self->g, 0, DIRECT_IRQ, 1);
	irqx_check(self->g);
	EXPECT_EQ(1, irqx_eventfd_take(self->spare));
	irqx_guest_free(self->g);
}

TEST_F(negative, pin_with_split_irqchip_einval)
{
	struct kvm_vm *vm = vm_create_barebones();
	int fd = irqx_eventfd(0, 0);
	int ctx = irqx_context(vm);

	vm_enable_cap(vm, KVM_CAP_SPLIT_IRQCHIP, 24);
	EXPECT_EQ(EINVAL, __irqx_bind(ctx, fd, irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 4)));
	EXPECT_EQ(EINVAL, __irqx_bind(ctx, fd, irqx_pin_entry(KVM_IRQCHIP_PIC_MASTER, 4)));
	EXPECT_EQ(EINVAL, __irqx_route_set(ctx, 0, irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 4)));
	EXPECT_TRUE(context_is_empty(ctx));

	EXPECT_EQ(0, __irqx_bind(ctx, fd, irqx_entry(self->g, 0, 0x50)));
	EXPECT_EQ(EINVAL, __irqx_modify(ctx, fd, irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 4)));
	close(ctx);
	close(fd);
	kvm_vm_free(vm);
}

TEST_F(negative, entry_address_hi_einval)
{
	struct irqx_guest *g = __irqx_guest_create(1, NULL,
						   IRQX_GUEST_ARCH_X2APIC_IDS);
	struct kvm_irq_routing_entry entry = irqx_entry(g, 0, OTHER_IRQ);
	int fd = irqx_eventfd(0, 0);

	irqx_bind(g->ctx, fd, irqx_entry(g, 0, DIRECT_IRQ));
	entry.u.msi.address_hi |= 1;
	EXPECT_EQ(EINVAL, __irqx_bind(g->ctx, self->spare, entry));
	EXPECT_EQ(EINVAL, __irqx_modify(g->ctx, fd, entry));
	EXPECT_EQ(EINVAL, __irqx_route_set(g->ctx, 0, entry));
	EXPECT_EQ(EINVAL, __irqx_set_gsi_routing(g->ctx, &entry, 1));
	entry.u.msi.address_hi = 0xff;
	EXPECT_EQ(EINVAL, __irqx_modify(g->ctx, fd, entry));

	irqx_guest_start(g);
	irqx_fire(fd);
	irqx_expect(g, 0, DIRECT_IRQ, 1);
	irqx_check(g);
	irqx_guest_free(g);

	/* Without 32-bit ids nobody looks at it. */
	entry = irqx_entry(self->g, 0, DIRECT_IRQ);
	entry.u.msi.address_hi = 1;
	EXPECT_EQ(0, __irqx_modify(self->ctx, self->direct, entry));
}

/*
 * ---- Calls of 32-bit programs ----
 */

/* Return: as the kernel's, 0 or -errno. */
static int compat_ioctl(int fd, unsigned long cmd, void *arg)
{
	long ret = 54;

	asm volatile("int $0x80" : "+a"(ret)
		     : "b"(fd), "c"(cmd), "d"(arg)
		     : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

static void no_compat(int sig)
{
	_exit(sig);
}

static int try_compat(void *arg)
{
	/* Else the kernel's log has a line about it. */
	signal(SIGSEGV, no_compat);
	return compat_ioctl(-1, 0, arg) != -EBADF;
}

TEST_F(negative, compat_calls)
{
	struct {
		struct kvm_irqx_info info;
		struct kvm_irqx_stats stats;
		struct kvm_irqx_attach attach;
		struct kvm_irqx_irqfd_direct direct;
		struct kvm_irqx_batch batch;
		struct kvm_irqx_error error;
		struct kvm_irqx_op ops[2];
	} *low;
	int ctx = irqx_open(), fd = irqx_eventfd(0, 0);

	if (irqx_in_child(try_compat, NULL))
		SKIP(return, "this kernel runs no 32-bit programs");
	low = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ASSERT_NE(MAP_FAILED, low);

	low->info.argsz = sizeof(low->info);
	EXPECT_EQ(0, compat_ioctl(ctx, KVM_IRQX_GET_INFO, &low->info));
	EXPECT_EQ(sizeof(low->info), low->info.argsz);
	EXPECT_EQ(KVM_IRQX_ABI_VERSION, low->info.abi);
	EXPECT_EQ(irqx_info(ctx).features, low->info.features);
	low->attach.vm_fd = self->g->vm->fd;
	EXPECT_EQ(0, compat_ioctl(ctx, KVM_IRQX_ATTACH, &low->attach));

	low->direct.fd = self->spare;
	low->direct.entry = irqx_entry(self->g, 0, OTHER_IRQ);
	low->direct.error = (uintptr_t)&low->error;
	low->error.argsz = sizeof(low->error);
	EXPECT_EQ(0, compat_ioctl(ctx, KVM_IRQX_IRQFD_DIRECT, &low->direct));
	irqx_fire_at(self->g, self->spare, 0, OTHER_IRQ);
	EXPECT_EQ(-EBUSY, compat_ioctl(ctx, KVM_IRQX_IRQFD_DIRECT, &low->direct));
	EXPECT_EQ(KVM_IRQX_REASON_BOUND, low->error.reason);

	low->ops[0] = (struct kvm_irqx_op){
		.op = KVM_IRQX_OP_DEASSIGN,
		.fd = self->spare,
	};
	low->ops[1] = (struct kvm_irqx_op){
		.op = KVM_IRQX_OP_ASSIGN,
		.fd = fd,
		.entry = irqx_entry(self->g, 0, OTHER_IRQ + 1),
	};
	low->batch = irqx_batch_of(low->ops, 2);
	low->batch.error = (uintptr_t)&low->error;
	EXPECT_EQ(0, compat_ioctl(ctx, KVM_IRQX_BATCH, &low->batch));
	irqx_fire_at(self->g, fd, 0, OTHER_IRQ + 1);
	low->ops[0].fd = -1;
	EXPECT_EQ(-EBADF, compat_ioctl(ctx, KVM_IRQX_BATCH, &low->batch));
	EXPECT_EQ(0, low->batch.index);
	EXPECT_EQ(KVM_IRQX_REASON_NOT_OPEN, low->error.reason);

	low->stats.argsz = sizeof(low->stats);
	EXPECT_EQ(0, compat_ioctl(ctx, KVM_IRQX_GET_STATS, &low->stats));
	EXPECT_EQ(2, low->stats.events);
	EXPECT_EQ(1, low->stats.irqfds);
	munmap(low, getpagesize());
	close(ctx);
	close(fd);
}

TEST_HARNESS_MAIN

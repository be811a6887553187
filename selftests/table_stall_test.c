// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU waits inside KVM for a page that userspace does not serve, and so does whoever puts
 * something on KVM's bus, or takes it off.  What may wait for that, and what goes on.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "irqx_blocked.h"
#include "irqx_pages.h"
#include "irqx_table.h"
#include "irqx_harness.h"

#define IRQ_A	(IRQX_IRQ_MIN + 5)
#define IRQ_B	(IRQX_IRQ_MIN + 9)
#define NR	16
#define VECTOR	3

#define SLOT		5
#define SLOT_GPA	(IRQX_TABLE_GPA + 0x10000000)
#define NR_PAGES	1
#define SPARE_GPA	(IRQX_TABLE_GPA + 0x10000)
#define FREE_GPA	(IRQX_TABLE_GPA + 0x20000)
#define FILL_GPA	(IRQX_TABLE_GPA + 0x100000)

void irqx_guest_wait(void)
{
	irqx_table_guest();
}

void irqx_vcpu_exit(struct irqx_vcpu *v)
{
	irqx_table_exit(v);
}

/* Not running; vCPU 0 is the one that will wait. */
static struct irqx_guest *guest_create(struct irqx_pages *pages)
{
	struct irqx_guest *g = irqx_table_guest_create(2);
	uint32_t nr = NR_PAGES * getpagesize() / g->vm->page_size;

	irqx_pages_map(pages, NULL);
	vm_set_user_memory_region(g->vm, SLOT, 0, SLOT_GPA, pages->size, pages->mem);
	virt_map(g->vm, SLOT_GPA, SLOT_GPA, nr);
	return g;
}

/* When it returns it has had the time to get there. */
static void hold(struct irqx_guest *g)
{
	irqx_guest_touch_start(g, 0, SLOT_GPA);
	usleep(100000);
	TEST_ASSERT(irqx_guest_is_busy(g, 0), "the vCPU does not wait");
}

static struct irqx_table spare_table(int ctx)
{
	struct irqx_table table = {
		.nr = 1, .entries = SPARE_GPA, .pba = SPARE_GPA + 0x1000,
	};

	irqx_assert(__irqx_table_create(ctx, &table, IRQX_TABLE_ON, KVM_IRQX_NO_FD));
	return table;
}

/* A VM beside it: its table is moved, made, given back, and set by its guest. */
static void other_vm_goes_on(struct irqx_guest *g)
{
	struct irqx_table table = irqx_table_create(g->ctx, NR);
	uint64_t start = irqx_now_ns();
	int fd = irqx_eventfd(0, 0);
	uint32_t i;

	irqx_bind(g->ctx, fd, irqx_vector_entry(&table, VECTOR));
	for (i = 0; i < 4; i++) {
		irqx_table_move(&table, i % 2 ? IRQX_TABLE_GPA : FREE_GPA, SPARE_GPA);
		/* From 7.3 on KVM lets an access pass for a moment. */
		irqx_wait_until((irqx_vector_mask(g, 0, &table, VECTOR, true),
				 irqx_vector_get(&table, VECTOR).control), IRQX_SOON_MS);
		irqx_vector_program(g, 0, &table, VECTOR, irqx_vector_message(g, 1, IRQ_A));
		irqx_fire_at(g, fd, 1, IRQ_A);
	}
	irqx_unbind(g->ctx, fd);
	irqx_table_destroy(&table);
	TEST_ASSERT(irqx_ms_since(start) < 2 * IRQX_SOON_MS, "it took %lu ms",
		    irqx_ms_since(start));
	close(fd);
}

FIXTURE(table_stall)
{
	struct irqx_pages *pages;
	struct irqx_guest *g;
	struct irqx_table table, spare;
	int fd, refs;
};

FIXTURE_VARIANT(table_stall)
{
	enum irqx_pages_kind kind;
};

FIXTURE_VARIANT_ADD(table_stall, missing) {
	.kind = IRQX_PAGES_MISSING,
};

FIXTURE_VARIANT_ADD(table_stall, fuse) {
	.kind = IRQX_PAGES_FUSE,
};

FIXTURE_SETUP(table_stall)
{
	if (!irqx_takes_tables())
		SKIP(return, "no ITS");
	self->refs = irqx_module_refs();
	self->pages = irqx_pages_create(variant->kind, NR_PAGES);
	if (!self->pages)
		SKIP(return, "this kernel has no such pages");
	self->g = guest_create(self->pages);
	self->table = irqx_table_create(self->g->ctx, NR);
	self->spare = spare_table(self->g->ctx);
	self->fd = irqx_eventfd(0, 0);
	irqx_bind(self->g->ctx, self->fd, irqx_vector_entry(&self->table, VECTOR));
	irqx_guest_start(self->g);
	irqx_vector_program(self->g, 0, &self->table, VECTOR,
			    irqx_vector_message(self->g, 1, IRQ_A));
}

FIXTURE_TEARDOWN(table_stall)
{
	if (!self->pages)
		return;
	irqx_guest_free(self->g);
	irqx_pages_free(self->pages);
	if (self->refs >= 0) {
		EXPECT_TRUE(irqx_wait_module_refs(self->refs));
	}
}

static int create(void *arg)
{
	struct irqx_table table = {
		.nr = 1, .entries = FREE_GPA, .pba = FREE_GPA + 0x1000,
	};

	return __irqx_table_create(*(int *)arg, &table, IRQX_TABLE_ON, KVM_IRQX_NO_FD);
}

static int move(void *arg)
{
	struct irqx_table table = *(struct irqx_table *)arg;

	return __irqx_table_move(&table, FREE_GPA + 0x4000, FREE_GPA + 0x5000);
}

/* A call by another process, which is killed in it. */
static void expect_killed(int (*call)(void *arg), void *arg)
{
	uint64_t start;
	int status;
	pid_t pid;

	pid = fork();
	TEST_ASSERT(pid >= 0, "fork: %s", strerror(errno));
	if (!pid)
		_exit(call(arg));
	usleep(200000);
	TEST_ASSERT(waitpid(pid, &status, WNOHANG) == 0, "it does not wait: %x", status);
	start = irqx_now_ns();
	kill(pid, SIGKILL);
	TEST_ASSERT(irqx_wait_until(waitpid(pid, &status, WNOHANG) == pid, IRQX_SOON_MS),
		    "it is not killed after %lu ms", irqx_ms_since(start));
	TEST_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "ended with %x", status);
}

/* Tables of a context of their own take all of KVM's bus, but for the places of one. */
static int fill_bus(struct irqx_guest *g)
{
	int ctx = irqx_context(g->vm), err = 0;
	struct irqx_table last = {}, table = {};
	uint32_t n;

	for (n = 0; !err; n++) {
		last = table;
		table = (struct irqx_table){
			.nr = 1, .entries = FILL_GPA + n * 32, .pba = FILL_GPA + n * 32 + 16,
		};
		err = __irqx_table_create(ctx, &table, IRQX_TABLE_ON, KVM_IRQX_NO_FD);
	}
	TEST_ASSERT(err == ENOSPC && n > 1, "table %u: errno %d", n, err);
	irqx_table_destroy(&last);
	return ctx;
}

/* What is to come off the bus waits for the vCPU, and so what comes after it does. */
TEST_F_TIMEOUT(table_stall, create_and_move_are_killed, 90)
{
	struct irqx_guest *g = self->g;
	int others = fill_bus(g);

	hold(g);
	irqx_table_destroy(&self->spare);
	expect_killed(create, &g->ctx);
	expect_killed(move, &self->table);

	/* It is where it was. */
	irqx_vector_program(g, 1, &self->table, VECTOR, irqx_vector_message(g, 1, IRQ_B));
	irqx_fire_at(g, self->fd, 1, IRQ_B);
	irqx_pages_serve(self->pages);
	irqx_guest_join(g, 0);
	/*
	 * Those that were killed hold no place: there is room for these two, and no more.  They
	 * are elsewhere, since what does not answer gives way to what comes to its addresses.
	 */
	self->spare = spare_table(g->ctx);
	irqx_table_move(&self->table, FREE_GPA + 0x8000, FREE_GPA + 0x9000);
	close(others);
	EXPECT_EQ(create(&g->ctx), 0);
	EXPECT_EQ(move(&self->table), 0);
	EXPECT_EQ(irqx_exits.nr, 0);
}

TEST_F_TIMEOUT(table_stall, others_do_not_wait, 90)
{
	struct irqx_guest *g = self->g, *other;
	int second = irqx_context(g->vm), fd = irqx_eventfd(0, 0);
	struct irqx_vector_message a = irqx_vector_message(g, 1, IRQ_A);
	struct irqx_vector_message b = irqx_vector_message(g, 1, IRQ_B);
	struct irqx_blocked call = { .call = create, .arg = &second };
	struct kvm_irqx_vector state;
	uint64_t start;

	hold(g);
	start = irqx_now_ns();
	irqx_table_destroy(&self->spare);
	irqx_blocked_start(&call);
	EXPECT_TRUE(irqx_is_blocked(&call));

	/* The calls, in this context and in that of the call that waits. */
	irqx_table_set_flags(&self->table, IRQX_TABLE_ON | KVM_IRQX_TABLE_MASKED);
	irqx_fire(self->fd);
	irqx_expect(g, 1, IRQ_A, 1);
	irqx_table_set_flags(&self->table, IRQX_TABLE_ON);
	irqx_wait_count(g, 1, IRQ_A, 1);
	state = irqx_vector_get(&self->table, VECTOR);
	state.data = b.data;
	state.address_lo = b.address;
	irqx_vector_put(&self->table, VECTOR, state);
	irqx_fire_at(g, self->fd, 1, IRQ_B);
	irqx_bind(second, fd, irqx_entry(g, 1, IRQ_A));
	irqx_fire_at(g, fd, 1, IRQ_A);
	irqx_unbind(second, fd);
	irqx_unbind(g->ctx, self->fd);
	irqx_bind(g->ctx, self->fd, irqx_vector_entry(&self->table, VECTOR));
	/* The other vCPU. */
	irqx_vector_program(g, 1, &self->table, VECTOR, a);
	irqx_fire_at(g, self->fd, 1, IRQ_A);
	EXPECT_FALSE(irqx_vector_pending(g, 1, &self->table, VECTOR));
	EXPECT_GT(2 * IRQX_SOON_MS, irqx_ms_since(start));
	EXPECT_TRUE(irqx_is_blocked(&call));

	other = irqx_table_guest_create(2);
	irqx_guest_start(other);
	other_vm_goes_on(other);
	irqx_guest_free(other);
	EXPECT_TRUE(irqx_is_blocked(&call));

	irqx_pages_serve(self->pages);
	EXPECT_EQ(irqx_blocked_join(&call), 0);
	irqx_guest_join(g, 0);
	irqx_check(g);
	close(second);
}

/* A table given back and a context closed, one after the other. */
TEST_F_TIMEOUT(table_stall, close_does_not_wait, 90)
{
	struct irqx_guest *g = self->g;
	uint64_t start;

	hold(g);
	start = irqx_now_ns();
	irqx_unbind(g->ctx, self->fd);
	irqx_table_destroy(&self->table);
	close(g->ctx);
	EXPECT_GT(IRQX_SOON_MS, irqx_ms_since(start));
	/* The place is free at once. */
	g->ctx = irqx_context(g->vm);
	start = irqx_now_ns();
	irqx_bind(g->ctx, self->fd, irqx_entry(g, 1, IRQ_B));
	irqx_fire_at(g, self->fd, 1, IRQ_B);
	EXPECT_GT(IRQX_SOON_MS, irqx_ms_since(start));

	irqx_pages_serve(self->pages);
	irqx_guest_join(g, 0);
	if (self->refs >= 0) {
		EXPECT_TRUE(irqx_wait_module_refs(self->refs + 1));
	}
	/* Off the bus: the VMM gets it. */
	irqx_mmio_read(g, 0, IRQX_TABLE_GPA, 4);
	EXPECT_EQ(irqx_exits.nr, 1);
}

struct unmapped {
	int ctx;
	struct kvm_irqx_table *args;
};

static int create_by(void *arg)
{
	struct unmapped *unmapped = arg;

	return __irqx_ioctl(unmapped->ctx, KVM_IRQX_TABLE, unmapped->args);
}

/* There is nowhere to say its number: then there is no table. */
TEST_F_TIMEOUT(table_stall, argument_is_gone, 90)
{
	struct irqx_guest *g = self->g;
	struct unmapped unmapped = { .ctx = g->ctx };
	struct irqx_blocked call = { .call = create_by, .arg = &unmapped };
	struct kvm_irqx_table *args;

	args = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	ASSERT_NE(args, MAP_FAILED);
	*args = (struct kvm_irqx_table){
		.op = KVM_IRQX_TABLE_CREATE,
		.flags = IRQX_TABLE_ON,
		.nr = 1,
		.devid = irqx_table_devid(),
		.changefd = KVM_IRQX_NO_FD,
		.entries = FREE_GPA,
		.pba = FREE_GPA + 0x1000,
	};
	unmapped.args = args;
	hold(g);
	irqx_table_destroy(&self->spare);
	irqx_blocked_start(&call);
	ASSERT_TRUE(irqx_is_blocked(&call));
	munmap(args, getpagesize());
	irqx_pages_serve(self->pages);
	EXPECT_EQ(irqx_blocked_join(&call), EFAULT);
	irqx_guest_join(g, 0);
	EXPECT_EQ(create(&g->ctx), 0);
}

/*
 * ---- The end of a VMM ----
 */

struct attack {
	struct irqx_pages *pages;
	bool alone;		/* without the module */
};

static void attacker(void *arg, int ready)
{
	struct attack *attack = arg;
	struct irqx_guest *g = guest_create(attack->pages);
	struct irqx_blocked call = { .call = create };
	int fd = irqx_eventfd(0, 0);
	struct irqx_table table, spare;

	if (attack->alone) {
		close(g->ctx);
		g->ctx = -1;
		irqx_irqfd(g->vm->fd, fd, 5, 0);
		irqx_guest_start(g);
		hold(g);
	} else {
		table = irqx_table_create(g->ctx, NR);
		spare = spare_table(g->ctx);
		irqx_bind(g->ctx, fd, irqx_vector_entry(&table, VECTOR));
		irqx_guest_start(g);
		irqx_vector_program(g, 0, &table, VECTOR, irqx_vector_message(g, 1, IRQ_A));
		hold(g);
		irqx_table_destroy(&spare);
		call.arg = &g->ctx;
		irqx_blocked_start(&call);
		irqx_vector_moves_start(g, 1, &table, VECTOR, irqx_vector_message(g, 1, IRQ_A),
					irqx_vector_message(g, 1, IRQ_B), ~0ULL);
	}
	irqx_fire(fd);
	irqx_attack_stay(ready);
}

/* Return: how long SIGKILL took, in ms. */
static uint64_t attack(struct attack *attack, struct irqx_guest *victim)
{
	pid_t pid = irqx_attack_start(attacker, attack);

	other_vm_goes_on(victim);
	return irqx_attack_end(pid);
}

FIXTURE(killed)
{
	struct irqx_pages *pages;
	struct irqx_guest *victim;
	int refs;
};

FIXTURE_VARIANT(killed)
{
	enum irqx_pages_kind kind;
};

FIXTURE_VARIANT_ADD(killed, missing) {
	.kind = IRQX_PAGES_MISSING,
};

FIXTURE_VARIANT_ADD(killed, fuse) {
	.kind = IRQX_PAGES_FUSE,
};

FIXTURE_SETUP(killed)
{
	if (!irqx_takes_tables())
		SKIP(return, "no ITS");
	self->refs = irqx_module_refs();
	self->pages = irqx_pages_create(variant->kind, NR_PAGES);
	if (!self->pages)
		SKIP(return, "this kernel has no such pages");
	self->victim = irqx_table_guest_create(2);
	irqx_guest_start(self->victim);
}

FIXTURE_TEARDOWN(killed)
{
	if (!self->pages)
		return;
	irqx_guest_free(self->victim);
	irqx_pages_free(self->pages);
	if (self->refs >= 0) {
		EXPECT_TRUE(irqx_wait_module_refs(self->refs));
	}
}

/* As soon as one that does not use the module; and nothing of it is left. */
TEST_F_TIMEOUT(killed, as_without_the_module, 120)
{
	struct attack args = { .pages = self->pages, .alone = true };
	uint64_t ms, alone_ms;

	alone_ms = attack(&args, self->victim);
	args.alone = false;
	ms = attack(&args, self->victim);
	TH_LOG("ended after %lu ms, without the module %lu", ms, alone_ms);
	EXPECT_GT(alone_ms + 1000 * irqx_slowness(), ms);
	if (self->refs >= 0) {
		EXPECT_TRUE(irqx_wait_until(irqx_module_refs() == self->refs + 1,
					    IRQX_SOON_MS));
	}
	other_vm_goes_on(self->victim);
}

TEST_HARNESS_MAIN

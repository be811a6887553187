// SPDX-License-Identifier: GPL-2.0
/*
 * Nobody waits for an unrelated VM: pages of a guest that userspace does not serve (a FUSE
 * file, a userfaultfd), and what goes on all the same.
 *
 * The page that is waited for is one of event flags, which the module writes to itself, or
 * the shared-info page of a Xen guest, which KVM does.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "irqx_blocked.h"
#include "irqx_pages.h"
#include "irqx_table.h"
#include "irqx_synic.h"
#include "irqx_xen.h"
#include "irqx_harness.h"

#define SINT		5
#define VECTOR		(IRQX_SINT_VECTOR + SINT)
#define SLOT		5
#define SLOT_GPA	0x40000000ULL
#define OTHER_GPA	(SLOT_GPA + 0x100000)
#define OTHER_SLOT	(SLOT + 1)
#define NR_PAGES	300

static void add_slot(struct kvm_vm *vm, struct irqx_pages *pages)
{
	vm_set_user_memory_region(vm, SLOT, 0, SLOT_GPA, pages->size, pages->mem);
}

/*
 * The shared-info page is the first of @pages.  KVM writes to it when it is named, so it is
 * memory like any other until then.
 */
static void add_shared_info(struct irqx_guest *g, struct irqx_pages *pages)
{
	void *mem = mmap(NULL, pages->size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	TEST_ASSERT(mem != MAP_FAILED, "mmap: %s", strerror(errno));
	vm_set_user_memory_region(g->vm, SLOT, 0, SLOT_GPA, pages->size, mem);
	irqx_xen_init(g);
	irqx_xen_set_shared_info(g, SLOT_GPA);
	irqx_pages_map(pages, mem);
}

/* A pin of another VM is raised, every time. */
static bool pins_work(struct irqx_guest *g, int fd, uint32_t n)
{
	uint64_t before;

	while (n--) {
		before = irqx_count(g, 0, 0x45);
		irqx_fire(fd);
		if (!irqx_wait_until(irqx_count(g, 0, 0x45) > before, IRQX_SOON_MS))
			return false;
	}
	return true;
}

struct victim {
	struct irqx_guest *g;
	int fd;
};

static struct victim victim_create(void)
{
	struct victim victim = { irqx_guest_create(1), irqx_eventfd(0, 0) };

	irqx_bind(victim.g->ctx, victim.fd,
		  irqx_slow_entry(victim.g, 0, 0, 0x45));
	irqx_guest_start(victim.g);
	return victim;
}

static void victim_free(struct victim *victim)
{
	irqx_guest_free(victim->g);
	close(victim->fd);
}

FIXTURE(stall) {
	struct irqx_pages *pages;
	struct irqx_synic *s;
	struct irqx_guest *g;
	int fd, other, pin;
};

FIXTURE_VARIANT(stall) {
	enum irqx_pages_kind kind;
};

FIXTURE_VARIANT_ADD(stall, fuse) {
	.kind = IRQX_PAGES_FUSE,
};

FIXTURE_VARIANT_ADD(stall, fuse_sync) {
	.kind = IRQX_PAGES_FUSE_SYNC,
};

FIXTURE_VARIANT_ADD(stall, missing) {
	.kind = IRQX_PAGES_MISSING,
};

FIXTURE_VARIANT_ADD(stall, minor) {
	.kind = IRQX_PAGES_MINOR,
};

FIXTURE_VARIANT_ADD(stall, protected) {
	.kind = IRQX_PAGES_PROTECTED,
};

FIXTURE_SETUP(stall)
{
	self->pages = irqx_pages_create(variant->kind, 4);
	if (!self->pages)
		SKIP(return, "this kernel has no such pages");
	irqx_pages_map(self->pages, NULL);
	self->s = irqx_synic_create(2, 0);
	self->g = self->s->g;
	self->fd = irqx_eventfd(0, 0);
	self->other = irqx_eventfd(0, 0);
	self->pin = irqx_eventfd(0, 0);
	add_slot(self->g->vm, self->pages);
	irqx_synic_start(self->s);
	irqx_sint_set_all(self->s, 0);
	irqx_synic_page(self->g->ctx, 0, SLOT_GPA);
	irqx_bind_flag(self->g->ctx, self->fd, irqx_sint_entry(0, SINT), 3);
	irqx_bind(self->g->ctx, self->other, irqx_entry(self->g, 0, 0x41));
	irqx_bind(self->g->ctx, self->pin, irqx_slow_entry(self->g, 1, 0, 0x46));
}

FIXTURE_TEARDOWN(stall)
{
	irqx_synic_free(self->s);
	irqx_pages_free(self->pages);
}

/* Two writes are one interrupt, once the page is there. */
TEST_F_TIMEOUT(stall, served, 60)
{
	irqx_fire(self->fd);
	irqx_fire(self->fd);
	usleep(50000);
	EXPECT_EQ(0, irqx_count(self->g, 0, VECTOR));
	irqx_pages_serve(self->pages);
	irqx_wait_count(self->g, 0, VECTOR, 1);
	irqx_settle(self->g->ctx);
	irqx_fence(self->g);
	EXPECT_EQ(1, irqx_count(self->g, 0, VECTOR));
	EXPECT_TRUE(irqx_flag_test((void *)self->pages->mem, SINT, 3));
	EXPECT_EQ(0, irqx_stats(self->g->ctx).refused);
}

/* Other events of the context, and changes of other bindings. */
TEST_F_TIMEOUT(stall, context_goes_on, 60)
{
	struct irqx_guest *g = self->g;
	uint64_t start;

	irqx_fire(self->fd);
	usleep(20000);

	start = irqx_now_ns();
	irqx_modify(g->ctx, self->other, irqx_entry(g, 1, 0x42));
	irqx_fire(self->other);
	irqx_wait_count(g, 1, 0x42, 1);
	irqx_fire(self->pin);
	irqx_wait_count(g, 0, 0x46, 1);
	irqx_modify(g->ctx, self->pin, irqx_slow_entry(g, 2, 1, 0x47));
	irqx_fire(self->pin);
	irqx_wait_count(g, 1, 0x47, 1);
	irqx_route_set(g->ctx, 77, irqx_entry(g, 0, 0x43));
	irqx_unbind(g->ctx, self->other);
	EXPECT_GT(IRQX_SOON_MS, irqx_ms_since(start));
	EXPECT_EQ(0, irqx_count(g, 0, VECTOR));
}

/*
 * The event flag of another VP, in memory that is there as soon as somebody asks.  The pager
 * must not be at the page of @kind any more.
 */
static void expect_other_page(struct irqx_guest *g, enum irqx_pages_kind kind)
{
	int fd = irqx_eventfd(0, 0);

	/* A read that a FUSE server has begun on cannot be broken off, by anybody. */
	if (kind == IRQX_PAGES_FUSE_SYNC)
		return;
	vm_userspace_mem_region_add(g->vm, VM_MEM_SRC_ANONYMOUS, OTHER_GPA,
				    OTHER_SLOT, 1, 0);
	irqx_synic_page(g->ctx, 1, OTHER_GPA);
	irqx_bind_flag(g->ctx, fd, irqx_sint_entry(1, SINT), 4);
	TEST_ASSERT(!madvise(addr_gpa2hva(g->vm, OTHER_GPA), getpagesize(),
			     MADV_DONTNEED), "MADV_DONTNEED");
	irqx_fire(fd);
	irqx_wait_count(g, 1, VECTOR, 1);
}

/* The event that waits is put back, and another binding takes it. */
TEST_F_TIMEOUT(stall, deassign, 60)
{
	struct irqx_guest *g = self->g;
	uint64_t start = irqx_now_ns();

	irqx_fire(self->fd);
	usleep(20000);
	irqx_unbind(g->ctx, self->fd);
	EXPECT_GT(IRQX_SOON_MS, irqx_ms_since(start));
	irqx_bind(g->ctx, self->fd, irqx_entry(g, 0, 0x43));
	irqx_wait_count(g, 0, 0x43, 1);
	expect_other_page(g, variant->kind);
	irqx_pages_serve(self->pages);
	irqx_fence(g);
	EXPECT_EQ(0, irqx_count(g, 0, VECTOR));
	EXPECT_EQ(1, irqx_count(g, 0, 0x43));
	EXPECT_EQ(0, irqx_stats(g->ctx).refused);
}

/* An event that waits goes along. */
TEST_F_TIMEOUT(stall, modify, 60)
{
	struct irqx_guest *g = self->g;
	uint64_t start = irqx_now_ns();

	irqx_fire(self->fd);
	usleep(20000);
	irqx_modify(g->ctx, self->fd, irqx_entry(g, 1, 0x43));
	irqx_wait_count(g, 1, 0x43, 1);
	EXPECT_GT(IRQX_SOON_MS, irqx_ms_since(start));
	expect_other_page(g, variant->kind);
	irqx_pages_serve(self->pages);
	irqx_fence(g);
	EXPECT_EQ(0, irqx_count(g, 0, VECTOR));
}

/* Closing does not wait, and nothing comes after it. */
TEST_F_TIMEOUT(stall, close, 60)
{
	struct irqx_guest *g = self->g;
	uint64_t start;
	int ctx;

	irqx_fire(self->fd);
	usleep(20000);
	ctx = g->ctx;
	g->ctx = -1;
	start = irqx_now_ns();
	close(ctx);
	EXPECT_GT(IRQX_SOON_MS, irqx_ms_since(start));
	irqx_pages_serve(self->pages);
	g->ctx = irqx_context(g->vm);
	irqx_fence(g);
	EXPECT_EQ(0, irqx_count(g, 0, VECTOR));
	EXPECT_EQ(1, irqx_eventfd_take(self->fd));
}

#define NR_SLOW	16

FIXTURE(slow) {
	struct irqx_pages *pages;
	struct irqx_synic *s;
};

FIXTURE_SETUP(slow)
{
	self->pages = irqx_pages_create(IRQX_PAGES_FUSE_SLOW, NR_SLOW + 1);
	if (!self->pages)
		SKIP(return, "no FUSE");
	irqx_pages_map(self->pages, NULL);
	self->s = irqx_synic_create(2, 0);
	add_slot(self->s->g->vm, self->pages);
	irqx_synic_start(self->s);
	irqx_sint_set_all(self->s, 0);
}

FIXTURE_TEARDOWN(slow)
{
	irqx_synic_free(self->s);
	irqx_pages_free(self->pages);
}

/* Pages come late, one after the other: each event waits for its own, and nothing else does. */
TEST_F_TIMEOUT(slow, each_for_its_own, 120)
{
	struct irqx_guest *g = self->s->g;
	int fds[2], pin = irqx_eventfd(0, 0);
	uint64_t start, pins = 0;
	uint32_t i, k;

	irqx_eventfds(fds, 2);
	irqx_bind(g->ctx, pin, irqx_slow_entry(g, 1, 0, 0x46));
	for (i = 0; i < NR_SLOW; i++) {
		irqx_synic_page(g->ctx, i % 2, SLOT_GPA + i * PAGE_SIZE);
		if (i < 2)
			irqx_bind_flag(g->ctx, fds[i], irqx_sint_entry(i, SINT), 3);
		irqx_fire(fds[i % 2]);
		if (!(i % 2))
			continue;
		start = irqx_now_ns();
		for (k = 0; k < 5; k++) {
			irqx_fire(pin);
			irqx_wait_count(g, 0, 0x46, i / 2 * 5 + k + 1);
		}
		pins += irqx_ms_since(start);
		irqx_wait_count(g, 0, VECTOR, i / 2 + 1);
		irqx_wait_count(g, 1, VECTOR, i / 2 + 1);
		EXPECT_TRUE(irqx_flag_test((void *)(self->pages->mem + i * PAGE_SIZE),
					   SINT, 3));
	}
	/* Behind a page each they would take 200 ms. */
	EXPECT_GT(IRQX_SOON_MS, pins);

	irqx_synic_page(g->ctx, 0, SLOT_GPA + NR_SLOW * PAGE_SIZE);
	irqx_fire(fds[0]);
	irqx_unbind(g->ctx, fds[0]);
	irqx_settle(g->ctx);
	irqx_fence(g);
	EXPECT_EQ(NR_SLOW / 2, irqx_count(g, 0, VECTOR));
	EXPECT_EQ(1, irqx_eventfd_take(fds[0]));
	EXPECT_EQ(0, irqx_stats(g->ctx).refused);
	close(pin);
}

/*
 * ---- An attacker in a process of its own ----
 */

struct attack {
	struct irqx_pages *pages;
	bool by_xen;
	bool alone;		/* with KVM's own irqfds, or none */
};

/* Has the module, and with @by_xen KVM, wait for each page that it can. */
static void attacker(void *arg, int ready)
{
	struct attack *attack = arg;
	static int fds[NR_PAGES];
	struct irqx_guest *g;
	struct irqx_synic *s;
	uint32_t i;

	irqx_eventfds(fds, NR_PAGES);
	if (attack->by_xen) {
		g = irqx_guest_create(2);
		add_shared_info(g, attack->pages);
		irqx_guest_start(g);
	} else {
		irqx_pages_map(attack->pages, NULL);
		s = irqx_synic_create(2, 0);
		g = s->g;
		add_slot(g->vm, attack->pages);
		irqx_synic_start(s);
		irqx_sint_set_all(s, 0);
	}
	for (i = 0; i < NR_PAGES && !attack->alone; i++) {
		if (attack->by_xen) {
			irqx_bind(g->ctx, fds[i],
				  irqx_xen_entry(1, IRQX_XEN_PORT + i));
			continue;
		}
		irqx_synic_page(g->ctx, i, SLOT_GPA + i * PAGE_SIZE);
		irqx_bind_flag(g->ctx, fds[i], irqx_sint_entry(i, SINT), 3);
	}
	for (i = 0; i < NR_PAGES; i++)
		irqx_fire(fds[i]);
	irqx_attack_stay(ready);
}

FIXTURE(attack) {
	struct irqx_pages *pages;
	struct victim victim;
	int refs;
};

FIXTURE_VARIANT(attack) {
	enum irqx_pages_kind kind;
	bool by_xen;
};

FIXTURE_VARIANT_ADD(attack, fuse) {
	.kind = IRQX_PAGES_FUSE,
};

FIXTURE_VARIANT_ADD(attack, fuse_sync) {
	.kind = IRQX_PAGES_FUSE_SYNC,
};

FIXTURE_VARIANT_ADD(attack, fuse_xen) {
	.kind = IRQX_PAGES_FUSE,
	.by_xen = true,
};

FIXTURE_VARIANT_ADD(attack, missing) {
	.kind = IRQX_PAGES_MISSING,
};

FIXTURE_VARIANT_ADD(attack, missing_xen) {
	.kind = IRQX_PAGES_MISSING,
	.by_xen = true,
};

FIXTURE_SETUP(attack)
{
	self->refs = irqx_module_refs();
	self->pages = irqx_pages_create(variant->kind, NR_PAGES);
	if (!self->pages)
		SKIP(return, "this kernel has no such pages");
	self->victim = victim_create();
	if (variant->by_xen && !(irqx_info(self->victim.g->ctx).features &
				 KVM_IRQX_FEATURE_XEN_EVTCHN))
		SKIP(return, "this kernel's KVM has no Xen emulation");
}

FIXTURE_TEARDOWN(attack)
{
	if (self->victim.g)
		victim_free(&self->victim);
	if (self->pages)
		irqx_pages_free(self->pages);
	if (self->refs >= 0)
		TEST_ASSERT(irqx_wait_module_refs(self->refs),
			    "the module is still in use");
}

/*
 * Another VM's pins are raised as ever; SIGKILL ends the attacker as it does one that
 * does not use the module.
 */
TEST_F_TIMEOUT(attack, does_no_harm, 120)
{
	struct attack attack = {
		.pages = self->pages,
		.by_xen = variant->by_xen,
	};
	uint64_t ms, alone_ms;
	pid_t pid;

	attack.alone = true;
	alone_ms = irqx_attack_end(irqx_attack_start(attacker, &attack));

	attack.alone = false;
	pid = irqx_attack_start(attacker, &attack);
	EXPECT_TRUE(pins_work(self->victim.g, self->victim.fd, 20));
	ms = irqx_attack_end(pid);
	TH_LOG("ended after %lu ms, without the module %lu", ms, alone_ms);
	EXPECT_GT(alone_ms + 1000 * irqx_slowness(), ms);
	/* The pager goes too, though the page has not come, if it can be killed. */
	if (variant->kind != IRQX_PAGES_FUSE_SYNC && self->refs >= 0)
		EXPECT_TRUE(irqx_wait_until(irqx_module_refs() == self->refs + 1,
					    IRQX_SOON_MS));
	EXPECT_TRUE(pins_work(self->victim.g, self->victim.fd, 20));
}

/*
 * ---- Calls that wait, in KVM ----
 */

struct unbind {
	int ctx, fd;
};

struct direct_change {
	int ctx;
	int fd;
	struct kvm_irq_routing_entry entry;
};

static int unbind(void *arg)
{
	struct unbind *args = arg;

	return __irqx_unbind(args->ctx, args->fd);
}

FIXTURE(xen) {
	struct irqx_pages *pages;
	struct irqx_guest *g;
	int fd, other, pin;
};

FIXTURE_SETUP(xen)
{
	self->pages = irqx_pages_create(IRQX_PAGES_MISSING, 1);
	if (!self->pages)
		SKIP(return, "this kernel has no userfaultfd");
	self->g = irqx_guest_create(2);
	if (!(irqx_info(self->g->ctx).features & KVM_IRQX_FEATURE_XEN_EVTCHN))
		SKIP(return, "this kernel's KVM has no Xen emulation");
	add_shared_info(self->g, self->pages);
	self->fd = irqx_eventfd(0, 0);
	self->other = irqx_eventfd(0, 0);
	self->pin = irqx_eventfd(0, 0);
	irqx_bind(self->g->ctx, self->fd, irqx_xen_entry(1, IRQX_XEN_PORT));
	irqx_bind(self->g->ctx, self->other, irqx_entry(self->g, 0, 0x41));
	irqx_bind(self->g->ctx, self->pin, irqx_slow_entry(self->g, 1, 0, 0x46));
	irqx_guest_start(self->g);
}

FIXTURE_TEARDOWN(xen)
{
	if (!self->pages)
		return;
	irqx_guest_free(self->g);
	irqx_pages_free(self->pages);
}

/* The bit of IRQX_XEN_PORT in the page. */
static bool xen_is_pending(struct irqx_pages *pages)
{
	const uint64_t *words = (uint64_t *)(pages->mem + 32 * 64);

	return words[IRQX_XEN_PORT / 64] & 1ULL << IRQX_XEN_PORT % 64;
}

/*
 * DEASSIGN waits for the injection that KVM has begun.  Nothing else of the context
 * does, not even what is called while it waits.
 */
TEST_F_TIMEOUT(xen, deassign_waits_alone, 60)
{
	struct irqx_guest *g = self->g;
	struct unbind args = { g->ctx, self->fd };
	struct irqx_blocked call = { .call = unbind, .arg = &args };
	uint64_t start;

	irqx_fire(self->fd);
	usleep(50000);
	irqx_blocked_start(&call);
	EXPECT_TRUE(irqx_is_blocked(&call));

	start = irqx_now_ns();
	irqx_modify(g->ctx, self->other, irqx_entry(g, 1, 0x42));
	irqx_fire(self->other);
	irqx_wait_count(g, 1, 0x42, 1);
	irqx_fire(self->pin);
	irqx_wait_count(g, 0, 0x46, 1);
	irqx_unbind(g->ctx, self->other);
	/* The reaper gets there, too. */
	close(self->pin);
	EXPECT_TRUE(irqx_wait_irqfds(g->ctx, 0));
	EXPECT_GT(IRQX_SOON_MS, irqx_ms_since(start));
	EXPECT_TRUE(irqx_is_blocked(&call));

	irqx_pages_serve(self->pages);
	EXPECT_EQ(0, irqx_blocked_join(&call));
	/* It had begun, so it was delivered: the bit is in the page.  And it is counted. */
	EXPECT_TRUE(xen_is_pending(self->pages));
	EXPECT_EQ(0, irqx_eventfd_take(self->fd));
	irqx_settle(g->ctx);
}

#define NR_CONTEXTS	600

/*
 * Calls that wait in hundreds of contexts, each with an eventfd closed behind its back: the
 * kernel's own workers go on.  A socket of a family that nobody has needs one, to look for a
 * module.
 */
static int many_contexts(void *arg)
{
	struct irqx_guest *g = arg;
	static struct irqx_blocked calls[NR_CONTEXTS];
	static struct unbind args[NR_CONTEXTS];
	int closed[NR_CONTEXTS];
	uint64_t start;
	uint32_t i;
	int fd;

	irqx_need_files(3 * NR_CONTEXTS + 100);
	for (i = 0; i < NR_CONTEXTS; i++) {
		args[i].ctx = irqx_context(g->vm);
		args[i].fd = irqx_eventfd(0, 0);
		calls[i].call = unbind;
		calls[i].arg = &args[i];
		closed[i] = irqx_eventfd(0, 0);
		irqx_bind(args[i].ctx, args[i].fd,
			  irqx_xen_entry(1, IRQX_XEN_PORT + i));
		irqx_bind(args[i].ctx, closed[i],
			  irqx_xen_entry(1, IRQX_XEN_PORT + NR_CONTEXTS + i));
		irqx_fire(closed[i]);
		irqx_fire(args[i].fd);
	}
	for (i = 0; i < NR_CONTEXTS; i++) {
		irqx_blocked_start(&calls[i]);
		close(closed[i]);
	}
	start = irqx_now_ns();
	fd = socket(AF_ECONET, SOCK_DGRAM, 0);
	TEST_ASSERT(fd < 0 && errno == EAFNOSUPPORT, "socket: %s", strerror(errno));
	TEST_ASSERT(irqx_ms_since(start) < IRQX_SOON_MS, "socket() took %lu ms",
		    irqx_ms_since(start));
	for (i = 0; i < NR_CONTEXTS; i++)
		TEST_ASSERT(irqx_wait_until(irqx_stats(args[i].ctx).irqfds == 0,
					    IRQX_SOON_MS),
			    "context %u was not reaped", i);
	return 0;
}

TEST_F_TIMEOUT(xen, many_contexts, 120)
{
	EXPECT_EQ(0, many_contexts(self->g));
	irqx_pages_serve(self->pages);
}

static int raise_line(void *arg)
{
	return __irqx_irq_line(*(int *)arg, 9, 1);
}

/* KVM_IRQ_LINE on such an entry waits, without the context's lock. */
TEST_F_TIMEOUT(xen, irq_line_waits_alone, 60)
{
	struct irqx_guest *g = self->g;
	struct irqx_blocked call = { .call = raise_line, .arg = &g->ctx };

	irqx_route_set(g->ctx, 9, irqx_xen_entry(1, IRQX_XEN_PORT));
	irqx_blocked_start(&call);
	EXPECT_TRUE(irqx_is_blocked(&call));
	irqx_modify(g->ctx, self->other, irqx_entry(g, 1, 0x42));
	irqx_fire(self->other);
	irqx_wait_count(g, 1, 0x42, 1);
	EXPECT_TRUE(irqx_is_blocked(&call));
	irqx_pages_serve(self->pages);
	EXPECT_EQ(0, irqx_blocked_join(&call));
	EXPECT_TRUE(xen_is_pending(self->pages));
}

/* It waits behind another one, and is masked: it is not waited for any more. */
TEST_F_TIMEOUT(xen, irq_line_is_masked, 60)
{
	struct irqx_guest *g = self->g;
	struct irqx_blocked call = { .call = raise_line, .arg = &g->ctx };
	uint64_t start;

	irqx_fire(self->fd);
	usleep(50000);
	irqx_route_set(g->ctx, 9, irqx_xen_entry(1, IRQX_XEN_PORT + 1));
	irqx_blocked_start(&call);
	EXPECT_TRUE(irqx_is_blocked(&call));
	start = irqx_now_ns();
	irqx_mask_gsi(g->ctx, 9);
	EXPECT_EQ(0, irqx_blocked_join(&call));
	EXPECT_GT(IRQX_SOON_MS, irqx_ms_since(start));
	EXPECT_EQ(KVM_IRQX_STATE_MASKED | KVM_IRQX_STATE_PENDING,
		  irqx_state(g->ctx, KVM_IRQX_NO_FD, 9));
	irqx_unmask_gsi(g->ctx, 9);
	irqx_pages_serve(self->pages);
	irqx_settle(g->ctx);
}

static int mask(void *arg)
{
	struct unbind *args = arg;

	return __irqx_mask(args->ctx, args->fd, 0, true);
}

/* Masking waits for what KVM has begun, unmasking for nothing. */
TEST_F_TIMEOUT(xen, mask_waits, 60)
{
	struct irqx_guest *g = self->g;
	struct unbind args = { g->ctx, self->fd };
	struct irqx_blocked call = { .call = mask, .arg = &args };
	struct irqx_blocked again = { .call = mask, .arg = &args };
	uint64_t start;

	irqx_fire(self->fd);
	usleep(50000);
	irqx_blocked_start(&call);
	EXPECT_TRUE(irqx_is_blocked(&call));
	/* It is masked, but what has begun has not ended. */
	irqx_blocked_start(&again);
	EXPECT_TRUE(irqx_is_blocked(&again));
	start = irqx_now_ns();
	irqx_unmask(g->ctx, self->fd);
	irqx_mask(g->ctx, self->other);
	EXPECT_GT(IRQX_SOON_MS, irqx_ms_since(start));

	irqx_pages_serve(self->pages);
	EXPECT_EQ(0, irqx_blocked_join(&call));
	EXPECT_EQ(0, irqx_blocked_join(&again));
	EXPECT_TRUE(xen_is_pending(self->pages));
	irqx_settle(g->ctx);
}

/* A call that waits does not keep the machine from going to sleep. */
static int lead_to_vector(void *arg)
{
	const struct direct_change *change = arg;

	return __irqx_modify(change->ctx, change->fd, change->entry);
}

/*
 * What KVM has begun is interrupted by the end of whoever waits for it, when the binding leads
 * to a vector already: the event goes there.  The end of a thread would be that of the process.
 */
TEST_F_TIMEOUT(xen, interrupted_on_the_way_to_a_vector, 60)
{
	struct irqx_guest *g = self->g;
	struct irqx_table table = irqx_table_create(g->ctx, 1);
	struct irqx_vector_message m = irqx_vector_message(g, 1, 0x51);
	struct direct_change change = { g->ctx, self->fd, irqx_vector_entry(&table, 0) };
	const size_t size = 64 * 1024;
	char *stack = malloc(size);
	pid_t child;

	irqx_vector_put(&table, 0, (struct kvm_irqx_vector){
		.address_lo = m.address,
		.address_hi = m.address >> 32,
		.data = m.data,
	});
	irqx_fire(self->fd);
	usleep(50000);
	child = clone(lead_to_vector, stack + size, CLONE_VM | SIGCHLD, &change);
	ASSERT_LT(0, child);
	usleep(100000);
	EXPECT_EQ(0, waitpid(child, NULL, WNOHANG));
	EXPECT_EQ(KVM_IRQX_VECTOR_BOUND, irqx_vector_get(&table, 0).state);
	kill(child, SIGKILL);
	EXPECT_EQ(child, waitpid(child, NULL, 0));
	irqx_wait_count(g, 1, 0x51, 1);
	irqx_fence(g);
	EXPECT_EQ(1, irqx_count(g, 1, 0x51));
	irqx_pages_serve(self->pages);
	irqx_settle(g->ctx);
	free(stack);
}

TEST_F_TIMEOUT(xen, freeze, 90)
{
	struct unbind args = { self->g->ctx, self->fd };
	struct irqx_blocked call = { .call = unbind, .arg = &args };
	int test, state;

	test = open("/sys/power/pm_test", O_WRONLY | O_CLOEXEC);
	state = open("/sys/power/state", O_WRONLY | O_CLOEXEC);
	if (test < 0 || state < 0)
		SKIP(return, "this kernel cannot try to freeze tasks");
	irqx_fire(self->fd);
	usleep(50000);
	irqx_blocked_start(&call);
	ASSERT_TRUE(irqx_is_blocked(&call));
	ASSERT_EQ(7, write(test, "freezer", 7));
	EXPECT_EQ(6, write(state, "freeze", 6)) TH_LOG("%s", strerror(errno));
	ASSERT_EQ(4, write(test, "none", 4));
	EXPECT_TRUE(irqx_is_blocked(&call));
	irqx_pages_serve(self->pages);
	EXPECT_EQ(0, irqx_blocked_join(&call));
	close(test);
	close(state);
}

/*
 * ---- Pages that go all the while ----
 */

struct thief {
	void *page;
	bool stop;
};

static void *steal(void *arg)
{
	struct thief *thief = arg;

	while (!READ_ONCE(thief->stop))
		madvise(thief->page, PAGE_SIZE, MADV_DONTNEED);
	return NULL;
}

static int fire_many(void *arg)
{
	int *args = arg;
	int i;

	for (i = 0; i < args[1]; i++) {
		irqx_fire(args[0]);
		usleep(100);
	}
	return 0;
}

/* No event is refused because its page was gone at the wrong time. */
TEST_F_TIMEOUT(stall, stolen, 90)
{
	int args[2] = { self->fd, irqx_iterations(2000, 20000) };
	struct thief thief = {};
	pthread_t thread;
	uint64_t i;

	if (variant->kind != IRQX_PAGES_MISSING)
		SKIP(return, "once is enough");
	irqx_pages_serve(self->pages);
	thief.page = self->pages->mem;
	pthread_create(&thread, NULL, steal, &thief);
	/* By a process that does not have the memory, so that the pager has to. */
	EXPECT_EQ(0, irqx_in_child(fire_many, args));
	EXPECT_EQ(0, fire_many(args));
	/* Each is tried again without the next one's help. */
	for (i = 0; i < irqx_iterations(300, 3000); i++) {
		irqx_fire(self->fd);
		irqx_settle(self->g->ctx);
	}
	WRITE_ONCE(thief.stop, true);
	pthread_join(thread, NULL);
	irqx_settle(self->g->ctx);
	irqx_fence(self->g);
	EXPECT_EQ(0, irqx_stats(self->g->ctx).refused);
	EXPECT_LT(0, irqx_count(self->g, 0, VECTOR));
}

/*
 * ---- Pages that may not be written ----
 */

/*
 * A protection key keeps the VMM's threads from writing there.  KVM does not ask for it when
 * it writes to the guest's memory, so events come all the same.
 */
TEST_F_TIMEOUT(stall, protection_key, 60)
{
	struct irqx_guest *g = self->g;
	int pkey;

	if (variant->kind != IRQX_PAGES_MISSING)
		SKIP(return, "once is enough");
	irqx_pages_serve(self->pages);
	memset(self->pages->mem, 0, self->pages->size);
	pkey = pkey_alloc(0, PKEY_DISABLE_ACCESS);
	if (pkey < 0)
		SKIP(return, "no protection keys: %s", strerror(errno));
	ASSERT_EQ(0, pkey_mprotect(self->pages->mem, PAGE_SIZE,
				   PROT_READ | PROT_WRITE, pkey));
	irqx_fire(self->fd);
	irqx_wait_count(g, 0, VECTOR, 1);
	irqx_settle(g->ctx);
	EXPECT_EQ(0, irqx_stats(g->ctx).refused);
	EXPECT_EQ(1, irqx_stats(g->ctx).deferred);
	ASSERT_EQ(0, pkey_set(pkey, 0));
	EXPECT_TRUE(irqx_flag_test((void *)self->pages->mem, SINT, 3));
	pkey_free(pkey);
}

#ifdef KVM_X86_SW_PROTECTED_VM
/* What the VMM has mapped there is not what the guest has: nothing is written to it. */
TEST(guest_private_memory)
{
	struct kvm_create_guest_memfd create = { .size = PAGE_SIZE };
	struct kvm_memory_attributes attributes = {
		.address = SLOT_GPA,
		.size = PAGE_SIZE,
		.attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE,
	};
	struct kvm_userspace_memory_region2 region = {
		.slot = SLOT,
		.flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = SLOT_GPA,
		.memory_size = PAGE_SIZE,
	};
	int kvm = open_kvm_dev_path_or_exit();
	int fd = irqx_eventfd(0, 0), ctx, vm;
	struct irqx_event_page *page;

	vm = ioctl(kvm, KVM_CREATE_VM, KVM_X86_SW_PROTECTED_VM);
	if (vm < 0)
		SKIP(return, "this KVM has no such VMs");
	ASSERT_EQ(0, ioctl(vm, KVM_CREATE_IRQCHIP, 0));
	page = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)page);
	memset(page, 0, PAGE_SIZE);
	region.userspace_addr = (uintptr_t)page;
	region.guest_memfd = ioctl(vm, KVM_CREATE_GUEST_MEMFD, &create);
	ASSERT_LE(0, (int)region.guest_memfd);
	ASSERT_EQ(0, ioctl(vm, KVM_SET_USER_MEMORY_REGION2, &region));
	ASSERT_EQ(0, ioctl(vm, KVM_SET_MEMORY_ATTRIBUTES, &attributes));

	ctx = irqx_open();
	irqx_attach(ctx, vm);
	irqx_synic_page(ctx, 0, SLOT_GPA);
	irqx_bind_flag(ctx, fd, irqx_sint_entry(0, SINT), 3);
	irqx_fire(fd);
	irqx_settle(ctx);
	EXPECT_EQ(1, irqx_stats(ctx).refused);
	EXPECT_FALSE(irqx_flag_test(page, SINT, 3));

	/* Shared again, it is written; there is no vCPU to raise a SINT of. */
	attributes.attributes = 0;
	ASSERT_EQ(0, ioctl(vm, KVM_SET_MEMORY_ATTRIBUTES, &attributes));
	irqx_fire(fd);
	irqx_settle(ctx);
	EXPECT_TRUE(irqx_flag_test(page, SINT, 3));
	close(ctx);
	close(region.guest_memfd);
	close(vm);
	close(kvm);
}
#endif

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * The door for modules of the host (include/linux/kvm_irqx.h): sources and handles that are
 * raised from a task, from an interrupt handler, and with a raw spinlock held.
 */
#include <fcntl.h>

#include "irqx_door.h"
#include "irqx_dynirq.h"
#include "irqx_harness.h"
#include "irqx_module.h"
#include "irqx_timer.h"

#define IRQ		IRQX_IRQ_MIN
#define OTHER_IRQ	(IRQX_IRQ_MIN + 1)
#define HANDLES		64
#define HANDLE		7

void irqx_guest_wait(void)
{
	irqx_table_guest();
}

void irqx_vcpu_exit(struct irqx_vcpu *v)
{
	irqx_table_exit(v);
}

static const char * const where_names[] = { "task", "hardirq", "raw" };

FIXTURE(door)
{
	struct irqx_guest *g;
	struct irqx_table dynirq;
	int door;
};

FIXTURE_SETUP(door)
{
	self->door = irqx_door_open();
	if (self->door < 0)
		SKIP(return, "selftests/make-variants has not been run");
	self->g = irqx_table_guest_create(2);
	irqx_guest_start(self->g);
	self->dynirq = irqx_dynirq_create(self->g->ctx, HANDLES);
	irqx_dynirq_attach(self->g, 0, &self->dynirq);
	irqx_door_context(self->door, self->g->ctx);
}

FIXTURE_TEARDOWN(door)
{
	if (self->door < 0)
		return;
	if (self->g)
		irqx_guest_free(self->g);
	irqx_door_close(self->door);
}

/* What an event on a source or handle of this context must be, wherever it is raised. */
static void expect_one(struct irqx_guest *g, uint32_t vcpu, uint32_t irq, enum door_where where)
{
	TEST_ASSERT(__irqx_wait_count(g, vcpu, irq, g->vcpus[vcpu].expect[irq] + 1),
		    "nothing came of an event in %s", where_names[where]);
	irqx_expect(g, vcpu, irq, 1);
	irqx_settle(g->ctx);
	irqx_check(g);
}

/* As one_event, of any routing entry. */
TEST_F(door, source_is_raised_anywhere)
{
	enum door_where where;
	int i;

	irqx_door_create(self->door, irqx_entry(self->g, 1, IRQ), 0);
	for (i = 0; i < 50; i++) {
		for (where = DOOR_TASK; where <= DOOR_RAW; where++) {
			irqx_door_raise(self->door, where, 1);
			expect_one(self->g, 1, IRQ, where);
		}
	}
	irqx_door_do(self->door, DOOR_DESTROY);
}

TEST_F(door, handle_is_raised_anywhere)
{
	enum door_where where;
	int i;

	irqx_door_dynirq(self->door, self->dynirq.id);
	irqx_handle_map(self->g, 0, &self->dynirq, HANDLE, irqx_vector_message(self->g, 1, IRQ));
	for (i = 0; i < 50; i++) {
		for (where = DOOR_TASK; where <= DOOR_RAW; where++) {
			irqx_door_inject(self->door, where, HANDLE, 1);
			expect_one(self->g, 1, IRQ, where);
		}
	}
}

/* Until it is mapped the event waits; several are one. */
TEST_F(door, unmapped_handle_keeps_its_event)
{
	enum door_where where;

	irqx_door_dynirq(self->door, self->dynirq.id);
	for (where = DOOR_TASK; where <= DOOR_RAW; where++) {
		irqx_door_inject(self->door, where, HANDLE, 1);
		irqx_door_inject(self->door, where, HANDLE, 1);
		irqx_fence(self->g);
		EXPECT_EQ(where, irqx_total(self->g));
		EXPECT_TRUE(irqx_handle_read(self->g, 0, &self->dynirq, HANDLE) & DYNIRQ_PENDING);
		irqx_handle_map(self->g, 0, &self->dynirq, HANDLE,
				irqx_vector_message(self->g, 1, IRQ));
		irqx_expect(self->g, 1, IRQ, 1);
		irqx_settle(self->g->ctx);
		irqx_check(self->g);
		irqx_handle_unmap(self->g, 0, &self->dynirq, HANDLE);
	}
}

/* Return: the handle of that label, or a negative errno. */
static int find(int door, const char *label)
{
	struct door_request request = { .op = DOOR_FIND };
	int err;

	snprintf(request.label, sizeof(request.label), "%s", label);
	err = __irqx_door(door, &request);
	return err ? -err : (int)request.out;
}

TEST_F(door, handle_is_found_by_its_label)
{
	const char *longest = "0123456789012345678901234567890";
	struct irqx_table *d = &self->dynirq;

	EXPECT_EQ(-ENXIO, find(self->door, "net"));
	irqx_door_dynirq(self->door, d->id);
	EXPECT_EQ(0, find(self->door, "kvm-irqx labels"));
	EXPECT_EQ(-ENOENT, find(self->door, "net"));
	EXPECT_EQ(-ENOENT, find(self->door, ""));
	irqx_handle_alloc(d, HANDLES - 1, "net");
	EXPECT_EQ(HANDLES - 1, find(self->door, "net"));
	EXPECT_EQ(-ENOENT, find(self->door, "ne"));
	EXPECT_EQ(-ENOENT, find(self->door, "net0"));
	/* The lowest of several. */
	irqx_handle_alloc(d, HANDLE, "net");
	EXPECT_EQ(HANDLE, find(self->door, "net"));
	irqx_handle_label(d, HANDLE, longest);
	EXPECT_EQ(HANDLE, find(self->door, longest));
	EXPECT_EQ(-ENOENT, find(self->door, "01234567890123456789012345678901"));
	EXPECT_EQ(HANDLES - 1, find(self->door, "net"));
	irqx_handle_free(d, HANDLES - 1);
	EXPECT_EQ(-ENOENT, find(self->door, "net"));
}

TEST_F(door, source_leads_to_a_handle)
{
	irqx_door_create(self->door, irqx_vector_entry(&self->dynirq, HANDLE), 0);
	EXPECT_EQ(EBUSY, __irqx_table_destroy(&self->dynirq));
	irqx_door_raise(self->door, DOOR_HARDIRQ, 1);
	EXPECT_EQ(KVM_IRQX_STATE_MASKED | KVM_IRQX_STATE_PENDING,
		  irqx_door_ask(self->door, DOOR_STATE));
	irqx_handle_map(self->g, 0, &self->dynirq, HANDLE, irqx_vector_message(self->g, 0, IRQ));
	irqx_expect(self->g, 0, IRQ, 1);
	irqx_settle(self->g->ctx);
	irqx_check(self->g);
	irqx_door_raise(self->door, DOOR_RAW, 1);
	expect_one(self->g, 0, IRQ, DOOR_RAW);
	/* The mask is the guest's. */
	EXPECT_EQ(EINVAL, __irqx_door_mask(self->door, true));
	irqx_door_do(self->door, DOOR_DESTROY);
	EXPECT_EQ(0, __irqx_table_destroy(&self->dynirq));
}

TEST_F(door, moved)
{
	int i;

	irqx_door_create(self->door, irqx_entry(self->g, 0, IRQ), 0);
	for (i = 0; i < 50; i++) {
		irqx_door_raise(self->door, i % 3, 1);
		expect_one(self->g, i % 2, i % 2 ? OTHER_IRQ : IRQ, i % 3);
		irqx_door_move(self->door, irqx_entry(self->g, (i + 1) % 2,
						      i % 2 ? IRQ : OTHER_IRQ));
	}
	/* To a handle, with what is pending. */
	irqx_door_mask(self->door, true);
	irqx_door_raise(self->door, DOOR_HARDIRQ, 1);
	irqx_door_move(self->door, irqx_vector_entry(&self->dynirq, HANDLE));
	irqx_handle_map(self->g, 0, &self->dynirq, HANDLE, irqx_vector_message(self->g, 1, IRQ));
	irqx_expect(self->g, 1, IRQ, 1);
	irqx_settle(self->g->ctx);
	irqx_check(self->g);
}

TEST_F(door, masked)
{
	irqx_door_create(self->door, irqx_entry(self->g, 0, IRQ), DOOR_MASKED);
	irqx_door_raise(self->door, DOOR_TASK, 3);
	irqx_door_raise(self->door, DOOR_HARDIRQ, 3);
	irqx_fence(self->g);
	EXPECT_EQ(0, irqx_total(self->g));
	EXPECT_EQ(KVM_IRQX_STATE_MASKED | KVM_IRQX_STATE_PENDING,
		  irqx_door_ask(self->door, DOOR_STATE));
	irqx_door_mask(self->door, false);
	irqx_expect(self->g, 0, IRQ, 1);
	irqx_settle(self->g->ctx);
	irqx_check(self->g);
	EXPECT_EQ(0, irqx_door_ask(self->door, DOOR_STATE));
}

TEST_F(door, counted)
{
	struct kvm_irqx_stats stats;

	irqx_door_create(self->door, irqx_entry(self->g, 0, IRQ), 0);
	irqx_door_raise(self->door, DOOR_TASK, 10);
	irqx_door_raise(self->door, DOOR_HARDIRQ, 10);
	irqx_settle(self->g->ctx);
	stats = irqx_stats(self->g->ctx);
	EXPECT_EQ(20, stats.events);
	EXPECT_EQ(20, stats.atomic + stats.deferred);
	irqx_forget(self->g);
}

/* Each that can be had on what the program has. */
TEST_F(door, errors)
{
	struct kvm_irq_routing_entry entry = irqx_entry(self->g, 0, IRQ);
	int null = open("/dev/null", O_RDWR), unattached = irqx_open();
	struct irqx_table pci;

	EXPECT_EQ(EBADF, __irqx_door_context(self->door, -1));
	EXPECT_EQ(EINVAL, __irqx_door_context(self->door, null));
	EXPECT_EQ(EINVAL, __irqx_door_context(self->door, self->g->vm->fd));
	EXPECT_EQ(ENOTCONN, __irqx_door_context(self->door, unattached));
	close(null);
	close(unattached);

	entry.gsi = 1;
	EXPECT_EQ(EINVAL, __irqx_door_create(self->door, entry, 0));
	entry.gsi = 0;
	entry.type = 99;
	EXPECT_EQ(EINVAL, __irqx_door_create(self->door, entry, 0));
	entry = irqx_vector_entry(&self->dynirq, HANDLES);
	EXPECT_EQ(EINVAL, __irqx_door_create(self->door, entry, 0));
	entry = irqx_vector_entry(&self->dynirq, HANDLE);
	EXPECT_EQ(EINVAL, __irqx_door_create(self->door, entry, DOOR_MASKED));
	EXPECT_EQ(EINVAL, __irqx_door_create(self->door, entry, DOOR_LEVEL));
	EXPECT_EQ(EINVAL, __irqx_door_create(self->door, entry, DOOR_EOI));
	/* It has neither level nor EOI. */
	entry = irqx_entry(self->g, 0, IRQ);
	EXPECT_EQ(EINVAL, __irqx_door_create(self->door, entry, DOOR_LEVEL));
	EXPECT_EQ(EINVAL, __irqx_door_create(self->door, entry, DOOR_EOI));
	EXPECT_EQ(0, __irqx_door_create(self->door, entry, 0));
	EXPECT_EQ(EINVAL, __irqx_door_lower(self->door, DOOR_TASK));
	entry.type = 99;
	EXPECT_EQ(EINVAL, __irqx_door_move(self->door, entry));
	irqx_door_raise(self->door, DOOR_TASK, 1);
	expect_one(self->g, 0, IRQ, DOOR_TASK);

	EXPECT_EQ(ENOENT, __irqx_door_dynirq(self->door, 1000));
	pci = self->dynirq;
	pci.entries += 0x10000;
	pci.pba = pci.entries + 0x1000;
	pci.nr = 4;
	ASSERT_EQ(0, __irqx_table_create(self->g->ctx, &pci, IRQX_TABLE_ON, KVM_IRQX_NO_FD));
	EXPECT_EQ(EINVAL, __irqx_door_dynirq(self->door, pci.id));
	irqx_door_dynirq(self->door, self->dynirq.id);
	EXPECT_EQ(EINVAL, __irqx_door_inject(self->door, DOOR_HARDIRQ, HANDLES, 1));
}

/* What is raised after the end of the dynirq is nothing; its memory stays until it is put. */
TEST_F(door, dynirq_ends_first)
{
	irqx_door_dynirq(self->door, self->dynirq.id);
	irqx_handle_map(self->g, 0, &self->dynirq, HANDLE, irqx_vector_message(self->g, 0, IRQ));
	irqx_table_destroy(&self->dynirq);
	EXPECT_EQ(ENODEV, __irqx_door_inject(self->door, DOOR_TASK, HANDLE, 1));
	EXPECT_EQ(ENODEV, __irqx_door_inject(self->door, DOOR_HARDIRQ, HANDLE, 1));
	irqx_check(self->g);
}

/* So is what is raised after the last close of the context, and after the end of the VM. */
TEST_F(door, context_ends_first)
{
	struct kvm_irq_routing_entry entry = irqx_entry(self->g, 0, IRQ);

	irqx_door_dynirq(self->door, self->dynirq.id);
	irqx_door_create(self->door, entry, 0);
	irqx_door_raise(self->door, DOOR_TASK, 1);
	expect_one(self->g, 0, IRQ, DOOR_TASK);
	irqx_guest_free(self->g);
	self->g = NULL;
	EXPECT_EQ(ENODEV, __irqx_door_raise(self->door, DOOR_HARDIRQ, 1));
	EXPECT_EQ(ENODEV, __irqx_door_inject(self->door, DOOR_RAW, HANDLE, 1));
	EXPECT_EQ(ENODEV, __irqx_door_move(self->door, entry));
	EXPECT_EQ(ENODEV, __irqx_door_mask(self->door, true));
	EXPECT_EQ(ENODEV, __irqx_door_do(self->door, DOOR_STATE));
	EXPECT_EQ(ENODEV, __irqx_door_dynirq(self->door, 0));
	irqx_door_do(self->door, DOOR_DESTROY);
	EXPECT_EQ(ENODEV, __irqx_door_create(self->door, entry, 0));
}

/* All of it given back in the middle of a storm, in each order. */
TEST_F_TIMEOUT(door, ends_under_fire, 120)
{
	uint32_t round, rounds = irqx_iterations(4, 100);

	irqx_guest_free(self->g);
	self->g = NULL;
	for (round = 0; round < rounds; round++) {
		struct irqx_guest *g = irqx_table_guest_create(2);
		struct irqx_table dynirq;

		irqx_guest_start(g);
		dynirq = irqx_dynirq_create(g->ctx, HANDLES);
		irqx_dynirq_attach(g, 0, &dynirq);
		irqx_handles_map(g, 0, &dynirq, 0, HANDLES);
		irqx_door_context(self->door, g->ctx);
		irqx_door_dynirq(self->door, dynirq.id);
		irqx_door_storm(self->door, 0, HANDLES, 100000000, 20000);
		TEST_ASSERT(irqx_wait_until(irqx_door_ask(self->door, DOOR_STORMED) > 100,
					    IRQX_TIMEOUT_MS), "no storm");
		if (round % 4 == 0)
			irqx_door_do(self->door, DOOR_PUT);
		if (round % 4 == 1)
			irqx_dynirq_reset(g, 1, &dynirq);
		if (round % 4 == 2)
			irqx_table_destroy(&dynirq);
		irqx_forget(g);
		irqx_guest_free(g);
		irqx_door_do(self->door, DOOR_PUT);
	}
}

/*
 * From a hard interrupt, while the guest moves the handle between its CPUs: the next event comes
 * when the last one has been counted, so each of them is one interrupt.
 */
TEST_F_TIMEOUT(door, moved_under_fire, 200)
{
	uint64_t n = irqx_iterations(300, 20000), i, before;
	const enum door_where where[] = { DOOR_HARDIRQ, DOOR_RAW, DOOR_TASK };

	irqx_door_dynirq(self->door, self->dynirq.id);
	irqx_handle_map(self->g, 0, &self->dynirq, HANDLE, irqx_vector_message(self->g, 0, IRQ));
	irqx_handle_moves_start(self->g, 1, &self->dynirq, HANDLE,
				irqx_vector_message(self->g, 0, IRQ),
				irqx_vector_message(self->g, 1, OTHER_IRQ), 1ULL << 40);
	for (i = 0; i < n; i++) {
		before = irqx_total(self->g);
		irqx_door_inject(self->door, where[i % 3], HANDLE, 1);
		TEST_ASSERT(irqx_wait_until(irqx_total(self->g) > before, IRQX_TIMEOUT_MS),
			    "event %lu is lost, after %lu moves", i,
			    irqx_guest_done(self->g, 1));
		TEST_ASSERT(irqx_total(self->g) == before + 1, "event %lu came twice", i);
	}
	EXPECT_LT(n / 100, irqx_guest_done(self->g, 1));
	irqx_guest_end(self->g, 1);
	EXPECT_EQ(n, irqx_count(self->g, 0, IRQ) + irqx_count(self->g, 1, OTHER_IRQ));
	irqx_forget(self->g);
}

/* Unpaced: at least one after the last event, and never more than events. */
TEST_F_TIMEOUT(door, storm_while_moved, 200)
{
	uint64_t n = irqx_iterations(3000, 100000), total;

	irqx_door_dynirq(self->door, self->dynirq.id);
	irqx_handles_map(self->g, 0, &self->dynirq, 0, HANDLES);
	irqx_handle_map(self->g, 0, &self->dynirq, HANDLE, irqx_vector_message(self->g, 0, IRQ));
	irqx_handle_moves_start(self->g, 1, &self->dynirq, HANDLE,
				irqx_vector_message(self->g, 0, IRQ),
				irqx_vector_message(self->g, 1, OTHER_IRQ), 1ULL << 40);
	irqx_door_storm(self->door, HANDLE, 1, n, 100000);
	TEST_ASSERT(irqx_wait_until(irqx_door_ask(self->door, DOOR_STORMED) == n,
				    10 * IRQX_TIMEOUT_MS), "%lu events of %lu",
		    irqx_door_ask(self->door, DOOR_STORMED), n);
	irqx_guest_end(self->g, 1);
	irqx_settle(self->g->ctx);
	irqx_fence(self->g);
	total = irqx_total(self->g);
	EXPECT_LT(0, total);
	EXPECT_GE(n, total);
	/* The last one has not been swallowed. */
	irqx_door_inject(self->door, DOOR_HARDIRQ, HANDLE, 1);
	EXPECT_TRUE(irqx_wait_until(irqx_total(self->g) == total + 1, IRQX_TIMEOUT_MS));
	irqx_forget(self->g);
}

/*
 * ---- All 65,536 handles ----
 *
 * Handle h has irq h % NR_IRQS, of one vCPU or of the other one: no two of NR_IRQS neighbours have
 * the same.
 */

#define NR_IRQS		(IRQX_IRQ_MAX - IRQX_IRQ_MIN + 1)
#define NR_WINDOWS	((KVM_IRQX_MAX_HANDLES + NR_IRQS - 1) / NR_IRQS)
#define PERIOD_NS	30000
#define STAYS		~0ULL

/* In guest memory.  vCPU v moves the handles with h % 2 == v. */
static struct moves {
	struct dynirq d;
	struct irqx_vector_message places[2][NR_IRQS];
	const struct irqx_cpu *cpus[2];
	uint32_t first, nr;		/* which; both even */
	bool paced;			/* each irq belongs to one of them */
	uint64_t late[2];
	uint64_t left[NR_IRQS];		/* what its vCPU had taken when it left it, or STAYS */
	uint8_t at[KVM_IRQX_MAX_HANDLES];
} moves;

static void guest_move_one(uint64_t vcpu, uint64_t i)
{
	uint32_t handle = READ_ONCE(moves.first) + (2 * i + vcpu) % moves.nr;
	uint32_t irq, to;
	const uint64_t *taken;

	handle %= KVM_IRQX_MAX_HANDLES;
	irq = handle % NR_IRQS;
	to = !moves.at[handle];
	taken = &moves.cpus[vcpu]->count[IRQX_IRQ_MIN + irq];
	if (to == vcpu && moves.left[irq] != STAYS && moves.left[irq] != READ_ONCE(*taken))
		moves.late[vcpu]++;
	dynirq_map(&moves.d, handle, moves.places[to][irq]);
	moves.at[handle] = to;
	/* What was under way to this vCPU has been taken by now, as interrupts are on. */
	if (moves.paced)
		moves.left[irq] = to == vcpu ? STAYS : READ_ONCE(*taken);
}

FIXTURE(all)
{
	struct irqx_guest *g;
	struct irqx_table dynirq;
	struct moves *moves;
	int door;
};

/* @n moves by each vCPU. */
static void moves_start(struct irqx_guest *g, struct moves *m, uint32_t first, uint32_t nr,
			bool paced, uint64_t n)
{
	uint32_t i;

	m->first = first;
	m->nr = nr;
	m->paced = paced;
	for (i = 0; i < NR_IRQS; i++)
		m->left[i] = STAYS;
	for (i = 0; i < 2; i++)
		irqx_guest_loop_start(g, i, guest_move_one, i, n);
}

/* Return: how many there have been. */
static uint64_t moves_end(struct irqx_guest *g)
{
	irqx_guest_end(g, 0);
	irqx_guest_end(g, 1);
	return irqx_guest_done(g, 0) + irqx_guest_done(g, 1);
}

FIXTURE_SETUP(all)
{
	uint32_t i, j;

	self->door = irqx_door_open();
	if (self->door < 0)
		SKIP(return, "selftests/make-variants has not been run");
	self->g = irqx_table_guest_create(2);
	irqx_guest_start(self->g);
	self->dynirq = irqx_dynirq_create(self->g->ctx, KVM_IRQX_MAX_HANDLES);
	self->moves = addr_gva2hva(self->g->vm, (vm_vaddr_t)&moves);
	self->moves->d = irqx_dynirq_attach(self->g, 0, &self->dynirq);
	for (i = 0; i < 2; i++) {
		self->moves->cpus[i] = (void *)self->g->vcpus[i].cpu->self;
		for (j = 0; j < NR_IRQS; j++)
			self->moves->places[i][j] =
				irqx_vector_message(self->g, i, IRQX_IRQ_MIN + j);
	}
	/* Each is mapped by a move. */
	moves_start(self->g, self->moves, 0, KVM_IRQX_MAX_HANDLES, false,
		    KVM_IRQX_MAX_HANDLES / 2);
	irqx_guest_join(self->g, 0);
	irqx_guest_join(self->g, 1);
	irqx_door_context(self->door, self->g->ctx);
	irqx_door_dynirq(self->door, self->dynirq.id);
}

FIXTURE_TEARDOWN(all)
{
	if (self->door < 0)
		return;
	irqx_settle(self->g->ctx);
	irqx_check(self->g);
	irqx_guest_free(self->g);
	irqx_door_close(self->door);
}

/*
 * Each of these handles is raised once, by the timer's handler, and none has the irq of another.
 * @moving: the guest moves them; else an interrupt comes to where the last move has led.
 */
static void fire_window(struct irqx_guest *g, int door, const struct moves *m, uint32_t first,
			uint32_t nr, bool moving)
{
	uint64_t total = irqx_total(g), before[2][NR_IRQS], came[2];
	uint32_t i, irq, vcpu;

	for (vcpu = 0; vcpu < 2; vcpu++)
		for (i = 0; i < NR_IRQS; i++)
			before[vcpu][i] = irqx_count(g, vcpu, IRQX_IRQ_MIN + i);
	irqx_door_storm(door, first, nr, nr, PERIOD_NS);
	__irqx_wait_total(g, total + nr);
	for (i = first; i < first + nr; i++) {
		irq = i % NR_IRQS;
		for (vcpu = 0; vcpu < 2; vcpu++)
			came[vcpu] = irqx_count(g, vcpu, IRQX_IRQ_MIN + irq) - before[vcpu][irq];
		TEST_ASSERT(came[0] + came[1] == 1, "handle %u: %lu and %lu interrupts, not one",
			    i, came[0], came[1]);
		TEST_ASSERT(moving || came[m->at[i]], "handle %u: the interrupt is late", i);
	}
	TEST_ASSERT(irqx_total(g) == total + nr, "%lu interrupts too many",
		    irqx_total(g) - total - nr);
}

TEST_F_TIMEOUT(all, moved_under_fire, 300)
{
	uint64_t windows = irqx_iterations(NR_WINDOWS / 10, NR_WINDOWS), i, moved = 0;
	struct irqx_guest *g = self->g;
	uint32_t first, nr;

	for (i = 0; i < windows; i++) {
		/* From the last one on, which has fewer. */
		first = (NR_WINDOWS - 1 - i * NR_WINDOWS / windows) * NR_IRQS;
		nr = KVM_IRQX_MAX_HANDLES - first < NR_IRQS ? KVM_IRQX_MAX_HANDLES - first :
							      NR_IRQS;
		moves_start(g, self->moves, first, nr, true, 1ULL << 40);
		irqx_guest_wait_begun(g, 0);
		irqx_guest_wait_begun(g, 1);
		fire_window(g, self->door, self->moves, first, nr, true);
		moved += moves_end(g);
		fire_window(g, self->door, self->moves, first, nr, false);
	}
	EXPECT_LT(windows * NR_IRQS / 4, moved);
	EXPECT_EQ(0, self->moves->late[0]);
	EXPECT_EQ(0, self->moves->late[1]);
	EXPECT_EQ(0, irqx_exits.nr);
	irqx_settle(g->ctx);
	irqx_expect_no_more(g, irqx_total(g));
	irqx_forget(g);
}

/*
 * Unpaced: of each irq at least one interrupt after the last event, and never more than events.
 * The guest moves what will be raised next.
 */
TEST_F_TIMEOUT(all, storm_while_moved, 300)
{
	uint64_t n = irqx_iterations(KVM_IRQX_MAX_HANDLES / 10, 3 * KVM_IRQX_MAX_HANDLES);
	uint64_t i, stormed, events[NR_IRQS] = {}, came;
	struct irqx_guest *g = self->g;
	uint32_t first;

	moves_start(g, self->moves, 0, NR_IRQS, false, 1ULL << 40);
	irqx_door_storm(self->door, 0, KVM_IRQX_MAX_HANDLES, n, PERIOD_NS);
	do {
		stormed = irqx_door_ask(self->door, DOOR_STORMED);
		WRITE_ONCE(self->moves->first, (stormed & ~1ULL) % KVM_IRQX_MAX_HANDLES);
		usleep(500);
	} while (stormed < n);
	EXPECT_LT(n / 100, moves_end(g));
	irqx_settle(g->ctx);
	irqx_fence(g);
	for (i = 0; i < n; i++)
		events[i % KVM_IRQX_MAX_HANDLES % NR_IRQS]++;
	for (i = 0; i < NR_IRQS; i++) {
		came = irqx_count(g, 0, IRQX_IRQ_MIN + i) + irqx_count(g, 1, IRQX_IRQ_MIN + i);
		TEST_ASSERT(came <= events[i] && (came || !events[i]),
			    "irq %lu: %lu interrupts of %lu events", i, came, events[i]);
	}
	/* None has been swallowed: each is raised once more. */
	for (first = 0; first < n && first + NR_IRQS <= KVM_IRQX_MAX_HANDLES; first += NR_IRQS)
		fire_window(g, self->door, self->moves, first, NR_IRQS, false);
	EXPECT_EQ(0, irqx_exits.nr);
	irqx_forget(g);
}

/* A VMM that is killed in the middle of it. */
static int killed_vmm(void *arg)
{
	struct irqx_guest *g = irqx_table_guest_create(2);
	struct irqx_table dynirq;
	int door = *(int *)arg;

	irqx_guest_start(g);
	dynirq = irqx_dynirq_create(g->ctx, HANDLES);
	irqx_dynirq_attach(g, 0, &dynirq);
	irqx_handles_map(g, 0, &dynirq, 0, HANDLES);
	irqx_door_context(door, g->ctx);
	irqx_door_dynirq(door, dynirq.id);
	irqx_door_create(door, irqx_entry(g, 0, IRQ), 0);
	irqx_door_storm(door, 0, HANDLES, 100000000, 20000);
	pause();
	return 0;
}

TEST_F_TIMEOUT(door, vmm_is_killed, 120)
{
	int status;
	pid_t pid;

	irqx_guest_free(self->g);
	self->g = NULL;
	pid = fork();
	if (!pid)
		_exit(killed_vmm(&self->door));
	TEST_ASSERT(irqx_wait_until(irqx_door_ask(self->door, DOOR_STORMED) > 100,
				    IRQX_TIMEOUT_MS), "no storm");
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	TEST_ASSERT(irqx_wait_until(__irqx_door_raise(self->door, DOOR_HARDIRQ, 1) == ENODEV,
				    IRQX_TIMEOUT_MS), "the source is alive");
	/* The timer goes on. */
	irqx_door_do(self->door, DOOR_PUT);
}

/* ---- the sample ---- */

FIXTURE(sample)
{
	struct irqx_guest *g;
	struct irqx_table dynirq;
	int timer;
};

FIXTURE_SETUP(sample)
{
	self->timer = irqx_timer_open();
	if (self->timer < 0)
		SKIP(return, "selftests/make-variants has not been run");
	self->g = irqx_table_guest_create(2);
	irqx_guest_start(self->g);
	self->dynirq = irqx_dynirq_create(self->g->ctx, HANDLES);
	irqx_dynirq_attach(self->g, 0, &self->dynirq);
}

FIXTURE_TEARDOWN(sample)
{
	if (self->timer < 0)
		return;
	irqx_timer_close(self->timer);
	irqx_guest_free(self->g);
}

/* Three handles in turn, 5 ms apart: each event is an interrupt. */
TEST_F_TIMEOUT(sample, raises_handles, 60)
{
	struct irqx_timer_request request = {
		.fd = self->g->ctx,
		.table = self->dynirq.id,
		.first = 1,
		.nr = 3,
		.period_ns = 5000000,
		.count = 30,
	};
	uint32_t i;

	for (i = 0; i < 3; i++)
		irqx_handle_map(self->g, 0, &self->dynirq, 1 + i,
				irqx_vector_message(self->g, i % 2, IRQ + i));
	irqx_timer(self->timer, &request);
	/* kvm_irqx.ko cannot go meanwhile. */
	EXPECT_EQ(EWOULDBLOCK, irqx_module_unload(IRQX_MODULE_NAME));
	ASSERT_TRUE(irqx_wait_until(irqx_timer_raised(self->timer) == request.count,
				    IRQX_TIMEOUT_MS));
	irqx_settle(self->g->ctx);
	for (i = 0; i < 3; i++) {
		EXPECT_LT(0, irqx_count(self->g, i % 2, IRQ + i));
		EXPECT_GE(10, irqx_count(self->g, i % 2, IRQ + i));
	}
	irqx_forget(self->g);
}

/* By its label, which says nothing of where it is. */
TEST_F(sample, takes_a_label)
{
	struct irqx_timer_request request = {
		.fd = self->g->ctx,
		.table = self->dynirq.id,
		.nr = 1,
		.period_ns = 1000000,
		.count = 1,
		.label = "net",
	};

	EXPECT_EQ(ENOENT, __irqx_timer(self->timer, &request));
	irqx_handle_alloc(&self->dynirq, 5, "net");
	irqx_handle_map(self->g, 0, &self->dynirq, 5, irqx_vector_message(self->g, 0, IRQ));
	irqx_timer(self->timer, &request);
	irqx_expect(self->g, 0, IRQ, 1);
	irqx_wait_count(self->g, 0, IRQ, 1);

	memset(request.label, 'x', sizeof(request.label));
	EXPECT_EQ(EINVAL, __irqx_timer(self->timer, &request));
}

TEST_F(sample, unloaded_under_fire)
{
	struct irqx_timer_request request = {
		.fd = self->g->ctx,
		.table = self->dynirq.id,
		.nr = HANDLES,
		.period_ns = 20000,
		.count = 100000000,
	};

	irqx_handles_map(self->g, 0, &self->dynirq, 0, HANDLES);
	irqx_timer(self->timer, &request);
	ASSERT_TRUE(irqx_wait_until(irqx_timer_raised(self->timer) > 100, IRQX_TIMEOUT_MS));
	irqx_timer_close(self->timer);
	/* For the teardown. */
	self->timer = irqx_timer_open();
	irqx_forget(self->g);
}

TEST_HARNESS_MAIN

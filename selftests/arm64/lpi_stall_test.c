// SPDX-License-Identifier: GPL-2.0
/*
 * An LPI whose translation is not cached takes the ITS's lock.  A vCPU that has KVM read the
 * properties of an LPI holds that lock, for as long as the page that they are in is not
 * there.  See x86/stall_test.c.
 */
#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

#include "irqx_blocked.h"
#include "irqx_pages.h"
#include "irqx_table.h"
#include "irqx_harness.h"

void irqx_guest_wait(void)
{
	irqx_table_guest();
}

void irqx_vcpu_exit(struct irqx_vcpu *v)
{
	irqx_table_exit(v);
}

FIXTURE(lpi_stall)
{
	struct irqx_pages *pages;
	struct irqx_guest *g;
	struct irqx_blocked vcpu;
	int fd, other, pin, refs;
};

FIXTURE_VARIANT(lpi_stall)
{
	enum irqx_pages_kind kind;
};

FIXTURE_VARIANT_ADD(lpi_stall, fuse_sync) {
	.kind = IRQX_PAGES_FUSE_SYNC,
};

FIXTURE_VARIANT_ADD(lpi_stall, missing) {
	.kind = IRQX_PAGES_MISSING,
};

/* An edge-triggered SPI that vCPU 1 takes. */
static uint32_t pin_of_vcpu_1(struct irqx_guest *g)
{
	uint32_t pin;

	for (pin = IRQX_EDGE_PIN; irqx_pin_vcpu(g, pin) != 1; pin++)
		;
	return pin;
}

static bool pin_works(struct irqx_guest *g, int fd)
{
	uint32_t irq = IRQX_SPI(pin_of_vcpu_1(g));
	uint64_t before = irqx_count(g, 1, irq);

	irqx_fire(fd);
	return irqx_wait_until(irqx_count(g, 1, irq) > before, IRQX_SOON_MS);
}

/* vCPU 0 stands still, with the ITS's lock. */
static int invalidate(void *arg)
{
	irqx_its_invalidate(arg, 1, 0x60);
	return 0;
}

static void hold_its_lock(struct irqx_guest *g, struct irqx_pages *pages,
			  struct irqx_blocked *vcpu)
{
	irqx_pages_map(pages, irqx_its_properties(g));
	*vcpu = (struct irqx_blocked){ .call = invalidate, .arg = g };
	irqx_blocked_start(vcpu);
	TEST_ASSERT(irqx_is_blocked(vcpu), "the vCPU does not wait");
}

static void bind_all(struct irqx_guest *g, int fd, int other, int pin)
{
	irqx_bind(g->ctx, fd, irqx_entry(g, 1, 0x40));
	irqx_bind(g->ctx, other, irqx_entry(g, 1, 0x41));
	irqx_bind(g->ctx, pin, irqx_spi_entry(pin_of_vcpu_1(g)));
	irqx_its_forget(g);
}

FIXTURE_SETUP(lpi_stall)
{
	if (irqx_gic_version() != 3)
		SKIP(return, "VGICv2 has no ITS");
	self->refs = irqx_module_refs();
	self->pages = irqx_pages_create(variant->kind, IRQX_ITS_PROPERTIES_PAGES);
	if (!self->pages)
		SKIP(return, "this kernel has no such pages");
	self->g = irqx_guest_create(2);
	self->fd = irqx_eventfd(0, 0);
	self->other = irqx_eventfd(0, 0);
	self->pin = irqx_eventfd(0, 0);
	irqx_guest_start(self->g);
	bind_all(self->g, self->fd, self->other, self->pin);
}

FIXTURE_TEARDOWN(lpi_stall)
{
	if (self->g)
		irqx_guest_free(self->g);
	if (self->pages)
		irqx_pages_free(self->pages);
}

static int unbind(void *arg)
{
	int *ctx_and_fd = arg;

	return __irqx_unbind(ctx_and_fd[0], ctx_and_fd[1]);
}

/* DEASSIGN waits for what has begun; pins, other bindings and their changes do not. */
TEST_F_TIMEOUT(lpi_stall, deassign_waits_alone, 60)
{
	struct irqx_guest *g = self->g;
	int args[2] = { g->ctx, self->fd };
	struct irqx_blocked call = { .call = unbind, .arg = args };
	uint64_t start;

	hold_its_lock(g, self->pages, &self->vcpu);
	irqx_fire(self->fd);
	usleep(50000);
	irqx_fire(self->other);
	irqx_blocked_start(&call);
	EXPECT_TRUE(irqx_is_blocked(&call));

	start = irqx_now_ns();
	EXPECT_TRUE(pin_works(g, self->pin));
	/* What waits behind it has not begun: it comes back. */
	irqx_unbind(g->ctx, self->other);
	EXPECT_EQ(1, irqx_eventfd_take(self->other));
	close(self->pin);
	EXPECT_TRUE(irqx_wait_irqfds(g->ctx, 0));
	EXPECT_GT(IRQX_SOON_MS, irqx_ms_since(start));
	EXPECT_TRUE(irqx_is_blocked(&call));

	irqx_pages_serve(self->pages);
	EXPECT_EQ(0, irqx_blocked_join(&call));
	irqx_blocked_join(&self->vcpu);
	/* It had begun, so it was delivered. */
	irqx_wait_count(g, 1, 0x40, 1);
	EXPECT_EQ(0, irqx_eventfd_take(self->fd));
	EXPECT_EQ(0, irqx_count(g, 1, 0x41));
}

TEST_F_TIMEOUT(lpi_stall, close_does_not_wait, 60)
{
	struct irqx_guest *g = self->g;
	uint64_t start;

	hold_its_lock(g, self->pages, &self->vcpu);
	irqx_fire(self->fd);
	usleep(50000);
	irqx_fire(self->other);
	start = irqx_now_ns();
	close(g->ctx);
	EXPECT_GT(IRQX_SOON_MS, irqx_ms_since(start));
	EXPECT_EQ(1, irqx_eventfd_take(self->other));
	irqx_pages_serve(self->pages);
	irqx_blocked_join(&self->vcpu);
	g->ctx = irqx_context(g->vm);
}

static void attacker(void *pages, int ready)
{
	struct irqx_guest *g = irqx_guest_create(2);
	int fds[3];
	struct irqx_blocked vcpu;

	irqx_eventfds(fds, 3);
	irqx_guest_start(g);
	bind_all(g, fds[0], fds[1], fds[2]);
	hold_its_lock(g, pages, &vcpu);
	irqx_fire(fds[0]);
	irqx_fire(fds[1]);
	irqx_attack_stay(ready);
}

/* Another VM's LPIs come as ever; SIGKILL ends the attacker, and the module is free. */
TEST_F_TIMEOUT(lpi_stall, attack_does_no_harm, 90)
{
	struct irqx_guest *g = self->g;
	int refs = irqx_module_refs();
	pid_t pid;

	pid = irqx_attack_start(attacker, self->pages);
	irqx_fire(self->fd);
	irqx_wait_count(g, 1, 0x40, 1);
	EXPECT_TRUE(pin_works(g, self->pin));

	kill(pid, SIGKILL);
	/* Its own vCPU waits for the server, whatever comes. */
	if (variant->kind == IRQX_PAGES_FUSE_SYNC) {
		usleep(50000);
		EXPECT_TRUE(pin_works(g, self->pin));
		irqx_pages_free(self->pages);
		self->pages = NULL;
	}
	EXPECT_GT(IRQX_SOON_MS, irqx_attack_end(pid));
	EXPECT_TRUE(irqx_wait_module_refs(refs));
}

/*
 * ---- Tables ----
 *
 * vCPU 0 holds the ITS's lock; 1 writes to a vector whose injection waits for it; 2 goes on.
 */

#define VECTOR	3
#define OTHER	4

struct lpi_table {
	struct irqx_guest *g;
	struct irqx_table table;
	int fd, other;
};

static struct lpi_table lpi_table_create(void)
{
	struct lpi_table t = {
		.g = irqx_table_guest_create(3),
		.fd = irqx_eventfd(0, 0),
		.other = irqx_eventfd(0, 0),
	};

	t.table = irqx_table_create(t.g->ctx, 8);
	irqx_bind(t.g->ctx, t.fd, irqx_vector_entry(&t.table, VECTOR));
	irqx_bind(t.g->ctx, t.other, irqx_vector_entry(&t.table, OTHER));
	irqx_guest_start(t.g);
	irqx_vector_program(t.g, 1, &t.table, VECTOR, irqx_vector_message(t.g, 2, 0x40));
	irqx_vector_program(t.g, 1, &t.table, OTHER, irqx_vector_message(t.g, 2, 0x41));
	irqx_its_forget(t.g);
	return t;
}

/* vCPU 1 masks it, unmasks it, and is at the first of these. */
static void write_to_begun(struct lpi_table *t, struct irqx_pages *pages,
			   struct irqx_blocked *vcpu)
{
	hold_its_lock(t->g, pages, vcpu);
	irqx_fire(t->fd);
	usleep(50000);
	irqx_vector_masks_start(t->g, 1, &t->table, VECTOR, 1);
	usleep(200000);
	TEST_ASSERT(irqx_guest_is_busy(t->g, 1) && !irqx_guest_done(t->g, 1),
		    "the guest's write does not wait");
}

FIXTURE(lpi_table)
{
	struct irqx_pages *pages;
	struct lpi_table t;
	struct irqx_blocked vcpu;
	int refs;
};

FIXTURE_VARIANT(lpi_table)
{
	enum irqx_pages_kind kind;
};

FIXTURE_VARIANT_ADD(lpi_table, fuse_sync) {
	.kind = IRQX_PAGES_FUSE_SYNC,
};

FIXTURE_VARIANT_ADD(lpi_table, missing) {
	.kind = IRQX_PAGES_MISSING,
};

FIXTURE_SETUP(lpi_table)
{
	if (!irqx_takes_tables())
		SKIP(return, "no ITS");
	self->refs = irqx_module_refs();
	self->pages = irqx_pages_create(variant->kind, IRQX_ITS_PROPERTIES_PAGES);
	if (!self->pages)
		SKIP(return, "this kernel has no such pages");
}

FIXTURE_TEARDOWN(lpi_table)
{
	if (self->t.g)
		irqx_guest_free(self->t.g);
	if (self->pages) {
		irqx_pages_free(self->pages);
		EXPECT_TRUE(irqx_wait_module_refs(self->refs));
	}
}

static int mask_function(void *arg)
{
	return __irqx_table_set_flags(arg, IRQX_TABLE_ON | KVM_IRQX_TABLE_MASKED);
}

/* When it returns nothing goes to the old place any more, and what had begun has come. */
TEST_F_TIMEOUT(lpi_table, write_waits_alone, 60)
{
	struct lpi_table *t = &self->t;
	struct irqx_blocked call = { .call = mask_function, .arg = &t->table };
	struct irqx_guest *g;
	uint64_t start;

	*t = lpi_table_create();
	g = t->g;
	write_to_begun(t, self->pages, &self->vcpu);

	start = irqx_now_ns();
	irqx_vector_mask(g, 2, &t->table, OTHER, true);
	irqx_fire(t->other);
	EXPECT_TRUE(irqx_vector_pending(g, 2, &t->table, OTHER));
	EXPECT_EQ(1, irqx_mmio_read(g, 2, t->table.entries + VECTOR * 16 + 12, 4));
	EXPECT_EQ(1, irqx_vector_get(&t->table, VECTOR).control);
	irqx_unbind(g->ctx, t->other);
	EXPECT_GT(IRQX_SOON_MS, irqx_ms_since(start));
	EXPECT_TRUE(irqx_guest_is_busy(g, 1));
	/* The function's mask is for what has begun as well. */
	irqx_blocked_start(&call);
	EXPECT_TRUE(irqx_is_blocked(&call));
	EXPECT_EQ(0, irqx_count(g, 2, 0x40));

	irqx_pages_serve(self->pages);
	EXPECT_EQ(0, irqx_blocked_join(&call));
	irqx_guest_join(g, 1);
	irqx_blocked_join(&self->vcpu);
	irqx_wait_count(g, 2, 0x40, 1);
	irqx_vector_put(&t->table, OTHER, (struct kvm_irqx_vector){ .control = 1 });
	irqx_table_set_flags(&t->table, IRQX_TABLE_ON);
	irqx_settle(g->ctx);
	irqx_fence(g);
	EXPECT_EQ(1, irqx_total(g));
}

/* An event that has not begun stays at its vector, when that is unbound, and is not sent. */
TEST_F_TIMEOUT(lpi_table, unbound_before_it_begins, 60)
{
	struct lpi_table *t = &self->t;
	struct irqx_guest *g;

	*t = lpi_table_create();
	g = t->g;
	hold_its_lock(g, self->pages, &self->vcpu);
	irqx_fire(t->fd);
	usleep(50000);
	irqx_fire(t->other);
	irqx_unbind(g->ctx, t->other);
	EXPECT_EQ(0, irqx_eventfd_take(t->other));
	EXPECT_EQ(KVM_IRQX_VECTOR_PENDING, irqx_vector_get(&t->table, OTHER).state);
	irqx_pages_serve(self->pages);
	irqx_blocked_join(&self->vcpu);
	irqx_wait_count(g, 2, 0x40, 1);
	usleep(50000);
	irqx_fence(g);
	EXPECT_EQ(0, irqx_count(g, 2, 0x41));
	EXPECT_EQ(KVM_IRQX_VECTOR_PENDING, irqx_vector_get(&t->table, OTHER).state);
	irqx_bind(g->ctx, t->other, irqx_vector_entry(&t->table, OTHER));
	irqx_wait_count(g, 2, 0x41, 1);
	irqx_settle(g->ctx);
	irqx_fence(g);
	EXPECT_EQ(2, irqx_total(g));
}

static void table_attacker(void *pages, int ready)
{
	struct lpi_table t = lpi_table_create();
	struct irqx_blocked vcpu;

	write_to_begun(&t, pages, &vcpu);
	irqx_attack_stay(ready);
}

/* Of a process that has been killed: the first one stays for as long as the others do. */
static uint32_t threads_that_do_not_end(pid_t pid)
{
	char path[32];
	uint32_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	TEST_ASSERT(dir, "%s: %s", path, strerror(errno));
	while (readdir(dir))
		n++;
	closedir(dir);
	/* ".", "..", and the first one. */
	return n - 3;
}

/*
 * A page that is missing is waited for no longer, so the lock is free and the injection ends
 * as well.  Whoever waits for the FUSE server keeps the lock: the write must end all the same.
 */
TEST_F_TIMEOUT(lpi_table, write_is_killed, 60)
{
	pid_t pid = irqx_attack_start(table_attacker, self->pages);

	if (variant->kind == IRQX_PAGES_FUSE_SYNC) {
		kill(pid, SIGKILL);
		EXPECT_TRUE(irqx_wait_until(threads_that_do_not_end(pid) == 1, IRQX_SOON_MS));
		irqx_pages_free(self->pages);
		self->pages = NULL;
	}
	EXPECT_GT(IRQX_SOON_MS, irqx_attack_end(pid));
	EXPECT_TRUE(irqx_wait_module_refs(self->refs));
}

TEST_HARNESS_MAIN

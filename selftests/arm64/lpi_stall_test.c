// SPDX-License-Identifier: GPL-2.0
/*
 * An LPI whose translation is not cached takes the ITS's lock.  A vCPU that has KVM read the
 * properties of an LPI holds that lock, for as long as the page that they are in is not
 * there.  See x86/stall_test.c.
 */
#include <signal.h>
#include <sys/wait.h>

#include "irqx_blocked.h"
#include "irqx_pages.h"
#include "irqx_harness.h"

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

struct attack {
	struct irqx_pages *pages;
	int ready;
};

static int attacker(struct attack *attack)
{
	struct irqx_guest *g = irqx_guest_create(2);
	int fds[3];
	struct irqx_blocked vcpu;

	irqx_eventfds(fds, 3);
	irqx_guest_start(g);
	bind_all(g, fds[0], fds[1], fds[2]);
	hold_its_lock(g, attack->pages, &vcpu);
	irqx_fire(fds[0]);
	irqx_fire(fds[1]);
	if (write(attack->ready, "", 1) != 1)
		return 1;
	for (;;)
		pause();
}

/* Another VM's LPIs come as ever; SIGKILL ends the attacker, and the module is free. */
TEST_F_TIMEOUT(lpi_stall, attack_does_no_harm, 90)
{
	struct attack attack = { .pages = self->pages };
	int ready[2], status, refs = irqx_module_refs();
	struct irqx_guest *g = self->g;
	uint64_t start;
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(ready));
	attack.ready = ready[1];
	pid = fork();
	if (!pid)
		_exit(attacker(&attack));
	close(ready[1]);
	ASSERT_EQ(1, read(ready[0], &c, 1));

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
	start = irqx_now_ns();
	EXPECT_TRUE(irqx_wait_until(waitpid(pid, &status, WNOHANG) == pid,
				    IRQX_SOON_MS));
	EXPECT_GT(IRQX_SOON_MS, irqx_ms_since(start));
	EXPECT_TRUE(irqx_wait_module_refs(refs));
}

TEST_HARNESS_MAIN

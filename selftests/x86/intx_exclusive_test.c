// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/kvm-irqx-intx with a device that cannot be masked, or of which VFIO takes that to be so
 * (vfio_pci.nointxmask=1): its line is for it alone.
 */
#include "irqx_assign.h"
#include "irqx_harness.h"
#include "irqx_module.h"

FIXTURE(exclusive)
{
	struct irqx_assigned a;
	struct irqx_guest *g;
	volatile struct irqx_edu_driver *driver;
	int intx;
	int neighbour;
	uint64_t fired;
};

FIXTURE_SETUP(exclusive)
{
	const char *missing = irqx_assign_missing();
	int err;

	if (missing)
		SKIP(return, "%s", missing);
	err = irqx_intx_load("");
	TEST_ASSERT(!err || err == EEXIST, "load: %s", strerror(err));
	irqx_assigned_find(&self->a, IRQX_EDU_SLOT);
	irqx_assigned_open(&self->a);
	self->g = irqx_edu_guest(&self->a);
	self->driver = irqx_edu_driver(self->g);
	self->intx = irqx_intx_open();
	self->neighbour = irqx_neighbour_open(IRQX_EDU_NEIGHBOUR);
}

FIXTURE_TEARDOWN(exclusive)
{
	if (!self->g)
		return;
	irqx_edu_write(&self->a, IRQX_EDU_ACK, ~0U);
	close(self->intx);
	irqx_neighbour_join(self->neighbour, 0);
	EXPECT_EQ(0, irqx_neighbour_depth(self->neighbour, NULL));
	EXPECT_EQ(1, irqx_neighbour_fire(self->neighbour, 1, 5000).served);
	irqx_neighbour_close(self->neighbour);
	irqx_guest_free(self->g);
	irqx_assigned_close(&self->a);
	EXPECT_EQ(0, irqx_module_unload(IRQX_INTX_NAME));
}

static void cycles(FIXTURE_DATA(exclusive) *self, uint64_t n)
{
	irqx_edu_cycles(&self->a, self->g, &self->fired, n);
}

static void hold(FIXTURE_DATA(exclusive) *self)
{
	irqx_edu_hold(&self->a, self->g);
}

static uint32_t flags(FIXTURE_DATA(exclusive) *self)
{
	return irqx_intx_state(self->intx).flags;
}

TEST_F(exclusive, cycle)
{
	uint64_t n = irqx_iterations(1000, 100000);
	struct kvm_irqx_intx_state state;

	irqx_intx_attach(self->intx, self->g->ctx, &self->a);
	cycles(self, n);
	EXPECT_TRUE(irqx_wait_until(flags(self) == KVM_IRQX_INTX_FLAG_EXCLUSIVE,
				    IRQX_TIMEOUT_MS));
	state = irqx_intx_state(self->intx);
	EXPECT_EQ(KVM_IRQX_INTX_MODE_LINE, state.mode);
	EXPECT_EQ(state.interrupts, state.by_line);
	EXPECT_LE(n, state.by_line);
	EXPECT_EQ(0, state.foreign);
	EXPECT_FALSE(irqx_assigned_real_command(&self->a) & PCI_COMMAND_INTX_DISABLE);
}

TEST_F(exclusive, nobody_joins)
{
	struct neighbour_request join = { .op = NEIGHBOUR_JOIN };
	uint32_t reason;

	irqx_intx_attach(self->intx, self->g->ctx, &self->a);
	EXPECT_EQ(EBUSY, __irqx_neighbour(self->neighbour, &join));
	hold(self);
	EXPECT_EQ(EBUSY, __irqx_neighbour(self->neighbour, &join));
	/*
	 * A level that falls while nobody has the pin stays up in QEMU's IOAPIC until it changes
	 * again; a neighbour whose handler is a thread is too late for the kernel then.
	 */
	if (irqx_kernel_is_rt())
		irqx_edu_let_go(&self->a, self->g);
	irqx_assert(__irqx_ioctl(self->intx, KVM_IRQX_INTX_DETACH, NULL));
	if (!irqx_kernel_is_rt())
		irqx_edu_let_go(&self->a, self->g);
	irqx_neighbour_join(self->neighbour, 0);
	EXPECT_EQ(0, irqx_neighbour_depth(self->neighbour, NULL));
	EXPECT_EQ(5, irqx_neighbour_fire(self->neighbour, 5, 5000).served);
	EXPECT_EQ(EBUSY, __irqx_intx_attach(self->intx, self->g->ctx, &self->a, &reason));
	EXPECT_EQ(KVM_IRQX_INTX_REASON_LINE, reason);
	irqx_neighbour_leave(self->neighbour);
}

/* VFIO does not write the bit of such a device: the line is closed for it. */
TEST_F(exclusive, disable_bit)
{
	irqx_intx_attach(self->intx, self->g->ctx, &self->a);
	cycles(self, 3);

	/* Set before it interrupts. */
	irqx_assigned_set_command(&self->a, PCI_COMMAND_INTX_DISABLE, 0);
	irqx_edu_fire(&self->a);
	irqx_edu_silent(self->g, self->fired);
	EXPECT_TRUE(flags(self) & KVM_IRQX_INTX_FLAG_LINE_CLOSED);
	irqx_edu_wanted(&self->a, self->g, &self->fired);

	/* Set before the EOI, with the device not yet content. */
	hold(self);
	irqx_assigned_set_command(&self->a, PCI_COMMAND_INTX_DISABLE, 0);
	irqx_edu_eoi(self->g);
	irqx_edu_silent(self->g, self->fired);
	EXPECT_TRUE(flags(self) & KVM_IRQX_INTX_FLAG_LINE_CLOSED);
	irqx_edu_wanted(&self->a, self->g, &self->fired);

	/* Set when it is attached. */
	irqx_assert(__irqx_ioctl(self->intx, KVM_IRQX_INTX_DETACH, NULL));
	irqx_assigned_set_command(&self->a, PCI_COMMAND_INTX_DISABLE, 0);
	irqx_intx_attach(self->intx, self->g->ctx, &self->a);
	irqx_edu_fire(&self->a);
	irqx_edu_silent(self->g, self->fired);
	irqx_edu_wanted(&self->a, self->g, &self->fired);
}

/* It wants the line for itself, and does not get it. */
TEST_F(exclusive, vfio_cannot_take_it)
{
	int fd = irqx_eventfd(0, 0);

	irqx_intx_attach(self->intx, self->g->ctx, &self->a);
	cycles(self, 3);
	EXPECT_EQ(EBUSY, __irqx_assigned_vfio_intx(&self->a, fd));
	cycles(self, 3);
	EXPECT_EQ(KVM_IRQX_INTX_STATE_ATTACHED, irqx_intx_state(self->intx).state);
	irqx_assert(__irqx_ioctl(self->intx, KVM_IRQX_INTX_DETACH, NULL));
	EXPECT_EQ(0, __irqx_assigned_vfio_intx(&self->a, fd));
	irqx_edu_fire(&self->a);
	EXPECT_TRUE(irqx_wait_until(irqx_eventfd_take(fd) == 1, IRQX_TIMEOUT_MS));
	EXPECT_EQ(0, __irqx_assigned_vfio_intx(&self->a, -1));
	close(fd);
}

TEST_HARNESS_MAIN

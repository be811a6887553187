// SPDX-License-Identifier: GPL-2.0
/*
 * KVM's vendor module under an attached VM: a context keeps it, as it keeps the
 * VM.  A program of its own, since no other VM may be there.
 */
#include <limits.h>
#include <pthread.h>

#include "irqx_module.h"
#include "irqx_util.h"
#include "irqx_harness.h"

bool irqx_keeps_vms;

TEST(vendor_stays_under_attached_vm)
{
	struct irqx_guest *g;
	const char *file;
	char vendor[64];
	int ctx, ctx2, fd;

	file = irqx_vendor_module(vendor, sizeof(vendor));
	if (!file)
		SKIP(return, "IRQX_KVM_MODULES does not name KVM's modules");
	ASSERT_TRUE(irqx_module_present(vendor));

	g = irqx_guest_create(1);
	ctx = irqx_context(g->vm);
	ctx2 = irqx_context(g->vm);
	fd = irqx_eventfd(0, 0);
	irqx_bind(ctx, fd, irqx_entry(g, 0, 0x40));
	irqx_guest_free(g);
	EXPECT_EQ(EWOULDBLOCK, irqx_module_unload(vendor));
	irqx_fire(fd);
	close(ctx2);
	EXPECT_EQ(EWOULDBLOCK, irqx_module_unload(vendor));
	irqx_fire(fd);
	EXPECT_EQ(2, irqx_stats(ctx).events);
	close(ctx);

	/* The last context takes the VM along. */
	ASSERT_EQ(0, irqx_module_unload(vendor));
	irqx_fire(fd);
	EXPECT_EQ(1, irqx_eventfd_take(fd));
	ASSERT_EQ(0, irqx_module_load(file, ""));

	/* Ours has stayed, and is still right about where KVM is. */
	g = irqx_guest_create(1);
	irqx_bind(g->ctx, fd, irqx_entry(g, 0, 0x40));
	irqx_guest_start(g);
	irqx_fire(fd);
	irqx_expect(g, 0, 0x40, 1);
	irqx_check(g);
	irqx_guest_free(g);
	EXPECT_EQ(0, irqx_module_refs());
}

static void *unload_as_soon_as_possible(void *vendor)
{
	int err;

	do {
		err = irqx_module_unload(vendor);
	} while (err == EWOULDBLOCK);
	return (void *)(intptr_t)err;
}

/* The last close destroys the VM, by the vendor module's code. */
TEST(vendor_stays_until_vm_is_gone)
{
	struct irqx_guest *g;
	pthread_t unloader;
	const char *file;
	char vendor[64];
	void *err;
	int i, ctx;

	file = irqx_vendor_module(vendor, sizeof(vendor));
	if (!file)
		SKIP(return, "IRQX_KVM_MODULES does not name KVM's modules");

	for (i = 0; i < 10; i++) {
		g = irqx_guest_create(1);
		ctx = irqx_context(g->vm);
		irqx_guest_free(g);
		ASSERT_EQ(0, pthread_create(&unloader, NULL,
					    unload_as_soon_as_possible, vendor));
		usleep(i * 1000);
		close(ctx);
		ASSERT_EQ(0, pthread_join(unloader, &err));
		ASSERT_EQ(0, (intptr_t)err);
		ASSERT_EQ(0, irqx_module_load(file, ""));
	}
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * What an interrupt of an assigned device costs, from its register to the host's unmasking:
 * by kvm_irqx_intx.ko, and by VFIO with a resamplefd, through KVM's irqfd or this module's.
 */
#include <sched.h>

#include "../bench.h"
#include "irqx_assign.h"
#include "irqx_module.h"

struct cycle {
	struct irqx_assigned a;
	struct irqx_guest *g;
	volatile struct irqx_edu_driver *driver;
	uint64_t served;
	int intx;
	int neighbour;
};

static void one(void *arg, uint32_t i)
{
	struct cycle *cycle = arg;

	(void)i;
	irqx_edu_fire(&cycle->a);
	cycle->served++;
	/* The last that the guest does, behind its EOI. */
	while (cycle->driver->served != cycle->served)
		;
}

/* Who waits runs only if nobody else wants to. */
static double cost(struct cycle *cycle)
{
	struct sched_param param = {};
	double cost;

	TEST_ASSERT(!sched_setscheduler(0, SCHED_IDLE, &param), "SCHED_IDLE: %s", strerror(errno));
	bench_each(one, cycle, 50);
	cost = bench_each(one, cycle, bench.quick ? 500 : 2000);
	TEST_ASSERT(!sched_setscheduler(0, SCHED_OTHER, &param), "SCHED_OTHER: %s",
		    strerror(errno));
	return cost;
}

static double by_intx(struct cycle *cycle)
{
	double ret;

	irqx_intx_attach(cycle->intx, cycle->g->ctx, &cycle->a);
	ret = cost(cycle);
	bench_ok(__irqx_ioctl(cycle->intx, KVM_IRQX_INTX_DETACH, NULL));
	return ret;
}

/* @ctx: a context, or the VM for KVM's own. */
static double by_vfio(struct cycle *cycle, int ctx)
{
	struct irqx_level level;
	double ret;

	level = ctx == cycle->g->vm->fd ? irqx_level_gsi(ctx, IRQX_EDU_PIN) :
		irqx_level_direct(ctx, irqx_pin_entry(KVM_IRQCHIP_IOAPIC, IRQX_EDU_PIN));
	bench_ok(__irqx_assigned_vfio_intx(&cycle->a, level.fd));
	bench_ok(__irqx_assigned_vfio_unmask(&cycle->a, level.ack));
	ret = cost(cycle);
	bench_ok(__irqx_assigned_vfio_intx(&cycle->a, -1));
	if (ctx == cycle->g->vm->fd) {
		bench_ok(__irqx_irqfd(ctx, level.fd, IRQX_EDU_PIN, KVM_IRQFD_FLAG_DEASSIGN));
	} else {
		irqx_unbind(ctx, level.fd);
	}
	irqx_level_close(&level);
	return ret;
}

static void masks(struct cycle *cycle, struct bench_pairs *pairs)
{
	struct neighbour_request line = { .op = NEIGHBOUR_COST_LINE, .count = 1000 };
	struct neighbour_request device = { .op = NEIGHBOUR_COST_DEVICE, .count = 1000 };

	bench_ok(__irqx_neighbour(cycle->neighbour, &line));
	bench_ok(__irqx_neighbour(cycle->neighbour, &device));
	bench_pair(pairs, line.out / 1000.0, device.out / 1000.0);
}

void bench_arch_intx(void)
{
	struct bench_pairs alone = {}, shared = {}, resample = {}, mask = {};
	const char *missing = irqx_assign_missing();
	struct cycle cycle = {};
	double kvm, kvm_shared;
	uint32_t run;

	if (missing) {
		bench_say("no INTx: %s", missing);
		return;
	}
	bench_say("INTx of an assigned device");
	bench_ok(irqx_intx_load(""));
	irqx_assigned_find(&cycle.a, IRQX_EDU_SLOT);
	irqx_assigned_open(&cycle.a);
	cycle.g = irqx_edu_guest(&cycle.a);
	cycle.driver = irqx_edu_driver(cycle.g);
	cycle.intx = irqx_intx_open();
	cycle.neighbour = irqx_neighbour_open(IRQX_EDU_NEIGHBOUR);
	bench_vcpu_first(cycle.g);
	for (run = 0; run <= bench_runs(false); run++) {
		double ours = by_intx(&cycle), ours_shared, through;

		kvm = by_vfio(&cycle, cycle.g->vm->fd);
		through = by_vfio(&cycle, cycle.g->ctx);
		irqx_neighbour_join(cycle.neighbour, 0);
		ours_shared = by_intx(&cycle);
		kvm_shared = by_vfio(&cycle, cycle.g->vm->fd);
		if (run) {
			bench_pair(&alone, ours, kvm);
			bench_pair(&resample, through, kvm);
			bench_pair(&shared, ours_shared, kvm_shared);
			masks(&cycle, &mask);
		}
		irqx_neighbour_leave(cycle.neighbour);
	}
	bench_report("intx-line", 1, NULL, &alone);
	bench_report("intx-device", 1, NULL, &shared);
	bench_report("intx-resamplefd", 1, NULL, &resample);
	bench_report("intx-mask", 1, NULL, &mask);
	close(cycle.intx);
	irqx_neighbour_close(cycle.neighbour);
	irqx_guest_free(cycle.g);
	irqx_assigned_close(&cycle.a);
	bench_ok(irqx_module_unload(IRQX_INTX_NAME));
}

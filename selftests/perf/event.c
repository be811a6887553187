// SPDX-License-Identifier: GPL-2.0
/*
 * What an event costs: from the eventfd to the guest's handler and back, and the
 * part of it that is not the guest's: from the wake-up of the eventfd to the return
 * of KVM's injection.
 */
#include <sched.h>

#include "bench.h"

#define KVM_GSI		0

/* One eventfd on each side, and one that nobody waits for. */
struct ends {
	struct bench_way *way;
	int irqx;
	int kvm;
	int bare;
	int fd;				/* the one in use; -1: KVM_SIGNAL_MSI */
};

static void trip(void *arg, uint32_t i)
{
	struct ends *ends = arg;
	struct irqx_guest *g = ends->way->g;
	uint64_t before = irqx_count(g, 0, ends->way->irq);

	(void)i;
	if (ends->fd >= 0)
		bench_ok(__irqx_fire(ends->fd));
	else
		irqx_signal_msi(g->vm, ends->way->entry);
	while (irqx_count(g, 0, ends->way->irq) == before)
		sched_yield();
}

static void fire(void *arg, uint32_t i)
{
	struct ends *ends = arg;

	(void)i;
	bench_ok(__irqx_fire(ends->fd));
}

static double measure(struct ends *ends, int fd, bool round_trip)
{
	ends->fd = fd;
	if (!round_trip)
		return bench_each(fire, ends, 512);
	return bench_each(trip, ends, bench.icount ? 256 : 2000);
}

static void report(const struct bench_way *way, const char *what,
		   const struct bench_pairs *pairs)
{
	char name[64];

	snprintf(name, sizeof(name), "%s-%s", what, way->name);
	bench_report(name, 1, NULL, pairs);
}

static void round_trips(struct ends *ends)
{
	bool msi = ends->way->entry.type == KVM_IRQ_ROUTING_MSI;
	struct bench_pairs events = {}, signals = {};
	uint32_t run;
	double irqx;

	ends->way->start(ends->way);
	bench_vcpu_first(ends->way->g);
	for (run = 0; run <= bench_runs(false); run++) {
		irqx = measure(ends, ends->irqx, true);
		bench_pair(&events, irqx, measure(ends, ends->kvm, true));
		if (msi)
			bench_pair(&signals, irqx, measure(ends, -1, true));
		/* The first one is for the caches. */
		if (!run)
			events.nr = signals.nr = 0;
	}
	report(ends->way, "event", &events);
	if (msi)
		report(ends->way, "event-or-signal", &signals);
	irqx_guest_stop(ends->way->g);
}

/* No vCPU runs: what comes stays pending, and costs the same every time. */
static void own_parts(struct ends *ends)
{
	struct bench_pairs own = {};
	double bare, irqx, kvm;
	uint32_t run;

	for (run = 0; run <= bench_runs(false); run++) {
		bare = measure(ends, ends->bare, false);
		irqx = measure(ends, ends->irqx, false) - bare;
		kvm = measure(ends, ends->kvm, false) - bare;
		if (run)
			bench_pair(&own, irqx, kvm);
	}
	report(ends->way, "wakeup", &own);
}

static void one_way(struct bench_way *way)
{
	struct kvm_irq_routing_entry entry = way->entry;
	struct ends ends = {
		.way = way,
		.irqx = irqx_eventfd(0, 0),
		.kvm = irqx_eventfd(0, 0),
		.bare = irqx_eventfd(0, 0),
	};

	entry.gsi = KVM_GSI;
	irqx_set_gsi_routing(way->g->vm->fd, &entry, 1);
	bench_ok(__irqx_irqfd(way->g->vm->fd, ends.kvm, KVM_GSI, 0));
	bench_ok(__irqx_bind(way->g->ctx, ends.irqx, way->entry));

	round_trips(&ends);
	if (way->atomic)
		own_parts(&ends);

	close(ends.irqx);
	close(ends.kvm);
	close(ends.bare);
	way->free(way);
}

/* KVM_IRQ_LINE here and on the VM: up and down, on a pin that the guest masks. */
struct wire {
	int fd;
	uint32_t gsi;
};

static void up_and_down(void *arg, uint32_t i)
{
	struct wire *wire = arg;

	(void)i;
	bench_ok(__irqx_irq_line(wire->fd, wire->gsi, 1));
	bench_ok(__irqx_irq_line(wire->fd, wire->gsi, 0));
}

static void irq_line(void)
{
	struct irqx_guest *g = irqx_guest_create(1);
	struct wire ours = { g->ctx, 0 }, kvms = { g->vm->fd, 1 };
	struct kvm_irq_routing_entry entries[2] = {
		irqx_wire_entry(g, 0), irqx_wire_entry(g, 1),
	};
	struct bench_pairs pairs = {};
	uint32_t run;

	entries[1].gsi = kvms.gsi;
	bench_ok(__irqx_route_set(g->ctx, ours.gsi, entries[0]));
	irqx_set_gsi_routing(g->vm->fd, &entries[1], 1);
	kvms.gsi = bench_arch_irq_line(entries[1]);
	for (run = 0; run <= bench_runs(false); run++) {
		bench_pair(&pairs, bench_each(up_and_down, &ours, 256) / 2,
			   bench_each(up_and_down, &kvms, 256) / 2);
		if (!run)
			pairs.nr = 0;
	}
	bench_report("irq-line", 1, NULL, &pairs);
	irqx_guest_free(g);
}

void bench_events(void)
{
	struct bench_way ways[BENCH_MAX_WAYS];
	uint32_t i, nr = bench_arch_ways(ways);

	for (i = 0; i < nr; i++) {
		bench_say("an event by way of %s", ways[i].name);
		one_way(&ways[i]);
	}
	bench_say("KVM_IRQ_LINE");
	irq_line();
}

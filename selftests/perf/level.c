// SPDX-License-Identifier: GPL-2.0
/*
 * What a level interrupt costs, from the event to the resamplefds of all who share
 * the line; and what it costs the VM of somebody else that EOIs are listened to.
 */
#include <fcntl.h>

#include "bench.h"

#define MAX_SOURCES	8

struct line {
	struct irqx_level sources[MAX_SOURCES];
	uint32_t nr;
};

/* @fd: a context, or a VM for KVM's own. */
static struct line line_create(int fd, bool kvm, uint32_t pin, uint32_t nr)
{
	struct line line = { .nr = nr };
	uint32_t i;

	for (i = 0; i < nr; i++) {
		line.sources[i] = kvm ? irqx_level_gsi(fd, pin) :
			irqx_level_direct(fd, irqx_pin_entry(IRQX_IRQCHIP, pin));
		/* Who waits sleeps. */
		fcntl(line.sources[i].ack, F_SETFL, 0);
	}
	return line;
}

static void line_close(struct line *line)
{
	uint32_t i;

	for (i = 0; i < line->nr; i++)
		irqx_level_close(&line->sources[i]);
}

/* One source asserts, all are told of the EOI. */
static void cycle(void *arg, uint32_t nth)
{
	struct line *line = arg;
	uint64_t count;
	uint32_t i;

	(void)nth;
	bench_ok(__irqx_fire(line->sources[0].fd));
	for (i = 0; i < line->nr; i++)
		if (read(line->sources[i].ack, &count, sizeof(count)) !=
		    sizeof(count) || count != 1)
			TEST_FAIL("not one acknowledgment of one event");
}

static double cycles(struct line *line)
{
	return bench_each(cycle, line, bench.icount ? 400 : 1000);
}

/*
 * So many that a tick of the clock more or less is 3 instructions a cycle (10 if
 * quick), after a pause in which what closing a context has left to others is done.
 */
static double many_cycles(struct line *line)
{
	usleep(100000);
	return bench_each(cycle, line, bench.icount && !bench.quick ? 4000 : 1000);
}

static void share(uint32_t nr)
{
	struct irqx_guest *g = bench_arch_level_guest();
	struct bench_pairs pairs = {};
	struct line ours, kvms;
	double cost;
	uint32_t run;

	bench_vcpu_first(g);
	ours = line_create(g->ctx, false, bench_arch_level_pin(g, 0), nr);
	kvms = line_create(g->vm->fd, true, bench_arch_level_pin(g, 1), nr);
	for (run = 0; run <= bench_runs(false); run++) {
		cost = cycles(&ours);
		if (run)
			bench_pair(&pairs, cost, cycles(&kvms));
		else
			cycles(&kvms);
	}
	bench_report("level", nr, NULL, &pairs);
	line_close(&ours);
	line_close(&kvms);
	irqx_guest_free(g);
}

void bench_level(void)
{
	bench_say("level cycles, 1 source");
	share(1);
	bench_say("level cycles, %u sources", MAX_SOURCES);
	share(MAX_SOURCES);
}

/*
 * A stranger's EOIs, on KVM's own resamplefd: with nobody attached here, with a
 * context elsewhere that has no resamplefd, with one that has one on a pin, and with one
 * that has one on what is told by its vector.
 */
void bench_stranger(void)
{
	struct irqx_guest *g = bench_arch_level_guest();
	struct irqx_guest *stranger = bench_arch_level_guest();
	struct bench_pairs context = {}, line = {}, context_extra = {}, line_extra = {};
	struct bench_pairs vector = {}, vector_extra = {};
	struct kvm_irq_routing_entry entry;
	bool has_vectors = bench_arch_vector_entry(&entry);
	uint32_t run, pin = bench_arch_level_pin(g, 0);
	double alone, with_context, with_line, with_vector = 0;
	struct line foreign, ours;
	struct irqx_level on_vector;
	int fd = irqx_eventfd(0, 0);

	bench_say("EOIs of a VM that does not use the module");
	irqx_guest_stop(g);
	close(g->ctx);
	close(stranger->ctx);
	stranger->ctx = -1;
	bench_vcpu_first(stranger);
	foreign = line_create(stranger->vm->fd, true,
			      bench_arch_level_pin(stranger, 1), 1);
	for (run = 0; run <= bench_runs(false); run++) {
		alone = many_cycles(&foreign);
		g->ctx = irqx_context(g->vm);
		bench_ok(__irqx_bind(g->ctx, fd, bench_entry(0, false)));
		irqx_route_set(g->ctx, 0, irqx_pin_entry(IRQX_IRQCHIP, pin));
		irqx_irq_line(g->ctx, 0, 1);
		irqx_irq_line(g->ctx, 0, 0);
		with_context = many_cycles(&foreign);
		ours = line_create(g->ctx, false, pin, 1);
		with_line = many_cycles(&foreign);
		close(g->ctx);
		line_close(&ours);
		if (has_vectors) {
			g->ctx = irqx_context(g->vm);
			on_vector = irqx_level_direct(g->ctx, entry);
			with_vector = many_cycles(&foreign);
			close(g->ctx);
			irqx_level_close(&on_vector);
		}
		if (!run)
			continue;
		bench_pair(&context, with_context, alone);
		bench_pair(&line, with_line, alone);
		bench_pair(&context_extra, with_context - alone, BENCH_NONE);
		bench_pair(&line_extra, with_line - alone, BENCH_NONE);
		bench_pair(&vector, with_vector, alone);
		bench_pair(&vector_extra, with_vector - alone, BENCH_NONE);
	}
	g->ctx = -1;
	bench_report("stranger-context", 1, NULL, &context);
	bench_report("stranger-resamplefd", 1, NULL, &line);
	bench_report("stranger-context-extra", 1, NULL, &context_extra);
	bench_report("stranger-resamplefd-extra", 1, NULL, &line_extra);
	if (has_vectors) {
		bench_report("stranger-vector", 1, NULL, &vector);
		bench_report("stranger-vector-extra", 1, NULL, &vector_extra);
	}
	line_close(&foreign);
	close(fd);
	irqx_guest_free(stranger);
	irqx_guest_free(g);
}

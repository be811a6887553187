// SPDX-License-Identifier: GPL-2.0
/*
 * What KVM_IRQX_LIST costs of N bindings, and what it costs those that are signalled meanwhile.
 */
#include "bench.h"

/* As many by one call. */
#define PIECE	4096

/* The thread that fires goes round these. */
#define NR_FIRED	64
#define TURN_NS		50000000ULL

struct listed {
	struct bench_vm vm;
	uint32_t n;
	int *fds;
	struct kvm_irqx_binding *bindings;
	/* For the thread that lists: */
	bool lists;
	bool stop;
	uint64_t rounds;
};

static void bind_all(struct listed *l)
{
	struct kvm_irqx_op *ops = calloc(PIECE, sizeof(*ops));
	uint32_t i, j, nr;

	TEST_ASSERT(ops, "no memory");
	for (i = 0; i < l->n; i += nr) {
		nr = l->n - i < PIECE ? l->n - i : PIECE;
		for (j = 0; j < nr; j++)
			ops[j] = (struct kvm_irqx_op){
				.op = KVM_IRQX_OP_ASSIGN,
				.fd = l->fds[i + j],
				.entry = bench_entry(i + j, false),
				.cookie = i + j,
			};
		bench_ok(__irqx_batch(l->vm.ctx, ops, nr, NULL));
	}
	free(ops);
}

static void list_all(struct listed *l)
{
	uint64_t cursor = 0;
	uint32_t nr, all = 0;

	do {
		nr = PIECE;
		bench_ok(__irqx_list(l->vm.ctx, &cursor, l->bindings, &nr));
		all += nr;
	} while (cursor);
	TEST_ASSERT(all == l->n, "%u of %u", all, l->n);
}

static void *list_thread(void *arg)
{
	struct listed *l = arg;

	while (!READ_ONCE(l->stop)) {
		if (!READ_ONCE(l->lists))
			continue;
		list_all(l);
		WRITE_ONCE(l->rounds, l->rounds + 1);
	}
	return NULL;
}

struct outcome {
	double rate;			/* events per second */
	double pause;			/* ns; the longest between two */
};

static struct outcome fire(struct listed *l, bool lists)
{
	uint64_t begin, now, last, fired = 0, pause = 0;

	WRITE_ONCE(l->lists, lists);
	usleep(20000);
	begin = irqx_now_ns();
	last = begin;
	do {
		bench_ok(__irqx_fire(l->fds[fired++ % NR_FIRED]));
		now = irqx_now_ns();
		pause = now - last > pause ? now - last : pause;
		last = now;
	} while (now < begin + TURN_NS);
	return (struct outcome){
		.rate = fired * 1e9 / (now - begin),
		.pause = pause,
	};
}

/* The other thread runs all the time, as in threads.c. */
static void fire_beside(struct listed *l)
{
	struct bench_pairs loss = {}, pauses = {}, idle = {};
	struct outcome alone, beside;
	pthread_t thread;
	uint32_t run;

	TEST_ASSERT(!pthread_create(&thread, NULL, list_thread, l), "pthread_create");
	for (run = 0; run < (bench.quick ? 8 : BENCH_MAX_RUNS); run++) {
		alone = fire(l, false);
		beside = fire(l, true);
		bench_pair(&loss, 100 * (1 - beside.rate / alone.rate), BENCH_NONE);
		bench_pair(&pauses, beside.pause, BENCH_NONE);
		bench_pair(&idle, alone.pause, BENCH_NONE);
	}
	WRITE_ONCE(l->stop, true);
	pthread_join(thread, NULL);
	bench_report("list-fire-loss", l->n, "%", &loss);
	bench_report("list-fire-pause", l->n, "ns", &pauses);
	bench_report("list-fire-pause-idle", l->n, "ns", &idle);
}

static void list_of(uint32_t n)
{
	struct bench_pairs pairs = {};
	struct listed l = {
		.vm = bench_vm_create(true),
		.n = n,
		.fds = calloc(n, sizeof(*l.fds)),
		.bindings = calloc(PIECE, sizeof(*l.bindings)),
	};
	struct bench_clock clock;
	uint32_t run;

	TEST_ASSERT(l.fds && l.bindings, "no memory");
	irqx_need_files(n + 1024);
	irqx_eventfds(l.fds, n);
	bind_all(&l);
	for (run = 0; run <= bench_runs(n > 65536); run++) {
		bench_start(&clock);
		list_all(&l);
		/* The first is for the caches. */
		if (run)
			bench_pair(&pairs, bench_stop(&clock) / n, BENCH_NONE);
	}
	bench_report("list", n, NULL, &pairs);
	if (!bench.icount)
		fire_beside(&l);
	irqx_close_all(l.fds, n);
	bench_vm_close(&l.vm);
	bench_vm_free(&l.vm);
	free(l.bindings);
	free(l.fds);
}

void bench_list(void)
{
	static const uint32_t sizes[] = { 64, 4032, 65536, 1U << 20 };
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (bench.quick && sizes[i] > 65536)
			continue;
		bench_say("list %u bindings", sizes[i]);
		list_of(sizes[i]);
	}
}

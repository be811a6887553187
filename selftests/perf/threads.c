// SPDX-License-Identifier: GPL-2.0
/*
 * One thread fires eventfds at full speed, on a CPU of its own, while another one
 * changes the table at full speed on another CPU: what the first loses, and how long
 * it stands still at most.
 */
#include <sched.h>

#include "bench.h"

/* The one that fires goes round these; the other one changes them too. */
#define NR_FIRED	64

/* What the other thread does. */
enum rival {
	SPINS,				/* keeps its CPU busy, no more */
	CALLS,				/* getppid(), which touches nothing */
	CHANGES_ELSEWHERE,		/* the table of another VM */
	CHANGES,			/* that of the one that fires */
	NR_RIVALS,
};

/* n bindings, and eventfds for a few more. */
struct side {
	struct irqx_guest *g;		/* whose vCPUs are there, but do not run */
	struct kvm_irq_routing *table;	/* KVM's */
	int *fds;
	int extra[BENCH_EXTRA];
};

/* A round of turns: this module's and KVM's, against each rival. */
#define TURN_NS		50000000ULL
#define SETTLE_US	20000
#define NR_TURNS	(2 * NR_RIVALS)

struct fight {
	struct side here[2], elsewhere[2];	/* this module's, KVM's */
	uint32_t n;
	int cpus[2];

	/* For the other thread, and what it is at. */
	uint32_t turn, at;
	uint64_t rounds;
	bool stop;
};

struct outcome {
	double rate;			/* events per second */
	double pause;			/* ns; the longest between two events */
	double changes;			/* per second */
};

/* The i-th of all ways to a vCPU, or the one after. */
static struct kvm_irq_routing_entry way(struct side *side, uint32_t i, bool other)
{
	struct irqx_slot slot = irqx_slot(side->g, i + other);

	return irqx_entry(side->g, slot.vcpu, slot.irq);
}

static void change_ours(struct side *side, uint32_t n, uint32_t i)
{
	int ctx = side->g->ctx;
	uint32_t nth = i % n;

	bench_ok(__irqx_modify(ctx, side->fds[nth], way(side, nth, i / n & 1)));
	if (i % 8)
		return;
	nth = i / 8 % BENCH_EXTRA;
	bench_ok(__irqx_bind(ctx, side->extra[nth], way(side, nth, false)));
	bench_ok(__irqx_unbind(ctx, side->extra[nth]));
}

static void change_kvms(struct side *side, uint32_t n, uint32_t i)
{
	int vm = side->g->vm->fd;
	uint32_t nth = i % n;

	side->table->entries[nth] = way(side, nth, i / n & 1);
	side->table->entries[nth].gsi = nth;
	bench_ok(__irqx_ioctl(vm, KVM_SET_GSI_ROUTING, side->table));
	if (i % 8)
		return;
	nth = i / 8 % BENCH_EXTRA;
	bench_ok(__irqx_irqfd(vm, side->extra[nth], nth, 0));
	bench_ok(__irqx_irqfd(vm, side->extra[nth], nth, KVM_IRQFD_FLAG_DEASSIGN));
}

static void *rival_thread(void *arg)
{
	struct fight *f = arg;
	struct side *side;
	uint32_t i, turn;
	enum rival rival;
	bool kvm;

	irqx_on_cpu(f->cpus[1]);
	for (i = 1; !READ_ONCE(f->stop); i++) {
		turn = READ_ONCE(f->turn);
		rival = turn % NR_RIVALS;
		kvm = turn / NR_RIVALS;
		side = rival == CHANGES ? &f->here[kvm] : &f->elsewhere[kvm];
		if (rival == SPINS)
			;
		else if (rival == CALLS)
			getppid();
		else if (kvm)
			change_kvms(side, f->n, i);
		else
			change_ours(side, f->n, i);
		WRITE_ONCE(f->rounds, i);
		WRITE_ONCE(f->at, turn);
	}
	return NULL;
}

/*
 * The other thread always runs: of two busy CPUs each is slower than one alone (they
 * share caches and power, those of an emulator much more).  And turns are short, since
 * how fast an emulated CPU is changes from one second to the next.
 */
static struct outcome fire(struct fight *f, bool kvm, enum rival rival)
{
	const int *fds = f->here[kvm].fds;
	uint64_t begin, now, last, end, rounds, fired = 0, pause = 0;

	WRITE_ONCE(f->turn, kvm * NR_RIVALS + rival);
	/* Until it is at it, and what KVM left of the last turn for later is done. */
	while (READ_ONCE(f->at) != f->turn)
		sched_yield();
	usleep(SETTLE_US);
	rounds = READ_ONCE(f->rounds);
	begin = irqx_now_ns();
	last = begin;
	end = begin + TURN_NS;
	do {
		bench_ok(__irqx_fire(fds[fired++ % NR_FIRED]));
		now = irqx_now_ns();
		if (now - last > pause)
			pause = now - last;
		last = now;
	} while (now < end);
	rounds = READ_ONCE(f->rounds) - rounds;
	return (struct outcome){
		.rate = fired * 1e9 / (now - begin),
		.pause = pause,
		.changes = rounds * 1e9 / (now - begin),
	};
}

/* In percent of @rate. */
static double loss(double rate, double left)
{
	return 100 * (1 - left / rate);
}

static void side_begin(struct side *side, uint32_t n, bool kvm)
{
	struct irqx_guest *g = __irqx_guest_create(2, NULL,
						   kvm ? IRQX_GUEST_NO_CONTEXT : 0);
	uint32_t i;

	/* Once, for what the guest sets up itself. */
	irqx_guest_start(g);
	irqx_guest_stop(g);
	side->g = g;
	side->fds = calloc(n, sizeof(*side->fds));
	side->table = calloc(1, sizeof(*side->table) + n * sizeof(side->table->entries[0]));
	TEST_ASSERT(side->fds && side->table, "no memory");
	irqx_eventfds(side->fds, n);
	irqx_eventfds(side->extra, BENCH_EXTRA);
	side->table->nr = n;
	for (i = 0; i < n; i++) {
		side->table->entries[i] = way(side, i, false);
		side->table->entries[i].gsi = i;
	}
	if (kvm)
		bench_ok(__irqx_ioctl(g->vm->fd, KVM_SET_GSI_ROUTING, side->table));
	for (i = 0; i < n; i++) {
		if (kvm)
			bench_ok(__irqx_irqfd(g->vm->fd, side->fds[i], i, 0));
		else
			bench_ok(__irqx_bind(g->ctx, side->fds[i], way(side, i, false)));
	}
}

static void side_end(struct side *side, uint32_t n)
{
	irqx_close_all(side->fds, n);
	irqx_close_all(side->extra, BENCH_EXTRA);
	free(side->fds);
	free(side->table);
	irqx_guest_free(side->g);
}

static void fight(uint32_t n, const int cpus[2])
{
	struct bench_pairs rates[NR_RIVALS] = {}, pauses[NR_RIVALS] = {}, changes = {};
	struct bench_pairs lost = {}, lost_by_table = {};
	/* What it did last is no turn, so that it is waited for. */
	struct fight f = { .n = n, .at = NR_TURNS };
	struct outcome o[2][NR_RIVALS];
	pthread_t thread;
	enum rival rival;
	uint32_t i, run;

	memcpy(f.cpus, cpus, sizeof(f.cpus));
	for (i = 0; i < 2; i++) {
		side_begin(&f.here[i], n, i);
		side_begin(&f.elsewhere[i], n, i);
	}
	TEST_ASSERT(!pthread_create(&thread, NULL, rival_thread, &f), "pthread_create");
	for (run = 0; run < (bench.quick ? 8 : BENCH_MAX_RUNS); run++) {
		for (i = 0; i < 2; i++)
			for (rival = 0; rival < NR_RIVALS; rival++)
				o[i][rival] = fire(&f, i, rival);
		for (rival = 0; rival < NR_RIVALS; rival++) {
			bench_pair(&rates[rival], o[0][rival].rate, o[1][rival].rate);
			bench_pair(&pauses[rival], o[0][rival].pause, o[1][rival].pause);
		}
		bench_pair(&lost, loss(o[0][SPINS].rate, o[0][CHANGES].rate),
			   loss(o[1][SPINS].rate, o[1][CHANGES].rate));
		bench_pair(&lost_by_table,
			   loss(o[0][CHANGES_ELSEWHERE].rate, o[0][CHANGES].rate),
			   loss(o[1][CHANGES_ELSEWHERE].rate, o[1][CHANGES].rate));
		bench_pair(&changes, o[0][CHANGES].changes, o[1][CHANGES].changes);
	}
	WRITE_ONCE(f.stop, true);
	pthread_join(thread, NULL);
	bench_report("fire-idle", n, "events/s", &rates[SPINS]);
	bench_report("fire-calls", n, "events/s", &rates[CALLS]);
	bench_report("fire-elsewhere", n, "events/s", &rates[CHANGES_ELSEWHERE]);
	bench_report("fire-busy", n, "events/s", &rates[CHANGES]);
	bench_report("fire-loss", n, "%", &lost);
	bench_report("fire-loss-by-table", n, "%", &lost_by_table);
	bench_report("fire-pause-idle", n, "ns", &pauses[SPINS]);
	bench_report("fire-pause", n, "ns", &pauses[CHANGES]);
	bench_report("fire-changes", n, "changes/s", &changes);
	for (i = 0; i < 2; i++) {
		side_end(&f.here[i], n);
		side_end(&f.elsewhere[i], n);
	}
}

void bench_threads(void)
{
	static const uint32_t sizes[] = { 64, 1024, 4032 };
	int cpu, cpus[2], nr = 0;
	uint32_t i;
	cpu_set_t set;

	TEST_ASSERT(!sched_getaffinity(0, sizeof(set), &set), "sched_getaffinity");
	for (cpu = 0; cpu < CPU_SETSIZE && nr < 2; cpu++)
		if (CPU_ISSET(cpu, &set))
			cpus[nr++] = cpu;
	if (bench.icount || nr < 2) {
		bench_say("one thread beside another: with two CPUs only");
		return;
	}
	irqx_on_cpu(cpus[0]);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (bench.quick && sizes[i] != 4032)
			continue;
		bench_say("one thread fires, another changes one of %u", sizes[i]);
		fight(sizes[i], cpus);
	}
	sched_setaffinity(0, sizeof(set), &set);
}

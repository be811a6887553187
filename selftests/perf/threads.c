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

struct fight {
	const int *fds;
	const struct bench_vm *vm;
	const int *extra;
	uint32_t n;
	bool kvm;
	int cpus[2];
	bool stop;
	uint64_t changes;
};

struct outcome {
	double rate;			/* events per second */
	double pause;			/* ns; the longest between two events */
	double changes;			/* per second */
};

static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	TEST_ASSERT(!sched_setaffinity(0, sizeof(set), &set), "CPU %d: %s", cpu,
		    strerror(errno));
}

static void change_ours(struct fight *f, uint32_t i)
{
	uint32_t nth = i % f->n;

	bench_ok(__irqx_modify(f->vm->ctx, f->fds[nth], bench_entry(nth, i & 1)));
	if (i % 8)
		return;
	nth = i / 8 % BENCH_EXTRA;
	bench_ok(__irqx_bind(f->vm->ctx, f->extra[nth], bench_entry(nth, false)));
	bench_ok(__irqx_unbind(f->vm->ctx, f->extra[nth]));
}

static void change_kvms(struct fight *f, uint32_t i)
{
	uint32_t nth = i % f->n;

	f->vm->table->entries[nth] = bench_entry(nth, i & 1);
	f->vm->table->entries[nth].gsi = nth;
	bench_ok(__irqx_ioctl(f->vm->vm->fd, KVM_SET_GSI_ROUTING, f->vm->table));
	if (i % 8)
		return;
	nth = i / 8 % BENCH_EXTRA;
	bench_ok(__irqx_irqfd(f->vm->vm->fd, f->extra[nth], nth, 0));
	bench_ok(__irqx_irqfd(f->vm->vm->fd, f->extra[nth], nth,
			      KVM_IRQFD_FLAG_DEASSIGN));
}

static void *change_thread(void *arg)
{
	struct fight *f = arg;
	uint32_t i;

	on_cpu(f->cpus[1]);
	for (i = 1; !READ_ONCE(f->stop); i++) {
		if (f->kvm)
			change_kvms(f, i);
		else
			change_ours(f, i);
		WRITE_ONCE(f->changes, i);
	}
	return NULL;
}

static struct outcome fire_for(struct fight *f, bool changing)
{
	uint64_t begin, now, last, end, fired = 0, pause = 0, changes = 0;
	pthread_t thread;

	f->stop = false;
	f->changes = 0;
	if (changing)
		TEST_ASSERT(!pthread_create(&thread, NULL, change_thread, f),
			    "pthread_create");
	/* Until it is at it. */
	while (changing && !READ_ONCE(f->changes))
		sched_yield();
	changes = READ_ONCE(f->changes);
	begin = irqx_now_ns();
	last = begin;
	end = begin + (bench.quick ? 200 : 1000) * 1000000ULL;
	do {
		bench_ok(__irqx_fire(f->fds[fired++ % NR_FIRED]));
		now = irqx_now_ns();
		if (now - last > pause)
			pause = now - last;
		last = now;
	} while (now < end);
	changes = READ_ONCE(f->changes) - changes;
	WRITE_ONCE(f->stop, true);
	if (changing)
		pthread_join(thread, NULL);
	return (struct outcome){
		.rate = fired * 1e9 / (now - begin),
		.pause = pause,
		.changes = changes * 1e9 / (now - begin),
	};
}

struct sums {
	struct bench_pairs idle, busy, loss, pause, changes;
};

static void add(struct sums *sums, const struct outcome idle[2],
		const struct outcome busy[2])
{
	bench_pair(&sums->idle, idle[0].rate, idle[1].rate);
	bench_pair(&sums->busy, busy[0].rate, busy[1].rate);
	bench_pair(&sums->loss, 100 * (1 - busy[0].rate / idle[0].rate),
		   100 * (1 - busy[1].rate / idle[1].rate));
	bench_pair(&sums->pause, busy[0].pause, busy[1].pause);
	bench_pair(&sums->changes, busy[0].changes, busy[1].changes);
}

static void fight(uint32_t n, const int cpus[2])
{
	struct bench_vm ours = bench_vm_create(true), kvms = bench_vm_create(false);
	int *fds = calloc(2 * n + BENCH_EXTRA, sizeof(*fds));
	struct fight sides[2] = {
		{ .fds = fds, .vm = &ours, .n = n },
		{ .fds = fds + n, .vm = &kvms, .n = n, .kvm = true },
	};
	struct outcome idle[2], busy[2];
	struct sums sums = {};
	uint32_t i, run;

	TEST_ASSERT(fds, "no memory");
	irqx_eventfds(fds, 2 * n + BENCH_EXTRA);
	bench_vm_set_table(&kvms, n);
	for (i = 0; i < n; i++) {
		bench_ok(__irqx_bind(ours.ctx, fds[i], bench_entry(i, false)));
		bench_ok(__irqx_irqfd(kvms.vm->fd, fds[n + i], i, 0));
	}
	for (i = 0; i < 2; i++) {
		sides[i].extra = fds + 2 * n;
		memcpy(sides[i].cpus, cpus, sizeof(sides[i].cpus));
	}
	for (run = 0; run < bench_runs(false); run++) {
		for (i = 0; i < 2; i++) {
			idle[i] = fire_for(&sides[i], false);
			busy[i] = fire_for(&sides[i], true);
		}
		add(&sums, idle, busy);
	}
	bench_report("fire-idle", n, "events/s", &sums.idle);
	bench_report("fire-busy", n, "events/s", &sums.busy);
	bench_report("fire-loss", n, "%", &sums.loss);
	bench_report("fire-pause", n, "ns", &sums.pause);
	bench_report("fire-changes", n, "changes/s", &sums.changes);
	irqx_close_all(fds, 2 * n + BENCH_EXTRA);
	bench_vm_close(&ours);
	bench_vm_close(&kvms);
	free(fds);
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
	on_cpu(cpus[0]);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		bench_say("one thread fires, another changes one of %u", sizes[i]);
		fight(sizes[i], cpus);
	}
	sched_setaffinity(0, sizeof(set), &set);
}

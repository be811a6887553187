// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of routes, irqfds, handles and contexts, as the kernel accounts for it: what the
 * caller's cgroup is charged with, and what is missing from the machine's free
 * memory afterwards, which has also what nobody is charged with.
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include "bench.h"
#include "irqx_dynirq.h"

#define NR_CONTEXTS	1000
#define CGROUP		"/tmp/irqx-bench-cgroup"
#define OWN_CGROUP	CGROUP "/bench"

struct usage {
	double charged;
	double missing;
};

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	TEST_ASSERT(f && fputs(text, f) >= 0 && !fclose(f), "%s: %s", path,
		    strerror(errno));
}

static void enter_cgroup(void)
{
	mkdir(CGROUP, 0700);
	TEST_ASSERT(!mount("none", CGROUP, "cgroup2", 0, NULL) || errno == EBUSY,
		    "cgroup2: %s", strerror(errno));
	write_file(CGROUP "/cgroup.subtree_control", "+memory");
	TEST_ASSERT(!mkdir(OWN_CGROUP, 0700) || errno == EEXIST, "%s: %s",
		    OWN_CGROUP, strerror(errno));
	write_file(OWN_CGROUP "/cgroup.procs", "0");
}

static void leave_cgroup(void)
{
	write_file(CGROUP "/cgroup.procs", "0");
	umount2(CGROUP, MNT_DETACH);
	rmdir(CGROUP);
}

/* The sum of the values of some lines of a file. */
static double sum_of(const char *path, const char *const *names)
{
	FILE *f = fopen(path, "r");
	char line[256], name[64];
	double sum = 0;
	uint64_t value;
	uint32_t i;

	TEST_ASSERT(f, "%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63[^: ]%*[: ]%lu", name, &value) != 2)
			continue;
		for (i = 0; names[i]; i++)
			if (!strcmp(name, names[i]))
				sum += value;
	}
	fclose(f);
	return sum;
}

static struct usage usage_now(void)
{
	static const char *const kernel[] = { "kernel", NULL };
	static const char *const spare[] = { "MemFree", "Buffers", "Cached", NULL };

	/*
	 * What is freed after a grace period is not in use.  And the cgroup's figures
	 * may be two seconds old (6.12 mm/memcontrol.c, FLUSH_TIME).
	 */
	usleep(2500000);
	return (struct usage){
		.charged = sum_of(OWN_CGROUP "/memory.stat", kernel),
		.missing = -1024 * sum_of("/proc/meminfo", spare),
	};
}

static struct usage usage_each(struct usage before, uint32_t n)
{
	struct usage now = usage_now();

	return (struct usage){
		.charged = (now.charged - before.charged) / n,
		.missing = (now.missing - before.missing) / n,
	};
}

static void report(const char *what, uint32_t n, struct usage irqx, struct usage kvm)
{
	struct bench_pairs pairs = {};
	char name[64];

	bench_pair(&pairs, irqx.charged, kvm.charged);
	bench_report(what, n, "bytes", &pairs);
	/* Of few, it drowns in what else goes on. */
	if (n < 65536)
		return;
	pairs.nr = 0;
	bench_pair(&pairs, irqx.missing, BENCH_NONE);
	snprintf(name, sizeof(name), "%s-in-all", what);
	bench_report(name, n, "bytes", &pairs);
}

static const struct usage none = { BENCH_NONE, BENCH_NONE };

static struct usage routes_of_ours(uint32_t n)
{
	struct bench_vm vm = bench_vm_create(true);
	uint32_t batch = irqx_info(vm.ctx).max_batch, i, j, nr;
	struct kvm_irqx_op *ops = calloc(batch, sizeof(*ops));
	struct usage usage;

	TEST_ASSERT(ops, "no memory");
	usage = usage_now();
	for (i = 0; i < n; i += nr) {
		nr = n - i < batch ? n - i : batch;
		for (j = 0; j < nr; j++) {
			ops[j].op = KVM_IRQX_OP_ROUTE_SET;
			ops[j].entry = bench_entry(i + j, false);
			ops[j].entry.gsi = i + j;
		}
		bench_ok(__irqx_batch(vm.ctx, ops, nr, NULL));
	}
	usage = usage_each(usage, n);
	bench_vm_close(&vm);
	bench_vm_free(&vm);
	free(ops);
	return usage;
}

static struct usage routes_of_kvm(uint32_t n)
{
	struct bench_vm vm = bench_vm_create(false);
	struct usage usage;

	bench_vm_set_table(&vm, 1);
	usage = usage_now();
	bench_vm_set_table(&vm, n);
	usage = usage_each(usage, n);
	bench_vm_close(&vm);
	bench_vm_free(&vm);
	return usage;
}

static struct usage irqfds(const int *fds, uint32_t n, bool kvm)
{
	struct bench_vm vm = bench_vm_create(!kvm);
	struct usage usage;
	uint32_t i;

	if (kvm)
		bench_vm_set_table(&vm, BENCH_KVM_MAX);
	usage = usage_now();
	for (i = 0; i < n; i++)
		if (kvm)
			bench_ok(__irqx_irqfd(vm.vm->fd, fds[i], i, 0));
		else
			bench_ok(__irqx_bind(vm.ctx, fds[i], bench_entry(i, false)));
	usage = usage_each(usage, n);
	bench_vm_close(&vm);
	bench_vm_free(&vm);
	return usage;
}

static struct usage contexts(uint32_t n)
{
	struct bench_vm vm = bench_vm_create(true);
	int *fds = calloc(n, sizeof(*fds));
	struct usage usage = usage_now();
	uint32_t i;

	TEST_ASSERT(fds, "no memory");
	for (i = 0; i < n; i++)
		fds[i] = irqx_context(vm.vm);
	usage = usage_each(usage, n);
	irqx_close_all(fds, n);
	bench_vm_close(&vm);
	bench_vm_free(&vm);
	free(fds);
	return usage;
}

/* @mapped: to an MSI each, else as they are at first. */
static struct usage handles(uint32_t n, bool mapped)
{
	struct irqx_guest *g = __irqx_guest_create(1, NULL, IRQX_GUEST_ARCH_TABLE);
	struct irqx_vector_message m = irqx_vector_message(g, 0, IRQX_IRQ_MIN);
	struct irqx_dynirq_state state = { .handles = calloc(n, sizeof(*state.handles)) };
	struct irqx_table dynirq;
	struct usage usage;
	uint32_t i;

	TEST_ASSERT(state.handles, "no memory");
	for (i = 0; i < n; i++)
		state.handles[i] = (struct kvm_irqx_vector){
			.address_lo = m.address,
			.address_hi = m.address >> 32,
			.data = m.data,
		};
	usage = usage_now();
	dynirq = irqx_dynirq_create(g->ctx, n);
	if (mapped) {
		state.header = irqx_dynirq_header_get(&dynirq);
		state.header.doorbell = irqx_dynirq_doorbell(g);
		irqx_dynirq_put(&dynirq, &state);
	}
	usage = usage_each(usage, n);
	irqx_guest_free(g);
	free(state.handles);
	return usage;
}

void bench_memory(void)
{
	const uint32_t few = BENCH_KVM_MAX, many = 1U << 20;
	const uint32_t nr_fds = bench.quick ? 65536 : 1U << 18;
	int *fds;

	/* Waiting takes time, but where instructions are counted. */
	if (bench.quick && !bench.icount) {
		bench_say("memory: not if it is to be quick");
		return;
	}
	fds = calloc(nr_fds, sizeof(*fds));
	TEST_ASSERT(fds, "no memory");
	enter_cgroup();
	bench_say("memory of %u handles", KVM_IRQX_MAX_HANDLES);
	report("memory-handle", KVM_IRQX_MAX_HANDLES, handles(KVM_IRQX_MAX_HANDLES, false), none);
	report("memory-handle-mapped", KVM_IRQX_MAX_HANDLES, handles(KVM_IRQX_MAX_HANDLES, true),
	       none);
	bench_say("memory of %u and %u routes", few, many);
	report("memory-route", few, routes_of_ours(few), routes_of_kvm(few));
	report("memory-route", many, routes_of_ours(many), none);
	bench_say("memory of %u and %u irqfds", few, nr_fds);
	irqx_need_files(nr_fds + NR_CONTEXTS + 1024);
	irqx_eventfds(fds, nr_fds);
	report("memory-irqfd", few, irqfds(fds, few, false), irqfds(fds, few, true));
	report("memory-irqfd", nr_fds, irqfds(fds, nr_fds, false), none);
	irqx_close_all(fds, nr_fds);
	bench_say("memory of %u contexts", NR_CONTEXTS);
	report("memory-context", NR_CONTEXTS, contexts(NR_CONTEXTS), none);
	leave_cgroup();
	free(fds);
}

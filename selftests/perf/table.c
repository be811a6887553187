// SPDX-License-Identifier: GPL-2.0
/*
 * What changes cost with N bindings there: to retarget one, to bind and unbind
 * one more, to close the VM; and to bring N up.  No vCPU runs.
 */
#include "bench.h"

static const uint32_t sizes[] = { 64, 256, 1024, 4032, 16384, 65536 };

#define MAX_SIZE	65536

static int *new_eventfds(uint32_t nr)
{
	int *fds = calloc(nr, sizeof(*fds));

	TEST_ASSERT(fds, "no memory");
	/* The other sides have theirs open too. */
	irqx_need_files(3 * (MAX_SIZE + BENCH_EXTRA) + 1024);
	irqx_eventfds(fds, nr);
	return fds;
}

static void free_eventfds(int *fds, uint32_t nr)
{
	irqx_close_all(fds, nr);
	free(fds);
}

/* N bindings, of one of three kinds, and some eventfds more. */
struct live {
	struct bench_vm vm;
	uint32_t n;
	int *fds;
	bool side;
};

static struct live live_create(uint32_t n, bool context)
{
	return (struct live){
		.vm = bench_vm_create(context),
		.n = n,
		.fds = new_eventfds(n + BENCH_EXTRA),
	};
}

static void live_free(struct live *live)
{
	bench_vm_close(&live->vm);
	free_eventfds(live->fds, live->n + BENCH_EXTRA);
}

static struct live live_direct(uint32_t n)
{
	struct live live = live_create(n, true);
	uint32_t i;

	for (i = 0; i < n; i++)
		irqx_bind(live.vm.ctx, live.fds[i], bench_entry(i, false));
	return live;
}

static struct live live_routed(uint32_t n)
{
	struct live live = live_create(n, true);
	uint32_t i;

	for (i = 0; i < n; i++) {
		irqx_route_set(live.vm.ctx, i, bench_entry(i, false));
		irqx_irqfd(live.vm.ctx, live.fds[i], i, 0);
	}
	return live;
}

static struct live live_kvm(uint32_t n)
{
	struct live live = live_create(n, false);
	uint32_t i;

	bench_vm_set_table(&live.vm, n);
	for (i = 0; i < n; i++)
		irqx_irqfd(live.vm.vm->fd, live.fds[i], i, 0);
	return live;
}

/* Which one comes i-th: all over the table, in no order. */
static uint32_t victim(const struct live *live, uint32_t i)
{
	return (uint64_t)i * 2654435761U % live->n;
}

/*
 * Retargeting
 */

static void modify(void *arg, uint32_t i)
{
	struct live *live = arg;
	uint32_t nth = victim(live, i);

	irqx_modify(live->vm.ctx, live->fds[nth], bench_entry(nth, live->side));
}

static void route(void *arg, uint32_t i)
{
	struct live *live = arg;
	uint32_t nth = victim(live, i);
	struct {
		struct kvm_irqx_route route;
		struct kvm_irqx_route_op op;
	} args = {
		.route.nr = 1,
		.op.op = KVM_IRQX_ROUTE_SET,
		.op.entry = bench_entry(nth, live->side),
	};

	args.op.entry.gsi = nth;
	irqx_assert(__irqx_ioctl(live->vm.ctx, KVM_IRQX_ROUTE, &args));
}

/* As VMMs do it: they keep the table, and hand it over anew. */
static void set_table(void *arg, uint32_t i)
{
	struct live *live = arg;
	uint32_t nth = victim(live, i);

	live->vm.table->entries[nth] = bench_entry(nth, live->side);
	live->vm.table->entries[nth].gsi = nth;
	irqx_assert(__irqx_ioctl(live->vm.vm->fd, KVM_SET_GSI_ROUTING,
				 live->vm.table));
}

static void retarget(uint32_t n)
{
	struct live direct = live_direct(n), routed = live_routed(n), kvm;
	uint32_t run, ours = 512, theirs = n > 512 ? 4 : 16;
	struct bench_pairs by_modify = {}, by_route = {};
	bool has_kvm = n <= BENCH_KVM_MAX;
	double cost = BENCH_NONE;

	if (has_kvm)
		kvm = live_kvm(n);
	/* The first time caches are cold, and not only the CPU's. */
	bench_each(modify, &direct, 64);
	bench_each(route, &routed, 64);
	if (has_kvm)
		bench_each(set_table, &kvm, 1);
	for (run = 0; run < bench_runs(false); run++) {
		if (has_kvm) {
			kvm.side = !kvm.side;
			cost = bench_each(set_table, &kvm, theirs);
		}
		direct.side = !direct.side;
		bench_pair(&by_modify, bench_each(modify, &direct, ours), cost);
		routed.side = !routed.side;
		bench_pair(&by_route, bench_each(route, &routed, ours), cost);
	}
	bench_report("retarget-modify", n, NULL, &by_modify);
	bench_report("retarget-route", n, NULL, &by_route);
	if (has_kvm)
		live_free(&kvm);
	live_free(&routed);
	live_free(&direct);
}

void bench_retarget(void)
{
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (bench.quick && (sizes[i] == 256 || sizes[i] == 16384))
			continue;
		bench_say("retarget one of %u", sizes[i]);
		retarget(sizes[i]);
	}
}

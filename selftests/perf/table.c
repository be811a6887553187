// SPDX-License-Identifier: GPL-2.0
/*
 * What changes cost with N bindings there: to retarget one, to bind and unbind
 * one more, to close the VM; and to bring N up.  No vCPU runs.
 */
#include "bench.h"

static const uint32_t sizes[] = { 64, 256, 1024, 4032, 16384, 65536 };

#define MAX_SIZE	65536

/*
 * The allocator and the memory controller take some thousand instructions for a page,
 * whoever's object happens to be its first.  Of so many bindings made at once that is
 * a part that is the same from boot to boot; of 64 it is not.
 */
#define MANY		1024
#define VERY_MANY	16384

/* It takes KVM longer the more there are, on the host: a few, again and again. */
static uint32_t kvm_turns(uint32_t n)
{
	return bench.icount ? DIV_ROUND_UP(MANY, n) : 1;
}

static int *new_eventfds(uint32_t nr)
{
	int *fds = calloc(nr, sizeof(*fds));

	TEST_ASSERT(fds, "no memory");
	/* The other sides have theirs open too. */
	irqx_need_files(3 * (MAX_SIZE + MANY) + 1024);
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
	uint32_t extra;
	int *fds;
	bool side;
};

static struct live live_create(uint32_t n, bool context)
{
	uint32_t extra = context ? MANY : BENCH_EXTRA;

	return (struct live){
		.vm = bench_vm_create(context),
		.n = n,
		.extra = extra,
		.fds = new_eventfds(n + extra),
	};
}

static void live_free(struct live *live)
{
	bench_vm_close(&live->vm);
	bench_vm_free(&live->vm);
	free_eventfds(live->fds, live->n + live->extra);
}

static struct live live_direct(uint32_t n)
{
	struct live live = live_create(n, true);
	uint32_t i;

	for (i = 0; i < n; i++)
		bench_ok(__irqx_bind(live.vm.ctx, live.fds[i], bench_entry(i, false)));
	return live;
}

static struct live live_routed(uint32_t n)
{
	struct live live = live_create(n, true);
	uint32_t i;

	for (i = 0; i < n; i++) {
		bench_ok(__irqx_route_set(live.vm.ctx, i, bench_entry(i, false)));
		bench_ok(__irqx_irqfd(live.vm.ctx, live.fds[i], i, 0));
	}
	return live;
}

static struct live live_kvm(uint32_t n)
{
	struct live live = live_create(n, false);
	uint32_t i;

	bench_vm_set_table(&live.vm, n);
	for (i = 0; i < n; i++)
		bench_ok(__irqx_irqfd(live.vm.vm->fd, live.fds[i], i, 0));
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

	bench_ok(__irqx_modify(live->vm.ctx, live->fds[nth], bench_entry(nth, live->side)));
}

static void route(void *arg, uint32_t i)
{
	struct live *live = arg;
	uint32_t nth = victim(live, i);
	struct kvm_irqx_op op = {
		.op = KVM_IRQX_OP_ROUTE_SET,
		.entry = bench_entry(nth, live->side),
	};

	op.entry.gsi = nth;
	bench_ok(__irqx_batch(live->vm.ctx, &op, 1, NULL));
}

/* As VMMs do it: they keep the table, and hand it over anew. */
static void set_table(void *arg, uint32_t i)
{
	struct live *live = arg;
	uint32_t nth = victim(live, i);

	live->vm.table->entries[nth] = bench_entry(nth, live->side);
	live->vm.table->entries[nth].gsi = nth;
	bench_ok(__irqx_ioctl(live->vm.vm->fd, KVM_SET_GSI_ROUTING, live->vm.table));
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

/*
 * Masking and unmasking one: a VMM without masks unbinds and binds
 */

static void mask_and_unmask(void *arg, uint32_t i)
{
	struct live *live = arg;
	int fd = live->fds[victim(live, i)];

	bench_ok(__irqx_mask(live->vm.ctx, fd, 0, true));
	bench_ok(__irqx_mask(live->vm.ctx, fd, 0, false));
}

static void deassign_nth_kvm(void *arg, uint32_t i)
{
	struct live *live = arg;

	bench_ok(__irqx_irqfd(live->vm.vm->fd, live->fds[i], i, KVM_IRQFD_FLAG_DEASSIGN));
}

static void assign_nth_kvm(void *arg, uint32_t i)
{
	struct live *live = arg;

	bench_ok(__irqx_irqfd(live->vm.vm->fd, live->fds[i], i, 0));
}

static void unbind_and_bind(void *arg, uint32_t i)
{
	uint32_t nth = victim(arg, i);

	deassign_nth_kvm(arg, nth);
	assign_nth_kvm(arg, nth);
}

static void mask_one(uint32_t n)
{
	struct live direct = live_direct(n), kvm = live_kvm(n);
	struct bench_pairs pairs = {};
	uint32_t run;
	double cost;

	bench_each(mask_and_unmask, &direct, 64);
	bench_each(unbind_and_bind, &kvm, 16);
	for (run = 0; run < bench_runs(false); run++) {
		cost = bench_each(unbind_and_bind, &kvm, 64);
		bench_pair(&pairs, bench_each(mask_and_unmask, &direct, 512), cost);
	}
	bench_report("mask", n, NULL, &pairs);
	live_free(&kvm);
	live_free(&direct);
}

/* A function with as many vectors as MSI-X has room for: all of them, by one call. */
#define FUNCTION	2048

/* Not in the program's own data: guests get a copy of that. */
static struct kvm_irqx_op *function_ops;

static void batch_all(struct live *live, uint32_t op)
{
	bool binds = op == KVM_IRQX_OP_ASSIGN;
	uint32_t i;

	for (i = 0; i < FUNCTION; i++)
		function_ops[i] = (struct kvm_irqx_op){
			.op = op,
			.fd = live->fds[i],
			.entry = binds ? bench_entry(i, false) :
					 (struct kvm_irq_routing_entry){},
		};
	bench_ok(__irqx_batch(live->vm.ctx, function_ops, FUNCTION, NULL));
}

/* Each of the function's, with what it takes to prepare the argument. */
static double batch_cost(struct live *live, uint32_t op)
{
	struct bench_clock clock;

	bench_start(&clock);
	batch_all(live, op);
	return bench_stop(&clock) / FUNCTION;
}

static void mask_function(void)
{
	struct live direct = live_direct(FUNCTION), kvm = live_kvm(FUNCTION);
	struct bench_pairs mask = {}, deassign = {};
	double off, on, cost;
	uint32_t run;

	function_ops = calloc(FUNCTION, sizeof(*function_ops));
	TEST_ASSERT(function_ops, "no memory");
	for (run = 0; run <= bench_runs(true); run++) {
		off = bench_each(deassign_nth_kvm, &kvm, FUNCTION);
		on = bench_each(assign_nth_kvm, &kvm, FUNCTION);
		cost = batch_cost(&direct, KVM_IRQX_OP_MASK);
		cost += batch_cost(&direct, KVM_IRQX_OP_UNMASK);
		bench_pair(&mask, cost, off + on);
		bench_pair(&deassign, batch_cost(&direct, KVM_IRQX_OP_DEASSIGN), off);
		batch_all(&direct, KVM_IRQX_OP_ASSIGN);
		/* The first run is for the caches. */
		if (!run)
			mask.nr = deassign.nr = 0;
	}
	bench_report("mask-batch", FUNCTION, NULL, &mask);
	bench_report("deassign-batch", FUNCTION, NULL, &deassign);
	free(function_ops);
	live_free(&kvm);
	live_free(&direct);
}

void bench_mask(void)
{
	static const uint32_t masks[] = { 64, 4032 };
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(masks); i++) {
		bench_say("mask and unmask one of %u", masks[i]);
		mask_one(masks[i]);
	}
	bench_say("mask, and unbind, %u", FUNCTION);
	mask_function();
}

/*
 * One binding more, and one less, with N there
 */

static void assign_direct(void *arg, uint32_t i)
{
	struct live *live = arg;

	bench_ok(__irqx_bind(live->vm.ctx, live->fds[live->n + i], bench_entry(i, true)));
}

static void deassign_direct(void *arg, uint32_t i)
{
	struct live *live = arg;

	bench_ok(__irqx_unbind(live->vm.ctx, live->fds[live->n + i]));
}

static void assign_gsi(void *arg, uint32_t i)
{
	struct live *live = arg;

	bench_ok(__irqx_irqfd(live->vm.ctx, live->fds[live->n + i], victim(live, i), 0));
}

static void deassign_gsi(void *arg, uint32_t i)
{
	struct live *live = arg;

	bench_ok(__irqx_irqfd(live->vm.ctx, live->fds[live->n + i], victim(live, i),
			      KVM_IRQFD_FLAG_DEASSIGN));
}

static void assign_kvm(void *arg, uint32_t i)
{
	struct live *live = arg;

	bench_ok(__irqx_irqfd(live->vm.vm->fd, live->fds[live->n + i], victim(live, i), 0));
}

static void deassign_kvm(void *arg, uint32_t i)
{
	struct live *live = arg;

	bench_ok(__irqx_irqfd(live->vm.vm->fd, live->fds[live->n + i], victim(live, i),
			      KVM_IRQFD_FLAG_DEASSIGN));
}

/* @cost: of one to bind, and to unbind. */
static void bind_kvm(struct live *kvm, double cost[2])
{
	uint32_t i, turns = kvm_turns(kvm->n);

	cost[0] = cost[1] = 0;
	for (i = 0; i < turns; i++) {
		cost[0] += bench_each(assign_kvm, kvm, kvm->extra) / turns;
		cost[1] += bench_each(deassign_kvm, kvm, kvm->extra) / turns;
	}
}

static void bind_one(uint32_t n)
{
	struct live direct = live_direct(n), routed = live_routed(n), kvm;
	struct bench_pairs assign = {}, deassign = {}, gsi = {}, gsi_off = {};
	double theirs[2] = { BENCH_NONE, BENCH_NONE };
	bool has_kvm = n <= BENCH_KVM_MAX;
	uint32_t run;

	if (has_kvm)
		kvm = live_kvm(n);
	/* The first run is for the caches. */
	for (run = 0; run <= bench_runs(false); run++) {
		if (has_kvm)
			bind_kvm(&kvm, theirs);
		bench_pair(&assign, bench_each(assign_direct, &direct, MANY), theirs[0]);
		bench_pair(&deassign, bench_each(deassign_direct, &direct, MANY),
			   theirs[1]);
		bench_pair(&gsi, bench_each(assign_gsi, &routed, MANY), theirs[0]);
		bench_pair(&gsi_off, bench_each(deassign_gsi, &routed, MANY), theirs[1]);
		if (!run)
			assign.nr = deassign.nr = gsi.nr = gsi_off.nr = 0;
	}
	bench_report("assign", n, NULL, &assign);
	bench_report("assign-gsi", n, NULL, &gsi);
	bench_report("deassign", n, NULL, &deassign);
	bench_report("deassign-gsi", n, NULL, &gsi_off);
	if (has_kvm)
		live_free(&kvm);
	live_free(&routed);
	live_free(&direct);
}

/* Of the VM and the context, eventfds still open. */
static double close_live(struct live live)
{
	struct bench_clock clock;
	double cost;

	bench_start(&clock);
	bench_vm_close(&live.vm);
	cost = bench_stop(&clock);
	bench_vm_free(&live.vm);
	free_eventfds(live.fds, live.n + live.extra);
	return cost;
}

static void close_all(uint32_t n)
{
	struct bench_pairs pairs = {}, extra = {};
	double kvm = BENCH_NONE, kvm_extra = BENCH_NONE, irqx;
	uint32_t run;

	for (run = 0; run <= bench_runs(n > 2016); run++) {
		if (n <= BENCH_KVM_MAX) {
			kvm = close_live(live_kvm(n));
			kvm_extra = kvm - close_live(live_kvm(0));
		}
		irqx = close_live(live_direct(n));
		if (!run)
			continue;
		bench_pair(&pairs, irqx, kvm);
		/* Beyond what the end of a VM takes. */
		bench_pair(&extra, irqx - close_live(live_direct(0)), kvm_extra);
	}
	bench_report("close", n, NULL, &pairs);
	bench_report("close-extra", n, NULL, &extra);
}

void bench_bind(void)
{
	static const uint32_t closes[] = { 64, 2016, 4032, 65536 };
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (bench.quick && (sizes[i] == 256 || sizes[i] == 16384))
			continue;
		bench_say("bind and unbind one beside %u", sizes[i]);
		bind_one(sizes[i]);
	}
	for (i = 0; i < ARRAY_SIZE(closes); i++) {
		if (bench.quick && closes[i] > 2016)
			continue;
		bench_say("close a VM with %u", closes[i]);
		close_all(closes[i]);
	}
}

/*
 * Bringing N up, each as VMMs do: a route and an irqfd
 */

typedef void (*up_fn)(struct bench_vm *vm, const int *fds, uint32_t n);

static void up_kvm(struct bench_vm *vm, const int *fds, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		vm->table->entries[i] = bench_entry(i, false);
		vm->table->entries[i].gsi = i;
		vm->table->nr = i + 1;
		bench_ok(__irqx_ioctl(vm->vm->fd, KVM_SET_GSI_ROUTING, vm->table));
		bench_ok(__irqx_irqfd(vm->vm->fd, fds[i], i, 0));
	}
}

static void up_routed(struct bench_vm *vm, const int *fds, uint32_t n)
{
	struct kvm_irqx_op op = { .op = KVM_IRQX_OP_ROUTE_SET };
	uint32_t i;

	for (i = 0; i < n; i++) {
		op.entry = bench_entry(i, false);
		op.entry.gsi = i;
		bench_ok(__irqx_batch(vm->ctx, &op, 1, NULL));
		bench_ok(__irqx_irqfd(vm->ctx, fds[i], i, 0));
	}
}

static void up_direct(struct bench_vm *vm, const int *fds, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		bench_ok(__irqx_bind(vm->ctx, fds[i], bench_entry(i, false)));
}

static struct kvm_irqx_op *batch_ops;

/* By one call. */
static void up_batch(struct bench_vm *vm, const int *fds, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		batch_ops[i].op = KVM_IRQX_OP_ASSIGN;
		batch_ops[i].fd = fds[i];
		batch_ops[i].entry = bench_entry(i, false);
	}
	bench_ok(__irqx_batch(vm->ctx, batch_ops, n, NULL));
}

/* As few calls as KVM takes: one table, and the irqfds one by one. */
static void up_kvm_batch(struct bench_vm *vm, const int *fds, uint32_t n)
{
	uint32_t i;

	bench_vm_set_table(vm, n);
	for (i = 0; i < n; i++)
		bench_ok(__irqx_irqfd(vm->vm->fd, fds[i], i, 0));
}

/* Of @nr VMs with @n each, one after the other; per binding. */
static double up_cost(up_fn up, const int *fds, uint32_t n, uint32_t nr)
{
	bool context = up != up_kvm && up != up_kvm_batch;
	struct bench_vm *vms = calloc(nr, sizeof(*vms));
	struct bench_clock clock;
	double cost;
	uint32_t i;

	TEST_ASSERT(vms, "no memory");
	for (i = 0; i < nr; i++)
		vms[i] = bench_vm_create(context);
	bench_start(&clock);
	for (i = 0; i < nr; i++)
		up(&vms[i], &fds[i * n], n);
	cost = bench_stop(&clock) / nr / n;
	for (i = 0; i < nr; i++) {
		bench_vm_close(&vms[i]);
		bench_vm_free(&vms[i]);
	}
	free(vms);
	return cost;
}

/* Of KVM's VMs there is one at a time. */
static double up_kvm_cost(up_fn up, const int *fds, uint32_t n)
{
	uint32_t i, turns = kvm_turns(n);
	double cost = 0;

	for (i = 0; i < turns; i++)
		cost += up_cost(up, fds, n, 1) / turns;
	return cost;
}

static void bring_up(uint32_t n)
{
	uint32_t all = bench.quick ? MANY : VERY_MANY;
	uint32_t nr = bench.icount ? DIV_ROUND_UP(all, n) : 1;
	struct bench_pairs routed = {}, direct = {}, batch = {};
	double kvm = BENCH_NONE, kvm_batch = BENCH_NONE;
	int *fds = new_eventfds(n * nr);
	uint32_t run;

	batch_ops = calloc(n, sizeof(*batch_ops));
	TEST_ASSERT(batch_ops, "no memory");
	/* The first time is for the caches, and for the memory of the arguments. */
	up_cost(up_batch, fds, n, nr);
	for (run = 0; run < bench_runs(n > 1024); run++) {
		if (n <= BENCH_KVM_MAX) {
			kvm = up_kvm_cost(up_kvm, fds, n);
			kvm_batch = up_kvm_cost(up_kvm_batch, fds, n);
		}
		bench_pair(&routed, up_cost(up_routed, fds, n, nr), kvm);
		bench_pair(&direct, up_cost(up_direct, fds, n, nr), kvm);
		bench_pair(&batch, up_cost(up_batch, fds, n, nr), kvm_batch);
	}
	bench_report("bring-up", n, NULL, &routed);
	bench_report("bring-up-direct", n, NULL, &direct);
	bench_report("bring-up-batch", n, NULL, &batch);
	free(batch_ops);
	free_eventfds(fds, n * nr);
}

void bench_bring_up(void)
{
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (bench.quick && (sizes[i] == 256 || sizes[i] == 16384))
			continue;
		/* A minute of instructions, or most of one, by KVM's table. */
		if (bench.quick && bench.icount && sizes[i] == 4032)
			continue;
		bench_say("bring %u up", sizes[i]);
		bring_up(sizes[i]);
	}
}

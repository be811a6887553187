// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that moves vectors of its MSI-X tables, or handles of a dynirq: where those are served by
 * the module, and where each access is an exit to a VMM, which then changes KVM's table, or a
 * binding here.
 */
#include <sched.h>
#include <sys/sysinfo.h>

#include "bench.h"
#include "irqx_door.h"
#include "irqx_dynirq.h"

#define MOVES		128
#define MAX_TABLES	32
#define PER_TABLE	KVM_IRQX_MAX_VECTORS
#define TABLE_STRIDE	(PER_TABLE * IRQX_ENTRY_SIZE)
#define PBAS		(IRQX_TABLE_GPA + MAX_TABLES * TABLE_STRIDE)
#define PBA_STRIDE	0x1000

enum what {
	NOTHING,
	MOVE,				/* mask, address, data, unmask, read back */
	WRITE_MASKED,			/* one access each, all of 4 bytes */
	MASK,				/* and unmask: two */
	READ,
	READ_PENDING,
	UNDEFINED,			/* a read of 1 byte */
	SPIN,				/* no access */
	MOVE_OWN,			/* as MOVE; each vCPU has @nr of its own */
	HANDLE_MOVE,			/* one write */
	HANDLE_MASK,			/* and unmask: two */
};

/* In guest memory. */
static struct job {
	uint32_t what;
	uint32_t n;
	uint32_t nr;			/* vectors, from IRQX_TABLE_GPA on */
	uint64_t where;			/* for single accesses; HANDLE_*: the compact form */
	struct irqx_vector_message to[2];
} job;

/*
 * The guest
 */

static void write4(uint64_t where, uint32_t value)
{
	*(volatile uint32_t *)where = value;
}

static uint32_t read4(uint64_t where)
{
	return *(volatile uint32_t *)where;
}

static void guest_move(uint64_t entry, const struct irqx_vector_message *to)
{
	write4(entry + IRQX_ENTRY_CONTROL, 1);
	write4(entry + IRQX_ENTRY_ADDRESS, to->address);
	write4(entry + IRQX_ENTRY_UPPER, to->address >> 32);
	write4(entry + IRQX_ENTRY_DATA, to->data);
	write4(entry + IRQX_ENTRY_CONTROL, 0);
	read4(entry + IRQX_ENTRY_CONTROL);
}

static void write8(uint64_t where, uint64_t value)
{
	*(volatile uint64_t *)where = value;
}

static void guest_access(uint32_t what, uint32_t i)
{
	uint64_t handle = job.where + 8 * (i * 2654435761U % job.nr);
	uint64_t message = dynirq_compact(job.to[i % 2]);
	uint32_t spins = 100;

	switch (what) {
	case HANDLE_MOVE:
		write8(handle, message);
		break;
	case HANDLE_MASK:
		write8(handle, dynirq_compact(job.to[0]) | DYNIRQ_MASKED);
		write8(handle, dynirq_compact(job.to[0]));
		break;
	case SPIN:
		while (spins--)
			cpu_relax();
		break;
	case WRITE_MASKED:
		write4(job.where + IRQX_ENTRY_DATA, i);
		break;
	case MASK:
		write4(job.where + IRQX_ENTRY_CONTROL, 1);
		write4(job.where + IRQX_ENTRY_CONTROL, 0);
		break;
	case READ:
	case READ_PENDING:
		read4(job.where);
		break;
	case UNDEFINED:
		*(volatile uint8_t *)job.where;
		break;
	}
}

static uint64_t guest_entry(uint32_t what, uint32_t i)
{
	uint32_t first = what == MOVE_OWN ? irqx_guest_vcpu() * job.nr : 0;

	return IRQX_TABLE_GPA + (first + i * 2654435761U % job.nr) * IRQX_ENTRY_SIZE;
}

void irqx_guest_wait(void)
{
	uint32_t i, what;

	/* The vCPU of a guest without a job has a thread. */
	while (job.what == NOTHING)
		irqx_guest_halt();
	for (;;) {
		for (i = 0; i < job.n; i++) {
			what = READ_ONCE(job.what);
			if (what == MOVE || what == MOVE_OWN)
				guest_move(guest_entry(what, i), &job.to[i % 2]);
			else
				guest_access(what, i);
		}
		GUEST_SYNC(0);
	}
}

/*
 * The VMM
 */

enum way {
	WAY_TABLE,			/* the module serves it */
	WAY_DYNIRQ,			/* likewise; its handles are bound to nothing */
	WAY_MODIFY,			/* exits; KVM_IRQX_IRQFD_DIRECT_MODIFY */
	WAY_KVM,			/* exits; KVM_SET_GSI_ROUTING */
	WAY_IDLE,			/* exits, and nothing else is done */
};

struct vmm {
	struct irqx_guest *g;
	enum way way;
	uint32_t nr;
	int *fds;
	uint32_t *table;		/* what the guest has written, by exits */
	struct kvm_irq_routing *routing;
	struct irqx_table tables[MAX_TABLES];
};

static struct kvm_irq_routing_entry message_entry(const struct vmm *vmm, uint32_t vector)
{
	const uint32_t *entry = &vmm->table[4 * vector];
	struct kvm_irq_routing_entry message =
		irqx_message_entry((uint64_t)entry[1] << 32 | entry[0], entry[2]);

	message.gsi = vmm->way == WAY_KVM ? vector : 0;
	return message;
}

static void apply(struct vmm *vmm, uint32_t vector)
{
	struct kvm_irq_routing_entry entry = message_entry(vmm, vector);

	if (vmm->way == WAY_MODIFY) {
		bench_ok(__irqx_modify(vmm->g->ctx, vmm->fds[vector], entry));
	} else if (vmm->way == WAY_KVM) {
		vmm->routing->entries[vector] = entry;
		bench_ok(__irqx_ioctl(vmm->g->vm->fd, KVM_SET_GSI_ROUTING, vmm->routing));
	}
}

static void emulate(struct vmm *vmm)
{
	struct kvm_run *run = vmm->g->vcpus[0].vcpu->run;
	uint32_t i = (run->mmio.phys_addr - IRQX_TABLE_GPA) / 4;

	if (vmm->way == WAY_IDLE)
		return;
	if (!run->mmio.is_write) {
		memcpy(run->mmio.data, &vmm->table[i], 4);
		return;
	}
	memcpy(&vmm->table[i], run->mmio.data, 4);
	/* Unmasked: what VMMs wait for. */
	if (i % 4 == 3 && !vmm->table[i])
		apply(vmm, i / 4);
}

static void run(struct vmm *vmm)
{
	struct kvm_vcpu *vcpu = vmm->g->vcpus[0].vcpu;
	struct ucall uc;

	for (;;) {
		vcpu_run(vcpu);
		if (get_ucall(vcpu, &uc) == UCALL_SYNC)
			return;
		TEST_ASSERT(vcpu->run->exit_reason == KVM_EXIT_MMIO &&
			    vmm->way != WAY_TABLE && vmm->way != WAY_DYNIRQ,
			    "unexpected exit %s", exit_reason_str(vcpu->run->exit_reason));
		emulate(vmm);
	}
}

static struct job *job_of(struct vmm *vmm)
{
	return addr_gva2hva(vmm->g->vm, (vm_vaddr_t)&job);
}

static double measure(struct vmm *vmm, uint32_t what, uint64_t where)
{
	struct job *j = job_of(vmm);
	struct bench_clock clock;

	j->where = where;
	j->n = MOVES;
	j->what = what;
	bench_start(&clock);
	run(vmm);
	return bench_stop(&clock) / MOVES;
}

static void serve_tables(struct vmm *vmm)
{
	struct irqx_vector_message m = irqx_vector_message(vmm->g, 0, IRQX_IRQ_MIN);
	struct kvm_irqx_vector *vectors = calloc(PER_TABLE, sizeof(*vectors));
	struct irqx_table *table;
	uint32_t i, left = vmm->nr;

	for (i = 0; i < PER_TABLE; i++)
		vectors[i] = (struct kvm_irqx_vector){
			.address_lo = m.address,
			.address_hi = m.address >> 32,
			.data = m.data,
		};
	for (i = 0; left; i++, left -= table->nr) {
		table = &vmm->tables[i];
		table->nr = left < PER_TABLE ? left : PER_TABLE;
		table->entries = IRQX_TABLE_GPA + i * TABLE_STRIDE;
		table->pba = PBAS + i * PBA_STRIDE;
		bench_ok(__irqx_table_create(vmm->g->ctx, table, IRQX_TABLE_ON,
					     KVM_IRQX_NO_FD));
		bench_ok(__irqx_table_put(table, 0, table->nr, vectors, -1));
	}
	for (i = 0; i < vmm->nr; i++)
		bench_ok(__irqx_bind(vmm->g->ctx, vmm->fds[i],
				     irqx_vector_entry(&vmm->tables[i / PER_TABLE],
						       i % PER_TABLE)));
	free(vectors);
}

/* Every handle is mapped; where the compact form is the guest would ask. */
static void serve_handles(struct vmm *vmm)
{
	struct irqx_vector_message m = irqx_vector_message(vmm->g, 0, IRQX_IRQ_MIN);
	struct irqx_table *dynirq = &vmm->tables[0];
	struct irqx_dynirq_state state = {
		.handles = calloc(vmm->nr, sizeof(*state.handles)),
	};
	uint32_t i;

	*dynirq = irqx_dynirq_create(vmm->g->ctx, vmm->nr);
	irqx_dynirq_get(dynirq, &state);
	state.header.doorbell = irqx_dynirq_doorbell(vmm->g);
	for (i = 0; i < vmm->nr; i++)
		state.handles[i] = (struct kvm_irqx_vector){
			.address_lo = m.address,
			.address_hi = m.address >> 32,
			.data = m.data,
		};
	irqx_dynirq_put(dynirq, &state);
	free(state.handles);
}

static struct vmm vmm_create(enum way way, uint32_t nr)
{
	struct vmm vmm = {
		.g = __irqx_guest_create(1, NULL, IRQX_GUEST_ARCH_TABLE),
		.way = way,
		.nr = nr,
		.fds = calloc(nr, sizeof(int)),
		.table = calloc(nr, IRQX_ENTRY_SIZE),
		.routing = calloc(1, sizeof(*vmm.routing) +
				  nr * sizeof(vmm.routing->entries[0])),
	};
	struct irqx_vector_message m = irqx_vector_message(vmm.g, 0, IRQX_IRQ_MIN);
	struct job *j = job_of(&vmm);
	uint32_t i;

	virt_map(vmm.g->vm, IRQX_TABLE_GPA, IRQX_TABLE_GPA, IRQX_TABLE_PAGES);
	irqx_need_files(4 * nr + 1024);
	irqx_eventfds(vmm.fds, nr);
	if (way == WAY_DYNIRQ)
		serve_handles(&vmm);
	for (i = 0; i < nr; i++) {
		vmm.table[4 * i] = m.address;
		vmm.table[4 * i + 1] = m.address >> 32;
		vmm.table[4 * i + 2] = m.data;
		vmm.routing->entries[i] = message_entry(&vmm, i);
	}
	vmm.routing->nr = nr;
	if (way == WAY_TABLE)
		serve_tables(&vmm);
	for (i = 0; i < nr && way == WAY_MODIFY; i++)
		bench_ok(__irqx_bind(vmm.g->ctx, vmm.fds[i], message_entry(&vmm, i)));
	if (way == WAY_KVM)
		bench_ok(__irqx_ioctl(vmm.g->vm->fd, KVM_SET_GSI_ROUTING, vmm.routing));
	for (i = 0; i < nr && way == WAY_KVM; i++)
		bench_ok(__irqx_irqfd(vmm.g->vm->fd, vmm.fds[i], i, 0));

	j->nr = nr;
	j->to[0] = irqx_vector_message(vmm.g, 0, IRQX_IRQ_MIN + 1);
	j->to[1] = m;
	/* It halts, and does nothing for once. */
	vmm.g->vcpus[0].vcpu->run->immediate_exit = 0;
	j->what = READ;
	irqx_signal_msi(vmm.g->vm, irqx_entry(vmm.g, 0, IRQX_IRQ_MIN));
	run(&vmm);
	return vmm;
}

static void vmm_free(struct vmm *vmm)
{
	irqx_close_all(vmm->fds, vmm->nr);
	irqx_guest_free(vmm->g);
	free(vmm->fds);
	free(vmm->table);
	free(vmm->routing);
}

static void moves(uint32_t n)
{
	struct vmm table = vmm_create(WAY_TABLE, n), modify = vmm_create(WAY_MODIFY, n), kvm;
	struct bench_pairs by_table = {}, by_modify = {};
	bool has_kvm = n <= BENCH_KVM_MAX;
	double theirs = BENCH_NONE;
	uint32_t i;

	if (has_kvm)
		kvm = vmm_create(WAY_KVM, n);
	for (i = 0; i <= bench_runs(n > 64); i++) {
		if (has_kvm)
			theirs = measure(&kvm, MOVE, 0);
		bench_pair(&by_table, measure(&table, MOVE, 0), theirs);
		bench_pair(&by_modify, measure(&modify, MOVE, 0), theirs);
		/* The first run is for the caches. */
		if (!i)
			by_table.nr = by_modify.nr = 0;
	}
	bench_report("vector-move", n, NULL, &by_table);
	bench_report("vector-move-modify", n, NULL, &by_modify);
	if (has_kvm)
		vmm_free(&kvm);
	vmm_free(&modify);
	vmm_free(&table);
}

static void fire(void *arg, uint32_t i)
{
	(void)i;
	bench_ok(__irqx_fire(*(int *)arg));
}

/* Against a vector that is moved by exits and KVM's table. */
static void handle_moves(uint32_t n)
{
	struct vmm dynirq = vmm_create(WAY_DYNIRQ, n), kvm;
	struct bench_pairs by_move = {}, by_mask = {};
	uint64_t where = dynirq.tables[0].entries + DYNIRQ_HEADER_SIZE;
	bool has_kvm = n <= BENCH_KVM_MAX;
	double theirs = BENCH_NONE;
	uint32_t i;

	if (has_kvm)
		kvm = vmm_create(WAY_KVM, n);
	for (i = 0; i <= bench_runs(n > 64); i++) {
		if (has_kvm)
			theirs = measure(&kvm, MOVE, 0);
		bench_pair(&by_move, measure(&dynirq, HANDLE_MOVE, where), theirs);
		bench_pair(&by_mask, measure(&dynirq, HANDLE_MASK, where) / 2, BENCH_NONE);
		if (!i)
			by_move.nr = by_mask.nr = 0;
	}
	bench_report("handle-move", n, NULL, &by_move);
	bench_report("handle-mask", n, NULL, &by_mask);
	if (has_kvm)
		vmm_free(&kvm);
	vmm_free(&dynirq);
}

#define RAISES	64

static void raise_handles(void *arg, uint32_t i)
{
	static uint32_t handles[RAISES];

	(void)i;
	for (i = 0; !handles[1] && i < RAISES; i++)
		handles[i] = i;
	bench_ok(__irqx_raise_many(arg, handles, RAISES));
}

static void raise_eventfds(void *arg, uint32_t i)
{
	int *fds = arg;

	(void)i;
	for (i = 0; i < RAISES; i++)
		bench_ok(__irqx_fire(fds[i]));
}

/* 64 handles by one call, against 64 eventfds of KVM's irqfds. */
static void raise_many(void)
{
	struct vmm dynirq = vmm_create(WAY_DYNIRQ, RAISES), kvm = vmm_create(WAY_KVM, RAISES);
	struct bench_pairs pairs = {};
	uint32_t i;

	for (i = 0; i <= bench_runs(false); i++) {
		bench_pair(&pairs, bench_each(raise_handles, &dynirq.tables[0], 16),
			   bench_each(raise_eventfds, kvm.fds, 16));
		if (!i)
			pairs.nr = 0;
	}
	bench_report("handle-raise", RAISES, NULL, &pairs);
	vmm_free(&kvm);
	vmm_free(&dynirq);
}

#define INJECTIONS	512

/* Of one injection by a module of the host. */
static double inject(int door, enum door_where where, struct door_request request)
{
	request.where = where;
	request.count = INJECTIONS;
	bench_ok(__irqx_door(door, &request));
	return (double)request.out / INJECTIONS;
}

static double inject_by_kvm(int door, enum door_where where, struct irqx_guest *g)
{
	return inject(door, where, (struct door_request){
		.op = DOOR_COST_KVM,
		.fd = g->vm->fd,
		.entry = irqx_entry(g, 0, IRQX_IRQ_MIN),
	});
}

static double signal_it(int door, int fd)
{
	return inject(door, DOOR_HARDIRQ, (struct door_request){
		.op = DOOR_COST_SIGNAL,
		.fd = fd,
	});
}

/*
 * By kvm_inject_dynirq() and by a source, against kvm_arch_set_irq_inatomic() alone: with
 * interrupts off, and in a timer's handler.  There also by an eventfd that has an entry of its own
 * and is signalled, against one that KVM's irqfd has; and the same two written by userspace.
 */
static void injections(void)
{
	struct bench_pairs by_handle = {}, by_source = {}, more = {}, in_handler = {};
	struct bench_pairs by_signal = {}, by_write = {};
	double handle, source, theirs;
	int door = irqx_door_open();
	struct vmm dynirq, kvm;
	uint32_t i;

	if (door < 0) {
		bench_say("no module of the host that raises handles: left out");
		return;
	}
	dynirq = vmm_create(WAY_DYNIRQ, 64);
	kvm = vmm_create(WAY_KVM, 64);
	irqx_make_fast(dynirq.g, 0, IRQX_IRQ_MIN);
	irqx_door_context(door, dynirq.g->ctx);
	irqx_door_dynirq(door, dynirq.tables[0].id);
	irqx_door_create(door, irqx_entry(dynirq.g, 0, IRQX_IRQ_MIN), 0);
	irqx_bind(dynirq.g->ctx, dynirq.fds[0], irqx_entry(dynirq.g, 0, IRQX_IRQ_MIN));
	for (i = 0; i <= bench_runs(false); i++) {
		theirs = inject_by_kvm(door, DOOR_TASK, dynirq.g);
		handle = inject(door, DOOR_TASK, (struct door_request){ .op = DOOR_COST });
		source = inject(door, DOOR_TASK, (struct door_request){ .op = DOOR_COST_RAISE });
		bench_pair(&by_handle, handle, theirs);
		bench_pair(&by_source, source, theirs);
		bench_pair(&more, (handle > source ? handle : source) - theirs, BENCH_NONE);
		theirs = inject_by_kvm(door, DOOR_HARDIRQ, dynirq.g);
		handle = inject(door, DOOR_HARDIRQ, (struct door_request){ .op = DOOR_COST });
		bench_pair(&in_handler, handle, theirs);
		bench_pair(&by_signal, signal_it(door, dynirq.fds[0]), signal_it(door, kvm.fds[0]));
		bench_pair(&by_write, bench_each(fire, dynirq.fds, INJECTIONS),
			   bench_each(fire, kvm.fds, INJECTIONS));
		if (!i)
			by_handle.nr = by_source.nr = more.nr = in_handler.nr = by_signal.nr =
				by_write.nr = 0;
	}
	bench_report("handle-inject", 1, NULL, &by_handle);
	bench_report("source-raise", 1, NULL, &by_source);
	bench_report("inject-extra", 1, NULL, &more);
	bench_report("handle-inject-irq", 1, NULL, &in_handler);
	bench_report("inject-signal-irq", 1, NULL, &by_signal);
	bench_report("inject-eventfd", 1, NULL, &by_write);
	vmm_free(&kvm);
	vmm_free(&dynirq);
	irqx_door_close(door);
}

/* What one access costs, and what of it is KVM's: that which finds nothing to do. */
static void accesses(void)
{
	static const struct {
		const char *name;
		uint32_t what;
		uint32_t per;
	} kinds[] = {
		{ "vector-undefined", UNDEFINED, 1 },
		{ "vector-store", WRITE_MASKED, 1 },
		{ "vector-mask", MASK, 2 },
		{ "vector-read", READ, 1 },
		{ "vector-pending", READ_PENDING, 1 },
	};
	struct vmm table = vmm_create(WAY_TABLE, 64), idle = vmm_create(WAY_IDLE, 64);
	uint64_t where = table.tables[0].entries;
	uint32_t i, r;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct bench_pairs pairs = {};
		uint64_t at = kinds[i].what == READ_PENDING ? table.tables[0].pba : where;

		/* What is written while it is masked is looked at later. */
		irqx_vector_put(&table.tables[0], 0, (struct kvm_irqx_vector){
			.control = kinds[i].what == WRITE_MASKED,
		});
		for (r = 0; r <= bench_runs(false); r++) {
			bench_pair(&pairs, measure(&table, kinds[i].what, at) / kinds[i].per,
				   measure(&idle, kinds[i].what, where) / kinds[i].per);
			if (!r)
				pairs.nr = 0;
		}
		bench_report(kinds[i].name, 1, NULL, &pairs);
	}
	vmm_free(&table);
	vmm_free(&idle);
}

/* As wakeup-msi; no vCPU runs. */
static void events(void)
{
	struct irqx_guest *g = __irqx_guest_create(1, NULL, IRQX_GUEST_ARCH_TABLE);
	struct irqx_vector_message m = irqx_vector_message(g, 0, IRQX_IRQ_MIN);
	struct bench_pairs own = {}, extra = {};
	int direct = irqx_eventfd(0, 0), fd = irqx_eventfd(0, 0);
	struct irqx_table table = irqx_table_create(g->ctx, 64);
	double by_vector, by_direct;
	uint32_t i;

	irqx_make_fast(g, 0, IRQX_IRQ_MIN);
	irqx_vector_put(&table, 0, (struct kvm_irqx_vector){
		.address_lo = m.address,
		.address_hi = m.address >> 32,
		.data = m.data,
	});
	irqx_bind(g->ctx, fd, irqx_vector_entry(&table, 0));
	irqx_bind(g->ctx, direct, irqx_entry(g, 0, IRQX_IRQ_MIN));
	for (i = 0; i <= bench_runs(false); i++) {
		by_vector = bench_each(fire, &fd, 512);
		by_direct = bench_each(fire, &direct, 512);
		bench_pair(&own, by_vector, by_direct);
		bench_pair(&extra, by_vector - by_direct, BENCH_NONE);
		if (!i)
			own.nr = extra.nr = 0;
	}
	bench_report("vector-event", 1, NULL, &own);
	bench_report("vector-event-extra", 1, NULL, &extra);
	close(fd);
	close(direct);
	irqx_guest_free(g);
}

#define TURN_NS		50000000ULL
#define RIVALS		2
#define OWN		32

/* Events per second, of a thread that fires the vectors. */
static double rate(struct vmm *vmm, enum what what)
{
	uint64_t begin, now, fired = 0;

	WRITE_ONCE(job_of(vmm)->what, what);
	usleep(20000);
	begin = irqx_now_ns();
	do {
		bench_ok(__irqx_fire(vmm->fds[fired++ % vmm->nr]));
		now = irqx_now_ns();
	} while (now < begin + TURN_NS);
	return fired * 1e9 / (now - begin);
}

static struct vmm rivals_create(int cpu)
{
	struct vmm vmm = {
		.g = __irqx_guest_create(RIVALS, NULL, IRQX_GUEST_ARCH_TABLE),
		.nr = RIVALS * OWN,
		.fds = calloc(RIVALS * OWN, sizeof(int)),
	};
	struct job *j = job_of(&vmm);
	cpu_set_t set;
	uint32_t i;

	virt_map(vmm.g->vm, IRQX_TABLE_GPA, IRQX_TABLE_GPA, IRQX_TABLE_PAGES);
	irqx_eventfds(vmm.fds, vmm.nr);
	serve_tables(&vmm);
	j->nr = OWN;
	j->n = MOVES;
	j->to[0] = irqx_vector_message(vmm.g, 0, IRQX_IRQ_MIN + 1);
	j->to[1] = irqx_vector_message(vmm.g, 1, IRQX_IRQ_MIN + 1);
	j->what = SPIN;
	irqx_guest_start(vmm.g);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	for (i = 0; i < RIVALS; i++) {
		pthread_setaffinity_np(vmm.g->vcpus[i].thread, sizeof(set), &set);
		irqx_signal_msi(vmm.g->vm, irqx_entry(vmm.g, i, IRQX_IRQ_MIN));
	}
	return vmm;
}

/*
 * What a thread that fires loses if two vCPUs move the vectors all the while, in turns with
 * the same two spinning: they share a CPU, it has another.
 */
static void moved_under_fire(void)
{
	struct bench_pairs lost = {};
	double spinning, moving;
	struct vmm vmm;
	uint32_t i;

	if (bench.icount || get_nprocs() < 2)
		return;
	bench_say("one thread fires, two vCPUs move the vectors");
	irqx_on_cpu(0);
	vmm = rivals_create(1);
	for (i = 0; i < (bench.quick ? 8 : BENCH_MAX_RUNS); i++) {
		spinning = rate(&vmm, SPIN);
		moving = rate(&vmm, MOVE_OWN);
		bench_pair(&lost, 100 * (1 - moving / spinning), BENCH_NONE);
	}
	bench_report("vector-fire-loss", vmm.nr, "%", &lost);
	/* Before the vectors are the VMM's again. */
	irqx_guest_stop(vmm.g);
	irqx_close_all(vmm.fds, vmm.nr);
	free(vmm.fds);
	irqx_guest_free(vmm.g);
	irqx_on_cpu(-1);
}

void bench_vector(void)
{
	static const uint32_t sizes[] = { 64, 4032, 65536 };
	uint32_t i;

	bench_say("an event by a vector of a table");
	events();
	bench_say("accesses to a table");
	accesses();
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		bench_say("moves of %u vectors by the guest", sizes[i]);
		moves(sizes[i]);
	}
	moved_under_fire();
}

void bench_dynirq(void)
{
	static const uint32_t sizes[] = { 64, 4032, 65536 };
	uint32_t i;

	bench_say("handles raised by a module of the host");
	injections();
	bench_say("64 handles raised by one call");
	raise_many();
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		bench_say("moves of %u handles by the guest", sizes[i]);
		handle_moves(sizes[i]);
	}
}

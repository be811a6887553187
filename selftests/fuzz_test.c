// SPDX-License-Identifier: GPL-2.0
/*
 * Random calls from several threads, while eventfds fire, files are closed and
 * opened, and vCPUs run and are upset by what they get.  Nothing may break; the
 * kernel log and the unloading of the module afterwards are the rig's to check.
 *
 * Where the kernel has KCOV, what has made the module do something new is kept,
 * and done again with changes.
 *
 *	SEED=n	as printed by another run, and in the kernel log.  The n-th round
 *		of a thread is the same again, but threads race: not in the same
 *		order.  What it takes from the corpus depends on that order too.
 *	CALLS=n	as long as that many calls take; without it
 *	SOAK=1	2 hours instead of 20 s (with KCOV, 30 s)
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "irqx_cover.h"
#include "irqx_source.h"
#include "irqx_table.h"
#include "irqx_harness.h"

#define NR_THREADS	4
#define NR_CONTEXTS	8
#define NR_EVENTFDS	64
#define ARG_SIZE	65536
#define STEP_ARG	256
#define NR_STEPS	4
#define CORPUS_SIZE	1024

enum call {
	GET_INFO, ATTACH, GET_STATS, DIRECT, BATCH, SET_GSI_ROUTING, IRQFD,
	IRQ_LINE, IRQ_LINE_STATUS, MASK, GET_STATE, TABLE, GET_TABLE, SET_TABLE,
	HANDLE, RAISE, LIST, SYNIC_PAGE, NR_CALLS,
};

/* Without the last where nobody would take it. */
#define NR_TRIED	(NR_CALLS - !IRQX_HAS_SYNIC)

static const struct {
	const char *name;
	unsigned long cmd;
	size_t size;		/* of what always is there */
	uint32_t weight;	/* the higher, the more often */
} calls[NR_CALLS] = {
	{ "GET_INFO", KVM_IRQX_GET_INFO, sizeof(struct kvm_irqx_info), 1 },
	{ "ATTACH", KVM_IRQX_ATTACH, sizeof(struct kvm_irqx_attach), 1 },
	{ "GET_STATS", KVM_IRQX_GET_STATS, sizeof(struct kvm_irqx_stats), 1 },
	{ "DIRECT", KVM_IRQX_IRQFD_DIRECT, sizeof(struct kvm_irqx_irqfd_direct), 8 },
	{ "BATCH", KVM_IRQX_BATCH, sizeof(struct kvm_irqx_batch), 9 },
	/* Else a table does not get old enough for the others. */
	{ "SET_GSI_ROUTING", KVM_SET_GSI_ROUTING,
	  sizeof(struct kvm_irq_routing), 1 },
	{ "IRQFD", KVM_IRQFD, sizeof(struct kvm_irqfd), 5 },
	{ "IRQ_LINE", KVM_IRQ_LINE, sizeof(struct kvm_irq_level), 3 },
	{ "IRQ_LINE_STATUS", KVM_IRQ_LINE_STATUS, sizeof(struct kvm_irq_level), 2 },
	{ "MASK", KVM_IRQX_MASK, sizeof(struct kvm_irqx_mask), 5 },
	{ "GET_STATE", KVM_IRQX_GET_STATE, sizeof(struct kvm_irqx_get_state), 3 },
	{ "TABLE", KVM_IRQX_TABLE, sizeof(struct kvm_irqx_table), 5 },
	{ "GET_TABLE", KVM_IRQX_GET_TABLE, sizeof(struct kvm_irqx_table_state), 3 },
	{ "SET_TABLE", KVM_IRQX_SET_TABLE, sizeof(struct kvm_irqx_table_state), 5 },
	{ "HANDLE", KVM_IRQX_HANDLE, sizeof(struct kvm_irqx_handle), 5 },
	{ "RAISE", KVM_IRQX_RAISE, sizeof(struct kvm_irqx_raise), 4 },
	{ "LIST", KVM_IRQX_LIST, sizeof(struct kvm_irqx_list), 3 },
	{ "SYNIC_PAGE", KVM_IRQX_SYNIC_PAGE,
	  sizeof(struct kvm_irqx_synic_page), 2 },
};

/* What a thread does beside these calls, for them to race with. */
enum {
	UNKNOWN = NR_CALLS, KVMS_IRQFD, FIRE, REOPEN_EVENTFD, REOPEN_CONTEXT,
	REOPEN_VM,
};

struct step {
	uint8_t what;			/* enum call, or one of those */
	uint8_t slot;			/* of contexts[] or eventfds[] */
	uint8_t place;			/* for place() */
	uint32_t size;			/* of the argument */
	char arg[STEP_ARG];		/* its beginning */
};

struct sequence {
	uint32_t nr;
	struct step steps[NR_STEPS];
};

/* Each ended with something new when it was put here. */
static struct sequence *corpus;		/* CORPUS_SIZE */
static uint32_t corpus_nr;
static pthread_mutex_t corpus_lock = PTHREAD_MUTEX_INITIALIZER;

/* Where tables are, and what the guest accesses of that; few, so that they meet. */
#define NR_TABLES	4
#define NR_VECTORS	8
#define PBA_OFFSET	0x1000
#define DYNIRQ_OFFSET	0x2000		/* a header, a page of each form, or of the next one's */
#define TABLES_SIZE	0x6000

static struct irqx_guest *guest;
static bool has_kcov;
static uint32_t max_gsi;
static uint64_t synic_pages;		/* two of the guest */
static bool stop;

/* -1 while a thread has it out to close it. */
static int contexts[NR_CONTEXTS];
static int eventfds[NR_EVENTFDS];

/* A VM that comes and goes; likewise. */
static int other_vm_fd;
static struct kvm_vm *other_vm;

struct fuzzer {
	pthread_t thread;
	uint64_t seed;
	uint64_t rounds;
	struct irqx_random random;
	struct sequence recent;		/* the last steps, oldest first */
	struct irqx_cover cover;
	char *arg;			/* ARG_SIZE bytes, then nothing */
	char *record;			/* a page, then nothing: where error records are */
	char *read_only;		/* a page */
	uint64_t nr_calls;
	uint64_t calls[NR_CALLS + 1];	/* the last: UNKNOWN */
	uint64_t successes[NR_CALLS + 1];
	uint64_t fires;
	uint64_t kept;			/* sequences */
};

/*
 * In the guest: an access for each interrupt, mostly one that PCI defines, and of what may be a
 * message or a mask.
 */
static void guest_access(struct irqx_random *random)
{
	uint64_t where = IRQX_TABLE_GPA + irqx_random_below(random, TABLES_SIZE);
	uint32_t len = 1U << irqx_random_below(random, 4);
	const uint32_t values[] = {
		0, 1, IRQX_IRQ_MIN + irqx_random_below(random, 224), 0xfee00000, 0xfee01000,
		irqx_random_next(random),
	};

	if (irqx_random_below(random, 8))
		len = 4 << irqx_random_below(random, 2);
	if (irqx_random_below(random, 8))
		where &= ~(len - 1ULL);
	/* Where registers and handles are in the pages of a dynirq. */
	if (irqx_random_below(random, 4))
		where &= ~0xf80ULL;
	if (irqx_random_below(random, 2))
		irqx_guest_read(where, len);
	else
		irqx_guest_write(where, len, values[irqx_random_below(random, ARRAY_SIZE(values))]);
}

void irqx_guest_wait(void)
{
	static struct irqx_random random[IRQX_MAX_VCPUS];
	struct irqx_random *mine = &random[irqx_guest_vcpu()];

	for (;;) {
		irqx_guest_halt();
		guest_access(mine);
	}
}

void irqx_vcpu_exit(struct irqx_vcpu *v)
{
	irqx_table_exit(v);
}

/* Each round has a state of its own, or a race would upset all that come later. */
static void next_round(struct fuzzer *f)
{
	f->random = irqx_random(f->seed, f->rounds++);
}

static uint32_t rnd(struct fuzzer *f)
{
	return irqx_random_next(&f->random);
}

static uint32_t below(struct fuzzer *f, uint32_t n)
{
	return rnd(f) % n;
}

static bool one_in(struct fuzzer *f, uint32_t n)
{
	return !below(f, n);
}

static uint32_t interesting(struct fuzzer *f)
{
	const uint32_t values[] = {
		0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 23, 24, 25, 31, 32, 255, 256,
		4095, 4096, 65535, 65536, 65537, max_gsi - 1, max_gsi,
		max_gsi + 1, 0x7fffffff, 0x80000000, ~0U, rnd(f),
	};

	return values[below(f, ARRAY_SIZE(values))];
}

/* @usual, or now and then anything. */
static uint32_t mostly(struct fuzzer *f, uint32_t usual)
{
	return one_in(f, 40) ? interesting(f) : usual;
}

static int context(const struct step *s)
{
	return READ_ONCE(contexts[s->slot % NR_CONTEXTS]);
}

static int any_eventfd(struct fuzzer *f)
{
	return READ_ONCE(eventfds[below(f, NR_EVENTFDS)]);
}

static int any_fd(struct fuzzer *f)
{
	switch (below(f, 30)) {
	case 0:
		return guest->vm->fd;
	case 1:
		return guest->vcpus[0].vcpu->fd;
	case 2:
		return READ_ONCE(contexts[below(f, NR_CONTEXTS)]);
	case 3:
		return below(f, 300);
	case 4:
		return interesting(f);
	default:
		return any_eventfd(f);
	}
}

static uint32_t any_gsi(struct fuzzer *f)
{
	return mostly(f, one_in(f, 8) ? below(f, max_gsi) : below(f, 16));
}

/* What can be masked: a binding, by its eventfd, or @gsi, which has a route more often. */
static int any_place(struct fuzzer *f, uint32_t *gsi)
{
	bool direct = one_in(f, 3);

	*gsi = direct ? mostly(f, 0) : any_gsi(f);
	return direct ? any_fd(f) : KVM_IRQX_NO_FD;
}

#include "irqx_fuzz.h"

static struct kvm_irq_routing_entry any_entry(struct fuzzer *f)
{
	struct kvm_irq_routing_entry entry;

	if (one_in(f, 5))
		entry = (struct kvm_irq_routing_entry){
			.type = KVM_IRQX_ROUTING_VECTOR,
			.u.irqchip.irqchip = mostly(f, below(f, NR_TABLES)),
			.u.irqchip.pin = mostly(f, below(f, NR_VECTORS)),
		};
	else
		entry = arch_entry(f);
	entry.flags = mostly(f, entry.flags);
	entry.pad = mostly(f, 0);
	entry.gsi = any_gsi(f);
	return entry;
}

/* @flags: what is to be done, but for what the binding is to have. */
static void any_direct(struct fuzzer *f, struct kvm_irqx_irqfd_direct *direct,
		       uint32_t flags)
{
	uint32_t tries;

	if (!flags && one_in(f, 3))
		flags = KVM_IRQX_IRQFD_DIRECT_RESAMPLE;
	if (one_in(f, 10))
		flags |= KVM_IRQX_IRQFD_DIRECT_EVENT_FLAG;
	if (one_in(f, 8))
		flags |= one_in(f, 2) ? KVM_IRQX_IRQFD_DIRECT_MASK :
					KVM_IRQX_IRQFD_DIRECT_UNMASK;
	direct->fd = any_fd(f);
	direct->resamplefd = any_fd(f);
	direct->flags = mostly(f, flags);
	direct->event_flag = mostly(f, one_in(f, 10) ? below(f, 2048) : 0);
	direct->entry = any_entry(f);
	/* Most entries are MSIs or vectors, which these flags do not go with. */
	tries = flags & (KVM_IRQX_IRQFD_DIRECT_RESAMPLE |
			 KVM_IRQX_IRQFD_DIRECT_EVENT_FLAG) ? 8 : below(f, 3);
	while (tries-- && (direct->entry.type == KVM_IRQ_ROUTING_MSI ||
			   direct->entry.type == KVM_IRQX_ROUTING_VECTOR))
		direct->entry = any_entry(f);
	direct->entry.gsi = mostly(f, 0);
	direct->cookie = flags & ~(KVM_IRQX_IRQFD_DIRECT_DEASSIGN |
				   KVM_IRQX_IRQFD_DIRECT_MODIFY) ? rnd(f) : mostly(f, 0);
}

/* @kinds: 1: of eventfds; 2: of routes; 3: of both */
static void any_op(struct fuzzer *f, struct kvm_irqx_op *op, uint32_t kinds)
{
	static const uint32_t of_fds[] = {
		KVM_IRQX_OP_ASSIGN, KVM_IRQX_OP_ASSIGN, KVM_IRQX_OP_MODIFY,
		KVM_IRQX_OP_DEASSIGN, KVM_IRQX_OP_IRQFD, KVM_IRQX_OP_MASK,
		KVM_IRQX_OP_UNMASK,
	};
	static const uint32_t of_routes[] = {
		KVM_IRQX_OP_ROUTE_SET, KVM_IRQX_OP_ROUTE_SET, KVM_IRQX_OP_ROUTE_ADD,
		KVM_IRQX_OP_ROUTE_DEL, KVM_IRQX_OP_MASK, KVM_IRQX_OP_UNMASK,
	};
	struct kvm_irqx_irqfd_direct direct = {};
	bool of_fd = kinds == 1 || (kinds == 3 && one_in(f, 2));

	memset(op, 0, sizeof(*op));
	if (of_fd)
		op->op = of_fds[below(f, ARRAY_SIZE(of_fds))];
	else
		op->op = of_routes[below(f, ARRAY_SIZE(of_routes))];
	switch (op->op) {
	case KVM_IRQX_OP_ASSIGN:
	case KVM_IRQX_OP_MODIFY:
		any_direct(f, &direct, op->op == KVM_IRQX_OP_MODIFY ?
			   KVM_IRQX_IRQFD_DIRECT_MODIFY : 0);
		direct.flags &= ~KVM_IRQX_IRQFD_DIRECT_MODIFY;
		direct.fd = any_eventfd(f);
		*op = (struct kvm_irqx_op){
			.op = op->op,
			.flags = direct.flags,
			.fd = direct.fd,
			.resamplefd = direct.flags & KVM_IRQX_OP_FLAG_RESAMPLE ?
				      direct.resamplefd : 0,
			.event_flag = direct.event_flag,
			.entry = direct.entry,
			.cookie = direct.cookie,
		};
		break;
	case KVM_IRQX_OP_IRQFD:
		op->entry.gsi = any_gsi(f);
		if (one_in(f, 4)) {
			op->flags = KVM_IRQX_OP_FLAG_RESAMPLE;
			op->resamplefd = any_eventfd(f);
		}
		fallthrough;
	case KVM_IRQX_OP_DEASSIGN:
		op->fd = any_eventfd(f);
		break;
	case KVM_IRQX_OP_MASK:
	case KVM_IRQX_OP_UNMASK:
		op->fd = of_fd ? any_eventfd(f) : KVM_IRQX_NO_FD;
		op->entry.gsi = of_fd ? 0 : any_gsi(f);
		break;
	case KVM_IRQX_OP_ROUTE_DEL:
		op->entry.gsi = any_gsi(f);
		break;
	default:
		op->entry = any_entry(f);
		if (op->op == KVM_IRQX_OP_ROUTE_SET && one_in(f, 6))
			op->flags = one_in(f, 2) ? KVM_IRQX_OP_FLAG_MASK :
						   KVM_IRQX_OP_FLAG_UNMASK;
	}
	if (one_in(f, 100))
		((uint32_t *)op)[below(f, sizeof(*op) / 4)] = interesting(f);
}

/* The address of an error record, mostly none. */
static uint64_t any_record(struct fuzzer *f)
{
	if (one_in(f, 40))
		return interesting(f);
	if (!one_in(f, 4))
		return 0;
	*(uint32_t *)f->record = mostly(f, sizeof(struct kvm_irqx_error));
	return (uintptr_t)f->record;
}

static void any_table(struct fuzzer *f, struct kvm_irqx_table *args)
{
	static const uint32_t ops[] = {
		KVM_IRQX_TABLE_CREATE, KVM_IRQX_TABLE_CREATE, KVM_IRQX_TABLE_MOVE,
		KVM_IRQX_TABLE_SET, KVM_IRQX_TABLE_SET, KVM_IRQX_TABLE_DESTROY,
		KVM_IRQX_TABLE_CREATE_DYNIRQ, KVM_IRQX_TABLE_CREATE_DYNIRQ,
	};
	bool create, places, dynirq;

	args->op = ops[below(f, ARRAY_SIZE(ops))];
	dynirq = args->op == KVM_IRQX_TABLE_CREATE_DYNIRQ;
	create = dynirq || args->op == KVM_IRQX_TABLE_CREATE;
	places = create || args->op == KVM_IRQX_TABLE_MOVE;
	args->op = mostly(f, args->op);
	/* Others may be of either kind. */
	if (!create)
		dynirq = one_in(f, 2);
	args->table = mostly(f, create ? 0 : below(f, NR_TABLES));
	if (create || args->op == KVM_IRQX_TABLE_SET)
		args->flags = mostly(f, below(f, dynirq ? 2 : 8));
	if (create) {
		args->nr = mostly(f, 1 + below(f, NR_VECTORS));
		args->devid = mostly(f, irqx_table_devid());
		args->changefd = one_in(f, 2) ? any_fd(f) : KVM_IRQX_NO_FD;
	}
	if (places && dynirq) {
		args->entries = IRQX_TABLE_GPA + DYNIRQ_OFFSET + mostly(f, below(f, 2) * 4096);
		args->pba = mostly(f, 0);
	} else if (places) {
		args->entries = IRQX_TABLE_GPA + mostly(f, below(f, 32) * 0x80);
		args->pba = IRQX_TABLE_GPA + PBA_OFFSET + mostly(f, below(f, 64) * 8);
		if (one_in(f, 50))
			args->pba = (uint64_t)interesting(f) << 32 | interesting(f);
	}
	args->pad[below(f, 3)] = one_in(f, 400);
	args->error = any_record(f);
}

/* Return: how many bytes the vectors are, which are behind the head. */
static size_t any_table_state(struct fuzzer *f, bool set, struct kvm_irqx_table_state *head)
{
	struct kvm_irqx_vector *vectors = (void *)(head + 1);
	uint32_t i, nr = below(f, one_in(f, 20) ? 100 : 4);

	memset(head, 0, sizeof(*head));
	head->version = mostly(f, KVM_IRQX_TABLE_STATE_VERSION);
	head->table = mostly(f, below(f, NR_TABLES));
	head->first = mostly(f, below(f, NR_VECTORS));
	head->nr = mostly(f, nr);
	head->vector_size = one_in(f, 20) ? below(f, 80) : sizeof(*vectors);
	head->vectors = one_in(f, 20) ? interesting(f) : 0;
	head->error = any_record(f);
	head->pad = one_in(f, 400);
	if (one_in(f, 3)) {
		struct kvm_irqx_dynirq_header *header = (void *)(f->record + 512);

		header->argsz = mostly(f, sizeof(*header));
		head->header = (uintptr_t)header;
	}
	if (!set) {
		head->flags = mostly(f, 0);
		if (!head->header)
			head->changed = one_in(f, 3) ? (uintptr_t)f->record : mostly(f, 0);
		return nr * sizeof(*vectors);
	}
	if (one_in(f, 3)) {
		head->flags = mostly(f, KVM_IRQX_TABLE_STATE_FUNCTION);
		head->function = mostly(f, below(f, head->header ? 2 : 8));
	}
	for (i = 0; i < nr; i++) {
		struct kvm_irq_routing_entry msi = irqx_entry(guest, below(f, guest->nr_vcpus),
							      32 + below(f, 224));

		vectors[i] = (struct kvm_irqx_vector){
			.address_lo = mostly(f, msi.u.msi.address_lo),
			.address_hi = mostly(f, msi.u.msi.address_hi),
			.data = mostly(f, msi.u.msi.data),
			.control = mostly(f, below(f, 2)),
			.state = mostly(f, below(f, 8)),
			.pad = one_in(f, 400),
		};
	}
	return nr * sizeof(*vectors);
}

static void any_handle(struct fuzzer *f, struct kvm_irqx_handle *args)
{
	memset(args, 0, sizeof(*args));
	args->op = mostly(f, 1 + below(f, 4));
	args->table = mostly(f, below(f, NR_TABLES));
	args->handle = one_in(f, 4) ? KVM_IRQX_ANY_HANDLE : mostly(f, below(f, NR_VECTORS));
	args->flags = mostly(f, 0);
	if (args->op == KVM_IRQX_HANDLE_ALLOC || args->op == KVM_IRQX_HANDLE_LABEL)
		memset(args->label, 'a' + below(f, 26), 1 + below(f, KVM_IRQX_LABEL_SIZE));
	args->error = any_record(f);
	args->pad[below(f, 2)] = one_in(f, 400);
}

/* Return: how many bytes the handles are, which are behind the head. */
static size_t any_raise(struct fuzzer *f, struct kvm_irqx_raise *head)
{
	uint32_t i, nr = one_in(f, 2) ? 0 : 1 + below(f, one_in(f, 20) ? 200 : 4);
	uint32_t *handles = (uint32_t *)(head + 1);

	memset(head, 0, sizeof(*head));
	head->table = mostly(f, below(f, NR_TABLES));
	head->nr = mostly(f, nr);
	head->handle = mostly(f, nr ? 0 : below(f, NR_VECTORS));
	head->flags = mostly(f, 0);
	head->handles = one_in(f, 40) ? interesting(f) : 0;
	head->error = any_record(f);
	head->pad[below(f, 2)] = one_in(f, 400);
	for (i = 0; i < nr; i++)
		handles[i] = one_in(f, 100) ? interesting(f) : below(f, NR_VECTORS / 2);
	return nr * sizeof(*handles);
}

static enum call any_call(struct fuzzer *f)
{
	uint32_t i, total = 0;

	for (i = 0; i < (uint32_t)NR_TRIED; i++)
		total += calls[i].weight;
	total = below(f, total);
	for (i = 0; total >= calls[i].weight; i++)
		total -= calls[i].weight;
	return i;
}

/* Return: how many bytes of f->arg are the argument. */
static size_t fill(struct fuzzer *f, enum call call)
{
	size_t size = calls[call].size;
	uint32_t i, nr;

	memset(f->arg, 0, 64);
	switch (call) {
	case GET_INFO:
	case GET_STATS:
		*(uint32_t *)f->arg = mostly(f, size);
		break;
	case ATTACH: {
		struct kvm_irqx_attach *attach = (void *)f->arg;

		attach->vm_fd = one_in(f, 8) ? any_fd(f) :
				one_in(f, 8) ? READ_ONCE(other_vm_fd) :
				guest->vm->fd;
		attach->flags = mostly(f, 0);
		break;
	}
	case DIRECT:
		any_direct(f, (void *)f->arg, one_in(f, 3) ?
			   KVM_IRQX_IRQFD_DIRECT_DEASSIGN :
			   one_in(f, 2) ? KVM_IRQX_IRQFD_DIRECT_MODIFY : 0);
		break;
	case BATCH: {
		struct kvm_irqx_batch *batch = (void *)f->arg;
		uint32_t kinds = 1 + below(f, 3);

		/* Few, or one of them is always at fault. */
		nr = 1 + below(f, one_in(f, 20) ? 500 : 4);
		for (i = 0; i < nr; i++)
			any_op(f, (struct kvm_irqx_op *)(batch + 1) + i, kinds);
		size += nr * sizeof(struct kvm_irqx_op);
		/* Where they are is known when the argument has its place. */
		*batch = irqx_batch_of(NULL, mostly(f, nr));
		batch->flags = mostly(f, 0);
		batch->op_size = mostly(f, batch->op_size);
		batch->error = any_record(f);
		if (one_in(f, 40))
			batch->ops = interesting(f);
		batch->pad[below(f, 2)] = mostly(f, 0);
		break;
	}
	case SET_GSI_ROUTING: {
		struct kvm_irq_routing *table = (void *)f->arg;

		nr = below(f, one_in(f, 10) ? 1000 : 6);
		for (i = 0; i < nr; i++)
			table->entries[i] = any_entry(f);
		table->nr = mostly(f, nr);
		table->flags = mostly(f, 0);
		size += nr * sizeof(table->entries[0]);
		break;
	}
	case IRQFD: {
		struct kvm_irqfd *irqfd = (void *)f->arg;

		irqfd->fd = any_fd(f);
		irqfd->gsi = any_gsi(f);
		irqfd->flags = mostly(f, one_in(f, 3) ?
				      KVM_IRQFD_FLAG_DEASSIGN :
				      one_in(f, 4) ? KVM_IRQFD_FLAG_RESAMPLE : 0);
		irqfd->resamplefd = any_fd(f);
		break;
	}
	case IRQ_LINE:
	case IRQ_LINE_STATUS: {
		struct kvm_irq_level *line = (void *)f->arg;

		line->irq = any_gsi(f);
		line->level = mostly(f, below(f, 2));
		break;
	}
	case MASK: {
		struct kvm_irqx_mask *mask = (void *)f->arg;

		mask->fd = any_place(f, &mask->gsi);
		mask->flags = mostly(f, 1 + below(f, 2));
		mask->pad[2] = one_in(f, 400);
		mask->error = any_record(f);
		break;
	}
	case GET_STATE: {
		struct kvm_irqx_get_state *get = (void *)f->arg;
		struct kvm_irqx_target_state *states = (void *)(get + 1);

		/* Few, or one of them is always at fault. */
		nr = one_in(f, 3) ? 1 + below(f, one_in(f, 10) ? 500 : 3) : 1;
		for (i = 0; i < nr; i++)
			states[i].fd = any_place(f, &states[i].gsi);
		get->nr = mostly(f, nr);
		get->flags = mostly(f, 0);
		get->state_size = mostly(f, sizeof(*states));
		get->error = any_record(f);
		get->states = one_in(f, 20) ? interesting(f) : 0;
		size += nr * sizeof(*states);
		break;
	}
	case TABLE:
		memset(f->arg, 0, size);
		any_table(f, (void *)f->arg);
		break;
	case GET_TABLE:
	case SET_TABLE:
		size += any_table_state(f, call == SET_TABLE, (void *)f->arg);
		break;
	case HANDLE:
		any_handle(f, (void *)f->arg);
		break;
	case RAISE:
		size += any_raise(f, (void *)f->arg);
		break;
	case LIST: {
		struct kvm_irqx_list *list = (void *)f->arg;

		list->cursor = one_in(f, 4) ? interesting(f) : below(f, 500);
		list->nr = mostly(f, 1 + below(f, 60));
		list->flags = mostly(f, 0);
		list->binding_size = mostly(f, one_in(f, 4) ? KVM_IRQX_BINDING_SIZE_MAX :
							      sizeof(struct kvm_irqx_binding));
		list->bindings = one_in(f, 20) ? interesting(f) : 0;
		list->error = any_record(f);
		/* Behind it is where they go. */
		size += list->nr < 64 ? list->nr * sizeof(struct kvm_irqx_binding) : 0;
		break;
	}
	case SYNIC_PAGE: {
		struct kvm_irqx_synic_page *page = (void *)f->arg;

		page->vp_index = mostly(f, below(f, 3));
		page->flags = mostly(f, below(f, 4) ?
				     KVM_IRQX_SYNIC_PAGE_ENABLED : 0);
		if (page->flags)
			page->gpa = one_in(f, 8) ?
				    (uint64_t)interesting(f) << 32 :
				    mostly(f, 0) + synic_pages + 4096 * below(f, 2);
		break;
	}
	case NR_CALLS:
		break;
	}
	return size;
}

static void *place(struct fuzzer *f, const struct step *s)
{
	size_t size = s->size;
	char *at;

	switch (s->place) {
	case 0:
		return NULL;
	case 1:
		return (void *)(0xffff888000000000UL + rnd(f));
	case 2:
		return f->read_only;
	case 3 ... 5:	/* its end is missing */
		size -= below(f, size);
		fallthrough;
	case 6 ... 30:
		at = f->arg + ARG_SIZE - size;
		return memmove(at, f->arg, size);
	default:
		return f->arg;
	}
}

/* An address in the argument at @at, of a call whose struct has @size bytes. */
static uint64_t *address_in(struct fuzzer *f, char *at, size_t size, size_t offset)
{
	if (at < f->arg || at + size > f->arg + ARG_SIZE)
		return NULL;
	return (uint64_t *)(at + offset);
}

/*
 * The module writes there.  What has been changed at random must not lead to this program's
 * own memory: to the page for it, or out of user space.
 */
static void tame(struct fuzzer *f, uint64_t *address)
{
	uint64_t to;

	if (!address)
		return;
	memcpy(&to, address, sizeof(to));
	if (to < 4096 || to >> 48)
		return;
	to = (uintptr_t)f->record + to % 4096;
	memcpy(address, &to, sizeof(to));
}

/* Operations and states are behind their head, unless it says something else. */
static void point_behind(uint64_t *address, char *behind)
{
	uint64_t to;

	if (!address)
		return;
	memcpy(&to, address, sizeof(to));
	if (!to)
		to = (uintptr_t)behind;
	memcpy(address, &to, sizeof(to));
}

#define ADDRESS_IN(f, at, type, member)	\
	address_in(f, at, sizeof(struct type), offsetof(struct type, member))

static bool raises_many(struct fuzzer *f, char *at)
{
	struct kvm_irqx_raise head;

	if (!ADDRESS_IN(f, at, kvm_irqx_raise, nr))
		return false;
	memcpy(&head, at, sizeof(head));
	return head.nr;
}

static void set_addresses(struct fuzzer *f, uint8_t call, char *at)
{
	switch (call) {
	case DIRECT:
		tame(f, ADDRESS_IN(f, at, kvm_irqx_irqfd_direct, error));
		break;
	case BATCH:
		tame(f, ADDRESS_IN(f, at, kvm_irqx_batch, error));
		point_behind(ADDRESS_IN(f, at, kvm_irqx_batch, ops),
			     at + sizeof(struct kvm_irqx_batch));
		break;
	case MASK:
		tame(f, ADDRESS_IN(f, at, kvm_irqx_mask, error));
		break;
	case GET_STATE:
		tame(f, ADDRESS_IN(f, at, kvm_irqx_get_state, error));
		tame(f, ADDRESS_IN(f, at, kvm_irqx_get_state, states));
		point_behind(ADDRESS_IN(f, at, kvm_irqx_get_state, states),
			     at + sizeof(struct kvm_irqx_get_state));
		break;
	case TABLE:
		tame(f, ADDRESS_IN(f, at, kvm_irqx_table, error));
		break;
	case GET_TABLE:
	case SET_TABLE:
		tame(f, ADDRESS_IN(f, at, kvm_irqx_table_state, error));
		tame(f, ADDRESS_IN(f, at, kvm_irqx_table_state, vectors));
		tame(f, ADDRESS_IN(f, at, kvm_irqx_table_state, changed));
		tame(f, ADDRESS_IN(f, at, kvm_irqx_table_state, header));
		point_behind(ADDRESS_IN(f, at, kvm_irqx_table_state, vectors),
			     at + sizeof(struct kvm_irqx_table_state));
		break;
	case LIST:
		tame(f, ADDRESS_IN(f, at, kvm_irqx_list, error));
		tame(f, ADDRESS_IN(f, at, kvm_irqx_list, bindings));
		point_behind(ADDRESS_IN(f, at, kvm_irqx_list, bindings),
			     at + sizeof(struct kvm_irqx_list));
		break;
	case HANDLE:
		tame(f, ADDRESS_IN(f, at, kvm_irqx_handle, error));
		break;
	case RAISE:
		tame(f, ADDRESS_IN(f, at, kvm_irqx_raise, error));
		/* With nr 0 there are none. */
		if (raises_many(f, at))
			point_behind(ADDRESS_IN(f, at, kvm_irqx_raise, handles),
				     at + sizeof(struct kvm_irqx_raise));
		break;
	}
}

/* The argument is in f->arg. */
static void do_call(struct fuzzer *f, const struct step *s)
{
	int ctx = one_in(f, 100) ? any_fd(f) : context(s);
	void *at = place(f, s);

	set_addresses(f, s->what, at);
	f->calls[s->what]++;
	WRITE_ONCE(f->nr_calls, f->nr_calls + 1);
	if (!ioctl(ctx, calls[s->what].cmd, at))
		f->successes[s->what]++;
}

/* Numbers that are not ours, in all sizes and directions. */
static void do_unknown(struct fuzzer *f, const struct step *s)
{
	unsigned long cmd;
	unsigned int i;

	cmd = _IOC(below(f, 4), one_in(f, 8) ? below(f, 256) : KVMIO,
		   below(f, 256), one_in(f, 2) ? below(f, 64) : below(f, 16384));
	for (i = 0; i < NR_CALLS; i++)
		if (cmd == calls[i].cmd)
			return;
	/* The VFS has its own; it freezes file systems, for one. */
	if (_IOC_TYPE(cmd) == 'X' || _IOC_TYPE(cmd) == 'T' ||
	    _IOC_TYPE(cmd) == 'f' || _IOC_TYPE(cmd) == 0x94 ||
	    _IOC_TYPE(cmd) == 0x15 || cmd < 256)
		return;
	memset(f->arg, 0, 64);
	f->calls[UNKNOWN]++;
	WRITE_ONCE(f->nr_calls, f->nr_calls + 1);
	if (!ioctl(context(s), cmd, f->arg))
		f->successes[UNKNOWN]++;
}

/* KVM's own irqfds on the same eventfds. */
static void do_kvms_irqfd(struct fuzzer *f)
{
	__irqx_irqfd(guest->vm->fd, any_eventfd(f), below(f, 16),
		     one_in(f, 2) ? KVM_IRQFD_FLAG_DEASSIGN : 0);
}

static void do_fire(struct fuzzer *f, const struct step *s)
{
	int fd = READ_ONCE(eventfds[s->slot % NR_EVENTFDS]);
	uint64_t n = mostly(f, 1);

	if (write(fd, &n, sizeof(n)) == sizeof(n))
		f->fires++;
	if (one_in(f, 10))
		(void)!read(fd, &n, sizeof(n));
}

static int take_out(int *fd)
{
	return __atomic_exchange_n(fd, -1, __ATOMIC_SEQ_CST);
}

static void put_back(int *at, int fd)
{
	__atomic_store_n(at, fd, __ATOMIC_SEQ_CST);
}

static void do_reopen_eventfd(struct fuzzer *f, const struct step *s)
{
	int *at = &eventfds[s->slot % NR_EVENTFDS];
	int fd = take_out(at);

	if (fd < 0)
		return;
	close(fd);
	put_back(at, irqx_eventfd(mostly(f, below(f, 2)),
				  one_in(f, 4) ? EFD_SEMAPHORE : 0));
}

static void do_reopen_context(struct fuzzer *f, const struct step *s)
{
	int *at = &contexts[s->slot % NR_CONTEXTS];
	int fd = take_out(at);
	int copy = -1;

	if (fd < 0)
		return;
	if (one_in(f, 3))
		copy = dup(fd);
	close(fd);
	fd = irqx_open();
	if (!one_in(f, 4))
		__irqx_attach(fd, one_in(f, 10) ? READ_ONCE(other_vm_fd) :
				  guest->vm->fd);
	put_back(at, fd);
	if (copy >= 0)
		close(copy);
}

static void do_reopen_vm(struct fuzzer *f)
{
	if (take_out(&other_vm_fd) < 0)
		return;
	kvm_vm_free(other_vm);
	other_vm = vm_create_barebones();
	if (one_in(f, 2))
		arch_other_vm(other_vm);
	put_back(&other_vm_fd, other_vm->fd);
}

/* Fills *s, and f->arg if it is a call. */
static void new_step(struct fuzzer *f, struct step *s)
{
	uint32_t i;

	memset(s, 0, sizeof(*s));
	s->slot = rnd(f);
	s->place = below(f, 100);
	switch (below(f, 2000)) {
	case 0:
		s->what = REOPEN_VM;
		return;
	case 1 ... 20:
		s->what = REOPEN_CONTEXT;
		return;
	case 21 ... 80:
		s->what = REOPEN_EVENTFD;
		return;
	case 81 ... 620:
		s->what = FIRE;
		return;
	case 621 ... 700:
		s->what = UNKNOWN;
		return;
	case 701 ... 720:
		s->what = KVMS_IRQFD;
		return;
	}
	s->what = any_call(f);
	s->size = fill(f, s->what);
	if (one_in(f, 30))
		for (i = 0; i < s->size; i += 4)
			if (one_in(f, 4))
				*(uint32_t *)(f->arg + i) = interesting(f);
	memcpy(s->arg, f->arg, min_t(uint32_t, s->size, STEP_ARG));
}

static void keep(struct fuzzer *f)
{
	uint32_t i;

	pthread_mutex_lock(&corpus_lock);
	i = corpus_nr < CORPUS_SIZE ? corpus_nr++ : below(f, CORPUS_SIZE);
	corpus[i] = f->recent;
	pthread_mutex_unlock(&corpus_lock);
	f->kept++;
}

/* If it is a call, with the argument that f->arg holds. */
static void do_step(struct fuzzer *f, const struct step *s)
{
	struct sequence *recent = &f->recent;

	if (recent->nr < NR_STEPS)
		recent->nr++;
	else
		memmove(recent->steps, recent->steps + 1,
			(NR_STEPS - 1) * sizeof(*s));
	recent->steps[recent->nr - 1] = *s;

	switch (s->what) {
	case UNKNOWN:
		do_unknown(f, s);
		break;
	case KVMS_IRQFD:
		do_kvms_irqfd(f);
		break;
	case FIRE:
		do_fire(f, s);
		break;
	case REOPEN_EVENTFD:
		do_reopen_eventfd(f, s);
		break;
	case REOPEN_CONTEXT:
		do_reopen_context(f, s);
		break;
	case REOPEN_VM:
		do_reopen_vm(f);
		break;
	default:
		do_call(f, s);
	}
	if (irqx_cover_news(&f->cover))
		keep(f);
}

static void mutate(struct fuzzer *f, struct sequence *q)
{
	struct step *s = &q->steps[below(f, q->nr)];
	struct step *other = &q->steps[below(f, q->nr)];
	uint32_t *words = (uint32_t *)s->arg;
	uint32_t nr = min_t(uint32_t, s->size, STEP_ARG) / 4;
	uint32_t i;
	struct step copy;

	switch (below(f, 6)) {
	case 0:		/* the same at another time */
		break;
	case 1:
		new_step(f, s);
		break;
	case 2:
		copy = *s;
		*s = *other;
		*other = copy;
		break;
	case 3:
		s->slot = rnd(f);
		s->place = below(f, 100);
		break;
	default:
		for (i = 0; nr && i <= below(f, 4); i++)
			words[below(f, nr)] = one_in(f, 3) ? (uint32_t)any_fd(f) :
					      one_in(f, 2) ? interesting(f) :
					      words[below(f, nr)] ^ 1U << below(f, 32);
	}
}

/* Return: false if nothing has been kept so far. */
static bool do_old_sequence(struct fuzzer *f)
{
	struct sequence q;
	uint32_t i;

	pthread_mutex_lock(&corpus_lock);
	q.nr = 0;
	if (corpus_nr)
		q = corpus[below(f, corpus_nr)];
	pthread_mutex_unlock(&corpus_lock);
	if (!q.nr)
		return false;

	mutate(f, &q);
	for (i = 0; i < q.nr; i++) {
		/* Of a longer one, the rest is what another has left there. */
		memcpy(f->arg, q.steps[i].arg, STEP_ARG);
		do_step(f, &q.steps[i]);
	}
	return true;
}

static void *fuzz_thread(void *arg)
{
	struct fuzzer *f = arg;
	struct step s;

	irqx_cover_start(&f->cover);
	while (!READ_ONCE(stop)) {
		next_round(f);
		if (one_in(f, 5) && do_old_sequence(f))
			continue;
		new_step(f, &s);
		do_step(f, &s);
	}
	irqx_cover_stop(&f->cover);
	return NULL;
}

static void *runner_thread(void *arg)
{
	struct irqx_cover cover;
	struct runner *r = arg;

	/* What a guest does is seen, but no call is to blame for it. */
	irqx_cover_start(&cover);
	/* As irqx_guest_stop() has left it. */
	r->vcpu->run->immediate_exit = 0;
	while (!READ_ONCE(stop)) {
		/* Signals come now and then: after an INIT it waits for ever. */
		if (!__vcpu_run(r->vcpu)) {
			if (r->vcpu->run->exit_reason == KVM_EXIT_MMIO) {
				r->exits++;
				continue;
			}
			r->astray++;
		}
		irqx_cover_news(&cover);
		runner_restore(r);
	}
	/* An access that is not done would be when somebody runs it again. */
	r->vcpu->run->immediate_exit = 1;
	while (!__vcpu_run(r->vcpu))
		;
	r->vcpu->run->immediate_exit = 0;
	irqx_cover_stop(&cover);
	return NULL;
}

/*
 * KVM_RUN ends by a signal only if the vCPU has not been started yet, and as
 * long as it runs, whoever calls an ioctl of that vCPU waits for its mutex.
 */
static void kick(struct runner *runners, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++)
		pthread_kill(runners[i].thread, SIGUSR1);
}

/* @runners: those that have not been waited for. */
static void wait_for(pthread_t thread, struct runner *runners, uint32_t nr)
{
	do {
		kick(runners, nr);
		usleep(10000);
	} while (pthread_tryjoin_np(thread, NULL));
}

FIXTURE(fuzz)
{
	struct fuzzer fuzzers[NR_THREADS];
	struct runner runners[2];
	uint32_t seed;
	int refs;
	struct irqx_keeper keeper;
};

/* Into the kernel log too: that is what is left of a kernel that dies. */
static void say_seed(uint32_t seed)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	char line[64];

	if (fd < 0)
		return;
	snprintf(line, sizeof(line), "fuzz_test: SEED=%u\n", seed);
	(void)!write(fd, line, strlen(line));
	close(fd);
}

FIXTURE_SETUP(fuzz)
{
	struct fuzzer *f;
	int i;

	self->seed = irqx_env("SEED", (uint32_t)irqx_now_ns());
	self->refs = irqx_module_refs();
	TH_LOG("SEED=%u", self->seed);
	say_seed(self->seed);

	has_kcov = irqx_cover_init();
	/* Not in the program, all of which is copied into each guest. */
	corpus = calloc(CORPUS_SIZE, sizeof(*corpus));
	ASSERT_NE(NULL, corpus);

	guest = __irqx_guest_create(2, NULL, IRQX_GUEST_NO_CONTEXT | IRQX_GUEST_ARCH_TABLE);
	virt_map(guest->vm, IRQX_TABLE_GPA, IRQX_TABLE_GPA, TABLES_SIZE / getpagesize() + 1);
	other_vm = vm_create_barebones();
	other_vm_fd = other_vm->fd;
	synic_pages = addr_gva2gpa(guest->vm, vm_vaddr_alloc_pages(guest->vm, 2));
	arch_setup();

	self->keeper = irqx_keep_probes(guest->vm);
	for (i = 0; i < NR_CONTEXTS; i++)
		contexts[i] = irqx_context(guest->vm);
	irqx_eventfds(eventfds, NR_EVENTFDS);
	max_gsi = irqx_info(contexts[0]).max_gsi;

	for (i = 0; i < NR_THREADS; i++) {
		f = &self->fuzzers[i];
		f->seed = (uint64_t)i << 32 | self->seed;
		f->arg = mmap(NULL, ARG_SIZE + getpagesize(), PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(MAP_FAILED, f->arg);
		munmap(f->arg + ARG_SIZE, getpagesize());

		/* What the call reads is any old argument of a good size. */
		f->read_only = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(MAP_FAILED, f->read_only);
		*(uint32_t *)f->read_only = 32;
		mprotect(f->read_only, getpagesize(), PROT_READ);
		f->record = mmap(NULL, 2 * getpagesize(), PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(MAP_FAILED, f->record);
		memset(f->record, 64, getpagesize());
		mprotect(f->record + getpagesize(), getpagesize(), PROT_NONE);
	}
}

FIXTURE_TEARDOWN(fuzz)
{
	kvm_vm_free(other_vm);
	irqx_guest_free(guest);
}

/* Nothing is pending there any more: a table that something leads to stays. */
static void drop_tables(int ctx)
{
	struct kvm_irqx_vector none = { .control = 1 };
	struct irqx_table table = { .ctx = ctx };
	uint32_t i;

	for (table.id = 0; table.id < 1000; table.id++) {
		if (__irqx_table_destroy(&table) != EBUSY)
			continue;
		for (i = 0; !__irqx_table_put(&table, i, 1, &none, -1); i++)
			;
	}
}

TEST_F_TIMEOUT(fuzz, random_calls, 4 * 3600)
{
	uint64_t seconds = irqx_env("SOAK", 0) ? 7200 : has_kcov ? 30 : 20;
	uint64_t nr_calls, successes, fires = 0, rounds = 0, kept = 0, total;
	uint64_t wanted = irqx_env("CALLS", 0);
	struct kvm_irqx_stats stats;
	struct fuzzer *f;
	uint64_t start;
	int i, k, fd, ctx;

	for (i = 0; i < 2; i++) {
		runner_save(&self->runners[i], guest->vcpus[i].vcpu);
		pthread_create(&self->runners[i].thread, NULL, runner_thread,
			       &self->runners[i]);
	}
	for (i = 0; i < NR_THREADS; i++)
		pthread_create(&self->fuzzers[i].thread, NULL, fuzz_thread,
			       &self->fuzzers[i]);

	start = irqx_now_ns();
	do {
		usleep(100000);
		kick(self->runners, 2);
		for (total = 0, i = 0; i < NR_THREADS; i++)
			total += READ_ONCE(self->fuzzers[i].nr_calls);
	} while (wanted ? total < wanted :
		 irqx_now_ns() < start + seconds * 1000000000);
	seconds = (irqx_now_ns() - start) / 1000000000 + 1;

	WRITE_ONCE(stop, true);
	for (i = 0; i < NR_THREADS; i++)
		wait_for(self->fuzzers[i].thread, self->runners, 2);
	for (i = 0; i < 2; i++)
		wait_for(self->runners[i].thread, &self->runners[i], 2 - i);

	/* Each call has been let through to where it does something. */
	for (k = 0; k < NR_TRIED; k++) {
		for (nr_calls = 0, successes = 0, i = 0; i < NR_THREADS; i++) {
			nr_calls += self->fuzzers[i].calls[k];
			successes += self->fuzzers[i].successes[k];
		}
		TH_LOG("%-16s %8lu calls, %8lu successes", calls[k].name, nr_calls,
		       successes);
		EXPECT_LT(0, successes);
		EXPECT_LT(successes, nr_calls);
	}
	for (nr_calls = 0, f = self->fuzzers; f < self->fuzzers + NR_THREADS; f++) {
		nr_calls += f->calls[UNKNOWN];
		EXPECT_EQ(0, f->successes[UNKNOWN]);
		rounds += f->rounds;
		fires += f->fires;
		kept += f->kept;
	}
	TH_LOG("%-16s %8lu calls", "unknown", nr_calls);
	TH_LOG("SEED=%u: %lu calls, %lu a second, %lu rounds; %lu events",
	       self->seed, total, total / seconds, rounds, fires);
	TH_LOG("vCPUs astray %lu times, %lu MMIO exits",
	       self->runners[0].astray + self->runners[1].astray,
	       self->runners[0].exits + self->runners[1].exits);
	if (has_kcov) {
		TH_LOG("KCOV: %u basic blocks, %u edges; %lu sequences kept, %u in the corpus",
		       irqx_cover_blocks(), irqx_cover_edges(), kept, corpus_nr);
		EXPECT_LT(0, irqx_cover_blocks());
	}

	/* Among any_fd()'s are its eventfds too: they may be bound elsewhere. */
	irqx_keeper_close(&self->keeper);
	for (i = 0; i < NR_CONTEXTS; i++) {
		if (__irqx_stats(contexts[i], &stats) == ENOTCONN)
			continue;
		irqx_set_gsi_routing(contexts[i], NULL, 0);
		EXPECT_EQ(0, irqx_stats(contexts[i]).gsis);
		EXPECT_GE(NR_EVENTFDS, irqx_stats(contexts[i]).irqfds);
		/* What is pending is not delivered until then. */
		for (fd = 0; fd < 1024; fd++)
			__irqx_mask(contexts[i], fd, 0, false);
		drop_tables(contexts[i]);
		irqx_settle(contexts[i]);
	}
	irqx_close_all(eventfds, NR_EVENTFDS);
	for (i = 0; i < NR_CONTEXTS; i++)
		if (__irqx_stats(contexts[i], &stats) != ENOTCONN) {
			EXPECT_TRUE(irqx_wait_irqfds(contexts[i], 0));
		}
	irqx_close_all(contexts, NR_CONTEXTS);
	EXPECT_TRUE(irqx_wait_module_refs(self->refs));

	/* The VM is still of use. */
	arch_calm();
	for (i = 0; i < 2; i++)
		runner_restore(&self->runners[i]);
	ctx = irqx_context(guest->vm);
	fd = irqx_eventfd(0, 0);
	irqx_bind(ctx, fd, irqx_entry(guest, 1, 0x40));
	guest->ctx = ctx;
	irqx_guest_start(guest);
	irqx_fence(guest);
	irqx_forget(guest);
	irqx_fire(fd);
	irqx_expect(guest, 1, 0x40, 1);
	irqx_check(guest);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * Every error of the calls for tables of vectors, and of entries that lead to a vector, with the
 * argument and the reason that the error record names.  Each row changes a call that would work.
 *
 * What all calls have in common is in negative_test.
 */
#include <sys/mman.h>

#include "irqx_table.h"
#include "irqx_harness.h"

#define IRQ_A	(IRQX_IRQ_MIN + 5)
#define IRQ_B	(IRQX_IRQ_MIN + 9)
#define GSI	9			/* leads to a vector */
#define MSI_GSI	10			/* does not */
#define FREE_GSI	11
#define NR	70

#define VECTOR	3
#define ROUTED	4
#define OTHER	5			/* the VMM's */

#define FREE_GPA	(IRQX_TABLE_GPA + 0x40000)

void irqx_guest_wait(void)
{
	irqx_table_guest();
}

void irqx_vcpu_exit(struct irqx_vcpu *v)
{
	irqx_table_exit(v);
}

union call_arg {
	struct kvm_irqx_table table;
	struct {
		struct kvm_irqx_table_state head;
		struct kvm_irqx_vector vectors[4];
		struct kvm_irqx_dynirq_header header;
	} state;
	struct kvm_irqx_irqfd_direct direct;
	struct {
		struct kvm_irqx_batch head;
		struct kvm_irqx_op ops[2];
	} batch;
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entries[2];
	} routing;
	struct kvm_irqx_mask mask;
	struct {
		struct kvm_irqx_get_state head;
		struct kvm_irqx_target_state states[2];
	} get;
};

/* Calls that work; the second element of arrays is the one that is changed. */
enum base {
	CREATE, MOVE, SET, DESTROY, GET, PUT, BIND, MODIFY, ASSIGN, ROUTE, ROUTING, MASK, STATE,
	NR_BASES,
};

static const char * const names[NR_BASES] = {
	"CREATE", "MOVE", "SET", "DESTROY", "GET_TABLE", "SET_TABLE", "DIRECT", "MODIFY", "ASSIGN",
	"ROUTE_SET", "SET_GSI_ROUTING", "MASK", "GET_STATE",
};

static const unsigned long cmds[NR_BASES] = {
	KVM_IRQX_TABLE, KVM_IRQX_TABLE, KVM_IRQX_TABLE, KVM_IRQX_TABLE, KVM_IRQX_GET_TABLE,
	KVM_IRQX_SET_TABLE, KVM_IRQX_IRQFD_DIRECT, KVM_IRQX_IRQFD_DIRECT, KVM_IRQX_BATCH,
	KVM_IRQX_BATCH, KVM_SET_GSI_ROUTING, KVM_IRQX_MASK, KVM_IRQX_GET_STATE,
};

#include "irqx_refusal.h"

/* What is known only when the test runs. */
enum {
	BOUND_FD = IRQX_KNOWN_LATER,		/* leads to VECTOR */
	VM_FD,
	BOUND_TABLE,			/* has VECTOR */
	BOUND_ENTRIES,			/* is there */
	HIDDEN_TABLE,			/* so is this, and does not decode */
	HEADER,				/* of the call; the two halves of a pointer */
	HEADER_UPPER,
};

/* Of every operation of KVM_IRQX_TABLE. */
#define TABLE_ROWS(op)							\
	ROW(op, EINVAL, FLAGS, UNKNOWN_FLAG, -1, AT(table.flags, 1U << 3)), \
	ROW(op, EINVAL, FLAGS, UNKNOWN_FLAG, -1, AT(table.flags, 1U << 31)), \
	ROW(op, EINVAL, PAD, NOT_ZERO, -1, AT(table.pad[0], 1)),	\
	ROW(op, EINVAL, PAD, NOT_ZERO, -1, UPPER(table.pad[2], 1U << 31))

/* Of those on a table that is there. */
#define OLD_TABLE_ROWS(op)						\
	TABLE_ROWS(op),							\
	ROW(op, EINVAL, NR, NOT_ZERO, -1, AT(table.nr, 1)),		\
	ROW(op, EINVAL, DEVID, NOT_ZERO, -1, AT(table.devid, 1)),	\
	ROW(op, EINVAL, CHANGEFD, NOT_ZERO, -1, AT(table.changefd, -1U)), \
	ROW(op, ENOENT, TABLE, NO_TABLE, -1, AT(table.table, 3)),	\
	ROW(op, ENOENT, TABLE, NO_TABLE, -1, AT(table.table, 1U << 31)),	\
	ROW(op, ENOENT, TABLE, NO_TABLE, -1, AT(table.table, -1U))

/* Of those that give it a place. */
#define PLACE_ROWS(op)							\
	ROW(op, EINVAL, ENTRIES, NOT_ALIGNED, -1, AT(table.entries, FREE_GPA + 4)), \
	ROW(op, EINVAL, ENTRIES, NOT_ALIGNED, -1, AT(table.entries, FREE_GPA + 1)), \
	ROW(op, EINVAL, PBA, NOT_ALIGNED, -1, AT(table.pba, FREE_GPA + 0x1004)), \
	ROW(op, EINVAL, ENTRIES, OUT_OF_RANGE, -1, AT(table.entries, -8U),	\
	    UPPER(table.entries, -1U)),					\
	ROW(op, EINVAL, PBA, OUT_OF_RANGE, -1, AT(table.pba, -8U), UPPER(table.pba, -1U)), \
	ROW(op, EINVAL, PBA, OVERLAP, -1, AT(table.pba, FREE_GPA)),	\
	ROW(op, EINVAL, PBA, OVERLAP, -1, AT(table.pba, FREE_GPA + 8)),	\
	ROW(op, EINVAL, PBA, OVERLAP, -1, AT(table.pba, FREE_GPA - 8),	\
	    AT(table.entries, FREE_GPA - 8)),				\
	ROW(op, EEXIST, ENTRIES, OVERLAP, -1, AT(table.entries, BOUND_ENTRIES)), \
	ROW(op, EEXIST, ENTRIES, OVERLAP, -1, AT(table.pba, BOUND_ENTRIES))

#define NO_PLACE_ROWS(op)						\
	ROW(op, EINVAL, ENTRIES, NOT_ZERO, -1, AT(table.entries, 8)),	\
	ROW(op, EINVAL, PBA, NOT_ZERO, -1, UPPER(table.pba, 1))

/* @bad: which of the vectors cannot be read, or that none is to blame */
#define STATE_ROWS(call, bad)						\
	ROW(call, EINVAL, VERSION, UNKNOWN_VALUE, -1, AT(state.head.version, 0)), \
	ROW(call, EINVAL, VERSION, UNKNOWN_VALUE, -1,			\
	    AT(state.head.version, KVM_IRQX_TABLE_STATE_VERSION + 1)),	\
	ROW(call, ENOENT, TABLE, NO_TABLE, -1, AT(state.head.table, 3)),	\
	ROW(call, ENOENT, TABLE, NO_TABLE, -1, AT(state.head.table, -1U)), \
	ROW(call, EINVAL, FLAGS, UNKNOWN_FLAG, -1, AT(state.head.flags, 1U << 3)), \
	ROW(call, EINVAL, FLAGS, UNKNOWN_FLAG, -1, AT(state.head.flags, 1U << 31)), \
	ROW(call, EINVAL, PAD, NOT_ZERO, -1, AT(state.head.pad, 1)),	\
	ROW(call, EINVAL, HEADER, NOT_A_DYNIRQ, -1, AT(state.head.header, HEADER), \
	    UPPER(state.head.header, HEADER_UPPER)),			\
	ROW(call, EINVAL, FIRST, OUT_OF_RANGE, -1, AT(state.head.first, NR + 1)), \
	ROW(call, EINVAL, FIRST, OUT_OF_RANGE, -1, AT(state.head.first, -1U)), \
	ROW(call, EINVAL, NR, OUT_OF_RANGE, -1, AT(state.head.first, NR - 1)), \
	ROW(call, EINVAL, NR, OUT_OF_RANGE, -1, AT(state.head.nr, KVM_IRQX_MAX_VECTORS + 1)), \
	ROW(call, EINVAL, NR, OUT_OF_RANGE, -1, AT(state.head.nr, -1U)),	\
	ROW(call, EINVAL, VECTOR_SIZE, OUT_OF_RANGE, -1, AT(state.head.vector_size, 0)), \
	ROW(call, EINVAL, VECTOR_SIZE, OUT_OF_RANGE, -1,		\
	    AT(state.head.vector_size, KVM_IRQX_VECTOR_SIZE_MIN - 1)),	\
	ROW(call, EINVAL, VECTOR_SIZE, OUT_OF_RANGE, -1,		\
	    AT(state.head.vector_size, KVM_IRQX_VECTOR_SIZE_MAX + 1)),	\
	ROW(call, EFAULT, NONE, NONE, bad, AT(state.head.vectors, 8),	\
	    UPPER(state.head.vectors, 0)),				\
	ROW(call, EFAULT, NONE, NONE, bad, UPPER(state.head.vectors, 0xffff8880))

/* An entry that leads to a vector. */
#define ENTRY_ROWS(base, index, entry)					\
	ROW(base, EINVAL, ENTRY_FLAGS, UNKNOWN_FLAG, index, AT(entry.flags, KVM_MSI_VALID_DEVID)), \
	ROW(base, EINVAL, ENTRY_FLAGS, UNKNOWN_FLAG, index, AT(entry.flags, 1U << 31)), \
	ROW(base, EINVAL, ENTRY_U, NOT_ZERO, index, AT(entry.u.pad[2], 1)), \
	ROW(base, EINVAL, ENTRY_U, NOT_ZERO, index, AT(entry.u.pad[7], 1U << 31)), \
	ROW(base, EINVAL, ENTRY_IRQCHIP, NO_TABLE, index, AT(entry.u.irqchip.irqchip, 3)), \
	ROW(base, EINVAL, ENTRY_IRQCHIP, NO_TABLE, index, AT(entry.u.irqchip.irqchip, -1U)), \
	ROW(base, EINVAL, ENTRY_PIN, OUT_OF_RANGE, index, AT(entry.u.irqchip.pin, NR)), \
	ROW(base, EINVAL, ENTRY_PIN, OUT_OF_RANGE, index, AT(entry.u.irqchip.pin, 1U << 31)), \
	ROW(base, EINVAL, ENTRY_PIN, OUT_OF_RANGE, index, AT(entry.u.irqchip.pin, -1U))

/* An eventfd's own. */
#define OWN_ENTRY_ROWS(base, index, binding)				\
	ENTRY_ROWS(base, index, binding.entry),				\
	ROW(base, EINVAL, ENTRY_GSI, NOT_ZERO, index, AT(binding.entry.gsi, 1)), \
	ROW(base, EINVAL, ENTRY_PAD, NOT_ZERO, index, AT(binding.entry.pad, 1))

static const struct row rows[] = {
	ROW(CREATE, EINVAL, OP, UNKNOWN_VALUE, -1, AT(table.op, 0)),
	ROW(CREATE, EINVAL, OP, UNKNOWN_VALUE, -1, AT(table.op, 6)),
	ROW(CREATE, EINVAL, OP, UNKNOWN_VALUE, -1, AT(table.op, 33)),
	ROW(CREATE, EINVAL, OP, UNKNOWN_VALUE, -1, AT(table.op, 1U << 31)),
	TABLE_ROWS(CREATE),
	PLACE_ROWS(CREATE),
	ROW(CREATE, EINVAL, NR, OUT_OF_RANGE, -1, AT(table.nr, 0)),
	ROW(CREATE, EINVAL, NR, OUT_OF_RANGE, -1, AT(table.nr, KVM_IRQX_MAX_VECTORS + 1)),
	ROW(CREATE, EINVAL, NR, OUT_OF_RANGE, -1, AT(table.nr, -1U)),
	ROW(CREATE, EBADF, CHANGEFD, NOT_OPEN, -1, AT(table.changefd, -2U)),
	ROW(CREATE, EBADF, CHANGEFD, NOT_OPEN, -1, AT(table.changefd, 1U << 31)),
	ROW(CREATE, EINVAL, CHANGEFD, NOT_AN_EVENTFD, -1, AT(table.changefd, VM_FD)),

	OLD_TABLE_ROWS(MOVE),
	PLACE_ROWS(MOVE),
	ROW(MOVE, EINVAL, FLAGS, UNKNOWN_FLAG, -1, AT(table.flags, KVM_IRQX_TABLE_DECODES)),

	OLD_TABLE_ROWS(SET),
	NO_PLACE_ROWS(SET),
	ROW(SET, EEXIST, ENTRIES, OVERLAP, -1, AT(table.table, HIDDEN_TABLE)),

	OLD_TABLE_ROWS(DESTROY),
	NO_PLACE_ROWS(DESTROY),
	ROW(DESTROY, EINVAL, FLAGS, UNKNOWN_FLAG, -1, AT(table.flags, KVM_IRQX_TABLE_MASKED)),
	ROW(DESTROY, EBUSY, TABLE, VECTORS_BOUND, -1, AT(table.table, BOUND_TABLE)),

	STATE_ROWS(GET, -1),
	ROW(GET, EINVAL, FLAGS, UNKNOWN_FLAG, -1,
	    AT(state.head.flags, KVM_IRQX_TABLE_STATE_FUNCTION)),
	ROW(GET, EFAULT, NONE, NONE, -1, AT(state.head.changed, 8)),
	ROW(GET, EFAULT, NONE, NONE, -1, UPPER(state.head.changed, 0xffff8880)),

	STATE_ROWS(PUT, 0),
	ROW(PUT, EINVAL, FLAGS, FLAGS_CONFLICT, -1,
	    AT(state.head.flags, KVM_IRQX_TABLE_STATE_KEEP_ENTRIES |
				 KVM_IRQX_TABLE_STATE_KEEP_PENDING)),
	ROW(PUT, EINVAL, CHANGED, NOT_ZERO, -1, AT(state.head.changed, 8)),
	ROW(PUT, EINVAL, FUNCTION, NOT_ZERO, -1,
	    AT(state.head.function, KVM_IRQX_TABLE_ENABLED)),
	ROW(PUT, EINVAL, FUNCTION, UNKNOWN_FLAG, -1, AT(state.head.function, 1U << 3),
	    AT(state.head.flags, KVM_IRQX_TABLE_STATE_FUNCTION)),
	ROW(PUT, EEXIST, ENTRIES, OVERLAP, -1, AT(state.head.function, IRQX_TABLE_ON),
	    AT(state.head.flags, KVM_IRQX_TABLE_STATE_FUNCTION),
	    AT(state.head.table, HIDDEN_TABLE)),
	ROW(PUT, EINVAL, PAD, NOT_ZERO, 1, AT(state.vectors[1].pad, 1U << 31)),
	ROW(PUT, EINVAL, STATE, UNKNOWN_FLAG, 1, AT(state.vectors[1].state, 1U << 2)),
	ROW(PUT, EINVAL, STATE, UNKNOWN_FLAG, 1, AT(state.vectors[1].state, 1U << 31)),
	/* The second one of a larger size ends in the fourth. */
	ROW(PUT, E2BIG, STATE, UNKNOWN_FIELD, 1, AT(state.head.vector_size, 40),
	    AT(state.vectors[3].address_lo, 1)),

	OWN_ENTRY_ROWS(BIND, -1, direct),
	ROW(BIND, EINVAL, FLAGS, OF_VECTOR, -1, AT(direct.flags, KVM_IRQX_IRQFD_DIRECT_MASK)),
	ROW(BIND, EINVAL, FLAGS, OF_VECTOR, -1, AT(direct.flags, KVM_IRQX_IRQFD_DIRECT_UNMASK)),
	ROW(BIND, EINVAL, ENTRY_TYPE, NO_EOI, -1,
	    AT(direct.flags, KVM_IRQX_IRQFD_DIRECT_RESAMPLE)),
	ROW(BIND, EINVAL, ENTRY_TYPE, NOT_A_SINT, -1,
	    AT(direct.flags, KVM_IRQX_IRQFD_DIRECT_EVENT_FLAG)),
	OWN_ENTRY_ROWS(MODIFY, -1, direct),
	ROW(MODIFY, EINVAL, FLAGS, OF_VECTOR, -1,
	    AT(direct.flags, KVM_IRQX_IRQFD_DIRECT_MODIFY | KVM_IRQX_IRQFD_DIRECT_UNMASK)),

	OWN_ENTRY_ROWS(ASSIGN, 1, batch.ops[1]),
	ROW(ASSIGN, EINVAL, FLAGS, OF_VECTOR, 1, AT(batch.ops[1].flags, KVM_IRQX_OP_FLAG_MASK)),
	ROW(ASSIGN, EINVAL, ENTRY_TYPE, NO_EOI, 1,
	    AT(batch.ops[1].flags, KVM_IRQX_OP_FLAG_RESAMPLE)),
	/* BOUND_FD leads to one. */
	ROW(ASSIGN, EINVAL, FD, OF_VECTOR, 1, AT(batch.ops[1].op, KVM_IRQX_OP_MASK),
	    AT(batch.ops[1].fd, BOUND_FD), AT(batch.ops[1].entry.type, 0)),

	ENTRY_ROWS(ROUTE, 1, batch.ops[1].entry),
	ROW(ROUTE, EINVAL, ENTRY_PAD, NOT_ZERO, 1, AT(batch.ops[1].entry.pad, 1)),
	ROW(ROUTE, EINVAL, FLAGS, OF_VECTOR, 1, AT(batch.ops[1].flags, KVM_IRQX_OP_FLAG_UNMASK)),
	ROW(ROUTE, EINVAL, ENTRY_GSI, NOT_SHARED, 1, AT(batch.ops[1].op, KVM_IRQX_OP_ROUTE_ADD),
	    AT(batch.ops[1].entry.gsi, MSI_GSI)),
	ROW(ROUTE, EINVAL, ENTRY_GSI, NOT_SHARED, 1, AT(batch.ops[1].op, KVM_IRQX_OP_ROUTE_ADD),
	    AT(batch.ops[1].entry.gsi, GSI)),

	/* It has no error record. */
	ENTRY_ROWS(ROUTING, 1, routing.entries[1]),
	ROW(ROUTING, EINVAL, ENTRY_GSI, NOT_SHARED, 1, AT(routing.entries[1].gsi, FREE_GSI)),

	ROW(MASK, EINVAL, FD, OF_VECTOR, -1, AT(mask.fd, BOUND_FD), AT(mask.gsi, 0)),
	ROW(MASK, EINVAL, FD, OF_VECTOR, -1, AT(mask.fd, BOUND_FD), AT(mask.gsi, 0),
	    AT(mask.flags, KVM_IRQX_MASK_CLEAR)),
	ROW(MASK, EINVAL, GSI, OF_VECTOR, -1, AT(mask.gsi, GSI)),
	ROW(MASK, EINVAL, GSI, OF_VECTOR, -1, AT(mask.gsi, GSI),
	    AT(mask.flags, KVM_IRQX_MASK_CLEAR)),
};

struct snapshot {
	struct kvm_irqx_stats stats;
	struct kvm_irqx_vector vectors[NR];
	uint32_t function[3];
};

FIXTURE(table_negative)
{
	struct irqx_guest *g;
	int ctx;
	struct irqx_table table, hidden, free;
	int fd, routed, direct;
	int spare[2];
	struct snapshot before;
};

/* Of all that a call could have changed; but for one table, of which nothing leads anywhere. */
static void take(FIXTURE_DATA(table_negative) *self, struct snapshot *snapshot)
{
	struct kvm_irqx_vector vectors[NR];

	memset(snapshot, 0, sizeof(*snapshot));
	snapshot->stats = irqx_stats(self->ctx);
	snapshot->function[0] = irqx_table_get(&self->table, snapshot->vectors, NULL);
	snapshot->function[1] = irqx_table_get(&self->hidden, vectors, NULL);
	snapshot->function[2] = irqx_table_get(&self->free, vectors, NULL);
}

FIXTURE_SETUP(table_negative)
{
	struct irqx_table hidden = {
		.nr = NR, .entries = IRQX_TABLE_GPA, .pba = IRQX_TABLE_GPA + 0x2000,
	};
	struct irqx_table free = {
		.nr = NR, .entries = IRQX_TABLE_GPA + 0x20000, .pba = IRQX_TABLE_GPA + 0x30000,
	};

	if (!irqx_takes_tables())
		SKIP(return, "no ITS");
	self->g = irqx_table_guest_create(2);
	self->ctx = self->g->ctx;
	self->table = irqx_table_create(self->ctx, NR);
	irqx_assert(__irqx_table_create(self->ctx, &hidden, 0, KVM_IRQX_NO_FD));
	irqx_assert(__irqx_table_create(self->ctx, &free, IRQX_TABLE_ON, KVM_IRQX_NO_FD));
	self->hidden = hidden;
	self->free = free;
	self->fd = irqx_eventfd(0, 0);
	self->routed = irqx_eventfd(0, 0);
	self->direct = irqx_eventfd(0, 0);
	irqx_eventfds(self->spare, 2);
	irqx_bind(self->ctx, self->fd, irqx_vector_entry(&self->table, VECTOR));
	irqx_bind(self->ctx, self->direct, irqx_entry(self->g, 0, IRQ_A));
	irqx_route_set(self->ctx, GSI, irqx_vector_entry(&self->table, ROUTED));
	irqx_route_set(self->ctx, MSI_GSI, irqx_entry(self->g, 0, IRQ_A));
	irqx_irqfd(self->ctx, self->routed, GSI, 0);
	irqx_guest_start(self->g);
	irqx_vector_program(self->g, 0, &self->table, VECTOR,
			    irqx_vector_message(self->g, 0, IRQ_A));
	irqx_vector_program(self->g, 0, &self->table, ROUTED,
			    irqx_vector_message(self->g, 1, IRQ_B));
	take(self, &self->before);
}

FIXTURE_TEARDOWN(table_negative)
{
	if (!self->g)
		return;
	/* Whoever had been bound by mistake would be heard now. */
	irqx_fire(self->spare[0]);
	irqx_fire(self->spare[1]);
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);
	irqx_fire_at(self->g, self->direct, 0, IRQ_A);
	irqx_fire_at(self->g, self->routed, 1, IRQ_B);
	irqx_check(self->g);
	EXPECT_EQ(irqx_eventfd_take(self->spare[0]), 1);
	EXPECT_EQ(irqx_eventfd_take(self->spare[1]), 1);
	EXPECT_EQ(irqx_exits.nr, 0);
	irqx_guest_free(self->g);
}

static void base_table(FIXTURE_DATA(table_negative) *self, enum base base,
		       struct kvm_irqx_table *args)
{
	args->op = base == CREATE ? KVM_IRQX_TABLE_CREATE :
		   base == MOVE ? KVM_IRQX_TABLE_MOVE :
		   base == SET ? KVM_IRQX_TABLE_SET : KVM_IRQX_TABLE_DESTROY;
	if (base == CREATE || base == SET)
		args->flags = IRQX_TABLE_ON;
	if (base == CREATE) {
		args->nr = 4;
		args->devid = irqx_table_devid();
		args->changefd = KVM_IRQX_NO_FD;
	} else {
		args->table = self->free.id;
	}
	if (base == CREATE || base == MOVE) {
		args->entries = FREE_GPA;
		args->pba = FREE_GPA + 0x1000;
	}
}

static void base_state(FIXTURE_DATA(table_negative) *self, union call_arg *arg)
{
	arg->state.head = (struct kvm_irqx_table_state){
		.version = KVM_IRQX_TABLE_STATE_VERSION,
		.table = self->table.id,
		.first = OTHER,
		.nr = 2,
		.vector_size = sizeof(struct kvm_irqx_vector),
		.vectors = (uintptr_t)arg->state.vectors,
	};
	/* Where it would be seen. */
	arg->state.vectors[0].data = 77;
	arg->state.header.argsz = sizeof(arg->state.header);
}

/* @record: where the call's error record is to be, or NULL: it has none. */
static void base_arg(FIXTURE_DATA(table_negative) *self, enum base base, union call_arg *arg,
		     struct kvm_irqx_error *record)
{
	struct kvm_irq_routing_entry entry = irqx_vector_entry(&self->table, OTHER);
	uint32_t i;

	memset(arg, 0, sizeof(*arg));
	switch (base) {
	case CREATE:
	case MOVE:
	case SET:
	case DESTROY:
		base_table(self, base, &arg->table);
		arg->table.error = (uintptr_t)record;
		break;
	case GET:
	case PUT:
		base_state(self, arg);
		arg->state.head.error = (uintptr_t)record;
		break;
	case BIND:
	case MODIFY:
		arg->direct.fd = base == BIND ? self->spare[0] : self->direct;
		arg->direct.resamplefd = self->spare[1];
		arg->direct.flags = base == BIND ? 0 : KVM_IRQX_IRQFD_DIRECT_MODIFY;
		arg->direct.entry = entry;
		arg->direct.error = (uintptr_t)record;
		break;
	case ASSIGN:
	case ROUTE:
		arg->batch.head = irqx_batch_of(arg->batch.ops, 2);
		arg->batch.head.error = (uintptr_t)record;
		for (i = 0; i < 2; i++) {
			arg->batch.ops[i].op = base == ROUTE ? KVM_IRQX_OP_ROUTE_SET :
							       KVM_IRQX_OP_ASSIGN;
			arg->batch.ops[i].fd = base == ROUTE ? 0 : self->spare[i];
			arg->batch.ops[i].entry = entry;
			arg->batch.ops[i].entry.gsi = base == ROUTE ? FREE_GSI + i : 0;
		}
		break;
	case ROUTING:
		arg->routing.head.nr = 2;
		for (i = 0; i < 2; i++) {
			arg->routing.entries[i] = entry;
			arg->routing.entries[i].gsi = FREE_GSI + i;
		}
		break;
	case MASK:
		arg->mask.fd = KVM_IRQX_NO_FD;
		arg->mask.gsi = MSI_GSI;
		arg->mask.flags = KVM_IRQX_MASK_SET;
		arg->mask.error = (uintptr_t)record;
		break;
	default:
		arg->get.head.nr = 2;
		arg->get.head.state_size = sizeof(arg->get.states[0]);
		arg->get.head.states = (uintptr_t)arg->get.states;
		arg->get.head.error = (uintptr_t)record;
		for (i = 0; i < 2; i++)
			arg->get.states[i].fd = self->fd;
	}
}

static void change_arg(FIXTURE_DATA(table_negative) *self, const struct row *row,
		       union call_arg *arg)
{
	const uint64_t header = (uintptr_t)&arg->state.header;
	const uint32_t later[] = {
		[BOUND_FD - IRQX_KNOWN_LATER] = self->fd,
		[VM_FD - IRQX_KNOWN_LATER] = self->g->vm->fd,
		[BOUND_TABLE - IRQX_KNOWN_LATER] = self->table.id,
		[BOUND_ENTRIES - IRQX_KNOWN_LATER] = self->table.entries,
		[HIDDEN_TABLE - IRQX_KNOWN_LATER] = self->hidden.id,
		[HEADER - IRQX_KNOWN_LATER] = header,
		[HEADER_UPPER - IRQX_KNOWN_LATER] = header >> 32,
	};

	row_apply(row, arg, later, ARRAY_SIZE(later));
}

static void expect_unchanged(struct __test_metadata *_metadata,
			     FIXTURE_DATA(table_negative) *self)
{
	struct snapshot after;

	take(self, &after);
	EXPECT_EQ(memcmp(&after, &self->before, sizeof(after)), 0);
}

/* One for each errno, argument and reason; and nothing is another one afterwards. */
TEST_F_TIMEOUT(table_negative, refused, 120)
{
	struct snapshot after;
	const struct row *row;
	union call_arg arg;

	for (row = rows; row < rows + ARRAY_SIZE(rows); row++) {
		struct kvm_irqx_error error = irqx_stale_error();
		int err;

		base_arg(self, row->base, &arg, &error);
		change_arg(self, row, &arg);
		/* What is a mask's has no other fields. */
		if (row->base == ASSIGN && arg.batch.ops[1].op == KVM_IRQX_OP_MASK)
			memset(&arg.batch.ops[1].entry, 0, sizeof(arg.batch.ops[1].entry));
		err = __irqx_ioctl(self->ctx, cmds[row->base], &arg);
		EXPECT_REFUSED(row, rows, names[row->base], row->base != ROUTING, err, error);
		take(self, &after);
		EXPECT_EQ(memcmp(&after, &self->before, sizeof(after)), 0)
			TH_LOG("row %td: %s changes something", row - rows, names[row->base]);
	}
}

/* The calls that the rows change do work. */
TEST_F(table_negative, unchanged_call_works)
{
	enum base base;
	union call_arg arg;

	for (base = 0; base < NR_BASES; base++) {
		struct kvm_irqx_error error = irqx_stale_error();

		base_arg(self, base, &arg, &error);
		EXPECT_EQ(__irqx_ioctl(self->ctx, cmds[base], &arg), 0)
			TH_LOG("%s", names[base]);
		EXPECT_EQ(error.reason, IRQX_STALE);
		switch (base) {
		case CREATE:
			arg.table = (struct kvm_irqx_table){
				.op = KVM_IRQX_TABLE_DESTROY, .table = arg.table.table,
			};
			irqx_assert(__irqx_ioctl(self->ctx, KVM_IRQX_TABLE, &arg));
			break;
		case DESTROY:
			irqx_assert(__irqx_table_create(self->ctx, &self->free, IRQX_TABLE_ON,
							KVM_IRQX_NO_FD));
			break;
		case BIND:
			irqx_unbind(self->ctx, self->spare[0]);
			break;
		case MODIFY:
			irqx_modify(self->ctx, self->direct, irqx_entry(self->g, 0, IRQ_A));
			break;
		case ASSIGN:
			irqx_unbind(self->ctx, self->spare[0]);
			irqx_unbind(self->ctx, self->spare[1]);
			break;
		case ROUTING:
			irqx_route_set(self->ctx, GSI, irqx_vector_entry(&self->table, ROUTED));
			irqx_route_set(self->ctx, MSI_GSI, irqx_entry(self->g, 0, IRQ_A));
			break;
		default:
			break;
		}
	}
}

/* What GET_INFO names is taken, and nothing else. */
TEST_F(table_negative, known_flags)
{
	struct kvm_irqx_info info = irqx_info(self->ctx);
	struct kvm_irqx_error error;
	union call_arg arg;
	uint32_t bit, ops = 0;

	EXPECT_TRUE(info.features & KVM_IRQX_FEATURE_TABLE);
	EXPECT_EQ(info.vector_size, sizeof(struct kvm_irqx_vector));
	EXPECT_EQ(info.max_vectors, KVM_IRQX_MAX_VECTORS);
	for (bit = 0; bit < 32; bit++) {
		error = irqx_stale_error();
		base_arg(self, CREATE, &arg, &error);
		arg.table.op = bit;
		arg.table.nr = ~0U;
		EXPECT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_TABLE, &arg), EINVAL);
		if (error.arg != KVM_IRQX_ARG_OP)
			ops |= 1U << bit;

		error = irqx_stale_error();
		base_arg(self, CREATE, &arg, &error);
		arg.table.flags = 1U << bit;
		arg.table.nr = 0;
		EXPECT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_TABLE, &arg), EINVAL);
		EXPECT_EQ(error.arg, info.table_flags & 1U << bit ? KVM_IRQX_ARG_NR :
								    KVM_IRQX_ARG_FLAGS);

		error = irqx_stale_error();
		base_arg(self, SET, &arg, &error);
		arg.table.flags = 1U << bit;
		arg.table.table = 77;
		EXPECT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_TABLE, &arg),
			  info.table_flags & 1U << bit ? ENOENT : EINVAL);

		error = irqx_stale_error();
		base_arg(self, PUT, &arg, &error);
		arg.state.head.flags = 1U << bit;
		arg.state.head.table = 77;
		EXPECT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_SET_TABLE, &arg),
			  info.table_state_flags & 1U << bit ? ENOENT : EINVAL);
	}
	EXPECT_EQ(info.table_ops, ops);
}

/* KVM_IRQX_GET_TABLE with vectors of @size, the bytes behind each untouched. */
static void expect_get(struct __test_metadata *_metadata, FIXTURE_DATA(table_negative) *self,
		       uint32_t size)
{
	const struct kvm_irqx_vector *want = &self->before.vectors[VECTOR];
	unsigned char buf[3 * KVM_IRQX_VECTOR_SIZE_MAX];
	union call_arg arg;
	uint32_t i, k;

	memset(buf, 0xaa, sizeof(buf));
	base_arg(self, GET, &arg, NULL);
	arg.state.head.first = VECTOR;
	arg.state.head.vector_size = size;
	arg.state.head.vectors = (uintptr_t)buf;
	ASSERT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_GET_TABLE, &arg), 0);
	EXPECT_EQ(arg.state.head.function, IRQX_TABLE_ON);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(memcmp(buf + i * size, &want[i], sizeof(*want)), 0);
		for (k = sizeof(*want); k < size; k++)
			ASSERT_EQ(buf[i * size + k], 0);
	}
	for (k = 2 * size; k < sizeof(buf); k++)
		ASSERT_EQ(buf[k], 0xaa);
}

/* Vectors of a caller who knows more: what he says there must be zero. */
TEST_F(table_negative, vector_size)
{
	uint32_t size;

	for (size = KVM_IRQX_VECTOR_SIZE_MIN; size <= KVM_IRQX_VECTOR_SIZE_MAX; size++) {
		unsigned char buf[2 * KVM_IRQX_VECTOR_SIZE_MAX] = {};
		struct kvm_irqx_vector one = { .control = 1, .data = size };
		struct kvm_irqx_error error = irqx_stale_error();
		union call_arg arg;

		expect_get(_metadata, self, size);

		memcpy(buf, &one, sizeof(one));
		one.data++;
		memcpy(buf + size, &one, sizeof(one));
		base_arg(self, PUT, &arg, &error);
		arg.state.head.vector_size = size;
		arg.state.head.vectors = (uintptr_t)buf;
		ASSERT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_SET_TABLE, &arg), 0);
		EXPECT_EQ(irqx_vector_get(&self->table, OTHER).data, size);
		EXPECT_EQ(irqx_vector_get(&self->table, OTHER + 1).data, size + 1);
		if (size == sizeof(one))
			continue;
		buf[2 * size - 1] = 1;
		memset(buf, 0, sizeof(one));
		EXPECT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_SET_TABLE, &arg), E2BIG);
		EXPECT_EQ(error.index, 1);
		EXPECT_EQ(irqx_vector_get(&self->table, OTHER).data, size);
	}
}

/* What the guest has changed is told again, if nobody has got it. */
TEST_F(table_negative, changed_is_not_lost)
{
	struct irqx_table table = { .nr = NR, .entries = FREE_GPA, .pba = FREE_GPA + 0x1000 };
	struct kvm_irqx_vector *vectors = calloc(NR, sizeof(*vectors));
	int changefd = irqx_eventfd(0, 0);
	struct kvm_irqx_table_state get = {
		.version = KVM_IRQX_TABLE_STATE_VERSION,
		.nr = NR,
		.vector_size = sizeof(*vectors),
		.vectors = (uintptr_t)vectors,
		.changed = 8,
	};
	uint64_t changed[2];

	irqx_assert(__irqx_table_create(self->ctx, &table, IRQX_TABLE_ON, changefd));
	get.table = table.id;
	irqx_bind(self->ctx, self->spare[0], irqx_vector_entry(&table, 66));
	irqx_vector_mask(self->g, 0, &table, 66, false);
	EXPECT_EQ(irqx_eventfd_take(changefd), 1);
	EXPECT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_GET_TABLE, &get), EFAULT);
	get.changed = (uintptr_t)changed;
	get.vectors = 8;
	EXPECT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_GET_TABLE, &get), EFAULT);
	/* Without it, or of others, nothing is forgotten. */
	irqx_table_get(&table, vectors, NULL);
	get.vectors = (uintptr_t)vectors;
	get.nr = 66;
	EXPECT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_GET_TABLE, &get), 0);
	EXPECT_EQ(changed[0] | changed[1], 0);
	get.first = 60;
	get.nr = 10;
	changed[1] = 77;
	EXPECT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_GET_TABLE, &get), 0);
	EXPECT_EQ(changed[0], 1ULL << 6);
	EXPECT_EQ(changed[1], 77);
	EXPECT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_GET_TABLE, &get), 0);
	EXPECT_EQ(changed[0], 0);
	irqx_unbind(self->ctx, self->spare[0]);
	irqx_table_destroy(&table);
	free(vectors);
	close(changefd);
}

/* Half an argument is none. */
TEST_F(table_negative, half_mapped_efault)
{
	static const enum base bases[] = { CREATE, MOVE, SET, DESTROY, GET, PUT };
	size_t page = getpagesize(), size, missing;
	char *edge = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	union call_arg arg;
	uint32_t i;

	ASSERT_NE(edge, MAP_FAILED);
	munmap(edge + page, page);
	edge += page;
	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		size = bases[i] < GET ? sizeof(arg.table) : sizeof(arg.state.head);
		for (missing = 4; missing <= size; missing += 4) {
			base_arg(self, bases[i], &arg, NULL);
			memcpy(edge - (size - missing), &arg, size - missing);
			EXPECT_EQ(__irqx_ioctl(self->ctx, cmds[bases[i]], edge - (size - missing)),
				  EFAULT);
		}
	}
	/* The second of the vectors is not there. */
	base_arg(self, PUT, &arg, NULL);
	memcpy(edge - sizeof(arg.state.vectors[0]), arg.state.vectors,
	       sizeof(arg.state.vectors[0]));
	arg.state.head.vectors = (uintptr_t)edge - sizeof(arg.state.vectors[0]);
	EXPECT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_SET_TABLE, &arg), EFAULT);
	EXPECT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_GET_TABLE, &arg), EFAULT);
	expect_unchanged(_metadata, self);
}

TEST_F_TIMEOUT(table_negative, bus_is_full_enospc, 120)
{
	static uint32_t ids[520];
	struct kvm_irqx_error error;
	union call_arg arg;
	uint32_t n;
	int err;

	for (n = 0; n < ARRAY_SIZE(ids); n++) {
		error = irqx_stale_error();
		base_arg(self, CREATE, &arg, &error);
		arg.table.nr = 1;
		arg.table.entries = FREE_GPA + n * 32;
		arg.table.pba = FREE_GPA + n * 32 + 16;
		err = __irqx_ioctl(self->ctx, KVM_IRQX_TABLE, &arg);
		if (err)
			break;
		ids[n] = arg.table.table;
	}
	EXPECT_EQ(err, ENOSPC);
	EXPECT_EQ(error.arg, KVM_IRQX_ARG_CONTEXT);
	EXPECT_EQ(error.reason, KVM_IRQX_REASON_LIMIT);
	error = irqx_stale_error();
	base_arg(self, MOVE, &arg, &error);
	arg.table.entries = FREE_GPA + n * 32;
	arg.table.pba = arg.table.entries + 0x2000;
	EXPECT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_TABLE, &arg), ENOSPC);
	EXPECT_EQ(error.arg, KVM_IRQX_ARG_CONTEXT);
	EXPECT_EQ(error.reason, KVM_IRQX_REASON_LIMIT);
	while (n--) {
		arg.table = (struct kvm_irqx_table){
			.op = KVM_IRQX_TABLE_DESTROY, .table = ids[n],
		};
		irqx_assert(__irqx_ioctl(self->ctx, KVM_IRQX_TABLE, &arg));
	}
	expect_unchanged(_metadata, self);
}

/* Contexts do not see each other's tables. */
TEST_F(table_negative, table_of_another_context)
{
	int ctx = irqx_context(self->g->vm);
	struct irqx_table table = self->table;
	struct kvm_irq_routing_entry entry = irqx_vector_entry(&table, OTHER);

	table.ctx = ctx;
	EXPECT_EQ(__irqx_table_set_flags(&table, 0), ENOENT);
	EXPECT_EQ(__irqx_table_destroy(&table), ENOENT);
	EXPECT_EQ(__irqx_table_move(&table, FREE_GPA, FREE_GPA + 0x1000), ENOENT);
	EXPECT_EQ(__irqx_bind(ctx, self->spare[0], entry), EINVAL);
	EXPECT_EQ(__irqx_route_set(ctx, 0, entry), EINVAL);
	close(ctx);
	expect_unchanged(_metadata, self);
}

/*
 * VMs that lack something
 */

static int create_in(int ctx, struct kvm_irqx_error *error)
{
	struct kvm_irqx_table args = {
		.op = KVM_IRQX_TABLE_CREATE,
		.nr = 4,
		.changefd = KVM_IRQX_NO_FD,
		.entries = FREE_GPA,
		.pba = FREE_GPA + 0x1000,
		.error = (uintptr_t)error,
	};

	*error = irqx_stale_error();
	return __irqx_ioctl(ctx, KVM_IRQX_TABLE, &args);
}

TEST(no_irqchip_eagain)
{
	struct kvm_vm *vm = vm_create_barebones();
	struct kvm_irqx_error error;
	int ctx = irqx_context(vm);

	EXPECT_EQ(create_in(ctx, &error), EAGAIN);
	EXPECT_EQ(error.arg, KVM_IRQX_ARG_CONTEXT);
	EXPECT_EQ(error.reason, KVM_IRQX_REASON_NO_IRQCHIP);
	close(ctx);
	kvm_vm_free(vm);
}

#ifdef __aarch64__
static void expect_no_its(struct __test_metadata *_metadata, int ctx)
{
	struct kvm_irq_routing_entry entry = { .type = KVM_IRQX_ROUTING_VECTOR };
	struct kvm_irqx_error error;
	int fd = irqx_eventfd(0, 0);

	EXPECT_EQ(create_in(ctx, &error), ENODEV);
	EXPECT_EQ(error.arg, KVM_IRQX_ARG_CONTEXT);
	EXPECT_EQ(error.reason, KVM_IRQX_REASON_NO_ITS);
	EXPECT_EQ(__irqx_bind(ctx, fd, entry), EINVAL);
	close(fd);
}

/* A VGICv2 has none, and a VGICv3 has one if the VMM makes it. */
TEST(no_its_enodev)
{
	struct irqx_guest *g;
	struct kvm_vm *vm;
	int ctx;

	if (irqx_gic_version() == 2) {
		g = irqx_guest_create(1);
		expect_no_its(_metadata, g->ctx);
		irqx_guest_free(g);
		return;
	}
	vm = vm_create_barebones();
	ctx = irqx_context(vm);
	irqx_irqchip_create(vm);
	expect_no_its(_metadata, ctx);
	close(ctx);
	kvm_vm_free(vm);
}
#endif

TEST_HARNESS_MAIN

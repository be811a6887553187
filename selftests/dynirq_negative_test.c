// SPDX-License-Identifier: GPL-2.0
/*
 * Every error of the calls for dynirqs and their handles, with the argument and the reason that
 * the error record names.  Each row changes a call that would work.
 *
 * What dynirqs have in common with other tables is in table_negative_test, and what all calls have
 * in common in negative_test.
 */
#include <sys/mman.h>

#include "irqx_dynirq.h"
#include "irqx_harness.h"

#define IRQ_A	(IRQX_IRQ_MIN + 5)
#define IRQ_B	(IRQX_IRQ_MIN + 9)
#define GSI	9			/* leads to a handle */
#define FREE_GSI	11
#define NR	70
#define MANY	100			/* more than fit on the kernel's stack */

#define HANDLE	3			/* an eventfd leads there; it has an owner */
#define ROUTED	4			/* a GSI does; likewise */
#define OWNED	5
#define FREE_HANDLE	6

#define PCI_GPA		(IRQX_TABLE_GPA + 0x20000)
#define PLACED_GPA	(IRQX_TABLE_GPA + 0x40000)
#define FREE_GPA	(IRQX_TABLE_GPA + 0x80000)

void irqx_guest_wait(void)
{
	irqx_table_guest();
}

void irqx_vcpu_exit(struct irqx_vcpu *v)
{
	irqx_table_exit(v);
}

/* As a module of the future knows it. */
struct long_header {
	struct kvm_irqx_dynirq_header known;
	uint32_t more[2];
};

union call_arg {
	struct kvm_irqx_table table;
	struct {
		struct kvm_irqx_table_state head;
		struct kvm_irqx_vector handles[2];
		struct long_header header;
		uint64_t changed[2];
	} state;
	struct kvm_irqx_handle handle;
	struct {
		struct kvm_irqx_raise head;
		uint32_t handles[MANY];
	} raise;
	struct kvm_irqx_irqfd_direct direct;
	struct {
		struct kvm_irqx_batch head;
		struct kvm_irqx_op ops[2];
	} batch;
};

/* Calls that work. */
enum base {
	CREATE, MOVE, SET, DESTROY, GET, PUT, ALLOC, ALLOC_ANY, FREE, LABEL, GET_LABEL, RAISE_ONE,
	RAISE, RAISE_MANY, BIND, ROUTE,
	NR_BASES,
};

static const char * const names[NR_BASES] = {
	"CREATE_DYNIRQ", "MOVE", "SET", "DESTROY", "GET_TABLE", "SET_TABLE", "ALLOC", "ALLOC any",
	"FREE", "LABEL", "GET", "RAISE one", "RAISE", "RAISE many", "DIRECT", "ROUTE_SET",
};

static const unsigned long cmds[NR_BASES] = {
	KVM_IRQX_TABLE, KVM_IRQX_TABLE, KVM_IRQX_TABLE, KVM_IRQX_TABLE, KVM_IRQX_GET_TABLE,
	KVM_IRQX_SET_TABLE, KVM_IRQX_HANDLE, KVM_IRQX_HANDLE, KVM_IRQX_HANDLE, KVM_IRQX_HANDLE,
	KVM_IRQX_HANDLE, KVM_IRQX_RAISE, KVM_IRQX_RAISE, KVM_IRQX_RAISE, KVM_IRQX_IRQFD_DIRECT,
	KVM_IRQX_BATCH,
};

/* How many bytes of each are the call's own argument. */
static const size_t sizes[NR_BASES] = {
	sizeof(struct kvm_irqx_table), sizeof(struct kvm_irqx_table),
	sizeof(struct kvm_irqx_table), sizeof(struct kvm_irqx_table),
	sizeof(struct kvm_irqx_table_state), sizeof(struct kvm_irqx_table_state),
	sizeof(struct kvm_irqx_handle), sizeof(struct kvm_irqx_handle),
	sizeof(struct kvm_irqx_handle), sizeof(struct kvm_irqx_handle),
	sizeof(struct kvm_irqx_handle), sizeof(struct kvm_irqx_raise),
	sizeof(struct kvm_irqx_raise), sizeof(struct kvm_irqx_raise),
	sizeof(struct kvm_irqx_irqfd_direct), sizeof(struct kvm_irqx_batch),
};

#include "irqx_refusal.h"

/* What is known only when the test runs. */
enum {
	VM_FD = IRQX_KNOWN_LATER,
	BOUND_TABLE,			/* things lead to it */
	HIDDEN_TABLE,			/* at the same place, and does not decode; all are owned */
	PCI_TABLE,			/* no dynirq */
	CHANGED,			/* of the call; the two halves of a pointer */
	CHANGED_UPPER,
};

/* Of every operation of KVM_IRQX_TABLE. */
#define TABLE_ROWS(base)							\
	ROW(base, EINVAL, FLAGS, UNKNOWN_FLAG, -1, AT(table.flags, KVM_IRQX_TABLE_ENABLED)), \
	ROW(base, EINVAL, FLAGS, UNKNOWN_FLAG, -1, AT(table.flags, KVM_IRQX_TABLE_MASKED)), \
	ROW(base, EINVAL, FLAGS, UNKNOWN_FLAG, -1,			\
	    AT(table.flags, KVM_IRQX_TABLE_DECODES | KVM_IRQX_TABLE_ENABLED)), \
	ROW(base, EINVAL, FLAGS, UNKNOWN_FLAG, -1, AT(table.flags, 1U << 3)), \
	ROW(base, EINVAL, FLAGS, UNKNOWN_FLAG, -1, AT(table.flags, 1U << 31)), \
	ROW(base, EINVAL, PAD, NOT_ZERO, -1, AT(table.pad[0], 1)),	\
	ROW(base, EINVAL, PAD, NOT_ZERO, -1, UPPER(table.pad[2], 1U << 31))

/* Of those that give it a place. */
#define PLACE_ROWS(base)							\
	ROW(base, EINVAL, ENTRIES, NOT_ALIGNED, -1, AT(table.entries, FREE_GPA + 1)), \
	ROW(base, EINVAL, ENTRIES, NOT_ALIGNED, -1, AT(table.entries, FREE_GPA + 8)), \
	ROW(base, EINVAL, ENTRIES, NOT_ALIGNED, -1, AT(table.entries, FREE_GPA + 2048)), \
	ROW(base, EINVAL, ENTRIES, OUT_OF_RANGE, -1, AT(table.entries, -4096U), \
	    UPPER(table.entries, -1U)),					\
	ROW(base, EINVAL, ENTRIES, OUT_OF_RANGE, -1, AT(table.entries, -8192U), \
	    UPPER(table.entries, -1U)),					\
	ROW(base, EINVAL, PBA, NOT_ZERO, -1, AT(table.pba, FREE_GPA + 0x10000)), \
	ROW(base, EINVAL, PBA, NOT_ZERO, -1, AT(table.pba, 1)),		\
	ROW(base, EINVAL, PBA, NOT_ZERO, -1, UPPER(table.pba, 1U << 31)),	\
	ROW(base, EEXIST, ENTRIES, OVERLAP, -1, AT(table.entries, IRQX_TABLE_GPA)), \
	ROW(base, EEXIST, ENTRIES, OVERLAP, -1, AT(table.entries, IRQX_TABLE_GPA + 0x1000)), \
	ROW(base, EEXIST, ENTRIES, OVERLAP, -1, AT(table.entries, IRQX_TABLE_GPA + 0x2000)), \
	ROW(base, EEXIST, ENTRIES, OVERLAP, -1, AT(table.entries, IRQX_TABLE_GPA - 0x2000)), \
	ROW(base, EEXIST, ENTRIES, OVERLAP, -1, AT(table.entries, PCI_GPA)), \
	ROW(base, EEXIST, ENTRIES, OVERLAP, -1, AT(table.entries, PCI_GPA + 0x2000))

#define NO_PLACE_ROWS(base)						\
	ROW(base, EINVAL, ENTRIES, NOT_ZERO, -1, AT(table.entries, 4096)),	\
	ROW(base, EINVAL, PBA, NOT_ZERO, -1, UPPER(table.pba, 1))

/* Of those on a table that is there. */
#define OLD_TABLE_ROWS(base)						\
	TABLE_ROWS(base),							\
	ROW(base, EINVAL, NR, NOT_ZERO, -1, AT(table.nr, 1)),		\
	ROW(base, EINVAL, DEVID, NOT_ZERO, -1, AT(table.devid, 1)),	\
	ROW(base, EINVAL, CHANGEFD, NOT_ZERO, -1, AT(table.changefd, -1U)), \
	ROW(base, ENOENT, TABLE, NO_TABLE, -1, AT(table.table, 77)),	\
	ROW(base, ENOENT, TABLE, NO_TABLE, -1, AT(table.table, -1U))

#define STATE_ROWS(call)						\
	ROW(call, ENOENT, TABLE, NO_TABLE, -1, AT(state.head.table, 77)), \
	ROW(call, EINVAL, FIRST, OUT_OF_RANGE, -1, AT(state.head.first, NR + 1)), \
	ROW(call, EINVAL, NR, OUT_OF_RANGE, -1, AT(state.head.first, NR - 1)), \
	ROW(call, EINVAL, NR, OUT_OF_RANGE, -1, AT(state.head.nr, KVM_IRQX_MAX_VECTORS + 1)), \
	ROW(call, EINVAL, HEADER, TOO_SMALL, -1, AT(state.header.known.argsz, 0)), \
	ROW(call, EINVAL, HEADER, TOO_SMALL, -1,			\
	    AT(state.header.known.argsz, sizeof(struct kvm_irqx_dynirq_header) - 1)), \
	ROW(call, EINVAL, HEADER, OUT_OF_RANGE, -1, AT(state.header.known.argsz, 4097)), \
	ROW(call, EINVAL, HEADER, OUT_OF_RANGE, -1, AT(state.header.known.argsz, -1U)), \
	ROW(call, E2BIG, HEADER, UNKNOWN_FIELD, -1,			\
	    AT(state.header.known.argsz, sizeof(struct long_header)),	\
	    AT(state.header.more[1], 1U << 31)),			\
	ROW(call, EINVAL, HEADER, NOT_A_DYNIRQ, -1, AT(state.head.table, PCI_TABLE)), \
	ROW(call, EFAULT, NONE, NONE, -1, AT(state.head.header, 8),	\
	    UPPER(state.head.header, 0)),				\
	ROW(call, EFAULT, NONE, NONE, -1, UPPER(state.head.header, 0xffff8880))

/* Of every operation of KVM_IRQX_HANDLE. */
#define HANDLE_ROWS(base)							\
	ROW(base, EINVAL, OP, UNKNOWN_VALUE, -1, AT(handle.op, 0)),	\
	ROW(base, EINVAL, OP, UNKNOWN_VALUE, -1, AT(handle.op, 5)),	\
	ROW(base, EINVAL, OP, UNKNOWN_VALUE, -1, AT(handle.op, 33)),	\
	ROW(base, EINVAL, OP, UNKNOWN_VALUE, -1, AT(handle.op, 1U << 31)), \
	ROW(base, EINVAL, FLAGS, UNKNOWN_FLAG, -1, AT(handle.flags, 1)),	\
	ROW(base, EINVAL, FLAGS, UNKNOWN_FLAG, -1, AT(handle.flags, 1U << 31)), \
	ROW(base, EINVAL, PAD, NOT_ZERO, -1, AT(handle.pad[0], 1)),	\
	ROW(base, EINVAL, PAD, NOT_ZERO, -1, UPPER(handle.pad[1], 1U << 31)), \
	ROW(base, ENOENT, TABLE, NO_TABLE, -1, AT(handle.table, 77)),	\
	ROW(base, ENOENT, TABLE, NO_TABLE, -1, AT(handle.table, 1U << 31)), \
	ROW(base, ENOENT, TABLE, NO_TABLE, -1, AT(handle.table, -1U)),	\
	ROW(base, EINVAL, TABLE, NOT_A_DYNIRQ, -1, AT(handle.table, PCI_TABLE)), \
	ROW(base, EINVAL, HANDLE, OUT_OF_RANGE, -1, AT(handle.handle, NR)), \
	ROW(base, EINVAL, HANDLE, OUT_OF_RANGE, -1, AT(handle.handle, 1U << 31)), \
	ROW(base, EINVAL, HANDLE, OUT_OF_RANGE, -1,			\
	    AT(handle.handle, KVM_IRQX_ANY_HANDLE - 1))

/* Of those on a handle that has an owner. */
#define OWNER_ROWS(base)							\
	HANDLE_ROWS(base),						\
	ROW(base, EINVAL, HANDLE, OUT_OF_RANGE, -1, AT(handle.handle, KVM_IRQX_ANY_HANDLE)), \
	ROW(base, ENOENT, HANDLE, NOT_OWNED, -1, AT(handle.handle, FREE_HANDLE)), \
	ROW(base, ENOENT, HANDLE, NOT_OWNED, -1, AT(handle.handle, NR - 1))

/* Of those that give a label; base_arg() has one of four bytes. */
#define LABEL_ROWS(base)							\
	ROW(base, EINVAL, LABEL, UNKNOWN_VALUE, -1, AT(handle.label, 0)),	\
	ROW(base, EINVAL, LABEL, UNKNOWN_VALUE, -1, AT(handle.label, 0x616100)), \
	ROW(base, EINVAL, LABEL, UNKNOWN_VALUE, -1, AT(handle.label[8], 'x')), \
	ROW(base, EINVAL, LABEL, UNKNOWN_VALUE, -1, AT(handle.label[28], 'x' << 24))

#define NO_LABEL_ROWS(base)						\
	ROW(base, EINVAL, LABEL, NOT_ZERO, -1, AT(handle.label, 'x')),	\
	ROW(base, EINVAL, LABEL, NOT_ZERO, -1, AT(handle.label[28], 'x' << 24))

#define RAISE_ROWS(base)							\
	ROW(base, EINVAL, FLAGS, UNKNOWN_FLAG, -1, AT(raise.head.flags, 1)), \
	ROW(base, EINVAL, FLAGS, UNKNOWN_FLAG, -1, AT(raise.head.flags, 1U << 31)), \
	ROW(base, EINVAL, PAD, NOT_ZERO, -1, AT(raise.head.pad[0], 1)),	\
	ROW(base, EINVAL, PAD, NOT_ZERO, -1, UPPER(raise.head.pad[1], 1U << 31)), \
	ROW(base, ENOENT, TABLE, NO_TABLE, -1, AT(raise.head.table, 77)),	\
	ROW(base, ENOENT, TABLE, NO_TABLE, -1, AT(raise.head.table, -1U))

/* Of those with an array; @last: of its elements. */
#define RAISE_ARRAY_ROWS(base, last)					\
	RAISE_ROWS(base),							\
	ROW(base, EINVAL, NR, OUT_OF_RANGE, -1, AT(raise.head.nr, 65537)), \
	ROW(base, EINVAL, NR, OUT_OF_RANGE, -1, AT(raise.head.nr, -1U)),	\
	ROW(base, EINVAL, HANDLES, NOT_ZERO, -1, AT(raise.head.nr, 0)),	\
	ROW(base, EINVAL, HANDLE, NOT_ZERO, -1, AT(raise.head.handle, HANDLE)), \
	ROW(base, EINVAL, HANDLE, NOT_ZERO, -1, AT(raise.head.handle, 1U << 31)), \
	ROW(base, EINVAL, HANDLE, OUT_OF_RANGE, 0, AT(raise.handles[0], NR)), \
	ROW(base, EINVAL, HANDLE, OUT_OF_RANGE, 1, AT(raise.handles[1], 1U << 31)), \
	ROW(base, EINVAL, HANDLE, OUT_OF_RANGE, last, AT(raise.handles[last], NR)), \
	ROW(base, EINVAL, HANDLE, OUT_OF_RANGE, last, AT(raise.handles[last], -1U)), \
	ROW(base, EFAULT, NONE, NONE, -1, AT(raise.head.handles, 8),	\
	    UPPER(raise.head.handles, 0)),				\
	ROW(base, EFAULT, NONE, NONE, -1, UPPER(raise.head.handles, 0xffff8880))

#define ENTRY_ROWS(base, index, entry)					\
	ROW(base, EINVAL, ENTRY_PIN, OUT_OF_RANGE, index, AT(entry.u.irqchip.pin, NR)), \
	ROW(base, EINVAL, ENTRY_PIN, OUT_OF_RANGE, index, AT(entry.u.irqchip.pin, 1U << 31)), \
	ROW(base, EINVAL, ENTRY_PIN, OUT_OF_RANGE, index, AT(entry.u.irqchip.pin, -1U)), \
	ROW(base, EINVAL, ENTRY_IRQCHIP, NO_TABLE, index, AT(entry.u.irqchip.irqchip, 77))

static const struct row rows[] = {
	TABLE_ROWS(CREATE),
	PLACE_ROWS(CREATE),
	ROW(CREATE, EINVAL, TABLE, NOT_ZERO, -1, AT(table.table, 1)),
	ROW(CREATE, EINVAL, TABLE, NOT_ZERO, -1, AT(table.table, 1U << 31)),
	ROW(CREATE, EINVAL, NR, OUT_OF_RANGE, -1, AT(table.nr, 0)),
	ROW(CREATE, EINVAL, NR, OUT_OF_RANGE, -1, AT(table.nr, KVM_IRQX_MAX_HANDLES + 1)),
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
	ROW(DESTROY, EINVAL, FLAGS, UNKNOWN_FLAG, -1, AT(table.flags, KVM_IRQX_TABLE_DECODES)),
	ROW(DESTROY, EBUSY, TABLE, VECTORS_BOUND, -1, AT(table.table, BOUND_TABLE)),

	STATE_ROWS(GET),
	ROW(GET, EINVAL, CHANGED, NOT_ZERO, -1, AT(state.head.changed, CHANGED),
	    UPPER(state.head.changed, CHANGED_UPPER)),
	ROW(GET, EINVAL, CHANGED, NOT_ZERO, -1, AT(state.head.changed, 8)),
	ROW(GET, EFAULT, NONE, NONE, -1, AT(state.head.vectors, 8), UPPER(state.head.vectors, 0)),

	STATE_ROWS(PUT),
	ROW(PUT, EINVAL, CHANGED, NOT_ZERO, -1, AT(state.head.changed, CHANGED),
	    UPPER(state.head.changed, CHANGED_UPPER)),
	ROW(PUT, EINVAL, FUNCTION, NOT_ZERO, -1,
	    AT(state.head.function, KVM_IRQX_TABLE_DECODES)),
	ROW(PUT, EINVAL, FUNCTION, UNKNOWN_FLAG, -1,
	    AT(state.head.function, KVM_IRQX_TABLE_DECODES | KVM_IRQX_TABLE_ENABLED),
	    AT(state.head.flags, KVM_IRQX_TABLE_STATE_FUNCTION)),
	ROW(PUT, EINVAL, FUNCTION, UNKNOWN_FLAG, -1,
	    AT(state.head.function, KVM_IRQX_TABLE_MASKED),
	    AT(state.head.flags, KVM_IRQX_TABLE_STATE_FUNCTION)),
	ROW(PUT, EEXIST, ENTRIES, OVERLAP, -1, AT(state.head.function, KVM_IRQX_TABLE_DECODES),
	    AT(state.head.flags, KVM_IRQX_TABLE_STATE_FUNCTION),
	    AT(state.head.table, HIDDEN_TABLE)),
	ROW(PUT, EINVAL, STATE, UNKNOWN_FLAG, 1, AT(state.handles[1].state, 1U << 3)),
	ROW(PUT, EINVAL, STATE, UNKNOWN_FLAG, 1, AT(state.handles[1].state, 1U << 31)),
	ROW(PUT, EINVAL, PAD, NOT_ZERO, 1, AT(state.handles[1].pad, 1)),
	ROW(PUT, EFAULT, NONE, NONE, 0, AT(state.head.vectors, 8), UPPER(state.head.vectors, 0)),

	HANDLE_ROWS(ALLOC),
	LABEL_ROWS(ALLOC),
	ROW(ALLOC, EBUSY, HANDLE, OWNED, -1, AT(handle.handle, 0)),
	ROW(ALLOC, EBUSY, HANDLE, OWNED, -1, AT(handle.handle, HANDLE)),
	ROW(ALLOC, EBUSY, HANDLE, OWNED, -1, AT(handle.handle, OWNED)),
	HANDLE_ROWS(ALLOC_ANY),
	LABEL_ROWS(ALLOC_ANY),
	ROW(ALLOC_ANY, ENOSPC, TABLE, LIMIT, -1, AT(handle.table, HIDDEN_TABLE)),

	OWNER_ROWS(FREE),
	NO_LABEL_ROWS(FREE),
	ROW(FREE, EINVAL, HANDLE, OF_DYNIRQ, -1, AT(handle.handle, 0)),
	ROW(FREE, EBUSY, HANDLE, VECTORS_BOUND, -1, AT(handle.handle, HANDLE)),
	ROW(FREE, EBUSY, HANDLE, VECTORS_BOUND, -1, AT(handle.handle, ROUTED)),

	OWNER_ROWS(LABEL),
	LABEL_ROWS(LABEL),
	ROW(LABEL, EINVAL, HANDLE, OF_DYNIRQ, -1, AT(handle.handle, 0)),

	OWNER_ROWS(GET_LABEL),
	NO_LABEL_ROWS(GET_LABEL),

	RAISE_ROWS(RAISE_ONE),
	ROW(RAISE_ONE, EINVAL, HANDLES, NOT_ZERO, -1, AT(raise.head.handles, 8)),
	ROW(RAISE_ONE, EINVAL, HANDLES, NOT_ZERO, -1, UPPER(raise.head.handles, 1)),
	ROW(RAISE_ONE, EINVAL, HANDLE, OUT_OF_RANGE, -1, AT(raise.head.handle, NR)),
	ROW(RAISE_ONE, EINVAL, HANDLE, OUT_OF_RANGE, -1, AT(raise.head.handle, 1U << 31)),
	ROW(RAISE_ONE, EINVAL, HANDLE, OUT_OF_RANGE, -1, AT(raise.head.handle, -1U)),
	RAISE_ARRAY_ROWS(RAISE, 2),
	RAISE_ARRAY_ROWS(RAISE_MANY, MANY - 1),

	ENTRY_ROWS(BIND, -1, direct.entry),
	ROW(BIND, EINVAL, FLAGS, OF_VECTOR, -1, AT(direct.flags, KVM_IRQX_IRQFD_DIRECT_MASK)),
	ROW(BIND, EINVAL, ENTRY_TYPE, NO_EOI, -1,
	    AT(direct.flags, KVM_IRQX_IRQFD_DIRECT_RESAMPLE)),
	ENTRY_ROWS(ROUTE, 1, batch.ops[1].entry),
};

struct snapshot {
	struct kvm_irqx_stats stats;
	uint32_t function[4];
	struct kvm_irqx_dynirq_header headers[3];
	struct kvm_irqx_vector handles[NR];
	char labels[NR][KVM_IRQX_LABEL_SIZE];
	struct kvm_irqx_vector hidden[2];
	char hidden_label[KVM_IRQX_LABEL_SIZE];
	struct kvm_irqx_vector free[NR], pci[NR];
};

FIXTURE(dynirq_negative)
{
	struct irqx_guest *g;
	int ctx;
	struct irqx_table dynirq, hidden, free, pci;
	int fd, routed, spare;
	struct snapshot before;
};

static void take_dynirq(struct irqx_table *dynirq, struct kvm_irqx_vector *handles,
			uint32_t *function, struct kvm_irqx_dynirq_header *header)
{
	struct irqx_dynirq_state state = { .handles = handles };

	irqx_dynirq_get(dynirq, &state);
	*function = state.function;
	*header = state.header;
}

/* Of all that a call could have changed. */
static void take(FIXTURE_DATA(dynirq_negative) *self, struct snapshot *snapshot)
{
	uint32_t i;

	memset(snapshot, 0, sizeof(*snapshot));
	snapshot->stats = irqx_stats(self->ctx);
	take_dynirq(&self->dynirq, snapshot->handles, &snapshot->function[0],
		    &snapshot->headers[0]);
	take_dynirq(&self->hidden, snapshot->hidden, &snapshot->function[1],
		    &snapshot->headers[1]);
	take_dynirq(&self->free, snapshot->free, &snapshot->function[2], &snapshot->headers[2]);
	snapshot->function[3] = irqx_table_get(&self->pci, snapshot->pci, NULL);
	for (i = 0; i < NR; i++)
		__irqx_handle_get(&self->dynirq, i, snapshot->labels[i]);
	__irqx_handle_get(&self->hidden, 1, snapshot->hidden_label);
}

FIXTURE_SETUP(dynirq_negative)
{
	if (!irqx_takes_tables())
		SKIP(return, "no ITS");
	self->g = irqx_table_guest_create(2);
	self->ctx = self->g->ctx;
	self->dynirq = irqx_dynirq_create(self->ctx, NR);
	self->hidden = (struct irqx_table){ .nr = 2, .entries = IRQX_TABLE_GPA };
	irqx_assert(__irqx_dynirq_create(self->ctx, &self->hidden, 0, KVM_IRQX_NO_FD));
	irqx_handle_alloc(&self->hidden, 1, "one");
	self->free = (struct irqx_table){ .nr = NR, .entries = PLACED_GPA };
	irqx_assert(__irqx_dynirq_create(self->ctx, &self->free, KVM_IRQX_TABLE_DECODES,
					 KVM_IRQX_NO_FD));
	self->pci = (struct irqx_table){
		.nr = NR, .entries = PCI_GPA, .pba = PCI_GPA + 0x2000,
	};
	irqx_assert(__irqx_table_create(self->ctx, &self->pci, IRQX_TABLE_ON, KVM_IRQX_NO_FD));

	irqx_handle_alloc(&self->dynirq, HANDLE, "bound");
	irqx_handle_alloc(&self->dynirq, ROUTED, "routed");
	irqx_handle_alloc(&self->dynirq, OWNED, "owned");
	self->fd = irqx_eventfd(0, 0);
	self->routed = irqx_eventfd(0, 0);
	self->spare = irqx_eventfd(0, 0);
	irqx_bind(self->ctx, self->fd, irqx_vector_entry(&self->dynirq, HANDLE));
	irqx_route_set(self->ctx, GSI, irqx_vector_entry(&self->dynirq, ROUTED));
	irqx_irqfd(self->ctx, self->routed, GSI, 0);

	irqx_guest_start(self->g);
	irqx_dynirq_attach(self->g, 0, &self->dynirq);
	irqx_handle_map(self->g, 0, &self->dynirq, HANDLE,
			irqx_vector_message(self->g, 0, IRQ_A));
	irqx_handle_map(self->g, 0, &self->dynirq, ROUTED,
			irqx_vector_message(self->g, 1, IRQ_B));
	take(self, &self->before);
}

FIXTURE_TEARDOWN(dynirq_negative)
{
	if (!self->g)
		return;
	/* Whoever had been bound by mistake would be heard now. */
	irqx_fire(self->spare);
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);
	irqx_fire_at(self->g, self->routed, 1, IRQ_B);
	irqx_assert(__irqx_table_drop_pending(&self->dynirq));
	irqx_assert(__irqx_table_drop_pending(&self->hidden));
	irqx_assert(__irqx_table_drop_pending(&self->free));
	irqx_check(self->g);
	EXPECT_EQ(irqx_eventfd_take(self->spare), 1);
	EXPECT_EQ(irqx_exits.nr, 0);
	irqx_guest_free(self->g);
}

static void base_table(FIXTURE_DATA(dynirq_negative) *self, enum base base,
		       struct kvm_irqx_table *args)
{
	args->op = base == CREATE ? KVM_IRQX_TABLE_CREATE_DYNIRQ :
		   base == MOVE ? KVM_IRQX_TABLE_MOVE :
		   base == SET ? KVM_IRQX_TABLE_SET : KVM_IRQX_TABLE_DESTROY;
	if (base == CREATE || base == SET)
		args->flags = KVM_IRQX_TABLE_DECODES;
	if (base == CREATE) {
		args->nr = NR;
		args->devid = irqx_table_devid();
		args->changefd = KVM_IRQX_NO_FD;
	} else {
		args->table = self->free.id;
	}
	if (base == CREATE || base == MOVE)
		args->entries = FREE_GPA;
}

static void base_state(FIXTURE_DATA(dynirq_negative) *self, union call_arg *arg)
{
	arg->state.head = (struct kvm_irqx_table_state){
		.version = KVM_IRQX_TABLE_STATE_VERSION,
		.table = self->dynirq.id,
		.first = OWNED,
		.nr = 2,
		.vector_size = sizeof(struct kvm_irqx_vector),
		.vectors = (uintptr_t)arg->state.handles,
		.header = (uintptr_t)&arg->state.header,
	};
	/* Where it would be seen. */
	arg->state.handles[0].data = 77;
	arg->state.handles[0].state = KVM_IRQX_VECTOR_LABEL_CHANGED;
	arg->state.header.known = (struct kvm_irqx_dynirq_header){
		.argsz = sizeof(arg->state.header.known),
		.select = 1,
		.doorbell = 2,
		.instance = 3,
	};
}

static void base_handle(FIXTURE_DATA(dynirq_negative) *self, enum base base,
			struct kvm_irqx_handle *args)
{
	args->op = base == FREE ? KVM_IRQX_HANDLE_FREE :
		   base == LABEL ? KVM_IRQX_HANDLE_LABEL :
		   base == GET_LABEL ? KVM_IRQX_HANDLE_GET : KVM_IRQX_HANDLE_ALLOC;
	args->table = self->dynirq.id;
	args->handle = base == ALLOC ? FREE_HANDLE :
		       base == ALLOC_ANY ? KVM_IRQX_ANY_HANDLE : OWNED;
	if (base == ALLOC || base == ALLOC_ANY || base == LABEL)
		memcpy(args->label, "name", 4);
}

static void base_raise(FIXTURE_DATA(dynirq_negative) *self, enum base base,
		       union call_arg *arg)
{
	uint32_t i;

	arg->raise.head.table = self->dynirq.id;
	if (base == RAISE_ONE) {
		arg->raise.head.handle = HANDLE;
		return;
	}
	arg->raise.head.nr = base == RAISE ? 3 : MANY;
	arg->raise.head.handles = (uintptr_t)arg->raise.handles;
	for (i = 0; i < arg->raise.head.nr; i++)
		arg->raise.handles[i] = i % 3 ? FREE_HANDLE : HANDLE;
}

/* @record: where the call's error record is to be, or NULL: it has none. */
static void base_arg(FIXTURE_DATA(dynirq_negative) *self, enum base base, union call_arg *arg,
		     struct kvm_irqx_error *record)
{
	struct kvm_irq_routing_entry entry = irqx_vector_entry(&self->dynirq, FREE_HANDLE);
	uint32_t i;

	memset(arg, 0, sizeof(*arg));
	switch (base) {
	case CREATE ... DESTROY:
		base_table(self, base, &arg->table);
		arg->table.error = (uintptr_t)record;
		break;
	case GET ... PUT:
		base_state(self, arg);
		arg->state.head.error = (uintptr_t)record;
		break;
	case ALLOC ... GET_LABEL:
		base_handle(self, base, &arg->handle);
		arg->handle.error = (uintptr_t)record;
		break;
	case RAISE_ONE ... RAISE_MANY:
		base_raise(self, base, arg);
		arg->raise.head.error = (uintptr_t)record;
		break;
	case BIND:
		arg->direct.fd = self->spare;
		arg->direct.entry = entry;
		arg->direct.error = (uintptr_t)record;
		break;
	default:
		arg->batch.head = irqx_batch_of(arg->batch.ops, 2);
		arg->batch.head.error = (uintptr_t)record;
		for (i = 0; i < 2; i++) {
			arg->batch.ops[i].op = KVM_IRQX_OP_ROUTE_SET;
			arg->batch.ops[i].entry = entry;
			arg->batch.ops[i].entry.gsi = FREE_GSI + i;
		}
	}
}

static void change_arg(FIXTURE_DATA(dynirq_negative) *self, const struct row *row,
		       union call_arg *arg)
{
	const uint64_t changed = (uintptr_t)arg->state.changed;
	const uint32_t later[] = {
		[VM_FD - IRQX_KNOWN_LATER] = self->g->vm->fd,
		[BOUND_TABLE - IRQX_KNOWN_LATER] = self->dynirq.id,
		[HIDDEN_TABLE - IRQX_KNOWN_LATER] = self->hidden.id,
		[PCI_TABLE - IRQX_KNOWN_LATER] = self->pci.id,
		[CHANGED - IRQX_KNOWN_LATER] = changed,
		[CHANGED_UPPER - IRQX_KNOWN_LATER] = changed >> 32,
	};

	row_apply(row, arg, later, ARRAY_SIZE(later));
	/* It has two handles; the header is not what is wrong with it. */
	if ((row->base == GET || row->base == PUT) && arg->state.head.table == self->hidden.id)
		arg->state.head.first = 0;
}

static void expect_unchanged(struct __test_metadata *_metadata,
			     FIXTURE_DATA(dynirq_negative) *self, const char *what)
{
	struct snapshot after;

	take(self, &after);
	EXPECT_EQ(memcmp(&after, &self->before, sizeof(after)), 0)
		TH_LOG("%s changes something", what);
}

/* One for each errno, argument and reason; and nothing is another one afterwards. */
TEST_F_TIMEOUT(dynirq_negative, refused, 120)
{
	const struct row *row;
	union call_arg arg;
	char what[40];

	for (row = rows; row < rows + ARRAY_SIZE(rows); row++) {
		struct kvm_irqx_error error = irqx_stale_error();
		int err;

		base_arg(self, row->base, &arg, &error);
		change_arg(self, row, &arg);
		err = __irqx_ioctl(self->ctx, cmds[row->base], &arg);
		EXPECT_REFUSED(row, rows, names[row->base], true, err, error);
		snprintf(what, sizeof(what), "row %td: %s", row - rows, names[row->base]);
		expect_unchanged(_metadata, self, what);
	}
}

/* The calls that the rows change do work, and leave the error record as it is. */
TEST_F(dynirq_negative, unchanged_call_works)
{
	enum base base;
	union call_arg arg;

	for (base = 0; base < NR_BASES; base++) {
		struct kvm_irqx_error error = irqx_stale_error();

		base_arg(self, base, &arg, &error);
		/* What it raises is the subject of dynirq_test. */
		if (base == RAISE_ONE)
			arg.raise.head.handle = FREE_HANDLE;
		if (base == RAISE || base == RAISE_MANY)
			memset(arg.raise.handles, 0, sizeof(arg.raise.handles));
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
			irqx_assert(__irqx_dynirq_create(self->ctx, &self->free,
							 KVM_IRQX_TABLE_DECODES,
							 KVM_IRQX_NO_FD));
			break;
		case FREE:
			irqx_handle_alloc(&self->dynirq, OWNED, "owned");
			break;
		case ALLOC_ANY:
			/* Handle 0 is the dynirq's own, so 1 is the lowest that was free. */
			EXPECT_EQ(arg.handle.handle, 1);
			break;
		case GET_LABEL:
			EXPECT_EQ(memcmp(arg.handle.label, "name", 5), 0);
			break;
		case BIND:
			irqx_unbind(self->ctx, self->spare);
			break;
		default:
			break;
		}
	}
}

/* What GET_INFO names is taken, and nothing else. */
TEST_F(dynirq_negative, known_flags)
{
	struct kvm_irqx_info info = irqx_info(self->ctx);
	struct kvm_irqx_error error;
	union call_arg arg;
	uint32_t bit, ops = 0;

	EXPECT_TRUE(info.features & KVM_IRQX_FEATURE_DYNIRQ);
	EXPECT_TRUE(info.table_ops & 1U << KVM_IRQX_TABLE_CREATE_DYNIRQ);
	EXPECT_EQ(info.max_handles, KVM_IRQX_MAX_HANDLES);
	for (bit = 0; bit < 32; bit++) {
		error = irqx_stale_error();
		base_arg(self, ALLOC, &arg, &error);
		arg.handle.op = bit;
		arg.handle.table = 77;
		if (__irqx_ioctl(self->ctx, KVM_IRQX_HANDLE, &arg) == ENOENT)
			ops |= 1U << bit;

		base_arg(self, ALLOC, &arg, &error);
		arg.handle.flags = 1U << bit;
		arg.handle.table = 77;
		EXPECT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_HANDLE, &arg),
			  info.handle_flags & 1U << bit ? ENOENT : EINVAL);

		base_arg(self, RAISE, &arg, &error);
		arg.raise.head.flags = 1U << bit;
		arg.raise.head.table = 77;
		EXPECT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_RAISE, &arg),
			  info.raise_flags & 1U << bit ? ENOENT : EINVAL);
	}
	EXPECT_EQ(ops, info.handle_ops);
	expect_unchanged(_metadata, self, "a call");
}

/* A header that is longer than the module knows is taken while there are zeroes behind. */
TEST_F(dynirq_negative, long_header)
{
	struct kvm_irqx_error error = irqx_stale_error();
	struct kvm_irqx_dynirq_header known;
	union call_arg arg;

	base_arg(self, GET, &arg, &error);
	arg.state.header.known.argsz = sizeof(arg.state.header);
	EXPECT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_GET_TABLE, &arg), 0);
	known = arg.state.header.known;
	EXPECT_EQ(known.argsz, sizeof(known));
	EXPECT_EQ(known.instance, self->before.headers[0].instance);
	arg.state.header.known.argsz = sizeof(arg.state.header);
	arg.state.head.function = 0;
	EXPECT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_SET_TABLE, &arg), 0);
	expect_unchanged(_metadata, self, "SET of what GET has told");
}

/* Memory of two pages of which the second is not there. */
static char *edge_of_memory(void)
{
	size_t page = getpagesize();
	char *edge = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	TEST_ASSERT(edge != MAP_FAILED, "mmap: %s", strerror(errno));
	munmap(edge + page, page);
	return edge + page;
}

/* Half an argument is none. */
TEST_F(dynirq_negative, half_mapped_efault)
{
	char *edge = edge_of_memory();
	union call_arg arg;
	size_t missing;
	enum base base;

	for (base = CREATE; base <= RAISE_MANY; base++) {
		for (missing = 4; missing <= sizes[base]; missing += 4) {
			base_arg(self, base, &arg, NULL);
			memcpy(edge - (sizes[base] - missing), &arg, sizes[base] - missing);
			EXPECT_EQ(__irqx_ioctl(self->ctx, cmds[base],
					       edge - (sizes[base] - missing)), EFAULT)
				TH_LOG("%s, %zu bytes are missing", names[base], missing);
		}
	}
	/* The last of the handles, or of the header's bytes, is not there. */
	for (base = RAISE; base <= RAISE_MANY; base++) {
		size_t size;

		base_arg(self, base, &arg, NULL);
		size = (arg.raise.head.nr - 1) * sizeof(arg.raise.handles[0]);
		memcpy(edge - size, arg.raise.handles, size);
		arg.raise.head.handles = (uintptr_t)edge - size;
		EXPECT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_RAISE, &arg), EFAULT);
	}
	for (missing = 4; missing <= sizeof(arg.state.header.known); missing += 4) {
		size_t size = sizeof(arg.state.header.known) - missing;

		base_arg(self, PUT, &arg, NULL);
		memcpy(edge - size, &arg.state.header, size);
		arg.state.head.header = (uintptr_t)edge - size;
		EXPECT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_SET_TABLE, &arg), EFAULT);
		EXPECT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_GET_TABLE, &arg), EFAULT);
	}
	expect_unchanged(_metadata, self, "a call without all of its argument");
}

/* What cannot be told is not done. */
TEST_F(dynirq_negative, read_only_efault)
{
	static const enum base bases[] = { CREATE, GET, ALLOC, ALLOC_ANY, FREE, LABEL, GET_LABEL };
	char *page = edge_of_memory() - getpagesize();
	struct kvm_irqx_error *record = (struct kvm_irqx_error *)page;
	union call_arg *arg = (union call_arg *)page, own;
	enum base base;
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		mprotect(page, getpagesize(), PROT_READ | PROT_WRITE);
		base_arg(self, bases[i], arg, NULL);
		mprotect(page, getpagesize(), PROT_READ);
		EXPECT_EQ(__irqx_ioctl(self->ctx, cmds[bases[i]], arg), EFAULT)
			TH_LOG("%s", names[bases[i]]);
	}
	/* The header, and the array of handles, of GET. */
	mprotect(page, getpagesize(), PROT_READ | PROT_WRITE);
	base_arg(self, GET, arg, NULL);
	mprotect(page, getpagesize(), PROT_READ);
	own = *arg;
	own.state.head.vectors = (uintptr_t)own.state.handles;
	EXPECT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_GET_TABLE, &own), EFAULT);
	own.state.head.header = 0;
	own.state.head.vectors = (uintptr_t)arg->state.handles;
	EXPECT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_GET_TABLE, &own), EFAULT);
	/* The error record, of a call that would work. */
	mprotect(page, getpagesize(), PROT_READ | PROT_WRITE);
	*record = irqx_stale_error();
	mprotect(page, getpagesize(), PROT_READ);
	for (base = CREATE; base <= RAISE_MANY; base++) {
		base_arg(self, base, &own, record);
		EXPECT_EQ(__irqx_ioctl(self->ctx, cmds[base], &own), EFAULT)
			TH_LOG("%s", names[base]);
	}
	expect_unchanged(_metadata, self, "a call that cannot tell");
}

/* Contexts do not see each other's dynirqs. */
TEST_F(dynirq_negative, dynirq_of_another_context)
{
	uint32_t handles[2] = { HANDLE, FREE_HANDLE };
	struct irqx_table dynirq = self->dynirq;
	char label[KVM_IRQX_LABEL_SIZE];

	dynirq.ctx = irqx_context(self->g->vm);
	EXPECT_EQ(__irqx_handle_alloc(&dynirq, FREE_HANDLE, "x"), ENOENT);
	EXPECT_EQ(__irqx_handle_label(&dynirq, OWNED, "x"), ENOENT);
	EXPECT_EQ(__irqx_handle_get(&dynirq, OWNED, label), ENOENT);
	EXPECT_EQ(__irqx_handle_free(&dynirq, OWNED), ENOENT);
	EXPECT_EQ(__irqx_raise(&dynirq, HANDLE), ENOENT);
	EXPECT_EQ(__irqx_raise_many(&dynirq, handles, 2), ENOENT);
	EXPECT_EQ(__irqx_table_set_flags(&dynirq, 0), ENOENT);
	EXPECT_EQ(__irqx_table_destroy(&dynirq), ENOENT);
	EXPECT_EQ(__irqx_dynirq_header_put(&dynirq, self->before.headers[0]), ENOENT);
	close(dynirq.ctx);
	expect_unchanged(_metadata, self, "another context");
}

/* It takes one place of the bus, a table two. */
TEST_F_TIMEOUT(dynirq_negative, bus_is_full_enospc, 120)
{
	static uint32_t ids[1010];
	struct kvm_irqx_error error;
	union call_arg arg;
	uint32_t n;
	int err = 0;

	for (n = 0; n < ARRAY_SIZE(ids); n++) {
		error = irqx_stale_error();
		base_arg(self, CREATE, &arg, &error);
		arg.table.nr = 1;
		arg.table.entries = FREE_GPA + n * 0x3000;
		err = __irqx_ioctl(self->ctx, KVM_IRQX_TABLE, &arg);
		if (err)
			break;
		ids[n] = arg.table.table;
	}
	EXPECT_LT(520, n);
	EXPECT_EQ(err, ENOSPC);
	EXPECT_EQ(error.arg, KVM_IRQX_ARG_CONTEXT);
	EXPECT_EQ(error.reason, KVM_IRQX_REASON_LIMIT);
	error = irqx_stale_error();
	base_arg(self, MOVE, &arg, &error);
	arg.table.entries = FREE_GPA + n * 0x3000;
	EXPECT_EQ(__irqx_ioctl(self->ctx, KVM_IRQX_TABLE, &arg), ENOSPC);
	EXPECT_EQ(error.arg, KVM_IRQX_ARG_CONTEXT);
	EXPECT_EQ(error.reason, KVM_IRQX_REASON_LIMIT);
	while (n--) {
		arg.table = (struct kvm_irqx_table){
			.op = KVM_IRQX_TABLE_DESTROY, .table = ids[n],
		};
		irqx_assert(__irqx_ioctl(self->ctx, KVM_IRQX_TABLE, &arg));
	}
	expect_unchanged(_metadata, self, "a full bus");
}

/*
 * VMs that lack something
 */

static int create_in(int ctx, struct kvm_irqx_error *error)
{
	struct kvm_irqx_table args = {
		.op = KVM_IRQX_TABLE_CREATE_DYNIRQ,
		.nr = 4,
		.changefd = KVM_IRQX_NO_FD,
		.entries = FREE_GPA,
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

TEST(not_attached_enotconn)
{
	struct kvm_irqx_handle handle = {};
	struct kvm_irqx_raise raise = {};
	struct kvm_irqx_error error;
	int ctx = irqx_open();

	EXPECT_EQ(create_in(ctx, &error), ENOTCONN);
	EXPECT_EQ(__irqx_ioctl(ctx, KVM_IRQX_HANDLE, &handle), ENOTCONN);
	EXPECT_EQ(__irqx_ioctl(ctx, KVM_IRQX_RAISE, &raise), ENOTCONN);
	close(ctx);
}

#ifdef __aarch64__
/* A VGICv2 has no ITS, and a VGICv3 has one if the VMM makes it. */
TEST(no_its_enodev)
{
	bool v2 = irqx_gic_version() == 2;
	struct irqx_guest *g = v2 ? irqx_guest_create(1) : NULL;
	struct kvm_vm *vm = v2 ? g->vm : vm_create_barebones();
	struct kvm_irqx_error error;
	int ctx = irqx_context(vm);

	if (!v2)
		irqx_irqchip_create(vm);
	EXPECT_EQ(create_in(ctx, &error), ENODEV);
	EXPECT_EQ(error.arg, KVM_IRQX_ARG_CONTEXT);
	EXPECT_EQ(error.reason, KVM_IRQX_REASON_NO_ITS);
	close(ctx);
	if (v2)
		irqx_guest_free(g);
	else
		kvm_vm_free(vm);
}
#endif

TEST_HARNESS_MAIN

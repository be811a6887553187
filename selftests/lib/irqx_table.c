// SPDX-License-Identifier: GPL-2.0
/*
 * See irqx_table.h.
 */
#include "arch.h"
#include "irqx_table.h"

/*
 * QEMU 7.2 forgets the interrupt shadow of a nested guest when that is entered again, so that
 * an interrupt can come between sti and hlt: who waits rings again.
 */
#define RING_MS	20

enum op {
	OP_NONE,
	OP_READ,
	OP_WRITE,
	OP_TOUCH,			/* a read, with interrupts off */
	OP_CALL,
	OP_MOVES,
	OP_MASKS,
	OP_NOISE,
	OP_LOOP,
};

/* In guest memory, one per vCPU; the host writes @op last. */
static struct mailbox {
	uint32_t op;
	uint32_t len;
	uint64_t where;
	uint64_t what;
	uint64_t n;
	uint64_t done;
	uint64_t end;			/* no more than that */
	struct irqx_vector_message to[2];
} mailboxes[IRQX_MAX_VCPUS];

struct irqx_exits irqx_exits;
void (*irqx_exit_hook)(struct irqx_vcpu *v, void *arg);
void *irqx_exit_hook_arg;

/*
 * The guest
 */

uint64_t irqx_guest_read(uint64_t where, uint32_t len)
{
	switch (len) {
	case 1:
		return *(volatile uint8_t *)where;
	case 2:
		return *(volatile uint16_t *)where;
	case 4:
		return *(volatile uint32_t *)where;
	default:
		return *(volatile uint64_t *)where;
	}
}

void irqx_guest_write(uint64_t where, uint32_t len, uint64_t value)
{
	switch (len) {
	case 1:
		*(volatile uint8_t *)where = value;
		break;
	case 2:
		*(volatile uint16_t *)where = value;
		break;
	case 4:
		*(volatile uint32_t *)where = value;
		break;
	default:
		*(volatile uint64_t *)where = value;
	}
}

static void guest_set_mask(uint64_t entry, bool masked)
{
	irqx_guest_write(entry + IRQX_ENTRY_CONTROL, 4, masked);
	/* It has got there when it can be read back. */
	GUEST_ASSERT_EQ(irqx_guest_read(entry + IRQX_ENTRY_CONTROL, 4), masked);
}

static void guest_move(uint64_t entry, const struct irqx_vector_message *to)
{
	guest_set_mask(entry, true);
	irqx_guest_write(entry + IRQX_ENTRY_ADDRESS, 4, (uint32_t)to->address);
	irqx_guest_write(entry + IRQX_ENTRY_UPPER, 4, to->address >> 32);
	irqx_guest_write(entry + IRQX_ENTRY_DATA, 4, to->data);
	guest_set_mask(entry, false);
}

static void guest_noise(struct mailbox *m, struct irqx_random *random)
{
	uint32_t len = 1U << irqx_random_below(random, 4);
	uint64_t where = m->where + irqx_random_below(random, m->what);

	if (irqx_random_below(random, 2))
		irqx_guest_read(where, len);
	else
		irqx_guest_write(where, len, (uint64_t)irqx_random_next(random) << 32 |
					     irqx_random_next(random));
}

static void guest_op(struct mailbox *m)
{
	struct irqx_random random = irqx_random(1, m->n);
	uint64_t i;

	switch (m->op) {
	case OP_READ:
	case OP_TOUCH:
		m->what = irqx_guest_read(m->where, m->len);
		break;
	case OP_CALL:
		m->what = ((uint64_t (*)(uint64_t))m->where)(m->what);
		break;
	case OP_WRITE:
		irqx_guest_write(m->where, m->len, m->what);
		break;
	default:
		for (i = 0; i < m->n && i < READ_ONCE(m->end); i++) {
			if (m->op == OP_MOVES) {
				guest_move(m->where, &m->to[(i + 1) % 2]);
			} else if (m->op == OP_MASKS) {
				guest_set_mask(m->where, true);
				guest_set_mask(m->where, false);
			} else if (m->op == OP_LOOP) {
				((void (*)(uint64_t, uint64_t))m->where)(m->what, i);
			} else {
				guest_noise(m, &random);
			}
			WRITE_ONCE(m->done, i + 1);
		}
	}
}

void irqx_table_guest(void)
{
	struct mailbox *m = &mailboxes[irqx_guest_vcpu()];

	for (;;) {
		/* Interrupts are off from the look at it to the wait. */
		if (!__atomic_load_n(&m->op, __ATOMIC_ACQUIRE)) {
			irqx_guest_halt();
			continue;
		}
		irqx_guest_irqs(m->op != OP_TOUCH);
		guest_op(m);
		irqx_guest_irqs(false);
		__atomic_store_n(&m->op, OP_NONE, __ATOMIC_RELEASE);
	}
}

/*
 * The host
 */

static struct mailbox *mailbox_of(struct irqx_guest *g, uint32_t vcpu)
{
	struct mailbox *all = addr_gva2hva(g->vm, (vm_vaddr_t)mailboxes);

	return &all[vcpu];
}

void irqx_table_exit(struct irqx_vcpu *v)
{
	struct kvm_run *run = v->vcpu->run;
	const uint64_t value = IRQX_VMMS_VALUE;

	TEST_ASSERT(run->exit_reason == KVM_EXIT_MMIO, "vCPU %u: unexpected exit %s",
		    v->vcpu->id, exit_reason_str(run->exit_reason));
	if (irqx_exit_hook) {
		irqx_exit_hook(v, irqx_exit_hook_arg);
		return;
	}
	irqx_exits.gpa = run->mmio.phys_addr;
	irqx_exits.len = run->mmio.len;
	irqx_exits.is_write = run->mmio.is_write;
	irqx_exits.value = 0;
	memcpy(&irqx_exits.value, run->mmio.data, run->mmio.len);
	if (!run->mmio.is_write)
		memcpy(run->mmio.data, &value, run->mmio.len);
	__atomic_add_fetch(&irqx_exits.nr, 1, __ATOMIC_SEQ_CST);
}

struct irqx_guest *irqx_table_guest_create(uint32_t nr_vcpus)
{
	struct irqx_guest *g = __irqx_guest_create(nr_vcpus, NULL, IRQX_GUEST_ARCH_TABLE);

	virt_map(g->vm, IRQX_TABLE_GPA, IRQX_TABLE_GPA, IRQX_TABLE_PAGES);
	memset(&irqx_exits, 0, sizeof(irqx_exits));
	return g;
}

int __irqx_table_create(int ctx, struct irqx_table *table, uint32_t flags, int changefd)
{
	struct kvm_irqx_table args = {
		.op = KVM_IRQX_TABLE_CREATE,
		.flags = flags,
		.nr = table->nr,
		.devid = irqx_table_devid(),
		.changefd = changefd,
		.entries = table->entries,
		.pba = table->pba,
	};
	int err = __irqx_ioctl(ctx, KVM_IRQX_TABLE, &args);

	table->ctx = ctx;
	table->id = args.table;
	return err;
}

struct irqx_table irqx_table_create(int ctx, uint32_t nr)
{
	struct irqx_table table = {
		.nr = nr,
		.entries = IRQX_TABLE_GPA,
		.pba = IRQX_TABLE_GPA + nr * IRQX_ENTRY_SIZE,
	};

	table.pba = (table.pba + 0xfff) & ~0xfffULL;
	irqx_assert(__irqx_table_create(ctx, &table, IRQX_TABLE_ON, KVM_IRQX_NO_FD));
	return table;
}

int __irqx_table_move(struct irqx_table *table, uint64_t entries, uint64_t pba)
{
	struct kvm_irqx_table args = {
		.op = KVM_IRQX_TABLE_MOVE,
		.table = table->id,
		.entries = entries,
		.pba = pba,
	};
	int err = __irqx_ioctl(table->ctx, KVM_IRQX_TABLE, &args);

	if (!err) {
		table->entries = entries;
		table->pba = pba;
	}
	return err;
}

int __irqx_table_set_flags(struct irqx_table *table, uint32_t flags)
{
	struct kvm_irqx_table args = {
		.op = KVM_IRQX_TABLE_SET,
		.table = table->id,
		.flags = flags,
	};

	return __irqx_ioctl(table->ctx, KVM_IRQX_TABLE, &args);
}

int __irqx_table_destroy(struct irqx_table *table)
{
	struct kvm_irqx_table args = {
		.op = KVM_IRQX_TABLE_DESTROY,
		.table = table->id,
	};

	return __irqx_ioctl(table->ctx, KVM_IRQX_TABLE, &args);
}

static struct kvm_irqx_table_state state_of(struct irqx_table *table)
{
	return (struct kvm_irqx_table_state){
		.version = KVM_IRQX_TABLE_STATE_VERSION,
		.table = table->id,
		.nr = table->nr,
		.vector_size = sizeof(struct kvm_irqx_vector),
	};
}

uint32_t irqx_table_get(struct irqx_table *table, struct kvm_irqx_vector *vectors,
			uint64_t *changed)
{
	struct kvm_irqx_table_state state = state_of(table);

	state.vectors = (uintptr_t)vectors;
	state.changed = (uintptr_t)changed;
	irqx_assert(__irqx_ioctl(table->ctx, KVM_IRQX_GET_TABLE, &state));
	return state.function;
}

int __irqx_table_put(struct irqx_table *table, uint32_t first, uint32_t nr,
		     const struct kvm_irqx_vector *vectors, int function)
{
	struct kvm_irqx_table_state state = state_of(table);

	state.first = first;
	state.nr = nr;
	state.vectors = (uintptr_t)vectors;
	if (function >= 0) {
		state.flags = KVM_IRQX_TABLE_STATE_FUNCTION;
		state.function = function;
	}
	return __irqx_ioctl(table->ctx, KVM_IRQX_SET_TABLE, &state);
}

int __irqx_table_drop_pending(struct irqx_table *table)
{
	uint32_t i, nr = table->nr < KVM_IRQX_MAX_VECTORS ? table->nr : KVM_IRQX_MAX_VECTORS;
	struct kvm_irqx_vector *none = calloc(nr, sizeof(*none));
	int err;

	for (i = 0; i < nr; i++)
		none[i].control = 1;
	err = __irqx_table_put(table, 0, nr, none, -1);
	free(none);
	return err;
}

int __irqx_vector_keep(struct irqx_table *table, uint32_t vector,
		       struct kvm_irqx_vector entry, uint32_t flags)
{
	struct kvm_irqx_table_state state = state_of(table);

	state.first = vector;
	state.nr = 1;
	state.flags = flags;
	state.vectors = (uintptr_t)&entry;
	return __irqx_ioctl(table->ctx, KVM_IRQX_SET_TABLE, &state);
}

struct kvm_irqx_vector irqx_vector_get(struct irqx_table *table, uint32_t vector)
{
	struct kvm_irqx_table_state state = state_of(table);
	struct kvm_irqx_vector out = {};

	state.first = vector;
	state.nr = 1;
	state.vectors = (uintptr_t)&out;
	irqx_assert(__irqx_ioctl(table->ctx, KVM_IRQX_GET_TABLE, &state));
	return out;
}

void irqx_vector_put(struct irqx_table *table, uint32_t vector, struct kvm_irqx_vector state)
{
	irqx_assert(__irqx_table_put(table, vector, 1, &state, -1));
}

struct kvm_irq_routing_entry irqx_message_entry(uint64_t address, uint32_t data)
{
	return (struct kvm_irq_routing_entry){
		.type = KVM_IRQ_ROUTING_MSI,
		.flags = irqx_table_devid() ? KVM_MSI_VALID_DEVID : 0,
		.u.msi = {
			.address_lo = address,
			.address_hi = address >> 32,
			.data = data,
			.devid = irqx_table_devid(),
		},
	};
}

struct kvm_irq_routing_entry irqx_vector_entry(struct irqx_table *table, uint32_t vector)
{
	return (struct kvm_irq_routing_entry){
		.type = KVM_IRQX_ROUTING_VECTOR,
		.u.irqchip.irqchip = table->id,
		.u.irqchip.pin = vector,
	};
}

/* ---- what the guest is told to do ---- */

static void op_start(struct irqx_guest *g, uint32_t vcpu, enum op op, struct mailbox args)
{
	struct mailbox *m = mailbox_of(g, vcpu);

	TEST_ASSERT(!irqx_guest_is_busy(g, vcpu), "vCPU %u has something to do", vcpu);
	args.op = OP_NONE;
	args.end = ~0ULL;
	*m = args;
	__atomic_store_n(&m->op, op, __ATOMIC_RELEASE);
	/* If it halts. */
	irqx_arch_fence(g, vcpu);
}

bool irqx_guest_is_busy(struct irqx_guest *g, uint32_t vcpu)
{
	return __atomic_load_n(&mailbox_of(g, vcpu)->op, __ATOMIC_ACQUIRE);
}

uint64_t irqx_guest_done(struct irqx_guest *g, uint32_t vcpu)
{
	return READ_ONCE(mailbox_of(g, vcpu)->done);
}

void irqx_guest_join(struct irqx_guest *g, uint32_t vcpu)
{
	uint64_t before, end;

	/* As long as it goes on. */
	do {
		before = irqx_guest_done(g, vcpu);
		end = irqx_now_ns() + IRQX_TIMEOUT_MS * 1000000ULL;
		do {
			if (irqx_wait_until(!irqx_guest_is_busy(g, vcpu), RING_MS))
				return;
			/* It may halt all the same: see RING_MS. */
			irqx_arch_fence(g, vcpu);
		} while (irqx_now_ns() < end);
	} while (irqx_guest_done(g, vcpu) != before);
	TEST_FAIL("vCPU %u is not done, after %lu", vcpu, before);
}

void irqx_guest_wait_begun(struct irqx_guest *g, uint32_t vcpu)
{
	uint64_t end = irqx_now_ns() + IRQX_TIMEOUT_MS * 1000000ULL;

	while (!irqx_wait_until(irqx_guest_done(g, vcpu), RING_MS)) {
		TEST_ASSERT(irqx_now_ns() < end, "vCPU %u does not begin", vcpu);
		irqx_arch_fence(g, vcpu);
	}
}

void irqx_guest_end(struct irqx_guest *g, uint32_t vcpu)
{
	WRITE_ONCE(mailbox_of(g, vcpu)->end, 0);
	irqx_guest_join(g, vcpu);
}

uint64_t irqx_mmio_read(struct irqx_guest *g, uint32_t vcpu, uint64_t gpa, uint32_t len)
{
	op_start(g, vcpu, OP_READ, (struct mailbox){ .where = gpa, .len = len });
	irqx_guest_join(g, vcpu);
	return mailbox_of(g, vcpu)->what;
}

void irqx_mmio_write(struct irqx_guest *g, uint32_t vcpu, uint64_t gpa, uint32_t len,
		     uint64_t value)
{
	op_start(g, vcpu, OP_WRITE,
		 (struct mailbox){ .where = gpa, .len = len, .what = value });
	irqx_guest_join(g, vcpu);
}

uint64_t irqx_guest_call(struct irqx_guest *g, uint32_t vcpu, uint64_t (*call)(uint64_t arg),
			 uint64_t arg)
{
	op_start(g, vcpu, OP_CALL, (struct mailbox){ .where = (uintptr_t)call, .what = arg });
	irqx_guest_join(g, vcpu);
	return mailbox_of(g, vcpu)->what;
}

void irqx_guest_touch_start(struct irqx_guest *g, uint32_t vcpu, uint64_t gpa)
{
	op_start(g, vcpu, OP_TOUCH, (struct mailbox){ .where = gpa, .len = 8 });
}

static uint64_t entry_at(const struct irqx_table *table, uint32_t vector)
{
	return table->entries + vector * IRQX_ENTRY_SIZE;
}

void irqx_vector_mask(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *table,
		      uint32_t vector, bool masked)
{
	irqx_mmio_write(g, vcpu, entry_at(table, vector) + IRQX_ENTRY_CONTROL, 4, masked);
}

void irqx_vector_program(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *table,
			 uint32_t vector, struct irqx_vector_message message)
{
	uint64_t entry = entry_at(table, vector);

	irqx_vector_mask(g, vcpu, table, vector, true);
	irqx_mmio_write(g, vcpu, entry + IRQX_ENTRY_ADDRESS, 4, (uint32_t)message.address);
	irqx_mmio_write(g, vcpu, entry + IRQX_ENTRY_UPPER, 4, message.address >> 32);
	irqx_mmio_write(g, vcpu, entry + IRQX_ENTRY_DATA, 4, message.data);
	irqx_vector_mask(g, vcpu, table, vector, false);
}

bool irqx_vector_pending(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *table,
			 uint32_t vector)
{
	uint64_t word = irqx_mmio_read(g, vcpu, table->pba + vector / 64 * 8, 8);

	return word >> vector % 64 & 1;
}

void irqx_vector_moves_start(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *table,
			     uint32_t vector, struct irqx_vector_message a,
			     struct irqx_vector_message b, uint64_t n)
{
	op_start(g, vcpu, OP_MOVES, (struct mailbox){
		.where = entry_at(table, vector), .n = n, .to = { a, b },
	});
}

void irqx_vector_masks_start(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *table,
			     uint32_t vector, uint64_t n)
{
	op_start(g, vcpu, OP_MASKS, (struct mailbox){
		.where = entry_at(table, vector), .n = n,
	});
}

void irqx_mmio_noise_start(struct irqx_guest *g, uint32_t vcpu, uint64_t start, uint64_t len,
			   uint64_t n)
{
	op_start(g, vcpu, OP_NOISE, (struct mailbox){
		.where = start, .what = len, .n = n,
	});
}

void irqx_guest_loop_start(struct irqx_guest *g, uint32_t vcpu,
			   void (*call)(uint64_t arg, uint64_t i), uint64_t arg, uint64_t n)
{
	op_start(g, vcpu, OP_LOOP, (struct mailbox){
		.where = (uintptr_t)call, .what = arg, .n = n,
	});
}

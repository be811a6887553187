// SPDX-License-Identifier: GPL-2.0
/*
 * See irqx_dynirq.h.
 */
#include "irqx_dynirq.h"

/*
 * The driver
 */

static uint32_t reg_read(const struct dynirq *d, uint32_t reg)
{
	return irqx_guest_read(d->base + reg, 4);
}

static void reg_write(const struct dynirq *d, uint32_t reg, uint32_t value)
{
	irqx_guest_write(d->base + reg, 4, value);
}

static uint64_t reg_read64(const struct dynirq *d, uint32_t reg)
{
	return irqx_guest_read(d->base + reg, 8);
}

/* 10.1, and 1 of what may not be there yet. */
bool dynirq_probe(struct dynirq *d, uint64_t base)
{
	*d = (struct dynirq){ .base = base };
	if (reg_read(d, DYNIRQ_IDENT) != DYNIRQ_IS_IDENT)
		return false;
	d->version = reg_read(d, DYNIRQ_VERSION);
	if (d->version >> 16 != DYNIRQ_MAJOR)
		return false;
	d->size = reg_read(d, DYNIRQ_SIZE);
	d->handles = reg_read(d, DYNIRQ_HANDLES);
	d->features = reg_read64(d, DYNIRQ_FEATURES);
	d->compact = reg_read(d, DYNIRQ_COMPACT);
	d->entries = reg_read(d, DYNIRQ_ENTRIES);
	d->devid = reg_read(d, DYNIRQ_DEVID);
	d->label_handle = reg_read(d, DYNIRQ_LABEL_HANDLE);
	d->instance = reg_read64(d, DYNIRQ_INSTANCE);
	return d->features & DYNIRQ_HAS_COMPACT && d->features & DYNIRQ_HAS_LABELS;
}

void dynirq_reset(const struct dynirq *d)
{
	reg_write(d, DYNIRQ_CONTROL, DYNIRQ_RESET);
}

void dynirq_off(const struct dynirq *d)
{
	reg_write(d, DYNIRQ_CONTROL, DYNIRQ_OFF);
}

void dynirq_set_doorbell(const struct dynirq *d, uint64_t address)
{
	irqx_guest_write(d->base + DYNIRQ_DOORBELL, 8, address);
}

static uint64_t compact_at(const struct dynirq *d, uint32_t handle)
{
	return d->base + d->compact + 8ULL * handle;
}

static uint64_t entry_at(const struct dynirq *d, uint32_t handle)
{
	return d->base + d->entries + 16ULL * handle;
}

/* 3, each by one write. */
void dynirq_map(const struct dynirq *d, uint32_t handle, struct irqx_vector_message message)
{
	irqx_guest_write(compact_at(d, handle), 8, dynirq_compact(message));
}

void dynirq_mask(const struct dynirq *d, uint32_t handle, bool masked)
{
	uint64_t value = irqx_guest_read(compact_at(d, handle), 8);

	value = masked ? value | DYNIRQ_MASKED : value & ~DYNIRQ_MASKED;
	irqx_guest_write(compact_at(d, handle), 8, value);
}

void dynirq_unmap(const struct dynirq *d, uint32_t handle)
{
	irqx_guest_write(compact_at(d, handle), 8, DYNIRQ_MASKED | DYNIRQ_DISCARD);
}

static void read_label(const struct dynirq *d, char *label)
{
	uint32_t i, dword;

	for (i = 0; i < DYNIRQ_LABEL_SIZE; i += 4) {
		dword = reg_read(d, DYNIRQ_LABEL + i);
		memcpy(label + i, &dword, 4);
	}
}

static void select_label(const struct dynirq *d, uint32_t handle, char *label)
{
	reg_write(d, DYNIRQ_LABEL_SELECT, handle);
	read_label(d, label);
}

/* 6 */
uint32_t dynirq_next_label(const struct dynirq *d, char *label)
{
	uint32_t handle = reg_read(d, DYNIRQ_LABEL_CHANGED);

	if (handle != DYNIRQ_NO_HANDLE)
		select_label(d, handle, label);
	return handle;
}

/*
 * What the host tells the guest to do, in guest memory
 */

#define NR_DEVICES	8
#define NR_SLOTS	512

static struct dynirq devices[NR_DEVICES];
static uint32_t nr_devices;

static struct call {
	uint64_t base;
	uint64_t doorbell;
	uint64_t value;
	uint32_t handle;
	uint32_t nr;
	struct irqx_vector_message to[2];
} calls[IRQX_MAX_VCPUS];

/* Of irqx_handles_map(): what is at each slot. */
static struct irqx_vector_message slots[NR_SLOTS];
static uint32_t nr_slots;

/* One at a time uses these registers (6). */
static struct irqx_label labels[IRQX_MAX_LABELS];

static struct dynirq *guest_find(uint64_t base)
{
	uint32_t i;

	for (i = 0; i < NR_DEVICES; i++)
		if (devices[i].base == base)
			return &devices[i];
	return NULL;
}

static struct dynirq *guest_device(const struct call *c)
{
	struct dynirq *d = guest_find(c->base);

	GUEST_ASSERT(d);
	return d;
}

static uint64_t guest_probe(uint64_t arg)
{
	struct call *c = (struct call *)arg;
	struct dynirq *d = guest_find(c->base);

	if (!d)
		d = &devices[nr_devices++ % NR_DEVICES];
	if (!dynirq_probe(d, c->base)) {
		d->base = 0;
		return false;
	}
	return true;
}

static uint64_t guest_attach(uint64_t arg)
{
	struct call *c = (struct call *)arg;

	if (!guest_probe(arg))
		return false;
	dynirq_reset(guest_device(c));
	dynirq_set_doorbell(guest_device(c), c->doorbell);
	return true;
}

static uint64_t guest_reset(uint64_t arg)
{
	dynirq_reset(guest_device((struct call *)arg));
	return 0;
}

static uint64_t guest_off(uint64_t arg)
{
	dynirq_off(guest_device((struct call *)arg));
	return 0;
}

static uint64_t guest_map(uint64_t arg)
{
	struct call *c = (struct call *)arg;

	dynirq_map(guest_device(c), c->handle, c->to[0]);
	return 0;
}

static uint64_t guest_mask(uint64_t arg)
{
	struct call *c = (struct call *)arg;

	dynirq_mask(guest_device(c), c->handle, c->value);
	return 0;
}

static uint64_t guest_unmap(uint64_t arg)
{
	struct call *c = (struct call *)arg;

	dynirq_unmap(guest_device(c), c->handle);
	return 0;
}

static void guest_map_to_slot(uint64_t arg, uint64_t i)
{
	struct call *c = (struct call *)arg;
	uint32_t handle = c->handle + i;

	dynirq_map(guest_device(c), handle, slots[handle % nr_slots]);
}

static void guest_move(uint64_t arg, uint64_t i)
{
	struct call *c = (struct call *)arg;

	dynirq_map(guest_device(c), c->handle, c->to[(i + 1) % 2]);
}

static void guest_mask_unmask(uint64_t arg, uint64_t i)
{
	struct call *c = (struct call *)arg;

	(void)i;
	dynirq_mask(guest_device(c), c->handle, true);
	dynirq_mask(guest_device(c), c->handle, false);
}

static uint64_t guest_labels(uint64_t arg)
{
	struct dynirq *d = guest_device((struct call *)arg);
	struct irqx_label label;
	uint32_t n;

	for (n = 0; n < IRQX_MAX_LABELS; n++) {
		label.handle = dynirq_next_label(d, label.text);
		if (label.handle == DYNIRQ_NO_HANDLE)
			break;
		labels[n] = label;
	}
	return n;
}

static uint64_t guest_select(uint64_t arg)
{
	struct call *c = (struct call *)arg;

	select_label(guest_device(c), c->handle, labels[0].text);
	labels[0].handle = c->handle;
	return 0;
}

static uint64_t guest_latched(uint64_t arg)
{
	struct dynirq *d = guest_device((struct call *)arg);

	labels[0].handle = reg_read(d, DYNIRQ_LABEL_SELECT);
	read_label(d, labels[0].text);
	return 0;
}

/*
 * The host
 */

uint64_t irqx_dynirq_size(uint32_t nr)
{
	const uint64_t page = 4096;

	return page + (8ULL * nr + page - 1) / page * page +
	       (16ULL * nr + page - 1) / page * page;
}

int __irqx_dynirq_create(int ctx, struct irqx_table *dynirq, uint32_t flags, int changefd)
{
	struct kvm_irqx_table args = {
		.op = KVM_IRQX_TABLE_CREATE_DYNIRQ,
		.flags = flags,
		.nr = dynirq->nr,
		.devid = irqx_table_devid(),
		.changefd = changefd,
		.entries = dynirq->entries,
	};
	int err = __irqx_ioctl(ctx, KVM_IRQX_TABLE, &args);

	dynirq->ctx = ctx;
	dynirq->id = args.table;
	return err;
}

struct irqx_table irqx_dynirq_create(int ctx, uint32_t nr)
{
	struct irqx_table dynirq = { .nr = nr, .entries = IRQX_TABLE_GPA };

	irqx_assert(__irqx_dynirq_create(ctx, &dynirq, KVM_IRQX_TABLE_DECODES,
					 KVM_IRQX_NO_FD));
	return dynirq;
}

int __irqx_handle(struct irqx_table *dynirq, uint32_t op, uint32_t *handle, char *label)
{
	struct kvm_irqx_handle args = {
		.op = op,
		.table = dynirq->id,
		.handle = *handle,
	};
	int err;

	if (label && op != KVM_IRQX_HANDLE_GET)
		memcpy(args.label, label, sizeof(args.label));
	err = __irqx_ioctl(dynirq->ctx, KVM_IRQX_HANDLE, &args);
	*handle = args.handle;
	if (label && op == KVM_IRQX_HANDLE_GET)
		memcpy(label, args.label, sizeof(args.label));
	return err;
}

static int handle_with_label(struct irqx_table *dynirq, uint32_t op, uint32_t *handle,
			     const char *text)
{
	char label[KVM_IRQX_LABEL_SIZE] = {};

	TEST_ASSERT(strlen(text) < sizeof(label), "label \"%s\"", text);
	memcpy(label, text, strlen(text));
	return __irqx_handle(dynirq, op, handle, label);
}

int __irqx_handle_alloc(struct irqx_table *dynirq, uint32_t handle, const char *label)
{
	return handle_with_label(dynirq, KVM_IRQX_HANDLE_ALLOC, &handle, label);
}

uint32_t irqx_handle_alloc_any(struct irqx_table *dynirq, const char *label)
{
	uint32_t handle = KVM_IRQX_ANY_HANDLE;

	irqx_assert(handle_with_label(dynirq, KVM_IRQX_HANDLE_ALLOC, &handle, label));
	return handle;
}

int __irqx_handle_free(struct irqx_table *dynirq, uint32_t handle)
{
	return __irqx_handle(dynirq, KVM_IRQX_HANDLE_FREE, &handle, NULL);
}

int __irqx_handle_label(struct irqx_table *dynirq, uint32_t handle, const char *label)
{
	return handle_with_label(dynirq, KVM_IRQX_HANDLE_LABEL, &handle, label);
}

int __irqx_handle_get(struct irqx_table *dynirq, uint32_t handle, char *label)
{
	return __irqx_handle(dynirq, KVM_IRQX_HANDLE_GET, &handle, label);
}

int __irqx_raise(struct irqx_table *dynirq, uint32_t handle)
{
	struct kvm_irqx_raise args = { .table = dynirq->id, .handle = handle };

	return __irqx_ioctl(dynirq->ctx, KVM_IRQX_RAISE, &args);
}

int __irqx_raise_many(struct irqx_table *dynirq, const uint32_t *handles, uint32_t nr)
{
	struct kvm_irqx_raise args = {
		.table = dynirq->id,
		.nr = nr,
		.handles = (uintptr_t)handles,
	};

	return __irqx_ioctl(dynirq->ctx, KVM_IRQX_RAISE, &args);
}

static struct kvm_irqx_table_state state_of(struct irqx_table *dynirq,
					    struct kvm_irqx_dynirq_header *header)
{
	return (struct kvm_irqx_table_state){
		.version = KVM_IRQX_TABLE_STATE_VERSION,
		.table = dynirq->id,
		.vector_size = sizeof(struct kvm_irqx_vector),
		.header = (uintptr_t)header,
	};
}

struct kvm_irqx_dynirq_header irqx_dynirq_header_get(struct irqx_table *dynirq)
{
	struct kvm_irqx_dynirq_header header = { .argsz = sizeof(header) };
	struct kvm_irqx_table_state args = state_of(dynirq, &header);

	irqx_assert(__irqx_ioctl(dynirq->ctx, KVM_IRQX_GET_TABLE, &args));
	return header;
}

int __irqx_dynirq_header_put(struct irqx_table *dynirq, struct kvm_irqx_dynirq_header header)
{
	struct kvm_irqx_table_state args = state_of(dynirq, &header);

	return __irqx_ioctl(dynirq->ctx, KVM_IRQX_SET_TABLE, &args);
}

/* @call has the handles from @first on, as many as one call may have. */
static void next_piece(struct irqx_table *dynirq, struct kvm_irqx_table_state *args,
		       struct kvm_irqx_vector *handles, uint32_t first)
{
	uint32_t nr = dynirq->nr - first;

	args->first = first;
	args->nr = nr < KVM_IRQX_MAX_VECTORS ? nr : KVM_IRQX_MAX_VECTORS;
	args->vectors = (uintptr_t)(handles + first);
}

void irqx_dynirq_get(struct irqx_table *dynirq, struct irqx_dynirq_state *state)
{
	struct kvm_irqx_table_state args;
	uint32_t first;

	state->header = (struct kvm_irqx_dynirq_header){ .argsz = sizeof(state->header) };
	args = state_of(dynirq, &state->header);
	for (first = 0; first < dynirq->nr; first += args.nr) {
		next_piece(dynirq, &args, state->handles, first);
		irqx_assert(__irqx_ioctl(dynirq->ctx, KVM_IRQX_GET_TABLE, &args));
		state->function = args.function;
		args.function = 0;
		args.header = 0;
	}
}

void irqx_dynirq_put(struct irqx_table *dynirq, const struct irqx_dynirq_state *state)
{
	struct kvm_irqx_dynirq_header header = state->header;
	struct kvm_irqx_table_state args = state_of(dynirq, &header);
	uint32_t first;

	args.flags = KVM_IRQX_TABLE_STATE_FUNCTION;
	args.function = state->function;
	for (first = 0; first < dynirq->nr; first += args.nr) {
		next_piece(dynirq, &args, state->handles, first);
		irqx_assert(__irqx_ioctl(dynirq->ctx, KVM_IRQX_SET_TABLE, &args));
		args.flags = 0;
		args.function = 0;
		args.header = 0;
	}
}

/* ---- what the guest is told to do ---- */

static struct call *call_of(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq)
{
	struct call *c = (struct call *)addr_gva2hva(g->vm, (vm_vaddr_t)calls) + vcpu;

	TEST_ASSERT(!irqx_guest_is_busy(g, vcpu), "vCPU %u has something to do", vcpu);
	*c = (struct call){ .base = dynirq->entries };
	return c;
}

static uint64_t run(struct irqx_guest *g, uint32_t vcpu, uint64_t (*call)(uint64_t arg))
{
	return irqx_guest_call(g, vcpu, call, (uintptr_t)&calls[vcpu]);
}

/* What the driver has found. */
static struct dynirq found(struct irqx_guest *g, struct irqx_table *dynirq)
{
	struct dynirq *all = addr_gva2hva(g->vm, (vm_vaddr_t)devices);
	uint32_t i;

	for (i = 0; i < NR_DEVICES; i++)
		if (all[i].base == dynirq->entries)
			return all[i];
	TEST_FAIL("the guest has no driver for 0x%lx", dynirq->entries);
	return (struct dynirq){};
}

struct dynirq irqx_dynirq_probe(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq)
{
	call_of(g, vcpu, dynirq);
	return run(g, vcpu, guest_probe) ? found(g, dynirq) : (struct dynirq){};
}

uint64_t irqx_dynirq_doorbell(struct irqx_guest *g)
{
	return irqx_vector_message(g, 0, IRQX_IRQ_MIN).address;
}

struct dynirq irqx_dynirq_attach(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq)
{
	call_of(g, vcpu, dynirq)->doorbell = irqx_dynirq_doorbell(g);
	TEST_ASSERT(run(g, vcpu, guest_attach), "no dynirq at 0x%lx", dynirq->entries);
	return found(g, dynirq);
}

void irqx_dynirq_reset(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq)
{
	call_of(g, vcpu, dynirq);
	run(g, vcpu, guest_reset);
}

void irqx_dynirq_off(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq)
{
	call_of(g, vcpu, dynirq);
	run(g, vcpu, guest_off);
}

void irqx_handle_map(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq,
		     uint32_t handle, struct irqx_vector_message message)
{
	struct call *c = call_of(g, vcpu, dynirq);

	c->handle = handle;
	c->to[0] = message;
	run(g, vcpu, guest_map);
}

void irqx_handle_mask(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq,
		      uint32_t handle, bool masked)
{
	struct call *c = call_of(g, vcpu, dynirq);

	c->handle = handle;
	c->value = masked;
	run(g, vcpu, guest_mask);
}

void irqx_handle_unmap(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq,
		       uint32_t handle)
{
	call_of(g, vcpu, dynirq)->handle = handle;
	run(g, vcpu, guest_unmap);
}

void irqx_handles_map(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq,
		      uint32_t first, uint32_t nr)
{
	struct irqx_vector_message *all = addr_gva2hva(g->vm, (vm_vaddr_t)slots);
	uint32_t *n = addr_gva2hva(g->vm, (vm_vaddr_t)&nr_slots);
	struct irqx_slot slot;
	uint32_t i;

	*n = irqx_nr_slots(g);
	TEST_ASSERT(*n <= NR_SLOTS, "%u slots", *n);
	for (i = 0; i < *n; i++) {
		slot = irqx_slot(g, i);
		all[i] = irqx_vector_message(g, slot.vcpu, slot.irq);
	}
	call_of(g, vcpu, dynirq)->handle = first;
	irqx_guest_loop_start(g, vcpu, guest_map_to_slot, (uintptr_t)&calls[vcpu], nr);
	irqx_guest_join(g, vcpu);
}

uint64_t irqx_handle_gpa(struct irqx_guest *g, struct irqx_table *dynirq, uint32_t handle)
{
	struct dynirq d = found(g, dynirq);

	return compact_at(&d, handle);
}

uint64_t irqx_handle_entry_gpa(struct irqx_guest *g, struct irqx_table *dynirq, uint32_t handle)
{
	struct dynirq d = found(g, dynirq);

	return entry_at(&d, handle);
}

uint64_t irqx_handle_read(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq,
			  uint32_t handle)
{
	return irqx_mmio_read(g, vcpu, irqx_handle_gpa(g, dynirq, handle), 8);
}

void irqx_handle_write(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq,
		       uint32_t handle, uint64_t value)
{
	irqx_mmio_write(g, vcpu, irqx_handle_gpa(g, dynirq, handle), 8, value);
}

struct irqx_table irqx_dynirq_as_table(struct irqx_guest *g, struct irqx_table *dynirq)
{
	struct irqx_table table = *dynirq;

	table.entries = irqx_handle_entry_gpa(g, dynirq, 0);
	return table;
}

void irqx_handle_moves_start(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq,
			     uint32_t handle, struct irqx_vector_message a,
			     struct irqx_vector_message b, uint64_t n)
{
	struct call *c = call_of(g, vcpu, dynirq);

	c->handle = handle;
	c->to[0] = a;
	c->to[1] = b;
	irqx_guest_loop_start(g, vcpu, guest_move, (uintptr_t)&calls[vcpu], n);
}

void irqx_handle_masks_start(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq,
			     uint32_t handle, uint64_t n)
{
	call_of(g, vcpu, dynirq)->handle = handle;
	irqx_guest_loop_start(g, vcpu, guest_mask_unmask, (uintptr_t)&calls[vcpu], n);
}

static struct irqx_label *labels_of(struct irqx_guest *g)
{
	return addr_gva2hva(g->vm, (vm_vaddr_t)labels);
}

uint32_t irqx_dynirq_labels(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq,
			    struct irqx_label *out, uint32_t max)
{
	uint32_t n;

	TEST_ASSERT(max <= IRQX_MAX_LABELS, "%u labels", max);
	call_of(g, vcpu, dynirq);
	n = run(g, vcpu, guest_labels);
	memcpy(out, labels_of(g), (n < max ? n : max) * sizeof(*out));
	return n;
}

struct irqx_label irqx_dynirq_select(struct irqx_guest *g, uint32_t vcpu,
				     struct irqx_table *dynirq, uint32_t handle)
{
	call_of(g, vcpu, dynirq)->handle = handle;
	run(g, vcpu, guest_select);
	return *labels_of(g);
}

struct irqx_label irqx_dynirq_latched(struct irqx_guest *g, uint32_t vcpu,
				      struct irqx_table *dynirq)
{
	call_of(g, vcpu, dynirq);
	run(g, vcpu, guest_latched);
	return *labels_of(g);
}

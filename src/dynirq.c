// SPDX-License-Identifier: GPL-2.0
/*
 * dynirq: a table of handles that the guest alone owns, with a header of its own in front and
 * no PCI around it.  What the guest sees is in Documentation/dynirq.rst, whose sections are
 * cited as [n].
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "arch/arch.h"
#include "context.h"
#include "dynirq.h"
#include "error.h"
#include "raise.h"
#include "table.h"
#include "vector.h"
#include "vm.h"

/* The first of the three parts of the range is the header [1]. */
#define COMPACT_OFFSET		IRQX_DYNIRQ_ALIGN
#define COMPACT_SIZE		sizeof(u64)

/* Registers [2]. */
enum {
	REG_IDENT		= 0x00,
	REG_VERSION		= 0x04,
	REG_SIZE		= 0x08,
	REG_HANDLES		= 0x0c,
	REG_FEATURES		= 0x10,
	REG_COMPACT		= 0x18,
	REG_ENTRIES		= 0x1c,
	REG_STATUS		= 0x20,
	REG_CONTROL		= 0x24,
	REG_DEVID		= 0x28,
	REG_LABEL_HANDLE	= 0x2c,
	REG_DOORBELL_LO		= 0x30,
	REG_DOORBELL_HI		= 0x34,
	REG_INSTANCE_LO		= 0x38,
	REG_INSTANCE_HI		= 0x3c,
	REG_LABEL_SELECT	= 0x40,
	REG_LABEL_CHANGED	= 0x44,
	REG_LABEL		= 0x60,
};

#define IDENT			0x58515249	/* "IRQX" */
#define VERSION			0x00010000
#define FEATURE_COMPACT		BIT(0)
#define FEATURE_LABELS		BIT(1)
#define STATUS_LABELS_CHANGED	BIT(0)
#define CONTROL_RESET		1
#define CONTROL_OFF		2
#define NO_HANDLE		(~0U)

/* Of a handle in the compact form [3]. */
#define COMPACT_MASKED		BIT_ULL(48)
#define COMPACT_DISCARD		BIT_ULL(49)
#define COMPACT_PENDING		BIT_ULL(50)
#define COMPACT_PARTIAL		BIT_ULL(51)

/* Tells the guest of labels [6]. */
#define LABEL_HANDLE		0
static const u8 label_of_labels[KVM_IRQX_LABEL_SIZE] = "kvm-irqx labels";

struct label {
	u8 bytes[KVM_IRQX_LABEL_SIZE];
};

struct irqx_dynirq {
	u64 instance;			/* table.lock, as are */
	u64 doorbell;			/* this, */
	u32 select;			/* this, */
	struct label selected;		/* and this: what the guest reads */
	/* struct label of each handle that has an owner; context.lock and table.lock */
	struct xarray labels;
	unsigned long *label_changed;	/* a bit a handle; table.lock */
};

static u32 entries_offset(u32 nr)
{
	return COMPACT_OFFSET + ALIGN(nr * COMPACT_SIZE, IRQX_DYNIRQ_ALIGN);
}

/* Of the whole range, in bytes. */
u32 irqx_dynirq_size(u32 nr)
{
	return entries_offset(nr) + ALIGN(nr * IRQX_ENTRY_SIZE, IRQX_DYNIRQ_ALIGN);
}

/* ---- labels; table.lock is held ---- */

static const struct label *label_of(const struct irqx_table *table, u32 handle)
{
	static const struct label none;
	const struct label *label = NULL;

	/* The guest chooses it. */
	if (handle < table->nr)
		label = xa_load(&table->dynirq->labels,
				array_index_nospec(handle, table->nr));
	return label ?: &none;
}

static void label_select(struct irqx_table *table, u32 handle)
{
	struct irqx_dynirq *dynirq = table->dynirq;

	dynirq->select = handle;
	dynirq->selected = *label_of(table, handle);
}

static u32 first_label_changed(const struct irqx_table *table)
{
	u32 handle = find_first_bit(table->dynirq->label_changed, table->nr);

	return handle < table->nr ? handle : NO_HANDLE;
}

bool irqx_dynirq_label_changed(const struct irqx_table *table, u32 handle)
{
	return test_bit(handle, table->dynirq->label_changed);
}

void irqx_dynirq_set_label_changed(struct irqx_table *table, u32 handle, bool changed)
{
	__assign_bit(handle, table->dynirq->label_changed, changed);
}

/* ---- the guest's accesses ---- */

static u32 header_dword(const struct irqx_table *table, u32 offset)
{
	const struct irqx_dynirq *dynirq = table->dynirq;
	u32 dword;

	switch (offset) {
	case REG_IDENT:
		return IDENT;
	case REG_VERSION:
		return VERSION;
	case REG_SIZE:
		return irqx_dynirq_size(table->nr);
	case REG_HANDLES:
		return table->nr;
	case REG_FEATURES:
		return FEATURE_COMPACT | FEATURE_LABELS;
	case REG_COMPACT:
		return COMPACT_OFFSET;
	case REG_ENTRIES:
		return entries_offset(table->nr);
	case REG_STATUS:
		return first_label_changed(table) == NO_HANDLE ? 0 : STATUS_LABELS_CHANGED;
	case REG_DEVID:
		return irqx_arch_devid(table->devid);
	case REG_LABEL_HANDLE:
		return LABEL_HANDLE;
	case REG_DOORBELL_LO:
		return dynirq->doorbell;
	case REG_DOORBELL_HI:
		return dynirq->doorbell >> 32;
	case REG_INSTANCE_LO:
		return dynirq->instance;
	case REG_INSTANCE_HI:
		return dynirq->instance >> 32;
	case REG_LABEL_SELECT:
		return dynirq->select;
	case REG_LABEL_CHANGED:
		return first_label_changed(table);
	case REG_LABEL ... REG_LABEL + KVM_IRQX_LABEL_SIZE - sizeof(dword):
		memcpy(&dword, dynirq->selected.bytes +
		       array_index_nospec(offset - REG_LABEL, KVM_IRQX_LABEL_SIZE),
		       sizeof(dword));
		return le32_to_cpu((__force __le32)dword);
	default:
		return 0;
	}
}

static struct irqx_vector *compact_vector(struct irqx_table *table, u32 offset)
{
	u32 handle = (offset - COMPACT_OFFSET) / COMPACT_SIZE;

	return &table->vectors[array_index_nospec(handle, table->nr)];
}

static u64 compact_get(struct irqx_table *table, u32 offset)
{
	const struct irqx_vector *vector = compact_vector(table, offset);
	const u32 *dwords = vector->dwords;
	u64 compact, address;
	bool partial;

	address = (u64)dwords[IRQX_ADDRESS_HI] << 32 | dwords[IRQX_ADDRESS_LO];
	compact = irqx_arch_pack_message(address, dwords[IRQX_DATA],
					 table->dynirq->doorbell, &partial);
	if (dwords[IRQX_CONTROL] & IRQX_CONTROL_MASKED)
		compact |= COMPACT_MASKED;
	if (irqx_vector_is_pending(vector))
		compact |= COMPACT_PENDING;
	if (partial)
		compact |= COMPACT_PARTIAL;
	return compact;
}

static bool is_compact(const struct irqx_table *table, u32 offset)
{
	return offset >= COMPACT_OFFSET &&
	       offset < COMPACT_OFFSET + table->nr * COMPACT_SIZE;
}

static bool is_entry(const struct irqx_table *table, u32 offset)
{
	u32 start = entries_offset(table->nr);

	return offset >= start && offset < start + table->nr * IRQX_ENTRY_SIZE;
}

static u32 dynirq_dword(struct irqx_table *table, u32 offset)
{
	if (is_compact(table, offset))
		return compact_get(table, offset) >> (offset % COMPACT_SIZE * BITS_PER_BYTE);
	if (is_entry(table, offset))
		return irqx_entry_dword(table, offset - entries_offset(table->nr));
	return header_dword(table, offset);
}

/* All at once: no masking before and after. */
static void compact_write(struct irqx_table *table, u32 offset, u64 compact,
			  struct irqx_leave *leave)
{
	struct irqx_vector *vector = compact_vector(table, offset);
	u64 address;
	bool changed;
	u32 data;

	irqx_arch_unpack_message(compact, table->dynirq->doorbell, &address, &data);
	changed = irqx_vector_store_all(vector, address, data,
					compact & COMPACT_MASKED ? IRQX_CONTROL_MASKED : 0);
	/* Before it may be sent by the new message. */
	if (compact & COMPACT_DISCARD)
		irqx_target_set_pending(&vector->target, false);
	irqx_vector_stored(vector, changed, leave);
}

/* [7] */
static void dynirq_reset(struct irqx_table *table, struct irqx_leave *leave)
{
	struct irqx_dynirq *dynirq = table->dynirq;
	unsigned long handle;
	struct label *label;
	u32 i;

	for (i = 0; i < table->nr; i++) {
		irqx_vector_reset(&table->vectors[i], leave);
		if (i % 64 == 63)
			cond_resched();
	}
	dynirq->doorbell = 0;
	label_select(table, 0);
	bitmap_zero(dynirq->label_changed, table->nr);
	xa_for_each(&dynirq->labels, handle, label)
		__set_bit(handle, dynirq->label_changed);
}

static void set_half(u64 *value, bool high, u32 half)
{
	*value = high ? (u64)half << 32 | (u32)*value : (*value >> 32 << 32) | half;
}

/* Return: whether the VMM is to be told. */
static bool control_write(struct irqx_table *table, u32 value, struct irqx_leave *leave)
{
	switch (value) {
	case CONTROL_RESET:
		dynirq_reset(table, leave);
		return true;
	case CONTROL_OFF:
		irqx_table_store_flags(table, table->flags & ~KVM_IRQX_TABLE_DECODES);
		return true;
	default:
		return false;
	}
}

/* Return: as control_write(). */
static bool header_write(struct irqx_table *table, u32 offset, u32 value,
			 struct irqx_leave *leave)
{
	switch (offset) {
	case REG_CONTROL:
		return control_write(table, value, leave);
	case REG_DOORBELL_LO:
	case REG_DOORBELL_HI:
		set_half(&table->dynirq->doorbell, offset == REG_DOORBELL_HI, value);
		return false;
	case REG_LABEL_SELECT:
		label_select(table, value);
		if (value < table->nr)
			irqx_dynirq_set_label_changed(table, array_index_nospec(value, table->nr),
						      false);
		return false;
	default:
		return false;
	}
}

/* Return: as control_write(). */
static bool dynirq_store(struct irqx_table *table, u32 offset, u32 len, u64 value,
			 struct irqx_leave *leave)
{
	u32 start = entries_offset(table->nr);
	bool tell;

	if (!irqx_access_is_defined(offset, len) ||
	    (is_compact(table, offset) && len != COMPACT_SIZE)) {
		table->undefined++;
		return false;
	}
	if (is_compact(table, offset)) {
		compact_write(table, offset, value, leave);
		return false;
	}
	if (is_entry(table, offset)) {
		irqx_vector_write(irqx_vector_at(table, offset - start), offset - start, len,
				  value, leave);
		return false;
	}
	tell = header_write(table, offset, value, leave);
	if (len == sizeof(u64))
		tell |= header_write(table, offset + sizeof(u32), value >> 32, leave);
	return tell;
}

static int dynirq_read(struct kvm_vcpu *vcpu, struct kvm_io_device *device, gpa_t addr,
		       int len, void *to)
{
	struct irqx_window *window = irqx_window_of(device);
	struct irqx_table *table = irqx_table_enter(window, 0);

	if (!table)
		return -EOPNOTSUPP;
	irqx_table_read(table, dynirq_dword, addr - window->start, len, to);
	mutex_unlock(&table->lock);
	return 0;
}

/* Context: as entries_write() of table.c; it waits for the handles that it has changed. */
static int dynirq_write(struct kvm_vcpu *vcpu, struct kvm_io_device *device, gpa_t addr,
			int len, const void *from)
{
	struct irqx_window *window = irqx_window_of(device);
	struct irqx_table *table = irqx_table_enter(window, 0);
	struct irqx_leave leave = {};
	bool tell;

	if (!table)
		return -EOPNOTSUPP;
	tell = dynirq_store(table, addr - window->start, len,
			    irqx_access_value(from, len), &leave);
	mutex_unlock(&table->lock);
	irqx_table_leave(table, tell, &leave);
	return 0;
}

const struct kvm_io_device_ops irqx_dynirq_ops = {
	.read = dynirq_read,
	.write = dynirq_write,
};

/* ---- its state; table.lock is held ---- */

void irqx_dynirq_get_header(const struct irqx_table *table,
			    struct kvm_irqx_dynirq_header *header)
{
	const struct irqx_dynirq *dynirq = table->dynirq;

	header->select = dynirq->select;
	header->doorbell = dynirq->doorbell;
	header->instance = dynirq->instance;
	memcpy(header->label, dynirq->selected.bytes, sizeof(header->label));
}

void irqx_dynirq_set_header(struct irqx_table *table,
			    const struct kvm_irqx_dynirq_header *header)
{
	struct irqx_dynirq *dynirq = table->dynirq;

	dynirq->doorbell = header->doorbell;
	dynirq->instance = header->instance;
	dynirq->select = header->select;
	memcpy(dynirq->selected.bytes, header->label, sizeof(header->label));
}

/* ---- handles ---- */

/* Context: may sleep.  Return: of @nr handles, or NULL. */
struct irqx_dynirq *irqx_dynirq_alloc(u32 nr)
{
	struct irqx_dynirq *dynirq = kzalloc(sizeof(*dynirq), GFP_KERNEL_ACCOUNT);
	struct label *label;

	if (!dynirq)
		return NULL;
	xa_init_flags(&dynirq->labels, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	dynirq->instance = get_random_u64();
	dynirq->label_changed = bitmap_zalloc(nr, GFP_KERNEL_ACCOUNT);
	label = kmemdup(label_of_labels, sizeof(label_of_labels), GFP_KERNEL_ACCOUNT);
	if (!dynirq->label_changed || !label ||
	    xa_err(xa_store(&dynirq->labels, LABEL_HANDLE, label, GFP_KERNEL_ACCOUNT))) {
		kfree(label);
		irqx_dynirq_free(dynirq);
		return NULL;
	}
	__set_bit(LABEL_HANDLE, dynirq->label_changed);
	return dynirq;
}

/* Context: may sleep.  @dynirq: NULL is none. */
void irqx_dynirq_free(struct irqx_dynirq *dynirq)
{
	unsigned long handle;
	struct label *label;

	if (!dynirq)
		return;
	xa_for_each(&dynirq->labels, handle, label)
		kfree(label);
	xa_destroy(&dynirq->labels);
	bitmap_free(dynirq->label_changed);
	kfree(dynirq);
}

static bool label_is_whole(const u8 *label)
{
	size_t len = strnlen(label, KVM_IRQX_LABEL_SIZE);

	return len && len < KVM_IRQX_LABEL_SIZE &&
	       !memchr_inv(label + len, 0, KVM_IRQX_LABEL_SIZE - len);
}

/*
 * The handle has changed hands, or its label: the guest is told.  @label: the new one, which is
 * there already if it is that of an ALLOC; NULL: nobody owns it any more.
 */
static void handle_change(struct irqx_table *table, u32 handle, struct label *label)
{
	struct label *old;

	mutex_lock(&table->lock);
	/* What is there already takes no memory to replace. */
	old = label ? xa_store(&table->dynirq->labels, handle, label, GFP_KERNEL_ACCOUNT) :
		      xa_erase(&table->dynirq->labels, handle);
	if (old != label)
		kfree(old);
	irqx_dynirq_set_label_changed(table, handle, true);
	mutex_unlock(&table->lock);
	irqx_target_event(&table->vectors[LABEL_HANDLE].target);
}

static void handle_forget_event(struct irqx_table *table, u32 handle)
{
	mutex_lock(&table->lock);
	irqx_target_set_pending(&table->vectors[handle].target, false);
	mutex_unlock(&table->lock);
}

/*
 * irqx_dynirq_end_alloc() follows.  @handle: in: which, or KVM_IRQX_ANY_HANDLE.  Return: 0, -EBUSY,
 * -ENOSPC, -ENOMEM.
 */
static int handle_alloc(struct irqx_table *table, u32 *handle, const u8 *bytes,
			struct irqx_error *error)
{
	bool any = *handle == KVM_IRQX_ANY_HANDLE;
	struct xarray *labels = &table->dynirq->labels;
	struct label *label;
	int ret;

	label = kmemdup(bytes, sizeof(*label), GFP_KERNEL_ACCOUNT);
	if (!label)
		return -ENOMEM;
	if (any)
		ret = xa_alloc(labels, handle, label, XA_LIMIT(0, table->nr - 1),
			       GFP_KERNEL_ACCOUNT);
	else
		ret = xa_insert(labels, *handle, label, GFP_KERNEL_ACCOUNT);
	if (ret) {
		kfree(label);
		if (ret != -EBUSY)
			return ret;
		return any ? irqx_reject(error, -ENOSPC, IRQX_ARG_TABLE, IRQX_REASON_LIMIT) :
			     irqx_reject(error, ret, IRQX_ARG_HANDLE, IRQX_REASON_OWNED);
	}
	return 0;
}

static int handle_label(struct irqx_table *table, u32 handle, const u8 *bytes)
{
	struct label *label = kmemdup(bytes, sizeof(*label), GFP_KERNEL_ACCOUNT);

	if (!label)
		return -ENOMEM;
	handle_change(table, handle, label);
	return 0;
}

static int handle_free(struct irqx_table *table, u32 handle, struct irqx_error *error)
{
	if (table->vectors[handle].users)
		return irqx_reject(error, -EBUSY, IRQX_ARG_HANDLE, IRQX_REASON_VECTORS_BOUND);
	handle_forget_event(table, handle);
	handle_change(table, handle, NULL);
	return 0;
}

static int handle_check(const struct irqx_table *table, const struct kvm_irqx_handle *args,
			struct irqx_error *error)
{
	bool alloc = args->op == KVM_IRQX_HANDLE_ALLOC;

	if (!table->dynirq)
		return irqx_reject(error, -EINVAL, IRQX_ARG_TABLE, IRQX_REASON_NOT_A_DYNIRQ);
	if (alloc && args->handle == KVM_IRQX_ANY_HANDLE)
		return 0;
	if (args->handle >= table->nr)
		return irqx_reject(error, -EINVAL, IRQX_ARG_HANDLE, IRQX_REASON_OUT_OF_RANGE);
	if (args->handle == LABEL_HANDLE && args->op != KVM_IRQX_HANDLE_GET && !alloc)
		return irqx_reject(error, -EINVAL, IRQX_ARG_HANDLE, IRQX_REASON_OF_DYNIRQ);
	if (!alloc && !xa_load(&table->dynirq->labels, args->handle))
		return irqx_reject(error, -ENOENT, IRQX_ARG_HANDLE, IRQX_REASON_NOT_OWNED);
	return 0;
}

static int handle_run(struct irqx_table *table, struct kvm_irqx_handle *args,
		      struct irqx_error *error)
{
	switch (args->op) {
	case KVM_IRQX_HANDLE_ALLOC:
		return handle_alloc(table, &args->handle, args->label, error);
	case KVM_IRQX_HANDLE_LABEL:
		return handle_label(table, args->handle, args->label);
	case KVM_IRQX_HANDLE_FREE:
		return handle_free(table, args->handle, error);
	default:
		memcpy(args->label, label_of(table, args->handle)->bytes, sizeof(args->label));
		return 0;
	}
}

/**
 * irqx_dynirq_handle - who owns a handle
 * @ctx: the context, locked
 * @args: the caller's; its op, flags and padding are checked; out: the handle, the label
 * @error: filled in if it fails
 *
 * Context: may sleep.
 * Return: 0, -EINVAL, -ENOENT, -EBUSY, -ENOSPC, -ENOMEM.
 */
int irqx_dynirq_handle(struct irqx_context *ctx, struct kvm_irqx_handle *args,
		       struct irqx_error *error)
{
	bool labels = args->op == KVM_IRQX_HANDLE_ALLOC || args->op == KVM_IRQX_HANDLE_LABEL;
	struct irqx_table *table = irqx_table_find(ctx, args->table, error);
	int ret;

	if (IS_ERR(table))
		return PTR_ERR(table);
	ret = handle_check(table, args, error);
	if (ret)
		return ret;
	if (labels && !label_is_whole(args->label))
		return irqx_reject(error, -EINVAL, IRQX_ARG_LABEL, IRQX_REASON_UNKNOWN_VALUE);
	if (!labels && memchr_inv(args->label, 0, sizeof(args->label)))
		return irqx_reject(error, -EINVAL, IRQX_ARG_LABEL, IRQX_REASON_NOT_ZERO);
	if (args->handle != KVM_IRQX_ANY_HANDLE)
		args->handle = array_index_nospec(args->handle, table->nr);
	return handle_run(table, args, error);
}

/**
 * irqx_dynirq_find - a handle by its label
 * @table: a dynirq
 * @label: a string
 *
 * Context: may sleep.  Bounded: what holds table.lock does not wait for others.
 * Return: the lowest handle that its owner calls so, or -ENOENT.
 */
int irqx_dynirq_find(struct irqx_table *table, const char *label)
{
	struct label *owned;
	unsigned long handle;
	int ret = -ENOENT;

	mutex_lock(&table->lock);
	xa_for_each(&table->dynirq->labels, handle, owned) {
		if (strncmp(owned->bytes, label, sizeof(owned->bytes)))
			continue;
		ret = handle;
		break;
	}
	mutex_unlock(&table->lock);
	return ret;
}

/**
 * irqx_dynirq_end_alloc - the caller has learned which handle is its own, or cannot
 * @ctx: the context, locked; it may have been unlocked since
 * @args: of a KVM_IRQX_HANDLE_ALLOC, as irqx_dynirq_handle() has left it
 * @learned: the guest is told, too; else nobody owns the handle, and the guest never hears of it
 *
 * Context: may sleep.
 */
void irqx_dynirq_end_alloc(struct irqx_context *ctx, const struct kvm_irqx_handle *args,
			   bool learned)
{
	struct irqx_error ignored;
	struct irqx_table *table = irqx_table_find(ctx, args->table, &ignored);
	struct label *label;

	/* Other threads may have destroyed or freed it: then that is what the guest is told. */
	if (IS_ERR(table) || !table->dynirq || args->handle >= table->nr)
		return;
	label = xa_load(&table->dynirq->labels, args->handle);
	if (!label)
		return;
	if (learned) {
		handle_forget_event(table, args->handle);
		handle_change(table, args->handle, label);
		return;
	}
	mutex_lock(&table->lock);
	xa_erase(&table->dynirq->labels, args->handle);
	mutex_unlock(&table->lock);
	kfree(label);
}

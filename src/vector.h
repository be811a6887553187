/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_VECTOR_H
#define _IRQX_VECTOR_H

/*
 * The vectors of a table, as they are: for those that answer a guest's accesses to them, table.c
 * and dynirq.c.
 */

#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/refcount.h>

#include "bus.h"
#include "deliver.h"
#include "error.h"

struct eventfd_ctx;
struct irqx_context;
struct irqx_dynirq;
struct irqx_table;
struct kvm_irqx_vector;

/* The dwords of an entry, in their order (PCI 3.0, 6.8.2.6 to 6.8.2.9). */
enum irqx_dword {
	IRQX_ADDRESS_LO,
	IRQX_ADDRESS_HI,
	IRQX_DATA,
	IRQX_CONTROL,
	IRQX_NR_DWORDS
};

#define IRQX_ENTRY_SIZE		(IRQX_NR_DWORDS * sizeof(u32))

#define IRQX_CONTROL_MASKED	BIT(0)

struct irqx_vector {
	/* Masked while nothing shall be delivered: vector_is_held(). */
	struct irqx_target target;
	struct irqx_table *table;	/* immutable */
	raw_spinlock_t lock;		/* @target's */
	u32 dwords[IRQX_NR_DWORDS];	/* as the guest reads them; table.lock */
	u32 users;			/* what leads here; context.lock and table.lock */
	bool stale;			/* @target has another message; table.lock */
};

/* Where a table is; on KVM's bus. */
struct irqx_table_place {
	struct irqx_place place;
	struct irqx_table *table;	/* holds a reference; immutable */
};

struct irqx_table {
	struct irqx_vm *vm;		/* immutable, as are */
	u32 id;				/* this, */
	u32 nr;				/* this, */
	u32 devid;			/* this, */
	struct eventfd_ctx *changefd;	/* this, or NULL, */
	struct irqx_dynirq *dynirq;	/* and this; NULL: a PCI function's */
	refcount_t refs;		/* the context, each place, and modules of the host */
	/*
	 * A guest's access takes it inside kvm->srcu: never held while something is put on
	 * the bus, nor for anything that takes long.
	 */
	struct mutex lock;
	u32 flags;			/* KVM_IRQX_TABLE_*; @lock */
	/* Where it is answered; NULL: its context is gone.  context.lock and @lock */
	struct irqx_table_place *place;
	u64 undefined;			/* accesses; @lock */
	u64 undeliverable;		/* messages; @lock */
	unsigned long changed[BITS_TO_LONGS(KVM_IRQX_MAX_VECTORS)];	/* of PCI's; @lock */
	struct irqx_vector vectors[];
};

/* Software uses aligned dwords and qwords; the rest is undefined (PCI 3.0, 6.8.2). */
static inline bool irqx_access_is_defined(u32 offset, u32 len)
{
	return (len == sizeof(u32) || len == sizeof(u64)) && !(offset % len);
}

/* KVM has seen that it is within the entries; a guest chooses it. */
static inline struct irqx_vector *irqx_vector_at(struct irqx_table *table, u32 offset)
{
	return &table->vectors[array_index_nospec(offset / IRQX_ENTRY_SIZE, table->nr)];
}

static inline u32 irqx_entry_dword(struct irqx_table *table, u32 offset)
{
	return irqx_vector_at(table, offset)->dwords[offset / sizeof(u32) % IRQX_NR_DWORDS];
}

static inline bool irqx_vector_is_pending(const struct irqx_vector *vector)
{
	/* An event that comes meanwhile comes before or after. */
	return data_race(vector->target.owed);
}

/* Of a guest's access.  KVM has values in the host's byte order. */
static inline u64 irqx_access_value(const void *from, u32 len)
{
	u64 value = 0;

	memcpy(&value, from, min_t(size_t, len, sizeof(value)));
	return value;
}

/*
 * A guest reads what consists of dwords, by the function that has them; inlined, so that it is no
 * call by pointer.  table.lock is held.
 */
static __always_inline void
irqx_table_read(struct irqx_table *table,
		u32 (*dword_of)(struct irqx_table *table, u32 offset),
		u32 offset, u32 len, void *to)
{
	u32 dword;
	u64 qword;

	lockdep_assert_held(&table->lock);

	if (!irqx_access_is_defined(offset, len)) {
		memset(to, 0, len);
		table->undefined++;
		return;
	}
	dword = dword_of(table, offset);
	if (len == sizeof(dword)) {
		memcpy(to, &dword, sizeof(dword));
		return;
	}
	qword = (u64)dword_of(table, offset + sizeof(dword)) << 32 | dword;
	memcpy(to, &qword, sizeof(qword));
}

struct irqx_table *irqx_table_enter(struct irqx_window *window, u32 kind);
void irqx_table_leave(struct irqx_table *table, bool tell, struct irqx_leave *leave);
void irqx_table_put(struct irqx_table *table);
void irqx_table_store_flags(struct irqx_table *table, u32 flags);

void irqx_vector_init(struct irqx_vector *vector, struct irqx_table *table,
		      struct irqx_delivery *delivery);
bool irqx_vector_store_all(struct irqx_vector *vector, u64 address, u32 data, u32 control);
void irqx_vector_stored(struct irqx_vector *vector, bool changed, struct irqx_leave *leave);
void irqx_vector_update(struct irqx_vector *vector, struct irqx_leave *leave);
bool irqx_vector_write(struct irqx_vector *vector, u32 offset, u32 len, u64 value,
		       struct irqx_leave *leave);
void irqx_vector_reset(struct irqx_vector *vector, struct irqx_leave *leave);
void irqx_vector_get(const struct irqx_vector *vector, struct kvm_irqx_vector *out);
void irqx_vector_set(struct irqx_vector *vector, const struct kvm_irqx_vector *in,
		     u32 flags, struct irqx_leave *leave);

int irqx_vector_parse(struct irqx_context *ctx, const struct kvm_irq_routing_entry *ue,
		      struct irqx_entries *entries, struct irqx_error *error);
int irqx_vector_check_mask(const struct irqx_entries *entries, enum irqx_arg arg,
			   struct irqx_error *error);
void irqx_vector_bind(const struct irqx_entries *entries);
void irqx_vector_unbind(struct irqx_target *vector, struct irqx_leave *leave);

#endif /* _IRQX_VECTOR_H */

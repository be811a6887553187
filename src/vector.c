// SPDX-License-Identifier: GPL-2.0
/*
 * A vector of a table: a target to which bindings and GSIs lead.  What the guest writes becomes
 * the target's entries and its mask.
 *
 * Sections of the PCI Local Bus Specification 3.0 are cited as [6.8.x].
 */
#include <linux/eventfd.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "arch/arch.h"
#include "context.h"
#include "dynirq.h"
#include "kvm/kvm.h"
#include "trace.h"
#include "vector.h"
#include "vm.h"

/*
 * The bits that can be written.  Message Address bits 1:0 may be read-only [6.8.2.7], the
 * others of Vector Control are reserved [6.8.2.9].
 */
static const u32 writable[IRQX_NR_DWORDS] = { ~3U, ~0U, ~0U, IRQX_CONTROL_MASKED };

/* The last reference frees it.  Context: may sleep. */
void irqx_table_put(struct irqx_table *table)
{
	if (!refcount_dec_and_test(&table->refs))
		return;
	if (table->changefd)
		eventfd_ctx_put(table->changefd);
	irqx_dynirq_free(table->dynirq);
	kvfree(table);
}

/**
 * irqx_table_enter - a guest's access
 * @window: of the table's place
 * @kind: which of the place's windows that is
 *
 * Inside kvm->srcu, so until the place is off the bus, and with it the table and the VM stay.
 *
 * Context: a vCPU's thread, within KVM.
 * Return: the table, locked; or NULL: the access is not for it.
 */
struct irqx_table *irqx_table_enter(struct irqx_window *window, u32 kind)
{
	struct irqx_table_place *place = container_of(window, struct irqx_table_place,
						      place.windows[kind]);
	struct irqx_table *table = place->table;

	mutex_lock(&table->lock);
	if (table->place == place && table->flags & KVM_IRQX_TABLE_DECODES)
		return table;
	mutex_unlock(&table->lock);
	return NULL;
}

/**
 * irqx_table_leave - the end of a guest's write
 * @table: unlocked by now; it stays, as with irqx_table_enter()
 * @tell: the VMM is to be told
 * @leave: what was under way when targets were changed
 *
 * Context: a vCPU's thread, within kvm->srcu.  It waits for injections that have begun at what
 * the guest has changed, killably, with no lock of ours held.
 */
void irqx_table_leave(struct irqx_table *table, bool tell, struct irqx_leave *leave)
{
	if (tell && table->changefd)
		irqx_eventfd_signal(table->changefd);
	if (leave->begun)
		irqx_leave_wait_in_guest(table->vm, leave);
}

/* Whether it answers, among others.  Context: table.lock is held. */
void irqx_table_store_flags(struct irqx_table *table, u32 flags)
{
	lockdep_assert_held(&table->lock);

	table->flags = flags;
	if (!(flags & KVM_IRQX_TABLE_DECODES))
		irqx_bus_disclaim(&table->vm->bus, &table->place->place);
}

/* Masked, with a message of zeroes [6.8.2.9]; nothing leads to it. */
void irqx_vector_init(struct irqx_vector *vector, struct irqx_table *table,
		      struct irqx_delivery *delivery)
{
	vector->table = table;
	raw_spin_lock_init(&vector->lock);
	irqx_target_init_raw(&vector->target, delivery, &vector->lock);
	vector->target.masked = true;
	irqx_target_open(&vector->target);
	vector->dwords[IRQX_CONTROL] = IRQX_CONTROL_MASKED;
	vector->stale = true;
}

/* ---- its state; table.lock is held ---- */

/* Whether its events are to be held back. */
static bool vector_is_held(const struct irqx_vector *vector)
{
	const struct irqx_table *table = vector->table;
	u32 flags = table->flags;

	/* The guest alone owns a dynirq. */
	if (table->dynirq)
		return vector->dwords[IRQX_CONTROL] & IRQX_CONTROL_MASKED;
	return !vector->users || vector->dwords[IRQX_CONTROL] & IRQX_CONTROL_MASKED ||
	       flags & KVM_IRQX_TABLE_MASKED || !(flags & KVM_IRQX_TABLE_ENABLED);
}

/* A message that KVM does not take goes nowhere: @entries is empty then. */
static void vector_compose(struct irqx_vector *vector, struct irqx_entries *entries)
{
	struct kvm_irq_routing_entry message = {
		.type = KVM_IRQ_ROUTING_MSI,
		.flags = KVM_MSI_VALID_DEVID,
		.u.msi = {
			.address_lo = vector->dwords[IRQX_ADDRESS_LO],
			.address_hi = vector->dwords[IRQX_ADDRESS_HI],
			.data = vector->dwords[IRQX_DATA],
			.devid = vector->table->devid,
		},
	};
	struct irqx_error ignored;

	irqx_arch_widen_destination(vector->table->vm->kvm, &message.u.msi.address_lo,
				    &message.u.msi.address_hi);
	if (irqx_kvm_parse(vector->table->vm->kvm, &message, &entries->one, &ignored)) {
		memset(entries, 0, sizeof(*entries));
		return;
	}
	entries->nr = 1;
	entries->inline_ok = true;
	/* The pager is there since the table was made. */
	irqx_deliver_classify(vector->table->vm, entries);
	entries->undeliverable = irqx_arch_is_undeliverable(&entries->one);
	vector->table->undeliverable += entries->undeliverable;
}

/* Has the target be what the entry, the table and the users say. */
void irqx_vector_update(struct irqx_vector *vector, struct irqx_leave *leave)
{
	bool held = vector_is_held(vector);
	struct irqx_entries entries = {};

	lockdep_assert_held(&vector->table->lock);

	/* The message of one that is held back is looked at when it is let go. */
	if (held || !vector->stale) {
		irqx_target_change(&vector->target, NULL,
				   held ? IRQX_MASK_SET : IRQX_MASK_CLEAR, leave);
		return;
	}
	vector_compose(vector, &entries);
	vector->stale = false;
	trace_irqx_modify(NULL, &entries.one, true);
	irqx_target_change(&vector->target, &entries, IRQX_MASK_CLEAR, leave);
}

/* irqx_vector_stored() follows.  Return: whether that changes it. */
static bool vector_store(struct irqx_vector *vector, enum irqx_dword i, u32 value)
{
	value &= writable[i];
	if (vector->dwords[i] == value)
		return false;
	vector->dwords[i] = value;
	if (i != IRQX_CONTROL)
		vector->stale = true;
	return true;
}

/* All of it at once; likewise. */
bool irqx_vector_store_all(struct irqx_vector *vector, u64 address, u32 data, u32 control)
{
	bool changed;

	changed = vector_store(vector, IRQX_ADDRESS_LO, lower_32_bits(address));
	changed |= vector_store(vector, IRQX_ADDRESS_HI, upper_32_bits(address));
	changed |= vector_store(vector, IRQX_DATA, data);
	changed |= vector_store(vector, IRQX_CONTROL, control);
	return changed;
}

/* What the guest has stored takes effect; @changed: it is new. */
void irqx_vector_stored(struct irqx_vector *vector, bool changed, struct irqx_leave *leave)
{
	/* Else nothing is new, but whoever has masked it may wait yet for what has begun. */
	if (changed && !(vector_is_held(vector) && irqx_target_is_masked(&vector->target)))
		irqx_vector_update(vector, leave);
	else
		irqx_target_note(&vector->target, leave);
}

/* A guest's write of 4 or 8 bytes to its entry.  Return: whether that changes it. */
bool irqx_vector_write(struct irqx_vector *vector, u32 offset, u32 len, u64 value,
		       struct irqx_leave *leave)
{
	u32 i = offset / sizeof(u32) % IRQX_NR_DWORDS;
	bool changed;

	changed = vector_store(vector, i, value);
	if (len == sizeof(u64))
		changed |= vector_store(vector, i + 1, value >> 32);
	irqx_vector_stored(vector, changed, leave);
	return changed;
}

/* As it was made; what leads to it stays. */
void irqx_vector_reset(struct irqx_vector *vector, struct irqx_leave *leave)
{
	bool changed = irqx_vector_store_all(vector, 0, 0, IRQX_CONTROL_MASKED);

	irqx_vector_stored(vector, changed, leave);
	if (irqx_vector_is_pending(vector))
		irqx_target_set_pending(&vector->target, false);
}

void irqx_vector_get(const struct irqx_vector *vector, struct kvm_irqx_vector *out)
{
	out->address_lo = vector->dwords[IRQX_ADDRESS_LO];
	out->address_hi = vector->dwords[IRQX_ADDRESS_HI];
	out->data = vector->dwords[IRQX_DATA];
	out->control = vector->dwords[IRQX_CONTROL];
	if (irqx_vector_is_pending(vector))
		out->state |= KVM_IRQX_VECTOR_PENDING;
	if (vector->users)
		out->state |= KVM_IRQX_VECTOR_BOUND;
}

/* @flags: KVM_IRQX_TABLE_STATE_* */
void irqx_vector_set(struct irqx_vector *vector, const struct kvm_irqx_vector *in,
		     u32 flags, struct irqx_leave *leave)
{
	bool pending = in->state & KVM_IRQX_VECTOR_PENDING;

	if (flags & KVM_IRQX_TABLE_STATE_KEEP_ENTRIES) {
		irqx_target_set_pending(&vector->target, pending);
		return;
	}
	irqx_vector_store_all(vector, (u64)in->address_hi << 32 | in->address_lo, in->data,
			      in->control);
	if (flags & KVM_IRQX_TABLE_STATE_KEEP_PENDING) {
		irqx_vector_update(vector, leave);
		return;
	}
	/*
	 * One event at most: what is not to be pending is not sent because of the new mask, and
	 * what is goes by the new message.
	 */
	if (pending && !irqx_target_is_masked(&vector->target)) {
		irqx_vector_update(vector, leave);
		irqx_target_set_pending(&vector->target, true);
	} else {
		irqx_target_set_pending(&vector->target, pending);
		irqx_vector_update(vector, leave);
	}
}

static struct irqx_vector *vector_of(struct irqx_target *target)
{
	return container_of(target, struct irqx_vector, target);
}

/* ---- what leads to a vector ---- */

/**
 * irqx_vector_parse - a user's entry for a vector
 * @ctx: the context, locked
 * @ue: of type KVM_IRQX_ROUTING_VECTOR; the caller has checked its GSI and padding
 * @entries: filled in on success; zero before
 * @error: filled in if it fails
 *
 * Context: process context.
 * Return: 0 or -EINVAL.
 */
int irqx_vector_parse(struct irqx_context *ctx, const struct kvm_irq_routing_entry *ue,
		      struct irqx_entries *entries, struct irqx_error *error)
{
	struct irqx_table *table = xa_load(&ctx->tables, ue->u.irqchip.irqchip);
	u32 nr = ue->u.irqchip.pin;
	const size_t end = offsetofend(struct kvm_irq_routing_entry, u.irqchip);

	lockdep_assert_held(&ctx->lock);

	if (ue->flags)
		return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_FLAGS,
				   IRQX_REASON_UNKNOWN_FLAG);
	if (memchr_inv((const char *)ue + end, 0, sizeof(*ue) - end))
		return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_U,
				   IRQX_REASON_NOT_ZERO);
	if (!table)
		return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_IRQCHIP,
				   IRQX_REASON_NO_TABLE);
	if (nr >= table->nr)
		return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_PIN,
				   IRQX_REASON_OUT_OF_RANGE);

	entries->nr = 1;
	entries->one.gsi = ue->gsi;
	entries->one.type = ue->type;
	entries->one.irqchip.irqchip = table->id;
	entries->one.irqchip.pin = nr;
	entries->onward = &table->vectors[array_index_nospec(nr, table->nr)].target;
	return 0;
}

/**
 * irqx_vector_check_mask - may who has these entries be masked or unmasked?
 * @entries: of a binding or GSI
 * @arg: what that is among the caller's arguments
 * @error: filled in if not
 *
 * Context: any.
 * Return: 0, or -EINVAL if it leads to a vector, whose mask is the guest's.
 */
int irqx_vector_check_mask(const struct irqx_entries *entries, enum irqx_arg arg,
			   struct irqx_error *error)
{
	if (!irqx_entries_onward(entries))
		return 0;
	return irqx_reject(error, -EINVAL, arg, IRQX_REASON_OF_VECTOR);
}

/**
 * irqx_vector_bind - one more leads to a vector
 * @entries: of a binding or GSI, before events go there; if they lead to none, nothing happens
 *
 * The table stays as long as that.
 *
 * Context: may sleep; the context's lock is held.
 */
void irqx_vector_bind(const struct irqx_entries *entries)
{
	struct irqx_target *target = irqx_entries_onward(entries);
	/* It was held back, or a dynirq's: nothing of it has begun that matters. */
	struct irqx_leave none = {};
	struct irqx_vector *vector;

	if (!target)
		return;
	vector = vector_of(target);
	mutex_lock(&vector->table->lock);
	if (!vector->users++)
		irqx_vector_update(vector, &none);
	mutex_unlock(&vector->table->lock);
}

/**
 * irqx_vector_unbind - one less leads to a vector
 * @target: the vector's, as irqx_entries_onward() has told it; NULL: nothing happens
 * @leave: as irqx_target_change()
 *
 * What is pending there stays.
 *
 * Context: may sleep; the context's lock is held, and no event comes that way any more.
 */
void irqx_vector_unbind(struct irqx_target *target, struct irqx_leave *leave)
{
	struct irqx_vector *vector;

	if (!target)
		return;
	vector = vector_of(target);
	mutex_lock(&vector->table->lock);
	if (!--vector->users)
		irqx_vector_update(vector, leave);
	else
		irqx_target_note(target, leave);
	mutex_unlock(&vector->table->lock);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Tables of vectors in guest-physical address space: the MSI-X table of a guest's device, and its
 * Pending Bit Array (PCI Local Bus Specification 3.0, 6.8.2 and 6.8.3), answered on KVM's bus.
 *
 * A vector is a target to which bindings and GSIs lead.  What the guest writes becomes the
 * target's entries and its mask.  Sections of that specification are cited as [6.8.x].
 */
#include <linux/bitmap.h>
#include <linux/eventfd.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/refcount.h>
#include <linux/slab.h>

#include "arch/arch.h"
#include "bus.h"
#include "context.h"
#include "error.h"
#include "kvm/kvm.h"
#include "table.h"
#include "trace.h"
#include "vm.h"

/* The dwords of an entry, in their order [6.8.2.6 to 6.8.2.9]. */
enum { ADDRESS_LO, ADDRESS_HI, DATA, CONTROL, NR_DWORDS };

#define ENTRY_SIZE	(NR_DWORDS * sizeof(u32))

/*
 * The bits that can be written.  Message Address bits 1:0 may be read-only [6.8.2.7], the
 * others of Vector Control are reserved [6.8.2.9].
 */
#define CONTROL_MASKED	BIT(0)
static const u32 writable[NR_DWORDS] = { ~3U, ~0U, ~0U, CONTROL_MASKED };

struct irqx_vector {
	/* Masked while nothing shall be delivered: vector_is_held(). */
	struct irqx_target target;
	struct irqx_table *table;	/* immutable */
	spinlock_t lock;		/* @target's */
	u32 dwords[NR_DWORDS];		/* as the guest reads them; table.lock */
	u32 users;			/* what leads here; context.lock and table.lock */
	bool stale;			/* @target has another message; table.lock */
};

/* Where a table is; on KVM's bus. */
struct table_place {
	struct irqx_place place;
	struct irqx_table *table;	/* holds a reference; immutable */
};

enum { WINDOW_ENTRIES, WINDOW_PBA };

struct irqx_table {
	struct irqx_vm *vm;		/* immutable, as are */
	u32 id;				/* this, */
	u32 nr;				/* this, */
	u32 devid;			/* this, */
	struct eventfd_ctx *changefd;	/* and this; or NULL */
	refcount_t refs;		/* the context, and each place */
	/*
	 * A guest's access takes it inside kvm->srcu: never held while something is put on
	 * the bus, nor for anything that takes long.
	 */
	struct mutex lock;
	u32 flags;			/* KVM_IRQX_TABLE_*; @lock */
	/* Where it is answered; NULL: its context is gone.  context.lock and @lock */
	struct table_place *place;
	u64 undefined;			/* accesses; @lock */
	u64 undeliverable;		/* messages; @lock */
	unsigned long changed[BITS_TO_LONGS(KVM_IRQX_MAX_VECTORS)];	/* @lock */
	struct irqx_vector vectors[];
};

static void table_put(struct irqx_table *table)
{
	if (!refcount_dec_and_test(&table->refs))
		return;
	if (table->changefd)
		eventfd_ctx_put(table->changefd);
	kvfree(table);
}

/* ---- vectors; table.lock is held ---- */

/* Whether its events are to be held back. */
static bool vector_is_held(const struct irqx_vector *vector)
{
	u32 flags = vector->table->flags;

	return !vector->users || vector->dwords[CONTROL] & CONTROL_MASKED ||
	       flags & KVM_IRQX_TABLE_MASKED || !(flags & KVM_IRQX_TABLE_ENABLED);
}

/* A message that KVM does not take goes nowhere: @entries is empty then. */
static void vector_compose(struct irqx_vector *vector, struct irqx_entries *entries)
{
	const struct kvm_irq_routing_entry message = {
		.type = KVM_IRQ_ROUTING_MSI,
		.flags = KVM_MSI_VALID_DEVID,
		.u.msi = {
			.address_lo = vector->dwords[ADDRESS_LO],
			.address_hi = vector->dwords[ADDRESS_HI],
			.data = vector->dwords[DATA],
			.devid = vector->table->devid,
		},
	};
	struct irqx_error ignored;

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
static void vector_update(struct irqx_vector *vector, struct irqx_leave *leave)
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

/* Return: whether that changes it. */
static bool vector_store(struct irqx_vector *vector, u32 i, u32 value)
{
	value &= writable[i];
	if (vector->dwords[i] == value)
		return false;
	vector->dwords[i] = value;
	if (i != CONTROL)
		vector->stale = true;
	return true;
}

static bool vector_is_pending(struct irqx_vector *vector)
{
	/* An event that comes meanwhile comes before or after. */
	return data_race(vector->target.owed);
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
	/* It was held back. */
	struct irqx_leave none = {};
	struct irqx_vector *vector;

	if (!target)
		return;
	vector = vector_of(target);
	mutex_lock(&vector->table->lock);
	if (!vector->users++)
		vector_update(vector, &none);
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
		vector_update(vector, leave);
	else
		irqx_target_note(target, leave);
	mutex_unlock(&vector->table->lock);
}

/* ---- the guest's accesses ---- */

/* Software uses aligned dwords and qwords; the rest is undefined [6.8.2]. */
static bool access_is_defined(u32 offset, u32 len)
{
	return (len == 4 || len == 8) && !(offset % len);
}

/*
 * Inside kvm->srcu, so until the place is off the bus, and with it the table and the VM stay.
 * Return: the table, locked; or NULL: the access is not for it.
 */
static struct irqx_table *table_enter(struct irqx_window *window, u32 kind)
{
	struct table_place *place = container_of(window, struct table_place,
						 place.windows[kind]);
	struct irqx_table *table = place->table;

	mutex_lock(&table->lock);
	if (table->place == place && table->flags & KVM_IRQX_TABLE_DECODES)
		return table;
	mutex_unlock(&table->lock);
	return NULL;
}

static struct irqx_window *window_of(struct kvm_io_device *device)
{
	return container_of(device, struct irqx_window, device);
}

/* KVM has seen that it is within the entries; a guest chooses it. */
static struct irqx_vector *vector_at(struct irqx_table *table, u32 offset)
{
	return &table->vectors[array_index_nospec(offset / ENTRY_SIZE, table->nr)];
}

/*
 * An access is within the entries, but may touch two of them.  Return: whether all of it is
 * for the VMM.
 */
static bool access_is_vmms(struct irqx_table *table, u32 offset, u32 len)
{
	return !vector_at(table, offset)->users && !vector_at(table, offset + len - 1)->users;
}

static u32 entry_dword(struct irqx_table *table, u32 offset)
{
	return vector_at(table, offset)->dwords[offset / sizeof(u32) % NR_DWORDS];
}

static u32 pba_dword(struct irqx_table *table, u32 offset)
{
	u32 i, first = offset * BITS_PER_BYTE, bits = 0;

	/* Those without a vector are reserved [6.8.2.10]. */
	for (i = 0; i < 32 && first + i < table->nr; i++)
		if (vector_is_pending(&table->vectors[first + i]))
			bits |= BIT(i);
	return bits;
}

/*
 * Of what consists of dwords, by the function that has them; inlined, so that it is no call by
 * pointer.  KVM has values in the host's byte order.
 */
static __always_inline void
table_read(struct irqx_table *table, u32 (*dword_of)(struct irqx_table *table, u32 offset),
	   u32 offset, u32 len, void *to)
{
	u32 dword;
	u64 qword;

	if (!access_is_defined(offset, len)) {
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

static u64 get_value(const void *from, u32 len)
{
	u64 value;
	u32 dword;

	if (len == sizeof(value)) {
		memcpy(&value, from, sizeof(value));
		return value;
	}
	memcpy(&dword, from, sizeof(dword));
	return dword;
}

static int entries_read(struct kvm_vcpu *vcpu, struct kvm_io_device *device, gpa_t addr,
			int len, void *to)
{
	struct irqx_window *window = window_of(device);
	struct irqx_table *table = table_enter(window, WINDOW_ENTRIES);
	u32 offset = addr - window->start;
	int ret = 0;

	if (!table)
		return -EOPNOTSUPP;
	if (access_is_vmms(table, offset, len))
		ret = -EOPNOTSUPP;
	else
		table_read(table, entry_dword, offset, len, to);
	mutex_unlock(&table->lock);
	return ret;
}

/* Return: whether the VMM is to be told that the guest has changed it. */
static bool entry_write(struct irqx_table *table, u32 offset, u32 len, u64 value,
			struct irqx_leave *leave)
{
	struct irqx_vector *vector = vector_at(table, offset);
	u32 i = offset / sizeof(u32) % NR_DWORDS;
	bool changed;

	changed = vector_store(vector, i, value);
	if (len == sizeof(u64))
		changed |= vector_store(vector, i + 1, value >> 32);
	/* Else nothing is new, but whoever has masked it may wait yet for what has begun. */
	if (changed && !(vector_is_held(vector) && irqx_target_is_masked(&vector->target)))
		vector_update(vector, leave);
	else
		irqx_target_note(&vector->target, leave);
	return changed && !__test_and_set_bit(vector - table->vectors, table->changed) &&
	       table->changefd;
}

/*
 * Context: a vCPU's thread, within kvm->srcu.  It waits for an injection of that very vector
 * that has begun, killably, with no lock of ours held.
 */
static int entries_write(struct kvm_vcpu *vcpu, struct kvm_io_device *device, gpa_t addr,
			 int len, const void *from)
{
	struct irqx_window *window = window_of(device);
	struct irqx_table *table = table_enter(window, WINDOW_ENTRIES);
	u32 offset = addr - window->start;
	struct irqx_leave leave = {};
	bool tell = false;

	if (!table)
		return -EOPNOTSUPP;
	if (access_is_vmms(table, offset, len)) {
		mutex_unlock(&table->lock);
		return -EOPNOTSUPP;
	}
	if (access_is_defined(offset, len))
		tell = entry_write(table, offset, len, get_value(from, len), &leave);
	else
		table->undefined++;
	mutex_unlock(&table->lock);

	if (tell)
		irqx_eventfd_signal(table->changefd);
	if (leave.begun)
		irqx_leave_wait_in_guest(table->vm, &leave);
	return 0;
}

static int pba_read(struct kvm_vcpu *vcpu, struct kvm_io_device *device, gpa_t addr, int len,
		    void *to)
{
	struct irqx_window *window = window_of(device);
	struct irqx_table *table = table_enter(window, WINDOW_PBA);

	if (!table)
		return -EOPNOTSUPP;
	table_read(table, pba_dword, addr - window->start, len, to);
	mutex_unlock(&table->lock);
	return 0;
}

/* Software never writes there [6.8.2.10]. */
static int pba_write(struct kvm_vcpu *vcpu, struct kvm_io_device *device, gpa_t addr, int len,
		     const void *from)
{
	struct irqx_table *table = table_enter(window_of(device), WINDOW_PBA);

	if (!table)
		return -EOPNOTSUPP;
	table->undefined++;
	mutex_unlock(&table->lock);
	return 0;
}

static const struct kvm_io_device_ops entries_ops = {
	.read = entries_read,
	.write = entries_write,
};

static const struct kvm_io_device_ops pba_ops = {
	.read = pba_read,
	.write = pba_write,
};

/* ---- where it is ---- */

static void place_release(struct irqx_place *place)
{
	struct table_place *tplace = container_of(place, struct table_place, place);

	table_put(tplace->table);
	kfree(tplace);
}

static int window_check(const struct irqx_window *window, enum irqx_arg arg,
			struct irqx_error *error)
{
	if (!IS_ALIGNED(window->start, sizeof(u64)))
		return irqx_reject(error, -EINVAL, arg, IRQX_REASON_NOT_ALIGNED);
	if (window->start + window->len < window->start)
		return irqx_reject(error, -EINVAL, arg, IRQX_REASON_OUT_OF_RANGE);
	return 0;
}

/*
 * Return: a place with a reference to the table, for irqx_bus_remove() in the end; or an error.
 */
static struct table_place *place_create(struct irqx_table *table, gpa_t entries_at,
					gpa_t pba_at, struct irqx_error *error)
{
	struct irqx_window *entries, *pba;
	struct table_place *tplace;
	int ret;

	tplace = kzalloc(sizeof(*tplace), GFP_KERNEL_ACCOUNT);
	if (!tplace)
		return ERR_PTR(-ENOMEM);
	entries = &tplace->place.windows[WINDOW_ENTRIES];
	entries->start = entries_at;
	entries->len = table->nr * ENTRY_SIZE;
	kvm_iodevice_init(&entries->device, &entries_ops);
	pba = &tplace->place.windows[WINDOW_PBA];
	pba->start = pba_at;
	pba->len = DIV_ROUND_UP(table->nr, 64) * sizeof(u64);
	kvm_iodevice_init(&pba->device, &pba_ops);

	ret = window_check(entries, IRQX_ARG_ENTRIES, error) ?:
	      window_check(pba, IRQX_ARG_PBA, error);
	if (!ret && irqx_windows_overlap(entries, pba))
		ret = irqx_reject(error, -EINVAL, IRQX_ARG_PBA, IRQX_REASON_OVERLAP);
	if (ret) {
		kfree(tplace);
		return ERR_PTR(ret);
	}
	tplace->table = table;
	refcount_inc(&table->refs);
	irqx_bus_add(&table->vm->bus, &tplace->place, place_release);
	return tplace;
}

static int reject_place(struct irqx_error *error, int ret)
{
	if (ret == -ENOENT)
		return irqx_reject(error, ret, IRQX_ARG_TABLE, IRQX_REASON_NO_TABLE);
	if (ret == -ENOSPC)
		return irqx_reject(error, ret, IRQX_ARG_CONTEXT, IRQX_REASON_LIMIT);
	if (ret == -EEXIST)
		return irqx_reject(error, ret, IRQX_ARG_ENTRIES, IRQX_REASON_OVERLAP);
	return ret;
}

/* The old place is dead when this returns, and the thread's.  context.lock is held. */
static void table_switch_place(struct irqx_table *table, struct table_place *tplace)
{
	struct table_place *old = table->place;

	mutex_lock(&table->lock);
	table->place = tplace;
	mutex_unlock(&table->lock);
	if (old)
		irqx_bus_remove(&table->vm->bus, &old->place);
}

/*
 * Has the table be at @tplace, on the bus and with a claim if it decodes or is @to_decode.  The
 * context is locked, but not while this waits.  Return: 0, -ENOENT if the table has gone
 * meanwhile, or as irqx_bus_put_on() and irqx_bus_claim(); then @tplace has gone too.
 */
static int table_take_place(struct irqx_context *ctx, struct irqx_table *table,
			    struct table_place *tplace, bool to_decode)
{
	struct irqx_place *place = &tplace->place;
	struct irqx_bus *bus = &ctx->vm->bus;
	bool published = table->place;
	int ret = 0;

	while (to_decode || table->flags & KVM_IRQX_TABLE_DECODES) {
		ret = irqx_bus_claim(bus, place, table->place ? &table->place->place : NULL);
		if (ret != -EAGAIN)
			break;
		irqx_context_unlock(ctx);
		ret = irqx_bus_put_on(bus, place);
		/* Nobody waits with this lock held. */
		mutex_lock(&ctx->lock);
		if (published && !table->place)
			ret = -ENOENT;
		if (ret && ret != -EAGAIN)
			break;
		ret = 0;
	}
	if (ret)
		irqx_bus_remove(bus, place);
	else
		table_switch_place(table, tplace);
	return ret;
}

/* ---- tables ---- */

static struct irqx_table *table_alloc(struct irqx_context *ctx,
				      const struct kvm_irqx_table *args)
{
	struct irqx_vector *vector;
	struct irqx_table *table;
	u32 i;

	table = kvzalloc(struct_size(table, vectors, args->nr), GFP_KERNEL_ACCOUNT);
	if (!table)
		return NULL;
	table->vm = ctx->vm;
	table->nr = args->nr;
	table->devid = args->devid;
	table->flags = args->flags;
	refcount_set(&table->refs, 1);
	mutex_init(&table->lock);
	for (i = 0; i < table->nr; i++) {
		vector = &table->vectors[i];
		vector->table = table;
		spin_lock_init(&vector->lock);
		irqx_target_init(&vector->target, &ctx->delivery, &vector->lock);
		vector->target.masked = true;
		irqx_target_open(&vector->target);
		/* [6.8.2.9]: the state after reset. */
		vector->dwords[CONTROL] = CONTROL_MASKED;
		vector->stale = true;
	}
	return table;
}

static int table_set_changefd(struct irqx_table *table, int fd, struct irqx_error *error)
{
	struct eventfd_ctx *changefd;

	if (fd == KVM_IRQX_NO_FD)
		return 0;
	changefd = eventfd_ctx_fdget(fd);
	if (IS_ERR(changefd))
		return irqx_reject_fd(error, PTR_ERR(changefd), IRQX_ARG_CHANGEFD);
	table->changefd = changefd;
	return 0;
}

/* A number, and a place.  The context is locked. */
static int table_publish(struct irqx_context *ctx, struct irqx_table *table,
			 const struct kvm_irqx_table *args, struct irqx_error *error)
{
	struct table_place *tplace;
	int ret;

	ret = xa_alloc(&ctx->tables, &table->id, NULL, xa_limit_31b, GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	tplace = place_create(table, args->entries, args->pba, error);
	ret = PTR_ERR_OR_ZERO(tplace);
	if (!ret)
		ret = reject_place(error, table_take_place(ctx, table, tplace, false));
	if (ret)
		xa_erase(&ctx->tables, table->id);
	else
		/* There is memory for it. */
		xa_store(&ctx->tables, table->id, table, GFP_KERNEL_ACCOUNT);
	return ret;
}

/* What a guest's access and a close cannot make.  Return: 0, -ENOMEM, -EINTR. */
static int prepare_threads(struct irqx_vm *vm)
{
	struct irqx_entries message = { .nr = 1, .one.type = KVM_IRQ_ROUTING_MSI };
	int ret;

	ret = irqx_bus_prepare(&vm->bus);
	return ret ?: irqx_deliver_prepare(vm, &message);
}

/**
 * irqx_table_create - a table of vectors
 * @ctx: the context, not locked
 * @args: the caller's; flags and padding are checked; out: the table's number
 * @error: filled in if it fails
 *
 * Context: may sleep, killably, for the VM's vCPUs to be out of the kernel once.
 * Return: 0, -EINVAL, -EBADF, -EAGAIN without an interrupt controller, -EEXIST, -ENODEV,
 * -ENOSPC, -ENOMEM, -EINTR.
 */
int irqx_table_create(struct irqx_context *ctx, struct kvm_irqx_table *args,
		      struct irqx_error *error)
{
	struct irqx_table *table;
	int ret;

	ret = irqx_arch_vm_ready(ctx->vm->kvm, error);
	if (!ret)
		ret = irqx_arch_takes_tables(ctx->vm->kvm, error);
	if (!ret)
		ret = prepare_threads(ctx->vm);
	if (ret)
		return ret;

	table = table_alloc(ctx, args);
	if (!table)
		return -ENOMEM;
	ret = table_set_changefd(table, args->changefd, error);
	if (!ret)
		ret = irqx_context_lock(ctx);
	if (!ret) {
		ret = table_publish(ctx, table, args, error);
		irqx_context_unlock(ctx);
	}
	if (ret)
		table_put(table);
	else
		args->table = table->id;
	return ret;
}

/**
 * irqx_table_move - have a table answered at another place
 * @ctx: the context, locked; not while this waits
 * @args: as irqx_table_create()
 * @error: filled in if it fails
 *
 * Context: as irqx_table_create().
 * Return: 0, -EINVAL, -ENOENT, -EEXIST, -ENOSPC, -ENOMEM, -EINTR.
 */
int irqx_table_move(struct irqx_context *ctx, const struct kvm_irqx_table *args,
		    struct irqx_error *error)
{
	struct irqx_table *table = irqx_table_find(ctx, args->table, error);
	struct table_place *tplace;

	if (IS_ERR(table))
		return PTR_ERR(table);
	tplace = place_create(table, args->entries, args->pba, error);
	if (IS_ERR(tplace))
		return PTR_ERR(tplace);
	return reject_place(error, table_take_place(ctx, table, tplace, false));
}

/* Context: the context is locked.  Return: the table, or ERR_PTR(-ENOENT). */
struct irqx_table *irqx_table_find(struct irqx_context *ctx, u32 id,
				   struct irqx_error *error)
{
	struct irqx_table *table = xa_load(&ctx->tables, id);

	lockdep_assert_held(&ctx->lock);

	if (table)
		return table;
	return ERR_PTR(irqx_reject(error, -ENOENT, IRQX_ARG_TABLE, IRQX_REASON_NO_TABLE));
}

/*
 * Before the table answers: if its place has been taken off the bus, since others have answered
 * there, it has another one at the same addresses.  The context is locked, but not while this
 * waits.  Return: 0, or as irqx_table_move().
 */
static int table_claim(struct irqx_context *ctx, struct irqx_table *table,
		       struct irqx_error *error)
{
	struct irqx_place *place = &table->place->place;
	struct table_place *again;
	int ret;

	ret = irqx_bus_claim(&ctx->vm->bus, place, NULL);
	if (ret != -EAGAIN)
		return reject_place(error, ret);
	again = place_create(table, place->windows[WINDOW_ENTRIES].start,
			     place->windows[WINDOW_PBA].start, error);
	if (IS_ERR(again))
		return PTR_ERR(again);
	return reject_place(error, table_take_place(ctx, table, again, true));
}

static void table_update(struct irqx_table *table, struct irqx_leave *leave)
{
	u32 i;

	for (i = 0; i < table->nr; i++) {
		/* Nothing is bound to most of a large one, and those are held back. */
		if (table->vectors[i].users)
			vector_update(&table->vectors[i], leave);
		if (i % 64 == 63)
			cond_resched();
	}
}

/* Context: table.lock is held. */
static void table_store_flags(struct irqx_table *table, u32 flags)
{
	lockdep_assert_held(&table->lock);

	table->flags = flags;
	if (!(flags & KVM_IRQX_TABLE_DECODES))
		irqx_bus_disclaim(&table->vm->bus, &table->place->place);
}

/**
 * irqx_table_set_flags - what the function's registers say
 * @ctx: the context, locked; not while this waits
 * @id: the table's number
 * @flags: KVM_IRQX_TABLE_*, checked
 * @leave: as irqx_target_change()
 * @error: filled in if it fails
 *
 * Context: may sleep; as irqx_table_move() if the table is to be answered, and is not on the bus.
 * Return: 0, or as irqx_table_move().
 */
int irqx_table_set_flags(struct irqx_context *ctx, u32 id, u32 flags,
			 struct irqx_leave *leave, struct irqx_error *error)
{
	const struct irqx_table_change change = {
		.flags = KVM_IRQX_TABLE_STATE_FUNCTION,
		.function = flags,
	};

	return irqx_table_set(ctx, id, &change, leave, error);
}

static bool table_is_bound(const struct irqx_table *table)
{
	u32 i;

	for (i = 0; i < table->nr; i++)
		if (table->vectors[i].users)
			return true;
	return false;
}

/* No access changes it any more, and nothing is delivered.  The context is locked. */
static void table_end(struct irqx_context *ctx, struct irqx_table *table,
		      struct irqx_leave *leave)
{
	struct irqx_place *place = &table->place->place;
	u32 i;

	xa_erase(&ctx->tables, table->id);
	mutex_lock(&table->lock);
	table->place = NULL;
	mutex_unlock(&table->lock);
	for (i = 0; i < table->nr; i++) {
		irqx_target_retire(&table->vectors[i].target, leave);
		if (i % 64 == 63)
			cond_resched();
	}
	ctx->undeliverable += table->undeliverable;
	ctx->undefined += table->undefined;
	irqx_bus_remove(&table->vm->bus, place);
	table_put(table);
}

/**
 * irqx_table_destroy - the end of a table
 * @ctx: the context, locked
 * @id: its number
 * @leave: as irqx_target_change(): who has unbound its vectors may have been killed, or wait yet
 * @error: filled in if it fails
 *
 * Context: may sleep.
 * Return: 0, -ENOENT, or -EBUSY if anything leads to it.
 */
int irqx_table_destroy(struct irqx_context *ctx, u32 id, struct irqx_leave *leave,
		       struct irqx_error *error)
{
	struct irqx_table *table = irqx_table_find(ctx, id, error);

	if (IS_ERR(table))
		return PTR_ERR(table);
	if (table_is_bound(table))
		return irqx_reject(error, -EBUSY, IRQX_ARG_TABLE,
				   IRQX_REASON_VECTORS_BOUND);
	table_end(ctx, table, leave);
	return 0;
}

/* Context: the context is locked, and nothing leads to its tables.  Waits for nobody. */
void irqx_table_teardown(struct irqx_context *ctx, struct irqx_leave *leave)
{
	struct irqx_table *table;
	unsigned long index;

	lockdep_assert_held(&ctx->lock);

	xa_for_each(&ctx->tables, index, table)
		table_end(ctx, table, leave);
	xa_destroy(&ctx->tables);
}

/* ---- its state ---- */

/* Return: 0 or -EINVAL. */
int irqx_table_check_range(const struct irqx_table *table, u32 first, u32 nr,
			   struct irqx_error *error)
{
	if (first > table->nr)
		return irqx_reject(error, -EINVAL, IRQX_ARG_FIRST,
				   IRQX_REASON_OUT_OF_RANGE);
	if (nr > table->nr - first)
		return irqx_reject(error, -EINVAL, IRQX_ARG_NR,
				   IRQX_REASON_OUT_OF_RANGE);
	return 0;
}

static void vector_get(struct irqx_vector *vector, struct kvm_irqx_vector *out)
{
	out->address_lo = vector->dwords[ADDRESS_LO];
	out->address_hi = vector->dwords[ADDRESS_HI];
	out->data = vector->dwords[DATA];
	out->control = vector->dwords[CONTROL];
	if (vector_is_pending(vector))
		out->state |= KVM_IRQX_VECTOR_PENDING;
	if (vector->users)
		out->state |= KVM_IRQX_VECTOR_BOUND;
}

/**
 * irqx_table_get - the state of some vectors
 * @table: from irqx_table_find()
 * @first: the first one
 * @nr: how many; irqx_table_check_range() has succeeded
 * @vectors: filled in; zero before
 * @changed: bits from @first on, zero before: who was changed by the guest, which is forgotten
 * thereby; or NULL
 *
 * Context: may sleep; the context is locked.
 * Return: KVM_IRQX_TABLE_*.
 */
u32 irqx_table_get(struct irqx_table *table, u32 first, u32 nr,
		   struct kvm_irqx_vector *vectors, unsigned long *changed)
{
	u32 i, flags;

	mutex_lock(&table->lock);
	for (i = 0; i < nr; i++) {
		vector_get(&table->vectors[first + i], &vectors[i]);
		if (changed && __test_and_clear_bit(first + i, table->changed))
			__set_bit(i, changed);
	}
	flags = table->flags;
	mutex_unlock(&table->lock);
	return flags;
}

/* What irqx_table_get() has forgotten, and its caller has not got. */
void irqx_table_mark_changed(struct irqx_table *table, u32 first, u32 nr,
			     const unsigned long *changed)
{
	u32 i;

	mutex_lock(&table->lock);
	for_each_set_bit(i, changed, nr)
		__set_bit(first + i, table->changed);
	mutex_unlock(&table->lock);
}

static void vector_set(struct irqx_vector *vector, const struct kvm_irqx_vector *in,
		       u32 flags, struct irqx_leave *leave)
{
	bool pending = in->state & KVM_IRQX_VECTOR_PENDING;

	if (flags & KVM_IRQX_TABLE_STATE_KEEP_ENTRIES) {
		irqx_target_set_pending(&vector->target, pending);
		return;
	}
	vector_store(vector, ADDRESS_LO, in->address_lo);
	vector_store(vector, ADDRESS_HI, in->address_hi);
	vector_store(vector, DATA, in->data);
	vector_store(vector, CONTROL, in->control);
	if (flags & KVM_IRQX_TABLE_STATE_KEEP_PENDING) {
		vector_update(vector, leave);
		return;
	}
	/*
	 * One event at most: what is not to be pending is not sent because of the new mask, and
	 * what is goes by the new message.
	 */
	if (pending && !irqx_target_is_masked(&vector->target)) {
		vector_update(vector, leave);
		irqx_target_set_pending(&vector->target, true);
	} else {
		irqx_target_set_pending(&vector->target, pending);
		vector_update(vector, leave);
	}
}

/**
 * irqx_table_set - give vectors another state
 * @ctx: the context, locked; not while this waits
 * @id: the table's number
 * @change: which, and what; flags and vectors are checked
 * @leave: as irqx_target_change()
 * @error: filled in if it fails
 *
 * Context: may sleep; as irqx_table_set_flags().
 * Return: 0, -EINVAL, or as irqx_table_move().
 */
int irqx_table_set(struct irqx_context *ctx, u32 id,
		   const struct irqx_table_change *change, struct irqx_leave *leave,
		   struct irqx_error *error)
{
	bool function = change->flags & KVM_IRQX_TABLE_STATE_FUNCTION;
	struct irqx_table *table = irqx_table_find(ctx, id, error);
	int ret;
	u32 i;

	if (IS_ERR(table))
		return PTR_ERR(table);
	ret = irqx_table_check_range(table, change->first, change->nr, error);
	if (!ret && function && change->function & KVM_IRQX_TABLE_DECODES)
		ret = table_claim(ctx, table, error);
	if (ret)
		return ret;
	mutex_lock(&table->lock);
	if (function)
		table_store_flags(table, change->function);
	for (i = 0; i < change->nr; i++) {
		vector_set(&table->vectors[change->first + i], &change->vectors[i],
			   change->flags, leave);
		if (i % 64 == 63)
			cond_resched();
	}
	if (function)
		table_update(table, leave);
	mutex_unlock(&table->lock);
	return 0;
}

/* Context: may sleep; the context is locked. */
void irqx_table_stats(struct irqx_context *ctx, struct kvm_irqx_stats *stats)
{
	struct irqx_table *table;
	unsigned long index;

	stats->undefined = ctx->undefined;
	xa_for_each(&ctx->tables, index, table) {
		mutex_lock(&table->lock);
		stats->undefined += table->undefined;
		stats->undeliverable += table->undeliverable;
		mutex_unlock(&table->lock);
	}
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Tables of vectors in guest-physical address space: the calls, the places, and a guest's accesses
 * to the MSI-X table of its device and to the Pending Bit Array (PCI Local Bus Specification 3.0,
 * 6.8.2 and 6.8.3), answered on KVM's bus.  Those to a dynirq are in dynirq.c.
 *
 * Sections of that specification are cited as [6.8.x].
 */
#include <linux/bitmap.h>
#include <linux/eventfd.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "arch/arch.h"
#include "bus.h"
#include "context.h"
#include "dynirq.h"
#include "error.h"
#include "kvm/kvm.h"
#include "raise.h"
#include "table.h"
#include "vector.h"
#include "vm.h"

/* Of a place. */
enum { WINDOW_ENTRIES, WINDOW_PBA };

/* ---- the guest's accesses ---- */

/*
 * An access is within the entries, but may touch two of them.  Return: whether all of it is
 * for the VMM.
 */
static bool access_is_vmms(struct irqx_table *table, u32 offset, u32 len)
{
	return !irqx_vector_at(table, offset)->users &&
	       !irqx_vector_at(table, offset + len - 1)->users;
}

static u32 pba_dword(struct irqx_table *table, u32 offset)
{
	u32 i, first = offset * BITS_PER_BYTE, bits = 0;

	/* Those without a vector are reserved [6.8.2.10]. */
	for (i = 0; i < 32 && first + i < table->nr; i++)
		if (irqx_vector_is_pending(&table->vectors[first + i]))
			bits |= BIT(i);
	return bits;
}

static int entries_read(struct kvm_vcpu *vcpu, struct kvm_io_device *device, gpa_t addr,
			int len, void *to)
{
	struct irqx_window *window = irqx_window_of(device);
	struct irqx_table *table = irqx_table_enter(window, WINDOW_ENTRIES);
	u32 offset = addr - window->start;
	int ret = 0;

	if (!table)
		return -EOPNOTSUPP;
	if (access_is_vmms(table, offset, len))
		ret = -EOPNOTSUPP;
	else
		irqx_table_read(table, irqx_entry_dword, offset, len, to);
	mutex_unlock(&table->lock);
	return ret;
}

/* Return: whether the VMM is to be told that the guest has changed it. */
static bool entry_write(struct irqx_table *table, u32 offset, u32 len, u64 value,
			struct irqx_leave *leave)
{
	struct irqx_vector *vector = irqx_vector_at(table, offset);

	return irqx_vector_write(vector, offset, len, value, leave) &&
	       !__test_and_set_bit(vector - table->vectors, table->changed);
}

/* Context: as irqx_table_leave(). */
static int entries_write(struct kvm_vcpu *vcpu, struct kvm_io_device *device, gpa_t addr,
			 int len, const void *from)
{
	struct irqx_window *window = irqx_window_of(device);
	struct irqx_table *table = irqx_table_enter(window, WINDOW_ENTRIES);
	u32 offset = addr - window->start;
	struct irqx_leave leave = {};
	bool tell = false;

	if (!table)
		return -EOPNOTSUPP;
	if (access_is_vmms(table, offset, len)) {
		mutex_unlock(&table->lock);
		return -EOPNOTSUPP;
	}
	if (irqx_access_is_defined(offset, len))
		tell = entry_write(table, offset, len, irqx_access_value(from, len), &leave);
	else
		table->undefined++;
	mutex_unlock(&table->lock);

	irqx_table_leave(table, tell, &leave);
	return 0;
}

static int pba_read(struct kvm_vcpu *vcpu, struct kvm_io_device *device, gpa_t addr, int len,
		    void *to)
{
	struct irqx_window *window = irqx_window_of(device);
	struct irqx_table *table = irqx_table_enter(window, WINDOW_PBA);

	if (!table)
		return -EOPNOTSUPP;
	irqx_table_read(table, pba_dword, addr - window->start, len, to);
	mutex_unlock(&table->lock);
	return 0;
}

/* Software never writes there [6.8.2.10]. */
static int pba_write(struct kvm_vcpu *vcpu, struct kvm_io_device *device, gpa_t addr, int len,
		     const void *from)
{
	struct irqx_table *table = irqx_table_enter(irqx_window_of(device), WINDOW_PBA);

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
	struct irqx_table_place *tplace = container_of(place, struct irqx_table_place, place);

	irqx_table_put(tplace->table);
	kfree(tplace);
}

static int window_check(const struct irqx_window *window, u32 align, enum irqx_arg arg,
			struct irqx_error *error)
{
	if (!IS_ALIGNED(window->start, align))
		return irqx_reject(error, -EINVAL, arg, IRQX_REASON_NOT_ALIGNED);
	if (window->start + window->len < window->start)
		return irqx_reject(error, -EINVAL, arg, IRQX_REASON_OUT_OF_RANGE);
	return 0;
}

static void window_init(struct irqx_window *window, gpa_t start, u32 len,
			const struct kvm_io_device_ops *ops)
{
	window->start = start;
	window->len = len;
	kvm_iodevice_init(&window->device, ops);
}

static int place_init_pci(struct irqx_place *place, const struct irqx_table *table,
			  gpa_t entries_at, gpa_t pba_at, struct irqx_error *error)
{
	struct irqx_window *entries = &place->windows[WINDOW_ENTRIES];
	struct irqx_window *pba = &place->windows[WINDOW_PBA];
	int ret;

	window_init(entries, entries_at, table->nr * IRQX_ENTRY_SIZE, &entries_ops);
	window_init(pba, pba_at, DIV_ROUND_UP(table->nr, 64) * sizeof(u64), &pba_ops);
	ret = window_check(entries, sizeof(u64), IRQX_ARG_ENTRIES, error) ?:
	      window_check(pba, sizeof(u64), IRQX_ARG_PBA, error);
	if (!ret && irqx_windows_overlap(entries, pba))
		ret = irqx_reject(error, -EINVAL, IRQX_ARG_PBA, IRQX_REASON_OVERLAP);
	return ret;
}

/* The second window is none. */
static int place_init_dynirq(struct irqx_place *place, const struct irqx_table *table,
			     gpa_t start, gpa_t pba_at, struct irqx_error *error)
{
	struct irqx_window *range = &place->windows[0];

	if (pba_at)
		return irqx_reject(error, -EINVAL, IRQX_ARG_PBA, IRQX_REASON_NOT_ZERO);
	window_init(range, start, irqx_dynirq_size(table->nr), &irqx_dynirq_ops);
	return window_check(range, IRQX_DYNIRQ_ALIGN, IRQX_ARG_ENTRIES, error);
}

/*
 * Return: a place with a reference to the table, for irqx_bus_remove() in the end; or an error.
 */
static struct irqx_table_place *place_create(struct irqx_table *table, gpa_t entries_at,
					     gpa_t pba_at, struct irqx_error *error)
{
	struct irqx_table_place *tplace;
	int ret;

	tplace = kzalloc(sizeof(*tplace), GFP_KERNEL_ACCOUNT);
	if (!tplace)
		return ERR_PTR(-ENOMEM);
	if (table->dynirq)
		ret = place_init_dynirq(&tplace->place, table, entries_at, pba_at, error);
	else
		ret = place_init_pci(&tplace->place, table, entries_at, pba_at, error);
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

/*
 * The old place is dead when this returns, and the thread's.  context.lock is held.  @to_decode: it
 * will decode in a moment.
 */
static void table_switch_place(struct irqx_table *table, struct irqx_table_place *tplace,
			       bool to_decode)
{
	struct irqx_table_place *old = table->place;

	mutex_lock(&table->lock);
	table->place = tplace;
	/* The guest may have switched it off meanwhile. */
	if (!to_decode)
		irqx_table_store_flags(table, table->flags);
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
			    struct irqx_table_place *tplace, bool to_decode)
{
	struct irqx_place *place = &tplace->place;
	struct irqx_bus *bus = &ctx->vm->bus;
	bool published = table->place;
	int ret = 0;

	while (to_decode || READ_ONCE(table->flags) & KVM_IRQX_TABLE_DECODES) {
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
		table_switch_place(table, tplace, to_decode);
	return ret;
}

/* ---- tables ---- */

static struct irqx_table *table_alloc(struct irqx_context *ctx,
				      const struct kvm_irqx_table *args)
{
	struct irqx_dynirq *dynirq = NULL;
	struct irqx_table *table;
	u32 i;

	if (args->op == KVM_IRQX_TABLE_CREATE_DYNIRQ) {
		dynirq = irqx_dynirq_alloc(args->nr);
		if (!dynirq)
			return NULL;
	}
	table = kvzalloc(struct_size(table, vectors, args->nr), GFP_KERNEL_ACCOUNT);
	if (!table) {
		irqx_dynirq_free(dynirq);
		return NULL;
	}
	table->vm = ctx->vm;
	table->nr = args->nr;
	table->devid = args->devid;
	table->flags = args->flags;
	table->dynirq = dynirq;
	refcount_set(&table->refs, 1);
	mutex_init(&table->lock);
	for (i = 0; i < table->nr; i++) {
		irqx_vector_init(&table->vectors[i], table, &ctx->delivery);
		if (i % 1024 == 1023)
			cond_resched();
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
	struct irqx_table_place *tplace;
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
		irqx_table_put(table);
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
	struct irqx_table_place *tplace;

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
	struct irqx_table_place *again;
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
			irqx_vector_update(&table->vectors[i], leave);
		if (i % 64 == 63)
			cond_resched();
	}
}

/* A dynirq has no function bits.  Return: 0 or -EINVAL. */
static int table_check_function(const struct irqx_table *table, u32 flags,
				enum irqx_arg arg, struct irqx_error *error)
{
	if (table->dynirq && flags & ~KVM_IRQX_TABLE_DECODES)
		return irqx_reject(error, -EINVAL, arg, IRQX_REASON_UNKNOWN_FLAG);
	return 0;
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
	struct irqx_table *table = irqx_table_find(ctx, id, error);
	int ret;

	if (IS_ERR(table))
		return PTR_ERR(table);
	ret = table_check_function(table, flags, IRQX_ARG_FLAGS, error);
	return ret ?: irqx_table_set(ctx, id, &change, leave, error);
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
		irqx_target_close(&table->vectors[i].target);
		irqx_target_retire(&table->vectors[i].target, leave);
		if (i % 64 == 63)
			cond_resched();
	}
	ctx->undeliverable += table->undeliverable;
	ctx->undefined += table->undefined;
	irqx_bus_remove(&table->vm->bus, place);
	irqx_table_put(table);
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

/*
 * A dynirq has no bits of what was changed, and it alone has a header; @changed, @header: they are
 * asked for.  Return: 0 or -EINVAL.
 */
int irqx_table_check_kind(const struct irqx_table *table, bool changed, bool header,
			  struct irqx_error *error)
{
	if (changed && table->dynirq)
		return irqx_reject(error, -EINVAL, IRQX_ARG_CHANGED, IRQX_REASON_NOT_ZERO);
	if (header && !table->dynirq)
		return irqx_reject(error, -EINVAL, IRQX_ARG_HEADER, IRQX_REASON_NOT_A_DYNIRQ);
	return 0;
}

/**
 * irqx_table_get - the state of some vectors
 * @table: from irqx_table_find()
 * @first: the first one
 * @nr: how many; irqx_table_check_range() has succeeded
 * @vectors: filled in; zero before
 * @changed: bits from @first on, zero before: who was changed by the guest, which is forgotten
 * thereby; or NULL
 * @header: filled in; or NULL
 *
 * Context: may sleep; the context is locked.
 * Return: KVM_IRQX_TABLE_*.
 */
u32 irqx_table_get(struct irqx_table *table, u32 first, u32 nr,
		   struct kvm_irqx_vector *vectors, unsigned long *changed,
		   struct kvm_irqx_dynirq_header *header)
{
	u32 i, flags;

	mutex_lock(&table->lock);
	for (i = 0; i < nr; i++) {
		irqx_vector_get(&table->vectors[first + i], &vectors[i]);
		if (table->dynirq && irqx_dynirq_label_changed(table, first + i))
			vectors[i].state |= KVM_IRQX_VECTOR_LABEL_CHANGED;
		if (changed && __test_and_clear_bit(first + i, table->changed))
			__set_bit(i, changed);
	}
	if (header)
		irqx_dynirq_get_header(table, header);
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

/* A table of PCI has none.  Return: 0 or -EINVAL. */
static int table_check_labels(const struct irqx_table *table,
			      const struct irqx_table_change *change,
			      struct irqx_error *error)
{
	u32 i;

	for (i = 0; !table->dynirq && i < change->nr; i++) {
		if (!(change->vectors[i].state & KVM_IRQX_VECTOR_LABEL_CHANGED))
			continue;
		error->index = i;
		return irqx_reject(error, -EINVAL, IRQX_ARG_STATE, IRQX_REASON_UNKNOWN_FLAG);
	}
	return 0;
}

static void table_set_vector(struct irqx_table *table, u32 nr,
			     const struct kvm_irqx_vector *in, u32 flags,
			     struct irqx_leave *leave)
{
	const u32 parts = KVM_IRQX_TABLE_STATE_KEEP_ENTRIES | KVM_IRQX_TABLE_STATE_KEEP_PENDING;

	irqx_vector_set(&table->vectors[nr], in, flags, leave);
	if (table->dynirq && !(flags & parts))
		irqx_dynirq_set_label_changed(table, nr,
					      in->state & KVM_IRQX_VECTOR_LABEL_CHANGED);
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
	bool decodes = function && change->function & KVM_IRQX_TABLE_DECODES;
	struct irqx_table *table = irqx_table_find(ctx, id, error);
	int ret;
	u32 i;

	if (IS_ERR(table))
		return PTR_ERR(table);
	ret = irqx_table_check_range(table, change->first, change->nr, error) ?:
	      table_check_function(table, change->function, IRQX_ARG_FUNCTION, error);
	if (!ret)
		ret = irqx_table_check_kind(table, false, change->header, error) ?:
		      table_check_labels(table, change, error);
	if (ret)
		return ret;
	for (;;) {
		if (decodes)
			ret = table_claim(ctx, table, error);
		if (ret)
			return ret;
		mutex_lock(&table->lock);
		/* The guest may have switched it off meanwhile, and given up the claim. */
		if (!decodes || !irqx_bus_claim(&table->vm->bus, &table->place->place, NULL))
			break;
		mutex_unlock(&table->lock);
	}
	if (function)
		irqx_table_store_flags(table, change->function);
	if (change->header)
		irqx_dynirq_set_header(table, change->header);
	for (i = 0; i < change->nr; i++) {
		table_set_vector(table, change->first + i, &change->vectors[i], change->flags,
				 leave);
		if (i % 64 == 63)
			cond_resched();
	}
	if (function)
		table_update(table, leave);
	mutex_unlock(&table->lock);
	return 0;
}

/**
 * irqx_table_raise - an event at each of some vectors
 * @ctx: the context, locked
 * @id: the table's number
 * @vectors: which, of any table or dynirq
 * @nr: how many
 * @array: they are an array of the caller's, of which @error can tell an element
 * @error: filled in if it fails
 *
 * Context: may sleep.
 * Return: 0, -ENOENT, or -EINVAL with no event at all.
 */
int irqx_table_raise(struct irqx_context *ctx, u32 id, const u32 *vectors, u32 nr,
		     bool array, struct irqx_error *error)
{
	struct irqx_table *table = irqx_table_find(ctx, id, error);
	u32 i, vector;

	if (IS_ERR(table))
		return PTR_ERR(table);
	for (i = 0; i < nr; i++) {
		if (vectors[i] < table->nr)
			continue;
		if (array)
			error->index = i;
		return irqx_reject(error, -EINVAL, IRQX_ARG_HANDLE, IRQX_REASON_OUT_OF_RANGE);
	}
	for (i = 0; i < nr; i++) {
		vector = array_index_nospec(vectors[i], table->nr);
		irqx_target_event(&table->vectors[vector].target);
		if (i % 64 == 63)
			cond_resched();
	}
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

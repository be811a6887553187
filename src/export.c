// SPDX-License-Identifier: GPL-2.0
/*
 * What other modules of the host call: include/linux/kvm_irqx.h.
 *
 * A source is a target of its own, with a raw lock, that nothing but its owner raises.  Its
 * memory is the owner's; where it leads is the context's, and ends with it: from
 * irqx_target_close() on it is known to be dead under its own lock.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "context.h"
#include "direct.h"
#include "dynirq.h"
#include "error.h"
#include "export.h"
#include "kvm/compat.h"
#include "linux/kvm_irqx.h"
#include "raise.h"
#include "table.h"
#include "vector.h"
#include "vm.h"

struct kvm_irqx_source {
	struct irqx_target target;
	raw_spinlock_t lock;		/* @target's */
	struct irqx_context *ctx;	/* holds a reference; immutable */
	struct irqx_source *level;	/* immutable until detached; or NULL */
	struct list_head node;		/* ctx->sources; ctx->lock; empty: detached */
};

static struct irqx_context *context_of(struct kvm_irqx_context *context)
{
	return (struct irqx_context *)context;
}

static struct irqx_table *table_of(struct kvm_dynirq *dynirq)
{
	return (struct irqx_table *)dynirq;
}

/* Return: 0, with the context locked; -ENODEV if it has been closed, -EINTR. */
static int lock_open(struct irqx_context *ctx)
{
	int ret = irqx_context_lock(ctx);

	if (!ret && ctx->closed) {
		irqx_context_unlock(ctx);
		ret = -ENODEV;
	}
	return ret;
}

/*
 * Unlocks, and waits for what was under way.  The VM must not go meanwhile, which the context
 * alone does not see to.
 */
static int unlock_and_wait(struct irqx_context *ctx, struct irqx_leave *leave)
{
	struct irqx_vm *vm = ctx->vm;
	int ret;

	irqx_vm_hold(vm);
	irqx_context_unlock(ctx);
	ret = irqx_leave_wait(vm, leave);
	irqx_vm_put(vm);
	return ret;
}

/**
 * kvm_irqx_context_get_file - the context of an open file
 * @file: of /dev/kvm-irqx, attached to a VM; the caller has a reference
 *
 * Context: process context of the VMM, or of whoever has CAP_SYS_ADMIN.  May sleep.
 * Return: the context, for kvm_irqx_context_put(), or ERR_PTR(): -EINVAL if @file is something
 * else, -ENOTCONN if it is not attached, -EPERM for another process's VM, -EIO for a dead one.
 */
struct kvm_irqx_context *kvm_irqx_context_get_file(struct file *file)
{
	struct irqx_context *ctx = irqx_context_from_file(file);
	struct irqx_error ignored;
	int ret;

	if (IS_ERR(ctx))
		return ERR_CAST(ctx);
	ret = irqx_context_check(ctx, &ignored);
	if (ret)
		return ERR_PTR(ret);
	/* The file has one till the end. */
	refcount_inc(&ctx->refs);
	return (struct kvm_irqx_context *)ctx;
}
EXPORT_SYMBOL_IRQX(kvm_irqx_context_get_file);

/**
 * kvm_irqx_context_get - the context of a file descriptor
 * @fd: of the calling process
 *
 * Context: as kvm_irqx_context_get_file().
 * Return: likewise, or ERR_PTR(-EBADF).
 */
struct kvm_irqx_context *kvm_irqx_context_get(int fd)
{
	struct kvm_irqx_context *context;
	struct file *file = fget(fd);

	if (!file)
		return ERR_PTR(-EBADF);
	context = kvm_irqx_context_get_file(file);
	fput(file);
	return context;
}
EXPORT_SYMBOL_IRQX(kvm_irqx_context_get);

/**
 * kvm_irqx_context_put - drop the reference
 * @context: from kvm_irqx_context_get() or kvm_irqx_context_get_file()
 *
 * What was taken on it stays.
 *
 * Context: may sleep.
 */
void kvm_irqx_context_put(struct kvm_irqx_context *context)
{
	irqx_context_put(context_of(context));
}
EXPORT_SYMBOL_IRQX(kvm_irqx_context_put);

/* ---- sources ---- */

/* The context is locked.  Return: 0, or as kvm_irqx_source_create(). */
static int source_parse(struct kvm_irqx_source *source, bool level, bool has_eoi,
			const struct kvm_irq_routing_entry *entry,
			struct irqx_entries *entries)
{
	const struct kvm_irqx_op op = { .entry = *entry };
	struct irqx_context *ctx = source->ctx;
	struct irqx_error ignored;
	int ret;

	ret = irqx_direct_check_entry(entry, &ignored) ?:
	      irqx_direct_parse(ctx, &op, has_eoi, entries, &ignored);
	if (ret || !level)
		return ret;
	/* What has no level can be told of all the same. */
	if (!has_eoi && !irqx_entry_has_level(&entries->one))
		return -EINVAL;
	entries->inline_ok = false;
	return has_eoi ? 0 : irqx_lines_prepare(&ctx->vm->lines, &entries->one, false);
}

static int source_set_level(struct kvm_irqx_source *source,
			    const struct kvm_irqx_source_desc *desc)
{
	struct irqx_source *level;

	level = irqx_source_alloc(&source->ctx->vm->lines, NULL);
	if (IS_ERR(level))
		return PTR_ERR(level);
	level->eoi = desc->eoi;
	level->data = desc->data;
	source->level = level;
	return 0;
}

/* The context is locked.  Return: as kvm_irqx_source_create(). */
static int source_connect(struct kvm_irqx_source *source,
			  const struct kvm_irqx_source_desc *desc)
{
	struct irqx_context *ctx = source->ctx;
	struct irqx_entries *to = &source->target.to;
	bool level = desc->level || desc->eoi;
	int ret;

	irqx_target_init_raw(&source->target, &ctx->delivery, &source->lock);
	source->target.masked = desc->masked;
	ret = source_parse(source, level, desc->eoi, &desc->entry, to);
	if (!ret && desc->masked && irqx_entries_onward(to))
		ret = -EINVAL;
	if (!ret && level)
		ret = source_set_level(source, desc);
	if (ret)
		return ret;

	ctx->undeliverable += to->undeliverable;
	irqx_vector_bind(to);
	if (level)
		irqx_target_plug(&source->target, source->level);
	irqx_target_open(&source->target);
	list_add(&source->node, &ctx->sources);
	return 0;
}

/**
 * kvm_irqx_source_create - a source of events
 * @context: where
 * @desc: what it is
 *
 * The caller sees to it that nobody raises, lowers or changes it any more when it calls
 * kvm_irqx_source_destroy(), and calls that before its module goes; nothing else of its lifetime is
 * the caller's worry.
 *
 * Context: process context; may sleep.
 * Return: the source, or ERR_PTR(): -ENODEV if the context has been closed, -EINVAL, -EAGAIN,
 * -EBUSY, -ENOSPC and -ENOMEM as KVM_IRQX_IRQFD_DIRECT for the same entry, -EINVAL also for a level
 * on what has neither level nor EOI, or a mask where the mask is the guest's; -EINTR.
 */
struct kvm_irqx_source *
kvm_irqx_source_create(struct kvm_irqx_context *context,
		       const struct kvm_irqx_source_desc *desc)
{
	struct irqx_context *ctx = context_of(context);
	struct kvm_irqx_source *source;
	int ret;

	source = kzalloc(sizeof(*source), GFP_KERNEL_ACCOUNT);
	if (!source)
		return ERR_PTR(-ENOMEM);
	raw_spin_lock_init(&source->lock);
	INIT_LIST_HEAD(&source->node);
	source->ctx = ctx;

	ret = lock_open(ctx);
	if (!ret) {
		ret = source_connect(source, desc);
		irqx_context_unlock(ctx);
	}
	if (ret) {
		kfree(source);
		return ERR_PTR(ret);
	}
	refcount_inc(&ctx->refs);
	return source;
}
EXPORT_SYMBOL_IRQX(kvm_irqx_source_create);

/* It leads nowhere any more, and nobody is told by it.  The context is locked. */
static void source_detach(struct kvm_irqx_source *source, struct irqx_leave *leave)
{
	struct irqx_target *target = &source->target;
	struct irqx_source *level = source->level;

	irqx_target_close(target);
	if (level) {
		irqx_target_unplug(level);
		/* An event that no worker has come to yet. */
		if (xchg(&level->asked, false))
			this_cpu_inc(target->delivery->counters->unrouted);
		/* No call-back runs from here on. */
		irqx_source_wait_heard(level);
	}
	irqx_target_retire(target, leave);
	irqx_vector_unbind(irqx_entries_onward(&target->to), leave);
	list_del_init(&source->node);
}

/**
 * irqx_export_teardown - the end of all sources of a context
 * @ctx: the context, locked; nobody can make another one
 * @leave: as irqx_target_change()
 *
 * Context: may sleep, for a call-back that runs, which does not.
 */
void irqx_export_teardown(struct irqx_context *ctx, struct irqx_leave *leave)
{
	struct kvm_irqx_source *source, *next;

	lockdep_assert_held(&ctx->lock);

	list_for_each_entry_safe(source, next, &ctx->sources, node)
		source_detach(source, leave);
}

/**
 * kvm_irqx_source_destroy - the end of a source
 * @source: nobody raises, lowers or changes it any more
 *
 * When it returns nothing is delivered any more, but for what waits for a page of the guest; no
 * call-back runs; a level that it held has fallen.
 *
 * Context: process context; may sleep, for a call-back that runs and an injection that takes
 * spinlocks.  Not from a call-back.
 */
void kvm_irqx_source_destroy(struct kvm_irqx_source *source)
{
	struct irqx_context *ctx = source->ctx;
	struct irqx_leave leave = {};
	struct irqx_vm *vm = NULL;

	/* Nobody waits with this lock held. */
	mutex_lock(&ctx->lock);
	if (!list_empty(&source->node)) {
		source_detach(source, &leave);
		vm = ctx->vm;
		irqx_vm_hold(vm);
	}
	irqx_context_unlock(ctx);
	if (vm) {
		irqx_leave_finish_prompt(vm, &leave);
		irqx_vm_put(vm);
	}
	irqx_context_put(ctx);
	kfree(source);
}
EXPORT_SYMBOL_IRQX(kvm_irqx_source_destroy);

/**
 * kvm_irqx_source_raise - an event; of a level source, its level rises
 * @source: it
 *
 * Context: any but NMI.
 * Return: 0, or -ENODEV if the context has been closed.
 */
int kvm_irqx_source_raise(struct kvm_irqx_source *source)
{
	if (source->level)
		return irqx_target_assert(&source->target, source->level);
	return irqx_target_event(&source->target);
}
EXPORT_SYMBOL_IRQX(kvm_irqx_source_raise);

/**
 * kvm_irqx_source_lower - its level falls
 * @source: one with a level
 *
 * The last of kvm_irqx_source_raise() and kvm_irqx_source_lower() counts, also where a worker has
 * to do it.
 *
 * Context: any but NMI.
 * Return: 0, -ENODEV if the context has been closed, -EINVAL if it has no level.
 */
int kvm_irqx_source_lower(struct kvm_irqx_source *source)
{
	if (!source->level)
		return -EINVAL;
	return irqx_target_lower(&source->target, source->level);
}
EXPORT_SYMBOL_IRQX(kvm_irqx_source_lower);

/**
 * kvm_irqx_source_move - another entry
 * @source: it
 * @entry: as in struct kvm_irqx_source_desc
 *
 * As KVM_IRQX_IRQFD_DIRECT_MODIFY: an event is delivered by the old entry or by the new one, and
 * none by the old one after this.
 *
 * Context: process context; may sleep, until killed, for a page of the guest.
 * Return: 0; -EINTR if killed: it may have been done by then; -ENODEV if the context has been
 * closed, or as kvm_irqx_source_create(), with nothing changed.
 */
int kvm_irqx_source_move(struct kvm_irqx_source *source,
			 const struct kvm_irq_routing_entry *entry)
{
	struct irqx_context *ctx = source->ctx;
	struct irqx_entries entries = {};
	struct irqx_leave leave = {};
	int ret;

	ret = lock_open(ctx);
	if (ret)
		return ret;
	ret = source_parse(source, source->level, source->level && source->level->eoi, entry,
			   &entries);
	if (!ret)
		irqx_direct_change(ctx, &source->target, NULL, &entries, IRQX_MASK_KEEP,
				   &leave);
	return unlock_and_wait(ctx, &leave) ?: ret;
}
EXPORT_SYMBOL_IRQX(kvm_irqx_source_move);

/**
 * kvm_irqx_source_mask - hold events back, or let them go
 * @source: it
 * @masked: whether
 *
 * As KVM_IRQX_MASK.
 *
 * Context: as kvm_irqx_source_move().
 * Return: 0, -ENODEV if the context has been closed, -EINVAL if the mask is the guest's, -EINTR.
 */
int kvm_irqx_source_mask(struct kvm_irqx_source *source, bool masked)
{
	struct irqx_target *target = &source->target;
	struct irqx_context *ctx = source->ctx;
	struct irqx_leave leave = {};
	struct irqx_error ignored;
	int ret;

	ret = lock_open(ctx);
	if (ret)
		return ret;
	ret = irqx_vector_check_mask(&target->to, IRQX_ARG_NONE, &ignored);
	if (!ret)
		irqx_target_change(target, NULL, masked ? IRQX_MASK_SET : IRQX_MASK_CLEAR,
				   &leave);
	return unlock_and_wait(ctx, &leave) ?: ret;
}
EXPORT_SYMBOL_IRQX(kvm_irqx_source_mask);

/**
 * kvm_irqx_source_state - masked, pending
 * @source: it
 *
 * Context: process context; may sleep.
 * Return: KVM_IRQX_STATE_MASKED, KVM_IRQX_STATE_PENDING; of what leads to a vector or handle those
 * of that one; -ENODEV if the context has been closed, -EINTR.
 */
int kvm_irqx_source_state(struct kvm_irqx_source *source)
{
	struct irqx_context *ctx = source->ctx;
	int ret;

	ret = lock_open(ctx);
	if (ret)
		return ret;
	ret = irqx_target_state(&source->target);
	irqx_context_unlock(ctx);
	return ret;
}
EXPORT_SYMBOL_IRQX(kvm_irqx_source_state);

/* ---- dynirqs ---- */

/**
 * kvm_dynirq_get - a dynirq, all of whose handles can be raised
 * @context: where
 * @table: its number there, as KVM_IRQX_TABLE has told the VMM
 *
 * Context: process context; may sleep.
 * Return: the dynirq, for kvm_dynirq_put() when nobody raises its handles any more; or ERR_PTR():
 * -ENODEV if the context has been closed, -ENOENT, -EINVAL if it is no dynirq, -EINTR.
 */
struct kvm_dynirq *kvm_dynirq_get(struct kvm_irqx_context *context, u32 table)
{
	struct irqx_context *ctx = context_of(context);
	struct irqx_error ignored;
	struct irqx_table *found;
	int ret;

	ret = lock_open(ctx);
	if (ret)
		return ERR_PTR(ret);
	found = irqx_table_find(ctx, table, &ignored);
	if (!IS_ERR(found) && !found->dynirq)
		found = ERR_PTR(-EINVAL);
	if (!IS_ERR(found))
		refcount_inc(&found->refs);
	irqx_context_unlock(ctx);
	return (struct kvm_dynirq *)found;
}
EXPORT_SYMBOL_IRQX(kvm_dynirq_get);

/**
 * kvm_dynirq_find - a handle by its label
 * @dynirq: from kvm_dynirq_get()
 * @label: what its owner calls it (KVM_IRQX_HANDLE), up to 31 bytes
 *
 * The owner may call it otherwise, or give it back, at any time.
 *
 * Context: process context; may sleep.
 * Return: the handle, the lowest if there are several; -ENOENT.
 */
int kvm_dynirq_find(struct kvm_dynirq *dynirq, const char *label)
{
	return irqx_dynirq_find(table_of(dynirq), label);
}
EXPORT_SYMBOL_IRQX(kvm_dynirq_find);

/* Context: may sleep. */
void kvm_dynirq_put(struct kvm_dynirq *dynirq)
{
	irqx_table_put(table_of(dynirq));
}
EXPORT_SYMBOL_IRQX(kvm_dynirq_put);

/**
 * kvm_inject_dynirq - raise a handle
 * @dynirq: from kvm_dynirq_get()
 * @handle: which
 *
 * Where it goes, and whether it is masked, the guest decides; at one that is not mapped it is
 * pending.  A number that a guest has chosen is the caller's to clamp (array_index_nospec()).
 *
 * Context: any but NMI.
 * Return: 0, -EINVAL if there is no such handle, -ENODEV if the dynirq, or its context, is gone.
 */
int kvm_inject_dynirq(struct kvm_dynirq *dynirq, u32 handle)
{
	struct irqx_table *table = table_of(dynirq);

	if (handle >= table->nr)
		return -EINVAL;
	return irqx_target_event(&table->vectors[handle].target);
}
EXPORT_SYMBOL_IRQX(kvm_inject_dynirq);

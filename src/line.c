// SPDX-License-Identifier: GPL-2.0
/*
 * One line of the guest's interrupt hardware, shared by several sources: a pin
 * of the IOAPIC or PIC with a level, or a SINT, which has none but is
 * acknowledged all the same.
 *
 * The level of a pin is the OR of its sources' levels.  When the guest
 * acknowledges the interrupt, the sources that have a resamplefd let go, the pin
 * falls if nobody else holds it, and every resamplefd is signalled: a device
 * that still wants service asserts again.  The fall comes first, or a quick
 * device would assert into it and be lost.
 */
#include <linux/eventfd.h>
#include <linux/slab.h>

#include "irqx.h"
#include "arch/arch.h"
#include "kvm/kvm.h"
#include "trace.h"

/* Of a VM: an EOI walks those of its line with preemption off. */
#define IRQX_MAX_SOURCES	4096

/*
 * Where pins are atomic a wake-up takes line_lock, and that may be in an interrupt
 * handler.  Elsewhere interrupts stay on, since what KVM does to a pin needs them.
 */
static unsigned long levels_lock(struct irqx_vm *vm) __acquires(&vm->line_lock)
{
	unsigned long flags = 0;

	if (vm->pins_are_atomic)
		spin_lock_irqsave(&vm->line_lock, flags);
	else
		spin_lock(&vm->line_lock);
	return flags;
}

static void levels_unlock(struct irqx_vm *vm, unsigned long flags)
	__releases(&vm->line_lock)
{
	if (vm->pins_are_atomic)
		spin_unlock_irqrestore(&vm->line_lock, flags);
	else
		spin_unlock(&vm->line_lock);
}

/* @atomic: for the trace */
static int line_drive(struct irqx_line *line, int level, bool atomic)
{
	struct irqx_vm *vm = line->vm;
	int ret;

	lockdep_assert_held(&vm->line_lock);

	ret = irqx_kvm_set_pin(vm->kvm, vm->source_id, &line->entry, level);
	trace_irqx_inject(&line->entry, atomic, level, ret);
	return ret;
}

/*
 * KVM of 6.12 (not yet 6.1) forgets what is pending on a level pin that the guest unmasks
 * if it has resamplefds of its own there, and asks those alone.
 */
static void line_unmasked(struct work_struct *work)
{
	struct irqx_line *line = container_of(work, struct irqx_line, unmasked);
	unsigned long flags;

	flags = levels_lock(line->vm);
	if (line->high)
		line_drive(line, 1, false);
	levels_unlock(line->vm, flags);
}

static void line_ack_work(struct work_struct *work);

static struct irqx_line *line_create(struct irqx_vm *vm, unsigned long key,
				     const struct kvm_kernel_irq_routing_entry *e)
{
	struct irqx_line *line;
	int ret;

	lockdep_assert_held(&vm->lines_lock);

	line = kzalloc(sizeof(*line), GFP_KERNEL_ACCOUNT);
	if (!line)
		return ERR_PTR(-ENOMEM);
	line->vm = vm;
	line->entry = *e;
	INIT_LIST_HEAD(&line->plugs);
	INIT_WORK(&line->ack, line_ack_work);
	INIT_WORK(&line->unmasked, line_unmasked);

	ret = xa_insert(&vm->lines, key, line, GFP_KERNEL_ACCOUNT);
	if (ret) {
		kfree(line);
		return ERR_PTR(ret);
	}
	if (irqx_line_is_pin(line))
		irqx_kvm_watch_pin(vm->kvm, &line->watch, e, &line->unmasked);
	return line;
}

/* KVM_IRQ_LINE alone does not make every VM of the host pay for EOIs. */
static int line_arm(struct irqx_line *line)
{
	int ret;

	lockdep_assert_held(&line->vm->lines_lock);

	if (line->armed || !irqx_arch_has_eoi(&line->entry))
		return 0;
	ret = irqx_ack_arm(line->vm, irqx_line_is_pin(line));
	line->armed = !ret;
	return ret;
}

/**
 * irqx_line_prepare - see that a line exists
 * @vm: the VM
 * @e: an entry
 * @eoi: a source with a resamplefd is to be plugged in
 *
 * A line stays until the last context of its VM is closed, so that sources can
 * be plugged in, later, where nothing may fail.
 *
 * Context: may sleep.
 * Return: 0, also for an entry that has no line (an MSI), or a negative errno.
 */
int irqx_line_prepare(struct irqx_vm *vm,
		      const struct kvm_kernel_irq_routing_entry *e, bool eoi)
{
	struct irqx_line *line;
	long key = irqx_arch_line_key(e);
	int ret;

	if (key < 0)
		return 0;

	mutex_lock(&vm->lines_lock);
	line = xa_load(&vm->lines, key) ?: line_create(vm, key, e);
	ret = PTR_ERR_OR_ZERO(line);
	if (!ret && eoi)
		ret = line_arm(line);
	mutex_unlock(&vm->lines_lock);
	return ret;
}

/*
 * All lines of a VM that has no context any more, so nothing is plugged in.
 * May sleep; nobody can find the VM or its lines any more.
 */
void irqx_line_teardown(struct irqx_vm *vm)
{
	struct irqx_line *line;
	unsigned long key;

	xa_for_each(&vm->lines, key, line) {
		if (line->armed)
			irqx_ack_disarm(vm, irqx_line_is_pin(line));
		if (irqx_line_is_pin(line))
			irqx_kvm_unwatch_pin(vm->kvm, &line->watch);
		cancel_work_sync(&line->unmasked);
		cancel_work_sync(&line->ack);
		kfree(line);
	}
	xa_destroy(&vm->lines);
}

/* Holds are counted; a pin is driven when the first comes and the last goes. */
static void line_hold(struct irqx_line *line)
{
	lockdep_assert_held(&line->vm->line_lock);

	if (irqx_line_is_pin(line) && !line->high++)
		line_drive(line, 1, false);
}

static void line_release(struct irqx_line *line)
{
	lockdep_assert_held(&line->vm->line_lock);

	if (irqx_line_is_pin(line) && !--line->high)
		line_drive(line, 0, false);
}

/*
 * Context: may sleep.  Return: a plain level source that is connected to nothing,
 * ERR_PTR(-ENOSPC) if the VM has its fill, -ENOMEM.
 */
struct irqx_source *irqx_source_alloc(struct irqx_vm *vm)
{
	struct irqx_source *source;

	if (!atomic_add_unless(&vm->nr_sources, 1, IRQX_MAX_SOURCES))
		return ERR_PTR(-ENOSPC);
	source = kzalloc(sizeof(*source), GFP_KERNEL_ACCOUNT);
	if (!source) {
		atomic_dec(&vm->nr_sources);
		return ERR_PTR(-ENOMEM);
	}
	source->vm = vm;
	return source;
}

/* Context: may sleep; connected to nothing.  NULL is no source. */
void irqx_source_free(struct irqx_source *source)
{
	if (!source)
		return;
	if (source->resamplefd)
		eventfd_ctx_put(source->resamplefd);
	atomic_dec(&source->vm->nr_sources);
	kfree(source);
}

static bool source_is_on(struct irqx_source *source, struct irqx_line *line)
{
	u32 i;

	for (i = 0; i < source->nr; i++)
		if (source->plugs[i].line == line)
			return true;
	return false;
}

/**
 * irqx_source_move - connect a source to the lines of some entries
 * @source: it leaves the lines it is connected to, and takes its level along
 * @entries: irqx_line_prepare() has succeeded for each; NULL: to none
 *
 * A pin that is among the old lines and the new keeps its level throughout: VMMs
 * replace whole tables when one route changes.  A SINT left behind may be in
 * service, and its EOI will not be heard: an acknowledgment means "maybe done"
 * anyway, so it is given now.
 *
 * Context: process context, context.lock is held; and settle for writing, if
 * events can come.
 */
void irqx_source_move(struct irqx_source *source, struct irqx_entries *entries)
{
	struct irqx_line *old[KVM_NR_IRQCHIPS];
	struct irqx_vm *vm = source->vm;
	u32 i, nr_old = source->nr;
	struct irqx_plug *plug;
	struct irqx_line *line;
	unsigned long flags;
	long key;

	might_sleep();

	spin_lock(&vm->plugs_lock);
	flags = levels_lock(vm);
	for (i = 0; i < nr_old; i++) {
		old[i] = source->plugs[i].line;
		list_del(&source->plugs[i].node);
	}
	source->nr = 0;
	for (i = 0; entries && i < entries->nr; i++) {
		key = irqx_arch_line_key(irqx_entries_at(entries, i));
		line = key < 0 ? NULL : xa_load(&vm->lines, key);
		if (!line)
			continue;
		plug = &source->plugs[source->nr++];
		plug->source = source;
		plug->line = line;
		list_add_tail(&plug->node, &line->plugs);
		if (source->high)
			line_hold(line);
	}
	if (source->high)
		for (i = 0; i < nr_old; i++)
			line_release(old[i]);
	levels_unlock(vm, flags);
	for (i = 0; i < nr_old; i++)
		if (entries && !irqx_line_is_pin(old[i]) &&
		    !source_is_on(source, old[i]) && source->resamplefd)
			irqx_eventfd_signal(source->resamplefd);
	spin_unlock(&vm->plugs_lock);
}

/* Held already or not, drives all pins. */
static int source_assert(struct irqx_source *source, bool atomic)
{
	struct irqx_line *line;
	int ret = -1;
	u32 i;

	lockdep_assert_held(&source->vm->line_lock);

	for (i = 0; i < source->nr; i++) {
		line = source->plugs[i].line;
		if (!irqx_line_is_pin(line))
			continue;
		irqx_kvm_rewatch_pin(line->vm->kvm, &line->watch);
		line->high += !source->high;
		ret = max(ret, line_drive(line, 1, atomic));
	}
	source->high = true;
	return ret;
}

static void source_let_go(struct irqx_source *source)
{
	u32 i;

	lockdep_assert_held(&source->vm->line_lock);

	if (!source->high)
		return;
	source->high = false;
	for (i = 0; i < source->nr; i++)
		line_release(source->plugs[i].line);
}

/**
 * irqx_source_set - a source's level
 * @source: connected, or not yet: then it is remembered
 * @high: assert or let go
 *
 * Asserting drives the pins also if they are up already: a reset of the guest's
 * interrupt controller has forgotten that they are.
 *
 * Context: process context, context.lock or settle held; no spinlock that an
 * interrupt handler may want.
 * Return: as kvm_set_irq().
 */
int irqx_source_set(struct irqx_source *source, bool high)
{
	struct irqx_vm *vm = source->vm;
	unsigned long flags;
	int ret = 1;

	might_sleep();

	flags = levels_lock(vm);
	if (high)
		ret = source_assert(source, false);
	else
		source_let_go(source);
	levels_unlock(vm, flags);
	return ret;
}

/**
 * irqx_source_assert_atomic - what irqx_source_set() does, where it cannot sleep
 * @source: connected
 *
 * KVM's irqfd does the same, and the two switches of the CPU that it takes to leave
 * it to the work queue are a third of a level cycle (scripts/bench, level).
 *
 * Context: any, with vm.pins_are_atomic; that of a wake-up on PREEMPT_RT.
 * Return: as irqx_source_set(); -EWOULDBLOCK with nothing done if the source is
 * losing its route, so that the event is counted as one without.
 */
int irqx_source_assert_atomic(struct irqx_source *source)
{
	unsigned long flags;
	int ret = -EWOULDBLOCK;

	flags = levels_lock(source->vm);
	if (source->nr)
		ret = source_assert(source, true);
	levels_unlock(source->vm, flags);
	return ret;
}

/**
 * irqx_line_pulse - up and down again, for a source without a level
 * @vm: the VM
 * @e: a pin
 *
 * A pin that others hold up stays up.  So does one of arm64: most hosts raise it in the
 * wake-up, where nothing can lower it later, and all are to do the same.
 *
 * Context: as irqx_source_set().
 * Return: as kvm_set_irq().
 */
int irqx_line_pulse(struct irqx_vm *vm, struct kvm_kernel_irq_routing_entry *e)
{
	struct irqx_line *line;
	unsigned long flags;
	int ret;

	might_sleep();

	flags = levels_lock(vm);
	line = xa_load(&vm->lines, irqx_arch_line_key(e));
	ret = irqx_kvm_set_pin(vm->kvm, vm->source_id, e, 1);
	trace_irqx_inject(e, false, 1, ret);
	if (!irqx_arch_pins_are_raw() && (!line || !line->high))
		irqx_kvm_set_pin(vm->kvm, vm->source_id, e, 0);
	levels_unlock(vm, flags);
	return ret;
}

/* @lowered: the pin was, without asking who holds it. */
static void line_let_go(struct irqx_line *line, bool lowered)
{
	struct irqx_plug *plug;

	lockdep_assert_held(&line->vm->plugs_lock);
	lockdep_assert_held(&line->vm->line_lock);

	list_for_each_entry(plug, &line->plugs, node)
		if (plug->source->resamplefd)
			source_let_go(plug->source);
	if (lowered && line->high)
		line_drive(line, 1, false);
}

/* One that wakes up may be an irqfd of ours, which takes line_lock. */
static void line_signal(struct irqx_line *line)
{
	struct irqx_plug *plug;

	lockdep_assert_held(&line->vm->plugs_lock);

	list_for_each_entry(plug, &line->plugs, node) {
		if (plug->source->resamplefd) {
			trace_irqx_resample(&line->entry,
					    plug->source->resamplefd);
			irqx_eventfd_signal(plug->source->resamplefd);
		}
	}
}

static void line_ack(struct irqx_line *line, bool lowered)
{
	struct irqx_vm *vm = line->vm;
	unsigned long flags;

	spin_lock(&vm->plugs_lock);
	flags = levels_lock(vm);
	line_let_go(line, lowered);
	levels_unlock(vm, flags);
	line_signal(line);
	spin_unlock(&vm->plugs_lock);
}

/*
 * Return: how many still hold the line, or -EBUSY.  With true and false sparse merges
 * the two ways out, and finds the lock held on one of them.
 */
static int line_try_let_go(struct irqx_line *line)
{
	int high;

	if (!spin_trylock(&line->vm->line_lock))
		return -EBUSY;
	line_let_go(line, false);
	high = line->high;
	spin_unlock(&line->vm->line_lock);
	return high;
}

/*
 * Interrupts are off, and who holds a lock may be waiting for this CPU to take one.
 * Return: whether it is done.
 */
static bool line_try_ack(struct irqx_line *line)
{
	bool done;

	if (!spin_trylock(&line->vm->plugs_lock))
		return false;
	done = line_try_let_go(line) >= 0;
	if (done)
		line_signal(line);
	spin_unlock(&line->vm->plugs_lock);
	return done;
}

/* The rest of irqx_line_ack(). */
static void line_ack_work(struct work_struct *work)
{
	line_ack(container_of(work, struct irqx_line, ack), true);
}

/**
 * irqx_line_ack - the guest has acknowledged an interrupt
 * @vm: the VM
 * @key: irqx_arch_line_key() of the pin or SINT
 *
 * Context: a tracepoint probe on the vCPU's thread, under RCU, with no lock of
 * KVM's interrupt controllers held; atomic on arm64, and on any kernel whose
 * tracepoints disable preemption.  On PREEMPT_RT spinlocks sleep, so there it is
 * for the work queue, as it is if interrupts are off and who has a lock may need
 * them on here.  KVM would look at the pin before, and give the guest one interrupt
 * more; where pins can be lowered here, it is lowered at once.  What asserts it
 * before the work comes is told to assert again, as if it had come before this.
 */
void irqx_line_ack(struct irqx_vm *vm, unsigned long key)
{
	struct irqx_line *line = xa_load(&vm->lines, key);

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "a line is found under RCU");

	if (!line)
		return;
	if (IS_ENABLED(CONFIG_PREEMPT_RT) ? preemptible() :
					    vm->pins_are_atomic || !irqs_disabled()) {
		line_ack(line, false);
		return;
	}
	if (!IS_ENABLED(CONFIG_PREEMPT_RT) && line_try_ack(line))
		return;
	if (irqx_line_is_pin(line) && irqx_arch_pins_are_raw())
		irqx_kvm_set_pin(vm->kvm, vm->source_id, &line->entry, 0);
	queue_work(irqx_wq, &line->ack);
}

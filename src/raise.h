/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_RAISE_H
#define _IRQX_RAISE_H

/* An event without an eventfd: by a call, or by a module of the host. */

#include <linux/compiler.h>
#include <linux/preempt.h>

#include "deliver.h"
#include "kvm/inject.h"
#include "trace.h"
#include "vm.h"

/*
 * On PREEMPT_RT nothing that KVM may do is for an interrupt handler, or for who holds a raw lock.
 */
static __always_inline bool irqx_may_inject(void)
{
	return !IS_ENABLED(CONFIG_PREEMPT_RT) || preemptible();
}

/**
 * irqx_target_event - an event, without an eventfd
 * @target: with a raw lock; the caller sees to it that its memory stays
 *
 * Few registers and no call more than there must be: benchmarks.rst, inject-extra.
 *
 * Context: any but NMI.
 * Return: 0, or -ENODEV after irqx_target_close().
 */
static __always_inline int irqx_target_event(struct irqx_target *target)
{
	bool inject = irqx_may_inject();
	unsigned long flags;
	struct irqx_vm *vm;
	int ret;

	/* Else its address is worked out again and again. */
	OPTIMIZER_HIDE_VAR(target);
	raw_spin_lock_irqsave(target->lock, flags);
	if (unlikely(!target->to.inline_now || !inject))
		return irqx_event_slow_unlock(target, inject, flags);
	vm = target->delivery->vm;
	ret = irqx_kvm_inject_atomic(&target->to.one, vm->kvm, vm->source_id);
	this_cpu_inc(target->delivery->counters->atomic);
	if (unlikely(ret <= 0 || trace_irqx_inject_enabled()))
		irqx_event_count(target, ret);
	raw_spin_unlock_irqrestore(target->lock, flags);
	return 0;
}

#endif /* _IRQX_RAISE_H */

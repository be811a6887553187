// SPDX-License-Identifier: GPL-2.0
/*
 * What it takes on x86 to learn all that the guest does to a pin.
 *
 * The EOI of an edge-triggered pin is intercepted only if an ack notifier is
 * registered for the GSI that KVM's own table gives to that pin.
 *
 * When the guest unmasks a level-triggered pin with something pending, KVM from 6.4 on asks
 * its own resamplefds, by kvm_notify_irqfd_resampler(), and if there are any forgets what is
 * pending: it may be out of date.  Nothing tells of that, and the answer counts, so it is
 * changed as the function returns.  Where KVM does not do this the module does not either.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kprobes.h>

#include "arch/arch.h"
#include "kvm.h"
#include "symbols.h"

/* The tracepoint sees the EOI. */
static void watch_acked(struct kvm_irq_ack_notifier *notifier)
{
}

static int watch_gsi(struct kvm *kvm, const struct irqx_pin_watch *watch)
{
	int gsi, idx;

	idx = srcu_read_lock(&kvm->irq_srcu);
	gsi = static_call(irqx_kvm_irq_map_chip_pin)(kvm, watch->irqchip,
						     watch->pin);
	srcu_read_unlock(&kvm->irq_srcu, idx);
	return gsi;
}

/**
 * irqx_kvm_watch_pin - have KVM tell of a pin's EOIs
 * @kvm: the VM
 * @watch: lives until irqx_kvm_unwatch_pin()
 * @e: the pin
 *
 * Context: may sleep, takes kvm->irq_lock.
 */
void irqx_kvm_watch_pin(struct kvm *kvm, struct irqx_pin_watch *watch,
			const struct kvm_kernel_irq_routing_entry *e)
{
	watch->irqchip = e->irqchip.irqchip;
	watch->pin = e->irqchip.pin;
	watch->ack.irq_acked = watch_acked;
	watch->ack.gsi = watch_gsi(kvm, watch);
	static_call(irqx_kvm_register_irq_ack_notifier)(kvm, &watch->ack);
}

/*
 * KVM's table may have been changed since; called before each assertion.  A
 * notification that comes by the old GSI is no harm, so the number can change
 * in place.
 *
 * Context: does not sleep; the caller keeps others from doing the same.
 */
void irqx_kvm_rewatch_pin(struct kvm *kvm, struct irqx_pin_watch *watch)
{
	int gsi = watch_gsi(kvm, watch);

	if (gsi == watch->ack.gsi)
		return;
	WRITE_ONCE(watch->ack.gsi, gsi);
	/* Every vCPU looks anew whose EOIs it must leave the guest for. */
	static_call(irqx_kvm_make_all_cpus_request)(kvm, KVM_REQ_SCAN_IOAPIC);
}

/* Context: sleeps for SRCU grace periods; no lock held. */
void irqx_kvm_unwatch_pin(struct kvm *kvm, struct irqx_pin_watch *watch)
{
	static_call(irqx_kvm_unregister_irq_ack_notifier)(kvm, &watch->ack);
}

#ifdef CONFIG_KRETPROBES
static irqx_unmask_fn unmask_fn;	/* immutable once registered */

struct unmasking {
	struct kvm *kvm;
	unsigned long key;
};

/* kvm_notify_irqfd_resampler(kvm, irqchip, pin) */
static int unmask_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct unmasking *it = (void *)ri->data;

	it->kvm = (void *)regs_get_kernel_argument(regs, 0);
	it->key = irqx_arch_pin_key(regs_get_kernel_argument(regs, 1),
				    regs_get_kernel_argument(regs, 2));
	return 0;
}

static int unmask_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct unmasking *it = (void *)ri->data;
	/* Of a bool only the lowest byte counts. */
	bool asked = regs_return_value(regs) & 0xff;

	rcu_read_lock();
	if (unmask_fn(it->kvm, it->key, asked))
		regs_set_return_value(regs, true);
	rcu_read_unlock();
	return 0;
}

static struct kretprobe unmask_probe = {
	.entry_handler = unmask_enter,
	.handler = unmask_return,
	.data_size = sizeof(struct unmasking),
	/*
	 * The lock of KVM's IOAPIC is held, so that each CPU is in it once; but where that may
	 * sleep, each vCPU of the host.  One that finds no room is not seen.
	 */
	.maxactive = IS_ENABLED(CONFIG_PREEMPT_RT) ? 1024 : 0,
};

/**
 * irqx_kvm_see_unmasking - have a say when a pin is unmasked
 * @fn: called for all VMs
 *
 * The probe stays while the module is loaded: few guests unmask with something pending.
 *
 * Context: may sleep.
 * Return: 0, also where KVM does not ask; -ENOMEM, or another errno with a line in the log.
 */
int irqx_kvm_see_unmasking(irqx_unmask_fn fn)
{
	void *function = irqx_kvm_has(kvm_notify_irqfd_resampler);
	int ret;

	if (!function)
		return 0;
	unmask_fn = fn;
	unmask_probe.kp.addr = function;
	ret = register_kretprobe(&unmask_probe);
	if (!ret)
		return 0;
	unmask_probe.kp.addr = NULL;
	if (ret != -ENOMEM)
		pr_err("kvm_notify_irqfd_resampler() cannot be probed: error %d\n",
		       ret);
	return ret;
}

/* Context: may sleep.  Waits for those that run. */
void irqx_kvm_unsee_unmasking(void)
{
	if (unmask_probe.kp.addr)
		unregister_kretprobe(&unmask_probe);
}
#else
/* A kernel without kretprobes: what is pending is given to the guest, out of date or not. */
int irqx_kvm_see_unmasking(irqx_unmask_fn fn)
{
	return 0;
}

void irqx_kvm_unsee_unmasking(void)
{
}
#endif

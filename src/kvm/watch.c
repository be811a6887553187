// SPDX-License-Identifier: GPL-2.0
/*
 * What it takes on x86 to learn all that the guest does to a pin.
 *
 * The EOI of an edge-triggered pin is intercepted only if an ack notifier is
 * registered for the GSI that KVM's own table gives to that pin.  And a pin that
 * the guest unmasks is told of by a mask notifier of that GSI.
 */
#include "kvm.h"
#include "symbols.h"
#include "work.h"

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

#ifdef IRQX_KVM_HAS_MASK_NOTIFIER
/* Under ioapic->lock, before KVM looks at what is pending on the pin. */
static void watch_masked(struct kvm_irq_mask_notifier *mask, bool masked)
{
	struct irqx_pin_watch *watch =
		container_of(mask, struct irqx_pin_watch, mask);

	if (!masked)
		irqx_queue_work(watch->unmasked);
}

static void watch_mask(struct kvm *kvm, struct irqx_pin_watch *watch)
{
	watch->mask.func = watch_masked;
	static_call(irqx_kvm_register_irq_mask_notifier)(kvm, watch->ack.gsi,
							 &watch->mask);
}

static void rewatch_mask(struct irqx_pin_watch *watch, int gsi)
{
	WRITE_ONCE(watch->mask.irq, gsi);
}

static void unwatch_mask(struct kvm *kvm, struct irqx_pin_watch *watch)
{
	static_call(irqx_kvm_unregister_irq_mask_notifier)(kvm, watch->mask.irq,
							   &watch->mask);
}
#else
static void watch_mask(struct kvm *kvm, struct irqx_pin_watch *watch) {}
static void rewatch_mask(struct irqx_pin_watch *watch, int gsi) {}
static void unwatch_mask(struct kvm *kvm, struct irqx_pin_watch *watch) {}
#endif

/**
 * irqx_kvm_watch_pin - have KVM tell what the guest does to a pin
 * @kvm: the VM
 * @watch: lives until irqx_kvm_unwatch_pin()
 * @e: the pin
 * @unmasked: queued when the guest unmasks the pin, where KVM can tell
 *
 * Context: may sleep, takes kvm->irq_lock.
 */
void irqx_kvm_watch_pin(struct kvm *kvm, struct irqx_pin_watch *watch,
			const struct kvm_kernel_irq_routing_entry *e,
			struct work_struct *unmasked)
{
	watch->irqchip = e->irqchip.irqchip;
	watch->pin = e->irqchip.pin;
	watch->unmasked = unmasked;
	watch->ack.irq_acked = watch_acked;
	watch->ack.gsi = watch_gsi(kvm, watch);
	static_call(irqx_kvm_register_irq_ack_notifier)(kvm, &watch->ack);
	watch_mask(kvm, watch);
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
	rewatch_mask(watch, gsi);
	/* Every vCPU looks anew whose EOIs it must leave the guest for. */
	static_call(irqx_kvm_make_all_cpus_request)(kvm, KVM_REQ_SCAN_IOAPIC);
}

/* Context: sleeps for SRCU grace periods; no lock held. */
void irqx_kvm_unwatch_pin(struct kvm *kvm, struct irqx_pin_watch *watch)
{
	unwatch_mask(kvm, watch);
	static_call(irqx_kvm_unregister_irq_ack_notifier)(kvm, &watch->ack);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Private peripheral interrupts of arm64.  KVM injects them for who has the
 * vCPU in hand (its timers, its PMU, KVM_IRQ_LINE); its routing entries cannot
 * name one.  An entry of ours has the vCPU's index for the irqchip and the INTID
 * for the pin, in the user's form and in KVM's.
 */
#include <linux/kvm_host.h>
#include <linux/nospec.h>
#include <kvm/arm_vgic.h>

#include "error.h"
#include "kvm.h"
#include "symbols.h"
#include "uapi/linux/kvm_irqx.h"

/*
 * The VGIC is initialised, so vCPUs and their interrupts stay till the VM goes.
 * KVM looks at the owner again, under the interrupt's lock.
 */
static struct vgic_irq *ppi_irq(struct kvm_vcpu *vcpu, u32 intid)
{
	return &vcpu->arch.vgic_cpu.private_irqs[intid];
}

static bool ppi_is_kvms(struct kvm_vcpu *vcpu, u32 intid)
{
	/* The timers are not owners before the vCPU's first run. */
	return intid == irqx_timer_intid(vcpu, TIMER_VTIMER) ||
	       intid == irqx_timer_intid(vcpu, TIMER_PTIMER) ||
	       READ_ONCE(ppi_irq(vcpu, intid)->owner);
}

/*
 * The level, for src/line.c.  One that is down already leaves an event alone: KVM would
 * forget that of a level-triggered interrupt.  Context: any.
 */
static int ppi_set(struct kvm_kernel_irq_routing_entry *e, struct kvm *kvm,
		   int source_id, int level, bool line_status)
{
	struct kvm_vcpu *vcpu = kvm_get_vcpu(kvm, e->irqchip.irqchip);
	u32 intid = e->irqchip.pin;
	struct vgic_irq *irq = ppi_irq(vcpu, intid);
	unsigned long flags;

	if (ppi_is_kvms(vcpu, intid))
		return -EBUSY;
	raw_spin_lock_irqsave(&irq->irq_lock, flags);
	if (level || irq->line_level)
		irq->config = VGIC_CONFIG_LEVEL;
	raw_spin_unlock_irqrestore(&irq->irq_lock, flags);
	return static_call(irqx_kvm_vgic_inject_irq)(kvm, irqx_vgic_vcpu(vcpu),
						     intid, level, NULL);
}

/**
 * irqx_kvm_parse_ppi - a user's PPI entry into KVM's form
 * @kvm: the VM; its VGIC is initialised
 * @ue: the user's entry
 * @e: filled in on success, but for what irqx_kvm_parse() has set
 * @error: filled in if it fails
 *
 * Context: any.
 * Return: 0, -EINVAL if there is no such vCPU or PPI, -EBUSY if it is KVM's own.
 */
int irqx_kvm_parse_ppi(struct kvm *kvm, const struct kvm_irq_routing_entry *ue,
		       struct kvm_kernel_irq_routing_entry *e,
		       struct irqx_error *error)
{
	u32 nr_vcpus = atomic_read(&kvm->online_vcpus);
	u32 index = ue->u.irqchip.irqchip;
	u32 intid = ue->u.irqchip.pin;

	if (memchr_inv(&ue->u.pad[2], 0, sizeof(ue->u.pad) - 2 * sizeof(u32)))
		return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_U,
				   IRQX_REASON_NOT_ZERO);
	if (index >= nr_vcpus)
		return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_IRQCHIP,
				   IRQX_REASON_OUT_OF_RANGE);
	if (intid < VGIC_NR_SGIS || intid >= VGIC_NR_PRIVATE_IRQS)
		return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_PIN,
				   IRQX_REASON_OUT_OF_RANGE);
	index = array_index_nospec(index, nr_vcpus);
	intid = array_index_nospec(intid, VGIC_NR_PRIVATE_IRQS);
	if (ppi_is_kvms(kvm_get_vcpu(kvm, index), intid))
		return irqx_reject(error, -EBUSY, IRQX_ARG_ENTRY_PIN,
				   IRQX_REASON_KVM_USES);

	e->irqchip.irqchip = index;
	e->irqchip.pin = intid;
	e->set = ppi_set;
	return 0;
}

/**
 * irqx_kvm_raise_ppi - one interrupt, whatever the level of the PPI
 * @kvm: the VM
 * @e: from irqx_kvm_parse_ppi()
 *
 * KVM's PPIs are level-triggered, and the guest cannot change that.  An event has
 * no level: it needs a latch, and one that an event which comes while the guest
 * serves the last sets again.  That of a level-triggered interrupt is cleared at
 * its end, with all that came meanwhile; that of an edge-triggered one when it is
 * given to the guest.  So the PPI is edge-triggered from its first event on, until
 * somebody drives its level.
 *
 * Context: any; may be called with interrupts off.
 * Return: 1, 0 if it was latched already, -EBUSY if KVM has taken the PPI.
 */
int irqx_kvm_raise_ppi(struct kvm *kvm,
		       const struct kvm_kernel_irq_routing_entry *e)
{
	struct kvm_vcpu *vcpu = kvm_get_vcpu(kvm, e->irqchip.irqchip);
	struct vgic_irq *irq = ppi_irq(vcpu, e->irqchip.pin);
	unsigned long flags;
	bool latched;

	raw_spin_lock_irqsave(&irq->irq_lock, flags);
	if (irq->owner) {
		irq->config = VGIC_CONFIG_LEVEL;
		raw_spin_unlock_irqrestore(&irq->irq_lock, flags);
		return -EBUSY;
	}
	if (!irq->line_level)
		irq->config = VGIC_CONFIG_EDGE;
	latched = irq->pending_latch;
	irq->pending_latch = true;
	static_call(irqx_vgic_queue_irq_unlock)(kvm, irq, flags);
	__release(&irq->irq_lock);	/* sparse does not look behind the call */
	return !latched;
}

/**
 * irqx_kvm_ppi_is_queued - whether the guest may have taken it
 * @kvm: the VM
 * @e: from irqx_kvm_parse_ppi()
 *
 * KVM has it among the vCPU's pending and active ones; it stays there until the vCPU's
 * first exit after the EOI, and its fall.
 *
 * Context: any.
 * Return: whether it is.
 */
bool irqx_kvm_ppi_is_queued(struct kvm *kvm,
			    const struct kvm_kernel_irq_routing_entry *e)
{
	struct kvm_vcpu *vcpu = kvm_get_vcpu(kvm, e->irqchip.irqchip);

	return READ_ONCE(ppi_irq(vcpu, e->irqchip.pin)->vcpu);
}

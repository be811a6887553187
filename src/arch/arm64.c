// SPDX-License-Identifier: GPL-2.0
#include <linux/kvm_host.h>
#include <kvm/arm_vgic.h>

#include "arch.h"
#include "error.h"
#include "kvm/kvm.h"
#include "uapi/linux/kvm_irqx.h"

/* Context: any.  Return: the types of entry, and what they can do. */
u64 irqx_arch_features(void)
{
	u64 features = KVM_IRQX_FEATURE_IRQCHIP | KVM_IRQX_FEATURE_MSI |
		       KVM_IRQX_FEATURE_PPI | KVM_IRQX_FEATURE_TABLE |
		       KVM_IRQX_FEATURE_DYNIRQ | KVM_IRQX_FEATURE_LIST;

	if (irqx_kvm_tells_eois())
		features |= KVM_IRQX_FEATURE_RESAMPLE;
	return features;
}

/*
 * Context: any.  Return: 0 if the VGIC is there and initialised: from then on an
 * SPI can be raised without sleeping, and no vCPU is added any more.  -EAGAIN
 * before, -ENODEV if it is a GICv5, which numbers interrupts in another way.
 */
int irqx_arch_vm_ready(struct kvm *kvm, struct irqx_error *error)
{
#ifdef KVM_DEV_TYPE_ARM_VGIC_V5
	if (kvm->arch.vgic.vgic_model == KVM_DEV_TYPE_ARM_VGIC_V5)
		return irqx_reject(error, -ENODEV, IRQX_ARG_CONTEXT,
				   IRQX_REASON_GICV5);
#endif
	if (vgic_initialized(kvm))
		return 0;
	return irqx_reject(error, -EAGAIN, IRQX_ARG_CONTEXT,
			   IRQX_REASON_NO_IRQCHIP);
}

/* Context: any.  Return: 0, or -ENODEV without an ITS. */
int irqx_arch_takes_tables(struct kvm *kvm, struct irqx_error *error)
{
	if (READ_ONCE(kvm->arch.vgic.has_its))
		return 0;
	return irqx_reject(error, -ENODEV, IRQX_ARG_CONTEXT, IRQX_REASON_NO_ITS);
}

/* The last reference to an LPI goes under a lock that sleeps on PREEMPT_RT (vgic_put_irq()). */
bool irqx_arch_injects_raw(const struct kvm_kernel_irq_routing_entry *e)
{
	return !IS_ENABLED(CONFIG_PREEMPT_RT) || e->type != KVM_IRQ_ROUTING_MSI;
}

void irqx_arch_widen_destination(struct kvm *kvm, u32 *address_lo, u32 *address_hi)
{
}

/* One that has not been written since a reset has no address yet. */
u64 irqx_arch_pack_message(u64 address, u32 data, u64 doorbell, bool *partial)
{
	*partial = address && address != doorbell;
	return data;
}

void irqx_arch_unpack_message(u64 packed, u64 doorbell, u64 *address, u32 *data)
{
	*address = doorbell;
	*data = lower_32_bits(packed);
}

bool irqx_arch_entry_needs_mm(const struct kvm_kernel_irq_routing_entry *e)
{
	return false;
}

/* The ITS's lock is held by a vCPU that has KVM read a table in guest memory. */
bool irqx_arch_waits_for_pages(const struct kvm_kernel_irq_routing_entry *e)
{
	return e->type == KVM_IRQ_ROUTING_MSI;
}

void irqx_arch_init_pager(void)
{
}

bool irqx_arch_writes_guest_memory(void)
{
	return false;
}

bool irqx_arch_memory_named(struct kvm *kvm)
{
	return false;
}

/* Context: any.  kvm_set_routing_entry() checks all there is to check. */
int irqx_arch_check_entry(const struct kvm_irq_routing_entry *ue,
			  struct irqx_error *error)
{
	return 0;
}

/* What an LPI is mapped to is the guest's to say, now or later. */
bool irqx_arch_is_undeliverable(const struct kvm_kernel_irq_routing_entry *e)
{
	return false;
}

u32 irqx_arch_user_pin(u32 irqchip, u32 pin)
{
	return pin;
}

/* A pin is an SPI, counted from 0. */
long irqx_arch_pin_key(u32 irqchip, u32 pin)
{
	return irqchip * KVM_IRQCHIP_NUM_PINS + pin;
}

long irqx_arch_sint_key(u32 vp, u32 sint)
{
	return -1;
}

long irqx_arch_vector_key(u32 vector)
{
	return -1;
}

unsigned long irqx_arch_sints_of(struct kvm_vcpu *vcpu, int vector)
{
	return 0;
}

/* Each vCPU has its own. */
long irqx_arch_ppi_key(u32 vcpu, u32 intid)
{
	return KVM_NR_IRQCHIPS * KVM_IRQCHIP_NUM_PINS +
	       (long)vcpu * VGIC_NR_PRIVATE_IRQS + intid;
}

long irqx_arch_line_key(const struct kvm_kernel_irq_routing_entry *e)
{
	switch (e->type) {
	case KVM_IRQ_ROUTING_IRQCHIP:
		return irqx_arch_pin_key(e->irqchip.irqchip, e->irqchip.pin);
	case KVM_IRQX_ROUTING_PPI:
		return irqx_arch_ppi_key(e->irqchip.irqchip, e->irqchip.pin);
	default:
		return -1;
	}
}

/* KVM's VGIC tells of SPIs only; the ends of PPIs can be seen. */
bool irqx_arch_has_eoi(struct kvm *kvm, const struct kvm_kernel_irq_routing_entry *e)
{
	switch (e->type) {
	case KVM_IRQ_ROUTING_IRQCHIP:
		return irqx_kvm_tells_eois();
	case KVM_IRQX_ROUTING_PPI:
		return irqx_kvm_tells_ppi_eois();
	default:
		return false;
	}
}

bool irqx_arch_pins_are_atomic(struct kvm *kvm)
{
	return !irqx_kvm_spi_kicks_all(kvm);
}

u32 irqx_arch_vp_index(struct kvm_vcpu *vcpu)
{
	return vcpu->vcpu_idx;
}

// SPDX-License-Identifier: GPL-2.0
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/msi.h>
#include <asm/apicdef.h>
#include <asm/pkru.h>

#include "arch.h"
#include "error.h"
#include "kvm/compat.h"
#include "uapi/linux/kvm_irqx.h"

/* Context: any.  Return: the types of entry, and what they can do. */
u64 irqx_arch_features(void)
{
	u64 features = KVM_IRQX_FEATURE_MSI | KVM_IRQX_FEATURE_RESAMPLE |
		       KVM_IRQX_FEATURE_LEVEL_MSI | KVM_IRQX_FEATURE_TABLE |
		       KVM_IRQX_FEATURE_DYNIRQ | KVM_IRQX_FEATURE_LIST;

	if (IRQX_KVM_HAS_IOAPIC)
		features |= KVM_IRQX_FEATURE_IRQCHIP;
	if (IRQX_KVM_HAS_HYPERV)
		features |= KVM_IRQX_FEATURE_HV_SINT |
			    KVM_IRQX_FEATURE_EVENT_FLAG;
	if (IS_ENABLED(CONFIG_KVM_XEN))
		features |= KVM_IRQX_FEATURE_XEN_EVTCHN;
	return features;
}

/*
 * Context: any.  Return: 0 if there are local APICs to deliver to, else -EAGAIN.
 * Once 0 it stays so: an interrupt controller is never taken out again.
 */
int irqx_arch_vm_ready(struct kvm *kvm, struct irqx_error *error)
{
	enum kvm_irqchip_mode mode = READ_ONCE(kvm->arch.irqchip_mode);

	/* Pairs with the smp_wmb() before KVM sets the mode (x86.c). */
	smp_rmb();
	if (mode != KVM_IRQCHIP_NONE)
		return 0;
	return irqx_reject(error, -EAGAIN, IRQX_ARG_CONTEXT,
			   IRQX_REASON_NO_IRQCHIP);
}

/* Context: any.  Return: 0: a local APIC takes all messages. */
int irqx_arch_takes_tables(struct kvm *kvm, struct irqx_error *error)
{
	return 0;
}

/* Xen's event channels have a rwlock (virt/kvm, gpc->lock). */
bool irqx_arch_injects_raw(const struct kvm_kernel_irq_routing_entry *e)
{
	return e->type != KVM_IRQ_ROUTING_XEN_EVTCHN;
}

/*
 * KVM_FEATURE_MSI_EXT_DEST_ID: bits 11:5 of the address are bits 14:8 of the destination.  A VMM
 * that tells its guest of it has switched 32-bit destinations on (KVM_CAP_X2APIC_API), and
 * moves them for KVM's table (QEMU, kvm_arch_fixup_msi_route()).
 */
void irqx_arch_widen_destination(struct kvm *kvm, u32 *address_lo, u32 *address_hi)
{
	const u32 high = GENMASK(11, 5);

	if (!kvm->arch.x2apic_format || *address_hi || !(*address_lo & high))
		return;
	*address_hi = (*address_lo & high) << 3;
	*address_lo &= ~high;
}

u64 irqx_arch_pack_message(u64 address, u32 data, u64 doorbell, bool *partial)
{
	*partial = upper_32_bits(address) || data >> 16;
	return lower_32_bits(address) | (u64)(u16)data << 32;
}

void irqx_arch_unpack_message(u64 packed, u64 doorbell, u64 *address, u32 *data)
{
	*address = lower_32_bits(packed);
	*data = (u16)(packed >> 32);
}

/*
 * Context: any.  Return: whether delivery outside atomic context reaches into
 * guest memory: kvm_xen_set_evtchn().
 */
bool irqx_arch_entry_needs_mm(const struct kvm_kernel_irq_routing_entry *e)
{
	return e->type == KVM_IRQ_ROUTING_XEN_EVTCHN;
}

bool irqx_arch_waits_for_pages(const struct kvm_kernel_irq_routing_entry *e)
{
	return irqx_arch_entry_needs_mm(e);
}

/*
 * KVM does not ask for protection keys when it writes to guest memory.  Those of a kernel
 * thread forbid all but key 0.
 */
void irqx_arch_init_pager(void)
{
	write_pkru(0);
}

bool irqx_arch_writes_guest_memory(void)
{
	return true;
}

/*
 * Context: any.  Return: whether that guest memory was ever named.  KVM warns if
 * it is asked to find a shared-info page that was not.
 */
bool irqx_arch_memory_named(struct kvm *kvm)
{
#ifdef CONFIG_KVM_XEN
	return READ_ONCE(kvm->arch.xen.shinfo_cache.active);
#else
	return false;
#endif
}

/*
 * Context: any.  What KVM would take and then refuse at each event is refused
 * at once.
 */
int irqx_arch_check_entry(const struct kvm_irq_routing_entry *ue,
			  struct irqx_error *error)
{
	if (ue->type != KVM_IRQ_ROUTING_HV_SINT)
		return 0;
	if (!IRQX_KVM_HAS_HYPERV)
		return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_TYPE,
				   IRQX_REASON_UNKNOWN_VALUE);
	if (ue->u.hv_sint.sint >= HV_SYNIC_SINT_COUNT)
		return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_SINT,
				   IRQX_REASON_OUT_OF_RANGE);
	if (ue->u.hv_sint.vcpu >= KVM_MAX_VCPUS)
		return irqx_reject(error, -EINVAL, IRQX_ARG_ENTRY_VP,
				   IRQX_REASON_OUT_OF_RANGE);
	return 0;
}

/* Of one of the two. */
#define IRQX_PIC_PINS	8

/* KVM counts those of both PICs together (kvm_set_routing_entry()). */
u32 irqx_arch_user_pin(u32 irqchip, u32 pin)
{
	return irqchip == KVM_IRQCHIP_PIC_SLAVE ? pin - IRQX_PIC_PINS : pin;
}

/* The IOAPIC first: all pins are below 64 then, and an xarray of them is one node. */
long irqx_arch_pin_key(u32 irqchip, u32 pin)
{
	return (KVM_IRQCHIP_IOAPIC - irqchip) * KVM_IRQCHIP_NUM_PINS + pin;
}

long irqx_arch_sint_key(u32 vp, u32 sint)
{
	return KVM_NR_IRQCHIPS * KVM_IRQCHIP_NUM_PINS +
	       (long)vp * HV_SYNIC_SINT_COUNT + sint;
}

long irqx_arch_vector_key(u32 vector)
{
	return irqx_arch_sint_key(KVM_MAX_VCPUS, 0) + vector;
}

/* Return: whether the vector of the MSI counts: of NMIs, INITs and so on it does not. */
static bool msg_has_vector(const struct msi_msg *msg)
{
	return msg->arch_data.delivery_mode == APIC_DELIVERY_MODE_FIXED ||
	       msg->arch_data.delivery_mode == APIC_DELIVERY_MODE_LOWESTPRIO;
}

/* Return: the vector of a level-triggered MSI, for which there will be an EOI; or -1. */
static int level_vector(const struct kvm_kernel_irq_routing_entry *e)
{
	const struct msi_msg msg = { .data = e->msi.data };

	if (!msg.arch_data.is_level || !msg_has_vector(&msg))
		return -1;
	return msg.arch_data.vector;
}

/* The local APIC takes no vector below 16. */
bool irqx_arch_is_undeliverable(const struct kvm_kernel_irq_routing_entry *e)
{
	const struct msi_msg msg = { .data = e->msi.data };

	return e->type == KVM_IRQ_ROUTING_MSI && msg_has_vector(&msg) &&
	       msg.arch_data.vector < 16;
}

/*
 * With a split irqchip the VMM has the IOAPIC, and level-triggered MSIs are its pins.
 * Where Intel's APICv may complete EOIs, it tells of vectors that KVM's own table has among
 * the first GSIs, which the VMM has set aside for its IOAPIC (kvm_scan_ioapic_routes()).
 * What the table has there may change; that there are none does not.
 */
static bool vectors_have_eoi(struct kvm *kvm)
{
	if (READ_ONCE(kvm->arch.irqchip_mode) != KVM_IRQCHIP_SPLIT ||
	    irqx_kvm_hides_eois(kvm))
		return false;
	return !boot_cpu_has(X86_FEATURE_VMX) || !irqx_kvm_may_have_apicv(kvm) ||
	       kvm->arch.nr_reserved_ioapic_pins;
}

long irqx_arch_line_key(const struct kvm_kernel_irq_routing_entry *e)
{
	int vector;

	switch (e->type) {
	case KVM_IRQ_ROUTING_IRQCHIP:
		return irqx_arch_pin_key(e->irqchip.irqchip, e->irqchip.pin);
	case KVM_IRQ_ROUTING_HV_SINT:
		return irqx_arch_sint_key(e->hv_sint.vcpu, e->hv_sint.sint);
	case KVM_IRQ_ROUTING_MSI:
		vector = level_vector(e);
		return vector < 0 ? -1 : irqx_arch_vector_key(vector);
	default:
		return -1;
	}
}

bool irqx_arch_has_eoi(struct kvm *kvm, const struct kvm_kernel_irq_routing_entry *e)
{
	if (irqx_arch_line_key(e) < 0)
		return false;
	return e->type != KVM_IRQ_ROUTING_MSI || vectors_have_eoi(kvm);
}

bool irqx_arch_pins_are_atomic(struct kvm *kvm)
{
	return false;
}

unsigned long irqx_arch_sints_of(struct kvm_vcpu *vcpu, int vector)
{
	unsigned long sints = 0;
#if IRQX_KVM_HAS_HYPERV
	struct kvm_vcpu_hv *hv = vcpu->arch.hyperv;
	u64 value;
	u32 i;

	for (i = 0; hv && i < HV_SYNIC_SINT_COUNT; i++) {
		value = atomic64_read(irqx_kvm_hv_sint(hv, i));
		if (!(value & HV_SYNIC_SINT_MASKED) &&
		    (value & HV_SYNIC_SINT_VECTOR_MASK) == vector)
			sints |= BIT(i);
	}
#endif
	return sints;
}

/* Context: the vCPU's thread. */
u32 irqx_arch_vp_index(struct kvm_vcpu *vcpu)
{
#if IRQX_KVM_HAS_HYPERV
	struct kvm_vcpu_hv *hv = vcpu->arch.hyperv;

	if (hv)
		return irqx_kvm_hv_vp_index(hv);
#endif
	return vcpu->vcpu_idx;
}

/*
 * The module links to nothing of KVM's vendor module, so depmod does not see that it is
 * of no use without one.  Where one of the two does not load, modprobe goes on.
 */
MODULE_SOFTDEP("pre: kvm_amd kvm_intel");

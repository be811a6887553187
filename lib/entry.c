// SPDX-License-Identifier: MIT
/*
 * Routing entries: from what a guest writes, and as words.
 */
#include "internal.h"

#if defined(__x86_64__) || defined(__i386__)
#define NATIVE	KVMIRQX_ARCH_X86
#elif defined(__aarch64__)
#define NATIVE	KVMIRQX_ARCH_ARM64
#else
#error "an architecture without kvm-irqx"
#endif

/* Message Address of x86: bits 11:5 are destination bits 14:8 for a guest that knows of it. */
#define MSI_REMAPPABLE		(1U << 4)
#define MSI_EXT_DEST_ID		0xfe0U
#define MSI_EXT_DEST_ID_SHIFT	3

/* Return: the architecture, or -EINVAL. */
static int which_arch(int arch)
{
	switch (arch) {
	case KVMIRQX_ARCH_NATIVE:
		return NATIVE;
	case KVMIRQX_ARCH_X86:
	case KVMIRQX_ARCH_ARM64:
		return arch;
	default:
		return -EINVAL;
	}
}

PUBLIC int kvmirqx_msi_entry(struct kvm_irq_routing_entry *entry, int arch, __u32 flags,
			     const struct kvmirqx_msi *msi)
{
	__u32 extended;

	arch = which_arch(arch);
	if (arch < 0 || !entry || !msi || flags & ~(KVMIRQX_MSI_EXT_DEST_ID | KVMIRQX_MSI_DEVID))
		return -EINVAL;
	memset(entry, 0, sizeof(*entry));
	entry->type = KVM_IRQ_ROUTING_MSI;
	entry->u.msi.address_lo = msi->address_lo;
	entry->u.msi.address_hi = msi->address_hi;
	entry->u.msi.data = msi->data;
	if (arch == KVMIRQX_ARCH_X86) {
		extended = msi->address_lo & MSI_EXT_DEST_ID;
		if (flags & KVMIRQX_MSI_EXT_DEST_ID && !(msi->address_lo & MSI_REMAPPABLE)) {
			entry->u.msi.address_lo &= ~MSI_EXT_DEST_ID;
			entry->u.msi.address_hi |= extended << MSI_EXT_DEST_ID_SHIFT;
		}
	} else if (flags & KVMIRQX_MSI_DEVID) {
		entry->flags = KVM_MSI_VALID_DEVID;
		entry->u.msi.devid = msi->devid;
	}
	return 0;
}

static unsigned long long msi_address(const struct kvm_irq_routing_entry *entry)
{
	return (unsigned long long)entry->u.msi.address_hi << 32 | entry->u.msi.address_lo;
}

/* SDM, 11.11: Message Signalled Interrupts. */
static void add_x86_msi(struct kvmirqx_text *text, const struct kvm_irq_routing_entry *entry)
{
	static const char *const modes[8] = {
		[1] = ", lowest priority", [2] = ", SMI", [3] = ", reserved delivery mode 3",
		[4] = ", NMI", [5] = ", INIT", [6] = ", reserved delivery mode 6", [7] = ", ExtINT",
	};
	__u32 lo = entry->u.msi.address_lo, hi = entry->u.msi.address_hi;
	__u32 data = entry->u.msi.data, dest = (lo >> 12 & 0xff) | (hi & 0xffffff00);
	bool logical = lo & 1U << 2, level = data & 1U << 15;
	__u32 mode = data >> 8 & 7;

	if (lo >> 20 != 0xfee) {
		kvmirqx_text_add(text, "MSI address 0x%llx, data 0x%x, not to an APIC",
				 msi_address(entry), data);
		return;
	}
	if (lo & MSI_REMAPPABLE) {
		kvmirqx_text_add(text, "MSI address 0x%llx, data 0x%x, remappable format",
				 msi_address(entry), data);
		return;
	}
	kvmirqx_text_add(text, "MSI vector 0x%02x to ", data & 0xff);
	if (logical)
		kvmirqx_text_add(text, "APICs 0x%x, logical", dest);
	else if (dest == ~0U)
		kvmirqx_text_add(text, "all APICs, physical");
	else
		kvmirqx_text_add(text, "APIC %u, physical", dest);
	if (lo & 1U << 3)
		kvmirqx_text_add(text, ", redirection hint");
	if (modes[mode])
		kvmirqx_text_add(text, "%s", modes[mode]);
	kvmirqx_text_add(text, "%s", level ? ", level" : ", edge");
}

static void add_msi(struct kvmirqx_text *text, int arch, const struct kvm_irq_routing_entry *entry)
{
	if (arch == KVMIRQX_ARCH_X86) {
		add_x86_msi(text, entry);
		return;
	}
	kvmirqx_text_add(text, "MSI doorbell 0x%llx, ", msi_address(entry));
	if (entry->flags & KVM_MSI_VALID_DEVID)
		kvmirqx_text_add(text, "event %u, device 0x%x", entry->u.msi.data,
				 entry->u.msi.devid);
	else
		kvmirqx_text_add(text, "data 0x%x", entry->u.msi.data);
}

static void add_pin(struct kvmirqx_text *text, int arch, const struct kvm_irq_routing_entry *entry)
{
	__u32 chip = entry->u.irqchip.irqchip, pin = entry->u.irqchip.pin;

	/* KVM_IRQCHIP_* are x86's. */
	if (arch == KVMIRQX_ARCH_X86 && chip < 3)
		kvmirqx_text_add(text, "%s pin %u", chip == 0 ? "PIC master" :
				 chip == 1 ? "PIC slave" : "IOAPIC", pin);
	else if (arch == KVMIRQX_ARCH_ARM64 && !chip)
		kvmirqx_text_add(text, "GIC SPI %u, INTID %llu", pin, pin + 32ULL);
	else
		kvmirqx_text_add(text, "irqchip %u pin %u", chip, pin);
}

PUBLIC int kvmirqx_entry_words(const struct kvm_irq_routing_entry *entry, int arch, char *buf,
			       size_t size)
{
	struct kvmirqx_text text;

	arch = which_arch(arch);
	if (arch < 0 || !entry || (size && !buf))
		return -EINVAL;
	kvmirqx_text_begin(&text, buf, size);
	switch (entry->type) {
	case KVM_IRQ_ROUTING_IRQCHIP:
		add_pin(&text, arch, entry);
		break;
	case KVM_IRQ_ROUTING_MSI:
		add_msi(&text, arch, entry);
		break;
	case KVM_IRQ_ROUTING_HV_SINT:
		kvmirqx_text_add(&text, "SINT %u of VP %u", entry->u.hv_sint.sint,
				 entry->u.hv_sint.vcpu);
		break;
	case KVM_IRQ_ROUTING_XEN_EVTCHN:
		kvmirqx_text_add(&text, "Xen event channel %u of vCPU %u", entry->u.xen_evtchn.port,
				 entry->u.xen_evtchn.vcpu);
		break;
	case KVM_IRQX_ROUTING_PPI:
		kvmirqx_text_add(&text, "GIC PPI %u of vCPU %u", entry->u.irqchip.pin,
				 entry->u.irqchip.irqchip);
		break;
	case KVM_IRQX_ROUTING_VECTOR:
		kvmirqx_text_add(&text, "vector %u of table %u", entry->u.irqchip.pin,
				 entry->u.irqchip.irqchip);
		break;
	default:
		kvmirqx_text_add(&text, "entry of type %u", entry->type);
	}
	return (int)text.length;
}

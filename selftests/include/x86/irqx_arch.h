/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_ARCH_H
#define SELFTEST_IRQX_ARCH_H

#include "apic.h"
#include "processor.h"

/* Of the local APIC's page; apic.h lacks it. */
#define APIC_ISR		0x100

/*
 * An irq is a vector.  Those below 32 are counted too: the NMI is among them.
 */
#define IRQX_NR_IRQS		256
#define IRQX_IRQ_MIN		32
#define IRQX_IRQ_MAX		255
/* What the demo takes of them, of each vCPU. */
#define IRQX_DEMO_IRQS		(IRQX_IRQ_MAX - IRQX_IRQ_MIN + 1)
#define IRQX_DEMO_NOUN		"vectors"
#define IRQX_DEMO_FLAGS		0
#define IRQX_MAX_VCPUS		64

/* Wires of irqx_slow_entry(): the IOAPIC's pins but the first 16. */
#define IRQX_NR_SLOW		8
/* Wires of irqx_wire_entry(): the same ones. */
#define IRQX_NR_WIRES		8

/* SINTs, event flags and KVM_IRQX_SYNIC_PAGE: with CONFIG_KVM_HYPERV. */
static inline bool irqx_has_synic(void)
{
	static int has = -1;

	if (has < 0)
		has = kvm_has_cap(KVM_CAP_HYPERV_SYNIC2);
	return has;
}

#define IRQX_HAS_SYNIC		irqx_has_synic()

/* KVM does not keep the device ID of an MSI. */
#define IRQX_DROPS_DEVID	true

/* What irqx_pin_entry() takes; pins 0 .. 23 are there. */
#define IRQX_IRQCHIP		KVM_IRQCHIP_IOAPIC

/* By how much to divide the rounds of tests that look at irqx_pending() in each. */
#define IRQX_FROZEN_COST	1

/* Events of irqx_entry() never take the work queue. */
#define IRQX_MSI_IS_ATOMIC	true

/* vCPUs use the xAPIC: its page, 8-bit ids, flat logical ids 1 << index. */
#define IRQX_GUEST_ARCH_XAPIC		(1 << 8)
/* KVM_CAP_X2APIC_API: ids of MSIs have 32 bits. */
#define IRQX_GUEST_ARCH_X2APIC_IDS	(1 << 9)
/* CPUID tells of Hyper-V. */
#define IRQX_GUEST_ARCH_HYPERV		(1 << 10)
/* The VM has a dirty ring. */
#define IRQX_GUEST_ARCH_DIRTY_RING	(1 << 11)

/* Any message reaches the local APICs. */
#define IRQX_GUEST_ARCH_TABLE	0

/* The guest's handler of an interrupt, which is called once where QEMU delivers it twice. */
void irqx_guest_handle(struct kvm_vm *vm, uint32_t vector, void (*handler)(struct ex_regs *regs));

struct irqx_guest;

struct irqx_arch_guest {
};

/* What can be said in an MSI. */
struct irqx_msi {
	uint32_t dest;		/* 0xff: all, unless x2APIC ids are in use */
	uint8_t vector;
	uint16_t mode;		/* APIC_DM_*; 0 is APIC_DM_FIXED */
	bool logical;
	bool hint;		/* redirection hint: lowest priority */
};

struct kvm_irq_routing_entry irqx_msi_entry(struct irqx_msi msi);

/* KVM_GET_IRQCHIP; KVM_IRQCHIP_*. */
struct kvm_irqchip irqx_irqchip_get(struct kvm_vm *vm, uint32_t id);

/* A redirection entry of the guest's IOAPIC, as its driver would write it. */
void irqx_ioapic_set(struct kvm_vm *vm, uint32_t pin, uint64_t redir);
#define IRQX_IOAPIC_DEST(id)	((uint64_t)(id) << 56)
#define IRQX_IOAPIC_MASKED	(1ULL << 16)
#define IRQX_IOAPIC_LEVEL	(1ULL << 15)

/* Both PICs: pins 0..15 are vectors @base.., unmasked and edge. */
void irqx_pic_set(struct kvm_vm *vm, uint8_t base);

/* For a handler of a test's own: the EOI that @vector of the PICs needs. */
void irqx_guest_pic_eoi(uint8_t base, uint8_t vector);

#endif /* SELFTEST_IRQX_ARCH_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_LEVEL_H
#define SELFTEST_IRQX_LEVEL_H

/*
 * A guest that does what it is told to its interrupt controllers, and level
 * sources with their EOIs.
 *
 * irqx_level_guest() is a guest of irqx_util.h whose handler may be told to hold
 * a vector in service, and which, beyond counting, carries out single operations
 * (irqx_do()) in an interrupt handler of the highest priority.
 */
#include "irqx_source.h"

/* Free for tests; above are the operations, below the fence. */
#define IRQX_LEVEL_VECTOR_MIN	0x20
#define IRQX_LEVEL_VECTOR_MAX	0xef

enum irqx_op {
	IRQX_OP_EOI,			/* of the local APIC */
	IRQX_OP_OUTB,
	IRQX_OP_INB,
	IRQX_OP_WRMSR,
	IRQX_OP_RDMSR,
	IRQX_OP_IOAPIC_WRITE,
	IRQX_OP_IOAPIC_READ,
};

/* Teaches a guest irqx_do(); no vCPU runs. */
void irqx_ops_init(struct irqx_guest *g);
/*
 * Has vCPU @vcpu, which runs, do it.  Return: what it read.  Interrupts that
 * wait are taken before or after.
 */
uint64_t irqx_do(struct irqx_guest *g, uint32_t vcpu, enum irqx_op op,
		 uint64_t where, uint64_t what);

struct irqx_guest *irqx_level_guest(uint32_t nr_vcpus);

/* From now on the handler of @vector leaves it in service. */
void irqx_hold(struct irqx_guest *g, uint32_t vector, bool hold);

static inline void irqx_eoi(struct irqx_guest *g, uint32_t vcpu)
{
	irqx_do(g, vcpu, IRQX_OP_EOI, 0, 0);
}

/*
 * Pins of the IOAPIC
 */

/* By vCPU 0, as an IOAPIC driver would: first the half without the mask. */
void irqx_pin_set(struct irqx_guest *g, uint32_t pin, uint64_t redir);
void irqx_pin_mask(struct irqx_guest *g, uint32_t pin, bool masked);
/* Level-triggered to vCPU 0. */
void irqx_pin_level(struct irqx_guest *g, uint32_t pin, uint8_t vector);

/* As the host sees it: pending levels, the redirection entry. */
uint32_t irqx_ioapic_irr(struct kvm_vm *vm);
bool irqx_pin_is_up(struct kvm_vm *vm, uint32_t pin);
bool irqx_pin_remote_irr(struct kvm_vm *vm, uint32_t pin);

/*
 * The PIC
 */

#define IRQX_PIC_BASE	0x30
#define IRQX_PIC_AUTO_EOI	(1 << 0)

/*
 * By vCPU 0: pins 0..15 are vectors IRQX_PIC_BASE.., those in @level are
 * level-triggered, those in @masked masked.
 */
void irqx_pic_init(struct irqx_guest *g, uint16_t level, uint16_t masked,
		   uint32_t flags);
/* As the handler would, had it not been told to hold. */
void irqx_pic_eoi(struct irqx_guest *g, uint32_t pin);
struct kvm_irq_routing_entry irqx_pic_entry(uint32_t pin);
bool irqx_pic_is_up(struct kvm_vm *vm, uint32_t pin);

#endif /* SELFTEST_IRQX_LEVEL_H */

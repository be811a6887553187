/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_ARCH_H
#define SELFTEST_IRQX_ARCH_H

#include <linux/sizes.h>

#include "gic.h"
#include "processor.h"
#include "vgic.h"

/*
 * An irq is the number of a counter, not an INTID:
 *
 *	0 .. 31				SGIs and PPIs, by their INTID
 *	IRQX_IRQ_MIN .. IRQX_LPI_MAX	LPIs; each vCPU has its own, and one
 *					belongs to its vCPU for good
 *	IRQX_SPI(pin)			SPIs
 *
 * Another target is thus another (device, event) of the ITS.  Unless a guest has
 * IRQX_GUEST_ARCH_MANY_LPIS, its LPIs end with IRQX_IRQ_MAX.
 */
#define IRQX_IRQ_MIN		32
#define IRQX_IRQ_MAX		255
#define IRQX_LPI_MAX		8223
#define IRQX_NR_SPIS		224
#define IRQX_SPI(pin)		(IRQX_LPI_MAX + 1 + (pin))
#define IRQX_NR_IRQS		IRQX_SPI(IRQX_NR_SPIS)
/*
 * The demo has 8,192 eventfds and two LPIs for each: where it leads, and where it
 * leads after a retarget.
 */
#define IRQX_DEMO_IRQS		8192
#define IRQX_DEMO_NOUN		"LPIs each"
#define IRQX_DEMO_FLAGS		IRQX_GUEST_ARCH_MANY_LPIS
#define IRQX_MAX_VCPUS		8

/* An event of an LPI that the ITS has not cached goes to the work queue. */
#define IRQX_MSI_IS_ATOMIC	false

/* SINTs, event flags and KVM_IRQX_SYNIC_PAGE. */
#define IRQX_HAS_SYNIC		false

/* KVM keeps the device ID of an MSI. */
#define IRQX_DROPS_DEVID	false

/* What irqx_pin_entry() takes; pins 0 .. 23 are there. */
#define IRQX_IRQCHIP		0

/* How much longer irqx_pending() takes than on x86: KVM goes through all LPIs. */
#define IRQX_FROZEN_COST	6

/* Entries of irqx_slow_entry(). */
#define IRQX_NR_SLOW		8
/* Wires of irqx_wire_entry(). */
#define IRQX_NR_WIRES		8

/*
 * Pins, that is SPIs counted from 0.  One of these belongs to vCPU
 * irqx_pin_vcpu().  Further ones are for wires, operations and fences.
 */
#define IRQX_EDGE_PIN		0
#define IRQX_NR_EDGE_PINS	64
#define IRQX_LEVEL_PIN		64
#define IRQX_NR_LEVEL_PINS	64

#define IRQX_GUEST_ARCH_MANY_LPIS	(1 << 8)
/* The ITS has a device with an event for each LPI: irqx_vector_message(). */
#define IRQX_GUEST_ARCH_TABLE		(1 << 10)
/* vCPUs spin where others wait for an interrupt. */
#define IRQX_GUEST_ARCH_SPIN		(1 << 9)

/* Of a guest, for lib/arm64. */
struct irqx_arch_guest {
	int gic_fd;
	int its_fd;			/* -1 with VGICv2 */
	uint32_t gic_version;
	uint32_t nr_lpis;		/* irqs below this number, of each vCPU */
	uint64_t cwriter;		/* of the ITS's command queue */
};

struct irqx_guest;

/* In the guest: takes the interrupt of @pin, if it is that of a device.  Return: whether. */
bool irqx_guest_device(uint32_t pin, void (*eoi)(uint32_t intid));

/* Of the VGIC that guests get: 3 if the host has it, else 2. */
uint32_t irqx_gic_version(void);

static inline struct kvm_irq_routing_entry irqx_spi_entry(uint32_t pin)
{
	return irqx_pin_entry(0, pin);
}

uint32_t irqx_pin_vcpu(struct irqx_guest *g, uint32_t pin);

/*
 * An operation by vCPU @vcpu, which runs, in an interrupt handler of the highest
 * priority.  Return: what it read.
 */
enum irqx_op {
	IRQX_OP_NONE,
	IRQX_OP_EOI,			/* @where: the INTID */
	IRQX_OP_READL,			/* @where: the address */
	IRQX_OP_WRITEL,
	IRQX_OP_WRITEQ,
};

uint64_t irqx_do(struct irqx_guest *g, uint32_t vcpu, enum irqx_op op,
		 uint64_t where, uint64_t what);

/* By vCPU 0, as a driver of the distributor would. */
void irqx_pin_enable(struct irqx_guest *g, uint32_t pin, bool enable);
/* No event may be under way. */
void irqx_pin_config(struct irqx_guest *g, uint32_t pin, bool level);
/* A level pin: whether the line is up.  An edge pin: whether it is pending. */
bool irqx_pin_is_up(struct irqx_guest *g, uint32_t pin);

/* As a VMM that restores a VM, which does not run and has a VGICv3. */
void irqx_pin_set_up(struct irqx_guest *g, uint32_t pin);

/* From now on the handler of @pin does not write the EOI. */
void irqx_pin_hold(struct irqx_guest *g, uint32_t pin, bool hold);
/* The same, of all vCPUs; its end is IRQX_OP_EOI. */
void irqx_ppi_hold(struct irqx_guest *g, uint32_t intid, bool hold);
void irqx_pin_eoi(struct irqx_guest *g, uint32_t pin);

/*
 * Commands that the guest, which runs, gives the ITS.  The first has KVM forget
 * all translations; the others give an LPI to another vCPU, where it keeps its
 * irq, or nobody.
 */
void irqx_its_forget(struct irqx_guest *g);
void irqx_its_move(struct irqx_guest *g, uint32_t vcpu, uint32_t irq, uint32_t to);
void irqx_its_discard(struct irqx_guest *g, uint32_t vcpu, uint32_t irq);
/* What was discarded, as it was at first. */
void irqx_its_map(struct irqx_guest *g, uint32_t vcpu, uint32_t irq);
/* KVM reads the LPI's properties anew, from guest memory, with the ITS's lock held. */
void irqx_its_invalidate(struct irqx_guest *g, uint32_t vcpu, uint32_t irq);
#define IRQX_ITS_PROPERTIES_PAGES	16
void *irqx_its_properties(struct irqx_guest *g);

#endif /* SELFTEST_IRQX_ARCH_H */

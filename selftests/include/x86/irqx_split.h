/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_SPLIT_H
#define SELFTEST_IRQX_SPLIT_H

/*
 * A VM with a split irqchip, which the harness cannot make: its IOAPIC is the VMM's, and
 * level interrupts are MSIs.  The guest is in real mode, halts, and counts interrupts.
 */
#include "irqx_source.h"

#define IRQX_SPLIT_VCPUS	2
#define IRQX_SPLIT_ROWS		24	/* of KVM's table, for the IOAPIC */

/* What the guest's handler writes its vector to. */
#define IRQX_SPLIT_SERVE	0x10	/* the device is asked for no more */
#define IRQX_SPLIT_MASK		0x11
#define IRQX_SPLIT_UNMASK	0x12
#define IRQX_SPLIT_ACCELERATED	0x13	/* selftests/modules/apicv.c */

/* How a vCPU's handler goes about it; else it writes the EOI and nothing else. */
#define IRQX_SPLIT_SERVES	1	/* before the EOI */
#define IRQX_SPLIT_ONESHOT	2	/* masks, EOI, serves, unmasks */
#define IRQX_SPLIT_PV_EOI	4	/* no EOI if KVM says that none is needed */
#define IRQX_SPLIT_HOLDS	8	/* waits before the EOI until this is taken back */
#define IRQX_SPLIT_APICV	16	/* the EOI is a write to IRQX_SPLIT_ACCELERATED */

/* In guest memory, one per vCPU. */
struct irqx_split_data {
	uint32_t counts[256];		/* by vector */
	uint32_t how;
	uint32_t pv_eoi;
	uint8_t stack[0x800];
};

/* The guest's program, of lib/x86/split.c. */
extern const uint8_t split_code[], split_handler[], split_end[];

struct irqx_split;

struct irqx_split_vcpu {
	struct irqx_vcpu v;
	struct irqx_split *split;
	struct irqx_split_data *data;
};

struct irqx_split {
	struct kvm_vm *vm;
	uint32_t nr;
	struct irqx_split_vcpu vcpus[IRQX_SPLIT_VCPUS];
	/* On the vCPU's thread, for a write to a port and KVM_EXIT_IOAPIC_EOI. */
	void (*port)(struct irqx_split *split, uint16_t port, uint8_t vector);
	void (*ioapic_eoi)(struct irqx_split *split, uint8_t vector);
	void *arg;			/* theirs */
};

/* @nr vCPUs that do not run yet; @rows: as of KVM_CAP_SPLIT_IRQCHIP. */
void irqx_split_create(struct irqx_split *split, uint32_t nr, uint32_t rows);
void irqx_split_start(struct irqx_split *split);
void irqx_split_stop(struct irqx_split *split);
void irqx_split_free(struct irqx_split *split);

static inline uint32_t irqx_split_count(const struct irqx_split *split, uint32_t vcpu,
					uint32_t vector)
{
	return READ_ONCE(split->vcpus[vcpu].data->counts[vector]);
}

static inline void irqx_split_how(struct irqx_split *split, uint32_t vcpu, uint32_t how)
{
	WRITE_ONCE(split->vcpus[vcpu].data->how, how);
}

/* A level-triggered MSI, fixed, to the vCPU's local APIC. */
struct kvm_irq_routing_entry irqx_split_entry(uint32_t vcpu, uint32_t vector);

#endif /* SELFTEST_IRQX_SPLIT_H */

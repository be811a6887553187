/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_TABLE_H
#define SELFTEST_IRQX_TABLE_H

/*
 * Tables of vectors, and a guest that reads and writes them when it is told to.  A program
 * that uses it has
 *
 *	void irqx_guest_wait(void)
 *	{
 *		irqx_table_guest();
 *	}
 *
 *	void irqx_vcpu_exit(struct irqx_vcpu *v)
 *	{
 *		irqx_table_exit(v);
 *	}
 *
 * What the guest does to a table is written from PCI's rules alone (PCI Local Bus
 * Specification 3.0, 6.8.2), as a guest's driver is.
 */
#include "irqx_util.h"

/* No memory is there, nor anything else; the guest's virtual addresses are the same. */
#define IRQX_TABLE_GPA		0x40000000ULL
#define IRQX_TABLE_PAGES	1024

/* Offsets in an entry, and its size. */
#define IRQX_ENTRY_ADDRESS	0
#define IRQX_ENTRY_UPPER	4
#define IRQX_ENTRY_DATA		8
#define IRQX_ENTRY_CONTROL	12
#define IRQX_ENTRY_SIZE		16

struct irqx_table {
	int ctx;
	uint32_t id;
	uint32_t nr;
	uint64_t entries;		/* guest-physical */
	uint64_t pba;
};

#define IRQX_TABLE_ON	(KVM_IRQX_TABLE_DECODES | KVM_IRQX_TABLE_ENABLED)

/* What has come to the VMM, of all vCPUs. */
struct irqx_exits {
	uint32_t nr;
	uint64_t gpa;			/* of the last */
	uint32_t len;
	bool is_write;
	uint64_t value;			/* written; it reads IRQX_VMMS_VALUE */
};

#define IRQX_VMMS_VALUE	0x5a5a5a5a5a5a5a5aULL

extern struct irqx_exits irqx_exits;
/* If set, answers instead: @run->mmio. */
extern void (*irqx_exit_hook)(struct irqx_vcpu *v, void *arg);
extern void *irqx_exit_hook_arg;

/* A guest with tables' addresses mapped, and ITS device. */
struct irqx_guest *irqx_table_guest_create(uint32_t nr_vcpus);

int __irqx_table_create(int ctx, struct irqx_table *table, uint32_t flags, int changefd);
/* @nr vectors at IRQX_TABLE_GPA, the Pending Bit Array in the page after them. */
struct irqx_table irqx_table_create(int ctx, uint32_t nr);
int __irqx_table_move(struct irqx_table *table, uint64_t entries, uint64_t pba);
int __irqx_table_set_flags(struct irqx_table *table, uint32_t flags);
int __irqx_table_destroy(struct irqx_table *table);

#define irqx_table_move(table, entries, pba)	\
	irqx_assert(__irqx_table_move(table, entries, pba))
#define irqx_table_set_flags(table, flags)	\
	irqx_assert(__irqx_table_set_flags(table, flags))
#define irqx_table_destroy(table)	irqx_assert(__irqx_table_destroy(table))

/* All of it: @vectors are as many as the table has; @changed, its words, or NULL. */
uint32_t irqx_table_get(struct irqx_table *table, struct kvm_irqx_vector *vectors,
			uint64_t *changed);
/* @function: KVM_IRQX_TABLE_*, or -1. */
int __irqx_table_put(struct irqx_table *table, uint32_t first, uint32_t nr,
		     const struct kvm_irqx_vector *vectors, int function);
/* All vectors masked, and nothing pending: nothing is under way there. */
int __irqx_table_drop_pending(struct irqx_table *table);
/* One vector, with KVM_IRQX_TABLE_STATE_KEEP_* of @flags. */
int __irqx_vector_keep(struct irqx_table *table, uint32_t vector,
		       struct kvm_irqx_vector state, uint32_t flags);
struct kvm_irqx_vector irqx_vector_get(struct irqx_table *table, uint32_t vector);
void irqx_vector_put(struct irqx_table *table, uint32_t vector, struct kvm_irqx_vector state);

/* The message as a routing entry, from the function that has the table. */
struct kvm_irq_routing_entry irqx_message_entry(uint64_t address, uint32_t data);
/* The routing entry that leads to a vector. */
struct kvm_irq_routing_entry irqx_vector_entry(struct irqx_table *table, uint32_t vector);

/*
 * The guest's accesses, by vCPU @vcpu, which runs; of 1, 2, 4 or 8 bytes.  They
 * return when the guest's instruction is done.
 */
uint64_t irqx_mmio_read(struct irqx_guest *g, uint32_t vcpu, uint64_t gpa, uint32_t len);
void irqx_mmio_write(struct irqx_guest *g, uint32_t vcpu, uint64_t gpa, uint32_t len,
		     uint64_t value);

/* The guest runs call(@arg), a function of this program. */
uint64_t irqx_guest_call(struct irqx_guest *g, uint32_t vcpu, uint64_t (*call)(uint64_t arg),
			 uint64_t arg);

/*
 * Begins to read 8 bytes there.  Interrupts are off, so that KVM does not have the vCPU halt until
 * a page is there: it waits for it.
 */
void irqx_guest_touch_start(struct irqx_guest *g, uint32_t vcpu, uint64_t gpa);

/* As a driver does it. */
void irqx_vector_program(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *table,
			 uint32_t vector, struct irqx_vector_message message);
void irqx_vector_mask(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *table,
		      uint32_t vector, bool masked);
bool irqx_vector_pending(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *table,
			 uint32_t vector);

/*
 * Vector @vector goes from @a to @b and back, @n times, each move masked, with the mask read
 * back, interrupts on; begins without waiting for the end.
 */
void irqx_vector_moves_start(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *table,
			     uint32_t vector, struct irqx_vector_message a,
			     struct irqx_vector_message b, uint64_t n);
/* It is masked and unmasked @n times. */
void irqx_vector_masks_start(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *table,
			     uint32_t vector, uint64_t n);
/* The guest runs call(@arg, i) for i from 0 to @n - 1, likewise. */
void irqx_guest_loop_start(struct irqx_guest *g, uint32_t vcpu,
			   void (*call)(uint64_t arg, uint64_t i), uint64_t arg, uint64_t n);
/* Any access of any size at any place of [start, start + len), @n times, from a seed. */
void irqx_mmio_noise_start(struct irqx_guest *g, uint32_t vcpu, uint64_t start, uint64_t len,
			   uint64_t n);
/* How many of them have been done. */
uint64_t irqx_guest_done(struct irqx_guest *g, uint32_t vcpu);
/* Until it has done the first of them. */
void irqx_guest_wait_begun(struct irqx_guest *g, uint32_t vcpu);
bool irqx_guest_is_busy(struct irqx_guest *g, uint32_t vcpu);
/* Ends it early, and waits for the end. */
void irqx_guest_end(struct irqx_guest *g, uint32_t vcpu);
void irqx_guest_join(struct irqx_guest *g, uint32_t vcpu);

/* In the guest: of 1, 2, 4 or 8 bytes, by one instruction. */
uint64_t irqx_guest_read(uint64_t where, uint32_t len);
void irqx_guest_write(uint64_t where, uint32_t len, uint64_t value);

/* For the program's irqx_guest_wait() and irqx_vcpu_exit(). */
void irqx_table_guest(void);
void irqx_table_exit(struct irqx_vcpu *v);

#endif /* SELFTEST_IRQX_TABLE_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_DYNIRQ_H
#define SELFTEST_IRQX_DYNIRQ_H

/*
 * Dynirqs, and a driver for them that is written from Documentation/dynirq.rst alone: section
 * numbers are that page's.  It shares no header with the module.  Where and how the guest runs
 * it is in irqx_table.h, and so are calls that a dynirq has in common with other tables.
 */
#include "irqx_table.h"

/*
 * ---- The device, as a guest knows it ----
 */

/* Registers (2). */
#define DYNIRQ_IDENT		0x00
#define DYNIRQ_VERSION		0x04
#define DYNIRQ_SIZE		0x08
#define DYNIRQ_HANDLES		0x0c
#define DYNIRQ_FEATURES		0x10
#define DYNIRQ_COMPACT		0x18
#define DYNIRQ_ENTRIES		0x1c
#define DYNIRQ_STATUS		0x20
#define DYNIRQ_CONTROL		0x24
#define DYNIRQ_DEVID		0x28
#define DYNIRQ_LABEL_HANDLE	0x2c
#define DYNIRQ_DOORBELL		0x30
#define DYNIRQ_INSTANCE		0x38
#define DYNIRQ_LABEL_SELECT	0x40
#define DYNIRQ_LABEL_CHANGED	0x44
#define DYNIRQ_LABEL		0x60
#define DYNIRQ_LABEL_SIZE	32
#define DYNIRQ_HEADER_SIZE	4096

#define DYNIRQ_IS_IDENT		0x58515249U
#define DYNIRQ_MAJOR		1
#define DYNIRQ_HAS_COMPACT	(1U << 0)	/* of FEATURES (9) */
#define DYNIRQ_HAS_LABELS	(1U << 1)
#define DYNIRQ_LABELS_CHANGED	(1U << 0)	/* of STATUS */
#define DYNIRQ_RESET		1		/* of CONTROL (7) */
#define DYNIRQ_OFF		2
#define DYNIRQ_NO_HANDLE	0xffffffffU	/* of LABEL_CHANGED (6) */

/* A handle in the compact form (3); where the message is in it: irqx_dynirq_arch.h. */
#define DYNIRQ_MASKED		(1ULL << 48)
#define DYNIRQ_DISCARD		(1ULL << 49)
#define DYNIRQ_PENDING		(1ULL << 50)
#define DYNIRQ_PARTIAL		(1ULL << 51)

#include "irqx_dynirq_arch.h"

/* What the driver keeps of a device. */
struct dynirq {
	uint64_t base;
	uint64_t features;
	uint64_t instance;
	uint32_t version;
	uint32_t size;
	uint32_t handles;
	uint32_t compact;
	uint32_t entries;
	uint32_t devid;
	uint32_t label_handle;
};

/* The driver; only the guest may call these.  Return: false if there is none that it knows. */
bool dynirq_probe(struct dynirq *d, uint64_t base);
void dynirq_reset(const struct dynirq *d);
void dynirq_off(const struct dynirq *d);
void dynirq_set_doorbell(const struct dynirq *d, uint64_t address);
void dynirq_map(const struct dynirq *d, uint32_t handle, struct irqx_vector_message message);
void dynirq_mask(const struct dynirq *d, uint32_t handle, bool masked);
void dynirq_unmap(const struct dynirq *d, uint32_t handle);
/* Return: the lowest whose label has changed, or DYNIRQ_NO_HANDLE. */
uint32_t dynirq_next_label(const struct dynirq *d, char *label);

/*
 * ---- The host ----
 */

/* One that decodes, at IRQX_TABLE_GPA; .entries is its range, .pba zero. */
struct irqx_table irqx_dynirq_create(int ctx, uint32_t nr);
int __irqx_dynirq_create(int ctx, struct irqx_table *dynirq, uint32_t flags, int changefd);
/* The range's size, as the UAPI says. */
uint64_t irqx_dynirq_size(uint32_t nr);

/* KVM_IRQX_HANDLE; @label may be NULL. */
int __irqx_handle(struct irqx_table *dynirq, uint32_t op, uint32_t *handle, char *label);
int __irqx_handle_alloc(struct irqx_table *dynirq, uint32_t handle, const char *label);
/* Return: which. */
uint32_t irqx_handle_alloc_any(struct irqx_table *dynirq, const char *label);
int __irqx_handle_free(struct irqx_table *dynirq, uint32_t handle);
int __irqx_handle_label(struct irqx_table *dynirq, uint32_t handle, const char *label);
/* @label has KVM_IRQX_LABEL_SIZE bytes. */
int __irqx_handle_get(struct irqx_table *dynirq, uint32_t handle, char *label);

#define irqx_handle_alloc(dynirq, handle, label)	\
	irqx_assert(__irqx_handle_alloc(dynirq, handle, label))
#define irqx_handle_free(dynirq, handle)	irqx_assert(__irqx_handle_free(dynirq, handle))
#define irqx_handle_label(dynirq, handle, label)	\
	irqx_assert(__irqx_handle_label(dynirq, handle, label))

/* KVM_IRQX_RAISE. */
int __irqx_raise(struct irqx_table *dynirq, uint32_t handle);
int __irqx_raise_many(struct irqx_table *dynirq, const uint32_t *handles, uint32_t nr);
#define irqx_raise(dynirq, handle)	irqx_assert(__irqx_raise(dynirq, handle))
#define irqx_raise_many(dynirq, handles, nr)	\
	irqx_assert(__irqx_raise_many(dynirq, handles, nr))

/* All handles, in pieces, and the header: what a VMM saves, and gives to another VM. */
struct irqx_dynirq_state {
	uint32_t function;
	struct kvm_irqx_dynirq_header header;
	struct kvm_irqx_vector *handles;	/* as many as the dynirq has */
};

void irqx_dynirq_get(struct irqx_table *dynirq, struct irqx_dynirq_state *state);
void irqx_dynirq_put(struct irqx_table *dynirq, const struct irqx_dynirq_state *state);
struct kvm_irqx_dynirq_header irqx_dynirq_header_get(struct irqx_table *dynirq);
int __irqx_dynirq_header_put(struct irqx_table *dynirq,
			     struct kvm_irqx_dynirq_header header);

/*
 * ---- What vCPU @vcpu, which runs, is told to do; done when they return ----
 *
 * All but irqx_dynirq_probe() and irqx_dynirq_attach() want one of the two before.
 */

/* Return: what the driver has found, .base zero if nothing. */
struct dynirq irqx_dynirq_probe(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq);
/* A driver's first steps (10.1 to 10.3). */
struct dynirq irqx_dynirq_attach(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq);
void irqx_dynirq_reset(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq);
void irqx_dynirq_off(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq);
/* Where the messages of this guest go; on x86 as good as any. */
uint64_t irqx_dynirq_doorbell(struct irqx_guest *g);

/* By the compact form. */
void irqx_handle_map(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq,
		     uint32_t handle, struct irqx_vector_message message);
void irqx_handle_mask(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq,
		      uint32_t handle, bool masked);
void irqx_handle_unmap(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq,
		       uint32_t handle);
/* Handles @first .. @first + @nr - 1; each to its irqx_slot(). */
void irqx_handles_map(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq,
		      uint32_t first, uint32_t nr);
uint64_t irqx_handle_read(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq,
			  uint32_t handle);
void irqx_handle_write(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq,
		       uint32_t handle, uint64_t value);
/* Guest-physical, of the two forms, as the driver has found them. */
uint64_t irqx_handle_gpa(struct irqx_guest *g, struct irqx_table *dynirq, uint32_t handle);
uint64_t irqx_handle_entry_gpa(struct irqx_guest *g, struct irqx_table *dynirq,
			       uint32_t handle);
/*
 * By the form of PCI: the handles as a table of vectors, for irqx_vector_program(),
 * irqx_vector_mask(), irqx_vector_moves_start() and irqx_vector_masks_start().  For nothing else.
 */
struct irqx_table irqx_dynirq_as_table(struct irqx_guest *g, struct irqx_table *dynirq);

/* @handle goes from @a to @b and back @n times, each by one write; does not wait for the end. */
void irqx_handle_moves_start(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq,
			     uint32_t handle, struct irqx_vector_message a,
			     struct irqx_vector_message b, uint64_t n);
/* It is masked and unmasked; likewise. */
void irqx_handle_masks_start(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq,
			     uint32_t handle, uint64_t n);

struct irqx_label {
	uint32_t handle;
	char text[DYNIRQ_LABEL_SIZE];
};

#define IRQX_MAX_LABELS		512

/*
 * The loop of section 6, at most IRQX_MAX_LABELS times.  Return: how many there were; of those the
 * first @max are in @labels.
 */
uint32_t irqx_dynirq_labels(struct irqx_guest *g, uint32_t vcpu, struct irqx_table *dynirq,
			    struct irqx_label *labels, uint32_t max);
/* LABEL_SELECT is written, LABEL is read. */
struct irqx_label irqx_dynirq_select(struct irqx_guest *g, uint32_t vcpu,
				     struct irqx_table *dynirq, uint32_t handle);
/* LABEL as it is. */
struct irqx_label irqx_dynirq_latched(struct irqx_guest *g, uint32_t vcpu,
				      struct irqx_table *dynirq);

static inline uint32_t irqx_dynirq_read(struct irqx_guest *g, uint32_t vcpu,
					struct irqx_table *dynirq, uint32_t reg)
{
	return irqx_mmio_read(g, vcpu, dynirq->entries + reg, 4);
}

static inline void irqx_dynirq_write(struct irqx_guest *g, uint32_t vcpu,
				     struct irqx_table *dynirq, uint32_t reg, uint32_t value)
{
	irqx_mmio_write(g, vcpu, dynirq->entries + reg, 4, value);
}

#endif /* SELFTEST_IRQX_DYNIRQ_H */

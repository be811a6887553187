/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KVM_DYNIRQ_H
#define _KVM_DYNIRQ_H

/*
 * Locks, outermost first:
 *
 *	dynirq_mutex		all devices, clients and labels, and whether a table is there;
 *				held while clients are told
 *	genirq's own		of an interrupt's descriptor
 *	dynirq_handle.lock	an entry, and that the table is told of it in order
 */
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/kvm_dynirq.h>
#include <linux/msi.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "regs.h"

extern struct mutex dynirq_mutex;

/* What of the header does not change as long as it is the same table. */
struct dynirq_layout {
	u32 version, handles, compact, devid, label_handle;
	u64 features, instance;
};

/* A dynirq, or the place where one is to be. */
struct dynirq {
	struct device *dev;
	void __iomem *base;
	resource_size_t size;		/* of the place */
	/* Switches the place off, after WAIT_LIMIT without a table; NULL: nothing to be saved. */
	void (*park)(struct dynirq *dynirq);

	struct list_head list;		/* of all; dynirq_mutex, as all below */
	u32 number;			/* rises in the list */
	struct delayed_work watch;	/* looks at the table */
	bool watched;			/* the work may be queued */
	bool there;			/* the table is, and ours */
	bool refused;			/* it speaks another version, or the like */
	unsigned long since;		/* waiting, jiffies */
	bool asleep;			/* entries are written masked */
	struct dynirq_layout layout;	/* of the table that the domain is for */

	struct irq_domain *domain;	/* NULL: no table yet */
	struct irq_domain *parent;	/* below it */
	void *parent_data;		/* of src/arch/ */
	u64 doorbell;			/* as written to the table */
	struct dynirq_handle *label;	/* LABEL_HANDLE */
	struct xarray used;		/* struct dynirq_handle, by number */
	struct xarray labels;		/* char *, by handle */
};

/* A handle with an interrupt: somebody uses it. */
struct dynirq_handle {
	struct dynirq *dynirq;
	u32 nr;
	int irq;
	unsigned int users;		/* dynirq_mutex */
	raw_spinlock_t lock;
	u64 entry;			/* in the compact form; lock */
};

/* ---- dynirq.c: tables, labels, clients ---- */

/* Goes when @dev is unbound.  Return: 0 or -errno. */
int dynirq_add(struct device *dev, void __iomem *base, resource_size_t size,
	       void (*park)(struct dynirq *dynirq));
int dynirq_suspend(struct device *dev);
int dynirq_resume(struct device *dev);
void dynirq_shutdown(struct device *dev);
/* @device, @handle: in and out, as KVM_DYNIRQ_LABEL.  Return: 0 or -ENOENT. */
int dynirq_next_label(u32 *device, u32 *handle, char label[DYNIRQ_LABEL_SIZE]);

/* ---- irq.c: interrupts ---- */

extern struct irq_chip dynirq_chip;

int dynirq_domain_create(struct dynirq *dynirq);
void dynirq_domain_remove(struct dynirq *dynirq);
/* Return: the handle with its interrupt, or ERR_PTR(). */
struct dynirq_handle *dynirq_handle_get(struct dynirq *dynirq, u32 nr);
void dynirq_handle_put(struct dynirq_handle *handle);
/* Those that were given back while no table answered, and are as they were left. */
void dynirq_unmap_unused(struct dynirq *dynirq);
/* Tells the table, which has forgotten it, of all handles that are used. */
void dynirq_write_all(struct dynirq *dynirq);
/* Return: whether the table has what it was told. */
bool dynirq_intact(struct dynirq *dynirq);
void dynirq_mask_all(struct dynirq *dynirq);

/* ---- chardev.c ---- */

int dynirq_chardev_init(void);
void dynirq_chardev_exit(void);
/* A device behind no IOMMU. */
struct device *dynirq_chardev_device(void);

/* ---- arch/: the domain below ours ---- */

/* Return: -ENODEV, with a line in the log, if this machine has none for us. */
int dynirq_parent_find(struct device *dev);
int dynirq_parent_get(struct dynirq *dynirq);
void dynirq_parent_put(struct dynirq *dynirq);
int dynirq_parent_alloc(struct dynirq *dynirq, struct irq_domain *domain, unsigned int virq,
			struct dynirq_handle *handle);
/* Return: the message in the compact form; @doorbell: where to, never zero. */
u64 dynirq_parent_message(const struct msi_msg *msg, u64 *doorbell);
/* Whether that message says where the interrupt @d is to go. */
bool dynirq_parent_reaches(struct irq_data *d, u64 message);
/* Below the table's mask: on as long as the interrupt is activated. */
void dynirq_parent_enable(struct irq_data *d, bool enable);

#endif /* _KVM_DYNIRQ_H */

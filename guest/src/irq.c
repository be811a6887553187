// SPDX-License-Identifier: GPL-2.0
/*
 * Handles as interrupts.  Their domain is a plain hierarchy over that of the local APICs or an ITS,
 * which has the vector or the LPI; this one has mask and message, in the table.
 *
 * A write of an entry takes effect as a whole and is complete when it returns (dynirq.rst section
 * 5), so an interrupt moves at once, by one write, and need not be masked for it.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "dynirq.h"

static void __iomem *entry_of(const struct dynirq *dynirq, u32 nr)
{
	return dynirq->base + dynirq->layout.compact + 8 * nr;
}

/* handle->lock is held. */
static void write_entry(const struct dynirq_handle *handle, u64 also)
{
	const struct dynirq *dynirq = handle->dynirq;

	/* Handles may still be moved and unmasked: dynirq_write_all() tells the table of that. */
	if (READ_ONCE(dynirq->asleep))
		also |= DYNIRQ_ENTRY_MASKED;
	writeq(handle->entry | also, entry_of(dynirq, handle->nr));
}

/* @keep: which bits of the entry stay; @set, @also: those, and of this write only. */
static void change_entry(struct dynirq_handle *handle, u64 keep, u64 set, u64 also)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&handle->lock, flags);
	handle->entry = (handle->entry & keep) | set;
	write_entry(handle, also);
	raw_spin_unlock_irqrestore(&handle->lock, flags);
}

static void dynirq_mask(struct irq_data *d)
{
	change_entry(irq_data_get_irq_chip_data(d), DYNIRQ_ENTRY_MESSAGE, DYNIRQ_ENTRY_MASKED, 0);
}

static void dynirq_unmask(struct irq_data *d)
{
	change_entry(irq_data_get_irq_chip_data(d), DYNIRQ_ENTRY_MESSAGE, 0, 0);
}

/* irq_chip_compose_msi_msg() is not for modules. */
static u64 message(struct irq_data *d, struct dynirq *dynirq)
{
	struct msi_msg msg = {};
	u64 doorbell, entry;

	for (d = d->parent_data; d; d = d->parent_data) {
		if (d->chip && d->chip->irq_compose_msi_msg) {
			d->chip->irq_compose_msi_msg(d, &msg);
			break;
		}
	}
	entry = dynirq_parent_message(&msg, &doorbell);
	/*
	 * An entry takes the doorbell as it is when that entry is written.  It is one ITS's for
	 * all; the label handle is the first to be activated, with dynirq_mutex held.
	 */
	if (READ_ONCE(dynirq->doorbell) != doorbell) {
		WRITE_ONCE(dynirq->doorbell, doorbell);
		writeq(doorbell, dynirq->base + DYNIRQ_DOORBELL);
	}
	return entry;
}

static int dynirq_set_affinity(struct irq_data *d, const struct cpumask *mask, bool force)
{
	struct dynirq_handle *handle = irq_data_get_irq_chip_data(d);
	struct irq_data *parent = d->parent_data;
	u64 to;
	int ret;

	ret = parent->chip->irq_set_affinity(parent, mask, force);
	/* DONE: the ITS has moved the LPI, and the message is the same. */
	if (ret < 0 || ret == IRQ_SET_MASK_OK_DONE)
		return ret;
	to = message(d, handle->dynirq);
	/* It stays where it was, and the old vector is kept until it comes to the new one. */
	if (!dynirq_parent_reaches(d, to))
		return -EINVAL;
	change_entry(handle, DYNIRQ_ENTRY_MASKED, to, 0);
	return ret;
}

/* The APICs' interrupts end by ack, at handle_edge_irq(); LPIs by eoi, at handle_fasteoi_irq(). */
struct irq_chip dynirq_chip = {
	.name			= "kvm-dynirq",
	.irq_mask		= dynirq_mask,
	.irq_unmask		= dynirq_unmask,
	.irq_ack		= irq_chip_ack_parent,
	.irq_eoi		= irq_chip_eoi_parent,
	.irq_retrigger		= irq_chip_retrigger_hierarchy,
	.irq_set_affinity	= dynirq_set_affinity,
	.flags			= IRQCHIP_SKIP_SET_WAKE | IRQCHIP_AFFINITY_PRE_STARTUP,
};

static int dynirq_alloc(struct irq_domain *domain, unsigned int virq, unsigned int nr, void *arg)
{
	struct dynirq_handle *handle = arg;

	if (WARN_ON_ONCE(nr != 1))
		return -EINVAL;
	return dynirq_parent_alloc(handle->dynirq, domain, virq, handle);
}

static int dynirq_activate(struct irq_domain *domain, struct irq_data *d, bool reserve)
{
	struct dynirq_handle *handle = irq_data_get_irq_chip_data(d);
	u64 to = message(d, handle->dynirq);

	if (!dynirq_parent_reaches(d, to))
		return -EINVAL;
	/* An event that came before anybody was there is still pending, and comes now. */
	change_entry(handle, 0, to | DYNIRQ_ENTRY_MASKED, 0);
	dynirq_parent_enable(d, true);
	return 0;
}

static void dynirq_deactivate(struct irq_domain *domain, struct irq_data *d)
{
	/* What is pending is of this user, and the next one must not get it. */
	change_entry(irq_data_get_irq_chip_data(d), 0, DYNIRQ_ENTRY_MASKED, DYNIRQ_ENTRY_DISCARD);
	dynirq_parent_enable(d, false);
}

static const struct irq_domain_ops dynirq_domain_ops = {
	.alloc		= dynirq_alloc,
	.free		= irq_domain_free_irqs_common,
	.activate	= dynirq_activate,
	.deactivate	= dynirq_deactivate,
};

int dynirq_domain_create(struct dynirq *dynirq)
{
	struct fwnode_handle *fwnode;
	int ret;

	fwnode = irq_domain_alloc_named_id_fwnode("kvm-dynirq", dynirq->number);
	if (!fwnode)
		return -ENOMEM;
	ret = dynirq_parent_get(dynirq);
	if (ret)
		goto err_fwnode;
	/* Without a size: few handles are used, and an array of all is half a megabyte. */
	dynirq->domain = irq_domain_create_hierarchy(dynirq->parent, 0, 0, fwnode,
						     &dynirq_domain_ops, dynirq);
	if (dynirq->domain)
		return 0;
	ret = -ENOMEM;
	dynirq_parent_put(dynirq);
err_fwnode:
	irq_domain_free_fwnode(fwnode);
	return ret;
}

/* All handles have been put. */
void dynirq_domain_remove(struct dynirq *dynirq)
{
	struct fwnode_handle *fwnode = dynirq->domain->fwnode;

	irq_domain_remove(dynirq->domain);
	dynirq->domain = NULL;
	irq_domain_free_fwnode(fwnode);
	dynirq_parent_put(dynirq);
	dynirq->doorbell = 0;
}

struct dynirq_handle *dynirq_handle_get(struct dynirq *dynirq, u32 nr)
{
	struct dynirq_handle *handle = xa_load(&dynirq->used, nr);
	int ret;

	if (handle) {
		handle->users++;
		return handle;
	}
	handle = kzalloc(sizeof(*handle), GFP_KERNEL);
	if (!handle)
		return ERR_PTR(-ENOMEM);
	handle->dynirq = dynirq;
	handle->nr = nr;
	handle->users = 1;
	handle->entry = DYNIRQ_ENTRY_MASKED;
	raw_spin_lock_init(&handle->lock);
	ret = xa_insert(&dynirq->used, nr, handle, GFP_KERNEL);
	if (ret)
		goto err_free;
	ret = irq_domain_alloc_irqs(dynirq->domain, 1, dev_to_node(dynirq->dev), handle);
	if (ret < 0)
		goto err_erase;
	handle->irq = ret;
	return handle;

err_erase:
	xa_erase(&dynirq->used, nr);
err_free:
	kfree(handle);
	return ERR_PTR(ret);
}

void dynirq_handle_put(struct dynirq_handle *handle)
{
	if (--handle->users)
		return;
	irq_dispose_mapping(handle->irq);
	xa_erase(&handle->dynirq->used, handle->nr);
	kfree(handle);
}

void dynirq_unmap_unused(struct dynirq *dynirq)
{
	u32 nr;

	for (nr = 0; nr < dynirq->layout.handles; nr++) {
		void __iomem *entry = entry_of(dynirq, nr);

		/* What is pending at the others is for who maps them. */
		if (!xa_load(&dynirq->used, nr) && !(readq(entry) & DYNIRQ_ENTRY_MASKED))
			writeq(DYNIRQ_ENTRY_MASKED | DYNIRQ_ENTRY_DISCARD, entry);
		if (nr % 1024 == 1023)
			cond_resched();
	}
}

void dynirq_write_all(struct dynirq *dynirq)
{
	struct dynirq_handle *handle;
	unsigned long nr;

	writeq(READ_ONCE(dynirq->doorbell), dynirq->base + DYNIRQ_DOORBELL);
	xa_for_each(&dynirq->used, nr, handle)
		change_entry(handle, ~0ULL, 0, 0);
}

/* A reset has the doorbell zero, on x86 too, and all handles masked. */
bool dynirq_intact(struct dynirq *dynirq)
{
	const u64 bits = DYNIRQ_ENTRY_MESSAGE | DYNIRQ_ENTRY_MASKED;
	struct dynirq_handle *handle = dynirq->label;
	unsigned long flags;
	u64 entry;

	if (readq(dynirq->base + DYNIRQ_DOORBELL) != READ_ONCE(dynirq->doorbell))
		return false;
	raw_spin_lock_irqsave(&handle->lock, flags);
	entry = readq(entry_of(dynirq, handle->nr));
	entry = (entry ^ handle->entry) & bits;
	raw_spin_unlock_irqrestore(&handle->lock, flags);
	return !entry;
}

/* The table only: genirq does not know, and dynirq_write_all() takes it back. */
void dynirq_mask_all(struct dynirq *dynirq)
{
	struct dynirq_handle *handle;
	unsigned long nr, flags;

	xa_for_each(&dynirq->used, nr, handle) {
		raw_spin_lock_irqsave(&handle->lock, flags);
		write_entry(handle, DYNIRQ_ENTRY_MASKED);
		raw_spin_unlock_irqrestore(&handle->lock, flags);
	}
}

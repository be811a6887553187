// SPDX-License-Identifier: GPL-2.0
/*
 * Above the ITS's domain: a handle is an event of an ITS device of ours, and so an LPI.
 *
 * The kernel has a way for modules to MSIs of platform devices, but not of others; it makes all
 * of a device's interrupts at once, and there are more handles than LPIs.  So the domain is the
 * one that those of PCI devices come from, and a handle takes an event when it is used.
 */
#include <linux/device.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/msi.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "../compat.h"
#include "../dynirq.h"

/* Events of the ITS device, for each of which it reserves an LPI: as many handles can be used. */
#define MAX_EVENTS	4096

struct its_parent {
	msi_alloc_info_t info;
	struct msi_desc desc;
};

static struct irq_domain *its_of(struct device *dev)
{
	struct irq_domain *domain = dev_get_msi_domain(dev);

	return domain ? dynirq_its_below(domain) : NULL;
}

/* A device of ACPI's has no domain for MSIs, but there is one ITS, and PCI devices have it. */
static struct irq_domain *find_its(struct device *dev)
{
	struct irq_domain *domain = its_of(dev);
	struct pci_dev *pdev = NULL;

	if (domain)
		return domain;
	for_each_pci_dev(pdev) {
		domain = its_of(&pdev->dev);
		if (domain) {
			pci_dev_put(pdev);
			break;
		}
	}
	return domain;
}

int dynirq_parent_find(struct device *dev)
{
	if (find_its(dev))
		return 0;
	dev_err(dev, "no ITS, whose LPIs handles need: GICv2 has none, GICv3 may have one\n");
	return -ENODEV;
}

int dynirq_parent_get(struct dynirq *dynirq)
{
	const struct msi_domain_info *info;
	struct its_parent *parent;
	u32 events;
	int ret;

	dynirq->parent = find_its(dynirq->dev);
	if (!dynirq->parent)
		return -ENODEV;
	parent = kzalloc(sizeof(*parent), GFP_KERNEL);
	if (!parent)
		return -ENOMEM;
	/* The address must be the ITS's, not one by which an IOMMU knows it. */
	parent->desc.dev = dynirq_chardev_device();
	parent->info.desc = &parent->desc;
	parent->info.scratchpad[0].ul = dynirq->layout.devid;
	/* The ITS warns of other numbers. */
	events = roundup_pow_of_two(min_t(u32, dynirq->layout.handles, MAX_EVENTS));
	info = dynirq->parent->host_data;
	ret = info->ops->msi_prepare(dynirq->parent, dynirq->dev, events, &parent->info);
	if (ret) {
		kfree(parent);
		return ret;
	}
	dynirq->parent_data = parent;
	return 0;
}

void dynirq_parent_put(struct dynirq *dynirq)
{
	struct its_parent *parent = dynirq->parent_data;

	dynirq_its_teardown(dynirq->parent, &parent->info);
	dynirq->parent_data = NULL;
	kfree(parent);
}

int dynirq_parent_alloc(struct dynirq *dynirq, struct irq_domain *domain, unsigned int virq,
			struct dynirq_handle *handle)
{
	struct its_parent *parent = dynirq->parent_data;
	msi_alloc_info_t info = parent->info;
	int ret;

	ret = irq_domain_alloc_irqs_parent(domain, virq, 1, &info);
	if (ret)
		return ret;
	/* The flow handler is the GIC's. */
	irq_domain_set_hwirq_and_chip(domain, virq, handle->nr, &dynirq_chip, handle);
	/* The ITS asks for it when it composes; irq_set_msi_desc() is not for modules. */
	irq_get_irq_data(virq)->common->msi_desc = &parent->desc;
	return 0;
}

u64 dynirq_parent_message(const struct msi_msg *msg, u64 *doorbell)
{
	*doorbell = (u64)msg->address_hi << 32 | msg->address_lo;
	return msg->data;
}

/* The ITS knows which CPU an event is for. */
bool dynirq_parent_reaches(struct irq_data *d, u64 message)
{
	return true;
}

/* An LPI begins disabled. */
void dynirq_parent_enable(struct irq_data *d, bool enable)
{
	if (enable)
		irq_chip_unmask_parent(d);
	else
		irq_chip_mask_parent(d);
}

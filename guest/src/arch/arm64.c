// SPDX-License-Identifier: GPL-2.0
/*
 * Above the ITS's domain: a handle is an event of an ITS device of ours, and so an LPI.
 *
 * The kernel has a way for modules to MSIs of platform devices, but not of others, and it takes
 * all of a device's LPIs at once, of which there are fewer than handles.  So handles get theirs
 * one by one, when they are used, from the domain that those of PCI devices come from.
 */
#include <linux/device.h>
#include <linux/minmax.h>
#include <linux/msi.h>
#include <linux/pci.h>
#include <linux/string.h>
#include <linux/version.h>

#include "../dynirq.h"

/* Events of the ITS device: as many handles can be used at a time. */
#define MAX_EVENTS	4096

/* The ITS's own domain, from that of a device's MSIs; NULL if these come from something else. */
static struct irq_domain *its_of(struct device *dev)
{
	struct irq_domain *domain = dev_get_msi_domain(dev);
	const struct msi_domain_info *info;

	if (!domain)
		return NULL;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	if (irq_domain_is_msi_parent(domain))
		return domain->msi_parent_ops->prefix &&
		       !strcmp(domain->msi_parent_ops->prefix, "ITS-") ? domain : NULL;
#endif
	/* Before 6.11, one of PCI's or the platform's above it. */
	if (!irq_domain_is_msi(domain))
		return NULL;
	info = domain->host_data;
	if (!info || !info->chip || !info->chip->name || strncmp(info->chip->name, "ITS-", 4))
		return NULL;
	return domain->parent;
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
	struct dynirq_parent *parent = &dynirq->parent;
	const struct msi_domain_info *info;

	parent->domain = find_its(dynirq->dev);
	if (!parent->domain)
		return -ENODEV;
	/* The address must be the ITS's, not one by which an IOMMU knows it. */
	parent->desc = (struct msi_desc){ .dev = dynirq_chardev_device() };
	parent->info = (msi_alloc_info_t){ .desc = &parent->desc };
	parent->info.scratchpad[0].ul = dynirq->devid;
	info = parent->domain->host_data;
	return info->ops->msi_prepare(parent->domain, dynirq->dev,
				      min_t(u32, dynirq->handles, MAX_EVENTS), &parent->info);
}

/*
 * Before 6.16 the ITS gives its device back with the last event, and it is not to be had again:
 * that of the label handle is the first and the last one.
 */
void dynirq_parent_put(struct dynirq *dynirq)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	const struct msi_domain_info *info = dynirq->parent.domain->host_data;

	if (info->ops->msi_teardown)
		info->ops->msi_teardown(dynirq->parent.domain, &dynirq->parent.info);
#endif
}

int dynirq_parent_alloc(struct dynirq *dynirq, struct irq_domain *domain, unsigned int virq,
			struct dynirq_handle *handle)
{
	msi_alloc_info_t info = dynirq->parent.info;
	int ret;

	ret = irq_domain_alloc_irqs_parent(domain, virq, 1, &info);
	if (ret)
		return ret;
	/* The flow handler is the GIC's. */
	irq_domain_set_hwirq_and_chip(domain, virq, handle->nr, &dynirq_chip, handle);
	/* The ITS asks for it when it composes; irq_set_msi_desc() is not for modules. */
	irq_get_irq_data(virq)->common->msi_desc = &dynirq->parent.desc;
	return 0;
}

u64 dynirq_parent_message(const struct msi_msg *msg, u64 *doorbell)
{
	*doorbell = (u64)msg->address_hi << 32 | msg->address_lo;
	return msg->data;
}

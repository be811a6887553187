// SPDX-License-Identifier: GPL-2.0
/*
 * Above x86_vector_domain: a message goes to a local APIC.  What is between a device and the APICs
 * of the guest, as an IOMMU, is not between the host and them.
 */
#include <linux/device.h>
#include <linux/version.h>
#include <asm/hw_irq.h>
#include <asm/irqdomain.h>

#include "../dynirq.h"

int dynirq_parent_find(struct device *dev)
{
	if (x86_vector_domain)
		return 0;
	dev_err(dev, "no local APICs: handles cannot interrupt\n");
	return -ENODEV;
}

int dynirq_parent_get(struct dynirq *dynirq)
{
	dynirq->parent.domain = x86_vector_domain;
	return 0;
}

void dynirq_parent_put(struct dynirq *dynirq)
{
}

/* Reserves: the vector is taken when the interrupt is requested. */
int dynirq_parent_alloc(struct dynirq *dynirq, struct irq_domain *domain, unsigned int virq,
			struct dynirq_handle *handle)
{
	struct irq_alloc_info info = {};
	int ret;

	ret = irq_domain_alloc_irqs_parent(domain, virq, 1, &info);
	if (ret)
		return ret;
	irq_domain_set_info(domain, virq, handle->nr, &dynirq_chip, handle, handle_edge_irq, NULL,
			    "edge");
	/* At once: a table does not mind.  Later kernels do so unless the chip objects. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
	irq_set_status_flags(virq, IRQ_MOVE_PCNTXT);
#endif
	return 0;
}

u64 dynirq_parent_message(const struct msi_msg *msg, u64 *doorbell)
{
	*doorbell = 0;
	return msg->address_lo | (u64)(msg->data & 0xffff) << 32;
}

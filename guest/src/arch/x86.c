// SPDX-License-Identifier: GPL-2.0
/*
 * Above x86_vector_domain: a message goes to a local APIC.  What is between a device and the APICs
 * of the guest, as an IOMMU, is not between the host and them.
 */
#include <linux/device.h>
#include <asm/hw_irq.h>
#include <asm/irqdomain.h>

#include "../compat.h"
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
	dynirq->parent = x86_vector_domain;
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
	dynirq_move_at_once(virq);
	return 0;
}

u64 dynirq_parent_message(const struct msi_msg *msg, u64 *doorbell)
{
	/* The table keeps it and does not use it: by it a reset is noticed. */
	*doorbell = 0xfee00000;
	return msg->address_lo | (u64)(msg->data & 0xffff) << 32;
}

/*
 * With interrupt remapping CPUs may have APIC IDs that no MSI has room for, and the hypervisor need
 * not offer the bits for more than 255 (KVM_FEATURE_MSI_EXT_DEST_ID).
 */
bool dynirq_parent_reaches(struct irq_data *d, u64 message)
{
	u32 dest = (message >> 12 & 0xff) | (message >> 5 & 0x7f) << 8;
	const struct irq_cfg *cfg = irqd_cfg(d);

	return cfg && cfg->dest_apicid == dest;
}

/* The local APIC has no mask of an edge. */
void dynirq_parent_enable(struct irq_data *d, bool enable)
{
}

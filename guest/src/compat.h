/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KVM_DYNIRQ_COMPAT_H
#define _KVM_DYNIRQ_COMPAT_H

/*
 * Where kernels differ: versions are compared here and nowhere else.
 */
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/msi.h>
#include <linux/string.h>
#include <linux/version.h>

/* An interrupt of x86 is moved at once, by who asks; from 6.14 on unless its chip objects. */
static inline void dynirq_move_at_once(unsigned int virq)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
	irq_set_status_flags(virq, IRQ_MOVE_PCNTXT);
#endif
}

#ifdef CONFIG_ARM64
/*
 * The ITS's own domain, from that of a device's MSIs; NULL if these come from something else.  From
 * 6.11 on they are the same; before, PCI's and the platform's are above it.
 */
static inline struct irq_domain *dynirq_its_below(struct irq_domain *domain)
{
	const struct msi_domain_info *info;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	if (irq_domain_is_msi_parent(domain))
		return domain->msi_parent_ops->prefix &&
		       !strcmp(domain->msi_parent_ops->prefix, "ITS-") ? domain : NULL;
#endif
	if (!irq_domain_is_msi(domain))
		return NULL;
	info = domain->host_data;
	if (!info || !info->chip || !info->chip->name || strncmp(info->chip->name, "ITS-", 4))
		return NULL;
	return domain->parent;
}

/*
 * What msi_prepare() has made.  Before 6.16 the ITS gives its device back with the last event, and
 * it is not to be had again: that of the label handle is the first and the last one.
 */
static inline void dynirq_its_teardown(struct irq_domain *its, msi_alloc_info_t *info)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	const struct msi_domain_info *its_info = its->host_data;

	if (its_info->ops->msi_teardown)
		its_info->ops->msi_teardown(its, info);
#endif
}
#endif /* CONFIG_ARM64 */

#endif /* _KVM_DYNIRQ_COMPAT_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_ARCH_H
#define _IRQX_ARCH_H

/* What a routing entry may be on this architecture, and its limits. */

#include <linux/kvm_host.h>

u64 irqx_arch_features(void);
bool irqx_arch_vm_ready(struct kvm *kvm);
bool irqx_arch_entry_needs_mm(const struct kvm_kernel_irq_routing_entry *e);

#endif /* _IRQX_ARCH_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_KVM_KVM_H
#define _IRQX_KVM_KVM_H

/*
 * The only door to KVM.  Nothing outside src/kvm/ looks up one of its symbols,
 * calls one that is not exported, or knows a kernel version.
 */

#include <linux/kvm_host.h>

int irqx_kvm_resolve(void);

struct kvm *irqx_kvm_from_file(struct file *file);
int irqx_kvm_get_source_id(struct kvm *kvm);
void irqx_kvm_put_source_id(struct kvm *kvm, int source_id);

int irqx_kvm_parse(struct kvm *kvm, const struct kvm_irq_routing_entry *ue,
		   struct kvm_kernel_irq_routing_entry *e);
int irqx_kvm_inject_atomic(struct kvm *kvm, int source_id,
			   struct kvm_kernel_irq_routing_entry *e);
int irqx_kvm_inject(struct kvm *kvm, int source_id,
		    struct kvm_kernel_irq_routing_entry *e, int level);

#endif /* _IRQX_KVM_KVM_H */

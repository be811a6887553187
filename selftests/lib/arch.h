/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_LIB_ARCH_H
#define SELFTEST_IRQX_LIB_ARCH_H

/* What irqx_util.c asks of an architecture, besides what irqx_util.h declares. */

#include "irqx_util.h"

/* Before the vCPUs are made, and after. */
void irqx_arch_vm_init(struct kvm_vm *vm, uint32_t flags);
void irqx_arch_guest_init(struct irqx_guest *g);
void irqx_arch_vcpu_init(struct irqx_vcpu *vcpu);
/* Before the VM goes. */
void irqx_arch_guest_free(struct irqx_guest *g);

/* The interrupt of irqx_fence(), by KVM's own means. */
void irqx_arch_fence(struct irqx_guest *g, uint32_t vcpu);

#endif /* SELFTEST_IRQX_LIB_ARCH_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_LIB_ARM64_GICV2_H
#define SELFTEST_IRQX_LIB_ARM64_GICV2_H

/* What the guest does to its GIC where the harness knows none: VGICv2. */

#include <stdint.h>

struct kvm_vm;

/* Return: the device's file descriptor, or a negative value if there is none. */
int irqx_gicv2_setup(struct kvm_vm *vm, uint32_t nr_irqs);

/* In the guest. */
void irqx_gicv2_init_dist(void);
void irqx_gicv2_init_cpu(void);
uint32_t irqx_gicv2_ack(void);
void irqx_gicv2_eoi(uint32_t intid);
void irqx_gicv2_set_target(uint32_t intid, uint32_t cpu);

#endif /* SELFTEST_IRQX_LIB_ARM64_GICV2_H */

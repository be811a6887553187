/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_DOORBELL_H
#define SELFTEST_IRQX_DOORBELL_H

/* A place where a guest's write signals an eventfd: KVM_IOEVENTFD. */
#include "irqx_level.h"

#define IRQX_DOORBELL		0x1e0
#define IRQX_DOORBELL_LEN	1
#define IRQX_DOORBELL_FLAGS	KVM_IOEVENTFD_FLAG_PIO

static inline struct irqx_guest *irqx_doorbell_guest(uint32_t nr_vcpus)
{
	return irqx_level_guest(nr_vcpus);
}

static inline void irqx_doorbell_ring(struct irqx_guest *g, uint32_t vcpu)
{
	irqx_do(g, vcpu, IRQX_OP_OUTB, IRQX_DOORBELL, 0);
}

#endif /* SELFTEST_IRQX_DOORBELL_H */

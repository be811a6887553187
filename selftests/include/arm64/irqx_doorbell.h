/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_DOORBELL_H
#define SELFTEST_IRQX_DOORBELL_H

/* A place where a guest's write signals an eventfd: KVM_IOEVENTFD. */
#include "irqx_util.h"

/* No memory is there, nor anything else. */
#define IRQX_DOORBELL		0x0c000000
#define IRQX_DOORBELL_LEN	4
#define IRQX_DOORBELL_FLAGS	0

static inline struct irqx_guest *irqx_doorbell_guest(uint32_t nr_vcpus)
{
	struct irqx_guest *g = irqx_guest_create(nr_vcpus);

	virt_pg_map(g->vm, IRQX_DOORBELL, IRQX_DOORBELL);
	return g;
}

static inline void irqx_doorbell_ring(struct irqx_guest *g, uint32_t vcpu)
{
	irqx_do(g, vcpu, IRQX_OP_WRITEL, IRQX_DOORBELL, 0);
}

#endif /* SELFTEST_IRQX_DOORBELL_H */

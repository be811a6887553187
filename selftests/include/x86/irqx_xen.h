/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_XEN_H
#define SELFTEST_IRQX_XEN_H

/* Xen event channels in a guest of two vCPUs, of which the second takes the upcalls. */
#include "irqx_util.h"

#define IRQX_XEN_PORT		1234

/* Before the guest is started. */
void irqx_xen_init(struct irqx_guest *g);
/* Another page; what the guest looks at is still the one of irqx_xen_init(). */
void irqx_xen_set_shared_info(struct irqx_guest *g, uint64_t gpa);
struct kvm_irq_routing_entry irqx_xen_entry(uint32_t vcpu, uint32_t port);
/* How many the guest has taken. */
uint64_t irqx_xen_events(struct irqx_guest *g, uint32_t port);

#endif /* SELFTEST_IRQX_XEN_H */

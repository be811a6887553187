/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_FAULT_H
#define SELFTEST_IRQX_FAULT_H

/* What fault_test.c, which includes this, does by architecture. */

#include "gic_v3.h"

/* Of vCPU 1; nobody else's. */
#define PPI		16
#define LEVEL_PPI	17

static uint64_t vcpu1_reg(uint32_t reg)
{
	return GICR_BASE_GPA + 2 * SZ_64K + SZ_64K + reg;
}

static struct irqx_guest *fault_guest_create(void)
{
	struct irqx_guest *g = __irqx_guest_create(2, NULL, IRQX_GUEST_NO_CONTEXT |
							    IRQX_GUEST_ARCH_TABLE);

	irqx_guest_start(g);
	/* Below that of operations. */
	irqx_do(g, 1, IRQX_OP_WRITEL, vcpu1_reg(GICD_IPRIORITYR + PPI), 0xa0a0a0a0);
	irqx_do(g, 1, IRQX_OP_WRITEL, vcpu1_reg(GICD_ISENABLER), 1U << PPI);
	return g;
}

static void fault_guest_free(struct irqx_guest *g)
{
	irqx_guest_free(g);
}

/* ---- SPIs without a level ---- */

static void prepare_direct_spi(struct scene *s)
{
	prepare_direct(s, 0, irqx_spi_entry(IRQX_EDGE_PIN));
}

static void spi_is_bound(struct __test_metadata *_metadata, struct scene *s)
{
	(void)_metadata;
	fd_is_bound_to(s, irqx_pin_vcpu(s->g, IRQX_EDGE_PIN),
		       IRQX_SPI(IRQX_EDGE_PIN));
}

FIXTURE_VARIANT_ADD(fault, direct_spi)
{
	.name = "direct_spi",
	.prepare = prepare_direct_spi,
	.failed = fd_is_not_bound,
	.done = spi_is_bound,
};

/* ---- PPIs ---- */

static struct kvm_irq_routing_entry ppi_entry(uint32_t intid)
{
	return (struct kvm_irq_routing_entry){
		.type = KVM_IRQX_ROUTING_PPI,
		.u.irqchip = { .irqchip = 1, .pin = intid },
	};
}

static void prepare_direct_ppi(struct scene *s)
{
	prepare_direct(s, 0, ppi_entry(PPI));
}

static void ppi_is_bound(struct __test_metadata *_metadata, struct scene *s)
{
	(void)_metadata;
	fd_is_bound_to(s, 1, PPI);
}

FIXTURE_VARIANT_ADD(fault, direct_ppi)
{
	.name = "direct_ppi",
	.prepare = prepare_direct_ppi,
	.failed = fd_is_not_bound,
	.done = ppi_is_bound,
};

static bool ppi_is_up(struct scene *s)
{
	return irqx_do(s->g, 1, IRQX_OP_READL, vcpu1_reg(GICD_ISPENDR), 0) >>
	       LEVEL_PPI & 1;
}

static void prepare_irq_line_ppi(struct scene *s)
{
	irqx_route_set(s->ctx, NEW_GSI, ppi_entry(LEVEL_PPI));
	prepare_irq_line(s, NEW_GSI, 1);
}

static void ppi_is_down(struct __test_metadata *_metadata, struct scene *s)
{
	ASSERT_FALSE(ppi_is_up(s));
}

static void irq_line_ppi_done(struct __test_metadata *_metadata, struct scene *s)
{
	ASSERT_TRUE(ppi_is_up(s));
	irqx_irq_line(s->ctx, NEW_GSI, 0);
	ppi_is_down(_metadata, s);
}

FIXTURE_VARIANT_ADD(fault, irq_line_ppi)
{
	.name = "irq_line_ppi",
	.prepare = prepare_irq_line_ppi,
	.failed = ppi_is_down,
	.done = irq_line_ppi_done,
};

#endif /* SELFTEST_IRQX_FAULT_H */

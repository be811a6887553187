// SPDX-License-Identifier: GPL-2.0
/*
 * See irqx_assign.h: a guest with an SPI whose handler is the device's.
 */
#include "irqx_assign.h"

/* Each VM has its own copy. */
static bool has_edu;

bool irqx_guest_device(uint32_t pin, void (*eoi)(uint32_t intid))
{
	enum irqx_edu_done done;

	if (!has_edu || pin != IRQX_EDU_PIN)
		return false;
	done = irqx_edu_serve();
	if (done != IRQX_EDU_HELD)
		eoi(MIN_SPI + pin);
	irqx_edu_note(done);
	return true;
}

struct irqx_guest *irqx_edu_guest_create(void)
{
	struct irqx_guest *g = irqx_guest_create(1);

	*(bool *)addr_gva2hva(g->vm, (vm_vaddr_t)&has_edu) = true;
	return g;
}

void irqx_edu_guest_setup(struct irqx_guest *g)
{
	(void)g;
}

void irqx_edu_guest_eoi(struct irqx_guest *g)
{
	irqx_pin_eoi(g, IRQX_EDU_PIN);
}

struct kvm_irq_routing_entry irqx_edu_entry(void)
{
	return irqx_spi_entry(IRQX_EDU_PIN);
}

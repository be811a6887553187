// SPDX-License-Identifier: GPL-2.0
/*
 * See irqx_assign.h: a guest of irqx_level.h.
 */
#include "irqx_assign.h"
#include "irqx_level.h"

static void guest_edu(struct ex_regs *regs)
{
	enum irqx_edu_done done = irqx_edu_serve();

	(void)regs;
	if (done != IRQX_EDU_HELD)
		wrmsr(APIC_BASE_MSR + (APIC_EOI >> 4), 0);
	irqx_edu_note(done);
}

struct irqx_guest *irqx_edu_guest_create(void)
{
	struct irqx_guest *g = irqx_level_guest(1);

	irqx_guest_stop(g);
	irqx_guest_handle(g->vm, IRQX_EDU_VECTOR, guest_edu);
	return g;
}

void irqx_edu_guest_setup(struct irqx_guest *g)
{
	irqx_pin_level(g, IRQX_EDU_PIN, IRQX_EDU_VECTOR);
}

void irqx_edu_guest_eoi(struct irqx_guest *g)
{
	irqx_eoi(g, 0);
}

struct kvm_irq_routing_entry irqx_edu_entry(void)
{
	return irqx_pin_entry(KVM_IRQCHIP_IOAPIC, IRQX_EDU_PIN);
}

// SPDX-License-Identifier: GPL-2.0
#include "../bench.h"

void bench_arch_irqchip(struct kvm_vm *vm)
{
	irqx_irqchip_create(vm);
}

struct kvm_irq_routing_entry bench_arch_msi(uint32_t nth)
{
	return irqx_msi_entry((struct irqx_msi){
		.dest = nth / 128 % 64,
		.vector = 64 + nth % 128,
	});
}

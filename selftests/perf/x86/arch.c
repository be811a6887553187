// SPDX-License-Identifier: GPL-2.0
#include "../bench.h"
#include "irqx_level.h"
#include "irqx_synic.h"

#define VECTOR	0x51
#define PIN	20
#define SINT	3

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

uint32_t bench_arch_irq_line(struct kvm_irq_routing_entry entry)
{
	return entry.gsi;
}

static void start(struct bench_way *way)
{
	irqx_guest_start(way->g);
}

static void free_guest(struct bench_way *way)
{
	irqx_guest_free(way->g);
}

static void start_synic(struct bench_way *way)
{
	struct irqx_synic *s = way->data;

	irqx_synic_start(s);
	irqx_sint_set(s, 0, SINT, IRQX_SINT_VECTOR + SINT);
}

static void free_synic(struct bench_way *way)
{
	irqx_synic_free(way->data);
}

uint32_t bench_arch_ways(struct bench_way *ways)
{
	struct irqx_synic *s = irqx_synic_create(1, 0);

	ways[0] = (struct bench_way){
		.name = "msi",
		.g = irqx_guest_create(1),
		.irq = VECTOR,
		.atomic = true,
		.start = start,
		.free = free_guest,
	};
	ways[0].entry = irqx_entry(ways[0].g, 0, VECTOR);

	ways[1] = (struct bench_way){
		.name = "pin",
		.g = irqx_guest_create(1),
		.entry = irqx_pin_entry(KVM_IRQCHIP_IOAPIC, PIN),
		.irq = VECTOR,
		.start = start,
		.free = free_guest,
	};
	irqx_ioapic_set(ways[1].g->vm, PIN, VECTOR);

	ways[2] = (struct bench_way){
		.name = "sint",
		.g = s->g,
		.entry = irqx_sint_entry(0, SINT),
		.irq = IRQX_SINT_VECTOR + SINT,
		.atomic = true,
		.data = s,
		.start = start_synic,
		.free = free_synic,
	};
	return 3;
}

struct irqx_guest *bench_arch_level_guest(void)
{
	return irqx_level_guest(1);
}

/*
 * KVM's table has it by the same number.  The vectors are in one word of the local APIC's
 * registers: KVM looks for the highest one word by word, 44 instructions a cycle each.
 */
uint32_t bench_arch_level_pin(struct irqx_guest *g, uint32_t nth)
{
	irqx_pin_level(g, 16 + nth, VECTOR + nth);
	return 16 + nth;
}

bool bench_arch_vector_entry(struct kvm_irq_routing_entry *entry)
{
	*entry = irqx_sint_entry(0, 2);
	return true;
}

// SPDX-License-Identifier: GPL-2.0
#include "../bench.h"
#include "gic_v3.h"
#include "gic_v3_its.h"

/* The device may be closed: the VGIC is the VM's. */
void bench_arch_irqchip(struct kvm_vm *vm)
{
	uint32_t nr_irqs = 64;
	int fd = __kvm_create_device(vm, KVM_DEV_TYPE_ARM_VGIC_V3);

	TEST_ASSERT(fd >= 0, "VGICv3: %s", strerror(errno));
	kvm_device_attr_set(fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &nr_irqs);
	kvm_device_attr_set(fd, KVM_DEV_ARM_VGIC_GRP_CTRL,
			    KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
	close(fd);
}

struct kvm_irq_routing_entry bench_arch_msi(uint32_t nth)
{
	const uint64_t doorbell = GITS_BASE_GPA + GITS_TRANSLATER;
	struct kvm_irq_routing_entry entry = {
		.type = KVM_IRQ_ROUTING_MSI,
		.flags = KVM_MSI_VALID_DEVID,
	};

	entry.u.msi.address_lo = doorbell;
	entry.u.msi.address_hi = doorbell >> 32;
	entry.u.msi.devid = nth / 256;
	entry.u.msi.data = nth % 256;
	return entry;
}

/* KVM_IRQ_LINE on the VM goes past the table. */
uint32_t bench_arch_irq_line(struct kvm_irq_routing_entry entry)
{
	return KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT |
	       (MIN_SPI + entry.u.irqchip.pin);
}

static void start(struct bench_way *way)
{
	irqx_guest_start(way->g);
}

static void free_guest(struct bench_way *way)
{
	irqx_guest_free(way->g);
}

uint32_t bench_arch_ways(struct bench_way *ways)
{
	ways[0] = (struct bench_way){
		.name = "lpi",
		.g = irqx_guest_create(1),
		.irq = IRQX_IRQ_MIN,
		.atomic = true,
		.start = start,
		.free = free_guest,
	};
	ways[0].entry = irqx_entry(ways[0].g, 0, IRQX_IRQ_MIN);

	ways[1] = (struct bench_way){
		.name = "pin",
		.g = irqx_guest_create(1),
		.entry = irqx_spi_entry(IRQX_EDGE_PIN),
		.irq = IRQX_SPI(IRQX_EDGE_PIN),
		.atomic = true,
		.start = start,
		.free = free_guest,
	};
	return 2;
}

struct irqx_guest *bench_arch_level_guest(void)
{
	struct irqx_guest *g = irqx_guest_create(1);

	irqx_guest_start(g);
	return g;
}

/* KVM's table has it by the same number. */
uint32_t bench_arch_level_pin(struct irqx_guest *g, uint32_t nth)
{
	(void)g;
	return IRQX_LEVEL_PIN + nth;
}

bool bench_arch_vector_entry(struct kvm_irq_routing_entry *entry)
{
	(void)entry;
	return false;
}

/* edu devices are assigned on x86 only so far. */
void bench_arch_intx(void)
{
}

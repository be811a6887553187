// SPDX-License-Identifier: GPL-2.0
/*
 * VGICv2, for hosts that have no other: what the harness does for VGICv3.
 */
#include "../arch.h"
#include "gicv2.h"
#include "gic_v3.h"

/* The distributor is where that of VGICv3 is; then comes the CPU interface. */
#define GICC_GPA	GICR_BASE_GPA
#define GICC(reg)	((volatile void *)(GICC_GPA + (reg)))
#define GICC_CTLR	0x00
#define GICC_PMR	0x04
#define GICC_IAR	0x0c
#define GICC_EOIR	0x10

#define INTID_MASK	0x3ff
#define ANY_PRIORITY	0xf0

int irqx_gicv2_setup(struct kvm_vm *vm, uint32_t nr_irqs)
{
	uint64_t dist = GICD_BASE_GPA, cpu = GICC_GPA;
	int fd = __kvm_create_device(vm, KVM_DEV_TYPE_ARM_VGIC_V2);

	if (fd < 0)
		return fd;
	kvm_device_attr_set(fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &nr_irqs);
	kvm_device_attr_set(fd, KVM_DEV_ARM_VGIC_GRP_ADDR,
			    KVM_VGIC_V2_ADDR_TYPE_DIST, &dist);
	kvm_device_attr_set(fd, KVM_DEV_ARM_VGIC_GRP_ADDR,
			    KVM_VGIC_V2_ADDR_TYPE_CPU, &cpu);
	kvm_device_attr_set(fd, KVM_DEV_ARM_VGIC_GRP_CTRL,
			    KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
	virt_map(vm, dist, dist,
		 vm_calc_num_guest_pages(vm->mode, KVM_VGIC_V2_DIST_SIZE));
	virt_map(vm, cpu, cpu,
		 vm_calc_num_guest_pages(vm->mode, KVM_VGIC_V2_CPU_SIZE));
	return fd;
}

void irqx_gicv2_init_dist(void)
{
	writel(1, GICD_BASE_GVA + GICD_CTLR);
}

void irqx_gicv2_init_cpu(void)
{
	writel(ANY_PRIORITY, GICC(GICC_PMR));
	writel(1, GICC(GICC_CTLR));
}

uint32_t irqx_gicv2_ack(void)
{
	return readl(GICC(GICC_IAR)) & INTID_MASK;
}

void irqx_gicv2_eoi(uint32_t intid)
{
	writel(intid, GICC(GICC_EOIR));
}

/* A byte per INTID; KVM takes words as well. */
void irqx_gicv2_set_target(uint32_t intid, uint32_t cpu)
{
	volatile void *reg = GICD_BASE_GVA + GICD_ITARGETSR + (intid & ~3U);
	uint32_t shift = 8 * (intid % 4);

	writel((readl(reg) & ~(0xffU << shift)) | 1U << cpu << shift, reg);
}

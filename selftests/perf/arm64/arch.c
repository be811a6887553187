// SPDX-License-Identifier: GPL-2.0
#include "../bench.h"

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

// SPDX-License-Identifier: GPL-2.0
/*
 * Devices on KVM's bus for memory-mapped I/O.
 */
#include <linux/mutex.h>

#include "kvm.h"
#include "symbols.h"

/**
 * irqx_kvm_register_device - have a range of guest-physical addresses answered
 * @kvm: the VM
 * @start: the first byte
 * @len: how many
 * @device: its destructor is NULL; it stays until irqx_kvm_unregister_device()
 *
 * Context: may sleep, without bound: takes kvm->slots_lock, and on 6.1 and 6.12 waits for
 * kvm->srcu, whose readers wait for pages that userspace serves.
 * Return: 0, -ENOSPC if the bus is full, -ENOMEM.
 */
int irqx_kvm_register_device(struct kvm *kvm, gpa_t start, u32 len,
			     struct kvm_io_device *device)
{
	int ret;

	mutex_lock(&kvm->slots_lock);
	ret = static_call(irqx_kvm_io_bus_register_dev)(kvm, KVM_MMIO_BUS, start, len,
							device);
	mutex_unlock(&kvm->slots_lock);
	return ret;
}

/**
 * irqx_kvm_unregister_device - the end of that
 * @kvm: the VM
 * @device: registered
 *
 * Whatever KVM answers, none of the device's functions runs any more when this returns.  If KVM
 * has no memory for the rest of the bus, it drops all of it (virt/kvm/kvm_main.c,
 * kvm_io_bus_unregister_dev()), so this is for a thread whose allocations nobody limits.
 *
 * Context: as irqx_kvm_register_device(), on all kernels.
 */
void irqx_kvm_unregister_device(struct kvm *kvm, struct kvm_io_device *device)
{
	mutex_lock(&kvm->slots_lock);
	static_call(irqx_kvm_io_bus_unregister_dev)(kvm, KVM_MMIO_BUS, device);
	mutex_unlock(&kvm->slots_lock);
}

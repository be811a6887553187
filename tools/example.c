// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * How a VMM uses kvm-irqx for MSI-X: a device's eventfd goes straight to an MSI, no
 * GSI and no routing table between. Bind, move, mask, read what is pending, unmask.
 *
 *	gcc -Iinclude/uapi -o example tools/example.c
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/kvm_irqx.h>

#define MUST(what) ({ long ret_ = (what); if (ret_ < 0) err(1, "%s", #what); ret_; })

/* What the guest wrote into its device's MSI-X table: vector, and APIC id. */
static void set_msi(struct kvm_irq_routing_entry *e, uint8_t vector, uint8_t apic)
{
	e->type = KVM_IRQ_ROUTING_MSI;
	e->u.msi.address_lo = 0xfee00000 | apic << 12;
	e->u.msi.data = vector;
}

int main(void)
{
	/* The VM, as a VMM has it anyway. */
	int vm = MUST(ioctl(MUST(open("/dev/kvm", O_RDWR)), KVM_CREATE_VM, 0));
	struct kvm_lapic_state lapic;

	MUST(ioctl(vm, KVM_CREATE_IRQCHIP, 0));
	for (int cpu = 0; cpu < 2; cpu++) {
		int vcpu = MUST(ioctl(vm, KVM_CREATE_VCPU, cpu));

		/* Its guest would switch its APIC on (SPIV, bit 8). */
		MUST(ioctl(vcpu, KVM_GET_LAPIC, &lapic));
		lapic.regs[0xf1] |= 1;
		MUST(ioctl(vcpu, KVM_SET_LAPIC, &lapic));
	}

	/* One context per VM, or more. */
	struct kvm_irqx_attach attach = { .vm_fd = vm };
	int irqx = MUST(open("/dev/kvm-irqx", O_RDWR));

	MUST(ioctl(irqx, KVM_IRQX_ATTACH, &attach));

	/* Bind: from now on every event of it is vector 0x41 of vCPU 0. */
	struct kvm_irqx_irqfd_direct irqfd = { .fd = MUST(eventfd(0, 0)) };

	set_msi(&irqfd.entry, 0x41, 0);
	MUST(ioctl(irqx, KVM_IRQX_IRQFD_DIRECT, &irqfd));
	MUST(eventfd_write(irqfd.fd, 1));

	/* The guest moves the interrupt: vector 0x52 of vCPU 1, at once. */
	set_msi(&irqfd.entry, 0x52, 1);
	irqfd.flags = KVM_IRQX_IRQFD_DIRECT_MODIFY;
	MUST(ioctl(irqx, KVM_IRQX_IRQFD_DIRECT, &irqfd));
	MUST(eventfd_write(irqfd.fd, 1));

	/* It masks the vector, and the device does not care. */
	struct kvm_irqx_mask mask = { .fd = irqfd.fd, .flags = KVM_IRQX_MASK_SET };

	MUST(ioctl(irqx, KVM_IRQX_MASK, &mask));
	MUST(eventfd_write(irqfd.fd, 1));

	/* It reads its Pending Bit Array. */
	struct kvm_irqx_target_state state = { .fd = irqfd.fd };
	struct kvm_irqx_get_state get = {
		.nr = 1,
		.state_size = sizeof(state),
		.states = (uintptr_t)&state,
	};

	MUST(ioctl(irqx, KVM_IRQX_GET_STATE, &get));

	/* It moves the vector, and unmasks it: what is pending comes to the new place. */
	set_msi(&irqfd.entry, 0x63, 0);
	irqfd.flags = KVM_IRQX_IRQFD_DIRECT_MODIFY | KVM_IRQX_IRQFD_DIRECT_UNMASK;
	MUST(ioctl(irqx, KVM_IRQX_IRQFD_DIRECT, &irqfd));

	struct kvm_irqx_stats stats = { .argsz = sizeof(stats) };

	MUST(ioctl(irqx, KVM_IRQX_GET_STATS, &stats));
	printf("%llu events, %llu delivered at once, %llu after a mask, %llu refused\n",
	       stats.events, stats.atomic, stats.deferred, stats.refused + stats.coalesced);
	return !(stats.events == 3 && stats.atomic == 2 && stats.deferred == 1 &&
		 !stats.coalesced &&
		 state.state == (KVM_IRQX_STATE_MASKED | KVM_IRQX_STATE_PENDING));
}

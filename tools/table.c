// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * How a VMM has kvm-irqx serve a guest's MSI-X table: made, bound on first use, moved by the
 * guest without an exit, saved.  Documentation/tables.rst explains each step.
 *
 *	gcc -Iinclude/uapi -o table tools/table.c
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <linux/kvm_irqx.h>

#define MUST(what) ({ long ret_ = (what); if (ret_ < 0) err(1, "%s", #what); ret_; })

#define TABLE	0xd0000000	/* BAR 4 of the device; one vector is used */
#define PBA	0xd0000800

/*
 * A guest's driver, in real mode: the table's address is in the base of ds.  It masks vector 3,
 * gives it data 0x52, unmasks it, and halts.
 */
static const uint8_t guest[] = {
	0x66, 0xc7, 0x06, 0x3c, 0x00, 0x01, 0x00, 0x00, 0x00,	/* movl $1, 0x3c */
	0x66, 0xc7, 0x06, 0x38, 0x00, 0x52, 0x00, 0x00, 0x00,	/* movl $0x52, 0x38 */
	0x66, 0xc7, 0x06, 0x3c, 0x00, 0x00, 0x00, 0x00, 0x00,	/* movl $0, 0x3c */
	0xe6, 0x80,						/* out %al, $0x80 */
};

int main(void)
{
	/* A VM with a vCPU and a page of memory, as a VMM has it anyway. */
	int kvm = MUST(open("/dev/kvm", O_RDWR)), vm = MUST(ioctl(kvm, KVM_CREATE_VM, 0));
	void *mem = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region slot = {
		.memory_size = 4096, .userspace_addr = (uintptr_t)mem,
	};

	MUST(ioctl(vm, KVM_CREATE_IRQCHIP, 0));
	memcpy(mem, guest, sizeof(guest));
	MUST(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot));
	int vcpu = MUST(ioctl(vm, KVM_CREATE_VCPU, 0));
	struct kvm_run *run = mmap(NULL, MUST(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0)),
				   PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	struct kvm_regs regs = { .rflags = 2 };
	struct kvm_lapic_state lapic;
	struct kvm_sregs sregs;

	MUST(ioctl(vcpu, KVM_GET_SREGS, &sregs));
	sregs.cs.base = sregs.cs.selector = 0;
	sregs.ds.base = TABLE;
	MUST(ioctl(vcpu, KVM_SET_SREGS, &sregs));
	MUST(ioctl(vcpu, KVM_SET_REGS, &regs));
	MUST(ioctl(vcpu, KVM_GET_LAPIC, &lapic));
	lapic.regs[0xf1] |= 1;
	MUST(ioctl(vcpu, KVM_SET_LAPIC, &lapic));

	/* The context, and the table: the guest has enabled decoding, and MSI-X. */
	struct kvm_irqx_attach attach = { .vm_fd = vm };
	int irqx = MUST(open("/dev/kvm-irqx", O_RDWR));
	struct kvm_irqx_table table = {
		.op = KVM_IRQX_TABLE_CREATE,
		.flags = KVM_IRQX_TABLE_DECODES | KVM_IRQX_TABLE_ENABLED,
		.nr = 8,
		.changefd = KVM_IRQX_NO_FD,
		.entries = TABLE,
		.pba = PBA,
	};

	MUST(ioctl(irqx, KVM_IRQX_ATTACH, &attach));
	MUST(ioctl(irqx, KVM_IRQX_TABLE, &table));

	/* First use of vector 3: take over what the guest wrote, and bind the device's eventfd. */
	struct kvm_irqx_irqfd_direct irqfd = {
		.fd = MUST(eventfd(0, 0)),
		.entry.type = KVM_IRQX_ROUTING_VECTOR,
		.entry.u.irqchip = { .irqchip = table.table, .pin = 3 },
	};
	struct kvm_irqx_vector entry = { .address_lo = 0xfee00000, .data = 0x41 };
	struct kvm_irqx_table_state state = {
		.version = KVM_IRQX_TABLE_STATE_VERSION,
		.table = table.table,
		.first = 3,
		.nr = 1,
		.vector_size = sizeof(entry),
		.vectors = (uintptr_t)&entry,
	};

	MUST(ioctl(irqx, KVM_IRQX_SET_TABLE, &state));
	MUST(ioctl(irqx, KVM_IRQX_IRQFD_DIRECT, &irqfd));
	MUST(eventfd_write(irqfd.fd, 1));

	/* The guest moves it.  The first exit is that of its out. */
	MUST(ioctl(vcpu, KVM_RUN, 0));
	MUST(eventfd_write(irqfd.fd, 1));
	MUST(ioctl(vcpu, KVM_GET_LAPIC, &lapic));
	MUST(ioctl(irqx, KVM_IRQX_GET_TABLE, &state));

	/* Interrupt requests of vectors 0x40 to 0x5f. */
	uint32_t irr;

	memcpy(&irr, &lapic.regs[0x220], 4);
	printf("%s, vector 0x%x, requests 0x%x\n",
	       run->exit_reason == KVM_EXIT_IO ? "moved without an exit" : "exit", entry.data, irr);
	return !(run->exit_reason == KVM_EXIT_IO && entry.data == 0x52 &&
		 irr == (1U << 1 | 1U << (0x52 - 0x40)));
}

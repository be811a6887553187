// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * How a VMM has kvm-irqx serve a guest's MSI-X table: made, bound on first use, moved by the
 * guest without an exit, saved.  Documentation/tables.rst explains each step.
 *
 *	gcc table.c -o table $(pkg-config --cflags --libs kvmirqx)
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <kvmirqx.h>

#define MUST(what) ({ long ret_ = (what); if (ret_ < 0) err(1, "%s", #what); ret_; })

/* A call of the library: it has a sentence for each failure. */
#define CALL(what) ({ int ret_ = (what); if (ret_ < 0) fail(#what, ret_); ret_; })

static void fail(const char *what, int error)
{
	char words[256];

	kvmirqx_last_error_words(words, sizeof(words));
	errx(1, "%s: %d: %s", what, error, words);
}

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
	struct kvmirqx_table_options options = KVMIRQX_TABLE_OPTIONS;
	struct kvmirqx *irqx;
	__u32 table;

	CALL(kvmirqx_open(&irqx));
	CALL(kvmirqx_attach(irqx, vm));
	options.flags = KVM_IRQX_TABLE_DECODES | KVM_IRQX_TABLE_ENABLED;
	options.nr = 8;
	options.entries = TABLE;
	options.pba = PBA;
	CALL(kvmirqx_table_create(irqx, &options, &table));

	/* First use of vector 3: take over what the guest wrote, and bind the device's eventfd. */
	struct kvm_irqx_vector vector = { .address_lo = 0xfee00000, .data = 0x41 };
	struct kvmirqx_vectors vectors = KVMIRQX_VECTORS;
	struct kvm_irq_routing_entry entry = {
		.type = KVM_IRQX_ROUTING_VECTOR,
		.u.irqchip = { .irqchip = table, .pin = 3 },
	};
	int fd = MUST(eventfd(0, EFD_CLOEXEC));

	vectors.first = 3;
	vectors.nr = 1;
	vectors.vectors = &vector;
	CALL(kvmirqx_table_set_state(irqx, table, &vectors));
	CALL(kvmirqx_assign(irqx, fd, &entry, NULL));
	MUST(eventfd_write(fd, 1));

	/* The guest moves it.  The first exit is that of its out. */
	MUST(ioctl(vcpu, KVM_RUN, 0));
	MUST(eventfd_write(fd, 1));
	MUST(ioctl(vcpu, KVM_GET_LAPIC, &lapic));
	CALL(kvmirqx_table_get_state(irqx, table, &vectors));

	/* The device goes: nothing may lead to its table. */
	CALL(kvmirqx_deassign(irqx, fd));
	CALL(kvmirqx_table_destroy(irqx, table));
	kvmirqx_close(irqx);

	/* Interrupt requests of vectors 0x40 to 0x5f. */
	uint32_t irr;

	memcpy(&irr, &lapic.regs[0x220], 4);
	printf("%s: vector 0x%x, requests 0x%x\n", run->exit_reason == KVM_EXIT_IO ?
	       "moved without an exit" : "an exit", vector.data, irr);
	return !(run->exit_reason == KVM_EXIT_IO && vector.data == 0x52 &&
		 irr == (1U << 1 | 1U << (0x52 - 0x40)));
}

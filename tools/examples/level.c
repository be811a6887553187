// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * How a VMM has a level-triggered device by libkvmirqx: one eventfd raises the pin, the other
 * tells of the guest's EOI, and the pin never has to be lowered.
 *
 *	gcc -pthread level.c -o level $(pkg-config --cflags --libs kvmirqx)
 */
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <kvmirqx.h>

#define PIN	20
#define VECTOR	0x60
#define REQUESTS	5

#define MUST(what) ({ long ret_ = (what); if (ret_ < 0) err(1, "%s", #what); ret_; })

/* A call of the library: it has a sentence for each failure. */
#define CALL(what) ({ int ret_ = (what); if (ret_ < 0) fail(#what, ret_); ret_; })

static void fail(const char *what, int error)
{
	char words[256];

	kvmirqx_last_error_words(words, sizeof(words));
	errx(1, "%s: %d: %s", what, error, words);
}

/*
 * A guest's driver, in real mode: ds is the local APIC, es the IOAPIC.  It makes the pin
 * level-triggered.  Its handler takes one request from the device, and ends the interrupt.
 */
#define HANDLER	0x40
static const uint8_t guest[] = {
	0x66, 0xc7, 0x06, 0xf0, 0x00, 0xff, 0x01, 0x00, 0x00,	/* movl $0x1ff, 0xf0 */
	0x26, 0x66, 0xc7, 0x06, 0x00, 0x00, 0x10 + 2 * PIN, 0x00, 0x00, 0x00, /* movl, %es:0 */
	0x26, 0x66, 0xc7, 0x06, 0x10, 0x00, VECTOR, 0x80, 0x00, 0x00,	/* movl, %es:0x10 */
	0xfb, 0xf4, 0xeb, 0xfc,					/* 1: sti; hlt; jmp 1b */
	[HANDLER] = 0xe6, 0x80,					/* out %al, $0x80 */
	0x66, 0xc7, 0x06, 0xb0, 0x00, 0x00, 0x00, 0x00, 0x00,	/* movl $0, 0xb0 */
	0xcf,							/* iret */
};

/* The device has work for the guest: its line is up. */
static atomic_int requests = REQUESTS, interrupts;

static void *run_vcpu(void *arg)
{
	for (;;) {
		MUST(ioctl((intptr_t)arg, KVM_RUN, 0));
		/* The handler's out. */
		interrupts++;
		if (requests)
			requests--;
	}
}

int main(void)
{
	/* A VM with a vCPU and memory, as a VMM has it anyway. */
	int vm = MUST(ioctl(MUST(open("/dev/kvm", O_RDWR)), KVM_CREATE_VM, 0)), vcpu;
	uint8_t *mem = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region slot = {
		.memory_size = 8192, .userspace_addr = (uintptr_t)mem,
	};
	struct kvm_regs regs = { .rflags = 2, .rip = 4096, .rsp = 4096 };
	struct kvm_sregs sregs;
	pthread_t thread;

	MUST(ioctl(vm, KVM_CREATE_IRQCHIP, 0));
	memcpy(mem + 4096, guest, sizeof(guest));
	mem[4 * VECTOR + 1] = (4096 + HANDLER) >> 8;
	mem[4 * VECTOR] = HANDLER;
	MUST(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot));
	vcpu = MUST(ioctl(vm, KVM_CREATE_VCPU, 0));
	MUST(ioctl(vcpu, KVM_GET_SREGS, &sregs));
	sregs.cs.base = sregs.cs.selector = 0;
	sregs.ds.base = 0xfee00000;
	sregs.es.base = 0xfec00000;
	MUST(ioctl(vcpu, KVM_SET_SREGS, &sregs));
	MUST(ioctl(vcpu, KVM_SET_REGS, &regs));

	/* The device's two eventfds, and its pin of the IOAPIC. */
	struct kvm_irq_routing_entry entry = {
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { .irqchip = KVM_IRQCHIP_IOAPIC, .pin = PIN },
	};
	struct kvmirqx_options options = KVMIRQX_OPTIONS;
	int trigger = MUST(eventfd(0, EFD_CLOEXEC)), eoi = MUST(eventfd(0, EFD_CLOEXEC));
	struct kvmirqx *irqx;
	eventfd_t count;

	CALL(kvmirqx_open(&irqx));
	CALL(kvmirqx_attach(irqx, vm));
	options.flags = KVM_IRQX_OP_FLAG_RESAMPLE;
	options.resamplefd = eoi;
	CALL(kvmirqx_assign(irqx, trigger, &entry, &options));

	/*
	 * Raise it.  Each EOI lowers it, and a device that still wants service raises it again.
	 * The guest's unmasking of the pin is a signal too: ask the device, count nothing.
	 */
	MUST(eventfd_write(trigger, 1));
	MUST(pthread_create(&thread, NULL, run_vcpu, (void *)(intptr_t)vcpu));
	for (;;) {
		MUST(eventfd_read(eoi, &count));
		if (!requests)
			break;
		MUST(eventfd_write(trigger, 1));
	}
	printf("%d requests served, by %d interrupts\n", REQUESTS, interrupts);
	return interrupts < REQUESTS;
}

// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * How a VMM serves MSI-X with many vectors by libkvmirqx: bind all of them at once, mask the
 * function, read what is pending, move a vector, unmask.  No GSI, no routing table.
 *
 *	gcc vectors.c -o vectors $(pkg-config --cflags --libs kvmirqx)
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <kvmirqx.h>

#define NR	400	/* vectors of the device */

#define MUST(what) ({ long ret_ = (what); if (ret_ < 0) err(1, "%s", #what); ret_; })

/* A call of the library: it has a sentence for each failure. */
#define CALL(what) ({ int ret_ = (what); if (ret_ < 0) fail(#what, ret_); ret_; })

static void fail(const char *what, int error)
{
	char words[256];

	kvmirqx_last_error_words(words, sizeof(words));
	errx(1, "%s: %d: %s", what, error, words);
}

/* What the guest has written into the device's MSI-X table: vector, and APIC ID. */
static struct kvm_irq_routing_entry msi(unsigned int vector, unsigned int apic)
{
	struct kvmirqx_msi msi = { .address_lo = 0xfee00000 | apic << 12, .data = vector };
	struct kvm_irq_routing_entry entry;

	CALL(kvmirqx_msi_entry(&entry, KVMIRQX_ARCH_NATIVE, 0, &msi));
	return entry;
}

static int requested(int vcpu, unsigned int vector)
{
	struct kvm_lapic_state lapic;

	MUST(ioctl(vcpu, KVM_GET_LAPIC, &lapic));
	return lapic.regs[0x200 + vector / 32 * 16 + vector % 32 / 8] >> vector % 8 & 1;
}

int main(void)
{
	/* The VM, as a VMM has it anyway. */
	int vm = MUST(ioctl(MUST(open("/dev/kvm", O_RDWR)), KVM_CREATE_VM, 0)), vcpu[2], fd[NR];
	struct kvm_irqx_target_state states[NR] = { };
	struct kvm_irqx_stats stats = { .argsz = sizeof(stats) };
	struct kvmirqx_options options = KVMIRQX_OPTIONS;
	struct kvm_irq_routing_entry entry;
	struct kvmirqx_batch *batch;
	struct kvm_lapic_state lapic;
	struct kvmirqx *irqx;
	int i, pending = 0;

	MUST(ioctl(vm, KVM_CREATE_IRQCHIP, 0));
	for (i = 0; i < 2; i++) {
		vcpu[i] = MUST(ioctl(vm, KVM_CREATE_VCPU, i));
		/* Its guest would switch its APIC on (SPIV, bit 8). */
		MUST(ioctl(vcpu[i], KVM_GET_LAPIC, &lapic));
		lapic.regs[0xf1] |= 1;
		MUST(ioctl(vcpu[i], KVM_SET_LAPIC, &lapic));
	}

	/* One context per VM, or more. */
	CALL(kvmirqx_open(&irqx));
	CALL(kvmirqx_attach(irqx, vm));
	CALL(kvmirqx_batch_new(&batch));

	/* The guest enables MSI-X: bind all by one call, half of them to each vCPU. */
	for (i = 0; i < NR; i++) {
		fd[i] = MUST(eventfd(0, EFD_CLOEXEC));
		entry = msi(0x30 + i / 2, i % 2);
		options.cookie = i;
		kvmirqx_batch_assign(batch, fd[i], &entry, &options);
	}
	CALL(kvmirqx_batch_run(irqx, batch, NULL));
	MUST(eventfd_write(fd[0], 1));

	/* It sets the function's mask.  The device does not care. */
	kvmirqx_batch_clear(batch);
	for (i = 0; i < NR; i++)
		kvmirqx_batch_mask(batch, fd[i]);
	CALL(kvmirqx_batch_run(irqx, batch, NULL));
	for (i = 2; i < NR; i += 4)
		MUST(eventfd_write(fd[i], 1));

	/* It reads its Pending Bit Array. */
	for (i = 0; i < NR; i++)
		states[i].fd = fd[i];
	CALL(kvmirqx_get_states(irqx, states, sizeof(states[0]), NR, NULL));
	for (i = 0; i < NR; i++)
		pending += !!(states[i].state & KVM_IRQX_STATE_PENDING);

	/* It moves vector 2, and unmasks: what is pending there comes to the new place. */
	kvmirqx_batch_clear(batch);
	entry = msi(0xf8, 1);
	options.flags = KVM_IRQX_OP_FLAG_UNMASK;
	options.cookie = 0;
	for (i = 0; i < NR; i++) {
		if (i == 2)
			kvmirqx_batch_modify(batch, fd[i], &entry, &options);
		else
			kvmirqx_batch_unmask(batch, fd[i]);
	}
	CALL(kvmirqx_batch_run(irqx, batch, NULL));
	kvmirqx_batch_free(batch);

	CALL(kvmirqx_stats(irqx, &stats));
	printf("%u vectors, %llu events: %llu at once, %d after the mask; vector 2 moved: %s\n",
	       stats.irqfds, stats.events, stats.atomic, pending,
	       requested(vcpu[1], 0xf8) && !requested(vcpu[0], 0x31) ? "yes" : "no");
	kvmirqx_close(irqx);
	return !(stats.events == 1 + NR / 4 && pending == NR / 4 && !stats.refused &&
		 requested(vcpu[0], 0x30) && requested(vcpu[0], 0x33) &&
		 requested(vcpu[1], 0xf8) && !requested(vcpu[0], 0x31));
}

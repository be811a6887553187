/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_SOURCE_H
#define SELFTEST_IRQX_SOURCE_H

/* Level sources: an eventfd, and the resamplefd that tells of the EOI. */
#include "irqx_util.h"

struct irqx_level {
	int fd;
	int ack;
	uint64_t acks;			/* those that irqx_acks() has seen */
};

static inline int __irqx_bind_level(int ctx, int fd, int resamplefd,
				    struct kvm_irq_routing_entry entry)
{
	struct kvm_irqx_irqfd_direct direct = {
		.fd = fd,
		.resamplefd = resamplefd,
		.flags = KVM_IRQX_IRQFD_DIRECT_RESAMPLE,
		.entry = entry,
	};

	return __irqx_ioctl(ctx, KVM_IRQX_IRQFD_DIRECT, &direct);
}

/* @ctx may be a VM's file descriptor. */
static inline int __irqx_irqfd_level(int ctx, int fd, int resamplefd,
				     uint32_t gsi)
{
	struct kvm_irqfd irqfd = {
		.fd = fd,
		.resamplefd = resamplefd,
		.flags = KVM_IRQFD_FLAG_RESAMPLE,
		.gsi = gsi,
	};

	return __irqx_ioctl(ctx, KVM_IRQFD, &irqfd);
}

struct irqx_level irqx_level_direct(int ctx,
				    struct kvm_irq_routing_entry entry);
struct irqx_level irqx_level_gsi(int ctx, uint32_t gsi);
void irqx_level_close(struct irqx_level *level);

/*
 * Waits for @n signals of the resamplefd since the beginning.  Return: how many
 * there were.
 */
uint64_t irqx_acks(struct irqx_level *level, uint64_t n);

/*
 * A context of @vm with a resamplefd each on a pin and, if there are any, a SINT.
 * The module has its probes in KVM while there is one, and irqx_util.c says how
 * badly QEMU takes it if code that vCPUs run is patched again and again.
 */
struct irqx_keeper {
	int ctx;
	struct irqx_level pin;
	struct irqx_level sint;		/* .fd is -1 if there is none */
};

struct irqx_keeper irqx_keep_probes(struct kvm_vm *vm);
void irqx_keeper_close(struct irqx_keeper *keeper);

#endif /* SELFTEST_IRQX_SOURCE_H */

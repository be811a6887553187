/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_FUZZ_H
#define SELFTEST_IRQX_FUZZ_H

/* What fuzz_test.c, which includes this, does by architecture. */

static struct kvm_irq_routing_entry arch_entry(struct fuzzer *f)
{
	struct kvm_irq_routing_entry entry = {};
	uint32_t i;

	switch (below(f, 20)) {
	case 0:
		entry.type = interesting(f);
		for (i = 0; i < ARRAY_SIZE(entry.u.pad); i++)
			entry.u.pad[i] = interesting(f);
		break;
	case 1 ... 6:
		/* Fences and operations are the helper's. */
		entry = irqx_pin_entry(mostly(f, 0), below(f, 128));
		if (one_in(f, 10))
			entry.u.irqchip.pin = IRQX_NR_SPIS + interesting(f);
		break;
	default:
		entry = irqx_entry(guest, below(f, guest->nr_vcpus),
				   32 + below(f, 224));
		if (one_in(f, 10))
			entry.u.msi.data = interesting(f);
		if (one_in(f, 10))
			entry.u.msi.devid = interesting(f);
		if (one_in(f, 20))
			entry.u.msi.address_lo += 4 * below(f, 4);
		entry.u.msi.address_hi = one_in(f, 20) ? interesting(f) : 0;
		break;
	}
	return entry;
}

/* Nothing here leads a vCPU astray. */
struct runner {
	pthread_t thread;
	struct kvm_vcpu *vcpu;
	uint64_t astray;
	uint64_t exits;			/* for accesses of tables */
};

static void runner_save(struct runner *r, struct kvm_vcpu *vcpu)
{
	r->vcpu = vcpu;
}

static void runner_restore(struct runner *r)
{
	(void)r;
}

static void arch_setup(void)
{
}

/* A VGIC has a file of its own, which would hold the VM. */
static void arch_other_vm(struct kvm_vm *vm)
{
	(void)vm;
}

/* A level pin without a resamplefd stays up, by KVM's irqfd as by ours. */
static void arch_calm(void)
{
	uint32_t i;

	for (i = 0; i < IRQX_NR_LEVEL_PINS; i++)
		kvm_arm_irq_line(guest->vm, MIN_SPI + IRQX_LEVEL_PIN + i, 0);
}

#endif /* SELFTEST_IRQX_FUZZ_H */

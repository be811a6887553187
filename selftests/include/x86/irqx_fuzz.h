/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_FUZZ_H
#define SELFTEST_IRQX_FUZZ_H

/* What fuzz_test.c, which includes this, does by architecture. */

#include "irqx_synic.h"

static struct kvm_irq_routing_entry arch_entry(struct fuzzer *f)
{
	struct kvm_irq_routing_entry entry = {};
	uint32_t i;

	switch (below(f, 20)) {
	case 0:
		entry.type = KVM_IRQ_ROUTING_HV_SINT;
		entry.u.hv_sint.vcpu = mostly(f, below(f, 3));
		entry.u.hv_sint.sint = mostly(f, below(f, 16));
		break;
	case 1:
		entry.type = KVM_IRQ_ROUTING_XEN_EVTCHN;
		entry.u.xen_evtchn.port = mostly(f, below(f, 4096));
		entry.u.xen_evtchn.vcpu = mostly(f, below(f, 3));
		entry.u.xen_evtchn.priority = mostly(f, ~0U);
		break;
	case 2:
		entry.type = interesting(f);
		for (i = 0; i < ARRAY_SIZE(entry.u.pad); i++)
			entry.u.pad[i] = interesting(f);
		break;
	case 3 ... 7:
		entry.type = KVM_IRQ_ROUTING_IRQCHIP;
		entry.u.irqchip.irqchip = mostly(f, below(f, 3));
		entry.u.irqchip.pin = mostly(f, below(f, 8) * (1 + below(f, 3)));
		break;
	default:
		entry = irqx_entry(guest, below(f, guest->nr_vcpus),
				   32 + below(f, 224));
		if (one_in(f, 10))
			entry.u.msi.data = rnd(f) & 0xffff;
		if (one_in(f, 10))
			entry.u.msi.address_lo = 0xfee00000 | (rnd(f) & 0xfffff);
		entry.u.msi.address_hi = one_in(f, 20) ? interesting(f) : 0;
		break;
	}
	return entry;
}

/* A vector of the PIC; the entries can make it an MSI's as well. */
#define PIC_BASE	0x70

static void pic_irq(struct ex_regs *regs)
{
	irqx_guest_pic_eoi(PIC_BASE, regs->vector);
	x2apic_write_reg(APIC_EOI, 0);
	irqx_guest_count(regs->vector);
}

/*
 * vCPUs that are set up anew when an INIT, an SMI, an exception or the like has
 * led them astray.
 */

struct runner {
	pthread_t thread;
	struct kvm_vcpu *vcpu;
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	struct kvm_vcpu_events events;
	struct kvm_lapic_state lapic;
	uint64_t astray;
	uint64_t exits;			/* for accesses of tables */
};

static void runner_save(struct runner *r, struct kvm_vcpu *vcpu)
{
	r->vcpu = vcpu;
	vcpu_sregs_get(vcpu, &r->sregs);
	vcpu_regs_get(vcpu, &r->regs);
	vcpu_ioctl(vcpu, KVM_GET_LAPIC, &r->lapic);
	memset(&r->events, 0, sizeof(r->events));
	r->events.flags = KVM_VCPUEVENT_VALID_SMM;
	r->regs.rip = (unsigned long)irqx_guest_main;
	r->regs.rflags = 2;
}

static void runner_restore(struct runner *r)
{
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };

	__vcpu_ioctl(r->vcpu, KVM_SET_VCPU_EVENTS, &r->events);
	__vcpu_ioctl(r->vcpu, KVM_SET_SREGS, &r->sregs);
	__vcpu_ioctl(r->vcpu, KVM_SET_REGS, &r->regs);
	/* No vector stays in service whose handler will never end. */
	__vcpu_ioctl(r->vcpu, KVM_SET_LAPIC, &r->lapic);
	__vcpu_ioctl(r->vcpu, KVM_SET_MP_STATE, &runnable);
}

/* For Xen event channels; KVM of 6.12 warns if one is raised without it. */
static void xen_shared_info(struct kvm_vm *vm)
{
	struct kvm_xen_hvm_attr attr = {
		.type = KVM_XEN_ATTR_TYPE_SHARED_INFO,
	};

	if (!kvm_has_cap(KVM_CAP_XEN_HVM))
		return;
	attr.u.shared_info.gfn = addr_gva2gpa(vm, vm_vaddr_alloc_page(vm)) >> 12;
	vm_ioctl(vm, KVM_XEN_HVM_SET_ATTR, &attr);
}

/* What an SMI finds: else the first one kills the VM. */
static void add_smram(struct kvm_vm *vm)
{
	static const unsigned char rsm[] = { 0x0f, 0xaa };
	struct kvm_userspace_memory_region region = {
		.slot = 1 << 16 | 1,	/* in SMM's address space */
		.guest_phys_addr = 0x30000,
		.memory_size = 0x10000,
	};
	char *ram;

	if (kvm_check_cap(KVM_CAP_MULTI_ADDRESS_SPACE) < 2)
		return;
	ram = mmap(NULL, region.memory_size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(ram != MAP_FAILED, "mmap: %s", strerror(errno));
	memcpy(ram + 0x8000, rsm, sizeof(rsm));
	region.userspace_addr = (unsigned long)ram;
	vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
}

/* All SINTs of all vCPUs, for the same handler as any vector. */
static void unmask_sints(struct kvm_vcpu *vcpu)
{
	int i;

	if (!kvm_has_cap(KVM_CAP_HYPERV_SYNIC2))
		return;
	vcpu_enable_cap(vcpu, KVM_CAP_HYPERV_SYNIC2, 0);
	vcpu_set_msr(vcpu, HV_X64_MSR_SCONTROL, 1);
	for (i = 0; i < IRQX_NR_SINTS; i++)
		vcpu_set_msr(vcpu, HV_X64_MSR_SINT0 + i, IRQX_SINT_VECTOR + i);
}

/*
 * What the guest's memory is to begin with.  An INIT and a SIPI that entries make have
 * a vCPU execute what is no code, in real mode, and that may write anywhere below
 * 1 MiB, where the program is.
 */
static void *memory_image;

static struct userspace_mem_region *memory(void)
{
	return memslot2region(guest->vm, 0);
}

static void arch_setup(void)
{
	uint32_t n;
	int i;

	for (n = 0; n < guest->nr_vcpus; n++)
		unmask_sints(guest->vcpus[n].vcpu);

	for (i = 0; i < 24; i++)
		irqx_ioapic_set(guest->vm, i, 0x80 + i);
	for (i = 0; i < 16; i++)
		irqx_guest_handle(guest->vm, PIC_BASE + i, pic_irq);
	irqx_pic_set(guest->vm, PIC_BASE);
	xen_shared_info(guest->vm);
	add_smram(guest->vm);

	memory_image = malloc(memory()->region.memory_size);
	TEST_ASSERT(memory_image, "no memory");
	memcpy(memory_image, memory()->host_mem, memory()->region.memory_size);
}

static void arch_other_vm(struct kvm_vm *vm)
{
	irqx_irqchip_create(vm);
}

/* No vCPU runs. */
static void arch_calm(void)
{
	memcpy(memory()->host_mem, memory_image, memory()->region.memory_size);
}

#endif /* SELFTEST_IRQX_FUZZ_H */

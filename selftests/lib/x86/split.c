// SPDX-License-Identifier: GPL-2.0
/*
 * See irqx_split.h.
 */
#include "apic.h"
#include "irqx_split.h"

/* Guest-physical: the interrupt vector table of real mode is at 0. */
#define CODE_GPA	0x1000
#define STUBS_GPA	0x2000
#define DATA_GPA	0x10000
#define DATA_SIZE	0x1000
#define PAGES		32
#define STUB_SIZE	8
#define FIRST_VECTOR	0x20
#define STACK_TOP	offsetofend(struct irqx_split_data, stack)

#define MSR_PV_EOI	0x4b564d04	/* Documentation/virt/kvm/x86/msr.rst */
#define MSI_LEVEL	(1 << 15 | 1 << 14)

#ifndef offsetofend
#define offsetofend(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))
#endif

/*
 * Interrupts do not nest, and whoever is interrupted has nothing in a register.  DS and SS
 * are the vCPU's data.  A stub has pushed the vector.
 */
asm(
	".pushsection .rodata\n"
	".code16\n"
	"split_code:\n"
	"split_idle:\n"
	"	sti\n"
	"	hlt\n"
	"	jmp split_idle\n"
	"split_handler:\n"
	"	pop %di\n"
	"	mov %di, %bx\n"
	"	shl $2, %bx\n"
	"	incl (%bx)\n"
	"	mov %di, %ax\n"
	"	testb $" __stringify(IRQX_SPLIT_ONESHOT) ", 0x400\n"
	"	jz 1f\n"
	"	out %al, $" __stringify(IRQX_SPLIT_MASK) "\n"
	"1:	testb $" __stringify(IRQX_SPLIT_SERVES) ", 0x400\n"
	"	jz 2f\n"
	"	out %al, $" __stringify(IRQX_SPLIT_SERVE) "\n"
	"2:	testb $" __stringify(IRQX_SPLIT_HOLDS) ", 0x400\n"
	"	jz 3f\n"
	"	pause\n"
	"	jmp 2b\n"
	"3:	testb $" __stringify(IRQX_SPLIT_APICV) ", 0x400\n"
	"	jz 7f\n"
	"	out %al, $" __stringify(IRQX_SPLIT_ACCELERATED) "\n"
	"	jmp 5f\n"
	"7:	testb $" __stringify(IRQX_SPLIT_PV_EOI) ", 0x400\n"
	"	jz 4f\n"
	"	btrl $0, 0x404\n"
	"	jc 5f\n"
	"4:	mov $0x80b, %ecx\n"			/* x2APIC's EOI */
	"	xor %eax, %eax\n"
	"	xor %edx, %edx\n"
	"	wrmsr\n"
	"5:	testb $" __stringify(IRQX_SPLIT_ONESHOT) ", 0x400\n"
	"	jz 6f\n"
	"	mov %di, %ax\n"
	"	out %al, $" __stringify(IRQX_SPLIT_SERVE) "\n"
	"	out %al, $" __stringify(IRQX_SPLIT_UNMASK) "\n"
	"6:	iret\n"
	"split_end:\n"
	".code64\n"
	".popsection\n");

static void put_code(uint8_t *mem)
{
	uint32_t handler = CODE_GPA + (split_handler - split_code), vector, stub;
	int16_t far;

	TEST_ASSERT(offsetof(struct irqx_split_data, how) == 0x400, "as in the handler");
	memcpy(mem + CODE_GPA, split_code, split_end - split_code);
	for (vector = FIRST_VECTOR; vector < 256; vector++) {
		stub = STUBS_GPA + STUB_SIZE * vector;
		mem[stub] = 0x68;			/* push the vector */
		mem[stub + 1] = vector;
		mem[stub + 3] = 0xe9;			/* jmp */
		far = handler - (stub + 6);
		memcpy(mem + stub + 4, &far, sizeof(far));
		memcpy(mem + 4 * vector, &stub, sizeof(stub));
	}
}

static void vcpu_create(struct irqx_split_vcpu *cpu, uint32_t id)
{
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	const uint32_t spiv = 0x1ff;
	struct kvm_lapic_state lapic;
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	const uint64_t gpa = DATA_GPA + DATA_SIZE * id;
	struct kvm_vcpu *vcpu;
	uint64_t pv_eoi;

	cpu->data = addr_gpa2hva(cpu->split->vm, gpa);
	vcpu = __vm_vcpu_add(cpu->split->vm, id);
	cpu->v.vcpu = vcpu;
	vcpu_init_cpuid(vcpu, kvm_get_supported_cpuid());
	vcpu_sregs_get(vcpu, &sregs);
	sregs.cs.base = sregs.cs.selector = 0;
	sregs.ds.base = sregs.ss.base = gpa;
	sregs.ds.selector = sregs.ss.selector = gpa >> 4;
	sregs.apic_base |= X2APIC_ENABLE;
	vcpu_sregs_set(vcpu, &sregs);
	vcpu_regs_get(vcpu, &regs);
	regs.rip = CODE_GPA;
	regs.rsp = STACK_TOP;
	regs.rflags = 2;
	vcpu_regs_set(vcpu, &regs);
	vcpu_ioctl(vcpu, KVM_GET_LAPIC, &lapic);
	memcpy(&lapic.regs[APIC_SPIV], &spiv, sizeof(spiv));
	vcpu_ioctl(vcpu, KVM_SET_LAPIC, &lapic);
	pv_eoi = gpa + offsetof(struct irqx_split_data, pv_eoi);
	vcpu_set_msr(vcpu, MSR_PV_EOI, pv_eoi | 1);
	/* They all run at once. */
	vcpu_mp_state_set(vcpu, &runnable);
}

void irqx_split_create(struct irqx_split *split, uint32_t nr, uint32_t rows)
{
	uint32_t i;

	TEST_ASSERT(nr <= IRQX_SPLIT_VCPUS, "%u vCPUs", nr);
	*split = (struct irqx_split){ .vm = vm_create_barebones(), .nr = nr };
	vm_enable_cap(split->vm, KVM_CAP_SPLIT_IRQCHIP, rows);
	vm_enable_cap(split->vm, KVM_CAP_X2APIC_API, KVM_X2APIC_API_USE_32BIT_IDS);
	vm_userspace_mem_region_add(split->vm, VM_MEM_SRC_ANONYMOUS, 0, 0, PAGES, 0);
	put_code(addr_gpa2hva(split->vm, 0));
	for (i = 0; i < nr; i++) {
		split->vcpus[i].split = split;
		vcpu_create(&split->vcpus[i], i);
	}
}

static void vcpu_exit(struct irqx_split *split, struct kvm_run *run)
{
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		if (split->port)
			split->port(split, run->io.port,
				    *((uint8_t *)run + run->io.data_offset));
		break;
	case KVM_EXIT_IOAPIC_EOI:
		if (split->ioapic_eoi)
			split->ioapic_eoi(split, run->eoi.vector);
		break;
	default:
		TEST_FAIL("exit %s", exit_reason_str(run->exit_reason));
	}
}

static void *vcpu_thread(void *arg)
{
	struct irqx_split_vcpu *cpu = container_of((struct irqx_vcpu *)arg,
						   struct irqx_split_vcpu, v);

	while (!READ_ONCE(cpu->v.stop)) {
		if (!__vcpu_run(cpu->v.vcpu))
			vcpu_exit(cpu->split, cpu->v.vcpu->run);
		else
			TEST_ASSERT(errno == EINTR, "KVM_RUN: %s", strerror(errno));
	}
	return NULL;
}

void irqx_split_start(struct irqx_split *split)
{
	uint32_t i;

	for (i = 0; i < split->nr; i++)
		irqx_vcpu_thread_start(&split->vcpus[i].v, vcpu_thread);
}

void irqx_split_stop(struct irqx_split *split)
{
	uint32_t i;

	for (i = 0; i < split->nr; i++)
		irqx_vcpu_thread_stop(&split->vcpus[i].v);
}

void irqx_split_free(struct irqx_split *split)
{
	irqx_split_stop(split);
	kvm_vm_free(split->vm);
}

struct kvm_irq_routing_entry irqx_split_entry(uint32_t vcpu, uint32_t vector)
{
	struct kvm_irq_routing_entry entry = { .type = KVM_IRQ_ROUTING_MSI };

	entry.u.msi.address_lo = APIC_DEFAULT_GPA | vcpu << 12;
	entry.u.msi.data = MSI_LEVEL | vector;
	return entry;
}

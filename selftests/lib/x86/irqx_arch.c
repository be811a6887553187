// SPDX-License-Identifier: GPL-2.0
#include <signal.h>

#include "../arch.h"
#include "hyperv.h"

/* Above the exceptions in use, and in a lower priority class than any irq. */
#define FENCE_VECTOR	31

#define APIC_LDR	0xd0
#define APIC_DFR	0xe0
#define APIC_DFR_FLAT	0xffffffff

#define MSI_ADDRESS		0xfee00000
#define MSI_ADDRESS_LOGICAL	(1 << 2)
#define MSI_ADDRESS_HINT	(1 << 3)

/* The GS base of a vCPU is its struct irqx_cpu: no exit, as rdmsr would be. */
static struct irqx_cpu *this_cpu(void)
{
	struct irqx_cpu *cpu;

	BUILD_BUG_ON(offsetof(struct irqx_cpu, self));
	asm volatile("mov %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

void irqx_guest_count(uint32_t irq)
{
	struct irqx_cpu *cpu = this_cpu();

	WRITE_ONCE(cpu->count[irq], cpu->count[irq] + 1);
	WRITE_ONCE(cpu->total, cpu->total + 1);
}

static void guest_irq(struct ex_regs *regs)
{
	struct irqx_cpu *cpu = this_cpu();

	/*
	 * First the EOI, with interrupts still off: who sees the count may fire
	 * again, and finds the vector neither in service nor pending.
	 */
	if (regs->vector != NMI_VECTOR) {
		if (cpu->flags & IRQX_GUEST_ARCH_XAPIC)
			xapic_write_reg(APIC_EOI, 0);
		else
			wrmsr(APIC_BASE_MSR + (APIC_EOI >> 4), 0);
	}

	if (regs->vector == FENCE_VECTOR)
		WRITE_ONCE(cpu->fences, cpu->fences + 1);
	else
		irqx_guest_count(regs->vector);
}

void irqx_guest_main(void)
{
	struct irqx_cpu *cpu = this_cpu();

	if (cpu->flags & IRQX_GUEST_ARCH_XAPIC) {
		xapic_enable();
		xapic_write_reg(APIC_DFR, APIC_DFR_FLAT);
		xapic_write_reg(APIC_LDR, 1U << (24 + cpu->index));
	} else {
		x2apic_enable();
	}
	WRITE_ONCE(cpu->ready, 1);
	irqx_guest_wait();
}

uint32_t irqx_guest_vcpu(void)
{
	return this_cpu()->index;
}

void irqx_guest_irqs(bool on)
{
	if (on)
		asm volatile("sti" ::: "memory");
	else
		asm volatile("cli" ::: "memory");
}

void irqx_guest_halt(void)
{
	asm volatile("sti; hlt; cli" ::: "memory");
}

void __weak irqx_guest_wait(void)
{
	for (;;)
		irqx_guest_halt();
}

void irqx_arch_vm_init(struct kvm_vm *vm, uint32_t flags)
{
	if (flags & IRQX_GUEST_ARCH_X2APIC_IDS)
		vm_enable_cap(vm, KVM_CAP_X2APIC_API,
			      KVM_X2APIC_API_USE_32BIT_IDS |
			      KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK);
	if (flags & IRQX_GUEST_ARCH_XAPIC)
		virt_pg_map(vm, APIC_DEFAULT_GPA, APIC_DEFAULT_GPA);
	if (flags & IRQX_GUEST_ARCH_DIRTY_RING)
		vm_enable_cap(vm, KVM_CAP_DIRTY_LOG_RING, PAGE_SIZE * 4);
}

void irqx_arch_vcpu_init(struct irqx_vcpu *v)
{
	struct kvm_sregs sregs;

	vcpu_sregs_get(v->vcpu, &sregs);
	sregs.gs.base = v->cpu->self;
	vcpu_sregs_set(v->vcpu, &sregs);
	if (v->cpu->flags & IRQX_GUEST_ARCH_HYPERV)
		vcpu_set_hv_cpuid(v->vcpu);
}

/* In guest memory, by vector. */
static void (*guest_handlers[IRQX_NR_IRQS])(struct ex_regs *regs);

#define RFLAGS_IF	(1 << 9)

/*
 * What QEMU delivers twice (Documentation/testing.rst, section 5) finds interrupts off the second
 * time: the handler was about to begin, and does when this returns.
 */
static void guest_handle(struct ex_regs *regs)
{
	if (regs->rflags & RFLAGS_IF)
		guest_handlers[regs->vector](regs);
}

void irqx_guest_handle(struct kvm_vm *vm, uint32_t vector, void (*handler)(struct ex_regs *regs))
{
	vm_vaddr_t *place = addr_gva2hva(vm, (vm_vaddr_t)&guest_handlers[vector]);

	*place = (vm_vaddr_t)handler;
	vm_install_exception_handler(vm, vector, guest_handle);
}

void irqx_arch_guest_init(struct irqx_guest *g)
{
	uint32_t vector;

	for (vector = FENCE_VECTOR; vector < IRQX_NR_IRQS; vector++)
		irqx_guest_handle(g->vm, vector, guest_irq);
	vm_install_exception_handler(g->vm, NMI_VECTOR, guest_irq);
}

void irqx_arch_guest_free(struct irqx_guest *g)
{
	(void)g;
}

struct kvm_irq_routing_entry irqx_msi_entry(struct irqx_msi msi)
{
	struct kvm_irq_routing_entry entry = { .type = KVM_IRQ_ROUTING_MSI };

	/* Without x2APIC ids KVM does not look at address_hi. */
	entry.u.msi.address_hi = msi.dest & 0xffffff00;
	entry.u.msi.address_lo = MSI_ADDRESS | (msi.dest & 0xff) << 12;
	if (msi.logical)
		entry.u.msi.address_lo |= MSI_ADDRESS_LOGICAL;
	if (msi.hint)
		entry.u.msi.address_lo |= MSI_ADDRESS_HINT;
	entry.u.msi.data = msi.mode | msi.vector;
	return entry;
}

struct kvm_irq_routing_entry irqx_entry(struct irqx_guest *g, uint32_t vcpu,
					uint32_t irq)
{
	return irqx_msi_entry((struct irqx_msi){
		.dest = g->vcpus[vcpu].vcpu->id,
		.vector = irq,
	});
}

struct irqx_vector_message irqx_vector_message(struct irqx_guest *g, uint32_t vcpu, uint32_t irq)
{
	struct kvm_irq_routing_entry entry = irqx_entry(g, vcpu, irq);

	return (struct irqx_vector_message){
		.address = (uint64_t)entry.u.msi.address_hi << 32 | entry.u.msi.address_lo,
		.data = entry.u.msi.data,
	};
}

uint32_t irqx_table_devid(void)
{
	return 0;
}

bool irqx_takes_tables(void)
{
	return true;
}

void irqx_arch_fence(struct irqx_guest *g, uint32_t vcpu)
{
	int ret = irqx_signal_msi(g->vm, irqx_entry(g, vcpu, FENCE_VECTOR));

	/* 0 is coalesced: one is still on its way, then as good as this. */
	TEST_ASSERT(ret >= 0, "KVM_SIGNAL_MSI: %s", strerror(-ret));
}

const struct irqx_pin irqx_bad_pins[] = {
	{ KVM_IRQCHIP_IOAPIC, KVM_IOAPIC_NUM_PINS },
	{ KVM_IRQCHIP_IOAPIC, ~0U },
	{ KVM_IRQCHIP_PIC_MASTER, 8 },
	{ KVM_IRQCHIP_PIC_SLAVE, 8 },
	{ KVM_IRQCHIP_PIC_SLAVE, 1U << 31 },
	{ 3, 0 },
	{ ~0U, 0 },
};

const uint32_t irqx_nr_bad_pins = ARRAY_SIZE(irqx_bad_pins);

struct kvm_irqchip irqx_irqchip_get(struct kvm_vm *vm, uint32_t id)
{
	struct kvm_irqchip chip = { .chip_id = id };

	vm_ioctl(vm, KVM_GET_IRQCHIP, &chip);
	return chip;
}

void irqx_ioapic_set(struct kvm_vm *vm, uint32_t pin, uint64_t redir)
{
	struct kvm_irqchip chip = irqx_irqchip_get(vm, KVM_IRQCHIP_IOAPIC);

	chip.chip.ioapic.redirtbl[pin].bits = redir;
	vm_ioctl(vm, KVM_SET_IRQCHIP, &chip);
}

void irqx_pic_set(struct kvm_vm *vm, uint8_t base)
{
	struct kvm_irqchip chip;
	uint32_t i;

	for (i = 0; i < 2; i++) {
		chip = irqx_irqchip_get(vm, i ? KVM_IRQCHIP_PIC_SLAVE :
						KVM_IRQCHIP_PIC_MASTER);
		chip.chip.pic.irq_base = base + 8 * i;
		chip.chip.pic.imr = 0;
		chip.chip.pic.auto_eoi = 0;
		chip.chip.pic.init_state = 0;
		chip.chip.pic.elcr = 0;
		vm_ioctl(vm, KVM_SET_IRQCHIP, &chip);
	}
}

void irqx_guest_pic_eoi(uint8_t base, uint8_t vector)
{
	const uint8_t eoi = 0x20;

	if (vector >= base + 8)
		asm volatile("outb %0, $0xa0" : : "a"(eoi));
	asm volatile("outb %0, $0x20" : : "a"(eoi));
}

struct kvm_irq_routing_entry irqx_slow_entry(struct irqx_guest *g, uint32_t n,
					     uint32_t vcpu, uint32_t irq)
{
	TEST_ASSERT(n < IRQX_NR_SLOW, "wire %u", n);
	irqx_ioapic_set(g->vm, 16 + n,
			IRQX_IOAPIC_DEST(g->vcpus[vcpu].vcpu->id) | irq);
	return irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 16 + n);
}

void irqx_make_slow(struct irqx_guest *g)
{
	(void)g;
}

void irqx_make_fast(struct irqx_guest *g, uint32_t vcpu, uint32_t irq)
{
	(void)g;
	(void)vcpu;
	(void)irq;
}

struct kvm_irq_routing_entry irqx_wire_entry(struct irqx_guest *g, uint32_t n)
{
	TEST_ASSERT(n < IRQX_NR_WIRES, "wire %u", n);
	irqx_ioapic_set(g->vm, 16 + n, IRQX_IOAPIC_MASKED | IRQX_IOAPIC_LEVEL);
	return irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 16 + n);
}

bool irqx_wire_is_up(struct irqx_guest *g, uint32_t n)
{
	struct kvm_irqchip chip = irqx_irqchip_get(g->vm, KVM_IRQCHIP_IOAPIC);

	return chip.chip.ioapic.irr & 1U << (16 + n);
}

static void get_lapic(struct irqx_guest *g, uint32_t vcpu,
		      struct kvm_lapic_state *lapic)
{
	TEST_ASSERT(!g->vcpus[vcpu].running, "vCPU %u runs", vcpu);
	vcpu_ioctl(g->vcpus[vcpu].vcpu, KVM_GET_LAPIC, lapic);
}

bool irqx_pending(struct irqx_guest *g, uint32_t vcpu, uint32_t irq)
{
	struct kvm_lapic_state lapic;
	uint32_t word;

	get_lapic(g, vcpu, &lapic);
	memcpy(&word, &lapic.regs[APIC_IRR + 0x10 * (irq / 32)], sizeof(word));
	return word & (1U << (irq % 32));
}

void irqx_clear_pending(struct irqx_guest *g, uint32_t vcpu)
{
	struct kvm_lapic_state lapic;
	uint32_t i;

	get_lapic(g, vcpu, &lapic);
	for (i = 0; i < 8; i++)
		memset(&lapic.regs[APIC_IRR + 0x10 * i], 0, sizeof(uint32_t));
	vcpu_ioctl(g->vcpus[vcpu].vcpu, KVM_SET_LAPIC, &lapic);
}

void irqx_irqchip_create(struct kvm_vm *vm)
{
	vm_ioctl(vm, KVM_CREATE_IRQCHIP, NULL);
}

/* An SMI where SMM has no memory, as in any VM of the harness, kills the VM. */
static void interrupt(int sig)
{
	(void)sig;
}

bool irqx_kill_vm(struct irqx_guest *g)
{
	struct sigaction action = { .sa_handler = interrupt };
	struct kvm_irq_routing_entry smi = irqx_msi_entry((struct irqx_msi){
		.dest = g->vcpus[0].vcpu->id,
		.mode = APIC_DM_SMI,
	});

	irqx_signal_msi(g->vm, smi);
	g->vcpus[0].vcpu->run->immediate_exit = 0;
	/* Should the guest survive, it halts. */
	sigaction(SIGALRM, &action, NULL);
	alarm(1);
	return __vcpu_run(g->vcpus[0].vcpu) && errno == EIO &&
	       __vm_ioctl(g->vm, KVM_CHECK_EXTENSION, NULL) && errno == EIO;
}

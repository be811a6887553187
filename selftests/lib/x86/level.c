// SPDX-License-Identifier: GPL-2.0
/*
 * See irqx_level.h.
 */
#include <fcntl.h>

#include "irqx_level.h"

#define OP_VECTOR	0xfe

#define IOAPIC_GPA	0xfec00000
#define IOAPIC_SELECT	0x00
#define IOAPIC_WINDOW	0x10
#define IOAPIC_REDIR(pin)	(0x10 + 2 * (pin))

#define APIC_LVT0	0x350

#define PIC_MASTER	0x20
#define PIC_SLAVE	0xa0
#define PIC_ELCR	0x4d0
#define PIC_ICW1	0x11
#define PIC_EOI		0x20

/* In guest memory. */
struct mailbox {
	uint64_t where;
	uint64_t what;
	uint32_t op;
	uint32_t done;
	uint8_t hold[IRQX_NR_IRQS];
	uint8_t pic;			/* the PIC has vectors */
	uint8_t pic_eoi;		/* and wants to be told */
};

/* The guest's address of it; each VM has its own copy of this variable. */
static struct mailbox *mailbox;

static struct irqx_cpu *this_cpu(void)
{
	struct irqx_cpu *cpu;

	asm volatile("mov %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

static void outb(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a"(value), "d"(port) : "memory");
}

static uint8_t inb(uint16_t port)
{
	uint8_t value;

	asm volatile("inb %1, %0" : "=a"(value) : "d"(port) : "memory");
	return value;
}

static volatile uint32_t *ioapic_reg(uint32_t offset)
{
	return (volatile uint32_t *)(uintptr_t)(IOAPIC_GPA + offset);
}

static void apic_eoi(void)
{
	wrmsr(APIC_BASE_MSR + (APIC_EOI >> 4), 0);
}

static void guest_op(struct ex_regs *regs)
{
	struct mailbox *m = mailbox;

	(void)regs;
	/* Else an EOI that was asked for would be of this vector. */
	apic_eoi();

	switch (m->op) {
	case IRQX_OP_EOI:
		apic_eoi();
		break;
	case IRQX_OP_OUTB:
		outb(m->where, m->what);
		break;
	case IRQX_OP_INB:
		m->what = inb(m->where);
		break;
	case IRQX_OP_WRMSR:
		wrmsr(m->where, m->what);
		break;
	case IRQX_OP_RDMSR:
		m->what = rdmsr(m->where);
		break;
	case IRQX_OP_IOAPIC_WRITE:
		*ioapic_reg(IOAPIC_SELECT) = m->where;
		*ioapic_reg(IOAPIC_WINDOW) = m->what;
		break;
	case IRQX_OP_IOAPIC_READ:
		*ioapic_reg(IOAPIC_SELECT) = m->where;
		m->what = *ioapic_reg(IOAPIC_WINDOW);
		break;
	}
	__atomic_store_n(&m->done, 1, __ATOMIC_RELEASE);
}

static void guest_level(struct ex_regs *regs)
{
	struct irqx_cpu *cpu = this_cpu();
	struct mailbox *m = mailbox;
	uint32_t vector = regs->vector;
	bool pic = m->pic && vector >= IRQX_PIC_BASE &&
		   vector < IRQX_PIC_BASE + 16;

	/* The EOI first, as irqx_util.h's handler does and for its reason. */
	if (!READ_ONCE(m->hold[vector])) {
		if (!pic)
			apic_eoi();
		if (pic && m->pic_eoi && vector >= IRQX_PIC_BASE + 8)
			outb(PIC_SLAVE, PIC_EOI);
		if (pic && m->pic_eoi)
			outb(PIC_MASTER, PIC_EOI);
	}
	WRITE_ONCE(cpu->count[vector], cpu->count[vector] + 1);
	WRITE_ONCE(cpu->total, cpu->total + 1);
}

/*
 * The host's side
 */

static struct mailbox *host_mailbox(struct irqx_guest *g)
{
	vm_vaddr_t gva = *(vm_vaddr_t *)addr_gva2hva(g->vm, (vm_vaddr_t)&mailbox);

	return addr_gva2hva(g->vm, gva);
}

void irqx_ops_init(struct irqx_guest *g)
{
	vm_vaddr_t gva = vm_vaddr_alloc_page(g->vm);

	BUILD_BUG_ON(sizeof(struct mailbox) > PAGE_SIZE);
	*(vm_vaddr_t *)addr_gva2hva(g->vm, (vm_vaddr_t)&mailbox) = gva;
	virt_pg_map(g->vm, IOAPIC_GPA, IOAPIC_GPA);
	irqx_guest_handle(g->vm, OP_VECTOR, guest_op);
}

uint64_t irqx_do(struct irqx_guest *g, uint32_t vcpu, enum irqx_op op,
		 uint64_t where, uint64_t what)
{
	struct mailbox *m = host_mailbox(g);
	int ret;

	m->op = op;
	m->where = where;
	m->what = what;
	__atomic_store_n(&m->done, 0, __ATOMIC_RELEASE);
	ret = irqx_signal_msi(g->vm, irqx_entry(g, vcpu, OP_VECTOR));
	TEST_ASSERT(ret > 0, "KVM_SIGNAL_MSI: %d", ret);
	TEST_ASSERT(irqx_wait_until(__atomic_load_n(&m->done, __ATOMIC_ACQUIRE),
				    IRQX_TIMEOUT_MS),
		    "vCPU %u does not do operation %u", vcpu, op);
	return m->what;
}

struct irqx_guest *irqx_level_guest(uint32_t nr_vcpus)
{
	struct irqx_guest *g = irqx_guest_create(nr_vcpus);
	uint32_t vector;

	irqx_ops_init(g);
	for (vector = IRQX_LEVEL_VECTOR_MIN; vector <= IRQX_LEVEL_VECTOR_MAX;
	     vector++)
		irqx_guest_handle(g->vm, vector, guest_level);
	irqx_guest_start(g);
	return g;
}

void irqx_hold(struct irqx_guest *g, uint32_t vector, bool hold)
{
	WRITE_ONCE(host_mailbox(g)->hold[vector], hold);
}

/*
 * Pins of the IOAPIC
 */

static void redir_write(struct irqx_guest *g, uint32_t pin, bool high,
			uint32_t value)
{
	irqx_do(g, 0, IRQX_OP_IOAPIC_WRITE, IOAPIC_REDIR(pin) + high, value);
}

void irqx_pin_set(struct irqx_guest *g, uint32_t pin, uint64_t redir)
{
	redir_write(g, pin, true, redir >> 32);
	redir_write(g, pin, false, redir);
}

void irqx_pin_mask(struct irqx_guest *g, uint32_t pin, bool masked)
{
	uint32_t low = irqx_do(g, 0, IRQX_OP_IOAPIC_READ, IOAPIC_REDIR(pin), 0);

	low &= ~IRQX_IOAPIC_MASKED;
	redir_write(g, pin, false, low | (masked ? IRQX_IOAPIC_MASKED : 0));
}

void irqx_pin_level(struct irqx_guest *g, uint32_t pin, uint8_t vector)
{
	irqx_pin_set(g, pin, IRQX_IOAPIC_LEVEL | vector);
}

uint32_t irqx_ioapic_irr(struct kvm_vm *vm)
{
	return irqx_irqchip_get(vm, KVM_IRQCHIP_IOAPIC).chip.ioapic.irr;
}

bool irqx_pin_is_up(struct kvm_vm *vm, uint32_t pin)
{
	return irqx_ioapic_irr(vm) & 1 << pin;
}

bool irqx_pin_remote_irr(struct kvm_vm *vm, uint32_t pin)
{
	struct kvm_irqchip chip = irqx_irqchip_get(vm, KVM_IRQCHIP_IOAPIC);

	return chip.chip.ioapic.redirtbl[pin].fields.remote_irr;
}

/*
 * The PIC
 */

void irqx_pic_init(struct irqx_guest *g, uint16_t level, uint16_t masked,
		   uint32_t flags)
{
	const struct {
		uint16_t port;
		uint8_t value;
	} writes[] = {
		{ PIC_MASTER, PIC_ICW1 },
		{ PIC_MASTER + 1, IRQX_PIC_BASE },
		{ PIC_MASTER + 1, 1 << 2 },
		{ PIC_MASTER + 1, flags & IRQX_PIC_AUTO_EOI ? 3 : 1 },
		{ PIC_SLAVE, PIC_ICW1 },
		{ PIC_SLAVE + 1, IRQX_PIC_BASE + 8 },
		{ PIC_SLAVE + 1, 2 },
		{ PIC_SLAVE + 1, flags & IRQX_PIC_AUTO_EOI ? 3 : 1 },
		{ PIC_ELCR, level },
		{ PIC_ELCR + 1, level >> 8 },
		{ PIC_SLAVE + 1, masked >> 8 },
		{ PIC_MASTER + 1, masked },
	};
	struct mailbox *m = host_mailbox(g);
	uint32_t i;

	WRITE_ONCE(m->pic, 1);
	WRITE_ONCE(m->pic_eoi, !(flags & IRQX_PIC_AUTO_EOI));
	irqx_do(g, 0, IRQX_OP_WRMSR, APIC_BASE_MSR + (APIC_LVT0 >> 4),
		APIC_DM_EXTINT);
	for (i = 0; i < ARRAY_SIZE(writes); i++)
		irqx_do(g, 0, IRQX_OP_OUTB, writes[i].port, writes[i].value);
}

void irqx_pic_eoi(struct irqx_guest *g, uint32_t pin)
{
	if (pin >= 8)
		irqx_do(g, 0, IRQX_OP_OUTB, PIC_SLAVE, PIC_EOI);
	irqx_do(g, 0, IRQX_OP_OUTB, PIC_MASTER, PIC_EOI);
}

struct kvm_irq_routing_entry irqx_pic_entry(uint32_t pin)
{
	return irqx_pin_entry(pin < 8 ? KVM_IRQCHIP_PIC_MASTER :
					KVM_IRQCHIP_PIC_SLAVE, pin % 8);
}

bool irqx_pic_is_up(struct kvm_vm *vm, uint32_t pin)
{
	struct kvm_irqchip chip;

	chip = irqx_irqchip_get(vm, pin < 8 ? KVM_IRQCHIP_PIC_MASTER :
					      KVM_IRQCHIP_PIC_SLAVE);
	return chip.chip.pic.irr & 1 << pin % 8;
}

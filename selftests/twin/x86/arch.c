// SPDX-License-Identifier: GPL-2.0
/*
 * Pins of IOAPIC and PIC, MSIs and SINTs.  See ../twin.h.
 */
#include "../twin.h"
#include "hyperv.h"
#include "irqx_synic.h"

#define IOAPIC_GPA	0xfec00000
#define IOAPIC_REDIR(pin)	(0x10 + 2 * (pin))
#define PIC1	0x20
#define PIC2	0xa0
#define PIC_EOI		0x20
#define PIC_BASE	0x30
#define APIC_LVT0	0x350
#define X2APIC_EOI	(APIC_BASE_MSR + (APIC_EOI >> 4))
#define APIC_TMR	0x180
#define NR_PIC_PINS	16
#define PIC_LEVEL	(1 << 5 | 1 << 10)	/* pins that are level-triggered */

/* On both sides KVM's own, edge, to a vCPU that never runs. */
#define SENTINEL_PIN	23
#define SENTINEL_VCPU	TWIN_VCPUS
#define SENTINEL_VECTOR	0x99

#define IOAPIC(pin)	(1ULL << (pin))
#define PIC(pin)	(1ULL << (KVM_IOAPIC_NUM_PINS + (pin)))
#define SINT_LINE(n)	(1ULL << (40 + (n)))

#define MSI(vcpu, vector)	{ KVM_IRQ_ROUTING_MSI, vcpu, vector }
#define PIN(chip, pin)		{ KVM_IRQ_ROUTING_IRQCHIP, chip, pin }
#define SINT(vcpu, sint)	{ KVM_IRQ_ROUTING_HV_SINT, vcpu, sint }

#define ON_IOAPIC(pin)							\
	{ "ioapic" #pin, 1, { PIN(KVM_IRQCHIP_IOAPIC, pin) }, IOAPIC(pin),	\
	  false, false }
#define ON_PIC(pin, chip, n)	{ "pic" #pin, 1, { PIN(chip, n) }, PIC(pin), false, false }
#define ON_BOTH(pin, chip, n)						\
	{ "both" #pin, 2, { PIN(chip, n), PIN(KVM_IRQCHIP_IOAPIC, pin) },		\
	  PIC(pin) | IOAPIC(pin), false, false }

const struct twin_target twin_targets[] = {
	ON_IOAPIC(16),
	ON_IOAPIC(17),
	ON_IOAPIC(18),
	ON_IOAPIC(8),
	ON_PIC(5, KVM_IRQCHIP_PIC_MASTER, 5),
	ON_PIC(3, KVM_IRQCHIP_PIC_MASTER, 3),
	ON_PIC(11, KVM_IRQCHIP_PIC_SLAVE, 3),
	ON_BOTH(10, KVM_IRQCHIP_PIC_SLAVE, 2),
	ON_BOTH(4, KVM_IRQCHIP_PIC_MASTER, 4),
	{ "msi0", 1, { MSI(0, 0x52) }, 0, true, true },
	{ "msi1", 1, { MSI(1, 0x71) }, 0, true, true },
	{ "sint0", 1, { SINT(0, 2) }, SINT_LINE(0), false, true },
	{ "sint1", 1, { SINT(1, 3) }, SINT_LINE(1), false, true },
};

const uint32_t twin_nr_targets = ARRAY_SIZE(twin_targets);

const uint32_t twin_guest_flags = IRQX_GUEST_ARCH_HYPERV;
const uint32_t twin_guest_vcpus = TWIN_VCPUS + 1;
const bool twin_one_level;	/* false: KVM keeps one for each source */

static const uint8_t vectors[] = { 0x50, 0x51, 0x60, 0x70, 0x81 };

static const uint8_t held[] = {
	0x50, 0x51, 0x60, 0x70, 0x81, 0x52, 0x71, 0x62, 0x63,
	PIC_BASE + 3, PIC_BASE + 4, PIC_BASE + 5, PIC_BASE + 10, PIC_BASE + 11,
};

static const uint8_t ioapic_pins[] = { 4, 8, 10, 16, 17, 18 };
static const uint8_t pic_pins[] = { 3, 4, 5, 10, 11 };

/*
 * The guest
 */

enum { OP_WRMSR = 1, OP_OUTB, OP_IOAPIC_WRITE, OP_IOAPIC_READ };

uint32_t twin_guest_vcpu(void)
{
	uint32_t vcpu;

	asm volatile("movl %%gs:%c1, %0" : "=r"(vcpu)
		     : "i"(offsetof(struct irqx_cpu, index)));
	return vcpu;
}

static void guest_irq(struct ex_regs *regs)
{
	uint32_t vector = regs->vector;

	if (!twin_guest_taken(&twin_cpus[twin_guest_vcpu()], vector))
		return;
	if (vector >= PIC_BASE && vector < PIC_BASE + NR_PIC_PINS)
		irqx_guest_pic_eoi(PIC_BASE, vector);
	else
		wrmsr(X2APIC_EOI, 0);
}

void twin_guest_start(uint32_t vcpu)
{
	/* The PIC's interrupts are for the first. */
	if (!vcpu)
		wrmsr(APIC_BASE_MSR + (APIC_LVT0 >> 4), APIC_DM_EXTINT);
}

void twin_guest_take(void)
{
	asm volatile("sti; nop; nop; cli" ::: "memory");
}

void twin_guest_op(struct twin_cpu *cpu)
{
	volatile uint32_t *ioapic = (volatile uint32_t *)IOAPIC_GPA;

	switch (cpu->op) {
	case OP_WRMSR:
		wrmsr(cpu->where, cpu->what);
		break;
	case OP_OUTB:
		asm volatile("outb %0, %1" : : "a"((uint8_t)cpu->what),
			     "d"((uint16_t)cpu->where));
		break;
	case OP_IOAPIC_WRITE:
		ioapic[0] = cpu->where;
		ioapic[4] = cpu->what;
		break;
	case OP_IOAPIC_READ:
		ioapic[0] = cpu->where;
		cpu->what = ioapic[4];
		break;
	}
}

/*
 * Operations
 */

static struct kvm_irqchip irqchip(struct twin *twin, uint32_t id)
{
	return irqx_irqchip_get(twin->g->vm, id);
}

static int set_irqchip(struct twin *twin, struct kvm_irqchip *chip)
{
	vm_ioctl(twin->g->vm, KVM_SET_IRQCHIP, chip);
	return 0;
}

static uint32_t with_bit(uint32_t bits, uint32_t n, bool set)
{
	return set ? bits | 1U << n : bits & ~(1U << n);
}

static int op_eoi(struct twin *twin, const int *arg)
{
	return twin_do(twin, arg[0], OP_WRMSR, X2APIC_EOI, 0);
}

/* Low half, with the mask or not, and the vCPU. */
static int op_rte(struct twin *twin, const int *arg)
{
	twin_do(twin, 0, OP_IOAPIC_WRITE, IOAPIC_REDIR(arg[0]) + 1, arg[2] << 24);
	return twin_do(twin, 0, OP_IOAPIC_WRITE, IOAPIC_REDIR(arg[0]), arg[1]);
}

static int op_mask(struct twin *twin, const int *arg)
{
	uint32_t low = twin_run(twin, 0, OP_IOAPIC_READ, IOAPIC_REDIR(arg[0]), 0,
				false);

	low &= ~IRQX_IOAPIC_MASKED;
	return twin_do(twin, 0, OP_IOAPIC_WRITE, IOAPIC_REDIR(arg[0]),
			low | (arg[1] ? IRQX_IOAPIC_MASKED : 0));
}

static int op_pic_eoi(struct twin *twin, const int *arg)
{
	return twin_do(twin, 0, OP_OUTB, arg[0] ? PIC2 : PIC1, PIC_EOI);
}

static int op_pic_mask(struct twin *twin, const int *arg)
{
	return twin_do(twin, 0, OP_OUTB, (arg[0] ? PIC2 : PIC1) + 1,
			arg[1]);
}

static int op_eom(struct twin *twin, const int *arg)
{
	return twin_do(twin, arg[0], OP_WRMSR, HV_X64_MSR_EOM, 0);
}

static uint32_t sint_of(uint32_t vcpu)
{
	return 2 + vcpu;
}

static int op_sint(struct twin *twin, const int *arg)
{
	uint32_t sint = sint_of(arg[0]);

	return twin_do(twin, arg[0], OP_WRMSR, HV_X64_MSR_SINT0 + sint,
			(IRQX_SINT_VECTOR + sint) | (arg[1] ? IRQX_SINT_MASKED : 0));
}

/* Migration: what was read is written back, with a pin up or down. */
static int op_set_up(struct twin *twin, const int *arg)
{
	struct kvm_irqchip chip = irqchip(twin, KVM_IRQCHIP_IOAPIC);

	chip.chip.ioapic.irr = with_bit(chip.chip.ioapic.irr, arg[0], arg[1]);
	return set_irqchip(twin, &chip);
}

static int op_pic_set_up(struct twin *twin, const int *arg)
{
	struct kvm_irqchip chip = irqchip(twin, arg[0] / 8);

	chip.chip.pic.irr = with_bit(chip.chip.pic.irr, arg[0] % 8, arg[1]);
	return set_irqchip(twin, &chip);
}

static int op_restore(struct twin *twin, const int *arg)
{
	struct kvm_irqchip chip;
	uint32_t id;

	(void)arg;
	for (id = 0; id < 3; id++) {
		chip = irqchip(twin, id);
		set_irqchip(twin, &chip);
	}
	return 0;
}

#define one_of(random, array)	(array)[irqx_random_below(random, ARRAY_SIZE(array))]

static void choose_hold(struct irqx_random *random, int *arg)
{
	arg[0] = one_of(random, held);
	arg[1] = !irqx_random_below(random, 3);
}

static void choose_rte(struct irqx_random *random, int *arg)
{
	arg[0] = one_of(random, ioapic_pins);
	arg[1] = one_of(random, vectors);
	if (irqx_random_below(random, 4))
		arg[1] |= IRQX_IOAPIC_LEVEL;
	if (!irqx_random_below(random, 4))
		arg[1] |= IRQX_IOAPIC_MASKED;
	arg[2] = irqx_random_below(random, TWIN_VCPUS);
}

static void choose_pin_and_bit(struct irqx_random *random, int *arg)
{
	arg[0] = one_of(random, ioapic_pins);
	arg[1] = irqx_random_below(random, 2);
}

static void choose_pic_mask(struct irqx_random *random, int *arg)
{
	arg[0] = irqx_random_below(random, 2);
	arg[1] = irqx_random_below(random, 3) ? 0 : irqx_random_below(random, 256);
}

static void choose_pic_set_up(struct irqx_random *random, int *arg)
{
	arg[0] = one_of(random, pic_pins);
	arg[1] = irqx_random_below(random, 2);
}

static void choose_sint(struct irqx_random *random, int *arg)
{
	arg[0] = irqx_random_below(random, TWIN_VCPUS);
	arg[1] = !irqx_random_below(random, 3);
}

static uint64_t pin_of(const int *arg)
{
	return IOAPIC(arg[0]);
}

const struct twin_op_kind twin_arch_ops[] = {
	{ "hold", 6, 2, twin_op_hold, choose_hold, NULL, false },
	{ "eoi", 12, 1, op_eoi, twin_choose_vcpu, NULL, true },
	{ "rte", 8, 3, op_rte, choose_rte, pin_of, false },
	{ "mask", 8, 2, op_mask, choose_pin_and_bit, pin_of, false },
	{ "pic_eoi", 4, 1, op_pic_eoi, twin_choose_vcpu, NULL, false },
	{ "pic_mask", 2, 2, op_pic_mask, choose_pic_mask, NULL, false },
	{ "eom", 3, 1, op_eom, twin_choose_vcpu, NULL, false },
	{ "sint", 2, 2, op_sint, choose_sint, NULL, false },
	{ "set_up", 3, 2, op_set_up, choose_pin_and_bit, NULL, false },
	{ "pic_set_up", 2, 2, op_pic_set_up, choose_pic_set_up, NULL, false },
	{ "restore", 1, 0, op_restore, NULL, NULL, false },
};

const uint32_t twin_nr_arch_ops = ARRAY_SIZE(twin_arch_ops);

/*
 * The VM
 */

struct kvm_irq_routing_entry twin_entry(struct twin *twin, uint32_t target,
					uint32_t n)
{
	const struct twin_target *t = &twin_targets[target];
	struct kvm_irq_routing_entry entry = { .type = t->entries[n].type };

	switch (entry.type) {
	case KVM_IRQ_ROUTING_MSI:
		return irqx_entry(twin->g, t->entries[n].a, t->entries[n].b);
	case KVM_IRQ_ROUTING_IRQCHIP:
		return irqx_pin_entry(t->entries[n].a, t->entries[n].b);
	default:
		entry.u.hv_sint.vcpu = t->entries[n].a;
		entry.u.hv_sint.sint = t->entries[n].b;
		return entry;
	}
}

int twin_line(struct twin *twin, int gsi, uint32_t level, int *status)
{
	struct kvm_irq_level line = { .irq = TWIN_GSI(gsi), .level = level };
	int err = __irqx_ioctl(twin->file, KVM_IRQ_LINE_STATUS, &line);

	*status = (int)line.status;
	return err;
}

uint32_t twin_own_entries(struct kvm_irq_routing_entry *entries)
{
	entries[0] = irqx_pin_entry(KVM_IRQCHIP_IOAPIC, SENTINEL_PIN);
	entries[0].gsi = SENTINEL_PIN;
	return 1;
}

/*
 * The module's VM has the table that KVM makes, KVM's only what is tried, or a pin
 * would have two GSIs there.
 */
void twin_arch_init(struct twin *twin)
{
	struct irqx_guest *g = twin->g;
	struct kvm_irqchip chip;
	uint32_t i;

	for (i = 32; i < 256; i++)
		irqx_guest_handle(g->vm, i, guest_irq);
	virt_pg_map(g->vm, IOAPIC_GPA, IOAPIC_GPA);
	irqx_pic_set(g->vm, PIC_BASE);
	for (i = 0; i < 2; i++) {
		chip = irqchip(twin, i);
		chip.chip.pic.elcr = PIC_LEVEL >> 8 * i;
		set_irqchip(twin, &chip);
	}
	for (i = 0; i < TWIN_VCPUS; i++) {
		vcpu_enable_cap(g->vcpus[i].vcpu, KVM_CAP_HYPERV_SYNIC2, 0);
		vcpu_set_msr(g->vcpus[i].vcpu, HV_X64_MSR_SCONTROL, 1);
		vcpu_set_msr(g->vcpus[i].vcpu, HV_X64_MSR_SINT0 + sint_of(i),
			     IRQX_SINT_VECTOR + sint_of(i));
	}

	irqx_ioapic_set(g->vm, SENTINEL_PIN,
			IRQX_IOAPIC_DEST(SENTINEL_VCPU) | SENTINEL_VECTOR);
	twin->sentinel = irqx_eventfd(0, 0);
	irqx_irqfd(g->vm->fd, twin->sentinel, SENTINEL_PIN, 0);
}

void twin_arch_free(struct twin *twin)
{
	close(twin->sentinel);
}

static uint64_t apic_bits(const struct kvm_lapic_state *lapic, uint32_t reg,
			  uint32_t n)
{
	uint32_t low, high;

	memcpy(&low, &lapic->regs[reg + 0x20 * n], sizeof(low));
	memcpy(&high, &lapic->regs[reg + 0x20 * n + 0x10], sizeof(high));
	return (uint64_t)high << 32 | low;
}

/*
 * KVM's irqfds that may sleep are works of one queue, of this CPU, in order.  In both VMs:
 * when a local APIC is set KVM looks again whose EOIs it has to see.
 */
void twin_settle(struct twin *twin)
{
	struct kvm_vcpu *vcpu = twin->g->vcpus[SENTINEL_VCPU].vcpu;
	const uint64_t bit = 1ULL << SENTINEL_VECTOR % 64;
	struct kvm_lapic_state lapic;

	irqx_fire(twin->sentinel);
	TEST_ASSERT(irqx_wait_until((vcpu_ioctl(vcpu, KVM_GET_LAPIC, &lapic),
				     apic_bits(&lapic, APIC_IRR,
					       SENTINEL_VECTOR / 64) & bit),
				    IRQX_TIMEOUT_MS), "KVM's irqfds do nothing");
	irqx_clear_pending(twin->g, SENTINEL_VCPU);
}

#define WORDS_IOAPIC	0
#define WORDS_IRR	(WORDS_IOAPIC + KVM_IOAPIC_NUM_PINS)
#define WORDS_PIC	(WORDS_IRR + 1)
#define WORDS_APIC	(WORDS_PIC + 4)
#define WORDS_PER_APIC	12

void twin_look(struct twin *twin, uint64_t *words)
{
	struct kvm_lapic_state lapic;
	struct kvm_irqchip chip;
	uint64_t *apic;
	uint32_t i, k;

	BUILD_BUG_ON(WORDS_APIC + TWIN_VCPUS * WORDS_PER_APIC > TWIN_WORDS);
	BUILD_BUG_ON(sizeof(chip.chip.pic) != 16);

	chip = irqchip(twin, KVM_IRQCHIP_IOAPIC);
	for (i = 0; i < SENTINEL_PIN; i++)
		words[WORDS_IOAPIC + i] = chip.chip.ioapic.redirtbl[i].bits;
	words[WORDS_IRR] = chip.chip.ioapic.irr & ~(1 << SENTINEL_PIN);
	for (i = 0; i < 2; i++) {
		chip = irqchip(twin, i);
		memcpy(&words[WORDS_PIC + 2 * i], &chip.chip.pic, 16);
	}
	for (i = 0; i < TWIN_VCPUS; i++) {
		vcpu_ioctl(twin->g->vcpus[i].vcpu, KVM_GET_LAPIC, &lapic);
		apic = words + WORDS_APIC + i * WORDS_PER_APIC;
		for (k = 0; k < 4; k++) {
			apic[k] = apic_bits(&lapic, APIC_IRR, k);
			apic[4 + k] = apic_bits(&lapic, APIC_ISR, k);
			apic[8 + k] = apic_bits(&lapic, APIC_TMR, k);
		}
	}
}

void twin_name_word(uint32_t n, char *name, size_t size)
{
	static const char *const regs[] = { "IRR", "ISR", "TMR" };

	if (n < WORDS_IRR)
		snprintf(name, size, "redirection entry of pin %u", n);
	else if (n == WORDS_IRR)
		snprintf(name, size, "IOAPIC's IRR");
	else if (n < WORDS_APIC)
		snprintf(name, size, "PIC %u, bytes from %u", (n - WORDS_PIC) / 2,
			 (n - WORDS_PIC) % 2 * 8);
	else
		snprintf(name, size, "vCPU %u's %s from 0x%x",
			 (n - WORDS_APIC) / WORDS_PER_APIC,
			 regs[(n - WORDS_APIC) % WORDS_PER_APIC / 4],
			 (n - WORDS_APIC) % 4 * 64);
}

uint64_t twin_lines_up(const uint64_t *words)
{
	uint64_t lines = words[WORDS_IRR], rte;
	uint32_t i;

	/* An edge that has been delivered is up, or may be: KVM does not say. */
	for (i = 0; i < SENTINEL_PIN; i++) {
		rte = words[WORDS_IOAPIC + i];
		if (!(rte & IRQX_IOAPIC_LEVEL) && rte != IRQX_IOAPIC_MASKED)
			lines |= IOAPIC(i);
	}
	for (i = 0; i < 2; i++)
		lines |= (words[WORDS_PIC + 2 * i] >> 8 & 0xff) << (24 + 8 * i);
	return lines;
}

uint64_t twin_lines_from_levels(const uint64_t *words)
{
	uint64_t lines = 0, rte;
	uint32_t pin, vector, i;
	const uint64_t *apic;

	for (pin = 0; pin < SENTINEL_PIN; pin++) {
		rte = words[WORDS_IOAPIC + pin];
		vector = rte & 0xff;
		for (i = 0; i < TWIN_VCPUS && !(rte & IRQX_IOAPIC_LEVEL); i++) {
			apic = words + WORDS_APIC + i * WORDS_PER_APIC + vector / 64;
			if ((apic[0] | apic[4]) & apic[8] & 1ULL << vector % 64)
				lines |= IOAPIC(pin);
		}
	}
	return lines;
}

uint64_t twin_lines_of_levels(const uint64_t *words)
{
	(void)words;
	return 0;
}

uint64_t twin_lines_that_may_end(const uint64_t *words, uint32_t vcpu, bool run)
{
	(void)words;
	(void)vcpu;
	(void)run;
	return 0;
}

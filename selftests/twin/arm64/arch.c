// SPDX-License-Identifier: GPL-2.0
/*
 * SPIs, edges and levels, and LPIs, of a VGICv3 with an ITS.  See ../twin.h.
 *
 * An SPI has the number of its pin here, also where its interrupts are noted; an LPI that
 * of irqx_entry().
 */
#include "../twin.h"
#include "gic_v3.h"

/* Pins: one register has a bit for each, and one two bits.  The lib makes them levels. */
#define FIRST_PIN	IRQX_LEVEL_PIN
#define NR_PINS		7
#define FIRST_INTID	(MIN_SPI + FIRST_PIN)
#define PINS		((1U << NR_PINS) - 1)
#define BIT_OF(pin)	(1U << ((pin) - FIRST_PIN))
#define LINE(pin)	((uint64_t)BIT_OF(pin))
#define EDGE_OF(pin)	(2U << 2 * ((pin) - FIRST_PIN))

/* Of two pins each, and of the last one; LPIs have that of the first two. */
#define PRIORITIES	{ 0x9898a0a0, 0xa0889090 }

/* The n-th vCPU has this one. */
#define FIRST_LPI	8192
#define LPI(n)		(0x30 + (n))

#define BIT_REG(reg)	((reg) + FIRST_INTID / 8)
#define CONFIG_REG	(GICD_ICFGR + FIRST_INTID / 4)
#define GICD_ADDRESS(reg)	((uint64_t)GICD_BASE_GVA + (reg))

#define SPI(pin)							\
	{ "spi" #pin, 1, { { KVM_IRQ_ROUTING_IRQCHIP, 0, pin } }, LINE(pin), false, false }
#define MSI(n)								\
	{ "lpi" #n, 1, { { KVM_IRQ_ROUTING_MSI, n, LPI(n) } }, 0, true, true }

const struct twin_target twin_targets[] = {
	SPI(64), SPI(65), SPI(66), SPI(67), SPI(68), SPI(69), SPI(70), MSI(0), MSI(1),
};

const uint32_t twin_nr_targets = ARRAY_SIZE(twin_targets);

const uint32_t twin_guest_flags;
const uint32_t twin_guest_vcpus = TWIN_VCPUS;
const bool twin_one_level = true;

/*
 * The guest
 */

enum { OP_EOI = 1, OP_READL, OP_WRITEL, OP_WRITEQ };

/* What it has taken and not ended: one of each priority, and room. */
static struct begun {
	uint32_t nr;
	uint32_t intids[8];
} begun[TWIN_VCPUS];

/* Return: an INTID, or 0. */
static uint32_t last_begun(const struct begun *begun)
{
	return begun->nr ? begun->intids[begun->nr - 1] : 0;
}

uint32_t twin_guest_vcpu(void)
{
	return ((struct irqx_cpu *)read_sysreg(tpidrro_el0))->index;
}

/* KVM looks at what the guest has taken and ended. */
static void guest_exit(void)
{
	readl(GICD_BASE_GVA + GICD_TYPER);
}

static uint32_t number_of(uint32_t intid)
{
	return intid < FIRST_LPI ? intid - MIN_SPI :
				   (intid - FIRST_LPI) % (IRQX_IRQ_MAX + 1);
}

/*
 * From 6.19 on KVM tells of an EOI only if it has seen the interrupt active
 * (Documentation/kernels.rst section 5), so there is an exit before it.
 */
static void guest_irq(struct ex_regs *regs)
{
	uint32_t vcpu = twin_guest_vcpu(), intid = gic_get_and_ack_irq();

	(void)regs;
	if (intid == IAR_SPURIOUS)
		return;
	guest_exit();
	if (twin_guest_taken(&twin_cpus[vcpu], number_of(intid))) {
		gic_set_eoi(intid);
		guest_exit();
		return;
	}
	GUEST_ASSERT(begun[vcpu].nr < ARRAY_SIZE(begun[vcpu].intids));
	begun[vcpu].intids[begun[vcpu].nr++] = intid;
}

void twin_guest_start(uint32_t vcpu)
{
	(void)vcpu;
}

void twin_guest_take(void)
{
	local_irq_enable();
	isb();
	local_irq_disable();
}

/* The harness's writeq() cannot take a 0 that the compiler knows. */
static __attribute__((noipa)) void guest_writeq(uint64_t value, volatile void *where)
{
	writeq(value, where);
}

void twin_guest_op(struct twin_cpu *cpu)
{
	volatile void *where = (volatile void *)cpu->where;
	uint32_t vcpu = twin_guest_vcpu();

	switch (cpu->op) {
	case OP_EOI:
		if (begun[vcpu].nr)
			gic_set_eoi(begun[vcpu].intids[--begun[vcpu].nr]);
		break;
	case OP_READL:
		cpu->what = readl(where);
		break;
	case OP_WRITEL:
		writel(cpu->what, where);
		break;
	case OP_WRITEQ:
		guest_writeq(cpu->what, where);
		break;
	}
}

/*
 * Operations of the guest
 */

static int guest_write(struct twin *twin, uint32_t reg, uint32_t what)
{
	return twin_do(twin, 0, OP_WRITEL, GICD_ADDRESS(reg), what);
}

/* Of what the vCPU has taken last and not ended. */
static int op_eoi(struct twin *twin, const int *arg)
{
	return twin_do(twin, arg[0], OP_EOI, 0, 0);
}

static int op_mask(struct twin *twin, const int *arg)
{
	return guest_write(twin, BIT_REG(arg[1] ? GICD_ICENABLER : GICD_ISENABLER),
			   BIT_OF(arg[0]));
}

static int op_edge(struct twin *twin, const int *arg)
{
	uint32_t config = twin_run(twin, 0, OP_READL, GICD_ADDRESS(CONFIG_REG), 0,
				   false);

	config &= ~EDGE_OF(arg[0]);
	return guest_write(twin, CONFIG_REG, config | (arg[1] ? EDGE_OF(arg[0]) : 0));
}

/* The harness numbers vCPUs by the lowest affinity. */
static int op_target(struct twin *twin, const int *arg)
{
	return twin_do(twin, 0, OP_WRITEQ,
			GICD_ADDRESS(GICD_IROUTER + 8 * (MIN_SPI + arg[0])), arg[1]);
}

static int op_pend(struct twin *twin, const int *arg)
{
	return guest_write(twin, BIT_REG(arg[1] ? GICD_ISPENDR : GICD_ICPENDR),
			   BIT_OF(arg[0]));
}

static int op_active(struct twin *twin, const int *arg)
{
	return guest_write(twin, BIT_REG(arg[1] ? GICD_ISACTIVER : GICD_ICACTIVER),
			   BIT_OF(arg[0]));
}

/*
 * Of a VMM that restores a VM: what was read is written back, with a change
 */

static uint32_t dist_get(struct twin *twin, uint32_t reg)
{
	uint32_t value;

	kvm_device_attr_get(twin->g->arch.gic_fd, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, reg,
			    &value);
	return value;
}

static void dist_set(struct twin *twin, uint32_t reg, uint32_t value)
{
	kvm_device_attr_set(twin->g->arch.gic_fd, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, reg,
			    &value);
}

#define LEVELS	((uint64_t)VGIC_LEVEL_INFO_LINE_LEVEL <<		\
			KVM_DEV_ARM_VGIC_LINE_LEVEL_INFO_SHIFT | FIRST_INTID)

static uint32_t levels_get(struct twin *twin)
{
	uint32_t levels;

	kvm_device_attr_get(twin->g->arch.gic_fd, KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO,
			    LEVELS, &levels);
	return levels;
}

static void levels_set(struct twin *twin, uint32_t levels)
{
	kvm_device_attr_set(twin->g->arch.gic_fd, KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO,
			    LEVELS, &levels);
}

static uint32_t with_bit(uint32_t bits, uint32_t bit, bool set)
{
	return set ? bits | bit : bits & ~bit;
}

static int op_set_up(struct twin *twin, const int *arg)
{
	levels_set(twin, with_bit(levels_get(twin), BIT_OF(arg[0]), arg[1]));
	return 0;
}

static int op_set_pending(struct twin *twin, const int *arg)
{
	const uint32_t reg = BIT_REG(GICD_ISPENDR);

	dist_set(twin, reg, with_bit(dist_get(twin, reg), BIT_OF(arg[0]), arg[1]));
	return 0;
}

static int op_restore(struct twin *twin, const int *arg)
{
	static const uint32_t regs[] = {
		CONFIG_REG, BIT_REG(GICD_ISENABLER), BIT_REG(GICD_ISPENDR),
		BIT_REG(GICD_ISACTIVER),
	};
	uint32_t i;

	(void)arg;
	for (i = 0; i < ARRAY_SIZE(regs); i++)
		dist_set(twin, regs[i], dist_get(twin, regs[i]));
	levels_set(twin, levels_get(twin));
	return 0;
}

/* KVM has no translation at hand any more, so the next event of each is for a worker. */
static int op_forget(struct twin *twin, const int *arg)
{
	(void)arg;
	irqx_make_slow(twin->g);
	return 0;
}

/*
 * Choosing
 */

static int choose_pin(struct irqx_random *random)
{
	return FIRST_PIN + irqx_random_below(random, NR_PINS);
}

static void choose_hold(struct irqx_random *random, int *arg)
{
	uint32_t n = irqx_random_below(random, NR_PINS + TWIN_VCPUS);

	arg[0] = n < NR_PINS ? FIRST_PIN + n : LPI(n - NR_PINS);
	arg[1] = !irqx_random_below(random, 8);
}

static void choose_pin_and_bit(struct irqx_random *random, int *arg)
{
	arg[0] = choose_pin(random);
	arg[1] = irqx_random_below(random, 2);
}

static void choose_pin_and_rarely(struct irqx_random *random, int *arg)
{
	arg[0] = choose_pin(random);
	arg[1] = !irqx_random_below(random, 6);
}

const struct twin_op_kind twin_arch_ops[] = {
	{ "hold", 6, 2, twin_op_hold, choose_hold, NULL, false },
	{ "eoi", 24, 1, op_eoi, twin_choose_vcpu, NULL, true },
	{ "mask", 8, 2, op_mask, choose_pin_and_rarely, NULL, false },
	{ "edge", 6, 2, op_edge, choose_pin_and_rarely, NULL, false },
	{ "target", 3, 2, op_target, choose_pin_and_bit, NULL, false },
	{ "pend", 2, 2, op_pend, choose_pin_and_bit, NULL, false },
	{ "active", 2, 2, op_active, choose_pin_and_rarely, NULL, false },
	{ "set_up", 12, 2, op_set_up, choose_pin_and_rarely, NULL, false },
	{ "set_pending", 2, 2, op_set_pending, choose_pin_and_bit, NULL, false },
	{ "restore", 1, 0, op_restore, NULL, NULL, false },
	{ "forget", 1, 0, op_forget, NULL, NULL, false },
};

const uint32_t twin_nr_arch_ops = ARRAY_SIZE(twin_arch_ops);

/*
 * The VM
 */

struct kvm_irq_routing_entry twin_entry(struct twin *twin, uint32_t target,
					uint32_t n)
{
	const struct twin_target *t = &twin_targets[target];

	if (t->entries[n].type == KVM_IRQ_ROUTING_MSI)
		return irqx_entry(twin->g, t->entries[n].a, t->entries[n].b);
	return irqx_pin_entry(t->entries[n].a, t->entries[n].b);
}

/* KVM's goes by the number of an SPI; what it has for an MSI is KVM_SIGNAL_MSI. */
static int kvms_line(struct twin *twin, int gsi, uint32_t level)
{
	const struct twin_target *t;

	if (twin->route[gsi] < 0)
		return 0;
	t = &twin_targets[twin->route[gsi]];
	if (t->entries[0].type == KVM_IRQ_ROUTING_IRQCHIP)
		return _kvm_arm_irq_line(twin->g->vm, MIN_SPI + t->entries[0].b, level) ?
		       errno : 0;
	if (level)
		irqx_signal_msi(twin->g->vm, twin_entry(twin, twin->route[gsi], 0));
	return 0;
}

int twin_line(struct twin *twin, int gsi, uint32_t level, int *status)
{
	*status = 0;
	return twin->kvms ? kvms_line(twin, gsi, level) :
			    __irqx_irq_line(twin->file, TWIN_GSI(gsi), level);
}

uint32_t twin_own_entries(struct kvm_irq_routing_entry *entries)
{
	(void)entries;
	return 0;
}

/*
 * KVM learns the way to the vCPU's LPI.  The first run takes the vCPU to the beginning of
 * its loop.
 */
static void learn_lpi(struct twin *twin, uint32_t vcpu)
{
	struct irqx_guest *g = twin->g;

	g->vcpus[vcpu].vcpu->run->immediate_exit = 0;
	twin_run(twin, vcpu, 0, 0, 0, false);
	TEST_ASSERT(irqx_signal_msi(g->vm, irqx_entry(g, vcpu, LPI(vcpu))) == 1,
		    "KVM_SIGNAL_MSI");
	twin_run(twin, vcpu, 0, 0, 0, true);
}

void twin_arch_init(struct twin *twin)
{
	static const uint32_t priorities[] = PRIORITIES;
	struct irqx_guest *g = twin->g;
	uint32_t i;

	TEST_ASSERT(g->arch.gic_version == 3, "VGICv3 only");
	vm_install_exception_handler(g->vm, VECTOR_IRQ_CURRENT, guest_irq);
	for (i = 0; i < ARRAY_SIZE(priorities); i++)
		dist_set(twin, GICD_IPRIORITYR + FIRST_INTID + 4 * i, priorities[i]);
	for (i = 0; i < TWIN_VCPUS; i++)
		learn_lpi(twin, i);
	twin->sentinel = irqx_eventfd(1, 0);
}

void twin_arch_free(struct twin *twin)
{
	close(twin->sentinel);
}

/*
 * KVM's irqfds that may sleep are works of one queue, of this CPU, in order.  One that is
 * assigned with a count is always such a work, and to deassign it waits for that.
 */
void twin_settle(struct twin *twin)
{
	const uint32_t gsi = 0;

	if (!twin->kvms)
		return;
	irqx_irqfd(twin->file, twin->sentinel, gsi, 0);
	irqx_irqfd(twin->file, twin->sentinel, gsi, KVM_IRQFD_FLAG_DEASSIGN);
}

enum {
	WORD_CONFIG, WORD_ENABLED, WORD_LEVEL, WORD_LATCH, WORD_ACTIVE, WORD_TARGET,
	WORD_BEGUN = WORD_TARGET + NR_PINS,
	WORD_LPI = WORD_BEGUN + TWIN_VCPUS,
};

void twin_look(struct twin *twin, uint64_t *words)
{
	uint32_t i;

	BUILD_BUG_ON(WORD_LPI + TWIN_VCPUS > TWIN_WORDS);

	words[WORD_CONFIG] = dist_get(twin, CONFIG_REG);
	words[WORD_ENABLED] = dist_get(twin, BIT_REG(GICD_ISENABLER));
	words[WORD_LEVEL] = levels_get(twin);
	words[WORD_LATCH] = dist_get(twin, BIT_REG(GICD_ISPENDR));
	words[WORD_ACTIVE] = dist_get(twin, BIT_REG(GICD_ISACTIVER));
	for (i = 0; i < NR_PINS; i++)
		words[WORD_TARGET + i] = dist_get(twin, GICD_IROUTER +
							8 * (FIRST_INTID + i));
	for (i = 0; i < TWIN_VCPUS; i++) {
		words[WORD_BEGUN + i] = last_begun(addr_gva2hva(twin->g->vm,
								(vm_vaddr_t)&begun[i]));
		words[WORD_LPI + i] = irqx_pending(twin->g, i, LPI(i));
	}
}

void twin_name_word(uint32_t n, char *name, size_t size)
{
	static const char *const names[] = {
		"edges", "enabled", "levels", "latched", "active",
	};

	if (n < WORD_TARGET)
		snprintf(name, size, "%s, from spi%u on", names[n], FIRST_PIN);
	else if (n < WORD_BEGUN)
		snprintf(name, size, "spi%u's vCPU", FIRST_PIN + n - WORD_TARGET);
	else if (n < WORD_LPI)
		snprintf(name, size, "INTID that vCPU %u serves", n - WORD_BEGUN);
	else
		snprintf(name, size, "lpi%u is pending", n - WORD_LPI);
}

uint64_t twin_lines_up(const uint64_t *words)
{
	return words[WORD_LEVEL] & PINS;
}

/* KVM asks for the EOI of what is a level when the vCPU is entered. */
uint64_t twin_lines_from_levels(const uint64_t *words)
{
	(void)words;
	return 0;
}

uint64_t twin_lines_of_levels(const uint64_t *words)
{
	uint64_t lines = 0;
	uint32_t pin;

	for (pin = FIRST_PIN; pin < FIRST_PIN + NR_PINS; pin++)
		if (!(words[WORD_CONFIG] & EDGE_OF(pin)))
			lines |= LINE(pin);
	return lines;
}

static uint64_t lines_of_vcpu(const uint64_t *words, uint32_t vcpu)
{
	uint64_t lines = 0;
	uint32_t i;

	for (i = 0; i < NR_PINS; i++)
		if (words[WORD_TARGET + i] == vcpu)
			lines |= LINE(FIRST_PIN + i);
	return lines;
}

uint64_t twin_lines_that_may_end(const uint64_t *words, uint32_t vcpu, bool run)
{
	const uint64_t levels = twin_lines_of_levels(words);
	const uint32_t last = words[WORD_BEGUN + vcpu];

	if (run)
		return levels & lines_of_vcpu(words, vcpu) & words[WORD_ENABLED] &
		       ~words[WORD_ACTIVE] & (words[WORD_LEVEL] | words[WORD_LATCH]);
	return last < FIRST_INTID || last >= FIRST_INTID + NR_PINS ? 0 :
	       levels & LINE(last - MIN_SPI);
}

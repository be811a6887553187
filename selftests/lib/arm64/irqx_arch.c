// SPDX-License-Identifier: GPL-2.0
/*
 * A guest with VGICv3 and ITS, or with VGICv2 and SPIs only.  The harness brings
 * VGICv3 up; the ITS's commands are written by the host, all at once, and the
 * guest starts them with one store: a guest can have thousands of LPIs.
 */
#include "../arch.h"
#include "gicv2.h"
#include "gic_v3.h"
#include "gic_v3_its.h"

#define NR_INTIDS	(MIN_SPI + IRQX_NR_SPIS)

/* Pins after IRQX_EDGE_PIN and IRQX_LEVEL_PIN. */
#define WIRE_PIN	128	/* level-triggered, disabled */
#define OP_PIN		144	/* + vCPU: an operation, of the highest priority */
#define FENCE_PIN	160	/* + vCPU: a fence, of the lowest */

#define PRIORITY_OP	0x40
#define PRIORITY	0xa0
#define PRIORITY_FENCE	0xe0
#define FOUR(priority)	((priority) * 0x01010101U)

/*
 * Devices of the ITS have that many events each, since KVM looks for an event
 * in a list of all of its device.
 */
#define EVENTS_PER_DEVICE	256
#define DEVICES_PER_VCPU	64
/* After those; its events are vcpu * EVENTS_PER_DEVICE + irq. */
#define TABLE_DEVICE		(IRQX_MAX_VCPUS * DEVICES_PER_VCPU)
#define TABLE_EVENTS		(IRQX_MAX_VCPUS * EVENTS_PER_DEVICE)
#define FIRST_LPI		8192

/* Physical memory that GIC and ITS use; the guest has no need to see it. */
#define TABLES_GPA	0x100000000ULL
#define TABLES_SLOT	1
#define DEVICE_TABLE	(TABLES_GPA)
#define COLLECTIONS	(TABLES_GPA + SZ_64K)
#define PROPERTIES	(TABLES_GPA + 2 * SZ_64K)
#define COMMANDS	(TABLES_GPA + 3 * SZ_64K)
#define COMMANDS_SIZE	SZ_1M
#define PENDING(vcpu)	(COMMANDS + COMMANDS_SIZE + (vcpu) * SZ_64K)
#define ITT(nr_vcpus, nth)	(PENDING(nr_vcpus) + (nth) * SZ_4K)

/* Both sides of a guest; written by the host but for @op_done and @boot. */
static struct shared {
	uint32_t gic_version;
	uint32_t nr_vcpus;
	uint32_t nr_lpis;
	uint32_t boot;			/* vCPUs whose redistributor is ready */
	uint64_t commands;		/* bytes in the ITS's queue */

	uint32_t exit_at_fence;
	uint8_t hold[NR_INTIDS];
	uint32_t op;
	uint32_t op_done;
	uint64_t where;
	uint64_t what;
} shared;

static struct shared *host_shared(struct irqx_guest *g)
{
	return addr_gva2hva(g->vm, (vm_vaddr_t)&shared);
}

/*
 * The guest
 */

/* TPIDRRO_EL0 is nobody else's: the harness has the vCPU's id in TPIDR_EL1. */
static struct irqx_cpu *this_cpu(void)
{
	return (struct irqx_cpu *)read_sysreg(tpidrro_el0);
}

void irqx_guest_count(uint32_t irq)
{
	struct irqx_cpu *cpu = this_cpu();

	WRITE_ONCE(cpu->count[irq], cpu->count[irq] + 1);
	WRITE_ONCE(cpu->total, cpu->total + 1);
}

/* The harness's writeq() cannot take a 0 that the compiler knows. */
static __attribute__((noipa)) void guest_writeq(uint64_t value,
						volatile void *where)
{
	writeq(value, where);
}

static uint32_t guest_ack(void)
{
	return shared.gic_version == 2 ? irqx_gicv2_ack() :
					 gic_get_and_ack_irq();
}

static void guest_eoi(uint32_t intid)
{
	if (shared.gic_version == 2)
		irqx_gicv2_eoi(intid);
	else
		gic_set_eoi(intid);
}

static void guest_op(void)
{
	volatile void *where = (volatile void *)shared.where;

	switch (__atomic_exchange_n(&shared.op, IRQX_OP_NONE, __ATOMIC_SEQ_CST)) {
	case IRQX_OP_EOI:
		guest_eoi(shared.where);
		break;
	case IRQX_OP_READL:
		shared.what = readl(where);
		break;
	case IRQX_OP_WRITEL:
		writel(shared.what, where);
		break;
	case IRQX_OP_WRITEQ:
		guest_writeq(shared.what, where);
		break;
	default:
		return;
	}
	__atomic_store_n(&shared.op_done, 1, __ATOMIC_RELEASE);
}

static void guest_spi(struct irqx_cpu *cpu, uint32_t intid)
{
	uint32_t pin = intid - MIN_SPI;

	if (irqx_guest_device(pin, guest_eoi))
		return;
	if (!READ_ONCE(shared.hold[intid]))
		guest_eoi(intid);
	if (pin == OP_PIN + cpu->index) {
		guest_op();
	} else if (pin == FENCE_PIN + cpu->index) {
		WRITE_ONCE(cpu->fences, cpu->fences + 1);
		if (READ_ONCE(shared.exit_at_fence))
			GUEST_SYNC(0);
	} else {
		irqx_guest_count(IRQX_SPI(pin));
	}
}

/* The EOI comes first: who sees the count finds the interrupt inactive. */
static void guest_irq(struct ex_regs *regs)
{
	struct irqx_cpu *cpu = this_cpu();
	uint32_t intid = guest_ack();

	(void)regs;
	if (intid == IAR_SPURIOUS)
		return;
	if (intid >= MIN_SPI && intid < NR_INTIDS) {
		guest_spi(cpu, intid);
		return;
	}
	if (intid >= NR_INTIDS || !READ_ONCE(shared.hold[intid]))
		guest_eoi(intid);
	irqx_guest_count(intid < FIRST_LPI ? intid :
			 (intid - FIRST_LPI) % shared.nr_lpis);
}

static void guest_set_target(uint32_t pin, uint32_t cpu)
{
	uint32_t intid = MIN_SPI + pin;

	if (shared.gic_version == 2)
		irqx_gicv2_set_target(intid, cpu);
	else	/* the harness numbers vCPUs below 16 by the lowest affinity */
		guest_writeq(cpu, GICD_BASE_GVA + GICD_IROUTER + 8 * intid);
}

static void guest_init_pins(void)
{
	volatile void *dist = GICD_BASE_GVA;
	uint32_t pin, intid, priority, edge;

	for (pin = 0; pin < IRQX_NR_SPIS; pin += 4) {
		intid = MIN_SPI + pin;
		priority = pin >= FENCE_PIN ? PRIORITY_FENCE :
			   pin >= OP_PIN ? PRIORITY_OP : PRIORITY;
		writel(FOUR(priority), dist + GICD_IPRIORITYR + intid);
	}
	for (pin = 0; pin < IRQX_NR_SPIS; pin += 16) {
		intid = MIN_SPI + pin;
		edge = pin < IRQX_LEVEL_PIN || pin >= OP_PIN;
		writel(edge ? 0xaaaaaaaa : 0, dist + GICD_ICFGR + intid / 4);
	}
	for (pin = 0; pin < IRQX_NR_SPIS; pin++) {
		if (pin < WIRE_PIN)
			guest_set_target(pin, pin % shared.nr_vcpus);
		else if (pin >= OP_PIN && pin < OP_PIN + shared.nr_vcpus)
			guest_set_target(pin, pin - OP_PIN);
		else if (pin >= FENCE_PIN && pin < FENCE_PIN + shared.nr_vcpus)
			guest_set_target(pin, pin - FENCE_PIN);
		else
			guest_set_target(pin, 0);
	}
	for (pin = 0; pin < IRQX_NR_SPIS; pin += 32) {
		intid = MIN_SPI + pin;
		writel(pin == WIRE_PIN ? 0xffff0000 : 0xffffffff,
		       dist + GICD_ISENABLER + intid / 8);
	}
}

static void guest_init_its(void)
{
	its_init(COLLECTIONS, SZ_64K, DEVICE_TABLE, SZ_64K, COMMANDS,
		 COMMANDS_SIZE);
	guest_writeq(shared.commands, GITS_BASE_GVA + GITS_CWRITER);
}

static void guest_init_gic(uint32_t cpu)
{
	if (shared.gic_version == 2) {
		if (!cpu)
			irqx_gicv2_init_dist();
		irqx_gicv2_init_cpu();
	} else {
		gic_init(GIC_V3, shared.nr_vcpus);
		gic_rdist_enable_lpis(PROPERTIES, SZ_64K, PENDING(cpu));
	}
	__atomic_add_fetch(&shared.boot, 1, __ATOMIC_SEQ_CST);
	if (cpu)
		return;

	while (__atomic_load_n(&shared.boot, __ATOMIC_SEQ_CST) < shared.nr_vcpus)
		cpu_relax();
	guest_init_pins();
	if (shared.gic_version == 3)
		guest_init_its();
}

void irqx_guest_main(void)
{
	struct irqx_cpu *cpu = this_cpu();

	guest_init_gic(cpu->index);
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
		local_irq_enable();
	else
		local_irq_disable();
	isb();
}

void irqx_guest_halt(void)
{
	/* An interrupt that is masked ends wfi, too. */
	local_irq_disable();
	wfi();
	irqx_guest_irqs(true);
	local_irq_disable();
}

void __weak irqx_guest_wait(void)
{
	if (this_cpu()->flags & IRQX_GUEST_ARCH_SPIN) {
		local_irq_enable();
		for (;;)
			cpu_relax();
	}
	for (;;)
		irqx_guest_halt();
}

/*
 * The ITS's commands
 */

struct command {
	uint64_t words[4];
};

static void its_command(struct irqx_guest *g, uint64_t w0, uint64_t w1,
			uint64_t w2)
{
	struct command *c = addr_gpa2hva(g->vm, COMMANDS + g->arch.cwriter);

	*c = (struct command){ { w0, w1, w2, 0 } };
	g->arch.cwriter = (g->arch.cwriter + sizeof(*c)) % COMMANDS_SIZE;
}

static uint32_t device_of(uint32_t vcpu, uint32_t irq)
{
	return vcpu * DEVICES_PER_VCPU + irq / EVENTS_PER_DEVICE;
}

static void its_map_one(struct irqx_guest *g, uint32_t vcpu, uint32_t irq)
{
	its_command(g, GITS_CMD_MAPTI | (uint64_t)device_of(vcpu, irq) << 32,
		    (uint64_t)(FIRST_LPI + vcpu * g->arch.nr_lpis + irq) << 32 |
		    irq % EVENTS_PER_DEVICE, vcpu);
}

static void its_map_all(struct irqx_guest *g)
{
	uint32_t vcpu, irq, devid, nr_devices = 0;
	const uint64_t valid = 1ULL << 63;

	for (vcpu = 0; vcpu < g->nr_vcpus; vcpu++)
		its_command(g, GITS_CMD_MAPC, 0,
			    valid | (uint64_t)vcpu << 16 | vcpu);
	for (vcpu = 0; vcpu < g->nr_vcpus; vcpu++) {
		for (irq = 0; irq < g->arch.nr_lpis; irq++) {
			devid = device_of(vcpu, irq);
			if (!(irq % EVENTS_PER_DEVICE))
				its_command(g, GITS_CMD_MAPD | (uint64_t)devid << 32,
					    ilog2(EVENTS_PER_DEVICE) - 1,
					    valid | ITT(g->nr_vcpus, nr_devices++));
			if (irq >= IRQX_IRQ_MIN)
				its_map_one(g, vcpu, irq);
		}
	}
}

/*
 * One device for all vCPUs, as a function with a table of vectors is.  Its LPIs are others, with
 * the same irqs: 7.3's KVM takes an LPI for one event only.
 */
static void its_map_table(struct irqx_guest *g, uint32_t nth)
{
	uint32_t vcpu, irq;

	its_command(g, GITS_CMD_MAPD | (uint64_t)TABLE_DEVICE << 32,
		    ilog2(TABLE_EVENTS) - 1, 1ULL << 63 | ITT(g->nr_vcpus, nth));
	for (vcpu = 0; vcpu < g->nr_vcpus; vcpu++)
		for (irq = IRQX_IRQ_MIN; irq <= IRQX_IRQ_MAX; irq++)
			its_command(g, GITS_CMD_MAPTI | (uint64_t)TABLE_DEVICE << 32,
				    (uint64_t)(FIRST_LPI + (g->nr_vcpus + vcpu) * g->arch.nr_lpis +
					       irq) << 32 |
				    (vcpu * EVENTS_PER_DEVICE + irq), vcpu);
}

static void its_create(struct irqx_guest *g)
{
	bool table = g->vcpus[0].cpu->flags & IRQX_GUEST_ARCH_TABLE;
	uint32_t nr_devices = g->nr_vcpus *
		DIV_ROUND_UP(g->arch.nr_lpis, EVENTS_PER_DEVICE);
	/* Of @TABLE_EVENTS, 8 bytes each. */
	uint64_t size = ITT(g->nr_vcpus, nr_devices) + 4 * SZ_4K - TABLES_GPA;

	vm_userspace_mem_region_add(g->vm, VM_MEM_SRC_ANONYMOUS, TABLES_GPA,
				    TABLES_SLOT,
				    vm_calc_num_guest_pages(g->vm->mode, size), 0);
	memset(addr_gpa2hva(g->vm, PROPERTIES),
	       PRIORITY | LPI_PROP_GROUP1 | LPI_PROP_ENABLED, SZ_64K);
	its_map_all(g);
	if (table)
		its_map_table(g, nr_devices);
	g->arch.its_fd = vgic_its_setup(g->vm);
}

struct irqx_vector_message irqx_vector_message(struct irqx_guest *g, uint32_t vcpu, uint32_t irq)
{
	struct kvm_irq_routing_entry entry = irqx_entry(g, vcpu, irq);

	return (struct irqx_vector_message){
		.address = (uint64_t)entry.u.msi.address_hi << 32 | entry.u.msi.address_lo,
		.data = vcpu * EVENTS_PER_DEVICE + irq,
	};
}

uint32_t irqx_table_devid(void)
{
	return TABLE_DEVICE;
}

bool irqx_takes_tables(void)
{
	return irqx_gic_version() == 3;
}

static void its_run(struct irqx_guest *g)
{
	irqx_do(g, 0, IRQX_OP_WRITEQ, GITS_BASE_GPA + GITS_CWRITER,
		g->arch.cwriter);
}

void irqx_its_move(struct irqx_guest *g, uint32_t vcpu, uint32_t irq, uint32_t to)
{
	its_command(g, GITS_CMD_MOVI | (uint64_t)device_of(vcpu, irq) << 32,
		    irq % EVENTS_PER_DEVICE, to);
	its_run(g);
}

/* One that stays where it is makes KVM forget the others as well. */
void irqx_its_forget(struct irqx_guest *g)
{
	irqx_its_move(g, 0, IRQX_IRQ_MIN, 0);
}

void irqx_its_discard(struct irqx_guest *g, uint32_t vcpu, uint32_t irq)
{
	its_command(g, GITS_CMD_DISCARD | (uint64_t)device_of(vcpu, irq) << 32,
		    irq % EVENTS_PER_DEVICE, 0);
	its_run(g);
}

void irqx_its_map(struct irqx_guest *g, uint32_t vcpu, uint32_t irq)
{
	its_map_one(g, vcpu, irq);
	its_run(g);
}

void *irqx_its_properties(struct irqx_guest *g)
{
	return addr_gpa2hva(g->vm, PROPERTIES);
}

void irqx_its_invalidate(struct irqx_guest *g, uint32_t vcpu, uint32_t irq)
{
	its_command(g, GITS_CMD_INV | (uint64_t)device_of(vcpu, irq) << 32,
		    irq % EVENTS_PER_DEVICE, 0);
	its_run(g);
}

/*
 * The host's side of the guest
 */

void irqx_arch_vm_init(struct kvm_vm *vm, uint32_t flags)
{
	(void)flags;
	vm_init_descriptor_tables(vm);
	vm_install_exception_handler(vm, VECTOR_IRQ_CURRENT, guest_irq);
}

void irqx_arch_vcpu_init(struct irqx_vcpu *v)
{
	vcpu_init_descriptor_tables(v->vcpu);
	vcpu_set_reg(v->vcpu, KVM_ARM64_SYS_REG(SYS_TPIDRRO_EL0), v->cpu->self);
}

uint32_t irqx_gic_version(void)
{
	struct kvm_vm *vm = vm_create_barebones();
	uint32_t version;

	version = __kvm_test_create_device(vm, KVM_DEV_TYPE_ARM_VGIC_V3) ? 2 : 3;
	kvm_vm_free(vm);
	return version;
}

/*
 * KVM registers the distributor's MMIO when the first vCPU is run.  6.1 lets a
 * second vCPU go on before that is done, whose first access then is the VMM's.
 */
static void map_vgic(struct kvm_vcpu *vcpu)
{
	vcpu->run->immediate_exit = 1;
	TEST_ASSERT(__vcpu_run(vcpu) && errno == EINTR, "KVM_RUN: %s",
		    strerror(errno));
	vcpu->run->immediate_exit = 0;
}

void irqx_arch_guest_init(struct irqx_guest *g)
{
	bool many = g->vcpus[0].cpu->flags & IRQX_GUEST_ARCH_MANY_LPIS;
	struct shared *s = host_shared(g);

	g->arch.its_fd = -1;
	g->arch.gic_fd = vgic_v3_setup(g->vm, g->nr_vcpus, NR_INTIDS);
	g->arch.gic_version = g->arch.gic_fd < 0 ? 2 : 3;
	if (g->arch.gic_version == 2) {
		g->arch.gic_fd = irqx_gicv2_setup(g->vm, NR_INTIDS);
		TEST_ASSERT(g->arch.gic_fd >= 0, "neither VGICv3 nor VGICv2");
	} else {
		g->arch.nr_lpis = 1 + (many ? IRQX_LPI_MAX : IRQX_IRQ_MAX);
		its_create(g);
	}
	s->gic_version = g->arch.gic_version;
	s->nr_vcpus = g->nr_vcpus;
	s->nr_lpis = g->arch.nr_lpis;
	s->commands = g->arch.cwriter;
	map_vgic(g->vcpus[0].vcpu);
}

void irqx_arch_guest_free(struct irqx_guest *g)
{
	close(g->arch.gic_fd);
	if (g->arch.its_fd >= 0)
		close(g->arch.its_fd);
}

static void raise_edge(struct irqx_guest *g, uint32_t pin)
{
	kvm_arm_irq_line(g->vm, MIN_SPI + pin, 1);
}

void irqx_arch_fence(struct irqx_guest *g, uint32_t vcpu)
{
	raise_edge(g, FENCE_PIN + vcpu);
}

uint64_t irqx_do(struct irqx_guest *g, uint32_t vcpu, enum irqx_op op,
		 uint64_t where, uint64_t what)
{
	struct shared *s = host_shared(g);

	s->where = where;
	s->what = what;
	s->op_done = 0;
	__atomic_store_n(&s->op, op, __ATOMIC_SEQ_CST);
	raise_edge(g, OP_PIN + vcpu);
	TEST_ASSERT(irqx_wait_until(__atomic_load_n(&s->op_done, __ATOMIC_ACQUIRE),
				    IRQX_TIMEOUT_MS),
		    "vCPU %u does not do operation %u", vcpu, op);
	return s->what;
}

/*
 * Entries
 */

/* The last ones would be SGIs and PPIs, if the sum overflowed unseen. */
const struct irqx_pin irqx_bad_pins[] = {
	{ 0, KVM_IRQCHIP_NUM_PINS },
	{ 0, 1U << 31 },
	{ 0, ~0U },
	{ 1, 0 },
	{ ~0U, 0 },
	{ 0, 0U - 32 },
	{ 0, 0U - 16 },
	{ 0, 0U - 1 },
};

const uint32_t irqx_nr_bad_pins = ARRAY_SIZE(irqx_bad_pins);

struct kvm_irq_routing_entry irqx_entry(struct irqx_guest *g, uint32_t vcpu,
					uint32_t irq)
{
	const uint64_t doorbell = GITS_BASE_GPA + GITS_TRANSLATER;
	struct kvm_irq_routing_entry entry = {
		.type = KVM_IRQ_ROUTING_MSI,
		.flags = KVM_MSI_VALID_DEVID,
	};

	TEST_ASSERT(irq >= IRQX_IRQ_MIN && irq < g->arch.nr_lpis,
		    "no LPI %u", irq);
	entry.u.msi.address_lo = doorbell;
	entry.u.msi.address_hi = doorbell >> 32;
	entry.u.msi.devid = device_of(vcpu, irq);
	entry.u.msi.data = irq % EVENTS_PER_DEVICE;
	return entry;
}

struct kvm_irq_routing_entry irqx_slow_entry(struct irqx_guest *g, uint32_t n,
					     uint32_t vcpu, uint32_t irq)
{
	TEST_ASSERT(n < IRQX_NR_SLOW, "entry %u", n);
	return irqx_entry(g, vcpu, irq);
}

struct kvm_irq_routing_entry irqx_wire_entry(struct irqx_guest *g, uint32_t n)
{
	(void)g;
	TEST_ASSERT(n < IRQX_NR_WIRES, "wire %u", n);
	return irqx_spi_entry(WIRE_PIN + n);
}

bool irqx_wire_is_up(struct irqx_guest *g, uint32_t n)
{
	return irqx_pin_is_up(g, WIRE_PIN + n);
}

/* Neither KVM nor the guest has another way to forget but to switch it off. */
void irqx_make_slow(struct irqx_guest *g)
{
	uint64_t off = 0, on = GITS_CTLR_ENABLE;

	kvm_device_attr_set(g->arch.its_fd, KVM_DEV_ARM_VGIC_GRP_ITS_REGS,
			    GITS_CTLR, &off);
	kvm_device_attr_set(g->arch.its_fd, KVM_DEV_ARM_VGIC_GRP_ITS_REGS,
			    GITS_CTLR, &on);
}

void irqx_make_fast(struct irqx_guest *g, uint32_t vcpu, uint32_t irq)
{
	TEST_ASSERT(irqx_signal_msi(g->vm, irqx_entry(g, vcpu, irq)) == 1,
		    "KVM_SIGNAL_MSI");
	irqx_clear_pending(g, vcpu);
}

/* The LPIs of vCPUs that do not run are in their pending tables, if asked for. */
bool irqx_pending(struct irqx_guest *g, uint32_t vcpu, uint32_t irq)
{
	uint32_t intid = FIRST_LPI + vcpu * g->arch.nr_lpis + irq;
	uint8_t *table;

	TEST_ASSERT(!g->vcpus[vcpu].running, "vCPU %u runs", vcpu);
	kvm_device_attr_set(g->arch.gic_fd, KVM_DEV_ARM_VGIC_GRP_CTRL,
			    KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES, NULL);
	table = addr_gpa2hva(g->vm, PENDING(vcpu));
	return table[intid / 8] & 1 << intid % 8;
}

/*
 * The guest takes them, and forgets that it has.  Not on a thread of its own: KVM
 * waits for a grace period when a vCPU comes to another thread.
 */
void irqx_clear_pending(struct irqx_guest *g, uint32_t vcpu)
{
	struct irqx_vcpu *v = &g->vcpus[vcpu];
	struct irqx_cpu *saved;
	struct ucall uc;

	TEST_ASSERT(!v->running, "vCPU %u runs", vcpu);
	saved = malloc(sizeof(*saved));
	TEST_ASSERT(saved, "no memory");
	memcpy(saved, v->cpu, sizeof(*saved));

	WRITE_ONCE(host_shared(g)->exit_at_fence, 1);
	irqx_arch_fence(g, vcpu);
	v->vcpu->run->immediate_exit = 0;
	vcpu_run(v->vcpu);
	TEST_ASSERT(get_ucall(v->vcpu, &uc) == UCALL_SYNC,
		    "vCPU %u takes no interrupts", vcpu);
	WRITE_ONCE(host_shared(g)->exit_at_fence, 0);

	memcpy(v->cpu, saved, sizeof(*saved));
	free(saved);
}

/*
 * Pins
 */

uint32_t irqx_pin_vcpu(struct irqx_guest *g, uint32_t pin)
{
	return pin % g->nr_vcpus;
}

static uint64_t dist_bit_reg(uint32_t reg, uint32_t pin)
{
	return GICD_BASE_GPA + reg + 4 * ((MIN_SPI + pin) / 32);
}

void irqx_pin_enable(struct irqx_guest *g, uint32_t pin, bool enable)
{
	irqx_do(g, 0, IRQX_OP_WRITEL,
		dist_bit_reg(enable ? GICD_ISENABLER : GICD_ICENABLER, pin),
		1U << pin % 32);
}

void irqx_pin_config(struct irqx_guest *g, uint32_t pin, bool level)
{
	uint64_t reg = GICD_BASE_GPA + GICD_ICFGR + 4 * ((MIN_SPI + pin) / 16);
	uint32_t bit = 2U << 2 * (pin % 16), value;

	value = irqx_do(g, 0, IRQX_OP_READL, reg, 0);
	irqx_do(g, 0, IRQX_OP_WRITEL, reg, level ? value & ~bit : value | bit);
}

bool irqx_pin_is_up(struct irqx_guest *g, uint32_t pin)
{
	return irqx_do(g, 0, IRQX_OP_READL, dist_bit_reg(GICD_ISPENDR, pin), 0) &
	       1U << pin % 32;
}

void irqx_pin_set_up(struct irqx_guest *g, uint32_t pin)
{
	uint64_t attr = (uint64_t)VGIC_LEVEL_INFO_LINE_LEVEL <<
				KVM_DEV_ARM_VGIC_LINE_LEVEL_INFO_SHIFT |
			((MIN_SPI + pin) & ~31);
	uint32_t levels;

	kvm_device_attr_get(g->arch.gic_fd, KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO, attr,
			    &levels);
	levels |= 1U << (MIN_SPI + pin) % 32;
	kvm_device_attr_set(g->arch.gic_fd, KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO, attr,
			    &levels);
}

void irqx_pin_hold(struct irqx_guest *g, uint32_t pin, bool hold)
{
	irqx_ppi_hold(g, MIN_SPI + pin, hold);
}

void irqx_ppi_hold(struct irqx_guest *g, uint32_t intid, bool hold)
{
	WRITE_ONCE(host_shared(g)->hold[intid], hold);
}

void irqx_pin_eoi(struct irqx_guest *g, uint32_t pin)
{
	irqx_do(g, irqx_pin_vcpu(g, pin), IRQX_OP_EOI, MIN_SPI + pin, 0);
}

void irqx_irqchip_create(struct kvm_vm *vm)
{
	uint32_t nr_irqs = NR_INTIDS;
	int fd = __kvm_create_device(vm, KVM_DEV_TYPE_ARM_VGIC_V3);

	if (fd < 0) {
		irqx_gicv2_setup(vm, nr_irqs);
		return;
	}
	kvm_device_attr_set(fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &nr_irqs);
	kvm_device_attr_set(fd, KVM_DEV_ARM_VGIC_GRP_CTRL,
			    KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
}

/* Nothing that a guest does is the end of it. */
bool irqx_kill_vm(struct irqx_guest *g)
{
	(void)g;
	return false;
}

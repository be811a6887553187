// SPDX-License-Identifier: GPL-2.0
/*
 * Two guests that do the same to an MSI-X table: one is served by the module, the other by a
 * VMM that is written from PCI's rules (PCI Local Bus Specification 3.0, 6.8.2), from each
 * KVM_EXIT_MMIO.  What they read, and the interrupts that they take, are compared after each
 * step.  SEED= and OPS= of the environment; a failure says the seed.
 */
#include "irqx_table.h"
#include "irqx_harness.h"

#define NR_VECTORS	66
#define NR_IRQS		24

void irqx_guest_wait(void)
{
	irqx_table_guest();
}

void irqx_vcpu_exit(struct irqx_vcpu *v)
{
	irqx_table_exit(v);
}

/* The function as the VMM has it. */
struct vmm {
	struct irqx_guest *g;
	uint32_t flags;			/* KVM_IRQX_TABLE_* */
	uint64_t entries, pba;
	uint32_t table[NR_VECTORS][4];
	uint64_t pending[(NR_VECTORS + 63) / 64];
};

static bool is_masked(const struct vmm *vmm, uint32_t vector)
{
	return vmm->table[vector][3] & 1 || vmm->flags & KVM_IRQX_TABLE_MASKED ||
	       !(vmm->flags & KVM_IRQX_TABLE_ENABLED);
}

static void send(struct vmm *vmm, uint32_t vector)
{
	const uint32_t *entry = vmm->table[vector];

	irqx_signal_msi(vmm->g->vm,
			irqx_message_entry((uint64_t)entry[1] << 32 | entry[0], entry[2]));
}

/* The function has something to say. */
static void request(struct vmm *vmm, uint32_t vector)
{
	if (is_masked(vmm, vector))
		vmm->pending[vector / 64] |= 1ULL << vector % 64;
	else
		send(vmm, vector);
}

/* A mask may have been cleared. */
static void look(struct vmm *vmm, uint32_t vector)
{
	uint64_t bit = 1ULL << vector % 64;

	if (!(vmm->pending[vector / 64] & bit) || is_masked(vmm, vector))
		return;
	send(vmm, vector);
	vmm->pending[vector / 64] &= ~bit;
}

static void set_flags(struct vmm *vmm, uint32_t flags)
{
	uint32_t i;

	vmm->flags = flags;
	for (i = 0; i < NR_VECTORS; i++)
		look(vmm, i);
}

static uint32_t *dword_at(struct vmm *vmm, uint64_t offset)
{
	return &vmm->table[offset / 16][offset / 4 % 4];
}

static void store(struct vmm *vmm, uint64_t offset, uint32_t value)
{
	/* Address bits 1:0 are read-only, Control bits 31:1 reserved. */
	switch (offset % 16) {
	case IRQX_ENTRY_ADDRESS:
		value &= ~3U;
		break;
	case IRQX_ENTRY_CONTROL:
		value &= 1;
		break;
	}
	*dword_at(vmm, offset) = value;
}

static uint64_t entries_access(struct vmm *vmm, uint64_t offset, uint32_t len,
			       const uint64_t *value)
{
	uint64_t was;

	if ((len != 4 && len != 8) || offset % len)
		return 0;
	was = *dword_at(vmm, offset);
	if (len == 8)
		was |= (uint64_t)*dword_at(vmm, offset + 4) << 32;
	if (!value)
		return was;
	store(vmm, offset, *value);
	if (len == 8)
		store(vmm, offset + 4, *value >> 32);
	look(vmm, offset / 16);
	return was;
}

static uint64_t pba_read(struct vmm *vmm, uint64_t offset, uint32_t len)
{
	uint64_t word = vmm->pending[offset / 8];

	if ((len != 4 && len != 8) || offset % len)
		return 0;
	return len == 8 ? word : (uint32_t)(word >> offset % 8 * 8);
}

static void emulate(struct irqx_vcpu *v, void *arg)
{
	struct kvm_run *run = v->vcpu->run;
	uint64_t gpa = run->mmio.phys_addr, value = 0;
	struct vmm *vmm = arg;

	if (run->mmio.is_write)
		memcpy(&value, run->mmio.data, run->mmio.len);
	if (gpa >= vmm->pba)
		value = run->mmio.is_write ? 0 : pba_read(vmm, gpa - vmm->pba, run->mmio.len);
	else
		value = entries_access(vmm, gpa - vmm->entries, run->mmio.len,
				       run->mmio.is_write ? &value : NULL);
	if (!run->mmio.is_write)
		memcpy(run->mmio.data, &value, run->mmio.len);
}

FIXTURE(table_twin) {
	struct irqx_guest *g;
	struct irqx_table table;
	int fds[NR_VECTORS];
	struct vmm vmm;
	struct irqx_random random;
};

FIXTURE_SETUP(table_twin)
{
	uint32_t i;

	if (!irqx_takes_tables())
		SKIP(return, "no ITS");
	self->g = irqx_table_guest_create(2);
	self->vmm.g = irqx_table_guest_create(2);
	self->table = irqx_table_create(self->g->ctx, NR_VECTORS);
	self->vmm.entries = self->table.entries;
	self->vmm.pba = self->table.pba;
	self->vmm.flags = IRQX_TABLE_ON;
	irqx_eventfds(self->fds, NR_VECTORS);
	for (i = 0; i < NR_VECTORS; i++) {
		irqx_bind(self->g->ctx, self->fds[i], irqx_vector_entry(&self->table, i));
		self->vmm.table[i][3] = 1;
	}
	irqx_exit_hook = emulate;
	irqx_exit_hook_arg = &self->vmm;
	irqx_guest_start(self->g);
	irqx_guest_start(self->vmm.g);
}

FIXTURE_TEARDOWN(table_twin)
{
	if (!self->g)
		return;
	irqx_guest_free(self->g);
	irqx_guest_free(self->vmm.g);
}

static uint32_t below(struct irqx_random *random, uint32_t n)
{
	return irqx_random_below(random, n);
}

/* Few vectors, so that things meet on them. */
static const uint32_t vectors[] = { 0, 1, 31, 32, 63, 64, NR_VECTORS - 1 };

/*
 * What a dword of an entry may be without an interrupt that nobody counts.  Each vector has
 * interrupts of its own: two at once would be one, or not, as the guest comes to take them.
 */
static uint32_t some_dword(struct irqx_guest *g, struct irqx_random *random, uint32_t nth,
			   uint32_t at)
{
	const uint32_t each = NR_IRQS / ARRAY_SIZE(vectors);
	uint32_t irq = IRQX_IRQ_MIN + nth * each + below(random, each);
	struct irqx_vector_message m = irqx_vector_message(g, below(random, 2), irq);

	switch (at) {
	case IRQX_ENTRY_ADDRESS:
		return m.address | below(random, 4);
	case IRQX_ENTRY_UPPER:
		return m.address >> 32;
	case IRQX_ENTRY_DATA:
		return m.data;
	default:
		return below(random, 2) | (below(random, 4) ? 0 : 0xffff0000);
	}
}

static void both_write(struct __test_metadata *_metadata, FIXTURE_DATA(table_twin) *self,
		       uint64_t gpa, uint32_t len, uint64_t value)
{
	uint32_t vcpu = below(&self->random, 2);

	(void)_metadata;
	irqx_mmio_write(self->g, vcpu, gpa, len, value);
	irqx_mmio_write(self->vmm.g, vcpu, gpa, len, value);
}

static void both_read(struct __test_metadata *_metadata, FIXTURE_DATA(table_twin) *self,
		      uint64_t gpa, uint32_t len)
{
	uint64_t theirs = irqx_mmio_read(self->vmm.g, 0, gpa, len), ours;

	/* A pending event may be on its way. */
	irqx_wait_until((ours = irqx_mmio_read(self->g, 0, gpa, len)) == theirs, 2000);
	ASSERT_EQ(theirs, ours)
		TH_LOG("%u bytes at +0x%lx", len, gpa - self->table.entries);
}

static void step(struct __test_metadata *_metadata, FIXTURE_DATA(table_twin) *self)
{
	struct irqx_random *random = &self->random;
	uint32_t nth = below(random, ARRAY_SIZE(vectors)), vector = vectors[nth];
	uint32_t at = 4 * below(random, 4), len, flags;
	uint64_t entry = self->table.entries + vector * IRQX_ENTRY_SIZE;
	uint64_t value;

	switch (below(random, 16)) {
	case 0 ... 3:
		irqx_fire(self->fds[vector]);
		request(&self->vmm, vector);
		break;
	case 4 ... 7:
		both_write(_metadata, self, entry + at, 4, some_dword(self->g, random, nth, at));
		break;
	case 8 ... 9:
		at &= 8;
		value = some_dword(self->g, random, nth, at) |
			(uint64_t)some_dword(self->g, random, nth, at + 4) << 32;
		both_write(_metadata, self, entry + at, 8, value);
		break;
	case 10 ... 11:
		both_read(_metadata, self, entry + (at & 8), 8);
		both_read(_metadata, self, entry + at, 4);
		break;
	case 12:
		both_read(_metadata, self, self->table.pba + vector / 64 * 8, 8);
		both_read(_metadata, self, self->table.pba + vector / 32 * 4, 4);
		break;
	case 13:
		flags = KVM_IRQX_TABLE_DECODES |
			(below(random, 4) ? KVM_IRQX_TABLE_ENABLED : 0) |
			(below(random, 3) ? 0 : KVM_IRQX_TABLE_MASKED);
		irqx_table_set_flags(&self->table, flags);
		set_flags(&self->vmm, flags);
		break;
	case 14:
		/* Within the entry; not one that is defined. */
		len = 1U << below(random, 3);
		at = below(random, 8) | 1;
		both_write(_metadata, self, entry + at, len, ~0ULL);
		both_read(_metadata, self, entry + at, len);
		break;
	default:
		both_write(_metadata, self, self->table.pba, 8, ~0ULL);
	}
}

static void compare_counts(struct __test_metadata *_metadata, FIXTURE_DATA(table_twin) *self)
{
	uint64_t total = irqx_total(self->vmm.g);
	uint32_t vcpu, irq;

	irqx_fence(self->vmm.g);
	total = irqx_total(self->vmm.g);
	irqx_wait_until(irqx_total(self->g) >= total, 2000);
	irqx_fence(self->g);
	for (vcpu = 0; vcpu < 2; vcpu++)
		for (irq = IRQX_IRQ_MIN; irq < IRQX_IRQ_MIN + NR_IRQS; irq++)
			ASSERT_EQ(irqx_count(self->vmm.g, vcpu, irq),
				  irqx_count(self->g, vcpu, irq))
				TH_LOG("irq %u of vCPU %u", irq, vcpu);
	ASSERT_EQ(total, irqx_total(self->g));
}

TEST_F_TIMEOUT(table_twin, random, 7200)
{
	uint64_t seed = irqx_env("SEED", irqx_now_ns() & 0xffffffff);
	uint64_t ops = irqx_env("OPS", irqx_iterations(2000, 100000)), i;

	TH_LOG("SEED=%lu OPS=%lu", seed, ops);
	self->random = irqx_random(seed, 0);
	for (i = 0; i < ops; i++) {
		step(_metadata, self);
		compare_counts(_metadata, self);
	}
	EXPECT_LT(0, irqx_total(self->g));
}

TEST_HARNESS_MAIN

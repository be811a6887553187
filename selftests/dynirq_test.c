// SPDX-License-Identifier: GPL-2.0
/*
 * Dynirqs: each sentence of Documentation/dynirq.rst, whose section numbers are in the cases,
 * and of what include/uapi/linux/kvm_irqx.h says of them.  The guest's driver is irqx_dynirq.c.
 */
#include <pthread.h>

#include "irqx_blocked.h"
#include "irqx_dynirq.h"
#include "irqx_harness.h"

#define IRQ_A	(IRQX_IRQ_MIN + 5)
#define IRQ_B	(IRQX_IRQ_MIN + 9)
#define GSI	70000
#define NR	70

#define HANDLE	3			/* an eventfd leads there; mapped to vCPU 0, IRQ_A */
#define OTHER	4

#define LABELS_TEXT	"kvm-irqx labels"

/* Beyond any dynirq at IRQX_TABLE_GPA. */
#define FREE_GPA	(IRQX_TABLE_GPA + 0x200000)

void irqx_guest_wait(void)
{
	irqx_table_guest();
}

void irqx_vcpu_exit(struct irqx_vcpu *v)
{
	irqx_table_exit(v);
}

FIXTURE(dynirq)
{
	struct irqx_guest *g;
	struct irqx_table dynirq;
	struct dynirq regs;
	struct irqx_vector_message a, b;
	int ctx;
	int fd;
	int changefd;
};

FIXTURE_SETUP(dynirq)
{
	if (!irqx_takes_tables())
		SKIP(return, "no ITS");
	self->g = irqx_table_guest_create(2);
	self->ctx = self->g->ctx;
	self->a = irqx_vector_message(self->g, 0, IRQ_A);
	self->b = irqx_vector_message(self->g, 1, IRQ_B);
	self->changefd = irqx_eventfd(0, 0);
	self->dynirq = (struct irqx_table){ .nr = NR, .entries = IRQX_TABLE_GPA };
	irqx_assert(__irqx_dynirq_create(self->ctx, &self->dynirq, KVM_IRQX_TABLE_DECODES,
					 self->changefd));
	self->fd = irqx_eventfd(0, 0);
	irqx_bind(self->ctx, self->fd, irqx_vector_entry(&self->dynirq, HANDLE));
	irqx_guest_start(self->g);
	self->regs = irqx_dynirq_attach(self->g, 0, &self->dynirq);
	irqx_handle_map(self->g, 0, &self->dynirq, HANDLE, self->a);
	TEST_ASSERT(irqx_eventfd_take(self->changefd) == 1, "the reset is told");
	TEST_ASSERT(!irqx_exits.nr, "%u exits", irqx_exits.nr);
}

FIXTURE_TEARDOWN(dynirq)
{
	if (!self->g)
		return;
	/* So that nothing is under way; it may be gone. */
	__irqx_table_drop_pending(&self->dynirq);
	irqx_check(self->g);
	irqx_guest_free(self->g);
}

/* An event by KVM_IRQX_RAISE, and the interrupt. */
static void raise_at(struct irqx_guest *g, struct irqx_table *dynirq, uint32_t handle,
		     uint32_t vcpu, uint32_t irq)
{
	irqx_expect(g, vcpu, irq, 1);
	irqx_raise(dynirq, handle);
	irqx_wait_count(g, vcpu, irq, g->vcpus[vcpu].expect[irq]);
}

static bool is_pending(struct irqx_guest *g, struct irqx_table *dynirq, uint32_t handle)
{
	return irqx_handle_read(g, 0, dynirq, handle) & DYNIRQ_PENDING;
}

/* Both forms, and what the VMM gets, are this; @flags: DYNIRQ_*. */
static void expect_handle(struct __test_metadata *_metadata, struct irqx_guest *g,
			  struct irqx_table *dynirq, uint32_t handle,
			  struct irqx_vector_message message, uint64_t flags)
{
	uint64_t compact = irqx_handle_gpa(g, dynirq, handle);
	uint64_t entry = irqx_handle_entry_gpa(g, dynirq, handle);
	uint64_t value = dynirq_compact(message) | flags;
	struct kvm_irqx_vector state = irqx_vector_get(dynirq, handle);
	uint32_t masked = !!(flags & DYNIRQ_MASKED);
	const uint32_t pending = KVM_IRQX_VECTOR_PENDING;

	EXPECT_EQ(irqx_mmio_read(g, 0, compact, 8), value);
	EXPECT_EQ(irqx_mmio_read(g, 1, compact, 4), (uint32_t)value);
	EXPECT_EQ(irqx_mmio_read(g, 1, compact + 4, 4), value >> 32);
	EXPECT_EQ(irqx_mmio_read(g, 0, entry, 8), message.address);
	EXPECT_EQ(irqx_mmio_read(g, 0, entry + 8, 8),
		  message.data | (uint64_t)masked << 32);
	EXPECT_EQ(irqx_mmio_read(g, 1, entry, 4), (uint32_t)message.address);
	EXPECT_EQ(irqx_mmio_read(g, 1, entry + 4, 4), message.address >> 32);
	EXPECT_EQ(irqx_mmio_read(g, 1, entry + 8, 4), message.data);
	EXPECT_EQ(irqx_mmio_read(g, 1, entry + 12, 4), masked);
	EXPECT_EQ(state.address_lo, (uint32_t)message.address);
	EXPECT_EQ(state.address_hi, message.address >> 32);
	EXPECT_EQ(state.data, message.data);
	EXPECT_EQ(state.control, masked);
	EXPECT_EQ(state.state & pending, flags & DYNIRQ_PENDING ? pending : 0);
}

static const struct irqx_vector_message nothing;

/*
 * ---- The header (1, 2) ----
 */

FIXTURE(size)
{
	struct irqx_guest *g;
	struct irqx_table dynirq;
};

FIXTURE_VARIANT(size)
{
	uint32_t nr;
};

FIXTURE_VARIANT_ADD(size, 1) { .nr = 1 };
FIXTURE_VARIANT_ADD(size, 2) { .nr = 2 };
FIXTURE_VARIANT_ADD(size, 63) { .nr = 63 };
FIXTURE_VARIANT_ADD(size, 512) { .nr = 512 };
FIXTURE_VARIANT_ADD(size, 2048) { .nr = 2048 };
FIXTURE_VARIANT_ADD(size, 65536) { .nr = KVM_IRQX_MAX_HANDLES };

FIXTURE_SETUP(size)
{
	if (!irqx_takes_tables())
		SKIP(return, "no ITS");
	self->g = irqx_table_guest_create(2);
	/* Not at the beginning of what the guest has mapped. */
	self->dynirq = (struct irqx_table){
		.nr = variant->nr, .entries = IRQX_TABLE_GPA + 0x3000,
	};
	irqx_assert(__irqx_dynirq_create(self->g->ctx, &self->dynirq, KVM_IRQX_TABLE_DECODES,
					 KVM_IRQX_NO_FD));
	irqx_guest_start(self->g);
}

FIXTURE_TEARDOWN(size)
{
	if (!self->g)
		return;
	irqx_check(self->g);
	irqx_guest_free(self->g);
}

/* Writes nothing, and zeroes are read. */
static void expect_void(struct __test_metadata *_metadata, FIXTURE_DATA(size) *self,
			uint64_t offset)
{
	uint64_t gpa = self->dynirq.entries + offset;

	irqx_mmio_write(self->g, 0, gpa, 8, ~0ULL);
	irqx_mmio_write(self->g, 0, gpa, 4, ~0U);
	EXPECT_EQ(irqx_mmio_read(self->g, 0, gpa, 8), 0) TH_LOG("+0x%lx", offset);
	EXPECT_EQ(irqx_mmio_read(self->g, 0, gpa + 4, 4), 0) TH_LOG("+0x%lx", offset);
}

/* What lies between parts: its beginning, its end and its middle. */
static void expect_gap(struct __test_metadata *_metadata, FIXTURE_DATA(size) *self,
		       uint64_t start, uint64_t end)
{
	if (start == end)
		return;
	expect_void(_metadata, self, start);
	expect_void(_metadata, self, (start + end) / 2 & ~7ULL);
	expect_void(_metadata, self, end - 8);
}

TEST_F_TIMEOUT(size, layout, 60)
{
	struct dynirq d = irqx_dynirq_probe(self->g, 0, &self->dynirq);
	struct irqx_guest *g = self->g;
	uint32_t nr = variant->nr;
	uint64_t end;

	ASSERT_EQ(d.base, self->dynirq.entries);
	EXPECT_EQ(d.version, 0x00010000);
	EXPECT_EQ(d.handles, nr);
	EXPECT_EQ(d.size, irqx_dynirq_size(nr));
	EXPECT_LT(d.size, 2 << 20);
	EXPECT_EQ(d.features, DYNIRQ_HAS_COMPACT | DYNIRQ_HAS_LABELS);
	EXPECT_EQ(d.devid, irqx_table_devid());
	EXPECT_EQ(d.label_handle, 0);

	EXPECT_EQ(d.compact % 4096, 0);
	EXPECT_EQ(d.entries % 4096, 0);
	EXPECT_GE(d.compact, DYNIRQ_HEADER_SIZE);
	EXPECT_GE(d.entries, d.compact + 8 * nr);
	EXPECT_GE(d.size, d.entries + 16 * nr);
	expect_gap(_metadata, self, d.compact + 8 * nr, d.entries);
	expect_gap(_metadata, self, d.entries + 16 * nr, d.size);
	/* Whatever has been written there has changed no handle. */
	expect_handle(_metadata, g, &self->dynirq, nr - 1, nothing, DYNIRQ_MASKED |
		      (nr == 1 ? irqx_handle_read(g, 0, &self->dynirq, 0) & DYNIRQ_PENDING : 0));
	irqx_handle_write(g, 0, &self->dynirq, nr - 1,
			  dynirq_compact(irqx_vector_message(g, 0, IRQ_A)));
	EXPECT_EQ(irqx_mmio_read(g, 0, irqx_handle_entry_gpa(g, &self->dynirq, nr - 1) + 12, 4),
		  0);
	EXPECT_EQ(irqx_stats(g->ctx).undefined, 0);

	/* All of the range is answered, and nothing else. */
	EXPECT_EQ(irqx_exits.nr, 0);
	irqx_mmio_read(g, 0, d.base - 4, 4);
	EXPECT_EQ(irqx_exits.nr, 1);
	EXPECT_EQ(irqx_exits.gpa, d.base - 4);
	end = d.base + d.size;
	irqx_mmio_read(g, 0, end, 4);
	EXPECT_EQ(irqx_exits.nr, 2);
	EXPECT_EQ(irqx_exits.gpa, end);
	irqx_dynirq_reset(g, 0, &self->dynirq);
}

/* Those that are read only keep what they are; what is not listed is nothing. */
TEST_F_TIMEOUT(size, registers, 60)
{
	static const uint32_t read_only[] = {
		DYNIRQ_IDENT, DYNIRQ_VERSION, DYNIRQ_SIZE, DYNIRQ_HANDLES, DYNIRQ_FEATURES,
		DYNIRQ_FEATURES + 4, DYNIRQ_COMPACT, DYNIRQ_ENTRIES, DYNIRQ_STATUS, DYNIRQ_DEVID,
		DYNIRQ_LABEL_HANDLE, DYNIRQ_INSTANCE, DYNIRQ_INSTANCE + 4, DYNIRQ_LABEL_CHANGED,
		DYNIRQ_LABEL, DYNIRQ_LABEL + 4, DYNIRQ_LABEL + 16, DYNIRQ_LABEL + 28,
	};
	uint64_t base = self->dynirq.entries;
	struct irqx_guest *g = self->g;
	uint32_t i, offset;
	uint64_t before;

	irqx_dynirq_attach(g, 0, &self->dynirq);
	for (i = 0; i < ARRAY_SIZE(read_only); i++) {
		before = irqx_dynirq_read(g, 0, &self->dynirq, read_only[i]);
		irqx_dynirq_write(g, 0, &self->dynirq, read_only[i], ~before);
		EXPECT_EQ(irqx_dynirq_read(g, 0, &self->dynirq, read_only[i]), before)
			TH_LOG("+0x%x", read_only[i]);
	}
	/* The one of 8 bytes, two of 4. */
	EXPECT_EQ(irqx_mmio_read(g, 0, base, 8), DYNIRQ_IS_IDENT | 0x00010000ULL << 32);
	irqx_mmio_write(g, 0, base + DYNIRQ_DOORBELL, 8, 0x0123456789abcdec);
	EXPECT_EQ(irqx_mmio_read(g, 0, base + DYNIRQ_DOORBELL, 8), 0x0123456789abcdec);
	EXPECT_EQ(irqx_mmio_read(g, 0, base + DYNIRQ_DOORBELL, 4), 0x89abcdec);
	EXPECT_EQ(irqx_mmio_read(g, 0, base + DYNIRQ_DOORBELL + 4, 4), 0x01234567);
	irqx_mmio_write(g, 0, base + DYNIRQ_DOORBELL, 4, 0x76543210);
	EXPECT_EQ(irqx_mmio_read(g, 0, base + DYNIRQ_DOORBELL, 8), 0x0123456776543210);
	irqx_mmio_write(g, 0, base + DYNIRQ_DOORBELL + 4, 4, 0xfedcba98);
	EXPECT_EQ(irqx_mmio_read(g, 0, base + DYNIRQ_DOORBELL, 8), 0xfedcba9876543210);
	EXPECT_EQ(irqx_dynirq_header_get(&self->dynirq).doorbell, 0xfedcba9876543210);
	irqx_dynirq_write(g, 0, &self->dynirq, DYNIRQ_LABEL_SELECT, variant->nr - 1);
	EXPECT_EQ(irqx_dynirq_read(g, 0, &self->dynirq, DYNIRQ_LABEL_SELECT), variant->nr - 1);
	EXPECT_EQ(irqx_dynirq_header_get(&self->dynirq).select, variant->nr - 1);
	EXPECT_EQ(irqx_mmio_read(g, 0, base + DYNIRQ_INSTANCE, 8),
		  irqx_dynirq_header_get(&self->dynirq).instance);
	EXPECT_EQ(irqx_dynirq_read(g, 0, &self->dynirq, DYNIRQ_STATUS) & ~DYNIRQ_LABELS_CHANGED,
		  0);
	EXPECT_EQ(irqx_dynirq_read(g, 0, &self->dynirq, DYNIRQ_CONTROL), 0);

	for (offset = 0x48; offset < DYNIRQ_LABEL; offset += 8)
		expect_void(_metadata, self, offset);
	for (offset = DYNIRQ_LABEL + DYNIRQ_LABEL_SIZE; offset < DYNIRQ_HEADER_SIZE;
	     offset += offset < 0x100 ? 8 : 0x98)
		expect_void(_metadata, self, offset);
	expect_void(_metadata, self, DYNIRQ_HEADER_SIZE - 8);
	EXPECT_EQ(irqx_stats(g->ctx).undefined, 0);
	EXPECT_EQ(irqx_exits.nr, 0);
	irqx_dynirq_reset(g, 0, &self->dynirq);
}

/* Before it is there, IDENT is something else; a driver may look again (1). */
TEST_F(dynirq, comes_later)
{
	struct irqx_table late = { .nr = 2, .entries = FREE_GPA };

	EXPECT_EQ(irqx_dynirq_probe(self->g, 0, &late).base, 0);
	EXPECT_EQ(irqx_exits.nr, 1);
	irqx_assert(__irqx_dynirq_create(self->ctx, &late, 0, KVM_IRQX_NO_FD));
	EXPECT_EQ(irqx_dynirq_probe(self->g, 0, &late).base, 0);
	EXPECT_EQ(irqx_exits.nr, 2);
	irqx_table_set_flags(&late, KVM_IRQX_TABLE_DECODES);
	/* From 7.3 on KVM lets an access pass for a moment. */
	EXPECT_TRUE(irqx_wait_until(irqx_dynirq_probe(self->g, 0, &late).base == FREE_GPA,
				    1000));
	irqx_exits.nr = 0;
	irqx_dynirq_attach(self->g, 0, &late);
	irqx_handle_map(self->g, 0, &late, 1, self->b);
	raise_at(self->g, &late, 1, 1, IRQ_B);
	EXPECT_EQ(irqx_exits.nr, 0);
	irqx_dynirq_reset(self->g, 0, &late);
}

TEST_F(dynirq, info)
{
	struct kvm_irqx_info info = irqx_info(self->ctx);

	EXPECT_EQ(info.argsz, sizeof(info));
	EXPECT_TRUE(info.features & KVM_IRQX_FEATURE_DYNIRQ);
	EXPECT_EQ(info.max_handles, KVM_IRQX_MAX_HANDLES);
	EXPECT_EQ(info.table_state_version, KVM_IRQX_TABLE_STATE_VERSION);
	EXPECT_EQ(info.handle_ops, 1U << KVM_IRQX_HANDLE_ALLOC | 1U << KVM_IRQX_HANDLE_FREE |
				   1U << KVM_IRQX_HANDLE_LABEL | 1U << KVM_IRQX_HANDLE_GET);
	EXPECT_EQ(info.handle_flags, 0);
	EXPECT_EQ(info.raise_flags, 0);
	EXPECT_TRUE(info.table_ops & 1U << KVM_IRQX_TABLE_CREATE_DYNIRQ);
}

/*
 * ---- Two forms of the same handle (3, 4) ----
 */

TEST_F(dynirq, compact_is_seen_in_entry)
{
	uint64_t doorbell = irqx_dynirq_doorbell(self->g), value;
	struct irqx_guest *g = self->g;

	expect_handle(_metadata, g, &self->dynirq, HANDLE, self->a, 0);
	expect_handle(_metadata, g, &self->dynirq, OTHER, nothing, DYNIRQ_MASKED);
	irqx_handle_mask(g, 0, &self->dynirq, HANDLE, true);
	expect_handle(_metadata, g, &self->dynirq, HANDLE, self->a, DYNIRQ_MASKED);
	/* Whatever is in the message. */
	value = dynirq_compact((struct irqx_vector_message){ 0xfedcba98, 0xabcd });
	irqx_handle_write(g, 1, &self->dynirq, OTHER, value | DYNIRQ_MASKED);
	expect_handle(_metadata, g, &self->dynirq, OTHER, dynirq_message(value, doorbell),
		      DYNIRQ_MASKED);
	value = dynirq_compact((struct irqx_vector_message){ 0xffffffff, 0xffff });
	irqx_handle_write(g, 1, &self->dynirq, OTHER, value | DYNIRQ_MASKED);
	expect_handle(_metadata, g, &self->dynirq, OTHER, dynirq_message(value, doorbell),
		      DYNIRQ_MASKED);
	irqx_handle_write(g, 1, &self->dynirq, OTHER, DYNIRQ_MASKED);
	expect_handle(_metadata, g, &self->dynirq, OTHER, dynirq_message(0, doorbell),
		      DYNIRQ_MASKED);
	expect_handle(_metadata, g, &self->dynirq, OTHER + 1, nothing, DYNIRQ_MASKED);
	EXPECT_EQ(irqx_exits.nr, 0);
}

TEST_F(dynirq, entry_is_seen_in_compact)
{
	uint64_t entry = irqx_handle_entry_gpa(self->g, &self->dynirq, OTHER);
	uint64_t doorbell = irqx_dynirq_doorbell(self->g);
	struct irqx_vector_message m = { .address = doorbell };
	struct irqx_guest *g = self->g;

	/* Each dword alone; those of the address first, which arm64's compact form has not. */
	irqx_mmio_write(g, 0, entry, 4, (uint32_t)doorbell);
	irqx_mmio_write(g, 0, entry + 4, 4, doorbell >> 32);
	m.data = 0x4567;
	irqx_mmio_write(g, 0, entry + 8, 4, m.data);
	EXPECT_EQ(irqx_handle_read(g, 0, &self->dynirq, OTHER) & ~DYNIRQ_PARTIAL,
		  dynirq_compact(m) | DYNIRQ_MASKED);
	irqx_mmio_write(g, 0, entry + 12, 4, 0);
	EXPECT_EQ(irqx_handle_read(g, 0, &self->dynirq, OTHER) & ~DYNIRQ_PARTIAL,
		  dynirq_compact(m));
	/* By two of 8. */
	irqx_mmio_write(g, 0, entry + 8, 8, self->b.data | 1ULL << 32);
	irqx_mmio_write(g, 0, entry, 8, self->b.address);
	m = self->b;
	EXPECT_EQ(irqx_handle_read(g, 0, &self->dynirq, OTHER) & ~DYNIRQ_PARTIAL,
		  dynirq_compact(m) | DYNIRQ_MASKED);
	irqx_mmio_write(g, 0, entry + 8, 8, self->b.data);
	raise_at(g, &self->dynirq, OTHER, 1, IRQ_B);
	EXPECT_EQ(irqx_exits.nr, 0);
}

TEST_F(dynirq, entry_reads_back)
{
	uint64_t entry = irqx_handle_entry_gpa(self->g, &self->dynirq, OTHER);
	struct irqx_guest *g = self->g;

	irqx_mmio_write(g, 0, entry, 4, 0xfedcba98);
	irqx_mmio_write(g, 0, entry + 4, 4, 0x76543210);
	irqx_mmio_write(g, 0, entry + 8, 4, 0x89abcdef);
	EXPECT_EQ(irqx_mmio_read(g, 1, entry, 8), 0x76543210fedcba98);
	EXPECT_EQ(irqx_mmio_read(g, 1, entry + 8, 8), 0x189abcdef);
	EXPECT_EQ(irqx_vector_get(&self->dynirq, OTHER).address_hi, 0x76543210);
	/* Address bits 1:0 and Control bits 31:1 are zero. */
	irqx_mmio_write(g, 0, entry, 4, 0xffffffff);
	EXPECT_EQ(irqx_mmio_read(g, 0, entry, 4), 0xfffffffc);
	irqx_mmio_write(g, 0, entry + 12, 4, 0xffffffff);
	EXPECT_EQ(irqx_mmio_read(g, 0, entry + 12, 4), 1);
	irqx_mmio_write(g, 0, entry + 12, 4, 0xfffffffe);
	EXPECT_EQ(irqx_mmio_read(g, 0, entry + 12, 4), 0);
	irqx_mmio_write(g, 0, entry, 8, 0x1122334455667788);
	EXPECT_EQ(irqx_mmio_read(g, 0, entry + 4, 4), 0x11223344);
	EXPECT_EQ(irqx_mmio_read(g, 0, entry, 4), 0x55667788);
	EXPECT_EQ(irqx_stats(self->ctx).undefined, 0);
}

/* PARTIAL: the other form has written what this one does not show. */
TEST_F(dynirq, message_shown_in_part)
{
	struct irqx_vector_message more = dynirq_partial(self->b);
	uint64_t doorbell = irqx_dynirq_doorbell(self->g), value;
	struct irqx_table table = irqx_dynirq_as_table(self->g, &self->dynirq);
	struct irqx_guest *g = self->g;

	irqx_vector_program(g, 0, &table, OTHER, more);
	irqx_vector_mask(g, 0, &table, OTHER, true);
	expect_handle(_metadata, g, &self->dynirq, OTHER, more, DYNIRQ_MASKED | DYNIRQ_PARTIAL);
	/* Written back, what is not shown goes; the bit itself is read only. */
	value = irqx_handle_read(g, 0, &self->dynirq, OTHER);
	irqx_handle_write(g, 0, &self->dynirq, OTHER, value);
	expect_handle(_metadata, g, &self->dynirq, OTHER, dynirq_message(value, doorbell),
		      DYNIRQ_MASKED);
	irqx_handle_write(g, 0, &self->dynirq, OTHER, value & ~DYNIRQ_MASKED);
	raise_at(g, &self->dynirq, OTHER, 1, IRQ_B);
}

/* What was read is written with another mask; what is read only stays as it is. */
TEST_F(dynirq, value_is_written_back)
{
	struct irqx_guest *g = self->g;
	uint64_t value = irqx_handle_read(g, 0, &self->dynirq, HANDLE);

	EXPECT_EQ(value, dynirq_compact(self->a));
	irqx_handle_write(g, 0, &self->dynirq, HANDLE, value | DYNIRQ_MASKED);
	irqx_fire(self->fd);
	value = irqx_handle_read(g, 1, &self->dynirq, HANDLE);
	EXPECT_EQ(value, dynirq_compact(self->a) | DYNIRQ_MASKED | DYNIRQ_PENDING);
	irqx_handle_write(g, 0, &self->dynirq, HANDLE, value);
	EXPECT_EQ(irqx_handle_read(g, 0, &self->dynirq, HANDLE), value);
	/* Not to be cleared, nor set. */
	irqx_handle_write(g, 0, &self->dynirq, HANDLE, value & ~DYNIRQ_PENDING);
	EXPECT_EQ(irqx_handle_read(g, 0, &self->dynirq, HANDLE), value);
	irqx_handle_write(g, 0, &self->dynirq, OTHER,
			  DYNIRQ_MASKED | DYNIRQ_PENDING | DYNIRQ_PARTIAL);
	EXPECT_EQ(irqx_handle_read(g, 0, &self->dynirq, OTHER),
		  dynirq_compact(dynirq_message(0, 0)) | DYNIRQ_MASKED);
	irqx_expect_no_more(g, 0);
	irqx_expect(g, 0, IRQ_A, 1);
	irqx_handle_write(g, 0, &self->dynirq, HANDLE, value & ~DYNIRQ_MASKED);
	irqx_wait_count(g, 0, IRQ_A, 1);
	irqx_settle(self->ctx);
	EXPECT_EQ(irqx_handle_read(g, 0, &self->dynirq, HANDLE), dynirq_compact(self->a));
	irqx_expect_no_more(g, 1);
}

TEST_F(dynirq, discard)
{
	struct irqx_guest *g = self->g;
	uint64_t value = dynirq_compact(self->a) | DYNIRQ_MASKED;
	struct kvm_irqx_stats stats;

	/* Masked, it stays so. */
	irqx_handle_mask(g, 0, &self->dynirq, HANDLE, true);
	irqx_fire(self->fd);
	EXPECT_TRUE(is_pending(g, &self->dynirq, HANDLE));
	irqx_handle_write(g, 0, &self->dynirq, HANDLE, value | DYNIRQ_DISCARD);
	EXPECT_EQ(irqx_handle_read(g, 0, &self->dynirq, HANDLE), value);
	/* What has been dropped is not under way. */
	irqx_settle(self->ctx);
	irqx_handle_mask(g, 0, &self->dynirq, HANDLE, false);
	irqx_expect_no_more(g, 0);
	/* Nothing is pending: it does nothing. */
	irqx_handle_write(g, 0, &self->dynirq, HANDLE, value | DYNIRQ_DISCARD);
	irqx_handle_mask(g, 0, &self->dynirq, HANDLE, false);
	irqx_fire_at(g, self->fd, 0, IRQ_A);
	/* With the map: no event of the old use comes to the new one. */
	irqx_handle_mask(g, 0, &self->dynirq, HANDLE, true);
	irqx_fire(self->fd);
	irqx_handle_write(g, 0, &self->dynirq, HANDLE,
			  dynirq_compact(self->b) | DYNIRQ_DISCARD);
	irqx_expect_no_more(g, 1);
	irqx_fire_at(g, self->fd, 1, IRQ_B);
	/* As a driver unmaps. */
	irqx_handle_mask(g, 0, &self->dynirq, HANDLE, true);
	irqx_fire(self->fd);
	irqx_handle_unmap(g, 0, &self->dynirq, HANDLE);
	EXPECT_FALSE(is_pending(g, &self->dynirq, HANDLE));
	irqx_settle(self->ctx);
	stats = irqx_stats(self->ctx);
	EXPECT_EQ(stats.events, stats.atomic + stats.deferred + stats.unrouted);
	irqx_handle_map(g, 0, &self->dynirq, HANDLE, self->a);
	irqx_expect_no_more(g, 2);
	irqx_fire_at(g, self->fd, 0, IRQ_A);
}

/* As irqx_mmio_write() and _read() of @len bytes, which are undefined. */
static void poke(struct __test_metadata *_metadata, struct irqx_guest *g, uint64_t gpa,
		 uint32_t len, uint64_t *n)
{
	irqx_mmio_write(g, 0, gpa, len, ~0ULL);
	EXPECT_EQ(irqx_mmio_read(g, 0, gpa, len), 0) TH_LOG("%u bytes at 0x%lx", len, gpa);
	*n += 2;
}

/* All that is not 4 or 8 bytes, aligned (1), within 16 bytes. */
static void poke_around(struct __test_metadata *_metadata, struct irqx_guest *g, uint64_t gpa,
			uint64_t *n)
{
	uint32_t i;

	for (i = 0; i < 16; i++)
		poke(_metadata, g, gpa + i, 1, n);
	for (i = 0; i < 15; i++)
		poke(_metadata, g, gpa + i, 2, n);
	for (i = 0; i < 13; i++)
		if (i % 4)
			poke(_metadata, g, gpa + i, 4, n);
	for (i = 1; i < 8; i++)
		poke(_metadata, g, gpa + i, 8, n);
}

TEST_F(dynirq, undefined_accesses_change_nothing)
{
	uint64_t compact = irqx_handle_gpa(self->g, &self->dynirq, HANDLE);
	uint64_t entry = irqx_handle_entry_gpa(self->g, &self->dynirq, HANDLE);
	uint64_t base = self->dynirq.entries, n = 0, doorbell;
	struct irqx_guest *g = self->g;

	doorbell = irqx_mmio_read(g, 0, base + DYNIRQ_DOORBELL, 8);
	poke_around(_metadata, g, entry, &n);
	/* From an even handle on, so that it is this one and the next. */
	poke_around(_metadata, g, compact - 8, &n);
	/* 4 bytes of the compact form can be read, and not be written. */
	irqx_mmio_write(g, 0, compact, 4, ~0U);
	irqx_mmio_write(g, 0, compact + 4, 4, DYNIRQ_MASKED >> 32);
	n += 2;
	expect_handle(_metadata, g, &self->dynirq, HANDLE, self->a, 0);
	expect_handle(_metadata, g, &self->dynirq, HANDLE - 1, nothing, DYNIRQ_MASKED);
	poke_around(_metadata, g, base, &n);
	poke_around(_metadata, g, base + DYNIRQ_STATUS, &n);
	poke_around(_metadata, g, base + DYNIRQ_DOORBELL, &n);
	poke_around(_metadata, g, base + DYNIRQ_LABEL_SELECT, &n);
	EXPECT_EQ(irqx_mmio_read(g, 0, base + DYNIRQ_DOORBELL, 8), doorbell);
	EXPECT_EQ(irqx_dynirq_read(g, 0, &self->dynirq, DYNIRQ_LABEL_SELECT), 0);
	EXPECT_EQ(irqx_eventfd_take(self->changefd), 0);
	EXPECT_EQ(irqx_stats(self->ctx).undefined, n);
	EXPECT_EQ(irqx_exits.nr, 0);
	irqx_fire_at(g, self->fd, 0, IRQ_A);
	/* They stay counted when the dynirq is no more. */
	irqx_unbind(self->ctx, self->fd);
	irqx_table_destroy(&self->dynirq);
	EXPECT_EQ(irqx_stats(self->ctx).undefined, n);
}

/*
 * ---- Events (5) ----
 */

TEST_F(dynirq, one_write_moves)
{
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);
	irqx_handle_map(self->g, 1, &self->dynirq, HANDLE, self->b);
	irqx_fire_at(self->g, self->fd, 1, IRQ_B);
	irqx_handle_map(self->g, 0, &self->dynirq, HANDLE, self->a);
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);
	EXPECT_EQ(irqx_exits.nr, 0);
}

TEST_F(dynirq, masked_event_is_pending_and_one)
{
	struct irqx_guest *g = self->g;

	EXPECT_FALSE(is_pending(g, &self->dynirq, HANDLE));
	irqx_handle_mask(g, 0, &self->dynirq, HANDLE, true);
	EXPECT_FALSE(is_pending(g, &self->dynirq, HANDLE));
	irqx_fire(self->fd);
	irqx_fire(self->fd);
	irqx_raise(&self->dynirq, HANDLE);
	EXPECT_EQ(irqx_eventfd_take(self->fd), 0);
	expect_handle(_metadata, g, &self->dynirq, HANDLE, self->a,
		      DYNIRQ_MASKED | DYNIRQ_PENDING);
	EXPECT_EQ(irqx_vector_get(&self->dynirq, HANDLE).state,
		  KVM_IRQX_VECTOR_PENDING | KVM_IRQX_VECTOR_BOUND);
	EXPECT_EQ(irqx_state(self->ctx, self->fd, 0),
		  KVM_IRQX_STATE_MASKED | KVM_IRQX_STATE_PENDING);
	irqx_expect_no_more(g, 0);
	irqx_expect(g, 0, IRQ_A, 1);
	irqx_handle_mask(g, 1, &self->dynirq, HANDLE, false);
	irqx_wait_count(g, 0, IRQ_A, 1);
	irqx_settle(self->ctx);
	expect_handle(_metadata, g, &self->dynirq, HANDLE, self->a, 0);
	EXPECT_EQ(irqx_state(self->ctx, self->fd, 0), 0);
	irqx_expect_no_more(g, 1);
}

/* Moved while masked, and then unmasked; and by the one write that unmasks. */
TEST_F(dynirq, pending_event_moves)
{
	struct irqx_guest *g = self->g;

	irqx_handle_mask(g, 0, &self->dynirq, HANDLE, true);
	irqx_fire(self->fd);
	irqx_handle_write(g, 0, &self->dynirq, HANDLE,
			  dynirq_compact(irqx_vector_message(g, 0, IRQ_B)) | DYNIRQ_MASKED);
	EXPECT_TRUE(is_pending(g, &self->dynirq, HANDLE));
	irqx_expect_no_more(g, 0);
	irqx_expect(g, 1, IRQ_B, 1);
	irqx_handle_map(g, 0, &self->dynirq, HANDLE, self->b);
	irqx_wait_count(g, 1, IRQ_B, 1);
	irqx_expect_no_more(g, 1);
}

/* By the other form: masked, changed, unmasked. */
TEST_F(dynirq, form_of_pci)
{
	struct irqx_table table = irqx_dynirq_as_table(self->g, &self->dynirq);
	struct irqx_guest *g = self->g;

	irqx_vector_program(g, 1, &table, HANDLE, self->b);
	irqx_fire_at(g, self->fd, 1, IRQ_B);
	irqx_vector_mask(g, 1, &table, HANDLE, true);
	irqx_fire(self->fd);
	EXPECT_TRUE(is_pending(g, &self->dynirq, HANDLE));
	irqx_expect_no_more(g, 1);
	irqx_expect(g, 0, IRQ_A, 1);
	irqx_vector_program(g, 0, &table, HANDLE, self->a);
	irqx_wait_count(g, 0, IRQ_A, 1);
	irqx_vector_program(g, 1, &table, OTHER, self->b);
	raise_at(g, &self->dynirq, OTHER, 1, IRQ_B);
	/* A mask of the one form is the other's. */
	irqx_handle_mask(g, 0, &self->dynirq, OTHER, true);
	irqx_raise(&self->dynirq, OTHER);
	irqx_expect(g, 1, IRQ_B, 1);
	irqx_vector_mask(g, 0, &table, OTHER, false);
	irqx_wait_count(g, 1, IRQ_B, 3);
}

/* Every handle is there from the beginning. */
TEST_F(dynirq, unmapped_handle_keeps_its_event)
{
	int fd = irqx_eventfd(0, 0);
	struct irqx_guest *g = self->g;

	irqx_bind(self->ctx, fd, irqx_vector_entry(&self->dynirq, NR - 1));
	irqx_fire(fd);
	irqx_raise(&self->dynirq, OTHER);
	irqx_raise(&self->dynirq, OTHER);
	EXPECT_EQ(irqx_eventfd_take(fd), 0);
	EXPECT_TRUE(is_pending(g, &self->dynirq, NR - 1));
	EXPECT_TRUE(is_pending(g, &self->dynirq, OTHER));
	irqx_expect_no_more(g, 0);
	irqx_expect(g, 1, IRQ_B, 1);
	irqx_handle_map(g, 0, &self->dynirq, NR - 1, self->b);
	irqx_wait_count(g, 1, IRQ_B, 1);
	irqx_expect(g, 0, IRQ_B, 1);
	irqx_handle_map(g, 0, &self->dynirq, OTHER, irqx_vector_message(g, 0, IRQ_B));
	irqx_wait_count(g, 0, IRQ_B, 1);
	irqx_expect_no_more(g, 2);
	close(fd);
}

/* Who shares a message has an interrupt for each event, if the guest takes it before the next. */
TEST_F(dynirq, several_have_the_same_message)
{
	struct irqx_guest *g = self->g;
	uint32_t i;

	for (i = 10; i < 20; i++)
		irqx_handle_map(g, i % 2, &self->dynirq, i, self->a);
	for (i = 10; i < 20; i++)
		raise_at(g, &self->dynirq, i, 0, IRQ_A);
	irqx_fire_at(g, self->fd, 0, IRQ_A);
	/* One of them masked is none of the others. */
	irqx_handle_mask(g, 0, &self->dynirq, 10, true);
	irqx_raise(&self->dynirq, 10);
	raise_at(g, &self->dynirq, 11, 0, IRQ_A);
	irqx_expect(g, 0, IRQ_A, 1);
	irqx_handle_mask(g, 0, &self->dynirq, 10, false);
	irqx_wait_count(g, 0, IRQ_A, 13);
}

/* In any order, and one several times. */
TEST_F(dynirq, raise)
{
	const uint32_t one[] = { 20, 22, 21 }, twice[] = { 23, 24, 23, 23 };
	uint32_t max = irqx_info(self->ctx).max_batch, i;
	uint32_t *many = calloc(max, sizeof(*many));
	struct irqx_guest *g = self->g;
	uint64_t events;

	for (i = 20; i < 25; i++)
		irqx_handle_map(g, 0, &self->dynirq, i,
				irqx_vector_message(g, i % 2, IRQX_IRQ_MIN + i));
	events = irqx_stats(self->ctx).events;
	for (i = 20; i < 23; i++)
		irqx_expect(g, i % 2, IRQX_IRQ_MIN + i, 1);
	irqx_raise_many(&self->dynirq, one, 3);
	irqx_wait_total(g, 3);
	irqx_check(g);
	EXPECT_EQ(irqx_stats(self->ctx).events, events + 3);

	irqx_handle_mask(g, 0, &self->dynirq, 23, true);
	irqx_expect(g, 0, IRQX_IRQ_MIN + 24, 1);
	irqx_raise_many(&self->dynirq, twice, 4);
	irqx_wait_total(g, 4);
	irqx_expect(g, 1, IRQX_IRQ_MIN + 23, 1);
	irqx_handle_mask(g, 0, &self->dynirq, 23, false);
	irqx_wait_total(g, 5);
	irqx_expect_no_more(g, 5);

	/* As many as may be; all are one there. */
	irqx_handle_mask(g, 0, &self->dynirq, 23, true);
	for (i = 0; i < max; i++)
		many[i] = 23;
	irqx_raise_many(&self->dynirq, many, max);
	EXPECT_TRUE(is_pending(g, &self->dynirq, 23));
	irqx_expect(g, 1, IRQX_IRQ_MIN + 23, 1);
	irqx_handle_mask(g, 0, &self->dynirq, 23, false);
	irqx_wait_total(g, 6);
	irqx_expect_no_more(g, 6);
	free(many);
}

/* A vector of a table to which nothing is bound keeps its event until somebody binds it. */
TEST_F(dynirq, raise_of_a_table)
{
	struct irqx_table table = {
		.nr = 8, .entries = FREE_GPA, .pba = FREE_GPA + 0x1000,
	};
	struct kvm_irqx_vector state = {
		.address_lo = self->b.address,
		.address_hi = self->b.address >> 32,
		.data = self->b.data,
	};
	struct irqx_guest *g = self->g;
	int fd = irqx_eventfd(0, 0);

	irqx_assert(__irqx_table_create(self->ctx, &table, IRQX_TABLE_ON, KVM_IRQX_NO_FD));
	irqx_vector_put(&table, 5, state);
	irqx_raise(&table, 5);
	EXPECT_TRUE(irqx_vector_pending(g, 0, &table, 5));
	irqx_expect_no_more(g, 0);
	irqx_expect(g, 1, IRQ_B, 1);
	irqx_bind(self->ctx, fd, irqx_vector_entry(&table, 5));
	irqx_wait_count(g, 1, IRQ_B, 1);
	raise_at(g, &table, 5, 1, IRQ_B);
	irqx_vector_mask(g, 0, &table, 5, true);
	irqx_raise(&table, 5);
	EXPECT_TRUE(irqx_vector_pending(g, 0, &table, 5));
	irqx_expect(g, 1, IRQ_B, 1);
	irqx_vector_mask(g, 0, &table, 5, false);
	irqx_wait_count(g, 1, IRQ_B, 3);
	EXPECT_EQ(__irqx_raise(&table, 8), EINVAL);
	/* A table is no dynirq otherwise. */
	EXPECT_EQ(__irqx_handle_alloc(&table, 3, "x"), EINVAL);
	close(fd);
}

/*
 * ---- Ways to a handle ----
 */

TEST_F(dynirq, last_one_leaves_it_answered)
{
	struct irqx_guest *g = self->g;

	irqx_handle_mask(g, 0, &self->dynirq, HANDLE, true);
	irqx_fire(self->fd);
	irqx_unbind(self->ctx, self->fd);
	EXPECT_EQ(irqx_eventfd_take(self->fd), 0);
	expect_handle(_metadata, g, &self->dynirq, HANDLE, self->a,
		      DYNIRQ_MASKED | DYNIRQ_PENDING);
	EXPECT_EQ(irqx_vector_get(&self->dynirq, HANDLE).state & KVM_IRQX_VECTOR_BOUND, 0);
	irqx_expect(g, 0, IRQ_A, 1);
	irqx_handle_mask(g, 0, &self->dynirq, HANDLE, false);
	irqx_wait_count(g, 0, IRQ_A, 1);
	raise_at(g, &self->dynirq, HANDLE, 0, IRQ_A);
	EXPECT_EQ(irqx_exits.nr, 0);
	irqx_bind(self->ctx, self->fd, irqx_vector_entry(&self->dynirq, HANDLE));
	irqx_fire_at(g, self->fd, 0, IRQ_A);
}

TEST_F(dynirq, gsi_leads_there)
{
	struct kvm_irqx_op del = { .op = KVM_IRQX_OP_ROUTE_DEL, .entry.gsi = GSI };
	struct irqx_guest *g = self->g;
	int fd = irqx_eventfd(0, 0);

	irqx_irqfd(self->ctx, fd, GSI, 0);
	irqx_route_set(self->ctx, GSI, irqx_vector_entry(&self->dynirq, OTHER));
	EXPECT_EQ(irqx_vector_get(&self->dynirq, OTHER).state, KVM_IRQX_VECTOR_BOUND);
	irqx_handle_map(g, 0, &self->dynirq, OTHER, self->b);
	irqx_fire_at(g, fd, 1, IRQ_B);
	irqx_expect(g, 1, IRQ_B, 1);
	irqx_irq_line(self->ctx, GSI, 1);
	irqx_wait_count(g, 1, IRQ_B, 2);
	irqx_irq_line(self->ctx, GSI, 0);
	irqx_handle_mask(g, 0, &self->dynirq, OTHER, true);
	irqx_irq_line(self->ctx, GSI, 1);
	EXPECT_TRUE(is_pending(g, &self->dynirq, OTHER));
	EXPECT_EQ(irqx_state(self->ctx, KVM_IRQX_NO_FD, GSI),
		  KVM_IRQX_STATE_MASKED | KVM_IRQX_STATE_PENDING);
	EXPECT_EQ(__irqx_mask(self->ctx, KVM_IRQX_NO_FD, GSI, true), EINVAL);
	EXPECT_EQ(__irqx_mask(self->ctx, self->fd, 0, true), EINVAL);
	irqx_batch(self->ctx, &del, 1);
	EXPECT_TRUE(is_pending(g, &self->dynirq, OTHER));
	irqx_fire(fd);
	EXPECT_EQ(irqx_stats(self->ctx).unrouted, 1);
	close(fd);
}

TEST_F(dynirq, binding_moves_there_and_back)
{
	int fd = irqx_eventfd(0, 0);

	irqx_bind(self->ctx, fd, irqx_entry(self->g, 1, IRQ_B));
	irqx_mask(self->ctx, fd);
	irqx_fire(fd);
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_modify(self->ctx, fd, irqx_vector_entry(&self->dynirq, HANDLE));
	irqx_wait_count(self->g, 0, IRQ_A, 1);
	irqx_fire_at(self->g, fd, 0, IRQ_A);
	irqx_modify(self->ctx, fd, irqx_entry(self->g, 1, IRQ_B));
	EXPECT_EQ(irqx_state(self->ctx, fd, 0), 0);
	irqx_fire_at(self->g, fd, 1, IRQ_B);
	close(fd);
}

TEST_F(dynirq, batch_leads_there)
{
	struct kvm_irqx_op ops[NR] = {};
	struct irqx_guest *g = self->g;
	int fds[NR];
	uint32_t i;

	irqx_eventfds(fds, NR);
	for (i = 0; i < NR; i++) {
		ops[i].op = KVM_IRQX_OP_ASSIGN;
		ops[i].fd = fds[i];
		ops[i].entry = irqx_vector_entry(&self->dynirq, i);
	}
	/* The last one fails, and none is bound. */
	ops[NR - 1].entry.u.irqchip.pin = NR;
	EXPECT_EQ(__irqx_batch(self->ctx, ops, NR, &i), EINVAL);
	EXPECT_EQ(i, NR - 1);
	EXPECT_EQ(irqx_vector_get(&self->dynirq, OTHER).state, 0);
	ops[NR - 1].entry.u.irqchip.pin = NR - 1;
	irqx_batch(self->ctx, ops, NR);
	irqx_handles_map(g, 1, &self->dynirq, 1, NR - 1);
	for (i = 1; i < NR; i++)
		irqx_fire_at(g, fds[i], irqx_slot(g, i).vcpu, irqx_slot(g, i).irq);
	for (i = 0; i < NR; i++)
		ops[i] = (struct kvm_irqx_op){ .op = KVM_IRQX_OP_DEASSIGN, .fd = fds[i] };
	irqx_batch(self->ctx, ops, NR);
	irqx_handle_map(g, 0, &self->dynirq, HANDLE, self->a);
	irqx_fire_at(g, self->fd, 0, IRQ_A);
	irqx_close_all(fds, NR);
}

/*
 * ---- Labels (6) ----
 */

/* What the guest finds: LABEL_HANDLE's own comes first. */
static void expect_labels(struct __test_metadata *_metadata, struct irqx_guest *g,
			  struct irqx_table *dynirq, const struct irqx_label *want, uint32_t nr)
{
	struct irqx_label got[16] = {};
	uint32_t i;

	ASSERT_EQ(irqx_dynirq_labels(g, 0, dynirq, got, 16), nr);
	for (i = 0; i < nr; i++) {
		EXPECT_EQ(got[i].handle, want[i].handle);
		EXPECT_EQ(memcmp(got[i].text, want[i].text, DYNIRQ_LABEL_SIZE), 0)
			TH_LOG("label %u: \"%.32s\", not \"%.32s\"", i, got[i].text,
			       want[i].text);
	}
	EXPECT_EQ(irqx_dynirq_read(g, 0, dynirq, DYNIRQ_LABEL_CHANGED), DYNIRQ_NO_HANDLE);
	EXPECT_EQ(irqx_dynirq_read(g, 0, dynirq, DYNIRQ_STATUS), 0);
}

TEST_F(dynirq, labels_are_found)
{
	const struct irqx_label first[] = {
		{ 0, LABELS_TEXT }, { 1, "any" }, { 2, "second" }, { 7, "net0 tx 3" },
		{ NR - 1, "1234567890123456789012345678901" },
	};
	const struct irqx_label later[] = { { 2, "other" }, { 7, "" }, { 8, "new" } };
	struct irqx_table *dynirq = &self->dynirq;
	struct irqx_label none = {}, got;
	struct irqx_guest *g = self->g;
	uint32_t handle;

	handle = irqx_dynirq_read(g, 0, dynirq, DYNIRQ_LABEL_CHANGED);
	EXPECT_EQ(handle, self->regs.label_handle);
	EXPECT_EQ(irqx_dynirq_read(g, 0, dynirq, DYNIRQ_STATUS), DYNIRQ_LABELS_CHANGED);
	irqx_handle_alloc(dynirq, 7, first[3].text);
	irqx_handle_alloc(dynirq, NR - 1, first[4].text);
	EXPECT_EQ(irqx_handle_alloc_any(dynirq, first[1].text), 1);
	EXPECT_EQ(irqx_handle_alloc_any(dynirq, first[2].text), 2);
	expect_labels(_metadata, g, dynirq, first, 5);

	/* Only what is new, then. */
	irqx_handle_label(dynirq, 2, later[0].text);
	irqx_handle_free(dynirq, 7);
	irqx_handle_alloc(dynirq, 8, later[2].text);
	EXPECT_EQ(irqx_dynirq_read(g, 0, dynirq, DYNIRQ_LABEL_CHANGED), 2);
	EXPECT_EQ(irqx_dynirq_read(g, 0, dynirq, DYNIRQ_STATUS), DYNIRQ_LABELS_CHANGED);
	expect_labels(_metadata, g, dynirq, later, 3);
	/* Looked at again, they are as they are; who has none, zeroes. */
	got = irqx_dynirq_select(g, 1, dynirq, NR - 1);
	EXPECT_EQ(memcmp(got.text, first[4].text, DYNIRQ_LABEL_SIZE), 0);
	got = irqx_dynirq_select(g, 1, dynirq, 9);
	EXPECT_EQ(memcmp(got.text, none.text, DYNIRQ_LABEL_SIZE), 0);
	/* No handle. */
	irqx_dynirq_select(g, 1, dynirq, 8);
	got = irqx_dynirq_select(g, 1, dynirq, NR);
	EXPECT_EQ(memcmp(got.text, none.text, DYNIRQ_LABEL_SIZE), 0);
	EXPECT_EQ(irqx_dynirq_latched(g, 0, dynirq).handle, NR);
	irqx_dynirq_select(g, 1, dynirq, 8);
	got = irqx_dynirq_select(g, 1, dynirq, ~0U);
	EXPECT_EQ(memcmp(got.text, none.text, DYNIRQ_LABEL_SIZE), 0);
	EXPECT_EQ(irqx_exits.nr, 0);
}

/* LABEL is what it was when LABEL_SELECT was written. */
TEST_F(dynirq, label_is_latched)
{
	const struct irqx_label later[] = { { OTHER, "later" } };
	struct irqx_table *dynirq = &self->dynirq;
	struct irqx_label labels[4], got;
	struct irqx_guest *g = self->g;

	irqx_handle_alloc(dynirq, OTHER, "first");
	irqx_dynirq_labels(g, 0, dynirq, labels, 4);
	irqx_dynirq_select(g, 0, dynirq, OTHER);
	irqx_handle_label(dynirq, OTHER, "second");
	got = irqx_dynirq_latched(g, 1, dynirq);
	EXPECT_EQ(got.handle, OTHER);
	EXPECT_EQ(strcmp(got.text, "first"), 0);
	irqx_handle_free(dynirq, OTHER);
	irqx_handle_alloc(dynirq, OTHER, "later");
	got = irqx_dynirq_latched(g, 1, dynirq);
	EXPECT_EQ(strcmp(got.text, "first"), 0);
	expect_labels(_metadata, g, dynirq, later, 1);
	got = irqx_dynirq_latched(g, 0, dynirq);
	EXPECT_EQ(got.handle, OTHER);
	EXPECT_EQ(strcmp(got.text, "later"), 0);
	/* A change between the look and the select is not lost, nor told twice. */
	irqx_handle_label(dynirq, OTHER, "a");
	EXPECT_EQ(irqx_dynirq_read(g, 0, dynirq, DYNIRQ_LABEL_CHANGED), OTHER);
	irqx_handle_label(dynirq, OTHER, "b");
	got = irqx_dynirq_select(g, 0, dynirq, OTHER);
	EXPECT_EQ(strcmp(got.text, "b"), 0);
	EXPECT_EQ(irqx_dynirq_read(g, 0, dynirq, DYNIRQ_LABEL_CHANGED), DYNIRQ_NO_HANDLE);
	EXPECT_EQ(irqx_dynirq_read(g, 0, dynirq, DYNIRQ_STATUS), 0);
}

TEST_F(dynirq, label_handle_is_raised)
{
	struct irqx_table *dynirq = &self->dynirq;
	uint32_t handle = self->regs.label_handle;
	struct irqx_guest *g = self->g;
	struct irqx_label labels[4];
	uint64_t events;

	irqx_handle_map(g, 0, dynirq, handle, self->b);
	irqx_dynirq_labels(g, 0, dynirq, labels, 4);
	irqx_expect_no_more(g, 0);
	events = irqx_stats(self->ctx).events;
	irqx_expect(g, 1, IRQ_B, 1);
	irqx_handle_alloc(dynirq, OTHER, "one");
	irqx_wait_count(g, 1, IRQ_B, 1);
	irqx_settle(self->ctx);
	EXPECT_EQ(irqx_stats(self->ctx).events, events + 1);
	irqx_dynirq_labels(g, 0, dynirq, labels, 4);
	irqx_expect(g, 1, IRQ_B, 1);
	irqx_handle_label(dynirq, OTHER, "two");
	irqx_wait_count(g, 1, IRQ_B, 2);
	irqx_dynirq_labels(g, 0, dynirq, labels, 4);
	irqx_expect(g, 1, IRQ_B, 1);
	irqx_handle_free(dynirq, OTHER);
	irqx_wait_count(g, 1, IRQ_B, 3);
	irqx_dynirq_labels(g, 0, dynirq, labels, 4);
	/* Masked it is pending, as any. */
	irqx_handle_mask(g, 0, dynirq, handle, true);
	irqx_handle_alloc(dynirq, OTHER, "one");
	EXPECT_TRUE(is_pending(g, dynirq, handle));
	irqx_expect_no_more(g, 3);
	irqx_expect(g, 1, IRQ_B, 1);
	irqx_handle_mask(g, 0, dynirq, handle, false);
	irqx_wait_count(g, 1, IRQ_B, 4);
	/* Who reads raises nothing, and a failed call neither. */
	irqx_dynirq_labels(g, 0, dynirq, labels, 4);
	EXPECT_EQ(__irqx_handle_alloc(dynirq, OTHER, "one"), EBUSY);
	irqx_expect_no_more(g, 4);
	EXPECT_EQ(irqx_dynirq_read(g, 0, dynirq, DYNIRQ_LABEL_CHANGED), DYNIRQ_NO_HANDLE);
}

/* Who owns a handle, and what becomes of its events and of the guest's mapping. */
TEST_F(dynirq, owners)
{
	struct irqx_table *dynirq = &self->dynirq;
	char label[KVM_IRQX_LABEL_SIZE], none[KVM_IRQX_LABEL_SIZE] = {};
	struct irqx_guest *g = self->g;

	EXPECT_EQ(__irqx_handle_get(dynirq, 0, label), 0);
	EXPECT_EQ(strcmp(label, LABELS_TEXT), 0);
	EXPECT_EQ(__irqx_handle_get(dynirq, OTHER, label), ENOENT);
	/* Bound or not does not matter to who takes it. */
	irqx_handle_alloc(dynirq, HANDLE, "bound");
	EXPECT_EQ(__irqx_handle_alloc(dynirq, HANDLE, "again"), EBUSY);
	EXPECT_EQ(__irqx_handle_free(dynirq, HANDLE), EBUSY);
	irqx_fire_at(g, self->fd, 0, IRQ_A);
	memcpy(label, none, sizeof(label));
	EXPECT_EQ(__irqx_handle_get(dynirq, HANDLE, label), 0);
	EXPECT_EQ(strcmp(label, "bound"), 0);
	irqx_handle_label(dynirq, HANDLE, "changed");
	EXPECT_EQ(__irqx_handle_get(dynirq, HANDLE, label), 0);
	EXPECT_EQ(strcmp(label, "changed"), 0);
	/* The guest's mapping is not touched. */
	expect_handle(_metadata, g, dynirq, HANDLE, self->a, 0);
	irqx_fire_at(g, self->fd, 0, IRQ_A);

	irqx_route_set(self->ctx, GSI, irqx_vector_entry(dynirq, HANDLE));
	irqx_unbind(self->ctx, self->fd);
	EXPECT_EQ(__irqx_handle_free(dynirq, HANDLE), EBUSY);
	irqx_route_del(self->ctx, GSI);
	irqx_handle_mask(g, 0, dynirq, HANDLE, true);
	irqx_raise(dynirq, HANDLE);
	EXPECT_TRUE(is_pending(g, dynirq, HANDLE));
	irqx_handle_free(dynirq, HANDLE);
	/* What the guest has mapped stays, what was pending is dropped. */
	expect_handle(_metadata, g, dynirq, HANDLE, self->a, DYNIRQ_MASKED);
	EXPECT_EQ(__irqx_handle_get(dynirq, HANDLE, label), ENOENT);
	EXPECT_EQ(__irqx_handle_free(dynirq, HANDLE), ENOENT);
	EXPECT_EQ(__irqx_handle_label(dynirq, HANDLE, "x"), ENOENT);
	/* Raised while nobody has it, and nothing is left of that when somebody takes it. */
	irqx_raise(dynirq, HANDLE);
	irqx_handle_alloc(dynirq, HANDLE, "new");
	expect_handle(_metadata, g, dynirq, HANDLE, self->a, DYNIRQ_MASKED);
	irqx_handle_mask(g, 0, dynirq, HANDLE, false);
	irqx_expect_no_more(g, 2);
	raise_at(g, dynirq, HANDLE, 0, IRQ_A);
	/* What is the dynirq's own is pending still; it is all that is. */
	irqx_handle_write(g, 0, dynirq, 0, DYNIRQ_MASKED | DYNIRQ_DISCARD);
	irqx_settle(self->ctx);
}

/* The lowest that is free, until all have owners. */
TEST_F(dynirq, any_handle)
{
	struct irqx_table *dynirq = &self->dynirq;
	uint32_t i, handle = KVM_IRQX_ANY_HANDLE;
	char label[KVM_IRQX_LABEL_SIZE] = "any";

	irqx_handle_alloc(dynirq, 5, "five");
	for (i = 1; i < NR; i++)
		if (i != 5)
			EXPECT_EQ(irqx_handle_alloc_any(dynirq, "any"), i);
	EXPECT_EQ(__irqx_handle(dynirq, KVM_IRQX_HANDLE_ALLOC, &handle, label), ENOSPC);
	irqx_handle_free(dynirq, 40);
	irqx_handle_free(dynirq, 30);
	EXPECT_EQ(irqx_handle_alloc_any(dynirq, "any"), 30);
	EXPECT_EQ(irqx_handle_alloc_any(dynirq, "any"), 40);
}

/*
 * ---- Reset and off (7) ----
 */

TEST_F(dynirq, reset_by_the_guest)
{
	const struct irqx_label all[] = { { 0, LABELS_TEXT }, { OTHER, "x" }, { NR - 1, "y" } };
	struct irqx_table *dynirq = &self->dynirq;
	uint64_t base = dynirq->entries;
	struct irqx_label labels[4];
	struct irqx_guest *g = self->g;
	uint32_t i;

	irqx_handle_alloc(dynirq, OTHER, "x");
	irqx_handle_alloc(dynirq, NR - 1, "y");
	/* One that the guest has not seen go: without a label, it does not count. */
	irqx_handle_alloc(dynirq, 10, "gone");
	irqx_dynirq_labels(g, 0, dynirq, labels, 4);
	irqx_handle_free(dynirq, 10);
	irqx_dynirq_select(g, 0, dynirq, OTHER);
	irqx_handle_map(g, 0, dynirq, OTHER, self->b);
	irqx_handle_mask(g, 0, dynirq, OTHER, true);
	irqx_raise(dynirq, OTHER);
	irqx_raise(dynirq, NR - 1);
	irqx_fire_at(g, self->fd, 0, IRQ_A);

	irqx_dynirq_reset(g, 1, dynirq);
	EXPECT_EQ(irqx_eventfd_take(self->changefd), 1);
	for (i = 0; i < NR; i++)
		EXPECT_EQ(irqx_handle_read(g, 0, dynirq, i), DYNIRQ_MASKED);
	expect_handle(_metadata, g, dynirq, HANDLE, nothing, DYNIRQ_MASKED);
	expect_handle(_metadata, g, dynirq, OTHER, nothing, DYNIRQ_MASKED);
	EXPECT_EQ(irqx_mmio_read(g, 0, base + DYNIRQ_DOORBELL, 8), 0);
	EXPECT_EQ(irqx_dynirq_read(g, 0, dynirq, DYNIRQ_LABEL_SELECT), 0);
	EXPECT_EQ(irqx_dynirq_read(g, 0, dynirq, DYNIRQ_CONTROL), 0);
	EXPECT_EQ(irqx_vector_get(dynirq, HANDLE).state, KVM_IRQX_VECTOR_BOUND);
	irqx_settle(self->ctx);
	/* Owners keep what they have. */
	expect_labels(_metadata, g, dynirq, all, 3);

	irqx_fire(self->fd);
	EXPECT_TRUE(is_pending(g, dynirq, HANDLE));
	irqx_expect_no_more(g, 1);
	irqx_mmio_write(g, 0, base + DYNIRQ_DOORBELL, 8, irqx_dynirq_doorbell(g));
	irqx_expect(g, 0, IRQ_A, 1);
	irqx_handle_map(g, 0, dynirq, HANDLE, self->a);
	irqx_wait_count(g, 0, IRQ_A, 2);
	EXPECT_EQ(irqx_eventfd_take(self->changefd), 0);
	EXPECT_EQ(irqx_exits.nr, 0);
}

/* By an access of 8 bytes; other values are nothing. */
TEST_F(dynirq, control)
{
	static const uint32_t none[] = { 0, 3, 4, 5, 0x101, 0x10000001, 1U << 31, ~0U };
	uint64_t base = self->dynirq.entries;
	struct irqx_guest *g = self->g;
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(none); i++)
		irqx_dynirq_write(g, 0, &self->dynirq, DYNIRQ_CONTROL, none[i]);
	irqx_dynirq_write(g, 0, &self->dynirq, DYNIRQ_STATUS, DYNIRQ_RESET);
	irqx_mmio_write(g, 0, base + DYNIRQ_STATUS, 8, DYNIRQ_RESET);
	irqx_mmio_write(g, 0, base + DYNIRQ_ENTRIES, 4, DYNIRQ_RESET);
	EXPECT_EQ(irqx_eventfd_take(self->changefd), 0);
	expect_handle(_metadata, g, &self->dynirq, HANDLE, self->a, 0);
	irqx_fire_at(g, self->fd, 0, IRQ_A);
	irqx_mmio_write(g, 0, base + DYNIRQ_STATUS, 8, (uint64_t)DYNIRQ_RESET << 32);
	EXPECT_EQ(irqx_eventfd_take(self->changefd), 1);
	expect_handle(_metadata, g, &self->dynirq, HANDLE, nothing, DYNIRQ_MASKED);
	EXPECT_EQ(irqx_exits.nr, 0);
}

TEST_F(dynirq, switched_off)
{
	struct irqx_table *dynirq = &self->dynirq;
	uint64_t compact = irqx_handle_gpa(self->g, dynirq, HANDLE);
	uint64_t entry = irqx_handle_entry_gpa(self->g, dynirq, HANDLE);
	uint64_t base = dynirq->entries;
	struct irqx_guest *g = self->g;
	struct kvm_irqx_vector vectors[NR];

	EXPECT_EQ(irqx_table_get(dynirq, vectors, NULL), KVM_IRQX_TABLE_DECODES);
	irqx_dynirq_off(g, 0, dynirq);
	EXPECT_EQ(irqx_eventfd_take(self->changefd), 1);
	EXPECT_EQ(irqx_table_get(dynirq, vectors, NULL), 0);
	EXPECT_EQ(irqx_exits.nr, 0);
	irqx_mmio_read(g, 0, base + DYNIRQ_IDENT, 4);
	irqx_mmio_read(g, 1, compact, 8);
	irqx_mmio_read(g, 1, entry, 4);
	irqx_mmio_write(g, 0, compact, 8, dynirq_compact(self->b));
	irqx_mmio_write(g, 0, base + DYNIRQ_CONTROL, 4, DYNIRQ_RESET);
	EXPECT_EQ(irqx_exits.nr, 5);
	EXPECT_EQ(irqx_exits.gpa, base + DYNIRQ_CONTROL);
	EXPECT_EQ(irqx_eventfd_take(self->changefd), 0);
	/* Handles stay as they are. */
	irqx_fire_at(g, self->fd, 0, IRQ_A);
	raise_at(g, dynirq, HANDLE, 0, IRQ_A);
	irqx_raise(dynirq, OTHER);
	irqx_table_set_flags(dynirq, KVM_IRQX_TABLE_DECODES);
	irqx_wait_until(irqx_dynirq_probe(g, 0, dynirq).base == base, 1000);
	irqx_exits.nr = 0;
	expect_handle(_metadata, g, dynirq, HANDLE, self->a, 0);
	EXPECT_TRUE(is_pending(g, dynirq, OTHER));
	EXPECT_EQ(irqx_dynirq_read(g, 0, dynirq, DYNIRQ_IDENT), DYNIRQ_IS_IDENT);
	irqx_fire_at(g, self->fd, 0, IRQ_A);
	EXPECT_EQ(irqx_exits.nr, 0);
	EXPECT_EQ(irqx_table_get(dynirq, vectors, NULL), KVM_IRQX_TABLE_DECODES);

	/* As a driver leaves, again and again: the VMM may let the range be answered each time. */
	irqx_dynirq_reset(g, 0, dynirq);
	irqx_dynirq_off(g, 0, dynirq);
	EXPECT_EQ(irqx_eventfd_take(self->changefd), 2);
	irqx_table_set_flags(dynirq, KVM_IRQX_TABLE_DECODES);
	irqx_dynirq_off(g, 1, dynirq);
	irqx_table_move(dynirq, FREE_GPA, 0);
	irqx_table_set_flags(dynirq, KVM_IRQX_TABLE_DECODES);
	EXPECT_TRUE(irqx_wait_until(irqx_dynirq_probe(g, 0, dynirq).base == FREE_GPA, 1000));
}

/*
 * ---- The VMM ----
 */

TEST_F(dynirq, moves_and_decodes)
{
	struct irqx_table *dynirq = &self->dynirq;
	uint64_t old = dynirq->entries;
	struct irqx_guest *g = self->g;

	irqx_table_move(dynirq, FREE_GPA, 0);
	EXPECT_TRUE(irqx_wait_until(irqx_dynirq_probe(g, 0, dynirq).base == FREE_GPA, 1000));
	irqx_exits.nr = 0;
	expect_handle(_metadata, g, dynirq, HANDLE, self->a, 0);
	EXPECT_EQ(irqx_exits.nr, 0);
	irqx_mmio_read(g, 0, old, 4);
	irqx_mmio_read(g, 0, old + self->regs.compact, 8);
	irqx_mmio_read(g, 0, old + self->regs.entries, 4);
	EXPECT_EQ(irqx_exits.nr, 3);
	irqx_fire_at(g, self->fd, 0, IRQ_A);
	/* Over the place that it has. */
	irqx_table_move(dynirq, FREE_GPA + 4096, 0);
	EXPECT_TRUE(irqx_wait_until(irqx_dynirq_probe(g, 0, dynirq).base == FREE_GPA + 4096,
				    1000));
	irqx_handle_map(g, 0, dynirq, HANDLE, self->b);
	irqx_fire_at(g, self->fd, 1, IRQ_B);

	irqx_exits.nr = 0;
	irqx_table_set_flags(dynirq, 0);
	irqx_dynirq_read(g, 0, dynirq, DYNIRQ_IDENT);
	irqx_handle_read(g, 0, dynirq, HANDLE);
	EXPECT_EQ(irqx_exits.nr, 2);
	irqx_fire_at(g, self->fd, 1, IRQ_B);
	irqx_table_move(dynirq, old, 0);
	irqx_table_set_flags(dynirq, KVM_IRQX_TABLE_DECODES);
	EXPECT_TRUE(irqx_wait_until(irqx_dynirq_probe(g, 0, dynirq).base == old, 1000));
	irqx_handle_map(g, 0, dynirq, HANDLE, self->a);
	irqx_fire_at(g, self->fd, 0, IRQ_A);
	EXPECT_EQ(irqx_eventfd_take(self->changefd), 0);
}

TEST_F(dynirq, destroy)
{
	struct irqx_table *dynirq = &self->dynirq, next = *dynirq;
	struct irqx_guest *g = self->g;

	EXPECT_EQ(__irqx_table_destroy(dynirq), EBUSY);
	irqx_route_set(self->ctx, GSI, irqx_vector_entry(dynirq, OTHER));
	irqx_unbind(self->ctx, self->fd);
	EXPECT_EQ(__irqx_table_destroy(dynirq), EBUSY);
	irqx_fire(self->fd);
	irqx_route_del(self->ctx, GSI);
	raise_at(g, dynirq, HANDLE, 0, IRQ_A);
	/* With owners, labels, and what is pending. */
	irqx_handle_alloc(dynirq, OTHER, "x");
	irqx_raise(dynirq, NR - 1);
	irqx_table_destroy(dynirq);
	irqx_settle(self->ctx);
	EXPECT_EQ(__irqx_raise(dynirq, HANDLE), ENOENT);
	EXPECT_EQ(irqx_dynirq_probe(g, 0, dynirq).base, 0);
	EXPECT_EQ(irqx_exits.nr, 1);
	/* The next one has a number of its own (8). */
	irqx_assert(__irqx_dynirq_create(self->ctx, &next, KVM_IRQX_TABLE_DECODES,
					 self->changefd));
	EXPECT_TRUE(irqx_wait_until(irqx_dynirq_probe(g, 0, &next).base, 1000));
	EXPECT_NE(irqx_dynirq_probe(g, 0, &next).instance, self->regs.instance);
	expect_handle(_metadata, g, &next, HANDLE, nothing, DYNIRQ_MASKED);
	EXPECT_EQ(__irqx_handle_get(&next, OTHER, NULL), ENOENT);
	irqx_dynirq_reset(g, 0, &next);
	*dynirq = next;
}

/* No two have the same INSTANCE, of whatever context and VM. */
TEST_F(dynirq, instances_differ)
{
	struct irqx_guest *other = irqx_table_guest_create(1);
	struct irqx_table dynirqs[16];
	uint64_t instances[16];
	uint32_t i, j;
	int ctx;

	for (i = 0; i < 16; i++) {
		ctx = i % 3 == 0 ? self->ctx : i % 3 == 1 ? other->ctx :
						      irqx_context(other->vm);
		dynirqs[i] = (struct irqx_table){ .nr = 1, .entries = FREE_GPA + i * 0x3000 };
		irqx_assert(__irqx_dynirq_create(ctx, &dynirqs[i], 0, KVM_IRQX_NO_FD));
		instances[i] = irqx_dynirq_header_get(&dynirqs[i]).instance;
		EXPECT_NE(instances[i], self->regs.instance);
		for (j = 0; j < i; j++)
			EXPECT_NE(instances[i], instances[j]);
		if (i % 3 == 2)
			close(ctx);
	}
	irqx_guest_free(other);
}

static int create(int ctx, uint64_t gpa, uint32_t nr, uint32_t flags)
{
	struct irqx_table dynirq = { .nr = nr, .entries = gpa };
	int err = __irqx_dynirq_create(ctx, &dynirq, flags, KVM_IRQX_NO_FD);

	if (!err)
		irqx_table_destroy(&dynirq);
	return err;
}

TEST_F(dynirq, overlaps)
{
	const uint32_t on = KVM_IRQX_TABLE_DECODES;
	uint64_t base = self->dynirq.entries, size = self->regs.size;
	struct irqx_table table = { .nr = 1, .entries = base + size - 16, .pba = FREE_GPA };
	struct irqx_table hidden = { .nr = NR, .entries = base };
	int ctx = irqx_context(self->g->vm);

	EXPECT_EQ(create(self->ctx, base, 1, on), EEXIST);
	EXPECT_EQ(create(ctx, base + size - 4096, 1, on), EEXIST);
	EXPECT_EQ(create(ctx, base + size, 1, on), 0);
	EXPECT_EQ(create(ctx, base - irqx_dynirq_size(1), 1, on), 0);
	EXPECT_EQ(create(ctx, base - irqx_dynirq_size(1) + 4096, 1, on), EEXIST);
	/* A table of vectors, and the other way round. */
	EXPECT_EQ(__irqx_table_create(ctx, &table, IRQX_TABLE_ON, KVM_IRQX_NO_FD), EEXIST);
	table.entries = base + size;
	irqx_assert(__irqx_table_create(ctx, &table, IRQX_TABLE_ON, KVM_IRQX_NO_FD));
	EXPECT_EQ(create(self->ctx, base + size, 1, on), EEXIST);
	EXPECT_EQ(create(self->ctx, FREE_GPA, 1, on), EEXIST);
	irqx_table_destroy(&table);
	/* One that does not decode may be anywhere, and may not begin to. */
	irqx_assert(__irqx_dynirq_create(ctx, &hidden, 0, KVM_IRQX_NO_FD));
	EXPECT_EQ(__irqx_table_set_flags(&hidden, on), EEXIST);
	EXPECT_EQ(__irqx_table_put(&hidden, 0, 0, NULL, on), EEXIST);
	EXPECT_EQ(irqx_handle_read(self->g, 0, &self->dynirq, HANDLE), dynirq_compact(self->a));
	/* The guest switches its own off: there is room. */
	irqx_dynirq_off(self->g, 0, &self->dynirq);
	irqx_table_set_flags(&hidden, on);
	EXPECT_EQ(__irqx_table_set_flags(&self->dynirq, on), EEXIST);
	irqx_wait_until(irqx_handle_read(self->g, 0, &self->dynirq, HANDLE) == DYNIRQ_MASKED,
			1000);
	EXPECT_EQ(irqx_handle_read(self->g, 0, &self->dynirq, HANDLE), DYNIRQ_MASKED);
	close(ctx);
	irqx_table_set_flags(&self->dynirq, on);
	irqx_wait_until(irqx_handle_read(self->g, 0, &self->dynirq, HANDLE) ==
			dynirq_compact(self->a), 1000);
	EXPECT_EQ(irqx_handle_read(self->g, 0, &self->dynirq, HANDLE), dynirq_compact(self->a));
}

/* Each takes one place of KVM's bus, which has 1,000. */
TEST_F_TIMEOUT(dynirq, as_many_as_fit, 200)
{
	static struct irqx_table dynirqs[1010];
	uint32_t i, n;
	int err = 0;

	for (n = 0; n < ARRAY_SIZE(dynirqs) && !err; n++) {
		dynirqs[n] = (struct irqx_table){
			.nr = 1, .entries = FREE_GPA + n * irqx_dynirq_size(1),
		};
		err = __irqx_dynirq_create(self->ctx, &dynirqs[n], KVM_IRQX_TABLE_DECODES,
					   KVM_IRQX_NO_FD);
	}
	EXPECT_EQ(err, ENOSPC);
	EXPECT_GE(n, 960);
	EXPECT_LE(n, 1000);
	EXPECT_TRUE(irqx_wait_until(irqx_dynirq_probe(self->g, 0, &dynirqs[0]).base, 1000));
	for (i = 0; i + 1 < n; i++)
		irqx_table_destroy(&dynirqs[i]);
	EXPECT_EQ(create(self->ctx, FREE_GPA, 1, KVM_IRQX_TABLE_DECODES), 0);
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);
}

/* SET does what the guest's writes do, each handle in one step. */
TEST_F(dynirq, vmm_changes_handles)
{
	struct irqx_table *dynirq = &self->dynirq;
	struct kvm_irqx_vector state = {
		.address_lo = self->b.address,
		.address_hi = self->b.address >> 32,
		.data = self->b.data,
	};
	struct irqx_guest *g = self->g;

	irqx_vector_put(dynirq, HANDLE, state);
	irqx_fire_at(g, self->fd, 1, IRQ_B);
	/* Pending and masked, then unmasked by the guest. */
	state.state = KVM_IRQX_VECTOR_PENDING;
	state.control = 1;
	irqx_vector_put(dynirq, HANDLE, state);
	EXPECT_TRUE(is_pending(g, dynirq, HANDLE));
	irqx_expect(g, 1, IRQ_B, 1);
	irqx_handle_mask(g, 0, dynirq, HANDLE, false);
	irqx_wait_count(g, 1, IRQ_B, 2);
	/* Pending and not masked is one interrupt. */
	state.control = 0;
	irqx_expect(g, 1, IRQ_B, 1);
	irqx_vector_put(dynirq, HANDLE, state);
	irqx_wait_count(g, 1, IRQ_B, 3);
	/* Cleared. */
	irqx_handle_mask(g, 0, dynirq, HANDLE, true);
	irqx_fire(self->fd);
	state.state = 0;
	irqx_vector_put(dynirq, HANDLE, state);
	expect_handle(_metadata, g, dynirq, HANDLE, self->b, 0);
	irqx_settle(self->ctx);
	irqx_expect_no_more(g, 3);
	/* Entries alone, Pending bits alone. */
	irqx_handle_mask(g, 0, dynirq, HANDLE, true);
	irqx_fire(self->fd);
	state.control = 1;
	state.data = self->a.data;
	state.address_lo = self->a.address;
	state.address_hi = self->a.address >> 32;
	irqx_assert(__irqx_vector_keep(dynirq, HANDLE, state,
				       KVM_IRQX_TABLE_STATE_KEEP_PENDING));
	expect_handle(_metadata, g, dynirq, HANDLE, self->a, DYNIRQ_MASKED | DYNIRQ_PENDING);
	state.data = 0;
	state.control = 0;
	irqx_assert(__irqx_vector_keep(dynirq, HANDLE, state,
				       KVM_IRQX_TABLE_STATE_KEEP_ENTRIES));
	expect_handle(_metadata, g, dynirq, HANDLE, self->a, DYNIRQ_MASKED);
	irqx_settle(self->ctx);
	/* What the VMM does is not told. */
	EXPECT_EQ(irqx_eventfd_take(self->changefd), 0);
}

/* Its handles are there whether bound or not: what is pending at one that is not masked is sent. */
TEST_F(dynirq, vmm_sets_an_unbound_handle)
{
	struct kvm_irqx_vector state = {
		.address_lo = self->b.address,
		.address_hi = self->b.address >> 32,
		.data = self->b.data,
		.state = KVM_IRQX_VECTOR_PENDING,
	};
	uint64_t events = irqx_stats(self->ctx).events;

	irqx_expect(self->g, 1, IRQ_B, 1);
	irqx_vector_put(&self->dynirq, OTHER, state);
	irqx_wait_count(self->g, 1, IRQ_B, 1);
	expect_handle(_metadata, self->g, &self->dynirq, OTHER, self->b, 0);
	irqx_settle(self->ctx);
	EXPECT_EQ(irqx_stats(self->ctx).events, events + 1);
	/* And by Pending bits alone. */
	irqx_expect(self->g, 1, IRQ_B, 1);
	irqx_assert(__irqx_vector_keep(&self->dynirq, OTHER, state,
				       KVM_IRQX_TABLE_STATE_KEEP_ENTRIES));
	irqx_wait_count(self->g, 1, IRQ_B, 2);
}

/* Label-changed bits are the guest's view: GET has them, and SET makes them. */
TEST_F(dynirq, label_changed_bits)
{
	const uint32_t changed = KVM_IRQX_VECTOR_LABEL_CHANGED;
	struct irqx_table *dynirq = &self->dynirq;
	struct irqx_guest *g = self->g;
	struct kvm_irqx_vector state;
	struct irqx_label labels[4];

	EXPECT_EQ(irqx_vector_get(dynirq, 0).state & changed, changed);
	irqx_handle_alloc(dynirq, OTHER, "x");
	EXPECT_EQ(irqx_vector_get(dynirq, OTHER).state, changed);
	irqx_dynirq_labels(g, 0, dynirq, labels, 4);
	EXPECT_EQ(irqx_vector_get(dynirq, 0).state & changed, 0);
	state = irqx_vector_get(dynirq, OTHER);
	EXPECT_EQ(state.state, 0);
	state.state = changed;
	irqx_vector_put(dynirq, OTHER, state);
	EXPECT_EQ(irqx_dynirq_read(g, 0, dynirq, DYNIRQ_LABEL_CHANGED), OTHER);
	EXPECT_EQ(irqx_dynirq_read(g, 0, dynirq, DYNIRQ_STATUS), DYNIRQ_LABELS_CHANGED);
	state.state = 0;
	irqx_vector_put(dynirq, OTHER, state);
	EXPECT_EQ(irqx_dynirq_read(g, 0, dynirq, DYNIRQ_LABEL_CHANGED), DYNIRQ_NO_HANDLE);
	EXPECT_EQ(irqx_dynirq_read(g, 0, dynirq, DYNIRQ_STATUS), 0);
}

TEST_F(dynirq, header_is_set)
{
	struct kvm_irqx_dynirq_header header = irqx_dynirq_header_get(&self->dynirq);
	uint64_t base = self->dynirq.entries;
	struct irqx_guest *g = self->g;

	EXPECT_EQ(header.doorbell, irqx_dynirq_doorbell(g));
	EXPECT_EQ(header.select, 0);
	EXPECT_EQ(header.instance, self->regs.instance);
	header.doorbell = 0x0123456789abcdec;
	header.select = OTHER;
	header.instance = 0xfedcba9876543210;
	irqx_assert(__irqx_dynirq_header_put(&self->dynirq, header));
	EXPECT_EQ(irqx_mmio_read(g, 0, base + DYNIRQ_DOORBELL, 8), header.doorbell);
	EXPECT_EQ(irqx_mmio_read(g, 0, base + DYNIRQ_INSTANCE, 8), header.instance);
	EXPECT_EQ(irqx_dynirq_read(g, 0, &self->dynirq, DYNIRQ_LABEL_SELECT), OTHER);
	/* A mapping has the doorbell of its time. */
	expect_handle(_metadata, g, &self->dynirq, HANDLE, self->a,
		      irqx_handle_read(g, 0, &self->dynirq, HANDLE) & DYNIRQ_PARTIAL);
	irqx_fire_at(g, self->fd, 0, IRQ_A);
	EXPECT_EQ(irqx_dynirq_header_get(&self->dynirq).instance, header.instance);
}

/* Another process, another VM. */

#define SAVED_NR	(2 * KVM_IRQX_MAX_VECTORS + 77)

static bool is_saved_pending(uint32_t i)
{
	return i && i % 7 < 3;
}

static bool is_saved_masked(uint32_t i)
{
	return !i || i % 7 < 5;
}

static int restore(void *arg)
{
	struct irqx_dynirq_state *state = arg, again = {};
	const struct irqx_label changed[] = { { 11, "eleven" } };
	struct irqx_guest *g = irqx_table_guest_create(2);
	struct irqx_table dynirq = { .nr = SAVED_NR, .entries = FREE_GPA };
	uint64_t pending = 0, instance;
	struct irqx_label got;
	uint32_t i, n = irqx_nr_slots(g);

	irqx_assert(__irqx_dynirq_create(g->ctx, &dynirq, 0, KVM_IRQX_NO_FD));
	instance = irqx_dynirq_header_get(&dynirq).instance;
	TEST_ASSERT(instance != state->header.instance, "INSTANCE 0x%lx twice", instance);
	irqx_handle_alloc(&dynirq, 10, "ten");
	irqx_handle_alloc(&dynirq, 11, "eleven");
	irqx_dynirq_put(&dynirq, state);
	irqx_guest_start(g);
	irqx_wait_until(irqx_dynirq_probe(g, 0, &dynirq).base, 1000);

	/* It is what it was. */
	again.handles = calloc(SAVED_NR, sizeof(*again.handles));
	irqx_dynirq_get(&dynirq, &again);
	TEST_ASSERT(!memcmp(&again.header, &state->header, sizeof(again.header)),
		    "another header");
	for (i = 0; i < SAVED_NR; i++)
		TEST_ASSERT(!memcmp(&again.handles[i], &state->handles[i],
				    sizeof(again.handles[i])), "another handle %u", i);
	TEST_ASSERT(irqx_dynirq_probe(g, 0, &dynirq).instance == state->header.instance,
		    "another INSTANCE");
	got = irqx_dynirq_latched(g, 0, &dynirq);
	TEST_ASSERT(got.handle == 10 && !strcmp(got.text, "ten"), "LABEL is \"%.32s\" of %u",
		    got.text, got.handle);
	TEST_ASSERT(irqx_dynirq_labels(g, 0, &dynirq, &got, 1) == 1 &&
		    !memcmp(&got, changed, sizeof(got)), "\"%.32s\" of %u has changed",
		    got.text, got.handle);

	/* A driver that goes on: unmasks what was pending, as many at once as are told apart. */
	irqx_fence(g);
	TEST_ASSERT(!irqx_total(g), "%lu too early", irqx_total(g));
	for (i = 0; i < SAVED_NR; i++) {
		if (is_saved_pending(i))
			pending++;
		if (is_saved_pending(i) || i % n == 0)
			irqx_handle_mask(g, i % 2, &dynirq, i, false);
		if (i % n == n - 1)
			irqx_wait_total(g, pending);
	}
	irqx_wait_total(g, pending);
	irqx_settle(g->ctx);
	irqx_fence(g);
	TEST_ASSERT(irqx_total(g) == pending, "%lu of %lu", irqx_total(g), pending);
	/* And what the guest had mapped is. */
	irqx_raise(&dynirq, 12);
	irqx_wait_count(g, irqx_slot(g, 12).vcpu, irqx_slot(g, 12).irq, 1);
	irqx_guest_free(g);
	return 0;
}

TEST_F_TIMEOUT(dynirq, saved_and_restored, 120)
{
	struct irqx_table dynirq = { .nr = SAVED_NR, .entries = FREE_GPA };
	struct irqx_dynirq_state state = {
		.handles = calloc(SAVED_NR, sizeof(*state.handles)),
	};
	struct irqx_guest *g = self->g;
	struct irqx_label labels[4];
	uint32_t i;

	irqx_assert(__irqx_dynirq_create(self->ctx, &dynirq, KVM_IRQX_TABLE_DECODES,
					 KVM_IRQX_NO_FD));
	irqx_dynirq_attach(g, 0, &dynirq);
	irqx_handle_alloc(&dynirq, 10, "ten");
	irqx_dynirq_labels(g, 0, &dynirq, labels, 4);
	irqx_handle_unmap(g, 0, &dynirq, 0);
	irqx_handles_map(g, 1, &dynirq, 1, SAVED_NR - 1);
	for (i = 1; i < SAVED_NR; i++) {
		if (is_saved_masked(i))
			irqx_handle_mask(g, i % 2, &dynirq, i, true);
		if (is_saved_pending(i))
			irqx_raise(&dynirq, i);
	}
	/* Handle 11 and 0 have news that the guest has not read; 10 is selected. */
	irqx_dynirq_select(g, 0, &dynirq, 10);
	irqx_handle_alloc(&dynirq, 11, "eleven");
	irqx_handle_unmap(g, 0, &dynirq, 0);
	irqx_dynirq_get(&dynirq, &state);

	EXPECT_EQ(state.function, KVM_IRQX_TABLE_DECODES);
	EXPECT_EQ(state.header.select, 10);
	EXPECT_EQ(state.header.doorbell, irqx_dynirq_doorbell(g));
	for (i = 0; i < SAVED_NR; i++) {
		uint32_t want = is_saved_pending(i) ? KVM_IRQX_VECTOR_PENDING : 0;

		if (i == 11)
			want |= KVM_IRQX_VECTOR_LABEL_CHANGED;
		ASSERT_EQ(state.handles[i].state, want) TH_LOG("handle %u", i);
		ASSERT_EQ(state.handles[i].control, is_saved_masked(i)) TH_LOG("handle %u", i);
	}
	irqx_expect_no_more(g, 0);
	EXPECT_EQ(irqx_in_child(restore, &state), 0);
	irqx_dynirq_reset(g, 0, &dynirq);
	irqx_settle(self->ctx);
	free(state.handles);
}

/*
 * ---- Under fire ----
 */

#define PACED	irqx_iterations(3000, 100000)

/* One event after the other, until both vCPUs have done enough.  Return: how many. */
static uint64_t fire_paced(struct irqx_guest *g, int fd)
{
	uint64_t i, base = irqx_total(g);

	for (i = 1;; i++) {
		if (i > PACED && irqx_guest_done(g, 0) >= PACED / 4 &&
		    irqx_guest_done(g, 1) >= PACED / 4)
			break;
		irqx_fire(fd);
		irqx_wait_total(g, base + i);
	}
	irqx_guest_end(g, 0);
	irqx_guest_end(g, 1);
	irqx_fence(g);
	return i - 1;
}

/* Each vCPU moves it to and fro; one event outstanding: each is one interrupt. */
TEST_F_TIMEOUT(dynirq, paced_moves, 1500)
{
	struct irqx_guest *g = self->g;
	uint64_t fired;

	irqx_handle_moves_start(g, 0, &self->dynirq, HANDLE, self->a, self->b, ~0ULL);
	irqx_handle_moves_start(g, 1, &self->dynirq, HANDLE, irqx_vector_message(g, 0, IRQ_B),
				irqx_vector_message(g, 1, IRQ_A), ~0ULL);
	fired = fire_paced(g, self->fd);
	EXPECT_EQ(irqx_total(g), fired);
	EXPECT_EQ(irqx_exits.nr, 0);
	irqx_forget(g);
}

/* By the form of PCI on one, and masks of another handle with the same event on the other. */
TEST_F_TIMEOUT(dynirq, paced_moves_by_entry, 1500)
{
	struct irqx_table table = irqx_dynirq_as_table(self->g, &self->dynirq);
	struct irqx_guest *g = self->g;
	uint64_t fired;

	irqx_handle_map(g, 0, &self->dynirq, OTHER, self->b);
	irqx_vector_moves_start(g, 0, &table, HANDLE, self->a, irqx_vector_message(g, 0, IRQ_B),
				~0ULL);
	irqx_vector_masks_start(g, 1, &table, OTHER, ~0ULL);
	fired = fire_paced(g, self->fd);
	EXPECT_EQ(irqx_total(g), fired);
	irqx_forget(g);
}

/* Both vCPUs mask and unmask it; what is read is written back. */
TEST_F_TIMEOUT(dynirq, masks_under_fire, 1500)
{
	struct irqx_guest *g = self->g;
	uint64_t fired;

	irqx_handle_masks_start(g, 0, &self->dynirq, HANDLE, ~0ULL);
	irqx_handle_masks_start(g, 1, &self->dynirq, HANDLE, ~0ULL);
	fired = fire_paced(g, self->fd);
	EXPECT_EQ(irqx_total(g), fired);
	irqx_forget(g);
}

/* Many: one at least after the last, no more than there were. */
TEST_F_TIMEOUT(dynirq, unpaced_moves, 300)
{
	struct irqx_guest *g = self->g;
	struct irqx_storm storm;
	uint64_t fired, before;

	irqx_storm_start(&storm, &self->fd, 1);
	irqx_handle_moves_start(g, 0, &self->dynirq, HANDLE, self->a, self->b, PACED / 2);
	irqx_handle_moves_start(g, 1, &self->dynirq, HANDLE, irqx_vector_message(g, 0, IRQ_B),
				irqx_vector_message(g, 1, IRQ_A), PACED / 2);
	irqx_guest_join(g, 0);
	irqx_guest_join(g, 1);
	fired = irqx_storm_stop(&storm);
	irqx_settle(self->ctx);
	irqx_fence(g);
	before = irqx_total(g);
	EXPECT_LE(before, fired);
	EXPECT_GT(before, 0);
	irqx_fire(self->fd);
	irqx_wait_total(g, before + 1);
	irqx_fence(g);
	EXPECT_EQ(irqx_total(g), before + 1);
	irqx_forget(g);
}

/* When a write returns, it is complete: nothing goes to the old place any more. */
TEST_F_TIMEOUT(dynirq, moved_means_moved, 300)
{
	uint64_t i, n = irqx_iterations(150, 3000), before, fired;
	struct irqx_guest *g = self->g;
	struct irqx_storm storm;

	irqx_storm_start(&storm, &self->fd, 1);
	for (i = 0; i < n; i++) {
		bool to_b = i % 2 == 0;

		irqx_handle_map(g, i % 3 == 0, &self->dynirq, HANDLE, to_b ? self->b : self->a);
		/* What KVM had been given is taken now. */
		irqx_fence(g);
		before = to_b ? irqx_count(g, 0, IRQ_A) : irqx_count(g, 1, IRQ_B);
		fired = READ_ONCE(storm.fired);
		EXPECT_TRUE(irqx_wait_until(READ_ONCE(storm.fired) > fired + 2,
					    IRQX_TIMEOUT_MS));
		irqx_fence(g);
		EXPECT_EQ(to_b ? irqx_count(g, 0, IRQ_A) : irqx_count(g, 1, IRQ_B), before);
	}
	irqx_storm_stop(&storm);
	irqx_settle(self->ctx);
	irqx_fence(g);
	irqx_forget(g);
}

/* While it is masked nothing comes. */
TEST_F_TIMEOUT(dynirq, masked_means_masked, 300)
{
	uint64_t i, n = irqx_iterations(100, 3000), total;
	struct irqx_guest *g = self->g;
	struct irqx_storm storm;

	irqx_storm_start(&storm, &self->fd, 1);
	for (i = 0; i < n; i++) {
		irqx_handle_mask(g, 1, &self->dynirq, HANDLE, true);
		irqx_fence(g);
		total = irqx_total(g);
		EXPECT_TRUE(irqx_wait_until(is_pending(g, &self->dynirq, HANDLE),
					    IRQX_TIMEOUT_MS));
		irqx_fence(g);
		EXPECT_EQ(irqx_total(g), total);
		irqx_handle_mask(g, 1, &self->dynirq, HANDLE, false);
		irqx_wait_total(g, total + 1);
	}
	irqx_storm_stop(&storm);
	irqx_settle(self->ctx);
	irqx_fence(g);
	EXPECT_FALSE(is_pending(g, &self->dynirq, HANDLE));
	irqx_forget(g);
}

TEST_F_TIMEOUT(dynirq, reset_under_fire, 300)
{
	uint64_t i, n = irqx_iterations(60, 2000), total, fired;
	struct irqx_guest *g = self->g;
	struct irqx_storm storm;

	irqx_storm_start(&storm, &self->fd, 1);
	for (i = 0; i < n; i++) {
		irqx_dynirq_attach(g, i % 2, &self->dynirq);
		irqx_fence(g);
		total = irqx_total(g);
		EXPECT_TRUE(irqx_wait_until(is_pending(g, &self->dynirq, HANDLE),
					    IRQX_TIMEOUT_MS));
		fired = READ_ONCE(storm.fired);
		irqx_wait_until(READ_ONCE(storm.fired) > fired, IRQX_TIMEOUT_MS);
		irqx_fence(g);
		EXPECT_EQ(irqx_total(g), total);
		irqx_handle_map(g, 1, &self->dynirq, HANDLE, i % 2 ? self->a : self->b);
		irqx_wait_total(g, total + 1);
	}
	irqx_storm_stop(&storm);
	irqx_settle(self->ctx);
	irqx_fence(g);
	irqx_forget(g);
	irqx_fire_at(g, self->fd, 0, IRQ_A);
}

TEST_F_TIMEOUT(dynirq, closed_under_fire, 300)
{
	uint64_t n = irqx_iterations(20, 200);
	struct irqx_guest *g = self->g;
	struct irqx_storm storm;
	struct irqx_table dynirq;
	uint64_t i;
	int ctx;

	irqx_unbind(self->ctx, self->fd);
	irqx_table_destroy(&self->dynirq);
	for (i = 0; i < n; i++) {
		ctx = irqx_context(g->vm);
		dynirq = irqx_dynirq_create(ctx, NR);
		irqx_bind(ctx, self->fd, irqx_vector_entry(&dynirq, HANDLE));
		irqx_wait_until(irqx_dynirq_probe(g, 0, &dynirq).base, 1000);
		irqx_dynirq_attach(g, 0, &dynirq);
		irqx_handle_map(g, 0, &dynirq, HANDLE, self->a);
		irqx_handle_alloc(&dynirq, OTHER, "x");
		irqx_storm_start(&storm, &self->fd, 1);
		irqx_handle_moves_start(g, 1, &dynirq, HANDLE, self->a, self->b, 100);
		if (i % 2) {
			irqx_unbind(ctx, self->fd);
			irqx_table_destroy(&dynirq);
		}
		close(ctx);
		irqx_guest_join(g, 1);
		irqx_storm_stop(&storm);
	}
	irqx_fence(g);
	irqx_forget(g);
}

/* A VMM that is killed while its guest moves a handle and events come by all ways. */
static void busy_vmm(void *arg, int ready)
{
	struct irqx_guest *g = irqx_table_guest_create(2);
	struct irqx_vector_message a = irqx_vector_message(g, 0, IRQ_A);
	struct irqx_vector_message b = irqx_vector_message(g, 1, IRQ_B);
	struct irqx_table dynirq = irqx_dynirq_create(g->ctx, NR);
	int fd = irqx_eventfd(0, 0);
	static struct irqx_storm storm;

	(void)arg;
	irqx_bind(g->ctx, fd, irqx_vector_entry(&dynirq, HANDLE));
	irqx_guest_start(g);
	irqx_dynirq_attach(g, 0, &dynirq);
	irqx_handle_moves_start(g, 0, &dynirq, HANDLE, a, b, ~0ULL);
	irqx_handle_moves_start(g, 1, &dynirq, HANDLE, b, a, ~0ULL);
	irqx_storm_start(&storm, &fd, 1);
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;) {
		irqx_raise(&dynirq, HANDLE);
		irqx_handle_alloc(&dynirq, OTHER, "x");
		irqx_handle_free(&dynirq, OTHER);
		usleep(100);
	}
}

TEST_F_TIMEOUT(dynirq, killed_under_fire, 120)
{
	uint32_t round, n = irqx_iterations(5, 50);
	int before = irqx_module_refs();
	pid_t pid;

	for (round = 0; round < n; round++) {
		pid = irqx_attack_start(busy_vmm, NULL);
		usleep(10000 * (round % 6));
		irqx_attack_end(pid);
		EXPECT_TRUE(irqx_wait_module_refs(before));
	}
	/* The neighbour's VM has noticed nothing. */
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);
}

struct fiddle {
	struct irqx_table *dynirq;
	int fd;
	bool stop;
	uint64_t n;
};

/* What a VMM may do to a dynirq while its guest uses it. */
static void *fiddle(void *arg)
{
	struct fiddle *f = arg;
	struct irqx_table dynirq = *f->dynirq;
	struct kvm_irqx_dynirq_header header;
	struct kvm_irqx_vector vectors[NR];

	for (f->n = 0; !READ_ONCE(f->stop); f->n++) {
		irqx_table_set_flags(&dynirq, 0);
		irqx_table_set_flags(&dynirq, KVM_IRQX_TABLE_DECODES);
		if (f->n % 8 == 0) {
			irqx_table_move(&dynirq, FREE_GPA, 0);
			irqx_table_move(&dynirq, f->dynirq->entries, 0);
		}
		irqx_table_get(&dynirq, vectors, NULL);
		header = irqx_dynirq_header_get(&dynirq);
		irqx_assert(__irqx_dynirq_header_put(&dynirq, header));
		irqx_handle_alloc(&dynirq, OTHER + 1, "fiddle");
		irqx_handle_label(&dynirq, OTHER + 1, "other");
		irqx_handle_free(&dynirq, OTHER + 1);
		irqx_modify(dynirq.ctx, f->fd, irqx_vector_entry(&dynirq, OTHER));
		irqx_modify(dynirq.ctx, f->fd, irqx_vector_entry(&dynirq, HANDLE));
		irqx_raise(&dynirq, OTHER);
	}
	return NULL;
}

/* Nothing to count but that all of them go on, and the last event arrives. */
TEST_F_TIMEOUT(dynirq, vmm_and_guest_at_once, 300)
{
	struct fiddle f = { .dynirq = &self->dynirq, .fd = irqx_eventfd(0, 0) };
	uint64_t base = self->dynirq.entries, i, total;
	uint64_t compact = base + self->regs.compact, entries = base + self->regs.entries;
	struct irqx_guest *g = self->g;
	struct irqx_storm storm;
	int fds[2] = { self->fd, f.fd };
	pthread_t thread;

	irqx_bind(self->ctx, f.fd, irqx_vector_entry(&self->dynirq, HANDLE));
	irqx_storm_start(&storm, fds, 2);
	pthread_create(&thread, NULL, fiddle, &f);
	for (i = 0; i < irqx_iterations(4, 40); i++) {
		irqx_mmio_noise_start(g, 0, i % 2 ? base : entries, 128, 500);
		irqx_mmio_noise_start(g, 1, i % 2 ? compact : compact - 64, 128, 500);
		irqx_guest_join(g, 0);
		irqx_guest_join(g, 1);
	}
	irqx_wait_until(READ_ONCE(f.n) > 16, IRQX_TIMEOUT_MS);
	WRITE_ONCE(f.stop, true);
	pthread_join(thread, NULL);
	irqx_storm_stop(&storm);
	irqx_unbind(self->ctx, f.fd);
	EXPECT_GT(f.n, 16);

	/* The guest has written at random: also interrupts that go anywhere. */
	irqx_dynirq_attach(g, 0, &self->dynirq);
	irqx_handle_map(g, 0, &self->dynirq, HANDLE, self->a);
	irqx_fence(g);
	total = irqx_total(g);
	irqx_fire(self->fd);
	irqx_wait_total(g, total + 1);
	irqx_forget(g);
	close(f.fd);
}

/* Labels that change while the guest reads them: in the end it has seen the last of each. */
struct relabel {
	struct irqx_table *dynirq;
	uint32_t n;
	bool done;
};

#define RELABELED	4

static void *relabel(void *arg)
{
	struct relabel *r = arg;
	char text[KVM_IRQX_LABEL_SIZE];
	uint32_t i;

	for (i = 0; i < r->n; i++) {
		snprintf(text, sizeof(text), "%u", i);
		irqx_handle_label(r->dynirq, OTHER + i % RELABELED, text);
	}
	__atomic_store_n(&r->done, true, __ATOMIC_RELEASE);
	return NULL;
}

TEST_F_TIMEOUT(dynirq, labels_under_fire, 120)
{
	struct relabel r = {
		.dynirq = &self->dynirq, .n = irqx_iterations(2000, 50000) / 4 * 4,
	};
	struct irqx_label seen[RELABELED] = {}, got[IRQX_MAX_LABELS];
	struct irqx_guest *g = self->g;
	uint32_t i, n, nr;
	pthread_t thread;
	bool done;

	for (i = 0; i < RELABELED; i++) {
		irqx_handle_alloc(&self->dynirq, OTHER + i, "-1");
		strcpy(seen[i].text, "-1");
	}
	irqx_handle_map(g, 0, &self->dynirq, self->regs.label_handle, self->b);
	pthread_create(&thread, NULL, relabel, &r);
	do {
		done = __atomic_load_n(&r.done, __ATOMIC_ACQUIRE);
		nr = irqx_dynirq_labels(g, 0, &self->dynirq, got, IRQX_MAX_LABELS);
		for (n = 0; n < nr; n++) {
			if (!got[n].handle)
				continue;
			i = got[n].handle - OTHER;
			ASSERT_LT(i, RELABELED);
			/* Never an older one than before. */
			EXPECT_LE(atoi(seen[i].text), atoi(got[n].text));
			seen[i] = got[n];
		}
	} while (!done || nr);
	pthread_join(thread, NULL);
	for (i = 0; i < RELABELED; i++)
		EXPECT_EQ(atoi(seen[i].text), (int)(r.n - RELABELED + i));
	irqx_settle(self->ctx);
	irqx_fence(g);
	EXPECT_GT(irqx_total(g), 0);
	EXPECT_LE(irqx_total(g), r.n + RELABELED);
	irqx_forget(g);
}

/* Any access of any size to the header: nothing leaves it for the VMM. */
TEST_F_TIMEOUT(dynirq, header_noise, 120)
{
	uint64_t n = irqx_iterations(3000, 100000), total;
	struct irqx_guest *g = self->g;
	struct irqx_storm storm;

	irqx_handle_alloc(&self->dynirq, OTHER, "x");
	irqx_storm_start(&storm, &self->fd, 1);
	irqx_mmio_noise_start(g, 0, self->dynirq.entries, DYNIRQ_HEADER_SIZE, n);
	irqx_mmio_noise_start(g, 1, self->dynirq.entries, 0x88, n);
	irqx_guest_join(g, 0);
	irqx_guest_join(g, 1);
	irqx_storm_stop(&storm);
	EXPECT_EQ(irqx_exits.nr, 0);
	EXPECT_GT(irqx_stats(self->ctx).undefined, n / 4);
	EXPECT_EQ(irqx_dynirq_probe(g, 0, &self->dynirq).instance, self->regs.instance);
	/* No handle is there; but the doorbell is. */
	irqx_mmio_write(g, 0, self->dynirq.entries + DYNIRQ_DOORBELL, 8,
			irqx_dynirq_doorbell(g));
	expect_handle(_metadata, g, &self->dynirq, HANDLE, self->a, 0);
	irqx_dynirq_attach(g, 0, &self->dynirq);
	irqx_handle_map(g, 0, &self->dynirq, HANDLE, self->b);
	irqx_fence(g);
	irqx_forget(g);
	total = irqx_total(g);
	irqx_fire_at(g, self->fd, 1, IRQ_B);
	irqx_expect_no_more(g, total + 1);
}

/*
 * ---- All 65,536 ----
 */

FIXTURE(all)
{
	struct irqx_guest *g;
	struct irqx_table dynirq;
};

FIXTURE_SETUP(all)
{
	if (!irqx_takes_tables())
		SKIP(return, "no ITS");
	self->g = irqx_table_guest_create(2);
	self->dynirq = irqx_dynirq_create(self->g->ctx, KVM_IRQX_MAX_HANDLES);
	irqx_guest_start(self->g);
	irqx_dynirq_attach(self->g, 0, &self->dynirq);
	irqx_handles_map(self->g, 0, &self->dynirq, 0, self->dynirq.nr);
}

FIXTURE_TEARDOWN(all)
{
	if (!self->g)
		return;
	irqx_dynirq_reset(self->g, 0, &self->dynirq);
	irqx_check(self->g);
	irqx_guest_free(self->g);
}

/* Of each vector or LPI one at a time, so each event is an interrupt. */
static void raise_all(struct irqx_guest *g, struct irqx_table *dynirq)
{
	uint32_t n = irqx_nr_slots(g), first, i, nr;
	uint64_t total = irqx_total(g);
	struct irqx_slot slot;
	uint32_t *handles = calloc(n, sizeof(*handles));

	for (first = 0; first < dynirq->nr; first += nr) {
		nr = dynirq->nr - first < n ? dynirq->nr - first : n;
		for (i = 0; i < nr; i++) {
			handles[i] = first + i;
			slot = irqx_slot(g, first + i);
			irqx_expect(g, slot.vcpu, slot.irq, 1);
		}
		irqx_raise_many(dynirq, handles, nr);
		total += nr;
		irqx_wait_total(g, total);
	}
	free(handles);
}

TEST_F_TIMEOUT(all, raised, 300)
{
	struct irqx_guest *g = self->g;
	struct irqx_slot slot;
	uint32_t i;

	raise_all(g, &self->dynirq);
	irqx_check(g);
	EXPECT_EQ(irqx_total(g), self->dynirq.nr);
	/* One by one, some of them. */
	for (i = 0; i < self->dynirq.nr; i += 61) {
		slot = irqx_slot(g, i);
		raise_at(g, &self->dynirq, i, slot.vcpu, slot.irq);
	}
	irqx_check(g);
	EXPECT_EQ(irqx_exits.nr, 0);
}

TEST_F_TIMEOUT(all, signalled, 300)
{
	const uint32_t nr = 2048, each = KVM_IRQX_MAX_HANDLES / nr;
	struct kvm_irqx_op *ops = calloc(nr, sizeof(*ops));
	int *fds = calloc(nr, sizeof(*fds));
	struct irqx_guest *g = self->g;
	struct irqx_slot slot;
	uint32_t i;

	irqx_eventfds(fds, nr);
	for (i = 0; i < nr; i++) {
		ops[i].op = KVM_IRQX_OP_ASSIGN;
		ops[i].fd = fds[i];
		ops[i].entry = irqx_vector_entry(&self->dynirq, i * each + i % each);
	}
	irqx_batch(g->ctx, ops, nr);
	for (i = 0; i < nr; i++) {
		slot = irqx_slot(g, i * each + i % each);
		irqx_fire_at(g, fds[i], slot.vcpu, slot.irq);
	}
	irqx_check(g);
	irqx_close_all(fds, nr);
	irqx_wait_irqfds(g->ctx, 0);
	free(fds);
	free(ops);
}

/* All of them pending at once; what the VMM gets, in pieces, is what the guest has written. */
TEST_F_TIMEOUT(all, pending, 300)
{
	struct irqx_table *dynirq = &self->dynirq;
	struct irqx_dynirq_state state = {
		.handles = calloc(dynirq->nr, sizeof(*state.handles)),
	};
	struct irqx_guest *g = self->g;
	uint32_t max = irqx_info(g->ctx).max_batch, i, nr;
	uint32_t *handles = calloc(dynirq->nr, sizeof(*handles));
	uint64_t doorbell = irqx_dynirq_doorbell(g);
	struct irqx_vector_message m;
	struct irqx_slot slot;

	irqx_dynirq_get(dynirq, &state);
	for (i = 0; i < dynirq->nr; i++) {
		slot = irqx_slot(g, i);
		m = dynirq_message(dynirq_compact(irqx_vector_message(g, slot.vcpu, slot.irq)),
				   doorbell);
		ASSERT_EQ(state.handles[i].address_lo, (uint32_t)m.address);
		ASSERT_EQ(state.handles[i].data, m.data);
		ASSERT_EQ(state.handles[i].control, 0);
		state.handles[i].control = 1;
		state.handles[i].state = 0;
		handles[i] = dynirq->nr - 1 - i;
	}
	irqx_dynirq_put(dynirq, &state);
	for (i = 0; i < dynirq->nr; i += nr) {
		nr = dynirq->nr - i < max ? dynirq->nr - i : max;
		irqx_raise_many(dynirq, handles + i, nr);
	}
	irqx_dynirq_get(dynirq, &state);
	for (i = 0; i < dynirq->nr; i++)
		ASSERT_EQ(state.handles[i].state & KVM_IRQX_VECTOR_PENDING,
			  KVM_IRQX_VECTOR_PENDING);
	irqx_expect_no_more(g, 0);
	/* Some are let go, the others forgotten. */
	for (i = 0; i < irqx_nr_slots(g); i++) {
		slot = irqx_slot(g, i);
		irqx_expect(g, slot.vcpu, slot.irq, 1);
	}
	irqx_handles_map(g, 1, dynirq, 0, irqx_nr_slots(g));
	irqx_wait_total(g, irqx_nr_slots(g));
	irqx_dynirq_reset(g, 0, dynirq);
	irqx_check(g);
	irqx_dynirq_get(dynirq, &state);
	for (i = 0; i < dynirq->nr; i++) {
		ASSERT_EQ(state.handles[i].state & KVM_IRQX_VECTOR_PENDING, 0);
		ASSERT_EQ(state.handles[i].control, 1);
		ASSERT_EQ(state.handles[i].data, 0);
	}
	free(handles);
	free(state.handles);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * Tables of vectors, as x86's instructions get at them: KVM's emulator brings pieces of 1 to 8
 * bytes, of operands of all sizes that lie anywhere.  And what else may be at their addresses.
 */
#include <sys/ioctl.h>

#include "irqx_dynirq.h"
#include "svm_util.h"
#include "irqx_harness.h"

#define IRQ_A	(IRQX_IRQ_MIN + 5)
#define IRQ_B	(IRQX_IRQ_MIN + 9)

#define NR	70
#define VECTOR	3
/* The table's entries begin 8 bytes before the end of a page. */
#define ODD_GPA	(IRQX_TABLE_GPA + 0x10ff8)
#define RAM_SLOT	5

void irqx_guest_wait(void)
{
	irqx_table_guest();
}

void irqx_vcpu_exit(struct irqx_vcpu *v)
{
	irqx_table_exit(v);
}

/*
 * The guest: irqx_guest_call() runs these with an address
 */

/* What they write, and what they have read. */
static union {
	uint8_t bytes[64];
	uint32_t dwords[16];
	uint64_t qwords[8];
} buffer __aligned(64);

static uint64_t sse_store(uint64_t where)
{
	asm volatile("movdqu %1, %%xmm0\n\tmovdqu %%xmm0, (%0)"
		     : : "r"(where), "m"(buffer) : "memory", "xmm0");
	return 0;
}

static uint64_t sse_load(uint64_t where)
{
	asm volatile("movdqu (%1), %%xmm0\n\tmovdqu %%xmm0, %0"
		     : "=m"(buffer) : "r"(where) : "memory", "xmm0");
	return 0;
}

/* The new value is in the buffer, the old one is returned. */
static uint64_t xchg_dword(uint64_t where)
{
	uint32_t value = buffer.dwords[0];

	asm volatile("xchgl %0, (%1)" : "+r"(value) : "r"(where) : "memory");
	return value;
}

static uint64_t lock_add_dword(uint64_t where)
{
	asm volatile("lock addl %0, (%1)" : : "r"(buffer.dwords[0]), "r"(where) : "memory");
	return 0;
}

static uint64_t lock_or_dword(uint64_t where)
{
	asm volatile("lock orl %0, (%1)" : : "r"(buffer.dwords[0]), "r"(where) : "memory");
	return 0;
}

/* If it is the first, it becomes the second; what was there is returned. */
static uint64_t cmpxchg_dword(uint64_t where)
{
	uint32_t value = buffer.dwords[0];

	asm volatile("lock cmpxchgl %1, (%2)"
		     : "+a"(value) : "r"(buffer.dwords[1]), "r"(where) : "memory");
	return value;
}

static uint64_t cmpxchg_qword(uint64_t where)
{
	uint64_t value = buffer.qwords[0];

	asm volatile("lock cmpxchgq %1, (%2)"
		     : "+a"(value) : "r"(buffer.qwords[1]), "r"(where) : "memory");
	return value;
}

static uint64_t rep_movsl_to(uint64_t where)
{
	uint64_t from = (uintptr_t)&buffer, n = 4;

	asm volatile("rep movsl" : "+D"(where), "+S"(from), "+c"(n) : : "memory");
	return 0;
}

static uint64_t rep_movsl_from(uint64_t where)
{
	uint64_t to = (uintptr_t)&buffer, n = 4;

	asm volatile("rep movsl" : "+D"(to), "+S"(where), "+c"(n) : : "memory");
	return 0;
}

static uint64_t rep_movsb_to(uint64_t where)
{
	uint64_t from = (uintptr_t)&buffer, n = 16;

	asm volatile("rep movsb" : "+D"(where), "+S"(from), "+c"(n) : : "memory");
	return 0;
}

/*
 * The host
 */

FIXTURE(table_x86)
{
	struct irqx_guest *g;
	struct irqx_table table;
	struct irqx_vector_message a, b;
	int ctx;
	int fd;
	vm_vaddr_t svm;
};

FIXTURE_SETUP(table_x86)
{
	self->g = irqx_table_guest_create(2);
	self->ctx = self->g->ctx;
	self->a = irqx_vector_message(self->g, 0, IRQ_A);
	self->b = irqx_vector_message(self->g, 1, IRQ_B);
	self->table = irqx_table_create(self->ctx, NR);
	self->fd = irqx_eventfd(0, 0);
	irqx_bind(self->ctx, self->fd, irqx_vector_entry(&self->table, VECTOR));
	if (kvm_cpu_has(X86_FEATURE_SVM))
		vcpu_alloc_svm(self->g->vm, &self->svm);
	irqx_guest_start(self->g);
	irqx_vector_program(self->g, 0, &self->table, VECTOR, self->a);
}

FIXTURE_TEARDOWN(table_x86)
{
	irqx_check(self->g);
	irqx_guest_free(self->g);
}

static uint64_t entry_of(struct irqx_table *table, uint32_t vector)
{
	return table->entries + vector * IRQX_ENTRY_SIZE;
}

static void set_buffer(struct irqx_guest *g, uint64_t first, uint64_t second)
{
	uint64_t *qwords = addr_gva2hva(g->vm, (vm_vaddr_t)&buffer);

	qwords[0] = first;
	qwords[1] = second;
}

static uint64_t get_buffer(struct irqx_guest *g, uint32_t i)
{
	uint64_t *qwords = addr_gva2hva(g->vm, (vm_vaddr_t)&buffer);

	return qwords[i];
}

/* Byte n of what is written is 0x10 + n. */
#define PATTERN_LOW	0x1716151413121110ULL
#define PATTERN_HIGH	0x1f1e1d1c1b1a1918ULL

static void set_pattern(struct irqx_guest *g)
{
	set_buffer(g, PATTERN_LOW, PATTERN_HIGH);
}

/* The entry of @vector, as the VMM sees it. */
static void expect_entry(struct __test_metadata *_metadata, struct irqx_table *table,
			 uint32_t vector, uint64_t address, uint32_t data, uint32_t control)
{
	struct kvm_irqx_vector state = irqx_vector_get(table, vector);

	EXPECT_EQ(state.address_lo, (uint32_t)address);
	EXPECT_EQ(state.address_hi, address >> 32);
	EXPECT_EQ(state.data, data);
	EXPECT_EQ(state.control, control);
}

/* Two of 8 bytes: the whole message and the mask. */
TEST_F(table_x86, sse)
{
	uint64_t entry = entry_of(&self->table, VECTOR);
	struct irqx_guest *g = self->g;

	set_buffer(g, self->b.address, self->b.data);
	irqx_guest_call(g, 0, sse_store, entry);
	irqx_fire_at(g, self->fd, 1, IRQ_B);
	set_buffer(g, 0, 0);
	irqx_guest_call(g, 1, sse_load, entry);
	EXPECT_EQ(get_buffer(g, 0), self->b.address);
	EXPECT_EQ(get_buffer(g, 1), self->b.data);

	set_buffer(g, self->a.address, self->a.data | 1ULL << 32);
	irqx_guest_call(g, 0, sse_store, entry);
	expect_entry(_metadata, &self->table, VECTOR, self->a.address, self->a.data, 1);
	EXPECT_EQ(irqx_stats(self->ctx).undefined, 0);

	/* Not aligned: twice, in two entries, of which the other is the VMM's. */
	set_pattern(g);
	irqx_guest_call(g, 0, sse_store, entry + 4);
	expect_entry(_metadata, &self->table, VECTOR, self->a.address, self->a.data, 1);
	expect_entry(_metadata, &self->table, VECTOR + 1, 0, 0, 1);
	irqx_guest_call(g, 0, sse_load, entry + 4);
	EXPECT_EQ(get_buffer(g, 0), 0);
	EXPECT_EQ(get_buffer(g, 1), 0);
	EXPECT_EQ(irqx_stats(self->ctx).undefined, 4);
	EXPECT_EQ(irqx_exits.nr, 0);
	irqx_vector_mask(g, 0, &self->table, VECTOR, false);
	irqx_fire_at(g, self->fd, 0, IRQ_A);
}

/* KVM cuts there, and what is aligned then is an access as any. */
TEST_F(table_x86, straddles_a_page)
{
	struct irqx_table *table = &self->table;
	uint64_t odd = ODD_GPA, n = 0;
	struct irqx_guest *g = self->g;

	irqx_vector_mask(g, 0, table, VECTOR, true);
	/* The entry is across the page's end: 8 bytes before, 8 behind. */
	irqx_table_move(table, odd - VECTOR * IRQX_ENTRY_SIZE, IRQX_TABLE_GPA + 0x20000);
	irqx_wait_until(irqx_mmio_read(g, 0, odd + 8, 4) == self->a.data, 1000);
	irqx_exits.nr = 0;
	set_buffer(g, self->b.address, self->b.data);
	irqx_guest_call(g, 0, sse_store, odd);
	irqx_fire_at(g, self->fd, 1, IRQ_B);
	EXPECT_EQ(irqx_stats(self->ctx).undefined, n);

	/* 4 bytes: 2 and 2; 1 and 3; 3 and 1. */
	irqx_mmio_write(g, 0, odd + 6, 4, 0xffffffff);
	irqx_mmio_write(g, 0, odd + 7, 4, 0xffffffff);
	irqx_mmio_write(g, 0, odd + 5, 4, 0xffffffff);
	EXPECT_EQ(irqx_mmio_read(g, 0, odd + 6, 4), 0);
	n += 8;
	EXPECT_EQ(irqx_stats(self->ctx).undefined, n);
	/* 8 bytes: 4 and 4, both of them aligned. */
	irqx_mmio_write(g, 0, odd + 4, 8, (uint64_t)self->a.data << 32);
	EXPECT_EQ(irqx_stats(self->ctx).undefined, n);
	expect_entry(_metadata, table, VECTOR, (uint32_t)self->b.address, self->a.data, 0);
	/* 7 and 1, 6 and 2, 5 and 3. */
	irqx_mmio_write(g, 0, odd + 1, 8, ~0ULL);
	irqx_mmio_write(g, 0, odd + 2, 8, ~0ULL);
	irqx_mmio_write(g, 0, odd + 3, 8, ~0ULL);
	n += 6;
	EXPECT_EQ(irqx_stats(self->ctx).undefined, n);
	expect_entry(_metadata, table, VECTOR, (uint32_t)self->b.address, self->a.data, 0);
	EXPECT_EQ(irqx_exits.nr, 0);
	/* 16: 7, 8 that are data and control, and 1, which is of the VMM's vector. */
	set_pattern(g);
	irqx_guest_call(g, 0, sse_store, odd + 1);
	n++;
	EXPECT_EQ(irqx_stats(self->ctx).undefined, n);
	expect_entry(_metadata, table, VECTOR, (uint32_t)self->b.address, 0x1a191817, 1);
	EXPECT_EQ(irqx_exits.nr, 1);
	EXPECT_EQ(irqx_exits.gpa, odd + 16);
	EXPECT_EQ(irqx_exits.len, 1);
	irqx_vector_program(g, 0, table, VECTOR, self->a);
	irqx_fire_at(g, self->fd, 0, IRQ_A);
}

/* Who is there behind it, or before it, gets his part; or all of it, where KVM does not cut. */
TEST_F(table_x86, straddles_the_end)
{
	struct irqx_table *table = &self->table;
	uint64_t end = table->entries + NR * IRQX_ENTRY_SIZE;
	struct irqx_guest *g = self->g;
	int fd = irqx_eventfd(0, 0);

	irqx_bind(self->ctx, fd, irqx_vector_entry(table, NR - 1));
	irqx_mmio_write(g, 0, end - 4, 8, ~0ULL);
	EXPECT_EQ(irqx_exits.nr, 1);
	EXPECT_EQ(irqx_exits.gpa, end - 4);
	EXPECT_EQ(irqx_exits.len, 8);
	expect_entry(_metadata, table, NR - 1, 0, 0, 1);
	EXPECT_EQ(irqx_stats(self->ctx).undefined, 0);
	/* The first 8 bytes of 16. */
	set_pattern(g);
	irqx_guest_call(g, 0, sse_store, end - 8);
	EXPECT_EQ(irqx_exits.nr, 2);
	EXPECT_EQ(irqx_exits.gpa, end);
	EXPECT_EQ(irqx_exits.value, PATTERN_HIGH);
	expect_entry(_metadata, table, NR - 1, 0, 0x13121110, 0);

	/* From memory into it: a byte and 3. */
	vm_userspace_mem_region_add(g->vm, VM_MEM_SRC_ANONYMOUS, IRQX_TABLE_GPA + 0x50000,
				    RAM_SLOT, 1, 0);
	irqx_table_move(table, IRQX_TABLE_GPA + 0x51000, table->pba);
	irqx_wait_until(irqx_mmio_read(g, 0, entry_of(table, VECTOR) + 8, 4) == self->a.data,
			1000);
	irqx_exits.nr = 0;
	irqx_bind(self->ctx, irqx_eventfd(0, 0), irqx_vector_entry(table, 0));
	irqx_mmio_write(g, 0, IRQX_TABLE_GPA + 0x50fff, 4, 0xa4a3a2a1);
	EXPECT_EQ(*(uint8_t *)addr_gpa2hva(g->vm, IRQX_TABLE_GPA + 0x50fff), 0xa1);
	EXPECT_EQ(irqx_stats(self->ctx).undefined, 1);
	expect_entry(_metadata, table, 0, 0, 0, 1);
	EXPECT_EQ(irqx_exits.nr, 0);
	irqx_unbind(self->ctx, fd);
	close(fd);
}

/* A read and a write, to the table. */
TEST_F(table_x86, atomics)
{
	uint64_t entry = entry_of(&self->table, VECTOR);
	struct irqx_table *table = &self->table;
	struct irqx_guest *g = self->g;

	set_buffer(g, self->b.data, 0);
	EXPECT_EQ(irqx_guest_call(g, 0, xchg_dword, entry + 8), self->a.data);
	expect_entry(_metadata, table, VECTOR, self->a.address, self->b.data, 0);
	set_buffer(g, self->a.data - self->b.data, 0);
	irqx_guest_call(g, 1, lock_add_dword, entry + 8);
	expect_entry(_metadata, table, VECTOR, self->a.address, self->a.data, 0);
	irqx_fire_at(g, self->fd, 0, IRQ_A);

	/* The mask, as a driver might. */
	set_buffer(g, 1, 0);
	irqx_guest_call(g, 0, lock_or_dword, entry + 12);
	irqx_fire(self->fd);
	EXPECT_TRUE(irqx_vector_pending(g, 0, table, VECTOR));
	irqx_expect(g, 0, IRQ_A, 1);
	set_buffer(g, 1, 0);
	EXPECT_EQ(irqx_guest_call(g, 0, cmpxchg_dword, entry + 12), 1);
	irqx_wait_count(g, 0, IRQ_A, 2);
	/* One that does not compare. */
	set_buffer(g, 7ULL | 77ULL << 32, 0);
	EXPECT_EQ(irqx_guest_call(g, 0, cmpxchg_dword, entry + 8), self->a.data);
	expect_entry(_metadata, table, VECTOR, self->a.address, self->a.data, 0);
	set_buffer(g, self->a.address, self->b.address);
	EXPECT_EQ(irqx_guest_call(g, 0, cmpxchg_qword, entry), self->a.address);
	expect_entry(_metadata, table, VECTOR, self->b.address, self->a.data, 0);
	EXPECT_EQ(irqx_stats(self->ctx).undefined, 0);
	/* Not aligned: a read of zeroes, and a write that is none. */
	EXPECT_EQ(irqx_guest_call(g, 0, xchg_dword, entry + 2), 0);
	EXPECT_EQ(irqx_stats(self->ctx).undefined, 2);
	EXPECT_EQ(irqx_exits.nr, 0);
}

TEST_F(table_x86, strings)
{
	uint64_t entry = entry_of(&self->table, VECTOR);
	struct irqx_guest *g = self->g;

	set_buffer(g, self->b.address, self->b.data);
	irqx_guest_call(g, 0, rep_movsl_to, entry);
	irqx_fire_at(g, self->fd, 1, IRQ_B);
	set_buffer(g, 0, 0);
	irqx_guest_call(g, 0, rep_movsl_from, entry);
	EXPECT_EQ(get_buffer(g, 0), self->b.address);
	EXPECT_EQ(get_buffer(g, 1), self->b.data);
	EXPECT_EQ(irqx_stats(self->ctx).undefined, 0);
	set_pattern(g);
	irqx_guest_call(g, 0, rep_movsb_to, entry);
	EXPECT_EQ(irqx_stats(self->ctx).undefined, 16);
	expect_entry(_metadata, &self->table, VECTOR, self->b.address, self->b.data, 0);
	EXPECT_EQ(irqx_exits.nr, 0);
}

/* In one page, and in one operand. */
TEST_F(table_x86, pending_bits_behind_the_entries)
{
	struct irqx_table *table = &self->table;
	uint64_t entries = IRQX_TABLE_GPA + 0x30008, end = entries + NR * IRQX_ENTRY_SIZE;
	struct irqx_guest *g = self->g;
	int fd = irqx_eventfd(0, 0);

	irqx_table_move(table, entries, end);
	irqx_wait_until(irqx_mmio_read(g, 0, entry_of(table, VECTOR) + 8, 4) == self->a.data,
			1000);
	irqx_exits.nr = 0;
	irqx_bind(self->ctx, fd, irqx_vector_entry(table, NR - 1));
	irqx_vector_mask(g, 0, table, VECTOR, true);
	irqx_fire(self->fd);
	irqx_mmio_write(g, 0, end - 8, 4, 77);
	irqx_guest_call(g, 0, sse_load, end - 8);
	EXPECT_EQ(get_buffer(g, 0), 77 | 1ULL << 32);
	EXPECT_EQ(get_buffer(g, 1), 1ULL << VECTOR);
	/* Half of it is an entry's, half a write to Pending bits. */
	set_buffer(g, 78 | 1ULL << 32, ~0ULL);
	irqx_guest_call(g, 0, sse_store, end - 8);
	expect_entry(_metadata, table, NR - 1, 0, 78, 1);
	EXPECT_EQ(irqx_mmio_read(g, 0, end, 8), 1ULL << VECTOR);
	EXPECT_EQ(irqx_stats(self->ctx).undefined, 1);
	EXPECT_EQ(irqx_exits.nr, 0);
	irqx_expect(g, 0, IRQ_A, 1);
	irqx_vector_mask(g, 0, table, VECTOR, false);
	irqx_wait_count(g, 0, IRQ_A, 1);
	irqx_unbind(self->ctx, fd);
	close(fd);
}

/*
 * ---- What else is there ----
 */

static void set_ioeventfd(struct kvm_vm *vm, int fd, uint64_t gpa, uint32_t flags)
{
	struct kvm_ioeventfd ioeventfd = { .fd = fd, .addr = gpa, .len = 4, .flags = flags };

	vm_ioctl(vm, KVM_IOEVENTFD, &ioeventfd);
}

/* An ioeventfd in a table hides what lies behind it, and the table answers at its place. */
TEST_F(table_x86, ioeventfd_inside)
{
	struct irqx_table *table = &self->table;
	uint64_t gpa = entry_of(table, 32) + 8;
	struct irqx_guest *g = self->g;
	int fds[2], told = irqx_eventfd(0, 0);

	irqx_eventfds(fds, 2);
	irqx_bind(self->ctx, fds[0], irqx_vector_entry(table, 31));
	irqx_bind(self->ctx, fds[1], irqx_vector_entry(table, 40));
	set_ioeventfd(g->vm, told, gpa, 0);
	irqx_mmio_write(g, 0, entry_of(table, 31) + 8, 4, 77);
	EXPECT_EQ(irqx_exits.nr, 0);
	expect_entry(_metadata, table, 31, 0, 77, 1);
	irqx_mmio_write(g, 0, entry_of(table, 40) + 8, 4, 77);
	EXPECT_EQ(irqx_exits.nr, 1);
	expect_entry(_metadata, table, 40, 0, 0, 1);
	/* It is the VMM's vector. */
	irqx_mmio_write(g, 0, gpa, 4, 77);
	EXPECT_EQ(irqx_exits.nr, 1);
	EXPECT_EQ(irqx_eventfd_take(told), 1);
	/* All of it is there again. */
	set_ioeventfd(g->vm, told, gpa, KVM_IOEVENTFD_FLAG_DEASSIGN);
	irqx_mmio_write(g, 0, entry_of(table, 40) + 8, 4, 77);
	EXPECT_EQ(irqx_exits.nr, 1);
	expect_entry(_metadata, table, 40, 0, 77, 1);
	irqx_fire_at(g, self->fd, 0, IRQ_A);
	irqx_unbind(self->ctx, fds[0]);
	irqx_unbind(self->ctx, fds[1]);
	irqx_close_all(fds, 2);
	close(told);
}

/* Memory hides a table as long as it is there. */
TEST_F(table_x86, memory_over_it)
{
	uint64_t entry = entry_of(&self->table, VECTOR);
	struct irqx_guest *g = self->g;

	vm_userspace_mem_region_add(g->vm, VM_MEM_SRC_ANONYMOUS, IRQX_TABLE_GPA, RAM_SLOT, 1, 0);
	EXPECT_EQ(irqx_mmio_read(g, 0, entry + 8, 4), 0);
	irqx_mmio_write(g, 0, entry + 8, 4, self->b.data);
	EXPECT_EQ(irqx_mmio_read(g, 0, entry + 8, 4), self->b.data);
	expect_entry(_metadata, &self->table, VECTOR, self->a.address, self->a.data, 0);
	irqx_fire_at(g, self->fd, 0, IRQ_A);
	vm_mem_region_delete(g->vm, RAM_SLOT);
	EXPECT_EQ(irqx_mmio_read(g, 0, entry + 8, 4), self->a.data);
	EXPECT_EQ(irqx_exits.nr, 0);
}

#define IOAPIC_GPA	0xfec00000ULL

/* KVM's IOAPIC was there first. */
TEST_F(table_x86, ioapic_at_its_place)
{
	struct irqx_table *table = &self->table;
	struct irqx_guest *g = self->g;

	irqx_table_move(table, IOAPIC_GPA, IRQX_TABLE_GPA + 0x20000);
	virt_map(g->vm, IOAPIC_GPA, IOAPIC_GPA, 1);
	irqx_bind(self->ctx, irqx_eventfd(0, 0), irqx_vector_entry(table, 0));
	irqx_mmio_write(g, 0, IOAPIC_GPA, 4, 1);
	/* Its version, in entry 1. */
	EXPECT_EQ(irqx_mmio_read(g, 0, IOAPIC_GPA + 16, 4) & 0xff, 0x11);
	expect_entry(_metadata, table, 0, 0, 0, 1);
	/* What is behind it is the table's. */
	EXPECT_EQ(irqx_mmio_read(g, 0, IOAPIC_GPA + 0x110, 4), (uint32_t)IRQX_VMMS_VALUE);
	EXPECT_EQ(irqx_exits.nr, 1);
	irqx_bind(self->ctx, irqx_eventfd(0, 0), irqx_vector_entry(table, 17));
	irqx_mmio_write(g, 0, IOAPIC_GPA + 0x118, 4, 77);
	EXPECT_EQ(irqx_exits.nr, 1);
	expect_entry(_metadata, table, 17, 0, 77, 1);
}

/*
 * ---- A guest's guest ----
 */

static struct {
	uint64_t entry;
	uint64_t pba;
	struct irqx_vector_message to;
	uint64_t seen[3];		/* before, after, Pending bits */
	uint64_t exit_code;
} nested;

static void l2_guest(void)
{
	nested.seen[0] = irqx_guest_read(nested.entry + IRQX_ENTRY_DATA, 8);
	irqx_guest_write(nested.entry + IRQX_ENTRY_CONTROL, 4, 1);
	irqx_guest_write(nested.entry, 8, nested.to.address);
	irqx_guest_write(nested.entry + IRQX_ENTRY_DATA, 4, nested.to.data);
	irqx_guest_write(nested.entry + IRQX_ENTRY_CONTROL, 4, 0);
	nested.seen[1] = irqx_guest_read(nested.entry + IRQX_ENTRY_DATA, 8);
	nested.seen[2] = irqx_guest_read(nested.pba, 8);
	vmmcall();
}

/* L1's addresses are L2's. */
static uint64_t run_l2(uint64_t gva)
{
	static uint64_t stack[512];
	struct svm_test_data *svm = (void *)gva;

	irqx_guest_irqs(false);
	generic_svm_setup(svm, l2_guest, &stack[510]);
	run_guest(svm->vmcb, svm->vmcb_gpa);
	nested.exit_code = svm->vmcb->control.exit_code;
	/* It has left interrupts off, which sti is not enough for. */
	stgi();
	irqx_guest_irqs(true);
	return 0;
}

TEST_F(table_x86, nested_guest)
{
	struct irqx_table *table = &self->table;
	struct irqx_guest *g = self->g;
	typeof(nested) *n = addr_gva2hva(g->vm, (vm_vaddr_t)&nested);
	struct kvm_irqx_vector pending = { .control = 1, .state = KVM_IRQX_VECTOR_PENDING };

	if (!self->svm)
		SKIP(return, "no nested SVM");
	irqx_vector_put(table, 60, pending);
	n->entry = entry_of(table, VECTOR);
	n->pba = table->pba;
	n->to = self->b;
	irqx_guest_call(g, 0, run_l2, self->svm);
	EXPECT_EQ(n->exit_code, SVM_EXIT_VMMCALL);
	EXPECT_EQ(n->seen[0], self->a.data);
	EXPECT_EQ(n->seen[1], self->b.data);
	EXPECT_EQ(n->seen[2], 1ULL << 60);
	irqx_fire_at(g, self->fd, 1, IRQ_B);
	EXPECT_EQ(irqx_mmio_read(g, 0, n->entry, 8), self->b.address);
	EXPECT_EQ(irqx_exits.nr, 0);
	EXPECT_EQ(irqx_stats(self->ctx).undefined, 0);
	pending.state = 0;
	irqx_vector_put(table, 60, pending);
}

/*
 * Destinations beyond 255 as a guest writes them (KVM_FEATURE_MSI_EXT_DEST_ID): bits 11:5 of the
 * address.  Both forms of a handle, and a table.
 */
TEST(extended_destination)
{
	const uint32_t ids[] = { 0, 44, 300 };
	struct irqx_guest *g = __irqx_guest_create(3, ids, IRQX_GUEST_ARCH_X2APIC_IDS);
	const struct irqx_vector_message to_300 = {
		.address = 0xfee00000 | (300 & 0xff) << 12 | (300 >> 8) << 5,
		.data = IRQ_A,
	}, to_44 = {
		.address = 0xfee00000 | 44 << 12,
		.data = IRQ_A,
	};
	struct irqx_table dynirq, table = {
		.nr = 4,
		.entries = IRQX_TABLE_GPA + 0x100000,
		.pba = IRQX_TABLE_GPA + 0x101000,
	};
	int fd = irqx_eventfd(0, 0);

	virt_map(g->vm, IRQX_TABLE_GPA, IRQX_TABLE_GPA, IRQX_TABLE_PAGES);
	irqx_guest_start(g);
	dynirq = irqx_dynirq_create(g->ctx, 8);
	irqx_dynirq_attach(g, 0, &dynirq);
	irqx_handle_map(g, 0, &dynirq, 3, to_300);
	irqx_raise(&dynirq, 3);
	irqx_expect(g, 2, IRQ_A, 1);
	irqx_check(g);
	/* It reads back as written. */
	EXPECT_EQ(dynirq_compact(to_300), irqx_handle_read(g, 0, &dynirq, 3));
	irqx_handle_map(g, 0, &dynirq, 3, to_44);
	irqx_raise(&dynirq, 3);
	irqx_expect(g, 1, IRQ_A, 1);
	irqx_check(g);

	table.ctx = g->ctx;
	ASSERT_EQ(0, __irqx_table_create(g->ctx, &table, IRQX_TABLE_ON, KVM_IRQX_NO_FD));
	irqx_bind(g->ctx, fd, irqx_vector_entry(&table, 1));
	irqx_vector_program(g, 0, &table, 1, to_300);
	irqx_fire(fd);
	irqx_expect(g, 2, IRQ_A, 1);
	irqx_check(g);
	/* As KVM has it, as ever. */
	irqx_vector_program(g, 0, &table, 1, (struct irqx_vector_message){
		.address = 0xfee00000 | (300 & 0xff) << 12 | 256ULL << 32,
		.data = IRQ_A,
	});
	irqx_fire(fd);
	irqx_expect(g, 2, IRQ_A, 1);
	irqx_check(g);
	irqx_guest_free(g);
}

TEST_HARNESS_MAIN

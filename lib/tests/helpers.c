// SPDX-License-Identifier: MIT
/*
 * What needs no module: entries, their words, and from one table to another.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "kvmirqx.h"
#include "ktap.h"

#define X86	KVMIRQX_ARCH_X86
#define ARM64	KVMIRQX_ARCH_ARM64

static struct kvm_irq_routing_entry of_type(__u32 gsi, __u32 type)
{
	struct kvm_irq_routing_entry entry;

	memset(&entry, 0, sizeof(entry));
	entry.gsi = gsi;
	entry.type = type;
	return entry;
}

static struct kvm_irq_routing_entry msi(__u32 gsi, __u32 lo, __u32 hi, __u32 data)
{
	struct kvm_irq_routing_entry entry = of_type(gsi, KVM_IRQ_ROUTING_MSI);

	entry.u.msi.address_lo = lo;
	entry.u.msi.address_hi = hi;
	entry.u.msi.data = data;
	return entry;
}

static struct kvm_irq_routing_entry pin(__u32 gsi, __u32 chip, __u32 number)
{
	struct kvm_irq_routing_entry entry = of_type(gsi, KVM_IRQ_ROUTING_IRQCHIP);

	entry.u.irqchip.irqchip = chip;
	entry.u.irqchip.pin = number;
	return entry;
}

static const char *words(struct kvm_irq_routing_entry entry, int arch)
{
	static char buf[128];

	int length = kvmirqx_entry_words(&entry, arch, buf, sizeof(buf));

	CHECK_INT(strlen(buf), length);
	CHECK_INT(length, kvmirqx_entry_words(&entry, arch, NULL, 0));
	return buf;
}

static void words_of_x86(void)
{
	struct kvm_irq_routing_entry entry;

	CHECK_WORDS("MSI vector 0x41 to APIC 3, physical, edge",
		    words(msi(0, 0xfee03000, 0, 0x41), X86));
	CHECK_WORDS("MSI vector 0x41 to APIC 3, physical, level",
		    words(msi(0, 0xfee03000, 0, 0xc041), X86));
	CHECK_WORDS("MSI vector 0x41 to APIC 65795, physical, edge",
		    words(msi(0, 0xfee03000, 0x10100, 0x41), X86));
	CHECK_WORDS("MSI vector 0x05 to all APICs, physical, NMI, edge",
		    words(msi(0, 0xfeeff000, 0xffffff00, 0x405), X86));
	CHECK_WORDS("MSI vector 0x41 to APICs 0x3, logical, redirection hint, "
		    "lowest priority, edge",
		    words(msi(0, 0xfee0300c, 0, 0x141), X86));
	CHECK_WORDS("MSI vector 0x00 to APIC 0, physical, SMI, edge",
		    words(msi(0, 0xfee00000, 0, 0x200), X86));
	CHECK_WORDS("MSI vector 0x00 to APIC 0, physical, reserved delivery mode 3, edge",
		    words(msi(0, 0xfee00000, 0, 0x300), X86));
	CHECK_WORDS("MSI vector 0x00 to APIC 0, physical, INIT, edge",
		    words(msi(0, 0xfee00000, 0, 0x500), X86));
	CHECK_WORDS("MSI vector 0x20 to APIC 0, physical, ExtINT, edge",
		    words(msi(0, 0xfee00000, 0, 0x720), X86));
	CHECK_WORDS("MSI address 0xfee00018, data 0x41, remappable format",
		    words(msi(0, 0xfee00018, 0, 0x41), X86));
	CHECK_WORDS("MSI address 0x108090040, data 0x5, not to an APIC",
		    words(msi(0, 0x08090040, 1, 5), X86));
	CHECK_WORDS("PIC master pin 4", words(pin(0, 0, 4), X86));
	CHECK_WORDS("PIC slave pin 1", words(pin(0, 1, 1), X86));
	CHECK_WORDS("IOAPIC pin 16", words(pin(0, 2, 16), X86));
	CHECK_WORDS("irqchip 3 pin 16", words(pin(0, 3, 16), X86));
	entry = of_type(0, KVM_IRQ_ROUTING_HV_SINT);
	entry.u.hv_sint.vcpu = 7;
	entry.u.hv_sint.sint = 2;
	CHECK_WORDS("SINT 2 of VP 7", words(entry, X86));
	entry = of_type(0, KVM_IRQ_ROUTING_XEN_EVTCHN);
	entry.u.xen_evtchn.port = 11;
	entry.u.xen_evtchn.vcpu = 1;
	CHECK_WORDS("Xen event channel 11 of vCPU 1", words(entry, X86));
	entry = of_type(0, KVM_IRQX_ROUTING_VECTOR);
	entry.u.irqchip.irqchip = 2;
	entry.u.irqchip.pin = 9;
	CHECK_WORDS("vector 9 of table 2", words(entry, X86));
	CHECK_WORDS("entry of type 99", words(of_type(0, 99), X86));
}

static void words_of_arm64(void)
{
	struct kvm_irq_routing_entry entry = msi(0, 0x08090040, 1, 5);

	CHECK_WORDS("MSI doorbell 0x108090040, data 0x5", words(entry, ARM64));
	entry.flags = KVM_MSI_VALID_DEVID;
	entry.u.msi.devid = 0x10;
	CHECK_WORDS("MSI doorbell 0x108090040, event 5, device 0x10", words(entry, ARM64));
	CHECK_WORDS("GIC SPI 3, INTID 35", words(pin(0, 0, 3), ARM64));
	CHECK_WORDS("irqchip 1 pin 3", words(pin(0, 1, 3), ARM64));
	entry = of_type(0, KVM_IRQX_ROUTING_PPI);
	entry.u.irqchip.irqchip = 3;
	entry.u.irqchip.pin = 23;
	CHECK_WORDS("GIC PPI 23 of vCPU 3", words(entry, ARM64));
}

static void words_that_do_not_fit(void)
{
	struct kvm_irq_routing_entry entry = pin(0, 2, 16);
	char buf[8];

	memset(buf, 'x', sizeof(buf));
	CHECK_INT(13, kvmirqx_entry_words(&entry, X86, buf, 6));
	CHECK_WORDS("IOAPI", buf);
	CHECK_INT('x', buf[6]);
	CHECK_INT(13, kvmirqx_entry_words(&entry, X86, buf, 1));
	CHECK_WORDS("", buf);
	/* in several pieces */
	entry = msi(0, 0xfee03000, 0, 0x41);
	CHECK_INT(41, kvmirqx_entry_words(&entry, X86, buf, sizeof(buf)));
	CHECK_WORDS("MSI vec", buf);
	CHECK_INT(-EINVAL, kvmirqx_entry_words(NULL, X86, buf, sizeof(buf)));
	CHECK_INT(-EINVAL, kvmirqx_entry_words(&entry, X86, NULL, 1));
	CHECK_INT(-EINVAL, kvmirqx_entry_words(&entry, 3, buf, sizeof(buf)));
	CHECK_INT(-EINVAL, kvmirqx_entry_words(&entry, -1, buf, sizeof(buf)));
}

static void msi_of_x86(void)
{
	struct kvmirqx_msi guest = { .address_lo = 0xfee03000, .data = 0x41, .devid = 0x10 };
	struct kvm_irq_routing_entry entry, want = msi(0, 0xfee03000, 0, 0x41);

	memset(&entry, 0xff, sizeof(entry));
	CHECK_INT(0, kvmirqx_msi_entry(&entry, X86, KVMIRQX_MSI_DEVID, &guest));
	CHECK(!memcmp(&want, &entry, sizeof(want)));
	/* x2APIC format, from a VMM's IOMMU */
	guest.address_hi = 0x12345600;
	want = msi(0, 0xfee03000, 0x12345600, 0x41);
	CHECK_INT(0, kvmirqx_msi_entry(&entry, X86, 0, &guest));
	CHECK(!memcmp(&want, &entry, sizeof(want)));
	/* APIC 0x7f03: destination bits 14:8 in address bits 11:5 */
	guest.address_hi = 0;
	guest.address_lo = 0xfee03fe0;
	want = msi(0, 0xfee03000, 0x7f00, 0x41);
	CHECK_INT(0, kvmirqx_msi_entry(&entry, X86, KVMIRQX_MSI_EXT_DEST_ID, &guest));
	CHECK(!memcmp(&want, &entry, sizeof(want)));
	CHECK_WORDS("MSI vector 0x41 to APIC 32515, physical, edge", words(entry, X86));
	/* each bit to its place; the bits below stay: logical, redirection hint */
	for (int bit = 0; bit < 7; bit++) {
		guest.address_lo = 0xfee0300c | 1U << (5 + bit);
		want = msi(0, 0xfee0300c, 1U << (8 + bit), 0x41);
		CHECK_INT(0, kvmirqx_msi_entry(&entry, X86, KVMIRQX_MSI_EXT_DEST_ID, &guest));
		CHECK(!memcmp(&want, &entry, sizeof(want)));
		/* a guest that was not told */
		want = msi(0, guest.address_lo, 0, 0x41);
		CHECK_INT(0, kvmirqx_msi_entry(&entry, X86, 0, &guest));
		CHECK(!memcmp(&want, &entry, sizeof(want)));
	}
	/* remappable format: an index for the IOMMU, no destination */
	guest.address_lo = 0xfee00ff0;
	want = msi(0, 0xfee00ff0, 0, 0x41);
	CHECK_INT(0, kvmirqx_msi_entry(&entry, X86, KVMIRQX_MSI_EXT_DEST_ID, &guest));
	CHECK(!memcmp(&want, &entry, sizeof(want)));
}

static void msi_of_arm64(void)
{
	struct kvmirqx_msi guest = {
		.address_lo = 0x08090fe0, .address_hi = 1, .data = 5, .devid = 0x10,
	};
	struct kvm_irq_routing_entry entry, want = msi(0, 0x08090fe0, 1, 5);

	memset(&entry, 0xff, sizeof(entry));
	CHECK_INT(0, kvmirqx_msi_entry(&entry, ARM64, 0, &guest));
	CHECK(!memcmp(&want, &entry, sizeof(want)));
	want.flags = KVM_MSI_VALID_DEVID;
	want.u.msi.devid = 0x10;
	CHECK_INT(0, kvmirqx_msi_entry(&entry, ARM64,
				       KVMIRQX_MSI_DEVID | KVMIRQX_MSI_EXT_DEST_ID, &guest));
	CHECK(!memcmp(&want, &entry, sizeof(want)));
}

static void msi_refused(void)
{
	struct kvmirqx_msi guest = { .data = 5 };
	struct kvm_irq_routing_entry entry;

	CHECK_INT(-EINVAL, kvmirqx_msi_entry(NULL, X86, 0, &guest));
	CHECK_INT(-EINVAL, kvmirqx_msi_entry(&entry, X86, 0, NULL));
	CHECK_INT(-EINVAL, kvmirqx_msi_entry(&entry, X86, 4, &guest));
	CHECK_INT(-EINVAL, kvmirqx_msi_entry(&entry, 3, 0, &guest));
}

static void native_is_one_of_them(void)
{
	struct kvm_irq_routing_entry entry = pin(0, 0, 3);
	char native[64];

	kvmirqx_entry_words(&entry, KVMIRQX_ARCH_NATIVE, native, sizeof(native));
#ifdef __aarch64__
	CHECK_WORDS(words(entry, ARM64), native);
#else
	CHECK_WORDS(words(entry, X86), native);
#endif
}

/* Tables of a few GSIs, and what is done to them by the module's rules. */

#define GSIS	4
#define MOST	3

struct table {
	struct kvm_irq_routing_entry entries[GSIS * MOST];
	__u32 nr;
};

static void put(struct table *table, struct kvm_irq_routing_entry entry)
{
	table->entries[table->nr++] = entry;
}

static void drop(struct table *table, __u32 gsi)
{
	__u32 nr = 0;

	for (__u32 i = 0; i < table->nr; i++)
		if (table->entries[i].gsi != gsi)
			table->entries[nr++] = table->entries[i];
	table->nr = nr;
}

static bool has(const struct table *table, const struct kvm_irq_routing_entry *entry)
{
	for (__u32 i = 0; i < table->nr; i++)
		if (!memcmp(&table->entries[i], entry, sizeof(*entry)))
			return true;
	return false;
}

static bool same(const struct table *a, const struct table *b)
{
	for (__u32 i = 0; i < a->nr; i++)
		if (!has(b, &a->entries[i]))
			return false;
	return a->nr == b->nr;
}

static void apply(struct table *table, const struct kvmirqx_batch *batch)
{
	struct kvm_irqx_op op;

	for (int i = 0; i < kvmirqx_batch_count(batch); i++) {
		CHECK_INT(0, kvmirqx_batch_get(batch, i, &op, sizeof(op)));
		switch (op.op) {
		case KVM_IRQX_OP_ROUTE_SET:
			drop(table, op.entry.gsi);
			put(table, op.entry);
			break;
		case KVM_IRQX_OP_ROUTE_ADD:
			CHECK(!has(table, &op.entry));
			put(table, op.entry);
			break;
		case KVM_IRQX_OP_ROUTE_DEL:
			drop(table, op.entry.gsi);
			break;
		default:
			CHECK(!"an operation on routes");
		}
	}
}

/* The fewest operations for one GSI, from entries and to entries as sets of bits. */
static int fewest(int from, int to)
{
	if (from == to)
		return 0;
	if (!to)
		return 1;
	if (!(from & ~to))
		return __builtin_popcount(to & ~from);
	return __builtin_popcount(to);
}

/* All that a GSI can have in the test: none, some of three pins, or one of two MSIs. */
static int choose(struct table *table, __u32 gsi, int which)
{
	if (which >= 8) {
		put(table, msi(gsi, 0xfee00000, 0, 0x40 + which));
		return 1 << (which - 4);
	}
	for (__u32 chip = 0; chip < 3; chip++)
		if (which & 1 << chip)
			put(table, pin(gsi, chip, gsi));
	return which;
}

static void shuffle(struct table *table)
{
	struct kvm_irq_routing_entry entry;

	for (__u32 i = table->nr; i > 1; i--) {
		__u32 j = (__u32)rand() % i;

		entry = table->entries[j];
		table->entries[j] = table->entries[i - 1];
		table->entries[i - 1] = entry;
	}
}

static void any_table_to_any(void)
{
	struct kvmirqx_batch *batch;

	srand(1);
	CHECK_INT(0, kvmirqx_batch_new(&batch));
	for (int round = 0; round < 20000 && !case_failed; round++) {
		struct table from = { .nr = 0 }, to = { .nr = 0 };
		int want = 0;

		for (__u32 gsi = 0; gsi < GSIS; gsi++) {
			int old = choose(&from, gsi, rand() % 10);

			want += fewest(old, choose(&to, gsi, rand() % 10));
		}
		shuffle(&from);
		shuffle(&to);
		kvmirqx_batch_clear(batch);
		CHECK_INT(want, kvmirqx_batch_routes(batch, from.entries, from.nr, to.entries,
						     to.nr));
		CHECK_INT(want, kvmirqx_batch_count(batch));
		apply(&from, batch);
		CHECK(same(&from, &to));
	}
	kvmirqx_batch_free(batch);
}

static void padding_is_no_difference(void)
{
	struct kvm_irq_routing_entry from = msi(5, 0xfee00000, 0, 0x41), to = from;
	struct kvm_irq_routing_entry clean = from;
	struct kvmirqx_batch *batch;
	struct kvm_irqx_op op;

	to.pad = 7;
	to.u.msi.devid = 7;
	to.u.pad[7] = 7;
	CHECK_INT(0, kvmirqx_batch_new(&batch));
	CHECK_INT(0, kvmirqx_batch_routes(batch, &from, 1, &to, 1));
	CHECK_INT(0, kvmirqx_batch_count(batch));
	/* and goes to no operation, where it would be refused */
	CHECK_INT(1, kvmirqx_batch_routes(batch, NULL, 0, &to, 1));
	CHECK_INT(0, kvmirqx_batch_get(batch, 0, &op, sizeof(op)));
	CHECK(!memcmp(&clean, &op.entry, sizeof(clean)));
	/* of which the device ID is none if it is said to be there */
	to.flags = KVM_MSI_VALID_DEVID;
	CHECK_INT(1, kvmirqx_batch_routes(batch, &from, 1, &to, 1));
	from = to;
	from.u.msi.devid = 8;
	CHECK_INT(1, kvmirqx_batch_routes(batch, &from, 1, &to, 1));
	kvmirqx_batch_free(batch);
}

static void every_type_is_compared(void)
{
	static const __u32 types[] = {
		KVM_IRQ_ROUTING_IRQCHIP, KVM_IRQ_ROUTING_MSI, KVM_IRQ_ROUTING_HV_SINT,
		KVM_IRQ_ROUTING_XEN_EVTCHN, KVM_IRQX_ROUTING_PPI, KVM_IRQX_ROUTING_VECTOR, 99,
	};
	struct kvm_irq_routing_entry from, to;
	struct kvmirqx_batch *batch;

	CHECK_INT(0, kvmirqx_batch_new(&batch));
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		from = of_type(1, types[i]);
		to = from;
		CHECK_INT(0, kvmirqx_batch_routes(batch, &from, 1, &to, 1));
		to.u.pad[1] = 1;
		CHECK_INT(1, kvmirqx_batch_routes(batch, &from, 1, &to, 1));
	}
	CHECK_INT(-EINVAL, kvmirqx_batch_routes(batch, NULL, 1, &to, 1));
	CHECK_INT(-EINVAL, kvmirqx_batch_routes(batch, &from, 1, NULL, 1));
	CHECK_INT(-EINVAL, kvmirqx_batch_routes(NULL, &from, 1, &to, 1));
	kvmirqx_batch_free(batch);
}

static void a_batch_is_filled(void)
{
	struct kvmirqx_options options = KVMIRQX_OPTIONS;
	struct kvm_irq_routing_entry entry = msi(0, 0xfee00000, 0, 0x41), route = pin(7, 2, 7);
	struct kvmirqx_batch *batch;
	struct kvm_irqx_op op;
	static const struct {
		__u32 op;
		int fd;
		int resamplefd;
		__u32 flags;
		__u32 gsi;
		__u64 cookie;
	} want[] = {
		{ KVM_IRQX_OP_ASSIGN, 3, 4, KVM_IRQX_OP_FLAG_RESAMPLE, 0, 77 },
		{ KVM_IRQX_OP_ASSIGN, 3, 0, 0, 0, 0 },
		{ KVM_IRQX_OP_MODIFY, 3, 0, 0, 0, 0 },
		{ KVM_IRQX_OP_DEASSIGN, 3, 0, 0, 0, 0 },
		{ KVM_IRQX_OP_MASK, 3, 0, 0, 0, 0 },
		{ KVM_IRQX_OP_UNMASK, 3, 0, 0, 0, 0 },
		{ KVM_IRQX_OP_MASK, -1, 0, 0, 9, 0 },
		{ KVM_IRQX_OP_UNMASK, -1, 0, 0, 9, 0 },
		{ KVM_IRQX_OP_ROUTE_SET, 0, 0, 0, 7, 0 },
		{ KVM_IRQX_OP_ROUTE_ADD, 0, 0, 0, 7, 0 },
		{ KVM_IRQX_OP_ROUTE_DEL, 0, 0, 0, 7, 0 },
		{ KVM_IRQX_OP_IRQFD, 3, 4, KVM_IRQX_OP_FLAG_RESAMPLE, 7, 77 },
	};

	CHECK_INT(0, kvmirqx_batch_new(&batch));
	options.flags = KVM_IRQX_OP_FLAG_RESAMPLE;
	options.resamplefd = 4;
	options.cookie = 77;
	CHECK_INT(0, kvmirqx_batch_assign(batch, 3, &entry, &options));
	CHECK_INT(0, kvmirqx_batch_assign(batch, 3, &entry, NULL));
	CHECK_INT(0, kvmirqx_batch_modify(batch, 3, &entry, NULL));
	CHECK_INT(0, kvmirqx_batch_deassign(batch, 3));
	CHECK_INT(0, kvmirqx_batch_mask(batch, 3));
	CHECK_INT(0, kvmirqx_batch_unmask(batch, 3));
	CHECK_INT(0, kvmirqx_batch_mask_gsi(batch, 9));
	CHECK_INT(0, kvmirqx_batch_unmask_gsi(batch, 9));
	CHECK_INT(0, kvmirqx_batch_route_set(batch, &route, NULL));
	CHECK_INT(0, kvmirqx_batch_route_add(batch, &route));
	CHECK_INT(0, kvmirqx_batch_route_del(batch, 7));
	CHECK_INT(0, kvmirqx_batch_irqfd(batch, 3, 7, &options));
	CHECK_INT(sizeof(want) / sizeof(want[0]), kvmirqx_batch_count(batch));
	for (__u32 i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		CHECK_INT(0, kvmirqx_batch_get(batch, i, &op, sizeof(op)));
		CHECK_INT(want[i].op, op.op);
		CHECK_INT(want[i].fd, op.fd);
		CHECK_INT(want[i].resamplefd, op.resamplefd);
		CHECK_INT(want[i].flags, op.flags);
		CHECK_INT(want[i].gsi, op.entry.gsi);
		CHECK_INT(want[i].cookie, op.cookie);
		CHECK_INT(0, op.pad | op.event_flag);
	}
	CHECK_INT(-ENOENT, kvmirqx_batch_get(batch, 12, &op, sizeof(op)));
	CHECK_INT(-EINVAL, kvmirqx_batch_get(batch, 0, &op, KVM_IRQX_OP_SIZE_MIN - 1));
	CHECK_INT(-EINVAL, kvmirqx_batch_get(batch, 0, NULL, sizeof(op)));
	/* as an older program has it */
	memset(&op, 0xff, sizeof(op));
	CHECK_INT(0, kvmirqx_batch_get(batch, 0, &op, KVM_IRQX_OP_SIZE_MIN));
	CHECK_INT(~0ULL, op.cookie);
	kvmirqx_batch_free(batch);
}

static void a_batch_remembers(void)
{
	struct kvm_irq_routing_entry entry = msi(0, 0xfee00000, 0, 0x41);
	struct {
		struct kvmirqx_options known;
		__u64 more;
	} newer = { .known = KVMIRQX_OPTIONS };
	struct kvmirqx_batch *batch;

	newer.known.size = sizeof(newer);
	CHECK_INT(0, kvmirqx_batch_new(&batch));
	CHECK_INT(0, kvmirqx_batch_assign(batch, 3, &entry, &newer.known));
	newer.more = 1;
	CHECK_INT(-ENOTSUP, kvmirqx_batch_assign(batch, 3, &entry, &newer.known));
	newer.known.size = sizeof(newer.known) - 1;
	CHECK_INT(-EINVAL, kvmirqx_batch_assign(batch, 3, &entry, &newer.known));
	CHECK_INT(-EINVAL, kvmirqx_batch_assign(batch, 3, NULL, NULL));
	CHECK_INT(-EINVAL, kvmirqx_batch_modify(batch, 3, NULL, NULL));
	CHECK_INT(-EINVAL, kvmirqx_batch_route_set(batch, NULL, NULL));
	CHECK_INT(-EINVAL, kvmirqx_batch_route_add(batch, NULL));
	CHECK_INT(-EBADF, kvmirqx_batch_mask(batch, -1));
	CHECK_INT(-EBADF, kvmirqx_batch_unmask(batch, -1));
	CHECK_INT(1, kvmirqx_batch_count(batch));
	CHECK_INT(0, kvmirqx_batch_clear(batch));
	CHECK_INT(0, kvmirqx_batch_count(batch));
	CHECK_INT(-EINVAL, kvmirqx_batch_new(NULL));
	CHECK_INT(-EINVAL, kvmirqx_batch_clear(NULL));
	CHECK_INT(-EINVAL, kvmirqx_batch_count(NULL));
	CHECK_INT(-EINVAL, kvmirqx_batch_deassign(NULL, 3));
	CHECK_INT(0, kvmirqx_batch_free(NULL));
	for (int i = 0; i < 100000; i++)
		CHECK_INT(0, kvmirqx_batch_deassign(batch, i));
	CHECK_INT(100000, kvmirqx_batch_count(batch));
	kvmirqx_batch_free(batch);
}

static void names(void)
{
	CHECK_WORDS("entry.u.irqchip.pin", kvmirqx_arg_name(KVM_IRQX_ARG_ENTRY_PIN));
	CHECK_WORDS("twice in the batch", kvmirqx_reason_words(KVM_IRQX_REASON_TWICE));
	for (__u32 i = 0; i < KVM_IRQX_NR_ARGS; i++)
		CHECK(kvmirqx_arg_name(i));
	for (__u32 i = 0; i < KVM_IRQX_NR_REASONS; i++)
		CHECK(kvmirqx_reason_words(i));
	CHECK(!kvmirqx_arg_name(KVM_IRQX_NR_ARGS));
	CHECK(!kvmirqx_reason_words(~0U));
	CHECK_INT(KVMIRQX_VERSION, kvmirqx_version());
}

int main(void)
{
	printf("KTAP version 1\n");
	RUN(words_of_x86);
	RUN(words_of_arm64);
	RUN(words_that_do_not_fit);
	RUN(msi_of_x86);
	RUN(msi_of_arm64);
	RUN(msi_refused);
	RUN(native_is_one_of_them);
	RUN(any_table_to_any);
	RUN(padding_is_no_difference);
	RUN(every_type_is_compared);
	RUN(a_batch_is_filled);
	RUN(a_batch_remembers);
	RUN(names);
	return end_of_cases();
}

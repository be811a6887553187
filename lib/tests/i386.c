// SPDX-License-Identifier: MIT
/*
 * The library as a 32-bit program, against the 64-bit module: each struct of the calls once, with a
 * VM that has no guest, and a local APIC that tells what came.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kvmirqx.h"
#include "ktap.h"

#define VECTOR	0x40		/* entry n leads to this + n */
#define GSI	70000
#define COOKIE	0xfedcba9876543210ULL
#define HIGH	0x123456789000ULL	/* guest-physical, above 4 GiB */

#define MASKED	KVM_IRQX_STATE_MASKED
#define PENDING	KVM_IRQX_STATE_PENDING

/* Of the local APIC's page. */
#define SPIV	0xf0
#define IRR	0x200

_Static_assert(sizeof(void *) == 4, "32 bits");

static struct kvmirqx *ctx;
static int vm, vcpu;

static int must(const char *what, int ret)
{
	if (ret < 0) {
		printf("Bail out! %s: errno %d\n", what, errno);
		exit(1);
	}
	return ret;
}

static void vm_create(void)
{
	struct kvm_lapic_state lapic;
	int kvm = must("/dev/kvm", open("/dev/kvm", O_RDWR | O_CLOEXEC));

	vm = must("KVM_CREATE_VM", ioctl(kvm, KVM_CREATE_VM, 0));
	must("KVM_CREATE_IRQCHIP", ioctl(vm, KVM_CREATE_IRQCHIP, 0));
	vcpu = must("KVM_CREATE_VCPU", ioctl(vm, KVM_CREATE_VCPU, 0));
	must("KVM_GET_LAPIC", ioctl(vcpu, KVM_GET_LAPIC, &lapic));
	/* A guest would switch it on. */
	lapic.regs[SPIV + 1] |= 1;
	must("KVM_SET_LAPIC", ioctl(vcpu, KVM_SET_LAPIC, &lapic));
	close(kvm);
}

/* Has entry @n got an interrupt since the last look? */
static bool came(int n)
{
	struct kvm_lapic_state lapic;
	int vector = VECTOR + n;
	char *irr = &lapic.regs[IRR + vector / 32 * 16 + vector / 8 % 4];
	bool is;

	must("KVM_GET_LAPIC", ioctl(vcpu, KVM_GET_LAPIC, &lapic));
	is = *irr & 1 << vector % 8;
	*irr &= ~(1 << vector % 8);
	must("KVM_SET_LAPIC", ioctl(vcpu, KVM_SET_LAPIC, &lapic));
	return is;
}

static struct kvm_irq_routing_entry to(int n, __u32 gsi)
{
	struct kvmirqx_msi msi = { .address_lo = 0xfee00000, .data = VECTOR + n };
	struct kvm_irq_routing_entry entry;

	CHECK_INT(0, kvmirqx_msi_entry(&entry, KVMIRQX_ARCH_NATIVE, 0, &msi));
	entry.gsi = gsi;
	return entry;
}

static int event_create(void)
{
	return must("eventfd()", eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
}

static void fire(int fd)
{
	must("write()", eventfd_write(fd, 1));
}

static struct kvm_irqx_stats stats(void)
{
	struct kvm_irqx_stats of = { .argsz = sizeof(of) };

	CHECK_INT(0, kvmirqx_stats(ctx, &of));
	CHECK_INT(sizeof(of), of.argsz);
	return of;
}

static const char *last_words(void)
{
	static char buf[160];

	kvmirqx_last_error_words(buf, sizeof(buf));
	return buf;
}

static void contexts(void)
{
	struct kvm_irqx_info info = { .argsz = sizeof(info) };

	CHECK_INT(-ENOTCONN, kvmirqx_get_state(ctx, 0));
	CHECK_INT(-EBADF, kvmirqx_attach(ctx, -1));
	CHECK_INT(0, kvmirqx_attach(ctx, vm));
	CHECK_INT(-EBUSY, kvmirqx_attach(ctx, vm));
	/* What the module says of its structs, which it has compiled for 64 bits. */
	CHECK_INT(0, kvmirqx_info(ctx, &info));
	CHECK_INT(sizeof(info), info.argsz);
	CHECK_INT(KVM_IRQX_ABI_VERSION, info.abi);
	CHECK_INT(sizeof(struct kvm_irqx_op), info.op_size);
	CHECK_INT(sizeof(struct kvm_irqx_vector), info.vector_size);
	CHECK_INT(sizeof(struct kvm_irqx_binding), info.binding_size);
}

static void bindings(void)
{
	struct kvm_irqx_target_state states[2] = { { .gsi = 0 }, { .fd = KVM_IRQX_NO_FD } };
	struct kvm_irq_routing_entry entry = to(0, 0), other = to(1, 0);
	struct kvmirqx_options options = KVMIRQX_OPTIONS;
	int fd = event_create();
	__u32 index = 77;

	options.cookie = COOKIE;
	CHECK_INT(0, kvmirqx_assign(ctx, fd, &entry, &options));
	fire(fd);
	CHECK(came(0));
	CHECK_INT(-EBUSY, kvmirqx_assign(ctx, fd, &entry, NULL));
	CHECK_WORDS("KVM_IRQX_IRQFD_DIRECT: fd: bound already (EBUSY)", last_words());
	CHECK_INT(0, kvmirqx_modify(ctx, fd, &other, NULL));
	CHECK_INT(0, kvmirqx_mask(ctx, fd));
	fire(fd);
	CHECK_INT(MASKED | PENDING, kvmirqx_get_state(ctx, fd));
	CHECK(!came(1));
	states[0].fd = fd;
	CHECK_INT(-ENOENT, kvmirqx_get_states(ctx, states, sizeof(states[0]), 2, &index));
	CHECK_INT(1, index);
	CHECK_WORDS("KVM_IRQX_GET_STATE: gsi: the GSI has no route, element 1 (ENOENT)",
		    last_words());
	CHECK_INT(0, kvmirqx_unmask(ctx, fd));
	CHECK(came(1) && !came(0));
	CHECK_INT(1, stats().irqfds);
	CHECK_INT(2, stats().events);
	CHECK_INT(0, kvmirqx_deassign(ctx, fd));
	CHECK_INT(0, kvmirqx_deassign(ctx, fd));
	CHECK_WORDS("KVM_IRQX_IRQFD_DIRECT: fd: not bound here", last_words());
	close(fd);
}

static void gsis(void)
{
	struct kvm_irq_routing_entry table[2] = { to(2, 1), to(3, GSI) };
	int fd = event_create(), status = 77;

	CHECK_INT(0, kvmirqx_set_routes(ctx, table, 2));
	CHECK_INT(2, stats().gsis);
	CHECK_INT(0, kvmirqx_irqfd(ctx, fd, GSI, NULL));
	fire(fd);
	CHECK(came(3));
	CHECK_INT(0, kvmirqx_irq_line(ctx, 1, 1));
	CHECK(came(2));
	CHECK_INT(0, kvmirqx_irq_line(ctx, 1, 0));
	CHECK_INT(0, kvmirqx_irq_line_status(ctx, 1, 1, &status));
	CHECK_INT(1, status);
	CHECK(came(2));
	CHECK_INT(0, kvmirqx_irqfd_deassign(ctx, fd, GSI));
	CHECK_INT(0, kvmirqx_set_routes(ctx, NULL, 0));
	CHECK_INT(0, stats().irqfds);
	CHECK_INT(0, stats().gsis);
	close(fd);
}

static void batches(void)
{
	struct kvm_irq_routing_entry entry = to(4, 0), route = to(5, GSI);
	struct kvmirqx_options options = KVMIRQX_OPTIONS;
	struct kvmirqx_batch *batch;
	struct kvm_irqx_binding binding;
	struct kvmirqx_list *list;
	int fd = event_create(), other = event_create();
	__u32 index = 77;

	CHECK_INT(0, kvmirqx_batch_new(&batch));
	options.cookie = COOKIE;
	CHECK_INT(0, kvmirqx_batch_assign(batch, fd, &entry, &options));
	CHECK_INT(0, kvmirqx_batch_route_set(batch, &route, NULL));
	options.cookie = 7;
	CHECK_INT(0, kvmirqx_batch_irqfd(batch, other, GSI, &options));
	CHECK_INT(0, kvmirqx_batch_run(ctx, batch, &index));
	CHECK_INT(3, index);
	fire(fd);
	fire(other);
	CHECK(came(4) && came(5));

	CHECK_INT(0, kvmirqx_list_begin(ctx, sizeof(binding), &list));
	CHECK_INT(1, kvmirqx_list_next(list, &binding));
	CHECK_INT(COOKIE, binding.cookie);
	CHECK_INT(1, binding.events);
	CHECK(!memcmp(&binding.entry, &entry, sizeof(entry)));
	CHECK_INT(1, kvmirqx_list_next(list, &binding));
	CHECK_INT(7, binding.cookie);
	CHECK_INT(KVM_IRQX_BINDING_GSI, binding.flags);
	CHECK_INT(GSI, binding.gsi);
	CHECK_INT(0, kvmirqx_list_next(list, &binding));
	CHECK_INT(0, kvmirqx_list_end(list));

	CHECK_INT(0, kvmirqx_batch_clear(batch));
	CHECK_INT(0, kvmirqx_batch_deassign(batch, fd));
	CHECK_INT(0, kvmirqx_batch_deassign(batch, other));
	CHECK_INT(0, kvmirqx_batch_deassign(batch, other));
	CHECK_INT(-EINVAL, kvmirqx_batch_run(ctx, batch, &index));
	CHECK_INT(2, index);
	CHECK_WORDS("KVM_IRQX_BATCH: fd: twice in the batch, element 2 (EINVAL)", last_words());
	CHECK_INT(2, stats().irqfds);
	CHECK_INT(0, kvmirqx_route_del(ctx, GSI));
	CHECK_INT(0, kvmirqx_deassign(ctx, fd));
	CHECK_INT(0, kvmirqx_deassign(ctx, other));
	kvmirqx_batch_free(batch);
	close(fd);
	close(other);
}

static void synic(void)
{
	if (!kvmirqx_has(ctx, KVM_IRQX_FEATURE_EVENT_FLAG)) {
		CHECK_INT(-ENOTSUP, kvmirqx_synic_page_set(ctx, 0, HIGH));
		return;
	}
	CHECK_INT(0, kvmirqx_synic_page_set(ctx, 0, HIGH));
	CHECK_INT(-EINVAL, kvmirqx_synic_page_set(ctx, 0, HIGH + 1));
	CHECK_INT(0, kvmirqx_synic_page_clear(ctx, 0));
}

static void tables(void)
{
	struct kvmirqx_table_options options = KVMIRQX_TABLE_OPTIONS;
	struct kvmirqx_vectors state = KVMIRQX_VECTORS;
	struct kvm_irq_routing_entry entry;
	struct kvm_irqx_vector vectors[2];
	static const __u32 both[] = { 1, 0 };
	int fd = event_create();
	__u64 changed;
	__u32 table;

	options.nr = 2;
	options.flags = KVM_IRQX_TABLE_DECODES | KVM_IRQX_TABLE_ENABLED;
	options.entries = HIGH;
	options.pba = HIGH + 0x1000;
	CHECK_INT(0, kvmirqx_table_create(ctx, &options, &table));
	memset(&entry, 0, sizeof(entry));
	entry.type = KVM_IRQX_ROUTING_VECTOR;
	entry.u.irqchip.irqchip = table;
	entry.u.irqchip.pin = 1;
	CHECK_INT(0, kvmirqx_assign(ctx, fd, &entry, NULL));
	fire(fd);
	CHECK_INT(0, kvmirqx_raise_many(ctx, table, both, 2));
	state.nr = 2;
	state.vectors = vectors;
	state.changed = &changed;
	CHECK_INT(0, kvmirqx_table_get_state(ctx, table, &state));
	CHECK_INT(options.flags, state.function);
	CHECK_INT(KVM_IRQX_VECTOR_PENDING, vectors[0].state);
	CHECK_INT(KVM_IRQX_VECTOR_PENDING | KVM_IRQX_VECTOR_BOUND, vectors[1].state);
	CHECK_INT(1, vectors[1].control);
	CHECK_INT(0, changed);

	/* What the guest's unmasking would do. */
	vectors[1] = (struct kvm_irqx_vector) { .address_lo = 0xfee00000, .data = VECTOR + 6 };
	state.first = 1;
	state.nr = 1;
	state.vectors = &vectors[1];
	state.changed = NULL;
	state.function = 0;
	state.flags = KVM_IRQX_TABLE_STATE_KEEP_PENDING;
	CHECK_INT(0, kvmirqx_table_set_state(ctx, table, &state));
	CHECK(came(6));
	CHECK_INT(0, kvmirqx_table_move(ctx, table, HIGH + 0x10000, HIGH + 0x11000));
	CHECK_INT(0, kvmirqx_table_set(ctx, table, 0));
	CHECK_INT(-EBUSY, kvmirqx_table_destroy(ctx, table));
	CHECK_INT(0, kvmirqx_deassign(ctx, fd));
	CHECK_INT(0, kvmirqx_table_destroy(ctx, table));
	CHECK_INT(-ENOENT, kvmirqx_raise(ctx, table, 0));
	CHECK_WORDS("KVM_IRQX_RAISE: table: no such table (ENOENT)", last_words());
	close(fd);
}

static void dynirqs(void)
{
	struct kvmirqx_table_options options = KVMIRQX_TABLE_OPTIONS;
	struct kvm_irqx_dynirq_header header = { .argsz = sizeof(header) };
	struct kvmirqx_vectors state = KVMIRQX_VECTORS;
	char label[KVM_IRQX_LABEL_SIZE];
	__u32 table;

	options.nr = 8;
	options.flags = KVM_IRQX_TABLE_DECODES;
	options.entries = HIGH;
	CHECK_INT(0, kvmirqx_dynirq_create(ctx, &options, &table));
	CHECK_INT(1, kvmirqx_handle_alloc(ctx, table, KVM_IRQX_ANY_HANDLE, "net"));
	CHECK_INT(0, kvmirqx_handle_set_label(ctx, table, 1, "disk"));
	CHECK_INT(0, kvmirqx_handle_get_label(ctx, table, 1, label, sizeof(label)));
	CHECK_WORDS("disk", label);
	CHECK_INT(0, kvmirqx_raise(ctx, table, 1));
	state.header = &header;
	CHECK_INT(0, kvmirqx_table_get_state(ctx, table, &state));
	CHECK_INT(sizeof(header), header.argsz);
	CHECK(header.instance);
	CHECK_INT(0, kvmirqx_handle_free(ctx, table, 1));
	CHECK_INT(0, kvmirqx_table_destroy(ctx, table));
}

int main(void)
{
	printf("KTAP version 1\n");
	if (access("/dev/kvm-irqx", F_OK)) {
		printf("1..0 # SKIP the module is not loaded\n");
		return 4;
	}
	vm_create();
	must("kvmirqx_open()", kvmirqx_open(&ctx));
	RUN(contexts);
	RUN(bindings);
	RUN(gsis);
	RUN(batches);
	RUN(synic);
	RUN(tables);
	RUN(dynirqs);
	kvmirqx_close(ctx);
	return end_of_cases();
}

// SPDX-License-Identifier: MIT
/*
 * The library with modules that are older and newer, and programs that are: ioctl() is a module
 * in this program, by the linker's --wrap.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "kvmirqx.h"
#include "ktap.h"

#define FD	1000		/* of no file */
#define ALL	(~0ULL)

/* The module. */
static struct {
	struct kvm_irqx_info info;	/* argsz: what it knows of it */
	int error;			/* what the next call fails with, or 0 */
	struct kvm_irqx_error record;	/* what it tells of it, if it has an argument */
	unsigned long cmd;		/* what was called last */
	int calls;			/* how many since the last look */
	union {
		struct kvm_irqx_irqfd_direct direct;
		struct kvm_irqx_batch batch;
		struct kvm_irqx_mask mask;
		struct kvm_irqx_get_state get_state;
		struct kvm_irqx_table table;
		struct kvm_irqx_table_state table_state;
		struct kvm_irqx_handle handle;
		struct kvm_irqx_raise raise;
		struct kvm_irqx_list list;
		struct kvm_irqx_synic_page page;
		struct kvm_irqx_attach attach;
		struct kvm_irqfd irqfd;
		struct kvm_irq_level level;
		struct kvm_irq_routing routing;
		struct kvm_irqx_intx_attach intx;
	} arg;
	struct kvm_irqx_op op;		/* the first of a batch */
	__u32 bindings;			/* how many there are to be listed */
} module;

int __wrap_ioctl(int fd, unsigned long cmd, ...);

static size_t size_of(unsigned long cmd)
{
	switch (cmd) {
	case KVM_SET_GSI_ROUTING:
		return sizeof(struct kvm_irq_routing);
	default:
		return _IOC_SIZE(cmd);
	}
}

static __u64 record_of(unsigned long cmd)
{
	switch (cmd) {
	case KVM_IRQX_IRQFD_DIRECT:
		return module.arg.direct.error;
	case KVM_IRQX_BATCH:
		return module.arg.batch.error;
	case KVM_IRQX_MASK:
		return module.arg.mask.error;
	case KVM_IRQX_GET_STATE:
		return module.arg.get_state.error;
	case KVM_IRQX_TABLE:
		return module.arg.table.error;
	case KVM_IRQX_GET_TABLE:
	case KVM_IRQX_SET_TABLE:
		return module.arg.table_state.error;
	case KVM_IRQX_HANDLE:
		return module.arg.handle.error;
	case KVM_IRQX_RAISE:
		return module.arg.raise.error;
	case KVM_IRQX_LIST:
		return module.arg.list.error;
	default:
		return 0;
	}
}

static void copy_sized(void *arg, const void *from, __u32 size)
{
	__u32 argsz;

	memcpy(&argsz, arg, sizeof(argsz));
	memcpy(arg, from, argsz < size ? argsz : size);
}

/* Pieces of two records, and after the second an empty one; the cursor is the next's number. */
static void list(struct kvm_irqx_list *args)
{
	__u32 i = 0, from = args->cursor & 0xffff;
	bool empty = args->cursor >> 32;
	struct kvm_irqx_binding binding = { .cookie = 0 };
	char *to = (char *)(uintptr_t)args->bindings;

	for (; !empty && i < 2 && from + i < module.bindings; i++) {
		memset(to + i * args->binding_size, 0, args->binding_size);
		binding.cookie = from + i + 1;
		memcpy(to + i * args->binding_size, &binding,
		       args->binding_size < sizeof(binding) ? args->binding_size : sizeof(binding));
	}
	args->nr = i;
	args->cursor = from + i;
	if (!empty && from + i == 4)
		args->cursor |= 1ULL << 32;
	else if (from + i == module.bindings)
		args->cursor = 0;
}

int __wrap_ioctl(int fd, unsigned long cmd, ...)
{
	struct kvm_irqx_stats stats = { .argsz = 16, .events = 5, .atomic = 6 };
	/* One of old, too. */
	struct kvm_irqx_intx_info intx_info = { .argsz = 16, .abi = 1, .features = 1 };
	struct kvm_irqx_intx_state intx_state = { .argsz = 16, .state = 1, .mode = 2, .flags = 4 };
	const struct kvm_irqx_op *ops;
	__u64 record;
	va_list args;
	void *arg;

	va_start(args, cmd);
	arg = va_arg(args, void *);
	va_end(args);
	CHECK_INT(FD, fd);
	module.cmd = cmd;
	module.calls++;
	memset(&module.arg, 0, sizeof(module.arg));
	if (arg)
		memcpy(&module.arg, arg, size_of(cmd));
	record = record_of(cmd);
	if (cmd == KVM_IRQX_BATCH) {
		ops = (const void *)(uintptr_t)module.arg.batch.ops;
		memcpy(&module.op, ops, sizeof(module.op));
	}
	if (record && (module.error || module.record.reason)) {
		((struct kvm_irqx_error *)(uintptr_t)record)->index = module.record.index;
		((struct kvm_irqx_error *)(uintptr_t)record)->arg = module.record.arg;
		((struct kvm_irqx_error *)(uintptr_t)record)->reason = module.record.reason;
	}
	if (module.error) {
		errno = module.error;
		module.error = 0;
		if (cmd == KVM_IRQX_BATCH)
			((struct kvm_irqx_batch *)arg)->index = module.record.index;
		if (cmd == KVM_IRQX_INTX_ATTACH)
			((struct kvm_irqx_intx_attach *)arg)->reason = module.record.reason;
		return -1;
	}
	switch (cmd) {
	case KVM_IRQX_GET_INFO:
		copy_sized(arg, &module.info, module.info.argsz < sizeof(module.info) ?
			   module.info.argsz : sizeof(module.info));
		break;
	case KVM_IRQX_GET_STATS:
		/* one of old: events, and nothing behind them */
		copy_sized(arg, &stats, stats.argsz);
		break;
	case KVM_IRQX_INTX_GET_INFO:
		copy_sized(arg, &intx_info, intx_info.argsz);
		break;
	case KVM_IRQX_INTX_GET_STATE:
		copy_sized(arg, &intx_state, intx_state.argsz);
		break;
	case KVM_IRQX_LIST:
		list(arg);
		break;
	default:
		break;
	}
	return 0;
}

static struct kvmirqx *ctx;

static struct kvm_irqx_info info_of_today(void)
{
	return (struct kvm_irqx_info) {
		.argsz = sizeof(struct kvm_irqx_info),
		.abi = KVM_IRQX_ABI_VERSION,
		.features = ALL,
		.max_gsi = 4096,
		.max_irqfds = 4096,
		.max_batch = 4096,
		.ops = 0x3fe,
		.op_size = sizeof(struct kvm_irqx_op),
		.op_flags = 0x3a,
		.direct_flags = 0x3f,
		.synic_page_flags = 1,
		.mask_flags = 3,
		.table_flags = 7,
		.table_ops = 0x3e,
		.table_state_flags = 7,
		.vector_size = sizeof(struct kvm_irqx_vector),
		.max_vectors = 2048,
		.max_handles = 65536,
		.table_state_version = KVM_IRQX_TABLE_STATE_VERSION,
		.handle_ops = 0x1e,
		.binding_size = sizeof(struct kvm_irqx_binding),
	};
}

static void end(void)
{
	if (ctx)
		CHECK_INT(FD, kvmirqx_release(ctx));
	ctx = NULL;
}

static void begin(struct kvm_irqx_info info)
{
	end();
	memset(&module, 0, sizeof(module));
	module.info = info;
	CHECK_INT(0, kvmirqx_adopt(&ctx, FD));
	module.calls = 0;
}

static const char *last_words(void)
{
	static char buf[160];
	int length = kvmirqx_last_error_words(buf, sizeof(buf));

	CHECK_INT(strlen(buf), length);
	return buf;
}

/* How many calls there were since it was asked last, and none but of @cmd. */
static int called(unsigned long cmd)
{
	int calls = module.calls;

	if (calls)
		CHECK_INT(cmd, module.cmd);
	module.calls = 0;
	return calls;
}

static const struct kvm_irq_routing_entry msi = { .type = KVM_IRQ_ROUTING_MSI };
static const struct kvm_irq_routing_entry route = { .gsi = 7, .type = KVM_IRQ_ROUTING_IRQCHIP };

/* Each function of the library, and the call that it makes. */
static int number;
static char label[KVM_IRQX_LABEL_SIZE];
static __u32 handles[2];
static struct kvm_irqx_target_state states[2];
static struct kvm_irqx_stats stats;
static struct kvm_irqx_info info;

static int do_attach(void) { return kvmirqx_attach(ctx, 9); }
static int do_info(void)
{
	info.argsz = sizeof(info);
	return kvmirqx_info(ctx, &info);
}

static int do_stats(void)
{
	stats.argsz = sizeof(stats);
	return kvmirqx_stats(ctx, &stats);
}

static int do_assign(void) { return kvmirqx_assign(ctx, 3, &msi, NULL); }
static int do_modify(void) { return kvmirqx_modify(ctx, 3, &msi, NULL); }
static int do_deassign(void) { return kvmirqx_deassign(ctx, 3); }
static int do_mask(void) { return kvmirqx_mask(ctx, 3); }
static int do_unmask(void) { return kvmirqx_unmask(ctx, 3); }
static int do_mask_gsi(void) { return kvmirqx_mask_gsi(ctx, 3); }
static int do_unmask_gsi(void) { return kvmirqx_unmask_gsi(ctx, 3); }
static int do_get_state(void) { return kvmirqx_get_state(ctx, 3); }
static int do_get_gsi_state(void) { return kvmirqx_get_gsi_state(ctx, 3); }
static int do_get_states(void)
{
	return kvmirqx_get_states(ctx, states, sizeof(states[0]), 2, NULL);
}

static int do_set_routes(void) { return kvmirqx_set_routes(ctx, &route, 1); }
static int do_route_set(void) { return kvmirqx_route_set(ctx, &route); }
static int do_route_add(void) { return kvmirqx_route_add(ctx, &route); }
static int do_route_del(void) { return kvmirqx_route_del(ctx, 7); }
static int do_irqfd(void) { return kvmirqx_irqfd(ctx, 3, 7, NULL); }
static int do_irqfd_deassign(void) { return kvmirqx_irqfd_deassign(ctx, 3, 7); }
static int do_irq_line(void) { return kvmirqx_irq_line(ctx, 7, 1); }
static int do_irq_line_status(void) { return kvmirqx_irq_line_status(ctx, 7, 1, &number); }
static int do_run_ops(void)
{
	struct kvm_irqx_op op = { .op = KVM_IRQX_OP_DEASSIGN, .fd = 3 };

	return kvmirqx_batch_run_ops(ctx, &op, sizeof(op), 1, NULL);
}

static int do_batch(void)
{
	struct kvmirqx_batch *batch;
	int ret;

	CHECK_INT(0, kvmirqx_batch_new(&batch));
	CHECK_INT(0, kvmirqx_batch_mask(batch, 3));
	ret = kvmirqx_batch_run(ctx, batch, NULL);
	kvmirqx_batch_free(batch);
	return ret;
}

static int do_page_set(void) { return kvmirqx_synic_page_set(ctx, 1, 0x1000); }
static int do_page_clear(void) { return kvmirqx_synic_page_clear(ctx, 1); }
static int do_table_create(void)
{
	struct kvmirqx_table_options options = KVMIRQX_TABLE_OPTIONS;
	__u32 table;

	return kvmirqx_table_create(ctx, &options, &table);
}

static int do_dynirq_create(void)
{
	struct kvmirqx_table_options options = KVMIRQX_TABLE_OPTIONS;
	__u32 table;

	return kvmirqx_dynirq_create(ctx, &options, &table);
}

static int do_table_move(void) { return kvmirqx_table_move(ctx, 1, 0x1000, 0x2000); }
static int do_table_set(void) { return kvmirqx_table_set(ctx, 1, KVM_IRQX_TABLE_DECODES); }
static int do_table_destroy(void) { return kvmirqx_table_destroy(ctx, 1); }
static int do_table_get_state(void)
{
	struct kvmirqx_vectors vectors = KVMIRQX_VECTORS;

	return kvmirqx_table_get_state(ctx, 1, &vectors);
}

static int do_table_set_state(void)
{
	struct kvmirqx_vectors vectors = KVMIRQX_VECTORS;

	return kvmirqx_table_set_state(ctx, 1, &vectors);
}

static int do_alloc(void) { return kvmirqx_handle_alloc(ctx, 1, 2, "label") == 2 ? 0 : -1; }
static int do_free(void) { return kvmirqx_handle_free(ctx, 1, 2); }
static int do_set_label(void) { return kvmirqx_handle_set_label(ctx, 1, 2, "label"); }
static int do_get_label(void)
{
	return kvmirqx_handle_get_label(ctx, 1, 2, label, sizeof(label));
}

static int do_raise(void) { return kvmirqx_raise(ctx, 1, 2); }
static int do_raise_many(void) { return kvmirqx_raise_many(ctx, 1, handles, 2); }
static int do_list(void)
{
	struct kvm_irqx_binding binding;
	struct kvmirqx_list *listing;
	int ret = kvmirqx_list_begin(ctx, sizeof(binding), &listing);

	if (ret)
		return ret;
	ret = kvmirqx_list_next(listing, &binding);
	kvmirqx_list_end(listing);
	return ret;
}

static const struct {
	const char *name;
	int (*call)(void);
	unsigned long cmd;
	__u64 feature;		/* without which it is ENOTSUP */
} functions[] = {
	{ "attach", do_attach, KVM_IRQX_ATTACH, 0 },
	{ "info", do_info, KVM_IRQX_GET_INFO, 0 },
	{ "stats", do_stats, KVM_IRQX_GET_STATS, 0 },
	{ "assign", do_assign, KVM_IRQX_IRQFD_DIRECT, 0 },
	{ "modify", do_modify, KVM_IRQX_IRQFD_DIRECT, 0 },
	{ "deassign", do_deassign, KVM_IRQX_IRQFD_DIRECT, 0 },
	{ "mask", do_mask, KVM_IRQX_MASK, 0 },
	{ "unmask", do_unmask, KVM_IRQX_MASK, 0 },
	{ "mask_gsi", do_mask_gsi, KVM_IRQX_MASK, 0 },
	{ "unmask_gsi", do_unmask_gsi, KVM_IRQX_MASK, 0 },
	{ "get_state", do_get_state, KVM_IRQX_GET_STATE, 0 },
	{ "get_gsi_state", do_get_gsi_state, KVM_IRQX_GET_STATE, 0 },
	{ "get_states", do_get_states, KVM_IRQX_GET_STATE, 0 },
	{ "set_routes", do_set_routes, KVM_SET_GSI_ROUTING, 0 },
	{ "route_set", do_route_set, KVM_IRQX_BATCH, 0 },
	{ "route_add", do_route_add, KVM_IRQX_BATCH, 0 },
	{ "route_del", do_route_del, KVM_IRQX_BATCH, 0 },
	{ "irqfd", do_irqfd, KVM_IRQX_BATCH, 0 },
	{ "irqfd_deassign", do_irqfd_deassign, KVM_IRQFD, 0 },
	{ "irq_line", do_irq_line, KVM_IRQ_LINE, 0 },
	{ "irq_line_status", do_irq_line_status, KVM_IRQ_LINE_STATUS, 0 },
	{ "run_ops", do_run_ops, KVM_IRQX_BATCH, 0 },
	{ "batch", do_batch, KVM_IRQX_BATCH, 0 },
	{ "page_set", do_page_set, KVM_IRQX_SYNIC_PAGE, KVM_IRQX_FEATURE_EVENT_FLAG },
	{ "page_clear", do_page_clear, KVM_IRQX_SYNIC_PAGE, KVM_IRQX_FEATURE_EVENT_FLAG },
	{ "table_create", do_table_create, KVM_IRQX_TABLE, KVM_IRQX_FEATURE_TABLE },
	{ "dynirq_create", do_dynirq_create, KVM_IRQX_TABLE, KVM_IRQX_FEATURE_DYNIRQ },
	{ "table_move", do_table_move, KVM_IRQX_TABLE, KVM_IRQX_FEATURE_TABLE },
	{ "table_set", do_table_set, KVM_IRQX_TABLE, KVM_IRQX_FEATURE_TABLE },
	{ "table_destroy", do_table_destroy, KVM_IRQX_TABLE, KVM_IRQX_FEATURE_TABLE },
	{ "table_get_state", do_table_get_state, KVM_IRQX_GET_TABLE, KVM_IRQX_FEATURE_TABLE },
	{ "table_set_state", do_table_set_state, KVM_IRQX_SET_TABLE, KVM_IRQX_FEATURE_TABLE },
	{ "handle_alloc", do_alloc, KVM_IRQX_HANDLE, KVM_IRQX_FEATURE_DYNIRQ },
	{ "handle_free", do_free, KVM_IRQX_HANDLE, KVM_IRQX_FEATURE_DYNIRQ },
	{ "handle_set_label", do_set_label, KVM_IRQX_HANDLE, KVM_IRQX_FEATURE_DYNIRQ },
	{ "handle_get_label", do_get_label, KVM_IRQX_HANDLE, KVM_IRQX_FEATURE_DYNIRQ },
	{ "raise", do_raise, KVM_IRQX_RAISE, KVM_IRQX_FEATURE_DYNIRQ },
	{ "raise_many", do_raise_many, KVM_IRQX_RAISE, KVM_IRQX_FEATURE_DYNIRQ },
	{ "list", do_list, KVM_IRQX_LIST, KVM_IRQX_FEATURE_LIST },
};

#define for_each_function(i)	\
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)

/* handle_alloc's result is no errno here */
static bool is(int want, int ret, size_t i)
{
	return ret == want || (functions[i].call == do_alloc && want && ret == -1);
}

static void each_makes_its_call(void)
{
	begin(info_of_today());
	for_each_function(i) {
		int ret = functions[i].call();

		if (ret || called(functions[i].cmd) != 1) {
			printf("# %s: %d\n", functions[i].name, ret);
			case_failed = true;
		}
		CHECK_WORDS("", last_words());
	}
}

static void each_without_its_feature(void)
{
	for_each_function(i) {
		struct kvm_irqx_info less = info_of_today();
		int ret;

		less.features &= ~functions[i].feature;
		begin(less);
		ret = functions[i].call();
		if (!is(functions[i].feature ? -ENOTSUP : 0, ret, i) ||
		    called(functions[i].cmd) != !functions[i].feature) {
			printf("# %s: %d\n", functions[i].name, ret);
			case_failed = true;
		}
	}
}

static void each_that_the_module_does_not_know(void)
{
	begin(info_of_today());
	for_each_function(i) {
		int ret;

		module.error = ENOTTY;
		ret = functions[i].call();
		if (!is(-ENOTSUP, ret, i)) {
			printf("# %s: %d\n", functions[i].name, ret);
			case_failed = true;
		}
	}
}

static void each_fails_as_the_module_says(void)
{
	char want[64];

	begin(info_of_today());
	for_each_function(i) {
		int ret;

		module.error = EIO;
		ret = functions[i].call();
		if (!is(-EIO, ret, i)) {
			printf("# %s: %d\n", functions[i].name, ret);
			case_failed = true;
		}
		CHECK(strstr(last_words(), " (EIO)"));
		snprintf(want, sizeof(want), "KVM_IR");
		CHECK(!strncmp(want, last_words(), strlen(want)) ||
		      functions[i].cmd == KVM_SET_GSI_ROUTING);
	}
}

static void each_without_a_context(void)
{
	end();
	for_each_function(i) {
		int ret = functions[i].call();

		if (!is(-EINVAL, ret, i)) {
			printf("# %s: %d\n", functions[i].name, ret);
			case_failed = true;
		}
	}
	CHECK_INT(-EINVAL, kvmirqx_fd(NULL));
	CHECK_INT(0, kvmirqx_has(NULL, 0));
	CHECK_INT(-EINVAL, kvmirqx_release(NULL));
	CHECK_INT(0, kvmirqx_close(NULL));
	CHECK_INT(-EINVAL, kvmirqx_open(NULL));
	CHECK_INT(-EINVAL, kvmirqx_adopt(NULL, FD));
}

static void what_is_no_such_module(void)
{
	struct kvm_irqx_info other = info_of_today();
	struct kvmirqx *none = NULL;

	memset(&module, 0, sizeof(module));
	module.info = other;
	module.error = ENOTTY;
	CHECK_INT(-ENOTTY, kvmirqx_adopt(&none, FD));
	CHECK_WORDS("KVM_IRQX_GET_INFO (ENOTTY)", last_words());
	module.info.abi = KVM_IRQX_ABI_VERSION + 1;
	CHECK_INT(-ENOTSUP, kvmirqx_adopt(&none, FD));
	CHECK_WORDS("KVM_IRQX_GET_INFO: version: unknown value (ENOTSUP)", last_words());
	CHECK(!none);
}

/* The first that had an abi of 2: no flags, no operations, no records of errors. */
static void a_module_without_batches(void)
{
	struct kvm_irqx_info old = {
		.argsz = 32, .abi = KVM_IRQX_ABI_VERSION, .features = 0x30f, .max_gsi = 4096,
		.max_irqfds = 4096,
	};
	struct kvmirqx_options options = KVMIRQX_OPTIONS;

	begin(old);
	CHECK_INT(0, do_assign());
	CHECK_INT(0, module.arg.direct.error);
	CHECK_INT(0, do_mask());
	CHECK_INT(0, module.arg.mask.error);
	CHECK_INT(0, do_set_routes());
	module.calls = 0;
	/* KVM's own struct, since there is no other way */
	CHECK_INT(0, do_irqfd());
	CHECK_INT(1, called(KVM_IRQFD));
	CHECK_INT(3, module.arg.irqfd.fd);
	CHECK_INT(7, module.arg.irqfd.gsi);
	CHECK_INT(0, module.arg.irqfd.flags);
	options.flags = KVM_IRQX_OP_FLAG_RESAMPLE;
	options.resamplefd = 4;
	CHECK_INT(0, kvmirqx_irqfd(ctx, 3, 7, &options));
	CHECK_INT(KVM_IRQFD_FLAG_RESAMPLE, module.arg.irqfd.flags);
	CHECK_INT(4, module.arg.irqfd.resamplefd);
	options.cookie = 1;
	CHECK_INT(-ENOTSUP, kvmirqx_irqfd(ctx, 3, 7, &options));
	CHECK_WORDS("KVM_IRQFD: cookie: in a field that is not known (ENOTSUP)", last_words());
	CHECK_INT(-ENOTSUP, kvmirqx_assign(ctx, 3, &msi, &options));
	options.cookie = 0;
	options.flags = KVM_IRQX_OP_FLAG_MASK;
	CHECK_INT(-ENOTSUP, kvmirqx_irqfd(ctx, 3, 7, &options));
	module.error = ENOTTY;
	CHECK_INT(-ENOTSUP, do_route_set());
	CHECK_INT(-ENOTSUP, do_table_create());
	CHECK_INT(-ENOTSUP, do_raise());
	CHECK_INT(-ENOTSUP, do_list());
	CHECK_INT(1, kvmirqx_has(ctx, KVM_IRQX_FEATURE_MSI | KVM_IRQX_FEATURE_RESAMPLE));
	CHECK_INT(0, kvmirqx_has(ctx, KVM_IRQX_FEATURE_MSI | KVM_IRQX_FEATURE_TABLE));
}

/* Before bindings could be listed. */
static void a_module_without_lists(void)
{
	struct kvm_irqx_info old = info_of_today();
	struct kvmirqx_options options = KVMIRQX_OPTIONS;

	old.argsz = offsetof(struct kvm_irqx_info, list_flags);
	old.features = 0x3b0f;
	old.op_size = KVM_IRQX_OP_SIZE_MIN;
	begin(old);
	CHECK_INT(0, do_assign());
	CHECK(module.arg.direct.error);
	options.cookie = 1;
	CHECK_INT(-ENOTSUP, kvmirqx_assign(ctx, 3, &msi, &options));
	CHECK_WORDS("KVM_IRQX_IRQFD_DIRECT: cookie: in a field that is not known (ENOTSUP)",
		    last_words());
	CHECK_INT(-ENOTSUP, kvmirqx_irqfd(ctx, 3, 7, &options));
	CHECK_INT(-ENOTSUP, do_list());
	CHECK_WORDS("KVM_IRQX_LIST (ENOTSUP)", last_words());
	CHECK_INT(0, do_batch());
	CHECK_INT(sizeof(struct kvm_irqx_op), module.arg.batch.op_size);
}

static void operations_and_flags_that_it_lacks(void)
{
	struct kvm_irqx_op ops[3] = {
		{ .op = KVM_IRQX_OP_DEASSIGN, .fd = 3 },
		{ .op = KVM_IRQX_OP_DEASSIGN, .fd = 3 },
		{ .op = KVM_IRQX_OP_MASK, .fd = 3 },
	};
	struct kvmirqx_options options = KVMIRQX_OPTIONS;
	struct kvm_irqx_info less = info_of_today();
	struct kvmirqx_vectors vectors = KVMIRQX_VECTORS;
	__u32 index = 77;

	less.ops &= ~(1U << KVM_IRQX_OP_MASK | 1U << KVM_IRQX_OP_ROUTE_ADD);
	less.op_flags &= ~KVM_IRQX_OP_FLAG_UNMASK;
	less.direct_flags &= ~KVM_IRQX_IRQFD_DIRECT_MODIFY;
	less.table_flags &= ~KVM_IRQX_TABLE_MASKED;
	less.table_ops &= ~(1U << KVM_IRQX_TABLE_MOVE);
	less.table_state_flags &= ~KVM_IRQX_TABLE_STATE_KEEP_ENTRIES;
	less.handle_ops &= ~(1U << KVM_IRQX_HANDLE_LABEL);
	begin(less);
	CHECK_INT(-ENOTSUP, kvmirqx_batch_run_ops(ctx, ops, sizeof(ops[0]), 3, &index));
	CHECK_INT(2, index);
	CHECK_WORDS("KVM_IRQX_BATCH: op: unknown value, element 2 (ENOTSUP)", last_words());
	CHECK_INT(-ENOTSUP, do_route_add());
	CHECK_WORDS("KVM_IRQX_BATCH: op: unknown value (ENOTSUP)", last_words());
	ops[2].op = KVM_IRQX_OP_MODIFY;
	ops[2].flags = KVM_IRQX_OP_FLAG_UNMASK;
	CHECK_INT(-ENOTSUP, kvmirqx_batch_run_ops(ctx, ops, sizeof(ops[0]), 3, &index));
	CHECK_WORDS("KVM_IRQX_BATCH: flags: unknown flag, element 2 (ENOTSUP)", last_words());
	CHECK_INT(-ENOTSUP, kvmirqx_table_set(ctx, 1, KVM_IRQX_TABLE_MASKED));
	CHECK_INT(-ENOTSUP, do_table_move());
	CHECK_INT(-ENOTSUP, do_set_label());
	vectors.flags = KVM_IRQX_TABLE_STATE_KEEP_ENTRIES;
	CHECK_INT(-ENOTSUP, kvmirqx_table_set_state(ctx, 1, &vectors));
	options.flags = 1U << 20;
	CHECK_INT(-ENOTSUP, kvmirqx_assign(ctx, 3, &msi, &options));
	CHECK_INT(0, module.calls);
	/* what no module has is the module's to refuse */
	ops[2].op = 0;
	ops[2].flags = 0;
	CHECK_INT(0, kvmirqx_batch_run_ops(ctx, ops, sizeof(ops[0]), 3, &index));
	ops[2].op = 99;
	CHECK_INT(0, kvmirqx_batch_run_ops(ctx, ops, sizeof(ops[0]), 3, &index));
	CHECK_INT(2, called(KVM_IRQX_BATCH));

	less = info_of_today();
	less.features &= ~(KVM_IRQX_FEATURE_RESAMPLE | KVM_IRQX_FEATURE_EVENT_FLAG);
	less.table_state_version++;
	begin(less);
	options.flags = KVM_IRQX_OP_FLAG_RESAMPLE;
	CHECK_INT(-ENOTSUP, kvmirqx_assign(ctx, 3, &msi, &options));
	options.flags = KVM_IRQX_OP_FLAG_EVENT_FLAG;
	CHECK_INT(-ENOTSUP, kvmirqx_assign(ctx, 3, &msi, &options));
	CHECK_INT(-ENOTSUP, do_table_get_state());
	CHECK_INT(0, module.calls);
}

static void types_of_entries_that_it_lacks(void)
{
	static const struct {
		__u32 type;
		__u64 feature;
	} types[] = {
		{ KVM_IRQ_ROUTING_IRQCHIP, KVM_IRQX_FEATURE_IRQCHIP },
		{ KVM_IRQ_ROUTING_MSI, KVM_IRQX_FEATURE_MSI },
		{ KVM_IRQ_ROUTING_HV_SINT, KVM_IRQX_FEATURE_HV_SINT },
		{ KVM_IRQ_ROUTING_XEN_EVTCHN, KVM_IRQX_FEATURE_XEN_EVTCHN },
		{ KVM_IRQX_ROUTING_PPI, KVM_IRQX_FEATURE_PPI },
		{ KVM_IRQX_ROUTING_VECTOR, KVM_IRQX_FEATURE_TABLE },
	};
	struct kvm_irq_routing_entry table[2] = { msi, msi };
	struct kvm_irqx_info less;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		less = info_of_today();
		less.features &= ~types[i].feature;
		begin(less);
		table[1].type = types[i].type;
		table[0].type = i ? KVM_IRQ_ROUTING_IRQCHIP : KVM_IRQ_ROUTING_MSI;
		CHECK_INT(-ENOTSUP, kvmirqx_assign(ctx, 3, &table[1], NULL));
		CHECK_WORDS("KVM_IRQX_IRQFD_DIRECT: entry.type: unknown value (ENOTSUP)",
			    last_words());
		CHECK_INT(-ENOTSUP, kvmirqx_modify(ctx, 3, &table[1], NULL));
		CHECK_INT(-ENOTSUP, kvmirqx_route_set(ctx, &table[1]));
		CHECK_INT(-ENOTSUP, kvmirqx_route_add(ctx, &table[1]));
		CHECK_INT(-ENOTSUP, kvmirqx_set_routes(ctx, table, 2));
		CHECK_WORDS("KVM_SET_GSI_ROUTING: entry.type: unknown value, element 1 (ENOTSUP)",
			    last_words());
		CHECK_INT(0, module.calls);
		table[1].type = 99;
		CHECK_INT(0, kvmirqx_assign(ctx, 3, &table[1], NULL));
	}
}

static void a_newer_module(void)
{
	struct {
		struct kvm_irqx_op known;
		__u64 more;
	} ops[2];
	struct kvm_irqx_info more = info_of_today();
	__u32 index;

	more.argsz = 4 * sizeof(more);
	more.ops |= 1U << 20;
	more.op_flags |= 1U << 20;
	begin(more);
	memset(ops, 0, sizeof(ops));
	ops[0].known.op = KVM_IRQX_OP_DEASSIGN;
	ops[1].known.op = 20;
	ops[1].known.flags = 1U << 20;
	ops[1].more = 1;
	CHECK_INT(0, kvmirqx_batch_run_ops(ctx, &ops[0].known, sizeof(ops[0]), 2, &index));
	CHECK_INT(2, index);
	CHECK_INT(sizeof(ops[0]), module.arg.batch.op_size);
	CHECK_INT(1, called(KVM_IRQX_BATCH));
	/* a field that it does not know */
	module.error = E2BIG;
	module.record.index = 1;
	module.record.arg = KVM_IRQX_ARG_OP;
	module.record.reason = KVM_IRQX_REASON_UNKNOWN_FIELD;
	CHECK_INT(-ENOTSUP, kvmirqx_batch_run_ops(ctx, &ops[0].known, sizeof(ops[0]), 2, &index));
	CHECK_INT(1, index);
	CHECK_WORDS("KVM_IRQX_BATCH: op: in a field that is not known, element 1 (ENOTSUP)",
		    last_words());
	module.error = E2BIG;
	CHECK_INT(-ENOTSUP, do_table_set_state());
	module.error = E2BIG;
	CHECK_INT(-E2BIG, do_assign());
	/* what it says that this library has no words for */
	module.error = 4095;
	module.record.index = ~0U;
	module.record.arg = 200;
	module.record.reason = 300;
	CHECK_INT(-4095, do_mask());
	CHECK_WORDS("KVM_IRQX_MASK: argument 200: reason 300 (errno 4095)", last_words());
	CHECK_INT(52, kvmirqx_last_error_words(NULL, 0));
	info.argsz = sizeof(info);
	CHECK_INT(0, kvmirqx_info(ctx, &info));
	CHECK_INT(4 * sizeof(info), info.argsz);
}

static void programs_of_other_ages(void)
{
	struct {
		struct kvm_irqx_info known;
		__u64 more[2];
	} newer;
	struct {
		struct kvm_irqx_error known;
		__u64 more;
	} error;
	struct kvm_irqx_stats all;

	begin(info_of_today());
	memset(&newer, 0xff, sizeof(newer));
	newer.known.argsz = sizeof(newer);
	CHECK_INT(0, kvmirqx_info(ctx, &newer.known));
	CHECK_INT(sizeof(newer.known), newer.known.argsz);
	CHECK_INT(4096, newer.known.max_gsi);
	CHECK_INT(0, newer.more[0] | newer.more[1]);
	memset(&newer, 0xff, sizeof(newer));
	newer.known.argsz = 16;
	CHECK_INT(0, kvmirqx_info(ctx, &newer.known));
	CHECK_INT(~0U, newer.known.max_gsi);
	memset(&all, 0xff, sizeof(all));
	all.argsz = sizeof(all);
	CHECK_INT(0, kvmirqx_stats(ctx, &all));
	CHECK_INT(5, all.events);
	CHECK_INT(16, all.argsz);
	CHECK_INT(0, all.atomic | all.undefined);
	all.argsz = 3;
	CHECK_INT(-EINVAL, kvmirqx_stats(ctx, &all));
	CHECK_WORDS("KVM_IRQX_GET_STATS: argsz: too small (EINVAL)", last_words());
	CHECK_INT(-EINVAL, kvmirqx_stats(ctx, NULL));
	CHECK_INT(-EINVAL, kvmirqx_info(ctx, NULL));

	module.error = EBUSY;
	module.record = (struct kvm_irqx_error) {
		.index = ~0U, .arg = KVM_IRQX_ARG_FD, .reason = KVM_IRQX_REASON_BOUND,
	};
	CHECK_INT(-EBUSY, do_assign());
	CHECK_WORDS("KVM_IRQX_IRQFD_DIRECT: fd: bound already (EBUSY)", last_words());
	memset(&error, 0xff, sizeof(error));
	error.known.argsz = sizeof(error);
	CHECK_INT(0, kvmirqx_last_error(&error.known));
	CHECK_INT(sizeof(error.known), error.known.argsz);
	CHECK_INT(KVM_IRQX_ARG_FD, error.known.arg);
	CHECK_INT(KVM_IRQX_REASON_BOUND, error.known.reason);
	CHECK_INT(~0U, error.known.index);
	CHECK_INT(0, error.more);
	error.known.argsz = 15;
	CHECK_INT(-EINVAL, kvmirqx_last_error(&error.known));
	CHECK_INT(-EINVAL, kvmirqx_last_error(NULL));
	CHECK_INT(-EINVAL, kvmirqx_last_error_words(NULL, 1));
	/* success has nothing to tell, but of what was not bound */
	module.record.reason = KVM_IRQX_REASON_NONE;
	CHECK_INT(0, do_modify());
	CHECK_WORDS("", last_words());
	module.record.reason = KVM_IRQX_REASON_NOT_BOUND;
	CHECK_INT(0, do_deassign());
	CHECK_WORDS("KVM_IRQX_IRQFD_DIRECT: fd: not bound here", last_words());
}

static void options_of_other_ages(void)
{
	struct {
		struct kvmirqx_table_options known;
		__u64 more;
	} table = { .known = KVMIRQX_TABLE_OPTIONS };
	struct {
		struct kvmirqx_vectors known;
		__u64 more;
	} vectors = { .known = KVMIRQX_VECTORS };
	__u32 created;

	begin(info_of_today());
	table.known.size = sizeof(table);
	vectors.known.size = sizeof(vectors);
	CHECK_INT(0, kvmirqx_table_create(ctx, &table.known, &created));
	CHECK_INT(-1, module.arg.table.changefd);
	CHECK_INT(0, kvmirqx_table_set_state(ctx, 1, &vectors.known));
	CHECK_INT(sizeof(struct kvm_irqx_vector), module.arg.table_state.vector_size);
	table.more = 1;
	vectors.more = 1;
	CHECK_INT(-ENOTSUP, kvmirqx_table_create(ctx, &table.known, &created));
	CHECK_INT(-ENOTSUP, kvmirqx_table_set_state(ctx, 1, &vectors.known));
	table.known.size = 8;
	vectors.known.size = 8;
	CHECK_INT(-EINVAL, kvmirqx_dynirq_create(ctx, &table.known, &created));
	CHECK_INT(-EINVAL, kvmirqx_table_get_state(ctx, 1, &vectors.known));
	CHECK_INT(-EINVAL, kvmirqx_table_create(ctx, NULL, &created));
	CHECK_INT(-EINVAL, kvmirqx_table_get_state(ctx, 1, NULL));
	table.known.size = sizeof(table.known);
	CHECK_INT(-EINVAL, kvmirqx_table_create(ctx, &table.known, NULL));
	table.known.pad = 1;
	CHECK_INT(-EINVAL, kvmirqx_table_create(ctx, &table.known, &created));
	CHECK_WORDS("KVM_IRQX_TABLE: pad: must be zero (EINVAL)", last_words());
}

/* The module leaves alone what it does not know of a vector; it would be refused when it is set. */
static void vectors_of_other_ages(void)
{
	static const __u32 sizes[] = {
		KVM_IRQX_VECTOR_SIZE_MIN, sizeof(struct kvm_irqx_vector), KVM_IRQX_VECTOR_SIZE_MAX,
	};
	char buf[3 * KVM_IRQX_VECTOR_SIZE_MAX + 1];
	struct kvmirqx_vectors vectors = KVMIRQX_VECTORS;
	struct kvm_irqx_info today = info_of_today();

	vectors.vectors = (struct kvm_irqx_vector *)buf;
	vectors.nr = 3;
	for (__u32 i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		__u32 known = sizeof(struct kvm_irqx_vector), size = sizes[i];

		begin(today);
		memset(buf, 'x', sizeof(buf));
		vectors.vector_size = size;
		CHECK_INT(0, kvmirqx_table_get_state(ctx, 1, &vectors));
		for (__u32 at = 0; at < 3 * size; at++)
			CHECK_INT(at % size < known ? 'x' : 0, buf[at]);
		CHECK_INT('x', buf[3 * size]);
	}
	module.error = EINVAL;
	memset(buf, 'x', sizeof(buf));
	CHECK_INT(-EINVAL, kvmirqx_table_get_state(ctx, 1, &vectors));
	CHECK_INT('x', buf[KVM_IRQX_VECTOR_SIZE_MAX - 1]);
}

static void what_only_the_library_refuses(void)
{
	struct kvm_irqx_op op = { .op = KVM_IRQX_OP_DEASSIGN };
	struct kvm_irqx_binding binding;
	struct kvmirqx_batch *batch;
	struct kvmirqx_list *listing;
	__u32 index = 0;

	begin(info_of_today());
	CHECK_INT(-EINVAL, kvmirqx_assign(ctx, 3, NULL, NULL));
	CHECK_INT(-EINVAL, kvmirqx_modify(ctx, 3, NULL, NULL));
	CHECK_INT(-EINVAL, kvmirqx_route_set(ctx, NULL));
	CHECK_INT(-EINVAL, kvmirqx_route_add(ctx, NULL));
	CHECK_INT(-EINVAL, kvmirqx_set_routes(ctx, NULL, 1));
	CHECK_INT(-EINVAL, kvmirqx_set_routes(ctx, &route, 4097));
	CHECK_WORDS("KVM_SET_GSI_ROUTING: nr: out of range (EINVAL)", last_words());
	/* -1 is a GSI to the module */
	CHECK_INT(-EBADF, kvmirqx_mask(ctx, -1));
	CHECK_INT(-EBADF, kvmirqx_unmask(ctx, -1));
	CHECK_INT(-EBADF, kvmirqx_get_state(ctx, -1));
	CHECK_WORDS("KVM_IRQX_GET_STATE: fd: not an open file (EBADF)", last_words());
	CHECK_INT(-EINVAL, kvmirqx_batch_run_ops(ctx, NULL, sizeof(op), 1, &index));
	CHECK_INT(1, index);
	CHECK_INT(-EINVAL, kvmirqx_batch_run_ops(ctx, &op, 71, 1, &index));
	CHECK_WORDS("KVM_IRQX_BATCH: op_size: too small (EINVAL)", last_words());
	CHECK_INT(-EINVAL, kvmirqx_batch_run_ops(ctx, &op, 257, 1, NULL));
	CHECK_INT(-EINVAL, kvmirqx_batch_run_ops(ctx, &op, sizeof(op), 4097, NULL));
	CHECK_WORDS("KVM_IRQX_BATCH: nr: out of range (EINVAL)", last_words());
	CHECK_INT(-EINVAL, kvmirqx_batch_run(ctx, NULL, NULL));
	CHECK_INT(0, kvmirqx_batch_new(&batch));
	/* nothing to do */
	CHECK_INT(0, kvmirqx_batch_run(ctx, batch, &index));
	CHECK_INT(0, index);
	kvmirqx_batch_deassign(batch, 3);
	kvmirqx_batch_mask(batch, -1);
	kvmirqx_batch_assign(batch, 3, NULL, NULL);
	CHECK_INT(-EBADF, kvmirqx_batch_run(ctx, batch, &index));
	CHECK_INT(1, index);
	kvmirqx_batch_free(batch);
	CHECK_INT(-EINVAL, kvmirqx_raise_many(ctx, 1, handles, 0));
	CHECK_INT(-EINVAL, kvmirqx_handle_alloc(ctx, 1, 2, ""));
	CHECK_INT(-EINVAL, kvmirqx_handle_alloc(ctx, 1, 2, NULL));
	CHECK_INT(-EINVAL, kvmirqx_handle_set_label(ctx, 1, 2, "12345678901234567890123456789012"));
	CHECK_WORDS("KVM_IRQX_HANDLE: label: out of range (EINVAL)", last_words());
	CHECK_INT(-EINVAL, kvmirqx_handle_get_label(ctx, 1, 2, label, 31));
	CHECK_INT(-EINVAL, kvmirqx_handle_get_label(ctx, 1, 2, NULL, 32));
	CHECK_INT(-EINVAL, kvmirqx_list_begin(ctx, 111, &listing));
	CHECK_INT(-EINVAL, kvmirqx_list_begin(ctx, 513, &listing));
	CHECK_INT(-EINVAL, kvmirqx_list_begin(ctx, 112, NULL));
	CHECK_INT(-EINVAL, kvmirqx_list_next(NULL, &binding));
	CHECK_INT(0, kvmirqx_list_end(NULL));
	CHECK_INT(0, module.calls);
	CHECK_INT(0, kvmirqx_list_begin(ctx, sizeof(binding), &listing));
	CHECK_INT(-EINVAL, kvmirqx_list_next(listing, NULL));
	kvmirqx_list_end(listing);
	CHECK_INT(0, kvmirqx_handle_set_label(ctx, 1, 2, "1234567890123456789012345678901"));
}

static void a_listing_in_pieces(void)
{
	struct {
		struct kvm_irqx_binding known;
		__u64 more;
	} binding;
	struct kvmirqx_list *listing;

	begin(info_of_today());
	for (module.bindings = 0; module.bindings < 10; module.bindings++) {
		__u64 next = 1;

		CHECK_INT(0, kvmirqx_list_begin(ctx, sizeof(binding), &listing));
		memset(&binding, 0xff, sizeof(binding));
		/* it is no end, and the next one comes all the same */
		module.error = EINTR;
		CHECK_INT(-EINTR, kvmirqx_list_next(listing, &binding.known));
		while (kvmirqx_list_next(listing, &binding.known) == 1) {
			CHECK_INT(next++, binding.known.cookie);
			CHECK_INT(0, binding.more);
			if (next == 4)
				module.error = ENOMEM;
			if (next == 5)
				CHECK_INT(-ENOMEM, kvmirqx_list_next(listing, &binding.known));
		}
		module.error = 0;
		CHECK_INT(module.bindings + 1, next);
		CHECK_INT(0, kvmirqx_list_next(listing, &binding.known));
		CHECK_INT(sizeof(binding), module.arg.list.binding_size);
		kvmirqx_list_end(listing);
	}
}

static int attach_at(const char *address)
{
	return kvmirqx_intx_attach(ctx, FD, 9, address, &msi, NULL);
}

static void intx_of_a_device(void)
{
	static const char *const bad[] = {
		"", "03:00.0", "0000:03:00", "0000:03:00.8", "0000:03:20.0", "0000:103:00.0",
		"0000:03:00.0 ", " 0000:03:00.0", "0000:03:00.00", "0x00:03:00.0",
		"-1:03:00.0", "100000000:03:00.0",
	};
	struct kvm_irqx_intx_info info = { .argsz = sizeof(info), .look_ms = 7 };
	struct kvm_irqx_intx_state state = { .argsz = sizeof(state), .retried = 7 };
	struct kvm_irqx_error error = { .argsz = sizeof(error) };
	__u32 reason = 99;

	begin(info_of_today());
	CHECK_INT(0, kvmirqx_intx_info(FD, &info));
	CHECK_INT(1, called(KVM_IRQX_INTX_GET_INFO));
	CHECK_INT(1, info.abi);
	CHECK_INT(0, info.look_ms);
	CHECK_INT(0, kvmirqx_intx_state(FD, &state));
	CHECK_INT(1, called(KVM_IRQX_INTX_GET_STATE));
	CHECK_INT(4, state.flags);
	CHECK_INT(0, state.retried);

	CHECK_INT(0, kvmirqx_intx_attach(ctx, FD, 9, "fFFFffff:Ab:1f.7", &msi, &reason));
	CHECK_INT(1, called(KVM_IRQX_INTX_ATTACH));
	CHECK_INT(FD, module.arg.intx.context_fd);
	CHECK_INT(9, module.arg.intx.device_fd);
	CHECK_INT(0xffffffff, module.arg.intx.domain);
	CHECK_INT(0xab, module.arg.intx.bus);
	CHECK_INT(0xff, module.arg.intx.devfn);
	CHECK_INT(0, memcmp(&msi, &module.arg.intx.entry, sizeof(msi)));
	CHECK_INT(KVM_IRQX_INTX_REASON_NONE, reason);
	CHECK_WORDS("", last_words());
	CHECK_INT(0, attach_at("0000:03:02.1"));
	CHECK_INT(1, called(KVM_IRQX_INTX_ATTACH));
	CHECK_INT(0, module.arg.intx.domain);
	CHECK_INT(3, module.arg.intx.bus);
	CHECK_INT(0x11, module.arg.intx.devfn);

	module.error = EBUSY;
	module.record.reason = KVM_IRQX_INTX_REASON_VFIO_IRQ;
	CHECK_INT(-EBUSY, kvmirqx_intx_attach(ctx, FD, 9, "0000:03:00.0", &msi, &reason));
	CHECK_INT(KVM_IRQX_INTX_REASON_VFIO_IRQ, reason);
	CHECK_WORDS("KVM_IRQX_INTX_ATTACH: VFIO's own interrupt of the device is on (EBUSY)",
		    last_words());
	/* The record's reasons are those of the other module. */
	CHECK_INT(0, kvmirqx_last_error(&error));
	CHECK_INT(KVM_IRQX_REASON_NONE, error.reason);
	module.error = EBUSY;
	module.record.reason = 99;
	CHECK_INT(-EBUSY, kvmirqx_intx_attach(ctx, FD, 9, "0000:03:00.0", &msi, &reason));
	CHECK_INT(99, reason);
	CHECK_WORDS("KVM_IRQX_INTX_ATTACH (EBUSY)", last_words());
	called(KVM_IRQX_INTX_ATTACH);

	/* Nothing of the call before is left. */
	CHECK_INT(-EINVAL, attach_at(""));
	module.error = ENOTCONN;
	CHECK_INT(-ENOTCONN, kvmirqx_intx_detach(FD));
	CHECK_WORDS("KVM_IRQX_INTX_DETACH (ENOTCONN)", last_words());
	CHECK_INT(0, kvmirqx_intx_detach(FD));
	CHECK_INT(2, called(KVM_IRQX_INTX_DETACH));
	CHECK_WORDS("", last_words());

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (attach_at(bad[i]) != -EINVAL) {
			printf("# '%s'\n", bad[i]);
			case_failed = true;
		}
	CHECK_WORDS("KVM_IRQX_INTX_ATTACH: not a PCI address (EINVAL)", last_words());
	CHECK_INT(-EINVAL, attach_at(NULL));
	CHECK_INT(-EINVAL, kvmirqx_intx_attach(ctx, FD, 9, "0000:03:00.0", NULL, NULL));
	CHECK_WORDS("KVM_IRQX_INTX_ATTACH: entry (EINVAL)", last_words());
	CHECK_INT(-EINVAL, kvmirqx_intx_attach(NULL, FD, 9, "0000:03:00.0", &msi, NULL));
	CHECK_WORDS("KVM_IRQX_INTX_ATTACH: context (EINVAL)", last_words());
	CHECK_INT(-EINVAL, kvmirqx_intx_info(FD, NULL));
	state.argsz = 3;
	CHECK_INT(-EINVAL, kvmirqx_intx_state(FD, &state));
	CHECK_WORDS("KVM_IRQX_INTX_GET_STATE: argsz: too small (EINVAL)", last_words());
	CHECK_INT(0, called(0));

	CHECK(!kvmirqx_intx_reason_words(KVM_IRQX_INTX_REASON_ENTRY + 1));
	for (reason = 1; reason <= KVM_IRQX_INTX_REASON_ENTRY; reason++)
		CHECK(kvmirqx_intx_reason_words(reason));
	/* This machine has no such device. */
	if (access("/dev/kvm-irqx-intx", F_OK)) {
		CHECK_INT(-ENOENT, kvmirqx_intx_open());
		CHECK_WORDS("KVM_IRQX_INTX_GET_INFO: /dev/kvm-irqx-intx cannot be opened (ENOENT)",
			    last_words());
	}
}

int main(void)
{
	printf("KTAP version 1\n");
	RUN(each_makes_its_call);
	RUN(each_without_its_feature);
	RUN(each_that_the_module_does_not_know);
	RUN(each_fails_as_the_module_says);
	RUN(each_without_a_context);
	RUN(what_is_no_such_module);
	RUN(a_module_without_batches);
	RUN(a_module_without_lists);
	RUN(operations_and_flags_that_it_lacks);
	RUN(types_of_entries_that_it_lacks);
	RUN(a_newer_module);
	RUN(programs_of_other_ages);
	RUN(options_of_other_ages);
	RUN(vectors_of_other_ages);
	RUN(what_only_the_library_refuses);
	RUN(a_listing_in_pieces);
	RUN(intx_of_a_device);
	return end_of_cases();
}

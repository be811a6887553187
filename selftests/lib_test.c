// SPDX-License-Identifier: GPL-2.0
/*
 * libkvmirqx against the module: each function once with success, and its errors; records in
 * words; structs of other sizes; threads, processes, users.  What the library does with modules
 * that are older or newer is in lib/tests.
 */
#include <grp.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <kvmirqx.h>

#include "irqx_dynirq.h"
#include "irqx_harness.h"

#define IRQ_A	(IRQX_IRQ_MIN + 5)
#define IRQ_B	(IRQX_IRQ_MIN + 9)
#define GSI	70000
#define NO_GSI	70001		/* has no route in any context */
#define COOKIE	0xfedcba9876543210ULL

#define MASKED	KVM_IRQX_STATE_MASKED
#define PENDING	KVM_IRQX_STATE_PENDING

FIXTURE(lib) {
	struct irqx_guest *g;
	struct kvmirqx *ctx;
	int raw;			/* the same file, for what the other tests have */
	int fd;				/* of nobody yet, as these */
	int other;
	int closed;
	struct kvm_irq_routing_entry a, b;
};

/* A context of the guest's VM, by the library from the first call on. */
FIXTURE_SETUP(lib)
{
	self->g = __irqx_guest_create(2, NULL, IRQX_GUEST_NO_CONTEXT);
	ASSERT_EQ(0, kvmirqx_open(&self->ctx));
	ASSERT_EQ(0, kvmirqx_attach(self->ctx, self->g->vm->fd));
	self->raw = kvmirqx_fd(self->ctx);
	self->fd = irqx_eventfd(0, 0);
	self->other = irqx_eventfd(0, 0);
	/* A number that nobody gets again. */
	self->closed = fcntl(self->fd, F_DUPFD, 500);
	close(self->closed);
	self->a = irqx_entry(self->g, 0, IRQ_A);
	self->b = irqx_entry(self->g, 1, IRQ_B);
	irqx_guest_start(self->g);
}

FIXTURE_TEARDOWN(lib)
{
	irqx_settle(self->raw);
	irqx_check(self->g);
	EXPECT_EQ(0, kvmirqx_close(self->ctx));
	irqx_guest_free(self->g);
}

/*
 * A failed call: its errno, and the record of it.  What leaves no record has NONE twice.
 */

static struct kvm_irqx_error record(void)
{
	struct kvm_irqx_error error = irqx_stale_error();

	TEST_ASSERT(!kvmirqx_last_error(&error), "kvmirqx_last_error()");
	return error;
}

#define REFUSED(call, err_, arg_, reason_)				\
do {									\
	struct kvm_irqx_error is_;					\
									\
	EXPECT_EQ(-(err_), call) TH_LOG("%s", #call);			\
	is_ = record();							\
	EXPECT_EQ(KVM_IRQX_ARG_##arg_, is_.arg) TH_LOG("%s", #call);	\
	EXPECT_EQ(KVM_IRQX_REASON_##reason_, is_.reason)		\
		TH_LOG("%s", #call);					\
} while (0)

/* Whose errno says it all, or which has no record. */
#define FAILS(call, err_)	REFUSED(call, err_, NONE, NONE)

#define WORDS(want)							\
do {									\
	char is_[160];							\
									\
	EXPECT_EQ((int)strlen(want),					\
		  kvmirqx_last_error_words(is_, sizeof(is_)));		\
	EXPECT_STREQ(want, is_);					\
} while (0)

static struct kvmirqx_options options_of(uint32_t flags, uint64_t cookie)
{
	struct kvmirqx_options options = KVMIRQX_OPTIONS;

	options.flags = flags;
	options.cookie = cookie;
	return options;
}

static struct kvmirqx_options resample_to(int fd)
{
	struct kvmirqx_options options = KVMIRQX_OPTIONS;

	options.flags = KVM_IRQX_OP_FLAG_RESAMPLE;
	options.resamplefd = fd;
	return options;
}

static struct kvm_irqx_stats stats_of(struct kvmirqx *ctx)
{
	struct kvm_irqx_stats stats = { .argsz = sizeof(stats) };

	TEST_ASSERT(!kvmirqx_stats(ctx, &stats), "kvmirqx_stats()");
	return stats;
}

static struct kvm_irqx_info info_of(struct kvmirqx *ctx)
{
	struct kvm_irqx_info info = { .argsz = sizeof(info) };

	TEST_ASSERT(!kvmirqx_info(ctx, &info), "kvmirqx_info()");
	return info;
}

static struct kvm_irq_routing_entry at_gsi(struct kvm_irq_routing_entry entry, uint32_t gsi)
{
	entry.gsi = gsi;
	return entry;
}

/*
 * Contexts
 */

/* Whether a program that we start has the file @fd. */
static bool survives_exec(int fd)
{
	char path[32];
	int status = -1;
	pid_t pid;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	pid = fork();
	TEST_ASSERT(pid >= 0, "fork: %s", strerror(errno));
	if (!pid) {
		execl("/bin/busybox", "busybox", "test", "-e", path, (char *)NULL);
		_exit(99);
	}
	waitpid(pid, &status, 0);
	TEST_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) <= 1, "status 0x%x", status);
	return !WEXITSTATUS(status);
}

TEST_F(lib, open)
{
	struct kvm_irqx_info info, same;
	struct kvmirqx *ctx = NULL;
	int fd;

	EXPECT_EQ(-EINVAL, kvmirqx_open(NULL));
	ASSERT_EQ(0, kvmirqx_open(&ctx));
	EXPECT_LE(0, kvmirqx_fd(ctx));
	EXPECT_EQ(FD_CLOEXEC, fcntl(kvmirqx_fd(ctx), F_GETFD));
	EXPECT_FALSE(survives_exec(kvmirqx_fd(ctx)));
	fd = dup(kvmirqx_fd(ctx));
	EXPECT_TRUE(survives_exec(fd));
	close(fd);
	EXPECT_EQ(KVMIRQX_VERSION, kvmirqx_version());
	info = info_of(ctx);
	EXPECT_EQ(KVM_IRQX_ABI_VERSION, info.abi);
	EXPECT_EQ(sizeof(info), info.argsz);
	same = irqx_info(self->raw);
	EXPECT_EQ(0, memcmp(&info, &same, sizeof(info)));
	EXPECT_EQ(1, kvmirqx_has(ctx, info.features));
	EXPECT_EQ(1, kvmirqx_has(ctx, 0));
	EXPECT_EQ(0, kvmirqx_has(ctx, 1ULL << 63));
	EXPECT_EQ(0, kvmirqx_has(ctx, info.features | 1ULL << 63));

	FAILS(kvmirqx_attach(ctx, -1), EBADF);
	WORDS("KVM_IRQX_ATTACH (EBADF)");
	FAILS(kvmirqx_attach(ctx, self->closed), EBADF);
	FAILS(kvmirqx_attach(ctx, self->fd), EINVAL);
	FAILS(kvmirqx_attach(ctx, self->g->vcpus[0].vcpu->fd), EINVAL);
	EXPECT_EQ(0, kvmirqx_attach(ctx, self->g->vm->fd));
	WORDS("");
	FAILS(kvmirqx_attach(ctx, self->g->vm->fd), EBUSY);

	/* Its bindings go with it, those of the other stay. */
	EXPECT_EQ(0, kvmirqx_assign(ctx, self->fd, &self->a, NULL));
	EXPECT_EQ(0, kvmirqx_assign(self->ctx, self->other, &self->b, NULL));
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);
	EXPECT_EQ(0, kvmirqx_close(ctx));
	irqx_fire(self->fd);
	EXPECT_EQ(1, irqx_eventfd_take(self->fd));
	irqx_fire_at(self->g, self->other, 1, IRQ_B);
}

static int without_files(void *arg)
{
	struct rlimit files = { 0, 0 };
	struct kvmirqx *ctx = arg;

	if (setrlimit(RLIMIT_NOFILE, &files))
		return 100;
	return -kvmirqx_open(&ctx);
}

static int without_device(void *arg)
{
	struct kvmirqx *ctx = arg;

	if (chroot("/proc/self/fdinfo"))
		return 100;
	return -kvmirqx_open(&ctx);
}

TEST_F(lib, open_errors)
{
	EXPECT_EQ(EMFILE, irqx_in_child(without_files, NULL));
	EXPECT_EQ(ENOENT, irqx_in_child(without_device, NULL));
}

/* Sixteen files in all are enough for a VM's worth of bindings. */
static int with_few_files(void *arg)
{
	FIXTURE_DATA(lib) *self = arg;
	struct rlimit files = { 16, 16 };
	struct kvmirqx *ctx;
	struct kvm_vm *vm;
	int fds[16];
	int n = 0, i;

	close(self->raw);
	for (i = 3; i < 600; i++)
		close(i);
	vm = vm_create_barebones();
	irqx_irqchip_create(vm);
	if (setrlimit(RLIMIT_NOFILE, &files) || kvmirqx_open(&ctx) ||
	    kvmirqx_attach(ctx, vm->fd))
		return 1;
	while (n < 16 && (fds[n] = eventfd(0, EFD_NONBLOCK)) >= 0)
		n++;
	if (errno != EMFILE || n < 4)
		return 2;
	for (i = 0; i < n; i++) {
		struct kvm_irq_routing_entry entry = irqx_pin_entry(IRQX_IRQCHIP, i);

		if (kvmirqx_assign(ctx, fds[i], &entry, NULL))
			return 3;
	}
	if (stats_of(ctx).irqfds != (unsigned int)n)
		return 4;
	for (i = 0; i < n; i++)
		if (kvmirqx_deassign(ctx, fds[i]))
			return 5;
	return kvmirqx_close(ctx);
}

TEST_F(lib, few_files)
{
	EXPECT_EQ(0, irqx_in_child(with_few_files, self));
}

TEST_F(lib, adopt)
{
	int null = open("/dev/null", O_RDWR), fd;
	struct kvmirqx *ctx = NULL;

	EXPECT_EQ(-EINVAL, kvmirqx_adopt(NULL, null));
	FAILS(kvmirqx_adopt(&ctx, null), ENOTTY);
	FAILS(kvmirqx_adopt(&ctx, self->closed), EBADF);
	FAILS(kvmirqx_adopt(&ctx, -1), EBADF);
	EXPECT_EQ(NULL, ctx);
	/* It is still the caller's. */
	EXPECT_EQ(0, close(null));

	/* A file that is attached, whose bindings stay when its context goes. */
	EXPECT_EQ(0, kvmirqx_assign(self->ctx, self->fd, &self->a, NULL));
	fd = dup(self->raw);
	ASSERT_EQ(0, kvmirqx_adopt(&ctx, fd));
	EXPECT_EQ(fd, kvmirqx_fd(ctx));
	EXPECT_EQ(0, fcntl(fd, F_GETFD));
	FAILS(kvmirqx_attach(ctx, self->g->vm->fd), EBUSY);
	EXPECT_EQ(0, kvmirqx_modify(ctx, self->fd, &self->b, NULL));
	EXPECT_EQ(fd, kvmirqx_release(ctx));
	irqx_fire_at(self->g, self->fd, 1, IRQ_B);
	ASSERT_EQ(0, kvmirqx_adopt(&ctx, fd));
	EXPECT_EQ(0, kvmirqx_close(ctx));
	EXPECT_EQ(-1, fcntl(fd, F_GETFD));
	irqx_fire_at(self->g, self->fd, 1, IRQ_B);
	EXPECT_EQ(0, kvmirqx_deassign(self->ctx, self->fd));

	EXPECT_EQ(-EINVAL, kvmirqx_release(NULL));
	EXPECT_EQ(0, kvmirqx_close(NULL));
	EXPECT_EQ(-EINVAL, kvmirqx_fd(NULL));
	EXPECT_EQ(0, kvmirqx_has(NULL, 0));
}

/*
 * Each function that goes to the module, with arguments that work on a context without state,
 * or fail there as is said.
 */
static struct {
	int vm;
	int fd;
	int other;
	struct kvm_irq_routing_entry entry, route;
	uint32_t table;
	bool no_tables;
} with;

static int call_attach(struct kvmirqx *ctx)
{
	return kvmirqx_attach(ctx, with.vm);
}

static int call_stats(struct kvmirqx *ctx)
{
	struct kvm_irqx_stats stats = { .argsz = sizeof(stats) };

	return kvmirqx_stats(ctx, &stats);
}

static int call_assign(struct kvmirqx *ctx)
{
	return kvmirqx_assign(ctx, with.fd, &with.entry, NULL);
}

static int call_modify(struct kvmirqx *ctx)
{
	return kvmirqx_modify(ctx, with.fd, &with.entry, NULL);
}

static int call_mask(struct kvmirqx *ctx)
{
	return kvmirqx_mask(ctx, with.fd);
}

static int call_unmask(struct kvmirqx *ctx)
{
	return kvmirqx_unmask(ctx, with.fd);
}

static int call_get_state(struct kvmirqx *ctx)
{
	return kvmirqx_get_state(ctx, with.fd);
}

static int call_get_states(struct kvmirqx *ctx)
{
	struct kvm_irqx_target_state state = { .fd = with.fd };

	return kvmirqx_get_states(ctx, &state, sizeof(state), 1, NULL);
}

static int call_deassign(struct kvmirqx *ctx)
{
	return kvmirqx_deassign(ctx, with.fd);
}

static int call_set_routes(struct kvmirqx *ctx)
{
	return kvmirqx_set_routes(ctx, &with.route, 1);
}

static int call_route_set(struct kvmirqx *ctx)
{
	return kvmirqx_route_set(ctx, &with.route);
}

static int call_mask_gsi(struct kvmirqx *ctx)
{
	return kvmirqx_mask_gsi(ctx, with.route.gsi);
}

static int call_unmask_gsi(struct kvmirqx *ctx)
{
	return kvmirqx_unmask_gsi(ctx, with.route.gsi);
}

static int call_get_gsi_state(struct kvmirqx *ctx)
{
	return kvmirqx_get_gsi_state(ctx, with.route.gsi);
}

static int call_irqfd(struct kvmirqx *ctx)
{
	return kvmirqx_irqfd(ctx, with.other, with.route.gsi, NULL);
}

static int call_irqfd_deassign(struct kvmirqx *ctx)
{
	return kvmirqx_irqfd_deassign(ctx, with.other, with.route.gsi);
}

static int call_irq_line(struct kvmirqx *ctx)
{
	return kvmirqx_irq_line(ctx, NO_GSI, 0);
}

static int call_irq_line_status(struct kvmirqx *ctx)
{
	int status = 77, ret;

	ret = kvmirqx_irq_line_status(ctx, NO_GSI, 0, &status);
	return ret ? ret : status == 77;
}

static int call_route_del(struct kvmirqx *ctx)
{
	return kvmirqx_route_del(ctx, with.route.gsi);
}

static int call_route_add(struct kvmirqx *ctx)
{
	return kvmirqx_route_add(ctx, &with.route);
}

static int call_run_ops(struct kvmirqx *ctx)
{
	struct kvm_irqx_op op = { .op = KVM_IRQX_OP_DEASSIGN, .fd = with.fd };

	return kvmirqx_batch_run_ops(ctx, &op, sizeof(op), 1, NULL);
}

static int call_batch(struct kvmirqx *ctx)
{
	struct kvmirqx_batch *batch;
	int ret;

	TEST_ASSERT(!kvmirqx_batch_new(&batch), "kvmirqx_batch_new()");
	TEST_ASSERT(!kvmirqx_batch_route_del(batch, with.route.gsi), "kvmirqx_batch_route_del()");
	ret = kvmirqx_batch_run(ctx, batch, NULL);
	kvmirqx_batch_free(batch);
	return ret;
}

static int call_table_create(struct kvmirqx *ctx)
{
	struct kvmirqx_table_options options = KVMIRQX_TABLE_OPTIONS;

	options.nr = 2;
	options.entries = IRQX_TABLE_GPA;
	options.pba = IRQX_TABLE_GPA + 0x1000;
	return kvmirqx_table_create(ctx, &options, &with.table);
}

static int call_table_get_state(struct kvmirqx *ctx)
{
	struct kvmirqx_vectors vectors = KVMIRQX_VECTORS;

	return kvmirqx_table_get_state(ctx, with.table, &vectors);
}

static int call_table_set_state(struct kvmirqx *ctx)
{
	struct kvmirqx_vectors vectors = KVMIRQX_VECTORS;

	return kvmirqx_table_set_state(ctx, with.table, &vectors);
}

static int call_raise(struct kvmirqx *ctx)
{
	return kvmirqx_raise(ctx, with.table, 1);
}

static int call_raise_many(struct kvmirqx *ctx)
{
	static const uint32_t handles[] = { 1, 1 };

	return kvmirqx_raise_many(ctx, with.table, handles, 2);
}

static int call_table_move(struct kvmirqx *ctx)
{
	return kvmirqx_table_move(ctx, with.table, IRQX_TABLE_GPA + 0x2000,
				  IRQX_TABLE_GPA + 0x3000);
}

static int call_table_set(struct kvmirqx *ctx)
{
	return kvmirqx_table_set(ctx, with.table, 0);
}

static int call_table_destroy(struct kvmirqx *ctx)
{
	return kvmirqx_table_destroy(ctx, with.table);
}

static int call_dynirq_create(struct kvmirqx *ctx)
{
	struct kvmirqx_table_options options = KVMIRQX_TABLE_OPTIONS;

	options.nr = 4;
	options.entries = IRQX_TABLE_GPA;
	return kvmirqx_dynirq_create(ctx, &options, &with.table);
}

/* The handle itself is success. */
static int call_handle_alloc(struct kvmirqx *ctx)
{
	int ret = kvmirqx_handle_alloc(ctx, with.table, KVM_IRQX_ANY_HANDLE, "net");

	return ret == 1 ? 0 : ret;
}

static int call_handle_set_label(struct kvmirqx *ctx)
{
	return kvmirqx_handle_set_label(ctx, with.table, 1, "disk");
}

static int call_handle_get_label(struct kvmirqx *ctx)
{
	char label[KVM_IRQX_LABEL_SIZE];

	return kvmirqx_handle_get_label(ctx, with.table, 1, label, sizeof(label));
}

static int call_handle_free(struct kvmirqx *ctx)
{
	return kvmirqx_handle_free(ctx, with.table, 1);
}

static int call_list(struct kvmirqx *ctx)
{
	struct kvm_irqx_binding binding;
	struct kvmirqx_list *list;
	int ret;

	ret = kvmirqx_list_begin(ctx, sizeof(binding), &list);
	if (ret)
		return ret;
	ret = kvmirqx_list_next(list, &binding);
	kvmirqx_list_end(list);
	return ret;
}

static int call_synic_page_set(struct kvmirqx *ctx)
{
	return kvmirqx_synic_page_set(ctx, 0, 0x1000);
}

static int call_synic_page_clear(struct kvmirqx *ctx)
{
	return kvmirqx_synic_page_clear(ctx, 0);
}

/* Together, one after the other, they work. */
static const struct call {
	const char *name;
	int (*call)(struct kvmirqx *ctx);
	uint64_t feature;
} calls[] = {
	{ "attach", call_attach, 0 },
	{ "stats", call_stats, 0 },
	{ "assign", call_assign, 0 },
	{ "modify", call_modify, 0 },
	{ "mask", call_mask, 0 },
	{ "unmask", call_unmask, 0 },
	{ "get_state", call_get_state, 0 },
	{ "get_states", call_get_states, 0 },
	{ "deassign", call_deassign, 0 },
	{ "set_routes", call_set_routes, 0 },
	{ "route_set", call_route_set, 0 },
	{ "mask_gsi", call_mask_gsi, 0 },
	{ "unmask_gsi", call_unmask_gsi, 0 },
	{ "get_gsi_state", call_get_gsi_state, 0 },
	{ "irqfd", call_irqfd, 0 },
	{ "irqfd_deassign", call_irqfd_deassign, 0 },
	{ "irq_line", call_irq_line, 0 },
	{ "irq_line_status", call_irq_line_status, 0 },
	{ "route_del", call_route_del, 0 },
	{ "route_add", call_route_add, 0 },
	{ "batch_run_ops", call_run_ops, 0 },
	{ "batch_run", call_batch, 0 },
	{ "table_create", call_table_create, KVM_IRQX_FEATURE_TABLE },
	{ "table_get_state", call_table_get_state, KVM_IRQX_FEATURE_TABLE },
	{ "table_set_state", call_table_set_state, KVM_IRQX_FEATURE_TABLE },
	{ "raise", call_raise, KVM_IRQX_FEATURE_TABLE },
	{ "raise_many", call_raise_many, KVM_IRQX_FEATURE_TABLE },
	{ "table_move", call_table_move, KVM_IRQX_FEATURE_TABLE },
	{ "table_set", call_table_set, KVM_IRQX_FEATURE_TABLE },
	{ "table_destroy", call_table_destroy, KVM_IRQX_FEATURE_TABLE },
	{ "dynirq_create", call_dynirq_create, KVM_IRQX_FEATURE_TABLE },
	{ "handle_alloc", call_handle_alloc, KVM_IRQX_FEATURE_DYNIRQ },
	{ "handle_set_label", call_handle_set_label, KVM_IRQX_FEATURE_DYNIRQ },
	{ "handle_get_label", call_handle_get_label, KVM_IRQX_FEATURE_DYNIRQ },
	{ "handle_free", call_handle_free, KVM_IRQX_FEATURE_DYNIRQ },
	{ "list", call_list, KVM_IRQX_FEATURE_LIST },
	{ "synic_page_set", call_synic_page_set, KVM_IRQX_FEATURE_EVENT_FLAG },
	{ "synic_page_clear", call_synic_page_clear, KVM_IRQX_FEATURE_EVENT_FLAG },
};

static void prepare_calls(FIXTURE_DATA(lib) *self)
{
	with.vm = self->g->vm->fd;
	with.fd = self->fd;
	with.other = self->other;
	with.entry = self->a;
	with.route = at_gsi(self->b, GSI);
	with.table = 0;
}

#define OF_TABLES	(KVM_IRQX_FEATURE_TABLE | KVM_IRQX_FEATURE_DYNIRQ)

/* Return: the first whose result is not @err, or NULL; ATTACH as attach says. */
static const struct call *not_with(struct kvmirqx *ctx, int err, int attach)
{
	unsigned int i;
	int ret, want;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		if (calls[i].feature & OF_TABLES && with.no_tables)
			continue;
		want = calls[i].call == call_attach ? attach : err;
		if (!kvmirqx_has(ctx, calls[i].feature))
			want = ENOTSUP;
		ret = calls[i].call(ctx);
		if (ret != -want) {
			ksft_print_msg("%s: %d, not %d\n", calls[i].name, ret, -want);
			return &calls[i];
		}
	}
	return NULL;
}

TEST_F(lib, all_at_once)
{
	struct kvmirqx *ctx;

	if (!irqx_takes_tables())
		SKIP(return, "no ITS");
	prepare_calls(self);
	ASSERT_EQ(0, kvmirqx_open(&ctx));
	EXPECT_EQ(NULL, not_with(ctx, 0, 0));
	EXPECT_EQ(0, stats_of(ctx).irqfds);
	kvmirqx_close(ctx);
}

TEST_F(lib, not_attached_enotconn)
{
	struct kvm_vm *vm = vm_create_barebones();
	struct kvmirqx *ctx;

	prepare_calls(self);
	with.vm = -1;
	ASSERT_EQ(0, kvmirqx_open(&ctx));
	EXPECT_EQ(NULL, not_with(ctx, ENOTCONN, EBADF));
	EXPECT_EQ(-ENOTCONN, kvmirqx_mask(ctx, self->fd));
	WORDS("KVM_IRQX_MASK (ENOTCONN)");
	EXPECT_EQ(0, kvmirqx_attach(ctx, vm->fd));
	kvmirqx_close(ctx);
	kvm_vm_free(vm);
}

TEST_F(lib, no_context_einval)
{
	unsigned int i;

	prepare_calls(self);
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		REFUSED(calls[i].call(NULL), EINVAL, CONTEXT, NONE);
	REFUSED(kvmirqx_info(NULL, NULL), EINVAL, CONTEXT, NONE);
	REFUSED(kvmirqx_list_next(NULL, NULL), EINVAL, CONTEXT, NONE);
	WORDS("KVM_IRQX_LIST: context (EINVAL)");
}

/* What fails for want of something that all of the calls with an entry need. */
TEST_F(lib, no_irqchip_eagain)
{
	struct kvm_vm *vm = vm_create_barebones();
	struct kvm_irq_routing_entry route = at_gsi(self->a, GSI);
	struct kvmirqx *ctx;

	ASSERT_EQ(0, kvmirqx_open(&ctx));
	ASSERT_EQ(0, kvmirqx_attach(ctx, vm->fd));
	REFUSED(kvmirqx_assign(ctx, self->fd, &self->a, NULL), EAGAIN, CONTEXT, NO_IRQCHIP);
	WORDS("KVM_IRQX_IRQFD_DIRECT: context: the VM has no interrupt controller yet (EAGAIN)");
	REFUSED(kvmirqx_route_set(ctx, &route), EAGAIN, CONTEXT, NO_IRQCHIP);
	REFUSED(kvmirqx_route_add(ctx, &route), EAGAIN, CONTEXT, NO_IRQCHIP);
	FAILS(kvmirqx_set_routes(ctx, &route, 1), EAGAIN);
	EXPECT_EQ(0, kvmirqx_irqfd(ctx, self->fd, GSI, NULL));
	kvmirqx_close(ctx);
	kvm_vm_free(vm);
}

TEST_F(lib, dead_vm_eio)
{
	struct irqx_guest *g = __irqx_guest_create(1, NULL, IRQX_GUEST_NO_CONTEXT);
	struct kvmirqx *ctx;

	ASSERT_EQ(0, kvmirqx_open(&ctx));
	ASSERT_EQ(0, kvmirqx_attach(ctx, g->vm->fd));
	if (!irqx_kill_vm(g))
		SKIP(return, "this KVM does not let the VM die");
	prepare_calls(self);
	EXPECT_EQ(NULL, not_with(ctx, EIO, EBUSY));
	EXPECT_EQ(KVM_IRQX_ABI_VERSION, info_of(ctx).abi);
	kvmirqx_close(ctx);
}

/*
 * Eventfds with an entry of their own
 */

TEST_F(lib, direct)
{
	struct kvmirqx_options options = options_of(KVM_IRQX_OP_FLAG_MASK, COOKIE);
	struct kvm_irqx_binding binding;

	EXPECT_EQ(0, kvmirqx_assign(self->ctx, self->fd, &self->a, &options));
	binding = irqx_binding(self->raw, self->fd);
	EXPECT_EQ(COOKIE, binding.cookie);
	EXPECT_EQ(MASKED, kvmirqx_get_state(self->ctx, self->fd));
	irqx_fire(self->fd);
	EXPECT_EQ(MASKED | PENDING, kvmirqx_get_state(self->ctx, self->fd));
	EXPECT_EQ(0, kvmirqx_unmask(self->ctx, self->fd));
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_check(self->g);
	EXPECT_EQ(0, kvmirqx_get_state(self->ctx, self->fd));

	EXPECT_EQ(0, kvmirqx_modify(self->ctx, self->fd, &self->b, NULL));
	irqx_fire_at(self->g, self->fd, 1, IRQ_B);
	EXPECT_EQ(0, kvmirqx_mask(self->ctx, self->fd));
	irqx_fire(self->fd);
	options.cookie = 0;
	options.flags = KVM_IRQX_OP_FLAG_UNMASK;
	EXPECT_EQ(0, kvmirqx_modify(self->ctx, self->fd, &self->a, &options));
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_check(self->g);

	EXPECT_EQ(0, kvmirqx_deassign(self->ctx, self->fd));
	WORDS("");
	REFUSED(kvmirqx_deassign(self->ctx, self->fd), 0, FD, NOT_BOUND);
	WORDS("KVM_IRQX_IRQFD_DIRECT: fd: not bound here");
	irqx_fire(self->fd);
	EXPECT_EQ(1, irqx_eventfd_take(self->fd));
}

TEST_F(lib, direct_errors)
{
	struct kvmirqx_options options = options_of(KVM_IRQX_OP_FLAG_RESAMPLE, 0);
	struct kvm_irq_routing_entry entry = self->a;
	int null = open("/dev/null", O_RDWR);

	REFUSED(kvmirqx_assign(self->ctx, -1, &entry, NULL), EBADF, FD, NOT_OPEN);
	REFUSED(kvmirqx_assign(self->ctx, self->closed, &entry, NULL), EBADF, FD, NOT_OPEN);
	REFUSED(kvmirqx_assign(self->ctx, null, &entry, NULL), EINVAL, FD, NOT_AN_EVENTFD);
	WORDS("KVM_IRQX_IRQFD_DIRECT: fd: not an eventfd (EINVAL)");
	FAILS(kvmirqx_assign(self->ctx, self->fd, NULL, NULL), EINVAL);
	FAILS(kvmirqx_modify(self->ctx, self->fd, NULL, NULL), EINVAL);
	entry.gsi = 1;
	REFUSED(kvmirqx_assign(self->ctx, self->fd, &entry, NULL), EINVAL, ENTRY_GSI, NOT_ZERO);
	entry = self->a;
	entry.pad = 1;
	REFUSED(kvmirqx_assign(self->ctx, self->fd, &entry, NULL), EINVAL, ENTRY_PAD, NOT_ZERO);
	entry = (struct kvm_irq_routing_entry){ .type = 99 };
	REFUSED(kvmirqx_assign(self->ctx, self->fd, &entry, NULL), EINVAL, ENTRY_TYPE,
		UNKNOWN_VALUE);
	entry = irqx_pin_entry(irqx_bad_pins[0].irqchip, irqx_bad_pins[0].pin);
	EXPECT_EQ(-EINVAL, kvmirqx_assign(self->ctx, self->fd, &entry, NULL));

	/* An MSI has no EOI, and the resamplefd has to be one. */
	options.resamplefd = self->other;
	EXPECT_EQ(-EINVAL, kvmirqx_assign(self->ctx, self->fd, &self->a, &options));
	EXPECT_EQ(KVM_IRQX_REASON_NO_EOI, record().reason);
	entry = irqx_wire_entry(self->g, 0);
	options = resample_to(null);
	REFUSED(kvmirqx_assign(self->ctx, self->fd, &entry, &options), EINVAL, RESAMPLEFD,
		NOT_AN_EVENTFD);
	options = resample_to(-1);
	REFUSED(kvmirqx_assign(self->ctx, self->fd, &entry, &options), EBADF, RESAMPLEFD,
		NOT_OPEN);

	REFUSED(kvmirqx_modify(self->ctx, self->fd, &self->a, NULL), ENOENT, FD, NOT_BOUND);
	REFUSED(kvmirqx_mask(self->ctx, self->fd), ENOENT, FD, NOT_BOUND);
	REFUSED(kvmirqx_unmask(self->ctx, self->fd), ENOENT, FD, NOT_BOUND);
	REFUSED(kvmirqx_get_state(self->ctx, self->fd), ENOENT, FD, NOT_BOUND);
	REFUSED(kvmirqx_mask(self->ctx, -1), EBADF, FD, NOT_OPEN);
	REFUSED(kvmirqx_unmask(self->ctx, -1), EBADF, FD, NOT_OPEN);
	REFUSED(kvmirqx_get_state(self->ctx, -1), EBADF, FD, NOT_OPEN);
	REFUSED(kvmirqx_mask(self->ctx, null), EINVAL, FD, NOT_AN_EVENTFD);
	REFUSED(kvmirqx_deassign(self->ctx, null), EINVAL, FD, NOT_AN_EVENTFD);
	REFUSED(kvmirqx_deassign(self->ctx, -1), EBADF, FD, NOT_OPEN);

	EXPECT_EQ(0, kvmirqx_assign(self->ctx, self->fd, &self->a, NULL));
	REFUSED(kvmirqx_assign(self->ctx, self->fd, &self->b, NULL), EBUSY, FD, BOUND);
	WORDS("KVM_IRQX_IRQFD_DIRECT: fd: bound already (EBUSY)");
	options = options_of(KVM_IRQX_OP_FLAG_MASK | KVM_IRQX_OP_FLAG_UNMASK, 0);
	REFUSED(kvmirqx_modify(self->ctx, self->fd, &self->b, &options), EINVAL, FLAGS,
		FLAGS_CONFLICT);
	options = options_of(KVM_IRQX_OP_FLAG_RESAMPLE, 0);
	options.resamplefd = self->other;
	EXPECT_EQ(-EINVAL, kvmirqx_modify(self->ctx, self->fd, &self->b, &options));
	EXPECT_EQ(KVM_IRQX_ARG_FLAGS, record().arg);
	options = options_of(1U << 31, 0);
	REFUSED(kvmirqx_modify(self->ctx, self->fd, &self->b, &options), ENOTSUP, FLAGS,
		UNKNOWN_FLAG);
	options = options_of(0, 1);
	REFUSED(kvmirqx_modify(self->ctx, self->fd, &self->b, &options), EINVAL, COOKIE, NOT_ZERO);
	/* All of that has changed nothing. */
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);
	EXPECT_EQ(1, stats_of(self->ctx).irqfds);
	EXPECT_EQ(0, kvmirqx_deassign(self->ctx, self->fd));
	close(null);
}

/* What only the other architecture has is told by the library. */
TEST_F(lib, other_architecture_enotsup)
{
	struct kvmirqx_options options = options_of(KVM_IRQX_OP_FLAG_EVENT_FLAG, 0);
	struct kvm_irq_routing_entry entry = {
		.type = IRQX_HAS_SYNIC ? KVM_IRQX_ROUTING_PPI : KVM_IRQ_ROUTING_HV_SINT,
	};

	REFUSED(kvmirqx_assign(self->ctx, self->fd, &entry, NULL), ENOTSUP, ENTRY_TYPE,
		UNKNOWN_VALUE);
	REFUSED(kvmirqx_set_routes(self->ctx, &entry, 1), ENOTSUP, ENTRY_TYPE, UNKNOWN_VALUE);
	if (IRQX_HAS_SYNIC) {
		REFUSED(kvmirqx_assign(self->ctx, self->fd, &self->a, &options), EINVAL,
			ENTRY_TYPE, NOT_A_SINT);
		EXPECT_EQ(0, kvmirqx_synic_page_set(self->ctx, 0, 0x1000));
		EXPECT_EQ(0, kvmirqx_synic_page_clear(self->ctx, 0));
		EXPECT_EQ(0, kvmirqx_synic_page_clear(self->ctx, 0));
		FAILS(kvmirqx_synic_page_set(self->ctx, 0, 0x1001), EINVAL);
		WORDS("KVM_IRQX_SYNIC_PAGE (EINVAL)");
		FAILS(kvmirqx_synic_page_set(self->ctx, ~0U, 0x1000), EINVAL);
	} else {
		REFUSED(kvmirqx_assign(self->ctx, self->fd, &self->a, &options), ENOTSUP, FLAGS,
			UNKNOWN_FLAG);
		FAILS(kvmirqx_synic_page_set(self->ctx, 0, 0x1000), ENOTSUP);
		FAILS(kvmirqx_synic_page_clear(self->ctx, 0), ENOTSUP);
	}
}

TEST_F(lib, states)
{
	struct kvm_irqx_target_state states[3] = {
		{ .fd = self->fd },
		{ .fd = KVM_IRQX_NO_FD, .gsi = GSI },
		{ .fd = self->other },
	};
	struct kvm_irq_routing_entry route = at_gsi(self->b, GSI);
	uint32_t index = 77;

	EXPECT_EQ(0, kvmirqx_assign(self->ctx, self->fd, &self->a, NULL));
	EXPECT_EQ(0, kvmirqx_route_set(self->ctx, &route));
	EXPECT_EQ(0, kvmirqx_mask(self->ctx, self->fd));
	EXPECT_EQ(0, kvmirqx_mask_gsi(self->ctx, GSI));
	irqx_fire(self->fd);
	EXPECT_EQ(0, kvmirqx_get_states(self->ctx, states, sizeof(states[0]), 2, &index));
	EXPECT_EQ(MASKED | PENDING, states[0].state);
	EXPECT_EQ(MASKED, states[1].state);
	EXPECT_EQ(2, index);

	REFUSED(kvmirqx_get_states(self->ctx, states, sizeof(states[0]), 3, &index), ENOENT, FD,
		NOT_BOUND);
	EXPECT_EQ(2, index);
	EXPECT_EQ(2, record().index);
	WORDS("KVM_IRQX_GET_STATE: fd: not bound here, element 2 (ENOENT)");
	REFUSED(kvmirqx_get_states(self->ctx, states, 8, 1, &index), EINVAL, STATE_SIZE,
		UNKNOWN_VALUE);
	EXPECT_EQ(1, index);
	REFUSED(kvmirqx_get_states(self->ctx, states, ~(size_t)0, 1, NULL), EINVAL, STATE_SIZE,
		UNKNOWN_VALUE);
	REFUSED(kvmirqx_get_states(self->ctx, states, sizeof(states[0]), 0, NULL), EINVAL, NR,
		OUT_OF_RANGE);
	FAILS(kvmirqx_get_states(self->ctx, NULL, sizeof(states[0]), 1, NULL), EFAULT);
	EXPECT_EQ(0, kvmirqx_unmask(self->ctx, self->fd));
	irqx_expect(self->g, 0, IRQ_A, 1);
}

/* A level: the pin falls when nobody holds it any more. */
TEST_F(lib, resample)
{
	struct kvm_irq_routing_entry wire = irqx_wire_entry(self->g, 1);
	struct kvmirqx_options options = resample_to(self->other);
	struct kvm_irqx_binding binding;

	EXPECT_EQ(0, kvmirqx_assign(self->ctx, self->fd, &wire, &options));
	binding = irqx_binding(self->raw, self->fd);
	EXPECT_EQ(KVM_IRQX_BINDING_RESAMPLE, binding.flags);
	irqx_fire(self->fd);
	irqx_settle(self->raw);
	EXPECT_TRUE(irqx_wire_is_up(self->g, 1));
	EXPECT_EQ(0, kvmirqx_deassign(self->ctx, self->fd));
	EXPECT_FALSE(irqx_wire_is_up(self->g, 1));
	EXPECT_EQ(0, kvmirqx_irqfd(self->ctx, self->fd, GSI, &options));
	wire.gsi = GSI;
	EXPECT_EQ(0, kvmirqx_route_set(self->ctx, &wire));
	irqx_fire(self->fd);
	irqx_settle(self->raw);
	EXPECT_TRUE(irqx_wire_is_up(self->g, 1));
	EXPECT_EQ(0, kvmirqx_route_del(self->ctx, GSI));
	EXPECT_FALSE(irqx_wire_is_up(self->g, 1));
}

/*
 * GSIs
 */

TEST_F(lib, routes)
{
	struct kvm_irq_routing_entry table[2] = { at_gsi(self->a, 1), at_gsi(self->b, GSI) };
	struct kvm_irq_routing_entry route = at_gsi(self->a, GSI);
	struct kvmirqx_options options = options_of(0, COOKIE);
	int status = 77;

	EXPECT_EQ(0, kvmirqx_irqfd(self->ctx, self->fd, GSI, &options));
	EXPECT_EQ(COOKIE, irqx_binding(self->raw, self->fd).cookie);
	irqx_fire(self->fd);
	EXPECT_EQ(1, stats_of(self->ctx).unrouted);
	EXPECT_EQ(0, kvmirqx_route_add(self->ctx, &route));
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);
	route = at_gsi(self->b, GSI);
	EXPECT_EQ(0, kvmirqx_route_set(self->ctx, &route));
	irqx_fire_at(self->g, self->fd, 1, IRQ_B);

	EXPECT_EQ(0, kvmirqx_mask_gsi(self->ctx, GSI));
	EXPECT_EQ(MASKED, kvmirqx_get_gsi_state(self->ctx, GSI));
	irqx_fire(self->fd);
	EXPECT_EQ(MASKED | PENDING, kvmirqx_get_gsi_state(self->ctx, GSI));
	EXPECT_EQ(0, kvmirqx_unmask_gsi(self->ctx, GSI));
	irqx_expect(self->g, 1, IRQ_B, 1);
	irqx_check(self->g);

	EXPECT_EQ(0, kvmirqx_route_del(self->ctx, GSI));
	EXPECT_EQ(0, kvmirqx_route_del(self->ctx, GSI));
	EXPECT_EQ(0, stats_of(self->ctx).gsis);
	EXPECT_EQ(0, kvmirqx_set_routes(self->ctx, table, 2));
	EXPECT_EQ(2, stats_of(self->ctx).gsis);
	irqx_fire_at(self->g, self->fd, 1, IRQ_B);
	EXPECT_EQ(0, kvmirqx_irq_line(self->ctx, 1, 1));
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_check(self->g);
	EXPECT_EQ(0, kvmirqx_irq_line(self->ctx, 1, 0));
	EXPECT_EQ(0, kvmirqx_irq_line_status(self->ctx, 1, 1, &status));
	EXPECT_LT(0, status);
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_check(self->g);
	EXPECT_EQ(0, kvmirqx_irq_line_status(self->ctx, NO_GSI, 1, &status));
	EXPECT_GT(0, status);
	EXPECT_EQ(0, kvmirqx_irq_line_status(self->ctx, 1, 0, NULL));

	/* Of that GSI alone. */
	EXPECT_EQ(0, kvmirqx_irqfd_deassign(self->ctx, self->fd, GSI + 1));
	EXPECT_EQ(1, stats_of(self->ctx).irqfds);
	EXPECT_EQ(0, kvmirqx_irqfd_deassign(self->ctx, self->fd, GSI));
	EXPECT_EQ(0, stats_of(self->ctx).irqfds);
	EXPECT_EQ(0, kvmirqx_set_routes(self->ctx, NULL, 0));
	EXPECT_EQ(0, stats_of(self->ctx).gsis);
	EXPECT_EQ(0, kvmirqx_irqfd(self->ctx, self->fd, GSI, NULL));
	EXPECT_EQ(0, kvmirqx_deassign(self->ctx, self->fd));
}

TEST_F(lib, route_errors)
{
	struct kvmirqx_options options = options_of(KVM_IRQX_OP_FLAG_MASK, 0);
	uint32_t max_gsi = info_of(self->ctx).max_gsi;
	struct kvm_irq_routing_entry route = at_gsi(self->a, max_gsi);
	int null = open("/dev/null", O_RDWR);

	REFUSED(kvmirqx_route_set(self->ctx, &route), EINVAL, ENTRY_GSI, OUT_OF_RANGE);
	WORDS("KVM_IRQX_BATCH: entry.gsi: out of range (EINVAL)");
	EXPECT_EQ(~0U, record().index);
	REFUSED(kvmirqx_route_add(self->ctx, &route), EINVAL, ENTRY_GSI, OUT_OF_RANGE);
	REFUSED(kvmirqx_route_del(self->ctx, max_gsi), EINVAL, ENTRY_GSI, OUT_OF_RANGE);
	REFUSED(kvmirqx_route_set(self->ctx, NULL), EINVAL, ENTRY, NONE);
	REFUSED(kvmirqx_route_add(self->ctx, NULL), EINVAL, ENTRY, NONE);
	REFUSED(kvmirqx_mask_gsi(self->ctx, max_gsi), EINVAL, GSI, OUT_OF_RANGE);
	REFUSED(kvmirqx_mask_gsi(self->ctx, NO_GSI), ENOENT, GSI, NO_ROUTE);
	REFUSED(kvmirqx_unmask_gsi(self->ctx, NO_GSI), ENOENT, GSI, NO_ROUTE);
	REFUSED(kvmirqx_get_gsi_state(self->ctx, NO_GSI), ENOENT, GSI, NO_ROUTE);
	FAILS(kvmirqx_irq_line(self->ctx, max_gsi, 1), EINVAL);
	WORDS("KVM_IRQ_LINE (EINVAL)");
	FAILS(kvmirqx_irq_line_status(self->ctx, max_gsi, 1, NULL), EINVAL);

	FAILS(kvmirqx_set_routes(self->ctx, &route, 1), EINVAL);
	WORDS("KVM_SET_GSI_ROUTING (EINVAL)");
	REFUSED(kvmirqx_set_routes(self->ctx, NULL, 1), EINVAL, ENTRIES, NONE);
	REFUSED(kvmirqx_set_routes(self->ctx, &route, max_gsi + 1), EINVAL, NR, OUT_OF_RANGE);

	route.gsi = GSI;
	EXPECT_EQ(0, kvmirqx_route_set(self->ctx, &route));
	EXPECT_EQ(-EINVAL, kvmirqx_route_add(self->ctx, &route));
	EXPECT_EQ(KVM_IRQX_REASON_NOT_SHARED, record().reason);

	REFUSED(kvmirqx_irqfd(self->ctx, null, GSI, NULL), EINVAL, FD, NOT_AN_EVENTFD);
	REFUSED(kvmirqx_irqfd(self->ctx, -1, GSI, NULL), EBADF, FD, NOT_OPEN);
	REFUSED(kvmirqx_irqfd(self->ctx, self->fd, GSI, &options), EINVAL, FLAGS, UNKNOWN_FLAG);
	options = resample_to(self->other);
	EXPECT_EQ(-EINVAL, kvmirqx_irqfd(self->ctx, self->fd, GSI, &options));
	EXPECT_EQ(KVM_IRQX_REASON_NO_EOI, record().reason);
	FAILS(kvmirqx_irqfd_deassign(self->ctx, -1, GSI), EBADF);
	FAILS(kvmirqx_irqfd_deassign(self->ctx, null, GSI), EINVAL);
	EXPECT_EQ(0, kvmirqx_irqfd(self->ctx, self->fd, GSI, NULL));
	REFUSED(kvmirqx_irqfd(self->ctx, self->fd, GSI, NULL), EBUSY, FD, BOUND);
	REFUSED(kvmirqx_modify(self->ctx, self->fd, &self->a, NULL), ENOENT, FD, NOT_DIRECT);
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);
	close(null);
}

/*
 * Batches
 */

TEST_F(lib, batch)
{
	struct kvm_irq_routing_entry route = at_gsi(self->b, GSI), from[1] = { route };
	struct kvm_irq_routing_entry to[2] = { route, at_gsi(self->a, 3) };
	struct kvmirqx_options masked = options_of(KVM_IRQX_OP_FLAG_MASK, 0);
	struct kvmirqx_batch *batch;
	struct kvm_irqx_op op;
	uint32_t index = 77;
	int third = irqx_eventfd(0, 0);

	ASSERT_EQ(0, kvmirqx_batch_new(&batch));
	EXPECT_EQ(0, kvmirqx_batch_run(self->ctx, batch, &index));
	EXPECT_EQ(0, index);
	EXPECT_EQ(0, kvmirqx_batch_assign(batch, self->fd, &self->a, &masked));
	EXPECT_EQ(0, kvmirqx_batch_route_set(batch, &route, &masked));
	EXPECT_EQ(0, kvmirqx_batch_irqfd(batch, self->other, GSI, NULL));
	EXPECT_EQ(0, kvmirqx_batch_assign(batch, third, &self->b, NULL));
	EXPECT_EQ(4, kvmirqx_batch_count(batch));
	EXPECT_EQ(0, kvmirqx_batch_get(batch, 2, &op, sizeof(op)));
	EXPECT_EQ(KVM_IRQX_OP_IRQFD, op.op);
	EXPECT_EQ(0, kvmirqx_batch_run(self->ctx, batch, &index));
	EXPECT_EQ(4, index);
	WORDS("");
	EXPECT_EQ(3, stats_of(self->ctx).irqfds);
	irqx_fire(self->fd);
	irqx_fire(self->other);
	EXPECT_EQ(MASKED | PENDING, kvmirqx_get_state(self->ctx, self->fd));
	EXPECT_EQ(MASKED | PENDING, kvmirqx_get_gsi_state(self->ctx, GSI));

	/* It is as it was, and does not work twice. */
	REFUSED(kvmirqx_batch_run(self->ctx, batch, &index), EBUSY, FD, BOUND);
	EXPECT_EQ(0, index);
	WORDS("KVM_IRQX_BATCH: fd: bound already, element 0 (EBUSY)");

	EXPECT_EQ(0, kvmirqx_batch_clear(batch));
	EXPECT_EQ(0, kvmirqx_batch_unmask(batch, self->fd));
	EXPECT_EQ(0, kvmirqx_batch_unmask_gsi(batch, GSI));
	EXPECT_EQ(0, kvmirqx_batch_modify(batch, third, &self->a, NULL));
	EXPECT_EQ(0, kvmirqx_batch_run(self->ctx, batch, NULL));
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_expect(self->g, 1, IRQ_B, 1);
	irqx_check(self->g);
	irqx_fire_at(self->g, third, 0, IRQ_A);

	/* All or nothing. */
	EXPECT_EQ(0, kvmirqx_batch_clear(batch));
	EXPECT_EQ(0, kvmirqx_batch_mask(batch, self->fd));
	EXPECT_EQ(0, kvmirqx_batch_mask_gsi(batch, GSI));
	EXPECT_EQ(0, kvmirqx_batch_route_add(batch, &to[1]));
	EXPECT_EQ(0, kvmirqx_batch_deassign(batch, self->fd));
	REFUSED(kvmirqx_batch_run(self->ctx, batch, &index), EINVAL, FD, TWICE);
	EXPECT_EQ(3, index);
	EXPECT_EQ(3, record().index);
	EXPECT_EQ(0, kvmirqx_get_state(self->ctx, self->fd));
	EXPECT_EQ(0, kvmirqx_get_gsi_state(self->ctx, GSI));
	EXPECT_EQ(1, stats_of(self->ctx).gsis);

	/* From one table to another. */
	EXPECT_EQ(0, kvmirqx_batch_clear(batch));
	EXPECT_EQ(1, kvmirqx_batch_routes(batch, from, 1, to, 2));
	EXPECT_EQ(0, kvmirqx_batch_run(self->ctx, batch, NULL));
	EXPECT_EQ(2, stats_of(self->ctx).gsis);
	EXPECT_EQ(0, kvmirqx_irq_line(self->ctx, 3, 1));
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_check(self->g);
	EXPECT_EQ(0, kvmirqx_batch_clear(batch));
	EXPECT_EQ(2, kvmirqx_batch_routes(batch, to, 2, NULL, 0));
	EXPECT_EQ(0, kvmirqx_batch_deassign(batch, self->fd));
	EXPECT_EQ(0, kvmirqx_batch_deassign(batch, self->other));
	EXPECT_EQ(0, kvmirqx_batch_deassign(batch, third));
	EXPECT_EQ(0, kvmirqx_batch_route_del(batch, NO_GSI));
	EXPECT_EQ(0, kvmirqx_batch_run(self->ctx, batch, NULL));
	EXPECT_EQ(0, stats_of(self->ctx).gsis);
	EXPECT_EQ(0, stats_of(self->ctx).irqfds);

	/* What could not be added. */
	EXPECT_EQ(0, kvmirqx_batch_clear(batch));
	EXPECT_EQ(-EBADF, kvmirqx_batch_mask(batch, -1));
	FAILS(kvmirqx_batch_run(self->ctx, batch, NULL), EBADF);
	FAILS(kvmirqx_batch_run(self->ctx, NULL, NULL), EINVAL);
	EXPECT_EQ(0, kvmirqx_batch_free(batch));
	close(third);
}

TEST_F(lib, batch_errors)
{
	struct kvm_irqx_op op = { .op = KVM_IRQX_OP_ASSIGN, .fd = self->fd, .entry = self->a };
	uint32_t max_batch = info_of(self->ctx).max_batch, index = 77;

	REFUSED(kvmirqx_batch_run_ops(self->ctx, NULL, sizeof(op), 1, &index), EINVAL, OP, NONE);
	EXPECT_EQ(1, index);
	REFUSED(kvmirqx_batch_run_ops(self->ctx, &op, sizeof(op), 0, &index), EINVAL, NR,
		OUT_OF_RANGE);
	REFUSED(kvmirqx_batch_run_ops(self->ctx, &op, sizeof(op), max_batch + 1, &index), EINVAL,
		NR, OUT_OF_RANGE);
	EXPECT_EQ(max_batch + 1, index);
	op.op = 31;
	REFUSED(kvmirqx_batch_run_ops(self->ctx, &op, sizeof(op), 1, &index), ENOTSUP, OP,
		UNKNOWN_VALUE);
	EXPECT_EQ(0, index);
	op.op = 0;
	REFUSED(kvmirqx_batch_run_ops(self->ctx, &op, sizeof(op), 1, &index), EINVAL, OP,
		UNKNOWN_VALUE);
	op.op = KVM_IRQX_OP_ASSIGN;
	op.flags = 1U << 31;
	REFUSED(kvmirqx_batch_run_ops(self->ctx, &op, sizeof(op), 1, &index), ENOTSUP, FLAGS,
		UNKNOWN_FLAG);
	op.flags = 0;
	op.pad = 1;
	REFUSED(kvmirqx_batch_run_ops(self->ctx, &op, sizeof(op), 1, &index), EINVAL, PAD,
		NOT_ZERO);
	EXPECT_EQ(0, stats_of(self->ctx).irqfds);
}

/*
 * Structs of other sizes
 */

TEST_F(lib, sizes)
{
	struct {
		struct kvmirqx_options known;
		uint64_t more;
	} newer = { .known = KVMIRQX_OPTIONS };
	char buf[2 * KVM_IRQX_OP_SIZE_MAX], info[4096];
	struct kvm_irqx_info whole = info_of(self->ctx);
	struct kvm_irqx_op op = { .op = KVM_IRQX_OP_ASSIGN, .fd = self->fd, .entry = self->a };
	struct kvm_irqx_error error = { .argsz = 12 };
	uint32_t size, argsz;

	/* A program that is older, and one that is newer. */
	for (size = 16; size <= sizeof(info); size += size < 256 ? 4 : 256) {
		memset(info, 0x5a, sizeof(info));
		memcpy(info, &size, sizeof(size));
		ASSERT_EQ(0, kvmirqx_info(self->ctx, (void *)info));
		memcpy(&argsz, info, sizeof(argsz));
		EXPECT_EQ(sizeof(whole), argsz);
		EXPECT_EQ(0, memcmp(info, &whole, size < sizeof(whole) ? size : sizeof(whole)));
		if (size > sizeof(whole))
			EXPECT_EQ(0, info[size - 1]);
		if (size < sizeof(info))
			EXPECT_EQ(0x5a, info[size]);
		memcpy(info, &size, sizeof(size));
		ASSERT_EQ(0, kvmirqx_stats(self->ctx, (void *)info));
		memcpy(&argsz, info, sizeof(argsz));
		EXPECT_EQ(sizeof(struct kvm_irqx_stats), argsz);
	}
	size = 12;
	memcpy(info, &size, sizeof(size));
	FAILS(kvmirqx_info(self->ctx, (void *)info), EINVAL);
	size = 3;
	memcpy(info, &size, sizeof(size));
	REFUSED(kvmirqx_info(self->ctx, (void *)info), EINVAL, ARGSZ, TOO_SMALL);
	REFUSED(kvmirqx_stats(self->ctx, (void *)info), EINVAL, ARGSZ, TOO_SMALL);
	FAILS(kvmirqx_info(self->ctx, NULL), EINVAL);
	FAILS(kvmirqx_stats(self->ctx, NULL), EINVAL);
	EXPECT_EQ(-EINVAL, kvmirqx_last_error(&error));
	EXPECT_EQ(-EINVAL, kvmirqx_last_error(NULL));

	for (size = KVM_IRQX_OP_SIZE_MIN; size <= KVM_IRQX_OP_SIZE_MAX; size += 8) {
		memset(buf, 0, sizeof(buf));
		memcpy(buf, &op, size < sizeof(op) ? size : sizeof(op));
		memcpy(buf + size, &(struct kvm_irqx_op){
			.op = KVM_IRQX_OP_ROUTE_DEL,
			.entry.gsi = NO_GSI,
		}, size < sizeof(op) ? size : sizeof(op));
		ASSERT_EQ(0, kvmirqx_batch_run_ops(self->ctx, (void *)buf, size, 2, NULL))
			TH_LOG("%u", size);
		ASSERT_EQ(0, kvmirqx_deassign(self->ctx, self->fd));
		if (size <= sizeof(op))
			continue;
		buf[2 * size - 1] = 1;
		REFUSED(kvmirqx_batch_run_ops(self->ctx, (void *)buf, size, 2, NULL), ENOTSUP, OP,
			UNKNOWN_FIELD);
		EXPECT_EQ(1, record().index);
		EXPECT_EQ(0, stats_of(self->ctx).irqfds);
	}
	REFUSED(kvmirqx_batch_run_ops(self->ctx, (void *)buf, KVM_IRQX_OP_SIZE_MIN - 4, 1, NULL),
		EINVAL, OP_SIZE, TOO_SMALL);
	REFUSED(kvmirqx_batch_run_ops(self->ctx, (void *)buf, KVM_IRQX_OP_SIZE_MAX + 4, 1, NULL),
		EINVAL, OP_SIZE, OUT_OF_RANGE);

	newer.known.size = sizeof(newer);
	EXPECT_EQ(0, kvmirqx_assign(self->ctx, self->fd, &self->a, &newer.known));
	newer.more = 1;
	FAILS(kvmirqx_modify(self->ctx, self->fd, &self->b, &newer.known), ENOTSUP);
	newer.known.size = sizeof(newer.known) - 1;
	FAILS(kvmirqx_modify(self->ctx, self->fd, &self->b, &newer.known), EINVAL);
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);
}

/*
 * Listings
 */

#define MANY	600	/* several pieces */

static void bind_many(struct kvmirqx *ctx, const int *fds, uint32_t nr,
		      struct kvm_irq_routing_entry entry)
{
	struct kvmirqx_options options = KVMIRQX_OPTIONS;
	struct kvmirqx_batch *batch;
	uint32_t i;

	TEST_ASSERT(!kvmirqx_batch_new(&batch), "kvmirqx_batch_new()");
	for (i = 0; i < nr; i++) {
		options.cookie = i + 1;
		kvmirqx_batch_assign(batch, fds[i], &entry, &options);
	}
	TEST_ASSERT(!kvmirqx_batch_run(ctx, batch, NULL), "kvmirqx_batch_run()");
	kvmirqx_batch_free(batch);
}

TEST_F(lib, list)
{
	char binding[KVM_IRQX_BINDING_SIZE_MAX + 1];
	struct kvmirqx_list *list, *second;
	struct kvm_irqx_binding one;
	uint64_t cookie;
	uint32_t size, n;
	int fds[MANY];

	ASSERT_EQ(0, kvmirqx_list_begin(self->ctx, sizeof(one), &list));
	EXPECT_EQ(0, kvmirqx_list_next(list, &one));
	EXPECT_EQ(0, kvmirqx_list_next(list, &one));
	FAILS(kvmirqx_list_next(list, NULL), EINVAL);
	EXPECT_EQ(0, kvmirqx_list_end(list));
	EXPECT_EQ(0, kvmirqx_list_end(NULL));

	irqx_eventfds(fds, MANY);
	bind_many(self->ctx, fds, MANY, self->a);
	for (size = KVM_IRQX_BINDING_SIZE_MIN; size <= KVM_IRQX_BINDING_SIZE_MAX; size += 40) {
		ASSERT_EQ(0, kvmirqx_list_begin(self->ctx, size, &list));
		for (n = 0; n < MANY; n++) {
			memset(binding, 0x5a, sizeof(binding));
			ASSERT_EQ(1, kvmirqx_list_next(list, (void *)binding));
			memcpy(&cookie, binding, sizeof(cookie));
			ASSERT_EQ(n + 1, cookie);
			ASSERT_EQ(0x5a, binding[size]);
			if (size > sizeof(one))
				ASSERT_EQ(0, binding[size - 1]);
		}
		EXPECT_EQ(0, kvmirqx_list_next(list, (void *)binding));
		EXPECT_EQ(0, kvmirqx_list_end(list));
	}
	REFUSED(kvmirqx_list_begin(self->ctx, KVM_IRQX_BINDING_SIZE_MIN - 1, &list), EINVAL,
		BINDING_SIZE, TOO_SMALL);
	REFUSED(kvmirqx_list_begin(self->ctx, KVM_IRQX_BINDING_SIZE_MAX + 1, &list), EINVAL,
		BINDING_SIZE, OUT_OF_RANGE);
	FAILS(kvmirqx_list_begin(self->ctx, sizeof(one), NULL), EINVAL);

	/* Two at once, of which one is behind; the first half goes meanwhile. */
	ASSERT_EQ(0, kvmirqx_list_begin(self->ctx, sizeof(one), &list));
	ASSERT_EQ(0, kvmirqx_list_begin(self->ctx, sizeof(one), &second));
	EXPECT_EQ(1, kvmirqx_list_next(second, &one));
	for (n = 0; n < MANY; n++) {
		EXPECT_EQ(1, kvmirqx_list_next(list, &one));
		EXPECT_EQ(n + 1, one.cookie);
		if (n < MANY / 2)
			EXPECT_EQ(0, kvmirqx_deassign(self->ctx, fds[n]));
	}
	EXPECT_EQ(0, kvmirqx_list_next(list, &one));
	n = 0;
	cookie = 1;
	while (kvmirqx_list_next(second, &one) == 1) {
		EXPECT_LT(cookie, one.cookie);
		cookie = one.cookie;
		n += cookie > MANY / 2;
	}
	EXPECT_EQ(MANY / 2, n);
	EXPECT_EQ(0, kvmirqx_list_end(list));
	EXPECT_EQ(0, kvmirqx_list_end(second));
	irqx_close_all(fds, MANY);
}

/*
 * Threads
 */

#define THREADS	4

struct thread {
	FIXTURE_DATA(lib) *self;
	uint32_t rounds;
	uint32_t nr;
	bool *stop;
	pthread_t id;
	const char *failed;
	uint64_t done;
};

#define MUST(what)							\
do {									\
	if (!(what)) {							\
		t->failed = #what;					\
		return NULL;						\
	}								\
} while (0)

/* Eventfds and a batch of its own, and one eventfd of all. */
static void *work_in_thread(void *arg)
{
	struct thread *t = arg;
	struct kvmirqx *ctx = t->self->ctx;
	struct kvm_irq_routing_entry route = at_gsi(t->self->b, 100 + t->nr);
	struct kvmirqx_options options = KVMIRQX_OPTIONS;
	struct kvmirqx_batch *batch;
	uint32_t i, index;
	int fds[4], state;

	for (i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = irqx_eventfd(0, 0);
	MUST(!kvmirqx_batch_new(&batch));
	for (; t->done < t->rounds; t->done++) {
		options.cookie = (t->nr + 1) * 1000000ULL + t->done * 10;
		MUST(!kvmirqx_batch_clear(batch));
		for (i = 0; i < ARRAY_SIZE(fds); i++) {
			options.cookie++;
			MUST(!kvmirqx_batch_assign(batch, fds[i], &t->self->a, &options));
		}
		MUST(!kvmirqx_batch_route_set(batch, &route, NULL));
		MUST(!kvmirqx_batch_run(ctx, batch, &index));
		/* The record is that of this thread's call, whatever the others do. */
		MUST(kvmirqx_batch_run(ctx, batch, &index) == -EBUSY);
		MUST(!index && record().reason == KVM_IRQX_REASON_BOUND);
		MUST(kvmirqx_mask_gsi(ctx, NO_GSI) == -ENOENT);
		MUST(record().reason == KVM_IRQX_REASON_NO_ROUTE);
		MUST(!__irqx_fire(fds[0]));
		MUST(!kvmirqx_modify(ctx, fds[0], &t->self->b, NULL));
		MUST(record().reason == KVM_IRQX_REASON_NONE);
		/* Of all: each call works, in whatever order. */
		MUST(!kvmirqx_modify(ctx, t->self->fd, &t->self->a, NULL));
		MUST(!kvmirqx_mask(ctx, t->self->fd));
		MUST(!__irqx_fire(t->self->fd));
		state = kvmirqx_get_state(ctx, t->self->fd);
		MUST(state >= 0 && !(state & ~(MASKED | PENDING)));
		MUST(!kvmirqx_unmask(ctx, t->self->fd));
		MUST(!kvmirqx_batch_clear(batch));
		for (i = 0; i < ARRAY_SIZE(fds); i++)
			MUST(!kvmirqx_batch_deassign(batch, fds[i]));
		MUST(!kvmirqx_batch_route_del(batch, route.gsi));
		MUST(!kvmirqx_batch_run(ctx, batch, NULL));
		MUST(!kvmirqx_deassign(ctx, fds[0]));
		MUST(record().reason == KVM_IRQX_REASON_NOT_BOUND);
	}
	kvmirqx_batch_free(batch);
	irqx_close_all(fds, ARRAY_SIZE(fds));
	return NULL;
}

static void *list_in_thread(void *arg)
{
	struct thread *t = arg;
	struct kvm_irqx_binding binding;
	struct kvmirqx_list *list;
	uint32_t n, common;

	while (!READ_ONCE(*t->stop)) {
		MUST(!kvmirqx_list_begin(t->self->ctx, sizeof(binding), &list));
		for (n = common = 0; kvmirqx_list_next(list, &binding) == 1; n++)
			common += binding.cookie == COOKIE;
		/* No more than there can be, and once what is there all the time. */
		MUST(n <= THREADS * 4 * 2 + 1 && common == 1);
		MUST(!kvmirqx_list_end(list));
		t->done++;
	}
	return NULL;
}

TEST_F_TIMEOUT(lib, threads, 120)
{
	struct kvmirqx_options options = options_of(0, COOKIE);
	struct thread threads[THREADS + 1];
	bool stop = false;
	uint32_t i;

	ASSERT_EQ(0, kvmirqx_assign(self->ctx, self->fd, &self->a, &options));
	for (i = 0; i <= THREADS; i++) {
		threads[i] = (struct thread){
			.self = self,
			.nr = i,
			.rounds = irqx_iterations(100, 20000),
			.stop = &stop,
		};
		ASSERT_EQ(0, pthread_create(&threads[i].id, NULL,
					    i < THREADS ? work_in_thread : list_in_thread,
					    &threads[i]));
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i].id, NULL);
		EXPECT_EQ(NULL, threads[i].failed)
			TH_LOG("thread %u, round %lu: %s", i, threads[i].done, threads[i].failed);
	}
	WRITE_ONCE(stop, true);
	pthread_join(threads[THREADS].id, NULL);
	EXPECT_EQ(NULL, threads[THREADS].failed) TH_LOG("%s", threads[THREADS].failed);
	EXPECT_LT(0, threads[THREADS].done);

	EXPECT_EQ(0, kvmirqx_get_state(self->ctx, self->fd));
	EXPECT_EQ(1, stats_of(self->ctx).irqfds);
	EXPECT_EQ(0, stats_of(self->ctx).gsis);
	irqx_settle(self->raw);
	irqx_fence(self->g);
	irqx_forget(self->g);
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);
}

static void *words_in_thread(void *arg)
{
	return (void *)(uintptr_t)kvmirqx_last_error_words(NULL, 0) + record().reason + !arg;
}

/* A thread that has called nothing has no record. */
TEST_F(lib, records_are_threads)
{
	pthread_t id;
	void *words;

	REFUSED(kvmirqx_mask(self->ctx, self->fd), ENOENT, FD, NOT_BOUND);
	ASSERT_EQ(0, pthread_create(&id, NULL, words_in_thread, self));
	pthread_join(id, &words);
	EXPECT_EQ(NULL, words);
	EXPECT_EQ(KVM_IRQX_REASON_NOT_BOUND, record().reason);
	/* What only asks the library leaves it alone. */
	EXPECT_EQ(1, kvmirqx_has(self->ctx, 0));
	EXPECT_EQ(KVMIRQX_VERSION, kvmirqx_version());
	EXPECT_STREQ("fd", kvmirqx_arg_name(record().arg));
	EXPECT_STREQ("not bound here", kvmirqx_reason_words(record().reason));
	WORDS("KVM_IRQX_MASK: fd: not bound here (ENOENT)");
}

/*
 * Processes and users
 */

static int in_other_process(void *arg)
{
	FIXTURE_DATA(lib) *self = arg;

	struct kvmirqx *ctx;

	irqx_drop_sys_admin();
	if (not_with(self->ctx, EPERM, EBUSY))
		return 1;
	if (kvmirqx_open(&ctx) || kvmirqx_attach(ctx, self->g->vm->fd) != -EPERM)
		return 3;
	if (!kvmirqx_has(self->ctx, KVM_IRQX_FEATURE_MSI) ||
	    info_of(self->ctx).abi != KVM_IRQX_ABI_VERSION ||
	    kvmirqx_fd(self->ctx) != self->raw)
		return 2;
	return kvmirqx_close(self->ctx);
}

TEST_F(lib, other_process_eperm)
{
	prepare_calls(self);
	EXPECT_EQ(0, kvmirqx_assign(self->ctx, self->fd, &self->a, NULL));
	EXPECT_EQ(0, irqx_in_child(in_other_process, self));
	EXPECT_EQ(1, stats_of(self->ctx).irqfds);
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);
}

#define USER	54321
#define GROUP	54322

/* Whom the nodes belong to while @group may use them. */
static void give_nodes(gid_t group, struct stat *before)
{
	static const char * const nodes[] = { "/dev/kvm", "/dev/kvm-irqx" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nodes); i++) {
		TEST_ASSERT(group == GROUP ? !stat(nodes[i], &before[i]) : true, "stat");
		TEST_ASSERT(!chown(nodes[i], 0, group == GROUP ? group : before[i].st_gid) &&
			    !chmod(nodes[i], group == GROUP ? 0660 : before[i].st_mode & 07777),
			    "%s: %s", nodes[i], strerror(errno));
	}
}

static int become(const gid_t *groups, size_t nr)
{
	return setgroups(nr, groups) || setresgid(USER, USER, USER) ||
	       setresuid(USER, USER, USER);
}

static int as_nobody(void *arg)
{
	struct kvmirqx *ctx = arg;

	return become(NULL, 0) ? 100 : -kvmirqx_open(&ctx);
}

/* A VMM of a user in that group, with no capability. */
static int as_user(void *arg)
{
	FIXTURE_DATA(lib) *self = arg;
	static const gid_t groups[] = { GROUP };
	struct kvm_irq_routing_entry entry = irqx_pin_entry(IRQX_IRQCHIP, 5);
	struct kvmirqx *ctx;
	struct kvm_vm *vm;

	if (become(groups, 1))
		return 100;
	vm = vm_create_barebones();
	irqx_irqchip_create(vm);
	if (kvmirqx_open(&ctx))
		return 1;
	with.vm = vm->fd;
	with.entry = entry;
	with.route = at_gsi(entry, GSI);
	/* This VM has no ITS. */
	with.no_tables = !IRQX_DROPS_DEVID;
	if (not_with(ctx, 0, 0))
		return 2;
	if (kvmirqx_assign(ctx, self->fd, &entry, NULL) || __irqx_fire(self->fd))
		return 3;
	if (stats_of(ctx).events - stats_of(ctx).unrouted < 1 || irqx_eventfd_take(self->fd))
		return 4;
	return kvmirqx_close(ctx);
}

TEST_F(lib, user_in_group)
{
	struct stat before[2];

	prepare_calls(self);
	give_nodes(GROUP, before);
	EXPECT_EQ(EACCES, irqx_in_child(as_nobody, NULL));
	EXPECT_EQ(0, irqx_in_child(as_user, self));
	give_nodes(0, before);
}

/*
 * Tables and dynirqs
 */

FIXTURE(lib_table) {
	struct irqx_guest *g;
	struct kvmirqx *ctx;
	int fd;
	struct irqx_table table;	/* of the guest's helpers */
};

FIXTURE_SETUP(lib_table)
{
	if (!irqx_takes_tables())
		SKIP(return, "no ITS");
	self->g = irqx_table_guest_create(2);
	ASSERT_EQ(0, kvmirqx_adopt(&self->ctx, dup(self->g->ctx)));
	self->fd = irqx_eventfd(0, 0);
	self->table = (struct irqx_table){
		.ctx = self->g->ctx,
		.entries = IRQX_TABLE_GPA,
	};
	irqx_guest_start(self->g);
}

FIXTURE_TEARDOWN(lib_table)
{
	if (!self->g)
		return;
	irqx_check(self->g);
	EXPECT_EQ(0, kvmirqx_close(self->ctx));
	irqx_guest_free(self->g);
}

static struct kvmirqx_table_options table_of(FIXTURE_DATA(lib_table) *self, uint32_t nr)
{
	struct kvmirqx_table_options options = KVMIRQX_TABLE_OPTIONS;

	self->table.nr = nr;
	self->table.pba = IRQX_TABLE_GPA + (nr * IRQX_ENTRY_SIZE + 0xfff) / 0x1000 * 0x1000;
	options.nr = nr;
	options.flags = IRQX_TABLE_ON;
	options.devid = irqx_table_devid();
	options.entries = self->table.entries;
	options.pba = self->table.pba;
	return options;
}

static struct kvmirqx_vectors vectors_of(uint32_t first, struct kvm_irqx_vector *vectors,
					 uint32_t nr)
{
	struct kvmirqx_vectors of = KVMIRQX_VECTORS;

	of.first = first;
	of.nr = nr;
	of.vectors = vectors;
	return of;
}

TEST_F(lib_table, table)
{
	struct kvmirqx_table_options options = table_of(self, 70);
	struct irqx_vector_message message = irqx_vector_message(self->g, 0, IRQ_A);
	struct kvm_irqx_vector some[2], vectors[70];
	struct kvmirqx_vectors all = vectors_of(0, vectors, 70), two = vectors_of(65, some, 2);
	struct kvm_irq_routing_entry entry;
	static const uint32_t handles[] = { 66, 66 };
	__u64 changed[2];
	int changefd = irqx_eventfd(0, 0);

	options.changefd = changefd;
	ASSERT_EQ(0, kvmirqx_table_create(self->ctx, &options, &self->table.id));
	entry = irqx_vector_entry(&self->table, 66);
	EXPECT_EQ(0, kvmirqx_assign(self->ctx, self->fd, &entry, NULL));
	irqx_vector_program(self->g, 0, &self->table, 66, message);
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);
	EXPECT_TRUE(irqx_eventfd_take(changefd));

	all.changed = changed;
	EXPECT_EQ(0, kvmirqx_table_get_state(self->ctx, self->table.id, &all));
	EXPECT_EQ(IRQX_TABLE_ON, all.function);
	EXPECT_EQ(0, changed[0]);
	EXPECT_EQ(4, changed[1]);
	EXPECT_EQ((uint32_t)message.address, vectors[66].address_lo);
	EXPECT_EQ(message.data, vectors[66].data);
	EXPECT_EQ(KVM_IRQX_VECTOR_BOUND, vectors[66].state);
	EXPECT_EQ(1, vectors[65].control);
	EXPECT_EQ(0, vectors[65].state);

	/* Function Mask: what comes is pending, and is sent when it goes. */
	EXPECT_EQ(0, kvmirqx_table_set(self->ctx, self->table.id,
				       IRQX_TABLE_ON | KVM_IRQX_TABLE_MASKED));
	irqx_fire(self->fd);
	EXPECT_EQ(0, kvmirqx_raise(self->ctx, self->table.id, 66));
	EXPECT_EQ(0, kvmirqx_raise(self->ctx, self->table.id, 65));
	EXPECT_EQ(0, kvmirqx_raise_many(self->ctx, self->table.id, handles, 2));
	EXPECT_EQ(0, kvmirqx_table_get_state(self->ctx, self->table.id, &two));
	EXPECT_EQ(IRQX_TABLE_ON | KVM_IRQX_TABLE_MASKED, two.function);
	EXPECT_EQ(KVM_IRQX_VECTOR_PENDING, some[0].state);
	EXPECT_EQ(KVM_IRQX_VECTOR_PENDING | KVM_IRQX_VECTOR_BOUND, some[1].state);
	EXPECT_EQ(MASKED | PENDING, kvmirqx_get_state(self->ctx, self->fd));
	/* A device takes an event back. */
	some[0].state = 0;
	two.function = 0;
	two.flags = KVM_IRQX_TABLE_STATE_KEEP_ENTRIES;
	EXPECT_EQ(0, kvmirqx_table_set_state(self->ctx, self->table.id, &two));
	EXPECT_EQ(0, kvmirqx_table_set(self->ctx, self->table.id, IRQX_TABLE_ON));
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_check(self->g);

	/* The VMM does what the guest would: it masks, and sends elsewhere what comes meanwhile. */
	some[1].control = 1;
	some[1].state = KVM_IRQX_VECTOR_PENDING;
	two.flags = 0;
	EXPECT_EQ(0, kvmirqx_table_set_state(self->ctx, self->table.id, &two));
	message = irqx_vector_message(self->g, 1, IRQ_B);
	some[1].address_lo = message.address;
	some[1].address_hi = message.address >> 32;
	some[1].data = message.data;
	some[1].control = 0;
	two.flags = KVM_IRQX_TABLE_STATE_KEEP_PENDING | KVM_IRQX_TABLE_STATE_FUNCTION;
	two.function = IRQX_TABLE_ON;
	EXPECT_EQ(0, kvmirqx_table_set_state(self->ctx, self->table.id, &two));
	irqx_expect(self->g, 1, IRQ_B, 1);
	irqx_check(self->g);

	/* The guest finds it where it has moved the BAR. */
	self->table.entries += 0x10000;
	self->table.pba += 0x10000;
	EXPECT_EQ(0, kvmirqx_table_move(self->ctx, self->table.id, self->table.entries,
					self->table.pba));
	message = irqx_vector_message(self->g, 0, IRQ_A);
	irqx_vector_program(self->g, 1, &self->table, 66, message);
	irqx_fire_at(self->g, self->fd, 0, IRQ_A);

	REFUSED(kvmirqx_table_destroy(self->ctx, self->table.id), EBUSY, TABLE, VECTORS_BOUND);
	WORDS("KVM_IRQX_TABLE: table: something leads to its vectors (EBUSY)");
	REFUSED(kvmirqx_mask(self->ctx, self->fd), EINVAL, FD, OF_VECTOR);
	EXPECT_EQ(0, kvmirqx_deassign(self->ctx, self->fd));
	EXPECT_EQ(0, kvmirqx_table_destroy(self->ctx, self->table.id));
	REFUSED(kvmirqx_table_destroy(self->ctx, self->table.id), ENOENT, TABLE, NO_TABLE);
	close(changefd);
}

TEST_F(lib_table, table_errors)
{
	struct kvmirqx_table_options good = table_of(self, 4), options = good;
	struct kvm_irqx_vector vectors[4];
	struct kvmirqx_vectors state = vectors_of(0, vectors, 4);
	struct kvm_irqx_dynirq_header header = { .argsz = sizeof(header) };
	uint32_t max_batch = info_of(self->ctx).max_batch;
	uint32_t id = 77, other = 77, *handles = calloc(max_batch + 1, 4);
	char big[4 * KVM_IRQX_VECTOR_SIZE_MAX];
	__u64 changed[1];
	uint32_t size;

	FAILS(kvmirqx_table_create(self->ctx, NULL, &id), EINVAL);
	FAILS(kvmirqx_table_create(self->ctx, &good, NULL), EINVAL);
	options.size--;
	FAILS(kvmirqx_table_create(self->ctx, &options, &id), EINVAL);
	options = good;
	options.pad = 1;
	REFUSED(kvmirqx_table_create(self->ctx, &options, &id), EINVAL, PAD, NOT_ZERO);
	options = good;
	options.flags = 1U << 31;
	REFUSED(kvmirqx_table_create(self->ctx, &options, &id), ENOTSUP, FLAGS, UNKNOWN_FLAG);
	options = good;
	options.nr = 0;
	REFUSED(kvmirqx_table_create(self->ctx, &options, &id), EINVAL, NR, OUT_OF_RANGE);
	options.nr = KVM_IRQX_MAX_VECTORS + 1;
	REFUSED(kvmirqx_table_create(self->ctx, &options, &id), EINVAL, NR, OUT_OF_RANGE);
	options = good;
	options.entries += 4;
	REFUSED(kvmirqx_table_create(self->ctx, &options, &id), EINVAL, ENTRIES, NOT_ALIGNED);
	options = good;
	options.pba += 4;
	REFUSED(kvmirqx_table_create(self->ctx, &options, &id), EINVAL, PBA, NOT_ALIGNED);
	options.pba = options.entries;
	EXPECT_EQ(-EINVAL, kvmirqx_table_create(self->ctx, &options, &id));
	EXPECT_EQ(KVM_IRQX_REASON_OVERLAP, record().reason);
	options = good;
	options.changefd = 500;
	REFUSED(kvmirqx_table_create(self->ctx, &options, &id), EBADF, CHANGEFD, NOT_OPEN);
	options.changefd = self->g->vm->fd;
	REFUSED(kvmirqx_table_create(self->ctx, &options, &id), EINVAL, CHANGEFD, NOT_AN_EVENTFD);
	EXPECT_EQ(77, id);

	EXPECT_EQ(0, kvmirqx_table_create(self->ctx, &good, &id));
	EXPECT_EQ(-EEXIST, kvmirqx_table_create(self->ctx, &good, &other));
	EXPECT_EQ(KVM_IRQX_REASON_OVERLAP, record().reason);
	EXPECT_EQ(77, other);
	REFUSED(kvmirqx_table_move(self->ctx, id, good.entries + 4, good.pba), EINVAL, ENTRIES,
		NOT_ALIGNED);
	REFUSED(kvmirqx_table_move(self->ctx, id + 1, good.entries, good.pba), ENOENT, TABLE,
		NO_TABLE);
	REFUSED(kvmirqx_table_set(self->ctx, id, 1U << 31), ENOTSUP, FLAGS, UNKNOWN_FLAG);
	REFUSED(kvmirqx_table_set(self->ctx, id + 1, 0), ENOENT, TABLE, NO_TABLE);
	REFUSED(kvmirqx_raise(self->ctx, id, 4), EINVAL, HANDLE, OUT_OF_RANGE);
	REFUSED(kvmirqx_raise(self->ctx, id + 1, 0), ENOENT, TABLE, NO_TABLE);
	REFUSED(kvmirqx_raise_many(self->ctx, id, handles, 0), EINVAL, NR, OUT_OF_RANGE);
	REFUSED(kvmirqx_raise_many(self->ctx, id, handles, max_batch + 1), EINVAL, NR,
		OUT_OF_RANGE);
	handles[2] = 4;
	REFUSED(kvmirqx_raise_many(self->ctx, id, handles, 3), EINVAL, HANDLE, OUT_OF_RANGE);
	EXPECT_EQ(2, record().index);
	FAILS(kvmirqx_raise_many(self->ctx, id, NULL, 1), EFAULT);
	free(handles);

	FAILS(kvmirqx_table_get_state(self->ctx, id, NULL), EINVAL);
	FAILS(kvmirqx_table_set_state(self->ctx, id, NULL), EINVAL);
	state.size--;
	FAILS(kvmirqx_table_get_state(self->ctx, id, &state), EINVAL);
	state.size++;
	REFUSED(kvmirqx_table_get_state(self->ctx, id + 1, &state), ENOENT, TABLE, NO_TABLE);
	state.first = 1;
	EXPECT_EQ(-EINVAL, kvmirqx_table_get_state(self->ctx, id, &state));
	EXPECT_EQ(KVM_IRQX_REASON_OUT_OF_RANGE, record().reason);
	state.first = 0;
	state.header = &header;
	REFUSED(kvmirqx_table_get_state(self->ctx, id, &state), EINVAL, HEADER, NOT_A_DYNIRQ);
	state.header = NULL;
	EXPECT_EQ(0, kvmirqx_table_get_state(self->ctx, id, &state));
	/* What GET has filled in is for SET with FUNCTION. */
	EXPECT_EQ(IRQX_TABLE_ON, state.function);
	REFUSED(kvmirqx_table_set_state(self->ctx, id, &state), EINVAL, FUNCTION, NOT_ZERO);
	state.function = 0;
	state.changed = changed;
	REFUSED(kvmirqx_table_set_state(self->ctx, id, &state), EINVAL, CHANGED, NOT_ZERO);
	state.changed = NULL;
	state.flags = KVM_IRQX_TABLE_STATE_KEEP_ENTRIES | KVM_IRQX_TABLE_STATE_KEEP_PENDING;
	REFUSED(kvmirqx_table_set_state(self->ctx, id, &state), EINVAL, FLAGS, FLAGS_CONFLICT);
	state.flags = 1U << 31;
	REFUSED(kvmirqx_table_set_state(self->ctx, id, &state), ENOTSUP, FLAGS, UNKNOWN_FLAG);
	REFUSED(kvmirqx_table_get_state(self->ctx, id, &state), ENOTSUP, FLAGS, UNKNOWN_FLAG);
	state.flags = 0;
	vectors[3].state = 1U << 31;
	EXPECT_EQ(-EINVAL, kvmirqx_table_set_state(self->ctx, id, &state));
	EXPECT_EQ(KVM_IRQX_ARG_STATE, record().arg);
	EXPECT_EQ(3, record().index);

	/* A program with another struct kvm_irqx_vector. */
	state.vectors = (void *)big;
	for (size = KVM_IRQX_VECTOR_SIZE_MIN; size <= KVM_IRQX_VECTOR_SIZE_MAX; size += 8) {
		state.vector_size = size;
		memset(big, 0x5a, sizeof(big));
		ASSERT_EQ(0, kvmirqx_table_get_state(self->ctx, id, &state));
		state.function = 0;
		ASSERT_EQ(0, kvmirqx_table_set_state(self->ctx, id, &state));
	}
	big[4 * KVM_IRQX_VECTOR_SIZE_MAX - 1] = 1;
	EXPECT_EQ(-ENOTSUP, kvmirqx_table_set_state(self->ctx, id, &state));
	EXPECT_EQ(KVM_IRQX_REASON_UNKNOWN_FIELD, record().reason);
	state.vector_size = KVM_IRQX_VECTOR_SIZE_MAX + 8;
	REFUSED(kvmirqx_table_get_state(self->ctx, id, &state), EINVAL, VECTOR_SIZE, OUT_OF_RANGE);
	EXPECT_EQ(0, kvmirqx_table_destroy(self->ctx, id));
}

static struct kvmirqx_table_options dynirq_of(uint32_t nr)
{
	struct kvmirqx_table_options options = KVMIRQX_TABLE_OPTIONS;

	options.nr = nr;
	options.flags = KVM_IRQX_TABLE_DECODES;
	options.devid = irqx_table_devid();
	options.entries = IRQX_TABLE_GPA;
	return options;
}

TEST_F(lib_table, dynirq)
{
	struct kvmirqx_table_options options = dynirq_of(100);
	struct kvm_irqx_dynirq_header header = { .argsz = sizeof(header) };
	struct kvm_irqx_vector vectors[8];
	struct kvmirqx_vectors state = vectors_of(0, vectors, 8);
	struct kvm_irq_routing_entry entry;
	uint32_t *id = &self->table.id;
	char label[KVM_IRQX_LABEL_SIZE + 1];
	static const char longest[] = "31 bytes of label, all there is";
	static const uint32_t both[] = { 1, 7 };

	ASSERT_EQ(0, kvmirqx_dynirq_create(self->ctx, &options, id));
	self->table.nr = options.nr;
	EXPECT_EQ(1, kvmirqx_handle_alloc(self->ctx, *id, KVM_IRQX_ANY_HANDLE, "net"));
	EXPECT_EQ(7, kvmirqx_handle_alloc(self->ctx, *id, 7, "disk"));
	EXPECT_EQ(0, kvmirqx_handle_get_label(self->ctx, *id, 7, label, sizeof(label)));
	EXPECT_STREQ("disk", label);
	EXPECT_EQ(0, kvmirqx_handle_set_label(self->ctx, *id, 7, longest));
	EXPECT_EQ(0, kvmirqx_handle_get_label(self->ctx, *id, 7, label, KVM_IRQX_LABEL_SIZE));
	EXPECT_STREQ(longest, label);
	entry = irqx_vector_entry(&self->table, 7);
	EXPECT_EQ(0, kvmirqx_assign(self->ctx, self->fd, &entry, NULL));

	irqx_dynirq_attach(self->g, 0, &self->table);
	irqx_handle_map(self->g, 0, &self->table, 7, irqx_vector_message(self->g, 1, IRQ_B));
	irqx_handle_map(self->g, 0, &self->table, 1, irqx_vector_message(self->g, 0, IRQ_A));
	irqx_fire_at(self->g, self->fd, 1, IRQ_B);
	EXPECT_EQ(0, kvmirqx_raise(self->ctx, *id, 1));
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_check(self->g);
	EXPECT_EQ(0, kvmirqx_raise_many(self->ctx, *id, both, 2));
	irqx_expect(self->g, 0, IRQ_A, 1);
	irqx_expect(self->g, 1, IRQ_B, 1);
	irqx_check(self->g);

	state.header = &header;
	EXPECT_EQ(0, kvmirqx_table_get_state(self->ctx, *id, &state));
	EXPECT_EQ(KVM_IRQX_TABLE_DECODES, state.function);
	EXPECT_EQ(KVM_IRQX_VECTOR_BOUND | KVM_IRQX_VECTOR_LABEL_CHANGED, vectors[7].state);
	EXPECT_EQ(sizeof(header), header.argsz);
	EXPECT_NE(0, header.instance);
	state.function = 0;
	EXPECT_EQ(0, kvmirqx_table_set_state(self->ctx, *id, &state));
	EXPECT_EQ(0, kvmirqx_table_set(self->ctx, *id, 0));
	EXPECT_EQ(0, kvmirqx_table_move(self->ctx, *id, IRQX_TABLE_GPA + 0x10000, 0));

	REFUSED(kvmirqx_handle_free(self->ctx, *id, 7), EBUSY, HANDLE, VECTORS_BOUND);
	EXPECT_EQ(0, kvmirqx_deassign(self->ctx, self->fd));
	EXPECT_EQ(0, kvmirqx_handle_free(self->ctx, *id, 7));
	EXPECT_EQ(0, kvmirqx_handle_free(self->ctx, *id, 1));
	EXPECT_EQ(1, kvmirqx_handle_alloc(self->ctx, *id, KVM_IRQX_ANY_HANDLE, "again"));
	EXPECT_EQ(0, kvmirqx_table_destroy(self->ctx, *id));
}

TEST_F(lib_table, dynirq_errors)
{
	struct kvmirqx_table_options options = dynirq_of(3), other = table_of(self, 2);
	char label[KVM_IRQX_LABEL_SIZE];
	static const char longer[] = "0123456789012345678901234567890123456789";
	uint32_t id, table;

	options.pba = 8;
	REFUSED(kvmirqx_dynirq_create(self->ctx, &options, &id), EINVAL, PBA, NOT_ZERO);
	options = dynirq_of(KVM_IRQX_MAX_HANDLES + 1);
	REFUSED(kvmirqx_dynirq_create(self->ctx, &options, &id), EINVAL, NR, OUT_OF_RANGE);
	options = dynirq_of(3);
	options.entries += 8;
	REFUSED(kvmirqx_dynirq_create(self->ctx, &options, &id), EINVAL, ENTRIES, NOT_ALIGNED);
	options = dynirq_of(3);
	options.flags |= KVM_IRQX_TABLE_ENABLED;
	EXPECT_EQ(-EINVAL, kvmirqx_dynirq_create(self->ctx, &options, &id));
	EXPECT_EQ(KVM_IRQX_ARG_FLAGS, record().arg);
	options = dynirq_of(3);
	ASSERT_EQ(0, kvmirqx_dynirq_create(self->ctx, &options, &id));

	REFUSED(kvmirqx_handle_alloc(self->ctx, id, 1, NULL), EINVAL, LABEL, OUT_OF_RANGE);
	REFUSED(kvmirqx_handle_alloc(self->ctx, id, 1, ""), EINVAL, LABEL, OUT_OF_RANGE);
	REFUSED(kvmirqx_handle_alloc(self->ctx, id, 1, longer), EINVAL, LABEL, OUT_OF_RANGE);
	REFUSED(kvmirqx_handle_alloc(self->ctx, id, 1, longer + 8), EINVAL, LABEL, OUT_OF_RANGE);
	REFUSED(kvmirqx_handle_alloc(self->ctx, id, 3, "net"), EINVAL, HANDLE, OUT_OF_RANGE);
	REFUSED(kvmirqx_handle_alloc(self->ctx, id, 0, "net"), EBUSY, HANDLE, OWNED);
	REFUSED(kvmirqx_handle_alloc(self->ctx, id + 1, 1, "net"), ENOENT, TABLE, NO_TABLE);
	EXPECT_EQ(1, kvmirqx_handle_alloc(self->ctx, id, 1, longer + 9));
	REFUSED(kvmirqx_handle_alloc(self->ctx, id, 1, "net"), EBUSY, HANDLE, OWNED);
	REFUSED(kvmirqx_handle_set_label(self->ctx, id, 2, "net"), ENOENT, HANDLE, NOT_OWNED);
	REFUSED(kvmirqx_handle_set_label(self->ctx, id, 1, ""), EINVAL, LABEL, OUT_OF_RANGE);
	REFUSED(kvmirqx_handle_get_label(self->ctx, id, 2, label, sizeof(label)), ENOENT, HANDLE,
		NOT_OWNED);
	REFUSED(kvmirqx_handle_get_label(self->ctx, id, 1, label, sizeof(label) - 1), EINVAL,
		LABEL, TOO_SMALL);
	REFUSED(kvmirqx_handle_get_label(self->ctx, id, 1, NULL, sizeof(label)), EINVAL, LABEL,
		TOO_SMALL);
	REFUSED(kvmirqx_handle_free(self->ctx, id, 2), ENOENT, HANDLE, NOT_OWNED);
	REFUSED(kvmirqx_handle_free(self->ctx, id, 0), EINVAL, HANDLE, OF_DYNIRQ);
	EXPECT_EQ(2, kvmirqx_handle_alloc(self->ctx, id, KVM_IRQX_ANY_HANDLE, "last"));
	REFUSED(kvmirqx_handle_alloc(self->ctx, id, KVM_IRQX_ANY_HANDLE, "net"), ENOSPC, TABLE,
		LIMIT);
	WORDS("KVM_IRQX_HANDLE: table: limit reached (ENOSPC)");

	other.entries += 0x100000;
	other.pba += 0x100000;
	ASSERT_EQ(0, kvmirqx_table_create(self->ctx, &other, &table));
	REFUSED(kvmirqx_handle_alloc(self->ctx, table, 1, "net"), EINVAL, TABLE, NOT_A_DYNIRQ);
	/* With what is to tell the guest of labels. */
	EXPECT_EQ(0, kvmirqx_table_destroy(self->ctx, id));
}

/* Those of a guest with tables; that of the others does the same. */
void irqx_guest_wait(void)
{
	irqx_table_guest();
}

void irqx_vcpu_exit(struct irqx_vcpu *v)
{
	irqx_table_exit(v);
}

TEST_HARNESS_MAIN

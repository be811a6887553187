// SPDX-License-Identifier: GPL-2.0
/*
 * Every error of the contract that can be provoked from userspace, by name.
 * The teardown of each test shows that the failed calls have changed nothing.
 *
 * What is about resamplefds and SINTs is in level_test and synic_test, what only
 * one architecture has, in its directory.
 *
 * Not here: EINTR (only a killed task gets it), ENOMEM, and ENOSPC of ATTACH (no
 * VM has 64 interrupt sources).  ENOSPC of irqfds is in lifetime_test, which
 * sets the limit.
 */
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "irqx_util.h"
#include "irqx_harness.h"

#define DIRECT_IRQ	0x40
#define ROUTED_IRQ	0x41
#define OTHER_IRQ	0x50
#define ROUTED_GSI	5

FIXTURE(negative)
{
	struct irqx_guest *g;
	int ctx;
	int direct;		/* an eventfd with its own entry */
	int routed;		/* one on ROUTED_GSI */
	int spare;		/* one that is not bound */
	int closed;
	uint32_t max_gsi;
	struct kvm_irq_routing_entry entry;	/* a good one */
	struct kvm_irqx_stats before;
};

FIXTURE_SETUP(negative)
{
	self->g = irqx_guest_create(1);
	self->ctx = self->g->ctx;
	self->direct = irqx_eventfd(0, 0);
	self->routed = irqx_eventfd(0, 0);
	self->spare = irqx_eventfd(0, 0);
	/* A number that nobody gets again. */
	self->closed = fcntl(self->spare, F_DUPFD, 500);
	close(self->closed);
	self->max_gsi = irqx_info(self->ctx).max_gsi;
	self->entry = irqx_entry(self->g, 0, OTHER_IRQ);

	irqx_bind(self->ctx, self->direct, irqx_entry(self->g, 0, DIRECT_IRQ));
	irqx_route_set(self->ctx, ROUTED_GSI,
		       irqx_entry(self->g, 0, ROUTED_IRQ));
	irqx_irqfd(self->ctx, self->routed, ROUTED_GSI, 0);
	irqx_guest_start(self->g);
	self->before = irqx_stats(self->ctx);
}

FIXTURE_TEARDOWN(negative)
{
	struct kvm_irqx_stats after = irqx_stats(self->ctx);

	EXPECT_EQ(0, memcmp(&after, &self->before, sizeof(after)));

	/* Whoever had been bound by mistake would be heard now. */
	irqx_fire(self->spare);
	irqx_fire(self->direct);
	irqx_fire(self->routed);
	irqx_expect(self->g, 0, DIRECT_IRQ, 1);
	irqx_expect(self->g, 0, ROUTED_IRQ, 1);
	irqx_check(self->g);
	EXPECT_EQ(1, irqx_eventfd_take(self->spare));

	irqx_guest_free(self->g);
}

/*
 * All calls, with arguments that work on a context that is attached (ATTACH: is
 * not) and has no state.
 */
/* Has no route in any context. */
#define NO_GSI	5

static const struct call {
	const char *name;
	unsigned long cmd;
	size_t size;
	bool writes;		/* into its argument */
	int err;		/* what it says when nothing is wrong with that */
} calls[] = {
	{ "GET_INFO", KVM_IRQX_GET_INFO, sizeof(struct kvm_irqx_info), true, 0 },
	{ "ATTACH", KVM_IRQX_ATTACH, sizeof(struct kvm_irqx_attach), false, 0 },
	{ "GET_STATS", KVM_IRQX_GET_STATS, sizeof(struct kvm_irqx_stats), true, 0 },
	{ "DIRECT", KVM_IRQX_IRQFD_DIRECT, sizeof(struct kvm_irqx_irqfd_direct), false, 0 },
	{ "BATCH", KVM_IRQX_BATCH, sizeof(struct kvm_irqx_batch), true, 0 },
	{ "MASK", KVM_IRQX_MASK, sizeof(struct kvm_irqx_mask), false, ENOENT },
	{ "GET_STATE", KVM_IRQX_GET_STATE, sizeof(struct kvm_irqx_get_state), true,
	  ENOENT },
	{ "TABLE", KVM_IRQX_TABLE, sizeof(struct kvm_irqx_table), true, 0 },
	/* There is no such table, also if TABLE has made one. */
	{ "GET_TABLE", KVM_IRQX_GET_TABLE, sizeof(struct kvm_irqx_table_state), false,
	  ENOENT },
	{ "SET_TABLE", KVM_IRQX_SET_TABLE, sizeof(struct kvm_irqx_table_state), false,
	  ENOENT },
	{ "LIST", KVM_IRQX_LIST, sizeof(struct kvm_irqx_list), true, 0 },
	{ "SET_GSI_ROUTING", KVM_SET_GSI_ROUTING, sizeof(struct kvm_irq_routing) +
	  sizeof(struct kvm_irq_routing_entry), false, 0 },
	{ "IRQFD", KVM_IRQFD, sizeof(struct kvm_irqfd), false, 0 },
	{ "IRQ_LINE", KVM_IRQ_LINE, sizeof(struct kvm_irq_level), false, 0 },
	{ "IRQ_LINE_STATUS", KVM_IRQ_LINE_STATUS, sizeof(struct kvm_irq_level), true, 0 },
	{ "SYNIC_PAGE", KVM_IRQX_SYNIC_PAGE, sizeof(struct kvm_irqx_synic_page),
	  false, 0 },
};

/* The last one is of a feature that not all have. */
#define NR_CALLS	(ARRAY_SIZE(calls) - !IRQX_HAS_SYNIC)

#define for_each_call(call)	\
	for (call = calls; call < calls + NR_CALLS; call++)

static void call_fill(const struct call *call, void *arg,
		      FIXTURE_DATA(negative) *self)
{
	memset(arg, 0, call->size);
	switch (call->cmd) {
	case KVM_IRQX_GET_INFO:
	case KVM_IRQX_GET_STATS:
		*(uint32_t *)arg = call->size;
		break;
	case KVM_IRQX_ATTACH:
		*(struct kvm_irqx_attach *)arg = (struct kvm_irqx_attach){
			.vm_fd = self->g->vm->fd,
		};
		break;
	case KVM_IRQX_IRQFD_DIRECT:
		*(struct kvm_irqx_irqfd_direct *)arg = (struct kvm_irqx_irqfd_direct){
			.fd = self->spare,
			.entry = self->entry,
		};
		break;
	case KVM_IRQX_BATCH: {
		static struct kvm_irqx_op op;

		op = (struct kvm_irqx_op){
			.op = KVM_IRQX_OP_ROUTE_SET,
			.entry = self->entry,
		};
		*(struct kvm_irqx_batch *)arg = irqx_batch_of(&op, 1);
		break;
	}
	case KVM_IRQX_MASK:
		*(struct kvm_irqx_mask *)arg = (struct kvm_irqx_mask){
			.fd = KVM_IRQX_NO_FD,
			.gsi = NO_GSI,
			.flags = KVM_IRQX_MASK_CLEAR,
		};
		break;
	case KVM_IRQX_GET_STATE: {
		static struct kvm_irqx_target_state state;

		state = (struct kvm_irqx_target_state){
			.fd = KVM_IRQX_NO_FD,
			.gsi = NO_GSI,
		};
		*(struct kvm_irqx_get_state *)arg = (struct kvm_irqx_get_state){
			.nr = 1,
			.state_size = sizeof(state),
			.states = (uintptr_t)&state,
		};
		break;
	}
	case KVM_IRQX_TABLE:
		*(struct kvm_irqx_table *)arg = (struct kvm_irqx_table){
			.op = KVM_IRQX_TABLE_CREATE,
			.flags = KVM_IRQX_TABLE_DECODES,
			.nr = 1,
			.changefd = KVM_IRQX_NO_FD,
			.entries = 1ULL << 32,
			.pba = 1ULL << 33,
		};
		break;
	case KVM_IRQX_GET_TABLE:
	case KVM_IRQX_SET_TABLE: {
		static struct kvm_irqx_vector vector;

		*(struct kvm_irqx_table_state *)arg = (struct kvm_irqx_table_state){
			.version = KVM_IRQX_TABLE_STATE_VERSION,
			.table = 1,
			.nr = 1,
			.vector_size = sizeof(vector),
			.vectors = (uintptr_t)&vector,
		};
		break;
	}
	case KVM_IRQX_LIST: {
		static struct kvm_irqx_binding binding;

		*(struct kvm_irqx_list *)arg = (struct kvm_irqx_list){
			.nr = 1,
			.binding_size = sizeof(binding),
			.bindings = (uintptr_t)&binding,
		};
		break;
	}
	case KVM_SET_GSI_ROUTING: {
		struct kvm_irq_routing *table = arg;

		table->nr = 1;
		table->entries[0] = self->entry;
		break;
	}
	case KVM_IRQFD:
		*(struct kvm_irqfd *)arg = (struct kvm_irqfd){
			.fd = self->spare,
		};
		break;
	case KVM_IRQ_LINE:
	case KVM_IRQ_LINE_STATUS:
		*(struct kvm_irq_level *)arg = (struct kvm_irq_level){
			.level = 1,
		};
		break;
	case KVM_IRQX_SYNIC_PAGE:
		*(struct kvm_irqx_synic_page *)arg = (struct kvm_irqx_synic_page){
			.flags = KVM_IRQX_SYNIC_PAGE_ENABLED,
			.gpa = 0x1000,
		};
		break;
	}
}

/* A context for @call to work on. */
static int call_context(const struct call *call, FIXTURE_DATA(negative) *self)
{
	return call->cmd == KVM_IRQX_ATTACH ? irqx_open() :
					      irqx_context(self->g->vm);
}

static bool context_is_empty(int ctx)
{
	struct kvm_irqx_stats stats;

	return __irqx_stats(ctx, &stats) == ENOTCONN ||
	       (!stats.events && !stats.irqfds && !stats.gsis);
}

/*
 * Of every context
 */

TEST_F(negative, unknown_ioctl_enotty)
{
	static const unsigned long cmds[] = {
		_IO(KVMIO, 0xff),
		_IOWR(KVMIO, 0xf5, struct kvm_irqx_batch),
		/* ours, with another size */
		_IOWR(KVMIO, 0xf0, char),
		_IOW(KVMIO, 0xf3, struct kvm_irqfd),
		/* ours, in another direction */
		_IO(KVMIO, 0xf1),
		_IOR(KVMIO, 0xf3, struct kvm_irqx_irqfd_direct),
		/* KVM's, but not ours */
		KVM_GET_API_VERSION,
		KVM_CREATE_VM,
		KVM_CHECK_EXTENSION,
		KVM_RUN,
		KVM_CREATE_IRQCHIP,
		KVM_SIGNAL_MSI,
		KVM_IOEVENTFD,
		/* terminals ask everything for this */
		0x5401,
		0,
		~0UL,
	};
	int unattached = irqx_open();
	uint64_t arg[64] = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		EXPECT_EQ(ENOTTY, __irqx_ioctl(self->ctx, cmds[i], arg))
			TH_LOG("0x%lx", cmds[i]);
		EXPECT_EQ(ENOTTY, __irqx_ioctl(unattached, cmds[i], arg))
			TH_LOG("0x%lx", cmds[i]);
	}
	if (!(irqx_info(self->ctx).features & KVM_IRQX_FEATURE_EVENT_FLAG)) {
		EXPECT_FALSE(IRQX_HAS_SYNIC);
		EXPECT_EQ(ENOTTY, __irqx_ioctl(self->ctx, KVM_IRQX_SYNIC_PAGE, arg));
	}
	close(unattached);
}

TEST_F(negative, not_attached_enotconn)
{
	int ctx = irqx_open();
	const struct call *call;
	uint64_t arg[64];

	for_each_call(call) {
		if (call->cmd == KVM_IRQX_GET_INFO ||
		    call->cmd == KVM_IRQX_ATTACH)
			continue;
		call_fill(call, arg, self);
		EXPECT_EQ(ENOTCONN, __irqx_ioctl(ctx, call->cmd, arg))
			TH_LOG("%s", call->name);
		/* It comes before all that is said about the argument. */
		EXPECT_EQ(ENOTCONN, __irqx_ioctl(ctx, call->cmd, NULL))
			TH_LOG("%s", call->name);
	}
	EXPECT_EQ(KVM_IRQX_ABI_VERSION, irqx_info(ctx).abi);

	EXPECT_EQ(0, __irqx_attach(ctx, self->g->vm->fd));
	for_each_call(call) {
		if (call->cmd == KVM_IRQX_ATTACH || call->cmd == KVM_IRQFD ||
		    call->cmd == KVM_IRQ_LINE ||
		    call->cmd == KVM_IRQ_LINE_STATUS)
			continue;
		call_fill(call, arg, self);
		EXPECT_EQ(call->err, __irqx_ioctl(ctx, call->cmd, arg))
			TH_LOG("%s", call->name);
	}
	close(ctx);
}

/*
 * ATTACH
 */

TEST_F(negative, attach_twice_ebusy)
{
	struct kvm_vm *other = vm_create_barebones();

	EXPECT_EQ(EBUSY, __irqx_attach(self->ctx, self->g->vm->fd));
	EXPECT_EQ(EBUSY, __irqx_attach(self->ctx, other->fd));
	kvm_vm_free(other);
}

TEST_F(negative, attach_closed_fd_ebadf)
{
	int ctx = irqx_open();

	EXPECT_EQ(EBADF, __irqx_attach(ctx, -1));
	EXPECT_EQ(EBADF, __irqx_attach(ctx, INT_MIN));
	EXPECT_EQ(EBADF, __irqx_attach(ctx, INT_MAX));
	EXPECT_EQ(EBADF, __irqx_attach(ctx, self->closed));
	EXPECT_EQ(0, __irqx_attach(ctx, self->g->vm->fd));
	close(ctx);
}

/* Neither a VM nor an eventfd. */
static void open_wrong_fds(int *fds)
{
	int pair[2];

	TEST_ASSERT(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	fds[0] = open("/proc/self/exe", O_RDONLY);
	fds[1] = pair[0];
	fds[2] = pair[1];
	fds[3] = timerfd_create(CLOCK_MONOTONIC, 0);
	fds[4] = open_kvm_dev_path_or_exit();
	fds[5] = irqx_open();
	fds[6] = open("/", O_PATH);
}

#define NR_WRONG_FDS	7

/* fget() does not see an O_PATH file. */
#define WRONG_FD_ERRNO(i)	((i) == 6 ? EBADF : EINVAL)

TEST_F(negative, attach_not_a_vm_einval)
{
	int ctx = irqx_open();
	int fds[NR_WRONG_FDS];
	int i;

	open_wrong_fds(fds);
	for (i = 0; i < NR_WRONG_FDS; i++) {
		EXPECT_EQ(WRONG_FD_ERRNO(i), __irqx_attach(ctx, fds[i]))
			TH_LOG("fd %d", i);
	}
	EXPECT_EQ(EINVAL, __irqx_attach(ctx, self->g->vcpus[0].vcpu->fd));
	EXPECT_EQ(EINVAL, __irqx_attach(ctx, self->spare));
	EXPECT_EQ(EINVAL, __irqx_attach(ctx, ctx));
	EXPECT_EQ(0, __irqx_attach(ctx, self->g->vm->fd));
	irqx_close_all(fds, NR_WRONG_FDS);
	close(ctx);
}

TEST_F(negative, attach_flags_einval)
{
	struct kvm_irqx_attach attach = { .vm_fd = self->g->vm->fd };
	int ctx = irqx_open();
	unsigned int i;
	int bit;

	for (bit = 0; bit < 32; bit++) {
		attach.flags = 1U << bit;
		EXPECT_EQ(EINVAL, __irqx_ioctl(ctx, KVM_IRQX_ATTACH, &attach));
	}
	attach.flags = 0;
	for (i = 0; i < ARRAY_SIZE(attach.pad); i++) {
		attach.pad[i] = 1U << 31;
		EXPECT_EQ(EINVAL, __irqx_ioctl(ctx, KVM_IRQX_ATTACH, &attach));
		attach.pad[i] = 0;
	}
	EXPECT_EQ(0, __irqx_ioctl(ctx, KVM_IRQX_ATTACH, &attach));
	close(ctx);
}

/*
 * Another process's VM
 */

struct other_process {
	FIXTURE_DATA(negative) *self;
	int contexts[ARRAY_SIZE(calls)];
	bool privileged;
};

static int call_all(void *arg)
{
	struct other_process *other = arg;
	uint64_t buf[64];
	int want, err;
	unsigned int i;

	if (!other->privileged)
		irqx_drop_sys_admin();

	for (i = 0; i < NR_CALLS; i++) {
		want = other->privileged ||
		       calls[i].cmd == KVM_IRQX_GET_INFO ? calls[i].err : EPERM;
		call_fill(&calls[i], buf, other->self);
		err = __irqx_ioctl(other->contexts[i], calls[i].cmd, buf);
		if (err != want) {
			ksft_print_msg("%s: %s\n", calls[i].name, strerror(err));
			return 1;
		}
		/* The same eventfd is bound twice. */
		if (!err && calls[i].cmd == KVM_IRQX_IRQFD_DIRECT)
			irqx_unbind(other->contexts[i], other->self->spare);
	}
	return 0;
}

TEST_F(negative, other_process_eperm)
{
	struct other_process other = { .self = self };
	unsigned int i;

	for (i = 0; i < NR_CALLS; i++)
		other.contexts[i] = call_context(&calls[i], self);
	EXPECT_EQ(0, irqx_in_child(call_all, &other));

	for (i = 0; i < NR_CALLS; i++) {
		EXPECT_TRUE(context_is_empty(other.contexts[i]))
			TH_LOG("%s", calls[i].name);
	}
	irqx_close_all(other.contexts, NR_CALLS);
}

TEST_F(negative, other_process_with_cap_sys_admin)
{
	struct other_process other = { .self = self, .privileged = true };
	unsigned int i;

	for (i = 0; i < NR_CALLS; i++)
		other.contexts[i] = call_context(&calls[i], self);
	EXPECT_EQ(0, irqx_in_child(call_all, &other));
	irqx_close_all(other.contexts, NR_CALLS);
}

/*
 * VMs that lack something
 */

TEST_F(negative, no_irqchip_eagain)
{
	struct kvm_vm *vm = vm_create_barebones();
	struct kvm_irqx_op ops[2] = {
		{ .op = KVM_IRQX_OP_ROUTE_DEL },
		{ .op = KVM_IRQX_OP_ROUTE_SET, .entry = self->entry },
	};
	int fd = irqx_eventfd(0, 0);
	int ctx = irqx_context(vm);
	uint32_t index = 77;

	EXPECT_EQ(EAGAIN, __irqx_bind(ctx, self->spare, self->entry));
	EXPECT_EQ(EAGAIN, __irqx_bind(ctx, self->spare,
				      irqx_pin_entry(IRQX_IRQCHIP, 4)));
	EXPECT_EQ(EAGAIN, __irqx_route_set(ctx, 0, self->entry));
	EXPECT_EQ(EAGAIN, __irqx_route_add(ctx, 0, self->entry));
	EXPECT_EQ(EAGAIN, __irqx_batch(ctx, ops, 2, &index));
	EXPECT_EQ(1, index);
	EXPECT_EQ(EAGAIN, __irqx_set_gsi_routing(ctx, &self->entry, 1));
	EXPECT_EQ(true, context_is_empty(ctx));

	/* What gives no entry works. */
	EXPECT_EQ(0, __irqx_irqfd(ctx, fd, 3, 0));
	EXPECT_EQ(0, __irqx_fire(fd));
	EXPECT_EQ(0, __irqx_irq_line(ctx, 3, 1));
	EXPECT_EQ(0, __irqx_route_del(ctx, 3));
	EXPECT_EQ(0, __irqx_set_gsi_routing(ctx, NULL, 0));
	EXPECT_EQ(1, irqx_stats(ctx).unrouted);
	EXPECT_EQ(0, __irqx_unbind(ctx, fd));

	irqx_irqchip_create(vm);
	EXPECT_EQ(0, __irqx_bind(ctx, fd, self->entry));
	EXPECT_EQ(0, __irqx_route_set(ctx, 0, self->entry));
	close(ctx);
	close(fd);
	kvm_vm_free(vm);
}

TEST_F(negative, dead_vm_eio)
{
	struct irqx_guest *g = irqx_guest_create(1);
	int fd = irqx_eventfd(0, 0), unattached = irqx_open();
	const struct call *call;
	uint64_t arg[64];

	irqx_bind(g->ctx, fd, irqx_entry(g, 0, OTHER_IRQ));
	irqx_route_set(g->ctx, 0, irqx_pin_entry(IRQX_IRQCHIP, 4));
	irqx_irq_line(g->ctx, 0, 1);
	if (!irqx_kill_vm(g))
		SKIP(return, "this KVM does not let the VM die");

	for_each_call(call) {
		if (call->cmd == KVM_IRQX_GET_INFO ||
		    call->cmd == KVM_IRQX_ATTACH)
			continue;
		call_fill(call, arg, self);
		EXPECT_EQ(EIO, __irqx_ioctl(g->ctx, call->cmd, arg))
			TH_LOG("%s", call->name);
	}
	EXPECT_EQ(KVM_IRQX_ABI_VERSION, irqx_info(g->ctx).abi);
	EXPECT_EQ(EIO, __irqx_attach(unattached, g->vm->fd));
	EXPECT_EQ(0, __irqx_attach(unattached, self->g->vm->fd));

	/* Events still come in, and all can be taken down. */
	irqx_fire(fd);
	EXPECT_EQ(0, irqx_eventfd_take(fd));
	close(g->ctx);
	irqx_fire(fd);
	EXPECT_EQ(1, irqx_eventfd_take(fd));
	close(unattached);
}

/*
 * The eventfd
 */

TEST_F(negative, closed_fd_ebadf)
{
	const int fds[] = { -1, INT_MIN, INT_MAX, self->closed };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		EXPECT_EQ(EBADF, __irqx_bind(self->ctx, fds[i], self->entry));
		EXPECT_EQ(EBADF, __irqx_modify(self->ctx, fds[i], self->entry));
		EXPECT_EQ(EBADF, __irqx_unbind(self->ctx, fds[i]));
		EXPECT_EQ(EBADF, __irqx_irqfd(self->ctx, fds[i], ROUTED_GSI, 0));
		EXPECT_EQ(EBADF, __irqx_irqfd(self->ctx, fds[i], ROUTED_GSI,
					      KVM_IRQFD_FLAG_DEASSIGN));
		/* nor is a GSI left behind */
		EXPECT_EQ(EBADF, __irqx_irqfd(self->ctx, fds[i], 77, 0));
	}
}

static void expect_not_an_eventfd(struct __test_metadata *_metadata,
				  FIXTURE_DATA(negative) *self, int fd, int want)
{
	EXPECT_EQ(want, __irqx_bind(self->ctx, fd, self->entry));
	EXPECT_EQ(want, __irqx_modify(self->ctx, fd, self->entry));
	EXPECT_EQ(want, __irqx_unbind(self->ctx, fd));
	EXPECT_EQ(want, __irqx_irqfd(self->ctx, fd, ROUTED_GSI, 0));
	EXPECT_EQ(want, __irqx_irqfd(self->ctx, fd, ROUTED_GSI,
				     KVM_IRQFD_FLAG_DEASSIGN));
}

TEST_F(negative, not_an_eventfd_einval)
{
	int fds[NR_WRONG_FDS];
	int i;

	open_wrong_fds(fds);
	for (i = 0; i < NR_WRONG_FDS; i++)
		expect_not_an_eventfd(_metadata, self, fds[i], WRONG_FD_ERRNO(i));
	expect_not_an_eventfd(_metadata, self, self->g->vm->fd, EINVAL);
	expect_not_an_eventfd(_metadata, self, self->g->vcpus[0].vcpu->fd, EINVAL);
	expect_not_an_eventfd(_metadata, self, self->ctx, EINVAL);
	irqx_close_all(fds, NR_WRONG_FDS);
}

static void send_fd(int sock, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct iovec iov = { .iov_base = "", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	TEST_ASSERT(sendmsg(sock, &msg, 0) == 1, "sendmsg: %s", strerror(errno));
}

static int receive_fd(int sock)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {};
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	TEST_ASSERT(recvmsg(sock, &msg, 0) == 1 &&
		    control.header.cmsg_type == SCM_RIGHTS, "recvmsg");
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

/* Makes an eventfd, gives it away, and fires when told to. */
static int another_user(int sock)
{
	char go;
	int fd;

	TEST_ASSERT(!setgid(65534) && !setuid(65534), "setuid: %s",
		    strerror(errno));
	fd = eventfd(0, EFD_NONBLOCK);
	send_fd(sock, fd);
	if (read(sock, &go, 1) != 1)
		return 1;
	return __irqx_fire(fd);
}

TEST_F(negative, eventfd_of_another_user_works)
{
	int pair[2], status, fd, ctx;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = fork();
	if (!pid)
		_exit(another_user(pair[1]));
	fd = receive_fd(pair[0]);

	ctx = irqx_context(self->g->vm);
	EXPECT_EQ(0, __irqx_bind(ctx, fd, self->entry));
	EXPECT_EQ(1, write(pair[0], "", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	irqx_settle(ctx);
	irqx_expect(self->g, 0, OTHER_IRQ, 1);
	irqx_check(self->g);
	close(ctx);
	close(fd);
}

TEST_F(negative, bound_already_ebusy)
{
	int ctx = irqx_context(self->g->vm);
	int fd = irqx_eventfd(0, 0);

	EXPECT_EQ(EBUSY, __irqx_bind(self->ctx, self->direct, self->entry));
	EXPECT_EQ(EBUSY, __irqx_bind(self->ctx, self->routed, self->entry));
	EXPECT_EQ(EBUSY, __irqx_irqfd(self->ctx, self->direct, ROUTED_GSI, 0));
	EXPECT_EQ(EBUSY, __irqx_irqfd(self->ctx, self->routed, ROUTED_GSI, 0));
	EXPECT_EQ(EBUSY, __irqx_irqfd(self->ctx, self->routed, 77, 0));
	EXPECT_EQ(EBUSY, __irqx_bind(ctx, self->direct, self->entry));
	EXPECT_EQ(EBUSY, __irqx_irqfd(ctx, self->routed, 0, 0));
	/* of another context: not bound here */
	EXPECT_EQ(0, __irqx_unbind(ctx, self->direct));
	EXPECT_EQ(ENOENT, __irqx_modify(ctx, self->direct, self->entry));

	irqx_irqfd(self->g->vm->fd, fd, 4, 0);
	EXPECT_EQ(EBUSY, __irqx_bind(ctx, fd, self->entry));
	EXPECT_EQ(EBUSY, __irqx_irqfd(ctx, fd, 0, 0));
	EXPECT_TRUE(context_is_empty(ctx));
	irqx_irqfd(self->g->vm->fd, fd, 4, KVM_IRQFD_FLAG_DEASSIGN);
	EXPECT_EQ(0, __irqx_bind(ctx, fd, self->entry));
	close(ctx);
	close(fd);
}

TEST_F(negative, modify_unbound_enoent)
{
	EXPECT_EQ(ENOENT, __irqx_modify(self->ctx, self->spare, self->entry));
}

TEST_F(negative, modify_gsi_bound_enoent)
{
	EXPECT_EQ(ENOENT, __irqx_modify(self->ctx, self->routed, self->entry));
}

/*
 * Flags and padding
 */

/* No EOI can be told to be an MSI's. */
TEST_F(negative, resample_of_msi_einval)
{
	struct kvm_irqx_irqfd_direct direct = {
		.fd = self->spare,
		.resamplefd = self->direct,
		.flags = KVM_IRQX_IRQFD_DIRECT_RESAMPLE,
		.entry = self->entry,
	};
	struct kvm_irqfd irqfd = {
		.fd = self->spare,
		.gsi = ROUTED_GSI,
		.flags = KVM_IRQFD_FLAG_RESAMPLE,
		.resamplefd = self->direct,
	};

	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQFD, &irqfd));
}

/* Flags that are unknown, or do not go together. */
TEST_F(negative, direct_flags_einval)
{
	static const uint32_t together[] = {
		KVM_IRQX_IRQFD_DIRECT_MODIFY | KVM_IRQX_IRQFD_DIRECT_DEASSIGN,
		KVM_IRQX_IRQFD_DIRECT_MODIFY | KVM_IRQX_IRQFD_DIRECT_RESAMPLE,
		KVM_IRQX_IRQFD_DIRECT_DEASSIGN | KVM_IRQX_IRQFD_DIRECT_RESAMPLE,
		KVM_IRQX_IRQFD_DIRECT_DEASSIGN | KVM_IRQX_IRQFD_DIRECT_EVENT_FLAG,
		~0U,
	};
	unsigned int i;

	for (i = 6; i < 32; i++) {
		EXPECT_EQ(EINVAL, __irqx_direct(self->ctx, self->spare,
						1U << i, self->entry));
		EXPECT_EQ(EINVAL, __irqx_direct(self->ctx, self->direct,
						1U << i | KVM_IRQX_IRQFD_DIRECT_MODIFY,
						self->entry));
		EXPECT_EQ(EINVAL, __irqx_direct(self->ctx, self->direct,
						1U << i | KVM_IRQX_IRQFD_DIRECT_DEASSIGN,
						self->entry));
	}
	for (i = 0; i < ARRAY_SIZE(together); i++) {
		EXPECT_EQ(EINVAL, __irqx_direct(self->ctx, self->direct,
						together[i], self->entry))
			TH_LOG("0x%x", together[i]);
	}
}

/* An event flag is padding where the flags do not give it a meaning. */
TEST_F(negative, direct_padding_einval)
{
	const struct kvm_irqx_irqfd_direct good = {
		.fd = self->direct,
		.flags = KVM_IRQX_IRQFD_DIRECT_MODIFY,
		.entry = irqx_entry(self->g, 0, DIRECT_IRQ),
	};
	struct kvm_irqx_irqfd_direct direct;

	EXPECT_EQ(0, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &good));

	direct = good;
	direct.event_flag = 1;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));
	direct.flags = KVM_IRQX_IRQFD_DIRECT_DEASSIGN;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));
	direct.flags = 0;
	direct.fd = self->spare;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));

	direct = good;
	direct.entry.pad = 1U << 31;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));
	direct.flags = 0;
	direct.fd = self->spare;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));
}

TEST_F(negative, direct_gsi_einval)
{
	struct kvm_irq_routing_entry entry = self->entry;

	entry.gsi = 1;
	EXPECT_EQ(EINVAL, __irqx_bind(self->ctx, self->spare, entry));
	EXPECT_EQ(EINVAL, __irqx_modify(self->ctx, self->direct, entry));
	entry.gsi = ~0U;
	EXPECT_EQ(EINVAL, __irqx_bind(self->ctx, self->spare, entry));
	EXPECT_EQ(EINVAL, __irqx_modify(self->ctx, self->direct, entry));
}

TEST_F(negative, direct_ignores)
{
	struct kvm_irqx_irqfd_direct direct = {
		.fd = self->spare,
		.resamplefd = 0x7eadbeef,
		.flags = KVM_IRQX_IRQFD_DIRECT_DEASSIGN,
	};

	memset(&direct.entry, 0xff, sizeof(direct.entry));
	EXPECT_EQ(0, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));
}

TEST_F(negative, irqfd_flags_einval)
{
	int bit;

	for (bit = 2; bit < 32; bit++) {
		EXPECT_EQ(EINVAL, __irqx_irqfd(self->ctx, self->spare,
					       ROUTED_GSI, 1U << bit));
		EXPECT_EQ(EINVAL, __irqx_irqfd(self->ctx, self->routed, ROUTED_GSI,
					       1U << bit | KVM_IRQFD_FLAG_DEASSIGN));
	}
}

/* The structs are KVM's, and so is what they tolerate. */
TEST_F(negative, kvm_padding_ignored)
{
	struct kvm_irqfd irqfd = {
		.fd = self->spare,
		.flags = KVM_IRQFD_FLAG_DEASSIGN,
	};
	int ctx = irqx_context(self->g->vm);
	struct {
		struct kvm_irq_routing table;
		struct kvm_irq_routing_entry entry;
	} routing = { .table.nr = 1, .entry = self->entry };

	memset(irqfd.pad, 0xff, sizeof(irqfd.pad));
	EXPECT_EQ(0, __irqx_ioctl(self->ctx, KVM_IRQFD, &irqfd));
	routing.entry.pad = ~0U;
	EXPECT_EQ(0, __irqx_ioctl(ctx, KVM_SET_GSI_ROUTING, &routing));
	close(ctx);
}

/*
 * Entries
 */

/* By every call that takes an entry, at a place that has one and one without. */
static void expect_bad_entry(struct __test_metadata *_metadata,
			     FIXTURE_DATA(negative) *self, int want,
			     struct kvm_irq_routing_entry entry)
{
	struct kvm_irqx_op op = { .entry = entry };
	uint32_t index;
	int i;

	EXPECT_EQ(want, __irqx_bind(self->ctx, self->spare, entry));
	EXPECT_EQ(want, __irqx_modify(self->ctx, self->direct, entry));
	for (i = 0; i < 2; i++) {
		op.op = KVM_IRQX_OP_ROUTE_SET;
		op.entry.gsi = i ? 77 : ROUTED_GSI;
		index = 99;
		EXPECT_EQ(want, __irqx_batch(self->ctx, &op, 1, &index));
		EXPECT_EQ(0, index);
		op.op = KVM_IRQX_OP_ROUTE_ADD;
		index = 99;
		EXPECT_EQ(want, __irqx_batch(self->ctx, &op, 1, &index));
		EXPECT_EQ(0, index);
		EXPECT_EQ(want, __irqx_set_gsi_routing(self->ctx, &op.entry, 1));
	}
}

TEST_F(negative, entry_flags_einval)
{
	struct kvm_irq_routing_entry entry = self->entry;
	int bit;

	for (bit = 1; bit < 32; bit++) {
		entry.flags = 1U << bit;
		expect_bad_entry(_metadata, self, EINVAL, entry);
	}

	entry = irqx_pin_entry(IRQX_IRQCHIP, 4);
	entry.flags = KVM_MSI_VALID_DEVID;
	expect_bad_entry(_metadata, self, EINVAL, entry);

	/* As KVM, which then looks at devid, or not, by architecture. */
	entry = irqx_entry(self->g, 0, DIRECT_IRQ);
	entry.flags = KVM_MSI_VALID_DEVID;
	EXPECT_EQ(0, __irqx_modify(self->ctx, self->direct, entry));
}

TEST_F(negative, entry_type_einval)
{
	static const uint32_t types[] = {
		0, KVM_IRQ_ROUTING_S390_ADAPTER, 6, 7, 1000, 1U << 31, ~0U,
	};
	struct kvm_irq_routing_entry entry = self->entry;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		entry.type = types[i];
		expect_bad_entry(_metadata, self, EINVAL, entry);
	}
}

TEST_F(negative, entry_pin_einval)
{
	const struct irqx_pin *bad = irqx_bad_pins;
	unsigned int i;

	for (i = 0; i < irqx_nr_bad_pins; i++)
		expect_bad_entry(_metadata, self, EINVAL,
				 irqx_pin_entry(bad[i].irqchip, bad[i].pin));
}

/*
 * The GSI table
 */

TEST_F(negative, gsi_out_of_range_einval)
{
	const uint32_t gsis[] = { self->max_gsi, self->max_gsi + 1, 1U << 31, ~0U };
	struct kvm_irqx_op op = { .entry = self->entry };
	struct kvm_irq_routing_entry entry = self->entry;
	uint32_t index;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(gsis); i++) {
		/* As KVM's: for a route that may come. */
		EXPECT_EQ(0, __irqx_irqfd(self->ctx, self->spare, gsis[i], 0));
		EXPECT_EQ(0, __irqx_irqfd(self->ctx, self->spare, gsis[i],
					  KVM_IRQFD_FLAG_DEASSIGN));
		EXPECT_EQ(EINVAL, __irqx_irq_line(self->ctx, gsis[i], 1));
		EXPECT_EQ(EINVAL, __irqx_irq_line(self->ctx, gsis[i], 0));
		entry.gsi = gsis[i];
		EXPECT_EQ(EINVAL, __irqx_set_gsi_routing(self->ctx, &entry, 1));
		for (op.op = KVM_IRQX_OP_ROUTE_SET; op.op <= KVM_IRQX_OP_ROUTE_DEL; op.op++) {
			if (op.op == KVM_IRQX_OP_ROUTE_DEL)
				memset(&op.entry, 0, sizeof(op.entry));
			op.entry.gsi = gsis[i];
			index = 99;
			EXPECT_EQ(EINVAL, __irqx_batch(self->ctx, &op, 1, &index));
			EXPECT_EQ(0, index);
		}
		op.entry = self->entry;
	}
}

TEST_F(negative, set_gsi_routing_einval)
{
	struct kvm_irq_routing table = { .nr = 0 };
	int bit;

	for (bit = 0; bit < 32; bit++) {
		table.flags = 1U << bit;
		EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_SET_GSI_ROUTING, &table));
	}
	table.flags = 0;
	table.nr = self->max_gsi + 1;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_SET_GSI_ROUTING, &table));
	table.nr = ~0U;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_SET_GSI_ROUTING, &table));
}

TEST_F(negative, batch_arguments_einval)
{
	uint32_t max = irqx_info(self->ctx).max_batch;
	struct kvm_irqx_op *ops = calloc(max + 1, sizeof(*ops));
	struct kvm_irqx_op op = {
		.op = KVM_IRQX_OP_ROUTE_SET,
		.entry = self->entry,
	};
	struct kvm_irqx_batch batch = irqx_batch_of(&op, 1);
	uint32_t i, index = 99;

	ASSERT_NE(NULL, ops);
	for (i = 0; i <= max; i++)
		ops[i].op = KVM_IRQX_OP_ROUTE_DEL;

	EXPECT_EQ(EINVAL, __irqx_batch(self->ctx, ops, 0, &index));
	EXPECT_EQ(0, index);
	EXPECT_EQ(EINVAL, __irqx_batch(self->ctx, ops, max + 1, &index));
	EXPECT_EQ(max + 1, index);
	EXPECT_EQ(0, __irqx_batch(self->ctx, ops, max, &index));
	EXPECT_EQ(max, index);
	free(ops);

	for (i = 0; i < 32; i++) {
		batch.flags = 1U << i;
		batch.index = 99;
		EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, &batch));
		EXPECT_EQ(1, batch.index);
	}
	batch.flags = 0;
	for (i = 0; i < ARRAY_SIZE(batch.pad); i++) {
		batch.pad[i] = 1ULL << 63;
		batch.index = 99;
		EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, &batch));
		EXPECT_EQ(1, batch.index);
		batch.pad[i] = 0;
	}
	batch.nr = ~0U;
	EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, &batch));
	EXPECT_EQ(~0U, batch.index);
}

#define MASKS	(KVM_IRQX_OP_FLAG_MASK | KVM_IRQX_OP_FLAG_UNMASK)

/* Each flag that an operation does not take, and each word of the entry of a mask. */
TEST_F(negative, batch_op_flags_and_masks_einval)
{
	static const uint32_t takes[] = {
		[KVM_IRQX_OP_ASSIGN] = KVM_IRQX_OP_FLAG_RESAMPLE |
				       KVM_IRQX_OP_FLAG_EVENT_FLAG | MASKS,
		[KVM_IRQX_OP_MODIFY] = KVM_IRQX_OP_FLAG_EVENT_FLAG | MASKS,
		[KVM_IRQX_OP_DEASSIGN] = 0,
		[KVM_IRQX_OP_ROUTE_SET] = MASKS,
		[KVM_IRQX_OP_ROUTE_ADD] = 0,
		[KVM_IRQX_OP_ROUTE_DEL] = 0,
		[KVM_IRQX_OP_IRQFD] = KVM_IRQX_OP_FLAG_RESAMPLE,
		[KVM_IRQX_OP_MASK] = 0,
		[KVM_IRQX_OP_UNMASK] = 0,
	};
	struct kvm_irqx_error error = { .argsz = sizeof(error) };
	struct kvm_irqx_op op;
	struct kvm_irqx_batch batch = irqx_batch_of(&op, 1);
	uint32_t i, bit, word;

	batch.error = (uintptr_t)&error;
	for (i = KVM_IRQX_OP_ASSIGN; i <= KVM_IRQX_OP_UNMASK; i++) {
		for (bit = 0; bit < 32; bit++) {
			if (takes[i] & 1U << bit)
				continue;
			op = (struct kvm_irqx_op){
				.op = i, .flags = 1U << bit, .fd = self->closed,
			};
			error.reason = 0;
			EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, &batch));
			EXPECT_EQ(KVM_IRQX_REASON_UNKNOWN_FLAG, error.reason)
				TH_LOG("op %u flag %u", i, bit);
		}
	}
	for (i = KVM_IRQX_OP_MASK; i <= KVM_IRQX_OP_UNMASK; i++) {
		for (word = 0; word < sizeof(op.entry) / 4; word++) {
			op = (struct kvm_irqx_op){ .op = i, .fd = self->direct };
			((uint32_t *)&op.entry)[word] = 1;
			error.reason = 0;
			EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, &batch));
			EXPECT_EQ(KVM_IRQX_REASON_NOT_ZERO, error.reason)
				TH_LOG("op %u word %u", i, word);
		}
	}
}

TEST_F(negative, batch_op_einval)
{
	static const uint32_t unknown[] = { 0, 31, 255, 1U << 31, ~0U };
	struct kvm_irqx_op ops[2] = {
		{ .op = KVM_IRQX_OP_ROUTE_DEL, .entry.gsi = ROUTED_GSI },
	};
	uint32_t index, word;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		ops[1] = (struct kvm_irqx_op){ .op = unknown[i], .entry = self->entry };
		EXPECT_EQ(EINVAL, __irqx_batch(self->ctx, ops, 2, &index));
		EXPECT_EQ(1, index);
	}
	/* All of it that an operation has no use for. */
	for (i = KVM_IRQX_OP_ASSIGN; i <= KVM_IRQX_OP_IRQFD; i++) {
		for (word = 1; word < sizeof(ops[1]) / 4; word++) {
			const uint32_t fd = offsetof(struct kvm_irqx_op, fd) / 4;
			const uint32_t entry = offsetof(struct kvm_irqx_op, entry) / 4;
			const uint32_t cookie = offsetof(struct kvm_irqx_op, cookie) / 4;
			const bool binds = i == KVM_IRQX_OP_ASSIGN ||
					   i == KVM_IRQX_OP_IRQFD;
			const bool routes = i >= KVM_IRQX_OP_ROUTE_SET &&
					    i <= KVM_IRQX_OP_ROUTE_DEL;
			const bool has_entry = i <= KVM_IRQX_OP_MODIFY ||
					       i == KVM_IRQX_OP_ROUTE_SET ||
					       i == KVM_IRQX_OP_ROUTE_ADD;
			const bool has_gsi = routes || i == KVM_IRQX_OP_IRQFD;

			if ((word == fd && !routes) || (word == entry && has_gsi))
				continue;
			/* pad is none of KVM's business, the rest is */
			if (has_entry && word > entry && word < cookie && word != entry + 3)
				continue;
			if (binds && word >= cookie)
				continue;
			ops[1] = (struct kvm_irqx_op){
				.op = i,
				.fd = routes ? 0 : binds ? self->spare : self->direct,
			};
			if (has_entry)
				ops[1].entry = self->entry;
			if (has_gsi)
				ops[1].entry.gsi = 77;
			((uint32_t *)&ops[1])[word] = 1U << 30;
			EXPECT_EQ(EINVAL, __irqx_batch(self->ctx, ops, 2, &index))
				TH_LOG("op %u word %u", i, word);
			EXPECT_EQ(1, index);
		}
	}
}

/*
 * Structs that grow
 */

TEST_F(negative, argsz_einval)
{
	struct kvm_irqx_stats stats;
	struct kvm_irqx_info info;
	uint32_t argsz;

	for (argsz = 0; argsz < 16; argsz++) {
		memset(&info, 0xaa, sizeof(info));
		info.argsz = argsz;
		EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_GET_INFO, &info));
		EXPECT_EQ(argsz, info.argsz);
		EXPECT_EQ(0xaaaaaaaa, info.abi);
	}
	for (argsz = 0; argsz < 8; argsz++) {
		memset(&stats, 0xaa, sizeof(stats));
		stats.argsz = argsz;
		EXPECT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_GET_STATS, &stats));
		EXPECT_EQ(argsz, stats.argsz);
		EXPECT_EQ(0xaaaaaaaa, stats.pad);
	}
}

/* A caller that knows less, or more, gets what both know and not a byte else. */
static void expect_sized(struct __test_metadata *_metadata, int ctx,
			 unsigned long cmd, uint32_t min, uint32_t size)
{
	unsigned char full[256], part[256];
	uint32_t argsz, i;

	memset(full, 0xaa, sizeof(full));
	memcpy(full, &size, sizeof(size));
	ASSERT_EQ(0, __irqx_ioctl(ctx, cmd, full));
	ASSERT_EQ(0, memcmp(full, &size, sizeof(size)));

	for (argsz = min; argsz <= sizeof(part); argsz++) {
		memset(part, 0xaa, sizeof(part));
		memcpy(part, &argsz, sizeof(argsz));
		ASSERT_EQ(0, __irqx_ioctl(ctx, cmd, part));
		for (i = 0; i < sizeof(part); i++) {
			ASSERT_EQ(i < argsz ? full[i] : 0xaa, part[i])
				TH_LOG("argsz %u byte %u", argsz, i);
		}
	}

	argsz = ~0U;
	memcpy(part, &argsz, sizeof(argsz));
	ASSERT_EQ(0, __irqx_ioctl(ctx, cmd, part));
	ASSERT_EQ(0, memcmp(full, part, size));
}

TEST_F(negative, argsz_truncates)
{
	struct kvm_irqx_stats stats = irqx_stats(self->ctx);
	struct kvm_irqx_info info = irqx_info(self->ctx);

	EXPECT_EQ(0, stats.pad);
	expect_sized(_metadata, self->ctx, KVM_IRQX_GET_INFO, 16, sizeof(info));
	expect_sized(_metadata, self->ctx, KVM_IRQX_GET_STATS, 8, sizeof(stats));
}

/* What GET_INFO names is taken, and nothing else. */
TEST_F(negative, known_flags)
{
	struct kvm_irqx_info info = irqx_info(self->ctx);
	struct kvm_irqx_error error = { .argsz = sizeof(error) };
	struct kvm_irqx_irqfd_direct direct = {
		.fd = self->closed,
		.error = (uintptr_t)&error,
	};
	struct kvm_irqx_op op = { .fd = self->closed };
	struct kvm_irqx_batch batch = irqx_batch_of(&op, 1);
	bool synic = info.features & KVM_IRQX_FEATURE_EVENT_FLAG, unknown;
	uint32_t bit, op_flags = 0;

	EXPECT_EQ(sizeof(op), info.op_size);
	EXPECT_EQ(0, info.attach_flags);
	EXPECT_EQ(0, info.batch_flags);
	batch.error = (uintptr_t)&error;
	for (bit = 0; bit < 32; bit++) {
		error.reason = 0;
		direct.flags = 1U << bit;
		EXPECT_LT(0, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));
		unknown = error.reason == KVM_IRQX_REASON_UNKNOWN_FLAG;
		EXPECT_EQ(!(info.direct_flags & 1U << bit), unknown)
			TH_LOG("direct flag %u", bit);

		error.reason = 0;
		op.op = bit;
		op.flags = 0;
		EXPECT_LT(0, __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, &batch));
		unknown = error.reason == KVM_IRQX_REASON_UNKNOWN_VALUE &&
			  error.arg == KVM_IRQX_ARG_OP;
		EXPECT_EQ(!(info.ops & 1U << bit), unknown)
			TH_LOG("op %u", bit);

		for (op.op = 0; op.op < 32; op.op++) {
			if (!(info.ops & 1U << op.op))
				continue;
			op.flags = 1U << bit;
			EXPECT_LT(0, __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, &batch));
			if (error.reason != KVM_IRQX_REASON_UNKNOWN_FLAG)
				op_flags |= op.flags;
		}
	}
	EXPECT_EQ(info.op_flags, op_flags);
	EXPECT_EQ(synic ? KVM_IRQX_SYNIC_PAGE_ENABLED : 0, info.synic_page_flags);
	EXPECT_EQ(KVM_IRQX_MASK_SET | KVM_IRQX_MASK_CLEAR, info.mask_flags);
	EXPECT_EQ(0, info.get_state_flags);
	EXPECT_EQ(0, info.list_flags);
	EXPECT_EQ(sizeof(struct kvm_irqx_binding), info.binding_size);
}

/*
 * Pointers
 */

TEST_F(negative, null_pointer_efault)
{
	/* the first page, a hole, the kernel's half, no canonical address */
	static const unsigned long addrs[] = {
		0, 8, 0x10000, 0xffff888000000000, 0xffffffff81000000,
		0x8000000000000000, ~0UL - 7,
	};
	const struct call *call;
	unsigned int i;
	int ctx;

	for_each_call(call) {
		ctx = call_context(call, self);
		for (i = 0; i < ARRAY_SIZE(addrs); i++) {
			EXPECT_EQ(EFAULT, __irqx_ioctl(ctx, call->cmd, (void *)addrs[i]))
				TH_LOG("%s 0x%lx", call->name, addrs[i]);
		}
		EXPECT_TRUE(context_is_empty(ctx));
		close(ctx);
	}
}

/* Two pages and then nothing.  Return: the first byte of nothing. */
static void *map_edge(void)
{
	size_t page = getpagesize();
	char *p = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	TEST_ASSERT(p != MAP_FAILED, "mmap: %s", strerror(errno));
	munmap(p + 2 * page, page);
	return p + 2 * page;
}

TEST_F(negative, half_mapped_efault)
{
	char *edge = map_edge();
	const struct call *call;
	uint64_t arg[64];
	size_t missing;
	int ctx;

	for_each_call(call) {
		call_fill(call, arg, self);
		for (missing = 4; missing < call->size; missing += 4) {
			ctx = call_context(call, self);
			memcpy(edge - (call->size - missing), arg,
			       call->size - missing);
			EXPECT_EQ(EFAULT, __irqx_ioctl(ctx, call->cmd,
						       edge - (call->size - missing)))
				TH_LOG("%s without %zu bytes", call->name, missing);
			EXPECT_TRUE(context_is_empty(ctx));
			close(ctx);
		}

		ctx = call_context(call, self);
		memcpy(edge - call->size, arg, call->size);
		EXPECT_EQ(call->err, __irqx_ioctl(ctx, call->cmd, edge - call->size))
			TH_LOG("%s", call->name);
		close(ctx);
	}
}

TEST_F(negative, half_mapped_array_efault)
{
	const uint32_t nr = 100;
	size_t size = nr * sizeof(struct kvm_irqx_op);
	struct kvm_irqx_batch batch;
	struct kvm_irq_routing *table;
	struct kvm_irqx_op *ops;
	char *edge = map_edge();
	uint32_t i;

	/* All but the last bytes of the last operation. */
	ops = (void *)(edge - size + 8);
	memset(ops, 0, size - 8);
	for (i = 0; i < nr - 1; i++)
		ops[i].op = KVM_IRQX_OP_ROUTE_DEL;
	ops[0].entry.gsi = ROUTED_GSI;
	batch = irqx_batch_of(ops, nr);
	batch.index = 99;
	EXPECT_EQ(EFAULT, __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, &batch));
	EXPECT_EQ(nr, batch.index);

	/* nr says more than there is. */
	batch.nr = irqx_info(self->ctx).max_batch;
	EXPECT_EQ(EFAULT, __irqx_ioctl(self->ctx, KVM_IRQX_BATCH, &batch));
	EXPECT_EQ(batch.nr, batch.index);

	table = (void *)(edge - sizeof(*table));
	*table = (struct kvm_irq_routing){ .nr = self->max_gsi };
	EXPECT_EQ(EFAULT, __irqx_ioctl(self->ctx, KVM_SET_GSI_ROUTING, table));
	table->nr = 1;
	EXPECT_EQ(EFAULT, __irqx_ioctl(self->ctx, KVM_SET_GSI_ROUTING, table));
}

TEST_F(negative, read_only_efault)
{
	char *page = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const struct call *call;
	int ctx;

	ASSERT_NE(MAP_FAILED, page);
	for_each_call(call) {
		ctx = call_context(call, self);
		mprotect(page, getpagesize(), PROT_READ | PROT_WRITE);
		call_fill(call, page, self);
		mprotect(page, getpagesize(), PROT_READ);
		EXPECT_EQ(call->writes ? EFAULT : call->err,
			  __irqx_ioctl(ctx, call->cmd, page))
			TH_LOG("%s", call->name);
		if (call->writes) {
			EXPECT_TRUE(context_is_empty(ctx));
		}
		close(ctx);
	}
}

TEST_HARNESS_MAIN

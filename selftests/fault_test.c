// SPDX-License-Identifier: GPL-2.0
/*
 * Every call, and the loading of the module, with the first thing that can fail in
 * the kernel made to fail, then the second, and so on until it gets through without.
 * Each time the errno is the documented one, nothing has changed, and the same call
 * works when it is made again.
 *
 * The faults are those of kmalloc and its like, of the page allocator, and of the
 * copying from and to userspace, of this thread alone (/proc/thread-self/fail-nth,
 * Documentation/fault-injection of the kernel).  Kernels that cannot do that skip all.
 *
 * A call may well succeed although something failed in it: kvmalloc() has vmalloc() to
 * fall back on, the debugging aids have their reserves.  Those are counted apart.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "irqx_dynirq.h"
#include "irqx_module.h"
#include "irqx_source.h"
#include "irqx_table.h"
#include "irqx_harness.h"

/*
 * ---- The faults ----
 */

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define DEBUGFS		"/sys/kernel/debug"
#define TRACEFS		"/sys/kernel/tracing/instances/irqx-fault"
#define RCU_EXPEDITED	"/sys/kernel/rcu_expedited"

/* More than any call has. */
#define NEVER		1000000000

enum kind { SLAB, PAGE, USERCOPY, NR_KINDS, NONE };

static const char *const kinds[] = {
	[SLAB]		= "failslab",
	[PAGE]		= "fail_page_alloc",
	[USERCOPY]	= "fail_usercopy",
	[NONE]		= "none",
};

/* Of sleeping allocations too, and of the smallest; nothing of it in the log. */
static const struct {
	enum kind kind;
	const char *name;
	const char *value;
} settings[] = {
	{ SLAB, "verbose", "0" },
	{ SLAB, "ignore-gfp-wait", "N" },
	{ SLAB, "cache-filter", "N" },
	{ PAGE, "verbose", "0" },
	{ PAGE, "ignore-gfp-wait", "N" },
	{ PAGE, "ignore-gfp-highmem", "N" },
	{ PAGE, "min-order", "0" },
	{ USERCOPY, "verbose", "0" },
};

/* Of this thread. */
static struct {
	int nth;			/* file descriptor of FAIL_NTH */
	unsigned long times[NR_KINDS];	/* as times_left() when the fault was armed */

	/* For whoever asks what went wrong. */
	unsigned int armed;
	enum kind came;
} faults;

static const char *fault_file(enum kind kind, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), DEBUGFS "/%s/%s", kinds[kind], name);
	return path;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	TEST_ASSERT(fd >= 0, "open %s: %s", path, strerror(errno));
	TEST_ASSERT(write(fd, text, strlen(text)) == (ssize_t)strlen(text),
		    "write %s: %s", path, strerror(errno));
	close(fd);
}

static void say_where(void)
{
	if (faults.armed)
		ksft_print_msg("fault %u, of %s\n", faults.armed,
			       kinds[faults.came]);
}

/* Those that are built for it; the name is that of scripts/kernels. */
static bool kernel_has_faults(void)
{
	const char *kernel = getenv("IRQX_KERNEL");

	return kernel && strstr(kernel, "-debug");
}

/* Return: NULL, or why there are none. */
static const char *faults_init(void)
{
	enum kind kind;
	uint32_t i;

	faults.nth = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	if (faults.nth < 0)
		return "this kernel has no fault injection (no " FAIL_NTH ")";
	for (i = 0; i < ARRAY_SIZE(settings); i++)
		write_file(fault_file(settings[i].kind, settings[i].name),
			   settings[i].value);
	for (kind = 0; kind < NR_KINDS; kind++)
		/* For times_left(); -1, for no limit, would not be counted. */
		write_file(fault_file(kind, "times"), "1000000000");
	atexit(say_where);
	return NULL;
}

/* Of all faults of a kind that there may be: what is left.  The file has no seek. */
static unsigned long times_left(enum kind kind)
{
	int fd = open(fault_file(kind, "times"), O_RDONLY | O_CLOEXEC);
	char text[32] = "";

	TEST_ASSERT(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0, "%s: %s",
		    fault_file(kind, "times"), strerror(errno));
	close(fd);
	return strtoul(text, NULL, 10);
}

/* The @nth from now, 1 the next. */
static void fault_arm(unsigned int nth)
{
	char text[16];
	enum kind kind;
	ssize_t len;

	for (kind = 0; kind < NR_KINDS; kind++)
		faults.times[kind] = times_left(kind);
	faults.armed = nth;
	faults.came = NONE;
	len = snprintf(text, sizeof(text), "%u", nth);
	TEST_ASSERT(pwrite(faults.nth, text, len, 0) == len, FAIL_NTH ": %s",
		    strerror(errno));
}

/*
 * Return: how many were still to come, 0 if the fault has come.  It may come just
 * here, with what is read, or with the writing.
 */
static unsigned int fault_disarm(void)
{
	char text[16] = "";
	enum kind kind;

	if (pread(faults.nth, text, sizeof(text) - 1, 0) < 0)
		return 1;
	if (strcmp(text, "0\n")) {
		/* Likewise: then there is none any more. */
		(void)!pwrite(faults.nth, "0", 1, 0);
		return strtoul(text, NULL, 10);
	}
	for (kind = 0; kind < NR_KINDS; kind++)
		if (times_left(kind) != faults.times[kind])
			faults.came = kind;
	return 0;
}

struct tally {
	uint32_t enomem;
	uint32_t efault;
	uint32_t made_good;
};

/* What a call answered to the fault that came. */
static void count_answer(struct __test_metadata *_metadata, struct tally *tally,
			 int err)
{
	ASSERT_NE(NONE, faults.came);
	if (!err) {
		/* Nothing makes good for what was not copied. */
		ASSERT_NE(USERCOPY, faults.came);
		tally->made_good++;
	} else if (faults.came == USERCOPY) {
		ASSERT_EQ(EFAULT, err);
		tally->efault++;
	} else {
		ASSERT_EQ(ENOMEM, err);
		tally->enomem++;
	}
}

/*
 * ---- What a call finds ----
 */

#define DIRECT_IRQ	0x40
#define ROUTED_IRQ	0x41
#define NEW_IRQ		0x50
#define ROUTED_GSI	5
#define WIRE_GSI	6
#define NEW_GSI		70000

/* The bindings or routes of it are more than kmalloc() has a cache for. */
#define BIG_BATCH	150

/* Made anew for each call. */
struct scene {
	struct irqx_guest *g;
	int ctx;		/* or -1 */
	/* bound there, to DIRECT_IRQ of vCPU 0, and on ROUTED_GSI to ROUTED_IRQ of vCPU 1 */
	int direct, routed;
	int fd;			/* bound nowhere, with an event */
	int ack;		/* bound nowhere */
	int made;		/* or -1 */
	int many[BIG_BATCH];	/* bound nowhere, with an event */
	uint32_t nr_many;
	struct irqx_table table;	/* if a call is about one */

	int on;			/* the call, if it is an ioctl */
	unsigned long cmd;
	uint64_t arg[4096];

	int refs;		/* of the module, before the call */
	int refs_before;	/* and before all of it */
	struct kvm_irqx_stats stats;
};

typedef void (*scene_check)(struct __test_metadata *_metadata, struct scene *s);

FIXTURE(fault)
{
	struct scene scene;
	struct kvm_vm *keeper;
};

FIXTURE_VARIANT(fault)
{
	const char *name;
	/* Writes down the ioctl, and makes what it needs; may be NULL, as all but the name. */
	void (*prepare)(struct scene *s);
	/* If it is no ioctl.  Return: 0 or an errno. */
	int (*call)(struct scene *s);
	/* Beyond what is true of all that fail. */
	scene_check failed;
	scene_check done;

	uint64_t feature;	/* that it needs */
	bool no_context;	/* the VM has none yet */
	bool no_probes;		/* the module has none in KVM yet */
	bool cannot_fail;
	bool no_memory;		/* it allocates none that it could not do without */
};

/* For an ioctl: where its argument goes. */
static void *argument(struct scene *s, int on, unsigned long cmd)
{
	s->on = on;
	s->cmd = cmd;
	memset(s->arg, 0, sizeof(s->arg));
	return s->arg;
}

static void scene_begin(struct scene *s, const FIXTURE_VARIANT(fault) *variant)
{
	struct irqx_guest *g = s->g;

	s->refs_before = irqx_module_refs();
	s->fd = irqx_eventfd(1, 0);
	s->ack = irqx_eventfd(0, 0);
	s->made = -1;
	s->ctx = -1;
	if (!variant->no_context) {
		s->ctx = irqx_context(g->vm);
		g->ctx = s->ctx;
		s->direct = irqx_eventfd(0, 0);
		s->routed = irqx_eventfd(0, 0);
		irqx_bind(s->ctx, s->direct, irqx_entry(g, 0, DIRECT_IRQ));
		irqx_route_set(s->ctx, ROUTED_GSI, irqx_entry(g, 1, ROUTED_IRQ));
		irqx_irqfd(s->ctx, s->routed, ROUTED_GSI, 0);
	}
	if (variant->prepare)
		variant->prepare(s);
	if (s->ctx >= 0) {
		irqx_settle(s->ctx);
		s->stats = irqx_stats(s->ctx);
	}
	s->refs = irqx_module_refs();
}

static void scene_end(struct scene *s)
{
	if (s->ctx >= 0)
		close(s->ctx);
	s->g->ctx = -1;
	if (s->direct >= 0)
		close(s->direct);
	if (s->routed >= 0)
		close(s->routed);
	s->direct = -1;
	s->routed = -1;
	close(s->fd);
	close(s->ack);
	if (s->made >= 0)
		close(s->made);
	irqx_close_all(s->many, s->nr_many);
	s->nr_many = 0;
	/* A thread of the module's may have been left behind. */
	TEST_ASSERT(irqx_wait_module_refs(s->refs_before), "the module is still in use");
}

/* The next event of @fd reaches one vCPU's @irq, and no other does. */
static void deliver_at(struct scene *s, int fd, uint32_t vcpu, uint32_t irq)
{
	irqx_fire(fd);
	irqx_expect(s->g, vcpu, irq, 1);
	irqx_check(s->g);
}

static void nothing_changed(struct __test_metadata *_metadata, struct scene *s)
{
	struct kvm_irqx_stats stats;

	ASSERT_EQ(s->refs, irqx_module_refs());
	if (s->ctx < 0)
		return;
	stats = irqx_stats(s->ctx);
	ASSERT_EQ(0, memcmp(&stats, &s->stats, sizeof(stats)));
	irqx_fire(s->direct);
	irqx_expect(s->g, 0, DIRECT_IRQ, 1);
	deliver_at(s, s->routed, 1, ROUTED_IRQ);
}

static int call(struct scene *s, const FIXTURE_VARIANT(fault) *variant)
{
	if (variant->call)
		return variant->call(s);
	return __irqx_ioctl(s->on, s->cmd, s->arg);
}

/* Return: whether there was one; nth is 0 for none. */
static bool one_fault(struct __test_metadata *_metadata, struct scene *s,
		      const FIXTURE_VARIANT(fault) *variant, unsigned int nth,
		      struct tally *tally)
{
	bool came = false;
	int err;

	scene_begin(s, variant);
	if (nth) {
		fault_arm(nth);
		err = call(s, variant);
		came = !fault_disarm();
		if (came)
			count_answer(_metadata, tally, err);
	} else {
		err = call(s, variant);
	}

	if (err) {
		ASSERT_TRUE(came)
			TH_LOG("%s", strerror(err));
		ASSERT_FALSE(variant->cannot_fail);
		nothing_changed(_metadata, s);
		if (variant->failed)
			variant->failed(_metadata, s);
		ASSERT_EQ(0, call(s, variant));
	}
	if (variant->done)
		variant->done(_metadata, s);
	scene_end(s);
	return came;
}

/* ---- Opening, attaching, asking ---- */

static int call_open(struct scene *s)
{
	s->made = open(IRQX_DEV_PATH, O_RDWR | O_CLOEXEC);
	return s->made < 0 ? errno : 0;
}

/* Whatever became of the table that holds its irqfds. */
static void open_done(struct __test_metadata *_metadata, struct scene *s)
{
	int fds[80];
	uint32_t i;

	irqx_attach(s->made, s->g->vm->fd);
	irqx_eventfds(fds, ARRAY_SIZE(fds));
	for (i = 0; i < ARRAY_SIZE(fds); i++)
		irqx_bind(s->made, fds[i], irqx_entry(s->g, 0, NEW_IRQ));
	ASSERT_EQ(ARRAY_SIZE(fds), irqx_stats(s->made).irqfds);
	deliver_at(s, fds[0], 0, NEW_IRQ);
	deliver_at(s, fds[ARRAY_SIZE(fds) - 1], 0, NEW_IRQ);
	irqx_close_all(fds, ARRAY_SIZE(fds));
}

FIXTURE_VARIANT_ADD(fault, open)
{
	.name = "open",
	.call = call_open,
	.done = open_done,
};

static void prepare_get_info(struct scene *s)
{
	struct kvm_irqx_info *info = argument(s, s->ctx, KVM_IRQX_GET_INFO);

	info->argsz = sizeof(*info);
}

static void get_info_failed(struct __test_metadata *_metadata, struct scene *s)
{
	struct kvm_irqx_info *info = (void *)s->arg;

	ASSERT_EQ(sizeof(*info), info->argsz);
	ASSERT_EQ(0, info->abi);
}

static void get_info_done(struct __test_metadata *_metadata, struct scene *s)
{
	struct kvm_irqx_info *info = (void *)s->arg;

	ASSERT_EQ(KVM_IRQX_ABI_VERSION, info->abi);
	ASSERT_NE(0, info->max_batch);
}

FIXTURE_VARIANT_ADD(fault, get_info)
{
	.name = "get_info",
	.no_memory = true,
	.prepare = prepare_get_info,
	.failed = get_info_failed,
	.done = get_info_done,
};

static void prepare_get_stats(struct scene *s)
{
	struct kvm_irqx_stats *stats = argument(s, s->ctx, KVM_IRQX_GET_STATS);

	stats->argsz = sizeof(*stats);
}

static void get_stats_done(struct __test_metadata *_metadata, struct scene *s)
{
	struct kvm_irqx_stats *stats = (void *)s->arg;

	ASSERT_EQ(2, stats->irqfds);
	ASSERT_EQ(1, stats->gsis);
}

FIXTURE_VARIANT_ADD(fault, get_stats)
{
	.name = "get_stats",
	.no_memory = true,
	.prepare = prepare_get_stats,
	.done = get_stats_done,
};

static void prepare_attach(struct scene *s)
{
	struct kvm_irqx_attach *attach;

	s->made = irqx_open();
	attach = argument(s, s->made, KVM_IRQX_ATTACH);
	attach->vm_fd = s->g->vm->fd;
}

static void attach_failed(struct __test_metadata *_metadata, struct scene *s)
{
	struct kvm_irqx_stats stats;

	ASSERT_EQ(ENOTCONN, __irqx_stats(s->made, &stats));
}

static void attach_done(struct __test_metadata *_metadata, struct scene *s)
{
	irqx_bind(s->made, s->fd, irqx_entry(s->g, 0, NEW_IRQ));
	irqx_expect(s->g, 0, NEW_IRQ, 1);
	irqx_check(s->g);
	ASSERT_EQ(1, irqx_stats(s->made).irqfds);
}

FIXTURE_VARIANT_ADD(fault, attach)
{
	.name = "attach",
	.no_memory = true,
	.prepare = prepare_attach,
	.failed = attach_failed,
	.done = attach_done,
};

FIXTURE_VARIANT_ADD(fault, attach_first)
{
	.name = "attach_first",
	.prepare = prepare_attach,
	.failed = attach_failed,
	.done = attach_done,
	.no_context = true,
};

/* ---- KVM_IRQX_IRQFD_DIRECT ---- */

static void prepare_direct(struct scene *s, uint32_t flags,
			   struct kvm_irq_routing_entry entry)
{
	struct kvm_irqx_irqfd_direct *direct = argument(s, s->ctx, KVM_IRQX_IRQFD_DIRECT);

	direct->fd = s->fd;
	direct->resamplefd = s->ack;
	direct->flags = flags;
	direct->entry = entry;
}

/* It still has its event. */
static void fd_is_not_bound(struct __test_metadata *_metadata, struct scene *s)
{
	ASSERT_EQ(1, irqx_eventfd_take(s->fd));
	irqx_fire(s->fd);
}

/* The event from before the binding has come, and the next one does. */
static void fd_is_bound_to(struct scene *s, uint32_t vcpu, uint32_t irq)
{
	irqx_expect(s->g, vcpu, irq, 1);
	irqx_check(s->g);
	deliver_at(s, s->fd, vcpu, irq);
}

static void fd_is_bound(struct __test_metadata *_metadata, struct scene *s)
{
	ASSERT_EQ(s->stats.irqfds + 1, irqx_stats(s->ctx).irqfds);
	fd_is_bound_to(s, 1, NEW_IRQ);
}

static void prepare_direct_msi(struct scene *s)
{
	prepare_direct(s, 0, irqx_entry(s->g, 1, NEW_IRQ));
}

FIXTURE_VARIANT_ADD(fault, direct_msi)
{
	.name = "direct_msi",
	.prepare = prepare_direct_msi,
	.failed = fd_is_not_bound,
	.done = fd_is_bound,
};

/* An edge of a pin; arm64: an LPI that KVM has to look up. */
static void prepare_direct_slow(struct scene *s)
{
	prepare_direct(s, 0, irqx_slow_entry(s->g, 4, 1, NEW_IRQ));
}

FIXTURE_VARIANT_ADD(fault, direct_slow)
{
	.name = "direct_slow",
	.prepare = prepare_direct_slow,
	.failed = fd_is_not_bound,
	.done = fd_is_bound,
};

/* A pin of the IOAPIC; arm64: an SPI. */
static void prepare_direct_resample(struct scene *s)
{
	prepare_direct(s, KVM_IRQX_IRQFD_DIRECT_RESAMPLE, irqx_wire_entry(s->g, 0));
}

static void wire_is_not_taken(struct __test_metadata *_metadata, struct scene *s)
{
	fd_is_not_bound(_metadata, s);
	ASSERT_FALSE(irqx_wire_is_up(s->g, 0));
}

/* The event from before the binding holds it up; the resamplefd is not let go. */
static void wire_is_taken(struct __test_metadata *_metadata, struct scene *s)
{
	irqx_settle(s->ctx);
	ASSERT_TRUE(irqx_wire_is_up(s->g, 0));
	irqx_unbind(s->ctx, s->fd);
	ASSERT_FALSE(irqx_wire_is_up(s->g, 0));
	ASSERT_EQ(0, irqx_eventfd_take(s->ack));
	ASSERT_EQ(s->stats.irqfds, irqx_stats(s->ctx).irqfds);
}

FIXTURE_VARIANT_ADD(fault, direct_resample)
{
	.name = "direct_resample",
	.prepare = prepare_direct_resample,
	.failed = wire_is_not_taken,
	.done = wire_is_taken,
};

FIXTURE_VARIANT_ADD(fault, direct_resample_first)
{
	.name = "direct_resample_first",
	.prepare = prepare_direct_resample,
	.failed = wire_is_not_taken,
	.done = wire_is_taken,
	.no_probes = true,
};

static void prepare_modify(struct scene *s)
{
	prepare_direct(s, KVM_IRQX_IRQFD_DIRECT_MODIFY, irqx_entry(s->g, 1, NEW_IRQ));
	((struct kvm_irqx_irqfd_direct *)s->arg)->fd = s->direct;
}

static void modify_done(struct __test_metadata *_metadata, struct scene *s)
{
	deliver_at(s, s->direct, 1, NEW_IRQ);
	deliver_at(s, s->routed, 1, ROUTED_IRQ);
	ASSERT_EQ(2, irqx_stats(s->ctx).irqfds);
}

FIXTURE_VARIANT_ADD(fault, modify)
{
	.name = "modify",
	.no_memory = true,
	.prepare = prepare_modify,
	.done = modify_done,
};

/* To a line that is not there yet. */
static void prepare_modify_line(struct scene *s)
{
	struct kvm_irqx_irqfd_direct *direct;

	prepare_direct(s, KVM_IRQX_IRQFD_DIRECT_RESAMPLE, irqx_wire_entry(s->g, 0));
	irqx_assert(__irqx_ioctl(s->on, s->cmd, s->arg));
	direct = (void *)s->arg;
	direct->flags = KVM_IRQX_IRQFD_DIRECT_MODIFY;
	direct->entry = irqx_wire_entry(s->g, 1);
}

static void modify_line_failed(struct __test_metadata *_metadata, struct scene *s)
{
	ASSERT_TRUE(irqx_wire_is_up(s->g, 0));
	ASSERT_FALSE(irqx_wire_is_up(s->g, 1));
}

static void modify_line_done(struct __test_metadata *_metadata, struct scene *s)
{
	ASSERT_FALSE(irqx_wire_is_up(s->g, 0));
	ASSERT_TRUE(irqx_wire_is_up(s->g, 1));
	irqx_unbind(s->ctx, s->fd);
	ASSERT_FALSE(irqx_wire_is_up(s->g, 1));
	ASSERT_EQ(0, irqx_eventfd_take(s->ack));
}

FIXTURE_VARIANT_ADD(fault, modify_line)
{
	.name = "modify_line",
	.prepare = prepare_modify_line,
	.failed = modify_line_failed,
	.done = modify_line_done,
};

static void prepare_deassign(struct scene *s)
{
	struct kvm_irqx_irqfd_direct *direct = argument(s, s->ctx, KVM_IRQX_IRQFD_DIRECT);

	direct->fd = s->direct;
	direct->flags = KVM_IRQX_IRQFD_DIRECT_DEASSIGN;
}

static void deassign_done(struct __test_metadata *_metadata, struct scene *s)
{
	irqx_fire(s->direct);
	ASSERT_EQ(1, irqx_eventfd_take(s->direct));
	deliver_at(s, s->routed, 1, ROUTED_IRQ);
	ASSERT_EQ(1, irqx_stats(s->ctx).irqfds);
}

FIXTURE_VARIANT_ADD(fault, deassign)
{
	.name = "deassign",
	.no_memory = true,
	.prepare = prepare_deassign,
	.done = deassign_done,
};

/* ---- Masks ---- */

static void prepare_mask(struct scene *s)
{
	struct kvm_irqx_mask *mask = argument(s, s->ctx, KVM_IRQX_MASK);

	mask->fd = s->direct;
	mask->flags = KVM_IRQX_MASK_SET;
}

static void mask_failed(struct __test_metadata *_metadata, struct scene *s)
{
	ASSERT_EQ(0, irqx_state(s->ctx, s->direct, 0));
}

/* And unmasked again, since nothing of that can fail. */
static void mask_done(struct __test_metadata *_metadata, struct scene *s)
{
	irqx_fire(s->direct);
	ASSERT_EQ(KVM_IRQX_STATE_MASKED | KVM_IRQX_STATE_PENDING,
		  irqx_state(s->ctx, s->direct, 0));
	irqx_unmask(s->ctx, s->direct);
	irqx_expect(s->g, 0, DIRECT_IRQ, 1);
	deliver_at(s, s->routed, 1, ROUTED_IRQ);
}

FIXTURE_VARIANT_ADD(fault, mask)
{
	.name = "mask",
	.no_memory = true,
	.prepare = prepare_mask,
	.failed = mask_failed,
	.done = mask_done,
};

static void prepare_get_state(struct scene *s)
{
	struct kvm_irqx_get_state *get = argument(s, s->ctx, KVM_IRQX_GET_STATE);
	struct kvm_irqx_target_state *state = (void *)(get + 1);

	state->fd = s->direct;
	get->nr = 1;
	get->state_size = sizeof(*state);
	get->states = (uintptr_t)state;
}

static void get_state_done(struct __test_metadata *_metadata, struct scene *s)
{
	struct kvm_irqx_target_state *state =
		(void *)((struct kvm_irqx_get_state *)s->arg + 1);

	ASSERT_EQ(0, state->state);
}

FIXTURE_VARIANT_ADD(fault, get_state)
{
	.name = "get_state",
	.prepare = prepare_get_state,
	.done = get_state_done,
};

static void prepare_list(struct scene *s)
{
	struct kvm_irqx_list *list = argument(s, s->ctx, KVM_IRQX_LIST);

	*list = (struct kvm_irqx_list){
		.nr = 4,
		.binding_size = sizeof(struct kvm_irqx_binding),
		.bindings = (uintptr_t)(list + 1),
	};
}

static void list_done(struct __test_metadata *_metadata, struct scene *s)
{
	struct kvm_irqx_list *list = (void *)s->arg;
	struct kvm_irqx_binding *binding = (void *)(list + 1);

	ASSERT_EQ(2, list->nr);
	ASSERT_EQ(0, list->cursor);
	ASSERT_EQ(KVM_IRQ_ROUTING_MSI, binding->entry.type);
}

FIXTURE_VARIANT_ADD(fault, list)
{
	.name = "list",
	.prepare = prepare_list,
	.done = list_done,
};

/* ---- KVM_IRQX_BATCH ---- */

/* What @index of a batch is before the call. */
#define NOT_WRITTEN	(~0U)

struct batch_arg {
	struct kvm_irqx_batch batch;
	struct kvm_irqx_error error;
	struct kvm_irqx_op ops[];
};

static void batch_begin(struct scene *s)
{
	struct batch_arg *arg = argument(s, s->ctx, KVM_IRQX_BATCH);

	arg->batch = irqx_batch_of(arg->ops, 0);
	arg->batch.index = NOT_WRITTEN;
	arg->batch.error = (uintptr_t)&arg->error;
	arg->error = (struct kvm_irqx_error){
		.argsz = sizeof(arg->error),
		.reason = KVM_IRQX_NR_REASONS,
	};
}

static struct kvm_irqx_op *batch_add(struct scene *s, uint32_t op, uint32_t gsi,
				     struct kvm_irq_routing_entry entry)
{
	struct batch_arg *arg = (void *)s->arg;
	struct kvm_irqx_op *added = &arg->ops[arg->batch.nr++];

	TEST_ASSERT((char *)(added + 1) <= (char *)s->arg + sizeof(s->arg), "no room");
	added->op = op;
	added->entry = entry;
	added->entry.gsi = gsi;
	return added;
}

/* A new eventfd with an event. */
static struct kvm_irqx_op *batch_add_new(struct scene *s, uint32_t op, uint32_t gsi,
					 struct kvm_irq_routing_entry entry)
{
	struct kvm_irqx_op *added = batch_add(s, op, gsi, entry);

	added->fd = irqx_eventfd(1, 0);
	s->many[s->nr_many++] = added->fd;
	return added;
}

static struct kvm_irqx_op *assign_add(struct scene *s,
				      struct kvm_irq_routing_entry entry)
{
	return batch_add_new(s, KVM_IRQX_OP_ASSIGN, 0, entry);
}

/*
 * It says which failed, or that none did it; or the call was not even read.  A fault is
 * the fault of no argument.
 */
static void check_batch(struct __test_metadata *_metadata, struct scene *s)
{
	const struct batch_arg *arg = (void *)s->arg;

	if (faults.came == USERCOPY) {
		ASSERT_TRUE(arg->batch.index == arg->batch.nr ||
			    arg->batch.index == NOT_WRITTEN);
	} else {
		ASSERT_GE(arg->batch.nr, arg->batch.index);
		ASSERT_EQ(KVM_IRQX_REASON_NONE, arg->error.reason);
	}
	if (arg->error.reason == KVM_IRQX_REASON_NONE) {
		ASSERT_EQ(KVM_IRQX_ARG_NONE, arg->error.arg);
		ASSERT_TRUE(arg->error.index == ~0U ||
			    arg->error.index == arg->batch.index);
	}
}

/* The events are where they were. */
static void assign_failed(struct __test_metadata *_metadata, struct scene *s)
{
	uint32_t i;

	check_batch(_metadata, s);
	for (i = 0; i < s->nr_many; i++) {
		ASSERT_EQ(1, irqx_eventfd_take(s->many[i]));
		irqx_fire(s->many[i]);
	}
	ASSERT_FALSE(irqx_wire_is_up(s->g, 0));
}

static void prepare_assign(struct scene *s)
{
	struct kvm_irqx_op *level;

	batch_begin(s);
	assign_add(s, irqx_entry(s->g, 1, NEW_IRQ));
	level = assign_add(s, irqx_wire_entry(s->g, 0));
	level->flags = KVM_IRQX_OP_FLAG_RESAMPLE;
	level->resamplefd = s->ack;
	assign_add(s, irqx_entry(s->g, 0, NEW_IRQ));
}

static void assign_done(struct __test_metadata *_metadata, struct scene *s)
{
	const struct batch_arg *arg = (void *)s->arg;

	ASSERT_EQ(arg->batch.nr, arg->batch.index);
	/* As it was, or as a call that failed before has left it. */
	if (arg->error.reason) {
		ASSERT_EQ(KVM_IRQX_NR_REASONS, arg->error.reason);
	}
	ASSERT_EQ(s->stats.irqfds + 3, irqx_stats(s->ctx).irqfds);
	irqx_expect(s->g, 0, NEW_IRQ, 1);
	irqx_expect(s->g, 1, NEW_IRQ, 1);
	irqx_check(s->g);
	deliver_at(s, s->many[0], 1, NEW_IRQ);
	deliver_at(s, s->many[2], 0, NEW_IRQ);
	ASSERT_TRUE(irqx_wire_is_up(s->g, 0));
	irqx_unbind(s->ctx, s->many[1]);
	ASSERT_FALSE(irqx_wire_is_up(s->g, 0));
}

FIXTURE_VARIANT_ADD(fault, assign)
{
	.name = "assign",
	.prepare = prepare_assign,
	.failed = assign_failed,
	.done = assign_done,
};

static void prepare_assign_big(struct scene *s)
{
	uint32_t i;

	batch_begin(s);
	for (i = 0; i < BIG_BATCH; i++)
		assign_add(s, irqx_entry(s->g, i % 2, NEW_IRQ + i / 2));
}

static void assign_big_done(struct __test_metadata *_metadata, struct scene *s)
{
	uint32_t i;

	ASSERT_EQ(s->stats.irqfds + BIG_BATCH, irqx_stats(s->ctx).irqfds);
	for (i = 0; i < BIG_BATCH; i++)
		irqx_expect(s->g, i % 2, NEW_IRQ + i / 2, 1);
	irqx_check(s->g);
	deliver_at(s, s->many[BIG_BATCH - 1], 1, NEW_IRQ + (BIG_BATCH - 1) / 2);
}

FIXTURE_VARIANT_ADD(fault, assign_big)
{
	.name = "assign_big",
	.prepare = prepare_assign_big,
	.failed = assign_failed,
	.done = assign_big_done,
};

/* ---- KVM_IRQFD ---- */

static void prepare_irqfd(struct scene *s, int fd, uint32_t gsi, uint32_t flags)
{
	struct kvm_irqfd *irqfd = argument(s, s->ctx, KVM_IRQFD);

	irqfd->fd = fd;
	irqfd->gsi = gsi;
	irqfd->flags = flags;
	irqfd->resamplefd = s->ack;
}

static void prepare_irqfd_routed(struct scene *s)
{
	irqx_route_set(s->ctx, NEW_GSI, irqx_entry(s->g, 1, NEW_IRQ));
	prepare_irqfd(s, s->fd, NEW_GSI, 0);
}

FIXTURE_VARIANT_ADD(fault, irqfd)
{
	.name = "irqfd",
	.prepare = prepare_irqfd_routed,
	.failed = fd_is_not_bound,
	.done = fd_is_bound,
};

static void prepare_irqfd_unrouted(struct scene *s)
{
	prepare_irqfd(s, s->fd, NEW_GSI, 0);
}

static void irqfd_unrouted_done(struct __test_metadata *_metadata, struct scene *s)
{
	irqx_settle(s->ctx);
	ASSERT_EQ(s->stats.unrouted + 1, irqx_stats(s->ctx).unrouted);
	irqx_route_set(s->ctx, NEW_GSI, irqx_entry(s->g, 1, NEW_IRQ));
	deliver_at(s, s->fd, 1, NEW_IRQ);
}

FIXTURE_VARIANT_ADD(fault, irqfd_unrouted)
{
	.name = "irqfd_unrouted",
	.prepare = prepare_irqfd_unrouted,
	.failed = fd_is_not_bound,
	.done = irqfd_unrouted_done,
};

static void prepare_irqfd_resample(struct scene *s)
{
	irqx_route_set(s->ctx, WIRE_GSI, irqx_wire_entry(s->g, 0));
	prepare_irqfd(s, s->fd, WIRE_GSI, KVM_IRQFD_FLAG_RESAMPLE);
}

FIXTURE_VARIANT_ADD(fault, irqfd_resample)
{
	.name = "irqfd_resample",
	.prepare = prepare_irqfd_resample,
	.failed = wire_is_not_taken,
	.done = wire_is_taken,
};

static void prepare_irqfd_resample_unrouted(struct scene *s)
{
	prepare_irqfd(s, s->fd, WIRE_GSI, KVM_IRQFD_FLAG_RESAMPLE);
}

/* The level is kept for the route to come. */
static void irqfd_resample_unrouted_done(struct __test_metadata *_metadata,
					 struct scene *s)
{
	irqx_route_set(s->ctx, WIRE_GSI, irqx_wire_entry(s->g, 0));
	wire_is_taken(_metadata, s);
}

FIXTURE_VARIANT_ADD(fault, irqfd_resample_unrouted)
{
	.name = "irqfd_resample_unrouted",
	.prepare = prepare_irqfd_resample_unrouted,
	.failed = fd_is_not_bound,
	.done = irqfd_resample_unrouted_done,
};

static void prepare_irqfd_deassign(struct scene *s)
{
	prepare_irqfd(s, s->routed, ROUTED_GSI, KVM_IRQFD_FLAG_DEASSIGN);
}

static void irqfd_deassign_done(struct __test_metadata *_metadata, struct scene *s)
{
	irqx_fire(s->routed);
	ASSERT_EQ(1, irqx_eventfd_take(s->routed));
	deliver_at(s, s->direct, 0, DIRECT_IRQ);
	ASSERT_EQ(1, irqx_stats(s->ctx).irqfds);
}

FIXTURE_VARIANT_ADD(fault, irqfd_deassign)
{
	.name = "irqfd_deassign",
	.no_memory = true,
	.prepare = prepare_irqfd_deassign,
	.done = irqfd_deassign_done,
};

/* ---- KVM_SET_GSI_ROUTING ---- */

static void table_add(struct scene *s, uint32_t gsi,
		      struct kvm_irq_routing_entry entry)
{
	struct kvm_irq_routing *table = (void *)s->arg;

	entry.gsi = gsi;
	table->entries[table->nr++] = entry;
}

/* On a GSI without a route. */
static void bind_unrouted(struct scene *s)
{
	irqx_eventfd_take(s->fd);
	irqx_irqfd(s->ctx, s->fd, NEW_GSI, 0);
}

static void fd_is_unrouted(struct __test_metadata *_metadata, struct scene *s)
{
	uint64_t unrouted = irqx_stats(s->ctx).unrouted;

	irqx_fire(s->fd);
	irqx_settle(s->ctx);
	ASSERT_EQ(unrouted + 1, irqx_stats(s->ctx).unrouted);
}

static void prepare_table_grow(struct scene *s)
{
	uint32_t i;

	bind_unrouted(s);
	argument(s, s->ctx, KVM_SET_GSI_ROUTING);
	table_add(s, ROUTED_GSI, irqx_entry(s->g, 1, ROUTED_IRQ));
	for (i = 0; i < 16; i++)
		table_add(s, NEW_GSI + i * 1000, irqx_entry(s->g, 1, NEW_IRQ));
}

/* @gsis have a route: the unrouted eventfd's, @routed's to @vcpu's @irq, and others. */
static void routes_are(struct __test_metadata *_metadata, struct scene *s,
		       uint32_t gsis, uint32_t vcpu, uint32_t irq)
{
	ASSERT_EQ(gsis, irqx_stats(s->ctx).gsis);
	deliver_at(s, s->fd, 1, NEW_IRQ);
	deliver_at(s, s->routed, vcpu, irq);
	deliver_at(s, s->direct, 0, DIRECT_IRQ);
}

static void table_grow_done(struct __test_metadata *_metadata, struct scene *s)
{
	routes_are(_metadata, s, 17, 1, ROUTED_IRQ);
}

FIXTURE_VARIANT_ADD(fault, set_gsi_routing_grow)
{
	.name = "set_gsi_routing_grow",
	.prepare = prepare_table_grow,
	.failed = fd_is_unrouted,
	.done = table_grow_done,
};

/* Some GSIs lose their route, one gets another, one is new. */
static void prepare_table_replace(struct scene *s)
{
	uint32_t i;

	bind_unrouted(s);
	for (i = 0; i < 8; i++)
		irqx_route_set(s->ctx, 1000 + i, irqx_entry(s->g, 0, NEW_IRQ));
	argument(s, s->ctx, KVM_SET_GSI_ROUTING);
	table_add(s, ROUTED_GSI, irqx_entry(s->g, 0, NEW_IRQ));
	table_add(s, NEW_GSI, irqx_entry(s->g, 1, NEW_IRQ));
	table_add(s, 1000, irqx_entry(s->g, 1, NEW_IRQ));
}

static void table_replace_done(struct __test_metadata *_metadata, struct scene *s)
{
	routes_are(_metadata, s, 3, 0, NEW_IRQ);
}

FIXTURE_VARIANT_ADD(fault, set_gsi_routing_replace)
{
	.name = "set_gsi_routing_replace",
	.prepare = prepare_table_replace,
	.failed = fd_is_unrouted,
	.done = table_replace_done,
};

static void prepare_table_empty(struct scene *s)
{
	argument(s, s->ctx, KVM_SET_GSI_ROUTING);
}

static void routed_is_unrouted(struct __test_metadata *_metadata, struct scene *s)
{
	uint64_t unrouted = irqx_stats(s->ctx).unrouted;

	irqx_fire(s->routed);
	irqx_settle(s->ctx);
	ASSERT_EQ(unrouted + 1, irqx_stats(s->ctx).unrouted);
	ASSERT_EQ(0, irqx_stats(s->ctx).gsis);
	deliver_at(s, s->direct, 0, DIRECT_IRQ);
}

FIXTURE_VARIANT_ADD(fault, set_gsi_routing_empty)
{
	.name = "set_gsi_routing_empty",
	.no_memory = true,
	.prepare = prepare_table_empty,
	.done = routed_is_unrouted,
};

/* The level that an irqfd holds is to move to a line that is not there yet. */
static void prepare_table_line(struct scene *s)
{
	prepare_irqfd_resample(s);
	irqx_assert(__irqx_ioctl(s->on, s->cmd, s->arg));
	argument(s, s->ctx, KVM_SET_GSI_ROUTING);
	table_add(s, ROUTED_GSI, irqx_entry(s->g, 1, ROUTED_IRQ));
	table_add(s, WIRE_GSI, irqx_wire_entry(s->g, 1));
}

FIXTURE_VARIANT_ADD(fault, set_gsi_routing_line)
{
	.name = "set_gsi_routing_line",
	.prepare = prepare_table_line,
	.failed = modify_line_failed,
	.done = modify_line_done,
};

/* ---- KVM_IRQX_BATCH of routes, and of everything ---- */

static void batch_failed(struct __test_metadata *_metadata, struct scene *s)
{
	check_batch(_metadata, s);
	fd_is_unrouted(_metadata, s);
}

static void prepare_batch(struct scene *s)
{
	bind_unrouted(s);
	irqx_route_set(s->ctx, 1000, irqx_entry(s->g, 0, NEW_IRQ));
	batch_begin(s);
	batch_add(s, KVM_IRQX_OP_ROUTE_SET, NEW_GSI, irqx_entry(s->g, 1, NEW_IRQ));
	batch_add(s, KVM_IRQX_OP_ROUTE_DEL, 1000, (struct kvm_irq_routing_entry){});
	batch_add(s, KVM_IRQX_OP_ROUTE_SET, ROUTED_GSI, irqx_entry(s->g, 0, NEW_IRQ));
	batch_add(s, KVM_IRQX_OP_ROUTE_ADD, 1001, irqx_entry(s->g, 1, NEW_IRQ));
	batch_add(s, KVM_IRQX_OP_ROUTE_SET, 1002, irqx_entry(s->g, 1, NEW_IRQ));
	batch_add(s, KVM_IRQX_OP_ROUTE_DEL, 1002, (struct kvm_irq_routing_entry){});
}

static void batch_done(struct __test_metadata *_metadata, struct scene *s)
{
	const struct batch_arg *arg = (void *)s->arg;

	ASSERT_EQ(arg->batch.nr, arg->batch.index);
	routes_are(_metadata, s, 3, 0, NEW_IRQ);
}

FIXTURE_VARIANT_ADD(fault, route)
{
	.name = "route",
	.prepare = prepare_batch,
	.failed = batch_failed,
	.done = batch_done,
};

static void prepare_batch_big(struct scene *s)
{
	uint32_t i;

	bind_unrouted(s);
	batch_begin(s);
	batch_add(s, KVM_IRQX_OP_ROUTE_SET, ROUTED_GSI, irqx_entry(s->g, 0, NEW_IRQ));
	for (i = 1; i < BIG_BATCH; i++)
		batch_add(s, KVM_IRQX_OP_ROUTE_SET, NEW_GSI + BIG_BATCH - 1 - i,
			  irqx_entry(s->g, 1, NEW_IRQ));
}

static void batch_big_done(struct __test_metadata *_metadata, struct scene *s)
{
	routes_are(_metadata, s, BIG_BATCH, 0, NEW_IRQ);
}

FIXTURE_VARIANT_ADD(fault, route_big)
{
	.name = "route_big",
	.prepare = prepare_batch_big,
	.failed = batch_failed,
	.done = batch_big_done,
};

static void prepare_batch_masks(struct scene *s)
{
	batch_begin(s);
	batch_add(s, KVM_IRQX_OP_MASK, 0, (struct kvm_irq_routing_entry){})->fd = s->direct;
	batch_add(s, KVM_IRQX_OP_MASK, ROUTED_GSI, (struct kvm_irq_routing_entry){})->fd =
		KVM_IRQX_NO_FD;
	batch_add(s, KVM_IRQX_OP_ROUTE_SET, NEW_GSI, irqx_entry(s->g, 1, NEW_IRQ))->flags =
		KVM_IRQX_OP_FLAG_MASK;
	assign_add(s, irqx_entry(s->g, 0, NEW_IRQ))->flags = KVM_IRQX_OP_FLAG_MASK;
}

static void batch_masks_done(struct __test_metadata *_metadata, struct scene *s)
{
	ASSERT_EQ(KVM_IRQX_STATE_MASKED, irqx_state(s->ctx, s->direct, 0));
	ASSERT_EQ(KVM_IRQX_STATE_MASKED, irqx_state(s->ctx, KVM_IRQX_NO_FD, ROUTED_GSI));
	ASSERT_EQ(KVM_IRQX_STATE_MASKED, irqx_state(s->ctx, KVM_IRQX_NO_FD, NEW_GSI));
	ASSERT_EQ(KVM_IRQX_STATE_MASKED | KVM_IRQX_STATE_PENDING,
		  irqx_state(s->ctx, s->many[0], 0));
	irqx_unmask(s->ctx, s->many[0]);
	irqx_expect(s->g, 0, NEW_IRQ, 1);
	irqx_check(s->g);
}

FIXTURE_VARIANT_ADD(fault, batch_masks)
{
	.name = "batch_masks",
	.prepare = prepare_batch_masks,
	.failed = assign_failed,
	.done = batch_masks_done,
};

static void prepare_batch_mixed(struct scene *s)
{
	struct kvm_irqx_op *op;

	batch_begin(s);
	batch_add(s, KVM_IRQX_OP_ROUTE_SET, NEW_GSI, irqx_wire_entry(s->g, 0));
	op = batch_add_new(s, KVM_IRQX_OP_IRQFD, NEW_GSI, (struct kvm_irq_routing_entry){});
	op->flags = KVM_IRQX_OP_FLAG_RESAMPLE;
	op->resamplefd = s->ack;
	batch_add(s, KVM_IRQX_OP_MODIFY, 0, irqx_entry(s->g, 1, NEW_IRQ))->fd = s->direct;
	batch_add(s, KVM_IRQX_OP_DEASSIGN, 0, (struct kvm_irq_routing_entry){})->fd = s->routed;
	batch_add(s, KVM_IRQX_OP_ROUTE_DEL, ROUTED_GSI, (struct kvm_irq_routing_entry){});
	batch_add_new(s, KVM_IRQX_OP_IRQFD, ROUTED_GSI, (struct kvm_irq_routing_entry){});
	batch_add(s, KVM_IRQX_OP_ROUTE_SET, ROUTED_GSI, irqx_entry(s->g, 1, ROUTED_IRQ));
	assign_add(s, irqx_entry(s->g, 0, NEW_IRQ));
}

static void batch_mixed_done(struct __test_metadata *_metadata, struct scene *s)
{
	const struct batch_arg *arg = (void *)s->arg;

	ASSERT_EQ(arg->batch.nr, arg->batch.index);
	ASSERT_EQ(s->stats.irqfds + 2, irqx_stats(s->ctx).irqfds);
	ASSERT_EQ(s->stats.gsis + 1, irqx_stats(s->ctx).gsis);
	irqx_expect(s->g, 1, ROUTED_IRQ, 1);
	irqx_expect(s->g, 0, NEW_IRQ, 1);
	irqx_check(s->g);
	ASSERT_TRUE(irqx_wire_is_up(s->g, 0));
	deliver_at(s, s->direct, 1, NEW_IRQ);
	deliver_at(s, s->many[1], 1, ROUTED_IRQ);
	deliver_at(s, s->many[2], 0, NEW_IRQ);
	irqx_fire(s->routed);
	ASSERT_EQ(1, irqx_eventfd_take(s->routed));
	irqx_unbind(s->ctx, s->many[0]);
	ASSERT_FALSE(irqx_wire_is_up(s->g, 0));
}

FIXTURE_VARIANT_ADD(fault, batch_mixed)
{
	.name = "batch_mixed",
	.prepare = prepare_batch_mixed,
	.failed = assign_failed,
	.done = batch_mixed_done,
};

/* ---- KVM_IRQ_LINE ---- */

static void prepare_irq_line(struct scene *s, uint32_t gsi, uint32_t level)
{
	struct kvm_irq_level *line = argument(s, s->ctx, KVM_IRQ_LINE);

	line->irq = gsi;
	line->level = level;
}

static void prepare_irq_line_up(struct scene *s)
{
	irqx_route_set(s->ctx, WIRE_GSI, irqx_wire_entry(s->g, 0));
	prepare_irq_line(s, WIRE_GSI, 1);
}

static void wire_is_down(struct __test_metadata *_metadata, struct scene *s)
{
	ASSERT_FALSE(irqx_wire_is_up(s->g, 0));
}

static void wire_is_up(struct __test_metadata *_metadata, struct scene *s)
{
	ASSERT_TRUE(irqx_wire_is_up(s->g, 0));
}

static void irq_line_up_done(struct __test_metadata *_metadata, struct scene *s)
{
	wire_is_up(_metadata, s);
	irqx_irq_line(s->ctx, WIRE_GSI, 0);
	wire_is_down(_metadata, s);
}

FIXTURE_VARIANT_ADD(fault, irq_line_up)
{
	.name = "irq_line_up",
	.prepare = prepare_irq_line_up,
	.failed = wire_is_down,
	.done = irq_line_up_done,
};

static void prepare_irq_line_down(struct scene *s)
{
	irqx_route_set(s->ctx, WIRE_GSI, irqx_wire_entry(s->g, 0));
	irqx_irq_line(s->ctx, WIRE_GSI, 1);
	prepare_irq_line(s, WIRE_GSI, 0);
}

FIXTURE_VARIANT_ADD(fault, irq_line_down)
{
	.name = "irq_line_down",
	.no_memory = true,
	.prepare = prepare_irq_line_down,
	.failed = wire_is_up,
	.done = wire_is_down,
};

static void prepare_irq_line_msi(struct scene *s)
{
	prepare_irq_line(s, ROUTED_GSI, 1);
}

static void irq_line_msi_done(struct __test_metadata *_metadata, struct scene *s)
{
	(void)_metadata;
	irqx_expect(s->g, 1, ROUTED_IRQ, 1);
	irqx_check(s->g);
}

FIXTURE_VARIANT_ADD(fault, irq_line_msi)
{
	.name = "irq_line_msi",
	.no_memory = true,
	.prepare = prepare_irq_line_msi,
	.done = irq_line_msi_done,
};

/* ---- Closing: nothing may come of a fault ---- */

static void prepare_close(struct scene *s)
{
	prepare_irqfd_resample(s);
	irqx_assert(__irqx_ioctl(s->on, s->cmd, s->arg));
	irqx_irq_line(s->ctx, WIRE_GSI, 1);
}

static int call_close(struct scene *s)
{
	int ctx = s->ctx;

	s->ctx = -1;
	s->g->ctx = -1;
	return close(ctx) ? errno : 0;
}

static void close_done(struct __test_metadata *_metadata, struct scene *s)
{
	int fds[] = { s->direct, s->routed, s->fd };
	uint32_t i;

	wire_is_down(_metadata, s);
	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		irqx_fire(fds[i]);
		ASSERT_EQ(1, irqx_eventfd_take(fds[i]));
	}
	irqx_check(s->g);
	ASSERT_EQ(s->refs - 1, irqx_module_refs());
}

FIXTURE_VARIANT_ADD(fault, close)
{
	.name = "close",
	.no_memory = true,
	.prepare = prepare_close,
	.call = call_close,
	.done = close_done,
	.cannot_fail = true,
};

FIXTURE_VARIANT_ADD(fault, close_last)
{
	.name = "close_last",
	.no_memory = true,
	.prepare = prepare_close,
	.call = call_close,
	.done = close_done,
	.cannot_fail = true,
	.no_probes = true,
};

/*
 * ---- Tables of vectors ----
 *
 * What puts them on KVM's bus is a thread of the module's own: its faults are not this one's.
 */

#define NR_VECTORS	8
#define VECTOR		3

static void expect_no_table(struct __test_metadata *_metadata, struct scene *s)
{
	struct irqx_table table = { .ctx = s->ctx };

	ASSERT_EQ(ENOENT, __irqx_table_set_flags(&table, 0));
}

/* An event of the vector is NEW_IRQ of vCPU 1. */
static void point_vector(struct scene *s, uint32_t vector)
{
	struct irqx_vector_message message = irqx_vector_message(s->g, 1, NEW_IRQ);

	irqx_vector_put(&s->table, vector, (struct kvm_irqx_vector){
		.address_lo = message.address,
		.address_hi = message.address >> 32,
		.data = message.data,
	});
}

static bool vector_is_bound(struct scene *s, uint32_t vector)
{
	return irqx_vector_get(&s->table, vector).state & KVM_IRQX_VECTOR_BOUND;
}

static void make_table(struct scene *s)
{
	s->table = irqx_table_create(s->ctx, NR_VECTORS);
	point_vector(s, VECTOR);
}

/* Its vectors have events, and it can be given back. */
static void table_works(struct __test_metadata *_metadata, struct scene *s)
{
	point_vector(s, VECTOR);
	irqx_bind(s->ctx, s->fd, irqx_vector_entry(&s->table, VECTOR));
	fd_is_bound_to(s, 1, NEW_IRQ);
	irqx_unbind(s->ctx, s->fd);
	irqx_table_destroy(&s->table);
	expect_no_table(_metadata, s);
}

static struct kvm_irqx_table *prepare_table(struct scene *s, uint32_t op)
{
	struct kvm_irqx_table *args = argument(s, s->ctx, KVM_IRQX_TABLE);

	args->op = op;
	args->table = s->table.id;
	return args;
}

static void prepare_table_create(struct scene *s)
{
	struct kvm_irqx_table *args = prepare_table(s, KVM_IRQX_TABLE_CREATE);

	args->flags = IRQX_TABLE_ON;
	args->nr = NR_VECTORS;
	args->devid = irqx_table_devid();
	args->changefd = s->ack;
	args->entries = IRQX_TABLE_GPA;
	args->pba = IRQX_TABLE_GPA + 0x10000;
}

static void table_create_done(struct __test_metadata *_metadata, struct scene *s)
{
	struct kvm_irqx_table *args = (void *)s->arg;

	s->table = (struct irqx_table){
		.ctx = s->ctx, .id = args->table, .nr = NR_VECTORS,
		.entries = args->entries, .pba = args->pba,
	};
	table_works(_metadata, s);
}

FIXTURE_VARIANT_ADD(fault, table_create)
{
	.name = "table_create",
	.feature = KVM_IRQX_FEATURE_TABLE,
	.prepare = prepare_table_create,
	.failed = expect_no_table,
	.done = table_create_done,
};

static void prepare_table_move(struct scene *s)
{
	struct kvm_irqx_table *args;

	make_table(s);
	args = prepare_table(s, KVM_IRQX_TABLE_MOVE);
	args->entries = IRQX_TABLE_GPA + 0x20000;
	args->pba = IRQX_TABLE_GPA + 0x30000;
}

/* Return: the errno of another table there. */
static int another_at(struct scene *s, uint64_t gpa)
{
	struct irqx_table table = {
		.nr = 1, .entries = gpa, .pba = IRQX_TABLE_GPA + 0x40000,
	};
	int err = __irqx_table_create(s->ctx, &table, KVM_IRQX_TABLE_DECODES, KVM_IRQX_NO_FD);

	if (!err)
		irqx_table_destroy(&table);
	return err;
}

static void table_move_failed(struct __test_metadata *_metadata, struct scene *s)
{
	ASSERT_EQ(EEXIST, another_at(s, IRQX_TABLE_GPA));
	ASSERT_EQ(0, another_at(s, IRQX_TABLE_GPA + 0x20000));
}

static void table_move_done(struct __test_metadata *_metadata, struct scene *s)
{
	ASSERT_EQ(0, another_at(s, IRQX_TABLE_GPA));
	ASSERT_EQ(EEXIST, another_at(s, IRQX_TABLE_GPA + 0x20000));
	table_works(_metadata, s);
}

FIXTURE_VARIANT_ADD(fault, table_move)
{
	.name = "table_move",
	.feature = KVM_IRQX_FEATURE_TABLE,
	.prepare = prepare_table_move,
	.failed = table_move_failed,
	.done = table_move_done,
};

static void prepare_table_set(struct scene *s)
{
	make_table(s);
	prepare_table(s, KVM_IRQX_TABLE_SET)->flags = KVM_IRQX_TABLE_ENABLED;
}

static uint32_t function_of(struct scene *s)
{
	static struct kvm_irqx_vector vectors[NR_VECTORS];

	return irqx_table_get(&s->table, vectors, NULL);
}

static void table_set_failed(struct __test_metadata *_metadata, struct scene *s)
{
	ASSERT_EQ(IRQX_TABLE_ON, function_of(s));
	ASSERT_EQ(EEXIST, another_at(s, IRQX_TABLE_GPA));
}

static void table_set_done(struct __test_metadata *_metadata, struct scene *s)
{
	ASSERT_EQ(KVM_IRQX_TABLE_ENABLED, function_of(s));
	ASSERT_EQ(0, another_at(s, IRQX_TABLE_GPA));
	table_works(_metadata, s);
}

FIXTURE_VARIANT_ADD(fault, table_set)
{
	.name = "table_set",
	.feature = KVM_IRQX_FEATURE_TABLE,
	.no_memory = true,
	.prepare = prepare_table_set,
	.failed = table_set_failed,
	.done = table_set_done,
};

static void prepare_table_destroy(struct scene *s)
{
	make_table(s);
	prepare_table(s, KVM_IRQX_TABLE_DESTROY);
}

static void table_destroy_done(struct __test_metadata *_metadata, struct scene *s)
{
	expect_no_table(_metadata, s);
	ASSERT_EQ(0, another_at(s, IRQX_TABLE_GPA));
}

FIXTURE_VARIANT_ADD(fault, table_destroy)
{
	.name = "table_destroy",
	.feature = KVM_IRQX_FEATURE_TABLE,
	.no_memory = true,
	.prepare = prepare_table_destroy,
	.failed = table_set_failed,
	.done = table_destroy_done,
};

struct table_arg {
	struct kvm_irqx_table_state state;
	uint64_t changed;
	struct kvm_irqx_vector vectors[2];
};

static struct table_arg *prepare_table_state(struct scene *s, unsigned long cmd)
{
	struct table_arg *arg;

	make_table(s);
	arg = argument(s, s->ctx, cmd);
	arg->state = (struct kvm_irqx_table_state){
		.version = KVM_IRQX_TABLE_STATE_VERSION,
		.table = s->table.id,
		.first = VECTOR,
		.nr = 2,
		.vector_size = sizeof(arg->vectors[0]),
		.vectors = (uintptr_t)arg->vectors,
	};
	return arg;
}

static void prepare_get_table(struct scene *s)
{
	struct table_arg *arg = prepare_table_state(s, KVM_IRQX_GET_TABLE);

	arg->state.changed = (uintptr_t)&arg->changed;
}

static void get_table_done(struct __test_metadata *_metadata, struct scene *s)
{
	struct table_arg *arg = (void *)s->arg;

	ASSERT_EQ(IRQX_TABLE_ON, arg->state.function);
	ASSERT_EQ(irqx_vector_message(s->g, 1, NEW_IRQ).data, arg->vectors[0].data);
	ASSERT_EQ(1, arg->vectors[1].control);
	table_works(_metadata, s);
}

FIXTURE_VARIANT_ADD(fault, get_table)
{
	.name = "get_table",
	.feature = KVM_IRQX_FEATURE_TABLE,
	.prepare = prepare_get_table,
	.done = get_table_done,
};

/* The second one is pending. */
static void prepare_set_table(struct scene *s)
{
	struct table_arg *arg = prepare_table_state(s, KVM_IRQX_SET_TABLE);

	arg->state.flags = KVM_IRQX_TABLE_STATE_FUNCTION;
	arg->state.function = KVM_IRQX_TABLE_ENABLED;
	arg->vectors[0].data = 77;
	arg->vectors[1].control = 1;
	arg->vectors[1].state = KVM_IRQX_VECTOR_PENDING;
}

static void set_table_failed(struct __test_metadata *_metadata, struct scene *s)
{
	table_set_failed(_metadata, s);
	ASSERT_EQ(irqx_vector_message(s->g, 1, NEW_IRQ).data,
		  irqx_vector_get(&s->table, VECTOR).data);
	ASSERT_EQ(0, irqx_vector_get(&s->table, VECTOR + 1).state);
}

static void set_table_done(struct __test_metadata *_metadata, struct scene *s)
{
	ASSERT_EQ(77, irqx_vector_get(&s->table, VECTOR).data);
	ASSERT_EQ(KVM_IRQX_VECTOR_PENDING, irqx_vector_get(&s->table, VECTOR + 1).state);
	/* It would be under way as long as that. */
	irqx_vector_put(&s->table, VECTOR + 1, (struct kvm_irqx_vector){ .control = 1 });
	table_set_done(_metadata, s);
}

FIXTURE_VARIANT_ADD(fault, set_table)
{
	.name = "set_table",
	.feature = KVM_IRQX_FEATURE_TABLE,
	.prepare = prepare_set_table,
	.failed = set_table_failed,
	.done = set_table_done,
};

/* ---- Dynirqs ---- */

/* More than the call has room for on its stack. */
#define NR_RAISED	100

static void make_dynirq(struct scene *s)
{
	s->table = irqx_dynirq_create(s->ctx, NR_VECTORS);
	point_vector(s, VECTOR);
}

static void prepare_dynirq_create(struct scene *s)
{
	struct kvm_irqx_table *args = prepare_table(s, KVM_IRQX_TABLE_CREATE_DYNIRQ);

	args->flags = KVM_IRQX_TABLE_DECODES;
	args->nr = NR_VECTORS;
	args->devid = irqx_table_devid();
	args->changefd = s->ack;
	args->entries = IRQX_TABLE_GPA;
}

FIXTURE_VARIANT_ADD(fault, dynirq_create)
{
	.name = "dynirq_create",
	.feature = KVM_IRQX_FEATURE_DYNIRQ,
	.prepare = prepare_dynirq_create,
	.failed = expect_no_table,
	.done = table_create_done,
};

static void prepare_raise_many(struct scene *s)
{
	struct kvm_irqx_raise *args;
	uint32_t *handles, i;

	make_dynirq(s);
	args = argument(s, s->ctx, KVM_IRQX_RAISE);
	handles = (uint32_t *)(args + 1);
	args->table = s->table.id;
	args->nr = NR_RAISED;
	args->handles = (uintptr_t)handles;
	/* But for the last one they are pending, and one event. */
	for (i = 0; i < NR_RAISED; i++)
		handles[i] = i < NR_RAISED - 1 ? VECTOR + 1 : VECTOR;
}

static void raise_many_failed(struct __test_metadata *_metadata, struct scene *s)
{
	ASSERT_EQ(0, irqx_vector_get(&s->table, VECTOR + 1).state);
}

static void raise_many_done(struct __test_metadata *_metadata, struct scene *s)
{
	irqx_expect(s->g, 1, NEW_IRQ, 1);
	ASSERT_EQ(KVM_IRQX_VECTOR_PENDING, irqx_vector_get(&s->table, VECTOR + 1).state);
	irqx_vector_put(&s->table, VECTOR + 1, (struct kvm_irqx_vector){ .control = 1 });
	/* Before the next event, or the local APIC makes one of the two. */
	irqx_check(s->g);
	table_works(_metadata, s);
}

FIXTURE_VARIANT_ADD(fault, raise_many)
{
	.name = "raise_many",
	.feature = KVM_IRQX_FEATURE_DYNIRQ,
	.prepare = prepare_raise_many,
	.failed = raise_many_failed,
	.done = raise_many_done,
};

static void prepare_handle_alloc(struct scene *s)
{
	struct kvm_irqx_handle *args;

	make_dynirq(s);
	args = argument(s, s->ctx, KVM_IRQX_HANDLE);
	args->op = KVM_IRQX_HANDLE_ALLOC;
	args->table = s->table.id;
	args->handle = KVM_IRQX_ANY_HANDLE;
	memcpy(args->label, "label", 5);
}

static void handle_alloc_failed(struct __test_metadata *_metadata, struct scene *s)
{
	struct kvm_irqx_handle *args = (void *)s->arg;
	char label[KVM_IRQX_LABEL_SIZE];

	ASSERT_EQ(ENOENT, __irqx_handle_get(&s->table, 1, label));
	ASSERT_EQ(0, irqx_vector_get(&s->table, 0).state & KVM_IRQX_VECTOR_PENDING);
	/* It may have been filled in, and told in part. */
	args->handle = KVM_IRQX_ANY_HANDLE;
}

static void handle_alloc_done(struct __test_metadata *_metadata, struct scene *s)
{
	struct kvm_irqx_handle *args = (void *)s->arg;
	char label[KVM_IRQX_LABEL_SIZE];

	ASSERT_EQ(1, args->handle);
	ASSERT_EQ(0, __irqx_handle_get(&s->table, 1, label));
	ASSERT_EQ(0, strcmp(label, "label"));
	ASSERT_EQ(KVM_IRQX_VECTOR_PENDING | KVM_IRQX_VECTOR_LABEL_CHANGED,
		  irqx_vector_get(&s->table, 0).state);
	irqx_vector_put(&s->table, 0, (struct kvm_irqx_vector){ .control = 1 });
	table_works(_metadata, s);
}

FIXTURE_VARIANT_ADD(fault, handle_alloc)
{
	.name = "handle_alloc",
	.feature = KVM_IRQX_FEATURE_DYNIRQ,
	.prepare = prepare_handle_alloc,
	.failed = handle_alloc_failed,
	.done = handle_alloc_done,
};

/* ---- What leads to a vector ---- */

static void prepare_bind_vector(struct scene *s)
{
	make_table(s);
	prepare_direct(s, 0, irqx_vector_entry(&s->table, VECTOR));
}

static void bind_vector_failed(struct __test_metadata *_metadata, struct scene *s)
{
	fd_is_not_bound(_metadata, s);
	ASSERT_FALSE(vector_is_bound(s, VECTOR));
}

static void bind_vector_done(struct __test_metadata *_metadata, struct scene *s)
{
	ASSERT_TRUE(vector_is_bound(s, VECTOR));
	fd_is_bound(_metadata, s);
	irqx_unbind(s->ctx, s->fd);
	ASSERT_FALSE(vector_is_bound(s, VECTOR));
}

FIXTURE_VARIANT_ADD(fault, bind_vector)
{
	.name = "bind_vector",
	.feature = KVM_IRQX_FEATURE_TABLE,
	.prepare = prepare_bind_vector,
	.failed = bind_vector_failed,
	.done = bind_vector_done,
};

static void prepare_modify_vector(struct scene *s)
{
	make_table(s);
	prepare_direct(s, KVM_IRQX_IRQFD_DIRECT_MODIFY, irqx_vector_entry(&s->table, VECTOR));
	((struct kvm_irqx_irqfd_direct *)s->arg)->fd = s->direct;
}

static void modify_vector_failed(struct __test_metadata *_metadata, struct scene *s)
{
	ASSERT_FALSE(vector_is_bound(s, VECTOR));
}

static void modify_vector_done(struct __test_metadata *_metadata, struct scene *s)
{
	ASSERT_TRUE(vector_is_bound(s, VECTOR));
	modify_done(_metadata, s);
}

FIXTURE_VARIANT_ADD(fault, modify_vector)
{
	.name = "modify_vector",
	.feature = KVM_IRQX_FEATURE_TABLE,
	.no_memory = true,
	.prepare = prepare_modify_vector,
	.failed = modify_vector_failed,
	.done = modify_vector_done,
};

/* A GSI and a whole function. */
static void prepare_batch_vectors(struct scene *s)
{
	uint32_t i;

	make_table(s);
	batch_begin(s);
	batch_add(s, KVM_IRQX_OP_ROUTE_SET, NEW_GSI, irqx_vector_entry(&s->table, 0));
	for (i = 1; i < NR_VECTORS; i++)
		assign_add(s, irqx_vector_entry(&s->table, i));
}

static void batch_vectors_failed(struct __test_metadata *_metadata, struct scene *s)
{
	uint32_t i;

	assign_failed(_metadata, s);
	for (i = 0; i < NR_VECTORS; i++)
		ASSERT_FALSE(vector_is_bound(s, i));
	/* Nobody is counted as leading there. */
	irqx_table_destroy(&s->table);
	s->table = irqx_table_create(s->ctx, NR_VECTORS);
	point_vector(s, VECTOR);
}

static void batch_vectors_done(struct __test_metadata *_metadata, struct scene *s)
{
	uint32_t i;

	for (i = 0; i < NR_VECTORS; i++) {
		ASSERT_TRUE(vector_is_bound(s, i));
		if (i == VECTOR)
			continue;
		ASSERT_EQ(!!i, irqx_vector_get(&s->table, i).state & KVM_IRQX_VECTOR_PENDING);
		/* What is pending would be under way for ever. */
		irqx_vector_put(&s->table, i, (struct kvm_irqx_vector){ .control = 1 });
	}
	irqx_expect(s->g, 1, NEW_IRQ, 1);
	irqx_check(s->g);
	deliver_at(s, s->many[VECTOR - 1], 1, NEW_IRQ);
}

FIXTURE_VARIANT_ADD(fault, batch_vectors)
{
	.name = "batch_vectors",
	.feature = KVM_IRQX_FEATURE_TABLE,
	.prepare = prepare_batch_vectors,
	.failed = batch_vectors_failed,
	.done = batch_vectors_done,
};

/*
 * A guest whose vCPUs run, without a context, and the end of it; what entries only
 * this architecture has.
 */
#include "irqx_fault.h"

FIXTURE_SETUP(fault)
{
	const char *why_not = faults_init();
	int ctx;

	if (why_not) {
		ASSERT_FALSE(kernel_has_faults());
		SKIP(return, "%s", why_not);
	}
	ctx = irqx_open();
	if (variant->feature & ~irqx_info(ctx).features)
		SKIP(return, "this kernel's KVM has no such entries");
	close(ctx);
	self->scene.direct = -1;
	self->scene.routed = -1;
	self->scene.g = fault_guest_create();
	if (variant->no_probes)
		return;
	self->keeper = vm_create_barebones();
	irqx_irqchip_create(self->keeper);
	irqx_keep_probes(self->keeper);
}

FIXTURE_TEARDOWN(fault)
{
	if (_metadata->exit_code == KSFT_FAIL)
		say_where();
	faults.armed = 0;
	fault_guest_free(self->scene.g);
	if (self->keeper)
		kvm_vm_free(self->keeper);
}

/* All are ioctls with an argument, or have a name to copy. */
static bool seen_all(const FIXTURE_VARIANT(fault) *variant, const struct tally *tally)
{
	return (variant->cannot_fail || tally->efault) &&
	       (variant->no_memory || tally->enomem);
}

TEST_F_TIMEOUT(fault, all_or_nothing, 900)
{
	struct tally tally = {};
	unsigned int tries = 0, nth;

	/* Once without: what is faulted in at first use is there afterwards. */
	one_fault(_metadata, &self->scene, variant, 0, &tally);
	/*
	 * A slab that is full now and then needs one allocation more, and what came
	 * next is the nth no longer: the only one of its kind may be passed over.
	 */
	do {
		nth = 0;
		while (one_fault(_metadata, &self->scene, variant, ++nth, &tally))
			;
	} while (!seen_all(variant, &tally) && ++tries < 5);
	TH_LOG("%-24s %4u faults: %4u ENOMEM, %3u EFAULT, %4u made good",
	       variant->name, tally.enomem + tally.efault + tally.made_good,
	       tally.enomem, tally.efault, tally.made_good);
	EXPECT_TRUE(seen_all(variant, &tally));
	if (variant->no_memory) {
		EXPECT_EQ(0, tally.enomem);
	}
}

/*
 * ---- Loading the module ----
 *
 * The kernel's part of it (the file's sections, symbols, sysfs) comes before the
 * module's and is not looked at: faults are counted from the end backwards, until one
 * comes before the module's own code runs.
 */

FIXTURE(load)
{
	const char *file;
	void *image;
	size_t size;
};

static void trace_file(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), TRACEFS "/%s", name);
	write_file(path, text);
}

/* The kernel says when it has done its part, whatever comes of the module's. */
static bool module_has_run(void)
{
	FILE *f = fopen(TRACEFS "/trace", "r");
	bool found = false;
	char line[256];

	TEST_ASSERT(f, TRACEFS "/trace: %s", strerror(errno));
	while (fgets(line, sizeof(line), f))
		found |= !!strstr(line, "module_load: " IRQX_MODULE_NAME);
	fclose(f);
	f = fopen(TRACEFS "/trace", "w");
	TEST_ASSERT(f, TRACEFS "/trace: %s", strerror(errno));
	fclose(f);
	return found;
}

FIXTURE_SETUP(load)
{
	const char *why_not = faults_init();
	struct stat stat;
	int fd;

	if (why_not) {
		ASSERT_FALSE(kernel_has_faults());
		SKIP(return, "%s", why_not);
	}
	self->file = irqx_module_file();
	if (!self->file)
		SKIP(return, "IRQX_MODULE does not name the module's file");
	/* The last test's process may still be going. */
	if (!irqx_wait_module_refs(0))
		SKIP(return, "the module is in use by others");

	/* From memory, so that nothing has to be read. */
	fd = open(self->file, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &stat));
	self->size = stat.st_size;
	self->image = mmap(NULL, self->size, PROT_READ,
			   MAP_PRIVATE | MAP_POPULATE, fd, 0);
	ASSERT_NE(MAP_FAILED, self->image);
	close(fd);

	ASSERT_EQ(0, mkdir(TRACEFS, 0700));
	trace_file("buffer_size_kb", "64");
	trace_file("events/module/module_load/enable", "1");
	/* Most of what it takes to load and to unload is waiting for RCU. */
	write_file(RCU_EXPEDITED, "1");
	ASSERT_EQ(0, irqx_module_unload(IRQX_MODULE_NAME));
}

/* Others want it loaded. */
FIXTURE_TEARDOWN(load)
{
	if (_metadata->exit_code == KSFT_FAIL)
		say_where();
	faults.armed = 0;
	rmdir(TRACEFS);
	write_file(RCU_EXPEDITED, "0");
	if (!irqx_module_present(IRQX_MODULE_NAME)) {
		EXPECT_EQ(0, irqx_module_load(self->file, ""));
	}
}

struct load {
	int err;
	unsigned int left;	/* 0: the fault came */
	bool has_run;		/* the module's code */
};

static struct load load_with_fault(FIXTURE_DATA(load) *self, unsigned int nth)
{
	struct load load;

	fault_arm(nth);
	load.err = syscall(SYS_init_module, self->image, self->size, "") ?
		   errno : 0;
	load.left = fault_disarm();
	load.has_run = module_has_run();
	return load;
}

/*
 * Return: whether its device has a node.  If only that could not be made, the driver
 * core has no error for it.
 */
static bool check_loaded(struct __test_metadata *_metadata)
{
	bool device = !access(IRQX_DEV_PATH, F_OK);
	int ctx;

	EXPECT_EQ(0, access("/sys/class/misc/kvm-irqx", F_OK));
	if (device) {
		ctx = irqx_open();
		EXPECT_EQ(KVM_IRQX_ABI_VERSION, irqx_info(ctx).abi);
		close(ctx);
	}
	EXPECT_EQ(0, irqx_module_unload(IRQX_MODULE_NAME));
	return device;
}

/* So many in a row are before the module's code: their number varies a little. */
#define NR_EARLY	8

TEST_F_TIMEOUT(load, all_or_nothing, 3600)
{
	uint32_t first, nth, early = 0, no_device = 0;
	struct tally tally = {};
	struct load load;

	/* Twice: the second time the caches are warm. */
	load = load_with_fault(self, NEVER);
	ASSERT_EQ(0, load.err);
	ASSERT_TRUE(check_loaded(_metadata));
	load = load_with_fault(self, NEVER);
	ASSERT_EQ(0, load.err);
	ASSERT_TRUE(load.has_run);
	ASSERT_TRUE(check_loaded(_metadata));
	first = NEVER - load.left + NR_EARLY;

	for (nth = first; nth && early < NR_EARLY; nth--) {
		load = load_with_fault(self, nth);
		if (!load.has_run) {
			early++;
			ASSERT_NE(0, load.err);
		} else {
			/* One that is made good may as well be the kernel's. */
			if (load.err)
				early = 0;
			if (!load.left)
				count_answer(_metadata, &tally, load.err);
		}
		if (load.err) {
			ASSERT_EQ(0, load.left);
			ASSERT_FALSE(irqx_module_present(IRQX_MODULE_NAME));
			ASSERT_NE(0, access(IRQX_DEV_PATH, F_OK));
		} else if (!check_loaded(_metadata)) {
			no_device++;
		}
	}
	TH_LOG("%-24s %4u faults: %4u ENOMEM, %3u EFAULT, %4u made good",
	       "load", tally.enomem + tally.efault + tally.made_good,
	       tally.enomem, tally.efault, tally.made_good);
	TH_LOG("%u without a device node; the last %u of %u", no_device, first - nth,
	       first);
	EXPECT_EQ(NR_EARLY, early);
	EXPECT_LT(0, tally.enomem);

	load = load_with_fault(self, NEVER);
	ASSERT_EQ(0, load.err);
	ASSERT_TRUE(check_loaded(_metadata));
}

TEST_HARNESS_MAIN

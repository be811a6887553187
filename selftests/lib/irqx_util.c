// SPDX-License-Identifier: GPL-2.0
/*
 * See irqx_util.h.
 */
#include <linux/capability.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

#include "arch.h"

/* No test can do without; said before the harness announces a plan. */
static void __attribute__((constructor)) irqx_require_device(void)
{
	if (access(IRQX_DEV_PATH, F_OK)) {
		printf("1..0 # SKIP no " IRQX_DEV_PATH ": kvm_irqx is not loaded\n");
		exit(KSFT_SKIP);
	}
}

bool irqx_kernel_since(int major, int minor)
{
	struct utsname uts;
	int is_major, is_minor;

	uname(&uts);
	TEST_ASSERT(sscanf(uts.release, "%d.%d", &is_major, &is_minor) == 2,
		    "uname -r: %s", uts.release);
	return is_major > major || (is_major == major && is_minor >= minor);
}

bool irqx_kernel_is_rt(void)
{
	struct utsname uts;

	uname(&uts);
	return strstr(uts.version, "PREEMPT_RT");
}

static void keep_vm(int kvm, bool irqchip)
{
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);

	if (irqchip)
		ioctl(vm, KVM_CREATE_IRQCHIP, 0);
	ioctl(vm, KVM_CREATE_VCPU, 0);
}

/*
 * KVM has static keys for "there is a VM" (in the scheduler), "there is a vCPU
 * without APIC", "there is a vCPU whose APIC is off".  Tests would turn them on
 * and off by the dozen.  QEMU's TCG (seen with 7.2), when one CPU patches what
 * another is about to run, now and then keeps a translation of the breakpoint
 * that is already gone, and the kernel dies of it or spins for ever.  So these
 * two VMs keep the keys on until the program ends.  They never run.
 */
bool __weak irqx_keeps_vms = true;

static void __attribute__((constructor)) irqx_keep_vms(void)
{
	int kvm = irqx_keeps_vms ? open(KVM_DEV_PATH, O_RDWR | O_CLOEXEC) : -1;

	if (kvm < 0)
		return;
	keep_vm(kvm, true);
	keep_vm(kvm, false);
	close(kvm);
}

/*
 * Contexts
 */

int irqx_open(void)
{
	int ctx = open(IRQX_DEV_PATH, O_RDWR | O_CLOEXEC);

	TEST_ASSERT(ctx >= 0, "open " IRQX_DEV_PATH ": %s", strerror(errno));
	return ctx;
}

int irqx_context(struct kvm_vm *vm)
{
	int ctx = irqx_open();

	irqx_attach(ctx, vm->fd);
	return ctx;
}

struct kvm_irqx_info irqx_info(int ctx)
{
	struct kvm_irqx_info info = { .argsz = sizeof(info) };

	irqx_assert(__irqx_ioctl(ctx, KVM_IRQX_GET_INFO, &info));
	return info;
}

int __irqx_stats(int ctx, struct kvm_irqx_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	stats->argsz = sizeof(*stats);
	return __irqx_ioctl(ctx, KVM_IRQX_GET_STATS, stats);
}

struct kvm_irqx_stats irqx_stats(int ctx)
{
	struct kvm_irqx_stats stats;

	irqx_assert(__irqx_stats(ctx, &stats));
	return stats;
}

int __irqx_set_gsi_routing(int ctx, const struct kvm_irq_routing_entry *entries,
			   uint32_t nr)
{
	struct kvm_irq_routing *table;
	int err;

	table = calloc(1, sizeof(*table) + nr * sizeof(*entries));
	TEST_ASSERT(table, "no memory");
	table->nr = nr;
	if (nr)
		memcpy(table->entries, entries, nr * sizeof(*entries));
	err = __irqx_ioctl(ctx, KVM_SET_GSI_ROUTING, table);
	free(table);
	return err;
}

int __irqx_assign(int ctx, const struct kvm_irqx_irqfd_direct *irqfds, uint32_t nr,
		  uint32_t *index)
{
	struct kvm_irqx_op *ops = calloc(nr + 1, sizeof(*ops));
	uint32_t i;
	int err;

	TEST_ASSERT(ops, "no memory");
	for (i = 0; i < nr; i++)
		ops[i] = irqx_assign_op(&irqfds[i]);
	err = __irqx_batch(ctx, ops, nr, index);
	free(ops);
	return err;
}

int __irqx_states(int ctx, struct kvm_irqx_target_state *states, uint32_t nr,
		  uint32_t *index)
{
	struct kvm_irqx_get_state args = {
		.nr = nr,
		.state_size = sizeof(*states),
		.states = (uintptr_t)states,
	};
	int err;

	err = __irqx_ioctl(ctx, KVM_IRQX_GET_STATE, &args);
	if (index)
		*index = args.index;
	return err;
}

uint32_t irqx_state(int ctx, int fd, uint32_t gsi)
{
	struct kvm_irqx_target_state state = { .fd = fd, .gsi = gsi };

	irqx_assert(__irqx_states(ctx, &state, 1, NULL));
	return state.state;
}

int __irqx_list(int ctx, uint64_t *cursor, struct kvm_irqx_binding *bindings, uint32_t *nr)
{
	struct kvm_irqx_list list = {
		.cursor = *cursor,
		.nr = *nr,
		.binding_size = sizeof(*bindings),
		.bindings = (uintptr_t)bindings,
	};
	int err = __irqx_ioctl(ctx, KVM_IRQX_LIST, &list);

	*cursor = list.cursor;
	*nr = list.nr;
	return err;
}

uint32_t irqx_list(int ctx, struct kvm_irqx_binding *bindings, uint32_t room)
{
	uint64_t cursor = 0;
	uint32_t nr = room;

	irqx_assert(__irqx_list(ctx, &cursor, bindings, &nr));
	TEST_ASSERT(!cursor, "more than %u bindings", room);
	return nr;
}

struct kvm_irqx_binding irqx_binding(int ctx, int fd)
{
	int id = irqx_eventfd_id(fd);
	struct kvm_irqx_binding binding;
	uint64_t cursor = 0;
	uint32_t nr;

	do {
		nr = 1;
		irqx_assert(__irqx_list(ctx, &cursor, &binding, &nr));
		if (nr && binding.eventfd_id == id)
			return binding;
	} while (cursor);
	/* The list ends with the newest. */
	TEST_ASSERT(nr && binding.eventfd_id == -1, "eventfd %d is not in the list", id);
	return binding;
}

static bool settled(int ctx)
{
	struct kvm_irqx_stats s = irqx_stats(ctx);

	return s.events == s.atomic + s.deferred + s.unrouted;
}

void irqx_settle(int ctx)
{
	TEST_ASSERT(irqx_wait_until(settled(ctx), IRQX_TIMEOUT_MS),
		    "events are still under way after %u ms", IRQX_TIMEOUT_MS);
}

uint64_t irqx_delivered(int ctx)
{
	struct kvm_irqx_stats s;

	irqx_settle(ctx);
	s = irqx_stats(ctx);
	return IRQX_MSI_IS_ATOMIC && s.deferred ? 0 : s.atomic + s.deferred;
}

bool irqx_wait_irqfds(int ctx, uint32_t nr)
{
	return irqx_wait_until(irqx_stats(ctx).irqfds == nr, IRQX_TIMEOUT_MS);
}

/*
 * Eventfds
 */

int irqx_eventfd(unsigned int count, int flags)
{
	int fd = eventfd(count, flags | EFD_NONBLOCK | EFD_CLOEXEC);

	TEST_ASSERT(fd >= 0, "eventfd: %s", strerror(errno));
	return fd;
}

int irqx_eventfd_id(int fd)
{
	char path[64], line[128];
	int id = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	TEST_ASSERT(file, "%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file))
		sscanf(line, "eventfd-id: %d", &id);
	fclose(file);
	return id;
}

void irqx_need_files(uint32_t nr)
{
	struct rlimit limit;

	TEST_ASSERT(!getrlimit(RLIMIT_NOFILE, &limit), "getrlimit: %s",
		    strerror(errno));
	if (limit.rlim_cur >= nr)
		return;
	limit.rlim_cur = nr;
	if (limit.rlim_max < nr)
		limit.rlim_max = nr;
	TEST_ASSERT(!setrlimit(RLIMIT_NOFILE, &limit),
		    "%u open files are more than this system allows: %s", nr,
		    strerror(errno));
}

void irqx_eventfds(int *fds, uint32_t nr)
{
	uint32_t i;

	irqx_need_files(nr + 256);
	for (i = 0; i < nr; i++)
		fds[i] = irqx_eventfd(0, 0);
}

void irqx_close_all(const int *fds, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++)
		close(fds[i]);
}

int __irqx_fire(int fd)
{
	uint64_t one = 1;

	return write(fd, &one, sizeof(one)) == sizeof(one) ? 0 : errno;
}

uint64_t irqx_eventfd_take(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) != sizeof(count)) {
		TEST_ASSERT(errno == EAGAIN, "read an eventfd: %s",
			    strerror(errno));
		return 0;
	}
	return count;
}

/*
 * The guest
 */

static void kick(int sig)
{
	(void)sig;
}

/* Not SA_RESTART: it is to interrupt KVM_RUN. */
static void catch_kicks(void)
{
	struct sigaction action = { .sa_handler = kick };

	sigaction(SIGUSR1, &action, NULL);
}

void __weak irqx_vcpu_exit(struct irqx_vcpu *v)
{
	TEST_FAIL("vCPU %u: unexpected exit %s", v->vcpu->id,
		  exit_reason_str(v->vcpu->run->exit_reason));
}

static void *vcpu_thread(void *arg)
{
	struct irqx_vcpu *v = arg;
	struct ucall uc;

	/* Not only @immediate_exit: get_ucall() clears that. */
	while (!READ_ONCE(v->stop)) {
		if (__vcpu_run(v->vcpu)) {
			TEST_ASSERT(errno == EINTR, "KVM_RUN: %s",
				    strerror(errno));
			continue;
		}
		switch (get_ucall(v->vcpu, &uc)) {
		case UCALL_SYNC:
		case UCALL_PRINTF:
			break;
		case UCALL_ABORT:
			REPORT_GUEST_ASSERT(uc);
			break;
		default:
			irqx_vcpu_exit(v);
		}
	}
	return NULL;
}

void irqx_vcpu_thread_start(struct irqx_vcpu *v, void *(*thread)(void *v))
{
	int err;

	if (v->running)
		return;
	catch_kicks();
	v->stop = false;
	v->vcpu->run->immediate_exit = 0;
	err = pthread_create(&v->thread, NULL, thread, v);
	TEST_ASSERT(!err, "pthread_create: %s", strerror(err));
	v->running = true;
}

void irqx_vcpu_thread_stop(struct irqx_vcpu *v)
{
	if (!v->running)
		return;
	WRITE_ONCE(v->stop, true);
	WRITE_ONCE(v->vcpu->run->immediate_exit, 1);
	pthread_kill(v->thread, SIGUSR1);
	pthread_join(v->thread, NULL);
	v->running = false;
}

void irqx_vcpu_first(struct irqx_vcpu *v)
{
	struct sched_param param = { .sched_priority = 1 };
	int err = pthread_setschedparam(v->thread, SCHED_FIFO, &param);

	TEST_ASSERT(!err, "SCHED_FIFO: %s", strerror(err));
}

void irqx_vcpu_start(struct irqx_guest *g, uint32_t vcpu)
{
	irqx_vcpu_thread_start(&g->vcpus[vcpu], vcpu_thread);
}

void irqx_vcpu_stop(struct irqx_guest *g, uint32_t vcpu)
{
	irqx_vcpu_thread_stop(&g->vcpus[vcpu]);
}

void irqx_guest_start(struct irqx_guest *g)
{
	uint32_t i;

	for (i = 0; i < g->nr_vcpus; i++)
		irqx_vcpu_start(g, i);
	for (i = 0; i < g->nr_vcpus; i++)
		TEST_ASSERT(irqx_wait_until(READ_ONCE(g->vcpus[i].cpu->ready),
					    IRQX_TIMEOUT_MS),
			    "vCPU %u does not start", i);
}

void irqx_guest_stop(struct irqx_guest *g)
{
	uint32_t i;

	for (i = 0; i < g->nr_vcpus; i++)
		irqx_vcpu_stop(g, i);
}

struct irqx_guest *__irqx_guest_create(uint32_t nr_vcpus, const uint32_t *ids,
				       uint32_t flags)
{
	vm_vaddr_t cpus;
	struct irqx_guest *g;
	struct irqx_vcpu *v;
	uint32_t i;

	TEST_ASSERT(nr_vcpus && nr_vcpus <= IRQX_MAX_VCPUS, "%u vCPUs", nr_vcpus);
	catch_kicks();

	g = calloc(1, sizeof(*g));
	TEST_ASSERT(g, "no memory");
	g->vcpus = calloc(nr_vcpus, sizeof(*g->vcpus));
	TEST_ASSERT(g->vcpus, "no memory");
	g->nr_vcpus = nr_vcpus;
	g->vm = vm_create(nr_vcpus);
	irqx_arch_vm_init(g->vm, flags);

	cpus = vm_vaddr_alloc(g->vm, nr_vcpus * sizeof(struct irqx_cpu),
			      KVM_UTIL_MIN_VADDR);
	for (i = 0; i < nr_vcpus; i++) {
		v = &g->vcpus[i];
		v->vcpu = vm_vcpu_add(g->vm, ids ? ids[i] : i, irqx_guest_main);
		v->cpu = (struct irqx_cpu *)addr_gva2hva(g->vm, cpus) + i;
		v->cpu->self = cpus + i * sizeof(struct irqx_cpu);
		v->cpu->index = i;
		v->cpu->flags = flags;
		irqx_arch_vcpu_init(v);
	}
	irqx_arch_guest_init(g);

	g->ctx = flags & IRQX_GUEST_NO_CONTEXT ? -1 : irqx_context(g->vm);

	/* Let them enable their interrupt controllers. */
	if (!(flags & IRQX_GUEST_UNBOOTED)) {
		irqx_guest_start(g);
		irqx_guest_stop(g);
	}
	return g;
}

struct irqx_guest *irqx_guest_create(uint32_t nr_vcpus)
{
	return __irqx_guest_create(nr_vcpus, NULL, 0);
}

void irqx_guest_free(struct irqx_guest *g)
{
	irqx_guest_stop(g);
	if (g->ctx >= 0)
		close(g->ctx);
	irqx_arch_guest_free(g);
	kvm_vm_free(g->vm);
	free(g->vcpus);
	free(g);
}

uint64_t irqx_count(struct irqx_guest *g, uint32_t vcpu, uint32_t irq)
{
	return READ_ONCE(g->vcpus[vcpu].cpu->count[irq]);
}

uint64_t irqx_vcpu_total(struct irqx_guest *g, uint32_t vcpu)
{
	return READ_ONCE(g->vcpus[vcpu].cpu->total);
}

uint64_t irqx_total(struct irqx_guest *g)
{
	uint64_t total = 0;
	uint32_t i;

	for (i = 0; i < g->nr_vcpus; i++)
		total += irqx_vcpu_total(g, i);
	return total;
}

bool __irqx_wait_count(struct irqx_guest *g, uint32_t vcpu, uint32_t irq,
		       uint64_t count)
{
	return irqx_wait_until(irqx_count(g, vcpu, irq) >= count,
			       IRQX_TIMEOUT_MS);
}

bool __irqx_wait_total(struct irqx_guest *g, uint64_t total)
{
	return irqx_wait_until(irqx_total(g) >= total, IRQX_TIMEOUT_MS);
}

void irqx_wait_count(struct irqx_guest *g, uint32_t vcpu, uint32_t irq,
		     uint64_t count)
{
	TEST_ASSERT(__irqx_wait_count(g, vcpu, irq, count),
		    "vCPU %u has taken irq %u %lu times in %u ms, not %lu",
		    vcpu, irq, irqx_count(g, vcpu, irq), IRQX_TIMEOUT_MS, count);
}

void irqx_wait_total(struct irqx_guest *g, uint64_t total)
{
	TEST_ASSERT(__irqx_wait_total(g, total),
		    "the guest has taken %lu irqs in %u ms, not %lu",
		    irqx_total(g), IRQX_TIMEOUT_MS, total);
}

void irqx_fence(struct irqx_guest *g)
{
	uint32_t before[IRQX_MAX_VCPUS];
	uint32_t i;

	for (i = 0; i < g->nr_vcpus; i++) {
		TEST_ASSERT(g->vcpus[i].running, "vCPU %u does not run", i);
		before[i] = READ_ONCE(g->vcpus[i].cpu->fences);
		irqx_arch_fence(g, i);
	}
	for (i = 0; i < g->nr_vcpus; i++)
		TEST_ASSERT(irqx_wait_until(READ_ONCE(g->vcpus[i].cpu->fences) != before[i],
					    IRQX_TIMEOUT_MS),
			    "vCPU %u takes no interrupts", i);
}

void irqx_expect(struct irqx_guest *g, uint32_t vcpu, uint32_t irq, uint64_t n)
{
	g->vcpus[vcpu].expect[irq] += n;
}

void irqx_fire_at(struct irqx_guest *g, int fd, uint32_t vcpu, uint32_t irq)
{
	irqx_fire(fd);
	irqx_expect(g, vcpu, irq, 1);
	irqx_wait_count(g, vcpu, irq, g->vcpus[vcpu].expect[irq]);
}

void irqx_expect_no_more(struct irqx_guest *g, uint64_t total)
{
	uint64_t taken;

	irqx_fence(g);
	taken = irqx_total(g);
	TEST_ASSERT(taken == total, "%lu interrupts, not %lu", taken, total);
}

struct irqx_verdict __irqx_check(struct irqx_guest *g)
{
	struct irqx_verdict verdict = {};
	uint64_t expected, counted;
	uint32_t vcpu, irq;

	if (g->ctx >= 0)
		irqx_settle(g->ctx);
	irqx_fence(g);

	for (vcpu = 0; vcpu < g->nr_vcpus; vcpu++) {
		for (irq = 0; irq < IRQX_NR_IRQS; irq++) {
			expected = g->vcpus[vcpu].expect[irq];
			counted = irqx_count(g, vcpu, irq);
			verdict.taken += counted;
			if (counted == expected)
				continue;
			if (!verdict.lost && !verdict.extra) {
				verdict.vcpu = vcpu;
				verdict.irq = irq;
				verdict.expected = expected;
				verdict.counted = counted;
			}
			if (counted < expected)
				verdict.lost += expected - counted;
			else
				verdict.extra += counted - expected;
		}
	}
	return verdict;
}

void irqx_check(struct irqx_guest *g)
{
	const uint64_t end = irqx_now_ns() + irqx_slowness() * 1000000000ULL;
	struct irqx_verdict v;

	/*
	 * A fence does not wait for what the work queue has yet to deliver for
	 * another context than g->ctx.
	 */
	do {
		v = __irqx_check(g);
	} while (v.lost && !v.extra && irqx_now_ns() < end);

	TEST_ASSERT(!v.lost && !v.extra,
		    "%lu interrupts lost, %lu too many; first at vCPU %u irq %u: %lu, not %lu",
		    v.lost, v.extra, v.vcpu, v.irq, v.counted, v.expected);
}

void irqx_forget(struct irqx_guest *g)
{
	uint32_t vcpu, irq;

	for (vcpu = 0; vcpu < g->nr_vcpus; vcpu++)
		for (irq = 0; irq < IRQX_NR_IRQS; irq++)
			g->vcpus[vcpu].expect[irq] = irqx_count(g, vcpu, irq);
}

struct kvm_irq_routing_entry irqx_pin_entry(uint32_t irqchip, uint32_t pin)
{
	struct kvm_irq_routing_entry entry = { .type = KVM_IRQ_ROUTING_IRQCHIP };

	entry.u.irqchip.irqchip = irqchip;
	entry.u.irqchip.pin = pin;
	return entry;
}

int irqx_signal_msi(struct kvm_vm *vm, struct kvm_irq_routing_entry entry)
{
	struct kvm_msi msi = {
		.address_lo = entry.u.msi.address_lo,
		.address_hi = entry.u.msi.address_hi,
		.data = entry.u.msi.data,
		.flags = entry.flags,
		.devid = entry.u.msi.devid,
	};
	int ret = ioctl(vm->fd, KVM_SIGNAL_MSI, &msi);

	return ret < 0 ? -errno : ret;
}

/*
 * Drivers
 */

#define STORM_BURST	64
#define STORM_PAUSE_US	100

static void *storm_thread(void *arg)
{
	struct irqx_storm *storm = arg;
	uint32_t i = 0;

	while (!READ_ONCE(storm->stop)) {
		irqx_fire(storm->fds[i]);
		WRITE_ONCE(storm->fired, storm->fired + 1);
		i = (i + 1) % storm->nr;
		/*
		 * KVM kicks a running vCPU for every event, one that it coalesces
		 * too: without a pause the guest hardly gets an instruction done
		 * (measured in TCG: 1,500 events for one interrupt taken).
		 */
		if (storm->fired % STORM_BURST == 0)
			usleep(STORM_PAUSE_US);
	}
	return NULL;
}

void irqx_storm_start(struct irqx_storm *storm, const int *fds, uint32_t nr)
{
	int err;

	*storm = (struct irqx_storm){ .fds = fds, .nr = nr };
	err = pthread_create(&storm->thread, NULL, storm_thread, storm);
	TEST_ASSERT(!err, "pthread_create: %s", strerror(err));
}

uint64_t irqx_storm_stop(struct irqx_storm *storm)
{
	WRITE_ONCE(storm->stop, true);
	pthread_join(storm->thread, NULL);
	return storm->fired;
}

struct race {
	void (*b)(void *arg, uint32_t i);
	void *arg;
	uint32_t n;
	uint32_t arrived;		/* of both sides, over all rounds */
};

/* A barrier; not a pthread's, whose wake-up would give one side a head start. */
static void race_meet(struct race *race, uint32_t nth)
{
	uint32_t tries;

	__atomic_add_fetch(&race->arrived, 1, __ATOMIC_SEQ_CST);
	for (tries = 0;
	     __atomic_load_n(&race->arrived, __ATOMIC_SEQ_CST) < 2 * nth; tries++)
		if (tries > 1000)
			sched_yield();
}

static void *race_thread(void *arg)
{
	struct race *race = arg;
	uint32_t i;

	for (i = 0; i < race->n; i++) {
		race_meet(race, 2 * i + 1);
		race->b(race->arg, i);
		race_meet(race, 2 * i + 2);
	}
	return NULL;
}

void irqx_race(void (*a)(void *arg, uint32_t i), void (*b)(void *arg, uint32_t i),
	       void (*after)(void *arg, uint32_t i), void *arg, uint32_t n)
{
	struct race race = { .b = b, .arg = arg, .n = n };
	pthread_t thread;
	uint32_t i;
	int err;

	err = pthread_create(&thread, NULL, race_thread, &race);
	TEST_ASSERT(!err, "pthread_create: %s", strerror(err));
	for (i = 0; i < n; i++) {
		race_meet(&race, 2 * i + 1);
		a(arg, i);
		race_meet(&race, 2 * i + 2);
		if (after)
			after(arg, i);
	}
	pthread_join(thread, NULL);
}

/*
 * Processes
 */

cpu_set_t irqx_on_cpu(int cpu)
{
	cpu_set_t before, one;

	TEST_ASSERT(!sched_getaffinity(0, sizeof(before), &before), "getaffinity");
	if (cpu < 0)
		for (cpu = 0; !CPU_ISSET(cpu, &before); cpu++)
			;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	TEST_ASSERT(!sched_setaffinity(0, sizeof(one), &one), "CPU %d: %s", cpu,
		    strerror(errno));
	return before;
}

int irqx_in_child(int (*fn)(void *arg), void *arg)
{
	int status;
	pid_t pid;

	fflush(stdout);
	fflush(stderr);
	pid = fork();
	TEST_ASSERT(pid >= 0, "fork: %s", strerror(errno));
	if (!pid)
		_exit(fn(arg));
	TEST_ASSERT(waitpid(pid, &status, 0) == pid, "waitpid: %s",
		    strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void irqx_drop_sys_admin(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	uint32_t mask = CAP_TO_MASK(CAP_SYS_ADMIN);

	TEST_ASSERT(!syscall(SYS_capget, &header, data), "capget: %s",
		    strerror(errno));
	data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective &= ~mask;
	data[CAP_TO_INDEX(CAP_SYS_ADMIN)].permitted &= ~mask;
	data[CAP_TO_INDEX(CAP_SYS_ADMIN)].inheritable &= ~mask;
	TEST_ASSERT(!syscall(SYS_capset, &header, data), "capset: %s",
		    strerror(errno));
}

int irqx_module_refs(void)
{
	FILE *f = fopen("/sys/module/kvm_irqx/refcnt", "r");
	int refs = -1;

	if (!f)
		return -1;
	if (fscanf(f, "%d", &refs) != 1)
		refs = -1;
	fclose(f);
	return refs;
}

bool irqx_wait_module_refs(int refs)
{
	return irqx_wait_until(irqx_module_refs() <= refs, IRQX_TIMEOUT_MS);
}

/*
 * Sundry
 */

uint32_t irqx_slowness(void)
{
	const char *env = getenv("IRQX_SLOW");

	return env ? atoi(env) : 1;
}

uint64_t irqx_env(const char *name, uint64_t usual)
{
	const char *env = getenv(name);

	return env && *env ? strtoull(env, NULL, 0) : usual;
}

struct irqx_random irqx_random(uint64_t seed, uint64_t stream)
{
	uint64_t x = seed + stream * 0x9e3779b97f4a7c15ULL;

	/* splitmix64 */
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return (struct irqx_random){ .state = (x ^ x >> 31) | 1 };
}

/* xorshift64* */
uint32_t irqx_random_next(struct irqx_random *random)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return (random->state * 0x2545f4914f6cdd1dULL) >> 32;
}

uint64_t irqx_iterations(uint64_t n, uint64_t soak)
{
	return (irqx_env("SOAK", 0) ? soak : n) / irqx_slowness();
}

uint64_t irqx_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

void irqx_pause(uint32_t tries)
{
	if (tries < 100)
		sched_yield();
	else
		usleep(50);
}

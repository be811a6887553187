// SPDX-License-Identifier: GPL-2.0
/*
 * Random calls from several threads, while eventfds fire, files are closed and
 * opened, and vCPUs run and are upset by what they get.  Nothing may break; the
 * kernel log and the unloading of the module afterwards are the rig's to check.
 *
 *	SEED=n	as printed by another run; threads race, so the same seed is
 *		the same calls, but not the same order
 *	SOAK=1	10 minutes instead of 20 s
 */
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "irqx_util.h"
#include "irqx_harness.h"

#define NR_THREADS	4
#define NR_CONTEXTS	8
#define NR_EVENTFDS	64
#define ARG_SIZE	65536

enum call {
	GET_INFO, ATTACH, GET_STATS, DIRECT, ROUTE, SET_GSI_ROUTING, IRQFD,
	IRQ_LINE, SYNIC_PAGE, NR_CALLS,
};

/* Without the last where nobody would take it. */
#define NR_TRIED	(NR_CALLS - !IRQX_HAS_SYNIC)

static const struct {
	const char *name;
	unsigned long cmd;
	size_t size;		/* of what always is there */
} calls[NR_CALLS] = {
	{ "GET_INFO", KVM_IRQX_GET_INFO, sizeof(struct kvm_irqx_info) },
	{ "ATTACH", KVM_IRQX_ATTACH, sizeof(struct kvm_irqx_attach) },
	{ "GET_STATS", KVM_IRQX_GET_STATS, sizeof(struct kvm_irqx_stats) },
	{ "DIRECT", KVM_IRQFD_DIRECT, sizeof(struct kvm_irqfd_direct) },
	{ "ROUTE", KVM_IRQX_ROUTE, sizeof(struct kvm_irqx_route) },
	{ "SET_GSI_ROUTING", KVM_SET_GSI_ROUTING,
	  sizeof(struct kvm_irq_routing) },
	{ "IRQFD", KVM_IRQFD, sizeof(struct kvm_irqfd) },
	{ "IRQ_LINE", KVM_IRQ_LINE, sizeof(struct kvm_irq_level) },
	{ "SYNIC_PAGE", KVM_IRQX_SYNIC_PAGE,
	  sizeof(struct kvm_irqx_synic_page) },
};

static struct irqx_guest *guest;
static struct kvm_vm *bare_vm;		/* without irqchip */
static uint32_t max_gsi;
static uint64_t synic_pages;		/* two of the guest */
static bool stop;

/* -1 while a thread has it out to close it. */
static int contexts[NR_CONTEXTS];
static int eventfds[NR_EVENTFDS];

struct fuzzer {
	pthread_t thread;
	uint64_t state;
	char *arg;			/* ARG_SIZE bytes, then nothing */
	char *read_only;		/* a page */
	uint64_t calls[NR_CALLS];
	uint64_t successes[NR_CALLS];
	uint64_t others;		/* numbers that are none of ours */
	uint64_t fires;
	uint64_t taken_for_ours;	/* of @others */
};

/* xorshift64*: the same everywhere, and a state per thread. */
static uint32_t rnd(struct fuzzer *f)
{
	f->state ^= f->state >> 12;
	f->state ^= f->state << 25;
	f->state ^= f->state >> 27;
	return (f->state * 0x2545f4914f6cdd1dULL) >> 32;
}

static uint32_t below(struct fuzzer *f, uint32_t n)
{
	return rnd(f) % n;
}

static bool one_in(struct fuzzer *f, uint32_t n)
{
	return !below(f, n);
}

static uint32_t interesting(struct fuzzer *f)
{
	const uint32_t values[] = {
		0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 23, 24, 25, 31, 32, 255, 256,
		4095, 4096, 65535, 65536, 65537, max_gsi - 1, max_gsi,
		max_gsi + 1, 0x7fffffff, 0x80000000, ~0U, rnd(f),
	};

	return values[below(f, ARRAY_SIZE(values))];
}

/* @usual, or now and then anything. */
static uint32_t mostly(struct fuzzer *f, uint32_t usual)
{
	return one_in(f, 40) ? interesting(f) : usual;
}

static int any_context(struct fuzzer *f)
{
	return READ_ONCE(contexts[below(f, NR_CONTEXTS)]);
}

static int any_eventfd(struct fuzzer *f)
{
	return READ_ONCE(eventfds[below(f, NR_EVENTFDS)]);
}

static int any_fd(struct fuzzer *f)
{
	switch (below(f, 30)) {
	case 0:
		return guest->vm->fd;
	case 1:
		return guest->vcpus[0].vcpu->fd;
	case 2:
		return any_context(f);
	case 3:
		return below(f, 300);
	case 4:
		return interesting(f);
	default:
		return any_eventfd(f);
	}
}

static uint32_t any_gsi(struct fuzzer *f)
{
	return mostly(f, one_in(f, 8) ? below(f, max_gsi) : below(f, 16));
}

#include "irqx_fuzz.h"

static struct kvm_irq_routing_entry any_entry(struct fuzzer *f)
{
	struct kvm_irq_routing_entry entry = arch_entry(f);

	entry.flags = mostly(f, entry.flags);
	entry.pad = mostly(f, 0);
	entry.gsi = any_gsi(f);
	return entry;
}

/* Return: how many bytes of f->arg are the argument. */
static size_t fill(struct fuzzer *f, enum call call)
{
	size_t size = calls[call].size;
	uint32_t i, nr;

	memset(f->arg, 0, 64);
	switch (call) {
	case GET_INFO:
	case GET_STATS:
		*(uint32_t *)f->arg = mostly(f, size);
		break;
	case ATTACH: {
		struct kvm_irqx_attach *attach = (void *)f->arg;

		attach->vm_fd = one_in(f, 8) ? any_fd(f) :
				one_in(f, 8) ? bare_vm->fd : guest->vm->fd;
		attach->flags = mostly(f, 0);
		break;
	}
	case DIRECT: {
		struct kvm_irqfd_direct *direct = (void *)f->arg;

		direct->fd = any_fd(f);
		direct->resamplefd = any_fd(f);
		direct->flags = mostly(f, one_in(f, 3) ?
				       KVM_IRQFD_DIRECT_DEASSIGN :
				       one_in(f, 2) ? KVM_IRQFD_DIRECT_MODIFY :
				       one_in(f, 3) ? KVM_IRQFD_DIRECT_RESAMPLE : 0);
		if (one_in(f, 10))
			direct->flags |= KVM_IRQFD_DIRECT_EVENT_FLAG;
		direct->event_flag = mostly(f, one_in(f, 10) ? below(f, 2048) : 0);
		direct->entry = any_entry(f);
		direct->entry.gsi = mostly(f, 0);
		break;
	}
	case ROUTE: {
		struct kvm_irqx_route *route = (void *)f->arg;

		nr = 1 + below(f, one_in(f, 10) ? 1000 : 4);
		for (i = 0; i < nr; i++) {
			route->ops[i].op = mostly(f, 1 + below(f, 3));
			route->ops[i].pad = one_in(f, 4000);
			route->ops[i].entry = any_entry(f);
		}
		route->nr = mostly(f, nr);
		route->flags = mostly(f, 0);
		route->pad = mostly(f, 0);
		size += nr * sizeof(route->ops[0]);
		break;
	}
	case SET_GSI_ROUTING: {
		struct kvm_irq_routing *table = (void *)f->arg;

		nr = below(f, one_in(f, 10) ? 1000 : 6);
		for (i = 0; i < nr; i++)
			table->entries[i] = any_entry(f);
		table->nr = mostly(f, nr);
		table->flags = mostly(f, 0);
		size += nr * sizeof(table->entries[0]);
		break;
	}
	case IRQFD: {
		struct kvm_irqfd *irqfd = (void *)f->arg;

		irqfd->fd = any_fd(f);
		irqfd->gsi = any_gsi(f);
		irqfd->flags = mostly(f, one_in(f, 3) ?
				      KVM_IRQFD_FLAG_DEASSIGN :
				      one_in(f, 4) ? KVM_IRQFD_FLAG_RESAMPLE : 0);
		irqfd->resamplefd = any_fd(f);
		break;
	}
	case IRQ_LINE: {
		struct kvm_irq_level *line = (void *)f->arg;

		line->irq = any_gsi(f);
		line->level = mostly(f, below(f, 2));
		break;
	}
	case SYNIC_PAGE: {
		struct kvm_irqx_synic_page *page = (void *)f->arg;

		page->vp_index = mostly(f, below(f, 3));
		page->flags = mostly(f, below(f, 4) ?
				     KVM_IRQX_SYNIC_PAGE_ENABLED : 0);
		if (page->flags)
			page->gpa = one_in(f, 8) ?
				    (uint64_t)interesting(f) << 32 :
				    mostly(f, 0) + synic_pages + 4096 * below(f, 2);
		break;
	}
	case NR_CALLS:
		break;
	}
	return size;
}

static void *place(struct fuzzer *f, size_t size)
{
	char *at;

	switch (below(f, 100)) {
	case 0:
		return NULL;
	case 1:
		return (void *)(0xffff888000000000UL + rnd(f));
	case 2:
		return f->read_only;
	case 3 ... 5:	/* its end is missing */
		size -= below(f, size);
		fallthrough;
	case 6 ... 30:
		at = f->arg + ARG_SIZE - size;
		return memmove(at, f->arg, size);
	default:
		return f->arg;
	}
}

static void do_call(struct fuzzer *f)
{
	enum call call = below(f, NR_TRIED);
	int ctx = any_context(f);
	size_t size, i;

	size = fill(f, call);
	if (one_in(f, 30))
		for (i = 0; i < size; i += 4)
			if (one_in(f, 4))
				*(uint32_t *)(f->arg + i) = interesting(f);
	if (one_in(f, 100))
		ctx = any_fd(f);
	f->calls[call]++;
	if (!ioctl(ctx, calls[call].cmd, place(f, size)))
		f->successes[call]++;
}

/* Numbers that are not ours, in all sizes and directions. */
static void do_other(struct fuzzer *f)
{
	unsigned long cmd;
	unsigned int i;

	cmd = _IOC(below(f, 4), one_in(f, 8) ? below(f, 256) : KVMIO,
		   below(f, 256), one_in(f, 2) ? below(f, 64) : below(f, 16384));
	for (i = 0; i < NR_CALLS; i++)
		if (cmd == calls[i].cmd)
			return;
	/* The VFS has its own; it freezes file systems, for one. */
	if (_IOC_TYPE(cmd) == 'X' || _IOC_TYPE(cmd) == 'T' ||
	    _IOC_TYPE(cmd) == 'f' || _IOC_TYPE(cmd) == 0x94 ||
	    _IOC_TYPE(cmd) == 0x15 || cmd < 256)
		return;
	memset(f->arg, 0, 64);
	f->others++;
	if (!ioctl(any_context(f), cmd, f->arg))
		f->taken_for_ours++;
}

/* KVM's own irqfds on the same eventfds. */
static void do_kvm(struct fuzzer *f)
{
	__irqx_irqfd(guest->vm->fd, any_eventfd(f), below(f, 16),
		     one_in(f, 2) ? KVM_IRQFD_FLAG_DEASSIGN : 0);
}

static void do_fire(struct fuzzer *f)
{
	uint64_t n = mostly(f, 1);

	if (write(any_eventfd(f), &n, sizeof(n)) == sizeof(n))
		f->fires++;
	if (one_in(f, 10))
		(void)!read(any_eventfd(f), &n, sizeof(n));
}

static int new_eventfd(struct fuzzer *f)
{
	return irqx_eventfd(mostly(f, below(f, 2)),
			    one_in(f, 4) ? EFD_SEMAPHORE : 0);
}

static void do_reopen_eventfd(struct fuzzer *f)
{
	uint32_t i = below(f, NR_EVENTFDS);
	int fd = __atomic_exchange_n(&eventfds[i], -1, __ATOMIC_SEQ_CST);

	if (fd < 0)
		return;
	close(fd);
	__atomic_store_n(&eventfds[i], new_eventfd(f), __ATOMIC_SEQ_CST);
}

static void do_reopen_context(struct fuzzer *f)
{
	uint32_t i = below(f, NR_CONTEXTS);
	int fd = __atomic_exchange_n(&contexts[i], -1, __ATOMIC_SEQ_CST);
	int copy = -1;

	if (fd < 0)
		return;
	if (one_in(f, 3))
		copy = dup(fd);
	close(fd);
	fd = irqx_open();
	if (!one_in(f, 4))
		irqx_attach(fd, one_in(f, 10) ? bare_vm->fd : guest->vm->fd);
	__atomic_store_n(&contexts[i], fd, __ATOMIC_SEQ_CST);
	if (copy >= 0)
		close(copy);
}

static void *fuzz_thread(void *arg)
{
	struct fuzzer *f = arg;

	while (!READ_ONCE(stop)) {
		switch (below(f, 100)) {
		case 0:
			do_reopen_context(f);
			break;
		case 1 ... 3:
			do_reopen_eventfd(f);
			break;
		case 4 ... 30:
			do_fire(f);
			break;
		case 31 ... 34:
			do_other(f);
			break;
		case 35:
			do_kvm(f);
			break;
		default:
			do_call(f);
		}
	}
	return NULL;
}

static void *runner_thread(void *arg)
{
	struct runner *r = arg;

	/* As irqx_guest_stop() has left it. */
	r->vcpu->run->immediate_exit = 0;
	while (!READ_ONCE(stop)) {
		/* Signals come now and then: after an INIT it waits for ever. */
		if (!__vcpu_run(r->vcpu))
			r->astray++;
		runner_restore(r);
	}
	return NULL;
}

FIXTURE(fuzz)
{
	struct fuzzer fuzzers[NR_THREADS];
	struct runner runners[2];
	uint32_t seed;
	int refs;
	int keeper;
};

/*
 * A context with a resamplefd each on a pin and a SINT.  The module has its
 * probes in KVM while there is one, and irqx_util.c says how badly QEMU takes it
 * if code that vCPUs run is patched again and again.
 */
static int keep_probes(void)
{
	struct kvm_irqfd_direct direct = {
		.fd = irqx_eventfd(0, 0),
		.resamplefd = irqx_eventfd(0, 0),
		.flags = KVM_IRQFD_DIRECT_RESAMPLE,
		.entry = irqx_pin_entry(IRQX_IRQCHIP, 23),
	};
	int ctx = irqx_context(guest->vm);

	irqx_assert(__irqx_ioctl(ctx, KVM_IRQFD_DIRECT, &direct));
	if (irqx_info(ctx).features & KVM_IRQX_FEATURE_HV_SINT) {
		direct.fd = irqx_eventfd(0, 0);
		memset(&direct.entry, 0, sizeof(direct.entry));
		direct.entry.type = KVM_IRQ_ROUTING_HV_SINT;
		irqx_assert(__irqx_ioctl(ctx, KVM_IRQFD_DIRECT, &direct));
	}
	return ctx;
}

FIXTURE_SETUP(fuzz)
{
	const char *seed = getenv("SEED");
	struct fuzzer *f;
	int i;

	self->seed = seed && *seed ? strtoul(seed, NULL, 0) : irqx_now_ns();
	self->refs = irqx_module_refs();
	TH_LOG("SEED=%u", self->seed);

	guest = __irqx_guest_create(2, NULL, IRQX_GUEST_NO_CONTEXT);
	bare_vm = vm_create_barebones();
	synic_pages = addr_gva2gpa(guest->vm, vm_vaddr_alloc_pages(guest->vm, 2));
	arch_setup();

	self->keeper = keep_probes();
	for (i = 0; i < NR_CONTEXTS; i++)
		contexts[i] = irqx_context(guest->vm);
	irqx_eventfds(eventfds, NR_EVENTFDS);
	max_gsi = irqx_info(contexts[0]).max_gsi;

	for (i = 0; i < NR_THREADS; i++) {
		f = &self->fuzzers[i];
		f->state = self->seed * 0x9e3779b97f4a7c15ULL + i + 1;
		f->arg = mmap(NULL, ARG_SIZE + getpagesize(), PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(MAP_FAILED, f->arg);
		munmap(f->arg + ARG_SIZE, getpagesize());

		/* What the call reads is any old argument of a good size. */
		f->read_only = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(MAP_FAILED, f->read_only);
		*(uint32_t *)f->read_only = 32;
		mprotect(f->read_only, getpagesize(), PROT_READ);
	}
}

FIXTURE_TEARDOWN(fuzz)
{
	kvm_vm_free(bare_vm);
	irqx_guest_free(guest);
}

TEST_F_TIMEOUT(fuzz, random_calls, 900)
{
	uint64_t seconds = irqx_iterations(20, 600);
	uint64_t nr_calls, successes, others = 0, fires = 0;
	struct kvm_irqx_stats stats;
	struct fuzzer *f;
	uint64_t end;
	int i, k, fd, ctx;

	for (i = 0; i < 2; i++) {
		runner_save(&self->runners[i], guest->vcpus[i].vcpu);
		pthread_create(&self->runners[i].thread, NULL, runner_thread,
			       &self->runners[i]);
	}
	for (i = 0; i < NR_THREADS; i++)
		pthread_create(&self->fuzzers[i].thread, NULL, fuzz_thread,
			       &self->fuzzers[i]);

	for (end = irqx_now_ns() + seconds * 1000000000; irqx_now_ns() < end;) {
		usleep(100000);
		for (i = 0; i < 2; i++)
			pthread_kill(self->runners[i].thread, SIGUSR1);
	}

	WRITE_ONCE(stop, true);
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(self->fuzzers[i].thread, NULL);
	for (i = 0; i < 2; i++) {
		/* until one of them interrupts KVM_RUN */
		do {
			pthread_kill(self->runners[i].thread, SIGUSR1);
			usleep(10000);
		} while (pthread_tryjoin_np(self->runners[i].thread, NULL));
	}

	/* Each call has been let through to where it does something. */
	for (k = 0; k < NR_TRIED; k++) {
		for (nr_calls = 0, successes = 0, i = 0; i < NR_THREADS; i++) {
			nr_calls += self->fuzzers[i].calls[k];
			successes += self->fuzzers[i].successes[k];
		}
		TH_LOG("%-16s %7lu calls, %7lu successes", calls[k].name, nr_calls, successes);
		EXPECT_LT(0, successes);
		EXPECT_LT(successes, nr_calls);
	}
	for (f = self->fuzzers; f < self->fuzzers + NR_THREADS; f++) {
		others += f->others;
		fires += f->fires;
		EXPECT_EQ(0, f->taken_for_ours);
	}
	TH_LOG("%-16s %7lu calls", "unknown", others);
	TH_LOG("%lu events, vCPUs astray %lu times", fires,
	       self->runners[0].astray + self->runners[1].astray);

	for (i = 0; i < NR_CONTEXTS; i++) {
		if (__irqx_stats(contexts[i], &stats) == ENOTCONN)
			continue;
		irqx_settle(contexts[i]);
		EXPECT_GE(NR_EVENTFDS, irqx_stats(contexts[i]).irqfds);
		irqx_set_gsi_routing(contexts[i], NULL, 0);
		EXPECT_EQ(0, irqx_stats(contexts[i]).gsis);
	}
	irqx_close_all(eventfds, NR_EVENTFDS);
	for (i = 0; i < NR_CONTEXTS; i++)
		if (__irqx_stats(contexts[i], &stats) != ENOTCONN) {
			EXPECT_TRUE(irqx_wait_irqfds(contexts[i], 0));
		}
	irqx_close_all(contexts, NR_CONTEXTS);
	close(self->keeper);
	EXPECT_TRUE(irqx_wait_module_refs(self->refs));

	/* The VM is still of use. */
	arch_calm();
	for (i = 0; i < 2; i++)
		runner_restore(&self->runners[i]);
	ctx = irqx_context(guest->vm);
	fd = irqx_eventfd(0, 0);
	irqx_bind(ctx, fd, irqx_entry(guest, 1, 0x40));
	guest->ctx = ctx;
	irqx_guest_start(guest);
	irqx_fence(guest);
	irqx_forget(guest);
	irqx_fire(fd);
	irqx_expect(guest, 1, 0x40, 1);
	irqx_check(guest);
}

TEST_HARNESS_MAIN

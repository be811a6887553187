// SPDX-License-Identifier: GPL-2.0
/*
 * Who keeps what alive: module, KVM's module, VM, context, eventfd, process.
 *
 * What some tests load is in the environment (irqx_module.h); without, they are
 * skipped.  What concerns KVM's own module is in vendor_test.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "irqx_module.h"
#include "irqx_util.h"
#include "irqx_harness.h"

/*
 * ---- With the module as it is ----
 */

FIXTURE(lifetime)
{
	struct irqx_guest *g;
	int refs;		/* of the module, before all */
	int fds[16];
};

FIXTURE_SETUP(lifetime)
{
	self->refs = irqx_module_refs();
	self->g = irqx_guest_create(1);
	irqx_eventfds(self->fds, ARRAY_SIZE(self->fds));
	irqx_guest_start(self->g);
}

/* All that a test has left behind goes with this process's files. */
FIXTURE_TEARDOWN(lifetime)
{
	irqx_guest_stop(self->g);
}

static void bind_all(struct irqx_guest *g, int ctx, const int *fds, int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		irqx_bind(ctx, fds[i], irqx_entry(g, 0, 0x40 + i));
}

static void fire_all(struct irqx_guest *g, const int *fds, int nr)
{
	int i;

	for (i = 0; i < nr; i++) {
		irqx_expect(g, 0, 0x40 + i, 1);
		irqx_fire(fds[i]);
		irqx_wait_count(g, 0, 0x40 + i, g->vcpus[0].expect[0x40 + i]);
	}
}

static bool nobody_listens(int fd)
{
	return !__irqx_fire(fd) && irqx_eventfd_take(fd) == 1;
}

TEST_F(lifetime, vm_fd_first)
{
	struct irqx_guest *g = self->g;

	bind_all(g, g->ctx, self->fds, 8);
	close(g->vm->fd);
	/* The harness wants to close something, too. */
	g->vm->fd = open("/dev/null", O_RDONLY);
	fire_all(g, self->fds, 8);

	/* The context works on, while vCPUs do ... */
	bind_all(g, g->ctx, self->fds + 8, 8);
	irqx_modify(g->ctx, self->fds[8], irqx_entry(g, 0, 0x40));
	irqx_expect(g, 0, 0x40, 1);
	irqx_fire(self->fds[8]);
	irqx_wait_count(g, 0, 0x40, 2);

	/* ... and when nobody else has the VM. */
	irqx_guest_stop(g);
	kvm_vm_release(g->vm);
	irqx_route_set(g->ctx, 1, irqx_entry(g, 0, 0x50));
	irqx_unbind(g->ctx, self->fds[8]);
	irqx_irqfd(g->ctx, self->fds[8], 1, 0);
	irqx_fire(self->fds[8]);
	irqx_fire(self->fds[9]);
	EXPECT_EQ(16, irqx_stats(g->ctx).irqfds);
	EXPECT_EQ(0, irqx_stats(g->ctx).unrouted);
	irqx_settle(g->ctx);
	close(g->ctx);
	EXPECT_TRUE(nobody_listens(self->fds[8]));
	EXPECT_TRUE(nobody_listens(self->fds[0]));
	EXPECT_EQ(self->refs, irqx_module_refs());
}

TEST_F(lifetime, context_first)
{
	struct irqx_guest *g = self->g;
	int ctx = irqx_context(g->vm);

	bind_all(g, ctx, self->fds, 16);
	fire_all(g, self->fds, 16);
	close(ctx);
	EXPECT_TRUE(nobody_listens(self->fds[3]));
	irqx_check(g);

	/* The VM can have another. */
	ctx = irqx_context(g->vm);
	bind_all(g, ctx, self->fds, 16);
	fire_all(g, self->fds, 16);
	irqx_check(g);
	close(ctx);
}

TEST_F(lifetime, one_of_two_closed)
{
	struct irqx_guest *g = self->g;
	int ctx = irqx_context(g->vm);

	bind_all(g, g->ctx, self->fds, 8);
	irqx_bind(ctx, self->fds[8], irqx_entry(g, 0, 0x60));
	close(ctx);
	EXPECT_TRUE(nobody_listens(self->fds[8]));
	fire_all(g, self->fds, 8);
	irqx_check(g);
}

TEST_F(lifetime, dup)
{
	struct irqx_guest *g = self->g;
	int ctx = irqx_context(g->vm);
	int ctx2 = dup(ctx);
	int fd2;

	bind_all(g, ctx, self->fds, 4);
	close(ctx);
	fire_all(g, self->fds, 4);
	bind_all(g, ctx2, self->fds + 4, 4);

	/* One eventfd, however many descriptors it has. */
	fd2 = dup(self->fds[0]);
	EXPECT_EQ(EBUSY, __irqx_bind(ctx2, fd2, irqx_entry(g, 0, 0x50)));
	close(self->fds[0]);
	irqx_fire(fd2);
	irqx_expect(g, 0, 0x40, 1);
	irqx_check(g);
	irqx_modify(ctx2, fd2, irqx_entry(g, 0, 0x50));
	irqx_fire(fd2);
	irqx_expect(g, 0, 0x50, 1);
	irqx_check(g);
	EXPECT_EQ(8, irqx_stats(ctx2).irqfds);
	close(fd2);
	EXPECT_TRUE(irqx_wait_irqfds(ctx2, 7));

	close(ctx2);
	EXPECT_TRUE(nobody_listens(self->fds[1]));
}

/* A context lives as long as any process has it open. */
TEST_F(lifetime, inherited)
{
	struct irqx_guest *g = self->g;
	int ctx = irqx_context(g->vm);
	int go[2], status;
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(go));
	bind_all(g, ctx, self->fds, 4);
	pid = fork();
	if (!pid) {
		close(go[1]);
		_exit(read(go[0], &c, 1));
	}
	close(ctx);
	fire_all(g, self->fds, 4);
	close(go[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(nobody_listens(self->fds[0]));
	irqx_check(g);
}

TEST_F(lifetime, close_while_fired)
{
	struct irqx_guest *g = self->g;
	struct irqx_storm storm;
	int refs = irqx_module_refs();
	int i, k, ctx;

	srand(1);
	for (i = 0; i < 100; i++) {
		ctx = irqx_context(g->vm);
		irqx_route_set(ctx, 7, irqx_entry(g, 0, 0x47));
		for (k = 0; k < 16; k++) {
			if (k % 4 == 0)
				irqx_bind(ctx, self->fds[k],
					  irqx_slow_entry(g, 0, 0, 0x45));
			else if (k % 4 == 1)
				irqx_irqfd(ctx, self->fds[k], 7, 0);
			else
				irqx_bind(ctx, self->fds[k],
					  irqx_entry(g, 0, 0x48 + k));
		}
		irqx_storm_start(&storm, self->fds, 16);
		usleep(rand() % 3000);
		close(ctx);
		irqx_fence(g);
		irqx_forget(g);
		usleep(100);
		irqx_check(g);
		irqx_storm_stop(&storm);
		for (k = 0; k < 16; k++)
			irqx_eventfd_take(self->fds[k]);
	}
	EXPECT_LT(0, irqx_total(g));
	EXPECT_EQ(refs, irqx_module_refs());
}

/*
 * ---- Killed processes ----
 */

static void *victim_change(void *arg)
{
	struct irqx_guest *g = arg;
	unsigned int seed = 7, i;
	int fds[32];

	irqx_eventfds(fds, ARRAY_SIZE(fds));
	for (;;) {
		i = rand_r(&seed) % ARRAY_SIZE(fds);
		switch (rand_r(&seed) % 6) {
		case 0:
			__irqx_bind(g->ctx, fds[i], irqx_entry(g, 0, 0x40 + i));
			break;
		case 1:
			__irqx_modify(g->ctx, fds[i],
				      irqx_pin_entry(IRQX_IRQCHIP, i % 24));
			break;
		case 2:
			__irqx_unbind(g->ctx, fds[i]);
			break;
		case 3:
			__irqx_irqfd(g->ctx, fds[i], i % 4, 0);
			break;
		case 4:
			__irqx_route_set(g->ctx, i % 4, irqx_entry(g, 0, 0x50 + i));
			break;
		default:
			close(fds[i]);
			fds[i] = irqx_eventfd(1, 0);
		}
		__irqx_fire(fds[i]);
	}
	return NULL;
}

static void *victim_batch(void *arg)
{
	enum { NR = 5000 };
	struct irqx_guest *g = arg;
	struct kvm_irqx_op *ops = calloc(NR, sizeof(*ops));
	int i;

	for (i = 0; i < NR; i++) {
		ops[i].op = i % 3 ? KVM_IRQX_OP_ROUTE_SET : KVM_IRQX_OP_ROUTE_DEL;
		ops[i].entry = irqx_entry(g, 0, 0x60);
		ops[i].entry.gsi = i * 7;
	}
	for (;;) {
		__irqx_batch(g->ctx, ops, NR, NULL);
		__irqx_set_gsi_routing(g->ctx, NULL, 0);
	}
	return NULL;
}

/*
 * Starts a process that does @run with a guest of its own, until it is killed.
 *
 * Return: the process, once @run has written a byte to @ready.
 */
static pid_t start_victim(struct irqx_guest *g, int (*run)(int ready, int round),
			  int round)
{
	int pipes[2];
	pid_t pid;
	char c;

	TEST_ASSERT(!pipe(pipes), "pipe: %s", strerror(errno));
	pid = fork();
	TEST_ASSERT(pid >= 0, "fork: %s", strerror(errno));
	if (!pid) {
		/* Or it would keep this one's context. */
		close(g->ctx);
		close(pipes[0]);
		_exit(run(pipes[1], round));
	}
	close(pipes[1]);
	TEST_ASSERT(read(pipes[0], &c, 1) == 1, "process %d, round %d, ended early",
		    pid, round);
	close(pipes[0]);
	return pid;
}

static int busy_victim(int ready, int round)
{
	struct irqx_guest *g = irqx_guest_create(1);
	struct irqx_storm storm;
	pthread_t threads[2];
	int fds[16], i;

	irqx_eventfds(fds, ARRAY_SIZE(fds));
	for (i = 0; i < 16; i++)
		irqx_bind(g->ctx, fds[i], (i + round) % 2 ?
			  irqx_entry(g, 0, 0x80 + i) :
			  irqx_pin_entry(IRQX_IRQCHIP, i));
	irqx_guest_start(g);
	irqx_storm_start(&storm, fds, ARRAY_SIZE(fds));
	pthread_create(&threads[0], NULL, victim_change, g);
	pthread_create(&threads[1], NULL, victim_batch, g);
	if (write(ready, "", 1) != 1)
		return 1;
	for (;;)
		pause();
}

TEST_F_TIMEOUT(lifetime, killed, 60)
{
	const char *env = getenv("SEED");
	unsigned int seed = env ? strtoul(env, NULL, 0) : irqx_now_ns() / 1000;
	int n = irqx_iterations(20, 500);
	int refs = irqx_module_refs();
	int i, status;
	pid_t pid;

	TH_LOG("SEED=%u", seed);
	for (i = 0; i < n; i++) {
		pid = start_victim(self->g, busy_victim, i);
		usleep(rand_r(&seed) % 50000);
		EXPECT_LT(refs, irqx_module_refs());
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		EXPECT_TRUE(irqx_wait_module_refs(refs));
	}
	EXPECT_EQ(refs, irqx_module_refs());
}

/*
 * ---- Killed while others wait for the context's lock ----
 */

#define NR_WAITERS	9
#define BIG_BATCH	65536
#define MANY_FDS	2048

struct waiter {
	struct irqx_guest *g;
	uint32_t call;
};

/* Most of the calls fail: what counts is that they wait. */
static void *waiter_thread(void *arg)
{
	struct waiter *w = arg;
	struct irqx_guest *g = w->g;
	struct kvm_irq_routing_entry entry = irqx_entry(g, 0, 0x60);
	struct kvm_irqx_irqfd_direct direct = { .fd = -1, .entry = entry };
	struct kvm_irqx_synic_page page = {};
	struct kvm_irqx_stats stats;

	for (;;) {
		switch (w->call) {
		case 0:
			__irqx_stats(g->ctx, &stats);
			break;
		case 1:
			__irqx_attach(g->ctx, g->vm->fd);
			break;
		case 2:
			__irqx_unbind(g->ctx, -1);
			break;
		case 3:
			__irqx_assign(g->ctx, &direct, 1, NULL);
			break;
		case 4:
			__irqx_irqfd(g->ctx, -1, 0, KVM_IRQFD_FLAG_DEASSIGN);
			break;
		case 5:
			__irqx_irq_line(g->ctx, 5, 0);
			break;
		case 6:
			__irqx_route_set(g->ctx, 6, entry);
			break;
		case 7:
			__irqx_set_gsi_routing(g->ctx, NULL, 0);
			break;
		default:
			if (IRQX_HAS_SYNIC)
				ioctl(g->ctx, KVM_IRQX_SYNIC_PAGE, &page);
			else
				__irqx_route_del(g->ctx, 7);
		}
	}
	return NULL;
}

/* Has the lock almost always: for the changes of one GSI, or for what fails last. */
static int lock_hog(int ready, int round)
{
	bool assign = round % 2;
	struct kvm_irqx_irqfd_direct *irqfds = calloc(MANY_FDS, sizeof(*irqfds));
	struct kvm_irqx_op *ops = calloc(BIG_BATCH, sizeof(*ops));
	struct irqx_guest *g = irqx_guest_create(1);
	struct waiter waiters[NR_WAITERS];
	pthread_t thread;
	uint32_t i;

	irqx_need_files(MANY_FDS + 256);
	for (i = 0; i < BIG_BATCH; i++) {
		ops[i].op = KVM_IRQX_OP_ROUTE_SET;
		ops[i].entry = irqx_entry(g, 0, 0x60);
	}
	for (i = 0; i < MANY_FDS; i++) {
		irqfds[i].fd = assign && i < MANY_FDS - 1 ? irqx_eventfd(0, 0) : -1;
		irqfds[i].entry = irqx_entry(g, 0, 0x60);
	}
	for (i = 0; i < NR_WAITERS; i++) {
		waiters[i] = (struct waiter){ g, i };
		pthread_create(&thread, NULL, waiter_thread, &waiters[i]);
	}
	if (write(ready, "", 1) != 1)
		return 1;
	for (;;) {
		if (assign)
			__irqx_assign(g->ctx, irqfds, MANY_FDS, NULL);
		else
			__irqx_batch(g->ctx, ops, BIG_BATCH, NULL);
	}
}

/*
 * Return: how many threads of @pid, but for its first, are in a sleep that no usual
 * signal ends: they wait for the lock.
 */
static int nr_waiting(pid_t pid)
{
	char path[300], line[300], first[12], *end;
	struct dirent *task;
	int fd, n = 0;
	ssize_t len;
	DIR *dir;

	snprintf(first, sizeof(first), "%d", pid);
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	TEST_ASSERT(dir, "%s: %s", path, strerror(errno));
	while ((task = readdir(dir))) {
		if (task->d_name[0] == '.' || !strcmp(task->d_name, first))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/stat", pid,
			 task->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		len = fd < 0 ? 0 : read(fd, line, sizeof(line) - 1);
		if (fd >= 0)
			close(fd);
		line[len > 0 ? len : 0] = 0;
		/* "number (name) state ..." */
		end = strrchr(line, ')');
		n += end && end[1] == ' ' && end[2] == 'D';
	}
	closedir(dir);
	return n;
}

TEST_F_TIMEOUT(lifetime, killed_while_waiting, 120)
{
	/* Each of the two kinds of hog, however slow the kernel is. */
	int n = max_t(int, irqx_iterations(10, 200), 2);
	int refs = irqx_module_refs();
	int i, status;
	pid_t pid;

	for (i = 0; i < n; i++) {
		pid = start_victim(self->g, lock_hog, i);
		EXPECT_TRUE(irqx_wait_until(nr_waiting(pid) >= NR_WAITERS,
					    IRQX_TIMEOUT_MS));
		kill(pid, SIGKILL);
		ASSERT_TRUE(irqx_wait_until(waitpid(pid, &status, WNOHANG) == pid,
					    IRQX_TIMEOUT_MS));
		EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		EXPECT_TRUE(irqx_wait_module_refs(refs));
	}
}

/*
 * ---- Loading and unloading ----
 */

TEST(version)
{
	static const char path[] = "/sys/module/" IRQX_MODULE_NAME "/version";
	unsigned int major, minor, patch;
	FILE *f = fopen(path, "r");
	int ctx = irqx_open();
	char rest;

	ASSERT_NE(NULL, f);
	ASSERT_EQ(4, fscanf(f, "%u.%u.%u%c", &major, &minor, &patch, &rest));
	EXPECT_EQ('\n', rest);
	EXPECT_EQ(major << 16 | minor << 8 | patch, irqx_info(ctx).version);
	EXPECT_NE(0, irqx_info(ctx).version);
	fclose(f);
	close(ctx);
}

FIXTURE(module)
{
	const char *file;
	int kmsg;
};

FIXTURE_SETUP(module)
{
	self->file = irqx_module_file();
	if (!self->file)
		SKIP(return, "IRQX_MODULE does not name the module's file");
	/* The last test's process may still be going. */
	if (!irqx_wait_module_refs(0))
		SKIP(return, "the module is in use by others");
	self->kmsg = irqx_kmsg_open();
}

/* Others want it loaded, with the parameters that it had. */
FIXTURE_TEARDOWN(module)
{
	if (!irqx_module_present(IRQX_MODULE_NAME)) {
		EXPECT_EQ(0, irqx_module_load(self->file, ""));
	}
}

TEST_F(module, unload_refused_while_open)
{
	int ctx = irqx_open();
	struct irqx_guest *g;

	EXPECT_EQ(1, irqx_module_refs());
	EXPECT_EQ(EWOULDBLOCK, irqx_module_unload(IRQX_MODULE_NAME));
	close(ctx);

	g = irqx_guest_create(1);
	EXPECT_EQ(EWOULDBLOCK, irqx_module_unload(IRQX_MODULE_NAME));
	irqx_guest_free(g);
	EXPECT_EQ(0, irqx_module_unload(IRQX_MODULE_NAME));
	EXPECT_NE(0, access(IRQX_DEV_PATH, F_OK));
	EXPECT_EQ(ENOENT, irqx_module_unload(IRQX_MODULE_NAME));
}

TEST_F_TIMEOUT(module, load_and_unload_in_use, 90)
{
	struct irqx_storm storm;
	struct irqx_guest *g;
	int fds[64], i, round;
	char line[1024];

	irqx_eventfds(fds, ARRAY_SIZE(fds));
	ASSERT_EQ(0, irqx_module_unload(IRQX_MODULE_NAME));
	EXPECT_EQ(0, irqx_kmsg_lines(self->kmsg, line, sizeof(line)));
	for (round = 0; round < 20; round++) {
		ASSERT_EQ(0, irqx_module_load(self->file, ""));
		EXPECT_EQ(1, irqx_kmsg_lines(self->kmsg, line, sizeof(line)))
			TH_LOG("the last: %s", line);

		g = irqx_guest_create(1);
		irqx_route_set(g->ctx, 7, irqx_entry(g, 0, 0x30));
		for (i = 0; i < 64; i++) {
			if (i % 8 == 0)
				irqx_irqfd(g->ctx, fds[i], 7, 0);
			else if (i % 8 == 1)
				irqx_bind(g->ctx, fds[i],
					  irqx_slow_entry(g, 0, 0, 0x31));
			else
				irqx_bind(g->ctx, fds[i],
					  irqx_entry(g, 0, 0x40 + i));
		}
		irqx_guest_start(g);
		irqx_storm_start(&storm, fds, ARRAY_SIZE(fds));
		irqx_wait_total(g, 50);
		EXPECT_EQ(EWOULDBLOCK, irqx_module_unload(IRQX_MODULE_NAME));
		EXPECT_EQ(1, irqx_module_refs());

		/* Half of the times the eventfds are written to all along. */
		if (round % 2)
			irqx_storm_stop(&storm);
		irqx_guest_free(g);
		ASSERT_EQ(0, irqx_module_unload(IRQX_MODULE_NAME));
		if (!(round % 2))
			irqx_storm_stop(&storm);
		for (i = 0; i < 64; i++)
			irqx_eventfd_take(fds[i]);
		EXPECT_EQ(0, irqx_kmsg_lines(self->kmsg, line, sizeof(line)))
			TH_LOG("the last: %s", line);
	}
}

/* One that cannot be meant is refused, one beyond the limit cut down to it. */
TEST_F(module, parameters_out_of_range)
{
	static const char * const names[] = { "max_gsis", "max_irqfds" };
	const uint32_t limit = 1 << 24;
	char params[64], line[1024];
	struct kvm_irqx_info info;
	unsigned int i;
	int ctx;

	ASSERT_EQ(0, irqx_module_unload(IRQX_MODULE_NAME));
	irqx_kmsg_lines(self->kmsg, line, sizeof(line));
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(params, sizeof(params), "%s=0", names[i]);
		EXPECT_EQ(EINVAL, irqx_module_load(self->file, params));
		EXPECT_EQ(1, irqx_kmsg_lines(self->kmsg, line, sizeof(line)));
		EXPECT_NE(NULL, strstr(line, params))
			TH_LOG("%s", line);
		EXPECT_FALSE(irqx_module_present(IRQX_MODULE_NAME));
		EXPECT_NE(0, access(IRQX_DEV_PATH, F_OK));

		snprintf(params, sizeof(params), "%s=%u", names[i], limit + 1);
		ASSERT_EQ(0, irqx_module_load(self->file, params));
		ASSERT_TRUE(irqx_kmsg_line(self->kmsg, line, sizeof(line)));
		EXPECT_NE(NULL, strstr(line, params))
			TH_LOG("%s", line);
		EXPECT_NE(NULL, strstr(line, "16777216"))
			TH_LOG("%s", line);
		EXPECT_EQ(1, irqx_kmsg_lines(self->kmsg, line, sizeof(line)));
		ctx = irqx_open();
		info = irqx_info(ctx);
		EXPECT_EQ(limit, i ? info.max_irqfds : info.max_gsi);
		EXPECT_EQ(1 << 20, i ? info.max_gsi : info.max_irqfds);
		close(ctx);
		ASSERT_EQ(0, irqx_module_unload(IRQX_MODULE_NAME));
		EXPECT_EQ(0, irqx_kmsg_lines(self->kmsg, line, sizeof(line)));

		/* The limit itself is not worth a line. */
		snprintf(params, sizeof(params), "%s=%u", names[i], limit);
		ASSERT_EQ(0, irqx_module_load(self->file, params));
		EXPECT_EQ(1, irqx_kmsg_lines(self->kmsg, line, sizeof(line)));
		ASSERT_EQ(0, irqx_module_unload(IRQX_MODULE_NAME));
	}
}

TEST_F(module, parameters)
{
	struct kvm_irq_routing_entry entries[101];
	struct kvm_irqx_info info;
	struct irqx_guest *g;
	char line[1024];
	int fds[5], i;

	ASSERT_EQ(0, irqx_module_unload(IRQX_MODULE_NAME));
	EXPECT_EQ(EINVAL, irqx_module_load(self->file, "max_gsis=many"));
	irqx_kmsg_lines(self->kmsg, line, sizeof(line));

	ASSERT_EQ(0, irqx_module_load(self->file, "max_gsis=100 max_irqfds=3"));
	EXPECT_EQ(1, irqx_kmsg_lines(self->kmsg, line, sizeof(line)));
	EXPECT_NE(NULL, strstr(line, "100 GSIs and 3 irqfds"));
	g = irqx_guest_create(1);
	info = irqx_info(g->ctx);
	EXPECT_EQ(100, info.max_gsi);
	EXPECT_EQ(3, info.max_irqfds);

	irqx_eventfds(fds, ARRAY_SIZE(fds));
	irqx_bind(g->ctx, fds[0], irqx_entry(g, 0, 0x40));
	irqx_irqfd(g->ctx, fds[1], 99, 0);
	irqx_bind(g->ctx, fds[2], irqx_entry(g, 0, 0x42));
	EXPECT_EQ(ENOSPC, __irqx_bind(g->ctx, fds[3], irqx_entry(g, 0, 0x43)));
	EXPECT_EQ(ENOSPC, __irqx_irqfd(g->ctx, fds[3], 1, 0));
	EXPECT_EQ(3, irqx_stats(g->ctx).irqfds);

	/* Undone by us, or by itself. */
	irqx_unbind(g->ctx, fds[2]);
	irqx_bind(g->ctx, fds[3], irqx_entry(g, 0, 0x43));
	EXPECT_EQ(ENOSPC, __irqx_bind(g->ctx, fds[4], irqx_entry(g, 0, 0x44)));
	close(fds[0]);
	EXPECT_TRUE(irqx_wait_irqfds(g->ctx, 2));
	irqx_bind(g->ctx, fds[4], irqx_entry(g, 0, 0x44));

	irqx_route_set(g->ctx, 99, irqx_entry(g, 0, 0x41));
	EXPECT_EQ(EINVAL, __irqx_route_set(g->ctx, 100, irqx_entry(g, 0, 0x41)));
	EXPECT_EQ(EINVAL, __irqx_route_del(g->ctx, 100));
	EXPECT_EQ(ENOSPC, __irqx_irqfd(g->ctx, fds[2], 100, 0));
	EXPECT_EQ(EINVAL, __irqx_irq_line(g->ctx, 100, 1));
	EXPECT_EQ(1, irqx_stats(g->ctx).gsis);

	irqx_guest_start(g);
	irqx_fire(fds[1]);
	irqx_expect(g, 0, 0x41, 1);
	irqx_fire(fds[3]);
	irqx_expect(g, 0, 0x43, 1);
	irqx_fire(fds[4]);
	irqx_expect(g, 0, 0x44, 1);
	irqx_check(g);

	for (i = 0; i < 101; i++) {
		entries[i] = irqx_entry(g, 0, 0x50);
		entries[i].gsi = i;
	}
	EXPECT_EQ(EINVAL, __irqx_set_gsi_routing(g->ctx, entries, 101));
	EXPECT_EQ(1, irqx_stats(g->ctx).gsis);
	EXPECT_EQ(0, __irqx_set_gsi_routing(g->ctx, entries, 100));
	EXPECT_EQ(100, irqx_stats(g->ctx).gsis);
	irqx_guest_free(g);
	ASSERT_EQ(0, irqx_module_unload(IRQX_MODULE_NAME));
}

/*
 * ---- Refusing to load ----
 */

TEST_F(module, refuses_without_symbol)
{
	const char *file = irqx_variant_file("missing-symbol");
	char line[1024] = "";

	if (!file)
		SKIP(return, "selftests/make-variants has not been run");
	ASSERT_EQ(0, irqx_module_unload(IRQX_MODULE_NAME));
	irqx_kmsg_lines(self->kmsg, line, sizeof(line));
	EXPECT_EQ(ENOENT, irqx_module_load(file, ""));
	EXPECT_EQ(1, irqx_kmsg_lines(self->kmsg, line, sizeof(line)));
	EXPECT_NE(NULL, strstr(line, "kvm_no_such_function"))
		TH_LOG("%s", line);
	/* what is there is not said to be missing */
	EXPECT_EQ(NULL, strstr(line, "kvm_set_routing_entry"));
	EXPECT_FALSE(irqx_module_present(IRQX_MODULE_NAME));
	EXPECT_NE(0, access(IRQX_DEV_PATH, F_OK));
}

#ifdef __aarch64__
#define TRACEFS		"/sys/kernel/tracing"

static void trace_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	TEST_ASSERT(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text),
		    "write %s: %s", path, strerror(errno));
	close(fd);
}

/* Return: how many records there are with @text. */
static int nr_records(const char *text)
{
	FILE *f = fopen(TRACEFS "/trace", "r");
	char line[512];
	int n = 0;

	TEST_ASSERT(f, "open the trace: %s", strerror(errno));
	while (fgets(line, sizeof(line), f))
		n += !!strstr(line, text);
	fclose(f);
	return n;
}

/* KVM that keeps EOIs to itself, and cannot be watched: all works but resamplefds. */
TEST_F(module, loads_without_eois)
{
	const char *file = irqx_variant_file("hidden-eois");
	struct kvm_irq_routing_entry pin = irqx_pin_entry(IRQX_IRQCHIP, 0);
	struct kvm_irqx_irqfd_direct direct = {
		.flags = KVM_IRQX_IRQFD_DIRECT_RESAMPLE,
		.entry = pin,
	};
	char line[1024] = "";
	struct irqx_guest *g;

	if (!file)
		SKIP(return, "selftests/make-variants has not been run");
	ASSERT_EQ(0, irqx_module_unload(IRQX_MODULE_NAME));
	irqx_kmsg_lines(self->kmsg, line, sizeof(line));
	ASSERT_EQ(0, irqx_module_load(file, ""));
	ASSERT_TRUE(irqx_kmsg_line(self->kmsg, line, sizeof(line)));
	EXPECT_NE(NULL, strstr(line, "no resamplefds"))
		TH_LOG("%s", line);
	EXPECT_EQ(1, irqx_kmsg_lines(self->kmsg, line, sizeof(line)));

	g = irqx_guest_create(1);
	EXPECT_EQ(0, irqx_info(g->ctx).features & KVM_IRQX_FEATURE_RESAMPLE);
	EXPECT_NE(0, irqx_info(g->ctx).features & KVM_IRQX_FEATURE_IRQCHIP);
	direct.fd = irqx_eventfd(0, 0);
	direct.resamplefd = irqx_eventfd(0, 0);
	/* ftrace, with no function to hook, answers EINVAL as well, but without a record. */
	trace_write(TRACEFS "/trace", " ");
	trace_write(TRACEFS "/events/kvm_irqx/irqx_reject/enable", "1");
	EXPECT_EQ(EINVAL, __irqx_ioctl(g->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));
	direct.entry = (struct kvm_irq_routing_entry){
		.type = KVM_IRQX_ROUTING_PPI,
		.u.irqchip.pin = 20,
	};
	EXPECT_EQ(EINVAL, __irqx_ioctl(g->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));
	trace_write(TRACEFS "/events/kvm_irqx/irqx_reject/enable", "0");
	EXPECT_EQ(2, nr_records("entry.type: no EOI for a resamplefd"));
	irqx_route_set(g->ctx, 1, pin);
	irqx_irq_line(g->ctx, 1, 1);
	irqx_irq_line(g->ctx, 1, 0);
	irqx_guest_start(g);
	irqx_bind(g->ctx, direct.fd, pin);
	irqx_fire(direct.fd);
	irqx_wait_count(g, 0, IRQX_SPI(0), 1);
	irqx_guest_free(g);
	ASSERT_EQ(0, irqx_module_unload(IRQX_MODULE_NAME));
}
#endif

TEST_F(module, refuses_another_build)
{
	const char *file = irqx_variant_file("other-build");
	char line[1024] = "";
	struct utsname uts;

	if (!file)
		SKIP(return, "selftests/make-variants has not been run");
	uname(&uts);
	ASSERT_EQ(0, irqx_module_unload(IRQX_MODULE_NAME));
	irqx_kmsg_lines(self->kmsg, line, sizeof(line));
	EXPECT_EQ(ENOEXEC, irqx_module_load(file, ""));
	EXPECT_EQ(1, irqx_kmsg_lines(self->kmsg, line, sizeof(line)));
	EXPECT_NE(NULL, strstr(line, "another build"))
		TH_LOG("%s", line);
	EXPECT_NE(NULL, strstr(line, uts.version))
		TH_LOG("%s", line);
	EXPECT_FALSE(irqx_module_present(IRQX_MODULE_NAME));
	EXPECT_NE(0, access(IRQX_DEV_PATH, F_OK));
}

TEST_HARNESS_MAIN

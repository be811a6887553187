// SPDX-License-Identifier: GPL-2.0
/*
 * bench [--icount] [--quick] [MEASUREMENT]...
 *
 * Measures this module beside KVM's own calls.  scripts/bench runs it, and says what
 * its lines on stdout mean: each that begins with "result" is one figure.
 */
#include <linux/random.h>
#include <stdarg.h>

#include "bench.h"

struct bench_options bench;

static const struct {
	const char *name;
	void (*run)(void);
} measurements[] = {
	{ "event", bench_events },
	{ "retarget", bench_retarget },
	{ "bring-up", bench_bring_up },
	{ "mask", bench_mask },
	{ "bind", bench_bind },
	{ "list", bench_list },
	{ "vector", bench_vector },
	{ "dynirq", bench_dynirq },
	{ "level", bench_level },
	{ "stranger", bench_stranger },
	{ "memory", bench_memory },
	{ "threads", bench_threads },
	{ "intx", bench_arch_intx },
};

static uint64_t started;

void bench_say(const char *fmt, ...)
{
	va_list ap;

	printf("progress\t%.1f s\t", (irqx_now_ns() - started) / 1e9);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

/*
 * What all CPUs were idle, in ns.  Who waits for a grace period or a timer makes the
 * clock of counted instructions jump, without an instruction.
 */
static uint64_t idle_ns(void)
{
	uint64_t ns, sum = 0;
	char line[256];
	FILE *f;

	if (!bench.icount)
		return 0;
	f = fopen("/proc/timer_list", "r");
	TEST_ASSERT(f, "/proc/timer_list: %s", strerror(errno));
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " .idle_sleeptime : %lu nsecs", &ns) == 1)
			sum += ns;
	fclose(f);
	return sum;
}

void bench_start(struct bench_clock *clock)
{
	clock->idle = idle_ns();
	clock->ns = irqx_now_ns();
}

double bench_stop(const struct bench_clock *clock)
{
	double ns = irqx_now_ns() - clock->ns;

	return ns - (idle_ns() - clock->idle);
}

double bench_each(void (*fn)(void *arg, uint32_t i), void *arg, uint32_t nr)
{
	struct bench_clock clock;
	uint32_t i;

	bench_start(&clock);
	for (i = 0; i < nr; i++)
		fn(arg, i);
	return bench_stop(&clock) / nr;
}

/*
 * Runs and reports
 */

uint32_t bench_runs(bool slow)
{
	/* A tick of the clock is in some of them: the median is without. */
	if (bench.icount)
		return slow ? 1 : bench.quick ? 5 : 9;
	if (bench.quick)
		return slow ? 1 : 3;
	return slow ? 3 : 9;
}

void bench_pair(struct bench_pairs *pairs, double irqx, double kvm)
{
	TEST_ASSERT(pairs->nr < BENCH_MAX_RUNS, "too many runs");
	pairs->irqx[pairs->nr] = irqx;
	pairs->kvm[pairs->nr] = kvm;
	pairs->nr++;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *values, uint32_t nr)
{
	double sorted[BENCH_MAX_RUNS];

	memcpy(sorted, values, nr * sizeof(*values));
	qsort(sorted, nr, sizeof(*sorted), compare);
	return nr % 2 ? sorted[nr / 2] :
			(sorted[nr / 2 - 1] + sorted[nr / 2]) / 2;
}

static void print_value(double value, bool there)
{
	if (there)
		printf("\t%.6g", value);
	else
		printf("\t-");
}

void bench_report(const char *name, uint32_t n, const char *unit,
		  const struct bench_pairs *pairs)
{
	bool irqx = pairs->irqx[0] != BENCH_NONE;
	bool kvm = pairs->kvm[0] != BENCH_NONE;
	double ratio[BENCH_MAX_RUNS], low = 0, high = 0;
	bool both = irqx && kvm && !(unit && !strcmp(unit, "%"));
	uint32_t i;

	for (i = 0; i < pairs->nr; i++) {
		/* A difference; there is no ratio of those. */
		if (pairs->irqx[i] <= 0 || pairs->kvm[i] <= 0)
			both = false;
		ratio[i] = pairs->kvm[i] / pairs->irqx[i];
		if (!i || ratio[i] < low)
			low = ratio[i];
		if (!i || ratio[i] > high)
			high = ratio[i];
	}
	printf("result\t%s\t%u\t%s", name, n,
	       unit ?: bench.icount ? "instructions" : "ns");
	print_value(median(pairs->irqx, pairs->nr), irqx);
	print_value(median(pairs->kvm, pairs->nr), kvm);
	print_value(median(ratio, pairs->nr), both);
	print_value(low, both);
	print_value(high, both);
	printf("\t%u\n", pairs->nr);
	fflush(stdout);
}

/*
 * VMs
 */

struct bench_vm bench_vm_create(bool context)
{
	struct bench_vm vm = { .ctx = -1 };
	int kvm = open_kvm_dev_path_or_exit();

	vm.vm = calloc(1, sizeof(*vm.vm));
	vm.table = calloc(1, sizeof(*vm.table) +
			  KVM_MAX_IRQ_ROUTES * sizeof(vm.table->entries[0]));
	TEST_ASSERT(vm.vm && vm.table, "no memory");
	vm.vm->fd = ioctl(kvm, KVM_CREATE_VM, 0);
	TEST_ASSERT(vm.vm->fd >= 0, "KVM_CREATE_VM: %s", strerror(errno));
	close(kvm);
	bench_arch_irqchip(vm.vm);
	if (context)
		vm.ctx = irqx_context(vm.vm);
	return vm;
}

/* Nothing but the closing, so that it can be measured. */
void bench_vm_close(struct bench_vm *vm)
{
	if (vm->ctx >= 0)
		close(vm->ctx);
	close(vm->vm->fd);
}

void bench_vm_free(struct bench_vm *vm)
{
	free(vm->table);
	free(vm->vm);
}

void bench_vm_set_table(struct bench_vm *vm, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++) {
		vm->table->entries[i] = bench_entry(i, false);
		vm->table->entries[i].gsi = i;
	}
	vm->table->nr = nr;
	bench_ok(__irqx_ioctl(vm->vm->fd, KVM_SET_GSI_ROUTING, vm->table));
}

struct kvm_irq_routing_entry bench_entry(uint32_t i, bool side)
{
	return bench_arch_msi(2 * i + side);
}

void bench_vcpu_first(struct irqx_guest *g)
{
	if (bench.icount)
		irqx_vcpu_first(&g->vcpus[0]);
}

static bool chosen(int argc, char **argv, const char *name)
{
	bool any = false;
	int i;

	for (i = 1; i < argc; i++) {
		if (argv[i][0] == '-')
			continue;
		any = true;
		if (!strcmp(argv[i], name))
			return true;
	}
	return !any;
}

/*
 * A machine whose instructions are counted has nothing random about it, and until the
 * kernel's generator is ready every system call of arm64, which moves the stack by a
 * random offset, takes 10,000 instructions for that.  What it is seeded with does not
 * matter.
 */
static void seed_random(void)
{
	struct {
		int entropy_count;
		int buf_size;
		uint32_t buf[16];
	} seed = {
		.entropy_count = sizeof(seed.buf) * 8,
		.buf_size = sizeof(seed.buf),
	};
	int fd = open("/dev/random", O_RDWR);

	TEST_ASSERT(fd >= 0 && !ioctl(fd, RNDADDENTROPY, &seed), "/dev/random: %s",
		    strerror(errno));
	close(fd);
}

int main(int argc, char **argv)
{
	uint32_t i;
	int arg;

	for (arg = 1; arg < argc; arg++) {
		if (!strcmp(argv[arg], "--icount"))
			bench.icount = true;
		else if (!strcmp(argv[arg], "--quick"))
			bench.quick = true;
	}
	started = irqx_now_ns();
	if (bench.icount)
		seed_random();
	for (i = 0; i < ARRAY_SIZE(measurements); i++)
		if (chosen(argc, argv, measurements[i].name))
			measurements[i].run();
	return 0;
}

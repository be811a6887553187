// SPDX-License-Identifier: GPL-2.0
/*
 * event PID handle|eventfd|none NUMBER COUNT PERIOD_NS, by "kvm-irqx dynirq exec" on x86: signals
 * COUNT times an eventfd that it binds to a handle of table 0, or one that process PID has, or one
 * that nobody waits for.  Says how many ticks the time stamp counter has in a second, and for each
 * signal what it said before, and how much later it was afterwards.
 */
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include <linux/kvm_irqx.h>

#include "../../tools/kvm-irqx/command.h"

void die(const char *fmt, ...)
{
	va_list ap;

	fputs("event: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static void bind_handle(int eventfd, uint32_t handle)
{
	struct kvm_irqx_irqfd_direct direct;

	memset(&direct, 0, sizeof(direct));
	direct.fd = eventfd;
	direct.entry.type = KVM_IRQX_ROUTING_VECTOR;
	direct.entry.u.irqchip.pin = handle;
	if (ioctl(atoi(getenv("KVM_IRQX_FD")), KVM_IRQX_IRQFD_DIRECT, &direct))
		die("KVM_IRQX_IRQFD_DIRECT: %s", strerror(errno));
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

int main(int argc, char **argv)
{
	struct sched_param first = { .sched_priority = 1 };
	uint64_t *begin, *end, one = 1, since, ticks;
	struct timespec period = {};
	uint32_t nr, count, i;
	pid_t pid;
	int fd;

	if (argc != 6)
		die("event PID handle|eventfd|none NUMBER COUNT PERIOD_NS");
	pid = atoi(argv[1]);
	nr = strtoul(argv[3], NULL, 0);
	count = strtoul(argv[4], NULL, 0);
	period.tv_nsec = strtoul(argv[5], NULL, 0);
	begin = calloc(count, sizeof(*begin));
	end = calloc(count, sizeof(*end));
	if (!strcmp(argv[2], "eventfd"))
		fd = process_vm(process_open(pid), pid, nr);
	else
		fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (!begin || !end || fd < 0)
		die("%s", strerror(errno));
	if (!strcmp(argv[2], "handle"))
		bind_handle(fd, nr);
	/* The vCPU that wakes up does not run before it is measured. */
	if (sched_setscheduler(0, SCHED_FIFO, &first))
		die("sched_setscheduler: %s", strerror(errno));
	since = now();
	ticks = __rdtsc();
	for (i = 0; i < count; i++) {
		nanosleep(&period, NULL);
		begin[i] = __rdtsc();
		if (write(fd, &one, sizeof(one)) != sizeof(one))
			die("eventfd: %s", strerror(errno));
		end[i] = __rdtsc();
	}
	nanosleep(&period, NULL);
	ticks = __rdtsc() - ticks;
	printf("%.0f\n", ticks * 1e9 / (now() - since));
	for (i = 0; i < count; i++)
		printf("%llu %llu\n", (unsigned long long)begin[i],
		       (unsigned long long)(end[i] - begin[i]));
	return 0;
}

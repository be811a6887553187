// SPDX-License-Identifier: GPL-2.0
/*
 * spin CPU TICKS: in a guest on x86.  Reads the time stamp counter again and again on that CPU, and
 * says when it could not for more than TICKS: since when, and how long.  Up to SIGTERM, the last
 * GAPS of them.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <x86intrin.h>

#define GAPS	100000

static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	stop = 1;
}

int main(int argc, char **argv)
{
	static struct {
		unsigned long long since, length;
	} gaps[GAPS];
	unsigned long long last, now, ticks;
	unsigned int nr = 0, i;
	cpu_set_t cpus;

	if (argc != 3)
		return 2;
	CPU_ZERO(&cpus);
	CPU_SET(atoi(argv[1]), &cpus);
	ticks = strtoull(argv[2], NULL, 0);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		return 1;
	signal(SIGTERM, on_term);
	last = __rdtsc();
	while (!stop) {
		now = __rdtsc();
		if (now - last > ticks) {
			gaps[nr % GAPS].since = last;
			gaps[nr++ % GAPS].length = now - last;
		}
		last = now;
	}
	for (i = nr < GAPS ? 0 : nr - GAPS; i < nr; i++)
		printf("%llu %llu\n", gaps[i % GAPS].since, gaps[i % GAPS].length);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * fire FIRST|=LABEL NR PERIOD_NS COUNT, by "kvm-irqx dynirq exec": has tools/module raise COUNT
 * events at NR handles of table 0 in turn, from an interrupt handler, and waits for the last.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../tools/module/src/timer.h"

static void die(const char *what)
{
	fprintf(stderr, "fire: %s: %s\n", what, strerror(errno));
	exit(1);
}

int main(int argc, char **argv)
{
	struct irqx_timer_request request;
	const char *context = getenv("KVM_IRQX_FD");
	uint64_t done;
	int fd, i;

	if (argc != 5 || !context) {
		fprintf(stderr, "fire FIRST|=LABEL NR PERIOD_NS COUNT, by kvm-irqx dynirq exec\n");
		return 2;
	}
	memset(&request, 0, sizeof(request));
	request.fd = atoi(context);
	if (argv[1][0] == '=')
		snprintf(request.label, sizeof(request.label), "%s", argv[1] + 1);
	else
		request.first = strtoul(argv[1], NULL, 0);
	request.nr = strtoul(argv[2], NULL, 0);
	request.period_ns = strtoull(argv[3], NULL, 0);
	request.count = strtoull(argv[4], NULL, 0);
	fd = open("/dev/irqx-timer", O_RDWR);
	if (fd < 0)
		die("/dev/irqx-timer");
	if (write(fd, &request, sizeof(request)) != sizeof(request))
		die("write");
	for (i = 0; i < 3000; i++) {
		if (read(fd, &done, sizeof(done)) != sizeof(done))
			die("read");
		if (done == request.count)
			return 0;
		usleep(100000);
	}
	fprintf(stderr, "fire: only %llu were raised\n", (unsigned long long)done);
	return 1;
}

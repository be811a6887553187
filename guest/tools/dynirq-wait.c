// SPDX-License-Identifier: MIT
/*
 * dynirq-wait [-n COUNT] LABEL...	prints "LABEL there|gone COUNT" at first, and whenever
 *					that changes; -n: ends when each has had COUNT
 * dynirq-wait -l			prints "DEVICE HANDLE LABEL" of all labels
 *
 * cc -I guest/include/uapi dynirq-wait.c
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/kvm_dynirq.h>

#define DEVICE	"/dev/kvm-dynirq"

static void die(const char *what)
{
	fprintf(stderr, "dynirq-wait: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int list(int fd)
{
	struct kvm_dynirq_label label = { 0 };

	for (; !ioctl(fd, KVM_DYNIRQ_LABEL, &label); label.handle++)
		printf("%u %u %s\n", label.device, label.handle, label.label);
	if (errno != ENOENT)
		die("KVM_DYNIRQ_LABEL");
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long long enough = -1ULL, *counts;
	struct kvm_dynirq_listen listen;
	struct kvm_dynirq_event events[64];
	struct pollfd wait = { .events = POLLIN };
	int fd, option, i, left;
	ssize_t len;

	fd = open(DEVICE, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		die(DEVICE);
	while ((option = getopt(argc, argv, "ln:")) != -1) {
		switch (option) {
		case 'l':
			return list(fd);
		case 'n':
			enough = strtoull(optarg, NULL, 0);
			break;
		default:
			return 2;
		}
	}
	argv += optind;
	argc -= optind;
	if (!argc) {
		fputs("dynirq-wait [-n COUNT] LABEL..., or -l\n", stderr);
		return 2;
	}
	counts = calloc(argc, sizeof(*counts));
	if (!counts)
		die("calloc");
	/* Labels are numbered in the order in which they are listened to. */
	for (i = 0; i < argc; i++) {
		memset(&listen, 0, sizeof(listen));
		if (strlen(argv[i]) >= sizeof(listen.label)) {
			errno = ENAMETOOLONG;
			die(argv[i]);
		}
		strcpy(listen.label, argv[i]);
		if (ioctl(fd, KVM_DYNIRQ_LISTEN, &listen))
			die(argv[i]);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	wait.fd = fd;
	for (left = argc; left;) {
		if (poll(&wait, 1, -1) < 0)
			die("poll");
		len = read(fd, events, sizeof(events));
		if (len < 0 && errno != EAGAIN)
			die("read");
		for (i = 0; i < len / (ssize_t)sizeof(events[0]); i++) {
			const struct kvm_dynirq_event *event = &events[i];

			printf("%s %s %llu\n", argv[event->id],
			       event->flags & KVM_DYNIRQ_EVENT_THERE ? "there" : "gone",
			       (unsigned long long)event->count);
			if (counts[event->id] < enough && event->count >= enough)
				left--;
			counts[event->id] = event->count;
		}
	}
	return 0;
}

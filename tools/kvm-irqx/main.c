// SPDX-License-Identifier: MIT
/*
 * kvm-irqx: the operator's side of /dev/kvm-irqx.  What it does is in its manual page.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

static void say(const char *fmt, va_list ap)
{
	fputs("kvm-irqx: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	exit(1);
}

uint64_t number(const char *what, const char *text, uint64_t max)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (end == text || *end || errno || *text == '-' || value > max)
		die("%s is a number up to %llu, not '%s'", what, (unsigned long long)max, text);
	return value;
}

pid_t pid_of_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[32];

	if (!file)
		die("%s: %s", path, strerror(errno));
	if (!fgets(line, sizeof(line), file))
		die("%s is empty: is the VMM running?", path);
	fclose(file);
	line[strcspn(line, "\n")] = 0;
	return number("what is in the pid file", line, INT32_MAX);
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *arguments, *what;
} dynirq_commands[] = {
	{ "serve", dynirq_serve, "PID|--pidfile FILE --address A|--qmp SOCKET [OPTION]...",
	  "give the process's VM a dynirq, for as long as this runs" },
	{ "show", dynirq_ask, "PID", "where it is, its handles, labels and messages" },
	{ "raise", dynirq_ask, "PID HANDLE|=LABEL...", "an event at each handle" },
	{ "alloc", dynirq_ask, "PID LABEL [HANDLE]", "give a handle an owner; prints which" },
	{ "label", dynirq_ask, "PID HANDLE LABEL", "give it another label" },
	{ "free", dynirq_ask, "PID HANDLE", "it has no owner any more" },
	{ "reset", dynirq_ask, "PID", "as the machine's reset: nothing is mapped" },
	{ "save", dynirq_ask, "PID FILE", "its state, for serve --state" },
	{ "exec", dynirq_ask, "PID COMMAND [ARGUMENT]...",
	  "run a command that has the context's descriptor, in $KVM_IRQX_FD (root only)" },
};

static void usage(FILE *to)
{
	unsigned int i;

	fputs("kvm-irqx dynirq COMMAND: handles that a guest maps to vectors and CPUs\n\n", to);
	for (i = 0; i < ARRAY_SIZE(dynirq_commands); i++)
		fprintf(to, "  %s %s\n\t%s\n", dynirq_commands[i].name,
			dynirq_commands[i].arguments, dynirq_commands[i].what);
	fputs("\nOptions of serve:\n"
	      "  --address A      guest-physical address: a multiple of 4096, used by nothing else\n"
	      "  --qmp SOCKET     QEMU's monitor, of this command alone: where the BAR is that the\n"
	      "                   guest has given to the device, and follows it when it moves\n"
	      "  --device ID      of that monitor's device (the first pci-testdev)\n"
	      "  --handles N      1 to 65536 (512; with --qmp as many as the BAR has room for)\n"
	      "  --devid N        with --address, arm64: the device ID that the guest's ITS knows\n"
	      "  --label LABEL    allocates a handle, beginning with 1; may be repeated\n"
	      "  --state FILE     as save has left it\n"
	      "  --vm-fd N        of the process's descriptors, if it has several VMs\n"
	      "  --socket PATH    for the other commands, which then take it too\n"
	      "                   (" CONTROL_DIR "/PID)\n", to);
}

int main(int argc, char **argv)
{
	unsigned int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))) {
		usage(stdout);
		return 0;
	}
	if (argc > 2 && !strcmp(argv[1], "dynirq"))
		for (i = 0; i < ARRAY_SIZE(dynirq_commands); i++)
			if (!strcmp(argv[2], dynirq_commands[i].name))
				return dynirq_commands[i].run(argc - 2, argv + 2);
	usage(stderr);
	return 2;
}

// SPDX-License-Identifier: MIT
/*
 * The commands that ask a server: "kvm-irqx dynirq COMMAND PID ARGUMENT..." is the request "COMMAND
 * ARGUMENT...".
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

static void add_word(char *request, size_t *len, const char *word)
{
	size_t size = strlen(word) + 1;

	if (size == 1)
		die("an argument is empty");
	/* And the zero that ends it. */
	if (*len + size + 1 > CONTROL_MAX)
		die("more than a request has room for: ask several times");
	memcpy(request + *len, word, size);
	*len += size;
}

static void run_with(char **command, int fd)
{
	char number[16];

	if (fd < 0)
		die("the server has sent no descriptor");
	/* For the command, and so not close-on-exec. */
	fd = dup(fd);
	snprintf(number, sizeof(number), "%d", fd);
	if (fd < 0 || setenv("KVM_IRQX_FD", number, 1))
		die("%s", strerror(errno));
	execvp(command[0], command);
	die("%s: %s", command[0], strerror(errno));
}

int dynirq_ask(int argc, char **argv)
{
	static const struct option options[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "pidfile", required_argument, NULL, 'p' },
		{}
	};
	static char request[CONTROL_MAX];
	const char *command = argv[0], *given = NULL;
	char path[108], *file = NULL, *whole = NULL;
	bool exec = !strcmp(command, "exec"), save = !strcmp(command, "save");
	int opt, fd = -1;
	pid_t pid = 0;
	size_t len = 0;

	while ((opt = getopt_long(argc, argv, "+", options, NULL)) >= 0) {
		switch (opt) {
		case 's':
			given = optarg;
			break;
		case 'p':
			pid = pid_of_file(optarg);
			break;
		default:
			return 2;
		}
	}
	argv += optind;
	if (!pid && !given) {
		if (!*argv)
			die("which process? PID, --pidfile FILE or --socket PATH");
		pid = number("PID", *argv++, INT32_MAX);
	}
	control_path(path, sizeof(path), pid, given);
	add_word(request, &len, command);
	if (exec && !*argv)
		die("which command?");
	if (save && (!*argv || argv[1]))
		die("save takes one file");
	if (save) {
		/* What was saved there before stays until all of this is there. */
		whole = *argv++;
		if (asprintf(&file, "%s.new", whole) < 0)
			die("no memory");
		fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
			die("%s: %s", file, strerror(errno));
	}
	while (!exec && *argv)
		add_word(request, &len, *argv++);
	control_ask(path, request, exec ? &fd : NULL);
	if (exec)
		run_with(argv, fd);
	if (fflush(stdout) || (file && fsync(fd)))
		die("%s: %s", file ?: "the output", strerror(errno));
	if (file && rename(file, whole))
		die("%s: %s", whole, strerror(errno));
	return 0;
}

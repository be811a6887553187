// SPDX-License-Identifier: MIT
/*
 * The socket over which a server is asked: a request is a packet of words, each with a zero
 * behind it, the answer some of text.  An answer's first byte is '+', or '-' if it says why not;
 * the last one is CONTROL_END, or why not.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "command.h"

void control_path(char *path, size_t size, pid_t pid, const char *given)
{
	if (given && strlen(given) >= size)
		die("%s is too long for a socket's path", given);
	if (given)
		strcpy(path, given);
	else
		snprintf(path, size, CONTROL_DIR "/%d", pid);
}

static int control_socket(const char *path, struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket: %s", strerror(errno));
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address->sun_path))
		die("%s is too long for a socket's path", path);
	strcpy(address->sun_path, path);
	return fd;
}

int control_listen(const char *path)
{
	struct sockaddr_un address;
	int fd = control_socket(path, &address);
	mode_t mask;

	if (!strncmp(path, CONTROL_DIR "/", strlen(CONTROL_DIR) + 1) &&
	    mkdir(CONTROL_DIR, 0700) && errno != EEXIST)
		die(CONTROL_DIR ": %s", strerror(errno));
	/* That of a server that was killed; one that runs answers. */
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		die("%s: another one serves there", path);
	if (errno == ECONNREFUSED)
		unlink(path);
	close(fd);
	fd = control_socket(path, &address);
	mask = umask(0177);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 16))
		die("%s: %s", path, strerror(errno));
	umask(mask);
	return fd;
}

bool control_answer(int socket, const char *text, int fd)
{
	struct iovec iov = { .iov_base = (char *)text, .iov_len = strlen(text) };
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(fd))];
	} control = {};
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	/* Who has asked may have gone, or does not listen. */
	return sendmsg(socket, &msg, MSG_NOSIGNAL) >= 0;
}

static void take_fd(struct msghdr *msg, int *fd)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);

	if (fd && cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(cmsg), sizeof(*fd));
}

int control_ask(const char *path, const char *request, int *fd)
{
	static char answer[CONTROL_MAX];
	struct iovec iov = { .iov_base = answer, .iov_len = sizeof(answer) - 1 };
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct sockaddr_un address;
	int socket = control_socket(path, &address);
	const char *end = request;
	bool done = false;
	ssize_t len;

	if (connect(socket, (struct sockaddr *)&address, sizeof(address)))
		die("%s: %s: is 'kvm-irqx dynirq serve' running for this process?", path,
		    strerror(errno));
	/* The words end with an empty one. */
	while (*end)
		end += strlen(end) + 1;
	if (send(socket, request, end + 1 - request, MSG_NOSIGNAL) < 0)
		die("%s: %s", path, strerror(errno));
	/* A listing comes in several packets, until the server closes. */
	while ((len = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC)) > 0) {
		answer[len] = 0;
		if (answer[0] == '-')
			die("%s", answer + 1);
		done = !strcmp(answer, CONTROL_END);
		if (done)
			break;
		take_fd(&msg, fd);
		fputs(answer + 1, stdout);
		msg.msg_controllen = sizeof(control);
	}
	close(socket);
	if (!done)
		die("%s: the server has ended, and not answered all", path);
	return 0;
}

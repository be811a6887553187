// SPDX-License-Identifier: MIT
/*
 * The VM of another process: a descriptor of the process, one of its descriptors.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "command.h"

int process_open(pid_t pid)
{
	/* It is close-on-exec. */
	int pidfd = syscall(SYS_pidfd_open, pid, 0);

	if (pidfd >= 0)
		return pidfd;
	if (errno == ESRCH)
		die("there is no process %d", pid);
	die("process %d: pidfd_open: %s", pid, strerror(errno));
}

/* What /proc calls a VM's descriptor (virt/kvm/kvm_main.c, kvm_dev_ioctl_create_vm()). */
static bool is_vm(pid_t pid, const char *fd)
{
	char path[300], what[64];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/fd/%s", pid, fd);
	len = readlink(path, what, sizeof(what) - 1);
	if (len < 0)
		return false;
	what[len] = 0;
	return !strcmp(what, "anon_inode:kvm-vm");
}

static int find_vm(pid_t pid)
{
	struct dirent *entry;
	char path[64];
	int found = -1;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir && errno == EACCES)
		die("process %d is somebody else's: be root", pid);
	if (!dir)
		die("%s: %s", path, strerror(errno));
	while ((entry = readdir(dir))) {
		if (*entry->d_name == '.' || !is_vm(pid, entry->d_name))
			continue;
		if (found >= 0)
			die("process %d has several VMs: choose one of its descriptors with "
			    "--vm-fd (%d and %s are two)", pid, found, entry->d_name);
		found = atoi(entry->d_name);
	}
	closedir(dir);
	if (found < 0)
		die("process %d has no VM: is it a VMM that uses KVM (QEMU: -accel kvm)?", pid);
	return found;
}

int process_vm(int pidfd, pid_t pid, int fd)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	int vm;

	if (fd < 0)
		fd = find_vm(pid);
	vm = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	/* The number may have been another process's by then. */
	if (poll(&ended, 1, 0) == 1)
		die("process %d has ended", pid);
	if (vm >= 0)
		return vm;
	if (errno == EBADF)
		die("process %d has no descriptor %d", pid, fd);
	if (errno == EPERM)
		die("the descriptors of process %d are not to be had: be root, or have "
		    "CAP_SYS_PTRACE and CAP_SYS_ADMIN (see also kernel.yama.ptrace_scope)", pid);
	die("process %d: pidfd_getfd: %s", pid, strerror(errno));
}

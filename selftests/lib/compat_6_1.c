// SPDX-License-Identifier: GPL-2.0
/*
 * The harness asks for KVM_CAP_USER_MEMORY2, which 6.8 brought, but makes use
 * of nothing in it that tests of interrupts need.  This ioctl() goes before
 * libc's and lets the harness run on older kernels.
 */
#include <errno.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/kvm.h>

int ioctl(int fd, unsigned long request, ...)
{
	unsigned long arg;
	va_list ap;
	int ret;

	va_start(ap, request);
	arg = va_arg(ap, unsigned long);
	va_end(ap);

	ret = syscall(SYS_ioctl, fd, request, arg);

	if (request == KVM_CHECK_EXTENSION && arg == KVM_CAP_USER_MEMORY2 &&
	    !ret)
		return 1;

	/* The new struct begins as the old one; arm64 answers EINVAL. */
	if (request == KVM_SET_USER_MEMORY_REGION2 && ret &&
	    (errno == ENOTTY || errno == EINVAL)) {
		struct kvm_userspace_memory_region2 *region = (void *)arg;

		if (!(region->flags & KVM_MEM_GUEST_MEMFD))
			return syscall(SYS_ioctl, fd,
				       KVM_SET_USER_MEMORY_REGION, region);
	}
	return ret;
}

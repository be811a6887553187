// SPDX-License-Identifier: GPL-2.0
/*
 * What the errno of a function means where each of them has one meaning.
 */
#include <linux/errno.h>

#include "error.h"

/**
 * irqx_reject_fd - why an eventfd was refused
 * @error: filled in
 * @ret: of irqx_irqfd_reserve(), irqx_irqfd_find() or
 * irqx_irqfd_set_resamplefd(); also 0
 * @arg: IRQX_ARG_FD or IRQX_ARG_RESAMPLEFD
 *
 * Context: any.
 * Return: @ret.
 */
int irqx_reject_fd(struct irqx_error *error, int ret, enum irqx_arg arg)
{
	switch (ret) {
	case -EBADF:
		return irqx_reject(error, ret, arg, IRQX_REASON_NOT_OPEN);
	case -EINVAL:
		return irqx_reject(error, ret, arg, IRQX_REASON_NOT_AN_EVENTFD);
	case -EBUSY:
		return irqx_reject(error, ret, arg, IRQX_REASON_BOUND);
	case -ENOENT:
		return irqx_reject(error, ret, arg, IRQX_REASON_NOT_BOUND);
	case -ENOSPC:
		return irqx_reject(error, ret, arg, IRQX_REASON_LIMIT);
	default:
		return ret;
	}
}

/* The same of irqx_lines_prepare() and irqx_source_alloc(). */
int irqx_reject_line(struct irqx_error *error, int ret)
{
	switch (ret) {
	case -EBUSY:
		return irqx_reject(error, ret, IRQX_ARG_CONTEXT,
				   IRQX_REASON_FTRACE_OFF);
	case -ENOSPC:
		return irqx_reject(error, ret, IRQX_ARG_CONTEXT,
				   IRQX_REASON_LIMIT);
	default:
		return ret;
	}
}

/* The same of irqx_vm_get(). */
int irqx_reject_vm(struct irqx_error *error, int ret)
{
	const enum irqx_arg arg = IRQX_ARG_VM_FD;

	switch (ret) {
	case -EINVAL:
		return irqx_reject(error, ret, arg, IRQX_REASON_NOT_A_VM);
	case -EPERM:
		return irqx_reject(error, ret, arg, IRQX_REASON_OTHER_PROCESS);
	case -EIO:
		return irqx_reject(error, ret, arg, IRQX_REASON_VM_DEAD);
	case -ENODEV:
		return irqx_reject(error, ret, arg, IRQX_REASON_KVM_LEAVES);
	case -ENOSPC:
		return irqx_reject(error, ret, arg, IRQX_REASON_NO_SOURCE_ID);
	default:
		return ret;
	}
}

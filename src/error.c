// SPDX-License-Identifier: GPL-2.0
/*
 * Why a call fails, for its caller; and what the errno of a function means where each of
 * them has one meaning.
 */
#include <linux/errno.h>
#include <linux/uaccess.h>

#include "error.h"

/**
 * irqx_error_open_record - the caller's error record
 * @error: of this call
 * @record: address of a struct kvm_irqx_error
 *
 * Before anything is changed: what is read is written back, so that irqx_error_close() can
 * write there.
 *
 * Context: may sleep.
 * Return: 0, -EFAULT, -EINVAL if it is too small.
 */
int irqx_error_open_record(struct irqx_error *error, u64 record)
{
	void __user *user = u64_to_user_ptr(record);
	struct kvm_irqx_error old;

	/* Of a smaller one nothing is known to be there but this. */
	if (get_user(old.argsz, (u32 __user *)user))
		return -EFAULT;
	if (old.argsz < sizeof(old))
		return irqx_reject(error, -EINVAL, IRQX_ARG_ERROR,
				   IRQX_REASON_TOO_SMALL);
	if (copy_from_user(&old, user, sizeof(old)) ||
	    copy_to_user(user, &old, sizeof(old)))
		return -EFAULT;
	error->record = user;
	return 0;
}

/**
 * irqx_error_close_record - the end of a call that has an error record
 * @error: of this call
 * @ret: what it will return
 *
 * @error is about what it was filled in for, and not about anything else that the call has
 * failed of in the end.
 *
 * Context: may sleep.
 * Return: @ret, or -EFAULT if the caller has taken away the record of a call that fails.
 */
int irqx_error_close_record(struct irqx_error *error, int ret)
{
	struct kvm_irqx_error out = {
		.argsz = sizeof(out),
		.index = error->index,
		.arg = error->arg,
		.reason = error->reason,
	};

	if (ret != error->ret) {
		out.arg = IRQX_ARG_NONE;
		out.reason = IRQX_REASON_NONE;
	}
	if (!ret && !out.reason)
		return ret;
	if (copy_to_user(error->record, &out, sizeof(out)) && ret)
		return -EFAULT;
	return ret;
}

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

/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef _UAPI_LINUX_KVM_DYNIRQ_H
#define _UAPI_LINUX_KVM_DYNIRQ_H

/*
 * /dev/kvm-dynirq, in a guest: a process waits for handles, which it knows by their labels.
 *
 * Each open file listens to labels of its own.  read() gives a struct kvm_dynirq_event for each of
 * them that has changed since it was read last, as many as there is room for; it waits until
 * there is one, or is EAGAIN with O_NONBLOCK; EINVAL if there is no room for one.  poll() tells
 * when there is one. A label need not be there yet.
 */
#include <linux/ioctl.h>
#include <linux/types.h>

#define KVM_DYNIRQ_LABEL_SIZE	32	/* with a zero at the end */
#define KVM_DYNIRQ_MAX_LISTENERS	4096	/* of an open file */

struct kvm_dynirq_event {
	__u32 id;		/* of KVM_DYNIRQ_LISTEN */
	__u32 flags;
#define KVM_DYNIRQ_EVENT_THERE	1U	/* a handle has that label, and is listened to */
	__u64 count;		/* interrupts since KVM_DYNIRQ_LISTEN, in all */
};

/*
 * Listens to a label.  @id (out): counts from 0 for each open file.  The first read() has an
 * event of each label, which tells whether it is there.
 *
 * EINVAL: the label is empty, or has no zero in its 32 bytes.
 * ENOSPC: the open file listens to KVM_DYNIRQ_MAX_LISTENERS.
 */
struct kvm_dynirq_listen {
	char label[KVM_DYNIRQ_LABEL_SIZE];
	__u32 id;
	__u32 reserved;		/* out: 0 */
};

#define KVM_DYNIRQ_LISTEN	_IOWR(0xb9, 0x00, struct kvm_dynirq_listen)

/*
 * Which labels there are: the one of the first handle from @handle on that has one, of device
 * @device or a later one.  Begin with both 0, and go on with @handle + 1.
 *
 * ENOENT: there is none any more.
 */
struct kvm_dynirq_label {
	__u32 device;		/* in and out */
	__u32 handle;		/* in and out */
	char label[KVM_DYNIRQ_LABEL_SIZE];
};

#define KVM_DYNIRQ_LABEL	_IOWR(0xb9, 0x01, struct kvm_dynirq_label)

#endif /* _UAPI_LINUX_KVM_DYNIRQ_H */

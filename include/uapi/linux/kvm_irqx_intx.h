/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR MIT) */
#ifndef _UAPI_LINUX_KVM_IRQX_INTX_H
#define _UAPI_LINUX_KVM_IRQX_INTX_H

/**
 * DOC: INTx of an assigned device
 *
 * Userspace interface for /dev/kvm-irqx-intx: the legacy interrupt of a PCI device that VFIO has
 * assigned, carried into the guest and, at the guest's EOI, unmasked on the host, all in the
 * kernel.
 *
 * One open file carries the interrupt of one device.  It needs a context on /dev/kvm-irqx
 * (kvm_irqx.h), which says which VM, and the open file of the device that VFIO_GROUP_GET_DEVICE_FD
 * gave, which says that the caller owns it.  VFIO's own INTx and MSI of the device are off
 * meanwhile; when VFIO switches one of them on the interrupt is given back.
 *
 * The device's file is held as long as its interrupt is carried: VFIO closes the device only after
 * KVM_IRQX_INTX_DETACH or the last close() of this file, whichever is first.
 *
 * Padding and unknown flags must be zero, else a call fails with EINVAL.  A call that fails has
 * changed nothing but what it says of the reason.  Every call may sleep.  It returns 0, or -1 with
 * errno set: ENOTTY for an unknown ioctl, EFAULT for a bad pointer, EINTR for a fatal signal.
 */

#include <linux/ioctl.h>
#include <linux/kvm.h>
#include <linux/types.h>

/* Changes only if a call changes its meaning; additions have feature bits. */
#define KVM_IRQX_INTX_ABI_VERSION	1

/**
 * struct kvm_irqx_intx_info - what this module, on this kernel, offers
 * @argsz:	in: size of the caller's struct; out: size the module filled in or would fill in,
 *		were there room.  EINVAL if less than 16.
 * @abi:	KVM_IRQX_INTX_ABI_VERSION of the module
 * @features:	%KVM_IRQX_INTX_FEATURE_HOOK: a driver that joins the device's line finds it open
 *		when its request_irq() returns.  Without, it may have to wait for @look_ms.
 *		%KVM_IRQX_INTX_FEATURE_NOTIFIER: that is so because the kernel tells of it
 *		(contrib/genirq), with no probe in it, and nobody looks at a closed line that
 *		can be shared.
 * @attach_flags: flags that struct kvm_irqx_intx_attach can have
 * @look_ms:	how often a closed line is looked at, in milliseconds
 */
struct kvm_irqx_intx_info {
	__u32 argsz;
	__u32 abi;
	__u64 features;
	__u32 attach_flags;
	__u32 look_ms;
};

#define KVM_IRQX_INTX_FEATURE_HOOK	(1ULL << 0)
#define KVM_IRQX_INTX_FEATURE_NOTIFIER	(1ULL << 1)

/**
 * struct kvm_irqx_intx_attach - carry a device's interrupt
 * @context_fd:	of /dev/kvm-irqx, attached to the VM
 * @device_fd:	the device's open file, from VFIO_GROUP_GET_DEVICE_FD
 * @domain:	where the device is: its PCI domain,
 * @bus:	bus,
 * @devfn:	and slot << 3 | function
 * @pad:	zero
 * @flags:	zero
 * @reason:	out, also of a call that fails: %KVM_IRQX_INTX_REASON_*
 * @entry:	where it leads: what KVM_IRQX_IRQFD_DIRECT takes with RESAMPLE, a pin of the IOAPIC
 *		or the PIC, an SPI, or a level-triggered MSI of a split irqchip
 */
struct kvm_irqx_intx_attach {
	__s32 context_fd;
	__s32 device_fd;
	__u32 domain;
	__u8 bus;
	__u8 devfn;
	__u16 pad;
	__u32 flags;
	__u32 reason;
	struct kvm_irq_routing_entry entry;
};

/**
 * DOC: Reasons
 *
 * ====================================== ====== ==================================================
 * KVM_IRQX_INTX_REASON\_                 errno  what is wrong
 * ====================================== ====== ==================================================
 * NONE                                   0      nothing
 * NOT_ZERO                               EINVAL padding, or an unknown flag
 * ATTACHED                               EBUSY  this file carries an interrupt already, or
 *                                               another one that of the device
 * NO_CONTEXT                             *      context_fd: EBADF, EINVAL, ENOTCONN, EPERM, EIO
 * NOT_OPEN                               EBADF  device_fd is not open
 * GROUP                                  EBADFD device_fd is a VFIO group, not a device
 * CDEV                                   EBADFD device_fd is the device's character device, of
 *                                               which an open file proves nothing
 * NO_DEVICE                              ENODEV there is no such PCI device
 * NOT_VFIO                               ENODEV its driver is not one on vfio-pci-core
 * NOT_ITS_FILE                           EPERM  device_fd is not an open file of that device
 * DEVICE_BUSY                            EAGAIN it is just being reset, or bound or unbound
 * NO_INTX                                ENXIO  it has no INTx, or VFIO hides it
 * VFIO_IRQ                               EBUSY  VFIO's own INTx, MSI or MSI-X of it is on
 * SLOW_CHIP                              ENXIO  its interrupt controller may sleep
 * LINE                                   EBUSY  a driver on the device's line does not share it,
 *                                               or only with drivers of another kind; or other
 *                                               errors of request_irq()
 * ENTRY                                  *      as KVM_IRQX_IRQFD_DIRECT for the same entry
 * ====================================== ====== ==================================================
 */
#define KVM_IRQX_INTX_REASON_NONE		0
#define KVM_IRQX_INTX_REASON_NOT_ZERO		1
#define KVM_IRQX_INTX_REASON_ATTACHED		2
#define KVM_IRQX_INTX_REASON_NO_CONTEXT		3
#define KVM_IRQX_INTX_REASON_NOT_OPEN		4
#define KVM_IRQX_INTX_REASON_GROUP		5
#define KVM_IRQX_INTX_REASON_CDEV		6
#define KVM_IRQX_INTX_REASON_NO_DEVICE		7
#define KVM_IRQX_INTX_REASON_NOT_VFIO		8
#define KVM_IRQX_INTX_REASON_NOT_ITS_FILE	9
#define KVM_IRQX_INTX_REASON_DEVICE_BUSY	10
#define KVM_IRQX_INTX_REASON_NO_INTX		11
#define KVM_IRQX_INTX_REASON_VFIO_IRQ		12
#define KVM_IRQX_INTX_REASON_SLOW_CHIP		13
#define KVM_IRQX_INTX_REASON_LINE		14
#define KVM_IRQX_INTX_REASON_ENTRY		15

/**
 * struct kvm_irqx_intx_state - what has come of it
 * @argsz:	as in struct kvm_irqx_intx_info; EINVAL if less than 16
 * @state:	%KVM_IRQX_INTX_STATE_*
 * @mode:	how the last interrupt was masked: %KVM_IRQX_INTX_MODE_*
 * @flags:	%KVM_IRQX_INTX_FLAG_*
 * @interrupts:	how many were the device's
 * @by_line:	of these, by closing the line
 * @by_device:	by the device's own disable bit
 * @foreign:	how many were not the device's
 * @eois:	how often the guest's EOI has been told
 * @asserted:	how often the device still asserted at the EOI, with its own bit set, and was
 *		raised again at once
 * @to_device:	how often the way changed from the line to the device
 * @to_line:	how often from the device to the line
 * @opened_by_hook: how often a closed line was opened for a driver that was about to join it
 * @opened_by_timer: how often the timer found that it had to be opened
 * @retried:	how often the device could not be unmasked yet, since it was being reset
 *
 * The counters are those since the last KVM_IRQX_INTX_ATTACH.
 */
struct kvm_irqx_intx_state {
	__u32 argsz;
	__u32 state;
	__u32 mode;
	__u32 flags;
	__u64 interrupts;
	__u64 by_line;
	__u64 by_device;
	__u64 foreign;
	__u64 eois;
	__u64 asserted;
	__u64 to_device;
	__u64 to_line;
	__u64 opened_by_hook;
	__u64 opened_by_timer;
	__u64 retried;
};

/* Not attached: never, or no more since KVM_IRQX_INTX_DETACH. */
#define KVM_IRQX_INTX_STATE_NONE	0
#define KVM_IRQX_INTX_STATE_ATTACHED	1
/* Not attached any more, since VFIO's own INTx or MSI has been switched on, */
#define KVM_IRQX_INTX_STATE_VFIO	2
/* its driver unbound or the device taken away, */
#define KVM_IRQX_INTX_STATE_UNBOUND	3
/* or the context closed. */
#define KVM_IRQX_INTX_STATE_CONTEXT	4

#define KVM_IRQX_INTX_MODE_NONE		0
#define KVM_IRQX_INTX_MODE_LINE		1
#define KVM_IRQX_INTX_MODE_DEVICE	2

/* The device has no working disable bit: its line is requested for it alone. */
#define KVM_IRQX_INTX_FLAG_EXCLUSIVE	(1U << 0)
/* Now: the line is closed, the device is masked, for an EOI that is to come. */
#define KVM_IRQX_INTX_FLAG_LINE_CLOSED	(1U << 1)
#define KVM_IRQX_INTX_FLAG_DEVICE_MASKED (1U << 2)

/*
 * KVM_IRQX_INTX_DETACH: when it returns no interrupt of the device is taken any more, its file
 * has been let go, and VFIO can have the interrupt.  ENOTCONN if none is carried.
 */
#define KVM_IRQX_INTX_GET_INFO	_IO(KVMIO,   0xe8) /* struct kvm_irqx_intx_info */
#define KVM_IRQX_INTX_ATTACH	_IOWR(KVMIO, 0xe9, struct kvm_irqx_intx_attach)
#define KVM_IRQX_INTX_DETACH	_IO(KVMIO,   0xea)
#define KVM_IRQX_INTX_GET_STATE	_IO(KVMIO,   0xeb) /* struct kvm_irqx_intx_state */

#endif /* _UAPI_LINUX_KVM_IRQX_INTX_H */

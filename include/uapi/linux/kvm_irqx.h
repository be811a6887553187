/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR MIT) */
#ifndef _UAPI_LINUX_KVM_IRQX_H
#define _UAPI_LINUX_KVM_IRQX_H

/*
 * Userspace interface for /dev/kvm-irqx: interrupt delivery into a KVM virtual
 * machine beside, and independent of, KVM's own GSI routing table.
 *
 * One open file is one context.  A context is attached to one VM, once, and
 * has its own GSI space, its own irqfds and its own counters; contexts of the
 * same VM do not see each other.  Closing the file releases everything.
 *
 * Where KVM has an ioctl for the job, its number and its struct are taken, on
 * this file instead of the VM file:
 *
 *	KVM_SET_GSI_ROUTING	struct kvm_irq_routing	replace the whole table
 *	KVM_IRQFD		struct kvm_irqfd	bind an eventfd to a GSI
 *	KVM_IRQ_LINE		struct kvm_irq_level	drive a GSI
 *
 * In those structs padding is ignored, as KVM ignores it.  In the structs
 * below, padding, unknown flags and the padding of an embedded
 * struct kvm_irq_routing_entry must be zero, else the call fails with EINVAL.
 *
 * A call that fails has changed nothing.  Every call may sleep.
 *
 * Errors that any call can return:
 *	ENOTTY		unknown ioctl
 *	EFAULT		bad user pointer
 *	ENOTCONN	the context is not attached (all but GET_INFO and ATTACH)
 *	EPERM		the caller's mm is not the VM's and the caller lacks
 *			CAP_SYS_ADMIN (all but GET_INFO)
 *	EIO		the VM is dead (KVM's vm_dead)
 *	EAGAIN		a routing entry was given and the VM has no in-kernel
 *			interrupt controller yet
 *	EINTR		a fatal signal came while the call waited
 */

#include <linux/ioctl.h>
#include <linux/kvm.h>
#include <linux/types.h>

/* Changes only if a call changes its meaning; additions have feature bits. */
#define KVM_IRQX_ABI_VERSION	1

/**
 * struct kvm_irqx_info - what this module, on this kernel, offers
 * @argsz:	in: size of the caller's struct; out: size the module filled in
 *		or would fill in, were there room.  At least 16.
 * @abi:	KVM_IRQX_ABI_VERSION of the module
 * @features:	KVM_IRQX_FEATURE_*
 * @max_gsi:	a context's GSIs are 0 .. max_gsi - 1
 * @max_irqfds:	how many eventfds a context may bind
 * @max_batch:	the most operations in one KVM_IRQX_ROUTE
 * @pad:	out: zero
 */
struct kvm_irqx_info {
	__u32 argsz;
	__u32 abi;
	__u64 features;
	__u32 max_gsi;
	__u32 max_irqfds;
	__u32 max_batch;
	__u32 pad;
};

/* Types of routing entry that kvm_set_routing_entry() of this kernel knows. */
#define KVM_IRQX_FEATURE_IRQCHIP	(1ULL << 0)
#define KVM_IRQX_FEATURE_MSI		(1ULL << 1)
#define KVM_IRQX_FEATURE_HV_SINT	(1ULL << 2)
#define KVM_IRQX_FEATURE_XEN_EVTCHN	(1ULL << 3)

/**
 * struct kvm_irqx_attach - the VM that a context works on
 * @vm_fd:	a VM file descriptor, as KVM_CREATE_VM returns it.  It may be
 *		closed afterwards; the VM then lives on until the context is
 *		closed too.
 * @flags:	zero
 */
struct kvm_irqx_attach {
	__s32 vm_fd;
	__u32 flags;
};

/**
 * struct kvm_irqx_stats - what has become of a context's events
 * @argsz:	as in struct kvm_irqx_info; at least 8
 * @pad:	out: zero
 * @events:	wake-ups of bound eventfds.  Writes that come before the
 *		wake-up of an earlier one has run are one event, as with KVM.
 * @atomic:	interrupts handed to KVM within the wake-up
 * @deferred:	interrupts handed to KVM by the work queue
 * @unrouted:	events on a GSI without a route: dropped
 * @coalesced:	of @atomic and @deferred, those that KVM found still pending
 * @refused:	of @atomic and @deferred, those that KVM did not take (masked
 *		pin, no such destination, disabled local APIC, ...)
 * @irqfds:	eventfds bound now
 * @gsis:	GSIs that have a route now
 *
 * Without events under way: @events = @atomic + @deferred + @unrouted.  An
 * event on a GSI that has both PIC and IOAPIC entries is one interrupt here.
 */
struct kvm_irqx_stats {
	__u32 argsz;
	__u32 pad;
	__u64 events;
	__u64 atomic;
	__u64 deferred;
	__u64 unrouted;
	__u64 coalesced;
	__u64 refused;
	__u32 irqfds;
	__u32 gsis;
};

/**
 * struct kvm_irqfd_direct - an eventfd with its own routing entry inside
 * @fd:		the eventfd
 * @resamplefd:	reserved for KVM_IRQFD_DIRECT_RESAMPLE; ignored without it
 * @flags:	none: bind @fd to @entry; or one of KVM_IRQFD_DIRECT_DEASSIGN
 *		and KVM_IRQFD_DIRECT_MODIFY
 * @pad:	zero
 * @entry:	where an event goes, in KVM's terms; @entry.gsi must be 0.
 *		Ignored by DEASSIGN.
 *
 * Binding: every event of @fd is from now on one interrupt at @entry.  Events
 * that were pending in the eventfd are delivered at once, as one.  The last
 * close of the eventfd undoes the binding.
 *
 * MODIFY: gives the bound eventfd another entry.  When it returns, no
 * interrupt will be raised at the old entry any more, and none was lost or
 * doubled.  The cost does not depend on how many bindings there are.
 *
 * DEASSIGN: undoes the binding of @fd, made by this call or by KVM_IRQFD.  When
 * it returns, every earlier event has been delivered and none will follow.
 * Success also if @fd is an eventfd that is not bound here.
 *
 * Errors:
 *	EBADF	@fd is not open
 *	EINVAL	@fd is not an eventfd; bad flags, padding or entry; whatever
 *		kvm_set_routing_entry() answers
 *	EBUSY	@fd is bound already, here or to KVM
 *	ENOENT	MODIFY: @fd has no entry of its own here
 *	ENOSPC	max_irqfds are bound
 *	ENOMEM
 */
struct kvm_irqfd_direct {
	__s32 fd;
	__s32 resamplefd;
	__u32 flags;
	__u32 pad;
	struct kvm_irq_routing_entry entry;
};

#define KVM_IRQFD_DIRECT_DEASSIGN	(1U << 0)
#define KVM_IRQFD_DIRECT_RESAMPLE	(1U << 1)
#define KVM_IRQFD_DIRECT_MODIFY		(1U << 2)

/**
 * struct kvm_irqx_route_op - one change to the context's GSI table
 * @op:		KVM_IRQX_ROUTE_*
 * @pad:	zero
 * @entry:	@entry.gsi is the GSI; DEL looks at nothing else in it
 */
struct kvm_irqx_route_op {
	__u32 op;
	__u32 pad;
	struct kvm_irq_routing_entry entry;
};

/* The GSI has this one entry, whatever it had before. */
#define KVM_IRQX_ROUTE_SET	1
/*
 * The GSI has no entry any more; success if it had none.  Its irqfds stay
 * bound, their events are counted as unrouted.
 */
#define KVM_IRQX_ROUTE_DEL	2
/*
 * The GSI has this entry too.  As in KVM, only irqchip entries can share a
 * GSI, and each of them must name another irqchip: EINVAL.
 */
#define KVM_IRQX_ROUTE_ADD	3

/**
 * struct kvm_irqx_route - changes to the GSI table, all of them or none
 * @nr:		number of @ops, 1 .. max_batch
 * @flags:	zero
 * @index:	out: on failure, which of @ops is to blame; @nr if none is
 * @pad:	zero
 * @ops:	carried out in their order
 *
 * The irqfds of a changed GSI follow at once, under the same promise as that
 * of KVM_IRQFD_DIRECT_MODIFY.
 *
 * Errors:
 *	EINVAL	@nr, @flags, an operation, its padding, a GSI beyond max_gsi, an
 *		entry that cannot share the GSI; whatever
 *		kvm_set_routing_entry() answers
 *	ENOMEM
 */
struct kvm_irqx_route {
	__u32 nr;
	__u32 flags;
	__u32 index;
	__u32 pad;
	struct kvm_irqx_route_op ops[];
};

/* KVM's ioctl type; numbers that KVM does not use on any of its files. */
#define KVM_IRQX_GET_INFO	_IOWR(KVMIO, 0xf0, struct kvm_irqx_info)
#define KVM_IRQX_ATTACH		_IOW(KVMIO,  0xf1, struct kvm_irqx_attach)
#define KVM_IRQX_GET_STATS	_IOWR(KVMIO, 0xf2, struct kvm_irqx_stats)
#define KVM_IRQFD_DIRECT	_IOW(KVMIO,  0xf3, struct kvm_irqfd_direct)
#define KVM_IRQX_ROUTE		_IOWR(KVMIO, 0xf4, struct kvm_irqx_route)

#endif /* _UAPI_LINUX_KVM_IRQX_H */

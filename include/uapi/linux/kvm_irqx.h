/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR MIT) */
#ifndef _UAPI_LINUX_KVM_IRQX_H
#define _UAPI_LINUX_KVM_IRQX_H

/**
 * DOC: The interface
 *
 * Userspace interface for /dev/kvm-irqx: interrupt delivery into a KVM virtual
 * machine beside, and independent of, KVM's own GSI routing table.
 *
 * One open file is one context.  A context is attached to one VM, once, and
 * has its own GSI space, its own irqfds and its own counters; contexts of the
 * same VM do not see each other.  Closing the file, however it comes about,
 * undoes all its bindings and lowers all lines that it holds up.
 *
 * Where KVM has an ioctl for the job, its number and its struct are taken, on
 * this file instead of the VM file:
 *
 * - KVM_SET_GSI_ROUTING, struct kvm_irq_routing: replace the whole table
 * - KVM_IRQFD, struct kvm_irqfd: bind an eventfd to a GSI
 * - KVM_IRQ_LINE, KVM_IRQ_LINE_STATUS, struct kvm_irq_level: drive a GSI
 *
 * In those structs padding is ignored, as KVM ignores it.  In the structs
 * below, padding, unknown flags and the padding of an embedded
 * struct kvm_irq_routing_entry must be zero, else the call fails with EINVAL.
 *
 * A call that fails has changed nothing.  Every call may sleep.  It returns 0,
 * or -1 with errno set.
 */

/**
 * DOC: Errors of every call
 *
 * :ENOTTY:	unknown ioctl
 * :EFAULT:	bad user pointer
 * :ENOTCONN:	the context is not attached (all but KVM_IRQX_GET_INFO and
 *		KVM_IRQX_ATTACH)
 * :EPERM:	the caller's mm is not the VM's and the caller lacks
 *		CAP_SYS_ADMIN (all but KVM_IRQX_GET_INFO)
 * :EIO:	the VM is dead (KVM's vm_dead)
 * :EAGAIN:	a routing entry was given and the VM has no in-kernel interrupt
 *		controller yet (KVM_CREATE_IRQCHIP or KVM_CAP_SPLIT_IRQCHIP;
 *		arm64: a VGIC after KVM_DEV_ARM_VGIC_CTRL_INIT)
 * :ENODEV:	a routing entry was given and the VM's interrupt controller is a
 *		GICv5, which numbers its interrupts in another way
 * :EINTR:	a fatal signal came while the call waited, or during a long one
 */

#include <linux/ioctl.h>
#include <linux/kvm.h>
#include <linux/types.h>

/* Changes only if a call changes its meaning; additions have feature bits. */
#define KVM_IRQX_ABI_VERSION	2

/**
 * struct kvm_irqx_info - what this module, on this kernel, offers
 * @argsz:	in: size of the caller's struct; out: size the module filled in
 *		or would fill in, were there room.  EINVAL if less than 16.
 * @abi:	KVM_IRQX_ABI_VERSION of the module
 * @features:	%KVM_IRQX_FEATURE_*
 * @max_gsi:	a context's GSIs are 0 .. max_gsi - 1
 * @max_irqfds:	how many eventfds a context may bind
 * @max_batch:	the most operations in one KVM_IRQX_BATCH
 * @version:	the module's, major << 16 | minor << 8 | patch, as in
 *		/sys/module/kvm_irqx/version; 0 before 0.2
 * @ops:	operations of a batch that are known: 1 << KVM_IRQX_OP_* of each
 * @op_size:	sizeof(struct kvm_irqx_op) as the module knows it
 * @op_flags:	flags that a struct kvm_irqx_op can have, all operations together
 * @direct_flags:	those of struct kvm_irqx_irqfd_direct
 * @batch_flags:	those of struct kvm_irqx_batch
 * @attach_flags:	those of struct kvm_irqx_attach
 * @synic_page_flags:	those of struct kvm_irqx_synic_page
 * @mask_flags:	those of struct kvm_irqx_mask
 * @get_state_flags:	those of struct kvm_irqx_get_state
 * @table_flags:	those of struct kvm_irqx_table
 * @table_ops:	operations of KVM_IRQX_TABLE: 1 << KVM_IRQX_TABLE_* of each
 * @table_state_flags:	those of struct kvm_irqx_table_state
 * @vector_size:	sizeof(struct kvm_irqx_vector) as the module knows it
 * @max_vectors:	the most vectors of one table
 * @max_handles:	the most handles of one dynirq
 * @table_state_version:	KVM_IRQX_TABLE_STATE_VERSION of the module
 * @handle_ops:	operations of KVM_IRQX_HANDLE: 1 << KVM_IRQX_HANDLE_* of each
 * @handle_flags:	those of struct kvm_irqx_handle
 * @raise_flags:	those of struct kvm_irqx_raise
 * @list_flags:	those of struct kvm_irqx_list
 * @binding_size:	sizeof(struct kvm_irqx_binding) as the module knows it
 * @pad:	zero
 *
 * A flag or an operation that is not there is EINVAL.  One that is there may need something
 * of the kernel too: @features.
 */
struct kvm_irqx_info {
	__u32 argsz;
	__u32 abi;
	__u64 features;
	__u32 max_gsi;
	__u32 max_irqfds;
	__u32 max_batch;
	__u32 version;
	__u32 ops;
	__u32 op_size;
	__u32 op_flags;
	__u32 direct_flags;
	__u32 batch_flags;
	__u32 attach_flags;
	__u32 synic_page_flags;
	__u32 mask_flags;
	__u32 get_state_flags;
	__u32 table_flags;
	__u32 table_ops;
	__u32 table_state_flags;
	__u32 vector_size;
	__u32 max_vectors;
	__u32 max_handles;
	__u32 table_state_version;
	__u32 handle_ops;
	__u32 handle_flags;
	__u32 raise_flags;
	__u32 list_flags;
	__u32 binding_size;
	__u32 pad;
};

/**
 * DOC: Features
 *
 * KVM_IRQX_FEATURE_IRQCHIP, _MSI, _HV_SINT, _XEN_EVTCHN
 *	Types of routing entry that KVM takes on this kernel: the first two
 *	always, the others on x86 with CONFIG_KVM_HYPERV and CONFIG_KVM_XEN.
 * KVM_IRQX_FEATURE_PPI
 *	KVM_IRQX_ROUTING_PPI, which only this module knows.
 * KVM_IRQX_FEATURE_RESAMPLE
 *	Resamplefds, on what has an EOI (KVM_IRQX_IRQFD_DIRECT).  Not where KVM tells of some
 *	EOIs only, and cannot be watched (arm64, no kernel of Debian's).
 * KVM_IRQX_FEATURE_EVENT_FLAG
 *	KVM_IRQX_IRQFD_DIRECT_EVENT_FLAG and KVM_IRQX_SYNIC_PAGE.
 * KVM_IRQX_FEATURE_LEVEL_MSI
 *	Resamplefds on level-triggered MSIs of a VM with a split irqchip (x86).
 * KVM_IRQX_FEATURE_TABLE
 *	KVM_IRQX_TABLE and KVM_IRQX_ROUTING_VECTOR.
 * KVM_IRQX_FEATURE_DYNIRQ
 *	KVM_IRQX_TABLE_CREATE_DYNIRQ, KVM_IRQX_HANDLE and KVM_IRQX_RAISE.
 * KVM_IRQX_FEATURE_LIST
 *	KVM_IRQX_LIST, and cookies.
 */
#define KVM_IRQX_FEATURE_IRQCHIP	(1ULL << 0)
#define KVM_IRQX_FEATURE_MSI		(1ULL << 1)
#define KVM_IRQX_FEATURE_HV_SINT	(1ULL << 2)
#define KVM_IRQX_FEATURE_XEN_EVTCHN	(1ULL << 3)
#define KVM_IRQX_FEATURE_PPI		(1ULL << 4)
#define KVM_IRQX_FEATURE_RESAMPLE	(1ULL << 8)
#define KVM_IRQX_FEATURE_EVENT_FLAG	(1ULL << 9)
#define KVM_IRQX_FEATURE_LEVEL_MSI	(1ULL << 11)
#define KVM_IRQX_FEATURE_TABLE		(1ULL << 12)
#define KVM_IRQX_FEATURE_DYNIRQ		(1ULL << 13)
#define KVM_IRQX_FEATURE_LIST		(1ULL << 14)

/**
 * define KVM_IRQX_ROUTING_PPI - a routing entry for a PPI of one vCPU
 *
 * A type of routing entry beside KVM's, where KVM_IRQX_FEATURE_PPI is set (arm64).
 * Of struct kvm_irq_routing_entry it takes
 *
 * :u.irqchip.irqchip:	the vCPU's index, in the order of KVM_CREATE_VCPU, as in
 *			KVM_IRQ_LINE
 * :u.irqchip.pin:	the INTID, 16 .. 31
 *
 * and zero in flags and in the rest of u; else EINVAL.  An event makes the PPI
 * pending until the guest takes it.  The PPIs of KVM's VGIC are level-triggered and
 * the guest cannot change that, so the first event makes this one edge-triggered,
 * which the guest can read.  KVM_IRQ_LINE on a GSI drives the level, and when it rises makes
 * it level-triggered again.  So does RESAMPLE, as on a pin: any number of bindings share
 * the PPI of a vCPU, and its EOI, of that vCPU alone, makes them let go and signals them.
 * While a resamplefd is on it the PPI stays level-triggered: an event of another binding
 * then holds it until the EOI, and one that comes while the guest serves it is an interrupt
 * after the EOI.  KVM keeps to itself the PPIs of its timers, and of its PMU from when that
 * is set up: EBUSY.  One that KVM takes later gets nothing any more; its events
 * count as refused.
 */
#define KVM_IRQX_ROUTING_PPI	(1U << 31)

/**
 * define KVM_IRQX_ROUTING_VECTOR - a routing entry for a vector of a table
 *
 * A type of routing entry beside KVM's, where KVM_IRQX_FEATURE_TABLE is set. Of
 * struct kvm_irq_routing_entry it takes
 *
 * :u.irqchip.irqchip:	the table, as KVM_IRQX_TABLE has numbered it in this context
 * :u.irqchip.pin:	the vector, or the handle of a dynirq, below the table's nr
 *
 * and zero in flags and in the rest of u; else EINVAL.  An event is one of the vector: it sends
 * the message that the guest has written there, or sets the vector's Pending bit while that is
 * masked, the table's function is masked or disabled.
 *
 * Any number of bindings and GSIs can lead to a vector, and the vector is *bound* while one
 * does: then the guest's accesses to its entry are answered by the module.  The mask and what is
 * pending are the vector's: a binding or a GSI that leads there has none, MASK and UNMASK of it
 * are EINVAL, and KVM_IRQX_GET_STATE tells those of the vector.  One that is changed to lead there
 * leaves its mask behind, and brings what is pending.  One that goes away leaves pending events
 * there.  RESAMPLE is EINVAL.
 *
 * The handles of a dynirq are answered whether bound or not.
 */
#define KVM_IRQX_ROUTING_VECTOR	(1U << 30)

/**
 * struct kvm_irqx_attach - the VM that a context works on
 * @vm_fd:	a VM file descriptor, as KVM_CREATE_VM returns it.  It may be
 *		closed afterwards; the VM then lives on until the context is
 *		closed too.
 * @flags:	zero
 * @pad:	zero
 *
 * The VM needs no interrupt controller at this time.
 *
 * Errors:
 *
 * :EBADF:	@vm_fd is not open
 * :EINVAL:	@vm_fd is not a VM (a vCPU is not); @flags; @pad
 * :EBUSY:	attached already
 * :EPERM:	another process's VM, and no CAP_SYS_ADMIN
 * :EIO:	the VM is dead
 * :ENODEV:	the module that runs the VM is going away
 * :ENOSPC:	KVM has no interrupt source id left for the VM (x86, before 6.17)
 * :ENOMEM:	no memory
 */
struct kvm_irqx_attach {
	__s32 vm_fd;
	__u32 flags;
	__u32 pad[6];
};

/**
 * struct kvm_irqx_stats - what has become of a context's events
 * @argsz:	as in struct kvm_irqx_info; EINVAL if less than 8
 * @pad:	out: zero
 * @events:	wake-ups of bound eventfds, what KVM_IRQX_RAISE and modules of the host have
 *		raised, and what has told the guest of labels.  Writes that come before the
 *		wake-up of an earlier one has run are one event, as with KVM.
 * @atomic:	interrupts handed to KVM within the wake-up
 * @deferred:	interrupts handed to KVM later, by one of the VM's two workers
 * @unrouted:	events on a GSI without a route: dropped
 * @coalesced:	of @atomic and @deferred, those that KVM says nothing new came
 *		of: a pin still up, or an MSI without a destination that takes
 *		it.  (An MSI that was pending already is not told apart.)
 * @refused:	of @atomic and @deferred, those that KVM answered with an error
 *		(masked pin or SINT, no such virtual processor, ...)
 * @irqfds:	eventfds bound now
 * @gsis:	GSIs that have a route now
 * @undeliverable:	entries taken, and messages that a guest has put into a table, that no
 *		interrupt can come of: on x86 MSIs of delivery mode Fixed or Lowest Priority with a
 *		vector below 16.  KVM takes them too, and their events are counted as any.
 * @undefined:	accesses of the guest to a table that PCI leaves undefined: of another size
 *		than 4 or 8 bytes, not aligned to it, or a write to Pending bits; those that
 *		Documentation/dynirq.rst calls undefined.  They change nothing, and read zeroes.
 *
 * Counted since the context was opened.  Without events under way:
 * @events = @atomic + @deferred + @unrouted.  An event on a GSI that has both PIC
 * and IOAPIC entries is one interrupt here.  Among @coalesced are events whose event
 * flag the guest had not seen yet, those that came while a line was held up anyway,
 * and those that came while an earlier event at the same place was waiting for a worker:
 * they are one interrupt.  An event that DEASSIGN puts back into its eventfd is none.  One that is
 * pending at a masked target is under way until it is unmasked; but a level counts, as @deferred,
 * when it is noted down.
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
	__u64 undeliverable;
	__u64 undefined;
};

/**
 * struct kvm_irqx_irqfd_direct - an eventfd with its own routing entry inside
 * @fd:		the eventfd
 * @resamplefd:	with RESAMPLE the eventfd to signal when the guest has
 *		acknowledged the interrupt, else ignored
 * @flags:	none: bind @fd to @entry; or one of KVM_IRQX_IRQFD_DIRECT_DEASSIGN
 *		and KVM_IRQX_IRQFD_DIRECT_MODIFY; when binding,
 *		KVM_IRQX_IRQFD_DIRECT_RESAMPLE; with all but DEASSIGN,
 *		KVM_IRQX_IRQFD_DIRECT_EVENT_FLAG, and one of KVM_IRQX_IRQFD_DIRECT_MASK and
 *		KVM_IRQX_IRQFD_DIRECT_UNMASK
 * @event_flag:	with EVENT_FLAG a number below KVM_IRQX_EVENT_FLAGS, else zero
 * @entry:	where an event goes, in KVM's terms; its gsi must be 0.  Ignored
 *		by DEASSIGN.
 * @error:	address of a struct kvm_irqx_error, or 0
 * @cookie:	when binding, what KVM_IRQX_LIST is to tell of it; else zero
 * @pad:	zero
 *
 * Binding: every event of @fd is from now on one interrupt at @entry.  Events
 * that were pending in the eventfd are delivered at once, as one, and its counter
 * is reset; of an EFD_SEMAPHORE eventfd's counter one is taken.  The last close of
 * the eventfd undoes the binding.
 *
 * RESAMPLE, on a pin of the IOAPIC or PIC: an event raises the pin.  When the
 * guest acknowledges the interrupt (EOI), the pin falls and @resamplefd is
 * signalled: who still wants service signals @fd again.  Any number of bindings,
 * of this call or of KVM_IRQFD, in this context or another, can share a pin, with
 * KVM_IRQ_LINE too: it is up while one of them holds it, an EOI makes all that
 * have a resamplefd let go, and signals all of those.  Nobody may hold it and it be up
 * all the same, where a VMM has restored the interrupt controller's state: an EOI lowers
 * it, and so does the last resamplefd that leaves.  A guest that unmasks the pin while it
 * is up has @resamplefd signalled, and no interrupt until somebody asserts again (as with
 * KVM's, from 6.4 on; before, it has the interrupt).  A pin that the guest has made
 * edge-triggered is acknowledged too if, since it was raised, KVM's own GSI table has kept
 * the entry for it that it has by default; not with AMD's AVIC.
 *
 * RESAMPLE, on a SINT: @resamplefd is signalled at each EOI of the SINT's vector
 * and each write to the EOM register by that virtual processor.  EOM does not say
 * which SINT it is for: all 16 are signalled.  A SINT with AutoEOI has no EOI, so
 * EOM only.  With AMD's AVIC KVM does not see the EOI; EOM works.  A
 * resamplefd signal thus means "maybe": there is one too when a route change takes
 * the binding away from a SINT, and when the VMM restores the EOM register.
 *
 * RESAMPLE, on a level-triggered MSI (bit 15 of the data; delivery mode fixed or lowest
 * priority) of a VM with a split irqchip, where KVM_IRQX_FEATURE_LEVEL_MSI is set: nothing
 * is held up, each event sends the MSI, and @resamplefd is signalled at each EOI of its
 * vector by any vCPU of the VM, before KVM_EXIT_IOAPIC_EOI.  A vector can be shared: "maybe"
 * again, and so when a route change takes the binding to another vector.  With Intel's
 * APICv KVM sees the EOI only if its own GSI table has a level-triggered MSI with that vector
 * among the GSIs that KVM_CAP_SPLIT_IRQCHIP has set aside (Documentation/eoi.rst section 5).
 *
 * RESAMPLE, on an SPI (arm64): as on a pin, if it is level-triggered.  An
 * edge-triggered SPI has no acknowledgment.
 *
 * RESAMPLE, on a PPI (arm64): as on a pin; KVM_IRQX_ROUTING_PPI.  EINVAL on a kernel
 * without ftrace, or whose KVM cannot be watched by it (no kernel of Debian's).
 *
 * RESAMPLE, on anything else: EINVAL.  Nothing carries the EOI of other MSIs.
 *
 * EVENT_FLAG, on a SINT: an event first sets flag @event_flag of that SINT in
 * the virtual processor's event-flag page (KVM_IRQX_SYNIC_PAGE), and raises the
 * SINT only if the flag was clear, or if KVM refused the SINT the last time.
 *
 * MODIFY: gives the bound eventfd another entry, of any type (of those that
 * RESAMPLE takes, if it has a resamplefd; that stays), and another event flag, or
 * without EVENT_FLAG none.  When it returns, no interrupt will be raised at the old
 * entry any more; an event is delivered either before, by the old entry, or after,
 * by the new one: none is lost or doubled.  The cost does not depend on how many
 * bindings there are.  If the old pin was held up, the new one now is, and a SINT is raised.
 *
 * MASK and UNMASK: as KVM_IRQX_MASK, together with the new entry.  With neither a new
 * binding is not masked, and MODIFY leaves the mask as it is.
 *
 * DEASSIGN: undoes the binding of @fd, made by this call or by KVM_IRQFD.  When
 * it returns, every earlier event has been delivered, or is in the eventfd again (one
 * that was waiting for a worker, or was pending since it is masked; several are one), and
 * none will be delivered; a pin
 * that it held up has fallen; the resamplefd will not be signalled any more.
 * Success also if @fd is an eventfd that is not bound here.
 *
 * MODIFY and DEASSIGN wait, until they are killed, for an injection of this binding that
 * KVM has begun and that waits for a page of the guest: a Xen event channel, an LPI
 * whose translation is not cached.  They do not wait for anything else, and nothing
 * else of the context waits for them.  Closing the context waits for no page.
 *
 * Errors:
 *
 * :EBADF:	@fd, or with RESAMPLE @resamplefd, is not open
 * :EINVAL:	one of the two is not an eventfd; unknown @flags, or ones that do
 *		not go together; @event_flag out of range, or not zero without
 *		EVENT_FLAG; the entry's gsi or padding is not zero, or its flags
 *		have more than KVM_MSI_VALID_DEVID on an MSI, or anything on
 *		another type; RESAMPLE on an entry without an EOI, EVENT_FLAG on
 *		other than a SINT; a SINT above 15 or a VP index that KVM cannot
 *		have; whatever kvm_set_routing_entry() refuses: a type it does not
 *		know, a pin out of range, a pin with a split irqchip, a low byte in
 *		address_hi with 32-bit destinations
 * :EBUSY:	@fd is bound already, in any context or, as far as can be seen, to
 *		KVM; a PPI that KVM uses; RESAMPLE on a PPI, or on an SPI of 6.19 and
 *		later: ftrace is off (sysctl kernel.ftrace_enabled)
 * :ENOENT:	MODIFY: @fd has no entry of its own in this context
 * :ENOSPC:	max_irqfds are bound; RESAMPLE: 4096 sources hold or watch lines
 *		of the VM
 * :EOPNOTSUPP:	EVENT_FLAG: the VM has a dirty ring, which can take no write
 *		from outside a vCPU
 * :ENOMEM:	no memory
 */
struct kvm_irqx_irqfd_direct {
	__s32 fd;
	__s32 resamplefd;
	__u32 flags;
	__u32 event_flag;
	struct kvm_irq_routing_entry entry;
	__aligned_u64 error;
	__aligned_u64 cookie;
	__aligned_u64 pad[2];
};

#define KVM_IRQX_IRQFD_DIRECT_DEASSIGN	(1U << 0)
#define KVM_IRQX_IRQFD_DIRECT_RESAMPLE	(1U << 1)
#define KVM_IRQX_IRQFD_DIRECT_MODIFY	(1U << 2)
#define KVM_IRQX_IRQFD_DIRECT_EVENT_FLAG	(1U << 3)
#define KVM_IRQX_IRQFD_DIRECT_MASK	(1U << 4)
#define KVM_IRQX_IRQFD_DIRECT_UNMASK	(1U << 5)

/* Per SINT (Hyper-V TLFS, HV_SYNIC_EVENT_FLAGS). */
#define KVM_IRQX_EVENT_FLAGS	2048

/**
 * struct kvm_irqx_synic_page - where a virtual processor has its event flags
 * @vp_index:	VP index
 * @flags:	KVM_IRQX_SYNIC_PAGE_ENABLED, or none: it has no page, as is so at first
 * @gpa:	guest-physical address of the page, with ENABLED; else zero
 * @pad:	zero
 *
 * The VMM learns this from KVM_EXIT_HYPERV (KVM_EXIT_HYPERV_SYNIC, evt_page) and
 * repeats it before it resumes the vCPU.  When the call returns, nothing is
 * written to the old page any more.  An event whose page cannot be written counts as
 * refused: none was named, it is not in a writable memslot, not mapped writable in
 * the VMM, or memory that only the guest has (guest_memfd).  One whose page is not
 * there yet (a userfaultfd, a file that somebody serves) waits for it, and with it
 * all events of this VM that need a page: a VMM that migrates by post-copy fetches
 * these pages first.  KVM's dirty log sees the writes.
 *
 * Errors:
 *
 * :ENOTTY:	no KVM_IRQX_FEATURE_EVENT_FLAG
 * :EINVAL:	VP index out of range, unknown flags, @gpa not page-aligned, or
 *		not zero without ENABLED; @pad
 * :ENOMEM:	no memory
 */
struct kvm_irqx_synic_page {
	__u32 vp_index;
	__u32 flags;
	__aligned_u64 gpa;
	__aligned_u64 pad[2];
};

#define KVM_IRQX_SYNIC_PAGE_ENABLED	(1U << 0)

/**
 * DOC: The GSI table
 *
 * A context's GSIs begin without routes, and are not those of KVM's table.  An
 * irqfd on a GSI without a route is accepted; its events are dropped and counted as
 * unrouted until the GSI gets one.  One with a resamplefd remembers an event, and
 * raises the pin, PPI or SINT that the GSI gets.  As with KVM, it can be a GSI that no table can
 * have.
 *
 * A GSI has one entry, or several irqchip entries that each name another irqchip
 * (PIC master, PIC slave, IOAPIC), as in KVM; one with several is raised on all of
 * them.  While an irqfd of the GSI has a resamplefd, the GSI takes pins, PPIs and SINTs
 * only, also in mid-batch.
 *
 * The irqfds of a changed GSI follow at once, under the same promise as that of
 * KVM_IRQX_IRQFD_DIRECT_MODIFY.  If KVM_IRQ_LINE holds the GSI up, the level goes with
 * it: the old pin falls, the new one rises, and one that the GSI keeps does not
 * move; an MSI, or what else has no level, is sent once.  The level ends with the route.
 */

/**
 * DOC: KVM_SET_GSI_ROUTING
 *
 * Replaces the whole table.  The cost is by the number of entries in the old table
 * and in the new one.
 *
 * Errors:
 *
 * :EINVAL:	flags is not zero; nr or a GSI is beyond max_gsi; an entry that
 *		cannot share its GSI, or has no EOI where the GSI has a
 *		resamplefd; an entry as for KVM_IRQX_IRQFD_DIRECT
 * :EBUSY:	an entry as for KVM_IRQX_IRQFD_DIRECT
 * :ENOMEM:	no memory
 */

/**
 * DOC: KVM_IRQFD
 *
 * Binds fd to gsi, or with KVM_IRQFD_FLAG_DEASSIGN undoes the binding of fd to gsi; if
 * there is none, that is success.  (KVM_IRQX_IRQFD_DIRECT_DEASSIGN undoes whichever binding fd
 * has.)  KVM_IRQFD_FLAG_RESAMPLE is as KVM_IRQX_IRQFD_DIRECT_RESAMPLE.
 *
 * Errors:
 *
 * :EBADF:	fd, or with RESAMPLE resamplefd, is not open
 * :EINVAL:	one of the two is not an eventfd; unknown flags; RESAMPLE on a GSI
 *		with an entry that has no EOI
 * :EBUSY:	as KVM_IRQX_IRQFD_DIRECT
 * :ENOSPC:	as KVM_IRQX_IRQFD_DIRECT
 * :ENOMEM:	no memory
 */

/**
 * DOC: KVM_IRQ_LINE
 *
 * Sets the level of the GSI's pins; on other types of entry, 1 is an interrupt and 0
 * is nothing.  A GSI without a route: nothing happens.  The level is the GSI's own:
 * the pin is up while any source of the module or of KVM holds it.  0 also lowers a pin that
 * is up though no source of the module holds it, as after KVM_SET_IRQCHIP.
 *
 * KVM_IRQ_LINE_STATUS also says in status what became of it, as KVM's: negative: ignored
 * (masked, in service, no route); 0: coalesced with an earlier one; else how many vCPUs it
 * went to, or 1 for a 0, and for what had to wait for a page of the guest.
 *
 * Errors:
 *
 * :EINVAL:	irq is beyond max_gsi
 * :ENOSPC:	4096 sources hold or watch lines of the VM
 * :ENOMEM:	no memory
 */

/**
 * struct kvm_irqx_op - one operation of a batch
 * @op:		%KVM_IRQX_OP_*, below
 * @pad:	zero
 * @fd:		the eventfd of ASSIGN, MODIFY, DEASSIGN and IRQFD; of MASK and UNMASK, or
 *		KVM_IRQX_NO_FD; else zero
 * @resamplefd:	with RESAMPLE as in struct kvm_irqx_irqfd_direct, else zero
 * @flags:	%KVM_IRQX_OP_FLAG_*, where they are named below; not both of MASK and UNMASK
 * @event_flag:	with EVENT_FLAG as in struct kvm_irqx_irqfd_direct, else zero
 * @entry:	as the operation says
 * @cookie:	of ASSIGN and IRQFD, what KVM_IRQX_LIST is to tell of the binding; else zero
 *
 * From @fd to @entry it is what struct kvm_irqx_irqfd_direct begins with.
 *
 * KVM_IRQX_OP_ASSIGN, with RESAMPLE, EVENT_FLAG, MASK and UNMASK
 *	Binds @fd to @entry, as KVM_IRQX_IRQFD_DIRECT.  @entry's gsi must be 0.
 * KVM_IRQX_OP_MODIFY, with EVENT_FLAG, MASK and UNMASK
 *	Gives @fd another entry of its own, as KVM_IRQX_IRQFD_DIRECT_MODIFY.
 * KVM_IRQX_OP_DEASSIGN
 *	Undoes the binding of @fd, however it was made.  @entry must be zero.  Success also
 *	if @fd is an eventfd that is not bound here.
 * KVM_IRQX_OP_ROUTE_SET, with MASK and UNMASK
 *	The GSI that @entry names has this one entry, whatever it had before.
 * KVM_IRQX_OP_ROUTE_ADD
 *	The GSI has this entry too.
 * KVM_IRQX_OP_ROUTE_DEL
 *	The GSI has no entry any more; success if it had none.  Its irqfds stay bound, their
 *	events are counted as unrouted.  Of @entry all but the gsi must be zero.
 * KVM_IRQX_OP_IRQFD, with RESAMPLE
 *	Binds @fd to the GSI that @entry names, as KVM_IRQFD.  Of @entry all but the gsi must
 *	be zero.
 * KVM_IRQX_OP_MASK, KVM_IRQX_OP_UNMASK
 *	As KVM_IRQX_MASK, of @fd's own entry, or with KVM_IRQX_NO_FD of the GSI that @entry
 *	names.  Of @entry all else must be zero.
 *
 * The flags MASK and UNMASK do the same together with the new entry; with neither the mask
 * stays as it is, and a new one is not set.
 */
struct kvm_irqx_op {
	__u32 op;
	__u32 pad;
	__s32 fd;
	__s32 resamplefd;
	__u32 flags;
	__u32 event_flag;
	struct kvm_irq_routing_entry entry;
	__aligned_u64 cookie;
};

#define KVM_IRQX_OP_ASSIGN	1
#define KVM_IRQX_OP_MODIFY	2
#define KVM_IRQX_OP_DEASSIGN	3
#define KVM_IRQX_OP_ROUTE_SET	4
#define KVM_IRQX_OP_ROUTE_ADD	5
#define KVM_IRQX_OP_ROUTE_DEL	6
#define KVM_IRQX_OP_IRQFD	7
#define KVM_IRQX_OP_MASK	8
#define KVM_IRQX_OP_UNMASK	9

/* In the places that they have in KVM_IRQX_IRQFD_DIRECT. */
#define KVM_IRQX_OP_FLAG_RESAMPLE	(1U << 1)
#define KVM_IRQX_OP_FLAG_EVENT_FLAG	(1U << 3)
#define KVM_IRQX_OP_FLAG_MASK		(1U << 4)
#define KVM_IRQX_OP_FLAG_UNMASK		(1U << 5)

/* The element that there was at first, and the largest that any module takes. */
#define KVM_IRQX_OP_SIZE_MIN	72
#define KVM_IRQX_OP_SIZE_MAX	256

/**
 * struct kvm_irqx_batch - operations, all of them or none
 * @nr:		number of operations, 1 .. max_batch
 * @flags:	zero
 * @op_size:	sizeof(struct kvm_irqx_op) as the caller knows it, from one element to the
 *		next; KVM_IRQX_OP_SIZE_MIN to KVM_IRQX_OP_SIZE_MAX.  What a smaller one lacks is
 *		zero; what a larger one has beyond the module's must be zero.
 * @index:	out: on failure, which operation is at fault; @nr if none is (the
 *		arguments themselves, memory for them, a kill), and on success
 * @ops:	address of the operations
 * @error:	address of a struct kvm_irqx_error, or 0
 * @pad:	zero
 *
 * As that many calls, in that order, but for a fraction of their cost, and if one fails, the
 * batch has changed nothing: nothing is bound or unbound, no event has been taken out of an
 * eventfd, no route is another one.  The first that fails ends it.  An event that comes
 * meanwhile goes the old way or the new one, and one of an eventfd that is being bound waits
 * in it until all are.
 *
 * Operations on different eventfds and GSIs that nobody can tell the order of are done in this
 * one: what unbinds, what changes, what binds.  So what is pending at a masked GSI stays there if
 * one irqfd leaves it and another comes.
 *
 * An eventfd can stand in a batch once.  A GSI can stand there many times: each operation finds
 * what those before it have made of it.  What the batch unbinds counts for max_irqfds and the
 * other limits until its end.  It waits for injections that have begun as MODIFY and DEASSIGN
 * do (KVM_IRQX_IRQFD_DIRECT), once for all.
 *
 * Errors, beside those of KVM_IRQX_IRQFD_DIRECT and KVM_IRQFD for bindings, and of KVM_IRQX_MASK
 * for masks:
 *
 * :EINVAL:	@nr, @flags, @op_size or @pad; an unknown operation, a field that must be
 *		zero, an eventfd that is there twice; of routes a GSI beyond max_gsi, an
 *		entry that cannot share the GSI, or has no EOI where the GSI has a resamplefd
 * :E2BIG:	an operation has something in a field that this module does not know
 */
struct kvm_irqx_batch {
	__u32 nr;
	__u32 flags;
	__u32 op_size;
	__u32 index;
	__aligned_u64 ops;
	__aligned_u64 error;
	__aligned_u64 pad[2];
};

/**
 * struct kvm_irqx_error - why a call has failed
 * @argsz:	in: size of the caller's struct; out: size the module filled in or would
 *		fill in, were there room.  EINVAL if less than 16.
 * @index:	out: which element of the call's array is at fault, or ~0
 * @arg:	out: which argument is, enum kvm_irqx_arg
 * @reason:	out: what is wrong with it, enum kvm_irqx_reason
 *
 * For calls with the address of one in their argument.  It is written when the call fails; @arg
 * and @reason are NONE if the errno says it all, as ENOMEM does.  It is written too when DEASSIGN
 * succeeds because there was nothing to do: KVM_IRQX_REASON_NOT_BOUND.  Else it stays as it is.
 * If it cannot be read and written the call is EFAULT, and has changed nothing.  ENOTCONN, EPERM
 * and EIO (errors of every call), and EFAULT of the call's argument, come before it is known.
 */
struct kvm_irqx_error {
	__u32 argsz;
	__u32 index;
	__u32 arg;
	__u32 reason;
};

/**
 * enum kvm_irqx_arg - which argument is at fault
 * @KVM_IRQX_ARG_NONE:		none, or it is not known
 * @KVM_IRQX_ARG_CONTEXT:	the context, or its VM
 * @KVM_IRQX_ARG_ARGSZ:		argsz
 * @KVM_IRQX_ARG_FLAGS:		flags
 * @KVM_IRQX_ARG_PAD:		pad
 * @KVM_IRQX_ARG_NR:		nr
 * @KVM_IRQX_ARG_VM_FD:		vm_fd
 * @KVM_IRQX_ARG_FD:		fd
 * @KVM_IRQX_ARG_RESAMPLEFD:	resamplefd
 * @KVM_IRQX_ARG_EVENT_FLAG:	event_flag
 * @KVM_IRQX_ARG_GSI:		gsi
 * @KVM_IRQX_ARG_IRQ:		irq
 * @KVM_IRQX_ARG_VP_INDEX:	vp_index
 * @KVM_IRQX_ARG_GPA:		gpa
 * @KVM_IRQX_ARG_OP:		op
 * @KVM_IRQX_ARG_ENTRY_GSI:	entry.gsi
 * @KVM_IRQX_ARG_ENTRY_TYPE:	entry.type
 * @KVM_IRQX_ARG_ENTRY_FLAGS:	entry.flags
 * @KVM_IRQX_ARG_ENTRY_PAD:	entry.pad
 * @KVM_IRQX_ARG_ENTRY_U:	entry.u
 * @KVM_IRQX_ARG_ENTRY_IRQCHIP:	entry.u.irqchip.irqchip
 * @KVM_IRQX_ARG_ENTRY_PIN:	entry.u.irqchip.pin
 * @KVM_IRQX_ARG_ENTRY_SINT:	entry.u.hv_sint.sint
 * @KVM_IRQX_ARG_ENTRY_VP:	entry.u.hv_sint.vcpu
 * @KVM_IRQX_ARG_ENTRY:		entry, as a whole
 * @KVM_IRQX_ARG_OP_SIZE:	op_size
 * @KVM_IRQX_ARG_ERROR:		error, the record itself
 * @KVM_IRQX_ARG_STATE_SIZE:	state_size
 * @KVM_IRQX_ARG_TABLE:		table
 * @KVM_IRQX_ARG_ENTRIES:	entries
 * @KVM_IRQX_ARG_PBA:		pba
 * @KVM_IRQX_ARG_CHANGEFD:	changefd
 * @KVM_IRQX_ARG_DEVID:		devid
 * @KVM_IRQX_ARG_CHANGED:	changed
 * @KVM_IRQX_ARG_FIRST:		first
 * @KVM_IRQX_ARG_VERSION:	version
 * @KVM_IRQX_ARG_VECTOR_SIZE:	vector_size
 * @KVM_IRQX_ARG_FUNCTION:	function
 * @KVM_IRQX_ARG_STATE:		state, of a vector
 * @KVM_IRQX_ARG_HEADER:	header
 * @KVM_IRQX_ARG_HANDLE:	handle
 * @KVM_IRQX_ARG_HANDLES:	handles
 * @KVM_IRQX_ARG_LABEL:		label
 * @KVM_IRQX_ARG_COOKIE:	cookie
 * @KVM_IRQX_ARG_BINDING_SIZE:	binding_size
 * @KVM_IRQX_NR_ARGS:		how many there are
 *
 * Later modules may know more.
 */
enum kvm_irqx_arg {
	KVM_IRQX_ARG_NONE,
	KVM_IRQX_ARG_CONTEXT,
	KVM_IRQX_ARG_ARGSZ,
	KVM_IRQX_ARG_FLAGS,
	KVM_IRQX_ARG_PAD,
	KVM_IRQX_ARG_NR,
	KVM_IRQX_ARG_VM_FD,
	KVM_IRQX_ARG_FD,
	KVM_IRQX_ARG_RESAMPLEFD,
	KVM_IRQX_ARG_EVENT_FLAG,
	KVM_IRQX_ARG_GSI,
	KVM_IRQX_ARG_IRQ,
	KVM_IRQX_ARG_VP_INDEX,
	KVM_IRQX_ARG_GPA,
	KVM_IRQX_ARG_OP,
	KVM_IRQX_ARG_ENTRY_GSI,
	KVM_IRQX_ARG_ENTRY_TYPE,
	KVM_IRQX_ARG_ENTRY_FLAGS,
	KVM_IRQX_ARG_ENTRY_PAD,
	KVM_IRQX_ARG_ENTRY_U,
	KVM_IRQX_ARG_ENTRY_IRQCHIP,
	KVM_IRQX_ARG_ENTRY_PIN,
	KVM_IRQX_ARG_ENTRY_SINT,
	KVM_IRQX_ARG_ENTRY_VP,
	KVM_IRQX_ARG_ENTRY,
	KVM_IRQX_ARG_OP_SIZE,
	KVM_IRQX_ARG_ERROR,
	KVM_IRQX_ARG_STATE_SIZE,
	KVM_IRQX_ARG_TABLE,
	KVM_IRQX_ARG_ENTRIES,
	KVM_IRQX_ARG_PBA,
	KVM_IRQX_ARG_CHANGEFD,
	KVM_IRQX_ARG_DEVID,
	KVM_IRQX_ARG_CHANGED,
	KVM_IRQX_ARG_FIRST,
	KVM_IRQX_ARG_VERSION,
	KVM_IRQX_ARG_VECTOR_SIZE,
	KVM_IRQX_ARG_FUNCTION,
	KVM_IRQX_ARG_STATE,
	KVM_IRQX_ARG_HEADER,
	KVM_IRQX_ARG_HANDLE,
	KVM_IRQX_ARG_HANDLES,
	KVM_IRQX_ARG_LABEL,
	KVM_IRQX_ARG_COOKIE,
	KVM_IRQX_ARG_BINDING_SIZE,
	KVM_IRQX_NR_ARGS
};

/**
 * enum kvm_irqx_reason - what is wrong with an argument
 * @KVM_IRQX_REASON_NONE:	the errno says it all
 * @KVM_IRQX_REASON_UNKNOWN_FLAG:	a flag that the call, or the operation, does not take
 * @KVM_IRQX_REASON_FLAGS_CONFLICT:	flags that exclude each other
 * @KVM_IRQX_REASON_NOT_ZERO:	it must be zero
 * @KVM_IRQX_REASON_UNKNOWN_VALUE:	an operation or a type of entry that is not known
 * @KVM_IRQX_REASON_TOO_SMALL:	a struct's size is less than it can be
 * @KVM_IRQX_REASON_OUT_OF_RANGE:	beyond the limit, or less than the least
 * @KVM_IRQX_REASON_NOT_ALIGNED:	not aligned as it has to be
 * @KVM_IRQX_REASON_NOT_OPEN:	not an open file
 * @KVM_IRQX_REASON_NOT_A_VM:	not a VM
 * @KVM_IRQX_REASON_NOT_AN_EVENTFD:	not an eventfd
 * @KVM_IRQX_REASON_NOT_A_SINT:	EVENT_FLAG needs a SINT
 * @KVM_IRQX_REASON_NO_EOI:	a resamplefd, and an entry without an EOI
 * @KVM_IRQX_REASON_NOT_SHARED:	an entry that cannot share its GSI with those it has
 * @KVM_IRQX_REASON_KVM_REFUSES:	KVM does not take the entry
 * @KVM_IRQX_REASON_KVM_USES:	KVM uses the PPI itself
 * @KVM_IRQX_REASON_BOUND:	the eventfd is bound already: in a context, or to KVM
 * @KVM_IRQX_REASON_NOT_BOUND:	the eventfd is not bound in this context
 * @KVM_IRQX_REASON_LIMIT:	a limit has been reached
 * @KVM_IRQX_REASON_DIRTY_RING:	the VM has a dirty ring
 * @KVM_IRQX_REASON_FTRACE_OFF:	sysctl kernel.ftrace_enabled is 0
 * @KVM_IRQX_REASON_NO_IRQCHIP:	the VM has no interrupt controller yet
 * @KVM_IRQX_REASON_GICV5:	the VM has a GICv5
 * @KVM_IRQX_REASON_ATTACHED:	the context is attached already
 * @KVM_IRQX_REASON_NOT_ATTACHED:	the context is not attached
 * @KVM_IRQX_REASON_OTHER_PROCESS:	the VM is another process's
 * @KVM_IRQX_REASON_VM_DEAD:	the VM is dead
 * @KVM_IRQX_REASON_KVM_LEAVES:	the module that runs the VM is going away
 * @KVM_IRQX_REASON_NO_SOURCE_ID:	KVM has no interrupt source left
 * @KVM_IRQX_REASON_NOT_DIRECT:	the eventfd is bound to a GSI, not to an entry of its own
 * @KVM_IRQX_REASON_TWICE:	the eventfd stands in the batch twice
 * @KVM_IRQX_REASON_UNKNOWN_FIELD:	something in a field that this module does not know
 * @KVM_IRQX_REASON_NO_ROUTE:	the GSI has no route
 * @KVM_IRQX_REASON_OF_VECTOR:	it leads to a vector, whose mask is the guest's
 * @KVM_IRQX_REASON_NO_TABLE:	the context has no such table
 * @KVM_IRQX_REASON_OVERLAP:	another table of the VM answers there, or the two overlap
 * @KVM_IRQX_REASON_VECTORS_BOUND:	a binding or a GSI leads to the table
 * @KVM_IRQX_REASON_NO_ITS:	the guest has no ITS
 * @KVM_IRQX_REASON_NOT_A_DYNIRQ:	the table is not a dynirq
 * @KVM_IRQX_REASON_OWNED:	the handle has an owner
 * @KVM_IRQX_REASON_NOT_OWNED:	the handle has no owner
 * @KVM_IRQX_REASON_OF_DYNIRQ:	the handle is the dynirq's own
 * @KVM_IRQX_NR_REASONS:	how many there are
 *
 * Later modules may know more.
 */
enum kvm_irqx_reason {
	KVM_IRQX_REASON_NONE,
	KVM_IRQX_REASON_UNKNOWN_FLAG,
	KVM_IRQX_REASON_FLAGS_CONFLICT,
	KVM_IRQX_REASON_NOT_ZERO,
	KVM_IRQX_REASON_UNKNOWN_VALUE,
	KVM_IRQX_REASON_TOO_SMALL,
	KVM_IRQX_REASON_OUT_OF_RANGE,
	KVM_IRQX_REASON_NOT_ALIGNED,
	KVM_IRQX_REASON_NOT_OPEN,
	KVM_IRQX_REASON_NOT_A_VM,
	KVM_IRQX_REASON_NOT_AN_EVENTFD,
	KVM_IRQX_REASON_NOT_A_SINT,
	KVM_IRQX_REASON_NO_EOI,
	KVM_IRQX_REASON_NOT_SHARED,
	KVM_IRQX_REASON_KVM_REFUSES,
	KVM_IRQX_REASON_KVM_USES,
	KVM_IRQX_REASON_BOUND,
	KVM_IRQX_REASON_NOT_BOUND,
	KVM_IRQX_REASON_LIMIT,
	KVM_IRQX_REASON_DIRTY_RING,
	KVM_IRQX_REASON_FTRACE_OFF,
	KVM_IRQX_REASON_NO_IRQCHIP,
	KVM_IRQX_REASON_GICV5,
	KVM_IRQX_REASON_ATTACHED,
	KVM_IRQX_REASON_NOT_ATTACHED,
	KVM_IRQX_REASON_OTHER_PROCESS,
	KVM_IRQX_REASON_VM_DEAD,
	KVM_IRQX_REASON_KVM_LEAVES,
	KVM_IRQX_REASON_NO_SOURCE_ID,
	KVM_IRQX_REASON_NOT_DIRECT,
	KVM_IRQX_REASON_TWICE,
	KVM_IRQX_REASON_UNKNOWN_FIELD,
	KVM_IRQX_REASON_NO_ROUTE,
	KVM_IRQX_REASON_OF_VECTOR,
	KVM_IRQX_REASON_NO_TABLE,
	KVM_IRQX_REASON_OVERLAP,
	KVM_IRQX_REASON_VECTORS_BOUND,
	KVM_IRQX_REASON_NO_ITS,
	KVM_IRQX_REASON_NOT_A_DYNIRQ,
	KVM_IRQX_REASON_OWNED,
	KVM_IRQX_REASON_NOT_OWNED,
	KVM_IRQX_REASON_OF_DYNIRQ,
	KVM_IRQX_NR_REASONS
};

/* No eventfd: a GSI is meant. */
#define KVM_IRQX_NO_FD	(-1)

/**
 * struct kvm_irqx_mask - hold events back, or let them go
 * @fd:		an eventfd with an entry of its own (KVM_IRQX_IRQFD_DIRECT), or KVM_IRQX_NO_FD
 * @gsi:	with KVM_IRQX_NO_FD a GSI that has a route, else zero
 * @flags:	KVM_IRQX_MASK_SET or KVM_IRQX_MASK_CLEAR
 * @pad:	zero
 * @error:	address of a struct kvm_irqx_error, or 0
 *
 * A mask belongs to where events go: to a binding's own entry, or to the route of a GSI,
 * whoever its irqfds are.  While it is set nothing reaches the guest: when SET returns,
 * every earlier event has been delivered, or is pending, and none will be delivered.
 * Eventfds are emptied as ever.  CLEAR delivers what is pending as one interrupt, before the
 * call returns where an event is delivered within its wake-up.
 *
 * Pending is a latch for an MSI, an LPI, a SINT, a Xen event channel, and for any event
 * without a resamplefd.  A level is not: for a pin or PPI to be masked is as if the binding, or
 * all of the GSI's irqfds and KVM_IRQ_LINE, had left it, but they keep the level that they
 * had or get meanwhile, and CLEAR drives the pin if one is left.  An EOI (of another source's
 * interrupt) clears the levels that have a resamplefd, and signals those, masked or not.
 * KVM_IRQ_LINE with 0 clears its own level and touches nothing else; its status is negative.
 *
 * A mask stays when KVM_IRQX_IRQFD_DIRECT_MODIFY, KVM_IRQX_BATCH or KVM_SET_GSI_ROUTING give the
 * binding or GSI another entry, and what is pending goes along.  It ends with the
 * binding or the route.  What is pending then goes back, as one event, into the
 * eventfd: of a GSI, when the last of its irqfds leaves; a level, into its own.  A GSI that
 * loses its route drops it, as an event that has none.
 *
 * CLEAR allocates nothing and cannot fail but for wrong arguments, and if it is killed.
 * SET waits as KVM_IRQX_IRQFD_DIRECT_MODIFY.
 *
 * Errors:
 *
 * :EBADF:	@fd is not open
 * :EINVAL:	@fd is not an eventfd; @flags; @gsi is not zero, or beyond max_gsi; @pad; it
 *		leads to a vector of a table
 * :ENOENT:	@fd has no entry of its own in this context; the GSI has no route
 */
struct kvm_irqx_mask {
	__s32 fd;
	__u32 gsi;
	__u32 flags;
	__u32 pad[3];
	__aligned_u64 error;
};

#define KVM_IRQX_MASK_SET	(1U << 0)
#define KVM_IRQX_MASK_CLEAR	(1U << 1)

/**
 * struct kvm_irqx_target_state - of one binding or GSI
 * @fd:		as in struct kvm_irqx_mask, as is
 * @gsi:	this
 * @state:	out: KVM_IRQX_STATE_MASKED and KVM_IRQX_STATE_PENDING: something has come
 *		and has not been handed to KVM.  An unmasked one is pending for moments only,
 *		or while it waits for a page of the guest.
 * @pad:	zero
 */
struct kvm_irqx_target_state {
	__s32 fd;
	__u32 gsi;
	__u32 state;
	__u32 pad;
};

#define KVM_IRQX_STATE_MASKED	(1U << 0)
#define KVM_IRQX_STATE_PENDING	(1U << 1)

/**
 * struct kvm_irqx_get_state - what is masked, what is pending
 * @nr:		number of @states, 1 .. max_batch
 * @flags:	zero
 * @state_size:	sizeof(struct kvm_irqx_target_state)
 * @index:	out: on failure, which of @states is to blame; @nr if none is
 * @states:	address of an array of struct kvm_irqx_target_state
 * @error:	address of a struct kvm_irqx_error, or 0
 * @pad:	zero
 *
 * For a Pending Bit Array that a guest reads.  An event is pending at a masked target as
 * soon as the write to its eventfd has returned, whoever wrote.
 *
 * Errors, with nothing filled in:
 *
 * :EBADF:	an eventfd is not open
 * :EINVAL:	@nr, @flags, @state_size or @pad; an element as for KVM_IRQX_MASK
 * :ENOENT:	as KVM_IRQX_MASK
 * :ENOMEM:	no memory
 */
struct kvm_irqx_get_state {
	__u32 nr;
	__u32 flags;
	__u32 state_size;
	__u32 index;
	__aligned_u64 states;
	__aligned_u64 error;
	__aligned_u64 pad[2];
};

/**
 * DOC: Tables of vectors
 *
 * A table is an MSI-X table of the guest's (PCI Local Bus Specification 3.0, 6.8.2): entries of
 * 16 bytes and a Pending Bit Array at guest-physical addresses, answered in the kernel.  A guest
 * that moves, masks or unmasks a vector does not leave it for userspace.
 *
 * A vector to which nothing is bound (KVM_IRQX_ROUTING_VECTOR) is the VMM's: what the guest reads
 * and writes there is KVM_EXIT_MMIO as without a table, and the VMM says by KVM_IRQX_SET_TABLE
 * what becomes of it.  Thus a vector can be set up when the guest uses it first.  The
 * Pending Bit Array is always answered, for all vectors.
 *
 * As PCI says: an access is of 4 or 8 bytes, aligned to that; what KVM brings of another kind reads
 * as zeroes and changes nothing.  Message Address bits 1:0 and Vector Control bits 31:1 are
 * zero whatever is written; all else reads back as written.  A new vector is masked.  The
 * message of a vector that is not masked is the one that stands there: PCI leaves a change
 * of it undefined, here it is in force when the write returns.  When a write to an entry
 * returns to the guest, nothing goes to the old message any more, and nothing that came before
 * is lost.
 *
 * KVM's bus for devices has 1,000 places, which the VM's IOAPIC, its ITSs, redistributors (one a
 * vCPU) and coalesced zones share; a table takes two, a dynirq one.  Inside a
 * table's range there must be no KVM_IOEVENTFD: it would hide what lies behind it from the bus
 * (virt/kvm/kvm_main.c, kvm_io_bus_get_first_dev()).  A memslot there hides the table.
 */

/**
 * struct kvm_irqx_table - make, move, switch or give back a table
 * @op:		%KVM_IRQX_TABLE_*
 * @table:	the table's number in this context; CREATE: zero, and out
 * @flags:	CREATE and SET: %KVM_IRQX_TABLE_DECODES, _ENABLED, _MASKED; else zero
 * @nr:		CREATE: how many vectors, 1 .. max_vectors; CREATE_DYNIRQ: how many handles,
 *		1 .. max_handles; else zero
 * @devid:	CREATE, CREATE_DYNIRQ: the device ID that the ITS knows the function by (arm64; else
 *		ignored); else zero
 * @changefd:	CREATE: an eventfd that is signalled when the guest has changed an entry, or
 *		KVM_IRQX_NO_FD; CREATE_DYNIRQ: the same for when it has reset the device or switched
 *		it off; else zero
 * @entries:	CREATE and MOVE: guest-physical address of the entries, a multiple of 8;
 *		CREATE_DYNIRQ, and MOVE of a dynirq: of its range, a multiple of 4096; else zero
 * @pba:	CREATE, and MOVE of a table: address of the Pending Bit Array, a multiple of 8; else
 *		zero
 * @error:	address of a struct kvm_irqx_error, or 0
 * @pad:	zero
 *
 * KVM_IRQX_TABLE_CREATE
 *	A table whose vectors are all masked and belong to the VMM.  One that does not decode may
 *	be anywhere, and takes no place on KVM's bus yet.
 * KVM_IRQX_TABLE_CREATE_DYNIRQ
 *	A dynirq.  Of the flags it has DECODES alone, here and with SET.
 * KVM_IRQX_TABLE_MOVE
 *	The guest has moved the BAR: the table is answered there, and not any more at the old place.
 *	Nothing else changes.
 * KVM_IRQX_TABLE_SET
 *	The three flags are these.  DECODES: the guest's accesses are answered (Memory Space
 *	Enable of the command register); else they are KVM_EXIT_MMIO.  ENABLED and MASKED: MSI-X
 *	Enable and Function Mask of Message Control; while the function is not enabled, or is
 *	masked, all its vectors are, and events set their Pending bits.  When it returns,
 *	none that is to be held back will be delivered; it waits as KVM_IRQX_MASK does.
 * KVM_IRQX_TABLE_DESTROY
 *	The table is no more.  No binding or GSI may lead to it.
 *
 * What puts a table on KVM's bus waits, until it is killed, for a thread of the VM to do it, and
 * that for each vCPU to be out of KVM's handling of pages and devices once; a page that a vCPU
 * waits for holds it up.  It is CREATE and MOVE of a table that decodes, and the first SET with
 * DECODES after one that does not, or after another table has decoded at the same addresses
 * meanwhile.  Any other SET, and DESTROY, do not wait for it.  From 7.3 on an access may still be
 * KVM_EXIT_MMIO for a moment after a table has been put there.
 *
 * Errors, beside those of every call:
 *
 * :EINVAL:	@op, @flags, @nr, @pad or another field that must be zero; @entries or @pba is not
 *		a multiple of 8, or ends beyond the address space; they overlap each other;
 *		@changefd is not an eventfd
 * :EBADF:	@changefd is not open
 * :EAGAIN:	CREATE: the VM has no in-kernel interrupt controller yet
 * :ENOENT:	@table is not one of this context
 * :EEXIST:	another table of the VM, in any context, that decodes overlaps one that will
 * :EBUSY:	DESTROY: a binding or GSI leads to it
 * :ENODEV:	CREATE: the guest has no ITS (arm64)
 * :ENOSPC:	KVM's bus is full
 * :ENOMEM:	no memory
 */
struct kvm_irqx_table {
	__u32 op;
	__u32 table;
	__u32 flags;
	__u32 nr;
	__u32 devid;
	__s32 changefd;
	__aligned_u64 entries;
	__aligned_u64 pba;
	__aligned_u64 error;
	__aligned_u64 pad[3];
};

#define KVM_IRQX_TABLE_CREATE	1
#define KVM_IRQX_TABLE_MOVE	2
#define KVM_IRQX_TABLE_SET	3
#define KVM_IRQX_TABLE_DESTROY	4
#define KVM_IRQX_TABLE_CREATE_DYNIRQ	5

#define KVM_IRQX_TABLE_DECODES	(1U << 0)
#define KVM_IRQX_TABLE_ENABLED	(1U << 1)
#define KVM_IRQX_TABLE_MASKED	(1U << 2)

/* PCI 3.0, 6.8.2.3: Table Size of Message Control. */
#define KVM_IRQX_MAX_VECTORS	2048
#define KVM_IRQX_MAX_HANDLES	65536

/**
 * struct kvm_irqx_vector - the state of one vector
 * @address_lo:	Message Address, as the guest reads it
 * @address_hi:	Message Upper Address
 * @data:	Message Data
 * @control:	Vector Control: bit 0, the mask
 * @state:	KVM_IRQX_VECTOR_PENDING; of a dynirq KVM_IRQX_VECTOR_LABEL_CHANGED; out:
 *		KVM_IRQX_VECTOR_BOUND too
 * @pad:	zero
 *
 * An unmasked vector is pending for moments only, or while it waits for a page of the guest, or
 * for somebody to bind it.
 */
struct kvm_irqx_vector {
	__u32 address_lo;
	__u32 address_hi;
	__u32 data;
	__u32 control;
	__u32 state;
	__u32 pad;
};

#define KVM_IRQX_VECTOR_PENDING	(1U << 0)
#define KVM_IRQX_VECTOR_BOUND	(1U << 1)
#define KVM_IRQX_VECTOR_LABEL_CHANGED	(1U << 2)

/**
 * struct kvm_irqx_dynirq_header - what a dynirq's header page has of its own
 * @argsz:	sizeof(struct kvm_irqx_dynirq_header) as the caller knows it; 56 or more
 * @select:	LABEL_SELECT
 * @doorbell:	DOORBELL
 * @instance:	INSTANCE
 * @label:	LABEL, as it was when LABEL_SELECT was written
 *
 * The names are those of Documentation/dynirq.rst.  What GET has filled in, SET takes.
 */
struct kvm_irqx_dynirq_header {
	__u32 argsz;
	__u32 select;
	__aligned_u64 doorbell;
	__aligned_u64 instance;
	__u8 label[32];
};

/**
 * struct kvm_irqx_table_state - the state of a table, or of some of its vectors
 * @version:	KVM_IRQX_TABLE_STATE_VERSION
 * @table:	the table's number in this context
 * @flags:	SET: KVM_IRQX_TABLE_STATE_FUNCTION, and one of _KEEP_ENTRIES and _KEEP_PENDING, or
 *		none; GET: zero
 * @function:	GET: out: the table's flags, KVM_IRQX_TABLE_*.  SET: the same to be, with
 *		FUNCTION; else zero
 * @first:	the first vector
 * @nr:		how many, at most max_vectors; 0: none
 * @vector_size:	sizeof(struct kvm_irqx_vector) as the caller knows it; 24 to 64.  GET: what
 *		the module does not know of one is zero.
 * @pad:	zero
 * @vectors:	address of an array of struct kvm_irqx_vector
 * @changed:	GET: address of @nr bits in 64-bit words, or 0: out: which of the vectors the guest
 *		has changed since they were last asked for; SET, and of a dynirq: zero
 * @error:	address of a struct kvm_irqx_error, or 0
 * @header:	of a dynirq: address of a struct kvm_irqx_dynirq_header, or 0; else zero
 *
 * With KEEP_ENTRIES only Pending bits are set and cleared (address, data and control of the
 * vectors are not looked at), with KEEP_PENDING only entries are written: for a VMM that hands on a
 * guest's write that has come to it, or clears what a device has taken back, while events come.
 *
 * SET does to bound vectors what the guest's writes would do, each vector in one step, and
 * clears or sets their Pending bits; one that is pending and not masked sends its message.
 * Nothing has to be bound: a VMM restores a table first, and binds then; what is pending at
 * an unmasked vector is sent when it is bound, and counts as an event of the context.  One that is
 * cleared is none any more.  SET with FUNCTION waits as KVM_IRQX_TABLE_SET.  Whoever saves a
 * table unbinds its eventfds first, or has them signalled no more: an event after GET is not in
 * the state.
 *
 * The state of a dynirq is asked for in pieces of max_vectors.  Who owns its handles, and their
 * labels, are not in it: the VMM allocates them again, before SET.
 *
 * Errors, with nothing changed:
 *
 * :EINVAL:	@version, @flags, @function, @first, @nr, @vector_size, @pad, @changed with SET
 *		or of a dynirq, @header of a table, or a header that is too small;
 *		@pad or unknown bits in @state of a vector
 * :ENOENT:	@table is not one of this context
 * :E2BIG:	a vector (SET), or the header, has something in a field that this module does not
 *		know; a header of more than 4096 bytes is EINVAL
 * :EEXIST:	SET: as KVM_IRQX_TABLE
 * :ENOMEM:	no memory
 */
struct kvm_irqx_table_state {
	__u32 version;
	__u32 table;
	__u32 flags;
	__u32 function;
	__u32 first;
	__u32 nr;
	__u32 vector_size;
	__u32 pad;
	__aligned_u64 vectors;
	__aligned_u64 changed;
	__aligned_u64 error;
	__aligned_u64 header;
};

#define KVM_IRQX_TABLE_STATE_VERSION	1
#define KVM_IRQX_TABLE_STATE_FUNCTION	(1U << 0)
#define KVM_IRQX_TABLE_STATE_KEEP_ENTRIES	(1U << 1)
#define KVM_IRQX_TABLE_STATE_KEEP_PENDING	(1U << 2)
#define KVM_IRQX_VECTOR_SIZE_MIN	24
#define KVM_IRQX_VECTOR_SIZE_MAX	64

/**
 * DOC: dynirq
 *
 * A dynirq is a table whose vectors are called handles, and which the guest alone owns: there is no
 * PCI around it, and no VMM in its way.  It has one range of guest-physical addresses, with a
 * header of its own in front; what the guest sees there is Documentation/dynirq.rst.  For 65,536
 * handles the range is less than 2 MiB, for others 4096 + 8 * nr + 16 * nr bytes, each of the
 * three parts rounded up to 4096.
 *
 * All that is said of tables and vectors holds for it, but: its handles are answered whether
 * bound or not; it has no function bits and no Pending Bit Array; the guest can reset it, and
 * switch it off, which clears KVM_IRQX_TABLE_DECODES.
 *
 * A handle is raised by an eventfd (KVM_IRQX_ROUTING_VECTOR), by KVM_IRQX_RAISE, and by modules of
 * the host (linux/kvm_irqx.h).
 */

/**
 * struct kvm_irqx_handle - who owns a handle of a dynirq
 * @op:		%KVM_IRQX_HANDLE_*
 * @table:	the dynirq's number in this context
 * @handle:	which; ALLOC: or KVM_IRQX_ANY_HANDLE, and out: the lowest that was free
 * @flags:	zero
 * @label:	ALLOC and LABEL: what it is, 1 to 31 bytes and then zeroes; GET: out; else zero
 * @error:	address of a struct kvm_irqx_error, or 0
 * @pad:	zero
 *
 * The parts of a VMM, or of several processes, that know nothing of each other thus have handles of
 * their own, and the guest learns from the labels which is which.  It is told of each change.
 * Whoever binds or raises a handle is not asked for whom it is.
 *
 * KVM_IRQX_HANDLE_ALLOC
 *	The handle has an owner and a label from now on.  Nothing is pending there.
 * KVM_IRQX_HANDLE_FREE
 *	It has neither, and what is pending is dropped.  Nothing may lead to it.  What the guest has
 *	mapped stays.
 * KVM_IRQX_HANDLE_LABEL
 *	It has another label.
 * KVM_IRQX_HANDLE_GET
 *	Which label it has.
 *
 * Handle 0 tells the guest of labels, and is the dynirq's own.
 *
 * Errors, beside those of every call:
 *
 * :EINVAL:	@op, @flags, @pad, or a field that must be zero; @handle is beyond the dynirq's, or
 *		its own where it is to be changed; @table is not a dynirq; @label is empty, does not
 *		end within 32 bytes, or has bytes behind its end
 * :ENOENT:	@table is not one of this context; FREE, LABEL, GET: the handle has no owner
 * :EBUSY:	ALLOC: the handle has an owner; FREE: a binding, a GSI or a module's source leads to
 *		it
 * :ENOSPC:	ALLOC: with KVM_IRQX_ANY_HANDLE: all have owners
 * :ENOMEM:	no memory
 */
struct kvm_irqx_handle {
	__u32 op;
	__u32 table;
	__u32 handle;
	__u32 flags;
	__u8 label[32];
	__aligned_u64 error;
	__aligned_u64 pad[2];
};

#define KVM_IRQX_HANDLE_ALLOC	1
#define KVM_IRQX_HANDLE_FREE	2
#define KVM_IRQX_HANDLE_LABEL	3
#define KVM_IRQX_HANDLE_GET	4

#define KVM_IRQX_ANY_HANDLE	(~0U)
#define KVM_IRQX_LABEL_SIZE	32

/**
 * struct kvm_irqx_raise - an event at each of some handles
 * @table:	a dynirq, or a table, of this context
 * @nr:		number of @handles, 1 .. max_batch; 0: @handle alone
 * @handle:	with @nr 0 the handle, or the vector of a table; else zero
 * @flags:	zero
 * @handles:	address of an array of __u32; with @nr 0 zero
 * @error:	address of a struct kvm_irqx_error, or 0
 * @pad:	zero
 *
 * Each is as a signal to an eventfd that is bound there, in the order of the array; one may stand
 * there several times.  When the call returns, each event has been delivered, or is pending, or is
 * with one of the VM's two workers.  A vector of a table to which nothing is bound keeps its event.
 *
 * Errors, with no event at all:
 *
 * :EINVAL:	@nr, @flags, @pad, a field that must be zero; a handle beyond the table's
 * :ENOENT:	@table is not one of this context
 * :ENOMEM:	no memory
 */
struct kvm_irqx_raise {
	__u32 table;
	__u32 nr;
	__u32 handle;
	__u32 flags;
	__aligned_u64 handles;
	__aligned_u64 error;
	__aligned_u64 pad[2];
};

/**
 * struct kvm_irqx_binding - one bound eventfd
 * @cookie:	as it was given when it was bound; 0 of KVM_IRQFD
 * @events:	how often it has been signalled, as @events of struct kvm_irqx_stats
 * @coalesced:	of these, those that were one interrupt with an earlier one, or that KVM says
 *		nothing new came of
 * @refused:	of these, those that KVM answered with an error
 * @eventfd_id:	which eventfd it is: eventfd-id of /proc/PID/fdinfo; -1: the kernel has no BTF
 *		(CONFIG_DEBUG_INFO_BTF), and it is not known
 * @resamplefd_id:	with KVM_IRQX_BINDING_RESAMPLE likewise its resamplefd, else -1
 * @flags:	%KVM_IRQX_BINDING_*
 * @state:	of where its events go: KVM_IRQX_STATE_*, as KVM_IRQX_GET_STATE tells
 * @gsi:	with KVM_IRQX_BINDING_GSI the GSI, else zero
 * @nr_entries:	how many entries its events go to: 1; of a GSI also 0, or up to 3
 * @event_flag:	with KVM_IRQX_BINDING_EVENT_FLAG the event flag, else zero
 * @pad:	zero
 * @entry:	the first of the entries, as it was given, or zero if there is none; on x86 without
 *		the device ID of an MSI, which KVM does not keep
 *
 * Of several irqfds whose events were one interrupt, the first has its result, and those of the
 * others are coalesced.  What a vector keeps, or sends later, is of the binding whose event came
 * first.
 */
struct kvm_irqx_binding {
	__u64 cookie;
	__u64 events;
	__u64 coalesced;
	__u64 refused;
	__s32 eventfd_id;
	__s32 resamplefd_id;
	__u32 flags;
	__u32 state;
	__u32 gsi;
	__u32 nr_entries;
	__u32 event_flag;
	__u32 pad;
	struct kvm_irq_routing_entry entry;
};

#define KVM_IRQX_BINDING_GSI		(1U << 0)
#define KVM_IRQX_BINDING_EVENT_FLAG	(1U << 1)
#define KVM_IRQX_BINDING_RESAMPLE	(1U << 2)
#define KVM_IRQX_BINDING_SIZE_MIN	112
#define KVM_IRQX_BINDING_SIZE_MAX	512

/**
 * struct kvm_irqx_list - which eventfds are bound, and what has become of their events
 * @cursor:	0 begins; out: for the next piece, or 0: there is none
 * @nr:		in: room at @bindings, 1 .. max_batch; out: how many there are
 * @flags:	zero
 * @binding_size:	sizeof(struct kvm_irqx_binding) as the caller knows it, from one to the
 *		next; KVM_IRQX_BINDING_SIZE_MIN to KVM_IRQX_BINDING_SIZE_MAX.  What the module's
 *		lacks is zero.
 * @pad:	zero
 * @bindings:	address of an array of struct kvm_irqx_binding
 * @error:	address of a struct kvm_irqx_error, or 0
 * @pad2:	zero
 *
 * All bindings of this context, however made, a piece at a time.  A cursor is good for as long as
 * the context, whatever is bound and unbound meanwhile, and any number of listings can go on at
 * once.  What is bound during the whole of a listing is in it exactly once; what comes or goes
 * meanwhile, at most once.  A binding's record is how it was at one moment; those of
 * different bindings are of different moments.
 *
 * No event waits for a listing but one of the very eventfd whose counters are being read, for that
 * moment.
 *
 * Errors, beside those of every call, with nothing said but in @bindings:
 *
 * :EINVAL:	@nr, @flags, @binding_size, or padding
 * :ENOMEM:	no memory
 */
struct kvm_irqx_list {
	__aligned_u64 cursor;
	__u32 nr;
	__u32 flags;
	__u32 binding_size;
	__u32 pad;
	__aligned_u64 bindings;
	__aligned_u64 error;
	__aligned_u64 pad2[2];
};

/*
 * KVM's ioctl type; numbers that KVM does not use on any of its files.  They stay as they
 * are: those of structs that grow do not tell a size, and the other structs have room.
 */
#define KVM_IRQX_GET_INFO	_IO(KVMIO,   0xf0) /* struct kvm_irqx_info */
#define KVM_IRQX_ATTACH		_IOW(KVMIO,  0xf1, struct kvm_irqx_attach)
#define KVM_IRQX_GET_STATS	_IO(KVMIO,   0xf2) /* struct kvm_irqx_stats */
#define KVM_IRQX_IRQFD_DIRECT	_IOW(KVMIO,  0xf3, struct kvm_irqx_irqfd_direct)
#define KVM_IRQX_BATCH		_IOWR(KVMIO, 0xf4, struct kvm_irqx_batch)
#define KVM_IRQX_SYNIC_PAGE	_IOW(KVMIO,  0xf5, struct kvm_irqx_synic_page)
#define KVM_IRQX_MASK		_IOW(KVMIO,  0xf6, struct kvm_irqx_mask)
#define KVM_IRQX_GET_STATE	_IOWR(KVMIO, 0xf7, struct kvm_irqx_get_state)
#define KVM_IRQX_TABLE		_IOWR(KVMIO, 0xf8, struct kvm_irqx_table)
#define KVM_IRQX_GET_TABLE	_IOWR(KVMIO, 0xf9, struct kvm_irqx_table_state)
#define KVM_IRQX_SET_TABLE	_IOW(KVMIO,  0xfa, struct kvm_irqx_table_state)
#define KVM_IRQX_HANDLE		_IOWR(KVMIO, 0xfb, struct kvm_irqx_handle)
#define KVM_IRQX_RAISE		_IOW(KVMIO,  0xfc, struct kvm_irqx_raise)
#define KVM_IRQX_LIST		_IOWR(KVMIO, 0xfd, struct kvm_irqx_list)

/*
 * For who wants them, the names without the module's prefix.  KVM may come to have such
 * names of its own: not together with a <linux/kvm.h> that has.
 */
#ifdef KVM_IRQX_BARE_NAMES
#define kvm_irqfd_direct		kvm_irqx_irqfd_direct
#define KVM_IRQFD_DIRECT		KVM_IRQX_IRQFD_DIRECT
#define KVM_IRQFD_DIRECT_DEASSIGN	KVM_IRQX_IRQFD_DIRECT_DEASSIGN
#define KVM_IRQFD_DIRECT_RESAMPLE	KVM_IRQX_IRQFD_DIRECT_RESAMPLE
#define KVM_IRQFD_DIRECT_MODIFY		KVM_IRQX_IRQFD_DIRECT_MODIFY
#define KVM_IRQFD_DIRECT_EVENT_FLAG	KVM_IRQX_IRQFD_DIRECT_EVENT_FLAG
#define KVM_IRQFD_DIRECT_MASK		KVM_IRQX_IRQFD_DIRECT_MASK
#define KVM_IRQFD_DIRECT_UNMASK		KVM_IRQX_IRQFD_DIRECT_UNMASK
#endif

#endif /* _UAPI_LINUX_KVM_IRQX_H */

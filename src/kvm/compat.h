/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_KVM_COMPAT_H
#define _IRQX_KVM_COMPAT_H

/*
 * All that differs between the kernels this module is built for.  The rest of
 * the source reads as if written for the newest; a new kernel changes this
 * file only.
 */

#include <linux/eventfd.h>
#include <linux/version.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#ifdef CONFIG_ARM64
#include <asm/cpufeature.h>
#endif

/* What is found out at load, and EOIs, take these. */
#if !defined(CONFIG_KPROBES) || !defined(CONFIG_KALLSYMS) || \
	!defined(CONFIG_TRACEPOINTS)
#error "the kernel needs CONFIG_KPROBES, CONFIG_KALLSYMS and CONFIG_TRACEPOINTS"
#endif

/* 6.8 dropped the count that every caller gave as 1. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define irqx_eventfd_signal_once(eventfd)	eventfd_signal(eventfd, 1)
#else
#define irqx_eventfd_signal_once(eventfd)	eventfd_signal(eventfd)
#endif

/* 6.13 has the namespace as a string. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define EXPORT_SYMBOL_IRQX(symbol)	EXPORT_SYMBOL_NS_GPL(symbol, KVM_IRQX)
#else
#define EXPORT_SYMBOL_IRQX(symbol)	EXPORT_SYMBOL_NS_GPL(symbol, "KVM_IRQX")
#endif

/* For a module of the selftests: 6.15 has one call for what took two steps. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
#define irqx_hrtimer_setup(timer, fn, clock, mode)	\
	do {						\
		hrtimer_init(timer, clock, mode);	\
		(timer)->function = fn;			\
	} while (0)
#else
#define irqx_hrtimer_setup	hrtimer_setup
#endif

/*
 * 6.17 made add_wait_queue_priority() non-exclusive and gave the exclusive
 * form a name and a check of its own.  Before, any number of exclusive
 * priority waiters could queue and the first alone was woken.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
static inline int
irqx_add_wait_queue_priority_exclusive(struct wait_queue_head *wqh,
				       struct wait_queue_entry *wait)
{
	struct wait_queue_entry *first;
	unsigned long flags;
	int ret = 0;

	spin_lock_irqsave(&wqh->lock, flags);
	first = list_first_entry_or_null(&wqh->head, struct wait_queue_entry,
					 entry);
	if (first && first->flags & WQ_FLAG_PRIORITY) {
		ret = -EBUSY;
	} else {
		wait->flags |= WQ_FLAG_EXCLUSIVE | WQ_FLAG_PRIORITY;
		list_add(&wait->entry, &wqh->head);
	}
	spin_unlock_irqrestore(&wqh->lock, flags);

	return ret;
}
#else
#define irqx_add_wait_queue_priority_exclusive add_wait_queue_priority_exclusive
#endif

/*
 * 6.17 made workqueues say that they are per CPU, which was the default; the flag, where a
 * stable kernel has it, does nothing.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define WQ_PERCPU	0
#endif

/*
 * x86: up to 6.17 the level of a pin is kept per interrupt source, and the ids
 * are handed out by KVM; later all but three are free.
 */
#if defined(CONFIG_X86) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define IRQX_KVM_SYMBOLS_SOURCE_ID(X)	\
	X(kvm_request_irq_source_id)	\
	X(kvm_free_irq_source_id)
#else
#define IRQX_KVM_SYMBOLS_SOURCE_ID(X)
#define IRQX_KVM_SOURCE_ID	40
#endif

/* x86: whose EOIs a vCPU exits for is worked out on demand. */
#ifdef CONFIG_X86
#define IRQX_KVM_HAS_SCAN_IOAPIC
#define IRQX_KVM_SYMBOLS_IOAPIC(X)		\
	X(kvm_irq_map_chip_pin)			\
	X(kvm_register_irq_ack_notifier)	\
	X(kvm_unregister_irq_ack_notifier)	\
	X(kvm_make_all_cpus_request)
#else
#define IRQX_KVM_SYMBOLS_IOAPIC(X)
#endif

/*
 * arm64: PPIs.  6.7 names the vCPU by itself, no longer by its index; 6.4 keeps
 * the numbers of the timers' PPIs for the VM, no longer for each vCPU.
 */
#ifdef CONFIG_ARM64
#define IRQX_KVM_HAS_PPI
#define IRQX_KVM_PPIS	1
/* Declared in a header of KVM's own. */
struct kvm;
struct vgic_irq;
bool vgic_queue_irq_unlock(struct kvm *kvm, struct vgic_irq *irq,
			   unsigned long flags);
#define IRQX_KVM_SYMBOLS_PPI(X)		\
	X(kvm_vgic_inject_irq)		\
	X(vgic_queue_irq_unlock)
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
#define irqx_vgic_vcpu(vcpu)	((vcpu)->vcpu_idx)
#else
#define irqx_vgic_vcpu(vcpu)	(vcpu)
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define irqx_timer_intid(vcpu, timer) \
	((vcpu)->arch.timer_cpu.timers[timer].irq.irq)
#else
#define irqx_timer_intid(vcpu, timer) \
	((vcpu)->kvm->arch.timer_data.ppi[timer])
#endif
#else
#define IRQX_KVM_PPIS	0
#define IRQX_KVM_SYMBOLS_PPI(X)
#endif

/*
 * arm64: functions that EOIs pass; src/kvm/fold.c says how.  Those of one list register came
 * with 6.19, or came or went with a backport, as did vgic_v3_deactivate().  They are static
 * in KVM, the others in a header of KVM's own.
 */
#ifdef CONFIG_ARM64
#define IRQX_KVM_HAS_FOLD
struct kvm_vcpu;
void vgic_v3_fold_lr(struct kvm_vcpu *vcpu, u64 val);
void vgic_v2_fold_lr(struct kvm_vcpu *vcpu, u32 val);
void vgic_v3_fold_lr_state(struct kvm_vcpu *vcpu);
void vgic_v2_fold_lr_state(struct kvm_vcpu *vcpu);
void vgic_v3_deactivate(struct kvm_vcpu *vcpu, u64 val);
#define IRQX_KVM_SYMBOLS_OPTIONAL(X)	\
	X(vgic_v3_fold_lr)		\
	X(vgic_v2_fold_lr)		\
	X(vgic_v3_fold_lr_state)	\
	X(vgic_v2_fold_lr_state)	\
	X(vgic_v3_deactivate)
#endif

/*
 * x86: came with 6.4 (src/kvm/watch.c).  KVM's header declares it, from then on and in the
 * same words.
 */
#ifdef CONFIG_X86
struct kvm;
bool kvm_notify_irqfd_resampler(struct kvm *kvm, unsigned int irqchip,
				unsigned int pin);
#define IRQX_KVM_SYMBOLS_OPTIONAL(X)	\
	X(kvm_notify_irqfd_resampler)
#endif

/*
 * arm64: what ftrace tells of a function's arguments.  Before 6.2 they come with all
 * registers, for who asks.
 */
#ifdef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
#define IRQX_FTRACE_FLAGS	0
#define irqx_ftrace_argument(fregs, n)	ftrace_regs_get_argument(fregs, n)
#elif defined(CONFIG_DYNAMIC_FTRACE_WITH_REGS)
#define IRQX_FTRACE_FLAGS	FTRACE_OPS_FL_SAVE_REGS
#define irqx_ftrace_argument(fregs, n) \
	regs_get_kernel_argument(ftrace_get_regs(fregs), n)
#endif

/*
 * arm64: from 6.19 on, where a VGICv3 can trap deactivations, the first SPI to become
 * active interrupts every CPU that runs the VM (vgic_queue_irq_unlock()), by
 * smp_call_function_many(): not for interrupt handlers, nor with interrupts off.  KVM's
 * use of that trap, and no version, says which kernels do.
 */
#ifdef ARM64_HAS_ICH_HCR_EL2_TDIR
#define irqx_kvm_spi_kicks_all(kvm)				\
	(cpus_have_cap(ARM64_HAS_ICH_HCR_EL2_TDIR) &&		\
	 (kvm)->arch.vgic.vgic_model == KVM_DEV_TYPE_ARM_VGIC_V3)
#else
#define irqx_kvm_spi_kicks_all(kvm)	false
#endif

/* 6.8 brought memory that only the guest has (guest_memfd). */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
#define IRQX_KVM_HAS_PRIVATE_MEMORY
#endif

/* x86: 6.16 brought VMs whose EOIs KVM is not told of (TDX). */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define irqx_kvm_hides_eois(kvm)	((kvm)->arch.has_protected_eoi)
#else
#define irqx_kvm_hides_eois(kvm)	false
#endif

/* x86: the first reason is APICV_INHIBIT_REASON_DISABLED, or _DISABLE: there is none at all. */
#define irqx_kvm_may_have_apicv(kvm)	\
	(!(READ_ONCE((kvm)->arch.apicv_inhibit_reasons) & BIT(0)))

/* x86: the IOAPIC and the PIC became a choice in 6.17. */
#if defined(CONFIG_KVM_IOAPIC) || \
	(defined(CONFIG_X86) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0))
#define IRQX_KVM_HAS_IOAPIC	1
#else
#define IRQX_KVM_HAS_IOAPIC	0
#endif

/*
 * x86: Hyper-V emulation became a choice in 6.8.  In 7.x what KVM knows of a vCPU
 * as a virtual processor of Hyper-V is in a private header.  The kernel's own
 * description of its types tells where in it the one number is that is wanted; a
 * kernel without one has no SINTs for this module.
 */
#if defined(CONFIG_X86) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define IRQX_KVM_HAS_HYPERV	1
#elif !defined(CONFIG_KVM_HYPERV)
#define IRQX_KVM_HAS_HYPERV	0
#elif LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
#define IRQX_KVM_HAS_HYPERV	1
#elif defined(CONFIG_DEBUG_INFO_BTF_MODULES) || \
	(defined(CONFIG_DEBUG_INFO_BTF) && IS_BUILTIN(CONFIG_KVM))
#define IRQX_KVM_HAS_HYPERV	1
#define IRQX_KVM_HAS_PRIVATE_MEMBERS
#else
#define IRQX_KVM_HAS_HYPERV	0
#endif

/* The kernel's description of its own types, but those of modules. */
#if defined(CONFIG_DEBUG_INFO_BTF) && defined(CONFIG_BPF_SYSCALL)
#define IRQX_KVM_HAS_BTF
#define IRQX_KVM_SYMBOLS_BTF(X)		\
	X(bpf_get_btf_vmlinux)		\
	X(btf_find_by_name_kind)	\
	X(btf_name_by_offset)		\
	IRQX_KVM_SYMBOLS_BTF_PUT(X)
#else
#define IRQX_KVM_SYMBOLS_BTF(X)
#endif

/* Only who looks for private members is given a reference. */
#ifdef IRQX_KVM_HAS_PRIVATE_MEMBERS
#define IRQX_KVM_SYMBOLS_BTF_PUT(X)	X(btf_put)
#else
#define IRQX_KVM_SYMBOLS_BTF_PUT(X)
#endif

#ifdef IRQX_KVM_HAS_PRIVATE_MEMBERS
/* The last is its type; void: whatever it is, as only where it is counts. */
#define IRQX_KVM_PRIVATE_MEMBERS(X)		\
	X(kvm_vcpu_hv, vp_index, u32)		\
	X(kvm_vcpu_hv, synic, void)		\
	X(kvm_vcpu_hv_synic, sint, void)
#define irqx_kvm_hv_vp_index(hv)	\
	(*(const u32 *)((const void *)(hv) + irqx_offset_kvm_vcpu_hv_vp_index))
#define irqx_kvm_hv_sint(hv, n)						\
	((const atomic64_t *)((const void *)(hv) + irqx_offset_kvm_vcpu_hv_synic + \
			      irqx_offset_kvm_vcpu_hv_synic_sint) + (n))
#else
#define IRQX_KVM_PRIVATE_MEMBERS(X)
#define irqx_kvm_hv_vp_index(hv)	((hv)->vp_index)
#define irqx_kvm_hv_sint(hv, n)		(&(hv)->synic.sint[n])
#endif

#define IRQX_DECLARE_MEMBER(type, member, as)	\
	extern u32 irqx_offset_##type##_##member;
IRQX_KVM_PRIVATE_MEMBERS(IRQX_DECLARE_MEMBER)
#undef IRQX_DECLARE_MEMBER

#endif /* _IRQX_KVM_COMPAT_H */

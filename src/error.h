/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_ERROR_H
#define _IRQX_ERROR_H

/*
 * Why a call fails: the argument at fault, and what is wrong with it.  Whoever
 * decides that a call fails says so with irqx_reject(); irqx_ioctl() passes it on to
 * the tracepoint of that name, and to the caller's struct kvm_irqx_error.
 *
 * The numbers are those of the header, the words of the tracepoint are here.
 */

#include <linux/kvm.h>
#include <linux/types.h>

#include "uapi/linux/kvm_irqx.h"

#define IRQX_CALLS(X)			\
	X(KVM_IRQX_GET_INFO)		\
	X(KVM_IRQX_ATTACH)		\
	X(KVM_IRQX_GET_STATS)		\
	X(KVM_IRQX_IRQFD_DIRECT)	\
	X(KVM_IRQX_BATCH)		\
	X(KVM_IRQX_SYNIC_PAGE)		\
	X(KVM_IRQX_MASK)		\
	X(KVM_IRQX_GET_STATE)		\
	X(KVM_IRQX_TABLE)		\
	X(KVM_IRQX_GET_TABLE)		\
	X(KVM_IRQX_SET_TABLE)		\
	X(KVM_IRQX_HANDLE)		\
	X(KVM_IRQX_RAISE)		\
	X(KVM_IRQX_LIST)		\
	X(KVM_SET_GSI_ROUTING)		\
	X(KVM_IRQFD)			\
	X(KVM_IRQ_LINE)			\
	X(KVM_IRQ_LINE_STATUS)

/* As the structs of the calls name them; of an array, those of the element. */
#define IRQX_ARGS(X)					\
	X(NONE, "none")					\
	X(CONTEXT, "context")				\
	X(ARGSZ, "argsz")				\
	X(FLAGS, "flags")				\
	X(PAD, "pad")					\
	X(NR, "nr")					\
	X(VM_FD, "vm_fd")				\
	X(FD, "fd")					\
	X(RESAMPLEFD, "resamplefd")			\
	X(EVENT_FLAG, "event_flag")			\
	X(GSI, "gsi")					\
	X(IRQ, "irq")					\
	X(VP_INDEX, "vp_index")				\
	X(GPA, "gpa")					\
	X(OP, "op")					\
	X(ENTRY_GSI, "entry.gsi")			\
	X(ENTRY_TYPE, "entry.type")			\
	X(ENTRY_FLAGS, "entry.flags")			\
	X(ENTRY_PAD, "entry.pad")			\
	X(ENTRY_U, "entry.u")				\
	X(ENTRY_IRQCHIP, "entry.u.irqchip.irqchip")	\
	X(ENTRY_PIN, "entry.u.irqchip.pin")		\
	X(ENTRY_SINT, "entry.u.hv_sint.sint")		\
	X(ENTRY_VP, "entry.u.hv_sint.vcpu")		\
	X(ENTRY, "entry")				\
	X(OP_SIZE, "op_size")				\
	X(ERROR, "error")				\
	X(STATE_SIZE, "state_size")			\
	X(TABLE, "table")				\
	X(ENTRIES, "entries")				\
	X(PBA, "pba")					\
	X(CHANGEFD, "changefd")				\
	X(DEVID, "devid")				\
	X(CHANGED, "changed")				\
	X(FIRST, "first")				\
	X(VERSION, "version")				\
	X(VECTOR_SIZE, "vector_size")			\
	X(FUNCTION, "function")				\
	X(STATE, "state")				\
	X(HEADER, "header")				\
	X(HANDLE, "handle")				\
	X(HANDLES, "handles")				\
	X(LABEL, "label")				\
	X(COOKIE, "cookie")				\
	X(BINDING_SIZE, "binding_size")

#define IRQX_REASONS(X)							\
	X(NONE, "none")							\
	X(UNKNOWN_FLAG, "unknown flag")					\
	X(FLAGS_CONFLICT, "flags that exclude each other")		\
	X(NOT_ZERO, "must be zero")					\
	X(UNKNOWN_VALUE, "unknown value")				\
	X(TOO_SMALL, "too small")					\
	X(OUT_OF_RANGE, "out of range")					\
	X(NOT_ALIGNED, "not aligned")				\
	X(NOT_OPEN, "not an open file")					\
	X(NOT_A_VM, "not a VM")						\
	X(NOT_AN_EVENTFD, "not an eventfd")				\
	X(NOT_A_SINT, "EVENT_FLAG needs a SINT")			\
	X(NO_EOI, "no EOI for a resamplefd")				\
	X(NOT_SHARED, "cannot share the GSI")				\
	X(KVM_REFUSES, "KVM does not take it")				\
	X(KVM_USES, "KVM uses it")					\
	X(BOUND, "bound already")					\
	X(NOT_BOUND, "not bound here")					\
	X(LIMIT, "limit reached")					\
	X(DIRTY_RING, "the VM has a dirty ring")			\
	X(FTRACE_OFF, "sysctl kernel.ftrace_enabled is 0")		\
	X(NO_IRQCHIP, "the VM has no interrupt controller yet")		\
	X(GICV5, "the VM has a GICv5")					\
	X(ATTACHED, "attached already")					\
	X(NOT_ATTACHED, "not attached")					\
	X(OTHER_PROCESS, "the VM of another process")			\
	X(VM_DEAD, "the VM is dead")					\
	X(KVM_LEAVES, "KVM's module is going away")			\
	X(NO_SOURCE_ID, "KVM has no interrupt source left")		\
	X(NOT_DIRECT, "has no entry of its own")			\
	X(TWICE, "twice in the batch")					\
	X(UNKNOWN_FIELD, "in a field that is not known")			\
	X(NO_ROUTE, "the GSI has no route")				\
	X(OF_VECTOR, "the mask is the guest's")				\
	X(NO_TABLE, "no such table")					\
	X(OVERLAP, "overlaps")						\
	X(VECTORS_BOUND, "something leads to its vectors")		\
	X(NO_ITS, "the guest has no ITS")				\
	X(NOT_A_DYNIRQ, "the table is not a dynirq")			\
	X(OWNED, "the handle has an owner")				\
	X(NOT_OWNED, "the handle has no owner")				\
	X(OF_DYNIRQ, "the handle is the dynirq's own")

#define IRQX_ENUM(cmd)		IRQX_CALL_##cmd = cmd,
enum irqx_call { IRQX_CALLS(IRQX_ENUM) };
#undef IRQX_ENUM

#define IRQX_ENUM(name, words)	IRQX_ARG_##name = KVM_IRQX_ARG_##name,
enum irqx_arg { IRQX_ARGS(IRQX_ENUM) };
#undef IRQX_ENUM

#define IRQX_ENUM(name, words)	IRQX_REASON_##name = KVM_IRQX_REASON_##name,
enum irqx_reason { IRQX_REASONS(IRQX_ENUM) };
#undef IRQX_ENUM

/* All that the header has. */
#define IRQX_ONE(name, words)	+ 1
static_assert(0 IRQX_ARGS(IRQX_ONE) == KVM_IRQX_NR_ARGS);
static_assert(0 IRQX_REASONS(IRQX_ONE) == KVM_IRQX_NR_REASONS);
#undef IRQX_ONE

#define IRQX_NO_INDEX	(-1)

/* Of one call, on its stack. */
struct irqx_error {
	u32 cmd;			/* enum irqx_call */
	s32 index;			/* in the call's array, or IRQX_NO_INDEX */
	int ret;			/* what the rest is about */
	enum irqx_arg arg;
	enum irqx_reason reason;
	void __user *record;		/* struct kvm_irqx_error, or NULL */
};

/* Context: any.  Return: @ret: a negative errno, or 0 if the call had nothing to do. */
static inline int irqx_reject(struct irqx_error *error, int ret,
			      enum irqx_arg arg, enum irqx_reason reason)
{
	error->ret = ret;
	error->arg = arg;
	error->reason = reason;
	return ret;
}

int irqx_error_open_record(struct irqx_error *error, u64 record);
int irqx_error_close_record(struct irqx_error *error, int ret);

/* @record: of a call that may have one, or 0.  Return: as irqx_error_open_record(). */
static inline int irqx_error_open(struct irqx_error *error, u64 record)
{
	return record ? irqx_error_open_record(error, record) : 0;
}

/* Return: as irqx_error_close_record(). */
static inline int irqx_error_close(struct irqx_error *error, int ret)
{
	return error->record ? irqx_error_close_record(error, ret) : ret;
}

int irqx_reject_fd(struct irqx_error *error, int ret, enum irqx_arg arg);
int irqx_reject_line(struct irqx_error *error, int ret);
int irqx_reject_vm(struct irqx_error *error, int ret);

#endif /* _IRQX_ERROR_H */

// SPDX-License-Identifier: MIT
/*
 * The thread's last call: what it was, and why it has failed.
 */
#include <sys/ioctl.h>

#include "internal.h"

/* As the structs of the calls name them.  The module's tracepoint has the same words. */
#define ARGS(X)						\
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

#define REASONS(X)						\
	X(NONE, "none")						\
	X(UNKNOWN_FLAG, "unknown flag")				\
	X(FLAGS_CONFLICT, "flags that exclude each other")	\
	X(NOT_ZERO, "must be zero")				\
	X(UNKNOWN_VALUE, "unknown value")			\
	X(TOO_SMALL, "too small")				\
	X(OUT_OF_RANGE, "out of range")				\
	X(NOT_ALIGNED, "not aligned")				\
	X(NOT_OPEN, "not an open file")				\
	X(NOT_A_VM, "not a VM")					\
	X(NOT_AN_EVENTFD, "not an eventfd")			\
	X(NOT_A_SINT, "EVENT_FLAG needs a SINT")		\
	X(NO_EOI, "no EOI for a resamplefd")			\
	X(NOT_SHARED, "cannot share the GSI")			\
	X(KVM_REFUSES, "KVM does not take it")			\
	X(KVM_USES, "KVM uses it")				\
	X(BOUND, "bound already")				\
	X(NOT_BOUND, "not bound here")				\
	X(LIMIT, "limit reached")				\
	X(DIRTY_RING, "the VM has a dirty ring")		\
	X(FTRACE_OFF, "sysctl kernel.ftrace_enabled is 0")	\
	X(NO_IRQCHIP, "the VM has no interrupt controller yet")	\
	X(GICV5, "the VM has a GICv5")				\
	X(ATTACHED, "attached already")				\
	X(NOT_ATTACHED, "not attached")				\
	X(OTHER_PROCESS, "the VM of another process")		\
	X(VM_DEAD, "the VM is dead")				\
	X(KVM_LEAVES, "KVM's module is going away")		\
	X(NO_SOURCE_ID, "KVM has no interrupt source left")	\
	X(NOT_DIRECT, "has no entry of its own")		\
	X(TWICE, "twice in the batch")				\
	X(UNKNOWN_FIELD, "in a field that is not known")	\
	X(NO_ROUTE, "the GSI has no route")			\
	X(OF_VECTOR, "the mask is the guest's")			\
	X(NO_TABLE, "no such table")				\
	X(OVERLAP, "overlaps")					\
	X(VECTORS_BOUND, "something leads to its vectors")	\
	X(NO_ITS, "the guest has no ITS")			\
	X(NOT_A_DYNIRQ, "the table is not a dynirq")		\
	X(OWNED, "the handle has an owner")			\
	X(NOT_OWNED, "the handle has no owner")			\
	X(OF_DYNIRQ, "the handle is the dynirq's own")

#define WORDS(name, words)	[KVM_IRQX_ARG_##name] = words,
static const char *const args[] = { ARGS(WORDS) };
#undef WORDS

#define WORDS(name, words)	[KVM_IRQX_REASON_##name] = words,
static const char *const reasons[] = { REASONS(WORDS) };
#undef WORDS

/* All that the header has: a name that is there twice is an error of the compiler. */
#define ONE(name, words)	+ 1
_Static_assert(0 ARGS(ONE) == KVM_IRQX_NR_ARGS, "words of each argument");
_Static_assert(0 REASONS(ONE) == KVM_IRQX_NR_REASONS, "words of each reason");
#undef ONE

/* With the code of each: those of the calls, and of open(). */
#define ERRNOS(X)						\
	X(E2BIG) X(EACCES) X(EAGAIN) X(EBADF) X(EBUSY)		\
	X(EEXIST) X(EFAULT) X(EINTR) X(EINVAL) X(EIO)		\
	X(EMFILE) X(ENFILE) X(ENODEV) X(ENOENT) X(ENOMEM)	\
	X(ENOSPC) X(ENOTCONN) X(ENOTSUP) X(ENOTTY) X(ENXIO)	\
	X(EPERM) X(EBADFD)

#define CALLS(X)						\
	X(KVM_IRQX_GET_INFO) X(KVM_IRQX_ATTACH)			\
	X(KVM_IRQX_GET_STATS) X(KVM_IRQX_IRQFD_DIRECT)		\
	X(KVM_IRQX_BATCH) X(KVM_IRQX_SYNIC_PAGE)		\
	X(KVM_IRQX_MASK) X(KVM_IRQX_GET_STATE)			\
	X(KVM_IRQX_TABLE) X(KVM_IRQX_GET_TABLE)			\
	X(KVM_IRQX_SET_TABLE) X(KVM_IRQX_HANDLE)		\
	X(KVM_IRQX_RAISE) X(KVM_IRQX_LIST)			\
	X(KVM_SET_GSI_ROUTING) X(KVM_IRQFD)			\
	X(KVM_IRQ_LINE) X(KVM_IRQ_LINE_STATUS)			\
	X(KVM_IRQX_INTX_GET_INFO) X(KVM_IRQX_INTX_ATTACH)	\
	X(KVM_IRQX_INTX_DETACH) X(KVM_IRQX_INTX_GET_STATE)

static const char *errno_name(int error)
{
	switch (error) {
#define NAME(name)	case name: return #name;
	ERRNOS(NAME)
#undef NAME
	default:
		return NULL;
	}
}

/* @cmd: 0: the device is opened. */
static const char *call_name(unsigned long cmd)
{
	switch (cmd) {
#define NAME(name)	case name: return #name;
	CALLS(NAME)
#undef NAME
	default:
		return "/dev/kvm-irqx";
	}
}

static _Thread_local struct {
	unsigned long cmd;
	int ret;
	struct kvm_irqx_error error;
	const char *words;	/* what is wrong, where the record has no reason for it, or NULL */
} last;

/* Before anything else of a call that may go to a module. */
void kvmirqx_call_forget(unsigned long cmd)
{
	last.cmd = cmd;
	last.ret = 0;
	last.words = NULL;
	last.error = (struct kvm_irqx_error) {
		.argsz = sizeof(last.error),
		.index = ~0U,
	};
}

/* The same of one that has a context.  Return: 0, or -EINVAL: it has none. */
int kvmirqx_call_begin(const struct kvmirqx *ctx, unsigned long cmd)
{
	kvmirqx_call_forget(cmd);
	return ctx ? 0 : kvmirqx_call_refuse(-EINVAL, KVM_IRQX_ARG_CONTEXT, KVM_IRQX_REASON_NONE);
}

/* Return: for the member @error of the call's struct. */
__u64 kvmirqx_call_record(const struct kvmirqx *ctx)
{
	/* A module without batches has padding there. */
	return tells(ctx, op_size) ? (uintptr_t)&last.error : 0;
}

/* ENOTTY of a file that is known to be the module's; E2BIG: a field that only the caller knows. */
static int plain(unsigned long cmd, int error)
{
	bool sized = cmd == KVM_IRQX_BATCH || cmd == KVM_IRQX_SET_TABLE || cmd == KVM_IRQX_LIST;

	return error == ENOTTY || (error == E2BIG && sized) ? -ENOTSUP : -error;
}

/* The ioctl.  Return: 0 or a negative errno. */
int kvmirqx_call(const struct kvmirqx *ctx, unsigned long cmd, void *arg)
{
	return kvmirqx_call_done(cmd, ioctl(ctx->fd, cmd, arg) < 0 ? plain(cmd, errno) : 0);
}

/* What has come of one that went another way.  Return: @ret. */
int kvmirqx_call_done(unsigned long cmd, int ret)
{
	last.cmd = cmd;
	last.ret = ret;
	return ret;
}

/* What the library refuses.  Return: @ret. */
int kvmirqx_call_refuse(int ret, __u32 arg, __u32 reason)
{
	last.ret = ret;
	last.error.arg = arg;
	last.error.reason = reason;
	return ret;
}

/* @index: in the caller's array, or ~0 if it has none. */
void kvmirqx_call_set_index(__u32 index)
{
	last.error.index = index;
}

void kvmirqx_call_set_words(const char *words)
{
	last.words = words;
}

PUBLIC int kvmirqx_last_error(struct kvm_irqx_error *error)
{
	__u32 argsz;

	if (!error || error->argsz < sizeof(last.error))
		return -EINVAL;
	argsz = error->argsz;
	/* at first the thread has none */
	if (!last.error.argsz)
		kvmirqx_call_forget(0);
	memset(error, 0, argsz);
	*error = last.error;
	error->argsz = sizeof(last.error);
	return 0;
}

PUBLIC const char *kvmirqx_arg_name(__u32 arg)
{
	return arg < KVM_IRQX_NR_ARGS ? args[arg] : NULL;
}

PUBLIC const char *kvmirqx_reason_words(__u32 reason)
{
	return reason < KVM_IRQX_NR_REASONS ? reasons[reason] : NULL;
}

PUBLIC int kvmirqx_last_error_words(char *buf, size_t size)
{
	const struct kvm_irqx_error *error = &last.error;
	struct kvmirqx_text text;

	if (size && !buf)
		return -EINVAL;
	kvmirqx_text_begin(&text, buf, size);
	if (!last.ret && !error->reason)
		return 0;

	kvmirqx_text_add(&text, "%s", call_name(last.cmd));
	if (kvmirqx_arg_name(error->arg) && error->arg)
		kvmirqx_text_add(&text, ": %s", kvmirqx_arg_name(error->arg));
	else if (error->arg)
		kvmirqx_text_add(&text, ": argument %u", error->arg);
	if (kvmirqx_reason_words(error->reason) && error->reason)
		kvmirqx_text_add(&text, ": %s", kvmirqx_reason_words(error->reason));
	else if (error->reason)
		kvmirqx_text_add(&text, ": reason %u", error->reason);
	if (last.words)
		kvmirqx_text_add(&text, ": %s", last.words);
	if (error->index != ~0U)
		kvmirqx_text_add(&text, ", element %u", error->index);
	if (errno_name(-last.ret))
		kvmirqx_text_add(&text, " (%s)", errno_name(-last.ret));
	else if (last.ret)
		kvmirqx_text_add(&text, " (errno %d)", -last.ret);
	return (int)text.length;
}

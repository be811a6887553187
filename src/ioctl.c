// SPDX-License-Identifier: GPL-2.0
/*
 * Copy in, check, call the noun, copy out.  Decides nothing.
 */
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "arch/arch.h"
#include "batch.h"
#include "context.h"
#include "direct.h"
#include "dynirq.h"
#include "error.h"
#include "ioctl.h"
#include "list.h"
#include "route.h"
#include "synic.h"
#include "table.h"
#include "trace.h"
#include "vector.h"
#include "version.h"

/* The flags that each call knows. */
#define IRQX_ATTACH_FLAGS	0
#define IRQX_BATCH_FLAGS	0
#define IRQX_DIRECT_FLAGS						\
	(KVM_IRQX_IRQFD_DIRECT_DEASSIGN | KVM_IRQX_IRQFD_DIRECT_RESAMPLE | \
	 KVM_IRQX_IRQFD_DIRECT_MODIFY | KVM_IRQX_IRQFD_DIRECT_EVENT_FLAG | \
	 KVM_IRQX_IRQFD_DIRECT_MASK | KVM_IRQX_IRQFD_DIRECT_UNMASK)
#define IRQX_MASK_FLAGS		(KVM_IRQX_MASK_SET | KVM_IRQX_MASK_CLEAR)
#define IRQX_GET_STATE_FLAGS	0
#define IRQX_SYNIC_PAGE_FLAGS	KVM_IRQX_SYNIC_PAGE_ENABLED
#define IRQX_TABLE_FLAGS \
	(KVM_IRQX_TABLE_DECODES | KVM_IRQX_TABLE_ENABLED | KVM_IRQX_TABLE_MASKED)
#define IRQX_TABLE_OPS							\
	(BIT(KVM_IRQX_TABLE_CREATE) | BIT(KVM_IRQX_TABLE_MOVE) |	\
	 BIT(KVM_IRQX_TABLE_SET) | BIT(KVM_IRQX_TABLE_DESTROY) |	\
	 BIT(KVM_IRQX_TABLE_CREATE_DYNIRQ))
#define IRQX_TABLE_STATE_KEEP \
	(KVM_IRQX_TABLE_STATE_KEEP_ENTRIES | KVM_IRQX_TABLE_STATE_KEEP_PENDING)
/* Of a struct kvm_irqx_dynirq_header of the future. */
#define IRQX_HEADER_SIZE_MAX	4096
#define IRQX_HANDLE_OPS							\
	(BIT(KVM_IRQX_HANDLE_ALLOC) | BIT(KVM_IRQX_HANDLE_FREE) |	\
	 BIT(KVM_IRQX_HANDLE_LABEL) | BIT(KVM_IRQX_HANDLE_GET))
#define IRQX_HANDLE_FLAGS	0
#define IRQX_RAISE_FLAGS	0
#define IRQX_LIST_FLAGS		0
#define IRQX_TABLE_STATE_FLAGS	(KVM_IRQX_TABLE_STATE_FUNCTION | IRQX_TABLE_STATE_KEEP)

/*
 * A direct binding is an operation of a batch, with more flags.  Where that has its cookie this
 * has the error record, which is looked at first.
 */
struct direct_args {
	u32 op;
	u32 pad;
	struct kvm_irqx_irqfd_direct direct;
};

#define DIRECT_AT(member)	offsetof(struct direct_args, direct.member)
static_assert(DIRECT_AT(fd) == offsetof(struct kvm_irqx_op, fd));
static_assert(DIRECT_AT(resamplefd) == offsetof(struct kvm_irqx_op, resamplefd));
static_assert(DIRECT_AT(flags) == offsetof(struct kvm_irqx_op, flags));
static_assert(DIRECT_AT(event_flag) == offsetof(struct kvm_irqx_op, event_flag));
static_assert(DIRECT_AT(entry) == offsetof(struct kvm_irqx_op, entry));
static_assert(DIRECT_AT(error) == offsetof(struct kvm_irqx_op, cookie));
static_assert(KVM_IRQX_OP_FLAG_RESAMPLE == KVM_IRQX_IRQFD_DIRECT_RESAMPLE);
static_assert(KVM_IRQX_OP_FLAG_EVENT_FLAG == KVM_IRQX_IRQFD_DIRECT_EVENT_FLAG);
static_assert(KVM_IRQX_OP_FLAG_MASK == KVM_IRQX_IRQFD_DIRECT_MASK);
static_assert(KVM_IRQX_OP_FLAG_UNMASK == KVM_IRQX_IRQFD_DIRECT_UNMASK);

/*
 * Structs that grow: the caller says how much it knows, gets that much, and is
 * told how much there is.
 */
static long copy_out_sized(void __user *argp, void *from, u32 size, u32 min,
			   struct irqx_error *error)
{
	u32 argsz;

	if (get_user(argsz, (u32 __user *)argp))
		return -EFAULT;
	if (argsz < min)
		return irqx_reject(error, -EINVAL, IRQX_ARG_ARGSZ,
				   IRQX_REASON_TOO_SMALL);

	*(u32 *)from = size;
	if (copy_to_user(argp, from, min(argsz, size)))
		return -EFAULT;
	return 0;
}

/* The same in arrays: @size is an element's to the caller; what it has beyond ours is zero. */
static int copy_out_array(u64 argp, u32 size, const void *from, size_t known, u32 nr)
{
	void __user *to = u64_to_user_ptr(argp);
	u32 i;

	if (size == known)
		return copy_to_user(to, from, nr * known) ? -EFAULT : 0;
	for (i = 0; i < nr; i++, to += size, from += known)
		if (copy_to_user(to, from, min_t(size_t, size, known)) ||
		    (size > known && clear_user(to + known, size - known)))
			return -EFAULT;
	return 0;
}

static long ioctl_get_info(void __user *argp, struct irqx_error *error)
{
	struct kvm_irqx_info info = {
		.abi = KVM_IRQX_ABI_VERSION,
		.features = irqx_arch_features(),
		.max_gsi = irqx_max_gsis,
		.max_irqfds = irqx_max_irqfds,
		.max_batch = IRQX_MAX_BATCH,
		.version = IRQX_VERSION_NUMBER,
		.ops = irqx_batch_known_ops(),
		.op_size = sizeof(struct kvm_irqx_op),
		.op_flags = irqx_batch_known_flags(),
		.direct_flags = IRQX_DIRECT_FLAGS,
		.batch_flags = IRQX_BATCH_FLAGS,
		.attach_flags = IRQX_ATTACH_FLAGS,
		.mask_flags = IRQX_MASK_FLAGS,
		.get_state_flags = IRQX_GET_STATE_FLAGS,
		.table_flags = IRQX_TABLE_FLAGS,
		.table_ops = IRQX_TABLE_OPS,
		.table_state_flags = IRQX_TABLE_STATE_FLAGS,
		.vector_size = sizeof(struct kvm_irqx_vector),
		.max_vectors = KVM_IRQX_MAX_VECTORS,
		.max_handles = KVM_IRQX_MAX_HANDLES,
		.table_state_version = KVM_IRQX_TABLE_STATE_VERSION,
		.handle_ops = IRQX_HANDLE_OPS,
		.handle_flags = IRQX_HANDLE_FLAGS,
		.raise_flags = IRQX_RAISE_FLAGS,
		.list_flags = IRQX_LIST_FLAGS,
		.binding_size = sizeof(struct kvm_irqx_binding),
	};

	if (info.features & KVM_IRQX_FEATURE_EVENT_FLAG)
		info.synic_page_flags = IRQX_SYNIC_PAGE_FLAGS;

	return copy_out_sized(argp, &info, sizeof(info),
			      offsetofend(struct kvm_irqx_info, features),
			      error);
}

static long ioctl_attach(struct irqx_context *ctx, void __user *argp,
			 struct irqx_error *error)
{
	struct kvm_irqx_attach attach;

	if (copy_from_user(&attach, argp, sizeof(attach)))
		return -EFAULT;
	if (attach.flags & ~IRQX_ATTACH_FLAGS)
		return irqx_reject(error, -EINVAL, IRQX_ARG_FLAGS,
				   IRQX_REASON_UNKNOWN_FLAG);
	if (memchr_inv(attach.pad, 0, sizeof(attach.pad)))
		return irqx_reject(error, -EINVAL, IRQX_ARG_PAD,
				   IRQX_REASON_NOT_ZERO);
	return irqx_context_attach(ctx, attach.vm_fd, error);
}

static long ioctl_get_stats(struct irqx_context *ctx, void __user *argp,
			    struct irqx_error *error)
{
	struct kvm_irqx_stats stats = {};
	int ret;

	ret = irqx_context_lock(ctx);
	if (ret)
		return ret;
	irqx_context_stats(ctx, &stats);
	irqx_context_unlock(ctx);

	return copy_out_sized(argp, &stats, sizeof(stats),
			      offsetofend(struct kvm_irqx_stats, pad), error);
}

/* DEASSIGN goes with no other flag, RESAMPLE and MODIFY, MASK and UNMASK not with each other. */
static bool direct_flags_conflict(u32 flags)
{
	const u32 either = KVM_IRQX_IRQFD_DIRECT_RESAMPLE | KVM_IRQX_IRQFD_DIRECT_MODIFY;
	const u32 mask = KVM_IRQX_IRQFD_DIRECT_MASK | KVM_IRQX_IRQFD_DIRECT_UNMASK;

	if (flags & KVM_IRQX_IRQFD_DIRECT_DEASSIGN)
		return flags != KVM_IRQX_IRQFD_DIRECT_DEASSIGN;
	return (flags & either) == either || (flags & mask) == mask;
}

/* @op: the same as an operation.  Return: 0 or -EINVAL. */
static int direct_check(const struct kvm_irqx_irqfd_direct *args,
			const struct kvm_irqx_op *op, struct irqx_error *error)
{
	int ret;

	if (args->flags & ~IRQX_DIRECT_FLAGS)
		return irqx_reject(error, -EINVAL, IRQX_ARG_FLAGS,
				   IRQX_REASON_UNKNOWN_FLAG);
	if (direct_flags_conflict(args->flags))
		return irqx_reject(error, -EINVAL, IRQX_ARG_FLAGS,
				   IRQX_REASON_FLAGS_CONFLICT);
	if (args->pad[0] | args->pad[1])
		return irqx_reject(error, -EINVAL, IRQX_ARG_PAD,
				   IRQX_REASON_NOT_ZERO);
	if (args->cookie && args->flags & (KVM_IRQX_IRQFD_DIRECT_DEASSIGN |
					   KVM_IRQX_IRQFD_DIRECT_MODIFY))
		return irqx_reject(error, -EINVAL, IRQX_ARG_COOKIE,
				   IRQX_REASON_NOT_ZERO);
	ret = irqx_direct_check_event_flag(op, error);
	if (ret || args->flags & KVM_IRQX_IRQFD_DIRECT_DEASSIGN)
		return ret;
	return irqx_direct_check_entry(&args->entry, error);
}

static long ioctl_irqfd_direct(struct irqx_context *ctx, void __user *argp,
			       struct irqx_error *error)
{
	struct irqx_leave leave = {};
	struct direct_args args;
	/* All but @op of it. */
	const struct kvm_irqx_op *op = (const void *)&args;
	u32 flags;
	int ret;

	if (copy_from_user(&args.direct, argp, sizeof(args.direct)))
		return -EFAULT;
	ret = irqx_error_open(error, args.direct.error);
	if (ret)
		return ret;
	ret = direct_check(&args.direct, op, error);
	if (ret)
		return ret;
	flags = args.direct.flags;
	args.direct.error = args.direct.cookie;

	ret = irqx_context_lock(ctx);
	if (ret)
		return ret;
	if (flags & KVM_IRQX_IRQFD_DIRECT_DEASSIGN)
		ret = irqx_context_deassign(ctx, op->fd, NULL, &leave, error);
	else if (flags & KVM_IRQX_IRQFD_DIRECT_MODIFY)
		ret = irqx_direct_modify(ctx, op, &leave, error);
	else
		ret = irqx_direct_assign(ctx, op, error);
	return irqx_context_unlock_and_wait(ctx, &leave) ?: ret;
}

static long ioctl_irqfd(struct irqx_context *ctx, void __user *argp,
			struct irqx_error *error)
{
	struct irqx_leave leave = {};
	struct kvm_irqfd args;
	int ret;

	if (copy_from_user(&args, argp, sizeof(args)))
		return -EFAULT;

	ret = irqx_context_lock(ctx);
	if (ret)
		return ret;
	switch (args.flags) {
	case 0:
	case KVM_IRQFD_FLAG_RESAMPLE:
		ret = irqx_route_assign(ctx, &args, error);
		break;
	case KVM_IRQFD_FLAG_DEASSIGN:
	case KVM_IRQFD_FLAG_DEASSIGN | KVM_IRQFD_FLAG_RESAMPLE:
		ret = irqx_context_deassign(ctx, args.fd, &args.gsi, &leave,
					    error);
		break;
	default:
		ret = irqx_reject(error, -EINVAL, IRQX_ARG_FLAGS,
				  IRQX_REASON_UNKNOWN_FLAG);
	}
	return irqx_context_unlock_and_wait(ctx, &leave) ?: ret;
}

static bool cmd_is_irq_line(unsigned int cmd)
{
	return cmd == KVM_IRQ_LINE || cmd == KVM_IRQ_LINE_STATUS;
}

static long ioctl_irq_line(struct irqx_context *ctx, unsigned int cmd,
			   void __user *argp, struct irqx_error *error)
{
	bool want_status = cmd == KVM_IRQ_LINE_STATUS;
	struct kvm_irq_level args;
	int ret;

	ret = irqx_context_check(ctx, error);
	if (ret)
		return ret;
	if (copy_from_user(&args, argp, sizeof(args)))
		return -EFAULT;
	ret = irqx_route_set_level(ctx, &args, want_status, error);
	if (!ret && want_status && copy_to_user(argp, &args, sizeof(args)))
		return -EFAULT;
	return ret;
}

/* As vmemdup_user(), but on the caller's account. */
static void *copy_in_array(const void __user *from, u32 nr, size_t size)
{
	void *array = kvmalloc_array(nr, size, GFP_KERNEL_ACCOUNT);

	if (!array)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(array, from, nr * size)) {
		kvfree(array);
		return ERR_PTR(-EFAULT);
	}
	return array;
}

/* @fd has an entry of its own, or is KVM_IRQX_NO_FD: then it is a GSI's. */
static struct irqx_target *find_target(struct irqx_context *ctx, int fd, u32 gsi,
				       struct irqx_error *error)
{
	if (fd == KVM_IRQX_NO_FD)
		return irqx_route_target(ctx, gsi, error);
	if (gsi)
		return ERR_PTR(irqx_reject(error, -EINVAL, IRQX_ARG_GSI,
					   IRQX_REASON_NOT_ZERO));
	return irqx_direct_target(ctx, fd, error);
}

static long ioctl_mask(struct irqx_context *ctx, void __user *argp,
		       struct irqx_error *error)
{
	struct irqx_leave leave = {};
	struct irqx_target *target;
	struct kvm_irqx_mask args;
	bool set;
	int ret;

	if (copy_from_user(&args, argp, sizeof(args)))
		return -EFAULT;
	ret = irqx_error_open(error, args.error);
	if (ret)
		return ret;
	if (args.flags & ~IRQX_MASK_FLAGS)
		return irqx_reject(error, -EINVAL, IRQX_ARG_FLAGS,
				   IRQX_REASON_UNKNOWN_FLAG);
	if (hweight32(args.flags) != 1)
		return irqx_reject(error, -EINVAL, IRQX_ARG_FLAGS,
				   IRQX_REASON_FLAGS_CONFLICT);
	if (memchr_inv(args.pad, 0, sizeof(args.pad)))
		return irqx_reject(error, -EINVAL, IRQX_ARG_PAD,
				   IRQX_REASON_NOT_ZERO);

	set = args.flags & KVM_IRQX_MASK_SET;

	ret = irqx_context_lock(ctx);
	if (ret)
		return ret;
	target = find_target(ctx, args.fd, args.gsi, error);
	ret = PTR_ERR_OR_ZERO(target);
	if (!ret)
		ret = irqx_vector_check_mask(&target->to, args.fd == KVM_IRQX_NO_FD ?
					     IRQX_ARG_GSI : IRQX_ARG_FD, error);
	if (!ret)
		irqx_target_change(target, NULL, set ? IRQX_MASK_SET : IRQX_MASK_CLEAR,
				   &leave);
	/* Unmasking waits for nothing: a guest does it. */
	if (set)
		return irqx_context_unlock_and_wait(ctx, &leave) ?: ret;
	irqx_context_unlock(ctx);
	return ret;
}

static int get_states(struct irqx_context *ctx,
		      struct kvm_irqx_target_state *states, u32 nr, u32 *index,
		      struct irqx_error *error)
{
	struct kvm_irqx_target_state *state;
	struct irqx_target *target;
	int ret;

	for (*index = 0; *index < nr; ++*index) {
		state = &states[*index];
		error->index = *index;
		if (state->pad)
			return irqx_reject(error, -EINVAL, IRQX_ARG_PAD,
					   IRQX_REASON_NOT_ZERO);
		target = find_target(ctx, state->fd, state->gsi, error);
		if (IS_ERR(target))
			return PTR_ERR(target);
		state->state = irqx_target_state(target);
		ret = *index % 64 ? 0 : irqx_cond_resched_killable();
		if (ret)
			return ret;
	}
	error->index = IRQX_NO_INDEX;
	return 0;
}

static long ioctl_get_state(struct irqx_context *ctx, void __user *argp,
			    struct irqx_error *error)
{
	struct kvm_irqx_get_state __user *user = argp;
	struct kvm_irqx_target_state *states;
	struct kvm_irqx_get_state args;
	void __user *array;
	u32 index;
	int ret;

	if (copy_from_user(&args, user, sizeof(args)))
		return -EFAULT;
	ret = irqx_error_open(error, args.error);
	if (ret)
		return ret;
	index = args.nr;
	if (put_user(index, &user->index))
		return -EFAULT;
	if (args.flags & ~IRQX_GET_STATE_FLAGS)
		return irqx_reject(error, -EINVAL, IRQX_ARG_FLAGS,
				   IRQX_REASON_UNKNOWN_FLAG);
	if (args.state_size != sizeof(*states))
		return irqx_reject(error, -EINVAL, IRQX_ARG_STATE_SIZE,
				   IRQX_REASON_UNKNOWN_VALUE);
	if (memchr_inv(args.pad, 0, sizeof(args.pad)))
		return irqx_reject(error, -EINVAL, IRQX_ARG_PAD,
				   IRQX_REASON_NOT_ZERO);
	if (!args.nr || args.nr > IRQX_MAX_BATCH)
		return irqx_reject(error, -EINVAL, IRQX_ARG_NR,
				   IRQX_REASON_OUT_OF_RANGE);
	array = u64_to_user_ptr(args.states);
	states = copy_in_array(array, args.nr, sizeof(*states));
	if (IS_ERR(states))
		return PTR_ERR(states);

	ret = irqx_context_lock(ctx);
	if (!ret) {
		ret = get_states(ctx, states, args.nr, &index, error);
		/* No element is to blame: report nr. */
		if (ret == -EINTR) {
			index = args.nr;
			error->index = IRQX_NO_INDEX;
		}
		irqx_context_unlock(ctx);
	}
	if (!ret && copy_to_user(array, states, args.nr * sizeof(*states)))
		ret = -EFAULT;
	if (ret && index < args.nr && put_user(index, &user->index))
		ret = -EFAULT;
	kvfree(states);
	return ret;
}

static long ioctl_synic_page(struct irqx_context *ctx, void __user *argp,
			     struct irqx_error *error)
{
	struct kvm_irqx_synic_page args;
	gpa_t page = IRQX_NO_PAGE;
	int ret;

	if (!(irqx_arch_features() & KVM_IRQX_FEATURE_EVENT_FLAG))
		return -ENOTTY;
	if (copy_from_user(&args, argp, sizeof(args)))
		return -EFAULT;
	if (args.vp_index >= KVM_MAX_VCPUS)
		return irqx_reject(error, -EINVAL, IRQX_ARG_VP_INDEX,
				   IRQX_REASON_OUT_OF_RANGE);
	if (args.flags & ~IRQX_SYNIC_PAGE_FLAGS)
		return irqx_reject(error, -EINVAL, IRQX_ARG_FLAGS,
				   IRQX_REASON_UNKNOWN_FLAG);
	if (memchr_inv(args.pad, 0, sizeof(args.pad)))
		return irqx_reject(error, -EINVAL, IRQX_ARG_PAD,
				   IRQX_REASON_NOT_ZERO);
	if (args.flags & KVM_IRQX_SYNIC_PAGE_ENABLED)
		page = args.gpa;
	else if (args.gpa)
		return irqx_reject(error, -EINVAL, IRQX_ARG_GPA,
				   IRQX_REASON_NOT_ZERO);
	if (!PAGE_ALIGNED(args.gpa))
		return irqx_reject(error, -EINVAL, IRQX_ARG_GPA,
				   IRQX_REASON_NOT_ALIGNED);

	ret = irqx_context_lock(ctx);
	if (ret)
		return ret;
	ret = irqx_vp_set_page(ctx, args.vp_index, page);
	irqx_context_unlock(ctx);
	return ret;
}

static long ioctl_set_gsi_routing(struct irqx_context *ctx, void __user *argp,
				  struct irqx_error *error)
{
	struct kvm_irq_routing __user *user = argp;
	struct kvm_irq_routing_entry *entries = NULL;
	struct irqx_leave leave = {};
	struct kvm_irq_routing args;
	int ret;

	if (copy_from_user(&args, user, sizeof(args)))
		return -EFAULT;
	if (args.flags)
		return irqx_reject(error, -EINVAL, IRQX_ARG_FLAGS,
				   IRQX_REASON_UNKNOWN_FLAG);
	if (args.nr > irqx_max_gsis)
		return irqx_reject(error, -EINVAL, IRQX_ARG_NR,
				   IRQX_REASON_OUT_OF_RANGE);
	if (args.nr) {
		entries = copy_in_array(user->entries, args.nr,
					sizeof(*entries));
		if (IS_ERR(entries))
			return PTR_ERR(entries);
	}

	ret = irqx_context_lock(ctx);
	if (!ret) {
		ret = irqx_route_replace(ctx, entries, args.nr, &leave, error);
		ret = irqx_context_unlock_and_wait(ctx, &leave) ?: ret;
	}
	kvfree(entries);
	return ret;
}

static int batch_check(const struct kvm_irqx_batch *args, struct irqx_error *error)
{
	if (args->flags & ~IRQX_BATCH_FLAGS)
		return irqx_reject(error, -EINVAL, IRQX_ARG_FLAGS,
				   IRQX_REASON_UNKNOWN_FLAG);
	if (args->pad[0] | args->pad[1])
		return irqx_reject(error, -EINVAL, IRQX_ARG_PAD,
				   IRQX_REASON_NOT_ZERO);
	if (!args->nr || args->nr > IRQX_MAX_BATCH)
		return irqx_reject(error, -EINVAL, IRQX_ARG_NR,
				   IRQX_REASON_OUT_OF_RANGE);
	if (args->op_size < KVM_IRQX_OP_SIZE_MIN)
		return irqx_reject(error, -EINVAL, IRQX_ARG_OP_SIZE,
				   IRQX_REASON_TOO_SMALL);
	if (args->op_size > KVM_IRQX_OP_SIZE_MAX)
		return irqx_reject(error, -EINVAL, IRQX_ARG_OP_SIZE,
				   IRQX_REASON_OUT_OF_RANGE);
	return 0;
}

/* Operations of another size than ours.  Return: 0, -EFAULT, -EINTR, -E2BIG with @index. */
static int copy_in_ops(struct kvm_irqx_op *ops, const void __user *from, u32 nr,
		       size_t size, u32 *index, struct irqx_error *error)
{
	int ret;
	u32 i;

	for (i = 0; i < nr; i++) {
		ret = i % 64 ? 0 : irqx_cond_resched_killable();
		if (!ret)
			ret = copy_struct_from_user(&ops[i], sizeof(ops[i]),
						    from + i * size, size);
		if (ret == -E2BIG) {
			*index = i;
			error->index = i;
			irqx_reject(error, ret, IRQX_ARG_OP,
				    IRQX_REASON_UNKNOWN_FIELD);
		}
		if (ret)
			return ret;
	}
	return 0;
}

/* Return: 0, or as copy_in_ops(). */
static int batch_copy_in(struct kvm_irqx_op *ops, const struct kvm_irqx_batch *args,
			 u32 *index, struct irqx_error *error)
{
	const void __user *from = u64_to_user_ptr(args->ops);

	if (args->op_size != sizeof(*ops))
		return copy_in_ops(ops, from, args->nr, args->op_size, index, error);
	return copy_from_user(ops, from, args->nr * sizeof(*ops)) ? -EFAULT : 0;
}

static int run_batch(struct irqx_context *ctx, const struct kvm_irqx_batch *args,
		     u32 *index, struct irqx_error *error)
{
	struct kvm_irqx_op one, *ops = &one;
	struct irqx_leave leave = {};
	int ret;

	/* For one the memory would cost more than all the rest of the call. */
	if (args->nr > 1)
		ops = kvmalloc_array(args->nr, sizeof(*ops), GFP_KERNEL_ACCOUNT);
	if (!ops)
		return -ENOMEM;
	ret = batch_copy_in(ops, args, index, error);
	if (ret)
		goto out;
	ret = irqx_context_lock(ctx);
	if (ret)
		goto out;
	ret = irqx_batch_run(ctx, ops, args->nr, index, &leave, error);
	ret = irqx_context_unlock_and_wait(ctx, &leave) ?: ret;
out:
	if (ops != &one)
		kvfree(ops);
	return ret;
}

static long ioctl_batch(struct irqx_context *ctx, void __user *argp,
			struct irqx_error *error)
{
	struct kvm_irqx_batch __user *user = argp;
	struct kvm_irqx_batch args;
	u32 index;
	int ret;

	if (copy_from_user(&args, user, sizeof(args)))
		return -EFAULT;
	index = args.nr;
	if (put_user(index, &user->index))
		return -EFAULT;
	ret = irqx_error_open(error, args.error);
	if (ret)
		return ret;
	ret = batch_check(&args, error);
	if (ret)
		return ret;

	ret = run_batch(ctx, &args, &index, error);
	/* On success it holds the right value already. */
	if (ret && put_user(index, &user->index))
		ret = -EFAULT;
	return ret;
}

static bool known_op(u32 op, u32 ops)
{
	return op < 32 && BIT(op) & ops;
}

/* Of the flags that an operation takes; a dynirq's are fewer. */
static u32 table_flags_of(u32 op)
{
	switch (op) {
	case KVM_IRQX_TABLE_CREATE:
	case KVM_IRQX_TABLE_SET:
		return IRQX_TABLE_FLAGS;
	case KVM_IRQX_TABLE_CREATE_DYNIRQ:
		return KVM_IRQX_TABLE_DECODES;
	default:
		return 0;
	}
}

static bool table_op_creates(u32 op)
{
	return op == KVM_IRQX_TABLE_CREATE || op == KVM_IRQX_TABLE_CREATE_DYNIRQ;
}

/* What an operation does not take is zero; KVM_IRQX_NO_FD is for those that create alone. */
static int table_check(const struct kvm_irqx_table *args, struct irqx_error *error)
{
	u32 max = args->op == KVM_IRQX_TABLE_CREATE ? KVM_IRQX_MAX_VECTORS :
						      KVM_IRQX_MAX_HANDLES;
	bool create = table_op_creates(args->op);
	bool places = create || args->op == KVM_IRQX_TABLE_MOVE;

	if (!known_op(args->op, IRQX_TABLE_OPS))
		return irqx_reject(error, -EINVAL, IRQX_ARG_OP, IRQX_REASON_UNKNOWN_VALUE);
	if (args->flags & ~table_flags_of(args->op))
		return irqx_reject(error, -EINVAL, IRQX_ARG_FLAGS,
				   IRQX_REASON_UNKNOWN_FLAG);
	if (memchr_inv(args->pad, 0, sizeof(args->pad)))
		return irqx_reject(error, -EINVAL, IRQX_ARG_PAD, IRQX_REASON_NOT_ZERO);
	if (create && args->table)
		return irqx_reject(error, -EINVAL, IRQX_ARG_TABLE, IRQX_REASON_NOT_ZERO);
	if (create && (!args->nr || args->nr > max))
		return irqx_reject(error, -EINVAL, IRQX_ARG_NR, IRQX_REASON_OUT_OF_RANGE);
	if (!create && args->nr)
		return irqx_reject(error, -EINVAL, IRQX_ARG_NR, IRQX_REASON_NOT_ZERO);
	if (!create && (args->devid || args->changefd))
		return irqx_reject(error, -EINVAL, args->devid ? IRQX_ARG_DEVID :
				   IRQX_ARG_CHANGEFD, IRQX_REASON_NOT_ZERO);
	if (!places && (args->entries || args->pba))
		return irqx_reject(error, -EINVAL, args->entries ? IRQX_ARG_ENTRIES :
				   IRQX_ARG_PBA, IRQX_REASON_NOT_ZERO);
	return 0;
}

/* MOVE, SET and DESTROY. */
static int change_table(struct irqx_context *ctx, const struct kvm_irqx_table *args,
			struct irqx_error *error)
{
	struct irqx_leave leave = {};
	int ret;

	ret = irqx_context_lock(ctx);
	if (ret)
		return ret;
	if (args->op == KVM_IRQX_TABLE_MOVE)
		ret = irqx_table_move(ctx, args, error);
	else if (args->op == KVM_IRQX_TABLE_SET)
		ret = irqx_table_set_flags(ctx, args->table, args->flags, &leave, error);
	else
		ret = irqx_table_destroy(ctx, args->table, &leave, error);
	return irqx_context_unlock_and_wait(ctx, &leave) ?: ret;
}

/* That nobody has been told of; whoever leads something to it all the same keeps it. */
static void drop_table(struct irqx_context *ctx, u32 id)
{
	struct irqx_leave none = {};
	struct irqx_error ignored;

	/* Nobody waits with this lock held. */
	mutex_lock(&ctx->lock);
	irqx_table_destroy(ctx, id, &none, &ignored);
	irqx_context_unlock(ctx);
}

static long ioctl_table(struct irqx_context *ctx, void __user *argp,
			struct irqx_error *error)
{
	struct kvm_irqx_table __user *user = argp;
	struct kvm_irqx_table args;
	int ret;

	if (copy_from_user(&args, user, sizeof(args)))
		return -EFAULT;
	ret = irqx_error_open(error, args.error);
	if (ret)
		return ret;
	ret = table_check(&args, error);
	if (ret)
		return ret;
	if (!table_op_creates(args.op))
		return change_table(ctx, &args, error);

	/* Before there is a table that nobody knows the number of. */
	if (put_user(args.table, &user->table))
		return -EFAULT;
	ret = irqx_table_create(ctx, &args, error);
	if (!ret && put_user(args.table, &user->table)) {
		drop_table(ctx, args.table);
		ret = -EFAULT;
	}
	return ret;
}

static int table_state_check(const struct kvm_irqx_table_state *args, bool set,
			     struct irqx_error *error)
{
	const u32 flags = set ? IRQX_TABLE_STATE_FLAGS : 0;

	if (args->version != KVM_IRQX_TABLE_STATE_VERSION)
		return irqx_reject(error, -EINVAL, IRQX_ARG_VERSION,
				   IRQX_REASON_UNKNOWN_VALUE);
	if (args->flags & ~flags)
		return irqx_reject(error, -EINVAL, IRQX_ARG_FLAGS,
				   IRQX_REASON_UNKNOWN_FLAG);
	if ((args->flags & IRQX_TABLE_STATE_KEEP) == IRQX_TABLE_STATE_KEEP)
		return irqx_reject(error, -EINVAL, IRQX_ARG_FLAGS,
				   IRQX_REASON_FLAGS_CONFLICT);
	if (args->pad)
		return irqx_reject(error, -EINVAL, IRQX_ARG_PAD, IRQX_REASON_NOT_ZERO);
	if (args->vector_size < KVM_IRQX_VECTOR_SIZE_MIN ||
	    args->vector_size > KVM_IRQX_VECTOR_SIZE_MAX)
		return irqx_reject(error, -EINVAL, IRQX_ARG_VECTOR_SIZE,
				   IRQX_REASON_OUT_OF_RANGE);
	if (args->nr > KVM_IRQX_MAX_VECTORS)
		return irqx_reject(error, -EINVAL, IRQX_ARG_NR, IRQX_REASON_OUT_OF_RANGE);
	if (!set)
		return 0;
	if (args->changed)
		return irqx_reject(error, -EINVAL, IRQX_ARG_CHANGED, IRQX_REASON_NOT_ZERO);
	if (!(args->flags & KVM_IRQX_TABLE_STATE_FUNCTION) && args->function)
		return irqx_reject(error, -EINVAL, IRQX_ARG_FUNCTION, IRQX_REASON_NOT_ZERO);
	if (args->function & ~IRQX_TABLE_FLAGS)
		return irqx_reject(error, -EINVAL, IRQX_ARG_FUNCTION,
				   IRQX_REASON_UNKNOWN_FLAG);
	return 0;
}

/* Return: what the call says, in @args, and zeroed room for its vectors; or an error. */
static struct kvm_irqx_vector *table_state_open(struct kvm_irqx_table_state *args,
						const void __user *argp, bool set,
						struct irqx_error *error)
{
	struct kvm_irqx_vector *vectors;
	int ret;

	if (copy_from_user(args, argp, sizeof(*args)))
		return ERR_PTR(-EFAULT);
	ret = irqx_error_open(error, args->error);
	if (!ret)
		ret = table_state_check(args, set, error);
	if (ret)
		return ERR_PTR(ret);
	vectors = kvcalloc(max(args->nr, 1U), sizeof(*vectors), GFP_KERNEL_ACCOUNT);
	return vectors ?: ERR_PTR(-ENOMEM);
}

/* @header: zero before.  Return: 0, -EFAULT, -EINVAL if it is too small, -E2BIG. */
static int table_header_open(const struct kvm_irqx_table_state *args,
			     struct kvm_irqx_dynirq_header *header,
			     struct irqx_error *error)
{
	const void __user *user = u64_to_user_ptr(args->header);
	u32 argsz;
	int ret;

	if (!args->header)
		return 0;
	if (get_user(argsz, (const u32 __user *)user))
		return -EFAULT;
	if (argsz < sizeof(*header))
		return irqx_reject(error, -EINVAL, IRQX_ARG_HEADER, IRQX_REASON_TOO_SMALL);
	if (argsz > IRQX_HEADER_SIZE_MAX)
		return irqx_reject(error, -EINVAL, IRQX_ARG_HEADER, IRQX_REASON_OUT_OF_RANGE);
	ret = copy_struct_from_user(header, sizeof(*header), user, argsz);
	if (ret == -E2BIG)
		irqx_reject(error, ret, IRQX_ARG_HEADER, IRQX_REASON_UNKNOWN_FIELD);
	return ret;
}

static int copy_out_header(const struct kvm_irqx_table_state *args,
			   struct kvm_irqx_dynirq_header *header)
{
	if (!args->header)
		return 0;
	header->argsz = sizeof(*header);
	if (copy_to_user(u64_to_user_ptr(args->header), header, sizeof(*header)))
		return -EFAULT;
	return 0;
}

/* The context is locked.  The state is copied out after that. */
static int get_table(struct irqx_context *ctx, struct kvm_irqx_table_state *args,
		     struct kvm_irqx_vector *vectors, unsigned long *changed,
		     struct kvm_irqx_dynirq_header *header, struct irqx_error *error)
{
	struct irqx_table *table = irqx_table_find(ctx, args->table, error);
	int ret;

	if (IS_ERR(table))
		return PTR_ERR(table);
	ret = irqx_table_check_range(table, args->first, args->nr, error) ?:
	      irqx_table_check_kind(table, args->changed, args->header, error);
	if (!ret)
		args->function = irqx_table_get(table, args->first, args->nr, vectors,
						args->changed ? changed : NULL,
						args->header ? header : NULL);
	return ret;
}

static int copy_out_changed(const struct kvm_irqx_table_state *args,
			    const unsigned long *changed)
{
	u64 words[KVM_IRQX_MAX_VECTORS / 64];

	if (!args->changed)
		return 0;
	bitmap_to_arr64(words, changed, KVM_IRQX_MAX_VECTORS);
	if (copy_to_user(u64_to_user_ptr(args->changed), words,
			 DIV_ROUND_UP(args->nr, 64) * sizeof(u64)))
		return -EFAULT;
	return 0;
}

static void restore_changed(struct irqx_context *ctx, u32 id, u32 first, u32 nr,
			    const unsigned long *changed)
{
	struct irqx_error ignored;
	struct irqx_table *table;

	/* Nobody waits with this lock held. */
	mutex_lock(&ctx->lock);
	table = irqx_table_find(ctx, id, &ignored);
	if (!IS_ERR(table) && !irqx_table_check_range(table, first, nr, &ignored))
		irqx_table_mark_changed(table, first, nr, changed);
	irqx_context_unlock(ctx);
}

static long ioctl_get_table(struct irqx_context *ctx, void __user *argp,
			    struct irqx_error *error)
{
	unsigned long changed[BITS_TO_LONGS(KVM_IRQX_MAX_VECTORS)] = {};
	struct kvm_irqx_table_state __user *user = argp;
	struct kvm_irqx_dynirq_header header = {};
	struct kvm_irqx_vector *vectors;
	struct kvm_irqx_table_state args;
	int ret;

	vectors = table_state_open(&args, argp, false, error);
	if (IS_ERR(vectors))
		return PTR_ERR(vectors);
	ret = table_header_open(&args, &header, error);
	if (ret)
		goto out;
	ret = irqx_context_lock(ctx);
	if (ret)
		goto out;
	ret = get_table(ctx, &args, vectors, changed, &header, error);
	irqx_context_unlock(ctx);
	if (ret)
		goto out;
	if (put_user(args.function, &user->function) ||
	    copy_out_array(args.vectors, args.vector_size, vectors, sizeof(*vectors), args.nr) ||
	    copy_out_header(&args, &header) || copy_out_changed(&args, changed)) {
		restore_changed(ctx, args.table, args.first, args.nr, changed);
		ret = -EFAULT;
	}
out:
	kvfree(vectors);
	return ret;
}

/* Return: 0, -EFAULT, -E2BIG or -EINVAL. */
static int copy_in_vectors(const struct kvm_irqx_table_state *args,
			   struct kvm_irqx_vector *vectors, struct irqx_error *error)
{
	const void __user *from = u64_to_user_ptr(args->vectors);
	const u32 known = KVM_IRQX_VECTOR_PENDING | KVM_IRQX_VECTOR_BOUND |
			  KVM_IRQX_VECTOR_LABEL_CHANGED;
	int ret;
	u32 i;

	for (i = 0; i < args->nr; i++) {
		error->index = i;
		ret = copy_struct_from_user(&vectors[i], sizeof(vectors[i]),
					    from + i * (size_t)args->vector_size,
					    args->vector_size);
		if (ret == -E2BIG)
			irqx_reject(error, ret, IRQX_ARG_STATE, IRQX_REASON_UNKNOWN_FIELD);
		if (ret)
			return ret;
		if (vectors[i].pad)
			return irqx_reject(error, -EINVAL, IRQX_ARG_PAD,
					   IRQX_REASON_NOT_ZERO);
		if (vectors[i].state & ~known)
			return irqx_reject(error, -EINVAL, IRQX_ARG_STATE,
					   IRQX_REASON_UNKNOWN_FLAG);
	}
	error->index = IRQX_NO_INDEX;
	return 0;
}

static int set_table(struct irqx_context *ctx, const struct kvm_irqx_table_state *args,
		     const struct kvm_irqx_vector *vectors,
		     const struct kvm_irqx_dynirq_header *header,
		     struct irqx_leave *leave, struct irqx_error *error)
{
	const struct irqx_table_change change = {
		.first = args->first,
		.nr = args->nr,
		.flags = args->flags,
		.function = args->function,
		.vectors = vectors,
		.header = args->header ? header : NULL,
	};

	return irqx_table_set(ctx, args->table, &change, leave, error);
}

static long ioctl_set_table(struct irqx_context *ctx, void __user *argp,
			    struct irqx_error *error)
{
	struct kvm_irqx_dynirq_header header = {};
	struct kvm_irqx_table_state args;
	struct kvm_irqx_vector *vectors;
	struct irqx_leave leave = {};
	int ret;

	vectors = table_state_open(&args, argp, true, error);
	if (IS_ERR(vectors))
		return PTR_ERR(vectors);
	ret = table_header_open(&args, &header, error) ?:
	      copy_in_vectors(&args, vectors, error);
	if (ret)
		goto out;
	ret = irqx_context_lock(ctx);
	if (ret)
		goto out;
	ret = set_table(ctx, &args, vectors, &header, &leave, error);
	ret = irqx_context_unlock_and_wait(ctx, &leave) ?: ret;
out:
	kvfree(vectors);
	return ret;
}

static long ioctl_handle(struct irqx_context *ctx, void __user *argp,
			 struct irqx_error *error)
{
	struct kvm_irqx_handle args;
	int ret;

	if (copy_from_user(&args, argp, sizeof(args)))
		return -EFAULT;
	ret = irqx_error_open(error, args.error);
	if (ret)
		return ret;
	if (!known_op(args.op, IRQX_HANDLE_OPS))
		return irqx_reject(error, -EINVAL, IRQX_ARG_OP, IRQX_REASON_UNKNOWN_VALUE);
	if (args.flags & ~IRQX_HANDLE_FLAGS)
		return irqx_reject(error, -EINVAL, IRQX_ARG_FLAGS,
				   IRQX_REASON_UNKNOWN_FLAG);
	if (memchr_inv(args.pad, 0, sizeof(args.pad)))
		return irqx_reject(error, -EINVAL, IRQX_ARG_PAD, IRQX_REASON_NOT_ZERO);
	/* Before a handle has an owner who does not learn of it. */
	if (copy_to_user(argp, &args, sizeof(args)))
		return -EFAULT;

	ret = irqx_context_lock(ctx);
	if (ret)
		return ret;
	ret = irqx_dynirq_handle(ctx, &args, error);
	irqx_context_unlock(ctx);
	if (ret || args.op == KVM_IRQX_HANDLE_FREE || args.op == KVM_IRQX_HANDLE_LABEL)
		return ret;
	if (copy_to_user(argp, &args, sizeof(args)))
		ret = -EFAULT;
	if (args.op == KVM_IRQX_HANDLE_ALLOC) {
		/* Nobody waits with this lock held. */
		mutex_lock(&ctx->lock);
		irqx_dynirq_end_alloc(ctx, &args, !ret);
		irqx_context_unlock(ctx);
	}
	return ret;
}

static int raise_check(const struct kvm_irqx_raise *args, struct irqx_error *error)
{
	if (args->flags & ~IRQX_RAISE_FLAGS)
		return irqx_reject(error, -EINVAL, IRQX_ARG_FLAGS,
				   IRQX_REASON_UNKNOWN_FLAG);
	if (memchr_inv(args->pad, 0, sizeof(args->pad)))
		return irqx_reject(error, -EINVAL, IRQX_ARG_PAD, IRQX_REASON_NOT_ZERO);
	if (args->nr > IRQX_MAX_BATCH)
		return irqx_reject(error, -EINVAL, IRQX_ARG_NR, IRQX_REASON_OUT_OF_RANGE);
	if (args->nr && args->handle)
		return irqx_reject(error, -EINVAL, IRQX_ARG_HANDLE, IRQX_REASON_NOT_ZERO);
	if (!args->nr && args->handles)
		return irqx_reject(error, -EINVAL, IRQX_ARG_HANDLES, IRQX_REASON_NOT_ZERO);
	return 0;
}

static long ioctl_raise(struct irqx_context *ctx, void __user *argp,
			struct irqx_error *error)
{
	struct kvm_irqx_raise args;
	u32 few[64], *handles = few;
	u32 nr;
	int ret;

	if (copy_from_user(&args, argp, sizeof(args)))
		return -EFAULT;
	ret = irqx_error_open(error, args.error) ?: raise_check(&args, error);
	if (ret)
		return ret;
	nr = args.nr ?: 1;
	few[0] = args.handle;
	if (nr > ARRAY_SIZE(few)) {
		handles = copy_in_array(u64_to_user_ptr(args.handles), nr, sizeof(*handles));
		if (IS_ERR(handles))
			return PTR_ERR(handles);
	} else if (args.nr && copy_from_user(few, u64_to_user_ptr(args.handles),
					     nr * sizeof(*few))) {
		return -EFAULT;
	}

	ret = irqx_context_lock(ctx);
	if (!ret) {
		ret = irqx_table_raise(ctx, args.table, handles, nr, args.nr, error);
		irqx_context_unlock(ctx);
	}
	if (handles != few)
		kvfree(handles);
	return ret;
}

static int list_check(const struct kvm_irqx_list *args, struct irqx_error *error)
{
	if (args->flags & ~IRQX_LIST_FLAGS)
		return irqx_reject(error, -EINVAL, IRQX_ARG_FLAGS,
				   IRQX_REASON_UNKNOWN_FLAG);
	if (args->pad || args->pad2[0] || args->pad2[1])
		return irqx_reject(error, -EINVAL, IRQX_ARG_PAD, IRQX_REASON_NOT_ZERO);
	if (!args->nr || args->nr > IRQX_MAX_BATCH)
		return irqx_reject(error, -EINVAL, IRQX_ARG_NR, IRQX_REASON_OUT_OF_RANGE);
	if (args->binding_size < KVM_IRQX_BINDING_SIZE_MIN ||
	    args->binding_size > KVM_IRQX_BINDING_SIZE_MAX)
		return irqx_reject(error, -EINVAL, IRQX_ARG_BINDING_SIZE,
				   IRQX_REASON_OUT_OF_RANGE);
	return 0;
}

static long ioctl_list(struct irqx_context *ctx, void __user *argp,
		       struct irqx_error *error)
{
	struct kvm_irqx_list __user *user = argp;
	struct kvm_irqx_binding *bindings;
	struct kvm_irqx_list args;
	int ret;

	if (copy_from_user(&args, user, sizeof(args)))
		return -EFAULT;
	ret = irqx_error_open(error, args.error) ?: list_check(&args, error);
	if (ret)
		return ret;
	/* As there are; if there come to be more, the piece is smaller. */
	args.nr = clamp(data_race(ctx->nr_irqfds), 1U, args.nr);
	bindings = kvcalloc(args.nr, sizeof(*bindings), GFP_KERNEL_ACCOUNT);
	if (!bindings)
		return -ENOMEM;
	ret = irqx_context_lock(ctx);
	if (ret)
		goto out;
	ret = irqx_list_fill(ctx, &args.cursor, bindings, &args.nr);
	irqx_context_unlock(ctx);
	if (ret)
		goto out;
	if (copy_out_array(args.bindings, args.binding_size, bindings, sizeof(*bindings),
			   args.nr) ||
	    put_user(args.cursor, &user->cursor) || put_user(args.nr, &user->nr))
		ret = -EFAULT;
out:
	kvfree(bindings);
	return ret;
}

/* All but KVM_IRQ_LINE. */
static noinline long dispatch(struct irqx_context *ctx, unsigned int cmd,
			      void __user *argp, struct irqx_error *error)
{
	int ret;

	switch (cmd) {
	case KVM_IRQX_GET_INFO:
		return ioctl_get_info(argp, error);
	case KVM_IRQX_ATTACH:
		return ioctl_attach(ctx, argp, error);
	case KVM_IRQX_GET_STATS:
	case KVM_IRQX_IRQFD_DIRECT:
	case KVM_IRQX_BATCH:
	case KVM_IRQX_SYNIC_PAGE:
	case KVM_IRQX_MASK:
	case KVM_IRQX_GET_STATE:
	case KVM_IRQX_TABLE:
	case KVM_IRQX_GET_TABLE:
	case KVM_IRQX_SET_TABLE:
	case KVM_IRQX_HANDLE:
	case KVM_IRQX_RAISE:
	case KVM_IRQX_LIST:
	case KVM_SET_GSI_ROUTING:
	case KVM_IRQFD:
		break;
	default:
		return -ENOTTY;
	}

	ret = irqx_context_check(ctx, error);
	if (ret)
		return ret;

	switch (cmd) {
	case KVM_IRQX_GET_STATS:
		return ioctl_get_stats(ctx, argp, error);
	case KVM_IRQX_IRQFD_DIRECT:
		return ioctl_irqfd_direct(ctx, argp, error);
	case KVM_IRQX_BATCH:
		return ioctl_batch(ctx, argp, error);
	case KVM_IRQX_SYNIC_PAGE:
		return ioctl_synic_page(ctx, argp, error);
	case KVM_IRQX_MASK:
		return ioctl_mask(ctx, argp, error);
	case KVM_IRQX_GET_STATE:
		return ioctl_get_state(ctx, argp, error);
	case KVM_IRQX_TABLE:
		return ioctl_table(ctx, argp, error);
	case KVM_IRQX_GET_TABLE:
		return ioctl_get_table(ctx, argp, error);
	case KVM_IRQX_SET_TABLE:
		return ioctl_set_table(ctx, argp, error);
	case KVM_IRQX_HANDLE:
		return ioctl_handle(ctx, argp, error);
	case KVM_IRQX_RAISE:
		return ioctl_raise(ctx, argp, error);
	case KVM_IRQX_LIST:
		return ioctl_list(ctx, argp, error);
	case KVM_SET_GSI_ROUTING:
		return ioctl_set_gsi_routing(ctx, argp, error);
	default:
		return ioctl_irqfd(ctx, argp, error);
	}
}

long irqx_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct irqx_error error = { .cmd = cmd, .index = IRQX_NO_INDEX };
	struct irqx_context *ctx = file->private_data;
	void __user *argp = (void __user *)arg;
	long ret;

	/* It is made for each interrupt, so it comes first (benchmarks.rst, irq-line). */
	if (cmd_is_irq_line(cmd))
		ret = ioctl_irq_line(ctx, cmd, argp, &error);
	else
		ret = dispatch(ctx, cmd, argp, &error);
	/* Not if it has failed of something else in the end. */
	if (ret && ret == error.ret)
		trace_irqx_reject(&error);
	return irqx_error_close(&error, ret);
}

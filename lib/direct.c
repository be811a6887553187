// SPDX-License-Identifier: MIT
/*
 * Eventfds with an entry of their own; masks and what is pending, of GSIs too.
 */
#include "internal.h"

/* @op: ASSIGN, MODIFY or DEASSIGN, by the call that has less behind it. */
static int direct(struct kvmirqx *ctx, const struct kvm_irqx_op *op, __u32 flag)
{
	struct kvm_irqx_irqfd_direct args = {
		.fd = op->fd,
		.resamplefd = op->resamplefd,
		.flags = op->flags | flag,
		.event_flag = op->event_flag,
		.entry = op->entry,
		.cookie = op->cookie,
	};
	int ret;

	ret = kvmirqx_check_op(ctx, op, tells(ctx, direct_flags) ? ctx->info.direct_flags : ~0U);
	if (ret)
		return ret;
	args.error = kvmirqx_call_record(ctx);
	return kvmirqx_call(ctx, KVM_IRQX_IRQFD_DIRECT, &args);
}

PUBLIC int kvmirqx_assign(struct kvmirqx *ctx, int fd, const struct kvm_irq_routing_entry *entry,
			  const struct kvmirqx_options *options)
{
	int ret = kvmirqx_call_begin(ctx, KVM_IRQX_IRQFD_DIRECT);
	struct kvm_irqx_op op;

	if (ret)
		return ret;
	ret = kvmirqx_op_bind(&op, KVM_IRQX_OP_ASSIGN, fd, entry, options);
	if (ret)
		return kvmirqx_call_refuse(ret, KVM_IRQX_ARG_NONE, KVM_IRQX_REASON_NONE);
	return direct(ctx, &op, 0);
}

PUBLIC int kvmirqx_modify(struct kvmirqx *ctx, int fd, const struct kvm_irq_routing_entry *entry,
			  const struct kvmirqx_options *options)
{
	int ret = kvmirqx_call_begin(ctx, KVM_IRQX_IRQFD_DIRECT);
	struct kvm_irqx_op op;

	if (ret)
		return ret;
	ret = kvmirqx_op_bind(&op, KVM_IRQX_OP_MODIFY, fd, entry, options);
	if (ret)
		return kvmirqx_call_refuse(ret, KVM_IRQX_ARG_NONE, KVM_IRQX_REASON_NONE);
	return direct(ctx, &op, KVM_IRQX_IRQFD_DIRECT_MODIFY);
}

PUBLIC int kvmirqx_deassign(struct kvmirqx *ctx, int fd)
{
	int ret = kvmirqx_call_begin(ctx, KVM_IRQX_IRQFD_DIRECT);
	struct kvm_irqx_op op;

	if (ret)
		return ret;
	kvmirqx_op_fd(&op, KVM_IRQX_OP_DEASSIGN, fd);
	return direct(ctx, &op, KVM_IRQX_IRQFD_DIRECT_DEASSIGN);
}

static int change_mask(struct kvmirqx *ctx, int fd, __u32 gsi, __u32 flags)
{
	struct kvm_irqx_mask mask = { .fd = fd, .gsi = gsi, .flags = flags };
	int ret = kvmirqx_call_begin(ctx, KVM_IRQX_MASK);

	if (ret)
		return ret;
	mask.error = kvmirqx_call_record(ctx);
	return kvmirqx_call(ctx, KVM_IRQX_MASK, &mask);
}

/* -1 would be a GSI's. */
static int change_mask_of_fd(struct kvmirqx *ctx, int fd, __u32 flags)
{
	int ret = kvmirqx_call_begin(ctx, KVM_IRQX_MASK);

	if (ret)
		return ret;
	if (fd == KVM_IRQX_NO_FD)
		return kvmirqx_call_refuse(-EBADF, KVM_IRQX_ARG_FD, KVM_IRQX_REASON_NOT_OPEN);
	return change_mask(ctx, fd, 0, flags);
}

PUBLIC int kvmirqx_mask(struct kvmirqx *ctx, int fd)
{
	return change_mask_of_fd(ctx, fd, KVM_IRQX_MASK_SET);
}

PUBLIC int kvmirqx_unmask(struct kvmirqx *ctx, int fd)
{
	return change_mask_of_fd(ctx, fd, KVM_IRQX_MASK_CLEAR);
}

PUBLIC int kvmirqx_mask_gsi(struct kvmirqx *ctx, __u32 gsi)
{
	return change_mask(ctx, KVM_IRQX_NO_FD, gsi, KVM_IRQX_MASK_SET);
}

PUBLIC int kvmirqx_unmask_gsi(struct kvmirqx *ctx, __u32 gsi)
{
	return change_mask(ctx, KVM_IRQX_NO_FD, gsi, KVM_IRQX_MASK_CLEAR);
}

PUBLIC int kvmirqx_get_states(struct kvmirqx *ctx, struct kvm_irqx_target_state *states,
			      size_t state_size, __u32 nr, __u32 *index)
{
	struct kvm_irqx_get_state get = {
		.nr = nr,
		.state_size = state_size <= UINT32_MAX ? (__u32)state_size : 0,
		.index = nr,
		.states = (uintptr_t)states,
	};
	int ret = kvmirqx_call_begin(ctx, KVM_IRQX_GET_STATE);

	if (index)
		*index = nr;
	if (ret)
		return ret;
	get.error = kvmirqx_call_record(ctx);
	ret = kvmirqx_call(ctx, KVM_IRQX_GET_STATE, &get);
	if (index)
		*index = get.index;
	return ret;
}

static int get_one(struct kvmirqx *ctx, int fd, __u32 gsi)
{
	struct kvm_irqx_target_state state = { .fd = fd, .gsi = gsi };
	int ret;

	ret = kvmirqx_get_states(ctx, &state, sizeof(state), 1, NULL);
	kvmirqx_call_set_index(~0U);
	return ret ? ret : (int)state.state;
}

PUBLIC int kvmirqx_get_state(struct kvmirqx *ctx, int fd)
{
	int ret = kvmirqx_call_begin(ctx, KVM_IRQX_GET_STATE);

	if (ret)
		return ret;
	if (fd == KVM_IRQX_NO_FD)
		return kvmirqx_call_refuse(-EBADF, KVM_IRQX_ARG_FD, KVM_IRQX_REASON_NOT_OPEN);
	return get_one(ctx, fd, 0);
}

PUBLIC int kvmirqx_get_gsi_state(struct kvmirqx *ctx, __u32 gsi)
{
	return get_one(ctx, KVM_IRQX_NO_FD, gsi);
}

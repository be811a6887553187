// SPDX-License-Identifier: MIT
/*
 * Operations, all of them or none.
 */
#include <stdlib.h>

#include "internal.h"

struct kvmirqx_batch {
	struct kvm_irqx_op *ops;
	__u32 nr;
	__u32 room;
	int failed;		/* the first failure since it was empty */
};

/* Return: 0 or -ENOTSUP, with a record.  0 and what is not a bit are the module's to refuse. */
static int check_one(const struct kvmirqx *ctx, const struct kvm_irqx_op *op)
{
	if (tells(ctx, ops) && op->op && op->op < 32 && !(ctx->info.ops & 1U << op->op))
		return kvmirqx_call_refuse(-ENOTSUP, KVM_IRQX_ARG_OP,
					   KVM_IRQX_REASON_UNKNOWN_VALUE);
	return kvmirqx_check_op(ctx, op, tells(ctx, op_flags) ? ctx->info.op_flags : ~0U);
}

/* Return: 0 or -ENOTSUP, with a record, and which it is in @index. */
static int check_all(const struct kvmirqx *ctx, const void *ops, size_t op_size, __u32 nr,
		     __u32 *index)
{
	struct kvm_irqx_op op = { 0 };
	size_t size = op_size < sizeof(op) ? op_size : sizeof(op);
	int ret;

	for (__u32 i = 0; i < nr; i++) {
		memcpy(&op, (const char *)ops + i * op_size, size);
		ret = check_one(ctx, &op);
		if (ret) {
			kvmirqx_call_set_index(i);
			*index = i;
			return ret;
		}
	}
	return 0;
}

/* After kvmirqx_call_begin(). */
static int run(struct kvmirqx *ctx, const void *ops, size_t op_size, __u32 nr, __u32 *index)
{
	struct kvm_irqx_batch batch = {
		.nr = nr,
		.op_size = (__u32)op_size,
		.index = nr,
		.ops = (uintptr_t)ops,
		.error = kvmirqx_call_record(ctx),
	};
	int ret;

	*index = nr;
	if (nr && !ops)
		return kvmirqx_call_refuse(-EINVAL, KVM_IRQX_ARG_OP, KVM_IRQX_REASON_NONE);
	/* Before the array is looked at: more than the module takes may not be there. */
	if (ctx->info.max_batch && nr > ctx->info.max_batch)
		return kvmirqx_call_refuse(-EINVAL, KVM_IRQX_ARG_NR,
					   KVM_IRQX_REASON_OUT_OF_RANGE);
	if (op_size < KVM_IRQX_OP_SIZE_MIN || op_size > KVM_IRQX_OP_SIZE_MAX)
		return kvmirqx_call_refuse(-EINVAL, KVM_IRQX_ARG_OP_SIZE,
					   op_size < KVM_IRQX_OP_SIZE_MIN ?
					   KVM_IRQX_REASON_TOO_SMALL :
					   KVM_IRQX_REASON_OUT_OF_RANGE);
	ret = check_all(ctx, ops, op_size, nr, index);
	if (ret)
		return ret;
	ret = kvmirqx_call(ctx, KVM_IRQX_BATCH, &batch);
	*index = batch.index;
	return ret;
}

PUBLIC int kvmirqx_batch_run_ops(struct kvmirqx *ctx, const struct kvm_irqx_op *ops, size_t op_size,
				 __u32 nr, __u32 *index)
{
	int ret = kvmirqx_call_begin(ctx, KVM_IRQX_BATCH);
	__u32 at = nr;

	if (!ret)
		ret = run(ctx, ops, op_size, nr, &at);
	if (index)
		*index = at;
	return ret;
}

/* After kvmirqx_call_begin(): for a call that has no array. */
int kvmirqx_batch_run_one(struct kvmirqx *ctx, const struct kvm_irqx_op *op)
{
	__u32 index;
	int ret;

	ret = run(ctx, op, sizeof(*op), 1, &index);
	kvmirqx_call_set_index(~0U);
	return ret;
}

PUBLIC int kvmirqx_batch_new(struct kvmirqx_batch **batch)
{
	if (!batch)
		return -EINVAL;
	*batch = calloc(1, sizeof(**batch));
	return *batch ? 0 : -ENOMEM;
}

PUBLIC int kvmirqx_batch_free(struct kvmirqx_batch *batch)
{
	if (batch)
		free(batch->ops);
	free(batch);
	return 0;
}

PUBLIC int kvmirqx_batch_clear(struct kvmirqx_batch *batch)
{
	if (!batch)
		return -EINVAL;
	batch->nr = 0;
	batch->failed = 0;
	return 0;
}

PUBLIC int kvmirqx_batch_count(const struct kvmirqx_batch *batch)
{
	return batch ? (int)batch->nr : -EINVAL;
}

PUBLIC int kvmirqx_batch_get(const struct kvmirqx_batch *batch, __u32 index, struct kvm_irqx_op *op,
			     size_t op_size)
{
	if (!batch || !op || op_size < KVM_IRQX_OP_SIZE_MIN)
		return -EINVAL;
	if (index >= batch->nr)
		return -ENOENT;
	memset(op, 0, op_size);
	memcpy(op, &batch->ops[index], op_size < sizeof(*op) ? op_size : sizeof(*op));
	return 0;
}

PUBLIC int kvmirqx_batch_run(struct kvmirqx *ctx, const struct kvmirqx_batch *batch, __u32 *index)
{
	int ret = kvmirqx_call_begin(ctx, KVM_IRQX_BATCH);
	__u32 at = batch ? batch->nr : 0;

	if (!ret && !batch)
		ret = kvmirqx_call_refuse(-EINVAL, KVM_IRQX_ARG_NONE, KVM_IRQX_REASON_NONE);
	if (!ret && batch->failed)
		ret = kvmirqx_call_refuse(batch->failed, KVM_IRQX_ARG_NONE, KVM_IRQX_REASON_NONE);
	if (!ret && batch->nr)
		ret = run(ctx, batch->ops, sizeof(*batch->ops), batch->nr, &at);
	if (index)
		*index = at;
	return ret;
}

/* Return: 0, or -ENOMEM. */
static int grow(struct kvmirqx_batch *batch)
{
	__u32 room = batch->room ? 2 * batch->room : 16;
	struct kvm_irqx_op *ops;

	/* what kvmirqx_batch_count() can tell, and 32 bits can address */
	if (batch->room > (INT32_MAX / 2) / sizeof(*ops))
		return -ENOMEM;
	ops = realloc(batch->ops, room * sizeof(*ops));
	if (!ops)
		return -ENOMEM;
	batch->ops = ops;
	batch->room = room;
	return 0;
}

/* @ret: of what has made @op.  Return: it, -EINVAL or -ENOMEM, which @batch remembers. */
static int add(struct kvmirqx_batch *batch, const struct kvm_irqx_op *op, int ret)
{
	if (!batch)
		return -EINVAL;
	if (!ret && batch->nr == batch->room)
		ret = grow(batch);
	if (!ret)
		batch->ops[batch->nr++] = *op;
	else if (!batch->failed)
		batch->failed = ret;
	return ret;
}

PUBLIC int kvmirqx_batch_assign(struct kvmirqx_batch *batch, int fd,
				const struct kvm_irq_routing_entry *entry,
				const struct kvmirqx_options *options)
{
	struct kvm_irqx_op op;
	int ret = kvmirqx_op_bind(&op, KVM_IRQX_OP_ASSIGN, fd, entry, options);

	return add(batch, &op, ret);
}

PUBLIC int kvmirqx_batch_modify(struct kvmirqx_batch *batch, int fd,
				const struct kvm_irq_routing_entry *entry,
				const struct kvmirqx_options *options)
{
	struct kvm_irqx_op op;
	int ret = kvmirqx_op_bind(&op, KVM_IRQX_OP_MODIFY, fd, entry, options);

	return add(batch, &op, ret);
}

PUBLIC int kvmirqx_batch_deassign(struct kvmirqx_batch *batch, int fd)
{
	struct kvm_irqx_op op;

	kvmirqx_op_fd(&op, KVM_IRQX_OP_DEASSIGN, fd);
	return add(batch, &op, 0);
}

/* -1 would be a GSI's. */
static int add_mask(struct kvmirqx_batch *batch, __u32 what, int fd)
{
	struct kvm_irqx_op op;

	kvmirqx_op_fd(&op, what, fd);
	return add(batch, &op, fd == KVM_IRQX_NO_FD ? -EBADF : 0);
}

PUBLIC int kvmirqx_batch_mask(struct kvmirqx_batch *batch, int fd)
{
	return add_mask(batch, KVM_IRQX_OP_MASK, fd);
}

PUBLIC int kvmirqx_batch_unmask(struct kvmirqx_batch *batch, int fd)
{
	return add_mask(batch, KVM_IRQX_OP_UNMASK, fd);
}

static int add_gsi(struct kvmirqx_batch *batch, __u32 what, __u32 gsi)
{
	struct kvm_irqx_op op;

	kvmirqx_op_gsi(&op, what, gsi);
	return add(batch, &op, 0);
}

PUBLIC int kvmirqx_batch_mask_gsi(struct kvmirqx_batch *batch, __u32 gsi)
{
	return add_gsi(batch, KVM_IRQX_OP_MASK, gsi);
}

PUBLIC int kvmirqx_batch_unmask_gsi(struct kvmirqx_batch *batch, __u32 gsi)
{
	return add_gsi(batch, KVM_IRQX_OP_UNMASK, gsi);
}

PUBLIC int kvmirqx_batch_route_set(struct kvmirqx_batch *batch,
				   const struct kvm_irq_routing_entry *entry,
				   const struct kvmirqx_options *options)
{
	struct kvm_irqx_op op;
	int ret = kvmirqx_op_route(&op, KVM_IRQX_OP_ROUTE_SET, entry, options);

	return add(batch, &op, ret);
}

PUBLIC int kvmirqx_batch_route_add(struct kvmirqx_batch *batch,
				   const struct kvm_irq_routing_entry *entry)
{
	struct kvm_irqx_op op;
	int ret = kvmirqx_op_route(&op, KVM_IRQX_OP_ROUTE_ADD, entry, NULL);

	return add(batch, &op, ret);
}

PUBLIC int kvmirqx_batch_route_del(struct kvmirqx_batch *batch, __u32 gsi)
{
	return add_gsi(batch, KVM_IRQX_OP_ROUTE_DEL, gsi);
}

PUBLIC int kvmirqx_batch_irqfd(struct kvmirqx_batch *batch, int fd, __u32 gsi,
			       const struct kvmirqx_options *options)
{
	struct kvm_irqx_op op;
	int ret = kvmirqx_op_irqfd(&op, fd, gsi, options);

	return add(batch, &op, ret);
}

// SPDX-License-Identifier: MIT
/*
 * Which eventfds are bound, a piece at a time.
 */
#include <stdlib.h>

#include "internal.h"

/* How many records a piece has: 28 KiB, and a call for each. */
#define PIECE	256

struct kvmirqx_list {
	const struct kvmirqx *ctx;
	char *records;
	__u32 size;		/* of one */
	__u32 nr;		/* of them, in this piece */
	__u32 next;
	__u32 room;
	__u64 cursor;
	bool last;		/* there is no piece behind this one */
};

PUBLIC int kvmirqx_list_begin(struct kvmirqx *ctx, size_t binding_size, struct kvmirqx_list **out)
{
	int ret = kvmirqx_call_begin(ctx, KVM_IRQX_LIST);
	struct kvmirqx_list *list;

	if (ret)
		return ret;
	if (!out)
		return kvmirqx_call_refuse(-EINVAL, KVM_IRQX_ARG_NONE, KVM_IRQX_REASON_NONE);
	ret = kvmirqx_need_features(ctx, KVM_IRQX_FEATURE_LIST);
	if (ret)
		return ret;
	if (binding_size < KVM_IRQX_BINDING_SIZE_MIN || binding_size > KVM_IRQX_BINDING_SIZE_MAX)
		return kvmirqx_call_refuse(-EINVAL, KVM_IRQX_ARG_BINDING_SIZE,
					   binding_size < KVM_IRQX_BINDING_SIZE_MIN ?
					   KVM_IRQX_REASON_TOO_SMALL :
					   KVM_IRQX_REASON_OUT_OF_RANGE);
	list = calloc(1, sizeof(*list));
	if (!list)
		goto no_memory;
	list->ctx = ctx;
	list->size = (__u32)binding_size;
	list->room = PIECE;
	if (ctx->info.max_batch && ctx->info.max_batch < PIECE)
		list->room = ctx->info.max_batch;
	list->records = malloc(list->room * binding_size);
	if (!list->records)
		goto no_memory;
	*out = list;
	return 0;

no_memory:
	free(list);
	return kvmirqx_call_refuse(-ENOMEM, KVM_IRQX_ARG_NONE, KVM_IRQX_REASON_NONE);
}

/* After a failure it may be tried again. */
static int next_piece(struct kvmirqx_list *list)
{
	struct kvm_irqx_list args = {
		.cursor = list->cursor,
		.nr = list->room,
		.binding_size = list->size,
		.bindings = (uintptr_t)list->records,
		.error = kvmirqx_call_record(list->ctx),
	};
	int ret = kvmirqx_call(list->ctx, KVM_IRQX_LIST, &args);

	if (ret)
		return ret;
	list->nr = args.nr;
	list->next = 0;
	list->cursor = args.cursor;
	list->last = !args.cursor;
	return 0;
}

PUBLIC int kvmirqx_list_next(struct kvmirqx_list *list, struct kvm_irqx_binding *binding)
{
	int ret = kvmirqx_call_begin(list ? list->ctx : NULL, KVM_IRQX_LIST);

	if (ret)
		return ret;
	if (!binding)
		return kvmirqx_call_refuse(-EINVAL, KVM_IRQX_ARG_NONE, KVM_IRQX_REASON_NONE);
	while (list->next == list->nr) {
		if (list->last)
			return 0;
		ret = next_piece(list);
		if (ret)
			return ret;
	}
	memcpy(binding, list->records + (size_t)list->next++ * list->size, list->size);
	return 1;
}

PUBLIC int kvmirqx_list_end(struct kvmirqx_list *list)
{
	if (list)
		free(list->records);
	free(list);
	return 0;
}

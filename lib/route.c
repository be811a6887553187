// SPDX-License-Identifier: MIT
/*
 * The GSI table, irqfds and levels: KVM's own structs.
 */
#include <stdlib.h>

#include "internal.h"

/* Room for the head of a table where an entry would be. */
_Static_assert(sizeof(struct kvm_irq_routing) <= sizeof(struct kvm_irq_routing_entry), "head");

PUBLIC int kvmirqx_set_routes(struct kvmirqx *ctx, const struct kvm_irq_routing_entry *entries,
			      __u32 nr)
{
	int ret = kvmirqx_call_begin(ctx, KVM_SET_GSI_ROUTING);
	struct kvm_irq_routing *table;

	if (ret)
		return ret;
	if (nr && !entries)
		return kvmirqx_call_refuse(-EINVAL, KVM_IRQX_ARG_ENTRIES, KVM_IRQX_REASON_NONE);
	/* Before the array is looked at: more than the module takes may not be there. */
	if (ctx->info.max_gsi && nr > ctx->info.max_gsi)
		return kvmirqx_call_refuse(-EINVAL, KVM_IRQX_ARG_NR,
					   KVM_IRQX_REASON_OUT_OF_RANGE);
	for (__u32 i = 0; i < nr; i++) {
		ret = kvmirqx_check_entry(ctx, &entries[i]);
		if (ret) {
			kvmirqx_call_set_index(i);
			return ret;
		}
	}
	table = calloc((size_t)nr + 1, sizeof(*entries));
	if (!table)
		return kvmirqx_call_refuse(-ENOMEM, KVM_IRQX_ARG_NONE, KVM_IRQX_REASON_NONE);
	table->nr = nr;
	table->flags = 0;
	if (nr)
		memcpy(table->entries, entries, nr * sizeof(*entries));
	ret = kvmirqx_call(ctx, KVM_SET_GSI_ROUTING, table);
	free(table);
	return ret;
}

static int change_route(struct kvmirqx *ctx, __u32 what, const struct kvm_irq_routing_entry *entry)
{
	int ret = kvmirqx_call_begin(ctx, KVM_IRQX_BATCH);
	struct kvm_irqx_op op;

	if (ret)
		return ret;
	ret = kvmirqx_op_route(&op, what, entry, NULL);
	if (ret)
		return kvmirqx_call_refuse(ret, KVM_IRQX_ARG_ENTRY, KVM_IRQX_REASON_NONE);
	return kvmirqx_batch_run_one(ctx, &op);
}

PUBLIC int kvmirqx_route_set(struct kvmirqx *ctx, const struct kvm_irq_routing_entry *entry)
{
	return change_route(ctx, KVM_IRQX_OP_ROUTE_SET, entry);
}

PUBLIC int kvmirqx_route_add(struct kvmirqx *ctx, const struct kvm_irq_routing_entry *entry)
{
	return change_route(ctx, KVM_IRQX_OP_ROUTE_ADD, entry);
}

PUBLIC int kvmirqx_route_del(struct kvmirqx *ctx, __u32 gsi)
{
	int ret = kvmirqx_call_begin(ctx, KVM_IRQX_BATCH);
	struct kvm_irqx_op op;

	if (ret)
		return ret;
	kvmirqx_op_gsi(&op, KVM_IRQX_OP_ROUTE_DEL, gsi);
	return kvmirqx_batch_run_one(ctx, &op);
}

/* As an operation of a batch, which has a record of errors and a cookie, if there is such. */
PUBLIC int kvmirqx_irqfd(struct kvmirqx *ctx, int fd, __u32 gsi,
			 const struct kvmirqx_options *options)
{
	int ret = kvmirqx_call_begin(ctx, KVM_IRQFD);
	struct kvm_irqfd irqfd = { .fd = (__u32)fd, .gsi = gsi };
	struct kvm_irqx_op op;

	if (ret)
		return ret;
	ret = kvmirqx_op_irqfd(&op, fd, gsi, options);
	if (ret)
		return kvmirqx_call_refuse(ret, KVM_IRQX_ARG_NONE, KVM_IRQX_REASON_NONE);
	if (ctx->info.ops & 1U << KVM_IRQX_OP_IRQFD)
		return kvmirqx_batch_run_one(ctx, &op);

	ret = kvmirqx_check_op(ctx, &op, KVM_IRQX_OP_FLAG_RESAMPLE);
	if (ret)
		return ret;
	if (op.flags & KVM_IRQX_OP_FLAG_RESAMPLE) {
		irqfd.flags = KVM_IRQFD_FLAG_RESAMPLE;
		irqfd.resamplefd = (__u32)op.resamplefd;
	}
	return kvmirqx_call(ctx, KVM_IRQFD, &irqfd);
}

PUBLIC int kvmirqx_irqfd_deassign(struct kvmirqx *ctx, int fd, __u32 gsi)
{
	struct kvm_irqfd irqfd = {
		.fd = (__u32)fd,
		.gsi = gsi,
		.flags = KVM_IRQFD_FLAG_DEASSIGN,
	};
	int ret = kvmirqx_call_begin(ctx, KVM_IRQFD);

	return ret ? ret : kvmirqx_call(ctx, KVM_IRQFD, &irqfd);
}

PUBLIC int kvmirqx_irq_line(struct kvmirqx *ctx, __u32 gsi, int level)
{
	struct kvm_irq_level line = { .irq = gsi, .level = (__u32)level };
	int ret = kvmirqx_call_begin(ctx, KVM_IRQ_LINE);

	return ret ? ret : kvmirqx_call(ctx, KVM_IRQ_LINE, &line);
}

PUBLIC int kvmirqx_irq_line_status(struct kvmirqx *ctx, __u32 gsi, int level, int *status)
{
	struct kvm_irq_level line = { .irq = gsi, .level = (__u32)level };
	int ret = kvmirqx_call_begin(ctx, KVM_IRQ_LINE_STATUS);

	if (!ret)
		ret = kvmirqx_call(ctx, KVM_IRQ_LINE_STATUS, &line);
	if (!ret && status)
		*status = line.status;
	return ret;
}

static int change_synic_page(struct kvmirqx *ctx, struct kvm_irqx_synic_page *page)
{
	int ret = kvmirqx_call_begin(ctx, KVM_IRQX_SYNIC_PAGE);

	if (!ret)
		ret = kvmirqx_need_features(ctx, KVM_IRQX_FEATURE_EVENT_FLAG);
	return ret ? ret : kvmirqx_call(ctx, KVM_IRQX_SYNIC_PAGE, page);
}

PUBLIC int kvmirqx_synic_page_set(struct kvmirqx *ctx, __u32 vp_index, __u64 gpa)
{
	struct kvm_irqx_synic_page page = {
		.vp_index = vp_index,
		.flags = KVM_IRQX_SYNIC_PAGE_ENABLED,
		.gpa = gpa,
	};

	return change_synic_page(ctx, &page);
}

PUBLIC int kvmirqx_synic_page_clear(struct kvmirqx *ctx, __u32 vp_index)
{
	struct kvm_irqx_synic_page page = { .vp_index = vp_index };

	return change_synic_page(ctx, &page);
}

// SPDX-License-Identifier: MIT
/*
 * What the module knows, by GET_INFO.  Where that says nothing the module decides.
 */
#include "internal.h"

/* Return: 0 or -ENOTSUP, with a record. */
int kvmirqx_need_features(const struct kvmirqx *ctx, __u64 features)
{
	if ((ctx->info.features & features) == features)
		return 0;
	return kvmirqx_call_refuse(-ENOTSUP, KVM_IRQX_ARG_NONE, KVM_IRQX_REASON_NONE);
}

/* The feature behind a type of entry; 0: the module decides. */
static __u64 feature_of_type(__u32 type)
{
	switch (type) {
	case KVM_IRQ_ROUTING_IRQCHIP:
		return KVM_IRQX_FEATURE_IRQCHIP;
	case KVM_IRQ_ROUTING_MSI:
		return KVM_IRQX_FEATURE_MSI;
	case KVM_IRQ_ROUTING_HV_SINT:
		return KVM_IRQX_FEATURE_HV_SINT;
	case KVM_IRQ_ROUTING_XEN_EVTCHN:
		return KVM_IRQX_FEATURE_XEN_EVTCHN;
	case KVM_IRQX_ROUTING_PPI:
		return KVM_IRQX_FEATURE_PPI;
	case KVM_IRQX_ROUTING_VECTOR:
		return KVM_IRQX_FEATURE_TABLE;
	default:
		return 0;
	}
}

/* Return: 0 or -ENOTSUP, with a record. */
int kvmirqx_check_entry(const struct kvmirqx *ctx, const struct kvm_irq_routing_entry *entry)
{
	__u64 feature = feature_of_type(entry->type);

	if ((ctx->info.features & feature) == feature)
		return 0;
	return kvmirqx_call_refuse(-ENOTSUP, KVM_IRQX_ARG_ENTRY_TYPE,
				   KVM_IRQX_REASON_UNKNOWN_VALUE);
}

/* Features behind flags of an operation. */
static __u64 features_of_flags(__u32 flags)
{
	__u64 features = 0;

	if (flags & KVM_IRQX_OP_FLAG_RESAMPLE)
		features |= KVM_IRQX_FEATURE_RESAMPLE;
	if (flags & KVM_IRQX_OP_FLAG_EVENT_FLAG)
		features |= KVM_IRQX_FEATURE_EVENT_FLAG;
	return features;
}

static bool has_entry(__u32 op)
{
	switch (op) {
	case KVM_IRQX_OP_ASSIGN:
	case KVM_IRQX_OP_MODIFY:
	case KVM_IRQX_OP_ROUTE_SET:
	case KVM_IRQX_OP_ROUTE_ADD:
		return true;
	default:
		return false;
	}
}

/*
 * An operation, whether of a batch or by a call of its own.  @flags_known: by the module.
 * Return: 0 or -ENOTSUP, with a record.
 */
int kvmirqx_check_op(const struct kvmirqx *ctx, const struct kvm_irqx_op *op, __u32 flags_known)
{
	__u64 features = features_of_flags(op->flags);

	if (op->flags & ~flags_known || (ctx->info.features & features) != features)
		return kvmirqx_call_refuse(-ENOTSUP, KVM_IRQX_ARG_FLAGS,
					   KVM_IRQX_REASON_UNKNOWN_FLAG);
	if (op->cookie && !(ctx->info.features & KVM_IRQX_FEATURE_LIST))
		return kvmirqx_call_refuse(-ENOTSUP, KVM_IRQX_ARG_COOKIE,
					   KVM_IRQX_REASON_UNKNOWN_FIELD);
	return has_entry(op->op) ? kvmirqx_check_entry(ctx, &op->entry) : 0;
}

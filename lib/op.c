// SPDX-License-Identifier: MIT
/*
 * One operation of a batch.
 */
#include "internal.h"

/* Return: 0, or as kvmirqx_options_copy(). */
static int add_options(struct kvm_irqx_op *op, const struct kvmirqx_options *options)
{
	struct kvmirqx_options copy;
	int ret;

	ret = kvmirqx_options_binding(&copy, options);
	if (ret)
		return ret;
	op->flags = copy.flags;
	if (copy.flags & KVM_IRQX_OP_FLAG_RESAMPLE)
		op->resamplefd = copy.resamplefd;
	op->event_flag = copy.event_flag;
	op->cookie = copy.cookie;
	return 0;
}

/* @what: ASSIGN or MODIFY. */
int kvmirqx_op_bind(struct kvm_irqx_op *op, __u32 what, int fd,
		    const struct kvm_irq_routing_entry *entry,
		    const struct kvmirqx_options *options)
{
	if (!entry)
		return -EINVAL;
	kvmirqx_op_fd(op, what, fd);
	op->entry = *entry;
	return add_options(op, options);
}

/* @what: ROUTE_SET or ROUTE_ADD. */
int kvmirqx_op_route(struct kvm_irqx_op *op, __u32 what, const struct kvm_irq_routing_entry *entry,
		     const struct kvmirqx_options *options)
{
	if (!entry)
		return -EINVAL;
	kvmirqx_op_fd(op, what, 0);
	op->entry = *entry;
	return add_options(op, options);
}

int kvmirqx_op_irqfd(struct kvm_irqx_op *op, int fd, __u32 gsi,
		     const struct kvmirqx_options *options)
{
	kvmirqx_op_gsi(op, KVM_IRQX_OP_IRQFD, gsi);
	op->fd = fd;
	return add_options(op, options);
}

/* @what: DEASSIGN, MASK or UNMASK. */
void kvmirqx_op_fd(struct kvm_irqx_op *op, __u32 what, int fd)
{
	/* Not by an initializer: of the entry's union it need not reach beyond the first member. */
	memset(op, 0, sizeof(*op));
	op->op = what;
	op->fd = fd;
}

/* @what: ROUTE_DEL, MASK or UNMASK. */
void kvmirqx_op_gsi(struct kvm_irqx_op *op, __u32 what, __u32 gsi)
{
	bool masks = what == KVM_IRQX_OP_MASK || what == KVM_IRQX_OP_UNMASK;

	kvmirqx_op_fd(op, what, masks ? KVM_IRQX_NO_FD : 0);
	op->entry.gsi = gsi;
}

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_DIRECT_H
#define _IRQX_DIRECT_H

#include <linux/types.h>

struct irqx_context;
struct irqx_error;
struct irqx_leave;
struct irqx_target;
struct kvm_irqx_irqfd_direct;

int irqx_direct_assign(struct irqx_context *ctx,
		       const struct kvm_irqx_irqfd_direct *args,
		       struct irqx_error *error);
int irqx_direct_assign_many(struct irqx_context *ctx,
			    const struct kvm_irqx_irqfd_direct *args, u32 nr,
			    u32 *index, struct irqx_error *error);
int irqx_direct_modify(struct irqx_context *ctx,
		       const struct kvm_irqx_irqfd_direct *args,
		       struct irqx_leave *leave, struct irqx_error *error);
struct irqx_target *irqx_direct_target(struct irqx_context *ctx, int fd,
				       struct irqx_error *error);

#endif /* _IRQX_DIRECT_H */

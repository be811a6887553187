/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_ROUTE_H
#define _IRQX_ROUTE_H

#include <linux/types.h>

struct irqx_context;
struct irqx_error;
struct irqx_leave;
struct irqx_target;
struct kvm_irq_routing_entry;
struct kvm_irq_level;
struct kvm_irqfd;
struct kvm_irqx_route_op;

int irqx_route_init(void);
void irqx_route_exit(void);
int irqx_route_batch(struct irqx_context *ctx,
		     const struct kvm_irqx_route_op *ops, u32 nr, u32 *index,
		     struct irqx_leave *leave, struct irqx_error *error);
int irqx_route_replace(struct irqx_context *ctx,
		       const struct kvm_irq_routing_entry *ues, u32 nr,
		       struct irqx_leave *leave, struct irqx_error *error);
int irqx_route_assign(struct irqx_context *ctx, const struct kvm_irqfd *args,
		      struct irqx_error *error);
struct irqx_target *irqx_route_target(struct irqx_context *ctx, u32 nr,
				      struct irqx_error *error);
bool irqx_route_has_one_user(struct irqx_context *ctx,
			     struct irqx_target *target);
void irqx_route_unassign(struct irqx_context *ctx, struct irqx_target *target,
			 struct irqx_leave *leave);
int irqx_route_set_level(struct irqx_context *ctx, struct kvm_irq_level *args,
			 bool want_status, struct irqx_error *error);
void irqx_route_teardown(struct irqx_context *ctx);

#endif /* _IRQX_ROUTE_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_ROUTE_H
#define _IRQX_ROUTE_H

#include "deliver.h"

#include "error.h"

struct irqx_context;
struct irqx_irqfd;
struct irqx_leave;
struct kvm_irq_routing_entry;
struct kvm_irq_level;
struct kvm_irqfd;
struct kvm_irqx_op;

int irqx_route_init(void);
void irqx_route_exit(void);
int irqx_route_stage(struct irqx_context *ctx, const struct kvm_irqx_op *op,
		     struct irqx_error *error);
int irqx_route_stage_resampler(struct irqx_context *ctx, u32 nr, int change);
int irqx_route_stage_mask(struct irqx_context *ctx, u32 nr, enum irqx_mask mask,
			  struct irqx_error *error);
void irqx_route_commit(struct irqx_context *ctx, u32 nr, struct irqx_leave *leave);
void irqx_route_drop(struct irqx_context *ctx, u32 nr, struct irqx_leave *leave);
void irqx_route_end_batch(struct irqx_context *ctx);
int irqx_route_replace(struct irqx_context *ctx,
		       const struct kvm_irq_routing_entry *ues, u32 nr,
		       struct irqx_leave *leave, struct irqx_error *error);
int irqx_route_reserve(struct irqx_context *ctx, struct irqx_irqfd *irqfd,
		       const struct kvm_irqfd *args, enum irqx_arg gsi_arg,
		       struct irqx_error *error);
void irqx_route_unreserve(struct irqx_context *ctx, struct irqx_irqfd *irqfd,
			  struct irqx_leave *leave);
int irqx_route_assign(struct irqx_context *ctx, const struct kvm_irqfd *args,
		      struct irqx_error *error);
struct irqx_target *irqx_route_target(struct irqx_context *ctx, u32 nr,
				      struct irqx_error *error);
void irqx_route_remove_irqfd(struct irqx_context *ctx, struct irqx_irqfd *irqfd,
			     struct irqx_leave *leave);
int irqx_route_set_level(struct irqx_context *ctx, struct kvm_irq_level *args,
			 bool want_status, struct irqx_error *error);
void irqx_route_teardown(struct irqx_context *ctx);

#endif /* _IRQX_ROUTE_H */

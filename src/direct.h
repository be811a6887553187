/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_DIRECT_H
#define _IRQX_DIRECT_H

#include "deliver.h"

struct eventfd_ctx;
struct irqx_context;
struct irqx_entries;
struct irqx_error;
struct irqx_irqfd;
struct irqx_leave;
struct irqx_target;
struct kvm_irq_routing_entry;
struct kvm_irqx_op;

int irqx_direct_check_event_flag(const struct kvm_irqx_op *op,
				 struct irqx_error *error);
int irqx_direct_check_entry(const struct kvm_irq_routing_entry *entry,
			    struct irqx_error *error);
int irqx_direct_parse(struct irqx_context *ctx, const struct kvm_irqx_op *op,
		      bool resample, struct irqx_entries *entries,
		      struct irqx_error *error);
int irqx_direct_reserve(struct irqx_context *ctx, struct irqx_irqfd *irqfd,
			const struct kvm_irqx_op *op, struct irqx_error *error);
void irqx_direct_commit(struct irqx_context *ctx, struct irqx_irqfd *irqfd);
int irqx_direct_assign(struct irqx_context *ctx, const struct kvm_irqx_op *op,
		       struct irqx_error *error);
int irqx_direct_check(const struct irqx_irqfd *irqfd, struct irqx_error *error);
int irqx_direct_check_mask(const struct irqx_irqfd *irqfd, struct irqx_error *error);
int irqx_direct_prepare(struct irqx_context *ctx, struct irqx_irqfd *irqfd,
			const struct kvm_irqx_op *op, struct irqx_entries *entries,
			struct irqx_error *error);
void irqx_direct_change(struct irqx_context *ctx, struct irqx_target *target,
			struct eventfd_ctx *eventfd, struct irqx_entries *entries,
			enum irqx_mask mask, struct irqx_leave *leave);
void irqx_direct_remove(struct irqx_irqfd *irqfd, struct irqx_leave *leave);
int irqx_direct_modify(struct irqx_context *ctx, const struct kvm_irqx_op *op,
		       struct irqx_leave *leave, struct irqx_error *error);
struct irqx_target *irqx_direct_target(struct irqx_context *ctx, int fd,
				       struct irqx_error *error);

#endif /* _IRQX_DIRECT_H */

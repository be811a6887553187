/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_BATCH_H
#define _IRQX_BATCH_H

#include <linux/types.h>

struct irqx_context;
struct irqx_error;
struct irqx_leave;
struct kvm_irqx_op;

/* Bounds what one call holds in kernel memory, and how long it keeps others out. */
#define IRQX_MAX_BATCH	65536

u32 irqx_batch_known_ops(void);
u32 irqx_batch_known_flags(void);
int irqx_batch_run(struct irqx_context *ctx, const struct kvm_irqx_op *ops,
		   u32 nr, u32 *index, struct irqx_leave *leave,
		   struct irqx_error *error);

#endif /* _IRQX_BATCH_H */

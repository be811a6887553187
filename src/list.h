/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_LIST_H
#define _IRQX_LIST_H

#include <linux/types.h>

struct irqx_context;
struct kvm_irqx_binding;

int irqx_list_fill(struct irqx_context *ctx, u64 *cursor,
		   struct kvm_irqx_binding *bindings, u32 *nr);

#endif /* _IRQX_LIST_H */

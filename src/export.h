/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_EXPORT_H
#define _IRQX_EXPORT_H

struct irqx_context;
struct irqx_leave;

void irqx_export_teardown(struct irqx_context *ctx, struct irqx_leave *leave);

#endif /* _IRQX_EXPORT_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_DYNIRQ_H
#define _IRQX_DYNIRQ_H

#include <linux/types.h>

struct irqx_context;
struct irqx_dynirq;
struct irqx_error;
struct irqx_table;
struct kvm_io_device_ops;
struct kvm_irqx_dynirq_header;
struct kvm_irqx_handle;

/* Of its range, and the three parts of that. */
#define IRQX_DYNIRQ_ALIGN	4096

/* Of the one window of its place. */
extern const struct kvm_io_device_ops irqx_dynirq_ops;

u32 irqx_dynirq_size(u32 nr);
struct irqx_dynirq *irqx_dynirq_alloc(u32 nr);
void irqx_dynirq_free(struct irqx_dynirq *dynirq);

/* Context of these: table.lock is held. */
void irqx_dynirq_get_header(const struct irqx_table *table,
			    struct kvm_irqx_dynirq_header *header);
void irqx_dynirq_set_header(struct irqx_table *table,
			    const struct kvm_irqx_dynirq_header *header);
bool irqx_dynirq_label_changed(const struct irqx_table *table, u32 handle);
void irqx_dynirq_set_label_changed(struct irqx_table *table, u32 handle, bool changed);

int irqx_dynirq_handle(struct irqx_context *ctx, struct kvm_irqx_handle *args,
		       struct irqx_error *error);
int irqx_dynirq_find(struct irqx_table *table, const char *label);
void irqx_dynirq_end_alloc(struct irqx_context *ctx, const struct kvm_irqx_handle *args,
			   bool learned);

#endif /* _IRQX_DYNIRQ_H */

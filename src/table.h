/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_TABLE_H
#define _IRQX_TABLE_H

#include <linux/types.h>

struct irqx_context;
struct irqx_error;
struct irqx_leave;
struct irqx_table;
struct kvm_irqx_dynirq_header;
struct kvm_irqx_stats;
struct kvm_irqx_table;
struct kvm_irqx_vector;

/* As struct kvm_irqx_table_state. */
struct irqx_table_change {
	u32 first;
	u32 nr;
	u32 flags;			/* KVM_IRQX_TABLE_STATE_* */
	u32 function;			/* KVM_IRQX_TABLE_*, with FUNCTION */
	const struct kvm_irqx_vector *vectors;
	const struct kvm_irqx_dynirq_header *header;	/* or NULL */
};

int irqx_table_create(struct irqx_context *ctx, struct kvm_irqx_table *args,
		      struct irqx_error *error);
int irqx_table_move(struct irqx_context *ctx, const struct kvm_irqx_table *args,
		    struct irqx_error *error);
struct irqx_table *irqx_table_find(struct irqx_context *ctx, u32 id,
				   struct irqx_error *error);
int irqx_table_set_flags(struct irqx_context *ctx, u32 id, u32 flags,
			 struct irqx_leave *leave, struct irqx_error *error);
int irqx_table_destroy(struct irqx_context *ctx, u32 id, struct irqx_leave *leave,
		       struct irqx_error *error);
int irqx_table_check_range(const struct irqx_table *table, u32 first, u32 nr,
			   struct irqx_error *error);
int irqx_table_check_kind(const struct irqx_table *table, bool changed, bool header,
			  struct irqx_error *error);
u32 irqx_table_get(struct irqx_table *table, u32 first, u32 nr,
		   struct kvm_irqx_vector *vectors, unsigned long *changed,
		   struct kvm_irqx_dynirq_header *header);
void irqx_table_mark_changed(struct irqx_table *table, u32 first, u32 nr,
			     const unsigned long *changed);
int irqx_table_set(struct irqx_context *ctx, u32 id,
		   const struct irqx_table_change *change, struct irqx_leave *leave,
		   struct irqx_error *error);
int irqx_table_raise(struct irqx_context *ctx, u32 id, const u32 *vectors, u32 nr,
		     bool array, struct irqx_error *error);
void irqx_table_stats(struct irqx_context *ctx, struct kvm_irqx_stats *stats);
void irqx_table_teardown(struct irqx_context *ctx, struct irqx_leave *leave);

#endif /* _IRQX_TABLE_H */

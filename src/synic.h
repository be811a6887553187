/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_SYNIC_H
#define _IRQX_SYNIC_H

#include <linux/kvm_types.h>

#define IRQX_NO_PAGE	(~(gpa_t)0)

struct irqx_context;
struct irqx_vp;
struct kvm;

struct irqx_vp *irqx_vp_get(struct irqx_context *ctx, u32 index);
int irqx_vp_set_page(struct irqx_context *ctx, u32 index, gpa_t page);
int irqx_vp_set_flag(struct irqx_vp *vp, u32 sint, u32 flag,
		     u32 __user **word);
int irqx_vp_fault_in(struct kvm *kvm, u32 __user *word);
void irqx_vp_teardown(struct irqx_context *ctx);

#endif /* _IRQX_SYNIC_H */

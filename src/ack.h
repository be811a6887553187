/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_ACK_H
#define _IRQX_ACK_H

#include <linux/types.h>

struct kvm;

enum irqx_ack_kind {
	IRQX_ACK_SINT,
	IRQX_ACK_PIN,
	IRQX_NR_ACKS,
};

/* Context: a probe's, see irqx_lines_ack(); under RCU. */
typedef void (*irqx_ack_fn)(struct kvm *kvm, unsigned long key);

int irqx_ack_init(irqx_ack_fn fn);
void irqx_ack_exit(void);
int irqx_ack_arm(struct kvm *kvm, u32 *acks, enum irqx_ack_kind kind);
void irqx_ack_disarm(struct kvm *kvm, u32 *acks, enum irqx_ack_kind kind);

#endif /* _IRQX_ACK_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_ACK_H
#define _IRQX_ACK_H

#include <linux/types.h>

struct kvm;

/* Whose EOI a line waits for. */
enum irqx_ack_kind {
	IRQX_ACK_PIN,
	IRQX_ACK_PPI,
	IRQX_ACK_SINT,
	IRQX_ACK_VECTOR,
};

/* How an EOI is heard. */
enum irqx_ack_how {
	IRQX_ACK_TELL,
	IRQX_ACK_AGAIN,		/* it has been told, and comes once more as _LAST */
	IRQX_ACK_LAST,		/* not to be told if it has been */
};

/* Context: a probe's, see irqx_lines_ack(); under RCU. */
typedef void (*irqx_ack_fn)(struct kvm *kvm, unsigned long key, enum irqx_ack_how how);

int irqx_ack_init(irqx_ack_fn fn);
void irqx_ack_exit(void);
int irqx_ack_arm(struct kvm *kvm, u32 *acks, enum irqx_ack_kind kind);
void irqx_ack_disarm(struct kvm *kvm, u32 *acks, enum irqx_ack_kind kind);

#endif /* _IRQX_ACK_H */

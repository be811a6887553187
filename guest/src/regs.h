/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KVM_DYNIRQ_REGS_H
#define _KVM_DYNIRQ_REGS_H

/*
 * The registers of a dynirq: Documentation/dynirq.rst of kvm-irqx, whose sections these are.
 */
#include <linux/bits.h>

/* Section 2 */
#define DYNIRQ_IDENT		0x00
#define DYNIRQ_IDENT_VALUE	0x58515249
#define DYNIRQ_VERSION		0x04
#define DYNIRQ_VERSION_MAJOR(v)	((v) >> 16)
#define DYNIRQ_VERSION_MINOR(v)	((v) & 0xffff)
#define DYNIRQ_SIZE		0x08
#define DYNIRQ_HANDLES		0x0c
#define DYNIRQ_MAX_HANDLES	65536
#define DYNIRQ_FEATURES		0x10
#define DYNIRQ_FEATURE_COMPACT	BIT_ULL(0)
#define DYNIRQ_FEATURE_LABELS	BIT_ULL(1)
#define DYNIRQ_COMPACT		0x18
#define DYNIRQ_CONTROL		0x24
#define DYNIRQ_CONTROL_RESET	1
#define DYNIRQ_CONTROL_OFF	2
#define DYNIRQ_DEVID		0x28
#define DYNIRQ_LABEL_HANDLE	0x2c
#define DYNIRQ_DOORBELL		0x30
#define DYNIRQ_INSTANCE		0x38
#define DYNIRQ_LABEL_SELECT	0x40
#define DYNIRQ_LABEL_CHANGED	0x44
#define DYNIRQ_LABEL_NONE	0xffffffff
#define DYNIRQ_LABEL		0x60
#define DYNIRQ_LABEL_SIZE	32
#define DYNIRQ_HEADER_SIZE	4096

/* Section 3 */
#define DYNIRQ_ENTRY_MASKED	BIT_ULL(48)
#define DYNIRQ_ENTRY_DISCARD	BIT_ULL(49)
#define DYNIRQ_ENTRY_MESSAGE	GENMASK_ULL(47, 0)

#endif /* _KVM_DYNIRQ_REGS_H */

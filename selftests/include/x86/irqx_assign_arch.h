/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_ASSIGN_ARCH_H
#define SELFTEST_IRQX_ASSIGN_ARCH_H

/* A pin of the IOAPIC, and its vector. */
#define IRQX_EDU_PIN		20
#define IRQX_EDU_VECTOR		0x61

#endif /* SELFTEST_IRQX_ASSIGN_ARCH_H */

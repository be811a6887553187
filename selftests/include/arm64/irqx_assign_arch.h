/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_ASSIGN_ARCH_H
#define SELFTEST_IRQX_ASSIGN_ARCH_H

#include "irqx_util.h"

/* An SPI, and an LPI. */
#define IRQX_EDU_PIN		IRQX_LEVEL_PIN
#define IRQX_EDU_VECTOR		0x61

#endif /* SELFTEST_IRQX_ASSIGN_ARCH_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_VERSION_H
#define _IRQX_VERSION_H

#include <linux/stringify.h>

/* The only place: module_version() of scripts/common.sh reads it. */
#define IRQX_VERSION_MAJOR	0
#define IRQX_VERSION_MINOR	3
#define IRQX_VERSION_PATCH	0

#define IRQX_VERSION	__stringify(IRQX_VERSION_MAJOR) "." \
			__stringify(IRQX_VERSION_MINOR) "." \
			__stringify(IRQX_VERSION_PATCH)

/* As in struct kvm_irqx_info. */
#define IRQX_VERSION_NUMBER	(IRQX_VERSION_MAJOR << 16 | \
				 IRQX_VERSION_MINOR << 8 | IRQX_VERSION_PATCH)

#endif /* _IRQX_VERSION_H */

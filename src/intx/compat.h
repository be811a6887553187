/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_INTX_COMPAT_H
#define _IRQX_INTX_COMPAT_H

/* All that differs for kvm_irqx_intx.ko between kernels; VFIO: compat_vfio.h. */

#include <linux/hrtimer.h>
#include <linux/types.h>
#include <linux/version.h>

/* Of the patches in contrib/genirq; looked for by its name, in whatever kernel this runs on. */
int irq_set_sharing_notifier(unsigned int irq, void *dev_id,
			     void (*sharing)(unsigned int irq, void *dev_id, bool shared));

/* 6.15 has one call for what took two steps. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
#define intx_hrtimer_setup(timer, fn, clock, mode)	\
	do {						\
		hrtimer_init(timer, clock, mode);	\
		(timer)->function = fn;			\
	} while (0)
#else
#define intx_hrtimer_setup	hrtimer_setup
#endif

#endif /* _IRQX_INTX_COMPAT_H */

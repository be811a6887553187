/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_WORK_H
#define _IRQX_WORK_H

#include <linux/workqueue.h>

/*
 * For work whose end nobody else decides: all VMs share it.  Unbound, so that none
 * of it runs on CPUs that are isolated from such work.
 */
extern struct workqueue_struct *irqx_wq;

#endif /* _IRQX_WORK_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_IOCTL_H
#define _IRQX_IOCTL_H

struct file;

long irqx_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* _IRQX_IOCTL_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_INTX_VFIO_H
#define _IRQX_INTX_VFIO_H

#include <linux/types.h>

#include "intx/line.h"

struct file;
struct pci_dev;
struct vfio_pci_core_device;

/* A device that VFIO has assigned, and whose open file we hold. */
struct intx_device {
	struct file *file;		/* holds a reference, as does */
	struct pci_dev *pdev;		/* this */
	struct vfio_pci_core_device *vdev;	/* @file keeps it */
	bool exclusive;			/* has no working disable bit */
};

int intx_device_get(struct intx_device *device, int fd, u32 domain, u8 bus, u8 devfn, u32 *reason);
void intx_device_put(struct intx_device *device);

int intx_device_trylock(struct intx_device *device, u32 *reason);
void intx_device_unlock(struct intx_device *device);
void intx_device_hand_over(struct intx_device *device, struct intx_line *line);
int intx_device_open_line(struct intx_device *device, struct intx_line *line, u32 *reason);

/* What struct intx_line_ops wants of a device. */
bool intx_device_taken(struct intx_device *device);
enum intx_mask intx_device_mask(struct intx_device *device);
bool intx_device_is_masked(struct intx_device *device);
enum intx_unmask intx_device_unmask(struct intx_device *device);
void intx_device_quiet(struct intx_device *device);
bool intx_device_silence(struct intx_device *device);
void intx_device_let_go(struct intx_device *device);
bool intx_device_unwanted(struct intx_device *device);

#endif /* _IRQX_INTX_VFIO_H */

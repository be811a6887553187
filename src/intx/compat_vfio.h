/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_INTX_COMPAT_VFIO_H
#define _IRQX_INTX_COMPAT_VFIO_H

/* What tells the files of VFIO apart, which differs between the kernels. */

#include <linux/fs.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/version.h>
#include <linux/vfio_pci_core.h>

/*
 * Is it an open file of a VFIO device of any kind, one that is not a group?  6.6 tells; before,
 * groups, containers and devices are what vfio.ko opens, and what is in a file is left for
 * intx_file_is_of() to find out.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
static inline bool intx_file_is_vfio(struct file *file)
{
	return file->f_op->owner && !strcmp(file->f_op->owner->name, "vfio");
}
#else
static inline bool intx_file_is_vfio(struct file *file)
{
	bool (*is_valid)(struct file *file) = symbol_get(vfio_file_is_valid);
	bool valid = false;

	if (is_valid) {
		valid = is_valid(file);
		symbol_put(vfio_file_is_valid);
	}
	return valid;
}
#endif

/* Of a file that intx_file_is_vfio(). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0) || IS_ENABLED(CONFIG_VFIO_GROUP)
static inline bool intx_file_is_group(struct file *file)
{
	bool (*is_group)(struct file *file) = symbol_get(vfio_file_is_group);
	bool group = false;

	if (is_group) {
		group = is_group(file);
		symbol_put(vfio_file_is_group);
	}
	return group;
}
#else
static inline bool intx_file_is_group(struct file *file)
{
	return false;
}
#endif

/*
 * Was it opened by the device's own node, which 6.6 brought?  What such a file has been bound to,
 * if anything, is private to VFIO.  Before, nodes are those of containers and groups.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
static inline bool intx_file_is_cdev(struct file *file)
{
	return false;
}
#else
static inline bool intx_file_is_cdev(struct file *file)
{
	return S_ISCHR(file_inode(file)->i_mode);
}
#endif

/*
 * Is it an open file of @device?  6.9 gave all files of a device one mapping; before, what is
 * private to a file of a device is the device: it is compared here and never followed.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
static inline bool intx_file_is_of(struct file *file, struct vfio_device *device)
{
	return file->private_data == device;
}
#else
static inline bool intx_file_is_of(struct file *file, struct vfio_device *device)
{
	return file->f_mapping == device->inode->i_mapping;
}
#endif

#endif /* _IRQX_INTX_COMPAT_VFIO_H */

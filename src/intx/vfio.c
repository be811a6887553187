// SPDX-License-Identifier: GPL-2.0
/*
 * The door to VFIO: whether a file is that of a device, and the device's disable bit beside VFIO.
 *
 * The bit has one master, the guest by way of VFIO, which keeps what the guest wants in
 * vdev->virq_disabled and writes the bit under vdev->irqlock.  We set and clear it under the same
 * lock, only where the guest does not want it set, and take it that it may be cleared under us.
 *
 * What is VFIO's is looked up when it is needed: this module loads without it.
 */
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/vfio_pci_core.h>

#include "intx/compat_vfio.h"
#include "intx/vfio.h"
#include "uapi/linux/kvm_irqx_intx.h"

/* ---- whose file is it ---- */

/**
 * intx_device_get - references to a device and to a file that may be its
 * @device: filled in
 * @fd: of the calling process
 * @domain: where the device is
 * @bus: likewise
 * @devfn: likewise
 * @reason: why not: KVM_IRQX_INTX_REASON_*
 *
 * What they are to each other is for intx_device_trylock() to find out.
 *
 * Context: may sleep.
 * Return: 0, -EBADF or -ENODEV.
 */
int intx_device_get(struct intx_device *device, int fd, u32 domain, u8 bus, u8 devfn, u32 *reason)
{
	device->file = fget(fd);
	if (!device->file) {
		*reason = KVM_IRQX_INTX_REASON_NOT_OPEN;
		return -EBADF;
	}
	device->pdev = domain > INT_MAX ? NULL : pci_get_domain_bus_and_slot(domain, bus, devfn);
	if (!device->pdev) {
		*reason = KVM_IRQX_INTX_REASON_NO_DEVICE;
		fput(device->file);
		return -ENODEV;
	}
	return 0;
}

/*
 * Not from a notifier: where this is the last reference the file is closed when the task returns
 * to userspace, which one that unbinds the driver does not before the file is closed.
 */
void intx_device_put(struct intx_device *device)
{
	pci_dev_put(device->pdev);
	fput(device->file);
}

/*
 * The driver's data is the core's struct for every driver on vfio-pci-core, which insists on that;
 * and all of them have the core's handler of errors, in a table of their own or not.  The device
 * is locked, so that the driver stays.
 */
static struct vfio_pci_core_device *core_device(struct pci_dev *pdev)
{
	pci_ers_result_t (*core)(struct pci_dev *pdev, pci_channel_state_t state);
	const struct pci_error_handlers *handlers;
	struct vfio_pci_core_device *vdev = NULL;

	device_lock_assert(&pdev->dev);

	core = symbol_get(vfio_pci_core_aer_err_detected);
	if (!core)
		return NULL;
	handlers = pdev->dev.driver && pdev->driver ? pdev->driver->err_handler : NULL;
	if (handlers && handlers->error_detected == core)
		vdev = dev_get_drvdata(&pdev->dev);
	/* It stays as long as that driver is bound. */
	symbol_put(vfio_pci_core_aer_err_detected);
	return vdev && vdev->pdev == pdev ? vdev : NULL;
}

static int check_file(struct file *file, struct vfio_device *device, u32 *reason)
{
	if (!intx_file_is_vfio(file)) {
		*reason = KVM_IRQX_INTX_REASON_NOT_ITS_FILE;
		return -EPERM;
	}
	if (intx_file_is_group(file)) {
		*reason = KVM_IRQX_INTX_REASON_GROUP;
		return -EBADFD;
	}
	/* Anybody who may open that can have it open; what makes it his is private to VFIO. */
	if (intx_file_is_cdev(file)) {
		*reason = KVM_IRQX_INTX_REASON_CDEV;
		return -EBADFD;
	}
	if (!intx_file_is_of(file, device)) {
		*reason = KVM_IRQX_INTX_REASON_NOT_ITS_FILE;
		return -EPERM;
	}
	return 0;
}

/**
 * intx_device_trylock - lock the device, if the file is its
 * @device: from intx_device_get()
 * @reason: why not: KVM_IRQX_INTX_REASON_*
 *
 * As long as the file is held the device then stays open, and enabled, and its driver's unbinding
 * waits.  It waits with the device locked, maybe for whoever calls this: so this does not wait.
 *
 * Context: process context.
 * Return: 0, with the device locked, -EAGAIN, -ENODEV, -EBADFD, -EPERM.
 */
int intx_device_trylock(struct intx_device *device, u32 *reason)
{
	struct vfio_pci_core_device *vdev;
	int ret = 0;

	if (!device_trylock(&device->pdev->dev)) {
		*reason = KVM_IRQX_INTX_REASON_DEVICE_BUSY;
		return -EAGAIN;
	}
	vdev = core_device(device->pdev);
	if (!vdev) {
		*reason = KVM_IRQX_INTX_REASON_NOT_VFIO;
		ret = -ENODEV;
	} else {
		ret = check_file(device->file, &vdev->vdev, reason);
	}
	if (ret) {
		device_unlock(&device->pdev->dev);
		return ret;
	}
	device->vdev = vdev;
	device->exclusive = !vdev->pci_2_3;
	return 0;
}

void intx_device_unlock(struct intx_device *device)
{
	device_unlock(&device->pdev->dev);
}

static int open_line_locked(struct intx_device *device, struct intx_line *line, u32 *reason)
{
	struct vfio_pci_core_device *vdev = device->vdev;
	struct pci_dev *pdev = device->pdev;
	int ret;

	if (vdev->irq_type != VFIO_PCI_NUM_IRQS || pci_dev_msi_enabled(pdev)) {
		*reason = KVM_IRQX_INTX_REASON_VFIO_IRQ;
		return -EBUSY;
	}
	if (vdev->nointx || !pdev->pin || !pdev->irq || pdev->irq == IRQ_NOTCONNECTED) {
		*reason = KVM_IRQX_INTX_REASON_NO_INTX;
		return -ENXIO;
	}
	ret = intx_line_open(line, pdev->irq, device->exclusive, pci_name(pdev));
	if (ret)
		*reason = ret == -ENXIO ? KVM_IRQX_INTX_REASON_SLOW_CHIP :
					  KVM_IRQX_INTX_REASON_LINE;
	return ret;
}

/**
 * intx_device_open_line - request its line
 * @device: locked
 * @line: of it
 * @reason: why not: KVM_IRQX_INTX_REASON_*
 *
 * VFIO changes what it has of the device's interrupts under vdev->igate, so it has none now, and
 * if it gets one later intx_device_taken() tells.
 *
 * Context: may sleep.
 * Return: 0, -EINTR, -EBUSY, -ENXIO, or as request_irq().
 */
int intx_device_open_line(struct intx_device *device, struct intx_line *line, u32 *reason)
{
	int ret;

	ret = mutex_lock_killable(&device->vdev->igate);
	if (ret)
		return ret;
	ret = open_line_locked(device, line, reason);
	mutex_unlock(&device->vdev->igate);
	return ret;
}

/* ---- its disable bit: all with the line's lock held, maybe in a hard interrupt ---- */

/* Its configuration space says something; it does not while somebody resets it. */
static bool reachable(struct pci_dev *pdev)
{
	return !pci_channel_offline(pdev) && pdev->current_state != PCI_D3hot &&
	       pdev->current_state != PCI_D3cold;
}

static bool bit_is_set(struct pci_dev *pdev)
{
	u16 command;

	pci_read_config_word(pdev, PCI_COMMAND, &command);
	return command & PCI_COMMAND_INTX_DISABLE;
}

/**
 * intx_device_taken - has VFIO switched on an interrupt of its own?
 * @device: it
 *
 * Of a device without a disable bit VFIO wants the line for itself, and cannot get it beside us.
 *
 * Return: whether.
 */
bool intx_device_taken(struct intx_device *device)
{
	if (pci_dev_msi_enabled(device->pdev))
		return true;
	return !device->exclusive && READ_ONCE(device->vdev->irq_type) != VFIO_PCI_NUM_IRQS;
}

/**
 * intx_device_mask - mask it if it asserts
 * @device: it
 *
 * A reset begins with the device masked and quiet, so that what comes then is not its.
 *
 * Return: INTX_NOT_ASSERTED, INTX_MASKED, or INTX_HUSHED if the guest does not want it.
 */
enum intx_mask intx_device_mask(struct intx_device *device)
{
	struct vfio_pci_core_device *vdev = device->vdev;
	struct pci_dev *pdev = device->pdev;
	enum intx_mask ret = INTX_NOT_ASSERTED;
	unsigned long flags;

	if (!reachable(pdev) || pdev->block_cfg_access)
		return INTX_NOT_ASSERTED;
	spin_lock_irqsave(&vdev->irqlock, flags);
	if (READ_ONCE(vdev->virq_disabled)) {
		/* VFIO has set the bit, or is about to. */
		if (!bit_is_set(pdev) && pci_check_and_mask_intx(pdev))
			ret = INTX_HUSHED;
	} else if (pci_check_and_mask_intx(pdev)) {
		ret = INTX_MASKED;
		/* VFIO clears the bit, then says so, then requests the line. */
		if (intx_device_taken(device)) {
			pci_intx(pdev, 1);
			ret = INTX_NOT_ASSERTED;
		}
	}
	spin_unlock_irqrestore(&vdev->irqlock, flags);
	return ret;
}

bool intx_device_is_masked(struct intx_device *device)
{
	return !reachable(device->pdev) || bit_is_set(device->pdev);
}

/**
 * intx_device_unmask - unmask it if it does not assert
 * @device: it
 *
 * A reset saves the bit and restores it: what is changed in between is lost, so nothing is.
 *
 * Return: INTX_UNMASKED, INTX_STILL_ASSERTED, INTX_TRY_LATER, or INTX_NOT_WANTED by the guest.
 */
enum intx_unmask intx_device_unmask(struct intx_device *device)
{
	struct vfio_pci_core_device *vdev = device->vdev;
	struct pci_dev *pdev = device->pdev;
	enum intx_unmask ret = INTX_TRY_LATER;
	unsigned long flags;

	spin_lock_irqsave(&vdev->irqlock, flags);
	if (READ_ONCE(vdev->virq_disabled)) {
		ret = INTX_NOT_WANTED;
	} else if (reachable(pdev) && pci_cfg_access_trylock(pdev)) {
		ret = pci_check_and_unmask_intx(pdev) ? INTX_UNMASKED : INTX_STILL_ASSERTED;
		pci_cfg_access_unlock(pdev);
	}
	spin_unlock_irqrestore(&vdev->irqlock, flags);
	return ret;
}

/**
 * intx_device_quiet - mask it, whatever it does
 * @device: it
 *
 * Nobody handles its interrupt, and the line may be others'.  VFIO clears the bit when it switches
 * its own INTx on, or when the guest asks for that.
 */
void intx_device_quiet(struct intx_device *device)
{
	struct vfio_pci_core_device *vdev = device->vdev;
	unsigned long flags;

	spin_lock_irqsave(&vdev->irqlock, flags);
	if (reachable(device->pdev) && !intx_device_taken(device))
		pci_intx(device->pdev, 0);
	spin_unlock_irqrestore(&vdev->irqlock, flags);
}

/**
 * intx_device_silence - mask it if it asserts and is not masked
 * @device: one that VFIO has taken
 *
 * Return: whether.
 */
bool intx_device_silence(struct intx_device *device)
{
	struct vfio_pci_core_device *vdev = device->vdev;
	struct pci_dev *pdev = device->pdev;
	unsigned long flags;
	bool ret;

	spin_lock_irqsave(&vdev->irqlock, flags);
	ret = reachable(pdev) && !pdev->block_cfg_access && !bit_is_set(pdev) &&
	      pci_check_and_mask_intx(pdev);
	spin_unlock_irqrestore(&vdev->irqlock, flags);
	return ret;
}

/**
 * intx_device_let_go - take our mask back
 * @device: one that VFIO has taken
 */
void intx_device_let_go(struct intx_device *device)
{
	struct vfio_pci_core_device *vdev = device->vdev;
	unsigned long flags;

	spin_lock_irqsave(&vdev->irqlock, flags);
	if (vdev->irq_type == VFIO_PCI_INTX_IRQ_INDEX && !READ_ONCE(vdev->virq_disabled) &&
	    reachable(device->pdev))
		pci_intx(device->pdev, 1);
	spin_unlock_irqrestore(&vdev->irqlock, flags);
}

/**
 * intx_device_hand_over - unmask it, if VFIO has taken it and we have masked it
 * @device: it
 * @line: of it
 *
 * VFIO switches its interrupt on under vdev->igate, so it handles it when we have that.  It may
 * have seen the device assert before, with our mask on, and then waits for somebody to unmask it:
 * our handler sees to that if it is there for the next interrupts.
 *
 * Context: may sleep.
 */
void intx_device_hand_over(struct intx_device *device, struct intx_line *line)
{
	bool masked;

	mutex_lock(&device->vdev->igate);
	masked = intx_line_hand_over(line);
	mutex_unlock(&device->vdev->igate);
	if (masked)
		usleep_range(2000, 4000);
}

bool intx_device_unwanted(struct intx_device *device)
{
	return READ_ONCE(device->vdev->virq_disabled);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * See neighbour.h.
 */
#include <linux/fs.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/ktime.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "neighbour.h"

/* Registers of an edu device. */
#define EDU_STATUS	0x24
#define EDU_RAISE	0x60
#define EDU_ACK		0x64

struct neighbour {
	struct mutex lock;		/* one request at a time */
	struct pci_dev *pdev;
	void __iomem *bar;
	bool joined;
	wait_queue_head_t wait;
	u64 served_at;			/* of the last one; 0: none since */
};

static irqreturn_t serve(int irq, void *data)
{
	struct neighbour *neighbour = data;
	u32 status = readl(neighbour->bar + EDU_STATUS);

	if (!status)
		return IRQ_NONE;
	writel(status, neighbour->bar + EDU_ACK);
	/* So that the line has fallen. */
	readl(neighbour->bar + EDU_STATUS);
	WRITE_ONCE(neighbour->served_at, ktime_get_ns());
	wake_up(&neighbour->wait);
	return IRQ_HANDLED;
}

static int join(struct neighbour *neighbour, u32 flags)
{
	unsigned long share = flags & NEIGHBOUR_ALONE ? 0 : IRQF_SHARED;
	int ret;

	if (neighbour->joined)
		return -EBUSY;
	/* A refusal is what some tests want: not a word in the log. */
	share |= IRQF_PROBE_SHARED;
	if (flags & NEIGHBOUR_ONESHOT)
		ret = request_threaded_irq(neighbour->pdev->irq, NULL, serve,
					   share | IRQF_ONESHOT, KBUILD_MODNAME, neighbour);
	else
		ret = request_irq(neighbour->pdev->irq, serve, share, KBUILD_MODNAME, neighbour);
	neighbour->joined = !ret;
	return ret;
}

static void leave(struct neighbour *neighbour)
{
	if (!neighbour->joined)
		return;
	free_irq(neighbour->pdev->irq, neighbour);
	neighbour->joined = false;
}

static int fire(struct neighbour *neighbour, struct neighbour_request *request)
{
	u64 start, took;
	long left;

	WRITE_ONCE(neighbour->served_at, 0);
	start = ktime_get_ns();
	writel(1, neighbour->bar + EDU_RAISE);
	left = wait_event_killable_timeout(neighbour->wait, READ_ONCE(neighbour->served_at),
					   msecs_to_jiffies(request->ms));
	if (left < 0)
		return left;
	if (!left) {
		request->lost++;
		/* Nobody but us would. */
		writel(1, neighbour->bar + EDU_ACK);
		return 0;
	}
	took = READ_ONCE(neighbour->served_at) - start;
	request->served++;
	request->total_ns += took;
	request->worst_ns = max(request->worst_ns, took);
	return 0;
}

static int visit(struct neighbour *neighbour, struct neighbour_request *request)
{
	int ret = join(neighbour, request->flags);

	if (ret)
		return ret;
	ret = fire(neighbour, request);
	leave(neighbour);
	return ret;
}

static int repeat(struct neighbour *neighbour, struct neighbour_request *request,
		  int (*once)(struct neighbour *neighbour, struct neighbour_request *request))
{
	int ret = 0;
	u64 i;

	request->served = 0;
	request->lost = 0;
	request->worst_ns = 0;
	request->total_ns = 0;
	for (i = 0; i < request->count && !ret; i++)
		ret = once(neighbour, request);
	return ret;
}

static void put_device_back(struct neighbour *neighbour)
{
	if (!neighbour->pdev)
		return;
	writel(~0, neighbour->bar + EDU_ACK);
	leave(neighbour);
	pci_iounmap(neighbour->pdev, neighbour->bar);
	pci_disable_device(neighbour->pdev);
	pci_dev_put(neighbour->pdev);
	neighbour->pdev = NULL;
}

static int take_device(struct neighbour *neighbour, u32 slot)
{
	struct pci_dev *pdev;
	int ret;

	if (neighbour->pdev)
		return -EBUSY;
	pdev = pci_get_domain_bus_and_slot(0, 0, PCI_DEVFN(slot, 0));
	if (!pdev)
		return -ENODEV;
	ret = -ENXIO;
	if (!pdev->irq)
		goto err_put;
	ret = pci_enable_device(pdev);
	if (ret)
		goto err_put;
	ret = -ENOMEM;
	neighbour->bar = pci_iomap(pdev, 0, 0);
	if (!neighbour->bar)
		goto err_disable;
	pci_intx(pdev, 1);
	neighbour->pdev = pdev;
	return 0;

err_disable:
	pci_disable_device(pdev);
err_put:
	pci_dev_put(pdev);
	return ret;
}

static void look_at_line(struct neighbour *neighbour, struct neighbour_request *request)
{
	struct irq_desc *desc = irq_data_to_desc(irq_get_irq_data(neighbour->pdev->irq));
	struct irqaction *action;
	unsigned long flags;

	request->nr = 0;
	raw_spin_lock_irqsave(&desc->lock, flags);
	request->out = desc->depth;
	for (action = desc->action; action; action = action->next)
		request->nr++;
	raw_spin_unlock_irqrestore(&desc->lock, flags);
}

static void cost(struct neighbour *neighbour, struct neighbour_request *request)
{
	struct pci_dev *pdev = neighbour->pdev;
	u64 i, start;

	start = ktime_get_ns();
	for (i = 0; i < request->count; i++) {
		if (request->op == NEIGHBOUR_COST_LINE) {
			disable_irq_nosync(pdev->irq);
			enable_irq(pdev->irq);
		} else {
			pci_intx(pdev, 0);
			pci_check_and_unmask_intx(pdev);
		}
	}
	request->out = ktime_get_ns() - start;
}

static int neighbour_run(struct neighbour *neighbour, struct neighbour_request *request)
{
	if (request->op == NEIGHBOUR_TAKE)
		return take_device(neighbour, request->slot);
	if (!neighbour->pdev)
		return -ENXIO;
	switch (request->op) {
	case NEIGHBOUR_JOIN:
		return join(neighbour, request->flags);
	case NEIGHBOUR_LEAVE:
		leave(neighbour);
		return 0;
	case NEIGHBOUR_FIRE:
		return neighbour->joined ? repeat(neighbour, request, fire) : -ENXIO;
	case NEIGHBOUR_VISIT:
		return repeat(neighbour, request, visit);
	case NEIGHBOUR_LINE:
		look_at_line(neighbour, request);
		return 0;
	case NEIGHBOUR_COST_LINE:
	case NEIGHBOUR_COST_DEVICE:
		if (!neighbour->joined)
			return -ENXIO;
		cost(neighbour, request);
		return 0;
	default:
		return -EINVAL;
	}
}

static int neighbour_open(struct inode *inode, struct file *file)
{
	struct neighbour *neighbour = kzalloc(sizeof(*neighbour), GFP_KERNEL);

	if (!neighbour)
		return -ENOMEM;
	mutex_init(&neighbour->lock);
	init_waitqueue_head(&neighbour->wait);
	file->private_data = neighbour;
	return 0;
}

static int neighbour_release(struct inode *inode, struct file *file)
{
	put_device_back(file->private_data);
	kfree(file->private_data);
	return 0;
}

static ssize_t neighbour_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	struct neighbour *neighbour = file->private_data;
	struct neighbour_request request;
	int ret;

	if (len != sizeof(request) || copy_from_user(&request, buf, len))
		return -EINVAL;
	mutex_lock(&neighbour->lock);
	ret = neighbour_run(neighbour, &request);
	mutex_unlock(&neighbour->lock);
	if (!ret && copy_to_user((void __user *)buf, &request, len))
		ret = -EFAULT;
	return ret ?: len;
}

static const struct file_operations neighbour_fops = {
	.owner		= THIS_MODULE,
	.open		= neighbour_open,
	.release	= neighbour_release,
	.write		= neighbour_write,
};

static struct miscdevice neighbour_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "irqx-neighbour",
	.fops	= &neighbour_fops,
};

module_misc_device(neighbour_device);

MODULE_DESCRIPTION("Joins and leaves an interrupt line, for tests");
MODULE_LICENSE("GPL");

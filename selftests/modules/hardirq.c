// SPDX-License-Identifier: GPL-2.0
/*
 * Signals an eventfd from a timer's interrupt handler, as a driver such as VFIO does.  Where
 * interrupt handlers are threads (PREEMPT_RT), so is this.
 *
 *	write()		struct request; begins anew
 *	read()		u64: how many times the eventfd has been signalled since
 *	close()		ends it
 */
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "kvm/compat.h"

struct request {
	__s32 fd;
	__u32 count;
	__u64 period_ns;
};

struct source {
	struct hrtimer timer;
	struct eventfd_ctx *eventfd;
	ktime_t period;
	u64 left;
	u64 done;
};

static enum hrtimer_restart source_fire(struct hrtimer *timer)
{
	struct source *source = container_of(timer, struct source, timer);

	irqx_eventfd_signal_once(source->eventfd);
	WRITE_ONCE(source->done, source->done + 1);
	if (!--source->left)
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, source->period);
	return HRTIMER_RESTART;
}

static int source_open(struct inode *inode, struct file *file)
{
	struct source *source = kzalloc(sizeof(*source), GFP_KERNEL);

	if (!source)
		return -ENOMEM;
	irqx_hrtimer_setup(&source->timer, source_fire, CLOCK_MONOTONIC,
			   HRTIMER_MODE_REL);
	file->private_data = source;
	return 0;
}

static void source_end(struct source *source)
{
	hrtimer_cancel(&source->timer);
	if (source->eventfd)
		eventfd_ctx_put(source->eventfd);
	source->eventfd = NULL;
}

static int source_release(struct inode *inode, struct file *file)
{
	source_end(file->private_data);
	kfree(file->private_data);
	return 0;
}

static ssize_t source_write(struct file *file, const char __user *buf,
			    size_t len, loff_t *pos)
{
	struct source *source = file->private_data;
	struct eventfd_ctx *eventfd;
	struct request request;

	if (len != sizeof(request) || copy_from_user(&request, buf, len))
		return -EINVAL;
	if (!request.count || request.period_ns < 1000)
		return -EINVAL;
	eventfd = eventfd_ctx_fdget(request.fd);
	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	source_end(source);
	source->eventfd = eventfd;
	source->period = ns_to_ktime(request.period_ns);
	source->left = request.count;
	source->done = 0;
	hrtimer_start(&source->timer, source->period, HRTIMER_MODE_REL);
	return len;
}

static ssize_t source_read(struct file *file, char __user *buf, size_t len,
			   loff_t *pos)
{
	struct source *source = file->private_data;
	u64 done = READ_ONCE(source->done);

	if (len != sizeof(done) || copy_to_user(buf, &done, len))
		return -EINVAL;
	return len;
}

static const struct file_operations source_fops = {
	.owner		= THIS_MODULE,
	.open		= source_open,
	.release	= source_release,
	.read		= source_read,
	.write		= source_write,
};

static struct miscdevice source_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "irqx-hardirq",
	.fops	= &source_fops,
};

module_misc_device(source_device);

MODULE_DESCRIPTION("Signals an eventfd from an interrupt handler");
MODULE_LICENSE("GPL");

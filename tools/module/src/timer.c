// SPDX-License-Identifier: GPL-2.0
/*
 * A sample: a timer of the host, whose interrupt handler raises handles of a dynirq in turn.  The
 * guest says to which CPU each goes.
 *
 *	write()		struct irqx_timer_request (timer.h); begins anew
 *	read()		u64: how many times a handle has been raised since
 *	close()		ends it
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <linux/kvm_irqx.h>

#include "timer.h"

struct raiser {
	struct mutex lock;		/* one write at a time */
	struct hrtimer timer;
	struct kvm_dynirq *dynirq;
	struct irqx_timer_request request;
	u64 done;
};

static enum hrtimer_restart raiser_fire(struct hrtimer *timer)
{
	struct raiser *raiser = container_of(timer, struct raiser, timer);
	const struct irqx_timer_request *request = &raiser->request;

	/* No such handle, or the dynirq is gone, and with it maybe the VM. */
	if (kvm_inject_dynirq(raiser->dynirq, request->first + raiser->done % request->nr))
		return HRTIMER_NORESTART;
	WRITE_ONCE(raiser->done, raiser->done + 1);
	if (raiser->done == request->count)
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ns_to_ktime(request->period_ns));
	return HRTIMER_RESTART;
}

static int raiser_open(struct inode *inode, struct file *file)
{
	struct raiser *raiser = kzalloc(sizeof(*raiser), GFP_KERNEL);

	if (!raiser)
		return -ENOMEM;
	mutex_init(&raiser->lock);
	/* Hard: an interrupt handler on PREEMPT_RT, too. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
	hrtimer_init(&raiser->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	raiser->timer.function = raiser_fire;
#else
	hrtimer_setup(&raiser->timer, raiser_fire, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
#endif
	file->private_data = raiser;
	return 0;
}

/* Nobody raises a handle any more: then the dynirq can be given back. */
static void raiser_end(struct raiser *raiser)
{
	hrtimer_cancel(&raiser->timer);
	if (raiser->dynirq)
		kvm_dynirq_put(raiser->dynirq);
	raiser->dynirq = NULL;
}

static int raiser_release(struct inode *inode, struct file *file)
{
	raiser_end(file->private_data);
	kfree(file->private_data);
	return 0;
}

static ssize_t raiser_write(struct file *file, const char __user *buf, size_t len,
			    loff_t *pos)
{
	struct raiser *raiser = file->private_data;
	struct kvm_irqx_context *context;
	struct kvm_dynirq *dynirq;
	struct irqx_timer_request request;
	int first;

	if (len != sizeof(request) || copy_from_user(&request, buf, len))
		return -EINVAL;
	if (!request.nr || !request.count || request.period_ns < 1000 ||
	    !memchr(request.label, 0, sizeof(request.label)))
		return -EINVAL;
	context = kvm_irqx_context_get(request.fd);
	if (IS_ERR(context))
		return PTR_ERR(context);
	dynirq = kvm_dynirq_get(context, request.table);
	kvm_irqx_context_put(context);
	if (IS_ERR(dynirq))
		return PTR_ERR(dynirq);
	if (request.label[0]) {
		first = kvm_dynirq_find(dynirq, request.label);
		if (first < 0) {
			kvm_dynirq_put(dynirq);
			return first;
		}
		request.first = first;
	}
	mutex_lock(&raiser->lock);
	raiser_end(raiser);
	raiser->dynirq = dynirq;
	raiser->request = request;
	raiser->done = 0;
	hrtimer_start(&raiser->timer, ns_to_ktime(request.period_ns), HRTIMER_MODE_REL_HARD);
	mutex_unlock(&raiser->lock);
	return len;
}

static ssize_t raiser_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct raiser *raiser = file->private_data;
	u64 done = READ_ONCE(raiser->done);

	if (len != sizeof(done) || copy_to_user(buf, &done, len))
		return -EINVAL;
	return len;
}

static const struct file_operations raiser_fops = {
	.owner		= THIS_MODULE,
	.open		= raiser_open,
	.release	= raiser_release,
	.read		= raiser_read,
	.write		= raiser_write,
};

static struct miscdevice raiser_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "irqx-timer",
	.fops	= &raiser_fops,
};

module_misc_device(raiser_device);

MODULE_DESCRIPTION("Raises handles of a dynirq from a timer's interrupt handler");
MODULE_LICENSE("GPL");
MODULE_INFO(import_ns, "KVM_IRQX");

// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/kvm-dynirq: include/uapi/linux/kvm_dynirq.h.  Each label that an open file listens to is a
 * client of its own.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/interrupt.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <uapi/linux/kvm_dynirq.h>

#include "dynirq.h"

static_assert(KVM_DYNIRQ_LABEL_SIZE == DYNIRQ_LABEL_SIZE);

/*
 * An open file.  Its mutex is taken before dynirq_mutex, and held neither by an interrupt nor by
 * the calls that tell a client.
 */
struct waiter {
	struct mutex mutex;		/* listeners come */
	struct list_head listeners;
	u32 nr;
	spinlock_t lock;		/* changed, and what listeners have of it; interrupts off */
	struct list_head changed;
	wait_queue_head_t wait;
};

struct listener {
	struct kvm_dynirq_client client;
	struct waiter *waiter;
	struct list_head list;		/* of all; waiter->mutex */
	struct list_head changed;	/* waiter->lock, as all below */
	struct kvm_dynirq_event event;
	int irq;			/* dynirq_mutex */
	char label[DYNIRQ_LABEL_SIZE];
};

/* @count, @there: added to the one, the other set.  Whoever reads is woken. */
static void change(struct listener *listener, unsigned int count, bool there)
{
	struct waiter *waiter = listener->waiter;
	unsigned long flags;

	spin_lock_irqsave(&waiter->lock, flags);
	listener->event.count += count;
	listener->event.flags = there ? KVM_DYNIRQ_EVENT_THERE : 0;
	if (list_empty(&listener->changed))
		list_add_tail(&listener->changed, &waiter->changed);
	spin_unlock_irqrestore(&waiter->lock, flags);
	wake_up_interruptible(&waiter->wait);
}

static irqreturn_t listener_irq(int irq, void *data)
{
	change(data, 1, true);
	return IRQ_HANDLED;
}

static int listener_online(struct kvm_dynirq_client *client, int irq)
{
	struct listener *listener = container_of(client, struct listener, client);
	int ret;

	/* Several files may listen to one label. */
	ret = request_irq(irq, listener_irq, IRQF_SHARED, listener->label, listener);
	if (ret)
		return ret;
	listener->irq = irq;
	change(listener, 0, true);
	return 0;
}

static void listener_offline(struct kvm_dynirq_client *client)
{
	struct listener *listener = container_of(client, struct listener, client);

	free_irq(listener->irq, listener);
	change(listener, 0, false);
}

static int waiter_open(struct inode *inode, struct file *file)
{
	struct waiter *waiter = kzalloc(sizeof(*waiter), GFP_KERNEL_ACCOUNT);

	if (!waiter)
		return -ENOMEM;
	mutex_init(&waiter->mutex);
	INIT_LIST_HEAD(&waiter->listeners);
	spin_lock_init(&waiter->lock);
	INIT_LIST_HEAD(&waiter->changed);
	init_waitqueue_head(&waiter->wait);
	file->private_data = waiter;
	return stream_open(inode, file);
}

static int waiter_release(struct inode *inode, struct file *file)
{
	struct waiter *waiter = file->private_data;
	struct listener *listener, *next;

	list_for_each_entry_safe(listener, next, &waiter->listeners, list) {
		kvm_dynirq_unregister(&listener->client);
		/* The others still are told, and added behind it. */
		spin_lock_irq(&waiter->lock);
		list_del(&listener->changed);
		spin_unlock_irq(&waiter->lock);
		kfree(listener);
	}
	kfree(waiter);
	return 0;
}

static long waiter_listen(struct waiter *waiter, struct kvm_dynirq_listen __user *arg)
{
	struct kvm_dynirq_listen listen;
	struct listener *listener;
	long ret;

	if (copy_from_user(&listen, arg, sizeof(listen)))
		return -EFAULT;
	if (!listen.label[0] || strnlen(listen.label, sizeof(listen.label)) == sizeof(listen.label))
		return -EINVAL;
	listener = kzalloc(sizeof(*listener), GFP_KERNEL_ACCOUNT);
	if (!listener)
		return -ENOMEM;
	strscpy(listener->label, listen.label, sizeof(listener->label));
	listener->waiter = waiter;
	INIT_LIST_HEAD(&listener->changed);
	listener->client = (struct kvm_dynirq_client){
		.label = listener->label,
		.online = listener_online,
		.offline = listener_offline,
	};

	mutex_lock(&waiter->mutex);
	ret = -ENOSPC;
	if (waiter->nr == KVM_DYNIRQ_MAX_LISTENERS)
		goto err_unlock;
	listener->event.id = waiter->nr;
	listen.id = waiter->nr;
	listen.reserved = 0;
	ret = -EFAULT;
	if (copy_to_user(arg, &listen, sizeof(listen)))
		goto err_unlock;
	change(listener, 0, false);
	ret = kvm_dynirq_register(&listener->client);
	if (WARN_ON_ONCE(ret))
		goto err_changed;
	waiter->nr++;
	list_add_tail(&listener->list, &waiter->listeners);
	mutex_unlock(&waiter->mutex);
	return 0;

err_changed:
	spin_lock_irq(&waiter->lock);
	list_del(&listener->changed);
	spin_unlock_irq(&waiter->lock);
err_unlock:
	mutex_unlock(&waiter->mutex);
	kfree(listener);
	return ret;
}

static long next_label(struct kvm_dynirq_label __user *arg)
{
	struct kvm_dynirq_label label;
	int ret;

	if (copy_from_user(&label, arg, sizeof(label)))
		return -EFAULT;
	ret = dynirq_next_label(&label.device, &label.handle, label.label);
	if (!ret && copy_to_user(arg, &label, sizeof(label)))
		ret = -EFAULT;
	return ret;
}

static long waiter_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case KVM_DYNIRQ_LISTEN:
		return waiter_listen(file->private_data, (void __user *)arg);
	case KVM_DYNIRQ_LABEL:
		return next_label((void __user *)arg);
	}
	return -ENOTTY;
}

/* Return: whether there was one. */
static bool take_event(struct waiter *waiter, struct kvm_dynirq_event *event)
{
	struct listener *listener;

	spin_lock_irq(&waiter->lock);
	listener = list_first_entry_or_null(&waiter->changed, struct listener, changed);
	if (listener) {
		list_del_init(&listener->changed);
		*event = listener->event;
	}
	spin_unlock_irq(&waiter->lock);
	return listener;
}

static bool has_event(struct waiter *waiter)
{
	return !list_empty_careful(&waiter->changed);
}

static ssize_t waiter_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct waiter *waiter = file->private_data;
	struct kvm_dynirq_event event;
	size_t done = 0;
	int ret;

	if (len < sizeof(event))
		return -EINVAL;
	while (len - done >= sizeof(event)) {
		if (take_event(waiter, &event)) {
			if (copy_to_user(buf + done, &event, sizeof(event)))
				return done ? done : -EFAULT;
			done += sizeof(event);
			continue;
		}
		if (done)
			break;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		ret = wait_event_interruptible(waiter->wait, has_event(waiter));
		if (ret)
			return ret;
	}
	return done;
}

static __poll_t waiter_poll(struct file *file, poll_table *table)
{
	struct waiter *waiter = file->private_data;

	poll_wait(file, &waiter->wait, table);
	return has_event(waiter) ? EPOLLIN | EPOLLRDNORM : 0;
}

static const struct file_operations waiter_fops = {
	.owner		= THIS_MODULE,
	.open		= waiter_open,
	.release	= waiter_release,
	.read		= waiter_read,
	.poll		= waiter_poll,
	.unlocked_ioctl	= waiter_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

static struct miscdevice waiter_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "kvm-dynirq",
	.fops	= &waiter_fops,
	.mode	= 0600,
};

struct device *dynirq_chardev_device(void)
{
	return waiter_device.this_device;
}

int dynirq_chardev_init(void)
{
	return misc_register(&waiter_device);
}

void dynirq_chardev_exit(void)
{
	misc_deregister(&waiter_device);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * kvm_irqx_intx: the INTx of a device that VFIO has assigned, into the guest and back, in the
 * kernel.
 *
 * An open file of /dev/kvm-irqx-intx carries one interrupt.  What ends that: KVM_IRQX_INTX_DETACH,
 * close(), the driver's unbinding, VFIO's taking the interrupt, the context's closing.  All come
 * to intx_stop(), under intx->lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/kvm_irqx.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "intx/hook.h"
#include "intx/line.h"
#include "intx/trace.h"
#include "intx/vfio.h"
#include "uapi/linux/kvm_irqx_intx.h"
#include "version.h"

/*
 * Order of locks: intx->lock; then the device's, which the notifier has when it comes, so it is
 * only tried; then the context's, vdev->igate, attached_lock.
 */
struct intx {
	struct kref refs;		/* the file, and the notifier while it looks */
	struct mutex lock;		/* attaching and detaching, and what follows */
	bool attached;
	struct intx_device device;	/* of @attached, or @unput */
	bool unput;			/* @device is to be put, and not by the notifier */
	struct kvm_irqx_source *source;	/* of @attached */
	u32 state;			/* KVM_IRQX_INTX_STATE_* */

	struct intx_line line;		/* has a lock of its own */
	u32 ended;			/* the same, of who has found that it must; else 0 */
	struct work_struct work;	/* then ends it */
	struct list_head node;		/* attached_list; attached_lock */
};

static DEFINE_MUTEX(attached_lock);
static LIST_HEAD(attached_list);	/* attached_lock */
/* Of all files: what runs there may wait for a device's reset, so it is none that others use. */
static struct workqueue_struct *intx_wq;

static void intx_free(struct kref *refs)
{
	kfree(container_of(refs, struct intx, refs));
}

/* ---- what the line asks for ---- */

static bool op_taken(void *data)
{
	struct intx *intx = data;

	return intx_device_taken(&intx->device);
}

static enum intx_mask op_mask(void *data)
{
	struct intx *intx = data;

	return intx_device_mask(&intx->device);
}

static bool op_is_masked(void *data)
{
	struct intx *intx = data;

	return intx_device_is_masked(&intx->device);
}

static enum intx_unmask op_unmask(void *data)
{
	struct intx *intx = data;

	return intx_device_unmask(&intx->device);
}

static void op_quiet(void *data)
{
	struct intx *intx = data;

	intx_device_quiet(&intx->device);
}

static bool op_silence(void *data)
{
	struct intx *intx = data;

	return intx_device_silence(&intx->device);
}

static void op_let_go(void *data)
{
	struct intx *intx = data;

	intx_device_let_go(&intx->device);
}

static bool op_unwanted(void *data)
{
	struct intx *intx = data;

	return intx_device_unwanted(&intx->device);
}

/*
 * Straight from the hard interrupt: what cannot be raised there kvm_irqx.ko leaves to its worker
 * itself, and a thread of our own would only be one more on the way.
 */
static void op_tell(void *data)
{
	struct intx *intx = data;

	if (!kvm_irqx_source_raise(intx->source))
		return;
	/* The context has been closed, so no EOI will come. */
	intx_line_end(&intx->line);
	WRITE_ONCE(intx->ended, KVM_IRQX_INTX_STATE_CONTEXT);
	queue_work(intx_wq, &intx->work);
}

static void op_ended(void *data)
{
	struct intx *intx = data;

	WRITE_ONCE(intx->ended, KVM_IRQX_INTX_STATE_VFIO);
	queue_work(intx_wq, &intx->work);
}

/* The guest takes its time, or the context has been closed. */
static void op_waiting(void *data)
{
	struct intx *intx = data;

	queue_work(intx_wq, &intx->work);
}

static const struct intx_line_ops intx_ops = {
	.taken		= op_taken,
	.mask		= op_mask,
	.is_masked	= op_is_masked,
	.unmask		= op_unmask,
	.quiet		= op_quiet,
	.silence	= op_silence,
	.let_go		= op_let_go,
	.unwanted	= op_unwanted,
	.tell		= op_tell,
	.ended		= op_ended,
	.waiting	= op_waiting,
};

/* ---- begin and end ---- */

/*
 * Stop the source of interrupts: the line.  Wait for what runs: the timer, the handler, then the
 * call-back.  What it leads to goes with the source; the device is left for put_device().
 * intx->lock is held.
 */
static void intx_stop(struct intx *intx, u32 state)
{
	lockdep_assert_held(&intx->lock);

	mutex_lock(&attached_lock);
	list_del(&intx->node);
	mutex_unlock(&attached_lock);
	intx_device_hand_over(&intx->device, &intx->line);
	intx_line_close(&intx->line);
	kvm_irqx_source_destroy(intx->source);
	trace_irqx_intx_end(intx->line.irq, state);
	intx->source = NULL;
	intx->attached = false;
	intx->unput = true;
	intx->state = state;
}

/* intx->lock is held.  Not by the notifier. */
static void put_device_file(struct intx *intx)
{
	lockdep_assert_held(&intx->lock);

	if (intx->unput)
		intx_device_put(&intx->device);
	intx->unput = false;
}

static void intx_work(struct work_struct *work)
{
	struct intx *intx = container_of(work, struct intx, work);
	u32 ended;

	mutex_lock(&intx->lock);
	if (intx->attached) {
		ended = READ_ONCE(intx->ended);
		if (!ended && kvm_irqx_source_state(intx->source) == -ENODEV)
			ended = KVM_IRQX_INTX_STATE_CONTEXT;
		if (ended)
			intx_stop(intx, ended);
	}
	put_device_file(intx);
	mutex_unlock(&intx->lock);
}

/*
 * With the device locked, before its driver's ->remove, which waits for its files.  The interrupt
 * is freed here, while it is still the device's; the file is let go by a worker, since here that
 * would be the work of a task that waits for it.
 */
static int intx_bus_notify(struct notifier_block *block, unsigned long action, void *data)
{
	struct intx *intx, *found;

	if (action != BUS_NOTIFY_UNBIND_DRIVER)
		return NOTIFY_DONE;
	do {
		found = NULL;
		mutex_lock(&attached_lock);
		list_for_each_entry(intx, &attached_list, node) {
			if (&intx->device.pdev->dev != data)
				continue;
			found = intx;
			kref_get(&found->refs);
			break;
		}
		mutex_unlock(&attached_lock);
		if (!found)
			break;
		mutex_lock(&found->lock);
		if (found->attached && &found->device.pdev->dev == data) {
			intx_stop(found, KVM_IRQX_INTX_STATE_UNBOUND);
			queue_work(intx_wq, &found->work);
		}
		mutex_unlock(&found->lock);
		kref_put(&found->refs, intx_free);
	} while (found);
	return NOTIFY_OK;
}

static struct notifier_block intx_bus_notifier = {
	.notifier_call = intx_bus_notify,
};

static void intx_eoi(void *data)
{
	struct intx *intx = data;

	intx_line_eoi(&intx->line);
}

static bool carried_already(struct intx_device *device)
{
	struct intx *intx;
	bool found = false;

	mutex_lock(&attached_lock);
	list_for_each_entry(intx, &attached_list, node)
		found |= intx->device.pdev == device->pdev;
	mutex_unlock(&attached_lock);
	return found;
}

/* The device is locked, so nobody else comes to it, and no notifier. */
static int attach_locked(struct intx *intx, struct kvm_irqx_context *context,
			 struct kvm_irqx_intx_attach *attach)
{
	const struct kvm_irqx_source_desc desc = {
		.entry = attach->entry,
		.level = true,
		.eoi = intx_eoi,
		.data = intx,
	};
	int ret;

	if (carried_already(&intx->device)) {
		attach->reason = KVM_IRQX_INTX_REASON_ATTACHED;
		return -EBUSY;
	}
	/* A call-back at an EOI does nothing before intx_line_start(). */
	intx->source = kvm_irqx_source_create(context, &desc);
	if (IS_ERR(intx->source)) {
		attach->reason = KVM_IRQX_INTX_REASON_ENTRY;
		return PTR_ERR(intx->source);
	}
	ret = intx_device_open_line(&intx->device, &intx->line, &attach->reason);
	if (ret) {
		kvm_irqx_source_destroy(intx->source);
		return ret;
	}
	intx->attached = true;
	intx->state = KVM_IRQX_INTX_STATE_ATTACHED;
	mutex_lock(&attached_lock);
	list_add(&intx->node, &attached_list);
	mutex_unlock(&attached_lock);
	intx_line_start(&intx->line);
	return 0;
}

static int attach_device(struct intx *intx, struct kvm_irqx_context *context,
			 struct kvm_irqx_intx_attach *attach)
{
	int ret;

	ret = intx_device_get(&intx->device, attach->device_fd, attach->domain, attach->bus,
			      attach->devfn, &attach->reason);
	if (ret)
		return ret;
	ret = intx_device_trylock(&intx->device, &attach->reason);
	if (!ret) {
		ret = attach_locked(intx, context, attach);
		intx_device_unlock(&intx->device);
	}
	if (ret)
		intx_device_put(&intx->device);
	return ret;
}

static int intx_attach(struct intx *intx, struct kvm_irqx_intx_attach *attach)
{
	struct kvm_irqx_context *context;
	int ret;

	lockdep_assert_held(&intx->lock);

	attach->reason = KVM_IRQX_INTX_REASON_NONE;
	if (attach->pad || attach->flags) {
		attach->reason = KVM_IRQX_INTX_REASON_NOT_ZERO;
		return -EINVAL;
	}
	if (intx->attached) {
		attach->reason = KVM_IRQX_INTX_REASON_ATTACHED;
		return -EBUSY;
	}
	put_device_file(intx);
	context = kvm_irqx_context_get(attach->context_fd);
	if (IS_ERR(context)) {
		attach->reason = KVM_IRQX_INTX_REASON_NO_CONTEXT;
		return PTR_ERR(context);
	}
	WRITE_ONCE(intx->ended, KVM_IRQX_INTX_STATE_NONE);
	ret = attach_device(intx, context, attach);
	kvm_irqx_context_put(context);
	return ret;
}

static int intx_detach(struct intx *intx)
{
	lockdep_assert_held(&intx->lock);

	if (!intx->attached)
		return -ENOTCONN;
	intx_stop(intx, KVM_IRQX_INTX_STATE_NONE);
	put_device_file(intx);
	return 0;
}

/* ---- the device node ---- */

/* How much of a struct the caller has room for, which begins with that. */
static int get_argsz(void __user *arg, u32 *argsz)
{
	if (get_user(*argsz, (u32 __user *)arg))
		return -EFAULT;
	return *argsz < 16 ? -EINVAL : 0;
}

static long ioctl_info(void __user *arg)
{
	struct kvm_irqx_intx_info info = {
		.argsz = sizeof(info),
		.abi = KVM_IRQX_INTX_ABI_VERSION,
		.look_ms = INTX_LOOK_MS,
	};
	u32 argsz;
	int ret;

	ret = get_argsz(arg, &argsz);
	if (ret)
		return ret;
	if (intx_hook_works())
		info.features |= KVM_IRQX_INTX_FEATURE_HOOK;
	if (intx_hook_is_notifier())
		info.features |= KVM_IRQX_INTX_FEATURE_NOTIFIER;
	return copy_to_user(arg, &info, min_t(size_t, argsz, sizeof(info))) ? -EFAULT : 0;
}

static void get_state(struct intx *intx, struct kvm_irqx_intx_state *state)
{
	static const u32 modes[] = {
		[INTX_MODE_NONE] = KVM_IRQX_INTX_MODE_NONE,
		[INTX_MODE_LINE] = KVM_IRQX_INTX_MODE_LINE,
		[INTX_MODE_DEVICE] = KVM_IRQX_INTX_MODE_DEVICE,
	};
	struct intx_line_counters counters;
	struct intx_line *line = &intx->line;
	unsigned long flags;

	lockdep_assert_held(&intx->lock);

	state->state = intx->state;
	spin_lock_irqsave(&line->lock, flags);
	counters = line->counters;
	state->mode = modes[line->mode];
	if (intx->attached && line->exclusive)
		state->flags |= KVM_IRQX_INTX_FLAG_EXCLUSIVE;
	if (intx->attached && line->closed)
		state->flags |= KVM_IRQX_INTX_FLAG_LINE_CLOSED;
	if (intx->attached && line->masked)
		state->flags |= KVM_IRQX_INTX_FLAG_DEVICE_MASKED;
	spin_unlock_irqrestore(&line->lock, flags);

	state->interrupts = counters.interrupts;
	state->by_line = counters.by_line;
	state->by_device = counters.by_device;
	state->foreign = counters.foreign;
	state->eois = counters.eois;
	state->asserted = counters.asserted;
	state->to_device = counters.to_device;
	state->to_line = counters.to_line;
	state->opened_by_hook = counters.opened_by_hook;
	state->opened_by_timer = counters.opened_by_timer;
	state->retried = counters.retried;
}

static long ioctl_state(struct intx *intx, void __user *arg)
{
	struct kvm_irqx_intx_state state = { .argsz = sizeof(state) };
	u32 argsz;
	int ret;

	ret = get_argsz(arg, &argsz) ?: mutex_lock_killable(&intx->lock);
	if (ret)
		return ret;
	get_state(intx, &state);
	mutex_unlock(&intx->lock);
	return copy_to_user(arg, &state, min_t(size_t, argsz, sizeof(state))) ? -EFAULT : 0;
}

static long ioctl_attach(struct intx *intx, struct kvm_irqx_intx_attach __user *arg)
{
	struct kvm_irqx_intx_attach attach;
	int ret;

	if (copy_from_user(&attach, arg, sizeof(attach)))
		return -EFAULT;
	/* What cannot be told of must not have been done. */
	if (put_user(KVM_IRQX_INTX_REASON_NONE, &arg->reason))
		return -EFAULT;
	ret = mutex_lock_killable(&intx->lock);
	if (ret)
		return ret;
	ret = intx_attach(intx, &attach);
	mutex_unlock(&intx->lock);
	if (ret && put_user(attach.reason, &arg->reason))
		ret = -EFAULT;
	return ret;
}

static long ioctl_detach(struct intx *intx)
{
	int ret = mutex_lock_killable(&intx->lock);

	if (ret)
		return ret;
	ret = intx_detach(intx);
	mutex_unlock(&intx->lock);
	return ret;
}

static long intx_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct intx *intx = file->private_data;

	switch (cmd) {
	case KVM_IRQX_INTX_GET_INFO:
		return ioctl_info((void __user *)arg);
	case KVM_IRQX_INTX_ATTACH:
		return ioctl_attach(intx, (void __user *)arg);
	case KVM_IRQX_INTX_DETACH:
		return ioctl_detach(intx);
	case KVM_IRQX_INTX_GET_STATE:
		return ioctl_state(intx, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static int intx_open(struct inode *inode, struct file *file)
{
	struct intx *intx = kzalloc(sizeof(*intx), GFP_KERNEL_ACCOUNT);

	if (!intx)
		return -ENOMEM;
	kref_init(&intx->refs);
	mutex_init(&intx->lock);
	INIT_LIST_HEAD(&intx->node);
	INIT_WORK(&intx->work, intx_work);
	intx_line_init(&intx->line, &intx_ops, intx);
	file->private_data = intx;
	return 0;
}

/*
 * Without the lock for the wait: the work takes it.  Nothing queues it any more, but for a
 * notifier that had the lock before.
 */
static int intx_release(struct inode *inode, struct file *file)
{
	struct intx *intx = file->private_data;

	mutex_lock(&intx->lock);
	if (intx->attached)
		intx_stop(intx, KVM_IRQX_INTX_STATE_NONE);
	put_device_file(intx);
	mutex_unlock(&intx->lock);
	cancel_work_sync(&intx->work);
	kref_put(&intx->refs, intx_free);
	return 0;
}

static const struct file_operations intx_fops = {
	.owner		= THIS_MODULE,
	.open		= intx_open,
	.release	= intx_release,
	.unlocked_ioctl	= intx_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice intx_miscdevice = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "kvm-irqx-intx",
	.fops	= &intx_fops,
	.mode	= 0660,
};

static int __init intx_init(void)
{
	int ret;

	intx_wq = alloc_workqueue(KBUILD_MODNAME, WQ_UNBOUND, 0);
	if (!intx_wq)
		return -ENOMEM;
	intx_hook_init();
	ret = bus_register_notifier(&pci_bus_type, &intx_bus_notifier);
	if (ret)
		goto err_hook;
	ret = misc_register(&intx_miscdevice);
	if (ret)
		goto err_notifier;
	return 0;

err_notifier:
	bus_unregister_notifier(&pci_bus_type, &intx_bus_notifier);
err_hook:
	intx_hook_exit();
	destroy_workqueue(intx_wq);
	return ret;
}

/* Every open file holds the module, so nothing is attached. */
static void __exit intx_exit(void)
{
	misc_deregister(&intx_miscdevice);
	bus_unregister_notifier(&pci_bus_type, &intx_bus_notifier);
	intx_hook_exit();
	destroy_workqueue(intx_wq);
}

module_init(intx_init);
module_exit(intx_exit);

MODULE_DESCRIPTION("INTx of assigned devices into KVM guests, masked at the line or the device");
MODULE_AUTHOR("The kvm-irqx authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(IRQX_VERSION);
MODULE_INFO(import_ns, "KVM_IRQX");

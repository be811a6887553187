// SPDX-License-Identifier: GPL-2.0
/*
 * See door.h.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/kvm_host.h>
#include <linux/kvm_irqx.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "door.h"
#include "find.h"
#include "kvm/compat.h"

struct door {
	struct mutex lock;		/* one request at a time */
	struct kvm_irqx_context *context;
	struct kvm_irqx_source *source;
	struct kvm_dynirq *dynirq;
	atomic64_t eois;
	atomic64_t again;
	struct hrtimer timer;
	struct door_request storm;
	u64 stormed;
};

/* ---- in a context of the program's choice ---- */

struct job {
	struct irq_work work;
	struct door *door;
	struct door_request *request;
	int ret;
};

static int door_toggle(struct door *door, bool ends_high)
{
	int ret = ends_high ? kvm_irqx_source_lower(door->source) : 0;

	if (!ret)
		ret = kvm_irqx_source_raise(door->source);
	if (!ret && !ends_high)
		ret = kvm_irqx_source_lower(door->source);
	return ret;
}

static void job_do(struct job *job)
{
	struct door_request *request = job->request;
	struct door *door = job->door;
	u64 i;

	for (i = 0; i < request->count && !job->ret; i++) {
		switch (request->op) {
		case DOOR_RAISE:
			job->ret = kvm_irqx_source_raise(door->source);
			break;
		case DOOR_TOGGLE:
			job->ret = door_toggle(door, request->value);
			break;
		case DOOR_LOWER:
			job->ret = kvm_irqx_source_lower(door->source);
			break;
		default:
			job->ret = kvm_inject_dynirq(door->dynirq, request->value + i);
		}
	}
}

static void job_in_irq(struct irq_work *work)
{
	WARN_ON(!in_hardirq());
	job_do(container_of(work, struct job, work));
}

static DEFINE_RAW_SPINLOCK(raw);

static int job_run(struct door *door, struct door_request *request)
{
	struct job job = { .door = door, .request = request };
	unsigned long flags;

	switch (request->where) {
	case DOOR_HARDIRQ:
		job.work = IRQ_WORK_INIT_HARD(job_in_irq);
		irq_work_queue(&job.work);
		irq_work_sync(&job.work);
		break;
	case DOOR_RAW:
		raw_spin_lock_irqsave(&raw, flags);
		job_do(&job);
		raw_spin_unlock_irqrestore(&raw, flags);
		break;
	default:
		job_do(&job);
	}
	return job.ret;
}

/* ---- what it costs ---- */

static int (*set_irq_inatomic)(struct kvm_kernel_irq_routing_entry *e, struct kvm *kvm,
			       int source_id, int level, bool line_status);
static int (*set_routing_entry)(struct kvm *kvm, struct kvm_kernel_irq_routing_entry *e,
				const struct kvm_irq_routing_entry *ue);

struct cost {
	struct door *door;
	struct door_request *request;
	struct kvm *kvm;
	struct kvm_kernel_irq_routing_entry e;
	struct eventfd_ctx *eventfd;
	struct hrtimer timer;
	struct completion done;
};

/* Interrupts are off. */
static void cost_run(struct cost *cost)
{
	struct door_request *request = cost->request;
	u64 i, start = ktime_get_ns();

	switch (request->op) {
	case DOOR_COST_KVM:
		for (i = 0; i < request->count; i++)
			set_irq_inatomic(&cost->e, cost->kvm, 0, 1, false);
		break;
	case DOOR_COST_RAISE:
		for (i = 0; i < request->count; i++)
			kvm_irqx_source_raise(cost->door->source);
		break;
	case DOOR_COST_SIGNAL:
		for (i = 0; i < request->count; i++)
			irqx_eventfd_signal_once(cost->eventfd);
		break;
	default:
		for (i = 0; i < request->count; i++)
			kvm_inject_dynirq(cost->door->dynirq, request->value);
	}
	request->out = ktime_get_ns() - start;
}

static enum hrtimer_restart cost_fire(struct hrtimer *timer)
{
	struct cost *cost = container_of(timer, struct cost, timer);

	WARN_ON(!in_hardirq());
	cost_run(cost);
	complete(&cost->done);
	return HRTIMER_NORESTART;
}

static void cost_run_in(struct cost *cost, enum door_where where)
{
	unsigned long flags;

	if (where == DOOR_HARDIRQ) {
		hrtimer_start(&cost->timer, ns_to_ktime(1000), HRTIMER_MODE_REL_HARD);
		wait_for_completion(&cost->done);
		hrtimer_cancel(&cost->timer);
		return;
	}
	local_irq_save(flags);
	cost_run(cost);
	local_irq_restore(flags);
}

/* With the VM's descriptor. */
static int cost_by_kvm(struct cost *cost)
{
	struct file *file = fget(cost->request->fd);
	int ret;

	if (!file)
		return -EBADF;
	set_irq_inatomic = find("kvm_arch_set_irq_inatomic");
	set_routing_entry = find("kvm_set_routing_entry");
	cost->kvm = file->private_data;
	cost->e.type = cost->request->entry.type;
	ret = -ENOENT;
	if (set_irq_inatomic && set_routing_entry)
		ret = set_routing_entry(cost->kvm, &cost->e, &cost->request->entry);
	if (!ret)
		cost_run_in(cost, cost->request->where);
	fput(file);
	return ret;
}

static int cost_by_eventfd(struct cost *cost)
{
	cost->eventfd = eventfd_ctx_fdget(cost->request->fd);
	if (IS_ERR(cost->eventfd))
		return PTR_ERR(cost->eventfd);
	cost_run_in(cost, cost->request->where);
	eventfd_ctx_put(cost->eventfd);
	return 0;
}

static int door_cost(struct door *door, struct door_request *request)
{
	struct cost *cost = kzalloc(sizeof(*cost), GFP_KERNEL);
	int ret = 0;

	if (!cost)
		return -ENOMEM;
	cost->door = door;
	cost->request = request;
	init_completion(&cost->done);
	irqx_hrtimer_setup(&cost->timer, cost_fire, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	if (request->op == DOOR_COST_KVM)
		ret = cost_by_kvm(cost);
	else if (request->op == DOOR_COST_SIGNAL)
		ret = cost_by_eventfd(cost);
	else
		cost_run_in(cost, request->where);
	kfree(cost);
	return ret;
}

/* ---- a storm ---- */

static enum hrtimer_restart storm_fire(struct hrtimer *timer)
{
	struct door *door = container_of(timer, struct door, timer);
	const struct door_request *storm = &door->storm;

	kvm_inject_dynirq(door->dynirq, storm->value + door->stormed % storm->nr);
	WRITE_ONCE(door->stormed, door->stormed + 1);
	if (door->stormed == storm->count)
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ns_to_ktime(storm->period_ns));
	return HRTIMER_RESTART;
}

static int storm_start(struct door *door, const struct door_request *request)
{
	if (!door->dynirq || !request->nr || !request->count || request->period_ns < 1000)
		return -EINVAL;
	hrtimer_cancel(&door->timer);
	door->storm = *request;
	door->stormed = 0;
	hrtimer_start(&door->timer, ns_to_ktime(request->period_ns), HRTIMER_MODE_REL_HARD);
	return 0;
}

/* ---- requests ---- */

static void door_eoi(void *data)
{
	struct door *door = data;

	atomic64_inc(&door->eois);
	if (atomic64_dec_if_positive(&door->again) >= 0)
		kvm_irqx_source_raise(READ_ONCE(door->source));
}

static int door_context(struct door *door, int fd)
{
	struct kvm_irqx_context *context = kvm_irqx_context_get(fd);

	if (IS_ERR(context))
		return PTR_ERR(context);
	if (door->context)
		kvm_irqx_context_put(door->context);
	door->context = context;
	return 0;
}

static int door_create(struct door *door, const struct door_request *request)
{
	const struct kvm_irqx_source_desc desc = {
		.entry = request->entry,
		.level = request->flags & DOOR_LEVEL,
		.masked = request->flags & DOOR_MASKED,
		.eoi = request->flags & DOOR_EOI ? door_eoi : NULL,
		.data = door,
	};
	struct kvm_irqx_source *source;

	source = kvm_irqx_source_create(door->context, &desc);
	if (IS_ERR(source))
		return PTR_ERR(source);
	WRITE_ONCE(door->source, source);
	return 0;
}

static void door_destroy(struct door *door)
{
	if (door->source)
		kvm_irqx_source_destroy(door->source);
	door->source = NULL;
}

static int door_dynirq(struct door *door, u32 table)
{
	struct kvm_dynirq *dynirq = kvm_dynirq_get(door->context, table);

	if (IS_ERR(dynirq))
		return PTR_ERR(dynirq);
	if (door->dynirq)
		kvm_dynirq_put(door->dynirq);
	door->dynirq = dynirq;
	return 0;
}

static void door_put(struct door *door)
{
	hrtimer_cancel(&door->timer);
	if (door->dynirq)
		kvm_dynirq_put(door->dynirq);
	door->dynirq = NULL;
	if (door->context)
		kvm_irqx_context_put(door->context);
	door->context = NULL;
}

static bool door_has(const struct door *door, const struct door_request *request)
{
	switch (request->op) {
	case DOOR_CREATE:
		return door->context && !door->source;
	case DOOR_DYNIRQ:
		return door->context;
	case DOOR_RAISE:
	case DOOR_LOWER:
	case DOOR_TOGGLE:
	case DOOR_MOVE:
	case DOOR_MASK:
	case DOOR_STATE:
	case DOOR_COST_RAISE:
		return door->source;
	case DOOR_FIND:
	case DOOR_INJECT:
	case DOOR_COST:
		return door->dynirq;
	default:
		return true;
	}
}

static int door_run(struct door *door, struct door_request *request)
{
	int ret;

	if (!door_has(door, request))
		return -ENXIO;
	switch (request->op) {
	case DOOR_CONTEXT:
		return door_context(door, request->fd);
	case DOOR_CREATE:
		return door_create(door, request);
	case DOOR_DESTROY:
		door_destroy(door);
		return 0;
	case DOOR_RAISE:
	case DOOR_LOWER:
	case DOOR_TOGGLE:
	case DOOR_INJECT:
		return job_run(door, request);
	case DOOR_MOVE:
		return kvm_irqx_source_move(door->source, &request->entry);
	case DOOR_MASK:
		return kvm_irqx_source_mask(door->source, request->value);
	case DOOR_STATE:
		ret = kvm_irqx_source_state(door->source);
		request->out = ret;
		return min(ret, 0);
	case DOOR_EOIS:
		request->out = atomic64_read(&door->eois);
		return 0;
	case DOOR_AGAIN:
		atomic64_set(&door->again, request->count);
		return 0;
	case DOOR_DYNIRQ:
		return door_dynirq(door, request->table);
	case DOOR_FIND:
		request->label[sizeof(request->label) - 1] = 0;
		ret = kvm_dynirq_find(door->dynirq, request->label);
		request->out = ret;
		return min(ret, 0);
	case DOOR_COST:
	case DOOR_COST_KVM:
	case DOOR_COST_RAISE:
	case DOOR_COST_SIGNAL:
		return door_cost(door, request);
	case DOOR_STORM:
		return storm_start(door, request);
	case DOOR_STORMED:
		request->out = READ_ONCE(door->stormed);
		return 0;
	case DOOR_CALM:
		hrtimer_cancel(&door->timer);
		return 0;
	case DOOR_PUT:
		door_put(door);
		return 0;
	default:
		return -EINVAL;
	}
}

static int door_open(struct inode *inode, struct file *file)
{
	struct door *door = kzalloc(sizeof(*door), GFP_KERNEL);

	if (!door)
		return -ENOMEM;
	mutex_init(&door->lock);
	irqx_hrtimer_setup(&door->timer, storm_fire, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	file->private_data = door;
	return 0;
}

static int door_release(struct inode *inode, struct file *file)
{
	struct door *door = file->private_data;

	door_destroy(door);
	door_put(door);
	kfree(door);
	return 0;
}

static ssize_t door_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	struct door_request __user *user = (void __user *)buf;
	struct door *door = file->private_data;
	struct door_request request;
	int ret;

	if (len != sizeof(request) || copy_from_user(&request, buf, len))
		return -EINVAL;
	mutex_lock(&door->lock);
	ret = door_run(door, &request);
	mutex_unlock(&door->lock);
	if (!ret && put_user(request.out, &user->out))
		ret = -EFAULT;
	return ret ?: len;
}

static const struct file_operations door_fops = {
	.owner		= THIS_MODULE,
	.open		= door_open,
	.release	= door_release,
	.write		= door_write,
};

static struct miscdevice door_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "irqx-door",
	.fops	= &door_fops,
};

module_misc_device(door_device);

MODULE_DESCRIPTION("Raises interrupts by a module's calls, for tests");
MODULE_LICENSE("GPL");
MODULE_INFO(import_ns, "KVM_IRQX");

// SPDX-License-Identifier: GPL-2.0
/*
 * Copy in, check, call the noun, copy out.  Decides nothing.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "arch/arch.h"
#include "context.h"
#include "direct.h"
#include "ioctl.h"
#include "route.h"
#include "synic.h"
#include "version.h"

/* Bounds what one call holds in kernel memory, and how long it keeps others out. */
#define IRQX_MAX_BATCH	65536

/*
 * Structs that grow: the caller says how much it knows, gets that much, and is
 * told how much there is.
 */
static long copy_out_sized(void __user *argp, void *from, u32 size, u32 min)
{
	u32 argsz;

	if (get_user(argsz, (u32 __user *)argp))
		return -EFAULT;
	if (argsz < min)
		return -EINVAL;

	*(u32 *)from = size;
	if (copy_to_user(argp, from, min(argsz, size)))
		return -EFAULT;
	return 0;
}

static long ioctl_get_info(void __user *argp)
{
	struct kvm_irqx_info info = {
		.abi = KVM_IRQX_ABI_VERSION,
		.features = irqx_arch_features(),
		.max_gsi = irqx_max_gsis,
		.max_irqfds = irqx_max_irqfds,
		.max_batch = IRQX_MAX_BATCH,
		.version = IRQX_VERSION_NUMBER,
	};

	return copy_out_sized(argp, &info, sizeof(info),
			      offsetofend(struct kvm_irqx_info, features));
}

static long ioctl_attach(struct irqx_context *ctx, void __user *argp)
{
	struct kvm_irqx_attach attach;

	if (copy_from_user(&attach, argp, sizeof(attach)))
		return -EFAULT;
	if (attach.flags)
		return -EINVAL;
	return irqx_context_attach(ctx, attach.vm_fd);
}

static long ioctl_get_stats(struct irqx_context *ctx, void __user *argp)
{
	struct kvm_irqx_stats stats = {};
	int ret;

	ret = irqx_context_lock(ctx);
	if (ret)
		return ret;
	irqx_context_stats(ctx, &stats);
	irqx_context_unlock(ctx);

	return copy_out_sized(argp, &stats, sizeof(stats),
			      offsetofend(struct kvm_irqx_stats, pad));
}

static bool direct_is_valid(const struct kvm_irqfd_direct *args)
{
	u32 limit = args->flags & KVM_IRQFD_DIRECT_EVENT_FLAG ?
		    KVM_IRQX_EVENT_FLAGS : 1;

	if (args->event_flag >= limit)
		return false;
	return args->flags == KVM_IRQFD_DIRECT_DEASSIGN ||
	       (!args->entry.gsi && !args->entry.pad);
}

static long ioctl_irqfd_direct(struct irqx_context *ctx, void __user *argp)
{
	struct irqx_leave leave = {};
	struct kvm_irqfd_direct args;
	int ret;

	if (copy_from_user(&args, argp, sizeof(args)))
		return -EFAULT;
	if (!direct_is_valid(&args))
		return -EINVAL;

	ret = irqx_context_lock(ctx);
	if (ret)
		return ret;
	switch (args.flags & ~KVM_IRQFD_DIRECT_EVENT_FLAG) {
	case 0:
	case KVM_IRQFD_DIRECT_RESAMPLE:
		ret = irqx_direct_assign(ctx, &args);
		break;
	case KVM_IRQFD_DIRECT_MODIFY:
		ret = irqx_direct_modify(ctx, &args, &leave);
		break;
	case KVM_IRQFD_DIRECT_DEASSIGN:
		ret = args.flags == KVM_IRQFD_DIRECT_DEASSIGN ?
		      irqx_context_deassign(ctx, args.fd, &leave) : -EINVAL;
		break;
	default:
		ret = -EINVAL;
	}
	return irqx_context_unlock_and_wait(ctx, &leave) ?: ret;
}

static long ioctl_irqfd(struct irqx_context *ctx, void __user *argp)
{
	struct irqx_leave leave = {};
	struct kvm_irqfd args;
	int ret;

	if (copy_from_user(&args, argp, sizeof(args)))
		return -EFAULT;

	ret = irqx_context_lock(ctx);
	if (ret)
		return ret;
	switch (args.flags) {
	case 0:
	case KVM_IRQFD_FLAG_RESAMPLE:
		ret = irqx_route_assign(ctx, &args);
		break;
	case KVM_IRQFD_FLAG_DEASSIGN:
	case KVM_IRQFD_FLAG_DEASSIGN | KVM_IRQFD_FLAG_RESAMPLE:
		ret = irqx_context_deassign(ctx, args.fd, &leave);
		break;
	default:
		ret = -EINVAL;
	}
	return irqx_context_unlock_and_wait(ctx, &leave) ?: ret;
}

static long ioctl_irq_line(struct irqx_context *ctx, void __user *argp)
{
	struct kvm_irq_level args;

	if (copy_from_user(&args, argp, sizeof(args)))
		return -EFAULT;
	return irqx_route_set_level(ctx, args.irq, !!args.level);
}

static long ioctl_synic_page(struct irqx_context *ctx, void __user *argp)
{
	struct kvm_irqx_synic_page args;
	gpa_t page = IRQX_NO_PAGE;
	int ret;

	if (!(irqx_arch_features() & KVM_IRQX_FEATURE_EVENT_FLAG))
		return -ENOTTY;
	if (copy_from_user(&args, argp, sizeof(args)))
		return -EFAULT;
	if (args.vp_index >= KVM_MAX_VCPUS ||
	    args.flags & ~KVM_IRQX_SYNIC_PAGE_ENABLED)
		return -EINVAL;
	if (args.flags & KVM_IRQX_SYNIC_PAGE_ENABLED)
		page = args.gpa;
	else if (args.gpa)
		return -EINVAL;
	if (!PAGE_ALIGNED(args.gpa))
		return -EINVAL;

	ret = irqx_context_lock(ctx);
	if (ret)
		return ret;
	ret = irqx_vp_set_page(ctx, args.vp_index, page);
	irqx_context_unlock(ctx);
	return ret;
}

/* As vmemdup_user(), but on the caller's account. */
static void *copy_in_array(const void __user *from, u32 nr, size_t size)
{
	void *array = kvmalloc_array(nr, size, GFP_KERNEL_ACCOUNT);

	if (!array)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(array, from, nr * size)) {
		kvfree(array);
		return ERR_PTR(-EFAULT);
	}
	return array;
}

static long ioctl_set_gsi_routing(struct irqx_context *ctx, void __user *argp)
{
	struct kvm_irq_routing __user *user = argp;
	struct kvm_irq_routing_entry *entries = NULL;
	struct irqx_leave leave = {};
	struct kvm_irq_routing args;
	int ret;

	if (copy_from_user(&args, user, sizeof(args)))
		return -EFAULT;
	if (args.flags || args.nr > irqx_max_gsis)
		return -EINVAL;
	if (args.nr) {
		entries = copy_in_array(user->entries, args.nr,
					sizeof(*entries));
		if (IS_ERR(entries))
			return PTR_ERR(entries);
	}

	ret = irqx_context_lock(ctx);
	if (!ret) {
		ret = irqx_route_replace(ctx, entries, args.nr, &leave);
		ret = irqx_context_unlock_and_wait(ctx, &leave) ?: ret;
	}
	kvfree(entries);
	return ret;
}

/* Return: @nr, or the first that no new binding can be made of. */
static u32 first_invalid(const struct kvm_irqfd_direct *irqfds, u32 nr)
{
	const u32 flags = KVM_IRQFD_DIRECT_RESAMPLE |
			  KVM_IRQFD_DIRECT_EVENT_FLAG;
	u32 i;

	for (i = 0; i < nr; i++)
		if (irqfds[i].flags & ~flags || !direct_is_valid(&irqfds[i]))
			break;
	return i;
}

/* What KVM_IRQX_ROUTE and KVM_IRQX_ASSIGN begin with. */
struct batch {
	u32 nr;
	u32 flags;
	u32 index;
	u32 pad;
};

#define CHECK_BATCH(type, elements)					\
	static_assert(offsetof(type, nr) == offsetof(struct batch, nr) && \
		      offsetof(type, flags) == offsetof(struct batch, flags) && \
		      offsetof(type, index) == offsetof(struct batch, index) && \
		      offsetof(type, pad) == offsetof(struct batch, pad) && \
		      offsetof(type, elements) == sizeof(struct batch))
CHECK_BATCH(struct kvm_irqx_route, ops);
CHECK_BATCH(struct kvm_irqx_assign, irqfds);

static int run_batch(struct irqx_context *ctx, unsigned int cmd,
		     const void *elements, u32 nr, u32 *index)
{
	struct irqx_leave leave = {};
	int ret;

	if (cmd == KVM_IRQX_ASSIGN) {
		*index = first_invalid(elements, nr);
		if (*index < nr)
			return -EINVAL;
	}
	ret = irqx_context_lock(ctx);
	if (ret)
		return ret;
	if (cmd == KVM_IRQX_ASSIGN)
		ret = irqx_direct_assign_many(ctx, elements, nr, index);
	else
		ret = irqx_route_batch(ctx, elements, nr, index, &leave);
	return irqx_context_unlock_and_wait(ctx, &leave) ?: ret;
}

static long ioctl_batch(struct irqx_context *ctx, unsigned int cmd,
			void __user *argp)
{
	size_t size = cmd == KVM_IRQX_ASSIGN ? sizeof(struct kvm_irqfd_direct) :
					       sizeof(struct kvm_irqx_route_op);
	struct batch __user *user = argp;
	struct batch args;
	void *elements;
	u32 index;
	int ret;

	if (copy_from_user(&args, user, sizeof(args)))
		return -EFAULT;
	index = args.nr;
	if (put_user(index, &user->index))
		return -EFAULT;
	if (args.flags || args.pad || !args.nr || args.nr > IRQX_MAX_BATCH)
		return -EINVAL;
	elements = copy_in_array(user + 1, args.nr, size);
	if (IS_ERR(elements))
		return PTR_ERR(elements);

	ret = run_batch(ctx, cmd, elements, args.nr, &index);
	kvfree(elements);

	/* On success it holds the right value already. */
	if (ret && put_user(index, &user->index))
		ret = -EFAULT;
	return ret;
}

long irqx_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct irqx_context *ctx = file->private_data;
	void __user *argp = (void __user *)arg;
	int ret;

	switch (cmd) {
	case KVM_IRQX_GET_INFO:
		return ioctl_get_info(argp);
	case KVM_IRQX_ATTACH:
		return ioctl_attach(ctx, argp);
	case KVM_IRQX_GET_STATS:
	case KVM_IRQFD_DIRECT:
	case KVM_IRQX_ROUTE:
	case KVM_IRQX_SYNIC_PAGE:
	case KVM_IRQX_ASSIGN:
	case KVM_SET_GSI_ROUTING:
	case KVM_IRQFD:
	case KVM_IRQ_LINE:
		break;
	default:
		return -ENOTTY;
	}

	ret = irqx_context_check(ctx);
	if (ret)
		return ret;

	switch (cmd) {
	case KVM_IRQX_GET_STATS:
		return ioctl_get_stats(ctx, argp);
	case KVM_IRQFD_DIRECT:
		return ioctl_irqfd_direct(ctx, argp);
	case KVM_IRQX_ROUTE:
	case KVM_IRQX_ASSIGN:
		return ioctl_batch(ctx, cmd, argp);
	case KVM_IRQX_SYNIC_PAGE:
		return ioctl_synic_page(ctx, argp);
	case KVM_SET_GSI_ROUTING:
		return ioctl_set_gsi_routing(ctx, argp);
	case KVM_IRQFD:
		return ioctl_irqfd(ctx, argp);
	default:
		return ioctl_irq_line(ctx, argp);
	}
}

// SPDX-License-Identifier: GPL-2.0
/*
 * kvm_irqx: interrupt delivery into KVM guests beside KVM's own routing.
 *
 * The module's and the device's life cycle; everything else is per open file
 * and begins in context.c.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "context.h"
#include "ioctl.h"
#include "irqfd.h"
#include "kvm/compat.h"
#include "kvm/kvm.h"
#include "route.h"
#include "version.h"
#include "vm.h"
#include "work.h"

/*
 * Not of high priority: a worker that takes the CPU from who has just signalled costs two
 * switches more.
 */
struct workqueue_struct *irqx_wq;
struct workqueue_struct *irqx_long_wq;

static int __init create_workqueues(void)
{
	irqx_wq = alloc_workqueue(KBUILD_MODNAME, WQ_PERCPU, 0);
	irqx_long_wq = alloc_workqueue(KBUILD_MODNAME "_long", WQ_UNBOUND, 0);
	return irqx_wq && irqx_long_wq ? 0 : -ENOMEM;
}

static void destroy_workqueues(void)
{
	if (irqx_wq)
		destroy_workqueue(irqx_wq);
	if (irqx_long_wq)
		destroy_workqueue(irqx_long_wq);
}

static const struct file_operations irqx_fops = {
	.owner		= THIS_MODULE,
	.open		= irqx_context_open,
	.release	= irqx_context_release,
	.unlocked_ioctl	= irqx_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice irqx_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "kvm-irqx",
	.fops	= &irqx_fops,
	.mode	= 0660,
};

static int __init irqx_module_init(void)
{
	int ret;

	ret = irqx_context_init();
	if (ret)
		return ret;

	ret = irqx_kvm_resolve();
	if (ret)
		return ret;

	ret = irqx_vm_init();
	if (ret)
		return ret;

	ret = irqx_irqfd_init();
	if (ret)
		goto err_vm;

	ret = irqx_route_init();
	if (ret)
		goto err_irqfd;

	ret = create_workqueues();
	if (ret)
		goto err_wq;

	ret = misc_register(&irqx_device);
	if (ret)
		goto err_wq;

	if (!irqx_kvm_tells_eois())
		pr_warn("this kernel's KVM keeps EOIs to itself: no resamplefds\n");
	pr_info("version %s, ABI %u, %u GSIs and %u irqfds per context\n",
		IRQX_VERSION, KVM_IRQX_ABI_VERSION, irqx_max_gsis, irqx_max_irqfds);
	return 0;

err_wq:
	destroy_workqueues();
	irqx_route_exit();
err_irqfd:
	irqx_irqfd_exit();
err_vm:
	irqx_vm_exit();
	return ret;
}

/* Every open file holds the module, so there is no context left by now. */
static void __exit irqx_module_exit(void)
{
	misc_deregister(&irqx_device);
	destroy_workqueues();
	irqx_route_exit();
	irqx_irqfd_exit();
	irqx_vm_exit();
}

module_init(irqx_module_init);
module_exit(irqx_module_exit);

MODULE_DESCRIPTION("Direct and large-scale interrupt delivery into KVM guests");
MODULE_AUTHOR("The kvm-irqx authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(IRQX_VERSION);

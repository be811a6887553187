// SPDX-License-Identifier: GPL-2.0
/*
 * A driver for tests, whose interrupt is the handle with the label "test", or label=.  It counts
 * them, and has its interrupt disabled and enabled: /sys/module/dynirq_test/parameters/.
 */
#include <linux/interrupt.h>
#include <linux/kstrtox.h>
#include <linux/kvm_dynirq.h>
#include <linux/module.h>

static char *label = "test";
module_param(label, charp, 0444);

static unsigned long count;
module_param(count, ulong, 0444);

/* Or it looks, as a virtqueue's driver does that has no news, and it was not for it. */
static bool handled = true;
module_param(handled, bool, 0444);

/* 0: none.  Both by the lock of all parameters. */
static int irq;
static bool enabled = true;

static int set_enabled(const char *text, const struct kernel_param *param)
{
	bool enable;
	int ret = kstrtobool(text, &enable);

	if (ret)
		return ret;
	if (!irq)
		return -ENXIO;
	if (enable == enabled)
		return 0;
	enabled = enable;
	if (enable)
		enable_irq(irq);
	else
		disable_irq(irq);
	return 0;
}

static const struct kernel_param_ops enabled_ops = {
	.set = set_enabled,
	.get = param_get_bool,
};
module_param_cb(enabled, &enabled_ops, &enabled, 0644);

static irqreturn_t test_irq(int irq, void *data)
{
	WRITE_ONCE(count, count + 1);
	return handled ? IRQ_HANDLED : IRQ_NONE;
}

static int test_online(struct kvm_dynirq_client *client, int nr)
{
	int ret = request_irq(nr, test_irq, 0, "dynirq_test", client);

	if (ret)
		return ret;
	kernel_param_lock(THIS_MODULE);
	irq = nr;
	enabled = true;
	kernel_param_unlock(THIS_MODULE);
	return 0;
}

static void test_offline(struct kvm_dynirq_client *client)
{
	int nr = irq;

	kernel_param_lock(THIS_MODULE);
	irq = 0;
	kernel_param_unlock(THIS_MODULE);
	free_irq(nr, client);
}

static struct kvm_dynirq_client client = {
	.online = test_online,
	.offline = test_offline,
};

static int __init test_init(void)
{
	client.label = label;
	return kvm_dynirq_register(&client);
}

static void __exit test_exit(void)
{
	kvm_dynirq_unregister(&client);
}

module_init(test_init);
module_exit(test_exit);

MODULE_DESCRIPTION("Counts the events of a handle, for tests");
MODULE_LICENSE("GPL");

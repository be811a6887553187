// SPDX-License-Identifier: GPL-2.0
/*
 * A sample: a driver whose interrupt is the handle with the label "sample", or label=.  It counts
 * them in a threaded handler, /sys/module/dynirq_sample/parameters/count.
 */
#include <linux/interrupt.h>
#include <linux/kvm_dynirq.h>
#include <linux/module.h>

static char *label = "sample";
module_param(label, charp, 0444);

static unsigned long count;
module_param(count, ulong, 0444);

static bool online;
module_param(online, bool, 0444);

static int irq;

static irqreturn_t sample_hard(int irq, void *data)
{
	return IRQ_WAKE_THREAD;
}

static irqreturn_t sample_thread(int irq, void *data)
{
	WRITE_ONCE(count, count + 1);
	return IRQ_HANDLED;
}

static int sample_online(struct kvm_dynirq_client *client, int nr)
{
	int ret = request_threaded_irq(nr, sample_hard, sample_thread, 0, "dynirq_sample", client);

	if (ret)
		return ret;
	irq = nr;
	online = true;
	return 0;
}

static void sample_offline(struct kvm_dynirq_client *client)
{
	online = false;
	free_irq(irq, client);
}

static struct kvm_dynirq_client client = {
	.online = sample_online,
	.offline = sample_offline,
};

static int __init sample_init(void)
{
	client.label = label;
	return kvm_dynirq_register(&client);
}

static void __exit sample_exit(void)
{
	kvm_dynirq_unregister(&client);
}

module_init(sample_init);
module_exit(sample_exit);

MODULE_DESCRIPTION("Counts the events of a handle");
MODULE_LICENSE("GPL");

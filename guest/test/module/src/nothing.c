// SPDX-License-Identifier: GPL-2.0
/*
 * A driver whose interrupt is the handle with the label "h1".  Its handler does what that of a
 * virtqueue without news does: it looks, and it was not for it.
 */
#include <linux/interrupt.h>
#include <linux/kvm_dynirq.h>
#include <linux/module.h>

static unsigned long news;
module_param(news, ulong, 0644);

static int irq;

static irqreturn_t nothing_irq(int irq, void *data)
{
	return READ_ONCE(news) ? IRQ_HANDLED : IRQ_NONE;
}

static int nothing_online(struct kvm_dynirq_client *client, int nr)
{
	irq = nr;
	return request_irq(nr, nothing_irq, 0, "dynirq_nothing", client);
}

static void nothing_offline(struct kvm_dynirq_client *client)
{
	free_irq(irq, client);
}

static struct kvm_dynirq_client client = {
	.label = "h1",
	.online = nothing_online,
	.offline = nothing_offline,
};

static int __init nothing_init(void)
{
	return kvm_dynirq_register(&client);
}

static void __exit nothing_exit(void)
{
	kvm_dynirq_unregister(&client);
}

module_init(nothing_init);
module_exit(nothing_exit);

MODULE_DESCRIPTION("Takes the events of a handle for nothing");
MODULE_LICENSE("GPL");

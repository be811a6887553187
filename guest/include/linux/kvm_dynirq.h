/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_KVM_DYNIRQ_H
#define _LINUX_KVM_DYNIRQ_H

/*
 * For drivers of a guest whose interrupt is a handle of a dynirq: Documentation/guest.rst section 4
 * of kvm-irqx.
 */
#include <linux/list.h>
#include <linux/types.h>

struct dynirq_handle;

/**
 * struct kvm_dynirq_client - who waits for a handle with a certain label
 * @label: of the handle; must stay as it is
 * @online: the handle is there, and @irq is its interrupt, for request_irq() and the like; it is
 *	edge-triggered.  Not 0: the client does without, until the label is given anew.
 * @offline: the handle is no more: its device has been removed, or the handle has lost its label.
 *	The interrupt must have been given back (free_irq()) when this returns.
 *
 * Both may sleep.  They are called one at a time, for all clients, and must not call
 * kvm_dynirq_register() nor kvm_dynirq_unregister().  @offline is called only after an @online that
 * returned 0, and before the next one.
 *
 * A table of the host that is not there for a while is not told: the interrupt just does not
 * come meanwhile.
 */
struct kvm_dynirq_client {
	const char *label;
	int (*online)(struct kvm_dynirq_client *client, int irq);
	void (*offline)(struct kvm_dynirq_client *client);
	/* private: */
	struct hlist_node by_label;
	struct dynirq_handle *handle;
};

/**
 * kvm_dynirq_register - wait for a handle
 * @client: zeroed but for its public members
 *
 * If the handle is there, @client->online() is called before this returns.
 * Context: may sleep.
 * Return: 0, or -EINVAL: the label is empty or has more than 31 bytes.
 */
int kvm_dynirq_register(struct kvm_dynirq_client *client);

/**
 * kvm_dynirq_unregister - do not wait any more
 * @client: as registered
 *
 * If it is online, @client->offline() is called before this returns.
 * Context: may sleep.
 */
void kvm_dynirq_unregister(struct kvm_dynirq_client *client);

#endif /* _LINUX_KVM_DYNIRQ_H */

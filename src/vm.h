/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_VM_H
#define _IRQX_VM_H

#include <linux/kvm_host.h>
#include <linux/refcount.h>

#include "bus.h"
#include "deliver.h"
#include "line.h"

/* A KVM VM, shared by the contexts attached to it. */
struct irqx_vm {
	struct kvm *kvm;		/* holds a reference; immutable, as are */
	struct module *owner;		/* of the VM file: KVM's vendor module */
	int source_id;			/* and this */
	refcount_t refs;		/* contexts */
	struct hlist_node node;		/* vms_lock; readers: RCU */
	struct rcu_head rcu;
	struct irqx_lines lines;
	struct irqx_later later;
	struct irqx_bus bus;
	refcount_t ends;		/* who has the VM after its last context */
};

int irqx_vm_init(void);
void irqx_vm_exit(void);
struct irqx_vm *irqx_vm_get(struct file *file);
void irqx_vm_put(struct irqx_vm *vm);

/* One reference more.  Context: any; the caller sees to it that there is one. */
static inline void irqx_vm_hold(struct irqx_vm *vm)
{
	refcount_inc(&vm->refs);
}

#endif /* _IRQX_VM_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_KVM_IRQX_H
#define _LINUX_KVM_IRQX_H

/**
 * DOC: Interrupts of a guest, raised by a module of the host
 *
 * For modules of the host's kernel that raise interrupts in a guest: a driver whose device is
 * partly the guest's, a backend that needs no eventfd.  The VMM hands such a module the file
 * descriptor of its context on /dev/kvm-irqx (uapi/linux/kvm_irqx.h).  All that the module knows of
 * the guest is a routing entry, or the number of a handle.
 *
 * The symbols are EXPORT_SYMBOL_GPL, in the namespace KVM_IRQX.  This imports it, on any kernel::
 *
 *	MODULE_INFO(import_ns, "KVM_IRQX");
 *
 * Raising is for any context but NMI: hard interrupts, and with raw spinlocks held.  What
 * cannot be done there is left to a worker, and is not lost and not doubled: pins of the
 * IOAPIC and PIC, what needs a page of the guest, and on PREEMPT_RT anything in a context that
 * cannot be preempted.  It may wake a vCPU's thread, so never with a lock of the scheduler's
 * (rq->lock, p->pi_lock) held.
 *
 * When the VMM closes its context, or dies, everything that was taken on it ends: raising does
 * nothing from then on.  A reference to a context or a dynirq keeps some memory, and neither the
 * file open nor the VM alive.
 */

#include <linux/types.h>
#include <uapi/linux/kvm_irqx.h>

struct file;
struct kvm_dynirq;
struct kvm_irqx_context;
struct kvm_irqx_source;

/**
 * struct kvm_irqx_source_desc - what a source is
 * @entry: where its events go, in KVM's terms or as KVM_IRQX_ROUTING_VECTOR or
 * KVM_IRQX_ROUTING_PPI; its gsi and padding are zero
 * @level: it has a level, which holds a pin, an SPI or a PPI up, as several sources and
 * KVM_IRQ_LINE can together.  Without @eoi it does until kvm_irqx_source_lower().
 * @masked: it begins masked
 * @eoi: called with @data at each EOI of the guest, or NULL.  The source has a level then, of which
 * it has let go when this is called, and can be raised again at once, by the call-back too.
 * The entry is one that KVM_IRQX_IRQFD_DIRECT takes with RESAMPLE.
 * @data: for @eoi
 *
 * @eoi may be called on several CPUs at a time, and more often than there were interrupts: an EOI
 * means "maybe done", as with a resamplefd.  Its context is that of a tracepoint's probe on the
 * vCPU's thread: no sleep, interrupts off on arm64, no lock of this module or of KVM's interrupt
 * controllers held; or that of a worker, on PREEMPT_RT always; or of a call
 * that has moved or masked a source of the VM.  Of this header it must not call anything but
 * kvm_irqx_source_raise(), kvm_irqx_source_lower() and kvm_inject_dynirq().
 */
struct kvm_irqx_source_desc {
	struct kvm_irq_routing_entry entry;
	bool level;
	bool masked;
	void (*eoi)(void *data);
	void *data;
};

struct kvm_irqx_context *kvm_irqx_context_get(int fd);
struct kvm_irqx_context *kvm_irqx_context_get_file(struct file *file);
void kvm_irqx_context_put(struct kvm_irqx_context *context);

struct kvm_irqx_source *
kvm_irqx_source_create(struct kvm_irqx_context *context,
		       const struct kvm_irqx_source_desc *desc);
void kvm_irqx_source_destroy(struct kvm_irqx_source *source);
int kvm_irqx_source_raise(struct kvm_irqx_source *source);
int kvm_irqx_source_lower(struct kvm_irqx_source *source);
int kvm_irqx_source_move(struct kvm_irqx_source *source,
			 const struct kvm_irq_routing_entry *entry);
int kvm_irqx_source_mask(struct kvm_irqx_source *source, bool masked);
int kvm_irqx_source_state(struct kvm_irqx_source *source);

struct kvm_dynirq *kvm_dynirq_get(struct kvm_irqx_context *context, u32 table);
int kvm_dynirq_find(struct kvm_dynirq *dynirq, const char *label);
void kvm_dynirq_put(struct kvm_dynirq *dynirq);
int kvm_inject_dynirq(struct kvm_dynirq *dynirq, u32 handle);

#endif /* _LINUX_KVM_IRQX_H */

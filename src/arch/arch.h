/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_ARCH_H
#define _IRQX_ARCH_H

/* What a routing entry may be on this architecture, and its limits. */

#include <linux/kvm_host.h>

struct irqx_error;

u64 irqx_arch_features(void);
int irqx_arch_vm_ready(struct kvm *kvm, struct irqx_error *error);

/*
 * Context: any.  Return: as kvm_set_irq(), which is what KVM answers on x86.  The
 * VGIC answers 0 to an interrupt that it has taken, whether or not it was pending
 * already; but for an MSI outside atomic context, where KVM has made it what
 * kvm_set_irq() answers.
 */
static inline int irqx_arch_result(int ret)
{
	return IS_ENABLED(CONFIG_ARM64) ? ret ?: 1 : ret;
}

/* Whether the guest's interrupt controllers take the messages of a table. */
int irqx_arch_takes_tables(struct kvm *kvm, struct irqx_error *error);

/* Whether irqx_kvm_inject_atomic() can be called with a raw lock held. */
bool irqx_arch_injects_raw(const struct kvm_kernel_irq_routing_entry *e);

/*
 * What a guest has written as an MSI becomes KVM's: where the destination has more than 8 bits KVM
 * has the others in the upper half of the address.
 */
void irqx_arch_widen_destination(struct kvm *kvm, u32 *address_lo, u32 *address_hi);

/* What a device is to those: its device ID, or nothing. */
static inline u32 irqx_arch_devid(u32 devid)
{
	return IS_ENABLED(CONFIG_ARM64) ? devid : 0;
}

/*
 * A message as a dynirq has it in 48 bits (Documentation/dynirq.rst section 3).  @partial: some of
 * it is not in there.
 */
u64 irqx_arch_pack_message(u64 address, u32 data, u64 doorbell, bool *partial);
void irqx_arch_unpack_message(u64 packed, u64 doorbell, u64 *address, u32 *data);

bool irqx_arch_entry_needs_mm(const struct kvm_kernel_irq_routing_entry *e);

/* Whether delivery outside atomic context may wait for a page of the guest. */
bool irqx_arch_waits_for_pages(const struct kvm_kernel_irq_routing_entry *e);
/* Of a thread that writes to guest memory.  Context: that thread, once. */
void irqx_arch_init_pager(void);
/* Whether there is anything that writes to guest memory in the VM's mm. */
bool irqx_arch_writes_guest_memory(void);
bool irqx_arch_memory_named(struct kvm *kvm);
int irqx_arch_check_entry(const struct kvm_irq_routing_entry *ue,
			  struct irqx_error *error);
u32 irqx_arch_vp_index(struct kvm_vcpu *vcpu);

/* Of a pin, as its user has numbered it within its irqchip, from how KVM has. */
u32 irqx_arch_user_pin(u32 irqchip, u32 pin);

/* Keys of a VM's lines; small numbers, negative: the entry has no line. */
long irqx_arch_line_key(const struct kvm_kernel_irq_routing_entry *e);
long irqx_arch_pin_key(u32 irqchip, u32 pin);
long irqx_arch_sint_key(u32 vp, u32 sint);
long irqx_arch_vector_key(u32 vector);
long irqx_arch_ppi_key(u32 vcpu, u32 intid);	/* arm64 */

/*
 * The SINTs that have @vector now, as KVM looks at an EOI, a bit each.  Context: the
 * vCPU's thread.
 */
unsigned long irqx_arch_sints_of(struct kvm_vcpu *vcpu, int vector);

/* Whether no interrupt can come of it, though KVM takes it.  Context: any. */
bool irqx_arch_is_undeliverable(const struct kvm_kernel_irq_routing_entry *e);

/* Whether KVM tells when the guest has acknowledged it. */
bool irqx_arch_has_eoi(struct kvm *kvm, const struct kvm_kernel_irq_routing_entry *e);

/*
 * Whether KVM's locks of a pin are raw, as the VGIC's are, not those of the IOAPIC and
 * the PIC: then irqx_kvm_set_pin() can lower it in any context.
 */
static inline bool irqx_arch_pins_are_raw(void)
{
	return IS_ENABLED(CONFIG_ARM64);
}

/* Whether irqx_kvm_set_pin() can raise it there, too. */
bool irqx_arch_pins_are_atomic(struct kvm *kvm);

#endif /* _IRQX_ARCH_H */

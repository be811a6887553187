/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_KVM_SYMBOLS_H
#define _IRQX_KVM_SYMBOLS_H

#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/kvm_host.h>
#include <linux/static_call.h>

#include "compat.h"

/*
 * The functions borrowed from KVM.  KVM declares them in its public headers
 * but does not export them (or, from 7.x on, exports them to its vendor
 * modules only).
 */
#define IRQX_KVM_SYMBOLS(X)		\
	X(file_is_kvm)			\
	X(kvm_set_routing_entry)	\
	X(kvm_arch_set_irq_inatomic)	\
	X(kvm_get_running_vcpu)		\
	X(gfn_to_memslot)		\
	X(kvm_io_bus_register_dev)	\
	X(kvm_io_bus_unregister_dev)	\
	IRQX_KVM_SYMBOLS_IOAPIC(X)	\
	IRQX_KVM_SYMBOLS_SOURCE_ID(X)	\
	IRQX_KVM_SYMBOLS_PPI(X)

/* IRQX_KVM_SYMBOLS_OPTIONAL(): the module works without; irqx_kvm_has() tells. */

/*
 * Each is called as static_call(irqx_NAME)(...): a direct call on x86.  KVM's
 * unexported functions have their ENDBR erased when kvm.ko is loaded (objtool
 * seals what nobody takes the address of), so that a call through a pointer
 * faults on a CPU with IBT, while a direct call is never checked.
 */
#define IRQX_DECLARE(name)	DECLARE_STATIC_CALL(irqx_##name, name);
IRQX_KVM_SYMBOLS(IRQX_DECLARE)
IRQX_KVM_SYMBOLS_OPTIONAL(IRQX_DECLARE)
IRQX_KVM_SYMBOLS_BTF(IRQX_DECLARE)
#undef IRQX_DECLARE

/* Its address, or NULL.  Context: any, after irqx_kvm_resolve(). */
#define irqx_kvm_has(name)	static_call_query(irqx_##name)

#endif /* _IRQX_KVM_SYMBOLS_H */

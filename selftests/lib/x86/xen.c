// SPDX-License-Identifier: GPL-2.0
/*
 * See irqx_xen.h.
 */
#include "irqx_xen.h"

/*
 * Xen event channels, two-level ABI of a 64-bit guest.  Interface facts from
 * xen/include/public: struct vcpu_info is 64 bytes; shared_info holds 32 of
 * them, then 4096 pending bits, then 4096 mask bits.
 */
#define XEN_MSR			0x40000200
#define XEN_UPCALL_VECTOR	0xf3

struct xen_vcpu_info {
	uint8_t upcall_pending;
	uint8_t upcall_mask;
	uint64_t pending_sel;
	uint8_t rest[48];
};

struct xen_shared_info {
	struct xen_vcpu_info vcpu_info[32];
	uint64_t pending[64];
	uint64_t mask[64];
};

static struct xen_shared_info *xen_shared;
static struct xen_vcpu_info *xen_vcpus;
static uint64_t xen_upcalls, xen_events[4096];

static void xen_upcall(struct ex_regs *regs)
{
	struct xen_vcpu_info *vcpu = &xen_vcpus[1];
	uint64_t words, bits;
	uint32_t word, bit;

	(void)regs;
	WRITE_ONCE(vcpu->upcall_pending, 0);
	words = __atomic_exchange_n(&vcpu->pending_sel, 0, __ATOMIC_SEQ_CST);
	for (word = 0; word < 64; word++) {
		if (!(words & 1ULL << word))
			continue;
		bits = __atomic_exchange_n(&xen_shared->pending[word], 0,
					   __ATOMIC_SEQ_CST);
		for (bit = 0; bit < 64; bit++)
			if (bits & 1ULL << bit)
				xen_events[64 * word + bit]++;
	}
	WRITE_ONCE(xen_upcalls, xen_upcalls + 1);
}

void irqx_xen_set_shared_info(struct irqx_guest *g, uint64_t gpa)
{
	struct kvm_xen_hvm_attr shared = { .type = KVM_XEN_ATTR_TYPE_SHARED_INFO };

	shared.u.shared_info.gfn = gpa >> 12;
	vm_ioctl(g->vm, KVM_XEN_HVM_SET_ATTR, &shared);
}

void irqx_xen_init(struct irqx_guest *g)
{
	struct kvm_xen_hvm_config config = {
		.flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL,
		.msr = XEN_MSR,
	};
	struct kvm_xen_hvm_attr long_mode = {
		.type = KVM_XEN_ATTR_TYPE_LONG_MODE,
		.u.long_mode = 1,
	};
	struct kvm_xen_hvm_attr vector = {
		.type = KVM_XEN_ATTR_TYPE_UPCALL_VECTOR,
		.u.vector = XEN_UPCALL_VECTOR,
	};
	struct kvm_xen_vcpu_attr info = { .type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO };
	vm_vaddr_t shared_gva = vm_vaddr_alloc_page(g->vm);
	vm_vaddr_t vcpus_gva = vm_vaddr_alloc_page(g->vm);
	uint32_t i;

	xen_shared = (void *)shared_gva;
	xen_vcpus = (void *)vcpus_gva;
	sync_global_to_guest(g->vm, xen_shared);
	sync_global_to_guest(g->vm, xen_vcpus);
	irqx_guest_handle(g->vm, XEN_UPCALL_VECTOR, xen_upcall);

	vm_ioctl(g->vm, KVM_XEN_HVM_CONFIG, &config);
	vm_ioctl(g->vm, KVM_XEN_HVM_SET_ATTR, &long_mode);
	irqx_xen_set_shared_info(g, addr_gva2gpa(g->vm, shared_gva));
	vm_ioctl(g->vm, KVM_XEN_HVM_SET_ATTR, &vector);
	for (i = 0; i < g->nr_vcpus; i++) {
		info.u.gpa = addr_gva2gpa(g->vm, vcpus_gva) + i * 64;
		vcpu_ioctl(g->vcpus[i].vcpu, KVM_XEN_VCPU_SET_ATTR, &info);
	}
}

uint64_t irqx_xen_events(struct irqx_guest *g, uint32_t port)
{
	uint64_t *events = addr_gva2hva(g->vm, (vm_vaddr_t)&xen_events[port]);

	return READ_ONCE(*events);
}

struct kvm_irq_routing_entry irqx_xen_entry(uint32_t vcpu, uint32_t port)
{
	struct kvm_irq_routing_entry entry = { .type = KVM_IRQ_ROUTING_XEN_EVTCHN };

	entry.u.xen_evtchn.port = port;
	entry.u.xen_evtchn.vcpu = vcpu;
	entry.u.xen_evtchn.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL;
	return entry;
}

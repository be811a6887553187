/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_SYNIC_H
#define SELFTEST_IRQX_SYNIC_H

/*
 * A guest with Hyper-V's synthetic interrupt controller, and the VMM's part of
 * it: messages and event flags.
 */
#include "hyperv.h"
#include "irqx_level.h"

#define IRQX_NR_SINTS		16
#define IRQX_SINT_VECTOR	0x60	/* SINT n: this + n */
#define IRQX_SINT_MASKED	(1ULL << 16)
#define IRQX_SINT_AUTO_EOI	(1ULL << 17)
#define IRQX_SYNIC_PAGE_ON	1ULL

/* A slot of the message page, one per SINT. */
struct irqx_message {
	uint32_t type;			/* 0: free */
	uint8_t size;
	uint8_t flags;
	uint8_t rsvd[2];
	uint64_t sender;
	uint64_t payload[30];
};

#define IRQX_MESSAGE_PENDING	(1 << 0)	/* @flags: tell by EOM */

/* The event-flag page. */
struct irqx_event_page {
	uint32_t words[IRQX_NR_SINTS][KVM_IRQX_EVENT_FLAGS / 32];
};

/* In guest memory, one per vCPU.  What the handlers of SINTs do, and did. */
struct irqx_synic_cpu {
	uint64_t messages;		/* the guest's address of the page, or 0 */
	uint64_t events;		/* likewise */
	uint32_t auto_eoi;		/* a bit per SINT */
	uint32_t hold;			/* likewise: do nothing but count */

	uint64_t eoms;
	uint64_t nr_messages[IRQX_NR_SINTS];
	uint64_t sum[IRQX_NR_SINTS];	/* of the first words of the messages */
	uint64_t nr_events[IRQX_NR_SINTS];
	struct irqx_event_page seen;
};

struct irqx_synic_vp {
	struct irqx_synic_cpu *cpu;	/* mapped into the host, as are */
	struct irqx_message *messages;	/* these */
	struct irqx_event_page *events;
	uint64_t messages_gpa;
	uint64_t events_gpa;
	uint64_t messages_gva;
	uint64_t events_gva;

	/* What KVM_EXIT_HYPERV said last. */
	uint32_t exits;
	uint64_t control;
	uint64_t evt_page;
	uint64_t msg_page;
};

#define IRQX_SYNIC_MAX_VCPUS	2

struct irqx_synic {
	struct irqx_guest *g;
	bool follow;			/* tell the context of event-flag pages */
	struct irqx_synic_vp vp[IRQX_SYNIC_MAX_VCPUS];
};

/* The SynIC is not active yet. */
#define IRQX_SYNIC_LATE		(1 << 0)
/* or IRQX_GUEST_ARCH_DIRTY_RING */

/* vCPUs do not run yet; VP i is vCPU i. */
struct irqx_synic *irqx_synic_create(uint32_t nr_vcpus, uint32_t flags);
void irqx_synic_free(struct irqx_synic *s);
/* Instead of irqx_guest_start(): these vCPUs know KVM_EXIT_HYPERV. */
void irqx_synic_start(struct irqx_synic *s);
void irqx_synic_activate(struct irqx_synic *s);

/* By the guest, as are all of these. */
void irqx_sint_set(struct irqx_synic *s, uint32_t vcpu, uint32_t sint,
		   uint64_t value);
/* All SINTs of all vCPUs, at their usual vectors. */
void irqx_sint_set_all(struct irqx_synic *s, uint64_t flags);
void irqx_eom(struct irqx_synic *s, uint32_t vcpu);
void irqx_synic_messages(struct irqx_synic *s, uint32_t vcpu, bool on);
void irqx_synic_events(struct irqx_synic *s, uint32_t vcpu, bool on);

struct kvm_irq_routing_entry irqx_sint_entry(uint32_t vp, uint32_t sint);

/*
 * The VMM's side
 */

static inline int __irqx_synic_page(int ctx, uint32_t vp, uint32_t flags,
				    uint64_t gpa)
{
	struct kvm_irqx_synic_page page = {
		.vp_index = vp,
		.flags = flags,
		.gpa = gpa,
	};

	return __irqx_ioctl(ctx, KVM_IRQX_SYNIC_PAGE, &page);
}

#define irqx_synic_page(ctx, vp, gpa)	\
	irqx_assert(__irqx_synic_page(ctx, vp, KVM_IRQX_SYNIC_PAGE_ENABLED, gpa))
#define irqx_synic_no_page(ctx, vp)	\
	irqx_assert(__irqx_synic_page(ctx, vp, 0, 0))

static inline int __irqx_bind_flag(int ctx, int fd, uint32_t flags,
				   struct kvm_irq_routing_entry entry,
				   uint32_t event_flag)
{
	struct kvm_irqx_irqfd_direct direct = {
		.fd = fd,
		.resamplefd = -1,
		.flags = KVM_IRQX_IRQFD_DIRECT_EVENT_FLAG | flags,
		.event_flag = event_flag,
		.entry = entry,
	};

	return __irqx_ioctl(ctx, KVM_IRQX_IRQFD_DIRECT, &direct);
}

#define irqx_bind_flag(ctx, fd, entry, flag)	\
	irqx_assert(__irqx_bind_flag(ctx, fd, 0, entry, flag))
#define irqx_modify_flag(ctx, fd, entry, flag)	\
	irqx_assert(__irqx_bind_flag(ctx, fd, KVM_IRQX_IRQFD_DIRECT_MODIFY, entry, flag))

/* Return: false if the slot is taken; then the guest is asked to say when not. */
bool irqx_message_post(struct irqx_message *slot, uint64_t value);

/* Return: whether the flag was clear. */
bool irqx_flag_set(struct irqx_event_page *page, uint32_t sint, uint32_t flag);
bool irqx_flag_clear(struct irqx_event_page *page, uint32_t sint, uint32_t flag);
bool irqx_flag_test(struct irqx_event_page *page, uint32_t sint, uint32_t flag);

#endif /* SELFTEST_IRQX_SYNIC_H */

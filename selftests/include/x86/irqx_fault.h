/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_FAULT_H
#define SELFTEST_IRQX_FAULT_H

/* What fault_test.c, which includes this, does by architecture. */

#include "irqx_level.h"
#include "irqx_synic.h"

#define SINT		2
#define SINT_VP		1
#define SINT_IRQ	(IRQX_SINT_VECTOR + SINT)
#define EVENT_FLAG	77
#define XEN_PORT	1234
/* Of the IOAPIC and of the first PIC; and of the second. */
#define SHARED_PIN	3

static struct irqx_synic *synic;

/*
 * What a guest of Xen shares with it, in 64-bit mode (xen/include/public): 32 structs
 * of 64 bytes, then these.
 */
struct xen_shared_info {
	uint8_t vcpu_info[32 * 64];
	uint64_t pending[64];
	uint64_t mask[64];
};

static struct xen_shared_info *xen_shared;

/* Ports are masked, so an event leaves its bit and is no interrupt. */
static void xen_init(struct irqx_guest *g)
{
	struct kvm_xen_hvm_attr long_mode = {
		.type = KVM_XEN_ATTR_TYPE_LONG_MODE,
		.u.long_mode = 1,
	};
	struct kvm_xen_hvm_attr shared = { .type = KVM_XEN_ATTR_TYPE_SHARED_INFO };
	struct kvm_xen_vcpu_attr info = { .type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO };
	uint64_t gpa;
	uint32_t i;

	if (!kvm_has_cap(KVM_CAP_XEN_HVM))
		return;
	gpa = addr_gva2gpa(g->vm, vm_vaddr_alloc_page(g->vm));
	xen_shared = addr_gpa2hva(g->vm, gpa);
	memset(xen_shared->mask, 0xff, sizeof(xen_shared->mask));
	vm_ioctl(g->vm, KVM_XEN_HVM_SET_ATTR, &long_mode);
	shared.u.shared_info.gfn = gpa >> 12;
	vm_ioctl(g->vm, KVM_XEN_HVM_SET_ATTR, &shared);
	for (i = 0; i < g->nr_vcpus; i++) {
		info.u.gpa = gpa + i * 64;
		vcpu_ioctl(g->vcpus[i].vcpu, KVM_XEN_VCPU_SET_ATTR, &info);
	}
}

static struct irqx_guest *fault_guest_create(void)
{
	struct irqx_guest *g;

	synic = irqx_synic_create(2, 0);
	g = synic->g;
	close(g->ctx);
	g->ctx = -1;
	xen_init(g);
	irqx_synic_start(synic);
	irqx_sint_set(synic, SINT_VP, SINT, SINT_IRQ);
	irqx_synic_events(synic, SINT_VP, true);
	/* So that their levels can be seen. */
	irqx_pic_init(g, 0xfef8, 0xffff, 0);
	irqx_ioapic_set(g->vm, SHARED_PIN, IRQX_IOAPIC_MASKED | IRQX_IOAPIC_LEVEL);
	return g;
}

static void fault_guest_free(struct irqx_guest *g)
{
	(void)g;
	irqx_synic_free(synic);
}

/* ---- SINTs ---- */

static void prepare_direct_sint(struct scene *s)
{
	prepare_direct(s, KVM_IRQX_IRQFD_DIRECT_RESAMPLE, irqx_sint_entry(SINT_VP, SINT));
}

static void sint_is_bound(struct __test_metadata *_metadata, struct scene *s)
{
	fd_is_bound_to(s, SINT_VP, SINT_IRQ);
	/* One EOI each. */
	ASSERT_EQ(2, irqx_eventfd_take(s->ack));
}

FIXTURE_VARIANT_ADD(fault, direct_sint_resample)
{
	.name = "direct_sint_resample",
	.prepare = prepare_direct_sint,
	.failed = fd_is_not_bound,
	.done = sint_is_bound,
};

FIXTURE_VARIANT_ADD(fault, direct_sint_resample_first)
{
	.name = "direct_sint_resample_first",
	.prepare = prepare_direct_sint,
	.failed = fd_is_not_bound,
	.done = sint_is_bound,
	.no_probes = true,
};

static void prepare_direct_flag(struct scene *s)
{
	struct kvm_irqx_irqfd_direct *direct;

	prepare_direct(s, KVM_IRQX_IRQFD_DIRECT_EVENT_FLAG,
		       irqx_sint_entry(SINT_VP, SINT));
	direct = (void *)s->arg;
	direct->event_flag = EVENT_FLAG;
}

/* Its page is not known yet: an event is refused. */
static void flag_is_refused(struct __test_metadata *_metadata, struct scene *s)
{
	uint64_t refused = irqx_stats(s->ctx).refused;

	irqx_fire(s->fd);
	irqx_settle(s->ctx);
	ASSERT_EQ(refused + 1, irqx_stats(s->ctx).refused);
	irqx_check(s->g);
}

static void flag_is_set(struct __test_metadata *_metadata, struct scene *s)
{
	struct irqx_synic_cpu *cpu = synic->vp[SINT_VP].cpu;
	uint64_t events = READ_ONCE(cpu->nr_events[SINT]);

	deliver_at(s, s->fd, SINT_VP, SINT_IRQ);
	ASSERT_EQ(events + 1, READ_ONCE(cpu->nr_events[SINT]));
	ASSERT_TRUE(irqx_flag_test(&cpu->seen, SINT, EVENT_FLAG));
}

static void direct_flag_done(struct __test_metadata *_metadata, struct scene *s)
{
	irqx_settle(s->ctx);
	ASSERT_EQ(s->stats.refused + 1, irqx_stats(s->ctx).refused);
	flag_is_refused(_metadata, s);
	irqx_synic_page(s->ctx, SINT_VP, synic->vp[SINT_VP].events_gpa);
	flag_is_set(_metadata, s);
}

FIXTURE_VARIANT_ADD(fault, direct_flag)
{
	.name = "direct_flag",
	.prepare = prepare_direct_flag,
	.failed = fd_is_not_bound,
	.done = direct_flag_done,
};

/* The virtual processor is a new one. */
static void prepare_modify_flag(struct scene *s)
{
	struct kvm_irqx_irqfd_direct *direct;

	irqx_eventfd_take(s->fd);
	irqx_bind(s->ctx, s->fd, irqx_entry(s->g, 0, NEW_IRQ));
	prepare_direct_flag(s);
	direct = (void *)s->arg;
	direct->flags |= KVM_IRQX_IRQFD_DIRECT_MODIFY;
}

static void modify_flag_failed(struct __test_metadata *_metadata, struct scene *s)
{
	(void)_metadata;
	deliver_at(s, s->fd, 0, NEW_IRQ);
}

static void modify_flag_done(struct __test_metadata *_metadata, struct scene *s)
{
	flag_is_refused(_metadata, s);
	irqx_synic_page(s->ctx, SINT_VP, synic->vp[SINT_VP].events_gpa);
	flag_is_set(_metadata, s);
}

FIXTURE_VARIANT_ADD(fault, modify_flag)
{
	.name = "modify_flag",
	.prepare = prepare_modify_flag,
	.failed = modify_flag_failed,
	.done = modify_flag_done,
};

static void prepare_page(struct scene *s, uint32_t vp, uint32_t flags, uint64_t gpa)
{
	struct kvm_irqx_synic_page *page = argument(s, s->ctx, KVM_IRQX_SYNIC_PAGE);

	page->vp_index = vp;
	page->flags = flags;
	page->gpa = gpa;
}

/* Before anything was bound there. */
static void prepare_synic_page_first(struct scene *s)
{
	irqx_eventfd_take(s->fd);
	prepare_page(s, SINT_VP, KVM_IRQX_SYNIC_PAGE_ENABLED,
		     synic->vp[SINT_VP].events_gpa);
}

static void bind_flag(struct scene *s)
{
	prepare_direct_flag(s);
	irqx_assert(__irqx_ioctl(s->on, s->cmd, s->arg));
}

static void synic_page_first_done(struct __test_metadata *_metadata, struct scene *s)
{
	bind_flag(s);
	flag_is_set(_metadata, s);
}

FIXTURE_VARIANT_ADD(fault, synic_page_first)
{
	.name = "synic_page_first",
	.prepare = prepare_synic_page_first,
	.done = synic_page_first_done,
};

static void prepare_synic_page(struct scene *s)
{
	irqx_eventfd_take(s->fd);
	bind_flag(s);
	prepare_synic_page_first(s);
}

FIXTURE_VARIANT_ADD(fault, synic_page)
{
	.name = "synic_page",
	.no_memory = true,
	.prepare = prepare_synic_page,
	.failed = flag_is_refused,
	.done = flag_is_set,
};

static void prepare_synic_no_page(struct scene *s)
{
	irqx_eventfd_take(s->fd);
	bind_flag(s);
	irqx_synic_page(s->ctx, SINT_VP, synic->vp[SINT_VP].events_gpa);
	prepare_page(s, SINT_VP, 0, 0);
}

FIXTURE_VARIANT_ADD(fault, synic_no_page)
{
	.name = "synic_no_page",
	.no_memory = true,
	.prepare = prepare_synic_no_page,
	.failed = flag_is_set,
	.done = flag_is_refused,
};

/* ---- Xen event channels ---- */

static void prepare_direct_xen(struct scene *s)
{
	struct kvm_irq_routing_entry entry = { .type = KVM_IRQ_ROUTING_XEN_EVTCHN };

	entry.u.xen_evtchn.port = XEN_PORT;
	entry.u.xen_evtchn.vcpu = 1;
	entry.u.xen_evtchn.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL;
	prepare_direct(s, 0, entry);
}

/* Return: whether the port was pending; it is not any more. */
static bool xen_take(void)
{
	uint64_t bit = 1ULL << XEN_PORT % 64;

	return __atomic_fetch_and(&xen_shared->pending[XEN_PORT / 64], ~bit,
				  __ATOMIC_SEQ_CST) & bit;
}

static void xen_failed(struct __test_metadata *_metadata, struct scene *s)
{
	fd_is_not_bound(_metadata, s);
	ASSERT_FALSE(xen_take());
}

static void xen_done(struct __test_metadata *_metadata, struct scene *s)
{
	irqx_settle(s->ctx);
	ASSERT_TRUE(xen_take());
	irqx_fire(s->fd);
	irqx_settle(s->ctx);
	ASSERT_TRUE(xen_take());
	irqx_check(s->g);
}

FIXTURE_VARIANT_ADD(fault, direct_xen)
{
	.name = "direct_xen",
	.feature = KVM_IRQX_FEATURE_XEN_EVTCHN,
	.prepare = prepare_direct_xen,
	.failed = xen_failed,
	.done = xen_done,
};

/* ---- GSIs that irqchips share ---- */

static void prepare_route_add(struct scene *s)
{
	irqx_route_set(s->ctx, NEW_GSI, irqx_pin_entry(KVM_IRQCHIP_IOAPIC, SHARED_PIN));
	batch_begin(s);
	batch_add(s, KVM_IRQX_OP_ROUTE_ADD, NEW_GSI, irqx_pic_entry(SHARED_PIN));
}

/* Its pins follow the level. */
static void pins_are(struct __test_metadata *_metadata, struct scene *s,
		     bool ioapic, bool pic, bool pic2)
{
	irqx_irq_line(s->ctx, NEW_GSI, 1);
	ASSERT_EQ(ioapic, irqx_pin_is_up(s->g->vm, SHARED_PIN));
	ASSERT_EQ(pic, irqx_pic_is_up(s->g->vm, SHARED_PIN));
	ASSERT_EQ(pic2, irqx_pic_is_up(s->g->vm, SHARED_PIN + 8));
	irqx_irq_line(s->ctx, NEW_GSI, 0);
}

static void route_add_failed(struct __test_metadata *_metadata, struct scene *s)
{
	pins_are(_metadata, s, true, false, false);
}

static void route_add_done(struct __test_metadata *_metadata, struct scene *s)
{
	pins_are(_metadata, s, true, true, false);
}

FIXTURE_VARIANT_ADD(fault, route_add)
{
	.name = "route_add",
	.prepare = prepare_route_add,
	.failed = route_add_failed,
	.done = route_add_done,
};

/* Two are copied for the third; whoever holds the GSI up needs a line on it. */
static void prepare_route_add_up(struct scene *s)
{
	prepare_route_add(s);
	irqx_assert(__irqx_ioctl(s->on, s->cmd, s->arg));
	irqx_irq_line(s->ctx, NEW_GSI, 1);
	batch_begin(s);
	batch_add(s, KVM_IRQX_OP_ROUTE_ADD, NEW_GSI, irqx_pic_entry(SHARED_PIN + 8));
}

static void route_add_up_failed(struct __test_metadata *_metadata, struct scene *s)
{
	ASSERT_FALSE(irqx_pic_is_up(s->g->vm, SHARED_PIN + 8));
	pins_are(_metadata, s, true, true, false);
	irqx_irq_line(s->ctx, NEW_GSI, 1);
}

static void route_add_up_done(struct __test_metadata *_metadata, struct scene *s)
{
	ASSERT_TRUE(irqx_pic_is_up(s->g->vm, SHARED_PIN + 8));
	pins_are(_metadata, s, true, true, true);
}

FIXTURE_VARIANT_ADD(fault, route_add_up)
{
	.name = "route_add_up",
	.prepare = prepare_route_add_up,
	.failed = route_add_up_failed,
	.done = route_add_up_done,
};

#endif /* SELFTEST_IRQX_FAULT_H */

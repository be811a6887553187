// SPDX-License-Identifier: MIT
/*
 * From one table of routes to another by the fewest operations.
 *
 * Both tables are sorted by GSI and content, and then walked side by side, a GSI at a time.  A
 * GSI has up to three entries, so what is done with those of one GSI may be simple.
 */
#include <stdlib.h>

#include "internal.h"

/* What KVM looks at: the rest is padding, which an operation must not have. */
static struct kvm_irq_routing_entry essence(const struct kvm_irq_routing_entry *from)
{
	struct kvm_irq_routing_entry to;

	memset(&to, 0, sizeof(to));
	to.gsi = from->gsi;
	to.type = from->type;
	to.flags = from->flags;
	switch (from->type) {
	case KVM_IRQ_ROUTING_IRQCHIP:
	case KVM_IRQX_ROUTING_PPI:
	case KVM_IRQX_ROUTING_VECTOR:
		to.u.irqchip = from->u.irqchip;
		break;
	case KVM_IRQ_ROUTING_MSI:
		to.u.msi.address_lo = from->u.msi.address_lo;
		to.u.msi.address_hi = from->u.msi.address_hi;
		to.u.msi.data = from->u.msi.data;
		if (from->flags & KVM_MSI_VALID_DEVID)
			to.u.msi.devid = from->u.msi.devid;
		break;
	case KVM_IRQ_ROUTING_HV_SINT:
		to.u.hv_sint = from->u.hv_sint;
		break;
	case KVM_IRQ_ROUTING_XEN_EVTCHN:
		to.u.xen_evtchn = from->u.xen_evtchn;
		break;
	default:
		to.u = from->u;
	}
	return to;
}

static int compare(const void *left, const void *right)
{
	const struct kvm_irq_routing_entry *a = left, *b = right;

	if (a->gsi != b->gsi)
		return a->gsi < b->gsi ? -1 : 1;
	return memcmp(a, b, sizeof(*a));
}

/* Return: for free(), or NULL. */
static struct kvm_irq_routing_entry *sorted(const struct kvm_irq_routing_entry *from, __u32 nr)
{
	struct kvm_irq_routing_entry *to;

	to = calloc(nr ? nr : 1, sizeof(*to));
	if (!to)
		return NULL;
	for (__u32 i = 0; i < nr; i++)
		to[i] = essence(&from[i]);
	if (nr)
		qsort(to, nr, sizeof(*to), compare);
	return to;
}

/* Of one GSI. */
struct part {
	const struct kvm_irq_routing_entry *entries;
	__u32 nr;
};

/* Return: the entries of @gsi, with which @entries begins. */
static struct part part_of(const struct kvm_irq_routing_entry *entries, __u32 nr, __u32 gsi)
{
	struct part part = { .entries = entries };

	while (part.nr < nr && entries[part.nr].gsi == gsi)
		part.nr++;
	return part;
}

/* Return: is all of @part in @of? Both are sorted. */
static bool is_part_of(const struct part *part, const struct part *of)
{
	__u32 found = 0;

	for (__u32 i = 0; i < of->nr && found < part->nr; i++)
		if (!compare(&part->entries[found], &of->entries[i]))
			found++;
	return found == part->nr;
}

static int add_entries(struct kvmirqx_batch *batch, const struct part *from, const struct part *to)
{
	__u32 kept = 0;
	int ret = 0;

	if (!to->nr)
		return kvmirqx_batch_route_del(batch, from->entries->gsi);
	/* One that goes can only go by a new beginning. */
	if (!from->nr || !is_part_of(from, to)) {
		ret = kvmirqx_batch_route_set(batch, &to->entries[0], NULL);
		for (__u32 i = 1; i < to->nr && !ret; i++)
			ret = kvmirqx_batch_route_add(batch, &to->entries[i]);
		return ret;
	}
	for (__u32 i = 0; i < to->nr && !ret; i++) {
		if (kept < from->nr && !compare(&from->entries[kept], &to->entries[i]))
			kept++;
		else
			ret = kvmirqx_batch_route_add(batch, &to->entries[i]);
	}
	return ret;
}

static int add_changes(struct kvmirqx_batch *batch,
		       const struct kvm_irq_routing_entry *from, __u32 nr_from,
		       const struct kvm_irq_routing_entry *to, __u32 nr_to)
{
	struct part old, new;
	__u32 gsi;
	int ret = 0;

	while (!ret && (nr_from || nr_to)) {
		if (!nr_to || (nr_from && from->gsi < to->gsi))
			gsi = from->gsi;
		else
			gsi = to->gsi;
		old = part_of(from, nr_from, gsi);
		new = part_of(to, nr_to, gsi);
		if (old.nr != new.nr || !is_part_of(&old, &new))
			ret = add_entries(batch, &old, &new);
		from += old.nr;
		nr_from -= old.nr;
		to += new.nr;
		nr_to -= new.nr;
	}
	return ret;
}

PUBLIC int kvmirqx_batch_routes(struct kvmirqx_batch *batch,
				const struct kvm_irq_routing_entry *from, __u32 nr_from,
				const struct kvm_irq_routing_entry *to, __u32 nr_to)
{
	struct kvm_irq_routing_entry *old, *new;
	int before = kvmirqx_batch_count(batch);
	int ret;

	if (before < 0 || (nr_from && !from) || (nr_to && !to))
		return -EINVAL;
	old = sorted(from, nr_from);
	new = sorted(to, nr_to);
	ret = old && new ? add_changes(batch, old, nr_from, new, nr_to) : -ENOMEM;
	free(old);
	free(new);
	return ret ? ret : kvmirqx_batch_count(batch) - before;
}

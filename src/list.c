// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_IRQX_LIST: the bindings of a context, a piece at a time.
 *
 * A cursor is the id from which to go on.  Ids rise and none is used twice, so that it does not
 * matter what has come or gone since the last piece.
 */
#include <linux/sched.h>

#include "context.h"
#include "irqfd.h"
#include "kvm/kvm.h"
#include "line.h"
#include "list.h"

static void describe(struct irqx_irqfd *irqfd, struct kvm_irqx_binding *binding)
{
	const struct irqx_entries *to = &irqfd->target->to;
	struct irqx_observed seen;

	irqx_deliver_observe(irqfd, &seen);
	binding->cookie = irqfd->cookie;
	binding->events = seen.events;
	binding->coalesced = seen.coalesced;
	binding->refused = seen.refused;
	binding->state = seen.state;
	binding->eventfd_id = irqx_eventfd_id(irqfd->eventfd);
	binding->resamplefd_id = irqfd->source ? irqx_eventfd_id(irqfd->source->resamplefd) : -1;
	if (!irqx_irqfd_is_direct(irqfd)) {
		binding->flags |= KVM_IRQX_BINDING_GSI;
		binding->gsi = to->one.gsi;
	}
	if (irqfd->source)
		binding->flags |= KVM_IRQX_BINDING_RESAMPLE;
	if (to->has_flag) {
		binding->flags |= KVM_IRQX_BINDING_EVENT_FLAG;
		binding->event_flag = to->event_flag;
	}
	binding->nr_entries = to->nr;
	if (to->nr)
		irqx_kvm_unparse(&to->one, &binding->entry);
}

/**
 * irqx_list_fill - the next piece of a listing
 * @ctx: the context, locked
 * @cursor: from which id on; out: the next one's, or 0: there is none
 * @bindings: filled in; zero before
 * @nr: room there; out: how many there are
 *
 * One whose eventfd has been closed is none, even if the reaper has not been there yet.
 *
 * Context: may sleep.
 * Return: 0, or -EINTR if killed.
 */
int irqx_list_fill(struct irqx_context *ctx, u64 *cursor,
		   struct kvm_irqx_binding *bindings, u32 *nr)
{
	struct xarray *irqfds = &ctx->delivery.irqfds;
	struct irqx_irqfd *irqfd;
	u32 room = *nr;
	unsigned long id;
	int ret;

	lockdep_assert_held(&ctx->lock);

	*nr = 0;
	xa_for_each_start(irqfds, id, irqfd, *cursor) {
		if (*nr == room) {
			*cursor = id;
			return 0;
		}
		if (!xa_get_mark(irqfds, id, IRQX_IRQFD_DEAD))
			describe(irqfd, &bindings[(*nr)++]);
		ret = id % 64 ? 0 : irqx_cond_resched_killable();
		if (ret)
			return ret;
	}
	*cursor = 0;
	return 0;
}

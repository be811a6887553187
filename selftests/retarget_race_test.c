// SPDX-License-Identifier: GPL-2.0
/*
 * One thread fires, another changes where the events go.
 *
 * Interrupt controllers coalesce, and a guest takes an interrupt some time
 * after it was delivered, so counting alone can neither tell a lost event from
 * two that met, nor a late delivery from one that the guest was slow to take.
 * Two kinds of test get around that:
 *
 * - frozen: the vCPUs do not run, so the interrupt controllers show what has
 *   been delivered.  One event races with one change.  The pending bit of the
 *   old target is looked at as soon as the change has returned; if it comes up
 *   after that, the delivery was late.  In the end one bit is set: none is
 *   lost, and the context's counters say that none was doubled.
 *
 * - live: the guest takes interrupts, the changes never stop, and each event is
 *   fired when the one before has been counted, so none can coalesce.  The
 *   changing thread numbers its changes before it makes them (begun) and after
 *   (done).  An event must arrive by a binding that was valid at some time
 *   between its write and its delivery; when "done" before equals "begun"
 *   after, there was only one.
 */
#include "irqx_util.h"
#include "irqx_harness.h"

#define GSI	100000

/* Where the eventfd may lead. */
struct place {
	uint32_t vcpu;
	uint32_t irq;
	struct kvm_irq_routing_entry entry;
	bool slow;
};

enum how { DIRECT, ROUTE, TABLE };

/*
 * How long the two sides of a race take to where they meet depends on the kernel: the
 * one that was first has to wait longer the next time, farther each time until the other
 * one is first, then less far.
 */
struct meeting {
	int32_t lead;		/* loops, for the one that fires; below 0: for the other */
	int32_t step;
	bool fired_first;
};

#define MIN_STEP	64
#define MAX_LEAD	(1 << 20)

static void meeting_was(struct meeting *m, bool fired_first)
{
	m->step = fired_first == m->fired_first ? m->step * 2 : m->step / 2;
	m->step = min_t(int32_t, max_t(int32_t, m->step, MIN_STEP), MAX_LEAD);
	m->fired_first = fired_first;
	m->lead += fired_first ? m->step : -m->step;
	m->lead = min_t(int32_t, max_t(int32_t, m->lead, -MAX_LEAD), MAX_LEAD);
}

FIXTURE(retarget) {
	struct irqx_guest *g;
	int ctx;
	int fd;
	enum how how;
	struct place places[2];

	/* frozen */
	uint32_t seed[2];
	struct meeting meeting[2];	/* by which place is the old one */
	bool early;		/* the old target had it when the change returned */
	uint32_t to_old, to_new;

	/* live */
	uint64_t begun, done;
	bool stop;
};

FIXTURE_VARIANT(retarget) {
	enum how how;
	bool slow[2];
};

FIXTURE_VARIANT_ADD(retarget, direct) {
	.how = DIRECT,
};

FIXTURE_VARIANT_ADD(retarget, direct_deferred) {
	.how = DIRECT,
	.slow = { true, true },
};

FIXTURE_VARIANT_ADD(retarget, direct_mixed) {
	.how = DIRECT,
	.slow = { true, false },
};

FIXTURE_VARIANT_ADD(retarget, route) {
	.how = ROUTE,
};

FIXTURE_VARIANT_ADD(retarget, route_deferred) {
	.how = ROUTE,
	.slow = { true, true },
};

FIXTURE_VARIANT_ADD(retarget, table) {
	.how = TABLE,
};

typedef FIXTURE_DATA(retarget) race_t;

static void retarget(race_t *r, uint32_t to)
{
	struct kvm_irq_routing_entry entry = r->places[to].entry;

	switch (r->how) {
	case DIRECT:
		irqx_modify(r->ctx, r->fd, entry);
		break;
	case ROUTE:
		irqx_route_set(r->ctx, GSI, entry);
		break;
	case TABLE:
		entry.gsi = GSI;
		irqx_set_gsi_routing(r->ctx, &entry, 1);
		break;
	}
}

/* Every place is as slow as it is meant to be; vCPUs frozen. */
static void pace(race_t *r)
{
	struct place *p;

	if (r->places[0].slow || r->places[1].slow)
		irqx_make_slow(r->g);
	for (p = r->places; p < r->places + 2; p++)
		if (!p->slow)
			irqx_make_fast(r->g, p->vcpu, p->irq);
}

FIXTURE_SETUP(retarget)
{
	struct place *p;
	uint32_t i;

	self->g = irqx_guest_create(2);
	self->ctx = self->g->ctx;
	self->fd = irqx_eventfd(0, 0);
	self->how = variant->how;
	for (i = 0; i < 2; i++) {
		p = &self->places[i];
		p->vcpu = i;
		p->irq = IRQX_IRQ_MIN + 16 + 16 * i;
		p->slow = variant->slow[i];
		p->entry = p->slow ?
			irqx_slow_entry(self->g, i, p->vcpu, p->irq) :
			irqx_entry(self->g, p->vcpu, p->irq);
		self->seed[i] = i + 1;
	}
	if (self->how == DIRECT)
		irqx_bind(self->ctx, self->fd, self->places[0].entry);
	else
		irqx_irqfd(self->ctx, self->fd, GSI, 0);
	retarget(self, 0);
	pace(self);
}

FIXTURE_TEARDOWN(retarget)
{
	irqx_guest_free(self->g);
}

/*
 * So that the two sides meet at ever different points of their ways; @slow, if
 * a work queue lies on one of them.  And @lead loops more.
 */
static void dawdle(uint32_t *seed, bool slow, int32_t lead)
{
	volatile uint32_t i;
	uint32_t n;

	*seed = *seed * 1103515245 + 12345;
	n = *seed >> 16 & (slow ? 0x3fff : 0x7ff);
	n += max_t(int32_t, lead, 0);
	for (i = 0; i < n; i++)
		;
}

static void frozen_fire(void *arg, uint32_t i)
{
	race_t *r = arg;

	/* Now and then so long that the change is first. */
	dawdle(&r->seed[0], !(i % 5), r->meeting[i % 2].lead);
	irqx_fire(r->fd);
}

static void frozen_change(void *arg, uint32_t i)
{
	struct place *old;
	race_t *r = arg;

	old = &r->places[i % 2];
	dawdle(&r->seed[1], old->slow, -r->meeting[i % 2].lead);
	retarget(r, !(i % 2));
	r->early = irqx_pending(r->g, old->vcpu, old->irq);
}

static void frozen_judge(void *arg, uint32_t i)
{
	struct place *old, *new;
	bool at_old, at_new;
	race_t *r = arg;

	old = &r->places[i % 2];
	new = &r->places[!(i % 2)];
	irqx_settle(r->ctx);
	at_old = irqx_pending(r->g, old->vcpu, old->irq);
	at_new = irqx_pending(r->g, new->vcpu, new->irq);
	TEST_ASSERT(at_old || at_new, "round %u: lost", i);
	TEST_ASSERT(!at_old || !at_new, "round %u: doubled", i);
	TEST_ASSERT(at_old == r->early,
		    "round %u: to the old target after the change", i);
	meeting_was(&r->meeting[i % 2], at_old);
	r->to_old += at_old;
	r->to_new += at_new;
	irqx_clear_pending(r->g, at_old ? old->vcpu : new->vcpu);
	if (old->slow || new->slow)
		pace(r);
}

TEST_F_TIMEOUT(retarget, frozen, 600)
{
	uint32_t n = irqx_iterations(3000, 500000) / IRQX_FROZEN_COST;
	struct kvm_irqx_stats s;

	irqx_race(frozen_fire, frozen_change, frozen_judge, self, n);

	s = irqx_stats(self->ctx);
	ASSERT_EQ(n, s.events);
	ASSERT_EQ(n, s.atomic + s.deferred);
	ASSERT_EQ(0, s.coalesced + s.refused);
	if (!self->places[0].slow && !self->places[1].slow)
		ASSERT_EQ(0, s.deferred);
	if (self->places[0].slow && self->places[1].slow)
		ASSERT_EQ(0, s.atomic);
	/* Else there was no race. */
	TH_LOG("%u rounds: %u before the change, %u after", n, self->to_old,
	       self->to_new);
	ASSERT_LT(0, self->to_old);
	ASSERT_LT(0, self->to_new);
}

static void *live_change(void *arg)
{
	uint32_t seed = 3;
	race_t *r = arg;
	uint64_t i;

	for (i = 1; !__atomic_load_n(&r->stop, __ATOMIC_SEQ_CST); i++) {
		__atomic_store_n(&r->begun, i, __ATOMIC_SEQ_CST);
		retarget(r, i % 2);
		__atomic_store_n(&r->done, i, __ATOMIC_SEQ_CST);
		dawdle(&seed, false, 0);
		/* Sometimes long enough for a whole event, of either target. */
		if (!(i % 63))
			usleep(300);
	}
	return NULL;
}

/* The target of the one event since the counts were @before; -1 if not one. */
static int whither(race_t *r, const uint64_t *before, uint64_t *now)
{
	uint32_t i;

	for (i = 0; i < 2; i++)
		now[i] = irqx_count(r->g, r->places[i].vcpu, r->places[i].irq);
	if (now[0] + now[1] != before[0] + before[1] + 1)
		return -1;
	return now[1] != before[1];
}

/* On a busy machine few events fit between many changes, or the reverse. */
static bool live_enough(race_t *r, uint64_t changes, uint64_t events,
			const uint64_t *sure)
{
	return __atomic_load_n(&r->done, __ATOMIC_SEQ_CST) >= changes &&
	       events >= 200 && sure[0] && sure[1];
}

TEST_F_TIMEOUT(retarget, live, 600)
{
	bool slow = self->places[0].slow || self->places[1].slow;
	uint64_t before[2] = {}, now[2] = {}, sure[2] = {};
	uint64_t changes = irqx_iterations(100000, 10000000);
	uint64_t done, begun, events = 0;
	pthread_t thread;
	int to;

	/* What the others have of their own is seen in less. */
	if (self->how != DIRECT || slow)
		changes /= 8;
	irqx_guest_start(self->g);
	ASSERT_EQ(0, pthread_create(&thread, NULL, live_change, self));

	while (!live_enough(self, changes, events, sure)) {
		done = __atomic_load_n(&self->done, __ATOMIC_SEQ_CST);
		irqx_fire(self->fd);
		/* Delivered by now, or by the time it is counted. */
		if (!slow)
			begun = __atomic_load_n(&self->begun, __ATOMIC_SEQ_CST);
		irqx_wait_total(self->g, ++events);
		if (slow)
			begun = __atomic_load_n(&self->begun, __ATOMIC_SEQ_CST);

		to = whither(self, before, now);
		ASSERT_LE(0, to) {
			TH_LOG("event %lu: counts %lu and %lu, were %lu and %lu",
			       events, now[0], now[1], before[0], before[1]);
		}
		if (done == begun) {
			ASSERT_EQ(done % 2, to) {
				TH_LOG("event %lu, change %lu: to the wrong target",
				       events, done);
			}
			sure[to]++;
		}
		memcpy(before, now, sizeof(now));
	}
	__atomic_store_n(&self->stop, true, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);

	for (to = 0; to < 2; to++)
		irqx_expect(self->g, self->places[to].vcpu,
			    self->places[to].irq, now[to]);
	irqx_check(self->g);
	ASSERT_EQ(events, irqx_stats(self->ctx).events);
	TH_LOG("%lu changes, %lu events; of %lu the target was certain",
	       self->done, events, sure[0] + sure[1]);
}

/* The same with the binding itself coming and going; vCPUs frozen. */
FIXTURE(rebind) {
	struct irqx_guest *g;
	int fd;
	struct kvm_irq_routing_entry entry;
	bool slow;
	uint32_t seed[2];
	struct meeting meeting;
	bool early;
	uint32_t delivered;
};

FIXTURE_VARIANT(rebind) {
	bool slow;
};

FIXTURE_VARIANT_ADD(rebind, atomic) {
	.slow = false,
};

FIXTURE_VARIANT_ADD(rebind, deferred) {
	.slow = true,
};

typedef FIXTURE_DATA(rebind) rebind_t;

#define REBIND_IRQ	(IRQX_IRQ_MIN + 16)

FIXTURE_SETUP(rebind)
{
	self->g = irqx_guest_create(1);
	self->fd = irqx_eventfd(0, 0);
	self->slow = variant->slow;
	self->entry = self->slow ?
		irqx_slow_entry(self->g, 0, 0, REBIND_IRQ) :
		irqx_entry(self->g, 0, REBIND_IRQ);
	if (!self->slow)
		irqx_make_fast(self->g, 0, REBIND_IRQ);
	self->seed[0] = 1;
	self->seed[1] = 2;
}

FIXTURE_TEARDOWN(rebind)
{
	irqx_guest_free(self->g);
}

static void rebind_clear(rebind_t *r)
{
	irqx_clear_pending(r->g, 0);
	if (r->slow)
		irqx_make_slow(r->g);
}

static void rebind_fire(void *arg, uint32_t i)
{
	rebind_t *r = arg;

	dawdle(&r->seed[0], !(i % 5), r->meeting.lead);
	irqx_fire(r->fd);
}

static void rebind_unbind(void *arg, uint32_t i)
{
	rebind_t *r = arg;

	(void)i;
	dawdle(&r->seed[1], r->slow, -r->meeting.lead);
	irqx_unbind(r->g->ctx, r->fd);
	r->early = irqx_pending(r->g, 0, REBIND_IRQ);
}

static void rebind_bind(void *arg, uint32_t i)
{
	rebind_t *r = arg;

	(void)i;
	dawdle(&r->seed[1], r->slow, 0);
	irqx_bind(r->g->ctx, r->fd, r->entry);
}

/* Either an interrupt, before the call returns, or still in the eventfd. */
static void judge_unbind(void *arg, uint32_t i)
{
	rebind_t *r = arg;
	bool pending = irqx_pending(r->g, 0, REBIND_IRQ);
	uint64_t kept = irqx_eventfd_take(r->fd);

	TEST_ASSERT(pending || kept, "round %u: lost", i);
	TEST_ASSERT(!pending || !kept, "round %u: doubled", i);
	TEST_ASSERT(pending == r->early,
		    "round %u: delivered after the binding was undone", i);
	meeting_was(&r->meeting, pending);
	r->delivered += pending;
	rebind_clear(r);
	irqx_bind(r->g->ctx, r->fd, r->entry);
}

TEST_F_TIMEOUT(rebind, fire_and_unbind, 600)
{
	uint32_t n = irqx_iterations(1500, 300000) / IRQX_FROZEN_COST;

	irqx_bind(self->g->ctx, self->fd, self->entry);
	irqx_race(rebind_fire, rebind_unbind, judge_unbind, self, n);
	ASSERT_EQ(self->delivered, irqx_stats(self->g->ctx).events);
	TH_LOG("%u rounds: %u delivered, %u kept", n, self->delivered,
	       n - self->delivered);
	ASSERT_LT(0, self->delivered);
	ASSERT_LT(self->delivered, n);
}

/* Whichever comes first: one interrupt. */
static void judge_bind(void *arg, uint32_t i)
{
	rebind_t *r = arg;

	irqx_settle(r->g->ctx);
	TEST_ASSERT(irqx_pending(r->g, 0, REBIND_IRQ), "round %u: lost", i);
	TEST_ASSERT(irqx_stats(r->g->ctx).events == i + 1, "round %u: doubled", i);
	TEST_ASSERT(!irqx_eventfd_take(r->fd), "round %u: and still there", i);
	rebind_clear(r);
	irqx_unbind(r->g->ctx, r->fd);
}

TEST_F_TIMEOUT(rebind, fire_and_bind, 600)
{
	irqx_race(rebind_fire, rebind_bind, judge_bind, self,
		  irqx_iterations(1500, 300000) / IRQX_FROZEN_COST);
}

TEST_HARNESS_MAIN

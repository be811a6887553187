// SPDX-License-Identifier: GPL-2.0
/*
 * SINTs of Hyper-V's synthetic interrupt controller: delivery, EOI and EOM, the
 * protocol of messages, and event flags, set by the VMM or by the module.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include "irqx_synic.h"
#include "irqx_trace.h"
#include "irqx_harness.h"

#define SINT		5
#define VECTOR		(IRQX_SINT_VECTOR + SINT)
#define OTHER_SINT	9
#define OTHER_VECTOR	0x92
#define GSI		1000

FIXTURE(synic) {
	struct irqx_synic *s;
	struct irqx_guest *g;
	int ctx;
};

FIXTURE_SETUP(synic)
{
	self->s = irqx_synic_create(2, 0);
	self->g = self->s->g;
	self->ctx = self->g->ctx;
	irqx_synic_start(self->s);
	irqx_sint_set_all(self->s, 0);
}

FIXTURE_TEARDOWN(synic)
{
	irqx_check(self->g);
	irqx_synic_free(self->s);
}

/*
 * An AutoEOI SINT is taken before the fence of irqx_check() comes: testing.rst
 * section 5.
 */
static void fire_and_check(struct irqx_guest *g, int fd, uint32_t vcpu,
			   uint32_t vector)
{
	irqx_fire_at(g, fd, vcpu, vector);
	irqx_check(g);
}

/* One event is one interrupt, and @acks signals of the resamplefd. */
static void cycle(struct irqx_guest *g, struct irqx_level *level, uint32_t vcpu,
		  uint32_t vector, uint64_t acks)
{
	uint64_t got;

	acks += level->acks;
	fire_and_check(g, level->fd, vcpu, vector);
	got = irqx_acks(level, acks);
	TEST_ASSERT(got == acks, "%lu acks, not %lu", got, acks);
}

/*
 * By every way to a SINT
 */

FIXTURE(way) {
	struct irqx_synic *s;
	struct irqx_guest *g;
	int ctx;
};

FIXTURE_VARIANT(way) {
	enum { DIRECT, ROUTE, TABLE } way;
};

FIXTURE_VARIANT_ADD(way, direct) {
	.way = DIRECT,
};

FIXTURE_VARIANT_ADD(way, route) {
	.way = ROUTE,
};

FIXTURE_VARIANT_ADD(way, table) {
	.way = TABLE,
};

FIXTURE_SETUP(way)
{
	self->s = irqx_synic_create(2, 0);
	self->g = self->s->g;
	self->ctx = self->g->ctx;
	irqx_synic_start(self->s);
	irqx_sint_set_all(self->s, 0);
}

FIXTURE_TEARDOWN(way)
{
	irqx_check(self->g);
	irqx_synic_free(self->s);
}

/* The GSI of SINT @sint of VP @vp, once it has a route. */
static uint32_t gsi_of(uint32_t vp, uint32_t sint)
{
	return GSI + vp * IRQX_NR_SINTS + sint;
}

static void set_table(int ctx)
{
	struct kvm_irq_routing_entry table[2 * IRQX_NR_SINTS];
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		table[i] = irqx_sint_entry(i / IRQX_NR_SINTS, i % IRQX_NR_SINTS);
		table[i].gsi = gsi_of(i / IRQX_NR_SINTS, i % IRQX_NR_SINTS);
	}
	irqx_set_gsi_routing(ctx, table, ARRAY_SIZE(table));
}

TEST_F(way, plain)
{
	uint32_t vp, sint;
	int fd;

	if (variant->way == TABLE)
		set_table(self->ctx);
	for (vp = 0; vp < 2; vp++) {
		for (sint = 0; sint < IRQX_NR_SINTS; sint++) {
			fd = irqx_eventfd(0, 0);
			if (variant->way == DIRECT)
				irqx_bind(self->ctx, fd, irqx_sint_entry(vp, sint));
			if (variant->way == ROUTE)
				irqx_route_set(self->ctx, gsi_of(vp, sint),
					       irqx_sint_entry(vp, sint));
			if (variant->way != DIRECT)
				irqx_irqfd(self->ctx, fd, gsi_of(vp, sint), 0);
			irqx_fire(fd);
			irqx_expect(self->g, vp, IRQX_SINT_VECTOR + sint, 1);
			irqx_check(self->g);
			irqx_fire(fd);
			irqx_expect(self->g, vp, IRQX_SINT_VECTOR + sint, 1);
			irqx_check(self->g);
		}
	}
	ASSERT_EQ(4 * IRQX_NR_SINTS, irqx_stats(self->ctx).atomic);
	ASSERT_EQ(0, irqx_stats(self->ctx).refused);
}

TEST_F(way, resample)
{
	struct irqx_level level;
	uint32_t vp, sint, i;

	if (variant->way == TABLE)
		set_table(self->ctx);
	for (vp = 0; vp < 2; vp++) {
		for (sint = 0; sint < IRQX_NR_SINTS; sint++) {
			if (variant->way == ROUTE)
				irqx_route_set(self->ctx, gsi_of(vp, sint),
					       irqx_sint_entry(vp, sint));
			level = variant->way == DIRECT ?
				irqx_level_direct(self->ctx,
						  irqx_sint_entry(vp, sint)) :
				irqx_level_gsi(self->ctx, gsi_of(vp, sint));
			for (i = 0; i < 3; i++)
				cycle(self->g, &level, vp,
				      IRQX_SINT_VECTOR + sint, 1);
		}
	}
	ASSERT_EQ(6 * IRQX_NR_SINTS, irqx_stats(self->ctx).atomic);
}

/* The EOM does not say which SINT it is for, but which virtual processor's. */
TEST_F(way, eom)
{
	struct irqx_level levels[2][IRQX_NR_SINTS];
	uint32_t vp, sint, i;

	if (variant->way == TABLE)
		set_table(self->ctx);
	for (vp = 0; vp < 2; vp++) {
		for (sint = 0; sint < IRQX_NR_SINTS; sint++) {
			if (variant->way == ROUTE)
				irqx_route_set(self->ctx, gsi_of(vp, sint),
					       irqx_sint_entry(vp, sint));
			levels[vp][sint] = variant->way == DIRECT ?
				irqx_level_direct(self->ctx,
						  irqx_sint_entry(vp, sint)) :
				irqx_level_gsi(self->ctx, gsi_of(vp, sint));
		}
	}
	for (i = 1; i <= 3; i++) {
		irqx_eom(self->s, 1);
		for (sint = 0; sint < IRQX_NR_SINTS; sint++) {
			ASSERT_EQ(i, irqx_acks(&levels[1][sint], i));
			ASSERT_EQ(0, irqx_acks(&levels[0][sint], 0));
		}
	}
	irqx_eom(self->s, 0);
	for (sint = 0; sint < IRQX_NR_SINTS; sint++) {
		ASSERT_EQ(3, irqx_acks(&levels[1][sint], 3));
		ASSERT_EQ(1, irqx_acks(&levels[0][sint], 1));
	}
}

/*
 * Who is told
 */

TEST_F(synic, shared)
{
	int ctx2 = irqx_context(self->g->vm);
	struct irqx_level levels[4];
	uint32_t i, j;

	irqx_route_set(self->ctx, GSI, irqx_sint_entry(0, SINT));
	levels[0] = irqx_level_gsi(self->ctx, GSI);
	levels[1] = irqx_level_gsi(self->ctx, GSI);
	levels[2] = irqx_level_direct(self->ctx, irqx_sint_entry(0, SINT));
	levels[3] = irqx_level_direct(ctx2, irqx_sint_entry(0, SINT));
	for (i = 0; i < 4; i++) {
		cycle(self->g, &levels[i], 0, VECTOR, 1);
		for (j = 0; j < 4; j++)
			ASSERT_EQ(i + 1, irqx_acks(&levels[j], i + 1));
	}
	close(ctx2);
	irqx_unbind(self->ctx, levels[0].fd);
	cycle(self->g, &levels[1], 0, VECTOR, 1);
	ASSERT_EQ(5, irqx_acks(&levels[2], 5));
	ASSERT_EQ(4, irqx_acks(&levels[0], 4));
	ASSERT_EQ(4, irqx_acks(&levels[3], 4));
}

/* An EOI is of a vector: of each SINT that has it. */
TEST_F(synic, one_vector)
{
	struct irqx_level a = irqx_level_direct(self->ctx,
						irqx_sint_entry(0, SINT));
	struct irqx_level b = irqx_level_direct(self->ctx,
						irqx_sint_entry(0, OTHER_SINT));
	struct irqx_level c = irqx_level_direct(self->ctx,
						irqx_sint_entry(1, OTHER_SINT));

	irqx_sint_set(self->s, 0, OTHER_SINT, VECTOR);
	cycle(self->g, &a, 0, VECTOR, 1);
	ASSERT_EQ(1, irqx_acks(&b, 1));
	cycle(self->g, &b, 0, VECTOR, 1);
	ASSERT_EQ(2, irqx_acks(&a, 2));
	ASSERT_EQ(0, irqx_acks(&c, 0));
}

TEST_F(synic, auto_eoi)
{
	struct irqx_level levels[IRQX_NR_SINTS];
	uint32_t vp, sint;

	irqx_sint_set_all(self->s, IRQX_SINT_AUTO_EOI);
	for (vp = 0; vp < 2; vp++) {
		for (sint = 0; sint < IRQX_NR_SINTS; sint++) {
			levels[sint] = irqx_level_direct(self->ctx,
							 irqx_sint_entry(vp, sint));
			/* There is no EOI. */
			cycle(self->g, &levels[sint], vp,
			      IRQX_SINT_VECTOR + sint, 0);
			cycle(self->g, &levels[sint], vp,
			      IRQX_SINT_VECTOR + sint, 0);
		}
		irqx_eom(self->s, vp);
		for (sint = 0; sint < IRQX_NR_SINTS; sint++)
			ASSERT_EQ(1, irqx_acks(&levels[sint], 1));
	}
}

/* KVM's own table has a route to one of the SINTs, with KVM's resamplefd. */
TEST_F(synic, kvm_route)
{
	struct kvm_irq_routing_entry entry = irqx_sint_entry(0, SINT);
	struct irqx_level ours, other, kvms;

	entry.gsi = 40;
	irqx_set_gsi_routing(self->g->vm->fd, &entry, 1);
	kvms = irqx_level_gsi(self->g->vm->fd, 40);
	cycle(self->g, &kvms, 0, VECTOR, 1);

	ours = irqx_level_direct(self->ctx, irqx_sint_entry(0, SINT));
	other = irqx_level_direct(self->ctx, irqx_sint_entry(0, OTHER_SINT));
	cycle(self->g, &kvms, 0, VECTOR, 1);
	ASSERT_EQ(1, irqx_acks(&ours, 1));
	cycle(self->g, &ours, 0, VECTOR, 1);
	ASSERT_EQ(3, irqx_acks(&kvms, 3));
	cycle(self->g, &other, 0, IRQX_SINT_VECTOR + OTHER_SINT, 1);
	ASSERT_EQ(3, irqx_acks(&kvms, 3));
	irqx_eom(self->s, 0);
	ASSERT_EQ(4, irqx_acks(&kvms, 4));
	ASSERT_EQ(3, irqx_acks(&ours, 3));
	ASSERT_EQ(2, irqx_acks(&other, 2));

	/* Ours goes, KVM's stays; and the other way round. */
	irqx_unbind(self->ctx, ours.fd);
	irqx_unbind(self->ctx, other.fd);
	cycle(self->g, &kvms, 0, VECTOR, 1);
	ours = irqx_level_direct(self->ctx, irqx_sint_entry(0, SINT));
	irqx_irqfd(self->g->vm->fd, kvms.fd, 40, KVM_IRQFD_FLAG_DEASSIGN);
	irqx_set_gsi_routing(self->g->vm->fd, NULL, 0);
	cycle(self->g, &ours, 0, VECTOR, 1);
	ASSERT_EQ(5, irqx_acks(&kvms, 5));
}

TEST_F(synic, trace_resample)
{
	struct irqx_level level = irqx_level_direct(self->ctx,
						    irqx_sint_entry(1, SINT));

	irqx_trace_start("irqx_resample");
	cycle(self->g, &level, 1, VECTOR, 1);
	ASSERT_EQ(1, irqx_trace_count("hv_sint 0x1 0x5 resamplefd"));
	ASSERT_EQ(1, irqx_trace_count(NULL));
	irqx_trace_stop();
}

/* The same VP index of another VM is another processor. */
TEST_F(synic, two_vms)
{
	struct irqx_level level = irqx_level_direct(self->ctx,
						    irqx_sint_entry(0, SINT));
	struct irqx_synic *other = irqx_synic_create(1, 0);
	struct irqx_level theirs = irqx_level_direct(other->g->ctx,
						     irqx_sint_entry(0, SINT));

	irqx_synic_start(other);
	irqx_sint_set_all(other, 0);
	cycle(self->g, &level, 0, VECTOR, 1);
	irqx_eom(self->s, 0);
	ASSERT_EQ(2, irqx_acks(&level, 2));
	ASSERT_EQ(0, irqx_acks(&theirs, 0));
	cycle(other->g, &theirs, 0, VECTOR, 1);
	ASSERT_EQ(2, irqx_acks(&level, 2));
	irqx_synic_free(other);
}

/*
 * What the guest changes
 */

TEST_F(synic, masked)
{
	struct irqx_level level = irqx_level_direct(self->ctx,
						    irqx_sint_entry(0, SINT));

	irqx_sint_set(self->s, 0, SINT, IRQX_SINT_MASKED | VECTOR);
	irqx_fire(level.fd);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_stats(self->ctx).refused);
	ASSERT_EQ(0, irqx_acks(&level, 0));

	/* It was dropped, not kept. */
	irqx_sint_set(self->s, 0, SINT, VECTOR);
	irqx_check(self->g);
	cycle(self->g, &level, 0, VECTOR, 1);
	ASSERT_EQ(1, irqx_stats(self->ctx).refused);
}

TEST_F(synic, vector_changed)
{
	struct irqx_level level = irqx_level_direct(self->ctx,
						    irqx_sint_entry(0, SINT));

	cycle(self->g, &level, 0, VECTOR, 1);
	irqx_sint_set(self->s, 0, SINT, OTHER_VECTOR);
	cycle(self->g, &level, 0, OTHER_VECTOR, 1);

	/* In service: its vector is no SINT's any more, so only EOM is heard. */
	WRITE_ONCE(self->s->vp[0].cpu->hold,
		   1 << (OTHER_VECTOR - IRQX_SINT_VECTOR) % IRQX_NR_SINTS);
	irqx_fire(level.fd);
	irqx_wait_count(self->g, 0, OTHER_VECTOR, 2);
	irqx_sint_set(self->s, 0, SINT, VECTOR);
	WRITE_ONCE(self->s->vp[0].cpu->hold, 0);
	irqx_eoi(self->g, 0);
	irqx_expect(self->g, 0, OTHER_VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(2, irqx_acks(&level, 2));
	irqx_eom(self->s, 0);
	ASSERT_EQ(3, irqx_acks(&level, 3));
	cycle(self->g, &level, 0, VECTOR, 1);
}

/* In service, it is raised again: taken after the EOI, with an EOI of its own. */
TEST_F(synic, in_service)
{
	struct irqx_level level = irqx_level_direct(self->ctx,
						    irqx_sint_entry(0, SINT));

	WRITE_ONCE(self->s->vp[0].cpu->hold, 1 << SINT);
	irqx_fire(level.fd);
	irqx_wait_count(self->g, 0, VECTOR, 1);
	irqx_fire(level.fd);
	irqx_fire(level.fd);
	irqx_settle(self->ctx);
	WRITE_ONCE(self->s->vp[0].cpu->hold, 0);
	irqx_eoi(self->g, 0);
	irqx_expect(self->g, 0, VECTOR, 2);
	irqx_check(self->g);
	ASSERT_EQ(2, irqx_acks(&level, 2));
}

/* Entries name the VP index, which the VMM can choose. */
TEST_F(synic, vp_index)
{
	struct irqx_level seven = irqx_level_direct(self->ctx,
						    irqx_sint_entry(7, SINT));
	struct irqx_level zero = irqx_level_direct(self->ctx,
						   irqx_sint_entry(0, SINT));

	irqx_guest_stop(self->g);
	vcpu_set_msr(self->g->vcpus[0].vcpu, HV_X64_MSR_VP_INDEX, 7);
	vcpu_set_msr(self->g->vcpus[1].vcpu, HV_X64_MSR_VP_INDEX, 0);
	irqx_synic_start(self->s);
	cycle(self->g, &seven, 0, VECTOR, 1);
	ASSERT_EQ(0, irqx_acks(&zero, 0));
	cycle(self->g, &zero, 1, VECTOR, 1);
	ASSERT_EQ(1, irqx_acks(&seven, 1));
	irqx_eom(self->s, 0);
	ASSERT_EQ(2, irqx_acks(&seven, 2));
	ASSERT_EQ(1, irqx_acks(&zero, 1));
}

TEST_F(synic, no_such_vp)
{
	struct irqx_level level = irqx_level_direct(self->ctx,
						    irqx_sint_entry(100, SINT));

	irqx_route_set(self->ctx, GSI, irqx_sint_entry(2, SINT));
	irqx_fire(level.fd);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_stats(self->ctx).refused);
	irqx_irq_line(self->ctx, GSI, 1);
	irqx_check(self->g);
	ASSERT_EQ(0, irqx_acks(&level, 0));
}

TEST_F(synic, out_of_range)
{
	uint32_t max = kvm_check_cap(KVM_CAP_MAX_VCPUS);
	struct kvm_irq_routing_entry bad[] = {
		irqx_sint_entry(max, SINT),
		irqx_sint_entry(-1, SINT),
		irqx_sint_entry(0, IRQX_NR_SINTS),
		irqx_sint_entry(0, -1),
	};
	int fd = irqx_eventfd(0, 0), ack = irqx_eventfd(0, 0);
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ASSERT_EQ(EINVAL, __irqx_bind(self->ctx, fd, bad[i]));
		ASSERT_EQ(EINVAL, __irqx_bind_level(self->ctx, fd, ack, bad[i]));
		ASSERT_EQ(EINVAL, __irqx_route_set(self->ctx, GSI, bad[i]));
		bad[i].gsi = GSI;
		ASSERT_EQ(EINVAL, __irqx_set_gsi_routing(self->ctx, &bad[i], 1));
	}
	irqx_bind(self->ctx, fd, irqx_sint_entry(max - 1, 15));
}

/*
 * Who is taken away from a SINT will not hear of its EOI, so it is told at once,
 * for the case that it waits for one.
 */
TEST_F(synic, modify)
{
	struct irqx_level level = irqx_level_direct(self->ctx,
						    irqx_sint_entry(0, SINT));

	cycle(self->g, &level, 0, VECTOR, 1);
	irqx_modify(self->ctx, level.fd, irqx_sint_entry(1, OTHER_SINT));
	ASSERT_EQ(2, irqx_acks(&level, 2));
	cycle(self->g, &level, 1, IRQX_SINT_VECTOR + OTHER_SINT, 1);
	irqx_eom(self->s, 0);
	ASSERT_EQ(3, irqx_acks(&level, 3));
	irqx_modify(self->ctx, level.fd, irqx_sint_entry(1, OTHER_SINT));
	ASSERT_EQ(3, irqx_acks(&level, 3));

	/* To a pin, which the event holds up, and back, which lets it fall. */
	irqx_modify(self->ctx, level.fd, irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 20));
	ASSERT_EQ(4, irqx_acks(&level, 4));
	irqx_fire(level.fd);
	irqx_settle(self->ctx);
	ASSERT_TRUE(irqx_pin_is_up(self->g->vm, 20));
	irqx_modify(self->ctx, level.fd, irqx_sint_entry(0, SINT));
	ASSERT_FALSE(irqx_pin_is_up(self->g->vm, 20));
	/* The event went along. */
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(5, irqx_acks(&level, 5));
	cycle(self->g, &level, 0, VECTOR, 1);
	ASSERT_EQ(EINVAL, __irqx_modify(self->ctx, level.fd,
					irqx_entry(self->g, 0, VECTOR)));
	cycle(self->g, &level, 0, VECTOR, 1);
	irqx_unbind(self->ctx, level.fd);
	ASSERT_EQ(7, irqx_acks(&level, 7));
}

/* An event at a GSI without a route is for the SINT that it gets. */
TEST_F(synic, routed_later)
{
	struct irqx_level level = irqx_level_gsi(self->ctx, GSI);
	uint32_t i;

	for (i = 1; i <= 3; i++) {
		irqx_fire(level.fd);
		irqx_fire(level.fd);
		irqx_settle(self->ctx);
		irqx_route_set(self->ctx, GSI, irqx_sint_entry(0, SINT));
		irqx_expect(self->g, 0, VECTOR, 1);
		irqx_check(self->g);
		irqx_route_del(self->ctx, GSI);
	}
	/* Two that meet are one. */
	ASSERT_LE(3, irqx_stats(self->ctx).unrouted);
	ASSERT_EQ(0, irqx_stats(self->ctx).refused);
}

/* A GSI that is resampled goes from a pin to a SINT and back. */
TEST_F(synic, rerouted)
{
	struct irqx_level level = irqx_level_gsi(self->ctx, GSI);

	irqx_route_set(self->ctx, GSI, irqx_sint_entry(0, SINT));
	cycle(self->g, &level, 0, VECTOR, 1);
	irqx_route_set(self->ctx, GSI, irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 20));
	ASSERT_EQ(2, irqx_acks(&level, 2));
	irqx_pin_level(self->g, 20, OTHER_VECTOR);
	cycle(self->g, &level, 0, OTHER_VECTOR, 1);
	irqx_route_set(self->ctx, GSI, irqx_sint_entry(1, SINT));
	cycle(self->g, &level, 1, VECTOR, 1);
	irqx_eom(self->s, 0);
	ASSERT_EQ(4, irqx_acks(&level, 4));
	ASSERT_EQ(EINVAL, __irqx_route_set(self->ctx, GSI,
					   irqx_entry(self->g, 0, VECTOR)));
	cycle(self->g, &level, 1, VECTOR, 1);
	irqx_route_del(self->ctx, GSI);
	ASSERT_EQ(6, irqx_acks(&level, 6));
	irqx_fire(level.fd);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_stats(self->ctx).unrouted);
}

/* Bound and routed before there is a SynIC; KVM's own table would forget. */
TEST(before_active)
{
	struct irqx_synic *s = irqx_synic_create(2, IRQX_SYNIC_LATE);
	struct irqx_guest *g = s->g;
	struct irqx_level direct, gsi;

	direct = irqx_level_direct(g->ctx, irqx_sint_entry(0, SINT));
	irqx_route_set(g->ctx, GSI, irqx_sint_entry(1, OTHER_SINT));
	gsi = irqx_level_gsi(g->ctx, GSI);
	irqx_synic_start(s);
	irqx_fire(direct.fd);
	irqx_fire(gsi.fd);
	irqx_check(g);
	ASSERT_EQ(2, irqx_stats(g->ctx).refused);
	ASSERT_EQ(0, irqx_acks(&direct, 0));

	irqx_guest_stop(g);
	irqx_synic_activate(s);
	irqx_synic_start(s);
	irqx_fire(direct.fd);
	irqx_check(g);
	ASSERT_EQ(3, irqx_stats(g->ctx).refused);
	irqx_sint_set_all(s, 0);
	cycle(g, &direct, 0, VECTOR, 1);
	cycle(g, &gsi, 1, IRQX_SINT_VECTOR + OTHER_SINT, 1);
	irqx_eom(s, 1);
	ASSERT_EQ(2, irqx_acks(&gsi, 2));
	ASSERT_EQ(1, irqx_acks(&direct, 1));
	irqx_synic_free(s);
}

/*
 * Messages: the slot is taken, the guest says by EOM when it is free again
 */

#define NR_MESSAGES	20

struct channel {
	struct irqx_level level;
	struct irqx_message *slot;
	uint64_t next;			/* message */
	uint64_t waits;			/* for a free slot */
};

/*
 * As many of @c's messages as there is room for.  But for the last, there is one
 * that waits in the end, so that the guest will say when there is room again.
 */
static void channel_go_on(struct channel *c)
{
	for (; c->next <= NR_MESSAGES; c->next++) {
		if (!irqx_message_post(c->slot, c->next)) {
			c->waits++;
			return;
		}
		irqx_fire(c->level.fd);
	}
}

static void run_messages(struct __test_metadata *_metadata,
			 struct irqx_synic *s, uint64_t flags)
{
	struct channel channels[2][IRQX_NR_SINTS];
	struct irqx_guest *g = s->g;
	uint64_t end, waits = 0, eoms = 0;
	uint32_t vp, sint, busy;
	struct channel *c;

	irqx_sint_set_all(s, flags);
	for (vp = 0; vp < 2; vp++) {
		irqx_synic_messages(s, vp, true);
		/* As the VMM learns it. */
		ASSERT_EQ(s->vp[vp].messages_gpa | IRQX_SYNIC_PAGE_ON,
			  s->vp[vp].msg_page);
		for (sint = 0; sint < IRQX_NR_SINTS; sint++) {
			c = &channels[vp][sint];
			*c = (struct channel){
				.level = irqx_level_direct(g->ctx,
						irqx_sint_entry(vp, sint)),
				.slot = &s->vp[vp].messages[sint],
				.next = 1,
			};
		}
	}

	/* Nobody frees a slot yet: the first message is in, the second waits. */
	irqx_guest_stop(g);
	for (vp = 0; vp < 2; vp++) {
		for (sint = 0; sint < IRQX_NR_SINTS; sint++) {
			c = &channels[vp][sint];
			channel_go_on(c);
			ASSERT_EQ(1, c->waits);
			ASSERT_EQ(2, c->next);
			ASSERT_EQ(IRQX_MESSAGE_PENDING, c->slot->flags);
			ASSERT_EQ(0, irqx_acks(&c->level, 0));
		}
	}
	irqx_synic_start(s);

	/* Nothing but the resamplefds moves it on. */
	end = irqx_now_ns() + IRQX_TIMEOUT_MS * 1000000ULL;
	do {
		busy = 0;
		for (vp = 0; vp < 2; vp++) {
			for (sint = 0; sint < IRQX_NR_SINTS; sint++) {
				c = &channels[vp][sint];
				busy += c->next <= NR_MESSAGES;
				if (irqx_eventfd_take(c->level.ack))
					channel_go_on(c);
			}
		}
		sched_yield();
	} while (busy && irqx_now_ns() < end);
	ASSERT_EQ(0, busy);

	for (vp = 0; vp < 2; vp++) {
		for (sint = 0; sint < IRQX_NR_SINTS; sint++) {
			c = &channels[vp][sint];
			ASSERT_TRUE(irqx_wait_until(
				READ_ONCE(s->vp[vp].cpu->nr_messages[sint]) ==
				NR_MESSAGES, IRQX_TIMEOUT_MS));
			ASSERT_EQ(NR_MESSAGES * (NR_MESSAGES + 1) / 2,
				  s->vp[vp].cpu->sum[sint]);
			waits += c->waits;
		}
		eoms += s->vp[vp].cpu->eoms;
	}
	TH_LOG("%lu messages waited, %lu EOMs", waits, eoms);
	ASSERT_LT(0, eoms);
	irqx_settle(g->ctx);
	irqx_fence(g);
	irqx_forget(g);
}

TEST_F(synic, messages)
{
	run_messages(_metadata, self->s, 0);
}

TEST_F(synic, messages_auto_eoi)
{
	run_messages(_metadata, self->s, IRQX_SINT_AUTO_EOI);
}

/*
 * Event flags that the VMM sets
 */

static const uint32_t some_flags[] = { 0, 1, 31, 32, 63, 64, 1000, 2046, 2047 };

static void run_events(struct __test_metadata *_metadata, struct irqx_synic *s,
		       uint64_t flags)
{
	struct irqx_guest *g = s->g;
	uint32_t vp, sint, i;
	int fd;

	irqx_sint_set_all(s, flags);
	for (vp = 0; vp < 2; vp++) {
		irqx_synic_events(s, vp, true);
		for (sint = 0; sint < IRQX_NR_SINTS; sint++) {
			fd = irqx_eventfd(0, 0);
			irqx_bind(g->ctx, fd, irqx_sint_entry(vp, sint));
			for (i = 0; i < ARRAY_SIZE(some_flags); i++) {
				ASSERT_TRUE(irqx_flag_set(s->vp[vp].events, sint,
							  some_flags[i]));
				fire_and_check(g, fd, vp,
					       IRQX_SINT_VECTOR + sint);
				ASSERT_FALSE(irqx_flag_test(s->vp[vp].events,
							    sint, some_flags[i]));
				ASSERT_TRUE(irqx_flag_test(&s->vp[vp].cpu->seen,
							   sint, some_flags[i]));
			}
			ASSERT_EQ(i, s->vp[vp].cpu->nr_events[sint]);
		}
	}
}

TEST_F_TIMEOUT(synic, events_by_vmm, 60)
{
	run_events(_metadata, self->s, 0);
}

TEST_F_TIMEOUT(synic, events_by_vmm_auto_eoi, 60)
{
	run_events(_metadata, self->s, IRQX_SINT_AUTO_EOI);
}

/*
 * Event flags that the module sets
 */

/* A memslot of pages for event flags, which the guest itself does not use. */
#define SLOT		5
#define SLOT_GPA	0x40000000ULL
#define SLOT_PAGES	8

FIXTURE(flag) {
	struct irqx_synic *s;
	struct irqx_guest *g;
	struct irqx_event_page *page;	/* the first of the slot */
	int ctx;
	int fd;
};

FIXTURE_SETUP(flag)
{
	self->s = irqx_synic_create(2, 0);
	self->g = self->s->g;
	self->ctx = self->g->ctx;
	self->fd = irqx_eventfd(0, 0);
	vm_userspace_mem_region_add(self->g->vm, VM_MEM_SRC_ANONYMOUS, SLOT_GPA,
				    SLOT, SLOT_PAGES, 0);
	self->page = addr_gpa2hva(self->g->vm, SLOT_GPA);
	irqx_synic_start(self->s);
	irqx_sint_set_all(self->s, 0);
}

FIXTURE_TEARDOWN(flag)
{
	irqx_check(self->g);
	irqx_synic_free(self->s);
}

/* An event that is taken and sets the flag in @page. */
static void expect_flag(struct irqx_guest *g, struct irqx_event_page *page,
			int fd, uint32_t flag)
{
	irqx_flag_clear(page, SINT, flag);
	irqx_fire(fd);
	irqx_expect(g, 0, VECTOR, 1);
	irqx_settle(g->ctx);
	TEST_ASSERT(irqx_flag_test(page, SINT, flag), "flag %u is clear", flag);
	irqx_check(g);
}

/* One that comes to nothing. */
static void expect_refused(struct irqx_guest *g, int fd)
{
	uint64_t refused = irqx_stats(g->ctx).refused;
	uint64_t of_it = irqx_binding(g->ctx, fd).refused;

	irqx_fire(fd);
	irqx_check(g);
	TEST_ASSERT(irqx_stats(g->ctx).refused == refused + 1,
		    "refused %llu, not %lu", irqx_stats(g->ctx).refused,
		    refused + 1);
	TEST_ASSERT(irqx_binding(g->ctx, fd).refused == of_it + 1, "not counted as its own");
}

static bool is_zero(const void *mem, size_t size)
{
	const uint8_t *p = mem;

	return !*p && !memcmp(p, p + 1, size - 1);
}

TEST_F(flag, feature)
{
	ASSERT_TRUE(irqx_info(self->ctx).features & KVM_IRQX_FEATURE_EVENT_FLAG);
	ASSERT_TRUE(irqx_info(self->ctx).features & KVM_IRQX_FEATURE_RESAMPLE);
	ASSERT_TRUE(irqx_info(self->ctx).features & KVM_IRQX_FEATURE_HV_SINT);
}

/* Only a flag that was clear makes an interrupt. */
TEST_F(flag, once)
{
	struct kvm_irqx_binding binding;

	irqx_synic_page(self->ctx, 0, SLOT_GPA);
	irqx_bind_flag(self->ctx, self->fd, irqx_sint_entry(0, SINT), 77);
	memset(self->page, 0, PAGE_SIZE);

	irqx_fire(self->fd);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_TRUE(irqx_flag_test(self->page, SINT, 77));
	irqx_fire(self->fd);
	irqx_fire(self->fd);
	irqx_check(self->g);
	ASSERT_EQ(2, irqx_stats(self->ctx).coalesced);
	binding = irqx_binding(self->ctx, self->fd);
	ASSERT_EQ(2, binding.coalesced);
	ASSERT_EQ(KVM_IRQX_BINDING_EVENT_FLAG, binding.flags);
	ASSERT_EQ(77, binding.event_flag);
	ASSERT_EQ(KVM_IRQ_ROUTING_HV_SINT, binding.entry.type);
	ASSERT_EQ(SINT, binding.entry.u.hv_sint.sint);

	/* That flag and no other. */
	ASSERT_TRUE(irqx_flag_clear(self->page, SINT, 77));
	ASSERT_TRUE(is_zero(self->page, PAGE_SIZE));
	irqx_fire(self->fd);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_TRUE(irqx_flag_test(self->page, SINT, 77));

	/* Its neighbours stay what they are. */
	memset(self->page, 0xff, PAGE_SIZE);
	irqx_flag_clear(self->page, SINT, 77);
	irqx_fire(self->fd);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(4 + 1, irqx_stats(self->ctx).atomic);
	ASSERT_EQ(0, irqx_stats(self->ctx).deferred);
	ASSERT_EQ(0, irqx_stats(self->ctx).refused);
}

/* The guest takes flags from the page that it has named itself. */
static void run_flags(struct __test_metadata *_metadata, struct irqx_synic *s,
		      uint64_t flags)
{
	struct irqx_guest *g = s->g;
	int fd = irqx_eventfd(0, 0);
	uint32_t vp, sint, i;

	s->follow = true;
	irqx_sint_set_all(s, flags);
	for (vp = 0; vp < 2; vp++) {
		irqx_synic_events(s, vp, true);
		for (sint = 0; sint < IRQX_NR_SINTS; sint++) {
			for (i = 0; i < ARRAY_SIZE(some_flags); i++) {
				if (__irqx_bind_flag(g->ctx, fd,
						     KVM_IRQX_IRQFD_DIRECT_MODIFY,
						     irqx_sint_entry(vp, sint),
						     some_flags[i]))
					irqx_bind_flag(g->ctx, fd,
						       irqx_sint_entry(vp, sint),
						       some_flags[i]);
				fire_and_check(g, fd, vp,
					       IRQX_SINT_VECTOR + sint);
				ASSERT_TRUE(irqx_flag_test(&s->vp[vp].cpu->seen,
							   sint, some_flags[i]));
				ASSERT_EQ(i + 1,
					  s->vp[vp].cpu->nr_events[sint]);
			}
		}
		ASSERT_TRUE(is_zero(s->vp[vp].events, PAGE_SIZE));
	}
	ASSERT_EQ(0, irqx_stats(g->ctx).coalesced);
	ASSERT_EQ(0, irqx_stats(g->ctx).refused);

	/* The guest turns it off. */
	irqx_synic_events(s, 1, false);
	expect_refused(g, fd);
}

TEST_F_TIMEOUT(flag, all, 60)
{
	run_flags(_metadata, self->s, 0);
}

TEST_F_TIMEOUT(flag, all_auto_eoi, 60)
{
	run_flags(_metadata, self->s, IRQX_SINT_AUTO_EOI);
}

struct setter {
	pthread_t thread;
	int fd;
	uint32_t n;
	uint64_t *taken;
};

static void *setter_thread(void *arg)
{
	struct setter *setter = arg;
	uint32_t i;

	for (i = 0; i < setter->n; i++) {
		irqx_fire(setter->fd);
		if (!irqx_wait_until(READ_ONCE(*setter->taken) > i,
				     IRQX_TIMEOUT_MS))
			break;
	}
	return (void *)(uintptr_t)i;
}

/* Each of four channels fires when its last flag was taken; none waits in vain. */
TEST_F_TIMEOUT(flag, storm, 120)
{
	const uint32_t sints[] = { SINT, OTHER_SINT };
	struct setter setters[4];
	uint32_t i, n = irqx_iterations(500, 50000);
	void *done;

	self->s->follow = true;
	irqx_synic_events(self->s, 0, true);
	irqx_synic_events(self->s, 1, true);
	for (i = 0; i < 4; i++) {
		setters[i].fd = irqx_eventfd(0, 0);
		setters[i].n = n;
		setters[i].taken =
			&self->s->vp[i / 2].cpu->nr_events[sints[i % 2]];
		irqx_bind_flag(self->ctx, setters[i].fd,
			       irqx_sint_entry(i / 2, sints[i % 2]), 8 * i);
		ASSERT_EQ(0, pthread_create(&setters[i].thread, NULL,
					    setter_thread, &setters[i]));
	}
	for (i = 0; i < 4; i++) {
		pthread_join(setters[i].thread, &done);
		ASSERT_EQ(n, (uintptr_t)done);
	}
	ASSERT_EQ(0, irqx_stats(self->ctx).refused);
	irqx_fence(self->g);
	/* A flag set while the guest looks may be taken before its interrupt. */
	ASSERT_GE(4 * n, irqx_total(self->g));
	irqx_forget(self->g);
}

static int fire_in_child(void *fd)
{
	return __irqx_fire(*(int *)fd);
}

/* Another process has inherited the eventfd; its memory is not the guest's. */
TEST_F(flag, from_another_process)
{
	irqx_synic_page(self->ctx, 0, SLOT_GPA);
	irqx_bind_flag(self->ctx, self->fd, irqx_sint_entry(0, SINT), 3);
	memset(self->page, 0, PAGE_SIZE);
	ASSERT_EQ(0, irqx_in_child(fire_in_child, &self->fd));
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_settle(self->ctx);
	ASSERT_TRUE(irqx_flag_test(self->page, SINT, 3));
	irqx_check(self->g);
	ASSERT_EQ(0, irqx_stats(self->ctx).atomic);
	ASSERT_EQ(1, irqx_stats(self->ctx).deferred);

	ASSERT_EQ(0, irqx_in_child(fire_in_child, &self->fd));
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_stats(self->ctx).coalesced);
}

/* The page was given back, so that it must be faulted in. */
TEST_F(flag, page_dropped)
{
	irqx_synic_page(self->ctx, 0, SLOT_GPA + PAGE_SIZE);
	irqx_bind_flag(self->ctx, self->fd, irqx_sint_entry(0, SINT), 3);
	ASSERT_EQ(0, madvise(self->page, SLOT_PAGES * PAGE_SIZE, MADV_DONTNEED));
	irqx_fire(self->fd);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_TRUE(irqx_flag_test(self->page + 1, SINT, 3));
	ASSERT_EQ(1, irqx_stats(self->ctx).deferred);
}

/* After a fork both processes share the page until one writes to it. */
TEST_F(flag, page_copied_on_write)
{
	int pipes[2];
	char c;
	pid_t pid;
	int status;

	self->s->follow = true;
	irqx_synic_events(self->s, 0, true);
	irqx_bind_flag(self->ctx, self->fd, irqx_sint_entry(0, SINT), 3);
	ASSERT_EQ(0, pipe(pipes));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(pipes[1]);
		/* The flag is not for this process's copy. */
		status = read(pipes[0], &c, 1);
		_exit(irqx_flag_test(self->s->vp[0].events, SINT, 3));
	}
	close(pipes[0]);
	irqx_fire(self->fd);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(1, self->s->vp[0].cpu->nr_events[SINT]);
	irqx_fire(self->fd);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_EQ(2, self->s->vp[0].cpu->nr_events[SINT]);
	close(pipes[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
}

TEST_F(flag, no_page)
{
	irqx_bind_flag(self->ctx, self->fd, irqx_sint_entry(0, SINT), 3);
	expect_refused(self->g, self->fd);
	irqx_synic_page(self->ctx, 1, SLOT_GPA);
	expect_refused(self->g, self->fd);
	irqx_synic_page(self->ctx, 0, SLOT_GPA);
	expect_flag(self->g, self->page, self->fd, 3);
	irqx_synic_no_page(self->ctx, 0);
	memset(self->page, 0, PAGE_SIZE);
	expect_refused(self->g, self->fd);
	ASSERT_TRUE(is_zero(self->page, PAGE_SIZE));
	irqx_synic_no_page(self->ctx, 0);
}

/* The guest sees neither the flag nor the SINT before it is unmasked. */
TEST_F(flag, masked)
{
	irqx_synic_page(self->ctx, 0, SLOT_GPA);
	irqx_bind_flag(self->ctx, self->fd, irqx_sint_entry(0, SINT), 3);
	memset(self->page, 0, PAGE_SIZE);
	irqx_mask(self->ctx, self->fd);
	irqx_fire(self->fd);
	irqx_fence(self->g);
	ASSERT_TRUE(is_zero(self->page, PAGE_SIZE));
	/* Another flag: what is pending goes along. */
	irqx_modify_flag(self->ctx, self->fd, irqx_sint_entry(0, SINT), 4);
	irqx_fence(self->g);
	ASSERT_TRUE(is_zero(self->page, PAGE_SIZE));
	ASSERT_EQ(KVM_IRQX_STATE_MASKED | KVM_IRQX_STATE_PENDING,
		  irqx_state(self->ctx, self->fd, 0));

	irqx_unmask(self->ctx, self->fd);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_TRUE(irqx_flag_test(self->page, SINT, 4));
	ASSERT_FALSE(irqx_flag_test(self->page, SINT, 3));
	expect_flag(self->g, self->page, self->fd, 4);
}

/* With a resamplefd: a SINT is a latch, and on a pin the same event a level. */
TEST_F(flag, masked_and_moved)
{
	struct irqx_level level = irqx_level_direct(self->ctx, irqx_sint_entry(0, SINT));
	int i;

	for (i = 0; i < 3; i++) {
		irqx_mask(self->ctx, level.fd);
		irqx_fire(level.fd);
		irqx_fence(self->g);
		ASSERT_EQ(0, irqx_acks(&level, 0));
		irqx_modify(self->ctx, level.fd, irqx_wire_entry(self->g, 1));
		ASSERT_FALSE(irqx_wire_is_up(self->g, 1));
		irqx_unmask(self->ctx, level.fd);
		irqx_settle(self->ctx);
		ASSERT_TRUE(irqx_wire_is_up(self->g, 1));

		/* And back: the level is one event. */
		irqx_mask(self->ctx, level.fd);
		ASSERT_FALSE(irqx_wire_is_up(self->g, 1));
		irqx_modify(self->ctx, level.fd, irqx_sint_entry(0, SINT));
		ASSERT_EQ(KVM_IRQX_STATE_MASKED | KVM_IRQX_STATE_PENDING,
			  irqx_state(self->ctx, level.fd, 0));
		irqx_fence(self->g);
		irqx_unmask(self->ctx, level.fd);
		irqx_expect(self->g, 0, VECTOR, 1);
		irqx_check(self->g);
		ASSERT_TRUE(irqx_wait_until(irqx_eventfd_take(level.ack),
					    IRQX_TIMEOUT_MS));
	}
	irqx_level_close(&level);
}

/* Of a GSI's irqfds, with a resamplefd and without: all that is pending is one interrupt. */
TEST_F(flag, masked_gsi)
{
	struct irqx_level level, other;
	int i;

	irqx_route_set(self->ctx, GSI, irqx_sint_entry(0, SINT));
	level = irqx_level_gsi(self->ctx, GSI);
	other = irqx_level_gsi(self->ctx, GSI);
	irqx_irqfd(self->ctx, self->fd, GSI, 0);
	for (i = 1; i <= 5; i++) {
		irqx_mask_gsi(self->ctx, GSI);
		irqx_fire(level.fd);
		irqx_fire(self->fd);
		irqx_fire(other.fd);
		irqx_fence(self->g);
		irqx_unmask_gsi(self->ctx, GSI);
		irqx_expect(self->g, 0, VECTOR, 1);
		irqx_check(self->g);
		ASSERT_EQ(i, irqx_acks(&level, i));
	}

	/* It is the GSI's as long as one of them is there. */
	irqx_mask_gsi(self->ctx, GSI);
	irqx_fire(level.fd);
	irqx_unbind(self->ctx, level.fd);
	ASSERT_EQ(0, irqx_eventfd_take(level.fd));
	ASSERT_EQ(KVM_IRQX_STATE_MASKED | KVM_IRQX_STATE_PENDING,
		  irqx_state(self->ctx, KVM_IRQX_NO_FD, GSI));
	irqx_unbind(self->ctx, self->fd);
	irqx_unbind(self->ctx, other.fd);
	ASSERT_EQ(1, irqx_eventfd_take(other.fd));
	irqx_level_close(&level);
	irqx_level_close(&other);
}

/* Each context has been told for itself. */
TEST_F(flag, two_contexts)
{
	int ctx2 = irqx_context(self->g->vm);
	int fd2 = irqx_eventfd(0, 0);

	irqx_synic_page(self->ctx, 0, SLOT_GPA);
	irqx_bind_flag(self->ctx, self->fd, irqx_sint_entry(0, SINT), 3);
	irqx_bind_flag(ctx2, fd2, irqx_sint_entry(0, SINT), 4);
	irqx_fire(fd2);
	irqx_settle(ctx2);
	ASSERT_EQ(1, irqx_stats(ctx2).refused);
	irqx_synic_page(ctx2, 0, SLOT_GPA);
	irqx_fire(fd2);
	irqx_settle(ctx2);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	close(ctx2);
	expect_flag(self->g, self->page, self->fd, 3);
	ASSERT_TRUE(irqx_flag_test(self->page, SINT, 4));
}

/*
 * SINT masked: the flag is there, as if the VMM had set it, but KVM refuses the
 * interrupt.  The next event then raises it though the flag is set.
 */
TEST_F(flag, sint_masked)
{
	irqx_synic_page(self->ctx, 0, SLOT_GPA);
	irqx_bind_flag(self->ctx, self->fd, irqx_sint_entry(0, SINT), 3);
	memset(self->page, 0, PAGE_SIZE);
	irqx_sint_set(self->s, 0, SINT, IRQX_SINT_MASKED | VECTOR);
	expect_refused(self->g, self->fd);
	ASSERT_TRUE(irqx_flag_test(self->page, SINT, 3));
	expect_refused(self->g, self->fd);

	irqx_sint_set(self->s, 0, SINT, VECTOR);
	irqx_fire(self->fd);
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	irqx_fire(self->fd);
	irqx_check(self->g);
	ASSERT_EQ(1, irqx_stats(self->ctx).coalesced);
	expect_flag(self->g, self->page, self->fd, 3);

	/* By the work queue. */
	irqx_flag_clear(self->page, SINT, 3);
	irqx_sint_set(self->s, 0, SINT, IRQX_SINT_MASKED | VECTOR);
	ASSERT_EQ(0, irqx_in_child(fire_in_child, &self->fd));
	irqx_check(self->g);
	ASSERT_TRUE(irqx_flag_test(self->page, SINT, 3));
	irqx_sint_set(self->s, 0, SINT, VECTOR);
	ASSERT_EQ(0, irqx_in_child(fire_in_child, &self->fd));
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
}

/*
 * Back and forth, as soon as somebody has written to the page that it is now.
 * That it stays zero where it was says that the call has waited for those who
 * were about to write there.
 */
static void move_page(struct __test_metadata *_metadata, struct irqx_guest *g,
		      struct irqx_event_page *page, uint32_t n)
{
	struct irqx_event_page *now, *before;
	uint32_t i, j;

	for (i = 0; i < n; i++) {
		now = page + (i & 1);
		before = page + !(i & 1);
		irqx_synic_page(g->ctx, 0, SLOT_GPA + (i & 1) * PAGE_SIZE);
		irqx_flag_clear(before, SINT, 3);
		for (j = 0; j < 100; j++)
			ASSERT_FALSE(irqx_flag_test(before, SINT, 3));
		ASSERT_TRUE(irqx_wait_until(irqx_flag_test(now, SINT, 3),
					    IRQX_TIMEOUT_MS));
		ASSERT_FALSE(irqx_flag_test(before, SINT, 3));
	}
}

/* When the call returns, nobody writes to the old page. */
TEST_F_TIMEOUT(flag, page_moved, 60)
{
	struct irqx_storm storm;

	memset(self->page, 0, 2 * PAGE_SIZE);
	irqx_synic_page(self->ctx, 0, SLOT_GPA);
	irqx_bind_flag(self->ctx, self->fd, irqx_sint_entry(0, SINT), 3);
	irqx_storm_start(&storm, &self->fd, 1);
	move_page(_metadata, self->g, self->page, irqx_iterations(1000, 100000));
	irqx_storm_stop(&storm);
	irqx_settle(self->ctx);
	irqx_fence(self->g);
	irqx_forget(self->g);
	ASSERT_EQ(0, irqx_stats(self->ctx).refused);
}

static void storm_in_child(int fd)
{
	for (;;) {
		if (__irqx_fire(fd))
			_exit(1);
		sched_yield();
	}
}

/* The same for the work queue. */
TEST_F_TIMEOUT(flag, page_moved_deferred, 60)
{
	pid_t pid;

	memset(self->page, 0, 2 * PAGE_SIZE);
	irqx_synic_page(self->ctx, 0, SLOT_GPA);
	irqx_bind_flag(self->ctx, self->fd, irqx_sint_entry(0, SINT), 3);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		storm_in_child(self->fd);
	move_page(_metadata, self->g, self->page, irqx_iterations(300, 30000));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	irqx_settle(self->ctx);
	irqx_fence(self->g);
	irqx_forget(self->g);
	ASSERT_LT(0, irqx_stats(self->ctx).deferred);
	ASSERT_EQ(0, irqx_stats(self->ctx).refused);
}

/*
 * Memory that is not there, or not to be written
 */

TEST_F(flag, no_memslot)
{
	irqx_bind_flag(self->ctx, self->fd, irqx_sint_entry(0, SINT), 3);
	irqx_synic_page(self->ctx, 0, SLOT_GPA + SLOT_PAGES * PAGE_SIZE);
	expect_refused(self->g, self->fd);
	/* The local APIC's page, which KVM may have a memslot of its own for. */
	irqx_synic_page(self->ctx, 0, APIC_DEFAULT_GPA);
	expect_refused(self->g, self->fd);
	irqx_synic_page(self->ctx, 0, 0xfffffffffffff000ULL & ~PAGE_SIZE);
	expect_refused(self->g, self->fd);
	irqx_synic_page(self->ctx, 0, SLOT_GPA + (SLOT_PAGES - 1) * PAGE_SIZE);
	expect_flag(self->g, self->page + SLOT_PAGES - 1, self->fd, 3);
}

TEST_F(flag, memslot_deleted)
{
	irqx_synic_page(self->ctx, 0, SLOT_GPA);
	irqx_bind_flag(self->ctx, self->fd, irqx_sint_entry(0, SINT), 3);
	expect_flag(self->g, self->page, self->fd, 3);
	vm_mem_region_delete(self->g->vm, SLOT);
	expect_refused(self->g, self->fd);
	ASSERT_EQ(0, irqx_in_child(fire_in_child, &self->fd));
	irqx_check(self->g);
	ASSERT_EQ(2, irqx_stats(self->ctx).refused);

	/* Other memory in its place. */
	vm_userspace_mem_region_add(self->g->vm, VM_MEM_SRC_ANONYMOUS, SLOT_GPA,
				    SLOT, SLOT_PAGES, 0);
	self->page = addr_gpa2hva(self->g->vm, SLOT_GPA);
	expect_flag(self->g, self->page, self->fd, 3);
}

/* The slot itself moves in the guest's memory. */
TEST_F(flag, memslot_moved)
{
	irqx_synic_page(self->ctx, 0, SLOT_GPA);
	irqx_bind_flag(self->ctx, self->fd, irqx_sint_entry(0, SINT), 3);
	expect_flag(self->g, self->page, self->fd, 3);
	vm_mem_region_move(self->g->vm, SLOT, 2 * SLOT_GPA);
	expect_refused(self->g, self->fd);
	irqx_synic_page(self->ctx, 0, 2 * SLOT_GPA + PAGE_SIZE);
	expect_flag(self->g, self->page + 1, self->fd, 3);
}

TEST_F(flag, memslot_readonly)
{
	vm_mem_region_delete(self->g->vm, SLOT);
	vm_userspace_mem_region_add(self->g->vm, VM_MEM_SRC_ANONYMOUS, SLOT_GPA,
				    SLOT, SLOT_PAGES, KVM_MEM_READONLY);
	self->page = addr_gpa2hva(self->g->vm, SLOT_GPA);
	memset(self->page, 0, PAGE_SIZE);
	irqx_synic_page(self->ctx, 0, SLOT_GPA);
	irqx_bind_flag(self->ctx, self->fd, irqx_sint_entry(0, SINT), 3);
	expect_refused(self->g, self->fd);
	ASSERT_EQ(0, irqx_in_child(fire_in_child, &self->fd));
	irqx_check(self->g);
	ASSERT_EQ(2, irqx_stats(self->ctx).refused);
	ASSERT_TRUE(is_zero(self->page, PAGE_SIZE));
}

TEST_F(flag, host_readonly)
{
	irqx_synic_page(self->ctx, 0, SLOT_GPA);
	irqx_bind_flag(self->ctx, self->fd, irqx_sint_entry(0, SINT), 3);
	expect_flag(self->g, self->page, self->fd, 3);
	irqx_flag_clear(self->page, SINT, 3);

	ASSERT_EQ(0, mprotect(self->page, PAGE_SIZE, PROT_READ));
	expect_refused(self->g, self->fd);
	ASSERT_TRUE(is_zero(self->page, PAGE_SIZE));
	ASSERT_EQ(0, mprotect(self->page, PAGE_SIZE, PROT_NONE));
	expect_refused(self->g, self->fd);
	ASSERT_EQ(0, mprotect(self->page, PAGE_SIZE, PROT_READ | PROT_WRITE));
	ASSERT_TRUE(is_zero(self->page, PAGE_SIZE));
	expect_flag(self->g, self->page, self->fd, 3);
}

TEST_F(flag, host_unmapped)
{
	irqx_synic_page(self->ctx, 0, SLOT_GPA);
	irqx_bind_flag(self->ctx, self->fd, irqx_sint_entry(0, SINT), 3);
	expect_flag(self->g, self->page, self->fd, 3);
	ASSERT_EQ(0, munmap(self->page, PAGE_SIZE));
	expect_refused(self->g, self->fd);
	ASSERT_EQ(0, irqx_in_child(fire_in_child, &self->fd));
	irqx_check(self->g);
	ASSERT_EQ(2, irqx_stats(self->ctx).refused);
	ASSERT_EQ(self->page, mmap(self->page, PAGE_SIZE,
				   PROT_READ | PROT_WRITE, MAP_PRIVATE |
				   MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	expect_flag(self->g, self->page, self->fd, 3);
}

/* While events come. */
TEST_F_TIMEOUT(flag, memory_storm, 60)
{
	uint32_t i, n = irqx_iterations(200, 5000);
	struct irqx_storm storm;

	irqx_synic_page(self->ctx, 0, SLOT_GPA);
	irqx_bind_flag(self->ctx, self->fd, irqx_sint_entry(0, SINT), 3);
	irqx_storm_start(&storm, &self->fd, 1);
	for (i = 0; i < n; i++) {
		mprotect(self->page, PAGE_SIZE, i & 1 ? PROT_READ : PROT_NONE);
		mprotect(self->page, PAGE_SIZE, PROT_READ | PROT_WRITE);
		madvise(self->page, PAGE_SIZE, MADV_DONTNEED);
		if (i % 10)
			continue;
		vm_mem_region_delete(self->g->vm, SLOT);
		vm_userspace_mem_region_add(self->g->vm, VM_MEM_SRC_ANONYMOUS,
					    SLOT_GPA, SLOT, SLOT_PAGES, 0);
		self->page = addr_gpa2hva(self->g->vm, SLOT_GPA);
	}
	irqx_storm_stop(&storm);
	irqx_settle(self->ctx);
	irqx_fence(self->g);
	irqx_forget(self->g);
	expect_flag(self->g, self->page, self->fd, 3);
}

/* The context goes while events come. */
TEST_F_TIMEOUT(flag, close_storm, 60)
{
	struct irqx_storm storm;
	uint32_t i;
	int ctx;

	irqx_storm_start(&storm, &self->fd, 1);
	for (i = 0; i < 200; i++) {
		ctx = irqx_context(self->g->vm);
		irqx_synic_page(ctx, 0, SLOT_GPA);
		irqx_bind_flag(ctx, self->fd, irqx_sint_entry(0, SINT), 3);
		irqx_flag_clear(self->page, SINT, 3);
		sched_yield();
		close(ctx);
		irqx_flag_clear(self->page, SINT, 3);
		ASSERT_FALSE(irqx_flag_test(self->page, SINT, 3));
		irqx_eventfd_take(self->fd);
	}
	irqx_storm_stop(&storm);
	irqx_fence(self->g);
	irqx_forget(self->g);
}

/*
 * Dirty logging
 */

static bool is_dirty(struct kvm_vm *vm, uint32_t page)
{
	uint64_t log[1] = {};

	kvm_vm_get_dirty_log(vm, SLOT, log);
	TEST_ASSERT(!(log[0] & ~(1ULL << page)), "dirty pages: %lx", log[0]);
	return log[0];
}

TEST_F(flag, dirty_log)
{
	irqx_synic_page(self->ctx, 0, SLOT_GPA + 3 * PAGE_SIZE);
	irqx_bind_flag(self->ctx, self->fd, irqx_sint_entry(0, SINT), 3);
	vm_mem_region_set_flags(self->g->vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	ASSERT_FALSE(is_dirty(self->g->vm, 3));

	expect_flag(self->g, self->page + 3, self->fd, 3);
	ASSERT_TRUE(is_dirty(self->g->vm, 3));
	ASSERT_FALSE(is_dirty(self->g->vm, 3));

	/* By the work queue. */
	irqx_flag_clear(self->page + 3, SINT, 3);
	ASSERT_EQ(0, irqx_in_child(fire_in_child, &self->fd));
	irqx_expect(self->g, 0, VECTOR, 1);
	irqx_check(self->g);
	ASSERT_TRUE(irqx_flag_test(self->page + 3, SINT, 3));
	ASSERT_TRUE(is_dirty(self->g->vm, 3));

	irqx_synic_no_page(self->ctx, 0);
	expect_refused(self->g, self->fd);
	ASSERT_FALSE(is_dirty(self->g->vm, 3));

	vm_mem_region_set_flags(self->g->vm, SLOT, 0);
	irqx_synic_page(self->ctx, 0, SLOT_GPA + 3 * PAGE_SIZE);
	expect_flag(self->g, self->page + 3, self->fd, 3);
}

TEST(dirty_ring)
{
	struct irqx_synic *s;
	int fd = irqx_eventfd(0, 0);

	if (!kvm_check_cap(KVM_CAP_DIRTY_LOG_RING))
		SKIP(return, "no dirty ring");
	s = irqx_synic_create(1, IRQX_GUEST_ARCH_DIRTY_RING);
	ASSERT_EQ(EOPNOTSUPP, __irqx_bind_flag(s->g->ctx, fd, 0,
					       irqx_sint_entry(0, SINT), 3));
	ASSERT_EQ(0, irqx_stats(s->g->ctx).irqfds);
	irqx_bind(s->g->ctx, fd, irqx_sint_entry(0, SINT));
	ASSERT_EQ(EOPNOTSUPP, __irqx_bind_flag(s->g->ctx, fd,
					       KVM_IRQX_IRQFD_DIRECT_MODIFY,
					       irqx_sint_entry(0, SINT), 3));
	irqx_synic_start(s);
	irqx_sint_set_all(s, 0);
	irqx_fire(fd);
	irqx_expect(s->g, 0, VECTOR, 1);
	irqx_check(s->g);
	irqx_synic_free(s);
}

/*
 * Changes, and what is refused
 */

TEST_F(flag, modify)
{
	irqx_synic_page(self->ctx, 0, SLOT_GPA);
	irqx_synic_page(self->ctx, 1, SLOT_GPA + PAGE_SIZE);
	memset(self->page, 0, 2 * PAGE_SIZE);
	irqx_bind_flag(self->ctx, self->fd, irqx_sint_entry(0, SINT), 3);
	expect_flag(self->g, self->page, self->fd, 3);
	irqx_modify_flag(self->ctx, self->fd, irqx_sint_entry(0, SINT), 2000);
	expect_flag(self->g, self->page, self->fd, 2000);

	/* Another processor and SINT. */
	irqx_modify_flag(self->ctx, self->fd, irqx_sint_entry(1, OTHER_SINT), 5);
	irqx_fire(self->fd);
	irqx_expect(self->g, 1, IRQX_SINT_VECTOR + OTHER_SINT, 1);
	irqx_check(self->g);
	ASSERT_TRUE(irqx_flag_test(self->page + 1, OTHER_SINT, 5));
	irqx_flag_clear(self->page + 1, OTHER_SINT, 5);

	/* No flag any more, then one again. */
	irqx_modify(self->ctx, self->fd, irqx_sint_entry(1, OTHER_SINT));
	irqx_fire(self->fd);
	irqx_expect(self->g, 1, IRQX_SINT_VECTOR + OTHER_SINT, 1);
	irqx_check(self->g);
	ASSERT_TRUE(is_zero(self->page + 1, PAGE_SIZE));
	irqx_modify(self->ctx, self->fd, irqx_entry(self->g, 0, OTHER_VECTOR));
	irqx_fire(self->fd);
	irqx_expect(self->g, 0, OTHER_VECTOR, 1);
	irqx_check(self->g);
	irqx_modify_flag(self->ctx, self->fd, irqx_sint_entry(0, SINT), 3);
	expect_flag(self->g, self->page, self->fd, 3);

	/* One that fails changes nothing. */
	ASSERT_EQ(EINVAL, __irqx_bind_flag(self->ctx, self->fd,
					   KVM_IRQX_IRQFD_DIRECT_MODIFY,
					   irqx_sint_entry(0, SINT),
					   KVM_IRQX_EVENT_FLAGS));
	ASSERT_EQ(EINVAL, __irqx_bind_flag(self->ctx, self->fd,
					   KVM_IRQX_IRQFD_DIRECT_MODIFY,
					   irqx_entry(self->g, 0, VECTOR), 3));
	expect_flag(self->g, self->page, self->fd, 3);
}

/* Together with a resamplefd. */
TEST_F(flag, resample)
{
	struct irqx_level level = {
		.fd = self->fd,
		.ack = irqx_eventfd(0, 0),
	};
	struct kvm_irqx_irqfd_direct direct = {
		.fd = level.fd,
		.resamplefd = level.ack,
		.flags = KVM_IRQX_IRQFD_DIRECT_RESAMPLE | KVM_IRQX_IRQFD_DIRECT_EVENT_FLAG,
		.event_flag = 3,
		.entry = irqx_sint_entry(0, SINT),
	};

	irqx_synic_page(self->ctx, 0, SLOT_GPA);
	irqx_assert(__irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));
	expect_flag(self->g, self->page, self->fd, 3);
	ASSERT_EQ(1, irqx_acks(&level, 1));
	irqx_modify_flag(self->ctx, self->fd, irqx_sint_entry(0, SINT), 4);
	expect_flag(self->g, self->page, self->fd, 4);
	ASSERT_EQ(2, irqx_acks(&level, 2));
}

TEST_F(flag, einval)
{
	struct kvm_irq_routing_entry sint = irqx_sint_entry(0, SINT);
	uint32_t max = kvm_check_cap(KVM_CAP_MAX_VCPUS);
	struct kvm_irqx_irqfd_direct direct = {
		.fd = self->fd,
		.event_flag = 1,
		.entry = sint,
	};
	uint32_t i;

	ASSERT_EQ(EINVAL, __irqx_bind_flag(self->ctx, self->fd, 0, sint,
					   KVM_IRQX_EVENT_FLAGS));
	ASSERT_EQ(EINVAL, __irqx_bind_flag(self->ctx, self->fd, 0, sint, -1));
	ASSERT_EQ(EINVAL, __irqx_bind_flag(self->ctx, self->fd, 0,
					   irqx_entry(self->g, 0, VECTOR), 1));
	ASSERT_EQ(EINVAL, __irqx_bind_flag(self->ctx, self->fd, 0,
					   irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 5),
					   1));
	ASSERT_EQ(EINVAL, __irqx_bind_flag(self->ctx, self->fd,
					   KVM_IRQX_IRQFD_DIRECT_DEASSIGN, sint, 1));
	/* A flag that nobody asked for. */
	ASSERT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, &direct));
	for (i = 1; i < 4; i++) {
		direct.flags = 1 << (i - 1);
		ASSERT_EQ(EINVAL, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT,
					       &direct));
	}
	ASSERT_EQ(ENOENT, __irqx_bind_flag(self->ctx, self->fd,
					   KVM_IRQX_IRQFD_DIRECT_MODIFY, sint, 1));
	ASSERT_EQ(0, irqx_stats(self->ctx).irqfds);

	ASSERT_EQ(EINVAL, __irqx_synic_page(self->ctx, max,
					    KVM_IRQX_SYNIC_PAGE_ENABLED,
					    SLOT_GPA));
	ASSERT_EQ(EINVAL, __irqx_synic_page(self->ctx, -1, 0, 0));
	ASSERT_EQ(EINVAL, __irqx_synic_page(self->ctx, 0, 0, SLOT_GPA));
	for (i = 1; i < PAGE_SIZE; i <<= 1)
		ASSERT_EQ(EINVAL, __irqx_synic_page(self->ctx, 0,
						    KVM_IRQX_SYNIC_PAGE_ENABLED,
						    SLOT_GPA + i));
	for (i = 1; i < 32; i++)
		ASSERT_EQ(EINVAL, __irqx_synic_page(self->ctx, 0, 1U << i | 1,
						    SLOT_GPA));
	ASSERT_EQ(EINVAL, __irqx_synic_page(self->ctx, 0,
					    KVM_IRQX_SYNIC_PAGE_ENABLED, -1));
	ASSERT_EQ(0, __irqx_synic_page(self->ctx, max - 1,
				       KVM_IRQX_SYNIC_PAGE_ENABLED, SLOT_GPA));

	/* None of these has named a page. */
	irqx_bind_flag(self->ctx, self->fd, sint, KVM_IRQX_EVENT_FLAGS - 1);
	expect_refused(self->g, self->fd);
}

TEST(not_attached)
{
	int ctx = irqx_open();

	ASSERT_EQ(ENOTCONN, __irqx_synic_page(ctx, 0, 0, 0));
	ASSERT_EQ(EFAULT, __irqx_ioctl(irqx_context(vm_create_barebones()),
				       KVM_IRQX_SYNIC_PAGE, (void *)1));
	close(ctx);
}

TEST_HARNESS_MAIN

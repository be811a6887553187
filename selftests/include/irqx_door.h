/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_DOOR_LIB_H
#define SELFTEST_IRQX_DOOR_LIB_H

/* door.ko, a module of the host that uses what kvm_irqx.ko has for others (modules/door.h). */
#include "../modules/door.h"
#include "irqx_util.h"

/* Return: a file descriptor, or -1 if the module has not been built. */
int irqx_door_open(void);
/* Closes it and unloads the module. */
void irqx_door_close(int door);

/* Return: 0 or an errno; @request->out is filled in. */
int __irqx_door(int door, struct door_request *request);

/* Without more arguments. */
static inline int __irqx_door_do(int door, enum door_op op)
{
	struct door_request request = { .op = op };

	return __irqx_door(door, &request);
}

static inline int __irqx_door_context(int door, int ctx)
{
	struct door_request request = { .op = DOOR_CONTEXT, .fd = ctx };

	return __irqx_door(door, &request);
}

static inline int __irqx_door_create(int door, struct kvm_irq_routing_entry entry,
				     uint32_t flags)
{
	struct door_request request = { .op = DOOR_CREATE, .entry = entry, .flags = flags };

	return __irqx_door(door, &request);
}

static inline int __irqx_door_raise(int door, enum door_where where, uint64_t count)
{
	struct door_request request = { .op = DOOR_RAISE, .where = where, .count = count };

	return __irqx_door(door, &request);
}

static inline int __irqx_door_lower(int door, enum door_where where)
{
	struct door_request request = { .op = DOOR_LOWER, .where = where, .count = 1 };

	return __irqx_door(door, &request);
}

static inline int __irqx_door_toggle(int door, enum door_where where, bool ends_high,
				     uint64_t count)
{
	struct door_request request = {
		.op = DOOR_TOGGLE,
		.where = where,
		.value = ends_high,
		.count = count,
	};

	return __irqx_door(door, &request);
}

static inline int __irqx_door_move(int door, struct kvm_irq_routing_entry entry)
{
	struct door_request request = { .op = DOOR_MOVE, .entry = entry };

	return __irqx_door(door, &request);
}

static inline int __irqx_door_mask(int door, bool masked)
{
	struct door_request request = { .op = DOOR_MASK, .value = masked };

	return __irqx_door(door, &request);
}

static inline int __irqx_door_dynirq(int door, uint32_t table)
{
	struct door_request request = { .op = DOOR_DYNIRQ, .table = table };

	return __irqx_door(door, &request);
}

/* @nr handles from @first on, in @where. */
static inline int __irqx_door_inject(int door, enum door_where where, uint32_t first,
				     uint32_t nr)
{
	struct door_request request = {
		.op = DOOR_INJECT,
		.where = where,
		.value = first,
		.count = nr,
	};

	return __irqx_door(door, &request);
}

/* @nr handles from @first on in turn, @count events, by a timer's interrupt handler. */
static inline int __irqx_door_storm(int door, uint32_t first, uint32_t nr, uint64_t count,
				    uint64_t period_ns)
{
	struct door_request request = {
		.op = DOOR_STORM,
		.value = first,
		.nr = nr,
		.count = count,
		.period_ns = period_ns,
	};

	return __irqx_door(door, &request);
}

#define irqx_door_do(door, op)			irqx_assert(__irqx_door_do(door, op))
#define irqx_door_context(door, ctx)		irqx_assert(__irqx_door_context(door, ctx))
#define irqx_door_create(door, entry, flags)	irqx_assert(__irqx_door_create(door, entry, flags))
#define irqx_door_raise(door, where, count)	irqx_assert(__irqx_door_raise(door, where, count))
#define irqx_door_lower(door, where)		irqx_assert(__irqx_door_lower(door, where))
#define irqx_door_toggle(door, where, ends_high, count)	\
	irqx_assert(__irqx_door_toggle(door, where, ends_high, count))
#define irqx_door_move(door, entry)		irqx_assert(__irqx_door_move(door, entry))
#define irqx_door_mask(door, masked)		irqx_assert(__irqx_door_mask(door, masked))
#define irqx_door_dynirq(door, table)		irqx_assert(__irqx_door_dynirq(door, table))
#define irqx_door_inject(door, where, first, nr)	\
	irqx_assert(__irqx_door_inject(door, where, first, nr))
#define irqx_door_storm(door, first, nr, count, period_ns)	\
	irqx_assert(__irqx_door_storm(door, first, nr, count, period_ns))

/* The answers of DOOR_STATE, DOOR_EOIS and DOOR_STORMED. */
uint64_t irqx_door_ask(int door, enum door_op op);
/* Waits for @n EOIs since the beginning.  Return: whether there have been that many. */
bool irqx_door_wait_eois(int door, uint64_t n);
/*
 * A source at @entry, in a context of its own, that its call-back raises again and again ends, or
 * its context does, by turns: no call-back after that.
 */
void irqx_door_ends_in_storm(int door, struct irqx_guest *g, struct kvm_irq_routing_entry entry,
			     uint32_t turn);
/* The next @count EOIs raise the source again. */
void irqx_door_again(int door, uint64_t count);

#endif /* SELFTEST_IRQX_DOOR_LIB_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_REFUSAL_H
#define SELFTEST_IRQX_REFUSAL_H

/*
 * Calls that are refused, by rows: each changes a call that would work, and names the errno, the
 * argument and the reason that the error record is to have.  A program has, before it includes
 * this:
 *
 *	enum base		the calls
 *	union call_arg		their arguments
 */
#include "irqx_util.h"

struct change {
	size_t offset;
	uint64_t value;			/* or IRQX_KNOWN_LATER + n */
	bool made;
};

/* The first of the values that a program gives row_apply(); the others follow. */
#define IRQX_KNOWN_LATER	(1ULL << 32)

struct row {
	enum base base;
	int err;
	uint32_t arg;
	uint32_t reason;
	int index;
	struct change changes[3];
};

#define AT(member, value)	{ offsetof(union call_arg, member), value, true }
/* The upper half of one of 64 bits. */
#define UPPER(member, value)	{ offsetof(union call_arg, member) + 4, value, true }
#define ROW(base, err, arg, reason, index, ...)				\
	{ base, err, KVM_IRQX_ARG_##arg, KVM_IRQX_REASON_##reason, index, { __VA_ARGS__ } }

static inline void row_apply(const struct row *row, union call_arg *arg,
			     const uint32_t *later, uint32_t nr_later)
{
	const struct change *change;
	uint32_t value;

	for (change = row->changes; change < row->changes + ARRAY_SIZE(row->changes); change++) {
		if (!change->made)
			continue;
		value = change->value;
		if (change->value - IRQX_KNOWN_LATER < nr_later)
			value = later[change->value - IRQX_KNOWN_LATER];
		memcpy((char *)arg + change->offset, &value, sizeof(value));
	}
}

/* What the call has answered is what the row says. */
#define EXPECT_REFUSED(row, rows, name, has_record, err, error)			\
	EXPECT_TRUE((err) == (row)->err &&					\
		    (!(has_record) ||						\
		     ((error).arg == (row)->arg && (error).reason == (row)->reason &&	\
		      (error).index == (uint32_t)(row)->index)))		\
		TH_LOG("row %td: %s: errno %d, arg %u, reason %u, index %d; not %d, %u, %u, %d", \
		       (row) - (rows), name, err, (error).arg, (error).reason,	\
		       (int)(error).index, (row)->err, (row)->arg, (row)->reason, (row)->index)

#endif /* SELFTEST_IRQX_REFUSAL_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_HARNESS_H
#define SELFTEST_IRQX_HARNESS_H

/* The kernel's test harness, with time limits that suit the kernel it runs on. */
#include "kselftest_harness.h"
#include "irqx_util.h"

/* The constructors of tests, which put them into the list, have priorities and so run before. */
static void __attribute__((constructor)) irqx_stretch_time_limits(void)
{
	struct __fixture_metadata *f;
	struct __test_metadata *t;

	for (f = __fixture_list; f; f = f->next)
		for (t = f->tests; t; t = t->next)
			t->timeout *= irqx_slowness();
}

#endif /* SELFTEST_IRQX_HARNESS_H */

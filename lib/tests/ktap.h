/* SPDX-License-Identifier: MIT */
#ifndef _KVMIRQX_TESTS_KTAP_H
#define _KVMIRQX_TESTS_KTAP_H

/* Cases of a program that needs no virtual machine. */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool case_failed;
static int failures;
static int cases;

#define CHECK(what) do {						\
	if (!(what)) {							\
		printf("# %s:%d: %s\n", __FILE__, __LINE__, #what);	\
		case_failed = true;					\
	}								\
} while (0)

#define CHECK_INT(want, is) do {					\
	long long want_ = (want), is_ = (is);				\
									\
	if (want_ != is_) {						\
		printf("# %s:%d: %s is %lld, not %lld\n", __FILE__,	\
		       __LINE__, #is, is_, want_);			\
		case_failed = true;					\
	}								\
} while (0)

#define CHECK_WORDS(want, is) do {					\
	const char *want_ = (want), *is_ = (is);			\
									\
	if (strcmp(want_, is_)) {					\
		printf("# %s:%d: \"%s\", not \"%s\"\n", __FILE__,	\
		       __LINE__, is_, want_);				\
		case_failed = true;					\
	}								\
} while (0)

static void run_case(const char *name, void (*body)(void))
{
	case_failed = false;
	body();
	printf("%sok %d %s\n", case_failed ? "not " : "", ++cases, name);
	failures += case_failed;
}

#define RUN(body)	run_case(#body, body)

static int end_of_cases(void)
{
	printf("1..%d\n", cases);
	return failures ? 1 : 0;
}

#endif /* _KVMIRQX_TESTS_KTAP_H */

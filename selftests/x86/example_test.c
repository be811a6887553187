// SPDX-License-Identifier: GPL-2.0
/*
 * The example that the documents show works: tools/example.c, beside this
 * program, succeeds.
 */
#include <libgen.h>

#include "irqx_util.h"
#include "irqx_harness.h"

static int run_example(void *arg)
{
	char path[4096];

	(void)arg;
	snprintf(path, sizeof(path), "%s", program_invocation_name);
	snprintf(path, sizeof(path), "%s/example", dirname(strdup(path)));
	dup2(STDERR_FILENO, STDOUT_FILENO);
	execl(path, "example", NULL);
	perror(path);
	return 127;
}

TEST(example_of_the_documents)
{
	ASSERT_EQ(0, irqx_in_child(run_example, NULL));
}

TEST_HARNESS_MAIN

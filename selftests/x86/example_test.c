// SPDX-License-Identifier: GPL-2.0
/*
 * The examples that the documents show work: the programs of tools/examples, in examples/ beside
 * this one, succeed.
 */
#include <libgen.h>

#include "irqx_util.h"
#include "irqx_harness.h"

static int run_example(void *arg)
{
	const char *name = arg;
	char path[4096];

	snprintf(path, sizeof(path), "%s", program_invocation_name);
	snprintf(path, sizeof(path), "%s/examples/%s", dirname(strdup(path)), name);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	execl(path, name, NULL);
	perror(path);
	return 127;
}

TEST(vectors)
{
	ASSERT_EQ(0, irqx_in_child(run_example, "vectors"));
}

TEST(level)
{
	ASSERT_EQ(0, irqx_in_child(run_example, "level"));
}

TEST(table)
{
	ASSERT_EQ(0, irqx_in_child(run_example, "table"));
}

TEST_HARNESS_MAIN

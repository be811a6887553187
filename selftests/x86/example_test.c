// SPDX-License-Identifier: GPL-2.0
/*
 * The examples that the documents show work: tools/example.c and tools/table.c, beside this
 * program, succeed.
 */
#include <libgen.h>

#include "irqx_util.h"
#include "irqx_harness.h"

static int run_example(void *arg)
{
	const char *name = arg;
	char path[4096];

	snprintf(path, sizeof(path), "%s", program_invocation_name);
	snprintf(path, sizeof(path), "%s/%s", dirname(strdup(path)), name);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	execl(path, name, NULL);
	perror(path);
	return 127;
}

TEST(example_of_the_documents)
{
	ASSERT_EQ(0, irqx_in_child(run_example, "example"));
}

TEST(table_of_the_documents)
{
	ASSERT_EQ(0, irqx_in_child(run_example, "table"));
}

TEST_HARNESS_MAIN

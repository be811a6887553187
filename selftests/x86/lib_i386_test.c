// SPDX-License-Identifier: GPL-2.0
/*
 * The 32-bit program lib_i386 beside this one, which is lib/tests/i386.c, where the kernel runs
 * such programs.
 */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kselftest.h"

int main(void)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s", program_invocation_name);
	snprintf(path, sizeof(path), "%s/lib_i386", dirname(strdup(path)));
	execl(path, path, NULL);
	printf("TAP version 13\n");
	switch (errno) {
	case ENOEXEC:
		/* without CONFIG_IA32_EMULATION */
		printf("1..0 # SKIP this kernel runs no 32-bit programs\n");
		return KSFT_SKIP;
#ifndef HAVE_LIB_I386
	case ENOENT:
		printf("1..0 # SKIP there was no compiler for 32-bit programs\n");
		return KSFT_SKIP;
#endif
	default:
		printf("Bail out! %s: %s\n", path, strerror(errno));
		return KSFT_FAIL;
	}
}

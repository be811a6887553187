// SPDX-License-Identifier: GPL-2.0
/*
 * See irqx_trace.h.
 */
#include <sys/stat.h>

#include "irqx_trace.h"

#define TRACEFS	"/sys/kernel/tracing"

static char *trace_path(const char *file)
{
	static char path[256];

	snprintf(path, sizeof(path), TRACEFS "/instances/irqx-%d%s", getpid(),
		 file);
	return path;
}

static void trace_write(const char *file, const char *text)
{
	FILE *f = fopen(trace_path(file), "w");

	TEST_ASSERT(f && fputs(text, f) >= 0 && !fclose(f), "%s: %s",
		    trace_path(file), strerror(errno));
}

void irqx_trace_start(const char *event)
{
	char file[128];

	TEST_ASSERT(!mkdir(trace_path(""), 0700), "%s: %s", trace_path(""),
		    strerror(errno));
	trace_write("/buffer_size_kb", "1024");
	snprintf(file, sizeof(file), "/events/%s%s/enable", strchr(event, '/') ? "" : "kvm_irqx/",
		 event);
	trace_write(file, "1");
}

uint64_t irqx_trace_count(const char *text)
{
	FILE *f = fopen(trace_path("/trace"), "r");
	uint64_t count = 0;
	char line[512];

	TEST_ASSERT(f, "%s: %s", trace_path("/trace"), strerror(errno));
	while (fgets(line, sizeof(line), f))
		if (line[0] != '#' && (!text || strstr(line, text)))
			count++;
	fclose(f);
	return count;
}

void irqx_trace_stop(void)
{
	TEST_ASSERT(!rmdir(trace_path("")), "%s: %s", trace_path(""),
		    strerror(errno));
}

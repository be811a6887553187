/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_TRACE_H
#define SELFTEST_IRQX_TRACE_H

/* Tracepoints, in an instance of ftrace of this process. */
#include "irqx_util.h"

/* @event: of kvm_irqx, or SYSTEM/EVENT. */
void irqx_trace_start(const char *event);
/* How many lines have @text in them; all, if NULL. */
uint64_t irqx_trace_count(const char *text);
void irqx_trace_stop(void);

#endif /* SELFTEST_IRQX_TRACE_H */

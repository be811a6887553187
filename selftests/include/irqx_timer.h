/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_TIMER_H
#define SELFTEST_IRQX_TIMER_H

/* irqx_timer.ko, the sample of a module of the host (tools/module). */
#include "../../tools/module/src/timer.h"

/* Return: a file descriptor, or -1 if the module has not been built. */
int irqx_timer_open(void);
/* Closes it and unloads the module. */
void irqx_timer_close(int timer);
/* Return: 0 or an errno. */
int __irqx_timer(int timer, const struct irqx_timer_request *request);
#define irqx_timer(timer, request)	irqx_assert(__irqx_timer(timer, request))
/* How many events there have been since. */
uint64_t irqx_timer_raised(int timer);

#endif /* SELFTEST_IRQX_TIMER_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_BLOCKED_H
#define SELFTEST_IRQX_BLOCKED_H

/* A call, on a thread of its own, that does not return before something else happens. */
#include "irqx_util.h"

/* What does not wait for a page is done in this time, on a busy machine too. */
#define IRQX_SOON_MS	(3000 * irqx_slowness())

struct irqx_blocked {
	pthread_t thread;
	int (*call)(void *arg);
	void *arg;
	bool begun, ended;
	int ret;
};

/* Runs call(arg) and gives it time to get where it waits. */
void irqx_blocked_start(struct irqx_blocked *blocked);
bool irqx_is_blocked(struct irqx_blocked *blocked);
/* Return: what it returned. */
int irqx_blocked_join(struct irqx_blocked *blocked);

/*
 * A process that is to be ended while it waits for whatever it can: runs attack(arg, ready),
 * which ends in irqx_attack_stay(), and only then does irqx_attack_start() return.
 */
pid_t irqx_attack_start(void (*attack)(void *arg, int ready), void *arg);
void __noreturn irqx_attack_stay(int ready);
/* Return: how long SIGKILL took, in ms. */
uint64_t irqx_attack_end(pid_t pid);

static inline uint64_t irqx_ms_since(uint64_t start_ns)
{
	return (irqx_now_ns() - start_ns) / 1000000;
}

#endif /* SELFTEST_IRQX_BLOCKED_H */

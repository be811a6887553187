// SPDX-License-Identifier: GPL-2.0
/*
 * See irqx_blocked.h.
 */
#include "irqx_blocked.h"

static void *blocked_thread(void *arg)
{
	struct irqx_blocked *blocked = arg;

	WRITE_ONCE(blocked->begun, true);
	blocked->ret = blocked->call(blocked->arg);
	__atomic_store_n(&blocked->ended, true, __ATOMIC_RELEASE);
	return NULL;
}

void irqx_blocked_start(struct irqx_blocked *blocked)
{
	pthread_attr_t attr;
	int err;

	pthread_attr_init(&attr);
	/* There may be hundreds. */
	pthread_attr_setstacksize(&attr, 65536);
	err = pthread_create(&blocked->thread, &attr, blocked_thread, blocked);
	TEST_ASSERT(!err, "pthread_create: %s", strerror(err));
	pthread_attr_destroy(&attr);
}

bool irqx_is_blocked(struct irqx_blocked *blocked)
{
	TEST_ASSERT(irqx_wait_until(READ_ONCE(blocked->begun), IRQX_TIMEOUT_MS),
		    "the thread does not start");
	usleep(50000);
	return !__atomic_load_n(&blocked->ended, __ATOMIC_ACQUIRE);
}

int irqx_blocked_join(struct irqx_blocked *blocked)
{
	pthread_join(blocked->thread, NULL);
	return blocked->ret;
}

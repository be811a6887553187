// SPDX-License-Identifier: GPL-2.0
/*
 * See irqx_blocked.h.
 */
#include <signal.h>
#include <sys/wait.h>

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

pid_t irqx_attack_start(void (*attack)(void *arg, int ready), void *arg)
{
	int ready[2];
	pid_t pid;
	char c;

	TEST_ASSERT(!pipe(ready), "pipe: %s", strerror(errno));
	pid = fork();
	TEST_ASSERT(pid >= 0, "fork: %s", strerror(errno));
	if (!pid) {
		close(ready[0]);
		attack(arg, ready[1]);
		_exit(1);
	}
	close(ready[1]);
	TEST_ASSERT(read(ready[0], &c, 1) == 1, "the attacker ended early");
	close(ready[0]);
	return pid;
}

void irqx_attack_stay(int ready)
{
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

uint64_t irqx_attack_end(pid_t pid)
{
	uint64_t start = irqx_now_ns();
	int status;

	kill(pid, SIGKILL);
	TEST_ASSERT(irqx_wait_until(waitpid(pid, &status, WNOHANG) == pid, IRQX_TIMEOUT_MS),
		    "SIGKILL does not end it");
	TEST_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "ended with %x",
		    status);
	return irqx_ms_since(start);
}

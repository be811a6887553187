/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_PAGES_H
#define SELFTEST_IRQX_PAGES_H

/*
 * Memory that somebody else serves: who touches a page waits until it is served.  Each
 * kind is one of the ways in which a page of a guest may be in the hands of userspace.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum irqx_pages_kind {
	IRQX_PAGES_FUSE,		/* a file of a FUSE server that does not answer */
	/*
	 * The same, each page asked for on its own (MADV_RANDOM): from when the server has
	 * the request until it answers or ends not even SIGKILL ends the wait.
	 */
	IRQX_PAGES_FUSE_SYNC,
	IRQX_PAGES_FUSE_SLOW,		/* it answers, as a busy NFS server does */
	IRQX_PAGES_MISSING,		/* userfaultfd: not there yet */
	IRQX_PAGES_MINOR,		/* userfaultfd: in the page cache, not mapped */
	IRQX_PAGES_PROTECTED,		/* userfaultfd: write-protected */
};

#define IRQX_PAGES_SLOW_MS	200	/* for each page of IRQX_PAGES_FUSE_SLOW */

struct irqx_pages {
	enum irqx_pages_kind kind;
	uint8_t *mem;			/* readable and writable; NULL: not mapped */
	size_t size;
	uint8_t *alias;			/* the same memory, never waited for; or NULL */
	int fd;				/* the userfaultfd, or the mounted file */
	pid_t server;
	int serve;			/* a byte into it makes the server answer */
	char dir[32];
};

/* @nr pages, not mapped yet.  Return: NULL if this kernel has none of that kind. */
struct irqx_pages *irqx_pages_create(enum irqx_pages_kind kind, uint32_t nr);

/* @at: in the place of what is mapped there, or NULL.  For this process only. */
void irqx_pages_map(struct irqx_pages *pages, void *at);

/* Who waits is let go on, and nobody waits any more. */
void irqx_pages_serve(struct irqx_pages *pages);

/* May be called while a process that has it mapped still lives; ends the server. */
void irqx_pages_free(struct irqx_pages *pages);

#endif /* SELFTEST_IRQX_PAGES_H */

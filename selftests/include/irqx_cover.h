/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_COVER_H
#define SELFTEST_IRQX_COVER_H

/*
 * Which code of the module a thread has run, where the kernel has KCOV
 * (Documentation/dev-tools/kcov.rst there).  Only files compiled for it are
 * recorded: with CONFIG_KCOV_INSTRUMENT_ALL=n, those of the module.  What
 * interrupts and the work queue do is not.
 */

#include <stdbool.h>
#include <stdint.h>

/* One per thread. */
struct irqx_cover {
	int fd;
	uint64_t *trace;		/* NULL: not recorded */
};

/* Before anything else.  Return: whether the kernel has KCOV. */
bool irqx_cover_init(void);

/* The calling thread; without KCOV it sees nothing. */
void irqx_cover_start(struct irqx_cover *cover);
void irqx_cover_stop(struct irqx_cover *cover);

/*
 * Return: how many of the steps from one basic block to the next that the thread
 * has made since the last call no thread had made before.
 */
uint32_t irqx_cover_news(struct irqx_cover *cover);

/* What all threads have seen: basic blocks, and steps between them. */
uint32_t irqx_cover_blocks(void);
uint32_t irqx_cover_edges(void);

#endif /* SELFTEST_IRQX_COVER_H */

// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <linux/kcov.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "irqx_cover.h"
#include "irqx_util.h"

#define KCOV_PATH	"/sys/kernel/debug/kcov"

/* Of one call, in words; what a longer one does at its end is not seen. */
#define TRACE_SIZE	65536

/* A module is smaller than this many bytes, so each of its PCs has a bit. */
#define BLOCKS_SHIFT	22
/* Of a few thousand edges, hardly two share one. */
#define EDGES_SHIFT	20

struct set {
	uint64_t *words;
	uint32_t nr;
};

static struct set blocks, edges;

/* Return: whether @bit is new. */
static bool add(struct set *set, uint32_t bit)
{
	uint64_t *word = &set->words[bit / 64];
	uint64_t mask = 1ULL << bit % 64;

	/* Nearly always it is not, and then nothing is written. */
	if (READ_ONCE(*word) & mask)
		return false;
	if (__atomic_fetch_or(word, mask, __ATOMIC_RELAXED) & mask)
		return false;
	__atomic_fetch_add(&set->nr, 1, __ATOMIC_RELAXED);
	return true;
}

bool irqx_cover_init(void)
{
	if (access(KCOV_PATH, R_OK | W_OK))
		return false;
	/* Not in the program, all of which is copied into each guest. */
	blocks.words = calloc(1, (1 << BLOCKS_SHIFT) / 8);
	edges.words = calloc(1, (1 << EDGES_SHIFT) / 8);
	TEST_ASSERT(blocks.words && edges.words, "no memory");
	return true;
}

void irqx_cover_start(struct irqx_cover *cover)
{
	cover->trace = NULL;
	if (!blocks.words)
		return;
	cover->fd = open(KCOV_PATH, O_RDWR | O_CLOEXEC);
	TEST_ASSERT(cover->fd >= 0, "open " KCOV_PATH ": %s", strerror(errno));
	irqx_assert(__irqx_ioctl(cover->fd, KCOV_INIT_TRACE, TRACE_SIZE));
	cover->trace = mmap(NULL, TRACE_SIZE * sizeof(*cover->trace),
			    PROT_READ | PROT_WRITE, MAP_SHARED, cover->fd, 0);
	TEST_ASSERT(cover->trace != MAP_FAILED, "mmap: %s", strerror(errno));
	irqx_assert(__irqx_ioctl(cover->fd, KCOV_ENABLE, KCOV_TRACE_PC));
}

void irqx_cover_stop(struct irqx_cover *cover)
{
	if (!cover->trace)
		return;
	irqx_assert(__irqx_ioctl(cover->fd, KCOV_DISABLE, 0));
	munmap(cover->trace, TRACE_SIZE * sizeof(*cover->trace));
	close(cover->fd);
	cover->trace = NULL;
}

uint32_t irqx_cover_news(struct irqx_cover *cover)
{
	uint64_t nr, i, pc, last = 0;
	uint32_t news = 0;

	if (!cover->trace)
		return 0;
	nr = READ_ONCE(cover->trace[0]);
	for (i = 1; i <= nr; i++) {
		pc = READ_ONCE(cover->trace[i]);
		add(&blocks, pc & ((1 << BLOCKS_SHIFT) - 1));
		news += add(&edges, ((pc + last * 31) * 0x9e3779b97f4a7c15ULL) >>
				    (64 - EDGES_SHIFT));
		last = pc;
	}
	WRITE_ONCE(cover->trace[0], 0);
	return news;
}

uint32_t irqx_cover_blocks(void)
{
	return READ_ONCE(blocks.nr);
}

uint32_t irqx_cover_edges(void)
{
	return READ_ONCE(edges.nr);
}

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_TWIN_H
#define SELFTEST_TWIN_H

/*
 * twin_test's two VMs, of which one has its interrupts by KVM's own calls and the
 * other by the module's, and what an architecture adds: targets of routes,
 * operations of its interrupt controllers, and what can be seen of them.
 *
 * No vCPU has a thread: one runs when it is told to, does at most one operation,
 * takes the interrupts that it can take, and comes back.  So both do everything in
 * the same order.
 */
#include "irqx_source.h"

#define TWIN_VCPUS	2
#define TWIN_GSIS	6
#define TWIN_FDS	6
#define TWIN_ACKS	(2 * TWIN_GSIS)
#define TWIN_WORDS	64

/* Both have these GSIs for what is tried; KVM may have others. */
#define TWIN_GSI(n)	(100 + (n))

/* How the module is told of a route. */
enum twin_way {
	TWIN_TABLE,			/* KVM_SET_GSI_ROUTING */
	TWIN_ROUTE,			/* KVM_IRQX_BATCH */
	TWIN_DIRECT,			/* KVM_IRQX_IRQFD_DIRECT */
	TWIN_WAYS,
};

struct twin {
	bool kvms;
	enum twin_way way;		/* unless it is KVM's */
	int file;			/* that calls go to: a VM or a context */
	struct irqx_guest *g;
	int fds[TWIN_FDS];
	int acks[TWIN_ACKS];
	int route[TWIN_GSIS];		/* a target, or -1 */
	int gsi_of[TWIN_FDS];		/* -1: not bound */
	int sentinel;			/* for the architecture */
};

#define TWIN_TAKEN	128

/* In guest memory, one per vCPU. */
struct twin_cpu {
	uint32_t op;
	uint32_t take;			/* let interrupts come */
	uint64_t where;
	uint64_t what;
	uint32_t nr_taken;		/* since the vCPU was told to run */
	uint32_t taken[TWIN_TAKEN];	/* in order */
	uint8_t hold[IRQX_NR_IRQS];	/* no EOI by the handler */
};

/* The guest of twin_test.c; each VM has its own. */
extern struct twin_cpu twin_cpus[TWIN_VCPUS];

/*
 * So many in one run, and the handler leaves them without an EOI: a level that
 * nobody lowers would come for ever.
 */
#define TWIN_MANY	24

/* Return: whether the handler of @irq, which has been noted, may write the EOI. */
static inline bool twin_guest_taken(struct twin_cpu *cpu, uint32_t irq)
{
	uint32_t nr = cpu->nr_taken;

	if (nr < TWIN_TAKEN)
		cpu->taken[nr] = irq;
	cpu->nr_taken = nr + 1;
	return nr < TWIN_MANY && !cpu->hold[irq];
}

/* The host's view. */
struct twin_cpu *twin_cpu(struct twin *twin, uint32_t vcpu);
/* vCPU @vcpu does @op of the architecture (0: none).  Return: what it read. */
uint64_t twin_run(struct twin *twin, uint32_t vcpu, uint32_t op, uint64_t where,
		  uint64_t what, bool take);
/* For what cannot fail and reads nothing.  Return: 0. */
int twin_do(struct twin *twin, uint32_t vcpu, uint32_t op, uint64_t where, uint64_t what);

void twin_create(struct twin *twin, bool kvms, enum twin_way way);
void twin_free(struct twin *twin);

/* Return: an errno.  @target is -1 for no route, @ack for no resamplefd. */
int twin_route(struct twin *twin, int gsi, int target);
int twin_assign(struct twin *twin, int fd, int gsi, int ack);
int twin_deassign(struct twin *twin, int fd, int gsi);

/*
 * Of the architecture
 */

struct twin_target {
	const char *name;
	uint32_t nr;			/* entries */
	struct {
		uint32_t type;		/* KVM_IRQ_ROUTING_* */
		uint32_t a, b;		/* irqchip, pin; vCPU, irq; vCPU, SINT */
	} entries[2];
	uint64_t lines;			/* those it leads to, a bit each */
	bool no_eoi;			/* the module takes no resamplefd for it */
	bool no_level;			/* an EOI, but nothing that stays up */
};

extern const struct twin_target twin_targets[];
extern const uint32_t twin_nr_targets;

struct twin_op {
	uint32_t what;
	int arg[3];
};

struct twin_op_kind {
	const char *name;
	uint32_t weight;		/* the higher, the more often */
	uint32_t nr_args;
	int (*run)(struct twin *twin, const int *arg);	/* Return: an errno */
	void (*choose)(struct irqx_random *random, int *arg);
	uint64_t (*unmasks)(const int *arg);	/* the lines that it may unmask */
	bool ends;			/* there may be an EOI */
};

/* What both architectures have: an interrupt that the handlers of all vCPUs hold or not. */
int twin_op_hold(struct twin *twin, const int *arg);
void twin_choose_vcpu(struct irqx_random *random, int *arg);

extern const struct twin_op_kind twin_arch_ops[];
extern const uint32_t twin_nr_arch_ops;

extern const uint32_t twin_guest_flags;
extern const uint32_t twin_guest_vcpus;	/* TWIN_VCPUS or more */

void twin_arch_init(struct twin *twin);
void twin_arch_free(struct twin *twin);
/* In the guest: before all else, cpu->op if it is not 0, and cpu->take. */
void twin_guest_start(uint32_t vcpu);
void twin_guest_op(struct twin_cpu *cpu);
void twin_guest_take(void);
uint32_t twin_guest_vcpu(void);

struct kvm_irq_routing_entry twin_entry(struct twin *twin, uint32_t target,
					uint32_t n);
/* Return: an errno; @status is what KVM_IRQ_LINE_STATUS gives. */
int twin_line(struct twin *twin, int gsi, uint32_t level, int *status);
/* Entries that KVM's table needs beside those; at most one. */
uint32_t twin_own_entries(struct kvm_irq_routing_entry *entries);
/* KVM has no work under way any more. */
void twin_settle(struct twin *twin);
/* What is seen of the interrupt controllers. */
void twin_look(struct twin *twin, uint64_t *words);
void twin_name_word(uint32_t n, char *name, size_t size);
/* Of @words: the lines that are up. */
uint64_t twin_lines_up(const uint64_t *words);
/* Edges now, of which an interrupt that came as a level has not ended. */
uint64_t twin_lines_from_levels(const uint64_t *words);

/*
 * KVM keeps one level of a line, as whoever set it last, and an event without a resamplefd
 * only raises it.  With that, of @words: lines that are levels now; and of those the ones
 * whose interrupt may end when @vcpu is run, or else ends the last one; else none.
 */
extern const bool twin_one_level;
uint64_t twin_lines_of_levels(const uint64_t *words);
uint64_t twin_lines_that_may_end(const uint64_t *words, uint32_t vcpu, bool run);

/* Documentation/api.rst. */
extern const char twin_api_rst[];

#endif /* SELFTEST_TWIN_H */

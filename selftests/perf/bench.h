/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_BENCH_H
#define SELFTEST_IRQX_BENCH_H

/*
 * What measurements share.  A measurement sets up this module and KVM side by side,
 * takes turns between the two, run after run, and reports the pairs.
 */
#include "irqx_source.h"
#include "irqx_util.h"

struct bench_options {
	bool icount;			/* a virtual ns is an instruction */
	bool quick;
};

extern struct bench_options bench;

/* What KVM has room for, next to BENCH_EXTRA of a measurement's own. */
#define BENCH_KVM_MAX	4032
#define BENCH_EXTRA	64

/* Where KVM or this module has nothing to compare with. */
#define BENCH_NONE	(-1.0)

/*
 * Instructions or ns since the beginning, without those that the machine has spent
 * idle if instructions are counted.
 */
struct bench_clock {
	uint64_t ns;
	uint64_t idle;
};

void bench_start(struct bench_clock *clock);
double bench_stop(const struct bench_clock *clock);

/* irqx_assert() has the text of an error ready, also where there is none. */
#define bench_ok(expr)							\
do {									\
	int err_ = (expr);						\
									\
	if (unlikely(err_))						\
		TEST_FAIL("%s: %s", #expr, strerror(err_));		\
} while (0)

/* Per call, of fn(arg, 0) .. fn(arg, nr - 1). */
double bench_each(void (*fn)(void *arg, uint32_t i), void *arg, uint32_t nr);

/* Runs of one measurement: this module's and KVM's, in pairs. */
#define BENCH_MAX_RUNS	32

struct bench_pairs {
	uint32_t nr;
	double irqx[BENCH_MAX_RUNS];
	double kvm[BENCH_MAX_RUNS];
};

/* How many runs, of something that takes long if @slow. */
uint32_t bench_runs(bool slow);
void bench_pair(struct bench_pairs *pairs, double irqx, double kvm);
/* What is counted in @unit; NULL: instructions or ns. */
void bench_report(const char *name, uint32_t n, const char *unit,
		  const struct bench_pairs *pairs);
void bench_say(const char *fmt, ...) __printf(1, 2);

/*
 * A VM with an interrupt controller and nothing else, and maybe a context; with
 * room for a table of KVM's.
 */
struct bench_vm {
	struct kvm_vm *vm;
	int ctx;
	struct kvm_irq_routing *table;
};

struct bench_vm bench_vm_create(bool context);
void bench_vm_close(struct bench_vm *vm);
/* The memory of one that is closed. */
void bench_vm_free(struct bench_vm *vm);
/* The first @nr GSIs to bench_entry(i, false), in KVM's table. */
void bench_vm_set_table(struct bench_vm *vm, uint32_t nr);

/* The i-th of many MSIs, or another one for the same eventfd. */
struct kvm_irq_routing_entry bench_entry(uint32_t i, bool side);

/* A vCPU that is woken runs at once, where that makes runs alike. */
void bench_vcpu_first(struct irqx_guest *g);

/*
 * ---- Of an architecture ----
 */

void bench_arch_irqchip(struct kvm_vm *vm);
struct kvm_irq_routing_entry bench_arch_msi(uint32_t nth);
/* What KVM_IRQ_LINE on the VM calls a pin that its table has. */
uint32_t bench_arch_irq_line(struct kvm_irq_routing_entry entry);

/* A way of an event into a guest with one vCPU, which runs. */
struct bench_way {
	const char *name;
	struct irqx_guest *g;
	struct kvm_irq_routing_entry entry;
	uint32_t irq;
	bool atomic;			/* done when write() returns */
	void *data;
	void (*start)(struct bench_way *way);
	void (*free)(struct bench_way *way);
};

#define BENCH_MAX_WAYS	4

uint32_t bench_arch_ways(struct bench_way *ways);

/* A guest of one vCPU that runs and has level-triggered pins, GSIs in KVM's table. */
struct irqx_guest *bench_arch_level_guest(void);
uint32_t bench_arch_level_pin(struct irqx_guest *g, uint32_t nth);
/* One whose EOIs are told apart by their vector, so that those of all VMs are looked at. */
bool bench_arch_vector_entry(struct kvm_irq_routing_entry *entry);
/* Of an assigned device; nothing where that cannot be had. */
void bench_arch_intx(void);

/*
 * ---- The measurements ----
 */

void bench_retarget(void);
void bench_events(void);
void bench_mask(void);
void bench_bind(void);
void bench_bring_up(void);
void bench_list(void);
void bench_vector(void);
void bench_dynirq(void);
void bench_level(void);
void bench_stranger(void);
void bench_memory(void);
void bench_threads(void);

#endif /* SELFTEST_IRQX_BENCH_H */

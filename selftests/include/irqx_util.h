/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_UTIL_H
#define SELFTEST_IRQX_UTIL_H

/*
 * What tests of /dev/kvm-irqx need beyond KVM's harness.
 *
 * As in kvm_util.h, irqx_x() asserts that it worked.  __irqx_x() returns 0 or a
 * (positive) errno, for TEST() to compare with.
 *
 * The life of a test:
 *
 *	struct irqx_guest *g = irqx_guest_create(2);	a VM and a context
 *	int fd = irqx_eventfd(0, 0);
 *
 *	irqx_bind(g->ctx, fd, irqx_entry(g, 1, 0x40));
 *	irqx_guest_start(g);				vCPUs run
 *	irqx_fire(fd);
 *	irqx_expect(g, 1, 0x40, 1);
 *	irqx_check(g);					that, and nothing else
 *	irqx_guest_free(g);
 *
 * "irq" is what the guest sees: a vector on x86, an LPI or SPI (irqx_arch.h) on
 * arm64.  A test that takes it from
 * IRQX_IRQ_MIN .. IRQX_IRQ_MAX and uses irqx_entry() runs on any architecture.
 */

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "kvm_util.h"
#include <linux/kvm_irqx.h>

/* A routing entry for a pin; IRQX_IRQCHIP is an irqchip that every guest has. */
struct kvm_irq_routing_entry irqx_pin_entry(uint32_t irqchip, uint32_t pin);

#include "irqx_arch.h"

#define IRQX_DEV_PATH	"/dev/kvm-irqx"

/*
 * How much longer than on a stock kernel things take: IRQX_SLOW of the
 * environment, from scripts/kernels, or 1.
 */
uint32_t irqx_slowness(void);

/* No wait for something that must happen is longer than this. */
#define IRQX_TIMEOUT_MS	(10000 * irqx_slowness())

/*
 * A program has two VMs more than it makes, from start to end (irqx_util.c says
 * why), unless it defines this as false.
 */
extern bool irqx_keeps_vms;

/* Is this kernel of @major.@minor or later? */
bool irqx_kernel_since(int major, int minor);
bool irqx_kernel_is_rt(void);

/*
 * In a TEST_F(): what has just been seen is a known fault of this kernel, or one
 * that the module cannot make good there.  Ends the test.
 */
#define IRQX_XFAIL(fmt, ...)						\
do {									\
	snprintf(_metadata->results->reason,				\
		 sizeof(_metadata->results->reason), fmt,		\
		 ##__VA_ARGS__);					\
	_metadata->exit_code = KSFT_XFAIL;				\
	_metadata->trigger = 0;						\
	return;								\
} while (0)

/*
 * ---- Contexts: an open /dev/kvm-irqx is an int ----
 */

#define __irqx_ioctl(ctx, cmd, arg)					\
({									\
	ioctl(ctx, cmd, arg) ? errno : 0;				\
})

#define irqx_assert(expr)						\
do {									\
	int err_ = (expr);						\
									\
	TEST_ASSERT(!err_, "%s: %s", #expr, strerror(err_));		\
} while (0)

/* An error record that nobody has written to. */
#define IRQX_STALE	0x5a5a5a5a

static inline struct kvm_irqx_error irqx_stale_error(void)
{
	return (struct kvm_irqx_error){
		.argsz = sizeof(struct kvm_irqx_error),
		.index = IRQX_STALE,
		.arg = IRQX_STALE,
		.reason = IRQX_STALE,
	};
}

/* Return: a file descriptor. */
int irqx_open(void);

static inline int __irqx_attach(int ctx, int vm_fd)
{
	struct kvm_irqx_attach attach = { .vm_fd = vm_fd };

	return __irqx_ioctl(ctx, KVM_IRQX_ATTACH, &attach);
}

#define irqx_attach(ctx, vm_fd)	irqx_assert(__irqx_attach(ctx, vm_fd))

/* Opens and attaches. */
int irqx_context(struct kvm_vm *vm);

struct kvm_irqx_info irqx_info(int ctx);
int __irqx_stats(int ctx, struct kvm_irqx_stats *stats);
struct kvm_irqx_stats irqx_stats(int ctx);

static inline int __irqx_direct(int ctx, int fd, uint32_t flags,
				struct kvm_irq_routing_entry entry)
{
	struct kvm_irqx_irqfd_direct direct = {
		.fd = fd,
		.resamplefd = -1,
		.flags = flags,
		.entry = entry,
	};

	return __irqx_ioctl(ctx, KVM_IRQX_IRQFD_DIRECT, &direct);
}

static inline int __irqx_bind(int ctx, int fd,
			      struct kvm_irq_routing_entry entry)
{
	return __irqx_direct(ctx, fd, 0, entry);
}

static inline int __irqx_modify(int ctx, int fd,
				struct kvm_irq_routing_entry entry)
{
	return __irqx_direct(ctx, fd, KVM_IRQX_IRQFD_DIRECT_MODIFY, entry);
}

/* However it was bound. */
static inline int __irqx_unbind(int ctx, int fd)
{
	struct kvm_irq_routing_entry none = {};

	return __irqx_direct(ctx, fd, KVM_IRQX_IRQFD_DIRECT_DEASSIGN, none);
}

#define irqx_bind(ctx, fd, entry)	irqx_assert(__irqx_bind(ctx, fd, entry))
#define irqx_modify(ctx, fd, entry)	irqx_assert(__irqx_modify(ctx, fd, entry))
#define irqx_unbind(ctx, fd)		irqx_assert(__irqx_unbind(ctx, fd))

/* KVM_IRQFD: @ctx may also be a VM's file descriptor, then it is KVM's own. */
static inline int __irqx_irqfd(int ctx, int fd, uint32_t gsi, uint32_t flags)
{
	struct kvm_irqfd irqfd = { .fd = fd, .gsi = gsi, .flags = flags };

	return __irqx_ioctl(ctx, KVM_IRQFD, &irqfd);
}

#define irqx_irqfd(ctx, fd, gsi, flags)	\
	irqx_assert(__irqx_irqfd(ctx, fd, gsi, flags))

/* KVM_SET_GSI_ROUTING, likewise. */
int __irqx_set_gsi_routing(int ctx, const struct kvm_irq_routing_entry *entries,
			   uint32_t nr);
#define irqx_set_gsi_routing(ctx, entries, nr)	\
	irqx_assert(__irqx_set_gsi_routing(ctx, entries, nr))

/* KVM_IRQ_LINE, likewise. */
static inline int __irqx_irq_line(int ctx, uint32_t gsi, uint32_t level)
{
	struct kvm_irq_level line = { .irq = gsi, .level = level };

	return __irqx_ioctl(ctx, KVM_IRQ_LINE, &line);
}

#define irqx_irq_line(ctx, gsi, level)	\
	irqx_assert(__irqx_irq_line(ctx, gsi, level))

/* Of a binding's own entry; or with KVM_IRQX_NO_FD, of a GSI. */
static inline int __irqx_mask(int ctx, int fd, uint32_t gsi, bool masked)
{
	struct kvm_irqx_mask mask = {
		.fd = fd,
		.gsi = gsi,
		.flags = masked ? KVM_IRQX_MASK_SET : KVM_IRQX_MASK_CLEAR,
	};

	return __irqx_ioctl(ctx, KVM_IRQX_MASK, &mask);
}

#define irqx_mask(ctx, fd)	irqx_assert(__irqx_mask(ctx, fd, 0, true))
#define irqx_unmask(ctx, fd)	irqx_assert(__irqx_mask(ctx, fd, 0, false))
#define irqx_mask_gsi(ctx, gsi)	\
	irqx_assert(__irqx_mask(ctx, KVM_IRQX_NO_FD, gsi, true))
#define irqx_unmask_gsi(ctx, gsi)	\
	irqx_assert(__irqx_mask(ctx, KVM_IRQX_NO_FD, gsi, false))

/* @index may be NULL. */
int __irqx_states(int ctx, struct kvm_irqx_target_state *states, uint32_t nr,
		  uint32_t *index);
/* Return: KVM_IRQX_STATE_*. */
uint32_t irqx_state(int ctx, int fd, uint32_t gsi);

static inline struct kvm_irqx_batch irqx_batch_of(const struct kvm_irqx_op *ops,
						  uint32_t nr)
{
	return (struct kvm_irqx_batch){
		.nr = nr,
		.op_size = sizeof(*ops),
		.ops = (uintptr_t)ops,
	};
}

/* @index may be NULL. */
static inline int __irqx_batch(int ctx, const struct kvm_irqx_op *ops, uint32_t nr,
			       uint32_t *index)
{
	struct kvm_irqx_batch batch = irqx_batch_of(ops, nr);
	int err = __irqx_ioctl(ctx, KVM_IRQX_BATCH, &batch);

	if (index)
		*index = batch.index;
	return err;
}

#define irqx_batch(ctx, ops, nr)	\
	irqx_assert(__irqx_batch(ctx, ops, nr, NULL))

/* The operation that binds as KVM_IRQX_IRQFD_DIRECT does. */
static inline struct kvm_irqx_op
irqx_assign_op(const struct kvm_irqx_irqfd_direct *irqfd)
{
	return (struct kvm_irqx_op){
		.op = KVM_IRQX_OP_ASSIGN,
		.flags = irqfd->flags,
		.fd = irqfd->fd,
		.resamplefd = irqfd->flags & KVM_IRQX_OP_FLAG_RESAMPLE ?
			      irqfd->resamplefd : 0,
		.event_flag = irqfd->event_flag,
		.entry = irqfd->entry,
	};
}

/* All of them by one call; likewise. */
int __irqx_assign(int ctx, const struct kvm_irqx_irqfd_direct *irqfds, uint32_t nr,
		  uint32_t *index);
#define irqx_assign(ctx, irqfds, nr)	\
	irqx_assert(__irqx_assign(ctx, irqfds, nr, NULL))

static inline int __irqx_route_one(int ctx, uint32_t op, uint32_t gsi,
				   struct kvm_irq_routing_entry entry)
{
	struct kvm_irqx_op route = { .op = op, .entry = entry };

	route.entry.gsi = gsi;
	return __irqx_batch(ctx, &route, 1, NULL);
}

static inline int __irqx_route_set(int ctx, uint32_t gsi,
				   struct kvm_irq_routing_entry entry)
{
	return __irqx_route_one(ctx, KVM_IRQX_OP_ROUTE_SET, gsi, entry);
}

static inline int __irqx_route_add(int ctx, uint32_t gsi,
				   struct kvm_irq_routing_entry entry)
{
	return __irqx_route_one(ctx, KVM_IRQX_OP_ROUTE_ADD, gsi, entry);
}

static inline int __irqx_route_del(int ctx, uint32_t gsi)
{
	struct kvm_irq_routing_entry none = {};

	return __irqx_route_one(ctx, KVM_IRQX_OP_ROUTE_DEL, gsi, none);
}

#define irqx_route_set(ctx, gsi, entry)	\
	irqx_assert(__irqx_route_set(ctx, gsi, entry))
#define irqx_route_add(ctx, gsi, entry)	\
	irqx_assert(__irqx_route_add(ctx, gsi, entry))
#define irqx_route_del(ctx, gsi)	\
	irqx_assert(__irqx_route_del(ctx, gsi))

/*
 * Waits until all events of finished writes are handed to KVM, also those that
 * take the work queue.
 */
void irqx_settle(int ctx);

/*
 * Settles.  Return: how many interrupts were handed to KVM; where irqx_entry()
 * needs no work queue, as long as none went through it, else 0.
 */
uint64_t irqx_delivered(int ctx);

/*
 * KVM_IRQX_LIST from @cursor, and on to the next one, at most @nr.  Return: 0 or an errno; @nr is
 * how many there are.
 */
int __irqx_list(int ctx, uint64_t *cursor, struct kvm_irqx_binding *bindings, uint32_t *nr);
/* All; there must be room.  Return: how many. */
uint32_t irqx_list(int ctx, struct kvm_irqx_binding *bindings, uint32_t room);
/* That of @fd, which must be bound; on a kernel without BTF that of the newest. */
struct kvm_irqx_binding irqx_binding(int ctx, int fd);

/* Waits until @nr eventfds are bound; closed ones vanish a little later. */
bool irqx_wait_irqfds(int ctx, uint32_t nr);

/*
 * ---- Eventfds ----
 */

/* Non-blocking whatever the flags. */
int irqx_eventfd(unsigned int count, int flags);
/* eventfd-id of /proc/self/fdinfo. */
int irqx_eventfd_id(int fd);
/* Raises RLIMIT_NOFILE as needed. */
void irqx_eventfds(int *fds, uint32_t nr);
void irqx_close_all(const int *fds, uint32_t nr);
void irqx_need_files(uint32_t nr);

/* Adds 1.  Return: 0 or an errno, EAGAIN if the counter is full. */
int __irqx_fire(int fd);
#define irqx_fire(fd)	irqx_assert(__irqx_fire(fd))

/* What is in the counter (1, of an EFD_SEMAPHORE), and takes it; 0 if empty. */
uint64_t irqx_eventfd_take(int fd);

/*
 * ---- A guest that counts ----
 */

/* In guest memory, one per vCPU; only the guest writes to it. */
struct irqx_cpu {
	uint64_t self;			/* the guest's address of this */
	uint32_t index;
	uint32_t flags;			/* IRQX_GUEST_* */
	uint32_t ready;
	uint32_t fences;
	uint64_t total;			/* sum of @count */
	uint64_t count[IRQX_NR_IRQS];
};

struct irqx_vcpu {
	struct kvm_vcpu *vcpu;
	struct irqx_cpu *cpu;		/* mapped into the host */
	uint64_t expect[IRQX_NR_IRQS];
	pthread_t thread;
	bool running;
	bool stop;
};

struct irqx_guest {
	struct kvm_vm *vm;
	int ctx;			/* a context of it, or -1 */
	uint32_t nr_vcpus;
	struct irqx_vcpu *vcpus;
	struct irqx_arch_guest arch;
};

#define IRQX_GUEST_NO_CONTEXT	(1 << 0)
/* No vCPU has run, and so none has its interrupt controller enabled. */
#define IRQX_GUEST_UNBOOTED	(1 << 1)
/* further bits: IRQX_GUEST_ARCH_* of irqx_arch.h */

/*
 * A VM whose vCPUs halt, take interrupts, and count them.  vCPU i has the
 * id ids[i], or i if @ids is NULL.  No vCPU runs yet, but each has its
 * interrupt controller enabled and so takes in what comes.
 */
struct irqx_guest *__irqx_guest_create(uint32_t nr_vcpus, const uint32_t *ids,
				       uint32_t flags);
struct irqx_guest *irqx_guest_create(uint32_t nr_vcpus);
/* Stops the vCPUs, closes the context and the VM. */
void irqx_guest_free(struct irqx_guest *g);

/*
 * Between stop and start a vCPU does nothing: what is delivered to it stays
 * pending and coalesces, and its registers can be read.
 */
void irqx_guest_start(struct irqx_guest *g);
void irqx_guest_stop(struct irqx_guest *g);
/* For a VM of another kind: @thread runs v->vcpu until v->stop, which comes with a signal. */
void irqx_vcpu_thread_start(struct irqx_vcpu *v, void *(*thread)(void *v));
void irqx_vcpu_thread_stop(struct irqx_vcpu *v);
/* Before any worker on its CPU, and at once when it is woken (SCHED_FIFO). */
void irqx_vcpu_first(struct irqx_vcpu *v);
void irqx_vcpu_start(struct irqx_guest *g, uint32_t vcpu);
void irqx_vcpu_stop(struct irqx_guest *g, uint32_t vcpu);

/* A vCPU's exit to the VMM: a failure, unless a program defines its own.  On its thread. */
void irqx_vcpu_exit(struct irqx_vcpu *v);

/* How many of @irq vCPU @vcpu, or of all irqs all vCPUs, have taken so far. */
uint64_t irqx_count(struct irqx_guest *g, uint32_t vcpu, uint32_t irq);
uint64_t irqx_total(struct irqx_guest *g);
uint64_t irqx_vcpu_total(struct irqx_guest *g, uint32_t vcpu);

/* Until that many or more have been taken.  Return: false after a time-out. */
bool __irqx_wait_count(struct irqx_guest *g, uint32_t vcpu, uint32_t irq,
		       uint64_t count);
bool __irqx_wait_total(struct irqx_guest *g, uint64_t total);
void irqx_wait_count(struct irqx_guest *g, uint32_t vcpu, uint32_t irq,
		     uint64_t count);
void irqx_wait_total(struct irqx_guest *g, uint64_t total);

/*
 * When it returns, the (running) guest has taken every interrupt that KVM had
 * been given for it before the call.  Sends an interrupt of the lowest
 * priority, by KVM's own means, and waits for it; it is not counted.
 */
void irqx_fence(struct irqx_guest *g);

/*
 * The host's account of what the guest must have taken.  irqx_check() waits for
 * what is under way and compares all counters; a test that fires into the
 * unknown can let irqx_forget() make the account agree with them.
 */
struct irqx_verdict {
	uint64_t taken;
	uint64_t lost;			/* sum of what is missing */
	uint64_t extra;			/* sum of what is too much */
	uint32_t vcpu, irq;		/* where the first difference is */
	uint64_t expected, counted;	/* there */
};

void irqx_expect(struct irqx_guest *g, uint32_t vcpu, uint32_t irq, uint64_t n);
/* Nothing but @total in all, and no more to come; an event may be pending. */
void irqx_expect_no_more(struct irqx_guest *g, uint64_t total);
struct irqx_verdict __irqx_check(struct irqx_guest *g);
void irqx_check(struct irqx_guest *g);
void irqx_forget(struct irqx_guest *g);

/* Fires @fd, which has to reach one vCPU's @irq, and waits until it has. */
void irqx_fire_at(struct irqx_guest *g, int fd, uint32_t vcpu, uint32_t irq);

/* "@irq of vCPU @vcpu", as an MSI (LPI); what a device of the guest would hold. */
struct kvm_irq_routing_entry irqx_entry(struct irqx_guest *g, uint32_t vcpu,
					uint32_t irq);

/* What a guest writes into a table of vectors, for the same. */
struct irqx_vector_message {
	uint64_t address;
	uint32_t data;
};

/* On arm64 @g has IRQX_GUEST_ARCH_TABLE, and the function this device ID. */
struct irqx_vector_message irqx_vector_message(struct irqx_guest *g, uint32_t vcpu, uint32_t irq);
uint32_t irqx_table_devid(void);
/* Whether a guest has what the messages of a table go to. */
bool irqx_takes_tables(void);

/*
 * The same by an entry that KVM never delivers in atomic context, so that its
 * events take the module's work queue.  @n is the number of the wire, below
 * IRQX_NR_SLOW; each leads to one place.
 *
 * Where that is so only until KVM has learned the way (arm64), it has again
 * forgotten all of them after irqx_make_slow(), and knows that of irqx_entry(g,
 * @vcpu, @irq) after irqx_make_fast().  Both want vCPUs that do not run and have
 * nothing pending.
 */
struct kvm_irq_routing_entry irqx_slow_entry(struct irqx_guest *g, uint32_t n,
					     uint32_t vcpu, uint32_t irq);
void irqx_make_slow(struct irqx_guest *g);
void irqx_make_fast(struct irqx_guest *g, uint32_t vcpu, uint32_t irq);

/*
 * A level-triggered pin that the guest has masked; @n is below IRQX_NR_WIRES.
 * Its level can be seen while the guest runs.
 */
struct kvm_irq_routing_entry irqx_wire_entry(struct irqx_guest *g, uint32_t n);
bool irqx_wire_is_up(struct irqx_guest *g, uint32_t n);

/*
 * Of a vCPU that does not run: whether @irq is pending in its interrupt
 * controller; and make none pending.
 */
bool irqx_pending(struct irqx_guest *g, uint32_t vcpu, uint32_t irq);
void irqx_clear_pending(struct irqx_guest *g, uint32_t vcpu);

/* Those that no entry can have. */
struct irqx_pin {
	uint32_t irqchip;
	uint32_t pin;
};

extern const struct irqx_pin irqx_bad_pins[];
extern const uint32_t irqx_nr_bad_pins;

/* Of a VM without vCPUs: so that it has what entries name. */
void irqx_irqchip_create(struct kvm_vm *vm);

/* Return: whether KVM has given up the VM (vm_dead); not all of them can. */
bool irqx_kill_vm(struct irqx_guest *g);

/* @entry, an MSI, by KVM_SIGNAL_MSI.  Return: as KVM_SIGNAL_MSI, -errno on error. */
int irqx_signal_msi(struct kvm_vm *vm, struct kvm_irq_routing_entry entry);

/*
 * irqx_slot(i) is the i-th of all (vCPU, irq) pairs; neighbours are on
 * different vCPUs.
 */
struct irqx_slot {
	uint32_t vcpu;
	uint32_t irq;
};

static inline uint32_t irqx_nr_slots(struct irqx_guest *g)
{
	return g->nr_vcpus * (IRQX_IRQ_MAX - IRQX_IRQ_MIN + 1);
}

static inline struct irqx_slot irqx_slot(struct irqx_guest *g, uint32_t i)
{
	i %= irqx_nr_slots(g);
	return (struct irqx_slot){
		.vcpu = i % g->nr_vcpus,
		.irq = IRQX_IRQ_MIN + i / g->nr_vcpus,
	};
}

/*
 * In the guest: which vCPU this is; interrupts on or off; with them off, wait for one, and
 * take it.
 */
uint32_t irqx_guest_vcpu(void);
void irqx_guest_irqs(bool on);
void irqx_guest_halt(void);

/* In the guest, for handlers of a test's own: count one @irq. */
void irqx_guest_count(uint32_t irq);

/* What the vCPUs run. */
void irqx_guest_main(void);
/*
 * What they do in it when they are ready, for ever: wait for interrupts, unless
 * a program defines its own.  Interrupts are off.
 */
void irqx_guest_wait(void);

/*
 * ---- Drivers ----
 */

/* A thread that fires eventfds, one after the other, round and round. */
struct irqx_storm {
	const int *fds;
	uint32_t nr;
	pthread_t thread;
	bool stop;
	uint64_t fired;			/* writes that have returned */
};

void irqx_storm_start(struct irqx_storm *storm, const int *fds, uint32_t nr);
/* Return: how many writes there were. */
uint64_t irqx_storm_stop(struct irqx_storm *storm);

/*
 * For i from 0 to @n - 1, runs a(arg, i) and b(arg, i) at the same time and,
 * when both have returned, after(arg, i), which may be NULL.
 */
void irqx_race(void (*a)(void *arg, uint32_t i), void (*b)(void *arg, uint32_t i),
	       void (*after)(void *arg, uint32_t i), void *arg, uint32_t n);

/*
 * ---- Processes ----
 */

/* This thread runs on @cpu only; -1: the first that it may.  Return: where it could before. */
cpu_set_t irqx_on_cpu(int cpu);

/*
 * Runs fn(arg) in a child.  Return: what fn did, or -signal if one killed the
 * child.  TEST_ASSERT of the child makes it 254.
 */
int irqx_in_child(int (*fn)(void *arg), void *arg);

/* For this process and its children. */
void irqx_drop_sys_admin(void);

/* Users of the loaded module, -1 if that cannot be told (not a module). */
int irqx_module_refs(void);
/* Until there are that many or fewer.  Return: false after a time-out. */
bool irqx_wait_module_refs(int refs);

/*
 * ---- Sundry ----
 */

/* A number of the environment; @usual without it. */
uint64_t irqx_env(const char *name, uint64_t usual);

/*
 * Random numbers that are the same everywhere.  Each (@seed, @stream) is a
 * sequence of its own.
 */
struct irqx_random {
	uint64_t state;
};

struct irqx_random irqx_random(uint64_t seed, uint64_t stream);
uint32_t irqx_random_next(struct irqx_random *random);

static inline uint32_t irqx_random_below(struct irqx_random *random, uint32_t n)
{
	return irqx_random_next(random) % n;
}

/* @n, or @soak if SOAK=1 is in the environment; less where things are slow. */
uint64_t irqx_iterations(uint64_t n, uint64_t soak);
/* Of the clock that no one sets. */
uint64_t irqx_now_ns(void);

/* Evaluates @cond again and again, with pauses; false after @ms. */
#define irqx_wait_until(cond, ms)					\
({									\
	uint64_t end_ = irqx_now_ns() + (ms) * 1000000ULL;		\
	uint32_t tries_ = 0;						\
	bool met_;							\
									\
	while (!(met_ = (cond)) && irqx_now_ns() < end_)		\
		irqx_pause(tries_++);					\
	met_ || (cond);							\
})

/* Lets others run: yields at first, then sleeps. */
void irqx_pause(uint32_t tries);

#endif /* SELFTEST_IRQX_UTIL_H */

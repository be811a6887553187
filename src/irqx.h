/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_H
#define _IRQX_H

/*
 * The nouns of the module and who may touch what.
 *
 *	vm		a KVM VM, shared by the contexts attached to it
 *	context		an open file: a GSI table and irqfds
 *	target		where events go: some routing entries under a lock
 *	gsi		a GSI of a context: a target with a number
 *	irqfd		an eventfd bound to a target, its own (direct) or a GSI's
 *	line		a pin or SINT of the VM, shared by all its contexts
 *	source		what holds a line up or wants its EOIs: an irqfd with a
 *			resamplefd, or KVM_IRQ_LINE on a GSI
 *
 * Lock order (Documentation/locking.rst says more):
 *
 *	context.lock			mutex: changes to the context
 *	  vms_lock			mutex: the first and last context of a VM
 *	    vm.lines_lock		mutex: new lines
 *	      ack_lock			mutex: probes
 *	  context.settle		rwsem: deliveries that may sleep / changes
 *	    vm.plugs_lock		who is told of an EOI; interrupts on
 *	      eventfd's wqh.lock	the eventfd core holds it around wake-ups
 *		target.lock		delivery in atomic context / changes; a
 *					direct one's is the eventfd's wqh.lock
 *		  vp.lock		event-flag page
 *		  vm.line_lock		levels; never taken in here, and with
 *					interrupts on, unless pins_are_atomic
 *		context.dead_lock
 */

#include <linux/kvm_host.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "kvm/kvm.h"
#include "uapi/linux/kvm_irqx.h"

struct eventfd_ctx;

/* Immutable once found, unless a lock is named. */
struct irqx_vm {
	struct kvm *kvm;		/* holds a reference */
	struct module *owner;		/* of the VM file: KVM's vendor module */
	int source_id;
	bool pins_are_atomic;		/* irqx_arch_pins_are_atomic() */
	refcount_t refs;		/* contexts */
	struct hlist_node node;		/* vms_lock; readers: RCU */
	struct rcu_head rcu;

	struct mutex lines_lock;	/* adding to @lines */
	struct xarray lines;		/* by irqx_arch_line_key(); readers: RCU */
	spinlock_t plugs_lock;		/* what is plugged into all of them */
	spinlock_t line_lock;		/* levels of all of them */
	atomic_t nr_sources;
	u32 acks;			/* lines that want EOIs; ack_lock */
};

struct irqx_counters {
	u64 passed_on;			/* wake-ups that were not done at once */
	u64 atomic;
	u64 deferred;
	u64 unrouted;
	u64 coalesced;
	u64 refused;
};

struct irqx_context {
	struct mutex lock;		/* changes to the context */
	/*
	 * Read by deliveries outside atomic context, from copying a target's
	 * entries to the end of the injection; written around each change of a
	 * target.  So no stale copy is under way when a change returns.
	 */
	struct rw_semaphore settle;
	struct irqx_vm *vm;		/* @lock; immutable after publish */
	struct list_head irqfds;	/* @lock */
	u32 nr_irqfds;			/* @lock */
	struct xarray gsis;		/* @lock */
	struct xarray vps;		/* @lock */
	u32 nr_gsis;			/* routed ones; @lock */
	struct irqx_counters __percpu *counters;

	/* irqfds whose eventfd was closed, and who removes them */
	spinlock_t dead_lock;
	struct list_head dead;		/* @dead_lock */
	struct work_struct reap;
};

/* More than one entry only for a GSI that several irqchips share. */
struct irqx_entries {
	u32 nr;
	u16 event_flag;			/* with @vp */
	bool simple;			/* one, and all it takes is KVM's injection */
	struct kvm_kernel_irq_routing_entry one;
	struct kvm_kernel_irq_routing_entry *more;	/* @nr - 1 of them */
	struct irqx_vp *vp;		/* a SINT with an event flag */
};

#define IRQX_NO_PAGE	(~(gpa_t)0)

/* A virtual processor's event-flag page; lives as long as the context. */
struct irqx_vp {
	struct kvm *kvm;		/* immutable */
	spinlock_t lock;		/* interrupts off */
	gpa_t page;			/* @lock; IRQX_NO_PAGE: disabled */
};

struct irqx_line {
	struct irqx_vm *vm;		/* immutable */
	struct kvm_kernel_irq_routing_entry entry;	/* immutable */
	bool armed;			/* its EOIs are listened to; vm.lines_lock */
	u32 high;			/* sources that hold it; vm.line_lock */
	struct list_head plugs;		/* vm.plugs_lock */
	struct irqx_pin_watch watch;	/* a pin's; irqx_kvm_watch_pin() */
	struct work_struct ack;		/* where irqx_line_ack() may not wait */
	struct work_struct unmasked;
};

/* One end in the source, one in a line. */
struct irqx_plug {
	struct irqx_source *source;
	struct irqx_line *line;
	struct list_head node;		/* vm.plugs_lock */
};

struct irqx_source {
	struct irqx_vm *vm;		/* immutable */
	struct eventfd_ctx *resamplefd;	/* immutable; NULL: KVM_IRQ_LINE */
	struct hlist_node node;		/* target.sources; context.lock */
	bool high;			/* vm.line_lock */
	u32 nr;				/* context.lock, and vm.line_lock */
	struct irqx_plug plugs[KVM_NR_IRQCHIPS];	/* as @nr */
};

struct irqx_target {
	/*
	 * Interrupts off.  That of the eventfd's wqh if it is the target's only one:
	 * a wake-up holds it anyway.  Immutable after publish.
	 */
	spinlock_t *lock;
	struct irqx_entries to;		/* @lock */
	struct hlist_head sources;	/* context.lock */
};

struct irqx_gsi {
	struct irqx_target target;
	struct irqx_entries *staged;	/* context.lock; NULL between calls */
	u32 gsi;			/* immutable */
	u32 nr_irqfds;			/* context.lock */
	bool fresh;			/* context.lock; false between calls */
	spinlock_t lock;		/* @target's */
	struct irqx_source *level;	/* of KVM_IRQ_LINE; context.lock */
};

struct irqx_irqfd {
	struct wait_queue_entry wait;	/* the eventfd's wqh.lock */
	struct eventfd_ctx *eventfd;	/* immutable after publish, as are */
	struct irqx_context *ctx;	/* these */
	struct irqx_target *target;	/* @own, or that of a GSI */
	struct list_head node;		/* context.lock */
	struct list_head dead;		/* context.dead_lock */
	struct work_struct inject;
	atomic_t pending;		/* events that @inject has to deliver */
	bool unraised;			/* a SINT with an event flag; READ_ONCE */
	bool deferred;			/* an event, once; wqh.lock */
	struct irqx_source *source;	/* with a resamplefd; immutable */
	u64 count;			/* of the last wake-up; wqh.lock */
	struct irqx_target own;
};

extern struct workqueue_struct *irqx_wq;

/* ioctl.c */
long irqx_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/* context.c */
/* What KVM_SET_GSI_ROUTING copies in must stay below kvmalloc()'s 2 GiB. */
#define IRQX_GSIS_LIMIT	BIT(24)
extern unsigned int irqx_max_gsis;
extern unsigned int irqx_max_irqfds;
int irqx_context_open(struct inode *inode, struct file *file);
int irqx_context_release(struct inode *inode, struct file *file);
int irqx_context_attach(struct irqx_context *ctx, int vm_fd);
int irqx_context_check(struct irqx_context *ctx);
int irqx_context_lock(struct irqx_context *ctx);
void irqx_context_stats(struct irqx_context *ctx, struct kvm_irqx_stats *stats);

/* vm.c */
struct irqx_vm *irqx_vm_get(struct file *file);
void irqx_vm_put(struct irqx_vm *vm);
struct irqx_vm *irqx_vm_find_rcu(struct kvm *kvm);

/* line.c */
int irqx_line_prepare(struct irqx_vm *vm,
		      const struct kvm_kernel_irq_routing_entry *e, bool eoi);
void irqx_line_teardown(struct irqx_vm *vm);
int irqx_line_pulse(struct irqx_vm *vm, struct kvm_kernel_irq_routing_entry *e);
void irqx_line_ack(struct irqx_vm *vm, unsigned long key);
void irqx_source_move(struct irqx_source *source, struct irqx_entries *entries);
struct irqx_source *irqx_source_alloc(struct irqx_vm *vm);
void irqx_source_free(struct irqx_source *source);
int irqx_source_set(struct irqx_source *source, bool high);
int irqx_source_assert_atomic(struct irqx_source *source);

/* KVM_IRQ_LINE holds it up; anything else can only be raised. */
static inline bool
irqx_entry_has_level(const struct kvm_kernel_irq_routing_entry *e)
{
	return e->type == KVM_IRQ_ROUTING_IRQCHIP ||
	       e->type == KVM_IRQX_ROUTING_PPI;
}

static inline bool irqx_line_is_pin(const struct irqx_line *line)
{
	return irqx_entry_has_level(&line->entry);
}

/* ack.c */
int irqx_ack_init(void);
void irqx_ack_exit(void);
int irqx_ack_arm(struct irqx_vm *vm, bool pin);
void irqx_ack_disarm(struct irqx_vm *vm, bool pin);

/* irqfd.c */
int irqx_irqfd_init(void);
void irqx_irqfd_exit(void);
void irqx_irqfd_teardown(struct irqx_context *ctx);
void irqx_irqfd_reap(struct work_struct *work);
struct irqx_irqfd *irqx_irqfd_alloc(struct irqx_context *ctx);
int irqx_irqfd_alloc_many(struct irqx_context *ctx, struct irqx_irqfd **irqfds,
			  u32 nr);
int irqx_irqfd_set_resamplefd(struct irqx_irqfd *irqfd, int fd);
void irqx_irqfd_free(struct irqx_irqfd *irqfd);
int irqx_irqfd_bind(struct irqx_irqfd *irqfd, struct irqx_target *target,
		    int fd);
int irqx_irqfd_reserve(struct irqx_irqfd *irqfd, struct irqx_target *target,
		       int fd);
void irqx_irqfd_unreserve(struct irqx_irqfd *irqfd);
void irqx_irqfd_commit(struct irqx_irqfd *irqfd);
struct irqx_irqfd *irqx_irqfd_find(struct irqx_context *ctx, int fd);
int irqx_irqfd_deassign(struct irqx_context *ctx, int fd);
void irqx_target_swap(struct irqx_context *ctx, struct irqx_target *target,
		      struct irqx_entries *entries);
void irqx_target_raise(struct irqx_context *ctx, struct irqx_target *target);

static inline struct kvm_kernel_irq_routing_entry *
irqx_entries_at(struct irqx_entries *entries, u32 i)
{
	return i ? &entries->more[i - 1] : &entries->one;
}

static inline bool irqx_irqfd_is_direct(const struct irqx_irqfd *irqfd)
{
	return irqfd->target == &irqfd->own;
}

/* direct.c */
int irqx_direct_assign(struct irqx_context *ctx,
		       const struct kvm_irqfd_direct *args);
int irqx_direct_assign_many(struct irqx_context *ctx,
			    const struct kvm_irqfd_direct *args, u32 nr,
			    u32 *index);
int irqx_direct_modify(struct irqx_context *ctx,
		       const struct kvm_irqfd_direct *args);

/* synic.c */
struct irqx_vp *irqx_vp_get(struct irqx_context *ctx, u32 index);
int irqx_vp_set_page(struct irqx_context *ctx, u32 index, gpa_t page);
int irqx_vp_set_flag(struct irqx_vp *vp, u32 sint, u32 flag,
		     u32 __user **word);
int irqx_vp_fault_in(struct kvm *kvm, u32 __user *word);
void irqx_vp_teardown(struct irqx_context *ctx);

/* route.c */
int irqx_route_init(void);
void irqx_route_exit(void);
int irqx_route_batch(struct irqx_context *ctx,
		     const struct kvm_irqx_route_op *ops, u32 nr, u32 *index);
int irqx_route_replace(struct irqx_context *ctx,
		       const struct kvm_irq_routing_entry *ues, u32 nr);
int irqx_route_assign(struct irqx_context *ctx, const struct kvm_irqfd *args);
void irqx_route_unassign(struct irqx_context *ctx, struct irqx_target *target);
int irqx_route_set_level(struct irqx_context *ctx, u32 gsi, bool level);
void irqx_route_teardown(struct irqx_context *ctx);

#endif /* _IRQX_H */

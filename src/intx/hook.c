// SPDX-License-Identifier: GPL-2.0
/*
 * Who is about to join a line.  A kernel with the patches of contrib/genirq tells of it itself.
 *
 * Where there are none: a probe on the kernel's __setup_irq(), by which every driver joins a line.
 *
 * From its entry, which comes before the line's locks, to its return the line counts as shared,
 * however long that takes: nobody closes it meanwhile, and if it is closed it is opened here, in
 * the joiner's own context.  So it is open when his request_irq() returns.
 *
 * The probe can be switched off (sysctl kernel.ftrace_enabled, kprobes/enabled of debugfs), and
 * misses joiners beyond HOOK_MAX at a time: the line's timer looks too.  On PREEMPT_RT there is no
 * probe, since a line's lock may sleep there and a probe must not.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/ptrace.h>
#include <linux/spinlock.h>

#include "intx/compat.h"
#include "intx/hook.h"
#include "intx/line.h"

#define HOOK_MAX	64

static bool hook = true;
module_param(hook, bool, 0444);
MODULE_PARM_DESC(hook, "be told of a driver that joins a line, so that it does not wait (Y)");

/* Immutable after intx_hook_init(). */
static bool hooked;
static typeof(irq_set_sharing_notifier) *set_notifier;

struct joiner {
	struct list_head node;		/* joiners */
	unsigned int irq;
};

static LIST_HEAD(joiners);		/* joiners_lock */
/* Inside a line's lock, and alone. */
static DEFINE_RAW_SPINLOCK(joiners_lock);

static LIST_HEAD(lines);		/* lines_lock */
/* Around a line's lock. */
static DEFINE_SPINLOCK(lines_lock);

static void look_at_lines(unsigned int irq)
{
	struct intx_line *line;
	unsigned long flags;

	spin_lock_irqsave(&lines_lock, flags);
	list_for_each_entry(line, &lines, node)
		if (line->irq == irq)
			intx_line_look(line, INTX_WHO_HOOK);
	spin_unlock_irqrestore(&lines_lock, flags);
}

/* The joiner's context; preemption is off. */
static int setup_irq_enters(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct joiner *joiner = (struct joiner *)instance->data;
	unsigned long flags;

	joiner->irq = regs_get_kernel_argument(regs, 0);
	raw_spin_lock_irqsave(&joiners_lock, flags);
	list_add(&joiner->node, &joiners);
	raw_spin_unlock_irqrestore(&joiners_lock, flags);
	/* Who closed it before it could see the joiner has let go of the line's lock by now. */
	look_at_lines(joiner->irq);
	return 0;
}

NOKPROBE_SYMBOL(setup_irq_enters);

static int setup_irq_returns(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct joiner *joiner = (struct joiner *)instance->data;
	unsigned long flags;

	raw_spin_lock_irqsave(&joiners_lock, flags);
	list_del(&joiner->node);
	raw_spin_unlock_irqrestore(&joiners_lock, flags);
	return 0;
}

NOKPROBE_SYMBOL(setup_irq_returns);

static struct kretprobe setup_irq = {
	.kp.symbol_name	= "__setup_irq",
	.entry_handler	= setup_irq_enters,
	.handler	= setup_irq_returns,
	.data_size	= sizeof(struct joiner),
	.maxactive	= HOOK_MAX,
};

static void sharing(unsigned int irq, void *dev_id, bool shared)
{
	intx_line_tell(dev_id, shared);
}

void __init intx_hook_init(void)
{
	int ret;

	if (!hook)
		return;
	set_notifier = symbol_get(irq_set_sharing_notifier);
	if (set_notifier || IS_ENABLED(CONFIG_PREEMPT_RT))
		return;
	ret = register_kretprobe(&setup_irq);
	hooked = !ret;
	if (ret)
		pr_warn("no probe on __setup_irq (%d): a driver that joins a line may wait %u ms\n",
			ret, INTX_LOOK_MS);
}

/* There is no line any more. */
void intx_hook_exit(void)
{
	if (hooked)
		unregister_kretprobe(&setup_irq);
	if (set_notifier)
		symbol_put(irq_set_sharing_notifier);
}

/* Does a joiner find the line open? */
bool intx_hook_works(void)
{
	return hooked || set_notifier;
}

/* Without anything of ours in the kernel's way? */
bool intx_hook_is_notifier(void)
{
	return set_notifier;
}

/**
 * intx_hook_notify - have the kernel tell of who joins a line
 * @line: requested; from now on until it is freed
 *
 * Return: whether it does.  Then intx_line_tell() has been called with what is so now.
 */
bool intx_hook_notify(struct intx_line *line)
{
	return set_notifier && !set_notifier(line->irq, line, sharing);
}

/**
 * intx_hook_add - be told of who joins a line, by the probe
 * @line: before it is requested, so that nobody who joins it later is missed
 */
void intx_hook_add(struct intx_line *line)
{
	unsigned long flags;

	spin_lock_irqsave(&lines_lock, flags);
	list_add(&line->node, &lines);
	spin_unlock_irqrestore(&lines_lock, flags);
}

/* When it returns the line is not looked at any more. */
void intx_hook_del(struct intx_line *line)
{
	unsigned long flags;

	spin_lock_irqsave(&lines_lock, flags);
	list_del(&line->node);
	spin_unlock_irqrestore(&lines_lock, flags);
}

/**
 * intx_hook_joining - is somebody about to join that line?
 * @irq: its number
 *
 * Context: any; with a line's lock held, so that either this sees the joiner or his
 * look_at_lines() what was done before.
 * Return: whether.
 */
bool intx_hook_joining(unsigned int irq)
{
	struct joiner *joiner;
	unsigned long flags;
	bool found = false;

	if (list_empty(&joiners))
		return false;
	raw_spin_lock_irqsave(&joiners_lock, flags);
	list_for_each_entry(joiner, &joiners, node)
		found |= joiner->irq == irq;
	raw_spin_unlock_irqrestore(&joiners_lock, flags);
	return found;
}

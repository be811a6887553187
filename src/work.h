/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_WORK_H
#define _IRQX_WORK_H

#include <linux/rcupdate.h>
#include <linux/sched/isolation.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

/*
 * Work that all VMs share, so none of it waits for anything whose end somebody else decides.
 *
 * irqx_wq is for what is short: it is done on the CPU where it was left, which costs the
 * least (benchmarks.rst, event-pin).  irqx_long_wq is for what may go on for a while.
 */
extern struct workqueue_struct *irqx_wq;
extern struct workqueue_struct *irqx_long_wq;

static inline bool irqx_cpu_is_isolated(int cpu)
{
	return !housekeeping_cpu(cpu, HK_TYPE_WQ) ||
	       !housekeeping_cpu(cpu, HK_TYPE_DOMAIN);
}

/* Context: any.  Not on a CPU that is isolated from such work. */
static inline void irqx_queue_work(struct work_struct *work)
{
	int cpu = raw_smp_processor_id();

	if (unlikely(irqx_cpu_is_isolated(cpu))) {
		rcu_read_lock();
		cpu = cpumask_any_and(housekeeping_cpumask(HK_TYPE_WQ),
				      housekeeping_cpumask(HK_TYPE_DOMAIN));
		rcu_read_unlock();
		if (cpu >= nr_cpu_ids)
			cpu = WORK_CPU_UNBOUND;
	}
	queue_work_on(cpu, irqx_wq, work);
}

#endif /* _IRQX_WORK_H */

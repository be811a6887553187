/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_FIND_H
#define SELFTEST_IRQX_FIND_H

#include <linux/kallsyms.h>
#include <linux/kprobes.h>

/* KVM does not export it to everybody.  The probe is never armed. */
static inline void *find(const char *name)
{
	struct kprobe kp = { .symbol_name = name, .flags = KPROBE_FLAG_DISABLED };
	char where[KSYM_SYMBOL_LEN], *plus;
	unsigned long addr, offset;

	if (register_kprobe(&kp))
		return NULL;
	addr = (unsigned long)kp.addr;
	unregister_kprobe(&kp);
	sprint_symbol(where, addr);
	plus = strchr(where, '+');
	if (!plus || sscanf(plus, "+%lx/", &offset) != 1)
		return NULL;
	return (void *)(addr - offset);
}

#endif /* SELFTEST_IRQX_FIND_H */

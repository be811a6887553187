/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_INTX_HOOK_H
#define _IRQX_INTX_HOOK_H

#include <linux/types.h>

struct intx_line;

/* Who is about to join a line: see hook.c. */

void intx_hook_init(void);
void intx_hook_exit(void);
bool intx_hook_works(void);
bool intx_hook_is_notifier(void);

bool intx_hook_notify(struct intx_line *line);
void intx_hook_add(struct intx_line *line);
void intx_hook_del(struct intx_line *line);
bool intx_hook_joining(unsigned int irq);

#endif /* _IRQX_INTX_HOOK_H */

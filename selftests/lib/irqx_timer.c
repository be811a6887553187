// SPDX-License-Identifier: GPL-2.0
/*
 * See irqx_timer.h.
 */
#include "irqx_module.h"
#include "irqx_timer.h"
#include "irqx_util.h"

int irqx_timer_open(void)
{
	return irqx_variant_open("irqx_timer", "/dev/irqx-timer");
}

void irqx_timer_close(int timer)
{
	close(timer);
	TEST_ASSERT(!irqx_module_unload("irqx_timer"), "the module is in use");
}

int __irqx_timer(int timer, const struct irqx_timer_request *request)
{
	return write(timer, request, sizeof(*request)) == sizeof(*request) ? 0 : errno;
}

uint64_t irqx_timer_raised(int timer)
{
	uint64_t raised;

	TEST_ASSERT(read(timer, &raised, sizeof(raised)) == sizeof(raised), "read: %s",
		    strerror(errno));
	return raised;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * See irqx_door.h.
 */
#include <fcntl.h>

#include "irqx_door.h"
#include "irqx_module.h"

int irqx_door_open(void)
{
	return irqx_variant_open("door", "/dev/irqx-door");
}

void irqx_door_close(int door)
{
	close(door);
	TEST_ASSERT(!irqx_module_unload("irqx_door"), "the module is in use");
}

int __irqx_door(int door, struct door_request *request)
{
	return write(door, request, sizeof(*request)) == sizeof(*request) ? 0 : errno;
}

uint64_t irqx_door_ask(int door, enum door_op op)
{
	struct door_request request = { .op = op };

	irqx_assert(__irqx_door(door, &request));
	return request.out;
}

void irqx_door_again(int door, uint64_t count)
{
	struct door_request request = { .op = DOOR_AGAIN, .count = count };

	irqx_assert(__irqx_door(door, &request));
}

bool irqx_door_wait_eois(int door, uint64_t n)
{
	return irqx_wait_until(irqx_door_ask(door, DOOR_EOIS) >= n, IRQX_TIMEOUT_MS) &&
	       irqx_door_ask(door, DOOR_EOIS) == n;
}

void irqx_door_ends_in_storm(int door, struct irqx_guest *g, struct kvm_irq_routing_entry entry,
			     uint32_t turn)
{
	uint64_t eois = irqx_door_ask(door, DOOR_EOIS);
	int ctx = irqx_context(g->vm);

	irqx_door_context(door, ctx);
	irqx_door_create(door, entry, DOOR_EOI);
	irqx_door_again(door, UINT32_MAX);
	irqx_door_raise(door, turn % 3, 1);
	TEST_ASSERT(irqx_wait_until(irqx_door_ask(door, DOOR_EOIS) > eois + 20,
				    IRQX_TIMEOUT_MS), "no storm");
	if (turn % 2)
		close(ctx);
	irqx_door_do(door, DOOR_DESTROY);
	eois = irqx_door_ask(door, DOOR_EOIS);
	irqx_fence(g);
	TEST_ASSERT(irqx_door_ask(door, DOOR_EOIS) == eois, "a call-back after the end");
	if (!(turn % 2))
		close(ctx);
}

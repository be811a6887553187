// SPDX-License-Identifier: GPL-2.0
/*
 * See irqx_door.h.
 */
#include <fcntl.h>

#include "irqx_door.h"
#include "irqx_module.h"

int irqx_door_open(void)
{
	const char *file = irqx_variant_file("door");
	int door, err;

	if (!file)
		return -1;
	/* A test that fails leaves it behind. */
	err = irqx_module_load(file, "");
	TEST_ASSERT(!err || err == EEXIST, "%s: %s", file, strerror(err));
	door = open("/dev/irqx-door", O_RDWR | O_CLOEXEC);
	TEST_ASSERT(door >= 0, "open: %s", strerror(errno));
	return door;
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

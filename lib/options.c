// SPDX-License-Identifier: MIT
/*
 * Structs that begin with their size, as __u32.  The program may be older than the library, or
 * newer.
 */
#include "internal.h"

static bool all_zero(const unsigned char *from, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (from[i])
			return false;
	return true;
}

/*
 * @arg: a struct that the module fills in as far as it knows it: nothing else stays in it.
 * Return: 0 or -EINVAL, with a record.
 */
int kvmirqx_options_clear(void *arg)
{
	__u32 argsz;

	if (!arg)
		return kvmirqx_call_refuse(-EINVAL, KVM_IRQX_ARG_NONE, KVM_IRQX_REASON_NONE);
	memcpy(&argsz, arg, sizeof(argsz));
	if (argsz < sizeof(argsz))
		return kvmirqx_call_refuse(-EINVAL, KVM_IRQX_ARG_ARGSZ,
					   KVM_IRQX_REASON_TOO_SMALL);
	memset((char *)arg + sizeof(argsz), 0, argsz - sizeof(argsz));
	return 0;
}

/*
 * @size: of @to.  @least: what the struct was at first.  What an older program's lacks is zero.
 * Return: 0, -EINVAL, or -ENOTSUP: the program's has something that this library does not know.
 */
int kvmirqx_options_copy(void *to, size_t size, size_t least, const void *from)
{
	__u32 theirs;

	if (!from)
		return -EINVAL;
	memcpy(&theirs, from, sizeof(theirs));
	if (theirs < least)
		return -EINVAL;
	if (theirs > size && !all_zero((const unsigned char *)from + size, theirs - size))
		return -ENOTSUP;
	memset(to, 0, size);
	memcpy(to, from, theirs < size ? theirs : size);
	return 0;
}

/* @from: or NULL: none.  Return: as kvmirqx_options_copy(). */
int kvmirqx_options_binding(struct kvmirqx_options *to, const struct kvmirqx_options *from)
{
	static const struct kvmirqx_options none = KVMIRQX_OPTIONS;

	return kvmirqx_options_copy(to, sizeof(*to), offsetofend(struct kvmirqx_options, cookie),
				    from ? from : &none);
}

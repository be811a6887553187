// SPDX-License-Identifier: MIT
/*
 * INTx of assigned devices, which another module carries: /dev/kvm-irqx-intx.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "internal.h"

static const char *const reasons[] = {
	[KVM_IRQX_INTX_REASON_NOT_ZERO]		= "must be zero",
	[KVM_IRQX_INTX_REASON_ATTACHED]		= "carries an interrupt already",
	[KVM_IRQX_INTX_REASON_NO_CONTEXT]	= "not a context that is attached to a VM",
	[KVM_IRQX_INTX_REASON_NOT_OPEN]		= "the device's descriptor is not open",
	[KVM_IRQX_INTX_REASON_GROUP]		= "a VFIO group, not a device",
	[KVM_IRQX_INTX_REASON_CDEV]		= "the device's character device",
	[KVM_IRQX_INTX_REASON_NO_DEVICE]	= "no such PCI device",
	[KVM_IRQX_INTX_REASON_NOT_VFIO]		= "the device's driver is not VFIO's",
	[KVM_IRQX_INTX_REASON_NOT_ITS_FILE]	= "not an open file of that device",
	[KVM_IRQX_INTX_REASON_DEVICE_BUSY]	= "the device is being reset or bound",
	[KVM_IRQX_INTX_REASON_NO_INTX]		= "the device has no INTx",
	[KVM_IRQX_INTX_REASON_VFIO_IRQ]		= "VFIO's own interrupt of the device is on",
	[KVM_IRQX_INTX_REASON_SLOW_CHIP]	= "the line's interrupt controller may sleep",
	[KVM_IRQX_INTX_REASON_LINE]		= "the line cannot be shared",
	[KVM_IRQX_INTX_REASON_ENTRY]		= "entry cannot be used",
};

PUBLIC const char *kvmirqx_intx_reason_words(__u32 reason)
{
	return reason < sizeof(reasons) / sizeof(*reasons) ? reasons[reason] : NULL;
}

/* Return: 0 or a negative errno. */
static int call(int intx, unsigned long cmd, void *arg)
{
	return kvmirqx_call_done(cmd, ioctl(intx, cmd, arg) < 0 ? -errno : 0);
}

PUBLIC int kvmirqx_intx_open(void)
{
	struct kvm_irqx_intx_info info = { .argsz = sizeof(info) };
	int intx, ret;

	kvmirqx_call_forget(KVM_IRQX_INTX_GET_INFO);
	intx = open("/dev/kvm-irqx-intx", O_RDWR | O_CLOEXEC);
	if (intx < 0) {
		ret = -errno;
		kvmirqx_call_set_words("/dev/kvm-irqx-intx cannot be opened");
		return kvmirqx_call_done(KVM_IRQX_INTX_GET_INFO, ret);
	}
	ret = call(intx, KVM_IRQX_INTX_GET_INFO, &info);
	if (!ret && info.abi != KVM_IRQX_INTX_ABI_VERSION)
		ret = kvmirqx_call_refuse(-ENOTSUP, KVM_IRQX_ARG_VERSION,
					  KVM_IRQX_REASON_UNKNOWN_VALUE);
	if (!ret)
		return intx;
	close(intx);
	return ret;
}

static int get_sized(int intx, unsigned long cmd, void *arg)
{
	int ret;

	kvmirqx_call_forget(cmd);
	ret = kvmirqx_options_clear(arg);
	return ret ? ret : call(intx, cmd, arg);
}

PUBLIC int kvmirqx_intx_info(int intx, struct kvm_irqx_intx_info *info)
{
	return get_sized(intx, KVM_IRQX_INTX_GET_INFO, info);
}

PUBLIC int kvmirqx_intx_state(int intx, struct kvm_irqx_intx_state *state)
{
	return get_sized(intx, KVM_IRQX_INTX_GET_STATE, state);
}

/* DOMAIN:BUS:SLOT.FUNCTION, in hexadecimal.  Return: whether it is one. */
static bool parse(const char *address, struct kvm_irqx_intx_attach *attach)
{
	unsigned int bus, slot, function;
	int length = 0;

	/* Of what %x takes, too: no spaces, no signs, no 0x. */
	if (address[strspn(address, "0123456789abcdefABCDEF:.")])
		return false;
	if (sscanf(address, "%8x:%2x:%2x.%1x%n", &attach->domain, &bus, &slot, &function,
		   &length) != 4 || address[length] || slot > 0x1f || function > 7)
		return false;
	attach->bus = (__u8)bus;
	attach->devfn = (__u8)(slot << 3 | function);
	return true;
}

PUBLIC int kvmirqx_intx_attach(struct kvmirqx *ctx, int intx, int device_fd, const char *address,
			       const struct kvm_irq_routing_entry *entry, __u32 *reason)
{
	struct kvm_irqx_intx_attach attach = { .device_fd = device_fd };
	int ret = kvmirqx_call_begin(ctx, KVM_IRQX_INTX_ATTACH);

	if (reason)
		*reason = KVM_IRQX_INTX_REASON_NONE;
	if (ret)
		return ret;
	if (!address || !entry)
		return kvmirqx_call_refuse(-EINVAL, entry ? KVM_IRQX_ARG_NONE : KVM_IRQX_ARG_ENTRY,
					   KVM_IRQX_REASON_NONE);
	if (!parse(address, &attach)) {
		kvmirqx_call_set_words("not a PCI address");
		return kvmirqx_call_done(KVM_IRQX_INTX_ATTACH, -EINVAL);
	}
	attach.context_fd = ctx->fd;
	attach.entry = *entry;
	ret = call(intx, KVM_IRQX_INTX_ATTACH, &attach);
	if (!ret)
		return 0;
	kvmirqx_call_set_words(kvmirqx_intx_reason_words(attach.reason));
	if (reason)
		*reason = attach.reason;
	return ret;
}

PUBLIC int kvmirqx_intx_detach(int intx)
{
	kvmirqx_call_forget(KVM_IRQX_INTX_DETACH);
	return call(intx, KVM_IRQX_INTX_DETACH, NULL);
}

// SPDX-License-Identifier: MIT
/*
 * A context is an open /dev/kvm-irqx, and what its module can do.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "internal.h"

PUBLIC int kvmirqx_version(void)
{
	return KVMIRQX_VERSION;
}

PUBLIC int kvmirqx_adopt(struct kvmirqx **out, int fd)
{
	struct kvmirqx *ctx;
	int error;

	if (!out)
		return -EINVAL;
	ctx = calloc(1, sizeof(*ctx));
	if (!ctx)
		return -ENOMEM;
	kvmirqx_call_begin(ctx, KVM_IRQX_GET_INFO);
	ctx->fd = fd;
	ctx->info.argsz = sizeof(ctx->info);
	/* Not by kvmirqx_call(): what ENOTTY means here is that the file is another one. */
	if (ioctl(fd, KVM_IRQX_GET_INFO, &ctx->info) < 0) {
		error = kvmirqx_call_refuse(-errno, KVM_IRQX_ARG_NONE, KVM_IRQX_REASON_NONE);
		goto fail;
	}
	ctx->known = ctx->info.argsz;
	if (ctx->info.abi != KVM_IRQX_ABI_VERSION) {
		error = kvmirqx_call_refuse(-ENOTSUP, KVM_IRQX_ARG_VERSION,
					    KVM_IRQX_REASON_UNKNOWN_VALUE);
		goto fail;
	}
	*out = ctx;
	return 0;

fail:
	free(ctx);
	return error;
}

PUBLIC int kvmirqx_open(struct kvmirqx **ctx)
{
	int fd, ret;

	kvmirqx_call_begin(NULL, 0);
	if (!ctx)
		return -EINVAL;
	fd = open("/dev/kvm-irqx", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return kvmirqx_call_refuse(-errno, KVM_IRQX_ARG_NONE, KVM_IRQX_REASON_NONE);
	ret = kvmirqx_adopt(ctx, fd);
	if (ret)
		close(fd);
	return ret;
}

PUBLIC int kvmirqx_release(struct kvmirqx *ctx)
{
	int fd;

	if (!ctx)
		return -EINVAL;
	fd = ctx->fd;
	free(ctx);
	return fd;
}

PUBLIC int kvmirqx_close(struct kvmirqx *ctx)
{
	if (ctx)
		close(kvmirqx_release(ctx));
	return 0;
}

PUBLIC int kvmirqx_fd(const struct kvmirqx *ctx)
{
	return ctx ? ctx->fd : -EINVAL;
}

PUBLIC int kvmirqx_attach(struct kvmirqx *ctx, int vm_fd)
{
	struct kvm_irqx_attach attach = { .vm_fd = vm_fd };
	int ret = kvmirqx_call_begin(ctx, KVM_IRQX_ATTACH);

	return ret ? ret : kvmirqx_call(ctx, KVM_IRQX_ATTACH, &attach);
}

static int get_sized(const struct kvmirqx *ctx, unsigned long cmd, void *arg)
{
	int ret = kvmirqx_call_begin(ctx, cmd);

	if (!ret)
		ret = kvmirqx_options_clear(arg);
	return ret ? ret : kvmirqx_call(ctx, cmd, arg);
}

PUBLIC int kvmirqx_info(const struct kvmirqx *ctx, struct kvm_irqx_info *info)
{
	return get_sized(ctx, KVM_IRQX_GET_INFO, info);
}

PUBLIC int kvmirqx_has(const struct kvmirqx *ctx, __u64 features)
{
	return ctx && (ctx->info.features & features) == features;
}

PUBLIC int kvmirqx_stats(struct kvmirqx *ctx, struct kvm_irqx_stats *stats)
{
	return get_sized(ctx, KVM_IRQX_GET_STATS, stats);
}

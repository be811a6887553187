// SPDX-License-Identifier: MIT
/*
 * Several threads with one context, for gcc's thread sanitizer: ioctl() is a module in this
 * program, by the linker's --wrap, that keeps nothing.  What the module itself makes of threads is
 * in lib_test.
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>

#include "kvmirqx.h"
#include "ktap.h"

#define FD	1000		/* of no file */
#define THREADS	4
#define ROUNDS	2000

int __wrap_ioctl(int fd, unsigned long cmd, ...);

/* The record tells which thread's call it was: each has an eventfd with its own number. */
static int refuse(__u64 record, __u32 whose)
{
	*(struct kvm_irqx_error *)(uintptr_t)record = (struct kvm_irqx_error) {
		.argsz = sizeof(struct kvm_irqx_error),
		.index = whose,
		.arg = KVM_IRQX_ARG_FD,
		.reason = KVM_IRQX_REASON_BOUND,
	};
	errno = EBUSY;
	return -1;
}

int __wrap_ioctl(int fd, unsigned long cmd, ...)
{
	static const struct kvm_irqx_info info = {
		.argsz = sizeof(info),
		.abi = KVM_IRQX_ABI_VERSION,
		.features = ~0ULL,
		.max_batch = 4096,
		.ops = ~0U,
		.op_size = sizeof(struct kvm_irqx_op),
		.op_flags = ~0U,
		.direct_flags = ~0U,
	};
	struct kvm_irqx_batch *batch;
	struct kvm_irqx_list *list;
	va_list args;
	void *arg;

	va_start(args, cmd);
	arg = va_arg(args, void *);
	va_end(args);
	if (fd != FD) {
		errno = EBADF;
		return -1;
	}
	switch (cmd) {
	case KVM_IRQX_GET_INFO:
		memcpy(arg, &info, sizeof(info));
		return 0;
	case KVM_IRQX_IRQFD_DIRECT:
		return refuse(((struct kvm_irqx_irqfd_direct *)arg)->error,
			      (__u32)((struct kvm_irqx_irqfd_direct *)arg)->fd);
	case KVM_IRQX_BATCH:
		batch = arg;
		batch->index = batch->nr;
		return 0;
	case KVM_IRQX_LIST:
		list = arg;
		memset((void *)(uintptr_t)list->bindings, 0, list->binding_size);
		list->nr = 1;
		list->cursor = 0;
		return 0;
	default:
		return 0;
	}
}

static struct kvmirqx *ctx;

struct thread {
	pthread_t id;
	int number;
	int wrong;		/* how often something was not as it must be */
};

#define MUST(what)	(t->wrong += !(what))

static void *work(void *arg)
{
	struct kvm_irq_routing_entry entry = { .type = KVM_IRQ_ROUTING_MSI };
	struct kvm_irqx_error error = { .argsz = sizeof(error) };
	struct kvm_irqx_info info = { .argsz = sizeof(info) };
	struct kvm_irqx_binding binding;
	struct kvmirqx_batch *batch;
	struct kvmirqx_list *list;
	struct thread *t = arg;
	char words[96], want[96];
	__u32 index;

	snprintf(want, sizeof(want), "KVM_IRQX_IRQFD_DIRECT: fd: bound already, element %d (EBUSY)",
		 t->number);
	MUST(!kvmirqx_batch_new(&batch));
	for (int i = 0; i < ROUNDS; i++) {
		MUST(kvmirqx_assign(ctx, t->number, &entry, NULL) == -EBUSY);
		MUST(!kvmirqx_last_error(&error) && error.index == (__u32)t->number);
		kvmirqx_last_error_words(words, sizeof(words));
		MUST(!strcmp(want, words));
		MUST(!kvmirqx_batch_clear(batch));
		for (int j = 0; j <= t->number; j++)
			MUST(!kvmirqx_batch_assign(batch, j, &entry, NULL));
		MUST(!kvmirqx_batch_run(ctx, batch, &index) && index == (__u32)t->number + 1);
		MUST(!kvmirqx_set_routes(ctx, &entry, 1));
		MUST(!kvmirqx_mask_gsi(ctx, 1));
		MUST(!kvmirqx_get_gsi_state(ctx, 1));
		MUST(!kvmirqx_info(ctx, &info) && kvmirqx_has(ctx, KVM_IRQX_FEATURE_MSI));
		MUST(!kvmirqx_list_begin(ctx, sizeof(binding), &list));
		MUST(kvmirqx_list_next(list, &binding) == 1);
		MUST(kvmirqx_list_next(list, &binding) == 0);
		MUST(!kvmirqx_list_end(list));
	}
	kvmirqx_batch_free(batch);
	return NULL;
}

static void one_context(void)
{
	struct thread threads[THREADS] = { 0 };

	CHECK_INT(0, kvmirqx_adopt(&ctx, FD));
	for (int i = 0; i < THREADS; i++) {
		threads[i].number = i;
		CHECK_INT(0, pthread_create(&threads[i].id, NULL, work, &threads[i]));
	}
	for (int i = 0; i < THREADS; i++) {
		CHECK_INT(0, pthread_join(threads[i].id, NULL));
		CHECK_INT(0, threads[i].wrong);
	}
	CHECK_INT(FD, kvmirqx_release(ctx));
}

int main(void)
{
	printf("KTAP version 1\n");
	RUN(one_context);
	return end_of_cases();
}

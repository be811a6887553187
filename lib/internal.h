/* SPDX-License-Identifier: MIT */
#ifndef _KVMIRQX_INTERNAL_H
#define _KVMIRQX_INTERNAL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kvmirqx.h"

#define PUBLIC	__attribute__((visibility("default")))

#define offsetofend(type, member)	(offsetof(type, member) + sizeof(((type *)0)->member))

/* Nothing changes after kvmirqx_open(): threads need no lock. */
struct kvmirqx {
	int fd;
	/* how much of @info the module has filled in; the rest is zero */
	__u32 known;
	struct kvm_irqx_info info;
};

/*
 * Does the module say what it has there?  If it does not, it is older than that member, and
 * decides itself.
 */
#define tells(ctx, member)	((ctx)->known >= offsetofend(struct kvm_irqx_info, member))

/* error.c: the thread's last call */

void kvmirqx_call_forget(unsigned long cmd);
int kvmirqx_call_begin(const struct kvmirqx *ctx, unsigned long cmd);
__u64 kvmirqx_call_record(const struct kvmirqx *ctx);
int kvmirqx_call(const struct kvmirqx *ctx, unsigned long cmd, void *arg);
int kvmirqx_call_done(unsigned long cmd, int ret);
int kvmirqx_call_refuse(int ret, __u32 arg, __u32 reason);
void kvmirqx_call_set_index(__u32 index);
void kvmirqx_call_set_words(const char *words);

/* text.c: text that may not fit */

struct kvmirqx_text {
	char *buf;
	size_t size;
	size_t length;		/* of it all, whether it fits or not */
};

void kvmirqx_text_begin(struct kvmirqx_text *text, char *buf, size_t size);
__attribute__((format(printf, 2, 3)))
void kvmirqx_text_add(struct kvmirqx_text *text, const char *format, ...);

/* options.c: structs with a size in front */

int kvmirqx_options_clear(void *arg);
int kvmirqx_options_copy(void *to, size_t size, size_t least, const void *from);
int kvmirqx_options_binding(struct kvmirqx_options *to, const struct kvmirqx_options *from);

/* support.c: what the module knows */

int kvmirqx_need_features(const struct kvmirqx *ctx, __u64 features);
int kvmirqx_check_entry(const struct kvmirqx *ctx, const struct kvm_irq_routing_entry *entry);
int kvmirqx_check_op(const struct kvmirqx *ctx, const struct kvm_irqx_op *op, __u32 flags_known);

/* op.c: operations, one by one */

int kvmirqx_op_bind(struct kvm_irqx_op *op, __u32 what, int fd,
		    const struct kvm_irq_routing_entry *entry,
		    const struct kvmirqx_options *options);
int kvmirqx_op_route(struct kvm_irqx_op *op, __u32 what, const struct kvm_irq_routing_entry *entry,
		     const struct kvmirqx_options *options);
int kvmirqx_op_irqfd(struct kvm_irqx_op *op, int fd, __u32 gsi,
		     const struct kvmirqx_options *options);
void kvmirqx_op_fd(struct kvm_irqx_op *op, __u32 what, int fd);
void kvmirqx_op_gsi(struct kvm_irqx_op *op, __u32 what, __u32 gsi);

/* batch.c */

int kvmirqx_batch_run_one(struct kvmirqx *ctx, const struct kvm_irqx_op *op);

#endif /* _KVMIRQX_INTERNAL_H */

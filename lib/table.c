// SPDX-License-Identifier: MIT
/*
 * Tables of vectors, and dynirqs.
 */
#include "internal.h"

/* Return: 0 or -ENOTSUP, with a record. */
static int check_flags(__u32 flags, bool told, __u32 known)
{
	if (!told || !(flags & ~known))
		return 0;
	return kvmirqx_call_refuse(-ENOTSUP, KVM_IRQX_ARG_FLAGS, KVM_IRQX_REASON_UNKNOWN_FLAG);
}

/* After kvmirqx_call_begin(). */
static int call_table(struct kvmirqx *ctx, struct kvm_irqx_table *table)
{
	__u64 features = KVM_IRQX_FEATURE_TABLE;
	int ret;

	if (table->op == KVM_IRQX_TABLE_CREATE_DYNIRQ)
		features |= KVM_IRQX_FEATURE_DYNIRQ;
	ret = kvmirqx_need_features(ctx, features);
	if (!ret && tells(ctx, table_ops) && !(ctx->info.table_ops & 1U << table->op))
		ret = kvmirqx_call_refuse(-ENOTSUP, KVM_IRQX_ARG_OP,
					  KVM_IRQX_REASON_UNKNOWN_VALUE);
	if (!ret)
		ret = check_flags(table->flags, tells(ctx, table_flags), ctx->info.table_flags);
	if (ret)
		return ret;
	table->error = kvmirqx_call_record(ctx);
	return kvmirqx_call(ctx, KVM_IRQX_TABLE, table);
}

static int create(struct kvmirqx *ctx, __u32 op, const struct kvmirqx_table_options *options,
		  __u32 *number)
{
	int ret = kvmirqx_call_begin(ctx, KVM_IRQX_TABLE);
	struct kvmirqx_table_options copy;
	struct kvm_irqx_table table;

	if (ret)
		return ret;
	ret = number ? kvmirqx_options_copy(&copy, sizeof(copy),
					    offsetofend(struct kvmirqx_table_options, pba),
					    options) : -EINVAL;
	if (ret)
		return kvmirqx_call_refuse(ret, KVM_IRQX_ARG_NONE, KVM_IRQX_REASON_NONE);
	if (copy.pad)
		return kvmirqx_call_refuse(-EINVAL, KVM_IRQX_ARG_PAD, KVM_IRQX_REASON_NOT_ZERO);
	table = (struct kvm_irqx_table) {
		.op = op,
		.flags = copy.flags,
		.nr = copy.nr,
		.devid = copy.devid,
		.changefd = copy.changefd,
		.entries = copy.entries,
		.pba = copy.pba,
	};
	ret = call_table(ctx, &table);
	if (!ret)
		*number = table.table;
	return ret;
}

PUBLIC int kvmirqx_table_create(struct kvmirqx *ctx, const struct kvmirqx_table_options *options,
				__u32 *table)
{
	return create(ctx, KVM_IRQX_TABLE_CREATE, options, table);
}

PUBLIC int kvmirqx_dynirq_create(struct kvmirqx *ctx, const struct kvmirqx_table_options *options,
				 __u32 *table)
{
	return create(ctx, KVM_IRQX_TABLE_CREATE_DYNIRQ, options, table);
}

static int change(struct kvmirqx *ctx, struct kvm_irqx_table *table)
{
	int ret = kvmirqx_call_begin(ctx, KVM_IRQX_TABLE);

	return ret ? ret : call_table(ctx, table);
}

PUBLIC int kvmirqx_table_move(struct kvmirqx *ctx, __u32 number, __u64 entries, __u64 pba)
{
	struct kvm_irqx_table table = {
		.op = KVM_IRQX_TABLE_MOVE,
		.table = number,
		.entries = entries,
		.pba = pba,
	};

	return change(ctx, &table);
}

PUBLIC int kvmirqx_table_set(struct kvmirqx *ctx, __u32 number, __u32 flags)
{
	struct kvm_irqx_table table = {
		.op = KVM_IRQX_TABLE_SET,
		.table = number,
		.flags = flags,
	};

	return change(ctx, &table);
}

PUBLIC int kvmirqx_table_destroy(struct kvmirqx *ctx, __u32 number)
{
	struct kvm_irqx_table table = { .op = KVM_IRQX_TABLE_DESTROY, .table = number };

	return change(ctx, &table);
}

/* Return: 0 or a negative errno, with a record; @state is ready for the call. */
static int prepare_state(const struct kvmirqx *ctx, unsigned long cmd, __u32 table,
			 const struct kvmirqx_vectors *vectors, struct kvm_irqx_table_state *state)
{
	int ret = kvmirqx_call_begin(ctx, cmd);
	struct kvmirqx_vectors copy;

	if (ret)
		return ret;
	ret = kvmirqx_options_copy(&copy, sizeof(copy), offsetofend(struct kvmirqx_vectors, header),
				   vectors);
	if (ret)
		return kvmirqx_call_refuse(ret, KVM_IRQX_ARG_NONE, KVM_IRQX_REASON_NONE);
	ret = kvmirqx_need_features(ctx, KVM_IRQX_FEATURE_TABLE);
	if (ret)
		return ret;
	if (tells(ctx, table_state_version) &&
	    ctx->info.table_state_version != KVM_IRQX_TABLE_STATE_VERSION)
		return kvmirqx_call_refuse(-ENOTSUP, KVM_IRQX_ARG_VERSION,
					   KVM_IRQX_REASON_UNKNOWN_VALUE);
	*state = (struct kvm_irqx_table_state) {
		.version = KVM_IRQX_TABLE_STATE_VERSION,
		.table = table,
		.flags = copy.flags,
		.first = copy.first,
		.nr = copy.nr,
		.vector_size = copy.vector_size,
		.vectors = (uintptr_t)copy.vectors,
		.changed = (uintptr_t)copy.changed,
		.error = kvmirqx_call_record(ctx),
		.header = (uintptr_t)copy.header,
	};
	if (cmd == KVM_IRQX_SET_TABLE)
		state->function = copy.function;
	return check_flags(copy.flags, tells(ctx, table_state_flags), ctx->info.table_state_flags);
}

/* What a module does not know of a vector it refuses in SET_TABLE; an older one leaves it alone. */
static void clear_unknown(const struct kvmirqx *ctx, const struct kvm_irqx_table_state *state)
{
	__u32 known = tells(ctx, vector_size) ? ctx->info.vector_size : KVM_IRQX_VECTOR_SIZE_MIN;
	char *vector = (char *)(uintptr_t)state->vectors;

	if (state->vector_size <= known)
		return;
	for (__u32 i = 0; i < state->nr; i++, vector += state->vector_size)
		memset(vector + known, 0, state->vector_size - known);
}

PUBLIC int kvmirqx_table_get_state(struct kvmirqx *ctx, __u32 table,
				   struct kvmirqx_vectors *vectors)
{
	struct kvm_irqx_table_state state;
	int ret = prepare_state(ctx, KVM_IRQX_GET_TABLE, table, vectors, &state);

	if (!ret)
		ret = kvmirqx_call(ctx, KVM_IRQX_GET_TABLE, &state);
	if (ret)
		return ret;
	vectors->function = state.function;
	clear_unknown(ctx, &state);
	return 0;
}

PUBLIC int kvmirqx_table_set_state(struct kvmirqx *ctx, __u32 table,
				   const struct kvmirqx_vectors *vectors)
{
	struct kvm_irqx_table_state state;
	int ret = prepare_state(ctx, KVM_IRQX_SET_TABLE, table, vectors, &state);

	return ret ? ret : kvmirqx_call(ctx, KVM_IRQX_SET_TABLE, &state);
}

/* @label: for ALLOC and LABEL, else not looked at. */
static int call_handle(struct kvmirqx *ctx, struct kvm_irqx_handle *handle, const char *label)
{
	bool labels = handle->op == KVM_IRQX_HANDLE_ALLOC || handle->op == KVM_IRQX_HANDLE_LABEL;
	int ret = kvmirqx_call_begin(ctx, KVM_IRQX_HANDLE);
	size_t length;

	if (ret)
		return ret;
	ret = kvmirqx_need_features(ctx, KVM_IRQX_FEATURE_DYNIRQ);
	if (ret)
		return ret;
	if (tells(ctx, handle_ops) && !(ctx->info.handle_ops & 1U << handle->op))
		return kvmirqx_call_refuse(-ENOTSUP, KVM_IRQX_ARG_OP,
					   KVM_IRQX_REASON_UNKNOWN_VALUE);
	if (labels) {
		length = label ? strnlen(label, sizeof(handle->label)) : 0;
		if (!length || length == sizeof(handle->label))
			return kvmirqx_call_refuse(-EINVAL, KVM_IRQX_ARG_LABEL,
						   KVM_IRQX_REASON_OUT_OF_RANGE);
		memcpy(handle->label, label, length);
	}
	handle->error = kvmirqx_call_record(ctx);
	return kvmirqx_call(ctx, KVM_IRQX_HANDLE, handle);
}

PUBLIC int kvmirqx_handle_alloc(struct kvmirqx *ctx, __u32 table, __u32 number, const char *label)
{
	struct kvm_irqx_handle handle = {
		.op = KVM_IRQX_HANDLE_ALLOC,
		.table = table,
		.handle = number,
	};
	int ret = call_handle(ctx, &handle, label);

	return ret ? ret : (int)handle.handle;
}

PUBLIC int kvmirqx_handle_free(struct kvmirqx *ctx, __u32 table, __u32 number)
{
	struct kvm_irqx_handle handle = {
		.op = KVM_IRQX_HANDLE_FREE,
		.table = table,
		.handle = number,
	};

	return call_handle(ctx, &handle, NULL);
}

PUBLIC int kvmirqx_handle_set_label(struct kvmirqx *ctx, __u32 table, __u32 number,
				    const char *label)
{
	struct kvm_irqx_handle handle = {
		.op = KVM_IRQX_HANDLE_LABEL,
		.table = table,
		.handle = number,
	};

	return call_handle(ctx, &handle, label);
}

PUBLIC int kvmirqx_handle_get_label(struct kvmirqx *ctx, __u32 table, __u32 number, char *label,
				    size_t size)
{
	struct kvm_irqx_handle handle = {
		.op = KVM_IRQX_HANDLE_GET,
		.table = table,
		.handle = number,
	};
	int ret;

	if (!label || size < sizeof(handle.label)) {
		ret = kvmirqx_call_begin(ctx, KVM_IRQX_HANDLE);
		return ret ? ret : kvmirqx_call_refuse(-EINVAL, KVM_IRQX_ARG_LABEL,
						       KVM_IRQX_REASON_TOO_SMALL);
	}
	ret = call_handle(ctx, &handle, NULL);
	if (!ret)
		memcpy(label, handle.label, sizeof(handle.label));
	return ret;
}

static int call_raise(struct kvmirqx *ctx, struct kvm_irqx_raise *raise)
{
	int ret = kvmirqx_need_features(ctx, KVM_IRQX_FEATURE_DYNIRQ);

	if (ret)
		return ret;
	raise->error = kvmirqx_call_record(ctx);
	return kvmirqx_call(ctx, KVM_IRQX_RAISE, raise);
}

PUBLIC int kvmirqx_raise(struct kvmirqx *ctx, __u32 table, __u32 handle)
{
	struct kvm_irqx_raise raise = { .table = table, .handle = handle };
	int ret = kvmirqx_call_begin(ctx, KVM_IRQX_RAISE);

	return ret ? ret : call_raise(ctx, &raise);
}

PUBLIC int kvmirqx_raise_many(struct kvmirqx *ctx, __u32 table, const __u32 *handles, __u32 nr)
{
	struct kvm_irqx_raise raise = {
		.table = table,
		.nr = nr,
		.handles = (uintptr_t)handles,
	};
	int ret = kvmirqx_call_begin(ctx, KVM_IRQX_RAISE);

	if (ret)
		return ret;
	/* To the module it is handle 0 alone. */
	if (!nr)
		return kvmirqx_call_refuse(-EINVAL, KVM_IRQX_ARG_NR,
					   KVM_IRQX_REASON_OUT_OF_RANGE);
	return call_raise(ctx, &raise);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The layout of what programs and the module exchange, which is the same on all architectures
 * and for 32-bit programs; scripts/lint compiles this for those.  It makes no code.
 */
#include <stddef.h>

#include <linux/kvm_irqx.h>

/* An array of -1 if it is not so: _Static_assert is no C99, and <assert.h> not for -m32. */
#define HOLDS(name, what)	extern char name[(what) ? 1 : -1]
#define SIZE(type, size)						\
	HOLDS(type##_size, sizeof(struct type) == (size))
#define AT(type, member, offset)					\
	HOLDS(type##_##member, offsetof(struct type, member) == (offset))
#define CALL(call, number)						\
	HOLDS(call##_number, (call) == (number))

SIZE(kvm_irqx_info, 120);
AT(kvm_irqx_info, abi, 4);
AT(kvm_irqx_info, features, 8);
AT(kvm_irqx_info, max_gsi, 16);
AT(kvm_irqx_info, max_irqfds, 20);
AT(kvm_irqx_info, max_batch, 24);
AT(kvm_irqx_info, version, 28);
AT(kvm_irqx_info, ops, 32);
AT(kvm_irqx_info, op_size, 36);
AT(kvm_irqx_info, op_flags, 40);
AT(kvm_irqx_info, direct_flags, 44);
AT(kvm_irqx_info, batch_flags, 48);
AT(kvm_irqx_info, attach_flags, 52);
AT(kvm_irqx_info, synic_page_flags, 56);
AT(kvm_irqx_info, mask_flags, 60);
AT(kvm_irqx_info, get_state_flags, 64);
AT(kvm_irqx_info, table_flags, 68);
AT(kvm_irqx_info, table_ops, 72);
AT(kvm_irqx_info, table_state_flags, 76);
AT(kvm_irqx_info, vector_size, 80);
AT(kvm_irqx_info, max_vectors, 84);
AT(kvm_irqx_info, max_handles, 88);
AT(kvm_irqx_info, table_state_version, 92);
AT(kvm_irqx_info, handle_ops, 96);
AT(kvm_irqx_info, handle_flags, 100);
AT(kvm_irqx_info, raise_flags, 104);
AT(kvm_irqx_info, list_flags, 108);
AT(kvm_irqx_info, binding_size, 112);

SIZE(kvm_irqx_attach, 32);
AT(kvm_irqx_attach, flags, 4);
AT(kvm_irqx_attach, pad, 8);

AT(kvm_irqx_stats, pad, 4);
AT(kvm_irqx_stats, events, 8);
AT(kvm_irqx_stats, atomic, 16);
AT(kvm_irqx_stats, deferred, 24);
AT(kvm_irqx_stats, unrouted, 32);
AT(kvm_irqx_stats, coalesced, 40);
AT(kvm_irqx_stats, refused, 48);
AT(kvm_irqx_stats, irqfds, 56);
AT(kvm_irqx_stats, gsis, 60);
AT(kvm_irqx_stats, undeliverable, 64);
AT(kvm_irqx_stats, undefined, 72);

SIZE(kvm_irqx_irqfd_direct, 96);
AT(kvm_irqx_irqfd_direct, resamplefd, 4);
AT(kvm_irqx_irqfd_direct, flags, 8);
AT(kvm_irqx_irqfd_direct, event_flag, 12);
AT(kvm_irqx_irqfd_direct, entry, 16);
AT(kvm_irqx_irqfd_direct, error, 64);
AT(kvm_irqx_irqfd_direct, cookie, 72);
AT(kvm_irqx_irqfd_direct, pad, 80);

SIZE(kvm_irqx_op, 80);
AT(kvm_irqx_op, pad, 4);
AT(kvm_irqx_op, fd, 8);
AT(kvm_irqx_op, resamplefd, 12);
AT(kvm_irqx_op, flags, 16);
AT(kvm_irqx_op, event_flag, 20);
AT(kvm_irqx_op, entry, 24);
AT(kvm_irqx_op, cookie, KVM_IRQX_OP_SIZE_MIN);

SIZE(kvm_irqx_batch, 48);
AT(kvm_irqx_batch, flags, 4);
AT(kvm_irqx_batch, op_size, 8);
AT(kvm_irqx_batch, index, 12);
AT(kvm_irqx_batch, ops, 16);
AT(kvm_irqx_batch, error, 24);
AT(kvm_irqx_batch, pad, 32);

SIZE(kvm_irqx_error, 16);
AT(kvm_irqx_error, index, 4);
AT(kvm_irqx_error, arg, 8);
AT(kvm_irqx_error, reason, 12);

SIZE(kvm_irqx_mask, 32);
AT(kvm_irqx_mask, gsi, 4);
AT(kvm_irqx_mask, flags, 8);
AT(kvm_irqx_mask, pad, 12);
AT(kvm_irqx_mask, error, 24);

SIZE(kvm_irqx_target_state, 16);
AT(kvm_irqx_target_state, gsi, 4);
AT(kvm_irqx_target_state, state, 8);
AT(kvm_irqx_target_state, pad, 12);

SIZE(kvm_irqx_get_state, 48);
AT(kvm_irqx_get_state, flags, 4);
AT(kvm_irqx_get_state, state_size, 8);
AT(kvm_irqx_get_state, index, 12);
AT(kvm_irqx_get_state, states, 16);
AT(kvm_irqx_get_state, error, 24);
AT(kvm_irqx_get_state, pad, 32);

SIZE(kvm_irqx_synic_page, 32);
AT(kvm_irqx_synic_page, flags, 4);
AT(kvm_irqx_synic_page, gpa, 8);
AT(kvm_irqx_synic_page, pad, 16);

SIZE(kvm_irqx_table, 72);
AT(kvm_irqx_table, table, 4);
AT(kvm_irqx_table, flags, 8);
AT(kvm_irqx_table, nr, 12);
AT(kvm_irqx_table, devid, 16);
AT(kvm_irqx_table, changefd, 20);
AT(kvm_irqx_table, entries, 24);
AT(kvm_irqx_table, pba, 32);
AT(kvm_irqx_table, error, 40);
AT(kvm_irqx_table, pad, 48);

SIZE(kvm_irqx_vector, KVM_IRQX_VECTOR_SIZE_MIN);
AT(kvm_irqx_vector, address_hi, 4);
AT(kvm_irqx_vector, data, 8);
AT(kvm_irqx_vector, control, 12);
AT(kvm_irqx_vector, state, 16);
AT(kvm_irqx_vector, pad, 20);

SIZE(kvm_irqx_table_state, 64);
AT(kvm_irqx_table_state, table, 4);
AT(kvm_irqx_table_state, flags, 8);
AT(kvm_irqx_table_state, function, 12);
AT(kvm_irqx_table_state, first, 16);
AT(kvm_irqx_table_state, nr, 20);
AT(kvm_irqx_table_state, vector_size, 24);
AT(kvm_irqx_table_state, pad, 28);
AT(kvm_irqx_table_state, vectors, 32);
AT(kvm_irqx_table_state, changed, 40);
AT(kvm_irqx_table_state, error, 48);
AT(kvm_irqx_table_state, header, 56);

/* Its end is the oldest that a caller may know. */
SIZE(kvm_irqx_dynirq_header, 56);
AT(kvm_irqx_dynirq_header, label, 24);
AT(kvm_irqx_dynirq_header, select, 4);
AT(kvm_irqx_dynirq_header, doorbell, 8);
AT(kvm_irqx_dynirq_header, instance, 16);

SIZE(kvm_irqx_handle, 72);
AT(kvm_irqx_handle, table, 4);
AT(kvm_irqx_handle, handle, 8);
AT(kvm_irqx_handle, flags, 12);
AT(kvm_irqx_handle, label, 16);
AT(kvm_irqx_handle, error, 48);
AT(kvm_irqx_handle, pad, 56);

SIZE(kvm_irqx_raise, 48);
AT(kvm_irqx_raise, nr, 4);
AT(kvm_irqx_raise, handle, 8);
AT(kvm_irqx_raise, flags, 12);
AT(kvm_irqx_raise, handles, 16);
AT(kvm_irqx_raise, error, 24);
AT(kvm_irqx_raise, pad, 32);

SIZE(kvm_irqx_binding, KVM_IRQX_BINDING_SIZE_MIN);
AT(kvm_irqx_binding, events, 8);
AT(kvm_irqx_binding, coalesced, 16);
AT(kvm_irqx_binding, refused, 24);
AT(kvm_irqx_binding, eventfd_id, 32);
AT(kvm_irqx_binding, resamplefd_id, 36);
AT(kvm_irqx_binding, flags, 40);
AT(kvm_irqx_binding, state, 44);
AT(kvm_irqx_binding, gsi, 48);
AT(kvm_irqx_binding, nr_entries, 52);
AT(kvm_irqx_binding, event_flag, 56);
AT(kvm_irqx_binding, pad, 60);
AT(kvm_irqx_binding, entry, 64);

SIZE(kvm_irqx_list, 56);
AT(kvm_irqx_list, nr, 8);
AT(kvm_irqx_list, flags, 12);
AT(kvm_irqx_list, binding_size, 16);
AT(kvm_irqx_list, pad, 20);
AT(kvm_irqx_list, bindings, 24);
AT(kvm_irqx_list, error, 32);
AT(kvm_irqx_list, pad2, 40);

/* As Documentation/api.rst has them, for seccomp. */
CALL(KVM_IRQX_GET_INFO, 0xaef0);
CALL(KVM_IRQX_ATTACH, 0x4020aef1);
CALL(KVM_IRQX_GET_STATS, 0xaef2);
CALL(KVM_IRQX_IRQFD_DIRECT, 0x4060aef3);
CALL(KVM_IRQX_BATCH, 0xc030aef4);
CALL(KVM_IRQX_SYNIC_PAGE, 0x4020aef5);
CALL(KVM_IRQX_MASK, 0x4020aef6);
CALL(KVM_IRQX_GET_STATE, 0xc030aef7);
CALL(KVM_IRQX_TABLE, 0xc048aef8);
CALL(KVM_IRQX_GET_TABLE, 0xc040aef9);
CALL(KVM_IRQX_SET_TABLE, 0x4040aefa);
CALL(KVM_IRQX_HANDLE, 0xc048aefb);
CALL(KVM_IRQX_RAISE, 0x4030aefc);
CALL(KVM_IRQX_LIST, 0xc038aefd);
CALL(KVM_SET_GSI_ROUTING, 0x4008ae6a);
CALL(KVM_IRQFD, 0x4020ae76);
CALL(KVM_IRQ_LINE, 0x4008ae61);
CALL(KVM_IRQ_LINE_STATUS, 0xc008ae67);

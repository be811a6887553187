/* SPDX-License-Identifier: MIT */
#ifndef _KVMIRQX_H
#define _KVMIRQX_H

/**
 * DOC: libkvmirqx
 *
 * The calls of <linux/kvm_irqx.h> as functions, and what every VMM would write around them.
 * What a call does, when it waits and what its errors mean is said there; here is what
 * the library adds.
 *
 * Return: 0 or more is success, a negative errno a failure; errno itself has no meaning
 * afterwards.  A call that fails has changed nothing.
 *
 * Threads: any number of threads may use one context at once, also for the same eventfd, GSI
 * or table.  The module orders them, the library holds no lock.  Exceptions:
 * kvmirqx_close() and kvmirqx_release() must be the last call of their context.  A batch
 * (struct kvmirqx_batch) and a listing (struct kvmirqx_list) are each for one thread at a time.
 * Functions that take none of the three, and no file, are pure.
 *
 * Processes: the calls work in the process whose VM it is.  In a child after fork() each but
 * kvmirqx_info(), kvmirqx_has(), kvmirqx_fd(), kvmirqx_close() and those of INTx that take no
 * context is EPERM (without CAP_SYS_ADMIN); closing there does not touch the parent's bindings.
 * The library opens with O_CLOEXEC.  Access to /dev/kvm-irqx, and for INTx to
 * /dev/kvm-irqx-intx, is all that it needs: no capability.
 *
 * Errors of every call, beside those in <linux/kvm_irqx.h> and those named at each:
 *
 * :ENOTSUP:	the module does not know the call, the operation, the flag, the type of entry or
 *		the field, or the kernel does not offer it (features of struct kvm_irqx_info); or
 *		this library does not know what stands at the end of a struct of options.
 *		EOPNOTSUPP, which is the same number, is also what EVENT_FLAG gets in a VM with a
 *		dirty ring: kvmirqx_last_error() tells KVM_IRQX_REASON_DIRTY_RING.
 * :EINVAL:	an argument must not be NULL and is; a size is impossible
 * :ENOMEM:	no memory, here or in the kernel
 *
 * Structs that can grow begin with a size or are passed with one, so that a program works with a
 * library that is older or newer than the header it was compiled with.
 */

#include <stddef.h>
#include <linux/kvm_irqx.h>
#include <linux/kvm_irqx_intx.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of this header; kvmirqx_version() tells the library's. */
#define KVMIRQX_VERSION_MAJOR	1
#define KVMIRQX_VERSION_MINOR	0
#define KVMIRQX_VERSION_PATCH	0
#define KVMIRQX_VERSION \
	(KVMIRQX_VERSION_MAJOR << 16 | KVMIRQX_VERSION_MINOR << 8 | KVMIRQX_VERSION_PATCH)

struct kvmirqx;			/* a context */
struct kvmirqx_batch;		/* operations, all of them or none */
struct kvmirqx_list;		/* a listing of bindings */

/**
 * kvmirqx_version() - the library's version
 *
 * Return: major << 16 | minor << 8 | patch.
 */
int kvmirqx_version(void);

/* Contexts */

/**
 * kvmirqx_open() - open /dev/kvm-irqx: a context without a VM
 * @ctx:	out: for kvmirqx_close()
 *
 * Errors: those of open() (ENOENT: the module is not loaded; EACCES: not in group kvm; EMFILE);
 * ENOTSUP: the module's calls mean something else (abi of struct kvm_irqx_info).
 */
int kvmirqx_open(struct kvmirqx **ctx);

/**
 * kvmirqx_adopt() - a context of a file that is open already
 * @ctx:	out
 * @fd:		of /dev/kvm-irqx, attached or not; it belongs to the context from now on.
 *		Its close-on-exec flag stays as it is.
 *
 * For a process that may not open files, and for one that takes over from another library.
 * On failure @fd is still the caller's.
 *
 * Errors: EBADF: @fd is not open; ENOTTY: it is another file; ENOTSUP: as kvmirqx_open().
 */
int kvmirqx_adopt(struct kvmirqx **ctx, int fd);

/**
 * kvmirqx_release() - end a context but not its file
 * @ctx:	a context, or NULL
 *
 * Return: the file descriptor, which is the caller's again, or -EINVAL.  Bindings stay.
 */
int kvmirqx_release(struct kvmirqx *ctx);

/**
 * kvmirqx_close() - close the file and end the context
 * @ctx:	a context, or NULL: then nothing happens
 *
 * If no other descriptor leads to the file, all its bindings are undone.
 *
 * Return: 0.
 */
int kvmirqx_close(struct kvmirqx *ctx);

/**
 * kvmirqx_fd() - the descriptor, for calls that the library does not have
 * @ctx:	a context
 *
 * Return: the descriptor, which stays the context's.
 */
int kvmirqx_fd(const struct kvmirqx *ctx);

/**
 * kvmirqx_attach() - choose the VM, once
 * @ctx:	a context
 * @vm_fd:	of KVM_CREATE_VM
 *
 * Errors: KVM_IRQX_ATTACH.
 */
int kvmirqx_attach(struct kvmirqx *ctx, int vm_fd);

/**
 * kvmirqx_info() - what module and kernel offer
 * @ctx:	a context
 * @info:	in: argsz, sizeof(struct kvm_irqx_info); out: all else.  argsz becomes the
 *		module's; what the module does not know is zero.
 *
 * Errors: KVM_IRQX_GET_INFO.
 */
int kvmirqx_info(const struct kvmirqx *ctx, struct kvm_irqx_info *info);

/**
 * kvmirqx_has() - does module and kernel have all of these?
 * @ctx:	a context
 * @features:	KVM_IRQX_FEATURE_*, several by OR
 *
 * Return: 1 or 0.
 */
int kvmirqx_has(const struct kvmirqx *ctx, __u64 features);

/**
 * kvmirqx_stats() - what has become of the context's events
 * @ctx:	a context
 * @stats:	in: argsz, sizeof(struct kvm_irqx_stats); out: all else, as kvmirqx_info()
 *
 * Errors: KVM_IRQX_GET_STATS.
 */
int kvmirqx_stats(struct kvmirqx *ctx, struct kvm_irqx_stats *stats);

/* Why a call has failed */

/**
 * kvmirqx_last_error() - the record of this thread's last call
 * @error:	in: argsz, sizeof(struct kvm_irqx_error); out: all else, index ~0 if it is of no
 *		array
 *
 * Of the last call for which the library would go to the module, whichever context it was of.
 * What only asks the library, fills a batch or frees something leaves it alone.  All is NONE if
 * the call had no record (KVM_IRQX_ATTACH, KVM_IRQX_SYNIC_PAGE and KVM's own structs have none),
 * and if it succeeded; but kvmirqx_deassign() of what is not bound tells
 * KVM_IRQX_REASON_NOT_BOUND.  For what the library refuses it makes the record itself.
 *
 * Errors: EINVAL: argsz is less than 16.
 */
int kvmirqx_last_error(struct kvm_irqx_error *error);

/**
 * kvmirqx_last_error_words() - the same as a sentence
 * @buf:	out: such as "KVM_IRQX_BATCH: entry.gsi: out of range, element 3 (EINVAL)"; always
 *		ends with a zero if @size is not 0
 * @size:	of @buf; 0 asks for the length
 *
 * In English, whatever the locale.  Numbers of a newer module are told as numbers.
 *
 * Return: the length of the whole sentence, as snprintf(); 0 if there is nothing to tell.
 */
int kvmirqx_last_error_words(char *buf, size_t size);

/**
 * kvmirqx_arg_name() - a member of a struct, as enum kvm_irqx_arg numbers them
 * @arg:	KVM_IRQX_ARG_*
 *
 * Return: such as "entry.gsi"; NULL if the library does not know it.
 */
const char *kvmirqx_arg_name(__u32 arg);

/**
 * kvmirqx_reason_words() - what is wrong with it
 * @reason:	KVM_IRQX_REASON_*
 *
 * Return: such as "out of range"; NULL if the library does not know it.
 */
const char *kvmirqx_reason_words(__u32 reason);

/* Eventfds with an entry of their own */

/**
 * struct kvmirqx_options - what a binding can have beside its entry
 * @size:	sizeof(struct kvmirqx_options)
 * @flags:	KVM_IRQX_OP_FLAG_RESAMPLE, _EVENT_FLAG, _MASK, _UNMASK, where the call takes them
 * @resamplefd:	with RESAMPLE the eventfd to signal at the EOI, else not looked at
 * @event_flag:	with EVENT_FLAG its number, else zero
 * @cookie:	what a listing is to tell of the binding; zero with a module that has none
 *
 * Where a function takes a pointer to one, NULL is KVMIRQX_OPTIONS: nothing of all that.
 */
struct kvmirqx_options {
	__u32 size;
	__u32 flags;
	__s32 resamplefd;
	__u32 event_flag;
	__aligned_u64 cookie;
};

#define KVMIRQX_OPTIONS { sizeof(struct kvmirqx_options), 0, -1, 0, 0 }

/**
 * kvmirqx_assign() - bind an eventfd to an entry
 * @ctx:	a context
 * @fd:		the eventfd
 * @entry:	where its events go; gsi 0
 * @options:	RESAMPLE, EVENT_FLAG, MASK or UNMASK, cookie; or NULL
 *
 * Errors: KVM_IRQX_IRQFD_DIRECT.
 */
int kvmirqx_assign(struct kvmirqx *ctx, int fd, const struct kvm_irq_routing_entry *entry,
		   const struct kvmirqx_options *options);

/**
 * kvmirqx_modify() - give a bound eventfd another entry
 * @ctx:	a context
 * @fd:		the eventfd
 * @entry:	where its events go from now on; gsi 0
 * @options:	EVENT_FLAG, MASK or UNMASK; or NULL: no event flag, the mask stays
 *
 * Errors: KVM_IRQX_IRQFD_DIRECT.
 */
int kvmirqx_modify(struct kvmirqx *ctx, int fd, const struct kvm_irq_routing_entry *entry,
		   const struct kvmirqx_options *options);

/**
 * kvmirqx_deassign() - unbind an eventfd, whether it has an entry of its own or a GSI
 * @ctx:	a context
 * @fd:		the eventfd
 *
 * Success also if it is not bound here: see kvmirqx_last_error().
 *
 * Errors: KVM_IRQX_IRQFD_DIRECT.
 */
int kvmirqx_deassign(struct kvmirqx *ctx, int fd);

/**
 * kvmirqx_mask() - hold back the events of an eventfd with an entry of its own
 * @ctx:	a context
 * @fd:		the eventfd
 *
 * Errors: KVM_IRQX_MASK.
 */
int kvmirqx_mask(struct kvmirqx *ctx, int fd);

/**
 * kvmirqx_unmask() - let them go
 * @ctx:	a context
 * @fd:		the eventfd
 *
 * Errors: KVM_IRQX_MASK.
 */
int kvmirqx_unmask(struct kvmirqx *ctx, int fd);

/**
 * kvmirqx_mask_gsi() - hold back the events of a GSI that has a route
 * @ctx:	a context
 * @gsi:	the GSI
 *
 * Errors: KVM_IRQX_MASK.
 */
int kvmirqx_mask_gsi(struct kvmirqx *ctx, __u32 gsi);

/**
 * kvmirqx_unmask_gsi() - let them go
 * @ctx:	a context
 * @gsi:	the GSI
 *
 * Errors: KVM_IRQX_MASK.
 */
int kvmirqx_unmask_gsi(struct kvmirqx *ctx, __u32 gsi);

/**
 * kvmirqx_get_state() - is it masked, is something pending?
 * @ctx:	a context
 * @fd:		an eventfd with an entry of its own
 *
 * Return: KVM_IRQX_STATE_*, several by OR, or an error of KVM_IRQX_GET_STATE.
 */
int kvmirqx_get_state(struct kvmirqx *ctx, int fd);

/**
 * kvmirqx_get_gsi_state() - the same of a GSI that has a route
 * @ctx:	a context
 * @gsi:	the GSI
 *
 * Return: KVM_IRQX_STATE_*, several by OR, or an error of KVM_IRQX_GET_STATE.
 */
int kvmirqx_get_gsi_state(struct kvmirqx *ctx, __u32 gsi);

/**
 * kvmirqx_get_states() - the same of many by one call
 * @ctx:	a context
 * @states:	array; in: fd and gsi of each, out: state
 * @state_size:	sizeof(struct kvm_irqx_target_state)
 * @nr:		how many, 1 .. max_batch of struct kvm_irqx_info
 * @index:	out, or NULL: on failure which of @states is at fault, @nr if none is
 *
 * Errors: KVM_IRQX_GET_STATE.
 */
int kvmirqx_get_states(struct kvmirqx *ctx, struct kvm_irqx_target_state *states,
		       size_t state_size, __u32 nr, __u32 *index);

/* The GSI table */

/**
 * kvmirqx_set_routes() - replace the whole table
 * @ctx:	a context
 * @entries:	array; may be NULL if @nr is 0
 * @nr:		how many, 0 .. max_gsi of struct kvm_irqx_info
 *
 * Errors: KVM_SET_GSI_ROUTING in the header of the calls.
 */
int kvmirqx_set_routes(struct kvmirqx *ctx, const struct kvm_irq_routing_entry *entries, __u32 nr);

/**
 * kvmirqx_route_set() - give a GSI this one entry, whatever it had before
 * @ctx:	a context
 * @entry:	the entry, which names the GSI
 *
 * Errors: KVM_IRQX_BATCH.
 */
int kvmirqx_route_set(struct kvmirqx *ctx, const struct kvm_irq_routing_entry *entry);

/**
 * kvmirqx_route_add() - give it this entry too
 * @ctx:	a context
 * @entry:	the entry, which names the GSI
 *
 * Errors: KVM_IRQX_BATCH.
 */
int kvmirqx_route_add(struct kvmirqx *ctx, const struct kvm_irq_routing_entry *entry);

/**
 * kvmirqx_route_del() - take all entries of a GSI away
 * @ctx:	a context
 * @gsi:	the GSI; success if it has none
 *
 * Errors: KVM_IRQX_BATCH.
 */
int kvmirqx_route_del(struct kvmirqx *ctx, __u32 gsi);

/**
 * kvmirqx_irqfd() - bind an eventfd to a GSI
 * @ctx:	a context
 * @fd:		the eventfd
 * @gsi:	the GSI, which needs no route
 * @options:	RESAMPLE, cookie; or NULL
 *
 * Errors: KVM_IRQFD in the header of the calls.
 */
int kvmirqx_irqfd(struct kvmirqx *ctx, int fd, __u32 gsi, const struct kvmirqx_options *options);

/**
 * kvmirqx_irqfd_deassign() - unbind an eventfd from this GSI
 * @ctx:	a context
 * @fd:		the eventfd; success if it is not bound to @gsi
 * @gsi:	the GSI
 *
 * Errors: KVM_IRQFD in the header of the calls.
 */
int kvmirqx_irqfd_deassign(struct kvmirqx *ctx, int fd, __u32 gsi);

/**
 * kvmirqx_irq_line() - drive a GSI
 * @ctx:	a context
 * @gsi:	the GSI
 * @level:	0 or 1
 *
 * Errors: KVM_IRQ_LINE in the header of the calls.
 */
int kvmirqx_irq_line(struct kvmirqx *ctx, __u32 gsi, int level);

/**
 * kvmirqx_irq_line_status() - the same, and what became of it
 * @ctx:	a context
 * @gsi:	the GSI
 * @level:	0 or 1
 * @status:	out: negative: ignored; 0: coalesced; else how many vCPUs it went to
 *
 * Errors: KVM_IRQ_LINE in the header of the calls.
 */
int kvmirqx_irq_line_status(struct kvmirqx *ctx, __u32 gsi, int level, int *status);

/* Many at once, all or none */

/**
 * kvmirqx_batch_run_ops() - run an array of operations
 * @ctx:	a context
 * @ops:	array
 * @op_size:	sizeof(struct kvm_irqx_op)
 * @nr:		how many, 1 .. max_batch of struct kvm_irqx_info.  It is one call, never
 *		split.
 * @index:	out, or NULL: on failure which operation is at fault, @nr if none is
 *
 * Errors: KVM_IRQX_BATCH.
 */
int kvmirqx_batch_run_ops(struct kvmirqx *ctx, const struct kvm_irqx_op *ops, size_t op_size,
			  __u32 nr, __u32 *index);

/**
 * kvmirqx_batch_new() - a batch to be filled
 * @batch:	out: empty, for kvmirqx_batch_free()
 *
 * The functions that add an operation return 0 or a negative errno (ENOMEM, EINVAL, E2BIG), and
 * the batch remembers the first failure: who does not look at each has it from
 * kvmirqx_batch_run().  Arguments are those of the functions of the same names.
 */
int kvmirqx_batch_new(struct kvmirqx_batch **batch);

/**
 * kvmirqx_batch_free() - end of a batch
 * @batch:	a batch, or NULL
 *
 * Return: 0.
 */
int kvmirqx_batch_free(struct kvmirqx_batch *batch);

/**
 * kvmirqx_batch_clear() - empty it, to be filled again
 * @batch:	a batch
 *
 * Return: 0.
 */
int kvmirqx_batch_clear(struct kvmirqx_batch *batch);

/**
 * kvmirqx_batch_count() - how many operations it has
 * @batch:	a batch
 */
int kvmirqx_batch_count(const struct kvmirqx_batch *batch);

/**
 * kvmirqx_batch_get() - look at one of them
 * @batch:	a batch
 * @index:	which
 * @op:		out
 * @op_size:	sizeof(struct kvm_irqx_op)
 *
 * Errors: ENOENT: there is none.
 */
int kvmirqx_batch_get(const struct kvmirqx_batch *batch, __u32 index, struct kvm_irqx_op *op,
		      size_t op_size);

/**
 * kvmirqx_batch_run() - run it, as one call
 * @ctx:	a context
 * @batch:	a batch, which stays as it is.  An empty one is success.
 * @index:	out, or NULL: as kvmirqx_batch_run_ops()
 *
 * Errors: what adding an operation has failed with; KVM_IRQX_BATCH.
 */
int kvmirqx_batch_run(struct kvmirqx *ctx, const struct kvmirqx_batch *batch, __u32 *index);

int kvmirqx_batch_assign(struct kvmirqx_batch *batch, int fd,
			 const struct kvm_irq_routing_entry *entry,
			 const struct kvmirqx_options *options);
int kvmirqx_batch_modify(struct kvmirqx_batch *batch, int fd,
			 const struct kvm_irq_routing_entry *entry,
			 const struct kvmirqx_options *options);
int kvmirqx_batch_deassign(struct kvmirqx_batch *batch, int fd);
int kvmirqx_batch_mask(struct kvmirqx_batch *batch, int fd);
int kvmirqx_batch_unmask(struct kvmirqx_batch *batch, int fd);
int kvmirqx_batch_mask_gsi(struct kvmirqx_batch *batch, __u32 gsi);
int kvmirqx_batch_unmask_gsi(struct kvmirqx_batch *batch, __u32 gsi);
/* @options: MASK or UNMASK, or NULL */
int kvmirqx_batch_route_set(struct kvmirqx_batch *batch, const struct kvm_irq_routing_entry *entry,
			    const struct kvmirqx_options *options);
int kvmirqx_batch_route_add(struct kvmirqx_batch *batch,
			    const struct kvm_irq_routing_entry *entry);
int kvmirqx_batch_route_del(struct kvmirqx_batch *batch, __u32 gsi);
int kvmirqx_batch_irqfd(struct kvmirqx_batch *batch, int fd, __u32 gsi,
			const struct kvmirqx_options *options);

/**
 * kvmirqx_batch_routes() - add what makes one table of routes into another
 * @batch:	a batch
 * @from:	the table as it is; may be NULL if @nr_from is 0
 * @nr_from:	how many entries
 * @to:		the table to be; may be NULL if @nr_to is 0
 * @nr_to:	how many entries
 *
 * The fewest operations there are, by rising GSI; none for a GSI that keeps its entries,
 * in whatever order the tables have them.  Padding is ignored, as KVM_SET_GSI_ROUTING ignores it.
 * Takes time by n * log(n).  Where there are more than max_batch, kvmirqx_set_routes() does it too.
 *
 * Return: how many operations were added, or -ENOMEM.
 */
int kvmirqx_batch_routes(struct kvmirqx_batch *batch,
			 const struct kvm_irq_routing_entry *from, __u32 nr_from,
			 const struct kvm_irq_routing_entry *to, __u32 nr_to);

/* SynIC event flags */

/**
 * kvmirqx_synic_page_set() - where a virtual processor has its event flags
 * @ctx:	a context
 * @vp_index:	VP index
 * @gpa:	guest-physical address of the page
 *
 * Errors: KVM_IRQX_SYNIC_PAGE.
 */
int kvmirqx_synic_page_set(struct kvmirqx *ctx, __u32 vp_index, __u64 gpa);

/**
 * kvmirqx_synic_page_clear() - it has no such page any more
 * @ctx:	a context
 * @vp_index:	VP index
 *
 * Errors: KVM_IRQX_SYNIC_PAGE.
 */
int kvmirqx_synic_page_clear(struct kvmirqx *ctx, __u32 vp_index);

/* Tables of vectors, and dynirqs */

/**
 * struct kvmirqx_table_options - a table to be
 * @size:	sizeof(struct kvmirqx_table_options)
 * @flags:	KVM_IRQX_TABLE_DECODES, _ENABLED, _MASKED; of a dynirq DECODES alone
 * @nr:		how many vectors or handles
 * @devid:	the device ID that the ITS knows the function by (arm64, else ignored)
 * @changefd:	an eventfd that is signalled when the guest has changed an entry (of a dynirq:
 *		reset it or switched it off), or -1
 * @pad:	zero
 * @entries:	guest-physical address of the entries; of a dynirq, of its range
 * @pba:	address of the Pending Bit Array; of a dynirq zero
 */
struct kvmirqx_table_options {
	__u32 size;
	__u32 flags;
	__u32 nr;
	__u32 devid;
	__s32 changefd;
	__u32 pad;
	__aligned_u64 entries;
	__aligned_u64 pba;
};

#define KVMIRQX_TABLE_OPTIONS { sizeof(struct kvmirqx_table_options), 0, 0, 0, -1, 0, 0, 0 }

/**
 * kvmirqx_table_create() - an MSI-X table, answered in the kernel
 * @ctx:	a context
 * @options:	what it is
 * @table:	out: its number in this context
 *
 * Errors: KVM_IRQX_TABLE.
 */
int kvmirqx_table_create(struct kvmirqx *ctx, const struct kvmirqx_table_options *options,
			 __u32 *table);

/**
 * kvmirqx_dynirq_create() - a dynirq
 * @ctx:	a context
 * @options:	what it is
 * @table:	out: its number in this context
 *
 * Errors: KVM_IRQX_TABLE.
 */
int kvmirqx_dynirq_create(struct kvmirqx *ctx, const struct kvmirqx_table_options *options,
			  __u32 *table);

/**
 * kvmirqx_table_move() - the guest has moved the BAR
 * @ctx:	a context
 * @table:	a table, or a dynirq
 * @entries:	as in struct kvmirqx_table_options
 * @pba:	likewise
 *
 * Errors: KVM_IRQX_TABLE.
 */
int kvmirqx_table_move(struct kvmirqx *ctx, __u32 table, __u64 entries, __u64 pba);

/**
 * kvmirqx_table_set() - the table's flags are these
 * @ctx:	a context
 * @table:	a table, or a dynirq
 * @flags:	as in struct kvmirqx_table_options
 *
 * Errors: KVM_IRQX_TABLE.
 */
int kvmirqx_table_set(struct kvmirqx *ctx, __u32 table, __u32 flags);

/**
 * kvmirqx_table_destroy() - the table is no more
 * @ctx:	a context
 * @table:	a table, or a dynirq, to which nothing leads
 *
 * Errors: KVM_IRQX_TABLE.
 */
int kvmirqx_table_destroy(struct kvmirqx *ctx, __u32 table);

/**
 * struct kvmirqx_vectors - the state of some vectors, and of their table
 * @size:	sizeof(struct kvmirqx_vectors)
 * @flags:	kvmirqx_table_set_state(): KVM_IRQX_TABLE_STATE_FUNCTION, and one of _KEEP_ENTRIES
 *		and _KEEP_PENDING, or none; else zero
 * @function:	the table's flags; to be set with FUNCTION, else zero then
 * @first:	the first vector
 * @nr:		how many, at most max_vectors of struct kvm_irqx_info
 * @vector_size: sizeof(struct kvm_irqx_vector)
 * @vectors:	array of @nr; of each, what the module does not know is zero
 * @changed:	kvmirqx_table_get_state() of a table: @nr bits in 64-bit words, or NULL; else
 *		NULL
 * @header:	of a dynirq its header, or NULL; of a table NULL
 */
struct kvmirqx_vectors {
	__u32 size;
	__u32 flags;
	__u32 function;
	__u32 first;
	__u32 nr;
	__u32 vector_size;
	struct kvm_irqx_vector *vectors;
	__u64 *changed;
	struct kvm_irqx_dynirq_header *header;
};

#define KVMIRQX_VECTORS { sizeof(struct kvmirqx_vectors), 0, 0, 0, 0, \
			  sizeof(struct kvm_irqx_vector), NULL, NULL, NULL }

/**
 * kvmirqx_table_get_state() - what the guest has written, what is pending
 * @ctx:	a context
 * @table:	a table, or a dynirq
 * @vectors:	in: which; out: @function, and what the pointers lead to
 *
 * Errors: KVM_IRQX_GET_TABLE.
 */
int kvmirqx_table_get_state(struct kvmirqx *ctx, __u32 table, struct kvmirqx_vectors *vectors);

/**
 * kvmirqx_table_set_state() - restore it, or hand on a guest's write
 * @ctx:	a context
 * @table:	a table, or a dynirq
 * @vectors:	what
 *
 * Errors: KVM_IRQX_SET_TABLE.
 */
int kvmirqx_table_set_state(struct kvmirqx *ctx, __u32 table,
			    const struct kvmirqx_vectors *vectors);

/**
 * kvmirqx_handle_alloc() - a handle of a dynirq has an owner from now on
 * @ctx:	a context
 * @table:	the dynirq
 * @handle:	which, or KVM_IRQX_ANY_HANDLE
 * @label:	what the guest reads, 1 to 31 bytes
 *
 * Return: the handle, or an error of KVM_IRQX_HANDLE.
 */
int kvmirqx_handle_alloc(struct kvmirqx *ctx, __u32 table, __u32 handle, const char *label);

/**
 * kvmirqx_handle_free() - it has none any more
 * @ctx:	a context
 * @table:	the dynirq
 * @handle:	which
 *
 * Errors: KVM_IRQX_HANDLE.
 */
int kvmirqx_handle_free(struct kvmirqx *ctx, __u32 table, __u32 handle);

/**
 * kvmirqx_handle_set_label() - give it another label
 * @ctx:	a context
 * @table:	the dynirq
 * @handle:	which
 * @label:	1 to 31 bytes
 *
 * Errors: KVM_IRQX_HANDLE.
 */
int kvmirqx_handle_set_label(struct kvmirqx *ctx, __u32 table, __u32 handle, const char *label);

/**
 * kvmirqx_handle_get_label() - which label it has
 * @ctx:	a context
 * @table:	the dynirq
 * @handle:	which
 * @label:	out: ends with a zero
 * @size:	of @label, KVM_IRQX_LABEL_SIZE or more
 *
 * Errors: KVM_IRQX_HANDLE; EINVAL: @size.
 */
int kvmirqx_handle_get_label(struct kvmirqx *ctx, __u32 table, __u32 handle, char *label,
			     size_t size);

/**
 * kvmirqx_raise() - an event at a handle, or at a vector of a table
 * @ctx:	a context
 * @table:	a dynirq, or a table
 * @handle:	which
 *
 * Errors: KVM_IRQX_RAISE.
 */
int kvmirqx_raise(struct kvmirqx *ctx, __u32 table, __u32 handle);

/**
 * kvmirqx_raise_many() - an event at each of some, in this order, or at none
 * @ctx:	a context
 * @table:	a dynirq, or a table
 * @handles:	array
 * @nr:		how many, 1 .. max_batch of struct kvm_irqx_info
 *
 * Errors: KVM_IRQX_RAISE; EINVAL: @nr is 0.
 */
int kvmirqx_raise_many(struct kvmirqx *ctx, __u32 table, const __u32 *handles, __u32 nr);

/* INTx of assigned devices, which kvm_irqx_intx.ko carries */

/**
 * kvmirqx_intx_open() - open /dev/kvm-irqx-intx: for the interrupt of one device
 *
 * What is carried ends with KVM_IRQX_INTX_DETACH or close(), and is in no listing, batch or counter
 * of the context.  What the module refuses has no reason in kvmirqx_last_error(), but in the
 * sentence.
 *
 * Return: a file descriptor, close-on-exec, for close().
 *
 * Errors: those of open() (ENOENT: the module is not loaded; EACCES: not in group kvm; EMFILE);
 * ENOTSUP: the module's calls mean something else (abi of struct kvm_irqx_intx_info).
 */
int kvmirqx_intx_open(void);

/**
 * kvmirqx_intx_info() - what module and kernel offer
 * @intx:	of kvmirqx_intx_open(), or opened by somebody else
 * @info:	in: argsz, sizeof(struct kvm_irqx_intx_info); out: all else, as kvmirqx_info()
 *
 * Errors: KVM_IRQX_INTX_GET_INFO.
 */
int kvmirqx_intx_info(int intx, struct kvm_irqx_intx_info *info);

/**
 * kvmirqx_intx_attach() - carry the interrupt of a device to the guest's pin or SPI
 * @ctx:	a context, attached to the VM
 * @intx:	the file that is to carry it
 * @device_fd:	the device, of VFIO_GROUP_GET_DEVICE_FD
 * @address:	what that call has been given: "0000:03:00.0", domain, bus, slot and function in
 *		hexadecimal
 * @entry:	where it leads; gsi 0
 * @reason:	out, or NULL: KVM_IRQX_INTX_REASON_*
 *
 * Errors: KVM_IRQX_INTX_ATTACH; EINVAL: @address.
 */
int kvmirqx_intx_attach(struct kvmirqx *ctx, int intx, int device_fd, const char *address,
			const struct kvm_irq_routing_entry *entry, __u32 *reason);

/**
 * kvmirqx_intx_detach() - give it back
 * @intx:	the file that carries it
 *
 * Errors: ENOTCONN: it carries none.
 */
int kvmirqx_intx_detach(int intx);

/**
 * kvmirqx_intx_state() - what has come of it
 * @intx:	the file that carries it, or has
 * @state:	in: argsz, sizeof(struct kvm_irqx_intx_state); out: all else, as kvmirqx_info()
 *
 * Errors: KVM_IRQX_INTX_GET_STATE.
 */
int kvmirqx_intx_state(int intx, struct kvm_irqx_intx_state *state);

/**
 * kvmirqx_intx_reason_words() - why it cannot be carried
 * @reason:	KVM_IRQX_INTX_REASON_*
 *
 * Return: such as "VFIO's own interrupt of the device is on"; NULL if the library does not know it.
 */
const char *kvmirqx_intx_reason_words(__u32 reason);

/* Which eventfds are bound */

/**
 * kvmirqx_list_begin() - begin a listing of all bindings of the context
 * @ctx:	a context, which must outlive the listing
 * @binding_size: sizeof(struct kvm_irqx_binding)
 * @list:	out: for kvmirqx_list_end()
 *
 * What is bound during the whole of it comes exactly once, what comes or goes meanwhile at most
 * once.  Any number can go on at once, and bindings can be made, changed and undone meanwhile.
 *
 * Errors: ENOTSUP: the module cannot list; EINVAL: @binding_size.
 */
int kvmirqx_list_begin(struct kvmirqx *ctx, size_t binding_size, struct kvmirqx_list **list);

/**
 * kvmirqx_list_next() - the next binding
 * @list:	a listing
 * @binding:	out: binding_size bytes of it.  What module or library do not know is zero.
 *
 * Return: 1; 0: there is none any more; or an error of KVM_IRQX_LIST.
 */
int kvmirqx_list_next(struct kvmirqx_list *list, struct kvm_irqx_binding *binding);

/**
 * kvmirqx_list_end() - end of a listing
 * @list:	a listing, or NULL
 *
 * Return: 0.
 */
int kvmirqx_list_end(struct kvmirqx_list *list);

/* Entries */

enum kvmirqx_arch {
	KVMIRQX_ARCH_NATIVE,	/* which the library was built for */
	KVMIRQX_ARCH_X86,
	KVMIRQX_ARCH_ARM64,
};

/**
 * struct kvmirqx_msi - a message as the guest has written it into its MSI-X table
 * @address_lo:	Message Address
 * @address_hi:	Message Upper Address
 * @data:	Message Data
 * @devid:	the function's requester ID, as its ITS knows it
 */
struct kvmirqx_msi {
	__u32 address_lo;
	__u32 address_hi;
	__u32 data;
	__u32 devid;
};

/* The guest was told of KVM_FEATURE_MSI_EXT_DEST_ID (x86). */
#define KVMIRQX_MSI_EXT_DEST_ID	(1U << 0)
/* @devid is known: arm64 with an ITS; on x86 it is ignored, so that one call does for both. */
#define KVMIRQX_MSI_DEVID	(1U << 1)

/**
 * kvmirqx_msi_entry() - an MSI-X entry as a routing entry
 * @entry:	out: all of it; gsi 0
 * @arch:	enum kvmirqx_arch, the guest's
 * @flags:	KVMIRQX_MSI_*
 * @msi:	the message
 *
 * x86: without a flag address_hi goes as it is, so that a message whose destination a VMM's IOMMU
 * has found (KVM_CAP_X2APIC_API with KVM_X2APIC_API_USE_32BIT_IDS: bits 31:8 there) goes
 * through too.  With EXT_DEST_ID bits 11:5 of address_lo, which a guest takes for destination bits
 * 14:8, go there; not of a message in remappable format (bit 4), which is the IOMMU's.
 *
 * Errors: EINVAL: @arch, @flags.
 */
int kvmirqx_msi_entry(struct kvm_irq_routing_entry *entry, int arch, __u32 flags,
		      const struct kvmirqx_msi *msi);

/**
 * kvmirqx_entry_words() - an entry as words
 * @entry:	an entry; its gsi is not told
 * @arch:	enum kvmirqx_arch, the guest's
 * @buf:	out: such as "MSI vector 0x41 to APIC 3, physical, edge"; always ends with a zero if
 *		@size is not 0
 * @size:	of @buf; 0 asks for the length
 *
 * Return: the length of it all, as snprintf(); or -EINVAL: @arch.
 */
int kvmirqx_entry_words(const struct kvm_irq_routing_entry *entry, int arch, char *buf,
			size_t size);

#ifdef __cplusplus
}
#endif

#endif /* _KVMIRQX_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * Finds the functions of KVM that the module calls.  The only file that looks
 * a symbol up.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/tracepoint.h>
#include <linux/utsname.h>
#include <generated/utsrelease.h>
#include <generated/utsversion.h>

#include "kvm.h"
#include "symbols.h"

/* A name that two modules share must not be taken from the wrong one. */
#define IRQX_KVM_PREFIX	(IS_MODULE(CONFIG_KVM) ? "kvm:" : "")

DEFINE_STATIC_CALL_NULL(irqx_kallsyms_lookup_name, kallsyms_lookup_name);

#define IRQX_DEFINE(name)	DEFINE_STATIC_CALL_NULL(irqx_##name, name);
IRQX_KVM_SYMBOLS(IRQX_DEFINE)
IRQX_KVM_SYMBOLS_OPTIONAL(IRQX_DEFINE)
IRQX_KVM_SYMBOLS_BTF(IRQX_DEFINE)
#undef IRQX_DEFINE

/* What the calls above are typed by, for scripts/check-prototypes to read. */
struct irqx_kvm_prototypes {
	typeof(kallsyms_lookup_name) *kallsyms_lookup_name;
#define IRQX_PROTOTYPE(name)	typeof(name) *name;
	IRQX_KVM_SYMBOLS(IRQX_PROTOTYPE)
	IRQX_KVM_SYMBOLS_BTF(IRQX_PROTOTYPE)
};

/* The same of those that a kernel need not have. */
struct irqx_kvm_optional_prototypes {
	IRQX_KVM_SYMBOLS_OPTIONAL(IRQX_PROTOTYPE)
#undef IRQX_PROTOTYPE
};

/* Offsets in private structures; read-only after load. */
#define IRQX_DEFINE_MEMBER(type, member, as)	\
	u32 irqx_offset_##type##_##member __ro_after_init;
IRQX_KVM_PRIVATE_MEMBERS(IRQX_DEFINE_MEMBER)
#undef IRQX_DEFINE_MEMBER

/* Of eventfd_ctx.id; 0: it is not known. */
static u32 eventfd_id_offset __ro_after_init;

/*
 * The address of kallsyms_lookup_name(), by way of a kprobe that is never
 * armed.  On x86 with IBT the probe's address lies behind the ENDBR; the
 * symbol's own offset says by how much.
 */
static noinline_for_stack int find_lookup(unsigned long *lookup)
{
	struct kprobe kp = {
		.symbol_name = "kallsyms_lookup_name",
		.flags = KPROBE_FLAG_DISABLED,
	};
	char where[KSYM_SYMBOL_LEN];
	unsigned long addr, offset;
	int ret;

	ret = register_kprobe(&kp);
	if (ret)
		return ret;
	addr = (unsigned long)kp.addr;
	unregister_kprobe(&kp);

	sprint_symbol(where, addr);
	if (sscanf(where, "kallsyms_lookup_name+%lx/", &offset) != 1)
		return -ENOENT;
	*lookup = addr - offset;
	return 0;
}

static noinline_for_stack void *find_symbol(const char *prefix, const char *name)
{
	char qualified[KSYM_NAME_LEN];

	snprintf(qualified, sizeof(qualified), "%s%s", prefix, name);
	return (void *)static_call(irqx_kallsyms_lookup_name)(qualified);
}

#ifdef IRQX_KVM_HAS_BTF
/* What a type is called by other names. */
static const struct btf_type *find_type(struct btf *btf, u32 id)
{
	const struct btf_type *type = btf_type_by_id(btf, id);

	while (type && BTF_INFO_KIND(type->info) == BTF_KIND_TYPEDEF)
		type = btf_type_by_id(btf, type->type);
	return type;
}

/*
 * The offset of a member of structure @id, which headers do not show; @size: of an integer, or
 * 0 for a member of any type.  Return: 0 or -ENOENT.
 */
static int find_member(struct btf *btf, s32 id, const char *name, u32 size, u32 *offset)
{
	const struct btf_type *type = btf_type_by_id(btf, id);
	const struct btf_member *member;
	const char *found;
	u32 i;

	for_each_member(i, type, member) {
		found = static_call(irqx_btf_name_by_offset)(btf,
							     member->name_off);
		if (strcmp(found, name))
			continue;
		*offset = __btf_member_bit_offset(type, member) / 8;
		type = find_type(btf, member->type);
		if (!size || (type && btf_type_is_int(type) && type->size == size))
			return 0;
		break;
	}
	return -ENOENT;
}

/* fs/eventfd.c has it for /proc/PID/fdinfo. */
static void find_eventfd_id(void)
{
	struct btf *btf = static_call(irqx_bpf_get_btf_vmlinux)();
	u32 offset;
	s32 id;

	if (IS_ERR_OR_NULL(btf))
		return;
	id = static_call(irqx_btf_find_by_name_kind)(btf, "eventfd_ctx", BTF_KIND_STRUCT);
	if (id > 0 && !find_member(btf, id, "id", sizeof(int), &offset))
		eventfd_id_offset = offset;
}
#else
static void find_eventfd_id(void)
{
}
#endif

#ifdef IRQX_KVM_HAS_PRIVATE_MEMBERS
/*
 * As find_member().  All copies of the structure in the kernel's BTF are alike: the first will do.
 */
static int find_private_member(const char *structure, const char *name, u32 size,
			       u32 *offset)
{
	struct btf *btf;
	int ret;
	s32 id;

	id = bpf_find_btf_id(structure, BTF_KIND_STRUCT, &btf);
	if (id < 0)
		return id;
	ret = find_member(btf, id, name, size, offset);
	static_call(irqx_btf_put)(btf);
	return ret;
}
#endif

/**
 * irqx_kvm_resolve - make the functions of KVM callable
 *
 * Context: may sleep.  Called once, before anything else of src/kvm/.
 * Return: 0, -ENOEXEC if the module was built for another kernel, -ENOENT if a
 * function is missing; the kernel log then has one line that says so.  Or -ENOMEM,
 * without a line.
 */
int irqx_kvm_resolve(void)
{
	char missing[512] = "";
	size_t len = 0;
	unsigned long lookup;
	void *addr;
	int ret;

	BTF_TYPE_EMIT(struct irqx_kvm_prototypes);
	BTF_TYPE_EMIT(struct irqx_kvm_optional_prototypes);

	/*
	 * The borrowed functions are typed by the headers of one build; the
	 * release alone does not tell two builds of it apart.
	 */
	if (strcmp(init_utsname()->release, UTS_RELEASE) ||
	    strcmp(init_utsname()->version, UTS_VERSION)) {
		pr_err("built for %s %s, running on %s %s: build it again\n",
		       UTS_RELEASE, UTS_VERSION, init_utsname()->release,
		       init_utsname()->version);
		return -ENOEXEC;
	}

	ret = find_lookup(&lookup);
	if (ret == -ENOMEM)
		return ret;
	if (ret) {
		pr_err("kallsyms_lookup_name not found: CONFIG_KPROBES and CONFIG_KALLSYMS are needed\n");
		return -ENOENT;
	}
	static_call_update(irqx_kallsyms_lookup_name, (void *)lookup);

#define IRQX_RESOLVE_AT(prefix, name)					\
	addr = find_symbol(prefix, #name);				\
	if (addr)							\
		static_call_update(irqx_##name, addr);			\
	else								\
		len += scnprintf(missing + len, sizeof(missing) - len,	\
				 " %s", #name);
#define IRQX_RESOLVE(name)	IRQX_RESOLVE_AT(IRQX_KVM_PREFIX, name)
	IRQX_KVM_SYMBOLS(IRQX_RESOLVE)
#undef IRQX_RESOLVE
#define IRQX_RESOLVE(name)	IRQX_RESOLVE_AT("", name)
	IRQX_KVM_SYMBOLS_BTF(IRQX_RESOLVE)
#undef IRQX_RESOLVE
#undef IRQX_RESOLVE_AT
#define IRQX_RESOLVE(name)						\
	addr = find_symbol(IRQX_KVM_PREFIX, #name);			\
	if (addr)							\
		static_call_update(irqx_##name, addr);
	IRQX_KVM_SYMBOLS_OPTIONAL(IRQX_RESOLVE)
#undef IRQX_RESOLVE

	/* With what was just found. */
#define IRQX_RESOLVE_MEMBER(type, member, as)				\
	ret = len ? 0 :							\
	      find_private_member(#type, #member,			\
				  __same_type(as, void) ? 0 : sizeof(as), \
				  &irqx_offset_##type##_##member);	\
	if (ret == -ENOMEM)						\
		return ret;						\
	if (ret)							\
		len += scnprintf(missing + len, sizeof(missing) - len,	\
				 " %s.%s", #type, #member);
	IRQX_KVM_PRIVATE_MEMBERS(IRQX_RESOLVE_MEMBER)
#undef IRQX_RESOLVE_MEMBER

	if (len) {
		pr_err("this kernel's KVM lacks:%s\n", missing);
		return -ENOENT;
	}
	find_eventfd_id();
	return 0;
}

/* Context: any.  Return: as /proc/PID/fdinfo has it, or -1 if that cannot be known. */
int irqx_eventfd_id(const struct eventfd_ctx *eventfd)
{
	return eventfd_id_offset ? *(const int *)((const void *)eventfd + eventfd_id_offset) : -1;
}

struct tracepoint_search {
	irqx_tracepoint_fn fn;
	void *data;
	struct notifier_block nb;
};

static int search_module(struct notifier_block *nb, unsigned long action,
			 void *arg)
{
	struct tracepoint_search *search =
		container_of(nb, struct tracepoint_search, nb);
	struct module *mod = ((struct tp_module *)arg)->mod;
	unsigned int i;

	if (action != MODULE_STATE_COMING || strcmp(mod->name, "kvm"))
		return NOTIFY_OK;
	for (i = 0; i < mod->num_tracepoints; i++)
		search->fn(tracepoint_ptr_deref(&mod->tracepoints_ptrs[i]),
			   search->data);
	return NOTIFY_OK;
}

/**
 * irqx_kvm_walk_tracepoints - show all tracepoints of KVM
 * @fn: called for each
 * @data: its second argument
 *
 * Where KVM is a module, the tracepoint core tells of modules that are loaded
 * already when somebody asks to be told of new ones.
 *
 * Context: may sleep.
 */
void irqx_kvm_walk_tracepoints(irqx_tracepoint_fn fn, void *data)
{
	struct tracepoint_search search = {
		.fn = fn,
		.data = data,
		.nb.notifier_call = search_module,
	};

	if (!IS_MODULE(CONFIG_KVM)) {
		for_each_kernel_tracepoint(fn, data);
		return;
	}
	register_tracepoint_module_notifier(&search.nb);
	unregister_tracepoint_module_notifier(&search.nb);
}

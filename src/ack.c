// SPDX-License-Identifier: GPL-2.0
/*
 * EOIs from KVM, by way of its tracepoints: the only place that sees them
 * whatever KVM's own routing table maps.  The tracepoints say which pin, SINT or
 * vector; the vCPU whose thread this is says which VM.  For what they do not tell of,
 * PPIs among it, there is irqx_kvm_see_eois().
 *
 * The EOI of a SINT's vector is told by two of them, but where Intel's APICv completes it
 * by the first alone:
 *
 *	kvm_eoi			any vector
 *	kvm_hv_synic_send_eoi	a vector that SINTs have; next, for each of those,
 *	kvm_hv_notify_acked_sint	which is all that tells of EOM
 *
 * So the first is told, the second says of each SINT that it has been, and the third takes
 * that back and tells no more.  All three are the vCPU's thread.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hash.h>
#include <linux/mutex.h>
#include <linux/tracepoint.h>

#include "ack.h"
#include "arch/arch.h"
#include "kvm/kvm.h"
#include "uapi/linux/kvm_irqx.h"

#include <trace/events/kvm.h>

struct kvm_lapic;

struct ack_probe {
	const char *name;	/* or NULL: no tracepoint tells of it */
	void *probe;
	u32 kinds;		/* that need it, a bit each */
	u64 feature;		/* likewise */
	struct tracepoint *tp;	/* found at load; immutable */
	u32 users;		/* lines; ack_lock */
};

static DEFINE_MUTEX(ack_lock);

/* Who is told; immutable once loaded. */
static irqx_ack_fn ack_fn;

/*
 * VMs that want EOIs, counted by a hash of their address; ack_lock.  All that the
 * EOI of any other VM costs is a look at this (benchmarks.rst, stranger).
 */
#define ACK_BITS	8
static u32 wanted[BIT(ACK_BITS)];

static u32 *wanted_by(const struct kvm *kvm)
{
	return &wanted[hash_long((unsigned long)kvm, ACK_BITS)];
}

static bool is_unrelated(const struct kvm_vcpu *vcpu)
{
	/* Set before the line goes up, so before the vCPU has an EOI to tell of. */
	return !READ_ONCE(*wanted_by(vcpu->kvm));
}

/* Context of these: see irqx_lines_ack(). */
static noinline void ack(struct kvm_vcpu *vcpu, unsigned long key, enum irqx_ack_how how)
{
	rcu_read_lock();
	ack_fn(vcpu->kvm, key, how);
	rcu_read_unlock();
}

static void ack_sints(struct kvm_vcpu *vcpu, int vector, enum irqx_ack_how how)
{
	unsigned long sints = irqx_arch_sints_of(vcpu, vector);
	u32 vp = irqx_kvm_vp_index(vcpu), sint;

	for_each_set_bit(sint, &sints, BITS_PER_LONG)
		ack(vcpu, irqx_arch_sint_key(vp, sint), how);
}

static void probe_kvm_ack_irq(void *data, unsigned int irqchip, unsigned int pin)
{
	struct kvm_vcpu *vcpu = irqx_kvm_running_vcpu();

	if (vcpu && !is_unrelated(vcpu) && !irqx_kvm_eois_are_seen())
		ack(vcpu, irqx_arch_pin_key(irqchip, pin), IRQX_ACK_TELL);
}

static void eoi_seen(struct kvm_vcpu *vcpu, unsigned long key)
{
	if (!is_unrelated(vcpu))
		ack(vcpu, key, IRQX_ACK_TELL);
}

/* @vector: -1 if nothing was in service. */
static void probe_kvm_eoi(void *data, struct kvm_lapic *apic, int vector)
{
	struct kvm_vcpu *vcpu = irqx_kvm_running_vcpu();

	if (!vcpu || is_unrelated(vcpu) || vector < 0)
		return;
	ack(vcpu, irqx_arch_vector_key(vector), IRQX_ACK_TELL);
	ack_sints(vcpu, vector, IRQX_ACK_TELL);
}

static void probe_kvm_hv_synic_send_eoi(void *data, int vcpu_id, int vector)
{
	struct kvm_vcpu *vcpu = irqx_kvm_running_vcpu();

	if (vcpu && !is_unrelated(vcpu))
		ack_sints(vcpu, vector, IRQX_ACK_AGAIN);
}

static void probe_kvm_hv_notify_acked_sint(void *data, int vcpu_id, u32 sint)
{
	struct kvm_vcpu *vcpu = irqx_kvm_running_vcpu();

	if (vcpu && !is_unrelated(vcpu))
		ack(vcpu, irqx_arch_sint_key(irqx_kvm_vp_index(vcpu), sint),
		    IRQX_ACK_LAST);
}

/* scripts/check-prototypes compares each probe_NAME() with tracepoint NAME. */
#define PROBE(tracepoint)	.name = #tracepoint, .probe = probe_##tracepoint

/*
 * In the order in which they are registered, so that nothing is said to come once more
 * that then does not come; the other way round when they are not needed any more.
 */
static struct ack_probe probes[] = {
	{
		PROBE(kvm_ack_irq),
		.kinds = BIT(IRQX_ACK_PIN),
		.feature = KVM_IRQX_FEATURE_IRQCHIP,
	}, {
		PROBE(kvm_eoi),
		.kinds = BIT(IRQX_ACK_VECTOR) | BIT(IRQX_ACK_SINT),
		.feature = KVM_IRQX_FEATURE_LEVEL_MSI,
	}, {
		PROBE(kvm_hv_notify_acked_sint),
		.kinds = BIT(IRQX_ACK_SINT),
		.feature = KVM_IRQX_FEATURE_HV_SINT,
	}, {
		PROBE(kvm_hv_synic_send_eoi),
		.kinds = BIT(IRQX_ACK_SINT),
		.feature = KVM_IRQX_FEATURE_HV_SINT,
	}, {
		.kinds = BIT(IRQX_ACK_PPI),
	},
};

static bool probe_is_of(const struct ack_probe *probe, enum irqx_ack_kind kind)
{
	return probe->kinds & BIT(kind);
}

/* What tracepoints do not tell of. */
static int hook_start(const struct ack_probe *probe)
{
	if (probe_is_of(probe, IRQX_ACK_PIN))
		return irqx_kvm_see_eois(IRQX_EOIS_OF_PINS, eoi_seen);
	if (probe_is_of(probe, IRQX_ACK_PPI))
		return irqx_kvm_see_eois(IRQX_EOIS_OF_PPIS, eoi_seen);
	return 0;
}

static void hook_stop(const struct ack_probe *probe)
{
	if (probe_is_of(probe, IRQX_ACK_PIN))
		irqx_kvm_unsee_eois(IRQX_EOIS_OF_PINS);
	if (probe_is_of(probe, IRQX_ACK_PPI))
		irqx_kvm_unsee_eois(IRQX_EOIS_OF_PPIS);
}

static int probe_start(const struct ack_probe *probe)
{
	int ret;

	ret = hook_start(probe);
	if (ret || !probe->tp)
		return ret;
	ret = tracepoint_probe_register(probe->tp, probe->probe, NULL);
	if (ret)
		hook_stop(probe);
	return ret;
}

static void probe_stop(const struct ack_probe *probe)
{
	if (probe->tp)
		tracepoint_probe_unregister(probe->tp, probe->probe, NULL);
	hook_stop(probe);
}

/* The first @nr that lines of @kind need. */
static void probes_put(enum irqx_ack_kind kind, u32 nr)
{
	lockdep_assert_held(&ack_lock);

	while (nr--)
		if (probe_is_of(&probes[nr], kind) && !--probes[nr].users)
			probe_stop(&probes[nr]);
}

static int probes_get(enum irqx_ack_kind kind)
{
	int ret = 0;
	u32 i;

	lockdep_assert_held(&ack_lock);

	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		if (!probe_is_of(&probes[i], kind))
			continue;
		if (!probes[i].users)
			ret = probe_start(&probes[i]);
		if (ret)
			break;
		probes[i].users++;
	}
	if (ret)
		probes_put(kind, i);
	return ret;
}

/**
 * irqx_ack_arm - one more line wants its EOIs
 * @kvm: whose line
 * @acks: how many of that VM do; ack_lock
 * @kind: of the line
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM, or as irqx_kvm_see_eois().
 */
int irqx_ack_arm(struct kvm *kvm, u32 *acks, enum irqx_ack_kind kind)
{
	u32 *wants = wanted_by(kvm);
	int ret;

	mutex_lock(&ack_lock);
	ret = probes_get(kind);
	if (!ret && !(*acks)++)
		WRITE_ONCE(*wants, *wants + 1);
	mutex_unlock(&ack_lock);
	return ret;
}

/*
 * One line less.  Context: may sleep; where KVM's EOIs are seen by ftrace the last one
 * waits for hooks that run, which nobody can prolong.  A probe may run on for a moment.
 */
void irqx_ack_disarm(struct kvm *kvm, u32 *acks, enum irqx_ack_kind kind)
{
	u32 *wants = wanted_by(kvm);

	mutex_lock(&ack_lock);
	if (!--*acks)
		WRITE_ONCE(*wants, *wants - 1);
	probes_put(kind, ARRAY_SIZE(probes));
	mutex_unlock(&ack_lock);
}

static void found_tracepoint(struct tracepoint *tp, void *unused)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (probes[i].name && !strcmp(tp->name, probes[i].name))
			probes[i].tp = tp;
}

/* The compiler's word that the probe fits the tracepoint. */
static void __maybe_unused check_probes(void)
{
	check_trace_callback_type_kvm_ack_irq(probe_kvm_ack_irq);
}

/* Context: may sleep.  Return: 0, or -ENOENT with a line in the log. */
int irqx_ack_init(irqx_ack_fn fn)
{
	u32 i;

	ack_fn = fn;
	irqx_kvm_walk_tracepoints(found_tracepoint, NULL);
	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		if (probes[i].tp || !(probes[i].feature & irqx_arch_features()))
			continue;
		pr_err("this kernel's KVM lacks tracepoint %s\n",
		       probes[i].name);
		return -ENOENT;
	}
	return 0;
}

/* No probe may run on when the module's code is gone. */
void irqx_ack_exit(void)
{
	tracepoint_synchronize_unregister();
}

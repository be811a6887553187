// SPDX-License-Identifier: GPL-2.0
/*
 * EOIs from KVM, by way of its tracepoints: the only place that sees them
 * whatever KVM's own routing table maps.  The tracepoints say which pin or
 * SINT; the vCPU whose thread this is says which VM.
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

struct ack_probe {
	const char *name;
	void *probe;
	u64 feature;		/* that needs it */
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
static noinline void ack(struct kvm_vcpu *vcpu, unsigned long key)
{
	rcu_read_lock();
	ack_fn(vcpu->kvm, key);
	rcu_read_unlock();
}

static void probe_kvm_ack_irq(void *data, unsigned int irqchip, unsigned int pin)
{
	struct kvm_vcpu *vcpu = irqx_kvm_running_vcpu();

	if (vcpu && !is_unrelated(vcpu) && !irqx_kvm_eois_are_seen())
		ack(vcpu, irqx_arch_pin_key(irqchip, pin));
}

static void eoi_of_pin(struct kvm_vcpu *vcpu, u32 irqchip, u32 pin)
{
	if (!is_unrelated(vcpu))
		ack(vcpu, irqx_arch_pin_key(irqchip, pin));
}

static void probe_kvm_hv_notify_acked_sint(void *data, int vcpu_id, u32 sint)
{
	struct kvm_vcpu *vcpu = irqx_kvm_running_vcpu();

	if (vcpu && !is_unrelated(vcpu))
		ack(vcpu, irqx_arch_sint_key(irqx_kvm_vp_index(vcpu), sint));
}

/* scripts/check-prototypes compares each probe_NAME() with tracepoint NAME. */
#define PROBE(tracepoint)	.name = #tracepoint, .probe = probe_##tracepoint

static struct ack_probe probes[IRQX_NR_ACKS] = {
	[IRQX_ACK_SINT] = {
		PROBE(kvm_hv_notify_acked_sint),
		.feature = KVM_IRQX_FEATURE_HV_SINT,
	},
	[IRQX_ACK_PIN] = {
		PROBE(kvm_ack_irq),
		.feature = KVM_IRQX_FEATURE_IRQCHIP,
	},
};

static int probe_start(enum irqx_ack_kind kind)
{
	struct ack_probe *probe = &probes[kind];
	bool pin = kind == IRQX_ACK_PIN;
	int ret = 0;

	if (pin)
		ret = irqx_kvm_see_eois(eoi_of_pin);
	if (ret)
		return ret;
	ret = tracepoint_probe_register(probe->tp, probe->probe, NULL);
	if (ret && pin)
		irqx_kvm_unsee_eois();
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
	int ret = 0;

	mutex_lock(&ack_lock);
	if (!probes[kind].users)
		ret = probe_start(kind);
	if (!ret) {
		probes[kind].users++;
		if (!(*acks)++)
			WRITE_ONCE(*wants, *wants + 1);
	}
	mutex_unlock(&ack_lock);
	return ret;
}

/*
 * One line less.  Context: may sleep; where KVM's EOIs are seen by ftrace the last one
 * waits for hooks that run, which nobody can prolong.  A probe may run on for a moment.
 */
void irqx_ack_disarm(struct kvm *kvm, u32 *acks, enum irqx_ack_kind kind)
{
	struct ack_probe *probe = &probes[kind];
	u32 *wants = wanted_by(kvm);

	mutex_lock(&ack_lock);
	if (!--*acks)
		WRITE_ONCE(*wants, *wants - 1);
	if (!--probe->users) {
		tracepoint_probe_unregister(probe->tp, probe->probe, NULL);
		if (kind == IRQX_ACK_PIN)
			irqx_kvm_unsee_eois();
	}
	mutex_unlock(&ack_lock);
}

static void found_tracepoint(struct tracepoint *tp, void *unused)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (!strcmp(tp->name, probes[i].name))
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

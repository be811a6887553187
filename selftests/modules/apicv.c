// SPDX-License-Identifier: GPL-2.0
/*
 * Completes EOIs as Intel's APICv has KVM do it, on a machine that has none: where a guest
 * writes a vector to PORT, kvm_apic_set_eoi_accelerated() is called for it, on the vCPU's
 * thread.  Hardware would have cleared the vector's bit in the ISR; here the VMM does,
 * when the write has come to it.
 */
#include <linux/module.h>
#include <linux/tracepoint.h>

#include "find.h"

#define PORT		0x13
#define KVM_PIO_OUT	1	/* trace.h of KVM */

struct kvm_vcpu;

static struct kvm_vcpu *(*get_running_vcpu)(void);
static void (*set_eoi)(struct kvm_vcpu *vcpu, int vector);
static struct tracepoint *kvm_pio;
static bool is_probed;

static void probe_kvm_pio(void *data, unsigned int rw, unsigned int port,
			  unsigned int size, unsigned int count, const void *value)
{
	if (rw == KVM_PIO_OUT && port == PORT)
		set_eoi(get_running_vcpu(), *(const u8 *)value);
}

/* Of KVM as it comes and goes: a test that fails leaves this module behind. */
static int kvm_event(struct notifier_block *nb, unsigned long action, void *arg)
{
	struct module *mod = ((struct tp_module *)arg)->mod;
	struct tracepoint *tp;
	unsigned int i;

	for (i = 0; i < mod->num_tracepoints; i++) {
		tp = tracepoint_ptr_deref(&mod->tracepoints_ptrs[i]);
		if (strcmp(tp->name, "kvm_pio"))
			continue;
		if (action == MODULE_STATE_COMING) {
			kvm_pio = tp;
		} else if (action == MODULE_STATE_GOING && is_probed) {
			tracepoint_probe_unregister(tp, probe_kvm_pio, NULL);
			is_probed = false;
		}
	}
	return NOTIFY_OK;
}

static struct notifier_block kvm_nb = { .notifier_call = kvm_event };

static int __init apicv_init(void)
{
	int ret = -ENOENT;

	get_running_vcpu = find("kvm_get_running_vcpu");
	set_eoi = find("kvm_apic_set_eoi_accelerated");
	/* Tells of what is there, too. */
	register_tracepoint_module_notifier(&kvm_nb);
	if (get_running_vcpu && set_eoi && kvm_pio)
		ret = tracepoint_probe_register(kvm_pio, probe_kvm_pio, NULL);
	is_probed = !ret;
	if (ret)
		unregister_tracepoint_module_notifier(&kvm_nb);
	return ret;
}

static void __exit apicv_exit(void)
{
	/* All that is there goes, for it. */
	unregister_tracepoint_module_notifier(&kvm_nb);
	tracepoint_synchronize_unregister();
}

module_init(apicv_init);
module_exit(apicv_exit);

MODULE_DESCRIPTION("Completes EOIs as APICv does");
MODULE_LICENSE("GPL");

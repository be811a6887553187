// SPDX-License-Identifier: GPL-2.0
/*
 * EOIs of the SPIs of a VGICv3, by ftrace.  After each exit KVM looks at what the
 * guest has left of the interrupts that it was given, in vgic_v3_fold_lr(), and
 * tells of an EOI if it has seen the interrupt active at an earlier exit.  One that
 * was pending, then active, then ended in between stays asserted for ever, and
 * comes again and again.  The list register alone tells of the EOI.
 *
 * That is so from 6.19 on, but a stable kernel may take the change back, and an older one
 * get it, so what counts is what KVM has:
 *
 *	vgic_v3_fold_lr()	the hook is put in.  Where the function never runs,
 *				as with VGICv2, KVM tells of every EOI.
 *	neither			KVM tells of every EOI
 *	vgic_v3_deactivate()	the change is there, but there is nothing to hook:
 *	alone			inlined, or under another name.  EOIs would be missed,
 *				so there are no resamplefds.
 */
#include <linux/ftrace.h>
#include <linux/irqchip/arm-gic-v3.h>
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <kvm/arm_vgic.h>

#include "kvm.h"
#include "symbols.h"

#ifdef IRQX_FTRACE_FLAGS
static irqx_eoi_fn eoi_fn;	/* while the hook is in; irqx_kvm_see_eois() */
static bool folds;		/* the hook has run; once true, for good */

/*
 * Before vgic_v3_fold_lr(vcpu, lr).  Context: the vCPU's thread, or one that
 * deactivates for it; interrupts are off, no lock of the VGIC is held.
 */
static void notrace fold_hook(unsigned long ip, unsigned long parent_ip,
			      struct ftrace_ops *ops, struct ftrace_regs *regs)
{
	struct kvm_vcpu *vcpu = (void *)irqx_ftrace_argument(regs, 0);
	u64 lr = irqx_ftrace_argument(regs, 1);
	u32 intid;

	/* The other CPUs see it before their first EOI: they come by here too. */
	if (!READ_ONCE(folds))
		WRITE_ONCE(folds, true);

	/* Ended, by software's doing, and level-triggered: KVM asked to be told. */
	if (lr & (ICH_LR_STATE | ICH_LR_HW) || !(lr & ICH_LR_EOI))
		return;
	if (vcpu->kvm->arch.vgic.vgic_model == KVM_DEV_TYPE_ARM_VGIC_V3)
		intid = lr & ICH_LR_VIRTUAL_ID_MASK;
	else
		intid = lr & GICH_LR_VIRTUALID;
	if (vgic_valid_spi(vcpu->kvm, intid))
		eoi_fn(vcpu, 0, intid - VGIC_NR_PRIVATE_IRQS);
}

/* Sysctl kernel.ftrace_enabled cannot be turned off meanwhile. */
static struct ftrace_ops fold_ops = {
	.func = fold_hook,
	.flags = FTRACE_OPS_FL_PERMANENT | IRQX_FTRACE_FLAGS,
};

/**
 * irqx_kvm_see_eois - be told of every EOI of an SPI
 * @fn: called in the context of fold_hook()
 *
 * Context: may sleep; calls of this and of irqx_kvm_unsee_eois() alternate.
 * Return: 0, also if KVM tells of all by itself, -EBUSY if sysctl
 * kernel.ftrace_enabled is 0, or another errno of ftrace.
 */
int irqx_kvm_see_eois(irqx_eoi_fn fn)
{
	unsigned long ip = (unsigned long)irqx_kvm_has(vgic_v3_fold_lr);
	int ret;

	if (!ip)
		return 0;
	eoi_fn = fn;
	ret = ftrace_set_filter_ip(&fold_ops, ip, 0, 1);
	if (!ret)
		ret = register_ftrace_function(&fold_ops);
	if (ret)
		ftrace_free_filter(&fold_ops);
	return ret;
}

/* Context: may sleep.  Waits for hooks that run. */
void irqx_kvm_unsee_eois(void)
{
	if (!irqx_kvm_has(vgic_v3_fold_lr))
		return;
	/* ftrace gives up for good if it finds itself broken; the hook may stay. */
	if (WARN_ON_ONCE(unregister_ftrace_function(&fold_ops))) {
		__module_get(THIS_MODULE);
		return;
	}
	ftrace_free_filter(&fold_ops);
}

/* Context: any. */
bool irqx_kvm_eois_are_seen(void)
{
	return READ_ONCE(folds);
}

static bool can_hook(void)
{
	return irqx_kvm_has(vgic_v3_fold_lr);
}
#else
/* A kernel without ftrace: irqx_kvm_tells_eois() says what that means. */
int irqx_kvm_see_eois(irqx_eoi_fn fn)
{
	return 0;
}

void irqx_kvm_unsee_eois(void)
{
}

bool irqx_kvm_eois_are_seen(void)
{
	return false;
}

static bool can_hook(void)
{
	return false;
}
#endif

/* Context: any.  Return: whether each EOI of an SPI is told, by KVM or by the hook. */
bool irqx_kvm_tells_eois(void)
{
	return can_hook() || !irqx_kvm_has(vgic_v3_deactivate);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * EOIs of a VGIC that KVM tells nobody of, by ftrace.  After each exit KVM looks at what
 * the guest has left of the interrupts that it was given, one list register after the
 * other.  What it says of an EOI there:
 *
 *	SPI, VGICv3	from 6.19 on nothing, unless it has seen the interrupt active at
 *			an earlier exit.  One that was pending, then active, then ended
 *			in between stays asserted for ever, and comes again and again
 *	SPI, VGICv2;	always, by tracepoint kvm_ack_irq
 *	before 6.19
 *	PPI		never
 *
 * The list register alone tells of the EOI: KVM has set its EOI bit for every
 * level-triggered interrupt that is not a device's of the host.
 *
 * A stable kernel may take the change of 6.19 back, and an older one get it, so what
 * counts is what KVM has:
 *
 *	vgic_v3_fold_lr()	the hook for SPIs is put in.  Where the function never runs,
 *				as with VGICv2, KVM tells of every EOI.
 *	neither			KVM tells of every EOI
 *	vgic_v3_deactivate()	the change is there, but there is nothing to hook:
 *	alone			inlined, or under another name.  EOIs would be missed,
 *				so there are no resamplefds.
 *
 * For PPIs a VGIC with the change needs vgic_v3_fold_lr() and vgic_v2_fold_lr(), which see
 * what never was in a list register, too.  Else all are in the list registers that
 * vgic_v3_fold_lr_state() and vgic_v2_fold_lr_state() are about to read.
 */
#include <linux/ftrace.h>
#include <linux/irqchip/arm-gic-v3.h>
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <kvm/arm_vgic.h>

#include "arch/arch.h"
#include "kvm.h"
#include "symbols.h"

/* Whether this VGIC ends interrupts outside list registers: 6.19's. */
static bool ends_elsewhere(void)
{
	return irqx_kvm_has(vgic_v3_fold_lr) || irqx_kvm_has(vgic_v3_deactivate);
}

#ifdef IRQX_FTRACE_FLAGS
/* GICv2's list register: <linux/irqchip/arm-gic.h> cannot be had beside arm-gic-v3.h. */
#define V2_LR_EOI	BIT(19)
#define V2_LR_STATE	GENMASK(29, 28)
#define V2_LR_HW	BIT(31)

enum fold_id {
	FOLD_V3_LR,
	FOLD_V2_LR,
	FOLD_V3_STATE,
	FOLD_V2_STATE,
};

static irqx_eoi_fn eoi_fn;	/* while a hook is in; irqx_kvm_see_eois() */
static bool folds;		/* fold_v3_lr() has run; once true, for good */

/*
 * Ended, by software's doing, and level-triggered: KVM asked to be told.  Return: the INTID;
 * 0, which is an SGI's, if it has not ended.
 */
static __always_inline u32 v3_ended(const struct kvm_vcpu *vcpu, u64 lr)
{
	if (lr & (ICH_LR_STATE | ICH_LR_HW) || !(lr & ICH_LR_EOI))
		return 0;
	if (vcpu->kvm->arch.vgic.vgic_model == KVM_DEV_TYPE_ARM_VGIC_V3)
		return lr & ICH_LR_VIRTUAL_ID_MASK;
	return lr & GICH_LR_VIRTUALID;
}

static __always_inline u32 v2_ended(u32 lr)
{
	if (lr & (V2_LR_STATE | V2_LR_HW) || !(lr & V2_LR_EOI))
		return 0;
	return lr & GICH_LR_VIRTUALID;
}

static __always_inline void tell_of_ppi(struct kvm_vcpu *vcpu, u32 intid)
{
	if (intid >= VGIC_NR_SGIS && intid < VGIC_NR_PRIVATE_IRQS)
		eoi_fn(vcpu, irqx_arch_ppi_key(vcpu->vcpu_idx, intid));
}

/*
 * Context of all of them: the vCPU's thread, or one that deactivates for it; interrupts are
 * off, no lock of the VGIC is held.  KVM looks at the line of what has ended afterwards.
 */

/* Before vgic_v3_fold_lr(vcpu, lr). */
static void notrace fold_v3_lr(unsigned long ip, unsigned long parent_ip,
			       struct ftrace_ops *ops, struct ftrace_regs *regs)
{
	struct kvm_vcpu *vcpu = (void *)irqx_ftrace_argument(regs, 0);
	u32 intid;

	/* The other CPUs see it before their first EOI: they come by here too. */
	if (!READ_ONCE(folds))
		WRITE_ONCE(folds, true);

	intid = v3_ended(vcpu, irqx_ftrace_argument(regs, 1));
	if (vgic_valid_spi(vcpu->kvm, intid))
		eoi_fn(vcpu, irqx_arch_pin_key(0, intid - VGIC_NR_PRIVATE_IRQS));
	else
		tell_of_ppi(vcpu, intid);
}

/* Before vgic_v2_fold_lr(vcpu, lr), which tells of SPIs. */
static void notrace fold_v2_lr(unsigned long ip, unsigned long parent_ip,
			       struct ftrace_ops *ops, struct ftrace_regs *regs)
{
	struct kvm_vcpu *vcpu = (void *)irqx_ftrace_argument(regs, 0);

	tell_of_ppi(vcpu, v2_ended(irqx_ftrace_argument(regs, 1)));
}

/* Before vgic_v3_fold_lr_state(vcpu), which tells of SPIs. */
static void notrace fold_v3_state(unsigned long ip, unsigned long parent_ip,
				  struct ftrace_ops *ops, struct ftrace_regs *regs)
{
	struct kvm_vcpu *vcpu = (void *)irqx_ftrace_argument(regs, 0);
	const struct vgic_v3_cpu_if *cpuif = &vcpu->arch.vgic_cpu.vgic_v3;
	u32 i;

	for (i = 0; i < cpuif->used_lrs; i++)
		tell_of_ppi(vcpu, v3_ended(vcpu, cpuif->vgic_lr[i]));
}

/* The same of vgic_v2_fold_lr_state(vcpu). */
static void notrace fold_v2_state(unsigned long ip, unsigned long parent_ip,
				  struct ftrace_ops *ops, struct ftrace_regs *regs)
{
	struct kvm_vcpu *vcpu = (void *)irqx_ftrace_argument(regs, 0);
	const struct vgic_v2_cpu_if *cpuif = &vcpu->arch.vgic_cpu.vgic_v2;
	u32 i;

	for (i = 0; i < cpuif->used_lrs; i++)
		tell_of_ppi(vcpu, v2_ended(cpuif->vgic_lr[i]));
}

/* Sysctl kernel.ftrace_enabled cannot be turned off meanwhile. */
#define FOLD_OPS(hook) \
	{ .func = hook, .flags = FTRACE_OPS_FL_PERMANENT | IRQX_FTRACE_FLAGS }

static struct irqx_fold {
	struct ftrace_ops ops;
	u32 users;		/* as irqx_kvm_see_eois() is called */
} fold_hooks[] = {
	[FOLD_V3_LR] = { .ops = FOLD_OPS(fold_v3_lr) },
	[FOLD_V2_LR] = { .ops = FOLD_OPS(fold_v2_lr) },
	[FOLD_V3_STATE] = { .ops = FOLD_OPS(fold_v3_state) },
	[FOLD_V2_STATE] = { .ops = FOLD_OPS(fold_v2_state) },
};

/* Return: where KVM's function is that the hook is put into, or 0. */
static unsigned long fold_ip(enum fold_id id)
{
	switch (id) {
	case FOLD_V3_LR:
		return (unsigned long)irqx_kvm_has(vgic_v3_fold_lr);
	case FOLD_V2_LR:
		return (unsigned long)irqx_kvm_has(vgic_v2_fold_lr);
	case FOLD_V3_STATE:
		return (unsigned long)irqx_kvm_has(vgic_v3_fold_lr_state);
	case FOLD_V2_STATE:
		return (unsigned long)irqx_kvm_has(vgic_v2_fold_lr_state);
	}
	return 0;
}

/*
 * ftrace_free_filter() leaves pointers to what it frees (6.1, 6.12; not 7.3), which the next
 * filter of these operations would free again.
 */
static void fold_forget_filter(struct ftrace_ops *ops)
{
	ftrace_free_filter(ops);
	RCU_INIT_POINTER(ops->func_hash->filter_hash, NULL);
	RCU_INIT_POINTER(ops->func_hash->notrace_hash, NULL);
}

static int fold_get(enum fold_id id)
{
	struct irqx_fold *fold = &fold_hooks[id];
	int ret;

	if (!fold->users) {
		ret = ftrace_set_filter_ip(&fold->ops, fold_ip(id), 0, 1);
		if (!ret)
			ret = register_ftrace_function(&fold->ops);
		if (ret) {
			fold_forget_filter(&fold->ops);
			return ret;
		}
	}
	fold->users++;
	return 0;
}

static void fold_put(enum fold_id id)
{
	struct irqx_fold *fold = &fold_hooks[id];

	if (--fold->users)
		return;
	/* ftrace gives up for good if it finds itself broken; the hook may stay. */
	if (WARN_ON_ONCE(unregister_ftrace_function(&fold->ops))) {
		__module_get(THIS_MODULE);
		return;
	}
	fold_forget_filter(&fold->ops);
}

/* Which of the two a VM's EOIs pass is the host's VGIC's to say: both are hooked. */
static enum fold_id ppi_fold_v3(void)
{
	return ends_elsewhere() ? FOLD_V3_LR : FOLD_V3_STATE;
}

static enum fold_id ppi_fold_v2(void)
{
	return ends_elsewhere() ? FOLD_V2_LR : FOLD_V2_STATE;
}

/**
 * irqx_kvm_see_eois - be told of every EOI
 * @of: of what; for PPIs irqx_kvm_tells_ppi_eois()
 * @fn: the same in all calls; called in the context of the hooks, and of others' EOIs too
 *
 * Context: may sleep; calls of this and of irqx_kvm_unsee_eois() are one at a time, and
 * those for the same @of alternate.
 * Return: 0, also if KVM tells of all by itself, -EBUSY if sysctl
 * kernel.ftrace_enabled is 0, or another errno of ftrace.
 */
int irqx_kvm_see_eois(enum irqx_eois of, irqx_eoi_fn fn)
{
	int ret;

	eoi_fn = fn;
	if (of == IRQX_EOIS_OF_PINS)
		return fold_ip(FOLD_V3_LR) ? fold_get(FOLD_V3_LR) : 0;
	ret = fold_get(ppi_fold_v3());
	if (ret)
		return ret;
	ret = fold_get(ppi_fold_v2());
	if (ret)
		fold_put(ppi_fold_v3());
	return ret;
}

/* Context: may sleep.  Waits for hooks that run. */
void irqx_kvm_unsee_eois(enum irqx_eois of)
{
	if (of == IRQX_EOIS_OF_PPIS) {
		fold_put(ppi_fold_v2());
		fold_put(ppi_fold_v3());
	} else if (fold_ip(FOLD_V3_LR)) {
		fold_put(FOLD_V3_LR);
	}
}

/* Context: any. */
bool irqx_kvm_eois_are_seen(void)
{
	return READ_ONCE(folds);
}

static bool can_hook(void)
{
	return fold_ip(FOLD_V3_LR);
}

/* Context: any.  Return: whether each EOI of a level-triggered PPI can be seen. */
bool irqx_kvm_tells_ppi_eois(void)
{
	return fold_ip(ppi_fold_v3()) && fold_ip(ppi_fold_v2());
}
#else
/* A kernel without ftrace: irqx_kvm_tells_eois() says what that means. */
int irqx_kvm_see_eois(enum irqx_eois of, irqx_eoi_fn fn)
{
	return 0;
}

void irqx_kvm_unsee_eois(enum irqx_eois of)
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

bool irqx_kvm_tells_ppi_eois(void)
{
	return false;
}
#endif

/* Context: any.  Return: whether each EOI of an SPI is told, by KVM or by the hook. */
bool irqx_kvm_tells_eois(void)
{
	return can_hook() || !ends_elsewhere();
}

// SPDX-License-Identifier: GPL-2.0
/*
 * A Hyper-V event flag, set in the guest's event-flag page before its SINT is
 * raised.
 *
 * The page is reached through the VM's memslots and the VMM's own mapping, anew
 * for each event: nothing is pinned, so nothing can go stale.  If the signaller
 * runs in the VM's mm (the VMM's threads, vhost) and the page is present, the
 * flag is set at once; else the VM's pager borrows the mm and faults it in.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/futex.h>
#include <asm/futex.h>

#include "context.h"
#include "kvm/kvm.h"
#include "synic.h"
#include "vm.h"

/* A page of 16 SINTs with 2048 flags each (TLFS 11.9, HV_SYNIC_EVENT_FLAGS). */
#define SINT_BYTES	(KVM_IRQX_EVENT_FLAGS / 8)
#define WORD_BITS	32

/* A virtual processor's event-flag page; lives as long as the context. */
struct irqx_vp {
	struct kvm *kvm;		/* immutable */
	spinlock_t lock;		/* interrupts off */
	gpa_t page;			/* @lock; IRQX_NO_PAGE: disabled */
};

/**
 * irqx_vp_get - the event-flag page of a virtual processor
 * @ctx: the context, locked
 * @index: its VP index, below KVM_MAX_VCPUS
 *
 * Context: may sleep.
 * Return: the VP, its page disabled if it was not known before, or an error.
 */
struct irqx_vp *irqx_vp_get(struct irqx_context *ctx, u32 index)
{
	struct irqx_vp *vp;
	int ret;

	lockdep_assert_held(&ctx->lock);

	vp = xa_load(&ctx->vps, index);
	if (vp)
		return vp;

	vp = kzalloc(sizeof(*vp), GFP_KERNEL_ACCOUNT);
	if (!vp)
		return ERR_PTR(-ENOMEM);
	vp->kvm = ctx->vm->kvm;
	vp->page = IRQX_NO_PAGE;
	spin_lock_init(&vp->lock);

	ret = xa_insert(&ctx->vps, index, vp, GFP_KERNEL_ACCOUNT);
	if (ret) {
		kfree(vp);
		return ERR_PTR(ret);
	}
	return vp;
}

/**
 * irqx_vp_set_page - where the guest has its event-flag page now
 * @ctx: the context, locked
 * @index: VP index
 * @page: guest-physical address, or IRQX_NO_PAGE
 *
 * When it returns, nothing is written to the old page any more.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int irqx_vp_set_page(struct irqx_context *ctx, u32 index, gpa_t page)
{
	struct irqx_vp *vp = irqx_vp_get(ctx, index);

	if (IS_ERR(vp))
		return PTR_ERR(vp);

	spin_lock_irq(&vp->lock);
	vp->page = page;
	spin_unlock_irq(&vp->lock);
	return 0;
}

/* The irqfds that point at them are gone. */
void irqx_vp_teardown(struct irqx_context *ctx)
{
	struct irqx_vp *vp;
	unsigned long index;

	xa_for_each(&ctx->vps, index, vp)
		kfree(vp);
	xa_destroy(&ctx->vps);
}

/*
 * KVM's own way of marking a page dirty insists on a running vCPU.  Its dirty
 * ring needs one; such VMs are refused when the flag is bound.
 */
static void mark_dirty(struct kvm_memory_slot *slot, gfn_t gfn)
{
	if (slot->dirty_bitmap)
		set_bit_le(gfn - slot->base_gfn, slot->dirty_bitmap);
}

/*
 * Under vp->lock and kvm->srcu.  Return: 1 if the flag was clear, 0 if it was
 * set already, -EWOULDBLOCK if the page is not at hand: @word is then where it
 * should be, or NULL while a memslot is being moved.
 */
static int set_flag_in_slot(struct irqx_vp *vp, u32 sint, u32 flag,
			    u32 __user **word)
{
	gfn_t gfn = gpa_to_gfn(vp->page);
	u32 bit = 1U << flag % WORD_BITS;
	struct kvm_memory_slot *slot;
	u32 __user *at;
	int old, ret;

	lockdep_assert_held(&vp->lock);

	if (vp->kvm->dirty_ring_size)
		return -EOPNOTSUPP;
	slot = irqx_kvm_memslot(vp->kvm, gfn);
	if (!slot || slot->flags & KVM_MEM_READONLY)
		return -EFAULT;
	if (word)
		*word = NULL;
	if (slot->flags & KVM_MEMSLOT_INVALID)
		return -EWOULDBLOCK;
	/* What the guest sees there is not what the VMM has mapped. */
	if (irqx_kvm_gfn_is_private(vp->kvm, gfn))
		return -EFAULT;
	at = (u32 __user *)(__gfn_to_hva_memslot(slot, gfn) +
			    sint * SINT_BYTES) + flag / WORD_BITS;
	if (word)
		*word = at;

	if (!in_task() || current->mm != vp->kvm->mm)
		return -EWOULDBLOCK;

	pagefault_disable();
	ret = arch_futex_atomic_op_inuser(FUTEX_OP_OR, bit, &old, at);
	pagefault_enable();
	if (ret)
		return -EWOULDBLOCK;

	mark_dirty(slot, gfn);
	return !(old & bit);
}

/**
 * irqx_vp_set_flag - set an event flag, if that can be done here and now
 * @vp: the virtual processor
 * @sint: whose flags
 * @flag: which
 * @word: out: for irqx_vp_fault_in(); or NULL
 *
 * Context: any.
 * Return: 1 if it was clear, 0 if it was set, -EWOULDBLOCK if the page has to be
 * faulted in or the mm borrowed first, -ENXIO without a page, -EFAULT without
 * writable memory, -EOPNOTSUPP with a dirty ring.
 */
int irqx_vp_set_flag(struct irqx_vp *vp, u32 sint, u32 flag,
		     u32 __user **word)
{
	unsigned long irqs;
	int ret = -ENXIO;
	int idx;

	idx = srcu_read_lock(&vp->kvm->srcu);
	spin_lock_irqsave(&vp->lock, irqs);
	if (vp->page != IRQX_NO_PAGE)
		ret = set_flag_in_slot(vp, sint, flag, word);
	spin_unlock_irqrestore(&vp->lock, irqs);
	srcu_read_unlock(&vp->kvm->srcu, idx);
	return ret;
}

/**
 * irqx_vp_fault_in - make irqx_vp_set_flag() succeed
 * @kvm: the VM
 * @word: what it said
 *
 * Waits for whoever serves the page (a userfaultfd, a FUSE server), without the mmap lock
 * where the kernel lets it be dropped.
 *
 * Context: a thread of the VM's own, in its mm, with no lock held.  May sleep, until it is
 * killed.
 * Return: 0, -ESRCH without the mm, -EFAULT if there is no such memory, else a negative
 * errno and it is to be tried again.
 */
int irqx_vp_fault_in(struct kvm *kvm, u32 __user *word)
{
	struct mm_struct *mm = kvm->mm;
	bool unlocked = false;
	int ret;

	might_sleep();

	if (current->mm != mm)
		return -ESRCH;
	ret = mmap_read_lock_killable(mm);
	if (ret)
		return ret;
	ret = fixup_user_fault(mm, (unsigned long)word, FAULT_FLAG_WRITE,
			       &unlocked);
	mmap_read_unlock(mm);
	return ret;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * See irqx_synic.h.
 */
#include "../arch.h"
#include "irqx_synic.h"

/* The guest's address of an array of them; each VM has its own copy. */
static struct irqx_synic_cpu *synic_cpus;

static struct irqx_cpu *this_cpu(void)
{
	struct irqx_cpu *cpu;

	asm volatile("mov %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

/* As the TLFS wants it: free the slot, then look whether another one waits. */
static void guest_take_message(struct irqx_synic_cpu *synic,
			       struct irqx_message *slot, uint32_t sint)
{
	if (!READ_ONCE(slot->type))
		return;
	synic->sum[sint] += slot->payload[0];
	WRITE_ONCE(synic->nr_messages[sint], synic->nr_messages[sint] + 1);
	WRITE_ONCE(slot->type, 0);
	__sync_synchronize();
	if (READ_ONCE(slot->flags) & IRQX_MESSAGE_PENDING) {
		WRITE_ONCE(synic->eoms, synic->eoms + 1);
		wrmsr(HV_X64_MSR_EOM, 0);
	}
}

static void guest_take_events(struct irqx_synic_cpu *synic,
			      struct irqx_event_page *page, uint32_t sint)
{
	uint32_t i, bits, nr = 0;

	for (i = 0; i < ARRAY_SIZE(page->words[0]); i++) {
		if (!READ_ONCE(page->words[sint][i]))
			continue;
		bits = __atomic_exchange_n(&page->words[sint][i], 0,
					   __ATOMIC_SEQ_CST);
		synic->seen.words[sint][i] |= bits;
		for (; bits; bits &= bits - 1)
			nr++;
	}
	WRITE_ONCE(synic->nr_events[sint], synic->nr_events[sint] + nr);
}

static void guest_sint(struct ex_regs *regs)
{
	struct irqx_cpu *cpu = this_cpu();
	struct irqx_synic_cpu *synic = &synic_cpus[cpu->index];
	uint32_t sint = (regs->vector - IRQX_SINT_VECTOR) % IRQX_NR_SINTS;
	bool hold = READ_ONCE(synic->hold) & 1 << sint;

	if (!hold && synic->messages)
		guest_take_message(synic,
				   (struct irqx_message *)synic->messages + sint,
				   sint);
	if (!hold && synic->events)
		guest_take_events(synic,
				  (struct irqx_event_page *)synic->events, sint);
	if (!hold && !(synic->auto_eoi & 1 << sint))
		wrmsr(APIC_BASE_MSR + (APIC_EOI >> 4), 0);
	WRITE_ONCE(cpu->count[regs->vector], cpu->count[regs->vector] + 1);
	WRITE_ONCE(cpu->total, cpu->total + 1);
}

/*
 * vCPU threads
 */

struct runner {
	struct irqx_synic *s;
	uint32_t vcpu;
};

static void hyperv_exit(struct irqx_synic *s, uint32_t vcpu)
{
	struct kvm_hyperv_exit *exit = &s->g->vcpus[vcpu].vcpu->run->hyperv;
	struct irqx_synic_vp *vp = &s->vp[vcpu];

	TEST_ASSERT(exit->type == KVM_EXIT_HYPERV_SYNIC, "Hyper-V exit %u",
		    exit->type);
	vp->control = exit->u.synic.control;
	vp->evt_page = exit->u.synic.evt_page;
	vp->msg_page = exit->u.synic.msg_page;

	/* Before the guest runs on. */
	if (s->follow && vp->evt_page & IRQX_SYNIC_PAGE_ON)
		irqx_synic_page(s->g->ctx, vcpu,
				vp->evt_page & ~(PAGE_SIZE - 1));
	else if (s->follow)
		irqx_synic_no_page(s->g->ctx, vcpu);
	WRITE_ONCE(vp->exits, vp->exits + 1);
}

static void *synic_thread(void *arg)
{
	struct runner *runner = arg;
	struct irqx_vcpu *v = &runner->s->g->vcpus[runner->vcpu];
	struct ucall uc;

	while (!READ_ONCE(v->stop)) {
		if (__vcpu_run(v->vcpu)) {
			TEST_ASSERT(errno == EINTR, "KVM_RUN: %s",
				    strerror(errno));
		} else if (v->vcpu->run->exit_reason == KVM_EXIT_HYPERV) {
			hyperv_exit(runner->s, runner->vcpu);
		} else {
			get_ucall(v->vcpu, &uc);
			TEST_FAIL("vCPU %u: unexpected exit %s", runner->vcpu,
				  exit_reason_str(v->vcpu->run->exit_reason));
		}
	}
	free(runner);
	return NULL;
}

void irqx_synic_start(struct irqx_synic *s)
{
	struct runner *runner;
	struct irqx_vcpu *v;
	uint32_t i;
	int err;

	for (i = 0; i < s->g->nr_vcpus; i++) {
		v = &s->g->vcpus[i];
		if (v->running)
			continue;
		v->stop = false;
		v->vcpu->run->immediate_exit = 0;
		runner = malloc(sizeof(*runner));
		TEST_ASSERT(runner, "no memory");
		*runner = (struct runner){ s, i };
		err = pthread_create(&v->thread, NULL, synic_thread, runner);
		TEST_ASSERT(!err, "pthread_create: %s", strerror(err));
		v->running = true;
	}
	for (i = 0; i < s->g->nr_vcpus; i++)
		TEST_ASSERT(irqx_wait_until(READ_ONCE(s->g->vcpus[i].cpu->ready),
					    IRQX_TIMEOUT_MS),
			    "vCPU %u does not start", i);
}

/*
 * The guest
 */

void irqx_synic_activate(struct irqx_synic *s)
{
	uint32_t i;

	for (i = 0; i < s->g->nr_vcpus; i++)
		vcpu_enable_cap(s->g->vcpus[i].vcpu, KVM_CAP_HYPERV_SYNIC2, 0);
}

struct irqx_synic *irqx_synic_create(uint32_t nr_vcpus, uint32_t flags)
{
	struct irqx_synic *s = calloc(1, sizeof(*s));
	struct irqx_synic_vp *vp;
	vm_vaddr_t cpus;
	uint32_t i;

	TEST_ASSERT(s && nr_vcpus <= IRQX_SYNIC_MAX_VCPUS, "%u vCPUs", nr_vcpus);
	s->g = __irqx_guest_create(nr_vcpus, NULL,
				   IRQX_GUEST_UNBOOTED | IRQX_GUEST_ARCH_HYPERV |
				   (flags & IRQX_GUEST_ARCH_DIRTY_RING));
	irqx_ops_init(s->g);
	for (i = IRQX_LEVEL_VECTOR_MIN; i <= IRQX_LEVEL_VECTOR_MAX; i++)
		irqx_guest_handle(s->g->vm, i, guest_sint);

	cpus = vm_vaddr_alloc(s->g->vm, nr_vcpus * sizeof(struct irqx_synic_cpu),
			      KVM_UTIL_MIN_VADDR);
	*(vm_vaddr_t *)addr_gva2hva(s->g->vm, (vm_vaddr_t)&synic_cpus) = cpus;
	for (i = 0; i < nr_vcpus; i++) {
		vp = &s->vp[i];
		vp->cpu = (struct irqx_synic_cpu *)addr_gva2hva(s->g->vm, cpus) + i;
		vp->messages_gva = vm_vaddr_alloc_page(s->g->vm);
		vp->messages_gpa = addr_gva2gpa(s->g->vm, vp->messages_gva);
		vp->messages = addr_gpa2hva(s->g->vm, vp->messages_gpa);
		vp->events_gva = vm_vaddr_alloc_page(s->g->vm);
		vp->events_gpa = addr_gva2gpa(s->g->vm, vp->events_gva);
		vp->events = addr_gpa2hva(s->g->vm, vp->events_gpa);
	}
	if (!(flags & IRQX_SYNIC_LATE))
		irqx_synic_activate(s);
	return s;
}

void irqx_synic_free(struct irqx_synic *s)
{
	irqx_guest_free(s->g);
	free(s);
}

/*
 * What the guest does when told
 */

void irqx_sint_set(struct irqx_synic *s, uint32_t vcpu, uint32_t sint,
		   uint64_t value)
{
	struct irqx_synic_cpu *cpu = s->vp[vcpu].cpu;

	if (value & IRQX_SINT_AUTO_EOI)
		cpu->auto_eoi |= 1 << sint;
	else
		cpu->auto_eoi &= ~(1 << sint);
	irqx_do(s->g, vcpu, IRQX_OP_WRMSR, HV_X64_MSR_SINT0 + sint, value);
}

void irqx_sint_set_all(struct irqx_synic *s, uint64_t flags)
{
	uint32_t vcpu, sint;

	for (vcpu = 0; vcpu < s->g->nr_vcpus; vcpu++)
		for (sint = 0; sint < IRQX_NR_SINTS; sint++)
			irqx_sint_set(s, vcpu, sint,
				      flags | (IRQX_SINT_VECTOR + sint));
}

void irqx_eom(struct irqx_synic *s, uint32_t vcpu)
{
	irqx_do(s->g, vcpu, IRQX_OP_WRMSR, HV_X64_MSR_EOM, 0);
}

static void set_page(struct irqx_synic *s, uint32_t vcpu, uint32_t msr,
		     uint64_t gpa)
{
	uint32_t exits = READ_ONCE(s->vp[vcpu].exits);

	irqx_do(s->g, vcpu, IRQX_OP_WRMSR, msr, gpa);
	TEST_ASSERT(READ_ONCE(s->vp[vcpu].exits) == exits + 1,
		    "no KVM_EXIT_HYPERV");
}

void irqx_synic_messages(struct irqx_synic *s, uint32_t vcpu, bool on)
{
	struct irqx_synic_vp *vp = &s->vp[vcpu];

	set_page(s, vcpu, HV_X64_MSR_SIMP,
		 on ? vp->messages_gpa | IRQX_SYNIC_PAGE_ON : 0);
	vp->cpu->messages = on ? vp->messages_gva : 0;
}

void irqx_synic_events(struct irqx_synic *s, uint32_t vcpu, bool on)
{
	struct irqx_synic_vp *vp = &s->vp[vcpu];

	set_page(s, vcpu, HV_X64_MSR_SIEFP,
		 on ? vp->events_gpa | IRQX_SYNIC_PAGE_ON : 0);
	vp->cpu->events = on ? vp->events_gva : 0;
}

struct kvm_irq_routing_entry irqx_sint_entry(uint32_t vp, uint32_t sint)
{
	struct kvm_irq_routing_entry entry = { .type = KVM_IRQ_ROUTING_HV_SINT };

	entry.u.hv_sint.vcpu = vp;
	entry.u.hv_sint.sint = sint;
	return entry;
}

/*
 * The VMM's side
 */

bool irqx_message_post(struct irqx_message *slot, uint64_t value)
{
	if (READ_ONCE(slot->type)) {
		__atomic_fetch_or(&slot->flags, IRQX_MESSAGE_PENDING,
				  __ATOMIC_SEQ_CST);
		/* It may have been freed before the guest could see that. */
		if (READ_ONCE(slot->type))
			return false;
	}
	slot->flags = 0;
	slot->size = sizeof(value);
	slot->payload[0] = value;
	__atomic_store_n(&slot->type, 1, __ATOMIC_RELEASE);
	return true;
}

bool irqx_flag_set(struct irqx_event_page *page, uint32_t sint, uint32_t flag)
{
	uint32_t bit = 1U << flag % 32;

	return !(__atomic_fetch_or(&page->words[sint][flag / 32], bit,
				   __ATOMIC_SEQ_CST) & bit);
}

bool irqx_flag_clear(struct irqx_event_page *page, uint32_t sint, uint32_t flag)
{
	uint32_t bit = 1U << flag % 32;

	return __atomic_fetch_and(&page->words[sint][flag / 32], ~bit,
				  __ATOMIC_SEQ_CST) & bit;
}

bool irqx_flag_test(struct irqx_event_page *page, uint32_t sint, uint32_t flag)
{
	return READ_ONCE(page->words[sint][flag / 32]) & 1U << flag % 32;
}

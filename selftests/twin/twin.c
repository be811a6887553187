// SPDX-License-Identifier: GPL-2.0
/*
 * One VM of the two: see twin.h.
 */
#include "twin.h"

struct twin_cpu twin_cpus[TWIN_VCPUS];

/* Instead of waiting: back to the host after each thing to do. */
void irqx_guest_wait(void)
{
	uint32_t vcpu = twin_guest_vcpu();
	struct twin_cpu *cpu = &twin_cpus[vcpu];

	/* Further ones only have their interrupt controller enabled. */
	if (vcpu >= TWIN_VCPUS)
		for (;;)
			GUEST_SYNC(0);
	twin_guest_start(vcpu);
	for (;;) {
		GUEST_SYNC(0);
		cpu->nr_taken = 0;
		if (cpu->op)
			twin_guest_op(cpu);
		if (cpu->take)
			twin_guest_take();
	}
}

struct twin_cpu *twin_cpu(struct twin *twin, uint32_t vcpu)
{
	return addr_gva2hva(twin->g->vm, (vm_vaddr_t)&twin_cpus[vcpu]);
}

uint64_t twin_run(struct twin *twin, uint32_t vcpu, uint32_t op, uint64_t where,
		  uint64_t what, bool take)
{
	struct twin_cpu *cpu = twin_cpu(twin, vcpu);
	struct kvm_vcpu *v = twin->g->vcpus[vcpu].vcpu;
	struct ucall uc;

	cpu->op = op;
	cpu->where = where;
	cpu->what = what;
	cpu->take = take;
	vcpu_run(v);
	TEST_ASSERT(get_ucall(v, &uc) == UCALL_SYNC, "vCPU %u: %s", vcpu,
		    exit_reason_str(v->run->exit_reason));
	return cpu->what;
}

int twin_do(struct twin *twin, uint32_t vcpu, uint32_t op, uint64_t where, uint64_t what)
{
	twin_run(twin, vcpu, op, where, what, false);
	return 0;
}

int twin_op_hold(struct twin *twin, const int *arg)
{
	uint32_t i;

	for (i = 0; i < TWIN_VCPUS; i++)
		twin_cpu(twin, i)->hold[arg[0]] = arg[1];
	return 0;
}

void twin_choose_vcpu(struct irqx_random *random, int *arg)
{
	arg[0] = irqx_random_below(random, TWIN_VCPUS);
}

static uint32_t entries_of(struct twin *twin, int gsi,
			   struct kvm_irq_routing_entry *entries)
{
	int target = twin->route[gsi];
	uint32_t i;

	if (target < 0)
		return 0;
	for (i = 0; i < twin_targets[target].nr; i++) {
		entries[i] = twin_entry(twin, target, i);
		entries[i].gsi = TWIN_GSI(gsi);
	}
	return i;
}

static int set_table(struct twin *twin)
{
	struct kvm_irq_routing_entry entries[2 * TWIN_GSIS + 1];
	uint32_t nr = 0;
	int gsi;

	if (twin->kvms)
		nr = twin_own_entries(entries);
	for (gsi = 0; gsi < TWIN_GSIS; gsi++)
		nr += entries_of(twin, gsi, entries + nr);
	return __irqx_set_gsi_routing(twin->file, entries, nr);
}

static int set_route(struct twin *twin, int gsi)
{
	struct kvm_irq_routing_entry entries[2];
	struct kvm_irqx_op ops[2] = {};
	uint32_t i, nr = entries_of(twin, gsi, entries);

	if (!nr)
		return __irqx_route_del(twin->file, TWIN_GSI(gsi));
	for (i = 0; i < nr; i++) {
		ops[i].op = i ? KVM_IRQX_OP_ROUTE_ADD : KVM_IRQX_OP_ROUTE_SET;
		ops[i].entry = entries[i];
	}
	return __irqx_batch(twin->file, ops, nr, NULL);
}

/* Direct bindings have an entry each; KVM_IRQ_LINE goes by the route. */
static int modify_all(struct twin *twin, int gsi)
{
	uint32_t i;
	int err = 0;

	for (i = 0; i < TWIN_FDS && !err; i++)
		if (twin->gsi_of[i] == gsi)
			err = __irqx_modify(twin->file, twin->fds[i],
					    twin_entry(twin, twin->route[gsi], 0));
	return err;
}

int twin_route(struct twin *twin, int gsi, int target)
{
	int err;

	twin->route[gsi] = target;
	if (twin->kvms || twin->way == TWIN_TABLE)
		return set_table(twin);
	err = set_route(twin, gsi);
	if (!err && twin->way == TWIN_DIRECT)
		err = modify_all(twin, gsi);
	return err;
}

int twin_assign(struct twin *twin, int fd, int gsi, int ack)
{
	bool direct = !twin->kvms && twin->way == TWIN_DIRECT;
	struct kvm_irq_routing_entry entry;
	int err;

	if (direct)
		entry = twin_entry(twin, twin->route[gsi], 0);
	if (direct && ack < 0)
		err = __irqx_bind(twin->file, twin->fds[fd], entry);
	else if (direct)
		err = __irqx_bind_level(twin->file, twin->fds[fd], twin->acks[ack],
					entry);
	else if (ack < 0)
		err = __irqx_irqfd(twin->file, twin->fds[fd], TWIN_GSI(gsi), 0);
	else
		err = __irqx_irqfd_level(twin->file, twin->fds[fd],
					 twin->acks[ack], TWIN_GSI(gsi));
	if (!err)
		twin->gsi_of[fd] = gsi;
	return err;
}

int twin_deassign(struct twin *twin, int fd, int gsi)
{
	bool direct = !twin->kvms && twin->way == TWIN_DIRECT;
	int err = 0;

	/* That of a direct binding names no GSI, which KVM's has to match. */
	if (!direct)
		err = __irqx_irqfd(twin->file, twin->fds[fd], TWIN_GSI(gsi),
				   KVM_IRQFD_FLAG_DEASSIGN);
	else if (twin->gsi_of[fd] == gsi)
		err = __irqx_unbind(twin->file, twin->fds[fd]);
	if (!err && twin->gsi_of[fd] == gsi)
		twin->gsi_of[fd] = -1;
	return err;
}

void twin_create(struct twin *twin, bool kvms, enum twin_way way)
{
	uint32_t i;

	memset(twin, 0, sizeof(*twin));
	twin->kvms = kvms;
	twin->way = way;
	twin->g = __irqx_guest_create(twin_guest_vcpus, NULL,
				      twin_guest_flags |
				      (kvms ? IRQX_GUEST_NO_CONTEXT : 0));
	twin->file = kvms ? twin->g->vm->fd : twin->g->ctx;
	for (i = 0; i < TWIN_GSIS; i++)
		twin->route[i] = -1;
	for (i = 0; i < TWIN_FDS; i++) {
		twin->gsi_of[i] = -1;
		twin->fds[i] = irqx_eventfd(0, 0);
	}
	for (i = 0; i < TWIN_ACKS; i++)
		twin->acks[i] = irqx_eventfd(0, 0);
	if (kvms)
		irqx_assert(set_table(twin));
	twin_arch_init(twin);
	for (i = 0; i < TWIN_VCPUS; i++) {
		twin->g->vcpus[i].vcpu->run->immediate_exit = 0;
		twin_run(twin, i, 0, 0, 0, false);
	}
}

void twin_free(struct twin *twin)
{
	twin_arch_free(twin);
	irqx_close_all(twin->fds, TWIN_FDS);
	irqx_close_all(twin->acks, TWIN_ACKS);
	irqx_guest_free(twin->g);
}

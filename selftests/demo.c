// SPDX-License-Identifier: GPL-2.0
/*
 * What kvm-irqx is for, to look at: 8,192 eventfds, twice what KVM's routing
 * table holds, each bound to an interrupt of a vCPU, fired, retargeted,
 * and fired again, while the guest counts.  Then the same by KVM's own irqfds
 * and routing table, as far as they go.  Then a guest moves a vector of its MSI-X table
 * itself: answered by the module, and by a VMM that changes KVM's table.  Then a timer of the
 * host's kernel raises a handle that the guest has mapped, and moves all the while.
 *
 * Exit status 0 only if every interrupt arrived once, and where it should.
 */
#include <sys/utsname.h>

#include "irqx_dynirq.h"
#include "irqx_module.h"
#include "irqx_timer.h"

#define NR_VCPUS	2
#define NR_BINDINGS	8192
#define NR_ROUNDS	3
#define NR_KVM_SAMPLES	64
#define NR_MOVES	2000
#define NR_TICKS	50
#define TICK_NS		20000000

/*
 * No more than NR_TARGETS are fired before the guest's counters are looked at:
 * each at a (vCPU, irq) of its own, so that no two meet in an interrupt
 * controller.
 */
#define NR_IRQS		IRQX_DEMO_IRQS
#define NR_TARGETS	(NR_VCPUS * (NR_IRQS / 2))
/* Nor more than that: what waits in a VGIC is sorted again and again. */
#define WAVE		256

struct score {
	uint32_t bindings;
	uint64_t sent;
	uint64_t lost;
	uint64_t doubled;
	uint64_t at_old;
	uint64_t bind_ns;
	uint64_t fire_ns;
	uint64_t retargets;
	uint64_t retarget_ns;
	uint64_t unbinds;
	uint64_t unbind_ns;
	int next;			/* errno of one binding more */
	uint64_t taken[NR_VCPUS];
};

static int fds[NR_BINDINGS];

/*
 * Side 0 of a binding is in the lower half of the irqs, side 1 in the upper
 * half of the other vCPU's.  So old and new targets of a wave never mix.
 */
static struct irqx_slot target(uint32_t i, bool side)
{
	uint32_t nth = i % NR_TARGETS;

	return (struct irqx_slot){
		.vcpu = (nth + side) % NR_VCPUS,
		.irq = IRQX_IRQ_MIN + nth / NR_VCPUS + (side ? NR_IRQS / 2 : 0),
	};
}

static struct kvm_irq_routing_entry entry(struct irqx_guest *g, uint32_t i,
					  bool side)
{
	struct irqx_slot slot = target(i, side);

	return irqx_entry(g, slot.vcpu, slot.irq);
}

/* "12,345,678" */
static const char *number(uint64_t n)
{
	static char buffers[8][32];
	static int next;
	char digits[32], *buffer = buffers[next++ % 8];
	int i, len, out = 0;

	len = snprintf(digits, sizeof(digits), "%lu", n);
	for (i = 0; i < len; i++) {
		if (i && !((len - i) % 3))
			buffer[out++] = ',';
		buffer[out++] = digits[i];
	}
	buffer[out] = 0;
	return buffer;
}

static const char *outcome(int err)
{
	return err ? strerrorname_np(err) : "accepted";
}

static uint64_t started;

static void say(const char *fmt, ...)
{
	va_list ap;

	printf("%6.1f s  ", (irqx_now_ns() - started) / 1e9);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

/* Fires eventfds @from .. @to - 1, which lead to @side, and compares. */
static void fire_wave(struct irqx_guest *g, struct score *score, uint32_t from,
		      uint32_t to, bool side)
{
	static uint64_t before[NR_VCPUS][IRQX_NR_IRQS];
	uint64_t begin, came, want, total;
	struct irqx_slot slot;
	uint32_t i, vcpu, irq;
	bool here;

	for (vcpu = 0; vcpu < NR_VCPUS; vcpu++)
		for (irq = IRQX_IRQ_MIN; irq < IRQX_IRQ_MIN + NR_IRQS; irq++)
			before[vcpu][irq] = irqx_count(g, vcpu, irq);

	total = irqx_total(g);
	begin = irqx_now_ns();
	for (i = from; i < to; i++)
		irqx_fire(fds[i]);
	/* Some may have to take a work queue, KVM's or ours. */
	__irqx_wait_total(g, total + to - from);
	irqx_fence(g);
	score->fire_ns += irqx_now_ns() - begin;
	score->sent += to - from;

	for (i = 0; i < 2 * NR_TARGETS; i++) {
		slot = target(i, i >= NR_TARGETS);
		came = irqx_count(g, slot.vcpu, slot.irq) -
		       before[slot.vcpu][slot.irq];
		here = (i >= NR_TARGETS) == side;
		want = here && i % NR_TARGETS - from % NR_TARGETS < to - from;
		if (came < want)
			score->lost += want - came;
		else if (here)
			score->doubled += came - want;
		else
			score->at_old += came - want;
	}
}

static void fire(struct irqx_guest *g, struct score *score, uint32_t nr, bool side)
{
	uint32_t from, to;

	for (from = 0; from < nr; from = to) {
		/* up to the next beginning of a wave, of the targets, or nr */
		to = from + WAVE - from % NR_TARGETS % WAVE;
		if (to / NR_TARGETS != from / NR_TARGETS)
			to = to / NR_TARGETS * NR_TARGETS;
		if (to > nr)
			to = nr;
		fire_wave(g, score, from, to, side);
	}
}

static void finish(struct irqx_guest *g, struct score *score)
{
	uint32_t i;

	irqx_fence(g);
	for (i = 0; i < NR_VCPUS; i++)
		score->taken[i] = irqx_vcpu_total(g, i);
}

static struct score run_irqx(void)
{
	struct irqx_guest *g = __irqx_guest_create(NR_VCPUS, NULL,
						   IRQX_DEMO_FLAGS);
	struct score score = { .bindings = NR_BINDINGS };
	uint64_t begin;
	uint32_t i, round;
	bool side = false;

	irqx_guest_start(g);
	begin = irqx_now_ns();
	for (i = 0; i < NR_BINDINGS; i++)
		irqx_bind(g->ctx, fds[i], entry(g, i, side));
	score.bind_ns = irqx_now_ns() - begin;
	say("%s eventfds bound by KVM_IRQX_IRQFD_DIRECT, over %u vCPUs and %u " IRQX_DEMO_NOUN,
	    number(NR_BINDINGS), NR_VCPUS, NR_IRQS);

	for (round = 1; round <= NR_ROUNDS; round++) {
		fire(g, &score, NR_BINDINGS, side);
		say("round %u of %u: all fired", round, NR_ROUNDS);

		side = !side;
		begin = irqx_now_ns();
		for (i = 0; i < NR_BINDINGS; i++)
			irqx_modify(g->ctx, fds[i], entry(g, i, side));
		score.retarget_ns += irqx_now_ns() - begin;
		score.retargets += NR_BINDINGS;
		say("round %u of %u: all retargeted to another one, of the other vCPU",
		    round, NR_ROUNDS);

		fire(g, &score, NR_BINDINGS, side);
		say("round %u of %u: all fired again", round, NR_ROUNDS);
	}
	finish(g, &score);

	score.next = __irqx_bind(g->ctx, irqx_eventfd(0, 0), entry(g, 0, side));
	begin = irqx_now_ns();
	for (i = 0; i < NR_BINDINGS; i++)
		irqx_unbind(g->ctx, fds[i]);
	score.unbind_ns = irqx_now_ns() - begin;
	score.unbinds = NR_BINDINGS;
	irqx_guest_free(g);
	return score;
}

static struct score run_kvm(void)
{
	struct irqx_guest *g = __irqx_guest_create(NR_VCPUS, NULL,
						   IRQX_GUEST_NO_CONTEXT | IRQX_DEMO_FLAGS);
	const uint32_t nr = KVM_MAX_IRQ_ROUTES;
	struct kvm_irq_routing_entry *table = calloc(nr + 1, sizeof(*table));
	struct score score = { .bindings = nr };
	uint64_t begin;
	uint32_t i;

	irqx_guest_start(g);
	for (i = 0; i <= nr; i++) {
		table[i] = entry(g, i, false);
		table[i].gsi = i;
	}
	score.next = __irqx_set_gsi_routing(g->vm->fd, table, nr + 1);
	say("KVM: a routing table of %s entries: %s", number(nr + 1),
	    outcome(score.next));

	begin = irqx_now_ns();
	irqx_set_gsi_routing(g->vm->fd, table, nr);
	for (i = 0; i < nr; i++)
		irqx_irqfd(g->vm->fd, fds[i], i, 0);
	score.bind_ns = irqx_now_ns() - begin;
	say("KVM: %s eventfds bound by KVM_IRQFD", number(nr));

	fire(g, &score, nr, false);
	say("KVM: all fired");

	begin = irqx_now_ns();
	for (i = 0; i < NR_KVM_SAMPLES; i++) {
		table[i] = entry(g, i, true);
		table[i].gsi = i;
		irqx_set_gsi_routing(g->vm->fd, table, nr);
	}
	score.retarget_ns = irqx_now_ns() - begin;
	score.retargets = NR_KVM_SAMPLES;
	say("KVM: %u of them retargeted, each by a new table", NR_KVM_SAMPLES);

	fire_wave(g, &score, 0, NR_KVM_SAMPLES, true);
	say("KVM: those fired again");
	finish(g, &score);

	begin = irqx_now_ns();
	for (i = 0; i < NR_KVM_SAMPLES; i++)
		irqx_irqfd(g->vm->fd, fds[i], i, KVM_IRQFD_FLAG_DEASSIGN);
	score.unbind_ns = irqx_now_ns() - begin;
	score.unbinds = NR_KVM_SAMPLES;
	irqx_guest_free(g);
	free(table);
	return score;
}

void irqx_guest_wait(void)
{
	irqx_table_guest();
}

void irqx_vcpu_exit(struct irqx_vcpu *v)
{
	irqx_table_exit(v);
}

/* A VMM that has one vector's entry, and KVM's table. */
struct vmm {
	struct irqx_guest *g;
	struct kvm_irq_routing_entry *routes;
	uint32_t entry[4];
	uint32_t exits;
};

static void emulate(struct irqx_vcpu *v, void *arg)
{
	struct kvm_run *run = v->vcpu->run;
	struct vmm *vmm = arg;
	uint32_t *dword = &vmm->entry[run->mmio.phys_addr % IRQX_ENTRY_SIZE / 4];

	vmm->exits++;
	if (!run->mmio.is_write) {
		memcpy(run->mmio.data, dword, sizeof(*dword));
		return;
	}
	memcpy(dword, run->mmio.data, sizeof(*dword));
	if (dword != &vmm->entry[3] || *dword)
		return;
	vmm->routes[0].u.msi.address_lo = vmm->entry[0];
	vmm->routes[0].u.msi.address_hi = vmm->entry[1];
	vmm->routes[0].u.msi.data = vmm->entry[2];
	irqx_set_gsi_routing(vmm->g->vm->fd, vmm->routes, KVM_MAX_IRQ_ROUTES);
}

/* What a move takes, in ns. */
static double time_moves(struct irqx_guest *g, struct irqx_table *table, uint32_t n)
{
	uint64_t begin = irqx_now_ns();

	irqx_vector_moves_start(g, 0, table, 0, irqx_vector_message(g, 0, IRQX_IRQ_MIN),
				irqx_vector_message(g, 1, IRQX_IRQ_MIN), n);
	irqx_guest_join(g, 0);
	return (double)(irqx_now_ns() - begin) / n;
}

/* Return: whether the module has answered all of it. */
static bool run_moves(double *irqx, double *kvm)
{
	struct irqx_guest *g = irqx_table_guest_create(NR_VCPUS);
	struct vmm vmm = {
		.g = g,
		.routes = calloc(KVM_MAX_IRQ_ROUTES, sizeof(*vmm.routes)),
	};
	struct irqx_table table = irqx_table_create(g->ctx, 1);
	uint32_t i, exits;

	irqx_bind(g->ctx, fds[0], irqx_vector_entry(&table, 0));
	irqx_exit_hook = emulate;
	irqx_exit_hook_arg = &vmm;
	irqx_guest_start(g);
	*irqx = time_moves(g, &table, NR_MOVES);
	exits = vmm.exits;
	irqx_unbind(g->ctx, fds[0]);
	irqx_table_destroy(&table);

	for (i = 0; i < KVM_MAX_IRQ_ROUTES; i++) {
		vmm.routes[i] = irqx_entry(g, 0, IRQX_IRQ_MIN);
		vmm.routes[i].gsi = i;
	}
	*kvm = time_moves(g, &table, NR_KVM_SAMPLES);
	say("a guest has moved a vector of its MSI-X table, %u times and %u times",
	    NR_MOVES, NR_KVM_SAMPLES);
	irqx_guest_free(g);
	free(vmm.routes);
	return !exits;
}

struct ticks {
	uint64_t raised;
	uint64_t taken;
	uint64_t moves;
};

/* From an interrupt handler of the host to a guest that moves the handle between its vCPUs. */
static struct ticks run_ticks(void)
{
	struct irqx_guest *g = irqx_table_guest_create(NR_VCPUS);
	struct irqx_timer_request request = {
		.fd = g->ctx, .first = 1, .nr = 1, .period_ns = TICK_NS, .count = NR_TICKS,
	};
	struct irqx_table dynirq;
	struct ticks ticks = {};
	int timer = irqx_timer_open();

	irqx_guest_start(g);
	dynirq = irqx_dynirq_create(g->ctx, 64);
	irqx_dynirq_attach(g, 0, &dynirq);
	irqx_handle_map(g, 0, &dynirq, 1, irqx_vector_message(g, 0, IRQX_IRQ_MIN));
	irqx_handle_moves_start(g, 1, &dynirq, 1, irqx_vector_message(g, 0, IRQX_IRQ_MIN),
				irqx_vector_message(g, 1, IRQX_IRQ_MIN), UINT32_MAX);
	request.table = dynirq.id;
	irqx_timer(timer, &request);
	irqx_wait_until((ticks.raised = irqx_timer_raised(timer)) == NR_TICKS, IRQX_TIMEOUT_MS);
	ticks.moves = irqx_guest_done(g, 1);
	irqx_guest_end(g, 1);
	irqx_settle(g->ctx);
	irqx_fence(g);
	ticks.taken = irqx_total(g);
	say("a timer of the host has raised a handle, %lu times; the guest has moved it, %s times",
	    ticks.raised, number(ticks.moves));
	irqx_timer_close(timer);
	irqx_guest_free(g);
	return ticks;
}

static void row(const char *what, const char *irqx, const char *kvm)
{
	printf("  %-38s %12s %12s\n", what, irqx, kvm);
}

static void row_n(const char *what, uint64_t irqx, uint64_t kvm)
{
	row(what, number(irqx), number(kvm));
}

static void row_us(const char *what, uint64_t irqx_ns, uint64_t irqx_nr,
		   uint64_t kvm_ns, uint64_t kvm_nr)
{
	char irqx[32], kvm[32];

	snprintf(irqx, sizeof(irqx), "%.1f us", irqx_ns / 1e3 / irqx_nr);
	snprintf(kvm, sizeof(kvm), "%.1f us", kvm_ns / 1e3 / kvm_nr);
	row(what, irqx, kvm);
}

static bool exact(const struct score *s)
{
	uint64_t taken = 0;
	uint32_t i;

	for (i = 0; i < NR_VCPUS; i++)
		taken += s->taken[i];
	return !s->lost && !s->doubled && !s->at_old && taken == s->sent;
}

int main(void)
{
	double factor, irqx_move = 0, kvm_move = 0;
	bool ok, moves = irqx_takes_tables();
	struct score irqx, kvm;
	struct ticks ticks = {};
	struct utsname uts;

	started = irqx_now_ns();
	uname(&uts);
	printf("kvm-irqx on Linux %s\n\n", uts.release);
	irqx_eventfds(fds, NR_BINDINGS);
	irqx = run_irqx();
	kvm = run_kvm();
	ok = !moves || run_moves(&irqx_move, &kvm_move);
	if (moves && irqx_variant_file("irqx_timer"))
		ticks = run_ticks();

	printf("\n");
	row("", "kvm-irqx", "KVM's own");
	row_n("eventfds bound", irqx.bindings, kvm.bindings);
	row("  one more than that", outcome(irqx.next), outcome(kvm.next));
	row_n("events sent", irqx.sent, kvm.sent);
	row_n("interrupts counted by vCPU 0", irqx.taken[0], kvm.taken[0]);
	row_n("interrupts counted by vCPU 1", irqx.taken[1], kvm.taken[1]);
	row_n("  lost", irqx.lost, kvm.lost);
	row_n("  doubled", irqx.doubled, kvm.doubled);
	row_n("  to the old target after a retarget", irqx.at_old, kvm.at_old);
	row_n("retargets", irqx.retargets, kvm.retargets);
	row_us("time per retarget", irqx.retarget_ns, irqx.retargets,
	       kvm.retarget_ns, kvm.retargets);
	row_us("time per event, write to counted", irqx.fire_ns, irqx.sent,
	       kvm.fire_ns, kvm.sent);
	row_us("time to bind one", irqx.bind_ns, irqx.bindings, kvm.bind_ns,
	       kvm.bindings);
	row_us("time to unbind one", irqx.unbind_ns, irqx.unbinds,
	       kvm.unbind_ns, kvm.unbinds);

	if (moves)
		row_us("time per move by the guest itself", irqx_move, 1, kvm_move, 1);

	if (ticks.raised) {
		row("raised by a driver of the host", number(ticks.raised), "-");
		row("  taken, while the guest moved it", number(ticks.taken), "-");
		/* Events that a busy machine's guest has not taken yet are one with the next. */
		ok = ok && ticks.taken && ticks.taken <= ticks.raised && ticks.moves;
	}

	factor = (double)kvm.retarget_ns / kvm.retargets /
		 ((double)irqx.retarget_ns / irqx.retargets);
	ok = ok && exact(&irqx) && exact(&kvm) && !irqx.next;
	printf("\n  A retarget with twice the bindings is %s times faster than by KVM's table.\n",
	       number(factor));
	printf("  Every interrupt arrived once and where it should: %s\n",
	       ok ? "yes" : "NO");
	return ok ? 0 : 1;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * What a level interrupt costs: event, handler, EOI, resamplefd; beside KVM's own
 * resamplefd in the same run.  And what it costs a VM of somebody else that EOIs
 * are listened to.
 *
 *	scripts/vm -- build/selftests/amd64/level_cost			time
 *	scripts/vm --icount -- build/selftests/amd64/level_cost	instructions
 *
 * With --icount a virtual nanosecond is an instruction.
 */
#include <fcntl.h>

#include "irqx_level.h"

#define NR_ROUNDS	9
#define NR_CYCLES	200
#define OUR_PIN		16
#define KVM_PIN		17
#define OUR_VECTOR	0x51
#define KVM_VECTOR	0x62

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, NR_ROUNDS, sizeof(*values), compare);
	return values[NR_ROUNDS / 2];
}

/* Return: nanoseconds per cycle. */
static double cycles(struct irqx_level *level)
{
	uint64_t count, start;
	uint32_t i;

	fcntl(level->ack, F_SETFL, 0);
	start = irqx_now_ns();
	for (i = 0; i < NR_CYCLES; i++) {
		irqx_fire(level->fd);
		TEST_ASSERT(read(level->ack, &count, sizeof(count)) == sizeof(count) &&
			    count == 1, "%lu acknowledgments of one event", count);
	}
	return (double)(irqx_now_ns() - start) / NR_CYCLES;
}

/* KVM's own table maps a pin to the GSI of the same number. */
static struct irqx_level kvm_level(struct irqx_guest *g)
{
	struct irqx_level level = {
		.fd = irqx_eventfd(0, 0),
		.ack = irqx_eventfd(0, 0),
	};

	irqx_assert(__irqx_irqfd_level(g->vm->fd, level.fd, level.ack, KVM_PIN));
	return level;
}

int main(void)
{
	double ours[NR_ROUNDS], kvm[NR_ROUNDS], deaf[NR_ROUNDS], heard[NR_ROUNDS];
	struct irqx_guest *g = irqx_level_guest(1), *stranger = irqx_level_guest(1);
	struct irqx_level level, own, foreign;
	int ctx;
	uint32_t i;

	irqx_guest_start(g);
	irqx_pin_level(g, OUR_PIN, OUR_VECTOR);
	irqx_pin_level(g, KVM_PIN, KVM_VECTOR);
	own = kvm_level(g);

	for (i = 0; i < NR_ROUNDS; i++) {
		kvm[i] = cycles(&own);
		level = irqx_level_direct(g->ctx,
					  irqx_pin_entry(KVM_IRQCHIP_IOAPIC, OUR_PIN));
		ours[i] = cycles(&level);
		irqx_level_close(&level);
	}
	irqx_guest_stop(g);
	close(g->ctx);

	/* No line of ours is left, so nothing listens until there is one. */
	irqx_guest_start(stranger);
	irqx_pin_level(stranger, KVM_PIN, KVM_VECTOR);
	foreign = kvm_level(stranger);
	for (i = 0; i < NR_ROUNDS; i++) {
		deaf[i] = cycles(&foreign);
		ctx = irqx_context(g->vm);
		level = irqx_level_direct(ctx,
					  irqx_pin_entry(KVM_IRQCHIP_IOAPIC, OUR_PIN));
		heard[i] = cycles(&foreign);
		close(ctx);
		irqx_level_close(&level);
	}

	printf("median of %u rounds of %u cycles, in ns (with --icount: instructions)\n\n",
	       NR_ROUNDS, NR_CYCLES);
	printf("event, handler, EOI, resamplefd: here        %10.0f\n", median(ours));
	printf("                                 KVM's own   %10.0f\n", median(kvm));
	printf("                                 ratio       %10.2f\n\n",
	       median(ours) / median(kvm));
	printf("KVM's own, in a VM without us:   probe off   %10.0f\n", median(deaf));
	printf("                                 probe on    %10.0f\n", median(heard));
	printf("                                 difference  %+10.0f\n",
	       median(heard) - median(deaf));
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The same operations on two VMs, of which one has its interrupts by KVM's own
 * irqfd, routing table and KVM_IRQ_LINE, the other by the module's; after each, all
 * that can be seen is compared: errnos, interrupts in their order, signals of
 * resamplefds, eventfds, the interrupt controllers' state.
 *
 * A scenario is a text, "operation arguments; ...".  Where the two differ on
 * purpose, Documentation/api.rst section 11 says so and names a test here, which
 * shows it; the random scenarios go round just that.
 *
 *	SEED=n		of random scenarios, as printed by another run
 *	FROM=n		the number of the first of them
 *	OPS=n		that many operations; without it
 *	SECONDS=n	as long as that (30); with SOAK=1 two hours
 *	SCENARIO=text	that one (twin.by_hand), told to the module in WAY=0, 1 or 2
 */
#include <poll.h>
#include <sched.h>

#include "twin.h"
#include "irqx_harness.h"

#define MAX_OPS		400

/*
 * All that the twins do has one order, so what the module does otherwise than KVM comes again.
 * What does not is printed and counted, and is a failure if there is a second, or more than
 * one in so many operations (Documentation/testing.rst section 5).
 */
#define AGAIN		5
#define OPS_FOR_ONCE	100000
/* After that nothing comes any more. */
#define LATE_MS		(500 * irqx_slowness())

/*
 * Differences on purpose
 */

enum difference {
	TWO_GSIS_OF_A_LINE, RESAMPLE_WITHOUT_EOI, EVENT_WITHOUT_ROUTE,
	LEVEL_REROUTED, PULSE_ON_A_HELD_LINE, UNMASKED_WHILE_HELD, FAILED_ASSIGN,
	SINT_LEFT, ONE_OF_TWO_LEAVES, UNMASKING_LETS_GO, STILL_LISTENED_TO,
	HELD_BY_BOTH, RAISED_AT_ASSIGN,
	NR_DIFFERENCES, NONE = NR_DIFFERENCES,
};

static const char *const difference_names[NR_DIFFERENCES] = {
	[TWO_GSIS_OF_A_LINE] = "twin.two_gsis_of_a_line",
	[RESAMPLE_WITHOUT_EOI] = "twin.resample_without_eoi",
	[EVENT_WITHOUT_ROUTE] = "twin.event_without_route",
	[LEVEL_REROUTED] = "twin.level_rerouted",
	[PULSE_ON_A_HELD_LINE] = "twin.pulse_on_a_held_line",
	[UNMASKED_WHILE_HELD] = "twin.unmasked_while_held",
	[FAILED_ASSIGN] = "twin.failed_assign",
	[SINT_LEFT] = "twin.sint_left",
	[ONE_OF_TWO_LEAVES] = "twin.one_of_two_leaves",
	[UNMASKING_LETS_GO] = "twin.unmasking_lets_go",
	[STILL_LISTENED_TO] = "twin.still_listened_to",
	[HELD_BY_BOTH] = "twin.held_by_both",
	[RAISED_AT_ASSIGN] = "twin.raised_at_assign",
};

static bool is_documented(enum difference difference)
{
	const char *section = strstr(twin_api_rst, "\n11. ");
	char name[64];

	snprintf(name, sizeof(name), "``%s``", difference_names[difference]);
	return section && strstr(section, name);
}

/*
 * What is seen after an operation
 */

struct seen {
	int err;
	int status;
	uint32_t acks[TWIN_ACKS];	/* signals since the last one */
	uint32_t full;			/* eventfds that can be read, a bit each */
	uint32_t nr_taken[TWIN_VCPUS];
	uint32_t taken[TWIN_VCPUS][TWIN_TAKEN];
	uint64_t words[TWIN_WORDS];
};

struct pair {
	struct twin twins[2];		/* KVM's, the module's */
	struct seen seen[2];
	uint32_t line;			/* KVM_IRQ_LINE holds these GSIs, a bit each */
	uint32_t asserted;		/* an irqfd with a resamplefd does, likewise */
	uint32_t let_go;		/* at an unmasking, by the module; likewise */
	uint64_t listened;		/* lines that have had a resamplefd */
	int ack_of[TWIN_FDS];		/* of those that are bound, or -1 */
	uint64_t skipped[NR_DIFFERENCES + 1];	/* NONE: the way cannot say it */
	uint64_t interrupts;
	uint64_t acks;
};

/*
 * Operations
 */

enum {
	ROUTE, ASSIGN, DEASSIGN, FIRE, LINE, RUN, NR_COMMON,
};

static const struct {
	const char *name;
	uint32_t weight;
	uint32_t nr_args;
} common_ops[NR_COMMON] = {
	[ROUTE] = { "route", 3, 2 },		/* GSI, target */
	[ASSIGN] = { "assign", 5, 3 },		/* eventfd, GSI, resamplefd or -1 */
	[DEASSIGN] = { "deassign", 2, 2 },	/* eventfd, GSI */
	[FIRE] = { "fire", 24, 1 },		/* eventfd */
	[LINE] = { "line", 8, 2 },		/* GSI, level */
	[RUN] = { "run", 24, 1 },		/* vCPU */
};

static uint32_t nr_kinds(void)
{
	return NR_COMMON + twin_nr_arch_ops;
}

static const char *kind_name(uint32_t what)
{
	return what < NR_COMMON ? common_ops[what].name :
				  twin_arch_ops[what - NR_COMMON].name;
}

static uint32_t kind_args(uint32_t what)
{
	return what < NR_COMMON ? common_ops[what].nr_args :
				  twin_arch_ops[what - NR_COMMON].nr_args;
}

static uint32_t kind_weight(uint32_t what)
{
	return what < NR_COMMON ? common_ops[what].weight :
				  twin_arch_ops[what - NR_COMMON].weight;
}

/* The lines that @op may unmask. */
static uint64_t unmasked_lines(const struct twin_op *op)
{
	uint64_t (*unmasks)(const int *arg) = NULL;

	if (op->what >= NR_COMMON)
		unmasks = twin_arch_ops[op->what - NR_COMMON].unmasks;
	return unmasks ? unmasks(op->arg) : 0;
}

static void print_op(const struct twin_op *op, char *text, size_t size)
{
	int n = snprintf(text, size, "%s", kind_name(op->what));
	uint32_t i;

	for (i = 0; i < kind_args(op->what); i++) {
		if (op->what == ROUTE && i == 1)
			n += snprintf(text + n, size - n, " %s", op->arg[i] < 0 ?
				      "none" : twin_targets[op->arg[i]].name);
		else
			n += snprintf(text + n, size - n, " %d", op->arg[i]);
	}
}

static int parse_target(const char *name)
{
	uint32_t i;

	for (i = 0; i < twin_nr_targets; i++)
		if (!strcmp(twin_targets[i].name, name))
			return i;
	TEST_ASSERT(!strcmp(name, "none"), "no target %s", name);
	return -1;
}

/* Return: how many. */
static uint32_t parse(const char *text, struct twin_op *ops)
{
	char *copy = strdup(text), *rest = copy, *one, *word;
	struct twin_op *op;
	uint32_t nr = 0, i;

	while ((one = strsep(&rest, ";\n"))) {
		word = strtok(one, " \t");
		if (!word)
			continue;
		TEST_ASSERT(nr < MAX_OPS, "more than %u operations", MAX_OPS);
		op = &ops[nr++];
		memset(op, 0, sizeof(*op));
		while (op->what < nr_kinds() && strcmp(word, kind_name(op->what)))
			op->what++;
		TEST_ASSERT(op->what < nr_kinds(), "no operation %s", word);
		for (i = 0; i < kind_args(op->what); i++) {
			word = strtok(NULL, " \t");
			TEST_ASSERT(word, "%s has %u arguments",
				    kind_name(op->what), kind_args(op->what));
			op->arg[i] = op->what == ROUTE && i == 1 ?
				     parse_target(word) : strtol(word, NULL, 0);
		}
	}
	free(copy);
	return nr;
}

/* A GSI has two resamplefds of its own, so that a signal says whose EOI it was. */
static void choose_binding(struct irqx_random *random, struct twin_op *op)
{
	op->arg[1] = irqx_random_below(random, TWIN_GSIS);
	op->arg[2] = irqx_random_below(random, 3) ?
		     2 * op->arg[1] + (int)irqx_random_below(random, 2) : -1;
}

static void choose(struct irqx_random *random, struct twin_op *op)
{
	uint32_t what, sum = 0, n;

	for (what = 0; what < nr_kinds(); what++)
		sum += kind_weight(what);
	n = irqx_random_below(random, sum);
	for (what = 0; n >= kind_weight(what); what++)
		n -= kind_weight(what);

	memset(op, 0, sizeof(*op));
	op->what = what;
	switch (what) {
	case ROUTE:
		op->arg[0] = irqx_random_below(random, TWIN_GSIS);
		op->arg[1] = (int)irqx_random_below(random, twin_nr_targets + 1) - 1;
		break;
	case ASSIGN:
		op->arg[0] = irqx_random_below(random, TWIN_FDS);
		choose_binding(random, op);
		break;
	case DEASSIGN:
		op->arg[0] = irqx_random_below(random, TWIN_FDS);
		op->arg[1] = irqx_random_below(random, TWIN_GSIS);
		break;
	case FIRE:
		op->arg[0] = irqx_random_below(random, TWIN_FDS);
		break;
	case LINE:
		op->arg[0] = irqx_random_below(random, TWIN_GSIS);
		op->arg[1] = irqx_random_below(random, 3) == 0;
		break;
	case RUN:
		op->arg[0] = irqx_random_below(random, TWIN_VCPUS);
		break;
	default:
		if (twin_arch_ops[what - NR_COMMON].choose)
			twin_arch_ops[what - NR_COMMON].choose(random, op->arg);
	}
}

/*
 * What an operation would do, from what is known of both VMs
 */

static const struct twin_target *target_of(struct pair *p, int gsi)
{
	int target = p->twins[0].route[gsi];

	return target < 0 ? NULL : &twin_targets[target];
}

static uint32_t nr_resamplers(struct pair *p, int gsi)
{
	uint32_t nr = 0;
	int i;

	for (i = 0; i < TWIN_FDS; i++)
		nr += p->twins[0].gsi_of[i] == gsi && p->ack_of[i] >= 0;
	return nr;
}

static bool gsi_resamples(struct pair *p, int gsi)
{
	return nr_resamplers(p, gsi);
}

static bool gsi_is_bound(struct pair *p, int gsi)
{
	int i;

	for (i = 0; i < TWIN_FDS; i++)
		if (p->twins[0].gsi_of[i] == gsi)
			return true;
	return false;
}

/* Which line of @target has another GSI but @gsi? */
static uint64_t taken_lines(struct pair *p, int gsi, const struct twin_target *target)
{
	const struct twin_target *other;
	uint64_t lines = 0;
	int i;

	for (i = 0; i < TWIN_GSIS; i++) {
		other = target_of(p, i);
		if (i != gsi && other)
			lines |= other->lines & target->lines;
	}
	return lines;
}

/* The lines of a GSI's route that are up; one that holds nothing may be, too. */
static uint64_t lines_up(struct pair *p, const struct twin_target *target)
{
	return target ? target->lines & twin_lines_up(p->seen[0].words) : 0;
}

/* Is one of @lines held by KVM_IRQ_LINE, and has a resamplefd? */
static bool held_and_resamples(struct pair *p, uint64_t lines)
{
	const struct twin_target *target;
	int i;

	for (i = 0; i < TWIN_GSIS; i++) {
		target = target_of(p, i);
		if (target && target->lines & lines && p->line & 1U << i &&
		    gsi_resamples(p, i))
			return true;
	}
	return false;
}

/* Is one of @lines one of several of a GSI that an irqfd asserts? */
static bool asserted_on_two(struct pair *p, uint64_t lines)
{
	const struct twin_target *target;
	int i;

	for (i = 0; i < TWIN_GSIS; i++) {
		target = target_of(p, i);
		if (target && target->lines & lines && target->nr > 1 &&
		    gsi_resamples(p, i) &&
		    (p->asserted & 1U << i || lines_up(p, target)))
			return true;
	}
	return false;
}

/* Lines with a resamplefd. */
static uint64_t resampled_lines(struct pair *p)
{
	const struct twin_target *target;
	uint64_t lines = 0;
	int i;

	for (i = 0; i < TWIN_GSIS; i++) {
		target = target_of(p, i);
		if (target && gsi_resamples(p, i))
			lines |= target->lines;
	}
	return lines;
}

/* The lines of a GSI's route that are levels, where KVM keeps one of each line. */
static uint64_t levels_of(struct pair *p, const struct twin_target *target)
{
	return target ? target->lines & twin_lines_of_levels(p->seen[0].words) : 0;
}

static bool may_end(const struct twin_op *op)
{
	return op->what >= NR_COMMON ? twin_arch_ops[op->what - NR_COMMON].ends :
				       op->what == RUN;
}

/* Return: the difference on purpose that @op would meet. */
static enum difference meets(struct pair *p, const struct twin_op *op)
{
	const struct twin_target *to, *from;
	int gsi, fd = op->arg[0];

	if (may_end(op) && p->listened & ~resampled_lines(p) &
			   twin_lines_from_levels(p->seen[0].words))
		return STILL_LISTENED_TO;
	if (may_end(op) &&
	    held_and_resamples(p, twin_lines_that_may_end(p->seen[0].words, op->arg[0],
							  op->what == RUN)))
		return HELD_BY_BOTH;
	switch (op->what) {
	case ROUTE:
		gsi = op->arg[0];
		from = target_of(p, gsi);
		to = op->arg[1] < 0 ? NULL : &twin_targets[op->arg[1]];
		if (to && taken_lines(p, gsi, to))
			return TWO_GSIS_OF_A_LINE;
		if (to && to->no_eoi && gsi_resamples(p, gsi))
			return RESAMPLE_WITHOUT_EOI;
		if (from && from->no_level && !from->no_eoi && to != from)
			return SINT_LEFT;
		if (from && to != from &&
		    ((p->line | p->asserted | p->let_go) & 1U << gsi ||
		     (gsi_resamples(p, gsi) && lines_up(p, from))))
			return LEVEL_REROUTED;
		break;
	case ASSIGN:
		to = target_of(p, op->arg[1]);
		if (to && to->no_eoi && op->arg[2] >= 0)
			return RESAMPLE_WITHOUT_EOI;
		if (op->arg[2] >= 0 && p->twins[0].gsi_of[fd] >= 0 &&
		    !gsi_resamples(p, op->arg[1]))
			return FAILED_ASSIGN;
		/* What is in the eventfd counts as an event. */
		if (!(p->seen[0].full & 1U << fd))
			break;
		if (!to && op->arg[2] >= 0)
			return EVENT_WITHOUT_ROUTE;
		if (op->arg[2] < 0 && levels_of(p, to))
			return RAISED_AT_ASSIGN;
		if (op->arg[2] < 0 && !twin_one_level && p->line & 1U << op->arg[1])
			return PULSE_ON_A_HELD_LINE;
		if (op->arg[2] < 0 && p->let_go & 1U << op->arg[1])
			return UNMASKING_LETS_GO;
		break;
	case DEASSIGN:
		gsi = op->arg[1];
		if (p->twins[0].gsi_of[fd] == gsi && p->ack_of[fd] >= 0 &&
		    p->asserted & 1U << gsi && nr_resamplers(p, gsi) > 1)
			return ONE_OF_TWO_LEAVES;
		if (p->twins[0].gsi_of[fd] == gsi && p->ack_of[fd] >= 0 &&
		    nr_resamplers(p, gsi) == 1 &&
		    held_and_resamples(p, levels_of(p, target_of(p, gsi))))
			return HELD_BY_BOTH;
		break;
	case FIRE:
		gsi = p->twins[0].gsi_of[fd];
		if (gsi < 0)
			break;
		if (!target_of(p, gsi) && p->ack_of[fd] >= 0)
			return EVENT_WITHOUT_ROUTE;
		if (p->ack_of[fd] < 0 && !twin_one_level && p->line & 1U << gsi)
			return PULSE_ON_A_HELD_LINE;
		if (p->ack_of[fd] < 0 && p->let_go & 1U << gsi)
			return UNMASKING_LETS_GO;
		break;
	case LINE:
		/* A level is remembered, as an event is. */
		if (!target_of(p, op->arg[0]) && op->arg[1])
			return EVENT_WITHOUT_ROUTE;
		if (p->let_go & 1U << op->arg[0])
			return UNMASKING_LETS_GO;
		if (!op->arg[1] && p->asserted & 1U << op->arg[0] &&
		    levels_of(p, target_of(p, op->arg[0])))
			return HELD_BY_BOTH;
		break;
	default:
		if (held_and_resamples(p, unmasked_lines(op)))
			return UNMASKED_WHILE_HELD;
		if (asserted_on_two(p, unmasked_lines(op)))
			return UNMASKING_LETS_GO;
	}
	return NONE;
}

/* A direct binding has one entry, always. */
static bool fits_way(struct pair *p, const struct twin_op *op)
{
	if (p->twins[1].way != TWIN_DIRECT)
		return true;
	if (op->what == ROUTE)
		return op->arg[1] >= 0 ? twin_targets[op->arg[1]].nr == 1 :
					 !gsi_is_bound(p, op->arg[0]);
	if (op->what == ASSIGN)
		return target_of(p, op->arg[1]);
	return true;
}

/*
 * Doing and seeing
 */

static void look(struct twin *twin, struct seen *seen)
{
	struct pollfd polls[TWIN_FDS];
	int i;

	for (i = 0; i < TWIN_ACKS; i++)
		seen->acks[i] += irqx_eventfd_take(twin->acks[i]);
	for (i = 0; i < TWIN_FDS; i++)
		polls[i] = (struct pollfd){ .fd = twin->fds[i], .events = POLLIN };
	poll(polls, TWIN_FDS, 0);
	seen->full = 0;
	for (i = 0; i < TWIN_FDS; i++)
		seen->full |= (polls[i].revents & POLLIN ? 1U : 0) << i;
	twin_look(twin, seen->words);
}

static void do_op(struct twin *twin, const struct twin_op *op, struct seen *seen)
{
	const int *arg = op->arg;
	struct twin_cpu *cpu;

	memset(seen, 0, sizeof(*seen));
	switch (op->what) {
	case ROUTE:
		seen->err = twin_route(twin, arg[0], arg[1]);
		break;
	case ASSIGN:
		seen->err = twin_assign(twin, arg[0], arg[1], arg[2]);
		break;
	case DEASSIGN:
		seen->err = twin_deassign(twin, arg[0], arg[1]);
		break;
	case FIRE:
		seen->err = __irqx_fire(twin->fds[arg[0]]);
		break;
	case LINE:
		seen->err = twin_line(twin, arg[0], arg[1], &seen->status);
		break;
	case RUN:
		twin_run(twin, arg[0], 0, 0, 0, true);
		cpu = twin_cpu(twin, arg[0]);
		seen->nr_taken[arg[0]] = cpu->nr_taken;
		memcpy(seen->taken[arg[0]], cpu->taken,
		       sizeof(*cpu->taken) * (cpu->nr_taken < TWIN_TAKEN ?
					      cpu->nr_taken : TWIN_TAKEN));
		break;
	default:
		seen->err = twin_arch_ops[op->what - NR_COMMON].run(twin, arg);
	}
	if (!twin->kvms)
		irqx_settle(twin->file);
	twin_settle(twin);
	/* KVM has made an event of what was in there, and left it there. */
	if (op->what == ASSIGN && twin->kvms && !seen->err)
		irqx_eventfd_take(twin->fds[arg[0]]);
	look(twin, seen);
}

static bool seen_alike(struct pair *p)
{
	return !memcmp(&p->seen[0], &p->seen[1], sizeof(p->seen[0]));
}

static void say_difference(const struct seen *kvms, const struct seen *ours, char *text,
			   size_t size)
{
	char name[64];
	uint32_t i, k;

	for (i = 0; i < TWIN_VCPUS; i++)
		for (k = 0; k < TWIN_TAKEN; k++)
			if (kvms->taken[i][k] != ours->taken[i][k]) {
				snprintf(text, size,
					 "vCPU %u's interrupt %u is 0x%x with KVM, 0x%x here (%u, %u in all)",
					 i, k, kvms->taken[i][k], ours->taken[i][k],
					 kvms->nr_taken[i], ours->nr_taken[i]);
				return;
			}
	for (i = 0; i < TWIN_ACKS; i++)
		if (kvms->acks[i] != ours->acks[i]) {
			snprintf(text, size, "resamplefd %u: %u signals with KVM, %u here",
				 i, kvms->acks[i], ours->acks[i]);
			return;
		}
	for (i = 0; i < TWIN_WORDS; i++)
		if (kvms->words[i] != ours->words[i]) {
			twin_name_word(i, name, sizeof(name));
			snprintf(text, size, "%s: 0x%lx with KVM, 0x%lx here", name,
				 kvms->words[i], ours->words[i]);
			return;
		}
	if (kvms->err != ours->err)
		snprintf(text, size, "%s with KVM, %s here", strerror(kvms->err),
			 strerror(ours->err));
	else if (kvms->status != ours->status)
		snprintf(text, size, "status %d with KVM, %d here", kvms->status,
			 ours->status);
	else
		snprintf(text, size, "eventfds with a count 0x%x with KVM, 0x%x here",
			 kvms->full, ours->full);
}

/* What is known of both VMs after @op; @full: eventfds that had a count before. */
static void note(struct pair *p, const struct twin_op *op, uint32_t full)
{
	const bool unmasks = unmasked_lines(op);
	int fd = op->arg[0], gsi, i;

	if (op->what == LINE && !p->seen[0].err) {
		p->line &= ~(1U << op->arg[0]);
		p->line |= (op->arg[1] ? 1U : 0) << op->arg[0];
	}
	if (op->what == ASSIGN && !p->seen[0].err)
		p->ack_of[fd] = op->arg[2];

	if (op->what == FIRE || (op->what == ASSIGN && full & 1U << fd)) {
		gsi = p->twins[0].gsi_of[fd];
		if (gsi >= 0 && p->ack_of[fd] >= 0)
			p->asserted |= 1U << gsi;
	}
	for (i = 0; i < TWIN_FDS; i++) {
		gsi = p->twins[0].gsi_of[i];
		if (gsi < 0 || p->ack_of[i] < 0 ||
		    !p->seen[0].acks[p->ack_of[i]])
			continue;
		if (unmasks && p->asserted & 1U << gsi)
			p->let_go |= 1U << gsi;
		else if (!unmasks)
			p->let_go &= ~(1U << gsi);
		p->asserted &= ~(1U << gsi);
	}
	p->let_go &= ~p->asserted;
	for (i = 0; i < TWIN_GSIS; i++) {
		if (gsi_resamples(p, i))
			continue;
		p->asserted &= ~(1U << i);
		p->let_go &= ~(1U << i);
	}

	p->listened |= resampled_lines(p);

	for (i = 0; i < TWIN_VCPUS; i++)
		p->interrupts += p->seen[0].nr_taken[i];
	for (i = 0; i < TWIN_ACKS; i++)
		p->acks += p->seen[0].acks[i];
}

/* Return: false if they differ. */
static bool step(struct pair *p, const struct twin_op *op)
{
	const uint32_t full = p->seen[0].full;
	uint64_t end;
	int i;

	for (i = 0; i < 2; i++)
		do_op(&p->twins[i], op, &p->seen[i]);
	if (!seen_alike(p)) {
		/* Some of it is for a work queue, and may come later. */
		end = irqx_now_ns() + LATE_MS * 1000000ULL;
		do {
			usleep(100);
			for (i = 0; i < 2; i++)
				look(&p->twins[i], &p->seen[i]);
		} while (!seen_alike(p) && irqx_now_ns() < end);
	}
	if (!seen_alike(p))
		return false;

	note(p, op, full);
	return true;
}

static void pair_create(struct pair *p, enum twin_way way)
{
	int i;

	memset(p, 0, sizeof(*p));
	for (i = 0; i < 2; i++)
		twin_create(&p->twins[i], !i, way);
	for (i = 0; i < 2; i++)
		look(&p->twins[i], &p->seen[i]);
	TEST_ASSERT(seen_alike(p), "they differ before anything is done");
}

static void pair_free(struct pair *p)
{
	twin_free(&p->twins[0]);
	twin_free(&p->twins[1]);
}

static uint32_t play_once(struct pair *p, enum twin_way way,
			  const struct twin_op *ops, uint32_t nr,
			  enum difference wanted)
{
	enum difference difference;
	uint32_t i;

	pair_create(p, way);
	for (i = 0; i < nr; i++) {
		if (!fits_way(p, &ops[i])) {
			p->skipped[NONE]++;
			continue;
		}
		difference = meets(p, &ops[i]);
		if (difference != NONE && difference != wanted &&
		    is_documented(difference)) {
			p->skipped[difference]++;
			continue;
		}
		if (!step(p, &ops[i]))
			return i;
	}
	return nr;
}

/* Runs that were made again. */
static uint32_t nr_taken_twice;

/* Is all that differs one interrupt, which came once more in one of the VMs? */
static bool taken_twice(const struct pair *p)
{
	const struct seen *more, *fewer;
	uint32_t i, k, n;

	for (i = 0; i < TWIN_VCPUS; i++) {
		more = &p->seen[p->seen[1].nr_taken[i] > p->seen[0].nr_taken[i]];
		fewer = &p->seen[more == &p->seen[0]];
		n = fewer->nr_taken[i];
		if (more->nr_taken[i] != n + 1 || n + 1 > TWIN_TAKEN)
			continue;
		for (k = 0; k < n && more->taken[i][k] == fewer->taken[i][k]; k++)
			;
		return k && more->taken[i][k] == more->taken[i][k - 1] &&
		       !memcmp(more->taken[i] + k + 1, fewer->taken[i] + k,
			       (n - k) * sizeof(fewer->taken[i][0]));
	}
	return false;
}

/*
 * Does @ops on a new pair.  What would meet a difference on purpose is left out, but
 * for @wanted, and so is what @way cannot say.  A run in which QEMU's CPU has taken an
 * interrupt twice (testing.rst section 5) is made again; a VM that does so every time is
 * not excused.
 *
 * Return: @nr, or the first operation that they differ after; *p is as it was then,
 * and has to be freed.
 */
static uint32_t play(struct pair *p, enum twin_way way, const struct twin_op *ops,
		     uint32_t nr, enum difference wanted)
{
	uint32_t end, tries;

	for (tries = 0;; tries++) {
		end = play_once(p, way, ops, nr, wanted);
		if (end == nr || tries == 3 || !taken_twice(p))
			return end;
		pair_free(p);
		nr_taken_twice++;
	}
}

/*
 * The shortest that still shows a difference: without ever smaller parts, as long as
 * that helps.  Return: how many are left of @nr.
 */
static uint32_t shrink(enum twin_way way, struct twin_op *ops, uint32_t nr)
{
	struct twin_op *fewer = calloc(MAX_OPS, sizeof(*fewer));
	struct pair *p = malloc(sizeof(*p));
	uint32_t size, at, left, end;
	bool shorter;

	TEST_ASSERT(fewer && p, "no memory");
	for (size = nr / 2; size; size = shorter && size == 1 ? 1 : size / 2) {
		shorter = false;
		for (at = 0; at + size < nr;) {
			memcpy(fewer, ops, at * sizeof(*ops));
			left = nr - size;
			memcpy(fewer + at, ops + at + size,
			       (left - at) * sizeof(*ops));
			end = play(p, way, fewer, left, NONE);
			pair_free(p);
			if (end < left) {
				nr = end + 1;
				memcpy(ops, fewer, nr * sizeof(*ops));
				shorter = true;
			} else {
				at += size;
			}
		}
	}
	free(fewer);
	free(p);
	return nr;
}

static const char *const way_names[TWIN_WAYS] = { "table", "route", "direct" };

/*
 * Scenarios
 */

FIXTURE(twin)
{
	struct pair *p;
	struct twin_op *ops;
};

FIXTURE_SETUP(twin)
{
	/* twin_settle() counts on it. */
	irqx_on_cpu(-1);
	self->p = malloc(sizeof(*self->p));
	self->ops = calloc(MAX_OPS, sizeof(*self->ops));
	ASSERT_NE(NULL, self->p);
	ASSERT_NE(NULL, self->ops);
}

FIXTURE_TEARDOWN(twin)
{
	free(self->p);
	free(self->ops);
}

static void say_ops(struct __test_metadata *_metadata, const struct twin_op *ops,
		    uint32_t nr)
{
	char text[64];
	uint32_t i;

	for (i = 0; i < nr; i++) {
		print_op(&ops[i], text, sizeof(text));
		TH_LOG("%s;", text);
	}
}

static void say(struct __test_metadata *_metadata, struct pair *p,
		const struct twin_op *ops, uint32_t nr)
{
	char text[256];

	say_ops(_metadata, ops, nr);
	say_difference(&p->seen[0], &p->seen[1], text, sizeof(text));
	TH_LOG("%s", text);
}

/* No difference, in whatever way the module is told. */
static void expect_alike(struct __test_metadata *_metadata, struct pair *p,
			 struct twin_op *ops, const char *text, uint64_t interrupts,
			 uint64_t acks)
{
	uint32_t nr = parse(text, ops), way, end;

	for (way = 0; way < TWIN_WAYS; way++) {
		end = play(p, way, ops, nr, NONE);
		pair_free(p);
		if (end < nr) {
			TH_LOG("by %s:", way_names[way]);
			say(_metadata, p, ops, end + 1);
		}
		ASSERT_EQ(nr, end);
		if (p->skipped[NONE])
			continue;
		EXPECT_EQ(interrupts, p->interrupts);
		EXPECT_EQ(acks, p->acks);
	}
}

/* The last operation shows it, and nothing before it shows any. */
static void expect_difference(struct __test_metadata *_metadata, struct pair *p,
			      struct twin_op *ops, enum difference difference,
			      const char *text)
{
	uint32_t nr = parse(text, ops), end, i;

	ASSERT_TRUE(is_documented(difference));
	if (!irqx_kernel_since(6, 4) && (difference == UNMASKED_WHILE_HELD ||
					 difference == UNMASKING_LETS_GO))
		SKIP(return, "KVM asks no resamplefd at an unmasking before 6.4");
	end = play(p, TWIN_TABLE, ops, nr, difference);
	pair_free(p);
	for (i = 0; i < NR_DIFFERENCES; i++)
		EXPECT_EQ(0, p->skipped[i]);
	if (end != nr - 1)
		say(_metadata, p, ops, end < nr ? end + 1 : nr);
	EXPECT_EQ(nr - 1, end);
}

#define IDENTICAL(name, interrupts, acks, text)				\
TEST_F_TIMEOUT(twin, name, 60)						\
{									\
	expect_alike(_metadata, self->p, self->ops, text, interrupts, acks);\
}

#define DIFFERENT(name, difference, text)				\
TEST_F_TIMEOUT(twin, name, 60)						\
{									\
	expect_difference(_metadata, self->p, self->ops, difference, text);\
}

#include "scenarios.h"

/*
 * At random
 */

struct totals {
	uint64_t ops;
	uint64_t scenarios;
	uint64_t interrupts;
	uint64_t acks;
	uint64_t skipped[NR_DIFFERENCES + 1];
	uint64_t once;			/* differences that did not come again */
};

static void choose_all(struct irqx_random *random, struct twin_op *ops)
{
	uint32_t i;

	for (i = 0; i < MAX_OPS; i++)
		choose(random, &ops[i]);
	/* What is neither routed nor bound does little. */
	for (i = 0; i < TWIN_GSIS; i++)
		ops[i] = (struct twin_op){
			.what = ROUTE,
			.arg = { i, irqx_random_below(random, twin_nr_targets) },
		};
	for (i = 0; i < TWIN_FDS; i++) {
		ops[TWIN_GSIS + i] = (struct twin_op){ .what = ASSIGN, .arg = { i } };
		choose_binding(random, &ops[TWIN_GSIS + i]);
	}
}

/* Does what differed once differ again, from the beginning? */
static bool comes_again(struct pair *p, enum twin_way way, const struct twin_op *ops,
			uint32_t nr)
{
	uint32_t i, end = nr;

	for (i = 0; i < AGAIN && end == nr; i++) {
		end = play(p, way, ops, nr, NONE);
		pair_free(p);
	}
	return end < nr;
}

/* Return: false if they differed. */
static bool random_scenario(struct __test_metadata *_metadata, struct pair *p,
			    struct twin_op *ops, uint64_t seed, uint64_t n,
			    struct totals *totals)
{
	struct irqx_random random = irqx_random(seed, n);
	enum twin_way way = n % TWIN_WAYS;
	char text[256], last[64];
	uint32_t end, nr, i;

	choose_all(&random, ops);
	end = play(p, way, ops, MAX_OPS, NONE);
	pair_free(p);
	totals->scenarios++;
	totals->interrupts += p->interrupts;
	totals->acks += p->acks;
	totals->ops += end;
	for (i = 0; i <= NR_DIFFERENCES; i++) {
		totals->ops -= p->skipped[i];
		totals->skipped[i] += p->skipped[i];
	}
	if (end == MAX_OPS)
		return true;

	/* It may not come again. */
	say_difference(&p->seen[0], &p->seen[1], text, sizeof(text));
	print_op(&ops[end], last, sizeof(last));
	TH_LOG("scenario %lu of SEED=%lu, by %s, after operation %u, %s: %s", n, seed,
	       way_names[way], end, last, text);

	if (!comes_again(p, way, ops, end + 1)) {
		TH_LOG("not again in %u times:", AGAIN);
		say_ops(_metadata, ops, end + 1);
		return ++totals->once <= 1 + totals->ops / OPS_FOR_ONCE;
	}

	nr = shrink(way, ops, end + 1);
	TH_LOG("cut down to:");
	/* Once more, for what is seen. */
	end = play(p, way, ops, nr, NONE);
	pair_free(p);
	say(_metadata, p, ops, end < nr ? end + 1 : nr);
	return false;
}

TEST_F_TIMEOUT(twin, random, 4 * 3600)
{
	uint64_t seed = irqx_env("SEED", (uint32_t)irqx_now_ns());
	uint64_t wanted = irqx_env("OPS", 0), n = irqx_env("FROM", 0), end;
	struct totals totals = {};
	uint64_t seconds = irqx_env("SECONDS", irqx_env("SOAK", 0) ? 7200 : 30);
	bool alike = true;
	int i;

	TH_LOG("SEED=%lu", seed);
	end = irqx_now_ns() + seconds * 1000000000;
	do {
		alike = random_scenario(_metadata, self->p, self->ops, seed, n++,
					&totals);
	} while (alike && (wanted ? totals.ops < wanted : irqx_now_ns() < end));

	TH_LOG("SEED=%lu: %lu operations, %lu scenarios, %lu interrupts, %lu signals",
	       seed, totals.ops, totals.scenarios, totals.interrupts, totals.acks);
	TH_LOG("made again, since an interrupt was taken twice: %u", nr_taken_twice);
	TH_LOG("differences that did not come again: %lu", totals.once);
	for (i = 0; i < NR_DIFFERENCES; i++)
		TH_LOG("%s: left out %lu times", difference_names[i],
		       totals.skipped[i]);
	EXPECT_TRUE(alike);
	EXPECT_LT(0, totals.interrupts);
	EXPECT_LT(0, totals.acks);
}

TEST_F_TIMEOUT(twin, by_hand, 600)
{
	const char *text = getenv("SCENARIO");
	enum twin_way way = irqx_env("WAY", 0);
	uint32_t nr, end;

	if (!text)
		SKIP(return, "no SCENARIO");
	nr = parse(text, self->ops);
	end = play(self->p, way, self->ops, nr, NONE);
	pair_free(self->p);
	if (end < nr)
		say(_metadata, self->p, self->ops, end + 1);
	TH_LOG("%lu interrupts, %lu signals", self->p->interrupts, self->p->acks);
	EXPECT_EQ(nr, end);
}

TEST_HARNESS_MAIN

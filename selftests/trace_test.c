// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints: which records an action leaves, and what is in them.
 */
#include <ctype.h>
#include <sched.h>
#include <sys/stat.h>

#include "irqx_dynirq.h"
#include "irqx_harness.h"

void irqx_guest_wait(void)
{
	irqx_table_guest();
}

void irqx_vcpu_exit(struct irqx_vcpu *v)
{
	irqx_table_exit(v);
}

/* A trace buffer of our own leaves that of the system's user alone. */
#define TRACEFS		"/sys/kernel/tracing"
#define INSTANCE	TRACEFS "/instances/irqx_trace_test"
#define EVENTS		INSTANCE "/events/kvm_irqx"

#define MAX_RECORDS	512

struct record {
	char event[32];
	char eventfd[32];	/* as printed: a hash, "" if there is none */
	char text[128];		/* the rest */
	int cpu;
};

static struct record records[MAX_RECORDS];
static int nr_records;

static bool trace_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text);
}

static void trace_clear(void)
{
	TEST_ASSERT(trace_write(INSTANCE "/trace", " "), "cannot clear the trace");
}

static void record_parse(struct record *r, const char *line)
{
	const char *p = strstr(line, ": irqx_") + 2;
	const char *end = strchr(p, ':');

	memset(r, 0, sizeof(*r));
	r->cpu = atoi(strchr(line, '[') + 1);
	snprintf(r->event, sizeof(r->event), "%.*s", (int)(end - p), p);
	p = end + 2;
	if (!strncmp(p, "eventfd ", 8)) {
		p += 8;
		end = strchr(p, ' ');
		snprintf(r->eventfd, sizeof(r->eventfd), "%.*s", (int)(end - p), p);
		p = end + 1;
	}
	snprintf(r->text, sizeof(r->text), "%.*s", (int)strcspn(p, "\n"), p);
}

/* All records since the last time. */
static void trace_take(void)
{
	FILE *f = fopen(INSTANCE "/trace", "r");
	char line[512];

	TEST_ASSERT(f, "open the trace: %s", strerror(errno));
	nr_records = 0;
	while (fgets(line, sizeof(line), f)) {
		if (line[0] == '#' || !strstr(line, ": irqx_"))
			continue;
		TEST_ASSERT(nr_records < MAX_RECORDS, "too many records");
		record_parse(&records[nr_records++], line);
	}
	fclose(f);
	trace_clear();
}

/*
 * Compares with the next records.  @eventfd is one whose printed form is
 * learned the first time, or NULL: there must be none, or a null pointer.
 */
struct traced_fd {
	char name[32];
};

struct expected {
	const char *event;
	struct traced_fd *eventfd;
	const char *text;
};

static bool is_null(const char *pointer)
{
	return strspn(pointer, "0") == strlen(pointer) || !strcmp(pointer, "(null)");
}

static bool record_matches(const struct record *r, const struct expected *e)
{
	if (strcmp(r->event, e->event) || strcmp(r->text, e->text))
		return false;
	if (!e->eventfd)
		return is_null(r->eventfd);
	if (!e->eventfd->name[0])
		strcpy(e->eventfd->name, r->eventfd);
	return !is_null(r->eventfd) && !strcmp(r->eventfd, e->eventfd->name);
}

static void expect_records(struct __test_metadata *_metadata,
			   const struct expected *expected, int nr)
{
	int i;

	trace_take();
	EXPECT_EQ(nr, nr_records);
	for (i = 0; i < nr && i < nr_records; i++) {
		EXPECT_TRUE(record_matches(&records[i], &expected[i]))
			TH_LOG("record %d: %s: eventfd '%s' %s; not %s: %s", i,
			       records[i].event, records[i].eventfd,
			       records[i].text, expected[i].event,
			       expected[i].text);
	}
	for (; i < nr_records; i++)
		TH_LOG("one more: %s: eventfd '%s' %s", records[i].event,
		       records[i].eventfd, records[i].text);
}

#define EXPECT_RECORDS(...)						\
do {									\
	const struct expected expected_[] = { __VA_ARGS__ };		\
									\
	expect_records(_metadata, expected_, ARRAY_SIZE(expected_));	\
} while (0)

#define EXPECT_NO_RECORDS()	expect_records(_metadata, NULL, 0)

/* "@what @entry @how", as the tracepoints print an entry. */
static const char *text_of(const char *what, struct kvm_irq_routing_entry entry,
			   const char *how)
{
	static char texts[16][128];
	static unsigned int next;
	char *text = texts[next++ % ARRAY_SIZE(texts)];
	bool msi = entry.type == KVM_IRQ_ROUTING_MSI;
	bool vector = entry.type == KVM_IRQX_ROUTING_VECTOR;

	snprintf(text, sizeof(texts[0]), "%s%s 0x%x 0x%x%s", what,
		 msi ? "msi" : vector ? "vector" : "irqchip",
		 msi ? entry.u.msi.address_lo : entry.u.irqchip.irqchip,
		 msi ? entry.u.msi.data : entry.u.irqchip.pin, how);
	return text;
}

#define DIRECT(entry)	text_of("direct gsi 0 ", entry, "")
#define ROUTED9(entry)	text_of("routed gsi 9 ", entry, "")
#define MASKED(gsi, entry)	text_of("masked gsi " #gsi " ", entry, "")
#define UNMASKED(gsi, entry)	text_of("unmasked gsi " #gsi " ", entry, "")
#define ATOMIC(entry)	text_of("", entry, " level 1 atomic ret 1")
#define DEFERRED(entry)	text_of("", entry, " level 1 deferred ret 1")

FIXTURE(trace)
{
	struct irqx_guest *g;
	int ctx;
	int fd;
	struct traced_fd traced;
	struct kvm_irq_routing_entry a, b, slow;
	struct irqx_table table;
};

/*
 * An instance begins with the options of the whole.  Without this one there is
 * no probe in the scheduler (for the names of tasks) to be switched on and off:
 * irqx_util.c says how badly QEMU takes that.
 */
static void make_instance(void)
{
	static const char option[] = TRACEFS "/options/record-cmd";
	char before;
	int fd = open(option, O_RDONLY);

	TEST_ASSERT(fd >= 0 && read(fd, &before, 1) == 1, "read %s", option);
	close(fd);
	trace_write(option, "0");
	rmdir(INSTANCE);	/* of a run that was killed */
	TEST_ASSERT(!mkdir(INSTANCE, 0700), "mkdir " INSTANCE ": %s",
		    strerror(errno));
	trace_write(option, before == '1' ? "1" : "0");
}

FIXTURE_SETUP(trace)
{
	if (access(TRACEFS "/events/kvm_irqx", F_OK))
		SKIP(return, "no " TRACEFS "/events/kvm_irqx");
	make_instance();

	self->g = irqx_table_guest_create(2);
	self->ctx = self->g->ctx;
	if (irqx_takes_tables())
		self->table = irqx_table_create(self->ctx, 8);
	self->fd = irqx_eventfd(0, 0);
	self->a = irqx_entry(self->g, 0, 0x40);
	self->b = irqx_entry(self->g, 1, 0x41);
	self->slow = irqx_slow_entry(self->g, 0, 0, 0x50);
	irqx_make_slow(self->g);
	irqx_make_fast(self->g, 0, 0x40);
	irqx_make_fast(self->g, 1, 0x41);
	irqx_guest_start(self->g);
	ASSERT_TRUE(trace_write(EVENTS "/enable", "1"));
	trace_clear();
}

FIXTURE_TEARDOWN(trace)
{
	trace_write(EVENTS "/enable", "0");
	rmdir(INSTANCE);
	irqx_guest_free(self->g);
}

TEST_F(trace, direct_life)
{
	irqx_bind(self->ctx, self->fd, irqx_entry(self->g, 0, 0x40));
	irqx_fire(self->fd);
	irqx_modify(self->ctx, self->fd, irqx_entry(self->g, 1, 0x41));
	irqx_fire(self->fd);
	irqx_settle(self->ctx);
	irqx_unbind(self->ctx, self->fd);
	/* no more */
	irqx_fire(self->fd);
	irqx_unbind(self->ctx, self->fd);

	EXPECT_RECORDS(
		{ "irqx_assign", &self->traced, DIRECT(self->a) },
		{ "irqx_wakeup", &self->traced, "count 1" },
		{ "irqx_inject", NULL, ATOMIC(self->a) },
		{ "irqx_modify", &self->traced, DIRECT(self->b) },
		{ "irqx_wakeup", &self->traced, "count 1" },
		{ "irqx_inject", NULL, ATOMIC(self->b) },
		{ "irqx_deassign", &self->traced, "direct gsi 0" },
	);
}

TEST_F(trace, masked)
{
	irqx_bind(self->ctx, self->fd, irqx_entry(self->g, 0, 0x40));
	irqx_mask(self->ctx, self->fd);
	irqx_mask(self->ctx, self->fd);
	irqx_fire(self->fd);
	irqx_unmask(self->ctx, self->fd);
	irqx_settle(self->ctx);
	irqx_unbind(self->ctx, self->fd);
	irqx_route_set(self->ctx, 9, irqx_entry(self->g, 0, 0x40));
	irqx_mask_gsi(self->ctx, 9);

	EXPECT_RECORDS(
		{ "irqx_assign", &self->traced, DIRECT(self->a) },
		{ "irqx_mask", NULL, MASKED(0, self->a) },
		{ "irqx_wakeup", &self->traced, "count 1" },
		{ "irqx_mask", NULL, UNMASKED(0, self->a) },
		{ "irqx_inject", NULL, ATOMIC(self->a) },
		{ "irqx_deassign", &self->traced, "direct gsi 0" },
		{ "irqx_modify", NULL, ROUTED9(self->a) },
		{ "irqx_mask", NULL, MASKED(9, self->a) },
	);
}

TEST_F(trace, pending_count)
{
	int fd = irqx_eventfd(5, 0);

	irqx_bind(self->ctx, fd, irqx_entry(self->g, 0, 0x40));
	EXPECT_EQ(sizeof(uint64_t), write(fd, &(uint64_t){ 7 }, sizeof(uint64_t)));
	EXPECT_RECORDS(
		{ "irqx_assign", &self->traced, DIRECT(self->a) },
		{ "irqx_wakeup", &self->traced, "count 5" },
		{ "irqx_inject", NULL, ATOMIC(self->a) },
		{ "irqx_wakeup", &self->traced, "count 7" },
		{ "irqx_inject", NULL, ATOMIC(self->a) },
	);
	close(fd);
}

TEST_F(trace, routed_life)
{
	struct traced_fd second = {};
	int fd = irqx_eventfd(0, 0);

	irqx_irqfd(self->ctx, self->fd, 9, 0);
	irqx_fire(self->fd);
	irqx_route_set(self->ctx, 9, irqx_entry(self->g, 1, 0x41));
	irqx_irqfd(self->ctx, fd, 9, 0);
	irqx_fire(self->fd);
	irqx_fire(fd);
	irqx_route_del(self->ctx, 9);
	irqx_irqfd(self->ctx, self->fd, 9, KVM_IRQFD_FLAG_DEASSIGN);
	irqx_irqfd(self->ctx, fd, 9, KVM_IRQFD_FLAG_DEASSIGN);

	EXPECT_RECORDS(
		{ "irqx_assign", &self->traced, "routed gsi 9 none 0x0 0x0" },
		{ "irqx_wakeup", &self->traced, "count 1" },
		{ "irqx_modify", NULL, ROUTED9(self->b) },
		{ "irqx_assign", &second, ROUTED9(self->b) },
		{ "irqx_wakeup", &self->traced, "count 1" },
		{ "irqx_inject", NULL, ATOMIC(self->b) },
		{ "irqx_wakeup", &second, "count 1" },
		{ "irqx_inject", NULL, ATOMIC(self->b) },
		{ "irqx_modify", NULL, "routed gsi 9 none 0x0 0x0" },
		{ "irqx_deassign", &self->traced, "routed gsi 9" },
		{ "irqx_deassign", &second, "routed gsi 9" },
	);
	EXPECT_NE(0, strcmp(self->traced.name, second.name));
}

TEST_F(trace, deferred)
{
	irqx_bind(self->ctx, self->fd, self->slow);
	irqx_fire(self->fd);
	irqx_settle(self->ctx);

	EXPECT_RECORDS(
		{ "irqx_assign", &self->traced, DIRECT(self->slow) },
		{ "irqx_wakeup", &self->traced, "count 1" },
		{ "irqx_inject", NULL, DEFERRED(self->slow) },
	);
	irqx_wait_count(self->g, 0, 0x50, 1);
}

/*
 * ---- A vector of a table ----
 */

#define VECTOR	3

/* "@what @message @how" */
static const char *message_text(const char *what, struct irqx_vector_message message,
				const char *how)
{
	return text_of(what, (struct kvm_irq_routing_entry){
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi.address_lo = message.address,
		.u.msi.address_hi = message.address >> 32,
		.u.msi.data = message.data,
	}, how);
}

#define SENT(message)		message_text("direct gsi 0 ", message, "")
#define HELD(message)		message_text("masked gsi 0 ", message, "")
#define LET_GO(message)		message_text("unmasked gsi 0 ", message, "")
#define ARRIVED(message)	message_text("", message, " level 1 atomic ret 1")

/* Where KVM learns the way of a message when it is sent, it has. */
static void send_once(FIXTURE_DATA(trace) *self, struct irqx_vector_message message)
{
	irqx_vector_program(self->g, 0, &self->table, VECTOR, message);
	irqx_fire(self->fd);
	irqx_settle(self->ctx);
}

/* A guest's change shows as the VMM's would, without an eventfd. */
TEST_F(trace, vector_life)
{
	struct irqx_vector_message a = irqx_vector_message(self->g, 0, 0x40);
	struct irqx_vector_message b = irqx_vector_message(self->g, 1, 0x41);
	struct kvm_irq_routing_entry entry;

	if (!irqx_takes_tables())
		SKIP(return, "no ITS");
	entry = irqx_vector_entry(&self->table, VECTOR);
	irqx_bind(self->ctx, self->fd, entry);
	EXPECT_RECORDS({ "irqx_assign", &self->traced, DIRECT(entry) });
	send_once(self, a);
	send_once(self, b);
	trace_clear();

	irqx_vector_program(self->g, 0, &self->table, VECTOR, a);
	irqx_fire(self->fd);
	EXPECT_RECORDS(
		{ "irqx_mask", NULL, HELD(b) },
		{ "irqx_modify", NULL, SENT(a) },
		{ "irqx_mask", NULL, LET_GO(b) },
		{ "irqx_wakeup", &self->traced, "count 1" },
		{ "irqx_inject", NULL, ARRIVED(a) },
	);

	/* Pending, and moved. */
	irqx_vector_mask(self->g, 0, &self->table, VECTOR, true);
	irqx_fire(self->fd);
	irqx_vector_program(self->g, 0, &self->table, VECTOR, b);
	/* What changes nothing shows nothing. */
	irqx_vector_mask(self->g, 0, &self->table, VECTOR, false);
	EXPECT_RECORDS(
		{ "irqx_mask", NULL, HELD(a) },
		{ "irqx_wakeup", &self->traced, "count 1" },
		{ "irqx_modify", NULL, SENT(b) },
		{ "irqx_mask", NULL, LET_GO(a) },
		{ "irqx_inject", NULL, ARRIVED(b) },
	);

	/* By the function's mask, and when nothing leads there any more. */
	irqx_table_set_flags(&self->table, IRQX_TABLE_ON | KVM_IRQX_TABLE_MASKED);
	irqx_table_set_flags(&self->table, IRQX_TABLE_ON);
	irqx_unbind(self->ctx, self->fd);
	EXPECT_RECORDS(
		{ "irqx_mask", NULL, HELD(b) },
		{ "irqx_mask", NULL, LET_GO(b) },
		{ "irqx_deassign", &self->traced, "direct gsi 0" },
		{ "irqx_mask", NULL, HELD(b) },
	);
}

TEST_F(trace, vector_is_led_to)
{
	struct kvm_irq_routing_entry entry;

	if (!irqx_takes_tables())
		SKIP(return, "no ITS");
	entry = irqx_vector_entry(&self->table, VECTOR);
	irqx_bind(self->ctx, self->fd, irqx_entry(self->g, 0, 0x40));
	irqx_modify(self->ctx, self->fd, entry);
	irqx_route_set(self->ctx, 9, entry);
	irqx_fire(self->fd);
	irqx_modify(self->ctx, self->fd, irqx_entry(self->g, 1, 0x41));
	EXPECT_RECORDS(
		{ "irqx_assign", &self->traced, DIRECT(self->a) },
		{ "irqx_modify", &self->traced, DIRECT(entry) },
		{ "irqx_modify", NULL, ROUTED9(entry) },
		{ "irqx_wakeup", &self->traced, "count 1" },
		{ "irqx_modify", &self->traced, DIRECT(self->b) },
	);
}

/* With the kernel parameter nohz_full=; the one beside it does what has to wait. */
TEST_F(trace, not_on_an_isolated_cpu)
{
	cpu_set_t before;
	char text[16] = "";
	int file, i, cpu;

	file = open("/sys/devices/system/cpu/nohz_full", O_RDONLY);
	if (file < 0 || read(file, text, sizeof(text) - 1) < 1 || !isdigit(text[0])) {
		close(file);
		SKIP(return, "no CPU is isolated");
	}
	close(file);
	cpu = atoi(text);
	before = irqx_on_cpu(cpu);

	irqx_bind(self->ctx, self->fd, self->slow);
	trace_clear();
	for (i = 0; i < 20; i++) {
		irqx_fire(self->fd);
		irqx_settle(self->ctx);
	}
	trace_take();
	sched_setaffinity(0, sizeof(before), &before);
	EXPECT_LE(40, nr_records);
	for (i = 0; i < nr_records; i++) {
		if (strstr(records[i].text, "deferred")) {
			EXPECT_NE(cpu, records[i].cpu);
		} else {
			EXPECT_EQ(cpu, records[i].cpu);
		}
	}
}

/* What has a result of its own, and what shares a GSI, is x86's only. */
#ifdef __x86_64__
TEST_F(trace, pin_is_deferred)
{
	irqx_ioapic_set(self->g->vm, 9, 0x59);
	irqx_ioapic_set(self->g->vm, 10, 0x5a | IRQX_IOAPIC_MASKED);
	irqx_bind(self->ctx, self->fd, irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 9));
	irqx_fire(self->fd);
	irqx_settle(self->ctx);
	irqx_modify(self->ctx, self->fd, irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 10));
	irqx_fire(self->fd);
	irqx_settle(self->ctx);

	EXPECT_RECORDS(
		{ "irqx_assign", &self->traced, "direct gsi 0 irqchip 0x2 0x9" },
		{ "irqx_wakeup", &self->traced, "count 1" },
		{ "irqx_inject", NULL, "irqchip 0x2 0x9 level 1 deferred ret 1" },
		{ "irqx_modify", &self->traced, "direct gsi 0 irqchip 0x2 0xa" },
		{ "irqx_wakeup", &self->traced, "count 1" },
		{ "irqx_inject", NULL, "irqchip 0x2 0xa level 1 deferred ret -1" },
	);
	irqx_wait_count(self->g, 0, 0x59, 1);
}

TEST_F(trace, undeliverable)
{
	struct kvm_irq_routing_entry never = self->a;

	never.u.msi.data = 15;
	irqx_bind(self->ctx, self->fd, self->a);
	irqx_modify(self->ctx, self->fd, never);
	irqx_route_set(self->ctx, 9, never);
	irqx_route_set(self->ctx, 9, self->b);
	EXPECT_RECORDS(
		{ "irqx_assign", &self->traced, DIRECT(self->a) },
		{ "irqx_modify", &self->traced,
		  text_of("direct gsi 0 ", never, " undeliverable") },
		{ "irqx_modify", NULL, text_of("routed gsi 9 ", never, " undeliverable") },
		{ "irqx_modify", NULL, ROUTED9(self->b) },
	);
}

#define PIC_BASE	0x60

static void pic_irq(struct ex_regs *regs)
{
	irqx_guest_pic_eoi(PIC_BASE, regs->vector);
	irqx_guest_count(regs->vector);
}

TEST_F(trace, shared_gsi_and_line)
{
	irqx_ioapic_set(self->g->vm, 3, 0x53);
	/* Not the guest's own, whose EOI is the local APIC's. */
	irqx_guest_handle(self->g->vm, PIC_BASE + 3, pic_irq);
	irqx_pic_set(self->g->vm, PIC_BASE);
	irqx_route_set(self->ctx, 70, irqx_pin_entry(KVM_IRQCHIP_IOAPIC, 3));
	irqx_route_add(self->ctx, 70, irqx_pin_entry(KVM_IRQCHIP_PIC_MASTER, 3));
	irqx_irqfd(self->ctx, self->fd, 70, 0);
	irqx_fire(self->fd);
	irqx_settle(self->ctx);
	irqx_wait_total(self->g, 2);
	EXPECT_RECORDS(
		{ "irqx_modify", NULL, "routed gsi 70 irqchip 0x2 0x3" },
		{ "irqx_modify", NULL, "routed gsi 70 irqchip 0x2 0x3" },
		{ "irqx_assign", &self->traced, "routed gsi 70 irqchip 0x2 0x3" },
		{ "irqx_wakeup", &self->traced, "count 1" },
		{ "irqx_inject", NULL, "irqchip 0x2 0x3 level 1 deferred ret 1" },
		{ "irqx_inject", NULL, "irqchip 0x0 0x3 level 1 deferred ret 1" },
	);

	irqx_irq_line(self->ctx, 70, 1);
	irqx_irq_line(self->ctx, 70, 0);
	EXPECT_RECORDS(
		{ "irqx_inject", NULL, "irqchip 0x2 0x3 level 1 deferred ret 1" },
		{ "irqx_inject", NULL, "irqchip 0x0 0x3 level 1 deferred ret 1" },
		{ "irqx_inject", NULL, "irqchip 0x2 0x3 level 0 deferred ret 1" },
		{ "irqx_inject", NULL, "irqchip 0x0 0x3 level 0 deferred ret 1" },
	);
}
#endif

/* However a binding ends, one record says so. */
TEST_F(trace, deassign_by_close)
{
	struct traced_fd others[2] = {};
	int ctx = irqx_context(self->g->vm);
	int fds[2];
	int i, seen = 0;

	irqx_bind(ctx, self->fd, irqx_entry(self->g, 0, 0x40));
	close(self->fd);
	ASSERT_TRUE(irqx_wait_irqfds(ctx, 0));
	EXPECT_RECORDS(
		{ "irqx_assign", &self->traced, DIRECT(self->a) },
		{ "irqx_deassign", &self->traced, "direct gsi 0" },
	);

	irqx_eventfds(fds, 2);
	irqx_bind(ctx, fds[0], irqx_entry(self->g, 0, 0x40));
	irqx_irqfd(ctx, fds[1], 6, 0);
	EXPECT_RECORDS(
		{ "irqx_assign", &others[0], DIRECT(self->a) },
		{ "irqx_assign", &others[1], "routed gsi 6 none 0x0 0x0" },
	);
	close(ctx);
	trace_take();
	EXPECT_EQ(2, nr_records);
	for (i = 0; i < nr_records; i++) {
		EXPECT_EQ(0, strcmp(records[i].event, "irqx_deassign"));
		seen |= !strcmp(records[i].eventfd, others[0].name) ? 1 : 0;
		seen |= !strcmp(records[i].eventfd, others[1].name) ? 2 : 0;
	}
	EXPECT_EQ(3, seen);
}

TEST_F(trace, batch)
{
	struct kvm_irqx_op ops[100] = {};
	int i;

	for (i = 0; i < 100; i++) {
		ops[i].op = KVM_IRQX_OP_ROUTE_SET;
		ops[i].entry = irqx_entry(self->g, 0, 0x40 + i);
		ops[i].entry.gsi = 1000 + i;
	}
	ops[99].pad = 1;
	EXPECT_EQ(EINVAL, __irqx_batch(self->ctx, ops, 100, NULL));
	EXPECT_EQ(EINVAL, __irqx_bind(self->ctx, self->ctx, self->a));
	EXPECT_RECORDS(
		{ "irqx_reject", NULL,
		  "KVM_IRQX_BATCH pad: must be zero, index 99 ret -22" },
		{ "irqx_reject", NULL,
		  "KVM_IRQX_IRQFD_DIRECT fd: not an eventfd, index -1 ret -22" },
	);

	ops[99].pad = 0;
	irqx_batch(self->ctx, ops, 100);
	trace_take();
	ASSERT_EQ(100, nr_records);
	for (i = 0; i < 100; i++) {
		char text[64];

		snprintf(text, sizeof(text), "routed gsi %d ", 1000 + i);
		EXPECT_EQ(0, strcmp(records[i].event, "irqx_modify"));
		EXPECT_EQ(0, strcmp(records[i].text,
				    text_of(text, irqx_entry(self->g, 0, 0x40 + i), "")));
	}
}

TEST_F(trace, one_event_at_a_time)
{
	static const char * const events[] = {
		"irqx_assign", "irqx_modify", "irqx_deassign", "irqx_wakeup",
		"irqx_inject", "irqx_mask", "irqx_reject",
	};
	char path[256];
	unsigned int i;

	ASSERT_TRUE(trace_write(EVENTS "/enable", "0"));
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		snprintf(path, sizeof(path), EVENTS "/%s/enable", events[i]);
		ASSERT_TRUE(trace_write(path, "1"))
			TH_LOG("%s", path);
		irqx_bind(self->ctx, self->fd, irqx_entry(self->g, 0, 0x40));
		irqx_modify(self->ctx, self->fd, irqx_entry(self->g, 0, 0x41));
		irqx_fire(self->fd);
		irqx_settle(self->ctx);
		irqx_mask(self->ctx, self->fd);
		irqx_unbind(self->ctx, self->fd);
		EXPECT_EQ(EBADF, __irqx_unbind(self->ctx, -1));
		ASSERT_TRUE(trace_write(path, "0"));
		trace_take();
		EXPECT_EQ(1, nr_records);
		EXPECT_EQ(0, strcmp(records[0].event, events[i]));
	}
}

/*
 * ---- Why a call fails ----
 *
 * Each row changes a call that would work.  With these it has every argument of
 * every call that can be to blame, and every reason that a program can bring about.
 */

/* Arrays have two elements; the second is the bad one. */
union call_arg {
	struct kvm_irqx_info info;
	struct kvm_irqx_stats stats;
	struct kvm_irqx_attach attach;
	struct kvm_irqx_irqfd_direct direct;
	struct {
		struct kvm_irqx_batch head;
		struct kvm_irqx_op ops[2];
	} batch;
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entries[2];
	} table;
	struct kvm_irqfd irqfd;
	struct kvm_irq_level line;
	struct kvm_irqx_synic_page page;
	struct kvm_irqx_mask mask;
	struct {
		struct kvm_irqx_get_state head;
		struct kvm_irqx_target_state states[2];
	} state;
	struct kvm_irqx_table vectors;
	struct {
		struct kvm_irqx_table_state head;
		struct kvm_irqx_vector vectors[4];
		struct kvm_irqx_dynirq_header header;
	} table_state;
	struct kvm_irqx_handle handle;
	struct {
		struct kvm_irqx_raise head;
		uint32_t handles[2];
	} raise;
	struct kvm_irqx_list list;
};

/* What is known only when the test runs; no argument has more than 32 bits. */
enum {
	SPARE_FD = 1ULL << 32,		/* an eventfd that is not bound */
	BOUND_FD,			/* one with an entry of its own */
	ROUTED_FD,			/* one on MSI_GSI */
	VM_FD,
	ATTACHED,			/* makes the call on an attached context */
	MAX_GSI,
	MAX_BATCH,
	HEADER,				/* of the call; the two halves of a pointer */
	HEADER_UPPER,
};

/* The number of a dynirq with four handles, of which the last is owned and bound. */
#define DYNIRQ		1
#define DYNIRQ_NR	4

#define MSI_GSI		30
#define LEVEL_GSI	31		/* its irqfd has a resamplefd */
#define FREE_GSI	32
#define VECTOR_GSI	33
#define HANDLE_GSI	34

struct change {
	size_t offset;
	uint64_t value;
	bool made;
};

struct refusal {
	unsigned long cmd;
	uint32_t type;			/* of the entry, MSI if 0 */
	int err;
	const char *why;
	int index;
	struct change changes[4];
};

#define AT(member, value)	{ offsetof(union call_arg, member), value, true }
/* The upper half of one of 64 bits. */
#define UPPER(member, value)	{ offsetof(union call_arg, member) + 4, value, true }
#define ROW(cmd, type, err, why, index, ...)				\
	{ cmd, type, err, why, index, { __VA_ARGS__ } }
#define PIN	KVM_IRQ_ROUTING_IRQCHIP
#define SINT	KVM_IRQ_ROUTING_HV_SINT
#define PPI	KVM_IRQX_ROUTING_PPI
#define VEC	KVM_IRQX_ROUTING_VECTOR

/* An entry, and what leads to it, is refused alike wherever it comes from. */
#define ENTRY_ROWS(cmd, index, entry)					\
	ROW(cmd, 0, EINVAL, "entry.flags: unknown flag", index,		\
	    AT(entry.flags, 1U << 31)),					\
	ROW(cmd, PIN, EINVAL, "entry.flags: unknown flag", index,	\
	    AT(entry.flags, KVM_MSI_VALID_DEVID)),			\
	ROW(cmd, 0, EINVAL, "entry.type: unknown value", index,		\
	    AT(entry.type, KVM_IRQ_ROUTING_S390_ADAPTER),		\
	    AT(entry.flags, 0)),					\
	ROW(cmd, PIN, EINVAL, "entry.u: KVM does not take it", index,	\
	    AT(entry.u.irqchip.pin, 5000))

/* Those of a new binding. */
#define BINDING_ROWS(cmd, index, binding)				\
	ENTRY_ROWS(cmd, index, binding.entry),				\
	ROW(cmd, 0, EINVAL, "flags: unknown flag", index,		\
	    AT(binding.flags, 1U << 31)),				\
	ROW(cmd, 0, EINVAL, "pad: must be zero", index,			\
	    AT(binding.pad, 1)),					\
	ROW(cmd, 0, EINVAL, "event_flag: must be zero", index,		\
	    AT(binding.event_flag, 1)),					\
	ROW(cmd, 0, EINVAL, "event_flag: out of range", index,		\
	    AT(binding.event_flag, KVM_IRQX_EVENT_FLAGS),		\
	    AT(binding.flags, KVM_IRQX_IRQFD_DIRECT_EVENT_FLAG)),	\
	ROW(cmd, 0, EINVAL, "entry.type: EVENT_FLAG needs a SINT", index, \
	    AT(binding.flags, KVM_IRQX_IRQFD_DIRECT_EVENT_FLAG)),	\
	ROW(cmd, 0, EINVAL, "entry.gsi: must be zero", index,		\
	    AT(binding.entry.gsi, 1)),					\
	ROW(cmd, 0, EINVAL, "entry.pad: must be zero", index,		\
	    AT(binding.entry.pad, 1)),					\
	ROW(cmd, 0, EINVAL, "entry.type: no EOI for a resamplefd", index, \
	    AT(binding.flags, KVM_IRQX_IRQFD_DIRECT_RESAMPLE)),		\
	ROW(cmd, PIN, EINVAL, "resamplefd: not an eventfd", index,	\
	    AT(binding.flags, KVM_IRQX_IRQFD_DIRECT_RESAMPLE),		\
	    AT(binding.resamplefd, VM_FD)),				\
	ROW(cmd, PIN, EBADF, "resamplefd: not an open file", index,	\
	    AT(binding.flags, KVM_IRQX_IRQFD_DIRECT_RESAMPLE),		\
	    AT(binding.resamplefd, -1U)),				\
	ROW(cmd, 0, EINVAL, "fd: not an eventfd", index,		\
	    AT(binding.fd, VM_FD)),					\
	ROW(cmd, 0, EBADF, "fd: not an open file", index,		\
	    AT(binding.fd, -1U)),					\
	ROW(cmd, 0, EBUSY, "fd: bound already", index,			\
	    AT(binding.fd, BOUND_FD))

/* KVM_IRQX_BATCH, whose operations are about routes. */
#define BATCH_OF_ROUTES	(KVM_IRQX_BATCH | 1UL << 32)

/* KVM_IRQX_TABLE creates one; or it sets the flags of one that is there, or gives it back. */
#define TABLE_SET	(KVM_IRQX_TABLE | 1UL << 32)
#define TABLE_DESTROY	(KVM_IRQX_TABLE | 2UL << 32)

/* An entry that leads to a vector. */
#define VECTOR_ROWS(cmd, index, entry)					\
	ROW(cmd, VEC, EINVAL, "entry.flags: unknown flag", index, AT(entry.flags, 1)), \
	ROW(cmd, VEC, EINVAL, "entry.u: must be zero", index, AT(entry.u.pad[2], 1)), \
	ROW(cmd, VEC, EINVAL, "entry.u.irqchip.irqchip: no such table", index, \
	    AT(entry.u.irqchip.irqchip, 7)),				\
	ROW(cmd, VEC, EINVAL, "entry.u.irqchip.pin: out of range", index, \
	    AT(entry.u.irqchip.pin, 8))

/* What names a binding or a GSI. */
#define PLACE_ROWS(cmd, index, place)					\
	ROW(cmd, 0, EBADF, "fd: not an open file", index, AT(place.fd, -2U)), \
	ROW(cmd, 0, EINVAL, "fd: not an eventfd", index, AT(place.fd, VM_FD)), \
	ROW(cmd, 0, ENOENT, "fd: not bound here", index,		\
	    AT(place.fd, SPARE_FD)),					\
	ROW(cmd, 0, ENOENT, "fd: has no entry of its own", index,	\
	    AT(place.fd, ROUTED_FD)),					\
	ROW(cmd, 0, EINVAL, "gsi: must be zero", index,			\
	    AT(place.gsi, MSI_GSI)),					\
	ROW(cmd, 0, ENOENT, "gsi: the GSI has no route", index,		\
	    AT(place.fd, -1U), AT(place.gsi, FREE_GSI)),		\
	ROW(cmd, 0, EINVAL, "gsi: out of range", index,			\
	    AT(place.fd, -1U), AT(place.gsi, 1U << 20))

static const struct refusal refusals[] = {
	ROW(KVM_IRQX_GET_INFO, 0, EINVAL, "argsz: too small", -1,
	    AT(info.argsz, 15)),
	ROW(KVM_IRQX_GET_STATS, 0, EINVAL, "argsz: too small", -1,
	    AT(stats.argsz, 7)),

	ROW(KVM_IRQX_ATTACH, 0, EINVAL, "flags: unknown flag", -1,
	    AT(attach.flags, 1)),
	ROW(KVM_IRQX_ATTACH, 0, EINVAL, "pad: must be zero", -1,
	    AT(attach.pad[5], 1)),
	ROW(KVM_IRQX_ATTACH, 0, EINVAL, "vm_fd: not a VM", -1,
	    AT(attach.vm_fd, SPARE_FD)),
	ROW(KVM_IRQX_ATTACH, 0, EBADF, "vm_fd: not an open file", -1,
	    AT(attach.vm_fd, -1U)),
	ROW(KVM_IRQX_ATTACH, 0, EBUSY, "context: attached already", -1,
	    AT(attach.flags, ATTACHED)),

	BINDING_ROWS(KVM_IRQX_IRQFD_DIRECT, -1, direct),
	ROW(KVM_IRQX_IRQFD_DIRECT, 0, EINVAL, "flags: flags that exclude each other", -1,
	    AT(direct.flags, KVM_IRQX_IRQFD_DIRECT_DEASSIGN | KVM_IRQX_IRQFD_DIRECT_MODIFY)),
	ROW(KVM_IRQX_IRQFD_DIRECT, 0, EINVAL, "flags: flags that exclude each other", -1,
	    AT(direct.flags, KVM_IRQX_IRQFD_DIRECT_RESAMPLE | KVM_IRQX_IRQFD_DIRECT_MODIFY)),
	ROW(KVM_IRQX_IRQFD_DIRECT, 0, EINVAL, "flags: flags that exclude each other", -1,
	    AT(direct.flags, KVM_IRQX_IRQFD_DIRECT_DEASSIGN | KVM_IRQX_IRQFD_DIRECT_EVENT_FLAG)),
	ROW(KVM_IRQX_IRQFD_DIRECT, 0, EINVAL, "cookie: must be zero", -1,
	    AT(direct.flags, KVM_IRQX_IRQFD_DIRECT_MODIFY), AT(direct.cookie, 1)),
	ROW(KVM_IRQX_IRQFD_DIRECT, 0, ENOENT, "fd: not bound here", -1,
	    AT(direct.flags, KVM_IRQX_IRQFD_DIRECT_MODIFY)),
	ROW(KVM_IRQX_IRQFD_DIRECT, 0, ENOENT, "fd: has no entry of its own", -1,
	    AT(direct.flags, KVM_IRQX_IRQFD_DIRECT_MODIFY), AT(direct.fd, ROUTED_FD)),
	ROW(KVM_IRQX_IRQFD_DIRECT, 0, EINVAL, "fd: not an eventfd", -1,
	    AT(direct.flags, KVM_IRQX_IRQFD_DIRECT_DEASSIGN), AT(direct.fd, VM_FD)),
	ROW(KVM_IRQX_IRQFD_DIRECT, 0, EINVAL, "entry.type: unknown value", -1,
	    AT(direct.flags, KVM_IRQX_IRQFD_DIRECT_MODIFY), AT(direct.fd, BOUND_FD),
	    AT(direct.entry.type, 0), AT(direct.entry.flags, 0)),

	ROW(KVM_IRQX_BATCH, 0, EINVAL, "flags: unknown flag", -1,
	    AT(batch.head.flags, 1)),
	ROW(KVM_IRQX_BATCH, 0, EINVAL, "pad: must be zero", -1,
	    AT(batch.head.pad, 1)),
	ROW(KVM_IRQX_BATCH, 0, EINVAL, "nr: out of range", -1,
	    AT(batch.head.nr, 0)),
	ROW(KVM_IRQX_BATCH, 0, EINVAL, "nr: out of range", -1,
	    AT(batch.head.nr, MAX_BATCH)),
	ROW(KVM_IRQX_BATCH, 0, EINVAL, "op_size: too small", -1,
	    AT(batch.head.op_size, KVM_IRQX_OP_SIZE_MIN - 1)),
	ROW(KVM_IRQX_BATCH, 0, EINVAL, "op_size: out of range", -1,
	    AT(batch.head.op_size, KVM_IRQX_OP_SIZE_MAX + 1)),
	BINDING_ROWS(KVM_IRQX_BATCH, 1, batch.ops[1]),
	ROW(KVM_IRQX_BATCH, 0, EINVAL, "op: unknown value", 1,
	    AT(batch.ops[1].op, 0)),
	ROW(KVM_IRQX_BATCH, 0, EINVAL, "flags: unknown flag", 1,
	    AT(batch.ops[1].op, KVM_IRQX_OP_MODIFY),
	    AT(batch.ops[1].flags, KVM_IRQX_OP_FLAG_RESAMPLE)),
	ROW(KVM_IRQX_BATCH, 0, EINVAL, "resamplefd: must be zero", 1,
	    AT(batch.ops[1].resamplefd, 1)),
	ROW(KVM_IRQX_BATCH, 0, EINVAL, "fd: must be zero", 1,
	    AT(batch.ops[1].op, KVM_IRQX_OP_ROUTE_SET)),
	ROW(KVM_IRQX_BATCH, 0, EINVAL, "entry: must be zero", 1,
	    AT(batch.ops[1].op, KVM_IRQX_OP_IRQFD)),
	ROW(KVM_IRQX_BATCH, 0, EINVAL, "entry: must be zero", 1,
	    AT(batch.ops[1].op, KVM_IRQX_OP_DEASSIGN)),
	ROW(KVM_IRQX_BATCH, 0, EINVAL, "fd: twice in the batch", 1,
	    AT(batch.ops[1].fd, SPARE_FD)),
	ROW(KVM_IRQX_BATCH, 0, ENOENT, "fd: not bound here", 1,
	    AT(batch.ops[1].op, KVM_IRQX_OP_MODIFY)),
	ROW(KVM_IRQX_BATCH, 0, ENOENT, "fd: has no entry of its own", 1,
	    AT(batch.ops[1].op, KVM_IRQX_OP_MODIFY), AT(batch.ops[1].fd, ROUTED_FD)),
	ENTRY_ROWS(BATCH_OF_ROUTES, 1, batch.ops[1].entry),
	ROW(BATCH_OF_ROUTES, 0, EINVAL, "entry.pad: must be zero", 1,
	    AT(batch.ops[1].entry.pad, 1)),
	ROW(BATCH_OF_ROUTES, 0, EINVAL, "entry.gsi: out of range", 1,
	    AT(batch.ops[1].entry.gsi, MAX_GSI)),
	ROW(BATCH_OF_ROUTES, 0, EINVAL, "entry.gsi: cannot share the GSI", 1,
	    AT(batch.ops[1].entry.gsi, MSI_GSI),
	    AT(batch.ops[1].op, KVM_IRQX_OP_ROUTE_ADD)),
	ROW(BATCH_OF_ROUTES, 0, EINVAL, "entry.type: no EOI for a resamplefd", 1,
	    AT(batch.ops[1].entry.gsi, LEVEL_GSI)),

	ENTRY_ROWS(KVM_SET_GSI_ROUTING, 1, table.entries[1]),
	ROW(KVM_SET_GSI_ROUTING, 0, EINVAL, "flags: unknown flag", -1,
	    AT(table.head.flags, 1)),
	ROW(KVM_SET_GSI_ROUTING, 0, EINVAL, "nr: out of range", -1,
	    AT(table.head.nr, MAX_GSI)),
	ROW(KVM_SET_GSI_ROUTING, 0, EINVAL, "entry.gsi: out of range", 1,
	    AT(table.entries[1].gsi, MAX_GSI)),
	ROW(KVM_SET_GSI_ROUTING, 0, EINVAL, "entry.gsi: cannot share the GSI", 1,
	    AT(table.entries[1].gsi, FREE_GSI)),
	ROW(KVM_SET_GSI_ROUTING, 0, EINVAL, "entry.type: no EOI for a resamplefd", 1,
	    AT(table.entries[1].gsi, LEVEL_GSI)),

	ROW(KVM_IRQFD, 0, EINVAL, "flags: unknown flag", -1,
	    AT(irqfd.flags, 1U << 31)),
	ROW(KVM_IRQFD, 0, EINVAL, "gsi: no EOI for a resamplefd", -1,
	    AT(irqfd.gsi, MSI_GSI), AT(irqfd.flags, KVM_IRQFD_FLAG_RESAMPLE)),
	ROW(KVM_IRQFD, 0, EINVAL, "resamplefd: not an eventfd", -1,
	    AT(irqfd.resamplefd, VM_FD), AT(irqfd.flags, KVM_IRQFD_FLAG_RESAMPLE)),
	ROW(KVM_IRQFD, 0, EINVAL, "fd: not an eventfd", -1,
	    AT(irqfd.fd, VM_FD)),
	ROW(KVM_IRQFD, 0, EINVAL, "fd: not an eventfd", -1,
	    AT(irqfd.fd, VM_FD), AT(irqfd.flags, KVM_IRQFD_FLAG_DEASSIGN)),
	ROW(KVM_IRQFD, 0, EBADF, "fd: not an open file", -1,
	    AT(irqfd.fd, -1U)),
	ROW(KVM_IRQFD, 0, EBUSY, "fd: bound already", -1,
	    AT(irqfd.fd, BOUND_FD)),

	VECTOR_ROWS(KVM_IRQX_IRQFD_DIRECT, -1, direct.entry),
	VECTOR_ROWS(KVM_IRQX_BATCH, 1, batch.ops[1].entry),
	VECTOR_ROWS(BATCH_OF_ROUTES, 1, batch.ops[1].entry),
	VECTOR_ROWS(KVM_SET_GSI_ROUTING, 1, table.entries[1]),
	ROW(KVM_IRQX_IRQFD_DIRECT, VEC, EINVAL, "flags: the mask is the guest's", -1,
	    AT(direct.flags, KVM_IRQX_IRQFD_DIRECT_MASK)),
	ROW(KVM_SET_GSI_ROUTING, VEC, EINVAL, "entry.gsi: cannot share the GSI", 1,
	    AT(table.entries[1].gsi, FREE_GSI)),

	ROW(KVM_IRQX_TABLE, 0, EINVAL, "op: unknown value", -1, AT(vectors.op, 0)),
	ROW(KVM_IRQX_TABLE, 0, EINVAL, "flags: unknown flag", -1, AT(vectors.flags, 8)),
	ROW(KVM_IRQX_TABLE, 0, EINVAL, "pad: must be zero", -1, AT(vectors.pad[0], 1)),
	ROW(KVM_IRQX_TABLE, 0, EINVAL, "nr: out of range", -1, AT(vectors.nr, 0)),
	ROW(KVM_IRQX_TABLE, 0, EINVAL, "entries: not aligned", -1,
	    AT(vectors.entries, IRQX_TABLE_GPA + 4)),
	ROW(KVM_IRQX_TABLE, 0, EINVAL, "pba: overlaps", -1,
	    AT(vectors.entries, IRQX_TABLE_GPA + 0x20000),
	    AT(vectors.pba, IRQX_TABLE_GPA + 0x20000)),
	ROW(KVM_IRQX_TABLE, 0, EEXIST, "entries: overlaps", -1,
	    AT(vectors.entries, IRQX_TABLE_GPA)),
	ROW(KVM_IRQX_TABLE, 0, EINVAL, "changefd: not an eventfd", -1,
	    AT(vectors.changefd, VM_FD)),
	ROW(TABLE_SET, 0, EINVAL, "devid: must be zero", -1, AT(vectors.devid, 1)),
	ROW(TABLE_SET, 0, ENOENT, "table: no such table", -1, AT(vectors.table, 7)),
	ROW(TABLE_DESTROY, 0, EINVAL, "changefd: must be zero", -1, AT(vectors.changefd, 1)),
	ROW(TABLE_DESTROY, 0, EBUSY, "table: something leads to its vectors", -1),

	ROW(KVM_IRQX_GET_TABLE, 0, EINVAL, "version: unknown value", -1,
	    AT(table_state.head.version, 0)),
	ROW(KVM_IRQX_GET_TABLE, 0, EINVAL, "first: out of range", -1,
	    AT(table_state.head.first, 9)),
	ROW(KVM_IRQX_GET_TABLE, 0, EINVAL, "vector_size: out of range", -1,
	    AT(table_state.head.vector_size, 23)),
	ROW(KVM_IRQX_SET_TABLE, 0, EINVAL, "changed: must be zero", -1,
	    AT(table_state.head.changed, 8)),
	ROW(KVM_IRQX_SET_TABLE, 0, EINVAL, "function: must be zero", -1,
	    AT(table_state.head.function, 1)),
	ROW(KVM_IRQX_SET_TABLE, 0, EINVAL, "state: unknown flag", 1,
	    AT(table_state.vectors[1].state, 4)),
	ROW(KVM_IRQX_SET_TABLE, 0, E2BIG, "state: in a field that is not known", 1,
	    AT(table_state.head.vector_size, 40), AT(table_state.vectors[3].address_lo, 1)),
	ROW(KVM_IRQX_GET_TABLE, 0, EINVAL, "header: the table is not a dynirq", -1,
	    AT(table_state.head.header, HEADER), UPPER(table_state.head.header, HEADER_UPPER)),
	ROW(KVM_IRQX_SET_TABLE, 0, EINVAL, "header: too small", -1,
	    AT(table_state.head.header, HEADER), UPPER(table_state.head.header, HEADER_UPPER),
	    AT(table_state.header.argsz, 23)),

	ROW(KVM_IRQX_HANDLE, 0, EINVAL, "op: unknown value", -1, AT(handle.op, 0)),
	ROW(KVM_IRQX_HANDLE, 0, EINVAL, "flags: unknown flag", -1, AT(handle.flags, 1)),
	ROW(KVM_IRQX_HANDLE, 0, EINVAL, "pad: must be zero", -1, AT(handle.pad[0], 1)),
	ROW(KVM_IRQX_HANDLE, 0, ENOENT, "table: no such table", -1, AT(handle.table, 7)),
	ROW(KVM_IRQX_HANDLE, 0, EINVAL, "table: the table is not a dynirq", -1,
	    AT(handle.table, 0)),
	ROW(KVM_IRQX_HANDLE, 0, EINVAL, "handle: out of range", -1,
	    AT(handle.handle, DYNIRQ_NR)),
	ROW(KVM_IRQX_HANDLE, 0, EBUSY, "handle: the handle has an owner", -1,
	    AT(handle.handle, 0)),
	ROW(KVM_IRQX_HANDLE, 0, ENOENT, "handle: the handle has no owner", -1,
	    AT(handle.op, KVM_IRQX_HANDLE_LABEL)),
	ROW(KVM_IRQX_HANDLE, 0, EINVAL, "handle: the handle is the dynirq's own", -1,
	    AT(handle.op, KVM_IRQX_HANDLE_LABEL), AT(handle.handle, 0)),
	ROW(KVM_IRQX_HANDLE, 0, EBUSY, "handle: something leads to its vectors", -1,
	    AT(handle.op, KVM_IRQX_HANDLE_FREE), AT(handle.handle, DYNIRQ_NR - 1),
	    AT(handle.label, 0)),
	ROW(KVM_IRQX_HANDLE, 0, EINVAL, "label: unknown value", -1, AT(handle.label, 0)),
	ROW(KVM_IRQX_HANDLE, 0, EINVAL, "label: must be zero", -1,
	    AT(handle.op, KVM_IRQX_HANDLE_GET), AT(handle.handle, 0)),

	ROW(KVM_IRQX_RAISE, 0, EINVAL, "flags: unknown flag", -1, AT(raise.head.flags, 1)),
	ROW(KVM_IRQX_RAISE, 0, EINVAL, "pad: must be zero", -1, AT(raise.head.pad[0], 1)),
	ROW(KVM_IRQX_RAISE, 0, EINVAL, "nr: out of range", -1, AT(raise.head.nr, MAX_BATCH)),
	ROW(KVM_IRQX_RAISE, 0, EINVAL, "handle: must be zero", -1, AT(raise.head.handle, 1)),
	ROW(KVM_IRQX_RAISE, 0, EINVAL, "handles: must be zero", -1, AT(raise.head.nr, 0)),
	ROW(KVM_IRQX_RAISE, 0, EINVAL, "handle: out of range", 1,
	    AT(raise.handles[1], DYNIRQ_NR)),
	ROW(KVM_IRQX_RAISE, 0, ENOENT, "table: no such table", -1, AT(raise.head.table, 7)),

	ROW(KVM_IRQX_LIST, 0, EINVAL, "flags: unknown flag", -1, AT(list.flags, 1)),
	ROW(KVM_IRQX_LIST, 0, EINVAL, "pad: must be zero", -1, AT(list.pad, 1)),
	ROW(KVM_IRQX_LIST, 0, EINVAL, "nr: out of range", -1, AT(list.nr, 0)),
	ROW(KVM_IRQX_LIST, 0, EINVAL, "binding_size: out of range", -1,
	    AT(list.binding_size, KVM_IRQX_BINDING_SIZE_MIN - 1)),

	PLACE_ROWS(KVM_IRQX_MASK, -1, mask),
	ROW(KVM_IRQX_MASK, 0, EINVAL, "gsi: the mask is the guest's", -1,
	    AT(mask.fd, -1U), AT(mask.gsi, VECTOR_GSI)),
	ROW(KVM_IRQX_MASK, 0, EINVAL, "flags: unknown flag", -1,
	    AT(mask.flags, 4 | KVM_IRQX_MASK_SET)),
	ROW(KVM_IRQX_MASK, 0, EINVAL, "flags: flags that exclude each other", -1,
	    AT(mask.flags, 0)),
	ROW(KVM_IRQX_MASK, 0, EINVAL, "flags: flags that exclude each other", -1,
	    AT(mask.flags, KVM_IRQX_MASK_SET | KVM_IRQX_MASK_CLEAR)),
	ROW(KVM_IRQX_MASK, 0, EINVAL, "pad: must be zero", -1,
	    AT(mask.pad[2], 1)),

	PLACE_ROWS(KVM_IRQX_GET_STATE, 1, state.states[1]),
	ROW(KVM_IRQX_GET_STATE, 0, EINVAL, "pad: must be zero", 1,
	    AT(state.states[1].pad, 1)),
	ROW(KVM_IRQX_GET_STATE, 0, EINVAL, "flags: unknown flag", -1,
	    AT(state.head.flags, 1)),
	ROW(KVM_IRQX_GET_STATE, 0, EINVAL, "pad: must be zero", -1,
	    AT(state.head.pad[1], 1)),
	ROW(KVM_IRQX_GET_STATE, 0, EINVAL, "nr: out of range", -1,
	    AT(state.head.nr, 0)),
	ROW(KVM_IRQX_GET_STATE, 0, EINVAL, "nr: out of range", -1,
	    AT(state.head.nr, MAX_BATCH)),
	ROW(KVM_IRQX_GET_STATE, 0, EINVAL, "state_size: unknown value", -1,
	    AT(state.head.state_size, 8)),

	ROW(KVM_IRQ_LINE_STATUS, 0, EINVAL, "irq: out of range", -1,
	    AT(line.irq, 1U << 20)),
	ROW(KVM_IRQ_LINE, 0, EINVAL, "irq: out of range", -1,
	    AT(line.irq, MAX_GSI)),

#ifdef __x86_64__
	ROW(KVM_IRQX_IRQFD_DIRECT, PPI, EINVAL, "entry.type: unknown value", -1),
	ROW(KVM_IRQX_IRQFD_DIRECT, SINT, EINVAL, "entry.u.hv_sint.sint: out of range", -1,
	    AT(direct.entry.u.hv_sint.sint, 16)),
	ROW(KVM_IRQX_IRQFD_DIRECT, SINT, EINVAL, "entry.u.hv_sint.vcpu: out of range", -1,
	    AT(direct.entry.u.hv_sint.vcpu, 1U << 20)),
	ROW(KVM_IRQX_SYNIC_PAGE, 0, EINVAL, "vp_index: out of range", -1,
	    AT(page.vp_index, 1U << 20)),
	ROW(KVM_IRQX_SYNIC_PAGE, 0, EINVAL, "flags: unknown flag", -1,
	    AT(page.flags, 2)),
	ROW(KVM_IRQX_SYNIC_PAGE, 0, EINVAL, "pad: must be zero", -1,
	    AT(page.pad[1], 1)),
	ROW(KVM_IRQX_SYNIC_PAGE, 0, EINVAL, "gpa: must be zero", -1,
	    AT(page.flags, 0)),
	ROW(KVM_IRQX_SYNIC_PAGE, 0, EINVAL, "gpa: not aligned", -1,
	    AT(page.gpa, 0x1001)),
#else
	ROW(KVM_IRQX_IRQFD_DIRECT, SINT, EINVAL, "entry.type: unknown value", -1),
	ROW(KVM_IRQX_IRQFD_DIRECT, PPI, EINVAL, "entry.u.irqchip.irqchip: out of range", -1,
	    AT(direct.entry.u.irqchip.irqchip, 2)),
	ROW(KVM_IRQX_IRQFD_DIRECT, PPI, EINVAL, "entry.u.irqchip.pin: out of range", -1,
	    AT(direct.entry.u.irqchip.pin, 15)),
	ROW(KVM_IRQX_IRQFD_DIRECT, PPI, EINVAL, "entry.u: must be zero", -1,
	    AT(direct.entry.u.pad[2], 1)),
	/* the guest's timer */
	ROW(KVM_IRQX_IRQFD_DIRECT, PPI, EBUSY, "entry.u.irqchip.pin: KVM uses it", -1,
	    AT(direct.entry.u.irqchip.pin, 27)),
#endif
};

static struct kvm_irq_routing_entry base_entry(FIXTURE_DATA(trace) *self,
					       uint32_t type, uint32_t gsi)
{
	struct kvm_irq_routing_entry entry = { .type = type };

	switch (type) {
	case PIN:
		entry = irqx_pin_entry(IRQX_IRQCHIP, 5);
		break;
	case SINT:
		break;
	case PPI:
		entry.u.irqchip.pin = 20;
		break;
	case VEC:
		entry = irqx_vector_entry(&self->table, VECTOR);
		break;
	default:
		entry = self->a;
	}
	entry.gsi = gsi;
	return entry;
}

/* A call that works. */
static void base_arg(FIXTURE_DATA(trace) *self, const struct refusal *r,
		     const int *spare, union call_arg *arg)
{
	int i;

	memset(arg, 0, sizeof(*arg));
	switch (r->cmd) {
	case KVM_IRQX_GET_INFO:
		arg->info.argsz = sizeof(arg->info);
		break;
	case KVM_IRQX_GET_STATS:
		arg->stats.argsz = sizeof(arg->stats);
		break;
	case KVM_IRQX_ATTACH:
		arg->attach.vm_fd = self->g->vm->fd;
		break;
	case KVM_IRQX_IRQFD_DIRECT:
		arg->direct.fd = spare[0];
		arg->direct.resamplefd = spare[1];
		arg->direct.entry = base_entry(self, r->type, 0);
		break;
	case KVM_IRQX_BATCH:
		arg->batch.head = irqx_batch_of(arg->batch.ops, 2);
		for (i = 0; i < 2; i++) {
			arg->batch.ops[i].op = KVM_IRQX_OP_ASSIGN;
			arg->batch.ops[i].fd = spare[i];
			arg->batch.ops[i].entry =
				base_entry(self, i ? r->type : 0, 0);
		}
		break;
	case BATCH_OF_ROUTES:
		arg->batch.head = irqx_batch_of(arg->batch.ops, 2);
		for (i = 0; i < 2; i++) {
			arg->batch.ops[i].op = KVM_IRQX_OP_ROUTE_SET;
			arg->batch.ops[i].entry =
				base_entry(self, i ? r->type : 0, FREE_GSI + i);
		}
		break;
	case KVM_SET_GSI_ROUTING:
		arg->table.head.nr = 2;
		for (i = 0; i < 2; i++)
			arg->table.entries[i] =
				base_entry(self, i ? r->type : 0, FREE_GSI + i);
		break;
	case KVM_IRQFD:
		arg->irqfd.fd = spare[0];
		arg->irqfd.gsi = FREE_GSI;
		break;
	case KVM_IRQX_MASK:
		arg->mask.fd = self->fd;
		arg->mask.flags = KVM_IRQX_MASK_SET;
		break;
	case KVM_IRQX_GET_STATE:
		arg->state.head.nr = 2;
		arg->state.head.state_size = sizeof(arg->state.states[0]);
		arg->state.head.states = (uintptr_t)arg->state.states;
		for (i = 0; i < 2; i++)
			arg->state.states[i].fd = self->fd;
		break;
	case KVM_IRQX_TABLE:
		arg->vectors.op = KVM_IRQX_TABLE_CREATE;
		arg->vectors.flags = KVM_IRQX_TABLE_DECODES;
		arg->vectors.nr = 1;
		arg->vectors.changefd = KVM_IRQX_NO_FD;
		arg->vectors.entries = IRQX_TABLE_GPA + 0x20000;
		arg->vectors.pba = IRQX_TABLE_GPA + 0x30000;
		break;
	case TABLE_SET:
	case TABLE_DESTROY:
		arg->vectors.op = r->cmd == TABLE_SET ? KVM_IRQX_TABLE_SET :
							KVM_IRQX_TABLE_DESTROY;
		break;
	case KVM_IRQX_GET_TABLE:
	case KVM_IRQX_SET_TABLE:
		arg->table_state.head = (struct kvm_irqx_table_state){
			.version = KVM_IRQX_TABLE_STATE_VERSION,
			.nr = 2,
			.vector_size = sizeof(arg->table_state.vectors[0]),
			.vectors = (uintptr_t)arg->table_state.vectors,
		};
		arg->table_state.header.argsz = sizeof(arg->table_state.header);
		break;
	case KVM_IRQX_HANDLE:
		arg->handle.op = KVM_IRQX_HANDLE_ALLOC;
		arg->handle.table = DYNIRQ;
		arg->handle.handle = 1;
		arg->handle.label[0] = 'x';
		break;
	case KVM_IRQX_RAISE:
		arg->raise.head.table = DYNIRQ;
		arg->raise.head.nr = 2;
		arg->raise.head.handles = (uintptr_t)arg->raise.handles;
		break;
	case KVM_IRQX_LIST:
		arg->list.nr = 1;
		arg->list.binding_size = sizeof(struct kvm_irqx_binding);
		break;
	case KVM_IRQX_SYNIC_PAGE:
		arg->page.flags = KVM_IRQX_SYNIC_PAGE_ENABLED;
		arg->page.gpa = 0x1000;
		break;
	}
}

static const char *call_name(unsigned long cmd)
{
	static const struct {
		unsigned long cmd;
		const char *name;
	} calls[] = {
		{ KVM_IRQX_GET_INFO, "KVM_IRQX_GET_INFO" },
		{ KVM_IRQX_ATTACH, "KVM_IRQX_ATTACH" },
		{ KVM_IRQX_GET_STATS, "KVM_IRQX_GET_STATS" },
		{ KVM_IRQX_IRQFD_DIRECT, "KVM_IRQX_IRQFD_DIRECT" },
		{ KVM_IRQX_BATCH, "KVM_IRQX_BATCH" },
		{ KVM_IRQX_MASK, "KVM_IRQX_MASK" },
		{ KVM_IRQX_GET_STATE, "KVM_IRQX_GET_STATE" },
		{ KVM_IRQX_SYNIC_PAGE, "KVM_IRQX_SYNIC_PAGE" },
		{ KVM_IRQX_TABLE, "KVM_IRQX_TABLE" },
		{ KVM_IRQX_GET_TABLE, "KVM_IRQX_GET_TABLE" },
		{ KVM_IRQX_SET_TABLE, "KVM_IRQX_SET_TABLE" },
		{ KVM_IRQX_HANDLE, "KVM_IRQX_HANDLE" },
		{ KVM_IRQX_RAISE, "KVM_IRQX_RAISE" },
		{ KVM_IRQX_LIST, "KVM_IRQX_LIST" },
		{ KVM_SET_GSI_ROUTING, "KVM_SET_GSI_ROUTING" },
		{ KVM_IRQFD, "KVM_IRQFD" },
		{ KVM_IRQ_LINE, "KVM_IRQ_LINE" },
		{ KVM_IRQ_LINE_STATUS, "KVM_IRQ_LINE_STATUS" },
	};
	unsigned int i;

	for (i = 0; calls[i].cmd != (uint32_t)cmd; i++)
		;
	return calls[i].name;
}

struct refused_fds {
	int spare[2];
	int bound;
	int routed;
};

static uint32_t beyond(int ctx, const struct refusal *r, uint64_t what)
{
	struct kvm_irqx_info info = irqx_info(ctx);

	if (what == MAX_BATCH)
		return info.max_batch + 1;
	/* The number of entries may be as many. */
	return info.max_gsi + (r->cmd == KVM_SET_GSI_ROUTING);
}

/* Return: whether the call is for an attached context. */
static bool change_arg(FIXTURE_DATA(trace) *self, const struct refusal *r,
		       const struct refused_fds *fds, union call_arg *arg)
{
	bool attached = r->cmd != KVM_IRQX_ATTACH;
	const struct change *change;
	uint32_t value;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(r->changes); i++) {
		change = &r->changes[i];
		if (!change->made)
			continue;
		switch (change->value) {
		case SPARE_FD:
			value = fds->spare[0];
			break;
		case BOUND_FD:
			value = fds->bound;
			break;
		case ROUTED_FD:
			value = fds->routed;
			break;
		case VM_FD:
			value = self->g->vm->fd;
			break;
		case ATTACHED:
			attached = true;
			continue;
		case MAX_GSI:
		case MAX_BATCH:
			value = beyond(self->ctx, r, change->value);
			break;
		case HEADER:
			value = (uintptr_t)&arg->table_state.header;
			break;
		case HEADER_UPPER:
			value = (uintptr_t)&arg->table_state.header >> 32;
			break;
		default:
			value = change->value;
		}
		memcpy((char *)arg + change->offset, &value, sizeof(value));
	}
	return attached;
}

TEST_F(trace, reject)
{
	int unattached = irqx_open();
	struct kvm_irqfd level = {
		.fd = irqx_eventfd(0, 0),
		.resamplefd = irqx_eventfd(0, 0),
		.gsi = LEVEL_GSI,
		.flags = KVM_IRQFD_FLAG_RESAMPLE,
	};
	struct refused_fds fds = {
		.spare = { irqx_eventfd(0, 0), irqx_eventfd(0, 0) },
		.bound = self->fd,
		.routed = irqx_eventfd(0, 0),
	};
	struct irqx_table dynirq = {
		.nr = DYNIRQ_NR, .entries = IRQX_TABLE_GPA + 0x40000,
	};
	const struct refusal *r;
	union call_arg arg;
	char text[128];
	bool attached;

	irqx_assert(__irqx_dynirq_create(self->ctx, &dynirq, 0, KVM_IRQX_NO_FD));
	ASSERT_EQ(DYNIRQ, dynirq.id);
	irqx_handle_alloc(&dynirq, DYNIRQ_NR - 1, "x");
	irqx_route_set(self->ctx, HANDLE_GSI, irqx_vector_entry(&dynirq, DYNIRQ_NR - 1));
	irqx_bind(self->ctx, fds.bound, self->a);
	irqx_route_set(self->ctx, MSI_GSI, self->a);
	irqx_irqfd(self->ctx, fds.routed, MSI_GSI, 0);
	irqx_route_set(self->ctx, LEVEL_GSI, irqx_pin_entry(IRQX_IRQCHIP, 6));
	irqx_route_set(self->ctx, VECTOR_GSI, irqx_vector_entry(&self->table, VECTOR));
	ASSERT_EQ(0, __irqx_ioctl(self->ctx, KVM_IRQFD, &level));
	trace_take();

	for (r = refusals; r < refusals + ARRAY_SIZE(refusals); r++) {
		base_arg(self, r, fds.spare, &arg);
		attached = change_arg(self, r, &fds, &arg);
		EXPECT_EQ(r->err, __irqx_ioctl(attached ? self->ctx : unattached,
					       (uint32_t)r->cmd, &arg))
			TH_LOG("row %td: %s %s", r - refusals, call_name(r->cmd), r->why);
		snprintf(text, sizeof(text), "%s %s, index %d ret %d",
			 call_name(r->cmd), r->why, r->index, -r->err);
		EXPECT_RECORDS({ "irqx_reject", NULL, text });
	}
	close(unattached);
}

/* Of the records from @from on. */
static int nr_rejects(int from)
{
	int i, n = 0;

	for (i = from; i < nr_records; i++)
		n += !strcmp(records[i].event, "irqx_reject");
	return n;
}

/* What is no argument's fault, or none at all. */
static const char * const of_context[] = {
	"KVM_IRQ_LINE context: not attached, index -1 ret -107",
	"KVM_IRQX_IRQFD_DIRECT context: the VM has no interrupt controller yet, index -1 ret -11",
};

TEST_F(trace, reject_context)
{
	struct kvm_vm *vm = vm_create_barebones();
	int unattached = irqx_open();
	int empty = irqx_context(vm);
	int i;

	EXPECT_EQ(ENOTCONN, __irqx_irq_line(unattached, 1, 1));
	EXPECT_EQ(EAGAIN, __irqx_bind(empty, self->fd, self->a));
	EXPECT_EQ(EFAULT, __irqx_ioctl(self->ctx, KVM_IRQX_IRQFD_DIRECT, NULL));
	EXPECT_EQ(ENOTTY, __irqx_ioctl(self->ctx, KVM_RUN, NULL));
	EXPECT_EQ(0, __irqx_unbind(self->ctx, self->fd));
	EXPECT_EQ(0, __irqx_route_del(self->ctx, FREE_GSI));
	trace_take();
	ASSERT_LE(2, nr_records);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, strcmp(records[i].text, of_context[i]))
			TH_LOG("%s", records[i].text);
	}
	EXPECT_EQ(0, nr_rejects(2));
	close(unattached);
	close(empty);
	kvm_vm_free(vm);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints: which records an action leaves, and what is in them.
 */
#include <ctype.h>
#include <sys/stat.h>

#include "irqx_util.h"
#include "irqx_harness.h"

/* A trace buffer of our own leaves that of the system's user alone. */
#define TRACEFS		"/sys/kernel/tracing"
#define INSTANCE	TRACEFS "/instances/irqx_trace_test"
#define EVENTS		INSTANCE "/events/kvm_irqx"

#define MAX_RECORDS	512

struct record {
	char event[32];
	char eventfd[32];	/* as printed: a hash, "" if there is none */
	char text[128];		/* the rest */
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

	snprintf(text, sizeof(texts[0]), "%s%s 0x%x 0x%x%s", what,
		 msi ? "msi" : "irqchip",
		 msi ? entry.u.msi.address_lo : entry.u.irqchip.irqchip,
		 msi ? entry.u.msi.data : entry.u.irqchip.pin, how);
	return text;
}

#define DIRECT(entry)	text_of("direct gsi 0 ", entry, "")
#define ROUTED9(entry)	text_of("routed gsi 9 ", entry, "")
#define ATOMIC(entry)	text_of("", entry, " level 1 atomic ret 1")
#define DEFERRED(entry)	text_of("", entry, " level 1 deferred ret 1")

FIXTURE(trace)
{
	struct irqx_guest *g;
	int ctx;
	int fd;
	struct traced_fd traced;
	struct kvm_irq_routing_entry a, b, slow;
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

	self->g = irqx_guest_create(2);
	self->ctx = self->g->ctx;
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

TEST_F(trace, shared_gsi_and_line)
{
	irqx_ioapic_set(self->g->vm, 3, 0x53);
	irqx_pic_set(self->g->vm, 0x60);
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
	struct kvm_irqx_route_op ops[100] = {};
	int i;

	for (i = 0; i < 100; i++) {
		ops[i].op = KVM_IRQX_ROUTE_SET;
		ops[i].entry = irqx_entry(self->g, 0, 0x40 + i);
		ops[i].entry.gsi = 1000 + i;
	}
	ops[99].pad = 1;
	EXPECT_EQ(EINVAL, __irqx_route(self->ctx, ops, 100, NULL));
	EXPECT_EQ(EINVAL, __irqx_bind(self->ctx, self->ctx, ops[0].entry));
	EXPECT_NO_RECORDS();

	ops[99].pad = 0;
	irqx_route(self->ctx, ops, 100);
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
		"irqx_inject",
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
		irqx_unbind(self->ctx, self->fd);
		ASSERT_TRUE(trace_write(path, "0"));
		trace_take();
		EXPECT_EQ(1, nr_records);
		EXPECT_EQ(0, strcmp(records[0].event, events[i]));
	}
}

TEST_HARNESS_MAIN

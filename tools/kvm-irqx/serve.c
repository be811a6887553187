// SPDX-License-Identifier: MIT
/*
 * A dynirq for the VM of a process that knows nothing of it.  The dynirq ends with the context, so
 * this stays, and is gone when the process is.
 *
 * With a monitor of QEMU's the dynirq is where the guest has put a device's BAR.  QEMU tells of a
 * move only who asks, so it is asked every POLL_MS; a guest's driver that gives the BAR up writes
 * "off" into the header before (Documentation/dynirq.rst section 7), which stops it at once.
 */
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <kvmirqx.h>

#include "command.h"
#include "qmp.h"

#define POLL_MS		100
/* A guest that has switched the device off, but keeps the range, has it again after so many. */
#define OFF_POLLS	2

/* What the module has at the beginning of the range, and a handle in its two forms. */
#define HEADER		4096
#define PAGE		4096ULL
#define DEFAULT_HANDLES	512
/* The dynirq's own, which tells of labels. */
#define OWN_HANDLE	0

#define NO_ADDRESS	UINT64_MAX

/* Whether a message is told apart by the function that it comes from. */
#ifdef __aarch64__
#define NATIVE_HAS_DEVID	true
#else
#define NATIVE_HAS_DEVID	false
#endif

struct owned {
	uint32_t handle;
	char label[KVM_IRQX_LABEL_SIZE];
};

static struct {
	pid_t pid;
	int pidfd;
	struct qmp *qmp;
	const char *device;
	const char *socket;
	uint64_t address;
	uint32_t handles;		/* 0: as many as there is room for */
	uint32_t devid;
	struct json_object *state;	/* to be restored, or NULL */

	struct kvmirqx *ctx;
	bool there;			/* @table is */
	uint32_t table;
	bool answers;
	uint32_t off_polls;		/* since the guest has switched it off */
	bool plugged;			/* the device, when it was looked at last */
	uint64_t refused;		/* where it could not be moved to */
	int changefd;
	struct owned *owned;
	uint32_t nr_owned;
} server = { .address = NO_ADDRESS, .refused = NO_ADDRESS, .changefd = -1 };

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

/* Why the last call has failed; the library's sentence, or the errno's. */
static const char *why(int err)
{
	static char words[256];

	if (kvmirqx_last_error_words(words, sizeof(words)) <= 0)
		snprintf(words, sizeof(words), "%s", strerror(-err));
	return words;
}

static uint64_t range_size(uint64_t handles)
{
	return HEADER + (handles * 8 + PAGE - 1) / PAGE * PAGE +
	       (handles * 16 + PAGE - 1) / PAGE * PAGE;
}

static uint32_t handles_in(uint64_t size)
{
	uint32_t low = 0, high = KVM_IRQX_MAX_HANDLES, mid;

	while (low < high) {
		mid = (low + high + 1) / 2;
		if (range_size(mid) <= size)
			low = mid;
		else
			high = mid - 1;
	}
	return low;
}

/* ---- labels ---- */

static struct owned *find_owned(uint32_t handle)
{
	uint32_t i;

	for (i = 0; i < server.nr_owned; i++)
		if (server.owned[i].handle == handle)
			return &server.owned[i];
	return NULL;
}

static void remember(uint32_t handle, const char *label)
{
	struct owned *owned = find_owned(handle);

	if (!owned) {
		server.owned = realloc(server.owned, (server.nr_owned + 1) * sizeof(*owned));
		if (!server.owned)
			die("no memory");
		owned = &server.owned[server.nr_owned++];
	}
	owned->handle = handle;
	snprintf(owned->label, sizeof(owned->label), "%s", label);
}

static void forget(uint32_t handle)
{
	struct owned *owned = find_owned(handle);

	if (owned)
		*owned = server.owned[--server.nr_owned];
}

/* ---- state ---- */

static uint64_t json_number(struct json_object *object, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, name, &value))
		die("the state has no %s: is it from 'kvm-irqx dynirq save'?", name);
	/* 64 bits without a sign are words. */
	if (json_object_is_type(value, json_type_string))
		return number(name, json_object_get_string(value), UINT64_MAX);
	return json_object_get_int64(value);
}

static struct json_object *json_u64(uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
	return json_object_new_string(text);
}

static struct json_object *json_array(struct json_object *object, const char *name)
{
	struct json_object *array;

	if (!json_object_object_get_ex(object, name, &array) ||
	    !json_object_is_type(array, json_type_array))
		die("the state has no %s: is it from 'kvm-irqx dynirq save'?", name);
	return array;
}

static int64_t json_number_at(struct json_object *array, size_t at)
{
	if (!json_object_is_type(array, json_type_array))
		die("a handle of the state is no array: is it from 'kvm-irqx dynirq save'?");
	return json_object_get_int64(json_object_array_get_idx(array, at));
}

/* Calls fn() with each piece of the handles' state.  Return: 0 or -errno. */
static int each_piece(int (*fn)(struct kvmirqx_vectors *piece, void *arg), void *arg)
{
	static struct kvm_irqx_vector vectors[KVM_IRQX_MAX_VECTORS];
	struct kvmirqx_vectors piece = KVMIRQX_VECTORS;
	uint32_t first;
	int err = 0;

	piece.vectors = vectors;
	for (first = 0; first < server.handles && !err; first += piece.nr) {
		piece.first = first;
		piece.nr = server.handles - first < KVM_IRQX_MAX_VECTORS ?
			   server.handles - first : KVM_IRQX_MAX_VECTORS;
		err = kvmirqx_table_get_state(server.ctx, server.table, &piece);
		if (!err)
			err = fn(&piece, arg);
	}
	return err;
}

static struct kvm_irqx_dynirq_header header_now(void)
{
	struct kvm_irqx_dynirq_header header = { .argsz = sizeof(header) };
	struct kvmirqx_vectors none = KVMIRQX_VECTORS;
	int err;

	none.header = &header;
	err = kvmirqx_table_get_state(server.ctx, server.table, &none);
	if (err)
		complain("%s", why(err));
	return header;
}

static int set_header(struct kvm_irqx_dynirq_header *header)
{
	struct kvmirqx_vectors none = KVMIRQX_VECTORS;

	none.header = header;
	return kvmirqx_table_set_state(server.ctx, server.table, &none);
}

/* All labels count as changed, and what was not read yet. */
static int reset_piece(struct kvmirqx_vectors *piece, void *arg)
{
	uint32_t i;

	(void)arg;
	for (i = 0; i < piece->nr; i++)
		piece->vectors[i] = (struct kvm_irqx_vector){
			.control = 1,
			.state = piece->vectors[i].state & KVM_IRQX_VECTOR_LABEL_CHANGED,
		};
	for (i = 0; i < server.nr_owned; i++)
		if (server.owned[i].handle - piece->first < piece->nr)
			piece->vectors[server.owned[i].handle - piece->first].state |=
				KVM_IRQX_VECTOR_LABEL_CHANGED;
	if (OWN_HANDLE - piece->first < piece->nr)
		piece->vectors[OWN_HANDLE - piece->first].state |= KVM_IRQX_VECTOR_LABEL_CHANGED;
	piece->function = 0;
	return kvmirqx_table_set_state(server.ctx, server.table, piece);
}

/* As the guest's own (dynirq.rst section 7).  The doorbell last: by that a driver sees it. */
static int reset(void)
{
	struct kvm_irqx_dynirq_header header = header_now();
	int err = each_piece(reset_piece, NULL);

	header.select = 0;
	header.doorbell = 0;
	memset(header.label, 0, sizeof(header.label));
	return err ?: set_header(&header);
}

static bool is_reset(const struct kvm_irqx_vector *v)
{
	return !v->address_lo && !v->address_hi && !v->data && v->control == 1 &&
	       !(v->state & ~KVM_IRQX_VECTOR_BOUND);
}

static int save_piece(struct kvmirqx_vectors *piece, void *arg)
{
	struct json_object *vectors = arg, *vector;
	uint32_t i, j;

	for (i = 0; i < piece->nr; i++) {
		const struct kvm_irqx_vector *v = &piece->vectors[i];
		const uint32_t values[] = {
			piece->first + i, v->address_lo, v->address_hi, v->data, v->control,
			v->state & ~KVM_IRQX_VECTOR_BOUND,
		};

		if (is_reset(v))
			continue;
		vector = json_object_new_array();
		for (j = 0; j < ARRAY_SIZE(values); j++)
			json_object_array_add(vector, json_object_new_int64(values[j]));
		json_object_array_add(vectors, vector);
	}
	return 0;
}

static struct json_object *save(int *err)
{
	struct json_object *state = json_object_new_object(), *labels = json_object_new_array();
	struct json_object *vectors = json_object_new_array(), *label;
	struct kvm_irqx_dynirq_header header = header_now();
	char hex[2 * sizeof(header.label) + 1];
	uint32_t i;

	for (i = 0; i < sizeof(header.label); i++)
		sprintf(hex + 2 * i, "%02x", header.label[i]);
	for (i = 0; i < server.nr_owned; i++) {
		label = json_object_new_object();
		json_object_object_add(label, "handle",
				       json_object_new_int64(server.owned[i].handle));
		json_object_object_add(label, "label",
				       json_object_new_string(server.owned[i].label));
		json_object_array_add(labels, label);
	}
	*err = each_piece(save_piece, vectors);
	json_object_object_add(state, "kvm-irqx dynirq", json_object_new_int(1));
	json_object_object_add(state, "address", json_u64(server.address));
	json_object_object_add(state, "handles", json_object_new_int64(server.handles));
	json_object_object_add(state, "devid", json_object_new_int64(server.devid));
	json_object_object_add(state, "instance", json_u64(header.instance));
	json_object_object_add(state, "doorbell", json_u64(header.doorbell));
	json_object_object_add(state, "select", json_object_new_int64(header.select));
	json_object_object_add(state, "selected", json_object_new_string(hex));
	json_object_object_add(state, "labels", labels);
	json_object_object_add(state, "vectors", vectors);
	return state;
}

static struct json_object *load(const char *path)
{
	struct json_object *state = json_object_from_file(path), *labels, *label, *text;
	size_t i;

	if (!state)
		die("%s: %s", path, json_util_get_last_err());
	if (json_number(state, "kvm-irqx dynirq") != 1)
		die("%s is of another version of this command", path);
	labels = json_array(state, "labels");
	for (i = 0; i < json_object_array_length(labels); i++) {
		label = json_object_array_get_idx(labels, i);
		if (!json_object_object_get_ex(label, "label", &text))
			die("%s: a label without text", path);
		remember(json_number(label, "handle"), json_object_get_string(text));
	}
	return state;
}

static void restore(void)
{
	static struct kvm_irqx_vector vectors[KVM_IRQX_MAX_VECTORS];
	struct json_object *all = json_array(server.state, "vectors"), *one, *text;
	struct kvm_irqx_dynirq_header header = {
		.argsz = sizeof(header),
		.select = json_number(server.state, "select"),
		.doorbell = json_number(server.state, "doorbell"),
		.instance = json_number(server.state, "instance"),
	};
	struct kvmirqx_vectors piece = KVMIRQX_VECTORS;
	uint32_t i, handle;
	size_t at;
	int err;

	if (!json_object_object_get_ex(server.state, "selected", &text) ||
	    json_object_get_string_len(text) != 2 * (int)sizeof(header.label))
		die("the state has no label that was selected");
	for (i = 0; i < sizeof(header.label); i++)
		if (sscanf(json_object_get_string(text) + 2 * i, "%2hhx", &header.label[i]) != 1)
			die("the state's selected label is not in hexadecimal");
	err = set_header(&header);
	piece.vectors = vectors;
	for (piece.first = 0; piece.first < server.handles && !err; piece.first += piece.nr) {
		piece.nr = server.handles - piece.first < KVM_IRQX_MAX_VECTORS ?
			   server.handles - piece.first : KVM_IRQX_MAX_VECTORS;
		for (i = 0; i < piece.nr; i++)
			vectors[i] = (struct kvm_irqx_vector){ .control = 1 };
		for (at = 0; at < json_object_array_length(all); at++) {
			one = json_object_array_get_idx(all, at);
			handle = json_number_at(one, 0);
			if (handle < piece.first || handle - piece.first >= piece.nr)
				continue;
			vectors[handle - piece.first] = (struct kvm_irqx_vector){
				.address_lo = json_number_at(one, 1),
				.address_hi = json_number_at(one, 2),
				.data = json_number_at(one, 3),
				.control = json_number_at(one, 4),
				.state = json_number_at(one, 5),
			};
		}
		/* Labels are those that this was given; the guest reads them again. */
		for (i = 0; i < server.nr_owned; i++)
			if (server.owned[i].handle - piece.first < piece.nr)
				vectors[server.owned[i].handle - piece.first].state |=
					KVM_IRQX_VECTOR_LABEL_CHANGED;
		err = kvmirqx_table_set_state(server.ctx, server.table, &piece);
	}
	if (err)
		die("the state is not taken: %s", why(err));
	json_object_put(server.state);
	server.state = NULL;
}

/* ---- where it is ---- */

static void make(uint64_t address)
{
	struct kvmirqx_table_options options = KVMIRQX_TABLE_OPTIONS;
	uint32_t i;
	int err;

	options.nr = server.handles;
	options.devid = server.devid;
	options.changefd = server.changefd;
	options.entries = address;
	err = kvmirqx_dynirq_create(server.ctx, &options, &server.table);
	if (err)
		die("no dynirq at 0x%llx: %s", (unsigned long long)address, why(err));
	server.there = true;
	server.address = address;
	for (i = 0; i < server.nr_owned; i++) {
		err = kvmirqx_handle_alloc(server.ctx, server.table, server.owned[i].handle,
					   server.owned[i].label);
		if (err < 0)
			die("handle %u, label '%s': %s", server.owned[i].handle,
			    server.owned[i].label, why(err));
	}
	if (server.state)
		restore();
}

static void answer(bool answers)
{
	int err;

	if (server.answers == answers)
		return;
	err = kvmirqx_table_set(server.ctx, server.table, answers ? KVM_IRQX_TABLE_DECODES : 0);
	if (err) {
		complain("the dynirq at 0x%llx: %s", (unsigned long long)server.address, why(err));
		return;
	}
	server.answers = answers;
	if (answers)
		printf("answers at 0x%llx\n", (unsigned long long)server.address);
	else
		printf("answers no more\n");
}

static void place(uint64_t address)
{
	int err;

	if (!server.there)
		make(address);
	if (address != server.address) {
		err = kvmirqx_table_move(server.ctx, server.table, address, 0);
		if (err) {
			/* Said once.  Where it was, something else may be now. */
			if (server.refused != address)
				complain("to 0x%llx: %s", (unsigned long long)address, why(err));
			server.refused = address;
			answer(false);
			return;
		}
		server.refused = NO_ADDRESS;
		server.address = address;
		if (server.answers)
			printf("answers at 0x%llx\n", (unsigned long long)address);
	}
	answer(true);
}

/* The guest's BAR is there.  It can be another function's now: the guest's ITS tells them apart. */
static void place_bar(const struct qmp_bar *bar)
{
	uint32_t most = handles_in(bar->size), wanted;
	int err;

	if (!server.there) {
		if (!server.handles)
			server.handles = most;
		wanted = server.handles ?: 1;
		if (wanted > most)
			die("the BAR has %llu bytes: %u handles need %llu (QEMU: -device "
			    "pci-testdev,membar=2M)", (unsigned long long)bar->size, wanted,
			    (unsigned long long)range_size(wanted));
		server.devid = bar->devid;
	} else if (server.handles > most) {
		/* The device was plugged in again, and is smaller. */
		answer(false);
		return;
	} else if (NATIVE_HAS_DEVID && bar->devid != server.devid) {
		err = kvmirqx_table_destroy(server.ctx, server.table);
		if (err) {
			complain("the device has become another one: %s", why(err));
			return;
		}
		server.there = false;
		server.answers = false;
		server.devid = bar->devid;
	}
	place(bar->address);
}

/* The guest has reset it, or switched it off. */
static void changed(void)
{
	struct kvmirqx_vectors none = KVMIRQX_VECTORS;
	eventfd_t count;

	eventfd_read(server.changefd, &count);
	if (!server.there || kvmirqx_table_get_state(server.ctx, server.table, &none))
		return;
	if (!server.answers || none.function & KVM_IRQX_TABLE_DECODES)
		return;
	server.answers = false;
	server.off_polls = OFF_POLLS;
	printf("switched off by the guest\n");
}

/* Return: false if QEMU has gone. */
static bool look(void)
{
	struct qmp_bar bar = { .there = true, .address = server.address };

	if (server.qmp && !qmp_find_bar(server.qmp, server.device, &bar))
		return false;
	/* With the machine, or its device, went whoever had mapped handles. */
	if (server.there && (bar.was_reset || (server.plugged && !bar.plugged)) && reset())
		complain("the dynirq could not be reset");
	server.plugged = bar.plugged;
	/* What was off comes back where the guest has it again. */
	if (!bar.there)
		server.off_polls = 0;
	if (server.off_polls && --server.off_polls)
		return true;
	if (!bar.there && server.there)
		answer(false);
	else if (bar.there && server.qmp)
		place_bar(&bar);
	else if (bar.there)
		place(bar.address);
	return true;
}

/* ---- requests ---- */

struct reply {
	int socket;
	bool failed;			/* nothing more is sent: who asks will see no end */
	size_t len;
	char text[CONTROL_MAX / 2];
};

static void reply_flush(struct reply *reply)
{
	reply->text[0] = '+';
	reply->text[reply->len] = 0;
	if (!reply->failed)
		reply->failed = !control_answer(reply->socket, reply->text, -1);
	reply->len = 1;
}

static void __attribute__((format(printf, 2, 3)))
reply_add(struct reply *reply, const char *fmt, ...)
{
	va_list ap;

	if (reply->len > sizeof(reply->text) - 1024)
		reply_flush(reply);
	va_start(ap, fmt);
	reply->len += vsnprintf(reply->text + reply->len, sizeof(reply->text) - reply->len, fmt,
				ap);
	va_end(ap);
	if (reply->len >= sizeof(reply->text))
		reply->len = sizeof(reply->text) - 1;
}

static void __attribute__((format(printf, 2, 3)))
refuse(struct reply *reply, const char *fmt, ...)
{
	char text[1024] = "-";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + 1, sizeof(text) - 1, fmt, ap);
	va_end(ap);
	control_answer(reply->socket, text, -1);
	reply->failed = true;
}

/* A number, or '=' and a label.  Return: false, with the refusal sent. */
static bool parse_handle(struct reply *reply, const char *text, uint32_t *handle)
{
	unsigned long value;
	uint32_t i;
	char *end;

	if (*text == '=') {
		for (i = 0; i < server.nr_owned; i++) {
			if (strcmp(server.owned[i].label, text + 1))
				continue;
			*handle = server.owned[i].handle;
			return true;
		}
		refuse(reply, "no handle has the label '%s'", text + 1);
		return false;
	}
	errno = 0;
	value = strtoul(text, &end, 0);
	if (end == text || *end || errno || value >= server.handles) {
		refuse(reply, "a handle is a number below %u, or = and its label, not '%s'",
		       server.handles, text);
		return false;
	}
	*handle = value;
	return true;
}

static void do_raise(struct reply *reply, int nr, char **words)
{
	static uint32_t handles[CONTROL_MAX / 2];
	int i, err;

	for (i = 0; i < nr; i++)
		if (!parse_handle(reply, words[i], &handles[i]))
			return;
	if (!nr) {
		refuse(reply, "raise which handle?");
		return;
	}
	err = kvmirqx_raise_many(server.ctx, server.table, handles, nr);
	if (err)
		refuse(reply, "%s", why(err));
}

static void do_alloc(struct reply *reply, int nr, char **words)
{
	uint32_t which = KVM_IRQX_ANY_HANDLE;
	int handle;

	if (nr < 1 || nr > 2) {
		refuse(reply, "alloc takes LABEL [HANDLE]");
		return;
	}
	if (nr == 2 && !parse_handle(reply, words[1], &which))
		return;
	handle = kvmirqx_handle_alloc(server.ctx, server.table, which, words[0]);
	if (handle < 0) {
		refuse(reply, "%s", why(handle));
		return;
	}
	remember(handle, words[0]);
	reply_add(reply, "%d\n", handle);
}

static void do_label(struct reply *reply, int nr, char **words)
{
	uint32_t handle;
	int err;

	if (nr != 2) {
		refuse(reply, "label takes HANDLE LABEL");
		return;
	}
	if (!parse_handle(reply, words[0], &handle))
		return;
	err = kvmirqx_handle_set_label(server.ctx, server.table, handle, words[1]);
	if (err)
		refuse(reply, "%s", why(err));
	else
		remember(handle, words[1]);
}

static void do_free(struct reply *reply, int nr, char **words)
{
	uint32_t handle;
	int err;

	if (nr != 1) {
		refuse(reply, "free takes HANDLE");
		return;
	}
	if (!parse_handle(reply, words[0], &handle))
		return;
	err = kvmirqx_handle_free(server.ctx, server.table, handle);
	if (err)
		refuse(reply, "%s", why(err));
	else
		forget(handle);
}

static int show_piece(struct kvmirqx_vectors *piece, void *arg)
{
	struct reply *reply = arg;
	char words[128];
	uint32_t i;

	for (i = 0; i < piece->nr; i++) {
		const struct kvm_irqx_vector *v = &piece->vectors[i];
		const struct kvmirqx_msi msi = {
			v->address_lo, v->address_hi, v->data, server.devid,
		};
		struct owned *owned = find_owned(piece->first + i);
		struct kvm_irq_routing_entry entry;

		if (is_reset(v) && !owned && piece->first + i != OWN_HANDLE)
			continue;
		kvmirqx_msi_entry(&entry, KVMIRQX_ARCH_NATIVE, KVMIRQX_MSI_DEVID, &msi);
		if (v->address_lo || v->data)
			kvmirqx_entry_words(&entry, KVMIRQX_ARCH_NATIVE, words, sizeof(words));
		else
			strcpy(words, "not mapped");
		reply_add(reply, "%6u  %-31s  %s%s%s%s\n", piece->first + i,
			  owned ? owned->label : piece->first + i == OWN_HANDLE ? "(labels)" : "-",
			  words, v->control & 1 ? ", masked" : "",
			  v->state & KVM_IRQX_VECTOR_PENDING ? ", pending" : "",
			  v->state & KVM_IRQX_VECTOR_BOUND ? ", bound" : "");
	}
	return 0;
}

static void do_show(struct reply *reply)
{
	struct kvm_irqx_dynirq_header header = header_now();
	int err;

	reply_add(reply, "process %d: %u handles at 0x%llx, which %s; instance 0x%llx\n",
		  server.pid, server.handles, (unsigned long long)server.address,
		  server.answers ? "answers" : "does not answer now",
		  (unsigned long long)header.instance);
	err = each_piece(show_piece, reply);
	if (err)
		refuse(reply, "%s", why(err));
}

static void do_save(struct reply *reply)
{
	struct json_object *state;
	const char *text;
	int err;

	state = save(&err);
	text = json_object_to_json_string_ext(state, JSON_C_TO_STRING_PLAIN);
	if (err)
		refuse(reply, "%s", why(err));
	for (; !err && *text; text += strnlen(text, 512))
		reply_add(reply, "%.512s", text);
	if (!err)
		reply_add(reply, "\n");
	json_object_put(state);
}

static void do_request(struct reply *reply, int nr, char **words)
{
	int err;

	if (!server.there) {
		refuse(reply, "the guest has not given the device an address yet");
	} else if (!strcmp(words[0], "raise")) {
		do_raise(reply, nr - 1, words + 1);
	} else if (!strcmp(words[0], "alloc")) {
		do_alloc(reply, nr - 1, words + 1);
	} else if (!strcmp(words[0], "label")) {
		do_label(reply, nr - 1, words + 1);
	} else if (!strcmp(words[0], "free")) {
		do_free(reply, nr - 1, words + 1);
	} else if (!strcmp(words[0], "show")) {
		do_show(reply);
	} else if (!strcmp(words[0], "save")) {
		do_save(reply);
	} else if (!strcmp(words[0], "exec")) {
		control_answer(reply->socket, "+", kvmirqx_fd(server.ctx));
	} else if (!strcmp(words[0], "reset")) {
		err = reset();
		if (err)
			refuse(reply, "%s", why(err));
	} else {
		refuse(reply, "'%s' is no request that this version knows", words[0]);
	}
}

/* Whoever may connect is as the user of this process.  What it asks for takes no time. */
static void take_request(int listening)
{
	struct timeval timeout = { .tv_sec = 1 };
	static char request[CONTROL_MAX];
	static char *words[CONTROL_MAX / 2];
	struct reply reply = { .len = 1 };
	char *word;
	ssize_t len;
	int nr = 0;

	reply.socket = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	if (reply.socket < 0)
		return;
	setsockopt(reply.socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(reply.socket, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	len = recv(reply.socket, request, sizeof(request) - 1, 0);
	if (len > 0) {
		request[len] = 0;
		for (word = request; word < request + len && *word; word += strlen(word) + 1)
			words[nr++] = word;
	}
	if (nr) {
		do_request(&reply, nr, words);
		if (reply.len > 1)
			reply_flush(&reply);
		if (!reply.failed)
			control_answer(reply.socket, CONTROL_END, -1);
	}
	close(reply.socket);
}

/* ---- set up, and wait ---- */

static void attach(int vm_fd)
{
	int err = kvmirqx_open(&server.ctx);

	if (err == -ENOENT)
		die("/dev/kvm-irqx is not there: modprobe kvm_irqx");
	if (err == -EACCES)
		die("/dev/kvm-irqx: no permission: be root, or in group kvm");
	if (err)
		die("/dev/kvm-irqx: %s", strerror(-err));
	if (!kvmirqx_has(server.ctx, KVM_IRQX_FEATURE_DYNIRQ))
		die("the module that is loaded has no dynirqs: it is too old");
	err = kvmirqx_attach(server.ctx, vm_fd);
	if (err == -EPERM)
		die("the VM of another process needs CAP_SYS_ADMIN: be root");
	if (err)
		die("the VM of process %d: %s", server.pid, strerror(-err));
	close(vm_fd);
}

static void options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "pidfile", required_argument, NULL, 'p' },
		{ "address", required_argument, NULL, 'a' },
		{ "qmp", required_argument, NULL, 'q' },
		{ "device", required_argument, NULL, 'd' },
		{ "handles", required_argument, NULL, 'n' },
		{ "devid", required_argument, NULL, 'i' },
		{ "label", required_argument, NULL, 'l' },
		{ "state", required_argument, NULL, 's' },
		{ "vm-fd", required_argument, NULL, 'f' },
		{ "socket", required_argument, NULL, 'S' },
		{}
	};
	const char *qmp = NULL;
	uint32_t next = 1;
	int opt, vm_fd = -1;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (opt) {
		case 'p':
			server.pid = pid_of_file(optarg);
			break;
		case 'a':
			server.address = number("--address", optarg, NO_ADDRESS - 1);
			break;
		case 'q':
			qmp = optarg;
			break;
		case 'd':
			server.device = optarg;
			break;
		case 'n':
			server.handles = number("--handles", optarg, KVM_IRQX_MAX_HANDLES);
			break;
		case 'i':
			server.devid = number("--devid", optarg, UINT32_MAX);
			break;
		case 'l':
			if (!*optarg || strlen(optarg) >= KVM_IRQX_LABEL_SIZE)
				die("a label has 1 to %d bytes, not '%s'",
				    KVM_IRQX_LABEL_SIZE - 1, optarg);
			remember(next++, optarg);
			break;
		case 's':
			server.state = load(optarg);
			break;
		case 'f':
			vm_fd = number("--vm-fd", optarg, INT32_MAX);
			break;
		case 'S':
			server.socket = optarg;
			break;
		default:
			exit(2);
		}
	}
	if (!server.pid && optind < argc)
		server.pid = number("PID", argv[optind++], INT32_MAX);
	if (!server.pid || optind < argc)
		die("which process? PID or --pidfile FILE");
	if (server.state) {
		server.handles = json_number(server.state, "handles");
		server.devid = json_number(server.state, "devid");
		if (server.address == NO_ADDRESS && !qmp)
			server.address = json_number(server.state, "address");
	}
	if ((qmp ? 1 : 0) + (server.address != NO_ADDRESS ? 1 : 0) != 1)
		die("where? --address A, or --qmp SOCKET to ask QEMU");
	if (server.address != NO_ADDRESS && server.address % PAGE)
		die("--address is a multiple of %llu", PAGE);
	if (!qmp && !server.handles)
		server.handles = DEFAULT_HANDLES;

	server.pidfd = process_open(server.pid);
	attach(process_vm(server.pidfd, server.pid, vm_fd));
	if (qmp)
		server.qmp = qmp_open(qmp);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/*
 * Until the process has ended, or somebody wants this to end: by a signal, which come only while
 * this waits.
 */
static void serve(int listening, const sigset_t *waiting)
{
	struct pollfd fds[] = {
		{ .fd = server.pidfd, .events = POLLIN },
		{ .fd = listening, .events = POLLIN },
		{ .fd = server.changefd, .events = POLLIN },
		{ .fd = server.qmp ? qmp_fd(server.qmp) : -1, .events = POLLIN },
	};
	bool closed = false, looks;
	struct timespec timeout;
	int64_t next = 0, left;
	int ready;

	while (!stop) {
		/* A fixed address is looked at while the guest has it off. */
		looks = server.qmp || server.off_polls;
		left = next - now_ms();
		if (left < 0)
			left = 0;
		timeout = (struct timespec){ .tv_nsec = left * 1000000 };
		ready = ppoll(fds, ARRAY_SIZE(fds), looks ? &timeout : NULL, waiting);
		if (ready < 0 && errno != EINTR)
			die("poll: %s", strerror(errno));
		if (ready > 0 && fds[0].revents)
			break;
		if (ready > 0 && fds[2].revents)
			changed();
		if (ready > 0 && fds[1].revents)
			take_request(listening);
		if (ready > 0 && fds[3].revents && qmp_events(server.qmp, &closed) && !closed)
			closed = !look();
		/* However much else there is to do. */
		if (!closed && (server.qmp || server.off_polls) && now_ms() >= next) {
			closed = !look();
			next = now_ms() + POLL_MS;
		}
		if (closed) {
			complain("QEMU's monitor is closed");
			break;
		}
	}
}

int dynirq_serve(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = on_signal };
	sigset_t ends, before;
	char path[108];
	int listening;

	options(argc, argv);
	control_path(path, sizeof(path), server.pid, server.socket);
	listening = control_listen(path);
	server.changefd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server.changefd < 0)
		die("eventfd: %s", strerror(errno));
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, &before);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);

	printf("serves process %d, asked at %s\n", server.pid, path);
	if (server.qmp)
		printf("waits for the guest to give the device an address\n");
	if (look())
		serve(listening, &before);
	unlink(path);
	kvmirqx_close(server.ctx);
	return 0;
}

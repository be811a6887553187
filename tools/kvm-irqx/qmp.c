// SPDX-License-Identifier: MIT
/*
 * A client of QEMU's machine protocol (QMP): JSON over a socket, of which it uses
 * qmp_capabilities and query-pci.  QEMU has no event for a BAR that moves, so it is asked again
 * and again.
 */
#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "command.h"
#include "qmp.h"

/* pci-testdev, and the BAR that its option membar gives it. */
#define TESTDEV_VENDOR	0x1b36
#define TESTDEV_DEVICE	0x0005

/* How long QEMU may take to answer; its main loop may be busy with the guest's own doing. */
#define ANSWER_S	10

struct qmp {
	int fd;
	struct json_tokener *tokener;
	char buf[16384];
	size_t at, len;			/* what of @buf is not parsed yet */
	bool greeted;			/* it is QEMU's: it answers sooner or later */
	bool look;			/* an event has come that makes a difference */
	bool reset;			/* and was the machine's reset */
};

/* The signals for that are blocked but where the server waits. */
static bool told_to_end(void)
{
	sigset_t pending;

	return !sigpending(&pending) &&
	       (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

/* The next object; blocks if @wait.  Return: NULL: none, or QEMU has gone: then *@closed. */
static struct json_object *qmp_next(struct qmp *qmp, bool wait, bool *closed)
{
	struct json_object *object;
	ssize_t got;

	for (;;) {
		if (qmp->at < qmp->len) {
			object = json_tokener_parse_ex(qmp->tokener, qmp->buf + qmp->at,
						       qmp->len - qmp->at);
			qmp->at += json_tokener_get_parse_end(qmp->tokener);
			if (object)
				return object;
			if (json_tokener_get_error(qmp->tokener) != json_tokener_continue) {
				complain("QEMU's monitor does not speak JSON");
				*closed = true;
				return NULL;
			}
		}
		got = recv(qmp->fd, qmp->buf, sizeof(qmp->buf), wait ? 0 : MSG_DONTWAIT);
		if (got > 0) {
			qmp->at = 0;
			qmp->len = got;
			continue;
		}
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && !wait && errno == EAGAIN)
			return NULL;
		if (got < 0 && errno == EAGAIN) {
			complain("QEMU's monitor has not answered for %d s", ANSWER_S);
			/* Stopped, or its disk is slow.  When it ends, so does the socket. */
			if (qmp->greeted && !told_to_end())
				continue;
		}
		*closed = true;
		return NULL;
	}
}

static const char *string_of(struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) ? json_object_get_string(value) : "";
}

static int64_t number_of(struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) ? json_object_get_int64(value) : -1;
}

static void note_event(struct qmp *qmp, struct json_object *object)
{
	static const char *const events[] = {
		"RESET", "RESUME", "DEVICE_DELETED",
	};
	const char *event = string_of(object, "event");
	unsigned int i;

	if (!strcmp(event, "RESET"))
		qmp->reset = true;
	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (!strcmp(event, events[i]))
			qmp->look = true;
}

/* Return: what "return" is, for json_object_put() of *@answer; or NULL: QEMU has gone. */
static struct json_object *qmp_command(struct qmp *qmp, const char *command,
				       struct json_object **answer)
{
	struct json_object *value;
	bool closed = false;
	char line[128];
	int len;

	*answer = NULL;
	len = snprintf(line, sizeof(line), "{\"execute\": \"%s\"}\n", command);
	if (send(qmp->fd, line, len, MSG_NOSIGNAL) != len)
		return NULL;
	while ((*answer = qmp_next(qmp, true, &closed))) {
		if (json_object_object_get_ex(*answer, "return", &value))
			return value;
		if (json_object_object_get_ex(*answer, "error", &value)) {
			complain("QEMU answers %s with: %s", command, string_of(value, "desc"));
			return NULL;
		}
		note_event(qmp, *answer);
		json_object_put(*answer);
	}
	return NULL;
}

struct qmp *qmp_open(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = ANSWER_S };
	struct qmp *qmp = calloc(1, sizeof(*qmp));
	struct json_object *answer;
	bool closed = false;

	if (!qmp)
		die("no memory");
	if (strlen(path) >= sizeof(address.sun_path))
		die("%s is too long for a socket's path", path);
	strcpy(address.sun_path, path);
	qmp->tokener = json_tokener_new();
	qmp->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (qmp->fd < 0 || !qmp->tokener)
		die("socket: %s", strerror(errno));
	if (connect(qmp->fd, (struct sockaddr *)&address, sizeof(address)))
		die("%s: %s: start QEMU with -qmp unix:%s,server=on,wait=off", path,
		    strerror(errno), path);
	setsockopt(qmp->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	/* Its greeting; there is none as long as somebody else is connected. */
	answer = qmp_next(qmp, true, &closed);
	if (!answer)
		die("%s: no greeting: this needs a monitor that nobody else uses", path);
	json_object_put(answer);
	if (!qmp_command(qmp, "qmp_capabilities", &answer))
		die("%s: QEMU does not answer", path);
	json_object_put(answer);
	qmp->greeted = true;
	return qmp;
}

int qmp_fd(const struct qmp *qmp)
{
	return qmp->fd;
}

bool qmp_events(struct qmp *qmp, bool *closed)
{
	struct json_object *object;
	bool look;

	*closed = false;
	while ((object = qmp_next(qmp, false, closed))) {
		note_event(qmp, object);
		json_object_put(object);
	}
	look = qmp->look;
	qmp->look = false;
	return look;
}

/* The largest memory BAR is the one that was asked for: pci-testdev has a small one of its own. */
static void take_bar(struct json_object *device, struct qmp_bar *bar)
{
	struct json_object *regions, *region;
	int64_t size;
	size_t i;

	if (!json_object_object_get_ex(device, "regions", &regions))
		return;
	for (i = 0; i < json_object_array_length(regions); i++) {
		region = json_object_array_get_idx(regions, i);
		size = number_of(region, "size");
		if (strcmp(string_of(region, "type"), "memory") || size <= (int64_t)bar->size)
			continue;
		bar->size = size;
		bar->address = number_of(region, "address");
		/* All ones: not mapped (hw/pci/pci.h, PCI_BAR_UNMAPPED). */
		bar->there = bar->address != UINT64_MAX;
	}
	bar->devid = number_of(device, "bus") << 8 | number_of(device, "slot") << 3 |
		     number_of(device, "function");
}

static bool is_device(struct json_object *device, const char *id)
{
	struct json_object *ids;

	if (id)
		return !strcmp(string_of(device, "qdev_id"), id);
	return json_object_object_get_ex(device, "id", &ids) &&
	       number_of(ids, "vendor") == TESTDEV_VENDOR &&
	       number_of(ids, "device") == TESTDEV_DEVICE;
}

static bool search(struct json_object *devices, const char *id, struct qmp_bar *bar)
{
	struct json_object *device, *bridge, *behind;
	size_t i;

	for (i = 0; i < json_object_array_length(devices); i++) {
		device = json_object_array_get_idx(devices, i);
		if (is_device(device, id)) {
			bar->plugged = true;
			take_bar(device, bar);
			return true;
		}
		if (json_object_object_get_ex(device, "pci_bridge", &bridge) &&
		    json_object_object_get_ex(bridge, "devices", &behind) &&
		    search(behind, id, bar))
			return true;
	}
	return false;
}

bool qmp_find_bar(struct qmp *qmp, const char *id, struct qmp_bar *bar)
{
	struct json_object *answer, *buses, *devices;
	size_t i;

	*bar = (struct qmp_bar){};
	buses = qmp_command(qmp, "query-pci", &answer);
	if (!buses) {
		json_object_put(answer);
		return false;
	}
	for (i = 0; i < json_object_array_length(buses); i++)
		if (json_object_object_get_ex(json_object_array_get_idx(buses, i), "devices",
					      &devices) &&
		    search(devices, id, bar))
			break;
	json_object_put(answer);
	/* One that came before the answer: what it says is of the time after. */
	bar->was_reset = qmp->reset;
	qmp->reset = false;
	return true;
}

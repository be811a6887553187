// SPDX-License-Identifier: GPL-2.0
/*
 * Devices, their tables, and who uses their handles.
 *
 * A device is the place where the host may have a table.  Some work looks at it again and again:
 * a table comes after its device, may go for a while (the host's server was restarted), be reset,
 * or be replaced by another one; so may labels.  All of that is seen in one place, dynirq_look().
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/hashtable.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/stringhash.h>

#include "dynirq.h"

/* Until there is a table: often at first, then every two seconds. */
#define WAIT_FIRST	(HZ / 10)
#define WAIT_MOST	(2 * HZ)
/* A place that costs the host something is switched off after that. */
#define WAIT_LIMIT	(60 * HZ)
/* Is it still there?  One read that the host's kernel answers. */
#define WATCH		HZ

/* See dynirq.h. */
DEFINE_MUTEX(dynirq_mutex);
static LIST_HEAD(devices);
static DEFINE_HASHTABLE(clients, 8);

static u32 header(const struct dynirq *dynirq, unsigned int reg)
{
	return readl(dynirq->base + reg);
}

/* Two registers of 4 bytes, or one of 8. */
static u64 header64(const struct dynirq *dynirq, unsigned int reg)
{
	return readq(dynirq->base + reg);
}

/* Whether there is a table. */
static bool ident(const struct dynirq *dynirq)
{
	return header(dynirq, DYNIRQ_IDENT) == DYNIRQ_IDENT_VALUE;
}

/* ---- clients ---- */

static u32 hash_of(const char *label)
{
	return full_name_hash(NULL, label, strlen(label));
}

static void client_detach(struct kvm_dynirq_client *client)
{
	struct dynirq_handle *handle = client->handle;

	if (!handle)
		return;
	client->offline(client);
	client->handle = NULL;
	dynirq_handle_put(handle);
}

static void client_attach(struct kvm_dynirq_client *client, struct dynirq *dynirq, u32 nr)
{
	struct dynirq_handle *handle;
	int ret;

	handle = dynirq_handle_get(dynirq, nr);
	if (IS_ERR(handle)) {
		dev_err(dynirq->dev, "handle %u (%s) cannot be had: %pe\n", nr, client->label,
			handle);
		return;
	}
	client->handle = handle;
	ret = client->online(client, handle->irq);
	if (!ret)
		return;
	client->handle = NULL;
	dynirq_handle_put(handle);
}

/*
 * Whether it may have a handle of @dynirq: it has none, or one that waits for a table to be back,
 * and here is one.  A table that is asleep is not gone.
 */
static bool client_may_have(const struct kvm_dynirq_client *client, const struct dynirq *dynirq)
{
	const struct dynirq *had = client->handle ? client->handle->dynirq : NULL;

	return !had || (dynirq->there && !had->there && !had->asleep);
}

/* Return: whether it has got a handle of the device. */
static bool client_find_at(struct kvm_dynirq_client *client, struct dynirq *dynirq)
{
	unsigned long nr;
	char *label;

	if (!client_may_have(client, dynirq))
		return false;
	xa_for_each(&dynirq->labels, nr, label) {
		if (strcmp(label, client->label))
			continue;
		client_detach(client);
		client_attach(client, dynirq, nr);
		if (client->handle)
			return true;
	}
	return false;
}

/* First where there is a table; then where one will be again. */
static void client_find(struct kvm_dynirq_client *client)
{
	struct dynirq *dynirq;

	list_for_each_entry(dynirq, &devices, list)
		if (dynirq->there && client_find_at(client, dynirq))
			return;
	list_for_each_entry(dynirq, &devices, list)
		if (dynirq->domain && !dynirq->there && client_find_at(client, dynirq))
			return;
}

/* When handles have been lost that others may have the same labels as. */
static void clients_find(void)
{
	struct kvm_dynirq_client *client;
	unsigned int bucket;

	hash_for_each(clients, bucket, client, by_label) {
		client_find(client);
		cond_resched();
	}
}

int kvm_dynirq_register(struct kvm_dynirq_client *client)
{
	size_t len = strlen(client->label);

	if (!len || len >= DYNIRQ_LABEL_SIZE)
		return -EINVAL;
	client->handle = NULL;
	mutex_lock(&dynirq_mutex);
	hash_add(clients, &client->by_label, hash_of(client->label));
	client_find(client);
	mutex_unlock(&dynirq_mutex);
	return 0;
}
EXPORT_SYMBOL_GPL(kvm_dynirq_register);

void kvm_dynirq_unregister(struct kvm_dynirq_client *client)
{
	mutex_lock(&dynirq_mutex);
	client_detach(client);
	hash_del(&client->by_label);
	mutex_unlock(&dynirq_mutex);
}
EXPORT_SYMBOL_GPL(kvm_dynirq_unregister);

/* ---- labels ---- */

/* Who used handle @nr by the label that it has had. */
static void label_gone(struct dynirq *dynirq, u32 nr)
{
	char *label = xa_erase(&dynirq->labels, nr);
	struct kvm_dynirq_client *client;

	if (!label)
		return;
	hash_for_each_possible(clients, client, by_label, hash_of(label))
		if (client->handle && client->handle->dynirq == dynirq &&
		    client->handle->nr == nr)
			client_detach(client);
	kfree(label);
}

static void label_new(struct dynirq *dynirq, u32 nr, const char *label)
{
	struct kvm_dynirq_client *client;
	char *old = xa_load(&dynirq->labels, nr), *copy;

	if (old && !strcmp(old, label))
		return;
	label_gone(dynirq, nr);
	if (!*label)
		return;
	copy = kstrdup(label, GFP_KERNEL);
	if (!copy || xa_err(xa_store(&dynirq->labels, nr, copy, GFP_KERNEL))) {
		kfree(copy);
		dev_err(dynirq->dev, "no memory for the label of handle %u\n", nr);
		return;
	}
	hash_for_each_possible(clients, client, by_label, hash_of(label)) {
		if (strcmp(client->label, label) || !client_may_have(client, dynirq))
			continue;
		client_detach(client);
		client_attach(client, dynirq, nr);
	}
}

/* Return: false: the table has gone. */
static bool label_read(struct dynirq *dynirq, u32 nr)
{
	__le32 words[DYNIRQ_LABEL_SIZE / sizeof(__le32)];
	char *label = (char *)words;
	unsigned int at;

	writel(nr, dynirq->base + DYNIRQ_LABEL_SELECT);
	for (at = 0; at < ARRAY_SIZE(words); at++)
		words[at] = cpu_to_le32(header(dynirq, DYNIRQ_LABEL + 4 * at));
	if (!ident(dynirq))
		return false;
	label[DYNIRQ_LABEL_SIZE - 1] = 0;
	label_new(dynirq, nr, label);
	return true;
}

/* Those that have changed; all that are not empty, after a reset. */
static void labels_read(struct dynirq *dynirq)
{
	bool moved = false;
	unsigned int i;
	u32 nr;

	/* A label that changes all the while is for the next time. */
	for (i = 0; i < 2 * dynirq->layout.handles; i++) {
		nr = header(dynirq, DYNIRQ_LABEL_CHANGED);
		/* No device at all reads as that, too. */
		if (nr >= dynirq->layout.handles)
			break;
		if (xa_load(&dynirq->labels, nr))
			moved = true;
		if (!label_read(dynirq, nr))
			break;
	}
	/* Who has lost a handle: its label may be that of one which came before. */
	if (moved)
		clients_find();
}

int dynirq_next_label(u32 *device, u32 *handle, char label[DYNIRQ_LABEL_SIZE])
{
	struct dynirq *dynirq;
	unsigned long nr;
	int ret = -ENOENT;
	char *found;

	mutex_lock(&dynirq_mutex);
	list_for_each_entry(dynirq, &devices, list) {
		if (dynirq->number < *device)
			continue;
		nr = dynirq->number == *device ? *handle : 0;
		found = xa_find(&dynirq->labels, &nr, ULONG_MAX, XA_PRESENT);
		if (!found)
			continue;
		*device = dynirq->number;
		*handle = nr;
		strscpy_pad(label, found, DYNIRQ_LABEL_SIZE);
		ret = 0;
		break;
	}
	mutex_unlock(&dynirq_mutex);
	return ret;
}

static irqreturn_t label_changed(int irq, void *data)
{
	struct dynirq *dynirq = data;

	mod_delayed_work(system_freezable_wq, &dynirq->watch, 0);
	return IRQ_HANDLED;
}

/* ---- tables ---- */

/* Users are told, interrupts given back. */
static void dismantle(struct dynirq *dynirq)
{
	unsigned long nr;
	char *label;

	if (!dynirq->domain)
		return;
	xa_for_each(&dynirq->labels, nr, label)
		label_gone(dynirq, nr);
	free_irq(dynirq->label->irq, dynirq);
	dynirq_handle_put(dynirq->label);
	dynirq->label = NULL;
	dynirq_domain_remove(dynirq);
	dynirq->there = false;
}

/* Once: the host may change what is read, or take the table away. */
static struct dynirq_layout layout_read(const struct dynirq *dynirq)
{
	return (struct dynirq_layout){
		.version = header(dynirq, DYNIRQ_VERSION),
		.features = header64(dynirq, DYNIRQ_FEATURES),
		.handles = header(dynirq, DYNIRQ_HANDLES),
		.compact = header(dynirq, DYNIRQ_COMPACT),
		.devid = header(dynirq, DYNIRQ_DEVID),
		.label_handle = header(dynirq, DYNIRQ_LABEL_HANDLE),
		.instance = header64(dynirq, DYNIRQ_INSTANCE),
	};
}

/* But for the instance. */
static bool same_layout(const struct dynirq_layout *a, const struct dynirq_layout *b)
{
	return a->version == b->version && a->features == b->features &&
	       a->handles == b->handles && a->compact == b->compact && a->devid == b->devid &&
	       a->label_handle == b->label_handle;
}

/* Return: false, with a line, if the table is not for us. */
static bool acceptable(struct dynirq *dynirq, const struct dynirq_layout *layout)
{
	const u64 needed = DYNIRQ_FEATURE_COMPACT | DYNIRQ_FEATURE_LABELS;

	if (DYNIRQ_VERSION_MAJOR(layout->version) != 1) {
		dev_err(dynirq->dev, "a dynirq of version %u.%u: this driver knows 1\n",
			DYNIRQ_VERSION_MAJOR(layout->version),
			DYNIRQ_VERSION_MINOR(layout->version));
		return false;
	}
	if ((layout->features & needed) != needed) {
		dev_err(dynirq->dev, "a dynirq without the compact form, or without labels\n");
		return false;
	}
	if (!layout->handles || layout->handles > DYNIRQ_MAX_HANDLES ||
	    layout->label_handle >= layout->handles || layout->compact % 8 ||
	    layout->compact < DYNIRQ_HEADER_SIZE || layout->compact > dynirq->size ||
	    8 * layout->handles > dynirq->size - layout->compact) {
		dev_err(dynirq->dev, "%u handles at 0x%x do not fit into 0x%llx bytes\n",
			layout->handles, layout->compact, (unsigned long long)dynirq->size);
		return false;
	}
	return true;
}

/* For the table that dynirq->layout is of. */
static int assemble(struct dynirq *dynirq)
{
	struct dynirq_handle *label;
	int ret;

	writel(DYNIRQ_CONTROL_RESET, dynirq->base + DYNIRQ_CONTROL);
	ret = dynirq_domain_create(dynirq);
	if (ret)
		return ret;
	/* The first and the last one: see dynirq_parent_put(). */
	label = dynirq_handle_get(dynirq, dynirq->layout.label_handle);
	if (IS_ERR(label)) {
		ret = PTR_ERR(label);
		goto err_domain;
	}
	ret = request_irq(label->irq, label_changed, 0, "kvm-dynirq labels", dynirq);
	if (ret)
		goto err_put;
	dynirq->label = label;
	return 0;

err_put:
	dynirq_handle_put(label);
err_domain:
	dynirq_domain_remove(dynirq);
	return ret;
}

/* There is a table where there was none, or another one. */
static void arrived(struct dynirq *dynirq)
{
	struct dynirq_layout layout = layout_read(dynirq);
	bool first = !dynirq->domain;
	unsigned long nr;
	char *label;
	int ret;

	/* It has gone meanwhile. */
	if (!ident(dynirq))
		return;
	if (!acceptable(dynirq, &layout)) {
		dismantle(dynirq);
		dynirq->refused = true;
		return;
	}
	if (!first && !same_layout(&layout, &dynirq->layout)) {
		dismantle(dynirq);
		first = true;
	}
	WRITE_ONCE(dynirq->asleep, false);
	if (first) {
		dynirq->layout = layout;
		ret = assemble(dynirq);
		if (ret) {
			dev_err_ratelimited(dynirq->dev, "%u handles cannot be set up: %d\n",
					    layout.handles, ret);
			/* Memory, vectors and LPIs may be had later. */
			dynirq->refused = ret != -ENOMEM && ret != -ENOSPC;
			return;
		}
	} else {
		/*
		 * Those that are no more, or others, even of the same table: it may have been
		 * saved before they were.  Then a reset has all that are count as changed.
		 */
		xa_for_each(&dynirq->labels, nr, label)
			if (!label_read(dynirq, nr))
				return;
		if (layout.instance != dynirq->layout.instance)
			writel(DYNIRQ_CONTROL_RESET, dynirq->base + DYNIRQ_CONTROL);
		else
			dynirq_unmap_unused(dynirq);
		dynirq->layout.instance = layout.instance;
	}
	dynirq_write_all(dynirq);
	dynirq->there = true;
	clients_find();
	dev_info(dynirq->dev, "%u handles%s\n", layout.handles, first ? "" : ", again");
}

static void lost(struct dynirq *dynirq)
{
	dynirq->there = false;
	WRITE_ONCE(dynirq->asleep, false);
	dynirq->since = jiffies;
	dev_warn(dynirq->dev, "the table is gone, its interrupts stop until it is back\n");
	clients_find();
}

/* Return: when to look again, in jiffies; 0: never. */
static unsigned long wait(struct dynirq *dynirq)
{
	unsigned long waited = jiffies - dynirq->since;

	if (dynirq->park && !dynirq->domain && waited > WAIT_LIMIT) {
		dynirq->park(dynirq);
		dev_warn(dynirq->dev,
			 "no table in %u s, not waiting any more: unbind and bind to try again\n",
			 WAIT_LIMIT / HZ);
		return 0;
	}
	return clamp_t(unsigned long, waited / 2, WAIT_FIRST, WAIT_MOST);
}

/* Return: when to look again, in jiffies; 0: never. */
static unsigned long dynirq_look(struct dynirq *dynirq)
{
	if (!ident(dynirq)) {
		/* Or has not come back after it was asleep. */
		if (dynirq->there || (dynirq->asleep && dynirq->domain))
			lost(dynirq);
		dynirq->refused = false;
		return wait(dynirq);
	}
	/* Said once, until something else is there. */
	if (dynirq->refused)
		return WAIT_MOST;
	if (!dynirq->there) {
		arrived(dynirq);
	} else if (header64(dynirq, DYNIRQ_INSTANCE) != dynirq->layout.instance) {
		dev_warn(dynirq->dev, "another table in its place\n");
		dynirq->there = false;
		dynirq->since = jiffies;
		arrived(dynirq);
	} else if (!dynirq_intact(dynirq)) {
		dev_warn(dynirq->dev, "the host has reset the table\n");
		dynirq_write_all(dynirq);
	}
	if (!dynirq->there) {
		/* It was none for us, or has gone again: its users may be had elsewhere. */
		clients_find();
		return WAIT_MOST;
	}
	labels_read(dynirq);
	return WATCH;
}

static void watch(struct work_struct *work)
{
	struct dynirq *dynirq = container_of(to_delayed_work(work), struct dynirq, watch);
	unsigned long next = 0;

	mutex_lock(&dynirq_mutex);
	if (dynirq->watched)
		next = dynirq_look(dynirq);
	if (next)
		queue_delayed_work(system_freezable_wq, &dynirq->watch, next);
	mutex_unlock(&dynirq_mutex);
}

/* ---- devices ---- */

static void watch_start(struct dynirq *dynirq)
{
	mutex_lock(&dynirq_mutex);
	dynirq->watched = true;
	dynirq->since = jiffies;
	mutex_unlock(&dynirq_mutex);
	mod_delayed_work(system_freezable_wq, &dynirq->watch, 0);
}

/* The label handle may still queue it: it then does nothing. */
static void watch_stop(struct dynirq *dynirq)
{
	mutex_lock(&dynirq_mutex);
	dynirq->watched = false;
	mutex_unlock(&dynirq_mutex);
	cancel_delayed_work_sync(&dynirq->watch);
}

/* The host stops at once: dynirq.rst section 7. */
static void off(struct dynirq *dynirq, bool reset)
{
	if (!ident(dynirq))
		return;
	if (reset)
		writel(DYNIRQ_CONTROL_RESET, dynirq->base + DYNIRQ_CONTROL);
	writel(DYNIRQ_CONTROL_OFF, dynirq->base + DYNIRQ_CONTROL);
}

static void dynirq_remove(void *data)
{
	struct dynirq *dynirq = data;

	watch_stop(dynirq);
	mutex_lock(&dynirq_mutex);
	dismantle(dynirq);
	off(dynirq, true);
	list_del(&dynirq->list);
	clients_find();
	mutex_unlock(&dynirq_mutex);
	cancel_delayed_work_sync(&dynirq->watch);
	if (dynirq->park)
		dynirq->park(dynirq);
	xa_destroy(&dynirq->used);
	xa_destroy(&dynirq->labels);
}

int dynirq_add(struct device *dev, void __iomem *base, resource_size_t size,
	       void (*park)(struct dynirq *dynirq))
{
	struct dynirq *dynirq;
	int ret;

	ret = dynirq_parent_find(dev);
	if (ret)
		return ret;
	dynirq = devm_kzalloc(dev, sizeof(*dynirq), GFP_KERNEL);
	if (!dynirq)
		return -ENOMEM;
	dynirq->dev = dev;
	dynirq->base = base;
	dynirq->size = size;
	dynirq->park = park;
	INIT_DELAYED_WORK(&dynirq->watch, watch);
	xa_init(&dynirq->used);
	xa_init(&dynirq->labels);
	dev_set_drvdata(dev, dynirq);
	mutex_lock(&dynirq_mutex);
	if (!list_empty(&devices))
		dynirq->number = list_last_entry(&devices, struct dynirq, list)->number + 1;
	list_add_tail(&dynirq->list, &devices);
	mutex_unlock(&dynirq_mutex);
	ret = devm_add_action_or_reset(dev, dynirq_remove, dynirq);
	if (!ret)
		watch_start(dynirq);
	return ret;
}

/* Events that come meanwhile are pending when the machine is back. */
int dynirq_suspend(struct device *dev)
{
	struct dynirq *dynirq = dev_get_drvdata(dev);

	watch_stop(dynirq);
	mutex_lock(&dynirq_mutex);
	WRITE_ONCE(dynirq->asleep, true);
	if (dynirq->there) {
		dynirq_mask_all(dynirq);
		off(dynirq, false);
	}
	dynirq->there = false;
	mutex_unlock(&dynirq_mutex);
	return 0;
}

int dynirq_resume(struct device *dev)
{
	watch_start(dev_get_drvdata(dev));
	return 0;
}

void dynirq_shutdown(struct device *dev)
{
	struct dynirq *dynirq = dev_get_drvdata(dev);

	watch_stop(dynirq);
	mutex_lock(&dynirq_mutex);
	off(dynirq, true);
	mutex_unlock(&dynirq_mutex);
}

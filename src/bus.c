// SPDX-License-Identifier: GPL-2.0
/*
 * What a VM has on KVM's bus, and the thread that puts it there and takes it off.
 *
 * KVM waits for all its vCPUs then, and any of them may be waiting for a page that userspace
 * serves.  A thread of the VM's own does it: whoever adds something can be killed, and whoever
 * takes something away, a close among them, waits for nothing.  It is left to the thread, which
 * if need be outlives the VM's last context.
 */
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "bus.h"

void irqx_bus_init(struct irqx_bus *bus, struct kvm *kvm)
{
	bus->kvm = kvm;
	spin_lock_init(&bus->lock);
	INIT_LIST_HEAD(&bus->queue);
	INIT_LIST_HEAD(&bus->claims);
	mutex_init(&bus->thread_mutex);
	init_waitqueue_head(&bus->tried);
}

/* @release: called in the end, with the place off the bus.  Context: any. */
void irqx_place_init(struct irqx_place *place,
		     void (*release)(struct irqx_place *place))
{
	INIT_LIST_HEAD(&place->node);
	INIT_LIST_HEAD(&place->claim);
	place->release = release;
}

/* ---- the thread ---- */

static void place_take_off(struct irqx_bus *bus, struct irqx_place *place)
{
	struct irqx_window *window;
	u32 i;

	for (i = 0; i < IRQX_PLACE_WINDOWS; i++) {
		window = &place->windows[i];
		if (window->on_bus)
			irqx_kvm_unregister_device(bus->kvm, &window->device);
		window->on_bus = false;
	}
}

static int place_put_on(struct irqx_bus *bus, struct irqx_place *place)
{
	struct irqx_window *window;
	int ret;
	u32 i;

	for (i = 0; i < IRQX_PLACE_WINDOWS; i++) {
		window = &place->windows[i];
		ret = irqx_kvm_register_device(bus->kvm, window->start, window->len,
					       &window->device);
		if (ret)
			return ret;
		window->on_bus = true;
	}
	return 0;
}

/* Return: the next one, which is in work then; or NULL. */
static struct irqx_place *bus_take(struct irqx_bus *bus)
{
	struct irqx_place *place;

	spin_lock(&bus->lock);
	place = list_first_entry_or_null(&bus->queue, struct irqx_place, node);
	if (place) {
		list_del_init(&place->node);
		place->state = IRQX_PLACE_IN_WORK;
	}
	bus->in_work = place;
	spin_unlock(&bus->lock);
	return place;
}

/* It has been tried to put it there.  Return: whether it is to leave by now. */
static bool bus_settle(struct irqx_bus *bus, struct irqx_place *place, int ret)
{
	bool leaves;

	spin_lock(&bus->lock);
	leaves = place->leaves;
	if (!leaves)
		place->state = IRQX_PLACE_IDLE;
	place->ret = ret;
	place->tried = true;
	/* Under the lock: from then on it may be gone as soon as somebody removes it. */
	wake_up_all(&bus->tried);
	spin_unlock(&bus->lock);
	return leaves;
}

static void bus_serve(struct irqx_bus *bus, struct irqx_place *place)
{
	/* Nobody but this thread writes @tried. */
	if (!place->tried && !READ_ONCE(place->leaves) &&
	    !bus_settle(bus, place, place_put_on(bus, place)))
		return;
	place_take_off(bus, place);
	place->release(place);
}

static void bus_wait(struct irqx_bus *bus)
{
	set_current_state(TASK_IDLE);
	if (list_empty_careful(&bus->queue) && !kthread_should_stop() &&
	    !READ_ONCE(bus->finish))
		schedule();
	__set_current_state(TASK_RUNNING);
}

static int bus_main(void *data)
{
	struct irqx_bus *bus = data;
	struct irqx_place *place;

	while (!kthread_should_stop()) {
		place = bus_take(bus);
		if (place) {
			bus_serve(bus, place);
			continue;
		}
		if (READ_ONCE(bus->finish)) {
			bus->finish(bus);
			module_put_and_kthread_exit(0);
		}
		bus_wait(bus);
	}
	return 0;
}

/**
 * irqx_bus_prepare - have the thread
 * @bus: the VM's
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM, or -EINTR if killed.
 */
int irqx_bus_prepare(struct irqx_bus *bus)
{
	struct task_struct *thread;
	int ret;

	ret = mutex_lock_killable(&bus->thread_mutex);
	if (ret)
		return ret;
	if (!bus->thread) {
		thread = kthread_run(bus_main, bus, "kvm-irqx-bus/%d",
				     task_tgid_nr(current));
		ret = PTR_ERR_OR_ZERO(thread);
		if (!ret)
			bus->thread = thread;
	}
	mutex_unlock(&bus->thread_mutex);
	return ret;
}

/**
 * irqx_bus_stop - end the thread
 * @bus: nobody adds or removes anything any more
 * @finish: called by the thread in the end, if it is left behind
 *
 * Context: may sleep, but not for a vCPU.
 * Return: whether it has something to do, and is left behind: then @bus is not the caller's
 * any more.
 */
bool irqx_bus_stop(struct irqx_bus *bus, void (*finish)(struct irqx_bus *bus))
{
	bool busy;

	if (!bus->thread)
		return false;

	spin_lock(&bus->lock);
	busy = bus->in_work || !list_empty(&bus->queue);
	if (busy) {
		/* Its code must stay; the file that is being closed holds it now. */
		__module_get(THIS_MODULE);
		WRITE_ONCE(bus->finish, finish);
	}
	spin_unlock(&bus->lock);
	if (!busy)
		kthread_stop(bus->thread);
	return busy;
}

/* ---- places ---- */

static void bus_queue(struct irqx_bus *bus, struct irqx_place *place)
{
	lockdep_assert_held(&bus->lock);

	place->state = IRQX_PLACE_QUEUED;
	list_add_tail(&place->node, &bus->queue);
	wake_up_process(bus->thread);
}

/**
 * irqx_bus_add - put a place on the bus
 * @bus: irqx_bus_prepare() has succeeded
 * @place: new; its windows are filled in
 *
 * irqx_bus_remove() is to follow in any case, also if this fails.
 *
 * Context: may sleep, with no lock held; vCPUs decide how long: killable.
 * Return: 0, -EINTR if killed, or as irqx_kvm_register_device().
 */
int irqx_bus_add(struct irqx_bus *bus, struct irqx_place *place)
{
	int ret;

	spin_lock(&bus->lock);
	bus_queue(bus, place);
	spin_unlock(&bus->lock);
	ret = wait_event_state(bus->tried, READ_ONCE(place->tried),
			       (TASK_KILLABLE | TASK_FREEZABLE));
	if (ret)
		return -EINTR;
	spin_lock(&bus->lock);
	ret = place->ret;
	spin_unlock(&bus->lock);
	return ret;
}

/**
 * irqx_bus_remove - take a place off the bus
 * @bus: the VM's
 * @place: added; it is not the caller's any more, and released when it is off
 *
 * Places that are added later come after.
 *
 * Context: any; waits for nothing.
 */
void irqx_bus_remove(struct irqx_bus *bus, struct irqx_place *place)
{
	spin_lock(&bus->lock);
	list_del_init(&place->claim);
	WRITE_ONCE(place->leaves, true);
	if (place->state == IRQX_PLACE_IDLE)
		bus_queue(bus, place);
	spin_unlock(&bus->lock);
}

static bool places_overlap(const struct irqx_place *a, const struct irqx_place *b)
{
	u32 i, j;

	for (i = 0; i < IRQX_PLACE_WINDOWS; i++)
		for (j = 0; j < IRQX_PLACE_WINDOWS; j++)
			if (irqx_windows_overlap(&a->windows[i], &b->windows[j]))
				return true;
	return false;
}

/**
 * irqx_bus_claim - be the only one that answers there
 * @bus: the VM's
 * @place: added
 * @instead: gives up its own claim, if that succeeds; or NULL
 *
 * Context: process context.
 * Return: 0, or -EEXIST if another claim overlaps.
 */
int irqx_bus_claim(struct irqx_bus *bus, struct irqx_place *place,
		   struct irqx_place *instead)
{
	struct irqx_place *other;
	int ret = 0;

	spin_lock(&bus->lock);
	list_for_each_entry(other, &bus->claims, claim)
		if (other != place && other != instead && places_overlap(place, other))
			ret = -EEXIST;
	if (!ret) {
		if (instead)
			list_del_init(&instead->claim);
		list_del_init(&place->claim);
		list_add_tail(&place->claim, &bus->claims);
	}
	spin_unlock(&bus->lock);
	return ret;
}

/* Context: process context. */
void irqx_bus_disclaim(struct irqx_bus *bus, struct irqx_place *place)
{
	spin_lock(&bus->lock);
	list_del_init(&place->claim);
	spin_unlock(&bus->lock);
}

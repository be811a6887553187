// SPDX-License-Identifier: GPL-2.0
/*
 * What a VM has on KVM's bus, and the thread that puts it there and takes it off.
 *
 * KVM waits for all its vCPUs then, and any of them may be waiting for a page that userspace
 * serves.  A thread of the VM's own does it: whoever adds something can be killed, and whoever
 * takes something away, a close among them, waits for nothing.  It is left to the thread, which
 * if need be outlives the VM's last context.
 *
 * KVM looks for a device by a binary search that loses its way where one range lies within
 * another (virt/kvm/kvm_main.c, kvm_io_bus_cmp()).  So what does not answer is taken off when
 * something else is to answer there.
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
	INIT_LIST_HEAD(&bus->places);
	mutex_init(&bus->thread_mutex);
	init_waitqueue_head(&bus->progress);
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

/* All of it or nothing. */
static int place_put_on(struct irqx_bus *bus, struct irqx_place *place)
{
	struct irqx_window *window;
	int ret;
	u32 i;

	for (i = 0; i < IRQX_PLACE_WINDOWS; i++) {
		window = &place->windows[i];
		if (window->on_bus || !window->len)
			continue;
		ret = irqx_kvm_register_device(bus->kvm, window->start, window->len,
					       &window->device);
		if (ret) {
			place_take_off(bus, place);
			return ret;
		}
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
	bus->in_work = !!place;
	spin_unlock(&bus->lock);
	return place;
}

/*
 * A round of work on a place is done: @on, with @ret.  Return: whether something else is
 * wanted of it by now.
 */
static bool bus_note_result(struct irqx_bus *bus, struct irqx_place *place, bool on, int ret)
{
	bool again;

	spin_lock(&bus->lock);
	if (on && ret)
		place->wanted = false;
	place->ret = on ? ret : -EAGAIN;
	place->served++;
	again = place->leaves || (place->wanted != on && !ret);
	if (!again)
		place->state = IRQX_PLACE_IDLE;
	/* Under the lock: from then on it may be gone as soon as somebody removes it. */
	wake_up_all(&bus->progress);
	spin_unlock(&bus->lock);
	return again;
}

static bool place_is_wanted(struct irqx_bus *bus, struct irqx_place *place, bool *leaves)
{
	bool wanted;

	spin_lock(&bus->lock);
	*leaves = place->leaves;
	wanted = place->wanted && !place->leaves;
	spin_unlock(&bus->lock);
	return wanted;
}

static void bus_serve(struct irqx_bus *bus, struct irqx_place *place)
{
	bool on, leaves;
	int ret;

	do {
		ret = 0;
		on = place_is_wanted(bus, place, &leaves);
		if (on)
			ret = place_put_on(bus, place);
		else
			place_take_off(bus, place);
		if (leaves) {
			place->release(place);
			return;
		}
	} while (bus_note_result(bus, place, on, ret));
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

/* What is wanted of it has changed; the thread sees that in its own time. */
static void bus_queue(struct irqx_bus *bus, struct irqx_place *place)
{
	lockdep_assert_held(&bus->lock);

	if (place->state != IRQX_PLACE_IDLE)
		return;
	place->state = IRQX_PLACE_QUEUED;
	list_add_tail(&place->node, &bus->queue);
	wake_up_process(bus->thread);
}

/**
 * irqx_bus_add - have a place, which is not on the bus yet
 * @bus: irqx_bus_prepare() has succeeded
 * @place: new; its windows are filled in
 * @release: called by the thread after irqx_bus_remove(), with the place off the bus
 *
 * Context: any.
 */
void irqx_bus_add(struct irqx_bus *bus, struct irqx_place *place,
		  void (*release)(struct irqx_place *place))
{
	INIT_LIST_HEAD(&place->node);
	place->release = release;
	spin_lock(&bus->lock);
	list_add_tail(&place->entry, &bus->places);
	spin_unlock(&bus->lock);
}

/* Return: whether that is so; then @ret is what has come of it. */
static bool place_was_served(struct irqx_bus *bus, struct irqx_place *place, u32 before,
			     int *ret)
{
	bool was;

	spin_lock(&bus->lock);
	was = place->served != before;
	*ret = place->ret;
	spin_unlock(&bus->lock);
	return was;
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

/*
 * What does not answer must not hide what does: it is off the bus before @place comes, since
 * the thread goes by the order of the queue.
 */
static void bus_clear_way(struct irqx_bus *bus, struct irqx_place *place)
{
	struct irqx_place *other;

	lockdep_assert_held(&bus->lock);

	list_for_each_entry(other, &bus->places, entry) {
		if (other == place || other->claimed || !other->wanted ||
		    !places_overlap(place, other))
			continue;
		other->wanted = false;
		bus_queue(bus, other);
	}
}

/**
 * irqx_bus_put_on - put a place on the bus
 * @bus: the VM's
 * @place: new from irqx_bus_add(), and nobody else's yet
 *
 * Others that overlap and have no claim are taken off first.
 *
 * Context: may sleep, with no lock held; vCPUs decide how long: killable.
 * Return: 0, -EAGAIN if somebody else has claimed what it overlaps meanwhile, -EINTR if killed,
 * or as irqx_kvm_register_device().
 */
int irqx_bus_put_on(struct irqx_bus *bus, struct irqx_place *place)
{
	u32 before;
	int ret;

	spin_lock(&bus->lock);
	before = place->served;
	bus_clear_way(bus, place);
	place->wanted = true;
	bus_queue(bus, place);
	spin_unlock(&bus->lock);
	if (wait_event_state(bus->progress, place_was_served(bus, place, before, &ret),
			     (TASK_KILLABLE | TASK_FREEZABLE)))
		return -EINTR;
	return ret;
}

/**
 * irqx_bus_remove - take a place off the bus
 * @bus: the VM's
 * @place: added; it is not the caller's any more, and released when it is off
 *
 * Places that are put on later come after.
 *
 * Context: any; waits for nothing.
 */
void irqx_bus_remove(struct irqx_bus *bus, struct irqx_place *place)
{
	spin_lock(&bus->lock);
	list_del(&place->entry);
	place->leaves = true;
	bus_queue(bus, place);
	spin_unlock(&bus->lock);
}

static bool place_is_on(const struct irqx_place *place)
{
	return place->wanted && place->state == IRQX_PLACE_IDLE;
}

/**
 * irqx_bus_claim - be the only one that answers there
 * @bus: the VM's
 * @place: added
 * @instead: gives up its own claim, if that succeeds; or NULL
 *
 * Context: process context.
 * Return: 0, -EEXIST if another claim overlaps, or -EAGAIN if it takes irqx_bus_put_on() first.
 */
int irqx_bus_claim(struct irqx_bus *bus, struct irqx_place *place,
		   struct irqx_place *instead)
{
	struct irqx_place *other;
	int ret = 0;

	spin_lock(&bus->lock);
	list_for_each_entry(other, &bus->places, entry)
		if (other->claimed && other != place && other != instead &&
		    places_overlap(place, other))
			ret = -EEXIST;
	if (!ret && !place_is_on(place))
		ret = -EAGAIN;
	if (!ret) {
		if (instead)
			instead->claimed = false;
		place->claimed = true;
	}
	spin_unlock(&bus->lock);
	return ret;
}

/* It does not answer any more.  Context: process context. */
void irqx_bus_disclaim(struct irqx_bus *bus, struct irqx_place *place)
{
	spin_lock(&bus->lock);
	place->claimed = false;
	spin_unlock(&bus->lock);
}

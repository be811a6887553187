/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_ASSIGN_H
#define SELFTEST_IRQX_ASSIGN_H

/*
 * An "edu" device of QEMU, assigned by VFIO to a guest, and its INTx by /dev/kvm-irqx-intx; with
 * another one beside it that a driver of the host drives (modules/neighbour.h).  The machine is
 * that of scripts/vm --assign.
 */
#include <linux/pci_regs.h>

#include "irqx_assign_arch.h"
#include "irqx_source.h"
#include "../modules/neighbour.h"

#include <linux/kvm_irqx_intx.h>
#include <linux/vfio.h>

#define IRQX_INTX_PATH		"/dev/kvm-irqx-intx"
#define IRQX_INTX_NAME		"kvm_irqx_intx"

/* Slots of edu devices on bus 0: two that share a line, one that is alone; behind a port. */
#define IRQX_EDU_SLOT		0x8
#define IRQX_EDU_NEIGHBOUR	0xc
#define IRQX_EDU_ALONE		0xd
#define IRQX_EDU_PORT		(-1)
/* A device that has no interrupt; an e1000, on the line of the one that else is alone. */
#define IRQX_SILENT_SLOT	0xe
#define IRQX_NIC_SLOT		0x11

/* Its registers. */
#define IRQX_EDU_STATUS		0x24
#define IRQX_EDU_RAISE		0x60
#define IRQX_EDU_ACK		0x64

/* Where the guest has it. */
#define IRQX_EDU_GPA		0xd0000000

/* Of scripts/vm --assign, with kvm_irqx_intx.ko built: else why not. */
const char *irqx_assign_missing(void);

struct irqx_assigned {
	char name[32];			/* as in sysfs */
	uint32_t domain;
	uint8_t bus;
	uint8_t devfn;
	int container, group, device;	/* open files; -1: closed */
	uint64_t config;		/* offset of its configuration space */
	volatile uint8_t *bar;
	size_t size;			/* of it */
};

/* Finds the device; binds VFIO's driver if it is not bound. */
void irqx_assigned_find(struct irqx_assigned *a, int slot);
/* Opens it. */
void irqx_assigned_open(struct irqx_assigned *a);
/* @size bytes at @memory are at @iova for it. */
void irqx_assigned_map(struct irqx_assigned *a, void *memory, uint64_t iova, size_t size);
/* Its character device, which few kernels have: to @path.  Return: whether there is one. */
bool irqx_assigned_cdev(struct irqx_assigned *a, char *path, size_t size);
/* All that is open. */
void irqx_assigned_close(struct irqx_assigned *a);
uint16_t irqx_assigned_command(struct irqx_assigned *a);
void irqx_assigned_set_command(struct irqx_assigned *a, uint16_t set, uint16_t clear);
/* VFIO's own INTx, to @fd; -1: off.  Return: 0 or an errno. */
int __irqx_assigned_vfio_intx(struct irqx_assigned *a, int fd);
/* Unmasked by @fd, a resamplefd.  Return: likewise. */
int __irqx_assigned_vfio_unmask(struct irqx_assigned *a, int fd);
/* What the hardware's register has, by sysfs. */
uint16_t irqx_assigned_real_command(struct irqx_assigned *a);
/* Writes @text to @file of its directory in sysfs.  Return: 0 or an errno. */
int irqx_assigned_sysfs(struct irqx_assigned *a, const char *file, const char *text);
bool irqx_assigned_is_there(struct irqx_assigned *a);
/* Whether a driver of the host's can switch its slot off. */
bool irqx_assigned_has_slot(struct irqx_assigned *a);
/* Does that, and QEMU takes the device away.  Return: likewise. */
int irqx_assigned_unplug(struct irqx_assigned *a);

static inline uint32_t irqx_edu_read(struct irqx_assigned *a, uint32_t reg)
{
	return *(volatile uint32_t *)(a->bar + reg);
}

static inline void irqx_edu_write(struct irqx_assigned *a, uint32_t reg, uint32_t value)
{
	*(volatile uint32_t *)(a->bar + reg) = value;
}

/* It interrupts. */
static inline void irqx_edu_fire(struct irqx_assigned *a)
{
	irqx_edu_write(a, IRQX_EDU_RAISE, 1);
}

/*
 * The guest's driver: its handler reads the status, acknowledges it and counts.  With @hold set it
 * does none of that, and no EOI either.
 */
struct irqx_edu_driver {
	uint32_t status;		/* where that is, */
	uint32_t ack;			/* and where it is written to; 0: reading acknowledges */
	uint64_t served;		/* something was in the status */
	uint64_t empty;			/* nothing was */
	uint64_t held;
	uint32_t hold;
};

/*
 * For the handler in lib/ARCH: first the device, then an EOI unless it is held, then that is told.
 */
enum irqx_edu_done {
	IRQX_EDU_SERVED,
	IRQX_EDU_EMPTY,
	IRQX_EDU_HELD,
};

enum irqx_edu_done irqx_edu_serve(void);
void irqx_edu_note(enum irqx_edu_done done);

/* lib/ARCH: a guest, and its handler of the device's interrupt; none runs yet. */
struct irqx_guest *irqx_edu_guest_create(void);
/* The guest runs: what its interrupt controller has to know. */
void irqx_edu_guest_setup(struct irqx_guest *g);
/* The guest's EOI of an interrupt that it holds. */
void irqx_edu_guest_eoi(struct irqx_guest *g);

/* A guest that has the device, an edu if nobody says otherwise.  It has to be open. */
struct irqx_guest *irqx_edu_guest(struct irqx_assigned *a);
/* Where its interrupt goes. */
struct kvm_irq_routing_entry irqx_edu_entry(void);
volatile struct irqx_edu_driver *irqx_edu_driver(struct irqx_guest *g);
/* Until it has served that many.  Return: whether. */
bool irqx_edu_wait(struct irqx_guest *g, uint64_t served);
/* @n interrupts, each served by the guest before the next.  @fired: how many, in and out. */
void irqx_edu_cycles(struct irqx_assigned *a, struct irqx_guest *g, uint64_t *fired, uint64_t n);
/* The guest has taken an interrupt, and keeps it. */
void irqx_edu_hold(struct irqx_assigned *a, struct irqx_guest *g);
/* It does what it had to do, but for the device. */
void irqx_edu_eoi(struct irqx_guest *g);
/* It does what it had to do. */
void irqx_edu_let_go(struct irqx_assigned *a, struct irqx_guest *g);
/*
 * The device interrupts while the guest does not want that, by PCI_COMMAND_INTX_DISABLE: it sees
 * none for a while.  @fired: how many it has been told of.
 */
void irqx_edu_silent(struct irqx_guest *g, uint64_t fired);
/* It wants it again: that one is served, and then others. */
void irqx_edu_wanted(struct irqx_assigned *a, struct irqx_guest *g, uint64_t *fired);

/* kvm_irqx_intx.ko.  Return: 0 or an errno. */
int irqx_intx_load(const char *params);
int irqx_intx_open(void);
/* @reason may be NULL.  Return: 0 or an errno. */
int __irqx_intx_attach(int intx, int ctx, struct irqx_assigned *a, uint32_t *reason);
#define irqx_intx_attach(intx, ctx, a)	irqx_assert(__irqx_intx_attach(intx, ctx, a, NULL))
struct kvm_irqx_intx_state irqx_intx_state(int intx);

/* The host's driver beside it; -1: the module has not been built. */
int irqx_neighbour_open(int slot);
void irqx_neighbour_close(int neighbour);
/* Return: 0 or an errno. */
int __irqx_neighbour(int neighbour, struct neighbour_request *request);
void irqx_neighbour_join(int neighbour, uint32_t flags);
void irqx_neighbour_leave(int neighbour);
struct neighbour_request irqx_neighbour_fire(int neighbour, uint64_t count, uint32_t ms);
/* The depth of disable_irq() of its line. */
uint64_t irqx_neighbour_depth(int neighbour, uint64_t *nr);

#endif /* SELFTEST_IRQX_ASSIGN_H */

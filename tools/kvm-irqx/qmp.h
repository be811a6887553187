/* SPDX-License-Identifier: MIT */
#ifndef KVM_IRQX_QMP_H
#define KVM_IRQX_QMP_H

/* QEMU's monitor: where a PCI device's memory BAR is. */

#include <stdbool.h>
#include <stdint.h>

struct qmp;

/* Where it is, or that it is nowhere. */
struct qmp_bar {
	bool plugged;			/* the device is there */
	bool there;			/* and memory decoding is enabled */
	bool was_reset;			/* the machine was, since this was asked last */
	uint64_t address;
	uint64_t size;
	uint32_t devid;			/* bus << 8 | devfn */
};

/* Dies if there is no monitor there. */
struct qmp *qmp_open(const char *path);
int qmp_fd(const struct qmp *qmp);
/*
 * Reads what has come.  Return: whether the machine has been reset, or the device has gone, so that
 * it is to be asked at once.  @closed: out: QEMU has gone.
 */
bool qmp_events(struct qmp *qmp, bool *closed);
/* @id: the device's, or NULL: the first pci-testdev.  Return: false if QEMU has gone. */
bool qmp_find_bar(struct qmp *qmp, const char *id, struct qmp_bar *bar);

#endif /* KVM_IRQX_QMP_H */

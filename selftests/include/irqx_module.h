/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_MODULE_H
#define SELFTEST_IRQX_MODULE_H

/*
 * For tests that load and unload modules.  What they may load is in the
 * environment, as scripts/vm sets it:
 *
 *	IRQX_MODULE		the file of kvm_irqx.ko
 *	IRQX_KVM_MODULES	those of KVM, the vendor's last
 *	IRQX_KERNEL		the name for selftests/make-variants
 */

#include <stdbool.h>
#include <stddef.h>

#define IRQX_MODULE_NAME	"kvm_irqx"

/* Return: 0 or an errno. */
int irqx_module_load(const char *file, const char *params);
/* Does not wait.  Return: 0 or an errno, EWOULDBLOCK if it is in use. */
int irqx_module_unload(const char *name);
bool irqx_module_present(const char *name);

/* The file of kvm_irqx.ko, or NULL. */
const char *irqx_module_file(void);
/* That of KVM's vendor module, and its @name; NULL if not known. */
const char *irqx_vendor_module(char *name, size_t size);
/* That of a module of make-variants for this kernel, or NULL. */
const char *irqx_variant_file(const char *variant);
/* Loads that and opens its @device.  Return: a file descriptor, or -1: there is no such module. */
int irqx_variant_open(const char *variant, const char *device);

/* The kernel log from now on.  Return: a file descriptor. */
int irqx_kmsg_open(void);
/* The next line of kvm_irqx.  Return: false if none has come. */
bool irqx_kmsg_line(int kmsg, char *line, size_t size);
/*
 * Return: how many lines of kvm_irqx have come since the last call; the last of
 * them is put into @last.
 */
int irqx_kmsg_lines(int kmsg, char *last, size_t size);

#endif /* SELFTEST_IRQX_MODULE_H */

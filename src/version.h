/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IRQX_VERSION_H
#define _IRQX_VERSION_H

/* The only place: the Makefile reads it for DKMS and the packages. */
#define IRQX_VERSION	"0.2.0"

#endif /* _IRQX_VERSION_H */

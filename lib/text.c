// SPDX-License-Identifier: MIT
/*
 * Text that may not fit.
 */
#include <stdarg.h>
#include <stdio.h>

#include "internal.h"

void kvmirqx_text_begin(struct kvmirqx_text *text, char *buf, size_t size)
{
	text->buf = buf;
	text->size = size;
	text->length = 0;
	if (size)
		buf[0] = 0;
}

void kvmirqx_text_add(struct kvmirqx_text *text, const char *format, ...)
{
	size_t left = text->length < text->size ? text->size - text->length : 0;
	va_list list;
	int length;

	va_start(list, format);
	length = vsnprintf(left ? text->buf + text->length : NULL, left, format, list);
	va_end(list);
	if (length > 0)
		text->length += (size_t)length;
}

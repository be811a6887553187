/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_IRQX_DYNIRQ_ARCH_H
#define SELFTEST_IRQX_DYNIRQ_ARCH_H

/* A message in the compact form of a handle: Documentation/dynirq.rst section 3. */

/* The EventID; the address is not there. */
static inline uint64_t dynirq_compact(struct irqx_vector_message message)
{
	return message.data;
}

/* The message that a write of @compact makes. */
static inline struct irqx_vector_message dynirq_message(uint64_t compact, uint64_t doorbell)
{
	return (struct irqx_vector_message){
		.address = doorbell,
		.data = compact,
	};
}

/* A message that the compact form does not show all of, with the same of it to be seen. */
static inline struct irqx_vector_message dynirq_partial(struct irqx_vector_message message)
{
	message.address |= 0x5ULL << 40;
	return message;
}

#endif /* SELFTEST_IRQX_DYNIRQ_ARCH_H */

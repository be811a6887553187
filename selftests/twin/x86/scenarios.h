/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Scenarios on x86, with what they have to come to: interrupts, signals of
 * resamplefds.  Part of twin_test.c.  RTEs: vector, 0x8000 for level, 0x10000 for
 * masked.
 */

/* Two irqfds of a GSI are one line, with an EOI for both. */
IDENTICAL(shared_gsi, 2, 4,
	  "route 0 ioapic16; assign 0 0 0; assign 1 0 1; rte 16 0x8050 0;"
	  "fire 0; fire 1; run 0; fire 1; run 0")

/* One resamplefd for two. */
IDENTICAL(shared_resamplefd, 2, 2,
	  "route 0 ioapic16; route 1 pic5; assign 0 0 0; assign 1 1 0; rte 16 0x8050 0;"
	  "fire 0; fire 1; run 0")

/*
 * What is pending when the guest writes the entry of a level, masked before or not: from 6.4
 * on KVM forgets it and asks the resamplefd.
 */
#define FORGETS	irqx_kernel_since(6, 4)

IDENTICAL(pending_at_unmasking, FORGETS ? 0 : 1, 1,
	  "route 0 ioapic16; assign 0 0 0; rte 16 0x18050 0; fire 0; mask 16 0; run 0")

/* The vCPU that it was for is not there. */
IDENTICAL(retargeted_while_pending, FORGETS ? 0 : 1, 1,
	  "route 0 ioapic16; assign 0 0 0; rte 16 0x8050 5; fire 0; rte 16 0x8050 0; run 0")

/* An edge that has been delivered is up still. */
IDENTICAL(edge_made_level, 1, FORGETS ? 2 : 1,
	  "route 0 ioapic16; assign 0 0 0; rte 16 0x50 0; fire 0; rte 16 0x8050 0; run 0")

/* Levels that KVM_SET_IRQCHIP has put up. */
IDENTICAL(restored, 2, 2,
	  "route 0 ioapic16; rte 16 0x8050 0; assign 0 0 0; set_up 16 1; run 0;"
	  "fire 0; run 0")

IDENTICAL(restored_pic, 1, 1,
	  "route 0 pic5; assign 0 0 0; pic_set_up 5 1; run 0")

/* An EOI of one pin lowers both. */
IDENTICAL(restored_on_two_pins, 1, 1,
	  "route 0 both10; assign 0 0 0; set_up 10 1; pic_set_up 10 1; run 0")

IDENTICAL(restored_and_lowered, 0, 0,
	  "route 0 ioapic16; rte 16 0x18050 0; set_up 16 1; line 0 0;"
	  "assign 0 0 0; set_up 16 1; deassign 0 0")

/* What KVM_IRQ_LINE_STATUS answers. */
IDENTICAL(status_of_two_pins, 0, 0,
	  "route 0 both4; rte 4 0x8051 0; line 0 1; line 0 0")

IDENTICAL(status_of_a_masked_sint, 0, 0,
	  "route 0 sint0; sint 0 1; line 0 1; line 0 0")

IDENTICAL(status_of_a_level_that_an_irqfd_holds, 0, 0,
	  "route 0 pic5; assign 0 0 0; fire 0; line 0 0; line 0 1; line 0 0")

IDENTICAL(status_of_the_rtc, 0, 0,
	  "route 0 ioapic8; assign 0 0 0; mask 8 0; fire 0; restore; line 0 0")

/* A held pin that is an edge is driven again. */
IDENTICAL(edge_held_at_an_eoi, 1, 1,
	  "route 0 ioapic16; assign 0 0 0; rte 16 0x50 0; line 0 1; run 0; fire 0; run 0")

IDENTICAL(edge_of_two_sources_and_pins, 1, 2,
	  "route 0 both10; assign 0 0 0; assign 1 0 1; mask 10 0; fire 1; run 0;"
	  "rte 10 0x8050 1; fire 0")

IDENTICAL(edge_held_for_two_sources, 1, 2,
	  "route 0 both4; assign 0 0 0; rte 4 0x50 1; assign 1 0 1; line 0 1; restore;"
	  "run 0")

IDENTICAL(edge_held_at_a_pulse, 0, 0,
	  "route 0 ioapic16; assign 0 0 0; assign 1 0 -1; mask 16 0; fire 0; restore;"
	  "fire 1")

/* Nobody waits for the EOI of a pin that is an edge meanwhile. */
IDENTICAL(edge_in_service, 1, 0,
	  "route 0 ioapic16; hold 0x81 1; rte 16 0x8081 0; line 0 1; run 0;"
	  "rte 16 0x81 0; eoi 0; run 0")

DIFFERENT(two_gsis_of_a_line, TWO_GSIS_OF_A_LINE,
	  "route 0 ioapic16; route 1 ioapic16; assign 0 0 0; assign 1 1 1;"
	  "rte 16 0x8050 0; fire 0; run 0")

DIFFERENT(resample_without_eoi, RESAMPLE_WITHOUT_EOI,
	  "route 0 msi0; assign 0 0 0")

DIFFERENT(event_without_route, EVENT_WITHOUT_ROUTE,
	  "assign 0 0 0; fire 0; route 0 ioapic16")

DIFFERENT(level_rerouted, LEVEL_REROUTED,
	  "route 0 ioapic16; assign 0 0 0; rte 16 0x18050 0; fire 0;"
	  "route 0 ioapic17")

DIFFERENT(pulse_on_a_held_line, PULSE_ON_A_HELD_LINE,
	  "route 0 ioapic16; rte 16 0x18050 0; line 0 1; assign 0 0 -1; fire 0")

DIFFERENT(unmasked_while_held, UNMASKED_WHILE_HELD,
	  "route 0 ioapic16; rte 16 0x18050 0; line 0 1; assign 0 0 0;"
	  "mask 16 0")

DIFFERENT(failed_assign, FAILED_ASSIGN,
	  "route 0 ioapic16; rte 16 0x18050 0; assign 0 1 -1; set_up 16 1;"
	  "assign 0 0 0")

DIFFERENT(sint_left, SINT_LEFT,
	  "route 0 sint0; assign 0 0 0; route 0 ioapic16")

DIFFERENT(one_of_two_leaves, ONE_OF_TWO_LEAVES,
	  "route 0 ioapic16; rte 16 0x18050 0; assign 0 0 0; assign 1 0 1; fire 0;"
	  "deassign 0 0")

DIFFERENT(unmasking_lets_go, UNMASKING_LETS_GO,
	  "route 0 both4; assign 0 0 0; rte 4 0x18050 0; fire 0; mask 4 0")

DIFFERENT(still_listened_to, STILL_LISTENED_TO,
	  "route 0 ioapic16; assign 0 0 0; deassign 0 0; rte 16 0x8050 0; set_up 16 1;"
	  "hold 0x50 1; run 0; rte 16 0x50 0; eoi 0")

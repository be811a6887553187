/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Scenarios on arm64, with what they have to come to: interrupts, signals of
 * resamplefds.  Part of twin_test.c.  All SPIs begin as levels; those with an even number
 * belong to vCPU 0, the others to vCPU 1.
 */

/* Two irqfds of a GSI are one line, with an EOI for both. */
IDENTICAL(shared_gsi, 2, 4,
	  "route 0 spi64; assign 0 0 0; assign 1 0 1; fire 0; fire 1; run 0; fire 1; run 0")

/* One resamplefd for two. */
IDENTICAL(shared_resamplefd, 2, 2,
	  "route 0 spi64; route 1 spi65; assign 0 0 0; assign 1 1 0; fire 0; fire 1;"
	  "run 0; run 1")

/* Up until the EOI. */
IDENTICAL(level_until_eoi, 2, 2,
	  "route 0 spi64; assign 0 0 0; hold 64 1; fire 0; run 0; fire 0; run 0; eoi 0;"
	  "fire 0; run 0; eoi 0")

/* One of a higher priority comes while the other one is served. */
IDENTICAL(two_priorities, 2, 2,
	  "route 0 spi64; route 1 spi68; assign 0 0 0; assign 1 1 2; hold 64 1; hold 68 1;"
	  "fire 0; run 0; fire 1; run 0; eoi 0; eoi 0")

IDENTICAL(masked, 1, 1,
	  "route 0 spi64; assign 0 0 0; mask 64 1; fire 0; run 0; mask 64 0; run 0")

/* Active at one vCPU, then for another one. */
IDENTICAL(another_target, 2, 2,
	  "route 0 spi64; assign 0 0 0; hold 64 1; fire 0; run 0; target 64 1; eoi 0;"
	  "fire 0; run 0; run 1; eoi 1")

/* The guest ends it in the distributor: no EOI, so it comes again. */
IDENTICAL(made_inactive, 2, 1,
	  "route 0 spi64; assign 0 0 0; hold 64 1; fire 0; run 0; active 64 0; eoi 0;"
	  "hold 64 0; mask 64 0; run 0")

/* Levels that LEVEL_INFO has put up, and what ISPENDR has. */
IDENTICAL(restored, 2, 2,
	  "route 0 spi64; assign 0 0 0; set_up 64 1; run 0; fire 0; run 0")

IDENTICAL(restored_latch, 1, 1,
	  "route 0 spi64; assign 0 0 0; set_pending 64 1; restore; run 0")

IDENTICAL(restored_and_lowered, 0, 0,
	  "route 0 spi64; mask 64 1; set_up 64 1; line 0 0; assign 0 0 0; set_up 64 1;"
	  "deassign 0 0")

/* A level without a resamplefd is only raised, by KVM too. */
IDENTICAL(only_raised, TWIN_MANY + 1, 0,
	  "route 0 spi64; assign 0 0 -1; fire 0; run 0; eoi 0; line 0 0; run 0")

IDENTICAL(edges, 3, 0,
	  "route 0 spi64; edge 64 1; assign 0 0 0; fire 0; fire 0; run 0; fire 0; run 0;"
	  "line 0 1; run 0; line 0 1; mask 64 1")

/* It is an edge when it ends, which nobody is told of, then a level that is still up. */
IDENTICAL(edge_in_service, 2, 1,
	  "route 0 spi64; assign 0 0 0; hold 64 1; fire 0; run 0; edge 64 1; eoi 0;"
	  "edge 64 0; hold 64 0; mask 64 0; run 0")

/* KVM knows the way, or not. */
IDENTICAL(lpis, 4, 0,
	  "route 0 lpi0; route 1 lpi1; assign 0 0 -1; assign 1 1 -1; fire 0; fire 0; run 0;"
	  "forget; fire 1; fire 0; run 0; run 1; line 1 1; line 1 0; run 1")

IDENTICAL(lpi_becomes_a_level, 1, 0,
	  "route 0 lpi0; assign 0 0 -1; fire 0; route 0 spi65; fire 0; run 0; set_up 65 0")

/* An edge that somebody still holds does not come again when another lets go. */
IDENTICAL(held_edge_and_line, 0, 0,
	  "route 0 spi64; fire 1; assign 1 0 0; edge 64 1; line 0 0")

IDENTICAL(held_edge_and_deassign, 1, 0,
	  "route 0 spi64; edge 64 1; assign 0 0 0; line 0 1; run 0; deassign 0 0")

DIFFERENT(two_gsis_of_a_line, TWO_GSIS_OF_A_LINE,
	  "route 0 spi64; route 1 spi64; assign 0 0 0; assign 1 1 1; fire 0; run 0")

DIFFERENT(resample_without_eoi, RESAMPLE_WITHOUT_EOI,
	  "route 0 lpi0; assign 0 0 0")

DIFFERENT(event_without_route, EVENT_WITHOUT_ROUTE,
	  "assign 0 0 0; fire 0; route 0 spi64")

DIFFERENT(level_rerouted, LEVEL_REROUTED,
	  "route 0 spi64; assign 0 0 0; fire 0; route 0 spi65")

DIFFERENT(failed_assign, FAILED_ASSIGN,
	  "route 0 spi64; assign 0 1 -1; set_up 64 1; assign 0 0 0")

DIFFERENT(one_of_two_leaves, ONE_OF_TWO_LEAVES,
	  "route 0 spi64; assign 0 0 0; assign 1 0 1; fire 0; deassign 0 0")

DIFFERENT(held_by_both, HELD_BY_BOTH,
	  "route 0 spi64; assign 0 0 0; fire 0; line 0 0")

DIFFERENT(raised_at_assign, RAISED_AT_ASSIGN,
	  "route 0 spi64; fire 0; assign 0 0 -1")

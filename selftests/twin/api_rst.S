/* SPDX-License-Identifier: GPL-2.0 */
/* Section 11 of it says where the module differs from KVM. */
	.section .rodata
	.globl twin_api_rst
twin_api_rst:
	.incbin "Documentation/api.rst"
	.byte 0
	.section .note.GNU-stack, "", %progbits

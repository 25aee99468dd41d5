// SPDX-License-Identifier: MIT
// The first instructions of a fibre. The undefined return address tells debuggers and the unwinder of
// exceptions that nobody has called it: stacks end here.
#include <leat/fibre/core/context.hpp>

#if defined(__x86_64__)

asm(R"(
    .text
    .p2align 4
    .globl leat_fibre_entry
    .hidden leat_fibre_entry
    .type leat_fibre_entry, @function
leat_fibre_entry:
    .cfi_startproc
    .cfi_undefined rip
    endbr64
    movq %rbx, %rdi
    call leat_fibre_main
    ud2
    .cfi_endproc
    .size leat_fibre_entry, . - leat_fibre_entry
)");

#elif defined(__aarch64__)

asm(R"(
    .text
    .p2align 4
    .globl leat_fibre_entry
    .hidden leat_fibre_entry
    .type leat_fibre_entry, @function
leat_fibre_entry:
    .cfi_startproc
    .cfi_undefined x30
    hint #38
    mov x0, x19
    bl leat_fibre_main
    brk #1
    .cfi_endproc
    .size leat_fibre_entry, . - leat_fibre_entry
)");

#endif

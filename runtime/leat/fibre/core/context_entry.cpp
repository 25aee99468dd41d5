// SPDX-License-Identifier: MIT
// The first instructions of a fibre. The undefined return address tells debuggers and the unwinder of
// exceptions that nobody has called it: stacks end here. And leat_call_behind: the unwinder finds the
// registers of its caller where switch_context has kept them, by DWARF expressions (the fields of context, in
// order, behind the register that points to it).
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

    .p2align 4
    .globl leat_call_behind
    .hidden leat_call_behind
    .type leat_call_behind, @function
leat_call_behind:
    .cfi_startproc
    endbr64
    pushq %rbx
    .cfi_def_cfa_offset 16
    .cfi_offset rbx, -16
    movq %rdi, %rbx
    movq %rdx, %rdi
    .cfi_remember_state
    .cfi_escape 0x0f, 3, 0x73, 0, 0x06   # the stack: *(rbx + 0)
    .cfi_escape 0x10, 6, 2, 0x73, 8      # rbp: at rbx + 8
    .cfi_escape 0x10, 3, 2, 0x73, 16     # rbx
    .cfi_escape 0x10, 16, 2, 0x73, 24    # the return address
    call *%rsi
    .cfi_restore_state
    popq %rbx
    .cfi_restore rbx
    .cfi_def_cfa_offset 8
    ret
    .cfi_endproc
    .size leat_call_behind, . - leat_call_behind
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

    .p2align 4
    .globl leat_call_behind
    .hidden leat_call_behind
    .type leat_call_behind, @function
leat_call_behind:
    .cfi_startproc
    hint #34
    stp x29, x30, [sp, #-32]!
    .cfi_def_cfa_offset 32
    .cfi_offset x29, -32
    .cfi_offset x30, -24
    str x19, [sp, #16]
    .cfi_offset x19, -16
    mov x19, x0
    mov x0, x2
    .cfi_remember_state
    .cfi_escape 0x0f, 3, 0x83, 0, 0x06   // the stack: *(x19 + 0)
    .cfi_escape 0x10, 29, 2, 0x83, 8     // x29: at x19 + 8
    .cfi_escape 0x10, 19, 2, 0x83, 16    // x19
    .cfi_escape 0x10, 30, 2, 0x83, 24    // the return address
    blr x1
    .cfi_restore_state
    ldr x19, [sp, #16]
    .cfi_restore x19
    ldp x29, x30, [sp], #32
    .cfi_restore x29
    .cfi_restore x30
    .cfi_def_cfa_offset 0
    ret
    .cfi_endproc
    .size leat_call_behind, . - leat_call_behind
)");

#endif

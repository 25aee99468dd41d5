// SPDX-License-Identifier: MIT
// context: where a stack goes on, and the switch from one stack to another. The switch is inline: a function
// that is called here and returns elsewhere spoils the processor's prediction of every return after it.
//
// Saved are the stack pointer and the registers that a compiler may keep for itself (frame and base
// pointer). All others are named as clobbered, so the compiler saves those that it needs. Not saved: the
// rounding modes (mxcsr, x87 control word, FPCR), the signal mask.
#pragma once

#include <cstddef>
#include <cstdint>

namespace leat::detail {

struct context {
    void* stack = nullptr;  // the stack pointer
    void* frame = nullptr;
    void* base = nullptr;
    void* code = nullptr;  // the next instruction
};

// Where a new stack begins (context_entry.cpp): calls leat_fibre_main(base).
extern "C" void leat_fibre_entry() noexcept;

// Calls function(argument) as if what has left to `kept` had called it: the unwinder comes from there to the
// calls on that stack. For looking at them; it runs on the caller's stack (context_entry.cpp).
extern "C" void leat_call_behind(const context& kept, void (*function)(void* argument) noexcept,
                                 void* argument) noexcept;

// A context that begins on the stack below `top` with leat_fibre_main(argument).
[[nodiscard]] inline context new_context(std::byte* top, void* argument) noexcept {
    constexpr std::uintptr_t alignment = 64;
    const auto aligned = reinterpret_cast<std::uintptr_t>(top) & ~(alignment - 1);
    return {.stack = reinterpret_cast<void*>(aligned),
            .frame = nullptr,
            .base = argument,
            .code = reinterpret_cast<void*>(&leat_fibre_entry)};
}

#if defined(__x86_64__)

// Goes on at `to`; returns when somebody switches to `from`.
[[gnu::always_inline]] inline void switch_context(context& from, const context& to) noexcept {
    context* kept = &from;
    const context* next = &to;
    asm volatile(
        "movq %%rsp, 0(%[kept])\n\t"
        "movq %%rbp, 8(%[kept])\n\t"
        "movq %%rbx, 16(%[kept])\n\t"
        "leaq 1f(%%rip), %%rax\n\t"
        "movq %%rax, 24(%[kept])\n\t"
        "movq 0(%[next]), %%rsp\n\t"
        "movq 8(%[next]), %%rbp\n\t"
        "movq 16(%[next]), %%rbx\n\t"
        "jmpq *24(%[next])\n"
        "1:"
        : [kept] "+D"(kept), [next] "+S"(next)
        :
        : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2",
          "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
          "xmm15",
#if defined(__AVX512F__)
          "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26",
          "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6", "k7",
#endif
          "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "cc", "memory");
}

#elif defined(__aarch64__)

// hint 36 is `bti j`, where an indirect jump may land.
[[gnu::always_inline]] inline void switch_context(context& from, const context& to) noexcept {
    register context* kept asm("x0") = &from;
    register const context* next asm("x1") = &to;
    asm volatile(
        "mov x9, sp\n\t"
        "stp x9, x29, [x0]\n\t"
        "adr x10, 1f\n\t"
        "stp x19, x10, [x0, #16]\n\t"
        "ldp x9, x29, [x1]\n\t"
        "ldp x19, x10, [x1, #16]\n\t"
        "mov sp, x9\n\t"
        "br x10\n"
        "1:\n\t"
        "hint #36"
        : "+r"(kept), "+r"(next)
        :
        : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
          "x17", "x18", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30", "v0", "v1",
          "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16",
          "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30",
          "v31", "cc", "memory");
}

#else
#error "fibres are written for x86-64 and aarch64"
#endif

}  // namespace leat::detail

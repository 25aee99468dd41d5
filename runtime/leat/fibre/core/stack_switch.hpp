// SPDX-License-Identifier: MIT
// stack_switch: the switch between two stacks, of which the sanitizers are told. Without them it is
// switch_context (context.hpp) alone. Each has a type for what it knows of one stack, and a switch_stack
// between two of that type: watched_stack is the one of this build. Used by fibre.hpp.
#pragma once

#include <leat/core/sanitizers.hpp>
#include <leat/fibre/core/context.hpp>

#include <cstddef>
#include <type_traits>

// As <sanitizer/common_interface_defs.h>, <sanitizer/asan_interface.h> and <sanitizer/tsan_interface.h> have
// them.
extern "C" {
void __sanitizer_start_switch_fiber(void** kept, const void* lowest, std::size_t size);
void __sanitizer_finish_switch_fiber(void* kept, const void** lowest, std::size_t* size);
void __asan_unpoison_memory_region(const volatile void* address, std::size_t size);
void* __tsan_get_current_fiber();
void* __tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void* fiber);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
}

namespace leat::detail {

struct unwatched_stack {
    void begin(const std::byte* /*bottom*/, std::size_t /*size*/) noexcept {}
    void arrive(const unwatched_stack& /*from*/) noexcept {}
    void end() noexcept {}
};

// Goes on at `to`, whose stack is `there`; returns when somebody switches to `from`. This one does not go on
// when it `ends`.
[[gnu::always_inline]] inline void switch_stack(context& from, const unwatched_stack& /*here*/,
                                                const context& to, const unwatched_stack& /*there*/,
                                                bool /*ends*/) noexcept {
    switch_context(from, to);
}

// AddressSanitizer knows the bounds of each stack.
struct address_watched_stack {
    void begin(const std::byte* bottom, std::size_t bytes) noexcept {
        lowest = bottom;
        size = bytes;
    }
    // Here again, or for the first time; from `from`.
    void arrive(address_watched_stack& from) noexcept {
        __sanitizer_finish_switch_fiber(kept, &from.lowest, &from.size);
        kept = nullptr;
    }
    void end() const noexcept { __asan_unpoison_memory_region(lowest, size); }

    void* kept = nullptr;
    const void* lowest = nullptr;
    std::size_t size = 0;
};

[[gnu::always_inline]] inline void switch_stack(context& from, address_watched_stack& here, const context& to,
                                                address_watched_stack& there, bool ends) noexcept {
    __sanitizer_start_switch_fiber(ends ? nullptr : &here.kept, there.lowest, there.size);
    switch_context(from, to);
    here.arrive(there);
}

// For ThreadSanitizer each stack is a thread of its own. It counts calls and returns for each: so the switch
// is a call, which begins on the stack to which it returns.
struct thread_watched_stack {
    void begin(const std::byte* /*bottom*/, std::size_t /*size*/) noexcept { kept = __tsan_create_fiber(0); }
    void arrive(const thread_watched_stack& /*from*/) noexcept {}
    void end() const noexcept { __tsan_destroy_fiber(kept); }

    void* kept = nullptr;
};

[[gnu::noinline]] inline void switch_stack(context& from, thread_watched_stack& here, const context& to,
                                           const thread_watched_stack& there, bool /*ends*/) noexcept {
    if (here.kept == nullptr) {
        here.kept = __tsan_get_current_fiber();
    }
    __tsan_switch_to_fiber(there.kept, 0);
    switch_context(from, to);
}

using watched_stack =
    std::conditional_t<address_sanitized, address_watched_stack,
                       std::conditional_t<thread_sanitized, thread_watched_stack, unwatched_stack>>;

}  // namespace leat::detail

// SPDX-License-Identifier: MIT
// switch_stack under ThreadSanitizer, for which each stack is a thread of its own. It counts calls and
// returns for each: so the switch is a call, which begins on the stack to which it returns.
#pragma once

#include <leat/fibre/core/context.hpp>

#include <cstddef>

// As <sanitizer/tsan_interface.h> has them.
extern "C" {
void* __tsan_get_current_fiber();
void* __tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void* fiber);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
}

namespace leat::detail {

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

}  // namespace leat::detail

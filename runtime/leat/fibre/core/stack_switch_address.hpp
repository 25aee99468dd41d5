// SPDX-License-Identifier: MIT
// switch_stack under AddressSanitizer, which is told the bounds of each stack.
#pragma once

#include <leat/fibre/core/context.hpp>

#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

namespace leat::detail {

struct watched_stack {
    void begin(const std::byte* bottom, std::size_t bytes) noexcept {
        lowest = bottom;
        size = bytes;
    }
    // Here again, or for the first time; from `from`.
    void arrive(watched_stack& from) noexcept {
        __sanitizer_finish_switch_fiber(kept, &from.lowest, &from.size);
        kept = nullptr;
    }
    void end() const noexcept { __asan_unpoison_memory_region(lowest, size); }

    void* kept = nullptr;
    const void* lowest = nullptr;
    std::size_t size = 0;
};

[[gnu::always_inline]] inline void switch_stack(context& from, watched_stack& here, const context& to,
                                                watched_stack& there, bool ends) noexcept {
    __sanitizer_start_switch_fiber(ends ? nullptr : &here.kept, there.lowest, there.size);
    switch_context(from, to);
    here.arrive(there);
}

}  // namespace leat::detail

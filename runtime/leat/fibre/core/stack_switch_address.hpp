// SPDX-License-Identifier: MIT
// switch_stack under AddressSanitizer, which is told the bounds of each stack.
#pragma once

#include <leat/fibre/core/context.hpp>

#include <cstddef>

// As <sanitizer/common_interface_defs.h> and <sanitizer/asan_interface.h> have them.
extern "C" {
void __sanitizer_start_switch_fiber(void** kept, const void* lowest, std::size_t size);
void __sanitizer_finish_switch_fiber(void* kept, const void** lowest, std::size_t* size);
void __asan_unpoison_memory_region(const volatile void* address, std::size_t size);
}

namespace leat::detail {

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

}  // namespace leat::detail

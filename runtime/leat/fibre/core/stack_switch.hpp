// SPDX-License-Identifier: MIT
// stack_switch: what the sanitizers are told before and after each switch between stacks. Without them all of
// it is empty.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__) || (defined(__has_feature) && __has_feature(address_sanitizer))
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__) || (defined(__has_feature) && __has_feature(thread_sanitizer))
#include <sanitizer/tsan_interface.h>
#endif

namespace leat::detail {

// Of one stack: its bounds, and what the sanitizers keep for it.
class watched_stack {
public:
#if defined(__SANITIZE_ADDRESS__) || (defined(__has_feature) && __has_feature(address_sanitizer))
    void begin(const std::byte* bottom, std::size_t size) noexcept { bottom_ = bottom, size_ = size; }
    // From here to `to`; this one does not go on when it `ends`.
    void leave(const watched_stack& to, bool ends = false) noexcept {
        __sanitizer_start_switch_fiber(ends ? nullptr : &kept_, to.bottom_, to.size_);
    }
    // Here again, or for the first time; from `from`.
    void arrive(watched_stack& from) noexcept {
        const void* bottom = nullptr;
        __sanitizer_finish_switch_fiber(kept_, &bottom, &from.size_);
        from.bottom_ = bottom;
        kept_ = nullptr;
    }
    void end() noexcept { __asan_unpoison_memory_region(bottom_, size_); }

private:
    void* kept_ = nullptr;
    const void* bottom_ = nullptr;
    std::size_t size_ = 0;
#elif defined(__SANITIZE_THREAD__) || (defined(__has_feature) && __has_feature(thread_sanitizer))
    void begin(const std::byte* /*bottom*/, std::size_t /*size*/) noexcept { kept_ = __tsan_create_fiber(0); }
    void leave(watched_stack& to, bool /*ends*/ = false) noexcept {
        if (kept_ == nullptr) {
            kept_ = __tsan_get_current_fiber();
        }
        __tsan_switch_to_fiber(to.kept_, 0);
    }
    void arrive(watched_stack& /*from*/) noexcept {}
    void end() noexcept { __tsan_destroy_fiber(kept_); }

private:
    void* kept_ = nullptr;
#else
    void begin(const std::byte* /*bottom*/, std::size_t /*size*/) noexcept {}
    void leave(const watched_stack& /*to*/, bool /*ends*/ = false) noexcept {}
    void arrive(const watched_stack& /*from*/) noexcept {}
    void end() noexcept {}
#endif
};

}  // namespace leat::detail

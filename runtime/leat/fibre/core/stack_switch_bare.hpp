// SPDX-License-Identifier: MIT
// switch_stack without a sanitizer.
#pragma once

#include <leat/fibre/core/context.hpp>

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

}  // namespace leat::detail

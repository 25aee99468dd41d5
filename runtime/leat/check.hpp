// SPDX-License-Identifier: MIT
// check(): an assertion that stays on in release builds. Used for broken invariants and for misuse of
// the library; never for what a kernel or a peer may do, which is an error (see result.hpp).
#pragma once

#include <source_location>

namespace leat {

// Prints one line naming the rule that was broken and where, then aborts.
[[noreturn]] void check_failed(const char* rule, std::source_location where) noexcept;

// Aborts with "FILE:LINE: RULE" unless `holds`. `rule` says in words what was done wrong, where that is plain
// ("the stream was moved from"), else what must be true.
constexpr void check(bool holds, const char* rule,
                     std::source_location where = std::source_location::current()) noexcept {
    if (!holds) [[unlikely]] {
        check_failed(rule, where);
    }
}

}  // namespace leat

// SPDX-License-Identifier: MIT
// check(): an assertion that stays on in release builds. Used for broken invariants and for misuse of
// the library; never for what a kernel or a peer may do, which is an error (see result.hpp).
#pragma once

#include <cstddef>
#include <source_location>
#include <span>

namespace leat {

// Prints one line naming the rule that was broken and where, then aborts. In a task the line ends with where
// in the program of the user that is: "; in task 2 "ann" spawned at x.cpp:8, at or after x.cpp:14".
[[noreturn]] void check_failed(const char* rule, std::source_location where) noexcept;

// Aborts with "FILE:LINE: RULE" unless `holds`. `rule` says in words what was done wrong, where that is plain
// ("the stream was moved from"), else what must be true.
constexpr void check(bool holds, const char* rule,
                     std::source_location where = std::source_location::current()) noexcept {
    if (!holds) [[unlikely]] {
        check_failed(rule, where);
    }
}

namespace detail {

// Writes the end of the line of a failure in this thread, as far as there is room, and returns its length. It
// allocates nothing. A failure inside of it is reported without it.
using place_writer = std::size_t (*)(std::span<char> text) noexcept;

// From now on the text of `write` is added to failures in this process. Tasks are above this, so their
// schedulers call it.
void tell_place_of_failures(place_writer write) noexcept;

}  // namespace detail

}  // namespace leat

// SPDX-License-Identifier: MIT
// head_scan: finds the end of a message's head in bytes that may come in pieces, for the parsers
// (parser.hpp). On the way it checks the lines: CRLF endings, no other CR or LF, none folded. A lenient scan
// takes them all, lines that end with LF alone included, and notes that the head is not clean. Invariant:
// each line is looked at once, however the head is split.
#pragma once

#include <leat/http/core/strictness.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leat::http::detail {

struct head_scan {
    enum class outcome : std::uint8_t { incomplete, complete, malformed_start_line, malformed_header };

    // Looks at what is new in `text`, which begins as it did last time. `leading_lines`: empty lines before
    // the head are skipped (RFC 9112 2.2). Sets head_begin, and head_end when complete.
    outcome scan(std::string_view text, bool leading_lines, strictness how) noexcept;

    // The first line of the head has not ended yet.
    [[nodiscard]] bool in_start_line() const noexcept { return line_begin == head_begin; }

    std::size_t head_begin = 0;
    std::size_t head_end = 0;
    std::size_t line_begin = 0;
    std::size_t searched = 0;
    bool clean = true;
};

}  // namespace leat::http::detail

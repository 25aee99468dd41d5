// SPDX-License-Identifier: MIT
// repair_head: rewrites the malformed head of a response into the form that a strict reader accepts (RFC 9112
// 2.2, 5.1, 5.2, 6.3). message_parser calls it when the strict reader has refused a response, so a correct
// one costs nothing. It accepts what curl, Python, node and Go accept: tests/net/http/core/leniency_test.cpp.
// Invariant: a head that a strict reader accepts keeps its meaning.
#pragma once

#include <leat/result.hpp>

#include <string>
#include <string_view>

namespace leat::http::detail {

struct repaired_head {
    std::string text;  // each line with CRLF, none folded; at most one field gives the length
    // Other readers may see another end of this message: its connection can carry nothing behind it.
    bool doubtful = false;
};

// `head` is a start line, fields and a blank line, which end with LF or CRLF. Fails with
// malformed_start_line, malformed_header, bad_content_length, conflicting_lengths or
// unsupported_transfer_encoding.
[[nodiscard]] result<repaired_head> repair_head(std::string_view head);

}  // namespace leat::http::detail

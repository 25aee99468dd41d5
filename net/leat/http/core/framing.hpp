// SPDX-License-Identifier: MIT
// What the header fields of a message say about its length and its connection (RFC 9112 6 and 9.3). Anything
// that could be read in two ways is an error: if two readers choose differently, requests can be smuggled.
// For responses head_repair has made such heads unambiguous before.
#pragma once

#include <leat/http/core/strictness.hpp>
#include <leat/http/message.hpp>
#include <leat/result.hpp>

#include <cstdint>
#include <optional>

namespace leat::http::detail {

struct framing_fields {
    std::optional<std::uint64_t> content_length;
    bool chunked = false;     // Transfer-Encoding: chunked
    bool close = false;       // Connection: close
    bool keep_alive = false;  // Connection: keep-alive
    bool upgrade = false;     // Connection: upgrade, and an Upgrade field

    // Whether the connection can carry another message behind this one.
    [[nodiscard]] bool persists(version of) const noexcept {
        return !close && (of == version::http_1_1 || keep_alive);
    }
};

// Fails with bad_content_length, conflicting_lengths, bad_transfer_encoding or, for codings that other
// readers may know, unsupported_transfer_encoding. Lenient, it takes chunked in an HTTP/1.0 message, whose
// connection then closes (RFC 9112 6.1).
[[nodiscard]] result<framing_fields> read_framing(const headers& fields, version of,
                                                  strictness how = strictness::strict);

// RFC 9112 3.2: an HTTP/1.1 request has exactly one Host field, and it is well-formed. An empty one, for a
// target without a host, is refused: an http or https target always has one.
[[nodiscard]] bool host_is_valid(const headers& fields, version of) noexcept;

}  // namespace leat::http::detail

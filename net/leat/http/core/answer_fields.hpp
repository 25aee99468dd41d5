// SPDX-License-Identifier: MIT
// The fields of an answer of the HTTP server that the server sees to itself, whichever version of HTTP is
// spoken. Used by server_exchange and h2_session.
#pragma once

#include <leat/http/message.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace leat::http::detail {

// The value of Date, now. Good until the next call.
[[nodiscard]] std::string_view date_now() noexcept;

// Whether a handler's field of that name is left out.
[[nodiscard]] bool is_ours(std::string_view name) noexcept;

// The status that tells the client what is wrong with its request.
[[nodiscard]] int status_of(std::error_code why) noexcept;

// The Content-Length among the fields of an answer. Throws std::invalid_argument when it is no number.
[[nodiscard]] std::optional<std::uint64_t> given_length(const response& made);

// Of an answer whose body is written. Throws std::invalid_argument if it has one in its head, too.
void require_no_body(const response& head);

// Whether an answer to that method has a body.
[[nodiscard]] constexpr bool answer_has_body(std::string_view method, int status) noexcept {
    return status >= 200 && status != 204 && status != 304 && method != "HEAD";
}

}  // namespace leat::http::detail

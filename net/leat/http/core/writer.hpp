// SPDX-License-Identifier: MIT
// Writes heads and chunk frames to the end of a string of the caller, which is reused without allocating once
// it has grown. Used by the client and the server.
// Invariant: an appended head is well-formed, whatever the fields hold; otherwise std::invalid_argument is
// thrown and nothing is appended.
#pragma once

#include <leat/http/message.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace leat::http::detail {

// "GET /path HTTP/1.1", the fields, and the blank line. Adds no field of its own: Host, Content-Length and
// the like are its caller's business. Refuses a method that is no token, and a target with spaces, control
// characters or bytes above ASCII.
void append_head(std::string& out, const request& head);

// "HTTP/1.1 200 OK", the fields, and the blank line. An empty reason becomes the usual one for the status.
// Refuses a status outside 100 to 999 and a reason with control characters.
void append_head(std::string& out, const response& head);

// The parts of a head, for servers that write one without keeping it as a response: a status line, then
// fields, then the blank line. A status outside 100 to 999 is misuse. An empty reason becomes the usual one.
// `reason`, `name` and `value` are trusted: valid, and not from a stranger.
void append_status_line(std::string& out, int status, std::string_view reason = {},
                        version of = version::http_1_1);
void append_field(std::string& out, std::string_view name, std::string_view value);
void append_field(std::string& out, std::string_view name, std::uint64_t value);
inline void append_blank_line(std::string& out) {
    out.append("\r\n", 2);
}

// One chunk of a chunked body (RFC 9112 7.1). An empty one would end the body and is left out.
void append_chunk(std::string& out, std::string_view data);
// The end of a chunked body, without trailers.
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

// The line in front of a chunk of `size` bytes, to be sent before the bytes themselves where they are, with
// "\r\n" behind them.
class chunk_size_line {
public:
    explicit chunk_size_line(std::size_t size) noexcept;
    [[nodiscard]] std::string_view text() const noexcept { return {text_.data(), size_}; }

private:
    std::array<char, 18> text_;  // 16 hexadecimal digits, CR and LF
    std::uint8_t size_;
};

// The value of an Authorization field for `credentials`, "user:password" (RFC 7617).
[[nodiscard]] std::string basic_authorization(std::string_view credentials);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7), remade only when the second changes. One a thread.
class date_text {
public:
    // `now` is wall-clock time. The view is good until the next call.
    [[nodiscard]] std::string_view at(std::chrono::system_clock::time_point now) noexcept;

private:
    static constexpr std::size_t size = 29;

    std::chrono::sys_seconds second_ = std::chrono::sys_seconds::min();
    std::array<char, size> text_{};
};

}  // namespace leat::http::detail

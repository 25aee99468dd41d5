// SPDX-License-Identifier: MIT
// chunked_body: decodes the chunked transfer coding of a body (RFC 9112 7.1). The message parser feeds it; it
// copies nothing. When strict, it accepts only what the grammar allows: a lax reader and a strict one on the
// same connection could disagree about where a message ends. When lenient, it also accepts blanks after a
// size, line feeds alone, and anything in extensions and trailers, which are ignored. Both refuse a size that
// is no plain hexadecimal number below 2^60, and data that is longer than its size.
#pragma once

#include <leat/http/core/strictness.hpp>
#include <leat/http/error.hpp>
#include <leat/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leat::http::detail {

class chunked_body {
public:
    // Extensions and trailers are checked and dropped; a peer that sends more of them than this is cut off.
    explicit chunked_body(std::size_t trailers_max = 64 * 1024, strictness how = strictness::strict) noexcept
        : trailers_max_(trailers_max), trailers_left_(trailers_max), lenient_(how == strictness::lenient) {}

    // Takes bytes off the front of `input` and returns the next piece of the body: a view into what `input`
    // was, never empty unless `input` ran out or the body is done().
    [[nodiscard]] result<std::string_view> next(std::string_view& input) noexcept;

    // How many bytes of trailers it has read, the empty line behind them included.
    [[nodiscard]] std::size_t trailer_bytes() const noexcept { return trailers_max_ - trailers_left_; }
    // The last chunk and the trailers behind it have been read.
    [[nodiscard]] bool done() const noexcept { return state_ == state::done; }

private:
    // size_start -> size (-> extension_*) -> size_line_feed -> data -> data_return -> data_line_feed ->
    // size_start. A size of zero: size_line_feed -> trailer_start -> trailer_name -> trailer_value ->
    // trailer_line_feed -> trailer_start, until an empty line: trailer_start -> last_line_feed -> done.
    enum class state : std::uint8_t {
        size_start,
        size,
        data,
        data_return,
        data_line_feed,
        size_line_feed,

        // What is not framed is counted: from here on, and apart from trailer_start on.
        extension_due,  // behind blanks
        extension_name_start,
        extension_name,
        extension_name_end,  // behind blanks
        extension_value_start,
        extension_value,
        extension_quoted,
        extension_escaped,
        extension_quoted_end,
        extension_unread,

        trailer_start,
        trailer_name,
        trailer_value,
        trailer_unread,
        trailer_line_feed,
        last_line_feed,
        done,
    };

    // What follows `c`, a byte outside the data; error::bad_chunk or trailers_too_large when nothing may.
    [[nodiscard]] std::error_code step(char c) noexcept;
    [[nodiscard]] std::error_code charge() noexcept;
    [[nodiscard]] std::error_code step_size(char c) noexcept;
    [[nodiscard]] std::error_code step_name(char c) noexcept;
    [[nodiscard]] std::error_code step_quoted(char c) noexcept;
    [[nodiscard]] std::error_code end_extension(char c) noexcept;
    [[nodiscard]] std::error_code end_line(char c, state awaiting_feed, state next) noexcept;
    [[nodiscard]] std::error_code expect(bool holds, state next) noexcept;
    [[nodiscard]] state behind_size_line() const noexcept {
        return left_ == 0 ? state::trailer_start : state::data;
    }

    std::uint64_t left_ = 0;
    static constexpr std::size_t extensions_max = 16 * 1024;

    std::size_t extensions_left_ = extensions_max;  // of the body; if lenient, of the chunk
    std::size_t trailers_max_;
    std::size_t trailers_left_;
    state state_ = state::size_start;
    bool lenient_;
};

}  // namespace leat::http::detail

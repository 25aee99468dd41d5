// SPDX-License-Identifier: MIT
#include <leat/http/core/chunked_body.hpp>

#include <leat/check.hpp>
#include <leat/http/core/text.hpp>

#include <algorithm>

namespace leat::http::detail {

result<std::string_view> chunked_body::next(std::string_view& input) noexcept {
    while (!input.empty() && !done()) {
        if (state_ == state::data) {
            const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
            const std::string_view piece = input.substr(0, size);
            input.remove_prefix(size);
            left_ -= size;
            if (left_ == 0) {
                state_ = state::data_return;
                extensions_left_ = lenient_ ? extensions_max : extensions_left_;
            }
            return piece;
        }
        const char c = input.front();
        if (const auto failure = step(c)) {
            return failure;
        }
        input.remove_prefix(1);
    }
    return std::string_view();
}

std::error_code chunked_body::expect(bool holds, state next) noexcept {
    if (!holds) {
        return error::bad_chunk;
    }
    state_ = next;
    return {};
}

// CR, behind which a line feed is awaited, or, if lenient, a line feed alone.
std::error_code chunked_body::end_line(char c, state awaiting_feed, state next) noexcept {
    return c == '\n' && lenient_ ? expect(true, next) : expect(c == '\r', awaiting_feed);
}

// Counts a byte that is neither data nor framing: a peer may send a bounded number of them.
std::error_code chunked_body::charge() noexcept {
    std::size_t& left = state_ >= state::trailer_start ? trailers_left_ : extensions_left_;
    if (left == 0) {
        return state_ >= state::trailer_start ? error::trailers_too_large : error::bad_chunk;
    }
    --left;
    return {};
}

std::error_code chunked_body::step_size(char c) noexcept {
    const int digit = hex_value(c);
    if (digit < 0) {
        return state_ == state::size ? end_extension(c) : error::bad_chunk;
    }
    // A size above 2^60 is an attack on somebody's arithmetic, never a chunk.
    if (left_ >> 56 != 0) {
        return error::bad_chunk;
    }
    const bool leading_zero = left_ == 0 && state_ == state::size;
    left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
    state_ = state::size;
    return leading_zero ? charge() : std::error_code();
}

// Behind a size or an extension: another extension or the end of the line.
std::error_code chunked_body::end_extension(char c) noexcept {
    if (c == ';') {
        return expect(true, lenient_ ? state::extension_unread : state::extension_name_start);
    }
    if (is_blank(c)) {
        return expect(true, state::extension_due);
    }
    if (state_ == state::extension_due && !lenient_) {
        return error::bad_chunk;  // by the grammar, blanks are followed by an extension
    }
    return end_line(c, state::size_line_feed, behind_size_line());
}

// A byte of an extension's name, or what stands between the name and its value.
std::error_code chunked_body::step_name(char c) noexcept {
    if (c == '=') {
        return expect(true, state::extension_value_start);
    }
    return expect(true, is_blank(c) ? state::extension_name_end : state_);
}

std::error_code chunked_body::step_quoted(char c) noexcept {
    const state next = c == '"' ? state::extension_quoted_end : state::extension_quoted;
    return expect(is_value_character(c), c == '\\' ? state::extension_escaped : next);
}

// chunk-ext = *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] ), and a trailer is lines of
// token ":" value.
std::error_code chunked_body::step(char c) noexcept {
    const bool token = is_token_character(c);
    const std::error_code stay;
    if (const auto failure = state_ >= state::extension_due ? charge() : stay) {
        return failure;
    }
    switch (state_) {
        case state::size_start:
        case state::size:
            return step_size(c);
        case state::size_line_feed:
            return expect(c == '\n', behind_size_line());
        case state::data_return:
            return end_line(c, state::data_line_feed, state::size_start);
        case state::data_line_feed:
            return expect(c == '\n', state::size_start);
        case state::extension_due:
        case state::extension_quoted_end:
            return end_extension(c);
        case state::extension_name_start:
            return is_blank(c) ? stay : expect(token, state::extension_name);
        case state::extension_name:
            return token || c == '=' || is_blank(c) ? step_name(c) : end_extension(c);
        case state::extension_name_end:
            return c == '=' || is_blank(c) ? step_name(c) : expect(c == ';', state::extension_name_start);
        case state::extension_value_start:
            if (c == '"') {
                return expect(true, state::extension_quoted);
            }
            return is_blank(c) ? stay : expect(token, state::extension_value);
        case state::extension_value:
            return token ? stay : end_extension(c);
        case state::extension_quoted:
            return step_quoted(c);
        case state::extension_escaped:
            return expect(is_value_character(c), state::extension_quoted);
        case state::extension_unread:
            return expect(true, c == '\n' ? behind_size_line() : state::extension_unread);
        case state::trailer_start:
            if (c == '\r' || (c == '\n' && lenient_)) {
                return end_line(c, state::last_line_feed, state::done);
            }
            return expect(token || lenient_, lenient_ ? state::trailer_unread : state::trailer_name);
        case state::trailer_name:
            return expect(token || c == ':', c == ':' ? state::trailer_value : state::trailer_name);
        case state::trailer_value:
            return c == '\r' ? expect(true, state::trailer_line_feed)
                             : expect(is_value_character(c), state::trailer_value);
        case state::trailer_unread:
            return expect(true, c == '\n' ? state::trailer_start : state::trailer_unread);
        case state::trailer_line_feed:
            return expect(c == '\n', state::trailer_start);
        case state::last_line_feed:
            return expect(c == '\n', state::done);
        case state::data:
        case state::done:
            break;
    }
    check(false, "data is not read byte by byte");
    return {};
}

}  // namespace leat::http::detail

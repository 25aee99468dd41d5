// SPDX-License-Identifier: MIT
#include <leat/http/chunked_body.hpp>

#include <leat/check.hpp>
#include <leat/http/text.hpp>

#include <algorithm>

namespace leat::http {

result<std::string_view> chunked_body::next(std::string_view& input) noexcept {
    while (!input.empty() && !done()) {
        if (state_ == state::data) {
            const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
            const std::string_view piece = input.substr(0, size);
            input.remove_prefix(size);
            left_ -= size;
            if (left_ == 0) {
                state_ = state::data_return;
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

std::error_code chunked_body::step_size(char c) noexcept {
    const int digit = hex_value(c);
    if (digit >= 0) {
        // A size above 2^60 is an attack on somebody's arithmetic, never a chunk.
        if (left_ >> 56 != 0) {
            return error::bad_chunk;
        }
        left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
        state_ = state::size;
        return {};
    }
    if (state_ == state::size_start) {
        return error::bad_chunk;
    }
    return c == ';' ? expect(true, state::extension) : expect(c == '\r', state::size_line_feed);
}

std::error_code chunked_body::step(char c) noexcept {
    if (state_ >= state::trailer_start) {
        if (trailers_left_ == 0) {
            return error::trailers_too_large;
        }
        --trailers_left_;
    }
    switch (state_) {
        case state::size_start:
        case state::size:
            return step_size(c);
        case state::extension:
            if (c == '\r') {
                return expect(true, state::size_line_feed);
            }
            if (extensions_left_ == 0) {
                return error::bad_chunk;
            }
            --extensions_left_;
            return expect(is_value_character(c), state::extension);
        case state::size_line_feed:
            return expect(c == '\n', left_ == 0 ? state::trailer_start : state::data);
        case state::data_return:
            return expect(c == '\r', state::data_line_feed);
        case state::data_line_feed:
            return expect(c == '\n', state::size_start);
        case state::trailer_start:
            return c == '\r' ? expect(true, state::last_line_feed)
                             : expect(is_token_character(c), state::trailer_name);
        case state::trailer_name:
            return c == ':' ? expect(true, state::trailer_value)
                            : expect(is_token_character(c), state::trailer_name);
        case state::trailer_value:
            return c == '\r' ? expect(true, state::trailer_line_feed)
                             : expect(is_value_character(c), state::trailer_value);
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

}  // namespace leat::http

// SPDX-License-Identifier: MIT
// framing_errc: why a line or a message is refused, when it is read or before it is sent. (A stream that ends
// inside one is stream_errc::end_of_stream.)
#pragma once

#include <system_error>
#include <type_traits>

namespace leat {

enum class framing_errc {
    too_long = 1,         // longer than the limit, or than its length field can say
    bad_length,           // where the length of a message is due there is something else
    empty_message,        // a message without a byte, in a format that has none
    contains_terminator,  // the peer would see the end of the message before its last byte
};

[[nodiscard]] const std::error_category& framing_category() noexcept;
[[nodiscard]] inline std::error_code make_error_code(framing_errc code) noexcept {
    return {static_cast<int>(code), framing_category()};
}

}  // namespace leat

template <>
struct std::is_error_code_enum<leat::framing_errc> : std::true_type {};

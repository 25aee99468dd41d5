// SPDX-License-Identifier: MIT
// message_format: how messages stand one after the other on a stream: each ends with a terminator, or begins
// with its length. message_stream reads and sends messages of a format.
//
//   const auto replies = leat::message_format::with_digits(5);  // "00003yes"
//
// A reader has a limit on the length of a message, one MiB unless it is set. A message that is longer is
// refused, in both directions, before there is memory for it.
#pragma once

#include <leat/framing/core/part.hpp>
#include <leat/framing/limit.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace leat {

namespace detail {

// A length as it is sent.
struct message_head {
    void push(char next) noexcept { bytes[size++] = next; }
    [[nodiscard]] std::string_view text() const noexcept { return {bytes.data(), size}; }

    std::array<char, 20> bytes{};
    std::size_t size = 0;
};

}  // namespace detail

struct message_options {
    std::size_t limit = framing_limit;  // bytes of a message, without its terminator or length
    bool empty = true;                  // whether there are messages without a byte
};

class message_format {
public:
    // A message ends with `terminator`, of at least one byte, which no message contains.
    [[nodiscard]] static message_format with_terminator(std::string terminator, message_options options = {});
    // A message begins with its length as a decimal number of exactly `width` digits, from 1 to 19. Digits
    // only: a sign, a space or an underscore is refused.
    [[nodiscard]] static message_format with_digits(int width, message_options options = {});
    // A message begins with its length as an integer of 1, 2, 4 or 8 bytes without a sign.
    [[nodiscard]] static message_format with_length(int bytes, std::endian order = std::endian::big,
                                                    message_options options = {});
    // A message begins with its length in groups of 7 bits, the lowest first; the highest bit of a byte says
    // that another follows (a varint of Protocol Buffers, unsigned LEB128). At most 10 bytes.
    [[nodiscard]] static message_format with_varint(message_options options = {});

    // The longest message: the limit, or less if its length must fit the format.
    [[nodiscard]] std::size_t longest() const noexcept;

    // The terminator; empty where a message begins with its length.
    [[nodiscard]] const std::string& terminator() const noexcept { return terminator_; }

    // Of what has been received: where the first message stands in it. `searched` is what the last look at
    // fewer of these bytes said.
    [[nodiscard]] detail::part look(std::string_view held, std::size_t searched) const noexcept;
    // Throws what the first message is refused for.
    [[noreturn]] void refuse(const detail::part& refused, std::string_view held) const;
    // What is sent before `message`; the terminator is sent behind it. Throws std::system_error with a
    // framing_errc for a message that the format does not allow.
    [[nodiscard]] detail::message_head head_of(std::string_view message) const;

private:
    enum class kind : std::uint8_t { terminator, digits, length, varint };

    message_format(kind of, int width, message_options options) noexcept;
    [[nodiscard]] detail::part look_at_digits(std::string_view held) const noexcept;
    [[nodiscard]] detail::part look_at_length(std::string_view held) const noexcept;
    [[nodiscard]] detail::part look_at_varint(std::string_view held) const noexcept;
    [[nodiscard]] detail::part body_at(std::size_t begin, std::uint64_t size,
                                       std::string_view held) const noexcept;
    void require_no_terminator(std::string_view message) const;

    kind kind_;
    std::endian order_ = std::endian::big;
    std::uint8_t width_;  // of a length: digits or bytes
    message_options options_;
    std::string terminator_;
};

}  // namespace leat

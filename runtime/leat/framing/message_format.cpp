// SPDX-License-Identifier: MIT
#include <leat/framing/message_format.hpp>

#include <leat/check.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace leat {

namespace {

using detail::part;

constexpr int most_digits = 19;  // more could say more than 64 bits do
constexpr int group_bits = 7;    // of a varint
constexpr int most_groups = 10;
constexpr auto largest = std::numeric_limits<std::uint64_t>::max();

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

// The largest number of `width` digits.
std::uint64_t most_in_digits(int width) noexcept {
    std::uint64_t power = 1;
    for (int i = 0; i < width; ++i) {
        power *= 10;
    }
    return power - 1;
}

// As in a program.
std::string in_quotes(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string shown = "\"";
    for (const char each : text) {
        const auto code = static_cast<unsigned char>(each);
        if (code < 0x20 || code >= 0x7f || each == '"' || each == '\\') {
            shown += {'\\', 'x', digits[code / 16], digits[code % 16]};
        } else {
            shown += each;
        }
    }
    return shown + '"';
}

[[noreturn]] void throw_too_long(std::size_t size, std::size_t longest) {
    throw std::system_error(framing_errc::too_long, "a message of " + std::to_string(size) +
                                                        " bytes, where at most " + std::to_string(longest) +
                                                        " are allowed");
}

}  // namespace

message_format::message_format(kind of, int width, message_options options) noexcept
    : kind_(of), width_(static_cast<std::uint8_t>(width)), options_(options) {
    check(options.limit > 0, "the limit of a message is at least one byte");
}

message_format message_format::with_terminator(std::string terminator, message_options options) {
    check(!terminator.empty(), "a terminator has at least one byte");
    message_format made(kind::terminator, 0, options);
    made.terminator_ = std::move(terminator);
    return made;
}

message_format message_format::with_digits(int width, message_options options) {
    check(width >= 1 && width <= most_digits, "a length has 1 to 19 digits");
    return {kind::digits, width, options};
}

message_format message_format::with_length(int bytes, std::endian order, message_options options) {
    check(bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8, "a length has 1, 2, 4 or 8 bytes");
    message_format made(kind::length, bytes, options);
    made.order_ = order;
    return made;
}

message_format message_format::with_varint(message_options options) {
    return {kind::varint, most_groups, options};
}

std::size_t message_format::longest() const noexcept {
    std::uint64_t says = largest;
    switch (kind_) {
        case kind::digits:
            says = most_in_digits(width_);
            break;
        case kind::length:
            says = largest >> (64 - 8 * width_);
            break;
        case kind::terminator:
        case kind::varint:
            break;
    }
    return static_cast<std::size_t>(std::min<std::uint64_t>(options_.limit, says));
}

part message_format::look(std::string_view held, std::size_t searched) const noexcept {
    switch (kind_) {
        case kind::terminator: {
            const part found = detail::part_until(terminator_, options_.limit, held, searched);
            return found.is == part::state::there && found.size == 0 && !options_.empty
                       ? part::refused_for(framing_errc::empty_message, 0)
                       : found;
        }
        case kind::digits:
            return look_at_digits(held);
        case kind::length:
            return look_at_length(held);
        case kind::varint:
            break;
    }
    return look_at_varint(held);
}

part message_format::look_at_digits(std::string_view held) const noexcept {
    const std::string_view length = held.substr(0, width_);
    std::uint64_t size = 0;
    for (std::size_t at = 0; at < length.size(); ++at) {
        if (!is_digit(length[at])) {
            return part::refused_for(framing_errc::bad_length, at);
        }
        size = size * 10 + static_cast<std::uint64_t>(length[at] - '0');
    }
    return length.size() < width_ ? part() : body_at(width_, size, held);
}

part message_format::look_at_length(std::string_view held) const noexcept {
    if (held.size() < width_) {
        return {};
    }
    std::uint64_t size = 0;
    for (int at = 0; at < width_; ++at) {
        const int next = order_ == std::endian::big ? at : width_ - 1 - at;
        size = size << 8 | static_cast<unsigned char>(held[static_cast<std::size_t>(next)]);
    }
    return body_at(width_, size, held);
}

part message_format::look_at_varint(std::string_view held) const noexcept {
    std::uint64_t size = 0;
    const std::size_t there = std::min<std::size_t>(held.size(), most_groups);
    for (std::size_t at = 0; at < there; ++at) {
        const auto byte = static_cast<unsigned char>(held[at]);
        if (at + 1 == most_groups && byte > 1) {  // more than 64 bits
            return part::refused_for(framing_errc::bad_length, at);
        }
        size |= std::uint64_t{byte & 0x7fU} << (group_bits * at);
        if (byte < 0x80) {
            return body_at(at + 1, size, held);
        }
    }
    return {};
}

part message_format::body_at(std::size_t begin, std::uint64_t size, std::string_view held) const noexcept {
    if (size > options_.limit) {
        return part::refused_for(framing_errc::too_long, static_cast<std::size_t>(size));
    }
    if (size == 0 && !options_.empty) {
        return part::refused_for(framing_errc::empty_message, 0);
    }
    return held.size() - begin < size ? part() : part::at(begin, static_cast<std::size_t>(size), 0);
}

void message_format::refuse(const part& refused, std::string_view held) const {
    if (refused.why == framing_errc::bad_length) {
        throw std::system_error(refused.why,
                                "a message that begins with " + in_quotes(held.substr(0, refused.size + 1)));
    }
    if (refused.why == framing_errc::too_long && kind_ == kind::terminator) {
        throw std::system_error(
            refused.why, "a message without its terminator in " + std::to_string(options_.limit) + " bytes");
    }
    if (refused.why == framing_errc::too_long) {
        throw_too_long(refused.size, longest());
    }
    throw std::system_error(refused.why, "recv of a message");
}

detail::message_head message_format::head_of(std::string_view message) const {
    if (message.size() > longest()) {
        throw_too_long(message.size(), longest());
    }
    if (message.empty() && !options_.empty) {
        throw std::system_error(framing_errc::empty_message, "send of a message");
    }
    detail::message_head head;
    std::uint64_t size = message.size();
    switch (kind_) {
        case kind::terminator:
            require_no_terminator(message);
            break;
        case kind::digits:
            head.size = width_;
            for (std::size_t at = width_; at-- > 0; size /= 10) {
                head.bytes[at] = static_cast<char>('0' + size % 10);
            }
            break;
        case kind::length:
            for (int at = 0; at < width_; ++at) {
                const int next = order_ == std::endian::big ? width_ - 1 - at : at;
                head.push(static_cast<char>(size >> (8 * next) & 0xff));
            }
            break;
        case kind::varint:
            for (; size >= 0x80; size >>= group_bits) {
                head.push(static_cast<char>((size & 0x7f) | 0x80));
            }
            head.push(static_cast<char>(size));
            break;
    }
    return head;
}

// The first place where the peer sees the terminator is behind the message: neither inside it nor at a place
// where its last bytes look like the terminator's first ones.
void message_format::require_no_terminator(std::string_view message) const {
    const std::string_view end = terminator_;
    bool early = detail::part_until(end, SIZE_MAX, message, 0).is == part::state::there;
    // One that begins in the last bytes of the message, and goes on with the first ones of the terminator.
    for (std::size_t size = 1; size < end.size() && size <= message.size() && !early; ++size) {
        early = message.ends_with(end.substr(0, size)) && end.starts_with(end.substr(size));
    }
    if (early) {
        throw std::system_error(framing_errc::contains_terminator, "send of a message");
    }
}

}  // namespace leat

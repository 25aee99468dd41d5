// SPDX-License-Identifier: MIT
#include <leat/dns/core/negative_answer.hpp>

#include <leat/dns/core/message_reader.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace leat::detail {

namespace {

constexpr unsigned type_a = 1;
constexpr unsigned type_soa = 6;
constexpr unsigned type_aaaa = 28;
constexpr unsigned rcode_mask = 0x000f;
constexpr unsigned no_error = 0;
constexpr unsigned name_error = 3;

struct counts {
    unsigned rcode;
    unsigned questions;
    unsigned answers;
    unsigned authorities;
};

std::optional<counts> read_header(message_reader& reader) noexcept {
    (void)reader.number();  // its id
    const auto flags = reader.number();
    const auto questions = reader.number();
    const auto answers = reader.number();
    const auto authorities = reader.number();
    const auto others = reader.number();
    if (!others) {
        return std::nullopt;
    }
    return counts{*flags & rcode_mask, *questions, *answers, *authorities};
}

// RFC 2181 8: what has the highest bit set means 0.
duration seconds_of(std::uint32_t number) noexcept {
    return std::chrono::seconds(number > INT32_MAX ? 0 : number);
}

// The data of a SOA record (RFC 1035 3.3.13), whose time to live is known.
std::optional<duration> read_soa(message_reader& reader, std::uint32_t lives) noexcept {
    constexpr std::size_t serial_refresh_retry_expire = 16;
    if (!reader.skip_name() || !reader.skip_name() || !reader.skip(serial_refresh_retry_expire)) {
        return std::nullopt;
    }
    const auto minimum = reader.long_number();
    return minimum ? std::optional(std::min(seconds_of(lives), seconds_of(*minimum))) : std::nullopt;
}

}  // namespace

std::optional<duration> negative_lifetime(std::span<const std::byte> message) noexcept {
    message_reader reader(message);
    const auto header = read_header(reader);
    if (!header || (header->rcode != no_error && header->rcode != name_error)) {
        return std::nullopt;
    }
    for (unsigned i = 0; i < header->questions; ++i) {
        if (!reader.skip_name() || !reader.skip(4)) {
            return std::nullopt;
        }
    }
    for (unsigned i = 0; i < header->answers + header->authorities; ++i) {
        if (!reader.skip_name()) {
            return std::nullopt;
        }
        const auto type = reader.number();
        (void)reader.number();  // its class
        const auto lives = reader.long_number();
        const auto size = reader.number();
        if (!size || *type == type_a || *type == type_aaaa) {
            return std::nullopt;  // authorities have no addresses of their own in this section
        }
        if (*type == type_soa && i >= header->answers) {
            return read_soa(reader, *lives);
        }
        if (!reader.skip(*size)) {
            return std::nullopt;
        }
    }
    return duration::zero();
}

}  // namespace leat::detail

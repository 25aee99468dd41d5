// SPDX-License-Identifier: MIT
#include <leat/dns/core/negative_answer.hpp>

#include <leat/dns/core/message_reader.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace leat::detail {

namespace {

constexpr unsigned rcode_mask = 0x000f;
constexpr unsigned no_error = 0;
constexpr unsigned name_error = 3;

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

std::optional<negative_answer> read_negative_answer(std::span<const std::byte> message) noexcept {
    message_reader reader(message);
    const auto header = reader.header();
    const auto type = header && header->questions == 1 ? reader.question() : std::nullopt;
    if (!type) {
        return std::nullopt;
    }
    const unsigned rcode = header->flags & rcode_mask;
    if (rcode != no_error && rcode != name_error) {
        return std::nullopt;
    }
    duration aliases_hold = duration::max();
    for (unsigned i = 0; i < header->answers + header->authorities; ++i) {
        const auto record = reader.record();
        if (!record || record->type == dns_type_a || record->type == dns_type_aaaa) {
            return std::nullopt;
        }
        if (record->type == dns_type_soa && i >= header->answers) {
            const auto holds = read_soa(reader, record->lives);
            return holds ? std::optional(negative_answer{*type, std::min(*holds, aliases_hold)})
                         : std::nullopt;
        }
        if (i < header->answers) {
            aliases_hold = std::min(aliases_hold, seconds_of(record->lives));
        }
        if (!reader.skip(record->size)) {
            return std::nullopt;
        }
    }
    return negative_answer{*type, duration::zero()};
}

}  // namespace leat::detail

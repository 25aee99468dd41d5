// SPDX-License-Identifier: MIT
#include <leat/dns/core/answer_check.hpp>

#include <leat/dns/core/message_reader.hpp>
#include <leat/dns/core/negative_answer.hpp>

#include <algorithm>
#include <new>

namespace leat::detail {

namespace {

constexpr unsigned truncated = 0x0200;  // TC: more comes over TCP

}  // namespace

bool has_whole_addresses(std::span<const std::byte> message) noexcept {
    message_reader reader(message);
    const auto header = reader.header();
    if (!header || !reader.skip_questions(header->questions)) {
        return true;
    }
    const bool may_end = (header->flags & truncated) != 0;
    for (unsigned i = 0; i < header->answers; ++i) {
        const auto record = reader.record();
        if (!record || !reader.skip(record->size)) {
            return may_end;
        }
        if ((record->type == dns_type_a && record->size != 4) ||
            (record->type == dns_type_aaaa && record->size != 16)) {
            return false;
        }
    }
    return true;
}

void answer_check::datagram(std::span<const std::byte> message) noexcept {
    malformed_ = malformed_ || !has_whole_addresses(message);
    if (const auto none = read_negative_answer(message)) {
        auto& known = none->type == dns_type_aaaa ? no_ipv6_for_ : no_ipv4_for_;
        known = std::min(known.value_or(duration::max()), none->holds);
    }
}

void answer_check::stream(std::span<const std::byte> bytes) noexcept {
    constexpr std::size_t length_size = 2;
    try {
        message_.insert(message_.end(), bytes.begin(), bytes.end());
    } catch (const std::bad_alloc&) {
        message_.clear();  // c-ares has as little, and says so
    }
    while (message_.size() >= length_size) {
        const std::size_t size = length_size + (std::to_integer<std::size_t>(message_[0]) << 8 |
                                                std::to_integer<std::size_t>(message_[1]));
        if (message_.size() < size) {
            return;
        }
        datagram(std::span(message_).first(size).subspan(length_size));
        message_.erase(message_.begin(), message_.begin() + static_cast<std::ptrdiff_t>(size));
    }
}

}  // namespace leat::detail

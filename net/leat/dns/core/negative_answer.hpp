// SPDX-License-Identifier: MIT
// negative_answer: how long it holds that a name, or its addresses, are not there (RFC 2308 5). c-ares does
// not tell; so the messages are read as they come. Used by answer_check only.
#pragma once

#include <leat/clock.hpp>

#include <cstddef>
#include <optional>
#include <span>

namespace leat::detail {

struct negative_answer {
    unsigned type;  // of the records that were asked for
    duration holds;
};

// Of a message without addresses: the lowest one of the time to live of its SOA record, the "minimum" in it,
// and the times to live of the aliases before it; zero when there is no such record. Nothing for a message
// with an address, or with another error than that the name does not exist, and for one that cannot be read.
[[nodiscard]] std::optional<negative_answer> read_negative_answer(
    std::span<const std::byte> message) noexcept;

}  // namespace leat::detail

// SPDX-License-Identifier: MIT
// answer_check: checks the answers to one question as they come, for faults that older versions of c-ares do
// not see: an address record of a wrong length, and, where the other family has no address, an answer that
// ends midway. And it learns how long it holds that a name is not there. Used by channel only; it sends
// nothing and decides nothing.
#pragma once

#include <leat/clock.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace leat::detail {

class answer_check {
public:
    // A datagram that came, a part of what a TCP connection brings, and the end of that connection.
    void datagram(std::span<const std::byte> message) noexcept;
    void stream(std::span<const std::byte> bytes) noexcept;
    void stream_ended() noexcept { message_.clear(); }

    [[nodiscard]] bool malformed() const noexcept { return malformed_; }
    // How long it holds that there are no addresses of a family: the shortest of the answers that say so;
    // zero when none does.
    [[nodiscard]] duration no_ipv4_for() const noexcept { return no_ipv4_for_.value_or(duration::zero()); }
    [[nodiscard]] duration no_ipv6_for() const noexcept { return no_ipv6_for_.value_or(duration::zero()); }

private:
    std::vector<std::byte>
        message_;  // what has come of a message over TCP, after its length (RFC 1035 4.2.2)
    bool malformed_ = false;
    std::optional<duration> no_ipv4_for_;
    std::optional<duration> no_ipv6_for_;
};

// Whether a DNS message (RFC 1035 section 4.1) has all its answers, unless it says itself that it is
// truncated, and only addresses of the right size (3.4.1, RFC 3596 section 2.2) among them. True too for what
// cannot be read that far: c-ares refuses it.
[[nodiscard]] bool has_whole_addresses(std::span<const std::byte> message) noexcept;

}  // namespace leat::detail

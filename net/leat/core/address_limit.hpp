// SPDX-License-Identifier: MIT
// address_limit: counts the connections of each IP address. Used by serve().
// Invariant: an address is kept exactly as long as it has connections.
#pragma once

#include <leat/address.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <utility>

namespace leat::detail {

class address_limit {
    struct count {
        std::size_t connections = 0;
        bool told = false;  // that it is full
    };
    // Ordered, since its keys are chosen by strangers.
    using counts = std::map<address, count>;

public:
    // One connection of an address, for as long as this lives.
    class place {
    public:
        place() noexcept = default;
        place(place&& other) noexcept : of_(std::exchange(other.of_, nullptr)), taken_(other.taken_) {}
        place& operator=(place&&) = delete;
        ~place() {
            if (of_ != nullptr) {
                of_->leave(taken_);
            }
        }

    private:
        friend address_limit;
        place(address_limit& of, counts::iterator taken) noexcept : of_(&of), taken_(taken) {}

        address_limit* of_ = nullptr;
        counts::iterator taken_;
    };

    address_limit() noexcept = default;
    address_limit(const address_limit&) = delete;
    address_limit& operator=(const address_limit&) = delete;

    // Empty when `from` has `most` connections. One that IPv6 maps is the IPv4 address. Throws
    // std::bad_alloc.
    [[nodiscard]] std::optional<place> enter(const address& from, std::size_t most);
    // Of an address that is full: true once, until it has been below its limit.
    [[nodiscard]] bool is_news(const address& from) noexcept;

private:
    void leave(counts::iterator taken) noexcept;

    counts counts_;
};

}  // namespace leat::detail

// SPDX-License-Identifier: MIT
// network: the addresses that begin with the same bits, as 10.0.0.0/8 or 2001:db8::/32: for lists of peers
// that are trusted or exempt. A value that never allocates.
#pragma once

#include <leat/address.hpp>
#include <leat/result.hpp>

#include <span>
#include <string>
#include <string_view>

namespace leat {

class network {
public:
    // One address.
    network(const address& only) noexcept;  // implicit: a list may name both
    // The addresses that have the first `prefix` bits of `base`: of an IPv4-mapped one, from 96 bits on,
    // those of IPv4. Throws std::invalid_argument if it has fewer.
    network(const address& base, unsigned prefix);

    // "10.0.0.0/8", "::1", "[::1]"; a zone means nothing here. Throws std::invalid_argument naming `text`.
    [[nodiscard]] static network parse(std::string_view text);
    // The same, or std::errc::invalid_argument.
    [[nodiscard]] static result<network> try_parse(std::string_view text);

    // Whether `one` is in it. An IPv4-mapped address counts as the IPv4 address.
    [[nodiscard]] bool contains(const address& one) const noexcept;
    [[nodiscard]] const address& base() const noexcept { return base_; }
    [[nodiscard]] unsigned prefix() const noexcept { return prefix_; }
    [[nodiscard]] std::string to_string() const;

    friend bool operator==(const network&, const network&) noexcept = default;

private:
    address base_;  // its bits behind the prefix are as they were given
    unsigned prefix_;
};

// Whether one of them has it.
[[nodiscard]] bool any_contains(std::span<const network> networks, const address& one) noexcept;

}  // namespace leat

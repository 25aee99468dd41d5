// SPDX-License-Identifier: MIT
#include <leat/network.hpp>

#include <leat/core/number.hpp>

#include <algorithm>
#include <stdexcept>

namespace leat {
namespace {

unsigned bits_of(const address& one) noexcept {
    return one.is_ipv4() ? 32 : 128;
}

}  // namespace

network::network(const address& only) noexcept : base_(only.unmapped()), prefix_(bits_of(base_)) {}

network::network(const address& base, unsigned prefix) : base_(base), prefix_(prefix) {
    if (prefix > bits_of(base)) {
        throw std::invalid_argument("an address has no " + std::to_string(prefix) + " bits");
    }
    constexpr unsigned bits_of_mapped = 96;  // before those of the IPv4 address
    if (base.is_ipv4_mapped() && prefix >= bits_of_mapped) {
        base_ = base.unmapped();
        prefix_ = prefix - bits_of_mapped;
    }
}

result<network> network::try_parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    std::string_view base_text = text.substr(0, slash);
    if (base_text.starts_with('[') && base_text.ends_with(']')) {
        base_text = base_text.substr(1, base_text.size() - 2);
    }
    const auto base = address::try_parse(base_text);
    if (!base) {
        return base.error();
    }
    if (slash == text.npos) {
        return network(*base);
    }
    const auto prefix = detail::parse_number<unsigned>(text.substr(slash + 1));
    if (!prefix || *prefix > bits_of(*base)) {
        return std::make_error_code(std::errc::invalid_argument);
    }
    return network(*base, *prefix);
}

network network::parse(std::string_view text) {
    const auto parsed = try_parse(text);
    if (!parsed) {
        throw std::invalid_argument("no network of addresses: \"" + std::string(text) + "\"");
    }
    return *parsed;
}

bool network::contains(const address& one) const noexcept {
    const address plain = one.unmapped();
    if (plain.is_ipv4() != base_.is_ipv4()) {
        return false;
    }
    for (unsigned bit = 0; bit < prefix_; ++bit) {
        const unsigned differing = base_.bytes()[bit / 8] ^ plain.bytes()[bit / 8];
        if ((differing & 0x80U >> bit % 8) != 0) {
            return false;
        }
    }
    return true;
}

std::string network::to_string() const {
    return base_.to_string() + "/" + std::to_string(prefix_);
}

bool any_contains(std::span<const network> networks, const address& one) noexcept {
    return std::ranges::any_of(networks, [&](const network& each) { return each.contains(one); });
}

}  // namespace leat

// SPDX-License-Identifier: MIT
#include <leat/core/address_limit.hpp>

namespace leat::detail {

std::optional<address_limit::place> address_limit::enter(const address& from, std::size_t most) {
    const auto found = counts_.try_emplace(from.unmapped()).first;
    if (found->second.connections >= most) {
        return std::nullopt;
    }
    ++found->second.connections;
    return place(*this, found);
}

bool address_limit::is_news(const address& from) noexcept {
    const auto found = counts_.find(from.unmapped());
    return found != counts_.end() && !std::exchange(found->second.told, true);
}

void address_limit::leave(counts::iterator taken) noexcept {
    taken->second.told = false;
    if (--taken->second.connections == 0) {
        counts_.erase(taken);
    }
}

}  // namespace leat::detail

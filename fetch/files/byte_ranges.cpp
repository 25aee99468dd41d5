// SPDX-License-Identifier: MIT
#include <fetch/files/byte_ranges.hpp>

#include <algorithm>
#include <numeric>

namespace fetch {

byte_ranges::byte_ranges(const std::vector<byte_range>& all, std::uint64_t size) : all_(all) {
    cut(size);
}

void byte_ranges::add(byte_range one) {
    if (one.begin >= one.end) {
        return;
    }
    const auto first =
        std::lower_bound(all_.begin(), all_.end(), one.begin,
                         [](const byte_range& each, std::uint64_t at) { return each.end < at; });
    auto last = first;
    for (; last != all_.end() && last->begin <= one.end; ++last) {
        one.begin = std::min(one.begin, last->begin);
        one.end = std::max(one.end, last->end);
    }
    if (first == last) {
        all_.insert(first, one);
    } else {
        *first = one;
        all_.erase(first + 1, last);
    }
}

void byte_ranges::cut(std::uint64_t size) {
    while (!all_.empty() && all_.back().begin >= size) {
        all_.pop_back();
    }
    if (!all_.empty()) {
        all_.back().end = std::min(all_.back().end, size);
    }
}

byte_range byte_ranges::take_first() {
    const byte_range first = all_.front();
    all_.erase(all_.begin());
    return first;
}

std::uint64_t byte_ranges::count() const noexcept {
    return std::accumulate(all_.begin(), all_.end(), std::uint64_t(0),
                           [](std::uint64_t sum, const byte_range& each) { return sum + each.size(); });
}

bool byte_ranges::holds(const byte_ranges& others) const {
    byte_ranges both = *this;
    for (const byte_range& each : others.all_) {
        both.add(each);
    }
    return both == *this;
}

byte_ranges byte_ranges::gaps(std::uint64_t size) const {
    byte_ranges found;
    std::uint64_t at = 0;
    for (const byte_range& each : all_) {
        found.add({at, std::min(each.begin, size)});
        at = each.end;
    }
    found.add({at, size});
    return found;
}

}  // namespace fetch

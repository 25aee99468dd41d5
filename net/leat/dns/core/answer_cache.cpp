// SPDX-License-Identifier: MIT
#include <leat/dns/core/answer_cache.hpp>

#include <new>

namespace leat::detail {

const name_found* answer_cache::find(const name_question& asked, time_point now, duration most) noexcept {
    const auto place = entries_.find(asked);
    if (place == entries_.end()) {
        return nullptr;
    }
    entry& known = place->second;
    if (now >= known.until) {
        erase(known);
        return nullptr;
    }
    return now < after(known.since, most) ? &known.answer : nullptr;
}

void answer_cache::keep(const name_question& asked, const name_found& answer, time_point now,
                        duration holds) noexcept {
    if (holds <= duration::zero()) {
        return;
    }
    try {
        name_found copy = answer;
        const auto [place, added] = entries_.try_emplace(asked);
        entry& kept = place->second;
        if (!added) {
            kept.unlink();
        }
        kept.asked = &place->first;
        kept.answer = std::move(copy);
        kept.since = now;
        kept.until = after(now, holds);
        by_age_.push_back(kept);
    } catch (const std::bad_alloc&) {
        return;  // it will be asked for again
    }
    if (entries_.size() > entries_max) {
        erase(by_age_.front());
    }
}

void answer_cache::clear() noexcept {
    while (!by_age_.empty()) {
        erase(by_age_.front());
    }
}

void answer_cache::erase(entry& old) noexcept {
    old.unlink();
    entries_.erase(entries_.find(*old.asked));
}

}  // namespace leat::detail

// SPDX-License-Identifier: MIT
// stack and heap: the stores of queues that do not give first what was put first (ring.hpp does). As in a
// ring, growing is asked for beforehand, so that nothing fails once a value is on its way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace leat::detail {

// Gives what was pushed last.
template <typename T>
class stack {
public:
    [[nodiscard]] bool empty() const noexcept { return values_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }

    // Sees to room for `count` values in all. Throws std::bad_alloc, and nothing has changed.
    void ensure(std::size_t count) {
        if (count > values_.capacity()) {
            values_.reserve(2 * count);
        }
    }
    void push(T&& value) noexcept { values_.push_back(std::move(value)); }
    void take(std::optional<T>& into) noexcept {
        into.emplace(std::move(values_.back()));
        values_.pop_back();
    }

private:
    std::vector<T> values_;
};

// Gives the smallest, and of equal ones that which was pushed first. A binary heap: the children of the entry
// at i are at 2 * i + 1 and 2 * i + 2, and neither goes before it.
template <typename T, typename Compare>
class heap {
    static_assert(std::is_nothrow_move_assignable_v<T>, "values with a priority are moved without throwing");

public:
    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

    void ensure(std::size_t count) {
        if (count > entries_.capacity()) {
            entries_.reserve(2 * count);
        }
    }
    void push(T&& value) noexcept {
        entries_.push_back({std::move(value), pushed_++});
        for (std::size_t at = size() - 1; at > 0 && goes_before(at, (at - 1) / 2); at = (at - 1) / 2) {
            std::swap(entries_[at], entries_[(at - 1) / 2]);
        }
    }
    void take(std::optional<T>& into) noexcept {
        into.emplace(std::move(entries_.front().value));
        if (size() > 1) {
            entries_.front() = std::move(entries_.back());
        }
        entries_.pop_back();
        for (std::size_t at = 0, first = 0;; at = first) {
            for (const std::size_t child : {2 * at + 1, 2 * at + 2}) {
                if (child < size() && goes_before(child, first)) {
                    first = child;
                }
            }
            if (first == at) {
                return;
            }
            std::swap(entries_[at], entries_[first]);
        }
    }

private:
    struct entry {
        T value;
        std::uint64_t number;  // in the order of pushing
    };

    [[nodiscard]] bool goes_before(std::size_t one, std::size_t other) const noexcept {
        const entry& a = entries_[one];
        const entry& b = entries_[other];
        return less_(a.value, b.value) || (!less_(b.value, a.value) && a.number < b.number);
    }

    std::vector<entry> entries_;
    std::uint64_t pushed_ = 0;
    [[no_unique_address]] Compare less_;
};

}  // namespace leat::detail

// SPDX-License-Identifier: MIT
// ring<T>: a queue in one block of memory, for channels. Memory is allocated before a value is taken, so that
// storing it cannot fail.
#pragma once

#include <leat/check.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace leat::detail {

template <typename T>
class ring {
public:
    ring() noexcept = default;
    ring(const ring&) = delete;
    ring& operator=(const ring&) = delete;
    ~ring() {
        while (!empty()) {
            pop();
        }
    }

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    // The value at `index` from the first.
    [[nodiscard]] T& operator[](std::size_t index) noexcept {
        return slots_[(first_ + index) % capacity_].value;
    }

    // Makes room for `count` values in all. Throws std::bad_alloc, and nothing has changed.
    void ensure(std::size_t count) {
        if (count <= capacity_) {
            return;
        }
        const std::size_t doubled = 2 * capacity_ + 8;
        const std::size_t larger = count < doubled ? doubled : count;
        auto slots = std::make_unique<slot[]>(larger);
        for (std::size_t i = 0; i < size_; ++i) {
            T& value = slots_[(first_ + i) % capacity_].value;
            std::construct_at(&slots[i].value, std::move(value));
            std::destroy_at(&value);
        }
        slots_ = std::move(slots);
        capacity_ = larger;
        first_ = 0;
    }
    // There is room for it.
    void push(T&& value) noexcept {
        check(size_ < capacity_, "a ring has room for what is pushed");
        std::construct_at(&slots_[(first_ + size_) % capacity_].value, std::move(value));
        ++size_;
    }
    void take(std::optional<T>& into) noexcept {
        into.emplace(std::move((*this)[0]));
        pop();
    }
    void pop() noexcept {
        std::destroy_at(&(*this)[0]);
        first_ = (first_ + 1) % capacity_;
        --size_;
    }

private:
    union slot {
        slot() noexcept {}
        ~slot() {}
        T value;
    };

    std::unique_ptr<slot[]> slots_;
    std::size_t capacity_ = 0;
    std::size_t first_ = 0;
    std::size_t size_ = 0;
};

}  // namespace leat::detail

// SPDX-License-Identifier: MIT
#include <leat/tls/core/byte_queue.hpp>

#include <leat/check.hpp>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace leat::tls::detail {
namespace {

constexpr std::size_t block_capacity_min = 4 * 1024 - 64;
constexpr std::size_t spare_capacity_max = 20 * 1024;  // a full record, and no more than that when idle

}  // namespace

// The bytes follow the block in the same allocation.
struct byte_queue::block {
    std::size_t capacity;
    std::size_t begin = 0;
    std::size_t end = 0;
    block_owner next = nullptr;

    [[nodiscard]] std::byte* bytes() noexcept { return reinterpret_cast<std::byte*>(this + 1); }
};

void byte_queue::block_free::operator()(block* old) const noexcept {
    while (old != nullptr) {  // a loop, so that a long queue does not recurse
        block* next = old->next.release();
        old->~block();
        ::operator delete(old);
        old = next;
    }
}

std::span<const std::byte> byte_queue::front() const noexcept {
    if (size_ == 0) {
        return {};
    }
    return {first_->bytes() + first_->begin, first_->end - first_->begin};
}

void byte_queue::append(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        if (room() == 0) {
            add_block(bytes.size());
        }
        const std::size_t count = std::min(bytes.size(), room());
        std::memcpy(last_->bytes() + last_->end, bytes.data(), count);
        last_->end += count;
        size_ += count;
        bytes = bytes.subspan(count);
    }
}

void byte_queue::consume(std::size_t count) noexcept {
    check(count <= size_, "no more is consumed than the queue holds");
    size_ -= count;
    while (count > 0) {
        const std::size_t part = std::min(count, first_->end - first_->begin);
        first_->begin += part;
        count -= part;
        if (first_->begin == first_->end) {
            drop_first();
        }
    }
    while (size_ > 0 && first_->begin == first_->end) {
        drop_first();  // reserved, but too small for what was reserved next
    }
}

void byte_queue::reserve(std::size_t count) {
    if (room() < count) {
        add_block(count);
    }
}

std::size_t byte_queue::room() const noexcept {
    return last_ == nullptr ? 0 : last_->capacity - last_->end;
}

void byte_queue::add_block(std::size_t capacity) {
    block_owner added;
    if (spare_ != nullptr && spare_->capacity >= capacity) {
        added = std::move(spare_);
    } else {
        capacity = std::max(capacity, block_capacity_min);
        added.reset(new (::operator new(sizeof(block) + capacity)) block{.capacity = capacity});
    }
    block* const fresh = added.get();
    if (size_ == 0) {
        first_ = std::move(added);  // an empty block that was too small goes
    } else {
        last_->next = std::move(added);
    }
    last_ = fresh;
}

void byte_queue::drop_first() noexcept {
    block_owner old = std::move(first_);
    first_ = std::move(old->next);
    if (first_ == nullptr) {
        last_ = nullptr;
    }
    if (keep_block_ && old->capacity <= spare_capacity_max) {
        old->begin = old->end = 0;
        spare_ = std::move(old);
    }
}

}  // namespace leat::tls::detail

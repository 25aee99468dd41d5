// SPDX-License-Identifier: MIT
#include <leat/core/pushback.hpp>

#include <algorithm>
#include <cstdint>
#include <new>
#include <utility>

namespace leat::detail {

namespace {

using bytes_view = std::span<const std::byte>;

bytes_view unread_of(const std::unique_ptr<chunk>& returned) noexcept {
    return returned == nullptr ? bytes_view() : *returned;
}

struct filled {
    std::unique_ptr<chunk> all;
    std::byte* buffer;
};

// A chunk of `size` bytes that begins with `first`, and its memory.
filled filled_with(bytes_view first, std::size_t size) {
    if (size > UINT32_MAX) {
        throw std::bad_alloc();  // more than a chunk can hold
    }
    auto all = std::make_unique<chunk>();
    auto* const buffer = new std::byte[size];
    *all = chunk(heap_buffers, buffer, 0, static_cast<std::uint32_t>(size));
    std::ranges::copy(first, buffer);
    return {std::move(all), buffer};
}

}  // namespace

void give_back(std::unique_ptr<chunk>& returned, bytes_view bytes) {
    if (!bytes.empty()) {
        const bytes_view unread = unread_of(returned);
        filled made = filled_with(bytes, bytes.size() + unread.size());
        std::ranges::copy(unread, made.buffer + bytes.size());
        returned = std::move(made.all);
    }
}

void give_back(std::unique_ptr<chunk>& returned, chunk&& bytes) {
    if (returned == nullptr && !bytes.empty() && bytes.on_heap()) {
        returned = std::make_unique<chunk>(std::move(bytes));
    } else {
        give_back(returned, bytes.bytes());
        bytes.reset();
    }
}

std::span<std::byte> give_back_room(std::unique_ptr<chunk>& returned, std::size_t size) {
    const std::size_t before = unread_of(returned).size();
    filled made = filled_with(unread_of(returned), before + size);
    returned = std::move(made.all);
    return {made.buffer + before, size};
}

std::size_t copy_returned(const std::unique_ptr<chunk>& returned, std::span<std::byte> into) noexcept {
    const bytes_view unread = unread_of(returned);
    const std::size_t count = std::min(unread.size(), into.size());
    std::ranges::copy(unread.first(count), into.begin());
    return count;
}

void drop_returned(std::unique_ptr<chunk>& returned, std::size_t count) noexcept {
    if (count == 0) {
        return;
    }
    returned->remove_prefix(count);
    if (returned->empty()) {
        returned.reset();
    }
}

std::size_t take_returned(std::unique_ptr<chunk>& returned, std::span<std::byte> into) noexcept {
    const std::size_t count = copy_returned(returned, into);
    drop_returned(returned, count);
    return count;
}

}  // namespace leat::detail

// SPDX-License-Identifier: MIT
#include <leat/core/pushback.hpp>

#include <algorithm>
#include <cstdint>
#include <new>

namespace leat::detail {

namespace {

using bytes_view = std::span<const std::byte>;

bytes_view unread_of(const std::unique_ptr<chunk>& returned) noexcept {
    return returned == nullptr ? bytes_view() : *returned;
}

std::unique_ptr<chunk> joined(bytes_view first, bytes_view second) {
    const std::size_t size = first.size() + second.size();
    if (size > UINT32_MAX) {
        throw std::bad_alloc();  // more than a chunk can hold
    }
    auto all = std::make_unique<chunk>();
    auto* const buffer = new std::byte[size];
    *all = chunk(heap_buffers, buffer, 0, static_cast<std::uint32_t>(size));
    std::ranges::copy(second, std::ranges::copy(first, buffer).out);
    return all;
}

}  // namespace

void give_back(std::unique_ptr<chunk>& returned, bytes_view bytes) {
    if (!bytes.empty()) {
        returned = joined(bytes, unread_of(returned));
    }
}

void give_back_behind(std::unique_ptr<chunk>& returned, bytes_view bytes) {
    if (!bytes.empty()) {
        returned = joined(unread_of(returned), bytes);
    }
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

// SPDX-License-Identifier: MIT
#include <leat/returned_bytes.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
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

std::size_t take_returned(std::unique_ptr<chunk>& returned, std::span<std::byte> into) noexcept {
    if (returned == nullptr || into.empty()) {
        return 0;
    }
    const std::size_t count = std::min(returned->size(), into.size());
    std::memcpy(into.data(), returned->data(), count);
    returned->remove_prefix(count);
    if (returned->empty()) {
        returned.reset();
    }
    return count;
}

}  // namespace leat::detail

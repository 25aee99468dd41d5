// SPDX-License-Identifier: MIT
#include <leat/returned_bytes.hpp>

#include <leat/check.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace leat::detail {

void give_back(std::unique_ptr<chunk>& returned, std::span<const std::byte> bytes) {
    if (bytes.empty()) {
        return;
    }
    const std::span<const std::byte> unread = returned == nullptr ? std::span<const std::byte>() : *returned;
    const std::size_t size = bytes.size() + unread.size();
    check(size <= UINT32_MAX, "a cancelled read gives back less than 4 GiB");
    std::unique_ptr<std::byte[]> joined(new std::byte[size]);
    std::ranges::copy(unread, std::ranges::copy(bytes, joined.get()).out);
    auto all = std::make_unique<chunk>();
    *all = chunk(heap_buffers, joined.release(), 0, static_cast<std::uint32_t>(size));
    returned = std::move(all);
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

// SPDX-License-Identifier: MIT
#include <leat/backends/simulated/sparse_bytes.hpp>

#include <algorithm>
#include <cstring>

namespace leat {

namespace {

// What of a page `offset` and `length` concern: from `begin` on, `size` bytes.
struct part {
    std::uint64_t number;
    std::size_t begin;
    std::size_t size;
};

part part_at(std::uint64_t offset, std::size_t length) noexcept {
    const std::size_t begin = offset % sparse_bytes::page_size;
    return {offset / sparse_bytes::page_size, begin,
            std::min<std::size_t>(length, sparse_bytes::page_size - begin)};
}

}  // namespace

std::uint64_t sparse_bytes::pages_missing(std::uint64_t offset, std::uint64_t length) const {
    if (length == 0) {
        return 0;
    }
    const std::uint64_t first = offset / page_size;
    const std::uint64_t last = (offset + length - 1) / page_size;
    const auto there = std::distance(pages_.lower_bound(first), pages_.upper_bound(last));
    return last - first + 1 - static_cast<std::uint64_t>(there);
}

std::size_t sparse_bytes::read(std::uint64_t offset, std::span<std::byte> into) const {
    if (offset >= size_) {
        return 0;
    }
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size_ - offset));
    for (std::size_t done = 0; done < size;) {
        const part at = part_at(offset + done, size - done);
        const auto found = pages_.find(at.number);
        if (found == pages_.end()) {
            std::fill_n(into.data() + done, at.size, std::byte());
        } else {
            std::memcpy(into.data() + done, found->second.data() + at.begin, at.size);
        }
        done += at.size;
    }
    return size;
}

void sparse_bytes::write(std::uint64_t offset, std::span<const std::byte> from) {
    for (std::size_t done = 0; done < from.size();) {
        const part at = part_at(offset + done, from.size() - done);
        page& into = pages_.try_emplace(at.number, page{}).first->second;
        std::memcpy(into.data() + at.begin, from.data() + done, at.size);
        done += at.size;
    }
    size_ = from.empty() ? size_ : std::max(size_, offset + from.size());
}

void sparse_bytes::resize(std::uint64_t size) {
    if (size < size_) {
        const part end = part_at(size, page_size);
        pages_.erase(pages_.lower_bound(end.begin == 0 ? end.number : end.number + 1), pages_.end());
        if (const auto last = pages_.find(end.number); last != pages_.end()) {
            std::fill(last->second.begin() + static_cast<std::ptrdiff_t>(end.begin), last->second.end(),
                      std::byte());
        }
    }
    size_ = size;
}

}  // namespace leat

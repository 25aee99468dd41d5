// SPDX-License-Identifier: MIT
#include <leat/framing/core/held_bytes.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>

namespace leat::detail {

namespace {

constexpr std::size_t room_kept = 64 * 1024;  // also when little of it is used

}  // namespace

part held_bytes::find(const wanted& asked, bool ended) {
    join();
    part found = look(asked);
    if (found.is == part::state::missing && ended) {
        found = last_of(asked, text());
    }
    if (found.is == part::state::refused) {
        refuse(asked, found, text());
    }
    if (found.is == part::state::missing) {
        keep_searched(asked, found);
        make_place();
    }
    return found;
}

void held_bytes::keep_searched(const wanted& asked, const part& missing) {
    if (asked.delimiter.empty()) {
        return;  // nothing was searched, and what was before still holds
    }
    if (searched_for_ != asked.delimiter) {
        searched_ = 0;
        searched_for_ = asked.delimiter;
    }
    searched_ = missing.searched;
}

void held_bytes::join() {
    if (in_one()) {
        return;
    }
    if (begin_ > store_.size() / 2) {  // each byte is moved at most once for each that was dropped
        store_.erase(0, begin_);
        begin_ = 0;
        if (store_.capacity() > room_kept && store_.size() < store_.capacity() / 8) {
            store_.shrink_to_fit();  // a large message has gone
        }
    }
    store_.append(piece_.text());
    piece_.reset();
}

void held_bytes::make_place() {
    if (empty()) {
        clear();
        return;
    }
    if (begin_ == store_.size()) {
        store_.assign(piece_.text());
        begin_ = 0;
        piece_.reset();
        return;
    }
    join();
}

void held_bytes::put_back(chunk&& bytes) {
    if (bytes.empty()) {
        return;
    }
    if (empty()) {
        clear();
        piece_ = std::move(bytes);
        return;
    }
    std::string all;
    all.reserve(bytes.size() + size());
    all.append(bytes.text()).append(store_, begin_).append(piece_.text());
    clear();
    store_ = std::move(all);
    bytes.reset();
}

void held_bytes::drop(std::size_t count) noexcept {
    searched_ = 0;
    const std::size_t stored = std::min(count, store_.size() - begin_);
    begin_ += stored;
    piece_.remove_prefix(std::min(count - stored, piece_.size()));
}

std::size_t held_bytes::copy_to(std::span<std::byte> into) const noexcept {
    const std::string_view given = text().substr(0, into.size());
    if (!given.empty()) {
        std::memcpy(into.data(), given.data(), given.size());
    }
    return given.size();
}

chunk held_bytes::take_chunk() {
    if (begin_ == store_.size()) {
        return take_piece();
    }
    const std::size_t size = std::min<std::size_t>(store_.size() - begin_, UINT32_MAX);
    chunk taken = copied_chunk(std::as_bytes(std::span(store_).subspan(begin_, size)));
    drop(size);
    return taken;
}

chunk held_bytes::take_all() {
    if (size() > UINT32_MAX) {
        throw std::bad_alloc();  // more than a chunk can hold
    }
    join();
    return take_chunk();
}

void held_bytes::clear() noexcept {
    std::string().swap(store_);
    begin_ = 0;
    piece_.reset();
    searched_ = 0;
}

}  // namespace leat::detail

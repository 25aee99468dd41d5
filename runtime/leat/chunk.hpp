// SPDX-License-Identifier: MIT
// chunk: received bytes in a buffer leased from the pool of the scheduler's backend. An idle connection
// owns none. A chunk may be kept across waits and past close; its pool lives while chunks do.
// Belongs to the thread that received it: only that thread frees it, until its run has ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <utility>

namespace leat {

// Where the buffers of chunks come from. A backend owns one and leases its buffers out.
class buffer_pool {
public:
    virtual void release(std::byte* buffer, std::uint32_t index) noexcept = 0;

protected:
    ~buffer_pool() = default;
};

// Of buffers made by `new std::byte[]`: for the few that no backend leases out.
class heap_pool final : public buffer_pool {
public:
    void release(std::byte* buffer, std::uint32_t /*index*/) noexcept override { delete[] buffer; }
};
// One in the whole program, also with -fvisibility=hidden: chunks are asked whether they have it.
[[gnu::visibility("default")]] inline constinit heap_pool heap_buffers;

class [[nodiscard]] chunk {
public:
    chunk() noexcept = default;  // empty: the end of the stream
    chunk(buffer_pool& pool, std::byte* buffer, std::uint32_t index, std::uint32_t size) noexcept
        : pool_(&pool), buffer_(buffer), index_(index), size_(size) {}
    chunk(chunk&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          buffer_(other.buffer_),
          index_(other.index_),
          begin_(std::exchange(other.begin_, 0)),
          size_(std::exchange(other.size_, 0)) {}
    chunk& operator=(chunk&& other) noexcept {
        if (this != &other) {
            reset();
            pool_ = std::exchange(other.pool_, nullptr);
            buffer_ = other.buffer_;
            index_ = other.index_;
            begin_ = std::exchange(other.begin_, 0);
            size_ = std::exchange(other.size_, 0);
        }
        return *this;
    }
    ~chunk() { reset(); }

    // False at the end of the stream.
    explicit operator bool() const noexcept { return size_ != 0; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] const std::byte* data() const noexcept { return buffer_ + begin_; }

    [[nodiscard]] const std::byte* begin() const noexcept { return data(); }
    [[nodiscard]] const std::byte* end() const noexcept { return data() + size_; }

    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data(), size_}; }
    [[nodiscard]] std::string_view text() const noexcept {
        return {reinterpret_cast<const char*>(data()), size_};
    }
    operator std::span<const std::byte>() const noexcept { return bytes(); }

    // Whether its memory is its own, and of no pool that belongs to a thread.
    [[nodiscard]] bool on_heap() const noexcept { return pool_ == &heap_buffers; }

    // Forgets the first `count` bytes; at most size().
    void remove_prefix(std::size_t count) noexcept {
        begin_ += static_cast<std::uint32_t>(count);
        size_ -= static_cast<std::uint32_t>(count);
    }

    // Gives the buffer back now.
    void reset() noexcept {
        if (buffer_pool* pool = std::exchange(pool_, nullptr)) {
            pool->release(buffer_, index_);
        }
        begin_ = size_ = 0;
    }

private:
    buffer_pool* pool_ = nullptr;
    std::byte* buffer_ = nullptr;
    std::uint32_t index_ = 0;
    std::uint32_t begin_ = 0;
    std::uint32_t size_ = 0;
};

// A copy of `bytes`, less than 4 GiB, in memory of its own. Throws std::bad_alloc, also for more.
[[nodiscard]] inline chunk copied_chunk(std::span<const std::byte> bytes) {
    if (bytes.size() > UINT32_MAX) {
        throw std::bad_alloc();
    }
    auto* const buffer = new std::byte[bytes.size()];
    if (!bytes.empty()) {
        std::memcpy(buffer, bytes.data(), bytes.size());
    }
    return {heap_buffers, buffer, 0, static_cast<std::uint32_t>(bytes.size())};
}

}  // namespace leat

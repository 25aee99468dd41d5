// SPDX-License-Identifier: MIT
// A queue of bytes whose addresses never change while they are in it. A session puts its ciphertext here.
// Invariant: front() stays valid while more is appended, until consume() has covered it. So the kernel may
// still be sending the front while more is added at the back.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace leat::tls::detail {

class byte_queue {
public:
    // With `keep_block` an emptied queue keeps one block, so that a busy one does not allocate.
    explicit byte_queue(bool keep_block = false) noexcept : keep_block_(keep_block) {}

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    // The oldest bytes, as many as are contiguous; empty only when the queue is.
    [[nodiscard]] std::span<const std::byte> front() const noexcept;

    void append(std::span<const std::byte> bytes);
    // Removes the first `count` bytes, of which there must be as many.
    void consume(std::size_t count) noexcept;
    // Makes the next `count` bytes that are appended contiguous, where they do not fit what is there.
    void reserve(std::size_t count);

private:
    struct block;
    struct block_free {
        void operator()(block* old) const noexcept;
    };
    using block_owner = std::unique_ptr<block, block_free>;

    [[nodiscard]] std::size_t room() const noexcept;
    void add_block(std::size_t capacity);
    void drop_first() noexcept;

    block_owner first_;
    block* last_ = nullptr;
    block_owner spare_;
    std::size_t size_ = 0;
    bool keep_block_;
};

}  // namespace leat::tls::detail

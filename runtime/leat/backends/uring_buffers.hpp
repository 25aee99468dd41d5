// SPDX-License-Identifier: MIT
// uring_buffers: the buffers for received bytes, offered to the kernel in a ring, from which it takes them in
// order (IORING_REGISTER_PBUF_RING, Linux 5.19). All operations of a backend share them, so that only
// connections with data need memory.
//
// A buffer belongs to the pool, to the kernel, to a queue, or to a chunk. Its number in the pool is its
// number in the ring. Few are offered at a time, last used first, because they are in the cache. Each time
// the kernel runs out their number doubles, to half of the pool; after a period in which half would have been
// enough it halves, and those offered last are taken back. When the pool is exhausted nothing is offered, and
// receiving goes on with buffers from the heap (uring.cpp).
#pragma once

#include <leat/backends/slab_pool.hpp>
#include <leat/backends/uring_ring.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <utility>

namespace leat {

class uring_buffers {
public:
    static constexpr std::uint16_t group = 0;
    static constexpr std::uint16_t none = UINT16_MAX;

    // Filled buffers that were not taken yet, by number, in the order they were filled.
    struct queue {
        std::uint16_t first = none;
        std::uint16_t last = none;
        std::uint16_t count = 0;
    };

    // Without newer features nothing is offered to the kernel. Throws std::system_error when it refuses the
    // ring.
    explicit uring_buffers(uring_ring& ring);
    // When no operation is in flight: takes back what the kernel and the queues have. Chunks keep the pool
    // alive.
    ~uring_buffers();
    uring_buffers(const uring_buffers&) = delete;
    uring_buffers& operator=(const uring_buffers&) = delete;

    // Whether a receive may leave the choice of a buffer to the kernel.
    [[nodiscard]] bool shared() const noexcept { return shared_ != nullptr; }
    // Offers the kernel as many as it is to have.
    void top_up() noexcept {
        if (offered_ < target_) {
            offer_more();
        }
    }
    // Whether shrink() may have something to do, after some time.
    [[nodiscard]] bool may_shrink() const noexcept { return target_ > offered_at_first; }
    // Takes half of them back unless they have been needed since the last call. All completions have been
    // reaped: which buffers the kernel has is known.
    void shrink() noexcept;
    // Whether the queues have so many that few are left for others.
    [[nodiscard]] bool scarce() const noexcept { return queued_ > entries / 2; }
    // The kernel has found none: from now on it has more of them.
    void ran_out() noexcept;

    // The buffer that a completion names. It is taken or queued next.
    [[nodiscard]] std::uint16_t filled(unsigned completion_flags) noexcept;
    // Makes it the caller's.
    [[nodiscard]] slab_pool::lease take(std::uint16_t number) noexcept {
        return {std::exchange(slots_[number].buffer, nullptr), number};
    }
    void release(std::uint16_t number) noexcept {
        const slab_pool::lease lease = take(number);
        pool_->release(lease.buffer, lease.index);
    }

    // Where the last buffer of the queue has room for them, the bytes are moved there: small pieces that
    // nobody reads must not use up the buffers that all share.
    void push(queue& to, std::uint16_t number, std::uint32_t size) noexcept;
    // How many bytes are unread in all of them.
    [[nodiscard]] std::size_t size(const queue& of) const noexcept;
    // What is unread in the first buffer.
    [[nodiscard]] std::span<std::byte> front(const queue& of) noexcept {
        slot& first = slots_[of.first];
        return {first.buffer + first.begin, first.size};
    }
    // Drops the first `count` bytes of the first buffer; a buffer without any is released.
    void consume(queue& of, std::size_t count) noexcept;
    // Takes the first buffer, moving what is unread to its beginning.
    [[nodiscard]] slab_pool::lease take_front(queue& of) noexcept;
    void clear(queue& of) noexcept;

    [[nodiscard]] slab_pool& pool() noexcept { return *pool_; }

private:
    static constexpr std::uint32_t entries = slab_pool::slabs_max * slab_pool::buffers_in_slab;
    static constexpr std::uint32_t offered_at_first = slab_pool::buffers_in_slab;
    static constexpr std::uint32_t offered_max = entries / 2;  // the rest is for streams with large ones
    static_assert((entries & (entries - 1)) == 0 && entries <= 32768, "what the kernel accepts");

    struct slot {
        std::byte* buffer = nullptr;  // while the kernel or a queue has it
        std::uint32_t begin = 0;      // while a queue has it: what is unread in it, and the next one
        std::uint32_t size = 0;
        std::uint16_t next = none;
    };

    void offer_more() noexcept;
    std::uint16_t pop(queue& of) noexcept;

    uring_ring* ring_;
    io_uring_buf_ring* shared_ = nullptr;
    slab_pool::owner pool_{new slab_pool};
    std::array<slot, entries> slots_{};  // by number
    std::uint32_t queued_ = 0;           // in all queues
    std::uint32_t least_offered_ = 0;    // since the last shrink()
    std::uint32_t offered_ = 0;
    std::uint32_t target_ = 0;  // no memory until a chunk is received
    std::uint16_t tail_ = 0;
    bool short_ = false;  // the kernel has run out, and has not been offered more since
};

}  // namespace leat

// SPDX-License-Identifier: MIT
// uring_buffers: the buffers that the kernel may put received bytes into, offered in a ring it takes them
// from in order (IORING_REGISTER_PBUF_RING, Linux 5.19). All operations of a backend share them, so that
// memory follows the connections that have data, not those that are open.
//
// A buffer belongs to the pool, to the kernel, or to whoever it was delivered to as a chunk. Its number in
// the pool is its number in the ring. Few are offered at a time, last used first, because they are warm in
// the cache; each time the kernel ran out the number doubles. Once the pool is exhausted nothing is
// offered, and receiving goes on with buffers from the heap (uring.cpp).
#pragma once

#include <leat/backends/slab_pool.hpp>
#include <leat/backends/uring_ring.hpp>

#include <array>
#include <cstdint>

namespace leat {

class uring_buffers {
public:
    static constexpr std::uint16_t group = 0;

    // Throws std::system_error when the kernel refuses the ring.
    explicit uring_buffers(uring_ring& ring);
    // When no operation is in flight: takes back what the kernel has. Chunks keep the pool alive.
    ~uring_buffers();
    uring_buffers(const uring_buffers&) = delete;
    uring_buffers& operator=(const uring_buffers&) = delete;

    // Offers the kernel as many as it is to have.
    void top_up() noexcept {
        if (offered_ < target_) {
            offer_more();
        }
    }
    // The kernel has found none: from now on it has more of them.
    void ran_out() noexcept;
    // The buffer that a completion names: the caller's from now on.
    [[nodiscard]] slab_pool::lease taken(unsigned completion_flags) noexcept;

    [[nodiscard]] slab_pool& pool() noexcept { return *pool_; }

private:
    static constexpr std::uint32_t entries = slab_pool::slabs_max * slab_pool::buffers_in_slab;
    static constexpr std::uint32_t offered_at_first = slab_pool::buffers_in_slab;
    static_assert((entries & (entries - 1)) == 0 && entries <= 32768, "what the kernel accepts");

    void offer_more() noexcept;

    uring_ring* ring_;
    io_uring_buf_ring* shared_;
    slab_pool::owner pool_{new slab_pool};
    std::array<std::byte*, entries> with_kernel_{};  // by number
    std::uint32_t offered_ = 0;
    std::uint32_t target_ = 0;  // no memory until somebody receives a chunk
    std::uint16_t tail_ = 0;
};

}  // namespace leat

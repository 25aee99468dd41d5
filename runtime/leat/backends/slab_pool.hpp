// SPDX-License-Identifier: MIT
// slab_pool: the receive buffers of one backend, of one size, made in slabs as they are needed and
// reused last in, first out. Past the cap single buffers come from the heap, so a lease never fails for
// lack of pooled ones. Buffers come back on the thread of the backend; once that is gone, on any. When no
// more than a quarter is leased, unused slabs go back to the system, to half of them, but for the first few.
// Invariant: it outlives its backend until the last leased buffer is back.
#pragma once

#include <leat/chunk.hpp>

#include <atomic>
#include <memory>
#include <new>
#include <vector>

namespace leat {

class slab_pool final : public buffer_pool {
public:
    static constexpr std::uint32_t buffer_size = 16 * 1024;
    static constexpr std::uint32_t buffers_in_slab = 16;
    static constexpr std::uint32_t slabs_max = 64;  // 16 MiB a thread
    static constexpr std::uint32_t slabs_kept = 4;

    struct lease {
        std::byte* buffer;
        std::uint32_t index;
    };

    // Owned by a backend through unique_ptr: the backend lets go, and the last lease deletes.
    struct let_go {
        void operator()(slab_pool* pool) const noexcept;
    };
    using owner = std::unique_ptr<slab_pool, let_go>;

    slab_pool() noexcept { ++living_; }
    ~slab_pool() {
        free_heap_buffers();
        if (home_ == &living_) {
            --living_;
        }
    }
    slab_pool(const slab_pool&) = delete;
    slab_pool& operator=(const slab_pool&) = delete;

    // Pools that this thread has made: more than it has backends while a buffer of an earlier one is held.
    [[nodiscard]] static std::int64_t living() noexcept { return living_; }

    // Makes sure that there is a buffer to take. False when there is no memory for one.
    [[nodiscard]] bool provide() noexcept { return unused_ != nullptr || provide_more(); }
    // Takes the buffer that provide() has made available.
    [[nodiscard]] lease take() noexcept {
        free_buffer* const first = unused_;
        const lease taken{reinterpret_cast<std::byte*>(first), first->index};
        unused_ = first->next;
        ++leased_;
        return taken;
    }
    void release(std::byte* buffer, std::uint32_t index) noexcept override;

    [[nodiscard]] std::size_t leased() const noexcept { return static_cast<std::size_t>(leased_); }
    // Whether the next lease comes from the heap.
    [[nodiscard]] bool exhausted() const noexcept { return unused_ == nullptr && slab_count_ == slabs_max; }
    [[nodiscard]] std::uint32_t slab_count() const noexcept { return slab_count_; }

private:
    static constexpr std::uint32_t from_heap = UINT32_MAX;

    // What stands in a buffer while it is unused.
    struct free_buffer {
        free_buffer* next;
        std::uint32_t index;
    };

    [[gnu::noinline]] bool provide_more() noexcept;
    [[gnu::noinline]] void shrink() noexcept;
    void free_heap_buffers() noexcept;
    [[gnu::noinline]] void release_abandoned(std::byte* buffer, std::uint32_t index) noexcept;
    void drop_abandoned() noexcept;
    void put_back(std::byte* buffer, std::uint32_t index) noexcept {
        unused_ = ::new (buffer) free_buffer{unused_, index};
    }

    static inline constinit thread_local std::int64_t living_ = 0;

    free_buffer* unused_ = nullptr;
    std::vector<std::unique_ptr<std::byte[]>> slabs_;  // null where one has gone back
    std::uint32_t slab_count_ = 0;
    std::int64_t leased_ = 0;
    std::int64_t little_ = -1;  // when so few are leased there is something to do
    std::atomic<bool> abandoned_ = false;
    const std::int64_t* const home_ = &living_;  // tells its thread from others
};

}  // namespace leat

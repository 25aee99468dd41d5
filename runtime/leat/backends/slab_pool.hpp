// SPDX-License-Identifier: MIT
// slab_pool: the receive buffers of one backend, made in slabs as they are needed and reused last in, first
// out. A slab is cut into buffers of one size: 16 KiB, or for streams that fill those, 64 KiB or 256 KiB
// (buffer_growth). Large ones may have half of the slabs; past that there are none. Past the cap single small
// buffers come from the heap, so a lease never fails for lack of pooled ones. Buffers come back on the thread
// of the backend; once that is gone, on any. Every now and then, before it waits, the backend has it give
// back to the system what has not been needed since the last time, but for the first few slabs.
// Invariant: it outlives its backend until the last leased buffer is back.
#pragma once

#include <leat/chunk.hpp>
#include <leat/clock.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

namespace leat {

// How large the next buffer of a stream is. One that fills its buffers gets larger ones, and smaller ones
// again when those would do.
class buffer_growth {
public:
    static constexpr std::uint8_t steps = 3;
    static constexpr std::uint8_t patience = 8;

    // 16, 64 or 256 KiB.
    [[nodiscard]] static constexpr std::uint32_t size_of(std::uint32_t step) noexcept {
        return (16U * 1024) << (2 * step);
    }
    [[nodiscard]] bool is_large() const noexcept { return step_ != 0; }
    [[nodiscard]] std::uint8_t step() const noexcept { return step_; }

    // That so much was received into a buffer of `size` bytes.
    void note(std::size_t received, std::size_t size) noexcept {
        if (received == size) {
            unfilled_ = 0;
            if (size == size_of(step_) && step_ + 1 < steps) {
                ++step_;
            }
        } else if (step_ == 0 || received >= size_of(step_ - 1U)) {
            unfilled_ = 0;
        } else if (++unfilled_ == patience) {
            unfilled_ = 0;
            --step_;
        }
    }

private:
    std::uint8_t step_ : 2 = 0;
    std::uint8_t unfilled_ : 6 = 0;  // how often in a row a smaller buffer would have had room
};

class slab_pool final : public buffer_pool {
public:
    // How long a backend waits between two calls of shrink().
    static constexpr duration upkeep_period = std::chrono::milliseconds(250);

    static constexpr std::uint32_t buffer_size = buffer_growth::size_of(0);
    static constexpr std::uint32_t buffers_in_slab = 16;
    static constexpr std::uint32_t slabs_max = 64;  // 16 MiB a thread
    static constexpr std::uint32_t slabs_kept = 4;
    static constexpr std::uint32_t large_slabs_max = slabs_max / 2;
    static_assert(buffer_growth::size_of(buffer_growth::steps - 1) == buffers_in_slab * buffer_size);

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
    // The largest that there is of those that a stream of this growth may have. Null when there is no memory.
    [[nodiscard]] lease take_for(const buffer_growth& growth) noexcept;
    [[nodiscard]] static std::uint32_t size_of(const lease& buffer) noexcept {
        return buffer.index == from_heap ? buffer_size : buffer_growth::size_of(buffer.index >> step_shift);
    }
    void release(std::byte* buffer, std::uint32_t index) noexcept override;

    // Whether shrink() may have something to do, now or later.
    [[nodiscard]] bool may_shrink() const noexcept { return slab_count_ > slabs_kept; }
    // Gives back slabs that were not needed since the last call.
    void shrink() noexcept;

    // In small buffers: a large one counts as many as it is cut from.
    [[nodiscard]] std::size_t leased() const noexcept { return static_cast<std::size_t>(leased_); }
    // Whether the next small lease comes from the heap, or takes the place of large ones that nobody has.
    [[nodiscard]] bool exhausted() const noexcept { return unused_ == nullptr && slab_count_ == slabs_max; }
    [[nodiscard]] std::uint32_t slab_count() const noexcept { return slab_count_; }

private:
    static constexpr std::uint32_t from_heap = UINT32_MAX;
    // An index is that of the first small buffer in its place; above that, of a large one, its step.
    static constexpr std::uint32_t step_shift = 16;
    static constexpr std::uint32_t large = 1U << step_shift;

    // What stands in a buffer while it is unused.
    struct free_buffer {
        free_buffer* next;
        std::uint32_t index;
    };
    struct slab {
        std::unique_ptr<std::byte[]> memory;  // null when it has gone back
        std::uint8_t step = 0;
    };

    [[nodiscard]] static std::uint32_t slab_of(std::uint32_t index) noexcept {
        return (index & (large - 1)) / buffers_in_slab;
    }
    // In small buffers.
    [[nodiscard]] static std::int64_t units_of(std::uint32_t index) noexcept {
        return index == from_heap ? 1 : std::int64_t{1} << (2 * (index >> step_shift));
    }

    [[nodiscard]] bool has_room() noexcept;
    void add_slab(std::uint8_t step);
    [[nodiscard]] lease take_large(std::uint8_t step) noexcept;
    [[gnu::noinline]] bool provide_more() noexcept;
    [[gnu::noinline]] void release_other(std::byte* buffer, std::uint32_t index) noexcept;
    void free_heap_buffers() noexcept;
    void free_slabs(std::uint32_t aim) noexcept;
    void release_abandoned(std::byte* buffer, std::uint32_t index) noexcept;
    void drop_abandoned(std::int64_t units) noexcept;
    static void put_back(free_buffer*& list, std::byte* buffer, std::uint32_t index) noexcept {
        list = ::new (buffer) free_buffer{list, index};
    }
    // The list of unused buffers of a step.
    [[nodiscard]] free_buffer*& unused(std::uint32_t step) noexcept {
        return step == 0 ? unused_ : unused_large_[step - 1];
    }

    [[gnu::visibility("default"),
      gnu::tls_model("initial-exec")]] static inline constinit thread_local std::int64_t living_ = 0;

    free_buffer* unused_ = nullptr;
    free_buffer* unused_large_[buffer_growth::steps - 1] = {};  // by step
    std::vector<slab> slabs_;
    std::uint32_t slab_count_ = 0;
    std::uint32_t large_slab_count_ = 0;
    std::uint8_t looks_to_skip_ = 0;
    std::int64_t leased_ = 0;
    std::int64_t most_leased_ = 0;  // since the last shrink(), as seen when one comes back
    std::atomic<bool> abandoned_ = false;
    const std::int64_t* const home_ = &living_;  // tells its thread from others
};

}  // namespace leat

// SPDX-License-Identifier: MIT
#include <leat/core/frame_pool.hpp>

#include <leat/core/frame_upkeep.hpp>

#include <algorithm>
#include <atomic>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define LEAT_CHECK_FRAMES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAT_CHECK_FRAMES 1
#endif
#endif

namespace leat::detail::frame_pool {

namespace {

#ifdef LEAT_CHECK_FRAMES
constexpr bool recycling = false;
#else
constexpr bool recycling = true;
#endif

constexpr std::size_t granule = 16;
constexpr std::size_t classes = 256;  // up to 4 KiB; larger blocks are rare and go to the heap

struct free_block {
    free_block* next;
};

// The unused blocks of one size class.
struct size_class {
    free_block* unused;
    std::size_t kept;        // their bytes
    std::size_t least_kept;  // the least that this was in the current period
    std::size_t living;      // blocks that this thread has allocated and not released
};

constinit thread_local size_class all[classes] = {};

constinit thread_local time_point next_upkeep = never;

constinit thread_local std::int64_t blocks = 0;
constinit std::atomic<std::int64_t> blocks_of_ended_threads = 0;

enum class keeping : unsigned char { unstarted, started, over };
constinit thread_local keeping state = keeping::unstarted;

// Gives the blocks back when the thread ends.
struct keeper {
    ~keeper() {
        trim();
        blocks_of_ended_threads += blocks;
        state = keeping::over;
    }
};

// Whether a block may be kept. What later destructors of the thread release goes to the heap.
bool may_keep() noexcept {
    if (state == keeping::unstarted) [[unlikely]] {
        state = keeping::started;
        static thread_local keeper at_the_end;
        (void)at_the_end;
    }
    return state == keeping::started;
}

constexpr std::size_t class_of(std::size_t size) noexcept {
    return (size + granule - 1) / granule - 1;
}
constexpr std::size_t size_of(std::size_t index) noexcept {
    return (index + 1) * granule;
}

}  // namespace

void* allocate(std::size_t size) {
    const std::size_t index = class_of(size);
    const bool pooled = recycling && index < classes;
    if (!pooled) {
        void* const block = ::operator new(size);
        ++blocks;
        return block;
    }
    size_class& of = all[index];
    void* block = of.unused;
    if (block != nullptr) [[likely]] {
        of.unused = of.unused->next;
        of.kept -= size_of(index);
        of.least_kept = std::min(of.least_kept, of.kept);
    } else {
        block = ::operator new(size_of(index));
    }
    ++of.living;
    ++blocks;
    return block;
}

std::int64_t in_use() noexcept {
    return blocks;
}

std::int64_t left_by_ended_threads() noexcept {
    return blocks_of_ended_threads;
}

void release(void* block, std::size_t size) noexcept {
    --blocks;
    const std::size_t index = class_of(size);
    if (!may_keep() || !recycling || index >= classes) {
        ::operator delete(block);
        return;
    }
    size_class& of = all[index];
    if (of.kept + size_of(index) > kept_most) [[unlikely]] {
        if (of.living == 0) {  // it comes from another thread
            ::operator delete(block);
            return;
        }
        has_surplus = true;
    }
    of.living -= of.living > 0 ? 1 : 0;
    of.unused = ::new (block) free_block{of.unused};
    of.kept += size_of(index);
}

namespace {

void drop_one(size_class& of, std::size_t index) noexcept {
    free_block* const block = of.unused;
    of.unused = block->next;
    of.kept -= size_of(index);
    ::operator delete(block);
}

}  // namespace

time_point give_back_surplus(time_point now) noexcept {
    if (next_upkeep == never) {  // the surplus is new: it gets a period in which it may be needed
        next_upkeep = after(now, upkeep_period);
    }
    if (now < next_upkeep) {
        return next_upkeep;
    }
    std::size_t budget = given_back_most;
    has_surplus = false;
    for (std::size_t index = 0; index < classes; ++index) {
        size_class& of = all[index];
        for (; of.least_kept > 0 && of.kept > kept_most && budget > 0; --budget) {
            drop_one(of, index);
            of.least_kept -= std::min(of.least_kept, size_of(index));
        }
        of.least_kept = of.kept;
        has_surplus |= of.kept > kept_most;
    }
    next_upkeep = has_surplus ? after(now, upkeep_period) : never;
    return next_upkeep;
}

void trim() noexcept {
    for (std::size_t index = 0; index < classes; ++index) {
        while (all[index].unused != nullptr) {
            drop_one(all[index], index);
        }
        all[index].least_kept = 0;
    }
    has_surplus = false;
    next_upkeep = never;
}

}  // namespace leat::detail::frame_pool

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
    std::int64_t living;     // blocks that this thread has allocated and not released, less those of others
};

struct pool {
    size_class all[classes];
    std::int64_t large;  // living blocks of no class
};

constinit thread_local pool own = {};
// The same, from the first release until the thread ends: one load finds it. Null: nothing is kept.
[[gnu::tls_model("initial-exec")]] constinit thread_local pool* keeping = nullptr;
constinit thread_local bool thread_ends = false;
constinit thread_local time_point next_upkeep = never;

constinit std::atomic<std::int64_t> blocks_of_ended_threads = 0;

// Gives the blocks back when the thread ends. What later destructors of the thread release goes to the heap.
struct keeper {
    ~keeper() {
        trim();
        blocks_of_ended_threads += in_use();
        thread_ends = true;
        keeping = nullptr;
    }
};

constexpr std::size_t rounded(std::size_t size) noexcept {
    return (size + granule - 1) & ~(granule - 1);
}
constexpr std::size_t size_of(std::size_t index) noexcept {
    return (index + 1) * granule;
}

// The class of blocks of `bytes`, which are rounded.
size_class& class_of(pool& here, std::size_t bytes) noexcept {
    return here.all[bytes / granule - 1];
}

bool has_class(std::size_t bytes) noexcept {
    return recycling && bytes - 1 < classes * granule;  // none is of 0 bytes
}

[[gnu::noinline]] void* allocate_from_heap(std::size_t bytes) {
    void* const block = ::operator new(bytes);
    ++(has_class(bytes) ? class_of(own, bytes).living : own.large);
    return block;
}

void keep(size_class& of, void* block, std::size_t bytes) noexcept {
    --of.living;
    of.unused = ::new (block) free_block{of.unused};
    of.kept += bytes;
}

[[gnu::noinline]] void release_to_heap(void* block, std::size_t bytes) noexcept {
    --(has_class(bytes) ? class_of(own, bytes).living : own.large);
    ::operator delete(block);
}

// The first in its thread, one of a size that is not kept, or one that comes when the thread ends.
[[gnu::noinline]] void release_otherwise(void* block, std::size_t bytes) noexcept {
    if (keeping == nullptr && !thread_ends) {
        keeping = &own;
        static thread_local keeper at_the_end;
        (void)at_the_end;
    }
    if (keeping != nullptr && has_class(bytes)) {
        keep(class_of(own, bytes), block, bytes);
    } else {
        release_to_heap(block, bytes);
    }
}

[[gnu::noinline]] void release_surplus(size_class& of, void* block, std::size_t bytes) noexcept {
    if (of.living <= 0) {  // it comes from another thread
        release_to_heap(block, bytes);
        return;
    }
    has_surplus = true;
    keep(of, block, bytes);
}

}  // namespace

void* allocate(std::size_t size) {
    const std::size_t bytes = rounded(size);
    pool* const here = keeping;
    if (here == nullptr || !has_class(bytes)) [[unlikely]] {
        return allocate_from_heap(bytes);
    }
    size_class& of = class_of(*here, bytes);
    free_block* const block = of.unused;
    if (block == nullptr) [[unlikely]] {
        return allocate_from_heap(bytes);
    }
    of.unused = block->next;
    of.kept -= bytes;
    of.least_kept = std::min(of.least_kept, of.kept);
    ++of.living;
    return block;
}

std::int64_t in_use() noexcept {
    std::int64_t blocks = own.large;
    for (const size_class& of : own.all) {
        blocks += of.living;
    }
    return blocks;
}

std::int64_t left_by_ended_threads() noexcept {
    return blocks_of_ended_threads;
}

void release(void* block, std::size_t size) noexcept {
    const std::size_t bytes = rounded(size);
    pool* const here = keeping;
    if (here == nullptr || !has_class(bytes)) [[unlikely]] {
        release_otherwise(block, bytes);
        return;
    }
    size_class& of = class_of(*here, bytes);
    if (of.kept + bytes > kept_most) [[unlikely]] {
        release_surplus(of, block, bytes);
        return;
    }
    keep(of, block, bytes);
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
        size_class& of = own.all[index];
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
        while (own.all[index].unused != nullptr) {
            drop_one(own.all[index], index);
        }
        own.all[index].least_kept = 0;
    }
    has_surplus = false;
    next_upkeep = never;
}

}  // namespace leat::detail::frame_pool

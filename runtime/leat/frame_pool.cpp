// SPDX-License-Identifier: MIT
#include <leat/frame_pool.hpp>

#include <atomic>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define LEAT_CHECK_FRAMES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAT_CHECK_FRAMES 1
#endif
#endif

namespace leat::frame_pool {

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
    std::size_t kept;  // their bytes
};

constinit thread_local size_class all[classes] = {};

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
    if (free_block* block = pooled ? all[index].unused : nullptr) {
        all[index].unused = block->next;
        all[index].kept -= size_of(index);
        ++blocks;
        return block;
    }
    void* const block = ::operator new(pooled ? size_of(index) : size);
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
    if (!may_keep() || !recycling || index >= classes || all[index].kept + size_of(index) > kept_most)
        [[unlikely]] {
        ::operator delete(block);
        return;
    }
    all[index].unused = ::new (block) free_block{all[index].unused};
    all[index].kept += size_of(index);
}

void trim() noexcept {
    for (size_class& each : all) {
        while (free_block* block = each.unused) {
            each.unused = block->next;
            ::operator delete(block);
        }
        each.kept = 0;
    }
}

}  // namespace leat::frame_pool

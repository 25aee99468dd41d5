// SPDX-License-Identifier: MIT
#include <leat/core/frame_pool.hpp>

#include <leat/core/frame_upkeep.hpp>

#include <algorithm>
#include <atomic>
#include <new>

namespace leat::detail::frame_pool {

constinit size_class nothing[classes] = {};

namespace {

struct pool {
    size_class all[classes];
    std::int32_t made[classes];  // taken from the heap, less those given back to it
    std::int64_t large;          // living blocks of no class
};

constinit thread_local pool own = {};
constinit thread_local bool thread_ends = false;
constinit thread_local time_point next_upkeep = never;

constinit std::atomic<std::int64_t> blocks_of_ended_threads = 0;

// Gives the blocks back when the thread ends. What later destructors of the thread release goes to the heap.
struct keeper {
    ~keeper() {
        trim();
        blocks_of_ended_threads += in_use();
        thread_ends = true;
        kept = nothing;
    }
};

constexpr std::size_t size_of(std::size_t index) noexcept {
    return smallest + index * granule;
}
constexpr auto kept_most_of(std::size_t index) noexcept {
    return static_cast<std::int32_t>(kept_most / size_of(index));
}

std::int32_t kept_of(std::size_t index) noexcept {
    return kept == nothing ? 0 : kept_most_of(index) - own.all[index].room;
}

// Blocks that this thread has allocated and not released, less those of others.
std::int32_t living(std::size_t index) noexcept {
    return own.made[index] - kept_of(index);
}

void keep(size_class& of, void* block) noexcept {
    --of.room;
    of.unused = ::new (block) free_block{of.unused};
}

void release_to_heap(void* block, std::size_t size) noexcept {
    if (has_class(size)) {
        --own.made[class_of(size)];
    } else {
        --own.large;
    }
    ::operator delete(block);
}

void forget_uses(std::size_t index) noexcept {
    own.all[index].most_room = kept_most_of(index);
}

void begin_to_keep() noexcept {
    for (std::size_t index = 0; index < classes; ++index) {
        own.all[index].room = kept_most_of(index);
        forget_uses(index);
    }
    kept = own.all;
    static thread_local keeper at_the_end;
    (void)at_the_end;
}

}  // namespace

// None of its size is kept; or the program is built with AddressSanitizer, and this library is not.
[[gnu::noinline]] void* allocate_otherwise(std::size_t size) {
    if (has_class(size)) {
        if (void* const block = take(kept[class_of(size)])) {
            return block;
        }
    }
    void* const block = ::operator new(size_of(class_of(size)));
    if (has_class(size)) {
        ++own.made[class_of(size)];
    } else {
        ++own.large;
    }
    return block;
}

// The first in its thread, one of a size that is not kept or of which there are enough, or one that comes
// when the thread ends.
[[gnu::noinline]] void release_otherwise(void* block, std::size_t size) noexcept {
    if (kept == nothing && !thread_ends) {  // also for what is not kept: its blocks are counted when it ends
        begin_to_keep();
    }
    if (!has_class(size) || thread_ends) {
        release_to_heap(block, size);
        return;
    }
    size_class& of = own.all[class_of(size)];
    if (of.room <= 0) {
        if (living(class_of(size)) <= 0) {  // it comes from another thread
            release_to_heap(block, size);
            return;
        }
        has_surplus = true;
    }
    keep(of, block);
}

std::int64_t in_use() noexcept {
    std::int64_t blocks = own.large;
    for (std::size_t index = 0; index < classes; ++index) {
        blocks += living(index);
    }
    return blocks;
}

std::int64_t left_by_ended_threads() noexcept {
    return blocks_of_ended_threads;
}

namespace {

void drop_one(std::size_t index) noexcept {
    size_class& of = own.all[index];
    free_block* const block = of.unused;
    of.unused = block->next;
    ++of.room;
    --own.made[index];
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
        const std::int32_t needed_all = kept_most_of(index);  // at some moment none was left
        for (; of.most_room < needed_all && of.room < 0 && budget > 0; --budget) {
            drop_one(index);
            ++of.most_room;
        }
        of.most_room = of.room;
        has_surplus |= of.room < 0;
    }
    next_upkeep = has_surplus ? after(now, upkeep_period) : never;
    return next_upkeep;
}

void trim() noexcept {
    if (kept != nothing) {
        for (std::size_t index = 0; index < classes; ++index) {
            while (own.all[index].unused != nullptr) {
                drop_one(index);
            }
            forget_uses(index);
        }
    }
    has_surplus = false;
    next_upkeep = never;
}

}  // namespace leat::detail::frame_pool

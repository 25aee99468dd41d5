// SPDX-License-Identifier: MIT
// frame_pool: memory for coroutine frames and task states, recycled per thread in size classes, so that
// a steady program allocates none. Under AddressSanitizer every block goes to the heap, to be checked.
// A block that is freed on another thread goes to the pool of that thread.
// Invariant: a thread keeps at most kept_most bytes of each size, and above that no more blocks than it has
// had in use itself: if tasks are spawned on one thread and end on another, memory grows on neither. After a
// burst the blocks above kept_most go back to the heap while the loop is idle (frame_upkeep.hpp), or at once
// by trim(). glibc may keep them: malloc_trim(3) gives them to the system, which blocks the thread for some
// time.
#pragma once

#include <leat/core/sanitizers.hpp>

#include <cstddef>
#include <cstdint>
#include <new>

namespace leat::detail::frame_pool {

inline constexpr bool recycling = !address_sanitized;

// Of one size, in one thread: enough for a thousand tasks of some hundred bytes that begin at once.
inline constexpr std::size_t kept_most = std::size_t{512} * 1024;

// Blocks are of 8, 24, 40, ... bytes: with the 8 that glibc's heap adds they fill its granules of 16.
inline constexpr std::size_t granule = 16;
inline constexpr std::size_t smallest = 8;
inline constexpr std::size_t classes = 256;  // up to 4 KiB; larger blocks are rare and go to the heap

struct free_block {
    free_block* next;
};

// The unused blocks of one size class.
struct size_class {
    free_block* unused;
    std::int32_t room;       // how many more may be kept; negative: there are so many too many
    std::int32_t most_room;  // the most that this was in the current period
};

// Stands for the pool of a thread that keeps nothing: all are empty, and none has room.
extern size_class nothing[classes];

// The classes of this thread from its first release until it ends, else `nothing`. One load finds them, and
// what has to be done otherwise is found out by looking at the class.
[[gnu::visibility("default"),
  gnu::tls_model("initial-exec")]] inline constinit thread_local size_class* kept = nothing;

[[nodiscard]] void* allocate_otherwise(std::size_t size);
void release_otherwise(void* block, std::size_t size) noexcept;

[[nodiscard]] constexpr std::size_t class_of(std::size_t size) noexcept {
    return (size + granule - smallest - 1) / granule;
}
[[nodiscard]] constexpr bool has_class(std::size_t size) noexcept {
    return recycling && class_of(size) < classes;
}

// A block that is kept, or null.
[[nodiscard]] inline void* take(size_class& of) noexcept {
    free_block* const block = of.unused;
    if (block != nullptr) [[likely]] {
        of.unused = block->next;
        if (++of.room > of.most_room) [[unlikely]] {
            of.most_room = of.room;
        }
    }
    return block;
}

// Throws std::bad_alloc when there is no memory. Blocks are aligned for any ordinary object.
[[nodiscard]] inline void* allocate(std::size_t size) {
    if (has_class(size)) [[likely]] {
        if (void* const block = take(kept[class_of(size)])) [[likely]] {
            return block;
        }
    }
    return allocate_otherwise(size);
}
inline void release(void* block, std::size_t size) noexcept {
    if (has_class(size)) [[likely]] {
        size_class& of = kept[class_of(size)];
        if (of.room > 0) [[likely]] {
            --of.room;
            of.unused = ::new (block) free_block{of.unused};
            return;
        }
    }
    release_otherwise(block, size);
}

// Gives this thread's unused blocks back to the heap; the end of a run and of a thread do it too.
void trim() noexcept;

// Blocks that this thread has allocated and not released; less those that it released for other threads.
[[nodiscard]] std::int64_t in_use() noexcept;
// The same of the threads that have ended: negative when they released more than they allocated.
[[nodiscard]] std::int64_t left_by_ended_threads() noexcept;

// Objects of this type and of those derived from it come from the pool.
struct allocated {
    static void* operator new(std::size_t size) { return allocate(size); }
    static void operator delete(void* block, std::size_t size) noexcept { release(block, size); }
};

}  // namespace leat::detail::frame_pool

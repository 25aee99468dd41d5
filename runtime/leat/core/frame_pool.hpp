// SPDX-License-Identifier: MIT
// frame_pool: memory for coroutine frames and task states, recycled per thread in size classes, so that
// a steady program allocates none. Under AddressSanitizer every block goes to the heap, to be checked.
// A block may be freed on another thread than the one that allocated it; it then feeds that one.
// Invariant: a thread keeps at most kept_most bytes of each size, and above that no more blocks than it has
// had in use itself: tasks that are spawned on one thread and end on another pile up on neither. What a burst
// leaves above kept_most goes back to the heap while the loop is idle (frame_upkeep.hpp), or by trim() at
// once. glibc may keep it then: malloc_trim(3) gives it to the system, and holds the thread for some time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace leat::frame_pool {

// Throws std::bad_alloc when there is no memory. Blocks are aligned for any ordinary object.
[[nodiscard]] void* allocate(std::size_t size);
void release(void* block, std::size_t size) noexcept;

// Of one size, in one thread: enough for a thousand tasks of some hundred bytes that begin at once.
inline constexpr std::size_t kept_most = std::size_t{512} * 1024;

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

}  // namespace leat::frame_pool

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

#include <cstddef>
#include <cstdint>

namespace leat::detail::frame_pool {

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

}  // namespace leat::detail::frame_pool

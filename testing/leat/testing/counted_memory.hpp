// SPDX-License-Identifier: MIT
// counted_memory: counts calls of operator new, and makes them fail on request. The program must link
// leat_counted_memory, a separate library that replaces operator new.
//
//   const long made = co_await allocations_during([&]() -> leat::task<> { ... });
//   CHECK(made == 0);
#pragma once

#include <leat/task.hpp>

#include <atomic>
#include <utility>

namespace leat::testing {

namespace counted_memory {

extern std::atomic<long> allocations;  // made so far, by all threads
extern std::atomic<long> living;       // of them, not freed
extern std::atomic<long> fails_at;  // counts down to the one that throws std::bad_alloc; negative: none does
extern thread_local bool may_fail;  // on this thread

}  // namespace counted_memory

namespace detail {

template <typename Body>
task<long> allocations_of_task(Body body) {
    const long before = counted_memory::allocations;
    (void)co_await body();
    co_return counted_memory::allocations - before;
}

}  // namespace detail

// How often operator new is called, by any thread, while `body()` runs; of a body that gives a task, a task
// of the number, which is awaited. Frames are recycled (frame_pool.hpp), so the first round of what allocates
// nothing later may allocate.
template <typename Body>
[[nodiscard]] auto allocations_during(Body body) {
    if constexpr (leat::detail::awaitable_callable<Body>) {
        return detail::allocations_of_task(std::move(body));
    } else {
        const long before = counted_memory::allocations;
        (void)body();
        return counted_memory::allocations - before;
    }
}

}  // namespace leat::testing

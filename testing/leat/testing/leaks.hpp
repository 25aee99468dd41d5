// SPDX-License-Identifier: MIT
// leaks: the resources that a test has not released at its end. LEAT_TEST and simulate() check them after
// each run; tests in other frameworks can call it, too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace leat::testing {

// The descriptors that are open in this process, with those that this thread simulates.
[[nodiscard]] std::size_t open_descriptors();

// What this thread holds outside run(); descriptors are of the process.
struct resources {
    std::size_t descriptors;
    // Of coroutines, with states of tasks and sockets. A thread that has released some of this one's tells
    // when it ends.
    std::int64_t frames;
    std::int64_t buffer_pools;  // one for each backend, which lives while one of its chunks does
};
[[nodiscard]] resources resources_in_use();

// What there is more of than in `before`, in words; empty when there is nothing. Frames are not looked at
// while the process has other threads.
[[nodiscard]] std::string leaked_since(const resources& before);

}  // namespace leat::testing

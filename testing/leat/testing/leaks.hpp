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
    // Of coroutines, with states of tasks and sockets. What another thread has released of this one's is
    // counted when that thread ends.
    std::int64_t frames;
    std::int64_t buffer_pools;  // one for each backend, which lives while one of its chunks does
};
[[nodiscard]] resources resources_in_use();

// The resources that have grown since `before`, in words; empty if none has. Frames are not checked while the
// process has other threads.
[[nodiscard]] std::string leaked_since(const resources& before);

}  // namespace leat::testing

// SPDX-License-Identifier: MIT
// LEAT_TEST: a doctest case whose body is a coroutine, run once on every backend, the simulated one too.
//
//   LEAT_TEST("a connection carries bytes") {
//       co_await ...;
//       CHECK(...);            // doctest's macros work; a co_await inside them does not
//   }
//
//   LEAT_TEST("a pipe carries bytes", on(kernel)) { ... }     // on these backends only
//
// Each run also checks that the body has left no descriptor open.
#pragma once

#include <leat/task.hpp>
#include <leat/testing/backends.hpp>

#include <doctest/doctest.h>

namespace leat::testing {

inline void run_test(task<> (*body)(), backend_set chosen = every_backend) {
    for (const tried_backend& each : backends(chosen)) {
        if (!each.refused.empty()) {
            MESSAGE("skipped on " << each.name << ": " << each.refused);
            continue;
        }
        INFO("backend: ", each.name);
        const std::size_t before = open_descriptors();
        run_on(each, body);
        CHECK(open_descriptors() == before);
    }
}

}  // namespace leat::testing

#define LEAT_TEST_NAMED(function, name, ...)           \
    static ::leat::task<> function();                  \
    TEST_CASE(name) {                                  \
        using namespace ::leat::testing;               \
        run_test(function __VA_OPT__(, ) __VA_ARGS__); \
    }                                                  \
    static ::leat::task<> function()
#define LEAT_TEST(name, ...) LEAT_TEST_NAMED(DOCTEST_ANONYMOUS(leat_test_), name, __VA_ARGS__)

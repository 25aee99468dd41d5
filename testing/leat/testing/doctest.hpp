// SPDX-License-Identifier: MIT
// LEAT_TEST: a doctest case whose body is a coroutine, run once on every backend.
//
//   LEAT_TEST("a pipe carries bytes") {
//       co_await ...;
//       CHECK(...);            // doctest's macros work; a co_await inside them does not
//   }
//
// Each run also checks that the body has left no descriptor open.
#pragma once

#include <leat/task.hpp>
#include <leat/testing/backends.hpp>

#include <doctest/doctest.h>

namespace leat::testing {

inline void run_on_every_backend(task<> (*body)()) {
    for (const tried_backend& each : backends()) {
        if (!each.refused.empty()) {
            MESSAGE("skipped on " << each.name << ": " << each.refused);
            continue;
        }
        INFO("backend: ", each.name);
        const std::size_t before = open_descriptors();
        run(body, {.backend = each.name});
        CHECK(open_descriptors() == before);
    }
}

}  // namespace leat::testing

#define LEAT_TEST_NAMED(function, name)                  \
    static ::leat::task<> function();                    \
    TEST_CASE(name) {                                    \
        ::leat::testing::run_on_every_backend(function); \
    }                                                    \
    static ::leat::task<> function()
#define LEAT_TEST(name) LEAT_TEST_NAMED(DOCTEST_ANONYMOUS(leat_test_), name)

// SPDX-License-Identifier: MIT
// on_each_backend: for test cases that call run() themselves, as those that count memory do. What a failed
// check says names the backend; a backend that this system forbids is told as skipped.
#pragma once

#include <leat/testing/backends.hpp>

#include <doctest/doctest.h>

namespace support {

// Calls `check(backend)`, the name that run_options::backend takes, for each backend there is.
template <typename Check>
void on_each_backend(Check check) {
    for (const leat::testing::tried_backend& each : leat::testing::backends()) {
        if (!each.refused.empty()) {
            MESSAGE("skipped on " << each.name << ": " << each.refused);
            continue;
        }
        INFO("backend: ", each.name);
        check(each.name);
    }
}

}  // namespace support

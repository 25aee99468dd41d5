// SPDX-License-Identifier: MIT
// on_two_backends: a test of what outlives one run and goes on in another.
#pragma once

#include <leat/run.hpp>
#include <leat/testing/backends.hpp>

#include <doctest/doctest.h>

namespace conformance {

// Calls `body(first, second)` for each two backends that can run here.
template <typename Body>
void on_two_backends(Body body) {
    for (const auto& first : leat::testing::backends()) {
        for (const auto& second : leat::testing::backends()) {
            if (!first.refused.empty() || !second.refused.empty()) {
                MESSAGE("skipped: " << first.refused << second.refused);
                continue;
            }
            INFO("first on ", first.name, ", then on ", second.name);
            const std::size_t before = leat::testing::open_descriptors();
            body(leat::run_options{.backend = first.name}, leat::run_options{.backend = second.name});
            CHECK(leat::testing::open_descriptors() == before);
        }
    }
}

}  // namespace conformance

// SPDX-License-Identifier: MIT
// What files allocate, and what happens when that fails.
#include "../../support/any_folder.hpp"
#include "../../support/failing_memory.hpp"
#include "../../support/sanitizers.hpp"

#include <leat/system/folder.hpp>

#include <doctest/doctest.h>

#include <string>

using leat::file;
using leat::task;
using leat::testing::any_folder;
using leat::testing::check_each_allocation;
using leat::testing::failing_memory;
using leat::testing::kernel;

TEST_CASE("reading and writing a file allocates nothing") {
    for (const auto& each : leat::testing::backends(kernel)) {
        if (!each.refused.empty()) {
            MESSAGE("skipped on " << each.name << ": " << each.refused);
            continue;
        }
        INFO("backend: ", each.name);
        long made = -1;
        const auto body = [&]() -> task<> {
            const leat::testing::folder where;
            auto one = co_await file::open(where.path() + "/one", {.write = true, .create = true});
            std::string text(1000, 'x');
            const auto once = [&]() -> task<> {
                co_await one.write_at(0, text);
                (void)co_await one.read_at(0, text);
                co_await one.sync_data();
            };
            for (int i = 0; i < 100; ++i) {
                co_await once();
            }
            const long before = leat::testing::counted_memory::allocations;
            for (int i = 0; i < 100; ++i) {
                co_await once();
            }
            made = leat::testing::counted_memory::allocations - before;
        };
        leat::run(body, {.backend = each.name});
        if (!leat::testing::address_sanitized) {
            CHECK(made == 0);
        }
    }
}

TEST_CASE("a call on a file without memory fails alone") {
    const auto scenario = [](failing_memory& memory) -> task<> {
        any_folder where;
        co_await where.make();
        co_await leat::write_file(where.path("one"), "text");
        auto one = co_await file::open(where.path("one"), {.write = true});
        std::string text(4, '\0');
        co_await memory.fails([&]() -> task<> {
            auto two = co_await file::open(where.path("two"), {.write = true, .create = true});
            co_await one.write_at(0, "more");
            (void)co_await one.read_at(0, text);
            co_await one.sync();
            co_await two.close();
            (void)co_await leat::list_folder(where.path());
            (void)co_await leat::file_info_of(where.path("one"));
            co_await leat::rename_file(where.path("two"), where.path("three"));
            (void)co_await leat::read_file(where.path("one"), 100);
        });
        co_await one.read_exactly_at(0, text);
        CHECK((text == "text" || text == "more"));
        co_await leat::write_file_atomically(where.path("one"), "end");
    };
    check_each_allocation("files", leat::testing::every_backend, scenario, false);
}

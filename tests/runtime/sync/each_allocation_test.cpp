// SPDX-License-Identifier: MIT
// Each allocation fails in turn of what tasks share and of what they inherit: no value is lost, and who waits
// gets it.
#include "../../support/failing_memory.hpp"

#include <leat/sync/broadcast.hpp>
#include <leat/sync/latest.hpp>
#include <leat/task_local.hpp>

#include <optional>
#include <string>

using leat::task;
using leat::testing::check_each_allocation;
using leat::testing::every_backend;
using leat::testing::failing_memory;

TEST_CASE("what is published without memory reaches all subscribers or none") {
    check_each_allocation("broadcast", every_backend, [](failing_memory& memory) -> task<> {
        leat::broadcast<int> values(100);
        auto one = values.subscribe(leat::ignore_missed);
        auto two = values.subscribe(leat::ignore_missed);
        int published = 0;
        co_await memory.fails([&]() -> task<> {
            for (; published < 20; ++published) {
                (void)values.publish(published);
                co_await leat::yield();
            }
        });
        CHECK(one.behind() == static_cast<std::size_t>(published));
        for (int i = 0; i < published; ++i) {
            const auto first = co_await one.receive();
            const auto second = co_await two.receive();
            CHECK(first == i);
            CHECK(second == i);
        }
        CHECK(one.missed() + two.missed() == 0);
    });
}

TEST_CASE("a value that a subscriber finds no memory to copy is still there for it") {
    check_each_allocation("receive", every_backend, [](failing_memory& memory) -> task<> {
        const std::string text(100, 'a');
        leat::broadcast<std::string> values(4);
        auto one = values.subscribe(leat::ignore_missed);
        auto two = values.subscribe(leat::ignore_missed);
        (void)values.publish(text);
        co_await memory.fails([&]() -> task<> {
            const auto got = co_await one.receive();
            CHECK(got == text);
        });
        CHECK(one.behind() == (memory.completed ? 0 : 1));
        const auto got = co_await two.receive();
        CHECK(got == text);
        CHECK(one.try_receive() == (memory.completed ? std::nullopt : std::optional(text)));
    });
}

TEST_CASE("a latest that finds no memory for its value keeps the one before, and wakes nobody") {
    check_each_allocation("latest", every_backend, [](failing_memory& memory) -> task<> {
        const std::string before(100, 'a');
        const std::string after(200, 'b');
        leat::latest<std::string> settings(before);
        auto watched = settings.observe();
        (void)co_await watched.next();
        std::string seen;
        seen.reserve(300);
        auto watches = leat::spawn([&]() -> task<> {
            const std::string* const now = co_await watched.next();
            seen = *now;
        });
        co_await leat::yield();
        co_await memory.fails([&]() -> task<> {
            settings.set(after);
            co_await leat::yield();
            co_await leat::yield();
        });
        CHECK(settings.get() == (memory.completed ? after : before));
        CHECK(seen == (memory.completed ? after : ""));
        settings.set(after);
        co_await watches.join();
        CHECK(seen == after);
    });
}

TEST_CASE("without memory for what it is bound to a task_local is bound to what it was") {
    static constinit leat::task_local<std::string> name;
    check_each_allocation("task_local", every_backend, [](failing_memory& memory) -> task<> {
        const std::string long_name(100, 'n');
        const auto inherits = []() -> task<std::size_t> { co_return name.get()->size(); };
        co_await name.with("outer", [&]() -> task<> {
            std::size_t inherited = 0;
            co_await memory.fails([&]() -> task<> {
                co_await name.with(long_name, [&]() -> task<> {
                    auto child = leat::spawn(inherits);
                    inherited = co_await child;
                });
            });
            CHECK(inherited == (memory.completed ? 100 : 0));
            REQUIRE(name.get() != nullptr);
            CHECK(*name.get() == "outer");
        });
        CHECK(name.get() == nullptr);
    });
}

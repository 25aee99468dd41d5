// SPDX-License-Identifier: MIT
// Each allocation of each operation of the runtime fails in turn: the operation that asked throws, and all
// else goes on.
#include "../support/failing_memory.hpp"

#include <leat/as_completed.hpp>
#include <leat/spawn_after.hpp>

#include <array>
#include <vector>

using namespace std::chrono_literals;
using leat::task;
using leat::testing::check_each_allocation;
using leat::testing::check_operation;
using leat::testing::every_backend;
using leat::testing::failing_memory;

namespace {

task<int> number_later(int number) {
    co_await leat::yield();
    co_return number;
}

task<> yield_once() {
    co_await leat::yield();
}

task<> stuck() {
    co_await leat::sleep_until(leat::never);
}

}  // namespace

TEST_CASE("a task without memory fails alone") {
    check_operation("await", []() -> task<> { (void)co_await number_later(1); });
    check_operation("spawn", []() -> task<> {
        auto child = leat::spawn(number_later, 1);
        const int got = co_await child;
        CHECK(got == 1);
    });
    check_operation("spawn of a task", []() -> task<> {
        auto child = leat::spawn(number_later(1));
        (void)co_await child.join();
    });
    check_operation("on_done and a name", []() -> task<> {
        auto child = leat::spawn(number_later, 1);
        child.name("a name that is longer than a small string");
        child.on_done([](const leat::outcome<int>&) {});
        (void)co_await child.join();
    });
    check_operation("retry", []() -> task<> {
        const int got = co_await leat::retry([] { return number_later(1); });
        CHECK(got == 1);
    });
    check_operation("name_this_task", []() -> task<> {
        leat::name_this_task("a name that is longer than a small string");
        co_return;
    });
    check_operation("spawn_after", []() -> task<> {
        auto child = leat::spawn_after(1ns, number_later, 1);
        (void)co_await child;
    });
    check_operation("as_outcome", []() -> task<> {
        const auto outcome = co_await leat::as_outcome(number_later(1));
        if (outcome.error() != nullptr) {
            std::rethrow_exception(outcome.error());
        }
    });
    check_operation("cancel and join", []() -> task<> {
        auto child = leat::spawn(stuck);
        co_await leat::yield();
        child.cancel();
        (void)co_await child.join();
    });
    check_operation("dump", []() -> task<> {
        (void)leat::dump_tasks();
        (void)leat::dump_tasks_json();
        co_return;
    });
}

TEST_CASE("a run that finds no memory to begin leaves nothing behind") {
    using namespace leat::testing::counted_memory;
    for (const auto& each : leat::testing::backends(leat::testing::kernel)) {
        if (!each.refused.empty()) {
            MESSAGE("skipped on " << each.name << ": " << each.refused);
            continue;
        }
        bool ran = false;
        for (long round = 0; !ran && round < 100; ++round) {
            INFO("backend: ", each.name, ", allocation: ", round);
            const auto before = leat::testing::resources_in_use();
            leat::detail::frame_pool::trim();
            fails_at = round;
            may_fail = true;
            try {
                leat::run(
                    [&]() -> task<> {
                        ran = fails_at >= 0;
                        co_return;
                    },
                    {.backend = each.name});
            } catch (const std::bad_alloc&) {
                may_fail = false;
                CHECK(!ran);
            }
            may_fail = false;
            fails_at = -1;
            CHECK(leat::testing::leaked_since(before) == "");
        }
        CHECK(ran);
    }
}

TEST_CASE("a group without memory ends, and its children have ended") {
    check_operation("group.spawn", []() -> task<> {
        co_await leat::with_task_group([](leat::task_group& group) -> task<> {
            group.spawn(yield_once);
            group.spawn(number_later(2));
            co_return;
        });
    });
    check_operation("spawn_when_free", []() -> task<> {
        co_await leat::with_task_group({.limit = 1}, [](leat::task_group& group) -> task<> {
            co_await group.spawn_when_free(yield_once);
            co_await group.spawn_when_free(yield_once);
            co_await group.wait();
        });
    });
    check_operation("start and stop", []() -> task<> {
        co_await leat::with_task_group([](leat::task_group& group) -> task<> {
            const int port = co_await group.start([](leat::started<int> ready) -> task<> {
                co_await leat::yield();
                ready.set(80);
                co_await stuck();
            });
            CHECK(port == 80);
            group.stop(1ns);
            co_await stuck();
        });
    });
    check_operation("a limit that keeps its place", []() -> task<> {
        int ran = 0;
        co_await leat::with_task_group({.limit = 1}, [&](leat::task_group& group) -> task<> {
            for (int i = 0; i < 3; ++i) {
                co_await group.spawn_when_free([&]() -> task<> {
                    co_await leat::yield();
                    ++ran;
                });
            }
        });
        CHECK(ran == 3);
    });
}

TEST_CASE("what takes several tasks gives all results, or throws for want of memory") {
    check_operation("gather", []() -> task<> {
        const auto [one, two] = co_await leat::gather(number_later(1), number_later(2));
        CHECK(one + two == 3);
    });
    check_operation("gather of a range", []() -> task<> {
        std::vector<task<int>> all;
        all.push_back(number_later(1));
        all.push_back(number_later(2));
        const auto got = co_await leat::gather(std::move(all));
        CHECK(got.size() == 2);
    });
    check_operation("race", []() -> task<> {
        const auto [one, none] = co_await leat::race(number_later(1), stuck());
        CHECK(one == 1);
    });
    check_operation("join_all", []() -> task<> {
        auto one = leat::spawn(yield_once);
        auto two = leat::spawn(yield_once);
        co_await leat::join_all(one, two);
    });
    check_operation("as_completed", []() -> task<> {
        std::vector<leat::handle<int>> all;
        all.push_back(leat::spawn(number_later, 1));
        all.push_back(leat::spawn(number_later, 2));
        auto done = leat::as_completed(all);
        int sum = 0;
        while (const auto next = co_await done.next()) {
            sum += next->value();
        }
        CHECK(sum == 3);
    });
    check_operation("map_concurrently", []() -> task<> {
        const std::array<int, 3> items{1, 2, 3};
        const auto got = co_await leat::map_concurrently(items, 2, number_later);
        CHECK(got.size() == 3);
    });
    check_operation("for_each_concurrently", []() -> task<> {
        const std::array<int, 3> items{1, 2, 3};
        co_await leat::for_each_concurrently(items, 2, [](int) { return yield_once(); });
    });
}

TEST_CASE("once the tasks of a range have begun their results need no memory") {
    check_each_allocation("results", every_backend, [](failing_memory& memory) -> task<> {
        int ended = 0;
        const auto counts = [&](int number) -> task<int> {
            co_await leat::yield();
            ++ended;
            co_return number;
        };
        const auto begin_two = [&] {
            std::vector<task<int>> all;
            all.push_back(counts(1));
            all.push_back(counts(2));
            return all;
        };
        const std::array<int, 2> items{1, 2};
        int whole = 0;
        co_await memory.fails([&]() -> task<> {
            const auto gathered = co_await leat::gather(begin_two());
            whole += static_cast<int>(gathered.size());
            const auto mapped = co_await leat::map_concurrently(items, 2, counts);
            whole += static_cast<int>(mapped.size());
            const auto raced = co_await leat::race(begin_two());
            whole += 2;
            CHECK((raced[0].has_value() || raced[1].has_value()));
        });
        CHECK(ended <= whole + 1);  // one task may have ended before the other one's frame found no memory
    });
}

TEST_CASE("scopes and deadlines without memory are left") {
    check_operation("sleep", []() -> task<> { co_await leat::sleep(1ns); });
    check_operation("a callable that gives a sleep",
                    []() -> task<> { co_await [] { return leat::sleep(1ns); }; });
    check_operation("a timeout of a callable that gives a sleep",
                    []() -> task<> { co_await leat::timeout(1h, [] { return leat::sleep(1ns); }); });
    check_operation("timeout", []() -> task<> { co_await leat::timeout(1h, yield_once()); });
    check_operation("a deadline that passes",
                    []() -> task<> { (void)co_await leat::move_on_after(1ns, stuck()); });
    check_operation("a scope", []() -> task<> {
        (void)co_await leat::with_cancel_scope([](leat::cancel_scope& scope) -> task<> {
            scope.set_timeout(1ns);
            co_await stuck();
        });
    });
    check_operation("shield and finally", []() -> task<> {
        co_await leat::shield(leat::finally(yield_once(), [] { return yield_once(); }));
    });
    check_operation("generators", []() -> task<> {
        auto numbers = []() -> leat::generator<int> {
            co_yield 1;
            co_yield 2;
        };
        int sum = 0;
        for (const int each : numbers()) {
            sum += each;
        }
        auto later = []() -> leat::async_generator<int> {
            co_await leat::yield();
            co_yield 3;
        };
        auto items = later();
        while (const auto item = co_await items.next()) {
            sum += *item;
        }
        CHECK(sum == 6);
    });
}

TEST_CASE("a cleanup that is a task runs whenever its body began") {
    check_each_allocation("finally", every_backend, [](failing_memory& memory) -> task<> {
        bool began = false;
        bool cleaned = false;
        const auto body = [&]() -> task<> {
            began = true;
            co_await leat::yield();
        };
        const auto cleanup = [&]() -> task<> {
            co_await leat::yield();
            cleaned = true;
        };
        co_await memory.fails([&]() -> task<> { co_await leat::finally(body(), cleanup(), {.limit = 1h}); });
        CHECK(cleaned == began);
    });
}

TEST_CASE("from the end of a body until a cleanup that is a task has run nothing is allocated") {
    using namespace leat::testing::counted_memory;
    leat::run([]() -> task<> {
        bool cleaned = false;
        const auto body = []() -> task<> {
            co_await leat::yield();
            fails_at = 0;
            may_fail = true;
        };
        const auto cleanup = [&]() -> task<> {
            co_await leat::yield();
            cleaned = true;
        };
        leat::detail::frame_pool::trim();
        co_await leat::finally(body(), cleanup(), {.limit = 1h});
        may_fail = false;
        CHECK(cleaned);
        CHECK(fails_at == 0);  // still: nobody asked
        fails_at = -1;
    });
}

TEST_CASE("what tasks share keeps its values when there is no memory") {
    check_each_allocation("channel", every_backend, [](failing_memory& memory) -> task<> {
        leat::channel<int> values(100);
        int sent = 0;
        co_await memory.fails([&]() -> task<> {
            for (int i = 0; i < 40; ++i) {
                co_await values.send(i);
                ++sent;
            }
        });
        CHECK(values.size() == static_cast<std::size_t>(sent));
        for (int i = 0; i < sent; ++i) {
            const auto got = co_await values.receive();
            CHECK(got == i);
        }
        co_await values.send(7);
        const auto got = co_await values.receive();
        CHECK(got == 7);
    });
}

TEST_CASE("queues and reservations keep their values when there is no memory") {
    check_each_allocation("queues", every_backend, [](failing_memory& memory) -> task<> {
        leat::queue<int> values(100);
        leat::priority_queue<int> first(100);
        std::size_t sent = 0;
        std::size_t ordered = 0;
        co_await memory.fails([&]() -> task<> {
            for (int i = 0; i < 20; ++i) {
                co_await values.put(i);
                ++sent;
                co_await first.put(20 - i);
                ++ordered;
            }
        });
        CHECK(values.size() == sent);
        CHECK(first.size() == ordered);
    });
    check_each_allocation("reservation", every_backend, [](failing_memory& memory) -> task<> {
        leat::channel<int> values(4);
        co_await memory.fails([&]() -> task<> {
            auto place = co_await values.reserve();
            place.send(1);
        });
        while (values.size() > 0) {
            (void)co_await values.receive();
        }
        for (int i = 0; i < 4; ++i) {
            CHECK(values.try_send(i));  // no room is reserved any more
        }
    });
    check_operation("event, mutex, semaphore", []() -> task<> {
        leat::event event;
        leat::mutex mutex;
        leat::semaphore permits(1);
        co_await leat::with_task_group([&](leat::task_group& group) -> task<> {
            group.spawn([&]() -> task<> {
                co_await event.wait();
                const auto guard = co_await mutex.lock();
                const auto held = co_await permits.acquire();
                co_await leat::yield();
            });
            event.set();
            const auto guard = co_await mutex.lock();
            co_await leat::yield();
        });
    });
    check_operation("one_shot", []() -> task<> {
        leat::one_shot<int> result;
        result.set(1);
        const int got = co_await result;
        CHECK(got == 1);
    });
}

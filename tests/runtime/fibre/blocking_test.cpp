// SPDX-License-Identifier: MIT
// blocking: what a function on a stack of its own gives, and what it shares with its task.
#include <leat/blocking.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using leat::await;
using leat::blocking;

LEAT_TEST("a blocking function gives what it returns") {
    const int number = co_await blocking([] { return 42; });
    CHECK(number == 42);
    const auto owned =
        co_await blocking([](std::unique_ptr<int> given) { return given; }, std::make_unique<int>(7));
    CHECK(*owned == 7);
    int target = 0;
    int& same = co_await blocking([&]() -> int& { return target; });
    CHECK(&same == &target);
    bool ran = false;
    co_await blocking([&] { ran = true; });
    CHECK(ran);
}

LEAT_TEST("arguments are kept as long as the function runs") {
    const auto length = [](const std::string& text) {
        await(leat::yield());
        return text.size();
    };
    auto waits = blocking(length, "a literal that is converted to a string of its own");
    const std::size_t size = co_await std::move(waits);
    CHECK(size == 50);
}

LEAT_TEST("what a blocking function throws is thrown by the co_await") {
    std::string what;
    try {
        co_await blocking([] { throw std::runtime_error("no such page"); });
    } catch (const std::runtime_error& error) {
        what = error.what();
    }
    CHECK(what == "no such page");
}

LEAT_TEST("in_blocking tells where a function runs") {
    CHECK_FALSE(leat::in_blocking());
    const bool inside = co_await blocking([] { return leat::in_blocking() && leat::detail::in_fibre(); });
    CHECK(inside);
    const bool in_a_coroutine =
        co_await blocking([] { return await([]() -> leat::task<bool> { co_return leat::in_blocking(); }); });
    CHECK_FALSE(in_a_coroutine);
    CHECK_FALSE(leat::in_blocking());
    const bool hooked = co_await blocking([] {
        const leat::really_block here;
        await(leat::yield());
        return leat::detail::in_fibre();
    });
    CHECK_FALSE(hooked);
}

LEAT_TEST("while a blocking function waits the other tasks go on") {
    std::string order;
    leat::testing::nursery tasks;
    for (const char name : {'a', 'b', 'c'}) {
        tasks.spawn(blocking([&order, name] {
            for (int i = 0; i < 3; ++i) {
                order += name;
                await(leat::yield());
            }
        }));
    }
    co_await tasks.wait();
    CHECK(order == "abcabcabc");
}

LEAT_TEST("await gives what it waits for, and throws its errors") {
    const std::string got = co_await blocking([] {
        std::string told = await([]() -> leat::task<std::string> {
            co_await leat::yield();
            co_return "value";
        });
        auto handle = leat::spawn([]() -> leat::task<int> { co_return 3; });
        told += std::to_string(await(handle));
        try {
            await([]() -> leat::task<> {
                co_await leat::yield();
                throw std::runtime_error(" and error");
            });
        } catch (const std::runtime_error& error) {
            told += error.what();
        }
        return told;
    });
    CHECK(got == "value3 and error");
}

LEAT_TEST("a group and a deadline hold inside a blocking function") {
    const int sum = co_await blocking([] {
        int all = 0;
        await(leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
            for (int i = 1; i <= 3; ++i) {
                group.spawn([&all, i]() -> leat::task<> {
                    co_await leat::yield();
                    all += i;
                });
            }
            co_return;
        }));
        const bool finished = await(leat::move_on_after(0ms, leat::sleep(1h)));
        return finished ? -1 : all;
    });
    CHECK(sum == 6);
    bool late = false;
    co_await blocking([&] {
        try {
            await(leat::timeout(1ms, leat::sleep(1h)));
        } catch (const leat::timed_out&) {
            late = true;
        }
    });
    CHECK(late);
}

static constinit leat::task_local<int> number_of;

LEAT_TEST("a blocking function sees the task_locals of its task") {
    const int seen = co_await number_of.with(5, blocking([] {
                                                 const int before = *number_of.get();
                                                 await(leat::yield());
                                                 return 10 * before + *number_of.get();
                                             }));
    CHECK(seen == 55);
}

LEAT_TEST("sleeping in a blocking function takes the time of the loop", on(simulated)) {
    const leat::time_point began = leat::now();
    co_await blocking([] {
        CHECK(leat::detail::wait_for_time(leat::after(leat::now(), 2h)) ==
              leat::detail::fibre_wait_end::timed_out);
    });
    CHECK(leat::now() - began >= 2h);
    CHECK(leat::now() - began < 3h);
}

// SPDX-License-Identifier: MIT
// The turn of the loop, and its promise of fairness.
#include <leat/core/scheduler.hpp>

#include "../virtual_kernel.hpp"

#include <leat/runtime.hpp>

#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

leat::task<> yield_until(const bool& over, int& steps) {
    while (!over) {
        co_await leat::yield();
        ++steps;
    }
}

leat::task<> transfer_until(const bool& over, int descriptor, int& steps) {
    while (!over) {
        co_await leat::transfer(descriptor);
        ++steps;
    }
}

constexpr int steps_max = leat::scheduler::steps_max;
constexpr int inline_max = leat::detail::inline_completions_max;

}  // namespace

VIRTUAL_TEST("a timer waits for at most one batch of steps of tasks that are always ready") {
    bool over = false;
    int steps = 0;
    std::vector<leat::handle<>> busy;
    for (int i = 0; i < 3; ++i) {
        busy.push_back(leat::spawn(yield_until, std::ref(over), std::ref(steps)));
    }
    auto alarm = leat::spawn([&]() -> leat::task<> {
        co_await leat::sleep(1s);
        over = true;
    });
    co_await leat::yield();  // all are under way
    kernel.advance(2s);
    steps = 0;
    co_await alarm;
    CHECK(steps <= 2 * steps_max);
    CHECK(steps > 0);
    co_await leat::join_all(busy);
}

VIRTUAL_TEST("a completion waits for at most one batch of steps of tasks that are always ready") {
    bool over = false;
    int steps = 0;
    std::vector<leat::handle<>> busy;
    for (int i = 0; i < 3; ++i) {
        busy.push_back(leat::spawn(yield_until, std::ref(over), std::ref(steps)));
    }
    auto reader = leat::spawn([&]() -> leat::task<> {
        co_await leat::transfer(7);
        over = true;
    });
    co_await leat::yield();
    kernel.complete(7);
    steps = 0;
    co_await reader;
    CHECK(steps <= 2 * steps_max);
    CHECK(steps > 0);
    co_await leat::join_all(busy);
}

VIRTUAL_TEST("a task whose operations complete at once yields after its share of them") {
    bool over = false;
    int steps = 0;
    kernel.inline_results[7] = 1;
    auto busy = leat::spawn(transfer_until, std::ref(over), 7, std::ref(steps));
    co_await leat::yield();
    CHECK(steps == inline_max);
    co_await leat::yield();
    CHECK(steps == 2 * inline_max + 1);  // the one that made it yield has completed too
    over = true;
    co_await busy;
}

VIRTUAL_TEST("operations that complete at once cannot keep timers waiting") {
    bool over = false;
    int steps = 0;
    kernel.inline_results[7] = 1;
    std::vector<leat::handle<>> busy;
    for (int i = 0; i < 3; ++i) {
        busy.push_back(leat::spawn(transfer_until, std::ref(over), 7, std::ref(steps)));
    }
    auto alarm = leat::spawn([&]() -> leat::task<> {
        co_await leat::sleep(1s);
        over = true;
    });
    co_await leat::yield();
    kernel.advance(2s);
    steps = 0;
    co_await alarm;
    CHECK(steps <= 2 * steps_max * (inline_max + 1));
    co_await leat::join_all(busy);
}

VIRTUAL_TEST("waits for tasks that have ended cannot keep timers waiting") {
    bool over = false;
    auto ended = leat::spawn([]() -> leat::task<> { co_return; });
    co_await ended;
    int steps = 0;
    auto busy = leat::spawn([&]() -> leat::task<> {
        while (!over && steps < 1'000'000) {
            co_await ended.join();
            ++steps;
        }
    });
    auto alarm = leat::spawn([&]() -> leat::task<> {
        co_await leat::sleep(1s);
        over = true;
    });
    co_await leat::yield();
    kernel.advance(2s);
    co_await alarm;
    CHECK(steps < 1'000'000);
    co_await busy;
}

VIRTUAL_TEST("checkpoints cannot keep timers waiting") {
    bool over = false;
    int steps = 0;
    auto busy = leat::spawn([&]() -> leat::task<> {
        while (!over && steps < 1'000'000) {
            co_await leat::checkpoint();
            ++steps;
        }
    });
    auto alarm = leat::spawn([&]() -> leat::task<> {
        co_await leat::sleep(1s);
        over = true;
    });
    co_await leat::yield();
    kernel.advance(2s);
    co_await alarm;
    CHECK(steps < 1'000'000);
    co_await busy;
}

VIRTUAL_TEST("the kernel is not asked while tasks are ready and no operation is pending") {
    for (int i = 0; i < 10 * steps_max; ++i) {
        co_await leat::yield();
    }
    CHECK(kernel.collects == 0);
    auto reader = leat::spawn([]() -> leat::task<> { co_await leat::transfer(7); });
    for (int i = 0; i < 10 * steps_max; ++i) {
        co_await leat::yield();
    }
    CHECK(kernel.collects >= 9);
    CHECK(kernel.collects <= 11);
    kernel.complete(7);
    co_await reader;
}

VIRTUAL_TEST("tasks that wait wake the kernel only when something is due") {
    const int before = kernel.collects;
    co_await leat::sleep(1h);
    CHECK(kernel.collects - before <= 2);
}

VIRTUAL_TEST("tasks are resumed in the order their waits ended") {
    std::string log;
    auto reader = [&](int descriptor, char name) -> leat::task<> {
        co_await leat::transfer(descriptor);
        log += name;
    };
    auto a = leat::spawn(reader, 1, 'a');
    auto b = leat::spawn(reader, 2, 'b');
    auto c = leat::spawn(reader, 3, 'c');
    co_await leat::yield();
    kernel.complete(2);
    kernel.complete(3);
    kernel.complete(1);
    co_await leat::join_all(a, b, c);
    CHECK(log == "bca");
}

VIRTUAL_TEST("an error of an operation is thrown, or given as a result") {
    kernel.inline_results[7] = -ECONNREFUSED;
    kernel.inline_results[8] = 5;
    std::error_code thrown;
    try {
        co_await leat::transfer(7);
    } catch (const std::system_error& error) {
        thrown = error.code();
    }
    const auto failed = co_await leat::as_result(leat::transfer(7));
    const auto worked = co_await leat::as_result(leat::transfer(8));
    CHECK(thrown == std::errc::connection_refused);
    CHECK(failed.error() == std::errc::connection_refused);
    REQUIRE(worked.ok());
    CHECK(*worked == 5);
}

VIRTUAL_TEST("as_result of a task or handle gives its value or the code of its system_error") {
    auto good = []() -> leat::task<int> { co_return 4; };
    auto bad = []() -> leat::task<int> {
        throw std::system_error(ENOENT, std::system_category());
        co_return 1;
    };
    int value = 0;
    auto refer = [&]() -> leat::task<int&> { co_return value; };
    const auto worked = co_await leat::as_result(good());
    const auto failed = co_await leat::as_result(bad());
    const auto from_handle = co_await leat::as_result(leat::spawn(bad));
    const auto nothing = co_await leat::as_result(leat::sleep(1s));
    const auto same = co_await leat::as_result(refer());
    CHECK(*worked == 4);
    CHECK(failed.error() == std::errc::no_such_file_or_directory);
    CHECK(from_handle.error() == std::errc::no_such_file_or_directory);
    CHECK(nothing.ok());
    CHECK(&same->get() == &value);
    bool passed = false;
    try {
        (void)co_await leat::as_result([]() -> leat::task<int> {
            throw 5;
            co_return 1;
        });
    } catch (int) {
        passed = true;
    }
    CHECK(passed);
}

namespace {

// Notes, when it dies, whether a task runs.
struct current_at_death {
    explicit current_at_death(int& counter) noexcept : with_a_task(&counter) {}
    current_at_death(current_at_death&& other) noexcept
        : with_a_task(std::exchange(other.with_a_task, nullptr)) {}
    current_at_death& operator=(current_at_death&&) = delete;
    ~current_at_death() {
        if (with_a_task != nullptr) {
            *with_a_task = leat::this_thread.task != nullptr ? 1 : 0;
        }
    }

    int* with_a_task;
};

}  // namespace

VIRTUAL_TEST("a task that is freed is no longer the running one, for a signal handler that looks at that") {
    int with_a_task = -1;
    (void)leat::spawn([&]() -> leat::task<current_at_death> { co_return current_at_death(with_a_task); });
    co_await leat::yield();
    CHECK(with_a_task == 0);
}

VIRTUAL_TEST("a turn bounds the operations that complete at once, of all tasks together") {
    bool over = false;
    int steps = 0;
    kernel.inline_results[7] = 1;
    std::vector<leat::handle<>> busy;
    for (int i = 0; i < 10; ++i) {
        busy.push_back(leat::spawn(transfer_until, std::ref(over), 7, std::ref(steps)));
    }
    auto alarm = leat::spawn([&]() -> leat::task<> {
        co_await leat::sleep(1s);
        over = true;
    });
    co_await leat::yield();
    kernel.advance(2s);
    steps = 0;
    co_await alarm;
    CHECK(steps <= 2 * (leat::scheduler::inline_max + inline_max + 1));
    co_await leat::join_all(busy);
}

VIRTUAL_TEST("an operation that moves many bytes counts for several") {
    bool over = false;
    int steps = 0;
    kernel.inline_results[7] = 256 * 1024;  // 17 of a task's share of 32
    auto busy = leat::spawn(transfer_until, std::ref(over), 7, std::ref(steps));
    co_await leat::yield();
    CHECK(steps == 1);
    co_await leat::yield();
    CHECK(steps == 3);  // the one that made it yield has completed too
    over = true;
    co_await busy;
}

VIRTUAL_TEST("one operation that moves more than a share of bytes uses up the share") {
    for (const int megabytes : {1, 4, 8, 2000}) {  // 256 times 16 KiB is 4 MiB: it is no share of none
        bool over = false;
        int steps = 0;
        kernel.inline_results[7] = megabytes * 1024 * 1024;
        auto busy = leat::spawn(transfer_until, std::ref(over), 7, std::ref(steps));
        co_await leat::yield();
        CHECK(steps == 0);
        co_await leat::yield();
        CHECK(steps == 1);
        over = true;
        co_await busy;
    }
}

VIRTUAL_TEST("an operation that moves as many bytes as a turn may is the last of its turn") {
    constexpr int movers = 6;
    kernel.inline_results[7] = 4 * 1024 * 1024;
    const auto before = leat::current_scheduler().counters().turns;
    std::vector<leat::handle<>> all;
    for (int i = 0; i < movers; ++i) {
        all.push_back(leat::spawn([]() -> leat::task<> { co_await leat::transfer(7); }));
    }
    co_await leat::join_all(all);
    CHECK(leat::current_scheduler().counters().turns - before >= movers);
}

VIRTUAL_TEST("operations that fail at once cannot keep timers waiting") {
    bool over = false;
    int steps = 0;
    kernel.inline_results[7] = -ECONNREFUSED;
    auto busy = leat::spawn([&]() -> leat::task<> {
        while (!over) {
            (void)co_await leat::as_result(leat::transfer(7));
            ++steps;
        }
    });
    auto alarm = leat::spawn([&]() -> leat::task<> {
        co_await leat::sleep(1s);
        over = true;
    });
    co_await leat::yield();
    kernel.advance(2s);
    steps = 0;
    co_await alarm;
    CHECK(steps <= 2 * (leat::scheduler::inline_max + inline_max + 1));
    co_await busy;
}

VIRTUAL_TEST("a great number of timers that have expired does not keep a completion waiting") {
    constexpr int sleepers = 4 * leat::scheduler::timers_max;
    int woken = 0;
    int woken_before = -1;
    std::vector<leat::handle<>> all;
    for (int i = 0; i < sleepers; ++i) {
        all.push_back(leat::spawn([&, i]() -> leat::task<> {
            co_await leat::sleep(std::chrono::microseconds(1 + i));
            ++woken;
        }));
    }
    auto reader = leat::spawn([&]() -> leat::task<> {
        co_await leat::transfer(7);
        woken_before = woken;
    });
    while (kernel.pending() == 0) {
        co_await leat::yield();
    }
    kernel.advance(1h);
    kernel.complete(7);
    co_await reader;
    CHECK(woken_before >= 0);
    CHECK(woken_before <= 2 * leat::scheduler::timers_max);
    co_await leat::join_all(all);
    CHECK(woken == sleepers);
}

VIRTUAL_TEST("timers of one deadline expire together, however many came before them") {
    const leat::time_point both = kernel.now() + 1s;
    std::vector<leat::handle<>> earlier;
    for (int i = 1; i < leat::scheduler::timers_max; ++i) {
        earlier.push_back(leat::spawn([&]() -> leat::task<> { co_await leat::sleep_until(both - 1ms); }));
    }
    co_await leat::yield();
    bool inner_returned = false;
    auto nested = leat::spawn([&]() -> leat::task<> {
        (void)co_await leat::move_on_at(both, [&]() -> leat::task<> {
            (void)co_await leat::move_on_at(both, leat::stuck());
            inner_returned = true;
        }());
    });
    while (kernel.pending() != 0 || leat::current_scheduler().alarms().size() != earlier.size() + 2) {
        co_await leat::yield();
    }
    kernel.advance(1h);
    co_await nested;
    CHECK_FALSE(inner_returned);
    co_await leat::join_all(earlier);
}

// SPDX-License-Identifier: MIT
// A million awaits, nested and in a loop. Built at several levels of optimisation: the stack must not grow
// with the number of awaits where the compiler makes no tail calls either.
#include <leat/from_callback.hpp>
#include <leat/runtime.hpp>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <sys/resource.h>

namespace {

constexpr int million = 1'000'000;

// What may grow with the number of awaits is the heap: a little stack is enough for all of it.
void limit_stack(rlim_t bytes) {
    rlimit limit{};
    ::getrlimit(RLIMIT_STACK, &limit);
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_STACK, &limit);
}

void expect(bool holds, const char* what) {
    if (!holds) {
        std::fprintf(stderr, "failed: %s\n", what);
        std::exit(1);
    }
    std::printf("ok: %s\n", what);
}

struct counted {
    counted() noexcept { ++alive; }
    ~counted() { --alive; }
    counted(const counted&) = delete;
    static inline int alive = 0;
};

leat::task<int> nested(int depth) {
    if (depth == 0) {
        co_return 0;
    }
    co_return 1 + co_await nested(depth - 1);
}

leat::task<int> nested_and_waiting(int depth) {
    if (depth == 0) {
        co_await leat::yield();
        co_return 0;
    }
    co_return 1 + co_await nested_and_waiting(depth - 1);
}

leat::task<> nested_and_stuck(int depth) {
    const counted local;
    if (depth == 0) {
        co_await leat::sleep_until(leat::never);
    } else {
        co_await nested_and_stuck(depth - 1);
    }
}

leat::task<> nested_and_failing(int depth) {
    const counted local;
    if (depth == 0) {
        throw std::runtime_error("at the bottom");
    }
    co_await nested_and_failing(depth - 1);
}

leat::task<> stuck() {
    co_await leat::sleep_until(leat::never);
}

leat::task<> nested_in_scopes(int depth) {
    const counted local;
    if (depth == 0) {
        co_await leat::sleep_until(leat::never);
    } else {
        co_await leat::with_cancel_scope(
            [depth](leat::cancel_scope&) -> leat::task<> { co_await nested_in_scopes(depth - 1); });
    }
}

leat::task<> nested_in_groups(int depth) {
    const counted local;
    co_await leat::with_task_group([depth](leat::task_group& group) -> leat::task<> {
        if (depth > 0) {
            group.spawn(nested_in_groups, depth - 1);
        }
        group.spawn(stuck);
        co_await group.wait();
    });
}

leat::task<> nested_in_cleanups(int depth, int& cleaned) {
    const counted local;
    if (depth == 0) {
        co_await leat::sleep_until(leat::never);
    } else {
        co_await leat::finally(nested_in_cleanups(depth - 1, cleaned), [&cleaned]() -> leat::task<> {
            co_await leat::yield();
            ++cleaned;
        });
    }
}

leat::task<int> one() {
    co_return 1;
}

leat::task<> chain_of_joins() {
    auto last = leat::spawn(one);
    for (int i = 0; i < million / 10; ++i) {
        last = leat::spawn([](leat::handle<int> before) -> leat::task<int> { co_return co_await before; },
                           std::move(last));
    }
    const int value = co_await last;
    expect(value == 1, "a chain of 100,000 tasks, each awaiting the one before");
}

leat::task<> cancel_once_it_waits(leat::handle<> task, int frames, const char* what) {
    while (counted::alive < frames) {
        co_await leat::yield();
    }
    co_await leat::yield();
    task.cancel();
    const auto& ended = co_await task.join();
    expect(ended.cancelled() && counted::alive == 0, what);
}

leat::task<> cancel_what_is_nested() {
    constexpr int levels = million / 10;
    co_await cancel_once_it_waits(leat::spawn(nested_in_scopes, levels), levels + 1,
                                  "100,000 nested cancel scopes unwind");
    co_await cancel_once_it_waits(leat::spawn(nested_in_groups, levels), levels + 1,
                                  "100,000 nested groups, each awaiting its children, unwind");
    int cleaned = 0;
    co_await cancel_once_it_waits(leat::spawn(nested_in_cleanups, levels, std::ref(cleaned)), levels + 1,
                                  "100,000 nested frames with a cleanup each unwind");
    expect(cleaned == levels, "each cleanup ran");
}

leat::generator<int> nested_items(int depth) {
    const counted local;
    co_yield depth;
    if (depth > 0) {
        co_yield leat::elements_of(nested_items(depth - 1));
    }
}

void generators() {
    int items = 0;
    for ([[maybe_unused]] const int item : nested_items(million)) {
        ++items;
    }
    expect(items == million + 1 && counted::alive == 0, "a million nested generators");
    {
        auto left = nested_items(million);
        for (const int item : left) {
            if (item == 0) {
                break;
            }
        }
        expect(counted::alive == million + 1, "a million nested generators wait to go on");
    }
    expect(counted::alive == 0, "a million nested generators are left early");
}

leat::async_generator<int> count() {
    for (int i = 0; i < million; ++i) {
        co_yield i;
    }
}

leat::async_generator<int> passed_on(leat::async_generator<int> from) {
    while (auto item = co_await from.next()) {
        co_yield *item;
    }
}

leat::task<> async_generators() {
    auto items = passed_on(passed_on(count()));
    long sum = 0;
    while (auto item = co_await items.next()) {
        sum += *item;
    }
    expect(sum == (million - 1L) * million / 2, "a million items through three generators that do not wait");
}

leat::task<> callbacks() {
    int sum = 0;
    for (int i = 0; i < million; ++i) {
        sum += co_await leat::from_callback<int>([](const leat::callback<int>& done) { done(1); });
    }
    expect(sum == million, "a million callbacks that come at once");
}

leat::task<> all() {
    const int awaits = co_await nested(million);
    expect(awaits == million, "a million nested awaits");
    const int waits = co_await nested_and_waiting(million);
    expect(waits == million, "a million nested awaits above one that waits");

    int sum = 0;
    for (int i = 0; i < million; ++i) {
        sum += co_await one();
    }
    expect(sum == million, "a million awaits in a loop");
    for (int i = 0; i < million; ++i) {
        co_await leat::yield();
    }
    expect(true, "a million yields in a loop");

    auto stuck = leat::spawn(nested_and_stuck, million);
    co_await leat::yield();
    expect(counted::alive == million + 1, "a million frames wait");
    stuck.cancel();
    co_await stuck.join();
    expect(counted::alive == 0, "a million frames unwind");

    co_await cancel_what_is_nested();

    bool caught = false;
    try {
        co_await nested_and_failing(million / 20);  // exceptions cost microseconds a frame
    } catch (const std::runtime_error&) {
        caught = true;
    }
    expect(caught && counted::alive == 0, "an exception passes through 50,000 frames");
    co_await chain_of_joins();
    co_await async_generators();
    co_await callbacks();
}

}  // namespace

int main() {
    limit_stack(256 * 1024);
    generators();
    leat::run(all);
}

// SPDX-License-Identifier: MIT
// A million awaits, nested and in a loop. Built at several levels of optimisation: the stack must not grow
// with the number of awaits where the compiler makes no tail calls either.
#include <leat/runtime.hpp>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace {

constexpr int million = 1'000'000;

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

    bool caught = false;
    try {
        co_await nested_and_failing(million / 20);  // exceptions cost microseconds a frame
    } catch (const std::runtime_error&) {
        caught = true;
    }
    expect(caught && counted::alive == 0, "an exception passes through 50,000 frames");
    co_await chain_of_joins();
}

}  // namespace

int main() {
    leat::run(all);
}

// SPDX-License-Identifier: MIT
// What the steps of blocking functions cost: leat_fibre_steps STEP COUNT, as leat_steps, whose coroutines do
// the same.
#include "steps.hpp"

#include <leat/blocking.hpp>
#include <leat/runtime.hpp>

namespace {

using std::size_t;

// From one stack to another and back are two.
leat::task<> switches(size_t count) {
    static leat::detail::fibre* pump = nullptr;
    auto& inner = leat::detail::fibre::make(
        16 * 1024,
        [](void* left) noexcept {
            for (; *static_cast<size_t*>(left) > 0; --*static_cast<size_t*>(left)) {
                pump->leave();
            }
        },
        &count);
    pump = &inner;
    const size_t all = count;
    steps::begin();
    while (!inner.ended()) {
        inner.enter();
    }
    steps::end(2 * all);
    inner.release();
    co_return;
}

// Two blocking functions take turns.
leat::task<> yields(size_t count) {
    const auto loop = [](size_t turns) {
        for (size_t i = 0; i < turns; ++i) {
            leat::await(leat::yield());
        }
    };
    auto other = leat::spawn(leat::blocking(loop, count / 2));
    co_await leat::yield();
    steps::begin();
    co_await leat::blocking(loop, count / 2);
    co_await other;
    steps::end(count);
}

leat::task<> calls(size_t count) {
    steps::begin();
    for (size_t i = 0; i < count; ++i) {
        co_await leat::blocking([] {});
    }
    steps::end(count);
}

leat::task<> spawns_and_joins(size_t count) {
    steps::begin();
    for (size_t i = 0; i < count; ++i) {
        co_await leat::spawn(leat::blocking([] {}));
    }
    steps::end(count);
}

leat::task<> timeouts(size_t count) {
    using namespace std::chrono_literals;
    co_await leat::blocking([count] {
        steps::begin();
        for (size_t i = 0; i < count; ++i) {
            leat::await(leat::timeout(1h, leat::yield()));
        }
        steps::end(count);
    });
}

}  // namespace

int main(int argc, char** argv) {
    const auto step = steps::chosen<leat::task<> (*)(size_t)>(argc, argv,
                                                              {{"switch", switches},
                                                               {"yield", yields},
                                                               {"call", calls},
                                                               {"spawn", spawns_and_joins},
                                                               {"timeout", timeouts}});
    return leat::run_main([&] { return step(steps::count(argv)); }, {.backend = "epoll"});
}

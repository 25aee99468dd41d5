// SPDX-License-Identifier: MIT
// leat_steps.cpp with Asio's coroutines. Its channel has no unbuffered form that suspends both sides alike,
// and it has no mutex for coroutines.
#include "steps.hpp"

#include <asio.hpp>
#include <asio/experimental/channel.hpp>

#include <chrono>
#include <deque>
#include <memory>

namespace {

using asio::awaitable;
using asio::use_awaitable;
using std::size_t;
using namespace std::chrono_literals;

awaitable<void> nothing() {
    co_return;
}

awaitable<void> turns(size_t count) {
    for (size_t i = 0; i < count; ++i) {
        co_await asio::post(use_awaitable);
    }
}

awaitable<void> yields(size_t count) {
    const auto executor = co_await asio::this_coro::executor;
    steps::begin();
    asio::co_spawn(executor, turns(count / 2), asio::detached);
    co_await turns(count / 2);
    steps::end(count);
}

awaitable<void> spawns_and_joins(size_t count) {
    const auto executor = co_await asio::this_coro::executor;
    steps::begin();
    for (size_t i = 0; i < count; ++i) {
        co_await asio::co_spawn(executor, nothing(), use_awaitable);
    }
    steps::end(count);
}

awaitable<void> timers(size_t count) {
    const auto executor = co_await asio::this_coro::executor;
    const auto ignore = [](const asio::error_code&) {};
    const auto now = std::chrono::steady_clock::now();
    std::deque<asio::steady_timer> others;
    for (size_t i = 0; i < 1'000'000; ++i) {
        others.emplace_back(executor, now + 1h + steps::scattered(i) * 1us).async_wait(ignore);
    }
    asio::steady_timer one(executor);
    steps::begin();
    for (size_t i = 0; i < count; ++i) {
        one.expires_at(now + 1h + steps::scattered(i) * 1us);
        one.async_wait(ignore);
        one.cancel();
    }
    steps::end(count);
    std::_Exit(0);
}

awaitable<void> buffered(size_t count) {
    const auto executor = co_await asio::this_coro::executor;
    asio::experimental::channel<void(asio::error_code, size_t)> channel(executor, 128);
    asio::co_spawn(
        executor,
        [&]() -> awaitable<void> {
            for (size_t i = 0; i < count; ++i) {
                co_await channel.async_receive(use_awaitable);
            }
            steps::end(count);
        },
        asio::detached);
    co_await asio::post(use_awaitable);
    steps::begin();
    for (size_t i = 0; i < count; ++i) {
        co_await channel.async_send(asio::error_code(), i, use_awaitable);
    }
    co_await asio::post(use_awaitable);
    co_await asio::post(use_awaitable);
}

awaitable<void> forever(int depth) {
    if (depth > 1) {
        co_await forever(depth - 1);
    } else {
        asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await timer.async_wait(use_awaitable);
    }
}

awaitable<void> cancel_at(size_t count, int depth) {
    const auto executor = co_await asio::this_coro::executor;
    std::deque<asio::cancellation_signal> signals;
    size_t left = count;
    for (size_t i = 0; i < count; ++i) {
        asio::co_spawn(executor, forever(depth),
                       asio::bind_cancellation_slot(signals.emplace_back().slot(), [&](std::exception_ptr) {
                           if (--left == 0) {
                               steps::end(count);
                               std::_Exit(0);
                           }
                       }));
    }
    co_await turns(10);
    steps::begin();
    for (asio::cancellation_signal& each : signals) {
        each.emit(asio::cancellation_type::terminal);
    }
    co_await asio::steady_timer(executor, 1min).async_wait(use_awaitable);
}

awaitable<void> cancel(size_t count) {
    return cancel_at(count, 1);
}

awaitable<void> cancel_deep(size_t count) {
    return cancel_at(count, 10);
}

}  // namespace

int main(int argc, char** argv) {
    const auto step = steps::chosen<awaitable<void> (*)(size_t)>(argc, argv,
                                                                 {{"yield", yields},
                                                                  {"spawn", spawns_and_joins},
                                                                  {"timer", timers},
                                                                  {"channel", buffered},
                                                                  {"cancel", cancel},
                                                                  {"cancel-deep", cancel_deep}});
    asio::io_context context(1);
    asio::co_spawn(context, step(steps::count(argv)), asio::detached);
    context.run();
}

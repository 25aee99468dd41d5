// SPDX-License-Identifier: MIT
// A server of several workers: each with a listener on the same port, and one signal that stops all.
#include "echo.hpp"

#include <leat/net.hpp>
#include <leat/testing/backends.hpp>
#include <leat/threads.hpp>

#include <atomic>
#include <future>
#include <latch>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <signal.h>
#include <unistd.h>

using leat::testing::echo;
using leat::testing::expect_answer;

namespace {

// Connects, is served, has the process told to stop, is served on, and lets the server end.
leat::task<> talk_and_stop(leat::endpoint where) {
    std::vector<leat::tcp_stream> clients;
    for (int i = 0; i < 20; ++i) {
        clients.push_back(co_await leat::tcp_stream::connect(where));
        co_await expect_answer(clients.back());
    }
    ::kill(::getpid(), SIGTERM);
    while (!(co_await leat::as_result(leat::tcp_stream::connect(where))).error()) {
        co_await leat::yield();
    }
    for (auto& client : clients) {
        co_await expect_answer(client);
    }
}

}  // namespace

TEST_CASE("one SIGTERM stops serve in every worker, and their connections end by themselves") {
    for (const auto& backend : leat::testing::backends()) {
        if (!backend.refused.empty()) {
            MESSAGE("skipped on " << backend.name << ": " << backend.refused);
            continue;
        }
        INFO("backend: ", backend.name);
        std::promise<leat::endpoint> bound;
        const std::shared_future<leat::endpoint> where = bound.get_future();
        std::latch both_bound(2);
        std::atomic<int> ended = 0;
        leat::run_workers(
            3,
            [&](unsigned index) -> leat::task<> {
                if (index == 2) {
                    both_bound.wait();
                    co_await talk_and_stop(where.get());
                    co_return;
                }
                const leat::endpoint at = index == 0 ? leat::endpoint("127.0.0.1", 0) : where.get();
                auto listener = leat::tcp_listener::bind(at, {.reuse_port = true});
                if (index == 0) {
                    bound.set_value(listener.local_endpoint());
                }
                both_bound.count_down();
                co_await leat::serve(std::move(listener), echo, {.grace = std::chrono::hours(1)});
                ++ended;
            },
            {.run = {.backend = backend.name}});
        CHECK(ended == 2);
    }
}

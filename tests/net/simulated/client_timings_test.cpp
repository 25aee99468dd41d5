// SPDX-License-Identifier: MIT
// The timings of the HTTP client where time is virtual: each step takes what the simulated network makes it
// take.
#include "../http/timings_order.hpp"

#include <leat/http.hpp>
#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace leat::testing {
namespace {

using namespace std::chrono_literals;

// Turns in which tasks are ready take a little.
bool takes(duration least, duration passed) {
    return passed >= least && passed < least + 1ms;
}

task<http::response> answer_in_three_seconds(const http::request&) {
    co_await sleep(3s);
    co_return http::response();
}

}  // namespace

TEST_CASE("timings tell a slow server from a slow network and from the wait for a connection") {
    constexpr duration trip = 200ms;  // there and back
    simulation world({.latency = trip / 2});
    simulated_host& there = world.add_host("server", {"10.0.0.1"});
    simulated_host& here = world.add_host("client");
    world.add_name("slow.example", {"10.0.0.1"});
    run_simulated(world, [&]() -> task<> {
        auto serving = spawn(on_host(there, [&]() -> task<> {
            auto listener = tcp_listener::bind({"10.0.0.1", 80});
            co_await http::serve(std::move(listener), answer_in_three_seconds, {.stop_on = {}});
        }));
        std::vector<http::fetched> pages;
        co_await on_host(here, [&]() -> task<> {
            http::client client({.environment_proxies = false, .connections_per_host = 1});
            const auto get = [&](int) { return client.get("http://slow.example/"); };
            pages = co_await map_concurrently(std::vector<int>{1, 2}, 2, get);
        });
        const http::request_timings& first = pages[0].timings;
        CHECK(are_ordered(first));
        CHECK(takes(0ms, first.begun - first.asked));
        REQUIRE(first.resolved.has_value());
        CHECK(takes(trip, *first.resolved - *first.dialled));
        CHECK(takes(trip, *first.connected - *first.resolved));
        CHECK(takes(0ms, *first.sent - *first.connected));
        CHECK(takes(3s + trip, first.headed - *first.sent));
        const http::request_timings& second = pages[1].timings;
        CHECK(are_ordered(second));
        CHECK(second.reused);
        CHECK(takes(3s + 3 * trip, *second.sent - second.begun));
        CHECK(takes(3s + trip, second.headed - *second.sent));
        serving.cancel();
        co_await serving.join();
    });
}

}  // namespace leat::testing

// SPDX-License-Identifier: MIT
// In the program that counts operator new: a server with limits allocates nothing while bytes move and while
// it looks whether its clients are silent.
#include <leat/core/frame_pool.hpp>

#include "../support/on_each_backend.hpp"
#include "../support/sanitizers.hpp"
#include "echo.hpp"

#include <leat/net.hpp>
#include <leat/testing/counted_memory.hpp>

#include <doctest/doctest.h>

#include <new>
#include <span>
#include <string_view>
#include <system_error>

using namespace std::chrono_literals;
using leat::task;
using leat::testing::echo;
using leat::testing::counted_memory::fails_at;
using leat::testing::counted_memory::may_fail;

namespace {

task<> exchange_many(leat::tcp_stream& client, int count) {
    for (int done = 0; done < count; ++done) {
        co_await leat::testing::expect_answer(client);
    }
}

// Frames are not recycled under the address sanitizer.
constexpr bool frames_recycle = !leat::testing::address_sanitized;

task<> serve_within_limits() {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    // Its eighth passes again and again.
    const leat::serve_options options{.per_address = 2, .idle = 2s, .stop_on = {}};
    auto serving = leat::spawn(leat::serve(std::move(listener), echo, options));
    auto client = co_await leat::tcp_stream::connect(where);
    long made = 0;
    for (int round = 0; round < 2; ++round) {  // the first one makes frames, which are recycled
        made = co_await leat::testing::allocations_during([&] { return exchange_many(client, 2000); });
    }
    CHECK(made == 0);
    serving.cancel();
    co_await serving.join();
}

// Whether a client gets its byte back.
task<bool> is_served(leat::endpoint where) {
    auto client = co_await leat::tcp_stream::connect(where);
    char byte = 0;
    const auto sent = co_await leat::as_result(client.send_all("x"));
    const auto received = co_await leat::as_result(client.recv_exactly(std::span(&byte, 1)));
    co_return sent.ok() && received.ok();
}

// One client comes while allocation number `failing` fails, and another one when there is memory again. False
// when there was no such allocation.
task<bool> serve_without_memory(long failing) {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    const leat::serve_options options{.per_address = 1, .idle = 1h, .stop_on = {}};
    auto serving = leat::spawn(leat::serve(std::move(listener), echo, options));
    const bool begun = co_await is_served(where);
    CHECK(begun);
    leat::detail::frame_pool::trim();
    fails_at = failing;
    may_fail = true;
    try {
        (void)co_await is_served(where);
    } catch (const std::bad_alloc&) {     // the client's
    } catch (const std::system_error&) {  // or a socket that found none
    }
    may_fail = false;
    const bool failed = fails_at < 0;
    bool served = false;
    for (int tries = 0; tries < 1000 && !served; ++tries) {  // the place is free a little later
        served = co_await is_served(where);
    }
    CHECK(served);
    serving.cancel();
    co_await serving.join();
    co_return failed;
}

void ignore_report(std::string_view /*line*/) {}

}  // namespace

TEST_CASE("a server with limits allocates nothing while bytes move" * doctest::skip(!frames_recycle)) {
    support::on_each_backend(
        [](const auto& backend) { leat::run(serve_within_limits, {.backend = backend}); });
}

TEST_CASE("a connection that finds no memory under limits keeps no place of its address") {
    support::on_each_backend([](const auto& backend) {
        long failing = 0;
        while (failing < 200 && leat::run([failing] { return serve_without_memory(failing); },
                                          {.backend = backend, .report = ignore_report})) {
            ++failing;
        }
        CHECK(failing > 2);  // frames and sockets, the task of the connection, its place
        CHECK(failing < 200);
    });
}

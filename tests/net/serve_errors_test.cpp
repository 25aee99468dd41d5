// SPDX-License-Identifier: MIT
// serve(): who is told of the error that the handler of a connection ended with.
#include "echo.hpp"

#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/backends.hpp>

#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <doctest/doctest.h>

using leat::testing::remember;
using leat::testing::reported;

namespace {

struct failure {
    std::string text;
    std::optional<leat::endpoint> peer;
    bool lost;
};

std::vector<failure> told;

void tell(std::exception_ptr error, std::optional<leat::endpoint> peer) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& known) {
        told.push_back({known.what(), peer, leat::is_lost_peer(error)});
    }
}

leat::task<> answer_no(leat::tcp_stream /*peer*/) {
    throw std::runtime_error("no");
    co_return;
}

leat::task<> lack_permission(leat::tcp_stream /*peer*/) {
    throw std::system_error(std::make_error_code(std::errc::operation_not_permitted), "open a file");
    co_return;
}

// Serves one client, and gives where that was.
template <typename Handler>
leat::task<leat::endpoint> serve_one(Handler handler, leat::serve_options options) {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    auto serving = leat::spawn(leat::serve(std::move(listener), handler, options));
    auto client = co_await leat::tcp_stream::connect(where);
    const leat::chunk end = co_await client.recv_chunk();
    CHECK(end.empty());
    serving.cancel();
    co_await serving.join();
    co_return client.local_endpoint();
}

// Serves a client that resets the connection.
leat::task<> serve_a_reset(leat::serve_options options) {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    leat::event begun;
    leat::event failed;
    const auto receive = [&](leat::tcp_stream peer) -> leat::task<> {
        begun.set();
        try {
            (void)co_await peer.recv_chunk();
        } catch (const std::system_error&) {
            failed.set();
            throw;
        }
    };
    auto serving = leat::spawn(leat::serve(std::move(listener), receive, options));
    auto client = co_await leat::tcp_stream::connect(where);
    co_await begun.wait();
    client.set_reset_on_close();
    client.close();
    co_await failed.wait();
    serving.cancel();
    co_await serving.join();
}

// Runs `main` on each backend, without what was told before.
template <typename Main>
void on_each_backend(Main main) {
    for (const leat::testing::tried_backend& each : leat::testing::backends()) {
        if (!each.refused.empty()) {
            MESSAGE("skipped on " << each.name << ": " << each.refused);
            continue;
        }
        INFO("backend: ", each.name);
        told.clear();
        reported.clear();
        leat::run(main, {.backend = each.name, .report = remember});
    }
}

}  // namespace

TEST_CASE("on_error is told of a handler's error and of the peer, and then nothing is reported") {
    on_each_backend([]() -> leat::task<> {
        const leat::endpoint client = co_await serve_one(answer_no, {.stop_on = {}, .on_error = tell});
        CHECK(reported.empty());
        REQUIRE(told.size() == 1);
        CHECK(told[0].text == "no");
        CHECK(told[0].peer == client);
        CHECK_FALSE(told[0].lost);
    });
}

TEST_CASE("a client that resets its connection is not reported, and on_error is told") {
    on_each_backend([]() -> leat::task<> {
        co_await serve_a_reset({.stop_on = {}});
        CHECK(reported.empty());
        co_await serve_a_reset({.stop_on = {}, .on_error = tell});
        CHECK(reported.empty());
        REQUIRE(told.size() == 1);
        CHECK(told[0].lost);
    });
}

TEST_CASE("what a handler could not do is reported, also when it is an error of the system") {
    on_each_backend([]() -> leat::task<> {
        (void)co_await serve_one(lack_permission, {.stop_on = {}});
        REQUIRE(reported.size() == 1);
        CHECK(reported[0].ends_with("failed: open a file: Operation not permitted"));
    });
}

TEST_CASE("the report of a handler's error names the place where serve was awaited") {
    on_each_backend([]() -> leat::task<> {
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        const leat::endpoint where = listener.local_endpoint();
        unsigned line = 0;
        auto serving = leat::spawn([&]() -> leat::task<> {
            line = std::source_location::current().line() + 1;
            co_await leat::serve(std::move(listener), answer_no, {.stop_on = {}});
        });
        auto client = co_await leat::tcp_stream::connect(where);
        const leat::chunk end = co_await client.recv_chunk();
        CHECK(end.empty());
        REQUIRE(reported.size() == 1);
        const std::string place = "serve_errors_test.cpp:" + std::to_string(line) + ", failed: no";
        CHECK_MESSAGE(reported[0].ends_with(place), reported[0]);
        serving.cancel();
        co_await serving.join();
    });
}

TEST_CASE("on_error may cancel the server, with the connection that failed being its last one") {
    on_each_backend([]() -> leat::task<> {
        static leat::handle<>* stopped;
        const auto stop = [](std::exception_ptr, std::optional<leat::endpoint>) { stopped->cancel(); };
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        const leat::endpoint where = listener.local_endpoint();
        auto serving =
            leat::spawn(leat::serve(std::move(listener), answer_no, {.stop_on = {}, .on_error = stop}));
        stopped = &serving;
        auto client = co_await leat::tcp_stream::connect(where);
        const auto& ended = co_await serving.join();
        CHECK(ended.cancelled());
    });
}

TEST_CASE("a connection without an IP address has a handler's error told, without a peer") {
    on_each_backend([]() -> leat::task<> {
        auto listener = leat::unix_listener::bind({});
        const leat::unix_endpoint where = listener.local_endpoint();
        const auto fail = [](leat::unix_stream) -> leat::task<> {
            throw std::runtime_error("no");
            co_return;
        };
        auto serving = leat::spawn(leat::serve(std::move(listener), fail, {.stop_on = {}, .on_error = tell}));
        auto client = co_await leat::unix_stream::connect(where);
        const leat::chunk end = co_await client.recv_chunk();
        CHECK(end.empty());
        REQUIRE(told.size() == 1);
        CHECK_FALSE(told[0].peer.has_value());
        serving.cancel();
        co_await serving.join();
    });
}

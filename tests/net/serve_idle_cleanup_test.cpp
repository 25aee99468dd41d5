// SPDX-License-Identifier: MIT
// serve(): what becomes of a connection once its idle time has passed: its handler's cleanup has a limit, and
// the end is told as that of a silent client, whatever the handler ends with.
#include "limited_server.hpp"

#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/simulation.hpp>
#include <leat/unix.hpp>

#include <system_error>

using namespace std::chrono_literals;
using leat::task;
using leat::tcp_stream;
using leat::testing::end_of;
using leat::testing::limited_server;
using leat::testing::limits_told;
using leat::testing::run_simulated;
using leat::testing::simulated;
using leat::testing::tell_limit;

namespace {

const leat::serve_options telling{.idle = 60s, .tell_limits = true, .on_error = tell_limit};

// Its cleanup waits for the client for ever, and throws when that has gone.
task<> wait_and_fail(tcp_stream peer) {
    for (;;) {
        (void)co_await leat::shield(peer.recv_chunk());
    }
}

}  // namespace

LEAT_TEST("a cleanup that waits for the client until the reset was cut off as idle, by an error or not",
          on(simulated)) {
    limits_told.clear();
    const auto absorb = [](tcp_stream peer) -> task<> {
        (void)co_await leat::shield(leat::as_result(peer.recv_chunk()));
    };
    const auto cut_off_once = [](auto& here) -> task<> {
        auto client = co_await tcp_stream::connect(here.where);
        const auto ended = co_await leat::as_result(client.recv_chunk());
        CHECK(ended.error() == std::errc::connection_reset);
        CHECK(here.counters.idle == 1);
        co_await here.stop();
    };
    limited_server throwing(wait_and_fail, telling);
    co_await cut_off_once(throwing);
    limited_server absorbing(absorb, telling);
    co_await cut_off_once(absorbing);
    REQUIRE(limits_told.size() == 2);
    CHECK(limits_told[0].text.starts_with("the client was silent for 60 s"));
    CHECK(limits_told[0].code == std::errc::timed_out);
    CHECK(limits_told[1].code == std::errc::timed_out);
}

LEAT_TEST("what a cleanup throws is told behind what has cut off its client", on(simulated)) {
    limits_told.clear();
    const auto fail_in_cleanup = [](tcp_stream peer) -> task<> {
        const auto receive = [&]() -> task<> { (void)co_await peer.recv_chunk(); };
        const auto clean = []() -> task<> {
            co_await leat::sleep(1s);
            throw std::system_error(std::make_error_code(std::errc::io_error), "the journal");
        };
        co_await leat::finally(receive, clean);
    };
    limited_server here(fail_in_cleanup, telling);
    auto client = co_await tcp_stream::connect(here.where);
    (void)co_await end_of(client);
    co_await here.stop();
    CHECK(here.counters.idle == 1);
    REQUIRE(limits_told.size() == 2);
    CHECK(limits_told[0].code == std::errc::timed_out);
    CHECK(limits_told[1].code == std::errc::io_error);
}

LEAT_TEST("who ends by itself behind a shield, although its client was silent, was not cut off",
          on(simulated)) {
    limits_told.clear();
    const auto finish_first = [](tcp_stream peer) -> task<> {
        (void)co_await leat::shield(peer.recv_chunk());
    };
    limited_server here(finish_first, telling);
    auto client = co_await tcp_stream::connect(here.where);
    co_await leat::sleep(100s);
    co_await client.send_all("x");
    (void)co_await end_of(client);
    CHECK(here.counters.idle == 0);
    CHECK(limits_told.empty());
    co_await here.stop();
}

LEAT_TEST("a client that drips bytes into a cleanup keeps it no longer than a silent one", on(simulated)) {
    limited_server here(wait_and_fail, telling);
    auto client = co_await tcp_stream::connect(here.where);
    const auto begun = leat::now();
    co_await leat::sleep(61s);
    for (int drops = 0; drops < 100 && (co_await leat::as_result(client.send_all("."))).ok(); ++drops) {
        co_await leat::sleep(5s);
    }
    CHECK(leat::now() - begun >= 120s);
    CHECK(leat::now() - begun < 130s);
    CHECK(here.counters.idle == 1);
    co_await here.stop();
}

LEAT_TEST("a cleanup that comes back to its client has the idle time for it from then on", on(simulated)) {
    bool cleaned = false;
    const auto careful = [&](tcp_stream peer) -> task<> {
        const auto receive = [&]() -> task<> { (void)co_await peer.recv_chunk(); };
        const auto clean = [&]() -> task<> {
            co_await leat::sleep(1h);
            (void)co_await peer.recv_chunk();
            cleaned = true;
        };
        co_await leat::finally(receive, clean);
    };
    limited_server here(careful, {.idle = 60s});
    auto client = co_await tcp_stream::connect(here.where);
    co_await leat::sleep(1h + 110s);
    co_await client.send_all("x");
    (void)co_await leat::as_result(client.recv_chunk());
    CHECK(cleaned);
    CHECK(here.counters.idle == 1);
    co_await here.stop();
}

LEAT_TEST("bytes that drip into a cleanup renew nothing on a Unix socket either", on(leat::testing::kernel)) {
    auto listener = leat::unix_listener::bind({});
    const leat::unix_endpoint where = listener.local_endpoint();
    leat::serve_counters counters;
    leat::event cut;
    const auto stubborn = [&](leat::unix_stream peer) -> task<> {
        const auto receive = [&]() -> task<> { (void)co_await peer.recv_chunk(); };
        const auto clean = [&]() -> task<> {
            cut.set();
            while (co_await peer.recv_chunk()) {
            }
        };
        co_await leat::finally(receive, clean);
    };
    auto serving = leat::spawn(
        leat::serve(std::move(listener), stubborn, {.idle = 16ms, .counters = &counters, .stop_on = {}}));
    auto client = co_await leat::unix_stream::connect(where);
    co_await cut.wait();
    for (int drops = 0; drops < 1000 && (co_await leat::as_result(client.send_all("."))).ok(); ++drops) {
        co_await leat::sleep(1ms);
    }
    serving.cancel();
    co_await serving.join();
    CHECK(counters.idle == 1);
}

namespace {

// A server whose only handler does `work` first; its client waits for it.
template <typename Work>
task<> serve_one(Work work) {
    const auto handle = [&](tcp_stream peer) -> task<> {
        co_await work();
        (void)co_await peer.recv_chunk();
    };
    limited_server here(handle, {.idle = 60s});
    auto client = co_await tcp_stream::connect(here.where);
    (void)co_await end_of(client);
    CHECK(here.counters.idle == 1);
    co_await here.stop();
}

}  // namespace

TEST_CASE("a handler that waits for what never comes is a deadlock also under an idle time") {
    const auto wait_for_ever = []() -> task<> {
        leat::event never;
        co_await never.wait();
    };
    CHECK_THROWS_AS(run_simulated([&] { return serve_one(wait_for_ever); }), leat::deadlock);
}

TEST_CASE("a client that only its idle time will end is no deadlock, whatever the handler did before") {
    run_simulated([] { return serve_one([]() -> task<> { co_await leat::sleep(1s); }); });
    run_simulated([] { return serve_one([]() -> task<> { co_await leat::sleep(1h); }); });
}

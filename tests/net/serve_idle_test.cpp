// SPDX-License-Identifier: MIT
// serve(): a client that is silent for too long loses its connection, whatever its handler does.
#include "echo.hpp"
#include "limited_server.hpp"

#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/memory_stream.hpp>
#include <leat/unix.hpp>

#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <sys/socket.h>

using namespace std::chrono_literals;
using leat::task;
using leat::tcp_listener;
using leat::tcp_stream;
using leat::testing::echo;
using leat::testing::end_of;
using leat::testing::expect_answer;
using leat::testing::limited_server;
using leat::testing::limits_told;
using leat::testing::remember;
using leat::testing::reported;
using leat::testing::simulated;
using leat::testing::tell_limit;

LEAT_TEST("a client that is silent for the idle time is cut off, and its handler unwinds") {
    bool unwound = false;
    bool unwinding = false;
    const auto receive = [&](tcp_stream peer) -> task<> {
        struct on_exit {
            bool& ended;
            bool& by_unwinding;
            ~on_exit() {
                ended = true;
                by_unwinding = leat::unwinding();
            }
        } const cleanup{unwound, unwinding};
        (void)co_await peer.recv_chunk();
    };
    limited_server here(receive, {.idle = 5ms});
    auto client = co_await tcp_stream::connect(here.where);
    (void)co_await end_of(client);
    CHECK(unwound);
    CHECK(unwinding);
    CHECK(here.counters.idle == 1);
    co_await here.stop();
}

TEST_CASE("a client that is silent is cut off also where operations are counted") {
    leat::run(
        [&]() -> task<> {
            limited_server here(echo, {.idle = 5ms});
            auto client = co_await tcp_stream::connect(here.where);
            co_await expect_answer(client);
            (void)co_await end_of(client);
            CHECK(here.counters.idle == 1);
            co_await here.stop();
        },
        {.counting = true});
}

LEAT_TEST("who gives up each receive after a while waits for its client all the same", on(simulated)) {
    const auto receive = [](tcp_stream peer) -> task<> {
        while (!(co_await leat::move_on_after(20s, peer.recv_chunk())).has_value()) {
        }
    };
    limited_server here(receive, {.idle = 60s});
    auto client = co_await tcp_stream::connect(here.where);
    const auto last = leat::now();
    const auto ended = co_await end_of(client);
    CHECK(ended - last >= 60s);
    CHECK(ended - last < 68s);
    CHECK(here.counters.idle == 1);
    co_await here.stop();
}

LEAT_TEST("the idle time begins anew with each byte that comes, and its end is at most an eighth late",
          on(simulated)) {
    limited_server here(echo, {.idle = 60s});
    auto client = co_await tcp_stream::connect(here.where);
    for (int count = 0; count < 10; ++count) {
        co_await leat::sleep(50s);
        co_await expect_answer(client);
    }
    const auto last = leat::now();
    const auto ended = co_await end_of(client);
    CHECK(ended - last >= 60s);
    CHECK(ended - last < 68s);
    co_await here.stop();
}

LEAT_TEST("a client that only sends is cut off exactly the idle time after its last byte", on(simulated)) {
    const auto discard = [](tcp_stream peer) -> task<> { (void)co_await end_of(peer); };
    limited_server here(discard, {.idle = 60s});
    auto client = co_await tcp_stream::connect(here.where);
    co_await leat::sleep(30s);
    co_await client.send_all("x");
    const auto last = leat::now();
    const auto ended = co_await end_of(client);
    CHECK(ended - last >= 60s);
    CHECK(ended - last < 61s);
    co_await here.stop();
}

LEAT_TEST("a slow upload into one receive is not silence", on(simulated)) {
    std::string received(10, ' ');
    const auto upload = [&](tcp_stream peer) -> task<> {
        co_await peer.recv_exactly(received);
        co_await peer.send_all("done");
    };
    limited_server here(upload, {.idle = 60s});
    auto client = co_await tcp_stream::connect(here.where);
    for (char letter = 'a'; letter < 'k'; ++letter) {
        co_await client.send_all(std::string(1, letter));
        co_await leat::sleep(50s);
    }
    std::string reply(4, ' ');
    co_await client.recv_exactly(reply);
    CHECK(reply == "done");
    CHECK(received == "abcdefghij");
    CHECK(here.counters.idle == 0);
    co_await here.stop();
}

LEAT_TEST("a slow download goes on, in one send, while its client says nothing", on(simulated)) {
    const std::string page(3'000'000, 'p');
    const auto download = [&](tcp_stream peer) -> task<> { co_await peer.send_all(page); };
    limited_server here(download, {.idle = 60s});
    auto client = co_await tcp_stream::connect(here.where);
    std::size_t received = 0;
    std::string part(100'000, ' ');
    while (received < page.size()) {
        co_await client.recv_exactly(part);
        received += part.size();
        co_await leat::sleep(50s);
    }
    CHECK(received == page.size());
    CHECK(here.counters.idle == 0);
    co_await here.stop();
}

LEAT_TEST("a client that takes nothing of what is sent to it is cut off") {
    const std::string page(50'000'000, 'p');
    leat::event cut_off;
    const auto download = [&](tcp_stream peer) -> task<> {
        struct on_exit {
            leat::event& ended;
            ~on_exit() { ended.set(); }
        } const tells{cut_off};
        co_await peer.send_all(page);
    };
    limited_server here(download, {.idle = 20ms});
    auto client = co_await tcp_stream::connect(here.where);
    co_await cut_off.wait();
    std::size_t received = 0;
    for (;;) {
        const auto more = co_await leat::as_result(client.recv_chunk());
        if (!more.ok() || more->empty()) {
            break;
        }
        received += more->size();
    }
    CHECK(received < page.size());
    CHECK(here.counters.idle == 1);
    co_await here.stop();
}

LEAT_TEST("a client that only listens keeps its connection while it is sent something", on(simulated)) {
    const auto publish = [](tcp_stream peer) -> task<> {
        co_await leat::with_task_group([&](leat::task_group& group) -> task<> {
            group.spawn([&]() -> task<> { (void)co_await end_of(peer); });
            for (int count = 0; count < 20; ++count) {
                co_await leat::sleep(50s);
                co_await peer.send_all("news");
            }
            co_await group.wait();
        });
    };
    limited_server here(publish, {.idle = 60s});
    auto client = co_await tcp_stream::connect(here.where);
    const auto begun = leat::now();
    std::string news(4, ' ');
    for (int count = 0; count < 20; ++count) {
        co_await client.recv_exactly(news);
    }
    CHECK(leat::now() - begun >= 1000s);
    const auto last = leat::now();
    const auto ended = co_await end_of(client);
    CHECK(ended - last >= 60s);
    CHECK(ended - last < 68s);
    CHECK(here.counters.idle == 1);
    co_await here.stop();
}

LEAT_TEST("a client is not to blame while its handler waits for something else", on(simulated)) {
    const auto work = [](tcp_stream peer) -> task<> {
        co_await leat::sleep(1h);
        co_await peer.send_all("done");
        (void)co_await peer.recv_chunk();
    };
    limited_server here(work, {.idle = 60s});
    auto client = co_await tcp_stream::connect(here.where);
    std::string reply(4, ' ');
    co_await client.recv_exactly(reply);
    CHECK(reply == "done");
    const auto last = leat::now();
    const auto ended = co_await end_of(client);
    CHECK(ended - last >= 60s);
    CHECK(ended - last < 68s);
    co_await here.stop();
}

LEAT_TEST("a handler that waits for the client shielded loses the connection itself", on(simulated)) {
    std::error_code seen;
    const auto stubborn = [&](tcp_stream peer) -> task<> {
        const auto got = co_await leat::shield(leat::as_result(peer.recv_chunk()));
        seen = got.error();
    };
    limited_server here(stubborn, {.idle = 60s});
    auto client = co_await tcp_stream::connect(here.where);
    const auto begun = leat::now();
    const auto ended = co_await leat::as_result(client.recv_chunk());
    CHECK(ended.error() == std::errc::connection_reset);
    CHECK(leat::now() - begun >= 120s);
    CHECK(leat::now() - begun < 121s);
    CHECK(seen == std::errc::operation_canceled);
    co_await here.stop();
}

LEAT_TEST("a cleanup that has to do with others is not disturbed", on(simulated)) {
    bool cleaned = false;
    const auto careful = [&](tcp_stream peer) -> task<> {
        const auto receive = [&]() -> task<> { (void)co_await peer.recv_chunk(); };
        const auto clean = [&]() -> task<> {
            co_await leat::sleep(1h);
            cleaned = peer.is_open();
        };
        co_await leat::finally(receive, clean);
    };
    limited_server here(careful, {.idle = 60s});
    auto client = co_await tcp_stream::connect(here.where);
    (void)co_await end_of(client);
    CHECK(cleaned);
    CHECK(here.counters.idle == 1);
    co_await here.stop();
}

LEAT_TEST("a handler that has closed its stream is left alone, also when another has its number",
          on(simulated)) {
    int finished = 0;
    const auto first_closes = [&, number = 0](tcp_stream peer) mutable -> task<> {
        if (number++ == 0) {
            peer.close();
            co_await leat::sleep(1h);
            ++finished;
        } else {
            (void)co_await end_of(peer);
        }
    };
    limited_server here(first_closes, {.idle = 60s});
    auto first = co_await tcp_stream::connect(here.where);
    (void)co_await end_of(first);
    auto second = co_await tcp_stream::connect(here.where);
    (void)co_await end_of(second);
    CHECK(here.counters.idle == 1);
    co_await leat::sleep(2h);
    CHECK(finished == 1);
    CHECK(here.counters.idle == 1);
    co_await here.stop();
}

LEAT_TEST("a stream that is detached for another run is not watched any more", on(simulated)) {
    const auto give_away = [](tcp_stream peer) -> task<> {
        peer.detach();
        (void)co_await end_of(peer);
    };
    limited_server here(give_away, {.idle = 60s});
    auto client = co_await tcp_stream::connect(here.where);
    co_await leat::sleep(1h);
    CHECK(here.counters.idle == 0);
    client.shutdown_send();
    (void)co_await end_of(client);
    co_await here.stop();
}

LEAT_TEST("connections of the Unix domain have an idle time, too", on(leat::testing::kernel)) {
    auto listener = leat::unix_listener::bind({});
    const leat::unix_endpoint where = listener.local_endpoint();
    leat::serve_counters counters;
    const auto receive = [](leat::unix_stream peer) -> task<> { (void)co_await peer.recv_chunk(); };
    auto serving = leat::spawn(
        leat::serve(std::move(listener), receive, {.idle = 5ms, .counters = &counters, .stop_on = {}}));
    auto client = co_await leat::unix_stream::connect(where);
    const leat::chunk end = co_await client.recv_chunk();
    CHECK(end.empty());
    CHECK(counters.idle == 1);
    serving.cancel();
    co_await serving.join();
}

TEST_CASE("who asks is told why a silent client was cut off, and else nobody is") {
    reported.clear();
    limits_told.clear();
    leat::endpoint last;
    const auto cut_one_off = [&](leat::serve_options options) -> task<> {
        options.idle = 5ms;
        limited_server here(echo, options);
        auto client = co_await tcp_stream::connect(here.where);
        last = client.local_endpoint();
        (void)co_await end_of(client);
        co_await here.stop();
    };
    leat::run(
        [&]() -> task<> {
            co_await cut_one_off({});
            co_await cut_one_off({.on_error = tell_limit});
            CHECK(reported.empty());
            CHECK(limits_told.empty());
            co_await cut_one_off({.tell_limits = true});
            REQUIRE(reported.size() == 1);
            CHECK(reported[0] ==
                  "the connection of " + last.to_string() + " was closed: the client was silent for 5 ms");
            co_await cut_one_off({.tell_limits = true, .on_error = tell_limit});
        },
        {.report = remember});
    CHECK(reported.size() == 1);
    REQUIRE(limits_told.size() == 1);
    CHECK(limits_told[0].text.starts_with("the client was silent for 5 ms"));
    CHECK(limits_told[0].code == std::errc::timed_out);
    CHECK(limits_told[0].peer == last);
}

namespace {

// Streams that have no socket.
struct memory_listener {
    task<leat::testing::memory_stream> accept() {
        co_await leat::sleep_until(leat::never);
        co_return leat::testing::memory_stream::pair().first;
    }
    void close() {}
};

}  // namespace

LEAT_TEST("an idle time that cannot be held is refused", on(simulated)) {
    const auto receive = [](leat::testing::memory_stream /*peer*/) -> task<> { co_return; };
    const auto refused =
        co_await leat::as_result(leat::serve(memory_listener(), receive, {.idle = 60s, .stop_on = {}}));
    CHECK(refused.error() == std::errc::operation_not_supported);
}

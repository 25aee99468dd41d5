// SPDX-License-Identifier: MIT
// TLS connections of leat::serve: it shakes hands before their handler runs, within a limit; a stop of the
// server ends those that have not shaken hands at once, and who is silent, in the handshake or after it, is
// idle.
#include <leat/net.hpp>
#include <leat/serve_messages.hpp>
#include <leat/testing/doctest.hpp>

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "../echo.hpp"
#include "stream_pair.hpp"

namespace leat::tls {

using namespace std::chrono_literals;
using leat::testing::lent_listener;

LEAT_TEST("TLS: a server that stops waits for no handshake, but for who has shaken hands",
          on(leat::testing::simulated)) {
    const contexts& with = contexts::trusted();
    const auto secure_echo = [&](tcp_stream below) -> task<> {
        auto peer = co_await accept(std::move(below), with.server, {.timeout = 2h});
        while (const chunk piece = co_await peer.recv_chunk()) {
            co_await peer.send_all(piece);
        }
        co_await peer.shutdown_send();
    };
    auto listener = tcp_listener::bind({"127.0.0.1", 0});
    auto serving = spawn(serve(lent_listener(listener), secure_echo, {.grace = 1h, .stop_on = {}}));
    const leat::endpoint where = listener.local_endpoint();
    tcp_stream silent = co_await tcp_stream::connect(where);
    tcp_stream begun = co_await tcp_stream::connect(where);
    session half_open(with.client, "a.example");
    CHECK(half_open.handshake().what == step::kind::has_output);
    co_await begun.send_all(half_open.output());
    const chunk flight = co_await begun.recv_chunk();
    CHECK(!flight.empty());
    stream<tcp_stream> client(co_await tcp_stream::connect(where), with.client, "a.example");
    co_await client.handshake();
    const auto stopped = now();
    listener.close();
    for (tcp_stream* each : {&silent, &begun}) {
        const chunk end = co_await each->recv_chunk();
        CHECK(end.empty());
    }
    std::string text(5, ' ');
    co_await client.send_all("still");
    co_await client.recv_exactly(text);
    CHECK(text == "still");
    CHECK_FALSE(serving.done());
    co_await client.shutdown_send();
    co_await serving;
    CHECK(now() - stopped < 1s);
}

namespace {

// Until the client ends.
task<> answer(stream<tcp_stream> peer) {
    while (const chunk piece = co_await peer.recv_chunk()) {
        co_await peer.send_all(piece);
    }
}

// Two clients: one that says nothing at all, and one that stops after an exchange.
task<> be_silent(leat::endpoint where, const context& trusting) {
    const auto begun = now();
    tcp_stream silent = co_await tcp_stream::connect(where);
    stream<tcp_stream> client(co_await tcp_stream::connect(where), trusting, "a.example");
    co_await sleep(30s);
    std::string text(5, ' ');
    co_await client.send_all("hello");
    co_await client.recv_exactly(text);
    CHECK(text == "hello");
    const auto last = now();
    const chunk end = co_await silent.recv_chunk();
    CHECK(end.empty());
    CHECK(now() - begun >= 60s);
    CHECK(now() - begun < 68s);
    const auto cut = co_await as_result(client.recv_chunk());
    CHECK_FALSE(cut.ok());
    CHECK(now() - last >= 60s);
    CHECK(now() - last < 68s);
}

}  // namespace

LEAT_TEST("TLS: who is silent in the handshake or after it is cut off by the server's idle time",
          on(leat::testing::simulated)) {
    const contexts& with = contexts::trusted();
    serve_counters counters;
    const leat::serve_options options{.idle = 60s, .counters = &counters, .stop_on = {}};
    auto plain = tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint first = plain.local_endpoint();
    const auto shake_hands = [&](tcp_stream below) -> task<> {
        co_await answer(co_await accept(std::move(below), with.server, {.timeout = 2h}));
    };
    auto serving = spawn(serve(std::move(plain), shake_hands, options));
    co_await be_silent(first, with.client);
    CHECK(counters.idle == 2);
    serving.cancel();
    co_await serving.join();

    listener secure(tcp_listener::bind({"127.0.0.1", 0}), with.server);
    const leat::endpoint second = secure.local_endpoint();
    leat::serve_options patient = options;
    patient.handshake = 2h;
    serving = spawn(serve(std::move(secure), answer, patient));
    co_await be_silent(second, with.client);
    CHECK(counters.idle == 4);
    serving.cancel();
    co_await serving.join();
}

LEAT_TEST("TLS: serve shakes hands before the handler gets the stream, and its time is for that only") {
    const contexts& with = contexts::trusted();
    int begun = 0;
    const auto count_and_answer = [&](stream<tcp_stream> peer) -> task<> {
        ++begun;
        CHECK(peer.session().established());
        co_await answer(std::move(peer));
    };
    serve_counters counters;
    listener secure(tcp_listener::bind({"127.0.0.1", 0}), with.server);
    const leat::endpoint where = secure.local_endpoint();
    auto serving = spawn(serve(std::move(secure), count_and_answer,
                               {.handshake = 50ms, .counters = &counters, .stop_on = {}}));
    stream<tcp_stream> client(co_await tcp_stream::connect(where), with.client, "a.example");
    co_await client.handshake();
    tcp_stream silent = co_await tcp_stream::connect(where);
    const chunk end = co_await silent.recv_chunk();
    CHECK(end.empty());
    CHECK(begun == 1);
    CHECK(counters.handshake == 1);
    std::string text(5, ' ');
    co_await client.send_all("after");
    co_await client.recv_exactly(text);
    CHECK(text == "after");
    serving.cancel();
    co_await serving.join();
}

namespace {

struct told {
    std::string text;
    std::error_code code;
};
std::vector<told> all_told;

void remember_error(std::exception_ptr error, std::optional<leat::endpoint> /*peer*/) {
    try {
        std::rethrow_exception(error);
    } catch (const std::system_error& known) {
        all_told.push_back({known.what(), known.code()});
    }
}

}  // namespace

LEAT_TEST("TLS: who has not shaken hands in 10 s is cut off, silent or dripping, and told when that is asked",
          on(leat::testing::simulated)) {
    const contexts& with = contexts::trusted();
    all_told.clear();
    serve_counters counters;
    listener secure(tcp_listener::bind({"127.0.0.1", 0}), with.server);
    const leat::endpoint where = secure.local_endpoint();
    auto serving =
        spawn(serve(std::move(secure), answer,
                    {.tell_limits = true, .counters = &counters, .stop_on = {}, .on_error = remember_error}));
    const auto begun = now();
    tcp_stream silent = co_await tcp_stream::connect(where);
    const chunk end = co_await silent.recv_chunk();
    CHECK(end.empty());
    CHECK(now() - begun >= 10s);
    CHECK(now() - begun < 11s);

    session hello(with.client, "a.example");
    CHECK(hello.handshake().what == step::kind::has_output);
    const auto drops = hello.output();
    const auto begun_to_drip = now();
    tcp_stream dripping = co_await tcp_stream::connect(where);
    for (std::size_t i = 0; i < drops.size(); ++i) {
        if (!(co_await as_result(dripping.send_all(drops.subspan(i, 1)))).ok()) {
            break;
        }
        co_await sleep(1s);
    }
    CHECK(now() - begun_to_drip >= 10s);
    CHECK(now() - begun_to_drip < 14s);

    CHECK(counters.handshake == 2);
    CHECK(counters.idle == 0);
    REQUIRE(all_told.size() == 2);
    CHECK(all_told[0].text.starts_with("its handshake took longer than 10 s"));
    CHECK(all_told[0].code == std::errc::timed_out);
    CHECK(all_told[1].code == std::errc::timed_out);
    serving.cancel();
    co_await serving.join();
}

LEAT_TEST("TLS: of more handshakes than may go on at once the one that has taken longest is cut off") {
    const contexts& with = contexts::trusted();
    all_told.clear();
    serve_counters counters;
    listener secure(tcp_listener::bind({"127.0.0.1", 0}), with.server);
    const leat::endpoint where = secure.local_endpoint();
    auto serving = spawn(serve(std::move(secure), answer,
                               {.handshake = 2h,
                                .handshakes = 2,
                                .tell_limits = true,
                                .counters = &counters,
                                .stop_on = {},
                                .on_error = remember_error}));
    std::vector<tcp_stream> silent;
    for (int count = 0; count < 3; ++count) {
        silent.push_back(co_await tcp_stream::connect(where));
    }
    const chunk first_end = co_await silent[0].recv_chunk();
    CHECK(first_end.empty());
    CHECK(counters.handshake == 1);
    std::vector<stream<tcp_stream>> clients;
    for (int count = 0; count < 3; ++count) {  // those that have shaken hands do not count
        clients.emplace_back(co_await tcp_stream::connect(where), with.client, "a.example");
        std::string text(5, ' ');
        co_await clients.back().send_all("hello");
        co_await clients.back().recv_exactly(text);  // the server has, too
    }
    const chunk second_end = co_await silent[1].recv_chunk();
    CHECK(second_end.empty());
    CHECK(counters.handshake == 2);
    std::string text(5, ' ');
    co_await clients.front().send_all("still");
    co_await clients.front().recv_exactly(text);
    CHECK(text == "still");
    stream<tcp_stream> slow(std::move(silent[2]), with.client, "a.example");
    co_await slow.handshake();
    REQUIRE(all_told.size() == 2);
    CHECK(all_told[0].text.starts_with("its handshake had taken longest, and 2 others went on"));
    serving.cancel();
    co_await serving.join();
}

LEAT_TEST("TLS: an error of a handshake is one of its connection, and the handler does not run") {
    const contexts& with = contexts::trusted();
    all_told.clear();
    bool ran = false;
    const auto run = [&](stream<tcp_stream> /*peer*/) -> task<> {
        ran = true;
        co_return;
    };
    listener secure(tcp_listener::bind({"127.0.0.1", 0}), with.server);
    const leat::endpoint where = secure.local_endpoint();
    auto serving = spawn(serve(std::move(secure), run, {.stop_on = {}, .on_error = remember_error}));
    tcp_stream plain = co_await tcp_stream::connect(where);
    co_await plain.send_all("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
    for (bool open = true; open;) {
        const auto more = co_await as_result(plain.recv_chunk());
        open = more.ok() && !more->empty();
    }
    serving.cancel();
    co_await serving.join();
    CHECK_FALSE(ran);
    REQUIRE(all_told.size() == 1);
    CHECK(all_told[0].code == failure::protocol);
}

LEAT_TEST("TLS: a stop, and cancelling the server, end what serve is shaking hands with at once",
          on(leat::testing::simulated)) {
    const contexts& with = contexts::trusted();
    for (const bool stops : {true, false}) {
        event stop;
        listener secure(tcp_listener::bind({"127.0.0.1", 0}), with.server);
        const leat::endpoint where = secure.local_endpoint();
        auto serving = spawn(
            serve(std::move(secure), answer, {.handshake = 2h, .grace = 1h, .stop_on = {}, .stop = &stop}));
        tcp_stream silent = co_await tcp_stream::connect(where);
        co_await sleep(1s);
        const auto begun = now();
        stops ? stop.set() : serving.cancel();
        const chunk end = co_await silent.recv_chunk();
        CHECK(end.empty());
        co_await serving.join();
        CHECK(now() - begun < 1s);
    }
}

LEAT_TEST("TLS: a server of messages speaks TLS over such a listener") {
    const contexts& with = contexts::trusted();
    listener secure(tcp_listener::bind({"127.0.0.1", 0}), with.server);
    const leat::endpoint where = secure.local_endpoint();
    const auto reversed = [](std::string_view text) { return std::string(text.rbegin(), text.rend()); };
    auto serving =
        spawn(serve_messages(std::move(secure), message_format::with_digits(5), reversed, {.stop_on = {}}));
    stream<tcp_stream> client(co_await tcp_stream::connect(where), with.client, "a.example");
    std::string reply(10, ' ');
    co_await client.send_all("00005abcde");
    co_await client.recv_exactly(reply);
    CHECK(reply == "00005edcba");
    serving.cancel();
    co_await serving.join();
}

}  // namespace leat::tls

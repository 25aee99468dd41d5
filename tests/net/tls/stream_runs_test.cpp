// SPDX-License-Identifier: MIT
// A TLS stream that outlives its run, or goes to the run of another thread.
#include "../../runtime/other_thread.hpp"
#include "../conformance/two_backends.hpp"
#include "../receive_ahead.hpp"
#include "stream_pair.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/threads.hpp>

#include <optional>
#include <string>
#include <thread>

using cancel_tests::let_the_loop_look;
using life_tests::arrive_unread;
using life_tests::receive_ahead;

namespace {

using pair = leat::tls::stream_pair<leat::tcp_stream>;

// Connected, and with "one " on the way to the server, which has received before.
leat::task<pair> with_bytes_unread() {
    pair both = co_await leat::tls::over_tcp();
    auto accepting = leat::spawn([&]() -> leat::task<> { co_await both.server.handshake(); });
    co_await both.client.handshake();
    co_await accepting;
    co_await receive_ahead(both.client, both.server);
    co_await arrive_unread(both.client, "one ");
    co_return both;
}

leat::task<> read_the_rest(leat::tls::stream<leat::tcp_stream>& from) {
    std::string got(7, ' ');
    co_await from.recv_exactly(got);
    CHECK(got == "one two");
    const auto end = co_await from.recv_chunk();
    CHECK(end.empty());
}

using secure_stream = leat::tls::stream<leat::tcp_stream>;

leat::task<> echo(secure_stream stream) {
    const std::string all = co_await leat::tls::read_all(stream);
    co_await stream.send_all(all);
    co_await stream.shutdown_send();
}

}  // namespace

LEAT_TEST("a TLS stream goes to another run right after its handshake, or some turns later", on(kernel)) {
    leat::other_thread there;
    for (int turns = 0; turns < 6; ++turns) {
        pair both = co_await leat::tls::over_tcp();
        co_await leat::tls::shake_hands(both);
        for (int turn = 0; turn < turns; ++turn) {
            co_await leat::yield();
        }
        CHECK(there.remote().spawn(echo, std::move(both.server)));
        co_await both.client.send_all("question");
        co_await both.client.shutdown_send();
        const std::string back = co_await leat::tls::read_all(both.client);
        CHECK(back == "question");
    }
}

LEAT_TEST("what a TLS stream has received and nobody has read goes with it to another run", on(kernel)) {
    leat::other_thread there;
    pair both = co_await leat::tls::over_tcp();
    co_await leat::tls::shake_hands(both);
    co_await both.client.send_all("0123", "4567");  // two records
    co_await both.client.send_all("89");
    char first[1];
    (void)co_await both.server.recv(first);
    CHECK(first[0] == '0');
    CHECK(there.remote().spawn(echo, std::move(both.server)));
    co_await both.client.shutdown_send();
    const std::string back = co_await leat::tls::read_all(both.client);
    CHECK(back == "123456789");
}

LEAT_TEST("a TLS stream goes to another run once a cancelled send has left", on(kernel)) {
    leat::other_thread there;
    pair both = co_await leat::tls::over_tcp();
    co_await leat::tls::shake_hands(both);
    const std::string text = leat::tls::pattern(100'000);
    std::size_t taken = 0;
    auto sender = leat::spawn([&]() -> leat::task<> {
        for (;;) {
            taken += co_await both.server.send(std::string_view(text).substr(taken % text.size()));
        }
    });
    co_await let_the_loop_look();
    sender.cancel();
    co_await sender.join();
    auto reader = leat::spawn([&]() -> leat::task<std::string> { return leat::tls::read_all(both.client); });
    co_await both.server.send_all("");
    CHECK(there.remote().spawn([](secure_stream stream) -> leat::task<> { co_await stream.shutdown_send(); },
                               std::move(both.server)));
    const std::string got = co_await reader;
    CHECK(taken > 0);
    CHECK(got.size() == taken);
    std::string sent;
    while (sent.size() < taken) {
        sent += text;
    }
    CHECK(sent.starts_with(got));
}

TEST_CASE("a TLS stream that outlives its run is read to the end in the next one") {
    conformance::on_two_backends([](leat::run_options first, leat::run_options second) {
        std::optional<pair> both;
        leat::run([&]() -> leat::task<> { both.emplace(co_await with_bytes_unread()); }, first);
        leat::run(
            [&]() -> leat::task<> {
                co_await both->client.send_all("two");
                co_await both->client.shutdown_send();
                co_await read_the_rest(both->server);
            },
            second);
    });
}

TEST_CASE("a TLS stream that is detached is read to the end in the run of another thread") {
    leat::run([]() -> leat::task<> {
        pair both = co_await with_bytes_unread();
        co_await both.client.send_all("two");
        co_await both.client.shutdown_send();
        both.server.detach();
        std::thread([&] {
            leat::run([&]() -> leat::task<> {
                co_await read_the_rest(both.server);
                both.server.close();
            });
        }).join();
    });
}

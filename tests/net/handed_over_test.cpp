// SPDX-License-Identifier: MIT
// Sockets that go to the run of another thread.
#include "../runtime/other_thread.hpp"
#include "conformance/connected.hpp"
#include "receive_ahead.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/threads.hpp>

#include <array>
#include <optional>
#include <string>
#include <thread>
#include <utility>

using cancel_tests::let_the_loop_look;
using conformance::carries;
using conformance::connected;
using conformance::connection;
using conformance::patience;
using life_tests::arrive_unread;
using life_tests::receive_ahead;

namespace {

std::atomic<int> ended = 0;

leat::task<> drop(leat::tcp_stream stream) {
    stream.close();
    ++ended;
    co_return;
}

leat::task<> echo_to_end(leat::tcp_stream stream) {
    while (auto chunk = co_await stream.recv_chunk()) {
        co_await stream.send_all(chunk);
    }
}

leat::task<> accept_one(leat::tcp_listener listener) {
    auto peer = co_await listener.accept();
    co_await peer.send_all("accepted");
}

}  // namespace

LEAT_TEST("a stream that has waited here is closed elsewhere, and its number used again here", on(kernel)) {
    leat::other_thread there;
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    for (int round = 0; round < 5; ++round) {
        connection old = co_await connected(listener);
        co_await receive_ahead(old.client, old.server);
        const int before = ended;
        CHECK(there.remote().spawn(drop, std::move(old.server)));
        while (ended == before) {
            co_await leat::yield();
        }
        connection next = co_await connected(listener);
        auto waits =
            leat::spawn([&]() -> leat::task<leat::chunk> { co_return co_await next.server.recv_chunk(); });
        co_await let_the_loop_look();
        co_await next.client.send_all("for the new one");
        const auto got = co_await leat::timeout(patience, waits);
        CHECK(got.text() == "for the new one");
    }
}

LEAT_TEST("a stream that goes to another run is read there to the end, also what had arrived here",
          on(kernel)) {
    leat::other_thread there;
    connection both = co_await connected();
    co_await receive_ahead(both.client, both.server);
    co_await arrive_unread(both.client, "one ");
    CHECK(there.remote().spawn(echo_to_end, std::move(both.server)));
    co_await both.client.send_all("two");
    both.client.shutdown_send();
    const std::string back = co_await leat::timeout(patience, conformance::read_to_the_end(both.client));
    CHECK(back == "one two");
}

LEAT_TEST("a stream that is detached goes to another run in what it is part of", on(kernel)) {
    leat::other_thread there;
    connection both = co_await connected();
    co_await receive_ahead(both.client, both.server);
    co_await arrive_unread(both.client, "abc");
    both.server.detach();
    const std::string got = co_await there.remote().call([&]() -> leat::task<std::string> {
        std::string text(3, ' ');
        co_await both.server.recv_exactly(text);
        both.server.detach();
        co_return text;
    });
    CHECK(got == "abc");
    const bool works = co_await carries(both.client, both.server);
    CHECK(works);
}

LEAT_TEST("a stream that a call on another run gives works here", on(kernel)) {
    leat::other_thread there;
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint at = listener.local_endpoint();
    auto accepting = leat::spawn([&]() -> leat::task<leat::tcp_stream> { return listener.accept(); });
    auto client = co_await there.remote().call(
        [at]() -> leat::task<leat::tcp_stream> { return leat::tcp_stream::connect(at); });
    auto server = co_await accepting;
    const bool there_works = co_await carries(client, server);
    const bool back = co_await carries(server, client);
    CHECK((there_works && back));
}

LEAT_TEST("a stream that goes through a thread_channel works where it arrives", on(kernel)) {
    leat::thread_channel<leat::tcp_stream> channel(1);
    leat::other_thread there;  // ends before the channel that its task has used
    connection both = co_await connected();
    co_await receive_ahead(both.client, both.server);
    CHECK(there.remote().spawn([&]() -> leat::task<> {
        std::optional<leat::tcp_stream> arrived = co_await channel.receive();
        co_await echo_to_end(std::move(*arrived));
    }));
    co_await arrive_unread(both.client, "abc");
    co_await channel.send(std::move(both.server));
    std::string back(3, ' ');
    co_await leat::timeout(patience, both.client.recv_exactly(back));
    CHECK(back == "abc");
    both.client.close();
}

LEAT_TEST("a listener that has accepted here accepts elsewhere", on(kernel)) {
    leat::other_thread there;
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint at = listener.local_endpoint();
    (void)co_await connected(listener);
    CHECK(there.remote().spawn(accept_one, std::move(listener)));
    auto client = co_await leat::tcp_stream::connect(at);
    std::string said(8, ' ');
    co_await leat::timeout(patience, client.recv_exactly(said));
    CHECK(said == "accepted");
}

TEST_CASE("a stream that has outlived its run goes on in a run of another thread") {
    connection both;
    leat::run([&]() -> leat::task<> {
        both = co_await connected();
        co_await receive_ahead(both.client, both.server);
        co_await arrive_unread(both.client, "abc");
    });
    std::thread([&] {
        leat::run([&]() -> leat::task<> {
            std::string got(3, ' ');
            co_await both.server.recv_exactly(got);
            CHECK(got == "abc");
            both.server.close();
        });
    }).join();
}

TEST_CASE("a chunk whose run has ended may be freed by another thread, and the last one frees its pool") {
    std::array<leat::chunk, 4> held;
    leat::run([&]() -> leat::task<> {
        connection both = co_await connected();
        for (leat::chunk& each : held) {
            co_await both.client.send_all("abc");
            each = co_await both.server.recv_chunk();
        }
    });
    std::thread one([&] { held[0].reset(), held[1].reset(); });
    std::thread other([&] { held[2].reset(), held[3].reset(); });
    one.join();
    other.join();
    CHECK(held[0].empty());
}

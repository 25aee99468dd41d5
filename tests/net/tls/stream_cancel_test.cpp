// SPDX-License-Identifier: MIT
// Cancelling the operations of a TLS stream: what they lose, which is as good as nothing.
#include <leat/testing/doctest.hpp>
#include <leat/timeout.hpp>
#include <leat/tls/stream.hpp>

#include <chrono>
#include <optional>

#include "stream_pair.hpp"

using namespace std::chrono_literals;

namespace leat::tls {

LEAT_TEST("TLS: data that comes after a cancelled recv is there for the next one") {
    auto both = co_await over_tcp();
    co_await shake_hands(both);
    char text[4] = {};
    auto waiting = spawn(both.server.recv(text));
    auto other = spawn([&]() -> task<> {
        (void)co_await waiting.join();
        waiting = spawn([&]() -> task<std::size_t> {
            const chunk piece = co_await both.server.recv_chunk();
            co_return piece.size();
        });
    });
    co_await let_others_run();
    waiting.cancel();
    co_await other;
    co_await let_others_run();
    waiting.cancel();
    const auto& ended = co_await waiting.join();
    CHECK(ended.cancelled());
    co_await both.client.send_all("here");
    const std::size_t count = co_await both.server.recv(text);
    CHECK(std::string_view(text, count) == "here");
}

LEAT_TEST("TLS: a cancelled recv_exactly gives back what it had, whenever it is cancelled") {
    for (int turns = 0; turns < 40; ++turns) {
        auto both = in_memory({.piece = 7});
        co_await shake_hands(both);
        const std::string sent = pattern(300);
        auto sender = spawn([&]() -> task<> {
            for (std::size_t at = 0; at < sent.size(); at += 50) {
                co_await both.client.send_all(std::string_view(sent).substr(at, 50));
            }
        });
        std::string lost(300, ' ');
        auto reader = spawn(both.server.recv_exactly(lost));
        for (int turn = 0; turn < turns * 5; ++turn) {
            co_await yield();
        }
        reader.cancel();
        const bool finished = (co_await reader.join()).ok();
        co_await sender;
        std::string received;
        while (!finished && received.size() < sent.size()) {
            std::string some(37, ' ');
            const std::size_t count = co_await both.server.recv(some);
            received.append(some, 0, count);
        }
        CHECK((finished ? lost : received) == sent);
    }
}

LEAT_TEST("TLS: a receive right after another task's cancelled one reads what that gives back") {
    auto both = co_await over_tcp();
    co_await shake_hands(both);
    std::string whole(8, ' ');
    auto first = spawn(both.server.recv_exactly(whole));
    co_await both.client.send_all("here");
    co_await let_others_run();
    first.cancel();
    char text[8] = {};
    const std::size_t count = co_await both.server.recv(text);
    CHECK(first.cancelled());
    CHECK(std::string_view(text, count) == "here");
}

LEAT_TEST("TLS: a send right after another task's cancelled one learns what became of that") {
    auto both = in_memory({.capacity = 1000});
    co_await shake_hands(both);
    const std::string text(100'000, 'x');
    auto first = spawn(both.client.send_all(text));
    co_await let_others_run();
    first.cancel();
    const failure_of again = co_await fails(both.client.send_all("more"));
    CHECK(first.cancelled());
    CHECK(again.code == stream_errc::broken);
}

LEAT_TEST("TLS: a cancelled send_all that had begun breaks sending, not receiving") {
    auto both = in_memory({.capacity = 1000});
    co_await shake_hands(both);
    const std::string text(100'000, 'x');
    const bool sent = co_await move_on_after(1ms, both.client.send_all(text));
    CHECK(!sent);
    const failure_of again = co_await fails(both.client.send_all("more"));
    CHECK(again.code == stream_errc::broken);
    CHECK(again.text == "send to a.example: an earlier send was cut off midway");
    const failure_of some = co_await fails(both.client.send("more"));
    CHECK(some.code == stream_errc::broken);
    const failure_of end = co_await fails(both.client.shutdown_send());
    CHECK(end.code == stream_errc::broken);
    co_await both.server.send_all("still here");
    const chunk piece = co_await both.client.recv_chunk();
    CHECK(piece.text() == "still here");
}

LEAT_TEST("TLS: a send_all cancelled midway over a socket breaks sending") {
    auto both = co_await over_tcp();
    co_await shake_hands(both);
    const std::string text(40'000'000, 'x');
    auto sender = spawn(both.client.send_all(text));
    char one[1];
    co_await both.server.recv_exactly(one);
    sender.cancel();
    const auto& ended = co_await sender.join();
    CHECK(ended.cancelled());
    CHECK(both.client.bytes_sent() < text.size());
    const failure_of again = co_await fails(both.client.send_all("more"));
    CHECK(again.code == stream_errc::broken);
}

LEAT_TEST("TLS: a send_all that was cancelled before its first byte has not happened") {
    auto both = co_await over_tcp();
    co_await shake_hands(both);
    const bool sent = co_await move_on_after(0s, both.client.send_all("never sent"));
    CHECK(!sent);
    co_await both.client.send_all("sent");
    const chunk piece = co_await both.server.recv_chunk();
    CHECK(piece.text() == "sent");
}

LEAT_TEST("TLS: what a cancelled send has taken is sent all the same, and counted") {
    auto both = in_memory({.capacity = 100});
    co_await shake_hands(both);
    const std::string text = pattern(20'000);
    const std::optional<std::size_t> taken = co_await move_on_after(1ms, both.client.send(text));
    REQUIRE(taken.has_value());
    CHECK(*taken > 0);
    // The next one finds the way blocked by it, and has not happened.
    const std::optional<std::size_t> more = co_await move_on_after(1ms, both.client.send("never sent"));
    CHECK(!more.has_value());
    std::string received(*taken, ' ');
    co_await both.server.recv_exactly(received);
    CHECK(received == text.substr(0, *taken));
    auto sender = spawn(both.client.send_all("the end"));
    const chunk piece = co_await both.server.recv_chunk();
    CHECK(piece.text() == "the end");
    co_await sender;
}

LEAT_TEST("TLS: nobody need send again for what a cancelled send has taken to arrive") {
    auto both = in_memory({.capacity = 100});
    co_await shake_hands(both);
    auto reader = spawn(both.client.recv_chunk());
    const std::string text = pattern(20'000);
    const std::optional<std::size_t> taken = co_await move_on_after(1ms, both.client.send(text));
    REQUIRE(taken.has_value());
    std::string received(*taken, ' ');
    co_await both.server.recv_exactly(received);
    co_await both.server.send_all("answer");
    const chunk piece = co_await reader;
    CHECK(piece.text() == "answer");
}

LEAT_TEST("TLS: a cancelled handshake goes on with the next operation, whenever it is cancelled") {
    for (int turns = 0; turns < 40; ++turns) {
        auto both = in_memory({.capacity = 50, .piece = 50});
        auto server = spawn([&]() -> task<std::string> {
            char text[4];
            co_await both.server.recv_exactly(text);
            co_return std::string(text, 4);
        });
        auto client = spawn(both.client.handshake());
        for (int turn = 0; turn < turns * 3; ++turn) {
            co_await yield();
        }
        client.cancel();
        (void)co_await client.join();
        co_await both.client.send_all("ping");
        const std::string text = co_await server;
        CHECK(text == "ping");
    }
}

LEAT_TEST("TLS: a reader and a sender share the handshake, and one may leave it to the other") {
    for (const bool cancel_reader : {true, false}) {
        auto both = in_memory({.capacity = 50, .piece = 50});
        char text[4] = {};
        auto reader = spawn(both.client.recv_exactly(text));
        auto sender = spawn(both.client.send_all("ping"));
        co_await let_others_run();
        if (cancel_reader) {
            reader.cancel();
        } else {
            sender.cancel();
        }
        auto server = spawn([&]() -> task<> {
            if (cancel_reader) {
                char heard[4];
                co_await both.server.recv_exactly(heard);
                CHECK(std::string_view(heard, 4) == "ping");
            } else {
                co_await both.server.send_all("pong");
            }
        });
        if (!cancel_reader) {
            co_await reader;
            CHECK(std::string_view(text, 4) == "pong");
        }
        co_await server;
        (void)co_await reader.join();
        (void)co_await sender.join();
    }
}

LEAT_TEST("TLS: a cancelled end of sending can be said again") {
    auto both = in_memory({.capacity = 10, .piece = 10});
    co_await shake_hands(both);
    const bool said = co_await move_on_after(1ms, both.client.shutdown_send());
    CHECK(!said);
    auto reader = spawn([&] { return read_all(both.server); });
    co_await both.client.shutdown_send();
    const std::string text = co_await reader;
    CHECK(text.empty());
}

}  // namespace leat::tls

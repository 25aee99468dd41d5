// SPDX-License-Identifier: MIT
// What a stream carries, on every backend: every size around those of buffers, in every way of receiving;
// ends, halves and resets; numbers of descriptors that come again.
#include "connected.hpp"

#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <array>
#include <vector>

using namespace std::chrono_literals;
using conformance::carries;
using conformance::connected;
using conformance::connection;
using conformance::error_of;
using conformance::patience;
using conformance::read_to_the_end;

namespace {

std::string bytes(std::size_t size) {
    return conformance::too_much().substr(0, size);
}

using receiving = leat::task<std::string> (*)(leat::tcp_stream& from, std::size_t size);

leat::task<std::string> by_recv(leat::tcp_stream& from, std::size_t /*size*/) {
    std::string all;
    std::string part(4'096, ' ');
    for (;;) {
        const std::size_t count = co_await from.recv(part);
        if (count == 0) {
            break;
        }
        all.append(part, 0, count);
    }
    co_return all;
}

leat::task<std::string> by_chunks(leat::tcp_stream& from, std::size_t /*size*/) {
    co_return co_await read_to_the_end(from);
}

leat::task<std::string> exactly(leat::tcp_stream& from, std::size_t size) {
    std::string all(size, ' ');
    co_await from.recv_exactly(all);
    char more = 0;
    const std::size_t count = co_await from.recv(std::span(&more, 1));
    CHECK(count == 0);
    co_return all;
}

// In all ways by turns, a few bytes at a time.
leat::task<std::string> by_turns(leat::tcp_stream& from, std::size_t size) {
    std::string all;
    std::string part(1'000, ' ');
    for (int turn = 0; all.size() < size; ++turn) {
        if (turn % 3 == 0) {
            const std::size_t count = co_await from.recv(part);
            all.append(part, 0, count);
        } else if (turn % 3 == 1) {
            const std::size_t count = std::min(part.size(), size - all.size());
            co_await from.recv_exactly(std::span(part.data(), count));
            all.append(part, 0, count);
        } else {
            const leat::chunk chunk = co_await from.recv_chunk();
            all += chunk.text();
        }
    }
    const leat::chunk end = co_await from.recv_chunk();
    CHECK(end.size() == 0);
    co_return all;
}

leat::task<> carry(std::size_t size, receiving receive) {
    connection both = co_await connected();
    const std::string sent = bytes(size);
    auto sender = leat::spawn([&]() -> leat::task<> {
        co_await both.client.send_all(sent);
        both.client.shutdown_send();
    });
    const std::string received = co_await leat::timeout(patience, receive(both.server, size));
    const bool same = received == sent;
    CHECK(same);
    CHECK(both.client.bytes_sent() == size);
    co_await sender;
}

// Many small sends, of which each takes the next size.
leat::task<> carry_in_sends_of(std::size_t size) {
    connection both = co_await connected();
    const std::string sent = bytes(200 * size);
    auto sender = leat::spawn([&]() -> leat::task<> {
        for (std::size_t at = 0; at < sent.size(); at += size) {
            co_await both.client.send_all(std::string_view(sent).substr(at, size));
        }
        both.client.shutdown_send();
    });
    const std::string received = co_await leat::timeout(patience, read_to_the_end(both.server));
    const bool same = received == sent;
    CHECK(same);
    co_await sender;
}

}  // namespace

#define SIZE_TEST(text, size)                                    \
    LEAT_TEST(text " arrive by recv") {                          \
        return carry(size, by_recv);                             \
    }                                                            \
    LEAT_TEST(text " arrive by recv_chunk") {                    \
        return carry(size, by_chunks);                           \
    }                                                            \
    LEAT_TEST(text " arrive by recv_exactly") {                  \
        return carry(size, exactly);                             \
    }                                                            \
    LEAT_TEST(text " arrive by all ways of receiving in turn") { \
        return carry(size, by_turns);                            \
    }

SIZE_TEST("no bytes", 0)
SIZE_TEST("1 byte", 1)
SIZE_TEST("4,095 bytes", 4'095)
SIZE_TEST("4,096 bytes, as many as a recv takes,", 4'096)
SIZE_TEST("16,383 bytes", 16'383)
SIZE_TEST("16,384 bytes, as many as a chunk holds,", 16'384)
SIZE_TEST("16,385 bytes", 16'385)
SIZE_TEST("200,000 bytes", 200'000)
SIZE_TEST("3,000,000 bytes", 3'000'000)

#define SENDS_TEST(size)                                           \
    LEAT_TEST("two hundred sends of " #size " keep their order") { \
        return carry_in_sends_of(size);                            \
    }

SENDS_TEST(1)
SENDS_TEST(7)
SENDS_TEST(1448)
SENDS_TEST(16384)
SENDS_TEST(20001)

LEAT_TEST("nothing to fill and nothing to send waits for nothing") {
    connection both = co_await connected();
    co_await both.client.recv_exactly(std::span<char>());
    const std::size_t sent = co_await both.client.send("");
    CHECK(sent == 0);
    co_await both.client.send_all("");
    co_await both.client.send_all("", "", "");
    const bool works = co_await carries(both.client, both.server);
    CHECK(works);
}

LEAT_TEST("pieces of which some are empty arrive in order") {
    connection both = co_await connected();
    co_await both.client.send_all("", "a", "", "bc", "");
    both.client.close();
    const std::string arrived = co_await read_to_the_end(both.server);
    CHECK(arrived == "abc");
}

LEAT_TEST("recv_exactly says how much came before the end") {
    connection both = co_await connected();
    co_await both.client.send_all("abc");
    both.client.close();
    std::array<char, 8> buffer;
    std::string what;
    try {
        co_await both.server.recv_exactly(buffer);
    } catch (const std::system_error& error) {
        CHECK(error.code() == leat::stream_errc::end_of_stream);
        what = error.what();
    }
    CHECK(what.find("3") != std::string::npos);
}

LEAT_TEST("an end is told as often as it is asked for, in each way") {
    connection both = co_await connected();
    both.client.close();
    for (int i = 0; i < 3; ++i) {
        std::array<char, 8> buffer;
        const std::size_t count = co_await both.server.recv(buffer);
        CHECK(count == 0);
        const leat::chunk chunk = co_await both.server.recv_chunk();
        CHECK(chunk.size() == 0);
    }
}

LEAT_TEST("both ends may end their half, in either order, and what was sent before arrives") {
    for (const bool client_first : {true, false}) {
        connection both = co_await connected();
        leat::tcp_stream& first = client_first ? both.client : both.server;
        leat::tcp_stream& second = client_first ? both.server : both.client;
        co_await first.send_all("first");
        first.shutdown_send();
        const std::string from_first = co_await read_to_the_end(second);
        CHECK(from_first == "first");
        co_await second.send_all("second");
        second.shutdown_send();
        const std::string from_second = co_await read_to_the_end(first);
        CHECK(from_second == "second");
    }
}

LEAT_TEST("a half that is ended while a send_all waits ends behind what was sent") {
    connection both = co_await connected();
    auto sender = leat::spawn([&]() -> leat::task<> {
        co_await both.client.send_all(conformance::too_much());
        both.client.shutdown_send();
    });
    auto answered = leat::spawn([&]() -> leat::task<bool> { return carries(both.server, both.client); });
    const std::string arrived = co_await leat::timeout(patience, read_to_the_end(both.server));
    const bool same = arrived == conformance::too_much();
    CHECK(same);
    const bool answer = co_await answered;
    CHECK(answer);
    co_await sender;
}

LEAT_TEST("a new connection knows nothing of an old one with the same descriptor") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    for (int round = 0; round < 20; ++round) {
        connection both = co_await connected(listener);
        co_await both.client.send_all("for the old one");
        if (round % 2 == 0) {
            std::array<char, 3> some;
            co_await both.server.recv_exactly(some);
        } else {
            const auto given_up = co_await leat::move_on_after(1us, both.client.recv_chunk());
            CHECK_FALSE(given_up.has_value());
        }
        const int number = both.server.native_handle();
        both.server.close();
        both.client.close();
        connection next = co_await connected(listener);
        const bool there = co_await carries(next.client, next.server);
        const bool back = co_await carries(next.server, next.client);
        CHECK(there);
        CHECK(back);
        CHECK(number >= 0);
    }
}

LEAT_TEST("a stream that is moved keeps what it is about, and the one moved from is closed") {
    connection both = co_await connected();
    co_await both.client.send_all("kept");
    leat::tcp_stream moved = std::move(both.server);
    CHECK_FALSE(both.server.is_open());
    std::array<char, 4> text;
    co_await moved.recv_exactly(text);
    CHECK(std::string_view(text.data(), text.size()) == "kept");
}

LEAT_TEST("what was sent before a reset is lost or arrives, and then there is the reset, not an end") {
    connection both = co_await connected();
    co_await both.client.send_all("before");
    both.client.set_reset_on_close();
    both.client.close();
    std::error_code code;
    std::string arrived;
    while (!code) {
        const auto chunk = co_await leat::as_result(both.server.recv_chunk());
        code = chunk.error();
        REQUIRE((code || *chunk));
        arrived += code ? "" : chunk->text();
    }
    CHECK(code == std::errc::connection_reset);
    CHECK((arrived.empty() || arrived == "before"));
}

LEAT_TEST("a hundred connections carry bytes at once, each its own") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0}, {.backlog = 128});
    constexpr std::size_t count = 100;
    std::vector<leat::handle<>> all;
    for (std::size_t i = 0; i < count; ++i) {
        all.push_back(leat::spawn([&listener, i]() -> leat::task<> {
            auto stream = co_await leat::tcp_stream::connect(listener.local_endpoint());
            co_await stream.send_all(bytes(i * 100 + 1));
            stream.shutdown_send();
            const std::string back = co_await read_to_the_end(stream);
            CHECK(back == bytes(i * 100 + 1));
        }));
    }
    for (std::size_t i = 0; i < count; ++i) {
        auto peer = co_await leat::timeout(patience, listener.accept());
        all.push_back(leat::spawn(
            [](leat::tcp_stream from) -> leat::task<> {
                while (const auto chunk = co_await from.recv_chunk()) {
                    co_await from.send_all(chunk);
                }
            },
            std::move(peer)));
    }
    for (auto& each : all) {
        co_await leat::timeout(patience, each);
    }
}

LEAT_TEST("chunks that are kept do not change when others come") {
    connection both = co_await connected();
    std::vector<leat::chunk> kept;
    for (int i = 0; i < 40; ++i) {
        co_await both.client.send_all(std::to_string(i));
        kept.push_back(co_await both.server.recv_chunk());
    }
    for (int i = 0; i < 40; ++i) {
        CHECK(kept[static_cast<std::size_t>(i)].text() == std::to_string(i));
    }
}

LEAT_TEST("a listener that is closed ends the accept that waits, and a later one") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto waits = leat::spawn([&]() -> leat::task<> { (void)co_await listener.accept(); });
    co_await leat::yield();
    listener.close();
    const auto& ended = co_await waits.join();
    CHECK_FALSE(ended.ok());
    CHECK_FALSE(ended.cancelled());
    const auto later = co_await error_of(
        [](leat::tcp_listener& closed) -> leat::task<> { (void)co_await closed.accept(); }(listener));
    CHECK(later == leat::stream_errc::closed);
}

LEAT_TEST("an accept that takes too long leaves the listener as it was") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const auto nobody = co_await leat::move_on_after(1ms, listener.accept());
    CHECK_FALSE(nobody.has_value());
    connection both = co_await connected(listener);
    const bool works = co_await carries(both.client, both.server);
    CHECK(works);
}

LEAT_TEST("a port can be bound again at once, though connections of before are open") {
    leat::endpoint at("127.0.0.1", 0);
    std::vector<connection> kept;
    for (int round = 0; round < 3; ++round) {
        auto listener = leat::tcp_listener::bind(at);
        at = listener.local_endpoint();
        kept.push_back(co_await connected(listener));
    }
    for (connection& each : kept) {
        const bool works = co_await carries(each.client, each.server);
        CHECK(works);
    }
}

LEAT_TEST("ending one's half twice is ending it once") {
    connection both = co_await connected();
    co_await both.client.send_all("all");
    both.client.shutdown_send();
    both.client.shutdown_send();
    const std::string arrived = co_await read_to_the_end(both.server);
    CHECK(arrived == "all");
    const bool back = co_await carries(both.server, both.client);
    CHECK(back);
}

LEAT_TEST("a burst of connects is accepted to the last one, each once") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0}, {.backlog = 100});
    std::vector<leat::handle<leat::tcp_stream>> connecting;
    for (int i = 0; i < 60; ++i) {
        connecting.push_back(leat::spawn(leat::tcp_stream::connect(listener.local_endpoint())));
    }
    std::vector<leat::tcp_stream> clients;
    for (auto& each : connecting) {
        clients.push_back(co_await each);
    }
    std::vector<leat::endpoint> expected;
    std::vector<leat::endpoint> accepted;
    for (const leat::tcp_stream& each : clients) {
        expected.push_back(each.local_endpoint());
        const auto peer = co_await leat::timeout(patience, listener.accept());
        accepted.push_back(peer.remote_endpoint());
    }
    CHECK(std::is_permutation(expected.begin(), expected.end(), accepted.begin(), accepted.end()));
}

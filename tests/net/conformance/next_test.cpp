// SPDX-License-Identifier: MIT
// What follows a cancelled operation of a stream or listener at once, before that one has ended, on every
// backend: it works, and finds the stream as the cancelled one has left it.
#include "connected.hpp"

#include <leat/testing/doctest.hpp>

#include <array>
#include <string>

using conformance::connected;
using conformance::connection;
using conformance::error_of;
using conformance::patience;

LEAT_TEST("who cancels a recv may receive at once") {
    connection both = co_await connected();
    for (int round = 0; round < 3; ++round) {
        auto waits = leat::spawn([&]() -> leat::task<> { (void)co_await both.client.recv_chunk(); });
        co_await leat::testing::wait_until_idle();
        waits.cancel();
        auto sender = leat::spawn([&]() -> leat::task<> { co_await both.server.send_all("abc"); });
        std::array<char, 3> text;
        co_await leat::timeout(patience, both.client.recv_exactly(text));
        CHECK(std::string_view(text.data(), 3) == "abc");
        co_await sender;
        const auto& how = co_await waits.join();
        CHECK(how.cancelled());
    }
}

LEAT_TEST("who cancels a recv_exactly midway and receives at once gets the bytes in order") {
    for (int way = 0; way < 3; ++way) {
        connection both = co_await connected();
        INFO("way: ", way);
        std::array<char, 6> six;
        auto waits = leat::spawn([&]() -> leat::task<> { co_await both.client.recv_exactly(six); });
        co_await leat::testing::wait_until_idle();
        co_await both.server.send_all("abc");
        co_await leat::testing::wait_until_idle();
        waits.cancel();
        auto sender = leat::spawn([&]() -> leat::task<> { co_await both.server.send_all("defghijkl"); });
        std::string received;
        while (received.size() < 6) {  // begun before the cancelled one has unwound
            std::array<char, 6> text;
            if (way == 0) {
                const std::size_t count = co_await leat::timeout(patience, both.client.recv(text));
                received.append(text.data(), count);
            } else if (way == 1) {
                co_await leat::timeout(patience, both.client.recv_exactly(std::span(text).first(2)));
                received.append(text.data(), 2);
            } else {
                const leat::chunk chunk = co_await leat::timeout(patience, both.client.recv_chunk());
                received += chunk.text();
            }
        }
        co_await sender;
        const auto& how = co_await waits.join();
        const std::string expected = how.cancelled() ? "abcdefghijkl" : "ghijkl";  // it may have succeeded
        CHECK(expected.starts_with(received));
    }
}

LEAT_TEST("who cancels a send_all midway and sends at once is told that the stream is broken") {
    connection both = co_await connected();
    auto sends =
        leat::spawn([&]() -> leat::task<> { co_await both.client.send_all(conformance::too_much()); });
    co_await leat::testing::wait_until_idle();
    sends.cancel();
    auto reads = leat::spawn([&]() -> leat::task<std::string> {
        std::string all = co_await conformance::read_to_the_end(both.server);
        co_return all;
    });
    const std::error_code code = co_await error_of(
        [](leat::tcp_stream& to) -> leat::task<> { co_await to.send_all("behind a gap"); }(both.client));
    CHECK(code == leat::stream_errc::broken);
    const auto& how = co_await sends.join();
    CHECK(how.cancelled());
    const std::uint64_t sent = both.client.bytes_sent();
    both.client.close();
    const std::string arrived = co_await leat::timeout(patience, reads);
    CHECK(arrived == conformance::too_much().substr(0, sent));
}

LEAT_TEST("who cancels an accept may accept at once") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto waits = leat::spawn([&]() -> leat::task<> { (void)co_await listener.accept(); });
    co_await leat::testing::wait_until_idle();
    waits.cancel();
    auto connecting = leat::spawn([&]() -> leat::task<leat::tcp_stream> {
        co_return co_await leat::tcp_stream::connect(listener.local_endpoint());
    });
    auto accepted = co_await leat::timeout(patience, listener.accept());
    auto client = co_await connecting;
    const bool works = co_await conformance::carries(client, accepted);
    CHECK(works);
    const auto& how = co_await waits.join();
    CHECK(how.cancelled());
}

namespace {

// A reader of six bytes is cancelled when it has three of them, and the stream detached at once.
leat::task<> detach_behind_cancelled() {
    connection both = co_await connected();
    std::array<char, 6> six;
    auto waits = leat::spawn([&]() -> leat::task<> { co_await both.client.recv_exactly(six); });
    co_await leat::testing::wait_until_idle();
    co_await both.server.send_all("abc");
    co_await leat::testing::wait_until_idle();
    waits.cancel();
    both.client.detach();
    co_await both.server.send_all("defghi");
    std::array<char, 6> text;
    co_await leat::timeout(patience, both.client.recv_exactly(text));
    CHECK(std::string_view(text.data(), 6) == "abcdef");
    const auto& how = co_await waits.join();
    CHECK(how.cancelled());
}

// The socket of a reader that has been cancelled is closed before that one has ended.
leat::task<> close_behind_cancelled() {
    connection both = co_await connected();
    auto waits = leat::spawn([&]() -> leat::task<> { (void)co_await both.client.recv_chunk(); });
    co_await leat::testing::wait_until_idle();
    waits.cancel();
    both.client.close();
    const auto& how = co_await waits.join();
    CHECK(how.cancelled());
}

}  // namespace

LEAT_TEST("who cancels a recv_exactly midway and detaches the stream at once gets the bytes in order") {
    co_await detach_behind_cancelled();
}

LEAT_SIMULATE("what a cancelled receive gives back is there when the stream is detached",
              {.seeds = 100, .random_order = true}) {
    co_await detach_behind_cancelled();
}

LEAT_TEST("who is cancelled and then loses its socket ends as cancelled") {
    co_await close_behind_cancelled();
}

LEAT_SIMULATE("who is cancelled late and then loses its socket ends as cancelled", {.seeds = 100}) {
    co_await close_behind_cancelled();
}

LEAT_TEST("a socket is readable when a cancelled read has given bytes back to it") {
    connection both = co_await connected();
    std::array<char, 6> six;
    auto waits = leat::spawn([&]() -> leat::task<> { co_await both.client.recv_exactly(six); });
    co_await leat::testing::wait_until_idle();
    co_await both.server.send_all("abc");
    co_await leat::testing::wait_until_idle();
    waits.cancel();
    (void)co_await waits.join();
    co_await leat::timeout(patience, leat::readable(both.client.native_handle()));
    const leat::chunk chunk = co_await both.client.recv_chunk();
    CHECK(chunk.text() == "abc");
}

LEAT_SIMULATE("what follows a cancelled receive gets the bytes in order",
              {.seeds = 300, .random_order = true}) {
    connection both = co_await connected();
    std::array<char, 6> six;
    auto waits = leat::spawn([&]() -> leat::task<> { co_await both.client.recv_exactly(six); });
    auto sender = leat::spawn([&]() -> leat::task<> { co_await both.server.send_all("abcdefghijkl"); });
    co_await leat::testing::wait_until_idle();
    waits.cancel();
    std::string received;
    std::array<char, 2> text;
    while (received.size() < 6) {
        co_await both.client.recv_exactly(text);
        received.append(text.data(), text.size());
    }
    const auto& how = co_await waits.join();
    CHECK(received == (how.cancelled() ? "abcdef" : "ghijkl"));
    co_await sender;
}

// The turn of a task that has used up its budget comes later: then the bytes may have gone with the stream.
LEAT_TEST(
    "a recv_chunk of bytes that were given back ends as closed if its stream is closed before its turn") {
    int closed = 0;
    for (int waits = 0; waits <= leat::detail::inline_completions_max; ++waits) {
        connection both = co_await connected();
        std::array<char, 10> ten;
        auto cut = leat::spawn(both.client.recv_exactly(ten));
        co_await both.server.send_all("abc");
        co_await leat::testing::wait_until_idle();
        cut.cancel();
        co_await cut.join();
        leat::semaphore places(leat::detail::inline_completions_max);
        auto reader = leat::spawn([&]() -> leat::task<leat::result<leat::chunk>> {
            for (int each = 0; each < waits; ++each) {
                (void)co_await places.acquire();
            }
            co_return co_await leat::as_result(both.client.recv_chunk());
        });
        auto closer = leat::spawn([&]() -> leat::task<> {
            both.client.close();
            co_return;
        });
        const auto got = co_await reader;
        co_await closer;
        if (got.ok()) {
            CHECK(got->text() == "abc");
        } else {
            CHECK(got.error() == leat::stream_errc::closed);
            ++closed;
        }
    }
    CHECK(closed > 0);
}

// SPDX-License-Identifier: MIT
// Streams of HTTP/2 that another protocol has for itself, as byte streams.
#include "../http/h2_client.hpp"
#include "../http/serving.hpp"

#include <leat/framing.hpp>
#include <leat/testing/doctest.hpp>

#include <array>

using leat::http::request;
using leat::http::response;
using leat::testing::h2_peer;
using leat::testing::serving;
using leat::testing::unattended;

namespace {

using protocol = std::function<leat::task<>(leat::any_stream&)>;

// Speaks `what` on the stream of a client that does as `client` says.
leat::task<> tunnelling(protocol what, std::function<leat::task<>(h2_peer&, std::int32_t)> client) {
    const auto handler = [what](const request& asked) -> leat::task<response> {
        CHECK(asked.method == "GET");
        CHECK(asked.headers.get("Upgrade") == "lines");
        response made;
        made.status = 101;
        made.upgraded = what;
        co_return made;
    };
    co_await serving(handler, unattended, [&](leat::endpoint where) -> leat::task<> {
        leat::tcp_stream made = co_await leat::tcp_stream::connect(where);
        h2_peer peer(leat::any_stream(std::move(made)), 1000);
        const auto id = peer.connect("/", "lines");
        co_await client(peer, id);
    });
}

}  // namespace

LEAT_TEST(
    "a stream of HTTP/2 receives by pieces of any size, takes bytes back, and ends where its client does") {
    const auto reads = [](leat::any_stream& peer) -> leat::task<> {
        const auto line = co_await leat::recv_line(peer);
        CHECK(line == "a line");
        std::array<char, 4> four{};
        co_await peer.recv_exactly(four);
        CHECK(std::string_view(four.data(), 4) == "four");
        const std::size_t one = co_await peer.recv(std::span(four).first(1));
        CHECK(one == 1);
        leat::chunk rest = co_await peer.recv_chunk();
        CHECK(rest.text() == "est");
        peer.unread(std::move(rest));
        const leat::chunk again = co_await peer.recv_chunk();
        CHECK(again.text() == "est");
        const leat::chunk none = co_await peer.recv_chunk();
        CHECK(none.empty());
        const auto few = co_await leat::as_result(peer.recv_exactly(four));
        CHECK(few.error() == leat::stream_errc::end_of_stream);
        co_await peer.send_all("one ", std::string_view("two "), std::string(100'000, 'x'));
        co_await peer.shutdown_send();
        const auto behind = co_await leat::as_result(peer.send_all("x"));
        CHECK(behind.error() == leat::stream_errc::closed);
    };
    co_await tunnelling(reads, [](h2_peer& peer, std::int32_t id) -> leat::task<> {
        const bool begun = co_await peer.talk_until([&] { return peer.of(id).status == 200; });
        CHECK(begun);
        peer.add_body(id, "a li");
        co_await peer.flush();
        co_await leat::yield();
        peer.add_body(id, "ne\nfourrest");
        peer.end_body(id);
        const bool ended = co_await peer.finish(id);
        CHECK(ended);
        CHECK(peer.of(id).body == "one two " + std::string(100'000, 'x'));
        CHECK(peer.of(id).whole);
    });
}

LEAT_TEST("a stream of HTTP/2 that is closed ends what waits on it, and one that is reset tells its client") {
    for (const bool resets : {false, true}) {
        const auto waits = [&](leat::any_stream& peer) -> leat::task<> {
            auto receiving =
                leat::spawn([&]() -> leat::task<> { (void)co_await leat::as_result(peer.recv_chunk()); });
            std::error_code sent;
            auto sending = leat::spawn([&]() -> leat::task<> {
                const auto done = co_await leat::as_result(peer.send_all(std::string(100'000, 'x')));
                sent = done.error();
            });
            for (int turn = 0; turn < 5; ++turn) {
                co_await leat::yield();
            }
            if (resets) {
                peer.reset();
            } else {
                peer.close();
            }
            co_await receiving;
            co_await sending;
            CHECK(sent == std::errc::operation_canceled);
            const auto later = co_await leat::as_result(peer.recv_chunk());
            CHECK(later.error() == leat::stream_errc::closed);
            const auto more = co_await leat::as_result(peer.send("x"));
            CHECK(more.error() == leat::stream_errc::closed);
        };
        co_await tunnelling(waits, [&](h2_peer& peer, std::int32_t id) -> leat::task<> {
            const bool ended =
                co_await peer.talk_until([&] { return peer.of(id).whole || peer.of(id).reset; });
            CHECK(ended);
            CHECK(peer.of(id).whole == !resets);
            if (resets) {
                CHECK(peer.of(id).reset == NGHTTP2_CANCEL);
            }
        });
    }
}

LEAT_TEST("operations on a stream of HTTP/2 that are cancelled in any turn lose no byte") {
    std::string sent;
    for (int i = 0; i < 30'000; ++i) {
        sent += static_cast<char>('a' + i % 23);
    }
    for (int turns = 0; turns < 8; ++turns) {
        const auto wait = [turns]() -> leat::task<bool> {
            for (int turn = 0; turn < turns; ++turn) {
                co_await leat::yield();
            }
            co_return true;
        };
        const auto echoes = [&](leat::any_stream& peer) -> leat::task<> {
            for (;;) {
                const auto [got, tired] = co_await leat::race(
                    [&]() -> leat::task<std::string> {
                        const leat::chunk some = co_await peer.recv_chunk();
                        co_return std::string(some.text());
                    },
                    wait);
                co_await leat::yield();
                if (!got) {
                    continue;
                }
                if (got->empty()) {
                    co_return;
                }
                for (std::string_view rest = *got; !rest.empty();) {
                    const auto [size, late] = co_await leat::race(
                        [&]() -> leat::task<std::size_t> { co_return co_await peer.send(rest); }, wait);
                    rest.remove_prefix(size.value_or(0));
                    co_await leat::yield();
                }
            }
        };
        co_await tunnelling(echoes, [&](h2_peer& peer, std::int32_t id) -> leat::task<> {
            peer.add_body(id, sent);
            peer.end_body(id);
            const bool ended = co_await peer.finish(id);
            CHECK(ended);
            CHECK(peer.of(id).body == sent);
        });
    }
}

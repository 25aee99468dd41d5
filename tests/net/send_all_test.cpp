// SPDX-License-Identifier: MIT
#include <leat/send_all.hpp>

#include <leat/any_stream.hpp>
#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/system/pipe.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/memory_stream.hpp>

#include <string>

using namespace std::chrono_literals;
using leat::send_all;
using leat::send_stalled;
using leat::testing::kernel;
using leat::testing::memory_stream;
using leat::testing::simulated;

namespace {

// Receives `size` bytes, one at a time, a minute after the other.
leat::task<std::string> receive_slowly(memory_stream& from, std::size_t size) {
    std::string all;
    char byte[1];
    while (all.size() < size) {
        co_await leat::sleep(1min);
        co_await from.recv_exactly(byte);
        all += byte[0];
    }
    co_return all;
}

struct stalled {
    std::string text;
    std::size_t sent = 0;
};

template <typename Stream>
leat::task<stalled> stalls(Stream& to, std::string_view text, leat::duration limit) {
    stalled seen;
    try {
        co_await send_all(to, text, {.stall = limit});
    } catch (const send_stalled& error) {
        CHECK(error.code() == std::errc::timed_out);
        seen = {error.what(), error.bytes_sent()};
    }
    co_return seen;
}

}  // namespace

LEAT_TEST("send_all with a limit sends all to a peer that is slow, but moves", on(simulated)) {
    auto [near, far] = memory_stream::pair({.capacity = 1});
    const std::string sent(100, 'x');
    const auto began = leat::now();
    auto [nothing, received] =
        co_await leat::gather(send_all(near, sent, {.stall = 61s}), receive_slowly(far, sent.size()));
    CHECK(received == sent);
    CHECK(leat::now() - began == 100min);
}

LEAT_TEST("send_all with a limit gives a peer up that takes nothing for so long, and tells how far it came",
          on(simulated)) {
    auto [near, far] = memory_stream::pair({.capacity = 4});
    const auto began = leat::now();
    const stalled seen = co_await stalls(near, "0123456789", 30s);
    CHECK(seen.text == "no byte was taken for 30 s: 4 of 10 were sent");
    CHECK(seen.sent == 4);
    CHECK(leat::now() - began == 30s);
    const auto after = co_await leat::as_result(near.send("x"));
    CHECK(after.error() == leat::stream_errc::closed);
    const auto received = co_await leat::as_result(far.recv_chunk());
    CHECK(received.error() == std::errc::connection_reset);
}

LEAT_TEST("a send_all that stalls before its first byte has sent nothing, and the stream works",
          on(simulated)) {
    auto [near, far] = memory_stream::pair({.capacity = 4});
    co_await near.send_all("full");
    const stalled seen = co_await stalls(near, "lost", 1s);
    CHECK(seen.text == "no byte was taken for 1 s: 0 of 4 were sent");
    std::string four(4, ' ');
    co_await far.recv_exactly(four);
    co_await send_all(near, "next", {.stall = 1s});
    co_await far.recv_exactly(four);
    CHECK(four == "next");
}

LEAT_TEST("a send_all with a limit that is cancelled midway leaves no stream with a gap", on(simulated)) {
    auto [near, far] = memory_stream::pair({.capacity = 4});
    const bool whole = co_await leat::move_on_after(1s, send_all(near, "0123456789", {.stall = 1h}));
    CHECK_FALSE(whole);
    const auto after = co_await leat::as_result(near.send("x"));
    CHECK(after.error() == leat::stream_errc::closed);
}

LEAT_TEST("a send_all with a limit that is cancelled before its first byte leaves the stream as it was",
          on(simulated)) {
    auto [near, far] = memory_stream::pair({.capacity = 4});
    co_await near.send_all("full");
    const bool whole = co_await leat::move_on_after(1s, send_all(near, "lost", {.stall = 1h}));
    CHECK_FALSE(whole);
    const leat::chunk received = co_await far.recv_chunk();
    CHECK(received.text() == "full");
    co_await near.send_all("next");
    const leat::chunk next = co_await far.recv_chunk();
    CHECK(next.text() == "next");
}

LEAT_TEST("send_all with a limit sends over TCP, also in an any_stream, and nothing at all") {
    auto [client, server] = co_await leat::testing::stream_pair();
    leat::any_stream carried(std::move(client));
    std::string sent(1'000'000, 'x');
    sent += "end";
    std::string received(sent.size(), ' ');
    co_await send_all(carried, "", {});
    co_await leat::gather(send_all(carried, sent, {.stall = 1h}), server.recv_exactly(received));
    CHECK(received == sent);
    carried.close();
    const auto closed = co_await leat::as_result(send_all(carried, "", {}));
    CHECK(closed.error() == leat::stream_errc::closed);
}

LEAT_TEST("a peer over TCP that reads nothing is given up, and sees a reset") {
    auto [client, server] = co_await leat::testing::stream_pair();
    const std::string sent(20'000'000, 'x');
    const stalled seen = co_await stalls(client, sent, 10ms);
    CHECK(seen.sent > 0);
    CHECK(seen.sent < sent.size());
    CHECK(seen.sent == client.bytes_sent());
    CHECK_FALSE(client.is_open());
    std::error_code code;
    while (!code) {
        const auto part = co_await leat::as_result(server.recv_chunk());
        code = part.error();
        REQUIRE((code || *part));
    }
    CHECK(code == std::errc::connection_reset);
}

LEAT_TEST("a pipe that nobody reads is closed after the limit", on(kernel)) {
    auto [reader, writer] = leat::make_pipe();
    const stalled seen = co_await stalls(writer, std::string(1'000'000, 'x'), 10ms);
    CHECK(seen.sent > 0);
    CHECK(seen.sent == writer.bytes_sent());
    CHECK_FALSE(writer.is_open());
}

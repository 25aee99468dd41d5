// SPDX-License-Identifier: MIT
// Lines and what follows them, over TCP, TLS, the Unix domain and any_stream, on every backend.
#include "conformance/connected.hpp"

#include <leat/any_stream.hpp>
#include <leat/framing.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/idle.hpp>
#include <leat/testing/memory_stream.hpp>
#include <leat/testing/stream_pair.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using conformance::connected;
using conformance::connection;
using leat::buffered_reader;
using leat::recv_line;
using leat::task;

static_assert(leat::pushback_stream<leat::tcp_stream>);
static_assert(leat::pushback_stream<leat::unix_stream>);
static_assert(leat::pushback_stream<leat::any_stream>);
static_assert(leat::receive_stream<buffered_reader<leat::any_stream>>);

namespace {

// A header by recv_line, lines by a reader, and a body that the reader gives back to the stream.
template <typename Stream>
task<> reads_lines(Stream& from, Stream& to) {
    auto sends = leat::spawn([&]() -> task<> {
        for (const std::string_view part : {"he", "ad\r", "\na\nb", "c\r\n", "\nbo", "dy"}) {
            co_await to.send_all(part);
            co_await leat::yield();
        }
    });
    const auto head = co_await recv_line(from);
    CHECK(head == "head");
    std::vector<std::string> lines;
    {
        buffered_reader reader(from);
        for (auto line = co_await reader.line(); !line->empty(); line = co_await reader.line()) {
            lines.emplace_back(*line);
        }
        reader.give_back();
    }
    CHECK(lines == std::vector<std::string>{"a", "bc"});
    std::string body(4, ' ');
    co_await leat::timeout(conformance::patience, from.recv_exactly(body));
    CHECK(body == "body");
    co_await sends;
}

}  // namespace

LEAT_TEST("lines come over TCP, and a body behind them is in the stream") {
    connection both = co_await connected();
    co_await reads_lines(both.server, both.client);
}

namespace {

template <typename Stream>
task<> gives_lines_by_itself(Stream& from, Stream& to) {
    co_await to.send_all("HELO\r\nname;rest");
    const auto line = co_await from.recv_line();
    CHECK(line == "HELO");
    const auto part = co_await from.recv_until(";", 4);
    CHECK(part == "name");
    to.shutdown_send();
    const auto rest = co_await from.recv_line(4);
    CHECK(rest == "rest");
    const auto end = co_await from.recv_line();
    CHECK_FALSE(end.has_value());
}

}  // namespace

LEAT_TEST("a socket of TCP gives lines and parts by itself") {
    connection both = co_await connected();
    co_await gives_lines_by_itself(both.server, both.client);
}

LEAT_TEST("a socket of the Unix domain gives lines and parts by itself", on(kernel)) {
    auto [near, far] = leat::unix_stream::pair();
    co_await gives_lines_by_itself(near, far);
}

LEAT_TEST("lines come through an any_stream, and a body behind them is in the stream") {
    connection both = co_await connected();
    leat::any_stream near(std::move(both.client));
    leat::any_stream far(std::move(both.server));
    co_await reads_lines(near, far);
}

LEAT_TEST(
    "a recv_line from a socket that is cancelled takes nothing, and so does one that others wait behind") {
    connection both = co_await connected();
    co_await both.client.send_all("ab");
    const auto nothing = co_await leat::move_on_after(20ms, recv_line(both.server));
    CHECK_FALSE(nothing.has_value());
    std::array<char, 2> two;
    co_await both.server.recv_exactly(two);
    CHECK(std::string_view(two.data(), 2) == "ab");
}

namespace {

// A task that receives before a cancelled recv_line has unwound waits behind it.
template <typename Stream>
task<> receives_behind_cancelled(Stream& from, Stream& to) {
    std::array<char, 2> two;
    for (int turns = 0; turns < 4; ++turns) {
        CAPTURE(turns);
        co_await to.send_all("cd");
        auto first = leat::spawn([&]() -> task<> { co_await recv_line(from); });
        co_await leat::testing::wait_until_idle();
        first.cancel();
        auto second = leat::spawn([&]() -> task<> { co_await from.recv_exactly(two); });
        for (int turn = 0; turn < turns; ++turn) {
            co_await leat::yield();
        }
        co_await to.send_all("ef");
        co_await leat::timeout(conformance::patience, second);
        CHECK(std::string_view(two.data(), 2) == "cd");
        co_await first.join();
        co_await from.recv_exactly(two);
        CHECK(std::string_view(two.data(), 2) == "ef");
    }
}

}  // namespace

LEAT_TEST("who receives behind a cancelled recv_line sees what that had received, on a socket") {
    connection both = co_await connected();
    co_await receives_behind_cancelled(both.server, both.client);
}

LEAT_TEST("who receives behind a cancelled recv_line sees what that had received, in an any_stream") {
    connection both = co_await connected();
    leat::any_stream near(std::move(both.client));
    leat::any_stream far(std::move(both.server));
    co_await receives_behind_cancelled(near, far);
}

LEAT_TEST("who receives behind a cancelled recv_line sees what that had received, in memory") {
    auto [near, far] = leat::testing::memory_stream::pair();
    co_await receives_behind_cancelled(near, far);
}

namespace {

enum class next_read { some, exactly, piece, line };

template <typename Stream>
task<std::string> reads_three(Stream& from, next_read how) {
    std::string got;
    while (got.size() < 3) {
        std::array<char, 3> room;
        if (how == next_read::some) {
            const std::size_t count = co_await from.recv(std::span(room).first(3 - got.size()));
            got.append(room.data(), count);
        } else if (how == next_read::exactly) {
            co_await from.recv_exactly(room);
            got.append(room.data(), 3);
        } else if (how == next_read::piece) {
            const leat::chunk part = co_await from.recv_chunk();
            got += part.text();
        } else {
            const auto line = co_await recv_line(from);
            got += line.value() + "\n";
        }
    }
    co_return got;
}

// Until bytes have come to `reads`, and that has not gone on. Its wait has ended then, or goes on with them.
task<> let_bytes_come(leat::handle<>& reads) {
    for (int turn = 0; turn < 20 && reads.state().waiting != nullptr; ++turn) {
        co_await leat::sleep(1us);  // a task whose time has come runs before those whose bytes have
    }
}

// A recv_line is cancelled when bytes of its line have come, and before it has seen them; the task that
// cancels it receives at once.
template <typename Stream>
task<> receives_in_the_turn_of_the_cancel(Stream& from, Stream& to) {
    for (const next_read how : {next_read::some, next_read::exactly, next_read::piece, next_read::line}) {
        for (const bool later_bytes_first : {false, true}) {
            CAPTURE(int(how));
            auto first = leat::spawn([&]() -> task<> { co_await recv_line(from); });
            co_await leat::testing::wait_until_idle();
            co_await to.send_all("a");
            co_await let_bytes_come(first);
            if (later_bytes_first) {
                co_await to.send_all("b\n");
            }
            first.cancel();
            auto sends = leat::spawn([&]() -> task<> {
                co_await first.join();
                if (!later_bytes_first) {
                    co_await to.send_all("b\n");
                }
            });
            const auto got = co_await leat::move_on_after(conformance::patience, reads_three(from, how));
            co_await sends;
            REQUIRE(got == "ab\n");
        }
    }
}

}  // namespace

LEAT_TEST("who receives in the turn in which a recv_line is cancelled sees its bytes, on a socket") {
    connection both = co_await connected();
    co_await receives_in_the_turn_of_the_cancel(both.server, both.client);
}

LEAT_TEST("who receives in the turn in which a recv_line is cancelled sees its bytes, in an any_stream") {
    connection both = co_await connected();
    leat::any_stream near(std::move(both.client));
    leat::any_stream far(std::move(both.server));
    co_await receives_in_the_turn_of_the_cancel(near, far);
}

namespace {

task<> sends_in_pieces(leat::tcp_stream& to, std::string_view text) {
    for (std::size_t at = 0, size = 1; at < text.size(); at += size, size = size % 7 + 1) {
        co_await to.send_all(text.substr(at, size));
        co_await leat::sleep(size * 10us);
    }
}

}  // namespace

LEAT_SIMULATE("recv_lines that are cancelled at any moment lose no byte to who receives at once",
              {.seeds = 60, .random_order = true}) {
    connection both = co_await connected();
    std::string text;
    for (int i = 0; i < 60; ++i) {
        text += std::to_string(i * i) + "\n";
    }
    auto sends = leat::spawn(sends_in_pieces(both.client, text));
    leat::backend& chance = leat::current_scheduler().io();
    std::string got;
    while (got.size() < text.size()) {
        std::string line;
        auto reads = leat::spawn([&]() -> task<> {
            const auto came = co_await recv_line(both.server);
            line = came.value() + "\n";
        });
        co_await leat::sleep(std::chrono::microseconds(chance.random() % 200));
        for (std::uint64_t turns = chance.random() % 4; turns > 0; --turns) {
            co_await leat::yield();
        }
        reads.cancel();
        std::array<char, 3> some;
        const auto count = co_await leat::move_on_after(20us, both.server.recv(some));
        co_await reads.join();
        got += line;
        got.append(some.data(), count.value_or(0));
    }
    CHECK(got == text);
    co_await sends;
}

// Closing a stream on which a task waits makes the loop look at what has completed before its turn is over.
LEAT_TEST("a recv_line that is cancelled in a turn that closes another stream keeps what is behind the line",
          on(kernel)) {
    for (int round = 0; round < 3; ++round) {
        connection both = co_await connected();
        connection other = co_await connected();
        auto waits = leat::spawn([&]() -> task<> {
            char byte[1];
            const auto none = co_await leat::as_result(other.server.recv(byte));
            CHECK_FALSE(none.ok());
        });
        std::string line;
        auto reads = leat::spawn([&]() -> task<> {
            const auto came = co_await recv_line(both.server);
            line = came.value() + "\n";
        });
        co_await leat::testing::wait_until_idle();
        const std::string_view text = "ab\ncd\nefgh";
        co_await both.client.send_all(text.substr(0, 6));
        other.server.close();
        co_await both.client.send_all(text.substr(6));
        reads.cancel();
        std::string rest(2, ' ');
        co_await leat::timeout(conformance::patience, both.server.recv_exactly(rest));
        co_await reads.join();
        CHECK(text.starts_with(line + rest));
        co_await waits.join();
    }
}

LEAT_TEST("bytes given back to a socket come first, and a stream that is closed with them resets the peer") {
    connection both = co_await connected();
    co_await both.client.send_all("body");
    leat::chunk some = co_await both.server.recv_chunk();
    both.server.unread(std::move(some));
    CHECK(some.empty());
    CHECK_FALSE(both.server.is_quiet());
    std::array<char, 4> four;
    co_await both.server.recv_exactly(four);
    CHECK(std::string_view(four.data(), 4) == "body");
    both.server.unread(leat::copied_chunk(std::as_bytes(std::span(four))));
    both.server.close();
    const auto end = co_await leat::as_result(both.client.recv_chunk());
    CHECK(end.error() == std::errc::connection_reset);
}

LEAT_TEST("an any_stream of a stream that takes nothing back says so, and leaves the bytes to the caller") {
    struct plain : leat::testing::memory_stream {
        explicit plain(memory_stream of) noexcept : memory_stream(std::move(of)) {}
        void unread() {}
    };
    auto [near, far] = leat::testing::memory_stream::pair();
    leat::any_stream any{plain(std::move(near))};
    leat::chunk bytes = leat::copied_chunk(std::as_bytes(std::span("text", 4)));
    std::error_code code;
    try {
        any.unread(std::move(bytes));
    } catch (const std::system_error& error) {
        code = error.code();
    }
    CHECK(code == std::errc::operation_not_supported);
    CHECK(bytes.text() == "text");
    co_await leat::yield();
}

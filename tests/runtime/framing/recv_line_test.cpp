// SPDX-License-Identifier: MIT
// recv_line and recv_until: a line of a stream, and what follows it stays there.
#include "split_stream.hpp"

#include <leat/system/pipe.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/idle.hpp>
#include <leat/testing/scripted_stream.hpp>

using namespace std::chrono_literals;
using framing_tests::failure_of;
using framing_tests::memory_stream;
using framing_tests::stream_cut_at;
using framing_tests::stream_of;
using leat::recv_line;
using leat::recv_until;
using leat::task;

static_assert(leat::pushback_stream<memory_stream>);
static_assert(leat::pushback_stream<leat::pipe_reader>);
static_assert(leat::pushback_stream<leat::testing::scripted_stream>);

LEAT_TEST("a line and a part are taken from a stream, and the rest stays in it, wherever the bytes are cut") {
    const std::string text = "HELO\r\nname: x\r\n\r\nbody";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        CAPTURE(cut);
        auto stream = co_await stream_cut_at(cut, text);
        const auto hello = co_await recv_line(stream);
        CHECK(hello == "HELO");
        const auto head = co_await recv_until(stream, "\r\n\r\n");
        CHECK(head == "name: x");
        std::string body(4, ' ');
        co_await stream.recv_exactly(body);
        CHECK(body == "body");
        const auto end = co_await recv_line(stream);
        CHECK_FALSE(end.has_value());
    }
}

LEAT_TEST("a line that is too long, or cut off, stays in the stream") {
    auto stream = co_await stream_of("0123456789", 3);
    const auto refused = co_await failure_of([&] { return recv_line(stream, 5); });
    CHECK(refused.code == leat::framing_errc::too_long);
    const auto cut = co_await failure_of([&] { return recv_line(stream, 50, leat::last_line::must_end); });
    CHECK(cut.code == leat::stream_errc::end_of_stream);
    const auto part = co_await failure_of([&] { return recv_until(stream, ";"); });
    CHECK(part.code == leat::stream_errc::end_of_stream);
    const auto line = co_await recv_line(stream);
    CHECK(line == "0123456789");
}

LEAT_TEST("a recv_line that is cancelled takes nothing") {
    auto [near, far] = memory_stream::pair();
    co_await far.send_all("ab");
    const auto nothing = co_await leat::move_on_after(1ms, recv_line(near));
    CHECK_FALSE(nothing.has_value());
    co_await far.send_all("c\nd");
    const auto line = co_await recv_line(near);
    CHECK(line == "abc");
    std::string rest(1, ' ');
    co_await near.recv_exactly(rest);
    CHECK(rest == "d");
}

LEAT_TEST("who reads behind a cancelled recv_line of a reader sees what that had taken from it") {
    auto [near, far] = memory_stream::pair();
    leat::buffered_reader reader(near);
    co_await far.send_all("ab");
    auto first = leat::spawn([&]() -> task<> { co_await recv_line(reader); });
    co_await leat::testing::wait_until_idle();
    auto sends = leat::spawn([&]() -> task<> {
        co_await first.join();
        co_await far.send_all("c\n");
    });
    first.cancel();
    const auto line = co_await reader.line();  // at once: the first has not unwound
    CHECK(line == "abc");
    co_await sends;
}

LEAT_TEST("a line is taken from a pipe and from a script", on(leat::testing::kernel)) {
    auto [out, in] = leat::make_pipe();
    co_await in.send_all("one\ntwo");
    in.close();
    const auto one = co_await recv_line(out);
    CHECK(one == "one");
    const leat::chunk two = co_await out.recv_chunk();
    CHECK(two.text() == "two");

    leat::testing::scripted_stream server;
    server.answer("220 re").answer("ady\r\n250 ok\r\n").end();
    const auto ready = co_await recv_line(server);
    CHECK(ready == "220 ready");
    const auto ok = co_await recv_line(server);
    CHECK(ok == "250 ok");
    const auto end = co_await recv_line(server);
    CHECK_FALSE(end.has_value());
}

// SPDX-License-Identifier: MIT
#include "../crash/aborts.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/scripted_stream.hpp>

#include <string>

using namespace std::chrono_literals;
using leat::testing::script_mismatch;
using leat::testing::scripted_stream;

static_assert(leat::stream<scripted_stream>);

namespace {

// What the peer answers to a request, up to its end.
leat::task<std::string> ask(scripted_stream server, std::string request) {
    co_await server.send_all(request);
    std::string answer;
    while (auto part = co_await server.recv_chunk()) {
        answer += part.text();
    }
    co_return answer;
}

// What the exception says that `x` ends with; empty when there is none.
leat::task<std::string> error_of(leat::task<std::string> x) {
    try {
        (void)co_await std::move(x);
    } catch (const std::exception& error) {
        co_return error.what();
    }
    co_return "";
}

}  // namespace

LEAT_TEST("a script is played from its beginning to its end") {
    scripted_stream server;
    server.expect("GET / HTTP/1.1\r\n").answer("200").wait(1ms).answer(" OK").end();
    const auto verdict = server.verdict();
    const leat::time_point before = leat::now();
    CHECK(verdict.text() == "expected \"GET / HTTP/1.1\\r\\n\", but nothing came");
    const std::string answer = co_await ask(std::move(server), "GET / HTTP/1.1\r\n");
    CHECK(answer == "200 OK");
    CHECK(leat::now() - before >= 1ms);
    CHECK(verdict.text() == "");
}

LEAT_TEST("the pieces in which something is sent do not matter") {
    scripted_stream peer;
    peer.expect("abc").expect("def").answer("ok");
    co_await peer.send_all("a", "bcd", "e");
    const std::size_t sent = co_await peer.send("f");
    CHECK(sent == 1);
    char ok[2];
    co_await peer.recv_exactly(ok);
    CHECK(std::string_view(ok, 2) == "ok");
    CHECK(peer.verdict().text() == "");
}

LEAT_TEST("what differs from the script fails with what was expected and what came, and stays so") {
    scripted_stream server;
    server.expect("GET /").answer("200");
    const auto verdict = server.verdict();
    const std::string error = co_await error_of(ask(std::move(server), "POST /\x01"));
    CHECK(error == "expected \"GET /\", but \"POST /\\x01\" came");
    CHECK(verdict.text() == error);
}

LEAT_TEST("more than a script expects fails, and so does what is sent after its end") {
    scripted_stream server;
    server.expect("a").end();
    const auto verdict = server.verdict();
    const std::string error = co_await error_of(ask(std::move(server), "ab"));
    CHECK(error == "expected nothing more, but \"b\" came");
    CHECK(verdict.text() == error);
}

LEAT_TEST("a verdict tells what was left of a script") {
    scripted_stream peer;
    peer.answer("unread").wait(1s).end();
    CHECK(peer.verdict().text() == "answered \"unread\", and nobody received it");
    char part[4];
    co_await peer.recv_exactly(part);
    CHECK(peer.verdict().text() == "answered \"ad\", and nobody received it");
    co_await peer.recv_exactly(std::span(part, 2));
    CHECK(peer.verdict().text() == "");
    peer.fail(std::errc::connection_reset);
    CHECK(peer.verdict().text() == "failed with \"Connection reset by peer\", and nobody saw it");
}

LEAT_TEST("a failure of the script fails what is received or sent then, once") {
    scripted_stream peer;
    peer.fail(std::errc::connection_reset).expect("again").fail(std::errc::broken_pipe).end();
    char byte[1];
    const auto received = co_await leat::as_result(peer.recv(byte));
    CHECK(received.error() == std::errc::connection_reset);
    co_await peer.send_all("again");
    const auto sent = co_await leat::as_result(peer.send_all("more"));
    CHECK(sent.error() == std::errc::broken_pipe);
    const std::size_t end = co_await peer.recv(byte);
    CHECK(end == 0);
    CHECK(peer.verdict().text() == "");
}

LEAT_TEST("a line is expected with its carriage return and line feed") {
    scripted_stream server;
    server.expect_line("HELO mill").answer("250\r\n").expect_line("").end();
    const auto verdict = server.verdict();
    CHECK(verdict.text() == "expected \"HELO mill\\r\\n\", but nothing came");
    co_await server.send_all("HELO mill\r\n");
    char answer[5];
    co_await server.recv_exactly(answer);
    co_await server.send_all("\r\n");
    CHECK(verdict.text() == "");
    scripted_stream other;
    other.expect_line("QUIT");
    const std::string error = co_await error_of(ask(std::move(other), "QUIT\n"));
    CHECK(error == "expected \"QUIT\\r\\n\", but \"QUIT\\n\" came");
}

LEAT_TEST("so many bytes are taken whatever they are, in pieces of any size, and no more") {
    scripted_stream peer;
    peer.expect("id=").expect_any(5).expect(";").end();
    co_await peer.send_all("id=1");
    CHECK(peer.verdict().text() == "expected any 4 bytes more, but nothing came");
    co_await peer.send_all("234", "\n;");
    CHECK(peer.verdict().text() == "");
    scripted_stream exact;
    exact.expect_any(2);
    const std::string error = co_await error_of(ask(std::move(exact), "abc"));
    CHECK(error == "expected nothing more, but \"c\" came");
}

LEAT_TEST("the rest is taken up to the end of what is sent, and then the script goes on") {
    scripted_stream peer;
    peer.expect("PUT\r\n").expect_any().answer("done").end();
    auto reader = leat::spawn([&]() -> leat::task<std::string> {
        std::string answer;
        while (auto part = co_await peer.recv_chunk()) {
            answer += part.text();
        }
        co_return answer;
    });
    co_await peer.send_all("PUT\r\nthis", " and ", "that");
    co_await leat::testing::wait_until_idle();
    CHECK(!reader.done());
    CHECK(peer.verdict().text() == "answered \"done\", and nobody received it");
    peer.shutdown_send();
    const std::string answer = co_await reader;
    CHECK(answer == "done");
    CHECK(peer.verdict().text() == "");
}

LEAT_TEST("nothing is missing of a rest that never came, or that a close ended") {
    scripted_stream peer;
    peer.answer("hello").expect_any();
    peer.shutdown_send();
    char hello[5];
    co_await peer.recv_exactly(hello);
    CHECK(peer.verdict().text() == "");
    scripted_stream other;
    other.expect_any();
    const auto verdict = other.verdict();
    co_await other.send_all("some");
    other.close();
    CHECK(verdict.text() == "");
}

TEST_CASE("a script that expects something after all the rest, or no bytes, aborts") {
    leat::testing::check_aborts([] { scripted_stream().expect_any().answer("x").expect("y"); },
                                "a peer expects nothing after all the rest");
    leat::testing::check_aborts([] { scripted_stream().expect_any(0); }, "a peer expects at least one byte");
}

LEAT_TEST("after its end a peer may expect more") {
    scripted_stream peer;
    peer.end().expect("bye");
    char byte[1];
    const std::size_t end = co_await peer.recv(byte);
    CHECK(end == 0);
    co_await peer.send_all("bye");
    CHECK(peer.verdict().text() == "");
}

LEAT_TEST("bytes that are sent while the peer answers wait until the answer has been received") {
    scripted_stream peer;
    peer.answer("hello").expect("hi");
    auto writer = leat::spawn([&]() -> leat::task<> { co_await peer.send_all("hi"); });
    co_await leat::testing::wait_until_idle();
    CHECK(!writer.done());
    char hello[5];
    co_await peer.recv_exactly(hello);
    co_await writer;
    CHECK(peer.verdict().text() == "");
}

LEAT_TEST("a silent peer is waited for, and what a cancelled recv_exactly had is received by the next",
          on(leat::testing::simulated)) {
    scripted_stream peer;
    peer.answer("abc").wait(1h).answer("def");
    char six[6];
    const bool whole = co_await leat::move_on_after(1min, peer.recv_exactly(six));
    CHECK(!whole);
    const leat::time_point before = leat::now();
    co_await peer.recv_exactly(six);
    CHECK(std::string_view(six, 6) == "abcdef");
    CHECK(leat::now() - before == 59min);
}

LEAT_TEST("a scripted stream that is closed ends what waits, and fails what comes later") {
    scripted_stream peer;
    auto reader = leat::spawn([&]() -> leat::task<std::error_code> {
        const auto got = co_await leat::as_result(peer.recv_chunk());
        co_return got.error();
    });
    co_await leat::testing::wait_until_idle();
    peer.close();
    const std::error_code ended = co_await reader;
    CHECK(ended == std::errc::operation_canceled);
    const auto later = co_await leat::as_result(peer.send_all("x"));
    CHECK(later.error() == leat::stream_errc::closed);
}

// SPDX-License-Identifier: MIT
// buffered_reader: what its operations give, however the bytes come, and what is left after each.
#include "split_stream.hpp"

#include <leat/system/pipe.hpp>
#include <leat/testing/check_stream.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/idle.hpp>

#include <array>

using namespace std::chrono_literals;
using framing_tests::bytes;
using framing_tests::failure_of;
using framing_tests::lines_of;
using framing_tests::memory_stream;
using framing_tests::stream_cut_at;
using framing_tests::stream_of;
using leat::buffered_reader;
using leat::framing_errc;
using leat::stream_errc;
using leat::task;
using lines = std::vector<std::string>;

static_assert(leat::receive_stream<buffered_reader<memory_stream>>);
static_assert(leat::receive_stream<buffered_reader<memory_stream&>>);
static_assert(leat::pushback_stream<buffered_reader<leat::pipe_reader>>);

LEAT_TEST("lines come without their ends, wherever the bytes are cut") {
    const std::string text = "first\nsecond\r\n\n\r\n\rr\r\r\nlast";
    const lines expected{"first", "second", "", "", "\rr\r", "last"};
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        CAPTURE(piece);
        auto stream = co_await stream_of(text, piece);
        buffered_reader reader(stream);
        const lines came = co_await lines_of(reader);
        CHECK(came == expected);
    }
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        CAPTURE(cut);
        buffered_reader reader(co_await stream_cut_at(cut, text));
        const lines came = co_await lines_of(reader);
        CHECK(came == expected);
    }
}

LEAT_TEST("a stream that ends is told by nothing, again and again, and an empty one has no line") {
    for (const std::string_view text : {"", "one\n"}) {
        buffered_reader reader(co_await stream_of(text));
        const lines came = co_await lines_of(reader);
        CHECK(came.size() == text.size() / 4);
        const auto again = co_await reader.line();
        CHECK_FALSE(again.has_value());
        const auto part = co_await reader.until(";");
        CHECK_FALSE(part.has_value());
        const auto cut = co_await failure_of([&] { return reader.exactly(1); });
        CHECK(cut.code == stream_errc::end_of_stream);
        CHECK(cut.text == "recv of bytes: 0 of 1 bytes arrived: unexpected end of stream");
    }
}

LEAT_TEST("a last line without a newline is a line, or a message that was cut off") {
    buffered_reader text(co_await stream_of("a\nb"));
    const lines came = co_await lines_of(text);
    CHECK(came == lines{"a", "b"});

    buffered_reader protocol(co_await stream_of("a\nbcd"));
    const auto whole = co_await protocol.line(10, leat::last_line::must_end);
    CHECK(whole == "a");
    for (int i = 0; i < 2; ++i) {  // nothing was taken
        const auto cut = co_await failure_of([&] { return protocol.line(10, leat::last_line::must_end); });
        CHECK(cut.code == stream_errc::end_of_stream);
        CHECK(cut.text == "recv of a line: 3 bytes arrived: unexpected end of stream");
    }
    const auto rest = co_await protocol.exactly(3);
    CHECK(rest == "bcd");
}

LEAT_TEST("a line has at most as many bytes as its limit, its end not counted, however the bytes are cut") {
    const std::string text = "abc\nabc\r\nabcd\nx";
    const lines expected{"abc", "abc", "a line of more than 3 bytes: too long"};
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        CAPTURE(piece);
        buffered_reader reader(co_await stream_of(text, piece));
        const lines came = co_await lines_of(reader, 3);
        CHECK(came == expected);
    }
    buffered_reader open(co_await stream_of("abc\r"));
    const auto failed = co_await failure_of([&] { return open.line(3); });
    CHECK(failed.code == framing_errc::too_long);
}

LEAT_TEST("a line that is too long is refused before its end has come, and a larger limit goes on with it") {
    auto [near, far] = memory_stream::pair();
    buffered_reader reader(near);
    co_await far.send_all("0123456789");
    for (int i = 0; i < 2; ++i) {
        const auto failed = co_await failure_of([&] { return reader.line(8); });
        CHECK(failed.code == framing_errc::too_long);
    }
    CHECK(reader.held() == 10);
    co_await far.send_all("\n");
    const auto line = co_await reader.line(10);
    CHECK(line == "0123456789");
}

LEAT_TEST("a delimiter of any length ends a part, wherever the bytes are cut") {
    const std::string text = "one\r<-->\rtwo\r<--\r<-->\r\r<-->\rthree\r<-->";
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        CAPTURE(piece);
        buffered_reader reader(co_await stream_of(text, piece));
        lines came;
        for (int i = 0; i < 3; ++i) {
            const auto part = co_await reader.until("\r<-->\r");
            came.emplace_back(part.value());
        }
        CHECK(came == lines{"one", "two\r<--", ""});
        const auto cut = co_await failure_of([&] { return reader.until("\r<-->\r"); });
        CHECK(cut.code == stream_errc::end_of_stream);
        CHECK(cut.text ==
              "recv of a part that ends with a delimiter: 10 bytes arrived: unexpected end of stream");
        const auto rest = co_await reader.line();
        CHECK(rest == "three\r<-->");
    }
}

LEAT_TEST(
    "what stands before a delimiter has at most as many bytes as the limit, wherever the bytes are cut") {
    const std::string text = "1234==12345==";
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        CAPTURE(piece);
        buffered_reader reader(co_await stream_of(text, piece));
        const auto part = co_await reader.until("==", 4);
        CHECK(part == "1234");
        const auto failed = co_await failure_of([&] { return reader.until("==", 4); });
        CHECK(failed.code == framing_errc::too_long);
        CHECK(failed.text == "a part that ends with a delimiter of more than 4 bytes: too long");
    }
}

LEAT_TEST("a part may be looked for by one delimiter after another") {
    auto [near, far] = memory_stream::pair();
    buffered_reader reader(near);
    co_await far.send_all("a;b;c");
    for (const std::string_view delimiter : {"<a long delimiter that is not there>", "|", "\n"}) {
        const auto nothing = co_await leat::move_on_after(1ms, reader.until(delimiter));
        CHECK_FALSE(nothing.has_value());
    }
    const auto first = co_await reader.until(";");
    CHECK(first == "a");
    co_await far.send_all("|");
    const auto second = co_await reader.until("|");
    CHECK(second == "b;c");
}

LEAT_TEST("an exact number of bytes comes, also none, and too few before the end are left") {
    for (std::size_t piece = 1; piece <= 8; ++piece) {
        CAPTURE(piece);
        buffered_reader reader(co_await stream_of("abcdefgh", piece));
        const auto none = co_await reader.exactly(0);
        CHECK(none.empty());
        const auto three = co_await reader.exactly(3);
        CHECK(three == "abc");
        const auto cut = co_await failure_of([&] { return reader.exactly(6); });
        CHECK(cut.code == stream_errc::end_of_stream);
        CHECK(cut.text == "recv of bytes: 5 of 6 bytes arrived: unexpected end of stream");
        const auto five = co_await reader.exactly(5);
        CHECK(five == "defgh");
    }
}

LEAT_TEST("what follows a header is received from the reader, in every way and in order") {
    for (std::size_t piece = 1; piece <= 16; ++piece) {
        CAPTURE(piece);
        buffered_reader reader(co_await stream_of("head\n0123456789abcdef", piece));
        const auto head = co_await reader.line();
        CHECK(head == "head");
        std::string body;
        while (body.size() < 16) {
            std::array<char, 3> three;
            if (body.size() % 2 == 0 && body.size() < 12) {
                co_await reader.recv_exactly(three);
                body.append(three.data(), 3);
            } else if (body.size() % 3 == 0) {
                const std::size_t count = co_await reader.recv(three);
                body.append(three.data(), count);
            } else {
                const leat::chunk part = co_await reader.recv_chunk();
                body += part.text();
            }
        }
        CHECK(body == "0123456789abcdef");
        std::array<char, 1> one;
        const std::size_t end = co_await reader.recv(one);
        CHECK(end == 0);
        const leat::chunk none = co_await reader.recv_chunk();
        CHECK(none.empty());
        const auto cut = co_await failure_of([&] { return reader.recv_exactly(one); });
        CHECK(cut.code == stream_errc::end_of_stream);
    }
}

LEAT_TEST("a recv_exactly that the end cuts short has taken what had come, that of the reader, too") {
    buffered_reader reader(co_await stream_of("line\nabcd", 6));
    co_await reader.line();
    std::string five = ".....";
    const auto cut = co_await failure_of([&] { return reader.recv_exactly(five); });
    CHECK(cut.code == stream_errc::end_of_stream);
    CHECK(five == "abcd.");
    const leat::chunk none = co_await reader.recv_chunk();
    CHECK(none.empty());
}

LEAT_TEST("what a reader holds is taken out, put back, or given back to the stream") {
    auto stream = co_await stream_of("line\nbody and more");
    {
        buffered_reader reader(stream);
        co_await reader.line();
        CHECK(reader.held() == 13);
        leat::chunk held = reader.take_held();
        CHECK(held.text() == "body and more");
        CHECK(reader.held() == 0);
        reader.unread(std::move(held));
        reader.unread(bytes("the "));
        const auto four = co_await reader.exactly(8);
        CHECK(four == "the body");
        reader.give_back();
        CHECK(reader.held() == 0);
        reader.give_back();  // nothing
    }
    buffered_reader next(stream);
    const lines rest = co_await lines_of(next);
    CHECK(rest == lines{" and more"});
}

LEAT_TEST("a reader that is moved goes on where it was") {
    buffered_reader first(co_await stream_of("a\nb\nc\n"));
    co_await first.line();
    auto second = std::move(first);
    const auto line = co_await second.line();
    CHECK(line == "b");
    buffered_reader third(co_await stream_of("other\n"));
    third = std::move(second);
    const auto last = co_await third.line();
    CHECK(last == "c");
}

LEAT_TEST("a reader that is closed has neither bytes nor an end left, but says that it is closed") {
    buffered_reader reader(co_await stream_of("a\nb\n"));
    co_await reader.line();
    reader.close();
    const auto line = co_await failure_of([&] { return reader.line(); });
    CHECK(line.code == stream_errc::closed);
    buffered_reader ended(co_await stream_of(""));
    co_await ended.line();
    ended.close();
    const auto chunk = co_await failure_of([&] { return ended.recv_chunk(); });
    CHECK(chunk.code == stream_errc::closed);
}

LEAT_TEST("an operation on what has come already makes no frame, also in a timeout") {
    buffered_reader reader(co_await stream_of("a\nb\nc;d\nefghijklmnop"));
    co_await reader.line();
    const auto frames = [] { return leat::current_scheduler().counters().frames; };
    const auto before = frames();
    const auto line = co_await reader.line();
    const auto part = co_await leat::timeout(1s, reader.until(";"));
    const auto two = co_await reader.exactly(2);
    CHECK(frames() == before);
    std::array<char, 2> some;
    const std::size_t count = co_await reader.recv(some);
    co_await reader.recv_exactly(some);
    const leat::chunk rest = co_await reader.recv_chunk();
    CHECK(frames() == before);
    CHECK(line.has_value());
    CHECK(part.has_value());
    CHECK(two.size() == 2);
    CHECK(count == 2);
    CHECK(rest.text() == "ijklmnop");
}

LEAT_TEST("a task that reads many lines that have come lets others run, and can be cancelled") {
    std::string text;
    for (int i = 0; i < 10'000; ++i) {
        text += "x\n";
    }
    auto stream = co_await stream_of(text, 1'000'000);
    int read = 0;
    auto reads = leat::spawn([&]() -> task<> {
        buffered_reader reader(stream);
        while (co_await reader.line()) {
            ++read;
        }
    });
    while (read == 0) {
        co_await leat::yield();
    }
    CHECK(read < 10'000);
    reads.cancel();
    const auto& ended = co_await reads.join();
    CHECK(ended.cancelled());
    CHECK(read < 10'000);
}

LEAT_TEST("a reader with an idle limit gives up a silent peer, not a slow one, and takes nothing",
          on(leat::testing::simulated)) {
    auto [near, far] = memory_stream::pair();
    buffered_reader reader(near);
    reader.set_idle(5s);
    auto sends = leat::spawn([&]() -> task<> {
        for (const std::string_view part : {"s", "l", "o", "w", "\n", "sil", "ent"}) {
            co_await leat::sleep(4s);
            co_await far.send_all(part);
        }
    });
    const auto slow = co_await reader.line();
    CHECK(slow == "slow");
    const auto before = leat::now();
    const auto silent = co_await failure_of([&] { return reader.line(); });
    CHECK(silent.code == std::errc::timed_out);
    CHECK(silent.text.starts_with("nothing was received for 5 s"));
    CHECK(leat::now() - before == 13s);
    reader.set_idle(leat::duration::max());
    co_await far.send_all("\n");
    const auto line = co_await reader.line();
    CHECK(line == "silent");
    co_await sends;
}

LEAT_TEST("a reader takes the lines of a pipe", on(leat::testing::kernel)) {
    auto [out, in] = leat::make_pipe();
    buffered_reader reader(std::move(out));
    co_await in.send_all("one\ntw");
    const auto one = co_await reader.line();
    CHECK(one == "one");
    auto later = leat::spawn([&]() -> task<> {
        co_await in.send_all("o\n");
        in.close();
    });
    const auto two = co_await reader.line();
    CHECK(two == "two");
    const auto end = co_await reader.line();
    CHECK_FALSE(end.has_value());
    co_await later;
}

namespace {

// Both directions of a stream, of which one is read through a buffered_reader.
class read_through {
public:
    explicit read_through(memory_stream below) : reader_(std::move(below)) {}

    auto recv(leat::byte_buffer into) { return reader_.recv(into); }
    auto recv_exactly(leat::byte_buffer into) { return reader_.recv_exactly(into); }
    auto recv_chunk() { return reader_.recv_chunk(); }
    void unread(leat::chunk&& bytes) { reader_.unread(std::move(bytes)); }
    task<std::size_t> send(leat::byte_view from) { return reader_.stream().send(from); }
    template <typename... More>
    task<> send_all(leat::byte_view from, const More&... more) {
        return reader_.stream().send_all(from, more...);
    }
    void shutdown_send() { reader_.stream().shutdown_send(); }
    void close() noexcept { reader_.close(); }
    void reset() noexcept {
        reader_.close();
        reader_.stream().reset();
    }

private:
    buffered_reader<memory_stream> reader_;
};

}  // namespace

LEAT_TEST("a reader receives as every stream does") {
    co_await leat::testing::check_stream(
        [] {
            auto [near, far] = memory_stream::pair({.capacity = 1'000'000});
            return std::pair(read_through(std::move(near)), read_through(std::move(far)));
        },
        {.large = 100'000});
}

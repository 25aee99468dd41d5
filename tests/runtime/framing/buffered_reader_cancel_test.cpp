// SPDX-License-Identifier: MIT
// The operations of a buffered_reader, cancelled at each moment: the next one sees every byte. And cut short.
#include "../cancel_moments.hpp"
#include "../rest_trial.hpp"
#include "split_stream.hpp"

#include <leat/testing/doctest.hpp>
#include <leat/testing/idle.hpp>

#include <array>
#include <memory>
#include <string>

using cancel_tests::trial;
using framing_tests::memory_stream;
using leat::buffered_reader;
using leat::task;

namespace {

struct joined {
    explicit joined(std::pair<memory_stream, memory_stream> both = memory_stream::pair())
        : reader(std::move(both.first)), kept(std::make_shared<memory_stream>(std::move(both.second))) {}
    void peer_sends(std::string text) const {
        leat::spawn([to = kept, text = std::move(text)]() -> task<> {
            (void)co_await leat::as_result(to->send_all(text));  // whoever reads may be gone
        });
    }
    buffered_reader<memory_stream>& stream() noexcept { return reader; }

    buffered_reader<memory_stream> reader;
    std::shared_ptr<memory_stream> kept;
    memory_stream& peer = *kept;
};

enum class reading { line, part, exactly, message };

// "abc" has come; the rest is one line, one part, eight bytes or one message.
template <reading how>
class part_trial : public trial {
public:
    task<> prepare() { co_await both_.peer.send_all("7abc"); }
    task<> attempt() {
        co_await read();
        delivered();
    }
    void enable() { both_.peer_sends("def\n"); }
    task<> verify(const std::string& where) {
        CHECK_MESSAGE(received_ == expected(), where);
        received_.clear();
        co_await both_.peer.send_all("7abc");
    }

private:
    static std::string expected() {
        switch (how) {
            case reading::line:
            case reading::part:
                return "7abcdef";
            case reading::exactly:
                return "7abcdef\n";
            case reading::message:
                return "abcdef\n";
        }
        return "";
    }
    task<> read() {
        if constexpr (how == reading::line) {
            const auto line = co_await both_.reader.line();
            received_ = line.value();
        } else if constexpr (how == reading::part) {
            const auto part = co_await both_.reader.until("\n");
            received_ = part.value();
        } else if constexpr (how == reading::exactly) {
            const auto part = co_await both_.reader.exactly(8);
            received_ = part;
        } else {
            const auto message = co_await both_.reader.message(format_);
            received_ = message.value();
        }
    }

    joined both_;
    leat::message_format format_ = leat::message_format::with_digits(1);
    std::string received_;
};

using rest_trial = cancel_tests::rest_trial<joined>;
using line_trial = part_trial<reading::line>;
using until_trial = part_trial<reading::part>;
using exactly_trial = part_trial<reading::exactly>;
using message_trial = part_trial<reading::message>;

}  // namespace

CANCEL_TESTS("a line of a reader", line_trial)
CANCEL_TESTS("a part of a reader", until_trial)
CANCEL_TESTS("bytes of a reader", exactly_trial)
CANCEL_TESTS("a message of a reader", message_trial)
CANCEL_TESTS("a recv_exactly of a reader", rest_trial)

LEAT_TEST("a task that reads when another has been cancelled waits behind it, and sees its bytes") {
    joined both;
    co_await both.peer.send_all("ab");
    auto first = leat::spawn([&]() -> task<> { co_await both.reader.line(); });
    co_await leat::testing::wait_until_idle();
    first.cancel();
    auto second = leat::spawn([&]() -> task<std::string> {
        const auto line = co_await both.reader.line();
        co_return std::string(line.value());
    });
    co_await both.peer.send_all("c\n");
    const std::string line = co_await second;
    CHECK(line == "abc");
    const auto& ended = co_await first.join();
    CHECK(ended.cancelled());
}

LEAT_TEST("reads that are cancelled again and again look at no byte twice") {
    joined both({memory_stream::pair()});
    std::string sent;
    for (int i = 0; i < 1'000; ++i) {
        co_await both.peer.send_all("x");
        sent += 'x';
        auto reads = leat::spawn([&]() -> task<> { co_await both.reader.line(); });
        co_await leat::testing::wait_until_idle();
        reads.cancel();
        co_await reads.join();
    }
    CHECK(both.reader.held() == sent.size());
    co_await both.peer.send_all("\n");
    const auto line = co_await both.reader.line();
    CHECK(line == sent);
}

LEAT_TEST("a reader that is closed while it fills a buffer holds no byte then, and says that it is closed") {
    auto [here, there] = memory_stream::pair();
    co_await there.send_all("ab");
    buffered_reader reader(here);
    reader.unread(co_await here.recv_chunk());
    std::array<char, 5> five{};
    auto waits = leat::spawn([&]() -> task<> { co_await reader.recv_exactly(five); });
    co_await leat::testing::wait_until_idle();
    reader.close();
    co_await waits.join();
    CHECK(reader.held() == 0);
    const auto line = co_await framing_tests::failure_of([&] { return reader.line(); });
    CHECK(line.code == leat::stream_errc::closed);
}

LEAT_TEST("a view is whole also when another task closes the reader before it is looked at") {
    std::string text;
    for (int i = 0; i < 10'000; ++i) {
        text += "x\n";
    }
    buffered_reader reader(co_await framing_tests::stream_of(text));
    int read = 0;
    bool good = true;
    auto reads = leat::spawn([&]() -> task<> {
        while (const auto line = co_await reader.line()) {
            ++read;
            good &= *line == "x";
        }
    });
    while (read == 0) {
        co_await leat::yield();
    }
    reader.close();
    co_await reads.join();
    CHECK(read > 0);
    CHECK(good);
}

LEAT_TEST("what is given back behind the end of a stream is read again, and then the end") {
    auto stream = co_await framing_tests::stream_of("abc");
    buffered_reader reader(stream);
    const auto part = co_await framing_tests::failure_of([&] { return reader.until(";"); });
    CHECK(part.code == leat::stream_errc::end_of_stream);
    reader.give_back();
    CHECK(reader.held() == 0);
    const auto line = co_await reader.line();
    CHECK(line == "abc");
    const auto end = co_await reader.line();
    CHECK_FALSE(end.has_value());
}

LEAT_TEST("a recv_exactly that the end cuts short counts what the caller asked for and got") {
    const auto text_of = [](auto& reader) -> task<std::string> {
        std::string ten(10, ' ');
        const auto cut = co_await framing_tests::failure_of([&] { return reader.recv_exactly(ten); });
        CHECK(ten == "abcde     ");
        co_return cut.text;
    };
    buffered_reader reader(co_await framing_tests::stream_of("de"));
    reader.unread(framing_tests::bytes("abc"));
    std::string text = co_await text_of(reader);
    CHECK(text == "recv: 5 of 10 bytes arrived: unexpected end of stream");

    buffered_reader other(co_await framing_tests::stream_of("bcde"));
    buffered_reader<decltype(other)&> outer(other);
    other.unread(framing_tests::bytes("b"));
    outer.unread(framing_tests::bytes("a"));
    std::array<char, 2> both;
    co_await outer.recv_exactly(both);
    outer.unread(framing_tests::bytes("a"));
    text = co_await text_of(outer);
    CHECK(text == "recv: 5 of 10 bytes arrived: unexpected end of stream");

    buffered_reader ended(co_await framing_tests::stream_of("abcde"));
    const auto line = co_await framing_tests::failure_of([&] { return ended.exactly(6); });
    CHECK(line.code == leat::stream_errc::end_of_stream);
    text = co_await text_of(ended);
    CHECK(text == "recv of bytes: 5 of 10 bytes arrived: unexpected end of stream");
}

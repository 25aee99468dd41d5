// SPDX-License-Identifier: MIT
// message_stream and send_message: messages of every format, however the bytes come, and the ends between and
// inside them.
#include "split_stream.hpp"

#include <leat/system/pipe.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/idle.hpp>

#include <bit>

using namespace std::chrono_literals;
using framing_tests::failure_of;
using framing_tests::memory_stream;
using framing_tests::stream_cut_at;
using framing_tests::stream_of;
using leat::framing_errc;
using leat::message_format;
using leat::message_stream;
using leat::stream_errc;
using leat::task;

namespace {

std::vector<message_format> formats() {
    return {message_format::with_terminator("\r<--EOM-->\r"),
            message_format::with_terminator("\n"),
            message_format::with_digits(1),
            message_format::with_digits(5),
            message_format::with_digits(10),
            message_format::with_length(1),
            message_format::with_length(2, std::endian::little),
            message_format::with_length(4),
            message_format::with_length(8, std::endian::little),
            message_format::with_varint()};
}

const std::vector<std::string> sent{"one", "", "three<--", std::string("\0\r", 2), "5"};

// Everything that is sent for the messages.
task<std::string> encoded(const message_format& format) {
    auto [near, far] = memory_stream::pair();
    for (const std::string& each : sent) {
        co_await leat::send_message(far, format, each);
    }
    far.shutdown_send();
    std::string all;
    while (const leat::chunk part = co_await near.recv_chunk()) {
        all += part.text();
    }
    co_return all;
}

task<std::vector<std::string>> received(memory_stream from, const message_format& format) {
    message_stream peer(std::move(from), format);
    std::vector<std::string> all;
    while (const auto message = co_await peer.recv()) {
        all.emplace_back(*message);
    }
    co_return all;
}

}  // namespace

LEAT_TEST("messages of every format come as they were sent, wherever the bytes are cut") {
    for (const message_format& format : formats()) {
        const std::string all = co_await encoded(format);
        for (std::size_t piece = 1; piece <= all.size(); ++piece) {
            CAPTURE(piece);
            auto whole = co_await stream_of(all, piece);
            const auto came = co_await received(std::move(whole), format);
            CHECK(came == sent);
        }
        for (std::size_t cut = 0; cut <= all.size(); ++cut) {
            CAPTURE(cut);
            auto parts = co_await stream_cut_at(cut, all);
            const auto came = co_await received(std::move(parts), format);
            CHECK(came == sent);
        }
    }
}

LEAT_TEST("an end between messages is an end, and one inside of a message is an error that takes nothing") {
    for (const message_format& format : formats()) {
        const std::string all = co_await encoded(format);
        std::string last = "5";
        last = format.terminator().empty() ? std::string(format.head_of(last).text()) + last
                                           : last + format.terminator();
        for (std::size_t missing = 1; missing <= last.size(); ++missing) {
            CAPTURE(missing);
            message_stream peer(co_await stream_of(all.substr(0, all.size() - missing)), format);
            for (std::size_t i = 0; i + 1 < sent.size(); ++i) {
                const auto message = co_await peer.recv();
                CHECK(message == sent[i]);
            }
            if (missing == last.size()) {
                const auto end = co_await peer.recv();
                CHECK_FALSE(end.has_value());
                continue;
            }
            for (int again = 0; again < 2; ++again) {
                const auto cut = co_await failure_of([&] { return peer.recv(); });
                CHECK(cut.code == stream_errc::end_of_stream);
                CHECK(cut.text == "recv of a message: " + std::to_string(last.size() - missing) +
                                      " bytes arrived: unexpected end of stream");
            }
        }
    }
}

LEAT_TEST("what is no message is refused as soon as it shows, each time it is asked for") {
    auto [near, far] = memory_stream::pair();
    message_stream peer(near, message_format::with_digits(5));
    co_await far.send_all("00001x0+");
    const auto first = co_await peer.recv();
    CHECK(first == "x");
    for (int again = 0; again < 2; ++again) {
        const auto refused = co_await failure_of([&] { return peer.recv(); });
        CHECK(refused.code == framing_errc::bad_length);
        CHECK(refused.text == "a message that begins with \"0+\": not a length");
    }
    CHECK(peer.reader().held() == 2);
}

LEAT_TEST("a peer that says a great length makes nobody allocate") {
    auto [near, far] = memory_stream::pair();
    message_stream peer(near,
                        message_format::with_length(8, std::endian::big, {.limit = std::size_t{1} << 62}));
    co_await far.send_all(
        "\x3f\xff\xff\xff\xff\xff\xff\xff"
        "abc");
    const auto nothing = co_await leat::move_on_after(1ms, peer.recv());
    CHECK_FALSE(nothing.has_value());
    CHECK(peer.reader().held() == 11);
}

LEAT_TEST("what the format does not allow is not sent, and the stream is as it was") {
    auto [near, far] = memory_stream::pair();
    message_stream peer(near, message_format::with_terminator("\n", {.limit = 4, .empty = false}));
    for (const std::string_view message : {"", "12345", "1\n2"}) {
        const auto refused = co_await failure_of([&] { return peer.send(message); });
        CHECK(refused.code.category() == leat::framing_category());
    }
    CHECK(near.bytes_sent() == 0);
    co_await peer.send("1234");
    const leat::chunk came = co_await far.recv_chunk();
    CHECK(came.text() == "1234\n");
}

LEAT_TEST("a message is one send, also into a pipe, so that cutting it off breaks the stream",
          on(leat::testing::kernel)) {
    auto [out, in] = leat::make_pipe();
    const auto format = message_format::with_digits(7);
    const std::string large(200'000, 'x');
    const bool whole = co_await leat::move_on_after(20ms, leat::send_message(in, format, large));
    CHECK_FALSE(whole);
    const auto next = co_await failure_of([&] { return leat::send_message(in, format, "next"); });
    CHECK(next.code == stream_errc::broken);
    leat::buffered_reader reader(out);
    const auto head = co_await reader.exactly(8);
    CHECK(head == "0200000x");
}

LEAT_TEST("messages go both ways over one stream at once, and lines may stand between them") {
    auto [one, other] = memory_stream::pair({.capacity = 100, .piece = 7});
    message_stream near(std::move(one), message_format::with_varint());
    message_stream far(std::move(other), message_format::with_varint());
    const std::string large(10'000, '.');
    const auto exchange = [&](message_stream<memory_stream>& with) -> task<> {
        auto sends = leat::spawn([&]() -> task<> {
            for (int i = 0; i < 3; ++i) {
                co_await with.send(large);
            }
            co_await with.stream().send_all("bye\n");
        });
        for (int i = 0; i < 3; ++i) {
            const auto message = co_await with.recv();
            CHECK(message == large);
        }
        const auto bye = co_await with.reader().line();
        CHECK(bye == "bye");
        co_await sends;
    };
    co_await leat::gather(exchange(near), exchange(far));
}

LEAT_TEST("3 MiB come whole through a stream that holds 4 KiB", on(leat::testing::simulated)) {
    const std::string large = "head" + std::string((3 << 20) - 8, '.') + "tail";
    auto [near, far] = memory_stream::pair({.capacity = 4096, .piece = 4096});
    const auto format = message_format::with_terminator("\r<--EOM-->\r", {.limit = 3 << 20});
    auto sends = leat::spawn([&]() -> task<> { co_await leat::send_message(far, format, large); });
    message_stream peer(near, format);
    const auto message = co_await peer.recv();
    const bool same = message == large;
    CHECK(same);
    co_await sends;
}

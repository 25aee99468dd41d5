// SPDX-License-Identifier: MIT
// Each allocation of reading and sending lines and messages fails in turn: no byte is lost, and none comes
// twice.
#include "../support/failing_memory.hpp"

#include <leat/framing.hpp>
#include <leat/net.hpp>
#include <leat/system/pipe.hpp>
#include <leat/testing/memory_stream.hpp>
#include <leat/testing/scripted_stream.hpp>
#include <leat/testing/stream_pair.hpp>

#include <span>
#include <string>
#include <string_view>

using leat::task;
using leat::testing::check_each_allocation;
using leat::testing::failing_memory;
using leat::testing::kernel;
using leat::testing::memory_stream;
using leat::testing::stream_pair;

namespace {

// A stream from which `text` comes, a byte at a time.
task<memory_stream> stream_of(std::string_view text) {
    auto [near, far] = memory_stream::pair({.piece = 1});
    co_await far.send_all(text);
    far.shutdown_send();
    co_return std::move(near);
}

template <typename Stream>
task<> append_rest(Stream& from, std::string& all) {
    while (const leat::chunk part = co_await from.recv_chunk()) {
        all += part.text();
    }
}

}  // namespace

TEST_CASE("no byte is lost or comes twice when a reader finds no memory") {
    check_each_allocation("a reader", kernel, [](failing_memory& memory) -> task<> {
        leat::buffered_reader reader(co_await stream_of("abc\ndefghi;jkl3mnop"));
        std::string all;
        all.reserve(64);
        co_await memory.fails([&]() -> task<> {
            const auto line = co_await reader.line();
            all.append(*line).append("\n");
            const auto four = co_await reader.exactly(4);
            all.append(four);
            const auto part = co_await reader.until(";");
            all.append(*part).append(";");
            const leat::chunk some = co_await reader.recv_chunk();
            all.append(some.text());
        });
        co_await append_rest(reader, all);
        CHECK(all == "abc\ndefghi;jkl3mnop");
    });
}

namespace {

// Eight bytes come. `size` of them, or more, are asked for at once.
template <typename Stream>
task<> check_recv_exactly(failing_memory& memory, Stream& from, std::size_t size) {
    std::string asked(size, ' ');
    std::string all;
    all.reserve(64);
    bool told = false;  // that they are in the buffer
    co_await memory.fails([&]() -> task<> {
        try {
            co_await from.recv_exactly(asked);
            told = true;
        } catch (const std::system_error& error) {
            if (error.code() != leat::stream_errc::end_of_stream) {
                throw;
            }
            told = true;
        }
    });
    if (told) {
        all.append(asked, 0, 8);
    }
    const auto rest = co_await leat::as_result(append_rest(from, all));
    CHECK((rest.ok() ? all == "abcdefgh" : rest.error() == leat::stream_errc::closed));
}

constexpr std::size_t asked_sizes[] = {6, 8, 20};

}  // namespace

TEST_CASE("a recv_exactly that finds no memory has taken nothing from a stream in memory, or says what") {
    for (const std::size_t size : asked_sizes) {
        CAPTURE(size);
        check_each_allocation("recv_exactly in memory", kernel, [=](failing_memory& memory) -> task<> {
            auto from = co_await stream_of("abcdefgh");
            co_await check_recv_exactly(memory, from, size);
        });
        check_each_allocation("recv_exactly of a script", kernel, [=](failing_memory& memory) -> task<> {
            leat::testing::scripted_stream from;
            from.answer("ab").answer("cde").answer("fgh").end();
            co_await check_recv_exactly(memory, from, size);
        });
    }
}

TEST_CASE("a recv_exactly that finds no memory has taken nothing from a socket or a pipe, or says what") {
    for (const std::size_t size : asked_sizes) {
        CAPTURE(size);
        check_each_allocation("recv_exactly of a socket", kernel, [=](failing_memory& memory) -> task<> {
            auto [client, server] = co_await stream_pair();
            co_await client.send_all("abcdefgh");
            client.shutdown_send();
            co_await check_recv_exactly(memory, server, size);
        });
        check_each_allocation("recv_exactly of a pipe", kernel, [=](failing_memory& memory) -> task<> {
            auto [out, in] = leat::make_pipe();
            co_await in.send_all("abcdefgh");
            in.close();
            co_await check_recv_exactly(memory, out, size);
        });
    }
}

TEST_CASE("a recv_exactly of a reader that finds no memory has taken nothing, or says what") {
    for (const std::size_t size : asked_sizes) {
        CAPTURE(size);
        check_each_allocation("recv_exactly of a reader", kernel, [=](failing_memory& memory) -> task<> {
            leat::buffered_reader reader(co_await stream_of("defgh"));
            reader.unread(leat::copied_chunk(std::as_bytes(std::span("abc", 3))));
            co_await check_recv_exactly(memory, reader, size);
        });
        check_each_allocation("of a socket's reader", kernel, [=](failing_memory& memory) -> task<> {
            auto [client, server] = co_await stream_pair();
            co_await client.send_all("abcdefgh");
            client.shutdown_send();
            leat::buffered_reader reader(server);
            const auto first = co_await reader.exactly(1);
            reader.unread(leat::copied_chunk(std::as_bytes(std::span(first))));
            co_await check_recv_exactly(memory, reader, size);
        });
    }
}

namespace {

// A line, and the rest of the stream.
template <typename Stream>
task<> check_recv_line(failing_memory& memory, Stream& from) {
    std::string all;
    all.reserve(64);
    co_await memory.fails([&]() -> task<> {
        const auto line = co_await leat::recv_line(from);
        all.append(*line).append("\n");
    });
    const auto rest = co_await leat::as_result(append_rest(from, all));
    CHECK((rest.ok() ? all == "a line of more than fifteen bytes\nrest"
                     : rest.error() == leat::stream_errc::closed));
}

constexpr std::string_view line_and_rest = "a line of more than fifteen bytes\nrest";

}  // namespace

TEST_CASE("a recv_line that finds no memory leaves its stream whole, or closes it") {
    check_each_allocation("recv_line", kernel, [](failing_memory& memory) -> task<> {
        auto [client, server] = co_await stream_pair();
        co_await client.send_all(line_and_rest);
        client.shutdown_send();
        co_await check_recv_line(memory, server);
    });
    check_each_allocation("recv_line of single bytes", kernel, [](failing_memory& memory) -> task<> {
        auto from = co_await stream_of(line_and_rest);
        co_await check_recv_line(memory, from);
    });
}

TEST_CASE("a message that finds no memory to be sent is not sent, or is the last") {
    check_each_allocation("send_message", kernel, [](failing_memory& memory) -> task<> {
        auto [client, server] = co_await stream_pair();
        const auto format = leat::message_format::with_terminator("\r<--EOM-->\r");
        co_await memory.fails([&]() -> task<> { co_await leat::send_message(client, format, "first"); });
        co_await leat::send_message(client, format, "second");
        leat::message_stream peer(server, format);
        const auto first = co_await peer.recv();
        CHECK(first == (memory.completed ? "first" : "second"));
    });
}

// SPDX-License-Identifier: MIT
// Lines and messages over TLS.
#include "stream_pair.hpp"

#include <leat/framing.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/idle.hpp>

#include <string>
#include <string_view>

using leat::buffered_reader;
using leat::message_format;
using leat::message_stream;
using leat::recv_line;
using leat::task;

LEAT_TEST("lines come over TLS, and a body behind them is in the stream") {
    auto both = co_await leat::tls::over_tcp();
    static_assert(leat::pushback_stream<leat::tls::stream<leat::tcp_stream>>);
    auto sends = leat::spawn([&]() -> task<> {
        for (const std::string_view part : {"he", "ad\r", "\na\nbo", "dy"}) {
            co_await both.client.send_all(part);
            co_await leat::yield();
        }
    });
    const auto head = co_await recv_line(both.server);
    CHECK(head == "head");
    {
        buffered_reader reader(both.server);
        const auto line = co_await reader.line();
        CHECK(line == "a");
        reader.give_back();
    }
    std::string body(4, ' ');
    co_await both.server.recv_exactly(body);
    CHECK(body == "body");
    co_await sends;
}

LEAT_TEST("who receives behind a cancelled recv_line sees what that had received, over TLS") {
    auto both = co_await leat::tls::over_tcp();
    co_await leat::tls::shake_hands(both);
    co_await both.client.send_all("cd");
    auto first = leat::spawn([&]() -> task<> { co_await recv_line(both.server); });
    co_await leat::testing::wait_until_idle();
    first.cancel();
    std::string two(2, ' ');
    auto second = leat::spawn(both.server.recv_exactly(two));
    co_await both.client.send_all("ef");
    co_await second;
    CHECK(two == "cd");
    co_await first.join();
}

LEAT_TEST("messages of a megabyte come over TLS, in memory and over TCP, and then the end") {
    const auto format = message_format::with_terminator("\r<--EOM-->\r");
    const auto carry = [&](auto& near, auto& far) -> task<> {
        message_stream sender(near, format);
        message_stream receiver(far, format);
        const std::string large(1'000'000, '.');
        auto sends = leat::spawn([&]() -> task<> {
            for (const std::string& each : {large, std::string(), std::string("last")}) {
                co_await sender.send(each);
            }
            co_await near.shutdown_send();
        });
        for (const std::string& each : {large, std::string(), std::string("last")}) {
            const auto message = co_await receiver.recv();
            const bool same = message == each;
            CHECK(same);
        }
        const auto end = co_await receiver.recv();
        CHECK_FALSE(end.has_value());
        co_await sends;
    };
    auto over_tcp = co_await leat::tls::over_tcp();
    co_await carry(over_tcp.client, over_tcp.server);
    auto in_memory = leat::tls::in_memory();
    co_await carry(in_memory.client, in_memory.server);
}

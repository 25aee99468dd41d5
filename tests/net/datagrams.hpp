// SPDX-License-Identifier: MIT
// What tests of datagram sockets share: a socket to send from or to, an echo, and what comes next.
#pragma once

#include <leat/net.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <string>
#include <string_view>

namespace datagram_tests {

inline constexpr auto patience = std::chrono::seconds(20);  // far longer than anything that works takes

inline leat::udp_socket on_loopback() {
    return leat::udp_socket::bind({"127.0.0.1", 0});
}

// Sends back what comes, until it is cancelled.
inline leat::task<> echo(leat::udp_socket& socket) {
    std::array<char, 100> buffer;
    for (;;) {
        const leat::datagram got = co_await socket.recv_from(buffer);
        co_await socket.send_to(std::string_view(buffer.data(), got.size), got.from);
    }
}

// What comes next, from whomever.
inline leat::task<std::string> received(leat::udp_socket& socket) {
    std::string text(70'000, ' ');
    const leat::datagram got = co_await leat::timeout(patience, socket.recv_from(text));
    CHECK_FALSE(got.truncated);
    text.resize(got.size);
    co_return text;
}

}  // namespace datagram_tests

// SPDX-License-Identifier: MIT
// connected: the two ends of a TCP connection, made by nothing but leat, so that a test runs on every
// backend; and what tests of streams ask of them.
#pragma once

#include <leat/net.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <system_error>
#include <utility>

namespace conformance {

struct connection {
    connection() = default;
    connection(leat::tcp_stream one, leat::tcp_stream other) noexcept
        : client(std::move(one)), server(std::move(other)) {}
    leat::tcp_stream client;
    leat::tcp_stream server;
};

inline leat::task<connection> connected(leat::tcp_listener& listener) {
    auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
    auto server = co_await listener.accept();
    connection both(std::move(client), std::move(server));
    co_return both;
}

inline leat::task<connection> connected() {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    connection both = co_await connected(listener);
    co_return both;
}

// More than a connection has room for while nobody reads.
inline const std::string& too_much() {
    static const std::string bytes = [] {
        std::string made(16'000'000, ' ');
        for (std::size_t i = 0; i < made.size(); ++i) {
            made[i] = static_cast<char>('a' + i % 23);
        }
        return made;
    }();
    return bytes;
}

// How many bytes tests of a great volume send: what LEAT_TEST_VOLUME says, for long runs. 5000000000 is more
// than 32 bits count.
inline std::uint64_t asked_volume() {
    const char* const asked = std::getenv("LEAT_TEST_VOLUME");
    return asked != nullptr ? std::strtoull(asked, nullptr, 10) : 60'000'000;
}

inline constexpr auto patience = std::chrono::seconds(60);  // far longer than anything that works takes

// Everything that comes from `stream`, until its end or a reset.
inline leat::task<std::string> read_to_the_end(leat::tcp_stream& stream) {
    std::string all;
    for (;;) {
        const auto chunk = co_await leat::as_result(stream.recv_chunk());
        if (!chunk.ok() || !*chunk) {
            break;
        }
        all += chunk->text();
    }
    co_return all;
}

// The error that `body` throws, none if it does not.
inline leat::task<std::error_code> error_of(leat::task<> body) {
    std::error_code code;
    try {
        co_await std::move(body);
    } catch (const std::system_error& error) {
        code = error.code();
    }
    co_return code;
}

// Whether bytes still go from one to the other.
inline leat::task<bool> carries(leat::tcp_stream& from, leat::tcp_stream& to) {
    char text[5] = {};
    co_await from.send_all("alive");
    co_await leat::timeout(patience, to.recv_exactly(text));
    co_return std::string_view(text, sizeof text) == "alive";
}

}  // namespace conformance

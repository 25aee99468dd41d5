// SPDX-License-Identifier: MIT
// What the tests of tls::stream share: two connected streams, over loopback or in memory.
#pragma once

#include <leat/join.hpp>
#include <leat/testing/certificates.hpp>
#include <leat/testing/memory_stream.hpp>
#include <leat/tls.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pattern.hpp"

namespace leat::tls {

using testing::memory_stream;

struct tcp_pair {
    tcp_stream client;
    tcp_stream server;
};

inline task<tcp_pair> connected_tcp() {
    tcp_listener listener = tcp_listener::bind({"127.0.0.1", 0});
    tcp_stream client = co_await tcp_stream::connect(listener.local_endpoint());
    tcp_stream server = co_await listener.accept();
    co_return tcp_pair{std::move(client), std::move(server)};
}

// A client that trusts its server, "a.example"; the handshake is still to come.
struct contexts {
    explicit contexts(const testing::certificate_authority& authority, const testing::certificate& shown)
        : client(context::client({.ca = pem::text(authority.certificate_text()), .alpn = "h2,http/1.1"})),
          server(context::server(
              {.certificate = pem::text(shown.chain), .key = pem::text(shown.key), .alpn = "http/1.1"})) {}

    static const contexts& trusted() {
        static const testing::certificate_authority authority;
        static const contexts made(authority, authority.issue({"a.example"}));
        return made;
    }

    context client;
    context server;
};

template <leat::stream Transport>
struct stream_pair {
    stream_pair(Transport near, Transport far, const contexts& with = contexts::trusted())
        : client(std::move(near), with.client, "a.example"), server(std::move(far), with.server) {}

    stream<Transport> client;
    stream<Transport> server;
};

inline task<stream_pair<tcp_stream>> over_tcp() {
    tcp_pair below = co_await connected_tcp();
    co_return stream_pair<tcp_stream>(std::move(below.client), std::move(below.server));
}

inline stream_pair<memory_stream> in_memory(memory_stream::limits chosen = {}) {
    auto [near, far] = memory_stream::pair(chosen);
    return stream_pair<memory_stream>(std::move(near), std::move(far));
}

template <typename Pair>
task<> shake_hands(Pair& both) {
    co_await gather(both.client.handshake(), both.server.handshake());
}

// What the error of X says, and its code; X must fail.
struct failure_of {
    std::error_code code;
    std::string text;
};

inline task<failure_of> fails(task<> body) {
    try {
        co_await std::move(body);
    } catch (const std::system_error& error) {
        co_return failure_of{error.code(), error.what()};
    }
    co_return failure_of{{}, "it succeeded"};
}

template <typename T>
task<failure_of> fails(task<T> body) {
    return fails([](task<T> inner) -> task<> { (void)co_await std::move(inner); }(std::move(body)));
}

// Everything up to the end of the stream.
template <leat::stream Stream>
task<std::string> read_all(Stream& from) {
    std::string text;
    while (const chunk piece = co_await from.recv_chunk()) {
        text += piece.text();
    }
    co_return text;
}

// Lets the other tasks go as far as they can without the kernel.
inline task<> let_others_run() {
    for (int turn = 0; turn < 50; ++turn) {
        co_await yield();
    }
}

}  // namespace leat::tls

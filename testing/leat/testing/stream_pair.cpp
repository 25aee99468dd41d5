// SPDX-License-Identifier: MIT
#include <leat/testing/stream_pair.hpp>

#include <leat/tcp.hpp>

namespace leat::testing {

task<std::pair<tcp_stream, tcp_stream>> stream_pair() {
    tcp_listener listener = tcp_listener::bind({"127.0.0.1", 0});
    tcp_stream client = co_await tcp_stream::connect(listener.local_endpoint());
    tcp_stream server = co_await listener.accept();
    co_return std::pair(std::move(client), std::move(server));
}

}  // namespace leat::testing

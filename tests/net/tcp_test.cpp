// SPDX-License-Identifier: MIT
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include <string>

namespace {

leat::task<> echo(leat::tcp_stream peer) {
    while (auto chunk = co_await peer.recv_chunk()) {
        co_await peer.send_all(chunk);
    }
}

leat::task<> echo_once(leat::tcp_listener& listener) {
    leat::tcp_stream peer = co_await listener.accept();
    co_await echo(std::move(peer));
}

}  // namespace

LEAT_TEST("an echo server returns every byte, then the end") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto server = leat::spawn(echo_once, std::ref(listener));
    auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
    const std::string sent(3'000'000, 'x');
    auto sender = leat::spawn([&]() -> leat::task<> {
        co_await client.send_all(sent, "the end");
        client.shutdown_send();
    });
    std::string received(sent.size() + 7, ' ');
    co_await client.recv_exactly(received);
    CHECK(received == sent + "the end");
    CHECK(client.bytes_sent() == received.size());
    const std::size_t rest = co_await client.recv(received);
    CHECK(rest == 0);
    co_await leat::join_all(server, sender);
}

LEAT_TEST("a refused connection is an error that names the peer") {
    leat::endpoint closed("127.0.0.1", 0);
    {
        auto listener = leat::tcp_listener::bind(closed);
        closed = listener.local_endpoint();
    }
    std::string what;
    try {
        (void)co_await leat::tcp_stream::connect(closed);
    } catch (const std::system_error& error) {
        CHECK(error.code() == std::errc::connection_refused);
        what = error.what();
    }
    CHECK(what == "connect to " + closed.to_string() + ": Connection refused");
}

// SPDX-License-Identifier: MIT
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace {

leat::task<> echo_chunks(leat::tcp_stream peer) {
    while (auto chunk = co_await peer.recv_chunk()) {
        co_await peer.send_all(chunk);
    }
}

leat::task<> echo_once(leat::tcp_listener& listener) {
    leat::tcp_stream peer = co_await listener.accept();
    co_await echo_chunks(std::move(peer));
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

LEAT_TEST("try_send takes what there is room for, in order with what is sent, and nothing once closed") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
    auto server = co_await listener.accept();
    std::string sent;
    const std::string piece(50'000, 'x');
    for (std::size_t taken = 1; taken != 0;) {  // until nothing more fits
        sent += static_cast<char>('a' + sent.size() % 26);
        const std::size_t marked = client.try_send(std::string_view(sent).substr(sent.size() - 1));
        taken = marked == 0 ? 0 : client.try_send(piece);
        sent.resize(sent.size() - 1 + marked);
        sent.append(taken, 'x');
    }
    CHECK(!sent.empty());
    CHECK(client.bytes_sent() == sent.size());
    auto sender = leat::spawn([&]() -> leat::task<> { co_await client.send_all("the end"); });
    std::string received(sent.size() + 7, ' ');
    co_await server.recv_exactly(received);
    co_await sender;
    CHECK(received == sent + "the end");
    client.close();
    CHECK(client.try_send("more") == 0);
}

LEAT_TEST("who has looked whether a stream is quiet still hears of the reset") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
    auto server = co_await listener.accept();
    CHECK(client.is_quiet());
    server.set_reset_on_close();
    server.close();
    while (client.is_quiet()) {
        co_await leat::yield();
    }
    CHECK_FALSE(client.is_quiet());
    char byte[1];
    const auto read = co_await leat::as_result(client.recv(byte));
    CHECK(read.error() == std::errc::connection_reset);
}

LEAT_TEST("a reset that try_send has met is told to the reader, and the next send fails") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
    auto server = co_await listener.accept();
    server.set_reset_on_close();
    server.close();
    while (client.is_quiet()) {
        co_await leat::yield();
    }
    CHECK(client.try_send("lost") == 0);
    char byte[1];
    const auto read = co_await leat::as_result(client.recv(byte));
    CHECK(read.error() == std::errc::connection_reset);
    const auto sent = co_await leat::as_result(client.send("lost"));
    CHECK(!sent.ok());
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
    const auto result = co_await leat::as_result(leat::tcp_stream::connect(closed));
    CHECK(result.error() == std::errc::connection_refused);
    CHECK(result.error_text() == what);
}

namespace {

// The code and the text with which connecting to `peer` from `local` fails.
leat::task<std::pair<std::error_code, std::string>> failure_from(leat::endpoint local, leat::endpoint peer) {
    const leat::tcp_connect_options options{.local = local};
    try {
        (void)co_await leat::tcp_stream::connect(peer, options);
    } catch (const std::system_error& error) {
        co_return std::pair(error.code(), std::string(error.what()));
    }
    co_return std::pair(std::error_code(), std::string());
}

}  // namespace

LEAT_TEST("a stream connects from the address that it is told to, and from any port of it") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::tcp_connect_options from{.local = leat::endpoint("127.0.0.2", 0)};
    auto client = co_await leat::tcp_stream::connect(listener.local_endpoint(), from);
    auto server = co_await listener.accept();
    CHECK(client.local_endpoint().address() == leat::address::parse("127.0.0.2"));
    CHECK(client.local_endpoint().port() != 0);
    CHECK(server.remote_endpoint() == client.local_endpoint());
    int left_to_connect = 0;
    auto& sockets = leat::current_scheduler().io().sockets();
    CHECK(sockets
              .option(client.native_handle(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT,
                      std::as_writable_bytes(std::span(&left_to_connect, 1)))
              .ok());
    CHECK(left_to_connect == 1);
}

LEAT_TEST("a local port that is taken, or an address that is not here, is an error that names both ends") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint peer = listener.local_endpoint();
    auto other = leat::tcp_listener::bind({"127.0.0.2", 0});
    const leat::endpoint used = other.local_endpoint();
    const auto [taken, why_taken] = co_await failure_from(used, peer);
    CHECK(taken == std::errc::address_in_use);
    CHECK(why_taken ==
          "connect to " + peer.to_string() + " from " + used.to_string() + ": Address already in use");
    const auto [strange, why_strange] = co_await failure_from({"192.0.2.1", 0}, peer);
    CHECK(strange == std::errc::address_not_available);
    CHECK(why_strange.starts_with("connect to " + peer.to_string() + " from 192.0.2.1:0: "));
}

LEAT_TEST("nobody connects from an address of the other family") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint peer = listener.local_endpoint();
    const auto [code, why] = co_await failure_from({"::1", 0}, peer);
    CHECK(code == std::errc::address_family_not_supported);
    CHECK(why.starts_with("connect to " + peer.to_string() + " from [::1]:0: "));
}

LEAT_TEST("from_fd takes over a socket that listens", on(kernel)) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const leat::endpoint any("127.0.0.1", 0);
    CHECK(::bind(fd, any.data(), any.size()) == 0);
    CHECK(::listen(fd, 1) == 0);
    auto listener = leat::tcp_listener::from_fd(fd);
    CHECK(listener.native_handle() == fd);
    auto server = leat::spawn(echo_once, std::ref(listener));
    auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
    co_await client.send_all("ping");
    std::string answer(4, ' ');
    co_await client.recv_exactly(answer);
    CHECK(answer == "ping");
    client.close();
    co_await server;
}

LEAT_TEST("from_fd takes over a connected socket, also one that is not of TCP", on(kernel)) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    auto here = leat::tcp_stream::from_fd(ends[0]);
    auto server = leat::spawn(echo_chunks, leat::tcp_stream::from_fd(ends[1]));
    const std::string sent(300'000, 'x');
    auto sender = leat::spawn([&]() -> leat::task<> {
        co_await here.send_all(sent);
        here.shutdown_send();
    });
    std::string received(sent.size(), ' ');
    co_await here.recv_exactly(received);
    CHECK(received == sent);
    co_await leat::join_all(server, sender);
}

LEAT_TEST("a recv_exactly that is cancelled again and again gives back all that it had") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
    auto server = co_await listener.accept();
    for (const std::string part : {"abc", "de", "f"}) {
        co_await client.send_all(part);
        co_await leat::readable(server.native_handle());
        auto reader = leat::spawn([&]() -> leat::task<> {
            char more_than_comes[8];
            co_await server.recv_exactly(more_than_comes);
        });
        for (int i = 0; i < 10; ++i) {
            co_await leat::yield();
        }
        reader.cancel();
        co_await reader.join();
    }
    client.shutdown_send();
    char all[6];
    co_await server.recv_exactly(all);
    CHECK(std::string_view(all, 6) == "abcdef");
}

LEAT_TEST("options of a connection are those of its socket") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
    const auto option = [&](int level, int name) {
        int value = -1;
        auto& sockets = leat::current_scheduler().io().sockets();
        CHECK(
            sockets.option(client.native_handle(), level, name, std::as_writable_bytes(std::span(&value, 1)))
                .ok());
        return value;
    };
    CHECK(option(IPPROTO_TCP, TCP_NODELAY) != 0);
    client.set_no_delay(false);
    CHECK(option(IPPROTO_TCP, TCP_NODELAY) == 0);
    CHECK(option(SOL_SOCKET, SO_KEEPALIVE) == 0);
    client.set_keep_alive(true);
    CHECK(option(SOL_SOCKET, SO_KEEPALIVE) != 0);
    client.set_option(IPPROTO_TCP, TCP_KEEPIDLE, 77);
    CHECK(option(IPPROTO_TCP, TCP_KEEPIDLE) == 77);
    CHECK_THROWS_AS(client.set_option(IPPROTO_TCP, 9999, 1), std::system_error);
}

LEAT_TEST("a local port can be used again at once by who closed its connection first", on(kernel)) {
    auto first = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto second = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint local = leat::tcp_listener::bind({"127.0.0.1", 0}).local_endpoint();  // free again
    {
        auto client = co_await leat::tcp_stream::connect(first.local_endpoint(), {.local = local});
        auto server = co_await first.accept();
        client.close();
        const leat::chunk end = co_await server.recv_chunk();
        CHECK(end.empty());
    }
    const auto again = co_await leat::tcp_stream::connect(second.local_endpoint(), {.local = local});
    CHECK(again.local_endpoint() == local);
}

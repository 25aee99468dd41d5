// SPDX-License-Identifier: MIT
// Options of IP sockets by name, as the kernel and a simulation have them.
#include "../runtime/backends/interposed_kernel.hpp"
#include "../support/on_each_backend.hpp"
#include "../support/own_network.hpp"

#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include <span>
#include <stdexcept>
#include <string>
#include <system_error>

#include <netinet/tcp.h>

using namespace std::chrono_literals;
using backend_tests::disturbance;
using backend_tests::strikes;
using leat::interface_name;
using leat::tcp_listener;
using leat::tcp_stream;
using leat::udp_socket;

namespace {

template <typename Socket>
int option_of(const Socket& socket, int level, int name) {
    int value = -1;
    auto& sockets = leat::current_scheduler().io().sockets();
    CHECK(sockets.option(socket.native_handle(), level, name, std::as_writable_bytes(std::span(&value, 1)))
              .ok());
    return value;
}

// What binding or connecting throws.
template <typename Call>
std::string text_of(Call call) {
    try {
        (void)call();
    } catch (const std::exception& error) {
        return error.what();
    }
    return "nothing";
}

leat::task<std::string> failure_of(leat::task<tcp_stream> connecting) {
    std::string what = "nothing";
    try {
        (void)co_await std::move(connecting);
    } catch (const std::exception& error) {
        what = error.what();
    }
    co_return what;
}

void check_kept_alive(const tcp_stream& stream, int idle, int interval, int count) {
    CHECK(option_of(stream, SOL_SOCKET, SO_KEEPALIVE) != 0);
    CHECK(option_of(stream, IPPROTO_TCP, TCP_KEEPIDLE) == idle);
    CHECK(option_of(stream, IPPROTO_TCP, TCP_KEEPINTVL) == interval);
    CHECK(option_of(stream, IPPROTO_TCP, TCP_KEEPCNT) == count);
}

}  // namespace

LEAT_TEST("keep-alive and the limit for acknowledgements are set on a connection, in the kernel's units") {
    auto listener = tcp_listener::bind({"127.0.0.1", 0});
    auto client = co_await tcp_stream::connect(listener.local_endpoint());
    client.set_keep_alive({.idle = 30s, .interval = 1500ms, .count = 4});
    check_kept_alive(client, 30, 2, 4);
    client.set_keep_alive({.idle = 0s, .interval = -1s, .count = 1});
    check_kept_alive(client, 1, 1, 1);
    client.set_user_timeout(2500us);
    CHECK(option_of(client, IPPROTO_TCP, TCP_USER_TIMEOUT) == 3);
    client.set_user_timeout(-1s);
    CHECK(option_of(client, IPPROTO_TCP, TCP_USER_TIMEOUT) == 0);
}

LEAT_TEST("what a listener and a connect are told holds for the connection at both ends") {
    auto listener = tcp_listener::bind({"127.0.0.1", 0}, {.fast_open = 8,
                                                          .keep_alive = leat::keep_alive_options{60s, 10s, 3},
                                                          .user_timeout = 20s,
                                                          .socket = {.dscp = 46, .send_buffer = 50'000}});
    CHECK(option_of(listener, IPPROTO_TCP, TCP_FASTOPEN) == 8);
    auto client = co_await tcp_stream::connect(listener.local_endpoint(),
                                               {.fast_open = true,
                                                .keep_alive = leat::keep_alive_options{.idle = 5s},
                                                .user_timeout = 7s,
                                                .socket = {.dscp = 10, .recv_buffer = 40'000}});
    auto server = co_await listener.accept();
    check_kept_alive(server, 60, 10, 3);
    CHECK(option_of(server, IPPROTO_TCP, TCP_USER_TIMEOUT) == 20'000);
    CHECK(option_of(server, SOL_SOCKET, SO_SNDBUF) == 100'000);
    CHECK((option_of(server, IPPROTO_IP, IP_TOS) & 0xfc) == 46 << 2);
    check_kept_alive(client, 5, 75, 9);
    CHECK(option_of(client, IPPROTO_TCP, TCP_USER_TIMEOUT) == 7000);
    CHECK(option_of(client, SOL_SOCKET, SO_RCVBUF) == 80'000);
    CHECK((option_of(client, IPPROTO_IP, IP_TOS) & 0xfc) == 10 << 2);
    co_await client.send_all("hello");
    char heard[5];
    co_await server.recv_exactly(heard);
    CHECK(std::string_view(heard, 5) == "hello");
    auto datagrams = udp_socket::bind({"127.0.0.1", 0}, {.socket = {.dscp = 8, .recv_buffer = 20'000}});
    CHECK(option_of(datagrams, IPPROTO_IP, IP_TOS) == 8 << 2);
    CHECK(option_of(datagrams, SOL_SOCKET, SO_RCVBUF) == 40'000);
}

LEAT_TEST("a host that is connected to by name has the same options") {
    auto listener = tcp_listener::bind({"127.0.0.1", 0});
    auto client = co_await tcp_stream::connect("127.0.0.1", listener.local_endpoint().port(),
                                               {.user_timeout = 9s, .socket = {.dscp = 3}});
    CHECK(option_of(client, IPPROTO_TCP, TCP_USER_TIMEOUT) == 9000);
    CHECK((option_of(client, IPPROTO_IP, IP_TOS) & 0xfc) == 3 << 2);
}

LEAT_TEST("an option that is refused is named") {
    const std::string no_class =
        text_of([] { return tcp_listener::bind({"127.0.0.1", 0}, {.socket = {.dscp = 64}}); });
    CHECK(no_class == "listen on 127.0.0.1:0: a dscp is 0 to 63, not 64");
    auto listener = tcp_listener::bind({"127.0.0.1", 0});
    auto client = co_await tcp_stream::connect(listener.local_endpoint());
    if (leat::current_scheduler().io().describe().name != "simulated") {  // which keeps what it is told
        const std::string too_many = text_of([&] {
            client.set_keep_alive({.count = 1000});
            return 0;
        });
        CHECK(too_many == "set a socket option: TCP_KEEPCNT: Invalid argument");
    }
    const std::string nowhere =
        text_of([] { return udp_socket::bind({"127.0.0.1", 0}, {.socket = {.interface = "nowhere"}}); });
    CHECK(nowhere.starts_with("bind to 127.0.0.1:0: SO_BINDTODEVICE: "));
    const std::string unconnected = co_await failure_of(
        tcp_stream::connect(listener.local_endpoint(), {.socket = {.interface = "nowhere"}}));
    CHECK(unconnected.starts_with("connect to " + listener.local_endpoint().to_string() +
                                  ": SO_BINDTODEVICE: "));
}

LEAT_TEST("a simulation refuses an interface, and keeps a mark", on(simulated)) {
    std::error_code refused;
    try {
        (void)udp_socket::bind({"127.0.0.1", 0}, {.socket = {.interface = "lo"}});
    } catch (const std::system_error& error) {
        refused = error.code();
    }
    CHECK(refused == std::errc::no_protocol_option);
    auto marked = udp_socket::bind({"127.0.0.1", 0}, {.socket = {.mark = 7}});
    CHECK(option_of(marked, SOL_SOCKET, SO_MARK) == 7);
    co_return;
}

TEST_CASE("a name of a network interface is short and has no zero, and has a number if there is one") {
    CHECK(interface_name().empty());
    CHECK(interface_name().index() == 0);
    CHECK(interface_name("lo").text() == "lo");
    CHECK(interface_name("lo").index() != 0);
    CHECK(interface_name("fifteen-letters").text() == "fifteen-letters");
    CHECK(text_of([] { return interface_name("sixteen--letters"); }) ==
          "no name of a network interface: \"sixteen--letters\"");
    CHECK_THROWS_AS(interface_name(std::string("a\0b", 3)), std::invalid_argument);
    CHECK(text_of([] { return interface_name("nowhere").index(); }) ==
          "network interface nowhere: No such device");
}

namespace {

// Whether the connection's first packet had bytes with it: TCPI_OPT_SYN_DATA of Linux.
bool bytes_came_first(const tcp_stream& stream) {
    tcp_info info{};
    socklen_t size = sizeof info;
    CHECK(::getsockopt(stream.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
    return (info.tcpi_options & 32) != 0;
}

leat::task<bool> one_exchange(tcp_listener& listener) {
    auto client = co_await tcp_stream::connect(listener.local_endpoint(), {.fast_open = true});
    auto asking = leat::spawn([&]() -> leat::task<> { co_await client.send_all("question"); });
    auto server = co_await leat::timeout(20s, listener.accept());
    char heard[8];
    co_await leat::timeout(20s, server.recv_exactly(heard));
    CHECK(std::string_view(heard, 8) == "question");
    co_await asking;
    co_await server.send_all("answer");
    char answer[6];
    co_await leat::timeout(20s, client.recv_exactly(answer));
    CHECK(std::string_view(answer, 6) == "answer");
    co_return bytes_came_first(client);
}

// The second exchange knows the cookie of the first; the kernel has lost it between the third's connect and
// its send; the last finds nobody.
leat::task<> exchanges() {
    auto listener =
        tcp_listener::bind({"127.0.0.1", 0}, {.fast_open = 8, .socket = {.interface = "lo", .mark = 5}});
    CHECK(option_of(listener, SOL_SOCKET, SO_MARK) == 5);
    const bool first = co_await one_exchange(listener);
    CHECK_FALSE(first);
    const bool second = co_await one_exchange(listener);
    CHECK(second);
    auto client = co_await tcp_stream::connect(listener.local_endpoint(), {.fast_open = true});
    strikes::error = EINPROGRESS;  // as when the kernel has forgotten the server since
    strikes::every = 1'000'000;
    {
        const disturbance once(
            leat::system_call::send, +[](int fd, const void* bytes, std::size_t size, int flags) -> ssize_t {
                return strikes::now() ? strikes::fail() : ::send(fd, bytes, size, flags);
            });
        co_await leat::timeout(20s, client.send_all("question"));
        CHECK(strikes::count == 1);
    }
    auto server = co_await leat::timeout(20s, listener.accept());
    char heard[8];
    co_await leat::timeout(20s, server.recv_exactly(heard));
    CHECK(std::string_view(heard, 8) == "question");
    const leat::endpoint there = listener.local_endpoint();
    auto late = co_await tcp_stream::connect(there, {.fast_open = true});
    listener.close();
    const auto sent = co_await leat::as_result(late.send_all("nobody hears this"));
    if (sent.ok()) {  // with the first packet, which is refused
        char none[1];
        const auto received = co_await leat::as_result(leat::timeout(20s, late.recv(none)));
        CHECK(received.error() == std::errc::connection_refused);
    } else {
        CHECK(sent.error() == std::errc::connection_refused);
    }
}

}  // namespace

TEST_CASE("a fast open sends the first bytes with the first packet, where that is possible") {
    support::on_each_backend([](const auto& backend) {
        support::in_own_network([&] {
            if (support::own_network::set("ipv4/tcp_fastopen", "3")) {
                leat::run(exchanges, {.backend = backend});
            } else {
                MESSAGE("skipped: net.ipv4.tcp_fastopen cannot be set here");
            }
        });
    });
}

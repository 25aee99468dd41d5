// SPDX-License-Identifier: MIT
// The code of docs/sockets.md, as it stands there.
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include <string>
#include <string_view>

using namespace std::chrono_literals;

namespace {

// SOCKETS: begin
leat::tcp_listener robust_listener(leat::endpoint at) {
    return leat::tcp_listener::bind(
        at, {.fast_open = 256,
             .keep_alive = leat::keep_alive_options{.idle = 60s, .interval = 10s, .count = 3},
             .user_timeout = 30s,
             .socket = {.dscp = 10, .recv_buffer = 1 << 20}});
}
// SOCKETS: end

// SOCKETS: begin
leat::task<std::string> next_announcement(leat::endpoint group, std::string_view interface) {
    auto socket = leat::udp_socket::bind(group, {.reuse_address = true});
    socket.join(group.address(), interface);
    std::string text(1500, ' ');
    const leat::datagram heard = co_await socket.recv_from(text);
    text.resize(heard.size);
    co_return text;
}

leat::task<> announce(leat::endpoint group, std::string_view interface, std::string_view what) {
    auto socket = leat::udp_socket::bind({"0.0.0.0", 0});
    socket.set_multicast_interface(interface);
    co_await socket.send_to(what, group);
}
// SOCKETS: end

}  // namespace

LEAT_TEST("the page of sockets: a listener with options is connected to") {
    auto listener = robust_listener({"127.0.0.1", 0});
    auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
    auto server = co_await listener.accept();
    CHECK(server.is_open());
}

LEAT_TEST("the page of sockets: an announcement is heard", on(kernel)) {
    const int free_port = leat::udp_socket::bind({"127.0.0.1", 0}).local_endpoint().port();
    const leat::endpoint group("239.77.2.1", free_port);
    auto hearing = leat::spawn(next_announcement(group, "lo"));
    while (hearing.state().waiting == nullptr) {
        co_await leat::yield();
    }
    co_await announce(group, "lo", "the mill runs");
    const std::string heard = co_await leat::timeout(20s, std::move(hearing));
    CHECK(heard == "the mill runs");
}

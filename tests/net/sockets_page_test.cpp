// SPDX-License-Identifier: MIT
// The code of docs/sockets.md, as it stands there.
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include <array>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

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

// SOCKETS: begin
leat::task<> echo_in_batches(leat::udp_socket& socket) {
    leat::received_batch received(32, 65'535);
    leat::outgoing_batch answers;
    for (;;) {
        co_await socket.recv_batch(received);
        for (const auto& each : received) {
            answers.add(each.bytes, each.from);
        }
        co_await socket.send_batch(answers);
    }
}
// SOCKETS: end

// SOCKETS: begin
leat::task<> control(leat::unix_seqpacket peer) {
    std::array<char, 4096> buffer;
    for (;;) {
        const leat::unix_message asked = co_await peer.recv(buffer);
        if (asked.size == 0) {
            break;
        }
        const std::string_view command(buffer.data(), asked.size);
        co_await peer.send(command == "status" ? "running" : "no such command");
    }
}
// SOCKETS: end

// SOCKETS: begin
leat::task<> hand_over(leat::unix_stream& worker, leat::tcp_stream connection) {
    const int passed[] = {connection.native_handle()};
    co_await worker.send_with("x", passed);  // at least one byte goes with them
}

leat::task<leat::tcp_stream> next_connection(leat::unix_stream& parent) {
    std::array<char, 1> byte;
    std::array<leat::fd, 1> passed;
    const leat::unix_message came = co_await parent.recv_with(byte, passed);
    if (came.descriptors != 1) {
        throw std::runtime_error("the parent has ended");
    }
    auto connection = leat::tcp_stream::from_fd(passed[0].get());
    (void)passed[0].release();  // it is the stream's now
    co_return connection;
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

LEAT_TEST("the page of sockets: commands are answered one by one", on(kernel)) {
    auto [client, server] = leat::unix_seqpacket::pair();
    auto serving = leat::spawn(control(std::move(server)));
    std::array<char, 100> buffer;
    co_await client.send("status");
    const leat::unix_message status = co_await client.recv(buffer);
    CHECK(std::string_view(buffer.data(), status.size) == "running");
    co_await client.send("dance");
    const leat::unix_message refused = co_await client.recv(buffer);
    CHECK(std::string_view(buffer.data(), refused.size) == "no such command");
    client.close();
    co_await serving;
}

LEAT_TEST("the page of sockets: a connection is handed over", on(kernel)) {
    auto [parent, worker] = leat::unix_stream::pair();
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
    co_await hand_over(worker, co_await listener.accept());
    auto connection = co_await next_connection(parent);
    co_await connection.send_all("from elsewhere");
    std::string heard(14, ' ');
    co_await client.recv_exactly(heard);
    CHECK(heard == "from elsewhere");
    worker.close();
    std::string what;
    try {
        (void)co_await next_connection(parent);
    } catch (const std::runtime_error& error) {
        what = error.what();
    }
    CHECK(what == "the parent has ended");
}

LEAT_TEST("the page of sockets: datagrams are echoed in batches") {
    auto server = leat::udp_socket::bind({"127.0.0.1", 0}, {.coalesce = true});
    auto client = leat::udp_socket::bind({"127.0.0.1", 0});
    auto echoing = leat::spawn(echo_in_batches, std::ref(server));
    leat::outgoing_batch batch;
    for (int number = 0; number < 100; ++number) {
        batch.add(std::to_string(1000 + number), server.local_endpoint());
    }
    co_await client.send_batch(batch);
    for (int number = 0; number < 100; ++number) {
        std::string text(10, ' ');
        text.resize(co_await leat::timeout(20s, client.recv(text)));
        CHECK(text == std::to_string(1000 + number));
    }
    echoing.cancel();
    co_await echoing.join();
}

// SPDX-License-Identifier: MIT
#include "datagrams.hpp"

#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

using namespace std::chrono_literals;
using namespace datagram_tests;
using leat::datagram;
using leat::udp_socket;

namespace {

// Whether nothing has come.
leat::task<bool> hears_nothing(udp_socket& socket) {
    char room[1];
    const auto got = co_await leat::move_on_after(1ms, socket.recv_from(room));
    co_return !got.has_value();
}

// What `body` throws.
leat::task<std::system_error> error_of(leat::task<> body) {
    std::system_error caught(std::error_code(), "nothing");
    try {
        co_await std::move(body);
    } catch (const std::system_error& error) {
        caught = error;
    }
    co_return caught;
}

}  // namespace

LEAT_TEST("a server answers whoever sends, at the address that it came from") {
    auto server = on_loopback();
    auto echoing = leat::spawn(echo, std::ref(server));
    for (const std::string_view text : {"one", "", "three"}) {
        auto client = udp_socket::bind({"0.0.0.0", 0});
        co_await client.send_to(text, server.local_endpoint());
        std::array<char, 100> buffer;
        const datagram answer = co_await leat::timeout(patience, client.recv_from(buffer));
        CHECK(std::string_view(buffer.data(), answer.size) == text);
        CHECK(answer.from == server.local_endpoint());
        CHECK_FALSE(answer.truncated);
    }
    echoing.cancel();
    co_await echoing.join();
}

LEAT_TEST("datagrams that stand in the queue are received one by one, whatever the size of the buffer") {
    const std::vector<std::size_t> sizes{5, 0, 1, 1400, 0, 9000, 2};
    for (const std::size_t room : {std::size_t{0}, std::size_t{3}, std::size_t{10'000}}) {
        auto server = on_loopback();
        auto client = on_loopback();
        for (const std::size_t size : sizes) {
            co_await client.send_to(std::string(size, 'x'), server.local_endpoint());
        }
        for (const std::size_t size : sizes) {
            std::string buffer(room, ' ');
            const datagram got = co_await leat::timeout(patience, server.recv_from(buffer));
            CHECK(got.size == std::min(size, room));
            CHECK(buffer.substr(0, got.size) == std::string(got.size, 'x'));
            CHECK(got.truncated == (size > room));
            CHECK(got.from == client.local_endpoint());
        }
        const bool nothing = co_await hears_nothing(server);
        CHECK(nothing);
    }
}

LEAT_TEST("datagrams that come while one is waited for are all received") {
    auto server = on_loopback();
    auto client = on_loopback();
    std::vector<std::string> heard;
    auto reader = leat::spawn([&]() -> leat::task<> {
        for (int count = 0; count < 9; ++count) {
            heard.push_back(co_await received(server));
        }
    });
    for (const std::string_view round : {"a", "b", "c"}) {
        co_await leat::sleep(1ns);  // the reader waits
        for (const std::string_view text : {"1", "22", "3"}) {
            co_await client.send_to(std::string(round) + std::string(text), server.local_endpoint());
        }
    }
    co_await reader;
    CHECK(heard == std::vector<std::string>{"a1", "a22", "a3", "b1", "b22", "b3", "c1", "c22", "c3"});
}

LEAT_TEST("recv of a datagram that is cut off is an error, and the next one comes whole") {
    auto server = on_loopback();
    auto client = on_loopback();
    co_await client.send_to("too long", server.local_endpoint());
    co_await client.send_to("fit", server.local_endpoint());
    char room[3];
    const auto cut = co_await leat::as_result(server.recv(room));
    CHECK(cut.error() == std::errc::message_size);
    CHECK(std::string_view(room, 3) == "too");
    const std::size_t size = co_await server.recv(room);
    CHECK(std::string_view(room, size) == "fit");
}

LEAT_TEST("a connected socket hears its peer only, and sends to it") {
    auto server = on_loopback();
    auto client = on_loopback();
    auto stranger = on_loopback();
    CHECK(client.remote_endpoint().port() == 0);
    co_await client.connect(server.local_endpoint());
    CHECK(client.remote_endpoint() == server.local_endpoint());
    co_await stranger.send_to("not for you", client.local_endpoint());
    co_await client.send("question");
    std::array<char, 100> buffer;
    const datagram question = co_await leat::timeout(patience, server.recv_from(buffer));
    CHECK(question.from == client.local_endpoint());
    co_await server.send_to("answer", question.from);
    const std::size_t size = co_await leat::timeout(patience, client.recv(buffer));
    CHECK(std::string_view(buffer.data(), size) == "answer");
    co_await client.connect(stranger.local_endpoint());
    co_await client.send("to another peer");
    const std::string heard = co_await received(stranger);
    CHECK(heard == "to another peer");
    co_await client.send_to("beside the peer", server.local_endpoint());
    const std::string beside = co_await received(server);
    CHECK(beside == "beside the peer");
}

LEAT_TEST("that nobody is there is told to the socket that is connected there, once") {
    auto client = on_loopback();
    leat::endpoint nowhere;
    {
        auto gone = udp_socket::bind({"127.0.0.77", 0});  // where no other program gets the port meanwhile
        nowhere = gone.local_endpoint();
    }
    co_await client.connect(nowhere);
    co_await client.send("anybody there?");
    const auto refused = co_await error_of([](udp_socket& socket) -> leat::task<> {
        char room[1];
        (void)co_await leat::timeout(patience, socket.recv_from(room));
    }(client));
    CHECK(refused.code() == std::errc::connection_refused);
    CHECK(refused.what() == "recv from " + nowhere.to_string() + ": Connection refused");
    const bool nothing = co_await hears_nothing(client);
    CHECK(nothing);

    auto unconnected = on_loopback();
    co_await unconnected.send_to("anybody there?", nowhere);
    co_await unconnected.send_to("I am", unconnected.local_endpoint());
    const std::string heard = co_await received(unconnected);
    CHECK(heard == "I am");
}

LEAT_TEST("65,507 bytes are sent, and one more is an error that names the receiver") {
    auto server = on_loopback();
    auto client = on_loopback();
    std::string longest(65'507, 'x');
    longest.front() = 'a';
    longest.back() = 'z';
    co_await client.send_to(longest, server.local_endpoint());
    const std::string whole = co_await received(server);
    CHECK(whole == longest);
    const auto too_long = co_await error_of([](udp_socket& from, leat::endpoint to) -> leat::task<> {
        co_await from.send_to(std::string(65'508, 'x'), to);
    }(client, server.local_endpoint()));
    CHECK(too_long.code() == std::errc::message_size);
    CHECK(too_long.what() == "send to " + server.local_endpoint().to_string() + ": Message too long");
}

LEAT_TEST("what has nowhere to go is an error") {
    auto client = on_loopback();
    const auto no_peer = co_await leat::as_result(client.send("x"));
    CHECK(no_peer.error() == std::errc::destination_address_required);
    const auto no_port = co_await leat::as_result(client.send_to("x", {"127.0.0.1", 0}));
    CHECK(no_port.error() == std::errc::invalid_argument);
    const auto other_family = co_await leat::as_result(client.send_to("x", {"::1", 1}));
    CHECK(other_family.error() == std::errc::address_family_not_supported);
    const auto not_connected = co_await leat::as_result(client.connect({"::1", 1}));
    CHECK(not_connected.error() == std::errc::address_family_not_supported);
    CHECK(client.remote_endpoint().port() == 0);
    const bool nothing = co_await hears_nothing(client);
    CHECK(nothing);
}

LEAT_TEST("a datagram socket that is closed while a task receives ends that with an error") {
    auto socket = on_loopback();
    auto reader = leat::spawn([&]() -> leat::task<std::error_code> {
        char room[1];
        const auto got = co_await leat::as_result(socket.recv_from(room));
        co_return got.error();
    });
    co_await leat::sleep(1ns);
    const leat::endpoint here = socket.local_endpoint();
    socket.close();
    const std::error_code ended = co_await reader;
    CHECK(ended == std::errc::operation_canceled);
    CHECK_FALSE(socket.is_open());
    const auto sent = co_await leat::as_result(socket.send_to("x", here));
    CHECK(sent.error() == leat::stream_errc::closed);
    char room[1];
    const auto got = co_await leat::as_result(socket.recv(room));
    CHECK(got.error() == leat::stream_errc::closed);
    socket = udp_socket::bind(here);  // the port is free again
    CHECK(socket.is_open());
}

LEAT_TEST("one task sends on a datagram socket while another one receives") {
    auto server = on_loopback();
    auto client = on_loopback();
    co_await client.connect(server.local_endpoint());
    auto echoing = leat::spawn(echo, std::ref(server));
    auto sender = leat::spawn([&]() -> leat::task<> {
        for (int number = 0; number < 50; ++number) {
            co_await client.send(std::to_string(number));
            co_await leat::yield();
        }
    });
    for (int number = 0; number < 50; ++number) {
        const std::string text = co_await received(client);
        CHECK(text == std::to_string(number));
    }
    co_await sender;
    echoing.cancel();
    co_await echoing.join();
}

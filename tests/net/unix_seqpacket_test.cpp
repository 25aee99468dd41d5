// SPDX-License-Identifier: MIT
// Connections of the Unix domain whose messages keep their bounds.
#include "../runtime/cancel_moments.hpp"
#include "../support/folder.hpp"

#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <unistd.h>

using namespace std::chrono_literals;
using cancel_tests::cancelled_at_any_moment;
using cancel_tests::trial;
using leat::unix_endpoint;
using leat::unix_message;
using leat::unix_seqpacket;
using leat::unix_seqpacket_listener;

namespace {

leat::task<std::string> next_message(unix_seqpacket& peer) {
    std::string text(100, ' ');
    const unix_message came = co_await leat::timeout(20s, peer.recv(text));
    CHECK_FALSE(came.truncated);
    text.resize(came.size);
    co_return text;
}

leat::task<> echo_messages(unix_seqpacket peer) {
    for (;;) {
        const std::string message = co_await next_message(peer);
        if (message.empty()) {
            break;
        }
        co_await peer.send(message);
    }
}

leat::task<std::string> failure_of(unix_endpoint at) {
    std::string what = "nothing";
    try {
        (void)co_await unix_seqpacket::connect(at);
    } catch (const std::system_error& error) {
        what = error.what();
    }
    co_return what;
}

}  // namespace

LEAT_TEST("messages of a connection come one by one, in order, and then the end", on(kernel)) {
    const leat::testing::folder folder;
    const std::string path = folder.path() + "/control";
    auto listener = unix_seqpacket_listener::bind(path);
    auto serving = leat::spawn([&]() -> leat::task<> { co_await echo_messages(co_await listener.accept()); });
    auto client = co_await unix_seqpacket::connect(path);
    CHECK(client.remote_endpoint() == path);
    CHECK(client.local_endpoint() == unix_endpoint());
    CHECK(client.peer_credentials().process == ::getpid());
    co_await client.send("first");
    co_await client.send("second");
    client.shutdown_send();
    const std::string first = co_await next_message(client);
    const std::string second = co_await next_message(client);
    const std::string end = co_await next_message(client);
    CHECK(first == "first");
    CHECK(second == "second");
    CHECK(end.empty());
    co_await serving;
    listener.close();
    CHECK_FALSE(std::filesystem::exists(path));
    const std::string gone = co_await failure_of(path);
    CHECK(gone == "connect to " + path + ": No such file or directory");
}

LEAT_TEST("a message that does not fit is cut off and says so, and the next one comes whole", on(kernel)) {
    auto [one, other] = unix_seqpacket::pair();
    co_await one.send("a long one");
    co_await one.send("next");
    std::array<char, 4> buffer;
    const unix_message cut = co_await other.recv(buffer);
    CHECK(cut.size == 4);
    CHECK(cut.truncated);
    const std::string next = co_await next_message(other);
    CHECK(next == "next");
    const auto too_long = co_await leat::as_result(one.send(std::string(10'000'000, 'x')));
    CHECK(too_long.error() == std::errc::message_size);
}

LEAT_TEST("who sends messages waits for room, and hears when the peer is gone", on(kernel)) {
    auto [one, other] = unix_seqpacket::pair();
    int sent = 0;
    constexpr int all = 100;  // several times what there is room for
    auto sender = leat::spawn([&]() -> leat::task<> {
        for (; sent < all; ++sent) {
            std::string text = std::to_string(sent);
            text.resize(10'000, ' ');
            co_await one.send(text);
        }
    });
    while (sender.state().waiting == nullptr || sent == 0) {
        co_await leat::yield();
    }
    CHECK(sent < all);
    for (int number = 0; number < all; ++number) {
        std::string text(10'000, '?');
        const unix_message came = co_await leat::timeout(20s, other.recv(text));
        CHECK(came.size == 10'000);
        CHECK(text.starts_with(std::to_string(number) + ' '));
    }
    co_await sender;
    other.close();
    const auto late = co_await leat::as_result(one.send("late"));
    CHECK(late.error() == std::errc::broken_pipe);
}

LEAT_TEST("closing a connection of messages ends its receive", on(kernel)) {
    auto [one, other] = unix_seqpacket::pair();
    auto receiving = leat::spawn([&]() -> leat::task<> {
        char byte = 0;
        (void)co_await one.recv(std::span(&byte, 1));
    });
    co_await leat::testing::wait_until_idle();
    one.close();
    const auto received = co_await leat::as_result(receiving);
    CHECK(received.error() == std::errc::operation_canceled);
}

LEAT_TEST("sockets of messages are taken over from descriptors", on(kernel)) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    auto one = unix_seqpacket::from_fd(ends[0]);
    auto other = unix_seqpacket::from_fd(ends[1]);
    co_await one.send("hello");
    const std::string heard = co_await next_message(other);
    CHECK(heard == "hello");
    auto [stream, its_peer] = leat::unix_stream::pair();
    CHECK_THROWS_AS((void)unix_seqpacket::from_fd(stream.native_handle()), std::system_error);
    auto listener = unix_seqpacket_listener::bind({});
    const int duplicate = ::dup(listener.native_handle());
    auto taken = unix_seqpacket_listener::from_fd(duplicate);
    CHECK(taken.local_endpoint() == listener.local_endpoint());
}

LEAT_TEST("a simulation has no connections of messages", on(simulated)) {
    const std::string refused = co_await failure_of({});
    CHECK(refused == "a seqpacket socket of the Unix domain in a simulation: Operation not supported");
    CHECK_THROWS_AS((void)unix_seqpacket_listener::bind({}), std::system_error);
}

namespace {

struct receive_trial : trial {
    leat::task<> attempt() {
        std::array<char, 8> buffer;
        const unix_message came = co_await both_.first.recv(buffer);
        received_ += std::string_view(buffer.data(), came.size);
        delivered();
    }
    void enable() {
        const std::string next = std::to_string(1000 + sent_.size());
        sent_ += next;
        CHECK(::send(both_.second.native_handle(), next.data(), next.size(), 0) == 4);
    }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(received_ == sent_, where);
        co_return;
    }

private:
    std::pair<unix_seqpacket, unix_seqpacket> both_ = unix_seqpacket::pair();
    std::string sent_;
    std::string received_;
};

class accept_trial : public trial {
public:
    leat::task<> attempt() {
        accepted_.push_back(co_await listener_.accept());
        delivered();
    }
    void enable() { clients_.push_back(leat::spawn(unix_seqpacket::connect(listener_.local_endpoint()))); }
    leat::task<> verify(const std::string& where) {
        auto client = co_await clients_.back();
        CHECK_MESSAGE(accepted_.size() == clients_.size(), where);
        co_await client.send("mine");
        const std::string heard = co_await next_message(accepted_.back());
        CHECK_MESSAGE(heard == "mine", where);
    }

private:
    unix_seqpacket_listener listener_ = unix_seqpacket_listener::bind({});
    std::vector<leat::handle<unix_seqpacket>> clients_;
    std::vector<unix_seqpacket> accepted_;
};

}  // namespace

LEAT_TEST("a recv of a message is cancelled at any moment", on(kernel)) {
    return cancelled_at_any_moment<receive_trial>("a recv of a message");
}

LEAT_TEST("an accept of a connection of messages is cancelled at any moment", on(kernel)) {
    return cancelled_at_any_moment<accept_trial>("an accept of a connection of messages");
}

// SPDX-License-Identifier: MIT
// Datagrams of the Unix domain: names, peers, who waits for room, and moments of cancelling.
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

#include <unistd.h>

using namespace std::chrono_literals;
using cancel_tests::cancelled_at_any_moment;
using cancel_tests::trial;
using leat::unix_datagram;
using leat::unix_endpoint;
using leat::unix_message;

namespace {

constexpr auto patience = 20s;

leat::task<std::string> next_text(unix_datagram& socket) {
    std::string text(100, ' ');
    const unix_message came = co_await leat::timeout(patience, socket.recv_from(text));
    CHECK_FALSE(came.truncated);
    text.resize(came.size);
    co_return text;
}

// What a call throws.
template <typename Call>
std::string text_of(Call call) {
    try {
        (void)call();
    } catch (const std::system_error& error) {
        return error.what();
    }
    return "nothing";
}

leat::task<std::string> failure_of(leat::task<> sending) {
    std::string what = "nothing";
    try {
        co_await std::move(sending);
    } catch (const std::system_error& error) {
        what = error.what();
    }
    co_return what;
}

// Fills the queue of `full` until a send would wait.
void fill(const unix_datagram& sender) {
    while (::send(sender.native_handle(), "x", 1, MSG_DONTWAIT) > 0) {
    }
}

}  // namespace

LEAT_TEST("datagrams of the Unix domain are answered at the name that they came from", on(kernel)) {
    auto server = unix_datagram::bind({});
    auto client = unix_datagram::bind({});
    const unix_endpoint there = server.local_endpoint();
    CHECK(there.is_abstract());
    co_await client.send_to("question", there);
    std::array<char, 100> buffer;
    const unix_message question = co_await server.recv_from(buffer);
    CHECK(std::string_view(buffer.data(), question.size) == "question");
    CHECK(question.from == client.local_endpoint());
    CHECK(question.descriptors == 0);
    CHECK_FALSE(question.descriptors_lost);
    co_await server.send_to("answer", question.from);
    const std::string answer = co_await next_text(client);
    CHECK(answer == "answer");
    auto nameless = unix_datagram::open();
    co_await nameless.send_to("", there);
    const unix_message nobody = co_await server.recv_from(buffer);
    CHECK(nobody.size == 0);
    CHECK(nobody.from == unix_endpoint());
}

LEAT_TEST("a datagram of the Unix domain that is cut off says so, and the next one comes whole", on(kernel)) {
    auto [one, other] = unix_datagram::pair();
    CHECK(one.peer_credentials().process == ::getpid());
    co_await one.send("a long one");
    co_await one.send("next");
    std::array<char, 4> buffer;
    const unix_message cut = co_await other.recv_from(buffer);
    CHECK(cut.size == 4);
    CHECK(cut.truncated);
    const std::string next = co_await next_text(other);
    CHECK(next == "next");
}

LEAT_TEST("a datagram socket of the Unix domain has a path while it is open", on(kernel)) {
    const leat::testing::folder folder;
    const std::string path = folder.path() + "/log";
    auto server = unix_datagram::bind(path);
    CHECK(server.local_endpoint() == path);
    CHECK(std::filesystem::is_socket(path));
    CHECK(text_of([&] { return unix_datagram::bind(path, {.replace_stale = true}); }) ==
          "bind to " + path + ": Address already in use");
    server.close();
    CHECK_FALSE(server.is_open());
    CHECK_FALSE(std::filesystem::exists(path));
    {
        const leat::fd left(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        const unix_endpoint at(path);
        REQUIRE(::bind(left.get(), at.data(), at.size()) == 0);
    }
    CHECK(text_of([&] { return unix_datagram::bind(path); }) ==
          "bind to " + path + ": Address already in use");
    auto again = unix_datagram::bind(path, {.replace_stale = true});
    co_await unix_datagram::open().send_to("hello", path);
    const std::string heard = co_await next_text(again);
    CHECK(heard == "hello");
}

LEAT_TEST("a connected datagram socket of the Unix domain hears its peer only", on(kernel)) {
    auto server = unix_datagram::bind({});
    auto client = unix_datagram::bind({});
    auto stranger = unix_datagram::open();
    client.connect(server.local_endpoint());
    CHECK(client.remote_endpoint() == server.local_endpoint());
    const std::string refused = co_await failure_of(stranger.send_to("hello", client.local_endpoint()));
    CHECK(refused == "send to " + client.local_endpoint().to_string() + ": Operation not permitted");
    co_await client.send("question");
    const std::string question = co_await next_text(server);
    CHECK(question == "question");
    co_await server.send_to("answer", client.local_endpoint());
    const std::string answer = co_await next_text(client);
    CHECK(answer == "answer");
    const unix_endpoint gone = server.local_endpoint();
    server.close();
    const auto sent = co_await leat::as_result(client.send("more"));
    CHECK(sent.error() == std::errc::connection_refused);
    CHECK(text_of([&] {
              client.connect(gone);
              return 0;
          }) == "connect to " + gone.to_string() + ": Connection refused");
    const auto unconnected = co_await leat::as_result(stranger.send("to whom?"));
    CHECK(unconnected.error() == std::errc::not_connected);
}

LEAT_TEST("who sends a datagram of the Unix domain waits while the receiver has no room", on(kernel)) {
    auto server = unix_datagram::bind({});
    auto client = unix_datagram::open();
    client.connect(server.local_endpoint());
    fill(client);
    auto stranger = unix_datagram::open();
    auto by_name = leat::spawn(stranger.send_to("by name", server.local_endpoint()));
    auto by_peer = leat::spawn([&]() -> leat::task<> { co_await client.send("by peer"); });
    co_await leat::sleep(20ms);
    CHECK_FALSE(by_name.done());
    CHECK_FALSE(by_peer.done());
    std::string all;
    while (all.size() < 14) {
        const std::string next = co_await next_text(server);
        all += next == "x" ? "" : next;
    }
    co_await leat::join_all(by_name, by_peer);
    const bool both = all == "by nameby peer" || all == "by peerby name";
    CHECK(both);
}

LEAT_TEST("a udp_socket that is of the Unix domain loses nothing while it waits for room", on(kernel)) {
    auto server = unix_datagram::bind({});
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    auto client = leat::udp_socket::from_fd(fd);
    const unix_endpoint there = server.local_endpoint();
    REQUIRE(::connect(fd, there.data(), there.size()) == 0);
    while (::send(fd, "x", 1, MSG_DONTWAIT) > 0) {
    }
    auto sending = leat::spawn([&]() -> leat::task<> { co_await client.send("last"); });
    co_await leat::sleep(10ms);
    CHECK_FALSE(sending.done());
    std::string next;
    do {
        next = co_await next_text(server);
    } while (next == "x");
    CHECK(next == "last");
    co_await sending;
}

LEAT_TEST("from_fd takes over a datagram socket of the Unix domain, and nothing else", on(kernel)) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) == 0);
    auto one = unix_datagram::from_fd(ends[0]);
    auto other = unix_datagram::from_fd(ends[1]);
    co_await one.send("hello");
    const std::string heard = co_await next_text(other);
    CHECK(heard == "hello");
    auto ip = leat::udp_socket::bind({"127.0.0.1", 0});
    CHECK(text_of([&] { return unix_datagram::from_fd(ip.native_handle()); })
              .ends_with("which is not a datagram socket of the Unix domain: Address family not supported by "
                         "protocol"));
    one.close();
    const auto late = co_await leat::as_result(one.send("late"));
    CHECK(late.error() == leat::stream_errc::closed);
    const auto later = co_await leat::as_result(one.send_to("late", unix_endpoint::abstract("leat.nobody")));
    CHECK(later.error() == leat::stream_errc::closed);
}

LEAT_TEST("a simulation has no datagrams of the Unix domain", on(simulated)) {
    CHECK(text_of([] { return unix_datagram::bind({}); }) ==
          "a datagram socket of the Unix domain in a simulation: Operation not supported");
    CHECK(text_of([] { return unix_datagram::pair(); }) ==
          "a pair of sockets in a simulation: Operation not supported");
    co_return;
}

namespace {

struct receive_trial : trial {
    leat::task<> attempt() {
        std::array<char, 8> buffer;
        const unix_message came = co_await server_.recv_from(buffer);
        received_ += std::string_view(buffer.data(), came.size);
        delivered();
    }
    void enable() {
        const std::string next = std::to_string(1000 + sent_.size());
        sent_ += next;
        CHECK(::send(client_.native_handle(), next.data(), next.size(), 0) == 4);
    }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(received_ == sent_, where);
        co_return;
    }

private:
    std::pair<unix_datagram, unix_datagram> both_ = unix_datagram::pair();
    unix_datagram& server_ = both_.first;
    unix_datagram& client_ = both_.second;
    std::string sent_;
    std::string received_;
};

// There is no room until it is enabled, at a receiver that the sender is not connected to.
class waiting_send_trial : public trial {
public:
    // What has ended may be the pause before the last try.
    static constexpr auto delivers_from = cancel_tests::moment::after_the_task_ended;
    waiting_send_trial() {
        filler_.connect(server_.local_endpoint());
        fill(filler_);
    }
    leat::task<> attempt() {
        co_await client_.send_to(std::to_string(deliveries()), server_.local_endpoint());
        delivered();
    }
    void enable() { drain(); }
    leat::task<> verify(const std::string& where) {
        drain();
        CHECK_MESSAGE(arrived_ == deliveries(), where);
        fill(filler_);
        co_return;
    }

private:
    void drain() {
        char text[10];
        ssize_t size = 0;
        while ((size = ::recv(server_.native_handle(), text, sizeof text, MSG_DONTWAIT)) > 0) {
            if (text[0] != 'x') {
                CHECK(std::string(text, static_cast<std::size_t>(size)) == std::to_string(arrived_));
                ++arrived_;
            }
        }
    }

    unix_datagram server_ = unix_datagram::bind({});
    unix_datagram client_ = unix_datagram::open();
    unix_datagram filler_ = unix_datagram::open();
    int arrived_ = 0;
};

}  // namespace

LEAT_TEST("a recv_from of the Unix domain is cancelled at any moment", on(kernel)) {
    return cancelled_at_any_moment<receive_trial>("a recv_from of the Unix domain");
}

LEAT_TEST("a send_to of the Unix domain that waits for room is cancelled at any moment", on(kernel)) {
    return cancelled_at_any_moment<waiting_send_trial>("a send_to of the Unix domain");
}

// SPDX-License-Identifier: MIT
// Connections over Unix sockets. That they are streams as all others is for check_stream to show.
#include "../runtime/cancel_moments.hpp"

#include <leat/net.hpp>
#include <leat/testing/check_stream.hpp>
#include <leat/testing/doctest.hpp>

#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using cancel_tests::cancelled_at_any_moment;
using cancel_tests::trial;
using leat::unix_endpoint;
using leat::unix_listener;
using leat::unix_stream;

namespace {

leat::task<std::pair<unix_stream, unix_stream>> unix_pair() {
    auto listener = unix_listener::bind({});
    auto client = co_await unix_stream::connect(listener.local_endpoint());
    auto server = co_await listener.accept();
    co_return std::pair(std::move(client), std::move(server));
}

leat::task<> echo_unix(unix_stream peer) {
    while (auto chunk = co_await peer.recv_chunk()) {
        co_await peer.send_all(chunk);
    }
}

leat::task<> expect_echo(unix_endpoint at) {
    auto client = co_await unix_stream::connect(at);
    const std::string sent(300'000, 'x');
    auto sender = leat::spawn([&]() -> leat::task<> {
        co_await client.send_all(sent, "the end");
        client.shutdown_send();
    });
    std::string received(sent.size() + 7, ' ');
    co_await client.recv_exactly(received);
    CHECK(received == sent + "the end");
    CHECK(client.bytes_sent() == received.size());
    char byte = 0;
    const std::size_t rest = co_await client.recv(std::span(&byte, 1));
    CHECK(rest == 0);
    co_await sender;
}

// What connecting there fails with.
leat::task<std::string> failure_of(unix_endpoint at) {
    std::string what;
    try {
        (void)co_await unix_stream::connect(at);
    } catch (const std::system_error& error) {
        what = error.what();
    }
    co_return what;
}

class accept_trial : public trial {
public:
    leat::task<> attempt() {
        accepted_.push_back(co_await listener_.accept());
        delivered();
    }
    void enable() { clients_.push_back(leat::spawn(unix_stream::connect(listener_.local_endpoint()))); }
    leat::task<> verify(const std::string& where) {
        auto client = co_await clients_.back();
        CHECK_MESSAGE(accepted_.size() == clients_.size(), where);
        co_await client.send_all("mine");
        char text[4] = {};
        co_await accepted_.back().recv_exactly(text);
        CHECK_MESSAGE(std::string_view(text, sizeof text) == "mine", where);
    }

private:
    unix_listener listener_ = unix_listener::bind({});
    std::vector<leat::handle<unix_stream>> clients_;
    std::vector<unix_stream> accepted_;
};

// The listener's queue answers at once. Each connection that was made is accepted, and has ended.
class connect_trial : public trial {
public:
    static constexpr bool ends_by_itself = true;
    leat::task<> attempt() {
        ++begun_;
        const auto stream = co_await unix_stream::connect(listener_.local_endpoint());
        CHECK(stream.is_open());
        delivered();
    }
    void enable() {}
    leat::task<> verify(const std::string& where) {
        for (;;) {
            auto accepted = co_await leat::move_on_after(1ms, listener_.accept());
            if (!accepted.has_value()) {
                break;
            }
            --begun_;
            const auto chunk = co_await leat::timeout(20s, accepted->recv_chunk());
            CHECK_MESSAGE(chunk.empty(), where);
        }
        CHECK_MESSAGE(begun_ >= 0, where);
        begun_ = 0;
    }

private:
    unix_listener listener_ = unix_listener::bind({});
    int begun_ = 0;
};

}  // namespace

LEAT_TEST("an echo server at an abstract name, or at one that it is given, is connected to") {
    for (const unix_endpoint& at : {unix_endpoint::abstract("leat.unix_test"), unix_endpoint()}) {
        auto listener = unix_listener::bind(at);
        const unix_endpoint where = listener.local_endpoint();
        CHECK(where.is_abstract());
        CHECK((where == at) == at.is_abstract());
        auto serving = leat::spawn(leat::serve(std::move(listener), echo_unix, {.stop_on = {}}));
        co_await expect_echo(where);
        co_await expect_echo(where);
        serving.cancel();
        co_await serving.join();
        const std::string gone = co_await failure_of(where);
        CHECK(gone == "connect to " + where.to_string() + ": Connection refused");
    }
}

LEAT_TEST("Unix sockets are streams as streams are to be") {
    co_await leat::testing::check_stream(unix_pair);
}

LEAT_SIMULATE("Unix sockets are so too when bytes are late and pieces short",
              {.seeds = 10, .random_order = true}) {
    co_await leat::testing::check_stream(unix_pair, {.patience = 24h, .large = 200'000, .blocks = 500'000});
}

LEAT_TEST("both ends of a Unix connection know its names") {
    auto listener = unix_listener::bind({});
    const unix_endpoint at = listener.local_endpoint();
    auto client = co_await unix_stream::connect(at);
    auto server = co_await listener.accept();
    CHECK(client.remote_endpoint() == at);
    CHECK(server.local_endpoint() == at);
    CHECK(client.local_endpoint() == unix_endpoint());
    CHECK(server.remote_endpoint() == unix_endpoint());
}

LEAT_TEST("a Unix peer that closes with unread data resets, which names it") {
    auto listener = unix_listener::bind({});
    const unix_endpoint at = listener.local_endpoint();
    auto client = co_await unix_stream::connect(at);
    auto server = co_await listener.accept();
    co_await client.send_all("never read");
    server.close();
    std::string what;
    try {
        (void)co_await client.recv_chunk();
    } catch (const std::system_error& error) {
        CHECK(error.code() == std::errc::connection_reset);
        what = error.what();
    }
    CHECK(what == "recv from " + at.to_string() + ": Connection reset by peer");
    const auto late = co_await leat::as_result(client.send_all("late"));
    CHECK(late.error() == std::errc::broken_pipe);
}

LEAT_TEST("a Unix client waits for a place in a full queue, no longer than it is told to") {
    auto listener = unix_listener::bind({}, {.backlog = 1});
    const unix_endpoint at = listener.local_endpoint();
    std::vector<unix_stream> queued;
    std::error_code full;
    while (!full && queued.size() < 10) {
        auto one = co_await leat::as_result(unix_stream::connect(at, {.timeout = 20ms}));
        full = one.error();
        if (one.ok()) {
            queued.push_back(std::move(*one));
        }
    }
    CHECK(full == std::errc::timed_out);
    CHECK(queued.size() <= 3);
    auto waiting = leat::spawn(unix_stream::connect(at));
    co_await leat::testing::wait_until_idle();
    CHECK_FALSE(waiting.done());
    std::vector<unix_stream> accepted;
    while (accepted.size() <= queued.size()) {
        accepted.push_back(co_await leat::timeout(20s, listener.accept()));
    }
    auto late = co_await waiting;
    co_await late.send_all("here");
    char text[4] = {};
    co_await accepted.back().recv_exactly(text);
    CHECK(std::string_view(text, sizeof text) == "here");
}

LEAT_TEST("closing a Unix listener ends its accept, and resets who waits in its queue") {
    auto listener = unix_listener::bind({});
    auto accepting = leat::spawn([&] { return listener.accept(); });
    co_await leat::testing::wait_until_idle();
    listener.close();
    const auto accepted = co_await leat::as_result(accepting);
    CHECK(accepted.error() == std::errc::operation_canceled);
    auto other = unix_listener::bind({});
    auto client = co_await unix_stream::connect(other.local_endpoint());
    other.close();
    const auto received = co_await leat::as_result(client.recv_chunk());
    CHECK(received.error() == std::errc::connection_reset);
}

LEAT_TEST("a Unix listener's accept that is cancelled at any moment takes no connection, or gives it") {
    co_await cancelled_at_any_moment<accept_trial>("accept");
}

LEAT_TEST("a Unix connect that is cancelled at any moment is closed, also when it was connected") {
    co_await cancelled_at_any_moment<connect_trial>("connect");
}

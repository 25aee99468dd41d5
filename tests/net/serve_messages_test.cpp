// SPDX-License-Identifier: MIT
// serve_messages: requests of any number and in any pieces, slow handlers, and what ends one connection
// alone.
#include "conformance/connected.hpp"

#include <leat/framing.hpp>
#include <leat/serve_messages.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/idle.hpp>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using leat::message_format;
using leat::message_stream;
using leat::task;

namespace {

std::vector<std::string> reasons;  // of connections that were ended
void keep_reason(std::exception_ptr error, std::optional<leat::endpoint> /*peer*/) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& thrown) {
        reasons.emplace_back(thrown.what());
    }
}

std::string reversed(std::string_view text) {
    return {text.rbegin(), text.rend()};
}

const auto five = message_format::with_digits(5, {.empty = false});

// A server that runs until it is told to stop, and clients of it.
template <typename Handler>
class served {
public:
    explicit served(Handler handler) {
        reasons.clear();
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        place_ = listener.local_endpoint();
        server_ = leat::spawn([this, handler, listener = std::move(listener)]() mutable {
            return leat::serve_messages(std::move(listener), five, handler,
                                        {.stop_on = {}, .stop = &stop_, .on_error = keep_reason});
        });
    }
    task<leat::tcp_stream> connect() { return leat::tcp_stream::connect(place_); }
    task<> stop() {
        stop_.set();
        co_await leat::timeout(conformance::patience, server_);
    }

private:
    leat::event stop_;
    leat::endpoint place_;
    leat::handle<> server_;
};

}  // namespace

LEAT_TEST(
    "each request gets its reply, in order: in one packet, a byte at a time, and many on a connection") {
    served server(reversed);
    auto client = co_await server.connect();
    std::string requests;
    std::string replies;
    for (int i = 0; i < 1'000; ++i) {
        const std::string text = std::to_string(i);
        requests += std::string(five.head_of(text).text()) + text;
        replies += std::string(five.head_of(text).text()) + reversed(text);
    }
    std::string received(replies.size(), ' ');
    co_await leat::gather(client.send_all(requests), client.recv_exactly(received));
    CHECK(received == replies);
    for (const char each : std::string_view("00005abcde")) {
        co_await client.send_all(std::string_view(&each, 1));
        co_await leat::yield();
    }
    std::string reply(10, ' ');
    co_await client.recv_exactly(reply);
    CHECK(reply == "00005edcba");
    co_await server.stop();
    CHECK(reasons.empty());
}

LEAT_TEST("a handler that is a coroutine may take its time, and others are served meanwhile") {
    leat::event go_on;
    served server([&](std::string_view text) -> task<std::string> {
        if (text == "slow") {
            co_await go_on.wait();
        }
        co_return reversed(text);
    });
    auto slow = co_await server.connect();
    auto quick = co_await server.connect();
    co_await slow.send_all("00004slow00005abcde");
    std::string reply(10, ' ');
    co_await quick.send_all("00005abcde");
    co_await quick.recv_exactly(reply);
    CHECK(reply == "00005edcba");
    CHECK(slow.is_quiet());
    go_on.set();
    std::string both(19, ' ');
    co_await slow.recv_exactly(both);
    CHECK(both == "00004wols00005edcba");
    co_await server.stop();
}

LEAT_TEST("what is no request, and a reply that is none, end their connection, for a reason that is told") {
    served server([](std::string_view text) -> std::string {
        if (text == "throw") {
            throw std::runtime_error("the handler failed");
        }
        return text == "large" ? std::string(100'000, 'x') : text == "empty" ? "" : reversed(text);
    });
    auto bystander = co_await server.connect();
    struct bad {
        std::string_view sent;
        std::string_view reason;
    };
    for (const auto& [sent, reason] :
         {bad{"+0005abcde", "a message that begins with \"+\": not a length"},
          bad{"0000 ", "a message that begins with \"0000 \": not a length"},
          bad{"00_01a", "a message that begins with \"00_\": not a length"},
          bad{"00000", "recv of a message: an empty message"}, bad{"00005throw", "the handler failed"},
          bad{"00005empty", "send of a message: an empty message"},
          bad{"00005large", "a message of 100000 bytes, where at most 99999 are allowed: too long"},
          bad{"00005abc", "recv of a message: 8 bytes arrived: unexpected end of stream"}}) {
        CAPTURE(sent);
        reasons.clear();
        auto client = co_await server.connect();
        co_await client.send_all("00002ab");
        std::string reply(7, ' ');
        co_await client.recv_exactly(reply);
        CHECK(reply == "00002ba");
        co_await client.send_all(sent);
        if (sent == "00005abc") {
            client.shutdown_send();
        }
        const std::string nothing =
            co_await leat::timeout(conformance::patience, conformance::read_to_the_end(client));
        CHECK(nothing.empty());
        CHECK(reasons == std::vector<std::string>{std::string(reason)});
    }
    reasons.clear();
    co_await bystander.send_all("00003abc");
    std::string reply(8, ' ');
    co_await bystander.recv_exactly(reply);
    CHECK(reply == "00003cba");
    co_await server.stop();
}

LEAT_TEST("a client that resets its connection during a reply ends that connection alone") {
    served server([](std::string_view) { return std::string(99'999, 'x'); });
    auto client = co_await server.connect();
    for (int i = 0; i < 200; ++i) {
        co_await client.send_all("00001a");
    }
    const leat::chunk some = co_await client.recv_chunk();
    CHECK_FALSE(some.empty());
    co_await leat::testing::wait_until_idle();
    client.reset();
    auto other = co_await server.connect();
    co_await other.send_all("00001a");
    std::string reply(5 + 99'999, ' ');
    co_await leat::timeout(conformance::patience, other.recv_exactly(reply));
    CHECK(reply.starts_with("99999xxx"));
    CHECK(reasons.size() == 1);
    co_await server.stop();
}

LEAT_TEST("a server that is told to stop answers all requests that it has received") {
    leat::event go_on;
    served server([&](std::string_view text) -> task<std::string> {
        co_await go_on.wait();
        co_return reversed(text);
    });
    auto client = co_await server.connect();
    co_await client.send_all("00002ab00003cde00004fghi00002x");  // and a part of one
    co_await leat::testing::wait_until_idle();
    auto stops = leat::spawn([&] { return server.stop(); });
    co_await leat::testing::wait_until_idle();
    go_on.set();
    std::string replies(24, ' ');
    co_await leat::timeout(conformance::patience, client.recv_exactly(replies));
    CHECK(replies == "00002ba00003edc00004ihgf");
    const std::string nothing = co_await conformance::read_to_the_end(client);
    CHECK(nothing.empty());
    co_await stops;
    CHECK(reasons.empty());
}

LEAT_TEST("a server that is told to stop answers what has come, and ends connections that wait") {
    leat::event go_on;
    served server([&](std::string_view text) -> task<std::string> {
        co_await go_on.wait();
        co_return reversed(text);
    });
    auto waits = co_await server.connect();
    auto asks = co_await server.connect();
    co_await asks.send_all("00002ab");
    co_await leat::testing::wait_until_idle();
    auto stops = leat::spawn([&] { return server.stop(); });
    const std::string nothing = co_await conformance::read_to_the_end(waits);
    CHECK(nothing.empty());
    go_on.set();
    const std::string reply = co_await conformance::read_to_the_end(asks);
    CHECK(reply == "00002ba");
    co_await stops;
    CHECK(reasons.empty());
}

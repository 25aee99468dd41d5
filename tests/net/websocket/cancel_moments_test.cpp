// SPDX-License-Identifier: MIT
// Receives and sends of a WebSocket, cancelled at each moment on each backend: every message arrives, once,
// whole and in order.
#include "../../runtime/cancel_moments.hpp"
#include "sockets.hpp"

#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include <string>
#include <utility>

#include <sys/socket.h>

using cancel_tests::cancelled_at_any_moment;
using cancel_tests::moment;
using cancel_tests::trial;

namespace leat::websocket {
namespace {

// A server, and the socket of its client as a descriptor, for what must not wait.
struct ends {
    ends() {
        int both[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, both) == 0);
        stream = tcp_stream::from_fd(both[0]);
        peer = tcp_stream::from_fd(both[1]);
    }
    tcp_stream stream;
    tcp_stream peer;
};

class receive_trial : public trial {
public:
    // What has come may stay with the socket, for whoever receives next.
    static constexpr moment delivers_from = moment::after_the_task_ended;

    task<> attempt() {
        const auto next = co_await server_.receive();
        got_ += next->data;
        delivered();
    }
    void enable() {
        const std::string bytes = frame(a_ping, "?") + frame(first_text, "m") + frame(last, "1;");
        REQUIRE(::send(ends_.peer.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(bytes.size()));
        ++sent_;
    }
    task<> verify(const std::string& where) {
        while (got_.size() < 3 * sent_) {
            const auto next = co_await server_.receive();
            got_ += next->data;
        }
        std::string all;
        for (std::size_t i = 0; i < sent_; ++i) {
            all += "m1;";
        }
        CHECK_MESSAGE(got_ == all, where);
        // Its pongs, so that it never waits for room.
        char ignored[4096];
        (void)::recv(ends_.peer.native_handle(), ignored, sizeof ignored, MSG_DONTWAIT);
    }

private:
    ends ends_;
    socket server_{std::move(ends_.stream), role::server};
    std::string got_;
    std::size_t sent_ = 0;
};

}  // namespace

LEAT_TEST("a receive of a WebSocket that is cancelled at any moment loses no message", on(testing::kernel)) {
    co_await cancelled_at_any_moment(&cancel_tests::trial_of<receive_trial>::make, "receive");
}

// The peer takes nothing until the send has been cancelled, in a turn of its choice.
LEAT_TEST("a send of a WebSocket that is cancelled in any turn leaves whole frames", on(testing::kernel)) {
    for (int turns = 0; turns < 30; ++turns) {
        two_sockets both({.capacity = 700, .piece = 100});
        const std::string big(1500, 'b');
        auto reading = spawn([&]() -> task<std::string> {
            std::string kinds;
            for (;;) {
                const auto next = co_await both.server.receive();
                kinds += next->data[0];
                CHECK((next->data == big || next->data == "after"));
                if (next->data == "after") {
                    co_return kinds;
                }
            }
        });
        auto sending = spawn(both.client.send(big));
        for (int turn = 0; turn < turns; ++turn) {
            co_await yield();
        }
        sending.cancel();
        const bool whole = (co_await sending.join()).ok();
        co_await both.client.send("after");
        const std::string kinds = co_await reading;
        CHECK((kinds == "ba" || (!whole && kinds == "a")));
    }
}

}  // namespace leat::websocket

// SPDX-License-Identifier: MIT
// The operations of datagram sockets, cancelled at each moment: no datagram is lost, and none is sent twice.
#include "../runtime/cancel_moments.hpp"
#include "datagram_trial.hpp"

#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <sys/socket.h>

using namespace std::chrono_literals;
using cancel_tests::trial;
using datagram_tests::receive_trial;
using leat::datagram;
using leat::udp_socket;

namespace {

struct recv_from_trial : receive_trial {
    leat::task<> attempt() {
        std::array<char, 8> buffer;
        const datagram got = co_await socket().recv_from(buffer);
        received({buffer.data(), got.size});
    }
};

struct recv_trial : receive_trial {
    leat::task<> attempt() {
        std::array<char, 8> buffer;
        const std::size_t size = co_await socket().recv(buffer);
        received({buffer.data(), size});
    }
};

// There is always room: what has been sent arrives, and nothing else.
class send_to_trial : public trial {
public:
    static constexpr bool ends_by_itself = true;
    leat::task<> attempt() {
        co_await client_.send_to("numbered " + std::to_string(deliveries()), server_.local_endpoint());
        delivered();
    }
    void enable() {}
    leat::task<> verify(const std::string& where) {
        co_await client_.send_to("no more", server_.local_endpoint());
        for (;; ++arrived_) {
            std::array<char, 100> buffer;
            const datagram got = co_await leat::timeout(20s, server_.recv_from(buffer));
            const std::string_view text(buffer.data(), got.size);
            if (text == "no more") {
                break;
            }
            CHECK_MESSAGE(text == "numbered " + std::to_string(arrived_), where);
        }
        CHECK_MESSAGE(arrived_ == deliveries(), where);
    }

private:
    udp_socket server_ = udp_socket::bind({"127.0.0.1", 0});
    udp_socket client_ = udp_socket::bind({"127.0.0.1", 0});
    int arrived_ = 0;
};

class connect_trial : public trial {
public:
    static constexpr bool ends_by_itself = true;
    leat::task<> attempt() {
        co_await client_.connect(server_.local_endpoint());
        delivered();
    }
    void enable() {}
    leat::task<> verify(const std::string& where) {
        co_await client_.send("hello");
        std::array<char, 100> buffer;
        const datagram got = co_await leat::timeout(20s, server_.recv_from(buffer));
        CHECK_MESSAGE(got.from == client_.local_endpoint(), where);
    }

private:
    udp_socket server_ = udp_socket::bind({"127.0.0.1", 0});
    udp_socket client_ = udp_socket::bind({"127.0.0.1", 0});
};

// There is no room until it is enabled: UDP itself drops what finds none, so this is a pair of the Unix
// family.
class waiting_send_trial : public trial {
public:
    waiting_send_trial() {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
        ours_ = udp_socket::from_fd(ends[0]);
        peer_ = udp_socket::from_fd(ends[1]);
        fill();
    }
    leat::task<> attempt() {
        co_await ours_.send(numbered(deliveries()));
        delivered();
    }
    void enable() { drain(); }
    leat::task<> verify(const std::string& where) {
        drain();
        CHECK_MESSAGE(arrived_ == deliveries(), where);
        fill();
        co_return;
    }

private:
    static constexpr std::size_t size = 10'000;

    static std::string numbered(int number) {
        std::string text = "numbered " + std::to_string(number);
        text.resize(size);
        return text;
    }
    void fill() const {
        const std::string text(size, 'x');
        while (::send(ours_.native_handle(), text.data(), text.size(), MSG_DONTWAIT) > 0) {
        }
    }
    void drain() {
        std::string text(size, ' ');
        while (::recv(peer_.native_handle(), text.data(), text.size(), MSG_DONTWAIT) > 0) {
            if (text.front() == 'n') {
                CHECK(text == numbered(arrived_));
                ++arrived_;
            }
        }
    }

    udp_socket ours_;
    udp_socket peer_;
    int arrived_ = 0;
};

}  // namespace

CANCEL_TESTS("a recv_from", recv_from_trial)
CANCEL_TESTS("a recv of a datagram", recv_trial)
CANCEL_TESTS("a send_to", send_to_trial)
CANCEL_TESTS("a connect of a datagram socket", connect_trial)

LEAT_TEST("a send of a datagram that waits for room is cancelled at any moment", on(kernel)) {
    return cancel_tests::cancelled_at_any_moment<waiting_send_trial>("a send of a datagram");
}

// SPDX-License-Identifier: MIT
// Waits of fibres need no memory but their stacks.
#include "blocking_calls.hpp"

#include <leat/blocking.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/counted_memory.hpp>
#include <leat/testing/doctest.hpp>

#include <array>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>

using namespace std::chrono_literals;
using namespace fibre_tests;
using leat::blocking;
using leat::detail::wait_for_descriptors;

static pollfd asks(int fd, short events) {
    return {.fd = fd, .events = events, .revents = -1};
}

LEAT_TEST("a wait allocates nothing", on(kernel)) {
    const socket_pair sockets;
    const socket_pair others;
    const auto waits = [&](int rounds) -> leat::task<> {
        auto reads = leat::spawn(blocking([&, rounds] {
            for (int i = 0; i < rounds; ++i) {
                std::array asked{asks(sockets.near.get(), POLLIN), asks(others.near.get(), POLLIN)};
                (void)wait_for_descriptors(asked, leat::after(leat::now(), 1h));
                (void)blocking_get(sockets.near.get());
                (void)leat::detail::wait_for_time(leat::now());
            }
        }));
        for (int i = 0; i < rounds; ++i) {
            for (int turns = 0; turns < 8; ++turns) {  // waiting until all is idle takes a frame
                co_await leat::yield();
            }
            (void)::send(sockets.far.get(), "x", 1, MSG_DONTWAIT);
        }
        co_await reads;
    };
    co_await waits(3);
    const long few = co_await leat::testing::allocations_during([&] { return waits(3); });
    const long more = co_await leat::testing::allocations_during([&] { return waits(30); });
    CHECK(more == few);
}

LEAT_TEST("a connect whose wait finds no memory does not say that it is connected", on(kernel)) {
    const leat::fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof place;
    auto* const name = reinterpret_cast<sockaddr*>(&place);
    REQUIRE(::bind(listener.get(), name, size) == 0);
    REQUIRE(::listen(listener.get(), 0) == 0);
    REQUIRE(::getsockname(listener.get(), name, &size) == 0);
    const auto connect = [&](int fd) { return ::connect(fd, name, size); };
    std::vector<leat::fd> others;  // they fill the queue
    do {
        others.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        (void)connect(others.back().get());
        pollfd asked{.fd = others.back().get(), .events = POLLOUT, .revents = 0};
        if (::poll(&asked, 1, 0) == 0) {
            break;
        }
    } while (others.size() < 16);
    const leat::fd low(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const leat::fd high(::fcntl(low.get(), F_DUPFD_CLOEXEC, 900));  // beyond what a backend has room for
    const timeval soon{.tv_sec = 0, .tv_usec = 1000};
    REQUIRE(::setsockopt(high.get(), SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon) == 0);
    const int answer = co_await blocking([&] {
        using namespace leat::testing::counted_memory;
        may_fail = true;
        fails_at = 0;
        const int result = connect(high.get());
        fails_at = -1;
        may_fail = false;
        return result;
    });
    CHECK(answer == -1);
}

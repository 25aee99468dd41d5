// SPDX-License-Identifier: MIT
// Waits of fibres need no memory but their stacks.
#include "blocking_calls.hpp"

#include <leat/blocking.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/counted_memory.hpp>
#include <leat/testing/doctest.hpp>

#include <array>

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

// SPDX-License-Identifier: MIT
// fibre_wait: descriptors and times that fibres wait for, alone, together, and behind each other.
#include "blocking_calls.hpp"

#include <leat/blocking.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include <sys/syscall.h>

using namespace std::chrono_literals;
using namespace fibre_tests;
using leat::await;
using leat::blocking;
using leat::detail::fibre_wait_end;
using leat::detail::wait_for_descriptors;

static pollfd asks(int fd, short events) {
    return {.fd = fd, .events = events, .revents = -1};
}

LEAT_TEST("a fibre waits for bytes while others run", on(kernel)) {
    const socket_pair sockets;
    leat::testing::nursery tasks;
    std::string got;
    tasks.spawn(blocking([&] {
        for (char each; (each = blocking_get(sockets.near.get())) != '.';) {
            got += each;
        }
    }));
    for (const char* each : {"a", "bc", "d"}) {
        co_await leat::testing::wait_until_idle();
        put(sockets.far.get(), each);
    }
    ::shutdown(sockets.far.get(), SHUT_WR);
    co_await tasks.wait();
    CHECK(got == "abcd");
}

LEAT_TEST("a wait for several descriptors tells which is ready, and for what", on(kernel)) {
    const socket_pair first;
    const socket_pair second;
    std::array asked{asks(first.near.get(), POLLIN), asks(-1, POLLIN), asks(second.near.get(), POLLIN)};
    auto waits = leat::spawn(blocking([&] { return wait_for_descriptors(asked, leat::never); }));
    co_await leat::testing::wait_until_idle();
    CHECK_FALSE(waits.done());
    put(second.far.get(), "x");
    const fibre_wait_end how = co_await waits;
    CHECK(how == fibre_wait_end::ready);
    CHECK(asked[0].revents == 0);
    CHECK(asked[1].revents == 0);
    CHECK(asked[2].revents == POLLIN);
    const fibre_wait_end writable = co_await blocking([&] {
        asked[0].events = POLLIN | POLLOUT;
        return wait_for_descriptors({asked.data(), 1}, leat::never);
    });
    CHECK(writable == fibre_wait_end::ready);
    CHECK(asked[0].revents == POLLOUT);
}

LEAT_TEST("a wait for twenty and for a hundred descriptors ends with the last of them", on(kernel)) {
    for (const std::size_t count : {20u, 100u}) {
        std::vector<socket_pair> sockets(count);
        std::vector<pollfd> asked;
        for (const socket_pair& each : sockets) {
            asked.push_back(asks(each.near.get(), POLLIN));
        }
        auto waits = leat::spawn(blocking([&] { return wait_for_descriptors(asked, leat::never); }));
        co_await leat::testing::wait_until_idle();
        put(sockets.back().far.get(), "x");
        const fibre_wait_end how = co_await waits;
        CHECK(how == fibre_wait_end::ready);
        CHECK(asked.back().revents == POLLIN);
        CHECK(asked.front().revents == 0);
    }
}

LEAT_TEST("a wait whose deadline passes says so, and nothing is ready", on(kernel)) {
    const socket_pair sockets;
    pollfd asked = asks(sockets.near.get(), POLLIN);
    const fibre_wait_end how =
        co_await blocking([&] { return wait_for_descriptors({&asked, 1}, leat::after(leat::now(), 1ms)); });
    CHECK(how == fibre_wait_end::timed_out);
    CHECK(asked.revents == 0);
    const fibre_wait_end past =
        co_await blocking([&] { return wait_for_descriptors({&asked, 1}, leat::now()); });
    CHECK(past == fibre_wait_end::timed_out);
}

LEAT_TEST("a descriptor that is not open is told as poll tells it", on(kernel)) {
    pollfd asked = asks(1'000'000, POLLIN);
    const fibre_wait_end how =
        co_await blocking([&] { return wait_for_descriptors({&asked, 1}, leat::never); });
    CHECK(how == fibre_wait_end::ready);
    CHECK(asked.revents == POLLNVAL);
    const char got = co_await blocking([] { return blocking_get(1'000'000); });
    CHECK(got == '#');
}

LEAT_TEST("an event that is not asked for does not end a wait", on(kernel)) {
    const socket_pair sockets;
    put(sockets.far.get(), "x");
    pollfd asked = asks(sockets.near.get(), POLLPRI);
    const fibre_wait_end how =
        co_await blocking([&] { return wait_for_descriptors({&asked, 1}, leat::after(leat::now(), 5ms)); });
    CHECK(how == fibre_wait_end::timed_out);
}

LEAT_TEST("several fibres wait for one descriptor, and each byte goes to one of them", on(kernel)) {
    const socket_pair sockets;
    leat::testing::nursery tasks;
    std::string got;
    for (int i = 0; i < 3; ++i) {
        tasks.spawn(blocking([&] { got += blocking_get(sockets.near.get()); }));
    }
    co_await leat::testing::wait_until_idle();
    put(sockets.far.get(), "a");
    co_await leat::testing::wait_until_idle();
    CHECK(got == "a");
    put(sockets.far.get(), "bc");
    co_await tasks.wait();
    CHECK(got == "abc");
}

LEAT_TEST("when the first of those that wait for a descriptor leaves, the others go on waiting", on(kernel)) {
    const socket_pair sockets;
    std::string got;
    auto first = leat::spawn(blocking([&] { got += blocking_get(sockets.near.get()); }));
    auto second = leat::spawn(blocking([&] { got += blocking_get(sockets.near.get()); }));
    auto third = leat::spawn(blocking([&] { got += blocking_get(sockets.near.get()); }));
    co_await leat::testing::wait_until_idle();
    first.cancel();
    (void)co_await first.join();
    CHECK(got == "!");
    co_await leat::testing::wait_until_idle();
    put(sockets.far.get(), "b");
    co_await leat::testing::wait_until_idle();
    CHECK(got == "!b");
    third.cancel();
    second.cancel();
    (void)co_await second.join();
    (void)co_await third.join();
    CHECK(got == "!b!");
}

LEAT_TEST("one that follows another may leave first", on(kernel)) {
    const socket_pair sockets;
    std::string got;
    auto first = leat::spawn(blocking([&] { got += blocking_get(sockets.near.get()); }));
    auto second = leat::spawn(blocking([&] { got += blocking_get(sockets.near.get()); }));
    co_await leat::testing::wait_until_idle();
    second.cancel();
    (void)co_await second.join();
    put(sockets.far.get(), "a");
    co_await first;
    CHECK(got == "!a");
}

LEAT_TEST("one fibre reads and another writes on one descriptor", on(kernel)) {
    const socket_pair sockets;
    const std::string much(4096, 'x');
    for (int round = 0; round < 3; ++round) {
        while (::send(sockets.near.get(), much.data(), much.size(), MSG_DONTWAIT) > 0) {
        }
        auto reads = leat::spawn(blocking([&] { return blocking_get(sockets.near.get()); }));
        auto writes = leat::spawn(
            blocking([&] { return leat::detail::wait_to_try(sockets.near.get(), POLLOUT, leat::never); }));
        co_await leat::testing::wait_until_idle();
        put(sockets.far.get(), "a");
        const char got = co_await reads;
        CHECK(got == 'a');
        co_await leat::testing::wait_until_idle();
        CHECK_FALSE(writes.done());
        std::string taken(much.size(), ' ');
        while (::recv(sockets.far.get(), taken.data(), taken.size(), MSG_DONTWAIT) > 0) {
        }
        const fibre_wait_end how = co_await writes;
        CHECK(how == fibre_wait_end::ready);
    }
}

LEAT_TEST("a number that was closed between two waits, unseen, is that of its next file", on(kernel)) {
    socket_pair sockets;
    const int number = sockets.near.get();
    for (const bool lives_on : {false, true, false}) {
        auto first = leat::spawn(blocking([&] { return blocking_get(number); }));
        co_await leat::testing::wait_until_idle();
        put(sockets.far.get(), "a");
        const char before = co_await first;
        CHECK(before == 'a');
        const leat::fd elsewhere(lives_on ? ::dup(number) : -1);
        (void)::syscall(SYS_close, sockets.near.release());
        socket_pair next;
        if (next.near.get() != number) {
            REQUIRE(::dup2(next.near.get(), number) == number);
            next.near = leat::fd(number);
        }
        auto second = leat::spawn(blocking([&] { return blocking_get(number); }));
        co_await leat::testing::wait_until_idle();
        (void)::send(sockets.far.get(), "x", 1, MSG_NOSIGNAL);
        co_await leat::testing::wait_until_idle();
        CHECK_FALSE(second.done());
        put(next.far.get(), "b");
        const char after = co_await second;
        CHECK(after == 'b');
        sockets = std::move(next);
    }
}

LEAT_TEST("a wait may name one descriptor twice", on(kernel)) {
    const socket_pair sockets;
    std::array asked{asks(sockets.near.get(), POLLIN), asks(sockets.near.get(), POLLIN)};
    auto waits = leat::spawn(blocking([&] { return wait_for_descriptors(asked, leat::never); }));
    co_await leat::testing::wait_until_idle();
    put(sockets.far.get(), "x");
    const fibre_wait_end how = co_await waits;
    CHECK(how == fibre_wait_end::ready);
    CHECK(asked[0].revents == POLLIN);
    CHECK(asked[1].revents == POLLIN);
}

LEAT_TEST("a part of a wait whose turn comes when the wait is over is not begun", on(kernel)) {
    const socket_pair silent;
    const socket_pair speaking;
    auto before = leat::spawn(blocking([&] { return blocking_get(silent.near.get()); }));
    co_await leat::testing::wait_until_idle();
    std::array asked{asks(silent.near.get(), POLLIN), asks(speaking.near.get(), POLLIN)};
    before.cancel();
    auto waits = leat::spawn(blocking([&] { return wait_for_descriptors(asked, leat::never); }));
    co_await leat::yield();
    put(speaking.far.get(), "x");
    co_await leat::testing::wait_until_idle();
    const bool ended = waits.done();
    put(silent.far.get(), "x");  // ends it in any case
    (void)co_await waits;
    (void)co_await before.join();
    CHECK(ended);
}

LEAT_TEST("closing a descriptor ends the waits for it, and its number can be used again", on(kernel)) {
    socket_pair sockets;
    const int number = sockets.near.get();
    std::string got;
    auto first = leat::spawn(blocking([&] { got += blocking_get(number); }));
    auto second = leat::spawn(blocking([&] { got += blocking_get(number); }));
    co_await leat::testing::wait_until_idle();
    leat::detail::descriptor_closes(number);
    sockets.near = leat::fd();
    socket_pair others;
    if (others.near.get() != number) {
        REQUIRE(::dup2(others.near.get(), number) == number);
        others.near = leat::fd(number);
    }
    auto third = leat::spawn(blocking([&] { got += blocking_get(number); }));
    co_await first;
    co_await second;
    CHECK(got == "##");
    put(others.far.get(), "c");
    co_await third;
    CHECK(got == "##c");
    leat::detail::descriptor_closes(-1);
    leat::detail::descriptor_closes(number);
}

LEAT_TEST("in a simulation a wait for a descriptor of the kernel takes virtual time", on(simulated)) {
    const socket_pair sockets;
    pollfd asked = asks(sockets.near.get(), POLLIN);
    const leat::time_point began = leat::now();
    const fibre_wait_end how =
        co_await blocking([&] { return wait_for_descriptors({&asked, 1}, leat::after(leat::now(), 30min)); });
    CHECK(how == fibre_wait_end::timed_out);
    CHECK(leat::now() - began >= 30min);
    leat::testing::nursery tasks;
    std::string got;
    tasks.spawn(blocking([&] { got += blocking_get(sockets.near.get()); }));
    tasks.spawn(blocking([&] {
        await(leat::sleep(1s));
        put(sockets.far.get(), "a");
    }));
    co_await tasks.wait();
    CHECK(got == "a");
}

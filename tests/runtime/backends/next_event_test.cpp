// SPDX-License-Identifier: MIT
// readable() and writable(), again and again on one descriptor, which other code closes, duplicates and
// shares meanwhile.
#include "bare_operations.hpp"
#include "interposed_kernel.hpp"

#include <leat/core/descriptor_owner.hpp>

#include <algorithm>
#include <array>

#include <sys/wait.h>

using namespace backend_tests;
namespace call = leat::system_call;

namespace {

// How often epoll_ctl(2) was called, by what it does.
std::array<int, 4> changes{};

int count_change(int epoll, int change, int fd, epoll_event* event) noexcept {
    ++changes[static_cast<std::size_t>(change)];
    return ::epoll_ctl(epoll, change, fd, event);
}

struct counted_changes : disturbance<decltype(call::epoll_ctl)> {
    counted_changes() noexcept : disturbance(call::epoll_ctl, count_change) { changes = {}; }
};

void wait_for_a_byte(leat::backend& io, connection& both) {
    bare_operation waiting(operation_kind::readable, both.ours.get());
    start(io, waiting);
    look(io);
    CHECK_FALSE(waiting.ended());
    both.peer_sends("x");
    finish(io, waiting);
    CHECK(waiting.result == 0);
    char byte = 0;
    CHECK(::recv(both.ours.get(), &byte, 1, 0) == 1);
}

// How many events epoll has told of.
int told = 0;

int count_waited(int epoll, epoll_event* events, int most, int timeout) noexcept {
    const int count = ::epoll_wait(epoll, events, most, timeout);
    told += std::max(count, 0);
    return count;
}

int count_precisely_waited(int epoll, epoll_event* events, int most, const timespec* timeout,
                           const sigset_t* mask) noexcept {
    const int count = ::epoll_pwait2(epoll, events, most, timeout, mask);
    told += std::max(count, 0);
    return count;
}

struct counted_events {
    counted_events() noexcept { told = 0; }
    disturbance<decltype(call::epoll_wait)> waits{call::epoll_wait, count_waited};
    disturbance<decltype(call::epoll_pwait2)> precise_waits{call::epoll_pwait2, count_precisely_waited};
};

void wait_a_moment(leat::backend& io) {
    const leat::time_point deadline = leat::after(io.now(), std::chrono::milliseconds(2));
    while (io.now() < deadline) {
        collect(io, deadline);
    }
}

}  // namespace

TEST_CASE("each wait for a descriptor but the first is one call of epoll_ctl") {
    const counted_changes counting;
    const std::unique_ptr<leat::backend> io = leat::make_backend("epoll");
    connection both;
    changes = {};
    for (int i = 0; i < 10; ++i) {
        wait_for_a_byte(*io, both);
    }
    CHECK(changes[EPOLL_CTL_ADD] == 1);
    CHECK(changes[EPOLL_CTL_MOD] == 9);
    CHECK(changes[EPOLL_CTL_DEL] == 0);
}

TEST_CASE("who waits to read is not woken by room to write, nor the other way round") {
    const counted_events counting;
    on_every_backend([](leat::backend& io) {
        connection both;
        bare_operation reading(operation_kind::readable, both.ours.get());
        start(io, reading);
        wait_a_moment(io);
        CHECK(told == 0);
        CHECK_FALSE(reading.ended());
        cancel(io, reading);
        finish(io, reading);
        const std::string much(4096, 'x');
        while (::send(both.ours.get(), much.data(), much.size(), MSG_DONTWAIT) > 0) {
        }
        bare_operation writing(operation_kind::writable, both.ours.get());
        start(io, writing);
        look(io);
        both.peer_sends("x");
        wait_a_moment(io);
        CHECK(told == 0);
        CHECK_FALSE(writing.ended());
        cancel(io, writing);
        finish(io, writing);
    });
}

TEST_CASE("a number that was closed behind the backend and is another's now is waited for anew") {
    on_every_backend([](leat::backend& io) {
        for (const bool lives_on : {false, true}) {
            connection before;
            const int number = before.ours.get();
            wait_for_a_byte(io, before);
            bare_operation given_up(operation_kind::readable, number);
            start(io, given_up);
            look(io);
            cancel(io, given_up);
            finish(io, given_up);
            const leat::fd elsewhere(lives_on ? ::dup(number) : -1);
            before.ours.reset();

            connection next;
            next.take_number(number);
            bare_operation waiting(operation_kind::readable, number);
            start(io, waiting);
            (void)::send(before.peer.get(), "x", 1, MSG_NOSIGNAL);
            look(io);
            CHECK_FALSE(waiting.ended());
            next.peer_sends("x");
            finish(io, waiting);
            CHECK(waiting.result == 0);
        }
    });
}

TEST_CASE("a number to which a file has come back is waited for as before") {
    on_every_backend([](leat::backend& io) {
        connection first;
        const int number = first.ours.get();
        wait_for_a_byte(io, first);
        const leat::fd kept(::dup(number));
        connection second;
        REQUIRE(::dup2(second.ours.get(), number) == number);
        bare_operation of_second(operation_kind::readable, number);
        start(io, of_second);
        look(io);
        second.peer_sends("x");
        finish(io, of_second);
        REQUIRE(::dup2(kept.get(), number) == number);
        wait_for_a_byte(io, first);
    });
}

TEST_CASE("what comes for nobody wakes the backend once at most, however much it is and whoever has it") {
    const counted_events counting;
    on_every_backend([](leat::backend& io) {
        connection both;
        bare_operation waiting(operation_kind::readable, both.ours.get());
        start(io, waiting);
        look(io);
        cancel(io, waiting);
        finish(io, waiting);
        const leat::fd elsewhere(::dup(both.ours.get()));
        both.ours.reset();
        told = 0;
        for (int i = 0; i < 5; ++i) {
            both.peer_sends("x");
            wait_a_moment(io);
        }
        both.peer.reset();
        wait_a_moment(io);
        CHECK(told <= 1);
    });
}

TEST_CASE("a socket that a child process has too tells nothing once it is closed here") {
    const counted_events counting;
    on_every_backend([](leat::backend& io) {
        connection both;
        const int number = both.ours.get();
        wait_for_a_byte(io, both);
        bare_operation given_up(operation_kind::readable, number);
        start(io, given_up);
        look(io);
        cancel(io, given_up);
        finish(io, given_up);
        connection ends_child;
        const pid_t child = ::fork();
        if (child == 0) {
            ends_child.ours.reset();
            pollfd end{.fd = ends_child.peer.get(), .events = POLLIN, .revents = 0};
            ::poll(&end, 1, 10'000);
            ::_exit(0);
        }
        REQUIRE(child > 0);
        both.ours.reset();
        connection next;
        next.take_number(number);
        bare_operation waiting(operation_kind::readable, number);
        start(io, waiting);
        told = 0;
        for (int i = 0; i < 3; ++i) {
            both.peer_sends("x");
            wait_a_moment(io);
        }
        CHECK(told <= 1);
        CHECK_FALSE(waiting.ended());
        next.peer_sends("x");
        finish(io, waiting);
        ends_child.ours.reset();
        CHECK(::waitpid(child, nullptr, 0) == child);
    });
}

TEST_CASE("a wait for the other direction joins one that is under way, and each ends by its own event") {
    on_every_backend([](leat::backend& io) {
        connection both;
        const std::string much(4096, 'x');
        for (int round = 0; round < 3; ++round) {
            while (::send(both.ours.get(), much.data(), much.size(), MSG_DONTWAIT) > 0) {
            }
            bare_operation reading(operation_kind::readable, both.ours.get());
            bare_operation writing(operation_kind::writable, both.ours.get());
            start(io, round == 1 ? writing : reading);
            look(io);
            start(io, round == 1 ? reading : writing);
            look(io);
            CHECK_FALSE(reading.ended());
            CHECK_FALSE(writing.ended());
            both.peer_sends("x");
            finish(io, reading);
            CHECK_FALSE(writing.ended());
            char byte = 0;
            CHECK(::recv(both.ours.get(), &byte, 1, 0) == 1);
            if (round == 2) {
                cancel(io, writing);
                finish(io, writing);
            }
            (void)both.peer_reads();
            finish(io, writing);
            CHECK(writing.result == (round == 2 ? -ECANCELED : 0));
            wait_for_a_byte(io, both);
        }
    });
}

TEST_CASE("a socket of leat's is waited for between its own operations") {
    on_every_backend([](leat::backend& io) {
        connection both;
        leat::descriptor_owner owner;
        owner.descriptor = both.ours.get();
        for (int i = 0; i < 3; ++i) {
            for (const operation_kind kind : {operation_kind::readable, operation_kind::recv_chunk}) {
                bare_operation waiting(kind, owner.descriptor);
                waiting.owner = kind == operation_kind::recv_chunk ? &owner : nullptr;
                start(io, waiting);
                look(io);
                CHECK_FALSE(waiting.ended());
                both.peer_sends("x");
                finish(io, waiting);
                CHECK(waiting.result >= 0);
                (void)waiting.received();  // of a chunk: its buffer goes back
                char byte = 0;
                (void)::recv(owner.descriptor, &byte, 1, MSG_DONTWAIT);
            }
        }
        io.retire(both.ours.release());
        finish_retiring(io);
    });
}

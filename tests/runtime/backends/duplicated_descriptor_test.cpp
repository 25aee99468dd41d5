// SPDX-License-Identifier: MIT
// A descriptor that was duplicated, as a child process has it too, keeps its socket open when it is closed
// here, and epoll goes on telling about that.
#include "../cancel_moments.hpp"
#include "bare_operations.hpp"

#include <leat/fd.hpp>
#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <span>

#include <sys/socket.h>
#include <unistd.h>

using cancel_tests::let_the_loop_look;

namespace {

struct pair_of_sockets {
    pair_of_sockets() {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
        ours.reset(ends[0]);
        peer.reset(ends[1]);
    }
    void peer_sends_a_byte() const { REQUIRE(::send(peer.get(), "x", 1, MSG_NOSIGNAL) == 1); }
    leat::fd ours;
    leat::fd peer;
};

}  // namespace

LEAT_TEST("a socket that is still open elsewhere tells nothing to the next one of its number", on(epoll)) {
    pair_of_sockets before;
    const leat::fd elsewhere(::dup(before.ours.get()));
    auto stream = leat::tcp_stream::from_fd(before.ours.release());
    const int number = stream.native_handle();
    auto reader = leat::spawn([&]() -> leat::task<> {
        char byte = 0;
        (void)co_await stream.recv(std::span(&byte, 1));
    });
    co_await let_the_loop_look();  // from now on it is watched
    reader.cancel();
    co_await reader.join();
    stream.close();

    pair_of_sockets next;
    const leat::fd again(next.ours.get() == number ? next.ours.release() : ::dup2(next.ours.get(), number));
    REQUIRE(again.get() == number);
    auto waiting = leat::spawn([&]() -> leat::task<> { co_await leat::readable(number); });
    co_await let_the_loop_look();
    before.peer_sends_a_byte();
    before.peer.reset();
    co_await let_the_loop_look();
    CHECK_FALSE(waiting.done());
    next.peer_sends_a_byte();
    co_await waiting;
}

TEST_CASE("a socket that was closed here and lives on elsewhere wakes nobody") {
    backend_tests::on_every_backend([](leat::backend& io) {
        backend_tests::listener server;
        for (int i = 0; i < 2; ++i) {
            backend_tests::connection both =
                i == 0 ? backend_tests::connection() : backend_tests::connection(server);
            backend_tests::bare_operation recv(leat::operation_kind::recv_chunk, both.ours.get());
            backend_tests::start(io, recv);
            backend_tests::look(io);
            const leat::fd elsewhere(::dup(both.ours.get()));
            io.retire(both.ours.release());
            backend_tests::finish(io, recv);
            backend_tests::finish_retiring(io);
            int waited = 0;  // to the end, for nothing; something else may wake it once
            for (int round = 0; round < 4; ++round) {
                both.peer_sends("x");
                const leat::time_point deadline = leat::after(io.now(), std::chrono::milliseconds(2));
                backend_tests::collect(io, deadline);
                waited += io.now() >= deadline ? 1 : 0;
            }
            CHECK(waited >= 3);
        }
    });
}

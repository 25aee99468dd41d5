// SPDX-License-Identifier: MIT
// However fast a peer is, on every backend: one look into the kernel moves a bounded number of bytes of an
// operation that does all, so that the others have their turn.
#include "bare_operations.hpp"
#include "interposed_kernel.hpp"

#include <leat/backends/readiness.hpp>

using namespace backend_tests;
namespace call = leat::system_call;

namespace {

constexpr std::size_t great = 8'000'000;

// What system calls have moved, which they all do: the peer is faster than any.
std::size_t moved = 0;

ssize_t send_all_at_once(int, const void*, std::size_t size, int) {
    moved += size;
    return static_cast<ssize_t>(size);
}

ssize_t sendmsg_all_at_once(int, const msghdr* message, int) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < message->msg_iovlen; ++i) {
        size += message->msg_iov[i].iov_len;
    }
    moved += size;
    return static_cast<ssize_t>(size);
}

ssize_t recv_all_at_once(int, void*, std::size_t size, int) {
    moved += size;
    return static_cast<ssize_t>(size);
}

// Of one look: a try of what the last has left, and one because of an event.
constexpr std::size_t bytes_of_a_look = 2 * leat::bytes_of_a_try;

// Looks until `op`, which has begun, has ended. Who tries by system calls does not wait while there is more
// to do.
template <typename Peer>
void moves_little_at_once(leat::backend& io, bare_operation& op, Peer peer) {
    CHECK_FALSE(op.ended());
    CHECK(moved <= leat::bytes_of_a_try);
    const bool tries = io.describe().name.find("uring") == std::string::npos;
    int looks = 0;
    const leat::time_point deadline = leat::after(io.now(), patience);
    while (!op.ended()) {
        REQUIRE(io.now() < deadline);
        peer();
        moved = 0;
        collect(io, tries ? deadline : leat::long_ago);
        CHECK(moved <= bytes_of_a_look);
        ++looks;
    }
    CHECK(looks > 1);
    CHECK(op.result == great);
}

}  // namespace

TEST_CASE("a send of all to a fast peer moves a bounded number of bytes at once") {
    const disturbance<decltype(call::send)> disturbing(call::send, send_all_at_once);
    on_every_backend([](leat::backend& io) {
        moved = 0;
        const connection both;
        std::string sent(great, 'x');
        bare_operation send(operation_kind::send, both.ours.get(), sent);
        send.whole = true;
        start(io, send);
        moves_little_at_once(io, send, [&] { (void)both.peer_reads(); });
    });
}

TEST_CASE("a send of all pieces to a fast peer moves a bounded number of bytes at once") {
    const disturbance<decltype(call::sendmsg)> disturbing(call::sendmsg, sendmsg_all_at_once);
    on_every_backend([](leat::backend& io) {
        moved = 0;
        const connection both;
        std::string sent(great, 'x');
        iovec pieces[] = {
            {sent.data(), 10}, {sent.data() + 10, 5'000'000}, {sent.data() + 5'000'010, great - 5'000'010}};
        bare_operation send(operation_kind::send_vectors, both.ours.get());
        send.vectors = pieces;
        send.length = 3;
        send.whole = true;
        start(io, send);
        moves_little_at_once(io, send, [&] { (void)both.peer_reads(); });
    });
}

TEST_CASE("a receive of all from a fast peer moves a bounded number of bytes at once") {
    const disturbance<decltype(call::recv)> disturbing(call::recv, recv_all_at_once);
    on_every_backend([](leat::backend& io) {
        moved = 0;
        const connection both;
        std::string buffer(great, ' ');
        const std::string part(100'000, 'x');
        bare_operation recv(operation_kind::recv, both.ours.get(), buffer);
        recv.whole = true;
        start(io, recv);
        moves_little_at_once(io, recv, [&] {
            (void)::send(both.peer.get(), part.data(), part.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        });
    });
}

TEST_CASE("a great operation that has more to do at once can be cancelled and retired") {
    const disturbance<decltype(call::send)> disturbing(call::send, send_all_at_once);
    on_every_backend([](leat::backend& io) {
        for (const bool retires : {false, true}) {
            connection both;
            std::string sent(great, 'x');
            bare_operation send(operation_kind::send, both.ours.get(), sent);
            send.whole = true;
            start(io, send);
            if (!retires) {
                cancel(io, send);
            }
            io.retire(both.ours.release());
            finish(io, send);
            finish_retiring(io);
            CHECK(send.result == -ECANCELED);
            CHECK(send.transferred > 0);
            look(io);
        }
    });
}

TEST_CASE("a fast operation does not keep another from completing") {
    const disturbance<decltype(call::send)> disturbing(call::send, send_all_at_once);
    on_every_backend([](leat::backend& io) {
        const connection both;
        const connection other;
        std::string sent(great, 'x');
        std::string buffer(8, ' ');
        bare_operation recv(operation_kind::recv, other.ours.get(), buffer);
        start(io, recv);
        bare_operation send(operation_kind::send, both.ours.get(), sent);
        send.whole = true;
        start(io, send);
        other.peer_sends("abc");
        int looks = 0;
        for (; !recv.ended(); ++looks) {
            look(io);
        }
        CHECK(looks <= 2);
        CHECK_FALSE(send.ended());
        cancel(io, send);
        finish(io, send);
    });
}

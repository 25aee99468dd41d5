// SPDX-License-Identifier: MIT
// However fast a peer is, on every backend: one look into the kernel moves a bounded number of bytes of an
// operation that does all, so that the others have their turn.
#include "bare_operations.hpp"
#include "interposed_kernel.hpp"

#include <leat/backends/readiness.hpp>

#include <algorithm>
#include <deque>

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

namespace {

// Great operations on connections of their own, and how many bytes they have moved together.
struct many_operations {
    static constexpr std::size_t count = 128;

    many_operations(operation_kind kind, std::size_t size) {
        for (std::size_t i = 0; i < count; ++i) {
            const connection& both = connections.emplace_back();
            each.emplace_back(kind, both.ours.get(), bytes.emplace_back(size, 'x'));
            each.back().whole = true;
        }
    }
    [[nodiscard]] std::size_t moved() const {
        std::size_t sum = 0;
        for (const bare_operation& op : each) {
            sum += static_cast<std::size_t>(op.transferred);
        }
        return sum;
    }
    [[nodiscard]] bool ended() const {
        return std::ranges::all_of(each, [](const bare_operation& op) { return op.ended(); });
    }

    std::deque<connection> connections;
    std::deque<std::string> bytes;
    std::deque<bare_operation> each;
};

// A look may exceed the bound by what the kernel does in one go.
void ends_in_bounded_looks(leat::backend& io, many_operations& all, auto peers) {
    const leat::time_point deadline = leat::after(io.now(), patience);
    while (!all.ended()) {
        REQUIRE(io.now() < deadline);
        peers();
        const std::size_t before = all.moved();
        collect(io, deadline);
        CHECK(all.moved() - before <= 2 * leat::bytes_of_a_turn);
    }
}

}  // namespace

TEST_CASE("many great receives that become ready together move a bounded number of bytes at once") {
    on_every_backend([](leat::backend& io) {
        constexpr std::size_t size = 150'000;  // what a socket has room for
        static_assert(many_operations::count * size > 4 * leat::bytes_of_a_turn);
        many_operations all(operation_kind::recv, size);
        for (bare_operation& op : all.each) {
            start(io, op);
        }
        look(io);
        for (const connection& both : all.connections) {
            both.peer_sends(std::string(size, 'x'));
        }
        ends_in_bounded_looks(io, all, [] {});
        for (const bare_operation& op : all.each) {
            CHECK(op.result == size);
        }
    });
}

TEST_CASE("many great sends that begin together, and go on, move a bounded number of bytes at once") {
    on_every_backend([](leat::backend& io) {
        constexpr std::size_t size = 500'000;
        many_operations all(operation_kind::send, size);
        for (bare_operation& op : all.each) {
            start(io, op);
        }
        CHECK(all.moved() <= 2 * leat::bytes_of_a_turn);
        std::size_t arrived = 0;
        ends_in_bounded_looks(io, all, [&] {
            for (const connection& both : all.connections) {
                arrived += both.peer_reads().size();
            }
        });
        for (const connection& both : all.connections) {
            arrived += both.peer_reads().size();
        }
        CHECK(arrived == many_operations::count * size);
    });
}

TEST_CASE("a small operation does not wait behind many great ones") {
    on_every_backend([](leat::backend& io) {
        many_operations all(operation_kind::recv, 150'000);
        for (bare_operation& op : all.each) {
            start(io, op);
        }
        const connection both;
        std::string bytes(8, ' ');
        bare_operation small(operation_kind::recv, both.ours.get(), bytes);
        start(io, small);
        look(io);
        for (std::size_t i = 0; i < all.count; ++i) {
            all.connections[i].peer_sends(std::string(150'000, 'x'));
            if (i == all.count / 2) {  // a kernel that receives by itself keeps the order
                both.peer_sends("abc");
            }
        }
        const std::size_t before = all.moved();
        finish(io, small);
        CHECK(all.moved() - before <= 4 * leat::bytes_of_a_turn);
        CHECK_FALSE(all.ended());
        ends_in_bounded_looks(io, all, [] {});
    });
}

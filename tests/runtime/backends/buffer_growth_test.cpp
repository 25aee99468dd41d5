// SPDX-License-Identifier: MIT
// Streams that fill their buffers get larger ones, and smaller ones again; what large ones may have is
// bounded.
#include "bare_operations.hpp"
#include "interposed_kernel.hpp"

#include <leat/backends/readiness.hpp>
#include <leat/backends/slab_pool.hpp>
#include <leat/backends/uring.hpp>

#include <algorithm>
#include <deque>

using namespace backend_tests;
namespace call = leat::system_call;
using leat::buffer_growth;
using leat::slab_pool;

namespace {

constexpr std::size_t small = buffer_growth::size_of(0);
constexpr std::size_t middle = buffer_growth::size_of(1);
constexpr std::size_t large = buffer_growth::size_of(2);
constexpr std::size_t units_of_middle = middle / small;
constexpr std::size_t units_of_large = large / small;

// What system calls give: so many bytes at most, of a socket that never has less.
std::size_t at_most = 0;
std::size_t moved = 0;

ssize_t recv_at_most(int, void*, std::size_t size, int) {
    const std::size_t count = std::min(size, at_most);
    moved += count;
    return static_cast<ssize_t>(count);
}

slab_pool& pool_of(const leat::operation& op) {
    auto* const pool = dynamic_cast<slab_pool*>(op.pool);
    REQUIRE(pool != nullptr);
    return *pool;
}

struct received {
    std::size_t size = 0;
    std::size_t units = 0;  // of the buffer, in small ones
};

// The next chunk of a stream that has bytes, which is given back.
received next(leat::backend& io, int fd) {
    bare_operation recv(operation_kind::recv_chunk, fd);
    start(io, recv);
    finish(io, recv);
    REQUIRE(recv.result > 0);
    slab_pool& pool = pool_of(recv);
    const std::size_t before = pool.leased();
    recv.received().reset();
    return {static_cast<std::size_t>(recv.result), before - pool.leased()};
}

// Makes the buffers of the stream large ones.
void grow(leat::backend& io, const connection& both) {
    both.peer_sends(std::string(middle, 'x'));
    at_most = large;
    CHECK(next(io, both.ours.get()).size == small);
    CHECK(next(io, both.ours.get()).size == middle);
}

// So that what waits for an event has one.
received next_of_few(leat::backend& io, const connection& both, std::size_t bytes) {
    at_most = bytes;
    both.peer_sends("x");
    return next(io, both.ours.get());
}

// Of what has really been sent.
void drain(const connection& both) {
    std::string bytes(large, ' ');
    while (::recv(both.ours.get(), bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) {
    }
}

buffer_growth grown(std::uint8_t step) {
    buffer_growth growth;
    for (std::uint8_t i = 0; i < step; ++i) {
        growth.note(buffer_growth::size_of(i), buffer_growth::size_of(i));
    }
    return growth;
}

}  // namespace

TEST_CASE(
    "a stream that fills its buffers gets larger ones, to 256 KiB, and smaller ones when those would do") {
    const disturbance<decltype(call::recv)> disturbing(call::recv, recv_at_most);
    on_every_backend([](leat::backend& io) {
        const connection both;
        grow(io, both);
        for (int i = 0; i < 3; ++i) {
            const received chunk = next(io, both.ours.get());
            CHECK(chunk.size == large);
            CHECK(chunk.units == units_of_large);
        }
        for (int i = 0; i < 2 * buffer_growth::patience; ++i) {  // what fills the next smaller one
            CHECK(next_of_few(io, both, middle).units == units_of_large);
        }
        for (int i = 0; i < buffer_growth::patience; ++i) {
            CHECK(next_of_few(io, both, 100).units == units_of_large);
        }
        for (int i = 0; i < buffer_growth::patience; ++i) {
            CHECK(next_of_few(io, both, 100).units == units_of_middle);
        }
        drain(both);
        for (int i = 0; i < 3; ++i) {
            CHECK(next_of_few(io, both, 100).units == 1);
        }
    });
}

TEST_CASE("one large receive among small ones keeps the buffers of a stream large") {
    buffer_growth growth = grown(2);
    for (int round = 0; round < 3; ++round) {
        for (int i = 1; i < buffer_growth::patience; ++i) {
            growth.note(100, large);
        }
        growth.note(middle, large);
    }
    CHECK(growth.step() == 2);
}

TEST_CASE("what fills a smaller buffer, for want of a large one, changes nothing") {
    buffer_growth growth = grown(2);
    for (int i = 0; i < 100; ++i) {
        growth.note(small, small);
    }
    CHECK(growth.step() == 2);
}

TEST_CASE("a stream that waits owns no buffer, however large those were that it had") {
    on_every_backend([](leat::backend& io) {
        const connection both;
        std::size_t leased = 0;
        {
            const disturbance<decltype(call::recv)> disturbing(call::recv, recv_at_most);
            grow(io, both);
            bare_operation last(operation_kind::recv_chunk, both.ours.get());
            start(io, last);
            finish(io, last);
            slab_pool& pool = pool_of(last);
            last.received().reset();
            leased = pool.leased();
        }
        drain(both);
        bare_operation idle(operation_kind::recv_chunk, both.ours.get());
        start(io, idle);
        look(io);
        REQUIRE_FALSE(idle.ended());
        both.peer_sends("abc");
        finish(io, idle);
        CHECK(pool_of(idle).leased() == leased + units_of_large);
        CHECK(text_of(idle.received()) == "abc");
        bare_operation again(operation_kind::recv_chunk, both.ours.get());
        start(io, again);
        look(io);
        cancel(io, again);
        finish(io, again);
        CHECK(again.result == -ECANCELED);
    });
}

TEST_CASE("messages of 64 KiB that are sent back take one receive and one send each") {
    static int receives = 0;
    static int sends = 0;
    const disturbance<decltype(call::recv)> receiving(
        call::recv, [](int fd, void* buffer, std::size_t size, int flags) -> ssize_t {
            const ssize_t count = ::recv(fd, buffer, size, flags);
            receives += count > 0 ? 1 : 0;
            return count;
        });
    const disturbance<decltype(call::send)> sending(
        call::send, [](int fd, const void* buffer, std::size_t size, int flags) -> ssize_t {
            ++sends;
            return ::send(fd, buffer, size, flags);
        });
    on_every_backend([](leat::backend& io) {
        const connection both;
        const std::string message(64 * 1024, 'x');
        for (int round = 0; round < 10; ++round) {
            if (round == 3) {  // until then its buffers grow
                receives = sends = 0;
            }
            both.peer_sends(message);
            for (std::size_t echoed = 0; echoed < message.size();) {
                bare_operation recv(operation_kind::recv_chunk, both.ours.get());
                start(io, recv);
                finish(io, recv);
                const leat::chunk part = recv.received();
                std::string bytes(part.text());
                bare_operation send(operation_kind::send, both.ours.get(), bytes);
                send.whole = true;
                start(io, send);
                finish(io, send);
                echoed += bytes.size();
            }
            CHECK(both.peer_reads() == message);
        }
        CHECK(receives == 7);
        CHECK(sends == 7);
    });
}

TEST_CASE("many large receives that become possible together hold few buffers at once, and all go on") {
    const disturbance<decltype(call::recv)> disturbing(call::recv, recv_at_most);
    on_every_backend([](leat::backend& io) {
        constexpr std::size_t count = 40;
        std::deque<connection> connections(count);
        for (const connection& both : connections) {
            grow(io, both);
            at_most = 100;
            CHECK(next(io, both.ours.get()).size == 100);
        }
        look(io);
        at_most = large;
        std::deque<bare_operation> receives;
        for (const connection& both : connections) {
            receives.emplace_back(operation_kind::recv_chunk, both.ours.get());
            start(io, receives.back());
            both.peer_sends("x");
        }
        const auto ended = [&] {
            return static_cast<std::size_t>(
                std::ranges::count_if(receives, [](const bare_operation& each) { return each.ended(); }));
        };
        const leat::time_point deadline = leat::after(io.now(), patience);
        for (std::size_t before = ended(); before < count; before = ended()) {
            REQUIRE(io.now() < deadline);
            moved = 0;
            collect(io, deadline);
            CHECK(moved <= leat::bytes_in_large_buffers);
            for (bare_operation& each : receives) {
                if (each.ended()) {
                    each.received().reset();
                }
            }
        }
    });
}

TEST_CASE("before it waits a backend gives back the buffers that a burst has needed") {
    on_every_backend([](leat::backend& io) {
        constexpr std::size_t burst = 10 * slab_pool::buffers_in_slab;
        const connection both;
        std::deque<bare_operation> held;
        for (std::size_t i = 0; i < burst; ++i) {
            both.peer_sends("x");
            start(io, held.emplace_back(operation_kind::recv_chunk, both.ours.get()));
            finish(io, held.back());
        }
        const slab_pool& pool = pool_of(held.back());
        CHECK(pool.slab_count() >= burst / slab_pool::buffers_in_slab);
        for (bare_operation& each : held) {
            each.received().reset();
        }
        collect_until(io, [&] { return pool.slab_count() == slab_pool::slabs_kept; });
    });
}

TEST_CASE("in company io_uring sends many bytes at once, and few with the others") {
    if (!leat::uring_self_test().empty()) {
        MESSAGE("skipped: " << leat::uring_self_test());
        return;
    }
    const std::unique_ptr<leat::backend> io = leat::make_uring_backend();
    std::deque<connection> connections(4);
    for (const connection& both : connections) {  // from now on there are buffers
        both.peer_sends("x");
        CHECK(next(*io, both.ours.get()).size == 1);
    }
    std::deque<bare_operation> receives;
    for (const connection& both : connections) {
        start(*io, receives.emplace_back(operation_kind::recv_chunk, both.ours.get()));
    }
    look(*io);
    for (const connection& both : connections) {
        both.peer_sends("x");
    }
    look(*io);
    REQUIRE(std::ranges::all_of(receives, [](const bare_operation& each) { return each.ended(); }));
    std::string bytes(middle, 'x');
    bare_operation many(operation_kind::send, connections[0].ours.get(), bytes);
    start(*io, many);
    CHECK(many.ended());
    CHECK(connections[0].peer_reads() == bytes);
    std::string little(middle - 1, 'x');
    bare_operation few(operation_kind::send, connections[1].ours.get(), little);
    start(*io, few);
    CHECK_FALSE(few.ended());
    finish(*io, few);
    CHECK(connections[1].peer_reads() == little);
    for (bare_operation& each : receives) {
        each.received().reset();
    }
}

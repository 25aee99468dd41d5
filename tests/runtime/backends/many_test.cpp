// SPDX-License-Identifier: MIT
// Many operations and many buffers at once, on every backend: no queue of the kernel's is ever full.
#include "bare_operations.hpp"

#include <deque>

#include <unistd.h>

using namespace backend_tests;

TEST_CASE("a thousand receives that are ready all complete") {
    constexpr std::size_t count = 1000;
    if (!may_open(2 * count)) {
        MESSAGE("skipped: too few descriptors");
        return;
    }
    on_every_backend([&](leat::backend& io) {
        std::deque<connection> connections(count);
        std::deque<std::string> buffers(count, std::string(4, ' '));
        std::deque<bare_operation> receives;
        for (std::size_t i = 0; i < count; ++i) {
            start(io, receives.emplace_back(operation_kind::recv, connections[i].ours.get(), buffers[i]));
        }
        look(io);
        CHECK(io.pending() == count);
        for (const connection& each : connections) {
            each.peer_sends("abc");
        }
        std::size_t turns = 0;
        collect_until(io, [&] { return ++turns > 0 && io.pending() == 0; });
        CHECK(turns < count / 20);  // though io_uring runs only twenty deferred receives when it is entered
        for (const bare_operation& each : receives) {
            CHECK(each.result == 3);
        }
    });
}

TEST_CASE("more operations complete than the kernel's queue has room for") {
    constexpr std::size_t count = 6000;
    if (!may_open(count)) {
        MESSAGE("skipped: too few descriptors");
        return;
    }
    on_every_backend([&](leat::backend& io) {
        const connection both;
        std::vector<leat::fd> copies;
        std::deque<bare_operation> waits;
        for (std::size_t i = 0; i < count; ++i) {
            copies.emplace_back(::dup(both.ours.get()));
            start(io, waits.emplace_back(operation_kind::writable, copies.back().get()));
        }
        collect_until(io, [&] { return io.pending() == 0; });
        for (const bare_operation& each : waits) {
            REQUIRE(each.ended());
            REQUIRE(each.result == 0);
        }
    });
}

TEST_CASE("many operations can be cancelled in one turn") {
    constexpr std::size_t count = 600;
    if (!may_open(2 * count)) {
        MESSAGE("skipped: too few descriptors");
        return;
    }
    on_every_backend([&](leat::backend& io) {
        std::deque<connection> connections(count);
        std::string buffer(4, ' ');
        std::deque<bare_operation> receives;
        for (const connection& each : connections) {
            start(io, receives.emplace_back(operation_kind::recv, each.ours.get(), buffer));
        }
        for (bare_operation& each : receives) {
            cancel(io, each);
        }
        collect_until(io, [&] { return io.pending() == 0; });
        for (const bare_operation& each : receives) {
            REQUIRE(each.ended());
            REQUIRE(each.result == -ECANCELED);
        }
    });
}

TEST_CASE("chunks never run out, and give their buffers back") {
    on_every_backend([&](leat::backend& io) {
        listener server;
        const connection both(server);
        for (int round = 0; round < 2; ++round) {
            std::vector<leat::chunk> held;
            for (int i = 0; i < 1100; ++i) {  // more than a pool has
                bare_operation recv(operation_kind::recv_chunk, both.ours.get());
                start(io, recv);
                look(io);
                both.peer_sends(std::to_string(i));
                finish(io, recv);
                REQUIRE(recv.result > 0);
                held.push_back(recv.received());
            }
            for (int i = 0; i < 1100; ++i) {
                REQUIRE(text_of(held[static_cast<std::size_t>(i)]) == std::to_string(i));
            }
        }
    });
}

TEST_CASE("chunks held for one socket do not keep others from receiving") {
    on_every_backend([&](leat::backend& io) {
        listener server;
        std::deque<connection> connections;
        for (int i = 0; i < 40; ++i) {
            connections.emplace_back(server);
        }
        std::vector<leat::chunk> held;
        for (int round = 0; round < 40; ++round) {
            std::deque<bare_operation> receives;
            for (const connection& each : connections) {
                start(io, receives.emplace_back(operation_kind::recv_chunk, each.ours.get()));
            }
            look(io);
            for (const connection& each : connections) {
                each.peer_sends("abc");
            }
            for (bare_operation& each : receives) {
                finish(io, each);
                REQUIRE(each.result == 3);
                held.push_back(each.received());
            }
        }
        CHECK(held.size() == 1600);
    });
}

TEST_CASE("a chunk outlives its backend") {
    std::vector<leat::chunk> kept;
    on_every_backend([&](leat::backend& io) {
        listener server;
        const connection both(server);
        for (int i = 0; i < 3; ++i) {
            both.peer_sends("abc");
            bare_operation recv(operation_kind::recv_chunk, both.ours.get());
            start(io, recv);
            finish(io, recv);
            kept.push_back(recv.received());
        }
    });
    for (const leat::chunk& each : kept) {
        CHECK(text_of(each) == "abc");
    }
}

// SPDX-License-Identifier: MIT
// What is asked of a descriptor while an operation that was cancelled has not ended yet, on every backend: it
// waits for its turn, and finds what that one has left.
#include "bare_operations.hpp"

#include <algorithm>

using namespace backend_tests;

TEST_CASE("a read that follows a cancelled one gets what that one has not taken") {
    on_every_backend([](leat::backend& io) {
        for (const bool in_between : {false, true}) {
            connection both;
            std::string one(3, ' ');
            std::string other(3, ' ');
            bare_operation first(operation_kind::recv, both.ours.get(), one);
            bare_operation second(operation_kind::recv, both.ours.get(), other);
            start(io, first);
            look(io);
            if (in_between) {
                both.peer_sends("abc");
            }
            cancel(io, first);
            start(io, second);
            both.peer_sends(in_between ? "def" : "abcdef");
            finish(io, first);
            finish(io, second);
            CHECK(second.result == 3);
            const bool delivered = first.result == 3;
            CHECK((delivered || first.result == -ECANCELED));
            CHECK(other == (delivered ? "def" : "abc"));
            CHECK((!delivered || one == "abc"));
            io.retire(both.ours.release());
            finish_retiring(io);
        }
    });
}

TEST_CASE("an operation of any kind may follow a cancelled one that has not ended yet") {
    on_every_backend([](leat::backend& io) {
        for (const operation_kind kind :
             {operation_kind::recv, operation_kind::recv_chunk, operation_kind::readable}) {
            connection both;
            std::string bytes(8, ' ');
            const bool into_buffer = kind == operation_kind::recv;
            bare_operation first = into_buffer ? bare_operation(kind, both.ours.get(), bytes)
                                               : bare_operation(kind, both.ours.get());
            bare_operation second = into_buffer ? bare_operation(kind, both.ours.get(), bytes)
                                                : bare_operation(kind, both.ours.get());
            start(io, first);
            look(io);
            cancel(io, first);
            start(io, second);
            finish(io, first);
            look(io);
            CHECK(first.result == -ECANCELED);
            CHECK_FALSE(second.ended());
            both.peer_sends("abc");
            finish(io, second);
            CHECK(second.result == (kind == operation_kind::readable ? 0 : 3));
            if (kind == operation_kind::recv_chunk) {
                CHECK(text_of(second.received()) == "abc");
            }
            io.retire(both.ours.release());
            finish_retiring(io);
        }
    });
}

TEST_CASE("a send may follow a cancelled one that has not ended yet, and what it sends comes after it") {
    on_every_backend([](leat::backend& io) {
        const connection both;
        std::string sent(3'000'000, 'x');
        std::string more(10, 'y');
        bare_operation first(operation_kind::send, both.ours.get(), sent);
        bare_operation second(operation_kind::send, both.ours.get(), more);
        first.whole = second.whole = true;
        start(io, first);
        look(io);
        cancel(io, first);
        start(io, second);
        std::string received;
        look_until(io, [&] {
            received += both.peer_reads();
            return first.ended() && second.ended();
        });
        received += both.peer_reads();
        CHECK(second.result == 10);
        CHECK(received == std::string(static_cast<std::size_t>(first.transferred), 'x') + more);
    });
}

TEST_CASE("an accept may follow a cancelled one that has not ended yet") {
    on_every_backend([](leat::backend& io) {
        listener server;
        bare_operation first(operation_kind::accept, server.socket.get());
        bare_operation second(operation_kind::accept, server.socket.get());
        start(io, first);
        look(io);
        cancel(io, first);
        start(io, second);
        leat::fd clients[2];
        for (leat::fd& each : clients) {
            each.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
            REQUIRE(::connect(each.get(), server.name(), sizeof server.address) == 0);
        }
        finish(io, first);
        finish(io, second);
        const leat::fd accepted(static_cast<int>(second.result));
        const leat::fd before(static_cast<int>(std::max<std::int64_t>(first.result, -1)));
        CHECK(second.result >= 0);
    });
}

TEST_CASE("one that waits behind a cancelled operation can be cancelled, and another takes its place") {
    on_every_backend([](leat::backend& io) {
        const connection both;
        std::string bytes(8, ' ');
        bare_operation first(operation_kind::recv, both.ours.get(), bytes);
        bare_operation second(operation_kind::recv, both.ours.get(), bytes);
        bare_operation third(operation_kind::recv, both.ours.get(), bytes);
        start(io, first);
        look(io);
        cancel(io, first);
        start(io, second);
        cancel(io, second);
        start(io, third);
        both.peer_sends("abc");
        finish(io, first);
        finish(io, second);
        CHECK(second.result == -ECANCELED);
        if (first.result == -ECANCELED) {
            finish(io, third);
            CHECK(third.result == 3);
        } else {
            CHECK(first.result == 3);
            cancel(io, third);
            finish(io, third);
        }
        CHECK(io.pending() == 0);
    });
}

TEST_CASE("one that waits behind a cancelled operation ends when its descriptor is retired") {
    on_every_backend([](leat::backend& io) {
        connection both;
        std::string bytes(8, ' ');
        bare_operation first(operation_kind::recv, both.ours.get(), bytes);
        bare_operation second(operation_kind::recv, both.ours.get(), bytes);
        start(io, first);
        look(io);
        cancel(io, first);
        start(io, second);
        io.retire(both.ours.release());
        finish(io, first);
        finish(io, second);
        finish_retiring(io);
        CHECK(leat::ended_cancelled(first));
        CHECK(second.result == -ECANCELED);
        CHECK(second.retired);
        CHECK(both.peer_sees_end());
    });
}

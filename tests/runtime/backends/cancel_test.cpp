// SPDX-License-Identifier: MIT
// Cancelling and retiring, on every backend: whatever the moment, an operation ends once and nothing is lost.
#include "bare_operations.hpp"

using namespace backend_tests;

TEST_CASE("an operation can be cancelled before the kernel has heard of it") {
    on_every_backend([](leat::backend& io) {
        const connection both;
        std::string buffer(8, ' ');
        bare_operation recv(operation_kind::recv, both.ours.get(), buffer);
        start(io, recv);
        cancel(io, recv);
        CHECK(recv.ended());
        CHECK(recv.result == -ECANCELED);
        CHECK(io.pending() == 0);
        both.peer_sends("abc");
        look(io);
        bare_operation next(operation_kind::recv, both.ours.get(), buffer);
        start(io, next);
        finish(io, next);
        CHECK(next.result == 3);
    });
}

TEST_CASE("a cancelled recv leaves the stream as it was") {
    on_every_backend([](leat::backend& io) {
        const connection both;
        std::string buffer(8, ' ');
        bare_operation recv(operation_kind::recv, both.ours.get(), buffer);
        start(io, recv);
        look(io);
        cancel(io, recv);
        finish(io, recv);
        CHECK(recv.result == -ECANCELED);
        CHECK(io.pending() == 0);
        both.peer_sends("abc");
        bare_operation next(operation_kind::recv, both.ours.get(), buffer);
        start(io, next);
        finish(io, next);
        CHECK(next.result == 3);
    });
}

TEST_CASE("a recv cancelled after data came gives the data, or leaves it to the next") {
    on_every_backend([](leat::backend& io) {
        const connection both;
        std::string buffer(8, ' ');
        bare_operation recv(operation_kind::recv, both.ours.get(), buffer);
        start(io, recv);
        look(io);
        both.peer_sends("abc");
        cancel(io, recv);
        if (!recv.ended()) {
            cancel(io, recv);  // asking again changes nothing
        }
        finish(io, recv);
        if (recv.result == -ECANCELED) {
            bare_operation next(operation_kind::recv, both.ours.get(), buffer);
            start(io, next);
            finish(io, next);
            CHECK(next.result == 3);
        } else {
            CHECK(recv.result == 3);
        }
        CHECK(buffer.substr(0, 3) == "abc");
    });
}

TEST_CASE("a whole recv that is cancelled midway tells how much it has") {
    on_every_backend([](leat::backend& io) {
        const connection both;
        std::string buffer(8, ' ');
        bare_operation recv(operation_kind::recv, both.ours.get(), buffer);
        recv.whole = true;
        start(io, recv);
        look(io);
        both.peer_sends("abc");
        look(io);
        cancel(io, recv);
        finish(io, recv);
        CHECK(recv.result == -ECANCELED);
        CHECK(recv.transferred == 3);
        CHECK(buffer.substr(0, 3) == "abc");
    });
}

TEST_CASE("a whole send that is cancelled midway tells how much went out") {
    on_every_backend([](leat::backend& io) {
        const connection both;
        std::string sent(3'000'000, 'x');
        bare_operation send(operation_kind::send, both.ours.get(), sent);
        send.whole = true;
        start(io, send);
        look(io);
        cancel(io, send);
        finish(io, send);
        CHECK(send.result == -ECANCELED);
        CHECK(send.transferred > 0);
        CHECK(both.peer_reads().size() == static_cast<std::size_t>(send.transferred));
    });
}

TEST_CASE("whole pieces that are cancelled midway tell how much went out") {
    on_every_backend([](leat::backend& io) {
        const connection both;
        std::string sent(2'000'000, 'x');
        iovec vectors[2] = {{sent.data(), 1'000'000}, {sent.data() + 1'000'000, 1'000'000}};
        bare_operation send(operation_kind::send_vectors, both.ours.get());
        send.vectors = vectors;
        send.length = 2;
        send.whole = true;
        start(io, send);
        look(io);
        cancel(io, send);
        finish(io, send);
        CHECK(send.result == -ECANCELED);
        CHECK(both.peer_reads().size() == static_cast<std::size_t>(send.transferred));
    });
}

TEST_CASE("a cancelled recv_chunk takes no byte and no buffer") {
    on_every_backend([](leat::backend& io) {
        const connection both;
        for (int i = 0; i < 3000; ++i) {  // more often than there are buffers
            bare_operation recv(operation_kind::recv_chunk, both.ours.get());
            start(io, recv);
            if (i % 2 != 0) {
                look(io);
            }
            cancel(io, recv);
            finish(io, recv);
            REQUIRE(recv.result == -ECANCELED);
        }
        both.peer_sends("abc");
        bare_operation next(operation_kind::recv_chunk, both.ours.get());
        start(io, next);
        finish(io, next);
        CHECK(text_of(next.received()) == "abc");
    });
}

TEST_CASE("a cancelled accept loses no connection") {
    on_every_backend([](leat::backend& io) {
        listener server;
        bare_operation accept(operation_kind::accept, server.socket.get());
        start(io, accept);
        look(io);
        const leat::fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE(::connect(client.get(), server.name(), sizeof server.address) == 0);
        cancel(io, accept);
        finish(io, accept);
        if (accept.result == -ECANCELED) {
            bare_operation next(operation_kind::accept, server.socket.get());
            start(io, next);
            finish(io, next);
            accept.result = next.result;
        }
        REQUIRE(accept.result >= 0);
        const leat::fd accepted(static_cast<int>(accept.result));
    });
}

TEST_CASE("a connect can be cancelled while nobody answers") {
    on_every_backend([](leat::backend& io) {
        // The queue of this listener is full, so that a connect to it waits.
        listener server;
        REQUIRE(::listen(server.socket.get(), 0) == 0);
        std::vector<leat::fd> fillers;
        for (int i = 0; i < 3; ++i) {
            fillers.emplace_back(*io.sockets().open(AF_INET, SOCK_STREAM, 0));
            (void)::connect(fillers.back().get(), server.name(), sizeof server.address);
        }
        const leat::fd client(*io.sockets().open(AF_INET, SOCK_STREAM, 0));
        bare_operation connect(operation_kind::connect, client.get());
        connect.address = server.name();
        connect.length = sizeof server.address;
        start(io, connect);
        look(io);
        CHECK(!connect.ended());
        cancel(io, connect);
        finish(io, connect);
        CHECK(connect.result == -ECANCELED);
    });
}

TEST_CASE("a readiness wait can be cancelled") {
    on_every_backend([](leat::backend& io) {
        const connection both;
        for (int i = 0; i < 2; ++i) {
            bare_operation readable(operation_kind::readable, both.ours.get());
            start(io, readable);
            if (i != 0) {
                look(io);
            }
            cancel(io, readable);
            finish(io, readable);
            CHECK(readable.result == -ECANCELED);
        }
    });
}

TEST_CASE("retiring ends what is pending with an error, then closes") {
    on_every_backend([](leat::backend& io) {
        connection both;
        std::string buffer(8, ' ');
        std::string sent(3'000'000, 'x');
        bare_operation recv(operation_kind::recv, both.ours.get(), buffer);
        bare_operation send(operation_kind::send, both.ours.get(), sent);
        send.whole = true;
        start(io, recv);
        start(io, send);
        look(io);
        io.retire(both.ours.release());
        CHECK(io.pending() > 0);
        finish(io, recv);
        finish(io, send);
        finish_retiring(io);
        for (const bare_operation* op : {&recv, &send}) {
            CHECK(op->result == -ECANCELED);
            CHECK(op->retired);
            CHECK(!leat::ended_cancelled(*op));
        }
        CHECK(both.peer_reads().size() == static_cast<std::size_t>(send.transferred));
        CHECK(both.peer_sees_end());
    });
}

TEST_CASE("retiring an idle socket closes it at once") {
    on_every_backend([](leat::backend& io) {
        connection both;
        io.retire(both.ours.release());
        CHECK(both.peer_sees_end());
        CHECK(io.pending() == 0);
    });
}

TEST_CASE("an operation cancelled and then retired ends as cancelled") {
    on_every_backend([](leat::backend& io) {
        connection both;
        std::string buffer(8, ' ');
        bare_operation recv(operation_kind::recv, both.ours.get(), buffer);
        start(io, recv);
        look(io);
        cancel(io, recv);
        io.retire(both.ours.release());
        finish(io, recv);
        finish_retiring(io);
        CHECK(leat::ended_cancelled(recv));
        CHECK(both.peer_sees_end());
    });
}

TEST_CASE("what was asked of a retired socket never reaches the next one of its number") {
    on_every_backend([](leat::backend& io) {
        for (const bool taken : {false, true}) {
            connection first;
            std::string buffer(8, ' ');
            const int number = first.ours.get();
            bare_operation recv(operation_kind::recv, number, buffer);
            start(io, recv);
            if (taken) {
                look(io);
            }
            io.retire(first.ours.release());
            finish(io, recv);
            finish_retiring(io);
            CHECK(recv.result == -ECANCELED);

            connection second;
            second.take_number(number);
            second.peer_sends("abc");
            look(io);
            bare_operation next(operation_kind::recv, number, buffer);
            start(io, next);
            finish(io, next);
            CHECK(next.result == 3);
            io.retire(second.ours.release());
        }
    });
}

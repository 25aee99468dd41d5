// SPDX-License-Identifier: MIT
// What backend.hpp promises, on every backend: operations that complete, that end short, that fail.
#include "bare_operations.hpp"

#include <thread>

#include <fcntl.h>

using namespace backend_tests;

TEST_CASE("a recv waits and gets what arrives") {
    on_every_backend([](leat::backend& io) {
        const connection both;
        std::string buffer(8, ' ');
        bare_operation recv(operation_kind::recv, both.ours.get(), buffer);
        start(io, recv);
        CHECK(!recv.ended());
        CHECK(io.pending() == 1);
        look(io);
        CHECK(!recv.ended());
        both.peer_sends("abc");
        finish(io, recv);
        CHECK(recv.result == 3);
        CHECK(buffer.substr(0, 3) == "abc");
        CHECK(io.pending() == 0);
    });
}

TEST_CASE("reads follow each other without losing or repeating a byte") {
    on_every_backend([](leat::backend& io) {
        const connection both;
        std::string sent;
        for (int i = 0; i < 1000; ++i) {
            sent += std::to_string(i) + ",";
        }
        both.peer_sends(sent);
        std::string received;
        for (std::size_t size = 1; received.size() < sent.size(); size = size % 61 + 1) {
            std::string part(size, ' ');
            bare_operation recv(operation_kind::recv, both.ours.get(), part);
            start(io, recv);
            finish(io, recv);
            REQUIRE(recv.result > 0);
            received.append(part, 0, static_cast<std::size_t>(recv.result));
        }
        CHECK(received == sent);
    });
}

TEST_CASE("data and end in one go are both seen") {
    on_every_backend([](leat::backend& io) {
        connection both;
        std::string buffer(8, ' ');
        for (const std::int64_t expected : {3, 0, 0}) {
            bare_operation recv(operation_kind::recv, both.ours.get(), buffer);
            start(io, recv);
            if (both.peer) {
                look(io);
                both.peer_sends("abc");
                both.peer.reset();
            }
            finish(io, recv);
            CHECK(recv.result == expected);
        }
    });
}

TEST_CASE("a descriptor that is not open is refused, however great its number") {
    on_every_backend([](leat::backend& io) {
        for (const int number : {1'000'000, 2'000'000'000}) {
            for (const operation_kind kind :
                 {operation_kind::readable, operation_kind::writable, operation_kind::recv_chunk}) {
                bare_operation wait(kind, number);
                start(io, wait);
                finish(io, wait);
                CHECK(wait.result == -EBADF);
                CHECK(io.pending() == 0);
            }
        }
    });
}

TEST_CASE("a connect whose descriptor is closed by somebody else is no success") {
    on_every_backend([](leat::backend& io) {
        // The queue of this listener is full, so that a connect to it waits.
        listener server;
        REQUIRE(::listen(server.socket.get(), 0) == 0);
        std::vector<leat::fd> fillers;
        for (int i = 0; i < 3; ++i) {
            fillers.emplace_back(*io.sockets().open(AF_INET, SOCK_STREAM, 0));
            (void)::connect(fillers.back().get(), server.name(), sizeof server.address);
        }
        leat::fd client(*io.sockets().open(AF_INET, SOCK_STREAM, 0));
        bare_operation connect(operation_kind::connect, client.get());
        connect.address = server.name();
        connect.length = sizeof server.address;
        start(io, connect);
        look(io);
        REQUIRE_FALSE(connect.ended());
        client.reset();
        look(io);
        if (!connect.ended()) {  // who is told of readiness by number hears of it
            cancel(io, connect);
        }
        finish(io, connect);
        CHECK((connect.result == -EBADF || connect.result == -ECANCELED));
    });
}

TEST_CASE("descriptors are waited for also when fewer may be open by now than are") {
    on_every_backend([](leat::backend& io) {
        const connection both;
        const connection other;
        std::string buffer(8, ' ');
        std::string sent(3'000'000, 'x');
        bare_operation recv(operation_kind::recv, both.ours.get(), buffer);
        bare_operation send(operation_kind::send, other.ours.get(), sent);
        send.whole = true;
        start(io, recv);
        start(io, send);
        const lowered_limit none(0);
        look(io);
        collect(io, leat::after(io.now(), std::chrono::milliseconds(1)));
        CHECK_FALSE(recv.ended());
        both.peer_sends("abc");
        finish(io, recv);
        CHECK(recv.result == 3);
        look_until(io, [&] {
            (void)other.peer_reads();
            return send.ended();
        });
        CHECK(send.result == static_cast<std::int64_t>(sent.size()));
        io.wake();
        collect(io, leat::never);
    });
}

TEST_CASE("a whole recv goes on until the buffer is full") {
    on_every_backend([](leat::backend& io) {
        const connection both;
        std::string buffer(6, ' ');
        bare_operation recv(operation_kind::recv, both.ours.get(), buffer);
        recv.whole = true;
        start(io, recv);
        for (const char* part : {"ab", "cd", "efgh"}) {
            look(io);
            CHECK(!recv.ended());
            both.peer_sends(part);
        }
        finish(io, recv);
        CHECK(recv.result == 6);
        CHECK(buffer == "abcdef");
    });
}

TEST_CASE("a whole recv ends short at the end of the stream") {
    on_every_backend([](leat::backend& io) {
        connection both;
        std::string buffer(6, ' ');
        bare_operation recv(operation_kind::recv, both.ours.get(), buffer);
        recv.whole = true;
        start(io, recv);
        both.peer_sends("abc");
        look(io);
        both.peer.reset();
        finish(io, recv);
        CHECK(recv.result == 3);
        CHECK(buffer.substr(0, 3) == "abc");
    });
}

TEST_CASE("a whole send goes on while the peer reads") {
    on_every_backend([](leat::backend& io) {
        const connection both;
        std::string sent(3'000'000, 'x');
        bare_operation send(operation_kind::send, both.ours.get(), sent);
        send.whole = true;
        start(io, send);
        CHECK(!send.ended());
        std::size_t received = 0;
        look_until(io, [&] {
            received += both.peer_reads().size();
            return send.ended();
        });
        received += both.peer_reads().size();
        CHECK(send.result == 3'000'000);
        CHECK(received == sent.size());
    });
}

TEST_CASE("pieces are sent in order, however many there are") {
    on_every_backend([](leat::backend& io) {
        const connection both;
        std::string expected;
        std::vector<std::string> pieces;
        for (std::size_t i = 0; i < 3000; ++i) {
            pieces.push_back(std::string(i % 700, static_cast<char>('a' + i % 26)));
            expected += pieces.back();
        }
        std::vector<iovec> vectors;
        for (std::string& piece : pieces) {
            vectors.push_back({piece.data(), piece.size()});
        }
        bare_operation send(operation_kind::send_vectors, both.ours.get());
        send.vectors = vectors.data();
        send.length = vectors.size();
        send.whole = true;
        start(io, send);
        std::string received;
        look_until(io, [&] {
            received += both.peer_reads();
            return send.ended();
        });
        received += both.peer_reads();
        CHECK(send.result == static_cast<std::int64_t>(expected.size()));
        CHECK(received == expected);
    });
}

TEST_CASE("sending to a peer that is gone is an error and no signal") {
    on_every_backend([](leat::backend& io) {
        connection both;
        both.peer.reset();
        std::string text = "abc";
        bare_operation send(operation_kind::send, both.ours.get(), text);
        start(io, send);
        finish(io, send);
        CHECK(send.result == -EPIPE);
    });
}

TEST_CASE("an accept gives the descriptor and the address of the peer") {
    on_every_backend([](leat::backend& io) {
        listener server;
        sockaddr_in from{};
        bare_operation accept(operation_kind::accept, server.socket.get());
        accept.address = reinterpret_cast<sockaddr*>(&from);
        accept.length = sizeof from;
        start(io, accept);
        look(io);
        CHECK(!accept.ended());

        const leat::fd client(*io.sockets().open(AF_INET, SOCK_STREAM, 0));
        bare_operation connect(operation_kind::connect, client.get());
        connect.address = server.name();
        connect.length = sizeof server.address;
        start(io, connect);
        finish(io, connect);
        finish(io, accept);
        CHECK(connect.result == 0);
        REQUIRE(accept.result >= 0);
        const leat::fd accepted(static_cast<int>(accept.result));
        CHECK((::fcntl(accepted.get(), F_GETFL) & O_NONBLOCK) != 0);
        CHECK((::fcntl(accepted.get(), F_GETFD) & FD_CLOEXEC) != 0);
        sockaddr_in name{};
        socklen_t size = sizeof name;
        ::getsockname(client.get(), reinterpret_cast<sockaddr*>(&name), &size);
        CHECK(from.sin_port == name.sin_port);
        CHECK(from.sin_addr.s_addr == name.sin_addr.s_addr);
    });
}

TEST_CASE("every connection of a burst is accepted") {
    on_every_backend([](leat::backend& io) {
        listener server;
        std::vector<leat::fd> clients;
        for (int i = 0; i < 20; ++i) {
            clients.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
            REQUIRE(::connect(clients.back().get(), server.name(), sizeof server.address) == 0);
        }
        for (int i = 0; i < 20; ++i) {
            bare_operation accept(operation_kind::accept, server.socket.get());
            start(io, accept);
            finish(io, accept);
            CHECK(accept.result >= 0);
            const leat::fd accepted(static_cast<int>(accept.result));
        }
        bare_operation none(operation_kind::accept, server.socket.get());
        start(io, none);
        look(io);
        CHECK(!none.ended());
        cancel(io, none);
        finish(io, none);
        CHECK(none.result == -ECANCELED);
    });
}

TEST_CASE("a refused connection is an error") {
    on_every_backend([](leat::backend& io) {
        listener server;
        server.socket.reset();
        const leat::fd client(*io.sockets().open(AF_INET, SOCK_STREAM, 0));
        bare_operation connect(operation_kind::connect, client.get());
        connect.address = server.name();
        connect.length = sizeof server.address;
        start(io, connect);
        finish(io, connect);
        CHECK(connect.result == -ECONNREFUSED);
    });
}

TEST_CASE("readiness is told without taking anything") {
    on_every_backend([](leat::backend& io) {
        const connection both;
        bare_operation readable(operation_kind::readable, both.ours.get());
        bare_operation writable(operation_kind::writable, both.ours.get());
        start(io, readable);
        start(io, writable);
        finish(io, writable);
        CHECK(writable.result == 0);
        look(io);
        CHECK(!readable.ended());
        both.peer_sends("a");
        finish(io, readable);
        CHECK(readable.result == 0);
        char byte = 0;
        CHECK(::recv(both.ours.get(), &byte, 1, 0) == 1);
    });
}

TEST_CASE("a regular file is always ready") {
    on_every_backend([](leat::backend& io) {
        const leat::fd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
        for (const operation_kind kind : {operation_kind::readable, operation_kind::writable}) {
            bare_operation ready(kind, file.get());
            start(io, ready);
            finish(io, ready);
            CHECK(ready.result == 0);
        }
    });
}

TEST_CASE("wake ends a collect from another thread, or the next one") {
    on_every_backend([](leat::backend& io) {
        for (int i = 0; i < 100; ++i) {
            io.wake();
            CHECK(collect(io, leat::never) == 0);
        }
        for (int i = 0; i < 100; ++i) {
            std::thread other([&] { io.wake(); });
            CHECK(collect(io, leat::never) == 0);
            other.join();
        }
        CHECK(io.pending() == 0);
    });
}

TEST_CASE("a collect of nothing lasts until its deadline") {
    const auto body = [](leat::backend& io) {
        for (const auto length : {std::chrono::microseconds(0), std::chrono::microseconds(1),
                                  std::chrono::microseconds(900), std::chrono::microseconds(3000)}) {
            const leat::time_point deadline = leat::after(io.now(), length);
            CHECK(collect(io, deadline) == 0);
            CHECK(io.now() >= deadline);
        }
        CHECK(collect(io, leat::long_ago) == 0);
    };
    // On a thread of its own: rings that were closed still interrupt the thread that had them.
    (void)leat::testing::backends();
    std::thread([&] { on_every_backend(body); }).join();
}

// SPDX-License-Identifier: MIT
// Receiving chunks again and again, on every backend. A backend may receive ahead then (uring_source.cpp);
// nobody must notice but by the speed. io_uring does so on TCP only.
#include "bare_operations.hpp"

#include <atomic>
#include <cstring>
#include <deque>
#include <random>
#include <thread>

using namespace backend_tests;

namespace {

std::string next_chunk(leat::backend& io, int fd) {
    bare_operation recv(operation_kind::recv_chunk, fd);
    start(io, recv);
    finish(io, recv);
    REQUIRE(recv.result >= 0);
    return text_of(recv.received());
}

// Makes a backend that receives ahead do so from now on.
void warm_up(leat::backend& io, const connection& both) {
    for (int i = 0; i < 3; ++i) {
        bare_operation recv(operation_kind::recv_chunk, both.ours.get());
        start(io, recv);
        look(io);
        both.peer_sends("warm");
        finish(io, recv);
        REQUIRE(text_of(recv.received()) == "warm");
    }
}

}  // namespace

TEST_CASE("bytes stay in order however reads are mixed and cancelled") {
    on_every_backend([](leat::backend& io) {
        listener server;
        const connection both(server);
        std::mt19937 random(1);
        const auto below = [&](unsigned limit) { return static_cast<unsigned>(random()) % limit; };
        std::string sent;
        std::string received;
        const auto send_some = [&] {
            std::string part;
            for (unsigned i = below(60); i > 0; --i) {
                part.push_back(static_cast<char>('a' + (sent.size() + part.size()) % 23));
            }
            both.peer_sends(part);
            sent += part;
        };
        for (int round = 0; round < 10000; ++round) {
            send_some();
            std::string into(1 + below(40), ' ');
            const bool chunked = below(100) < 70;
            bare_operation recv(chunked ? operation_kind::recv_chunk : operation_kind::recv, both.ours.get());
            if (!chunked) {
                recv.buffer = reinterpret_cast<std::byte*>(into.data());
                recv.length = into.size();
                recv.whole = below(2) == 0;
            }
            start(io, recv);
            if (below(2) == 0) {
                look(io);
                send_some();
            }
            if (!recv.ended() && (sent.size() < received.size() + into.size() || below(4) == 0)) {
                cancel(io, recv);
            }
            finish(io, recv);
            const std::size_t before = received.size();
            if (recv.result == -ECANCELED) {
                received.append(into, 0, static_cast<std::size_t>(recv.transferred));
            } else if (chunked) {
                received += text_of(recv.received());
            } else {
                received.append(into, 0, static_cast<std::size_t>(recv.result));
            }
            REQUIRE(sent.compare(before, received.size() - before, received, before) == 0);
        }
        while (received.size() < sent.size()) {
            received += next_chunk(io, both.ours.get());
        }
        CHECK(received == sent);
    });
}

TEST_CASE("a stream that is not read stops being received") {
    on_every_backend([](leat::backend& io) {
        listener server;
        const connection both(server);
        warm_up(io, both);
        std::size_t sent = 0;
        const std::string part(1000, 'x');
        int refused = 0;
        while (refused < 10) {  // the peer cannot send any more, although the backend goes on collecting
            REQUIRE(sent < 50'000'000);
            const ssize_t count = ::send(both.peer.get(), part.data(), part.size(), MSG_NOSIGNAL);
            if (count > 0) {
                sent += static_cast<std::size_t>(count);
                refused = 0;
            } else {
                ++refused;
            }
            look(io);
        }
        std::size_t received = 0;
        while (received < sent) {
            received += next_chunk(io, both.ours.get()).size();
        }
        CHECK(received == sent);
    });
}

TEST_CASE("what came while nobody was reading is there, then the end") {
    on_every_backend([](leat::backend& io) {
        listener server;
        connection both(server);
        warm_up(io, both);
        both.peer_sends("abc");
        look(io);
        both.peer_sends("def");
        both.peer.reset();
        look(io);
        std::string received;
        for (std::string part; !(part = next_chunk(io, both.ours.get())).empty();) {
            received += part;
        }
        CHECK(received == "abcdef");
        CHECK(next_chunk(io, both.ours.get()).empty());
    });
}

TEST_CASE("an end that comes right behind data, from another thread, is never missed") {
    on_every_backend([](leat::backend& io) {
        listener server;
        for (int i = 0; i < 500; ++i) {
            connection both = i % 2 == 0 ? connection() : connection(server);
            warm_up(io, both);
            std::thread peer([&] {
                both.peer_sends("abc");
                ::shutdown(both.peer.get(), SHUT_WR);
            });
            CHECK(next_chunk(io, both.ours.get()) == "abc");
            CHECK(next_chunk(io, both.ours.get()).empty());
            peer.join();
            io.retire(both.ours.release());
        }
    });
}

TEST_CASE("a reset that came while nobody was reading is told to the next reader") {
    on_every_backend([](leat::backend& io) {
        listener server;
        connection both(server);
        warm_up(io, both);
        const linger reset{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(both.peer.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        both.peer.reset();
        look(io);
        bare_operation recv(operation_kind::recv_chunk, both.ours.get());
        start(io, recv);
        finish(io, recv);
        CHECK(recv.result == -ECONNRESET);
    });
}

TEST_CASE("readiness counts what was received ahead") {
    on_every_backend([](leat::backend& io) {
        listener server;
        const connection both(server);
        warm_up(io, both);
        bare_operation early(operation_kind::readable, both.ours.get());
        start(io, early);
        look(io);
        CHECK(!early.ended());
        both.peer_sends("abc");
        finish(io, early);
        CHECK(early.result == 0);
        bare_operation late(operation_kind::readable, both.ours.get());
        start(io, late);
        finish(io, late);
        CHECK(late.result == 0);
        CHECK(next_chunk(io, both.ours.get()) == "abc");
    });
}

TEST_CASE("nothing received ahead reaches the next socket of the same number") {
    on_every_backend([](leat::backend& io) {
        for (const bool waiting : {false, true}) {
            listener server;
            connection first(server);
            const int number = first.ours.get();
            warm_up(io, first);
            first.peer_sends("old");
            if (waiting) {
                look(io);
                CHECK(next_chunk(io, number) == "old");
            }
            bare_operation recv(operation_kind::recv_chunk, number);
            if (waiting) {
                start(io, recv);
            }
            io.retire(first.ours.release());
            if (waiting) {
                finish(io, recv);
                CHECK(recv.result == -ECANCELED);
                CHECK(recv.retired);
            }
            finish_retiring(io);
            CHECK(first.peer_sees_end());

            connection second(server);
            second.take_number(number);
            second.peer_sends("new");
            CHECK(next_chunk(io, number) == "new");
            io.retire(second.ours.release());
            finish_retiring(io);
        }
    });
}

TEST_CASE("a backend may end while sockets that were received from are open") {
    listener server;
    std::deque<connection> connections;
    for (int i = 0; i < 30; ++i) {
        connections.emplace_back(server);
    }
    on_every_backend([&](leat::backend& io) {
        for (const connection& each : connections) {
            char unread[64];
            while (::recv(each.ours.get(), unread, sizeof unread, 0) > 0) {
            }
            warm_up(io, each);
        }
        for (const connection& each : connections) {
            each.peer_sends("abc");
        }
        look(io);
        for (const connection& each : connections) {
            CHECK(next_chunk(io, each.ours.get()) == "abc");
            each.peer_sends("unread");
        }
        look(io);
    });
}

// A reset that comes with the data, or right behind it, makes no second event.
TEST_CASE("a reset right behind data is the next result, whenever it comes") {
    on_every_backend([](leat::backend& io) {
        const auto reset = [](connection& both) {
            const linger at_once{.l_onoff = 1, .l_linger = 0};
            both.peer_sends("last");
            REQUIRE(::setsockopt(both.peer.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
            both.peer.reset();
        };
        enum class moment { before_a_receive, during_a_receive, before_the_second, between_receives };
        for (const moment when : {moment::before_a_receive, moment::during_a_receive,
                                  moment::before_the_second, moment::between_receives}) {
            for (const bool ahead : {false, true}) {
                INFO("moment ", static_cast<int>(when), ahead ? ", received ahead" : ", plainly");
                listener server;
                connection both(server);
                if (ahead) {
                    warm_up(io, both);
                }
                if (when == moment::before_the_second) {
                    both.peer_sends("x");
                    REQUIRE(next_chunk(io, both.ours.get()) == "x");
                }
                if (when == moment::between_receives) {
                    both.peer_sends("x");
                    REQUIRE(next_chunk(io, both.ours.get()) == "x");
                    look(io);
                }
                bare_operation first(operation_kind::recv_chunk, both.ours.get());
                if (when == moment::during_a_receive) {
                    start(io, first);
                    look(io);
                    reset(both);
                } else {
                    reset(both);
                    start(io, first);
                }
                finish(io, first);
                REQUIRE(text_of(first.received()) == "last");
                bare_operation second(operation_kind::recv_chunk, both.ours.get());
                start(io, second);
                finish(io, second);
                CHECK(second.result == -ECONNRESET);
                io.retire(both.ours.release());
                finish_retiring(io);
            }
        }
    });
}

TEST_CASE("resets that race with their data, and with the receives, are all seen") {
    on_every_backend([](leat::backend& io) {
        std::mt19937 random(1);
        const auto spin = [](unsigned turns) {
            for (unsigned left = turns; left > 0; --left) {
                std::atomic_signal_fence(std::memory_order_seq_cst);  // keeps the loop
            }
        };
        listener server;
        for (int round = 0; round < 1000; ++round) {
            connection both(server);
            warm_up(io, both);
            std::thread peer([&, before = random() % 20'000, between = random() % 3'000] {
                const linger at_once{.l_onoff = 1, .l_linger = 0};
                spin(static_cast<unsigned>(before));
                ::send(both.peer.get(), "last", 4, MSG_NOSIGNAL);
                ::setsockopt(both.peer.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
                spin(static_cast<unsigned>(between));
                both.peer.reset();
            });
            std::int64_t result = 1;
            while (result > 0) {
                bare_operation recv(operation_kind::recv_chunk, both.ours.get());
                start(io, recv);
                finish(io, recv);
                result = recv.result;
                (void)recv.received();
            }
            peer.join();
            REQUIRE(result == -ECONNRESET);
            io.retire(both.ours.release());
        }
        finish_retiring(io);
    });
}

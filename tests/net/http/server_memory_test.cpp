// SPDX-License-Identifier: MIT
// What connections of the HTTP server hold on to, in the program that counts operator new: next to nothing
// between two requests, whatever came before.
#include "serving.hpp"

#include <leat/core/frame_pool.hpp>
#include <leat/testing/backends.hpp>
#include <leat/testing/counted_memory.hpp>

#include "../../support/failing_memory.hpp"
#include "../../support/sanitizers.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <malloc.h>

using namespace leat::testing;

namespace {

constexpr std::size_t connections = 200;

// All that is allocated now, in bytes, but for frames that wait to be used again.
std::size_t allocated() {
    leat::detail::frame_pool::trim();
    return ::mallinfo2().uordblks;
}

leat::task<leat::http::response> sized(const leat::http::request& asked) {
    leat::http::response made;
    made.body.assign(asked.target == "/15" ? 15'000 : 2, 'b');
    co_return made;
}

// Sends `asked` on each of many connections, one after the other, and takes `count` bytes of answers; the
// connections stay. Gives what each of them keeps allocated, all included but the client's side.
leat::task<double> kept_by_each(std::string asked, std::size_t count) {
    double kept = 0;
    co_await serving(sized, unattended, [&](leat::endpoint where) -> leat::task<> {
        std::string taken(count, ' ');
        const auto ask = [&](leat::tcp_stream& peer) -> leat::task<> {
            co_await peer.send_all(asked);
            co_await peer.recv_exactly(taken);
        };
        {
            auto first = co_await leat::tcp_stream::connect(where);
            co_await ask(first);
        }
        std::vector<leat::tcp_stream> all;
        all.reserve(connections);
        const std::size_t before = allocated();
        for (std::size_t i = 0; i < connections; ++i) {
            all.push_back(co_await leat::tcp_stream::connect(where));
            co_await ask(all.back());
        }
        for (int i = 0; i < 10; ++i) {
            co_await leat::yield();
        }
        kept = static_cast<double>(allocated() - before) / connections;
    });
    co_return kept;
}

std::string many(std::string_view request, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) {
        all += request;
    }
    return all;
}

}  // namespace

TEST_CASE("an idle HTTP connection keeps no buffer, whatever it was asked before") {
    if (address_sanitized) {
        MESSAGE("skipped: the sanitizer has its own allocator");
        return;
    }
    leat::run([]() -> leat::task<> {
        constexpr std::size_t head_size =
            std::string_view(
                "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 2\r\n\r\n")
                .size();
        const std::size_t small = head_size + 2;
        const double plain = co_await kept_by_each(get("/"), small);
        MESSAGE(plain << " bytes for a connection, with its client");
        // The buffers of one workspace, which serves all of them, count for each with a two-hundredth.
        constexpr double of_shared = 1000;
        const double header = co_await kept_by_each(
            "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(60'000, 'x') + "\r\n\r\n", small);
        CHECK(header < plain + of_shared);
        const double answer = co_await kept_by_each(get("/15"), head_size + 4 + 15'000);
        CHECK(answer < plain + of_shared);
        const double pipelined = co_await kept_by_each(many(get("/15"), 4), 4 * (head_size + 4 + 15'000));
        CHECK(pipelined < plain + of_shared);
        const double body = co_await kept_by_each(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'b'),
            small);
        CHECK(body < plain + of_shared);
    });
}

TEST_CASE("connections that ask one after the other share what a request needs, and allocate nothing") {
    if (address_sanitized) {
        MESSAGE("skipped: frames are not recycled under a sanitizer");
        return;
    }
    leat::run([]() -> leat::task<> {
        co_await serving(sized, unattended, [&](leat::endpoint where) -> leat::task<> {
            std::vector<leat::tcp_stream> peers;
            for (int i = 0; i < 20; ++i) {
                peers.push_back(co_await leat::tcp_stream::connect(where));
            }
            std::string asked = get("/");
            std::string taken(200, ' ');
            const auto ask_all = [&]() -> leat::task<> {
                for (leat::tcp_stream& peer : peers) {
                    co_await peer.send_all(asked);
                    const std::size_t count = co_await peer.recv(taken);
                    CHECK(count > 0);
                }
            };
            co_await ask_all();
            const long made = co_await allocations_during(ask_all);
            CHECK(made == 0);
        });
    });
}

namespace {

leat::task<leat::http::response> count_read(const leat::http::request&,
                                            leat::http::request_body_reader& body) {
    leat::http::response made;
    for (;;) {
        const std::string_view piece = co_await body.read();
        if (piece.empty()) {
            break;
        }
    }
    made.body = body.bytes_read() == 10'000 ? "yes" : "no";
    co_return made;
}

}  // namespace

TEST_CASE("a handler that reads a body as it comes allocates nothing for it") {
    if (address_sanitized) {
        MESSAGE("skipped: frames are not recycled under a sanitizer");
        return;
    }
    leat::run([]() -> leat::task<> {
        co_await serving(count_read, unattended, [&](leat::endpoint where) -> leat::task<> {
            auto peer = co_await leat::tcp_stream::connect(where);
            const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n";
            const std::string half(5000, 'b');
            std::string taken(200, ' ');
            const auto ask = [&]() -> leat::task<> {
                for (const std::string* part : {&head, &half, &half}) {
                    co_await peer.send_all(*part);
                    co_await leat::yield();
                    co_await leat::yield();
                }
                const std::size_t count = co_await peer.recv(taken);
                CHECK(std::string_view(taken).substr(0, count).ends_with("\r\n\r\nyes"));
            };
            co_await ask();
            co_await ask();
            const long made = co_await allocations_during(ask);
            CHECK(made == 0);
        });
    });
}

namespace {

leat::task<leat::http::response> sized_after_a_wait(const leat::http::request& asked) {
    co_await leat::yield();
    leat::http::response made = co_await sized(asked);
    co_return made;
}

}  // namespace

TEST_CASE("a server without memory answers, or says 500, or ends the connection, and then goes on") {
    check_each_allocation("requests", kernel, [](failing_memory& memory) -> leat::task<> {
        const std::string good = ok("bb");
        const std::string asked = many(get("/"), 3);
        std::string all;
        all.reserve(4096);
        co_await serving(sized_after_a_wait, unattended, [&](leat::endpoint where) -> leat::task<> {
            auto peer = co_await leat::tcp_stream::connect(where);
            co_await leat::sleep(std::chrono::milliseconds(1));
            co_await memory.fails([&]() -> leat::task<> {
                co_await peer.send_all(asked);
                peer.shutdown_send();
                std::array<char, 512> part{};
                for (;;) {
                    const auto size = co_await leat::as_result(peer.recv(part));
                    if (!size.ok() || *size == 0) {
                        break;
                    }
                    all.append(part.data(), *size);
                }
            });
            const std::string again = co_await answers_to(where, get("/"));
            CHECK(again == good);
        });
        const std::string answers = without_dates(all);
        bool in_order = false;
        for (int before = 0; before <= 3; ++before) {
            in_order = in_order || (many(good, before) + failed).starts_with(answers);
        }
        CHECK_MESSAGE(in_order, answers);
    });
}

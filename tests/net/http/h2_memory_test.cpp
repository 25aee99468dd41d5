// SPDX-License-Identifier: MIT
// What connections of HTTP/2 hold on to between two requests, and what happens to one for which there is no
// memory, in the program that counts operator new.
#include "h2_client.hpp"
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
#include <vector>

#include <malloc.h>

using namespace leat::testing;

namespace {

constexpr std::size_t h2_connections = 200;

leat::task<leat::http::response> two_bytes(const leat::http::request& asked) {
    leat::http::response made;
    made.body.assign(asked.target == "/15" ? 15'000 : 2, 'b');
    co_return made;
}

leat::task<leat::http::response> two_bytes_after_a_wait(const leat::http::request& asked) {
    co_await leat::yield();
    leat::http::response made = co_await two_bytes(asked);
    co_return made;
}

leat::task<> say_what_is_read(const leat::http::request& asked, leat::http::request_body_reader& body,
                              leat::http::response_writer& writer) {
    const std::string all = co_await body.read_all();
    writer.head().body.assign(asked.target == "/15" ? 15'000 : 2, all.empty() ? 'b' : all.front());
}

leat::task<leat::http::response> speak_lines(const leat::http::request&) {
    leat::http::response made;
    made.status = 101;
    made.upgraded = [](leat::any_stream& peer) -> leat::task<> {
        while (const leat::chunk some = co_await peer.recv_chunk()) {
            co_await peer.send_all(some);
        }
    };
    co_return made;
}

// A connection whose client has got the answer to one request, and gave back what it had for it.
leat::task<leat::tcp_stream> idle_connection(leat::endpoint where, std::string_view target) {
    auto made = co_await leat::tcp_stream::connect(where);
    h2_client client;
    const auto asked =
        client.ask(target, "POST", std::string(1000, 'b'), {{"user-agent", "test"}, {"accept", "*/*"}});
    for (std::string out = client.take_out(); !out.empty() || !client.of(asked).whole;
         out = client.take_out()) {
        co_await made.send_all(out);
        if (!client.of(asked).whole) {
            const leat::chunk some = co_await made.recv_chunk();
            client.receive(some.text());
        }
    }
    co_return made;
}

leat::task<double> kept_by_each_idle(std::string_view target) {
    double kept = 0;
    co_await serving(two_bytes, unattended, [&](leat::endpoint where) -> leat::task<> {
        auto first = co_await idle_connection(where, target);
        std::vector<leat::tcp_stream> all;
        all.reserve(h2_connections);
        leat::detail::frame_pool::trim();
        const std::size_t before = ::mallinfo2().uordblks;
        for (std::size_t i = 0; i < h2_connections; ++i) {
            all.push_back(co_await idle_connection(where, target));
        }
        for (int i = 0; i < 10; ++i) {
            co_await leat::yield();
        }
        leat::detail::frame_pool::trim();
        kept = static_cast<double>(::mallinfo2().uordblks - before) / h2_connections;
    });
    co_return kept;
}

}  // namespace

TEST_CASE("an idle connection of HTTP/2 keeps little, whatever it was asked before") {
    if (address_sanitized) {
        MESSAGE("skipped: the sanitizer has its own allocator");
        return;
    }
    leat::run([]() -> leat::task<> {
        const double plain = co_await kept_by_each_idle("/");
        MESSAGE(plain << " bytes for a connection, with its client");
        const double large = co_await kept_by_each_idle("/15");
        CHECK(large < plain + 1000);
    });
}

namespace {

template <typename Handler>
void check_without_memory(const char* what, Handler handler, bool speaks = false) {
    check_each_allocation(what, kernel, [handler, speaks](failing_memory& memory) -> leat::task<> {
        h2_client listener;
        std::vector asked{listener.ask("/"), listener.ask("/15"), listener.ask("/", "POST", "body")};
        if (speaks) {
            asked = {listener.connect("/", "lines")};
            listener.add_body(asked[0], "12");
            listener.end_body(asked[0]);
        }
        const std::string bytes = listener.take_out();
        std::string all;
        all.reserve(64 * 1024);
        co_await serving(handler, unattended, [&](leat::endpoint where) -> leat::task<> {
            auto peer = co_await leat::tcp_stream::connect(where);
            co_await leat::sleep(std::chrono::milliseconds(1));
            co_await memory.fails([&]() -> leat::task<> {
                co_await peer.send_all(bytes);
                peer.shutdown_send();
                std::array<char, 4096> part{};
                for (;;) {
                    const auto size = co_await leat::as_result(peer.recv(part));
                    if (!size.ok() || *size == 0) {
                        break;
                    }
                    all.append(part.data(), *size);
                }
            });
            if (!speaks) {
                auto again = co_await idle_connection(where, "/");
            }
        });
        listener.receive(all);
        for (const auto id : asked) {
            const h2_answer& answer = listener.of(id);
            const std::size_t size = !speaks && id == asked[1] ? 15'000 : 2;
            const bool cut = speaks && answer.body.empty();  // a protocol ends as a connection does
            const bool right = answer.status == 200 && (answer.body.size() == size || cut);
            const bool refused = answer.status == 500 && answer.body == "Internal Server Error\n";
            CHECK((!answer.whole || right || refused));
        }
    });
}

}  // namespace

TEST_CASE("a server of HTTP/2 without memory answers, or says 500, or ends, and then goes on") {
    check_without_memory("requests of HTTP/2", two_bytes_after_a_wait);
    check_without_memory("requests of HTTP/2 that are read", say_what_is_read);
    check_without_memory("another protocol over HTTP/2", speak_lines, /*speaks=*/true);
}

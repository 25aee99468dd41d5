// SPDX-License-Identifier: MIT
// A body whose pieces need no wait: the client lets the other tasks run all the same.
#include <leat/http.hpp>
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include "../../support/http_origin.hpp"
#include "compressed.hpp"

#include <string>

using support::answer;
using support::http_origin;

namespace {

struct pieces_and_turns {
    int pieces = 0;
    std::size_t bytes = 0;
    int turns = 0;  // of another task, from the first piece to the last
};

leat::task<pieces_and_turns> read_beside_another(http_origin& origin) {
    leat::http::client client({.environment_proxies = false});
    pieces_and_turns seen;
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        auto reply = co_await client.open(origin.url("/"));
        group.spawn([&]() -> leat::task<> {
            for (;;) {
                co_await leat::yield();
                ++seen.turns;
            }
        });
        for (;;) {
            const std::string_view piece = co_await reply.read();
            if (piece.empty()) {
                break;
            }
            ++seen.pieces;
            seen.bytes += piece.size();
        }
        group.cancel();
    });
    co_return seen;
}

constexpr int pieces_a_turn = leat::detail::inline_completions_max;

}  // namespace

LEAT_TEST("a small answer that unpacks to very much lets the other tasks run") {
    const std::string packed = compressed(std::string(16'000'000, 'a'), gzip_window);
    CHECK(packed.size() < 32 * 1024);
    http_origin origin([&](const std::string&) {
        return answer{"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " +
                      std::to_string(packed.size()) + "\r\n\r\n" + packed};
    });
    co_await origin.during([&]() -> leat::task<> {
        const pieces_and_turns seen = co_await read_beside_another(origin);
        CHECK(seen.bytes == 16'000'000);
        CHECK(seen.pieces > 4 * pieces_a_turn);
        CHECK(seen.turns >= seen.pieces / (pieces_a_turn + 1));
    });
}

LEAT_TEST("a body in chunks of one byte lets the other tasks run") {
    constexpr int chunks = 2000;  // a few of the buffers that they are received in
    std::string body;
    for (int i = 0; i < chunks; ++i) {
        body += "1\r\nx\r\n";
    }
    http_origin origin([&](const std::string&) {
        return answer{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body + "0\r\n\r\n"};
    });
    co_await origin.during([&]() -> leat::task<> {
        const pieces_and_turns seen = co_await read_beside_another(origin);
        CHECK(seen.pieces == chunks);
        CHECK(seen.turns >= chunks / (pieces_a_turn + 1));
    });
}

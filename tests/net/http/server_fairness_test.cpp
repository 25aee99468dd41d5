// SPDX-License-Identifier: MIT
// One client of http::serve keeps no other task waiting.
#include "serving.hpp"

#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <string>

using leat::testing::get;
using leat::testing::rest_of;
using leat::testing::serving;
using leat::testing::unattended;

LEAT_TEST("a client that pipelines without pause has a bounded number of requests answered in a turn") {
    constexpr int requests = 4'000;
    std::uint64_t last_turn = 0;
    int in_turn = 0;
    int most_in_turn = 0;
    auto handler = [&](const leat::http::request&) -> leat::task<leat::http::response> {
        const std::uint64_t turn = leat::current_scheduler().counters().turns;
        in_turn = turn == last_turn ? in_turn + 1 : 1;
        last_turn = turn;
        most_in_turn = std::max(most_in_turn, in_turn);
        leat::http::response made;
        made.body = "ok";
        co_return made;
    };
    std::size_t answers = 0;
    co_await serving(handler, unattended, [&](leat::endpoint where) -> leat::task<> {
        auto client = co_await leat::tcp_stream::connect(where);
        auto sender = leat::spawn([&]() -> leat::task<> {
            std::string all;
            for (int i = 0; i < requests; ++i) {
                all += get("/");
            }
            co_await client.send_all(all);
            client.shutdown_send();
        });
        const std::string text = co_await rest_of(client);
        for (std::size_t at = text.find("HTTP/1.1 200"); at != text.npos;
             at = text.find("HTTP/1.1 200", at + 1)) {
            ++answers;
        }
        co_await sender;
    });
    CHECK(answers == requests);
    CHECK(most_in_turn <= leat::scheduler::inline_max + leat::detail::inline_completions_max);
}

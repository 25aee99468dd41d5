// SPDX-License-Identifier: MIT
// One client of http::serve keeps no other task waiting.
#include <leat/http.hpp>
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <string>

using namespace std::chrono_literals;

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
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        const leat::endpoint where = listener.local_endpoint();
        group.spawn(leat::http::serve(std::move(listener), handler,
                                      leat::http::serve_options{.grace = 0ms, .stop_on = {}}));
        auto client = co_await leat::tcp_stream::connect(where);
        auto sender = group.spawn([&]() -> leat::task<> {
            std::string all;
            for (int i = 0; i < requests; ++i) {
                all += "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
            }
            co_await client.send_all(all);
            client.shutdown_send();
        });
        std::string text;
        while (const auto chunk = co_await client.recv_chunk()) {
            text += chunk.text();
        }
        for (std::size_t at = text.find("HTTP/1.1 200"); at != text.npos;
             at = text.find("HTTP/1.1 200", at + 1)) {
            ++answers;
        }
        group.cancel();
    });
    CHECK(answers == requests);
    CHECK(most_in_turn <= leat::scheduler::inline_max + leat::task_state::inline_completions_max);
}

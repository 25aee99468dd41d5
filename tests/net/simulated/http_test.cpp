// SPDX-License-Identifier: MIT
// The HTTP client against http::serve, over a network that fails and heals: what is given is whole, and what
// is not is an error.
#include <leat/http.hpp>

#include "../http/compressed.hpp"
#include "../http/timings_order.hpp"
#include "whole_program.hpp"

#include <charconv>
#include <vector>

namespace leat::testing {
namespace {

using namespace std::chrono_literals;

const endpoint service{"10.0.0.1", 80};
const endpoint reading_service{"10.0.0.1", 81};

// The body at "/form/number", which compresses to something.
std::string body_of(std::uint64_t number) {
    std::string text;
    for (std::uint64_t line = 0; line < number % 1000; ++line) {
        text += std::to_string(number * line) + "\n";
    }
    return text;
}

std::uint64_t number_in(std::string_view target) {
    std::uint64_t number = 0;
    target.remove_prefix(target.rfind('/') + 1);
    std::from_chars(target.data(), target.data() + target.size(), number);
    return number;
}

// Answers "/counted/7", "/chunked/7", "/gzip/7", and to a PUT what was put.
task<> answer(const http::request& asked, http::response_writer& writer) {
    std::string body = asked.method == "PUT" ? asked.body : body_of(number_in(asked.target));
    if (asked.target.starts_with("/gzip/")) {
        body = compressed(body, gzip_window);
        writer.head().headers.add("Content-Encoding", "gzip");
    } else if (asked.target.starts_with("/counted/")) {
        writer.head().headers.add("Content-Length", std::to_string(body.size()));
    } else if (asked.target.starts_with("/chunked/")) {
        writer.add_trailer("X-Size", std::to_string(body.size()));
    }
    for (std::string_view rest = body; !rest.empty();) {
        const std::string_view piece = rest.substr(0, 1 + draw(4000));
        co_await writer.write(piece);
        rest.remove_prefix(piece.size());
        if (draw(4) == 0) {
            co_await sleep(draw_time(1s));
        }
    }
}

// Gives a PUT its body back, as it comes; and leaves one of another kind where it likes.
task<> echo(const http::request& asked, http::request_body_reader& body, http::response_writer& writer) {
    if (asked.target == "/left") {
        for (std::size_t pieces = draw(4); pieces > 0; --pieces) {
            const std::string_view piece = co_await body.read();
            if (piece.empty()) {
                break;
            }
        }
        writer.head().body = "left";
        co_return;
    }
    for (;;) {
        const std::string_view piece = co_await body.read();
        if (piece.empty()) {
            break;
        }
        if (draw(4) == 0) {
            co_await sleep(draw_time(1s));
        }
        co_await writer.write(piece);
    }
}

// Fetches a page and checks all of it. Throws what the client throws.
task<> fetch(http::client& client) {
    constexpr std::string_view forms[] = {"counted", "chunked", "gzip"};
    const std::string_view form = forms[draw(3)];
    const std::uint64_t number = draw(100'000);
    const http::fetched page =
        co_await client.get("http://10.0.0.1/" + std::string(form) + "/" + std::to_string(number));
    CHECK(page.status == 200);
    CHECK(are_ordered(page.timings));
    const bool whole = page.body == body_of(number);
    CHECK(whole);
    CHECK((form != "chunked" || page.trailers.get("X-Size") == std::to_string(page.body.size())));
}

// Puts a page, in pieces with pauses, which is answered with itself, or left. Throws what the client throws.
task<> put(http::client& client) {
    constexpr std::string_view places[] = {":80/put", ":81/put", ":81/left"};
    const std::string place(places[draw(3)]);
    const std::string body = body_of(draw(100'000));
    const auto in_pieces = [&body] {
        return [rest = std::string_view(body)]() mutable -> task<std::string_view> {
            if (draw(4) == 0) {
                co_await sleep(draw_time(1s));
            }
            const std::string_view piece = rest.substr(0, 1 + draw(4000));
            rest.remove_prefix(piece.size());
            co_return piece;
        };
    };
    const auto size = draw(2) == 0 ? std::optional<std::uint64_t>() : std::optional(body.size());
    http::request_options how;
    if (draw(2) == 0) {
        how.await_continue = draw_time(1s);
    }
    const http::fetched page =
        co_await client.put("http://10.0.0.1" + place, http::request_body::made_by(in_pieces, size), how);
    CHECK(page.status == 200);
    const bool same = page.body == (place == ":81/left" ? "left" : body);
    CHECK(same);
}

bool is_http_failure(std::error_code error) {
    return is_network_failure(error) || error == http::error::truncated_body ||
           error == http::error::truncated_head || error == http::error::no_message;
}

// Fetches pages with pauses, around those after which the server closes an idle connection. Gives how many
// could not be fetched.
task<int> fetch_some(http::client& client, int count) {
    int failed = 0;
    for (; count > 0; --count) {
        const auto done = co_await as_result(draw(3) == 0 ? put(client) : fetch(client));
        if (!done.ok()) {
            check_failure(done.error(), is_http_failure(done.error()));
            ++failed;
        }
        const duration pause = draw(2) == 0 ? 0ms : 4990ms + draw_time(20ms);
        co_await sleep(pause);
    }
    co_return failed;
}

// Of all these clients, each with a connection or two.
task<int> fetch_with(std::vector<std::unique_ptr<http::client>>& clients, int count) {
    std::vector<task<int>> fetching;
    for (auto& each : clients) {
        fetching.push_back(fetch_some(*each, count));
        fetching.push_back(fetch_some(*each, count));
    }
    const std::vector<int> failed = co_await gather(std::move(fetching));
    int all = 0;
    for (const int each : failed) {
        all += each;
    }
    co_return all;
}

task<> fetch_under_faults(bool failures) {
    simulation& world = current_simulation();
    simulated_host& there = world.add_host("server", {"10.0.0.1"});
    simulated_host& here = world.add_host("client");
    world.set_link(there, here, {.latency = draw_time(20ms), .spread = draw_time(5ms)});
    tcp_listener listener = co_await on_host(there, bind_in_the_end(service));
    tcp_listener reading = co_await on_host(there, bind_in_the_end(reading_service));
    co_await with_task_group([&](task_group& group) -> task<> {
        group.spawn([&] {
            return http::serve(std::move(listener), answer, {.stop_on = {}, .limits = {.idle = 5s}});
        });
        group.spawn(
            [&] { return http::serve(std::move(reading), echo, {.stop_on = {}, .limits = {.idle = 5s}}); });
        co_await on_host(here, [&]() -> task<> {
            std::vector<std::unique_ptr<http::client>> clients;
            for (int number = 0; number < 4; ++number) {
                clients.push_back(
                    std::make_unique<http::client>(http::client_options{.environment_proxies = false}));
            }
            const int before = co_await fetch_with(clients, 5);
            CHECK((failures || before == 0));
            world.heal();
            const int after = co_await fetch_with(clients, 5);
            CHECK(after == 0);
        });
        group.cancel();
    });
}

}  // namespace

LEAT_SIMULATE("HTTP pages come whole or with an error, and none fails after the faults",
              {.seeds = 30, .network = {.failures = true}}) {
    co_await fetch_under_faults(true);
}

LEAT_SIMULATE("HTTP pages come whole while connections that are kept are closed by the server", seeds(20)) {
    co_await fetch_under_faults(false);
}

}  // namespace leat::testing

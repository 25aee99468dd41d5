// SPDX-License-Identifier: MIT
// http::client over HTTP/2 and simulated TCP: every request brings its own answer or an error, whatever is
// short, late, reset or fails, and whichever are given up meanwhile.
#include "../http/timings_order.hpp"
#include "whole_program.hpp"

#include <leat/http.hpp>

namespace leat::testing {
namespace {

using namespace std::chrono_literals;

const endpoint shared_service{"10.0.0.1", 80};

task<http::response> say_it_again(const http::request& asked) {
    if (draw(4) == 0) {
        co_await sleep(draw_time(1s));
    }
    http::response made;
    made.body = asked.target + " " + asked.body;
    co_return made;
}

// Throws what the request fails with.
task<> ask_one(http::client& client) {
    const std::string target = "/" + std::to_string(draw(1'000'000));
    const std::string body = draw_text();
    const http::fetched page = co_await client.put("http://10.0.0.1" + target, body, {.total = 60s});
    const bool same = page.status == 200 && page.body == target + " " + body;
    CHECK(same);
    CHECK(page.version == http::version::http_2);
    CHECK(are_ordered(page.timings));
}

bool is_client_failure(std::error_code error) {
    return is_network_failure(error) || error == http::error::no_message ||
           error == http::error::truncated_body || error == http::error::truncated_head ||
           error == http::error::stream_reset;
}

// Each is asked, and now and then given up.
task<> ask_or_give_up(http::client& client) {
    auto asking = [&]() -> task<> {
        const auto done = co_await as_result(ask_one(client));
        if (!done.ok()) {
            check_failure(done.error(), is_client_failure(done.error()));
        }
    };
    if (draw(4) == 0) {
        (void)co_await move_on_after(draw_time(1s), asking());
    } else {
        co_await asking();
    }
}

task<> ask_all(http::client& client) {
    co_await with_task_group([&](task_group& group) -> task<> {
        for (int count = 0; count < 8; ++count) {
            group.spawn([&] { return ask_or_give_up(client); });
            if (draw(3) == 0) {
                co_await sleep(draw_time(500ms));
            }
        }
        co_await group.wait();
    });
}

template <typename Client>
task<> with_shared_server(Client client) {
    simulation& world = current_simulation();
    simulated_host& there = world.add_host("server", {"10.0.0.1"});
    simulated_host& here = world.add_host("client");
    world.set_link(there, here, {.latency = draw_time(10ms), .spread = draw_time(1ms)});
    tcp_listener listener = co_await on_host(there, bind_in_the_end(shared_service));
    http::serve_options options{.stop_on = {}};
    options.limits.streams = static_cast<std::uint32_t>(1 + draw(10));
    co_await with_task_group([&](task_group& group) -> task<> {
        group.spawn([&] { return http::serve(std::move(listener), say_it_again, options); });
        co_await on_host(here, client());
        group.cancel();
    });
}

constexpr http::client_options by_prior_knowledge{.environment_proxies = false,
                                                  .versions = http::http_versions::prior_knowledge};

}  // namespace

LEAT_SIMULATE("requests that share a connection each get their answer", seeds(40)) {
    co_await with_shared_server([]() -> task<> {
        http::client client(by_prior_knowledge);
        co_await ask_all(client);
        co_await ask_one(client);
        CHECK(client.idle_connections() == 1);
    });
}

LEAT_SIMULATE("shared connections over a failing network bring answers or errors, and work again after it",
              {.seeds = 40, .network = {.failures = true}}) {
    co_await with_shared_server([]() -> task<> {
        http::client client(by_prior_knowledge);
        for (int count = 0; count < 3; ++count) {
            co_await ask_all(client);
        }
        current_simulation().heal();
        client.close_idle_connections();
        co_await ask_one(client);
    });
}

}  // namespace leat::testing

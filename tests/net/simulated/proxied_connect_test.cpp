// SPDX-License-Identifier: MIT
// connect_by_proxy through an HTTP proxy to an echo, over a network that fails and heals: what comes back is
// what was sent, or there is an error.
#include "whole_program.hpp"

#include <leat/copy.hpp>
#include <leat/http/connect_by_proxy.hpp>
#include <leat/http/error.hpp>

namespace leat::testing {
namespace {

using namespace std::chrono_literals;

const endpoint proxy_service{"10.0.0.1", 3128};
const endpoint echo_service{"10.0.0.2", 7};

// Reads the head of a CONNECT, and connects its client to the echo, or says that it cannot.
task<> serve_connect(tcp_stream near) {
    auto serve = [&]() -> task<> {
        const auto head = co_await near.recv_until("\r\n\r\n", 1000);
        if (!head) {
            co_return;
        }
        CHECK(*head == "CONNECT 10.0.0.2:7 HTTP/1.1\r\nHost: 10.0.0.2:7");
        auto far = co_await as_result(tcp_stream::connect(echo_service, {.timeout = 20s}));
        if (!far.ok()) {
            co_await near.send_all("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
            co_return;
        }
        co_await near.send_all("HTTP/1.1 200 Connection established\r\n\r\n");
        co_await copy_both(near, *far);
    };
    const auto ended = co_await as_result(serve());
    (void)ended;  // either side may fail
}

// Throws what it fails with.
task<> talk_by_proxy() {
    tcp_stream proxy = co_await tcp_stream::connect(proxy_service, {.timeout = 20s});
    auto made = co_await http::connect_by_proxy(std::move(proxy), "10.0.0.2", 7);
    const std::string text = draw_text();
    co_await exchange_text(made, text);
}

bool is_proxy_failure(std::error_code error) {
    return is_network_failure(error) || error == http::error::no_message ||
           error == http::error::truncated_head || error == stream_errc::end_of_stream;
}

}  // namespace

LEAT_SIMULATE("what goes through an HTTP proxy comes back whole or with an error",
              {.seeds = 30, .network = {.failures = true}}) {
    simulation& world = current_simulation();
    simulated_host& proxy = world.add_host("proxy", {"10.0.0.1"});
    simulated_host& server = world.add_host("server", {"10.0.0.2"});
    simulated_host& here = world.add_host("client");
    world.set_link(proxy, here, {.latency = draw_time(20ms), .spread = draw_time(5ms)});
    tcp_listener proxies = co_await on_host(proxy, bind_in_the_end(proxy_service));
    tcp_listener echoes = co_await on_host(server, bind_in_the_end(echo_service));
    co_await with_task_group([&](task_group& group) -> task<> {
        group.spawn([&]() -> task<> {
            co_await on_host(proxy, serve(std::move(proxies), serve_connect, {.stop_on = {}}));
        });
        group.spawn([&]() -> task<> {
            co_await on_host(server, serve(std::move(echoes), echo_until_failure, {.stop_on = {}}));
        });
        co_await on_host(here, [&]() -> task<> {
            for (int count = 0; count < 8; ++count) {
                const auto done = co_await as_result(timeout(120s, talk_by_proxy()));
                if (!done.ok()) {
                    check_failure(done.error(), is_proxy_failure(done.error()));
                }
                co_await sleep(draw_time(5s));
            }
            world.heal();
            co_await talk_by_proxy();
        });
        group.cancel();
    });
}

}  // namespace leat::testing

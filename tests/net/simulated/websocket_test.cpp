// SPDX-License-Identifier: MIT
// WebSockets of an HTTP server over simulated TCP: every message arrives once, whole and in order, whatever
// is short, late, cancelled or fails.
#include "whole_program.hpp"

#include <leat/http.hpp>
#include <leat/websocket.hpp>

namespace leat::testing {
namespace {

using namespace std::chrono_literals;

const endpoint service{"10.0.0.1", 80};
constexpr auto compressed = websocket::compression::shared;

task<> echo_messages(websocket::socket& peer) {
    while (const auto said = co_await peer.receive()) {
        co_await peer.send(*said);
    }
}

task<http::response> answer(const http::request& asked) {
    co_return websocket::accept(asked, echo_messages, {.socket = {.compression = compressed}});
}

bool is_websocket_failure(std::error_code error) {
    return is_network_failure(error) || error == websocket::error::truncated ||
           error == stream_errc::end_of_stream;
}

// Sends while it receives, some of it cancelled in between.
task<> converse() {
    http::client client({.environment_proxies = false});
    websocket::socket peer =
        co_await websocket::connect(client, "ws://10.0.0.1/", {.socket = {.compression = compressed}});
    std::vector<std::string> texts;
    for (int count = 0; count < 6; ++count) {
        texts.push_back(std::to_string(count) + draw_text());
    }
    co_await with_task_group([&](task_group& group) -> task<> {
        group.spawn([&]() -> task<> {
            for (const std::string& text : texts) {
                co_await peer.send(std::as_bytes(std::span(text)));
            }
        });
        for (const std::string& text : texts) {
            std::optional<websocket::message> next;
            for (bool received = false; !received;) {
                const auto tried = co_await move_on_after(5ms + draw_time(40ms), peer.receive());
                if (tried.has_value()) {
                    received = true;
                    next = *tried;
                }
            }
            const bool same = next.has_value() && next->data == text;
            CHECK(same);
        }
    });
    co_await peer.close();
}

template <typename Client>
task<> with_server(Client client) {
    simulation& world = current_simulation();
    simulated_host& there = world.add_host("server", {"10.0.0.1"});
    simulated_host& here = world.add_host("client");
    world.set_link(there, here, {.latency = draw_time(10ms), .spread = draw_time(1ms)});
    tcp_listener listener = co_await on_host(there, bind_in_the_end(service));
    co_await with_task_group([&](task_group& group) -> task<> {
        group.spawn([&] { return http::serve(std::move(listener), answer, {.stop_on = {}}); });
        co_await on_host(here, client());
        group.cancel();
    });
}

}  // namespace

LEAT_SIMULATE("a WebSocket carries every message, however short and late its transfers are", seeds(60)) {
    co_await with_server([]() -> task<> { co_await gather(converse(), converse()); });
}

LEAT_SIMULATE("a WebSocket over a failing network is told as that, and works again after it",
              {.seeds = 60, .network = {.failures = true}}) {
    co_await with_server([]() -> task<> {
        for (int count = 0; count < 5; ++count) {
            const auto done = co_await as_result(converse());
            if (!done.ok()) {
                check_failure(done.error(), is_websocket_failure(done.error()));
            }
        }
        current_simulation().heal();
        co_await converse();
    });
}

}  // namespace leat::testing

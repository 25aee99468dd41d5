// SPDX-License-Identifier: MIT
// WebSockets of an HTTP server over simulated TCP: every message arrives once, whole and in order, whatever
// is short, late, cancelled or fails.
#include "whole_program.hpp"

#include <leat/framing.hpp>
#include <leat/http.hpp>
#include <leat/websocket.hpp>

#include <memory>

namespace leat::testing {
namespace {

using namespace std::chrono_literals;

const endpoint service{"10.0.0.1", 80};

task<> echo_messages(websocket::socket& peer) {
    while (const auto said = co_await peer.receive()) {
        co_await peer.send(*said);
    }
}

task<http::response> answer(const http::request& asked) {
    co_return websocket::accept(asked, echo_messages,
                                {.socket = {.compression = websocket::compression::shared}});
}

bool is_websocket_failure(std::error_code error) {
    return is_network_failure(error) || error == websocket::error::truncated ||
           error == stream_errc::end_of_stream;
}

task<std::unique_ptr<websocket::socket>> open_socket() {
    tcp_stream stream = co_await tcp_stream::connect(service);
    co_await stream.send_all(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
    for (std::string line = "head"; !line.empty();) {
        auto next = co_await recv_line(stream);
        if (!next.has_value()) {
            throw std::system_error(stream_errc::end_of_stream);
        }
        line = std::move(*next);
    }
    co_return std::make_unique<websocket::socket>(
        any_stream(std::move(stream)), websocket::role::client, websocket::socket_options{},
        websocket::socket::agreement{.deflate = websocket::detail::deflate_terms{}});
}

// Sends while it receives, some of it cancelled in between.
task<> converse() {
    const auto peer = co_await open_socket();
    std::vector<std::string> texts;
    for (int count = 0; count < 6; ++count) {
        texts.push_back(std::to_string(count) + draw_text());
    }
    co_await with_task_group([&](task_group& group) -> task<> {
        group.spawn([&]() -> task<> {
            for (const std::string& text : texts) {
                co_await peer->send(std::as_bytes(std::span(text)));
            }
        });
        for (const std::string& text : texts) {
            std::optional<websocket::message> next;
            for (bool received = false; !received;) {
                const auto tried = co_await move_on_after(5ms + draw_time(40ms), peer->receive());
                if (tried.has_value()) {
                    received = true;
                    next = *tried;
                }
            }
            const bool same = next.has_value() && next->data == text;
            CHECK(same);
        }
    });
    co_await peer->close();
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

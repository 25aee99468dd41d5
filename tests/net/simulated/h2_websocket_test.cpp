// SPDX-License-Identifier: MIT
// WebSockets over HTTP/2 over simulated TCP: every message arrives once, whole and in order, whatever is
// short, late or fails.
#include "../websocket/h2_socket.hpp"
#include "whole_program.hpp"

#include <leat/http.hpp>

namespace leat::testing {
namespace {

using namespace std::chrono_literals;

const endpoint tunnelled_service{"10.0.0.1", 80};

task<> say_back(websocket::socket& peer) {
    for (;;) {
        const auto tried = co_await move_on_after(5ms + draw_time(40ms), peer.receive());
        if (!tried) {
            continue;
        }
        if (!*tried) {
            co_return;
        }
        co_await peer.send(**tried);
    }
}

task<http::response> accept_all(const http::request& asked) {
    co_return websocket::accept(asked, say_back);
}

task<> converse_over_streams() {
    auto stream = co_await tcp_stream::connect(tunnelled_service);
    h2_peer peer(any_stream(std::move(stream)), static_cast<std::uint32_t>(1000 + draw(100'000)));
    h2_socket one(peer);
    h2_socket two(peer);
    for (int count = 0; count < 5; ++count) {
        const std::string text(draw(16) == 0 ? 200'000 : draw(5000), static_cast<char>('a' + count));
        co_await one.send(text);
        co_await two.send(text + "2");
        const auto first = co_await one.receive();
        const auto second = co_await two.receive();
        if (!first || !second) {
            throw std::system_error(stream_errc::end_of_stream, "messages over HTTP/2");
        }
        const bool same = *first == text && *second == text + "2";
        CHECK(same);
    }
    co_await one.close();
    (void)co_await one.receive();
}

template <typename Client>
task<> with_tunnelling_server(Client client) {
    simulation& world = current_simulation();
    simulated_host& there = world.add_host("server", {"10.0.0.1"});
    simulated_host& here = world.add_host("client");
    world.set_link(there, here, {.latency = draw_time(10ms), .spread = draw_time(1ms)});
    tcp_listener listener = co_await on_host(there, bind_in_the_end(tunnelled_service));
    co_await with_task_group([&](task_group& group) -> task<> {
        group.spawn([&] { return http::serve(std::move(listener), accept_all, {.stop_on = {}}); });
        co_await on_host(here, client());
        group.cancel();
    });
}

}  // namespace

LEAT_SIMULATE("WebSockets over HTTP/2 carry every message, however short and late its transfers are",
              seeds(40)) {
    co_await with_tunnelling_server(
        []() -> task<> { co_await gather(converse_over_streams(), converse_over_streams()); });
}

LEAT_SIMULATE("WebSockets over HTTP/2 over a failing network are told as that, and work again after it",
              {.seeds = 40, .network = {.failures = true}}) {
    co_await with_tunnelling_server([]() -> task<> {
        for (int count = 0; count < 5; ++count) {
            const auto done = co_await as_result(converse_over_streams());
            if (!done.ok()) {
                check_failure(done.error(),
                              is_network_failure(done.error()) || done.error() == stream_errc::end_of_stream);
            }
        }
        current_simulation().heal();
        co_await converse_over_streams();
    });
}

}  // namespace leat::testing

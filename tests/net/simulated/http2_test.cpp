// SPDX-License-Identifier: MIT
// HTTP/2 over simulated TCP: every answer is the right one or an error, whatever is short, late, reset or
// fails.
#include "../http/h2_client.hpp"
#include "whole_program.hpp"

#include <leat/http.hpp>

#include <algorithm>
#include <map>

namespace leat::testing {
namespace {

using namespace std::chrono_literals;

const endpoint multiplexed_service{"10.0.0.1", 80};

// Says what was asked, whole or in pieces with pauses.
task<> say_again(const http::request& asked, http::response_writer& writer) {
    if (draw(2) == 0) {
        writer.head().body = asked.body;
        co_return;
    }
    for (std::string_view rest = asked.body; !rest.empty();) {
        const std::string_view piece = rest.substr(0, 1 + draw(9000));
        co_await writer.write(piece);
        rest.remove_prefix(piece.size());
        if (draw(8) == 0) {
            co_await sleep(draw_time(1s));
        }
    }
}

// The same, as it comes.
task<> say_while_reading(const http::request&, http::request_body_reader& body,
                         http::response_writer& writer) {
    const bool cancels = draw(2) == 0;
    for (;;) {
        std::string_view piece;
        if (cancels) {
            const auto read = co_await move_on_after(draw_time(20ms), body.read());
            if (!read) {
                continue;
            }
            piece = *read;
        } else {
            piece = co_await body.read();
        }
        if (piece.empty()) {
            co_return;
        }
        co_await writer.write(piece);
        if (draw(8) == 0) {
            co_await sleep(draw_time(1s));
        }
    }
}

task<> ask_many() {
    auto stream = co_await tcp_stream::connect(multiplexed_service);
    h2_peer peer(any_stream(std::move(stream)), static_cast<std::uint32_t>(1000 + draw(100'000)));
    std::map<std::int32_t, std::string> bodies;
    std::vector<std::int32_t> asked;
    for (int count = 0; count < 8; ++count) {
        const std::string body = "b" + draw_text();
        const std::int32_t id = peer.ask("/", "POST", body);
        bodies[id] = body;
        if (draw(5) == 0) {
            co_await peer.flush();
            peer.reset(id);
        } else {
            asked.push_back(id);
        }
    }
    const bool all = co_await peer.finish(asked);
    if (!all) {
        throw std::system_error(stream_errc::end_of_stream, "answers of HTTP/2");
    }
    for (const std::int32_t id : asked) {
        const bool same = peer.of(id).status == 200 && peer.of(id).body == bodies[id];
        CHECK(same);
    }
}

bool is_multiplexed_failure(std::error_code error) {
    return is_network_failure(error) || error == stream_errc::end_of_stream;
}

task<> serve_either(tcp_listener listener) {
    const http::serve_options options{.stop_on = {}};
    return draw(2) == 0 ? http::serve(std::move(listener), say_again, options)
                        : http::serve(std::move(listener), say_while_reading, options);
}

template <typename Client>
task<> with_multiplexing_server(Client client) {
    simulation& world = current_simulation();
    simulated_host& there = world.add_host("server", {"10.0.0.1"});
    simulated_host& here = world.add_host("client");
    world.set_link(there, here, {.latency = draw_time(10ms), .spread = draw_time(1ms)});
    tcp_listener listener = co_await on_host(there, bind_in_the_end(multiplexed_service));
    co_await with_task_group([&](task_group& group) -> task<> {
        group.spawn([&] { return serve_either(std::move(listener)); });
        co_await on_host(here, client());
        group.cancel();
    });
}

// Asks until the server says that it stops: what was sent before that was heard is answered.
task<> ask_until_stop(event& begun) {
    auto stream = co_await tcp_stream::connect(multiplexed_service);
    h2_peer peer(any_stream(std::move(stream)));
    std::map<std::int32_t, std::string> bodies;
    const bool spoken = co_await peer.talk_until([&] { return peer.knows_settings(); });
    CHECK(spoken);
    begun.set();
    std::size_t whole = 0;
    while (!peer.goaway()) {
        const std::string body = "b" + draw_text();
        bodies[peer.ask("/", "POST", body)] = body;
        const std::size_t waited_for = whole + draw(bodies.size() - whole + 1);
        const bool goes_on = co_await peer.talk_until([&] {
            whole = static_cast<std::size_t>(
                std::ranges::count_if(bodies, [&](const auto& each) { return peer.of(each.first).whole; }));
            return whole >= waited_for || peer.goaway();
        });
        CHECK(goes_on);
    }
    co_await peer.finish_all();
    CHECK(peer.goaway() == NGHTTP2_NO_ERROR);
    for (const auto& [id, body] : bodies) {
        const bool answered = peer.of(id).whole && peer.of(id).body == body;
        CHECK(answered);
    }
}

}  // namespace

LEAT_SIMULATE("a stop of an HTTP/2 server loses no request", seeds(40)) {
    simulation& world = current_simulation();
    simulated_host& there = world.add_host("server", {"10.0.0.1"});
    simulated_host& here = world.add_host("client");
    world.set_link(there, here, {.latency = draw_time(10ms), .spread = draw_time(1ms)});
    tcp_listener listener = co_await on_host(there, bind_in_the_end(multiplexed_service));
    event begun;
    event stop;
    co_await with_task_group([&](task_group& group) -> task<> {
        group.spawn([&] {
            return http::serve(std::move(listener), say_again, {.grace = 1h, .stop_on = {}, .stop = &stop});
        });
        group.spawn([&] { return on_host(here, ask_until_stop(begun)); });
        co_await begun.wait();
        co_await sleep(draw_time(50ms));
        stop.set();
    });
}

LEAT_SIMULATE("HTTP/2 brings every answer, however short and late its transfers are", seeds(40)) {
    co_await with_multiplexing_server([]() -> task<> { co_await gather(ask_many(), ask_many()); });
}

LEAT_SIMULATE("HTTP/2 over a failing network brings answers or errors, and works again after it",
              {.seeds = 40, .network = {.failures = true}}) {
    co_await with_multiplexing_server([]() -> task<> {
        for (int count = 0; count < 5; ++count) {
            const auto done = co_await as_result(ask_many());
            if (!done.ok()) {
                check_failure(done.error(), is_multiplexed_failure(done.error()));
            }
        }
        current_simulation().heal();
        co_await ask_many();
    });
}

}  // namespace leat::testing

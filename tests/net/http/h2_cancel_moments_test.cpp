// SPDX-License-Identifier: MIT
// HTTP/2 connections, and single answers of one, cancelled in each turn: what a client gets is whole frames,
// and an answer that ends is the right one.
#include "h2_client.hpp"
#include "serving.hpp"

#include <leat/testing/doctest.hpp>

using leat::http::request;
using leat::http::request_body_reader;
using leat::http::response;
using leat::http::response_writer;
using leat::testing::h2_peer;

namespace {

const std::string long_body(150'000, 'l');

leat::task<> wait_turns(int turns) {
    for (int turn = 0; turn < turns; ++turn) {
        co_await leat::yield();
    }
}

leat::task<> write_slowly(const request& asked, response_writer& writer) {
    if (asked.target == "/whole") {
        co_await wait_turns(3);
        writer.head().body = long_body;
        co_return;
    }
    for (std::size_t at = 0; at < long_body.size(); at += 30'000) {
        co_await writer.write(std::string_view(long_body).substr(at, 30'000));
        co_await leat::yield();
    }
}

leat::task<> write_what_comes(const request&, request_body_reader& body, response_writer& writer) {
    co_await body.copy_to(writer);
}

leat::task<response> echo_what_comes(const request&) {
    response made;
    made.status = 101;
    made.upgraded = [](leat::any_stream& peer) -> leat::task<> {
        while (const leat::chunk some = co_await peer.recv_chunk()) {
            co_await peer.send_all(some);
        }
    };
    co_return made;
}

// Cancels a server in one turn after the other, whose client sends a body on each of three streams and gets
// it back.
template <typename Handler, typename Begin>
leat::task<> cancel_echoes(Handler handler, Begin begin) {
    for (int turns = 0; turns < 40; ++turns) {
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        const leat::endpoint where = listener.local_endpoint();
        auto server = leat::spawn(leat::http::serve(std::move(listener), handler, leat::testing::unattended));
        auto stream = co_await leat::tcp_stream::connect(where);
        h2_peer peer{leat::any_stream(std::move(stream))};
        std::vector<std::int32_t> asked;
        for (int count = 0; count < 3; ++count) {
            asked.push_back(begin(peer));
            peer.add_body(asked.back(), long_body);
            peer.end_body(asked.back());
        }
        auto talking = leat::spawn(peer.finish(asked));
        co_await wait_turns(turns);
        server.cancel();
        co_await server.join();
        const auto& ended = co_await talking.join();
        (void)ended;
        for (const auto id : asked) {
            CHECK(long_body.starts_with(peer.of(id).body));
            CHECK((!peer.of(id).whole || peer.of(id).body == long_body));
        }
    }
}

}  // namespace

LEAT_TEST("an HTTP/2 server that is cancelled in any turn while its handlers read breaks nothing") {
    co_await cancel_echoes(write_what_comes, [](h2_peer& peer) { return peer.begin("/", ""); });
}

LEAT_TEST("an HTTP/2 server that is cancelled in any turn while another protocol is spoken breaks nothing") {
    co_await cancel_echoes(echo_what_comes, [](h2_peer& peer) { return peer.connect("/", "lines"); });
}

LEAT_TEST("an HTTP/2 server that is cancelled in any turn sends no half of a frame") {
    for (int turns = 0; turns < 40; ++turns) {
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        const leat::endpoint where = listener.local_endpoint();
        auto server =
            leat::spawn(leat::http::serve(std::move(listener), write_slowly, leat::testing::unattended));
        auto stream = co_await leat::tcp_stream::connect(where);
        h2_peer peer{leat::any_stream(std::move(stream))};
        const std::vector asked{peer.ask("/whole"), peer.ask("/pieces"), peer.ask("/", "POST", long_body)};
        auto talking = leat::spawn(peer.finish(asked));
        co_await wait_turns(turns);
        server.cancel();
        co_await server.join();
        const auto& ended = co_await talking.join();
        (void)ended;
        for (const auto id : asked) {
            CHECK((!peer.of(id).whole || peer.of(id).body == long_body));
        }
    }
}

LEAT_TEST("an answer that is cancelled in any turn is cut off, and the others go on") {
    for (int turns = 0; turns < 30; ++turns) {
        bool finished = false;
        const auto handler = [&](const request& asked, response_writer& writer) -> leat::task<> {
            if (asked.target == "/good") {
                co_await writer.write(long_body);
                co_return;
            }
            const auto [wrote, waited] = co_await leat::race(
                [&]() -> leat::task<bool> {
                    co_await writer.write(long_body);
                    co_return true;
                },
                [&]() -> leat::task<bool> {
                    co_await wait_turns(turns);
                    co_return true;
                });
            finished = wrote.has_value();
        };
        co_await leat::testing::serving(handler, leat::testing::unattended,
                                        [&](leat::endpoint where) -> leat::task<> {
                                            auto stream = co_await leat::tcp_stream::connect(where);
                                            h2_peer peer(leat::any_stream(std::move(stream)), 40'000);
                                            const auto bad = peer.ask("/bad");
                                            const auto good = peer.ask("/good");
                                            const bool all = co_await peer.finish({bad, good});
                                            CHECK(all);
                                            CHECK(peer.of(good).body == long_body);
                                            if (finished) {
                                                CHECK(peer.of(bad).body == long_body);
                                            } else if (peer.of(bad).whole) {
                                                CHECK(peer.of(bad).body.empty());  // nothing had begun
                                            } else {
                                                CHECK(peer.of(bad).reset == NGHTTP2_INTERNAL_ERROR);
                                            }
                                        });
    }
}

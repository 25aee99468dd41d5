// SPDX-License-Identifier: MIT
// The HTTP server as clients of HTTP/2 see it.
#include "h2_client.hpp"
#include "serving.hpp"

#include <leat/testing/doctest.hpp>

using namespace std::chrono_literals;
using leat::http::request;
using leat::http::response;
using leat::http::response_writer;
using leat::testing::answers_to;
using leat::testing::get;
using leat::testing::h2_fields;
using leat::testing::h2_frame;
using leat::testing::h2_peer;
using leat::testing::h2_preface;
using leat::testing::ok;
using leat::testing::said;
using leat::testing::serving;
using leat::testing::unattended;

namespace {

leat::task<leat::any_stream> dial(leat::endpoint where) {
    leat::tcp_stream made = co_await leat::tcp_stream::connect(where);
    co_return leat::any_stream(std::move(made));
}

leat::task<response> repeat(const request& asked) {
    response made;
    made.body = asked.target + " " + asked.body;
    co_return made;
}

}  // namespace

LEAT_TEST("many requests of one HTTP/2 connection are answered at once, and HTTP/1 at the same place") {
    co_await serving(repeat, unattended, [](leat::endpoint where) -> leat::task<> {
        h2_peer peer(co_await dial(where));
        std::vector<std::int32_t> asked;
        for (int i = 0; i < 90; ++i) {
            asked.push_back(peer.ask("/" + std::to_string(i), "POST", std::string(1000, 'b')));
        }
        const bool all = co_await peer.finish(asked);
        CHECK(all);
        for (int i = 0; i < 90; ++i) {
            CHECK(peer.of(asked[static_cast<std::size_t>(i)]).body ==
                  "/" + std::to_string(i) + " " + std::string(1000, 'b'));
        }
        const std::string old = co_await answers_to(where, get("/old"));
        CHECK(old == ok("/old "));
    });
}

LEAT_TEST("HTTP/2 begins however its first bytes are cut") {
    co_await serving(repeat, unattended, [](leat::endpoint where) -> leat::task<> {
        h2_peer peer(co_await dial(where));
        const auto asked = peer.ask("/slowly");
        const std::string bytes = peer.take_out();
        for (const char each : bytes) {
            co_await peer.stream().send_all(std::string_view(&each, 1));
            co_await leat::yield();
        }
        const bool all = co_await peer.finish(asked);
        CHECK(all);
        CHECK(peer.of(asked).body == "/slowly ");
        const std::string half = co_await answers_to(where, "PR");
        CHECK(half.empty());
        const std::string other = co_await answers_to(where, "PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(other == ok("/ "));
    });
}

LEAT_TEST("a server that is told to speaks no HTTP/2") {
    leat::http::serve_options options = unattended;
    options.limits.http2 = false;
    co_await serving(repeat, options, [](leat::endpoint where) -> leat::task<> {
        const std::string refused = co_await answers_to(where, std::string(h2_preface));
        CHECK(refused.starts_with("HTTP/1.1 505 "));
    });
}

LEAT_TEST("a slow handler holds up no other request of its connection") {
    leat::event go_on;
    const auto handler = [&](const request& asked) -> leat::task<response> {
        if (asked.target == "/slow") {
            co_await go_on.wait();
        }
        response made;
        made.body = asked.target;
        co_return made;
    };
    co_await serving(handler, unattended, [&](leat::endpoint where) -> leat::task<> {
        h2_peer peer(co_await dial(where));
        const auto slow = peer.ask("/slow");
        const auto fast = peer.ask("/fast");
        const bool first = co_await peer.finish(fast);
        CHECK(first);
        CHECK(!peer.of(slow).whole);
        go_on.set();
        const bool second = co_await peer.finish(slow);
        CHECK(second);
        CHECK(peer.of(slow).body == "/slow");
    });
}

LEAT_TEST("a body that is written in pieces arrives as its client takes it") {
    std::size_t written = 0;
    const auto handler = [&](const request& asked, response_writer& writer) -> leat::task<> {
        if (asked.target == "/counted") {
            writer.head().headers.add("Content-Length", "200000");
        }
        for (int i = 0; i < 20; ++i) {
            co_await writer.write(std::string(10'000, static_cast<char>('a' + i)));
            written += 10'000;
        }
    };
    co_await serving(handler, unattended, [&](leat::endpoint where) -> leat::task<> {
        h2_peer peer(co_await dial(where), 5000);
        std::string expected;
        for (int i = 0; i < 20; ++i) {
            expected.append(10'000, static_cast<char>('a' + i));
        }
        for (const std::string_view target : {"/", "/counted"}) {
            const auto asked = peer.ask(target);
            const bool all = co_await peer.finish(asked);
            CHECK(all);
            CHECK(peer.of(asked).body == expected);
            CHECK(peer.of(asked).fields.contains("content-length") == (target == "/counted"));
        }
        const auto head = peer.ask("/counted", "HEAD");
        const bool all = co_await peer.finish(head);
        CHECK(all);
        CHECK(peer.of(head).fields.get("content-length") == "200000");
        CHECK(peer.of(head).body.empty());
        CHECK(written == 600'000);
    });
}

LEAT_TEST("a handler that waits for its client's window hears when the client resets the stream") {
    std::string ended;
    const auto handler = [&](const request& asked, response_writer& writer) -> leat::task<> {
        if (asked.target != "/endless") {
            writer.head().body = ended;
            co_return;
        }
        const auto sent = co_await leat::as_result(writer.write(std::string(100'000, 'x')));
        const auto again = co_await leat::as_result(writer.write("x"));
        ended = sent.error() == std::errc::connection_reset && again.error() == sent.error() ? "reset" : "?";
    };
    co_await serving(handler, unattended, [&](leat::endpoint where) -> leat::task<> {
        h2_peer peer(co_await dial(where), 0);
        const auto endless = peer.ask("/endless");
        const bool begun = co_await peer.talk_until([&] { return peer.of(endless).status == 200; });
        CHECK(begun);
        peer.reset(endless);
        nghttp2_submit_settings(peer.native(), NGHTTP2_FLAG_NONE, nullptr, 0);
        const nghttp2_settings_entry window[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1000}};
        nghttp2_submit_settings(peer.native(), NGHTTP2_FLAG_NONE, window, 1);
        const auto after = peer.ask("/");
        const bool all = co_await peer.finish(after);
        CHECK(all);
        CHECK(peer.of(after).body == "reset");
    });
}

LEAT_TEST("a handler sees that its client has reset the stream, and whose connection it is on") {
    std::string facts;
    leat::event begun;
    leat::event seen;
    const auto handler = [&](const request& asked) -> leat::task<response> {
        facts = asked.connection->remote_endpoint()->to_string();
        begun.set();
        co_await asked.connection->gone();
        seen.set();
        co_return response{};
    };
    co_await serving(handler, unattended, [&](leat::endpoint where) -> leat::task<> {
        auto stream = co_await leat::tcp_stream::connect(where);
        const std::string here = stream.local_endpoint().to_string();
        h2_peer peer{leat::any_stream(std::move(stream))};
        const auto asked = peer.ask("/");
        co_await peer.flush();
        co_await begun.wait();
        peer.reset(asked);
        co_await peer.flush();
        co_await seen.wait();
        CHECK(facts == here);
        seen.reset();
        begun.reset();
        peer.ask("/");
        co_await peer.flush();
        co_await begun.wait();
        peer.stream().close();
        co_await seen.wait();
    });
}

namespace {

leat::task<> fail_somewhere(const request& asked, response_writer& writer) {
    if (asked.target == "/midway") {
        co_await writer.write("some");
    }
    if (asked.target == "/short") {
        writer.head().headers.add("Content-Length", "10");
        co_await writer.write("nine byte");
        co_return;
    }
    if (asked.target == "/upgrade") {
        writer.head().status = 101;
        co_return;
    }
    throw std::runtime_error("broken");
}

}  // namespace

LEAT_TEST("a handler of HTTP/2 that fails is a 500 and a line of the report, or cuts its answer off") {
    said.clear();
    leat::http::serve_options options = unattended;
    options.on_error = [](std::exception_ptr error, std::optional<leat::endpoint> peer) {
        CHECK(peer.has_value());
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& known) {
            said.emplace_back(known.what());
        }
    };
    co_await serving(fail_somewhere, options, [](leat::endpoint where) -> leat::task<> {
        h2_peer peer(co_await dial(where));
        const auto plain = peer.ask("/");
        const auto midway = peer.ask("/midway");
        const auto too_short = peer.ask("/short");
        const auto upgrade = peer.ask("/upgrade");
        const bool all = co_await peer.finish({plain, midway, too_short, upgrade});
        CHECK(all);
        CHECK(peer.of(plain).status == 500);
        CHECK(peer.of(plain).body == "Internal Server Error\n");
        CHECK(peer.of(midway).reset == NGHTTP2_INTERNAL_ERROR);
        CHECK(peer.of(too_short).reset == NGHTTP2_INTERNAL_ERROR);
        CHECK(peer.of(upgrade).status == 500);
        CHECK(said.size() == 4);
    });
}

LEAT_TEST("a stop lets the requests of an HTTP/2 connection end, and takes no more") {
    leat::event begun;
    leat::event go_on;
    const auto handler = [&](const request& asked) -> leat::task<response> {
        begun.set();
        co_await go_on.wait();
        response made;
        made.body = asked.target;
        co_return made;
    };
    leat::event stop;
    leat::http::serve_options options{.grace = 1h, .stop_on = {}, .stop = &stop};
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    auto server = leat::spawn(leat::http::serve(std::move(listener), handler, options));
    h2_peer idle(co_await dial(where));
    const bool spoken = co_await idle.talk_until([&] { return idle.knows_settings(); });
    CHECK(spoken);
    h2_peer peer(co_await dial(where));
    const auto before = peer.ask("/before");
    co_await peer.flush();
    co_await begun.wait();
    stop.set();
    const bool told = co_await peer.talk_until([&] { return peer.last_stream() == before; });
    CHECK(told);
    CHECK(peer.goaway() == NGHTTP2_NO_ERROR);
    co_await idle.finish_all();
    CHECK(idle.goaway() == NGHTTP2_NO_ERROR);
    go_on.set();
    const bool answered = co_await peer.finish(before);
    CHECK(answered);
    CHECK(peer.of(before).body == "/before");
    co_await peer.finish_all();
    idle.stream().close();
    peer.stream().close();
    co_await server;
}

LEAT_TEST("an HTTP/2 connection ends behind as many requests as it may have") {
    leat::http::serve_options options = unattended;
    options.limits.requests = 3;
    co_await serving(repeat, options, [](leat::endpoint where) -> leat::task<> {
        h2_peer peer(co_await dial(where));
        for (int i = 0; i < 3; ++i) {
            const auto asked = peer.ask("/");
            const bool answered = co_await peer.finish(asked);
            CHECK(answered);
            CHECK(peer.of(asked).body == "/ ");
        }
        co_await peer.finish_all();
        CHECK(peer.goaway() == NGHTTP2_NO_ERROR);
    });
}

LEAT_TEST("an HTTP/2 connection without a request ends in time, pings or not", on(leat::testing::simulated)) {
    leat::http::serve_options options = unattended;
    options.limits.idle = 10s;
    co_await serving(repeat, options, [](leat::endpoint where) -> leat::task<> {
        h2_peer peer(co_await dial(where));
        const auto asked = peer.ask("/");
        const bool all = co_await peer.finish(asked);
        CHECK(all);
        const leat::time_point begin = leat::now();
        auto pings = leat::spawn([&]() -> leat::task<> {
            for (;;) {
                co_await leat::sleep(3s);
                nghttp2_submit_ping(peer.native(), NGHTTP2_FLAG_NONE, nullptr);
                co_await peer.flush();
            }
        });
        co_await peer.finish_all();
        pings.cancel();
        co_await pings.join();
        CHECK(peer.goaway() == NGHTTP2_NO_ERROR);
        CHECK(leat::now() - begin >= 10s);
        CHECK(leat::now() - begin < 13s);
    });
}

LEAT_TEST("an HTTP/2 client that is slow with a head, or takes nothing, is cut off",
          on(leat::testing::simulated)) {
    const auto handler = [](const request& asked) -> leat::task<response> {
        response made;
        made.body.assign(asked.target == "/large" ? 10'000'000 : 1, 'b');
        co_return made;
    };
    co_await serving(handler, unattended, [](leat::endpoint where) -> leat::task<> {
        const leat::time_point begin = leat::now();
        h2_peer slow(co_await dial(where));
        const bool spoken = co_await slow.talk_until([&] { return slow.knows_settings(); });
        CHECK(spoken);
        co_await slow.flush();
        const std::string head = h2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, h2_fields({}));
        co_await slow.stream().send_all(head);
        const std::string words = co_await leat::testing::rest_of(slow.stream());
        slow.receive(words);
        CHECK(slow.goaway() == NGHTTP2_ENHANCE_YOUR_CALM);
        CHECK(leat::now() - begin >= 10s);
        CHECK(leat::now() - begin < 12s);
        h2_peer deaf(co_await dial(where), 100'000'000);
        nghttp2_session_set_local_window_size(deaf.native(), NGHTTP2_FLAG_NONE, 0, 100'000'000);
        deaf.ask("/large");
        co_await deaf.flush();
        co_await leat::sleep(200s);
        const auto sent = co_await leat::as_result(deaf.talk_until([] { return false; }));
        CHECK(sent.error() == std::errc::connection_reset);
    });
}

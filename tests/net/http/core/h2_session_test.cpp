// SPDX-License-Identifier: MIT
// One HTTP/2 connection without I/O, talking to nghttp2's client in memory.
#include "h2_server.hpp"

#include <leat/testing/doctest.hpp>

#include "../h2_client.hpp"

#include <functional>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using leat::http::response;
using leat::http::detail::h2_stream;
using leat::testing::h2_answer;
using leat::testing::h2_client;
using leat::testing::h2_server;

namespace {

response say_what_was_asked(const leat::http::request& asked) {
    response made;
    made.body = asked.method + " " + asked.target + "\n" + std::string(asked.headers.wire()) + asked.body;
    return made;
}

// Lets both talk until neither has more to say.
void talk(h2_client& client, h2_server& server,
          const std::function<response(const leat::http::request&)>& answer = say_what_was_asked) {
    for (;;) {
        const std::string asked = client.take_out();
        if (!asked.empty()) {
            server.receive(asked);
        }
        server.answer_all(answer);
        const std::string said = server.take_out();
        if (!said.empty()) {
            client.receive(said);
        } else if (asked.empty()) {
            return;
        }
    }
}

}  // namespace

LEAT_TEST("an HTTP/2 request is that of any other version", on(leat::testing::simulated)) {
    h2_client client;
    h2_server server;
    const auto get = client.ask("/a?b=c", "GET", {}, {{"x-mine", "1"}, {"cookie", "a=1"}, {"cookie", "b=2"}});
    const auto post = client.ask("/p", "POST", std::string(100'000, 'p'));
    const auto options = client.ask("*", "OPTIONS");
    talk(client, server);
    CHECK(client.of(get).body == "GET /a?b=c\nHost: a\r\nx-mine: 1\r\nCookie: a=1; b=2\r\n");
    CHECK(client.of(post).body == "POST /p\nHost: a\r\n" + std::string(100'000, 'p'));
    CHECK(client.of(options).body == "OPTIONS *\nHost: a\r\n");
    CHECK(client.of(get).status == 200);
    CHECK(server.session.idle());
    CHECK(!client.goaway());
    co_return;
}

LEAT_TEST("a head that comes in many frames is read however they are cut", on(leat::testing::simulated)) {
    using leat::testing::h2_frame;
    const std::string block = leat::testing::h2_fields({{"x", "y"}});
    std::string bytes(leat::testing::h2_preface);
    bytes += h2_frame(NGHTTP2_SETTINGS, 0, 0);
    bytes += h2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, block.substr(0, 10));
    for (int at = 10; at < 17; ++at) {
        bytes += h2_frame(NGHTTP2_CONTINUATION, 0, 1, block.substr(static_cast<std::size_t>(at), 1));
    }
    bytes += h2_frame(NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1, block.substr(17));
    for (const std::size_t step : {bytes.size(), std::size_t(1), std::size_t(7)}) {
        h2_server server;
        for (std::size_t at = 0; at < bytes.size(); at += step) {
            server.receive(std::string_view(bytes).substr(at, step));
        }
        h2_stream* next = server.session.take_request();
        REQUIRE(next != nullptr);
        CHECK(next->asked.headers.wire() == "Host: a\r\nx: y\r\n");
        server.session.handler_ended(*next);
    }
    co_return;
}

LEAT_TEST("an HTTP/2 answer has the fields that it needs, and none of a connection",
          on(leat::testing::simulated)) {
    h2_client client;
    h2_server server;
    const auto given = [](const leat::http::request& asked) {
        response made;
        made.status = asked.target == "/204" ? 204 : asked.target == "/304" ? 304 : 200;
        made.headers = {{"Connection", "X-Other"},
                        {"Keep-Alive", "1"},
                        {"Transfer-Encoding", "chunked"},
                        {"Upgrade", "h3"},
                        {"Content-Type", "text/plain"}};
        made.body = "body";
        return made;
    };
    const auto get = client.ask("/");
    const auto head = client.ask("/", "HEAD");
    const auto empty = client.ask("/204");
    const auto same = client.ask("/304");
    talk(client, server, given);
    for (const auto id : {get, head, empty, same}) {
        h2_answer& answer = client.of(id);
        CHECK(answer.whole);
        CHECK(answer.fields.contains("date"));
        const std::string names = answer.fields.contains("content-length") ? "length" : "none";
        CHECK(names == (id == get || id == head ? "length" : "none"));
        CHECK(answer.fields.get("content-type") == "text/plain");
        CHECK(answer.fields.size() == (names == "length" ? 3 : 2));
        CHECK(answer.body == (id == get ? "body" : ""));
    }
    CHECK(client.of(head).fields.get("content-length") == "4");
    co_return;
}

LEAT_TEST("HTTP/2 requests that cannot be are answered by the server", on(leat::testing::simulated)) {
    leat::http::server_limits limits;
    limits.header_bytes = 2000;
    limits.body_bytes = 10;
    h2_client client;
    h2_server server(limits);
    const std::string long_value(1900, 'x');
    const std::vector<std::pair<std::int32_t, int>> all{
        {client.ask("/", "GET", {}, {{"x", long_value}}), 431},
        {client.ask("/", "POST", "eleven byte"), 413},
        {client.ask("/", "POST", "ten bytes!"), 200},
        {client.ask("/", "BREW"), 501},
        {client.ask("/a#b"), 400},
        {client.ask("/", "GET", {}, {{"host", "b"}}), 400},
        {client.ask("/", "GET", {}, {{"host", "A"}}), 200},
    };
    talk(client, server);
    for (const auto& [id, status] : all) {
        CHECK_MESSAGE(client.of(id).status == status, client.of(id).body);
        CHECK(client.of(id).whole);
    }
    CHECK(!client.goaway());
    CHECK(server.session.idle());
    co_return;
}

LEAT_TEST("the path of an HTTP/2 request names no other host", on(leat::testing::simulated)) {
    std::string fields = leat::testing::h2_fields({}, "GET", "http://b/");
    fields.replace(fields.find("http"), 4, "coap");  // its scheme
    h2_server server;
    server.receive(std::string(leat::testing::h2_preface) + leat::testing::h2_frame(NGHTTP2_SETTINGS, 0, 0) +
                   leat::testing::h2_frame(NGHTTP2_HEADERS,
                                           NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, 1, fields));
    CHECK(server.session.take_request() == nullptr);
    const std::string said = server.take_out();
    CHECK(said.ends_with("Bad Request\n"));
    co_return;
}

LEAT_TEST("a client that waits for 100 Continue is told to go on, once", on(leat::testing::simulated)) {
    h2_client client;
    h2_server server;
    const auto post = client.ask("/", "POST", "body", {{"expect", "100-continue"}});
    const auto get = client.ask("/", "GET", {}, {{"expect", "100-continue"}});
    talk(client, server);
    CHECK(client.of(post).interim == std::vector{100});
    CHECK(client.of(post).status == 200);
    CHECK(client.of(get).interim.empty());
    const auto too_long = client.ask("/", "POST", std::string(1'048'577, 'x'),
                                     {{"expect", "100-continue"}, {"content-length", "1048577"}});
    talk(client, server);
    CHECK(client.of(too_long).interim.empty());
    CHECK(client.of(too_long).status == 413);
    co_return;
}

LEAT_TEST("requests beyond the limit are refused, also while those that were reset are handled",
          on(leat::testing::simulated)) {
    leat::http::server_limits limits;
    limits.streams = 3;
    h2_client client;
    h2_server server(limits);
    client.receive(server.take_out());
    std::vector<h2_stream*> handled;
    std::vector<std::int32_t> asked;
    const auto pass = [&] {
        server.receive(client.take_out());
        while (h2_stream* next = server.session.take_request()) {
            handled.push_back(next);
        }
        client.receive(server.take_out());
    };
    for (int i = 0; i < 3; ++i) {
        asked.push_back(client.ask("/"));
    }
    pass();
    REQUIRE(handled.size() == 3);
    client.reset(asked[0]);
    pass();
    CHECK(!handled[0]->open);
    const auto more = client.ask("/");
    pass();
    CHECK(client.of(more).reset == NGHTTP2_REFUSED_STREAM);
    CHECK((server.session.head_since() == leat::never));  // its head is not waited for
    server.session.handler_ended(*handled[0]);
    const auto another = client.ask("/");
    pass();
    CHECK(!client.of(another).reset);
    REQUIRE(handled.size() == 4);
    for (h2_stream* each : {handled[1], handled[2], handled[3]}) {
        response made;
        server.session.answer(*each, made, server.now);
        server.session.handler_ended(*each);
    }
    pass();
    CHECK(client.of(another).status == 200);
    CHECK(server.session.idle());
    co_return;
}

LEAT_TEST("answers take turns, and none is sent beyond its client's window", on(leat::testing::simulated)) {
    h2_client client(20'000);
    h2_server server;
    const auto one = client.ask("/1");
    const auto two = client.ask("/2");
    server.receive(client.take_out());
    server.answer_all([](const leat::http::request&) {
        response made;
        made.body.assign(50'000, 'b');
        return made;
    });
    client.receive(server.take_out());
    CHECK(client.of(one).body.size() == 20'000);
    CHECK(client.of(two).body.size() == 20'000);
    talk(client, server);
    CHECK(client.of(one).body == std::string(50'000, 'b'));
    CHECK(client.of(two).whole);
    co_return;
}

LEAT_TEST("a body that is given in pieces ends when it is said, or is cut off",
          on(leat::testing::simulated)) {
    h2_client client;
    h2_server server;
    const auto whole = client.ask("/");
    const auto cut = client.ask("/");
    server.receive(client.take_out());
    h2_stream* first = server.session.take_request();
    h2_stream* second = server.session.take_request();
    response head;
    head.headers.add("Content-Length", "6");
    CHECK(server.session.begin(*first, head) == 6);
    CHECK(server.session.begin(*second, response{}) == std::nullopt);
    for (h2_stream* each : {first, second}) {
        server.session.give(*each, "one", server.now);
    }
    client.receive(server.take_out());
    CHECK(first->pending.empty());
    CHECK(client.of(whole).body == "one");
    server.session.give(*first, "two", server.now);
    server.session.finish(*first, server.now);
    server.session.handler_ended(*first);
    server.session.fail(*second, 500);
    server.session.handler_ended(*second);
    client.receive(server.take_out());
    CHECK(client.of(whole).body == "onetwo");
    CHECK(client.of(whole).whole);
    CHECK(client.of(cut).reset == NGHTTP2_INTERNAL_ERROR);
    CHECK(server.session.idle());
    co_return;
}

LEAT_TEST("bodies of requests wait for their turn when they are many and long",
          on(leat::testing::simulated)) {
    h2_client client;
    h2_server server;
    std::vector<std::int32_t> asked;
    for (int i = 0; i < 20; ++i) {
        asked.push_back(client.ask("/", "POST", std::string(900'000, 'b')));
    }
    std::size_t held = 0;
    const auto size = [&](const leat::http::request& request) {
        held = request.body.size();
        response made;
        made.body = std::to_string(held);
        return made;
    };
    talk(client, server, size);
    for (const auto id : asked) {
        CHECK(client.of(id).body == "900000");
    }
    co_return;
}

LEAT_TEST("bodies that do not get on are late, and answers for which there is no window",
          on(leat::testing::simulated)) {
    h2_client client(10);
    h2_server server;
    const auto late = client.begin("/late", "some");
    const auto other = client.begin("/other", "some");
    const auto blocked = client.ask("/blocked");
    const auto send = [&] {
        server.receive(client.take_out());
        server.answer_all(say_what_was_asked);
        client.receive(server.take_out());
    };
    send();
    server.now += 29s;
    CHECK(server.session.end_late(server.now) == server.now + 1s);
    client.end_body(other);
    send();
    server.now += 1s;
    CHECK(server.session.end_late(server.now) > server.now);
    server.now += 60s;
    (void)server.session.end_late(server.now);
    nghttp2_submit_window_update(client.native(), NGHTTP2_FLAG_NONE, late, 1000);
    send();
    CHECK(client.of(late).status == 408);
    CHECK(client.of(blocked).reset == NGHTTP2_CANCEL);
    CHECK(!client.of(blocked).whole);
    co_return;
}

LEAT_TEST("a client that sends no more gets the answers to what is whole", on(leat::testing::simulated)) {
    h2_client client(10);
    h2_server server;
    const auto whole = client.ask("/");
    const auto half = client.begin("/", "half");
    server.receive(client.take_out());
    server.session.end_of_input();
    h2_stream* next = server.session.take_request();
    REQUIRE(next != nullptr);
    CHECK(next->client_ended);
    response made;
    made.body = std::string(20, 'b');
    server.session.answer(*next, made, server.now);
    server.session.handler_ended(*next);
    CHECK(server.session.take_request() == nullptr);
    client.receive(server.take_out());
    CHECK(client.of(whole).body == std::string(10, 'b'));
    CHECK(client.of(half).status == 0);
    server.session.drop_blocked();
    CHECK(server.session.idle());
    co_return;
}

LEAT_TEST("a body that is coming is held up by others that come, and by none that a handler has",
          on(leat::testing::simulated)) {
    const std::string large(1'000'000, 'b');
    h2_client client;
    h2_server server;
    const auto exchange = [&] {
        std::vector<h2_stream*> taken;
        for (std::string asked = client.take_out(); !asked.empty(); asked = client.take_out()) {
            server.receive(asked);
            while (h2_stream* const next = server.session.take_request()) {
                taken.push_back(next);
            }
            client.receive(server.take_out());
        }
        return taken;
    };
    for (int i = 0; i < 5; ++i) {
        (void)client.ask("/", "POST", large);
    }
    std::vector<h2_stream*> handled = exchange();
    CHECK(handled.size() == 5);
    const auto oldest = client.begin("/", large);
    const auto next = client.ask("/", "POST", large);
    const auto with_handler = exchange();
    CHECK(with_handler.size() == 1);
    CHECK(client.unsent(oldest) == 0);
    CHECK(client.unsent(next) == 0);
    handled.insert(handled.end(), with_handler.begin(), with_handler.end());

    for (int i = 0; i < 3; ++i) {
        (void)client.begin("/", large);
    }
    const auto last = client.ask("/", "POST", large);
    const auto none = exchange();
    CHECK(none.empty());
    CHECK(client.unsent(last) > 0);
    client.end_body(oldest);
    const auto freed = exchange();
    CHECK(freed.size() == 2);
    CHECK(client.unsent(last) == 0);
    handled.insert(handled.end(), freed.begin(), freed.end());
    server.session.lose();
    for (h2_stream* const each : handled) {
        server.session.handler_ended(*each);
    }
    co_return;
}

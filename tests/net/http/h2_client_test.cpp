// SPDX-License-Identifier: MIT
// http::client over HTTP/2, against leat's own server by prior knowledge: one connection for all requests to
// an origin, bodies both ways, and what becomes of requests that are given up.
#include "serving.hpp"
#include "timings_order.hpp"

#include <leat/http.hpp>
#include <leat/testing/doctest.hpp>

#include "../../support/http_origin.hpp"

#include <algorithm>
#include <map>
#include <set>

using namespace std::chrono_literals;
using leat::http::fetched;
using leat::http::request;
using leat::http::request_body;
using leat::http::response;
using leat::http::response_stream;
using leat::http::response_writer;
using leat::testing::serving;
using leat::testing::simulated;
using leat::testing::unattended;
using support::error_of;

namespace {

constexpr leat::http::client_options over_http2{.environment_proxies = false,
                                                .versions = leat::http::http_versions::prior_knowledge};

std::string url_at(leat::endpoint where, std::string_view path) {
    return "http://" + where.to_string() + std::string(path);
}

// Answers with what was asked, and notes the connections that requests come on.
struct echo_server {
    std::set<std::string> clients;
    std::map<std::string, std::string> fields;

    leat::task<response> operator()(const request& asked) {
        clients.insert(asked.connection->remote_endpoint()->to_string());
        for (const auto field : asked.headers) {
            fields[std::string(field.name)] = field.value;
        }
        response made;
        made.headers.add("X-Method", asked.method);
        made.headers.add("X-Target", asked.target);
        made.body = asked.target == "/big" ? std::string(3'000'000, 'b') : asked.body;
        co_return made;
    }
};

leat::task<> with_echo(std::function<leat::task<>(leat::endpoint, echo_server&)> body) {
    echo_server server;
    co_await serving([&server](const request& asked) { return server(asked); }, unattended,
                     [&](leat::endpoint where) { return body(where, server); });
}

}  // namespace

LEAT_TEST("all requests of one origin share one connection of HTTP/2") {
    co_await with_echo([](leat::endpoint where, echo_server& server) -> leat::task<> {
        leat::http::client client(over_http2);
        const fetched first = co_await client.get(url_at(where, "/first"));
        CHECK(first.status == 200);
        CHECK(first.version == leat::http::version::http_2);
        CHECK(first.headers.get("X-Target") == "/first");
        CHECK(client.idle_connections() == 1);
        std::vector<leat::handle<fetched>> asked;
        for (int number = 0; number < 50; ++number) {
            asked.push_back(leat::spawn(client.get(url_at(where, "/" + std::to_string(number)))));
        }
        for (int number = 0; number < 50; ++number) {
            const fetched page = co_await asked[static_cast<std::size_t>(number)];
            CHECK(page.headers.get("X-Target") == "/" + std::to_string(number));
        }
        CHECK(server.clients.size() == 1);
        CHECK(client.idle_connections() == 1);
        client.close_idle_connections();
        CHECK(client.idle_connections() == 0);
        const fetched last = co_await client.get(url_at(where, "/last"));
        CHECK(last.attempts == 1);
        CHECK(server.clients.size() == 2);
    });
}

LEAT_TEST("of requests that share a connection only the first has its steps among its timings") {
    co_await with_echo([](leat::endpoint where, echo_server&) -> leat::task<> {
        leat::http::client client(over_http2);
        const auto put = [&](int number) {
            return client.put(url_at(where, "/"), std::string(static_cast<std::size_t>(number), 'x'));
        };
        const auto pages = co_await leat::map_concurrently(std::vector<int>{0, 1, 100'000}, 3, put);
        int made = 0;
        for (const fetched& each : pages) {
            CHECK(leat::testing::are_ordered(each.timings));
            CHECK(each.timings.sent.has_value());
            CHECK(each.timings.connected.has_value() == !each.timings.reused);
            CHECK(each.peer == where);
            made += each.timings.reused ? 0 : 1;
        }
        CHECK(made == 1);
        const response_stream later = co_await client.open(url_at(where, "/"));
        CHECK(later.timings().reused);
        CHECK(later.timings().sent.has_value());
        CHECK(leat::testing::are_ordered(later.timings()));
    });
}

LEAT_TEST("requests that begin together wait for the one handshake") {
    co_await with_echo([](leat::endpoint where, echo_server& server) -> leat::task<> {
        leat::http::client client(over_http2);
        const auto get = [&](int number) { return client.get(url_at(where, "/" + std::to_string(number))); };
        std::vector<int> numbers(120);
        const auto pages = co_await leat::map_concurrently(numbers, 120, get);
        CHECK(pages.size() == 120);
        CHECK(server.clients.size() == 1);
    });
}

LEAT_TEST("connections that begin together do not mix what they say") {
    co_await with_echo([](leat::endpoint where, echo_server& server) -> leat::task<> {
        const auto ask = [&](int number) -> leat::task<bool> {
            leat::http::client client(over_http2);
            const std::string said = std::to_string(number);
            const fetched page = co_await client.post(url_at(where, "/" + said), said);
            co_return page.body == said&& page.headers.get("X-Target") == "/" + said;
        };
        std::vector<int> numbers;
        for (int number = 0; number < 20; ++number) {
            numbers.push_back(number);
        }
        const auto right = co_await leat::map_concurrently(numbers, numbers.size(), ask);
        CHECK(std::ranges::count(right, true) == 20);
        CHECK(server.clients.size() == 20);
    });
}

LEAT_TEST("bodies go both ways over HTTP/2, of memory and of pieces, longer than every window") {
    co_await with_echo([](leat::endpoint where, echo_server& server) -> leat::task<> {
        leat::http::client client(over_http2);
        const std::string large(900'000, 'l');
        const fetched of_memory = co_await client.post(url_at(where, "/"), large);
        const bool same = of_memory.body == large;
        CHECK(same);
        int left = 9;
        const auto pieces = [&]() -> leat::task<std::string> {
            co_await leat::yield();
            co_return std::string(left-- > 0 ? 100'000 : 0, 'l');
        };
        const fetched of_pieces = co_await client.put(url_at(where, "/"), request_body::from(pieces));
        const bool again = of_pieces.body == large;
        CHECK(again);
        const fetched big = co_await client.get(url_at(where, "/big"));
        CHECK(big.body.size() == 3'000'000);
        const fetched none = co_await client.post(url_at(where, "/"), "");
        CHECK(none.body.empty());
        CHECK(none.headers.get("X-Method") == "POST");
        const fetched head = co_await client.head(url_at(where, "/big"));
        CHECK(head.headers.get("Content-Length") == "3000000");
        CHECK(head.body.empty());
        CHECK(server.clients.size() == 1);
    });
}

LEAT_TEST("the fields of a request are those of HTTP/1.1, but for what HTTP/2 has no place for") {
    co_await with_echo([](leat::endpoint where, echo_server& server) -> leat::task<> {
        leat::http::client client(over_http2);
        const leat::http::headers fields{{"X-Mine", "1"},
                                         {"Cookie", "a=1; a-long-one=0123456789012345678901234567890; c=3"}};
        (void)co_await client.post(url_at(where, "/"),
                                   request_body::from([]() -> leat::task<std::string> { co_return ""; }), {},
                                   fields);
        CHECK(server.fields["Host"] == where.to_string());
        CHECK(server.fields["x-mine"] == "1");
        CHECK(server.fields["Cookie"] == "a=1; a-long-one=0123456789012345678901234567890; c=3");
        CHECK(server.fields["user-agent"] == "leat");
        CHECK(server.fields.count("transfer-encoding") == 0);
        CHECK(server.fields.count("content-length") == 0);
    });
}

LEAT_TEST("an answer that is not read holds up no other, and costs no more than its window") {
    co_await with_echo([](leat::endpoint where, echo_server& server) -> leat::task<> {
        leat::http::client client(over_http2);
        std::vector<response_stream> unread;
        for (int count = 0; count < 3; ++count) {
            unread.push_back(co_await client.open(url_at(where, "/big")));
        }
        for (int count = 0; count < 10; ++count) {
            const fetched small = co_await client.post(url_at(where, "/"), "small");
            CHECK(small.body == "small");
        }
        const fetched big = co_await client.get(url_at(where, "/big"));
        CHECK(big.body.size() == 3'000'000);
        for (response_stream& each : unread) {
            const std::string body = co_await each.read_all();
            CHECK(body.size() == 3'000'000);
        }
        CHECK(server.clients.size() == 1);
        CHECK(client.idle_connections() == 1);
    });
}

LEAT_TEST("an answer that is dropped is cancelled, and the connection goes on") {
    co_await with_echo([](leat::endpoint where, echo_server& server) -> leat::task<> {
        leat::http::client client(over_http2);
        for (int count = 0; count < 5; ++count) {
            response_stream reply = co_await client.open(url_at(where, "/big"));
            const std::string_view some = co_await reply.read();
            CHECK(!some.empty());
        }
        const fetched last = co_await client.post(url_at(where, "/"), "last");
        CHECK(last.body == "last");
        CHECK(server.clients.size() == 1);
    });
}

LEAT_TEST("idle connections of HTTP/2 are closed in time, and do not keep a run alive", on(simulated)) {
    co_await with_echo([](leat::endpoint where, echo_server& server) -> leat::task<> {
        leat::http::client_options options = over_http2;
        options.idle_connection_time = 10s;
        leat::http::client client(options);
        (void)co_await client.get(url_at(where, "/"));
        co_await leat::sleep(5s);
        (void)co_await client.get(url_at(where, "/"));
        co_await leat::sleep(9s);
        CHECK(client.idle_connections() == 1);
        co_await leat::sleep(2s);
        CHECK(client.idle_connections() == 0);
        (void)co_await client.get(url_at(where, "/"));
        CHECK(server.clients.size() == 2);
        options.idle_connections = 0;
        leat::http::client forgetful(options);
        (void)co_await forgetful.get(url_at(where, "/"));
        CHECK(forgetful.idle_connections() == 0);
        (void)co_await forgetful.get(url_at(where, "/"));
        CHECK(server.clients.size() == 4);
    });
}

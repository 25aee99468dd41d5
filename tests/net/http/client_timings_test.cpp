// SPDX-License-Identifier: MIT
// What an answer tells of how it came: when each step was done, and from whom.
#include "timings_order.hpp"

#include <leat/http.hpp>
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include "../../support/dns_server.hpp"
#include "../../support/http_origin.hpp"

#include <string>

using namespace std::chrono_literals;
using leat::http::fetched;
using leat::http::request_timings;
using leat::http::response_stream;
using leat::testing::are_ordered;
using support::answer;
using support::direct;
using support::http_origin;
using support::path_of;
using support::redirect_to;
using support::then;
using support::with_length;

LEAT_TEST("timings have the steps of a new connection, and of a kept one only those of the request") {
    http_origin origin([](const std::string&) { return with_length("x"); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const leat::time_point before = leat::now();
        const fetched first = co_await client.get(origin.url("/"));
        CHECK(are_ordered(first.timings));
        CHECK(first.timings.asked >= before);
        CHECK(first.timings.headed <= leat::now());
        CHECK(first.timings.dialled.has_value());
        CHECK_FALSE(first.timings.resolved.has_value());  // an address needs no look-up
        CHECK(first.timings.connected.has_value());
        CHECK_FALSE(first.timings.tunnelled.has_value());
        CHECK_FALSE(first.timings.secured.has_value());
        CHECK(first.timings.sent.has_value());
        CHECK_FALSE(first.timings.reused);
        CHECK(first.peer == leat::endpoint("127.0.0.1", origin.port()));
        CHECK_FALSE(first.tls.has_value());
        const response_stream second = co_await client.open(origin.url("/"), {.tell_tls = true});
        CHECK(are_ordered(second.timings()));
        CHECK(second.timings().asked >= first.timings.headed);
        CHECK_FALSE(second.timings().dialled.has_value());
        CHECK_FALSE(second.timings().connected.has_value());
        CHECK(second.timings().sent.has_value());
        CHECK(second.timings().reused);
        CHECK(second.peer() == first.peer);
        CHECK(second.tls() == nullptr);
        CHECK(origin.accepted == 1);
    });
}

LEAT_TEST("timings are those of the request that was answered, behind redirects and tries") {
    int busy = 2;
    http_origin origin([&](const std::string& head) -> answer {
        if (path_of(head) == "/from") {
            return redirect_to("/to");
        }
        return busy-- > 0 ? answer{"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", then::close}
                          : with_length("x");
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const fetched page = co_await client.get(
            origin.url("/from"), {.retry = {.tries = 3, .first = 20ms, .most = 20ms, .jitter = false}});
        CHECK(page.status == 200);
        CHECK(are_ordered(page.timings));
        CHECK(page.timings.begun - page.timings.asked >= 40ms);
        CHECK(page.timings.dialled.has_value());  // the connection before was closed
        CHECK_FALSE(page.timings.reused);
    });
}

LEAT_TEST("an answer that comes before all of the body was sent has no time of that") {
    http_origin origin([](const std::string&) { return with_length("all of it"); });
    origin.before_body = [](const std::string& head) -> answer {
        return path_of(head) == "/refuse"
                   ? answer{"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", then::hold}
                   : answer{};
    };
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const auto endless = []() -> leat::task<std::string> {
            co_await leat::yield();
            co_return std::string(10'000, 'x');
        };
        const auto refused =
            co_await client.put(origin.url("/refuse"), leat::http::request_body::from(endless));
        CHECK(refused.status == 413);
        CHECK_FALSE(refused.timings.sent.has_value());
        const fetched taken = co_await client.put(origin.url("/"), std::string(100'000, 'x'));
        CHECK(taken.status == 200);
        CHECK(taken.timings.sent.has_value());
        CHECK(are_ordered(taken.timings));
    });
}

LEAT_TEST("the look-up of a name has a time, and a socket of the Unix domain no peer",
          on(leat::testing::kernel)) {
    leat::testing::dns_server server;
    server.set("origin.test", {.addresses = {leat::address::loopback_ipv4()}});
    http_origin origin([](const std::string&) { return with_length("x"); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client_options options = direct;
        options.names.servers = server.location();
        leat::http::client client(options);
        const std::string url = "http://origin.test:" + std::to_string(origin.port()) + "/";
        const fetched named = co_await client.get(url);
        CHECK(named.timings.resolved.has_value());
        CHECK(are_ordered(named.timings));
        CHECK(named.peer == leat::endpoint("127.0.0.1", origin.port()));
        const fetched again = co_await client.get(url);
        CHECK_FALSE(again.timings.resolved.has_value());
    });
    auto listener = leat::unix_listener::bind(leat::unix_endpoint());
    const std::string place = listener.local_endpoint().to_string();
    const auto greet = [](const leat::http::request&) -> leat::task<leat::http::response> {
        co_return leat::http::response();
    };
    auto serving = leat::spawn(leat::http::serve(std::move(listener), greet, {.grace = {}, .stop_on = {}}));
    {
        leat::http::client client({.unix_socket = place});
        const fetched page = co_await client.get("http://docker/");
        CHECK_FALSE(page.peer.has_value());
        CHECK(page.timings.connected.has_value());
        CHECK(are_ordered(page.timings));
    }
    serving.cancel();
    co_await serving.join();
}

LEAT_TEST("a proxy that is asked for the page is its peer") {
    http_origin proxy([](const std::string& head) { return with_length(path_of(head)); });
    co_await proxy.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        leat::http::proxies some;
        some.set_http("127.0.0.1:" + std::to_string(proxy.port()));
        client.use_proxies(some);
        const fetched page = co_await client.get("http://nowhere.test/");
        CHECK(page.body == "http://nowhere.test/");
        CHECK(page.peer == leat::endpoint("127.0.0.1", proxy.port()));
        CHECK_FALSE(page.timings.tunnelled.has_value());
        CHECK(are_ordered(page.timings));
    });
}

// SPDX-License-Identifier: MIT
// A client whose connections all go to one socket of the Unix domain.
#include <leat/http.hpp>
#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include "../../support/http_origin.hpp"

#include <string>

using leat::http::fetched;
using support::error_of;

LEAT_TEST("a client of a Unix socket asks there for every host, and keeps its connections") {
    auto listener = leat::unix_listener::bind(leat::unix_endpoint());
    const std::string place = listener.local_endpoint().to_string();
    const auto answer = [](const leat::http::request& asked) -> leat::task<leat::http::response> {
        leat::http::response made;
        made.body = std::string(asked.headers.get("Host").value_or("")) + asked.target + asked.body;
        co_return made;
    };
    auto serving = leat::spawn([&]() -> leat::task<> {
        co_await leat::http::serve(std::move(listener), answer, {.grace = {}, .stop_on = {}});
    });
    {
        leat::http::client client({.unix_socket = place});
        leat::http::proxies unused;
        unused.set_all("http://127.0.0.1:1");
        client.use_proxies(unused);
        const fetched first = co_await client.get("http://docker/v1/info");
        CHECK(first.body == "docker/v1/info");
        const fetched second = co_await client.post("http://docker/", std::string(300'000, 'b'));
        CHECK(second.body.size() == 300'007);
        CHECK(client.idle_connections() == 1);
        const fetched other = co_await client.get("http://other.test/");
        CHECK(other.body == "other.test/");
        CHECK(client.idle_connections() == 2);
    }
    serving.cancel();
    co_await serving.join();
}

LEAT_TEST("a Unix socket that is not there is an error that names it") {
    leat::http::client client({.unix_socket = "@leat-test-nobody-listens"});
    const std::string what = co_await error_of(client.get("http://docker/"));
    CHECK(what.starts_with("http://docker/: connect to @leat-test-nobody-listens: "));
}

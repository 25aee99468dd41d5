// SPDX-License-Identifier: MIT
// The HTTP server behind proxies that speak the PROXY protocol.
#include "serving.hpp"

#include <leat/proxied_listener.hpp>
#include <leat/testing/doctest.hpp>

using namespace std::chrono_literals;
using leat::http::request;
using leat::http::response;
using leat::testing::answers_to;
using leat::testing::get;
using leat::testing::ok;

namespace {

constexpr std::string_view told = "PROXY TCP4 192.0.2.1 192.0.2.2 51000 443\r\n";

leat::task<response> who(const request& asked) {
    response made;
    made.body = asked.connection->remote_endpoint()->to_string();
    co_return made;
}

// Runs a server that trusts this machine while `body(its endpoint)` runs.
leat::task<> behind_proxies(leat::http::serve_options options,
                            std::function<leat::task<>(leat::endpoint)> body) {
    return leat::testing::during_server(
        [options](leat::tcp_listener listener) {
            return leat::http::serve(
                leat::proxied_listener(std::move(listener),
                                       {.proxies = {leat::network::parse("127.0.0.0/8")}}),
                who, options);
        },
        std::move(body));
}

}  // namespace

LEAT_TEST("requests behind a proxy are from the client that it tells of") {
    co_await behind_proxies(leat::testing::unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string client = "192.0.2.1:51000";
        CHECK(co_await answers_to(where, std::string(told) + get("/") + get("/")) == ok(client) + ok(client));
    });
}

LEAT_TEST("a proxy that sends something else is told of, and one that is silent is closed") {
    leat::testing::said.clear();
    leat::http::serve_options options = leat::testing::unattended;
    options.limits.head = 100ms;
    leat::serve_counters counted;
    options.counters = &counted;
    options.on_error = [](std::exception_ptr error, std::optional<leat::endpoint>) {
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& known) {
            leat::testing::remember_said(known.what());
        }
    };
    co_await behind_proxies(options, [](leat::endpoint where) -> leat::task<> {
        CHECK(co_await answers_to(where, get("/")) == "");
        leat::tcp_stream silent = co_await leat::tcp_stream::connect(where);
        CHECK(co_await leat::testing::rest_of(silent) == "");
    });
    CHECK(counted.handshake == 1);
    REQUIRE(leat::testing::said.size() == 1);
    CHECK(leat::testing::said[0] == "the header of the PROXY protocol: Protocol error");
}

// SPDX-License-Identifier: MIT
// Connecting to a host whose addresses are given, and what is told of a look-up.
#include <leat/connect.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <optional>
#include <vector>

using leat::address;
using leat::connect_options;
using leat::tcp_listener;
using leat::tcp_stream;

LEAT_TEST("given addresses take the place of a look-up, and when a look-up was done is told") {
    auto listener = tcp_listener::bind({"127.0.0.1", 0});
    const int port = listener.local_endpoint().port();
    const std::vector<address> given{address::parse("127.0.0.9"), address::loopback_ipv4()};
    std::optional<leat::time_point> resolved;
    connect_options options;
    options.addresses = given;
    options.resolved_at = &resolved;
    tcp_stream client = co_await leat::connect_to_host("no-such-host.invalid", port, options);
    CHECK(client.remote_endpoint() == listener.local_endpoint());
    CHECK_FALSE(resolved.has_value());
    options.names.families = leat::address_families::ipv6;
    const auto none = co_await leat::as_result(leat::connect_to_host("no-such-host.invalid", port, options));
    CHECK(none.error() == leat::dns_errc::no_address);
    options.names.families = leat::address_families::ipv4;
    options.addresses = {};
    tcp_stream literal = co_await leat::connect_to_host("127.0.0.1", port, options);
    CHECK_FALSE(resolved.has_value());
    const leat::time_point before = leat::now();
    tcp_stream named = co_await leat::connect_to_host("localhost", port, options);
    REQUIRE(resolved.has_value());
    CHECK(*resolved >= before);
}

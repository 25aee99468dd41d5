// SPDX-License-Identifier: MIT
// Where the HTTP client's connections go and come from, as its user says.
#include <leat/http.hpp>
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include "../../support/http_origin.hpp"

#include <span>
#include <string>

#include <netinet/tcp.h>
#include <sys/socket.h>

using namespace std::chrono_literals;
using leat::address;
using leat::http::fetched;
using support::direct;
using support::error_of;
using support::http_origin;
using support::with_length;

namespace {

int option_of_descriptor(int descriptor, int level, int name) {
    int value = -1;
    auto& sockets = leat::current_scheduler().io().sockets();
    CHECK(sockets.option(descriptor, level, name, std::as_writable_bytes(std::span(&value, 1))).ok());
    return value;
}

}  // namespace

LEAT_TEST("connections to a host go to the addresses that the client was given for it") {
    http_origin origin([](const std::string& head) { return with_length(head); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const int port = origin.port();
        const std::string place = "named.test:" + std::to_string(port);
        client.use_addresses("NAMED.test", port, {address::loopback_ipv4()});
        const fetched page = co_await client.get("http://" + place + "/");
        CHECK(page.body.find("\r\nHost: " + place + "\r\n") != page.body.npos);
        CHECK(page.peer == leat::endpoint("127.0.0.1", port));
        CHECK_FALSE(page.timings.resolved.has_value());
        client.close_idle_connections();
        client.use_addresses("named.test", port, {address::parse("127.0.0.9"), address::loopback_ipv4()});
        const fetched second = co_await client.get("http://" + place + "/");  // the first one refuses
        CHECK(second.peer == leat::endpoint("127.0.0.1", port));
        leat::http::proxies through;
        through.set_http("proxy.test:" + std::to_string(port));
        client.use_proxies(through);
        client.use_addresses("proxy.test", port, {address::loopback_ipv4()});
        const fetched proxied = co_await client.get("http://elsewhere.test/");
        CHECK(proxied.body.starts_with("GET http://elsewhere.test/ "));
    });
}

LEAT_TEST("addresses are for one port, and can be taken back") {
    leat::http::client client(direct);
    client.use_addresses("127.0.0.1", 81, {address::parse("127.0.0.9")});
    const std::string given = co_await error_of(client.get("http://127.0.0.1:81/"));
    CHECK(given == "http://127.0.0.1:81/: connect to 127.0.0.1:81: Connection refused");
    http_origin origin([](const std::string&) { return with_length("x"); });
    co_await origin.during([&]() -> leat::task<> {
        client.use_addresses("127.0.0.1", origin.port(), {address::parse("127.0.0.9")});
        const std::string refused = co_await error_of(client.get(origin.url("/")));
        CHECK(refused.ends_with("Connection refused"));
        client.use_addresses("127.0.0.1", origin.port(), {});
        const fetched page = co_await client.get(origin.url("/"));
        CHECK(page.body == "x");
    });
    CHECK_THROWS_AS(client.use_addresses("a b", 80, {address::loopback_ipv4()}), std::system_error);
    CHECK_THROWS_AS(client.use_addresses("a", 70'000, {address::loopback_ipv4()}), std::invalid_argument);
    CHECK_THROWS_AS(client.use_addresses("a", 0, {address::loopback_ipv4()}), std::system_error);
}

LEAT_TEST("a client of one family takes no address of the other") {
    http_origin origin([](const std::string&) { return with_length("x"); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client_options options = direct;
        options.names.families = leat::address_families::ipv6;
        leat::http::client six(options);
        const std::string refused = co_await error_of(six.get(origin.url("/")));
        CHECK(refused.ends_with("the host has no such address"));
        six.use_addresses("named.test", origin.port(), {address::loopback_ipv4()});
        const std::string url = "http://named.test:" + std::to_string(origin.port()) + "/";
        const std::string given = co_await error_of(six.get(url));
        CHECK(given.ends_with("the host has no such address"));
        options.names.families = leat::address_families::ipv4;
        leat::http::client four(options);
        four.use_addresses("named.test", origin.port(), {address::loopback_ipv6(), address::loopback_ipv4()});
        const fetched page = co_await four.get(url);
        CHECK(page.body == "x");
    });
}

LEAT_TEST("connections come from the local address that the client was told") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const std::string where = listener.local_endpoint().to_string();
    const auto who = [](const leat::http::request& asked) -> leat::task<leat::http::response> {
        leat::http::response made;
        made.body = asked.connection->remote_endpoint()->address().to_string();
        co_return made;
    };
    auto serving = leat::spawn(leat::http::serve(std::move(listener), who, {.grace = {}, .stop_on = {}}));
    {
        leat::http::client_options options = direct;
        options.local = leat::endpoint("127.0.0.2", 0);
        leat::http::client client(options);
        const fetched page = co_await client.get("http://" + where + "/");
        CHECK(page.body == "127.0.0.2");
        const std::string other = co_await error_of(client.get("http://[::1]:81/"));
        CHECK(other ==
              "http://[::1]:81/: connect to [::1]:81 from 127.0.0.2:0: the host has no such address");
    }
    serving.cancel();
    co_await serving.join();
}

LEAT_TEST("the client's sockets have the options that it was told") {
    http_origin origin([](const std::string&) -> support::answer {
        return {"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: test\r\n\r\n"};
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client_options options = direct;
        options.keep_alive = leat::keep_alive_options{.idle = 5s};
        options.user_timeout = 7s;
        options.socket.dscp = 46;
        leat::http::client client(options);
        leat::http::upgraded_stream made = co_await client.upgrade("test", origin.url("/"));
        const int descriptor = made.stream.get_if<leat::tcp_stream>()->native_handle();
        CHECK(option_of_descriptor(descriptor, IPPROTO_TCP, TCP_KEEPIDLE) == 5);
        CHECK(option_of_descriptor(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT) == 7000);
        CHECK((option_of_descriptor(descriptor, IPPROTO_IP, IP_TOS) & 0xfc) == 46 << 2);
    });
}

LEAT_TEST("an interface that is not there is an error", on(leat::testing::kernel)) {
    leat::http::client_options options = direct;
    options.socket.interface = "leat-none0";
    leat::http::client client(options);
    const std::string failed = co_await error_of(client.get("http://127.0.0.1:81/"));
    CHECK(failed == "http://127.0.0.1:81/: connect to 127.0.0.1:81: No such device");
}

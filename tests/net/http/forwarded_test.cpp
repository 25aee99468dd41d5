// SPDX-License-Identifier: MIT
#include <leat/http/forwarded.hpp>

#include "../../support/sent_from.hpp"
#include "serving.hpp"

#include <leat/testing/doctest.hpp>

#include <string>

using leat::http::forwarded_request;
using leat::http::trusted_proxies;

namespace {

const trusted_proxies ours{
    .networks = {leat::network::parse("10.0.0.0/8"), leat::network::parse("fd00::/8")}};

std::string text_of(const forwarded_request& found) {
    return (found.client ? found.client->to_string() : "nobody") + " " + found.scheme + " " + found.host +
           (found.hidden ? " hidden" : "");
}

// Of a request from 10.0.0.1, which is trusted, with these fields.
std::string from_proxy(leat::http::headers fields) {
    leat::testing::sent_from connection(leat::endpoint("10.0.0.1", 5));
    connection.asked().headers = std::move(fields);
    connection.asked().headers.add("Host", "inner");
    const bool standard = connection.asked().headers.contains("Forwarded");
    return text_of(standard ? forwarded(connection.asked(), ours) : x_forwarded(connection.asked(), ours));
}

std::string from_line(std::string_view line) {
    return from_proxy({{"Forwarded", line}});
}

std::string from_list(std::string_view list) {
    return from_proxy({{"X-Forwarded-For", list}});
}

}  // namespace

TEST_CASE("a trusted proxy says whom a request is from, by which scheme and to which host") {
    CHECK(from_line("for=192.0.2.1;proto=https;host=example.org") == "192.0.2.1:0 https example.org");
    CHECK(from_line("For=\"192.0.2.1:4711\" ; by=10.0.0.1; Proto=HTTPS;host=\"a:8080\"") ==
          "192.0.2.1:4711 https a:8080");
    CHECK(from_line("for=\"[2001:db8::1]\"") == "[2001:db8::1]:0 http inner");
    CHECK(from_line("for=\"[2001:db8::1]:80\"") == "[2001:db8::1]:80 http inner");
    CHECK(from_line("for=\"[::ffff:192.0.2.1]:80\"") == "192.0.2.1:80 http inner");
    CHECK(from_line("for=\"192.0.2.1:_port\"") == "192.0.2.1:0 http inner");
    CHECK(from_line("for=192.0.2.1:80;host=a:8080") == "192.0.2.1:80 http a:8080");  // not quoted
    CHECK(from_line("for=192.0.2.1;secret=\"a,b;c\";x=1") == "192.0.2.1:0 http inner");
    CHECK(from_list("192.0.2.1") == "192.0.2.1:0 http inner");
    CHECK(from_list("192.0.2.1:4711") == "192.0.2.1:4711 http inner");
    CHECK(from_list("2001:db8::1") == "[2001:db8::1]:0 http inner");
    CHECK(from_proxy({{"X-Forwarded-For", "192.0.2.1"},
                      {"X-Forwarded-Proto", "https"},
                      {"X-Forwarded-Host", "example.org"}}) == "192.0.2.1:0 https example.org");
}

TEST_CASE("what an untrusted client says counts for nothing") {
    leat::testing::sent_from stranger(leat::endpoint("192.0.2.9", 5));
    stranger.asked().headers = {{"Host", "inner"},
                                {"Forwarded", "for=10.0.0.7;proto=https;host=evil"},
                                {"X-Forwarded-For", "10.0.0.7"},
                                {"X-Forwarded-Proto", "https"},
                                {"X-Forwarded-Host", "evil"}};
    CHECK(text_of(forwarded(stranger.asked(), ours)) == "192.0.2.9:5 http inner");
    CHECK(text_of(x_forwarded(stranger.asked(), ours)) == "192.0.2.9:5 http inner");
    CHECK(text_of(forwarded(stranger.asked(), {})) == "192.0.2.9:5 http inner");

    CHECK(from_line("for=10.0.0.7;proto=https, for=192.0.2.1") == "192.0.2.1:0 http inner");
    CHECK(from_list("10.0.0.7, 192.0.2.1") == "192.0.2.1:0 http inner");
    CHECK(from_proxy({{"Forwarded", "for=\"10.0.0.7"}, {"Forwarded", "for=192.0.2.1"}}) ==
          "192.0.2.1:0 http inner");
    CHECK(from_proxy({{"X-Forwarded-For", "10.0.0.7"}, {"X-Forwarded-For", "192.0.2.1"}}) ==
          "192.0.2.1:0 http inner");
}

TEST_CASE("several trusted proxies are walked over, from the nearest") {
    CHECK(from_line("for=1.1.1.1;host=evil, for=192.0.2.1;proto=https;host=example.org, "
                    "for=\"[fd00::1]\";proto=http, for=10.0.0.2") == "192.0.2.1:0 https example.org");
    CHECK(from_list("1.1.1.1,192.0.2.1, fd00::1 , ,10.0.0.2") == "192.0.2.1:0 http inner");
    CHECK(from_proxy({{"X-Forwarded-For", "1.1.1.1, 192.0.2.1, 10.0.0.2"},
                      {"X-Forwarded-Proto", "gopher, https, http"},
                      {"X-Forwarded-Host", "one-for-all"}}) == "192.0.2.1:0 https one-for-all");
    CHECK(from_list("10.0.0.3, 10.0.0.2") == "10.0.0.3:0 http inner");  // it asks for itself
    CHECK(from_list("") == "10.0.0.1:5 http inner");
    CHECK(from_proxy({}) == "10.0.0.1:5 http inner");
    CHECK(from_line(",, ;") == "10.0.0.1:5 http inner");
}

TEST_CASE("a client that a proxy does not tell stays hidden") {
    for (const char* node :
         {"unknown", "_secret", "\"\"", "1.2.3", "010.0.0.1", "\"[1.2.3.4]\"", "\"[::1\"", "\"::1:80\"x",
          "\"1.2.3.4:99999\"", "\"fe80::1%1\"", "\"1.2.3.4:\"", "host.name"}) {
        CHECK_MESSAGE(from_line("for=192.0.2.1, for=" + std::string(node)) == "10.0.0.1:5 http inner hidden",
                      node);
    }
    CHECK(from_line("for=unknown;proto=https;host=a") == "10.0.0.1:5 https a hidden");
    CHECK(from_line("proto=https") == "10.0.0.1:5 https inner hidden");
    CHECK(from_list("192.0.2.1, unknown, 10.0.0.2") == "10.0.0.2:0 http inner hidden");
    CHECK(from_proxy({{"X-Forwarded-Proto", "https"}}) == "10.0.0.1:5 https inner hidden");
}

TEST_CASE("what is malformed ends the walk") {
    for (const char* line :
         {"for=\"192.0.2.1", "for", "for=", "=1.1.1.1", "for=192.0.2.1;for=192.0.2.2",
          "for=192.0.2.1 proto=https", "for=192.0.2.1;pro to=https", "for=1.1.1.1\"a\"",
          "for=192.0.2.1;proto=ht/tp", "for=192.0.2.1;host=\"a b\"", "for=\"192.0.2.1\"x"}) {
        CHECK_MESSAGE(from_line(line) == "10.0.0.1:5 http inner hidden", line);
    }
    CHECK(from_proxy({{"X-Forwarded-For", "192.0.2.1"}, {"X-Forwarded-Host", "a/b"}}) ==
          "10.0.0.1:5 http inner hidden");
    CHECK(from_proxy({{"X-Forwarded-For", "192.0.2.1"}, {"X-Forwarded-Proto", "1"}}) ==
          "10.0.0.1:5 http inner hidden");
}

TEST_CASE("a Unix socket is trusted where that is said") {
    leat::testing::sent_from local(std::nullopt);
    local.asked().headers = {{"X-Forwarded-For", "192.0.2.1"}};
    CHECK(text_of(x_forwarded(local.asked(), ours)) == "nobody http ");
    CHECK(text_of(x_forwarded(local.asked(), {.unix_sockets = true})) == "192.0.2.1:0 http ");
}

LEAT_TEST("a handler learns of the client behind its proxy") {
    const trusted_proxies loopback{.networks = {leat::network::parse("127.0.0.0/8")}};
    const auto handler = [&](const leat::http::request& asked) -> leat::task<leat::http::response> {
        co_return leat::http::text_answer(text_of(x_forwarded(asked, loopback)));
    };
    co_await leat::testing::serving(
        handler, leat::testing::unattended, [](leat::endpoint where) -> leat::task<> {
            const std::string all = co_await leat::testing::answers_to(
                where, "GET / HTTP/1.0\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n");
            CHECK(all.ends_with("\r\n\r\n192.0.2.1:0 http a"));
        });
}

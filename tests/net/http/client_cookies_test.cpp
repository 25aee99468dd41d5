// SPDX-License-Identifier: MIT
// A client that was told to use a cookie_jar.
#include <leat/http.hpp>
#include <leat/http/cookie_jar.hpp>
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include "../../support/http_origin.hpp"

#include <string>

using namespace std::chrono_literals;
using leat::http::fetched;
using support::answer;
using support::direct;
using support::http_origin;
using support::path_of;
using support::with_length;

namespace {

std::string cookie_of(const std::string& head) {
    const std::size_t at = head.find("\r\nCookie: ");
    return at == head.npos ? "none" : head.substr(at + 10, head.find("\r\n", at + 2) - at - 10);
}

}  // namespace

LEAT_TEST("cookies of each answer, redirects too, go with the next request to whom they are for") {
    http_origin other([](const std::string&) { return with_length("other"); });
    http_origin origin([&](const std::string& head) -> answer {
        if (path_of(head) == "/login") {
            return {
                "HTTP/1.1 302 Found\r\nSet-Cookie: id=7; path=/; HttpOnly\r\nset-cookie: deep=1; "
                "path=/deep\r\n"
                "Location: /home\r\nContent-Length: 0\r\n\r\n"};
        }
        if (path_of(head) == "/logout") {
            return {"HTTP/1.1 200 OK\r\nSet-Cookie: id=; path=/; max-age=0\r\nContent-Length: 0\r\n\r\n"};
        }
        return with_length("x");
    });
    co_await origin.during([&]() -> leat::task<> {
        co_await other.during([&]() -> leat::task<> {
            leat::http::cookie_jar jar;
            leat::http::client client(direct);
            client.use_cookies(jar);
            (void)co_await client.get(origin.url("/login"));
            CHECK(cookie_of(origin.heads.at(0)) == "none");
            CHECK(cookie_of(origin.heads.at(1)) == "id=7");
            (void)co_await client.post(origin.url("/deep/down"), "text");
            CHECK(cookie_of(origin.heads.at(2)) == "deep=1; id=7");
            (void)co_await client.get(origin.url("/"), {}, {{"Cookie", "mine=1"}});
            CHECK(cookie_of(origin.heads.at(3)) == "mine=1");
            (void)co_await client.get(origin.url("/logout"));
            (void)co_await client.get(origin.url("/"));
            CHECK(cookie_of(origin.heads.at(5)) == "none");
            (void)co_await client.get("http://localhost:" + std::to_string(other.port()) + "/deep");
            CHECK(cookie_of(other.heads.at(0)) == "none");
            leat::http::client without(direct);
            (void)co_await without.get(origin.url("/deep"));
            CHECK(cookie_of(origin.heads.at(6)) == "none");
            CHECK(jar.size() == 1);
        });
    });
}

LEAT_TEST("a cookie ends with its time, by the clock of the run", on(leat::testing::simulated)) {
    http_origin origin([](const std::string&) -> answer {
        return {"HTTP/1.1 200 OK\r\nSet-Cookie: a=1; max-age=10\r\nContent-Length: 0\r\n\r\n"};
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::cookie_jar jar;
        leat::http::client client(direct);
        client.use_cookies(jar);
        (void)co_await client.get(origin.url("/"));
        co_await leat::sleep(5s);
        (void)co_await client.get(origin.url("/"));
        CHECK(cookie_of(origin.heads.at(1)) == "a=1");
        co_await leat::sleep(11s);
        (void)co_await client.get(origin.url("/"));
        CHECK(cookie_of(origin.heads.at(2)) == "none");
    });
}

// SPDX-License-Identifier: MIT
#include <leat/http/cookie_jar.hpp>
#include <leat/http/cookies.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

using leat::http::cookie_options;
using leat::http::request;
using leat::http::response;

namespace {

std::string set(std::string_view name, std::string_view value, cookie_options how = {}) {
    response answer;
    leat::http::set_cookie(answer, name, value, how);
    return std::string(*answer.headers.get("Set-Cookie"));
}

std::string refused(std::string_view name, std::string_view value, cookie_options how = {}) {
    try {
        return "taken: " + set(name, value, how);
    } catch (const std::invalid_argument& why) {
        return why.what();
    }
}

}  // namespace

TEST_CASE("a request brings cookies") {
    request asked;
    asked.headers = {{"Cookie", "a=1; b=x=y;c= ;d;  e = \"q\""}, {"cookie", "a=2"}};
    CHECK(leat::http::cookie_of(asked, "a") == "1");
    CHECK(leat::http::cookie_of(asked, "b") == "x=y");
    CHECK(leat::http::cookie_of(asked, "c") == "");
    CHECK(leat::http::cookie_of(asked, "d") == std::nullopt);
    CHECK(leat::http::cookie_of(asked, "e") == "\"q\"");
    CHECK(leat::http::cookie_of(asked, "A") == std::nullopt);
    CHECK(leat::http::cookies_of(asked).size() == 5);
    CHECK(leat::http::cookies_of({}).empty());
}

TEST_CASE("a cookie is set as safely as it can be, unless told otherwise") {
    CHECK(set("a", "1") == "a=1; Path=/; Secure; HttpOnly; SameSite=Lax");
    CHECK(set("a", "",
              {.path = "/x",
               .domain = "example.org",
               .max_age = std::chrono::hours(1),
               .secure = false,
               .http_only = false,
               .same_site = leat::http::same_site::strict}) ==
          "a=; Path=/x; Domain=example.org; Max-Age=3600; SameSite=Strict");
    CHECK(set("__Host-a", "1", {.same_site = leat::http::same_site::none}) ==
          "__Host-a=1; Path=/; Secure; HttpOnly; SameSite=None");
    response answer;
    leat::http::set_cookie(answer, "a", "1");
    leat::http::remove_cookie(answer, "b", {.path = "/b"});
    CHECK(answer.headers.get_all("Set-Cookie").size() == 2);
    CHECK(answer.headers.get_all("Set-Cookie")[1] ==
          "b=; Path=/b; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
}

TEST_CASE("a cookie that could say more than it should is refused") {
    for (const std::string value : {"a b", "a;b", "a,b", "a\"b", "a\\b", "a\r\nX: 1", "\xc3\xa9", "a\tb"}) {
        CHECK_MESSAGE(refused("n", value) == "cookie n: its value holds a character that cookies may not",
                      value);
    }
    for (const char* name : {"", "a b", "a=b", "a;b", "\xc3\xa9"}) {
        CHECK_MESSAGE(refused(name, "1").starts_with("the name of a cookie"), name);
    }
    CHECK(refused("n", "1", {.path = "/; Domain=x"}) == "cookie n: its path is none");
    CHECK(refused("n", "1", {.path = "x"}) == "cookie n: its path is none");
    CHECK(refused("n", "1", {.domain = "a; Secure"}) == "cookie n: its domain is none");
    CHECK(refused("n", "1", {.secure = false, .same_site = leat::http::same_site::none})
              .starts_with("cookie n: one for"));
    CHECK(refused("__Secure-n", "1", {.secure = false}).ends_with("is secure"));
    CHECK(refused("__host-n", "1", {.domain = "example.org"}).ends_with("no domain"));
    CHECK(refused("__Host-n", "1", {.path = "/x"}).ends_with("no domain"));
}

TEST_CASE("a client keeps what a server sets, and forgets what it removes") {
    const auto from = leat::http::url::parse("https://example.org/x/y");
    leat::http::cookie_jar jar;
    CHECK(jar.store(from, set("__Host-a", "1")));
    CHECK(jar.cookies_for(from) == "__Host-a=1");
    response answer;
    leat::http::remove_cookie(answer, "__Host-a");
    (void)jar.store(from, *answer.headers.get("Set-Cookie"));
    CHECK(jar.cookies_for(from) == "");
}

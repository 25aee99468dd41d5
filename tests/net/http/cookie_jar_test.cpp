// SPDX-License-Identifier: MIT
#include <leat/http/cookie_jar.hpp>

#include <doctest/doctest.h>

#include <string>

using leat::http::cookie_jar;
using leat::http::url;

namespace {

// What `asked` gets after `from` has said `set_cookie`; "refused" if that is not taken.
std::string sent(const char* from, const std::string& set_cookie, const char* asked) {
    cookie_jar jar;
    return jar.store(url::parse(from), set_cookie) ? jar.cookies_for(url::parse(asked)) : "refused";
}

constexpr const char* here = "https://www.example.org/a/b";

}  // namespace

TEST_CASE("a cookie goes back to the host it came from, and to none below or above it") {
    CHECK(sent(here, "a=1", "https://www.example.org/a/c") == "a=1");
    CHECK(sent(here, "a=1", "https://www.example.org:444/a/") == "a=1");
    CHECK(sent(here, "a=1", "http://WWW.example.org/a/") == "a=1");
    CHECK(sent(here, "a=1", "https://x.www.example.org/a/") == "");
    CHECK(sent(here, "a=1", "https://example.org/a/") == "");
    CHECK(sent(here, "a=1", "https://www.example.com/a/") == "");
}

TEST_CASE("a cookie of a domain goes to the hosts below it, and only they can set it") {
    for (const char* domain : {"example.org", ".example.org", "EXAMPLE.org"}) {
        const std::string set = "a=1; Domain=" + std::string(domain) + "; path=/";
        CHECK(sent(here, set, "https://example.org/") == "a=1");
        CHECK(sent(here, set, "https://other.example.org/") == "a=1");
        CHECK(sent(here, set, "https://badexample.org/") == "");
    }
    CHECK(sent(here, "a=1; domain=other.example.org", here) == "refused");
    CHECK(sent(here, "a=1; domain=x.www.example.org", here) == "refused");
    CHECK(sent(here, "a=1; domain=ple.org", here) == "refused");
    CHECK(sent(here, "a=1; domain=example.com", here) == "refused");
    CHECK(sent(here, "a=1; domain=", here) == "a=1");
    CHECK(sent(here, "a=1; domain=example.com; domain=example.org", "https://x.example.org/a/") == "a=1");
}

TEST_CASE("a public suffix takes no cookies of the sites below it, but its own") {
    CHECK(sent("http://example.org/", "a=1; domain=org", "http://example.org/") == "refused");
    CHECK(sent("http://localhost/", "a=1; domain=localhost", "http://localhost/") == "a=1");
    CHECK(sent("http://localhost/", "a=1; domain=localhost", "http://x.localhost/") == "");
#if LEAT_HAS_PSL
    CHECK(sent("http://example.co.uk/", "a=1; domain=co.uk", "http://example.co.uk/") == "refused");
    CHECK(sent("http://example.co.uk/", "a=1; domain=example.co.uk", "http://x.example.co.uk/") == "a=1");
    CHECK(sent("http://me.github.io/", "a=1; domain=github.io", "http://me.github.io/") == "refused");
#endif
}

TEST_CASE("an address is no domain") {
    CHECK(sent("http://127.0.0.1/", "a=1", "http://127.0.0.1/") == "a=1");
    CHECK(sent("http://127.0.0.1/", "a=1; domain=127.0.0.1", "http://127.0.0.1/") == "a=1");
    CHECK(sent("http://127.0.0.1/", "a=1; domain=0.0.1", "http://127.0.0.1/") == "refused");
    CHECK(sent("http://[::1]/", "a=1", "http://[::1]:8080/") == "a=1");
}

TEST_CASE("a cookie goes with the paths below its own") {
    CHECK(sent(here, "a=1", "https://www.example.org/") == "");
    CHECK(sent(here, "a=1", "https://www.example.org/a") == "a=1");
    CHECK(sent(here, "a=1", "https://www.example.org/ab") == "");
    CHECK(sent(here, "a=1; path=/x", "https://www.example.org/x/y?q") == "a=1");
    CHECK(sent(here, "a=1; path=/x/", "https://www.example.org/x") == "");
    CHECK(sent(here, "a=1; path=x", "https://www.example.org/a/") == "a=1");
    CHECK(sent(here, "a=1; path=/x; path", "https://www.example.org/a/") == "a=1");
}

TEST_CASE("a secure cookie is set and sent over https only, and not replaced without") {
    CHECK(sent(here, "a=1; Secure", here) == "a=1");
    CHECK(sent(here, "a=1; SECURE=no", "http://www.example.org/a/") == "");
    CHECK(sent("http://www.example.org/", "a=1; secure", here) == "refused");
    cookie_jar jar;
    CHECK(jar.store(url::parse(here), "a=1; secure; path=/x; domain=example.org"));
    const url plain = url::parse("http://www.example.org/");
    CHECK_FALSE(jar.store(plain, "a=2; path=/x/y"));
    CHECK_FALSE(jar.store(plain, "a=2; path=/x; domain=example.org"));
    CHECK_FALSE(jar.store(url::parse("http://example.org/"), "a=2; path=/x"));
    CHECK(jar.store(plain, "a=2; path=/"));
    CHECK(jar.store(plain, "b=2; path=/x"));
    CHECK(jar.cookies_for(url::parse("https://www.example.org/x")) == "a=1; b=2; a=2");
}

TEST_CASE("the promise that a name makes is kept") {
    CHECK(sent(here, "__Secure-a=1", here) == "refused");
    CHECK(sent(here, "__Secure-a=1; secure", here) == "__Secure-a=1");
    CHECK(sent(here, "__Host-a=1; secure; path=/", here) == "__Host-a=1");
    CHECK(sent(here, "__Host-a=1; secure", here) == "refused");
    CHECK(sent(here, "__host-a=1; secure; path=/; domain=example.org", here) == "refused");
    CHECK(sent(here, "__Host-a=1; path=/", here) == "refused");
}

TEST_CASE("a cookie that has expired is removed, a wrong time is ignored") {
    const url at = url::parse(here);
    for (const char* over : {"Max-Age=0", "Max-Age=-5", "expires=Thu, 01 Jan 1970 00:00:00 GMT",
                             "expires=Fri, 01 Jan 2100 00:00:00 GMT; max-age=0"}) {
        cookie_jar jar;
        CHECK(jar.store(at, "a=1"));
        CHECK(jar.store(at, "a=; " + std::string(over)));
        CHECK(jar.cookies_for(at).empty());
        CHECK(jar.size() == 0);
    }
    for (const char* kept :
         {"Max-Age=100", "Max-Age=99999999999999999999", "Max-Age=", "Max-Age=1x", "expires=never",
          "expires=Fri, 01 Jan 2100 00:00:00 GMT", "expires=Thu, 01 Jan 1970 00:00:00 GMT; max-age=5"}) {
        CAPTURE(kept);
        CHECK(sent(here, "a=1; " + std::string(kept), here) == "a=1");
    }
}

TEST_CASE("names and values are taken as they are, without the blanks around them") {
    CHECK(sent(here, " a = \"x y\" ; Path=/", here) == "a=\"x y\"");
    CHECK(sent(here, "a=b=c", here) == "a=b=c");
    CHECK(sent(here, "a=", here) == "a=");
    for (const char* none : {"", "a", "=1", ";a=1", " ; path=/", "a=1\r\nX: y", "a=\x01"}) {
        CAPTURE(none);
        CHECK(sent(here, none, here) == "refused");
    }
}

TEST_CASE("longer paths come first, then older cookies; a new value keeps the place of the old") {
    cookie_jar jar;
    const url at = url::parse(here);
    for (const char* each : {"a=1; path=/", "b=2", "c=3; path=/", "d=4", "a=5; path=/"}) {
        CHECK(jar.store(at, each));
    }
    CHECK(jar.size() == 4);
    CHECK(jar.cookies_for(at) == "b=2; d=4; a=5; c=3");
    CHECK(jar.all().size() == 4);
    jar.clear();
    CHECK(jar.cookies_for(at).empty());
}

TEST_CASE("a jar takes so many cookies and bytes; those that were not sent for longest go") {
    cookie_jar jar({.cookies = 4, .per_domain = 3, .bytes = 10});
    const url one = url::parse("http://one.example/");
    const url two = url::parse("http://two.example/");
    CHECK_FALSE(jar.store(one, "name=1234567"));
    CHECK(jar.store(one, "name=123456"));
    for (const char* each : {"a=1; path=/x", "b=2", "c=3"}) {
        CHECK(jar.store(one, each));
    }
    CHECK(jar.size() == 3);
    CHECK(jar.cookies_for(one) == "b=2; c=3");
    CHECK(jar.store(two, "d=4"));
    CHECK(jar.store(two, "e=5"));
    CHECK(jar.size() == 4);
    CHECK(jar.cookies_for(url::parse("http://one.example/x")) == "b=2; c=3");
}

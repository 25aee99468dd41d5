// SPDX-License-Identifier: MIT
#include <leat/http/url.hpp>

#include <doctest/doctest.h>

#include <ostream>  // doctest prints a std::error_code through it
#include <string>

using leat::http::url;
using leat::http::url_error;

namespace {

std::string what_of(std::string_view text) {
    try {
        static_cast<void>(url::parse(text));
    } catch (const std::system_error& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("a URL is taken apart") {
    const url parsed = url::parse("HTTPS://joe:s%40e@Example.ORG:8443/a/b?x=1&y=2#top");
    CHECK(parsed.is_secure());
    CHECK(parsed.scheme() == "https");
    CHECK(parsed.host() == "example.org");
    CHECK(parsed.port() == 8443);
    CHECK(parsed.path() == "/a/b");
    CHECK(parsed.query() == "x=1&y=2");
    CHECK(parsed.request_target() == "/a/b?x=1&y=2");
    CHECK(parsed.authority() == "example.org:8443");
    CHECK(parsed.origin() == "https://example.org:8443");
    CHECK(parsed.credentials() == "joe:s@e");
    CHECK(parsed.username() == "joe");
    CHECK(parsed.password() == "s%40e");
    CHECK(parsed.fragment() == "#top");
    CHECK(parsed.href() == "https://joe:s%40e@example.org:8443/a/b?x=1&y=2#top");
    CHECK(parsed.to_string() == "https://example.org:8443/a/b?x=1&y=2");
}

TEST_CASE("what a URL leaves out is filled in") {
    const url plain = url::parse("http://a");
    CHECK_FALSE(plain.is_secure());
    CHECK(plain.port() == 80);
    CHECK(plain.request_target() == "/");
    CHECK(plain.query().empty());
    CHECK(plain.authority() == "a");
    CHECK(plain.origin() == "http://a:80");
    CHECK_FALSE(plain.has_credentials());
    CHECK(url::parse("https://a").port() == 443);
    CHECK(url::parse("https://a:/").port() == 443);
    CHECK(url::parse("https://a:443/").authority() == "a");
    CHECK(url::parse("https://a:80/").authority() == "a:80");
    CHECK(url::parse("http://a?q").request_target() == "/?q");
    CHECK(url::parse("http://a#f").request_target() == "/");
    CHECK(url::parse("http://a/?").request_target() == "/?");
    CHECK(url::parse("http://a:00080/").port() == 80);
}

TEST_CASE("an IPv6 literal stands in brackets, its zone never in the Host header") {
    const url parsed = url::parse("http://[::1]:8001/");
    CHECK(parsed.host() == "::1");
    CHECK(parsed.port() == 8001);
    CHECK(parsed.authority() == "[::1]:8001");
    CHECK(url::parse("http://[2001:DB8:0::1]/").authority() == "[2001:db8::1]");
    const url zoned = url::parse("http://[fe80::1%252]:81/x");
    CHECK(zoned.host() == "fe80::1%2");
    CHECK(zoned.authority() == "[fe80::1]:81");
    CHECK(zoned.to_string() == "http://[fe80::1%252]:81/x");
    CHECK(zoned.href() == zoned.to_string());
    CHECK(zoned.origin() == "http://[fe80::1%2]:81");
    CHECK(url::parse(zoned.to_string()) == zoned);
}

TEST_CASE("what may not stand in a path or query is percent-encoded") {
    struct {
        const char* text;
        const char* target;
    } const cases[] = {
        {"http://a/b c", "/b%20c"},
        {"  http://a/b  ", "/b"},
        {"http://a/?q=b c\"<>", "/?q=b%20c%22%3C%3E"},
        {"http://a/\xc3\xa9?\xc3\xa9", "/%C3%A9?%C3%A9"},
        {"http://a/{x}|^`", "/%7Bx%7D|%5E%60"},
        {"http://a/?{x}|^`'\\", "/?{x}|^`%27\\"},
        {"http://a/\x7f\x01?\x1b[", "/%7F%01?%1B["},
        {"http://a/b\tc\r\nHost: x", "/bcHost:%20x"},
        {"http://a\\b\\c?d\\", "/b/c?d\\"},
        {"http://a/%41%zz%", "/%41%zz%"},
        {"http://a/b'(c)*+,;=:@!$&~[]", "/b'(c)*+,;=:@!$&~[]"},
        {"http://a/?x?y/../z", "/?x?y/../z"},
        {"http://a/b/../c", "/c"},
        {"http://a/./b/.", "/b/"},
        {"http://a/b/..", "/"},
        {"http://a/../../b", "/b"},
        {"http://a//b///c", "//b///c"},
        {"http://a/b/...", "/b/..."},
        {"http://a/.b/..c", "/.b/..c"},
        {"http://a/b/%2e%2E/c/%2e", "/c/"},
        {"http://a/b/.%2e", "/"},
        {"http://a/%2e%2e%2e/%2ex", "/%2e%2e%2e/%2ex"},
    };
    for (const auto& each : cases) {
        CAPTURE(each.text);
        CHECK(url::parse(each.text).request_target() == each.target);
        CHECK(url::parse(url::parse(each.text).to_string()) == url::parse(each.text));
    }
}

TEST_CASE("a URL that is malformed, or means two things, is refused") {
    struct {
        const char* text;
        url_error expected;
    } const cases[] = {
        {"", url_error::missing_scheme},
        {"   ", url_error::missing_scheme},
        {"www.example.org", url_error::missing_scheme},
        {"/path", url_error::missing_scheme},
        {"//a/b", url_error::missing_scheme},
        {"localhost:8080", url_error::missing_scheme},
        {"1http://a", url_error::missing_scheme},
        {"://a", url_error::missing_scheme},
        {"ht tp://a", url_error::missing_scheme},
        {"http", url_error::missing_scheme},
        {"ftp://a", url_error::unsupported_scheme},
        {"file:///etc/passwd", url_error::unsupported_scheme},
        {"mailto:joe@a", url_error::unsupported_scheme},
        {"http:", url_error::missing_host},
        {"http://", url_error::missing_host},
        {"http://:80/", url_error::missing_host},
        {"http://joe@/", url_error::missing_host},
        {"http://?q", url_error::missing_host},
        {"http:///\\/?q", url_error::missing_host},
        {"http:@/path", url_error::missing_host},
        {"http://a b/", url_error::bad_host},
        {"http://a%20b/", url_error::bad_host},
        {"http://a,b/", url_error::bad_host},
        {"http://[::1/", url_error::bad_host},
        {"http://[::1]x/", url_error::bad_host},
        {"http://[::1]80/", url_error::bad_host},
        {"http://[127.0.0.1]/", url_error::bad_host},
        {"http://[]/", url_error::bad_host},
        {"http://[::%31]/", url_error::bad_host},
        {"http://[::1%252]/", url_error::bad_host},
        {"http://[v1.x]/", url_error::bad_host},
        {"http://256.0.0.1/", url_error::bad_host},
        {"http://a.0x/", url_error::bad_host},
        {"http://a\"b/", url_error::bad_host},
        {"http://a;b/", url_error::bad_host},
        {"http://a%2fb/", url_error::bad_host},
        {"http://a%00b/", url_error::bad_host},
        {"http://a\x01/", url_error::bad_host},
        {"http://a\x7f/", url_error::bad_host},
        {"http://09.1/", url_error::bad_host},
        {"http://1.2.3.4.5/", url_error::bad_host},
        {"http://4294967296/", url_error::bad_host},
        {"http://1..2/", url_error::bad_host},
        {"http://a.b.256/", url_error::bad_host},
        {"http://\xff/", url_error::non_ascii_host},
        {"http://a:0/", url_error::bad_port},
        {"http://a:70000/", url_error::bad_port},
        {"http://a:-1/", url_error::bad_port},
        {"http://a:8x/", url_error::bad_port},
        {"http://a: 80/", url_error::bad_port},
        {"http://::1/", url_error::bad_port},
        {"http://a:80:80/", url_error::bad_port},
    };
    for (const auto& each : cases) {
        CAPTURE(each.text);
        const auto parsed = url::try_parse(each.text);
        CHECK(parsed.error() == each.expected);
    }
    CHECK(url::try_parse(std::string_view("http://a\0b/", 11)).error() == url_error::bad_host);
    CHECK(url::try_parse("http://a/" + std::string(url::size_max, 'x')).error() == url_error::too_long);
    CHECK(url::try_parse("http://" + std::string(300, 'x')).error() == url_error::bad_host);
}

TEST_CASE("names that only look odd are accepted") {
    for (const char* text :
         {"http://a_b.example/", "http://xn--bcher-kva.example/", "http://example.org./", "http://0xbox/",
          "http://1and1.example/", "http://3.example/", "http://127.0.0.1/", "http://r3---sn.example/",
          "http://-a-.example/", "http://a..b/", "http://xn--n3h.example/"}) {
        CAPTURE(text);
        CHECK(url::parse(text).to_string() == text);
    }
}

TEST_CASE("a host is what it means, however it is written") {
    struct {
        const char* text;
        const char* host;
    } const cases[] = {
        {"http:a", "a"},
        {"http:/a/", "a"},
        {"http:////a", "a"},
        {"http:\\\\a\\b", "a"},
        {"http://good\\@evil/", "good"},
        {"ht\ntp:/\t/a\r.b/", "a.b"},
        {"http://%41%2eb/", "a.b"},
        {"http://127.1/", "127.0.0.1"},
        {"http://1.2.3.4./", "1.2.3.4"},
        {"http://2130706433/", "127.0.0.1"},
        {"http://0x7f.0x1/", "127.0.0.1"},
        {"http://0177.0.0.01/", "127.0.0.1"},
        {"http://192.168.257/", "192.168.1.1"},
        {"http://0x/", "0.0.0.0"},
        {"http://0xffffffff/", "255.255.255.255"},
        {"http://%30x7f%2e1/", "127.0.0.1"},
        {"http://[0:0::0:1.2.3.4]/", "::102:304"},
        {"http://[1:0:0:2:0:0:0:3]/", "1:0:0:2::3"},
        {"http://[1:0:2:0:3:0:4:0]/", "1:0:2:0:3:0:4:0"},
        {"http://[::]/", "::"},
        {"http://[1::]/", "1::"},
        {"http://[::ffff:1.2.3.4]/", "::ffff:102:304"},
    };
    for (const auto& each : cases) {
        CAPTURE(each.text);
        CHECK(url::parse(each.text).host() == each.host);
        CHECK(url::parse(url::parse(each.text).to_string()).host() == each.host);
    }
}

#if LEAT_HAS_IDN
TEST_CASE("a host in Unicode is asked for in its ASCII form") {
    struct {
        const char* text;
        const char* host;
    } const cases[] = {
        {"http://B\xc3\xbc"
         "cher.EXAMPLE/",
         "xn--bcher-kva.example"},
        {"http://b%c3%bccher.example/", "xn--bcher-kva.example"},
        {"http://XN--BCHER-KVA.example/", "xn--bcher-kva.example"},
        {"http://fa\xc3\x9f.example/", "xn--fa-hia.example"},
        {"http://a\xe3\x80\x82"
         "b/",
         "a.b"},
        {"http://\xef\xbc\xa7o\xc2\xad/", "go"},
        {"http://\xef\xbc\x90x7f.1/", "127.0.0.1"},
        {"http://r3---sn.b\xc3\xbc"
         "cher/",
         "r3---sn.xn--bcher-kva"},
    };
    for (const auto& each : cases) {
        CAPTURE(each.text);
        CHECK(url::parse(each.text).host() == each.host);
    }
    for (const char* text : {"http://\xef\xbc\x85/", "http://a\xc2\xa0/", "http://\xc2\xad/", "http://xn--a/",
                             "http://xn--pokxncvks/", "http://\xef\xbc\x8f/", "http://\xef\xbc\xa0/"}) {
        CAPTURE(text);
        CHECK(url::try_parse(text).error() == url_error::bad_host);
    }
    // Such a label would not be taken again in the form that libidn2 makes of it.
    CHECK(url::try_parse("http://\xce\xa4~~~~~~~~~~~~~~~~~~~~~~~~~~~0/").error() ==
          url_error::non_ascii_host);
    // IDNA 2008 has no symbols, and no names of letters that are not assigned.
    CHECK(url::try_parse("http://\xe2\x98\x83/").error() == url_error::non_ascii_host);
    CHECK(url::try_parse("http://\xef\xbf\xbd/").error() == url_error::non_ascii_host);
}
#endif

TEST_CASE("the error of a bad URL is one line that names it and tells no password") {
    CHECK(what_of("http://a:99999/") ==
          "bad URL \"http://a:99999/\": its port is not a number from 1 to 65535");
    CHECK(what_of("http://joe:secret@a:0/x@y") ==
          "bad URL \"http://***@y\": its port is not a number from 1 to 65535");
    CHECK(what_of("http://user:sec/ret@h/") ==
          "bad URL \"http://***@h/\": its port is not a number from 1 to 65535");
    CHECK(leat::http::printable_url("http://joe:secret@a/\x1b[2J\n") == "http://***@a/?[2J?");
    CHECK(what_of("joe:secret@a/") == "bad URL \"***@a/\": its scheme is neither http nor https");
    CHECK(what_of("http://a b/\n\x1b[2J") ==
          "bad URL \"http://a b/??[2J\": its host is neither a host name nor an IP address");
    struct {
        const char* text;
        const char* shown;
    } const cases[] = {
        {"http://joe:pw@a/b@c?d@e", "http://***@a/b@c?d@e"},
        {"http://a/@joe/b", "http://a/@joe/b"},
        {"http://a?q=@b", "http://a?q=@b"},
        {"http://j@e:p@a/", "http://***@a/"},
        {"http:joe:pw@a/", "http:***@a/"},
        {"http:/\\/joe:pw@a/", "http:/\\/***@a/"},
        {"HTTP:/\n/joe:pw@a/", "HTTP:/?/***@a/"},
        {"ftp://joe:p/w@a/", "ftp://***@a/"},
        {"//joe:p/w@a/", "***@a/"},
        {"joe:p?w#@a", "***@a"},
        {"http://joe:pw@", "http://***@"},
        // What is not ASCII may control a terminal (U+009B), and change the order of text (U+202E).
        {"http://b\u00fccher/\xc2\x9b\x33\x31m\x9b\u202e", "http://b%C3%BCcher/%C2%9B31m%9B%E2%80%AE"},
    };
    for (const auto& each : cases) {
        CAPTURE(each.text);
        CHECK(leat::http::printable_url(each.text) == each.shown);
    }
    const std::string far = "http://joe:" + std::string(2000, 's') + "@a:0/";
    CHECK(what_of(far).find("sss") == std::string::npos);
    CHECK(what_of("http://a:0/" + std::string(5000, 'x')).size() < 700);
    CHECK(leat::http::short_url("http://a/" + std::string(491, 'x')).size() == 500);
    CHECK(leat::http::short_url("http://a/" + std::string(492, 'x')).size() == 503);
    CHECK(url::parse("http://joe:secret@a/").to_string() == "http://a/");
}

TEST_CASE("credentials are what was meant, whatever bytes that is") {
    CHECK(url::parse("http://joe@a/").credentials() == "joe:");
    CHECK(url::parse("http://:pw@a/").credentials() == ":pw");
    CHECK(url::parse("http://joe:a:b@a/").credentials() == "joe:a:b");
    CHECK(url::parse("http://:@a/").credentials().empty());
    CHECK_FALSE(url::parse("http://@a/").has_credentials());
    CHECK(url::parse("http://j e:\xc3\xa9@a/").href() == "http://j%20e:%C3%A9@a/");
    CHECK(url::parse("http://jo%3ae@a/").credentials() == "jo:e:");
    CHECK(url::parse("http://joe:@a/").credentials() == "joe:");
    CHECK(url::parse("http://j@e:p@a/").credentials() == "j@e:p");
    CHECK(url::parse("http://joe:%0d%0A%@a/").credentials() == "joe:\r\n%");
    CHECK(url::parse("http://joe:%4@a/").credentials() == "joe:%4");
    CHECK(url::parse("http://joe:%zz@a/").credentials() == "joe:%zz");
}

// RFC 3986 5.4, with http where the RFC has it; the schemes we do not speak are errors.
TEST_CASE("references resolve as in the examples of RFC 3986") {
    const url base = url::parse("http://a/b/c/d;p?q");
    struct {
        const char* reference;
        const char* resolved;
    } const cases[] = {
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g/"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q"},
        {"g#s", "http://a/b/c/g"},
        {"g?y#s", "http://a/b/c/g?y"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"g;x?y#s", "http://a/b/c/g;x?y"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"../../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {".g", "http://a/b/c/.g"},
        {"g..", "http://a/b/c/g.."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/./x", "http://a/b/c/g?y/./x"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"g#s/./x", "http://a/b/c/g"},
        {"g#s/../x", "http://a/b/c/g"},
    };
    for (const auto& each : cases) {
        CAPTURE(each.reference);
        CHECK(base.resolve(each.reference).to_string() == each.resolved);
    }
    CHECK(base.try_resolve("g:h").error() == url_error::unsupported_scheme);
    CHECK(base.resolve("http:g").to_string() == "http://a/b/c/g");
    CHECK(base.resolve("HTTP:/g").to_string() == "http://a/g");
    CHECK(base.resolve("https:g").to_string() == "https://g/");
}

TEST_CASE("a Location that is absolute, or less than clean, resolves as browsers do it") {
    const url base = url::parse("https://joe:pw@a:8443/b/c?q");
    CHECK(base.resolve("http://x:81/y").to_string() == "http://x:81/y");
    CHECK(base.resolve("//x/y").to_string() == "https://x/y");
    CHECK_FALSE(base.resolve("//x/y").has_credentials());
    CHECK(base.resolve("/y").credentials() == "joe:pw");
    CHECK(base.resolve("/y").origin() == "https://a:8443");
    CHECK(base.resolve(" d e ").request_target() == "/b/d%20e");
    CHECK(base.resolve("\\\\x\\y").to_string() == "https://x/y");
    CHECK(base.resolve("\\x").request_target() == "/x");
    CHECK(base.resolve("#d e").href() == "https://joe:pw@a:8443/b/c?q#d%20e");
    CHECK(base.resolve("?").request_target() == "/b/c?");
    CHECK(base.resolve("1:2").request_target() == "/b/1:2");
    CHECK(base.resolve("/y\r\nSet-Cookie: x").request_target() == "/ySet-Cookie:%20x");
    CHECK(base.try_resolve("javascript:alert(1)").error() == url_error::unsupported_scheme);
    CHECK_THROWS_WITH_AS(
        static_cast<void>(base.resolve("ftp://z/")),
        doctest::Contains("bad URL \"ftp://z/\" in a redirect from https://a:8443/b/c?q: its scheme"),
        std::system_error);
}

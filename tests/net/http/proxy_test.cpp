// SPDX-License-Identifier: MIT
#include <leat/http.hpp>
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include "../../support/http_origin.hpp"

#include <initializer_list>
#include <string>

using leat::http::fetched;
using leat::http::proxies;
using leat::http::url;
using support::answer;
using support::http_origin;

namespace {

std::string chosen(const proxies& from, std::string_view target) {
    const auto found = from.find(url::parse(target));
    return found ? found->to_string() : "none";
}

}  // namespace

TEST_CASE("a proxy is chosen by scheme, and not for the hosts that no_proxy names") {
    proxies some;
    CHECK(chosen(some, "http://a/") == "none");
    some.set_http("proxy:3128");
    some.set_https("http://user:secret@other:8080/");
    some.set_excluded(" localhost, .internal ,example.org,ported.net:81,,");
    CHECK(chosen(some, "http://a/") == "http://proxy:3128/");
    CHECK(chosen(some, "https://a/") == "http://other:8080/");
    for (const char* excluded :
         {"http://localhost/", "https://x.internal/", "http://internal/", "http://EXAMPLE.org:99/",
          "http://www.example.org/", "http://ported.net:81/"}) {
        CHECK(chosen(some, excluded) == "none");
    }
    for (const char* included : {"http://notexample.org/", "http://ported.net/", "http://localhost.com/"}) {
        CHECK(chosen(some, included) == "http://proxy:3128/");
    }
    some.set_excluded("*");
    CHECK(chosen(some, "http://a/") == "none");
}

// Tried with curl 7.88, Python's requests 2.34 and Go 1.19, which agree on less than half of it. An entry
// excludes here what it excludes for one of them, but for these: "0.0.1" (requests compares the ends of
// addresses as text), "10.0.0.0/" and "10.0.0.0/8x" (curl reads what is a number in them).
TEST_CASE("no_proxy excludes what it excludes for curl, requests or Go") {
    struct row {
        const char* list;
        const char* target;
        bool excluded;
    };
    for (const row& each : std::initializer_list<row>{
             {"127.0.0.0/8", "http://127.0.0.1/", true},
             {"127.0.0.1/8", "http://127.200.0.1/", true},
             {"127.0.0.0/8", "http://128.0.0.1/", false},
             {"10.1.2.0/23", "http://10.1.3.255/", true},
             {"10.1.2.0/23", "http://10.1.4.0/", false},
             {"0.0.0.0/0", "http://8.8.8.8/", true},
             {"0.0.0.0/0", "http://[::1]/", false},
             {"0.0.0.0/0", "http://a.example/", false},
             {"10.0.0.0/33", "http://10.0.0.0/", false},
             {"10.0.0.0/", "http://10.0.0.0/", false},
             {"10.0.0.0/8x", "http://10.0.0.0/", false},
             {"fe80::/10", "http://[fe80::1]/", true},
             {"fe80::/10", "http://[fec0::1]/", false},
             {"[::1]", "http://[::1]:8080/", true},
             {"::1", "http://[::1]/", true},
             {"[::1]:8080", "http://[::1]:8080/", true},
             {"[::1]:8080", "http://[::1]/", false},
             {"0:0:0:0:0:0:0:1", "http://[::1]/", true},
             {"::1", "http://[::2]/", false},
             {"127.0.0.1", "http://127.0.0.1:81/", true},
             {"127.0.0.1:81", "http://127.0.0.1:81/", true},
             {"127.0.0.1:82", "http://127.0.0.1:81/", false},
             {"0.0.1", "http://127.0.0.1/", false},
             {"*,x", "http://a/", true},
             {"x *", "http://a/", true},
             {"x,*.a.example", "http://b.a.example/", true},
             {"*.a.example", "http://a.example.org/", false},
             {"*.a.example", "http://a.example/", false},
             {".a.example", "http://a.example/", true},
             {"192.0.2.1", "http://[::ffff:192.0.2.1]/", true},
             {"::ffff:192.0.2.1", "http://192.0.2.1/", true},
             {"192.0.2.0/24", "http://[::ffff:192.0.2.1]/", true},
             {"192.0.2.0/24", "http://[::ffff:192.0.3.1]/", false},
             {"localhost.", "http://localhost/", true},
             {"localhost", "http://localhost./", true},
             {"localhost", "http://localhost.example/", false},
             {".example.org.", "http://www.example.org/", true},
             {"a b  c", "http://b/", true},
             {"a\tb,c", "http://b/", true},
             {"a b  c", "http://d/", false},
             {"b:80", "http://b/", true},
             {"b:443", "https://x.b/", true},
             {"b:443", "http://b/", false},
             {".", "http://b/", false},
             {":80", "http://b/", false},
             {"", "http://b/", false},
             {" , ,", "http://b/", false},
         }) {
        CAPTURE(each.list);
        CAPTURE(each.target);
        proxies some;
        some.set_excluded(each.list);
        CHECK(some.excludes(url::parse(each.target)) == each.excluded);
    }
}

TEST_CASE("a proxy that cannot be used is an error") {
    proxies some;
    some.set_http("https://proxy/");
    CHECK_THROWS_AS((void)some.find(url::parse("http://a/")), leat::http::request_error);
    some.set_http("socks5://proxy/");
    CHECK_THROWS_AS((void)some.find(url::parse("http://a/")), leat::http::request_error);
}

TEST_CASE("a SOCKS5 proxy is one that is called socks5h, on port 1080 unless another is given") {
    proxies some;
    for (const auto& [given, place] : {std::pair("socks5h://p", "http://p:1080/"),
                                       {"SOCKS5H://me:pw@p/", "http://p:1080/"},
                                       {"socks5h://p:80", "http://p/"},
                                       {"socks5h://p:443", "http://p:443/"},
                                       {"socks5h://[::1]:9", "http://[::1]:9/"}}) {
        CAPTURE(given);
        some.set_all(given);
        const auto found = some.find(url::parse("https://a/"));
        REQUIRE(found.has_value());
        CHECK(found->socks);
        CHECK(found->to_string() == place);
    }
    some.set_http("http://q/");
    CHECK_FALSE(some.find(url::parse("http://a/"))->socks);
    CHECK(chosen(some, "http://a/") == "http://q/");
    some.set_all("socks5h://:1080");
    CHECK_THROWS_AS((void)some.find(url::parse("https://a/")), leat::http::request_error);
}

LEAT_TEST("a request goes through a SOCKS5 proxy, and the proxy looks the name up") {
    http_origin origin([](const std::string& head) { return support::with_length(head.substr(0, 6)); });
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    std::string asked;
    const auto serve_socks = [&]() -> leat::task<> {
        auto near = co_await listener.accept();
        std::string bytes(4, ' ');
        co_await near.recv_exactly(bytes);
        co_await near.send_all(std::string{5, 2});
        bytes.resize(7);
        co_await near.recv_exactly(bytes);
        asked = bytes;
        co_await near.send_all(std::string{1, 0});
        bytes.resize(18);
        co_await near.recv_exactly(bytes);
        asked += bytes.substr(5, 12);
        co_await near.send_all(std::string{5, 0, 0, 1, 0, 0, 0, 0, 0, 0});
        auto far = co_await leat::tcp_stream::connect({"127.0.0.1", origin.port()});
        co_await leat::copy_both(near, far);
    };
    co_await origin.during([&]() -> leat::task<> {
        auto proxy = leat::spawn(serve_socks);
        leat::http::client client({.environment_proxies = false});
        proxies some;
        some.set_all("socks5h://me:pw@127.0.0.1:" + std::to_string(listener.local_endpoint().port()));
        client.use_proxies(some);
        for (const char* path : {"/x", "/y"}) {
            const fetched page = co_await client.get("http://hidden.test" + std::string(path));
            CHECK(page.body == "GET " + std::string(path));
        }
        CHECK(asked == std::string("\x01\x02me\x02pw") + "hidden.test" + std::string(1, '\0'));
        CHECK(origin.accepted == 1);
        proxy.cancel();
        co_await proxy.join();
    });
}

LEAT_TEST("a proxy is asked for the whole URL, over one connection for all hosts") {
    http_origin proxy(
        [](const std::string&) -> answer { return {"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nproxied"}; });
    co_await proxy.during([&]() -> leat::task<> {
        leat::http::client client({.environment_proxies = false});
        proxies some;
        some.set_http("http://me:pw@127.0.0.1:" + std::to_string(proxy.port()));
        client.use_proxies(some);
        for (const char* host : {"a.example", "b.example"}) {
            const fetched page = co_await client.get("http://" + std::string(host) + ":81/x?y");
            CHECK(page.body == "proxied");
            CHECK(proxy.heads.back().starts_with("GET http://" + std::string(host) +
                                                 ":81/x?y HTTP/1.1\r\nHost: " + host + ":81\r\n"));
            CHECK(proxy.heads.back().find("Proxy-Authorization: Basic bWU6cHc=\r\n") != std::string::npos);
        }
        (void)co_await client.get("http://[fe80::1%25lo]/z");
        CHECK(proxy.heads.back().starts_with("GET http://[fe80::1]/z HTTP/1.1\r\nHost: [fe80::1]\r\n"));
        CHECK(proxy.accepted == 1);
    });
}

LEAT_TEST("a proxy that refuses a tunnel is an error that says so") {
    http_origin proxy([](const std::string&) -> answer {
        return {"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"};
    });
    co_await proxy.during([&]() -> leat::task<> {
        leat::http::client client({.environment_proxies = false});
        proxies some;
        some.set_https(proxy.url("/"));
        client.use_proxies(some);
        const std::string what = co_await support::error_of(client.get("https://a.example/x"));
        CHECK(what == "https://a.example/x: connect to a.example:443 by the proxy 127.0.0.1:" +
                          std::to_string(proxy.port()) + ": it answered 407 Proxy Authentication Required");
        CHECK(proxy.heads.at(0).starts_with("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n"));
    });
}

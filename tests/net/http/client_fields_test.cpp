// SPDX-License-Identifier: MIT
// The fields of a request: whose they are, how long they live, and whom they are told.
#include <leat/http.hpp>
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include "../../support/http_origin.hpp"

#include <string>
#include <vector>

using namespace std::chrono_literals;
using leat::http::fetched;
using support::answer;
using support::direct;
using support::error_of;
using support::http_origin;
using support::path_of;
using support::redirect_to;
using support::with_length;

namespace {

// The values of all fields of a request's head that are called `name`.
std::vector<std::string> values_of(const std::string& head, std::string_view name) {
    std::vector<std::string> found;
    for (std::size_t at = head.find("\r\n"); at + 4 < head.size(); at = head.find("\r\n", at + 2)) {
        const std::string line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
        if (line.starts_with(std::string(name) + ": ")) {
            found.push_back(line.substr(name.size() + 2));
        }
    }
    return found;
}
using values = std::vector<std::string>;

}  // namespace

LEAT_TEST("a URL that was parsed before is asked for as its text is, with its credentials") {
    http_origin origin([](const std::string& head) { return with_length(path_of(head)); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const auto first =
            leat::http::url::parse("http://user:pw@127.0.0.1:" + std::to_string(origin.port()) + "/a/b?c");
        const fetched page = co_await client.get(first);
        CHECK(page.body == "/a/b?c");
        CHECK(page.url == first);
        CHECK(origin.heads.at(0).find("Authorization: Basic dXNlcjpwdw==\r\n") != std::string::npos);
        leat::http::response_stream next = co_await client.open(page.url.resolve("d"));
        CHECK(co_await next.read_all() == "/a/d");
        CHECK((co_await error_of(client.get("no://url"))).starts_with("bad URL \"no://url\""));
    });
}

LEAT_TEST("fields that the client writes itself, and those of one connection, are refused by name") {
    http_origin origin([](const std::string&) { return with_length(""); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        for (const char* name :
             {"Content-Length", "content-length", "Transfer-Encoding", "Connection", "Host", "Upgrade", "TE",
              "Keep-Alive", "Proxy-Connection", "Expect", "Trailer", "HTTP2-Settings"}) {
            const leat::http::headers fields{{"X-Good", "1"}, {name, "5"}};
            const std::string text = "the field " + std::string(name) +
                                     " is the HTTP client's own: it cannot be given with a request";
            const std::string got = co_await error_of(client.get(origin.url("/"), {}, fields));
            CHECK(got == text);
            const std::string headed = co_await error_of(client.head(origin.url("/"), {}, fields));
            CHECK(headed == text);
        }
        CHECK(origin.accepted == 0);
    });
}

LEAT_TEST("a request may be awaited after what it was asked with is gone") {
    http_origin origin([](const std::string&) { return with_length("x"); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        std::vector<leat::task<fetched>> asked;
        for (int i = 0; i < 3; ++i) {
            leat::http::headers fields;
            fields.add("X-Mine", "number " + std::to_string(i) + std::string(100, '!'));
            asked.push_back(client.get(origin.url("/"), {}, fields));
            fields.set("X-Mine", "another");
        }
        asked.push_back(client.get(origin.url("/"), {}, {{"X-Mine", "at once"}, {"Accept", "text/plain"}}));
        for (auto& each : asked) {
            const fetched page = co_await std::move(each);
            CHECK(page.body == "x");
        }
        for (std::size_t i = 0; i < 3; ++i) {
            CHECK(values_of(origin.heads.at(i), "X-Mine") ==
                  values{"number " + std::to_string(i) + std::string(100, '!')});
        }
        CHECK(values_of(origin.heads.at(3), "X-Mine") == values{"at once"});
        CHECK(values_of(origin.heads.at(3), "Accept") == values{"text/plain"});
    });
}

LEAT_TEST("what was meant for one host is not sent to another") {
    http_origin other([](const std::string&) { return with_length("other"); });
    http_origin origin([&](const std::string& head) {
        return path_of(head) == "/away" ? redirect_to(other.url("/")) : redirect_to("/away");
    });
    co_await other.during([&]() -> leat::task<> {
        co_await origin.during([&]() -> leat::task<> {
            leat::http::client client(direct);
            const leat::http::headers fields{
                {"Cookie", "secret"}, {"proxy-authorization", "Basic c2VjcmV0"}, {"X-Other", "shown"}};
            const std::string asked = "http://me:secret@127.0.0.1:" + std::to_string(origin.port()) + "/";
            const fetched page = co_await client.get(asked, {}, fields);
            CHECK(page.body == "other");
            for (const std::string& head : origin.heads) {
                CHECK(values_of(head, "Authorization") == values{"Basic bWU6c2VjcmV0"});
                CHECK(values_of(head, "Cookie") == values{"secret"});
                CHECK(values_of(head, "proxy-authorization") == values{"Basic c2VjcmV0"});
            }
            CHECK(origin.heads.size() == 2);
            CHECK(values_of(other.heads.at(0), "Authorization").empty());
            CHECK(values_of(other.heads.at(0), "Cookie").empty());
            CHECK(values_of(other.heads.at(0), "proxy-authorization").empty());
            CHECK(values_of(other.heads.at(0), "X-Other") == values{"shown"});
        });
    });
}

LEAT_TEST("credentials in the URL have a colon, and give way to an Authorization of the caller's") {
    http_origin other([](const std::string&) { return with_length("other"); });
    http_origin origin([&](const std::string& head) {
        const std::string location = "http://third:x@127.0.0.1:" + std::to_string(other.port()) + "/";
        return path_of(head) == "/away" ? redirect_to(location) : with_length("x");
    });
    co_await other.during([&]() -> leat::task<> {
        co_await origin.during([&]() -> leat::task<> {
            leat::http::client client(direct);
            const std::string place = "@127.0.0.1:" + std::to_string(origin.port());
            (void)co_await client.get("http://token" + place + "/");
            CHECK(values_of(origin.heads.at(0), "Authorization") == values{"Basic dG9rZW46"});
            const leat::http::headers own{{"Authorization", "Bearer mine"}};
            (void)co_await client.get("http://me:pw" + place + "/", {}, own);
            CHECK(values_of(origin.heads.at(1), "Authorization") == values{"Bearer mine"});
            (void)co_await client.get("http://me:pw" + place + "/away", {}, own);
            CHECK(values_of(origin.heads.at(2), "Authorization") == values{"Bearer mine"});
            CHECK(values_of(other.heads.at(0), "Authorization") == values{"Basic dGhpcmQ6eA=="});
        });
    });
}

LEAT_TEST("a proxy's credentials are those that the caller gives, or those of its URL, not both") {
    http_origin proxy([](const std::string&) { return with_length("x"); });
    co_await proxy.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        leat::http::proxies some;
        some.set_http("http://me:pw@127.0.0.1:" + std::to_string(proxy.port()));
        client.use_proxies(some);
        (void)co_await client.get("http://a.example/");
        CHECK(values_of(proxy.heads.at(0), "Proxy-Authorization") == values{"Basic bWU6cHc="});
        const leat::http::headers own{{"Proxy-Authorization", "Bearer mine"}};
        (void)co_await client.get("http://a.example/", {}, own);
        CHECK(values_of(proxy.heads.at(1), "Proxy-Authorization") == values{"Bearer mine"});
    });
}

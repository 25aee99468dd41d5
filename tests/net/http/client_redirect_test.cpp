// SPDX-License-Identifier: MIT
// Redirects: which are followed, and what becomes of the bodies that come with them.
#include <leat/http.hpp>
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include "../../support/http_origin.hpp"

#include <map>
#include <string>

using namespace std::chrono_literals;
using leat::http::fetched;
using support::answer;
using support::direct;
using support::error_of;
using support::http_origin;
using support::path_of;
using support::redirect_to;
using support::then;
using support::with_length;

LEAT_TEST("redirects are followed, absolute and relative, over one connection") {
    http_origin origin([](const std::string& head) -> answer {
        const std::map<std::string, std::string> to{
            {"/a/first", "second"}, {"/a/second", "../third?x=1"}, {"/third?x=1", "/end"}};
        const auto found = to.find(path_of(head));
        return found != to.end() ? redirect_to(found->second) : with_length(path_of(head));
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const fetched page = co_await client.get(origin.url("/a/first"));
        CHECK(page.body == "/end");
        CHECK(page.url.to_string() == origin.url("/end"));
        CHECK(origin.accepted == 1);
    });
}

LEAT_TEST("too many redirects, and redirects to nowhere, are errors that name the URL") {
    http_origin origin([](const std::string& head) -> answer {
        const std::string path = path_of(head);
        if (path == "/bad") {
            return redirect_to("ftp://elsewhere/");
        }
        return redirect_to(path == "/self" ? path : path + "x");
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const std::string many = co_await error_of(client.get(origin.url("/")));
        CHECK(many == origin.url("/") + " (redirected to " + origin.url("/xxxxxxxxxx") +
                          "): too many redirects (10)");
        const std::string none = co_await error_of(client.get(origin.url("/"), {.redirects = 0}));
        CHECK(none == origin.url("/") + ": too many redirects (0)");
        const std::string self = co_await error_of(client.get(origin.url("/self")));
        CHECK(self ==
              origin.url("/self") + " (redirected to " + origin.url("/self") + "): too many redirects (10)");
        const std::string bad = co_await error_of(client.get(origin.url("/bad")));
        CHECK(bad.starts_with(origin.url("/bad") + ": bad URL \"ftp://elsewhere/\""));
        CHECK(origin.accepted == 1);
    });
}

LEAT_TEST(
    "what a server writes into a Location does not come as it is, nor endlessly, into an error's text") {
    std::string location;
    http_origin origin([&](const std::string&) -> answer { return redirect_to(location); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        location = "ftp://\xc2\x9b\x33\x31mred\u202e/";
        const std::string bad = co_await error_of(client.get(origin.url("/")));
        CHECK(bad == origin.url("/") + ": bad URL \"ftp://%C2%9B31mred%E2%80%AE/\" in a redirect from " +
                         origin.url("/") + ": its scheme is neither http nor https");
        location = "/" + std::string(20'000, 'a');
        const std::string far = co_await error_of(client.get(origin.url("/"), {.redirects = 1}));
        CHECK(far.ends_with("aaa...): too many redirects (1)"));
        CHECK(far.size() < 700);
        location = "/" + std::string(500, 'b') + "/../ftp://" + std::string(20'000, 'a');
        const std::string twice = co_await error_of(client.get(origin.url("/"), {.redirects = 3}));
        CHECK(twice.size() < 700);
    });
}

LEAT_TEST("a redirect to a URL that was asked before is followed: by then the answer may be another") {
    int asked = 0;
    http_origin origin([&](const std::string& head) -> answer {
        ++asked;
        if (path_of(head) == "/check") {
            return redirect_to("/page");
        }
        if (path_of(head) == "/once") {
            return asked == 1 ? redirect_to("/once") : with_length("came back");
        }
        return asked == 1 ? redirect_to("/check") : with_length("let in");
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const fetched page = co_await client.get(origin.url("/page"));
        CHECK(page.body == "let in");
        CHECK(asked == 3);
        asked = 0;
        const fetched once = co_await client.get(origin.url("/once"));
        CHECK(once.body == "came back");
    });
}

LEAT_TEST("a redirect without a Location is an error of that URL") {
    int status = 0;
    http_origin origin([&](const std::string&) -> answer {
        return {"HTTP/1.1 " + std::to_string(status) + " Moved\r\nContent-Length: 2\r\n\r\nhi"};
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        for (const int each : {301, 302, 303, 307, 308}) {
            status = each;
            const std::string what = co_await error_of(client.get(origin.url("/x")));
            CHECK(what == origin.url("/x") + ": a redirect (" + std::to_string(each) + ") without Location");
        }
        status = 300;
        const fetched choices = co_await client.get(origin.url("/x"));
        CHECK(choices.status == 300);  // not one that is followed
        CHECK(choices.body == "hi");
    });
}

// All of them would fail, or wait for ever, if they had to be read to their end.
LEAT_TEST("the body of a redirect costs the connection at most, not the request",
          on(leat::testing::simulated)) {
    const std::string moved = "HTTP/1.1 307 Temporary Redirect\r\nLocation: /end\r\n";
    const std::string megabyte(1 << 20, 'z');
    const answer bodies[] = {
        {moved + "Content-Length: 100\r\n\r\n", then::close},
        {moved + "Content-Length: 100\r\n\r\n", then::hold},
        {moved + "Content-Length: 100\r\n\r\nabc", then::close},
        {moved + "Content-Length: 100\r\n\r\nabc", then::hold},
        {moved + "Content-Length: 999999999\r\n\r\nabc", then::hold},
        {moved + "Transfer-Encoding: chunked\r\n\r\n", then::close},
        {moved + "Transfer-Encoding: chunked\r\n\r\n", then::hold},
        {moved + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", then::hold},
        {moved + "Transfer-Encoding: chunked\r\n\r\n100000\r\n" + megabyte, then::hold},
        {moved + "\r\n" + megabyte, then::hold},
        {moved + "\r\nuntil the end", then::close},
        {moved + "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain"},
    };
    const answer* given = nullptr;
    http_origin origin(
        [&](const std::string& head) { return path_of(head) == "/end" ? with_length("followed") : *given; });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        for (const answer& each : bodies) {
            given = &each;
            const leat::time_point start = leat::now();
            const fetched page = co_await client.get(origin.url("/"), {.body_bytes = 50});
            CHECK(page.body == "followed");
            CHECK(leat::now() - start < 2s);  // of virtual time
        }
    });
}

LEAT_TEST("the connection of a redirect with a short body is used again") {
    http_origin origin([](const std::string& head) -> answer {
        const std::string moved = "HTTP/1.1 302 Found\r\nLocation: /end\r\n";
        if (path_of(head) == "/counted") {
            return {moved + "Content-Length: 5\r\n\r\nmoved"};
        }
        return path_of(head) == "/chunked"
                   ? answer{moved + "Transfer-Encoding: chunked\r\n\r\n5\r\nmoved\r\n0\r\n\r\n"}
                   : with_length("end");
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        for (const char* path : {"/counted", "/chunked"}) {
            const fetched page = co_await client.get(origin.url(path));
            CHECK(page.body == "end");
        }
        CHECK(origin.accepted == 1);
    });
}

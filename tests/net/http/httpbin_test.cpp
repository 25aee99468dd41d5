// SPDX-License-Identifier: MIT
// The client and a server that is not ours: httpbin under gunicorn, both of Python, started here. It answers
// with what it has been asked, and in all the ways that servers have.
#include <leat/http.hpp>
#include <leat/net.hpp>
#include <leat/system/process.hpp>
#include <leat/testing/doctest.hpp>

#include "../../support/http_origin.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using leat::http::fetched;
using leat::http::request_body;
using leat::http::request_options;
using leat::testing::kernel;
using support::direct;

namespace {

bool tells(const fetched& page, std::string_view part) {
    const bool found = page.body.find(part) != page.body.npos;
    CHECK_MESSAGE(found, part << " in " << page.body.substr(0, 500));
    return found;
}

struct httpbin {
    leat::process server;
    std::string place;  // 127.0.0.1:PORT

    [[nodiscard]] std::string url(std::string_view path, std::string_view login = "") const {
        return "http://" + std::string(login) + place + std::string(path);
    }
};

// Nothing where it is not installed.
leat::task<std::optional<httpbin>> start_httpbin() {
    constexpr std::string_view before = "Listening at: http://";
    httpbin made;
    try {
        made.server = leat::process::spawn(
            {"gunicorn", "--bind", "127.0.0.1:0", "--threads", "4", "httpbin:app"},
            {.output = leat::redirect::null, .errors = leat::redirect::pipe, .new_group = true});
    } catch (const std::system_error& failure) {
        REQUIRE(failure.code() == std::errc::no_such_file_or_directory);
        co_return std::nullopt;
    }
    std::string said;
    for (std::size_t at; (at = said.find(before)) == said.npos || said.find('(', at) == said.npos;) {
        const leat::chunk piece = co_await made.server.errors().recv_chunk();
        if (piece.empty()) {
            REQUIRE_MESSAGE(said.find("No module named") != said.npos, said);
            co_return std::nullopt;
        }
        said += piece.text();
    }
    const std::size_t begin = said.find(before) + before.size();
    made.place = said.substr(begin, said.find(' ', begin) - begin);
    co_return made;
}

leat::task<> methods_and_bodies(const httpbin& at, leat::http::client& client) {
    CHECK(tells(co_await client.get(at.url("/anything?a=1&b=%20")), R"("args":{"a":"1","b":" "})"));
    CHECK(tells(co_await client.post(at.url("/anything"), "water"), R"("data":"water")"));
    CHECK(tells(co_await client.put(at.url("/put"), std::string(300'000, 'w')), std::string(300'000, 'w')));
    CHECK(tells(co_await client.patch(at.url("/anything"), "p"), R"("method":"PATCH")"));
    CHECK(tells(co_await client.remove(at.url("/anything")), R"("method":"DELETE")"));
    const fetched form = co_await client.post(at.url("/post"), "mill=wheel&of=st%6Fne", {},
                                              {{"Content-Type", "application/x-www-form-urlencoded"}});
    CHECK(tells(form, R"("form":{"mill":"wheel","of":"stone"})"));
    const fetched head = co_await client.head(at.url("/get"));
    CHECK((head.status == 200 && head.body.empty()));
    const fetched allowed = co_await client.options(at.url("/post"));
    CHECK(allowed.headers.contains_token("Allow", "POST"));
    int pieces = 3;
    const auto next = [&]() -> leat::task<std::string> {
        co_return pieces-- > 0 ? std::string(70'000, 'k') : std::string();
    };
    const fetched streamed = co_await client.post(at.url("/post"), request_body::from(next));
    CHECK(tells(streamed, R"("data":")" + std::string(210'000, 'k') + '"'));
}

leat::task<> codings_and_pieces(const httpbin& at, leat::http::client& client) {
    CHECK(tells(co_await client.get(at.url("/gzip")), R"("gzipped":true)"));
    CHECK(tells(co_await client.get(at.url("/deflate")), R"("deflated":true)"));
    const fetched brotli = co_await client.get(at.url("/brotli"));
    CHECK((brotli.undecoded == "br" || tells(brotli, R"("brotli":true)")));
    const fetched stream = co_await client.get(at.url("/stream/20"));
    CHECK(std::ranges::count(stream.body, '\n') == 20);
    const fetched bytes = co_await client.get(at.url("/stream-bytes/65536?seed=1&chunk_size=999"));
    CHECK(bytes.body.size() == 65536);
    const fetched part = co_await client.get(at.url("/range/1000"), {}, {{"Range", "bytes=10-19"}});
    CHECK((part.status == 206 && part.body == "klmnopqrst"));
    const fetched slow = co_await client.get(at.url("/drip?numbytes=4&duration=0.2"));
    CHECK(slow.body == "****");
}

leat::task<> redirects(const httpbin& at, leat::http::client& client) {
    for (const char* const path : {"/redirect/4", "/relative-redirect/3", "/absolute-redirect/3"}) {
        const fetched page = co_await client.get(at.url(path));
        CHECK_MESSAGE((page.status == 200 && page.url.path() == "/get"), path);
    }
    const fetched again = co_await client.post(at.url("/redirect-to?url=/post&status_code=307"), "twice");
    CHECK(tells(again, R"("data":"twice")"));
    const fetched seen = co_await client.post(at.url("/redirect-to?url=/anything&status_code=303"), "once");
    CHECK(tells(seen, R"("method":"GET")"));
    const auto too_many = co_await leat::as_result(client.get(at.url("/redirect/11")));
    CHECK(too_many.error() == leat::http::error::too_many_redirects);
}

leat::task<> logins_and_cookies(const httpbin& at, leat::http::client& client) {
    const auto status = [&](std::string url, request_options how = {},
                            leat::http::headers fields = {}) -> leat::task<int> {
        co_return (co_await client.get(url, how, fields)).status;
    };
    CHECK(co_await status(at.url("/basic-auth/miller/a%20b", "miller:a%20b@")) == 200);
    CHECK(co_await status(at.url("/basic-auth/miller/secret", "miller:wrong@")) == 401);
    CHECK(co_await status(at.url("/bearer"), {}, {{"Authorization", "Bearer token"}}) == 200);
    CHECK(co_await status(at.url("/bearer")) == 401);
    const request_options digest{.login = leat::http::login::digest};
    for (const char* const algorithm : {"/MD5", "/SHA-256"}) {
        const std::string path = std::string("/digest-auth/auth/miller/secret") + algorithm;
        CHECK(co_await status(at.url(path, "miller:secret@"), digest) == 200);
        CHECK(co_await status(at.url(path, "miller:wrong@"), digest) == 401);
    }
    leat::http::cookie_jar jar;
    leat::http::client remembering(direct);
    remembering.use_cookies(jar);
    CHECK(tells(co_await remembering.get(at.url("/cookies/set?mill=wheel")), R"("mill":"wheel")"));
    CHECK(tells(co_await remembering.get(at.url("/cookies/delete?mill")), R"("cookies":{})"));
    CHECK(jar.size() == 0);
}

leat::task<> states_and_limits(const httpbin& at, leat::http::client& client) {
    for (const int status : {201, 204, 304, 404, 418, 500}) {
        CHECK((co_await client.get(at.url("/status/" + std::to_string(status)))).status == status);
    }
    const fetched same = co_await client.get(at.url("/etag/mill"), {}, {{"If-None-Match", "\"mill\""}});
    CHECK((same.status == 304 && same.body.empty()));
    const request_options three{.retry = {.tries = 3, .first = 1ms}};
    const fetched failed = co_await client.get(at.url("/status/503"), three);
    CHECK((failed.status == 503 && failed.attempts == 3));
    const auto late = co_await leat::as_result(client.get(at.url("/delay/5"), {.first_byte = 50ms}));
    CHECK(late.error() == std::errc::timed_out);
}

}  // namespace

LEAT_TEST("the client and httpbin under gunicorn", on(kernel)) {
    const std::optional<httpbin> at = co_await start_httpbin();
    if (!at) {
        MESSAGE("skipped: gunicorn or httpbin is not installed");
        co_return;
    }
    leat::http::client client(direct);
    co_await methods_and_bodies(*at, client);
    co_await codings_and_pieces(*at, client);
    co_await redirects(*at, client);
    co_await logins_and_cookies(*at, client);
    co_await states_and_limits(*at, client);
}

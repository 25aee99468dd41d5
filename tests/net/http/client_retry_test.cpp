// SPDX-License-Identifier: MIT
// Requests that are tried again after failures that pass, as long and as often as they are told to.
#include <leat/http.hpp>
#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/idle.hpp>

#include <leat/http/core/http_date.hpp>

#include "../../support/http_origin.hpp"

#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using leat::http::fetched;
using leat::http::request_body;
using leat::http::request_options;
using leat::testing::simulated;
using support::answer;
using support::direct;
using support::error_of;
using support::http_origin;
using support::path_of;
using support::redirect_to;
using support::then;
using support::with_length;

namespace {

answer refusal(int status, const std::string& fields = "") {
    return {"HTTP/1.1 " + std::to_string(status) + " Not now\r\nContent-Length: 3\r\n" + fields + "\r\nnot"};
}

// Tries with waits of 1, 2, 4 ... seconds.
request_options tries(int count, leat::duration most = 60s) {
    return {.retry = {.tries = count, .first = 1s, .most = most, .jitter = false}};
}

// Says when each request came, and gives `answers` one after the other; then "x".
struct scripted {
    std::vector<answer> answers;
    std::vector<leat::time_point> times = {};

    answer operator()(const std::string&) {
        times.push_back(leat::now());
        return times.size() <= answers.size() ? answers[times.size() - 1] : with_length("x");
    }
    [[nodiscard]] std::vector<leat::duration> waits() const {
        std::vector<leat::duration> found;
        for (std::size_t i = 1; i < times.size(); ++i) {
            found.push_back(std::chrono::round<std::chrono::seconds>(times[i] - times[i - 1]));
        }
        return found;
    }
};
using waits = std::vector<leat::duration>;

}  // namespace

LEAT_TEST("an overloaded server is asked again, later each time, and the attempts are told", on(simulated)) {
    for (const int status : {429, 502, 503, 504}) {
        scripted script{{refusal(status), refusal(status)}};
        http_origin origin([&](const std::string& head) { return script(head); });
        co_await origin.during([&]() -> leat::task<> {
            leat::http::client client(direct);
            const fetched page = co_await client.get(origin.url("/"), tries(4));
            CHECK(page.body == "x");
            CHECK(page.attempts == 3);
            CHECK(script.waits() == waits{1s, 2s});
            CHECK(origin.accepted == 1);
        });
    }
}

LEAT_TEST("the last answer is given when the tries are used up; others are final at once", on(simulated)) {
    scripted script{std::vector<answer>(9, refusal(503))};
    http_origin origin([&](const std::string& head) { return script(head); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const fetched page = co_await client.get(origin.url("/"), tries(3));
        CHECK(page.status == 503);
        CHECK(page.body == "not");
        CHECK(page.attempts == 3);
        CHECK(origin.heads.size() == 3);
        const fetched once = co_await client.get(origin.url("/"));
        CHECK(once.attempts == 1);
        const fetched posted = co_await client.post(origin.url("/"), "text", tries(3));
        CHECK(posted.attempts == 1);
        CHECK(origin.heads.size() == 5);
        for (const int status : {400, 404, 500, 501}) {
            script.answers.assign(50, refusal(status));
            const fetched final = co_await client.get(origin.url("/"), tries(3));
            CHECK(final.status == status);
            CHECK(final.attempts == 1);
        }
    });
}

LEAT_TEST("Retry-After makes a wait longer, never shorter, and one that is too long ends the tries",
          on(simulated)) {
    scripted script{{refusal(503, "Retry-After: 7\r\n"), refusal(429, "Retry-After: 0\r\n"),
                     refusal(503, "Retry-After: soon\r\n"), refusal(503, "Retry-After: 61\r\n")}};
    http_origin origin([&](const std::string& head) { return script(head); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const fetched page = co_await client.get(origin.url("/"), tries(9));
        CHECK(page.status == 503);
        CHECK(page.attempts == 4);
        CHECK(script.waits() == waits{7s, 2s, 4s});
    });
}

LEAT_TEST("a refused, reset or silent connection is tried again, and its last error is thrown",
          on(simulated)) {
    scripted script{{answer{"", then::close}, answer{"HTTP/1.1 200", then::close}, answer{"", then::hold}}};
    http_origin origin([&](const std::string& head) { return script(head); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        request_options how = tries(4);
        how.first_byte = 5s;
        const fetched page = co_await client.get(origin.url("/"), how);
        CHECK(page.body == "x");
        CHECK(page.attempts == 4);
        CHECK(script.waits() == waits{1s, 2s, 9s});  // 5 s of silence, then 4 s
        const leat::time_point start = leat::now();
        const std::string refused = co_await error_of(client.get("http://127.0.0.1:1/", tries(3)));
        CHECK(refused == "http://127.0.0.1:1/: connect to 127.0.0.1:1: Connection refused");
        CHECK(leat::now() - start >= 3s);
        const std::string bad = co_await error_of(client.get(origin.url("/"), tries(1)));
        CHECK(bad == "no error");
    });
}

LEAT_TEST("the time for all of it bounds the tries and the waits between them", on(simulated)) {
    scripted script{std::vector<answer>(99, refusal(503))};
    http_origin origin([&](const std::string& head) { return script(head); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        request_options how = tries(99);
        how.total = 10s;
        const leat::time_point start = leat::now();
        const fetched page = co_await client.get(origin.url("/"), how);
        CHECK(page.status == 503);
        CHECK(page.attempts == 4);  // after 0, 1, 3 and 7 s
        CHECK(leat::now() - start < 10s);
    });
}

LEAT_TEST("a body is sent with each try if it can be made again, else there is one try", on(simulated)) {
    scripted script{{refusal(503), refusal(503), refusal(503)}};
    http_origin origin([&](const std::string& head) { return script(head); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const fetched put = co_await client.put(origin.url("/"), "text", tries(3));
        CHECK(put.attempts == 3);
        CHECK(origin.bodies == std::vector<std::string>(3, "text"));
        script = {{refusal(503), refusal(503)}};
        bool asked = false;
        const auto source = [&]() -> leat::task<std::string> {
            co_return std::exchange(asked, true) ? "" : "text";
        };
        const fetched once = co_await client.put(origin.url("/"), request_body::from(source), tries(3));
        CHECK(once.status == 503);
        CHECK(once.attempts == 1);
    });
}

LEAT_TEST("no connection is held while a request waits for its next try, and a cancel ends the wait",
          on(simulated)) {
    scripted script{std::vector<answer>(99, refusal(503))};
    http_origin origin([&](const std::string& head) {
        return path_of(head) == "/other" ? with_length("other") : script(head);
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client({.environment_proxies = false, .connections_per_host = 1});
        auto waiting =
            leat::spawn([&]() -> leat::task<> { (void)co_await client.get(origin.url("/"), tries(99)); });
        co_await leat::testing::advance(100ms);
        const fetched other = co_await client.get(origin.url("/other"));
        CHECK(other.body == "other");
        waiting.cancel();
        co_await waiting.join();
        CHECK(waiting.done());
        CHECK(script.times.size() == 1);
        CHECK(origin.accepted == 1);
    });
}

TEST_CASE("dates are read in each form that was ever common") {
    using leat::http::detail::parse_date;
    using namespace std::chrono;
    const sys_seconds expected = sys_days(1994y / November / 6) + 8h + 49min + 37s;
    for (const char* text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                             "Sun Nov  6 08:49:37 1994", "06 November 1994 8:49:37", "1994 6 nov 08:49:37"}) {
        CAPTURE(text);
        CHECK(parse_date(text) == expected);
    }
    CHECK(parse_date("Thu, 01-Jan-1970 00:00:00 GMT") == sys_days(1970y / January / 1));
    CHECK(parse_date("Wed, 29 Feb 2012 23:59:59 GMT").has_value());
    CHECK(parse_date("1 Jan 69 00:00:00") == sys_days(2069y / January / 1));
    for (const char* text : {"", "Sun", "06 Nov 1994", "06 Nov 1994 24:00:00", "06 Nov 1994 08:60:00",
                             "30 Feb 1994 08:49:37", "06 Nov 1600 08:49:37", "06 Nov 94 8:49",
                             "123 Nov 1994 08:49:37", "6 Nov 12345 08:49:37", "-1 Nnn 1994 08:49:37"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_date(text).has_value());
    }
}

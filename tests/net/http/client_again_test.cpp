// SPDX-License-Identifier: MIT
// Which requests are sent again: on a kept connection that has ended, behind a redirect, and after a refused
// expectation; and what becomes of their bodies.
#include <leat/http.hpp>
#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include "../../support/http_origin.hpp"

#include <string>
#include <vector>

using namespace std::chrono_literals;
using leat::http::fetched;
using leat::http::request_body;
using leat::testing::simulated;
using support::answer;
using support::direct;
using support::error_of;
using support::http_origin;
using support::path_of;
using support::then;
using support::with_length;

namespace {

leat::async_generator<std::string> two_words() {
    co_await leat::yield();
    co_yield "two";
    co_yield "words";
}

constexpr const char* in_chunks = "3\r\ntwo\r\n5\r\nwords\r\n0\r\n\r\n";

// Answers the first request, and reads the second one and closes; then it answers again.
http_origin origin_that_closes_kept_connections(int& requests) {
    return http_origin([&requests](const std::string&) -> answer {
        return ++requests == 2 ? answer{"", then::close} : with_length("x");
    });
}

std::string method_of(const std::string& head) {
    return head.substr(0, head.find(' '));
}

bool has_field(const std::string& head, std::string_view name) {
    return head.find("\r\n" + std::string(name) + ": ") != head.npos;
}

}  // namespace

LEAT_TEST(
    "an idempotent request is sent again when its kept connection ends, if its body can be made again") {
    const auto make = [](int which) {
        return which == 0   ? request_body("two words")
               : which == 1 ? request_body::made_by(two_words)
                            : request_body::from(two_words());
    };
    for (int which = 0; which < 3; ++which) {
        int requests = 0;
        http_origin origin = origin_that_closes_kept_connections(requests);
        co_await origin.during([&]() -> leat::task<> {
            leat::http::client client(direct);
            (void)co_await client.get(origin.url("/"));
            if (which == 2) {
                const std::string what = co_await error_of(client.put(origin.url("/"), make(which)));
                CHECK(what == origin.url("/") + ": the server closed the connection without an answer");
                CHECK(requests == 2);
            } else {
                const fetched again = co_await client.put(origin.url("/"), make(which));
                CHECK(again.attempts == 2);
                CHECK(origin.bodies.size() == 2);
                CHECK(origin.bodies.at(0) == origin.bodies.at(1));
                CHECK(origin.bodies.at(1) == (which == 0 ? "two words" : in_chunks));
            }
        });
    }
}

LEAT_TEST("DELETE and OPTIONS are sent again, POST, PATCH and unknown methods are not") {
    for (const char* method : {"DELETE", "OPTIONS", "TRACE", "PUT", "POST", "PATCH", "delete", "MOVE"}) {
        CAPTURE(method);
        int requests = 0;
        http_origin origin = origin_that_closes_kept_connections(requests);
        co_await origin.during([&]() -> leat::task<> {
            leat::http::client client(direct);
            (void)co_await client.get(origin.url("/"));
            const std::string what = co_await error_of(client.send(method, origin.url("/")));
            const bool again = requests == 3;
            CHECK(again == (std::string_view("DELETE OPTIONS TRACE PUT").find(method) != std::string::npos));
            CHECK(what == (again ? "no error"
                                 : origin.url("/") + ": the server closed the connection without an answer"));
        });
    }
}

LEAT_TEST("a POST does not go on a kept connection whose end can be seen") {
    http_origin origin([](const std::string&) -> answer {
        answer last = with_length("x");
        last.next = then::end;
        return last;
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        for (int i = 1; i <= 4; ++i) {
            const fetched page = co_await client.post(origin.url("/"), "once");
            CHECK(page.body == "x");
            CHECK(page.attempts == 1);
            CHECK(origin.accepted == i);
            CHECK(origin.bodies.size() == static_cast<std::size_t>(i));
        }
    });
}

LEAT_TEST("a redirect goes on with the method and the body that browsers go on with") {
    struct redirect {
        int status;
        const char* method;
        const char* then;
        bool with_body;
    };
    constexpr redirect all[] = {
        {301, "POST", "GET", false},     {302, "POST", "GET", false},   {303, "POST", "GET", false},
        {307, "POST", "POST", true},     {308, "POST", "POST", true},   {301, "PUT", "PUT", true},
        {302, "PUT", "PUT", true},       {303, "PUT", "GET", false},    {303, "DELETE", "GET", false},
        {308, "DELETE", "DELETE", true}, {302, "PATCH", "PATCH", true}, {303, "HEAD", "HEAD", true},
    };
    int status = 0;
    http_origin origin([&](const std::string& head) -> answer {
        return path_of(head) == "/end" ? answer{"HTTP/1.1 204 No Content\r\n\r\n"}
                                       : answer{"HTTP/1.1 " + std::to_string(status) +
                                                " Moved\r\nLocation: /end\r\nContent-Length: 0\r\n\r\n"};
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        for (const redirect& each : all) {
            CAPTURE(each.status);
            CAPTURE(each.method);
            status = each.status;
            origin.heads.clear();
            origin.bodies.clear();
            const leat::http::headers fields{
                {"Content-Type", "text/plain"}, {"content-language", "en"}, {"X-Mine", "1"}};
            (void)co_await client.send(each.method, origin.url("/"), "text", {}, fields);
            CHECK(origin.heads.size() == 2);
            const std::string& second = origin.heads.at(1);
            CHECK(method_of(second) == each.then);
            CHECK(origin.bodies.size() == (each.with_body ? 2 : 1));
            CHECK(has_field(second, "Content-Type") == each.with_body);
            CHECK(has_field(second, "content-language") == each.with_body);
            CHECK(has_field(second, "Content-Length") == each.with_body);
            CHECK(has_field(second, "X-Mine"));
        }
        CHECK(origin.accepted == 1);
    });
}

LEAT_TEST("a redirect that asks for a body again is an error where that can be sent once only") {
    int status = 0;
    http_origin origin([&](const std::string& head) -> answer {
        return path_of(head) == "/end" ? with_length("end")
                                       : answer{"HTTP/1.1 " + std::to_string(status) +
                                                " Moved\r\nLocation: /end\r\nContent-Length: 0\r\n\r\n"};
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        status = 307;
        bool right_code = false;
        std::string what;
        try {
            (void)co_await client.post(origin.url("/"), request_body::from(two_words()));
        } catch (const leat::http::request_error& failure) {
            right_code = failure.code() == leat::http::error::body_not_repeatable;
            what = failure.what();
        }
        CHECK(right_code);
        CHECK(what == origin.url("/") + " (redirected to " + origin.url("/end") +
                          "): a redirect (307) asks for the body again, which can be sent only once");
        const fetched again = co_await client.post(origin.url("/"), request_body::made_by(two_words));
        CHECK(again.body == "end");
        CHECK(origin.bodies.back() == in_chunks);
        status = 303;
        const fetched seen = co_await client.post(origin.url("/"), request_body::from(two_words()));
        CHECK(seen.body == "end");
    });
}

LEAT_TEST("a body waits for the server's word where that is asked for, but not for ever", on(simulated)) {
    std::string word;
    http_origin origin([](const std::string&) { return with_length("x"); });
    origin.before_body = [&](const std::string&) { return answer{word}; };
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        leat::time_point begun;
        const auto note = [&]() -> leat::task<std::string> {
            begun = leat::now();
            co_return "";
        };
        const leat::time_point start = leat::now();
        (void)co_await client.put(origin.url("/"), request_body::from(note), {.await_continue = 3s});
        CHECK(has_field(origin.heads.back(), "Expect"));
        CHECK(begun - start >= 3s);
        CHECK(begun - start < 4s);
        word = "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
        const leat::time_point second = leat::now();
        (void)co_await client.put(origin.url("/"), request_body::from(note), {.await_continue = 3s});
        CHECK(begun - second < 1s);
        (void)co_await client.put(origin.url("/"), request_body::from(note));
        CHECK_FALSE(has_field(origin.heads.back(), "Expect"));
        (void)co_await client.get(origin.url("/"), {.await_continue = 3s});
        CHECK_FALSE(has_field(origin.heads.back(), "Expect"));
        CHECK(origin.accepted == 1);
    });
}

LEAT_TEST("a body that is refused before it was sent is not asked for, and 417 is asked again without") {
    std::string refusal;
    http_origin origin([](const std::string&) { return with_length("x"); });
    origin.before_body = [&](const std::string& head) {
        return has_field(head, "Expect") ? answer{refusal, then::hold} : answer{};
    };
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        int calls = 0;
        const auto source = [&]() -> leat::task<std::string> { co_return ++calls == 1 ? "text" : ""; };
        refusal = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
        const fetched refused =
            co_await client.put(origin.url("/"), request_body::from(source), {.await_continue = 60s});
        CHECK(refused.status == 401);
        CHECK(calls == 0);
        CHECK(client.idle_connections() == 0);
        refusal = "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n";
        const fetched again =
            co_await client.put(origin.url("/"), request_body::from(source), {.await_continue = 60s});
        CHECK(again.status == 200);
        CHECK(again.attempts == 2);
        CHECK(origin.bodies == std::vector<std::string>{"4\r\ntext\r\n0\r\n\r\n"});
        CHECK(origin.accepted == 3);
    });
}

// SPDX-License-Identifier: MIT
// What a server tells of its answers, and the line that is made of it.
#include "serving.hpp"

#include <leat/http/access_log.hpp>
#include <leat/testing/doctest.hpp>

#include <new>
#include <stdexcept>

using namespace std::chrono_literals;
using leat::http::answered;
using leat::http::request;
using leat::http::request_body_reader;
using leat::http::response;
using leat::http::response_writer;
using leat::testing::answers_to;
using leat::testing::get;
using leat::testing::serving;

namespace {

std::vector<std::string> log_lines;
bool handler_waits = false;

void note(const answered& done) {
    log_lines.push_back(done.asked.method + " " + done.asked.target + " " + std::to_string(done.status) +
                        " " + std::to_string(done.body_bytes) + (done.cut ? " cut" : ""));
}

leat::http::serve_options noted() {
    log_lines.clear();
    leat::http::serve_options options = leat::testing::unattended;
    options.on_answer = note;
    options.on_error = [](std::exception_ptr, std::optional<leat::endpoint>) {};
    return options;
}

leat::task<response> give_page(const request& asked) {
    response made;
    if (asked.target == "/fail") {
        throw std::runtime_error("asked to fail");
    }
    if (asked.target == "/wait") {
        handler_waits = true;
        co_await leat::sleep_until(leat::never);
    }
    made.status = asked.target == "/none" ? 404 : 200;
    made.body = "hello";
    co_return made;
}

leat::task<> write_page(const request& asked, response_writer& writer) {
    if (asked.target == "/whole") {
        writer.head().body = "in the head";
        co_return;
    }
    writer.head().status = 201;
    co_await writer.write("one ");
    co_await writer.write("two");
    if (asked.target == "/fail") {
        throw std::runtime_error("asked to fail");
    }
}

leat::task<response> read_body(const request&, request_body_reader& body) {
    response made;
    made.body = co_await body.read_all();
    co_return made;
}

std::string post(std::string_view text) {
    return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" +
           std::string(text);
}

using lines = std::vector<std::string>;

}  // namespace

LEAT_TEST("a server tells of each answer that a handler gives, and of one that fails") {
    co_await serving(give_page, noted(), [](leat::endpoint where) -> leat::task<> {
        (void)co_await answers_to(where, get("/") + get("/none") + get("/fail"));
        CHECK(log_lines == lines{"GET / 200 5", "GET /none 404 5", "GET /fail 500 0"});
        (void)co_await answers_to(where, "no request\r\n\r\n");
        CHECK(log_lines.size() == 3);
    });
}

LEAT_TEST("a server tells of what a handler writes, and that it was cut") {
    co_await serving(write_page, noted(), [](leat::endpoint where) -> leat::task<> {
        (void)co_await answers_to(where, get("/") + get("/whole") + get("/fail"));
        CHECK(log_lines == lines{"GET / 201 7", "GET /whole 200 11", "GET /fail 201 7 cut"});
    });
}

LEAT_TEST("a server tells of handlers that read") {
    co_await serving(read_body, noted(), [](leat::endpoint where) -> leat::task<> {
        (void)co_await answers_to(where, post("six bytes"));
        CHECK(log_lines == lines{"POST / 200 9"});
    });
}

LEAT_TEST("a line of the log that finds no memory is lost, and its answer is not") {
    leat::http::serve_options options = noted();
    options.on_answer = [](const answered&) { throw std::bad_alloc(); };
    co_await serving(give_page, options, [](leat::endpoint where) -> leat::task<> {
        CHECK(co_await answers_to(where, get("/") + get("/")) ==
              leat::testing::ok("hello") + leat::testing::ok("hello"));
    });
}

LEAT_TEST("an answer whose handler is cancelled is told of as cut") {
    handler_waits = false;
    co_await serving(give_page, noted(), [](leat::endpoint where) -> leat::task<> {
        leat::tcp_stream client = co_await leat::tcp_stream::connect(where);
        co_await client.send_all(get("/wait"));
        while (!handler_waits) {
            co_await leat::yield();
        }
    });
    CHECK(log_lines == lines{"GET /wait 0 0 cut"});
}

TEST_CASE(
    "a line of the log has what Apache and nginx write, and nothing that a client could break it with") {
    request asked;
    asked.target = "/a?b=\"c\"";
    answered done{.asked = asked,
                  .status = 200,
                  .body_bytes = 1234,
                  .handler_time = 1s,
                  .cut = false,
                  .when = std::chrono::sys_days(std::chrono::year(2026) / 2 / 1) + 3h + 4min + 5s};
    CHECK(access_line(done) ==
          "- - - [01/Feb/2026:03:04:05 +0000] \"GET /a?b=\\x22c\\x22 HTTP/1.1\" 200 1234 \"-\" \"-\"");
    asked.version = leat::http::version::http_1_0;
    asked.headers.add("Referer", "http://example.org/");
    asked.headers.add("User-Agent", "curl/8 \\ \xc3\xa4");
    CHECK(access_line(done).ends_with(
        " HTTP/1.0\" 200 1234 \"http://example.org/\" \"curl/8 \\x5c \\xc3\\xa4\""));
    asked.version = leat::http::version::http_2;
    CHECK(access_line(done).find(" HTTP/2.0\" 200 ") != std::string::npos);
    CHECK(access_line(done, leat::endpoint("2001:db8::7", 0)).starts_with("2001:db8::7 - - ["));
    CHECK(access_line(done, leat::endpoint("::ffff:192.0.2.7", 80)).starts_with("192.0.2.7 - - ["));
    CHECK(access_line(done, std::nullopt) == access_line(done));
}

LEAT_TEST("a line of the log begins with the client's address") {
    static std::string line;
    leat::http::serve_options options = leat::testing::unattended;
    options.on_answer = [](const answered& done) { line = access_line(done); };
    co_await serving(give_page, options, [](leat::endpoint where) -> leat::task<> {
        (void)co_await answers_to(where, get("/"));
    });
    CHECK(line.find(" - - [") != line.npos);
    CHECK_NOTHROW((void)leat::address::parse(line.substr(0, line.find(' '))));
}

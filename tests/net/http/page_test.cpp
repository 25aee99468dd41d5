// SPDX-License-Identifier: MIT
// The code of docs/http.md, as it stands there.
#include "serving.hpp"

#include <leat/system/file.hpp>
#include <leat/system/folder.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using leat::testing::get;
using leat::testing::ok;
using leat::testing::serving;
using leat::testing::unattended;
using leat::testing::without_dates;

namespace {

void announce(std::string_view) {}

// HTTP: begin
leat::task<leat::http::response> greet(const leat::http::request& asked) {
    leat::http::response page;
    if (asked.method != "GET" && asked.method != "HEAD") {
        page.status = 405;
        page.headers.add("Allow", "GET, HEAD");
        co_return page;
    }
    page.headers.add("Content-Type", "text/plain");
    page.body = "hello from " + asked.target + "\n";
    co_return page;
}

leat::task<> serve_greetings(leat::endpoint where) {
    leat::http::serve_options options;
    options.on_listening = announce;  // a signal stops it in order from here on
    options.limits.body_bytes = 16 * 1024;
    co_await leat::http::serve(leat::tcp_listener::bind(where), greet, options);
}
// HTTP: end

std::vector<std::string> access_log;

// HTTP: begin
void log_answer(const leat::http::answered& done) {
    access_log.push_back(leat::http::access_line(done));
}
// HTTP: end

// HTTP: begin
void log_client(const leat::http::answered& done) {
    static const leat::http::trusted_proxies ours{.networks = {leat::network::parse("127.0.0.0/8")}};
    access_log.push_back(leat::http::access_line(done, leat::http::x_forwarded(done.asked, ours).client));
}
// HTTP: end

leat::task<std::string> next_line() {
    co_await leat::sleep(1s);
    co_return "line\n";
}

// HTTP: begin
leat::task<> follow_log(const leat::http::request& asked, leat::http::response_writer& writer) {
    writer.head().headers.add("Content-Type", "text/plain");
    const auto write_lines = [&]() -> leat::task<> {
        for (;;) {
            const std::string line = co_await next_line();
            co_await writer.write(line);
        }
    };
    co_await leat::race(write_lines, asked.connection->gone());
}
// HTTP: end

// HTTP: begin
leat::task<leat::http::response> store(const leat::http::request& asked,
                                       leat::http::request_body_reader& body) {
    leat::http::response made;
    if (asked.method != "PUT") {
        made.status = 405;
        made.headers.add("Allow", "PUT");
        co_return made;
    }
    body.set_limit(std::uint64_t(8) << 30);  // in place of limits.body_bytes
    auto upload = co_await leat::file::create("upload");
    const std::uint64_t size = co_await body.copy_to(upload);
    co_await upload.close();
    made.status = 201;
    made.body = std::to_string(size) + " bytes\n";
    co_return made;
}

leat::task<> to_upper(const leat::http::request&, leat::http::request_body_reader& body,
                      leat::http::response_writer& writer) {
    for (;;) {
        const std::string_view piece = co_await body.read();
        if (piece.empty()) {
            break;
        }
        std::string upper(piece);
        std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
        co_await writer.write(upper);
    }
}
// HTTP: end

// HTTP: begin
leat::task<std::size_t> read_page(leat::http::client& client, std::string url) {
    const leat::http::fetched page = co_await client.get(url, {.total = 30s}, {{"Accept", "text/plain"}});
    if (page.status != 200) {
        throw std::runtime_error(url + ": status " + std::to_string(page.status));
    }
    co_return page.body.size();
}

leat::task<std::size_t> count_bytes(leat::http::client& client, std::string url) {
    std::size_t bytes = 0;
    leat::http::response_stream reply = co_await client.open(url);
    for (;;) {
        const std::string_view piece = co_await reply.read();
        if (piece.empty()) {
            break;
        }
        bytes += piece.size();
    }
    co_return bytes;
}
// HTTP: end

// HTTP: begin
leat::async_generator<std::string> rows() {
    for (int number = 1; number <= 3; ++number) {
        co_await leat::sleep(1s);
        co_yield std::to_string(number) + "\n";
    }
}

leat::task<int> upload(leat::http::client& client, std::string url) {
    const leat::http::headers type{{"Content-Type", "text/csv"}};
    const leat::http::fetched made = co_await client.post(url, "number\n", {}, type);
    if (made.status != 200) {
        co_return made.status;
    }
    auto body = leat::http::request_body::made_by(rows);  // made anew where it must be sent again
    const leat::http::fetched put = co_await client.put(url, std::move(body), {.await_continue = 2s}, type);
    co_return put.status;
}
// HTTP: end

// HTTP: begin
std::string explain(const leat::http::fetched& page) {
    std::string text = page.peer ? "from " + page.peer->to_string() + "\n" : std::string();
    const auto add = [&](std::string_view step, std::optional<leat::time_point> when) {
        if (when) {
            const auto passed = std::chrono::floor<std::chrono::milliseconds>(*when - page.timings.asked);
            text += std::to_string(passed.count()) + " ms: " + std::string(step) + "\n";
        }
    };
    add("its name was found", page.timings.resolved);
    add("it was connected", page.timings.connected);
    add("TLS was agreed on", page.timings.secured);
    add("the request was sent", page.timings.sent);
    add("the answer began", page.timings.headed);
    if (page.tls) {
        text += page.tls->version + ", " + page.tls->subject + ", signed by " + page.tls->issuer + "\n";
    }
    return text;
}
// HTTP: end

// HTTP: begin
leat::task<std::string> get_as_logged_in(std::string url, std::string home) {
    leat::http::cookie_jar jar;
    (void)co_await leat::http::load_cookies(home + "/cookies.txt", jar);
    leat::http::client client({.environment_proxies = false});
    client.use_cookies(jar);
    client.use_netrc(co_await leat::http::netrc::load(home + "/.netrc"));
    const leat::http::fetched page = co_await client.get(url);
    co_await leat::http::save_cookies(home + "/cookies.txt", jar);
    co_return page.body;
}
// HTTP: end

}  // namespace

LEAT_TEST("http page: each answer has a line in the log") {
    access_log.clear();
    leat::http::serve_options options = unattended;
    options.on_answer = log_answer;
    co_await serving(greet, options, [](leat::endpoint where) -> leat::task<> {
        (void)co_await leat::testing::answers_to(where, get("/there"));
    });
    REQUIRE(access_log.size() == 1);
    CHECK(access_log[0].ends_with("\"GET /there HTTP/1.1\" 200 18 \"-\" \"-\""));
}

LEAT_TEST("http page: a line in the log may name the client that a trusted proxy tells of") {
    access_log.clear();
    leat::http::serve_options options = unattended;
    options.on_answer = log_client;
    co_await serving(greet, options, [](leat::endpoint where) -> leat::task<> {
        (void)co_await leat::testing::answers_to(
            where, "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9, 192.0.2.7\r\n\r\n");
    });
    REQUIRE(access_log.size() == 1);
    CHECK(access_log[0].starts_with("192.0.2.7 - - ["));
}

LEAT_TEST("the server and the client of the page about HTTP talk to each other") {
    co_await serving(greet, unattended, [](leat::endpoint where) -> leat::task<> {
        leat::http::client client({.environment_proxies = false});
        const std::string url = "http://" + where.to_string() + "/here";
        const std::size_t read = co_await read_page(client, url);
        CHECK(read == std::string_view("hello from /here\n").size());
        const std::size_t counted = co_await count_bytes(client, url);
        CHECK(counted == read);
        const leat::http::fetched kept = co_await client.get(url);
        CHECK(explain(kept).starts_with("from " + where.to_string() + "\n"));
        CHECK(explain(kept).ends_with(" ms: the answer began\n"));
        CHECK(explain(kept).find("connected") == std::string::npos);
        const std::string refused = co_await leat::testing::answers_to(
            where, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
        CHECK(refused == "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\nContent-Length: 0\r\n\r\n");
    });
}

LEAT_TEST("a handler that follows something ends with its client", on(simulated)) {
    co_await serving(follow_log, unattended, [](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all(get("/"));
        co_await leat::sleep(3500ms);
        peer.shutdown_send();
        const std::string all = without_dates(co_await leat::testing::rest_of(peer));
        CHECK(all ==
              "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
              "5\r\nline\n\r\n5\r\nline\n\r\n5\r\nline\n\r\n0\r\n\r\n");
    });
}

LEAT_TEST("handlers of the page read the bodies of their requests as they come", on(simulated)) {
    leat::http::client client({.environment_proxies = false});
    co_await serving(store, unattended, [&](leat::endpoint where) -> leat::task<> {
        const std::string url = "http://" + where.to_string() + "/";
        const leat::http::fetched made = co_await client.put(url, std::string(3'000'000, 'u'));
        CHECK(made.status == 201);
        CHECK(made.body == "3000000 bytes\n");
        const leat::http::fetched refused = co_await client.post(url, "text");
        CHECK(refused.status == 405);
    });
    auto stored = co_await leat::file::open("upload");
    const auto about = co_await stored.info();
    CHECK(about.size == 3'000'000);
    co_await serving(to_upper, unattended, [&](leat::endpoint where) -> leat::task<> {
        const leat::http::fetched upper = co_await client.post("http://" + where.to_string() + "/", "text");
        CHECK(upper.body == "TEXT");
    });
}

LEAT_TEST("a server of the page says where it listens and can be cancelled", on(simulated)) {
    auto server = leat::spawn(serve_greetings, leat::endpoint("127.0.0.1", 8080));
    co_await leat::yield();
    auto peer = co_await leat::tcp_stream::connect(leat::endpoint("127.0.0.1", 8080));
    co_await peer.send_all("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const std::string all = co_await leat::testing::rest_of(peer);
    CHECK(all.ends_with("\r\n\r\nhello from /x\n"));
    server.cancel();
    co_await server.join();
}

LEAT_TEST("the client of the page sends what it has, and what is made meanwhile", on(simulated)) {
    std::string got;
    const auto takes = [&](const leat::http::request& asked) -> leat::task<leat::http::response> {
        got += asked.method + " " + asked.body;
        co_return leat::http::response();
    };
    co_await serving(takes, unattended, [](leat::endpoint where) -> leat::task<> {
        leat::http::client client({.environment_proxies = false});
        const int status = co_await upload(client, "http://" + where.to_string() + "/");
        CHECK(status == 200);
    });
    CHECK(got == "POST number\nPUT 1\n2\n3\n");
}

LEAT_TEST("the client of the page knows its cookies and passwords from files", on(simulated)) {
    co_await leat::write_file("./.netrc", "machine 127.0.0.1 login ann password secret\n");
    co_await leat::write_file("./cookies.txt", "127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\t7\n");
    const auto tell = [](const leat::http::request& asked) -> leat::task<leat::http::response> {
        leat::http::response page;
        page.body = std::string(asked.headers.get("Cookie").value_or("")) + " " +
                    std::string(asked.headers.get("Authorization").value_or(""));
        leat::http::set_cookie(page, "session", "8", {.secure = false});
        co_return page;
    };
    co_await serving(tell, unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string page = co_await get_as_logged_in("http://" + where.to_string() + "/", ".");
        CHECK(page == "session=7 Basic YW5uOnNlY3JldA==");
    });
    const std::string saved = co_await leat::read_file("./cookies.txt", 1000);
    CHECK(saved.ends_with("#HttpOnly_127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\t8\n"));
}

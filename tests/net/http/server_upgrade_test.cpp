// SPDX-License-Identifier: MIT
// Answers that give the connection to another protocol (101).
#include "serving.hpp"

#include <leat/framing.hpp>
#include <leat/testing/doctest.hpp>

using namespace std::chrono_literals;
using leat::http::request;
using leat::http::response;
using leat::testing::answers_to;
using leat::testing::failed;
using leat::testing::get;
using leat::testing::ok;
using leat::testing::rest_of;
using leat::testing::serving;
using leat::testing::unattended;

namespace {

constexpr std::string_view switched =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: lines\r\nConnection: upgrade\r\n\r\n";

// Gives back each line in brackets, until "stop".
leat::task<> speak_lines(leat::any_stream& stream) {
    while (const auto line = co_await leat::recv_line(stream)) {
        if (*line == "stop") {
            co_return;
        }
        if (*line == "fail") {
            throw std::runtime_error("asked to fail");
        }
        co_await stream.send_all("[", *line, "]");
    }
}

leat::task<response> site(const request& asked) {
    response made;
    if (asked.target == "/lines") {
        made.status = 101;
        made.headers.add("Upgrade", "lines");
        made.upgraded = speak_lines;
    } else if (asked.target == "/without") {
        made.status = 101;
    } else if (asked.target == "/otherwise") {
        made.upgraded = speak_lines;
    } else {
        made.body = "page";
    }
    co_return made;
}

constexpr std::string_view upgrading = "Connection: upgrade\r\nUpgrade: lines\r\n\r\n";

std::string ask(std::string_view target) {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n" + std::string(upgrading);
}

}  // namespace

LEAT_TEST("an answer of status 101 gives the connection to another protocol, and it ends behind that") {
    co_await serving(site, unattended, [](leat::endpoint where) -> leat::task<> {
        leat::tcp_stream client = co_await leat::tcp_stream::connect(where);
        co_await client.send_all(ask("/lines"));
        std::string head;
        while (!head.ends_with("\r\n\r\n")) {
            head += (co_await leat::recv_line(client)).value() + "\r\n";
        }
        CHECK(leat::testing::without_dates(head) == switched);
        co_await client.send_all("one\ntwo\nstop\n");
        CHECK(co_await rest_of(client) == "[one][two]");
    });
}

LEAT_TEST("what comes with the request that upgrades is for the protocol") {
    co_await serving(site, unattended, [](leat::endpoint where) -> leat::task<> {
        CHECK(co_await answers_to(where, ask("/lines") + "one\nstop\n" + get("/")) ==
              std::string(switched) + "[one]");
    });
}

LEAT_TEST("the answers before an upgrade arrive before it") {
    co_await serving(site, unattended, [](leat::endpoint where) -> leat::task<> {
        CHECK(co_await answers_to(where, get("/a") + get("/b") + ask("/lines") + "x\nstop\n") ==
              ok("page") + ok("page") + std::string(switched) + "[x]");
    });
}

LEAT_TEST("an answer that upgrades without status 101, and a 101 that does not, are failures") {
    co_await serving(site, unattended, [](leat::endpoint where) -> leat::task<> {
        CHECK(co_await answers_to(where, ask("/otherwise")) == failed);
        CHECK(co_await answers_to(where, ask("/without")) == failed);
        CHECK(co_await answers_to(where, "GET /lines HTTP/1.0\r\nHost: a\r\n\r\n") == failed);
    });
}

LEAT_TEST("a protocol that fails is told as a handler that fails, and the connection ends") {
    static std::vector<std::string> told;
    told.clear();
    leat::http::serve_options options = unattended;
    options.on_error = [](std::exception_ptr error, std::optional<leat::endpoint>) {
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& known) {
            told.emplace_back(known.what());
        }
    };
    co_await serving(site, options, [](leat::endpoint where) -> leat::task<> {
        CHECK(co_await answers_to(where, ask("/lines") + "fail\n") == switched);
    });
    CHECK(told == std::vector<std::string>{"asked to fail"});
}

LEAT_TEST("a stop lets a protocol go on for the grace, and then ends it", on(leat::testing::simulated)) {
    leat::event stop;
    leat::http::serve_options options = unattended;
    options.grace = 5s;
    options.stop = &stop;
    co_await serving(site, options, [&stop](leat::endpoint where) -> leat::task<> {
        leat::tcp_stream client = co_await leat::tcp_stream::connect(where);
        co_await client.send_all(ask("/lines") + "one\n");
        co_await leat::sleep(1s);
        stop.set();
        const auto before = leat::now();
        co_await client.send_all("two\n");
        CHECK((co_await rest_of(client)).ends_with("\r\n\r\n[one][two]"));
        CHECK(leat::now() - before == 5s);
    });
}

// SPDX-License-Identifier: MIT
#include "serving.hpp"

#include <leat/testing/doctest.hpp>

#include <string>

using namespace std::chrono_literals;
using leat::task;
using leat::http::event_stream;
using leat::http::request;
using leat::http::response_writer;
using leat::testing::answers_to;
using leat::testing::serving;
using leat::testing::unattended;

namespace {

constexpr const char* head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: "
    "close\r\n\r\n";

task<> some_events(const request& asked, response_writer& writer) {
    event_stream events(writer);
    co_await events.send("hello");
    co_await events.send({.data = "one\ntwo\r\nthree\rfour\n", .type = "news", .id = "7", .retry = 1500ms});
    co_await events.send({.id = ""});
    co_await events.comment("for nobody\nto see");
    co_await events.send(": " + std::string(leat::http::last_event_id(asked)));
}

std::string refusal;

task<> bad_events(const request& /*asked*/, response_writer& writer) {
    event_stream events(writer);
    for (const leat::http::server_event& each :
         {leat::http::server_event{.type = "a\nb"}, {.id = "a\rb"}, {.id = std::string_view("a\0b", 3)}}) {
        try {
            co_await events.send(each);
        } catch (const std::invalid_argument& why) {
            refusal += std::string(why.what()) + ";";
        }
    }
    co_await events.send("good");
}

task<> slow_events(const request& asked, response_writer& writer) {
    event_stream events(writer);
    const auto tell = [&]() -> task<> {
        co_await leat::sleep(50s);
        co_await events.send("late");
        co_await leat::sleep(20s);
    };
    co_await leat::race(tell, events.keep_alive(20s), asked.connection->gone());
}

}  // namespace

LEAT_TEST("events are sent as lines that cannot be taken for others") {
    co_await serving(some_events, unattended, [](leat::endpoint where) -> task<> {
        const std::string all = co_await answers_to(where, "GET / HTTP/1.0\r\nLast-Event-ID: 6\r\n\r\n");
        CHECK(all ==
              std::string(head) +
                  "data: hello\n\n"
                  "id: 7\nevent: news\nretry: 1500\ndata: one\ndata: two\ndata: three\ndata: four\ndata: \n\n"
                  "id: \n\n"
                  ": for nobody\n: to see\n\n"
                  "data: : 6\n\n");
    });
}

LEAT_TEST("a type or id with a line break is refused, and nothing of it is sent",
          on(leat::testing::simulated)) {
    refusal.clear();
    co_await serving(bad_events, unattended, [](leat::endpoint where) -> task<> {
        const std::string all = co_await answers_to(where, "GET / HTTP/1.0\r\n\r\n");
        CHECK(all == std::string(head) + "data: good\n\n");
    });
    CHECK(refusal ==
          "the type of an event holds a line break or a zero;the id of an event holds a line break or a zero;"
          "the id of an event holds a line break or a zero;");
}

LEAT_TEST("comments keep a quiet stream alive until its client is gone", on(leat::testing::simulated)) {
    co_await serving(slow_events, unattended, [](leat::endpoint where) -> task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all("GET / HTTP/1.0\r\n\r\n");
        const std::string all = leat::testing::without_dates(co_await leat::testing::rest_of(peer));
        CHECK(all == std::string(head) + ": \n\n: \n\n: \n\ndata: late\n\n: \n\n");
        auto leaving = co_await leat::tcp_stream::connect(where);
        co_await leaving.send_all("GET / HTTP/1.0\r\n\r\n");
        co_await leat::sleep(1s);
        leaving.shutdown_send();
        const auto before = leat::now();
        const std::string first = leat::testing::without_dates(co_await leat::testing::rest_of(leaving));
        CHECK(first == std::string(head) + ": \n\n");
        CHECK(leat::now() - before < 1s);
    });
}

// SPDX-License-Identifier: MIT
// Requests with a body: how it is framed, where it comes from, when its sending ends, and what becomes of the
// connection.
#include <leat/http.hpp>
#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/idle.hpp>

#include "../../support/http_origin.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
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
using support::then;
using support::with_length;

namespace {

// A body of so many pieces of one size; counts those that were asked for.
struct counted_pieces {
    std::size_t pieces = 0;
    std::size_t size = 0;
    std::size_t* asked = nullptr;

    leat::task<std::string> operator()() {
        co_await leat::yield();
        if (*asked == pieces) {
            co_return std::string();
        }
        ++*asked;
        co_return std::string(size, 'z');
    }
};

leat::async_generator<std::string> words(std::vector<std::string> all) {
    for (std::string& each : all) {
        co_await leat::yield();
        co_yield std::move(each);
    }
}

bool has_line(const std::string& head, std::string_view line) {
    return head.find("\r\n" + std::string(line) + "\r\n") != head.npos;
}

constexpr const char* too_large = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig";

}  // namespace

LEAT_TEST("each method is sent as it is, with the length of its body") {
    http_origin origin([](const std::string& head) { return with_length(head.substr(0, head.find(' '))); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const std::string url = origin.url("/x");
        const fetched posted = co_await client.post(url, "hello", {}, {{"Content-Type", "text/plain"}});
        CHECK(posted.body == "POST");
        CHECK(has_line(origin.heads.at(0), "Content-Type: text/plain"));
        CHECK(has_line(origin.heads.at(0), "Content-Length: 5"));
        (void)co_await client.put(url, std::string("put it"));
        (void)co_await client.patch(url, std::string_view("patched"));
        (void)co_await client.send("REPORT", url, "all");
        CHECK(origin.bodies == std::vector<std::string>{"hello", "put it", "patched", "all"});
        CHECK(origin.heads.at(3).starts_with("REPORT /x HTTP/1.1\r\n"));
        const fetched removed = co_await client.remove(url);
        CHECK(removed.body == "DELETE");
        const fetched asked = co_await client.options(url);
        CHECK(asked.body == "OPTIONS");
        CHECK(origin.accepted == 1);
    });
}

LEAT_TEST("a method that means something by a body says that it has none, others say nothing") {
    http_origin origin([](const std::string&) { return with_length(""); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        for (const char* method : {"POST", "PUT", "PATCH"}) {
            (void)co_await client.send(method, origin.url("/"));
            CHECK(has_line(origin.heads.back(), "Content-Length: 0"));
        }
        for (const char* method : {"GET", "HEAD", "DELETE", "OPTIONS"}) {
            (void)co_await client.send(method, origin.url("/"));
            CHECK(origin.heads.back().find("Content-Length") == std::string::npos);
        }
        (void)co_await client.send("DELETE", origin.url("/"), "");
        CHECK(has_line(origin.heads.back(), "Content-Length: 0"));
        CHECK(origin.accepted == 1);
    });
}

LEAT_TEST("a method that is none, and CONNECT, are refused before anything is sent") {
    leat::http::client client(direct);
    for (const char* method : {"", "GE T", "GET\r\nX: y"}) {
        const std::string what = co_await error_of(client.send(method, "http://127.0.0.1:1/"));
        CHECK(what == "a request's method is empty or holds a character that methods may not");
    }
    const std::string tunnel = co_await error_of(client.send("CONNECT", "http://127.0.0.1:1/"));
    CHECK(tunnel == "CONNECT is the HTTP client's own: no request can have it");
}

LEAT_TEST("pieces are sent in chunks, or with the length that was told, whatever their source") {
    http_origin origin([](const std::string&) { return with_length(""); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const std::string url = origin.url("/");
        (void)co_await client.post(url, request_body::from(words({"one", "", "three"})));
        CHECK(has_line(origin.heads.back(), "Transfer-Encoding: chunked"));
        CHECK(origin.bodies.back() == "3\r\none\r\n5\r\nthree\r\n0\r\n\r\n");
        (void)co_await client.post(url, request_body::from(words({"one", "", "three"}), 8));
        CHECK(has_line(origin.heads.back(), "Content-Length: 8"));
        CHECK(origin.bodies.back() == "onethree");
        int left = 3;
        const auto numbers = [&]() -> leat::task<std::optional<std::string>> {
            co_await leat::yield();
            co_return left == 0 ? std::nullopt : std::optional(std::to_string(left--));
        };
        (void)co_await client.put(url, request_body::from(numbers));
        CHECK(origin.bodies.back() == "1\r\n3\r\n1\r\n2\r\n1\r\n1\r\n0\r\n\r\n");
        const std::string kept = "kept elsewhere";
        left = 1;
        const auto view = [&]() -> leat::task<std::string_view> {
            co_return left-- > 0 ? std::string_view(kept) : std::string_view();
        };
        (void)co_await client.put(url, request_body::from(view));
        CHECK(origin.bodies.back() == "e\r\nkept elsewhere\r\n0\r\n\r\n");
        (void)co_await client.put(url, request_body::from(words({})));
        CHECK(origin.bodies.back() == "0\r\n\r\n");
        (void)co_await client.put(url, request_body::from(words({}), 0));
        CHECK(has_line(origin.heads.back(), "Content-Length: 0"));
        CHECK(origin.accepted == 1);
    });
}

LEAT_TEST("large bodies of memory and of pieces arrive whole, and the connection is used again") {
    http_origin origin([](const std::string&) { return with_length("x"); });
    const std::string large(3'000'000, 'a');
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        (void)co_await client.put(origin.url("/"), large);
        const bool same = origin.bodies.at(0) == large;
        CHECK(same);
        std::size_t asked = 0;
        (void)co_await client.put(origin.url("/"),
                                  request_body::from(counted_pieces{30, 100'000, &asked}, 3'000'000));
        const bool all = origin.bodies.at(1) == std::string(3'000'000, 'z');
        CHECK(all);
        CHECK(asked == 30);
        const fetched after = co_await client.get(origin.url("/"));
        CHECK(after.body == "x");
        CHECK(origin.accepted == 1);
    });
}

LEAT_TEST("a body that is longer or shorter than was told is an error, and costs its connection") {
    http_origin origin([](const std::string&) { return with_length("x"); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const std::string url = origin.url("/");
        (void)co_await client.get(url);
        const std::string more =
            co_await error_of(client.put(url, request_body::from(words({"12", "34"}), 3)));
        CHECK(more == url + ": the body of the request has more than the 3 bytes that were told");
        CHECK(client.idle_connections() == 0);
        const std::string less =
            co_await error_of(client.put(url, request_body::from(words({"12", "34"}), 9)));
        CHECK(less == url + ": the body of the request has only 4 of the 9 bytes that were told");
        const auto both = [](std::vector<std::string> all) { return [all] { return words(all); }; };
        const std::string again = co_await error_of(client.put(url, request_body::made_by(both({"1"}), 2)));
        CHECK(again == url + ": the body of the request has only 1 of the 2 bytes that were told");
        CHECK(origin.bodies.empty());
        const fetched page = co_await client.get(url);
        CHECK(page.body == "x");
    });
}

LEAT_TEST("what the source of a body throws is thrown as it is, and ends the connection") {
    http_origin origin([](const std::string&) { return with_length("x"); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        (void)co_await client.get(origin.url("/"));
        int calls = 0;
        const auto broken = [&]() -> leat::task<std::string> {
            if (++calls == 2) {
                throw std::runtime_error("no more");
            }
            co_return "some";
        };
        const std::string what = co_await error_of(client.put(origin.url("/"), request_body::from(broken)));
        CHECK(what == "no more");
        const auto refused = []() -> leat::task<std::string> {
            throw std::system_error(std::make_error_code(std::errc::io_error), "a disk");
            co_return "";
        };
        (void)co_await client.get(origin.url("/"));
        const std::string disk =
            co_await error_of(client.put(origin.url("/"), request_body::made_by([&] { return refused; })));
        CHECK(disk == "a disk: Input/output error");
        CHECK(client.idle_connections() == 0);
        const fetched page = co_await client.get(origin.url("/"));
        CHECK(page.body == "x");
        CHECK(origin.accepted == 3);
    });
}

LEAT_TEST("a source is asked for no more than the server takes, which is given up when it takes nothing",
          on(simulated)) {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const std::string url = "http://" + listener.local_endpoint().to_string() + "/";
    leat::http::client client(direct);
    std::size_t asked = 0;
    const leat::time_point start = leat::now();
    const std::string what = co_await error_of(
        client.put(url, request_body::from(counted_pieces{1'000'000, 100'000, &asked}), {.send = 20s}));
    CHECK(what == url + ": the server took no more of the request for 20 s");
    CHECK(leat::now() - start >= 20s);
    CHECK(leat::now() - start < 21s);
    CHECK(asked > 0);
    CHECK(asked < 200);  // 20 MB
}

LEAT_TEST("the time for all of it holds for the body, too, and a slow source has no other limit",
          on(simulated)) {
    http_origin origin([](const std::string&) { return with_length("x"); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        int left = 3;
        const auto slow = [&]() -> leat::task<std::string> {
            co_await leat::sleep(600s);
            co_return left-- > 0 ? "slow" : "";
        };
        const fetched page = co_await client.put(origin.url("/"), request_body::from(slow));
        CHECK(page.body == "x");
        left = 3;
        const std::string what =
            co_await error_of(client.put(origin.url("/"), request_body::from(slow), {.total = 700s}));
        CHECK(what == origin.url("/") + ": not done within 700 s");
        CHECK(client.idle_connections() == 0);
    });
}

LEAT_TEST("an answer that refuses ends the sending, and is given; its connection is not used again") {
    http_origin origin([](const std::string&) { return with_length("x"); });
    origin.before_body = [](const std::string&) { return answer{too_large, then::hold}; };
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        std::size_t asked = 0;
        const fetched refused = co_await client.post(
            origin.url("/"), request_body::from(counted_pieces{SIZE_MAX, 50'000, &asked}));
        CHECK(refused.status == 413);
        CHECK(refused.body == "big");
        CHECK(client.idle_connections() == 0);
        const fetched memory = co_await client.post(origin.url("/"), std::string(30'000'000, 'm'));
        CHECK(memory.status == 413);
        CHECK(client.idle_connections() == 0);
        const fetched page = co_await client.get(origin.url("/"));
        CHECK(page.body == "x");
        CHECK(origin.accepted == 3);
    });
}

LEAT_TEST("a refusal is found also where the server has closed the connection behind it") {
    http_origin origin([](const std::string&) { return with_length("x"); });
    origin.before_body = [](const std::string&) { return answer{too_large, then::end}; };
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        for (int i = 0; i < 5; ++i) {
            std::size_t asked = 0;
            const fetched refused = co_await client.post(
                origin.url("/"), request_body::from(counted_pieces{SIZE_MAX, 50'000, &asked}));
            CHECK(refused.status == 413);
            CHECK(refused.body == "big");
        }
    });
}

LEAT_TEST("an answer that refuses nothing lets the body be sent to its end") {
    http_origin origin([](const std::string&) -> answer { return {"end"}; });
    origin.before_body = [](const std::string&) {
        return answer{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"};
    };
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const fetched page = co_await client.post(origin.url("/"), std::string(2'000'000, 'm'));
        CHECK(page.body == "end");
        CHECK(origin.bodies.at(0).size() == 2'000'000);
        CHECK(client.idle_connections() == 1);
    });
}

LEAT_TEST("an answer that came before the server stopped reading is given, and its connection closed",
          on(simulated)) {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const std::string url = "http://" + listener.local_endpoint().to_string() + "/";
    leat::tcp_stream peer;
    auto serving = leat::spawn([&]() -> leat::task<> {
        peer = co_await listener.accept();
        (void)co_await peer.recv_chunk();
        co_await peer.send_all("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nend");
    });
    leat::http::client client(direct);
    std::size_t asked = 0;
    const fetched page = co_await client.put(
        url, request_body::from(counted_pieces{1'000'000, 100'000, &asked}), {.send = 20s});
    CHECK(page.body == "end");
    CHECK(client.idle_connections() == 0);
    co_await serving;
}

LEAT_TEST("a request that is cancelled at any of its turns leaves the client in order") {
    http_origin origin([](const std::string&) { return with_length("x"); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client({.environment_proxies = false, .connections_per_host = 1});
        bool completed = false;
        for (int turns = 0; !completed; ++turns) {
            std::size_t asked = 0;
            auto sending = leat::spawn([&]() -> leat::task<> {
                (void)co_await client.put(origin.url("/"),
                                          request_body::from(counted_pieces{4, 70'000, &asked}, 280'000),
                                          {.await_continue = turns % 2 == 0 ? std::optional<leat::duration>()
                                                                            : std::optional(1ms)});
            });
            for (int i = 0; i < turns && !sending.done(); ++i) {
                co_await leat::yield();
            }
            completed = sending.done();
            sending.cancel();
            co_await sending.join();
            const fetched page = co_await client.put(origin.url("/"), "short");
            CHECK(page.body == "x");
            CHECK(std::ranges::count(origin.bodies, "short") == turns + 1);
            CHECK(client.idle_connections() == 1);
        }
    });
}

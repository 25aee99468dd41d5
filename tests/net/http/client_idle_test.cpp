// SPDX-License-Identifier: MIT
// The connections that a client keeps: what comes on one while nobody has asked for anything is no answer.
#include <leat/http.hpp>
#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/backends.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/idle.hpp>

#include "../../support/http_origin.hpp"

#include <array>
#include <memory>
#include <string>
#include <thread>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace std::chrono_literals;
using leat::http::fetched;
using leat::testing::kernel;
using leat::testing::simulated;
using leat::testing::wait_until_idle;
using support::answer;
using support::direct;
using support::http_origin;
using support::then;
using support::with_length;

namespace {

constexpr std::string_view stray = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray";

// Answers the first request, and later, unasked, another one; then every request with "right".
http_origin origin_with_a_stray_answer(answer first, int& requests) {
    first.late = stray;
    return http_origin(
        [first, &requests](const std::string&) { return ++requests == 1 ? first : with_length("right"); });
}

// Answers one request, outside of every run, and then waits for the client to close: but not for ever.
class server_elsewhere {
public:
    server_elsewhere() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        auto* const name = reinterpret_cast<sockaddr*>(&at);
        REQUIRE(::bind(listener_.get(), name, size) == 0);
        REQUIRE(::listen(listener_.get(), 1) == 0);
        REQUIRE(::getsockname(listener_.get(), name, &size) == 0);
        port_ = ntohs(at.sin_port);
        thread_ = std::jthread([this] { serve(); });
    }
    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }
    // Whether the client closed the connection by itself.
    [[nodiscard]] bool was_left() {
        thread_.join();
        return was_left_;
    }

private:
    void serve() {
        constexpr int patience = 3000;  // milliseconds
        const leat::fd peer(::accept(listener_.get(), nullptr, nullptr));
        std::array<char, 4096> block;
        (void)::recv(peer.get(), block.data(), block.size(), 0);
        (void)::send(peer.get(), stray.data(), stray.size(), MSG_NOSIGNAL);
        pollfd end{.fd = peer.get(), .events = POLLIN, .revents = 0};
        was_left_ = ::poll(&end, 1, patience) == 1;
    }

    leat::fd listener_;
    int port_ = 0;
    bool was_left_ = false;
    std::jthread thread_;
};

}  // namespace

LEAT_TEST("an answer that comes unasked on an idle connection is not taken for the next one's") {
    int requests = 0;
    http_origin origin = origin_with_a_stray_answer(with_length("a"), requests);
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const fetched first = co_await client.get(origin.url("/a"));
        CHECK(first.body == "a");
        CHECK(client.idle_connections() == 1);
        origin.go_on.set();
        co_await origin.some_ended.wait();
        CHECK(client.idle_connections() == 0);
        CHECK(origin.ended == 1);
        const fetched second = co_await client.get(origin.url("/b"));
        CHECK(second.body == "right");
        CHECK(origin.accepted == 2);
    });
}

LEAT_TEST("an unasked answer is found out however soon the connection is wanted again", on(kernel)) {
    for (int turns = 0; turns < 12; ++turns) {
        int requests = 0;
        http_origin origin = origin_with_a_stray_answer(with_length("a"), requests);
        co_await origin.during([&]() -> leat::task<> {
            leat::http::client client(direct);
            leat::http::response_stream reply = co_await client.open(origin.url("/a"));
            const std::string_view body = co_await reply.read();
            CHECK(body == "a");
            origin.go_on.set();
            co_await origin.sent_late.wait();
            const std::string_view end = co_await reply.read();
            CHECK(end.empty());  // from now on the connection is idle
            for (int i = 0; i < turns; ++i) {
                co_await leat::yield();
            }
            const fetched second = co_await client.get(origin.url("/b"));
            CHECK(second.body == "right");
            CHECK(origin.accepted == 2);
        });
    }
}

LEAT_TEST("a body behind the head that answers a HEAD, 204 or 304 is nobody's answer") {
    for (const char* status : {"200 OK", "204 No Content", "304 Not Modified"}) {
        int requests = 0;
        const std::string head = "HTTP/1.1 " + std::string(status) +
                                 "\r\nContent-Length: " + std::to_string(stray.size()) + "\r\n\r\n";
        http_origin late = origin_with_a_stray_answer({head}, requests);
        http_origin at_once([&](const std::string&) {
            return ++requests % 2 == 1 ? answer{head + std::string(stray)} : with_length("right");
        });
        const auto ask = [](leat::http::client& client, http_origin& origin) -> leat::task<> {
            const fetched first = co_await client.head(origin.url("/h"));
            CHECK(first.body.empty());
            origin.go_on.set();
        };
        leat::http::client client(direct);
        co_await late.during([&]() -> leat::task<> {
            co_await ask(client, late);
            co_await late.some_ended.wait();
            const fetched second = co_await client.get(late.url("/p"));
            CHECK(second.body == "right");
        });
        requests = 0;
        co_await at_once.during([&]() -> leat::task<> {
            co_await ask(client, at_once);
            const fetched second = co_await client.get(at_once.url("/p"));
            CHECK(second.body == "right");
            CHECK(at_once.accepted == 2);
        });
    }
}

LEAT_TEST("an extra answer that one origin gives through a proxy does not go to another origin") {
    int requests = 0;
    http_origin proxy = origin_with_a_stray_answer(with_length("evil"), requests);
    co_await proxy.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        leat::http::proxies all;
        all.set_http(proxy.url("/"));
        client.use_proxies(all);
        const fetched first = co_await client.get("http://evil.test/");
        CHECK(first.body == "evil");
        proxy.go_on.set();
        co_await proxy.some_ended.wait();
        const fetched second = co_await client.get("http://bank.test/");
        CHECK(second.body == "right");
        CHECK(proxy.accepted == 2);
    });
}

LEAT_TEST("an idle connection that its server ends is closed at once") {
    http_origin origin([](const std::string&) -> answer {
        answer last = with_length("x");
        last.next = then::end;
        return last;
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const fetched page = co_await client.get(origin.url("/"));
        CHECK(page.body == "x");
        co_await origin.some_ended.wait();
        CHECK(client.idle_connections() == 0);
    });
}

LEAT_TEST("idle connections end when they are told to, when their time is over and with their client",
          on(simulated)) {
    http_origin origin([](const std::string&) { return with_length("x"); });
    co_await origin.during([&]() -> leat::task<> {
        {
            leat::http::client client({.environment_proxies = false, .idle_connection_time = 30s});
            (void)co_await client.get(origin.url("/"));
            client.close_idle_connections();
            CHECK(client.idle_connections() == 0);
            co_await wait_until_idle();
            CHECK(origin.ended == 1);
            (void)co_await client.get(origin.url("/"));
            co_await leat::testing::advance(29s);
            CHECK(client.idle_connections() == 1);
            (void)co_await client.get(origin.url("/"));
            co_await leat::testing::advance(29s);
            CHECK(origin.accepted == 2);
            CHECK(client.idle_connections() == 1);
            co_await leat::testing::advance(2s);
            CHECK(client.idle_connections() == 0);
            CHECK(origin.ended == 2);
            (void)co_await client.get(origin.url("/"));
            co_await wait_until_idle();
        }
        co_await wait_until_idle();
        CHECK(origin.ended == 3);
    });
}

LEAT_TEST("waiting for a connection that is being taken from its watch can be cancelled at any moment") {
    http_origin origin([](const std::string&) { return with_length("x"); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client({.environment_proxies = false, .connections_per_host = 1});
        for (int turns = 0; turns < 8; ++turns) {
            const fetched before = co_await client.get(origin.url("/"));
            co_await wait_until_idle();
            auto asked = leat::spawn([&]() -> leat::task<> { (void)co_await client.get(origin.url("/")); });
            auto other = leat::spawn([&]() -> leat::task<> { (void)co_await client.get(origin.url("/")); });
            for (int i = 0; i < turns; ++i) {
                co_await leat::yield();
            }
            asked.cancel();
            co_await asked.join();
            co_await other;
            const fetched page = co_await client.get(origin.url("/"));
            CHECK(page.body == "x");
            CHECK(client.idle_connections() == 1);
        }
    });
}

TEST_CASE("run() sees that all tasks wait for ever also where a client has an idle connection") {
    for (const auto& each : leat::testing::backends()) {
        CAPTURE(each.name);
        if (!each.refused.empty()) {
            MESSAGE("skipped: ", each.name, ": ", each.refused);
            continue;
        }
        server_elsewhere server;
        std::size_t idle = 0;
        const auto wait_for_ever = [&]() -> leat::task<> {
            leat::http::client client(direct);
            (void)co_await client.get(server.url());
            idle = client.idle_connections();
            leat::event never;
            co_await never.wait();
        };
        CHECK_THROWS_AS(leat::run(wait_for_ever, {.backend = each.name}), leat::deadlock);
        CHECK(idle == 1);
        CHECK(server.was_left());
    }
}

TEST_CASE("run() ends at once also where a client has an idle connection") {
    server_elsewhere server;
    leat::http::client client(direct);
    leat::run([&]() -> leat::task<> { (void)co_await client.get(server.url()); });
    CHECK(client.idle_connections() == 0);
    CHECK(server.was_left());
}

// A request asks for an idle connection, whose watch then ends; and is given up before it gets it.
LEAT_TEST("HTTP client: one may die while a kept connection is on its way to a request that was given up") {
    http_origin origin([](const std::string&) { return with_length("page"); });
    co_await origin.during([&]() -> leat::task<> {
        for (int turns = 0; turns < 6; ++turns) {
            auto client = std::make_unique<leat::http::client>(direct);
            (void)co_await client->get(origin.url("/"));
            co_await wait_until_idle();
            auto asking = leat::spawn(client->get(origin.url("/")));
            for (int turn = 0; turn < turns; ++turn) {
                co_await leat::yield();
            }
            asking.cancel();
            (void)co_await asking.join();
            client.reset();
            co_await wait_until_idle();
        }
        const leat::http::fetched page = co_await leat::http::client(direct).get(origin.url("/"));
        CHECK(page.body == "page");
    });
}

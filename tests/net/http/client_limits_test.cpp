// SPDX-License-Identifier: MIT
// How long a body may take, and what a client does where there are no descriptors for a connection.
#include <leat/fd.hpp>
#include <leat/http.hpp>
#include <leat/net.hpp>
#include <leat/testing/backends.hpp>
#include <leat/testing/doctest.hpp>

#include "../../support/http_origin.hpp"

#include <string>

#include <sys/resource.h>
#include <unistd.h>

using namespace std::chrono_literals;
using leat::http::fetched;
using leat::http::request_options;
using leat::testing::simulated;
using support::answer;
using support::direct;
using support::error_of;
using support::http_origin;

namespace {

// A body of pieces of one size, of which one is sent each second.
struct dripped_body {
    std::size_t pieces = 0;
    std::size_t size = 0;
};

// Serves one request in this way while `body(url)` runs.
template <typename Body>
leat::task<> while_dripping(dripped_body sent, Body body) {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const std::string url = "http://" + listener.local_endpoint().to_string() + "/x";
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        group.spawn([&]() -> leat::task<> {
            leat::tcp_stream peer = co_await listener.accept();
            (void)co_await peer.recv_chunk();  // the request
            const std::string length = std::to_string(sent.pieces * sent.size);
            co_await peer.send_all("HTTP/1.1 200 OK\r\nContent-Length: " + length + "\r\n\r\n");
            const std::string piece(sent.size, 'z');
            for (std::size_t i = 0; i < sent.pieces; ++i) {
                co_await leat::sleep(1s);
                co_await peer.send_all(piece);
            }
            (void)co_await peer.recv_chunk();
        });
        co_await body(url);
        group.cancel();
    });
}

// What it comes to: the error, or the length of the body.
leat::task<std::string> outcome(std::string url, request_options options) {
    leat::http::client client(direct);
    std::size_t size = 0;
    const std::string failure = co_await error_of(
        client.get(std::move(url), [&](std::string_view piece) { size += piece.size(); }, options));
    co_return failure == "no error" ? std::to_string(size) + " bytes" : failure;
}

}  // namespace

LEAT_TEST("a long body that comes steadily arrives whole however long it takes", on(simulated)) {
    const leat::time_point start = leat::now();
    co_await while_dripping({.pieces = 400, .size = 100'000}, [](std::string url) -> leat::task<> {
        const std::string whole = co_await outcome(url, {});
        CHECK(whole == "40000000 bytes");
    });
    CHECK(leat::now() - start >= 400s);
}

LEAT_TEST("a limit for all of it cuts the same body, where one is asked for", on(simulated)) {
    co_await while_dripping({.pieces = 400, .size = 1000}, [](std::string url) -> leat::task<> {
        const std::string cut = co_await outcome(url, {.total = 60s});
        CHECK(cut == url + ": not done within 60 s");
    });
}

LEAT_TEST("a body that comes slower than the lowest rate is given up, one that is faster is not",
          on(simulated)) {
    const request_options slow{.lowest_rate = 1000, .rate_time = 10s};
    const leat::time_point start = leat::now();
    co_await while_dripping({.pieces = 400, .size = 999}, [&](std::string url) -> leat::task<> {
        const std::string cut = co_await outcome(url, slow);
        CHECK(cut == url + ": slower than 1000 bytes a second for 10 s");
    });
    CHECK(leat::now() - start < 12s);
    co_await while_dripping({.pieces = 400, .size = 1200}, [&](std::string url) -> leat::task<> {
        const std::string whole = co_await outcome(url, slow);
        CHECK(whole == "480000 bytes");
    });
}

LEAT_TEST("a body that comes quickly at first and slowly then is given up, too", on(simulated)) {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const std::string url = "http://" + listener.local_endpoint().to_string() + "/";
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        group.spawn([&]() -> leat::task<> {
            leat::tcp_stream peer = co_await listener.accept();
            (void)co_await peer.recv_chunk();  // the request
            co_await peer.send_all("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" +
                                   std::string(500'000, 'z'));
            for (;;) {
                co_await leat::sleep(1s);
                co_await peer.send_all("z");
            }
        });
        const leat::time_point start = leat::now();
        const std::string cut = co_await outcome(url, {.lowest_rate = 1000, .rate_time = 10s});
        CHECK(cut == url + ": slower than 1000 bytes a second for 10 s");
        CHECK(leat::now() - start < 25s);
        group.cancel();
    });
}

LEAT_TEST("a reader that takes its time is not taken for a slow server", on(simulated)) {
    http_origin origin([](const std::string&) -> answer {
        return {"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + std::string(300'000, 'z')};
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        std::size_t size = 0;
        (void)co_await client.get(origin.url("/"),
                                  [&](std::string_view piece) -> leat::task<> {
                                      size += piece.size();
                                      co_await leat::sleep(40s);
                                  },
                                  {.lowest_rate = 1'000'000, .rate_time = 10s});
        CHECK(size == 300'000);
    });
}

namespace {

// While it lives no descriptor can be opened but in the place of one that is closed.
class no_more_descriptors {
public:
    no_more_descriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const leat::fd lowest_free(::dup(0));
        const rlimit none{.rlim_cur = static_cast<rlim_t>(lowest_free.get()), .rlim_max = before_.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &none);
    }
    no_more_descriptors(const no_more_descriptors&) = delete;
    no_more_descriptors& operator=(const no_more_descriptors&) = delete;
    ~no_more_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

// Answers every request with its path.
class paths_server {
public:
    [[nodiscard]] std::string url(std::string_view path) const {
        return "http://" + where_.to_string() + std::string(path);
    }
    [[nodiscard]] leat::task<> run() {
        co_await leat::http::serve(std::move(listener_),
                                   [](const leat::http::request& asked) -> leat::task<leat::http::response> {
                                       leat::http::response made;
                                       made.body = asked.target;
                                       co_return made;
                                   },
                                   {.grace = 0ms, .stop_on = {}});
    }

private:
    leat::tcp_listener listener_ = leat::tcp_listener::bind({"127.0.0.1", 0});
    leat::endpoint where_ = listener_.local_endpoint();
};

}  // namespace

LEAT_TEST("without a descriptor left an idle connection gives way to a new one", on(leat::testing::kernel)) {
    paths_server one;
    paths_server other;
    auto serving = leat::spawn([&] { return one.run(); });
    auto serving_too = leat::spawn([&] { return other.run(); });
    {
        leat::http::client client(direct);
        const fetched first = co_await client.get(one.url("/first"));
        CHECK(first.body == "/first");
        CHECK(client.idle_connections() == 1);
        const no_more_descriptors shortage;
        const fetched second = co_await client.get(other.url("/second"));
        CHECK(second.body == "/second");
    }
    serving.cancel();
    serving_too.cancel();
    co_await leat::join_all(serving, serving_too);
}

LEAT_TEST("without a descriptor left a request waits for another to end, also beside one that gives up",
          on(leat::testing::kernel)) {
    paths_server one;
    auto serving = leat::spawn([&] { return one.run(); });
    {
        leat::http::client client(direct);
        auto held = co_await client.open(one.url("/held"));
        const no_more_descriptors shortage;
        const auto ask = [&client, url = one.url("/waits")]() -> leat::task<std::string> {
            const fetched page = co_await client.get(url);
            co_return page.body;
        };
        auto gives_up = leat::spawn(ask);
        auto waits = leat::spawn(ask);
        for (int i = 0; i < 50; ++i) {
            co_await leat::yield();
        }
        gives_up.cancel();
        CHECK_FALSE(waits.done());
        const std::string body = co_await held.read_all();
        CHECK(body == "/held");
        const std::string answer = co_await waits;  // one descriptor for it, one for the server
        CHECK(answer == "/waits");
    }
    serving.cancel();
    co_await serving.join();
}

LEAT_TEST("without a descriptor left, and no connection that could end, a request fails and says why",
          on(leat::testing::kernel)) {
    leat::http::client client(direct);
    const no_more_descriptors shortage;
    const std::string what = co_await error_of(client.get("http://127.0.0.1:1/"));
    CHECK(what == "http://127.0.0.1:1/: connect to 127.0.0.1:1: Too many open files");
}

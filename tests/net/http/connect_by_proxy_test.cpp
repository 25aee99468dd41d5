// SPDX-License-Identifier: MIT
#include <leat/http.hpp>
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/stream_pair.hpp>

#include "../proxy_talk.hpp"

#include <initializer_list>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

using namespace std::chrono_literals;
using leat::tcp_stream;
using leat::http::connect_by_proxy;
using leat::testing::all_of;
using leat::testing::on;
using leat::testing::talk;

namespace {

struct asked {
    std::string host = "example.org";
    std::string user = {};
    std::string password = {};
};

leat::task<talk> connect_by_http(std::string answers, asked what = {}) {
    const auto connect = [&](tcp_stream proxy) {
        return connect_by_proxy(std::move(proxy), what.host, 81, what.user, what.password);
    };
    co_return co_await leat::testing::talk_through(std::move(answers), connect);
}

const std::string established = "HTTP/1.1 200 Connection established\r\n\r\n";

// Without where the proxy is.
std::string said_of(const talk& seen) {
    const std::size_t begin = seen.ended.find("127.0.0.1:");
    return begin == seen.ended.npos ? seen.ended : seen.ended.substr(seen.ended.find(": ", begin) + 2);
}

}  // namespace

LEAT_TEST("an HTTP proxy is asked for a name as it is, and what follows its answer is the connection's") {
    const talk name = co_await connect_by_http(established + "hello");
    CHECK(name.heard == "CONNECT example.org:81 HTTP/1.1\r\nHost: example.org:81\r\n\r\n");
    CHECK(name.ended == "connected");
    CHECK(name.first == "hello");
    for (const auto& [host, place] : {std::pair("192.0.2.1", "192.0.2.1:81"),
                                      {"2001:db8::1", "[2001:db8::1]:81"},
                                      {"[2001:db8::1]", "[2001:db8::1]:81"},
                                      {"::ffff:192.0.2.1", "[::ffff:192.0.2.1]:81"},
                                      {"fe80::1%eth7", "[fe80::1]:81"}}) {
        const talk address = co_await connect_by_http(established, {.host = host});
        CHECK(address.heard.starts_with("CONNECT " + std::string(place) + " HTTP/1.1\r\nHost: " + place +
                                        "\r\n"));
        CHECK(address.ended == "connected");
    }
}

LEAT_TEST("no byte behind the head of a proxy's answer is lost, whatever that head says") {
    for (const char* head : {"HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 299\r\nContent-Length: 3\r\n\r\n",
                             "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                             "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"}) {
        CAPTURE(head);
        const talk made = co_await connect_by_http(std::string(head) + "SSH-2.0-x\r\n\r\n");
        CHECK(made.ended == "connected");
        CHECK(made.first == "SSH-2.0-x\r\n\r\n");
    }
    auto [near, far] = co_await leat::testing::stream_pair();
    co_await far.send_all(established + "at once");
    auto stream = co_await connect_by_proxy(std::move(near), "a", 1);
    far.shutdown_send();
    const std::string rest = co_await all_of(stream);
    CHECK(rest == "at once");
}

LEAT_TEST("an HTTP proxy is told the user and the password that are there") {
    const talk both = co_await connect_by_http(established, {.user = "me", .password = "p:w"});
    CHECK(both.heard.ends_with("81\r\nProxy-Authorization: Basic bWU6cDp3\r\n\r\n"));
    const talk one = co_await connect_by_http(established, {.user = "me"});
    CHECK(one.heard.ends_with("81\r\nProxy-Authorization: Basic bWU6\r\n\r\n"));
}

LEAT_TEST("what an HTTP proxy refuses has an error that says how") {
    for (const auto& [line, code, said] :
         {std::tuple("407 No", std::errc::permission_denied, "407 Proxy Authentication Required"),
          {"403 No", std::errc::permission_denied, "403 Forbidden"},
          {"401 No", std::errc::permission_denied, "401 Unauthorized"},
          {"504 No", std::errc::timed_out, "504 Gateway Timeout"},
          {"502 No", std::errc::connection_refused, "502 Bad Gateway"},
          {"302 No", std::errc::connection_refused, "302 Found"},
          {"101 No", std::errc::connection_refused, "101 Switching Protocols"},
          {"599 No", std::errc::connection_refused, "599"}}) {
        CAPTURE(line);
        const talk refused =
            co_await connect_by_http("HTTP/1.1 " + std::string(line) + "\r\nContent-Length: 2\r\n\r\nno");
        CHECK(refused.code == std::make_error_code(code));
        CHECK(refused.ended.starts_with("connect to example.org:81 by the proxy 127.0.0.1:"));
        CHECK(said_of(refused) == "it answered " + std::string(said));
    }
}

LEAT_TEST("an HTTP proxy that ends early, speaks something else or does not end its head is an error") {
    for (std::size_t size = 0; size < established.size(); size += 5) {
        const talk cut = co_await connect_by_http(established.substr(0, size));
        CHECK(cut.code == (size == 0 ? leat::http::error::no_message : leat::http::error::truncated_head));
        CHECK(cut.ended.starts_with("connect to example.org:81 by the proxy 127.0.0.1:"));
    }
    const talk socks = co_await connect_by_http("\x05\xff");
    CHECK(socks.code == leat::http::error::malformed_start_line);
    const talk status = co_await connect_by_http("HTTP/1.1 20 OK\r\n\r\n");
    CHECK(status.code == leat::http::error::malformed_start_line);
    std::string interims;
    for (int count = 0; count < 21; ++count) {
        interims += "HTTP/1.1 100\r\n\r\n";
    }
    const talk waiting = co_await connect_by_http(interims + established);
    CHECK(waiting.code == leat::http::error::too_many_interim_responses);
}

LEAT_TEST("the head of an HTTP proxy's answer is bounded") {
    auto [near, far] = co_await leat::testing::stream_pair();
    const auto ask = [](tcp_stream proxy) -> leat::task<std::error_code> {
        const auto made = co_await leat::as_result(connect_by_proxy(std::move(proxy), "a", 1));
        co_return made.error();
    };
    auto asking = leat::spawn(ask, std::move(near));
    co_await far.send_all("HTTP/1.1 200 OK\r\n");
    const std::string line = "X-Padding: " + std::string(1000, 'p') + "\r\n";
    try {
        while (!asking.done()) {
            co_await far.send_all(line);
        }
    } catch (const std::system_error&) {  // it has closed the connection
    }
    const std::error_code ended = co_await asking;
    CHECK(ended == leat::http::error::head_too_large);
}

LEAT_TEST("what no HTTP proxy can be asked for is refused before anything is sent") {
    for (const auto& [host, port, user] : {std::tuple("", 80, ""),
                                           {"a", 0, ""},
                                           {"a", 65536, ""},
                                           {"a:1", 80, ""},
                                           {"a b", 80, ""},
                                           {"a\r\nX: y", 80, ""},
                                           {"me@a", 80, ""},
                                           {"a/", 80, ""},
                                           {"[a]", 80, ""},
                                           {"::g", 80, ""},
                                           {"a", 80, "me:you"}}) {
        CAPTURE(host);
        CAPTURE(port);
        auto [near, far] = co_await leat::testing::stream_pair();
        bool refused = false;
        try {
            (void)co_await connect_by_proxy(std::move(near), host, port, user);
        } catch (const std::invalid_argument&) {
            refused = true;
        }
        CHECK(refused);
    }
}

LEAT_TEST("connecting by an HTTP proxy ends at a deadline", on(leat::testing::simulated)) {
    auto [near, far] = co_await leat::testing::stream_pair();
    bool late = false;
    try {
        (void)co_await leat::timeout(1h, connect_by_proxy(std::move(near), "a", 1));
    } catch (const leat::timed_out&) {
        late = true;
    }
    CHECK(late);
    const std::string heard = co_await all_of(far);
    CHECK(heard == "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n");
}

LEAT_TEST("connecting by an HTTP proxy that is cancelled at any moment closes the connection to it") {
    bool connected = false;
    for (int turns = 0; !connected; ++turns) {
        auto [near, far] = co_await leat::testing::stream_pair();
        const auto serve = [](tcp_stream peer) -> leat::task<> {
            for (const std::string_view piece :
                 {"HTTP/1.1 100\r\n\r\nHTTP", "/1.1 200", " OK\r\n\r\nhello"}) {
                co_await peer.send_all(piece);
                co_await leat::yield();
            }
            while (co_await peer.recv_chunk()) {
            }
        };
        auto proxy = leat::spawn(serve, std::move(far));
        {
            auto asking = leat::spawn(connect_by_proxy(std::move(near), "a", 1));
            for (int turn = 0; turn < turns && !asking.done(); ++turn) {
                co_await leat::yield();
            }
            connected = asking.done();
            asking.cancel();
            co_await asking.join();  // it may have come to its end all the same
            if (connected) {
                auto stream = co_await asking;
                std::string greeting(5, ' ');
                co_await stream.recv_exactly(greeting);
                CHECK(greeting == "hello");
            }
        }
        co_await proxy.join();  // it has seen an end, or a reset
    }
    CHECK(connected);
}

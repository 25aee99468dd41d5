// SPDX-License-Identifier: MIT
#include <leat/http.hpp>
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include "../../support/dns_server.hpp"
#include "../../support/http_origin.hpp"

#include <map>
#include <memory>
#include <string>

using namespace std::chrono_literals;
using leat::http::fetched;
using support::answer;
using support::direct;
using support::error_of;
using support::http_origin;
using support::path_of;
using support::redirect_to;
using support::then;
using support::with_length;

LEAT_TEST("bodies with a length, in chunks and until the end of the connection arrive whole") {
    http_origin origin([](const std::string& head) -> answer {
        const std::string path = path_of(head);
        if (path == "/chunked") {
            return {
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: 1\r\n\r\n"};
        }
        if (path == "/close") {
            return {"HTTP/1.0 200 OK\r\n\r\nuntil the end", then::close};
        }
        if (path == "/none") {
            return {"HTTP/1.1 204 No Content\r\n\r\n"};
        }
        return with_length("counted");
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const fetched counted = co_await client.get(origin.url("/counted"));
        CHECK(counted.body == "counted");
        CHECK(counted.status == 200);
        CHECK(counted.headers.get("content-length") == "7");
        CHECK(counted.url.to_string() == origin.url("/counted"));
        const fetched chunked = co_await client.get(origin.url("/chunked"));
        CHECK(chunked.body == "hello world");
        const fetched none = co_await client.get(origin.url("/none"));
        CHECK(none.status == 204);
        CHECK(none.body.empty());
        CHECK(client.idle_connections() == 1);
        const fetched closed = co_await client.get(origin.url("/close"));
        CHECK(closed.body == "until the end");
        CHECK(origin.accepted == 1);
        CHECK(client.idle_connections() == 0);
    });
}

LEAT_TEST("a connection is used again, also behind the answer to a HEAD") {
    http_origin origin([](const std::string& head) -> answer {
        return head.starts_with("HEAD") ? answer{"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"}
                                        : with_length("x");
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        for (int i = 0; i < 50; ++i) {
            const fetched page = co_await client.get(origin.url("/"));
            CHECK(page.body == "x");
            const fetched head = co_await client.head(origin.url("/"));
            CHECK(head.body.empty());
            CHECK(head.headers.get("Content-Length") == "1000");
        }
        CHECK(origin.accepted == 1);
        CHECK(origin.heads.size() == 100);
    });
}

LEAT_TEST("a request says what is asked of whom") {
    http_origin origin([](const std::string&) { return with_length(""); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client({.user_agent = "test/1", .environment_proxies = false});
        const std::string port = std::to_string(origin.port());
        const leat::http::headers fields{{"X-Mine", "1"}, {"Accept", "text/plain"}};
        (void)co_await client.get("http://us%65r:p%40ss@127.0.0.1:" + port + "/a b?c#d", {}, fields);
        CHECK(origin.heads.at(0) == "GET /a%20b?c HTTP/1.1\r\nHost: 127.0.0.1:" + port +
                                        "\r\nUser-Agent: test/1\r\nAccept-Encoding: " +
                                        std::string(leat::http::detail::accept_encoding()) +
                                        "\r\nAuthorization: Basic dXNlcjpwQHNz\r\nX-Mine: 1\r\n"
                                        "Accept: text/plain\r\n\r\n");
    });
}

LEAT_TEST("a bad answer is an error of one line that names the URL") {
    std::string bytes;
    http_origin origin([&](const std::string&) -> answer { return {bytes, then::close}; });
    const auto expect = [&](std::string sent, std::string text, leat::http::request_options options = {}) {
        return [&, sent, text, options]() -> leat::task<> {
            bytes = sent;
            leat::http::client client(direct);
            const std::string what = co_await error_of(client.get(origin.url("/x"), options));
            CHECK(what == origin.url("/x") + ": " + text);
        };
    };
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    co_await origin.during([&]() -> leat::task<> {
        co_await expect("", "the server closed the connection without an answer");
        co_await expect("HTTP/1.1 200 OK\r\nX: y", "the connection ended inside the header");
        co_await expect(ok + "Content-Length: 100\r\n\r\n0123456789", "body ended after 10 of 100 bytes");
        co_await expect(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                        "body ended after 5 bytes, before its last chunk");
        co_await expect(ok + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "the chunked body is malformed");
        co_await expect(ok + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
                        "the chunked body is malformed");
        co_await expect(ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
                        leat::http::make_error_code(leat::http::error::conflicting_lengths).message());
        co_await expect("SSH-2.0-OpenSSH_9.2\r\n",
                        "the first line of the message is not HTTP/1.0 or HTTP/1.1");
        co_await expect(ok + "X: " + std::string(1 << 20, 'x') + "\r\n\r\n",
                        "header larger than 65536 bytes");
        co_await expect(ok + "\r\n" + std::string(101, 'x'), "body larger than 100 bytes",
                        {.body_bytes = 100});
        co_await expect(ok + "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
                        "the compressed body is corrupt");
    });
}

LEAT_TEST("a refused connection and a malformed URL are errors that name the URL") {
    leat::http::client client(direct);
    leat::endpoint closed("127.0.0.1", 0);
    {
        auto listener = leat::tcp_listener::bind(closed);
        closed = listener.local_endpoint();
    }
    const std::string where = closed.to_string();
    const std::string refused = co_await error_of(client.get("http://" + where + "/x"));
    CHECK(refused == "http://" + where + "/x: connect to " + where + ": Connection refused");
    const std::string malformed = co_await error_of(client.get("http://exa mple/"));
    CHECK(malformed == "bad URL \"http://exa mple/\": its host is neither a host name nor an IP address");
}

LEAT_TEST("a silent server is given up, whatever it is silent about, and the error says so") {
    http_origin origin([](const std::string& head) -> answer {
        return path_of(head) == "/body"
                   ? answer{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", then::hold}
                   : answer{path_of(head) == "/head" ? "HTTP/1.1 200 OK\r\nX:" : "", then::hold};
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const std::string no_byte = co_await error_of(client.get(origin.url("/"), {.first_byte = 20ms}));
        CHECK(no_byte == origin.url("/") + ": no answer within 20 ms");
        const std::string head = co_await error_of(client.get(origin.url("/head"), {.first_byte = 20ms}));
        CHECK(head == origin.url("/head") + ": no answer within 20 ms");
        const std::string body = co_await error_of(client.get(origin.url("/body"), {.idle = 20ms}));
        CHECK(body == origin.url("/body") + ": no more of the body for 20 ms");
        const std::string total = co_await error_of(client.get(origin.url("/body"), {.total = 20ms}));
        CHECK(total == origin.url("/body") + ": not done within 20 ms");
        CHECK(client.idle_connections() == 0);
    });
}

LEAT_TEST("a kept connection that has died is replaced by a new one, without an error") {
    int answered = 0;
    http_origin origin([&](const std::string&) -> answer {
        ++answered;
        return answered % 2 == 1 ? answer{with_length("x").bytes, then::close} : with_length("y");
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const fetched first = co_await client.get(origin.url("/"));
        CHECK(first.body == "x");
        CHECK(client.idle_connections() == 1);
        const fetched second = co_await client.get(origin.url("/"));
        CHECK(second.body == "y");
        CHECK(origin.accepted == 2);
    });
}

namespace {

// Answers the first request, and reads the second one and closes; then it answers again.
http_origin origin_that_closes_kept_connections(std::string last_words, int& requests) {
    return http_origin([last_words, &requests](const std::string&) -> answer {
        return ++requests == 2 ? answer{last_words, then::close} : with_length("x");
    });
}

constexpr const char* too_late = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n";

}  // namespace

LEAT_TEST("a request that is sent again because its kept connection has died says so") {
    for (const char* last_words : {"", too_late}) {
        int requests = 0;
        http_origin origin = origin_that_closes_kept_connections(last_words, requests);
        co_await origin.during([&]() -> leat::task<> {
            leat::http::client client(direct);
            const fetched first = co_await client.get(origin.url("/"));
            CHECK(first.attempts == 1);
            const fetched again = co_await client.head(origin.url("/"));
            CHECK(again.attempts == 2);
            CHECK(origin.accepted == 2);
            auto third = co_await client.open(origin.url("/"));
            CHECK(third.attempts() == 1);
        });
        CHECK(requests == 4);
    }
}

LEAT_TEST("a request that may not be repeated is sent once, and fails with its kept connection") {
    int requests = 0;
    http_origin origin = origin_that_closes_kept_connections("", requests);
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        (void)co_await client.get(origin.url("/"));
        const std::string failed = co_await error_of(client.get(origin.url("/"), {.repeat = false}));
        CHECK(failed == origin.url("/") + ": the server closed the connection without an answer");
        CHECK(requests == 2);
        CHECK(origin.accepted == 1);
        const fetched third = co_await client.get(origin.url("/"), {.repeat = false});
        CHECK(third.attempts == 1);
        CHECK(origin.accepted == 2);
    });
}

LEAT_TEST("a 408 on a kept connection is the answer to a request that may not be repeated") {
    int requests = 0;
    http_origin origin = origin_that_closes_kept_connections(too_late, requests);
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        (void)co_await client.get(origin.url("/"));
        const fetched late = co_await client.get(origin.url("/"), {.repeat = false});
        CHECK(late.status == 408);
        CHECK(late.attempts == 1);
        CHECK(requests == 2);
    });
}

LEAT_TEST("what was sent again on the way of redirects counts with all") {
    int requests = 0;
    http_origin origin([&](const std::string& head) -> answer {
        ++requests;
        if (requests == 3) {
            return {"", then::close};
        }
        return path_of(head) == "/from" ? redirect_to("/to") : with_length("x");
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const fetched plain = co_await client.get(origin.url("/from"));
        CHECK(plain.attempts == 1);
        const fetched again = co_await client.get(origin.url("/from"));
        CHECK(again.body == "x");
        CHECK(again.attempts == 2);
        CHECK(requests == 5);
    });
}

LEAT_TEST("a kept connection that was given up with 408 is replaced by a new one, too") {
    int answered = 0;
    http_origin origin([&](const std::string&) -> answer {
        return ++answered == 2
                   ? answer{"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", then::close}
                   : with_length("x");
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        for (int i = 0; i < 2; ++i) {
            const fetched page = co_await client.get(origin.url("/"));
            CHECK(page.status == 200);
        }
        CHECK(origin.accepted == 2);
    });
}

LEAT_TEST("a body is read piece by piece, and given to a sink") {
    std::string body(3'000'000, 'z');
    http_origin origin([&](const std::string&) { return with_length(body); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        std::string sunk;
        const fetched page =
            co_await client.get(origin.url("/"), [&](std::string_view piece) { sunk += piece; });
        CHECK(sunk == body);
        CHECK(page.body.empty());
        auto reply = co_await client.open(origin.url("/"));
        CHECK(reply.size() == body.size());
        const std::string_view piece = co_await reply.read();
        CHECK(piece.front() == 'z');
        const std::string rest = co_await reply.read_all();
        CHECK(reply.bytes_read() == body.size());
        CHECK(rest.size() < body.size());
        const std::string_view end = co_await reply.read();
        CHECK(end.empty());
        CHECK(origin.accepted == 1);
        CHECK(client.idle_connections() == 1);
    });
}

LEAT_TEST("a response that is dropped unread closes its connection") {
    http_origin origin([&](const std::string&) { return with_length(std::string(3'000'000, 'z')); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        {
            auto reply = co_await client.open(origin.url("/"));
            (void)co_await reply.read();
        }
        CHECK(client.idle_connections() == 0);
        const fetched page = co_await client.get(origin.url("/"));
        CHECK(page.body.size() == 3'000'000);
        CHECK(origin.accepted == 2);
    });
}

LEAT_TEST("requests beyond the limit of a host wait for a connection, also when one is cancelled") {
    http_origin origin([&](const std::string& head) -> answer {
        return path_of(head) == "/never" ? answer{"", then::hold} : with_length("x");
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client({.environment_proxies = false, .connections_per_host = 2});
        auto never = leat::spawn([&]() -> leat::task<> { (void)co_await client.get(origin.url("/never")); });
        std::vector<int> pages(20);
        const auto get = [&](int) -> leat::task<std::size_t> {
            const fetched page = co_await client.get(origin.url("/"));
            co_return page.body.size();
        };
        std::vector<leat::handle<std::size_t>> all;
        for (int i = 0; i < 20; ++i) {
            all.push_back(leat::spawn(get, i));
        }
        all[7].cancel();
        never.cancel();
        co_await leat::join_all(all);
        int done = 0;
        for (const auto& each : all) {
            done += each.ok() ? 1 : 0;
        }
        CHECK(done == 19);
        CHECK(origin.accepted <= 3);
        co_await never.join();
        client.close_idle_connections();
        CHECK(client.idle_connections() == 0);
    });
}

LEAT_TEST("cancelling a request at any of its waits leaves the client in order") {
    http_origin origin([&](const std::string& head) -> answer {
        return path_of(head) == "/"
                   ? answer{"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /end\r\n\r\n"}
                   : answer{
                         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "5\r\nhello\r\n0\r\n\r\n"};
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client({.environment_proxies = false, .connections_per_host = 1});
        bool completed = false;
        for (int turns = 0; !completed; ++turns) {
            client.close_idle_connections();
            auto asked = leat::spawn([&]() -> leat::task<> { (void)co_await client.get(origin.url("/")); });
            for (int i = 0; i < turns && !asked.done(); ++i) {
                co_await leat::yield();
            }
            completed = asked.done();
            asked.cancel();
            co_await asked.join();
            const fetched page = co_await client.get(origin.url("/end"));
            CHECK(page.body == "hello");
            CHECK(client.idle_connections() == 1);
        }
    });
}

LEAT_TEST("a client looks hosts and proxies up as it was told to when it was made",
          on(leat::testing::kernel)) {
    leat::testing::dns_server server;
    server.set("origin.test", {.addresses = {leat::address::loopback_ipv4()}});
    server.set("proxy.test", {.addresses = {leat::address::loopback_ipv4()}});
    http_origin origin([](const std::string& head) { return with_length(path_of(head)); });
    co_await origin.during([&]() -> leat::task<> {
        auto client = std::make_unique<leat::http::client>(leat::http::client_options{
            .environment_proxies = false,
            .names = {.families = leat::address_families::ipv4,
                      .servers = std::string(server.location())}});  // gone when the client is used
        const std::string port = ":" + std::to_string(origin.port());
        const fetched page = co_await client->get("http://origin.test" + port + "/x");
        CHECK(page.body == "/x");
        CHECK(server.asked("origin.test", leat::testing::dns_type::a) == 1);
        CHECK(server.asked("origin.test", leat::testing::dns_type::aaaa) == 0);
        leat::http::proxies through;
        through.set_http("proxy.test" + port);
        client->use_proxies(through);
        const fetched proxied = co_await client->get("http://nowhere.test/");
        CHECK(proxied.body == "http://nowhere.test/");
    });
}

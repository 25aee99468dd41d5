// SPDX-License-Identifier: MIT
// Which version of HTTP the client speaks with an https server, and on how many connections.
#include "serving.hpp"

#include <leat/http.hpp>
#include <leat/http/serve_tls.hpp>
#include <leat/testing/certificates.hpp>
#include <leat/testing/doctest.hpp>

#include "../../support/http_origin.hpp"

#include <set>

using namespace std::chrono_literals;
using leat::http::fetched;
using leat::http::http_versions;
using leat::http::request;
using leat::http::response;

namespace {

leat::tls::context shown_with(std::string_view alpn) {
    static const leat::testing::certificate_authority authority;
    const leat::testing::certificate issued = authority.issue({"127.0.0.1"});
    return leat::tls::context::server({.certificate = leat::tls::pem::text(issued.chain),
                                       .key = leat::tls::pem::text(issued.key),
                                       .alpn = alpn});
}

// Runs an https server, which notes the connections that requests come on, while `body(its URL)` runs.
leat::task<> with_alpn(std::string_view alpn, std::set<std::string>& clients,
                       std::function<leat::task<>(std::string)> body) {
    const leat::tls::context shown = shown_with(alpn);
    const auto answer = [&clients](const request& asked) -> leat::task<response> {
        clients.insert(asked.connection->remote_endpoint()->to_string());
        response made;
        if (asked.headers.contains("Upgrade")) {
            made.status = 101;
            made.headers.add("Upgrade", "echo");
            made.upgraded = [](leat::any_stream& stream) -> leat::task<> {
                const leat::chunk some = co_await stream.recv_chunk();
                co_await stream.send_all(some);
            };
        }
        made.body = asked.target == "/echo" ? asked.body : std::string();
        co_return made;
    };
    co_await leat::testing::during_server(
        [&](leat::tcp_listener listener) {
            return leat::http::serve(std::move(listener), shown, answer, {.http = leat::testing::unattended});
        },
        [&](leat::endpoint where) { return body("https://" + where.to_string()); });
}

leat::http::client_options trusting(http_versions versions) {
    return {.insecure = true, .environment_proxies = false, .versions = versions};
}

}  // namespace

LEAT_TEST("HTTP/2 is spoken with https servers that choose it, unless the client is told not to") {
    struct negotiation {
        const char* alpn;
        http_versions versions;
        leat::http::version spoken;
    };
    constexpr negotiation all[] = {
        {"h2,http/1.1", http_versions::negotiated, leat::http::version::http_2},
        {"h2,http/1.1", http_versions::only_1_1, leat::http::version::http_1_1},
        {"http/1.1", http_versions::negotiated, leat::http::version::http_1_1},
        {"", http_versions::negotiated, leat::http::version::http_1_1},
        {"h2,http/1.1", http_versions::prior_knowledge, leat::http::version::http_2},
    };
    for (const negotiation& each : all) {
        CAPTURE(each.alpn);
        std::set<std::string> clients;
        co_await with_alpn(each.alpn, clients, [&](std::string origin) -> leat::task<> {
            leat::http::client client(trusting(each.versions));
            const std::string large(300'000, 'l');
            for (int number = 0; number < 3; ++number) {
                const fetched page = co_await client.post(origin + "/echo", large, {.tell_tls = true});
                CHECK(page.version == each.spoken);
                REQUIRE(page.tls.has_value());
                CHECK(page.tls->alpn == (each.spoken == leat::http::version::http_2 ? "h2"
                                         : each.alpn[0] == '\0'                     ? ""
                                                                                    : "http/1.1"));
                CHECK(page.tls->subject == "CN=127.0.0.1");
                const bool same = page.body == large;
                CHECK(same);
            }
            CHECK(clients.size() == 1);
            CHECK(client.idle_connections() == 1);
        });
    }
}

LEAT_TEST("the first connection to an https server decides for the requests that begin with it") {
    for (const bool http2 : {true, false}) {
        std::set<std::string> clients;
        co_await with_alpn(
            http2 ? "h2,http/1.1" : "http/1.1", clients, [&](std::string origin) -> leat::task<> {
                leat::http::client client(trusting(http_versions::negotiated));
                const std::vector<int> numbers(8);
                const auto pages = co_await leat::map_concurrently(
                    numbers, numbers.size(), [&](int) { return client.post(origin + "/echo", "x"); });
                for (const fetched& page : pages) {
                    CHECK(page.body == "x");
                }
                CHECK((clients.size() == 1) == http2);
            });
    }
}

LEAT_TEST("an upgrade is asked for over HTTP/1.1, whatever the server would choose") {
    std::set<std::string> clients;
    co_await with_alpn("h2,http/1.1", clients, [&](std::string origin) -> leat::task<> {
        leat::http::client client(trusting(http_versions::negotiated));
        const fetched before = co_await client.get(origin + "/");
        CHECK(before.version == leat::http::version::http_2);
        auto upgraded = co_await client.upgrade("echo", origin + "/");
        co_await upgraded.stream.send_all("hello");
        const leat::chunk back = co_await upgraded.stream.recv_chunk();
        CHECK(back.text() == "hello");
        CHECK(clients.size() == 2);
    });
}

LEAT_TEST("a first connection that fails decides nothing, and no request is lost by that") {
    std::set<std::string> clients;
    co_await with_alpn("h2,http/1.1", clients, [&](std::string origin) -> leat::task<> {
        leat::http::client client(trusting(http_versions::negotiated));
        auto first = leat::spawn(support::error_of(client.get(origin + "/", {.tls_handshake = 0s})));
        const std::vector<int> numbers(6);
        const auto pages = co_await leat::map_concurrently(
            numbers, numbers.size(), [&](int) { return client.post(origin + "/echo", "x"); });
        for (const fetched& page : pages) {
            CHECK(page.body == "x");
            CHECK(page.version == leat::http::version::http_2);
        }
        const std::string failed = co_await first;
        CHECK(failed != "no error");
        const fetched last = co_await client.get(origin + "/");
        CHECK(last.status == 200);
        CHECK(client.idle_connections() == 1);
    });
}

LEAT_TEST("requests whose server cannot be reached do not wait for one another",
          on(leat::testing::simulated)) {
    leat::http::client client(trusting(http_versions::negotiated));
    const auto start = leat::now();
    const std::vector<int> numbers(20);
    const auto failures = co_await leat::map_concurrently(numbers, numbers.size(), [&](int) {
        return support::error_of(client.get("https://127.0.0.1:9/", {.connect = 5s}));
    });
    for (const std::string& failure : failures) {
        CHECK(failure != "no error");
    }
    CHECK(leat::now() - start <= 10s);
}

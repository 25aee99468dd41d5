// SPDX-License-Identifier: MIT
// The HTTP server over TLS: what a stop does to handshakes, and what handlers see of TLS.
#include "serving.hpp"

#include <leat/http/serve_tls.hpp>
#include <leat/proxied_listener.hpp>
#include <leat/testing/certificates.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/tls.hpp>

using namespace std::chrono_literals;
using leat::http::request;
using leat::http::response;
using leat::testing::get;
using leat::testing::lent_listener;
using leat::testing::rest_of;

namespace {

const leat::testing::certificate_authority& authority() {
    static const leat::testing::certificate_authority made;
    return made;
}

leat::tls::context server_context() {
    const leat::testing::certificate issued = authority().issue({"server.example"});
    return leat::tls::context::server({.certificate = leat::tls::pem::text(issued.chain),
                                       .key = leat::tls::pem::text(issued.key),
                                       .alpn = "http/1.1"});
}

using secured = leat::tls::stream<leat::tcp_stream>;

// A connection that has had one answer.
leat::task<secured> answered_by(leat::endpoint where) {
    const auto trusting = leat::tls::context::client({.insecure = true});
    secured made(co_await leat::tcp_stream::connect(where), trusting, "server.example");
    co_await made.send_all(get("/"));
    const leat::chunk answer = co_await made.recv_chunk();
    CHECK(answer.text().starts_with("HTTP/1.1 200 OK\r\n"));
    co_return std::move(made);
}

leat::task<response> tls_facts(const request& asked) {
    response made;
    const leat::tls::session* tls = asked.connection->tls();
    made.body = tls == nullptr ? "none"
                               : std::string(tls->version()) + " " + std::string(tls->alpn()) + " " +
                                     std::string(tls->server_name());
    co_return made;
}

}  // namespace

LEAT_TEST("a proxy tells of the client before TLS begins") {
    const leat::tls::context shared = server_context();
    auto below = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = below.local_endpoint();
    leat::proxied_listener behind(std::move(below), {.proxies = {leat::network::parse("127.0.0.0/8")}});
    const auto tell = [](const request& asked) -> leat::task<response> {
        response made;
        made.body = asked.connection->remote_endpoint()->to_string();
        co_return made;
    };
    auto serving =
        leat::spawn(leat::http::serve(std::move(behind), shared, tell, {.http = leat::testing::unattended}));
    auto proxy = co_await leat::tcp_stream::connect(where);
    co_await proxy.send_all("PROXY TCP4 192.0.2.1 192.0.2.2 51000 443\r\n");
    const auto trusting = leat::tls::context::client({.insecure = true});
    leat::tls::stream<leat::tcp_stream> client(std::move(proxy), trusting, "server.example");
    co_await client.send_all(get("/"));
    const leat::chunk answer = co_await client.recv_chunk();
    CHECK(answer.text().ends_with("\r\n\r\n192.0.2.1:51000"));
    serving.cancel();
    (void)co_await serving.join();
}

LEAT_TEST("a stop ends TLS handshakes at once, and connections that have asked nothing") {
    const leat::tls::context shared = server_context();
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    const leat::http::serve_tls_options patient{.http = {.grace = 1h, .stop_on = {}, .limits = {.idle = 1h}},
                                                .handshake = 1h};
    auto serving = leat::spawn(leat::http::serve(lent_listener(listener), shared, tls_facts, patient));
    auto silent = co_await leat::tcp_stream::connect(where);
    auto halfway = co_await leat::tcp_stream::connect(where);
    co_await halfway.send_all("\x16\x03\x01\x02");
    auto asked = co_await answered_by(where);
    listener.close();
    const std::string nothing = co_await rest_of(silent);
    CHECK(nothing.empty());
    const std::string nothing_either = co_await rest_of(halfway);
    CHECK(nothing_either.empty());
    const std::string end = co_await rest_of(asked);
    CHECK(end.empty());
    asked.close();
    co_await serving;
}

LEAT_TEST("a body whose end is the connection's is cut by a reset, also below TLS") {
    const auto fail_midway = [](const request&, leat::http::response_writer& writer) -> leat::task<> {
        co_await writer.write("one");
        throw 42;
    };
    const leat::tls::context shared = server_context();
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    auto serving =
        leat::spawn(leat::http::serve(std::move(listener), shared, fail_midway, {.http = {.stop_on = {}}}));
    const auto trusting = leat::tls::context::client({.insecure = true});
    auto below = co_await leat::tcp_stream::connect(where);
    leat::tls::stream<leat::tcp_stream> peer(std::move(below), trusting, "server.example");
    co_await peer.send_all("GET / HTTP/1.0\r\n\r\n");
    std::error_code ended;
    for (bool more = true; more;) {
        const auto some = co_await leat::as_result(peer.recv_chunk());
        more = some.ok() && !some->empty();
        ended = some.error();
    }
    CHECK(ended == std::errc::connection_reset);
    serving.cancel();
    co_await serving.join();
}

LEAT_TEST("an upgraded protocol over TLS is told that its connection was cut, without close_notify") {
    std::error_code ended;
    const auto upgrade = [&](const request&) -> leat::task<response> {
        response made;
        made.status = 101;
        made.headers.add("Upgrade", "bytes");
        made.upgraded = [&](leat::any_stream& stream) -> leat::task<> {
            const auto end = co_await leat::as_result(stream.recv_chunk());
            ended = end.error();
        };
        co_return made;
    };
    const leat::tls::context shared = server_context();
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    auto serving =
        leat::spawn(leat::http::serve(lent_listener(listener), shared, upgrade, {.http = {.stop_on = {}}}));
    {
        const auto trusting = leat::tls::context::client({.insecure = true});
        secured peer(co_await leat::tcp_stream::connect(where), trusting, "server.example");
        co_await peer.send_all("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: bytes\r\n\r\n");
        const leat::chunk answer = co_await peer.recv_chunk();
        CHECK(answer.text().starts_with("HTTP/1.1 101 "));
    }
    listener.close();
    co_await serving;
    CHECK(ended == leat::tls::failure::truncated);
}

LEAT_TEST("a handshake has its time") {
    const leat::tls::context shared = server_context();
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    auto serving = leat::spawn(leat::http::serve(lent_listener(listener), shared, tls_facts,
                                                 {.http = {.stop_on = {}}, .handshake = 20ms}));
    auto silent = co_await leat::tcp_stream::connect(where);
    const std::string nothing = co_await rest_of(silent);
    CHECK(nothing.empty());
    listener.close();
    co_await serving;
}

LEAT_TEST(
    "of more handshakes than may go on at once the one that has taken longest is cut off, and counted") {
    const leat::tls::context shared = server_context();
    leat::serve_counters counters;
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    const leat::http::serve_tls_options crowded{
        .http = {.counters = &counters, .stop_on = {}}, .handshake = 1h, .handshakes = 1};
    auto serving = leat::spawn(leat::http::serve(std::move(listener), shared, tls_facts, crowded));
    auto silent = co_await leat::tcp_stream::connect(where);
    auto asked = co_await answered_by(where);
    const std::string nothing = co_await rest_of(silent);
    CHECK(nothing.empty());
    CHECK(counters.handshake == 1);
    serving.cancel();
    co_await serving.join();
}

LEAT_TEST("a handler sees whose certificate the client has shown, and that it has shown none") {
    const std::string ca = authority().certificate_text();
    const leat::testing::certificate issued = authority().issue({"server.example"});
    const leat::testing::certificate worker = authority().issue({"worker-7"});
    const auto shared = leat::tls::context::server({.certificate = leat::tls::pem::text(issued.chain),
                                                    .key = leat::tls::pem::text(issued.key),
                                                    .client_ca = leat::tls::pem::text(ca),
                                                    .require_client_certificate = false});
    const auto greet = [](const request& asked) -> leat::task<response> {
        response made;
        made.body = "hello " + asked.connection->tls()->peer_subject();
        co_return made;
    };
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    auto serving =
        leat::spawn(leat::http::serve(std::move(listener), shared, greet, {.http = {.stop_on = {}}}));
    for (const bool shows : {true, false}) {
        leat::tls::client_options options{.ca = leat::tls::pem::text(ca)};
        if (shows) {
            options.certificate = leat::tls::pem::text(worker.chain);
            options.key = leat::tls::pem::text(worker.key);
        }
        const auto showing = leat::tls::context::client(options);
        auto below = co_await leat::tcp_stream::connect(where);
        leat::tls::stream<leat::tcp_stream> peer(std::move(below), showing, "server.example");
        co_await peer.send_all(get("/"));
        const leat::chunk answer = co_await peer.recv_chunk();
        CHECK(answer.text().ends_with(shows ? "\r\n\r\nhello CN=worker-7" : "\r\n\r\nhello "));
    }
    serving.cancel();
    co_await serving.join();
}

LEAT_TEST("a handler sees what TLS agreed on, and that there is none") {
    const leat::tls::context shared = server_context();
    co_await leat::testing::serving(
        tls_facts, leat::testing::unattended, [](leat::endpoint where) -> leat::task<> {
            const std::string plain = co_await leat::testing::answers_to(where, get("/"));
            CHECK(plain == leat::testing::ok("none"));
        });
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    auto serving =
        leat::spawn(leat::http::serve(std::move(listener), shared, tls_facts, {.http = {.stop_on = {}}}));
    const auto trusting = leat::tls::context::client({.insecure = true, .alpn = "http/1.1"});
    auto below = co_await leat::tcp_stream::connect(where);
    leat::tls::stream<leat::tcp_stream> peer(std::move(below), trusting, "server.example");
    co_await peer.send_all(get("/"));
    const leat::chunk answer = co_await peer.recv_chunk();
    CHECK(answer.text().ends_with("\r\n\r\nTLSv1.3 http/1.1 server.example"));
    serving.cancel();
    co_await serving.join();
}

LEAT_TEST("a body is read as it comes over TLS, too, and a long rest closes behind the answer") {
    const leat::tls::context shared = server_context();
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    const auto reads = [](const request& asked,
                          leat::http::request_body_reader& body) -> leat::task<response> {
        response made;
        made.body = "left";
        if (asked.target == "/all") {
            made.body = co_await body.read_all();
        }
        co_return made;
    };
    auto serving = leat::spawn(leat::http::serve(lent_listener(listener), shared, reads,
                                                 {.http = {.grace = leat::duration::zero(), .stop_on = {}}}));
    const auto trusting = leat::tls::context::client({.insecure = true});
    auto below = co_await leat::tcp_stream::connect(where);
    leat::tls::stream<leat::tcp_stream> peer(std::move(below), trusting, "server.example");
    const std::string head = " HTTP/1.1\r\nHost: a\r\nContent-Length: ";
    co_await peer.send_all("POST /all" + head + "6\r\n\r\none");
    co_await peer.send_all("two");
    co_await peer.send_all("POST /left" + head + "300000\r\n\r\n" + std::string(300'000, 'r') + get("/all"));
    const std::string all = leat::testing::without_dates(co_await rest_of(peer));
    CHECK(all == leat::testing::ok("onetwo") +
                     "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nleft");
    serving.cancel();
    co_await serving.join();
}

// SPDX-License-Identifier: MIT
// Servers behind proxies that speak the PROXY protocol.
#include <leat/framing.hpp>
#include <leat/net.hpp>
#include <leat/proxied_listener.hpp>
#include <leat/testing/doctest.hpp>

#include <string>

using namespace std::chrono_literals;

namespace leat {
namespace {

constexpr std::string_view told = "PROXY TCP4 192.0.2.1 192.0.2.2 51000 443\r\n";

// Tells each client who it is, and then what it says.
task<> tell(tcp_stream client) {
    co_await client.send_all(client.remote_endpoint().to_string() + "\n");
    while (const chunk said = co_await client.recv_chunk()) {
        co_await client.send_all(said);
    }
}

// Runs a server behind `options` while `body(its endpoint)` runs.
template <typename Body>
task<> behind(proxied_options options, serve_options how, Body body) {
    auto below = tcp_listener::bind({"127.0.0.1", 0});
    const endpoint where = below.local_endpoint();
    how.stop_on = {};
    auto serving = spawn([&]() -> task<> {
        co_await serve(proxied_listener(std::move(below), std::move(options)), tell, how);
    });
    co_await body(where);
    serving.cancel();
    (void)co_await serving.join();
}

task<std::string> all_of(tcp_stream& from) {
    std::string all;
    for (;;) {
        const auto more = co_await as_result(from.recv_chunk());
        if (!more.ok()) {
            co_return all + more.error().message();
        }
        if (more->empty()) {
            co_return all;
        }
        all += more->text();
    }
}

task<std::string> said_to(endpoint where, std::string bytes) {
    tcp_stream client = co_await tcp_stream::connect(where);
    co_await client.send_all(bytes);
    client.shutdown_send();
    co_return co_await all_of(client);
}

const network loopback = network::parse("127.0.0.0/8");

}  // namespace

LEAT_TEST("a handler sees the client that a trusted proxy tells of, and what it has sent with the header") {
    co_await behind({.proxies = {loopback}}, {}, [](endpoint where) -> task<> {
        CHECK(co_await said_to(where, std::string(told) + "hello") == "192.0.2.1:51000\nhello");
        tcp_stream proxy = co_await tcp_stream::connect(where);
        const std::string own = proxy.local_endpoint().to_string();
        co_await proxy.send_all("PROXY UNKNOWN\r\n");
        proxy.shutdown_send();
        CHECK(co_await all_of(proxy) == own + "\n");
    });
}

LEAT_TEST("who is no trusted proxy is reset, or served as itself") {
    const network elsewhere = network::parse("10.0.0.0/8");
    co_await behind({.proxies = {elsewhere}}, {}, [](endpoint where) -> task<> {
        const auto end = co_await as_result(said_to(where, ""));  // the reset may come before the connection
        const std::string reset = std::make_error_code(std::errc::connection_reset).message();
        CHECK((end.ok() ? *end : end.error().message()) == reset);
    });
    co_await behind({.proxies = {elsewhere}, .direct = true}, {}, [](endpoint where) -> task<> {
        tcp_stream client = co_await tcp_stream::connect(where);
        co_await client.send_all(told);
        client.shutdown_send();
        CHECK(co_await all_of(client) == client.local_endpoint().to_string() + "\n" + std::string(told));
    });
}

LEAT_TEST("the rest of a header that was cut off is not taken for what the client says") {
    proxied_listener listener(tcp_listener::bind({"127.0.0.1", 0}), {.proxies = {loopback}});
    auto accepting = spawn(listener.accept());
    tcp_stream proxy = co_await tcp_stream::connect(listener.local_endpoint());
    proxied_stream client = co_await accepting;
    co_await proxy.send_all(told.substr(0, 20));
    while (client.is_quiet()) {
        co_await yield();
    }
    auto shaking = spawn([&]() -> task<> { co_await client.handshake(); });
    while (!client.is_quiet()) {
        co_await yield();
    }
    shaking.cancel();
    CHECK((co_await shaking.join()).cancelled());
    co_await proxy.send_all(told.substr(20));
    CHECK((co_await as_result(client.handshake())).error() == std::errc::protocol_error);
}

LEAT_TEST("a proxy that sends no header, or none in time, is cut off, and holds up no other") {
    serve_counters counted;
    co_await behind({.proxies = {loopback}},
                    {.handshake = 1s, .counters = &counted, .on_error = [](auto, auto) {}},
                    [](endpoint where) -> task<> {
                        tcp_stream silent = co_await tcp_stream::connect(where);
                        CHECK(co_await said_to(where, "GET / HTTP/1.1\r\n\r\n") == "");
                        CHECK(co_await said_to(where, std::string(told)) == "192.0.2.1:51000\n");
                        CHECK(co_await all_of(silent) == "");
                    });
    CHECK(counted.handshake == 1);
}

}  // namespace leat

// SPDX-License-Identifier: MIT
// Bytes from a stranger as a server's answer to the HTTP client of a simulation: it gives a response or an
// error of one line that begins with the URL, the same however the bytes are cut. Nothing is left open.
#include <leat/check.hpp>
#include <leat/http.hpp>
#include <leat/net.hpp>
#include <leat/testing/simulation.hpp>

#include "choices.hpp"

#include <string>
#include <string_view>

using leat::check;

namespace {

// Answers one request with `bytes`, `step` at a time, and ends the connection.
leat::task<> answer(leat::tcp_listener& listener, std::string_view bytes, std::size_t step) {
    auto peer = co_await listener.accept();
    std::string head;
    while (head.find("\r\n\r\n") == head.npos) {
        const auto some = co_await peer.recv_chunk();
        if (some.size() == 0) {
            co_return;
        }
        head += some.text();
    }
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        const auto sent = co_await leat::as_result(peer.send_all(bytes.substr(at, step)));
        if (!sent.ok()) {
            break;
        }
        co_await leat::yield();
    }
}

// What a request comes to, as text.
leat::task<std::string> fetch(std::string url, bool head_only, bool narrow) {
    leat::http::client client({.environment_proxies = false});
    leat::http::request_options how{.redirects = 0};
    if (narrow) {
        how.header_bytes = 100;
        how.body_bytes = 20;
    }
    std::string outcome;
    try {
        auto asked = head_only ? client.head(url, how) : client.get(url, how);
        const auto page = co_await std::move(asked);
        check(!narrow || page.body.size() <= 20, "a body is within its limit");
        outcome = std::to_string(page.status) + "\n" + std::string(page.headers.wire()) + "\n" + page.body;
    } catch (const std::system_error& error) {
        outcome = error.what();
        check(outcome.starts_with(url), "an error begins with the URL");
        check(outcome.find('\n') == outcome.npos, "and is one line");
    }
    client.close_idle_connections();
    co_return outcome;
}

std::string outcome(std::string_view bytes, unsigned flags, std::size_t step) {
    leat::simulation network;
    std::string seen;
    leat::testing::run_simulated(network,
                                 [&]() -> leat::task<> {
                                     auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
                                     auto server = leat::spawn(answer, std::ref(listener), bytes, step);
                                     const std::string url =
                                         "http://" + listener.local_endpoint().to_string() + "/";
                                     seen = co_await fetch(url, (flags & 0x80) != 0, (flags & 1) != 0);
                                     co_await server;
                                 },
                                 {.report = fuzz::nothing_is_reported});
    check(network.open_sockets() == 0, "no socket is left open");
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    check(outcome(bytes, data[0], size) == outcome(bytes, data[0], 1 + data[0] / 2 % 16),
          "the cuts of the answer do not change what comes of it");
    return 0;
}

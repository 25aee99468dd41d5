// SPDX-License-Identifier: MIT
// A server for as long as a test talks to it, and what tests say to it and expect of it.
#pragma once

#include <leat/http.hpp>
#include <leat/net.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "../lent_listener.hpp"

namespace leat::testing {

// Accepts one connection, and is closed by an event.
template <typename Stream>
class single_listener {
public:
    explicit single_listener(Stream only) : only_(std::move(only)) {}
    single_listener(Stream only, event& closed) : only_(std::move(only)), closed_(&closed) {}

    task<Stream> accept() {
        if (!only_.has_value()) {
            if (closed_ == nullptr) {
                co_await sleep_until(never);
            }
            co_await closed_->wait();
            throw std::system_error(stream_errc::closed, "accept");
        }
        Stream taken = std::move(*only_);
        only_.reset();
        co_return taken;
    }
    void close() noexcept {}

private:
    std::optional<Stream> only_;
    event* closed_ = nullptr;
};

inline constexpr http::serve_options unattended{.grace = duration::zero(), .stop_on = {}};

// Runs what `serve(a listener)` gives while `body(its endpoint)` runs.
task<> during_server(std::function<task<>(tcp_listener)> serve, std::function<task<>(endpoint)> body);

// Runs a server with `handler` while `body(its endpoint)` runs.
template <typename Handler>
task<> serving(Handler handler, http::serve_options options, std::function<task<>(endpoint)> body) {
    return during_server(
        [handler, options](tcp_listener listener) {
            return http::serve(std::move(listener), handler, options);
        },
        std::move(body));
}

// Everything until the server ends the connection, also if that is by an error.
template <typename Stream>
task<std::string> rest_of(Stream& peer) {
    std::string all;
    for (;;) {
        const auto more = co_await as_result(peer.recv_chunk());
        if (!more.ok() || more->empty()) {
            break;
        }
        all += more->text();
    }
    co_return all;
}

std::string without_dates(std::string all);

// What has come, without waiting for more. Time is virtual.
template <typename Stream>
task<std::string> come_by_now(Stream& peer) {
    std::string all;
    for (;;) {
        auto more = co_await move_on_after(std::chrono::milliseconds(1), peer.recv_chunk());
        if (!more || more->empty()) {
            break;
        }
        all += more->text();
    }
    co_return without_dates(all);
}

// Sends `bytes` and gives all that comes back, without Date fields.
task<std::string> answers_to(endpoint where, std::string bytes);

inline std::string get(std::string_view target) {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

inline std::string ok(std::string_view body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           std::string(body);
}

inline const std::string failed =
    "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain\r\nContent-Length: 22\r\n"
    "Connection: close\r\n\r\nInternal Server Error\n";

// What servers report to, as run_options.report.
inline std::vector<std::string> said;
inline void remember_said(std::string_view line) {
    said.emplace_back(line);
}

}  // namespace leat::testing

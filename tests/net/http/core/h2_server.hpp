// SPDX-License-Identifier: MIT
// An h2_session for tests and fuzzers, whose connection is nowhere.
#pragma once

#include <leat/http/core/h2_session.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace leat::testing {

class nowhere final : public http::served_connection {
public:
    [[nodiscard]] std::optional<endpoint> remote_endpoint() const override { return {}; }
    [[nodiscard]] std::optional<endpoint> local_endpoint() const override { return {}; }
    [[nodiscard]] const tls::session* tls() const noexcept override { return nullptr; }
    [[nodiscard]] std::optional<std::uint64_t> acknowledged() const noexcept override { return {}; }
    task<> gone() override { co_return; }
};

// A session at a time that does not pass by itself.
struct h2_server {
    explicit h2_server(const http::server_limits& chosen = {}) : limits(chosen) {}

    void receive(std::string_view bytes) { session.receive(std::as_bytes(std::span(bytes)), now); }
    std::string take_out() {
        std::string all;
        for (;;) {
            std::string out;
            session.write(out, 64 * 1024, now);
            if (out.empty()) {
                return all;
            }
            all += out;
        }
    }
    // Gives answer(request) to each request that has come.
    void answer_all(const std::function<http::response(const http::request&)>& answer) {
        while (http::detail::h2_stream* next = session.take_request()) {
            http::response made = answer(next->asked);
            session.answer(*next, made, now);
            session.handler_ended(*next);
        }
    }

    nowhere client;
    http::server_limits limits;
    time_point now{std::chrono::hours(1)};
    http::detail::h2_session session{limits, client, now};
};

}  // namespace leat::testing

// SPDX-License-Identifier: MIT
// The client's end of a WebSocket over a stream of HTTP/2, for tests.
#pragma once

#include <leat/websocket.hpp>

#include <optional>
#include <string>
#include <string_view>

#include "../http/h2_client.hpp"

namespace leat::testing {

inline const http::headers h2_handshake{{"sec-websocket-version", "13"}};

class h2_socket {
public:
    // Asks for one; `peer` outlives it.
    explicit h2_socket(h2_peer& peer, std::string_view target = "/",
                       const http::headers& asked = h2_handshake)
        : peer_(peer), id_(peer.connect(target, "websocket", asked)) {}

    task<> send(std::string_view text) {
        session_.send(websocket::kind::text, text);
        return push();
    }
    task<> close() {
        session_.close(websocket::close_code::normal, {});
        return push();
    }
    // The next message; nothing when the server has closed, or the stream has ended.
    task<std::optional<std::string>> receive() {
        for (;;) {
            take();
            if (const websocket::message* const next = session_.take_message()) {
                co_return std::string(next->data);
            }
            co_await push();
            const auto come = [this] { return answer().body.size() > taken_; };
            if (!session_.receives() || answer().whole || answer().reset) {
                co_return std::nullopt;
            }
            const bool goes_on =
                co_await peer_.talk_until([&] { return come() || answer().whole || answer().reset; });
            if (!goes_on) {
                co_return std::nullopt;
            }
        }
    }
    [[nodiscard]] h2_answer& answer() { return peer_.of(id_); }
    // The code of the server's close; 0 before it.
    [[nodiscard]] int closed_with() const {
        const websocket::closing* const close = session_.closed_by_peer();
        return close != nullptr ? static_cast<int>(close->code) : 0;
    }
    [[nodiscard]] std::int32_t id() const noexcept { return id_; }

private:
    void take() {
        std::string_view rest = std::string_view(answer().body).substr(taken_);
        const std::size_t before = rest.size();
        session_.receive(rest);
        taken_ += before - rest.size();
    }
    task<> push() {
        peer_.add_body(id_, session_.out());
        session_.out().clear();
        co_await peer_.flush();
    }

    h2_peer& peer_;
    std::int32_t id_;
    websocket::detail::session session_{websocket::role::client, std::size_t(1) << 20};
    std::size_t taken_ = 0;
};

}  // namespace leat::testing

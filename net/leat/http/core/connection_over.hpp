// SPDX-License-Identifier: MIT
// connection_over: the served_connection of a stream. It is the only one beside the server itself that
// receives: what has come then is kept for the server.
// Invariant: it does not receive while a handler reads the body of its request.
#pragma once

#include <leat/chunk.hpp>
#include <leat/core/peer_of.hpp>
#include <leat/endpoint.hpp>
#include <leat/http/core/server_deadlines.hpp>
#include <leat/http/served_connection.hpp>
#include <leat/serve.hpp>
#include <leat/sleep.hpp>
#include <leat/stream.hpp>
#include <leat/sync/event.hpp>
#include <leat/task.hpp>

#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>

namespace leat::http::detail {

// What others see of a handler that reads.
struct body_reading {
    event over;         // no more of the body is received
    bool lost = false;  // because the client has ended
};

// The served_connection of a stream, and a chunk that was received while a handler ran.
template <stream Stream>
class connection_over final : public served_connection {
public:
    explicit connection_over(Stream& stream) noexcept : stream_(stream) {}

    [[nodiscard]] std::optional<endpoint> remote_endpoint() const override {
        return leat::detail::peer_of(stream_);
    }
    [[nodiscard]] std::optional<endpoint> local_endpoint() const override {
        if constexpr (requires { endpoint(stream_.local_endpoint()); }) {
            return endpoint(stream_.local_endpoint());
        } else {
            return std::nullopt;
        }
    }
    [[nodiscard]] const tls::session* tls() const noexcept override {
        if constexpr (requires { stream_.session().alpn(); }) {
            return &stream_.session();
        } else {
            return nullptr;
        }
    }
    [[nodiscard]] std::optional<std::uint64_t> acknowledged() const noexcept override {
        if constexpr (requires { stream_.transport().native_handle(); }) {
            return acknowledged_bytes(stream_.transport().native_handle());
        } else if constexpr (requires { stream_.native_handle(); }) {
            return acknowledged_bytes(stream_.native_handle());
        } else {
            return std::nullopt;
        }
    }
    [[nodiscard]] task<> gone() override {
        if (reading_ != nullptr) {
            co_await reading_->over.wait();
            if (reading_->lost) {
                co_return;
            }
        }
        if (ahead_.empty()) {
            try {
                ahead_ = co_await stream_.recv_chunk();
            } catch (const std::system_error&) {
                co_return;
            }
            if (ahead_.empty()) {
                co_return;
            }
        }
        co_await sleep_until(never);
    }

    [[nodiscard]] chunk take_ahead() noexcept { return std::move(ahead_); }
    void keep_ahead(chunk&& bytes) noexcept { ahead_ = std::move(bytes); }
    // Null when no handler reads.
    void set_reading(body_reading* reading) noexcept { reading_ = reading; }

private:
    Stream& stream_;
    chunk ahead_;
    body_reading* reading_ = nullptr;
};

}  // namespace leat::http::detail

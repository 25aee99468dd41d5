// SPDX-License-Identifier: MIT
// h2_exchange: one request of the HTTP client as a stream of an HTTP/2 connection. It waits for what the
// tasks of the connection bring, and does no I/O itself.
// Invariant: destroyed, at whatever point, it cancels what has not come, and the connection goes on.
#pragma once

#include <leat/http/core/client_exchange.hpp>
#include <leat/http/core/h2_client_connection.hpp>
#include <leat/http/core/h2_client_stream.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace leat::http::detail {

class h2_exchange final : public client_exchange {
public:
    // The connection outlives it.
    explicit h2_exchange(h2_client_connection& on) noexcept : connection_(on) {}
    ~h2_exchange() override;

    [[nodiscard]] task<> exchange(std::string_view method, byte_view request, parser_limits limits,
                                  time_point deadline) override;
    [[nodiscard]] task<> send(request_with_body asked) override;
    [[nodiscard]] task<> receive_head(time_point deadline) override;
    [[nodiscard]] task<std::string_view> read(time_point deadline) override;
    [[nodiscard]] response& head() noexcept override { return stream_->head; }
    [[nodiscard]] http::headers& trailers() noexcept override { return stream_->trailers; }
    [[nodiscard]] std::optional<std::uint64_t> content_length() const noexcept override {
        return stream_->length;
    }
    [[nodiscard]] bool complete() const noexcept override {
        return stream_->whole && stream_->received.empty();
    }
    [[nodiscard]] std::uint64_t body_bytes() const noexcept override { return stream_->body_bytes; }
    [[nodiscard]] std::optional<time_point> sent_at() const noexcept override { return stream_->sent_at; }
    [[nodiscard]] any_stream& stream() noexcept override { return connection_.stream(); }
    [[nodiscard]] bool silent() const noexcept override { return !stream_ || stream_->silent; }
    [[nodiscard]] bool refused() const noexcept override { return stream_ && stream_->refused; }

private:
    [[nodiscard]] task<> look();
    void begin(std::string_view head, const parser_limits& limits, bool has_body);
    [[nodiscard]] bool wants_body() const noexcept;
    [[nodiscard]] task<> receive_word();
    [[nodiscard]] task<> receive_refusal();
    [[nodiscard]] task<> send_body(outgoing_body& body, duration limit);
    [[nodiscard]] task<bool> put(std::string_view piece, duration limit, bool last);
    [[nodiscard]] task<> taken(std::string_view slice, bool last);

    h2_client_connection& connection_;
    std::optional<h2_client_stream> stream_;
    std::string piece_;  // that read() has given
    time_point begun_;
};

}  // namespace leat::http::detail

// SPDX-License-Identifier: MIT
// body_reader: the body of one request of an h2_connection, which its handler reads as it comes; what a
// request_body_reader reads from. What is read the client may send again as much of.
// Invariant: the stream outlives it.
#pragma once

#include <leat/http/core/h2_connection.hpp>
#include <leat/http/core/incoming_body.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace leat::http::detail {

class h2_connection::body_reader final : public incoming_body {
public:
    body_reader(h2_connection& on, h2_stream& asked) noexcept : connection_(on), stream_(asked) {}

    [[nodiscard]] task<std::string_view> next() override;
    [[nodiscard]] std::optional<std::uint64_t> size() const noexcept override { return stream_.body_size; }
    void refuse(std::error_code why) noexcept override { failure_ = why; }
    // Why no more of it can be had, or is wanted.
    [[nodiscard]] std::error_code failure() const noexcept { return failure_; }

private:
    struct wait;

    void end() noexcept;
    [[nodiscard]] std::error_code end_of_stream() const noexcept;

    h2_connection& connection_;
    h2_stream& stream_;
    std::string piece_;
    std::error_code failure_;
};

}  // namespace leat::http::detail

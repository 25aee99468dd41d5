// SPDX-License-Identifier: MIT
// answer_writer: the body of one answer over an h2_connection, piece by piece; what a response_writer writes
// to.
// Invariant: the stream outlives it.
#pragma once

#include <leat/http/core/h2_connection.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace leat::http::detail {

class h2_connection::answer_writer final : public body_writer {
public:
    answer_writer(h2_connection& on, h2_stream& asked) noexcept : connection_(on), stream_(asked) {}

    [[nodiscard]] task<> write(response& head, std::string_view piece, std::uint64_t& written) override;
    [[nodiscard]] task<> interim(int status, const headers& fields) override;
    // The handler has returned. Throws what makes the answer invalid.
    void finish(response_writer& written);

private:
    struct turn;

    void require_open() const;
    void begin(const response& head);

    h2_connection& connection_;
    h2_stream& stream_;
    std::optional<std::uint64_t> length_;  // that is left of it
    bool has_no_body_ = false;
};

}  // namespace leat::http::detail

// SPDX-License-Identifier: MIT
// request_retries: whether and when a request of the HTTP client is sent again after a failure that may pass,
// or an answer that says so. Used by client_request.
#pragma once

#include <leat/http/message.hpp>
#include <leat/retry.hpp>

#include <optional>
#include <system_error>

namespace leat::http::detail {

class request_retries {
public:
    explicit request_retries(const retry_options& how);

    // How long to wait before the next try; nothing: there is none. Each counts as a try.
    [[nodiscard]] std::optional<duration> after_error(std::error_code code);
    [[nodiscard]] std::optional<duration> after_answer(const response& head);

private:
    [[nodiscard]] std::optional<duration> next(duration at_least);

    retry_options how_;
    leat::retry_waits waits_;
    int left_;
};

}  // namespace leat::http::detail

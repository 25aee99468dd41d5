// SPDX-License-Identifier: MIT
#include <leat/http/core/redirect.hpp>

#include <leat/http/request_error.hpp>

#include <string>

namespace leat::http::detail {

bool redirect_chain::is_redirect(const response& head) noexcept {
    switch (head.status) {
        case 301:
        case 302:
        case 303:
        case 307:
        case 308:
            return true;
        default:
            return false;
    }
}

void redirect_chain::follow(const response& head) {
    const auto location = head.headers.get("Location");
    if (!location) {
        throw request_error(error::bad_redirect,
                            "a redirect (" + std::to_string(head.status) + ") without Location");
    }
    if (left_ <= 0) {
        throw request_error(error::too_many_redirects, "too many redirects (" + std::to_string(max_) + ")");
    }
    url next = current_.resolve(*location);
    if (current_.is_secure() && !next.is_secure()) {
        throw request_error(error::insecure_redirect,
                            "refused to follow a redirect from https to " + short_url(next.to_string()));
    }
    --left_;
    left_origin_ |= next.origin() != current_.origin();
    current_ = std::move(next);
}

}  // namespace leat::http::detail

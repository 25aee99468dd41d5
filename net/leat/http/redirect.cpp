// SPDX-License-Identifier: MIT
#include <leat/http/redirect.hpp>

#include <leat/http/request_error.hpp>

#include <algorithm>

namespace leat::http {

bool redirect_chain::is_redirect(const response& head) noexcept {
    switch (head.status) {
        case 301:
        case 302:
        case 303:
        case 307:
        case 308:
            return head.headers.contains("Location");
        default:
            return false;
    }
}

void redirect_chain::follow(const response& head) {
    if (left_-- <= 0) {
        throw request_error(error::too_many_redirects, "too many redirects (" + std::to_string(max_) + ")");
    }
    url next = current_.resolve(*head.headers.get("Location"));
    if (current_.is_secure() && !next.is_secure()) {
        throw request_error(error::insecure_redirect,
                            "refused to follow a redirect from https to " + next.to_string());
    }
    visited_.push_back(current_.to_string());
    if (std::find(visited_.begin(), visited_.end(), next.to_string()) != visited_.end()) {
        throw request_error(error::redirect_loop, "the redirects form a loop at " + next.to_string());
    }
    left_origin_ |= next.origin() != current_.origin();
    current_ = std::move(next);
}

}  // namespace leat::http

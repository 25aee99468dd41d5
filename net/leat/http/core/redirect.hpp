// SPDX-License-Identifier: MIT
// redirect_chain: the URLs that a request goes through (RFC 9110 15.4), and the rules for going on: not too
// many, never from https to http. The same URL may come twice: a server may have set a cookie, or be ready by
// then. Used by the HTTP client.
#pragma once

#include <leat/http/message.hpp>
#include <leat/http/url.hpp>

namespace leat::http::detail {

class redirect_chain {
public:
    redirect_chain(url first, int redirects_max)
        : current_(std::move(first)), max_(redirects_max), left_(redirects_max) {}

    [[nodiscard]] const url& current() const noexcept { return current_; }
    [[nodiscard]] bool redirected() const noexcept { return left_ != max_; }
    // Whether the request has left its first origin: fields meant for that one are not sent then.
    [[nodiscard]] bool left_origin() const noexcept { return left_origin_; }

    // Whether `head` asks to go on elsewhere: 301, 302, 303, 307 or 308.
    [[nodiscard]] static bool is_redirect(const response& head) noexcept;
    // Goes on to where `head` says. Throws request_error naming the rule that forbids it; a redirect without
    // Location is bad_redirect.
    void follow(const response& head);

private:
    url current_;
    int max_;
    int left_;
    bool left_origin_ = false;
};

}  // namespace leat::http::detail

// SPDX-License-Identifier: MIT
#include <leat/http/core/trailer_names.hpp>

#include <leat/http/core/text.hpp>

#include <algorithm>

namespace leat::http::detail {
namespace {

constexpr std::string_view refused[] = {
    // How the message is framed, and where it goes.
    "Connection",
    "Content-Length",
    "Forwarded",
    "Host",
    "Keep-Alive",
    "Max-Forwards",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    // How its content is read.
    "Content-Encoding",
    "Content-Range",
    "Content-Type",
    // Conditions and other controls of a request.
    "Cache-Control",
    "Expect",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Pragma",
    "Range",
    // Who asks.
    "Authorization",
    "Cookie",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Set-Cookie",
    "WWW-Authenticate",
    // Controls of a response.
    "Age",
    "Date",
    "Expires",
    "Location",
    "Retry-After",
    "Vary",
    "Warning",
};

}  // namespace

bool may_be_trailer(std::string_view name) noexcept {
    return std::ranges::none_of(refused,
                                [&](std::string_view each) { return equal_ignoring_case(each, name); });
}

}  // namespace leat::http::detail

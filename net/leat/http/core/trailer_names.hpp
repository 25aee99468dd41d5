// SPDX-License-Identifier: MIT
// may_be_trailer: which fields may come behind a body. Those that say how a message is framed, routed, read,
// authenticated or cached are needed before the body, and behind it they would deceive whoever merges both
// (RFC 9110 6.5.1). The server keeps them out of the trailers of requests, and does not send them.
#pragma once

#include <string_view>

namespace leat::http::detail {

// Whether a field of that name may be a trailer. Any that is not known to be harmful may.
[[nodiscard]] bool may_be_trailer(std::string_view name) noexcept;

}  // namespace leat::http::detail

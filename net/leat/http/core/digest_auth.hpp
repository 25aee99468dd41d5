// SPDX-License-Identifier: MIT
// digest_auth: HTTP digest authentication (RFC 7616) as a client speaks it: it reads the challenges of a 401,
// and makes the Authorization field that answers them: MD5 and SHA-256, qop=auth or none (RFC 2069), -sess.
// The HTTP client keeps one digest_session for each origin and user, so that the next request need not be
// refused first.
#pragma once

#include <leat/http/headers.hpp>
#include <leat/http/message.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace leat::http::detail {

enum class digest_algorithm : unsigned char { md5, sha256 };

struct digest_challenge {
    std::string realm;
    std::string nonce;
    std::string opaque;
    std::string algorithm_text;  // as the server wrote it; empty: it did not
    digest_algorithm algorithm = digest_algorithm::md5;
    bool session = false;  // MD5-sess, SHA-256-sess
    bool auth = false;     // qop=auth
    bool stale = false;    // only the nonce was wrong
};

// The strongest challenge among all WWW-Authenticate fields that can be answered; nothing without one.
[[nodiscard]] std::optional<digest_challenge> find_digest_challenge(const headers& fields);

class digest_session {
public:
    // `nonce` is the client's own, drawn for this.
    digest_session(digest_challenge given, std::string nonce) noexcept
        : given_(std::move(given)), own_nonce_(std::move(nonce)) {}

    // The value of the Authorization field of the next request. `credentials` are "user:password".
    [[nodiscard]] std::string authorize(std::string_view credentials, std::string_view method,
                                        std::string_view target);

private:
    digest_challenge given_;
    std::string own_nonce_;
    std::uint32_t count_ = 0;
};

// The digest of `text` in lower-case hexadecimal digits; nothing if the library was built without TLS, or its
// OpenSSL refuses the algorithm.
[[nodiscard]] std::optional<std::string> hex_digest(digest_algorithm algorithm, std::string_view text);

}  // namespace leat::http::detail

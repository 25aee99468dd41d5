// SPDX-License-Identifier: MIT
// hex_digest: the digest of a text by OpenSSL. For HTTP digest authentication.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace leat::tls::detail {

// `algorithm` as OpenSSL names it: "MD5", "SHA256". In lower-case hexadecimal digits; nothing if OpenSSL
// refuses it, as it does MD5 where only FIPS is allowed.
[[nodiscard]] std::optional<std::string> hex_digest(const char* algorithm, std::string_view text);

}  // namespace leat::tls::detail

// SPDX-License-Identifier: MIT
// file_origin: where the bytes of a file are from, and what tells whether the server has still the same file
// (RFC 9110, section 8.8). Given by the engine, kept beside files that are not whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace fetch {

struct file_origin {
    std::string url = {};
    std::string etag = {};                   // as the field says it, with its quotes; empty: none
    std::string last_modified = {};          // as the field says it; empty: none
    std::optional<std::uint64_t> size = {};  // of the whole file

    // If-Range may be sent with it: a weak tag does not tell that each byte is the same.
    [[nodiscard]] bool has_strong_tag() const noexcept { return etag.starts_with('"'); }
    [[nodiscard]] bool has_validator() const noexcept { return has_strong_tag() || !last_modified.empty(); }

    friend bool operator==(const file_origin&, const file_origin&) = default;
};

// The URL as it is written to the disk, where others may read it.
[[nodiscard]] inline std::string without_password(std::string url) {
    const std::size_t scheme = url.find("://");
    if (scheme != std::string::npos) {
        const std::size_t begin = scheme + 3;
        const std::size_t at = url.substr(begin, url.find_first_of("/?#", begin) - begin).rfind('@');
        url.erase(begin, at == std::string::npos ? 0 : at + 1);
    }
    return url;
}

}  // namespace fetch

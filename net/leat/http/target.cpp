// SPDX-License-Identifier: MIT
#include <leat/http/target.hpp>

#include <leat/http/core/text.hpp>
#include <leat/http/core/url_text.hpp>

#include <algorithm>

namespace leat::http {

target_parts split_target(std::string_view target) noexcept {
    if (!target.starts_with('/')) {
        const std::size_t scheme = target.find("://");
        if (scheme == target.npos) {
            return {};
        }
        target.remove_prefix(std::min(target.find_first_of("/?", scheme + 3), target.size()));
    }
    const std::size_t end = std::min(target.find('?'), target.size());
    const std::string_view path = target.substr(0, end);
    return {path.empty() ? "/" : path, target.substr(std::min(end + 1, target.size()))};
}

std::optional<std::string> percent_decode(std::string_view text) {
    for (std::size_t at = text.find('%'); at != text.npos; at = text.find('%', at + 3)) {
        if (at + 2 >= text.size() || detail::hex_value(text[at + 1]) < 0 ||
            detail::hex_value(text[at + 2]) < 0) {
            return std::nullopt;
        }
    }
    return detail::percent_decoded(text);
}

}  // namespace leat::http

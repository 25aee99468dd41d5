// SPDX-License-Identifier: MIT
#include <leat/http/core/url_text.hpp>

#include <leat/http/core/text.hpp>

#include <algorithm>

namespace leat::http::detail {
namespace {

// 1 for ".", 2 for "..", with "%2e" for a dot too; 0 for any other segment.
int dots_of(std::string_view segment) noexcept {
    int dots = 0;
    while (!segment.empty()) {
        const bool encoded = equal_ignoring_case(segment.substr(0, 3), "%2e");
        if ((!encoded && segment.front() != '.') || ++dots > 2) {
            return 0;
        }
        segment.remove_prefix(encoded ? 3 : 1);
    }
    return dots;
}

}  // namespace

void append_encoded(std::string& out, std::string_view text, const encode_set& set) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (const char c : text) {
        if (set.contains(c)) {
            const auto code = static_cast<unsigned char>(c);
            out += {'%', digits[code >> 4], digits[code & 15]};
        } else {
            out += c;
        }
    }
}

std::string percent_decoded(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
        decoded += low >= 0 ? static_cast<char>(high * 16 + low) : text[i];
        i += low >= 0 ? 2 : 0;
    }
    return decoded;
}

void append_path(std::string& out, std::string_view path) {
    for (bool more = true; more;) {
        const std::size_t end = std::min(path.find_first_of("/\\"), path.size());
        const std::string_view segment = path.substr(0, end);
        more = end < path.size();
        path.remove_prefix(more ? end + 1 : end);
        const int dots = dots_of(segment);
        if (dots == 2) {
            out.erase(std::min(out.rfind('/'), out.size()));
        }
        if (dots == 0) {
            out += '/';
            append_encoded(out, segment, path_set);
        } else if (!more) {
            out += '/';
        }
    }
}

}  // namespace leat::http::detail

// SPDX-License-Identifier: MIT
#include <leat/http/cookies.hpp>

#include <leat/http/core/text.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace leat::http {
namespace {

// RFC 6265 4.1.1.
bool is_cookie_character(char c) noexcept {
    return c > 0x20 && c < 0x7f && std::string_view("\",;\\").find(c) == std::string_view::npos;
}

bool is_attribute(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f && c != ';'; });
}

void require(bool holds, std::string_view name, const char* what) {
    if (!holds) {
        throw std::invalid_argument("cookie " + std::string(name) + ": " + what);
    }
}

void require_valid(std::string_view name, std::string_view value, const cookie_options& how) {
    if (!detail::is_token(name)) {
        throw std::invalid_argument("the name of a cookie is empty or holds a character that names may not");
    }
    require(std::ranges::all_of(value, is_cookie_character), name,
            "its value holds a character that cookies may not");
    require(how.path.starts_with('/') && is_attribute(how.path), name, "its path is none");
    require(is_attribute(how.domain), name, "its domain is none");
    require(how.same_site != same_site::none || how.secure, name,
            "one for other sites (same_site::none) is secure");
    const bool is_host = detail::equal_ignoring_case(name.substr(0, 7), "__Host-");
    const bool is_secure = is_host || detail::equal_ignoring_case(name.substr(0, 9), "__Secure-");
    require(!is_secure || how.secure, name, "one with such a name is secure");
    require(!is_host || (how.path == "/" && how.domain.empty()), name,
            "one with such a name is of the path / and has no domain");
}

std::string_view text_of(same_site value) noexcept {
    switch (value) {
        case same_site::strict:
            return "Strict";
        case same_site::lax:
            return "Lax";
        case same_site::none:
            return "None";
    }
    return "Lax";
}

}  // namespace

std::vector<std::pair<std::string_view, std::string_view>> cookies_of(const request& asked) {
    std::vector<std::pair<std::string_view, std::string_view>> all;
    for (const auto field : asked.headers) {
        if (!detail::equal_ignoring_case(field.name, "Cookie")) {
            continue;
        }
        std::string_view rest = field.value;
        while (!rest.empty()) {
            const std::string_view each = rest.substr(0, rest.find(';'));
            rest.remove_prefix(std::min(each.size() + 1, rest.size()));
            const std::size_t equals = each.find('=');
            if (equals != each.npos) {
                all.emplace_back(detail::trim(each.substr(0, equals)), detail::trim(each.substr(equals + 1)));
            }
        }
    }
    return all;
}

std::optional<std::string_view> cookie_of(const request& asked, std::string_view name) {
    for (const auto& [found, value] : cookies_of(asked)) {
        if (found == name) {
            return value;
        }
    }
    return std::nullopt;
}

void set_cookie(response& answer, std::string_view name, std::string_view value, cookie_options how) {
    require_valid(name, value, how);
    std::string text;
    text.append(name).append("=").append(value).append("; Path=").append(how.path);
    if (!how.domain.empty()) {
        text.append("; Domain=").append(how.domain);
    }
    if (how.max_age) {
        text.append("; Max-Age=").append(std::to_string(how.max_age->count()));
    }
    text.append(how.secure ? "; Secure" : "").append(how.http_only ? "; HttpOnly" : "");
    text.append("; SameSite=").append(text_of(how.same_site));
    answer.headers.add("Set-Cookie", text);
}

void remove_cookie(response& answer, std::string_view name, cookie_options how) {
    how.max_age = std::chrono::seconds(0);
    set_cookie(answer, name, "", how);
}

}  // namespace leat::http

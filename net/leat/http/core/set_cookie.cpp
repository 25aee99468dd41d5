// SPDX-License-Identifier: MIT
#include <leat/http/core/set_cookie.hpp>

#include <leat/address.hpp>
#include <leat/core/number.hpp>
#include <leat/http/core/http_date.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/core/url_host.hpp>

#include <algorithm>

namespace leat::http::detail {
namespace {

constexpr std::size_t attribute_max = 1024;
constexpr auto longest_life = std::chrono::hours(400 * 24);  // RFC 6265bis 5.5

// Takes what stands before the next `separator` off the front of `text`.
std::string_view take_until(std::string_view& text, char separator) noexcept {
    const std::size_t at = text.find(separator);
    const std::string_view part = text.substr(0, at);
    text.remove_prefix(at == text.npos ? text.size() : at + 1);
    return part;
}

struct pair {
    std::string_view name;
    std::string_view value;
};

pair take_pair(std::string_view& text) noexcept {
    std::string_view value = take_until(text, ';');
    const std::string_view name = take_until(value, '=');
    return {trim(name), trim(value)};
}

std::string in_lower_case(std::string_view text) {
    std::string made(text);
    std::ranges::transform(made, made.begin(), to_lower);
    return made;
}

// RFC 6265 5.1.4.
std::string_view folder_of(std::string_view path) noexcept {
    const std::size_t slash = path.rfind('/');
    return slash == path.npos || slash == 0 ? std::string_view("/") : path.substr(0, slash);
}

// 5.2.2. Nothing for what is no number.
std::optional<std::chrono::seconds> max_age(std::string_view value) noexcept {
    if (value.starts_with('-')) {
        value.remove_prefix(1);
        const bool number = !value.empty() && std::ranges::all_of(value, is_digit);
        return number ? std::optional(std::chrono::seconds(0)) : std::nullopt;
    }
    if (value.empty() || !std::ranges::all_of(value, is_digit)) {
        return std::nullopt;
    }
    constexpr auto most = std::chrono::duration_cast<std::chrono::seconds>(longest_life);
    const auto seconds = leat::detail::parse_number<std::uint32_t>(value);  // more is as long as can be
    return seconds ? std::min(std::chrono::seconds(*seconds), most) : most;
}

struct attributes {
    std::string domain;
    std::string path;
    std::optional<std::chrono::sys_seconds> expires;
    std::optional<std::chrono::seconds> age;
    bool secure = false;
    bool http_only = false;

    void take(const pair& found) {
        if (found.value.size() > attribute_max) {
            return;
        }
        if (equal_ignoring_case(found.name, "Domain")) {
            domain = in_lower_case(found.value.substr(found.value.starts_with('.') ? 1 : 0));
        } else if (equal_ignoring_case(found.name, "Path")) {
            path = found.value.starts_with('/') ? found.value : std::string_view();
        } else if (equal_ignoring_case(found.name, "Expires")) {
            const auto date = parse_date(found.value);
            expires = date ? date : expires;
        } else if (equal_ignoring_case(found.name, "Max-Age")) {
            const auto life = max_age(found.value);
            age = life ? life : age;
        } else if (equal_ignoring_case(found.name, "Secure")) {
            secure = true;
        } else if (equal_ignoring_case(found.name, "HttpOnly")) {
            http_only = true;
        }
    }
};

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) noexcept {
    return equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

// RFC 6265bis 4.1.3.
bool keeps_promise(const cookie& made, std::string_view path_given) noexcept {
    if (starts_with_ignoring_case(made.name, "__Host-")) {
        return made.secure && made.host_only && path_given == "/";
    }
    return made.secure || !starts_with_ignoring_case(made.name, "__Secure-");
}

}  // namespace

bool is_possible(const cookie& made) {
    const auto domain =
        parse_url_host(made.domain.find(':') == made.domain.npos ? made.domain : "[" + made.domain + "]");
    const auto plain = [](std::string_view text) {
        return is_field_value(text) && trim(text) == text && text.find(';') == text.npos;
    };
    return domain.ok() && *domain == made.domain && !made.domain.starts_with('.') &&
           (made.host_only || (!is_public_suffix(made.domain) && !address::try_parse(made.domain).ok())) &&
           made.path.starts_with('/') && plain(made.path) && !made.name.empty() && plain(made.name) &&
           made.name.find('=') == made.name.npos && plain(made.value) && keeps_promise(made, made.path);
}

bool is_below(std::string_view host, std::string_view domain) {
    if (host == domain) {
        return true;
    }
    return host.size() > domain.size() && host.ends_with(domain) &&
           host[host.size() - domain.size() - 1] == '.' && !domain.empty() && !address::try_parse(host).ok();
}

bool path_covers(std::string_view path, std::string_view asked) noexcept {
    return asked.starts_with(path) &&
           (asked.size() == path.size() || path.ends_with('/') || asked[path.size()] == '/');
}

std::optional<cookie> read_set_cookie(const url& from, std::string_view text, std::chrono::sys_seconds now) {
    if (!is_field_value(text)) {
        return std::nullopt;
    }
    const std::string_view first = text.substr(0, text.find(';'));
    const pair named = take_pair(text);
    if (named.name.empty() || first.find('=') == first.npos) {
        return std::nullopt;
    }
    attributes found;
    while (!text.empty()) {
        found.take(take_pair(text));
    }
    const std::string& host = from.host();
    if (!found.domain.empty() && is_public_suffix(found.domain)) {
        if (found.domain != host) {
            return std::nullopt;
        }
        found.domain.clear();
    }
    if (!found.domain.empty() && !is_below(host, found.domain)) {
        return std::nullopt;
    }
    cookie made;
    made.name = named.name;
    made.value = named.value;
    made.host_only = found.domain.empty() || address::try_parse(host).ok();
    made.domain = made.host_only ? host : found.domain;
    made.path = found.path.empty() ? folder_of(from.path()) : std::string_view(found.path);
    made.secure = found.secure;
    made.http_only = found.http_only;
    if (found.age) {
        made.expires = *found.age == std::chrono::seconds(0) ? now : now + *found.age;
    } else if (found.expires) {
        made.expires = std::min(*found.expires, now + longest_life);
    }
    if (!keeps_promise(made, found.path) || (made.secure && !from.is_secure())) {
        return std::nullopt;
    }
    return made;
}

}  // namespace leat::http::detail

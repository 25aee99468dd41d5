// SPDX-License-Identifier: MIT
#include <fetch/names/url_name.hpp>

#include <fetch/names/safe_name.hpp>

#include <cstddef>
#include <string_view>

namespace fetch {
namespace {

int digit_value(char digit) noexcept {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    const int lower = digit | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// With the percent-encoding undone; a percent sign that begins none stays.
std::string decoded(std::string_view text) {
    std::string plain;
    plain.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool encoded = text[i] == '%' && i + 2 < text.size() && digit_value(text[i + 1]) >= 0 &&
                             digit_value(text[i + 2]) >= 0;
        plain +=
            encoded ? static_cast<char>(digit_value(text[i + 1]) * 16 + digit_value(text[i + 2])) : text[i];
        i += encoded ? 2 : 0;
    }
    return plain;
}

std::string last_part(const leat::http::url& of) {
    const std::string_view path = of.path();
    const std::string_view last = path.substr(path.rfind('/') + 1);
    return last.empty() ? "index.html" : decoded(last);
}

}  // namespace

std::string url_name(const leat::http::url& of) {
    std::string wanted = last_part(of);
    if (!of.query().empty()) {
        wanted += '?' + decoded(of.query());
    }
    return safe_name(wanted);
}

std::string url_file(const leat::http::url& of) {
    return safe_name(last_part(of));
}

std::string url_folders(const leat::http::url& of) {
    std::string folders;
    std::string_view path = of.path().substr(0, of.path().rfind('/'));
    while (!path.empty()) {
        path.remove_prefix(1);  // a slash
        const std::string_view part = path.substr(0, path.find('/'));
        path.remove_prefix(part.size());
        if (!part.empty()) {
            folders += folders.empty() ? "" : "/";
            folders += safe_name(decoded(part));
        }
    }
    return folders;
}

std::string url_query(const leat::http::url& of) {
    return of.query().empty() ? std::string() : safe_name(decoded(of.query()));
}

std::string url_host(const leat::http::url& of) {
    const bool usual = of.port() == (of.is_secure() ? 443 : 80);
    return safe_name(usual ? of.host() : of.host() + ":" + std::to_string(of.port()));
}

}  // namespace fetch

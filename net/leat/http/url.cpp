// SPDX-License-Identifier: MIT
#include <leat/http/url.hpp>

#include <leat/core/number.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/core/url_host.hpp>
#include <leat/http/core/url_text.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace leat::http {
namespace {

constexpr std::size_t shown_size_max = 500;

bool is_control(char c) noexcept {
    const auto code = static_cast<unsigned char>(c);
    return code < 0x20 || code == 0x7f;
}

bool vanishes(char c) noexcept {
    return c == '\t' || c == '\n' || c == '\r';
}

bool ends_authority(char c) noexcept {
    return c == '/' || c == '\\' || c == '?' || c == '#';
}

constexpr detail::encode_set non_ascii_set = detail::encode_set::of_non_ascii();

// Without the spaces and controls around it.
std::string_view trimmed(std::string_view text) noexcept {
    const auto outer = [](char c) { return static_cast<unsigned char>(c) <= 0x20; };
    while (!text.empty() && outer(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && outer(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

// What stands before the colon when `text` begins with a scheme (RFC 3986 3.1), else nothing.
std::string_view scheme_of(std::string_view text) noexcept {
    const std::size_t colon = text.find(':');
    if (colon == text.npos || colon == 0 || !detail::is_alpha(text[0])) {
        return {};
    }
    const std::string_view scheme = text.substr(0, colon);
    const bool valid = std::all_of(scheme.begin(), scheme.end(), [](char c) {
        return detail::is_alpha(c) || detail::is_digit(c) || c == '+' || c == '-' || c == '.';
    });
    return valid ? scheme : std::string_view();
}

std::string_view without_slashes(std::string_view text) noexcept {
    return text.substr(std::min(text.find_first_not_of("/\\"), text.size()));
}

}  // namespace

result<url> url::parse_with(std::string_view given, const url* base) {
    if (given.size() > size_max) {
        return make_error_code(url_error::too_long);
    }
    std::string_view text = trimmed(given);
    std::string clean;
    if (std::any_of(text.begin(), text.end(), vanishes)) {
        std::remove_copy_if(text.begin(), text.end(), std::back_inserter(clean), vanishes);
        text = clean;
    }
    url parsed;
    if (const std::string_view scheme = scheme_of(text); !scheme.empty()) {
        parsed.secure_ = detail::equal_ignoring_case(scheme, "https");
        text.remove_prefix(scheme.size() + 1);
        if (!parsed.secure_ && !detail::equal_ignoring_case(scheme, "http")) {
            // "localhost:8080" has a scheme by the grammar, but not by its writer's intent.
            const bool intended = !text.empty() && !detail::is_digit(text.front());
            return make_error_code(intended ? url_error::unsupported_scheme : url_error::missing_scheme);
        }
        if (base == nullptr || base->secure_ != parsed.secure_ || text.starts_with("//")) {
            const auto failure = parsed.take_absolute(text);
            return failure ? result<url>(failure) : std::move(parsed);
        }
    } else if (base == nullptr) {
        return make_error_code(url_error::missing_scheme);
    }
    if (text.size() >= 2 && detail::is_slash(text[0]) && detail::is_slash(text[1])) {
        parsed.secure_ = base->secure_;
        const auto failure = parsed.take_absolute(text);
        return failure ? result<url>(failure) : std::move(parsed);
    }
    parsed.take_relative(text, *base);
    return parsed;
}

std::error_code url::take_absolute(std::string_view text) {
    text = without_slashes(text);
    const auto* const end = std::find_if(text.begin(), text.end(), ends_authority);
    const auto authority_end = static_cast<std::size_t>(end - text.begin());
    if (const auto failure = take_authority(text.substr(0, authority_end))) {
        return failure;
    }
    take_target(text.substr(authority_end), {});
    return {};
}

std::error_code url::take_authority(std::string_view authority) {
    if (const std::size_t at = authority.rfind('@'); at != authority.npos) {
        const std::string_view userinfo = authority.substr(0, at);
        const std::size_t colon = std::min(userinfo.find(':'), userinfo.size());
        detail::append_encoded(username_, userinfo.substr(0, colon), detail::userinfo_set);
        detail::append_encoded(password_, userinfo.substr(std::min(colon + 1, at)), detail::userinfo_set);
        authority.remove_prefix(at + 1);
    }
    const std::size_t colon = authority.find(':', authority.starts_with('[') ? authority.find(']') : 0);
    const std::string_view digits = colon == authority.npos ? "" : authority.substr(colon + 1);
    const std::string_view host = authority.substr(0, colon);
    port_ = secure_ ? 443 : 80;
    if (!digits.empty()) {
        const auto number = leat::detail::parse_number<std::uint16_t>(digits);
        if (!number || *number == 0) {
            return url_error::bad_port;
        }
        port_ = *number;
    }
    if (host.empty()) {
        return url_error::missing_host;
    }
    auto parsed = detail::parse_url_host(host);
    if (!parsed) {
        return parsed.error();
    }
    host_ = std::move(*parsed);
    return {};
}

// `text` is path, query and fragment, `folder` what the path is relative to, without a slash at its end.
void url::take_target(std::string_view text, std::string_view folder) {
    const std::size_t fragment_at = std::min(text.find('#'), text.size());
    if (fragment_at < text.size()) {
        fragment_ = "#";
        detail::append_encoded(fragment_, text.substr(fragment_at + 1), detail::fragment_set);
    }
    text = text.substr(0, fragment_at);
    const std::size_t query_at = std::min(text.find('?'), text.size());
    std::string_view path = text.substr(0, query_at);
    path.remove_prefix(!path.empty() && detail::is_slash(path.front()) ? 1 : 0);
    target_ = folder;
    detail::append_path(target_, path);
    if (query_at < text.size()) {
        target_ += '?';
        detail::append_encoded(target_, text.substr(query_at + 1), detail::query_set);
    }
}

void url::take_relative(std::string_view text, const url& base) {
    *this = base;
    fragment_.clear();
    const std::string_view path = base.path();
    if (text.empty() || text.front() == '#') {
        take_target(base.target_ + std::string(text), {});
    } else if (text.front() == '?') {
        take_target(std::string(path) + std::string(text), {});
    } else {
        take_target(text, detail::is_slash(text.front()) ? "" : path.substr(0, path.rfind('/')));
    }
}

result<url> url::try_parse(std::string_view text) {
    return parse_with(text, nullptr);
}

result<url> url::try_resolve(std::string_view reference) const {
    return parse_with(reference, this);
}

std::string printable_url(std::string_view text) {
    if (std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~' && c != '@'; })) {
        return std::string(text);  // nothing is to be hidden, and no mark of credentials is there
    }
    const std::size_t colon = text.find(':');
    const std::size_t after_scheme = colon == text.npos ? 0 : colon + 1;
    const std::size_t begin = std::min(text.find_first_not_of("/\\\t\r\n", after_scheme), text.size());
    std::size_t end = text.size();
    std::size_t from = begin;
    if (url::try_parse(text)) {
        end = std::min(text.find_first_of("/\\?#", begin), text.size());
    } else if (text.substr(after_scheme, 1) != "/" && text.substr(after_scheme, 1) != "\\") {
        from = 0;  // what looks like a scheme may be a user's name
    }
    std::string line(text);
    if (const std::size_t at = text.substr(0, end).rfind('@'); at != text.npos && at >= from) {
        line.replace(from, at - from, "***");
    }
    std::replace_if(line.begin(), line.end(), is_control, '?');
    std::string ascii;
    detail::append_encoded(ascii, line, non_ascii_set);
    return ascii;
}

std::string short_url(std::string_view text) {
    std::string line = printable_url(text);
    if (line.size() > shown_size_max) {
        line.replace(shown_size_max, line.npos, "...");
    }
    return line;
}

url url::parse(std::string_view text) {
    auto parsed = try_parse(text);
    if (!parsed) {
        throw std::system_error(parsed.error(), "bad URL \"" + short_url(text) + "\"");
    }
    return std::move(*parsed);
}

url url::resolve(std::string_view reference) const {
    auto resolved = try_resolve(reference);
    if (!resolved) {
        throw std::system_error(resolved.error(), "bad URL \"" + short_url(reference) +
                                                      "\" in a redirect from " + short_url(to_string()));
    }
    return std::move(*resolved);
}

std::string_view url::path() const noexcept {
    return std::string_view(target_).substr(0, target_.find('?'));
}

std::string_view url::query() const noexcept {
    const std::size_t question = target_.find('?');
    return question == target_.npos ? std::string_view() : std::string_view(target_).substr(question + 1);
}

std::string url::authority() const {
    // The zone means something on this machine only: RFC 6874 4 keeps it out of the Host header.
    std::string text = host_.find(':') == host_.npos ? host_ : "[" + host_.substr(0, host_.find('%')) + "]";
    if (port_ != (secure_ ? 443 : 80)) {
        text += ":" + std::to_string(port_);
    }
    return text;
}

std::string url::origin() const {
    const bool literal = host_.find(':') != host_.npos;
    return std::string(scheme()) + "://" + (literal ? "[" + host_ + "]" : host_) + ":" +
           std::to_string(port_);
}

std::string url::credentials() const {
    return has_credentials() ? detail::percent_decoded(username_) + ":" + detail::percent_decoded(password_)
                             : std::string();
}

// The authority, and with the zone if there is one.
std::string url::shown_host() const {
    const std::string text = authority();
    const std::size_t zone = host_.find('%');
    return zone == host_.npos
               ? text
               : "[" + host_.substr(0, zone) + "%25" + host_.substr(zone + 1) + text.substr(text.find(']'));
}

std::string url::to_string() const {
    return std::string(scheme()) + "://" + shown_host() + target_;
}

std::string url::href() const {
    std::string text(scheme());
    text.append("://").append(username_).append(password_.empty() ? "" : ":").append(password_);
    text.append(has_credentials() ? "@" : "").append(shown_host());
    return text.append(target_).append(fragment_);
}

}  // namespace leat::http

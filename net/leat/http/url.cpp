// SPDX-License-Identifier: MIT
#include <leat/http/url.hpp>

#include <leat/address.hpp>
#include <leat/http/text.hpp>
#include <leat/number.hpp>

#include <algorithm>
#include <utility>

namespace leat::http {
namespace {

constexpr std::size_t host_name_size_max = 254;  // 253 characters and the dot of the root
constexpr std::size_t shown_size_max = 500;

std::string_view without_outer_spaces(std::string_view text) noexcept {
    const std::size_t first = text.find_first_not_of(' ');
    return first == text.npos ? std::string_view()
                              : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

bool is_control(char c) noexcept {
    const auto code = static_cast<unsigned char>(c);
    return code < 0x20 || code == 0x7f;
}

bool has_control_character(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(), is_control);
}

// `text` for an error message, not endless.
std::string shown(std::string_view text) {
    std::string line = printable_url(text);
    if (line.size() > shown_size_max) {
        line.replace(shown_size_max, line.npos, "...");
    }
    return line;
}

// What stands before the colon when `text` begins with a scheme (RFC 3986 3.1), else nothing.
std::string_view scheme_of(std::string_view text) noexcept {
    const std::size_t colon = text.find(':');
    if (colon == text.npos || colon == 0 || !is_alpha(text[0])) {
        return {};
    }
    const std::string_view scheme = text.substr(0, colon);
    const bool valid = std::all_of(scheme.begin(), scheme.end(), [](char c) {
        return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
    });
    return valid ? scheme : std::string_view();
}

// The characters that RFC 3986 lets stand nowhere in a path or query. A '%' is left alone: it is part of an
// encoding, or a server's own affair.
bool must_be_encoded(char c) noexcept {
    const auto code = static_cast<unsigned char>(c);
    return code <= 0x20 || code >= 0x7f || std::string_view("\"<>\\^`{|}").find(c) != std::string_view::npos;
}

void append_encoded(std::string& out, std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (const char c : text) {
        if (must_be_encoded(c)) {
            const auto code = static_cast<unsigned char>(c);
            out += {'%', digits[code >> 4], digits[code & 15]};
        } else {
            out += c;
        }
    }
}

// RFC 3986 5.2.4, for a path that begins with a slash: "." segments vanish, ".." takes one away.
std::string without_dot_segments(std::string_view path) {
    std::string out;
    while (!path.empty()) {
        const std::size_t next = std::min(path.find('/', 1), path.size());
        const std::string_view segment = path.substr(0, next);  // with the slash before it
        path.remove_prefix(next);
        const bool up = segment == "/..";
        if (up) {
            out.erase(std::min(out.rfind('/'), out.size()));
        }
        if (!up && segment != "/.") {
            out += segment;
        } else if (path.empty()) {
            out += '/';
        }
    }
    return out;
}

// Whether resolvers may read `name` as a number, as they do with 127.1, 2130706433 and 0x7f.1.
bool ends_in_number(std::string_view name) noexcept {
    if (name.ends_with('.')) {
        name.remove_suffix(1);
    }
    std::string_view label = name.substr(name.rfind('.') + 1);
    const bool hexadecimal = label.starts_with("0x");
    label.remove_prefix(hexadecimal ? 2 : 0);
    return std::all_of(label.begin(), label.end(),
                       [&](char c) { return hexadecimal ? hex_value(c) >= 0 : is_digit(c); });
}

}  // namespace

result<url> url::try_parse(std::string_view text) {
    text = without_outer_spaces(text);
    if (text.size() > size_max) {
        return make_error_code(url_error::too_long);
    }
    if (has_control_character(text)) {
        return make_error_code(url_error::bad_character);
    }
    const std::string_view scheme = scheme_of(text);
    url parsed;
    parsed.secure_ = equal_ignoring_case(scheme, "https");
    const std::string_view rest = text.substr(std::min(scheme.size() + 1, text.size()));
    if (!parsed.secure_ && !equal_ignoring_case(scheme, "http")) {
        // "localhost:8080" has a scheme by the grammar, but not by its writer's intent.
        const bool intended = !scheme.empty() && !rest.empty() && !is_digit(rest.front());
        return make_error_code(intended ? url_error::unsupported_scheme : url_error::missing_scheme);
    }
    if (!rest.starts_with("//")) {
        return make_error_code(url_error::missing_host);
    }
    const std::size_t authority_end = std::min(rest.find_first_of("/?#", 2), rest.size());
    if (const auto error = parsed.take_authority(rest.substr(2, authority_end - 2))) {
        return error;
    }
    std::string_view tail = rest.substr(authority_end);
    tail = tail.substr(0, tail.find('#'));
    const std::size_t question = tail.find('?');
    const bool has_query = question != tail.npos;
    parsed.take_target(tail.substr(0, question), has_query ? tail.substr(question + 1) : "", has_query);
    return parsed;
}

std::error_code url::take_authority(std::string_view authority) {
    if (const std::size_t at = authority.rfind('@'); at != authority.npos) {
        // Some programs end the host at a backslash, others do not: such a URL means two things.
        if (authority.find_first_of("\\ ") < at) {
            return url_error::bad_host;
        }
        userinfo_ = authority.substr(0, at);
        authority.remove_prefix(at + 1);
    }
    const std::size_t colon = authority.find(':', authority.starts_with('[') ? authority.find(']') : 0);
    const std::string_view digits = colon == authority.npos ? "" : authority.substr(colon + 1);
    port_ = secure_ ? 443 : 80;
    if (!digits.empty()) {
        const auto number = parse_number<std::uint16_t>(digits);
        if (!number || *number == 0) {
            return url_error::bad_port;
        }
        port_ = *number;
    }
    return take_host(authority.substr(0, colon));
}

std::error_code url::take_host(std::string_view host) {
    if (host.empty()) {
        return url_error::missing_host;
    }
    if (host.front() == '[') {
        if (host.back() != ']') {
            return url_error::bad_host;
        }
        std::string literal(host.substr(1, host.size() - 2));
        if (const std::size_t zone = literal.find("%25"); zone != literal.npos) {
            literal.replace(zone, 3, "%");  // RFC 6874
        }
        const auto parsed = address::try_parse(literal);
        if (!parsed || !parsed->is_ipv6()) {
            return url_error::bad_host;
        }
        host_ = parsed->to_string();
        return {};
    }
    if (std::any_of(host.begin(), host.end(), [](unsigned char c) { return c >= 0x80; })) {
        return url_error::non_ascii_host;
    }
    const bool valid = std::all_of(host.begin(), host.end(), [](char c) {
        return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
    });
    if (!valid || host.front() == '.' || host.find("..") != host.npos || host.size() > host_name_size_max) {
        return url_error::bad_host;
    }
    host_.resize(host.size());
    std::transform(host.begin(), host.end(), host_.begin(), to_lower);
    return ends_in_number(host_) && !address::try_parse(host_) ? url_error::bad_host : std::error_code();
}

void url::take_target(std::string_view path, std::string_view query, bool has_query) {
    target_.clear();
    append_encoded(target_, path.empty() ? "/" : without_dot_segments(path));
    if (has_query) {
        target_ += '?';
        append_encoded(target_, query);
    }
}

result<url> url::try_resolve(std::string_view reference) const {
    reference = without_outer_spaces(reference);
    if (!scheme_of(reference).empty()) {
        return try_parse(reference);
    }
    if (reference.starts_with("//")) {
        return try_parse(std::string(scheme()) + ":" + std::string(reference));
    }
    if (reference.size() > size_max) {
        return make_error_code(url_error::too_long);
    }
    if (has_control_character(reference)) {
        return make_error_code(url_error::bad_character);
    }
    reference = reference.substr(0, reference.find('#'));
    const std::size_t question = reference.find('?');
    const bool has_query = question != reference.npos;
    const std::string_view reference_query = has_query ? reference.substr(question + 1) : "";
    const std::string_view reference_path = reference.substr(0, question);
    url resolved = *this;
    if (reference_path.starts_with('/')) {
        resolved.take_target(reference_path, reference_query, has_query);
    } else if (!reference_path.empty()) {
        std::string merged(path().substr(0, path().rfind('/') + 1));
        merged += reference_path;
        resolved.take_target(merged, reference_query, has_query);
    } else if (has_query) {
        resolved.take_target(path(), reference_query, true);
    }
    return resolved;
}

std::string printable_url(std::string_view text) {
    const std::size_t slashes = text.find("//");
    const std::size_t begin = slashes == text.npos ? 0 : slashes + 2;
    const std::size_t end = std::min(text.find_first_of("/?#", begin), text.size());
    const std::size_t at = text.substr(begin, end - begin).rfind('@');
    std::string line(text);
    if (at != text.npos) {
        line.replace(begin, at, "***");
    }
    std::replace_if(line.begin(), line.end(), is_control, '?');
    return line;
}

url url::parse(std::string_view text) {
    auto parsed = try_parse(text);
    if (!parsed) {
        throw std::system_error(parsed.error(), "bad URL \"" + shown(text) + "\"");
    }
    return std::move(*parsed);
}

url url::resolve(std::string_view reference) const {
    auto resolved = try_resolve(reference);
    if (!resolved) {
        throw std::system_error(resolved.error(),
                                "bad URL \"" + shown(reference) + "\" in a redirect from " + to_string());
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
    std::string decoded;
    for (std::size_t i = 0; i < userinfo_.size(); ++i) {
        const int high = userinfo_[i] == '%' && i + 2 < userinfo_.size() ? hex_value(userinfo_[i + 1]) : -1;
        const int low = high >= 0 ? hex_value(userinfo_[i + 2]) : -1;
        decoded += low >= 0 ? static_cast<char>(high * 16 + low) : userinfo_[i];
        i += low >= 0 ? 2 : 0;
    }
    return decoded;
}

std::string url::to_string() const {
    std::string text(scheme());
    text += "://";
    if (const std::size_t zone = host_.find('%'); zone == host_.npos) {
        text += authority();
    } else {
        text += "[" + host_.substr(0, zone) + "%25" + host_.substr(zone + 1) + "]";
        text += authority().substr(authority().find(']') + 1);
    }
    return text + target_;
}

}  // namespace leat::http

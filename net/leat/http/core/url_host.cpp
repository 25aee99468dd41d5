// SPDX-License-Identifier: MIT
#include <leat/http/core/url_host.hpp>

#include <leat/http/core/idn.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/core/url_text.hpp>
#include <leat/http/error.hpp>

#include <algorithm>

namespace leat::http::detail {
namespace {

constexpr std::size_t name_size_max = 254;  // 253 characters and the dot of the root

result<std::string> parse_bracketed(std::string_view text) {
    if (!text.ends_with(']')) {
        return make_error_code(url_error::bad_host);
    }
    std::string literal(text.substr(1, text.size() - 2));
    if (const std::size_t zone = literal.find("%25"); zone != literal.npos) {
        literal.replace(zone, 3, "%");  // RFC 6874
    }
    const auto parsed = address::try_parse(literal);
    if (!parsed || !parsed->is_ipv6()) {
        return make_error_code(url_error::bad_host);
    }
    // Elsewhere no zone has a meaning, and "%31" could be a percent-encoding.
    const bool has_zone = literal.find('%') != literal.npos;
    if (has_zone && !parsed->is_link_local() && !parsed->is_multicast()) {
        return make_error_code(url_error::bad_host);
    }
    return ipv6_text(*parsed);
}

bool is_plain(std::string_view label) noexcept {
    return !equal_ignoring_case(label.substr(0, 4), "xn--") &&
           std::all_of(label.begin(), label.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool may_stand_in_name(char c) noexcept {
    return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

// Neither percent-encoded nor to be changed.
bool is_canonical(std::string_view name) noexcept {
    return name.find("xn--") == name.npos && std::all_of(name.begin(), name.end(), [](char c) {
               return may_stand_in_name(c) && to_lower(c) == c;
           });
}

result<std::string> to_ascii(std::string_view name) {
    std::string made;
    for (bool more = true; more;) {
        const std::size_t dot = name.find('.');
        const std::string_view label = name.substr(0, dot);
        more = dot != name.npos;
        name.remove_prefix(more ? dot + 1 : name.size());
        if (is_plain(label)) {
            std::transform(label.begin(), label.end(), std::back_inserter(made), to_lower);
        } else {
            const auto ascii = ascii_label(label);
            if (!ascii) {
                return ascii.error();
            }
            made += *ascii;
        }
        made += more ? "." : "";
    }
    return made;
}

}  // namespace

result<std::string> parse_url_host(std::string_view text) {
    if (text.starts_with('[')) {
        return parse_bracketed(text);
    }
    auto name = is_canonical(text) ? std::string(text) : to_ascii(percent_decoded(text));
    if (!name) {
        return name;
    }
    if (name->empty() || name->size() > name_size_max ||
        !std::all_of(name->begin(), name->end(), may_stand_in_name)) {
        return make_error_code(url_error::bad_host);
    }
    if (!ends_in_number(*name) || address::try_parse(*name)) {
        return name;  // of the four decimal numbers, too, there is one way to write them
    }
    const auto parsed = parse_any_ipv4(*name);
    if (!parsed) {
        return make_error_code(url_error::bad_host);
    }
    return parsed->to_string();
}

}  // namespace leat::http::detail

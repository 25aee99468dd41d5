// SPDX-License-Identifier: MIT
#include <leat/http/conditional.hpp>

#include <leat/http/core/http_date.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/core/writer.hpp>

#include <algorithm>

namespace leat::http {
namespace {

bool is_weak(std::string_view tag) noexcept {
    return tag.starts_with("W/");
}

std::string_view opaque_of(std::string_view tag) noexcept {
    return tag.substr(is_weak(tag) ? 2 : 0);
}

// RFC 9110 8.8.3: what stands between the quotes, which commas may.
bool is_tag_character(char c) noexcept {
    const auto code = static_cast<unsigned char>(c);
    return code == 0x21 || (code >= 0x23 && code != 0x7f);
}

// Takes the tag off the front of `list`; empty when there is none, or what is none.
std::string_view next_tag(std::string_view& list) noexcept {
    const std::size_t begin = list.find_first_not_of(" \t,");
    if (begin == list.npos) {
        return {};
    }
    list.remove_prefix(begin);
    const std::size_t quote = is_weak(list) ? 2 : 0;
    if (quote >= list.size() || list[quote] != '"') {
        return {};
    }
    const std::size_t end = list.find('"', quote + 1);
    if (end == list.npos) {
        return {};
    }
    const std::string_view tag = list.substr(0, end + 1);
    list.remove_prefix(tag.size());
    return is_entity_tag(tag) ? tag : std::string_view();
}

// Whether a list of tags, or "*", names the current state.
template <typename Same>
bool names_current(const headers& fields, std::string_view name, const validators& current, Same same) {
    for (const auto field : fields) {
        if (!detail::equal_ignoring_case(field.name, name)) {
            continue;
        }
        if (field.value == "*") {
            return current.exists;
        }
        std::string_view list = field.value;
        for (auto tag = next_tag(list); !tag.empty(); tag = next_tag(list)) {
            if (current.exists && same(tag, current.tag)) {
                return true;
            }
        }
    }
    return false;
}

std::optional<std::chrono::sys_seconds> modified_second(const validators& current) noexcept {
    if (!current.exists || !current.modified) {
        return std::nullopt;
    }
    return std::chrono::floor<std::chrono::seconds>(*current.modified);
}

// The date of such a field. Two of them are not one date.
std::optional<std::chrono::sys_seconds> date_in(const headers& fields, std::string_view name) {
    const auto values = fields.get_all(name);
    return values.size() == 1 ? parse_http_date(values.front()) : std::nullopt;
}

// Steps 1 and 2 of RFC 9110 13.2.2.
bool may_go_on(const headers& fields, const validators& current) {
    if (fields.contains("If-Match")) {
        return names_current(fields, "If-Match", current, same_bytes);
    }
    const auto date = date_in(fields, "If-Unmodified-Since");
    const auto modified = modified_second(current);
    return !date || !modified || *modified <= *date;
}

}  // namespace

bool is_entity_tag(std::string_view text) noexcept {
    const std::string_view opaque = opaque_of(text);
    return opaque.size() >= 2 && opaque.front() == '"' && opaque.back() == '"' &&
           std::ranges::all_of(opaque.substr(1, opaque.size() - 2), is_tag_character);
}

bool same_bytes(std::string_view one, std::string_view other) noexcept {
    return !one.empty() && one == other && !is_weak(one);
}

bool equivalent(std::string_view one, std::string_view other) noexcept {
    return !one.empty() && opaque_of(one) == opaque_of(other);
}

condition evaluate(const request& asked, const validators& current) {
    const headers& fields = asked.headers;
    if (fields.empty()) {
        return condition::holds;
    }
    if (!may_go_on(fields, current)) {
        return condition::failed;
    }
    const bool reads = asked.method == "GET" || asked.method == "HEAD";
    if (fields.contains("If-None-Match")) {
        if (!names_current(fields, "If-None-Match", current, equivalent)) {
            return condition::holds;
        }
        return reads ? condition::not_modified : condition::failed;
    }
    const auto date = reads ? date_in(fields, "If-Modified-Since") : std::nullopt;
    const auto modified = modified_second(current);
    return date && modified && *modified <= *date ? condition::not_modified : condition::holds;
}

bool wants_range(const request& asked, const validators& current) {
    if (asked.method != "GET" || !asked.headers.contains("Range")) {
        return false;
    }
    const auto state = asked.headers.get("If-Range");
    if (!state) {
        return true;
    }
    if (state->starts_with('"') || is_weak(*state)) {
        return is_entity_tag(*state) && same_bytes(*state, current.tag);
    }
    const auto date = parse_http_date(*state);
    return date && date == modified_second(current);
}

std::string http_date(std::chrono::system_clock::time_point when) {
    detail::date_text text;
    return std::string(text.at(when));
}

std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text) noexcept {
    return detail::parse_date(text);
}

}  // namespace leat::http

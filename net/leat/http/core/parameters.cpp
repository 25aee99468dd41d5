// SPDX-License-Identifier: MIT
#include <leat/http/core/parameters.hpp>

#include <leat/http/core/text.hpp>

#include <algorithm>

namespace leat::http::detail {
namespace {

std::optional<std::string> take_value(std::string_view& text) {
    if (text.starts_with('"')) {
        return take_quoted(text);
    }
    const std::string_view value = trim(text.substr(0, text.find(';')));
    text.remove_prefix(std::min(text.find(';'), text.size()));
    return is_token(value) ? std::optional<std::string>(value) : std::nullopt;
}

}  // namespace

std::optional<std::string> take_quoted(std::string_view& text) {
    std::string value;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') {
            text.remove_prefix(i + 1);
            return value;
        }
        const bool escapes =
            text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\');
        i += escapes ? 1 : 0;
        value += text[i];
    }
    return std::nullopt;
}

std::string_view main_value(std::string_view field) noexcept {
    return trim(field.substr(0, field.find(';')));
}

std::optional<std::string> parameter_of(std::string_view field, std::string_view name) {
    field.remove_prefix(std::min(field.find(';'), field.size()));
    while (!field.empty()) {
        const std::size_t begin = field.find_first_not_of("; \t");
        const std::size_t equals = field.find('=');
        if (begin == field.npos || equals == field.npos || equals < begin) {
            return std::nullopt;
        }
        const std::string_view found = field.substr(begin, equals - begin);
        field.remove_prefix(equals + 1);
        auto value = take_value(field);
        if (!is_token(found) || !value) {
            return std::nullopt;
        }
        if (equal_ignoring_case(found, name)) {
            return value;
        }
        field = trim(field);
        if (!field.empty() && field.front() != ';') {
            return std::nullopt;
        }
    }
    return std::nullopt;
}

}  // namespace leat::http::detail

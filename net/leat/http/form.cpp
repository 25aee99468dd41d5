// SPDX-License-Identifier: MIT
#include <leat/http/form.hpp>

#include <leat/http/core/url_text.hpp>
#include <leat/http/error.hpp>

#include <algorithm>
#include <utility>

namespace leat::http {
namespace {

std::string decoded(std::string_view text) {
    std::string spaced(text);
    std::ranges::replace(spaced, '+', ' ');
    return detail::percent_decoded(spaced);
}

}  // namespace

std::optional<std::string_view> form::get(std::string_view name) const noexcept {
    const auto found = std::ranges::find(fields_, name, &field::name);
    return found != fields_.end() ? std::optional<std::string_view>(found->value) : std::nullopt;
}

std::vector<std::string_view> form::get_all(std::string_view name) const {
    std::vector<std::string_view> values;
    for (const field& each : fields_) {
        if (each.name == name) {
            values.emplace_back(each.value);
        }
    }
    return values;
}

result<form> read_form(std::string_view text, std::size_t most) {
    form made;
    while (!text.empty()) {
        const std::string_view each = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(each.size() + 1, text.size()));
        if (each.empty()) {
            continue;
        }
        if (made.size() == most) {
            return make_error_code(error::form_too_large);
        }
        const std::size_t equals = std::min(each.find('='), each.size());
        made.add(decoded(each.substr(0, equals)), decoded(each.substr(std::min(equals + 1, each.size()))));
    }
    return made;
}

}  // namespace leat::http

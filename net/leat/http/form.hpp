// SPDX-License-Identifier: MIT
// read_form: the fields of an HTML form, or of a query, in application/x-www-form-urlencoded
// (url.spec.whatwg.org 5.1).
//
//   const auto fields = leat::http::read_form(asked.body);
//   if (fields.ok()) { const auto name = fields->get("name"); ... }
//
// Forms with files are multipart: multipart.hpp.
#pragma once

#include <leat/result.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leat::http {

// Names and values, decoded, in their order. They may hold every byte.
class form {
public:
    struct field {
        std::string name;
        std::string value;
    };

    // The first of that name.
    [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const noexcept;
    [[nodiscard]] std::vector<std::string_view> get_all(std::string_view name) const;

    [[nodiscard]] std::size_t size() const noexcept { return fields_.size(); }
    [[nodiscard]] bool empty() const noexcept { return fields_.empty(); }
    [[nodiscard]] auto begin() const noexcept { return fields_.begin(); }
    [[nodiscard]] auto end() const noexcept { return fields_.end(); }

    void add(std::string name, std::string value) { fields_.push_back({std::move(name), std::move(value)}); }

private:
    std::vector<field> fields_;
};

// "a=1&b=x+y%21" as it is in a body or behind a '?'. A '+' is a space, a '%' without two digits is itself,
// and what lacks a '=' has an empty value. More than `most` fields: error::form_too_large.
[[nodiscard]] result<form> read_form(std::string_view text, std::size_t most = 1000);

}  // namespace leat::http

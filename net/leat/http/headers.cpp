// SPDX-License-Identifier: MIT
#include <leat/http/headers.hpp>

#include <leat/check.hpp>
#include <leat/http/core/text.hpp>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

namespace leat::http {
namespace {

constexpr std::size_t text_size_min = 256;

void require_valid(std::string_view name, std::string_view value) {
    if (!detail::is_token(name)) {
        throw std::invalid_argument("a header's name is empty or holds a character that names may not");
    }
    if (!detail::is_field_value(value)) {
        throw std::invalid_argument("header " + std::string(name) +
                                    " holds a line break or another control character");
    }
}

// For one more.
template <typename Place>
void make_room(std::vector<Place>& index) {
    if (index.size() == index.capacity()) {
        index.reserve(std::max<std::size_t>(16, 2 * index.capacity()));  // most messages have fewer fields
    }
}

}  // namespace

void headers::add(std::string_view name, std::string_view value) {
    require_valid(name, value);
    value = detail::trim(value);  // as its receiver would
    const std::size_t name_at = text_.size();
    const std::size_t grown_size = name_at + name.size() + value.size() + 4;
    make_room(index_);  // first: without memory for it nothing of the field is in the text
    std::string old;
    if (grown_size > text_.capacity()) {
        // `name` and `value` may be views of this very object: the old text stays until they are copied.
        std::string grown;
        grown.reserve(std::max({grown_size, 2 * text_.capacity(), text_size_min}));
        grown = text_;
        old = std::exchange(text_, std::move(grown));
    }
    text_.append(name).append(": ").append(value).append("\r\n");
    append_index(name_at, name.size(), name_at + name.size() + 2, value.size());
}

void headers::set(std::string_view name, std::string_view value) {
    require_valid(name, value);
    const std::string kept_name(name);
    const std::string kept_value(value);
    erase(kept_name);
    add(kept_name, kept_value);
}

std::size_t headers::erase(std::string_view name) {
    const std::string kept_name(name);
    std::size_t erased = 0;
    for (std::size_t i = 0; i < index_.size();) {
        if (!detail::equal_ignoring_case((*this)[i].name, kept_name)) {
            ++i;
            continue;
        }
        const std::size_t begin = index_[i].name_at;
        const std::size_t end = i + 1 < index_.size() ? index_[i + 1].name_at : text_.size();
        const auto gone = static_cast<std::uint32_t>(end - begin);
        text_.erase(begin, gone);
        index_.erase(index_.begin() + static_cast<std::ptrdiff_t>(i));
        for (std::size_t later = i; later < index_.size(); ++later) {
            index_[later].name_at -= gone;
            index_[later].value_at -= gone;
        }
        ++erased;
    }
    return erased;
}

void headers::clear() noexcept {
    text_.clear();
    index_.clear();
}

std::optional<std::string_view> headers::get(std::string_view name) const noexcept {
    for (const auto& each : *this) {
        if (detail::equal_ignoring_case(each.name, name)) {
            return each.value;
        }
    }
    return std::nullopt;
}

std::vector<std::string_view> headers::get_all(std::string_view name) const {
    std::vector<std::string_view> values;
    for (const auto& each : *this) {
        if (detail::equal_ignoring_case(each.name, name)) {
            values.push_back(each.value);
        }
    }
    return values;
}

bool headers::contains_token(std::string_view name, std::string_view token) const noexcept {
    for (const auto& each : *this) {
        if (!detail::equal_ignoring_case(each.name, name)) {
            continue;
        }
        std::string_view list = each.value;
        for (std::string_view element = detail::next_element(list); !element.empty();
             element = detail::next_element(list)) {
            if (detail::equal_ignoring_case(element, token)) {
                return true;
            }
        }
    }
    return false;
}

void headers::assign_wire(std::string_view lines) {
    index_.clear();
    text_.assign(lines);
}

void headers::append_index(std::size_t name_at, std::size_t name_size, std::size_t value_at,
                           std::size_t value_size) {
    check(value_at + value_size <= text_.size() && text_.size() <= std::numeric_limits<std::uint32_t>::max(),
          "a header field lies inside the text of its message");
    make_room(index_);
    index_.push_back({static_cast<std::uint32_t>(name_at), static_cast<std::uint32_t>(name_size),
                      static_cast<std::uint32_t>(value_at), static_cast<std::uint32_t>(value_size)});
}

}  // namespace leat::http

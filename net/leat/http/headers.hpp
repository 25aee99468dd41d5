// SPDX-License-Identifier: MIT
// headers: the header fields of one message, in order, found without regard to case. Parsers fill it,
// clients and servers read and write it.
// Invariant: text_ holds the fields exactly as they are sent ("Name: value\r\n" each) and every field is
// valid, so writing them is one copy and no value can add a line of its own. clear() keeps the memory: a
// reused object allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leat::http {

class headers {
public:
    struct field {
        std::string_view name;
        std::string_view value;
    };
    class iterator;

    headers() noexcept = default;
    // {{"Accept", "text/plain"}, {"X-Mine", "1"}}: each is added. Throws as add() does.
    headers(std::initializer_list<field> fields) {
        for (const field& each : fields) {
            add(each.name, each.value);
        }
    }

    // Adds a field behind the others. Throws std::invalid_argument naming the field when the name is no
    // token or the value holds a line break, a zero or another control character (RFC 9110 5.5).
    void add(std::string_view name, std::string_view value);
    // The same, in place of every field of that name.
    void set(std::string_view name, std::string_view value);
    // Removes every field of that name and says how many there were.
    std::size_t erase(std::string_view name);
    void clear() noexcept;

    // The first field of that name.
    [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const noexcept;
    [[nodiscard]] std::vector<std::string_view> get_all(std::string_view name) const;
    [[nodiscard]] bool contains(std::string_view name) const noexcept { return get(name).has_value(); }
    // Whether `token` is an element of the comma-separated list that all fields of that name make together,
    // as in contains_token("Connection", "close").
    [[nodiscard]] bool contains_token(std::string_view name, std::string_view token) const noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return index_.size(); }
    [[nodiscard]] bool empty() const noexcept { return index_.empty(); }
    [[nodiscard]] field operator[](std::size_t number) const noexcept;
    [[nodiscard]] iterator begin() const noexcept;
    [[nodiscard]] iterator end() const noexcept;

    // All fields as they are sent, without the blank line after them.
    [[nodiscard]] std::string_view wire() const noexcept { return text_; }

    // For parsers: takes over complete lines, then is told where in them each field lies. The parser
    // vouches for their validity.
    void assign_wire(std::string_view lines);
    void append_index(std::size_t name_at, std::size_t name_size, std::size_t value_at,
                      std::size_t value_size);

private:
    struct place {
        std::uint32_t name_at;
        std::uint32_t name_size;
        std::uint32_t value_at;
        std::uint32_t value_size;
    };

    std::string text_;
    std::vector<place> index_;
};

class headers::iterator {
public:
    using value_type = field;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;

    iterator() noexcept = default;
    iterator(const headers& of, std::size_t at) noexcept : of_(&of), at_(at) {}
    [[nodiscard]] field operator*() const noexcept { return (*of_)[at_]; }
    iterator& operator++() noexcept {
        ++at_;
        return *this;
    }
    iterator operator++(int) noexcept { return {*of_, at_++}; }
    friend bool operator==(const iterator&, const iterator&) noexcept = default;

private:
    const headers* of_ = nullptr;
    std::size_t at_ = 0;
};

inline headers::field headers::operator[](std::size_t number) const noexcept {
    const auto& at = index_[number];
    const std::string_view text = text_;
    return {text.substr(at.name_at, at.name_size), text.substr(at.value_at, at.value_size)};
}
inline headers::iterator headers::begin() const noexcept {
    return {*this, 0};
}
inline headers::iterator headers::end() const noexcept {
    return {*this, index_.size()};
}

}  // namespace leat::http

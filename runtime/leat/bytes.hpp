// SPDX-License-Identifier: MIT
// byte_view and byte_buffer: what is sent, and where to receive. They convert from every contiguous range
// of one-byte values (std::string, std::vector<std::byte>, std::array<char, N>, std::byte[N], chunk, ...), so
// that each call of the socket API exists once. They own nothing: the bytes live as long as they are used.
// An array of char, such as a literal, is text: it is sent up to its first zero, and received into as a
// whole. To send what zeros are part of, say std::span(array).
#pragma once

#include <concepts>
#include <cstddef>
#include <span>  // with the concepts of ranges (join.hpp)
#include <string_view>
#include <type_traits>

namespace leat {

namespace detail {

template <typename Range>
concept range_of_bytes = std::ranges::contiguous_range<Range> && std::ranges::sized_range<Range> &&
                         sizeof(std::ranges::range_value_t<Range>) == 1 &&
                         std::is_trivially_copyable_v<std::ranges::range_value_t<Range>>;

template <typename Range>
concept array_of_text =
    std::is_array_v<std::remove_cvref_t<Range>> &&
    (std::same_as<std::remove_cv_t<std::remove_extent_t<std::remove_cvref_t<Range>>>, char> ||
     std::same_as<std::remove_cv_t<std::remove_extent_t<std::remove_cvref_t<Range>>>, char8_t>);

}  // namespace detail

class byte_view {
public:
    byte_view(const char* text) noexcept : byte_view(std::string_view(text)) {}
    byte_view(const char8_t* text) noexcept : byte_view(std::u8string_view(text)) {}
    template <detail::range_of_bytes Range>
        requires(!detail::array_of_text<Range>)
    byte_view(const Range& range) noexcept
        : data_(reinterpret_cast<const std::byte*>(std::ranges::data(range))),
          size_(std::ranges::size(range)) {}
    byte_view(std::span<const std::byte> bytes) noexcept : data_(bytes.data()), size_(bytes.size()) {}

    [[nodiscard]] const std::byte* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    operator std::span<const std::byte>() const noexcept { return {data_, size_}; }

private:
    const std::byte* data_;
    std::size_t size_;
};

class byte_buffer {
public:
    template <detail::range_of_bytes Range>
        requires(std::ranges::borrowed_range<Range> &&  // a temporary would be gone before it is filled
                 !std::is_const_v<std::remove_reference_t<std::ranges::range_reference_t<Range>>>)
    byte_buffer(Range&& range) noexcept
        : data_(reinterpret_cast<std::byte*>(std::ranges::data(range))), size_(std::ranges::size(range)) {}

    [[nodiscard]] std::byte* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    operator std::span<std::byte>() const noexcept { return {data_, size_}; }

private:
    std::byte* data_;
    std::size_t size_;
};

}  // namespace leat

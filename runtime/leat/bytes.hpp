// SPDX-License-Identifier: MIT
// byte_view and byte_buffer: what is sent, and where to receive. They convert from every contiguous range
// of single-byte elements (std::string, std::vector<std::byte>, std::array<char, N>, chunk, ...), so that
// each call of the socket API exists once. They own nothing.
#pragma once

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

}  // namespace detail

class byte_view {
public:
    // An array of char is text: up to its first zero.
    byte_view(const char* text) noexcept : byte_view(std::string_view(text)) {}
    template <detail::range_of_bytes Range>
        requires(!std::is_array_v<std::remove_cvref_t<Range>>)
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
        requires(!std::is_const_v<std::remove_reference_t<std::ranges::range_reference_t<Range>>>)
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

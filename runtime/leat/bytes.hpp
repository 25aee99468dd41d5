// SPDX-License-Identifier: MIT
// byte_view and byte_buffer: what is sent, and where to receive. They convert from every contiguous range
// of one-byte values (std::string, std::vector<std::byte>, std::array<char, N>, std::byte[N], chunk, ...), so
// that each call of the socket API exists once. They own nothing: the bytes live as long as they are used.
// An array of char, such as a literal, is text: it is sent up to its first zero, or as a whole when there is
// none, and received into as a whole. To send text with zeros in it, write std::span(array).
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

template <typename T>
concept character = std::same_as<std::remove_cv_t<T>, char> || std::same_as<std::remove_cv_t<T>, char8_t>;
template <typename Pointer>
concept pointer_to_text = std::is_pointer_v<Pointer> && character<std::remove_pointer_t<Pointer>>;
template <typename Range>
concept array_of_text = std::is_array_v<std::remove_cvref_t<Range>> &&
                        character<std::remove_extent_t<std::remove_cvref_t<Range>>>;

// What stands before the first zero of an array, which need not have one.
template <typename Character, std::size_t Size>
std::basic_string_view<Character> text_in(const Character (&array)[Size]) noexcept {
    const std::basic_string_view<Character> whole(array, Size);
    return whole.substr(0, whole.find(Character()));
}

}  // namespace detail

class byte_view {
public:
    // Text that ends with a zero.
    template <detail::pointer_to_text Pointer>
    byte_view(const Pointer& text) noexcept : byte_view(std::basic_string_view(text)) {}
    template <detail::array_of_text Text>
    byte_view(const Text& text) noexcept : byte_view(detail::text_in(text)) {}
    template <typename Range>
        requires(detail::range_of_bytes<const Range> && !detail::array_of_text<Range>)
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

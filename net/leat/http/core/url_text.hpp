// SPDX-License-Identifier: MIT
// The parts of a URL as text: percent-encoding, and paths without dot segments, as browsers have them
// (url.spec.whatwg.org). Used by the URL parser only.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace leat::http::detail {

// The characters that are percent-encoded in a part of a URL: controls, what is not ASCII, and `others`. A
// '%' is left alone: it is part of an encoding, or a server's own affair.
class encode_set {
public:
    constexpr explicit encode_set(std::string_view others) noexcept {
        for (std::size_t i = 0; i < encoded_.size(); ++i) {
            const auto c = static_cast<char>(i);
            encoded_[i] = i < 0x20 || i > 0x7e || others.find(c) != others.npos;
        }
    }
    // What is not ASCII, alone.
    [[nodiscard]] static constexpr encode_set of_non_ascii() noexcept {
        encode_set set("");
        for (std::size_t i = 0; i < 0x80; ++i) {
            set.encoded_[i] = false;
        }
        return set;
    }
    [[nodiscard]] constexpr bool contains(char c) const noexcept {
        return encoded_[static_cast<unsigned char>(c)];
    }

private:
    std::array<bool, 256> encoded_{};
};

inline constexpr encode_set fragment_set(" \"<>`");
inline constexpr encode_set query_set(" \"#<>'");
inline constexpr encode_set path_set(" \"#<>?^`{}");
inline constexpr encode_set userinfo_set(" \"#<>?^`{}/:;=@[\\]|");

void append_encoded(std::string& out, std::string_view text, const encode_set& set);

// Each "%41" as the byte that it means; a '%' that begins no such triple as it is.
[[nodiscard]] std::string percent_decoded(std::string_view text);

// In an http URL a backslash is a slash.
[[nodiscard]] constexpr bool is_slash(char c) noexcept {
    return c == '/' || c == '\\';
}

// Appends the segments of `path` to `out`, a path that does not end with a slash, encoded and each behind
// one;
// "." and ".." and their encoded forms (%2e) are followed.
void append_path(std::string& out, std::string_view path);

}  // namespace leat::http::detail

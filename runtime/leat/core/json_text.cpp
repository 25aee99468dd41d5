// SPDX-License-Identifier: MIT
#include <leat/core/json_text.hpp>

#include <cstddef>

namespace leat::detail {

namespace {

unsigned byte_at(std::string_view string, std::size_t index) noexcept {
    return index < string.size() ? static_cast<unsigned char>(string[index]) : 0;
}

// The length of the well-formed UTF-8 sequence (RFC 3629, section 4) that `string` begins with; 0: none.
std::size_t sequence_length(std::string_view string) noexcept {
    const unsigned first = byte_at(string, 0);
    const unsigned second = byte_at(string, 1);
    if (first < 0x80) {
        return 1;
    }
    const std::size_t length = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    const unsigned lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;   // no longer than needed
    const unsigned highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;  // no surrogate, in range
    if (length == 0 || second < lowest || second > highest) {
        return 0;
    }
    for (std::size_t i = 2; i < length; ++i) {
        if ((byte_at(string, i) & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

}  // namespace

void json_text::separate() {
    if (!first_) {
        text += ',';
    }
    first_ = false;
}

void json_text::open(char bracket) {
    separate();
    text += bracket;
    first_ = true;
}

void json_text::close(char bracket) {
    text += bracket;
    first_ = false;
}

json_text& json_text::key(std::string_view name) {
    separate();
    quote(name);
    text += ':';
    first_ = true;  // its value follows without a comma
    return *this;
}

void json_text::value(std::string_view string) {
    separate();
    quote(string);
}

void json_text::quote(std::string_view string) {
    text += '"';
    while (!string.empty()) {
        const std::size_t length = sequence_length(string);
        const char first = string.front();
        if (length == 0) {
            text += "\xEF\xBF\xBD";
        } else if (first == '"' || first == '\\') {
            text += {'\\', first};
        } else if (static_cast<unsigned char>(first) < 0x20) {
            text += "\\u00";
            text += first < 0x10 ? '0' : '1';
            text += "0123456789abcdef"[first & 0xF];
        } else {
            text += string.substr(0, length);
        }
        string.remove_prefix(length == 0 ? 1 : length);
    }
    text += '"';
}

}  // namespace leat::detail

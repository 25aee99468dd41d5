// SPDX-License-Identifier: MIT
#include <leat/core/json_text.hpp>

#include <leat/core/utf8.hpp>

#include <cstddef>

namespace leat::detail {

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
        const std::size_t length = utf8_length(string);
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

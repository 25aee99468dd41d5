// SPDX-License-Identifier: MIT
// json_text: writes JSON (RFC 8259) piece by piece, with the commas; for dumps, traces and counters.
// Invariant: the text is UTF-8, whatever bytes the strings had; U+FFFD replaces bytes that were not.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace leat::detail {

class json_text {
public:
    // A value: of the member that key() has named, or the next of an array.
    void begin_object() { open('{'); }
    void end_object() { close('}'); }
    void begin_array() { open('['); }
    void end_array() { close(']'); }
    json_text& key(std::string_view name);
    void value(std::string_view string);
    // (A template, so that no pointer becomes a truth.)
    template <std::same_as<bool> Truth>
    void value(Truth truth) {
        separate();
        text += truth ? "true" : "false";
    }
    template <std::integral Number>
        requires(!std::same_as<Number, bool>)
    void value(Number number) {
        separate();
        text += std::to_string(number);
    }
    // A number that is written already.
    void number(std::string_view digits) {
        separate();
        text += digits;
    }

    std::string text;

private:
    void open(char bracket);
    void close(char bracket);
    void separate();
    void quote(std::string_view string);

    bool first_ = true;  // nothing stands before this place in its object or array
};

}  // namespace leat::detail

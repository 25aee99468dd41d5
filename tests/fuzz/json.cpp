// SPDX-License-Identifier: MIT
// Any bytes as the strings of a dump, in any nesting: what is written is JSON, and says what went in as far
// as that was UTF-8. Another library reads it.
#include <leat/check.hpp>
#include <leat/core/json_text.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

using leat::check;

namespace {

// A value that `input` decides; its strings are cut from it.
void write_value(leat::detail::json_text& json, std::string_view& input, int depth) {
    if (input.empty()) {
        json.value(false);
        return;
    }
    const auto kind = static_cast<unsigned char>(input.front());
    input.remove_prefix(1);
    const std::size_t count = kind / 8;
    if (kind % 4 == 0 || depth == 20) {
        const std::string_view text = input.substr(0, count);
        input.remove_prefix(text.size());
        json.value(text);
    } else if (kind % 4 == 1) {
        json.begin_array();
        for (std::size_t i = 0; i < count % 4; ++i) {
            write_value(json, input, depth + 1);
        }
        json.end_array();
    } else if (kind % 4 == 2) {
        json.begin_object();
        for (std::size_t i = 0; i < count % 4; ++i) {
            const std::string_view name = input.substr(0, count);
            input.remove_prefix(name.size());
            json.key(name);
            write_value(json, input, depth + 1);
        }
        json.end_object();
    } else {
        json.value(static_cast<int>(count) - 16);
    }
}

// Whether `text` is UTF-8, by an encoder that is not ours.
bool is_utf8(std::string_view text) {
    try {
        (void)nlohmann::json(text).dump();
        return true;
    } catch (const nlohmann::json::type_error&) {
        return false;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    leat::detail::json_text nested;
    std::string_view input = text;
    write_value(nested, input, 0);
    check(nlohmann::json::accept(nested.text), "what is written is JSON");
    leat::detail::json_text one;
    one.value(text);
    const auto read = nlohmann::json::parse(one.text, nullptr, false);
    check(read.is_string(), "a string of any bytes is a string of JSON");
    check(!is_utf8(text) || read.get<std::string>() == text, "and says the same, when it was UTF-8");
    return 0;
}

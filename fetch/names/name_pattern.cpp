// SPDX-License-Identifier: MIT
#include <fetch/names/name_pattern.hpp>

#include <fetch/files/digest.hpp>
#include <fetch/names/safe_name.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <span>

namespace fetch {
namespace {

constexpr std::size_t width_max = 64;
constexpr std::string_view known_fields =
    "{host}, {path}, {name}, {stem}, {extension}, {query}, {number}, {hash}";

// A piece of a pattern: text, or what stands in braces.
struct pattern_piece {
    std::string_view text = {};
    bool is_field = false;
    std::size_t width = 0;  // of a field; 0: none is given
    std::string mistake = {};
};

pattern_piece field_of(std::string_view inside) {
    pattern_piece piece{.text = inside.substr(0, inside.find(':')), .is_field = true};
    if (piece.text.size() == inside.size()) {
        return piece;
    }
    const std::string_view width = inside.substr(piece.text.size() + 1);
    const auto [end, error] = std::from_chars(width.data(), width.data() + width.size(), piece.width);
    const bool takes_width = piece.text == "number" || piece.text == "hash";
    if (!takes_width) {
        piece.mistake = "{" + std::string(piece.text) + "} takes no width";
    } else if (error != std::errc() || end != width.data() + width.size() || piece.width == 0 ||
               piece.width > width_max) {
        piece.mistake = "the width in {" + std::string(inside) + "} is not from 1 to 64";
    }
    return piece;
}

// Takes the next piece off the front of `pattern`, which is not empty.
pattern_piece take_piece(std::string_view& pattern) {
    const auto take = [&](std::size_t count) {
        const std::string_view taken = pattern.substr(0, count);
        pattern.remove_prefix(taken.size());
        return taken;
    };
    const std::size_t brace = pattern.find_first_of("{}");
    if (brace != 0) {
        return {.text = take(brace)};
    }
    if (pattern.size() > 1 && pattern[0] == pattern[1]) {
        return {.text = take(2).substr(1)};
    }
    const std::size_t end = pattern.find('}');
    if (end == 0 || end == pattern.npos) {
        pattern_piece piece{.mistake = end == 0 ? "a } without its {; a brace itself is }}"
                                                : "a { without its }; a brace itself is {{"};
        pattern = {};
        return piece;
    }
    const std::string_view taken = take(end + 1);
    return field_of(taken.substr(1, end - 1));
}

std::string first_digits(const std::string& url, std::size_t width) {
    digester maker(digest_kind::sha_256);
    maker.add(std::as_bytes(std::span(url)));
    return hexadecimal(maker.end()).substr(0, width == 0 ? 16 : width);
}

std::string padded(std::uint64_t number, std::size_t width) {
    const std::string digits = std::to_string(number);
    return std::string(width - std::min(width, digits.size()), '0') + digits;
}

// Where the extension begins: not at the front.
std::size_t extension_at(std::string_view name) noexcept {
    const std::size_t dot = name.rfind('.');
    return dot == name.npos || dot == 0 ? name.size() : dot;
}

// What a field stands for; nothing for one that is not known.
std::string value_of(const pattern_piece& field, const pattern_values& values) {
    if (field.text == "host") {
        return values.host;
    }
    if (field.text == "path") {
        return values.path;
    }
    if (field.text == "name") {
        return values.name;
    }
    if (field.text == "stem") {
        return values.name.substr(0, extension_at(values.name));
    }
    if (field.text == "extension") {
        return values.name.substr(extension_at(values.name));
    }
    if (field.text == "query") {
        return values.query;
    }
    if (field.text == "number") {
        return padded(values.number, field.width);
    }
    return field.text == "hash" ? first_digits(values.url, field.width) : std::string();
}

bool is_known(std::string_view field) {
    return known_fields.find("{" + std::string(field) + "}") != std::string_view::npos;
}

// Of the pattern as a path, with its fields left as they are.
std::string mistake_of_path(std::string_view pattern) {
    if (pattern.empty()) {
        return "it is empty";
    }
    if (pattern.starts_with('/')) {
        return "it begins with /, but names files below the output folder";
    }
    if (pattern.ends_with('/')) {
        return "it ends with /, so that files have no name";
    }
    while (!pattern.empty()) {
        const std::string_view part = pattern.substr(0, pattern.find('/'));
        pattern.remove_prefix(std::min(part.size() + 1, pattern.size()));
        if (part.starts_with('.') || part.starts_with('-')) {
            return "a part of it begins with a dot or a dash: \"" + std::string(part) + "\"";
        }
    }
    return {};
}

}  // namespace

std::string pattern_mistake(std::string_view pattern) {
    std::string mistake = mistake_of_path(pattern);
    for (std::string_view rest = pattern; !rest.empty() && mistake.empty();) {
        const pattern_piece piece = take_piece(rest);
        if (!piece.mistake.empty()) {
            mistake = piece.mistake;
        } else if (piece.is_field && !is_known(piece.text)) {
            mistake = "there is no {" + std::string(piece.text) + "}; there are " + std::string(known_fields);
        }
    }
    return mistake;
}

std::string path_by(std::string_view pattern, const pattern_values& values) {
    std::string path;
    while (!pattern.empty()) {
        const pattern_piece piece = take_piece(pattern);
        path += piece.is_field ? value_of(piece, values) : std::string(piece.text);
    }
    if (path.empty() || path.ends_with('/')) {
        path += '_';  // else a folder would be taken for the file
    }
    return safe_path(path);
}

}  // namespace fetch

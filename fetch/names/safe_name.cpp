// SPDX-License-Identifier: MIT
#include <fetch/names/safe_name.hpp>

#include <fetch/names/reserved.hpp>
#include <fetch/names/utf8.hpp>

#include <algorithm>
#include <cstddef>

namespace fetch {
namespace {

constexpr std::size_t extension_max = 16;   // with its dot, in bytes
constexpr std::size_t folders_max = 3'000;  // of a path, in bytes: PATH_MAX is 4096
constexpr std::size_t depth_max = 64;

bool is_harmless(char32_t number) noexcept {
    const bool control = number < 0x20 || (number >= 0x7f && number < 0xa0);
    const bool order = number == 0x61c || number == 0x200e || number == 0x200f ||
                       (number >= 0x2028 && number <= 0x202e) || (number >= 0x2066 && number <= 0x2069);
    return number != '/' && number != '\\' && !control && !order;
}

// `text`, which is UTF-8, to at most `limit` bytes.
std::string_view cut(std::string_view text, std::size_t limit) noexcept {
    if (text.size() <= limit) {
        return text;
    }
    while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0U) == 0x80) {
        --limit;
    }
    return text.substr(0, limit);
}

void shorten(std::string& name, std::size_t limit) {
    if (name.size() <= limit) {
        return;
    }
    const std::size_t dot = std::min(name.rfind('.'), name.size());
    const bool keeps = dot > 0 && name.size() - dot <= extension_max;
    const std::string extension = keeps ? name.substr(dot) : std::string();
    name.resize(cut(name, limit - extension.size()).size());
    name += extension;
}

std::string_view next_part(std::string_view& path) noexcept {
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(part.size() + 1, path.size()));
    return part;
}

}  // namespace

std::string safe_name(std::string_view wanted, named_by whom) {
    std::string name;
    name.reserve(wanted.size());
    for (std::string_view rest = wanted; !rest.empty();) {
        const utf8_character next = first_utf8(rest);
        const std::size_t size = std::max<std::size_t>(next.size, 1);
        name += next.size > 0 && is_harmless(next.number) ? rest.substr(0, size) : "_";
        rest.remove_prefix(size);
    }
    const bool hides = name.starts_with('.') || name.starts_with('-');
    if (name.empty() || name == "." || name == ".." || (hides && whom == named_by::stranger)) {
        name.replace(0, 1, "_");
    }
    shorten(name, name_max);
    if (looks_unfinished(name)) {
        shorten(name, name_max - 1);
        name += '_';
    }
    return name;
}

std::string safe_path(std::string_view wanted, named_by whom) {
    std::string path;
    std::string last;
    std::size_t depth = 0;
    while (!wanted.empty()) {
        const std::string_view part = next_part(wanted);
        if (part.empty() || part == "." || part == "..") {
            continue;
        }
        if (!last.empty() && path.size() + last.size() < folders_max && ++depth < depth_max) {
            path += last;
            path += '/';
        }
        last = safe_name(part, whom);
    }
    return path + (last.empty() ? "_" : last);
}

}  // namespace fetch

// SPDX-License-Identifier: MIT
#include <fetch/files/checksum_list.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace fetch {

namespace {

constexpr digest_kind all_kinds[] = {digest_kind::md5,     digest_kind::sha_1,   digest_kind::sha_224,
                                     digest_kind::sha_256, digest_kind::sha_384, digest_kind::sha_512};

std::optional<digest> digest_in(std::string_view digits) {
    for (const digest_kind kind : all_kinds) {
        if (digits.size() == 2 * size_of(kind)) {
            auto bytes = bytes_of(digits);
            return bytes ? std::optional(digest{kind, std::move(*bytes)}) : std::nullopt;
        }
    }
    return std::nullopt;
}

std::optional<std::string> unescaped(std::string_view text) {
    std::string name;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            name += text[i];
            continue;
        }
        const char next = ++i < text.size() ? text[i] : '\0';
        if (next != 'n' && next != 'r' && next != '\\') {
            return std::nullopt;
        }
        name += next == 'n' ? '\n' : next == 'r' ? '\r' : '\\';
    }
    return name;
}

std::optional<listed_checksum> made(std::optional<digest> checksum, std::string_view name, bool escaped) {
    auto text = escaped ? unescaped(name) : std::optional(std::string(name));
    if (!checksum || !text || text->empty()) {
        return std::nullopt;
    }
    return listed_checksum{std::move(*checksum), std::move(*text)};
}

// "SHA256 (name) = digits"
std::optional<listed_checksum> read_tagged(std::string_view line, bool escaped) {
    const std::size_t open = line.find(" (");
    const std::size_t close = line.rfind(") = ");
    if (open == std::string_view::npos || close == std::string_view::npos || close < open + 2) {
        return std::nullopt;
    }
    const auto kind = digest_kind_of(line.substr(0, open));
    auto checksum = digest_in(line.substr(close + 4));
    if (!kind || !checksum || checksum->kind != *kind) {
        return std::nullopt;
    }
    return made(std::move(checksum), line.substr(open + 2, close - open - 2), escaped);
}

std::string_view without_dot(std::string_view name) {
    while (name.starts_with("./")) {
        name.remove_prefix(std::min(name.find_first_not_of('/', 1), name.size()));
    }
    return name;
}

}  // namespace

std::optional<listed_checksum> read_checksum(std::string_view line) {
    const bool escaped = line.starts_with('\\');
    line.remove_prefix(escaped ? 1 : 0);
    const std::size_t end = line.find(' ');
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    auto checksum = digest_in(line.substr(0, end));
    if (!checksum) {
        return read_tagged(line, escaped);
    }
    const std::string_view name = line.substr(end + 1);  // begins with a space, or with * for "binary"
    if (!name.starts_with(' ') && !name.starts_with('*')) {
        return std::nullopt;
    }
    return made(std::move(checksum), name.substr(1), escaped);
}

std::string checksum_line(const digest& checksum, std::string_view name) {
    std::string text;
    for (const char each : name) {
        switch (each) {
            case '\n':
                text += "\\n";
                break;
            case '\r':
                text += "\\r";
                break;
            case '\\':
                text += "\\\\";
                break;
            default:
                text += each;
        }
    }
    const bool escaped = text.size() != name.size();
    return (escaped ? "\\" : "") + hexadecimal(checksum) + "  " + text + "\n";
}

checksum_list checksum_list::read(std::string_view text) {
    checksum_list list;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        line.remove_suffix(line.ends_with('\r') ? 1 : 0);
        if (line.empty() || line.starts_with('#')) {
            continue;
        }
        auto read = read_checksum(line);
        if (!read) {
            throw std::invalid_argument("line " + std::to_string(number) + ": no checksum and name");
        }
        const auto [at, is_new] =
            list.checksums_.try_emplace(std::string(without_dot(read->name)), read->checksum);
        if (!is_new && at->second != read->checksum) {
            throw std::invalid_argument("line " + std::to_string(number) + ": another checksum of " +
                                        at->first);
        }
    }
    return list;
}

const digest* checksum_list::find(std::string_view name) const {
    const auto found = checksums_.find(std::string(without_dot(name)));
    return found != checksums_.end() ? &found->second : nullptr;
}

}  // namespace fetch

// SPDX-License-Identifier: MIT
#include <fetch/files/kept_note.hpp>

#include <leat/io.hpp>
#include <leat/threads.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <sys/xattr.h>

namespace fetch {

namespace {

constexpr std::string_view kept_first_line = "leat-fetch origin 1\n";
constexpr const char* attribute_name = "user.leat.origin";
constexpr std::size_t longest_kept_note = 16 * 1024;

bool has_controls(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(),
                       [](char each) { return static_cast<unsigned char>(each) < ' ' || each == '\x7f'; });
}

template <typename Number>
std::optional<Number> whole_number(std::string_view text) noexcept {
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

std::chrono::nanoseconds since_epoch(std::chrono::system_clock::time_point when) noexcept {
    return when.time_since_epoch();
}

std::string attribute_of(int descriptor) {
    std::string text(longest_kept_note, '\0');
    const ssize_t size = ::fgetxattr(descriptor, attribute_name, text.data(), text.size());
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return text;
}

}  // namespace

std::optional<std::string> text_of(const kept_note& told) {
    const file_origin& from = told.origin;
    if (has_controls(from.url) || has_controls(from.etag) || has_controls(from.last_modified) || !from.size) {
        return std::nullopt;
    }
    return std::string(kept_first_line) + "url " + from.url + "\netag " + from.etag + "\nlast-modified " +
           from.last_modified + "\nsize " + std::to_string(*from.size) + "\nmodified " +
           std::to_string(since_epoch(told.modified).count()) + "\n";
}

std::optional<kept_note> read_kept_note(std::string_view text) {
    if (!text.starts_with(kept_first_line)) {
        return std::nullopt;
    }
    text.remove_prefix(kept_first_line.size());
    constexpr std::array<std::string_view, 5> names{"url ", "etag ", "last-modified ", "size ", "modified "};
    std::array<std::string_view, 5> values;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos || !text.starts_with(names[i])) {
            return std::nullopt;
        }
        values[i] = text.substr(names[i].size(), end - names[i].size());
        text.remove_prefix(end + 1);
        if (has_controls(values[i])) {
            return std::nullopt;
        }
    }
    const auto size = whole_number<std::uint64_t>(values[3]);
    const auto modified = whole_number<std::int64_t>(values[4]);
    if (!size || !modified || !text.empty()) {
        return std::nullopt;
    }
    return kept_note{
        .origin = {std::string(values[0]), std::string(values[1]), std::string(values[2]), *size},
        .modified = std::chrono::system_clock::time_point(std::chrono::nanoseconds(*modified))};
}

leat::task<> note_kept(leat::file& of, file_origin origin) {
    const leat::file_info about = co_await of.info();
    origin.size = about.size;
    auto text = text_of(kept_note{.origin = std::move(origin), .modified = about.modified});
    if (text) {
        (void)co_await leat::as_result(of.set_attribute(attribute_name, *std::move(text)));
    }
}

leat::task<std::optional<kept_note>> kept_note_of(leat::file& of) {
    const std::string text =
        co_await leat::offload([descriptor = of.native_handle()] { return attribute_of(descriptor); });
    co_return read_kept_note(text);
}

}  // namespace fetch

// SPDX-License-Identifier: MIT
#include <fetch/files/resume_note.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace fetch {

namespace {

constexpr std::string_view first_line = "leat-fetch note 1\n";
constexpr std::size_t most_ranges = 1000;

// FNV-1a, in 16 digits.
std::string sum_of(std::string_view text) {
    std::uint64_t sum = 0xcbf29ce484222325U;
    for (const char each : text) {
        sum = (sum ^ static_cast<unsigned char>(each)) * 0x100000001b3U;
    }
    std::string digits(16, '0');
    for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, sum >>= 4U) {
        *digit = "0123456789abcdef"[sum & 15U];
    }
    return digits;
}

bool is_plain(std::string_view text) {
    return std::none_of(text.begin(), text.end(),
                        [](char each) { return static_cast<unsigned char>(each) < ' ' || each == '\x7f'; });
}

std::string text_of_ranges(const std::vector<byte_range>& ranges) {
    std::string text;
    for (const byte_range& each : std::span(ranges).first(std::min(ranges.size(), most_ranges))) {
        text += (text.empty() ? "" : ",") + std::to_string(each.begin) + "-" + std::to_string(each.end);
    }
    return text;
}

std::optional<std::uint64_t> number_in(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

// What stands before `mark`, which is cut off with it; all, without one.
std::string_view cut(std::string_view& text, char mark) {
    const std::size_t end = std::min(text.find(mark), text.size());
    const std::string_view before = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return before;
}

std::optional<std::vector<byte_range>> ranges_in(std::string_view text) {
    std::vector<byte_range> ranges;
    while (!text.empty()) {
        std::string_view each = cut(text, ',');
        const auto begin = number_in(cut(each, '-'));
        const auto end = number_in(each);
        const std::uint64_t least = ranges.empty() ? 0 : ranges.back().end + 1;
        if (!begin || !end || *begin < least || *end <= *begin || *end == UINT64_MAX ||
            ranges.size() == most_ranges) {
            return std::nullopt;
        }
        ranges.push_back({*begin, *end});
    }
    return ranges;
}

// Lines of one name each, in this order.
class line_reader {
public:
    explicit line_reader(std::string_view text) noexcept : rest_(text) {}

    // What the next line says of `name`; nothing when it is another one.
    [[nodiscard]] std::optional<std::string_view> take(std::string_view name) {
        std::string_view line = cut(rest_, '\n');
        return cut(line, ' ') == name ? std::optional(line) : std::nullopt;
    }
    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

private:
    std::string_view rest_;
};

// The lines between the first and the last, when the sum of all is right.
std::optional<std::string_view> lines_of(std::string_view text) {
    constexpr std::string_view last = "\nend ";
    const std::size_t at = text.find(last);
    if (text.size() > longest_note || !text.starts_with(first_line) || at == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view summed = text.substr(0, at + 1);
    if (!text.substr(at + last.size()).starts_with(sum_of(summed) + "\n")) {
        return std::nullopt;
    }
    return summed.substr(first_line.size());
}

}  // namespace

std::optional<std::string> text_of(const resume_note& told) {
    const file_origin& from = told.origin;
    for (const std::string* each : {&from.url, &from.etag, &from.last_modified, &told.boot}) {
        if (!is_plain(*each)) {
            return std::nullopt;
        }
    }
    std::string text(first_line);
    text += "url " + from.url + "\netag " + from.etag + "\nlast-modified " + from.last_modified;
    text += "\nsize " + (from.size ? std::to_string(*from.size) : std::string()) + "\nboot " + told.boot;
    text += "\nwritten " + (told.written ? text_of_ranges(*told.written) : std::string("all"));
    text += "\nsynced " + text_of_ranges(told.synced) + "\n";
    text += "end " + sum_of(text) + "\n";
    return text.size() <= longest_note ? std::optional(std::move(text)) : std::nullopt;
}

std::optional<resume_note> read_note(std::string_view text) {
    const auto lines = lines_of(text);
    if (!lines) {
        return std::nullopt;
    }
    line_reader reader(*lines);
    std::array<std::string_view, 7> values;
    constexpr std::array<std::string_view, 7> names = {"url",  "etag",    "last-modified", "size",
                                                       "boot", "written", "synced"};
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto value = reader.take(names[i]);
        if (!value) {
            return std::nullopt;
        }
        values[i] = *value;
    }
    const auto& [url, etag, last_modified, size, boot, written, synced] = values;
    resume_note told{.origin = {std::string(url), std::string(etag), std::string(last_modified)},
                     .boot = std::string(boot)};
    if (!size.empty() && !(told.origin.size = number_in(size))) {
        return std::nullopt;
    }
    if (written != "all" && !(told.written = ranges_in(written))) {
        return std::nullopt;
    }
    auto on_disk = ranges_in(synced);
    if (!on_disk || !reader.at_end()) {
        return std::nullopt;
    }
    told.synced = std::move(*on_disk);
    return told;
}

byte_ranges trusted(const resume_note& of, std::uint64_t length, std::string_view boot) {
    const bool same_boot = !boot.empty() && of.boot == boot;
    const byte_ranges there = !same_boot   ? byte_ranges(of.synced)
                              : of.written ? byte_ranges(*of.written)
                                           : byte_ranges({{0, length}}, length);
    return there.end() <= length && there.end() <= of.origin.size.value_or(UINT64_MAX) ? there
                                                                                       : byte_ranges();
}

}  // namespace fetch

// SPDX-License-Identifier: MIT
#include <fetch/list/job_line.hpp>

#include <fetch/list/own_fields.hpp>
#include <fetch/names/safe_name.hpp>

#include <leat/http/url.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

namespace fetch {
namespace {

constexpr std::string_view line_blanks = " \t\v\f";
constexpr std::size_t shown_max = 120;  // of what the list says, in bytes

std::string_view trimmed(std::string_view text) noexcept {
    const std::size_t begin = std::min(text.find_first_not_of(line_blanks), text.size());
    return text.substr(begin, text.find_last_not_of(line_blanks) + 1 - begin);
}

// In quotes, cut when it is long.
std::string quoted(std::string_view text) {
    return '"' + std::string(text.substr(0, shown_max)) + (text.size() > shown_max ? "...\"" : "\"");
}

bool begins_as(std::string_view text, std::string_view small) noexcept {
    return text.size() >= small.size() &&
           std::equal(small.begin(), small.end(), text.begin(), [](char low, char given) {
               return given == low || (given >= 'A' && given <= 'Z' && given - 'A' + 'a' == low);
           });
}

bool begins_as_url(std::string_view text) noexcept {
    return begins_as(text, "http://") || begins_as(text, "https://");
}

// What is wrong with it as a URL, or nothing.
std::string mistake_of_url(std::string_view text) {
    const auto parsed = leat::http::url::try_parse(text);
    return parsed.ok() ? std::string() : parsed.error().message();
}

// Each of these takes the value of an option into the job, and says what is wrong with it.
std::string take_out(job& into, std::string_view value) {
    if (!into.output.empty()) {
        return "out= is there twice";
    }
    if (value.empty()) {
        return "out= is followed by no path";
    }
    if (safe_path(value, named_by::user) != value) {
        return "out=" + std::string(value.substr(0, shown_max)) +
               " is no path that a file below the output folder can have";
    }
    into.output = value;
    return {};
}

std::string take_checksum(job& into, std::string_view value) {
    if (into.checksum.has_value()) {
        return "checksum= is there twice";
    }
    into.checksum = read_digest(value);
    return into.checksum.has_value() ? std::string()
                                     : "checksum=" + std::string(value.substr(0, shown_max)) +
                                           " is not KIND=HEX, as sha-256=2cf24d...";
}

std::string take_size(job& into, std::string_view value) {
    if (into.size.has_value()) {
        return "size= is there twice";
    }
    std::uint64_t size = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), size);
    if (error != std::errc() || end != value.data() + value.size()) {
        return "size=" + std::string(value.substr(0, shown_max)) + " is no number of bytes";
    }
    into.size = size;
    return {};
}

std::string take_mirror(job& into, std::string_view value) {
    into.mirrors.emplace_back(value);
    std::string mistake = mistake_of_url(value);
    return mistake.empty() ? mistake : "mirror " + leat::http::short_url(value) + ": " + mistake;
}

std::string add_field(job& into, std::string_view name, std::string_view value) {
    if (std::string mistake = mistake_of_field(name); !mistake.empty()) {
        return mistake;
    }
    try {
        into.fields.add(name, value);
    } catch (const std::invalid_argument& refused) {
        return refused.what();
    }
    return {};
}

std::string take_header(job& into, std::string_view value) {
    const std::size_t colon = value.find(':');
    if (colon == std::string_view::npos) {
        return "header= is not followed by NAME: VALUE";
    }
    return add_field(into, value.substr(0, colon), trimmed(value.substr(colon + 1)));
}

std::string take_referer(job& into, std::string_view value) {
    return add_field(into, "Referer", value);
}

std::string take_user_agent(job& into, std::string_view value) {
    return add_field(into, "User-Agent", value);
}

struct line_option {
    std::string_view name;
    std::string (*take)(job& into, std::string_view value);
};

constexpr std::array line_options{
    line_option{"out", take_out},
    line_option{"checksum", take_checksum},
    line_option{"size", take_size},
    line_option{"mirror", take_mirror},
    line_option{"header", take_header},
    line_option{"referer", take_referer},
    line_option{"user-agent", take_user_agent},
};

const line_option* option_of(std::string_view text) noexcept {
    const std::string_view name = text.substr(0, text.find('='));
    const auto* const found = std::find_if(line_options.begin(), line_options.end(),
                                           [&](const line_option& one) { return one.name == name; });
    return found == line_options.end() || name.size() == text.size() ? nullptr : found;
}

std::string take_option(job& into, std::string_view text) {
    if (begins_as_url(text)) {
        return take_mirror(into, text);
    }
    if (const line_option* const option = option_of(text)) {
        return option->take(into, trimmed(text.substr(option->name.size() + 1)));
    }
    std::string known;
    for (const line_option& each : line_options) {
        known.append(known.empty() ? "" : ", ").append(each.name).append("=");
    }
    return quoted(text.substr(0, text.find('='))) + " is none of the options " + known;
}

// Of a URL that may hold what was meant as something else.
std::string mistake_of_first(std::string_view url) {
    if (option_of(url) != nullptr) {
        return "an option stands behind its URL, on the same line, after a tab";
    }
    for (std::size_t blank = url.find(' '); blank != std::string_view::npos;
         blank = url.find(' ', blank + 1)) {
        if (option_of(trimmed(url.substr(blank))) != nullptr) {
            return "an option stands behind a tab, not behind a space";
        }
    }
    return mistake_of_url(url);
}

}  // namespace

std::string mistake_at(const line_place& place, std::string_view url, std::string_view what) {
    std::string text;
    if (place.number > 0) {
        text = std::string(place.list) + ":" + std::to_string(place.number) + ": ";
    }
    text.append(leat::http::short_url(url)).append(": ").append(what);
    std::replace_if(text.begin(), text.end(), [](char each) { return each < ' ' || each > '~'; }, '?');
    return text;
}

std::optional<job> read_job_line(std::string_view line, const line_place& place) {
    while (line.starts_with("\xef\xbb\xbf")) {  // also where lists were put together
        line.remove_prefix(3);
    }
    line = trimmed(line);
    if (line.empty() || line.starts_with('#')) {
        return std::nullopt;
    }
    const std::size_t end = std::min(line.find('\t'), line.size());
    const std::string_view first = trimmed(line.substr(0, end));
    std::optional<job> made(std::in_place);
    made->url = first;
    std::string mistake = mistake_of_first(first);
    for (line.remove_prefix(end); !line.empty();) {
        line.remove_prefix(1);
        const std::string_view option = trimmed(line.substr(0, line.find('\t')));
        line.remove_prefix(std::min(line.find('\t'), line.size()));
        if (!option.empty() && mistake.empty()) {
            mistake = take_option(*made, option);
        }
    }
    if (!mistake.empty()) {
        made->mistake = mistake_at(place, first, mistake);
    }
    return made;
}

job job_of_argument(std::string_view argument) {
    job made;
    made.url = argument;
    const std::string mistake = mistake_of_url(argument);
    if (!mistake.empty()) {
        made.mistake = mistake_at({}, argument, mistake);
    }
    return made;
}

}  // namespace fetch

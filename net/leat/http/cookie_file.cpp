// SPDX-License-Identifier: MIT
#include <leat/http/cookie_file.hpp>

#include <leat/core/number.hpp>
#include <leat/http/core/text.hpp>
#include <leat/system/folder.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

namespace leat::http {
namespace {

constexpr std::size_t bad_lines_max = 20;
constexpr std::size_t line_max = 16 * 1024;
constexpr std::string_view http_only_prefix = "#HttpOnly_";

// Takes the next line off the front of `text`.
std::string_view take_line(std::string_view& text) noexcept {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    return line;
}

enum field : std::size_t { of_domain, of_below, of_path, of_secure, of_end, of_name, of_value, fields_count };
using line_fields = std::array<std::string_view, fields_count>;

// Nothing if they are more or less, but for the last one.
std::optional<line_fields> split(std::string_view line) noexcept {
    line_fields found{};
    std::size_t count = 0;
    for (;;) {
        const std::size_t tab = line.find('\t');
        if (count == fields_count) {
            return std::nullopt;
        }
        found[count++] = line.substr(0, tab);
        if (tab == line.npos) {
            break;
        }
        line.remove_prefix(tab + 1);
    }
    return count >= of_value ? std::optional(found) : std::nullopt;
}

std::optional<bool> truth_of(std::string_view text) noexcept {
    const bool yes = detail::equal_ignoring_case(text, "TRUE");
    return yes || detail::equal_ignoring_case(text, "FALSE") ? std::optional(yes) : std::nullopt;
}

// A time after which there are no cookies any more is one that does not come.
std::chrono::sys_seconds time_of(std::uint64_t seconds) noexcept {
    constexpr std::uint64_t last = std::uint64_t(1) << 40U;
    return std::chrono::sys_seconds(std::chrono::seconds(std::min(seconds, last)));
}

// Gives why there is none; null if it is `made`.
const char* read_line(std::string_view line, cookie& made) {
    made.http_only = line.starts_with(http_only_prefix);
    line.remove_prefix(made.http_only ? http_only_prefix.size() : 0);
    const auto fields = split(line);
    if (!fields) {
        return "it has not seven fields";
    }
    const auto below = truth_of((*fields)[of_below]);
    const auto secure = truth_of((*fields)[of_secure]);
    if (!below || !secure) {
        return "it has another word where TRUE or FALSE is due";
    }
    const auto end = leat::detail::parse_number<std::uint64_t>((*fields)[of_end]);
    if (!end) {
        return "its time is not a number of seconds";
    }
    std::string_view domain = (*fields)[of_domain];
    domain.remove_prefix(domain.starts_with('.') ? 1 : 0);
    made.domain = domain;
    std::ranges::transform(made.domain, made.domain.begin(), detail::to_lower);
    made.host_only = !*below;
    made.path = (*fields)[of_path];
    made.secure = *secure;
    made.expires = *end > 0 ? std::optional(time_of(*end)) : std::nullopt;
    made.name = (*fields)[of_name];
    made.value = (*fields)[of_value];
    return nullptr;
}

// Whether the line that it makes is read as the same cookie.
bool can_be_written(const cookie& one) noexcept {
    const auto is_apart = [](const std::string& text) { return text.find('\t') == text.npos; };
    return is_apart(one.path) && is_apart(one.name) && is_apart(one.value) && !one.domain.starts_with('.');
}

const char* word_of(bool truth) noexcept {
    return truth ? "TRUE" : "FALSE";
}

void append_line(std::string& text, const cookie& one) {
    const auto end = one.expires ? one.expires->time_since_epoch().count() : 0;
    text.append(one.http_only ? http_only_prefix : std::string_view());
    text.append(one.host_only ? "" : ".").append(one.domain).append("\t");
    text.append(word_of(!one.host_only)).append("\t").append(one.path).append("\t");
    text.append(word_of(one.secure)).append("\t").append(std::to_string(end)).append("\t");
    text.append(one.name).append("\t").append(one.value).append("\n");
}

}  // namespace

cookies_read read_cookies(std::string_view text, cookie_jar& jar) {
    cookies_read done;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::string_view line = take_line(text);
        const bool is_comment = line.starts_with('#') && !line.starts_with(http_only_prefix);
        if (is_comment || detail::trim(line).empty()) {
            continue;
        }
        cookie made;
        const char* wrong = line.size() > line_max ? "it is too long" : read_line(line, made);
        if (wrong == nullptr) {
            switch (jar.add(std::move(made))) {
                case cookie_addition::taken:
                    ++done.taken;
                    break;
                case cookie_addition::expired:
                    ++done.expired;
                    break;
                case cookie_addition::refused:
                    wrong = "there can be no such cookie";
                    break;
            }
        }
        if (wrong != nullptr && ++done.bad <= bad_lines_max) {
            done.bad_lines.push_back({number, wrong});
        }
    }
    return done;
}

std::string cookies_text(const cookie_jar& jar, bool with_session) {
    std::vector<cookie> all = jar.all();
    std::ranges::sort(all, {}, &cookie::made);
    std::string text = "# Netscape HTTP Cookie File\n\n";
    for (const cookie& each : all) {
        if ((each.expires || with_session) && can_be_written(each)) {
            append_line(text, each);
        }
    }
    return text;
}

task<cookies_read> load_cookies(std::string path, cookie_jar& jar) {
    const std::string text = co_await read_file(std::move(path), cookie_file_max);
    co_return read_cookies(text, jar);
}

task<> save_cookies(std::string path, const cookie_jar& jar, bool with_session) {
    constexpr unsigned for_the_owner = 0600;
    const std::string text = cookies_text(jar, with_session);
    co_await write_file_atomically(std::move(path), text, for_the_owner);
}

}  // namespace leat::http

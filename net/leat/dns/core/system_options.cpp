// SPDX-License-Identifier: MIT
#include <leat/dns/core/system_options.hpp>

#include <leat/fd.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace leat::detail {

namespace {

constexpr int timeout_max = 30;  // seconds: RES_MAXRETRANS of resolv.h
constexpr int attempts_max = 5;  // RES_MAXRETRY
constexpr std::string_view blanks = " \t\r";
constexpr std::size_t file_size_max = 64 * 1024;

// Takes the next word off the front of `text`; empty at the end.
std::string_view next_word(std::string_view& text) noexcept {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    const std::string_view word = text.substr(0, text.find_first_of(blanks));
    text.remove_prefix(word.size());
    return word;
}

// The number of "timeout:3" behind "timeout:"; empty for another word, or when it is none.
std::optional<int> number_of(std::string_view word, std::string_view name, int most) noexcept {
    if (!word.starts_with(name)) {
        return std::nullopt;
    }
    word.remove_prefix(name.size());
    int number = 0;
    const auto read = std::from_chars(word.data(), word.data() + word.size(), number);
    if (read.ptr != word.data() + word.size() || read.ec != std::errc() || number < 1) {
        return std::nullopt;
    }
    return std::min(number, most);
}

void take_options(std::string_view line, system_options& options) noexcept {
    for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
        if (const auto seconds = number_of(word, "timeout:", timeout_max)) {
            options.timeout = std::chrono::seconds(*seconds);
        } else if (const auto attempts = number_of(word, "attempts:", attempts_max)) {
            options.attempts = *attempts;
        } else if (word == "use-vc") {
            options.over_tcp = true;
        } else if (word == "rotate") {
            options.rotate = true;
        }
    }
}

std::string text_of(const char* file) {
    std::string text;
    const fd opened(::open(file, O_RDONLY | O_CLOEXEC));
    while (opened && text.size() < file_size_max) {
        char part[4096];
        const ssize_t count = ::read(opened.get(), part, sizeof part);
        if (count <= 0) {
            break;
        }
        text.append(part, static_cast<std::size_t>(count));
    }
    return text;
}

}  // namespace

system_options parse_system_options(std::string_view resolv_conf, std::string_view environment) {
    system_options options;
    while (!resolv_conf.empty()) {
        std::string_view line = resolv_conf.substr(0, resolv_conf.find('\n'));
        resolv_conf.remove_prefix(std::min(line.size() + 1, resolv_conf.size()));
        if (next_word(line) == "options") {
            take_options(line, options);
        }
    }
    take_options(environment, options);
    return options;
}

system_options read_system_options() {
    const char* const environment = std::getenv("RES_OPTIONS");
    return parse_system_options(text_of("/etc/resolv.conf"), environment != nullptr ? environment : "");
}

}  // namespace leat::detail

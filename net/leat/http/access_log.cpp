// SPDX-License-Identifier: MIT
#include <leat/http/access_log.hpp>

#include <leat/http/served_connection.hpp>

#include <array>
#include <cstdio>
#include <ctime>

namespace leat::http {
namespace {

void append_escaped(std::string& line, std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    for (const char each : text) {
        const auto byte = static_cast<unsigned char>(each);
        if (byte >= 0x20 && byte < 0x7f && each != '"' && each != '\\') {
            line += each;
        } else {
            line.append("\\x").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
        }
    }
}

void append_quoted(std::string& line, std::string_view text) {
    line += '"';
    append_escaped(line, text.empty() ? "-" : text);
    line += '"';
}

// Its names of months are the same in every locale.
void append_time(std::string& line, std::chrono::system_clock::time_point when) {
    constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 64> text{};
    const int size = std::snprintf(text.data(), text.size(), "[%02d/%s/%04d:%02d:%02d:%02d +0000]",
                                   parts.tm_mday, months[static_cast<std::size_t>(parts.tm_mon)],
                                   parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
    line.append(text.data(), static_cast<std::size_t>(size));
}

// HTTP/2 has no minor version: it is written as Apache and nginx do.
std::string_view name_of(version spoken) noexcept {
    switch (spoken) {
        case version::http_1_0:
            return "HTTP/1.0";
        case version::http_1_1:
            return "HTTP/1.1";
        case version::http_2:
            return "HTTP/2.0";
    }
    return {};
}

}  // namespace

std::string access_line(const answered& done) {
    const request& asked = done.asked;
    const auto client = asked.connection != nullptr ? asked.connection->remote_endpoint() : std::nullopt;
    std::string line = client ? client->address().unmapped().to_string() : "-";
    line += " - - ";
    append_time(line, done.when);
    line += " \"";
    append_escaped(line, asked.method);
    line += ' ';
    append_escaped(line, asked.target);
    line.append(" ").append(name_of(asked.version)).append("\" ");
    line.append(std::to_string(done.status)).append(" ").append(std::to_string(done.body_bytes)).append(" ");
    append_quoted(line, asked.headers.get("Referer").value_or(""));
    line += ' ';
    append_quoted(line, asked.headers.get("User-Agent").value_or(""));
    return line;
}

}  // namespace leat::http

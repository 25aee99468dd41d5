// SPDX-License-Identifier: MIT
#include <leat/http/access_log.hpp>

#include <leat/http/conditional.hpp>
#include <leat/http/served_connection.hpp>

#include <string_view>

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

// "[30/Nov/2026:20:26:19 +0000]" of "Mon, 30 Nov 2026 20:26:19 GMT".
void append_time(std::string& line, std::chrono::system_clock::time_point when) {
    const std::string date = http_date(when);
    const std::string_view text = date;
    line.append("[").append(text.substr(5, 2)).append("/").append(text.substr(8, 3)).append("/");
    line.append(text.substr(12, 4)).append(":").append(text.substr(17, 8)).append(" +0000]");
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
    const served_connection* const on = done.asked.connection;
    return access_line(done, on != nullptr ? on->remote_endpoint() : std::nullopt);
}

std::string access_line(const answered& done, const std::optional<endpoint>& client) {
    const request& asked = done.asked;
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

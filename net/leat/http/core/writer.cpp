// SPDX-License-Identifier: MIT
#include <leat/http/core/writer.hpp>

#include <leat/check.hpp>
#include <leat/http/core/text.hpp>

#include <charconv>
#include <stdexcept>

namespace leat::http::detail {
namespace {

std::string_view text_of(version of) noexcept {
    return of == version::http_1_1 ? "HTTP/1.1" : "HTTP/1.0";
}

void append_number(std::string& out, std::uint64_t number) {
    std::array<char, 20> digits;
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    check(error == std::errc(), "20 digits hold every 64-bit number");
    out.append(digits.data(), end);
}

// Two decimal digits at `at`.
void put_two(char* at, unsigned number) noexcept {
    at[0] = static_cast<char>('0' + number / 10 % 10);
    at[1] = static_cast<char>('0' + number % 10);
}

}  // namespace

void append_head(std::string& out, const request& head) {
    if (!is_token(head.method)) {
        throw std::invalid_argument("a request's method is empty or holds a character that methods may not");
    }
    if (!is_request_target(head.target)) {
        throw std::invalid_argument(
            "a request's target is empty or holds a space, a # or what is not visible ASCII");
    }
    out.append(head.method).append(" ", 1).append(head.target).append(" ", 1).append(text_of(head.version));
    out.append("\r\n", 2).append(head.headers.wire()).append("\r\n", 2);
}

void append_head(std::string& out, const response& head) {
    if (head.status < 100 || head.status > 999) {
        throw std::invalid_argument("status " + std::to_string(head.status) + " is not between 100 and 999");
    }
    if (!is_field_value(head.reason)) {
        throw std::invalid_argument(
            "the reason of a response holds a line break or another control character");
    }
    append_status_line(out, head.status, head.reason, head.version);
    out.append(head.headers.wire()).append("\r\n", 2);
}

void append_status_line(std::string& out, int status, std::string_view reason, version of) {
    if (status == 200 && of == version::http_1_1 && reason.empty()) {
        out.append("HTTP/1.1 200 OK\r\n");  // nearly always
        return;
    }
    check(status >= 100 && status <= 999, "a status has three digits");
    const char digits[] = {' ', static_cast<char>('0' + status / 100),
                           static_cast<char>('0' + status / 10 % 10), static_cast<char>('0' + status % 10),
                           ' '};
    out.append(text_of(of)).append(digits, sizeof digits);
    out.append(reason.empty() ? reason_phrase(status) : reason).append("\r\n", 2);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ", 2).append(value).append("\r\n", 2);
}

void append_field(std::string& out, std::string_view name, std::uint64_t value) {
    out.append(name).append(": ", 2);
    append_number(out, value);
    out.append("\r\n", 2);
}

chunk_size_line::chunk_size_line(std::size_t size) noexcept {
    const auto [end, error] = std::to_chars(text_.data(), text_.data() + text_.size() - 2, size, 16);
    check(error == std::errc(), "16 digits hold every size");
    end[0] = '\r';
    end[1] = '\n';
    size_ = static_cast<std::uint8_t>(end + 2 - text_.data());
}

void append_chunk(std::string& out, std::string_view data) {
    if (!data.empty()) {
        out.append(chunk_size_line(data.size()).text()).append(data).append("\r\n", 2);
    }
}

std::string basic_authorization(std::string_view credentials) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text = "Basic ";
    for (std::size_t at = 0; at < credentials.size(); at += 3) {
        const std::string_view group = credentials.substr(at, 3);
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            bits = bits << 8 | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0U);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            text += i <= group.size() ? digits[bits >> (18 - 6 * i) & 63] : '=';
        }
    }
    return text;
}

std::string_view date_text::at(std::chrono::system_clock::time_point now) noexcept {
    const auto second = std::chrono::floor<std::chrono::seconds>(now);
    if (second != second_) {
        second_ = second;
        const auto day = std::chrono::floor<std::chrono::days>(second);
        const std::chrono::year_month_day date(day);
        const std::chrono::hh_mm_ss time(second - day);
        const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
        const std::size_t week_day = std::chrono::weekday(day).c_encoding();
        const std::size_t month = static_cast<unsigned>(date.month()) - 1;
        constexpr std::string_view week_days = "SunMonTueWedThuFriSat";
        constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
        constexpr std::string_view form = "Www, dd Mmm yyyy hh:mm:ss GMT";
        form.copy(text_.data(), size);
        week_days.substr(3 * week_day, 3).copy(&text_[0], 3);
        put_two(&text_[5], static_cast<unsigned>(date.day()));
        months.substr(3 * month, 3).copy(&text_[8], 3);
        put_two(&text_[12], year / 100);
        put_two(&text_[14], year % 100);
        put_two(&text_[17], static_cast<unsigned>(time.hours().count()));
        put_two(&text_[20], static_cast<unsigned>(time.minutes().count()));
        put_two(&text_[23], static_cast<unsigned>(time.seconds().count()));
    }
    return {text_.data(), size};
}

}  // namespace leat::http::detail

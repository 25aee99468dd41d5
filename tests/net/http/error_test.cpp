// SPDX-License-Identifier: MIT
#include <leat/http/error.hpp>

#include <doctest/doctest.h>

#include <ostream>  // doctest prints a std::error_code through it
#include <set>
#include <string>

TEST_CASE("every HTTP error has one line of its own") {
    using leat::http::error;
    std::set<std::string> messages;
    const std::string unknown = make_error_code(error()).message();
    int codes = 0;
    for (;; ++codes) {
        const std::string message = make_error_code(static_cast<error>(codes + 1)).message();
        if (message == unknown) {
            break;
        }
        CAPTURE(message);
        CHECK(message.find('\n') == std::string::npos);
        CHECK(message.find("unknown") == std::string::npos);
        messages.insert(message);
    }
    CHECK(codes >= static_cast<int>(error::stream_reset));
    CHECK(messages.size() == static_cast<std::size_t>(codes));
    CHECK(make_error_code(error::bad_chunk).category().name() == std::string("http"));
    CHECK(std::error_code(error::bad_chunk) != std::error_code(error::truncated_body));
}

TEST_CASE("every URL error has one line of its own") {
    using leat::http::url_error;
    std::set<std::string> messages;
    const int last = static_cast<int>(url_error::too_long);
    for (int value = 1; value <= last; ++value) {
        messages.insert(make_error_code(static_cast<url_error>(value)).message());
    }
    CHECK(messages.size() == static_cast<std::size_t>(last));
    CHECK_FALSE(messages.contains("unknown URL error"));
}

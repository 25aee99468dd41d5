// SPDX-License-Identifier: MIT
// made_answers: answers about one file of the tests of transfers, and what became of it.
#pragma once

#include "../../support/any_folder.hpp"
#include "made_run.hpp"

#include <leat/system/folder.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace support {

inline constexpr std::size_t size = 400'000;

inline std::string made_body() {
    std::string body;
    for (std::size_t i = 0; body.size() < size; ++i) {
        body += std::to_string(i) + ",";
    }
    return body.substr(0, size);
}

inline const std::string body = made_body();

inline std::string head(std::string_view status, std::string_view more, std::size_t length) {
    return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(more) +
           "Content-Length: " + std::to_string(length) + "\r\n\r\n";
}

inline constexpr std::string_view tag = "ETag: \"v1\"\r\n";

// The value of the Range field of a request, as the number that it begins with; 0: it has none.
inline std::size_t first_byte(const std::string& asked) {
    const std::size_t at = asked.find("\r\nRange: bytes=");
    return at == std::string::npos ? 0 : std::stoul(asked.substr(at + 15));
}

inline answer rest_from(std::size_t from, std::string_view more = tag) {
    const std::string range = "Content-Range: bytes " + std::to_string(from) + "-" +
                              std::to_string(size - 1) + "/" + std::to_string(size) + "\r\n";
    return {head("206 Partial Content", std::string(more) + range, size - from) + body.substr(from)};
}

// The whole body, cut off in the middle.
inline answer cut(std::string_view more = tag, std::size_t length = size / 2) {
    return {head("200 OK", more, size) + body.substr(0, length), then::close};
}

// Into a new folder of that name, or one that an earlier run has made.
inline fetch::settings into(const leat::testing::any_folder& folder, std::string_view name = "out") {
    fetch::settings how{.folder = folder.path(name)};
    how.tries.first_wait = std::chrono::milliseconds(1);
    how.tries.longest_wait = std::chrono::milliseconds(1);
    return how;
}

inline leat::task<std::string> content(const fetch::settings& how, std::string name) {
    co_return co_await leat::read_file(how.folder + "/" + name, 4 * size);
}

inline leat::task<std::size_t> files_in(const fetch::settings& how) {
    co_return (co_await leat::list_folder(how.folder)).size();
}

}  // namespace support

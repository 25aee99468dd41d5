// SPDX-License-Identifier: MIT
// Requests with bodies, and a handler that reads as much of them as it is asked to.
#pragma once

#include "serving.hpp"

namespace leat::testing {

inline std::string post(std::string_view target, std::string_view fields) {
    return "POST " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}
inline std::string counted(std::string_view target, std::string_view body) {
    return post(target, "Content-Length: " + std::to_string(body.size()) + "\r\n") + std::string(body);
}
inline std::string chunked(std::string_view target, std::string_view chunks) {
    return post(target, "Transfer-Encoding: chunked\r\n") + std::string(chunks);
}

// Reads "/all" of the body, a "/piece", or nothing, and answers with the target and what it has read.
inline task<http::response> read_some(const http::request& asked, http::request_body_reader& body) {
    http::response made;
    made.body = asked.target + " ";
    if (asked.target == "/all") {
        made.body += co_await body.read_all();
    } else if (asked.target == "/piece") {
        (void)co_await body.read();
    }
    co_return made;
}

}  // namespace leat::testing

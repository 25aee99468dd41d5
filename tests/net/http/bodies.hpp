// SPDX-License-Identifier: MIT
// Requests with bodies, and handlers that read them.
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

// Answers with how long the client has said that the body is, and the body.
inline task<http::response> tell_size(const http::request& /*asked*/, http::request_body_reader& body) {
    http::response made;
    made.body = body.size() ? std::to_string(*body.size()) : "unknown";
    made.body += ":" + co_await body.read_all();
    co_return made;
}

// Reads a body as it comes, and shows how far it is: "head " and what has come.
class shown_reading {
public:
    // Answers with all of that, and how long the body was.
    task<http::response> read(http::request_body_reader& body) {
        got_ = "head ";
        more_.set();
        for (;;) {
            const std::string_view piece = co_await body.read();
            if (piece.empty()) {
                break;
            }
            got_ += piece;
            more_.set();
        }
        const std::string_view behind = co_await body.read();
        http::response made;
        made.body = got_ + std::to_string(body.bytes_read()) + std::string(behind);
        co_return made;
    }
    task<> until(std::string_view expected) {
        while (got_ != expected) {
            more_.reset();
            co_await more_.wait();
        }
    }

private:
    std::string got_;
    event more_;
};

}  // namespace leat::testing

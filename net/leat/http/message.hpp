// SPDX-License-Identifier: MIT
// request and response: HTTP messages as plain data. Parsers fill the head and leave the body, which
// arrives in pieces, to their user.
#pragma once

#include <leat/http/headers.hpp>
#include <leat/task.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace leat {

class any_stream;

}  // namespace leat

namespace leat::http {

class served_connection;

enum class version : unsigned char { http_1_0, http_1_1, http_2 };

struct request {
    std::string method = "GET";
    // As it stands in the request line: "/path?query"; a whole URL (its host is then the Host field's value);
    // "host:port" of a CONNECT; "*" of an OPTIONS.
    std::string target = "/";
    http::version version = http::version::http_1_1;
    http::headers headers;
    std::string body;
    // Fields that came behind a body in chunks (RFC 9110 6.5), once that has been read to its end. Those that
    // may not come there are left out. A client does not send them.
    http::headers trailers;
    // For the handler of a server: the connection it came on (served_connection.hpp). Null elsewhere.
    served_connection* connection = nullptr;

    // Keeps the memory, so that the next message on a connection allocates nothing.
    void clear() noexcept {
        method.clear();
        target.clear();
        connection = nullptr;
        version = http::version::http_1_1;
        headers.clear();
        body.clear();
        trailers.clear();
    }
};

struct response {
    int status = 200;
    std::string reason;  // empty: the usual one for the status, when written
    http::version version = http::version::http_1_1;
    http::headers headers;
    std::string body;
    // As those of a request, of an answer that a client has got. A server does not send them:
    // response_writer::add_trailer does.
    http::headers trailers;
    // For the answer of a server with status 101 (RFC 9110 7.8): once its head has been sent, this has the
    // connection for itself, to speak the protocol that the field Upgrade names. The connection ends behind
    // it. The request, and request::connection, live until then; gone() is not to be used. Over HTTP/2 it has
    // one stream of the connection, whose client has asked for that by an extended CONNECT (RFC 8441).
    std::function<task<>(any_stream& stream)> upgraded = {};

    void clear() noexcept {
        upgraded = nullptr;
        status = 200;
        reason.clear();
        version = http::version::http_1_1;
        headers.clear();
        body.clear();
        trailers.clear();
    }
};

// Whether the method is one of those registered for HTTP (RFC 9110 16.1.1). They are case-sensitive.
[[nodiscard]] bool is_registered_method(std::string_view method) noexcept;

// "Not Found" for 404; empty for a status that is not registered.
[[nodiscard]] std::string_view reason_phrase(int status) noexcept;

}  // namespace leat::http

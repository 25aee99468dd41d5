// SPDX-License-Identifier: MIT
// request_options: how long a request of the HTTP client, and each of its steps, may take, how much may come,
// and what may be sent again.
#pragma once

#include <leat/clock.hpp>
#include <leat/retry.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace leat::http {

// How the credentials in a URL are shown to its server.
enum class login : unsigned char {
    basic,   // as they are, with each request (RFC 7617)
    digest,  // only as an answer to a challenge: MD5 or SHA-256 (RFC 7616), if leat was built with TLS
};

struct request_options {
    duration connect = std::chrono::seconds(60);  // names, addresses and handshakes of TCP
    duration tls_handshake = std::chrono::seconds(30);
    duration send = std::chrono::seconds(60);  // until the server has taken a further 64 KiB of the body
    duration first_byte = std::chrono::seconds(60);  // from the request to the end of the answer's head
    duration idle = std::chrono::seconds(60);        // between two pieces of the body
    duration total = duration::max();                // for all of it; a long body may take its time
    // The least that the body must bring while it is waited for, in bytes a second, measured over `rate_time`
    // of waiting. 0: any rate will do, as long as `idle` does not pass between two pieces.
    std::uint64_t lowest_rate = 0;
    duration rate_time = std::chrono::seconds(30);
    std::size_t header_bytes = 64 * 1024;
    std::optional<std::uint64_t> body_bytes = {};  // decoded. Without: 64 MiB in memory, else all that come
    int redirects = 10;
    // With `digest` a first request goes without credentials, and is sent again, also a POST, when the server
    // answers 401 with a challenge, if its body can be made again; else the 401 is given. Later requests to
    // the same origin with the same credentials have the answer with them. A challenge for Basic alone is not
    // answered.
    http::login login = http::login::basic;
    // A server may close a kept connection at the moment when a request is sent on it, before or after it has
    // seen that. Where no byte of an answer has come, or only a 408, a request whose method is idempotent is
    // sent once more, on a new connection, if its body can be made again. False: it is not; the failure is
    // thrown, the 408 given.
    bool repeat = true;
    // A request whose method is idempotent, and whose body can be made again, is tried so often, `.tries` in
    // all, while it fails in a way that may pass (`.when`; a connection that ends without an answer counts),
    // or is answered with 429, 502, 503 or 504. What the server asks for by Retry-After makes a wait longer;
    // if that is longer than `.most`, or would go beyond `total`, the answer is given as it is. Nothing is
    // held during the waits. What fails after the head of the answer has come is not tried again.
    retry_options retry = {.tries = 1};
    // Asks the server, by "Expect: 100-continue", whether it wants the body, and waits for its word for so
    // long; then the body is sent all the same. A server that refuses (413, 401, a redirect) saves its
    // sending. Without: the body is sent at once.
    std::optional<duration> await_continue = {};
    // What TLS has agreed on is kept for response_stream::tls() and fetched::tls.
    bool tell_tls = false;
};

// The name it had when there was only GET.
using get_options = request_options;

}  // namespace leat::http

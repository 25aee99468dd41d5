// SPDX-License-Identifier: MIT
// server_limits: how long a client of the HTTP server may take for each step, and how much it may send.
#pragma once

#include <leat/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace leat::http {

struct server_limits {
    duration idle = std::chrono::seconds(60);  // without a request; empty lines do not count as one
    duration head = std::chrono::seconds(10);  // for a request's head, from its first byte
    // For progress of a request's body, and of a client that receives an answer: at least lowest_rate bytes a
    // second on average over that time, and at least one byte. The body of an answer counts in steps of 256
    // KiB that the stream has taken; over TCP the server also checks how much the client has acknowledged
    // before it gives up, which may take as long again.
    duration body = std::chrono::seconds(30);
    duration send = std::chrono::seconds(60);
    std::uint64_t lowest_rate = 240;
    // For all of a request's body; and for all that is sent at once: the answers held back together, a body,
    // or a piece of one. No limit, unless it is set.
    duration body_total = duration::max();
    duration send_total = duration::max();
    std::size_t header_bytes = 64 * 1024;
    // A handler that reads the body itself may choose another limit: request_body_reader::set_limit().
    std::uint64_t body_bytes = 1024 * 1024;
    // On one connection: the answer to the last of them closes it. One of HTTP/2 takes those that the client
    // has sent until it hears of the end.
    std::size_t requests = 1'000'000;
    // Whether a method that is not registered (IANA) goes to the handler, such as PURGE; otherwise it is
    // answered with 501.
    bool any_method = false;
    // Whether HTTP/2 is spoken to clients that begin with it, over TLS to those that have agreed on it (ALPN
    // "h2", see tls::server_options); and how many requests such a connection may have at once.
    bool http2 = true;
    std::uint32_t streams = 100;
};

}  // namespace leat::http
